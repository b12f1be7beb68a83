/*
 * What the files of the MQTT client share: states, steps of the parser, packet types.
 * Nothing here is for callers.
 */
#ifndef MUP_MQTT_INTERNAL_H
#define MUP_MQTT_INTERNAL_H

#include "mup/mqtt.h"

/* struct mup_mqtt.state */
enum {
    STATE_IDLE, /* no transport, or closed: input and output of packets are refused */
    STATE_CONNECTING,
    STATE_CONNECTED,
};

/* struct mup_mqtt.flags */
#define FLAG_WAITING     0x01u /* for CONNACK or PINGRESP, since waiting_ms */
#define FLAG_CLEAN_START 0x02u
#define FLAG_SESSION     0x04u /* CONNACK: session present */
#define FLAG_RETAIN      0x08u /* the broker keeps retained messages */
#define FLAG_UNSUBSCRIBE 0x10u /* subscribe_id is of an UNSUBSCRIBE */
#define FLAG_ACK_LATER   0x20u /* the caller acknowledges this message */
#define FLAG_TOPIC       0x40u /* this PUBLISH has a topic, be it stored or too long */

/* Control packet types, MQTT 5.0 table 2-1, as in the first byte. */
#define PACKET_CONNECT     0x10u
#define PACKET_CONNACK     0x20u
#define PACKET_PUBLISH     0x30u
#define PACKET_PUBACK      0x40u
#define PACKET_SUBSCRIBE   0x80u
#define PACKET_SUBACK      0x90u
#define PACKET_UNSUBSCRIBE 0xa0u
#define PACKET_UNSUBACK    0xb0u
#define PACKET_PINGREQ     0xc0u
#define PACKET_PINGRESP    0xd0u
#define PACKET_DISCONNECT  0xe0u

#define PUBLISH_DUP        0x08u
#define PUBLISH_QOS1       0x02u
#define PUBLISH_QOS        0x06u
#define PUBLISH_RETAIN     0x01u

#define VARINT_MAX         268435455u /* largest variable byte integer, four bytes */

/*
 * struct mup_mqtt.step: what the next byte is. The last three need no byte and follow when the
 * bytes before them are complete.
 */
enum {
    STEP_HEADER,          /* first byte of a packet */
    STEP_LENGTH,          /* remaining length */
    STEP_ACK_FLAGS,       /* CONNACK */
    STEP_REASON,          /* CONNACK, PUBACK, DISCONNECT */
    STEP_PACKET_ID,       /* two bytes */
    STEP_PROPERTIES_SIZE, /* variable byte integer */
    STEP_PROPERTY_ID,
    STEP_INTEGER,     /* a property of 1, 2 or 4 bytes */
    STEP_VARINT,      /* a property that is a variable byte integer */
    STEP_STRING_SIZE, /* of the topic or a property */
    STEP_STRING,
    STEP_CODES,   /* SUBACK, UNSUBACK: a reason code for each filter */
    STEP_PAYLOAD, /* PUBLISH */
    STEP_OPEN,    /* PUBLISH: all but the payload is here */
    STEP_FINISH,  /* the packet is complete */
};

/*
 * The properties that a broker may send; struct mup_mqtt.property and the bits of
 * struct mup_mqtt.seen. The topic is none, but is read by the same steps.
 */
enum {
    PROPERTY_PAYLOAD_FORMAT,
    PROPERTY_MESSAGE_EXPIRY,
    PROPERTY_CONTENT_TYPE,
    PROPERTY_RESPONSE_TOPIC,
    PROPERTY_CORRELATION,
    PROPERTY_SUBSCRIPTION_ID,
    PROPERTY_SESSION_EXPIRY,
    PROPERTY_CLIENT_ID,
    PROPERTY_KEEP_ALIVE,
    PROPERTY_RESPONSE_INFORMATION,
    PROPERTY_SERVER_REFERENCE,
    PROPERTY_REASON_STRING,
    PROPERTY_RECEIVE_MAXIMUM,
    PROPERTY_ALIAS_MAXIMUM,
    PROPERTY_ALIAS,
    PROPERTY_MAXIMUM_QOS,
    PROPERTY_RETAIN_AVAILABLE,
    PROPERTY_USER,
    PROPERTY_MAXIMUM_PACKET_SIZE,
    PROPERTY_WILDCARD_AVAILABLE,
    PROPERTY_SUBSCRIPTION_ID_AVAILABLE,
    PROPERTY_SHARED_AVAILABLE,
    PROPERTY_COUNT,
    PROPERTY_TOPIC = PROPERTY_COUNT,
    PROPERTY_USER_VALUE, /* the second string of a user property */
};

/* Property identifiers that we write, MQTT 5.0 table 2-4. */
#define ID_MESSAGE_EXPIRY      0x02u
#define ID_RESPONSE_TOPIC      0x08u
#define ID_CORRELATION         0x09u
#define ID_SESSION_EXPIRY      0x11u
#define ID_WILL_DELAY          0x18u
#define ID_RECEIVE_MAXIMUM     0x21u
#define ID_ALIAS_MAXIMUM       0x22u
#define ID_ALIAS               0x23u
#define ID_MAXIMUM_PACKET_SIZE 0x27u

static inline uint8_t mup_mqtt_packet_type(const struct mup_mqtt *mqtt)
{
    return mqtt->type_flags & 0xf0u;
}

/*
 * The parser's parts below return 0, or the reason code with which the connection must end.
 */

/* The property with this identifier begins: sets `property` and the step that reads its value. */
uint8_t mup_mqtt_property_begin(struct mup_mqtt *mqtt, uint8_t id);

/* The integer property that was read has `value`. */
uint8_t mup_mqtt_property_take(struct mup_mqtt *mqtt);

/* A string of `value` bytes begins, for `property`. */
void mup_mqtt_string_begin(struct mup_mqtt *mqtt);

/* The next byte of the string; after the last one `string_left` is 0. */
uint8_t mup_mqtt_string_take(struct mup_mqtt *mqtt, uint8_t byte);

/* True if `size` bytes of a new packet can be queued now. */
bool mup_mqtt_has_room(const struct mup_mqtt *mqtt, size_t size);

/* Queues a packet of up to 5 bytes, all or nothing. */
enum mup_status mup_mqtt_queue(struct mup_mqtt *mqtt, const uint8_t *packet, uint8_t size);

/* Queues PUBACK. */
enum mup_status mup_mqtt_queue_puback(struct mup_mqtt *mqtt, uint16_t packet_id, uint8_t reason);

/* Frees the id if it is in flight. */
bool mup_mqtt_in_flight_free(struct mup_mqtt *mqtt, uint16_t packet_id);

/* Ends the connection and says why. */
void mup_mqtt_close(struct mup_mqtt *mqtt, struct mup_mqtt_event *event, enum mup_mqtt_cause cause,
                    uint8_t reason);

#endif
