/*
 * What operators do with devices beyond RPCs: commands, submitted and answered at once, carried out
 * once and in order, through deaths of sessions, bridge and broker; and a thousand sessions that
 * wait for devices that sleep.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "rig.h"

#define DEVICES  1000u
#define SESSIONS 1000u
#define NACM     "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"

static struct rig rig;

#define DEVICE(n) (&rig.devices[n])

/* ---- what a person does ---- */

static void subscribe(struct rig_session *session)
{
    rig_send(&rig, session,
             "<create-subscription xmlns=\"urn:ietf:params:xml:ns:netconf:notification:1.0\"/>");
    (void)rig_expect(&rig, session, "<ok/>");
}

static void send_submit(struct rig_session *session, const struct rig_device *device, int seconds,
                        int timeout_s)
{
    rig_send(&rig, session,
             "<submit xmlns=\"urn:mup:myno-devices\"><call><setInterval xmlns=\"%s\"><uuid>%s"
             "</uuid><seconds>%d</seconds></setInterval></call><timeout-s>%d</timeout-s></submit>",
             rig.ns, device->name, seconds, timeout_s);
}

/* Submit, and its id. */
static void submit(struct rig_session *session, const struct rig_device *device, int seconds,
                   int timeout_s, char id[40])
{
    const char *message;

    send_submit(session, device, seconds, timeout_s);
    message = rig_expect(&rig, session, "<rpc-reply");
    assert_null(strstr(message, "rpc-error"));
    rig_element(message, "id", id, 40);
    assert_int_equal(strlen(id), 36);
    assert_non_null(strstr(message, "<expires"));
}

static void assert_refused(struct rig_session *session, const char *tag)
{
    const char *message = rig_expect(&rig, session, "<rpc-reply");

    if (strstr(message, tag) == NULL || strstr(message, "rpc-error") == NULL)
        fail_msg("no %s in %s", tag, message);
}

/* The result of this command, when it is told. */
static const char *expect_result(struct rig_session *session, const char *id)
{
    const char *message;

    do
        message = rig_expect(&rig, session, "<command-result");
    while (strstr(message, id) == NULL);
    return message;
}

static void assert_state(const char *message, const char *wanted)
{
    char state[40];

    rig_element(message, "state", state, sizeof state);
    assert_string_equal(state, wanted);
}

/* What <get> says of commands. */
static const char *list(struct rig_session *session)
{
    rig_send(&rig, session,
             "<get><filter><commands xmlns=\"urn:mup:myno-devices\"/></filter></get>");
    return rig_expect(&rig, session, "<rpc-reply");
}

