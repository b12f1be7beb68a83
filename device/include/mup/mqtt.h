/*
 * A streaming MQTT 5 client for a device with a few kilobytes of RAM.
 *
 * It does no I/O, keeps no clock and owns no memory: bytes from the broker go in and come out as
 * events, bytes for the broker lie in a buffer of the caller's, the time is an argument. A message
 * is handed over while it arrives, its payload as pieces of the caller's own input, so that it may
 * be larger than all of the RAM. One client is one struct mup_mqtt; it has no pointer into itself
 * and may be static. Reference: OASIS MQTT Version 5.0; "MQTT-x.y.z-n" names its clauses.
 *
 * ORDER OF CALLS
 *
 *   mup_mqtt_init(&mqtt, out, sizeof out, head, sizeof head);        once
 *   for each connection of the transport:
 *       mup_mqtt_connect(&mqtt, now_ms, &options);                   queues CONNECT
 *       until MUP_MQTT_CLOSED, or the transport is lost (mup_mqtt_lost):
 *           size = mup_mqtt_output(&mqtt, &bytes);                   send as many as the transport
 *           mup_mqtt_sent(&mqtt, now_ms, sent);                      takes, then say how many
 *           bytes came in: the loop below
 *           mup_mqtt_wait_ms(&mqtt, now_ms) ms went by: mup_mqtt_tick(&mqtt, now_ms, &event)
 *       after MUP_MQTT_CLOSED: send what mup_mqtt_output still has, close the transport.
 *
 * The loop for incoming bytes. Go on when `size` has become 0: the end of a message is an event of
 * its own and needs no byte.
 *
 *   for (;;) {
 *       status = mup_mqtt_input(&mqtt, now_ms, bytes, size, &used, &event);
 *       bytes += used, size -= used;
 *       if (status != MUP_OK)
 *           break;                 MUP_ERR_SHORT: all bytes are used, nothing more to tell
 *       handle(&event);
 *   }
 *
 * QOS. 0 and 1 in both directions. 2 is not offered: subscriptions ask for at most 1.
 *   Inbound QoS 1: the PUBACK is in the output when MUP_MQTT_MESSAGE_END is returned and leaves
 *   with the next bytes sent, so handle the event before you send. To answer later, or with a
 *   reason, call mup_mqtt_ack_later() between MUP_MQTT_MESSAGE and MUP_MQTT_MESSAGE_END, then
 *   mup_mqtt_ack(). A broker repeats what was not acknowledged: `is_dup` says "perhaps a repeat".
 *   Outbound QoS 1: the client keeps the packet id, the caller keeps the message, until
 *   MUP_MQTT_PUBLISHED. After a reconnect with `session_present` the caller publishes it again
 *   with that id (MQTT-4.4.0-1); without, as a new message: the client has forgotten the ids.
 *
 * WHAT SURVIVES. Nothing is stored here. After a reboot the client's session state is empty, and
 *   the broker's (subscriptions, queued messages) goes on under the same client id if the
 *   connection is opened with `clean_start` false and a `session_expiry_s`.
 *
 * HOSTILE INPUT. Every byte from the broker is checked. What the standard forbids ends the
 *   connection: a DISCONNECT with the reason is queued and MUP_MQTT_CLOSED is returned. What is
 *   legal but too large for `head` is dropped: MUP_MQTT_DROPPED, and a PUBACK with a reason. So is
 *   what brokers hand on unchecked from another client: a wildcard in the Response Topic, a Payload
 *   Format Indicator above 1. One message must not end every connection of a kept session.
 */
#ifndef MUP_MQTT_H
#define MUP_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"

#define MUP_MQTT_ALIAS_COUNT       8u  /* topic aliases, at most, in each direction */
#define MUP_MQTT_IN_FLIGHT_COUNT   4u  /* own QoS 1 messages not yet acknowledged, at most */
#define MUP_MQTT_OUT_SIZE_MIN      16u /* below this, mup_mqtt_init() refuses the output buffer */

