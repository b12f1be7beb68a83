/*
 * The MAC of a sender: interframe spacing, unslotted CSMA-CA, the wait for an acknowledgement and
 * retries (IEEE 802.15.4-2020, 6.2.5.1, 6.2.4, 6.7.4.3 and 6.7.4.4).
 *
 *                               channel busy
 *                             +--------------+
 *                             v              |
 *     IDLE -> SPACING -> BACKOFF -> ASSESSING -> TURNING -> SENDING -> ACK_WAIT
 *               ^          ^                                               |
 *               |          +------------------- retry ---------------------+
 *               +---------- through with the frame, the next one ----------+
 *
 * A retry to a receiver that sleeps goes by SPACING, where a sender also waits for it.
 */
#include "medium_internal.h"

#include <string.h>

#include "random.h"
#include "standard.h"

enum state {
    IDLE, /* nothing waits; the only state without a timer, but for SENDING */
    SPACING,
    BACKOFF,
    ASSESSING,
    TURNING,
    SENDING, /* until mup_medium_mac_sent() */
    ACK_WAIT,
};

static void enter(struct mup_medium_node *node, enum state state, uint64_t timer_us)
{
    node->state = (int)state;
    node->timer_us = timer_us;
}

const struct mup_medium_frame *mup_medium_mac_frame(const struct mup_medium_node *node)
{
    return &node->slot[node->order[node->head]];
}

/* ---- which frame, and when ---- */

/* The oldest frame whose receiver is awake, or the one whose receiver wakes first. Frames to one
 * receiver stay in order. */
static uint64_t choose(const struct mup_medium *medium, struct mup_medium_node *node,
                       uint64_t at_us)
{
    uint64_t best_us = MUP_MEDIUM_NEVER;

    for (uint8_t i = 0; i < node->count && best_us > at_us; i++) {
        uint64_t ready_us = mup_medium_ready_us(medium, &node->slot[node->order[i]], at_us);
        if (ready_us < best_us) {
            best_us = ready_us;
            node->head = i;
        }
    }
    return best_us;
}

/* The frame at the head has not been tried: another one may still go first. */
static bool is_fresh(const struct mup_medium_node *node)
{
    return node->attempts == 0 && node->offers == 0;
}

static bool is_between_frames(const struct mup_medium_node *node)
{
    return node->state == IDLE || (node->state == SPACING && is_fresh(node));
}

void mup_medium_mac_look(struct mup_medium *medium, struct mup_medium_node *node, uint64_t at_us)
{
    if (!is_between_frames(node))
        return;
    if (at_us < node->spaced_us)
        at_us = node->spaced_us;
    if (node->count == 0)
        enter(node, IDLE, MUP_MEDIUM_NEVER);
    else
        enter(node, SPACING, choose(medium, node, at_us));
}

/* ---- CSMA-CA ---- */

static void back_off(struct mup_medium *medium, struct mup_medium_node *node)
{
    uint32_t periods = mup_medium_random_below(&medium->random, 1u << node->exponent);

    enter(node, BACKOFF, medium->now_us + periods * BACKOFF_US);
}

static void begin_csma(struct mup_medium *medium, struct mup_medium_node *node)
{
    mup_medium_stay_on(medium, node);
    node->backoffs = 0;
    node->exponent = BACKOFF_EXPONENT;
    back_off(medium, node);
}

/* Spacing is over; the receiver may meanwhile have gone to sleep again. */
static void end_spacing(struct mup_medium *medium, struct mup_medium_node *node)
{
    uint64_t ready_us =
        is_fresh(node) ? choose(medium, node, medium->now_us)
                       : mup_medium_ready_us(medium, mup_medium_mac_frame(node), medium->now_us);

    if (ready_us > medium->now_us)
        enter(node, SPACING, ready_us);
    else
        begin_csma(medium, node);
}

static void begin_assessment(struct mup_medium *medium, struct mup_medium_node *node)
{
    node->cca_us = medium->now_us;
    enter(node, ASSESSING, medium->now_us + CCA_US);
}

/* ---- the end of a frame ---- */

