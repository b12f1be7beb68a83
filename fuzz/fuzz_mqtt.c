/*
 * Bytes of a hostile broker into the MQTT client, once in one piece and once in cuts. Both runs
 * must tell the same story; a message's payload must come in order, all of it, from the input; the
 * output must stay in its buffer. The first two bytes choose how the client is set up and the cuts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mup/mqtt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

#define SETUP_CONNECTED   0x01u /* CONNACK came already */
#define SETUP_ACKS_LATER  0x02u
#define SETUP_ROUTES      0x04u
#define SETUP_UNSUBSCRIBE 0x08u
#define SETUP_UNLIMITED   0x10u /* no Maximum Packet Size */
#define SETUP_TIGHT       0x20u /* little room for topics and output */
#define SETUP_CLEAN       0x40u

struct session {
    struct mup_mqtt mqtt;
    uint8_t *out;
    uint8_t *head;
    size_t out_size;
    size_t head_size;
    uint32_t story; /* a hash over all events */
    uint32_t sent;  /* a hash over all output; when it leaves depends on the cuts */
    uint8_t setup;
    bool in_message;
    uint32_t payload_left;
    uint32_t payload_at;
};

/* FNV-1a */
static uint32_t hash(uint32_t seed, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        seed = (seed ^ bytes[i]) * 16777619u;
    return seed;
}

static void tell(struct session *session, const void *bytes, size_t size)
{
    session->story = hash(session->story, bytes, size);
}

static void tell_number(struct session *session, uint32_t value)
{
    tell(session, &value, sizeof value);
}

static void tell_bytes(struct session *session, struct mup_mqtt_bytes bytes)
{
    const uint8_t *at = bytes.at;

    tell_number(session, bytes.size);
    if (bytes.size == 0)
        return;
    CHECK(at >= session->head && at + bytes.size <= session->head + session->head_size);
    tell(session, at, bytes.size);
}

static void on_message(struct session *session, const struct mup_mqtt_event *event)
{
    const struct mup_mqtt_message *message = &event->message;

    CHECK(!session->in_message);
    session->in_message = event->kind == MUP_MQTT_MESSAGE;
    session->payload_left = message->payload_size;
    session->payload_at = 0;
    CHECK(message->qos <= 1 && (message->qos == 1) == (event->packet_id != 0));
    if (event->kind == MUP_MQTT_MESSAGE)
        CHECK((message->topic.size != 0) == (message->route == MUP_MQTT_ROUTE_NONE));
    tell_bytes(session, message->topic);
    tell_bytes(session, message->response_topic);
    tell_bytes(session, message->correlation);
    tell_number(session, message->payload_size);
    tell_number(session, message->route);
    if ((session->setup & SETUP_ROUTES) != 0 && message->topic.size != 0)
        mup_mqtt_route(&session->mqtt, (uint8_t)(message->topic.size | 1u));
    if ((session->setup & SETUP_ACKS_LATER) != 0)
        mup_mqtt_ack_later(&session->mqtt);
}

static void on_event(struct session *session, const struct mup_mqtt_event *event,
                     const uint8_t *bytes, size_t used)
{
    if (event->kind == MUP_MQTT_PAYLOAD) {
        CHECK(session->in_message && event->payload.size != 0);
        CHECK(event->payload.at >= bytes &&
              event->payload.at + event->payload.size == bytes + used);
        CHECK(event->payload.offset == session->payload_at);
        CHECK(event->payload.size <= session->payload_left);
        session->payload_at += (uint32_t)event->payload.size;
        session->payload_left -= (uint32_t)event->payload.size;
        tell(session, event->payload.at, event->payload.size);
        return;
    }
    tell_number(session, (uint32_t)event->kind);
    tell_number(session, event->packet_id);
    tell_number(session, event->reason);
    tell_number(session, event->index);
    if (event->kind == MUP_MQTT_MESSAGE || event->kind == MUP_MQTT_DROPPED)
        on_message(session, event);
    if (event->kind == MUP_MQTT_MESSAGE_END) {
        CHECK(session->in_message && session->payload_left == 0);
        session->in_message = false;
    }
    if (event->kind == MUP_MQTT_CONNECTED)
        tell_bytes(session, event->connected.assigned_client_id);
    if (event->kind == MUP_MQTT_CLOSED)
        CHECK(event->cause >= MUP_MQTT_CAUSE_CREDENTIALS && event->cause <= MUP_MQTT_CAUSE_SILENT);
}

