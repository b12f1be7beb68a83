/*
 * The extended manifest: what the update server says to one device, once (paper Table 1, Manifest
 * Extension; docs/SPEC.md section 4). The only place where the server's key signs.
 */
#ifndef MUP_SERVER_EXTEND_H
#define MUP_SERVER_EXTEND_H

#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "mup/manifest.h"
#include "mup/sign/key.h"
#include "mup/status.h"
#include "mup/token.h"

/*
 * Wrap the signed vendor manifest `inner` for the device and nonce of `token` and sign it.
 *
 * MUP_ERR_RANGE  inner is empty or too large.
 * MUP_ERR_KEY    the key cannot be used; see mup/sign/key.h.
 */
MUP_MUST_CHECK
enum mup_status mup_extend(uint8_t bytes[MUP_EXTENDED_SIGNED_MAX], size_t *size,
                           struct mup_bytes inner, const struct mup_token *token,
                           const struct mup_signer *signer);

#endif
