/*
 * The parser of the MQTT client: takes a broker's packets byte by byte, so that any cut of the
 * stream gives the same events. Each step reads one field and names the next. Two counters bound
 * everything: the bytes left of the packet and of its properties; a field that outlives its
 * counter is malformed. Nothing from a packet takes effect before the packet is complete, except
 * the payload of a PUBLISH, which is handed on as it comes.
 */
#include "mqtt_internal.h"

#include <string.h>

/* ---- The order of fields --------------------------------------------------------------- */

/* The fields up to the properties are read; what comes after them. */
static uint8_t after_properties(struct mup_mqtt *mqtt)
{
    switch (mup_mqtt_packet_type(mqtt)) {
    case PACKET_PUBLISH:
        mqtt->step = STEP_OPEN;
        return 0;
    case PACKET_SUBACK:
    case PACKET_UNSUBACK:
        /* one reason code for each filter, MQTT-3.8.4-6, MQTT-3.11.3-2 */
        mqtt->step = STEP_CODES;
        return mqtt->left == mqtt->subscribe_count ? 0 : MUP_MQTT_REASON_MALFORMED;
    default:
        mqtt->step = STEP_FINISH;
        return mqtt->left == 0 ? 0 : MUP_MQTT_REASON_MALFORMED;
    }
}

static void integer_begin(struct mup_mqtt *mqtt, uint8_t step, uint8_t digits)
{
    mqtt->step = step;
    mqtt->value = 0;
    mqtt->digits = digits;
}

/* PUBACK and DISCONNECT may end before the reason code or before the properties. */
static void optional_begin(struct mup_mqtt *mqtt, uint8_t step)
{
    integer_begin(mqtt, mqtt->left == 0 ? STEP_FINISH : step, 0);
}

static uint8_t property_end(struct mup_mqtt *mqtt)
{
    if (mqtt->properties_left == 0)
        return after_properties(mqtt);
    mqtt->step = STEP_PROPERTY_ID;
    return 0;
}

static void topic_begin(struct mup_mqtt *mqtt)
{
    mqtt->property = PROPERTY_TOPIC;
    integer_begin(mqtt, STEP_STRING_SIZE, 2);
}

static uint8_t string_end(struct mup_mqtt *mqtt)
{
    bool has_id = (mqtt->type_flags & PUBLISH_QOS) != 0;

    switch (mqtt->property) {
    case PROPERTY_TOPIC:
        if (has_id)
            integer_begin(mqtt, STEP_PACKET_ID, 2);
        else
            integer_begin(mqtt, STEP_PROPERTIES_SIZE, 0);
        return 0;
    case PROPERTY_USER:
        mqtt->property = PROPERTY_USER_VALUE;
        integer_begin(mqtt, STEP_STRING_SIZE, 2);
        return 0;
    default:
        return property_end(mqtt);
    }
}

/* ---- Fields ---------------------------------------------------------------------------- */

/* MQTT 5.0 section 1.5.5. True in *done when the last byte was taken. */
static uint8_t varint_take(struct mup_mqtt *mqtt, uint8_t byte, bool *done)
{
    mqtt->value |= (uint32_t)(byte & 0x7fu) << mqtt->digits;
    *done = (byte & 0x80u) == 0;
    if (*done && byte == 0 && mqtt->digits != 0)
        return MUP_MQTT_REASON_MALFORMED; /* not the shortest form, MQTT-1.5.5-1 */
    if (!*done && mqtt->digits == 21)
        return MUP_MQTT_REASON_MALFORMED;
    mqtt->digits = (uint8_t)(mqtt->digits + 7u);
    return 0;
}

/* True when the last byte of a big-endian integer was taken. */
static bool integer_take(struct mup_mqtt *mqtt, uint8_t byte)
{
    mqtt->value = mqtt->value << 8 | byte;
    return --mqtt->digits == 0;
}

static void header_take(struct mup_mqtt *mqtt, uint8_t byte)
{
    mqtt->type_flags = byte;
    integer_begin(mqtt, STEP_LENGTH, 0);
    mqtt->seen = 0;
    mqtt->head_size = 0;
    memset(&mqtt->topic, 0, sizeof mqtt->topic);
    memset(&mqtt->response, 0, sizeof mqtt->response);
    memset(&mqtt->correlation, 0, sizeof mqtt->correlation);
    mqtt->packet_id = 0;
    mqtt->alias = 0;
    mqtt->reason = 0;
    mqtt->index = 0;
    mqtt->drop_reason = 0;
    mqtt->payload_at = 0;
    mqtt->flags &= (uint8_t) ~(FLAG_ACK_LATER | FLAG_TOPIC);
}

