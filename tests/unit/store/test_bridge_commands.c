/* Commands that the bridge keeps: as they were put, in their order, with one end. */
#include "store_support.h"

#include "store/bridge_commands.h"

static struct mup_stored_command sample(uint8_t number)
{
    struct mup_stored_command c = {.user = "alice",
                                   .device = "lamp-1",
                                   .module = "mup-lamp-0123456789abcdef",
                                   .rpc = "setInterval",
                                   .topic = "interval/lamp-1",
                                   .size = 5,
                                   .submitted_ms = 1700000000123,
                                   .expires_ms = 1700000060123};

    for (size_t i = 0; i < sizeof c.id; i++) {
        c.id[i] = (uint8_t)(0x10 + i);
        c.correlation[i] = (uint8_t)(0x60 + i);
    }
    c.id[0] = number;
    c.correlation[15] = number;
    memcpy(c.bytes, "\x00\xff\x00\xa1\x07", 5);
    return c;
}

struct found {
    struct mup_stored_command commands[4];
    size_t count;
};

static void keep(void *arg, const struct mup_stored_command *command)
{
    struct found *found = arg;

    assert_true(found->count < 4);
    found->commands[found->count++] = *command;
}

static struct found read_all(struct mup_bridge_store *store)
{
    struct found found = {.count = 0};

    assert_int_equal(mup_bridge_store_each_command(store, keep, &found), MUP_OK);
    return found;
}

static struct mup_bridge_store *open_store(struct bench *bench)
{
    struct mup_bridge_store *store;

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    return store;
}

static void put(struct mup_bridge_store *store, struct bench *bench, uint8_t number)
{
    struct mup_stored_command command = sample(number);

    assert_int_equal(mup_bridge_store_put_command(store, &command, answered, bench), MUP_OK);
}

static void commands_survive_closing_and_opening_in_the_order_in_which_they_were_put(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store = open_store(bench);
    struct mup_stored_command first = sample(9);
    struct found found;

    put(store, bench, 9);
    put(store, bench, 3);
    assert_int_equal(wait_for(bench, 2), MUP_OK);
    mup_bridge_store_close(store);
    bench_close_loop(bench);
    bench_open_loop(bench);
    store = open_store(bench);
    found = read_all(store);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.commands[1].id[0], 3);
    assert_memory_equal(&found.commands[0], &first, sizeof first); /* no padding is read */
    mup_bridge_store_close(store);
}

static void a_command_ends_once_and_is_forgotten_by_the_time_of_its_end(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store = open_store(bench);
    struct mup_stored_result result = {.ended_ms = 5000,
                                       .outcome = "refused",
                                       .state = "12_ERROR",
                                       .value = "AAEC",
                                       .app_tag = "12_ERROR",
                                       .message = "device lamp-1 refused: no"};
    struct mup_stored_command command = sample(9);
    struct found found;

    put(store, bench, 9);
    put(store, bench, 3);
    assert_int_equal(mup_bridge_store_end_command(store, command.id, &result, answered, bench),
                     MUP_OK);
    assert_int_equal(wait_for(bench, 3), MUP_OK);
    result.ended_ms = 6000;
    assert_int_equal(mup_bridge_store_end_command(store, command.id, &result, answered, bench),
                     MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    result.ended_ms = 5000;
    found = read_all(store);
    assert_memory_equal(&found.commands[0].result, &result, sizeof result);
    assert_int_equal(found.commands[1].result.ended_ms, 0);
    assert_int_equal(mup_bridge_store_forget_commands(store, 5000, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    assert_int_equal(read_all(store).count, 2);
    assert_int_equal(mup_bridge_store_forget_commands(store, 5001, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    found = read_all(store);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.commands[0].id[0], 3); /* what has not ended stays */
    mup_bridge_store_close(store);
}

static void an_id_is_kept_once(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store = open_store(bench);

    put(store, bench, 9);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    put(store, bench, 9);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_STATE);
    assert_int_equal(read_all(store).count, 1);
    mup_bridge_store_close(store);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_survive_closing_and_opening_in_the_order_in_which_they_were_put),
        cmocka_unit_test(a_command_ends_once_and_is_forgotten_by_the_time_of_its_end),
        cmocka_unit_test(an_id_is_kept_once),
    };
    run_bench_tests(tests);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
