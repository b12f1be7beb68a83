/* What the seed makes go wrong: loss, bursts, corruption, duplication, a link that is cut. */
#include "rig.h"

static void a_lost_frame_is_not_heard_and_comes_again(void **state)
{
    struct rig *rig = rig_new(&(struct mup_medium_config){.frame_loss_ppm = MUP_MEDIUM_PPM}, 2);

    (void)state;
    rig_send(rig, 0, 1, 0, 50, 1);
    rig_finish(rig);
    assert_int_equal(rig_count(rig, DELIVERED), 0);
    assert_int_equal(rig_count(rig, ON_AIR), 4);
    assert_int_equal(rig_counters(rig, 0).lost, 4);
    assert_int_equal(rig_counters(rig, 0).acks.frames, 0);
    assert_int_equal(rig_counters(rig, 1).lost, 0);
    assert_int_equal(rig_counters(rig, 1).dropped_no_ack, 1);
    test_free(rig);
}

static void a_lost_acknowledgement_has_the_frame_sent_again_and_filtered(void **state)
{
    struct rig *rig = rig_new(&(struct mup_medium_config){.ack_loss_ppm = MUP_MEDIUM_PPM}, 2);

    (void)state;
    rig_send(rig, 0, 1, 0, 50, 1);
    rig_finish(rig);
    assert_int_equal(rig_count(rig, DELIVERED), 1);
    assert_int_equal(rig_count(rig, ON_AIR), 8);
    assert_int_equal(rig_counters(rig, 0).acks.frames, 4);
    assert_int_equal(rig_counters(rig, 0).repeated, 3);
    assert_int_equal(rig_counters(rig, 0).lost, 0);
    assert_int_equal(rig_counters(rig, 1).lost, 4);
    assert_int_equal(rig_counters(rig, 1).retries.frames, 3);
    assert_int_equal(rig_counters(rig, 1).dropped_no_ack, 1);
    test_free(rig);
}

/* Sends `count` broadcasts from node 0 and writes down which arrive at the node, one byte each. */
static void listen(struct rig *rig, unsigned node, uint8_t *arrived, unsigned count)
{
    uint8_t psdu[20];

    for (unsigned i = 0; i < count; i++) {
        rig->count = 0;
        rig_broadcast(psdu, sizeof psdu, 0, (uint8_t)i);
        assert_true(mup_medium_send(&rig->medium, 0, 0, psdu, sizeof psdu));
        rig_finish(rig);
        arrived[i] = 0;
        for (size_t e = 0; e < rig->count; e++)
            arrived[i] |= rig->event[e].what == DELIVERED && rig->event[e].node == node;
    }
}

static unsigned sum(const uint8_t *bytes, unsigned count)
{
    unsigned total = 0;

    for (unsigned i = 0; i < count; i++)
        total += bytes[i];
    return total;
}

static void frames_are_lost_as_often_as_configured_by_each_receiver_by_itself(void **state)
{
    struct rig *rig = rig_new(&(struct mup_medium_config){.seed = 3, .frame_loss_ppm = 100000}, 3);
    uint8_t arrived[5000];

    (void)state;
    listen(rig, 1, arrived, sizeof arrived);
    assert_in_range(5000 - sum(arrived, 5000), 436, 564); /* 500, three standard deviations */
    assert_int_equal(rig_counters(rig, 1).lost, 5000 - sum(arrived, 5000));
    assert_in_range(rig_counters(rig, 2).lost, 436, 564);
    assert_true(rig_counters(rig, 2).lost != rig_counters(rig, 1).lost);
    test_free(rig);
}

static void acknowledgements_are_lost_as_often_as_configured(void **state)
{
    struct rig *rig = rig_new(&(struct mup_medium_config){.seed = 3, .ack_loss_ppm = 100000}, 2);
    struct mup_medium_counters counters;

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        rig->count = 0;
        rig_send(rig, 0, 1, 0, 30, (uint8_t)i);
        rig_finish(rig);
    }
    counters = rig_counters(rig, 0);
    assert_int_equal(counters.delivered.frames, 2000);
    assert_int_equal(counters.repeated, counters.acks.frames - 2000);
    counters = rig_counters(rig, 1);
    assert_in_range(counters.lost, 178, 268); /* 2000 / 0.9 acknowledgements, a tenth of them */
    test_free(rig);
}

