/*
 * The final report: what became of an update, sent by the image that runs after it (paper
 * section 3.2, last step; docs/SPEC.md, Final report).
 */
#ifndef MUP_REPORT_H
#define MUP_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "mup/manifest.h"
#include "mup/status.h"

#define MUP_REPORT_MAX      160u
#define MUP_TRIAL_BOOTS_MAX 255u

struct mup_report {
    uint8_t uuid[MUP_UUID_SIZE];
    uint32_t version;                  /* what runs now */
    uint32_t outcome;                  /* MUP_STATE_CONFIRMED or MUP_STATE_REVERTED */
    uint8_t manifest[MUP_DIGEST_SIZE]; /* SHA-256 of the vendor COSE_Sign1 of the update */
    uint32_t reason;                   /* enum mup_revert_reason; 0 when confirmed */
    uint32_t trial_boots;              /* how many times the new image was started on trial */
};

/*
 * Errors as mup_manifest_decode; *out is untouched on error. The reserved authentication field is
 * checked for its shape and otherwise ignored in this version.
 */
MUP_MUST_CHECK
enum mup_status mup_report_decode(struct mup_report *out, const uint8_t *bytes, size_t size);
MUP_MUST_CHECK
enum mup_status mup_report_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                  const struct mup_report *report);

#endif
