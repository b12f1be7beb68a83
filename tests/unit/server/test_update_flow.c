/* How slices are sent, by the flow that the device's token asks for, and what happens to a transfer
 * whose device is out of reach for a while (edge/server/update.h). Time is a number. */
#include "update_support.h"

/* In the transfer, with the flow that the token says; now is 1003. */
static void begin_transfer(struct mup_update *u, uint32_t flow, uint32_t pause_ms)
{
    struct mup_token token = sample_token();

    token.flow = flow;
    token.pause_ms = pause_ms;
    token.slice_size_max = 500;
    bring_to(u, MUP_UPDATE_TOKEN);
    answer_token(u, &token, 1002);
    assert_int_equal(answer_ack(u, MUP_STATE_OK, 0, 1003), MUP_DO_SAVE | MUP_DO_SEND_SLICES);
}

/* Carry out MUP_DO_SEND_SLICES; returns how many there were. */
static unsigned send_slices(struct mup_update *u, uint64_t now)
{
    struct mup_slice_header header;
    unsigned count = 0;

    while (mup_update_next_slice(u, &header, now)) {
        mup_update_slice_sent(u, &header, header.size + 9, now);
        count++;
    }
    return count;
}

/* ---- credit and QoS 1 ---- */

static void by_credit_all_that_is_granted_is_sent_at_once_with_qos_0(void **state)
{
    (void)state;
    struct mup_update u;

    begin_transfer(&u, MUP_FLOW_CREDIT, 0);
    assert_int_equal(mup_update_slice_qos(&u), 0);
    assert_int_equal(send_slices(&u, 1003), 6);
    assert_int_equal(u.steps[MUP_UPDATE_TRANSFER].bytes_out, PAYLOAD + 6 * 9);
    assert_int_equal(mup_update_wake_ms(&u), 1003 + MUP_UPDATE_QUIET_MS);
}

static void by_qos_1_all_that_is_granted_is_sent_at_once_with_qos_1(void **state)
{
    (void)state;
    struct mup_update u;

    begin_transfer(&u, MUP_FLOW_QOS1, 0);
    assert_int_equal(mup_update_slice_qos(&u), 1);
    assert_int_equal(send_slices(&u, 1003), 6);
    assert_int_equal(mup_update_wake_ms(&u), 1003 + MUP_UPDATE_QUIET_MS);
}

/* Whoever is looked for that long may still be sent what lies at the broker, nobody else. */
static void slices_of_qos_1_expire_when_the_device_is_not_looked_for_any_more(void **state)
{
    (void)state;
    assert_in_range(MUP_UPDATE_SLICE_EXPIRY_S * 1000,
                    MUP_UPDATE_QUIET_MS + MUP_UPDATE_LOOK_UP_MS + MUP_UPDATE_TOKEN_MS,
                    MUP_UPDATE_QUIET_MS + MUP_UPDATE_LOOK_UP_MS + MUP_UPDATE_TOKEN_MS + 60000);
}

static void what_the_broker_cannot_take_is_sent_when_it_can(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_slice_header header;

    begin_transfer(&u, MUP_FLOW_QOS1, 0);
    assert_true(mup_update_next_slice(&u, &header, 1003));
    mup_update_hold_slices(&u);
    assert_false(mup_update_next_slice(&u, &header, 1004));
    assert_int_equal(mup_update_wake_ms(&u),
                     1003 + MUP_UPDATE_QUIET_MS); /* no turning in circles */
    assert_int_equal(mup_update_go_on(&u), MUP_DO_SEND_SLICES);
    assert_int_equal(send_slices(&u, 1005), 6);
}

static void an_acknowledgement_tries_again_what_the_broker_could_not_take(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack more = ack(1, 0);

    begin_transfer(&u, MUP_FLOW_CREDIT, 0);
    mup_update_hold_slices(&u);
    assert_int_equal(mup_update_on_ack(&u, &more, 10, 1100), MUP_DO_SEND_SLICES);
    assert_int_equal(send_slices(&u, 1100), 6);
}

