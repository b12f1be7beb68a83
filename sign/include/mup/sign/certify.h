/*
 * Sign an update server's key with the vendor's (docs/SPEC.md section 5; paper section 4.5).
 */
#ifndef MUP_SIGN_CERTIFY_H
#define MUP_SIGN_CERTIFY_H

#include <stddef.h>
#include <stdint.h>

#include "mup/certificate.h"
#include "mup/sign/error.h"
#include "mup/sign/key.h"
#include "mup/status.h"

/* Make a signed certificate. MUP_ERR_RANGE for an epoch of 0 or a bad label. */
MUP_MUST_CHECK
enum mup_status mup_certify(uint8_t bytes[MUP_CERTIFICATE_SIGNED_MAX], size_t *size,
                            const struct mup_certificate *certificate,
                            const struct mup_signer *vendor, struct mup_error *error);

/* Check a signed certificate with the vendor's key. On error *out is untouched. */
MUP_MUST_CHECK
enum mup_status mup_certificate_open(struct mup_certificate *out, struct mup_bytes bytes,
                                     const uint8_t vendor_key[MUP_PUBLIC_KEY_SIZE],
                                     struct mup_error *error);

#endif
