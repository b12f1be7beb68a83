/*
 * The bytes that the client sends, typed in from "MQTT Version 5.0" sections 3.1 to 3.14, the ids
 * and quotas it keeps, and output buffers of every size.
 */
#include "mqtt_rig.h"

#define ITEMS(array) (sizeof(array) / sizeof(array)[0])

/* ---- CONNECT --------------------------------------------------------------------------- */

static const uint8_t full_connect[] = {
    0x10, 0x41,                                     /* 65 bytes follow */
    0x00, 0x04, 'M',  'Q',  'T',  'T',  0x05, 0xec, /* user, password, retain the will, will QoS 1,
                                                       will */
    0x00, 0x2d,                                     /* keep alive 45 */
    0x10,                                           /* properties */
    0x11, 0x00, 0x01, 0x51, 0x80,                   /* session expiry 86400 */
    0x21, 0x00, 0x04,                               /* receive maximum */
    0x27, 0x00, 0x00, 0x08, 0x12,                   /* maximum packet size 2066 */
    0x22, 0x00, 0x08,                               /* topic alias maximum, 9 lowered to 8 */
    0x00, 0x04, 'd',  'e',  'v',  '7',              /* client id */
    0x05, 0x18, 0x00, 0x00, 0x00, 0x1e,             /* will delay 30 */
    0x00, 0x06, 'w',  '/',  'd',  'e',  'v',  '7',  0x00, 0x03, 'o', 'f', 'f',
    0x00, 0x03, 'u',  's',  'r',  0x00, 0x06, 's',  'e',  'c',  'r', 'e', 't'};

static struct mup_mqtt_options full_options(void)
{
    struct mup_mqtt_options options = {0};

    options.client_id = mup_mqtt_text("dev7");
    options.user_name = mup_mqtt_text("usr");
    options.password = mup_mqtt_text("secret");
    options.will.topic = mup_mqtt_text("w/dev7");
    options.will.payload = mup_mqtt_text("off");
    options.will.delay_s = 30;
    options.will.qos = 1;
    options.will.retain = true;
    options.session_expiry_s = 86400;
    options.receive_maximum = 4;
    options.maximum_packet_size = 2066;
    options.topic_alias_maximum = 9;
    options.keep_alive_s = 45;
    return options;
}

static void connect_says_all_that_was_asked_for(void **state)
{
    struct mup_mqtt_options options = full_options();
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    assert_int_equal(mup_mqtt_connect(&rig.mqtt, 0, &options), MUP_OK);
    rig_expect_out(&rig, full_connect, sizeof full_connect);
}

static void connect_leaves_out_what_was_not_asked_for(void **state)
{
    static const uint8_t bytes[] = {0x10, 0x0d, 0x00, 0x04, 'M',  'Q',  'T', 'T',
                                    0x05, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00};
    struct mup_mqtt_options options = {.clean_start = true};
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    assert_int_equal(mup_mqtt_connect(&rig.mqtt, 0, &options), MUP_OK);
    rig_expect_out(&rig, bytes, sizeof bytes);
}

