/* How a node sends: backoffs, busy channels, retries, and its queue. */
#include "rig.h"

#define SEEDS 400u

/* The channel is busy for a second: a broadcast that wakes a sleeper. */
static struct rig *rig_busy(uint64_t seed)
{
    struct rig *rig = rig_clean(seed, 4);
    uint8_t psdu[20];

    mup_medium_set_sleep(&rig->medium, 0, 3, &(struct mup_medium_sleep){.period_us = 1000000});
    rig_broadcast(psdu, sizeof psdu, 0, 1);
    assert_true(mup_medium_send(&rig->medium, 0, 0, psdu, sizeof psdu));
    mup_medium_run(&rig->medium, 3000);
    assert_int_equal(rig_count(rig, ON_AIR), 1);
    return rig;
}

static void a_frame_is_dropped_after_five_busy_assessments(void **state)
{
    uint64_t sum_us = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rig *rig = rig_busy(seed);
        uint64_t took_us;

        rig_send(rig, 3000, 1, 2, 50, 1);
        mup_medium_run(&rig->medium, 100000);
        assert_int_equal(rig->count, 2);
        assert_int_equal(rig->event[1].what, DONE);
        assert_int_equal(rig->event[1].node, 1);
        assert_int_equal(rig->event[1].kind, MUP_MEDIUM_NO_CHANNEL);
        took_us = rig->event[1].at_us - 3000;
        /* five assessments of 128 us, backoffs of up to 7, 15, 31, 31 and 31 times 320 us */
        assert_in_range(took_us, 640, 640 + 115 * 320);
        assert_int_equal((took_us - 640) % 320, 0);
        sum_us += took_us;
        assert_int_equal(rig_counters(rig, 1).dropped_channel, 1);
        assert_int_equal(rig_counters(rig, 1).data.frames, 0);
        test_free(rig);
    }
    /* 640 + (3.5 + 7.5 + 3 * 15.5) * 320 = 19,040, give or take three standard deviations */
    assert_in_range(sum_us / SEEDS, 18200, 19900);
}

static void after_a_busy_channel_the_next_frame_has_its_own_five_assessments(void **state)
{
    struct rig *rig = rig_busy(4);

    (void)state;
    rig_send(rig, 3000, 1, 2, 50, 1);
    rig_send(rig, 3000, 1, 2, 50, 2);
    mup_medium_run(&rig->medium, 500000);
    assert_int_equal(rig->count, 3);
    assert_int_equal(rig->event[2].kind, MUP_MEDIUM_NO_CHANNEL);
    assert_in_range(rig->event[2].at_us - rig->event[1].at_us, 640, 640 + 115 * 320);
    rig_send(rig, 500000, 1, 2, 50, 3);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 1).dropped_channel, 3);
    rig_send(rig, 0, 1, 2, 50, 4);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 1).dropped_channel, 3);
    assert_int_equal(rig_counters(rig, 2).acks.frames, 1);
    test_free(rig);
}

static void a_frame_that_is_offered_again_has_five_more_assessments_each_time(void **state)
{
    uint64_t sum_us = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct rig *rig = rig_busy(seed);
        uint64_t took_us;

        mup_medium_set(&rig->medium, &(struct mup_medium_config){.seed = seed, .offers_max = 3});
        for (uint8_t dsn = 1; dsn <= 2; dsn++) {
            uint64_t began_us = dsn == 1 ? 3000 : 403000;

            rig_send(rig, began_us, 1, 2, 50, dsn);
            mup_medium_run(&rig->medium, began_us + 400000);
            assert_int_equal(rig->event[rig->count - 1].kind, MUP_MEDIUM_NO_CHANNEL);
            took_us = rig->event[rig->count - 1].at_us - began_us;
            assert_in_range(took_us, 4 * 640, 4 * (640 + 115 * 320));
            assert_int_equal((took_us - 4 * 640) % 320, 0);
            sum_us += took_us;
            assert_int_equal(rig_counters(rig, 1).dropped_channel, dsn);
        }
        test_free(rig);
    }
    /* four times 19,040, as above, give or take three standard deviations */
    assert_in_range(sum_us / 100, 73000, 79400);
}

static void a_frame_that_is_offered_again_goes_when_the_channel_is_free(void **state)
{
    struct rig *rig = rig_busy(4);

    (void)state;
    mup_medium_set(&rig->medium, &(struct mup_medium_config){.seed = 4, .offers_max = 1000});
    rig_send(rig, 3000, 1, 2, 50, 1);
    rig_send(rig, 3000, 1, 2, 50, 2);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 1).dropped_channel, 0);
    assert_int_equal(rig_counters(rig, 1).data.frames, 2);
    assert_int_equal(rig_counters(rig, 1).retries.frames, 0);
    assert_int_equal(rig_counters(rig, 2).acks.frames, 2);
    test_free(rig);
}

