/* Flash that loses power in the middle, and remembers who broke its rules. */
#include <string.h>

#include "flash_internal.h"

#define WORD_SIZE MUP_PORT_FLASH_WORD_SIZE
#define ERASED    MUP_HOSTILE_ERASED
#define WHOLE     MUP_HOSTILE_WHOLE
#define CUT       MUP_HOSTILE_CUT
#define UNKNOWN   MUP_HOSTILE_UNKNOWN

static void forget_page_number(struct mup_hostile_flash *flash, uint32_t at)
{
    uint32_t page = at / flash->page_size;

    if (page < MUP_HOSTILE_PAGES_MAX)
        flash->page_numbers[page] = 0;
}

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
    return cut >= MUP_HOSTILE_WEAK_FIRST && cut != MUP_HOSTILE_TORN_ANY;
}

/* xorshift32 */
static uint32_t next_random(uint32_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

static uint32_t random_word(struct mup_hostile_flash *flash)
{
    return next_random(&flash->random);
}

/* Bits at random. `style` 0 to 5 says how many: half, one in 32, one in 1024, or all but these. */
static uint32_t random_bits(struct mup_hostile_flash *flash, uint32_t style)
{
    static const uint32_t halvings[3] = {1, 5, 10};
    uint32_t bits = UINT32_MAX;

    for (uint32_t i = 0; i < halvings[style % 3]; i++)
        bits &= random_word(flash);
    return style % 6 < 3 ? bits : ~bits;
}

/* Of the bits that an operation changes in a word, those that a cut lets it change. */
static uint32_t done_bits(struct mup_hostile_flash *flash, enum mup_hostile_cut cut,
                          uint32_t changes, uint32_t style)
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
    case MUP_HOSTILE_TORN_ANY:
    case MUP_HOSTILE_WEAK_ANY:
        return changes & random_bits(flash, style);
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
    case MUP_HOSTILE_TORN_ANY:
    case MUP_HOSTILE_WEAK_ANY:
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

static bool is_within(uint32_t at, uint32_t outer_at, uint32_t outer_size)
{
    return at >= outer_at && at - outer_at < outer_size;
}

/* [at, at + size) was operated upon anew, as a whole: what was weak in there is not any more. */
static void settle(struct mup_hostile_flash *flash, uint32_t at, uint32_t size)
{
    for (uint32_t i = 0; i < MUP_HOSTILE_WEAK_MAX; i++) {
        struct mup_hostile_weak *weak = &flash->weak[i];

        if (is_within(weak->at, at, size) && weak->size <= size)
            weak->size = 0;
    }
}

/* Before the operation. When all places are taken the first one is settled as it is. `random` is
 * what the reads of WEAK_ANY are drawn from. */
static struct mup_hostile_weak *make_weak(struct mup_hostile_flash *flash, uint32_t at,
                                          uint32_t size, enum mup_hostile_cut cut, uint32_t random)
{
    struct mup_hostile_weak *weak = &flash->weak[0];

    settle(flash, at, size);
    for (uint32_t i = 0; i < MUP_HOSTILE_WEAK_MAX && weak->size != 0; i++)
        weak = &flash->weak[i];
    if (weak->size != 0)
        weak = &flash->weak[0];
    weak->at = at;
    weak->size = size;
    weak->reads = 0;
    weak->boots = 0;
    weak->cut = cut;
    weak->random = random | 1; /* never 0 */
    memcpy(weak->undone, flash->bytes + at, size);
    return weak;
}

/* WEAK_ANY: of the bits that should change, some that the reads do not agree upon. */
static void make_bits_weak(struct mup_hostile_flash *flash, struct mup_hostile_weak *weak,
                           uint32_t at, uint32_t changes, uint32_t style)
{
    if (weak != NULL && weak->cut == MUP_HOSTILE_WEAK_ANY)
        put_word(weak->undone + (at - weak->at), changes & random_bits(flash, style));
}

static void erase_page(struct mup_hostile_flash *flash, uint32_t page_at)
{
    memset(flash->bytes + page_at, 0xff, flash->page_size);
    memset(flash->programmed + page_at / WORD_SIZE, ERASED, flash->page_size / WORD_SIZE);
}

static void cut_erasing(struct mup_hostile_flash *flash, uint32_t page_at, enum mup_hostile_cut cut)
{
    uint32_t style = cut >= MUP_HOSTILE_TORN_ANY ? random_word(flash) : 0;
    struct mup_hostile_weak *weak = NULL;

    if (is_weak(cut))
        weak = make_weak(flash, page_at, flash->page_size, cut, flash->random);
    for (uint32_t offset = 0; offset < flash->page_size; offset += WORD_SIZE) {
        uint8_t *bytes = flash->bytes + page_at + offset;
        uint32_t old = get_word(bytes);

        if (reaches(cut, offset, flash->page_size))
            put_word(bytes, old | done_bits(flash, within_word(cut), ~old, style / 6));
        make_bits_weak(flash, weak, page_at + offset, ~old, style);
    }
    /* A page whose erasing was cut may not be programmed at all. */
    memset(flash->programmed + page_at / WORD_SIZE, UNKNOWN, flash->page_size / WORD_SIZE);
}

static void program_word(struct mup_hostile_flash *flash, uint32_t at, uint32_t word,
                         enum mup_hostile_cut cut)
{
    uint32_t style = cut >= MUP_HOSTILE_TORN_ANY ? random_word(flash) : 0;
    uint32_t old = get_word(flash->bytes + at);
    struct mup_hostile_weak *weak = NULL;

    if (is_weak(cut))
        weak = make_weak(flash, at, WORD_SIZE, cut, flash->random);
    make_bits_weak(flash, weak, at, old & ~word, style);
    put_word(flash->bytes + at, old & ~done_bits(flash, cut, old & ~word, style / 6));
    if (cut == MUP_HOSTILE_AFTER) {
        flash->programmed[at / WORD_SIZE] = WHOLE;
    } else if (cut != MUP_HOSTILE_BEFORE) {
        flash->programmed[at / WORD_SIZE] = CUT;
        flash->cut_words[flash->cut_word_count++ % MUP_HOSTILE_CUT_WORDS] =
            (struct mup_hostile_cut_word){at, word};
    }
}

/* The operation that next_* names, whole or cut. */
static void operate(struct mup_hostile_flash *flash, enum mup_hostile_cut cut)
{
    forget_page_number(flash, flash->next_at);
    if (flash->next_erases) {
        if (cut == MUP_HOSTILE_AFTER)
            erase_page(flash, flash->next_at);
        else if (cut != MUP_HOSTILE_BEFORE)
            cut_erasing(flash, flash->next_at, cut);
    } else {
        program_word(flash, flash->next_at, flash->next_word, cut);
    }
}

/* What the cut programming of a word should have made of it, the newest first. */
const struct mup_hostile_cut_word *mup_hostile_cut_word(const struct mup_hostile_flash *flash,
                                                        uint32_t at)
{
    for (uint32_t i = flash->cut_word_count; i > 0; i--) {
        const struct mup_hostile_cut_word *cut = &flash->cut_words[(i - 1) % MUP_HOSTILE_CUT_WORDS];

        if (cut->at == at || flash->cut_word_count - i + 1 == MUP_HOSTILE_CUT_WORDS)
            return cut->at == at ? cut : NULL;
    }
    return NULL;
}

/* A cut word was programmed over: the bits that the cut one should have cleared and this one should
 * not are weak from now on, until the page is erased. */
static void keep_weak(struct mup_hostile_flash *flash, const struct mup_hostile_cut_word *cut,
                      uint32_t word)
{
    uint32_t at = cut->at;
    uint32_t bits = word & ~cut->word;

    if (bits == 0)
        return;
    put_word(make_weak(flash, at, WORD_SIZE, MUP_HOSTILE_WEAK_ANY, at ^ bits)->undone, bits);
}

/* Do the operation that next_* names; false when power failed in it. */
static bool step(struct mup_hostile_flash *flash)
{
    const struct mup_hostile_cut_word *over =
        !flash->next_erases && flash->programmed[flash->next_at / WORD_SIZE] == CUT
            ? mup_hostile_cut_word(flash, flash->next_at)
            : NULL;

    if (flash->watch != NULL && (flash->next_erases || !flash->watches_erasures))
        flash->watch(flash->watch_context);
    if (++flash->operation_count == flash->cut_at) {
        operate(flash, flash->cut);
        flash->dead = true;
        return false;
    }
    settle(flash, flash->next_at, flash->next_erases ? flash->page_size : WORD_SIZE);
    operate(flash, MUP_HOSTILE_AFTER);
    if (over != NULL)
        keep_weak(flash, over, flash->next_word);
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
    case MUP_HOSTILE_TORN_ANY:
    case MUP_HOSTILE_WEAK_ANY:
    case MUP_HOSTILE_CUT_COUNT:
        break;
    }
    return true;
}