static void an_empty_password_is_still_a_password(void **state)
{
    static const uint8_t bytes[] = {0x10, 0x0f, 0x00, 0x04, 'M',  'Q',  'T',  'T', 0x05,
                                    0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
    struct mup_mqtt_options options = {.password = {"", 0}};
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    assert_int_equal(mup_mqtt_connect(&rig.mqtt, 0, &options), MUP_OK);
    rig_expect_out(&rig, bytes, sizeof bytes);
}

static void a_length_above_127_takes_a_second_byte(void **state)
{
    char name[116];
    struct mup_mqtt_options options = {0};
    const uint8_t *out;
    struct rig rig;

    (void)state;
    memset(name, 'n', sizeof name);
    rig_begin(&rig);
    options.client_id.at = name;
    options.client_id.size = 114; /* 13 + 114 = 127 */
    assert_int_equal(mup_mqtt_connect(&rig.mqtt, 0, &options), MUP_OK);
    assert_int_equal(mup_mqtt_output(&rig.mqtt, &out), 129);
    assert_memory_equal(out, "\x10\x7f\x00\x04MQTT", 8);
    options.client_id.size = 115;
    assert_int_equal(mup_mqtt_connect(&rig.mqtt, 0, &options), MUP_OK);
    assert_int_equal(mup_mqtt_output(&rig.mqtt, &out), 131);
    assert_memory_equal(out, "\x10\x80\x01\x00\x04MQTT", 9);
    assert_int_equal(out[130], 'n');
}

static void a_will_of_qos_2_is_refused(void **state)
{
    struct mup_mqtt_options options = full_options();
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    options.will.qos = 2;
    assert_int_equal(mup_mqtt_connect(&rig.mqtt, 0, &options), MUP_ERR_RANGE);
}

static void each_output_buffer_that_is_too_small_is_said_so(void **state)
{
    struct mup_mqtt_options options = full_options();
    struct mup_mqtt mqtt;
    const uint8_t *bytes;

    (void)state;
    for (size_t size = 0; size <= sizeof full_connect + 1; size++) {
        uint8_t *out = malloc(size + 1); /* the sanitizer watches its end */
        enum mup_status status;

        assert_non_null(out);
        out[size] = 0xa5;
        status = mup_mqtt_init(&mqtt, out, size, NULL, 0);
        assert_int_equal(status, size < MUP_MQTT_OUT_SIZE_MIN ? MUP_ERR_SPACE : MUP_OK);
        if (status == MUP_OK) {
            status = mup_mqtt_connect(&mqtt, 0, &options);
            assert_int_equal(status, size < sizeof full_connect ? MUP_ERR_SPACE : MUP_OK);
            assert_int_equal(mup_mqtt_output(&mqtt, &bytes),
                             status == MUP_OK ? sizeof full_connect : 0);
        }
        assert_int_equal(out[size], 0xa5);
        free(out);
    }
}

/* ---- PUBLISH --------------------------------------------------------------------------- */

static struct mup_mqtt_publish message_of(const char *topic, const char *payload, uint8_t qos)
{
    struct mup_mqtt_publish message = {0};

    message.topic = mup_mqtt_text(topic);
    message.payload = payload;
    message.payload_size = (uint32_t)strlen(payload);
    message.qos = qos;
    return message;
}

/* Connected to a broker that grants what these CONNACK properties say. */
static void begin_granted(struct rig *rig, const uint8_t *properties, uint8_t size)
{
    uint8_t connack[32] = {0x20, (uint8_t)(size + 3), 0x00, 0x00, size};

    if (size != 0)
        memcpy(connack + 5, properties, size);
    rig_begin(rig);
    rig_piece(rig, 0, connack, size + 5u);
    assert_true(mup_mqtt_is_connected(&rig->mqtt));
    rig_log_clear(rig);
}

static void publish_at_qos_0(void **state)
{
    static const uint8_t bytes[] = {0x31, 0x08, 0x00, 0x03, 'a', '/', 'b', 0x00, 'h', 'i'};
    struct mup_mqtt_publish message = message_of("a/b", "hi", 0);
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    message.retain = true;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK);
    rig_expect_out(&rig, bytes, sizeof bytes);
}

