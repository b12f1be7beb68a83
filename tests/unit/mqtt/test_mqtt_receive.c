/*
 * What the client makes of a broker's bytes. The packets are typed in from the tables of
 * "MQTT Version 5.0" (sections 3.2 to 3.14); the events expected are written beside them.
 */
#include "mqtt_rig.h"

#define ITEMS(array) (sizeof(array) / sizeof(array)[0])

struct packet {
    const char *name;
    const char *events; /* the transcript */
    uint16_t size;
    uint8_t bytes[96];
    bool before_connack;
    uint8_t subscribes; /* so many filters are waiting for SUBACK */
    bool unsubscribes;
};

/* Well-formed packets of every kind a broker sends. */
static const struct packet packets[] = {
    {.name = "CONNACK, no properties",
     .before_connack = true,
     .size = 5,
     .bytes = {0x20, 0x03, 0x00, 0x00, 0x00},
     .events = "connected session=0 qos=1 retain=1 receive=65535 aliases=0 keepalive=60 "
               "packet=4294967295 expiry=3600 client="},
    {.name = "CONNACK, all properties",
     .before_connack = true,
     .size = 72,
     .bytes = {0x20, 0x46, 0x01, 0x00, 0x43,                 /* session present */
               0x11, 0x00, 0x00, 0x0e, 0x11,                 /* session expiry 3601 */
               0x21, 0x00, 0x03,                             /* receive maximum */
               0x24, 0x00,                                   /* maximum QoS */
               0x25, 0x00,                                   /* retain available */
               0x27, 0x00, 0x01, 0x02, 0x03,                 /* maximum packet size */
               0x12, 0x00, 0x03, 'a',  'b',  'c',            /* assigned client id */
               0x22, 0x00, 0x0a,                             /* topic alias maximum */
               0x1f, 0x00, 0x02, 'o',  'k',                  /* reason string */
               0x26, 0x00, 0x01, 'k',  0x00, 0x02, 'v', 'w', /* user property */
               0x28, 0x01, 0x29, 0x01, 0x2a, 0x00,           /* wildcard, ids, shared */
               0x13, 0x00, 0x2d,                             /* server keep alive 45 */
               0x1a, 0x00, 0x03, 'r',  '/',  's',            /* response information */
               0x1c, 0x00, 0x05, 'h',  'o',  's',  't', '2', /* server reference */
               0x26, 0x00, 0x00, 0x00, 0x00},                /* an empty user property */
     .events = "connected session=1 qos=0 retain=0 receive=3 aliases=10 keepalive=45 "
               "packet=66051 expiry=3601 client=abc"},
    {.name = "CONNACK, not authorized",
     .before_connack = true,
     .size = 5,
     .bytes = {0x20, 0x03, 0x00, 0x87, 0x00},
     .events = "closed cause=1 reason=135"},
    {.name = "PUBLISH, QoS 0",
     .size = 10,
     .bytes = {0x30, 0x08, 0x00, 0x03, 'a', '/', 'b', 0x00, 'h', 'i'},
     .events = "message topic=a/b qos=0 id=0 size=2\npayload hi\nend id=0"},
    {.name = "PUBLISH, empty payload, retained",
     .size = 8,
     .bytes = {0x31, 0x06, 0x00, 0x03, 'a', '/', 'c', 0x00},
     .events = "message topic=a/c qos=0 id=0 size=0 retained\nend id=0"},
    {.name = "PUBLISH, QoS 1, DUP",
     .size = 11,
     .bytes = {0x3a, 0x09, 0x00, 0x03, 'a', '/', 'b', 0x12, 0x34, 0x00, 'x'},
     .events = "message topic=a/b qos=1 id=4660 size=1 dup\npayload x\nend id=4660"},
    {.name = "PUBLISH, request with response topic and correlation data",
     .size = 29,
     .bytes = {0x32, 0x1b, 0x00, 0x02, 'r',  'q', 0x00, 0x05, 0x12, 0x08, 0x00, 0x03, 'a', '/', 'r',
               0x09, 0x00, 0x04, 0x43, 0x2b, '2', '1',  0x02, 0x00, 0x00, 0x00, 0x3c, 'p', 'q'},
     .events = "message topic=rq qos=1 id=5 size=2 response=a/r correlation=C+21\npayload pq\n"
               "end id=5"},
    {.name = "PUBLISH, every property",
     .size = 54,
     .bytes = {0x30, 0x34, 0x00, 0x01, 't',  0x2e,             /* 46 bytes of properties */
               0x01, 0x01,                                     /* payload format */
               0x02, 0x00, 0x00, 0x00, 0x09,                   /* message expiry */
               0x23, 0x00, 0x03,                               /* topic alias */
               0x08, 0x00, 0x01, 'r',                          /* response topic */
               0x09, 0x00, 0x03, 'c',  'd',  'e',              /* correlation data */
               0x26, 0x00, 0x01, 'n',  0x00, 0x01, 'v',        /* user property */
               0x26, 0x00, 0x01, 'n',  0x00, 0x02, 0xc3, 0xa4, /* again, in UTF-8 */
               0x0b, 0xff, 0x7f,                               /* subscription id */
               0x0b, 0x01,                                     /* again */
               0x03, 0x00, 0x03, 'a',  '/',  'b',              /* content type */
               '.',  '!'},
     .events =
         "message topic=t qos=0 id=0 size=2 response=r correlation=cde\npayload .!\nend id=0"},
    {.name = "PUBLISH, topic in UTF-8 of two, three and four bytes",
     .size = 14,
     .bytes = {0x30, 0x0c, 0x00, 0x09, 0xc2, 0x80, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0x00},
     .events = "message topic=\xc2\x80\xe2\x82\xac\xf0\x9f\x98\x80 qos=0 id=0 size=0\nend id=0"},
    {.name = "PUBACK, short", /* of a message nobody sent: no event */
     .size = 4,
     .bytes = {0x40, 0x02, 0x12, 0x34},
     .events = ""},
    {.name = "PUBACK, reason", .size = 5, .bytes = {0x40, 0x03, 0x12, 0x34, 0x10}, .events = ""},
    {.name = "PUBACK, properties",
     .size = 13,
     .bytes = {0x40, 0x0b, 0x12, 0x34, 0x97, 0x07, 0x1f, 0x00, 0x04, 'f', 'u', 'l', 'l'},
     .events = ""},
    {.name = "SUBACK",
     .subscribes = 3,
     .size = 8,
     .bytes = {0x90, 0x06, 0x00, 0x01, 0x00, 0x01, 0x00, 0x87},
     .events = "subscribed index=0 reason=1\nsubscribed index=1 reason=0\n"
               "subscribed index=2 reason=135"},
    {.name = "SUBACK, properties",
     .subscribes = 1,
     .size = 11,
     .bytes = {0x90, 0x09, 0x00, 0x01, 0x05, 0x1f, 0x00, 0x02, 'n', 'o', 0x80},
     .events = "subscribed index=0 reason=128"},
    {.name = "UNSUBACK",
     .subscribes = 2,
     .unsubscribes = true,
     .size = 7,
     .bytes = {0xb0, 0x05, 0x00, 0x01, 0x00, 0x00, 0x11},
     .events = "unsubscribed index=0 reason=0\nunsubscribed index=1 reason=17"},
    {.name = "PINGRESP", .size = 2, .bytes = {0xd0, 0x00}, .events = ""},
    {.name = "DISCONNECT, empty",
     .size = 2,
     .bytes = {0xe0, 0x00},
     .events = "closed cause=2 reason=0"},
    {.name = "DISCONNECT, taken over",
     .size = 3,
     .bytes = {0xe0, 0x01, 0x8e},
     .events = "closed cause=3 reason=142"},
    {.name = "DISCONNECT, properties",
     .size = 9,
     .bytes = {0xe0, 0x07, 0x8b, 0x05, 0x1c, 0x00, 0x02, 'h', '2'},
     .events = "closed cause=2 reason=139"},
};