#define MUP_MQTT_SESSION_FOREVER_S 0xffffffffu
#define MUP_MQTT_WAIT_FOREVER_MS   0xffffffffu

/* What a topic is to the caller: 1..254 are the caller's own numbers, see mup_mqtt_route(). */
#define MUP_MQTT_ROUTE_NONE    0u   /* not known yet: look at the topic */
#define MUP_MQTT_ROUTE_UNKNOWN 255u /* sent by an alias whose topic the caller did not know */

/* The reason codes that a caller may want to send or to compare with (table 2-6). */
#define MUP_MQTT_REASON_SUCCESS                 0x00u
#define MUP_MQTT_REASON_DISCONNECT_WITH_WILL    0x04u
#define MUP_MQTT_REASON_NO_MATCHING_SUBSCRIBERS 0x10u
#define MUP_MQTT_REASON_UNSPECIFIED             0x80u
#define MUP_MQTT_REASON_MALFORMED               0x81u
#define MUP_MQTT_REASON_PROTOCOL                0x82u
#define MUP_MQTT_REASON_IMPLEMENTATION          0x83u
#define MUP_MQTT_REASON_NOT_AUTHORIZED          0x87u
#define MUP_MQTT_REASON_KEEP_ALIVE_TIMEOUT      0x8du
#define MUP_MQTT_REASON_TOPIC_NAME_INVALID      0x90u
#define MUP_MQTT_REASON_RECEIVE_MAXIMUM         0x93u
#define MUP_MQTT_REASON_TOPIC_ALIAS_INVALID     0x94u
#define MUP_MQTT_REASON_PACKET_TOO_LARGE        0x95u
#define MUP_MQTT_REASON_QUOTA_EXCEEDED          0x97u
#define MUP_MQTT_REASON_PAYLOAD_FORMAT_INVALID  0x99u

/* A run of bytes that somebody else owns: UTF-8 text without a final NUL, or binary data. */
struct mup_mqtt_bytes {
    const void *at;
    uint16_t size;
};

/* The bytes of a C string; at most 65,535 of them. */
static inline struct mup_mqtt_bytes mup_mqtt_text(const char *text)
{
    struct mup_mqtt_bytes bytes = {text, 0};

    while (bytes.size < UINT16_MAX && text[bytes.size] != '\0')
        bytes.size++;
    return bytes;
}

/* ---- Events ---------------------------------------------------------------------------- */

enum mup_mqtt_event_kind {
    MUP_MQTT_CONNECTED = 1, /* `connected`: the broker took us; publish and subscribe now */
    MUP_MQTT_MESSAGE,       /* `message`: a PUBLISH begins; its payload follows */
    MUP_MQTT_PAYLOAD,       /* `payload`: the next piece, never empty */
    MUP_MQTT_MESSAGE_END,   /* the message is complete; `packet_id` as at its begin */
    MUP_MQTT_DROPPED,       /* `message`, but it did not fit `head` or is wrong: no more follows */
    MUP_MQTT_PUBLISHED,     /* PUBACK for our `packet_id`; `reason` >= 0x80: refused, give up */
    MUP_MQTT_SUBSCRIBED,   /* one filter of a SUBSCRIBE: `index`, `reason` = granted QoS or error */
    MUP_MQTT_UNSUBSCRIBED, /* one filter of an UNSUBSCRIBE: `index`, `reason` */
    MUP_MQTT_CLOSED,       /* `cause`, `reason`: send the rest of the output, close, reconnect */
};

/* Why a connection ended, in terms of what to do about it. `reason` has the exact code. */
enum mup_mqtt_cause {
    MUP_MQTT_CAUSE_CREDENTIALS = 1, /* refused: name, password, client id, ban. Retry rarely */
    MUP_MQTT_CAUSE_BUSY,            /* broker busy, shutting down, moved. Retry with backoff */
    MUP_MQTT_CAUSE_TAKEN_OVER,      /* somebody connected with our client id. Retry rarely */
    MUP_MQTT_CAUSE_REFUSED,         /* the broker does not take what we send. Retry rarely */
    MUP_MQTT_CAUSE_PROTOCOL,        /* the broker sent what MQTT forbids. Retry with backoff */
    MUP_MQTT_CAUSE_SILENT,          /* no answer in time: half-open link. Retry with backoff */
};