static void publish_with_all_properties(void **state)
{
    static const uint8_t bytes[] = {
        0x32, 0x21, 0x00, 0x03, 'a',  '/', 'b', 0x00, 0x01, /* id */
        0x17,                                               /* 23 bytes */
        0x02, 0x00, 0x00, 0x01, 0x2c,                       /* expiry 300 */
        0x23, 0x00, 0x02,                                   /* alias */
        0x08, 0x00, 0x03, 'r',  '/',  's',                  /* response topic */
        0x09, 0x00, 0x06, 1,    2,    3,   4,   5,    6,    /* correlation */
        'h',  'i'};
    static const uint8_t granted[] = {0x22, 0x00, 0x02};
    static const uint8_t correlation[] = {1, 2, 3, 4, 5, 6};
    struct mup_mqtt_publish message = message_of("a/b", "hi", 1);
    struct rig rig;
    uint16_t id = 0;

    (void)state;
    begin_granted(&rig, granted, sizeof granted);
    message.expiry_s = 300;
    message.alias = 2;
    message.response_topic = mup_mqtt_text("r/s");
    message.correlation.at = correlation;
    message.correlation.size = sizeof correlation;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
    assert_int_equal(id, 1);
    rig_expect_out(&rig, bytes, sizeof bytes);
}

static void an_alias_replaces_the_topic_from_the_second_time_on(void **state)
{
    static const uint8_t first[] = {0x30, 0x0a, 0x00, 0x03, 'a',  '/',
                                    'b',  0x03, 0x23, 0x00, 0x02, '1'};
    static const uint8_t second[] = {0x30, 0x07, 0x00, 0x00, 0x03, 0x23, 0x00, 0x02, '2'};
    struct mup_mqtt_publish message = message_of("a/b", "1", 0);
    struct mup_mqtt_options options = rig_options();
    static const uint8_t connack[] = {0x20, 0x06, 0x00, 0x00, 0x03, 0x22, 0x00, 0x02};
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    for (int connection = 0; connection < 2; connection++) { /* aliases end with it */
        rig_connect(&rig, 0, &options);
        rig_piece(&rig, 0, connack, sizeof connack);
        message.payload = "1";
        message.alias = 2;
        assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK);
        rig_expect_out(&rig, first, sizeof first);
        message.payload = "2";
        assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK);
        rig_expect_out(&rig, second, sizeof second);
    }
}

static void an_alias_that_the_broker_does_not_take_is_left_out(void **state)
{
    static const uint8_t bytes[] = {0x30, 0x05, 0x00, 0x01, 'a', 0x00, '1'};
    static const uint8_t granted[] = {0x22, 0x00, 0x02};
    struct mup_mqtt_publish message = message_of("a", "1", 0);
    struct rig rig;

    (void)state;
    begin_granted(&rig, granted, sizeof granted);
    message.alias = 3;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK);
        rig_expect_out(&rig, bytes, sizeof bytes);
    }
}

static void a_publish_that_did_not_fit_sets_no_alias_and_takes_no_id(void **state)
{
    static const uint8_t granted[] = {0x22, 0x00, 0x02};
    static const uint8_t bytes[] = {0x32, 0x09, 0x00, 0x01, 'a', 0x00,
                                    0x01, 0x03, 0x23, 0x00, 0x01};
    struct mup_mqtt_publish message = message_of("a", "", 1);
    struct mup_mqtt_publish filler = message_of("f", "", 0);
    char payload[243];
    struct rig rig;
    uint16_t id = 0;

    (void)state;
    begin_granted(&rig, granted, sizeof granted);
    memset(payload, 'p', sizeof payload);
    filler.payload = payload;
    filler.payload_size = sizeof payload;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &filler), MUP_OK); /* 6 bytes left */
    message.alias = 1;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_ERR_BUSY);
    assert_int_equal(id, 0);
    rig_sent_all(&rig, 0);
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
    assert_int_equal(id, 1);
    rig_expect_out(&rig, bytes, sizeof bytes);
}

