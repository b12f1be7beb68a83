/* Frames that wait for the router's radio: in order for each receiver, in turns among them. */
#include <stdlib.h>

#include "support/cmocka_all.h"

#include "queue.h"

static struct mup_queue *queue;

static int begin(void **state)
{
    (void)state;
    queue = calloc(1, sizeof *queue);
    return queue == NULL ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    free(queue);
    return 0;
}

/* A frame that can be told from all others. */
static bool put(uint64_t key, uint8_t number, bool is_first)
{
    const uint8_t psdu[] = {0x61, 0xdc, number, (uint8_t)key};

    return mup_queue_put(queue, key, psdu, sizeof psdu, is_first);
}

static void put_datagram(uint64_t key, uint8_t number, unsigned frames)
{
    for (unsigned i = 0; i < frames; i++)
        assert_true(put(key, (uint8_t)(number + i), i == 0));
}

static void assert_next(uint64_t key, uint8_t number)
{
    uint8_t psdu[MUP_FRAME_SIZE_MAX];

    assert_int_equal(mup_queue_take(queue, psdu), 4);
    assert_int_equal(psdu[2], number);
    assert_int_equal(psdu[3], key);
}

static void assert_empty(void)
{
    uint8_t psdu[MUP_FRAME_SIZE_MAX];

    assert_int_equal(mup_queue_take(queue, psdu), 0);
    assert_int_equal(queue->count, 0);
}

