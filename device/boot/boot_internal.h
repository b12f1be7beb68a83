/*
 * What the files of the boot core share: the journal's words, and the swap.
 *
 * A word of the journal is a phase (4 bits) and its argument (12 bits): for SWAPPING and REVERTING
 * the half step that comes next, for TRIAL and CONFIRMED the starts so far, else 0.
 */
#ifndef MUP_BOOT_INTERNAL_H
#define MUP_BOOT_INTERNAL_H

#include "mup/boot.h"

#define MUP_BOOT_ARGUMENT_BITS 12u
#define MUP_BOOT_ARGUMENT_MASK 0x0fffu

static inline enum mup_boot_phase mup_boot_phase_of(const struct mup_boot *boot)
{
    return (enum mup_boot_phase)(boot->journal.used.value >> MUP_BOOT_ARGUMENT_BITS);
}

static inline uint32_t mup_boot_argument_of(const struct mup_boot *boot)
{
    return boot->journal.used.value & MUP_BOOT_ARGUMENT_MASK;
}

static inline uint16_t mup_boot_word(enum mup_boot_phase phase, uint32_t argument)
{
    return (uint16_t)((uint32_t)phase << MUP_BOOT_ARGUMENT_BITS | argument);
}

/* Enter a phase by one word; the body stays. */
MUP_MUST_CHECK
enum mup_status mup_boot_enter(struct mup_boot *boot, enum mup_boot_phase phase, uint32_t argument);

/* Enter a phase with another body; boot->body changes on success only. */
MUP_MUST_CHECK
enum mup_status mup_boot_enter_with(struct mup_boot *boot, enum mup_boot_phase phase,
                                    const struct mup_boot_body *body);

/* As enter_with, with only the reason changed. */
MUP_MUST_CHECK
enum mup_status mup_boot_enter_because(struct mup_boot *boot, enum mup_boot_phase phase,
                                       enum mup_boot_reason reason);

/* Half steps of a swap, and of a revert, between the confirmed and the staged image. */
uint32_t mup_boot_half_step_count(const struct mup_boot *boot);

/* Do half step `step`. May be done again for as long as the next one was not begun (B1, B2). */
MUP_MUST_CHECK
enum mup_status mup_boot_swap_half_step(const struct mup_boot *boot, uint32_t step);

/* The same for the way back. */
MUP_MUST_CHECK
enum mup_status mup_boot_revert_half_step(const struct mup_boot *boot, uint32_t step);

#endif