static void a_message_of_any_size_fits_or_is_busy_or_is_too_large(void **state)
{
    static char payload[300];
    const uint8_t *out;
    struct rig rig;

    (void)state;
    for (uint32_t waiting = 0; waiting < 2; waiting++) {
        for (uint32_t size = 0; size < sizeof payload; size++) {
            struct mup_mqtt_publish message = message_of("t", "", 0);
            struct mup_mqtt_publish one = message_of("t", "", 0);
            uint32_t header = size + 4 < 128 ? 6 : 7;
            uint32_t before = waiting == 0 ? 0 : 6;
            enum mup_status expected = MUP_OK;

            rig_begin_connected(&rig);
            if (waiting != 0)
                assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &one), MUP_OK);
            message.payload = payload;
            message.payload_size = size;
            if (header + size + before > sizeof rig.out)
                expected = header + size > sizeof rig.out ? MUP_ERR_SPACE : MUP_ERR_BUSY;
            assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), expected);
            assert_int_equal(mup_mqtt_output(&rig.mqtt, &out),
                             before + (expected == MUP_OK ? header + size : 0));
        }
    }
}

static void a_large_payload_goes_out_in_pieces(void **state)
{
    static const uint8_t head[] = {0x30, 0xd4, 0x86, 0x03, 0x00, 0x01, 'b', 0x00}; /* 50,000 + 4 */
    struct mup_mqtt_publish message = {0};
    const uint8_t *out;
    uint8_t payload[7];
    uint32_t done = 0;
    uint32_t seen = 0;
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    message.topic = mup_mqtt_text("b");
    message.payload_size = 50000;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK);
    rig_expect_out(&rig, head, sizeof head);
    while (done < 50000) {
        size_t size;
        size_t taken;

        for (size_t i = 0; i < sizeof payload; i++)
            payload[i] = (uint8_t)((done + i) * 31u);
        taken = mup_mqtt_publish_more(&rig.mqtt, payload, sizeof payload);
        done += (uint32_t)taken;
        if (taken == sizeof payload)
            continue;
        /* full or complete: nothing else may be queued in between */
        if (done < 50000)
            assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_ERR_BUSY);
        size = mup_mqtt_output(&rig.mqtt, &out);
        assert_true(size > 0);
        for (size_t i = 0; i < size; i++, seen++)
            assert_int_equal(out[i], (uint8_t)(seen * 31u));
        rig_sent_all(&rig, 0);
    }
    assert_int_equal(seen, 50000);
    assert_int_equal(mup_mqtt_publish_more(&rig.mqtt, payload, sizeof payload), 0);
}

static void while_a_publish_is_open_nothing_comes_between(void **state)
{
    static const uint8_t qos1[] = {0x32, 0x06, 0x00, 0x01, 'a', 0x00, 0x07, 0x00};
    static const uint8_t bytes[] = {0x30, 0x06, 0x00, 0x01, 'b', 0x00, 'x', 'y'};
    static const uint8_t puback[] = {0x40, 0x02, 0x00, 0x07};
    struct mup_mqtt_filter filter = {mup_mqtt_text("f"), 1, false};
    struct mup_mqtt_publish message = {0};
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    message.topic = mup_mqtt_text("b");
    message.payload_size = 2;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK);
    assert_int_equal(mup_mqtt_publish_more(&rig.mqtt, "x", 1), 1);
    rig_piece(&rig, 0, qos1, sizeof qos1);
    assert_int_equal(rig.status, MUP_ERR_BUSY);
    assert_int_equal(mup_mqtt_subscribe(&rig.mqtt, &filter, 1), MUP_ERR_BUSY);
    assert_int_equal(mup_mqtt_disconnect(&rig.mqtt, 0), MUP_ERR_BUSY);
    assert_int_equal(mup_mqtt_publish_more(&rig.mqtt, "yz", 2), 1);
    rig_expect_out(&rig, bytes, sizeof bytes);
    rig_piece(&rig, 0, NULL, 0);
    rig_expect_out(&rig, puback, sizeof puback);
}

