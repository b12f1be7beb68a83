/*
 * What a device answers, and what becomes of an update: the states of docs/SPEC.md.
 *
 * The numbers cross the wire and stand in device descriptions as the decimal prefix of a return
 * state ("22_INVALID_NONCE"); they are never reused for another meaning.
 */
#ifndef MUP_STATE_H
#define MUP_STATE_H

#include <stdint.h>

enum mup_state {
    MUP_STATE_OK = 10,    /* done as asked (the paper's ok) */
    MUP_STATE_NOOP = 11,  /* nothing to do: it is so already */
    MUP_STATE_ERROR = 12, /* refused for a reason that has no number; unknown method, bad input */

    MUP_STATE_MANIFEST_NOT_VALID = 20,      /* not the structure that SPEC describes */
    MUP_STATE_WRONG_APP_ID = 21,            /* for another application */
    MUP_STATE_INVALID_NONCE = 22,           /* not the nonce of the living token */
    MUP_STATE_OUTER_SIGNATURE_INVALID = 23, /* not signed by the update server */
    MUP_STATE_INNER_SIGNATURE_INVALID = 24, /* not signed by the vendor */
    MUP_STATE_INVALID_VERSION = 25,         /* not newer than what runs, or below the floor */
    MUP_STATE_SLOT_IN_USE = 26,             /* the staging slot holds an update that must boot */
    MUP_STATE_IMAGE_TOO_BIG = 27,           /* larger than the slot */
    MUP_STATE_IMAGE_INVALID = 28,           /* the image in flash has not the signed digest */
    MUP_STATE_WRONG_DEVICE = 29,            /* for another UUID */
    MUP_STATE_WRONG_HARDWARE_CLASS = 30,    /* for other hardware */
    MUP_STATE_UNKNOWN_KEY = 31,             /* a key id that this device does not trust */
    MUP_STATE_WRONG_LINK_OFFSET = 32,       /* linked for another address */
    MUP_STATE_WRONG_OLD_VERSION = 33,       /* token or delta made for another running version */
    MUP_STATE_BLOCK_SIZE_UNSUPPORTED = 34,  /* blocks that do not fit the device's buffer */
    MUP_STATE_BUDGET_EXHAUSTED = 35,        /* too many signature checks this hour: try later */
    MUP_STATE_IN_TRIAL = 36,                /* a trial boot is not decided yet */
    MUP_STATE_NO_SERVER_KEY = 37,           /* no update server was ever introduced */
    MUP_STATE_NO_MANIFEST = 38,             /* verify without an accepted manifest */
    MUP_STATE_INCOMPLETE = 39,              /* verify before the last block */
    MUP_STATE_FLASH_FAILURE = 40,           /* the flash does not take or keep data */
    MUP_STATE_BLOCK_INVALID = 41,           /* in acknowledgements: a block had the wrong hash */
    MUP_STATE_ENCODING_UNSUPPORTED = 42,    /* a payload encoding that this device cannot undo */

    MUP_STATE_CONFIRMED = 50, /* report: the new image booted, reached the broker, is kept */
    MUP_STATE_REVERTED = 51,  /* report: the old image runs again; the reason stands beside it */

    MUP_STATE_SEND_DESCRIPTION = 60,    /* bootstrap: this description is not known, send it */
    MUP_STATE_DESCRIPTION_INVALID = 61, /* bootstrap: it was read and cannot be used */
    MUP_STATE_DEVICE_REFUSED = 62,      /* bootstrap: this device is not wanted here */
};

#define MUP_STATE_MAX 99u

/* Why a report says reverted (docs/SPEC.md, Final report). */
enum mup_revert_reason {
    MUP_REVERT_NONE = 0,
    MUP_REVERT_TRIALS_USED_UP = 1,    /* booted, never confirmed */
    MUP_REVERT_DEADLINE = 2,          /* ran, but did not confirm in time */
    MUP_REVERT_IMAGE_INVALID = 3,     /* the bootloader found another digest in the slot */
    MUP_REVERT_SIGNATURE_INVALID = 4, /* the bootloader did not accept the vendor's signature */
    MUP_REVERT_REQUESTED = 5,         /* the application asked for it */
};

#define MUP_REVERT_REASON_MAX 31u

/* A state's name as SPEC spells it, such as "invalid-nonce"; "unknown" for other numbers. */
const char *mup_state_name(uint32_t state);

/* A reason's name as SPEC spells it, such as "trials-used-up"; "unknown" for other numbers. */
const char *mup_revert_reason_name(uint32_t reason);

#endif
