/*
 * What can be seen of a device from outside, beside its messages: which images lie in its flash,
 * how much of its RAM it never touched, what was on the air. None of it is the device's own word.
 */
#ifndef MUP_LAB_EVIDENCE_H
#define MUP_LAB_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "board.h"
#include "testbed.h"

#define MUP_EVIDENCE_DIGEST_TEXT 65u /* 64 hex digits and a NUL */

/* An image as its vendor has signed it. */
struct mup_evidence_release {
    uint32_t version;
    uint32_t size;
    char digest[MUP_EVIDENCE_DIGEST_TEXT];
};

struct mup_evidence_slot {
    uint32_t version; /* of the release whose bytes are in it; 0: of none */
    bool is_erased;
    char digest[MUP_EVIDENCE_DIGEST_TEXT]; /* of that many bytes as the release has */
};

struct mup_evidence_flash {
    struct mup_evidence_slot execution;
    struct mup_evidence_slot staging;
};

/* What the vendor's manifest in the repository says of a version. */
bool mup_evidence_release(struct mup_evidence_release *out, const struct mup_testbed *bed,
                          const struct mup_board *board, uint32_t version);

/* Digest what lies in the device's two slots and compare it with two releases. False, with a
 * message on stderr, when the flash cannot be read. */
bool mup_evidence_flash(struct mup_evidence_flash *out, const struct mup_testbed *bed,
                        const struct mup_testbed_device *device,
                        const struct mup_evidence_release releases[2]);

/* Bytes of stack that a micro:bit never touched until it asked for its newest restart. */
bool mup_evidence_stack(uint32_t *unused_size, const struct mup_testbed *bed,
                        const struct mup_testbed_device *device);

struct mup_evidence_radio {
    uint64_t frames;
    uint64_t size; /* bytes of them all, check sequences included */
    uint32_t largest;
};

/* Count what the border router has captured so far. */
bool mup_evidence_radio(struct mup_evidence_radio *out, const struct mup_testbed *bed);

#endif
