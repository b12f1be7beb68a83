/* What goes wrong on the way to a receiver, by the medium's seed: see struct mup_medium_config. */
#include "medium_internal.h"
#include "random.h"

/* One step of the burst model; true when it loses what arrives. */
static bool is_lost_in_burst(struct mup_medium *medium, struct mup_medium_node *node)
{
    const struct mup_medium_burst *burst = &medium->config.burst;

    if (mup_medium_random_ppm(&medium->random,
                              node->is_bad ? burst->to_good_ppm : burst->to_bad_ppm))
        node->is_bad = !node->is_bad;
    return node->is_bad && mup_medium_random_ppm(&medium->random, burst->loss_ppm);
}

static bool is_lost(struct mup_medium *medium, struct mup_medium_node *node, uint32_t loss_ppm)
{
    bool is_lost = is_lost_in_burst(medium, node);

    is_lost = mup_medium_random_ppm(&medium->random, loss_ppm) || is_lost;
    is_lost = is_lost || medium->config.is_cut;
    node->counters.lost += is_lost;
    return is_lost;
}

enum mup_medium_heard mup_medium_hear_frame(struct mup_medium *medium, struct mup_medium_node *node)
{
    if (is_lost(medium, node, medium->config.frame_loss_ppm))
        return MUP_MEDIUM_LOST;
    if (mup_medium_random_ppm(&medium->random, medium->config.corrupt_ppm))
        return MUP_MEDIUM_DAMAGED;
    return MUP_MEDIUM_WHOLE;
}

bool mup_medium_hear_ack(struct mup_medium *medium, struct mup_medium_node *node)
{
    return !is_lost(medium, node, medium->config.ack_loss_ppm);
}

void mup_medium_damage(struct mup_medium *medium, uint8_t *psdu, size_t size)
{
    uint32_t bit = mup_medium_random_below(&medium->random, (uint32_t)size * 8u);

    psdu[bit / 8] ^= (uint8_t)(1u << bit % 8);
}