/* What the broker granted; the client already obeys all of it. */
struct mup_mqtt_connected {
    bool session_present;         /* false: subscribe again, publish again as new */
    uint8_t maximum_qos;          /* of what we publish: 0 or 1 */
    bool retain_available;        /* false: a publish with `retain` is refused (MUP_ERR_RANGE) */
    uint16_t receive_maximum;     /* QoS 1 messages of ours in flight, for the broker */
    uint16_t topic_alias_maximum; /* 0: it takes no aliases */
    uint16_t keep_alive_s;        /* the one in force; 0: none */
    uint32_t maximum_packet_size; /* 0xffffffff: no limit */
    uint32_t session_expiry_s;    /* the one in force */
    struct mup_mqtt_bytes assigned_client_id; /* if we sent none, and it fits `head`; in `head` */
};

/*
 * The begin of a message. The bytes lie in `head` and stay valid until the call of
 * mup_mqtt_input() after the one that returned MUP_MQTT_MESSAGE_END: an answer published at the
 * end may use `response_topic` and `correlation`.
 */
struct mup_mqtt_message {
    struct mup_mqtt_bytes topic;          /* size 0: sent by alias, `route` says which */
    struct mup_mqtt_bytes response_topic; /* size 0: none */
    struct mup_mqtt_bytes correlation;    /* at NULL: none */
    uint32_t payload_size;                /* of the whole message */
    uint8_t route;                        /* MUP_MQTT_ROUTE_NONE, or what mup_mqtt_route() said */
    uint8_t qos;                          /* 0 or 1 */
    bool is_retained;                     /* kept by the broker: not asked for just now */
    bool is_dup;                          /* perhaps delivered before */
};

struct mup_mqtt_payload {
    const uint8_t *at; /* into the caller's input */
    size_t size;
    uint32_t offset; /* of `at` from the start of the message's payload */
};

struct mup_mqtt_event {
    enum mup_mqtt_event_kind kind;
    enum mup_mqtt_cause cause; /* CLOSED */
    uint16_t packet_id;        /* 0: QoS 0 */
    uint8_t reason;            /* MQTT reason code */
    uint8_t index;             /* SUBSCRIBED, UNSUBSCRIBED: which filter of the list */
    union {
        struct mup_mqtt_connected connected;
        struct mup_mqtt_message message;
        struct mup_mqtt_payload payload;
    };
};

/* ---- The context ----------------------------------------------------------------------- */

/* A place in `head`. */
struct mup_mqtt_span {
    uint16_t at;
    uint16_t size;
};

/*
 * All fields are private; the struct is visible so that it can be static and measured. Bytes come
 * first, then halfwords, then words: a Cortex-M0 reaches those near the start in one instruction
 * (a byte up to offset 31), which is worth several hundred bytes of code.
 */
struct mup_mqtt {
    uint8_t state;
    uint8_t flags;
    uint8_t step; /* of the parser */
    uint8_t type_flags;
    uint8_t digits; /* bytes of `value` still to come, or its shift */
    uint8_t property;
    uint8_t utf8_left;
    uint8_t utf8_min;
    uint8_t utf8_max;
    uint8_t alias;
    uint8_t reason;
    uint8_t index;
    uint8_t drop_reason; /* of a message that does not fit `head`, else 0 */
    uint8_t alias_max;   /* what we announced */
    uint8_t server_qos_max;
    uint8_t in_flight_sent; /* bit per entry: sent on this connection */
    uint8_t subscribe_count;
    uint8_t out_alias_set; /* bit n: alias n + 1 was sent on this connection */