static void a_damaged_frame_arrives_with_one_wrong_bit_and_is_not_acknowledged(void **state)
{
    struct rig *rig = rig_new(&(struct mup_medium_config){.corrupt_ppm = MUP_MEDIUM_PPM}, 2);
    uint8_t sent[50];
    unsigned seen[400] = {0};

    (void)state;
    for (unsigned n = 0; n < 1000; n++) {
        rig->count = 0;
        rig_data(sent, sizeof sent, 0, 1, (uint8_t)n);
        rig_send(rig, 0, 1, 0, sizeof sent, (uint8_t)n);
        rig_finish(rig);
        assert_int_equal(rig_count(rig, ON_AIR), 4);
        assert_int_equal(rig_count(rig, DELIVERED), 4);
        for (size_t e = 0; e < rig->count; e++) {
            const struct rig_event *event = &rig->event[e];
            unsigned wrong = 0;
            if (event->what == ON_AIR)
                assert_memory_equal(event->psdu, sent, sizeof sent);
            if (event->what != DELIVERED)
                continue;
            assert_int_equal(event->size, sizeof sent);
            assert_false(mup_frame_is_good(event->psdu, event->size));
            for (unsigned bit = 0; bit < 400; bit++)
                if (((event->psdu[bit / 8] ^ sent[bit / 8]) >> bit % 8 & 1) != 0) {
                    wrong++;
                    seen[bit]++;
                }
            assert_int_equal(wrong, 1);
        }
    }
    for (unsigned bit = 0; bit < 400; bit++)
        assert_true(seen[bit] > 0);
    assert_int_equal(rig_counters(rig, 0).lost, 0);
    test_free(rig);
}

static void a_frame_that_was_damaged_is_not_taken_for_a_duplicate_when_it_comes_again(void **state)
{
    struct rig *rig = rig_new(&(struct mup_medium_config){.seed = 2, .corrupt_ppm = 500000}, 2);
    unsigned again = 0;

    (void)state;
    for (unsigned n = 0; n < 200; n++) {
        rig->count = 0;
        rig_send(rig, 0, 1, 0, 50, (uint8_t)n);
        rig_finish(rig);
        for (size_t e = 0; e < rig->count; e++)
            again += rig->event[e].what == DELIVERED &&
                     rig->event[e - 1].kind == MUP_MEDIUM_RETRY &&
                     mup_frame_is_good(rig->event[e].psdu, 50);
    }
    assert_int_equal(rig_counters(rig, 0).repeated, 0);
    assert_in_range(again, 60, 110); /* 200 * (1/4 + 1/8 + 1/16) = 87.5 */
    test_free(rig);
}

static void a_doubled_frame_is_delivered_twice_at_once(void **state)
{
    struct rig *rig = rig_new(&(struct mup_medium_config){.duplicate_ppm = MUP_MEDIUM_PPM}, 2);

    (void)state;
    rig_send(rig, 0, 1, 0, 50, 1);
    rig_finish(rig);
    assert_int_equal(rig->count, 5);
    rig_expect(rig, 1, DELIVERED, 0, rig->event[0].at_us + 1792, 0);
    rig_expect(rig, 2, DELIVERED, 0, rig->event[0].at_us + 1792, 0);
    assert_memory_equal(rig->event[1].psdu, rig->event[2].psdu, 50);
    assert_int_equal(rig_counters(rig, 0).delivered.frames, 2);
    assert_int_equal(rig_counters(rig, 0).acks.frames, 1);
    test_free(rig);
}

static void a_cut_link_lets_nothing_through_until_it_is_mended(void **state)
{
    struct mup_medium_config config = {.seed = 1, .is_cut = true};
    struct rig *rig = rig_new(&config, 3);
    uint8_t psdu[20];

    (void)state;
    rig_send(rig, 0, 1, 0, 50, 1);
    rig_broadcast(psdu, sizeof psdu, 2, 1);
    assert_true(mup_medium_send(&rig->medium, 0, 2, psdu, sizeof psdu));
    rig_finish(rig);
    assert_int_equal(rig_count(rig, DELIVERED), 0);
    assert_int_equal(rig_count(rig, ON_AIR), 5);
    config.is_cut = false;
    mup_medium_set(&rig->medium, &config);
    rig_send(rig, 0, 1, 0, 50, 2);
    rig_finish(rig);
    assert_int_equal(rig_count(rig, DELIVERED), 1);
    test_free(rig);
}

static void a_link_that_is_cut_after_the_frame_loses_its_acknowledgement(void **state)
{
    struct mup_medium_config config = {.seed = 1};
    struct rig *rig = rig_new(&config, 2);

    (void)state;
    rig_send(rig, 0, 1, 0, 50, 1);
    while (rig_count(rig, DELIVERED) == 0)
        mup_medium_run(&rig->medium, mup_medium_wake_us(&rig->medium));
    config.is_cut = true;
    mup_medium_set(&rig->medium, &config);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 1).dropped_no_ack, 1);
    assert_int_equal(rig_counters(rig, 1).lost, 1);
    assert_int_equal(rig_counters(rig, 0).lost, 3);
    test_free(rig);
}