static void frames_come_out_as_they_went_in(void **state)
{
    uint8_t longest[MUP_FRAME_SIZE_MAX];
    uint8_t taken[MUP_FRAME_SIZE_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = (uint8_t)(i + 3);
    assert_empty();
    assert_true(mup_queue_put(queue, 1, longest, sizeof longest, true));
    put_datagram(1, 0x40, 3);
    assert_int_equal(queue->count, 4);
    assert_int_equal(mup_queue_take(queue, taken), sizeof longest);
    assert_memory_equal(taken, longest, sizeof longest);
    for (uint8_t number = 0x40; number < 0x43; number++)
        assert_next(1, number);
    assert_empty();
}

static void a_turn_is_four_datagrams_or_what_there_is(void **state)
{
    (void)state;
    for (uint8_t number = 0x10; number < 0x1a; number += 2)
        put_datagram(1, number, 2);
    put_datagram(2, 0x20, 3);
    put_datagram(3, 0x30, 1);
    put_datagram(2, 0x28, 1);
    for (uint8_t number = 0x10; number < 0x18; number++)
        assert_next(1, number);
    for (uint8_t number = 0x20; number < 0x23; number++)
        assert_next(2, number);
    assert_next(2, 0x28);
    assert_next(3, 0x30);
    assert_next(1, 0x18);
    assert_next(1, 0x19);
    assert_empty();
}

static void a_lane_that_is_filled_again_and_again_does_not_keep_its_turn(void **state)
{
    (void)state;
    put_datagram(1, 0x10, 2);
    put_datagram(2, 0x20, 1);
    for (uint8_t number = 0x12; number <= 0x18; number += 2) {
        assert_next(1, (uint8_t)(number - 2));
        put_datagram(1, number, 2);
        assert_next(1, (uint8_t)(number - 1));
    }
    assert_next(2, 0x20);
    assert_next(1, 0x18);
}

static void a_lane_alone_has_turn_after_turn(void **state)
{
    (void)state;
    put_datagram(1, 0x10, 1);
    for (uint8_t number = 0x11; number < 0x40; number++) {
        put_datagram(1, number, 1);
        assert_next(1, (uint8_t)(number - 1));
    }
}

static void a_turn_ends_where_nothing_is_there(void **state)
{
    (void)state;
    put_datagram(1, 0x10, 1);
    put_datagram(2, 0x20, 1);
    assert_next(1, 0x10);
    assert_next(2, 0x20);
    put_datagram(1, 0x18, 1);
    put_datagram(2, 0x28, 1);
    assert_next(2, 0x28);
    assert_next(1, 0x18);
    assert_empty();
}

static void a_datagram_that_still_grows_is_not_interrupted_by_its_own_end(void **state)
{
    (void)state;
    assert_true(put(1, 0x10, true));
    assert_next(1, 0x10);
    assert_true(put(1, 0x11, false));
    assert_next(1, 0x11);
    assert_empty();
}

static void room_is_for_a_whole_datagram_or_none(void **state)
{
    (void)state;
    put_datagram(1, 0, MUP_QUEUE_LANE_FRAMES - MUP_QUEUE_DATAGRAM);
    assert_true(mup_queue_has_room(queue, 1));
    assert_true(put(1, 0xfe, false));
    assert_false(mup_queue_has_room(queue, 1));
    assert_true(mup_queue_has_room(queue, 2));
    assert_next(1, 0);
    assert_true(mup_queue_has_room(queue, 1));
}

static void a_datagram_waits_until_its_first_frame_is_taken(void **state)
{
    (void)state;
    assert_false(mup_queue_is_waiting(queue, 1));
    assert_false(mup_queue_has_any(queue, 1));
    put_datagram(1, 0x10, 2);
    assert_true(mup_queue_is_waiting(queue, 1));
    assert_true(mup_queue_has_any(queue, 1));
    assert_false(mup_queue_is_waiting(queue, 2));
    assert_false(mup_queue_has_any(queue, 2));
    assert_next(1, 0x10);
    assert_false(mup_queue_is_waiting(queue, 1));
    assert_true(mup_queue_has_any(queue, 1));
    put_datagram(1, 0x18, 1);
    put_datagram(1, 0x1a, 1);
    assert_next(1, 0x11);
    assert_true(mup_queue_is_waiting(queue, 1));
    assert_next(1, 0x18);
    assert_true(mup_queue_is_waiting(queue, 1));
    assert_next(1, 0x1a);
    assert_false(mup_queue_is_waiting(queue, 1));
    assert_empty();
}

static void the_rest_of_a_datagram_can_be_dropped_and_of_no_other(void **state)
{
    (void)state;
    mup_queue_drop_rest(queue);
    put_datagram(1, 0x10, 4);
    put_datagram(1, 0x18, 2);
    put_datagram(2, 0x20, 1);
    assert_next(1, 0x10);
    mup_queue_drop_rest(queue);
    mup_queue_drop_rest(queue);
    assert_int_equal(queue->count, 3);
    assert_next(1, 0x18);
    assert_next(1, 0x19);
    mup_queue_drop_rest(queue);
    assert_next(2, 0x20);
    mup_queue_drop_rest(queue);
    assert_empty();
}

static void a_full_lane_and_a_frame_too_long_are_refused(void **state)
{
    const uint8_t long_one[MUP_FRAME_SIZE_MAX + 1] = {0};

    (void)state;
    put_datagram(1, 0, MUP_QUEUE_LANE_FRAMES);
    assert_false(put(1, 0x77, true));
    assert_false(mup_queue_put(queue, 2, long_one, sizeof long_one, true));
    assert_int_equal(queue->count, MUP_QUEUE_LANE_FRAMES);
    for (uint8_t number = 0; number < MUP_QUEUE_LANE_FRAMES; number++)
        assert_next(1, number);
    assert_empty();
}

static void a_lane_that_is_empty_is_anybodys(void **state)
{
    (void)state;
    for (uint64_t key = 1; key <= MUP_QUEUE_LANES; key++)
        put_datagram(key, 0x55, 1);
    assert_false(put(100, 0x56, true));
    assert_false(mup_queue_has_room(queue, 100));
    assert_true(mup_queue_has_room(queue, MUP_QUEUE_LANES));
    assert_next(1, 0x55);
    assert_true(mup_queue_has_room(queue, 100));
    assert_next(2, 0x55);
    assert_true(put(100, 0x56, true));
    for (uint64_t key = 3; key <= MUP_QUEUE_LANES; key++)
        assert_next(key, 0x55);
    assert_next(100, 0x56);
    assert_empty();
}

/* The rings wrap, and keys stay apart whose low bytes are equal. */
static void order_holds_over_many_rounds(void **state)
{
    const uint64_t other = 0x0100000000000001;

    (void)state;
    for (unsigned round = 0; round < 5 * MUP_QUEUE_LANE_FRAMES; round++) {
        uint8_t psdu[MUP_FRAME_SIZE_MAX];
        unsigned seen[2] = {0};

        put_datagram(1, (uint8_t)round, 2);
        put_datagram(other, (uint8_t)(round + 100), 2);
        while (mup_queue_take(queue, psdu) > 0) {
            unsigned of = (uint8_t)(psdu[2] - round) >= 100;

            assert_int_equal(psdu[2], (uint8_t)(round + 100 * of + seen[of]++));
        }
        assert_int_equal(seen[0] + seen[1], 4);
        assert_empty();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frames_come_out_as_they_went_in, begin, end),
        cmocka_unit_test_setup_teardown(a_turn_is_four_datagrams_or_what_there_is, begin, end),
        cmocka_unit_test_setup_teardown(
            a_lane_that_is_filled_again_and_again_does_not_keep_its_turn, begin, end),
        cmocka_unit_test_setup_teardown(a_lane_alone_has_turn_after_turn, begin, end),
        cmocka_unit_test_setup_teardown(a_turn_ends_where_nothing_is_there, begin, end),
        cmocka_unit_test_setup_teardown(
            a_datagram_that_still_grows_is_not_interrupted_by_its_own_end, begin, end),
        cmocka_unit_test_setup_teardown(room_is_for_a_whole_datagram_or_none, begin, end),
        cmocka_unit_test_setup_teardown(a_datagram_waits_until_its_first_frame_is_taken, begin,
                                        end),
        cmocka_unit_test_setup_teardown(the_rest_of_a_datagram_can_be_dropped_and_of_no_other,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_full_lane_and_a_frame_too_long_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_lane_that_is_empty_is_anybodys, begin, end),
        cmocka_unit_test_setup_teardown(order_holds_over_many_rounds, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