    uint16_t out_capacity;
    uint16_t out_size;
    uint16_t head_capacity;
    uint16_t head_size;
    uint16_t string_left;
    uint16_t packet_id;   /* of the packet being received */
    uint16_t receive_max; /* what we announced */
    uint16_t held_count;  /* inbound QoS 1 messages that have no PUBACK yet */
    uint16_t keep_alive_s;
    uint16_t server_receive_max;
    uint16_t server_alias_max;
    uint16_t next_packet_id;
    uint16_t subscribe_id; /* of the SUBSCRIBE or UNSUBSCRIBE under way, or 0 */
    struct mup_mqtt_span topic;
    struct mup_mqtt_span response;
    struct mup_mqtt_span correlation; /* also the assigned client id */

    uint8_t *out;
    uint8_t *head;
    uint32_t left;            /* bytes of the packet still to come */
    uint32_t properties_left; /* bytes of its properties still to come */
    uint32_t value;           /* integer being put together */
    uint32_t seen;            /* bit per property */
    uint32_t payload_at;
    uint32_t packet_size_max; /* what we announced */
    uint32_t server_packet_size_max;
    uint32_t publish_left; /* payload bytes of an open publish that are still to come */
    uint32_t sent_ms;      /* when bytes last left */
    uint32_t received_ms;  /* when bytes last came */
    uint32_t waiting_ms;   /* since when we wait for CONNACK or PINGRESP */
    uint32_t response_timeout_ms;
    uint32_t session_expiry_s;

    uint16_t in_flight[MUP_MQTT_IN_FLIGHT_COUNT];
    uint8_t route[MUP_MQTT_ALIAS_COUNT]; /* of each inbound alias */
};

/* ---- Life ------------------------------------------------------------------------------ */

/*
 * Gives the client its memory: `out` for packets to be sent, `head` for topic, response topic and
 * correlation data of the message that is being received (together). Both belong to the client
 * until the caller has no more use for it. Good sizes: `out` 256 (it must hold the CONNECT and the
 * largest packet that is published in one piece), `head` 192. Sizes above 65,535 count as 65,535.
 * MUP_ERR_SPACE: `out` is below MUP_MQTT_OUT_SIZE_MIN.
 */
MUP_MUST_CHECK enum mup_status mup_mqtt_init(struct mup_mqtt *mqtt, uint8_t *out, size_t out_size,
                                             uint8_t *head, size_t head_size);

struct mup_mqtt_will {
    struct mup_mqtt_bytes topic; /* size 0: no will */
    struct mup_mqtt_bytes payload;
    uint32_t delay_s;
    uint8_t qos; /* 0 or 1 */
    bool retain;
};

struct mup_mqtt_options {
    struct mup_mqtt_bytes client_id; /* size 0: the broker chooses one */
    struct mup_mqtt_bytes user_name; /* at NULL: none */
    struct mup_mqtt_bytes password;  /* at NULL: none */
    struct mup_mqtt_will will;
    uint32_t session_expiry_s;    /* 0: the session ends with the connection */
    uint32_t maximum_packet_size; /* of what the broker may send, whole packet; 0: no limit */
    uint32_t response_timeout_ms; /* for CONNACK and PINGRESP; 0: MUP_MQTT_RESPONSE_TIMEOUT_MS */
    uint16_t keep_alive_s;        /* 0: none, a dead link is then never noticed */
    uint16_t receive_maximum;     /* unacknowledged QoS 1 from the broker; 0: 65,535 */
    uint16_t topic_alias_maximum; /* inbound; above MUP_MQTT_ALIAS_COUNT counts as that */
    bool clean_start;             /* true: throw the old session away */
};

#define MUP_MQTT_RESPONSE_TIMEOUT_MS     10000u
#define MUP_MQTT_RESPONSE_TIMEOUT_MS_MAX 3600000u /* longer counts as this */

