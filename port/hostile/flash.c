/* Flash that loses power in the middle, and remembers who broke its rules. */
#include <string.h>

#include "mup/port/hostile.h"

#define WORD_SIZE MUP_PORT_FLASH_WORD_SIZE

static uint32_t get_word(const uint8_t *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

static void put_word(uint8_t *bytes, uint32_t word)
{
    memcpy(bytes, &word, sizeof word);
}

static bool is_weak(enum mup_hostile_cut cut)
{
    return cut >= MUP_HOSTILE_WEAK_FIRST;
}

/* Of the bits that an operation changes in a word, those that a cut lets it change. */
static uint32_t done_bits(enum mup_hostile_cut cut, uint32_t changes)
{
    switch (cut) {
    case MUP_HOSTILE_BEFORE:
        return 0;
    case MUP_HOSTILE_TORN_LOW:
        return changes & UINT32_C(0x0000ffff);
    case MUP_HOSTILE_TORN_HIGH:
        return changes & UINT32_C(0xffff0000);
    case MUP_HOSTILE_TORN_MID:
        return changes & UINT32_C(0x00ffff00);
    case MUP_HOSTILE_TORN_EVEN:
        return changes & UINT32_C(0x55555555);
    case MUP_HOSTILE_ALMOST:
        return changes & (changes - 1);
    case MUP_HOSTILE_AFTER:
    case MUP_HOSTILE_WEAK_FIRST:
    case MUP_HOSTILE_WEAK_LATER:
    case MUP_HOSTILE_WEAK_TURNS:
    case MUP_HOSTILE_WEAK_BOOT:
    case MUP_HOSTILE_CUT_COUNT:
        break;
    }
    return changes;
}

/* Whether a cut in an erasure lets the word at `offset` of its page be touched. */
static bool reaches(enum mup_hostile_cut cut, uint32_t offset, uint32_t page_size)
{
    uint32_t quarter = offset / (page_size / 4);

    switch (cut) {
    case MUP_HOSTILE_TORN_LOW:
        return quarter < 2;
    case MUP_HOSTILE_TORN_HIGH:
        return quarter >= 2;
    case MUP_HOSTILE_TORN_MID:
        return quarter == 1 || quarter == 2;
    case MUP_HOSTILE_BEFORE:
    case MUP_HOSTILE_AFTER:
    case MUP_HOSTILE_TORN_EVEN:
    case MUP_HOSTILE_ALMOST:
    case MUP_HOSTILE_WEAK_FIRST:
    case MUP_HOSTILE_WEAK_LATER:
    case MUP_HOSTILE_WEAK_TURNS:
    case MUP_HOSTILE_WEAK_BOOT:
    case MUP_HOSTILE_CUT_COUNT:
        break;
    }
    return true;
}

static enum mup_hostile_cut within_word(enum mup_hostile_cut cut)
{
    bool halves =
        cut == MUP_HOSTILE_TORN_LOW || cut == MUP_HOSTILE_TORN_HIGH || cut == MUP_HOSTILE_TORN_MID;

    return halves ? MUP_HOSTILE_AFTER : cut;
}

static void make_weak(struct mup_hostile_flash *flash, uint32_t at, uint32_t size,
                      enum mup_hostile_cut cut)
{
    flash->weak.at = at;
    flash->weak.size = size;
    flash->weak.reads = 0;
    flash->weak.boots = 0;
    flash->weak.cut = cut;
    memcpy(flash->weak.undone, flash->bytes + at, size);
}

static void erase_page(struct mup_hostile_flash *flash, uint32_t page_at, enum mup_hostile_cut cut)
{
    if (is_weak(cut))
        make_weak(flash, page_at, flash->page_size, cut);
    for (uint32_t offset = 0; offset < flash->page_size; offset += WORD_SIZE) {
        uint8_t *bytes = flash->bytes + page_at + offset;
        uint32_t old = get_word(bytes);

        if (reaches(cut, offset, flash->page_size))
            put_word(bytes, old | done_bits(within_word(cut), ~old));
    }
    /* A page whose erasing was cut may not be programmed at all. */
    memset(flash->programmed + page_at / WORD_SIZE, cut == MUP_HOSTILE_AFTER ? 0 : 1,
           flash->page_size / WORD_SIZE);
}

static void program_word(struct mup_hostile_flash *flash, uint32_t at, uint32_t word,
                         enum mup_hostile_cut cut)
{
    uint32_t old = get_word(flash->bytes + at);

    if (is_weak(cut))
        make_weak(flash, at, WORD_SIZE, cut);
    put_word(flash->bytes + at, old & ~done_bits(cut, old & ~word));
    if (cut != MUP_HOSTILE_BEFORE)
        flash->programmed[at / WORD_SIZE] = 1;
}

/* The operation that next_* names, whole or cut. */
static void operate(struct mup_hostile_flash *flash, enum mup_hostile_cut cut)
{
    if (flash->next_erases) {
        if (cut != MUP_HOSTILE_BEFORE)
            erase_page(flash, flash->next_at, cut);
    } else {
        program_word(flash, flash->next_at, flash->next_word, cut);
    }
}

/* Do one operation; false when power failed in it. */
static bool step(struct mup_hostile_flash *flash, uint32_t at, bool erases, uint32_t word)
{
    flash->next_at = at;
    flash->next_erases = erases;
    flash->next_word = word;
    if (flash->watch != NULL)
        flash->watch(flash->watch_context);
    if (++flash->operation_count == flash->cut_at) {
        operate(flash, flash->cut);
        flash->dead = true;
        return false;
    }
    /* Erasing the page whole, or programming the word once more and whole, ends its weakness. */
    if (flash->weak.size != 0 &&
        (erases ? flash->weak.at / flash->page_size == at / flash->page_size
                : flash->weak.size == WORD_SIZE && flash->weak.at == at))
        flash->weak.size = 0;
    operate(flash, MUP_HOSTILE_AFTER);
    return true;
}

/* Count a call; false when it is to fail. */
static bool answers(struct mup_hostile_flash *flash)
{
    flash->call_count++;
    return !flash->dead && flash->call_count != flash->fail_at;
}

/* Whether this read sees the weak operation done. */
static bool seen(struct mup_hostile_weak *weak)
{
    uint32_t read = weak->reads++;

    switch (weak->cut) {
    case MUP_HOSTILE_WEAK_FIRST:
        return read == 0;
    case MUP_HOSTILE_WEAK_LATER:
        return read != 0;
    case MUP_HOSTILE_WEAK_TURNS:
        return read % 2 == 0;
    case MUP_HOSTILE_WEAK_BOOT:
        return weak->boots <= 1;
    case MUP_HOSTILE_BEFORE:
    case MUP_HOSTILE_AFTER:
    case MUP_HOSTILE_TORN_LOW:
    case MUP_HOSTILE_TORN_HIGH:
    case MUP_HOSTILE_TORN_MID:
    case MUP_HOSTILE_TORN_EVEN:
    case MUP_HOSTILE_ALMOST:
    case MUP_HOSTILE_CUT_COUNT:
        break;
    }
    return true;
}

/* Put back the undone content where the read meets something weak and does not see it done. */
static void blur(struct mup_hostile_flash *flash, uint32_t at, uint8_t *out, size_t size)
{
    struct mup_hostile_weak *weak = &flash->weak;
    uint32_t first = at > weak->at ? at : weak->at;
    uint32_t end = at + (uint32_t)size;

    if (weak->size == 0)
        return;
    if (end > weak->at + weak->size)
        end = weak->at + weak->size;
    if (first < end && !seen(weak))
        memcpy(out + (first - at), weak->undone + (first - weak->at), end - first);
}

static int flash_read(void *context, uint32_t at, void *out, size_t size)
{
    struct mup_hostile_flash *flash = context;

    if (!answers(flash))
        return -1;
    if (at > flash->size || size > flash->size - at) {
        flash->violation_count++;
        return -1;
    }
    if (size > 0) {
        memcpy(out, flash->bytes + at, size);
        blur(flash, at, out, size);
    }
    return 0;
}

static int flash_program(void *context, uint32_t at, const uint32_t *words, size_t word_count)
{
    struct mup_hostile_flash *flash = context;

    if (!answers(flash))
        return -1;
    if (at % WORD_SIZE != 0 || at > flash->size || word_count > (flash->size - at) / WORD_SIZE) {
        flash->violation_count++;
        return -1;
    }
    for (size_t i = 0; i < word_count; i++, at += WORD_SIZE) {
        if (flash->programmed[at / WORD_SIZE] != 0 && get_word(flash->bytes + at) != words[i])
            flash->violation_count++;
        if (!step(flash, at, false, words[i]))
            return -1;
    }
    return 0;
}

static int flash_erase(void *context, uint32_t page_at)
{
    struct mup_hostile_flash *flash = context;

    if (!answers(flash))
        return -1;
    if (page_at % flash->page_size != 0 || page_at >= flash->size) {
        flash->violation_count++;
        return -1;
    }
    return step(flash, page_at, true, 0) ? 0 : -1;
}

void mup_hostile_flash_init(struct mup_hostile_flash *flash, uint8_t *bytes, uint8_t *programmed,
                            uint32_t size, uint32_t page_size)
{
    memset(flash, 0, sizeof *flash);
    flash->bytes = bytes;
    flash->programmed = programmed;
    flash->size = size;
    flash->page_size = page_size;
    memset(bytes, 0xff, size);
    memset(programmed, 0, size / WORD_SIZE);
}

void mup_hostile_flash_power_on(struct mup_hostile_flash *flash)
{
    flash->dead = false;
    flash->operation_count = 0;
    flash->call_count = 0;
    flash->cut_at = 0;
    flash->fail_at = 0;
    flash->weak.boots++;
}

void mup_hostile_flash_copy_cut(struct mup_hostile_flash *to, const struct mup_hostile_flash *from,
                                enum mup_hostile_cut cut)
{
    memcpy(to->bytes, from->bytes, from->size);
    memcpy(to->programmed, from->programmed, from->size / WORD_SIZE);
    to->violation_count = from->violation_count;
    to->weak.size = 0;
    if (from->weak.size != 0)
        to->weak = from->weak;
    to->next_at = from->next_at;
    to->next_erases = from->next_erases;
    to->next_word = from->next_word;
    operate(to, cut);
    mup_hostile_flash_power_on(to);
}

struct mup_port_flash mup_hostile_flash_port(struct mup_hostile_flash *flash)
{
    return (struct mup_port_flash){
        .context = flash,
        .size = flash->size,
        .page_size = flash->page_size,
        .read = flash_read,
        .program = flash_program,
        .erase = flash_erase,
    };
}
