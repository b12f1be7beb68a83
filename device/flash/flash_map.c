/* The default partition, and the check of a map that an integrator made. */
#include "mup/flash_map.h"

#include <stdbool.h>
#include <stddef.h>

#include "mup/ledger.h"
#include "mup/manifest.h"

#define PAGE_SIZE_DEFAULT UINT32_C(1024)
#define PAGE_SIZE_MIN     UINT32_C(1024) /* a ledger's body and its words; the stored manifest */
#define SLOT_PAGES_MIN    2u
#define SLOT_PAGES_MAX    2047u /* two half steps a page must fit into 12 bits of a journal word */

enum mup_status mup_flash_map_default(struct mup_flash_map *out, const struct mup_port_flash *flash)
{
    struct mup_flash_map map = {
        .flash = flash,
        .execution_at = MUP_FLASH_BOOT_SIZE,
        .staging_at = MUP_FLASH_BOOT_SIZE + MUP_FLASH_SLOT_SIZE,
        .slot_size = MUP_FLASH_SLOT_SIZE,
        .state_at = MUP_FLASH_BOOT_SIZE + 2 * MUP_FLASH_SLOT_SIZE,
    };

    if (flash->page_size != PAGE_SIZE_DEFAULT || mup_flash_map_check(&map) != MUP_OK)
        return MUP_ERR_SPACE;
    *out = map;
    return MUP_OK;
}

struct part {
    uint32_t at;
    uint32_t size;
};

/* Whether a part begins with a page, is inside the flash, and apart from another one. */
static bool lies_well(const struct mup_port_flash *flash, const struct part *part,
                      const struct part *other)
{
    return (part->at & (flash->page_size - 1)) == 0 && part->at <= flash->size &&
           part->size <= flash->size - part->at &&
           (part->at >= other->at + other->size || other->at >= part->at + part->size);
}

enum mup_status mup_flash_map_check(const struct mup_flash_map *map)
{
    const struct mup_port_flash *flash = map->flash;
    uint32_t page = flash->page_size;
    uint32_t slot = map->slot_size;
    uint32_t slot_pages = mup_block_count(slot, page);
    struct part parts[] = {
        {map->execution_at, slot},
        {map->staging_at, slot},
        {map->state_at, MUP_STATE_PAGES * page},
        {map->execution_at, slot}, /* the last one is held against the first */
    };

    if (page < PAGE_SIZE_MIN || (page & (page - 1)) != 0 || (slot & (page - 1)) != 0 ||
        slot_pages < SLOT_PAGES_MIN || slot_pages > SLOT_PAGES_MAX)
        return MUP_ERR_RANGE;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] - 1; i++)
        if (!lies_well(flash, &parts[i], &parts[i + 1]))
            return MUP_ERR_RANGE;
    return MUP_OK;
}

uint32_t mup_flash_map_image_size_max(const struct mup_flash_map *map)
{
    return map->slot_size - map->flash->page_size;
}
