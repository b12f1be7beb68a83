/*
 * IEEE 802.15.4 frames over a byte stream: how a device's UART, or a socket that stands for it,
 * carries them.
 *
 * One byte of length, 3 to 127, then that many bytes of PSDU: MAC header, payload, and the frame
 * check sequence (IEEE 802.15.4-2020 section 7.2.11: CRC-16 of ITU-T, least significant byte
 * first).
 */
#ifndef MUP_LAB_FRAME_H
#define MUP_LAB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUP_FRAME_SIZE_MAX 127u /* aMaxPhyPacketSize */
#define MUP_FRAME_FCS_SIZE 2u

struct mup_frame_reader {
    uint8_t bytes[MUP_FRAME_SIZE_MAX];
    size_t wanted; /* 0: the length byte comes next */
    size_t size;
};

/* The frame check sequence of bytes[0..size). */
uint16_t mup_frame_check(const uint8_t *bytes, size_t size);

/*
 * Take bytes from the stream; returns how many were taken, at most up to the end of one frame.
 * *complete says that reader->bytes[0..reader->size) is a whole PSDU, until the next call. A length
 * that cannot be is skipped: the stream finds its way back at the next frame.
 */
size_t mup_frame_take(struct mup_frame_reader *reader, const uint8_t *bytes, size_t size,
                      bool *complete);

/* True when the last two bytes of a PSDU are its frame check sequence. */
bool mup_frame_is_good(const uint8_t *psdu, size_t size);

#endif
