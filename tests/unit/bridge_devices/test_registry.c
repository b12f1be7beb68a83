/* The devices and descriptions that the bridge knows: found by name, UUID and digest. */
#include <stdio.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_device_is_found_by_name_and_by_uuid, reset),
        cmocka_unit_test_teardown(news_of_a_device_keep_its_place, reset),
        cmocka_unit_test_teardown(a_uuid_under_a_second_name_is_refused, reset),
        cmocka_unit_test_teardown(a_name_with_another_uuid_is_refused, reset),
        cmocka_unit_test_teardown(a_description_is_linked_to_all_who_announced_it, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
