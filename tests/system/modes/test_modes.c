/*
 * The four modes of a transfer over a real broker, looked at on the wire: between device and broker
 * stands a link (relay.c) that is slow enough for a transfer to have a middle, counts the packets,
 * and can be gone.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge.h"

#define IMAGE_SIZE   60000u
#define PAYLOAD_SIZE (IMAGE_SIZE + 32 * ((IMAGE_SIZE - 1) / 1024))
#define SLICE        1000u
#define SLICES       ((PAYLOAD_SIZE + SLICE - 1) / SLICE)
#define RATE         "60000"      /* bytes a second */
#define SLICE_MOST   (SLICE + 80) /* with everything around it */

struct mode {
    const char *name; /* of its device */
    uint32_t window;  /* 0: the device's own */
    const char *arguments[5];
    const char *device_name; /* on MQTT; NULL: its UUID */
};

/* mup/firmware/NAME with the longest name that there may be. */
static const char long_name[] = "a-device.with_the_longest.name-that-there-may-be";
_Static_assert(sizeof long_name == MUP_NAME_MAX + 1, "the longest name");

static const struct mode stop_and_wait = {"stop-and-wait", SLICE, {NULL}, long_name};
static const struct mode credit = {"credit", 0, {NULL}, NULL};
static const struct mode without_alias = {"without-alias", 4096, {"--no-alias"}, NULL};
static const struct mode qos1 = {"qos1", 0, {"--flow", "qos1"}, NULL};
static const struct mode one_of_qos1 = {
    "one", 0, {"--flow", "qos1", "--receive-maximum", "1"}, NULL};
static const struct mode paced = {"paced", 0, {"--flow", "paced", "--pause", "18"}, NULL};

/* What the relay counted. */
struct counts {
    unsigned long slices;
    unsigned long slice_bytes;
    unsigned long qos1;
    unsigned long repeated;
    unsigned long expiring;
    unsigned in_flight_most;
    unsigned long acks;
    unsigned long acks_by_alias;
};

struct running {
    struct mup_testbed_device device;
    struct mup_process *process;
    struct mup_process *relay;
    char relay_name[16];
    char broker[32];
    long long update;
};

/* ---- The link ------------------------------------------------------------------------------ */

static void start_relay(struct running *running)
{
    char port[16];
    char line[MUP_PROCESS_LINE_MAX];
    const char *argv[] = {MUP_BIN_DIR "/mqtt-relay", port, RATE, NULL};

    snprintf(port, sizeof port, "%d", bed.broker_port);
    running->relay = mup_process_start(&bed.processes, running->relay_name, argv);
    assert_non_null(running->relay);
    system_await_line(running->relay, "port=", line, sizeof line);
    snprintf(running->broker, sizeof running->broker, "127.0.0.1:%s", strstr(line, "port=") + 5);
    running->broker[strcspn(running->broker, "\r\n")] = '\0';
}

static unsigned long number_in(const char *line, const char *name)
{
    const char *at = strstr(line, name);

    assert_non_null(at);
    return strtoul(at + strlen(name), NULL, 10);
}

/* Tell the relay, and take what it has counted until then. */
static struct counts tell_relay(struct running *running, int number, const char *says)
{
    char line[MUP_PROCESS_LINE_MAX];

    kill(running->relay->pid, number);
    system_await_line(running->relay, says, line, sizeof line);
    return (struct counts){
        .slices = number_in(line, " slices="),
        .slice_bytes = number_in(line, " slice-bytes="),
        .qos1 = number_in(line, " qos1="),
        .repeated = number_in(line, " repeated="),
        .expiring = number_in(line, " expiring="),
        .in_flight_most = (unsigned)number_in(line, " in-flight-most="),
        .acks = number_in(line, " acks="),
        .acks_by_alias = number_in(line, " acks-by-alias="),
    };
}

static struct counts count(struct running *running)
{
    return tell_relay(running, SIGHUP, "counted");
}