static void begin_for(struct rig *rig, const struct packet *packet)
{
    struct mup_mqtt_filter filters[] = {{mup_mqtt_text("a"), 1, false},
                                        {mup_mqtt_text("b"), 1, false},
                                        {mup_mqtt_text("c"), 1, false}};

    if (packet->before_connack)
        rig_begin(rig);
    else
        rig_begin_connected(rig);
    if (packet->unsubscribes)
        assert_int_equal(mup_mqtt_unsubscribe(&rig->mqtt, filters, packet->subscribes), MUP_OK);
    else if (packet->subscribes != 0)
        assert_int_equal(mup_mqtt_subscribe(&rig->mqtt, filters, packet->subscribes), MUP_OK);
    rig_sent_all(rig, 0);
}

static void each_packet_gives_its_events(void **state)
{
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < ITEMS(packets); i++) {
        print_message("%s\n", packets[i].name);
        begin_for(&rig, &packets[i]);
        rig_piece(&rig, 0, packets[i].bytes, packets[i].size);
        assert_string_equal(rig.log, packets[i].events);
    }
}

static void any_cut_of_a_packet_gives_the_same_events(void **state)
{
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < ITEMS(packets); i++) {
        const struct packet *packet = &packets[i];

        for (size_t first = 0; first <= packet->size; first++) {
            for (size_t second = first; second <= packet->size; second++) {
                begin_for(&rig, packet);
                rig_piece(&rig, 0, packet->bytes, first);
                rig_piece(&rig, 0, packet->bytes + first, second - first);
                rig_piece(&rig, 0, packet->bytes + second, packet->size - second);
                assert_string_equal(rig.log, packet->events);
            }
        }
        begin_for(&rig, packet);
        for (size_t at = 0; at < packet->size; at++)
            rig_piece(&rig, 0, packet->bytes + at, 1);
        assert_string_equal(rig.log, packet->events);
    }
}

static void a_truncated_packet_gives_no_final_event(void **state)
{
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < ITEMS(packets); i++) {
        const struct packet *packet = &packets[i];

        for (size_t size = 0; size < packet->size; size++) {
            begin_for(&rig, packet);
            rig_piece(&rig, 0, packet->bytes, size);
            assert_int_equal(rig.status, MUP_ERR_SHORT);
            assert_null(strstr(rig.log, "end"));
            assert_null(strstr(rig.log, "closed"));
            /* what was told so far is how the whole story begins */
            assert_memory_equal(rig.log, packet->events, rig.log_size);
            if (rig.log_size != 0)
                assert_true(strlen(rig.log) < strlen(packet->events));
        }
    }
}

static void no_single_damaged_byte_does_harm(void **state)
{
    struct rig rig;
    uint8_t damaged[sizeof packets[0].bytes];

    (void)state;
    for (size_t i = 0; i < ITEMS(packets); i++) {
        const struct packet *packet = &packets[i];

        for (size_t at = 0; at < packet->size; at++) {
            for (unsigned value = 0; value < 256; value++) {
                memcpy(damaged, packet->bytes, packet->size);
                damaged[at] = (uint8_t)value;
                begin_for(&rig, packet);
                rig_piece(&rig, 0, damaged, packet->size);
                rig_piece(&rig, 0, packets[3].bytes, packets[3].size);
                assert_true(rig.status == MUP_ERR_SHORT || rig.status == MUP_ERR_STATE);
                if (rig.status == MUP_ERR_STATE)
                    assert_int_equal(rig.event.kind, MUP_MQTT_CLOSED);
            }
        }
    }
}