static int open_rig(void **state)
{
    struct rig_session *session;

    (void)state;
    if (!rig_open(&rig, DEVICES, SESSIONS, "rpc-timeout-s 20\n"))
        return -1;
    session = rig_connect(&rig, 0, "operator");
    rig_send(&rig, session,
             "<edit-config><target><running/></target><config><nacm xmlns=\"" NACM "\"><groups>"
             "<group><name>operator</name><user-name>alice</user-name><user-name>bob</user-name>"
             "</group><group><name>read-only</name><user-name>eve</user-name></group></groups>"
             "</nacm></config></edit-config>");
    (void)rig_expect(&rig, session, "<ok/>");
    rig_disconnect(session);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static int close_sessions(void **state)
{
    (void)state;
    for (size_t i = 0; i < SESSIONS; i++)
        rig_disconnect(&rig.sessions[i]);
    return 0;
}

/* ---- submit ---- */

static void a_result_is_told_to_the_submitter_alone(void **state)
{
    struct rig_session *alice = rig_connect(&rig, 0, "alice");
    struct rig_session *ears = rig_connect(&rig, 1, "alice"); /* another session of hers */
    struct rig_session *bob = rig_connect(&rig, 2, "bob");    /* only listens */
    const char *message;
    char hers[40];
    char his[40];

    (void)state;
    subscribe(ears);
    subscribe(bob);
    DEVICE(1)->asleep = true;
    submit(alice, DEVICE(1), 11, 600, hers); /* answered while the device sleeps */
    RIG_WAIT(&rig, DEVICE(1)->held_count == 1);
    rig_wake(&rig, DEVICE(1));
    message = expect_result(ears, hers);
    assert_state(message, "done");
    assert_non_null(strstr(message, "<device-state>10_OK</device-state>"));
    assert_non_null(strstr(message, DEVICE(1)->name));
    submit(rig_connect(&rig, 3, "bob"), DEVICE(1), 12, 600, his);
    message = rig_expect(&rig, bob, "<command-result"); /* the first that he hears */
    assert_non_null(strstr(message, his));
    assert_int_equal(DEVICE(1)->done_count, 2);
    assert_int_equal(DEVICE(1)->done[0], 11);
    assert_int_equal(DEVICE(1)->done[1], 12);
}

static void a_command_outlives_its_session_and_its_result_can_be_read(void **state)
{
    struct rig_session *alice = rig_connect(&rig, 0, "alice");
    struct rig_session *bob;
    const char *message;
    char id[40];

    (void)state;
    DEVICE(2)->asleep = true;
    submit(alice, DEVICE(2), 21, 600, id);
    message = list(alice);
    assert_non_null(strstr(message, id));
    assert_true(strstr(message, "<state>waiting<") != NULL ||
                strstr(message, "<state>sent<") != NULL);
    rig_disconnect(alice);
    RIG_WAIT(&rig, DEVICE(2)->held_count == 1);
    rig_wake(&rig, DEVICE(2));
    alice = rig_connect(&rig, 0, "alice");
    do
        message = list(alice);
    while (strstr(strstr(message, id), "<state>sent<") != NULL);
    assert_non_null(strstr(strstr(message, id), "<state>done<"));
    assert_non_null(strstr(strstr(message, id), "<ended>"));
    bob = rig_connect(&rig, 1, "bob");
    assert_null(strstr(list(bob), id));
    (void)rig_connect(&rig, 2, "operator"); /* an administrator of the configuration file */
    assert_non_null(strstr(list(&rig.sessions[2]), id));
}

static void who_may_not_call_may_not_submit(void **state)
{
    struct rig_session *eve = rig_connect(&rig, 0, "eve");
    struct rig_session *bob = rig_connect(&rig, 1, "bob");

    (void)state;
    send_submit(eve, DEVICE(3), 31, 60);
    assert_refused(eve, "access-denied");
    rig_send(&rig, bob,
             "<submit xmlns=\"urn:mup:myno-devices\"><call><sendExtendedManifest xmlns=\"%s\">"
             "<uuid>%s</uuid><manifest>AAAA</manifest></sendExtendedManifest></call></submit>",
             rig.ns, DEVICE(3)->name);
    assert_refused(bob, "access-denied");
    assert_int_equal(DEVICE(3)->delivered, 0);
}

static void what_is_no_call_of_a_device_is_refused(void **state)
{
    static const char *const calls[] = {
        "",
        "text",
        "<nothing xmlns=\"urn:nowhere\"/>",
        "<get xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\"/>",
        "<quarantine xmlns=\"urn:mup:myno-devices\"><uuid>lamp</uuid></quarantine>",
        "<devices xmlns=\"urn:mup:myno-devices\"/>",
    };
    struct rig_session *alice = rig_connect(&rig, 0, "alice");

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        rig_send(&rig, alice, "<submit xmlns=\"urn:mup:myno-devices\"><call>%s</call></submit>",
                 calls[i]);
        assert_refused(alice, "invalid-value");
    }
    rig_send(&rig, alice, "<submit xmlns=\"urn:mup:myno-devices\"/>");
    assert_refused(alice, "missing-element");
    rig_send(&rig, alice,
             "<submit xmlns=\"urn:mup:myno-devices\"><call><ledOn xmlns=\"%s\"><uuid>%s</uuid>"
             "</ledOn><ledOff xmlns=\"%s\"><uuid>%s</uuid></ledOff></call></submit>",
             rig.ns, DEVICE(3)->name, rig.ns, DEVICE(3)->name);
    assert_refused(alice, "call-invalid");
    send_submit(alice, DEVICE(3), 0, 60); /* not in its range */
    assert_refused(alice, "call-invalid");
    send_submit(alice, DEVICE(3), 31, 0);
    assert_refused(alice, "invalid-value");
    rig_send(&rig, alice,
             "<submit xmlns=\"urn:mup:myno-devices\"><call><ledOn xmlns=\"%s\"><uuid>%s</uuid>"
             "</ledOn><ledOff xmlns=\"%s\"><uuid>%s</uuid></ledOff></call></submit>",
             rig.ns, DEVICE(3)->name, rig.ns, DEVICE(3)->name);
    assert_refused(alice, "call-invalid");
    rig_send(&rig, alice,
             "<submit xmlns=\"urn:mup:myno-devices\"><call><ledOn xmlns=\"%s\"><uuid>nobody</uuid>"
             "</ledOn></call></submit>",
             rig.ns);
    assert_refused(alice, "unknown-device");
    assert_int_equal(DEVICE(3)->delivered, 0);
}