/* A fifth of the time is bad, in spells of five frames, and all are lost in them. */
static void bursts_have_the_configured_length_and_share(void **state)
{
    struct mup_medium_config config = {.seed = 3, .burst = {50000, 200000, MUP_MEDIUM_PPM}};
    struct rig *rig = rig_new(&config, 3);
    static uint8_t arrived[20000];
    unsigned bursts = 0;
    unsigned lost;

    (void)state;
    listen(rig, 1, arrived, sizeof arrived);
    lost = 20000 - sum(arrived, 20000);
    for (unsigned i = 1; i < sizeof arrived; i++)
        bursts += arrived[i - 1] == 1 && arrived[i] == 0;
    assert_in_range(lost, 3600, 4400);
    assert_in_range(lost * 100 / bursts, 460, 540);
    assert_in_range(rig_counters(rig, 2).lost, 3600, 4400);
    rig->medium.node[1].is_bad = true;
    config.burst.to_bad_ppm = config.burst.to_good_ppm = 0;
    mup_medium_set(&rig->medium, &config);
    listen(rig, 1, arrived, 100);
    assert_int_equal(sum(arrived, 100), 100);
    test_free(rig);
}

static void in_a_burst_a_part_of_the_frames_may_get_through(void **state)
{
    struct mup_medium_config config = {.seed = 3, .burst = {MUP_MEDIUM_PPM, 0, 500000}};
    struct rig *rig = rig_new(&config, 2);
    uint8_t arrived[2000];

    (void)state;
    listen(rig, 1, arrived, sizeof arrived);
    assert_in_range(sum(arrived, 2000), 930, 1070);
    test_free(rig);
}

static void a_burst_at_the_sender_takes_the_acknowledgements(void **state)
{
    struct rig *rig = rig_clean(3, 2);

    (void)state;
    rig->medium.config.burst = (struct mup_medium_burst){0, 0, MUP_MEDIUM_PPM};
    rig->medium.node[1].is_bad = true; /* for ever */
    rig_send(rig, 0, 1, 0, 50, 1);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 0).delivered.frames, 1);
    assert_int_equal(rig_counters(rig, 0).repeated, 3);
    assert_int_equal(rig_counters(rig, 1).lost, 4);
    test_free(rig);
}

static void another_seed_starts_the_generator_anew_and_the_same_one_does_not(void **state)
{
    struct mup_medium_config config = {.seed = 3, .frame_loss_ppm = 500000};
    struct rig *rig = rig_new(&config, 2);
    uint8_t first[100];
    uint8_t second[100];

    (void)state;
    config.seed = 4;
    mup_medium_set(&rig->medium, &config);
    listen(rig, 1, first, sizeof first);
    mup_medium_set(&rig->medium, &config);
    listen(rig, 1, second, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    config.seed = 3;
    mup_medium_set(&rig->medium, &config);
    config.seed = 4;
    mup_medium_set(&rig->medium, &config);
    listen(rig, 1, second, sizeof second);
    assert_memory_equal(first, second, sizeof first);
    test_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_frame_is_not_heard_and_comes_again),
        cmocka_unit_test(a_lost_acknowledgement_has_the_frame_sent_again_and_filtered),
        cmocka_unit_test(frames_are_lost_as_often_as_configured_by_each_receiver_by_itself),
        cmocka_unit_test(acknowledgements_are_lost_as_often_as_configured),
        cmocka_unit_test(a_damaged_frame_arrives_with_one_wrong_bit_and_is_not_acknowledged),
        cmocka_unit_test(a_frame_that_was_damaged_is_not_taken_for_a_duplicate_when_it_comes_again),
        cmocka_unit_test(a_doubled_frame_is_delivered_twice_at_once),
        cmocka_unit_test(a_cut_link_lets_nothing_through_until_it_is_mended),
        cmocka_unit_test(a_link_that_is_cut_after_the_frame_loses_its_acknowledgement),
        cmocka_unit_test(bursts_have_the_configured_length_and_share),
        cmocka_unit_test(in_a_burst_a_part_of_the_frames_may_get_through),
        cmocka_unit_test(a_burst_at_the_sender_takes_the_acknowledgements),
        cmocka_unit_test(another_seed_starts_the_generator_anew_and_the_same_one_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
