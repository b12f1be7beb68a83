/* Microseconds: see clock.h. */
#include "clock.h"

#include <stdbool.h>
#include <time.h>

static uint64_t read_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t mup_clock_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t mup_clock_epoch_us(uint64_t clock_us)
{
    static uint64_t ahead_us;

    if (ahead_us == 0)
        ahead_us = read_us(CLOCK_REALTIME) - read_us(CLOCK_MONOTONIC);
    return clock_us + ahead_us;
}
