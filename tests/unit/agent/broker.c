/* MQTT 5 packets by hand, no more of them than a device sends and takes. */
#include "broker.h"

#include <stdlib.h>
#include <string.h>

#define PROPERTY_CORRELATION    0x09
#define PROPERTY_RESPONSE_TOPIC 0x08
#define PROPERTY_EXPIRY         0x11
#define PROPERTY_RECEIVE_MAX    0x21
#define PROPERTY_ALIAS_MAX      0x22
#define PROPERTY_ALIAS          0x23
#define PROPERTY_PACKET_MAX     0x27

static void must(bool good)
{
    if (!good)
        abort();
}

static void put(struct broker *broker, const void *bytes, size_t size)
{
    must(broker->out_size + size <= sizeof broker->out);
    memcpy(broker->out + broker->out_size, bytes, size);
    broker->out_size += size;
}

static void put_byte(struct broker *broker, unsigned byte)
{
    uint8_t value = (uint8_t)byte;

    put(broker, &value, 1);
}

static void put_two(struct broker *broker, size_t value)
{
    put_byte(broker, (unsigned)(value >> 8));
    put_byte(broker, (unsigned)value & 0xff);
}

static size_t length_size(size_t length)
{
    return length < 128 ? 1 : length < 16384 ? 2 : 3;
}

static void put_length(struct broker *broker, size_t length)
{
    while (length >= 128) {
        put_byte(broker, (unsigned)(length & 0x7f) | 0x80);
        length >>= 7;
    }
    put_byte(broker, (unsigned)length);
}

static void put_text(struct broker *broker, const void *text, size_t size)
{
    put_two(broker, size);
    put(broker, text, size);
}

void broker_acknowledge(struct broker *broker, uint16_t packet_id)
{
    put_byte(broker, 0x40);
    put_length(broker, 2);
    put_two(broker, packet_id);
}

static void reject(struct broker *broker, uint16_t packet_id)
{
    put_byte(broker, 0x40);
    put_length(broker, 3);
    put_two(broker, packet_id);
    put_byte(broker, 0x87); /* not authorized */
}

static bool begins_so(const char *topic, const char *prefix)
{
    return prefix != NULL && strncmp(topic, prefix, strlen(prefix)) == 0;
}

/* The alias by which the topic goes, and whether it is known to the device; 0: by none. */
static unsigned alias_for(struct broker *broker, const char *topic, bool *known)
{
    for (unsigned i = 1; broker->gives_aliases && i <= broker->alias_maximum; i++) {
        *known = strcmp(broker->aliases_out[i], topic) == 0;
        if (*known || broker->aliases_out[i][0] == '\0') {
            must(strlen(topic) < sizeof broker->aliases_out[i]);
            memcpy(broker->aliases_out[i], topic, strlen(topic) + 1);
            return i;
        }
    }
    *known = false;
    return 0;
}

static void publish(struct broker *broker, unsigned flags, uint16_t id, const char *topic,
                    const void *payload, size_t size, const char *response_topic,
                    const void *correlation, size_t correlation_size)
{
    bool known;
    unsigned alias = alias_for(broker, topic, &known);
    size_t properties = (response_topic != NULL ? 3 + strlen(response_topic) : 0) +
                        (correlation != NULL ? 3 + correlation_size : 0) + (alias != 0 ? 3 : 0);
    size_t length = 2 + (known ? 0 : strlen(topic)) + (id != 0 ? 2 : 0) + length_size(properties) +
                    properties + size;

    put_byte(broker, 0x30u | flags);
    put_length(broker, length);
    put_text(broker, topic, known ? 0 : strlen(topic));
    broker->aliased_count += known;
    if (id != 0)
        put_two(broker, id);
    put_length(broker, properties);
    if (alias != 0) {
        put_byte(broker, PROPERTY_ALIAS);
        put_two(broker, alias);
    }
    if (response_topic != NULL) {
        put_byte(broker, PROPERTY_RESPONSE_TOPIC);
        put_text(broker, response_topic, strlen(response_topic));
    }
    if (correlation != NULL) {
        put_byte(broker, PROPERTY_CORRELATION);
        put_text(broker, correlation, correlation_size);
    }
    put(broker, payload, size);
}

