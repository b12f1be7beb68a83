/* The same SHA-256 as device/crypto/sha256.c, by OpenSSL, which uses the host's instructions for
 * it: two thirds of the bench's time went into digests of images. */
#define OPENSSL_SUPPRESS_DEPRECATED /* of the calls that need no memory from the heap */
#include <openssl/sha.h>

#include "mup/crypto.h"

_Static_assert(sizeof(SHA256_CTX) <= MUP_SHA256_CTX_SIZE, "the library's context must fit");

void mup_sha256_init(struct mup_sha256 *sha)
{
    SHA256_Init((void *)&sha->library);
}

void mup_sha256_update(struct mup_sha256 *sha, const void *bytes, size_t size)
{
    SHA256_Update((void *)&sha->library, bytes, size);
}

void mup_sha256_finish(const struct mup_sha256 *sha, uint8_t digest[MUP_SHA256_SIZE])
{
    struct mup_sha256 copy = *sha;

    SHA256_Final(digest, (void *)&copy.library);
}

void mup_sha256_of(uint8_t digest[MUP_SHA256_SIZE], const void *bytes, size_t size)
{
    struct mup_sha256 sha;

    mup_sha256_init(&sha);
    mup_sha256_update(&sha, bytes, size);
    mup_sha256_finish(&sha, digest);
}

int mup_crypto_equal(const void *a, const void *b, size_t size)
{
    const uint8_t *left = a;
    const uint8_t *right = b;
    uint8_t difference = 0;

    for (size_t i = 0; i < size; i++)
        difference |= (uint8_t)(left[i] ^ right[i]);
    return difference == 0;
}
