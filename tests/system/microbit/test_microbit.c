/*
 * A Cortex-M0 with 16 kB of RAM updates itself over 6LoWPAN: the firmware's own images in QEMU, at
 * a whole edge. Images that do not work, and power cuts. What is looked at is what the device says
 * on the radio, and one word of its RAM.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "edge.h"

#define SKIPPED          77
#define STACK_LEAST      256u /* bytes of stack that must be left over */
#define TASK_STACK_LEAST 64u
#define CUTS             12u
#define WATCHDOG         "watchdog: not fed" /* mup-microbit run says so when it bites */
#define CUT_MS_MAX       400u /* an update takes about a second when the radio is not paced */

/* What build_firmware has built. */
static const struct {
    uint32_t version;
    const char *fault;
} releases[] = {{1, "ok"},         {2, "ok"}, {3, "crash"}, {4, "hang"},
                {5, "no-connect"}, {6, "ok"}, {7, "ok"},    {8, "masked"}};

#define RESET_LOOP 9u /* made of release 1 */

static struct mup_testbed_device board = {.process = "board", .version = 1};
static struct mup_testbed_device second = {.process = "second", .version = 2};

static int open_edge(void **state)
{
    (void)state;
    if (!system_open(NULL, NULL) || !mup_testbed_start_router(&bed))
        return -1;
    for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++)
        if (!mup_testbed_release_microbit(&bed, releases[i].version, releases[i].fault))
            return -1;
    return mup_testbed_release_microbit_as(&bed, RESET_LOOP, 1, "reset-loop") ? 0 : -1;
}

static long long deploy_to(const struct mup_testbed_device *device, uint32_t version)
{
    json_t *started =
        system_mup_json((const char *[]){"deploy", "--no-wait", "--json", device->uuid,
                                         mup_testbed_microbit_url(&bed, version), NULL},
                        0);
    long long id = system_number(started, "id");

    json_decref(started);
    return id;
}

static long long deploy(uint32_t version)
{
    return deploy_to(&board, version);
}

static void assert_runs_on(const struct mup_testbed_device *device, uint32_t version)
{
    assert_int_equal(json_integer_value(system_device_member(device->uuid, "version")), version);
    assert_true(json_is_true(system_device_member(device->uuid, "online")));
    assert_true(json_is_false(system_device_member(device->uuid, "on_trial")));
}

static void assert_runs(uint32_t version)
{
    assert_runs_on(&board, version);
}

static void assert_confirmed(json_t *update, uint32_t from, uint32_t to)
{
    assert_int_equal(system_number(update, "from"), from);
    assert_int_equal(system_number(update, "to"), to);
    system_assert_ended(update, "confirmed", NULL);
    assert_runs(to);
}

static void assert_reverts(uint32_t version, const char *why)
{
    system_assert_ended(system_await_end(deploy(version)), "reverted", why);
    assert_runs(2);
}

static void a_factory_image_comes_up_and_takes_commands(void **state)
{
    (void)state;
    assert_true(mup_testbed_make_microbit(&bed, &board));
    assert_non_null(mup_testbed_start_microbit(&bed, &board));
    system_await(system_process("mup-bridge"), "event=\"description accepted\"");
    assert_runs(1);
    system_assert_rpc(board.uuid, "ledOn", NULL, NULL, "10_OK");
    system_assert_rpc(board.uuid, "ledOn", NULL, NULL, "11_NOOP");
}

/* A request has room for so much; the bridge knows the limit from the description. */
static void a_text_of_450_characters_fits_one_command(void **state)
{
    char input[600] = "<text>";
    size_t size = strlen(input);

    (void)state;
    memset(input + size, '5', 450);
    strcpy(input + size + 450, "</text>");
    system_assert_rpc(board.uuid, "showText", input, NULL, "10_OK");
    memset(input + size, '5', 451);
    strcpy(input + size + 451, "</text>");
    system_assert_rpc(board.uuid, "showText", input, "invalid-value", NULL);
}

static void an_update_swaps_the_image_and_is_confirmed(void **state)
{
    (void)state;
    assert_confirmed(system_await_end(deploy(2)), 1, 2);
    /* The new image's lamp is off: it began anew. */
    system_assert_rpc(board.uuid, "ledOff", NULL, NULL, "11_NOOP");
}

/* firmware/microbit/handover.h: the old image has left it there when it asked for the restart. */
static void the_update_left_some_stack_unused(void **state)
{
    uint32_t handover[4];

    (void)state;
    assert_true(mup_testbed_read_microbit(&bed, &board, 0x20000000, handover, sizeof handover));
    assert_int_equal(handover[0], 24576);
    print_message("bytes never used in an update: of the stack %u, of the task's %u\n",
                  (unsigned)handover[2], (unsigned)handover[3]);
    assert_in_range(handover[2], STACK_LEAST, 16384);
    assert_in_range(handover[3], TASK_STACK_LEAST, 16384);
}

