/* Checked access to flash: what is written is read back, a piece at a time. */
#include "mup/flash_access.h"

#include <string.h>

#define PIECE_WORDS 16u
#define PIECE_SIZE  (PIECE_WORDS * MUP_PORT_FLASH_WORD_SIZE)

enum mup_status mup_flash_read(const struct mup_port_flash *flash, uint32_t at, void *out,
                               size_t size)
{
    return flash->read(flash->context, at, out, size) == 0 ? MUP_OK : MUP_ERR_FLASH;
}

static enum mup_status write_piece(const struct mup_port_flash *flash, uint32_t at,
                                   const uint8_t *bytes, size_t size)
{
    uint32_t words[PIECE_WORDS];
    size_t word_count = (size + MUP_PORT_FLASH_WORD_SIZE - 1) / MUP_PORT_FLASH_WORD_SIZE;

    memset(words, 0xff, sizeof words);
    memcpy(words, bytes, size);
    if (flash->program(flash->context, at, words, word_count) != 0)
        return MUP_ERR_FLASH;
    if (mup_flash_read(flash, at, words, size) != MUP_OK || memcmp(words, bytes, size) != 0)
        return MUP_ERR_FLASH;
    return MUP_OK;
}

enum mup_status mup_flash_write(const struct mup_port_flash *flash, uint32_t at, const void *bytes,
                                size_t size)
{
    const uint8_t *from = bytes;

    while (size > 0) {
        size_t piece = size < PIECE_SIZE ? size : PIECE_SIZE;
        enum mup_status status = write_piece(flash, at, from, piece);

        if (status != MUP_OK)
            return status;
        at += (uint32_t)piece;
        from += piece;
        size -= piece;
    }
    return MUP_OK;
}

enum mup_status mup_flash_erase(const struct mup_port_flash *flash, uint32_t page_at)
{
    return flash->erase(flash->context, page_at) == 0 ? MUP_OK : MUP_ERR_FLASH;
}

enum mup_status mup_flash_write_page(const struct mup_port_flash *flash, uint32_t page_at,
                                     const void *bytes, size_t size)
{
    enum mup_status status = mup_flash_erase(flash, page_at);

    return status == MUP_OK ? mup_flash_write(flash, page_at, bytes, size) : status;
}

enum mup_status mup_flash_copy_page(const struct mup_port_flash *flash, uint32_t to_at,
                                    uint32_t from_at)
{
    uint8_t piece[PIECE_SIZE];
    enum mup_status status = mup_flash_erase(flash, to_at);

    for (uint32_t at = 0; status == MUP_OK && at < flash->page_size; at += PIECE_SIZE) {
        status = mup_flash_read(flash, from_at + at, piece, PIECE_SIZE);
        if (status == MUP_OK)
            status = write_piece(flash, to_at + at, piece, PIECE_SIZE);
    }
    return status;
}

uint32_t mup_flash_crc32(uint32_t crc, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= byte[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}