static void nothing_goes_on_outside_of_a_transfer(void **state)
{
    (void)state;
    for (int s = MUP_UPDATE_REQUESTED; s <= MUP_UPDATE_TRIAL; s++) {
        struct mup_update u;
        struct mup_slice_header header;
        bring_to(&u, (enum mup_update_state)s);
        bool is_transfer = s == MUP_UPDATE_TRANSFER;
        assert_int_equal(mup_update_go_on(&u), is_transfer ? MUP_DO_SEND_SLICES : 0);
        assert_int_equal(mup_update_next_slice(&u, &header, UINT64_MAX), is_transfer);
    }
}

/* ---- paced ---- */

static void paced_slices_go_one_each_pause_by_the_timer(void **state)
{
    (void)state;
    struct mup_update u;

    begin_transfer(&u, MUP_FLOW_PACED, 40);
    assert_int_equal(mup_update_slice_qos(&u), 0);
    assert_int_equal(send_slices(&u, 1003), 1);
    for (unsigned i = 1; i < 6; i++) {
        uint64_t due = 1003 + i * 40;
        assert_int_equal(mup_update_wake_ms(&u), due);
        assert_int_equal(mup_update_on_time(&u, due - 1), 0);
        assert_int_equal(send_slices(&u, due - 1), 0);
        assert_int_equal(mup_update_on_time(&u, due), MUP_DO_SEND_SLICES);
        assert_int_equal(send_slices(&u, due), 1);
    }
    /* All is sent: what is waited for is the acknowledgement. */
    assert_int_equal(mup_update_wake_ms(&u), 1003 + MUP_UPDATE_QUIET_MS);
}

static void a_timer_that_is_late_does_not_slow_the_pace_nor_make_a_burst(void **state)
{
    (void)state;
    struct mup_update u;

    begin_transfer(&u, MUP_FLOW_PACED, 40);
    send_slices(&u, 1003);
    assert_int_equal(send_slices(&u, 1053), 1); /* 10 late */
    assert_int_equal(mup_update_wake_ms(&u), 1083);
    assert_int_equal(send_slices(&u, 1283), 1); /* 200 late */
    assert_int_equal(mup_update_wake_ms(&u), 1323);
    assert_int_equal(send_slices(&u, 1322), 0);
    assert_int_equal(send_slices(&u, 1323), 1);
}

static void an_acknowledgement_does_not_hasten_the_pace(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack first = ack(0, 500);
    struct mup_ack gap = ack(1, 500);

    begin_transfer(&u, MUP_FLOW_PACED, 40);
    send_slices(&u, 1003);
    assert_int_equal(mup_update_on_ack(&u, &first, 10, 1010), MUP_DO_SEND_SLICES);
    assert_int_equal(send_slices(&u, 1010), 0);
    assert_int_equal(send_slices(&u, 1043), 1);
    assert_int_equal(mup_update_on_ack(&u, &gap, 10, 1050), MUP_DO_SEND_SLICES); /* goes back */
    assert_int_equal(send_slices(&u, 1050), 0);
    assert_int_equal(send_slices(&u, 1083), 1);
    assert_int_equal(u.sender.sent, 1000);
}

static void paced_slices_stop_at_the_window_and_go_on_with_an_acknowledgement(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack a = ack(0, 0);

    begin_transfer(&u, MUP_FLOW_PACED, 40);
    u.sender.window = 1000; /* as if the token had said so */
    u.sender.limit = 1000;
    send_slices(&u, 1003);
    send_slices(&u, 1043);
    assert_int_equal(u.sender.sent, 1000);
    assert_int_equal(mup_update_wake_ms(&u), 1003 + MUP_UPDATE_QUIET_MS);
    a.next = 500;
    assert_int_equal(mup_update_on_ack(&u, &a, 10, 3000), MUP_DO_SEND_SLICES);
    assert_int_equal(send_slices(&u, 3000), 1);
    assert_int_equal(mup_update_wake_ms(&u), 3000 + MUP_UPDATE_QUIET_MS);
}

static void a_broker_that_is_away_stops_the_pace_and_not_the_quiet_time(void **state)
{
    (void)state;
    struct mup_update u;

    begin_transfer(&u, MUP_FLOW_PACED, 40);
    send_slices(&u, 1003);
    mup_update_hold_slices(&u);
    assert_int_equal(mup_update_wake_ms(&u), 1003 + MUP_UPDATE_QUIET_MS);
    assert_int_equal(mup_update_on_time(&u, 5000), 0);
    assert_int_equal(mup_update_go_on(&u), MUP_DO_SEND_SLICES);
    assert_int_equal(send_slices(&u, 5000), 1);
    assert_int_equal(mup_update_wake_ms(&u), 5040);
}