/* Check sequences, fragments, checksums, what TCP sends again, MQTT, padding: lab/router/dissect.
 */
static void tshark_finds_nothing_wrong_with_what_was_on_the_air(void **state)
{
    struct system_command command;

    (void)state;
    if (access("/usr/bin/tshark", X_OK) != 0)
        skip();
    system_run(&command, (const char *[]){MUP_SOURCE_DIR "/lab/router/dissect",
                                          mup_testbed_path(&bed, "radio.pcap"), NULL});
    if (command.code != 0)
        fail_msg("%s", command.err);
    print_message("%s", command.out);
    assert_non_null(strstr(command.out, "mup/firmware"));
    assert_non_null(strstr(command.out, "mup/report"));
    system_command_free(&command);
}

static void an_image_that_crashes_is_reverted(void **state)
{
    (void)state;
    assert_reverts(3, "trials-used-up");
}

static void an_image_that_loops_in_resets_is_reverted(void **state)
{
    (void)state;
    assert_reverts(RESET_LOOP, "trials-used-up");
}

/* Until the bridge has answered it, which says it knows it. */
static void await_second(void)
{
    char line[MUP_PROCESS_LINE_MAX];

    do
        system_await_line(system_process("mup-bridge"), "event=\"bootstrap reply\"", line,
                          sizeof line);
    while (strstr(line, second.uuid) == NULL);
}

/* One hangs and is reset by the interrupt that the bootloader owns; the other one, on a second
 * board at the same time, has masked it and is reset by the watchdog. */
static void images_that_hang_are_reset_and_reverted(void **state)
{
    long long hangs = deploy(4);
    long long masks;

    (void)state;
    assert_true(mup_testbed_make_microbit(&bed, &second));
    assert_non_null(mup_testbed_start_microbit(&bed, &second));
    await_second();
    masks = deploy_to(&second, 8);
    system_assert_ended(system_await_end(hangs), "reverted", "trials-used-up");
    system_assert_ended(system_await_end(masks), "reverted", "trials-used-up");
    assert_runs(2);
    assert_runs_on(&second, 2);
    assert_int_equal(system_count(system_process("second"), WATCHDOG), 3);
    assert_true(system_count(system_process("board"), WATCHDOG) < 3);
    mup_process_kill(system_process("second"));
}

static void an_image_that_does_not_reach_the_broker_is_reverted(void **state)
{
    (void)state;
    assert_reverts(5, "deadline");
}

/* kill -9 of QEMU, whose flash is a file: at any moment of an update, again and again. */
static void an_update_comes_through_power_cuts(void **state)
{
    unsigned seed = (unsigned)time(NULL);
    long long update;

    (void)state;
    print_message("seed %u\n", seed);
    srandom(seed);
    update = deploy(6);
    for (unsigned cut = 0; cut < CUTS; cut++) {
        unsigned wait_ms = (unsigned)random() % CUT_MS_MAX;
        struct timespec pause = {.tv_nsec = (long)wait_ms * 1000000};

        nanosleep(&pause, NULL); /* not a wait for anything: the instant of the cut */
        mup_process_kill(system_process("board"));
        assert_non_null(mup_testbed_start_microbit(&bed, &board));
    }
    assert_confirmed(system_await_end(update), 2, 6);
    assert_confirmed(system_await_end(deploy(7)), 6, 7);
    system_assert_rpc(board.uuid, "ledOn", NULL, NULL, "10_OK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_factory_image_comes_up_and_takes_commands),
        cmocka_unit_test(a_text_of_450_characters_fits_one_command),
        cmocka_unit_test(an_update_swaps_the_image_and_is_confirmed),
        cmocka_unit_test(the_update_left_some_stack_unused),
        cmocka_unit_test(tshark_finds_nothing_wrong_with_what_was_on_the_air),
        cmocka_unit_test(an_image_that_crashes_is_reverted),
        cmocka_unit_test(an_image_that_loops_in_resets_is_reverted),
        cmocka_unit_test(images_that_hang_are_reset_and_reverted),
        cmocka_unit_test(an_image_that_does_not_reach_the_broker_is_reverted),
        cmocka_unit_test(an_update_comes_through_power_cuts),
    };

    if (access("/usr/bin/qemu-system-arm", X_OK) != 0 ||
        access(MUP_SOURCE_DIR "/build/microbit/bin/microbit-boot.bin", R_OK) != 0)
        return SKIPPED;
    return cmocka_run_group_tests(tests, open_edge, system_close);
}
