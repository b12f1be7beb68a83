/* What the bootloader does at each start: one phase after the other, until an image may run. */
#include "mup/boot.h"

#include "boot_internal.h"

#include "mup/flash_access.h"
#include "mup/slot.h"

/* Read the vendor manifest into buffer and tell whether it is the one that was requested. */
static enum mup_status read_manifest(const struct mup_boot *boot, bool *same, uint8_t *buffer)
{
    const struct mup_port_flash *flash = boot->map.flash;
    uint32_t at = boot->map.state_at + MUP_STATE_PAGE_MANIFEST * flash->page_size;
    uint8_t digest[MUP_SHA256_SIZE];
    enum mup_status status;

    *same = false;
    if (boot->body.manifest_size > MUP_BOOT_MANIFEST_SIZE_MAX)
        return MUP_OK;
    status = mup_flash_read(flash, at, buffer, boot->body.manifest_size);
    if (status != MUP_OK)
        return status;
    mup_sha256_of(digest, buffer, boot->body.manifest_size);
    *same = mup_crypto_equal(digest, boot->body.manifest_digest, sizeof digest) != 0;
    return MUP_OK;
}

/* Find out why the vendor's word does not stand for the request, if it does not. */
static enum mup_status check_manifest(const struct mup_boot *boot, enum mup_boot_reason *reason,
                                      const struct mup_boot_verifier *verifier)
{
    bool same;
    enum mup_status status = read_manifest(boot, &same, verifier->buffer);

    if (status != MUP_OK)
        return status;
    if (!same) {
        *reason = MUP_BOOT_REASON_DIGEST;
        return MUP_OK;
    }
    status = verifier->verify(verifier->context, &boot->body.staged, verifier->buffer,
                              boot->body.manifest_size);
    if (mup_status_is_trouble(status))
        return status;
    if (status != MUP_OK)
        *reason = MUP_BOOT_REASON_SIGNATURE;
    return MUP_OK;
}

/* Find out whether the requested image is what is in a slot. */
static enum mup_status check_image(const struct mup_boot *boot, enum mup_boot_reason *reason,
                                   enum mup_slot slot)
{
    uint8_t digest[MUP_SHA256_SIZE];
    enum mup_status status = mup_slot_digest(&boot->map, slot, boot->body.staged.size, digest);

    if (status == MUP_OK && !mup_crypto_equal(digest, boot->body.staged.digest, sizeof digest))
        *reason = MUP_BOOT_REASON_DIGEST;
    return status;
}

/* REQUESTED and RETRY: nothing reaches the execution slot that does not check (B4). A retry was
 * verified before its first swap, and its digest is trusted since. */
static enum mup_status begin(struct mup_boot *boot, const struct mup_boot_verifier *verifier)
{
    enum mup_boot_reason reason = MUP_BOOT_REASON_NONE;
    enum mup_status status = MUP_OK;

    if (mup_boot_phase_of(boot) == MUP_BOOT_REQUESTED)
        status = check_manifest(boot, &reason, verifier);
    if (status == MUP_OK && reason == MUP_BOOT_REASON_NONE)
        status = check_image(boot, &reason, MUP_SLOT_STAGING);
    if (status != MUP_OK)
        return status;
    if (reason != MUP_BOOT_REASON_NONE)
        return mup_boot_enter_because(boot, MUP_BOOT_REJECTED, reason);
    return mup_boot_enter(boot, MUP_BOOT_SWAPPING, 0);
}

/* SWAPPING: one half step, or the check of the whole when all are done. */
static enum mup_status swap(struct mup_boot *boot)
{
    uint32_t step = mup_boot_argument_of(boot);
    enum mup_boot_reason reason = MUP_BOOT_REASON_NONE;
    enum mup_status status;

    if (step < mup_boot_half_step_count(boot)) {
        status = mup_boot_swap_half_step(boot, step);
        return status == MUP_OK ? mup_boot_enter(boot, MUP_BOOT_SWAPPING, step + 1) : status;
    }
    status = check_image(boot, &reason, MUP_SLOT_EXECUTION);
    if (status != MUP_OK)
        return status;
    if (reason != MUP_BOOT_REASON_NONE)
        return mup_boot_enter_because(boot, MUP_BOOT_REVERTING, reason);
    return mup_boot_enter(boot, MUP_BOOT_TRIAL, 0);
}

static enum mup_status revert(struct mup_boot *boot)
{
    uint32_t step = mup_boot_argument_of(boot);
    enum mup_status status;

    if (step >= mup_boot_half_step_count(boot))
        return mup_boot_enter(boot, MUP_BOOT_REVERTED, 0);
    status = mup_boot_revert_half_step(boot, step);
    return status == MUP_OK ? mup_boot_enter(boot, MUP_BOOT_REVERTING, step + 1) : status;
}

/* TRIAL: count this start, before the image can do anything. */
static enum mup_status count_trial(struct mup_boot *boot, bool *runs)
{
    uint32_t starts = mup_boot_argument_of(boot);
    enum mup_status status;

    if (starts >= MUP_BOOT_TRIALS_MAX)
        return mup_boot_enter_because(boot, MUP_BOOT_REVERTING, MUP_BOOT_REASON_TRIALS);
    status = mup_boot_enter(boot, MUP_BOOT_TRIAL, starts + 1);
    *runs = status == MUP_OK;
    return status;
}

/* Take one step away from the phase that the journal is in; *runs when there is none to take. */
static enum mup_status advance(struct mup_boot *boot, bool *runs,
                               const struct mup_boot_verifier *verifier)
{
    switch (mup_boot_phase_of(boot)) {
    case MUP_BOOT_REQUESTED:
    case MUP_BOOT_RETRY:
        return begin(boot, verifier);
    case MUP_BOOT_SWAPPING:
        return swap(boot);
    case MUP_BOOT_REVERTING:
        return revert(boot);
    case MUP_BOOT_TRIAL:
        return count_trial(boot, runs);
    case MUP_BOOT_IDLE:
    case MUP_BOOT_CONFIRMED:
    case MUP_BOOT_REVERTED:
    case MUP_BOOT_REJECTED:
        break;
    }
    *runs = true;
    return MUP_OK;
}

/* B3. Where data is about to be touched the word is always written again: it also erases a page
 * that reads as erased and perhaps is not. */
static enum mup_status secure(struct mup_boot *boot)
{
    enum mup_boot_phase phase = mup_boot_phase_of(boot);

    if (phase == MUP_BOOT_SWAPPING || phase == MUP_BOOT_REVERTING)
        return mup_boot_enter(boot, phase, mup_boot_argument_of(boot));
    return mup_ledger_secure(&boot->journal, &boot->body);
}

enum mup_status mup_boot_start(struct mup_boot *boot, struct mup_boot_state *out,
                               const struct mup_boot_verifier *verifier)
{
    bool runs = false;
    enum mup_status status = secure(boot);

    while (status == MUP_OK && !runs)
        status = advance(boot, &runs, verifier);
    if (status == MUP_OK)
        mup_boot_state(boot, out);
    return status;
}
