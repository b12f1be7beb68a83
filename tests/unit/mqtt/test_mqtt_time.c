/*
 * Keep-alive, half-open links and the wrap of the clock: every test runs at three times of day,
 * one of them just before the clock wraps. The rig asks for 60 s, so a ping is due after 45 s; an
 * answer is awaited for 10 s.
 */
#include "mqtt_rig.h"

static const uint32_t starts_ms[] = {0, 123456789, UINT32_MAX - 44000};
static const uint8_t pingreq[] = {0xc0, 0x00};
static const uint8_t pingresp[] = {0xd0, 0x00};
static const uint8_t publish[] = {0x30, 0x05, 0x00, 0x01, 'a', 0x00, 'p'};

static void begin_at(struct rig *rig, uint32_t start_ms)
{
    struct mup_mqtt_options options = rig_options();

    rig_begin(rig);
    rig_connect(rig, start_ms, &options);
    rig_piece(rig, start_ms, rig_connack, sizeof rig_connack);
    assert_true(mup_mqtt_is_connected(&rig->mqtt));
    rig_log_clear(rig);
}

static void expect_quiet(struct rig *rig, uint32_t now_ms)
{
    struct mup_mqtt_event event;

    assert_int_equal(mup_mqtt_tick(&rig->mqtt, now_ms, &event), MUP_ERR_SHORT);
}

static void expect_silent_close(struct rig *rig, uint32_t now_ms)
{
    struct mup_mqtt_event event;

    assert_int_equal(mup_mqtt_wait_ms(&rig->mqtt, now_ms), 0);
    assert_int_equal(mup_mqtt_tick(&rig->mqtt, now_ms, &event), MUP_OK);
    assert_int_equal(event.kind, MUP_MQTT_CLOSED);
    assert_int_equal(event.cause, MUP_MQTT_CAUSE_SILENT);
    assert_int_equal(mup_mqtt_wait_ms(&rig->mqtt, now_ms), MUP_MQTT_WAIT_FOREVER_MS);
    expect_quiet(rig, now_ms);
}

/* A ping is due at this time and not a millisecond before. */
static void expect_ping_at(struct rig *rig, uint32_t due_ms)
{
    const uint8_t *out;

    assert_int_equal(mup_mqtt_wait_ms(&rig->mqtt, due_ms - 1), 1);
    expect_quiet(rig, due_ms - 1);
    assert_int_equal(mup_mqtt_output(&rig->mqtt, &out), 0);
    assert_int_equal(mup_mqtt_wait_ms(&rig->mqtt, due_ms), 0);
    expect_quiet(rig, due_ms);
    assert_int_equal(mup_mqtt_output(&rig->mqtt, &out), sizeof pingreq);
    assert_memory_equal(out, pingreq, sizeof pingreq);
    rig_sent_all(rig, due_ms);
}

static void an_idle_link_is_pinged_again_and_again(void **state)
{
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint32_t now_ms = starts_ms[i];

        begin_at(&rig, now_ms);
        for (int round = 0; round < 3; round++) {
            now_ms += 45000;
            expect_ping_at(&rig, now_ms);
            rig_piece(&rig, now_ms, pingresp, sizeof pingresp);
            assert_string_equal(rig.log, "");
        }
    }
}

static void a_half_open_link_is_noticed(void **state)
{
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        begin_at(&rig, starts_ms[i]);
        expect_ping_at(&rig, starts_ms[i] + 45000);
        assert_int_equal(mup_mqtt_wait_ms(&rig.mqtt, starts_ms[i] + 45000), 10000);
        expect_quiet(&rig, starts_ms[i] + 54999);
        expect_silent_close(&rig, starts_ms[i] + 55000);
    }
}

static void sending_alone_does_not_hide_a_half_open_link(void **state)
{
    struct mup_mqtt_publish message = {0};
    struct rig rig;

    (void)state;
    begin_at(&rig, 1000);
    message.topic = mup_mqtt_text("a");
    for (uint32_t now_ms = 2000; now_ms < 46000; now_ms += 1000) {
        assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK);
        rig_sent_all(&rig, now_ms);
        expect_quiet(&rig, now_ms);
    }
    expect_ping_at(&rig, 46000);
    expect_silent_close(&rig, 56000);
}

static void receiving_alone_does_not_excuse_from_the_keep_alive(void **state)
{
    struct rig rig;

    (void)state;
    begin_at(&rig, 1000);
    for (uint32_t now_ms = 2000; now_ms < 46000; now_ms += 1000) {
        rig_piece(&rig, now_ms, publish, sizeof publish);
        expect_quiet(&rig, now_ms);
        rig_log_clear(&rig);
    }
    expect_ping_at(&rig, 46000);
}

