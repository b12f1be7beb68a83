/*
 * Images that do not work: whatever a signed release does after its boot, the device comes back
 * with the version that worked, the server says so and why, and a good release is taken after it.
 */
#include <stdio.h>
#include <string.h>

#include "edge.h"

static const struct {
    uint32_t version;
    const char *fault;
    const char *why; /* the reason of the revert that the device reports */
} bad[] = {{2, "crash", "trials-used-up"},
           {3, "hang", "trials-used-up"},
           {4, "no-connect", NULL},
           {5, "garbage", "trials-used-up"},
           {6, "reset-loop", "trials-used-up"}};

#define GOOD_VERSION 7u

static struct mup_testbed_device device = {
    .process = "device", .version = 1, .arguments = {"--watchdog", "200", "--trial", "2"}};

static int open_edge(void **state)
{
    (void)state;
    if (!system_open(NULL, NULL))
        return -1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!mup_testbed_release(&bed, bad[i].version, MUP_SYSTEM_IMAGE_SIZE, bad[i].fault))
            return -1;
    if (!mup_testbed_release(&bed, GOOD_VERSION, MUP_SYSTEM_IMAGE_SIZE, "ok"))
        return -1;
    return mup_testbed_make_device(&bed, &device) ? 0 : -1;
}

static void assert_works_with_version_1(struct mup_process *process)
{
    system_await(process, "\"event\":\"reverted\",\"version\":1");
    system_await(process, "\"event\":\"reported\",\"state\":51,");
    assert_int_equal(json_integer_value(system_device_member(device.uuid, "version")), 1);
    assert_true(json_is_true(system_device_member(device.uuid, "online")));
    assert_true(json_is_false(system_device_member(device.uuid, "on_trial")));
}

static void assert_reverts(size_t which)
{
    struct mup_process *process = system_process("device");
    long long id = system_deploy(device.uuid, bad[which].version);
    json_t *update = system_await_end(id);

    assert_int_equal(system_number(update, "from"), 1);
    assert_true(strstr(system_text(update, "message"), "version 1 runs again") != NULL);
    system_assert_ended(update, "reverted", bad[which].why);
    assert_works_with_version_1(process);
}

static void an_image_that_crashes_is_reverted(void **state)
{
    (void)state;
    system_join(&device);
    assert_reverts(0);
    system_assert_rpc(device.uuid, "ledOn", NULL, NULL, "10_OK");
}

static void an_image_that_hangs_is_reverted(void **state)
{
    (void)state;
    assert_reverts(1);
}

static void an_image_that_does_not_reach_the_broker_is_reverted(void **state)
{
    (void)state;
    assert_reverts(2);
}

static void an_image_that_is_none_is_reverted(void **state)
{
    (void)state;
    assert_reverts(3);
}

static void an_image_that_loops_in_resets_is_reverted(void **state)
{
    (void)state;
    assert_reverts(4);
}

/* What mup updates says of each of them. */
static void the_list_of_updates_says_why_each_was_reverted(void **state)
{
    struct system_command command;
    const char *at;

    (void)state;
    system_mup(&command, (const char *[]){"updates", NULL});
    assert_int_equal(command.code, 0);
    at = command.out;
    for (size_t i = sizeof bad / sizeof bad[0]; i > 0; i--) {
        char line[64];

        snprintf(line, sizeof line, "1>%-4u  reverted    %s", (unsigned)bad[i - 1].version,
                 bad[i - 1].why != NULL ? bad[i - 1].why : "");
        at = strstr(at, line);
        assert_non_null(at);
    }
    system_command_free(&command);
}

static void one_update_is_shown_with_what_became_of_it(void **state)
{
    struct system_command command;

    (void)state;
    system_mup(&command, (const char *[]){"updates", "1", NULL});
    assert_int_equal(command.code, 0);
    assert_non_null(strstr(command.out, "\nversion 1 runs again after 3 trial boots\n"));
    system_command_free(&command);
    system_mup(&command, (const char *[]){"updates", "4711", NULL});
    assert_int_equal(command.code, 1);
    assert_non_null(strstr(command.err, "there is no update 4711; 'mup updates' lists"));
    system_command_free(&command);
}

/* Neither the device's return nor a restart of the server makes it try again by itself. What they
 * do on their own is done before they take a command that comes after. */
static void a_reverted_release_is_not_offered_again_by_itself(void **state)
{
    struct mup_process *process = system_process("device");
    json_t *updates = system_mup_json((const char *[]){"updates", "--json", NULL}, 0);
    size_t count = json_array_size(updates);
    unsigned manifests = system_count(process, "\"event\":\"manifest\"");

    (void)state;
    assert_int_equal(manifests, sizeof bad / sizeof bad[0]);
    json_decref(updates);
    mup_process_kill(system_process("mup-server"));
    assert_true(mup_testbed_start_server(&bed));
    mup_process_kill(process);
    process = system_start_device(&device);
    system_await(process, "\"event\":\"announced\"");
    system_assert_rpc(device.uuid, "ledOn", NULL, NULL, "10_OK");
    updates = system_mup_json((const char *[]){"updates", "--json", NULL}, 0);
    assert_int_equal(json_array_size(updates), count);
    json_decref(updates);
    assert_int_equal(system_count(process, "\"event\":\"manifest\""), manifests);
}

/* On purpose it is. */
static void a_person_is_told_of_a_revert_and_why(void **state)
{
    struct system_command command;

    (void)state;
    system_mup(&command,
               (const char *[]){"deploy", device.uuid, mup_testbed_release_url(&bed, 2), NULL});
    assert_int_equal(command.code, 1);
    assert_non_null(strstr(command.err, "reverted: trials-used-up"));
    system_command_free(&command);
    assert_works_with_version_1(system_process("device"));
}

static void a_good_release_is_confirmed_after_all_that(void **state)
{
    (void)state;
    system_assert_ended(system_await_end(system_deploy(device.uuid, GOOD_VERSION)), "confirmed",
                        NULL);
    assert_int_equal(json_integer_value(system_device_member(device.uuid, "version")),
                     GOOD_VERSION);
    assert_int_equal(system_count(system_process("mup-server"), "event=\"update ended\""), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_that_crashes_is_reverted),
        cmocka_unit_test(an_image_that_hangs_is_reverted),
        cmocka_unit_test(an_image_that_does_not_reach_the_broker_is_reverted),
        cmocka_unit_test(an_image_that_is_none_is_reverted),
        cmocka_unit_test(an_image_that_loops_in_resets_is_reverted),
        cmocka_unit_test(the_list_of_updates_says_why_each_was_reverted),
        cmocka_unit_test(one_update_is_shown_with_what_became_of_it),
        cmocka_unit_test(a_reverted_release_is_not_offered_again_by_itself),
        cmocka_unit_test(a_person_is_told_of_a_revert_and_why),
        cmocka_unit_test(a_good_release_is_confirmed_after_all_that),
    };

    return cmocka_run_group_tests(tests, open_edge, system_close);
}
