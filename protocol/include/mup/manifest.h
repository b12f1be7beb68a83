/*
 * The vendor manifest and the extended manifest: what the vendor and the update server sign.
 *
 * docs/SPEC.md, Vendor manifest and Extended manifest; paper section 3.2, Table 1.
 *
 * Decoding is not verification. It proves that the bytes are well formed, nothing about who wrote
 * them: check the signature of the envelope (mup/cose.h) before acting on a field.
 */
#ifndef MUP_MANIFEST_H
#define MUP_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "mup/status.h"

#define MUP_DIGEST_SIZE          32u
#define MUP_UUID_SIZE            16u
#define MUP_NONCE_SIZE           16u
#define MUP_APP_ID_MAX           32u  /* bytes of printable ASCII */
#define MUP_HARDWARE_CLASS_MAX   32u  /* bytes of printable ASCII */
#define MUP_BLOCK_SIZE_MIN       256u /* a power of two, not counting the hash of the next block */
#define MUP_BLOCK_SIZE_MAX       4096u
#define MUP_IMAGE_SIZE_MAX       0x01000000u /* 16 MiB */

#define MUP_VENDOR_MANIFEST_MAX  208u /* the payload that the vendor signs */
#define MUP_VENDOR_SIGNED_MAX    304u /* the same in its COSE_Sign1 */
#define MUP_EXTENDED_PAYLOAD_MAX 360u
#define MUP_EXTENDED_SIGNED_MAX  456u /* what a device receives as extended manifest */

enum mup_payload_encoding {
    MUP_ENCODING_PLAIN = 0, /* the payload's block data is the image */
};

/* Caller-owned and plain: copy it, compare it, put it on the stack. Texts end with NUL. */
struct mup_manifest {
    char app_id[MUP_APP_ID_MAX + 1];
    char hardware_class[MUP_HARDWARE_CLASS_MAX + 1];
    uint32_t link_offset;            /* memory address that the image is linked for */
    uint32_t image_size;             /* bytes in flash */
    uint32_t payload_size;           /* bytes on the air: block data and the hashes between */
    uint32_t new_version;            /* must exceed the installed version */
    uint32_t old_version;            /* version that a delta applies to; 0: a full image */
    uint32_t block_size;             /* data bytes of a block */
    uint32_t encoding;               /* enum mup_payload_encoding */
    uint8_t digest[MUP_DIGEST_SIZE]; /* SHA-256 of the image */
    uint8_t first_block_hash[MUP_DIGEST_SIZE]; /* SHA-256 of the payload's first block */
};

/*
 * Read exactly one vendor manifest (the payload of its COSE_Sign1).
 *
 * MUP_ERR_SHORT   ends too early: as a whole message, treat it as MUP_ERR_FORMAT.
 * MUP_ERR_FORMAT  not the map that SPEC describes: abandon, never retry.
 * MUP_ERR_RANGE   a field outside its limits, or a payload size that does not fit the image size
 *                 and block size (for encoding 0: image_size + 32 for each block but the last).
 *
 * On error *out is untouched, so a stale manifest cannot pass for a new one.
 */
MUP_MUST_CHECK
enum mup_status mup_manifest_decode(struct mup_manifest *out, const uint8_t *bytes, size_t size);

/*
 * Write the one encoding, the bytes that the vendor signs.
 *
 * MUP_ERR_SPACE   more than `capacity` bytes.
 * MUP_ERR_RANGE   a field that mup_manifest_decode would refuse.
 *
 * On error *size is untouched; bytes[0..capacity) may hold anything. So do all encoders.
 */
MUP_MUST_CHECK
enum mup_status mup_manifest_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                    const struct mup_manifest *manifest);

/* What the update server adds (paper section 3.2, step 3). `inner` points into the input. */
struct mup_extended_manifest {
    struct mup_bytes inner; /* the vendor's complete COSE_Sign1, signature and all */
    uint8_t uuid[MUP_UUID_SIZE];
    uint8_t nonce[MUP_NONCE_SIZE];
    uint32_t version; /* the running version that the token named */
};

/* As mup_manifest_decode, for the payload of the outer COSE_Sign1. */
MUP_MUST_CHECK
enum mup_status mup_extended_manifest_decode(struct mup_extended_manifest *out,
                                             const uint8_t *bytes, size_t size);

MUP_MUST_CHECK
enum mup_status mup_extended_manifest_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                             const struct mup_extended_manifest *extended);

/* How many blocks a payload of this image has; 0 for an empty image. `block_size` is a power of
 * two. */
uint32_t mup_block_count(uint32_t image_size, uint32_t block_size);

/*
 * Bytes on the air of a plain image: its own and one hash for each block but the last. image_size
 * is at most MUP_IMAGE_SIZE_MAX.
 */
uint32_t mup_plain_payload_size(uint32_t image_size, uint32_t block_size);

#endif