static void after_a_busy_channel_backoffs_are_short_again(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct rig *rig = rig_busy(seed);

        rig_send(rig, 3000, 1, 2, 50, 1);
        rig_finish(rig);
        rig_send(rig, 2000000, 1, 2, 50, 2);
        mup_medium_run(&rig->medium, 3000000);
        for (size_t i = 0; i < rig->count; i++)
            if (rig->event[i].what == ON_AIR && rig->event[i].node == 1)
                assert_in_range(rig->event[i].at_us, 2000320, 2002560);
        assert_int_equal(rig_counters(rig, 1).data.frames, 1);
        test_free(rig);
    }
}

static void a_frame_to_nobody_is_sent_four_times_and_given_up(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct rig *rig = rig_clean(seed, 2);
        struct mup_medium_counters counters;

        rig_send(rig, 0, 1, 9, 127, 77);
        rig_finish(rig);
        assert_int_equal(rig->count, 5);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(rig->event[i].what, ON_AIR);
            assert_int_equal(rig->event[i].kind, i == 0 ? MUP_MEDIUM_DATA : MUP_MEDIUM_RETRY);
            assert_memory_equal(rig->event[i].psdu, rig->event[0].psdu, 127);
            if (i > 0) { /* 4256 on the air, 864 of waiting, then a backoff as for the first */
                uint64_t gap_us = rig->event[i].at_us - rig->event[i - 1].at_us - 4256 - 864 - 320;
                assert_int_equal(gap_us % 320, 0);
                assert_in_range(gap_us, 0, 7 * 320);
            }
        }
        rig_expect(rig, 4, DONE, 1, rig->event[3].at_us + 4256 + 864, MUP_MEDIUM_NO_ACK);
        counters = rig_counters(rig, 1);
        assert_int_equal(counters.data.frames, 1);
        assert_int_equal(counters.data.bytes, 127);
        assert_int_equal(counters.retries.frames, 3);
        assert_int_equal(counters.retries.bytes, 381);
        assert_int_equal(counters.dropped_no_ack, 1);
        assert_int_equal(counters.tx_us, 4 * 4256);
        test_free(rig);
    }
}

static void a_frame_that_wants_no_acknowledgement_gets_none_and_is_sent_once(void **state)
{
    struct rig *rig = rig_clean(1, 2);
    uint8_t psdu[50];

    (void)state;
    for (unsigned to = 0; to < 10; to += 9) {
        rig->count = 0;
        rig_data(psdu, sizeof psdu, to, 1, (uint8_t)to);
        psdu[0] &= 0xdf;
        rig_seal(psdu, sizeof psdu);
        assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu));
        rig_finish(rig);
        assert_int_equal(rig_count(rig, ON_AIR), 1);
        assert_int_equal(rig_count(rig, DELIVERED), to == 0);
        assert_int_equal(rig->event[rig->count - 1].kind, MUP_MEDIUM_SENT);
        assert_int_equal(rig->event[rig->count - 1].at_us, rig->event[0].at_us + 1792);
    }
    test_free(rig);
}

static void spacing_follows_an_unacknowledged_frame_too(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct rig *rig = rig_clean(seed, 2);
        uint8_t psdu[50];
        uint64_t gap_us;

        for (uint8_t dsn = 0; dsn < 2; dsn++) {
            rig_broadcast(psdu, sizeof psdu, 1, dsn);
            assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu));
        }
        rig_finish(rig);
        gap_us = rig->event[3].at_us - rig->event[0].at_us - 1792;
        assert_int_equal((gap_us - 640 - 320) % 320, 0);
        assert_in_range(gap_us, 960, 960 + 7 * 320);
        test_free(rig);
    }
}

static void a_thousand_frames_take_a_thousand_mean_cycles(void **state)
{
    struct rig *rig = rig_clean(6, 2);
    uint64_t took_us;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        rig_send(rig, 0, 1, 0, 127, (uint8_t)i);
        if (i % 50 == 49)
            rig_finish(rig);
    }
    took_us = rig->event[rig->count - 1].at_us;
    assert_in_range(took_us, 1000 * 6880 * 99 / 100, 1000 * 6880 * 101 / 100);
    assert_int_equal(rig_counters(rig, 0).delivered.frames, 1000);
    test_free(rig);
}

static void no_traffic_of_two_nodes_is_faster_than_the_limit(void **state)
{
    uint8_t sizes[600];

    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct rig *rig = rig_clean(seed, 2);
        size_t back = (size_t)(seed * 20);
        uint64_t end_us = 0;

        memset(sizes, 100, sizeof sizes);
        for (unsigned i = 0; i < 300; i++) {
            uint64_t now_us = end_us;
            rig_send(rig, now_us, 0, 1, 100, (uint8_t)i);
            if (i < back)
                rig_send(rig, now_us, 1, 0, 100, (uint8_t)i);
            if (i % 30 == 29)
                rig_finish(rig);
            for (; rig->count > 0; rig->count--)
                if (rig->event[rig->count - 1].at_us > end_us)
                    end_us = rig->event[rig->count - 1].at_us;
        }
        assert_true(end_us >= mup_medium_limit_us(sizes, 300, sizes, back) * 97 / 100);
        test_free(rig);
    }
}