/* ---- order and end ---- */

static void commands_of_a_device_follow_one_another_and_rpcs_pass_them(void **state)
{
    struct rig_session *alice = rig_connect(&rig, 0, "alice");
    struct rig_session *bob = rig_connect(&rig, 1, "bob");
    char id[40];

    (void)state;
    subscribe(bob);
    DEVICE(4)->asleep = true;
    for (int i = 1; i <= 4; i++)
        submit(i % 2 == 0 ? alice : bob, DEVICE(4), i, 600, id);
    submit(bob, DEVICE(4), 5, 600, id);
    rig_send(&rig, alice, "<ledOn xmlns=\"%s\"><uuid>%s</uuid></ledOn>", rig.ns, DEVICE(4)->name);
    RIG_WAIT(&rig, DEVICE(4)->held_count == 2); /* the first command and the RPC */
    rig_wake(&rig, DEVICE(4));
    assert_non_null(rig_expect(&rig, alice, "10_OK"));
    assert_state(expect_result(bob, id), "done");
    assert_int_equal(DEVICE(4)->done_count, 6);
    assert_int_equal(DEVICE(4)->done[0], 1);
    assert_int_equal(DEVICE(4)->done[1], 0); /* the RPC */
    for (int i = 2; i <= 5; i++)
        assert_int_equal(DEVICE(4)->done[i], i);
    assert_int_equal(DEVICE(4)->delivered, 6);
}

static void a_command_expires_and_a_late_answer_changes_nothing(void **state)
{
    struct rig_session *alice = rig_connect(&rig, 0, "alice");
    const char *message;
    char id[40];

    (void)state;
    subscribe(alice);
    DEVICE(5)->asleep = true;
    submit(alice, DEVICE(5), 51, 1, id);
    message = expect_result(alice, id);
    assert_state(message, "expired");
    assert_non_null(strstr(message, "device-timeout"));
    rig_respond(&rig, DEVICE(5), DEVICE(5)->last);
    DEVICE(5)->held_count = 0;
    DEVICE(5)->asleep = false;
    submit(alice, DEVICE(5), 52, 60, id);
    assert_state(expect_result(alice, id), "done");
    message = list(alice);
    assert_non_null(strstr(message, "<state>expired<"));
}

static void only_its_submitter_withdraws_a_command(void **state)
{
    struct rig_session *alice = rig_connect(&rig, 0, "alice");
    struct rig_session *bob = rig_connect(&rig, 1, "bob");
    char first[40];
    char second[40];

    (void)state;
    subscribe(bob);
    DEVICE(6)->asleep = true;
    submit(bob, DEVICE(6), 61, 600, first);
    submit(bob, DEVICE(6), 62, 600, second);
    RIG_WAIT(&rig, DEVICE(6)->held_count == 1);
    rig_send(&rig, alice, "<withdraw xmlns=\"urn:mup:myno-devices\"><id>%s</id></withdraw>",
             second);
    assert_refused(alice, "unknown-command");
    rig_send(&rig, bob, "<withdraw xmlns=\"urn:mup:myno-devices\"><id>%s</id></withdraw>", second);
    assert_state(expect_result(bob, second), "withdrawn");
    rig_send(&rig, bob, "<withdraw xmlns=\"urn:mup:myno-devices\"><id>%s</id></withdraw>", second);
    assert_refused(bob, "command-ended");
    rig_wake(&rig, DEVICE(6));
    assert_state(expect_result(bob, first), "done");
    assert_int_equal(DEVICE(6)->done_count, 1);
}

