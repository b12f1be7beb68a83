/*
 * The packets that the MQTT client sends, built where they wait to be sent. A packet is queued
 * whole or not at all: the writer goes on counting where the room ends, and only what fitted is
 * committed.
 */
#include "mqtt_internal.h"

#include <string.h>

/* Writes behind the output that waits; `size` counts on when `room` is used up. */
struct writer {
    uint8_t *at;
    size_t room;
    size_t size;
};

static struct writer writer_of(const struct mup_mqtt *mqtt)
{
    struct writer writer = {mqtt->out + mqtt->out_size,
                            (size_t)(mqtt->out_capacity - mqtt->out_size), 0};

    return writer;
}

static void put_u8(struct writer *writer, uint8_t value)
{
    if (writer->size < writer->room)
        writer->at[writer->size] = value;
    writer->size++;
}

static void put_u16(struct writer *writer, uint16_t value)
{
    put_u8(writer, (uint8_t)(value >> 8));
    put_u8(writer, (uint8_t)(value & 0xffu));
}

static void put_raw(struct writer *writer, const void *bytes, size_t size)
{
    if (size != 0 && writer->size <= writer->room && size <= writer->room - writer->size)
        memcpy(writer->at + writer->size, bytes, size);
    writer->size += size;
}

static void put_string(struct writer *writer, struct mup_mqtt_bytes bytes)
{
    put_u16(writer, bytes.size);
    put_raw(writer, bytes.at, bytes.size);
}

static void put_property_u16(struct writer *writer, uint8_t id, uint16_t value)
{
    put_u8(writer, id);
    put_u16(writer, value);
}

static void put_property_u32(struct writer *writer, uint8_t id, uint32_t value)
{
    put_property_u16(writer, id, (uint16_t)(value >> 16));
    put_u16(writer, (uint16_t)(value & 0xffffu));
}

static void put_property_string(struct writer *writer, uint8_t id, struct mup_mqtt_bytes bytes)
{
    put_u8(writer, id);
    put_string(writer, bytes);
}

/* Leaves one byte for a length; section_end() makes room for more where the length needs it. */
static size_t section_begin(struct writer *writer)
{
    put_u8(writer, 0);
    return writer->size;
}

/* Writes the length of all since section_begin(), and of `more` bytes that are not here yet. */
static void section_end(struct writer *writer, size_t start, uint32_t more)
{
    size_t length = writer->size - start + more;
    size_t size = writer->size - start;
    size_t digits = 1;
    size_t rest;
    uint8_t *digit;

    for (rest = length >> 7; rest != 0; rest >>= 7)
        digits++;
    writer->size += digits - 1;
    if (writer->size > writer->room)
        return;
    memmove(writer->at + start + digits - 1, writer->at + start, size);
    for (digit = writer->at + start - 1; digits != 0; digits--) {
        *digit++ = (uint8_t)((length & 0x7fu) | (digits > 1 ? 0x80u : 0u));
        length >>= 7;
    }
}

/* Queues what was written; `more` bytes of the same packet follow later. */
static enum mup_status commit(struct mup_mqtt *mqtt, const struct writer *writer, uint32_t more)
{
    if (writer->size > mqtt->server_packet_size_max ||
        more > mqtt->server_packet_size_max - writer->size)
        return MUP_ERR_RANGE; /* MQTT-3.2.2-15 */
    if (writer->size > mqtt->out_capacity)
        return MUP_ERR_SPACE;
    if (writer->size > writer->room)
        return MUP_ERR_BUSY;
    mqtt->out_size = (uint16_t)(mqtt->out_size + writer->size);
    return MUP_OK;
}

enum mup_status mup_mqtt_queue(struct mup_mqtt *mqtt, const uint8_t *packet, uint8_t size)
{
    struct writer writer = writer_of(mqtt);

    if (mqtt->publish_left != 0)
        return MUP_ERR_BUSY;
    put_raw(&writer, packet, size);
    return commit(mqtt, &writer, 0);
}

/* ---- CONNECT, DISCONNECT --------------------------------------------------------------- */

