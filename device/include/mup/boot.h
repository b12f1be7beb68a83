/*
 * Boot core: swap a staged image in, give it a trial, keep it or go back.
 *
 * Linked twice: by the bootloader, which calls open and start, and by the application, which calls
 * open and then request, confirm, revert or retry. It knows no network and no agent.
 *
 *     application                     bootloader (each start)
 *     ----------------------------    ------------------------------------------------------
 *     download into staging
 *     mup_boot_request()  -- reset -> signature and digest are checked, once
 *                                     swap, page by page, resumable       (phase SWAPPING)
 *                                     trial boot 1 of 3                   (phase TRIAL)
 *     reached the broker?
 *       yes: mup_boot_confirm()       from now on the new image is *the* image
 *       no, deadline: mup_boot_revert()  -- reset ->  swap back           (phase REVERTING)
 *       no, crashed:                  after 3 trial boots, swap back
 *     old image runs again                                                (phase REVERTED)
 *     cannot reach the broker either: mup_boot_retry_trial() -- reset -> swap, 3 trial boots more
 *     outcome told: mup_boot_reported()                                   (phase IDLE)
 *
 * Retries are bounded by MUP_BOOT_ROUNDS_MAX: a broker that is down must not roll a fleet back to
 * the hole, but two images must not take turns for ever either. After the last round the old image
 * stays.
 *
 * Swap by offset: the staged image starts one page up. For each page i, from the bottom:
 *     copy execution[i] to staging[i], then staging[i + 1] to execution[i].
 * Two erases and two programs per page and no scratch page. Afterwards the old image lies in
 * staging from its first page on, and the revert runs the same steps backwards, from the top.
 *
 * What survives a power cut: everything. Start again and the boot core goes on where it was.
 *   B1  A half step begins only after its position record is in the journal and was read back;
 *       its source page is then intact until the next half step's record is (F2, F3).
 *   B2  The destination page of the half step is always erased again, never continued.
 *   B3  After a reset nothing is acted upon before the journal's last word stands twice (F3), for a
 *       word that was programmed weakly may read valid once and never again.
 *   B4  Of a staged image that does not have the requested digest, or whose vendor manifest the
 *       verifier refuses, no byte ever reaches the execution slot.
 *   B5  The version floor rises with the confirmation, in the same word, and never falls.
 *   B6  Each phase is one word in the journal, absolute, so a cut leaves the old one or the new
 * one.
 */
#ifndef MUP_BOOT_H
#define MUP_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/crypto.h"
#include "mup/flash_map.h"
#include "mup/ledger.h"
#include "mup/status.h"

#define MUP_BOOT_TRIALS_MAX        3u   /* starts of a new image without a confirmation */
#define MUP_BOOT_ROUNDS_MAX        4u   /* times that a reverted image gets its trials again */
#define MUP_BOOT_MANIFEST_SIZE_MAX 768u /* bytes of the vendor manifest that can be stored */

enum mup_boot_phase {
    MUP_BOOT_IDLE = 1,  /* the image is confirmed, nothing is asked for */
    MUP_BOOT_REQUESTED, /* a staged image waits for the next reset */
    MUP_BOOT_SWAPPING,  /* only the bootloader ever sees this one ... */
    MUP_BOOT_TRIAL,     /* the new image runs and has not confirmed */
    MUP_BOOT_CONFIRMED, /* as IDLE, and the last update was a success */
    MUP_BOOT_REVERTING, /* ... and this one: they are finished before an image runs */
    MUP_BOOT_REVERTED,  /* the old image runs again; reason says why */
    MUP_BOOT_REJECTED,  /* the staged image was refused before the swap; reason says why */
    MUP_BOOT_RETRY,     /* a reverted image waits for the next reset to be tried again */
};

