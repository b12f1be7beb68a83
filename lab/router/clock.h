/* The router's clocks, in microseconds. */
#ifndef MUP_LAB_CLOCK_H
#define MUP_LAB_CLOCK_H

#include <stdint.h>

/* Since some moment: CLOCK_MONOTONIC. */
uint64_t mup_clock_us(void);

/* Since 1970, but steady: the monotonic clock and what the real one was ahead of it at the first
 * call. So a capture's durations are right whatever happens to the real clock. */
uint64_t mup_clock_epoch_us(uint64_t clock_us);

#endif