/* What docs/LAB.md says of it: acknowledgements of a transport, one for eight frames of data. */
static void traffic_both_ways_takes_a_twentieth_more_than_the_limit(void **state)
{
    static uint8_t there[800];
    static uint8_t back[100];
    uint64_t took_us = 0;

    (void)state;
    memset(there, 127, sizeof there);
    memset(back, 75, sizeof back);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct rig *rig = rig_new(&(struct mup_medium_config){.seed = seed, .offers_max = 3}, 2);

        for (unsigned i = 0; i < 800; i++) {
            rig_send(rig, 0, 0, 1, 127, (uint8_t)i);
            if (i % 8 == 7)
                rig_send(rig, 0, 1, 0, 75, (uint8_t)(i / 8));
            if (i % 16 == 15) {
                rig->count = 0;
                rig_finish(rig);
            }
        }
        took_us += rig->medium.now_us;
        test_free(rig);
    }
    assert_in_range(took_us * 100 / (20 * mup_medium_limit_us(there, 800, back, 100)), 103, 107);
}

static void frames_leave_in_the_order_they_came(void **state)
{
    struct rig *rig = rig_clean(2, 3);
    unsigned next = 0;

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        rig_send(rig, 0, 1, i % 3 == 0 ? 2 : 0, 40, (uint8_t)i);
    rig_finish(rig);
    for (size_t i = 0; i < rig->count; i++)
        if (rig->event[i].what == ON_AIR && rig->event[i].node == 1)
            assert_int_equal(rig->event[i].psdu[2], next++);
    assert_int_equal(next, 40);
    test_free(rig);
}

/* The queue's limit counts the frame that is on its way as well. */
static void fill(uint32_t queue_max, unsigned expected)
{
    struct rig *rig = rig_new(&(struct mup_medium_config){.queue_max = queue_max}, 2);
    uint8_t psdu[40];

    rig_data(psdu, sizeof psdu, 0, 1, 1);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu), i < expected);
    assert_int_equal(rig_counters(rig, 1).dropped_queue, 200 - expected);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 1).data.frames, expected);
    assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu));
    test_free(rig);
}

static void a_full_queue_drops_what_comes_and_counts_it(void **state)
{
    (void)state;
    fill(0, 64);
    fill(1, 1);
    fill(5, 5);
    fill(128, 128);
    fill(129, 128);
    fill(UINT32_MAX, 128);
}

static void the_same_seed_gives_the_same_events_and_another_does_not(void **state)
{
    struct rig *rig[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        rig[i] = rig_new(&(struct mup_medium_config){.seed = i == 2 ? 8 : 7,
                                                     .frame_loss_ppm = 100000,
                                                     .ack_loss_ppm = 100000,
                                                     .corrupt_ppm = 50000,
                                                     .duplicate_ppm = 50000,
                                                     .burst = {20000, 300000, 900000}},
                         4);
        for (unsigned n = 0; n < 100; n++) {
            rig_send(rig[i], n * 3000, 1 + n % 3, 0, 60, (uint8_t)n);
            mup_medium_run(&rig[i]->medium, n * 3000);
        }
        rig_finish(rig[i]);
    }
    assert_int_equal(rig[0]->count, rig[1]->count);
    assert_memory_equal(rig[0]->event, rig[1]->event, rig[0]->count * sizeof rig[0]->event[0]);
    assert_true(rig[0]->count != rig[2]->count ||
                memcmp(rig[0]->event, rig[2]->event, rig[0]->count * sizeof rig[0]->event[0]) != 0);
    for (unsigned i = 0; i < 3; i++)
        test_free(rig[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_dropped_after_five_busy_assessments),
        cmocka_unit_test(after_a_busy_channel_the_next_frame_has_its_own_five_assessments),
        cmocka_unit_test(a_frame_that_is_offered_again_has_five_more_assessments_each_time),
        cmocka_unit_test(a_frame_that_is_offered_again_goes_when_the_channel_is_free),
        cmocka_unit_test(after_a_busy_channel_backoffs_are_short_again),
        cmocka_unit_test(a_frame_to_nobody_is_sent_four_times_and_given_up),
        cmocka_unit_test(a_frame_that_wants_no_acknowledgement_gets_none_and_is_sent_once),
        cmocka_unit_test(spacing_follows_an_unacknowledged_frame_too),
        cmocka_unit_test(a_thousand_frames_take_a_thousand_mean_cycles),
        cmocka_unit_test(no_traffic_of_two_nodes_is_faster_than_the_limit),
        cmocka_unit_test(traffic_both_ways_takes_a_twentieth_more_than_the_limit),
        cmocka_unit_test(frames_leave_in_the_order_they_came),
        cmocka_unit_test(a_full_queue_drops_what_comes_and_counts_it),
        cmocka_unit_test(the_same_seed_gives_the_same_events_and_another_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