static void reset_connection(struct mup_mqtt *mqtt, uint32_t now_ms,
                             const struct mup_mqtt_options *options)
{
    mup_mqtt_lost(mqtt);
    mqtt->sent_ms = now_ms;
    mqtt->received_ms = now_ms;
    mqtt->waiting_ms = now_ms;
    mqtt->flags = FLAG_WAITING | FLAG_RETAIN;
    if (options->clean_start)
        mqtt->flags |= FLAG_CLEAN_START;

    mqtt->response_timeout_ms = options->response_timeout_ms;
    if (mqtt->response_timeout_ms == 0)
        mqtt->response_timeout_ms = MUP_MQTT_RESPONSE_TIMEOUT_MS;
    if (mqtt->response_timeout_ms > MUP_MQTT_RESPONSE_TIMEOUT_MS_MAX)
        mqtt->response_timeout_ms = MUP_MQTT_RESPONSE_TIMEOUT_MS_MAX;
    mqtt->keep_alive_s = options->keep_alive_s;
    mqtt->session_expiry_s = options->session_expiry_s;
    mqtt->packet_size_max = options->maximum_packet_size;
    mqtt->receive_max = options->receive_maximum == 0 ? UINT16_MAX : options->receive_maximum;
    mqtt->alias_max = options->topic_alias_maximum > MUP_MQTT_ALIAS_COUNT
                          ? (uint8_t)MUP_MQTT_ALIAS_COUNT
                          : (uint8_t)options->topic_alias_maximum;

    /* what holds unless CONNACK says otherwise, MQTT 5.0 section 3.2.2.3 */
    mqtt->server_packet_size_max = UINT32_MAX;
    mqtt->server_receive_max = UINT16_MAX;
    mqtt->server_alias_max = 0;
    mqtt->server_qos_max = 1;

    mqtt->subscribe_id = 0;
    mqtt->in_flight_sent = 0;
    mqtt->out_alias_set = 0;
    mqtt->held_count = 0;
    mqtt->step = STEP_HEADER;
    memset(mqtt->route, MUP_MQTT_ROUTE_NONE, sizeof mqtt->route);
}

static uint8_t connect_flags(const struct mup_mqtt_options *options)
{
    uint8_t flags = 0;

    if (options->clean_start)
        flags |= 0x02u;
    if (options->will.topic.size != 0) {
        flags |= 0x04u;
        flags |= (uint8_t)(options->will.qos << 3);
        if (options->will.retain)
            flags |= 0x20u;
    }
    if (options->password.at != NULL)
        flags |= 0x40u;
    if (options->user_name.at != NULL)
        flags |= 0x80u;
    return flags;
}

static void put_connect_properties(struct writer *writer, const struct mup_mqtt *mqtt)
{
    size_t start = section_begin(writer);

    if (mqtt->session_expiry_s != 0)
        put_property_u32(writer, ID_SESSION_EXPIRY, mqtt->session_expiry_s);
    if (mqtt->receive_max != UINT16_MAX)
        put_property_u16(writer, ID_RECEIVE_MAXIMUM, mqtt->receive_max);
    if (mqtt->packet_size_max != 0)
        put_property_u32(writer, ID_MAXIMUM_PACKET_SIZE, mqtt->packet_size_max);
    if (mqtt->alias_max != 0)
        put_property_u16(writer, ID_ALIAS_MAXIMUM, mqtt->alias_max);
    section_end(writer, start, 0);
}

static void put_will(struct writer *writer, const struct mup_mqtt_will *will)
{
    size_t start = section_begin(writer);

    if (will->delay_s != 0)
        put_property_u32(writer, ID_WILL_DELAY, will->delay_s);
    section_end(writer, start, 0);
    put_string(writer, will->topic);
    put_string(writer, will->payload);
}

