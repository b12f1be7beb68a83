/*
 * The way of an update, from mup deploy to the confirmed version, and what devices of one kind
 * share and do not share.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge.h"

static struct mup_testbed_device first = {.process = "first", .version = 1};
static struct mup_testbed_device second = {.process = "second", .version = 1};

static int open_edge(void **state)
{
    (void)state;
    if (!system_open(NULL, NULL))
        return -1;
    return mup_testbed_release(&bed, 2, MUP_SYSTEM_IMAGE_SIZE, "ok") &&
                   mup_testbed_release(&bed, 3, 5 * MUP_SYSTEM_IMAGE_SIZE, "ok")
               ? 0
               : -1;
}

static void assert_steps(const json_t *update, json_int_t payload_size)
{
    static const struct {
        json_int_t number;
        const char *name;
        bool in; /* bytes come back within this step */
    } wanted[] = {{0, "description", false}, {1, "token", true},  {3, "manifest", true},
                  {5, "transfer", true},     {6, "verify", true}, {7, "confirm", false}};
    const json_t *steps = json_object_get(update, "steps");

    assert_int_equal(json_array_size(steps), sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const json_t *step = json_array_get(steps, i);
        assert_int_equal(system_number(step, "number"), wanted[i].number);
        assert_string_equal(system_text(step, "name"), wanted[i].name);
        assert_true(system_number(step, "started_ms") > 0);
        assert_in_range(system_number(step, "ms"), 0, MUP_SYSTEM_DEADLINE_MS);
        if (wanted[i].in) {
            assert_true(system_number(step, "bytes_in") > 0);
            assert_true(system_number(step, "bytes_out") > 0);
        }
    }
    assert_true(system_number(json_array_get(steps, 3), "bytes_out") > payload_size);
}

static void mup_deploy_carries_a_release_to_a_confirmed_device(void **state)
{
    struct mup_process *device;
    json_t *update;

    (void)state;
    system_make_device(&first);
    device = system_join(&first);
    assert_int_equal(json_integer_value(system_device_member(first.uuid, "version")), 1);
    update = system_mup_json(
        (const char *[]){"deploy", "--json", first.uuid, mup_testbed_release_url(&bed, 2), NULL},
        0);
    assert_string_equal(system_text(update, "result"), "confirmed");
    assert_string_equal(system_text(update, "state"), "confirmed");
    assert_true(json_is_null(json_object_get(update, "reason")));
    assert_string_equal(system_text(json_object_get(update, "device"), "uuid"), first.uuid);
    assert_int_equal(system_number(update, "from"), 1);
    assert_int_equal(system_number(update, "to"), 2);
    assert_int_equal(system_number(update, "image_size"), MUP_SYSTEM_IMAGE_SIZE);
    assert_steps(update, system_number(update, "payload_size"));
    json_decref(update);

    system_await(device, "\"event\":\"boot\",\"version\":2");
    system_await(device, "\"event\":\"confirmed\",\"version\":2");
    assert_int_equal(json_integer_value(system_device_member(first.uuid, "version")), 2);
    assert_true(json_is_true(system_device_member(first.uuid, "online")));
    assert_true(json_is_false(system_device_member(first.uuid, "on_trial")));
}

/* Those that the update had already left when the command began to listen are not told. */
static void assert_states_in_order(const char *told)
{
    static const char *const states[] = {"  requested\n", "  token\n",  "  manifest\n",
                                         "  transfer\n",  "  verify\n", "  trial\n"};

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strncmp(told, states[i], strlen(states[i])) == 0)
            told += strlen(states[i]);
    assert_string_equal(told, "");
}

static void a_person_reads_the_states_and_the_outcome(void **state)
{
    struct system_command command;

    (void)state;
    system_mup(&command,
               (const char *[]){"deploy", first.uuid, mup_testbed_release_url(&bed, 3), NULL});
    assert_int_equal(command.code, 0);
    assert_non_null(strstr(command.out, "confirmed: version 3 runs on "));
    assert_states_in_order(command.err);
    system_command_free(&command);
}

static void an_equal_device_does_not_send_the_description_again(void **state)
{
    struct mup_process *device = system_process("first");

    (void)state;
    assert_int_equal(system_count(device, "\"event\":\"described\""), 1);
    system_make_device(&second);
    device = system_join(&second);
    assert_int_equal(system_count(device, "\"event\":\"described\""), 0);
    assert_int_equal(system_count(system_process("mup-bridge"), "event=\"description accepted\""),
                     1);
    assert_true(json_is_true(system_device_member(second.uuid, "online")));
    assert_string_equal(json_string_value(system_device_member(second.uuid, "state")), "ready");
}

static void a_command_reaches_only_the_device_that_is_meant(void **state)
{
    struct mup_process *meant = system_process("second");
    struct mup_process *other = system_process("first");

    (void)state;
    system_assert_rpc(second.uuid, "ledOn", NULL, NULL, "10_OK");
    system_await(meant, "\"event\":\"lamp\",\"is\":\"on\"");
    /* The other one's lamp is off still, as its own answers say. */
    system_assert_rpc(first.uuid, "ledOff", NULL, NULL, "11_NOOP");
    system_assert_rpc(second.uuid, "ledOn", NULL, NULL, "11_NOOP");
    system_assert_rpc(first.uuid, "ledOn", NULL, NULL, "10_OK");
    system_await(other, "\"is\":\"on\"");
    assert_int_equal(system_count(other, "\"is\":\"on\""), 1);
}

/* A bridge that has lost its store finds the announcements of a whole room at the broker. Nobody
 * waits for the next announcement, a minute later. */
static void a_room_of_devices_with_a_new_description_gets_in_at_once(void **state)
{
    static struct mup_testbed_device room[12];
    static char names[12][16];
    struct mup_process *bridge = system_process("mup-bridge");
    size_t count = sizeof room / sizeof room[0];

    (void)state;
    mup_process_kill(bridge);
    assert_int_equal(remove(mup_testbed_path(&bed, "bridge.db")), 0);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "room-%zu", i);
        room[i] = (struct mup_testbed_device){.process = names[i], .version = 1};
        system_make_device(&room[i]);
        system_await(system_start_device(&room[i]), "\"event\":\"announced\"");
    }
    assert_true(mup_testbed_start_bridge(&bed));
    for (size_t i = 0; i < count; i++) {
        struct mup_process *process = system_process(names[i]);
        system_await(process, "\"event\":\"certificate\",\"state\":10,");
        assert_int_equal(system_count(process, "\"event\":\"announced\""), 1);
    }
    assert_int_equal(system_count(bridge, "event=\"description refused\""), 0);
    /* What is kept is good, too. */
    mup_process_kill(bridge);
    assert_true(mup_testbed_start_bridge(&bed));
    assert_int_equal(system_count(bridge, "devices=12 descriptions=1"), 1);
    system_assert_rpc(room[0].uuid, "ledOn", NULL, NULL, "10_OK");
    system_assert_rpc(room[count - 1].uuid, "ledOff", NULL, NULL, "11_NOOP");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mup_deploy_carries_a_release_to_a_confirmed_device),
        cmocka_unit_test(a_person_reads_the_states_and_the_outcome),
        cmocka_unit_test(an_equal_device_does_not_send_the_description_again),
        cmocka_unit_test(a_command_reaches_only_the_device_that_is_meant),
        cmocka_unit_test(a_room_of_devices_with_a_new_description_gets_in_at_once),
    };

    return cmocka_run_group_tests(tests, open_edge, system_close);
}