uint16_t broker_publish(struct broker *broker, const char *topic, const void *payload, size_t size,
                        int qos, bool retain, const char *response_topic, const void *correlation,
                        size_t correlation_size)
{
    uint16_t id = qos > 0 ? ++broker->next_id : 0;

    publish(broker, (qos > 0 ? 2u : 0u) | (retain ? 1u : 0u), id, topic, payload, size,
            response_topic, correlation, correlation_size);
    return id;
}

void broker_publish_again(struct broker *broker, uint16_t packet_id, const char *topic,
                          const void *payload, size_t size)
{
    publish(broker, 8u | 2u, packet_id, topic, payload, size, NULL, NULL, 0);
}

/* ---- What the device sends ----------------------------------------------------------------- */

struct cursor {
    const uint8_t *at;
    size_t left;
};

static unsigned take_byte(struct cursor *cursor)
{
    must(cursor->left >= 1);
    cursor->left--;
    return *cursor->at++;
}

static size_t take_two(struct cursor *cursor)
{
    size_t high = take_byte(cursor);

    return high << 8 | take_byte(cursor);
}

static size_t take_length(struct cursor *cursor)
{
    size_t value = 0;

    for (unsigned shift = 0;; shift += 7) {
        unsigned byte = take_byte(cursor);

        value |= (size_t)(byte & 0x7f) << shift;
        if (byte < 128)
            return value;
    }
}

static struct cursor take(struct cursor *cursor, size_t size)
{
    struct cursor part = {cursor->at, size};

    must(cursor->left >= size);
    cursor->at += size;
    cursor->left -= size;
    return part;
}

static void take_topic(struct cursor *cursor, char topic[96])
{
    struct cursor text = take(cursor, take_two(cursor));

    must(text.left < 96);
    memcpy(topic, text.at, text.left);
    topic[text.left] = '\0';
}

/* The topic that an alias stands for; a topic that came with it is kept. */
static void resolve(struct broker *broker, struct broker_message *message, size_t alias)
{
    must(alias >= 1 && alias <= broker->takes_aliases);
    message->by_alias = message->topic[0] == '\0';
    if (message->by_alias)
        memcpy(message->topic, broker->aliases_in[alias], sizeof message->topic);
    else
        memcpy(broker->aliases_in[alias], message->topic, sizeof message->topic);
}

static void on_publish(struct broker *broker, unsigned flags, struct cursor packet)
{
    struct broker_message *message;
    struct cursor properties;

    must(broker->message_count < BROKER_MESSAGES_MAX);
    message = &broker->messages[broker->message_count++];
    memset(message, 0, sizeof *message);
    message->retain = (flags & 1) != 0;
    message->dup = (flags & 8) != 0;
    take_topic(&packet, message->topic);
    if ((flags & 6) != 0)
        message->packet_id = (uint16_t)take_two(&packet);
    properties = take(&packet, take_length(&packet));
    while (properties.left > 0) {
        struct cursor value;
        unsigned property = take_byte(&properties);

        if (property == PROPERTY_ALIAS) {
            resolve(broker, message, take_two(&properties));
            continue;
        }
        must(property == PROPERTY_CORRELATION);
        value = take(&properties, take_two(&properties));
        must(value.left <= sizeof message->correlation);
        memcpy(message->correlation, value.at, value.left);
        message->correlation_size = value.left;
    }
    must(packet.left <= BROKER_PAYLOAD_MAX);
    must(message->topic[0] != '\0');
    memcpy(message->payload, packet.at, packet.left);
    message->size = packet.left;
    if (message->packet_id == 0 || broker->holds_pubacks ||
        begins_so(message->topic, broker->holds_topic))
        return;
    if (begins_so(message->topic, broker->rejects))
        reject(broker, message->packet_id);
    else
        broker_acknowledge(broker, message->packet_id);
}

