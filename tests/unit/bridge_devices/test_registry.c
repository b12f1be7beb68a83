/* The devices and descriptions that the bridge knows: found by name, UUID and digest. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka_all.h"

#include "bridge/devices/registry.h"

static struct mup_registry registry;

static int reset(void **state)
{
    (void)state;
    mup_registry_free(&registry);
    return 0;
}

static struct mup_stored_device stored(unsigned number)
{
    struct mup_stored_device made = {.version = number};

    snprintf(made.name, sizeof made.name, "d%u", number);
    /* so that the orders by name and by UUID differ */
    made.uuid[0] = (uint8_t)(number * 37u);
    made.uuid[15] = (uint8_t)(number >> 8);
    made.uuid[14] = (uint8_t)number;
    made.digest[0] = (uint8_t)(number % 3);
    return made;
}

static void every_device_is_found_by_name_and_by_uuid(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        struct mup_stored_device made = stored(i);
        struct mup_device *device = NULL;
        assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_OK);
        assert_int_equal(device->stored.version, i);
    }
    for (unsigned i = 0; i < 500; i++) {
        struct mup_stored_device made = stored(i);
        const struct mup_device *device = mup_registry_by_name(&registry, made.name);
        assert_non_null(device);
        assert_int_equal(device->stored.version, i);
        assert_ptr_equal(mup_registry_by_uuid(&registry, made.uuid), device);
        assert_ptr_equal(mup_registry_find(&registry, device->uuid_text), device);
        assert_ptr_equal(mup_registry_find(&registry, made.name), device);
    }
    assert_null(mup_registry_find(&registry, "d500"));
    assert_null(mup_registry_find(&registry, ""));
    assert_null(mup_registry_find(&registry, "00000000-0000-0000-0000-0000000000ff"));
}

static void news_of_a_device_keep_its_place(void **state)
{
    struct mup_stored_device made = stored(7);
    struct mup_device *first = NULL;
    struct mup_device *again = NULL;

    (void)state;
    assert_int_equal(mup_registry_put_device(&registry, &first, &made), MUP_OK);
    made.version = 99;
    assert_int_equal(mup_registry_put_device(&registry, &again, &made), MUP_OK);
    assert_ptr_equal(first, again);
    assert_int_equal(again->stored.version, 99);
    assert_int_equal(registry.device_count, 1);
}

static void a_uuid_under_a_second_name_is_refused(void **state)
{
    struct mup_stored_device made = stored(7);
    struct mup_device *device = NULL;

    (void)state;
    assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_OK);
    snprintf(made.name, sizeof made.name, "thief");
    assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_ERR_STATE);
    assert_null(mup_registry_by_name(&registry, "thief"));
}

static void a_name_with_another_uuid_is_refused(void **state)
{
    struct mup_stored_device made = stored(7);
    struct mup_device *device = NULL;

    (void)state;
    assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_OK);
    made.uuid[3] ^= 1;
    assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_ERR_STATE);
    assert_int_equal(device->stored.uuid[3], 0);
}

static void a_description_is_linked_to_all_who_announced_it(void **state)
{
    struct mup_device *device = NULL;
    uint8_t digest[MUP_DIGEST_SIZE] = {1};
    const struct mup_known_description *known;
    struct mup_stored_device late = stored(10);

    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        struct mup_stored_device made = stored(i);
        assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_OK);
    }
    known = mup_registry_put_description(&registry, digest, NULL, "no device in it");
    assert_non_null(known);
    assert_string_equal(known->reason, "no device in it");
    for (unsigned i = 0; i < 9; i++) {
        struct mup_stored_device made = stored(i);
        device = mup_registry_by_name(&registry, made.name);
        assert_ptr_equal(device->description, i % 3 == 1 ? known : NULL);
    }
    assert_int_equal(mup_registry_put_device(&registry, &device, &late), MUP_OK);
    assert_ptr_equal(device->description, known);
    assert_ptr_equal(mup_registry_put_description(&registry, digest, NULL, "again"), known);
    assert_string_equal(known->reason, "no device in it");
}

