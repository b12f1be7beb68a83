/* See keys.h: ECDSA (SEC 1, 4.1.3) whose secret number is a hash of key and message. */
#include "keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#define SCALAR_SIZE 32

static void must(bool good)
{
    if (!good)
        abort();
}

/* x of scalar * G, or both coordinates when y is not NULL. */
static void multiply(BIGNUM *x, BIGNUM *y, const BIGNUM *scalar, BN_CTX *work)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = EC_POINT_new(group);

    must(EC_POINT_mul(group, point, scalar, NULL, NULL, work) == 1 &&
         EC_POINT_get_affine_coordinates(group, point, x, y, work) == 1);
    EC_POINT_free(point);
    EC_GROUP_free(group);
}

/* s = (hash + r * key) / k, all modulo the order of the curve. */
static enum mup_status sign(void *context, uint8_t signature[MUP_SIGNATURE_SIZE],
                            const uint8_t hash[MUP_HASH_SIZE])
{
    uint8_t text[SCALAR_SIZE + MUP_HASH_SIZE];
    uint8_t secret[SHA256_DIGEST_LENGTH];
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    const BIGNUM *order = EC_GROUP_get0_order(group);
    BN_CTX *work = BN_CTX_new();
    BIGNUM *k = BN_new();
    BIGNUM *r = BN_new();
    BIGNUM *s = BN_new();
    BIGNUM *z = BN_bin2bn(hash, MUP_HASH_SIZE, NULL);

    must(BN_bn2binpad(context, text, SCALAR_SIZE) == SCALAR_SIZE);
    memcpy(text + SCALAR_SIZE, hash, MUP_HASH_SIZE);
    SHA256(text, sizeof text, secret);
    must(BN_bin2bn(secret, sizeof secret, k) != NULL && BN_mod(k, k, order, work) == 1);
    multiply(r, NULL, k, work);
    must(BN_mod(r, r, order, work) == 1 && BN_mod_mul(s, r, context, order, work) == 1 &&
         BN_mod_add(s, s, z, order, work) == 1 && BN_mod_inverse(k, k, order, work) != NULL &&
         BN_mod_mul(s, s, k, order, work) == 1);
    must(BN_bn2binpad(r, signature, SCALAR_SIZE) == SCALAR_SIZE &&
         BN_bn2binpad(s, signature + SCALAR_SIZE, SCALAR_SIZE) == SCALAR_SIZE);
    BN_free(z);
    BN_free(s);
    BN_free(r);
    BN_free(k);
    BN_CTX_free(work);
    EC_GROUP_free(group);
    return MUP_OK;
}

static void close_key(void *context)
{
    BN_clear_free(context);
}

bool timing_key(struct mup_signer *out, const char *name)
{
    uint8_t secret[SHA256_DIGEST_LENGTH];
    BN_CTX *work = BN_CTX_new();
    BIGNUM *x = BN_new();
    BIGNUM *y = BN_new();

    SHA256((const uint8_t *)name, strlen(name), secret);
    secret[0] &= 0x7f; /* below the order of the curve */
    *out = (struct mup_signer){.sign = sign, .close = close_key};
    out->context = BN_bin2bn(secret, sizeof secret, NULL);
    must(out->context != NULL);
    multiply(x, y, out->context, work);
    must(BN_bn2binpad(x, out->public_key, SCALAR_SIZE) == SCALAR_SIZE &&
         BN_bn2binpad(y, out->public_key + SCALAR_SIZE, SCALAR_SIZE) == SCALAR_SIZE);
    mup_key_id(out->kid, out->public_key);
    BN_free(y);
    BN_free(x);
    BN_CTX_free(work);
    return true;
}

bool timing_key_write(const struct mup_signer *key, const char *path)
{
    uint8_t point[1 + MUP_PUBLIC_KEY_SIZE] = {0x04}; /* SEC 1, 2.3.3: uncompressed */
    char curve[] = "P-256";
    OSSL_PARAM parameters[3];
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *public_key = NULL;
    FILE *file = fopen(path, "we");
    bool good;

    memcpy(point + 1, key->public_key, MUP_PUBLIC_KEY_SIZE);
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
    parameters[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point);
    parameters[2] = OSSL_PARAM_construct_end();
    good = file != NULL && EVP_PKEY_fromdata_init(maker) == 1 &&
           EVP_PKEY_fromdata(maker, &public_key, EVP_PKEY_PUBLIC_KEY, parameters) == 1 &&
           PEM_write_PUBKEY(file, public_key) == 1;
    EVP_PKEY_free(public_key);
    EVP_PKEY_CTX_free(maker);
    return file != NULL && fclose(file) == 0 && good;
}