/* ---- standing ---- */

static void send_change(struct rig_session *session, const char *rpc,
                        const struct rig_device *device, const char *more)
{
    rig_send(&rig, session, "<%s xmlns=\"urn:mup:myno-devices\"><uuid>%s</uuid>%s</%s>", rpc,
             device->name, more, rpc);
}

static void change(struct rig_session *session, const char *rpc, const struct rig_device *device,
                   const char *more)
{
    const char *message;

    send_change(session, rpc, device, more);
    message = rig_expect(&rig, session, "<rpc-reply");
    if (strstr(message, "<ok/>") == NULL)
        fail_msg("%s", message);
}

static void assert_listed(struct rig_session *session, const struct rig_device *device,
                          const char *needle)
{
    const char *message;

    rig_send(&rig, session,
             "<get><filter><devices xmlns=\"urn:mup:myno-devices\"><device><uuid>%s</uuid>"
             "</device></devices></filter></get>",
             device->name);
    message = rig_expect(&rig, session, "<rpc-reply");
    if (strstr(message, needle) == NULL)
        fail_msg("no %s in %s", needle, message);
}

static void a_device_in_quarantine_is_not_asked_and_not_believed(void **state)
{
    struct rig_session *alice = rig_connect(&rig, 0, "alice");
    struct rig_session *ears = rig_connect(&rig, 1, "alice");
    struct rig_session *eve = rig_connect(&rig, 2, "eve");
    char id[40];

    (void)state;
    subscribe(ears);
    DEVICE(7)->asleep = true;
    submit(alice, DEVICE(7), 71, 600, id);
    RIG_WAIT(&rig, DEVICE(7)->held_count == 1);
    send_change(eve, "quarantine", DEVICE(7), "");
    assert_refused(eve, "access-denied");
    change(alice, "quarantine", DEVICE(7), "");
    assert_non_null(strstr(expect_result(ears, id), "device-quarantined"));
    assert_listed(alice, DEVICE(7), "<state>quarantined<");
    send_submit(alice, DEVICE(7), 72, 60);
    assert_refused(alice, "device-quarantined");
    rig_send(&rig, alice, "<ledOn xmlns=\"%s\"><uuid>%s</uuid></ledOn>", rig.ns, DEVICE(7)->name);
    assert_refused(alice, "device-quarantined");
    DEVICE(7)->refused = 0;
    rig_announce(&rig, DEVICE(7), DEVICE(7)->name, 0);
    RIG_WAIT(&rig, DEVICE(7)->refused == 1);
    rig_kill_bridge(&rig); /* it is kept */
    rig_start_bridge(&rig);
    alice = rig_connect(&rig, 0, "alice");
    assert_listed(alice, DEVICE(7), "<state>quarantined<");
    change(alice, "release", DEVICE(7), "");
    DEVICE(7)->known = false;
    rig_announce(&rig, DEVICE(7), DEVICE(7)->name, 0);
    RIG_WAIT(&rig, DEVICE(7)->known);
    rig_wake(&rig, DEVICE(7));
    submit(alice, DEVICE(7), 73, 60, id);
    RIG_WAIT(&rig, DEVICE(7)->done_count == 2);
}

/* Both find the bridge in one turn of its loop: neither has happened when the other is looked at.
 */
static void a_command_that_comes_beside_a_quarantine_ends(void **state)
{
    struct rig_session *alice = rig_connect(&rig, 0, "alice");
    struct rig_session *too = rig_connect(&rig, 1, "alice");
    const char *message;
    char id[40];

    (void)state;
    rig_stop_bridge(&rig);
    send_change(alice, "quarantine", DEVICE(11), "");
    send_submit(too, DEVICE(11), 111, 600);
    rig_continue_bridge(&rig);
    (void)rig_expect(&rig, alice, "<ok/>");
    message = rig_expect(&rig, too, "<rpc-reply");
    if (strstr(message, "rpc-error") == NULL) {
        rig_element(message, "id", id, sizeof id);
        message = strstr(list(alice), id);
        assert_non_null(message);
        assert_state(message, "failed");
    }
    change(alice, "release", DEVICE(11), "");
    DEVICE(11)->known = false;
    rig_announce(&rig, DEVICE(11), DEVICE(11)->name, 1);
    RIG_WAIT(&rig, DEVICE(11)->known);
    assert_int_equal(DEVICE(11)->done_count, 0);
}

