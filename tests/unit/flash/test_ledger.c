/* The ledger's invariants F1 to F5 (mup/ledger.h), each attacked by name. */
#include "support/cmocka_all.h"

#include "mup/ledger.h"
#include "support/flash_memory.h"

#define MAGIC     0x11223344u
#define BODY_SIZE 16u
#define WORDS_AT  (8u + BODY_SIZE + 4u)
#define WORDS     ((TEST_PAGE_SIZE - WORDS_AT) / 4u)
#define NEVER     0xffffu

static const uint32_t body_a[4] = {1, 2, 3, 4};
static const uint32_t body_b[4] = {5, 6, 7, 8};

static void start(struct mup_ledger *ledger, struct flash_memory *memory)
{
    mup_ledger_init(ledger, &memory->port, 0, MAGIC, BODY_SIZE);
}

/* As after a reset: nothing but flash is left. Returns the value, NEVER if there is none. */
static uint32_t reopened(struct mup_ledger *ledger, struct flash_memory *memory, uint32_t body[4])
{
    mup_hostile_flash_power_on(&memory->flash);
    start(ledger, memory);
    return mup_ledger_open(ledger, body) == MUP_OK ? ledger->used.value : NEVER;
}

static uint32_t word_at(const struct flash_memory *memory, uint32_t page, uint32_t index)
{
    uint32_t word;

    memcpy(&word, memory->flash.bytes + page * TEST_PAGE_SIZE + WORDS_AT + index * 4, 4);
    return word;
}

static void an_erased_flash_has_no_ledger(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_open(&ledger, body), MUP_ERR_FORMAT);
    flash_memory_free(memory);
}

static void body_and_last_value_come_back(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_replace(&ledger, 10, body_a), MUP_OK);
    assert_int_equal(mup_ledger_append(&ledger, 11, body_a), MUP_OK);
    assert_int_equal(mup_ledger_append(&ledger, 12, body_a), MUP_OK);
    assert_int_equal(reopened(&ledger, memory, body), 12);
    assert_memory_equal(body, body_a, sizeof body);
    assert_int_equal(mup_ledger_replace(&ledger, 20, body_b), MUP_OK);
    assert_int_equal(reopened(&ledger, memory, body), 20);
    assert_memory_equal(body, body_b, sizeof body);
    assert_int_equal(memory->flash.violation_count, 0);
    flash_memory_free(memory);
}

struct first_erasure {
    const struct mup_hostile_flash *flash;
    uint32_t before; /* operations */
    uint32_t at;
    bool seen;
};

static void note_first_erasure(void *context)
{
    struct first_erasure *first = context;

    if (first->seen || !first->flash->next_erases)
        return;
    first->seen = true;
    first->before = first->flash->operation_count;
    first->at = first->flash->next_at;
}

/* F4: the value as it was read may stand on a weak word, and is written once more. */
static void the_page_in_use_lasts_before_the_other_is_erased(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct first_erasure first = {.flash = &memory->flash};
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_replace(&ledger, 11, body_a), MUP_OK);
    assert_int_equal(mup_ledger_append(&ledger, 12, body_a), MUP_OK);
    assert_int_equal(reopened(&ledger, memory, body), 12);
    memory->flash.watch = note_first_erasure;
    memory->flash.watch_context = &first;
    assert_int_equal(mup_ledger_replace(&ledger, 20, body_b), MUP_OK);
    assert_int_equal(first.before, 3); /* the value, and two words given up */
    assert_int_equal(first.at, TEST_PAGE_SIZE);
    assert_int_equal(word_at(memory, 0, 4), 0xfff3000c);
    flash_memory_free(memory);
}

/* The layout, typed in: value and complement. */
static void a_word_is_value_and_complement(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_replace(&ledger, 0x1234, body_a), MUP_OK);
    assert_int_equal(word_at(memory, 0, 0), 0xedcb1234);
    assert_int_equal(word_at(memory, 0, 1), 0xedcb1234); /* F5: so that the page is relied on */
    assert_int_equal(word_at(memory, 0, 2), 0xffffffff);
    flash_memory_free(memory);
}

/* F3: whatever is missing of a word's programming, the word is not valid. Every pair of a value
 * and a set of missing bits is too many; each single bit and each run of bits is not. */
