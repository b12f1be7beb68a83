/*
 * The device token: who the device is, what runs, the nonce that the next manifest must carry,
 * and what the device can take (paper section 3.2, Table 2; docs/SPEC.md, Device token).
 *
 * Not signed: a forged token only leads to a manifest that the device refuses.
 */
#ifndef MUP_TOKEN_H
#define MUP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/cose.h"
#include "mup/manifest.h"
#include "mup/status.h"

#define MUP_TOKEN_MAX            288u
#define MUP_TOKEN_LIFETIME_MAX_S 86400u
#define MUP_WINDOW_MIN           64u
#define MUP_WINDOW_MAX           65536u
#define MUP_SLICE_DATA_MIN       16u
#define MUP_SLICE_DATA_MAX       32768u
#define MUP_PAUSE_MAX_MS         5000u

/* How slices are to be sent (docs/SPEC.md section 15). */
enum mup_flow {
    MUP_FLOW_CREDIT = 0, /* QoS 0, as far as acknowledgements allow */
    MUP_FLOW_QOS1 = 1,   /* QoS 1: the broker holds back by the device's Receive Maximum */
    MUP_FLOW_PACED = 2,  /* QoS 0, one each pause_ms */
};

struct mup_token {
    uint8_t uuid[MUP_UUID_SIZE];
    uint8_t nonce[MUP_NONCE_SIZE];
    uint32_t version; /* the running firmware version */
    char app_id[MUP_APP_ID_MAX + 1];
    char hardware_class[MUP_HARDWARE_CLASS_MAX + 1];
    uint32_t link_offset;    /* where the execution slot is */
    uint32_t slot_size;      /* largest image, bytes */
    uint32_t block_size_max; /* largest block, data bytes */
    uint32_t window_size;    /* most bytes in flight that the device ever grants */
    uint32_t slice_size_max; /* largest slice, data bytes */
    uint32_t lifetime_s;     /* seconds that the nonce lives, from its making */
    uint8_t vendor_kid[MUP_KID_SIZE];
    bool has_server_kid;
    uint8_t server_kid[MUP_KID_SIZE];
    bool has_resume; /* part of a payload is kept from an earlier transfer */
    uint8_t resume_manifest[MUP_DIGEST_SIZE]; /* SHA-256 of that vendor COSE_Sign1 */
    uint32_t resume_offset;                   /* payload bytes already kept */
    uint32_t flow;                            /* enum mup_flow */
    uint32_t pause_ms;                        /* with MUP_FLOW_PACED only, else 0 */
};

/* Errors as mup_manifest_decode; *out is untouched on error. */
MUP_MUST_CHECK
enum mup_status mup_token_decode(struct mup_token *out, const uint8_t *bytes, size_t size);

MUP_MUST_CHECK
enum mup_status mup_token_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                 const struct mup_token *token);

#endif