/* mup devices VERB; whether it was done. */
static bool devices_command(const char *verb, const struct rig_device *device, const char *user)
{
    const char *argv[] = {MUP_BIN_DIR "/mup",
                          "devices",
                          verb,
                          device->name,
                          "--as",
                          user,
                          "--socket",
                          mup_testbed_path(&rig.bed, "netconf.sock"),
                          NULL};

    return mup_testbed_run(&rig.bed, "mup-devices", argv);
}

static void only_an_administrator_retires_and_replaces(void **state)
{
    struct rig_session *alice = rig_connect(&rig, 0, "alice");
    struct rig_session *boss = rig_connect(&rig, 1, "operator");
    char by[80];

    (void)state;
    (void)snprintf(by, sizeof by, "<by>%s</by>", DEVICE(9)->name);
    send_change(alice, "retire", DEVICE(8), "");
    assert_refused(alice, "access-denied");
    send_change(alice, "replace", DEVICE(8), by);
    assert_refused(alice, "access-denied");
    send_change(boss, "replace", DEVICE(9), by);
    assert_refused(boss, "same-device");
    send_change(boss, "replace", DEVICE(8), "<by>nobody</by>");
    assert_refused(boss, "unknown-device");
    change(boss, "replace", DEVICE(8), by);
    assert_listed(boss, DEVICE(8), "<state>retired<");
    (void)snprintf(by, sizeof by, "<replaced-by>%s<", DEVICE(9)->name);
    assert_listed(boss, DEVICE(8), by);
    DEVICE(8)->refused = 0;
    rig_announce(&rig, DEVICE(8), DEVICE(8)->name, 0);
    RIG_WAIT(&rig, DEVICE(8)->refused == 1);
    send_submit(boss, DEVICE(8), 81, 60);
    assert_refused(boss, "device-retired");
    send_change(alice, "release", DEVICE(8), "");
    assert_refused(alice, "access-denied");
    send_change(alice, "quarantine", DEVICE(8), "");
    assert_refused(alice, "access-denied");
    assert_listed(boss, DEVICE(8), "<state>retired<");
    change(boss, "release", DEVICE(8), "");
    rig_announce(&rig, DEVICE(9), DEVICE(9)->name, 0); /* it is present */
    assert_false(devices_command("retire", DEVICE(9), "alice"));
    assert_true(devices_command("retire", DEVICE(9), "operator"));
    assert_listed(boss, DEVICE(9), "<state>retired<");
    assert_false(devices_command("release", DEVICE(9), "alice"));
    assert_true(devices_command("release", DEVICE(9), "operator"));
    assert_listed(boss, DEVICE(9), "<state>ready<");
}

static void a_uuid_of_two_clients_is_told(void **state)
{
    struct rig_session *alice = rig_connect(&rig, 0, "alice");
    const char *message;

    (void)state;
    subscribe(alice);
    rig_announce(&rig, DEVICE(10), "handle", 0); /* another name says that it is this UUID */
    message = rig_expect(&rig, alice, "<identity-conflict");
    assert_non_null(strstr(message, DEVICE(10)->name));
    assert_non_null(strstr(message, "<other-name>handle<"));
    rig_announce(&rig, DEVICE(11), DEVICE(11)->name, 1);
    rig_announce(&rig, DEVICE(11), DEVICE(11)->name, 2); /* it has started again */
    rig_announce(&rig, DEVICE(11), DEVICE(11)->name, 1); /* and now it has not */
    message = rig_expect(&rig, alice, "<identity-conflict");
    assert_non_null(strstr(message, DEVICE(11)->name));
    assert_null(strstr(message, "<other-name>"));
}

/* ---- losses ---- */

#define HIT_FIRST   100u
#define HIT_DEVICES 12u
#define HIT_EACH    4u
#define HIT_KILLS   5u

