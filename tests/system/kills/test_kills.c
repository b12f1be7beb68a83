/*
 * kill -9 of each station in the middle of an update: it goes on to its end, is told once, and
 * nothing that was kept is lost.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge.h"

#define IMAGE_SIZE 100000u

/* Small steps, so that there is a middle to kill in. */
#define WINDOW 64u
#define SLICE  16u

static int open_edge(void **state)
{
    (void)state;
    if (!system_open("quiet-timeout-ms 8000\nback-timeout-ms 1000\n", NULL))
        return -1;
    return mup_testbed_release(&bed, 2, IMAGE_SIZE, "ok") ? 0 : -1;
}

struct running {
    struct mup_testbed_device device;
    struct mup_process *process;
    long long update;
};

/* A new device with an update to 2 in mid-transfer. */
static void begin(struct running *running, const char *name)
{
    char line[MUP_PROCESS_LINE_MAX];

    *running = (struct running){
        .device = {.process = name, .version = 1, .window = WINDOW, .slice = SLICE}};
    system_make_device(&running->device);
    running->process = system_join(&running->device);
    running->update = system_deploy(running->device.uuid, 2);
    system_await(running->process, "\"event\":\"manifest\",\"state\":10,");
    do
        system_await_line(running->process, "\"event\":\"progress\"", line, sizeof line);
    while (atol(strstr(line, "\"next\":") + 7) < (long)IMAGE_SIZE / 8);
}

/* How far the transfer had come by the device's last word. */
static long progress(struct mup_process *device)
{
    long next = 0;

    mup_process_pump(&bed.processes, 0);
    for (const char *at = device->text; at != NULL && at < device->text + device->size;) {
        const char *end = memchr(at, '\n', (size_t)(device->text + device->size - at));
        const char *found = memmem(at, (size_t)((end == NULL ? at : end) - at), "\"next\":", 7);
        if (found != NULL)
            next = atol(found + 7);
        at = end == NULL ? NULL : end + 1;
    }
    return next;
}

static void assert_in_the_middle(const struct running *running)
{
    assert_in_range(progress(running->process), 1, IMAGE_SIZE - 1);
}

/* Confirmed, and told once by all lives of the server. */
static void finish(struct running *running)
{
    char told[64];

    snprintf(told, sizeof told, "event=\"update ended\" id=%lld ", running->update);
    system_assert_ended(system_await_end(running->update), "confirmed", NULL);
    assert_int_equal(system_count(system_process("mup-server"), told), 1);
    assert_int_equal(json_integer_value(system_device_member(running->device.uuid, "version")), 2);
    mup_process_stop(&bed.processes, running->process, MUP_SYSTEM_DEADLINE_MS);
}

/* The same, and the device knows that it was heard. */
static void end(struct running *running)
{
    system_await(running->process, "\"event\":\"reported\",\"state\":50,");
    finish(running);
}

static void the_device_goes_on_at_its_last_good_block(void **state)
{
    struct running running;
    char line[MUP_PROCESS_LINE_MAX];
    long before;
    long after;

    (void)state;
    begin(&running, "killed");
    mup_process_kill(running.process);
    assert_in_the_middle(&running);
    before = progress(running.process);
    system_start_device(&running.device);
    system_await_line(running.process, "\"event\":\"manifest\",\"state\":10,", line, sizeof line);
    after = atol(strstr(line, "\"next\":") + 7);
    /* The record of the progress is written for each 4 kB (mup/pipeline.h), at the end of a block
     * of 1 kB and its hash: at most five blocks are sent again. */
    assert_in_range(after, before - 5 * (1024 + 32), before + (long)WINDOW);
    end(&running);
}

static void the_server_takes_its_update_up_again(void **state)
{
    struct running running;

    (void)state;
    begin(&running, "server-killed");
    mup_process_kill(system_process("mup-server"));
    assert_in_the_middle(&running);
    assert_true(mup_testbed_start_server(&bed));
    end(&running);
    assert_int_equal(system_count(system_process("mup-server"), "event=\"update taken up again\""),
                     1);
    /* It went on; it did not begin at the first byte again. */
    assert_int_equal(system_count(running.process, "\"name\":\"ok\",\"next\":0}"), 1);
}

static void an_update_that_was_just_accepted_is_not_forgotten(void **state)
{
    struct running running = {.device = {.process = "accepted", .version = 1}};

    (void)state;
    system_make_device(&running.device);
    running.process = system_join(&running.device);
    running.update = system_deploy(running.device.uuid, 2);
    mup_process_kill(system_process("mup-server"));
    assert_true(mup_testbed_start_server(&bed));
    end(&running);
}

static void a_server_that_was_away_for_the_report_hears_of_it(void **state)
{
    struct running running;

    (void)state;
    begin(&running, "reporting");
    system_await(running.process, "\"event\":\"verified\",\"state\":10,");
    mup_process_kill(system_process("mup-server"));
    /* The broker has taken the report, and keeps it for the server's session. */
    system_await(running.process, "\"event\":\"reported\",\"state\":50,");
    assert_true(mup_testbed_start_server(&bed));
    finish(&running);
}

static void a_report_that_the_broker_lost_is_found_at_the_bridge(void **state)
{
    struct running running;

    (void)state;
    begin(&running, "unheard");
    system_await(running.process, "\"event\":\"verified\",\"state\":10,");
    mup_process_kill(system_process("mup-server"));
    system_await(running.process, "\"event\":\"reported\",\"state\":50,");
    mup_process_kill(system_process("mosquitto"));
    unlink(mup_testbed_path(&bed, "broker.db"));
    assert_true(mup_testbed_start_broker(&bed));
    assert_true(mup_testbed_start_server(&bed));
    finish(&running);
}