/*
 * The transport is connected anew: forgets the old connection with all its unsent output, and
 * queues CONNECT. Nothing of `options` is needed after the call. The ids of own messages in flight
 * are kept until CONNACK says whether the session went on.
 * MUP_ERR_SPACE: CONNECT does not fit `out`. MUP_ERR_RANGE: a will with QoS above 1.
 */
MUP_MUST_CHECK enum mup_status mup_mqtt_connect(struct mup_mqtt *mqtt, uint32_t now_ms,
                                                const struct mup_mqtt_options *options);

/* The transport was lost: forgets the connection and its unsent output. No event follows. */
void mup_mqtt_lost(struct mup_mqtt *mqtt);

/*
 * Queues DISCONNECT; MUP_MQTT_REASON_DISCONNECT_WITH_WILL makes the broker publish the will. Then
 * send the output and close the transport; there is no MUP_MQTT_CLOSED for it.
 * MUP_ERR_BUSY: no room, or a publish is open; send first, or just close the transport.
 * MUP_ERR_STATE: not connected.
 */
MUP_MUST_CHECK enum mup_status mup_mqtt_disconnect(struct mup_mqtt *mqtt, uint8_t reason);

/* True from MUP_MQTT_CONNECTED until the connection ends. */
bool mup_mqtt_is_connected(const struct mup_mqtt *mqtt);

/* ---- Bytes and time -------------------------------------------------------------------- */

/*
 * Takes bytes from the broker, up to and including the next event. `*used` is always written: so
 * many bytes are done with and must not be offered again.
 *
 *   MUP_OK         `*event` is written. Call again with the rest, also if the rest is empty.
 *   MUP_ERR_SHORT  All bytes are used; no event. Call again when more have come.
 *   MUP_ERR_BUSY   A PUBACK has no room in the output, or a publish of ours is open. Finish the
 *                  publish, send, and call again with the bytes that were not used.
 *   MUP_ERR_STATE  There is no connection (before mup_mqtt_connect(), after MUP_MQTT_CLOSED).
 *                  Nothing is used; throw the bytes away.
 */
MUP_MUST_CHECK enum mup_status mup_mqtt_input(struct mup_mqtt *mqtt, uint32_t now_ms,
                                              const uint8_t *bytes, size_t size, size_t *used,
                                              struct mup_mqtt_event *event);

/* The bytes to be sent, in `*bytes`; how many. They stay in place until the next call. */
size_t mup_mqtt_output(const struct mup_mqtt *mqtt, const uint8_t **bytes);

/* The transport has taken the first `size` bytes of the output (more than there are: all). */
void mup_mqtt_sent(struct mup_mqtt *mqtt, uint32_t now_ms, size_t size);

/*
 * Lets time pass: queues PINGREQ on an idle link, notices a dead one.
 * MUP_OK: `*event` is MUP_MQTT_CLOSED. MUP_ERR_SHORT: nothing to tell. Calling it more often than
 * mup_mqtt_wait_ms() asks does no harm.
 * The clock may wrap; two calls must be less than 2^31 ms (24 days) apart.
 */
MUP_MUST_CHECK enum mup_status mup_mqtt_tick(struct mup_mqtt *mqtt, uint32_t now_ms,
                                             struct mup_mqtt_event *event);

/* In how many ms mup_mqtt_tick() has something to do; MUP_MQTT_WAIT_FOREVER_MS if never. */
uint32_t mup_mqtt_wait_ms(const struct mup_mqtt *mqtt, uint32_t now_ms);

/* ---- Messages received ----------------------------------------------------------------- */

/*
 * Says, while a MUP_MQTT_MESSAGE with a topic is handled, what that topic is: 1..254. If the
 * broker gave the topic an alias, later messages by that alias arrive with this `route` and
 * without topic, so that nobody has to keep topics. Call it always; without an alias it does
 * nothing. A topic that got no route arrives by its alias as MUP_MQTT_ROUTE_UNKNOWN.
 */
void mup_mqtt_route(struct mup_mqtt *mqtt, uint8_t route);