static void traffic_in_both_directions_puts_the_ping_off(void **state)
{
    struct mup_mqtt_publish message = {0};
    struct rig rig;

    (void)state;
    begin_at(&rig, 0);
    message.topic = mup_mqtt_text("a");
    rig_piece(&rig, 30000, publish, sizeof publish);
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK);
    rig_sent_all(&rig, 31000);
    expect_ping_at(&rig, 75000);
}

static void a_pong_behind_a_large_message_is_waited_for(void **state)
{
    static const uint8_t large[] = {0x30, 0x8d, 0x03, 0x00, 0x01, 'a', 0x00, 'x'};
    struct rig rig;

    (void)state;
    begin_at(&rig, 0);
    expect_ping_at(&rig, 45000);
    rig_piece(&rig, 46000, large, sizeof large);
    for (uint32_t now_ms = 47000; now_ms < 90000; now_ms += 1000) {
        rig_piece(&rig, now_ms, (const uint8_t *)"y", 1);
        expect_quiet(&rig, now_ms);
    }
    expect_quiet(&rig, 98999);
    expect_silent_close(&rig, 99000);
}

static void connack_is_waited_for_only_so_long(void **state)
{
    struct mup_mqtt_options options = rig_options();
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint32_t start_ms = starts_ms[i];

        rig_begin(&rig);
        options.response_timeout_ms = 3000;
        rig_connect(&rig, start_ms, &options);
        rig_piece(&rig, start_ms + 2900, rig_connack, 3); /* bytes that drip buy no time */
        expect_quiet(&rig, start_ms + 2999);
        expect_silent_close(&rig, start_ms + 3000);
        rig_piece(&rig, start_ms + 3000, rig_connack + 3, 2);
        assert_int_equal(rig.status, MUP_ERR_STATE);
    }
}

static void without_keep_alive_there_is_no_ping(void **state)
{
    struct mup_mqtt_options options = rig_options();
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    options.keep_alive_s = 0;
    rig_connect(&rig, 0, &options);
    assert_int_equal(mup_mqtt_wait_ms(&rig.mqtt, 0), 10000);
    rig_piece(&rig, 0, rig_connack, sizeof rig_connack);
    assert_int_equal(mup_mqtt_wait_ms(&rig.mqtt, 4000000000u), MUP_MQTT_WAIT_FOREVER_MS);
    expect_quiet(&rig, 4000000000u);
}

static void the_keep_alive_of_the_broker_is_obeyed(void **state)
{
    static const uint8_t connack[] = {0x20, 0x06, 0x00, 0x00, 0x03, 0x13, 0x00, 0x14}; /* 20 s */
    struct mup_mqtt_options options = rig_options();
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    rig_connect(&rig, 0, &options);
    rig_piece(&rig, 0, connack, sizeof connack);
    assert_int_equal(rig.event.connected.keep_alive_s, 20);
    expect_ping_at(&rig, 15000);
}

static void a_transport_that_takes_nothing_is_given_up(void **state)
{
    struct mup_mqtt_publish message = {0};
    struct rig rig;

    (void)state;
    begin_at(&rig, 0);
    message.topic = mup_mqtt_text("a");
    message.payload_size = 1000;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK);
    assert_int_equal(mup_mqtt_wait_ms(&rig.mqtt, 45000), 10000); /* no ping inside a publish */
    expect_quiet(&rig, 54999);
    mup_mqtt_sent(&rig.mqtt, 54999, 1); /* it moves: live on */
    expect_quiet(&rig, 55000 + 54998);
    expect_silent_close(&rig, 54999 + 55000);
}

static void the_longest_times_do_not_overflow(void **state)
{
    struct mup_mqtt_options options = rig_options();
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    options.keep_alive_s = 65535;
    options.response_timeout_ms = UINT32_MAX;
    rig_connect(&rig, 5, &options);
    assert_int_equal(mup_mqtt_wait_ms(&rig.mqtt, 5), MUP_MQTT_RESPONSE_TIMEOUT_MS_MAX);
    rig_piece(&rig, 5, rig_connack, sizeof rig_connack);
    assert_int_equal(mup_mqtt_wait_ms(&rig.mqtt, 5), 49151250);
    expect_ping_at(&rig, 5 + 49151250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_link_is_pinged_again_and_again),
        cmocka_unit_test(a_half_open_link_is_noticed),
        cmocka_unit_test(sending_alone_does_not_hide_a_half_open_link),
        cmocka_unit_test(receiving_alone_does_not_excuse_from_the_keep_alive),
        cmocka_unit_test(traffic_in_both_directions_puts_the_ping_off),
        cmocka_unit_test(a_pong_behind_a_large_message_is_waited_for),
        cmocka_unit_test(connack_is_waited_for_only_so_long),
        cmocka_unit_test(without_keep_alive_there_is_no_ping),
        cmocka_unit_test(the_keep_alive_of_the_broker_is_obeyed),
        cmocka_unit_test(a_transport_that_takes_nothing_is_given_up),
        cmocka_unit_test(the_longest_times_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
