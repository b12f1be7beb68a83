/* The staging slot as the pipeline writes it, and both slots as they are read (F6). */
#include "mup/slot.h"

#include <string.h>

#include "mup/flash_access.h"

#define WORD_SIZE  MUP_PORT_FLASH_WORD_SIZE
#define PIECE_SIZE 64u

/* Where an image begins; in staging one page up (boot.h). */
static uint32_t image_at(const struct mup_flash_map *map, enum mup_slot slot)
{
    return slot == MUP_SLOT_EXECUTION ? map->execution_at : map->staging_at + map->flash->page_size;
}

enum mup_status mup_slot_resume(struct mup_slot_writer *writer, const struct mup_flash_map *map,
                                uint32_t size, uint32_t offset)
{
    if (size > mup_flash_map_image_size_max(map))
        return MUP_ERR_SPACE;
    if (size == 0 || offset > size || (offset & (map->flash->page_size - 1)) != 0)
        return MUP_ERR_RANGE;
    *writer = (struct mup_slot_writer){
        .map = map,
        .size = size,
        .offset = offset,
        .erased_size = offset,
    };
    return MUP_OK;
}

static enum mup_status erase_next(struct mup_slot_writer *writer)
{
    const struct mup_port_flash *flash = writer->map->flash;
    enum mup_status status =
        mup_flash_erase(flash, image_at(writer->map, MUP_SLOT_STAGING) + writer->erased_size);

    if (status == MUP_OK)
        writer->erased_size += flash->page_size;
    return status;
}

enum mup_status mup_slot_write(struct mup_slot_writer *writer, const void *bytes, size_t size)
{
    uint32_t left = writer->size - writer->offset;
    uint32_t at = image_at(writer->map, MUP_SLOT_STAGING) + writer->offset;
    enum mup_status status = MUP_OK;

    if (size > left)
        return MUP_ERR_SPACE;
    if (size % WORD_SIZE != 0 && size != left)
        return MUP_ERR_RANGE;
    while (status == MUP_OK && writer->erased_size < writer->offset + size)
        status = erase_next(writer);
    if (status == MUP_OK)
        status = mup_flash_write(writer->map->flash, at, bytes, size);
    if (status == MUP_OK)
        writer->offset += (uint32_t)size;
    return status;
}

enum mup_status mup_slot_erase_ahead(struct mup_slot_writer *writer)
{
    uint32_t page = writer->map->flash->page_size;

    if (writer->erased_size >= writer->size || writer->erased_size > writer->offset + page)
        return MUP_OK;
    return erase_next(writer);
}

enum mup_status mup_slot_read(const struct mup_flash_map *map, enum mup_slot slot, uint32_t offset,
                              void *out, size_t size)
{
    uint32_t limit = mup_flash_map_image_size_max(map);

    if (offset > limit || size > limit - offset)
        return MUP_ERR_RANGE;
    return mup_flash_read(map->flash, image_at(map, slot) + offset, out, size);
}

enum mup_status mup_slot_digest(const struct mup_flash_map *map, enum mup_slot slot, uint32_t size,
                                uint8_t digest[MUP_SHA256_SIZE])
{
    struct mup_sha256 sha;
    uint8_t piece[PIECE_SIZE];

    if (size > mup_flash_map_image_size_max(map))
        return MUP_ERR_RANGE;
    mup_sha256_init(&sha);
    for (uint32_t at = image_at(map, slot); size > 0; at += PIECE_SIZE) {
        uint32_t taken = size < PIECE_SIZE ? size : PIECE_SIZE;
        enum mup_status status = mup_flash_read(map->flash, at, piece, taken);

        if (status != MUP_OK)
            return status;
        mup_sha256_update(&sha, piece, taken);
        size -= taken;
    }
    mup_sha256_finish(&sha, digest);
    return MUP_OK;
}
