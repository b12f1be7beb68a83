/*
 * What the factories of all boards have in common: who a device is, and files. Functions return
 * false after a message on standard error that begins with `program`.
 */
#ifndef MUP_FACTORY_H
#define MUP_FACTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/flash_map.h"
#include "mup/identity.h"

/* Name (NULL: the UUID), UUID and the vendor's public key, from a PEM file with one of P-256. */
bool mup_factory_identity(struct mup_identity *out, const char *program, const char *uuid,
                          const char *name, const char *key_path);

/* The whole file, to be freed; *size is 0 after a message. More than size_max bytes are an error
 * of the caller's to report: *size is size_max + 1 then. */
uint8_t *mup_factory_read(const char *program, const char *path, uint32_t size_max, uint32_t *size);

/* Program bytes into erased flash, the last word filled up with ones. */
bool mup_factory_program(const struct mup_port_flash *flash, uint32_t at, const uint8_t *bytes,
                         uint32_t size);

#endif
