/*
 * A client with its buffers, and a transcript: every event becomes a line of text, so that two
 * runs over the same bytes can be compared whole. Payload pieces are joined, since how they are
 * cut is the caller's doing; input is copied to exact-size heap blocks, so that the address
 * sanitizer sees any read beyond them.
 */
#ifndef MUP_TEST_MQTT_RIG_H
#define MUP_TEST_MQTT_RIG_H

#include <stdio.h>

#include "support/cmocka_all.h"

#include "mup/mqtt.h"

#define RIG_LOG_SIZE 4096u

struct rig {
    struct mup_mqtt mqtt;
    uint8_t out[256];
    uint8_t head[64];
    char log[RIG_LOG_SIZE];
    size_t log_size;
    bool in_payload;
    bool acks_later;
    uint8_t route; /* what to answer to a message with a topic; 0: nothing */
    enum mup_status status;
    struct mup_mqtt_event event; /* the last one */
};

static inline void rig_print(struct rig *rig, const char *text, size_t size)
{
    assert_true(rig->log_size + size < RIG_LOG_SIZE);
    memcpy(rig->log + rig->log_size, text, size);
    rig->log_size += size;
    rig->log[rig->log_size] = '\0';
}

static inline void rig_number(struct rig *rig, const char *name, unsigned long value)
{
    char text[64];

    rig_print(rig, text, (size_t)snprintf(text, sizeof text, " %s=%lu", name, value));
}

static inline void rig_bytes(struct rig *rig, const char *name, const void *at, size_t size)
{
    rig_print(rig, " ", 1);
    rig_print(rig, name, strlen(name));
    rig_print(rig, "=", 1);
    rig_print(rig, at == NULL ? "" : at, size);
}

static inline void rig_line(struct rig *rig, const char *name)
{
    if (rig->log_size != 0)
        rig_print(rig, "\n", 1);
    rig->in_payload = false;
    rig_print(rig, name, strlen(name));
}

static inline void rig_message(struct rig *rig, const struct mup_mqtt_event *event)
{
    const struct mup_mqtt_message *message = &event->message;

    rig_bytes(rig, "topic", message->topic.at, message->topic.size);
    rig_number(rig, "qos", message->qos);
    rig_number(rig, "id", event->packet_id);
    rig_number(rig, "size", message->payload_size);
    if (message->route != 0)
        rig_number(rig, "route", message->route);
    if (message->is_dup)
        rig_print(rig, " dup", 4);
    if (message->is_retained)
        rig_print(rig, " retained", 9);
    if (message->response_topic.size != 0)
        rig_bytes(rig, "response", message->response_topic.at, message->response_topic.size);
    if (message->correlation.at != NULL)
        rig_bytes(rig, "correlation", message->correlation.at, message->correlation.size);
    if (rig->route != 0 && message->topic.size != 0)
        mup_mqtt_route(&rig->mqtt, rig->route);
    if (rig->acks_later)
        mup_mqtt_ack_later(&rig->mqtt);
}

