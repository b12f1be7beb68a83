/*
 * A full update of the emulated micro:bit, from its first start in the factory to the report that
 * the new image is confirmed, in a world in which nothing happens by chance; and what it took.
 *
 * The firmware is the real one, byte by byte. Each time that it wants to sleep, the machine is
 * stopped, what its UART has sent goes to the edge, and what the edge answers is put where the
 * UART's interrupt would have put it. So the host's speed is of no consequence.
 */
#ifndef MUP_TIMING_UPDATE_H
#define MUP_TIMING_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "edge.h"

#define UPDATE_STAGES (EDGE_FAILED + 1)

/* Work that was done. Instructions and cycles are without the loop that waits for random numbers,
 * which takes as long as the generator, and not as many instructions each time. */
struct update_work {
    uint64_t instructions;
    uint64_t cycles;
    uint64_t multiplications;
    uint64_t words;     /* written to flash */
    uint64_t erasures;  /* of flash pages */
    uint64_t random_us; /* waited for random numbers, to a tenth of a millisecond */
};

/* A time in which the application has no turn. */
struct update_hold {
    struct update_work work;
    enum edge_stage stage; /* what the edge was waiting for */
};

struct update_result {
    struct update_work signature;        /* one check, by the bootloader, not pre-empted */
    struct update_work outer_signature;  /* by the application, without what it did meanwhile */
    struct update_work inner_signature;  /* the same */
    struct update_work manifest;         /* all checks of the extended manifest, the same */
    struct update_work manifest_elapsed; /* with what it did meanwhile */
    struct update_work sha256_kb;        /* 1,024 bytes in pieces of 64 */
    struct update_work last_slice_to_state;
    struct update_work boot_plain;
    struct update_work boot_swap;
    struct update_work application_start; /* until the main loop's first turn */
    struct update_work whole;             /* from the token's request to the report */
    struct update_hold hold;              /* the longest in which no page is erased */
    struct update_hold hold_erasing;      /* the longest in which one is */
    uint32_t turns;                       /* of the application's in the update */
    uint32_t image_size;
};

/* `bin` has the host's programs, `images` the firmware. False after a message on stderr. */
bool update_measure(struct update_result *out, const char *bin, const char *images);

/* Milliseconds at 16 MHz, words of flash written included, erasures not. */
double update_ms(const struct update_work *work);

/* Of the flash alone, with the longest times of the nRF51822 Product Specification. */
double update_words_ms(const struct update_work *work);
double update_erasures_ms(const struct update_work *work);

#endif
