/*
 * The conformance suite: what the five contracts of port/include/mup/port promise, tried on a port.
 *
 * Freestanding, so that it runs on the device itself. A host (host_posix.c is a pattern) fills in
 * struct port_suite and calls port_suite_run() from its main(). The suite prints TAP, one line for
 * each promise, and the lines keep their numbers:
 *
 *     1..30
 *     ok 1 flash: the memory is whole pages of a size that the contract allows
 *     not ok 2 flash: erasing sets the page to ones and no other
 *     # flash.c:61: is_filled(suite, middle, SIZE, 0xff)
 *     ok 19 transport: opening ends connected # SKIP this port has none
 *
 * The run is in two halves with a reset between them, as reset.h promises it: the first half leaves
 * a record in flash, calls reset.now(), and the host's main() comes again to port_suite_run(),
 * which finds the record and prints the rest. A flash that loses the record begins again with
 * "1..30": whoever reads the lines takes that as a failure. Without a reset there is no second
 * half.
 *
 * What the suite can not see: whether random bytes are unpredictable, what a power cut leaves
 * behind, and whether a call blocks for long. docs/PORTING.md says how to look at those.
 */
#ifndef PORT_SUITE_H
#define PORT_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/port/clock.h"
#include "mup/port/flash.h"
#include "mup/port/random.h"
#include "mup/port/reset.h"
#include "mup/port/transport.h"

/* Pages from flash_at on that the suite erases and programs. */
#define PORT_SUITE_PAGES 4u

/* A byte that makes the echoing peer close the stream once it has come back; none of the suite's
 * other bytes is it. */
#define PORT_SUITE_HANG_UP 0x04u

struct port_suite {
    /* The port. NULL = it has none; its promises are skipped. */
    const struct mup_port_flash *flash;
    const struct mup_port_clock *clock;
    const struct mup_port_random *random;
    const struct mup_port_transport *transport; /* to a peer that echoes and obeys HANG_UP */
    const struct mup_port_reset *reset;         /* wants a flash, too */

    /* The first of PORT_SUITE_PAGES pages that nobody else uses. The last pages of the memory are
     * best: its end is tried, too. */
    uint32_t flash_at;

    /* What can not be provoked from here. NULL = the promise is skipped. */
    const struct mup_port_random *random_broken;      /* a source that gives nothing */
    const struct mup_port_transport *transport_alone; /* to where nobody answers */
    void (*clock_near_wrap)(void); /* put the clock 1 to 200 ms before its wrap */

    /* How long to wait for anything: idle() is called so many times. NULL = there is nothing to
     * sleep with, and it is only counted. */
    uint32_t patience;
    void (*idle)(void);

    uint32_t flood_size_max; /* bytes to try to fill the stream's buffers with */

    /* Print text; lines end with \n. */
    void (*print)(const char *text);

    /* Private. */
    uint32_t failed_count;
    bool failed; /* the promise that is tried now */
};

/* Try the port. Returns the number of promises that were found broken, those of the first half
 * included; does not return from the first half if there is a reset. */
uint32_t port_suite_run(struct port_suite *suite);

#endif