/* S5: an acknowledgement is small, what it asks for is not: 16 times payload and window at most. */
static void a_device_that_asks_for_the_same_for_ever_is_given_up(void **state)
{
    (void)state;
    struct mup_update u;
    unsigned actions = MUP_DO_SEND_SLICES;
    unsigned attempts = 0;

    begin_transfer(&u, MUP_FLOW_CREDIT, 0);
    while (actions == MUP_DO_SEND_SLICES) {
        struct mup_ack again = ack(++attempts, 0);

        assert_int_equal(send_slices(&u, 1003), 6);
        actions = mup_update_on_ack(&u, &again, 10, 1003);
    }
    assert_int_equal(actions, MUP_DO_FINISH);
    assert_int_equal(u.state, MUP_UPDATE_FAILED);
    assert_string_equal(u.reason, "too-much-repeated");
    assert_int_equal(attempts, 16 * (PAYLOAD + u.token.window_size) / PAYLOAD + 1);
}

/* ---- a link that is gone for a minute ---- */

static void one_minute_away(uint32_t flow, uint32_t pause_ms, uint32_t had, uint32_t attempt)
{
    struct mup_update u;
    struct mup_token token = sample_token();
    struct mup_ack before = ack(0, had / 2);
    struct mup_ack after = ack(attempt, had);
    uint64_t quiet = 2000 + MUP_UPDATE_QUIET_MS;

    begin_transfer(&u, flow, pause_ms);
    for (uint64_t now = 1003; now < 2000; now++) {
        send_slices(&u, now);
    }
    mup_update_on_ack(&u, &before, 10, 2000);
    for (uint64_t now = 2000; now < 2500; now++) {
        send_slices(&u, now);
    }
    assert_int_equal(mup_update_wake_ms(&u), quiet);
    assert_int_equal(mup_update_on_time(&u, quiet), MUP_DO_SAVE | MUP_DO_LOOK_UP);
    assert_int_equal(found(&u, quiet + 5), MUP_DO_SAVE | MUP_DO_ASK_TOKEN);
    /* It is back: first its acknowledgement, then its presence, and it will answer for a token. */
    assert_int_equal(mup_update_on_ack(&u, &after, 10, 62000), MUP_DO_SAVE | MUP_DO_SEND_SLICES);
    assert_int_equal(u.state, MUP_UPDATE_TRANSFER);
    assert_int_equal(mup_update_on_back(&u, 62001), 0);
    assert_int_equal(mup_update_wake_ms(&u), pause_ms != 0 ? 62000 : 62001 + MUP_UPDATE_BACK_MS);
    assert_int_equal(answer_token(&u, &token, 62010), 0);
    assert_int_equal(u.state, MUP_UPDATE_TRANSFER);
    assert_int_equal(u.sender.next, had);
    for (uint64_t now = 62000; now < 63000; now++) {
        send_slices(&u, now);
    }
    assert_int_equal(u.sender.rewinds, attempt);
    after.next = PAYLOAD;
    assert_int_equal(mup_update_on_ack(&u, &after, 10, 63000), MUP_DO_SAVE | MUP_DO_VERIFY);
    assert_int_equal(u.steps[MUP_UPDATE_TRANSFER].bytes_in, 30);
    assert_string_equal(u.message, "");
}

static void after_a_minute_without_a_link_slices_go_on_where_the_device_says(void **state)
{
    (void)state;
    one_minute_away(MUP_FLOW_CREDIT, 0, 1234, 1);
    one_minute_away(MUP_FLOW_CREDIT, 0, 1234, 0); /* only acknowledgements were lost */
    one_minute_away(MUP_FLOW_PACED, 20, 1234, 1);
}

/* What lies at the broker is not sent again: the device does not ask for it. */
static void after_a_minute_without_a_link_slices_of_qos_1_are_not_sent_twice(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack half = ack(0, 1000);

    one_minute_away(MUP_FLOW_QOS1, 0, 1234, 0);
    begin_transfer(&u, MUP_FLOW_QOS1, 0);
    send_slices(&u, 1003);
    mup_update_on_time(&u, 1003 + MUP_UPDATE_QUIET_MS);
    mup_update_on_ack(&u, &half, 10, 61000);
    assert_int_equal(u.state, MUP_UPDATE_TRANSFER);
    assert_int_equal(send_slices(&u, 61000), 0);
}

