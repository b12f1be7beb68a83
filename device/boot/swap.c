/*
 * Swap by offset: one page copied at each half step, upwards to swap, downwards to revert.
 *
 *              execution          staging (page 0 free)        after the swap
 *     page 0   old 0              -                            new 0      old 0
 *     page 1   old 1              new 0                        new 1      old 1
 *     page 2   old 2              new 1                        new 2      old 2
 *     page 3                      new 2                                   -
 *
 * At each half step the source is a page that no later half step of the other kind has touched,
 * and the destination holds nothing that is not also elsewhere.
 */
#include "boot_internal.h"

#include "mup/flash_access.h"
#include "mup/manifest.h"

static uint32_t execution_page(const struct mup_boot *boot, uint32_t page)
{
    return boot->map.execution_at + page * boot->map.flash->page_size;
}

static uint32_t staging_page(const struct mup_boot *boot, uint32_t page)
{
    return boot->map.staging_at + page * boot->map.flash->page_size;
}

/* Pages that one of the two images occupies; all there are when the old one's size is unknown. */
static uint32_t page_count(const struct mup_boot *boot)
{
    uint32_t size = boot->body.confirmed.size;

    if (size == 0)
        size = mup_flash_map_image_size_max(&boot->map);
    if (size < boot->body.staged.size)
        size = boot->body.staged.size;
    return mup_block_count(size, boot->map.flash->page_size);
}

uint32_t mup_boot_half_step_count(const struct mup_boot *boot)
{
    return 2 * page_count(boot);
}

enum mup_status mup_boot_swap_half_step(const struct mup_boot *boot, uint32_t step)
{
    uint32_t page = step / 2;

    if (step % 2 == 0)
        return mup_flash_copy_page(boot->map.flash, staging_page(boot, page),
                                   execution_page(boot, page));
    return mup_flash_copy_page(boot->map.flash, execution_page(boot, page),
                               staging_page(boot, page + 1));
}

enum mup_status mup_boot_revert_half_step(const struct mup_boot *boot, uint32_t step)
{
    uint32_t page = page_count(boot) - 1 - step / 2;

    if (step % 2 == 0)
        return mup_flash_copy_page(boot->map.flash, staging_page(boot, page + 1),
                                   execution_page(boot, page));
    return mup_flash_copy_page(boot->map.flash, execution_page(boot, page),
                               staging_page(boot, page));
}