static size_t hit_done(void)
{
    size_t done = 0;

    for (size_t i = HIT_FIRST; i < HIT_FIRST + HIT_DEVICES; i++)
        done += DEVICE(i)->done_count;
    return done;
}

/* Submits in the moment of a kill: one that was answered must be done, another may be. */
#define LATE      DEVICE(HIT_FIRST + HIT_DEVICES)
#define LATE_EACH 5

static bool late_taken[HIT_KILLS * LATE_EACH + 1]; /* by argument */

static void submit_late(struct rig_session *session, size_t round)
{
    int argument = (int)round * LATE_EACH + 1;

    for (int i = 0; i < LATE_EACH; i++)
        send_submit(session, LATE, argument + i, 3600);
    for (int turns = rand() % 20; turns > 0; turns--)
        rig_turn(&rig);
    for (const char *message; (message = rig_message(session)) != NULL;)
        if (strstr(message, "<id ") != NULL)
            late_taken[argument++] = true;
}

static bool late_did(int64_t argument)
{
    for (size_t i = 0; i < LATE->done_count; i++)
        if (LATE->done[i] == argument)
            return true;
    return false;
}

static void assert_late(void)
{
    for (size_t i = 1; i < sizeof late_taken; i++)
        RIG_WAIT(&rig, !late_taken[i] || late_did((int64_t)i));
    for (size_t i = 1; i < LATE->done_count; i++)
        assert_true(LATE->done[i] > LATE->done[i - 1]); /* once, and in order */
}

static void commands_survive_every_kill_and_are_done_once_and_in_order(void **state)
{
    unsigned seed = (unsigned)time(NULL);
    struct rig_session *bob;
    const char *message;
    char id[40];

    (void)state;
    printf("seed %u\n", seed);
    srand(seed);
    bob = rig_connect(&rig, 0, "bob");
    for (size_t i = HIT_FIRST; i < HIT_FIRST + HIT_DEVICES; i++)
        DEVICE(i)->asleep = i % 3 != 0;
    for (int n = 1; n <= (int)HIT_EACH; n++)
        for (size_t i = HIT_FIRST; i < HIT_FIRST + HIT_DEVICES; i++)
            submit(bob, DEVICE(i), n, 3600, id);
    for (size_t kill = 0; kill < HIT_KILLS; kill++) {
        submit_late(rig_connect(&rig, 1, "bob"), kill);
        rig_kill_bridge(&rig);
        if (kill % 2 == 1)
            rig_kill_broker(&rig);
        for (size_t i = HIT_FIRST; i < HIT_FIRST + HIT_DEVICES; i++)
            if (i % HIT_KILLS == kill && rig.subscribed)
                rig_wake(&rig, DEVICE(i));
        if (kill % 2 == 1)
            rig_start_broker(&rig);
        rig_start_bridge(&rig);
    }
    rig_kill_broker(&rig); /* and this time the bridge lives */
    rig_start_broker(&rig);
    for (size_t i = HIT_FIRST; i < HIT_FIRST + HIT_DEVICES; i++)
        rig_wake(&rig, DEVICE(i));
    RIG_WAIT(&rig, hit_done() >= (size_t)HIT_DEVICES * HIT_EACH);
    assert_late();
    bob = rig_connect(&rig, 0, "bob");
    do
        message = list(bob);
    while (strstr(message, "<state>waiting<") != NULL || strstr(message, "<state>sent<") != NULL);
    for (size_t i = HIT_FIRST; i < HIT_FIRST + HIT_DEVICES; i++) {
        assert_int_equal(DEVICE(i)->done_count, HIT_EACH);
        for (size_t n = 0; n < HIT_EACH; n++)
            assert_int_equal(DEVICE(i)->done[n], n + 1);
    }
    assert_null(strstr(message, "<state>failed<"));
}