static void what_the_broker_does_not_take_is_not_sent(void **state)
{
    static const uint8_t qos_0_only[] = {0x24, 0x00, 0x25, 0x00, 0x27, 0x00, 0x00, 0x00, 0x09};
    struct mup_mqtt_publish message = message_of("a", "123", 0);
    struct rig rig;
    uint16_t id;

    (void)state;
    begin_granted(&rig, qos_0_only, sizeof qos_0_only);
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK); /* just 9 bytes */
    message.payload_size = 4;
    message.payload = "1234";
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_ERR_RANGE);
    message.payload = NULL; /* nor in pieces */
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_ERR_RANGE);
    message = message_of("a", "", 1);
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_ERR_RANGE);
    message = message_of("a", "", 0);
    message.retain = true;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_ERR_RANGE);
    message = message_of("", "", 0);
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_ERR_RANGE);
}

static void a_message_beyond_what_mqtt_can_say_is_refused(void **state)
{
    struct mup_mqtt_publish message = {0};
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    message.topic = mup_mqtt_text("a");
    message.payload_size = 268435455u - 3u; /* with topic and properties one too many */
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_ERR_RANGE);
    message.payload_size = UINT32_MAX;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_ERR_RANGE);
    message.payload_size = 268435455u - 4u;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK);
    rig_expect_out(&rig,
                   (const uint8_t *)"\x30\xff\xff\xff\x7f\x00\x01"
                                    "a",
                   9);
}

/* ---- Ids and quotas -------------------------------------------------------------------- */

static void puback(struct rig *rig, uint16_t id)
{
    const uint8_t bytes[] = {0x40, 0x02, (uint8_t)(id >> 8), (uint8_t)id};

    rig_piece(rig, 0, bytes, sizeof bytes);
}

static void in_flight_messages_are_limited_by_the_broker_and_by_us(void **state)
{
    static const uint8_t two[] = {0x21, 0x00, 0x02};
    struct mup_mqtt_publish message = message_of("a", "", 1);
    struct rig rig;
    uint16_t id;

    (void)state;
    begin_granted(&rig, two, sizeof two);
    for (uint16_t i = 1; i <= 2; i++) {
        assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
        assert_int_equal(id, i);
    }
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_ERR_BUSY);
    puback(&rig, 2);
    assert_string_equal(rig.log, "published id=2 reason=0");
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
    assert_int_equal(id, 3);

    begin_granted(&rig, NULL, 0);
    for (unsigned i = 0; i < MUP_MQTT_IN_FLIGHT_COUNT; i++)
        assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_ERR_BUSY);
    mup_mqtt_forget(&rig.mqtt, id);
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
}

static void ids_wrap_past_zero_and_past_ids_in_use(void **state)
{
    struct mup_mqtt_filter filter = {mup_mqtt_text("f"), 1, false};
    struct mup_mqtt_publish message = message_of("a", "", 1);
    struct rig rig;
    uint16_t kept;
    uint16_t id = 0;

    (void)state;
    rig_begin_connected(&rig);
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &kept, &message), MUP_OK);
    assert_int_equal(kept, 1);
    assert_int_equal(mup_mqtt_subscribe(&rig.mqtt, &filter, 1), MUP_OK); /* id 2 */
    rig_sent_all(&rig, 0);
    for (uint32_t expected = 3; expected <= 65535; expected++) {
        assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
        assert_int_equal(id, expected);
        puback(&rig, id);
        rig_log_clear(&rig);
        rig_sent_all(&rig, 0);
    }
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
    assert_int_equal(id, 3); /* 0 is no id, 1 is in flight, 2 awaits its SUBACK */
}