static inline void rig_event(struct rig *rig, const struct mup_mqtt_event *event)
{
    rig->event = *event;
    switch (event->kind) {
    case MUP_MQTT_CONNECTED:
        rig_line(rig, "connected");
        rig_number(rig, "session", event->connected.session_present);
        rig_number(rig, "qos", event->connected.maximum_qos);
        rig_number(rig, "retain", event->connected.retain_available);
        rig_number(rig, "receive", event->connected.receive_maximum);
        rig_number(rig, "aliases", event->connected.topic_alias_maximum);
        rig_number(rig, "keepalive", event->connected.keep_alive_s);
        rig_number(rig, "packet", event->connected.maximum_packet_size);
        rig_number(rig, "expiry", event->connected.session_expiry_s);
        rig_bytes(rig, "client", event->connected.assigned_client_id.at,
                  event->connected.assigned_client_id.size);
        break;
    case MUP_MQTT_MESSAGE:
        rig_line(rig, "message");
        rig_message(rig, event);
        break;
    case MUP_MQTT_DROPPED:
        rig_line(rig, "dropped");
        rig_number(rig, "reason", event->reason);
        rig_message(rig, event);
        break;
    case MUP_MQTT_PAYLOAD:
        if (!rig->in_payload)
            rig_line(rig, "payload ");
        rig->in_payload = true;
        rig_print(rig, (const char *)event->payload.at, event->payload.size);
        break;
    case MUP_MQTT_MESSAGE_END:
        rig_line(rig, "end");
        rig_number(rig, "id", event->packet_id);
        break;
    case MUP_MQTT_PUBLISHED:
        rig_line(rig, "published");
        rig_number(rig, "id", event->packet_id);
        rig_number(rig, "reason", event->reason);
        break;
    case MUP_MQTT_SUBSCRIBED:
    case MUP_MQTT_UNSUBSCRIBED:
        rig_line(rig, event->kind == MUP_MQTT_SUBSCRIBED ? "subscribed" : "unsubscribed");
        rig_number(rig, "index", event->index);
        rig_number(rig, "reason", event->reason);
        break;
    case MUP_MQTT_CLOSED:
        rig_line(rig, "closed");
        rig_number(rig, "cause", event->cause);
        rig_number(rig, "reason", event->reason);
        break;
    }
}

/* Feeds one piece, from a heap block of just its size; rig->status is how it ended. */
static inline void rig_piece(struct rig *rig, uint32_t now_ms, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    size_t done = 0;
    size_t used;
    struct mup_mqtt_event event;

    assert_non_null(copy);
    if (size != 0)
        memcpy(copy, bytes, size);
    for (;;) {
        rig->status = mup_mqtt_input(&rig->mqtt, now_ms, copy + done, size - done, &used, &event);
        assert_true(used <= size - done);
        done += used;
        if (rig->status != MUP_OK)
            break;
        rig_event(rig, &event);
    }
    if (rig->status == MUP_ERR_SHORT)
        assert_int_equal(done, size);
    free(copy);
}

static inline void rig_log_clear(struct rig *rig)
{
    rig->log_size = 0;
    rig->log[0] = '\0';
    rig->in_payload = false;
}

static inline void rig_sent_all(struct rig *rig, uint32_t now_ms)
{
    mup_mqtt_sent(&rig->mqtt, now_ms, SIZE_MAX);
}

/* What waits to be sent is exactly these bytes; takes them. */
static inline void rig_expect_out(struct rig *rig, const uint8_t *bytes, size_t size)
{
    const uint8_t *out;

    assert_int_equal(mup_mqtt_output(&rig->mqtt, &out), size);
    if (size != 0)
        assert_memory_equal(out, bytes, size);
    rig_sent_all(rig, 0);
}

static inline struct mup_mqtt_options rig_options(void)
{
    struct mup_mqtt_options options = {0};

    options.client_id = mup_mqtt_text("d7");
    options.session_expiry_s = 3600;
    options.maximum_packet_size = 400;
    options.receive_maximum = 2;
    options.topic_alias_maximum = 3;
    options.keep_alive_s = 60;
    return options;
}

/* CONNECT is queued and sent. */
static inline void rig_connect(struct rig *rig, uint32_t now_ms,
                               const struct mup_mqtt_options *options)
{
    assert_int_equal(mup_mqtt_connect(&rig->mqtt, now_ms, options), MUP_OK);
    rig_sent_all(rig, now_ms);
}

/* CONNACK without properties, MQTT 5.0 section 3.2. */
static const uint8_t rig_connack[] = {0x20, 0x03, 0x00, 0x00, 0x00};

static inline void rig_begin(struct rig *rig)
{
    struct mup_mqtt_options options = rig_options();

    memset(rig, 0, sizeof *rig);
    assert_int_equal(
        mup_mqtt_init(&rig->mqtt, rig->out, sizeof rig->out, rig->head, sizeof rig->head), MUP_OK);
    rig_connect(rig, 0, &options);
}

static inline void rig_begin_connected(struct rig *rig)
{
    rig_begin(rig);
    rig_piece(rig, 0, rig_connack, sizeof rig_connack);
    assert_true(mup_mqtt_is_connected(&rig->mqtt));
    rig_log_clear(rig);
}

#endif