static uint8_t publish_flags_check(uint8_t flags)
{
    if ((flags & PUBLISH_QOS) == PUBLISH_QOS)
        return MUP_MQTT_REASON_MALFORMED; /* MQTT-3.3.1-4 */
    if ((flags & PUBLISH_QOS) == 0 && (flags & PUBLISH_DUP) != 0)
        return MUP_MQTT_REASON_MALFORMED; /* MQTT-3.3.1-2 */
    /* we subscribe at QoS 1 at most, so a broker has no reason to send QoS 2 */
    return (flags & PUBLISH_QOS) > PUBLISH_QOS1 ? MUP_MQTT_REASON_PROTOCOL : 0;
}

/* A packet's type and flags are judged before its length is believed. */
static uint8_t header_check(const struct mup_mqtt *mqtt)
{
    uint8_t type = mup_mqtt_packet_type(mqtt);
    uint8_t flags = mqtt->type_flags & 0x0fu;
    bool unsubscribes = (mqtt->flags & FLAG_UNSUBSCRIBE) != 0;

    if (type == 0)
        return MUP_MQTT_REASON_MALFORMED;
    if ((mqtt->state == STATE_CONNECTING) != (type == PACKET_CONNACK))
        return MUP_MQTT_REASON_PROTOCOL; /* MQTT-3.2.0-1, MQTT-3.2.0-2 */
    switch (type) {
    case PACKET_PUBLISH:
        return publish_flags_check(flags);
    case PACKET_SUBACK:
    case PACKET_UNSUBACK:
        if (mqtt->subscribe_id == 0 || unsubscribes != (type == PACKET_UNSUBACK))
            return MUP_MQTT_REASON_PROTOCOL; /* nobody asked */
        break;
    case PACKET_CONNACK:
    case PACKET_PUBACK:
    case PACKET_PINGRESP:
    case PACKET_DISCONNECT:
        break;
    default:
        /* what only clients send; QoS 2; AUTH, as we offered no method (MQTT-4.12.0-6) */
        return MUP_MQTT_REASON_PROTOCOL;
    }
    return flags == 0 ? 0 : MUP_MQTT_REASON_MALFORMED; /* MQTT-2.1.3-1 */
}

/* Bytes of the fixed header: the type, and `value` as variable byte integer, of whose bytes each
 * made the shift larger by 7. For 7 to 28 this is division by 7, without a divider. */
static uint32_t fixed_header_size(const struct mup_mqtt *mqtt)
{
    return 1u + (mqtt->digits + 4u) / 8u;
}

static uint8_t length_end(struct mup_mqtt *mqtt)
{
    uint32_t size = mqtt->value + fixed_header_size(mqtt);

    mqtt->left = mqtt->value;
    if (mqtt->packet_size_max != 0 && size > mqtt->packet_size_max)
        return MUP_MQTT_REASON_PACKET_TOO_LARGE; /* MQTT-3.1.2-24 */
    switch (mup_mqtt_packet_type(mqtt)) {
    case PACKET_PUBLISH:
        topic_begin(mqtt);
        return 0;
    case PACKET_CONNACK:
        mqtt->step = STEP_ACK_FLAGS;
        return 0;
    case PACKET_DISCONNECT:
        optional_begin(mqtt, STEP_REASON);
        return 0;
    case PACKET_PINGRESP:
        mqtt->step = STEP_FINISH;
        return mqtt->left == 0 ? 0 : MUP_MQTT_REASON_MALFORMED;
    default:
        integer_begin(mqtt, STEP_PACKET_ID, 2);
        return 0;
    }
}

static uint8_t ack_flags_take(struct mup_mqtt *mqtt, uint8_t byte)
{
    mqtt->step = STEP_REASON;
    mqtt->flags &= (uint8_t)~FLAG_SESSION;
    if (byte > 1)
        return MUP_MQTT_REASON_MALFORMED; /* MQTT-3.2.2-1 */
    if (byte == 1 && (mqtt->flags & FLAG_CLEAN_START) != 0)
        return MUP_MQTT_REASON_PROTOCOL; /* MQTT-3.2.2-2 */
    if (byte == 1)
        mqtt->flags |= FLAG_SESSION;
    return 0;
}

