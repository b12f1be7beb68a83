/* The wait before the next attempt to connect. */
#include "mup/backoff.h"

void mup_backoff_init(struct mup_backoff *backoff, uint32_t min_ms, uint32_t max_ms)
{
    backoff->min_ms = min_ms == 0 ? 1 : min_ms;
    backoff->max_ms = max_ms < backoff->min_ms ? backoff->min_ms : max_ms;
    mup_backoff_reset(backoff);
}

static void raise_ceiling(struct mup_backoff *backoff)
{
    if (backoff->ceiling_ms > backoff->max_ms / 2)
        backoff->ceiling_ms = backoff->max_ms;
    else
        backoff->ceiling_ms *= 2;
}

/* Fold random bits into 0..span; each value can come. Not quite even, which does no harm here, and
 * a microcontroller without a divider need not link one. */
static uint32_t fold(uint32_t random, uint32_t span)
{
    uint32_t mask = 0;

    while (mask < span)
        mask = mask << 1 | 1u;
    random &= mask;
    return random > span ? random - span : random;
}

uint32_t mup_backoff_next_ms(struct mup_backoff *backoff, uint32_t random)
{
    uint32_t wait_ms = backoff->min_ms + fold(random, backoff->ceiling_ms - backoff->min_ms);

    raise_ceiling(backoff);
    return wait_ms;
}

void mup_backoff_saturate(struct mup_backoff *backoff)
{
    backoff->ceiling_ms = backoff->max_ms;
}

void mup_backoff_reset(struct mup_backoff *backoff)
{
    backoff->ceiling_ms = backoff->min_ms;
    raise_ceiling(backoff);
}
