/* Descriptions in pieces (docs/SPEC.md section 9): every loss, repetition and lie. */
#include <stdio.h>

#include "support/cmocka_all.h"

#include "bridge/devices/gather.h"
#include "bridge/description/capability.h"

static const uint8_t text[] = "the quick brown fox jumps over";
#define TEXT_SIZE (sizeof text - 1)

static struct mup_gathers gathers;
static uint8_t digest[MUP_DIGEST_SIZE];

static int reset(void **state)
{
    (void)state;
    mup_gathers_free(&gathers);
    return mup_description_digest(digest, text, TEXT_SIZE) == MUP_OK ? 0 : -1;
}

static struct mup_piece piece(uint32_t number, size_t from, size_t size, bool last)
{
    struct mup_piece made = {.number = number, .last = last, .data = {text + from, size}};

    memcpy(made.digest_prefix, digest, MUP_DIGEST_PREFIX_SIZE);
    return made;
}

static enum mup_status add(struct mup_gather **out, struct mup_piece made)
{
    return mup_gather_add(&gathers, out, "lamp", &made, 1000);
}

static void begin(size_t size)
{
    assert_int_equal(mup_gather_begin(&gathers, "lamp", digest, size, 1000), MUP_OK);
}

static void pieces_of_every_size_join_to_the_whole(void **state)
{
    (void)state;
    for (size_t size = 1; size <= TEXT_SIZE; size++) {
        struct mup_gather *whole = NULL;
        enum mup_status status = MUP_ERR_SHORT;
        uint32_t number = 0;

        begin(TEXT_SIZE);
        for (size_t at = 0; at < TEXT_SIZE; at += size) {
            size_t left = TEXT_SIZE - at;
            assert_int_equal(status, MUP_ERR_SHORT);
            assert_null(whole);
            status = add(&whole, piece(number++, at, left < size ? left : size, left <= size));
        }
        assert_int_equal(status, MUP_OK);
        assert_memory_equal(whole->bytes, text, TEXT_SIZE);
        assert_string_equal(whole->name, "lamp");
        mup_gather_end(whole);
    }
}

static void a_repeated_piece_is_ignored(void **state)
{
    struct mup_gather *whole = NULL;

    (void)state;
    begin(TEXT_SIZE);
    assert_int_equal(add(&whole, piece(0, 0, 10, false)), MUP_ERR_SHORT);
    assert_int_equal(add(&whole, piece(0, 0, 10, false)), MUP_ERR_SHORT);
    assert_int_equal(add(&whole, piece(1, 10, TEXT_SIZE - 10, true)), MUP_OK);
    mup_gather_end(whole);
}

static void a_skipped_piece_drops_everything(void **state)
{
    struct mup_gather *whole = NULL;

    (void)state;
    begin(TEXT_SIZE);
    assert_int_equal(add(&whole, piece(0, 0, 10, false)), MUP_ERR_SHORT);
    assert_int_equal(add(&whole, piece(2, 10, TEXT_SIZE - 10, true)), MUP_ERR_STATE);
    assert_int_equal(add(&whole, piece(1, 10, TEXT_SIZE - 10, true)), MUP_ERR_STATE);
    assert_null(whole);
}

static void more_than_was_announced_is_dropped(void **state)
{
    struct mup_gather *whole = NULL;

    (void)state;
    begin(20);
    assert_int_equal(add(&whole, piece(0, 0, 15, false)), MUP_ERR_SHORT);
    assert_int_equal(add(&whole, piece(1, 15, 6, true)), MUP_ERR_RANGE);
    assert_int_equal(add(&whole, piece(1, 15, 5, true)), MUP_ERR_STATE);
}

static void less_than_was_announced_is_dropped(void **state)
{
    struct mup_gather *whole = NULL;

    (void)state;
    begin(TEXT_SIZE);
    assert_int_equal(add(&whole, piece(0, 0, TEXT_SIZE - 1, true)), MUP_ERR_DIGEST);
    assert_null(whole);
}

static void other_bytes_of_the_same_length_are_dropped(void **state)
{
    struct mup_gather *whole = NULL;
    uint8_t lie[TEXT_SIZE];
    struct mup_piece made = piece(0, 0, TEXT_SIZE, true);

    (void)state;
    memcpy(lie, text, TEXT_SIZE);
    lie[3] ^= 1;
    made.data.data = lie;
    begin(TEXT_SIZE);
    assert_int_equal(add(&whole, made), MUP_ERR_DIGEST);
    assert_null(whole);
}

static void pieces_that_nobody_asked_for_are_refused(void **state)
{
    struct mup_gather *whole = NULL;
    struct mup_piece other = piece(0, 0, TEXT_SIZE, true);

    (void)state;
    assert_int_equal(add(&whole, piece(0, 0, TEXT_SIZE, true)), MUP_ERR_STATE);
    begin(TEXT_SIZE);
    other.digest_prefix[0] ^= 1;
    assert_int_equal(add(&whole, other), MUP_ERR_STATE);
    other = piece(0, 0, TEXT_SIZE, true);
    assert_int_equal(mup_gather_add(&gathers, &whole, "fan", &other, 1000), MUP_ERR_STATE);
    assert_null(whole);
}