/* True if a broker may send this code in a packet of this type; codes from 0x80 are errors. */
static bool reason_is_allowed(uint8_t type, uint8_t reason)
{
    if (reason == MUP_MQTT_REASON_SUCCESS || reason >= 0x80)
        return true;
    switch (type) {
    case PACKET_PUBACK:
        return reason == MUP_MQTT_REASON_NO_MATCHING_SUBSCRIBERS;
    case PACKET_SUBACK:
        return reason == 1; /* granted QoS 1, the most that we ask for */
    case PACKET_UNSUBACK:
        return reason == 0x11; /* no subscription existed */
    default:
        return false;
    }
}

static uint8_t reason_take(struct mup_mqtt *mqtt, uint8_t byte)
{
    bool is_connack = mup_mqtt_packet_type(mqtt) == PACKET_CONNACK;

    mqtt->reason = byte;
    if (!reason_is_allowed(mup_mqtt_packet_type(mqtt), byte))
        return MUP_MQTT_REASON_PROTOCOL;
    if (is_connack && byte != 0 && (mqtt->flags & FLAG_SESSION) != 0)
        return MUP_MQTT_REASON_PROTOCOL; /* MQTT-3.2.2-6 */
    if (is_connack)
        integer_begin(mqtt, STEP_PROPERTIES_SIZE, 0);
    else
        optional_begin(mqtt, STEP_PROPERTIES_SIZE);
    return 0;
}

static uint8_t packet_id_end(struct mup_mqtt *mqtt)
{
    mqtt->packet_id = (uint16_t)mqtt->value;
    if (mqtt->packet_id == 0)
        return MUP_MQTT_REASON_PROTOCOL; /* MQTT-2.2.1-3 */
    switch (mup_mqtt_packet_type(mqtt)) {
    case PACKET_PUBACK:
        optional_begin(mqtt, STEP_REASON);
        return 0;
    case PACKET_PUBLISH:
        if (mqtt->held_count >= mqtt->receive_max)
            return MUP_MQTT_REASON_RECEIVE_MAXIMUM; /* MQTT-3.3.4-7 */
        integer_begin(mqtt, STEP_PROPERTIES_SIZE, 0);
        return 0;
    default:
        integer_begin(mqtt, STEP_PROPERTIES_SIZE, 0);
        return mqtt->packet_id == mqtt->subscribe_id ? 0 : MUP_MQTT_REASON_PROTOCOL;
    }
}

static uint8_t properties_size_end(struct mup_mqtt *mqtt)
{
    mqtt->properties_left = mqtt->value;
    if (mqtt->properties_left > mqtt->left)
        return MUP_MQTT_REASON_MALFORMED;
    return property_end(mqtt);
}

static uint8_t string_size_end(struct mup_mqtt *mqtt)
{
    uint32_t left = mqtt->property == PROPERTY_TOPIC ? mqtt->left : mqtt->properties_left;

    if (mqtt->value > left)
        return MUP_MQTT_REASON_MALFORMED;
    if (mqtt->property == PROPERTY_TOPIC && mqtt->value != 0)
        mqtt->flags |= FLAG_TOPIC;
    mup_mqtt_string_begin(mqtt);
    mqtt->step = STEP_STRING;
    return mqtt->value == 0 ? string_end(mqtt) : 0;
}

/* One byte of a variable byte integer, whichever of the three it is. */
static uint8_t varint_step(struct mup_mqtt *mqtt, uint8_t byte)
{
    bool done;
    uint8_t reason = varint_take(mqtt, byte, &done);

    if (reason != 0 || !done)
        return reason;
    if (mqtt->step == STEP_LENGTH)
        return length_end(mqtt);
    if (mqtt->step == STEP_PROPERTIES_SIZE)
        return properties_size_end(mqtt);
    reason = mup_mqtt_property_take(mqtt);
    return reason != 0 ? reason : property_end(mqtt);
}

static uint8_t integer_step(struct mup_mqtt *mqtt, uint8_t byte)
{
    uint8_t reason;

    if (!integer_take(mqtt, byte))
        return 0;
    if (mqtt->step == STEP_PACKET_ID)
        return packet_id_end(mqtt);
    if (mqtt->step == STEP_STRING_SIZE)
        return string_size_end(mqtt);
    reason = mup_mqtt_property_take(mqtt);
    return reason != 0 ? reason : property_end(mqtt);
}

