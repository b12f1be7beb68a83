/* The clock: milliseconds of the monotonic clock, which suspends with the computer. */
#include <time.h>

#include "mup/port/posix.h"

static uint32_t now_ms(void *context)
{
    struct timespec now;

    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

struct mup_port_clock mup_posix_clock_port(void)
{
    return (struct mup_port_clock){.now_ms = now_ms};
}
