/*
 * From payload bytes to the staging slot (docs/SPEC.md section 6).
 *
 *   mup_pipeline_init()      once after a reset: finds what an earlier transfer kept
 *   mup_pipeline_begin()     for each accepted manifest: goes on where the same payload was, or
 *                            begins anew
 *   mup_pipeline_feed()      the payload's bytes in their order, in pieces of any size
 *   mup_pipeline_finish()    the digest of the whole image, computed again from flash
 *
 * Bytes are gathered in the caller's block buffer. A block whose SHA-256 is not the one that the
 * block before it (or the manifest) promised is dropped there:
 *
 *   P1  No byte is written to flash that is not part of a block with the promised hash.
 *   P2  A progress record is appended only after all bytes that it speaks of are in flash.
 *   P3  A record is used only for a manifest of the same digest, and only if it stands at the
 *       border of a block of that manifest and of a page of the flash.
 *
 * What survives a power cut: everything up to the last progress record, one for every
 * MUP_PIPELINE_RECORD_SIZE bytes of the image. The rest is asked for again.
 */
#ifndef MUP_PIPELINE_H
#define MUP_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/crypto.h"
#include "mup/flash_map.h"
#include "mup/manifest.h"
#include "mup/progress.h"
#include "mup/slot.h"
#include "mup/status.h"

/* Bytes of the image from one progress record to the next, at least. */
#define MUP_PIPELINE_RECORD_SIZE 4096u

/* Size of the block buffer for blocks of `block_size` data bytes. */
#define MUP_PIPELINE_BUFFER_SIZE(block_size) ((block_size) + MUP_DIGEST_SIZE)

/* Caller-owned; all fields are private. */
struct mup_pipeline {
    uint8_t state;                 /* first: in reach of a Cortex-M0 byte access */
    struct mup_slot_writer writer; /* its map from init() on, the rest from begin() on */
    struct mup_progress_log log;
    uint8_t *block;         /* the block being gathered */
    uint32_t block_size;    /* data bytes of a block */
    uint32_t block_filled;  /* bytes gathered */
    uint32_t verified_size; /* payload bytes of the blocks before it */
    uint32_t payload_size;
    uint32_t recorded_size;            /* image bytes of the newest progress record */
    uint8_t expected[MUP_DIGEST_SIZE]; /* hash of the block being gathered */
    uint8_t manifest_digest[MUP_DIGEST_SIZE];
};

/*
 * Look for what an earlier transfer kept. `block` is MUP_PIPELINE_BUFFER_SIZE(largest block)
 * bytes; it and `map` belong to the pipeline from now on.
 *
 * MUP_ERR_FLASH  the flash cannot be read.
 */
MUP_MUST_CHECK
enum mup_status mup_pipeline_init(struct mup_pipeline *pipeline, const struct mup_flash_map *map,
                                  uint8_t *block);

/*
 * Open the payload of a manifest that was verified, or go on with it. `manifest_digest` is the
 * SHA-256 of the signed vendor manifest. If the payload under way or the kept part has this
 * digest, it goes on where it was, without a byte lost; anything else is forgotten.
 *
 * MUP_ERR_SPACE  the image does not fit the slot.
 * MUP_ERR_FLASH  the progress record cannot be read or cleared; nothing was begun.
 */
MUP_MUST_CHECK
enum mup_status mup_pipeline_begin(struct mup_pipeline *pipeline,
                                   const struct mup_manifest *manifest,
                                   const uint8_t manifest_digest[MUP_DIGEST_SIZE]);

/*
 * Take the payload's next bytes.
 *
 * MUP_ERR_DIGEST  a block was dropped; mup_pipeline_next() is at its start again. What followed it
 *                 in bytes[] was not taken.
 * MUP_ERR_SPACE   more bytes than the payload has; nothing after its end was taken.
 * MUP_ERR_FLASH   the flash failed: the transfer is over, begin it again with a new manifest.
 * MUP_ERR_STATE   no payload is open.
 */
MUP_MUST_CHECK
enum mup_status mup_pipeline_feed(struct mup_pipeline *pipeline, const uint8_t *bytes, size_t size);

/* Payload bytes taken without a gap: the offset wanted next. 0 if nothing is open or kept. */
uint32_t mup_pipeline_next(const struct mup_pipeline *pipeline);

/* True if a payload is open or kept: *digest (32 bytes inside the pipeline) says of which manifest.
 */
bool mup_pipeline_kept(const struct mup_pipeline *pipeline, const uint8_t **manifest_digest);

/* True when all bytes of the open payload were taken. */
bool mup_pipeline_is_complete(const struct mup_pipeline *pipeline);

/*
 * Compute the digest of the image from flash and compare it.
 *
 * MUP_ERR_SHORT   the payload is not complete.
 * MUP_ERR_DIGEST  flash holds something else; begin the payload anew.
 * MUP_ERR_FLASH   the flash cannot be read.
 */
MUP_MUST_CHECK
enum mup_status mup_pipeline_finish(struct mup_pipeline *pipeline, uint32_t image_size,
                                    const uint8_t digest[MUP_DIGEST_SIZE]);

/* Forget payload and progress record: before a boot request, because the swap turns the slot over.
 * MUP_ERR_FLASH: the record still stands. */
MUP_MUST_CHECK
enum mup_status mup_pipeline_drop(struct mup_pipeline *pipeline);

#endif