static void a_session_that_went_on_repeats_with_the_old_id_and_dup(void **state)
{
    static const uint8_t resumed[] = {0x20, 0x03, 0x01, 0x00, 0x00};
    static const uint8_t repeated[] = {0x3a, 0x06, 0x00, 0x01, 'a', 0x00, 0x01, 0x00};
    struct mup_mqtt_options options = rig_options();
    struct mup_mqtt_publish message = message_of("a", "", 1);
    struct rig rig;
    uint16_t id;

    (void)state;
    rig_begin_connected(&rig);
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
    message.packet_id = id;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_ERR_STATE); /* not yet */
    mup_mqtt_lost(&rig.mqtt);
    rig_connect(&rig, 0, &options);
    rig_piece(&rig, 0, resumed, sizeof resumed);
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
    rig_expect_out(&rig, repeated, sizeof repeated);
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message),
                     MUP_ERR_STATE); /* once is enough */
    puback(&rig, 1);
    assert_int_equal(rig.event.kind, MUP_MQTT_PUBLISHED);
    message.packet_id = 9;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_ERR_STATE);
}

static void a_new_session_forgets_the_ids(void **state)
{
    struct mup_mqtt_options options = rig_options();
    struct mup_mqtt_publish message = message_of("a", "", 1);
    struct rig rig;
    uint16_t id;

    (void)state;
    rig_begin_connected(&rig);
    for (unsigned i = 0; i < MUP_MQTT_IN_FLIGHT_COUNT; i++)
        assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
    rig_connect(&rig, 0, &options);
    rig_piece(&rig, 0, rig_connack, sizeof rig_connack);
    message.packet_id = id;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_ERR_STATE);
    message.packet_id = 0;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, &id, &message), MUP_OK);
}

static void before_connack_and_after_the_end_nothing_is_sent(void **state)
{
    struct mup_mqtt_filter filter = {mup_mqtt_text("f"), 1, false};
    struct mup_mqtt_publish message = message_of("a", "", 0);
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_ERR_STATE);
        assert_int_equal(mup_mqtt_subscribe(&rig.mqtt, &filter, 1), MUP_ERR_STATE);
        assert_int_equal(mup_mqtt_ack(&rig.mqtt, 1, 0), MUP_ERR_STATE);
        mup_mqtt_lost(&rig.mqtt);
        assert_int_equal(mup_mqtt_disconnect(&rig.mqtt, 0), MUP_ERR_STATE);
    }
}

/* ---- SUBSCRIBE, UNSUBSCRIBE, DISCONNECT ------------------------------------------------ */

static void subscribe_asks_for_no_retained_messages(void **state)
{
    static const uint8_t bytes[] = {0x82, 0x0d, 0x00, 0x01, 0x00, 0x00, 0x03, 'a',
                                    '/',  '+',  0x21, 0x00, 0x01, 'b',  0x24};
    static const uint8_t suback[] = {0x90, 0x05, 0x00, 0x01, 0x00, 0x01, 0x00};
    struct mup_mqtt_filter filters[] = {{mup_mqtt_text("a/+"), 1, false},
                                        {mup_mqtt_text("b"), 0, true}};
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    assert_int_equal(mup_mqtt_subscribe(&rig.mqtt, filters, 2), MUP_OK);
    rig_expect_out(&rig, bytes, sizeof bytes);
    assert_int_equal(mup_mqtt_subscribe(&rig.mqtt, filters, 1), MUP_ERR_BUSY);
    assert_int_equal(mup_mqtt_unsubscribe(&rig.mqtt, filters, 1), MUP_ERR_BUSY);
    rig_piece(&rig, 0, suback, sizeof suback);
    assert_int_equal(mup_mqtt_subscribe(&rig.mqtt, filters, 1), MUP_OK);
}

static void unsubscribe_names_the_filters(void **state)
{
    static const uint8_t bytes[] = {0xa2, 0x08, 0x00, 0x01, 0x00, 0x00, 0x03, 'a', '/', '+'};
    struct mup_mqtt_filter filter = {mup_mqtt_text("a/+"), 1, false};
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    assert_int_equal(mup_mqtt_unsubscribe(&rig.mqtt, &filter, 1), MUP_OK);
    rig_expect_out(&rig, bytes, sizeof bytes);
}

