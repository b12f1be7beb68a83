/* What is known of the firmware's images: where its functions are, and a table of the bootloader.
 */
#ifndef MUP_TIMING_PROGRAM_H
#define MUP_TIMING_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

/* The address of a symbol of an ELF file (32 bits, little-endian); 0 with a message on stderr. */
uint32_t program_symbol(const char *path, const char *name);

/* A word of a binary image; false when the file is too short. */
bool program_word(const char *path, uint32_t offset, uint32_t *out);

#endif