static void packets_follow_each_other_in_one_piece(void **state)
{
    static const uint8_t bytes[] = {0x20, 0x03, 0x00, 0x00, 0x00,                  /* CONNACK */
                                    0x30, 0x06, 0x00, 0x01, 'a',  0x00, '1',  '2', /* PUBLISH */
                                    0xd0, 0x00,                                    /* PINGRESP */
                                    0x32, 0x07, 0x00, 0x01, 'b',  0x00, 0x07, 0x00, '3', /* QoS 1 */
                                    0xe0, 0x00};
    static const uint8_t puback[] = {0x40, 0x02, 0x00, 0x07};
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    rig_piece(&rig, 0, bytes, sizeof bytes);
    assert_non_null(strstr(rig.log, "\nmessage topic=a qos=0 id=0 size=2\npayload 12\nend id=0\n"
                                    "message topic=b qos=1 id=7 size=1\npayload 3\nend id=7\n"
                                    "closed cause=2 reason=0"));
    assert_int_equal(rig.status, MUP_ERR_STATE);
    rig_expect_out(&rig, puback, sizeof puback);
}

/* ---- What the standard forbids --------------------------------------------------------- */

struct malformed {
    const char *name;
    uint8_t reason;
    uint16_t size;
    uint8_t bytes[32];
    bool before_connack;
    uint8_t subscribes;
};

#define BAD       0x81 /* malformed packet */
#define FORBIDDEN 0x82 /* protocol error */

