/* SHA-256 over BearSSL, and the comparison in constant time that goes with digests. */
#include "mup/crypto.h"

#include <bearssl_hash.h>

_Static_assert(sizeof(br_sha256_context) <= MUP_SHA256_CTX_SIZE, "the library's context must fit");
_Static_assert(_Alignof(br_sha256_context) <= _Alignof(struct mup_sha256), "and be aligned");

static br_sha256_context *library_of(struct mup_sha256 *sha)
{
    return (void *)&sha->library;
}

void mup_sha256_init(struct mup_sha256 *sha)
{
    br_sha256_init(library_of(sha));
}

void mup_sha256_update(struct mup_sha256 *sha, const void *bytes, size_t size)
{
    br_sha256_update(library_of(sha), bytes, size);
}

void mup_sha256_finish(const struct mup_sha256 *sha, uint8_t digest[MUP_SHA256_SIZE])
{
    br_sha256_out((const void *)&sha->library, digest);
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
