/* The identity record: one ledger whose words mean nothing but "complete". */
#include "mup/identity.h"

#include <stddef.h>

#include "mup/ledger.h"

#define IDENTITY_MAGIC UINT32_C(0x4449504d) /* "MPID" */
#define COMPLETE       1u

static void init(struct mup_ledger *ledger, const struct mup_flash_map *map)
{
    mup_ledger_init(ledger, map->flash,
                    map->state_at + MUP_STATE_PAGE_IDENTITY * map->flash->page_size, IDENTITY_MAGIC,
                    (uint32_t)sizeof(struct mup_identity));
}

enum mup_status mup_identity_load(struct mup_identity *out, const struct mup_flash_map *map)
{
    struct mup_identity scratch;
    struct mup_ledger ledger;
    enum mup_status status;

    init(&ledger, map);
    status = mup_ledger_open(&ledger, &scratch);
    if (status == MUP_OK)
        status = mup_ledger_secure(&ledger, &scratch);
    if (status == MUP_OK)
        *out = scratch;
    return status;
}

enum mup_status mup_identity_save(const struct mup_flash_map *map,
                                  const struct mup_identity *identity)
{
    struct mup_ledger ledger;
    enum mup_status status;

    init(&ledger, map);
    status = mup_ledger_open(&ledger, NULL);
    if (status != MUP_OK && status != MUP_ERR_FORMAT)
        return status;
    return mup_ledger_replace(&ledger, COMPLETE, identity);
}
