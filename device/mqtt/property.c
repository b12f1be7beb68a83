/*
 * The properties that a broker may send (MQTT 5.0 section 2.2.2.2), where each is allowed, and the
 * reading of strings. What the client has no use for is checked like the rest and not stored.
 */
#include "mqtt_internal.h"

#define IN_CONNACK    0x01u
#define IN_PUBLISH    0x02u
#define IN_ACK        0x04u /* PUBACK, SUBACK, UNSUBACK */
#define IN_DISCONNECT 0x08u
#define REPEATS       0x10u

enum {
    TYPE_BOOL = 0x20u, /* one byte, 0 or 1 */
    TYPE_U16 = 0x40u,
    TYPE_U32 = 0x60u,
    TYPE_VARINT = 0x80u,
    TYPE_STRING = 0xa0u,
    TYPE_BINARY = 0xc0u,
    TYPE_PAIR = 0xe0u,
    TYPE_MASK = 0xe0u,
};

struct property {
    uint8_t id;
    uint8_t rules;
};

/* MQTT 5.0 table 2-4, without what only a client sends. All properties of one byte that a broker
 * may send allow 0 and 1 only (sections 3.2.2.3.4, .5, .11, .12, .13 and 3.3.2.3.2). */
static const struct property properties[PROPERTY_COUNT] = {
    [PROPERTY_PAYLOAD_FORMAT] = {0x01, TYPE_BOOL | IN_PUBLISH},
    [PROPERTY_MESSAGE_EXPIRY] = {ID_MESSAGE_EXPIRY, TYPE_U32 | IN_PUBLISH},
    [PROPERTY_CONTENT_TYPE] = {0x03, TYPE_STRING | IN_PUBLISH},
    [PROPERTY_RESPONSE_TOPIC] = {ID_RESPONSE_TOPIC, TYPE_STRING | IN_PUBLISH},
    [PROPERTY_CORRELATION] = {ID_CORRELATION, TYPE_BINARY | IN_PUBLISH},
    [PROPERTY_SUBSCRIPTION_ID] = {0x0b, TYPE_VARINT | IN_PUBLISH | REPEATS},
    [PROPERTY_SESSION_EXPIRY] = {ID_SESSION_EXPIRY, TYPE_U32 | IN_CONNACK},
    [PROPERTY_CLIENT_ID] = {0x12, TYPE_STRING | IN_CONNACK},
    [PROPERTY_KEEP_ALIVE] = {0x13, TYPE_U16 | IN_CONNACK},
    [PROPERTY_RESPONSE_INFORMATION] = {0x1a, TYPE_STRING | IN_CONNACK},
    [PROPERTY_SERVER_REFERENCE] = {0x1c, TYPE_STRING | IN_CONNACK | IN_DISCONNECT},
    [PROPERTY_REASON_STRING] = {0x1f, TYPE_STRING | IN_CONNACK | IN_ACK | IN_DISCONNECT},
    [PROPERTY_RECEIVE_MAXIMUM] = {ID_RECEIVE_MAXIMUM, TYPE_U16 | IN_CONNACK},
    [PROPERTY_ALIAS_MAXIMUM] = {ID_ALIAS_MAXIMUM, TYPE_U16 | IN_CONNACK},
    [PROPERTY_ALIAS] = {ID_ALIAS, TYPE_U16 | IN_PUBLISH},
    [PROPERTY_MAXIMUM_QOS] = {0x24, TYPE_BOOL | IN_CONNACK},
    [PROPERTY_RETAIN_AVAILABLE] = {0x25, TYPE_BOOL | IN_CONNACK},
    [PROPERTY_USER] = {0x26,
                       TYPE_PAIR | IN_CONNACK | IN_PUBLISH | IN_ACK | IN_DISCONNECT | REPEATS},
    [PROPERTY_MAXIMUM_PACKET_SIZE] = {ID_MAXIMUM_PACKET_SIZE, TYPE_U32 | IN_CONNACK},
    [PROPERTY_WILDCARD_AVAILABLE] = {0x28, TYPE_BOOL | IN_CONNACK},
    [PROPERTY_SUBSCRIPTION_ID_AVAILABLE] = {0x29, TYPE_BOOL | IN_CONNACK},
    [PROPERTY_SHARED_AVAILABLE] = {0x2a, TYPE_BOOL | IN_CONNACK},
};