static const struct malformed malformed[] = {
    {"type 0", BAD, 2, {0x00, 0x00}, false, 0},
    {"type 0 before CONNACK", BAD, 2, {0x00, 0x00}, true, 0},
    {"CONNECT from a broker", FORBIDDEN, 2, {0x10, 0x00}, false, 0},
    {"PUBREC", FORBIDDEN, 4, {0x50, 0x02, 0x00, 0x01}, false, 0},
    {"PUBREL", FORBIDDEN, 4, {0x62, 0x02, 0x00, 0x01}, false, 0},
    {"PUBCOMP", FORBIDDEN, 4, {0x70, 0x02, 0x00, 0x01}, false, 0},
    {"PINGREQ", FORBIDDEN, 2, {0xc0, 0x00}, false, 0},
    {"AUTH", FORBIDDEN, 2, {0xf0, 0x00}, false, 0},
    {"AUTH before CONNACK", FORBIDDEN, 2, {0xf0, 0x00}, true, 0},
    {"PUBLISH before CONNACK", FORBIDDEN, 5, {0x30, 0x03, 0x00, 0x01, 'a'}, true, 0},
    {"DISCONNECT before CONNACK", FORBIDDEN, 2, {0xe0, 0x00}, true, 0},
    {"second CONNACK", FORBIDDEN, 5, {0x20, 0x03, 0x00, 0x00, 0x00}, false, 0},
    {"CONNACK with flags", BAD, 5, {0x21, 0x03, 0x00, 0x00, 0x00}, true, 0},
    {"PINGRESP with flags", BAD, 2, {0xd1, 0x00}, false, 0},
    {"PUBACK with flags", BAD, 4, {0x42, 0x02, 0x00, 0x01}, false, 0},

    {"length of five bytes", BAD, 6, {0x30, 0x80, 0x80, 0x80, 0x80, 0x01}, false, 0},
    {"length not in its shortest form", BAD, 3, {0xd0, 0x80, 0x00}, false, 0},
    {"packet larger than announced", 0x95, 3, {0x30, 0x8e, 0x03}, false, 0},

    {"CONNACK: reserved acknowledge flags", BAD, 5, {0x20, 0x03, 0x02, 0x00, 0x00}, true, 0},
    {"CONNACK: refused with a session", FORBIDDEN, 5, {0x20, 0x03, 0x01, 0x87, 0x00}, true, 0},
    {"CONNACK: reason 0x01", FORBIDDEN, 5, {0x20, 0x03, 0x00, 0x01, 0x00}, true, 0},
    {"CONNACK: empty", BAD, 2, {0x20, 0x00}, true, 0},
    {"CONNACK: no properties length", BAD, 4, {0x20, 0x02, 0x00, 0x00}, true, 0},
    {"CONNACK: bytes after the properties", BAD, 6, {0x20, 0x04, 0x00, 0x00, 0x00, 0x07}, true, 0},
    {"CONNACK: receive maximum 0",
     FORBIDDEN,
     8,
     {0x20, 0x06, 0x00, 0x00, 0x03, 0x21, 0x00, 0x00},
     true,
     0},
    {"CONNACK: packet size 0",
     FORBIDDEN,
     10,
     {0x20, 0x08, 0x00, 0x00, 0x05, 0x27, 0x00, 0x00, 0x00, 0x00},
     true,
     0},
    {"CONNACK: maximum QoS 2", FORBIDDEN, 7, {0x20, 0x05, 0x00, 0x00, 0x02, 0x24, 0x02}, true, 0},
    {"CONNACK: property twice",
     FORBIDDEN,
     9,
     {0x20, 0x07, 0x00, 0x00, 0x04, 0x25, 0x01, 0x25, 0x01},
     true,
     0},
    {"CONNACK: property of a PUBLISH", BAD, 7, {0x20, 0x05, 0x00, 0x00, 0x02, 0x01, 0x01}, true, 0},
    {"CONNACK: unknown property", BAD, 7, {0x20, 0x05, 0x00, 0x00, 0x02, 0x7e, 0x01}, true, 0},
    {"CONNACK: authentication method",
     BAD,
     9,
     {0x20, 0x07, 0x00, 0x00, 0x04, 0x15, 0x00, 0x01, 'x'},
     true,
     0},
    {"CONNACK: property cut off by its section",
     BAD,
     8,
     {0x20, 0x06, 0x00, 0x00, 0x02, 0x13, 0x00, 0x2d},
     true,
     0},
    {"CONNACK: properties longer than the packet",
     BAD,
     7,
     {0x20, 0x05, 0x00, 0x00, 0x03, 0x25, 0x01},
     true,
     0},

    {"PUBLISH: QoS 3", BAD, 7, {0x36, 0x05, 0x00, 0x01, 'a', 0x00, 0x01}, false, 0},
    {"PUBLISH: QoS 2", FORBIDDEN, 7, {0x34, 0x05, 0x00, 0x01, 'a', 0x00, 0x01}, false, 0},
    {"PUBLISH: DUP at QoS 0", BAD, 6, {0x38, 0x04, 0x00, 0x01, 'a', 0x00}, false, 0},
    {"PUBLISH: packet id 0",
     FORBIDDEN,
     8,
     {0x32, 0x06, 0x00, 0x01, 'a', 0x00, 0x00, 0x00},
     false,
     0},
    {"PUBLISH: empty", BAD, 2, {0x30, 0x00}, false, 0},
    {"PUBLISH: no properties length", BAD, 5, {0x30, 0x03, 0x00, 0x01, 'a'}, false, 0},
    {"PUBLISH: topic longer than the packet",
     BAD,
     6,
     {0x30, 0x04, 0x00, 0x03, 'a', 0x00},
     false,
     0},
    {"PUBLISH: no topic, no alias", FORBIDDEN, 5, {0x30, 0x03, 0x00, 0x00, 0x00}, false, 0},
    {"PUBLISH: wildcard in the topic", 0x90, 6, {0x30, 0x04, 0x00, 0x01, '#', 0x00}, false, 0},
    {"PUBLISH: NUL in the topic", BAD, 6, {0x30, 0x04, 0x00, 0x01, 0x00, 0x00}, false, 0},
    {"PUBLISH: lone continuation byte", BAD, 6, {0x30, 0x04, 0x00, 0x01, 0x80, 0x00}, false, 0},
    {"PUBLISH: UTF-8 cut off", BAD, 6, {0x30, 0x04, 0x00, 0x01, 0xc3, 0x00}, false, 0},
    {"PUBLISH: overlong UTF-8 of two",
     BAD,
     7,
     {0x30, 0x05, 0x00, 0x02, 0xc0, 0xaf, 0x00},
     false,
     0},
    {"PUBLISH: overlong UTF-8 of three",
     BAD,
     8,
     {0x30, 0x06, 0x00, 0x03, 0xe0, 0x9f, 0xbf, 0x00},
     false,
     0},
    {"PUBLISH: surrogate", BAD, 8, {0x30, 0x06, 0x00, 0x03, 0xed, 0xa0, 0x80, 0x00}, false, 0},
    {"PUBLISH: overlong UTF-8 of four",
     BAD,
     9,
     {0x30, 0x07, 0x00, 0x04, 0xf0, 0x8f, 0xbf, 0xbf, 0x00},
     false,
     0},
    {"PUBLISH: beyond U+10FFFF",
     BAD,
     9,
     {0x30, 0x07, 0x00, 0x04, 0xf4, 0x90, 0x80, 0x80, 0x00},
     false,
     0},
    {"PUBLISH: alias 0", 0x94, 9, {0x30, 0x07, 0x00, 0x01, 'a', 0x03, 0x23, 0x00, 0x00}, false, 0},
    {"PUBLISH: alias above the maximum",
     0x94,
     9,
     {0x30, 0x07, 0x00, 0x01, 'a', 0x03, 0x23, 0x00, 0x04},
     false,
     0},
    {"PUBLISH: alias never set",
     FORBIDDEN,
     8,
     {0x30, 0x06, 0x00, 0x00, 0x03, 0x23, 0x00, 0x01},
     false,
     0},
    {"PUBLISH: subscription id 0",
     FORBIDDEN,
     8,
     {0x30, 0x06, 0x00, 0x01, 'a', 0x02, 0x0b, 0x00},
     false,
     0},
    {"PUBLISH: response topic twice",
     FORBIDDEN,
     14,
     {0x30, 0x0c, 0x00, 0x01, 'a', 0x08, 0x08, 0x00, 0x01, 'r', 0x08, 0x00, 0x01, 's'},
     false,
     0},
    {"PUBLISH: correlation data longer than the properties",
     BAD,
     12,
     {0x30, 0x0a, 0x00, 0x01, 'a', 0x04, 0x09, 0x00, 0x02, 'x', 'y', 'z'},
     false,
     0},
    {"PUBLISH: property id in two bytes",
     BAD,
     8,
     {0x30, 0x06, 0x00, 0x01, 'a', 0x02, 0x81, 0x00},
     false,
     0},

    {"PUBACK: empty", BAD, 2, {0x40, 0x00}, false, 0},
    {"PUBACK: half an id", BAD, 3, {0x40, 0x01, 0x00}, false, 0},
    {"PUBACK: id 0", FORBIDDEN, 4, {0x40, 0x02, 0x00, 0x00}, false, 0},
    {"PUBACK: reason 0x01", FORBIDDEN, 5, {0x40, 0x03, 0x00, 0x01, 0x01}, false, 0},
    {"PUBACK: bytes after the properties",
     BAD,
     7,
     {0x40, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00},
     false,
     0},
    {"SUBACK nobody asked for", FORBIDDEN, 6, {0x90, 0x04, 0x00, 0x01, 0x00, 0x00}, false, 0},
    {"SUBACK of another id", FORBIDDEN, 6, {0x90, 0x04, 0x00, 0x02, 0x00, 0x00}, false, 1},
    {"SUBACK with too few codes", BAD, 6, {0x90, 0x04, 0x00, 0x01, 0x00, 0x00}, false, 2},
    {"SUBACK with too many codes", BAD, 7, {0x90, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00}, false, 1},
    {"SUBACK without codes", BAD, 5, {0x90, 0x03, 0x00, 0x01, 0x00}, false, 1},
    {"SUBACK granting QoS 2", FORBIDDEN, 6, {0x90, 0x04, 0x00, 0x01, 0x00, 0x02}, false, 1},
    {"UNSUBACK for a SUBSCRIBE", FORBIDDEN, 6, {0xb0, 0x04, 0x00, 0x01, 0x00, 0x00}, false, 1},
    {"PINGRESP with a body", BAD, 3, {0xd0, 0x01, 0x00}, false, 0},
    {"DISCONNECT: session expiry", BAD, 9, {0xe0, 0x07, 0x00, 0x05, 0x11, 0, 0, 0, 1}, false, 0},
    {"DISCONNECT: a client's reason", FORBIDDEN, 3, {0xe0, 0x01, 0x04}, false, 0},
};