static void a_device_that_loses_power_on_trial_boots_again_and_confirms(void **state)
{
    struct running running;
    struct mup_process *broker = system_process("mosquitto");

    (void)state;
    begin(&running, "on-trial");
    system_await(running.process, "\"event\":\"reboot\"");
    /* The trial ends within 3 ms where the broker answers: it is held while the power goes. */
    kill(broker->pid, SIGSTOP);
    system_await(running.process, "\"event\":\"trial\",\"version\":2");
    mup_process_kill(running.process);
    kill(broker->pid, SIGCONT);
    /* On a machine that let this test wait it was held too late, and the device has reported. */
    bool reported = system_count(running.process, "\"event\":\"reported\",\"state\":50,") > 0;
    system_start_device(&running.device);
    if (reported)
        finish(&running);
    else
        end(&running);
}

static void the_bridge_is_not_needed_for_slices_and_comes_back_for_the_rest(void **state)
{
    struct running running;

    (void)state;
    begin(&running, "bridge-killed");
    mup_process_kill(system_process("mup-bridge"));
    assert_in_the_middle(&running);
    assert_true(mup_testbed_start_bridge(&bed));
    end(&running);
}

static void a_bridge_that_is_away_when_it_is_needed_is_waited_for(void **state)
{
    struct running running;
    char all[32];

    (void)state;
    begin(&running, "bridge-away");
    mup_process_kill(system_process("mup-bridge"));
    assert_in_the_middle(&running);
    /* The whole payload arrives meanwhile; verify finds no bridge. */
    snprintf(all, sizeof all, "\"next\":%u,", IMAGE_SIZE + 32 * ((IMAGE_SIZE - 1) / 1024));
    system_await(running.process, all);
    assert_true(mup_testbed_start_bridge(&bed));
    end(&running);
}

static void the_bridge_knows_its_devices_without_a_word_from_them(void **state)
{
    struct running running;
    json_t *devices;
    const json_t *one;

    (void)state;
    begin(&running, "kept");
    end(&running);
    /* The device is gone for good; so is everything that the broker kept. */
    mup_process_kill(system_process("mup-bridge"));
    mup_process_kill(system_process("mosquitto"));
    unlink(mup_testbed_path(&bed, "broker.db"));
    assert_true(mup_testbed_start_broker(&bed));
    assert_true(mup_testbed_start_bridge(&bed));
    devices = system_netconf((const char *[]){"devices", NULL});
    one = json_object_get(devices, running.device.uuid);
    assert_non_null(one);
    assert_string_equal(system_text(one, "firmware-version"), "2");
    assert_string_equal(system_text(one, "state"), "offline");
    assert_true(strncmp(system_text(one, "namespace"), "urn:", 4) == 0);
    json_decref(devices);
}

static void a_broker_that_comes_back_with_its_store_is_enough(void **state)
{
    struct running running;

    (void)state;
    begin(&running, "broker-restarted");
    /* mosquitto writes its store when it is asked to end. */
    mup_process_stop(&bed.processes, system_process("mosquitto"), MUP_SYSTEM_DEADLINE_MS);
    assert_in_the_middle(&running);
    assert_true(mup_testbed_start_broker(&bed));
    end(&running);
}

static void a_broker_that_has_forgotten_everything_is_enough(void **state)
{
    struct running running;

    (void)state;
    begin(&running, "broker-emptied");
    mup_process_kill(system_process("mosquitto"));
    assert_in_the_middle(&running);
    unlink(mup_testbed_path(&bed, "broker.db"));
    assert_true(mup_testbed_start_broker(&bed));
    end(&running);
}

static void all_stations_at_once_lose_power(void **state)
{
    struct running running;

    (void)state;
    begin(&running, "blackout");
    mup_process_kill(running.process);
    assert_in_the_middle(&running);
    mup_process_kill(system_process("mup-server"));
    mup_process_kill(system_process("mup-bridge"));
    mup_process_kill(system_process("mosquitto"));
    assert_true(mup_testbed_start_broker(&bed));
    assert_true(mup_testbed_start_bridge(&bed));
    assert_true(mup_testbed_start_server(&bed));
    system_start_device(&running.device);
    end(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_device_goes_on_at_its_last_good_block),
        cmocka_unit_test(the_server_takes_its_update_up_again),
        cmocka_unit_test(an_update_that_was_just_accepted_is_not_forgotten),
        cmocka_unit_test(a_server_that_was_away_for_the_report_hears_of_it),
        cmocka_unit_test(a_report_that_the_broker_lost_is_found_at_the_bridge),
        cmocka_unit_test(a_device_that_loses_power_on_trial_boots_again_and_confirms),
        cmocka_unit_test(the_bridge_is_not_needed_for_slices_and_comes_back_for_the_rest),
        cmocka_unit_test(a_bridge_that_is_away_when_it_is_needed_is_waited_for),
        cmocka_unit_test(the_bridge_knows_its_devices_without_a_word_from_them),
        cmocka_unit_test(a_broker_that_comes_back_with_its_store_is_enough),
        cmocka_unit_test(a_broker_that_has_forgotten_everything_is_enough),
        cmocka_unit_test(all_stations_at_once_lose_power),
    };

    return cmocka_run_group_tests(tests, open_edge, system_close);
}
