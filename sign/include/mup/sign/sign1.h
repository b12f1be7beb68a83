/*
 * Sign a payload into a COSE_Sign1, and check one (docs/SPEC.md section 2).
 */
#ifndef MUP_SIGN_SIGN1_H
#define MUP_SIGN_SIGN1_H

#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "mup/cose.h"
#include "mup/sign/key.h"
#include "mup/status.h"

/* SHA-256 of bytes[0..size). */
void mup_sha256_host(uint8_t digest[32], const void *bytes, size_t size);

/* Sign `payload`. MUP_ERR_SPACE when `capacity` is too small, or what the signer returned. */
MUP_MUST_CHECK
enum mup_status mup_sign1_make(uint8_t *bytes, size_t capacity, size_t *size,
                               const struct mup_signer *signer, struct mup_bytes payload);

/*
 * Take apart bytes[0..size) and check the signature with `public_key`.
 *
 * MUP_ERR_FORMAT     not a COSE_Sign1 of SPEC's shape.
 * MUP_ERR_KEY        signed under another key id.
 * MUP_ERR_SIGNATURE  the signature is wrong.
 *
 * On MUP_OK payload points into `bytes`; on error it is untouched.
 */
MUP_MUST_CHECK
enum mup_status mup_sign1_open(struct mup_bytes *payload, const uint8_t *bytes, size_t size,
                               const uint8_t public_key[MUP_PUBLIC_KEY_SIZE]);

#endif