static void a_device_that_comes_back_after_the_bridge_is_asked_again(void **state)
{
    struct rig_session *alice = rig_connect(&rig, 0, "alice");
    struct rig_session *bob = rig_connect(&rig, 1, "bob");
    size_t delivered;
    char id[40];

    (void)state;
    subscribe(bob);
    DEVICE(12)->asleep = true;
    submit(bob, DEVICE(12), 121, 600, id);
    rig_send(&rig, alice, "<ledOn xmlns=\"%s\"><uuid>%s</uuid></ledOn>", rig.ns, DEVICE(12)->name);
    RIG_WAIT(&rig, DEVICE(12)->held_count == 2);
    delivered = DEVICE(12)->delivered;
    rig_expect_bridge(&rig, ""); /* all that it has said */
    rig.away = true;
    rig_kill_broker(&rig);
    rig_start_broker(&rig);
    rig_expect_bridge(&rig, "broker reached"); /* it has published both again, to nobody */
    rig.away = false;
    RIG_WAIT(&rig, DEVICE(12)->delivered == delivered + 2);
    DEVICE(12)->held_count = 0; /* the first ones were lost in it */
    DEVICE(12)->asleep = false;
    rig_kill_broker(&rig);
    rig_start_broker(&rig);
    assert_non_null(rig_expect(&rig, alice, "10_OK"));
    assert_state(expect_result(bob, id), "done");
    assert_int_equal(DEVICE(12)->done_count, 2);
}

/* ---- many ---- */

static void a_thousand_sessions_wait_for_a_thousand_devices_each_for_its_own(void **state)
{
    size_t answered = 0;
    size_t timed_out = 0;

    (void)state;
    for (size_t i = 0; i < DEVICES; i++) {
        DEVICE(i)->asleep = true;
        DEVICE(i)->done_count = DEVICE(i)->delivered = 0;
        rig_send(&rig, rig_connect(&rig, i, "alice"),
                 "<setInterval xmlns=\"%s\"><uuid>%s</uuid><seconds>%d</seconds></setInterval>",
                 rig.ns, DEVICE(i)->name, (int)i + 1);
        rig_turn(&rig);
    }
    for (size_t i = 0; i < DEVICES; i++)
        RIG_WAIT(&rig, DEVICE(i)->delivered == 1);
    for (size_t i = DEVICES; i-- > 0;) /* the last comes first; every tenth does not wake */
        if (i % 10 != 0)
            rig_wake(&rig, DEVICE(i));
    for (size_t i = 0; i < SESSIONS; i++) {
        const char *message = rig_expect(&rig, &rig.sessions[i], "<rpc-reply");
        answered += strstr(message, "10_OK") != NULL;
        timed_out += strstr(message, "device-timeout") != NULL;
        assert_true((strstr(message, "10_OK") != NULL) == (i % 10 != 0));
        assert_int_equal(DEVICE(i)->done_count, i % 10 != 0);
    }
    assert_int_equal(answered, 900);
    assert_int_equal(timed_out, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_result_is_told_to_the_submitter_alone, close_sessions),
        cmocka_unit_test_teardown(a_command_outlives_its_session_and_its_result_can_be_read,
                                  close_sessions),
        cmocka_unit_test_teardown(who_may_not_call_may_not_submit, close_sessions),
        cmocka_unit_test_teardown(what_is_no_call_of_a_device_is_refused, close_sessions),
        cmocka_unit_test_teardown(commands_of_a_device_follow_one_another_and_rpcs_pass_them,
                                  close_sessions),
        cmocka_unit_test_teardown(a_command_expires_and_a_late_answer_changes_nothing,
                                  close_sessions),
        cmocka_unit_test_teardown(only_its_submitter_withdraws_a_command, close_sessions),
        cmocka_unit_test_teardown(a_device_in_quarantine_is_not_asked_and_not_believed,
                                  close_sessions),
        cmocka_unit_test_teardown(a_command_that_comes_beside_a_quarantine_ends, close_sessions),
        cmocka_unit_test_teardown(only_an_administrator_retires_and_replaces, close_sessions),
        cmocka_unit_test_teardown(a_uuid_of_two_clients_is_told, close_sessions),
        cmocka_unit_test_teardown(a_device_that_comes_back_after_the_bridge_is_asked_again,
                                  close_sessions),
        cmocka_unit_test_teardown(commands_survive_every_kill_and_are_done_once_and_in_order,
                                  close_sessions),
        cmocka_unit_test_teardown(a_thousand_sessions_wait_for_a_thousand_devices_each_for_its_own,
                                  close_sessions),
    };
    return cmocka_run_group_tests(tests, open_rig, close_rig);
}
