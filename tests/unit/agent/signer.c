/* Keys and COSE_Sign1 by OpenSSL: another implementation than the one under test. */
#include "signer.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

static void must(int good)
{
    if (!good)
        abort();
}

void signer_make(struct signer *signer)
{
    uint8_t point[1 + MUP_PUBLIC_KEY_SIZE];
    uint8_t digest[SHA256_DIGEST_LENGTH];
    size_t size = 0;

    signer->key = EVP_EC_gen("P-256");
    must(signer->key != NULL);
    must(EVP_PKEY_get_octet_string_param(signer->key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                         &size) == 1 &&
         size == sizeof point);
    memcpy(signer->public_key, point + 1, MUP_PUBLIC_KEY_SIZE);
    SHA256(signer->public_key, MUP_PUBLIC_KEY_SIZE, digest);
    memcpy(signer->kid, digest, MUP_KID_SIZE);
}

void signer_free(struct signer *signer)
{
    EVP_PKEY_free(signer->key);
}

/* DER to raw r || s. */
static void to_raw(uint8_t raw[MUP_SIGNATURE_SIZE], const uint8_t *der, size_t size)
{
    ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &der, (long)size);

    must(parsed != NULL);
    must(BN_bn2binpad(ECDSA_SIG_get0_r(parsed), raw, 32) == 32);
    must(BN_bn2binpad(ECDSA_SIG_get0_s(parsed), raw + 32, 32) == 32);
    ECDSA_SIG_free(parsed);
}

size_t signer_sign(const struct signer *signer, uint8_t *out, size_t capacity,
                   const uint8_t *payload, size_t payload_size, const uint8_t *kid)
{
    uint8_t bytes[MUP_COSE_PREFIX_MAX + MUP_COSE_PAYLOAD_MAX];
    uint8_t der[128];
    uint8_t raw[MUP_SIGNATURE_SIZE];
    size_t der_size = sizeof der;
    size_t size = 0;
    struct mup_bytes piece = {payload, payload_size};
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (kid == NULL)
        kid = signer->kid;
    size = mup_cose_prefix(bytes, kid, payload_size);
    memcpy(bytes + size, payload, payload_size);
    must(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signer->key) == 1);
    must(EVP_DigestSign(context, der, &der_size, bytes, size + payload_size) == 1);
    EVP_MD_CTX_free(context);
    to_raw(raw, der, der_size);
    must(mup_cose_sign1_encode(out, capacity, &size, kid, piece, raw) == MUP_OK);
    return size;
}