enum mup_status mup_mqtt_connect(struct mup_mqtt *mqtt, uint32_t now_ms,
                                 const struct mup_mqtt_options *options)
{
    static const uint8_t protocol[] = {0x00, 0x04, 'M', 'Q', 'T', 'T', 0x05};
    struct writer writer;
    enum mup_status status;
    size_t start;

    if (options->will.qos > 1)
        return MUP_ERR_RANGE;
    reset_connection(mqtt, now_ms, options);
    writer = writer_of(mqtt);
    put_u8(&writer, PACKET_CONNECT);
    start = section_begin(&writer);
    put_raw(&writer, protocol, sizeof protocol);
    put_u8(&writer, connect_flags(options));
    put_u16(&writer, options->keep_alive_s);
    put_connect_properties(&writer, mqtt);
    put_string(&writer, options->client_id);
    if (options->will.topic.size != 0)
        put_will(&writer, &options->will);
    if (options->user_name.at != NULL)
        put_string(&writer, options->user_name);
    if (options->password.at != NULL)
        put_string(&writer, options->password);
    section_end(&writer, start, 0);

    status = commit(mqtt, &writer, 0);
    if (status == MUP_OK)
        mqtt->state = STATE_CONNECTING;
    return status;
}

enum mup_status mup_mqtt_disconnect(struct mup_mqtt *mqtt, uint8_t reason)
{
    uint8_t packet[] = {PACKET_DISCONNECT, 1, reason};
    enum mup_status status;

    if (mqtt->state == STATE_IDLE)
        return MUP_ERR_STATE;
    status = mup_mqtt_queue(mqtt, packet, sizeof packet);
    if (status == MUP_OK)
        mqtt->state = STATE_IDLE;
    return status;
}

/* ---- Packet ids ------------------------------------------------------------------------ */

/* Where the id is in the table, or MUP_MQTT_IN_FLIGHT_COUNT. Id 0 finds a free place. */
static uint8_t in_flight_find(const struct mup_mqtt *mqtt, uint16_t packet_id)
{
    uint8_t i = 0;

    while (i < MUP_MQTT_IN_FLIGHT_COUNT && mqtt->in_flight[i] != packet_id)
        i++;
    return i;
}

bool mup_mqtt_in_flight_free(struct mup_mqtt *mqtt, uint16_t packet_id)
{
    uint8_t i = in_flight_find(mqtt, packet_id);

    if (packet_id == 0 || i == MUP_MQTT_IN_FLIGHT_COUNT)
        return false;
    mqtt->in_flight[i] = 0;
    mqtt->in_flight_sent &= (uint8_t) ~(1u << i);
    return true;
}

void mup_mqtt_forget(struct mup_mqtt *mqtt, uint16_t packet_id)
{
    (void)mup_mqtt_in_flight_free(mqtt, packet_id);
}

/* The next id that nothing under way uses; ends, since fewer than 65,535 are in use. */
static uint16_t unused_packet_id(const struct mup_mqtt *mqtt)
{
    uint16_t id = mqtt->next_packet_id;

    while (id == 0 || id == mqtt->subscribe_id ||
           in_flight_find(mqtt, id) != MUP_MQTT_IN_FLIGHT_COUNT)
        id++;
    return id;
}

/* True if the broker's Receive Maximum allows one more QoS 1 message (MQTT-3.3.4-9). */
static bool send_quota_left(const struct mup_mqtt *mqtt)
{
    uint16_t count = 0;
    uint8_t i;

    for (i = 0; i < MUP_MQTT_IN_FLIGHT_COUNT; i++)
        count = (uint16_t)(count + ((mqtt->in_flight_sent >> i) & 1u));
    return count < mqtt->server_receive_max;
}

/* ---- PUBLISH, PUBACK ------------------------------------------------------------------- */

/* The alias to be used for the message, or 0. */
static uint8_t alias_of(const struct mup_mqtt *mqtt, const struct mup_mqtt_publish *message)
{
    if (message->alias > MUP_MQTT_ALIAS_COUNT || message->alias > mqtt->server_alias_max)
        return 0;
    return message->alias;
}

static uint8_t alias_bit(uint8_t alias)
{
    return (uint8_t)(alias == 0 ? 0u : 1u << (alias - 1u));
}

