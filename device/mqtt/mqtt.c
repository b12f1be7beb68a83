/*
 * Life and time of the MQTT client: its memory, the output that waits to be sent, keep-alive and
 * the notice of a dead link. What goes into packets is in send.c and receive.c.
 */
#include "mqtt_internal.h"

#include <string.h>

static uint16_t limit_u16(size_t size)
{
    return size > UINT16_MAX ? UINT16_MAX : (uint16_t)size;
}

enum mup_status mup_mqtt_init(struct mup_mqtt *mqtt, uint8_t *out, size_t out_size, uint8_t *head,
                              size_t head_size)
{
    if (out_size < MUP_MQTT_OUT_SIZE_MIN)
        return MUP_ERR_SPACE;
    memset(mqtt, 0, sizeof *mqtt);
    mqtt->out = out;
    mqtt->out_capacity = limit_u16(out_size);
    mqtt->head = head;
    mqtt->head_capacity = limit_u16(head_size);
    return MUP_OK;
}

void mup_mqtt_lost(struct mup_mqtt *mqtt)
{
    mqtt->state = STATE_IDLE;
    mqtt->out_size = 0;
    mqtt->publish_left = 0;
}

bool mup_mqtt_is_connected(const struct mup_mqtt *mqtt)
{
    return mqtt->state == STATE_CONNECTED;
}

void mup_mqtt_close(struct mup_mqtt *mqtt, struct mup_mqtt_event *event, enum mup_mqtt_cause cause,
                    uint8_t reason)
{
    mqtt->state = STATE_IDLE;
    mqtt->publish_left = 0;
    memset(event, 0, sizeof *event);
    event->kind = MUP_MQTT_CLOSED;
    event->cause = cause;
    event->reason = reason;
}

bool mup_mqtt_has_room(const struct mup_mqtt *mqtt, size_t size)
{
    return mqtt->publish_left == 0 && size <= (size_t)(mqtt->out_capacity - mqtt->out_size);
}

size_t mup_mqtt_output(const struct mup_mqtt *mqtt, const uint8_t **bytes)
{
    *bytes = mqtt->out;
    return mqtt->out_size;
}

void mup_mqtt_sent(struct mup_mqtt *mqtt, uint32_t now_ms, size_t size)
{
    if (size == 0)
        return;
    if (size > mqtt->out_size)
        size = mqtt->out_size;
    mqtt->out_size = (uint16_t)(mqtt->out_size - size);
    memmove(mqtt->out, mqtt->out + size, mqtt->out_size);
    mqtt->sent_ms = now_ms;
}

/* ---- Time ------------------------------------------------------------------------------ */

enum deadline {
    DEADLINE_NONE,
    DEADLINE_PING,
    DEADLINE_DEAD,
};

static uint32_t left_of(uint32_t limit_ms, uint32_t elapsed_ms)
{
    return elapsed_ms >= limit_ms ? 0 : limit_ms - elapsed_ms;
}

/*
 * How long an awaited answer is overdue from. Whatever arrives after PINGREQ proves that the link
 * lives: on a slow one the PINGRESP may stand behind a large message. CONNACK has no such excuse.
 */
static uint32_t waiting_since(const struct mup_mqtt *mqtt)
{
    bool received_since = mqtt->received_ms - mqtt->waiting_ms < 0x80000000u;

    if (mqtt->state == STATE_CONNECTED && received_since)
        return mqtt->received_ms;
    return mqtt->waiting_ms;
}

/*
 * A ping is due when nothing was sent for three quarters of the keep-alive (MQTT-3.1.2-20), or
 * nothing received: a device that only publishes at QoS 0 would else never notice a dead link.
 */
static enum deadline next_deadline(const struct mup_mqtt *mqtt, uint32_t now_ms, uint32_t *left_ms)
{
    uint32_t idle_out_ms = now_ms - mqtt->sent_ms;
    uint32_t idle_in_ms = now_ms - mqtt->received_ms;
    uint32_t longer_ms = idle_out_ms > idle_in_ms ? idle_out_ms : idle_in_ms;
    uint32_t shorter_ms = idle_out_ms > idle_in_ms ? idle_in_ms : idle_out_ms;
    uint32_t due_ms = mqtt->keep_alive_s * 750u;

    *left_ms = MUP_MQTT_WAIT_FOREVER_MS;
    if (mqtt->state == STATE_IDLE)
        return DEADLINE_NONE;
    if ((mqtt->flags & FLAG_WAITING) != 0) {
        *left_ms = left_of(mqtt->response_timeout_ms, now_ms - waiting_since(mqtt));
        return DEADLINE_DEAD;
    }
    if (mqtt->keep_alive_s == 0)
        return DEADLINE_NONE;
    if (mup_mqtt_has_room(mqtt, 2)) {
        *left_ms = left_of(due_ms, longer_ms);
        return DEADLINE_PING;
    }
    /* the output is stuck and so is the link, unless bytes move in one direction */
    *left_ms = left_of(due_ms + mqtt->response_timeout_ms, shorter_ms);
    return DEADLINE_DEAD;
}

enum mup_status mup_mqtt_tick(struct mup_mqtt *mqtt, uint32_t now_ms, struct mup_mqtt_event *event)
{
    static const uint8_t pingreq[] = {PACKET_PINGREQ, 0};
    uint32_t left_ms;
    enum deadline deadline = next_deadline(mqtt, now_ms, &left_ms);

    if (left_ms != 0)
        return MUP_ERR_SHORT;
    switch (deadline) {
    case DEADLINE_PING:
        if (mup_mqtt_queue(mqtt, pingreq, sizeof pingreq) == MUP_OK) {
            mqtt->flags |= FLAG_WAITING;
            mqtt->waiting_ms = now_ms;
        }
        break;
    case DEADLINE_DEAD:
        mup_mqtt_close(mqtt, event, MUP_MQTT_CAUSE_SILENT, MUP_MQTT_REASON_KEEP_ALIVE_TIMEOUT);
        return MUP_OK;
    case DEADLINE_NONE:
        break;
    }
    return MUP_ERR_SHORT;
}

uint32_t mup_mqtt_wait_ms(const struct mup_mqtt *mqtt, uint32_t now_ms)
{
    uint32_t left_ms;

    (void)next_deadline(mqtt, now_ms, &left_ms);
    return left_ms;
}