/* ---- An update ----------------------------------------------------------------------------- */

/* A device behind a link of its own, with an update that has been deployed. `number` is the link's:
 * several may be there at once. */
static void begin(struct running *running, const struct mode *mode, const char *name, size_t number)
{
    size_t argument = 0;

    *running = (struct running){
        .device = {.process = name, .version = 1, .window = mode->window, .slice = SLICE}};
    if (mode->device_name != NULL)
        snprintf(running->device.name, sizeof running->device.name, "%s", mode->device_name);
    snprintf(running->relay_name, sizeof running->relay_name, "relay-%zu", number);
    start_relay(running);
    running->device.arguments[argument++] = "--broker"; /* the last one counts */
    running->device.arguments[argument++] = running->broker;
    running->device.arguments[argument++] = "--keep-alive";
    running->device.arguments[argument++] = "2";
    for (size_t i = 0; mode->arguments[i] != NULL; i++)
        running->device.arguments[argument++] = mode->arguments[i];
    system_make_device(&running->device);
    running->process = system_join(&running->device);
    (void)count(running);
    running->update = system_deploy(running->device.uuid, 2);
}

static void end(struct running *running)
{
    system_assert_ended(system_await_end(running->update), "confirmed", NULL);
    mup_process_stop(&bed.processes, running->process, MUP_SYSTEM_DEADLINE_MS);
    mup_process_stop(&bed.processes, running->relay, MUP_SYSTEM_DEADLINE_MS);
}

/* Slices that crossed are progress, whatever the device says of it. */
static void await_middle(struct running *running)
{
    unsigned long slices = 0;

    system_await(running->process, "\"event\":\"manifest\",\"state\":10,");
    while (slices < SLICES / 3) {
        slices += count(running).slices;
        mup_process_pump(&bed.processes, 50);
    }
    assert_true(slices < SLICES);
}

static unsigned long next_in(const char *line)
{
    return number_in(line, "\"next\":");
}

/* ---- Each mode on the wire ----------------------------------------------------------------- */

enum carried { STOP_AND_WAIT, CREDIT, WITHOUT_ALIAS, QOS1, ONE_OF_QOS1, PACED, CARRIED_COUNT };

static struct running carrying[CARRIED_COUNT];
static struct counts carried[CARRIED_COUNT];

/* All at once, each over its own link, before the tests look at what was counted. */
static void carry_all(void)
{
    static const struct mode *const modes[CARRIED_COUNT] = {
        &stop_and_wait, &credit, &without_alias, &qos1, &one_of_qos1, &paced};

    for (size_t i = 0; i < CARRIED_COUNT; i++)
        begin(&carrying[i], modes[i], modes[i]->name, i);
    for (size_t i = 0; i < CARRIED_COUNT; i++) {
        system_await(carrying[i].process, "\"event\":\"verified\",\"state\":10,");
        carried[i] = count(&carrying[i]);
        end(&carrying[i]);
    }
}

static int open_edge(void **state)
{
    (void)state;
    if (!system_open("quiet-timeout-ms 2500\nback-timeout-ms 2000\n", NULL) ||
        !mup_testbed_release(&bed, 2, IMAGE_SIZE, "ok"))
        return -1;
    carry_all();
    return 0;
}

static void no_mode_sends_a_slice_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < CARRIED_COUNT; i++) {
        assert_int_equal(carried[i].slices, SLICES);
        assert_int_equal(carried[i].repeated, 0);
        assert_in_range(carried[i].slice_bytes, PAYLOAD_SIZE, PAYLOAD_SIZE + SLICES * 80);
    }
}

static void a_device_may_have_a_name_of_48_characters(void **state)
{
    const char *uuid = carrying[STOP_AND_WAIT].device.uuid;

    (void)state;
    assert_string_equal(json_string_value(system_device_member(uuid, "name")), long_name);
    assert_int_equal(json_integer_value(system_device_member(uuid, "version")), 2);
}