static void put_publish_properties(struct writer *writer, const struct mup_mqtt_publish *message,
                                   uint8_t alias)
{
    size_t start = section_begin(writer);

    if (message->expiry_s != 0)
        put_property_u32(writer, ID_MESSAGE_EXPIRY, message->expiry_s);
    if (alias != 0)
        put_property_u16(writer, ID_ALIAS, alias);
    if (message->response_topic.size != 0)
        put_property_string(writer, ID_RESPONSE_TOPIC, message->response_topic);
    if (message->correlation.at != NULL)
        put_property_string(writer, ID_CORRELATION, message->correlation);
    section_end(writer, start, 0);
}

static enum mup_status put_publish(struct mup_mqtt *mqtt, const struct mup_mqtt_publish *message,
                                   uint16_t packet_id)
{
    static const struct mup_mqtt_bytes by_alias = {NULL, 0};
    struct writer writer = writer_of(mqtt);
    uint8_t alias = alias_of(mqtt, message);
    uint32_t more = message->payload == NULL ? message->payload_size : 0;
    uint8_t first = PACKET_PUBLISH;
    enum mup_status status;
    size_t start;

    if (message->qos != 0)
        first |= PUBLISH_QOS1;
    if (message->packet_id != 0)
        first |= PUBLISH_DUP;
    if (message->retain)
        first |= PUBLISH_RETAIN;
    put_u8(&writer, first);
    start = section_begin(&writer);
    put_string(&writer, (mqtt->out_alias_set & alias_bit(alias)) != 0 ? by_alias : message->topic);
    if (message->qos != 0)
        put_u16(&writer, packet_id);
    put_publish_properties(&writer, message, alias);
    if (message->payload != NULL)
        put_raw(&writer, message->payload, message->payload_size);
    if (writer.size - start + more > VARINT_MAX)
        return MUP_ERR_RANGE;
    section_end(&writer, start, more);

    status = commit(mqtt, &writer, more);
    if (status == MUP_OK) {
        mqtt->publish_left = more;
        mqtt->out_alias_set = (uint8_t)(mqtt->out_alias_set | alias_bit(alias));
    }
    return status;
}

enum mup_status mup_mqtt_publish(struct mup_mqtt *mqtt, uint16_t *packet_id,
                                 const struct mup_mqtt_publish *message)
{
    uint16_t id = message->packet_id;
    uint8_t place = in_flight_find(mqtt, id);
    enum mup_status status;

    if (mqtt->state != STATE_CONNECTED)
        return MUP_ERR_STATE;
    if (message->qos > mqtt->server_qos_max || message->topic.size == 0 ||
        message->payload_size > VARINT_MAX || (message->retain && (mqtt->flags & FLAG_RETAIN) == 0))
        return MUP_ERR_RANGE;
    if (mqtt->publish_left != 0)
        return MUP_ERR_BUSY;
    if (message->qos == 0)
        return id != 0 ? MUP_ERR_RANGE : put_publish(mqtt, message, 0);

    if (place == MUP_MQTT_IN_FLIGHT_COUNT)
        return id == 0 ? MUP_ERR_BUSY : MUP_ERR_STATE;
    if ((mqtt->in_flight_sent & (1u << place)) != 0)
        return MUP_ERR_STATE; /* repeated on a connection that has it already (MQTT-4.4.0-1) */
    if (!send_quota_left(mqtt))
        return MUP_ERR_BUSY;
    if (id == 0)
        id = unused_packet_id(mqtt);
    status = put_publish(mqtt, message, id);
    if (status != MUP_OK)
        return status;
    if (message->packet_id == 0)
        mqtt->next_packet_id = (uint16_t)(id + 1u);
    mqtt->in_flight[place] = id;
    mqtt->in_flight_sent |= (uint8_t)(1u << place);
    *packet_id = id;
    return MUP_OK;
}

size_t mup_mqtt_publish_more(struct mup_mqtt *mqtt, const void *bytes, size_t size)
{
    size_t room = (size_t)(mqtt->out_capacity - mqtt->out_size);

    if (size > room)
        size = room;
    if (size > mqtt->publish_left)
        size = mqtt->publish_left;
    if (size == 0)
        return 0;
    memcpy(mqtt->out + mqtt->out_size, bytes, size);
    mqtt->out_size = (uint16_t)(mqtt->out_size + size);
    mqtt->publish_left -= (uint32_t)size;
    return size;
}

