/*
 * The kinds of device that a testbed can have, behind one set of calls: the virtual device, a
 * process, and the emulated micro:bit, 16 kB of RAM behind a 6LoWPAN radio.
 *
 *     const struct mup_board *board = mup_board_find("microbit");
 *     board->start_radio(&bed);                  after the broker
 *     board->release(&bed, 1, 0, "ok");
 *     board->make(&bed, &device);  board->start(&bed, &device);
 */
#ifndef MUP_LAB_BOARD_H
#define MUP_LAB_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "testbed.h"

struct mup_board {
    const char *name;
    const char *hardware;    /* class, as manifests and tokens name it */
    uint32_t image_size_max; /* bytes that its slots take */

    /* What this machine lacks for it, for people, given the source tree; NULL: nothing. */
    const char *(*missing)(const char *source);

    /* What its link needs beside the broker. */
    bool (*start_radio)(struct mup_testbed *bed);

    /* Sign and publish an image with this version, and fault as mup_testbed_release(). `size` is
     * what a transfer of it should have; a board whose image is code has at least that much. */
    bool (*release)(struct mup_testbed *bed, uint32_t version, uint32_t size, const char *fault);
    const char *(*release_url)(const struct mup_testbed *bed, uint32_t version);

    bool (*make)(struct mup_testbed *bed, struct mup_testbed_device *device);
    struct mup_process *(*start)(struct mup_testbed *bed, const struct mup_testbed_device *device);
};

extern const struct mup_board mup_board_posix;
extern const struct mup_board mup_board_microbit;

/* The board of this name; NULL if there is none. */
const struct mup_board *mup_board_find(const char *name);

#endif
