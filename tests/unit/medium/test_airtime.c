/* How long things take, in microseconds typed in from IEEE 802.15.4-2020: 16 us a symbol. */
#include "rig.h"

static void a_frame_is_on_the_air_for_its_octets_and_six_more(void **state)
{
    (void)state;
    assert_int_equal(mup_medium_airtime_us(127), 4256); /* (4 + 1 + 1 + 127) * 32 */
    assert_int_equal(mup_medium_airtime_us(5), 352);
    assert_int_equal(mup_medium_airtime_us(3), 288);
    assert_int_equal(mup_medium_airtime_us(64), 2240);
}

static void an_exchange_is_the_frame_a_turnaround_and_an_acknowledgement(void **state)
{
    (void)state;
    assert_int_equal(mup_medium_exchange_us(127), 4800); /* 4256 + 192 + 352 */
    assert_int_equal(mup_medium_exchange_us(23), 1472);
}

static void a_cycle_has_the_mean_backoff_and_the_spacing_for_its_size(void **state)
{
    (void)state;
    /* 3.5 * 320 + 128 + 192 + exchange + 640 or, up to 18 octets, 192 */
    assert_int_equal(mup_medium_cycle_us(127), 6880);
    assert_int_equal(mup_medium_cycle_us(19), 3424);
    assert_int_equal(mup_medium_cycle_us(18), 2944);
}

static void the_limit_charges_the_slower_direction_in_full_and_the_other_its_air(void **state)
{
    static const uint8_t there[] = {127, 127, 100};
    static const uint8_t back[] = {40, 23};

    (void)state;
    assert_int_equal(mup_medium_limit_us(there, 3, NULL, 0), 6880 + 6880 + 6016);
    assert_int_equal(mup_medium_limit_us(NULL, 0, there, 3), 6880 + 6880 + 6016);
    assert_int_equal(mup_medium_limit_us(there, 3, back, 2), 19776 + 2016 + 1472);
    assert_int_equal(mup_medium_limit_us(back, 2, there, 3), 19776 + 2016 + 1472);
    assert_int_equal(mup_medium_limit_us(NULL, 0, NULL, 0), 0);
}

/* Where the first backoff ends is chance, one of eight; all that follows is not. */
static uint64_t first_backoff(const struct rig *rig)
{
    uint64_t begin_us = rig->event[0].at_us;

    assert_int_equal(rig->event[0].what, ON_AIR);
    assert_true(begin_us >= 128 + 192);
    begin_us -= 128 + 192;
    assert_int_equal(begin_us % 320, 0);
    assert_true(begin_us / 320 <= 7);
    return begin_us;
}

static void an_acknowledged_frame_goes_by_the_standard(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct rig *rig = rig_clean(seed, 2);
        uint64_t begin_us;

        rig_send(rig, 0, 1, 0, 127, 7);
        rig_finish(rig);
        begin_us = first_backoff(rig) + 320;
        assert_int_equal(rig->count, 4);
        rig_expect(rig, 0, ON_AIR, 1, begin_us, MUP_MEDIUM_DATA);
        rig_expect(rig, 1, DELIVERED, 0, begin_us + 4256, 0);
        rig_expect(rig, 2, ON_AIR, 0, begin_us + 4448, MUP_MEDIUM_ACK);
        rig_expect(rig, 3, DONE, 1, begin_us + 4800, MUP_MEDIUM_SENT);
        test_free(rig);
    }
}

static void all_eight_first_backoffs_are_drawn_equally_often(void **state)
{
    unsigned drawn[8] = {0};

    (void)state;
    for (uint64_t seed = 0; seed < 800; seed++) {
        struct rig *rig = rig_clean(seed, 2);
        rig_send(rig, 0, 1, 0, 23, 7);
        rig_finish(rig);
        drawn[first_backoff(rig) / 320]++;
        test_free(rig);
    }
    for (unsigned i = 0; i < 8; i++)
        assert_in_range(drawn[i], 70, 130); /* 100, give or take three standard deviations */
}

static void the_acknowledgement_is_the_standards_five_octets(void **state)
{
    /* sequence number 0x6a: the check sequence that the standard gives as its example (7.2.11) */
    static const uint8_t expected[] = {0x02, 0x00, 0x6a, 0xe4, 0x79};
    struct rig *rig = rig_clean(1, 2);

    (void)state;
    rig_send(rig, 0, 1, 0, 50, 0x6a);
    rig_finish(rig);
    assert_int_equal(rig->event[2].size, 5);
    assert_memory_equal(rig->event[2].psdu, expected, sizeof expected);
    test_free(rig);
}

