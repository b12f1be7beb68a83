/* What the bridge keeps comes back as it was put. */
#include "store_support.h"

#include "store/bridge_store.h"

static struct mup_stored_device sample_device(void)
{
    struct mup_stored_device d = {
        .name = "lamp-1",
        .version = 0x01020304,
        .on_trial = true,
        .epoch = 7,
        .present = true,
        .first_seen_ms = 1111,
        .last_seen_ms = 2222,
        .label = "hall",
    };
    for (size_t i = 0; i < sizeof d.uuid; i++) {
        d.uuid[i] = (uint8_t)(0x10 + i);
    }
    for (size_t i = 0; i < sizeof d.digest; i++) {
        d.digest[i] = (uint8_t)(0x40 + i);
    }
    for (size_t i = 0; i < 8; i++) {
        d.kid[i] = (uint8_t)(0x80 + i);
        d.boot_id[i] = (uint8_t)(0x90 + i);
    }
    return d;
}

struct found {
    struct mup_stored_device devices[4];
    size_t count;
};

static void keep_device(void *arg, const struct mup_stored_device *device)
{
    struct found *found = arg;

    assert_true(found->count < 4);
    found->devices[found->count++] = *device;
}

static struct found read_devices(struct mup_bridge_store *store)
{
    struct found found = {.count = 0};

    assert_int_equal(mup_bridge_store_each_device(store, keep_device, &found), MUP_OK);
    return found;
}

static void assert_same_device(const struct mup_stored_device *a, const struct mup_stored_device *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->label, b->label);
    assert_memory_equal(a->uuid, b->uuid, sizeof a->uuid);
    assert_memory_equal(a->digest, b->digest, sizeof a->digest);
    assert_memory_equal(a->kid, b->kid, sizeof a->kid);
    assert_memory_equal(a->boot_id, b->boot_id, sizeof a->boot_id);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->on_trial, b->on_trial);
    assert_int_equal(a->epoch, b->epoch);
    assert_int_equal(a->present, b->present);
    assert_int_equal(a->first_seen_ms, b->first_seen_ms);
    assert_int_equal(a->last_seen_ms, b->last_seen_ms);
}

