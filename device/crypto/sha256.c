/* SHA-256 over BearSSL. */
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
