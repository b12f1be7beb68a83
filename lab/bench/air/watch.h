/*
 * Whether this machine had time for devices and edge: a thread that wants the processor as often as
 * an emulated device does, at the device's own priority, and notes how late it gets it. The
 * router's lateness does not show it, whose priority is higher.
 */
#ifndef MUP_BENCH_AIR_WATCH_H
#define MUP_BENCH_AIR_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct mup_watch_figures {
    uint32_t p99_us;
    uint32_t max_us;
};

/* Once, before the rest; false if there can be no thread. It ends with the process. */
bool mup_watch_start(int priority);

/* Forget what was noted so far. */
void mup_watch_reset(void);

struct mup_watch_figures mup_watch_figures(void);

#endif
