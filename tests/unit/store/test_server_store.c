/* Releases whole or not at all, updates that end once, steps that can be taken again. */
#include "store_support.h"

#include "store/server_store.h"

static struct mup_stored_release sample_release(int64_t id, uint32_t version)
{
    struct mup_stored_release r = {
        .id = id,
        .app_id = "lamp",
        .hardware_class = "nrf51",
        .version = version,
        .image_size = 5,
        .payload_size = 5,
        .image_digest = {1, 2, 3},
        .manifest_digest = {4, 5, 6},
        .vendor_kid = {7, 8, 9},
        .manifest = {0xd2, 0x84, 0x00},
        .manifest_size = 3,
        .url = "http://127.0.0.1/lamp/2/nrf51",
        .fetched_ms = 99,
    };
    return r;
}

static struct mup_stored_update sample_update(int64_t id, uint8_t device)
{
    struct mup_stored_update u = {
        .id = id,
        .release_id = 1,
        .uuid = {device},
        .name = "lamp-1",
        .state = "requested",
        .to_version = 2,
        .force = true,
        .started_ms = 1000,
    };
    return u;
}

static struct mup_server_store *open_with_release(struct bench *bench)
{
    struct mup_server_store *store;
    struct mup_stored_release release = sample_release(1, 2);

