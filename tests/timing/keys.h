/*
 * Keys and signatures that are the same in every run, so that what a device does with them takes
 * the same number of instructions each time. For measuring only: everybody knows these keys.
 */
#ifndef MUP_TIMING_KEYS_H
#define MUP_TIMING_KEYS_H

#include <stdbool.h>

#include "mup/sign/key.h"

/* A key made of its name. The signer has to be closed with mup_signer_close(). */
bool timing_key(struct mup_signer *out, const char *name);

/* The public key as a PEM file. */
bool timing_key_write(const struct mup_signer *key, const char *path);

#endif