static void a_device_survives_closing_and_opening(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    struct mup_stored_device device = sample_device();

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_put_device(store, &device, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    mup_bridge_store_close(store);
    bench_close_loop(bench);
    bench_open_loop(bench);
    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    struct found found = read_devices(store);
    assert_int_equal(found.count, 1);
    assert_same_device(&found.devices[0], &device);
    mup_bridge_store_close(store);
}

static void a_second_put_keeps_label_and_first_sight(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    struct mup_stored_device device = sample_device();

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_put_device(store, &device, NULL, NULL), MUP_OK);
    assert_int_equal(mup_bridge_store_set_label(store, "lamp-1", "kitchen", NULL, NULL), MUP_OK);
    device.version = 9;
    device.first_seen_ms = 5555;
    device.last_seen_ms = 6666;
    device.label[0] = '\0';
    assert_int_equal(mup_bridge_store_put_device(store, &device, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    struct found found = read_devices(store);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.devices[0].label, "kitchen");
    assert_int_equal(found.devices[0].first_seen_ms, 1111);
    assert_int_equal(found.devices[0].last_seen_ms, 6666);
    assert_int_equal(found.devices[0].version, 9);
    mup_bridge_store_close(store);
}

static void two_names_with_one_uuid_are_refused_and_the_neighbours_kept(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    struct mup_stored_device first = sample_device();
    struct mup_stored_device liar = sample_device();
    struct mup_stored_device third = sample_device();

    snprintf(liar.name, sizeof liar.name, "lamp-2");
    snprintf(third.name, sizeof third.name, "lamp-3");
    third.uuid[0] = 0xee;
    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_put_device(store, &first, NULL, NULL), MUP_OK);
    assert_int_equal(mup_bridge_store_put_device(store, &liar, answered, bench), MUP_OK);
    assert_int_equal(mup_bridge_store_put_device(store, &third, NULL, NULL), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    assert_int_equal(mup_bridge_store_set_presence(store, "lamp-3", false, 7777, answered, bench),
                     MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    struct found found = read_devices(store);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.devices[0].name, "lamp-1");
    assert_string_equal(found.devices[1].name, "lamp-3");
    assert_false(found.devices[1].present);
    assert_int_equal(found.devices[1].last_seen_ms, 7777);
    mup_bridge_store_close(store);
}

static void the_owner_of_a_uuid_replaces_whoever_has_it(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    struct mup_stored_device squatter = sample_device();
    struct mup_stored_device owner = sample_device();
    struct mup_stored_device third = sample_device();

    snprintf(owner.name, sizeof owner.name, "owner");
    snprintf(third.name, sizeof third.name, "third");
    third.uuid[0] = 0xee;
    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_put_device(store, &squatter, NULL, NULL), MUP_OK);
    assert_int_equal(mup_bridge_store_put_owner(store, &third, NULL, NULL), MUP_OK);
    assert_int_equal(mup_bridge_store_put_owner(store, &owner, NULL, NULL), MUP_OK);
    owner.version = 99;
    assert_int_equal(mup_bridge_store_put_owner(store, &owner, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    assert_int_equal(mup_bridge_store_put_device(store, &squatter, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    struct found found = read_devices(store);
    assert_int_equal(found.count, 2);
    assert_same_device(&found.devices[0], &owner);
    assert_same_device(&found.devices[1], &third);
    mup_bridge_store_close(store);
}

static void count_description(void *arg, const struct mup_stored_description *description)
{
    size_t *count = arg;

    assert_int_equal(description->digest[0], 2);
    ++*count;
}

static void a_removed_description_is_gone_and_the_others_are_kept(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    struct mup_stored_description one = {.text = (const uint8_t *)"abc", .size = 3};
    size_t count = 0;

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    for (uint8_t i = 1; i <= 2; i++) {
        one.digest[0] = i;
        assert_int_equal(mup_bridge_store_put_description(store, &one, NULL, NULL), MUP_OK);
    }
    one.digest[0] = 1;
    assert_int_equal(mup_bridge_store_remove_description(store, one.digest, answered, bench),
                     MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    assert_int_equal(mup_bridge_store_remove_description(store, one.digest, answered, bench),
                     MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    assert_int_equal(mup_bridge_store_each_description(store, count_description, &count), MUP_OK);
    assert_int_equal(count, 1);
    mup_bridge_store_close(store);
}

static void what_is_not_there_cannot_be_changed(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_set_presence(store, "x", true, 1, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    assert_int_equal(mup_bridge_store_set_label(store, "x", "y", answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    assert_int_equal(mup_bridge_store_remove_device(store, "x", answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    assert_true(strlen(bench->error) > 0);
    mup_bridge_store_close(store);
}

static void nobody_is_present_after_presence_was_cleared(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    struct mup_stored_device device = sample_device();

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_put_device(store, &device, NULL, NULL), MUP_OK);
    assert_int_equal(mup_bridge_store_clear_presence(store, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    assert_false(read_devices(store).devices[0].present);
    assert_int_equal(mup_bridge_store_remove_device(store, "lamp-1", answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    assert_int_equal(read_devices(store).count, 0);
    mup_bridge_store_close(store);
}

static void check_description(void *arg, const struct mup_stored_description *d)
{
    unsigned *seen = arg;

    (*seen)++;
    if (d->accepted) {
        assert_int_equal(d->size, 5);
        assert_memory_equal(d->text, "a\0b%s", 5);
        assert_string_equal(d->reason, "");
    } else {
        assert_string_equal(d->reason, "no rdf:type");
    }
}

static void descriptions_keep_every_byte_and_the_reason(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    unsigned seen = 0;
    struct mup_stored_description good = {
        .digest = {1}, .text = (const uint8_t *)"a\0b%s", .size = 5, .accepted = true, .at_ms = 3};
    struct mup_stored_description bad = {.digest = {2},
                                         .text = (const uint8_t *)"{}",
                                         .size = 2,
                                         .reason = "no rdf:type",
                                         .at_ms = 4};

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_put_description(store, &good, NULL, NULL), MUP_OK);
    assert_int_equal(mup_bridge_store_put_description(store, &bad, NULL, NULL), MUP_OK);
    assert_int_equal(mup_bridge_store_put_description(store, &good, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    assert_int_equal(mup_bridge_store_each_description(store, check_description, &seen), MUP_OK);
    assert_int_equal(seen, 2);
    mup_bridge_store_close(store);
}

static void a_reason_too_long_is_cut_between_characters(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    char reason[MUP_STORED_REASON_SIZE_MAX + 8];
    struct mup_stored_description bad = {
        .digest = {2}, .text = (const uint8_t *)"{}", .size = 2, .reason = reason};

    memset(reason, 'x', sizeof reason);
    memcpy(reason + MUP_STORED_REASON_SIZE_MAX - 1, "\xc3\xa9", 3);
    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_put_description(store, &bad, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    mup_bridge_store_close(store);
}

static void a_configuration_is_kept_whole_and_the_last_one_counts(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    char *text = NULL;

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_configuration(store, "running", &text), MUP_OK);
    assert_null(text);
    assert_int_equal(mup_bridge_store_put_configuration(store, "running", "<a/>", 1, NULL, NULL),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_put_configuration(store, "other", "<o/>", 2, NULL, NULL),
                     MUP_OK);
    assert_int_equal(
        mup_bridge_store_put_configuration(store, "running", "<b>\xc3\xa9</b>", 3, answered, bench),
        MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    mup_bridge_store_close(store);
    bench_close_loop(bench);
    bench_open_loop(bench);
    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_configuration(store, "running", &text), MUP_OK);
    assert_string_equal(text, "<b>\xc3\xa9</b>");
    free(text);
    mup_bridge_store_close(store);
}

static void a_second_put_keeps_the_standing(void **state)
{
    struct bench *bench = *state;
    struct mup_stored_device device = sample_device();
    struct mup_bridge_store *store;
    struct found found;

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_put_device(store, &device, answered, bench), MUP_OK);
    assert_int_equal(mup_bridge_store_set_standing(store, "lamp-1", MUP_STANDING_RETIRED, "lamp-2",
                                                   answered, bench),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_put_device(store, &device, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 3), MUP_OK);
    found = read_devices(store);
    assert_int_equal(found.devices[0].standing, MUP_STANDING_RETIRED);
    assert_string_equal(found.devices[0].replaced_by, "lamp-2");
    assert_int_equal(
        mup_bridge_store_set_standing(store, "nobody", MUP_STANDING_RETIRED, "", answered, bench),
        MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    mup_bridge_store_close(store);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_survives_closing_and_opening),
        cmocka_unit_test(a_second_put_keeps_label_and_first_sight),
        cmocka_unit_test(a_second_put_keeps_the_standing),
        cmocka_unit_test(two_names_with_one_uuid_are_refused_and_the_neighbours_kept),
        cmocka_unit_test(what_is_not_there_cannot_be_changed),
        cmocka_unit_test(the_owner_of_a_uuid_replaces_whoever_has_it),
        cmocka_unit_test(a_removed_description_is_gone_and_the_others_are_kept),
        cmocka_unit_test(nobody_is_present_after_presence_was_cleared),
        cmocka_unit_test(descriptions_keep_every_byte_and_the_reason),
        cmocka_unit_test(a_reason_too_long_is_cut_between_characters),
        cmocka_unit_test(a_configuration_is_kept_whole_and_the_last_one_counts),
    };
    run_bench_tests(tests);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
