/*
 * The progress record: how far a download had come, so that it can go on after a loss of power.
 *
 * It is a ledger (ledger.h): each record is a page that checks itself, and two pages take turns. A
 * record that was cut is passed over, and the one before it is true as well, only older: bytes are
 * then fetched twice, never written wrongly. Each costs one erasure, so make them rarely.
 *
 * A record gives no authority. To resume, the agent needs a fresh token and an accepted manifest
 * whose vendor manifest has the same digest (DESIGN D7): freshness is never inherited.
 *
 * Order: open once after a reset; settle before the first byte after it is written, or clear if the
 * download does not go on; append at page boundaries of the output, every few blocks; clear before
 * a new image is begun and before mup_boot_request(), because the swap turns the slot over.
 *
 *   F7  A record whose last word was cut and is weak may be passed over now and be seen later, when
 *       the bytes that it speaks of are being fetched again. So before any is written the ledger
 *       is: what was passed over is void then (F5), or erased.
 */
#ifndef MUP_PROGRESS_H
#define MUP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "mup/crypto.h"
#include "mup/flash_map.h"
#include "mup/ledger.h"
#include "mup/status.h"

struct mup_progress {
    uint8_t manifest_digest[MUP_SHA256_SIZE]; /* SHA-256 of the vendor manifest's bytes */
    uint32_t payload_offset;                  /* bytes of the payload that are verified */
    uint32_t output_offset;                   /* bytes of the image in flash; page-aligned */
    uint8_t next_hash[MUP_SHA256_SIZE];       /* of the block at payload_offset */
};

/* Caller-owned; fields are private. */
struct mup_progress_log {
    struct mup_ledger ledger;
};

/*
 * Find the newest record. *found is written on success; it is false when there is none or it was
 * cleared, and then *out may hold anything.
 *
 * MUP_ERR_FLASH  the flash cannot be read.
 */
MUP_MUST_CHECK
enum mup_status mup_progress_open(struct mup_progress_log *log, struct mup_progress *out,
                                  bool *found, const struct mup_flash_map *map);

/*
 * Append a record.
 *
 * MUP_ERR_RANGE  output_offset is not a multiple of the page size: wait for the boundary.
 * MUP_ERR_FLASH  it could not be written. An older record still stands; the transfer may go on.
 */
MUP_MUST_CHECK
enum mup_status mup_progress_append(struct mup_progress_log *log,
                                    const struct mup_progress *progress);

/* After open() found *progress, and before the download goes on from there: make it the newest for
 * good (F7). Errors as append(); on MUP_ERR_FLASH write nothing. */
MUP_MUST_CHECK
enum mup_status mup_progress_settle(struct mup_progress_log *log,
                                    const struct mup_progress *progress);

/* Make the newest record say "there is nothing to resume". Writes nothing if it says so already and
 * was made since open(). */
MUP_MUST_CHECK
enum mup_status mup_progress_clear(struct mup_progress_log *log);

#endif
