/*
 * What is on the air: who hears it, what overlaps, and whether the channel is busy.
 *
 * All nodes hear one another. Two transmissions that overlap destroy each other, whoever sends
 * them. A node hears what begins while its receiver is on, not while it sleeps. It hears nothing
 * while it sends, because that collides, and in the turnaround after it nobody begins: whoever
 * assessed the channel knows better, and an acknowledgement comes right when it is over.
 */
#include "medium_internal.h"

#include <assert.h>
#include <string.h>

#include "standard.h"

static void destroy(struct mup_medium *medium, struct mup_medium_air *air)
{
    if (!air->is_destroyed)
        medium->channel.collisions++;
    air->is_destroyed = true;
}

/* One wake-up frame more or less does not matter: what overlaps them alone leaves the frame whole.
 */
static void collide(struct mup_medium *medium, struct mup_medium_air *air)
{
    for (unsigned i = 0; i < MUP_MEDIUM_NODES_MAX; i++) {
        struct mup_medium_air *other = &medium->node[i].air;
        if (!other->is_on || other == air)
            continue;
        if (other->frame_us < air->end_us)
            destroy(medium, other);
        if (air->frame_us < other->end_us)
            destroy(medium, air);
    }
}

/* A broadcast's wake-up frames last long enough for everybody. */
static void find_listeners(struct mup_medium *medium, struct mup_medium_node *node, bool wakes)
{
    for (unsigned i = 0; i < MUP_MEDIUM_NODES_MAX; i++) {
        const struct mup_medium_node *other = &medium->node[i];
        node->air.reaches[i] = other->is_attached && other != node &&
                               (wakes || mup_medium_is_awake(other, medium->now_us));
    }
}

static void count_frame(struct mup_medium_node *node, enum mup_medium_kind kind, size_t size)
{
    struct mup_medium_counters *counters = &node->counters;
    struct mup_medium_tally *tally = kind == MUP_MEDIUM_DATA    ? &counters->data
                                     : kind == MUP_MEDIUM_RETRY ? &counters->retries
                                     : kind == MUP_MEDIUM_ACK   ? &counters->acks
                                                                : &counters->broadcast;
    tally->frames++;
    tally->bytes += size;
}

void mup_medium_air_begin(struct mup_medium *medium, struct mup_medium_node *node,
                          enum mup_medium_kind kind, const uint8_t *psdu, size_t size)
{
    struct mup_medium_air *air = &node->air;
    uint32_t wake_up_us = kind == MUP_MEDIUM_BROADCAST ? mup_medium_wake_up_us(medium) : 0;

    assert(!air->is_on && mup_medium_is_awake(node, medium->now_us));
    find_listeners(medium, node, wake_up_us != 0);
    air->is_on = true;
    air->is_destroyed = false;
    air->kind = kind;
    air->begin_us = air->counted_us = medium->now_us;
    air->frame_us = medium->now_us + wake_up_us;
    air->end_us = air->frame_us + mup_medium_airtime_us(size);
    collide(medium, air);
    if (medium->on_air_count++ == 0)
        medium->busy_since_us = medium->now_us;
    count_frame(node, kind, size);
    if (medium->calls.on_air != NULL)
        medium->calls.on_air(medium->calls.context, mup_medium_index(medium, node), air->frame_us,
                             psdu, size, kind);
}

static void fall_silent(struct mup_medium *medium, struct mup_medium_node *node)
{
    node->air.is_on = false;
    node->counters.tx_us += medium->now_us - node->air.counted_us;
    node->turned_us = medium->now_us + TURNAROUND_US;
    medium->silent_since_us = medium->now_us;
    if (--medium->on_air_count == 0)
        medium->channel.busy_us += medium->now_us - medium->busy_since_us;
}

void mup_medium_air_end(struct mup_medium *medium, struct mup_medium_node *node)
{
    struct mup_medium_frame frame = {.size = sizeof node->ack}; /* callbacks may touch the queue */

    if (node->air.kind == MUP_MEDIUM_ACK)
        memcpy(frame.psdu, node->ack, sizeof node->ack);
    else
        frame = *mup_medium_mac_frame(node);
    fall_silent(medium, node);
    if (!node->air.is_destroyed)
        mup_medium_receive(medium, node, frame.psdu, frame.size);
    if (node->air.kind != MUP_MEDIUM_ACK)
        mup_medium_mac_sent(medium, node);
}

void mup_medium_air_break(struct mup_medium *medium, struct mup_medium_node *node)
{
    if (node->air.is_on)
        fall_silent(medium, node);
}

bool mup_medium_air_is_busy(const struct mup_medium *medium, const struct mup_medium_node *node)
{
    if (medium->silent_since_us > node->cca_us || node->turned_us > node->cca_us ||
        node->ack_us != MUP_MEDIUM_NEVER || node->air.is_on)
        return true;
    for (unsigned i = 0; i < MUP_MEDIUM_NODES_MAX; i++)
        if (medium->node[i].air.is_on && medium->node[i].air.begin_us < medium->now_us)
            return true;
    return false;
}