static void stop_and_wait_acknowledges_each_slice_by_alias(void **state)
{
    struct counts counts = carried[STOP_AND_WAIT];

    (void)state;
    assert_int_equal(counts.qos1, 0);
    assert_in_range(counts.acks, SLICES, SLICES + 3);
    assert_int_equal(counts.acks_by_alias, counts.acks - 1); /* the first sets it */
}

static void credit_acknowledges_half_a_window(void **state)
{
    struct counts counts = carried[CREDIT];

    (void)state;
    assert_int_equal(counts.qos1, 0);
    assert_in_range(counts.acks, PAYLOAD_SIZE / 4096 - 3, PAYLOAD_SIZE / 4096 + 4);
    assert_int_equal(counts.acks_by_alias, counts.acks - 1);
}

static void without_aliases_every_topic_is_written_out(void **state)
{
    struct counts counts = carried[WITHOUT_ALIAS];

    (void)state;
    assert_true(counts.acks > 20);
    assert_int_equal(counts.acks_by_alias, 0);
}

static void with_qos_1_next_to_nothing_is_acknowledged_but_to_the_broker(void **state)
{
    struct counts counts = carried[QOS1];

    (void)state;
    assert_int_equal(counts.qos1, SLICES);
    assert_int_equal(counts.expiring, SLICES);
    /* mosquitto 2.0.11 goes beyond a Receive Maximum that is not 1, as far as TCP lets it; see
     * https://github.com/eclipse-mosquitto/mosquitto/issues/2301. */
    assert_true(counts.in_flight_most > 1);
    assert_in_range(counts.acks, 2, 8); /* half a window, the end, and what a pause asks */
}

static void with_a_receive_maximum_of_1_the_broker_waits_for_each_puback(void **state)
{
    struct counts counts = carried[ONE_OF_QOS1];

    (void)state;
    assert_int_equal(counts.qos1, SLICES);
    assert_int_equal(counts.in_flight_most, 1);
    assert_in_range(counts.acks, 2, 8);
}

static void paced_slices_need_next_to_no_acknowledgement(void **state)
{
    struct counts counts = carried[PACED];

    (void)state;
    assert_int_equal(counts.qos1, 0);
    assert_int_equal(counts.expiring, 0);
    assert_in_range(counts.acks, 2, 8);
}

/* ---- A link that is gone -------------------------------------------------------------------- */

/* Until the server has given up waiting and looks for the device. */
static void await_search(const struct running *running)
{
    for (;;) {
        json_t *update = system_update(running->update);
        bool is_searching = strcmp(system_text(update, "state"), "token") == 0;

        json_decref(update);
        if (is_searching)
            return;
        mup_process_pump(&bed.processes, 100);
    }
}

/* Silently, as when a battery is empty or somebody stands in front of it. */
static void lose_link(struct running *running, const struct mode *mode, const char *name,
                      size_t number)
{
    begin(running, mode, name, number);
    await_middle(running);
    (void)tell_relay(running, SIGUSR1, "gone");
}

/* Both ends have found out by themselves. The transfer goes on, under the manifest that the device
 * has. */
static void find_link(struct running *running, unsigned under_way_most)
{
    struct counts after;
    char line[MUP_PROCESS_LINE_MAX];
    unsigned long kept;

    system_await(running->process, "\"event\":\"connected\",\"session\":1");
    system_await_line(running->process, "\"event\":\"progress\"", line, sizeof line);
    kept = next_in(line);
    assert_in_range(kept, PAYLOAD_SIZE / 5, PAYLOAD_SIZE - 1);
    system_await(running->process, "\"event\":\"verified\",\"state\":10,");
    after = count(running);
    assert_int_equal(system_count(running->process, "\"event\":\"manifest\""), 1);
    /* What was there did not come again, but what was under way by QoS 1. */
    assert_in_range(after.slice_bytes, PAYLOAD_SIZE - kept,
                    PAYLOAD_SIZE - kept + (under_way_most + 1) * SLICE_MOST + SLICES * 80);
    end(running);
}