static void what_the_standard_forbids_closes_with_its_reason(void **state)
{
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < ITEMS(malformed); i++) {
        const struct malformed *bad = &malformed[i];
        const struct packet as_packet = {.before_connack = bad->before_connack,
                                         .subscribes = bad->subscribes};
        const uint8_t disconnect[] = {0xe0, 0x01, bad->reason};

        print_message("%s\n", bad->name);
        for (size_t cut = 0; cut <= bad->size; cut++) {
            begin_for(&rig, &as_packet);
            rig_piece(&rig, 0, bad->bytes, cut);
            rig_piece(&rig, 0, bad->bytes + cut, bad->size - cut);
            assert_int_equal(rig.status, MUP_ERR_STATE);
            assert_int_equal(rig.event.kind, MUP_MQTT_CLOSED);
            assert_int_equal(rig.event.cause, MUP_MQTT_CAUSE_PROTOCOL);
            assert_int_equal(rig.event.reason, bad->reason);
            assert_false(mup_mqtt_is_connected(&rig.mqtt));
            rig_expect_out(&rig, disconnect, sizeof disconnect);
        }
    }
}

static void a_session_that_was_thrown_away_must_not_be_present(void **state)
{
    static const uint8_t connack[] = {0x20, 0x03, 0x01, 0x00, 0x00};
    struct mup_mqtt_options options = rig_options();
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    options.clean_start = true;
    rig_connect(&rig, 0, &options);
    rig_piece(&rig, 0, connack, sizeof connack);
    assert_string_equal(rig.log, "closed cause=5 reason=130"); /* MQTT-3.2.2-2 */
}

static void the_announced_packet_size_is_the_last_one_allowed(void **state)
{
    static const uint8_t just_fits[] = {0x30, 0x8d, 0x03, 0x00, 0x01, 'a', 0x00}; /* 400 bytes */
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    rig_piece(&rig, 0, just_fits, sizeof just_fits);
    assert_string_equal(rig.log, "message topic=a qos=0 id=0 size=393");
}

static void without_a_packet_size_a_message_may_be_of_any_size(void **state)
{
    static const uint8_t huge[] = {0x30, 0xff, 0xff, 0xff, 0x7f, 0x00, 0x01, 'a', 0x00, 'x'};
    struct mup_mqtt_options options = rig_options();
    struct rig rig;

    (void)state;
    rig_begin(&rig);
    options.maximum_packet_size = 0;
    rig_connect(&rig, 0, &options);
    rig_piece(&rig, 0, rig_connack, sizeof rig_connack);
    rig_log_clear(&rig);
    rig_piece(&rig, 0, huge, sizeof huge);
    assert_string_equal(rig.log, "message topic=a qos=0 id=0 size=268435451\npayload x");
}

/* ---- Payload --------------------------------------------------------------------------- */

static void payload_pieces_point_into_the_input_with_their_offsets(void **state)
{
    static const uint8_t bytes[] = {0x30, 0x0a, 0x00, 0x01, 'a', 0x00, 1, 2, 3, 4, 5, 6, 0xd0};
    struct rig rig;
    struct mup_mqtt_event event;
    size_t used;

    (void)state;
    rig_begin_connected(&rig);
    assert_int_equal(mup_mqtt_input(&rig.mqtt, 0, bytes, 8, &used, &event), MUP_OK);
    assert_int_equal(event.kind, MUP_MQTT_MESSAGE);
    assert_int_equal(used, 6);
    assert_int_equal(mup_mqtt_input(&rig.mqtt, 0, bytes + 6, 2, &used, &event), MUP_OK);
    assert_int_equal(event.kind, MUP_MQTT_PAYLOAD);
    assert_ptr_equal(event.payload.at, bytes + 6);
    assert_int_equal(event.payload.size, 2);
    assert_int_equal(event.payload.offset, 0);
    assert_int_equal(mup_mqtt_input(&rig.mqtt, 0, bytes + 8, 0, &used, &event), MUP_ERR_SHORT);
    assert_int_equal(mup_mqtt_input(&rig.mqtt, 0, bytes + 8, 5, &used, &event), MUP_OK);
    assert_ptr_equal(event.payload.at, bytes + 8);
    assert_int_equal(event.payload.size, 4);
    assert_int_equal(event.payload.offset, 2);
    assert_int_equal(used, 4);
    assert_int_equal(mup_mqtt_input(&rig.mqtt, 0, NULL, 0, &used, &event), MUP_OK);
    assert_int_equal(event.kind, MUP_MQTT_MESSAGE_END);
    assert_int_equal(mup_mqtt_input(&rig.mqtt, 0, NULL, 0, &used, &event), MUP_ERR_SHORT);
}