static uint8_t place_of(uint8_t type)
{
    switch (type) {
    case PACKET_CONNACK:
        return IN_CONNACK;
    case PACKET_PUBLISH:
        return IN_PUBLISH;
    case PACKET_DISCONNECT:
        return IN_DISCONNECT;
    default:
        return IN_ACK;
    }
}

uint8_t mup_mqtt_property_begin(struct mup_mqtt *mqtt, uint8_t id)
{
    uint8_t i = 0;
    uint8_t rules;

    while (i < PROPERTY_COUNT && properties[i].id != id)
        i++;
    if (i == PROPERTY_COUNT)
        return MUP_MQTT_REASON_MALFORMED;
    rules = properties[i].rules;
    if ((rules & place_of(mup_mqtt_packet_type(mqtt))) == 0)
        return MUP_MQTT_REASON_MALFORMED;
    if ((mqtt->seen & (UINT32_C(1) << i)) != 0 && (rules & REPEATS) == 0)
        return MUP_MQTT_REASON_PROTOCOL;

    mqtt->seen |= UINT32_C(1) << i;
    mqtt->property = i;
    mqtt->value = 0;
    mqtt->step = STEP_INTEGER;
    switch (rules & TYPE_MASK) {
    case TYPE_BOOL:
        mqtt->digits = 1;
        break;
    case TYPE_U16:
        mqtt->digits = 2;
        break;
    case TYPE_U32:
        mqtt->digits = 4;
        break;
    case TYPE_VARINT:
        mqtt->digits = 0;
        mqtt->step = STEP_VARINT;
        break;
    default:
        mqtt->digits = 2;
        mqtt->step = STEP_STRING_SIZE;
        break;
    }
    return 0;
}

/* Where 0 would mean "nothing at all", it is forbidden (sections 3.2.2.3.3, .6, 3.3.2.3.8). */
#define NOT_ZERO                                                                         \
    (UINT32_C(1) << PROPERTY_SUBSCRIPTION_ID | UINT32_C(1) << PROPERTY_RECEIVE_MAXIMUM | \
     UINT32_C(1) << PROPERTY_MAXIMUM_PACKET_SIZE)

/* A message that is wrong by its publisher's fault, not the broker's: mosquitto 2.0.11 hands it on
 * as it came. It is refused alone, for if it ended the connection, a message of QoS 1 would come
 * again after each reconnection and end that, too. */
static void drop(struct mup_mqtt *mqtt, uint8_t reason)
{
    if (mqtt->drop_reason == 0)
        mqtt->drop_reason = reason;
}

uint8_t mup_mqtt_property_take(struct mup_mqtt *mqtt)
{
    uint32_t value = mqtt->value;
    bool is_bool = (properties[mqtt->property].rules & TYPE_MASK) == TYPE_BOOL;

    if (mqtt->property == PROPERTY_PAYLOAD_FORMAT && value > 1) {
        drop(mqtt, MUP_MQTT_REASON_PAYLOAD_FORMAT_INVALID);
        return 0;
    }
    if ((value == 0 && (UINT32_C(1) << mqtt->property & NOT_ZERO) != 0) || (is_bool && value > 1))
        return MUP_MQTT_REASON_PROTOCOL;
    switch (mqtt->property) {
    case PROPERTY_SESSION_EXPIRY:
        mqtt->session_expiry_s = value;
        return 0;
    case PROPERTY_KEEP_ALIVE:
        mqtt->keep_alive_s = (uint16_t)value; /* MQTT-3.2.2-21 */
        return 0;
    case PROPERTY_RECEIVE_MAXIMUM:
        mqtt->server_receive_max = (uint16_t)value;
        return 0;
    case PROPERTY_ALIAS_MAXIMUM:
        mqtt->server_alias_max = (uint16_t)value;
        return 0;
    case PROPERTY_ALIAS:
        mqtt->alias = (uint8_t)value; /* MQTT-3.3.2-8, MQTT-3.3.2-10 */
        return value == 0 || value > mqtt->alias_max ? MUP_MQTT_REASON_TOPIC_ALIAS_INVALID : 0;
    case PROPERTY_MAXIMUM_QOS:
        mqtt->server_qos_max = (uint8_t)value;
        return 0;
    case PROPERTY_RETAIN_AVAILABLE:
        if (value == 0)
            mqtt->flags &= (uint8_t)~FLAG_RETAIN;
        return 0;
    case PROPERTY_MAXIMUM_PACKET_SIZE:
        mqtt->server_packet_size_max = value;
        return 0;
    default:
        return 0;
    }
}