/* It refused the new manifest, so that it has the old transfer still. */
static void a_device_that_refused_the_new_manifest_may_come_back(void **state)
{
    (void)state;
    struct mup_token token = sample_token();
    struct mup_update u;
    struct mup_ack a = ack(1, 500);

    begin_transfer(&u, MUP_FLOW_CREDIT, 0);
    send_slices(&u, 1003);
    mup_update_on_time(&u, 1003 + MUP_UPDATE_QUIET_MS);
    found(&u, 61001);
    answer_token(&u, &token, 61002);
    answer(&u, MUP_STATE_INVALID_NONCE, NULL, 0, 61003);
    assert_int_equal(u.state, MUP_UPDATE_TOKEN);
    assert_int_equal(mup_update_on_ack(&u, &a, 10, 61004), MUP_DO_SAVE | MUP_DO_SEND_SLICES);
}

static void what_was_held_up_before_it_went_away_is_not_held_up_after(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack a = ack(0, 0);

    begin_transfer(&u, MUP_FLOW_QOS1, 0);
    mup_update_hold_slices(&u);
    mup_update_on_time(&u, 1003 + MUP_UPDATE_QUIET_MS);
    assert_int_equal(mup_update_on_ack(&u, &a, 10, 61000), MUP_DO_SAVE | MUP_DO_SEND_SLICES);
    assert_int_equal(send_slices(&u, 61000), 6);
}

static void the_last_acknowledgement_may_be_what_was_missed(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack last = ack(0, PAYLOAD);

    begin_transfer(&u, MUP_FLOW_CREDIT, 0);
    send_slices(&u, 1003);
    mup_update_on_time(&u, 1003 + MUP_UPDATE_QUIET_MS);
    assert_int_equal(mup_update_on_ack(&u, &last, 10, 61000), MUP_DO_SAVE | MUP_DO_VERIFY);
    assert_int_equal(u.state, MUP_UPDATE_VERIFY);
}

/* It was looked for, came back by itself, and has everything: verify is under way when the look
 * fails, and its answer must still be taken. */
static void a_look_that_fails_late_does_not_cost_the_answer_to_verify(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack all = ack(0, PAYLOAD);
    uint64_t quiet = 1003 + MUP_UPDATE_QUIET_MS;

    begin_transfer(&u, MUP_FLOW_CREDIT, 0);
    assert_int_equal(send_slices(&u, 1003), 6);
    assert_int_equal(mup_update_on_time(&u, quiet), MUP_DO_SAVE | MUP_DO_LOOK_UP);
    assert_true(mup_update_on_ack(&u, &all, 10, quiet + 1) & MUP_DO_VERIFY);
    assert_int_equal(u.state, MUP_UPDATE_VERIFY);
    assert_int_equal(mup_update_on_not_found(&u, "unknown-device", "late", quiet + 2), 0);
    struct mup_update_answer ok = {.state = MUP_STATE_OK};
    assert_true(mup_update_on_answer(&u, &ok, quiet + 3) & MUP_DO_SAVE);
    assert_int_equal(u.state, MUP_UPDATE_TRIAL);
}

static void only_its_own_transfer_brings_a_device_back(void **state)
{
    (void)state;
    static const uint32_t states[] = {MUP_STATE_NOOP, MUP_STATE_FLASH_FAILURE, MUP_STATE_ERROR};
    struct mup_token token = sample_token();
    struct mup_update u;
    struct mup_ack a = ack(1, 500);

    begin_transfer(&u, MUP_FLOW_CREDIT, 0);
    send_slices(&u, 1003);
    mup_update_on_time(&u, 1003 + MUP_UPDATE_QUIET_MS);
    a.transfer++;
    assert_int_equal(mup_update_on_ack(&u, &a, 10, 61000), 0);
    a.transfer--;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        a.state = states[i];
        assert_int_equal(mup_update_on_ack(&u, &a, 10, 61000), 0);
    }
    assert_int_equal(u.state, MUP_UPDATE_REQUESTED);
    found(&u, 61001);
    a.state = MUP_STATE_OK;
    answer_token(&u, &token, 61002);
    assert_int_equal(u.state, MUP_UPDATE_MANIFEST); /* too late: it is to have a new one */
    assert_int_equal(mup_update_on_ack(&u, &a, 10, 61003), 0);
    mup_update_on_failure(&u, true, "device-timeout", "", 61004);
    assert_int_equal(mup_update_on_ack(&u, &a, 10, 61005), 0);
    assert_int_equal(u.state, MUP_UPDATE_MANIFEST);
}

