/*
 * The file through which mup-qemu-count.so tells what the emulated processor has done: counters,
 * and an event for each time that a place in the program was passed. It is mapped by both sides.
 */
#ifndef MUP_QEMU_COUNT_H
#define MUP_QEMU_COUNT_H

#include <stdint.h>

#define MUP_COUNT_EVENTS_MAX 262144u
#define MUP_COUNT_PLACES_MAX 16u

/* Since the start of QEMU. */
struct mup_count {
    uint64_t instructions;
    uint64_t cycles; /* by the timing of a Cortex-M0 with zero wait states and a fast multiplier */
    uint64_t multiplications;
    uint64_t words;    /* stores to flash */
    uint64_t erasures; /* of flash pages */
};

struct mup_count_event {
    uint32_t place;  /* the number that it was given */
    uint32_t is_end; /* the function returned */
    struct mup_count at;
};

struct mup_count_file {
    struct mup_count now;
    uint32_t event_count;
    uint32_t lost; /* events for which there was no room */
    struct mup_count_event events[MUP_COUNT_EVENTS_MAX];
};

#endif
