/*
 * The other stations' keys and signatures, made with OpenSSL in the test itself: vendor, update
 * server, and somebody who is neither.
 */
#ifndef TEST_AGENT_SIGNER_H
#define TEST_AGENT_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include "mup/cose.h"
#include "mup/manifest.h"

struct signer {
    void *key; /* EVP_PKEY */
    uint8_t public_key[MUP_PUBLIC_KEY_SIZE];
    uint8_t kid[MUP_KID_SIZE];
};

/* A new key. */
void signer_make(struct signer *signer);
void signer_free(struct signer *signer);

/* COSE_Sign1 over a payload; returns its size. `kid` NULL: the signer's own. */
size_t signer_sign(const struct signer *signer, uint8_t *out, size_t capacity,
                   const uint8_t *payload, size_t payload_size, const uint8_t *kid);

#endif
