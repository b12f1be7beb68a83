/* The medium's only source of chance: a SplitMix64 generator, its state a number of the caller. */
#ifndef MUP_LAB_MEDIUM_RANDOM_H
#define MUP_LAB_MEDIUM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

uint64_t mup_medium_random(uint64_t *state);

/* 0 to count - 1, each equally likely but for one part in 2^32 / count; count at most 2^32 - 1. */
uint32_t mup_medium_random_below(uint64_t *state, uint32_t count);

/* True with this probability; draws nothing when it is zero. */
bool mup_medium_random_ppm(uint64_t *state, uint32_t ppm);

#endif
