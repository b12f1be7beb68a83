/*
 * Who this device is and whom it believes: name, UUID and trust anchors, in the state pages.
 *
 * They live outside every image, because a revert must not bring back a key that was replaced
 * (DESIGN D10). One checked record in two pages that take turns: save() writes the page that is
 * not in use and the old record stands until the new one is complete (F1 to F5 in ledger.h).
 *
 * The version floor is not here: it rises together with the confirmation, in one word of the boot
 * journal (mup_boot_state() in boot.h).
 *
 * The record is a memory image in the device's own byte order; it never leaves the device.
 */
#ifndef MUP_IDENTITY_H
#define MUP_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "mup/crypto.h"
#include "mup/flash_map.h"
#include "mup/status.h"

#define MUP_KEY_ID_SIZE        8u
#define MUP_UUID_SIZE          16u
#define MUP_DEVICE_NAME_MAX    48u /* characters of the name on MQTT, without a final zero */
#define MUP_IDENTITY_RESERVED  44u
#define MUP_IDENTITY_BODY_SIZE 256u

/* A public key and the id by which a signature names it (COSE kid). */
struct mup_trust_anchor {
    uint8_t public_key[MUP_P256_KEY_SIZE]; /* x || y */
    uint8_t key_id[MUP_KEY_ID_SIZE];
};

struct mup_identity {
    uint8_t uuid[MUP_UUID_SIZE];
    char name[MUP_DEVICE_NAME_MAX]; /* zero-filled; UUID text or handle, also the MQTT user name */
    struct mup_trust_anchor vendor; /* set at production, signs images and certificates */
    struct mup_trust_anchor server; /* the update server's, taken from a certificate */
    uint32_t server_epoch;          /* of that certificate; an older one is refused; 0 = no key */
    uint32_t reserved[MUP_IDENTITY_RESERVED / 4]; /* zero; room for more anchors and epochs */
};

#ifndef __cplusplus
_Static_assert(sizeof(struct mup_identity) == MUP_IDENTITY_BODY_SIZE, "layout in flash is fixed");
#endif

/*
 * Read the record. Call once after each reset, before anything is decided by it; it also makes a
 * record last that a power cut had left weak.
 *
 * MUP_ERR_FORMAT  there is no record: the device was never provisioned.
 * MUP_ERR_FLASH   the flash failed.
 */
MUP_MUST_CHECK
enum mup_status mup_identity_load(struct mup_identity *out, const struct mup_flash_map *map);

/*
 * Replace the record: the provisioning tool, or the agent after it accepted a certificate. When it
 * returns MUP_OK the new record stands; after a cut or MUP_ERR_FLASH either the old or the new one.
 */
MUP_MUST_CHECK
enum mup_status mup_identity_save(const struct mup_flash_map *map,
                                  const struct mup_identity *identity);

#endif