static void the_head_stays_for_the_answer_at_the_end(void **state)
{
    static const uint8_t request[] = {0x32, 0x12, 0x00, 0x02, 'r',  'q',  0x00, 0x05, 0x0a, 0x08,
                                      0x00, 0x01, 's',  0x09, 0x00, 0x03, 'x',  'y',  'z',  '!'};
    static const uint8_t answer[] = {0x40, 0x02, 0x00, 0x05, /* PUBACK */
                                     0x30, 0x0c, 0x00, 0x01, 's', 0x06, 0x09,
                                     0x00, 0x03, 'x',  'y',  'z', 'o',  'k'};
    struct mup_mqtt_publish message = {0};
    struct rig rig;
    struct mup_mqtt_event event;
    size_t done = 0;
    size_t used;

    (void)state;
    rig_begin_connected(&rig);
    do {
        assert_int_equal(
            mup_mqtt_input(&rig.mqtt, 0, request + done, sizeof request - done, &used, &event),
            MUP_OK);
        done += used;
        if (event.kind == MUP_MQTT_MESSAGE) {
            message.topic = event.message.response_topic;
            message.correlation = event.message.correlation;
        }
    } while (event.kind != MUP_MQTT_MESSAGE_END);
    message.payload = "ok";
    message.payload_size = 2;
    assert_int_equal(mup_mqtt_publish(&rig.mqtt, NULL, &message), MUP_OK);
    rig_expect_out(&rig, answer, sizeof answer);
}

/* ---- What does not fit ----------------------------------------------------------------- */

static void feed_long_topic(struct rig *rig, uint8_t first_byte, size_t topic_size, size_t cut)
{
    uint8_t bytes[128] = {first_byte, 0, 0, (uint8_t)topic_size};
    size_t at = 4 + topic_size;

    memset(bytes + 4, 't', topic_size);
    if ((first_byte & 0x02) != 0) {
        bytes[at++] = 0x00;
        bytes[at++] = 0x09;
    }
    bytes[at++] = 0x03; /* properties: alias 2 */
    bytes[at++] = 0x23;
    bytes[at++] = 0x00;
    bytes[at++] = 0x02;
    bytes[at++] = 'p';
    bytes[1] = (uint8_t)(at - 2);
    rig_piece(rig, 0, bytes, cut < at ? cut : at);
    if (cut < at)
        rig_piece(rig, 0, bytes + cut, at - cut);
}

static void a_topic_that_does_not_fit_is_dropped_and_the_connection_lives(void **state)
{
    static const uint8_t refusal[] = {0x40, 0x03, 0x00, 0x09, 0x90};
    static const uint8_t by_alias[] = {0x30, 0x06, 0x00, 0x00, 0x03, 0x23, 0x00, 0x02};
    struct rig rig;

    (void)state;
    for (size_t cut = 0; cut < 80; cut++) {
        rig_begin_connected(&rig);
        feed_long_topic(&rig, 0x32, 65, cut); /* `head` holds 64 */
        assert_string_equal(rig.log, "dropped reason=144 topic= qos=1 id=9 size=1");
        rig_expect_out(&rig, refusal, sizeof refusal);
        assert_int_equal(rig.mqtt.held_count, 0);
        /* nobody knows what the alias stands for, but it is set */
        rig_log_clear(&rig);
        rig_piece(&rig, 0, by_alias, sizeof by_alias);
        assert_string_equal(rig.log, "message topic= qos=0 id=0 size=0 route=255\nend id=0");
    }
}

static void a_topic_that_just_fits_is_taken(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    feed_long_topic(&rig, 0x30, 64, 1000);
    assert_int_equal(rig.log_size,
                     strlen("message topic= qos=0 id=0 size=1\npayload p\nend id=0") + 64);
}

static void correlation_data_that_does_not_fit_is_dropped_but_the_topic_is_told(void **state)
{
    uint8_t bytes[80] = {0x32, 0x49, 0x00, 0x01, 'a', 0x00, 0x06, 0x42, 0x09, 0x00, 0x3f};
    static const uint8_t refusal[] = {0x40, 0x03, 0x00, 0x06, 0x83};
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    rig_piece(&rig, 0, bytes, 75);
    assert_int_equal(rig.status, MUP_ERR_SHORT);
    assert_string_equal(rig.log, "message topic=a qos=1 id=6 size=1 correlation=");
    /* 63 + 1 fits; one more does not */
    bytes[1]++, bytes[7]++, bytes[10]++;
    rig_begin_connected(&rig);
    rig_piece(&rig, 0, bytes, 76);
    assert_string_equal(rig.log, "dropped reason=131 topic=a qos=1 id=6 size=1");
    rig_expect_out(&rig, refusal, sizeof refusal);
}

/* mosquitto 2.0 hands on what it does not check of another client's message. Were it an error of
 * the connection, one such message of QoS 1 in a kept session would end each of them. */