/* Put back the undone content where the read meets something weak and does not see it done. */
static void blur(struct mup_hostile_weak *weak, uint32_t at, uint8_t *out, size_t size)
{
    uint32_t first = at > weak->at ? at : weak->at;
    uint32_t end = at + (uint32_t)size;

    if (end > weak->at + weak->size)
        end = weak->at + weak->size;
    if (first >= end)
        return;
    if (weak->cut == MUP_HOSTILE_WEAK_ANY) {
        for (uint32_t i = first; i < end; i++)
            out[i - at] ^= (uint8_t)(weak->undone[i - weak->at] & next_random(&weak->random));
    } else if (!seen(weak)) {
        memcpy(out + (first - at), weak->undone + (first - weak->at), end - first);
    }
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
        for (uint32_t i = 0; i < MUP_HOSTILE_WEAK_MAX; i++) {
            if (flash->weak[i].size != 0)
                blur(&flash->weak[i], at, out, size);
        }
    }
    return 0;
}

static bool reads_as_erased(const struct mup_hostile_flash *flash, uint32_t at)
{
    for (uint32_t i = 0; i < MUP_HOSTILE_WEAK_MAX; i++) {
        if (flash->weak[i].size == WORD_SIZE && flash->weak[i].at == at)
            return true; /* at some read */
    }
    return get_word(flash->bytes + at) == MUP_PORT_FLASH_ERASED_WORD;
}