/* Between MUP_MQTT_MESSAGE and its end: no PUBACK by itself, mup_mqtt_ack() comes later. */
void mup_mqtt_ack_later(struct mup_mqtt *mqtt);

/*
 * Queues PUBACK for a message after mup_mqtt_ack_later(). Forget held ids when the connection
 * ends: the broker repeats those messages.
 * MUP_ERR_BUSY: no room, or a publish is open; send, try again. MUP_ERR_STATE: not connected, or
 * nothing is held.
 */
MUP_MUST_CHECK enum mup_status mup_mqtt_ack(struct mup_mqtt *mqtt, uint16_t packet_id,
                                            uint8_t reason);

/* ---- Messages sent --------------------------------------------------------------------- */

struct mup_mqtt_publish {
    bool retain;
    uint8_t qos;                          /* 0 or 1 */
    uint8_t alias;                        /* 0: none; 1..MUP_MQTT_ALIAS_COUNT, always the same
                                             for a topic. Not used if the broker takes fewer */
    uint16_t packet_id;                   /* QoS 1: 0 for new; the old id for a repeat (DUP) */
    struct mup_mqtt_bytes topic;          /* without wildcards */
    struct mup_mqtt_bytes response_topic; /* size 0: none */
    struct mup_mqtt_bytes correlation;    /* at NULL: none */
    const void *payload;                  /* NULL: comes by mup_mqtt_publish_more() */
    uint32_t payload_size;                /* of the whole message */
    uint32_t expiry_s;                    /* 0: never */
};

/*
 * Queues a PUBLISH. `packet_id` may be NULL for QoS 0; for QoS 1 it receives the id that
 * MUP_MQTT_PUBLISHED will name. The bytes are copied. With `payload` NULL and `payload_size` not 0
 * the message stays open until mup_mqtt_publish_more() has delivered it all; nothing else is
 * queued meanwhile.
 * MUP_ERR_BUSY: no room now, a publish is open, or too many in flight: send, take input, try again.
 * MUP_ERR_SPACE: would not fit an empty `out` either.
 * MUP_ERR_RANGE: more than the broker takes (packet size, QoS, retain) or QoS above 1.
 * MUP_ERR_STATE: not connected, or `packet_id` is not in flight.
 */
MUP_MUST_CHECK enum mup_status mup_mqtt_publish(struct mup_mqtt *mqtt, uint16_t *packet_id,
                                                const struct mup_mqtt_publish *message);

/*
 * The next payload bytes of an open publish: takes as many as there is room for and returns how
 * many. 0: send the output, then go on.
 */
size_t mup_mqtt_publish_more(struct mup_mqtt *mqtt, const void *bytes, size_t size);

/*
 * Gives up repeating a QoS 1 message whose content the caller no longer has, and frees its id.
 * The message is then delivered at most once.
 */
void mup_mqtt_forget(struct mup_mqtt *mqtt, uint16_t packet_id);

/* ---- Subscriptions --------------------------------------------------------------------- */

struct mup_mqtt_filter {
    struct mup_mqtt_bytes topic;
    uint8_t qos;   /* at most: 0 or 1 */
    bool no_local; /* not what we publish ourselves */
};

/*
 * Queues SUBSCRIBE for 1..255 filters, with Retain Handling 2: retained messages are not sent.
 * One MUP_MQTT_SUBSCRIBED follows for each filter, in order; until the last, no other SUBSCRIBE or
 * UNSUBSCRIBE is taken (MUP_ERR_BUSY). Errors as mup_mqtt_publish().
 */
MUP_MUST_CHECK enum mup_status
mup_mqtt_subscribe(struct mup_mqtt *mqtt, const struct mup_mqtt_filter *filters, uint8_t count);

/* Queues UNSUBSCRIBE (only `topic` of each filter counts); MUP_MQTT_UNSUBSCRIBED follows. */
MUP_MUST_CHECK enum mup_status
mup_mqtt_unsubscribe(struct mup_mqtt *mqtt, const struct mup_mqtt_filter *filters, uint8_t count);

#endif