static void what_another_client_did_wrong_costs_its_message_and_not_the_connection(void **state)
{
    static const uint8_t wildcard[] = {0x32, 0x0b, 0x00, 0x01, 'a', 0x00, 0x06,
                                       0x04, 0x08, 0x00, 0x01, '#', 'p'};
    static const uint8_t topic_refusal[] = {0x40, 0x03, 0x00, 0x06, 0x90};
    static const uint8_t format[] = {0x32, 0x09, 0x00, 0x01, 'a', 0x00,
                                     0x06, 0x02, 0x01, 0x02, 'p'};
    static const uint8_t format_refusal[] = {0x40, 0x03, 0x00, 0x06, 0x99};
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    rig_piece(&rig, 0, wildcard, sizeof wildcard);
    assert_int_equal(rig.status, MUP_ERR_SHORT);
    assert_non_null(strstr(rig.log, "dropped reason=144 topic=a qos=1 id=6 size=1"));
    assert_null(strstr(rig.log, "payload"));
    rig_expect_out(&rig, topic_refusal, sizeof topic_refusal);

    rig_begin_connected(&rig);
    rig_piece(&rig, 0, format, sizeof format);
    assert_int_equal(rig.status, MUP_ERR_SHORT);
    assert_string_equal(rig.log, "dropped reason=153 topic=a qos=1 id=6 size=1");
    rig_expect_out(&rig, format_refusal, sizeof format_refusal);
    assert_true(mup_mqtt_is_connected(&rig.mqtt));
}

/* ---- Aliases --------------------------------------------------------------------------- */

static void an_alias_brings_back_the_route_that_the_caller_gave(void **state)
{
    static const uint8_t sets[] = {0x30, 0x08, 0x00, 0x01, 'a', 0x03, 0x23, 0x00, 0x03, '1'};
    static const uint8_t uses[] = {0x30, 0x07, 0x00, 0x00, 0x03, 0x23, 0x00, 0x03, '2'};
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    rig.route = 77;
    rig_piece(&rig, 0, sets, sizeof sets);
    rig_piece(&rig, 0, uses, sizeof uses);
    assert_string_equal(rig.log, "message topic=a qos=0 id=0 size=1\npayload 1\nend id=0\n"
                                 "message topic= qos=0 id=0 size=1 route=77\npayload 2\nend id=0");
    /* set again, to a topic that the caller does not know */
    rig.route = 0;
    rig_log_clear(&rig);
    rig_piece(&rig, 0, sets, sizeof sets);
    rig_piece(&rig, 0, uses, sizeof uses);
    assert_string_equal(rig.log, "message topic=a qos=0 id=0 size=1\npayload 1\nend id=0\n"
                                 "message topic= qos=0 id=0 size=1 route=255\npayload 2\nend id=0");
}

static void aliases_end_with_their_connection(void **state)
{
    static const uint8_t sets[] = {0x30, 0x07, 0x00, 0x01, 'a', 0x03, 0x23, 0x00, 0x01};
    static const uint8_t uses[] = {0x30, 0x06, 0x00, 0x00, 0x03, 0x23, 0x00, 0x01};
    struct mup_mqtt_options options = rig_options();
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    rig.route = 5;
    rig_piece(&rig, 0, sets, sizeof sets);
    rig_connect(&rig, 0, &options);
    rig_piece(&rig, 0, rig_connack, sizeof rig_connack);
    rig_piece(&rig, 0, uses, sizeof uses);
    assert_int_equal(rig.event.kind, MUP_MQTT_CLOSED); /* MQTT-3.3.2-7 */
    assert_int_equal(rig.event.reason, 0x82);
}

/* ---- Acknowledging --------------------------------------------------------------------- */

static const uint8_t qos1_id7[] = {0x32, 0x06, 0x00, 0x01, 'a', 0x00, 0x07, 0x00};
static const uint8_t qos1_id8[] = {0x32, 0x06, 0x00, 0x01, 'a', 0x00, 0x08, 0x00};
static const uint8_t qos1_id9[] = {0x32, 0x06, 0x00, 0x01, 'a', 0x00, 0x09, 0x00};

static void a_held_message_is_acknowledged_when_the_caller_says_so(void **state)
{
    static const uint8_t acks[] = {0x40, 0x02, 0x00, 0x08, 0x40, 0x03, 0x00, 0x07, 0x99};
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    rig.acks_later = true;
    assert_int_equal(mup_mqtt_ack(&rig.mqtt, 7, 0), MUP_ERR_STATE);
    rig_piece(&rig, 0, qos1_id7, sizeof qos1_id7);
    rig_piece(&rig, 0, qos1_id8, sizeof qos1_id8);
    rig_expect_out(&rig, NULL, 0);
    assert_int_equal(mup_mqtt_ack(&rig.mqtt, 8, 0), MUP_OK);
    assert_int_equal(mup_mqtt_ack(&rig.mqtt, 7, MUP_MQTT_REASON_PAYLOAD_FORMAT_INVALID), MUP_OK);
    rig_expect_out(&rig, acks, sizeof acks);
    assert_int_equal(mup_mqtt_ack(&rig.mqtt, 7, 0), MUP_ERR_STATE);
}

static void a_broker_that_ignores_the_receive_maximum_is_cut_off(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    rig.acks_later = true;
    rig_piece(&rig, 0, qos1_id7, sizeof qos1_id7);
    rig_piece(&rig, 0, qos1_id8, sizeof qos1_id8);
    rig_piece(&rig, 0, qos1_id9, sizeof qos1_id9);
    assert_int_equal(rig.event.kind, MUP_MQTT_CLOSED);
    assert_int_equal(rig.event.reason, MUP_MQTT_REASON_RECEIVE_MAXIMUM);
}

