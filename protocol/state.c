/* The names of states and reasons, as docs/SPEC.md section 18 spells them: for people and logs. */
#include "mup/state.h"

const char *mup_state_name(uint32_t state)
{
    switch ((enum mup_state)state) {
    case MUP_STATE_OK:
        return "ok";
    case MUP_STATE_NOOP:
        return "noop";
    case MUP_STATE_ERROR:
        return "error";
    case MUP_STATE_MANIFEST_NOT_VALID:
        return "manifest-not-valid";
    case MUP_STATE_WRONG_APP_ID:
        return "wrong-app-id";
    case MUP_STATE_INVALID_NONCE:
        return "invalid-nonce";
    case MUP_STATE_OUTER_SIGNATURE_INVALID:
        return "outer-signature-invalid";
    case MUP_STATE_INNER_SIGNATURE_INVALID:
        return "inner-signature-invalid";
    case MUP_STATE_INVALID_VERSION:
        return "invalid-version";
    case MUP_STATE_SLOT_IN_USE:
        return "slot-in-use";
    case MUP_STATE_IMAGE_TOO_BIG:
        return "image-too-big";
    case MUP_STATE_IMAGE_INVALID:
        return "image-invalid";
    case MUP_STATE_WRONG_DEVICE:
        return "wrong-device";
    case MUP_STATE_WRONG_HARDWARE_CLASS:
        return "wrong-hardware-class";
    case MUP_STATE_UNKNOWN_KEY:
        return "unknown-key";
    case MUP_STATE_WRONG_LINK_OFFSET:
        return "wrong-link-offset";
    case MUP_STATE_WRONG_OLD_VERSION:
        return "wrong-old-version";
    case MUP_STATE_BLOCK_SIZE_UNSUPPORTED:
        return "block-size-unsupported";
    case MUP_STATE_BUDGET_EXHAUSTED:
        return "budget-exhausted";
    case MUP_STATE_IN_TRIAL:
        return "in-trial";
    case MUP_STATE_NO_SERVER_KEY:
        return "no-server-key";
    case MUP_STATE_NO_MANIFEST:
        return "no-manifest";
    case MUP_STATE_INCOMPLETE:
        return "incomplete";
    case MUP_STATE_FLASH_FAILURE:
        return "flash-failure";
    case MUP_STATE_BLOCK_INVALID:
        return "block-invalid";
    case MUP_STATE_ENCODING_UNSUPPORTED:
        return "encoding-unsupported";
    case MUP_STATE_CONFIRMED:
        return "confirmed";
    case MUP_STATE_REVERTED:
        return "reverted";
    case MUP_STATE_SEND_DESCRIPTION:
        return "send-description";
    case MUP_STATE_DESCRIPTION_INVALID:
        return "description-invalid";
    case MUP_STATE_DEVICE_REFUSED:
        return "device-refused";
    }
    return "unknown";
}

const char *mup_revert_reason_name(uint32_t reason)
{
    switch ((enum mup_revert_reason)reason) {
    case MUP_REVERT_NONE:
        return "none";
    case MUP_REVERT_TRIALS_USED_UP:
        return "trials-used-up";
    case MUP_REVERT_DEADLINE:
        return "deadline";
    case MUP_REVERT_IMAGE_INVALID:
        return "image-invalid";
    case MUP_REVERT_SIGNATURE_INVALID:
        return "signature-invalid";
    case MUP_REVERT_REQUESTED:
        return "requested";
    }
    return "unknown";
}
