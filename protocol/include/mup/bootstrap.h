/*
 * How a device makes itself known (paper Fig. 3; docs/SPEC.md, Announcement, Description pieces,
 * Bootstrap reply, Presence): it announces the digest of its description, sends the description
 * in pieces only when the bridge does not know it, and learns the update server's key under the
 * vendor's certificate.
 */
#ifndef MUP_BOOTSTRAP_H
#define MUP_BOOTSTRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "mup/cose.h"
#include "mup/manifest.h"
#include "mup/status.h"

#define MUP_PROTOCOL_VERSION     1u
#define MUP_BOOT_ID_SIZE         8u
#define MUP_ANNOUNCEMENT_MAX     112u
#define MUP_DESCRIPTION_MAX      65535u
#define MUP_PIECE_DATA_MAX       1024u
#define MUP_PIECE_NUMBER_MAX     1023u
#define MUP_PIECE_OVERHEAD_MAX   24u
#define MUP_DIGEST_PREFIX_SIZE   8u
#define MUP_BOOTSTRAP_DETAIL_MAX 120u
#define MUP_BOOTSTRAP_REPLY_MAX  384u
#define MUP_PRESENCE_SIZE        3u

struct mup_announcement {
    uint8_t uuid[MUP_UUID_SIZE];
    uint8_t description_digest[MUP_DIGEST_SIZE]; /* SHA-256 of the template */
    uint32_t description_size;                   /* bytes of the template */
    uint32_t version;                            /* the running firmware version */
    bool in_trial;                               /* booted, not confirmed yet */
    uint32_t server_epoch;                       /* of the certificate it holds; 0: none */
    uint8_t server_kid[MUP_KID_SIZE];            /* meaningful if server_epoch is not 0 */
    uint8_t boot_id[MUP_BOOT_ID_SIZE];           /* random, new at each boot */
};

/* Errors as mup_manifest_decode; *out is untouched on error. */
MUP_MUST_CHECK
enum mup_status mup_announcement_decode(struct mup_announcement *out, const uint8_t *bytes,
                                        size_t size);
MUP_MUST_CHECK
enum mup_status mup_announcement_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                        const struct mup_announcement *announcement);

/* One piece of a description; `data` points into the bytes that were decoded. */
struct mup_piece {
    uint8_t digest_prefix[MUP_DIGEST_PREFIX_SIZE]; /* first bytes of the template's digest */
    uint32_t number;                               /* from 0, without gaps */
    bool last;
    struct mup_bytes data; /* 1 to MUP_PIECE_DATA_MAX bytes */
};

MUP_MUST_CHECK
enum mup_status mup_piece_decode(struct mup_piece *out, const uint8_t *bytes, size_t size);
MUP_MUST_CHECK
enum mup_status mup_piece_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                 const struct mup_piece *piece);

/* What the bridge answers; pieces point into the bytes that were decoded. */
struct mup_bootstrap_reply {
    uint32_t state; /* MUP_STATE_OK, _SEND_DESCRIPTION, _DESCRIPTION_INVALID, _DEVICE_REFUSED */
    uint8_t description_digest[MUP_DIGEST_SIZE]; /* of the announcement it answers */
    struct mup_bytes certificate;                /* signed certificate; may be empty */
    struct mup_bytes detail;                     /* why, in words (UTF-8); may be empty */
};

MUP_MUST_CHECK
enum mup_status mup_bootstrap_reply_decode(struct mup_bootstrap_reply *out, const uint8_t *bytes,
                                           size_t size);
MUP_MUST_CHECK
enum mup_status mup_bootstrap_reply_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                           const struct mup_bootstrap_reply *reply);

/* Presence, retained; the offline form is the device's MQTT will. */
void mup_presence_encode(uint8_t bytes[MUP_PRESENCE_SIZE], bool online);
MUP_MUST_CHECK
enum mup_status mup_presence_decode(bool *online, const uint8_t *bytes, size_t size);

#endif
