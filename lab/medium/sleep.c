/*
 * Receivers that sleep: coordinated sampled listening (IEEE 802.15.4-2020, 6.12.2).
 *
 * Times are counted from sleep_origin_us. A node is on in the first awake_us of each period, and
 * until on_until_us, which its own traffic moves.
 */
#include "medium_internal.h"

static uint64_t phase_us(const struct mup_medium_node *node, uint64_t at_us)
{
    return (at_us - node->sleep_origin_us) % node->sleep.period_us;
}

bool mup_medium_is_awake(const struct mup_medium_node *node, uint64_t at_us)
{
    return node->sleep.period_us == 0 || at_us <= node->on_until_us ||
           phase_us(node, at_us) <= node->sleep.awake_us;
}

/* When a sender may begin so that its first backoff ends before this node sleeps again. */
static uint64_t node_ready_us(const struct mup_medium_node *node, uint64_t at_us)
{
    uint64_t phase;

    if (node->sleep.period_us == 0 || node->on_until_us >= at_us + MUP_MEDIUM_AWAKE_MIN_US)
        return at_us;
    phase = phase_us(node, at_us);
    if (phase + MUP_MEDIUM_AWAKE_MIN_US <= node->sleep.awake_us)
        return at_us;
    return at_us + node->sleep.period_us - phase;
}

uint64_t mup_medium_ready_us(const struct mup_medium *medium, const struct mup_medium_frame *frame,
                             uint64_t at_us)
{
    struct mup_medium_facts facts = mup_medium_read(frame->psdu, frame->size);

    if (facts.kind != MUP_MEDIUM_DATA)
        return at_us;
    for (unsigned i = 0; i < MUP_MEDIUM_NODES_MAX; i++)
        if (mup_medium_is_addressed(&medium->node[i], &facts.destination))
            return node_ready_us(&medium->node[i], at_us);
    return at_us;
}

uint32_t mup_medium_wake_up_us(const struct mup_medium *medium)
{
    uint32_t longest_us = 0;

    for (unsigned i = 0; i < MUP_MEDIUM_NODES_MAX; i++) {
        const struct mup_medium_node *node = &medium->node[i];
        if (node->is_attached && node->sleep.period_us > longest_us)
            longest_us = node->sleep.period_us;
    }
    return longest_us;
}

/* How long the node's samples lasted from the origin until at_us. */
static uint64_t sampled_us(const struct mup_medium_node *node, uint64_t at_us)
{
    uint64_t periods = (at_us - node->sleep_origin_us) / node->sleep.period_us;
    uint64_t phase = phase_us(node, at_us);

    return periods * node->sleep.awake_us +
           (phase < node->sleep.awake_us ? phase : node->sleep.awake_us);
}

void mup_medium_account(struct mup_medium_node *node, uint64_t now_us)
{
    uint64_t on_us = now_us; /* it was on without a break until then */

    if (!node->is_attached || now_us <= node->counted_us)
        return;
    if (node->sleep.period_us != 0 && node->on_until_us < now_us)
        on_us = node->on_until_us > node->counted_us ? node->on_until_us : node->counted_us;
    node->on_us += on_us - node->counted_us;
    if (on_us < now_us)
        node->on_us += sampled_us(node, now_us) - sampled_us(node, on_us);
    node->counted_us = now_us;
}

void mup_medium_stay_on(struct mup_medium *medium, struct mup_medium_node *node)
{
    mup_medium_account(node, medium->now_us);
    node->on_until_us = MUP_MEDIUM_NEVER;
}

void mup_medium_linger(struct mup_medium *medium, struct mup_medium_node *node, uint64_t from_us)
{
    mup_medium_account(node, medium->now_us);
    if (node->on_until_us < from_us + node->sleep.linger_us)
        node->on_until_us = from_us + node->sleep.linger_us;
}

/* From now on, but for an acknowledgement that it owes or sends. */
static void linger_from_now(struct mup_medium *medium, struct mup_medium_node *node)
{
    node->on_until_us = medium->now_us + node->sleep.linger_us;
    if (node->ack_us != MUP_MEDIUM_NEVER)
        mup_medium_linger(medium, node, node->ack_us + mup_medium_airtime_us(sizeof node->ack));
    if (node->air.is_on)
        mup_medium_linger(medium, node, node->air.end_us);
}

void mup_medium_let_sleep(struct mup_medium *medium, struct mup_medium_node *node)
{
    mup_medium_account(node, medium->now_us);
    linger_from_now(medium, node);
}

void mup_medium_set_sleep(struct mup_medium *medium, uint64_t now_us, unsigned index,
                          const struct mup_medium_sleep *sleep)
{
    struct mup_medium_node *node;

    if (index >= MUP_MEDIUM_NODES_MAX)
        return;
    node = &medium->node[index];
    mup_medium_run(medium, now_us);
    mup_medium_account(node, medium->now_us);
    node->sleep = *sleep;
    if (node->sleep.awake_us < MUP_MEDIUM_AWAKE_MIN_US)
        node->sleep.awake_us = MUP_MEDIUM_AWAKE_MIN_US;
    if (node->sleep.period_us <= node->sleep.awake_us)
        node->sleep.period_us = 0;
    node->sleep_origin_us = medium->now_us;
    if (node->on_until_us != MUP_MEDIUM_NEVER)
        linger_from_now(medium, node);
}