/* Why an image was reverted or rejected; goes into the report. The numbers are in flash: append. */
enum mup_boot_reason {
    MUP_BOOT_REASON_NONE = 0,
    MUP_BOOT_REASON_TRIALS = 1,    /* three starts, no confirmation: crashed or hung */
    MUP_BOOT_REASON_DEADLINE = 2,  /* the application did not reach the broker in time */
    MUP_BOOT_REASON_SELF_TEST = 3, /* the application found itself wanting */
    MUP_BOOT_REASON_DIGEST = 4,    /* the image in flash is not the one that was requested */
    MUP_BOOT_REASON_SIGNATURE = 5, /* the stored vendor manifest did not verify */
};

/* An image as the journal knows it. There is no header in the image itself. */
struct mup_boot_image {
    uint32_t version;
    uint32_t size;                   /* bytes; 0 = unknown (factory image written by hand) */
    uint8_t digest[MUP_SHA256_SIZE]; /* SHA-256 of those bytes */
};

/* What the application may want to know. */
struct mup_boot_state {
    enum mup_boot_phase phase;
    enum mup_boot_reason reason;   /* of phase REVERTED, REJECTED and RETRY, else NONE */
    struct mup_boot_image running; /* the image in the execution slot: on trial, the new one */
    struct mup_boot_image other;   /* staged, refused or reverted; on trial, the old one */
    uint32_t version_floor;        /* versions below are refused for ever; rises at confirm */
    uint32_t trial;                /* in phase TRIAL: 1 .. MUP_BOOT_TRIALS_MAX */
    uint32_t round;                /* retries so far: 0 .. MUP_BOOT_ROUNDS_MAX */
    uint8_t manifest_digest[MUP_SHA256_SIZE]; /* of the newest request's vendor manifest; or 0 */
    bool takes_manifest; /* false during a trial and while a request waits: answer "busy" */
};

/*
 * The bootloader's check of the stored vendor manifest: decode it, verify the vendor's signature
 * with the anchor in the state pages, and compare digest, size and version with *image. MUP_OK lets
 * the swap begin; anything else rejects the request. Called once for each request, before the first
 * swap, never again. A callback, so that boot links a verifier and not the agent.
 */
typedef enum mup_status mup_boot_verify_fn(void *context, const struct mup_boot_image *image,
                                           const uint8_t *manifest, size_t manifest_size);

/* How start() verifies. buffer is the caller's, lives during start() only. */
struct mup_boot_verifier {
    mup_boot_verify_fn *verify;
    void *context;
    uint8_t *buffer; /* MUP_BOOT_MANIFEST_SIZE_MAX bytes, aligned to 4 */
};

/* The journal's body in flash, and in RAM; private. */
struct mup_boot_body {
    struct mup_boot_image confirmed;
    struct mup_boot_image staged; /* size 0 = none */
    uint8_t manifest_digest[MUP_SHA256_SIZE];
    uint32_t manifest_size;
    uint32_t version_floor;
    uint32_t round;
    uint32_t reason;
    uint32_t trials; /* starts on trial of staged, in the rounds that are over */
    uint32_t reserved;
};

/* Caller-owned; fields are private. */
struct mup_boot {
    struct mup_flash_map map;
    struct mup_ledger journal;
    struct mup_boot_body body;
};

/*
 * Write the first journal: image is in the execution slot and counts as confirmed, and its version
 * is the floor. For the production line, a flash tool, or a test. Anything that was in the
 * journal is forgotten.
 *
 * MUP_ERR_RANGE  the map is wrong or the image larger than fits.
 */
MUP_MUST_CHECK
enum mup_status mup_boot_provision(struct mup_boot *boot, const struct mup_flash_map *map,
                                   const struct mup_boot_image *image);

/*
 * Read the journal. First call of the application and of the bootloader; copies the map.
 *
 * MUP_ERR_FORMAT  there is none: never provisioned. A bootloader then starts the execution slot as
 *                 it is, an application takes no updates.
 * MUP_ERR_RANGE   the map is wrong (mup_flash_map_check).
 * MUP_ERR_FLASH   the flash cannot be read.
 */
MUP_MUST_CHECK
enum mup_status mup_boot_open(struct mup_boot *boot, const struct mup_flash_map *map);

