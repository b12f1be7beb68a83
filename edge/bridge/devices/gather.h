/*
 * Descriptions on their way in: the pieces of docs/SPEC.md section 9, joined and checked.
 *
 * No I/O and no clock of its own: the caller passes the time and asks now and then for what has
 * grown too old. What is gathered is bounded: MUP_GATHERS_MAX at once, each as large as announced;
 * one for each device.
 */
#ifndef MUP_BRIDGE_GATHER_H
#define MUP_BRIDGE_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/bootstrap.h"
#include "mup/topic.h"

#define MUP_GATHERS_MAX       64u
#define MUP_GATHER_TIMEOUT_MS 60000u /* between two pieces */

struct mup_gather {
    char name[MUP_NAME_MAX + 1]; /* the device that sends it; empty: unused */
    uint8_t digest[MUP_DIGEST_SIZE];
    uint8_t *bytes; /* malloced, `size` bytes, `done` of them filled */
    size_t size;
    size_t done;
    uint32_t next_number;
    uint64_t last_ms;
    bool whole; /* checked, and waits for whoever reads it */
};

/* `{0}` is empty. */
struct mup_gathers {
    struct mup_gather list[MUP_GATHERS_MAX];
};

void mup_gathers_free(struct mup_gathers *gathers);

/*
 * Expect the description that a device announced; what was gathered from it before is dropped,
 * unless it is the whole of the same description, which goes on waiting.
 * MUP_ERR_BUSY: MUP_GATHERS_MAX others are on their way; the device announces again later.
 */
MUP_MUST_CHECK
enum mup_status mup_gather_begin(struct mup_gathers *gathers, const char *name,
                                 const uint8_t digest[MUP_DIGEST_SIZE], size_t size,
                                 uint64_t now_ms);

/*
 * Add a piece.
 *
 * MUP_OK          it was the last and *out holds the whole with the announced size and digest; the
 *                 caller hands it to mup_gather_end when done with it. Until then it waits, however
 *                 long, and takes no more pieces.
 * MUP_ERR_SHORT   taken (or a repetition): more are to come, or it is whole already.
 * MUP_ERR_STATE   nothing is expected from this device, or a piece was skipped: dropped.
 * MUP_ERR_RANGE   longer than announced: dropped.
 * MUP_ERR_DIGEST  whole, but not what was announced: dropped.
 */
MUP_MUST_CHECK
enum mup_status mup_gather_add(struct mup_gathers *gathers, struct mup_gather **out,
                               const char *name, const struct mup_piece *piece, uint64_t now_ms);

void mup_gather_end(struct mup_gather *gather);

/* The whole that waits longest of those that `may` lets pass; NULL: none. */
struct mup_gather *
mup_gathers_waiting(struct mup_gathers *gathers,
                    bool (*may)(const void *arg, const struct mup_gather *gather), const void *arg);

/* Drop what is not whole and has had no piece for MUP_GATHER_TIMEOUT_MS. */
void mup_gathers_expire(struct mup_gathers *gathers, uint64_t now_ms);

#endif