static uint8_t field_take(struct mup_mqtt *mqtt, uint8_t byte)
{
    uint8_t reason;

    switch (mqtt->step) {
    case STEP_HEADER:
        header_take(mqtt, byte);
        return header_check(mqtt);
    case STEP_ACK_FLAGS:
        return ack_flags_take(mqtt, byte);
    case STEP_REASON:
        return reason_take(mqtt, byte);
    case STEP_LENGTH:
    case STEP_PROPERTIES_SIZE:
    case STEP_VARINT:
        return varint_step(mqtt, byte);
    case STEP_PROPERTY_ID:
        return mup_mqtt_property_begin(mqtt, byte);
    case STEP_STRING:
        reason = mup_mqtt_string_take(mqtt, byte);
        if (reason != 0 || mqtt->string_left != 0)
            return reason;
        return string_end(mqtt);
    default: /* STEP_PACKET_ID, STEP_INTEGER, STEP_STRING_SIZE */
        return integer_step(mqtt, byte);
    }
}

static bool is_in_properties(const struct mup_mqtt *mqtt)
{
    return mqtt->step == STEP_PROPERTY_ID ||
           (mqtt->step >= STEP_INTEGER && mqtt->step <= STEP_STRING &&
            mqtt->property != PROPERTY_TOPIC);
}

/* One byte of anything but codes and payload. */
static uint8_t byte_take(struct mup_mqtt *mqtt, uint8_t byte)
{
    uint8_t reason;

    if (mqtt->step > STEP_LENGTH)
        mqtt->left--;
    if (is_in_properties(mqtt))
        mqtt->properties_left--;
    reason = field_take(mqtt, byte);
    if (reason != 0)
        return reason;
    if (is_in_properties(mqtt) && mqtt->properties_left == 0)
        return MUP_MQTT_REASON_MALFORMED;
    if (mqtt->step > STEP_LENGTH && mqtt->step < STEP_CODES && mqtt->left == 0)
        return MUP_MQTT_REASON_MALFORMED;
    return 0;
}

/* ---- Events ---------------------------------------------------------------------------- */

static void event_begin(const struct mup_mqtt *mqtt, struct mup_mqtt_event *event,
                        enum mup_mqtt_event_kind kind)
{
    memset(event, 0, sizeof *event);
    event->kind = kind;
    event->packet_id = mqtt->packet_id;
    event->reason = mqtt->reason;
}

/* The peer broke the standard: say so if a DISCONNECT can still be sent (MQTT-4.13.1-1). */
static void refuse(struct mup_mqtt *mqtt, struct mup_mqtt_event *event, uint8_t reason)
{
    uint8_t packet[] = {PACKET_DISCONNECT, 1, reason};

    (void)mup_mqtt_queue(mqtt, packet, sizeof packet);
    mup_mqtt_close(mqtt, event, MUP_MQTT_CAUSE_PROTOCOL, reason);
}

/* The one table from reason codes to what a device does about them. */
static enum mup_mqtt_cause cause_of(uint8_t reason)
{
    switch (reason) {
    case 0x85: /* client identifier not valid */
    case 0x86: /* bad user name or password */
    case MUP_MQTT_REASON_NOT_AUTHORIZED:
    case 0x8a: /* banned */
    case 0x8c: /* bad authentication method */
        return MUP_MQTT_CAUSE_CREDENTIALS;
    case 0x8e: /* session taken over */
        return MUP_MQTT_CAUSE_TAKEN_OVER;
    case 0x00: /* normal disconnection */
    case MUP_MQTT_REASON_UNSPECIFIED:
    case MUP_MQTT_REASON_IMPLEMENTATION:
    case 0x88: /* server unavailable */
    case 0x89: /* server busy */
    case 0x8b: /* server shutting down */
    case MUP_MQTT_REASON_KEEP_ALIVE_TIMEOUT:
    case 0x96: /* message rate too high */
    case MUP_MQTT_REASON_QUOTA_EXCEEDED:
    case 0x98: /* administrative action */
    case 0x9c: /* use another server */
    case 0x9d: /* server moved */
    case 0x9f: /* connection rate exceeded */
    case 0xa0: /* maximum connect time */
        return MUP_MQTT_CAUSE_BUSY;
    default:
        return MUP_MQTT_CAUSE_REFUSED;
    }
}

static struct mup_mqtt_bytes bytes_of(const struct mup_mqtt *mqtt, struct mup_mqtt_span span)
{
    struct mup_mqtt_bytes bytes = {span.size == 0 ? NULL : mqtt->head + span.at, span.size};

    return bytes;
}

