/* Who hears whom: carrier sense, the turnaround in which it is blind, collisions, half duplex. */
#include "rig.h"

/* The backoff periods that a seed draws first and second. */
struct draws {
    uint64_t first;
    uint64_t second;
};

static struct draws draws_of(uint64_t seed)
{
    struct rig *rig = rig_clean(seed, 2);
    struct draws draws;

    rig_send(rig, 0, 1, 0, 23, 1);
    rig_finish(rig);
    draws.first = (rig->event[0].at_us - 320) / 320;
    rig_send(rig, 1000000, 1, 0, 23, 2);
    rig_finish(rig);
    draws.second = (rig->event[4].at_us - 1000000 - 320) / 320;
    test_free(rig);
    return draws;
}

/* Node 1 begins a frame of 127 octets to node 0 at *begin_us; node 2, with a frame to node 3, has
 * its first backoff end at assess_us. Runs to the end. */
static struct rig *contend(uint64_t seed, uint64_t *begin_us, uint64_t after_begin_us)
{
    struct draws draws = draws_of(seed);
    struct rig *rig = rig_clean(seed, 4);

    *begin_us = draws.first * 320 + 320 + 5000;
    rig_send(rig, 5000, 1, 0, 127, 1);
    rig_send(rig, *begin_us + after_begin_us - draws.second * 320, 2, 3, 127, 2);
    rig_finish(rig);
    assert_int_equal(rig->event[0].at_us, *begin_us);
    return rig;
}

static uint64_t collisions(struct rig *rig)
{
    struct mup_medium_channel channel;

    mup_medium_count_channel(&rig->medium, 0, &channel);
    return channel.collisions;
}

/* The two draws must come in this order, so node 2 must not be handed its frame first. */
static uint64_t seed_in_order(uint64_t seed)
{
    while (draws_of(seed).second > draws_of(seed).first)
        seed++;
    return seed;
}

static void whoever_assesses_before_the_first_frame_is_heard_collides_with_it(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed += 10)
        for (uint64_t late_us = 0; late_us <= 320; late_us += 16) {
            uint64_t begin_us;
            /* assessment from late - 320 to late - 192, seen from where the first frame begins */
            struct rig *rig = contend(seed_in_order(seed), &begin_us, late_us - 320);
            bool collides = late_us <= 192;

            assert_true(!collides || collisions(rig) >= 2);
            assert_int_equal(rig->event[1].what, collides ? ON_AIR : DELIVERED);
            if (collides)
                rig_expect(rig, 1, ON_AIR, 2, begin_us + late_us, MUP_MEDIUM_DATA);
            assert_true(!collides || rig_counters(rig, 1).retries.frames >= 1);
            test_free(rig);
        }
}

static void an_assessment_sees_a_frame_that_ends_within_it(void **state)
{
    (void)state;
    for (uint64_t before_us = 0; before_us <= 160; before_us += 16) {
        uint64_t begin_us;
        struct rig *rig = contend(seed_in_order(3), &begin_us, 4256 - before_us);
        uint64_t second_us = 0;

        for (size_t i = 0; i < rig->count && second_us == 0; i++)
            if (rig->event[i].what == ON_AIR && rig->event[i].node == 2)
                second_us = rig->event[i].at_us;
        /* only the one that starts when the frame has ended finds nothing */
        if (before_us == 0)
            assert_int_equal(second_us, begin_us + 4256 + 320);
        else
            assert_true(second_us > begin_us + 4256 - before_us + 320);
        test_free(rig);
    }
}

/* The turnaround before an acknowledgement is longer than an assessment: in the standard's
 * unslotted mode the gap can be taken for a free channel, which costs the acknowledgement. */
static void an_assessment_in_the_gap_before_an_acknowledgement_destroys_it(void **state)
{
    (void)state;
    for (uint64_t gap_us = 0; gap_us <= 112; gap_us += 16) {
        uint64_t begin_us;
        struct rig *rig = contend(seed_in_order(5), &begin_us, 4256 + gap_us);
        bool fits = gap_us + 128 <= 192;

        rig_expect(rig, 0, ON_AIR, 1, begin_us, MUP_MEDIUM_DATA);
        rig_expect(rig, 1, DELIVERED, 0, begin_us + 4256, 0);
        rig_expect(rig, 2, ON_AIR, 0, begin_us + 4448, MUP_MEDIUM_ACK);
        if (fits)
            rig_expect(rig, 3, ON_AIR, 2, begin_us + 4256 + gap_us + 320, MUP_MEDIUM_DATA);
        else
            rig_expect(rig, 3, DONE, 1, begin_us + 4800, MUP_MEDIUM_SENT);
        /* the frame whose acknowledgement was lost comes again, and is not delivered again */
        assert_int_equal(rig_counters(rig, 1).retries.frames >= 1, fits);
        assert_int_equal(rig_counters(rig, 0).repeated >= 1, fits);
        assert_int_equal(rig_counters(rig, 0).delivered.frames, 1);
        assert_int_equal(rig_counters(rig, 3).delivered.frames, 1);
        test_free(rig);
    }
}

