/*
 * What the bootloader does for the application: SHA-256 and the check of a signature.
 *
 * The bootloader cannot do without them and is never replaced, so an application that carried a
 * second copy would spend 14 kB of flash, and of each update's airtime, on nothing. They keep no
 * state but the caller's and run on the caller's stack. An application that wants another library
 * links mup_crypto instead of services.c.
 *
 * The table stands right behind the bootloader's vectors. It only ever grows at its end.
 */
#ifndef MUP_MICROBIT_SERVICES_H
#define MUP_MICROBIT_SERVICES_H

#include <stdbool.h>

#include "mup/crypto.h"

#define MICROBIT_SERVICES_AT    192u
#define MICROBIT_SERVICES_MAGIC UINT32_C(0x53505543) /* "CUPS" */

/* As in mup/crypto.h. */
struct microbit_services {
    uint32_t magic;
    uint32_t size; /* bytes of this table */
    void (*sha256_init)(struct mup_sha256 *sha);
    void (*sha256_update)(struct mup_sha256 *sha, const void *bytes, size_t size);
    void (*sha256_finish)(const struct mup_sha256 *sha, uint8_t digest[MUP_SHA256_SIZE]);
    enum mup_status (*p256_verify)(const uint8_t public_key[MUP_P256_KEY_SIZE],
                                   const uint8_t digest[MUP_SHA256_SIZE],
                                   const uint8_t signature[MUP_P256_SIG_SIZE]);
};

/* Whether the bootloader has such a table. Nothing else may be called when it has not. */
bool microbit_services_are_there(void);

#endif