static void input_waits_while_the_puback_has_no_room(void **state)
{
    static const uint8_t acks[] = {0x40, 0x02, 0x00, 0x08};
    uint8_t out[16];
    struct mup_mqtt_options options = {0};
    struct rig rig;
    struct mup_mqtt_event event;
    size_t used;

    (void)state;
    memset(&rig, 0, sizeof rig);
    assert_int_equal(mup_mqtt_init(&rig.mqtt, out, sizeof out, rig.head, 64), MUP_OK);
    rig_connect(&rig, 0, &options);
    rig_piece(&rig, 0, rig_connack, sizeof rig_connack);
    for (int i = 0; i < 4; i++)
        rig_piece(&rig, 0, qos1_id7, sizeof qos1_id7);
    assert_int_equal(rig.status, MUP_ERR_SHORT);
    rig_log_clear(&rig);
    rig_piece(&rig, 0, qos1_id8, sizeof qos1_id8);
    assert_int_equal(rig.status, MUP_ERR_BUSY);
    assert_string_equal(rig.log, "message topic=a qos=1 id=8 size=0");
    assert_int_equal(mup_mqtt_input(&rig.mqtt, 0, NULL, 0, &used, &event), MUP_ERR_BUSY);
    assert_int_equal(used, 0);
    rig_sent_all(&rig, 0);
    assert_int_equal(mup_mqtt_input(&rig.mqtt, 0, NULL, 0, &used, &event), MUP_OK);
    assert_int_equal(event.kind, MUP_MQTT_MESSAGE_END);
    rig_expect_out(&rig, acks, sizeof acks);
}

/* ---- Reasons --------------------------------------------------------------------------- */

static void each_refusal_says_what_to_do_about_it(void **state)
{
    static const struct {
        uint8_t reason;
        enum mup_mqtt_cause cause;
    } refusals[] = {
        {0x80, MUP_MQTT_CAUSE_BUSY},        {0x81, MUP_MQTT_CAUSE_REFUSED},
        {0x84, MUP_MQTT_CAUSE_REFUSED},     {0x85, MUP_MQTT_CAUSE_CREDENTIALS},
        {0x86, MUP_MQTT_CAUSE_CREDENTIALS}, {0x87, MUP_MQTT_CAUSE_CREDENTIALS},
        {0x88, MUP_MQTT_CAUSE_BUSY},        {0x89, MUP_MQTT_CAUSE_BUSY},
        {0x8a, MUP_MQTT_CAUSE_CREDENTIALS}, {0x95, MUP_MQTT_CAUSE_REFUSED},
        {0x97, MUP_MQTT_CAUSE_BUSY},        {0x9a, MUP_MQTT_CAUSE_REFUSED},
        {0x9b, MUP_MQTT_CAUSE_REFUSED},     {0x9d, MUP_MQTT_CAUSE_BUSY},
        {0x9f, MUP_MQTT_CAUSE_BUSY},        {0xff, MUP_MQTT_CAUSE_REFUSED},
    };
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < ITEMS(refusals); i++) {
        const uint8_t connack[] = {0x20, 0x03, 0x00, refusals[i].reason, 0x00};

        rig_begin(&rig);
        rig_piece(&rig, 0, connack, sizeof connack);
        assert_int_equal(rig.event.kind, MUP_MQTT_CLOSED);
        assert_int_equal(rig.event.cause, refusals[i].cause);
        assert_int_equal(rig.event.reason, refusals[i].reason);
        rig_expect_out(&rig, NULL, 0); /* no DISCONNECT to who refused */
    }
}

static void without_a_connection_input_is_refused(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin_connected(&rig);
    mup_mqtt_lost(&rig.mqtt);
    rig_piece(&rig, 0, packets[3].bytes, packets[3].size);
    assert_int_equal(rig.status, MUP_ERR_STATE);
    assert_string_equal(rig.log, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_packet_gives_its_events),
        cmocka_unit_test(any_cut_of_a_packet_gives_the_same_events),
        cmocka_unit_test(a_truncated_packet_gives_no_final_event),
        cmocka_unit_test(no_single_damaged_byte_does_harm),
        cmocka_unit_test(packets_follow_each_other_in_one_piece),
        cmocka_unit_test(what_the_standard_forbids_closes_with_its_reason),
        cmocka_unit_test(a_session_that_was_thrown_away_must_not_be_present),
        cmocka_unit_test(the_announced_packet_size_is_the_last_one_allowed),
        cmocka_unit_test(without_a_packet_size_a_message_may_be_of_any_size),
        cmocka_unit_test(payload_pieces_point_into_the_input_with_their_offsets),
        cmocka_unit_test(the_head_stays_for_the_answer_at_the_end),
        cmocka_unit_test(a_topic_that_does_not_fit_is_dropped_and_the_connection_lives),
        cmocka_unit_test(a_topic_that_just_fits_is_taken),
        cmocka_unit_test(what_another_client_did_wrong_costs_its_message_and_not_the_connection),
        cmocka_unit_test(correlation_data_that_does_not_fit_is_dropped_but_the_topic_is_told),
        cmocka_unit_test(an_alias_brings_back_the_route_that_the_caller_gave),
        cmocka_unit_test(aliases_end_with_their_connection),
        cmocka_unit_test(a_held_message_is_acknowledged_when_the_caller_says_so),
        cmocka_unit_test(a_broker_that_ignores_the_receive_maximum_is_cut_off),
        cmocka_unit_test(input_waits_while_the_puback_has_no_room),
        cmocka_unit_test(each_refusal_says_what_to_do_about_it),
        cmocka_unit_test(without_a_connection_input_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
