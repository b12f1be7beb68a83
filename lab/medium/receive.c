/* What a node makes of a frame that ends, undestroyed, while it listens. */
#include "medium_internal.h"

#include <string.h>

#include "frame.h"
#include "random.h"
#include "standard.h"

#define ACK_FRAME_CONTROL 0x02u /* frame type 2, all else zero (7.3.3) */

/* An immediate acknowledgement, a turnaround from now. */
static void owe_ack(struct mup_medium *medium, struct mup_medium_node *node, uint8_t dsn)
{
    uint16_t check;

    node->ack[0] = ACK_FRAME_CONTROL;
    node->ack[1] = 0;
    node->ack[2] = dsn;
    check = mup_frame_check(node->ack, sizeof node->ack - MUP_FRAME_FCS_SIZE);
    node->ack[3] = (uint8_t)check;
    node->ack[4] = (uint8_t)(check >> 8);
    node->ack_us = medium->now_us + TURNAROUND_US;
    mup_medium_linger(medium, node, node->ack_us + mup_medium_airtime_us(sizeof node->ack));
}

static void deliver(struct mup_medium *medium, struct mup_medium_node *node, const uint8_t *psdu,
                    size_t size)
{
    node->counters.delivered.frames++;
    node->counters.delivered.bytes += size;
    if (medium->calls.deliver != NULL)
        medium->calls.deliver(medium->calls.context, mup_medium_index(medium, node), medium->now_us,
                              psdu, size);
}

static void deliver_damaged(struct mup_medium *medium, struct mup_medium_node *node,
                            const uint8_t *psdu, size_t size)
{
    uint8_t damaged[MUP_MEDIUM_PSDU_MAX];

    memcpy(damaged, psdu, size);
    mup_medium_damage(medium, damaged, size);
    deliver(medium, node, damaged, size);
}

static void take_frame(struct mup_medium *medium, struct mup_medium_node *node,
                       const struct mup_medium_facts *facts, const uint8_t *psdu, size_t size)
{
    enum mup_medium_heard heard = mup_medium_hear_frame(medium, node);

    if (heard == MUP_MEDIUM_LOST || !mup_frame_is_good(psdu, size))
        return;
    mup_medium_linger(medium, node, medium->now_us);
    if (heard == MUP_MEDIUM_DAMAGED) {
        deliver_damaged(medium, node, psdu, size);
        return;
    }
    if (facts->wants_ack)
        owe_ack(medium, node, facts->dsn);
    if (mup_medium_is_repeated(medium, node, &facts->source, facts->dsn)) {
        node->counters.repeated++;
        return;
    }
    deliver(medium, node, psdu, size);
    if (node->is_attached && mup_medium_random_ppm(&medium->random, medium->config.duplicate_ppm))
        deliver(medium, node, psdu, size);
}

static void take_ack(struct mup_medium *medium, struct mup_medium_node *node, uint8_t dsn)
{
    if (mup_medium_mac_waits_for(node, dsn) && mup_medium_hear_ack(medium, node))
        mup_medium_mac_take_ack(medium, node);
}

void mup_medium_receive(struct mup_medium *medium, const struct mup_medium_node *from,
                        const uint8_t *psdu, size_t size)
{
    struct mup_medium_facts facts = mup_medium_read(psdu, size);
    bool is_ack = from->air.kind == MUP_MEDIUM_ACK;

    for (unsigned i = 0; i < MUP_MEDIUM_NODES_MAX; i++) {
        struct mup_medium_node *node = &medium->node[i];
        if (!from->air.reaches[i])
            continue;
        if (is_ack)
            take_ack(medium, node, psdu[2]);
        else if (facts.kind == MUP_MEDIUM_BROADCAST ||
                 mup_medium_is_addressed(node, &facts.destination))
            take_frame(medium, node, &facts, psdu, size);
    }
}
