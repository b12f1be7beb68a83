/*
 * What goes with digests whoever computes them: of one piece, and compared in constant time. A file
 * of its own, so that a firmware with another SHA-256 links this one.
 */
#include "mup/crypto.h"

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
