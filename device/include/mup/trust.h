/*
 * Who signed it: the device's checks of signed messages (docs/SPEC.md sections 2 and 5).
 *
 * The keys are those of the identity record in flash; they are read for each check, so that 256
 * bytes of RAM are needed only while one runs. Used by the agent for manifests and certificates,
 * and by the bootloader for the vendor manifest that was stored with a boot request.
 */
#ifndef MUP_TRUST_H
#define MUP_TRUST_H

#include <stddef.h>
#include <stdint.h>

#include "mup/boot.h"
#include "mup/cose.h"
#include "mup/crypto.h"
#include "mup/flash_map.h"
#include "mup/state.h"
#include "mup/status.h"

enum mup_trust_key {
    MUP_TRUST_VENDOR, /* signs images and certificates */
    MUP_TRUST_SERVER, /* signs extended manifests */
};

/*
 * Check the signature of a message that was taken apart. Costs one P-256 verification (crypto.h
 * says how much stack and time).
 *
 * MUP_ERR_KEY        the message's key id is not that of this key, or the device holds no such key
 * MUP_ERR_SIGNATURE  not signed by it
 * MUP_ERR_FLASH, MUP_ERR_FORMAT  the identity record cannot be read
 */
MUP_MUST_CHECK
enum mup_status mup_trust_check(const struct mup_flash_map *map, enum mup_trust_key key,
                                const struct mup_cose_sign1 *message);

/*
 * Take a signed certificate under the rules of SPEC section 5. What costs nothing is looked at
 * first: envelope, the vendor's key id, epoch. Only a certificate that would be taken has its
 * signature checked, and only if *budget, the number of signature checks that are left, is not 0;
 * the check is taken off. The new key stands in flash when MUP_OK is returned.
 *
 * MUP_OK             taken
 * MUP_ERR_STATE      held already (same epoch, same key): nothing was to do
 * MUP_ERR_STALE      an older epoch, or another key under the epoch that is held
 * MUP_ERR_KEY, MUP_ERR_SIGNATURE  not signed by the vendor
 * MUP_ERR_FORMAT, MUP_ERR_RANGE, MUP_ERR_SHORT  not a certificate
 * MUP_ERR_BUSY       the budget is empty: later
 * MUP_ERR_FLASH      could not be kept
 */
MUP_MUST_CHECK
enum mup_status mup_trust_take_certificate(const struct mup_flash_map *map, uint8_t *budget,
                                           const uint8_t *bytes, size_t size);

/* What a device says about such an outcome: an enum mup_state. */
uint32_t mup_trust_state(enum mup_status outcome);

/*
 * The bootloader's verifier: a mup_boot_verify_fn. `context` is a const struct mup_flash_map.
 * Checks the vendor's signature, and that version, size and digest are those of `image`.
 */
MUP_MUST_CHECK
enum mup_status mup_trust_verify_image(void *context, const struct mup_boot_image *image,
                                       const uint8_t *manifest, size_t manifest_size);

#endif
