/*
 * The randomness contract of a port: bytes that nobody can predict.
 *
 * The nonce of a device token is made of them, and with a guessable nonce an old manifest can be
 * replayed. So a port that has no hardware source or seeded generator must fail, not improvise:
 * the caller then refuses to issue a token.
 */
#ifndef MUP_PORT_RANDOM_H
#define MUP_PORT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct mup_port_random {
    void *context; /* handed to the callback; the port's own */

    /* Fill out[0..size) with bytes fit for cryptography. 0 = all of them are, negative = none may
     * be used. May block for as long as the hardware takes (milliseconds, not seconds). */
    int (*fill)(void *context, uint8_t *out, size_t size);
};

#endif
