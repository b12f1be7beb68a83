/* The progress records: appended to one page of two, each with its own check. */
#include "mup/progress.h"

#include <stddef.h>
#include <string.h>

#include "mup/flash_access.h"

/* As it is in flash. A record that clears has a manifest digest of zeros. */
struct record {
    uint32_t sequence; /* one more than that of the record before */
    struct mup_progress progress;
    uint32_t crc; /* of all before */
};

_Static_assert(sizeof(struct mup_progress) == 72, "no padding: the CRC covers every byte");
_Static_assert(sizeof(struct record) == 80, "no padding: the CRC covers every byte");

#define RECORD_SIZE ((uint32_t)sizeof(struct record))
#define LOG_PAGES   2u

static uint32_t log_at(const struct mup_progress_log *log)
{
    return log->map->state_at + MUP_STATE_PAGE_PROGRESS * log->map->flash->page_size;
}

static bool is_page_start(const struct mup_progress_log *log, uint32_t at)
{
    return (at & (log->map->flash->page_size - 1)) == 0;
}

static uint32_t crc_of(const struct record *record)
{
    return mup_flash_crc32(0, record, offsetof(struct record, crc));
}

static bool is_clear(const struct mup_progress *progress)
{
    static const uint8_t none[MUP_SHA256_SIZE];

    return memcmp(progress->manifest_digest, none, sizeof none) == 0;
}

/* The place after the one at `at`, or the start of the other page if there is none in this one. */
static uint32_t place_after(const struct mup_progress_log *log, uint32_t at)
{
    uint32_t page_size = log->map->flash->page_size;
    uint32_t end = at < page_size ? page_size : LOG_PAGES * page_size;

    at += RECORD_SIZE;
    if (at + RECORD_SIZE <= end)
        return at;
    return end == page_size ? page_size : 0;
}

static bool is_blank(const struct record *record)
{
    const uint8_t *byte = (const uint8_t *)record;
    uint8_t all = 0xff;

    for (size_t i = 0; i < sizeof *record; i++)
        all &= byte[i];
    return all == 0xff;
}

/* Look at the records of one page, in order. When the newest of all is in this page, the next one
 * goes to the start of the other: here a record whose first word was cut may read as erased, and
 * the page itself may be half erased, with a record in it that was not seen when that began (F8).
 */
static enum mup_status scan_page(struct mup_progress_log *log, struct record *newest, bool *any,
                                 uint32_t page_start)
{
    uint32_t page_size = log->map->flash->page_size;
    bool here = false;

    for (uint32_t at = page_start; at + RECORD_SIZE <= page_start + page_size; at += RECORD_SIZE) {
        struct record record;
        enum mup_status status =
            mup_flash_read(log->map->flash, log_at(log) + at, &record, RECORD_SIZE);

        if (status != MUP_OK)
            return status;
        if (is_blank(&record))
            continue;
        log->unsettled = true;
        if (record.crc == crc_of(&record) && (!*any || record.sequence >= newest->sequence)) {
            *newest = record;
            *any = true;
            here = true;
        }
    }
    if (here)
        log->next_at = page_start == 0 ? page_size : 0;
    return MUP_OK;
}

enum mup_status mup_progress_open(struct mup_progress_log *log, struct mup_progress *out,
                                  bool *found, const struct mup_flash_map *map)
{
    struct mup_progress_log scratch = {.map = map};
    struct record newest = {0};
    bool any = false;

    for (uint32_t page = 0; page < LOG_PAGES; page++) {
        enum mup_status status = scan_page(&scratch, &newest, &any, page * map->flash->page_size);

        if (status != MUP_OK)
            return status;
    }
    /* F7: one number is left out, for a record that was cut and is not seen. */
    scratch.sequence = newest.sequence + (scratch.unsettled ? 1 : 0);
    scratch.live = any && !is_clear(&newest.progress);
    *log = scratch;
    *found = scratch.live;
    *out = newest.progress;
    return MUP_OK;
}

static enum mup_status append(struct mup_progress_log *log, const struct mup_progress *progress)
{
    struct record record = {.sequence = log->sequence + 1, .progress = *progress};
    uint32_t at = log->next_at;
    enum mup_status status = MUP_OK;

    record.crc = crc_of(&record);
    if (is_page_start(log, at))
        status = mup_flash_erase(log->map->flash, log_at(log) + at);
    if (status != MUP_OK)
        return status;
    log->next_at = place_after(log, at);
    status = mup_flash_write(log->map->flash, log_at(log) + at, &record, sizeof record);
    if (status != MUP_OK)
        return status;
    log->sequence = record.sequence;
    log->unsettled = false;
    log->live = !is_clear(progress);
    return MUP_OK;
}

enum mup_status mup_progress_append(struct mup_progress_log *log,
                                    const struct mup_progress *progress)
{
    if (!is_page_start(log, progress->output_offset))
        return MUP_ERR_RANGE;
    return append(log, progress);
}

enum mup_status mup_progress_settle(struct mup_progress_log *log,
                                    const struct mup_progress *progress)
{
    return log->unsettled ? mup_progress_append(log, progress) : MUP_OK;
}

enum mup_status mup_progress_clear(struct mup_progress_log *log)
{
    struct mup_progress none;

    if (!log->live && !log->unsettled)
        return MUP_OK;
    memset(&none, 0, sizeof none);
    return append(log, &none);
}