static void a_torn_word_is_never_a_value(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    for (uint32_t value = 0; value < MUP_LEDGER_VOID; value += 0x1111) {
        uint32_t word = value | (~value & 0xffff) << 16;

        for (uint32_t from = 0; from < 32; from++) {
            for (uint32_t to = from + 1; to <= 32; to++) {
                uint32_t missing = (uint32_t)(((uint64_t)1 << to) - ((uint64_t)1 << from));
                uint32_t torn = word | missing;

                mup_hostile_flash_init(&memory->flash, memory->flash.bytes,
                                       memory->flash.programmed, memory->flash.size,
                                       TEST_PAGE_SIZE);
                start(&ledger, memory);
                assert_int_equal(mup_ledger_replace(&ledger, 7, body_a), MUP_OK);
                memcpy(memory->flash.bytes + WORDS_AT + 4, &torn, 4);
                assert_int_equal(reopened(&ledger, memory, body), torn == word ? value : 7);
            }
        }
    }
    flash_memory_free(memory);
}

/* F2: a body without a word behind it does not count, nor one with a wrong CRC. */
static void a_page_counts_only_with_its_crc_and_a_word(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_replace(&ledger, 7, body_a), MUP_OK);
    for (uint32_t at = 0; at < WORDS_AT; at++) {
        memory->flash.bytes[at] ^= 0x10;
        assert_int_equal(reopened(&ledger, memory, body), NEVER);
        memory->flash.bytes[at] ^= 0x10;
    }
    assert_int_equal(reopened(&ledger, memory, body), 7);
    memset(memory->flash.bytes + WORDS_AT, 0xff, 8);
    assert_int_equal(reopened(&ledger, memory, body), NEVER);
    flash_memory_free(memory);
}

/* F3, F4: cut at each operation, in each way; old or new, never back to the old, and it goes on. */
static void a_cut_leaves_the_old_or_the_new_and_never_goes_back(void **state)
{
    (void)state;
    for (int cut = 0; cut < MUP_HOSTILE_CUT_COUNT; cut++) {
        for (uint32_t at = 1;; at++) {
            struct flash_memory *memory = flash_memory_new();
            struct mup_ledger ledger;
            uint32_t body[4];
            uint32_t value;
            bool over;

            start(&ledger, memory);
            assert_int_equal(mup_ledger_replace(&ledger, 7, body_a), MUP_OK);
            assert_int_equal(reopened(&ledger, memory, body), 7);
            memory->flash.cut_at = at;
            memory->flash.cut = (enum mup_hostile_cut)cut;
            over = mup_ledger_append(&ledger, 8, body_a) == MUP_OK &&
                   mup_ledger_replace(&ledger, 9, body_b) == MUP_OK;

            value = reopened(&ledger, memory, body);
            assert_true(value == 7 || value == 8 || value == 9);
            assert_int_equal(mup_ledger_secure(&ledger, body), MUP_OK);
            for (int again = 0; again < 4; again++) {
                uint32_t now = reopened(&ledger, memory, body);

                assert_true(now == value || (now == 8 && value == 7)); /* seen late */
                value = now;
                assert_memory_equal(body, value == 9 ? body_b : body_a, sizeof body);
                assert_int_equal(mup_ledger_secure(&ledger, body), MUP_OK);
            }
            assert_int_equal(mup_ledger_append(&ledger, 10, body), MUP_OK);
            assert_int_equal(reopened(&ledger, memory, body), 10);
            assert_int_equal(memory->flash.violation_count, 0);
            flash_memory_free(memory);
            if (over)
                break;
        }
    }
}

/* F3: what was made lasting needs no more writing. */
static void securing_twice_writes_once(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_replace(&ledger, 6, body_a), MUP_OK);
    assert_int_equal(mup_ledger_append(&ledger, 7, body_a), MUP_OK);
    reopened(&ledger, memory, body);
    assert_int_equal(mup_ledger_secure(&ledger, body), MUP_OK);
    assert_int_not_equal(memory->flash.operation_count, 0);
    for (int boot = 0; boot < 500; boot++) {
        assert_int_equal(reopened(&ledger, memory, body), 7);
        assert_int_equal(mup_ledger_secure(&ledger, body), MUP_OK);
        assert_int_equal(memory->flash.operation_count, 0);
    }
    flash_memory_free(memory);
}

/* F1: the word behind the last one is left free after a reset; the next takes a copy first, and
 * the two behind that are given up. */
static void after_a_reset_a_word_is_left_free_and_the_value_repeated(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_replace(&ledger, 0x0007, body_a), MUP_OK);
    reopened(&ledger, memory, body);
    assert_int_equal(mup_ledger_append(&ledger, 0x0008, body), MUP_OK);
    assert_int_equal(word_at(memory, 0, 0), 0xfff80007);
    assert_int_equal(word_at(memory, 0, 1), 0xfff80007);
    assert_int_equal(word_at(memory, 0, 2), 0xffffffff);
    assert_int_equal(word_at(memory, 0, 3), 0xfff80007);
    assert_int_equal(word_at(memory, 0, 4), 0xfff80007);
    assert_int_equal(word_at(memory, 0, 5), 0xfff80007);
    assert_int_equal(word_at(memory, 0, 6), 0xfff70008);
    flash_memory_free(memory);
}

