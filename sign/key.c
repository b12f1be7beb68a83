/* Keys from files: a signer over OpenSSL, and public keys as raw x || y. */
#include "mup/sign/key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "mup/sign/sign1.h"

/* Raw x || y of a P-256 key; MUP_ERR_KEY for any other kind of key. */
static enum mup_status raw_public_key(uint8_t out[MUP_PUBLIC_KEY_SIZE], const EVP_PKEY *key)
{
    unsigned char point[1 + MUP_PUBLIC_KEY_SIZE];
    char group[32];
    size_t size = 0;

    if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, group, sizeof group, NULL) != 1 ||
        strcmp(group, "prime256v1") != 0)
        return MUP_ERR_KEY;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, NULL, 0, &size) != 1 ||
        size != sizeof point ||
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size) !=
            1 ||
        point[0] != POINT_CONVERSION_UNCOMPRESSED)
        return MUP_ERR_KEY;
    memcpy(out, point + 1, MUP_PUBLIC_KEY_SIZE);
    return MUP_OK;
}

void mup_key_id(uint8_t kid[MUP_KID_SIZE], const uint8_t public_key[MUP_PUBLIC_KEY_SIZE])
{
    uint8_t digest[MUP_HASH_SIZE];

    mup_sha256_host(digest, public_key, MUP_PUBLIC_KEY_SIZE);
    memcpy(kid, digest, MUP_KID_SIZE);
}

/* OpenSSL's DER signature as raw r || s. */
static enum mup_status raw_signature(uint8_t out[MUP_SIGNATURE_SIZE], const unsigned char *der,
                                     size_t size)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)size);
    enum mup_status status = MUP_ERR_KEY;

    if (pair == NULL)
        return MUP_ERR_KEY;
    if (BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, 32) == 32 &&
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + 32, 32) == 32)
        status = MUP_OK;
    ECDSA_SIG_free(pair);
    return status;
}

static enum mup_status sign_with_file_key(void *context, uint8_t signature[MUP_SIGNATURE_SIZE],
                                          const uint8_t hash[MUP_HASH_SIZE])
{
    EVP_PKEY_CTX *operation = EVP_PKEY_CTX_new(context, NULL);
    unsigned char der[80];
    size_t size = sizeof der;
    enum mup_status status = MUP_ERR_KEY;

    if (operation != NULL && EVP_PKEY_sign_init(operation) == 1 &&
        EVP_PKEY_sign(operation, der, &size, hash, MUP_HASH_SIZE) == 1)
        status = raw_signature(signature, der, size);
    EVP_PKEY_CTX_free(operation);
    return status;
}

static void close_file_key(void *context)
{
    EVP_PKEY_free(context);
}

/* A private key that others can read is not private: say so instead of using it. */
static enum mup_status check_is_private(FILE *file, const char *path, struct mup_error *error)
{
    struct stat info;

    if (fstat(fileno(file), &info) != 0) {
        mup_error_set(error, "%s: cannot read the private key: %s", path, strerror(errno));
        return MUP_ERR_KEY;
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        mup_error_set(error,
                      "%s: others than its owner may read this private key; "
                      "run: chmod 600 %s",
                      path, path);
        return MUP_ERR_KEY;
    }
    return MUP_OK;
}

/* No passphrase is ever asked for on a terminal: an encrypted file is an error, not a prompt. */
static int refuse_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

enum mup_status mup_signer_open_file(struct mup_signer *out, const char *path,
                                     struct mup_error *error)
{
    struct mup_signer signer = {.sign = sign_with_file_key, .close = close_file_key};
    enum mup_status status;
    EVP_PKEY *key;
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        mup_error_set(error, "%s: cannot read the private key: %s", path, strerror(errno));
        return MUP_ERR_KEY;
    }
    key = PEM_read_PrivateKey(file, NULL, refuse_passphrase, NULL);
    status = key == NULL ? MUP_ERR_KEY : raw_public_key(signer.public_key, key);
    if (status != MUP_OK)
        mup_error_set(error,
                      "%s: not an unencrypted P-256 private key in PEM; "
                      "make one with: mup keygen NAME",
                      path);
    else
        status = check_is_private(file, path, error);
    fclose(file);
    if (status != MUP_OK) {
        EVP_PKEY_free(key);
        return MUP_ERR_KEY;
    }
    mup_key_id(signer.kid, signer.public_key);
    signer.context = key;
    *out = signer;
    return MUP_OK;
}

void mup_signer_close(struct mup_signer *signer)
{
    if (signer->close != NULL && signer->context != NULL)
        signer->close(signer->context);
    signer->context = NULL;
}

enum mup_status mup_public_key_read(uint8_t public_key[MUP_PUBLIC_KEY_SIZE], const char *path,
                                    struct mup_error *error)
{
    uint8_t raw[MUP_PUBLIC_KEY_SIZE];
    EVP_PKEY *key;
    enum mup_status status;
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        mup_error_set(error, "%s: cannot read the public key: %s", path, strerror(errno));
        return MUP_ERR_KEY;
    }
    key = PEM_read_PUBKEY(file, NULL, refuse_passphrase, NULL);
    fclose(file);
    status = key == NULL ? MUP_ERR_KEY : raw_public_key(raw, key);
    EVP_PKEY_free(key);
    if (status != MUP_OK) {
        mup_error_set(error,
                      "%s: not a P-256 public key in PEM (a file that begins with "
                      "-----BEGIN PUBLIC KEY-----)",
                      path);
        return status;
    }
    memcpy(public_key, raw, sizeof raw);
    return MUP_OK;
}