static void connected(struct mup_mqtt *mqtt, struct mup_mqtt_event *event)
{
    struct mup_mqtt_connected *granted = &event->connected;

    mqtt->state = STATE_CONNECTED;
    mqtt->flags &= (uint8_t)~FLAG_WAITING;
    if ((mqtt->flags & FLAG_SESSION) == 0)
        memset(mqtt->in_flight, 0, sizeof mqtt->in_flight);
    event_begin(mqtt, event, MUP_MQTT_CONNECTED);
    granted->session_present = (mqtt->flags & FLAG_SESSION) != 0;
    granted->maximum_qos = mqtt->server_qos_max;
    granted->retain_available = (mqtt->flags & FLAG_RETAIN) != 0;
    granted->receive_maximum = mqtt->server_receive_max;
    granted->topic_alias_maximum = mqtt->server_alias_max;
    granted->keep_alive_s = mqtt->keep_alive_s;
    granted->maximum_packet_size = mqtt->server_packet_size_max;
    granted->session_expiry_s = mqtt->session_expiry_s;
    granted->assigned_client_id = bytes_of(mqtt, mqtt->correlation);
}

/* All of a PUBLISH but its payload is here: resolves the alias, and tells the caller. */
static void message_open(struct mup_mqtt *mqtt, struct mup_mqtt_event *event)
{
    bool has_topic = (mqtt->flags & FLAG_TOPIC) != 0;
    uint8_t *route = mqtt->alias == 0 ? NULL : &mqtt->route[mqtt->alias - 1u];
    struct mup_mqtt_message *message = &event->message;

    if (!has_topic && (route == NULL || *route == MUP_MQTT_ROUTE_NONE)) {
        refuse(mqtt, event, MUP_MQTT_REASON_PROTOCOL); /* MQTT 5.0 section 3.3.4 */
        return;
    }
    mqtt->step = STEP_PAYLOAD;
    if (mqtt->packet_id != 0)
        mqtt->held_count++;
    event_begin(mqtt, event, mqtt->drop_reason != 0 ? MUP_MQTT_DROPPED : MUP_MQTT_MESSAGE);
    event->reason = mqtt->drop_reason;
    message->topic = bytes_of(mqtt, mqtt->topic);
    message->response_topic = bytes_of(mqtt, mqtt->response);
    message->correlation = bytes_of(mqtt, mqtt->correlation);
    message->payload_size = mqtt->left;
    message->route = has_topic ? (uint8_t)MUP_MQTT_ROUTE_NONE : *route;
    message->qos = mqtt->packet_id != 0;
    message->is_retained = (mqtt->type_flags & PUBLISH_RETAIN) != 0;
    message->is_dup = (mqtt->type_flags & PUBLISH_DUP) != 0;
    if (has_topic && route != NULL)
        *route = MUP_MQTT_ROUTE_UNKNOWN; /* until mup_mqtt_route() */
}

/* MUP_OK: an event; MUP_ERR_SHORT: none; MUP_ERR_BUSY: PUBACK has no room, come again. */
static enum mup_status message_finish(struct mup_mqtt *mqtt, struct mup_mqtt_event *event)
{
    bool acknowledges = mqtt->packet_id != 0 && (mqtt->flags & FLAG_ACK_LATER) == 0;
    enum mup_status status = MUP_OK;

    if (acknowledges)
        status = mup_mqtt_queue_puback(mqtt, mqtt->packet_id, mqtt->drop_reason);
    if (status != MUP_OK)
        return MUP_ERR_BUSY;
    mqtt->step = STEP_HEADER;
    if (mqtt->drop_reason != 0)
        return MUP_ERR_SHORT;
    event_begin(mqtt, event, MUP_MQTT_MESSAGE_END);
    return MUP_OK;
}

/* The packet is complete. Results as message_finish(). */
static enum mup_status packet_finish(struct mup_mqtt *mqtt, struct mup_mqtt_event *event)
{
    mqtt->step = STEP_HEADER;
    switch (mup_mqtt_packet_type(mqtt)) {
    case PACKET_CONNACK:
        if (mqtt->reason == 0)
            connected(mqtt, event);
        else
            mup_mqtt_close(mqtt, event, cause_of(mqtt->reason), mqtt->reason);
        return MUP_OK;
    case PACKET_DISCONNECT:
        mup_mqtt_close(mqtt, event, cause_of(mqtt->reason), mqtt->reason);
        return MUP_OK;
    case PACKET_PUBACK:
        /* an id that we gave up (mup_mqtt_forget) may still be acknowledged */
        if (!mup_mqtt_in_flight_free(mqtt, mqtt->packet_id))
            return MUP_ERR_SHORT;
        event_begin(mqtt, event, MUP_MQTT_PUBLISHED);
        return MUP_OK;
    case PACKET_PINGRESP:
        mqtt->flags &= (uint8_t)~FLAG_WAITING;
        return MUP_ERR_SHORT;
    default:
        return MUP_ERR_SHORT;
    }
}

