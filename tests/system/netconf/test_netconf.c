/*
 * A network manager at the running bridge: ncclient over sshd with the operator's key, an old
 * client over raw ssh, and somebody who sends garbage.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge.h"

static struct mup_testbed_device device = {.process = "device", .version = 1};
static struct mup_testbed_device mute = {.process = "mute", .version = 1};

static int open_edge(void **state)
{
    (void)state;
    if (!system_open(NULL, "rpc-timeout-s 4\n"))
        return -1;
    return mup_testbed_make_device(&bed, &device) && mup_testbed_make_device(&bed, &mute) ? 0 : -1;
}

static json_t *member(const json_t *object, const char *key)
{
    json_t *found = json_object_get(object, key);

    if (found == NULL)
        fail_msg("no %s in %s", key, json_dumps(object, JSON_COMPACT));
    return found;
}

static void lists_the_devices(void **state)
{
    json_t *devices;
    const json_t *one;

    (void)state;
    system_join(&device);
    system_join(&mute);
    devices = system_netconf((const char *[]){"devices", NULL});
    assert_int_equal(json_object_size(devices), 2);
    one = member(devices, device.uuid);
    assert_string_equal(system_text(one, "name"), device.uuid);
    assert_string_equal(system_text(one, "category"), "virtual-device");
    assert_string_equal(system_text(one, "state"), "ready");
    assert_string_equal(system_text(one, "firmware-version"), "1");
    assert_string_equal(system_text(one, "on-trial"), "false");
    assert_string_equal(system_text(one, "module"),
                        system_text(member(devices, mute.uuid), "module"));
    json_decref(devices);
}

static void speaks_to_a_client_of_the_first_version(void **state)
{
    json_t *said = system_netconf((const char *[]){"old-client", NULL});

    (void)state;
    assert_int_equal(system_number(said, "messages"), 3);
    assert_int_equal(system_number(said, "devices"), 2);
    assert_true(json_is_true(member(said, "closed")));
    json_decref(said);
}

static void gives_the_module_of_the_devices_and_yanglint_accepts_it(void **state)
{
    char path[MUP_TESTBED_PATH_MAX + 128];
    struct system_command lint;
    json_t *schema;

    (void)state;
    snprintf(path, sizeof path, "%s", mup_testbed_path(&bed, "generated.yang"));
    schema = system_netconf((const char *[]){"schema", device.uuid, path, NULL});
    json_decref(schema);
    system_run(&lint, (const char *[]){"/usr/bin/yanglint", "-p",
                                       MUP_SOURCE_DIR "/edge/bridge/yang", path, NULL});
    if (lint.code != 0)
        fail_msg("yanglint: %s%s", lint.out, lint.err);
    system_command_free(&lint);
}

static void gives_a_token_that_another_reader_of_cbor_understands(void **state)
{
    json_t *token = system_netconf((const char *[]){"token", device.uuid, NULL});
    char uuid[MUP_UUID_TEXT_SIZE];
    size_t size = 0;

    (void)state;
    for (const char *c = device.uuid; *c != '\0'; c++)
        if (*c != '-')
            uuid[size++] = *c;
    uuid[size] = '\0';
    assert_string_equal(system_text(token, "state"), "10_OK");
    assert_true(json_is_true(member(token, "chunked")));
    assert_string_equal(system_text(token, "uuid"), uuid);
    assert_int_equal(system_number(token, "version"), 1);
    assert_int_equal(system_number(token, "nonce"), 16);
    assert_string_equal(system_text(token, "app"), MUP_TESTBED_APP);
    assert_string_equal(system_text(token, "hardware"), MUP_TESTBED_HARDWARE);
    assert_true(system_number(token, "largest_image") >= MUP_SYSTEM_IMAGE_SIZE);
    json_decref(token);
}

static void an_unknown_device_is_an_invalid_value(void **state)
{
    (void)state;
    system_assert_rpc("00000000-0000-4000-8000-000000000000", "ledOn", NULL, "invalid-value",
                      "unknown-device");
}

static void a_value_out_of_range_is_refused_by_the_schema(void **state)
{
    static const char *const bad[] = {"<seconds>0</seconds>", "<seconds>3601</seconds>"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        system_assert_rpc(device.uuid, "setInterval", bad[i], "invalid-value", NULL);
    assert_int_equal(system_count(system_process("device"), "\"event\":\"command\""), 0);
    system_assert_rpc(device.uuid, "setInterval", "<seconds>3600</seconds>", NULL, "10_OK");
    system_await(system_process("device"), "\"event\":\"interval\",\"seconds\":3600");
}

static void the_operator_may_not_send_a_manifest(void **state)
{
    (void)state;
    system_assert_rpc(device.uuid, "sendExtendedManifest", "<manifest>AA==</manifest>",
                      "access-denied", NULL);
    assert_int_equal(system_count(system_process("device"), "\"event\":\"refused\""), 0);
}

static void a_device_that_does_not_answer_is_a_timeout(void **state)
{
    struct mup_process *process = system_process("mute");

    (void)state;
    kill(process->pid, SIGSTOP);
    system_assert_rpc(mute.uuid, "ledOn", NULL, "operation-failed", "device-timeout");
    /* The other one is not held up by it. */
    system_assert_rpc(device.uuid, "ledOn", NULL, NULL, "10_OK");
    kill(process->pid, SIGCONT);
    /* What it was told too late has expired at the broker, or is done without an answer to nobody:
     * the next command is answered for itself. */
    system_assert_rpc(mute.uuid, "setInterval", "<seconds>77</seconds>", NULL, "10_OK");
}

