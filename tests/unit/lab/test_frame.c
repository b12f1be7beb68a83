/* 802.15.4 frames over a byte stream: check sequence, every split, every length that cannot be. */
#include "support/cmocka_all.h"

#include "frame.h"

/* IEEE 802.15.4-2020 section 7.2.11: the standard's own example, an acknowledgement with sequence
 * number 0x6a, whose check sequence has the bits 0010 0111 1001 1110, first bit first. */
static const uint8_t acknowledgement[] = {0x02, 0x00, 0x6a, 0xe4, 0x79};

static void the_check_sequence_is_the_standards(void **state)
{
    (void)state;
    assert_int_equal(mup_frame_check(acknowledgement, 3), 0x79e4);
    assert_true(mup_frame_is_good(acknowledgement, sizeof acknowledgement));
}

static void every_changed_bit_is_noticed(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof acknowledgement; bit++) {
        uint8_t changed[sizeof acknowledgement];
        memcpy(changed, acknowledgement, sizeof changed);
        changed[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_false(mup_frame_is_good(changed, sizeof changed));
    }
    assert_false(mup_frame_is_good(acknowledgement, 2));
}

/* Feed a stream in parts of `part` bytes; returns how many whole frames came, each compared. */
static size_t feed(const uint8_t *stream, size_t size, size_t part)
{
    struct mup_frame_reader reader = {.wanted = 0};
    size_t frames = 0;

    for (size_t start = 0; start < size; start += part) {
        size_t end = start + part < size ? start + part : size;
        for (size_t at = start; at < end;) {
            bool complete = false;
            at += mup_frame_take(&reader, stream + at, end - at, &complete);
            if (!complete)
                continue;
            frames++;
            assert_int_equal(reader.size, sizeof acknowledgement);
            assert_memory_equal(reader.bytes, acknowledgement, sizeof acknowledgement);
        }
    }
    return frames;
}

static void frames_come_out_whole_however_the_stream_is_cut(void **state)
{
    uint8_t stream[18];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        stream[6 * i] = 5;
        memcpy(stream + 6 * i + 1, acknowledgement, sizeof acknowledgement);
    }
    for (size_t part = 1; part <= sizeof stream; part++)
        assert_int_equal(feed(stream, sizeof stream, part), 3);
}

static void lengths_that_cannot_be_are_skipped(void **state)
{
    static const uint8_t stream[] = {0, 1, 2, 128, 255, 5, 0x02, 0x00, 0x6a, 0xe4, 0x79};

    (void)state;
    for (size_t part = 1; part <= sizeof stream; part++)
        assert_int_equal(feed(stream, sizeof stream, part), 1);
}

static void the_longest_frame_fits(void **state)
{
    struct mup_frame_reader reader = {.wanted = 0};
    uint8_t stream[128];
    bool complete = false;

    (void)state;
    memset(stream, 0x5a, sizeof stream);
    stream[0] = 127;
    assert_int_equal(mup_frame_take(&reader, stream, sizeof stream, &complete), sizeof stream);
    assert_true(complete);
    assert_int_equal(reader.size, 127);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_sequence_is_the_standards),
        cmocka_unit_test(every_changed_bit_is_noticed),
        cmocka_unit_test(frames_come_out_whole_however_the_stream_is_cut),
        cmocka_unit_test(lengths_that_cannot_be_are_skipped),
        cmocka_unit_test(the_longest_frame_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