static void payload_tell(struct mup_mqtt *mqtt, const uint8_t *bytes, size_t size,
                         struct mup_mqtt_event *event)
{
    event_begin(mqtt, event, MUP_MQTT_PAYLOAD);
    event->payload.at = bytes;
    event->payload.size = size;
    event->payload.offset = mqtt->payload_at;
    mqtt->payload_at += (uint32_t)size;
}

static void code_take(struct mup_mqtt *mqtt, uint8_t code, struct mup_mqtt_event *event)
{
    uint8_t type = mup_mqtt_packet_type(mqtt);

    mqtt->left--;
    if (!reason_is_allowed(type, code)) {
        refuse(mqtt, event, MUP_MQTT_REASON_PROTOCOL);
        return;
    }
    event_begin(mqtt, event, type == PACKET_SUBACK ? MUP_MQTT_SUBSCRIBED : MUP_MQTT_UNSUBSCRIBED);
    event->reason = code;
    event->index = mqtt->index++;
    if (mqtt->left == 0) {
        mqtt->subscribe_id = 0; /* now, so that the last event may be answered by a subscribe */
        mqtt->step = STEP_HEADER;
    }
}

/* Goes on as far as no byte is needed. MUP_ERR_SHORT: a byte is needed. */
static enum mup_status settle(struct mup_mqtt *mqtt, struct mup_mqtt_event *event)
{
    switch (mqtt->step) {
    case STEP_OPEN:
        message_open(mqtt, event);
        return MUP_OK;
    case STEP_PAYLOAD:
        return mqtt->left == 0 ? message_finish(mqtt, event) : MUP_ERR_SHORT;
    case STEP_FINISH:
        return packet_finish(mqtt, event);
    default:
        return MUP_ERR_SHORT;
    }
}

/* Takes bytes that are there, at least one; returns how many. True in *told: an event. */
static size_t take(struct mup_mqtt *mqtt, const uint8_t *bytes, size_t size,
                   struct mup_mqtt_event *event, bool *told)
{
    uint8_t reason;

    *told = true;
    if (mqtt->step == STEP_PAYLOAD) {
        if (size > mqtt->left)
            size = mqtt->left;
        mqtt->left -= (uint32_t)size;
        *told = mqtt->drop_reason == 0;
        if (*told)
            payload_tell(mqtt, bytes, size, event);
        return size;
    }
    if (mqtt->step == STEP_CODES) {
        code_take(mqtt, *bytes, event);
        return 1;
    }
    reason = byte_take(mqtt, *bytes);
    if (reason != 0)
        refuse(mqtt, event, reason);
    else
        *told = false;
    return 1;
}

enum mup_status mup_mqtt_input(struct mup_mqtt *mqtt, uint32_t now_ms, const uint8_t *bytes,
                               size_t size, size_t *used, struct mup_mqtt_event *event)
{
    enum mup_status status;
    bool told = false;

    *used = 0;
    if (mqtt->state == STATE_IDLE)
        return MUP_ERR_STATE;
    while (!told) {
        status = settle(mqtt, event);
        if (status != MUP_ERR_SHORT || *used == size)
            return status;
        *used += take(mqtt, bytes + *used, size - *used, event, &told);
        mqtt->received_ms = now_ms;
    }
    return MUP_OK;
}

/* ---- What the caller says about a message ---------------------------------------------- */

void mup_mqtt_route(struct mup_mqtt *mqtt, uint8_t route)
{
    if (mqtt->state == STATE_CONNECTED && mqtt->step == STEP_PAYLOAD && mqtt->alias != 0 &&
        (mqtt->flags & FLAG_TOPIC) != 0 && route != MUP_MQTT_ROUTE_NONE)
        mqtt->route[mqtt->alias - 1u] = route;
}

void mup_mqtt_ack_later(struct mup_mqtt *mqtt)
{
    if (mqtt->step == STEP_PAYLOAD)
        mqtt->flags |= FLAG_ACK_LATER;
}
