/* Vendor manifest + UUID + nonce + version, under the outer signature. */
#include "server/extend.h"

#include <string.h>

#include "mup/sign/sign1.h"

enum mup_status mup_extend(uint8_t bytes[MUP_EXTENDED_SIGNED_MAX], size_t *size,
                           struct mup_bytes inner, const struct mup_token *token,
                           const struct mup_signer *signer)
{
    uint8_t payload[MUP_EXTENDED_PAYLOAD_MAX];
    size_t payload_size;
    struct mup_extended_manifest extended = {.inner = inner, .version = token->version};

    memcpy(extended.uuid, token->uuid, sizeof extended.uuid);
    memcpy(extended.nonce, token->nonce, sizeof extended.nonce);
    enum mup_status status =
        mup_extended_manifest_encode(payload, sizeof payload, &payload_size, &extended);
    if (status != MUP_OK) {
        return status;
    }
    return mup_sign1_make(bytes, MUP_EXTENDED_SIGNED_MAX, size, signer,
                          (struct mup_bytes){payload, payload_size});
}
