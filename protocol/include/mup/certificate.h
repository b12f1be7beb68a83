/*
 * The update server's key under the vendor's signature (paper section 4.5; docs/SPEC.md,
 * Certificate). A device takes an update server's key in no other form, so it does not matter who
 * answers its announcement first.
 *
 * Decoding is not verification: check the envelope's signature with the vendor's key first.
 */
#ifndef MUP_CERTIFICATE_H
#define MUP_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#include "mup/cose.h"
#include "mup/status.h"

#define MUP_CERTIFICATE_LABEL_MAX  32u
#define MUP_CERTIFICATE_MAX        116u /* the payload that the vendor signs */
#define MUP_CERTIFICATE_SIGNED_MAX 206u /* the same in its COSE_Sign1 */

struct mup_certificate {
    uint32_t epoch; /* counts up at each change of the key; a device never goes back */
    uint8_t public_key[MUP_PUBLIC_KEY_SIZE];
    char label[MUP_CERTIFICATE_LABEL_MAX + 1]; /* whose key it is, for people */
};

/* Errors as mup_manifest_decode; *out is untouched on error. */
MUP_MUST_CHECK
enum mup_status mup_certificate_decode(struct mup_certificate *out, const uint8_t *bytes,
                                       size_t size);

MUP_MUST_CHECK
enum mup_status mup_certificate_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                       const struct mup_certificate *certificate);

#endif
