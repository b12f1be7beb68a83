/* The boot journal, and what the application asks of it: request, confirm, revert, retry. */
#include "mup/boot.h"

#include <string.h>

#include "boot_internal.h"

#include "mup/flash_access.h"

#define JOURNAL_MAGIC UINT32_C(0x4a42504d) /* "MPBJ" */

_Static_assert(sizeof(struct mup_boot_body) == 136, "layout in flash is fixed");
_Static_assert(sizeof(struct mup_boot_body) <= MUP_LEDGER_BODY_SIZE_MAX, "must leave room");

enum mup_status mup_boot_enter(struct mup_boot *boot, enum mup_boot_phase phase, uint32_t argument)
{
    return mup_ledger_append(&boot->journal, mup_boot_word(phase, argument), &boot->body);
}

enum mup_status mup_boot_enter_with(struct mup_boot *boot, enum mup_boot_phase phase,
                                    const struct mup_boot_body *body)
{
    enum mup_status status = mup_ledger_replace(&boot->journal, mup_boot_word(phase, 0), body);

    if (status == MUP_OK)
        boot->body = *body;
    return status;
}

enum mup_status mup_boot_enter_because(struct mup_boot *boot, enum mup_boot_phase phase,
                                       enum mup_boot_reason reason)
{
    struct mup_boot_body body = boot->body;

    body.reason = (uint32_t)reason;
    body.trials = mup_boot_trials(boot);
    return mup_boot_enter_with(boot, phase, &body);
}

/* A confirmed image is the image, and the floor (B5). In flash the word CONFIRMED alone says so;
 * the body follows when it is next written. */
static void settle(struct mup_boot *boot)
{
    if (mup_boot_phase_of(boot) != MUP_BOOT_CONFIRMED || boot->body.staged.size == 0)
        return;
    boot->body.confirmed = boot->body.staged;
    boot->body.staged = (struct mup_boot_image){0};
    if (boot->body.version_floor < boot->body.confirmed.version)
        boot->body.version_floor = boot->body.confirmed.version;
}

static enum mup_status bind(struct mup_boot *boot, const struct mup_flash_map *map)
{
    enum mup_status status = mup_flash_map_check(map);

    if (status != MUP_OK)
        return status;
    *boot = (struct mup_boot){.map = *map};
    mup_ledger_init(&boot->journal, map->flash,
                    map->state_at + MUP_STATE_PAGE_JOURNAL * map->flash->page_size, JOURNAL_MAGIC,
                    (uint32_t)sizeof boot->body);
    return MUP_OK;
}

enum mup_status mup_boot_provision(struct mup_boot *boot, const struct mup_flash_map *map,
                                   const struct mup_boot_image *image)
{
    struct mup_boot_body body = {.confirmed = *image, .version_floor = image->version};
    enum mup_status status = bind(boot, map);

    if (status != MUP_OK)
        return status;
    if (image->size > mup_flash_map_image_size_max(map))
        return MUP_ERR_RANGE;
    status = mup_ledger_open(&boot->journal, NULL);
    if (status != MUP_OK && status != MUP_ERR_FORMAT)
        return status;
    return mup_boot_enter_with(boot, MUP_BOOT_IDLE, &body);
}

enum mup_status mup_boot_open(struct mup_boot *boot, const struct mup_flash_map *map)
{
    enum mup_status status = bind(boot, map);

    if (status == MUP_OK)
        status = mup_ledger_open(&boot->journal, &boot->body);
    if (status != MUP_OK)
        return status;
    if (mup_boot_phase_of(boot) < MUP_BOOT_IDLE || mup_boot_phase_of(boot) > MUP_BOOT_RETRY)
        return MUP_ERR_FORMAT;
    settle(boot);
    return MUP_OK;
}

/* Whether an update has ended, well or badly, and nobody was told yet. */
static bool has_outcome(enum mup_boot_phase phase)
{
    return phase == MUP_BOOT_CONFIRMED || phase == MUP_BOOT_REVERTED || phase == MUP_BOOT_REJECTED;
}

enum mup_boot_phase mup_boot_phase(const struct mup_boot *boot)
{
    return mup_boot_phase_of(boot);
}

enum mup_boot_reason mup_boot_reason(const struct mup_boot *boot)
{
    enum mup_boot_phase phase = mup_boot_phase_of(boot);

    return phase == MUP_BOOT_REVERTED || phase == MUP_BOOT_REJECTED || phase == MUP_BOOT_RETRY
               ? (enum mup_boot_reason)boot->body.reason
               : MUP_BOOT_REASON_NONE;
}

const struct mup_boot_image *mup_boot_running(const struct mup_boot *boot)
{
    return mup_boot_phase_of(boot) == MUP_BOOT_TRIAL ? &boot->body.staged : &boot->body.confirmed;
}

uint32_t mup_boot_trial(const struct mup_boot *boot)
{
    return mup_boot_phase_of(boot) == MUP_BOOT_TRIAL ? mup_boot_argument_of(boot) : 0;
}