/*
 * What the bootloader does after open(), at each start: finish or begin whatever the journal asks
 * for, count a trial, and say in *out what is in the execution slot now. Then start that image.
 *
 * MUP_ERR_FLASH  the flash failed. Reset and start again: nothing is lost, the step is redone.
 */
MUP_MUST_CHECK
enum mup_status mup_boot_start(struct mup_boot *boot, struct mup_boot_state *out,
                               const struct mup_boot_verifier *verifier);

/* The state as of the last call; reads no flash. */
void mup_boot_state(const struct mup_boot *boot, struct mup_boot_state *out);

/* One fact of the state each, without a copy of all of it: a microcontroller that asks often pays
 * less. */
enum mup_boot_phase mup_boot_phase(const struct mup_boot *boot);
enum mup_boot_reason mup_boot_reason(const struct mup_boot *boot);
const struct mup_boot_image *mup_boot_running(const struct mup_boot *boot);
uint32_t mup_boot_trial(const struct mup_boot *boot);
bool mup_boot_takes_manifest(const struct mup_boot *boot);

static inline uint32_t mup_boot_version_floor(const struct mup_boot *boot)
{
    return boot->body.version_floor;
}

static inline uint32_t mup_boot_round(const struct mup_boot *boot)
{
    return boot->body.round;
}

/* How many times the image of the newest update was started on trial, in all rounds. Not known any
 * more once the outcome was reported. */
uint32_t mup_boot_trials(const struct mup_boot *boot);

static inline const uint8_t *mup_boot_manifest_digest(const struct mup_boot *boot)
{
    return boot->body.manifest_digest;
}

/*
 * Ask for the staged image to be swapped in at the next reset. Stores the vendor manifest's bytes
 * for the bootloader, then the request, which counts from one word on.
 *
 * MUP_ERR_STATE  during a trial, or while a request waits. (A reverted image is forgotten.)
 * MUP_ERR_STALE  the version is not above the floor.
 * MUP_ERR_SPACE  image or manifest larger than fits.
 * MUP_ERR_RANGE  image or manifest empty.
 * MUP_ERR_FLASH  not written; the state is the old one, or after a reset the new one.
 */
MUP_MUST_CHECK
enum mup_status mup_boot_request(struct mup_boot *boot, const struct mup_boot_image *image,
                                 const void *manifest, size_t manifest_size);

/*
 * Keep the running image. To be called when it has reached the broker, not before. Confirming
 * twice is allowed.
 *
 * MUP_ERR_STATE  there is no trial, nor a confirmed update.
 */
MUP_MUST_CHECK
enum mup_status mup_boot_confirm(struct mup_boot *boot);

/*
 * Give the running image up: the next start swaps the old one back. Reset afterwards. The reason
 * is kept for the report.
 *
 * MUP_ERR_STATE  there is no trial.
 */
MUP_MUST_CHECK
enum mup_status mup_boot_revert(struct mup_boot *boot, enum mup_boot_reason reason);

/*
 * The old image runs again and cannot reach the broker either, so the new one was not to blame:
 * give it its trials again at the next start. Reset afterwards.
 *
 * MUP_ERR_STATE  nothing was reverted, it was reverted for its digest or by its own self-test,
 *                or MUP_BOOT_ROUNDS_MAX rounds are over: stay, and go on trying to connect.
 */
MUP_MUST_CHECK
enum mup_status mup_boot_retry_trial(struct mup_boot *boot);

/*
 * Somebody was told of the outcome (phase CONFIRMED, REVERTED or REJECTED): the phase is IDLE from
 * now on, so nobody is told twice. A reverted image is forgotten and has no more trials.
 *
 * MUP_ERR_STATE  there is no outcome.
 * MUP_ERR_FLASH  not written: after a reset the outcome stands, or does not.
 */
MUP_MUST_CHECK
enum mup_status mup_boot_reported(struct mup_boot *boot);

#endif
