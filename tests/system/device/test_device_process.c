/* The virtual device as a process: what an edge, an operator and a power cut see of it. */
#include <signal.h>

#include "mup/report.h"
#include "rig.h"

static int setup(void **state)
{
    *state = rig_make();
    return 0;
}

static int teardown(void **state)
{
    rig_free(*state);
    return 0;
}

/* Booted, announced, and introduced to the update server. */
static void introduce(struct rig *rig)
{
    uint8_t certificate[MUP_CERTIFICATE_SIGNED_MAX];
    uint8_t bytes[MUP_BOOTSTRAP_REPLY_MAX];
    struct mup_announcement announcement;
    struct mup_bootstrap_reply reply = {.state = MUP_STATE_OK, .certificate = {certificate, 0}};
    size_t size;

    rig_wait(rig, "announced", NULL);
    rig_until_size(rig, &rig->announcement_size, "an announcement");
    assert_int_equal(
        mup_announcement_decode(&announcement, rig->announcement, rig->announcement_size), MUP_OK);
    reply.certificate.size =
        world_certificate(certificate, sizeof certificate, &vendor, &server, 1);
    memcpy(reply.description_digest, announcement.description_digest, MUP_DIGEST_SIZE);
    assert_int_equal(mup_bootstrap_reply_encode(bytes, sizeof bytes, &size, &reply), MUP_OK);
    rig_publish(rig, "mup/bootstrap/" WORLD_NAME, bytes, size);
    rig_wait(rig, "certificate", "\"state\":10");
}

static void start(struct rig *rig)
{
    rig_start_device(rig);
    rig_wait(rig, "boot", "\"version\":1");
    introduce(rig);
}

static struct mup_report wait_report(struct rig *rig)
{
    struct mup_report report = {0};

    rig_until_size(rig, &rig->report_size, "a report");
    assert_int_equal(mup_report_decode(&report, rig->report, rig->report_size), MUP_OK);
    assert_memory_equal(report.manifest, rig->office->manifest_digest, MUP_DIGEST_SIZE);
    return report;
}

static void a_signed_release_is_confirmed_and_reported(void **state)
{
    struct rig *rig = *state;

    start(rig);
    rig_release(rig, 2, 20000, NULL);
    rig_update(rig);
    rig_wait(rig, "reboot", NULL);
    rig_wait(rig, "trial", "\"version\":2");
    rig_wait(rig, "confirmed", "\"version\":2");
    rig_wait(rig, "reported", "\"state\":50");
    assert_int_equal(wait_report(rig).outcome, MUP_STATE_CONFIRMED);
}

static void lost_and_forged_slices_only_cost_time(void **state)
{
    struct rig *rig = *state;

    start(rig);
    rig_release(rig, 2, 20000, NULL);
    rig->loses = true;
    rig_update(rig);
    rig_wait(rig, "confirmed", "\"version\":2");
}

static void an_image_that_crashes_is_reverted_after_three_boots(void **state)
{
    struct rig *rig = *state;
    struct mup_report report;

    start(rig);
    rig_release(rig, 2, 5000, "crash");
    rig_update(rig);
    rig_wait(rig, "trial", "\"trial\":1");
    rig_wait(rig, "crashes", NULL);
    rig_wait(rig, "trial", "\"trial\":3");
    rig_wait(rig, "reverted", "\"version\":1");
    rig_wait(rig, "reported", "\"state\":51");
    report = wait_report(rig);
    assert_int_equal(report.outcome, MUP_STATE_REVERTED);
    assert_int_equal(report.reason, MUP_REVERT_TRIALS_USED_UP);
    assert_int_equal(report.version, 1);
    assert_int_equal(report.trial_boots, 3);
}

static void an_image_that_hangs_is_reverted_by_the_watchdog(void **state)
{
    struct rig *rig = *state;

    rig->extra[0] = "--watchdog";
    rig->extra[1] = "50";
    start(rig);
    rig_release(rig, 2, 5000, "hang");
    rig_update(rig);
    rig_wait(rig, "hangs", NULL);
    rig_wait(rig, "reverted", "\"version\":1");
    assert_int_equal(wait_report(rig).reason, MUP_REVERT_TRIALS_USED_UP);
}

static void an_image_that_cannot_connect_is_given_up_at_the_deadline(void **state)
{
    struct rig *rig = *state;

    rig->extra[0] = "--trial";
    rig->extra[1] = "2";
    start(rig);
    rig_release(rig, 2, 5000, "no-connect");
    rig_update(rig);
    rig_wait(rig, "given-up", "\"reason\":2");
    rig_wait(rig, "reverted", "\"version\":1");
    assert_int_equal(wait_report(rig).reason, MUP_REVERT_DEADLINE);
}