/* Whether a word may be programmed: it is erased, or is to hold just this already; or a cut left
 * it so that nobody can know that it is not erased. */
static bool may_hold(const struct mup_hostile_flash *flash, uint32_t at, uint32_t word)
{
    const struct mup_hostile_cut_word *cut = mup_hostile_cut_word(flash, at);

    if (flash->programmed[at / WORD_SIZE] == ERASED)
        return true;
    if (flash->programmed[at / WORD_SIZE] == CUT && cut != NULL)
        return cut->word == word || reads_as_erased(flash, at);
    return get_word(flash->bytes + at) == word;
}

static void name_next(struct mup_hostile_flash *flash, uint32_t at, const uint32_t *words,
                      size_t word_count, size_t index)
{
    flash->next_at = at;
    flash->next_erases = false;
    flash->next_word = words[index];
    flash->next_index = index;
    flash->next_count = word_count;
}

/* Whether programming these words is nothing special: nobody looks, power stays, all are erased and
 * nothing is weak there. */
static bool is_plain(const struct mup_hostile_flash *flash, uint32_t at, size_t word_count)
{
    uint32_t size = (uint32_t)word_count * WORD_SIZE;

    if (word_count == 0 || size > flash->page_size)
        return false;
    if (flash->watch != NULL && !flash->watches_erasures)
        return false;
    if (flash->cut_at > flash->operation_count &&
        flash->cut_at - flash->operation_count <= word_count)
        return false;
    for (uint32_t i = 0; i < MUP_HOSTILE_WEAK_MAX; i++) {
        const struct mup_hostile_weak *weak = &flash->weak[i];

        if (weak->size != 0 && weak->at < at + size && at < weak->at + weak->size)
            return false;
    }
    for (size_t i = 0; i < word_count; i++) {
        if (flash->programmed[at / WORD_SIZE + i] != ERASED)
            return false;
    }
    return true;
}

/* What as many steps would do, at once: nearly all programming is of this kind. */
static void program_plainly(struct mup_hostile_flash *flash, uint32_t at, const uint32_t *words,
                            size_t word_count)
{
    for (size_t i = 0; i < word_count; i++)
        put_word(flash->bytes + at + i * WORD_SIZE,
                 get_word(flash->bytes + at + i * WORD_SIZE) & words[i]);
    memset(flash->programmed + at / WORD_SIZE, WHOLE, word_count);
    forget_page_number(flash, at);
    forget_page_number(flash, at + (uint32_t)word_count * WORD_SIZE - 1);
    flash->operation_count += (uint32_t)word_count;
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
    if (is_plain(flash, at, word_count)) {
        program_plainly(flash, at, words, word_count);
        name_next(flash, at + (uint32_t)(word_count - 1) * WORD_SIZE, words, word_count,
                  word_count - 1);
        return 0;
    }
    for (size_t i = 0; i < word_count; i++, at += WORD_SIZE) {
        if (!may_hold(flash, at, words[i]))
            flash->violation_count++;
        name_next(flash, at, words, word_count, i);
        if (!step(flash))
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
    flash->next_at = page_at;
    flash->next_erases = true;
    flash->next_index = 0;
    flash->next_count = 1;
    return step(flash) ? 0 : -1;
}

void mup_hostile_flash_init(struct mup_hostile_flash *flash, uint8_t *bytes, uint8_t *programmed,
                            uint32_t size, uint32_t page_size)
{
    memset(flash, 0, sizeof *flash);
    flash->bytes = bytes;
    flash->programmed = programmed;
    flash->size = size;
    flash->page_size = page_size;
    flash->random = 1;
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
    for (uint32_t i = 0; i < MUP_HOSTILE_WEAK_MAX; i++)
        flash->weak[i].boots++;
}

void mup_hostile_flash_copy_cut(struct mup_hostile_flash *to, const struct mup_hostile_flash *from,
                                enum mup_hostile_cut cut)
{
    memcpy(to->bytes, from->bytes, from->size);
    memcpy(to->programmed, from->programmed, from->size / WORD_SIZE);
    memcpy(to->cut_words, from->cut_words, sizeof to->cut_words);
    memcpy(to->page_numbers, from->page_numbers, sizeof to->page_numbers);
    to->cut_word_count = from->cut_word_count;
    to->violation_count = from->violation_count;
    for (uint32_t i = 0; i < MUP_HOSTILE_WEAK_MAX; i++) {
        to->weak[i].size = 0;
        if (from->weak[i].size != 0)
            to->weak[i] = from->weak[i];
    }
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