static void a_link_that_was_gone_costs_no_slice_but_those_of_qos_1_that_were_under_way(void **state)
{
    static const struct {
        const struct mode *mode;
        const char *name;
        unsigned under_way_most;
    } cases[] = {{&credit, "gone-credit", 1},
                 {&paced, "gone-paced", 1},
                 {&one_of_qos1, "gone-one", 1},
                 {&qos1, "gone-qos1", 12}};
    static struct running running[sizeof cases / sizeof cases[0]];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        lose_link(&running[i], cases[i].mode, cases[i].name, i);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        system_await(running[i].process, "\"event\":\"disconnected\"");
        await_search(&running[i]);
        (void)tell_relay(&running[i], SIGUSR2, "back"); /* or it tries less and less often */
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        find_link(&running[i], cases[i].under_way_most);
}

/* ---- kill -9 ------------------------------------------------------------------------------- */

/* Of the device. The server sends for one that was killed until the next says that it has no such
 * transfer; what lay at the broker by QoS 1 does not bother it. */
static void lose_power(const struct mode *mode, unsigned still_sent, const char *name)
{
    struct running running;
    struct counts after;
    char line[MUP_PROCESS_LINE_MAX];
    unsigned long kept;

    begin(&running, mode, name, 0);
    await_middle(&running);
    mup_process_kill(running.process);
    (void)count(&running);
    system_start_device(&running.device);
    system_await_line(running.process, "\"event\":\"manifest\",\"state\":10,", line, sizeof line);
    kept = next_in(line);
    assert_in_range(kept, 1, PAYLOAD_SIZE - 1);
    system_await(running.process, "\"event\":\"verified\",\"state\":10,");
    after = count(&running);
    assert_in_range(after.slices, (PAYLOAD_SIZE - kept) / SLICE,
                    (PAYLOAD_SIZE - kept + SLICE - 1) / SLICE + still_sent);
    end(&running);
}

static void a_device_that_is_killed_finds_no_old_slices_of_qos_1(void **state)
{
    (void)state;
    lose_power(&qos1, 2, "killed-qos1");
}

static void a_device_that_is_killed_goes_on_with_paced_slices(void **state)
{
    (void)state;
    lose_power(&paced, 30, "killed-paced");
}

/* Of the broker, with all that it had not written down. */
static void a_broker_that_is_killed_loses_slices_of_qos_1_and_they_are_sent_again(void **state)
{
    struct running running;

    (void)state;
    begin(&running, &qos1, "broker-killed", 0);
    await_middle(&running);
    mup_process_kill(system_process("mosquitto"));
    assert_true(mup_testbed_start_broker(&bed));
    end(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_mode_sends_a_slice_twice),
        cmocka_unit_test(a_device_may_have_a_name_of_48_characters),
        cmocka_unit_test(stop_and_wait_acknowledges_each_slice_by_alias),
        cmocka_unit_test(credit_acknowledges_half_a_window),
        cmocka_unit_test(without_aliases_every_topic_is_written_out),
        cmocka_unit_test(with_qos_1_next_to_nothing_is_acknowledged_but_to_the_broker),
        cmocka_unit_test(with_a_receive_maximum_of_1_the_broker_waits_for_each_puback),
        cmocka_unit_test(paced_slices_need_next_to_no_acknowledgement),
        cmocka_unit_test(
            a_link_that_was_gone_costs_no_slice_but_those_of_qos_1_that_were_under_way),
        cmocka_unit_test(a_device_that_is_killed_finds_no_old_slices_of_qos_1),
        cmocka_unit_test(a_device_that_is_killed_goes_on_with_paced_slices),
        cmocka_unit_test(a_broker_that_is_killed_loses_slices_of_qos_1_and_they_are_sent_again),
    };

    return cmocka_run_group_tests(tests, open_edge, system_close);
}