static void a_full_page_moves_to_the_other(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_replace(&ledger, 0, body_a), MUP_OK);
    for (uint32_t i = 1; i < 3 * WORDS; i++) {
        assert_int_equal(mup_ledger_append(&ledger, (uint16_t)i, body_a), MUP_OK);
        if (i % 50 == 0 || i % WORDS < 3 || i % WORDS > WORDS - 3) {
            struct mup_ledger other;

            start(&other, memory);
            assert_int_equal(mup_ledger_open(&other, body), MUP_OK);
            assert_int_equal(other.used.value, i);
            assert_memory_equal(body, body_a, sizeof body);
        }
    }
    assert_int_equal(ledger.used.generation, 4); /* sixteen words of each page are kept back */
    assert_int_equal(memory->flash.violation_count, 0);
    flash_memory_free(memory);
}

static void resets_alone_never_use_the_ledger_up(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_replace(&ledger, 1, body_a), MUP_OK);
    for (uint32_t boot = 2; boot < 1000; boot++) {
        assert_int_equal(reopened(&ledger, memory, body), boot - 1);
        assert_int_equal(mup_ledger_append(&ledger, (uint16_t)boot, body), MUP_OK);
    }
    assert_int_equal(memory->flash.violation_count, 0);
    flash_memory_free(memory);
}

/* F5: page 1 is complete but for its first word; that word shows up when nobody expects it. */
static void a_page_that_was_passed_over_never_counts_later(void **state)
{
    static const uint32_t late_word = 0xfff60009; /* value 9 */
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_replace(&ledger, 7, body_a), MUP_OK);
    assert_int_equal(mup_ledger_replace(&ledger, 8, body_b), MUP_OK);
    memset(memory->flash.bytes + TEST_PAGE_SIZE + WORDS_AT, 0xff, 8);
    assert_int_equal(reopened(&ledger, memory, body), 7);
    assert_int_equal(mup_ledger_append(&ledger, 10, body), MUP_OK);
    assert_int_equal(word_at(memory, 0, 3), 0xfff80007);
    assert_int_equal(word_at(memory, 0, 6), 0x0ffef001); /* void: one generation */
    assert_int_equal(word_at(memory, 0, 7), 0xfff5000a);

    memcpy(memory->flash.bytes + TEST_PAGE_SIZE + WORDS_AT, &late_word, 4);
    assert_int_equal(reopened(&ledger, memory, body), 10);
    assert_memory_equal(body, body_a, sizeof body);
    assert_int_equal(mup_ledger_replace(&ledger, 11, body_b), MUP_OK);
    assert_int_equal(reopened(&ledger, memory, body), 11);
    assert_memory_equal(body, body_b, sizeof body);
    flash_memory_free(memory);
}

/* F5: the void was cut and is not seen, then the page that it speaks of is written anew. When the
 * void shows up it says nothing about that page. */
static void a_void_that_shows_up_late_takes_no_new_page_back(void **state)
{
    static const uint32_t late_void = 0x0ffef001; /* one generation */
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_replace(&ledger, 7, body_a), MUP_OK);
    assert_int_equal(mup_ledger_replace(&ledger, 8, body_b), MUP_OK);
    memcpy(memory->flash.bytes + WORDS_AT + 8, &late_void, 4);
    for (int boot = 0; boot < 3; boot++) {
        assert_int_equal(reopened(&ledger, memory, body), 8);
        assert_memory_equal(body, body_b, sizeof body);
    }
    flash_memory_free(memory);
}

/* F5: the first word of a new page was cut and is weak; a start that saw it was cut as it wrote
 * behind it. The next start does not see it, perhaps not even what is behind, and says so for good:
 * both come to be seen later. */
