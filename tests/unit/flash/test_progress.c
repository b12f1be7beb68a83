/* The progress record: the newest that checks counts, whatever a cut left behind it. */
#include "support/cmocka_all.h"

#include "mup/progress.h"
#include "support/flash_memory.h"

/* Offset of the words in a page: behind magic, generation, record and CRC. */
#define PAGE_WORDS_AT 84u

static struct mup_progress made(uint32_t n)
{
    struct mup_progress progress = {.payload_offset = n * 1056, .output_offset = n * 1024};

    memset(progress.manifest_digest, 0x77, sizeof progress.manifest_digest);
    memset(progress.next_hash, (int)n, sizeof progress.next_hash);
    return progress;
}

/* As after a reset. The record's number, 0 when there is nothing to resume. */
static uint32_t found_after_reset(struct mup_progress_log *log, struct flash_memory *memory)
{
    struct mup_progress progress;
    struct mup_progress expected;
    uint32_t n;
    bool found;

    mup_hostile_flash_power_on(&memory->flash);
    assert_int_equal(mup_progress_open(log, &progress, &found, &memory->map), MUP_OK);
    if (!found)
        return 0;
    n = progress.output_offset / 1024;
    expected = made(n);
    assert_memory_equal(&progress, &expected, sizeof progress);
    return n;
}

static void a_new_device_has_nothing_to_resume(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_progress_log log;

    (void)state;
    assert_int_equal(found_after_reset(&log, memory), 0);
    assert_int_equal(memory->flash.operation_count, 0);
    assert_int_equal(mup_progress_clear(&log), MUP_OK);
    assert_int_equal(found_after_reset(&log, memory), 0);
    flash_memory_free(memory);
}

static void what_is_clear_is_not_cleared_again(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_progress_log log;
    uint32_t before;

    (void)state;
    found_after_reset(&log, memory);
    for (int reset = 0; reset < 3; reset++) {
        assert_int_equal(mup_progress_clear(&log), MUP_OK);
        before = memory->flash.operation_count;
        assert_int_equal(mup_progress_clear(&log), MUP_OK);
        assert_int_equal(memory->flash.operation_count, before);
        /* After a reset it may be a weak word that says so. */
        assert_int_equal(found_after_reset(&log, memory), 0);
        before = memory->flash.operation_count;
        assert_int_equal(mup_progress_clear(&log), MUP_OK);
        assert_true(memory->flash.operation_count > before);
    }
    flash_memory_free(memory);
}

static void a_record_is_cleared_right_after_it_was_made(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_progress_log log;
    struct mup_progress progress = made(1);

    (void)state;
    found_after_reset(&log, memory);
    assert_int_equal(mup_progress_append(&log, &progress), MUP_OK);
    assert_int_equal(mup_progress_clear(&log), MUP_OK);
    assert_int_equal(found_after_reset(&log, memory), 0);
    flash_memory_free(memory);
}

static void the_newest_record_is_found_through_many_pages(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_progress_log log;

    (void)state;
    found_after_reset(&log, memory);
    for (uint32_t n = 1; n <= 100; n++) {
        struct mup_progress progress = made(n);

        assert_int_equal(mup_progress_append(&log, &progress), MUP_OK);
        if (n % 7 == 0)
            assert_int_equal(found_after_reset(&log, memory), n);
    }
    assert_int_equal(found_after_reset(&log, memory), 100);
    assert_int_equal(mup_progress_clear(&log), MUP_OK);
    assert_int_equal(found_after_reset(&log, memory), 0);
    assert_int_equal(memory->flash.violation_count, 0);
    flash_memory_free(memory);
}

static void records_stand_only_at_pages(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_progress_log log;
    struct mup_progress progress = made(1);

    (void)state;
    found_after_reset(&log, memory);
    for (uint32_t offset = 1025; offset < 2048; offset++) {
        progress.output_offset = offset;
        assert_int_equal(mup_progress_append(&log, &progress), MUP_ERR_RANGE);
    }
    assert_int_equal(memory->flash.operation_count, 0);
    flash_memory_free(memory);
}

