/*
 * The staging slot, as the pipeline writes it: sequentially, page by page, and resumable.
 *
 * Order of calls:  begin or resume,  then write ... write,  then mup_slot_digest() over what really
 * is in flash, then mup_boot_request() (boot.h). Until that request nothing in
 * the slot is ever run, so a transfer may end anywhere.
 *
 * Only verified bytes belong here (DESIGN D7): a block is checked in RAM before it is written.
 *
 * What survives a power cut: every byte whose write() had returned. The writer itself is RAM. Going
 * on is only possible at a page boundary (F6), so record progress (progress.h) where
 * mup_slot_is_at_page() says so.
 *
 *   F6  A page of the slot is erased, in the same boot, before its first word is programmed, and
 *       each of its words is programmed once. So nothing is ever built on a half-erased page.
 */
#ifndef MUP_SLOT_H
#define MUP_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/crypto.h"
#include "mup/flash_map.h"
#include "mup/status.h"

/* Caller-owned; fields are private. Keeps a pointer to the map. */
struct mup_slot_writer {
    const struct mup_flash_map *map;
    uint32_t size;        /* bytes that will be written in all */
    uint32_t offset;      /* bytes taken so far */
    uint32_t erased_size; /* bytes from the start that are ready for programming */
};

enum mup_slot {
    MUP_SLOT_EXECUTION, /* what runs now */
    MUP_SLOT_STAGING,   /* what was written, before a swap */
};

/*
 * Go on with an image of size bytes of which [0, offset) is in flash already. Touches no flash yet.
 *
 * MUP_ERR_SPACE  larger than mup_flash_map_image_size_max(): refuse the manifest.
 * MUP_ERR_RANGE  size is 0, or offset is beyond size or not a multiple of the page size: begin
 *                again instead.
 */
MUP_MUST_CHECK
enum mup_status mup_slot_resume(struct mup_slot_writer *writer, const struct mup_flash_map *map,
                                uint32_t size, uint32_t offset);

/* Begin at the first byte. Clear the progress record first (mup_progress_clear), because it speaks
 * of bytes that are about to go. */
MUP_MUST_CHECK
static inline enum mup_status mup_slot_begin(struct mup_slot_writer *writer,
                                             const struct mup_flash_map *map, uint32_t size)
{
    return mup_slot_resume(writer, map, size, 0);
}

/*
 * Append bytes[0..size): a multiple of a flash word, but for the last ones of the image. Erases the
 * next page when it comes to it, programs and reads back; the rest of the last word stays erased.
 *
 * MUP_ERR_SPACE  more bytes than were announced; nothing of this call was written.
 * MUP_ERR_RANGE  not a multiple of a word, and not the last bytes; nothing was written.
 * MUP_ERR_FLASH  the flash failed: the transfer is over. Resume at the last progress record.
 */
MUP_MUST_CHECK
enum mup_status mup_slot_write(struct mup_slot_writer *writer, const void *bytes, size_t size);

/* Erase one page more than is needed yet, so that a later write need not wait for it. Worth a call
 * whenever there is nothing else to do; does nothing when two pages are ready already. */
MUP_MUST_CHECK
enum mup_status mup_slot_erase_ahead(struct mup_slot_writer *writer);

/* Bytes taken so far. */
static inline uint32_t mup_slot_offset(const struct mup_slot_writer *writer)
{
    return writer->offset;
}

/* True at the offsets that mup_slot_resume() accepts: everything before is in flash. */
static inline bool mup_slot_is_at_page(const struct mup_slot_writer *writer)
{
    return (writer->offset & (writer->map->flash->page_size - 1)) == 0;
}

/* Read [offset, offset + size) of an image back. MUP_ERR_RANGE when that leaves the slot. */
MUP_MUST_CHECK
enum mup_status mup_slot_read(const struct mup_flash_map *map, enum mup_slot slot, uint32_t offset,
                              void *out, size_t size);

/* SHA-256 of the first size bytes of an image, read from flash. Errors as mup_slot_read(). */
MUP_MUST_CHECK
enum mup_status mup_slot_digest(const struct mup_flash_map *map, enum mup_slot slot, uint32_t size,
                                uint8_t digest[MUP_SHA256_SIZE]);

#endif
