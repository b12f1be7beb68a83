/* Frames over a byte stream: see frame.h. */
#include "frame.h"

#include <string.h>

#define FRAME_SIZE_MIN 3u

uint16_t mup_frame_check(const uint8_t *bytes, size_t size)
{
    uint16_t check = 0;

    for (size_t i = 0; i < size; i++) {
        check ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            check = (uint16_t)((check & 1u) != 0 ? (check >> 1) ^ 0x8408u : check >> 1);
    }
    return check;
}

bool mup_frame_is_good(const uint8_t *psdu, size_t size)
{
    uint16_t check;

    if (size < FRAME_SIZE_MIN)
        return false;
    check = mup_frame_check(psdu, size - MUP_FRAME_FCS_SIZE);
    return psdu[size - 2] == (check & 0xffu) && psdu[size - 1] == check >> 8;
}

size_t mup_frame_take(struct mup_frame_reader *reader, const uint8_t *bytes, size_t size,
                      bool *complete)
{
    size_t taken = 0;

    *complete = false;
    if (reader->size == reader->wanted)
        reader->wanted = reader->size = 0;
    while (reader->wanted == 0 && taken < size) {
        uint8_t length = bytes[taken++];
        if (length >= FRAME_SIZE_MIN && length <= MUP_FRAME_SIZE_MAX)
            reader->wanted = length;
    }
    if (reader->wanted > 0 && taken < size) {
        size_t left = reader->wanted - reader->size;
        size_t part = size - taken < left ? size - taken : left;
        memcpy(reader->bytes + reader->size, bytes + taken, part);
        reader->size += part;
        taken += part;
        *complete = reader->size == reader->wanted;
    }
    return taken;
}
