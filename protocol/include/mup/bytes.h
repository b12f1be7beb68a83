/*
 * A piece of somebody else's memory: where it is and how long.
 *
 * Decoders return these instead of copies. A piece points into the bytes that were decoded and
 * lives as long as they do.
 */
#ifndef MUP_BYTES_H
#define MUP_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct mup_bytes {
    const uint8_t *data;
    size_t size;
};

#endif
