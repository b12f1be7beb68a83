/*
 * Where everything lies in flash.
 *
 *     boot        the bootloader; nothing in device/ ever writes there
 *     execution   the one slot that code runs from
 *     staging     the slot that a download goes to; its image starts ONE PAGE UP, because the
 *                 swap needs a free page below it (boot.h)
 *     state       MUP_STATE_PAGES pages: identity, boot journal, progress, vendor manifest, spare
 *
 * All sizes come from the map, so that a test can use slots of nine pages. An image can have at
 * most slot_size - page_size bytes (mup_flash_map_image_size_max).
 */
#ifndef MUP_FLASH_MAP_H
#define MUP_FLASH_MAP_H

#include <stdint.h>

#include "mup/port/flash.h"
#include "mup/status.h"

/* The partition of 256 kB: what the micro:bit and the virtual device use. */
#define MUP_FLASH_BOOT_SIZE UINT32_C(24576)
#define MUP_FLASH_SLOT_SIZE UINT32_C(114688)

/* Pages of the state area, counted from state_at. */
#define MUP_STATE_PAGE_IDENTITY 0u /* two pages in turn: identity.h */
#define MUP_STATE_PAGE_JOURNAL  2u /* two pages in turn: boot.h */
#define MUP_STATE_PAGE_PROGRESS 4u /* two pages in turn: progress.h */
#define MUP_STATE_PAGE_MANIFEST 6u /* one page: the vendor manifest of the requested image */
#define MUP_STATE_PAGE_SPARE    7u /* one page: the vendor manifest of the download under way */
#define MUP_STATE_PAGES         8u

/* Plain values; flash must live as long as the map is used. All offsets are page-aligned. */
struct mup_flash_map {
    const struct mup_port_flash *flash;
    uint32_t execution_at; /* bytes from the start of flash */
    uint32_t staging_at;
    uint32_t slot_size; /* bytes of each of the two slots, at least two pages */
    uint32_t state_at;
};

/*
 * The default partition of a flash of 256 kB: 24 boot, 112 execution, 112 staging, 8 state.
 *
 * MUP_ERR_SPACE  the flash is smaller, or its pages are not 1 kB: make a map by hand.
 */
MUP_MUST_CHECK
enum mup_status mup_flash_map_default(struct mup_flash_map *out,
                                      const struct mup_port_flash *flash);

/*
 * Check a map made by hand, once, at start.
 *
 * MUP_ERR_RANGE  something is not page-aligned, does not fit into flash, overlaps, or the page is
 *                too small for the records: a mistake of the integrator.
 */
MUP_MUST_CHECK
enum mup_status mup_flash_map_check(const struct mup_flash_map *map);

/* Bytes of the largest image that can be staged and swapped. */
uint32_t mup_flash_map_image_size_max(const struct mup_flash_map *map);

#endif
