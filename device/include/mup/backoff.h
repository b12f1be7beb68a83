/*
 * How long to wait before the next attempt to connect: exponential, with full jitter.
 *
 * After a broker restart a whole fleet reconnects. Each device waits a random time between
 * `min_ms` and a ceiling that doubles with every failure up to `max_ms`, so that the fleet spreads
 * out and a broker that is down is left in peace. Randomness and waiting are the caller's; a weak
 * random source will do.
 *
 *   mup_backoff_init(&backoff, 500, 60000);
 *   failed:    wait mup_backoff_next_ms(&backoff, random), then try again
 *   connected: mup_backoff_reset(&backoff), best when the connection has lasted a while
 */
#ifndef MUP_BACKOFF_H
#define MUP_BACKOFF_H

#include <stdint.h>

/* All fields are private. */
struct mup_backoff {
    uint32_t min_ms;
    uint32_t max_ms;
    uint32_t ceiling_ms; /* of the next wait */
};

/* The first wait is up to 2 * min_ms. A `min_ms` of 0 counts as 1, a smaller `max_ms` as min_ms. */
void mup_backoff_init(struct mup_backoff *backoff, uint32_t min_ms, uint32_t max_ms);

/* The next wait, min_ms..ceiling; doubles the ceiling. `random` is any 32 random bits. */
uint32_t mup_backoff_next_ms(struct mup_backoff *backoff, uint32_t random);

/* For a refusal that will not go away soon (credentials): the next wait reaches up to max_ms. */
void mup_backoff_saturate(struct mup_backoff *backoff);

/* It worked: the next failure waits as short as the first. */
void mup_backoff_reset(struct mup_backoff *backoff);

#endif
