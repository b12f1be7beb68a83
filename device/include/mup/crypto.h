/*
 * The cryptography of the device: SHA-256 as a stream, and the check of a P-256 signature.
 *
 * All of it is BearSSL's (constant time, no heap); this header exists so that the rest of device/
 * names no library. Nothing here signs, and no key is secret. Standards: FIPS 180-4, FIPS 186-4.
 *
 * The signature check needs about 3.6 kB of stack on a Cortex-M0 and some 30 million instructions;
 * call it where both are to be had.
 */
#ifndef MUP_CRYPTO_H
#define MUP_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"

#define MUP_SHA256_SIZE     32u
#define MUP_P256_KEY_SIZE   64u /* x || y, big-endian, 32 bytes each, without the leading 04 */
#define MUP_P256_SIG_SIZE   64u /* r || s, big-endian, 32 bytes each, as COSE has it (RFC 9053) */
#define MUP_SHA256_CTX_SIZE 112u

/* Caller-owned, free of pointers into itself: copying it forks the computation. */
struct mup_sha256 {
    union {
        uint64_t align;
        uint8_t bytes[MUP_SHA256_CTX_SIZE];
    } library; /* private */
};

/* Begin a digest; also the way to use a context again. */
void mup_sha256_init(struct mup_sha256 *sha);

/* Append bytes[0..size). Any number of calls, any sizes; 0 is allowed. */
void mup_sha256_update(struct mup_sha256 *sha, const void *bytes, size_t size);

/* The digest of what was appended so far. The context may be continued afterwards. */
void mup_sha256_finish(const struct mup_sha256 *sha, uint8_t digest[MUP_SHA256_SIZE]);

/* The three calls in one, for bytes that are all there. */
void mup_sha256_of(uint8_t digest[MUP_SHA256_SIZE], const void *bytes, size_t size);

/* Compare in constant time. Returns 1 when a and b are equal, 0 otherwise. */
int mup_crypto_equal(const void *a, const void *b, size_t size);

/*
 * Check an ECDSA signature over a SHA-256 digest.
 *
 * MUP_OK             the holder of the private key to public_key signed exactly this digest
 * MUP_ERR_SIGNATURE  it did not, or the key is not a point of the curve: abandon the message
 */
MUP_MUST_CHECK
enum mup_status mup_p256_verify(const uint8_t public_key[MUP_P256_KEY_SIZE],
                                const uint8_t digest[MUP_SHA256_SIZE],
                                const uint8_t signature[MUP_P256_SIG_SIZE]);

#endif
