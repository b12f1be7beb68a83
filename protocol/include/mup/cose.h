/*
 * The envelope of everything that is signed: COSE_Sign1 (RFC 9052 section 4.2) with ES256.
 *
 *   18([ << {1: -7, 4: kid} >>, {}, payload, signature ])
 *
 * Only this shape is accepted: tag 18, algorithm ES256 (-7) and an 8-byte key id in the protected
 * header, nothing unprotected, the payload attached, a raw signature r || s of 64 bytes.
 * docs/SPEC.md, Signed messages.
 *
 * Decoding is not verification. The station that wants to know hashes the Sig_structure with its
 * own SHA-256 (mup_cose_prefix, then the payload) and checks the signature with its own library:
 * this file has no cryptography, so that vendor, edge and device can share it.
 */
#ifndef MUP_COSE_H
#define MUP_COSE_H

#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "mup/status.h"

#define MUP_KID_SIZE          8u  /* first bytes of SHA-256 over the raw public key x || y */
#define MUP_PUBLIC_KEY_SIZE   64u /* raw x || y, big endian */
#define MUP_SIGNATURE_SIZE    64u /* raw r || s, big endian */
#define MUP_COSE_PREFIX_MAX   30u /* bytes of Sig_structure that come before the payload's bytes */
#define MUP_COSE_OVERHEAD_MAX 86u /* bytes that signing adds to a payload */
#define MUP_COSE_PAYLOAD_MAX  1024u

/* Points into the bytes that were decoded. */
struct mup_cose_sign1 {
    uint8_t kid[MUP_KID_SIZE];
    struct mup_bytes payload;
    const uint8_t *signature; /* MUP_SIGNATURE_SIZE bytes */
};

/*
 * Take apart exactly one COSE_Sign1 in bytes[0..size).
 *
 * MUP_ERR_SHORT   ends too early: as a whole message, treat it as MUP_ERR_FORMAT.
 * MUP_ERR_FORMAT  not the one shape above, or bytes left over: abandon.
 * MUP_ERR_RANGE   a length outside its limits: abandon.
 */
MUP_MUST_CHECK
enum mup_status mup_cose_sign1_decode(struct mup_cose_sign1 *out, const uint8_t *bytes,
                                      size_t size);

/*
 * The bytes of the Sig_structure that precede the payload's own bytes. What is signed is
 * SHA-256(prefix || payload). Returns how many bytes of `prefix` were filled.
 */
size_t mup_cose_prefix(uint8_t prefix[MUP_COSE_PREFIX_MAX], const uint8_t kid[MUP_KID_SIZE],
                       size_t payload_size);

/*
 * Put the envelope together. MUP_ERR_SPACE when `capacity` is too small, MUP_ERR_RANGE for a
 * payload of no byte or of more than MUP_COSE_PAYLOAD_MAX.
 */
MUP_MUST_CHECK
enum mup_status mup_cose_sign1_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                      const uint8_t kid[MUP_KID_SIZE], struct mup_bytes payload,
                                      const uint8_t signature[MUP_SIGNATURE_SIZE]);

#endif