/* It said itself that it has the transfer no more. */
static void a_device_that_lost_its_transfer_does_not_come_back_to_it(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack a = ack(0, 0);

    begin_transfer(&u, MUP_FLOW_CREDIT, 0);
    mup_update_on_time(&u, 1003 + MUP_UPDATE_QUIET_MS);
    mup_update_on_ack(&u, &a, 10, 61000); /* it had only been away, that time */
    assert_int_equal(u.state, MUP_UPDATE_TRANSFER);
    a.state = MUP_STATE_NOOP;
    mup_update_on_ack(&u, &a, 10, 62000);
    assert_int_equal(u.state, MUP_UPDATE_REQUESTED);
    a.state = MUP_STATE_OK;
    assert_int_equal(mup_update_on_ack(&u, &a, 10, 62001), 0);
    assert_int_equal(u.state, MUP_UPDATE_REQUESTED);
}

static void a_device_that_is_heard_of_once_a_minute_and_takes_nothing_is_given_up(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack a = ack(0, 500);
    uint64_t now = 2000;

    begin_transfer(&u, MUP_FLOW_CREDIT, 0);
    send_slices(&u, 1003);
    while (!mup_update_has_ended(&u)) {
        assert_true(now < 3 * MUP_UPDATE_AGAIN_MS);
        a.attempt++;
        mup_update_on_ack(&u, &a, 10, now);
        assert_int_equal(u.state, MUP_UPDATE_TRANSFER);
        send_slices(&u, now);
        now += MUP_UPDATE_QUIET_MS;
        mup_update_on_time(&u, now);
        now += 15000;
    }
    assert_string_equal(u.reason, "no-progress");
    assert_in_range(now, MUP_UPDATE_AGAIN_MS, MUP_UPDATE_AGAIN_MS + 180000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_credit_all_that_is_granted_is_sent_at_once_with_qos_0),
        cmocka_unit_test(by_qos_1_all_that_is_granted_is_sent_at_once_with_qos_1),
        cmocka_unit_test(slices_of_qos_1_expire_when_the_device_is_not_looked_for_any_more),
        cmocka_unit_test(what_the_broker_cannot_take_is_sent_when_it_can),
        cmocka_unit_test(an_acknowledgement_tries_again_what_the_broker_could_not_take),
        cmocka_unit_test(nothing_goes_on_outside_of_a_transfer),
        cmocka_unit_test(paced_slices_go_one_each_pause_by_the_timer),
        cmocka_unit_test(a_timer_that_is_late_does_not_slow_the_pace_nor_make_a_burst),
        cmocka_unit_test(an_acknowledgement_does_not_hasten_the_pace),
        cmocka_unit_test(paced_slices_stop_at_the_window_and_go_on_with_an_acknowledgement),
        cmocka_unit_test(a_broker_that_is_away_stops_the_pace_and_not_the_quiet_time),
        cmocka_unit_test(after_a_minute_without_a_link_slices_go_on_where_the_device_says),
        cmocka_unit_test(after_a_minute_without_a_link_slices_of_qos_1_are_not_sent_twice),
        cmocka_unit_test(a_device_that_refused_the_new_manifest_may_come_back),
        cmocka_unit_test(what_was_held_up_before_it_went_away_is_not_held_up_after),
        cmocka_unit_test(the_last_acknowledgement_may_be_what_was_missed),
        cmocka_unit_test(a_device_that_asks_for_the_same_for_ever_is_given_up),
        cmocka_unit_test(a_look_that_fails_late_does_not_cost_the_answer_to_verify),
        cmocka_unit_test(only_its_own_transfer_brings_a_device_back),
        cmocka_unit_test(a_device_that_lost_its_transfer_does_not_come_back_to_it),
        cmocka_unit_test(a_device_that_is_heard_of_once_a_minute_and_takes_nothing_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