/* A second key, of the user who may call the RPCs of an update. */
static void add_key_of_update_server(void)
{
    char script[MUP_TESTBED_PATH_MAX + 64];
    const char *key = mup_testbed_path(&bed, "update_key");
    const char *const keygen[] = {
        "/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key, NULL};
    const char *const add[] = {script,
                               "add",
                               mup_testbed_path(&bed, "ssh"),
                               "mup-server",
                               mup_testbed_path(&bed, "update_key.pub"),
                               MUP_BIN_DIR "/mup-netconf",
                               mup_testbed_path(&bed, "netconf.sock"),
                               NULL};

    snprintf(script, sizeof script, "%s/edge/bridge/netconf/mup-sshd", bed.source);
    assert_true(mup_testbed_run(&bed, "ssh-keygen", keygen));
    assert_true(mup_testbed_run(&bed, "sshd-add", add));
}

static void a_device_that_refuses_is_an_error_with_its_state(void **state)
{
    (void)state;
    add_key_of_update_server();
    system_manager_key = "update_key";
    system_assert_rpc(device.uuid, "verifyFirmware", NULL, "operation-failed", "38_NO_MANIFEST");
    system_assert_rpc(device.uuid, "sendExtendedManifest", "<manifest>d284</manifest>",
                      "operation-failed", "20_MANIFEST_NOT_VALID");
    system_manager_key = "operator_key";
    system_assert_rpc(device.uuid, "verifyFirmware", NULL, "access-denied", NULL);
}

static void garbage_ends_its_own_session_only(void **state)
{
    json_t *said = system_netconf((const char *[]){"garbage", NULL});

    (void)state;
    assert_int_equal(system_number(said, "devices"), 2);
    json_decref(said);
    assert_true(mup_process_is_running(system_process("mup-bridge")));
    system_assert_rpc(device.uuid, "ledOff", NULL, NULL, "10_OK");
}

static void what_a_device_publishes_is_told_and_kept(void **state)
{
    char topic[80];
    char port[16];
    json_t *said;

    (void)state;
    snprintf(topic, sizeof topic, "sensor/temperature/%s", device.uuid);
    snprintf(port, sizeof port, "%d", bed.broker_port);
    said = system_netconf((const char *[]){
        "published", port, mup_testbed_password(&bed, "eavesdropper"), topic, "21.5", NULL});
    assert_string_equal(system_text(said, "uuid"), device.uuid);
    assert_string_equal(system_text(said, "value"), "21.5");
    assert_string_equal(system_text(said, "unit"), "degreeCelsius");
    assert_true(json_is_true(member(said, "kept")));
    json_decref(said);
}

static void a_device_that_goes_is_told(void **state)
{
    struct mup_process *process = system_process("mute");
    char pid[16];
    json_t *said;

    (void)state;
    snprintf(pid, sizeof pid, "%ld", (long)process->pid);
    said = system_netconf((const char *[]){"killed", mute.uuid, pid, NULL});
    assert_string_equal(system_text(said, "state"), "offline");
    assert_string_equal(system_text(said, "reachable"), "false");
    json_decref(said);
}

static void a_label_survives_a_killed_bridge(void **state)
{
    json_t *said = system_netconf((const char *[]){"label", device.uuid, "boiler room", NULL});

    (void)state;
    assert_string_equal(system_text(said, "label"), "boiler room");
    json_decref(said);
    mup_process_kill(system_process("mup-bridge"));
    assert_true(mup_testbed_start_bridge(&bed));
    said = system_netconf((const char *[]){"devices", NULL});
    assert_string_equal(system_text(member(said, device.uuid), "label"), "boiler room");
    json_decref(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_the_devices),
        cmocka_unit_test(speaks_to_a_client_of_the_first_version),
        cmocka_unit_test(gives_the_module_of_the_devices_and_yanglint_accepts_it),
        cmocka_unit_test(gives_a_token_that_another_reader_of_cbor_understands),
        cmocka_unit_test(an_unknown_device_is_an_invalid_value),
        cmocka_unit_test(a_value_out_of_range_is_refused_by_the_schema),
        cmocka_unit_test(the_operator_may_not_send_a_manifest),
        cmocka_unit_test(a_device_that_does_not_answer_is_a_timeout),
        cmocka_unit_test(a_device_that_refuses_is_an_error_with_its_state),
        cmocka_unit_test(garbage_ends_its_own_session_only),
        cmocka_unit_test(what_a_device_publishes_is_told_and_kept),
        cmocka_unit_test(a_device_that_goes_is_told),
        cmocka_unit_test(a_label_survives_a_killed_bridge),
    };

    return cmocka_run_group_tests(tests, open_edge, system_close);
}