uint32_t mup_boot_trials(const struct mup_boot *boot)
{
    enum mup_boot_phase phase = mup_boot_phase_of(boot);
    bool counts = phase == MUP_BOOT_TRIAL || phase == MUP_BOOT_CONFIRMED;

    return boot->body.trials + (counts ? mup_boot_argument_of(boot) : 0);
}

bool mup_boot_takes_manifest(const struct mup_boot *boot)
{
    enum mup_boot_phase phase = mup_boot_phase_of(boot);

    return phase == MUP_BOOT_IDLE || has_outcome(phase);
}

void mup_boot_state(const struct mup_boot *boot, struct mup_boot_state *out)
{
    const struct mup_boot_image *running = mup_boot_running(boot);

    out->phase = mup_boot_phase_of(boot);
    out->reason = mup_boot_reason(boot);
    out->running = *running;
    out->other = running == &boot->body.staged ? boot->body.confirmed : boot->body.staged;
    out->version_floor = mup_boot_version_floor(boot);
    out->trial = mup_boot_trial(boot);
    out->round = mup_boot_round(boot);
    memcpy(out->manifest_digest, boot->body.manifest_digest, sizeof out->manifest_digest);
    out->takes_manifest = mup_boot_takes_manifest(boot);
}

static enum mup_status check_request(const struct mup_boot *boot,
                                     const struct mup_boot_image *image, size_t manifest_size)
{
    if (!mup_boot_takes_manifest(boot))
        return MUP_ERR_STATE;
    if (image->version <= boot->body.version_floor)
        return MUP_ERR_STALE;
    if (image->size == 0 || manifest_size == 0)
        return MUP_ERR_RANGE;
    if (image->size > mup_flash_map_image_size_max(&boot->map) ||
        manifest_size > MUP_BOOT_MANIFEST_SIZE_MAX)
        return MUP_ERR_SPACE;
    return MUP_OK;
}

/* The manifest's page is only believed through the digest in the journal, so a cut here is of no
 * consequence: the request does not stand yet. */
static enum mup_status store_manifest(const struct mup_boot *boot, const uint8_t *manifest,
                                      size_t size)
{
    const struct mup_port_flash *flash = boot->map.flash;
    uint32_t at = boot->map.state_at + MUP_STATE_PAGE_MANIFEST * flash->page_size;

    return mup_flash_write_page(flash, at, manifest, size);
}

enum mup_status mup_boot_request(struct mup_boot *boot, const struct mup_boot_image *image,
                                 const void *manifest, size_t manifest_size)
{
    struct mup_boot_body body = boot->body;
    enum mup_status status = check_request(boot, image, manifest_size);

    if (status == MUP_OK)
        status = store_manifest(boot, manifest, manifest_size);
    if (status != MUP_OK)
        return status;
    body.staged = *image;
    body.manifest_size = (uint32_t)manifest_size;
    body.round = 0;
    body.reason = MUP_BOOT_REASON_NONE;
    mup_sha256_of(body.manifest_digest, manifest, manifest_size);
    return mup_boot_enter_with(boot, MUP_BOOT_REQUESTED, &body);
}

enum mup_status mup_boot_confirm(struct mup_boot *boot)
{
    enum mup_boot_phase phase = mup_boot_phase_of(boot);
    enum mup_status status;

    if (phase == MUP_BOOT_CONFIRMED)
        return MUP_OK;
    if (phase != MUP_BOOT_TRIAL)
        return MUP_ERR_STATE;
    status = mup_boot_enter(boot, MUP_BOOT_CONFIRMED, mup_boot_argument_of(boot));
    if (status == MUP_OK)
        settle(boot);
    return status;
}

enum mup_status mup_boot_revert(struct mup_boot *boot, enum mup_boot_reason reason)
{
    if (mup_boot_phase_of(boot) != MUP_BOOT_TRIAL)
        return MUP_ERR_STATE;
    return mup_boot_enter_because(boot, MUP_BOOT_REVERTING, reason);
}

enum mup_status mup_boot_retry_trial(struct mup_boot *boot)
{
    struct mup_boot_body body = boot->body;

    if (mup_boot_phase_of(boot) != MUP_BOOT_REVERTED || body.round >= MUP_BOOT_ROUNDS_MAX)
        return MUP_ERR_STATE;
    if (body.reason != MUP_BOOT_REASON_TRIALS && body.reason != MUP_BOOT_REASON_DEADLINE)
        return MUP_ERR_STATE;
    body.round++;
    return mup_boot_enter_with(boot, MUP_BOOT_RETRY, &body);
}

enum mup_status mup_boot_reported(struct mup_boot *boot)
{
    struct mup_boot_body body = boot->body;

    if (!has_outcome(mup_boot_phase_of(boot)))
        return MUP_ERR_STATE;
    body.staged = (struct mup_boot_image){0};
    body.round = 0;
    body.reason = MUP_BOOT_REASON_NONE;
    return mup_boot_enter_with(boot, MUP_BOOT_IDLE, &body);
}
