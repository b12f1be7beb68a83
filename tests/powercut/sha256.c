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
