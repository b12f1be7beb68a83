/* Nodes, their queues, and the order of events: see medium.h. */
#include "medium_internal.h"

#include <string.h>

#include "frame.h"

/* ---- nodes ---- */

static void clear_node(struct mup_medium_node *node)
{
    struct mup_medium_counters counters = node->counters;
    uint64_t on_us = node->on_us;

    memset(node, 0, sizeof *node);
    node->counters = counters;
    node->on_us = on_us;
    node->timer_us = node->ack_us = MUP_MEDIUM_NEVER;
    for (unsigned i = 0; i < MUP_MEDIUM_QUEUE_MAX; i++)
        node->order[i] = (uint8_t)i;
}

void mup_medium_init(struct mup_medium *medium, const struct mup_medium_config *config,
                     const struct mup_medium_calls *calls)
{
    memset(medium, 0, sizeof *medium);
    medium->calls = *calls;
    medium->random = config->seed;
    medium->config.seed = config->seed;
    mup_medium_set(medium, config);
    for (unsigned i = 0; i < MUP_MEDIUM_NODES_MAX; i++)
        clear_node(&medium->node[i]);
}

void mup_medium_set(struct mup_medium *medium, const struct mup_medium_config *config)
{
    if (config->seed != medium->config.seed)
        medium->random = config->seed;
    medium->config = *config;
    if (medium->config.queue_max == 0)
        medium->config.queue_max = MUP_MEDIUM_QUEUE_DEFAULT;
    if (medium->config.queue_max > MUP_MEDIUM_QUEUE_MAX)
        medium->config.queue_max = MUP_MEDIUM_QUEUE_MAX;
    for (unsigned i = 0; i < MUP_MEDIUM_NODES_MAX && config->burst.to_bad_ppm == 0; i++)
        medium->node[i].is_bad = false;
}

void mup_medium_attach(struct mup_medium *medium, uint64_t now_us, unsigned index,
                       const uint8_t *eui64)
{
    struct mup_medium_node *node;

    if (index >= MUP_MEDIUM_NODES_MAX)
        return;
    mup_medium_detach(medium, now_us, index);
    node = &medium->node[index];
    node->is_attached = true;
    node->counted_us = medium->now_us;
    if (eui64 != NULL) {
        node->eui64.size = MUP_MEDIUM_EUI64_SIZE;
        memcpy(node->eui64.bytes, eui64, MUP_MEDIUM_EUI64_SIZE);
    }
}

void mup_medium_detach(struct mup_medium *medium, uint64_t now_us, unsigned index)
{
    struct mup_medium_node *node;

    mup_medium_run(medium, now_us);
    if (index >= MUP_MEDIUM_NODES_MAX || !medium->node[index].is_attached)
        return;
    node = &medium->node[index];
    mup_medium_account(node, medium->now_us);
    mup_medium_air_break(medium, node);
    clear_node(node);
    for (unsigned i = 0; i < MUP_MEDIUM_NODES_MAX; i++)
        medium->node[i].air.reaches[index] = false;
}

static bool copy_address(const struct mup_medium_address *address, uint8_t *bytes, size_t size)
{
    if (address->size == size)
        memcpy(bytes, address->bytes, size);
    return address->size == size;
}

bool mup_medium_eui64(const struct mup_medium *medium, unsigned node,
                      uint8_t eui64[MUP_MEDIUM_EUI64_SIZE])
{
    return node < MUP_MEDIUM_NODES_MAX &&
           copy_address(&medium->node[node].eui64, eui64, MUP_MEDIUM_EUI64_SIZE);
}

bool mup_medium_short_address(const struct mup_medium *medium, unsigned node, uint16_t *address)
{
    uint8_t bytes[2];

    if (node >= MUP_MEDIUM_NODES_MAX ||
        !copy_address(&medium->node[node].short_address, bytes, sizeof bytes))
        return false;
    *address = (uint16_t)(bytes[0] | bytes[1] << 8);
    return true;
}

/* ---- frames ---- */