    assert_int_equal(mup_server_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(
        mup_server_store_put_release(store, &release, (const uint8_t *)"hello", answered, bench),
        MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    return store;
}

static void count_releases(void *arg, const struct mup_stored_release *r)
{
    size_t *count = arg;
    struct mup_stored_release want = sample_release(1, 2);

    (*count)++;
    assert_string_equal(r->app_id, want.app_id);
    assert_string_equal(r->hardware_class, want.hardware_class);
    assert_string_equal(r->url, want.url);
    assert_int_equal(r->manifest_size, 3);
    assert_memory_equal(r->manifest, want.manifest, 3);
    assert_memory_equal(r->image_digest, want.image_digest, 32);
    assert_memory_equal(r->manifest_digest, want.manifest_digest, 32);
    assert_memory_equal(r->vendor_kid, want.vendor_kid, 8);
    assert_int_equal(r->version, 2);
    assert_int_equal(r->fetched_ms, 99);
}

static void a_release_comes_back_with_its_payload(void **state)
{
    struct bench *bench = *state;
    struct mup_server_store *store = open_with_release(bench);
    size_t count = 0;
    uint8_t *payload;
    size_t size;

    assert_int_equal(mup_server_store_each_release(store, count_releases, &count), MUP_OK);
    assert_int_equal(count, 1);
    assert_int_equal(mup_server_store_get_payload(store, 1, &payload, &size), MUP_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(payload, "hello", 5);
    free(payload);
    assert_int_equal(mup_server_store_get_payload(store, 2, &payload, &size), MUP_ERR_RANGE);
    mup_server_store_close(store);
}

static void a_name_or_id_is_given_once_and_the_refused_leaves_nothing(void **state)
{
    struct bench *bench = *state;
    struct mup_server_store *store = open_with_release(bench);
    struct mup_stored_release same_name = sample_release(2, 2);
    struct mup_stored_release same_id = sample_release(1, 3);
    int64_t release_id;
    int64_t update_id;
    uint8_t *payload;
    size_t size;

    assert_int_equal(
        mup_server_store_put_release(store, &same_name, (const uint8_t *)"hello", answered, bench),
        MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    assert_int_equal(
        mup_server_store_put_release(store, &same_id, (const uint8_t *)"hello", answered, bench),
        MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    assert_int_equal(mup_server_store_get_payload(store, 2, &payload, &size), MUP_ERR_RANGE);
    assert_int_equal(mup_server_store_last_ids(store, &release_id, &update_id), MUP_OK);
    assert_int_equal(release_id, 1);
    assert_int_equal(update_id, 0);
    mup_server_store_close(store);
}

static void a_device_has_one_running_update(void **state)
{
    struct bench *bench = *state;
    struct mup_server_store *store = open_with_release(bench);
    struct mup_stored_update first = sample_update(1, 0xaa);
    struct mup_stored_update second = sample_update(2, 0xaa);
    struct mup_stored_update other = sample_update(3, 0xbb);

    assert_int_equal(mup_server_store_begin_update(store, &first, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    assert_int_equal(mup_server_store_begin_update(store, &second, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    assert_int_equal(mup_server_store_begin_update(store, &other, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    first.finished_ms = 5;
    assert_int_equal(mup_server_store_finish_update(store, &first, NULL, NULL), MUP_OK);
    assert_int_equal(mup_server_store_begin_update(store, &second, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    mup_server_store_close(store);
}

static void an_update_ends_once(void **state)
{
    struct bench *bench = *state;
    struct mup_server_store *store = open_with_release(bench);
    struct mup_stored_update update = sample_update(1, 0xaa);
    struct mup_stored_update read;

    assert_int_equal(mup_server_store_begin_update(store, &update, NULL, NULL), MUP_OK);
    snprintf(update.state, sizeof update.state, "transfer");
    update.from_version = 1;
    assert_int_equal(mup_server_store_set_state(store, &update, NULL, NULL), MUP_OK);
    snprintf(update.state, sizeof update.state, "confirmed");
    snprintf(update.message, sizeof update.message, "first");
    update.finished_ms = 77;
    assert_int_equal(mup_server_store_finish_update(store, &update, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    snprintf(update.state, sizeof update.state, "failed");
    snprintf(update.message, sizeof update.message, "second");
    assert_int_equal(mup_server_store_finish_update(store, &update, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    assert_int_equal(mup_server_store_set_state(store, &update, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    assert_int_equal(mup_server_store_get_update(store, 1, &read), MUP_OK);
    assert_string_equal(read.state, "confirmed");
    assert_string_equal(read.message, "first");
    assert_int_equal(read.finished_ms, 77);
    assert_int_equal(read.from_version, 1);
    assert_true(read.force);
    assert_int_equal(mup_server_store_get_update(store, 2, &read), MUP_ERR_RANGE);
    mup_server_store_close(store);
}

static void an_update_of_no_release_is_refused(void **state)
{
    struct bench *bench = *state;
    struct mup_server_store *store = open_with_release(bench);
    struct mup_stored_update update = sample_update(1, 0xaa);

    update.release_id = 12;
    assert_int_equal(mup_server_store_begin_update(store, &update, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    mup_server_store_close(store);
}

struct ids {
    int64_t id[8];
    size_t count;
};

static void collect_id(void *arg, const struct mup_stored_update *u)
{
    struct ids *ids = arg;

    ids->id[ids->count++] = u->id;
}

static void updates_are_listed_newest_first_and_the_unfinished_alone(void **state)
{
    struct bench *bench = *state;
    struct mup_server_store *store = open_with_release(bench);
    struct ids all = {.count = 0};
    struct ids running = {.count = 0};

    for (uint8_t i = 1; i <= 4; i++) {
        struct mup_stored_update update = sample_update(i, i);
        assert_int_equal(mup_server_store_begin_update(store, &update, NULL, NULL), MUP_OK);
        update.finished_ms = i % 2;
        assert_int_equal(i % 2 ? mup_server_store_finish_update(store, &update, answered, bench)
                               : mup_server_store_set_state(store, &update, answered, bench),
                         MUP_OK);
    }
    assert_int_equal(wait_for(bench, 4), MUP_OK);
    assert_int_equal(mup_server_store_each_update(store, 0, 3, false, collect_id, &all), MUP_OK);
    assert_int_equal(all.count, 3);
    assert_int_equal(all.id[0], 4);
    assert_int_equal(all.id[2], 2);
    assert_int_equal(mup_server_store_each_update(store, 0, 8, true, collect_id, &running), MUP_OK);
    assert_int_equal(running.count, 2);
    assert_int_equal(running.id[0], 4);
    assert_int_equal(running.id[1], 2);
    mup_server_store_close(store);
}

static void a_step_that_is_taken_again_is_replaced(void **state)
{
    struct bench *bench = *state;
    struct mup_server_store *store = open_with_release(bench);
    struct mup_stored_update update = sample_update(1, 1);
    struct mup_stored_step step = {.update_id = 1, .number = 5, .name = "transfer", .took_ms = 10};
    struct mup_stored_step token = {.update_id = 1, .number = 1, .name = "token", .bytes_in = 3};
    struct mup_stored_step steps[MUP_STORED_STEPS_MAX];
    size_t count;

    assert_int_equal(mup_server_store_begin_update(store, &update, NULL, NULL), MUP_OK);
    assert_int_equal(mup_server_store_put_step(store, &step, NULL, NULL), MUP_OK);
    step.took_ms = 20;
    assert_int_equal(mup_server_store_put_step(store, &step, NULL, NULL), MUP_OK);
    assert_int_equal(mup_server_store_put_step(store, &token, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    assert_int_equal(mup_server_store_get_steps(store, 1, steps, &count), MUP_OK);
    assert_int_equal(count, 2);
    assert_string_equal(steps[0].name, "token");
    assert_int_equal(steps[1].took_ms, 20);
    mup_server_store_close(store);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_release_comes_back_with_its_payload),
        cmocka_unit_test(a_name_or_id_is_given_once_and_the_refused_leaves_nothing),
        cmocka_unit_test(a_device_has_one_running_update),
        cmocka_unit_test(an_update_ends_once),
        cmocka_unit_test(an_update_of_no_release_is_refused),
        cmocka_unit_test(updates_are_listed_newest_first_and_the_unfinished_alone),
        cmocka_unit_test(a_step_that_is_taken_again_is_replaced),
    };
    run_bench_tests(tests);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