static void kill_9_in_mid_transfer_resumes_at_the_kept_part(void **state)
{
    struct rig *rig = *state;

    start(rig);
    rig_release(rig, 2, 20000, NULL);
    assert_int_equal(rig_offer(rig), MUP_STATE_OK);
    rig->sent_most = 14000;
    rig_transfer(rig);
    rig_wait(rig, "progress", "\"next\":14");
    rig_signal_device(rig, SIGKILL);
    rig->serves = false;
    rig->sent_most = 0;

    rig_start_device(rig);
    rig_wait(rig, "announced", NULL);
    assert_int_equal(rig_offer(rig), MUP_STATE_OK);
    assert_true(rig->office->token.has_resume);
    assert_true(rig->office->token.resume_offset >= 4 * 1056);
    assert_int_equal(rig->ack.next, rig->office->token.resume_offset);
    rig_transfer(rig);
    assert_int_equal(rig_request(rig, MUP_TOPIC_VERIFY, MUP_METHOD_VERIFY, NULL, 0).state,
                     MUP_STATE_OK);
    rig_wait(rig, "confirmed", "\"version\":2");
}

static void a_broker_that_restarts_in_mid_transfer_only_costs_time(void **state)
{
    struct rig *rig = *state;

    start(rig);
    rig_release(rig, 2, 20000, NULL);
    assert_int_equal(rig_offer(rig), MUP_STATE_OK);
    rig->sent_most = 8000;
    rig_transfer(rig);
    rig_stop_broker(rig);
    rig_wait(rig, "disconnected", NULL);
    rig->sent_most = 0;
    rig_start_broker(rig);
    rig_wait(rig, "announced", NULL);
    rig_transfer(rig);
    assert_int_equal(rig_request(rig, MUP_TOPIC_VERIFY, MUP_METHOD_VERIFY, NULL, 0).state,
                     MUP_STATE_OK);
    rig_wait(rig, "confirmed", "\"version\":2");
}

static void a_broker_that_says_nothing_is_noticed_and_left(void **state)
{
    struct rig *rig = *state;

    rig->extra[0] = "--keep-alive";
    rig->extra[1] = "1";
    start(rig);
    kill(rig->broker, SIGSTOP);
    rig_wait(rig, "disconnected", NULL);
    kill(rig->broker, SIGCONT);
    rig_wait(rig, "announced", NULL);
}

static void its_lamp_and_its_thermometer_work(void **state)
{
    struct rig *rig = *state;
    uint32_t count;

    start(rig);
    assert_int_equal(rig_request(rig, "led/", "LED-ON", NULL, 0).state, MUP_STATE_OK);
    rig_wait(rig, "lamp", "on");
    assert_int_equal(rig_request(rig, "led/", "LED-ON", NULL, 0).state, MUP_STATE_NOOP);
    assert_int_equal(rig_request(rig, "led/", "LED-BLINK", NULL, 0).state, MUP_STATE_ERROR);
    assert_int_equal(rig_request(rig, "interval/", "SET-INTERVAL", "\x00", 1).state,
                     MUP_STATE_ERROR);
    assert_int_equal(rig_request(rig, "interval/", "SET-INTERVAL", "\x02", 1).state, MUP_STATE_OK);
    count = rig->telemetry_count;
    rig_wait(rig, "temperature", NULL);
    rig_wait(rig, "temperature", NULL);
    assert_true(rig->telemetry_count > count);
}

static void sigterm_ends_it_and_the_broker_says_so(void **state)
{
    struct rig *rig = *state;
    bool offline = false;

    start(rig);
    rig_signal_device(rig, SIGTERM);
    rig_wait(rig, "ended", NULL);
    while (!offline) {
        offline = rig->presence == 0;
        rig_turn(rig);
    }
}

static void two_devices_cannot_share_a_flash(void **state)
{
    struct rig *rig = *state;
    pid_t first;

    start(rig);
    first = rig->device;
    rig_start_device(rig);
    assert_int_equal(rig_exit_code(rig), 1);
    rig->device = first;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_signed_release_is_confirmed_and_reported),
        TEST(lost_and_forged_slices_only_cost_time),
        TEST(an_image_that_crashes_is_reverted_after_three_boots),
        TEST(an_image_that_hangs_is_reverted_by_the_watchdog),
        TEST(an_image_that_cannot_connect_is_given_up_at_the_deadline),
        TEST(kill_9_in_mid_transfer_resumes_at_the_kept_part),
        TEST(a_broker_that_restarts_in_mid_transfer_only_costs_time),
        TEST(a_broker_that_says_nothing_is_noticed_and_left),
        TEST(its_lamp_and_its_thermometer_work),
        TEST(sigterm_ends_it_and_the_broker_says_so),
        TEST(two_devices_cannot_share_a_flash),
    };
    return cmocka_run_group_tests(tests, world_keys, world_keys_end);
}
