/*
 * Which certificate of an update server a device takes (docs/SPEC.md section 5): an epoch never
 * goes back, an epoch never changes its key, and only the vendor can introduce one.
 */
#include "mup/trust.h"

#include <string.h>

#include "mup/certificate.h"
#include "mup/identity.h"

/* What needs no signature check. MUP_OK: it would be taken if the vendor signed it. */
static enum mup_status would_take(const struct mup_identity *identity,
                                  const struct mup_cose_sign1 *message,
                                  const struct mup_certificate *certificate)
{
    if (memcmp(identity->vendor.key_id, message->kid, MUP_KID_SIZE) != 0)
        return MUP_ERR_KEY;
    if (certificate->epoch > identity->server_epoch)
        return MUP_OK;
    if (certificate->epoch == identity->server_epoch &&
        memcmp(certificate->public_key, identity->server.public_key, MUP_PUBLIC_KEY_SIZE) == 0)
        return MUP_ERR_STATE;
    return MUP_ERR_STALE;
}

/* In frames of their own, so that 256 bytes of identity are off the stack in between. */
__attribute__((noinline)) static enum mup_status look(const struct mup_flash_map *map,
                                                      const struct mup_cose_sign1 *message,
                                                      const struct mup_certificate *certificate)
{
    struct mup_identity identity;
    enum mup_status status = mup_identity_load(&identity, map);

    return status == MUP_OK ? would_take(&identity, message, certificate) : status;
}

__attribute__((noinline)) static enum mup_status keep(const struct mup_flash_map *map,
                                                      const struct mup_certificate *certificate)
{
    struct mup_identity identity;
    uint8_t digest[MUP_SHA256_SIZE];
    enum mup_status status = mup_identity_load(&identity, map);

    if (status != MUP_OK)
        return status;
    mup_sha256_of(digest, certificate->public_key, MUP_PUBLIC_KEY_SIZE);
    memcpy(identity.server.public_key, certificate->public_key, MUP_PUBLIC_KEY_SIZE);
    memcpy(identity.server.key_id, digest, MUP_KID_SIZE);
    identity.server_epoch = certificate->epoch;
    return mup_identity_save(map, &identity);
}

enum mup_status mup_trust_take_certificate(const struct mup_flash_map *map, uint8_t *budget,
                                           const uint8_t *bytes, size_t size)
{
    struct mup_cose_sign1 message;
    struct mup_certificate certificate;
    enum mup_status status = MUP_ERR_RANGE;

    if (size <= MUP_CERTIFICATE_SIGNED_MAX)
        status = mup_cose_sign1_decode(&message, bytes, size);
    if (status == MUP_OK)
        status = mup_certificate_decode(&certificate, message.payload.data, message.payload.size);
    if (status == MUP_OK)
        status = look(map, &message, &certificate);
    if (status != MUP_OK)
        return status;
    if (*budget == 0)
        return MUP_ERR_BUSY;
    (*budget)--;
    status = mup_trust_check(map, MUP_TRUST_VENDOR, &message);
    return status == MUP_OK ? keep(map, &certificate) : status;
}

uint32_t mup_trust_state(enum mup_status outcome)
{
    static const struct {
        int8_t outcome;
        uint8_t state;
    } states[] = {
        {MUP_OK, MUP_STATE_OK},
        {MUP_ERR_STATE, MUP_STATE_NOOP},
        {MUP_ERR_KEY, MUP_STATE_UNKNOWN_KEY},
        {MUP_ERR_SIGNATURE, MUP_STATE_OUTER_SIGNATURE_INVALID},
        {MUP_ERR_STALE, MUP_STATE_INVALID_VERSION},
        {MUP_ERR_BUSY, MUP_STATE_BUDGET_EXHAUSTED},
        {MUP_ERR_FLASH, MUP_STATE_FLASH_FAILURE},
    };

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (states[i].outcome == (int)outcome)
            return states[i].state;
    return MUP_STATE_ERROR;
}