/* The second of two frames: when its first backoff may have begun at the earliest. */
static void spacing_follows(size_t size, uint64_t exchange_us, uint64_t spacing_us)
{
    bool seen[8] = {false};

    for (uint64_t seed = 0; seed < 100; seed++) {
        struct rig *rig = rig_clean(seed, 2);
        uint8_t psdu[MUP_MEDIUM_PSDU_MAX] = {0x61, 0x88, 1, 0xcd, 0xab, 0, 1, 1, 1};
        uint64_t first_us;
        uint64_t gap_us;

        rig_seal(psdu, size); /* short addresses; node 0 gets to have 0x0100 below */
        rig->medium.node[0].short_address = (struct mup_medium_address){2, {0x00, 0x01}};
        assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, size));
        psdu[2]++;
        rig_seal(psdu, size);
        assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, size));
        rig_finish(rig);
        assert_int_equal(rig->count, 8);
        first_us = rig->event[0].at_us;
        assert_int_equal(rig->event[4].what, ON_AIR);
        gap_us = rig->event[4].at_us - first_us - exchange_us;
        assert_true(gap_us >= spacing_us + 320);
        gap_us -= spacing_us + 320;
        assert_int_equal(gap_us % 320, 0);
        assert_true(gap_us / 320 < 8);
        seen[gap_us / 320] = true;
        test_free(rig);
    }
    for (unsigned i = 0; i < 8; i++)
        assert_true(seen[i]);
}

static void a_short_frame_is_followed_by_twelve_symbols_of_silence(void **state)
{
    (void)state;
    spacing_follows(18, 768 + 192 + 352, 192);
}

static void a_long_frame_is_followed_by_forty_symbols_of_silence(void **state)
{
    (void)state;
    spacing_follows(19, 800 + 192 + 352, 640);
    spacing_follows(127, 4800, 640);
}

static void a_broadcast_reaches_all_others_and_is_not_acknowledged(void **state)
{
    struct rig *rig = rig_clean(3, 4);
    uint8_t psdu[60];
    uint64_t begin_us;

    (void)state;
    rig_broadcast(psdu, sizeof psdu, 2, 9);
    assert_true(mup_medium_send(&rig->medium, 0, 2, psdu, sizeof psdu));
    rig_finish(rig);
    begin_us = first_backoff(rig) + 320;
    assert_int_equal(rig->count, 5);
    rig_expect(rig, 0, ON_AIR, 2, begin_us, MUP_MEDIUM_BROADCAST);
    rig_expect(rig, 1, DELIVERED, 0, begin_us + 2112, 0);
    rig_expect(rig, 2, DELIVERED, 1, begin_us + 2112, 0);
    rig_expect(rig, 3, DELIVERED, 3, begin_us + 2112, 0);
    rig_expect(rig, 4, DONE, 2, begin_us + 2112, MUP_MEDIUM_SENT);
    test_free(rig);
}

static void ideal_times_do_not_depend_on_when_the_medium_is_run(void **state)
{
    struct rig *exact = rig_clean(5, 3);
    struct rig *late = rig_clean(5, 3);

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        rig_send(exact, 0, 1 + i % 2, 0, 100, (uint8_t)i);
        rig_send(late, 0, 1 + i % 2, 0, 100, (uint8_t)i);
    }
    rig_finish(exact);
    mup_medium_run(&late->medium, 10000000);
    assert_int_equal(mup_medium_wake_us(&late->medium), MUP_MEDIUM_NEVER);
    assert_int_equal(exact->count, late->count);
    assert_memory_equal(exact->event, late->event, exact->count * sizeof exact->event[0]);
    test_free(exact);
    test_free(late);
}

static void a_frame_starts_at_its_arrival_but_not_before_what_has_happened(void **state)
{
    struct rig *rig = rig_clean(5, 2);

    (void)state;
    mup_medium_run(&rig->medium, 1000000);
    rig_send(rig, 400000, 1, 0, 23, 1);
    rig_finish(rig);
    assert_in_range(rig->event[0].at_us, 1000320, 1000320 + 7 * 320);
    test_free(rig);

    rig = rig_clean(5, 2);
    rig_send(rig, 400000, 1, 0, 23, 1);
    assert_int_equal(mup_medium_wake_us(&rig->medium), 400000);
    rig_finish(rig);
    assert_in_range(rig->event[0].at_us, 400320, 400320 + 7 * 320);
    test_free(rig);
}

