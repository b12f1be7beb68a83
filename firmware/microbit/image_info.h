/*
 * What an application image says about itself, right behind its vector table: for the tool that
 * makes factory images. The device believes the boot journal, not this.
 */
#ifndef MUP_MICROBIT_IMAGE_INFO_H
#define MUP_MICROBIT_IMAGE_INFO_H

#include <stdint.h>

#define MICROBIT_IMAGE_INFO_AT    192u                 /* bytes from the start of the image */
#define MICROBIT_IMAGE_INFO_MAGIC UINT32_C(0x4d50554d) /* "MUPM" */

/* What an image does wrong, for tests of trial and revert. */
enum microbit_fault {
    MICROBIT_FAULT_NONE = 0,
    MICROBIT_FAULT_HANG,       /* never feeds the watchdog */
    MICROBIT_FAULT_CRASH,      /* runs into a fault at once */
    MICROBIT_FAULT_NO_CONNECT, /* runs, and never connects */
    MICROBIT_FAULT_MASKED,     /* hangs, and lets no interrupt in */
    MICROBIT_FAULT_RESET_LOOP, /* resets whenever the broker has taken its connection */
};

struct microbit_image_info {
    uint32_t magic;
    uint32_t version;
    uint32_t fault; /* enum microbit_fault */
    uint32_t reserved;
};

#endif