static void a_page_that_was_seen_once_and_is_not_never_counts_again(void **state)
{
    static const uint32_t garbage = 0xfffffffb;
    static const uint32_t late_word = 0xfff70008; /* value 8 */

    (void)state;
    for (int turn = 0; turn < 4; turn++) {
        bool appends = turn % 2 != 0;
        bool sees_behind = turn / 2 != 0;
        struct flash_memory *memory = flash_memory_new();
        struct mup_ledger ledger;
        struct mup_ledger later;
        uint32_t body[4];
        uint8_t *words = memory->flash.bytes + TEST_PAGE_SIZE + WORDS_AT;

        start(&ledger, memory);
        assert_int_equal(mup_ledger_replace(&ledger, 7, body_a), MUP_OK);
        assert_int_equal(mup_ledger_replace(&ledger, 8, body_b), MUP_OK);
        memset(words, 0xff, 12);
        if (sees_behind)
            memcpy(words + 8, &garbage, 4);
        assert_int_equal(reopened(&ledger, memory, body), 7);
        assert_int_equal(appends ? mup_ledger_append(&ledger, 9, body)
                                 : mup_ledger_secure(&ledger, body),
                         MUP_OK);
        memcpy(words, &late_word, 4);
        memcpy(words + 8, &garbage, 4);
        assert_int_equal(reopened(&later, memory, body), appends ? 9 : 7);
        assert_memory_equal(body, body_a, sizeof body);
        assert_int_equal(mup_ledger_append(&ledger, 10, body), MUP_OK);
        assert_int_equal(memory->flash.operation_count, 1); /* all was done before */
        flash_memory_free(memory);
    }
}

/* F5: the first word of the very first page was cut and is weak. It is not seen, the ledger is
 * begun anew, and then the word is seen. */
static void a_first_page_that_was_passed_over_never_counts_later(void **state)
{
    static const uint32_t late_word = 0xfff80007;
    struct flash_memory *memory = flash_memory_new();
    struct mup_ledger ledger;
    uint32_t body[4];

    (void)state;
    start(&ledger, memory);
    assert_int_equal(mup_ledger_replace(&ledger, 7, body_a), MUP_OK);
    memset(memory->flash.bytes + WORDS_AT, 0xff, 8);
    start(&ledger, memory);
    assert_int_equal(mup_ledger_open(&ledger, body), MUP_ERR_FORMAT);
    mup_hostile_flash_power_on(&memory->flash);
    assert_int_equal(mup_ledger_replace(&ledger, 8, body_b), MUP_OK);
    assert_int_equal(memory->flash.violation_count, 0);
    memcpy(memory->flash.bytes + WORDS_AT, &late_word, 4);
    assert_int_equal(reopened(&ledger, memory, body), 8);
    assert_memory_equal(body, body_b, sizeof body);
    flash_memory_free(memory);
}

/* F1: the last word is weak. A start that saw it was cut in its first write, weakly as well; the
 * next start does not see either, and what it writes may not stand on the one that was cut. */
static void what_stands_on_a_cut_word_is_given_up(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 300; seed++) {
        struct flash_memory *memory = flash_memory_new();
        struct mup_ledger ledger;
        uint32_t body[4];

        start(&ledger, memory);
        memory->flash.random = seed;
        assert_int_equal(mup_ledger_replace(&ledger, 7, body_a), MUP_OK);
        memory->flash.cut_at = memory->flash.operation_count + 1;
        memory->flash.cut = MUP_HOSTILE_WEAK_BOOT;
        assert_int_equal(mup_ledger_append(&ledger, 8, body_a), MUP_ERR_FLASH);

        assert_int_equal(reopened(&ledger, memory, body), 8);
        memory->flash.cut_at = 1;
        memory->flash.cut = MUP_HOSTILE_WEAK_ANY;
        assert_int_equal(mup_ledger_append(&ledger, 9, body), MUP_ERR_FLASH);

        if (reopened(&ledger, memory, body) == 7) {
            assert_int_equal(mup_ledger_append(&ledger, 0x0f00, body), MUP_OK);
            for (int boot = 0; boot < 10; boot++)
                assert_int_equal(reopened(&ledger, memory, body), 0x0f00);
        }
        assert_int_equal(memory->flash.violation_count, 0);
        flash_memory_free(memory);
    }
}

