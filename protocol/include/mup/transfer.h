/*
 * Slices and acknowledgements: how the payload crosses (paper 5.5, 5.6; docs/SPEC.md, Slice and
 * Acknowledgement). The receiver grants credit; both messages are positional CBOR arrays because
 * they are the only ones that are sent thousands of times.
 */
#ifndef MUP_TRANSFER_H
#define MUP_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "mup/status.h"

#define MUP_TRANSFER_ID_MAX  65535u
#define MUP_ATTEMPT_MAX      65535u
#define MUP_SLICE_HEADER_MIN 5u
#define MUP_SLICE_HEADER_MAX 15u
#define MUP_ACK_MAX          19u

struct mup_slice_header {
    uint32_t transfer; /* as the device named it when it accepted the manifest */
    uint32_t attempt;  /* of the acknowledgement that this slice follows */
    uint32_t offset;   /* of the first data byte, in the payload */
    uint32_t size;     /* data bytes that follow the header, to the end of the message */
};

/*
 * Read a slice's header from the first bytes of a message that may still be arriving.
 *
 * MUP_OK          *header_size bytes were the header; header->size data bytes follow.
 * MUP_ERR_SHORT   call again with more bytes (at most MUP_SLICE_HEADER_MAX are needed).
 * MUP_ERR_FORMAT  not a slice: skip the whole message.
 * MUP_ERR_RANGE   a field outside its limits: skip the whole message.
 *
 * The caller compares header_size + header->size with the length of the whole message; a
 * difference is a format error.
 */
MUP_MUST_CHECK
enum mup_status mup_slice_header_decode(struct mup_slice_header *header, size_t *header_size,
                                        const uint8_t *bytes, size_t size);

/* Write the header; the data follows it directly. Returns its size, or 0 for a bad field. */
size_t mup_slice_header_encode(uint8_t bytes[MUP_SLICE_HEADER_MAX],
                               const struct mup_slice_header *header);

struct mup_ack {
    uint32_t transfer;
    uint32_t attempt; /* counts up when the sender must go back to `next` */
    uint32_t next;    /* payload bytes received without a gap: the offset wanted next */
    uint32_t limit;   /* the sender may send bytes below this offset */
    uint32_t state;   /* MUP_STATE_OK, _BLOCK_INVALID, _FLASH_FAILURE, _NOOP (transfer unknown) */
};

/* Errors as mup_manifest_decode; *out is untouched on error. limit < next is MUP_ERR_RANGE. */
MUP_MUST_CHECK
enum mup_status mup_ack_decode(struct mup_ack *out, const uint8_t *bytes, size_t size);
MUP_MUST_CHECK
enum mup_status mup_ack_encode(uint8_t bytes[MUP_ACK_MAX], size_t *size, const struct mup_ack *ack);

#endif