static void remove_frame(struct mup_medium_node *node)
{
    uint8_t slot = node->order[node->head];

    node->count--;
    memmove(node->order + node->head, node->order + node->head + 1,
            (size_t)(node->count - node->head));
    node->order[node->count] = slot; /* free, and taken next */
}

/* Through with a frame, one way or another. */
static void finish(struct mup_medium *medium, struct mup_medium_node *node,
                   enum mup_medium_outcome outcome)
{
    node->counters.dropped_channel += outcome == MUP_MEDIUM_NO_CHANNEL;
    node->counters.dropped_no_ack += outcome == MUP_MEDIUM_NO_ACK;
    remove_frame(node);
    node->attempts = 0;
    node->offers = 0;
    enter(node, IDLE, MUP_MEDIUM_NEVER);
    mup_medium_let_sleep(medium, node);
    mup_medium_mac_look(medium, node, medium->now_us);
    if (medium->calls.done != NULL)
        medium->calls.done(medium->calls.context, mup_medium_index(medium, node), medium->now_us,
                           outcome);
}

static void finish_spaced(struct mup_medium *medium, struct mup_medium_node *node)
{
    size_t size = mup_medium_mac_frame(node)->size;

    node->spaced_us = medium->now_us + (size <= SIFS_PSDU_MAX ? SIFS_US : LIFS_US);
    finish(medium, node, MUP_MEDIUM_SENT);
}

static void end_assessment(struct mup_medium *medium, struct mup_medium_node *node)
{
    if (!mup_medium_air_is_busy(medium, node)) {
        enter(node, TURNING, medium->now_us + TURNAROUND_US);
        return;
    }
    if (node->exponent < BACKOFF_EXPONENT_MAX)
        node->exponent++;
    if (++node->backoffs <= CSMA_BACKOFFS_MAX)
        back_off(medium, node);
    else if (node->offers < medium->config.offers_max) {
        node->offers++;
        end_spacing(medium, node);
    } else {
        finish(medium, node, MUP_MEDIUM_NO_CHANNEL);
    }
}

static void begin_frame(struct mup_medium *medium, struct mup_medium_node *node)
{
    const struct mup_medium_frame *frame = mup_medium_mac_frame(node);
    enum mup_medium_kind kind =
        node->attempts > 0 ? MUP_MEDIUM_RETRY : mup_medium_read(frame->psdu, frame->size).kind;

    enter(node, SENDING, MUP_MEDIUM_NEVER);
    mup_medium_air_begin(medium, node, kind, frame->psdu, frame->size);
}

void mup_medium_mac_sent(struct mup_medium *medium, struct mup_medium_node *node)
{
    const struct mup_medium_frame *frame = mup_medium_mac_frame(node);

    if ((enum state)node->state != SENDING)
        return; /* switched off by a callback */
    if (mup_medium_read(frame->psdu, frame->size).wants_ack)
        enter(node, ACK_WAIT, medium->now_us + ACK_WAIT_US);
    else
        finish_spaced(medium, node);
}

static void give_up_or_retry(struct mup_medium *medium, struct mup_medium_node *node)
{
    if (++node->attempts > FRAME_RETRIES_MAX)
        finish(medium, node, MUP_MEDIUM_NO_ACK);
    else
        end_spacing(medium, node);
}

bool mup_medium_mac_waits_for(const struct mup_medium_node *node, uint8_t dsn)
{
    return node->state == ACK_WAIT && mup_medium_mac_frame(node)->psdu[2] == dsn;
}

void mup_medium_mac_take_ack(struct mup_medium *medium, struct mup_medium_node *node)
{
    finish_spaced(medium, node);
}

void mup_medium_mac_step(struct mup_medium *medium, struct mup_medium_node *node)
{
    switch ((enum state)node->state) {
    case SPACING:
        end_spacing(medium, node);
        break;
    case BACKOFF:
        begin_assessment(medium, node);
        break;
    case ASSESSING:
        end_assessment(medium, node);
        break;
    case TURNING:
        begin_frame(medium, node);
        break;
    case ACK_WAIT:
        give_up_or_retry(medium, node);
        break;
    case IDLE:
    case SENDING:
        break;
    }
}