/* ---- who owns a UUID ---- */

static void the_owner_of_a_uuid_takes_it_from_a_squatter(void **state)
{
    struct mup_stored_device made = stored(7);
    struct mup_stored_device owner = stored(7);
    struct mup_device *squatter = NULL;
    struct mup_device *device = NULL;

    (void)state;
    assert_int_equal(mup_registry_put_device(&registry, &squatter, &made), MUP_OK);
    mup_uuid_format(owner.name, owner.uuid);
    assert_false(mup_registry_owns_uuid(&made));
    assert_true(mup_registry_owns_uuid(&owner));
    assert_ptr_equal(mup_registry_squatter(&registry, &owner), squatter);
    assert_int_equal(mup_registry_put_device(&registry, &device, &owner), MUP_OK);
    assert_ptr_not_equal(device, squatter);
    assert_ptr_equal(mup_registry_by_uuid(&registry, owner.uuid), device);
    assert_ptr_equal(mup_registry_by_name(&registry, owner.name), device);
    assert_null(mup_registry_by_name(&registry, "d7"));
    assert_int_equal(registry.device_count, 1);
    /* whoever kept a pointer to it may still read it */
    assert_true(squatter->unseated);
    assert_false(device->unseated);
    assert_string_equal(squatter->stored.name, "d7");
    /* and it does not come back under this UUID, but may under its own */
    assert_null(mup_registry_squatter(&registry, &made));
    assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_ERR_STATE);
    made.uuid[3] ^= 1;
    assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_OK);
    assert_null(mup_registry_squatter(&registry, &owner));
}

static void a_name_that_is_the_uuid_in_upper_case_owns_nothing(void **state)
{
    struct mup_stored_device made = stored(7);
    struct mup_device *device = NULL;

    (void)state;
    made.uuid[0] = 0xab;
    assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_OK);
    mup_uuid_format(made.name, made.uuid);
    made.name[0] = 'A';
    assert_false(mup_registry_owns_uuid(&made));
    assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_ERR_STATE);
}

static void a_name_that_has_another_uuid_already_unseats_nobody(void **state)
{
    struct mup_stored_device squatter = stored(7);
    struct mup_stored_device made = stored(8);
    struct mup_device *device = NULL;

    (void)state;
    assert_int_equal(mup_registry_put_device(&registry, &device, &squatter), MUP_OK);
    mup_uuid_format(made.name, squatter.uuid);
    assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_OK);
    memcpy(made.uuid, squatter.uuid, sizeof made.uuid);
    assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_ERR_STATE);
    assert_non_null(mup_registry_by_name(&registry, "d7"));
}

/* ---- what strangers may use up ---- */

static struct mup_known_description *know(unsigned number, bool accepted)
{
    uint8_t digest[MUP_DIGEST_SIZE] = {0x80, (uint8_t)(number * 37u), (uint8_t)number,
                                       (uint8_t)(number >> 8)};
    struct mup_capability *capability = accepted ? calloc(1, sizeof *capability) : NULL;
    struct mup_known_description *known =
        mup_registry_put_description(&registry, digest, capability, "no device in it");

    assert_non_null(known);
    known->judged_ms = 1000 + number;
    known->kept = true;
    return known;
}

static struct mup_device *announce(struct mup_stored_device made,
                                   const struct mup_known_description *description)
{
    struct mup_device *device = NULL;

    memcpy(made.digest, description->digest, sizeof made.digest);
    assert_int_equal(mup_registry_put_device(&registry, &device, &made), MUP_OK);
    assert_ptr_equal(device->description, description);
    return device;
}

static void a_device_may_give_eight_descriptions_to_judge_in_an_hour(void **state)
{
    struct mup_device device = {0};

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        assert_true(mup_registry_may_be_judged(&device, 5000 + i));
        mup_registry_count_judgement(&device, 5000 + i);
    }
    assert_false(mup_registry_may_be_judged(&device, 5008));
    assert_false(mup_registry_may_be_judged(&device, 5000 + 3600000 - 1));
    assert_true(mup_registry_may_be_judged(&device, 5000 + 3600000));
    mup_registry_count_judgement(&device, 5000 + 3600000);
    assert_int_equal(device.judgement_count, 1);
}