static void what_stalls_for_a_minute_is_dropped(void **state)
{
    struct mup_gather *whole = NULL;

    (void)state;
    begin(TEXT_SIZE);
    assert_int_equal(add(&whole, piece(0, 0, 10, false)), MUP_ERR_SHORT);
    mup_gathers_expire(&gathers, 1000 + MUP_GATHER_TIMEOUT_MS - 1);
    assert_int_equal(add(&whole, piece(1, 10, 1, false)), MUP_ERR_SHORT);
    mup_gathers_expire(&gathers, 1000 + MUP_GATHER_TIMEOUT_MS);
    assert_int_equal(add(&whole, piece(2, 11, 1, false)), MUP_ERR_STATE);
}

static void the_number_of_descriptions_on_their_way_is_bounded(void **state)
{
    char name[16];

    (void)state;
    for (unsigned i = 0; i < MUP_GATHERS_MAX; i++) {
        snprintf(name, sizeof name, "d%u", i);
        assert_int_equal(mup_gather_begin(&gathers, name, digest, 9, 0), MUP_OK);
    }
    assert_int_equal(mup_gather_begin(&gathers, "more", digest, 9, 0), MUP_ERR_BUSY);
    assert_int_equal(mup_gather_begin(&gathers, "d7", digest, 9, 0), MUP_OK);
    assert_int_equal(mup_gather_begin(&gathers, "d7", digest, 0, 0), MUP_ERR_RANGE);
    assert_int_equal(mup_gather_begin(&gathers, "d7", digest, MUP_DESCRIPTION_MAX + 1u, 0),
                     MUP_ERR_RANGE);
}

static bool may_wait(const void *arg, const struct mup_gather *gather)
{
    return strcmp(gather->name, arg) != 0;
}

/* All who could read it are busy: neither time, nor an announcement, nor a piece takes it away. */
static void the_whole_waits_until_it_is_ended(void **state)
{
    struct mup_gather *whole = NULL;
    struct mup_gather *again = NULL;

    (void)state;
    begin(TEXT_SIZE);
    assert_int_equal(add(&whole, piece(0, 0, TEXT_SIZE, true)), MUP_OK);
    mup_gathers_expire(&gathers, 1000 + 10 * MUP_GATHER_TIMEOUT_MS);
    begin(TEXT_SIZE);
    assert_int_equal(add(&again, piece(0, 0, TEXT_SIZE, true)), MUP_ERR_SHORT);
    assert_int_equal(add(&again, piece(1, 0, 1, true)), MUP_ERR_SHORT);
    assert_int_equal(add(&again, piece(7, 0, 1, false)), MUP_ERR_SHORT);
    assert_null(again);
    assert_ptr_equal(mup_gathers_waiting(&gathers, may_wait, ""), whole);
    assert_memory_equal(whole->bytes, text, TEXT_SIZE);
    digest[31] ^= 1; /* the device announces another description: the old one is of no use */
    begin(TEXT_SIZE);
    assert_null(mup_gathers_waiting(&gathers, may_wait, ""));
}

static void the_one_that_waits_longest_is_next(void **state)
{
    static const char *const names[] = {"first", "second", "third"};
    static const uint64_t times_ms[] = {3000, 2000, 4000};
    struct mup_gather *whole = NULL;
    struct mup_piece made = piece(0, 0, TEXT_SIZE, true);

    (void)state;
    assert_null(mup_gathers_waiting(&gathers, may_wait, ""));
    begin(TEXT_SIZE); /* not whole: does not wait */
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(mup_gather_begin(&gathers, names[i], digest, TEXT_SIZE, 1000), MUP_OK);
        assert_int_equal(mup_gather_add(&gathers, &whole, names[i], &made, times_ms[i]), MUP_OK);
    }
    assert_string_equal(mup_gathers_waiting(&gathers, may_wait, "")->name, "second");
    assert_string_equal(mup_gathers_waiting(&gathers, may_wait, "second")->name, "first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pieces_of_every_size_join_to_the_whole, reset, reset),
        cmocka_unit_test_setup_teardown(a_repeated_piece_is_ignored, reset, reset),
        cmocka_unit_test_setup_teardown(a_skipped_piece_drops_everything, reset, reset),
        cmocka_unit_test_setup_teardown(more_than_was_announced_is_dropped, reset, reset),
        cmocka_unit_test_setup_teardown(less_than_was_announced_is_dropped, reset, reset),
        cmocka_unit_test_setup_teardown(other_bytes_of_the_same_length_are_dropped, reset, reset),
        cmocka_unit_test_setup_teardown(pieces_that_nobody_asked_for_are_refused, reset, reset),
        cmocka_unit_test_setup_teardown(what_stalls_for_a_minute_is_dropped, reset, reset),
        cmocka_unit_test_setup_teardown(the_number_of_descriptions_on_their_way_is_bounded, reset,
                                        reset),
        cmocka_unit_test_setup_teardown(the_whole_waits_until_it_is_ended, reset, reset),
        cmocka_unit_test_setup_teardown(the_one_that_waits_longest_is_next, reset, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