static void send_all(struct session *session)
{
    const uint8_t *bytes;
    size_t size = mup_mqtt_output(&session->mqtt, &bytes);

    CHECK(size <= session->out_size);
    session->sent = hash(session->sent, bytes, size);
    mup_mqtt_sent(&session->mqtt, 0, size);
}

/* False when the connection has ended. */
static bool feed(struct session *session, const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1); /* the sanitizer watches both ends */
    size_t at = 0;
    enum mup_status status;

    CHECK(copy != NULL);
    if (size != 0)
        memcpy(copy, data, size);
    do {
        struct mup_mqtt_event event;
        size_t used = SIZE_MAX;

        status = mup_mqtt_input(&session->mqtt, 0, copy + at, size - at, &used, &event);
        CHECK(used <= size - at);
        if (status == MUP_OK)
            on_event(session, &event, copy + at, used);
        at += used;
        send_all(session);
        CHECK(mup_mqtt_wait_ms(&session->mqtt, 0) != 0);
    } while (status == MUP_OK || status == MUP_ERR_BUSY);
    CHECK(status == MUP_ERR_SHORT ? at == size : status == MUP_ERR_STATE);
    free(copy);
    return status == MUP_ERR_SHORT;
}

static void setup_connected(struct session *session)
{
    static const uint8_t connack[] = {0x20, 0x06, 0x00, 0x00, 0x03, 0x22, 0x00, 0x04};
    struct mup_mqtt_publish message = {0};
    struct mup_mqtt_filter filters[2];
    uint16_t id;

    if (!feed(session, connack, sizeof connack))
        abort();
    filters[0] = (struct mup_mqtt_filter){mup_mqtt_text("a"), 1, false};
    filters[1] = (struct mup_mqtt_filter){mup_mqtt_text("b"), 1, false};
    message.topic = mup_mqtt_text("t");
    message.qos = 1;
    CHECK(mup_mqtt_publish(&session->mqtt, &id, &message) == MUP_OK && id == 1);
    send_all(session);
    if ((session->setup & SETUP_UNSUBSCRIBE) != 0)
        CHECK(mup_mqtt_unsubscribe(&session->mqtt, filters, 2) == MUP_OK);
    else
        CHECK(mup_mqtt_subscribe(&session->mqtt, filters, 2) == MUP_OK);
    send_all(session);
}

static uint32_t story_of(uint8_t setup, uint32_t cuts, const uint8_t *data, size_t size)
{
    struct session session = {.setup = setup, .story = 2166136261u};
    struct mup_mqtt_options options = {.keep_alive_s = 60, .topic_alias_maximum = 3};
    size_t at = 0;

    session.out_size = (setup & SETUP_TIGHT) != 0 ? 48 : 256;
    session.head_size = (setup & SETUP_TIGHT) != 0 ? 9 : 128;
    session.out = malloc(session.out_size);
    session.head = malloc(session.head_size);
    CHECK(session.out != NULL && session.head != NULL);
    if (mup_mqtt_init(&session.mqtt, session.out, session.out_size, session.head,
                      session.head_size) != MUP_OK)
        abort();
    options.receive_maximum = 2;
    options.maximum_packet_size = (setup & SETUP_UNLIMITED) != 0 ? 0 : 300;
    options.clean_start = (setup & SETUP_CLEAN) != 0;
    CHECK(mup_mqtt_connect(&session.mqtt, 0, &options) == MUP_OK);
    send_all(&session);
    if ((setup & SETUP_CONNECTED) != 0)
        setup_connected(&session);
    while (at < size) {
        size_t piece = cuts == 0 ? size : 1u + (cuts >> 24) % 7u;

        if (piece > size - at)
            piece = size - at;
        if (!feed(&session, data + at, piece))
            break;
        at += piece;
        cuts = cuts * 1664525u + (cuts != 0 ? 1013904223u : 0u);
        cuts |= cuts != 0;
    }
    free(session.out);
    free(session.head);
    return hash(session.story, (const uint8_t *)&session.sent, sizeof session.sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t whole;

    if (size < 2)
        return 0;
    whole = story_of(data[0], 0, data + 2, size - 2);
    CHECK(whole == story_of(data[0], data[1] * 0x01010101u | 1u, data + 2, size - 2));
    return 0;
}