static void refused_descriptions_of_nobody_make_room_oldest_first(void **state)
{
    struct mup_known_description *known[MUP_REFUSED_MAX];
    struct mup_device *device;
    struct mup_stored_device moved = stored(1);

    (void)state;
    know(5000, true);
    for (unsigned i = 0; i < MUP_REFUSED_MAX; i++) {
        assert_null(mup_registry_surplus(&registry));
        known[i] = know(i, false);
    }
    announce(stored(1), known[0]);
    known[1]->kept = false; /* its devices wait for the word of the store */
    assert_ptr_equal(mup_registry_surplus(&registry), known[2]);
    mup_registry_drop_description(&registry, known[2]);
    assert_null(mup_registry_surplus(&registry));
    know(6000, false);
    assert_ptr_equal(mup_registry_surplus(&registry), known[3]);
    device = announce(moved, known[9]); /* nobody announces the oldest any more */
    assert_ptr_equal(mup_registry_surplus(&registry), known[0]);
    assert_int_equal(known[0]->device_count, 0);
    assert_int_equal(known[9]->device_count, 1);
    mup_registry_drop_description(&registry, known[9]);
    assert_null(device->description);
    /* a squatter's word keeps nothing */
    moved = stored(2);
    announce(moved, known[10]);
    mup_uuid_format(moved.name, moved.uuid);
    announce(moved, known[11]);
    assert_int_equal(known[10]->device_count, 0);
    assert_int_equal(known[11]->device_count, 1);
}

static void accepted_descriptions_of_nobody_go_when_all_places_are_taken(void **state)
{
    struct mup_known_description *known[MUP_DESCRIPTIONS_MAX];
    uint8_t digest[MUP_DIGEST_SIZE] = {0xff};

    (void)state;
    for (unsigned i = 0; i < MUP_DESCRIPTIONS_MAX; i++) {
        assert_null(mup_registry_surplus(&registry));
        known[i] = know(i, i != 77);
    }
    assert_null(mup_registry_put_description(&registry, digest, NULL, "no room"));
    assert_ptr_equal(mup_registry_surplus(&registry), known[77]); /* refused, though younger */
    announce(stored(1), known[77]);
    assert_ptr_equal(mup_registry_surplus(&registry), known[0]);
    known[0]->users = 1; /* a call is under way */
    assert_ptr_equal(mup_registry_surplus(&registry), known[1]);
    mup_registry_drop_description(&registry, known[1]);
    assert_null(mup_registry_surplus(&registry));
    assert_non_null(mup_registry_put_description(&registry, digest, NULL, "room"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_device_is_found_by_name_and_by_uuid, reset),
        cmocka_unit_test_teardown(news_of_a_device_keep_its_place, reset),
        cmocka_unit_test_teardown(a_uuid_under_a_second_name_is_refused, reset),
        cmocka_unit_test_teardown(a_name_with_another_uuid_is_refused, reset),
        cmocka_unit_test_teardown(a_description_is_linked_to_all_who_announced_it, reset),
        cmocka_unit_test_teardown(the_owner_of_a_uuid_takes_it_from_a_squatter, reset),
        cmocka_unit_test_teardown(a_name_that_is_the_uuid_in_upper_case_owns_nothing, reset),
        cmocka_unit_test_teardown(a_name_that_has_another_uuid_already_unseats_nobody, reset),
        cmocka_unit_test_teardown(a_device_may_give_eight_descriptions_to_judge_in_an_hour, reset),
        cmocka_unit_test_teardown(refused_descriptions_of_nobody_make_room_oldest_first, reset),
        cmocka_unit_test_teardown(accepted_descriptions_of_nobody_go_when_all_places_are_taken,
                                  reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