static void on_connect(struct broker *broker, struct cursor packet)
{
    struct cursor properties;

    take(&packet, 7); /* "MQTT", 5 */
    broker->clean_start = (take_byte(&packet) & 2) != 0;
    take_two(&packet);
    broker->receive_maximum = 65535;
    broker->alias_maximum = 0;
    memset(broker->aliases_in, 0, sizeof broker->aliases_in);
    memset(broker->aliases_out, 0, sizeof broker->aliases_out);
    properties = take(&packet, take_length(&packet));
    while (properties.left > 0)
        switch (take_byte(&properties)) {
        case PROPERTY_RECEIVE_MAX:
            broker->receive_maximum = (uint16_t)take_two(&properties);
            break;
        case PROPERTY_ALIAS_MAX:
            broker->alias_maximum = (uint16_t)take_two(&properties);
            must(broker->alias_maximum <= BROKER_ALIASES_MAX);
            break;
        case PROPERTY_EXPIRY:
        case PROPERTY_PACKET_MAX:
            take(&properties, 4);
            break;
        default:
            abort();
        }
    broker->connected = true;
    put_byte(broker, 0x20);
    put_length(broker, broker->takes_aliases != 0 ? 6 : 3);
    put_byte(broker, broker->session_present && !broker->clean_start);
    put_byte(broker, 0);
    put_byte(broker, broker->takes_aliases != 0 ? 3 : 0);
    if (broker->takes_aliases != 0) {
        put_byte(broker, PROPERTY_ALIAS_MAX);
        put_two(broker, broker->takes_aliases);
    }
}

static void on_subscribe(struct broker *broker, struct cursor packet, bool on)
{
    size_t id = take_two(&packet);
    char topic[96];
    bool refused;

    take(&packet, take_length(&packet));
    take_topic(&packet, topic);
    must(packet.left == (on ? 1u : 0u));
    if (on)
        broker->subscription_qos[broker->subscription_count % 64] = *packet.at & 3;
    refused = begins_so(topic, broker->refuses);
    if (on)
        memcpy(broker->subscriptions[broker->subscription_count++ % 64], topic, sizeof topic);
    else
        memcpy(broker->unsubscriptions[broker->unsubscription_count++ % 16], topic, sizeof topic);
    if (broker->ignores_subscriptions)
        return;
    put_byte(broker, on ? 0x90 : 0xb0);
    put_length(broker, 4);
    put_two(broker, id);
    put_byte(broker, 0);
    put_byte(broker, refused ? 0x87 : on ? 1 : 0);
}

static void on_packet(struct broker *broker, unsigned first, struct cursor packet)
{
    switch (first >> 4) {
    case 1:
        on_connect(broker, packet);
        break;
    case 3:
        on_publish(broker, first & 15, packet);
        break;
    case 4:
        broker->pubacks[broker->puback_count++ % 256] = (uint16_t)take_two(&packet);
        break;
    case 8:
        on_subscribe(broker, packet, true);
        break;
    case 10:
        on_subscribe(broker, packet, false);
        break;
    case 12: /* PINGREQ */
        put_byte(broker, 0xd0);
        put_length(broker, 0);
        break;
    case 14:
        broker->disconnected = true;
        broker->disconnect_reason = packet.left > 0 ? (uint8_t)take_byte(&packet) : 0;
        break;
    default:
        abort();
    }
}

/* Whether a length, all of whose bytes but the last have their top bit set, is there completely. */
static bool has_length(const struct cursor *cursor)
{
    for (size_t i = 0; i < cursor->left; i++)
        if ((cursor->at[i] & 0x80) == 0)
            return true;
    return cursor->left >= 4;
}

size_t broker_take(struct broker *broker, const uint8_t *bytes, size_t size)
{
    size_t used = 0;

    if (broker->is_gone)
        return size;
    while (size - used >= 2) {
        struct cursor cursor = {bytes + used, size - used};
        unsigned first = take_byte(&cursor);
        size_t length;

        if (!has_length(&cursor))
            break;
        length = take_length(&cursor);
        if (cursor.left < length)
            break;
        on_packet(broker, first, take(&cursor, length));
        used = (size_t)(cursor.at - bytes);
    }
    return used;
}

/* ---- What the test asks -------------------------------------------------------------------- */

const struct broker_message *broker_last(const struct broker *broker, const char *topic)
{
    for (size_t i = broker->message_count; i > 0; i--)
        if (strncmp(broker->messages[i - 1].topic, topic, strlen(topic)) == 0)
            return &broker->messages[i - 1];
    return NULL;
}

size_t broker_count(const struct broker *broker, const char *topic)
{
    size_t count = 0;

    for (size_t i = 0; i < broker->message_count; i++)
        count += strncmp(broker->messages[i].topic, topic, strlen(topic)) == 0;
    return count;
}

bool broker_is_subscribed(const struct broker *broker, const char *topic)
{
    for (size_t i = 0; i < broker->subscription_count && i < 64; i++)
        if (strcmp(broker->subscriptions[i], topic) == 0)
            return true;
    return false;
}