/* ---- Strings --------------------------------------------------------------------------- */

/* Where a string of this property is kept; NULL: nowhere. */
static struct mup_mqtt_span *span_of(struct mup_mqtt *mqtt)
{
    switch (mqtt->property) {
    case PROPERTY_TOPIC:
        return &mqtt->topic;
    case PROPERTY_RESPONSE_TOPIC:
        return &mqtt->response;
    case PROPERTY_CORRELATION:
    case PROPERTY_CLIENT_ID:
        return &mqtt->correlation;
    default:
        return NULL;
    }
}

void mup_mqtt_string_begin(struct mup_mqtt *mqtt)
{
    struct mup_mqtt_span *span = span_of(mqtt);

    mqtt->string_left = (uint16_t)mqtt->value;
    mqtt->utf8_left = 0;
    if (span == NULL)
        return;
    if (mqtt->string_left > mqtt->head_capacity - mqtt->head_size) {
        drop(mqtt, mqtt->property == PROPERTY_TOPIC ? MUP_MQTT_REASON_TOPIC_NAME_INVALID
                                                    : MUP_MQTT_REASON_IMPLEMENTATION);
        return;
    }
    span->at = mqtt->head_size;
    span->size = mqtt->string_left;
}

/* The first byte of a character: how many follow, and the range of the second (RFC 3629). */
static bool utf8_lead(struct mup_mqtt *mqtt, uint8_t byte)
{
    mqtt->utf8_min = 0x80;
    mqtt->utf8_max = 0xbf;
    if (byte < 0x80)
        return byte != 0; /* MQTT-1.5.4-2 */
    if (byte < 0xc2 || byte > 0xf4)
        return false;
    mqtt->utf8_left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte == 0xe0)
        mqtt->utf8_min = 0xa0;
    else if (byte == 0xed)
        mqtt->utf8_max = 0x9f; /* no surrogates, MQTT-1.5.4-1 */
    else if (byte == 0xf0)
        mqtt->utf8_min = 0x90;
    else if (byte == 0xf4)
        mqtt->utf8_max = 0x8f;
    return true;
}

static bool utf8_take(struct mup_mqtt *mqtt, uint8_t byte)
{
    if (mqtt->utf8_left == 0)
        return utf8_lead(mqtt, byte);
    if (byte < mqtt->utf8_min || byte > mqtt->utf8_max)
        return false;
    mqtt->utf8_min = 0x80;
    mqtt->utf8_max = 0xbf;
    mqtt->utf8_left--;
    return true;
}

uint8_t mup_mqtt_string_take(struct mup_mqtt *mqtt, uint8_t byte)
{
    const struct mup_mqtt_span *span = span_of(mqtt);
    bool is_wildcard = byte == '+' || byte == '#';

    mqtt->string_left--;
    if (mqtt->property != PROPERTY_CORRELATION) {
        if (!utf8_take(mqtt, byte) || (mqtt->string_left == 0 && mqtt->utf8_left != 0))
            return MUP_MQTT_REASON_MALFORMED;
        if (is_wildcard && mqtt->property == PROPERTY_TOPIC)
            return MUP_MQTT_REASON_TOPIC_NAME_INVALID; /* MQTT-3.3.2-2 */
        if (is_wildcard && mqtt->property == PROPERTY_RESPONSE_TOPIC)
            drop(mqtt, MUP_MQTT_REASON_TOPIC_NAME_INVALID); /* MQTT-3.3.2-14 */
    }
    if (span != NULL && span->size != 0)
        mqtt->head[mqtt->head_size++] = byte;
    return 0;
}
