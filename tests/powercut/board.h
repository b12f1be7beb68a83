/*
 * An emulated micro:bit whose flash is a file: made, given an update, started, killed, looked at.
 *
 * The firmware is the real one, bootloader and applications; QEMU's end by kill -9 is the power
 * cut. The host writes what an application would have written, with the device's own code over the
 * same flash.
 */
#ifndef MUP_POWERCUT_BOARD_H
#define MUP_POWERCUT_BOARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mup/boot.h"
#include "mup/identity.h"
#include "mup/sign/key.h"

#define BOARD_FLASH_SIZE 262144u
#define BOARD_VERSIONS   7u /* releases of the application that the firmware's build makes */

/* An image, and the vendor's word for it. */
struct board_release {
    uint8_t *image; /* NULL: not loaded */
    uint32_t size;
    uint8_t manifest[MUP_BOOT_MANIFEST_SIZE_MAX];
    size_t manifest_size;
    struct mup_boot_image entry; /* as the journal knows it */
};

struct board {
    const char *bin;    /* folder of mup-microbit */
    const char *images; /* folder of the firmware */
    char folder[64];    /* temporary */
    char flash_path[160];
    char radio_path[160];
    struct mup_signer vendor;
    struct board_release releases[BOARD_VERSIONS + 1];
    uint8_t *flash;       /* the file, shared with QEMU */
    pid_t qemu;           /* 0: off */
    int radio;            /* nobody answers there */
    char last_words[160]; /* of QEMU, when it ended by itself */
};

/* Make keys, releases 1, 2 and 6, and a device that runs release 1. Messages go to stderr. */
bool board_make(struct board *board, const char *bin, const char *images);

/* Or only look at the flash of a device that somebody else runs, and know releases 1, 2, 6 and 7.
 */
bool board_watch(struct board *board, const char *images, const char *vendor_key,
                 const char *flash_path);
void board_free(struct board *board);

/* On and off. */
bool board_start(struct board *board);
void board_kill(struct board *board);

/* False when QEMU has ended by itself, which it does for a processor that locked up. */
bool board_is_on(struct board *board);

/* What the application does, with the board off: download an image and ask for it; confirm or give
 * up the one on trial. */
bool board_request(struct board *board, uint32_t version);
bool board_confirm(struct board *board);
bool board_give_up(struct board *board);

/* The state in the journal, also while QEMU runs; false while it cannot be read. */
bool board_state(const struct board *board, struct mup_boot_state *state);

/* Whose it is and whom it believes, as its next start will find it; false when it will not. */
bool board_identity(const struct board *board, struct mup_identity *identity);

/* Half steps of a swap, or of the way back, that are done; 0 when none is under way. */
uint32_t board_half_steps(const struct board *board);

/* Whether the image that the state says runs is in the execution slot, whole. */
bool board_runs_whole_image(const struct board *board, const struct mup_boot_state *state);

#endif
