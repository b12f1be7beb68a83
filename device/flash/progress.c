/* The progress record: a ledger whose value says whether there is something to resume. */
#include "mup/progress.h"

#include <stddef.h>
#include <string.h>

#define PROGRESS_MAGIC UINT32_C(0x5250504d) /* "MPPR" */

/* Values of the ledger. */
#define LIVE    1u
#define CLEARED 2u

_Static_assert(sizeof(struct mup_progress) == 72, "layout in flash is fixed");

enum mup_status mup_progress_open(struct mup_progress_log *log, struct mup_progress *out,
                                  bool *found, const struct mup_flash_map *map)
{
    enum mup_status status;

    mup_ledger_init(&log->ledger, map->flash,
                    map->state_at + MUP_STATE_PAGE_PROGRESS * map->flash->page_size, PROGRESS_MAGIC,
                    (uint32_t)sizeof *out);
    status = mup_ledger_open(&log->ledger, out);
    if (status != MUP_OK && status != MUP_ERR_FORMAT)
        return status;
    *found = status == MUP_OK && log->ledger.used.value == LIVE;
    return MUP_OK;
}

enum mup_status mup_progress_append(struct mup_progress_log *log,
                                    const struct mup_progress *progress)
{
    if ((progress->output_offset & (log->ledger.flash->page_size - 1)) != 0)
        return MUP_ERR_RANGE;
    return mup_ledger_replace(&log->ledger, LIVE, progress);
}

enum mup_status mup_progress_settle(struct mup_progress_log *log,
                                    const struct mup_progress *progress)
{
    return log->ledger.secured ? MUP_OK : mup_ledger_append(&log->ledger, LIVE, progress);
}

enum mup_status mup_progress_clear(struct mup_progress_log *log)
{
    struct mup_progress none;

    if (log->ledger.secured && log->ledger.used.value == CLEARED)
        return MUP_OK;
    memset(&none, 0, sizeof none);
    return mup_ledger_replace(&log->ledger, CLEARED, &none);
}
