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

uint32_t mup_backoff_next_ms(struct mup_backoff *backoff, uint32_t random)
{
    uint32_t span = backoff->ceiling_ms - backoff->min_ms;
    uint32_t wait_ms = backoff->min_ms;

    /* span + 1 would wrap if the whole range is asked for */
    wait_ms += span == UINT32_MAX ? random : random % (span + 1);
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
