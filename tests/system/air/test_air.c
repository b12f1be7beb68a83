/*
 * A micro:bit as fast as the hardware is, which updates itself over mup-router --air: frames take
 * time, some are lost, and for a while none arrive. What the router counts is what tshark finds in
 * its capture.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge.h"

#define SKIPPED        77
#define POLL_MS        100 /* between reports; nothing announces itself */
#define POLLS_MAX      (MUP_SYSTEM_DEADLINE_MS / POLL_MS)
#define IN_TRANSFER    150 /* frames to the device: a good part of an update is behind it */
#define WITHOUT_ANSWER 3   /* frames in vain: the link is off for everybody */

static struct mup_testbed_device board = {
    .process = "board", .version = 1, .run_arguments = {"--real-time"}};

/* ---- the router's control socket ------------------------------------------------------------- */

static json_t *run_json(const char *const argv[])
{
    struct system_command command;
    json_t *answer;

    system_run(&command, argv);
    if (command.code != 0)
        fail_msg("%s: %s%s", argv[0], command.out, command.err);
    answer = json_loads(command.out, 0, NULL);
    assert_non_null(answer);
    system_command_free(&command);
    return answer;
}

static json_t *ask(const char *command)
{
    return run_json((const char *[]){MUP_SOURCE_DIR "/lab/router/ask",
                                     mup_testbed_path(&bed, "control"), command, NULL});
}

static void command(const char *words)
{
    json_decref(ask(words));
}

static const json_t *node_of(const json_t *report, size_t number)
{
    const json_t *node = json_array_get(json_object_get(report, "nodes"), number);

    assert_non_null(node);
    return node;
}

/* A number such as "tx.retries" of the router (0) or of the device (1). */
static json_int_t number_of(const json_t *report, size_t node, const char *kind, const char *name)
{
    return system_number(json_object_get(node_of(report, node), kind), name);
}

/* The first report in which a number has come so far; the caller's to release. */
static json_t *await_number(size_t node, const char *kind, const char *name, json_int_t least)
{
    for (unsigned i = 0; i < POLLS_MAX; i++) {
        json_t *report = ask("report");

        if (number_of(report, node, kind, name) >= least)
            return report;
        json_decref(report);
        poll(NULL, 0, POLL_MS);
    }
    fail_msg("%s.%s of node %zu never became %d", kind, name, node, (int)least);
    return NULL;
}

/* ---- the tests ------------------------------------------------------------------------------- */

static int open_edge(void **state)
{
    static char control[MUP_TESTBED_PATH_MAX + 128];

    (void)state;
    if (!system_open(NULL, NULL))
        return -1;
    snprintf(control, sizeof control, "%s", mup_testbed_path(&bed, "control"));
    bed.router_arguments[0] = "--air";
    bed.router_arguments[1] = "--control";
    bed.router_arguments[2] = control;
    return mup_testbed_start_router(&bed) && mup_testbed_release_microbit(&bed, 1, "ok") &&
                   mup_testbed_release_microbit(&bed, 2, "ok")
               ? 0
               : -1;
}

static void a_device_comes_up_over_the_air(void **state)
{
    (void)state;
    assert_true(mup_testbed_make_microbit(&bed, &board));
    assert_non_null(mup_testbed_start_microbit(&bed, &board));
    system_await(system_process("mup-bridge"), "event=\"description accepted\"");
    command("reset");
}

static long long deploy(void)
{
    json_t *started = system_mup_json((const char *[]){"deploy", "--no-wait", "--json", board.uuid,
                                                       mup_testbed_microbit_url(&bed, 2), NULL},
                                      0);
    long long id = system_number(started, "id");

    json_decref(started);
    return id;
}

static void an_update_survives_loss_and_a_link_that_is_off_for_a_while(void **state)
{
    long long update;
    json_t *before;
    json_t *after;

    (void)state;
    command("set loss=10% ack-loss=10% seed=5");
    update = deploy();
    json_decref(await_number(0, "tx", "frames", IN_TRANSFER));

    command("set link=off");
    before = ask("report");
    after = await_number(0, "drops", "no_ack",
                         number_of(before, 0, "drops", "no_ack") + WITHOUT_ANSWER);
    for (size_t node = 0; node < 2; node++)
        assert_int_equal(number_of(after, node, "delivered", "frames"),
                         number_of(before, node, "delivered", "frames"));
    json_decref(before);
    json_decref(after);

    command("set link=on");
    system_assert_ended(system_await_end(update), "confirmed", NULL);
    assert_int_equal(json_integer_value(system_device_member(board.uuid, "version")), 2);
}

static void assert_same(const json_t *report, size_t node, const json_t *counted)
{
    const json_t *data = json_object_get(counted, "data");
    const json_t *retries = json_object_get(counted, "retries");

    assert_int_equal(number_of(report, node, "tx", "frames"), system_number(data, "frames"));
    assert_int_equal(number_of(report, node, "tx", "bytes"), system_number(data, "bytes"));
    assert_int_equal(number_of(report, node, "tx", "retries"), system_number(retries, "frames"));
    assert_int_equal(number_of(report, node, "tx", "retry_bytes"), system_number(retries, "bytes"));
    assert_int_equal(number_of(report, node, "acks", "frames"),
                     system_number(json_object_get(counted, "acks"), "frames"));
    assert_int_equal(number_of(report, node, "broadcast", "frames"),
                     system_number(json_object_get(counted, "broadcast"), "frames"));
}

static void what_was_lost_was_sent_again_and_the_report_agrees_with_tshark(void **state)
{
    json_t *report = ask("report");
    double to = (double)system_number(report, "now_us") / 1e6;
    double from = to - (double)system_number(report, "span_us") / 1e6;
    char begin[32];
    char end[32];
    json_t *counted;

    (void)state;
    for (size_t node = 0; node < 2; node++) {
        assert_true(system_number(node_of(report, node), "lost") > 0);
        /* one in five attempts is in vain: frame or acknowledgement */
        assert_true(number_of(report, node, "tx", "retries") * 20 >
                    number_of(report, node, "tx", "frames"));
    }
    print_message("frames late by %lld us at the 99th percentile\n",
                  (long long)system_number(json_object_get(report, "lateness_us"), "p99"));
    if (access("/usr/bin/tshark", X_OK) != 0)
        skip();
    snprintf(begin, sizeof begin, "%.6f", from);
    snprintf(end, sizeof end, "%.6f", to);
    counted = run_json((const char *[]){MUP_SOURCE_DIR "/lab/router/dissect", "--json", "--lossy",
                                        "--from", begin, "--to", end,
                                        mup_testbed_path(&bed, "radio.pcap"), NULL});
    assert_same(report, 0, json_object_get(counted, "down"));
    assert_same(report, 1, json_object_get(counted, "up"));
    json_decref(counted);
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_comes_up_over_the_air),
        cmocka_unit_test(an_update_survives_loss_and_a_link_that_is_off_for_a_while),
        cmocka_unit_test(what_was_lost_was_sent_again_and_the_report_agrees_with_tshark),
    };

    if (access("/usr/bin/qemu-system-arm", X_OK) != 0 ||
        access(MUP_SOURCE_DIR "/build/microbit/bin/microbit-boot.bin", R_OK) != 0)
        return SKIPPED;
    return cmocka_run_group_tests(tests, open_edge, system_close);
}