/* A node that is in backoff acknowledges, then goes on; it does not take its own acknowledgement
 * for a free channel. */
static void a_node_in_backoff_acknowledges_what_it_hears(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct rig *rig = rig_clean(seed, 2);

        rig_send(rig, 0, 0, 1, 127, 1);
        rig_send(rig, 0, 1, 0, 127, 2);
        rig_finish(rig);
        if (rig->event[1].what == DELIVERED) { /* else both began together */
            uint64_t begin_us = rig->event[0].at_us;
            unsigned sender = rig->event[0].node;

            rig_expect(rig, 1, DELIVERED, 1 - sender, begin_us + 4256, 0);
            rig_expect(rig, 2, ON_AIR, 1 - sender, begin_us + 4448, MUP_MEDIUM_ACK);
            rig_expect(rig, 3, DONE, sender, begin_us + 4800, MUP_MEDIUM_SENT);
            assert_int_equal(collisions(rig), 0);
            seen++;
        }
        assert_int_equal(rig_counters(rig, 0).delivered.frames, 1);
        assert_int_equal(rig_counters(rig, 1).delivered.frames, 1);
        test_free(rig);
    }
    assert_in_range(seen, 75, 98);
}

/* Between its frame's turnaround, its own acknowledgement and the way back, a radio cannot sense.
 */
static void a_radio_cannot_assess_until_it_has_turned_around_from_its_acknowledgement(void **state)
{
    (void)state;
    for (uint64_t after_us = 0; after_us <= 1024; after_us += 16) {
        struct draws draws = draws_of(seed_in_order(5));
        struct rig *rig = rig_clean(seed_in_order(5), 2);
        uint64_t end_us = 5000 + draws.first * 320 + 320 + 4256;
        uint64_t own_us = 0;

        rig_send(rig, 5000, 1, 0, 127, 1);
        rig_send(rig, end_us + after_us - draws.second * 320, 0, 1, 127, 2);
        rig_finish(rig);
        for (size_t i = 0; i < rig->count && own_us == 0; i++)
            if (rig->event[i].what == ON_AIR && rig->event[i].kind == MUP_MEDIUM_DATA &&
                rig->event[i].node == 0)
                own_us = rig->event[i].at_us;
        if (after_us >= 192 + 352 + 192)
            assert_int_equal(own_us, end_us + after_us + 320);
        else
            assert_true(own_us > end_us + after_us + 320);
        assert_int_equal(collisions(rig), 0);
        test_free(rig);
    }
}

static void a_node_that_sends_hears_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct rig *rig = rig_clean(seed, 2);
        uint8_t psdu[60];

        for (unsigned node = 0; node < 2; node++) {
            rig_broadcast(psdu, sizeof psdu, node, 1);
            assert_true(mup_medium_send(&rig->medium, 0, node, psdu, sizeof psdu));
        }
        rig_finish(rig);
        if (rig->event[0].at_us == rig->event[1].at_us) {
            assert_int_equal(rig_count(rig, DELIVERED), 0);
            assert_int_equal(collisions(rig), 2);
        } else {
            assert_int_equal(rig_count(rig, DELIVERED), 2);
        }
        test_free(rig);
    }
}

static void both_who_have_one_address_acknowledge_and_destroy_it(void **state)
{
    struct rig *rig = rig_clean(1, 2);
    uint8_t eui64[8] = {0, 0, 0, 0, 0, 0, 0, 2};

    (void)state;
    mup_medium_attach(&rig->medium, 0, 2, eui64); /* node 0's */
    rig_send(rig, 0, 1, 0, 60, 1);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 0).delivered.frames, 1);
    assert_int_equal(rig_counters(rig, 2).delivered.frames, 1);
    assert_int_equal(rig_counters(rig, 1).dropped_no_ack, 1);
    assert_int_equal(collisions(rig), 8);
    test_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_assesses_before_the_first_frame_is_heard_collides_with_it),
        cmocka_unit_test(an_assessment_sees_a_frame_that_ends_within_it),
        cmocka_unit_test(an_assessment_in_the_gap_before_an_acknowledgement_destroys_it),
        cmocka_unit_test(a_node_in_backoff_acknowledges_what_it_hears),
        cmocka_unit_test(a_radio_cannot_assess_until_it_has_turned_around_from_its_acknowledgement),
        cmocka_unit_test(a_node_that_sends_hears_nothing),
        cmocka_unit_test(both_who_have_one_address_acknowledge_and_destroy_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