void mup_medium_set_short_address(struct mup_medium *medium, unsigned index, uint16_t address)
{
    if (index < MUP_MEDIUM_NODES_MAX)
        medium->node[index].short_address = (struct mup_medium_address){
            .size = 2, .bytes = {(uint8_t)address, (uint8_t)(address >> 8)}};
}

static void learn_address(struct mup_medium_node *node, const uint8_t *psdu, size_t size)
{
    struct mup_medium_facts facts = mup_medium_read(psdu, size);

    if (facts.source.size == 0 || !mup_frame_is_good(psdu, size))
        return;
    if (facts.source.size == MUP_MEDIUM_EUI64_SIZE)
        node->eui64 = facts.source;
    else
        node->short_address = facts.source;
}

bool mup_medium_send(struct mup_medium *medium, uint64_t now_us, unsigned index,
                     const uint8_t *psdu, size_t size)
{
    struct mup_medium_node *node;
    struct mup_medium_frame *frame;

    if (index >= MUP_MEDIUM_NODES_MAX || !medium->node[index].is_attached)
        return false;
    node = &medium->node[index];
    if (size < MUP_MEDIUM_PSDU_MIN || size > MUP_MEDIUM_PSDU_MAX ||
        node->count >= medium->config.queue_max) {
        node->counters.dropped_queue++;
        return false;
    }
    learn_address(node, psdu, size);
    frame = &node->slot[node->order[node->count++]];
    frame->size = (uint8_t)size;
    memcpy(frame->psdu, psdu, size);
    mup_medium_mac_look(medium, node, now_us < medium->now_us ? medium->now_us : now_us);
    return true;
}

/* ---- events ---- */

enum event_kind {
    AIR_END, /* first, of what falls on one microsecond: what begins then does not overlap it */
    ACK_BEGIN,
    MAC_TIMER,
};

struct event {
    uint64_t at_us;
    enum event_kind kind;
    unsigned node;
};

static void offer(struct event *next, uint64_t at_us, enum event_kind kind, unsigned node)
{
    if (at_us < next->at_us || (at_us == next->at_us && kind < next->kind))
        *next = (struct event){at_us, kind, node};
}

static struct event next_event(const struct mup_medium *medium)
{
    struct event next = {MUP_MEDIUM_NEVER, MAC_TIMER, 0};

    for (unsigned i = 0; i < MUP_MEDIUM_NODES_MAX; i++) {
        const struct mup_medium_node *node = &medium->node[i];
        if (!node->is_attached)
            continue;
        if (node->air.is_on)
            offer(&next, node->air.end_us, AIR_END, i);
        offer(&next, node->ack_us, ACK_BEGIN, i);
        offer(&next, node->timer_us, MAC_TIMER, i);
    }
    return next;
}

static void begin_ack(struct mup_medium *medium, struct mup_medium_node *node)
{
    node->ack_us = MUP_MEDIUM_NEVER;
    mup_medium_air_begin(medium, node, MUP_MEDIUM_ACK, node->ack, sizeof node->ack);
}

static void handle(struct mup_medium *medium, const struct event *event)
{
    struct mup_medium_node *node = &medium->node[event->node];

    switch (event->kind) {
    case AIR_END:
        mup_medium_air_end(medium, node);
        break;
    case ACK_BEGIN:
        begin_ack(medium, node);
        break;
    case MAC_TIMER:
        mup_medium_mac_step(medium, node);
        break;
    }
}

/* Time never goes back. */
static void advance(struct mup_medium *medium, uint64_t now_us)
{
    if (medium->now_us < now_us)
        medium->now_us = now_us;
}

void mup_medium_run(struct mup_medium *medium, uint64_t now_us)
{
    struct event event = next_event(medium);

    if (medium->is_running)
        return;
    medium->is_running = true;
    while (event.at_us != MUP_MEDIUM_NEVER && event.at_us <= now_us) {
        advance(medium, event.at_us);
        handle(medium, &event);
        event = next_event(medium);
    }
    medium->is_running = false;
    advance(medium, now_us);
}

uint64_t mup_medium_wake_us(const struct mup_medium *medium)
{
    return next_event(medium).at_us;
}