static void the_channel_is_busy_and_radios_are_on_for_as_long_as_they_are(void **state)
{
    struct rig *rig = rig_clean(8, 2);
    struct mup_medium_channel channel;
    struct mup_medium_counters counters;
    uint64_t begin_us;

    (void)state;
    rig_send(rig, 0, 1, 0, 127, 7);
    mup_medium_run(&rig->medium, 320);
    while (rig->count == 0)
        mup_medium_run(&rig->medium, mup_medium_wake_us(&rig->medium));
    begin_us = rig->event[0].at_us;
    mup_medium_count_channel(&rig->medium, begin_us + 1000, &channel);
    assert_int_equal(channel.busy_us, 1000);
    mup_medium_count(&rig->medium, begin_us + 1000, 1, &counters);
    assert_int_equal(counters.tx_us, 1000);
    assert_int_equal(counters.rx_us, begin_us);
    mup_medium_reset_counters(&rig->medium, begin_us + 1000);
    rig_finish(rig);
    mup_medium_count_channel(&rig->medium, begin_us + 10000, &channel);
    assert_int_equal(channel.busy_us, 4256 - 1000 + 352);
    assert_int_equal(channel.collisions, 0);
    mup_medium_count(&rig->medium, begin_us + 10000, 1, &counters);
    assert_int_equal(counters.tx_us, 4256 - 1000);
    assert_int_equal(counters.rx_us, 10000 - 4256);
    mup_medium_count(&rig->medium, begin_us + 10000, 0, &counters);
    assert_int_equal(counters.tx_us, 352);
    assert_int_equal(counters.rx_us, 10000 - 1000 - 352);
    test_free(rig);
}

static void counters_tell_frames_and_bytes_of_psdus(void **state)
{
    struct rig *rig = rig_clean(8, 3);
    struct mup_medium_counters counters;
    uint8_t psdu[40];

    (void)state;
    rig_send(rig, 0, 1, 0, 127, 7);
    rig_send(rig, 0, 1, 0, 30, 8);
    rig_broadcast(psdu, sizeof psdu, 1, 9);
    assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu));
    rig_finish(rig);
    counters = rig_counters(rig, 1);
    assert_int_equal(counters.data.frames, 2);
    assert_int_equal(counters.data.bytes, 157);
    assert_int_equal(counters.broadcast.frames, 1);
    assert_int_equal(counters.broadcast.bytes, 40);
    assert_int_equal(counters.retries.frames, 0);
    assert_int_equal(counters.acks.frames, 0);
    assert_int_equal(counters.delivered.frames, 0);
    counters = rig_counters(rig, 0);
    assert_int_equal(counters.acks.frames, 2);
    assert_int_equal(counters.acks.bytes, 10);
    assert_int_equal(counters.delivered.frames, 3);
    assert_int_equal(counters.delivered.bytes, 197);
    assert_int_equal(rig_counters(rig, 2).delivered.bytes, 40);
    assert_int_equal(rig_counters(rig, 2).acks.frames, 0);
    test_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_on_the_air_for_its_octets_and_six_more),
        cmocka_unit_test(an_exchange_is_the_frame_a_turnaround_and_an_acknowledgement),
        cmocka_unit_test(a_cycle_has_the_mean_backoff_and_the_spacing_for_its_size),
        cmocka_unit_test(the_limit_charges_the_slower_direction_in_full_and_the_other_its_air),
        cmocka_unit_test(an_acknowledged_frame_goes_by_the_standard),
        cmocka_unit_test(all_eight_first_backoffs_are_drawn_equally_often),
        cmocka_unit_test(the_acknowledgement_is_the_standards_five_octets),
        cmocka_unit_test(a_short_frame_is_followed_by_twelve_symbols_of_silence),
        cmocka_unit_test(a_long_frame_is_followed_by_forty_symbols_of_silence),
        cmocka_unit_test(a_broadcast_reaches_all_others_and_is_not_acknowledged),
        cmocka_unit_test(ideal_times_do_not_depend_on_when_the_medium_is_run),
        cmocka_unit_test(a_frame_starts_at_its_arrival_but_not_before_what_has_happened),
        cmocka_unit_test(the_channel_is_busy_and_radios_are_on_for_as_long_as_they_are),
        cmocka_unit_test(counters_tell_frames_and_bytes_of_psdus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