/* Every bit of the second page up to its CRC. */
static void a_damaged_record_gives_way_to_the_one_before(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_progress_log log;
    struct mup_progress one = made(1);
    struct mup_progress two = made(2);
    uint32_t second_at = memory->map.state_at + (MUP_STATE_PAGE_PROGRESS + 1) * 1024;

    (void)state;
    found_after_reset(&log, memory);
    assert_int_equal(mup_progress_append(&log, &one), MUP_OK);
    assert_int_equal(mup_progress_append(&log, &two), MUP_OK);
    for (uint32_t bit = 0; bit < PAGE_WORDS_AT * 8; bit++) {
        memory->flash.bytes[second_at + bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(found_after_reset(&log, memory), 1);
        memory->flash.bytes[second_at + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(found_after_reset(&log, memory), 2);
    flash_memory_free(memory);
}

/* F1 and honesty: cut at each operation of thirty records and a clearing, in each way. */
static void a_cut_costs_at_most_one_record(void **state)
{
    (void)state;
    for (int cut = 0; cut < MUP_HOSTILE_CUT_COUNT; cut++) {
        for (uint32_t at = 1;; at += 3) {
            struct flash_memory *memory = flash_memory_new();
            struct mup_progress_log log;
            uint32_t done = 0;
            uint32_t seen;
            bool over = false;

            found_after_reset(&log, memory);
            memory->flash.cut_at = at;
            memory->flash.cut = (enum mup_hostile_cut)cut;
            while (done < 30 && !memory->flash.dead) {
                struct mup_progress progress = made(done + 1);

                done += mup_progress_append(&log, &progress) == MUP_OK ? 1 : 0;
            }
            over = !memory->flash.dead;
            seen = found_after_reset(&log, memory);
            assert_true(seen == done || seen == done + 1);
            for (uint32_t again = 0; again < at % 4; again++) {
                uint32_t now = found_after_reset(&log, memory);

                assert_true(now == done || now == done + 1);
            }
            for (uint32_t n = 40; n < 60; n++) {
                struct mup_progress progress = made(n);

                assert_int_equal(mup_progress_append(&log, &progress), MUP_OK);
            }
            assert_int_equal(found_after_reset(&log, memory), 59);
            assert_int_equal(mup_progress_clear(&log), MUP_OK);
            assert_int_equal(found_after_reset(&log, memory), 0);
            assert_int_equal(memory->flash.violation_count, 0);
            flash_memory_free(memory);
            if (over)
                break;
        }
    }
}

/* F7: the newest record's word is not seen; the download goes on from the one before, or is given
 * up, and then the word shows up. */
static void a_record_that_shows_up_late_is_not_the_newest(void **state)
{
    (void)state;
    for (uint32_t before = 1; before < 8; before++) {
        for (int clears = 0; clears < 2; clears++) {
            struct flash_memory *memory = flash_memory_new();
            struct mup_progress_log log;
            struct mup_progress progress = made(before - 1);
            uint32_t page_at =
                memory->map.state_at + (MUP_STATE_PAGE_PROGRESS + (before - 1) % 2) * 1024;
            uint8_t *words = memory->flash.bytes + page_at + PAGE_WORDS_AT;
            uint8_t first[4];

            found_after_reset(&log, memory);
            for (uint32_t n = 1; n <= before; n++) {
                struct mup_progress next = made(n);

                assert_int_equal(mup_progress_append(&log, &next), MUP_OK);
            }
            memcpy(first, words, sizeof first);
            memset(words, 0xff, 2 * sizeof first);
            assert_int_equal(found_after_reset(&log, memory), before - 1);
            if (clears != 0 || before == 1) {
                assert_int_equal(mup_progress_clear(&log), MUP_OK); /* erases that page */
            } else {
                assert_int_equal(mup_progress_settle(&log, &progress), MUP_OK);
                memcpy(words, first, sizeof first);
            }
            for (int reset = 0; reset < 3; reset++)
                assert_int_equal(found_after_reset(&log, memory), clears != 0 ? 0 : before - 1);
            flash_memory_free(memory);
        }
    }
}

static void settling_writes_once_after_each_reset(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_progress_log log;
    struct mup_progress progress = made(1);

    (void)state;
    found_after_reset(&log, memory);
    assert_int_equal(mup_progress_append(&log, &progress), MUP_OK);
    for (int reset = 0; reset < 100; reset++) { /* beyond the words of a page */
        uint32_t before;

        assert_int_equal(found_after_reset(&log, memory), 1);
        before = memory->flash.operation_count;
        assert_int_equal(mup_progress_settle(&log, &progress), MUP_OK);
        assert_true(memory->flash.operation_count > before);
        before = memory->flash.operation_count;
        assert_int_equal(mup_progress_settle(&log, &progress), MUP_OK);
        assert_int_equal(memory->flash.operation_count, before);
    }
    assert_int_equal(memory->flash.violation_count, 0);
    flash_memory_free(memory);
}

static void each_failing_call_is_reported_and_older_records_stand(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at++) {
        struct flash_memory *memory = flash_memory_new();
        struct mup_progress_log log;
        struct mup_progress progress = made(1);
        struct mup_progress next = made(2);
        enum mup_status status;
        bool found;

        found_after_reset(&log, memory);
        assert_int_equal(mup_progress_append(&log, &progress), MUP_OK);
        mup_hostile_flash_power_on(&memory->flash);
        memory->flash.fail_at = at;
        status = mup_progress_open(&log, &progress, &found, &memory->map);
        if (status == MUP_OK)
            status = mup_progress_append(&log, &next);
        if (status == MUP_OK) {
            assert_int_equal(found_after_reset(&log, memory), 2);
            flash_memory_free(memory);
            break;
        }
        assert_int_equal(status, MUP_ERR_FLASH);
        assert_true(found_after_reset(&log, memory) >= 1);
        flash_memory_free(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_device_has_nothing_to_resume),
        cmocka_unit_test(what_is_clear_is_not_cleared_again),
        cmocka_unit_test(a_record_is_cleared_right_after_it_was_made),
        cmocka_unit_test(the_newest_record_is_found_through_many_pages),
        cmocka_unit_test(records_stand_only_at_pages),
        cmocka_unit_test(a_damaged_record_gives_way_to_the_one_before),
        cmocka_unit_test(a_cut_costs_at_most_one_record),
        cmocka_unit_test(a_record_that_shows_up_late_is_not_the_newest),
        cmocka_unit_test(settling_writes_once_after_each_reset),
        cmocka_unit_test(each_failing_call_is_reported_and_older_records_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
