/* One number for all that a hostile flash is, so that a test can tell states apart. */
#include <string.h>

#include "flash_internal.h"

#define LANES 4u
#define BLOCK (LANES * sizeof(uint64_t))

/* Odd, and their bits are as good as random. */
#define FACTOR_A UINT64_C(0x9e3779b185ebca87)
#define FACTOR_B UINT64_C(0xc2b2ae3d27d4eb4f)

static uint64_t turned(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

/* For a given lane a permutation of `word`, and for a given word one of `lane`. */
static uint64_t mixed(uint64_t lane, uint64_t word)
{
    return turned(lane + word * FACTOR_B, 31) * FACTOR_A;
}

/* Each bit of the result depends on each of the value. */
static uint64_t spread(uint64_t value)
{
    value = (value ^ value >> 33) * FACTOR_B;
    value = (value ^ value >> 29) * FACTOR_A;
    return value ^ value >> 32;
}

uint64_t mup_hostile_fingerprint(uint64_t number, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    uint64_t lanes[LANES] = {number, number ^ FACTOR_A, number ^ FACTOR_B, ~number};
    uint64_t words[LANES];

    number = mixed(number, size);
    for (; size >= BLOCK; size -= BLOCK, from += BLOCK) {
        memcpy(words, from, BLOCK);
        for (size_t i = 0; i < LANES; i++)
            lanes[i] = mixed(lanes[i], words[i]);
    }
    memset(words, 0, sizeof words);
    memcpy(words, from, size);
    for (size_t i = 0; i < LANES; i++)
        number = mixed(number, spread(mixed(lanes[i], words[i])));
    return spread(number);
}

/* What the reads so far, and the starts, mean for those to come. */
static uint32_t weak_phase(const struct mup_hostile_weak *weak)
{
    switch (weak->cut) {
    case MUP_HOSTILE_WEAK_FIRST:
    case MUP_HOSTILE_WEAK_LATER:
        return weak->reads != 0;
    case MUP_HOSTILE_WEAK_TURNS:
        return weak->reads % 2;
    case MUP_HOSTILE_WEAK_BOOT:
        return weak->boots < 2 ? weak->boots : 2;
    case MUP_HOSTILE_WEAK_ANY:
        return weak->random;
    case MUP_HOSTILE_BEFORE:
    case MUP_HOSTILE_AFTER:
    case MUP_HOSTILE_TORN_LOW:
    case MUP_HOSTILE_TORN_HIGH:
    case MUP_HOSTILE_TORN_MID:
    case MUP_HOSTILE_TORN_EVEN:
    case MUP_HOSTILE_ALMOST:
    case MUP_HOSTILE_TORN_ANY:
    case MUP_HOSTILE_CUT_COUNT:
        break;
    }
    return 0;
}

static uint64_t add_weak(uint64_t number, const struct mup_hostile_weak *weak)
{
    uint32_t head[4] = {weak->at, weak->size, (uint32_t)weak->cut, weak_phase(weak)};

    if (weak->size == 0)
        return mixed(number, 0);
    number = mup_hostile_fingerprint(number, head, sizeof head);
    return mup_hostile_fingerprint(number, weak->undone, weak->size);
}

/* The words that were cut and not erased since. Once as many are remembered as can be, it matters
 * also which of them is forgotten next. */
static uint64_t add_cut_words(uint64_t number, const struct mup_hostile_flash *flash)
{
    if (flash->cut_word_count >= MUP_HOSTILE_CUT_WORDS) {
        number = mixed(number, flash->cut_word_count);
        return mup_hostile_fingerprint(number, flash->cut_words, sizeof flash->cut_words);
    }
    for (uint32_t i = 0; i < flash->cut_word_count; i++) {
        const struct mup_hostile_cut_word *cut = &flash->cut_words[i];

        if (flash->programmed[cut->at / MUP_PORT_FLASH_WORD_SIZE] == MUP_HOSTILE_CUT &&
            mup_hostile_cut_word(flash, cut->at) == cut)
            number = mup_hostile_fingerprint(number, cut, sizeof *cut);
    }
    return number;
}

/* Never 0. */
static uint64_t page_number(const struct mup_hostile_flash *flash, uint32_t page)
{
    uint32_t size = flash->page_size;
    uint32_t words = size / MUP_PORT_FLASH_WORD_SIZE;
    uint64_t number = mup_hostile_fingerprint(page, flash->bytes + page * size, size);

    return mup_hostile_fingerprint(number, flash->programmed + page * words, words) | 1;
}

uint64_t mup_hostile_flash_fingerprint(struct mup_hostile_flash *flash)
{
    uint64_t number = flash->violation_count;

    for (uint32_t page = 0; page < flash->size / flash->page_size; page++) {
        uint64_t *kept = page < MUP_HOSTILE_PAGES_MAX ? &flash->page_numbers[page] : NULL;
        uint64_t now = kept != NULL && *kept != 0 ? *kept : page_number(flash, page);

        if (kept != NULL)
            *kept = now;
        number = mixed(number, now);
    }
    for (uint32_t i = 0; i < MUP_HOSTILE_WEAK_MAX; i++)
        number = add_weak(number, &flash->weak[i]);
    return spread(add_cut_words(number, flash));
}
