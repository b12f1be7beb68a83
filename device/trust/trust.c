/*
 * The check of a COSE_Sign1 against a key of the identity record (docs/SPEC.md section 2).
 */
#include "mup/trust.h"

#include <string.h>

#include "mup/identity.h"

/* In a frame of its own: the identity's 256 bytes are off the stack when the signature is checked.
 */
__attribute__((noinline)) static enum mup_status load_anchor(struct mup_trust_anchor *anchor,
                                                             const struct mup_flash_map *map,
                                                             enum mup_trust_key key)
{
    struct mup_identity identity;
    enum mup_status status = mup_identity_load(&identity, map);

    if (status != MUP_OK)
        return status;
    if (key == MUP_TRUST_SERVER && identity.server_epoch == 0)
        return MUP_ERR_KEY;
    *anchor = key == MUP_TRUST_VENDOR ? identity.vendor : identity.server;
    return MUP_OK;
}

enum mup_status mup_trust_check(const struct mup_flash_map *map, enum mup_trust_key key,
                                const struct mup_cose_sign1 *message)
{
    struct mup_trust_anchor anchor;
    struct mup_sha256 sha;
    uint8_t prefix[MUP_COSE_PREFIX_MAX];
    uint8_t digest[MUP_SHA256_SIZE];
    enum mup_status status = load_anchor(&anchor, map, key);

    if (status != MUP_OK)
        return status;
    if (memcmp(anchor.key_id, message->kid, MUP_KID_SIZE) != 0)
        return MUP_ERR_KEY;
    mup_sha256_init(&sha);
    mup_sha256_update(&sha, prefix, mup_cose_prefix(prefix, message->kid, message->payload.size));
    mup_sha256_update(&sha, message->payload.data, message->payload.size);
    mup_sha256_finish(&sha, digest);
    return mup_p256_verify(anchor.public_key, digest, message->signature);
}
