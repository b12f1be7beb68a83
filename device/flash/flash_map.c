/* The default partition, and the check of a map that an integrator made. */
#include "mup/flash_map.h"

#include <stdbool.h>

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

/* Whether [at, at + size) begins with a page and is inside the flash. */
static bool fits(const struct mup_port_flash *flash, uint32_t at, uint32_t size)
{
    return (at & (flash->page_size - 1)) == 0 && at <= flash->size && size <= flash->size - at;
}

static bool apart(uint32_t a_at, uint32_t a_size, uint32_t b_at, uint32_t b_size)
{
    return a_at + a_size <= b_at || b_at + b_size <= a_at;
}

enum mup_status mup_flash_map_check(const struct mup_flash_map *map)
{
    uint32_t page = map->flash->page_size;
    uint32_t slot = map->slot_size;
    uint32_t state = MUP_STATE_PAGES * page;

    uint32_t slot_pages = mup_block_count(slot, page);

    if (page < PAGE_SIZE_MIN || (page & (page - 1)) != 0 || (slot & (page - 1)) != 0 ||
        slot_pages < SLOT_PAGES_MIN || slot_pages > SLOT_PAGES_MAX)
        return MUP_ERR_RANGE;
    if (!fits(map->flash, map->execution_at, slot) || !fits(map->flash, map->staging_at, slot) ||
        !fits(map->flash, map->state_at, state))
        return MUP_ERR_RANGE;
    if (!apart(map->execution_at, slot, map->staging_at, slot) ||
        !apart(map->execution_at, slot, map->state_at, state) ||
        !apart(map->staging_at, slot, map->state_at, state))
        return MUP_ERR_RANGE;
    return MUP_OK;
}

uint32_t mup_flash_map_image_size_max(const struct mup_flash_map *map)
{
    return map->slot_size - map->flash->page_size;
}
