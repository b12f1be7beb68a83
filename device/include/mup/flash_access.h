/*
 * Checked access to flash, for the parts of device/ that keep something in it: each write is read
 * back. Applications need none of this.
 */
#ifndef MUP_FLASH_ACCESS_H
#define MUP_FLASH_ACCESS_H

#include <stddef.h>
#include <stdint.h>

#include "mup/port/flash.h"
#include "mup/status.h"

/* MUP_ERR_FLASH: outside of the flash, or it does not answer. */
MUP_MUST_CHECK
enum mup_status mup_flash_read(const struct mup_port_flash *flash, uint32_t at, void *out,
                               size_t size);

/* Program size bytes at a word that is erased, and compare what is there then. The rest of the last
 * word stays erased. MUP_ERR_FLASH: refused, or not what was written. */
MUP_MUST_CHECK
enum mup_status mup_flash_write(const struct mup_port_flash *flash, uint32_t at, const void *bytes,
                                size_t size);

MUP_MUST_CHECK
enum mup_status mup_flash_erase(const struct mup_port_flash *flash, uint32_t page_at);

/* Erase a page and write size bytes, at most a page, to its start. */
MUP_MUST_CHECK
enum mup_status mup_flash_write_page(const struct mup_port_flash *flash, uint32_t page_at,
                                     const void *bytes, size_t size);

/* Erase the page at to_at and copy the page at from_at into it. */
MUP_MUST_CHECK
enum mup_status mup_flash_copy_page(const struct mup_port_flash *flash, uint32_t to_at,
                                    uint32_t from_at);

/* CRC-32 as in IEEE 802.3, continued from crc (0 to begin). Detects wear, not malice. */
uint32_t mup_flash_crc32(uint32_t crc, const void *bytes, size_t size);

#endif