static void filters_that_mqtt_does_not_know_are_refused(void **state)
{
    struct mup_mqtt_filter filter = {mup_mqtt_text("a"), 2, false};
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    assert_int_equal(mup_mqtt_subscribe(&rig.mqtt, &filter, 1), MUP_ERR_RANGE);
    filter.qos = 1;
    assert_int_equal(mup_mqtt_subscribe(&rig.mqtt, &filter, 0), MUP_ERR_RANGE);
    filter.topic.size = 0;
    assert_int_equal(mup_mqtt_subscribe(&rig.mqtt, &filter, 1), MUP_ERR_RANGE);
    rig_expect_out(&rig, NULL, 0);
}

static void disconnect_ends_it(void **state)
{
    static const uint8_t bytes[] = {0xe0, 0x01, 0x04};
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    assert_int_equal(mup_mqtt_disconnect(&rig.mqtt, MUP_MQTT_REASON_DISCONNECT_WITH_WILL), MUP_OK);
    assert_false(mup_mqtt_is_connected(&rig.mqtt));
    rig_expect_out(&rig, bytes, sizeof bytes);
}

static void output_leaves_in_the_pieces_that_the_transport_takes(void **state)
{
    struct mup_mqtt_options options = full_options();
    const uint8_t *out;
    struct rig rig;

    (void)state;
    for (size_t piece = 1; piece <= sizeof full_connect; piece++) {
        size_t done = 0;

        rig_begin(&rig);
        assert_int_equal(mup_mqtt_connect(&rig.mqtt, 0, &options), MUP_OK);
        while (done < sizeof full_connect) {
            size_t size = mup_mqtt_output(&rig.mqtt, &out);

            assert_int_equal(size, sizeof full_connect - done);
            size = size < piece ? size : piece;
            assert_memory_equal(out, full_connect + done, size);
            mup_mqtt_sent(&rig.mqtt, 0, size);
            done += size;
        }
        assert_int_equal(mup_mqtt_output(&rig.mqtt, &out), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_says_all_that_was_asked_for),
        cmocka_unit_test(connect_leaves_out_what_was_not_asked_for),
        cmocka_unit_test(an_empty_password_is_still_a_password),
        cmocka_unit_test(a_length_above_127_takes_a_second_byte),
        cmocka_unit_test(a_will_of_qos_2_is_refused),
        cmocka_unit_test(each_output_buffer_that_is_too_small_is_said_so),
        cmocka_unit_test(publish_at_qos_0),
        cmocka_unit_test(publish_with_all_properties),
        cmocka_unit_test(an_alias_replaces_the_topic_from_the_second_time_on),
        cmocka_unit_test(an_alias_that_the_broker_does_not_take_is_left_out),
        cmocka_unit_test(a_publish_that_did_not_fit_sets_no_alias_and_takes_no_id),
        cmocka_unit_test(a_message_of_any_size_fits_or_is_busy_or_is_too_large),
        cmocka_unit_test(a_large_payload_goes_out_in_pieces),
        cmocka_unit_test(while_a_publish_is_open_nothing_comes_between),
        cmocka_unit_test(what_the_broker_does_not_take_is_not_sent),
        cmocka_unit_test(a_message_beyond_what_mqtt_can_say_is_refused),
        cmocka_unit_test(in_flight_messages_are_limited_by_the_broker_and_by_us),
        cmocka_unit_test(ids_wrap_past_zero_and_past_ids_in_use),
        cmocka_unit_test(a_session_that_went_on_repeats_with_the_old_id_and_dup),
        cmocka_unit_test(a_new_session_forgets_the_ids),
        cmocka_unit_test(before_connack_and_after_the_end_nothing_is_sent),
        cmocka_unit_test(subscribe_asks_for_no_retained_messages),
        cmocka_unit_test(unsubscribe_names_the_filters),
        cmocka_unit_test(filters_that_mqtt_does_not_know_are_refused),
        cmocka_unit_test(disconnect_ends_it),
        cmocka_unit_test(output_leaves_in_the_pieces_that_the_transport_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