enum mup_status mup_mqtt_queue_puback(struct mup_mqtt *mqtt, uint16_t packet_id, uint8_t reason)
{
    /* reason 0 may be left out, MQTT 5.0 section 3.4.2.1 */
    uint8_t size = reason == MUP_MQTT_REASON_SUCCESS ? 4 : 5;
    uint8_t packet[5] = {PACKET_PUBACK, (uint8_t)(size - 2u), (uint8_t)(packet_id >> 8),
                         (uint8_t)(packet_id & 0xffu), reason};
    enum mup_status status = mup_mqtt_queue(mqtt, packet, size);

    if (status == MUP_OK)
        mqtt->held_count--;
    return status;
}

enum mup_status mup_mqtt_ack(struct mup_mqtt *mqtt, uint16_t packet_id, uint8_t reason)
{
    if (mqtt->state != STATE_CONNECTED || mqtt->held_count == 0)
        return MUP_ERR_STATE;
    return mup_mqtt_queue_puback(mqtt, packet_id, reason);
}

/* ---- SUBSCRIBE, UNSUBSCRIBE ------------------------------------------------------------ */

/* Subscription options, MQTT 5.0 section 3.8.3.1. */
static uint8_t subscription_options(const struct mup_mqtt_filter *filter)
{
    uint8_t options = 0x20; /* Retain Handling 2 */

    if (filter->qos != 0)
        options |= 0x01u;
    if (filter->no_local)
        options |= 0x04u;
    return options;
}

static enum mup_status queue_filters(struct mup_mqtt *mqtt, uint8_t type,
                                     const struct mup_mqtt_filter *filters, uint8_t count)
{
    struct writer writer = writer_of(mqtt);
    uint16_t id = unused_packet_id(mqtt);
    enum mup_status status;
    size_t start;
    uint8_t i;

    if (mqtt->state != STATE_CONNECTED)
        return MUP_ERR_STATE;
    if (count == 0)
        return MUP_ERR_RANGE;
    if (mqtt->publish_left != 0 || mqtt->subscribe_id != 0)
        return MUP_ERR_BUSY;
    put_u8(&writer, type | 0x02u); /* reserved flags, MQTT-3.8.1-1, MQTT-3.10.1-1 */
    start = section_begin(&writer);
    put_u16(&writer, id);
    put_u8(&writer, 0); /* no properties */
    for (i = 0; i < count; i++) {
        if (filters[i].topic.size == 0 || filters[i].qos > 1)
            return MUP_ERR_RANGE;
        put_string(&writer, filters[i].topic);
        if (type == PACKET_SUBSCRIBE)
            put_u8(&writer, subscription_options(&filters[i]));
    }
    section_end(&writer, start, 0);

    status = commit(mqtt, &writer, 0);
    if (status == MUP_OK) {
        mqtt->subscribe_id = id;
        mqtt->subscribe_count = count;
        mqtt->next_packet_id = (uint16_t)(id + 1u);
    }
    return status;
}

enum mup_status mup_mqtt_subscribe(struct mup_mqtt *mqtt, const struct mup_mqtt_filter *filters,
                                   uint8_t count)
{
    enum mup_status status = queue_filters(mqtt, PACKET_SUBSCRIBE, filters, count);

    if (status == MUP_OK)
        mqtt->flags &= (uint8_t)~FLAG_UNSUBSCRIBE;
    return status;
}

enum mup_status mup_mqtt_unsubscribe(struct mup_mqtt *mqtt, const struct mup_mqtt_filter *filters,
                                     uint8_t count)
{
    enum mup_status status = queue_filters(mqtt, PACKET_UNSUBSCRIBE, filters, count);

    if (status == MUP_OK)
        mqtt->flags |= FLAG_UNSUBSCRIBE;
    return status;
}
