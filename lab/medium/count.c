/* The counters, with the times of what is not over yet. */
#include "medium_internal.h"

#include <string.h>

static uint64_t later(uint64_t a_us, uint64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

void mup_medium_count(struct mup_medium *medium, uint64_t now_us, unsigned index,
                      struct mup_medium_counters *counters)
{
    struct mup_medium_node *node;

    memset(counters, 0, sizeof *counters);
    if (index >= MUP_MEDIUM_NODES_MAX)
        return;
    node = &medium->node[index];
    now_us = later(now_us, medium->now_us);
    mup_medium_account(node, now_us);
    *counters = node->counters;
    if (node->air.is_on)
        counters->tx_us += now_us - node->air.counted_us;
    counters->rx_us = node->on_us > counters->tx_us ? node->on_us - counters->tx_us : 0;
}

void mup_medium_count_channel(struct mup_medium *medium, uint64_t now_us,
                              struct mup_medium_channel *channel)
{
    *channel = medium->channel;
    if (medium->on_air_count > 0)
        channel->busy_us += later(now_us, medium->now_us) - medium->busy_since_us;
}

void mup_medium_reset_counters(struct mup_medium *medium, uint64_t now_us)
{
    now_us = later(now_us, medium->now_us);
    memset(&medium->channel, 0, sizeof medium->channel);
    medium->busy_since_us = now_us;
    for (unsigned i = 0; i < MUP_MEDIUM_NODES_MAX; i++) {
        struct mup_medium_node *node = &medium->node[i];
        mup_medium_account(node, now_us);
        memset(&node->counters, 0, sizeof node->counters);
        node->on_us = 0;
        node->air.counted_us = now_us;
    }
}
