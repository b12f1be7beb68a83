/* COSE_Sign1 with OpenSSL: hash the Sig_structure, sign it or check it. */
#include "mup/sign/sign1.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>

void mup_sha256_host(uint8_t digest[32], const void *bytes, size_t size)
{
    /* A zero-length message may come with a null pointer; the hash must not see that. */
    SHA256(size == 0 ? (const unsigned char *)"" : bytes, size, digest);
}

/* SHA-256 of the Sig_structure: what is signed. */
static enum mup_status hash_to_sign(uint8_t hash[MUP_HASH_SIZE], const uint8_t kid[MUP_KID_SIZE],
                                    struct mup_bytes payload)
{
    uint8_t prefix[MUP_COSE_PREFIX_MAX];
    size_t prefix_size = mup_cose_prefix(prefix, kid, payload.size);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    int good = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
               EVP_DigestUpdate(digest, prefix, prefix_size) == 1 &&
               EVP_DigestUpdate(digest, payload.data, payload.size) == 1 &&
               EVP_DigestFinal_ex(digest, hash, NULL) == 1;

    EVP_MD_CTX_free(digest);
    return good ? MUP_OK : MUP_ERR_SPACE;
}

enum mup_status mup_sign1_make(uint8_t *bytes, size_t capacity, size_t *size,
                               const struct mup_signer *signer, struct mup_bytes payload)
{
    uint8_t signature[MUP_SIGNATURE_SIZE];
    uint8_t hash[MUP_HASH_SIZE];
    enum mup_status status;

    if (payload.size > MUP_COSE_PAYLOAD_MAX)
        return MUP_ERR_RANGE;
    status = hash_to_sign(hash, signer->kid, payload);
    if (status == MUP_OK)
        status = signer->sign(signer->context, signature, hash);
    if (status != MUP_OK)
        return status;
    return mup_cose_sign1_encode(bytes, capacity, size, signer->kid, payload, signature);
}

/* An OpenSSL key made of raw x || y; NULL when that is no point of the curve. */
static EVP_PKEY *key_from_raw(const uint8_t public_key[MUP_PUBLIC_KEY_SIZE])
{
    unsigned char point[1 + MUP_PUBLIC_KEY_SIZE] = {POINT_CONVERSION_UNCOMPRESSED};
    char group[] = "prime256v1";
    OSSL_PARAM params[3];
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

    memcpy(point + 1, public_key, MUP_PUBLIC_KEY_SIZE);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point);
    params[2] = OSSL_PARAM_construct_end();
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

/* Raw r || s as the DER that OpenSSL wants; returns its size, 0 on failure. Free *der. */
static int der_signature(unsigned char **der, const uint8_t raw[MUP_SIGNATURE_SIZE])
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, 32, NULL);
    BIGNUM *s = BN_bin2bn(raw + 32, 32, NULL);
    int size = 0;

    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = NULL;
        s = NULL;
        size = i2d_ECDSA_SIG(pair, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return size > 0 ? size : 0;
}

static enum mup_status check_signature(const uint8_t signature[MUP_SIGNATURE_SIZE],
                                       const uint8_t hash[MUP_HASH_SIZE],
                                       const uint8_t public_key[MUP_PUBLIC_KEY_SIZE])
{
    unsigned char *der = NULL;
    EVP_PKEY *key = key_from_raw(public_key);
    EVP_PKEY_CTX *operation = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
    int size = der_signature(&der, signature);
    int good = operation != NULL && size > 0 && EVP_PKEY_verify_init(operation) == 1 &&
               EVP_PKEY_verify(operation, der, (size_t)size, hash, MUP_HASH_SIZE) == 1;

    OPENSSL_free(der);
    EVP_PKEY_CTX_free(operation);
    EVP_PKEY_free(key);
    return good ? MUP_OK : MUP_ERR_SIGNATURE;
}

enum mup_status mup_sign1_open(struct mup_bytes *payload, const uint8_t *bytes, size_t size,
                               const uint8_t public_key[MUP_PUBLIC_KEY_SIZE])
{
    struct mup_cose_sign1 envelope;
    uint8_t kid[MUP_KID_SIZE];
    uint8_t hash[MUP_HASH_SIZE];
    enum mup_status status = mup_cose_sign1_decode(&envelope, bytes, size);

    if (status != MUP_OK)
        return status == MUP_ERR_SHORT ? MUP_ERR_FORMAT : status;
    mup_key_id(kid, public_key);
    if (memcmp(kid, envelope.kid, sizeof kid) != 0)
        return MUP_ERR_KEY;
    status = hash_to_sign(hash, envelope.kid, envelope.payload);
    if (status == MUP_OK)
        status = check_signature(envelope.signature, hash, public_key);
    if (status == MUP_OK)
        *payload = envelope.payload;
    return status;
}