/* F4, F5 where the page is nearly full: two cuts, of all kinds, around the move to the other. */
static void a_move_to_the_other_page_survives_two_cuts(void **state)
{
    (void)state;
    for (uint32_t kinds = 0; kinds < MUP_HOSTILE_CUT_COUNT * MUP_HOSTILE_CUT_COUNT; kinds++) {
        for (uint32_t at = 1; at <= 16; at++) {
            struct flash_memory *memory = flash_memory_new();
            struct mup_ledger ledger;
            uint32_t body[4];
            uint16_t value = 1;
            uint16_t lasting; /* what a cut cannot take back */

            start(&ledger, memory);
            assert_int_equal(mup_ledger_replace(&ledger, value, body_a), MUP_OK);
            while (ledger.used.next + 21u < WORDS)
                assert_int_equal(mup_ledger_append(&ledger, ++value, body_a), MUP_OK);
            lasting = value;

            for (uint32_t cut = 0; cut < 2; cut++) {
                uint32_t seen;
                uint32_t kind =
                    cut == 0 ? kinds / MUP_HOSTILE_CUT_COUNT : kinds % MUP_HOSTILE_CUT_COUNT;

                memory->flash.cut_at =
                    memory->flash.operation_count + (cut == 0 ? at : 1 + (at * 5 + kinds) % 16);
                memory->flash.cut = (enum mup_hostile_cut)kind;
                while (mup_ledger_append(&ledger, (uint16_t)(value + 1), body_a) == MUP_OK)
                    lasting = ++value;
                assert_true(memory->flash.dead);
                seen = reopened(&ledger, memory, body);
                assert_true(seen >= lasting && seen <= value + 1u);
                value = (uint16_t)seen;
            }
            assert_int_equal(mup_ledger_append(&ledger, 999, body), MUP_OK);
            for (int boot = 0; boot < 4; boot++)
                assert_int_equal(reopened(&ledger, memory, body), 999);
            assert_memory_equal(body, body_a, sizeof body);
            assert_int_equal(memory->flash.violation_count, 0);
            flash_memory_free(memory);
        }
    }
}

/* A call that fails without a loss of power: reported, and the next attempt works. */
static void each_failing_call_is_reported_and_can_be_repeated(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at++) {
        struct flash_memory *memory = flash_memory_new();
        struct mup_ledger ledger;
        uint32_t body[4];
        enum mup_status status;

        start(&ledger, memory);
        assert_int_equal(mup_ledger_replace(&ledger, 7, body_a), MUP_OK);
        mup_hostile_flash_power_on(&memory->flash);
        memory->flash.fail_at = at;
        start(&ledger, memory);
        status = mup_ledger_open(&ledger, body);
        if (status == MUP_OK)
            status = mup_ledger_append(&ledger, 8, body);
        if (status == MUP_OK)
            status = mup_ledger_replace(&ledger, 9, body_b);
        if (status == MUP_OK) {
            bool over = at > memory->flash.call_count;

            /* Or it was the second writing of a new page's word, which the next write makes good.
             */
            assert_true(over || !ledger.secured);
            memory->flash.fail_at = 0;
            assert_int_equal(mup_ledger_append(&ledger, 10, body_b), MUP_OK);
            assert_int_equal(reopened(&ledger, memory, body), 10);
            assert_memory_equal(body, body_b, sizeof body);
            flash_memory_free(memory);
            if (over)
                break;
            continue;
        }
        assert_int_equal(status, MUP_ERR_FLASH);
        if (ledger.used.generation == 0)
            assert_int_equal(mup_ledger_open(&ledger, body), MUP_OK);
        /* What failed perhaps stands in the other page; what is written now comes after it. */
        assert_int_equal(mup_ledger_append(&ledger, 10, body_a), MUP_OK);
        assert_int_equal(reopened(&ledger, memory, body), 10);
        assert_int_equal(mup_ledger_replace(&ledger, 11, body_b), MUP_OK);
        assert_int_equal(reopened(&ledger, memory, body), 11);
        flash_memory_free(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_erased_flash_has_no_ledger),
        cmocka_unit_test(body_and_last_value_come_back),
        cmocka_unit_test(a_word_is_value_and_complement),
        cmocka_unit_test(the_page_in_use_lasts_before_the_other_is_erased),
        cmocka_unit_test(a_torn_word_is_never_a_value),
        cmocka_unit_test(a_page_counts_only_with_its_crc_and_a_word),
        cmocka_unit_test(a_cut_leaves_the_old_or_the_new_and_never_goes_back),
        cmocka_unit_test(securing_twice_writes_once),
        cmocka_unit_test(after_a_reset_a_word_is_left_free_and_the_value_repeated),
        cmocka_unit_test(a_full_page_moves_to_the_other),
        cmocka_unit_test(resets_alone_never_use_the_ledger_up),
        cmocka_unit_test(a_page_that_was_passed_over_never_counts_later),
        cmocka_unit_test(a_void_that_shows_up_late_takes_no_new_page_back),
        cmocka_unit_test(a_first_page_that_was_passed_over_never_counts_later),
        cmocka_unit_test(a_page_that_was_seen_once_and_is_not_never_counts_again),
        cmocka_unit_test(what_stands_on_a_cut_word_is_given_up),
        cmocka_unit_test(a_move_to_the_other_page_survives_two_cuts),
        cmocka_unit_test(each_failing_call_is_reported_and_can_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
