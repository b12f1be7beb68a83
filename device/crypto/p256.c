/* The check of a P-256 signature over BearSSL's 15-bit code, which a Cortex-M0 runs best. */
#include "mup/crypto.h"

#include <string.h>

#include <bearssl_ec.h>

#define POINT_SIZE (1u + MUP_P256_KEY_SIZE)

enum mup_status mup_p256_verify(const uint8_t public_key[MUP_P256_KEY_SIZE],
                                const uint8_t digest[MUP_SHA256_SIZE],
                                const uint8_t signature[MUP_P256_SIG_SIZE])
{
    uint8_t point[POINT_SIZE] = {0x04}; /* SEC 1, 2.3.3: uncompressed */
    br_ec_public_key key = {.curve = BR_EC_secp256r1, .q = point, .qlen = sizeof point};

    memcpy(point + 1, public_key, MUP_P256_KEY_SIZE);
    if (br_ecdsa_i15_vrfy_raw(&br_ec_p256_m15, digest, MUP_SHA256_SIZE, &key, signature,
                              MUP_P256_SIG_SIZE) != 1)
        return MUP_ERR_SIGNATURE;
    return MUP_OK;
}
