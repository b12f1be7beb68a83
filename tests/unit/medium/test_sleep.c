/* Receivers that sleep: who waits for them, what they miss, how long they are on. */
#include "rig.h"

#define PERIOD_US 100000u

/* Node 1 wakes at 0 and every 100 ms. */
static struct rig *rig_sleepy(uint64_t seed, uint32_t awake_us, uint32_t linger_us)
{
    struct rig *rig = rig_clean(seed, 4);

    mup_medium_set_sleep(&rig->medium, 0, 1,
                         &(struct mup_medium_sleep){PERIOD_US, awake_us, linger_us});
    return rig;
}

static const struct rig_event *find(const struct rig *rig, enum rig_what what, unsigned node,
                                    unsigned nth)
{
    for (size_t i = 0; i < rig->count; i++)
        if (rig->event[i].what == what && rig->event[i].node == node && nth-- == 0)
            return &rig->event[i];
    fail_msg("there is no such event");
    return NULL;
}

/* A frame handed over at send_us: from when its first backoff counts. */
static void starts_at(uint32_t awake_us, uint64_t send_us, uint64_t start_us)
{
    bool seen[8] = {false};

    for (uint64_t seed = 0; seed < 60; seed++) {
        struct rig *rig = rig_sleepy(seed, awake_us, 0);
        uint64_t begin_us;

        rig_send(rig, send_us, 0, 1, 60, 1);
        rig_finish(rig);
        begin_us = find(rig, ON_AIR, 0, 0)->at_us;
        assert_in_range(begin_us, start_us + 320, start_us + 2560);
        assert_int_equal((begin_us - start_us) % 320, 0);
        seen[(begin_us - start_us) / 320 - 1] = true;
        assert_int_equal(rig_count(rig, DELIVERED), 1);
        assert_int_equal(rig_counters(rig, 0).retries.frames, 0);
        test_free(rig);
    }
    for (unsigned i = 0; i < 8; i++)
        assert_true(seen[i]);
}

static void a_sender_waits_for_the_receiver_to_wake(void **state)
{
    (void)state;
    starts_at(2560, 0, 0);
    starts_at(2560, 16, 100000);
    starts_at(2560, 50000, 100000);
    starts_at(2560, 99984, 100000);
    starts_at(2560, 100000, 100000);
    starts_at(2560, 730000, 800000);
    starts_at(0, 50000, 100000); /* at least as long as a first backoff may take */
}

static void a_sender_goes_ahead_while_enough_of_the_sample_is_left(void **state)
{
    (void)state;
    starts_at(10000, 307440, 307440); /* 2560 left */
    starts_at(10000, 307456, 400000);
}

static void a_receiver_lingers_after_a_frame_and_then_sleeps(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct rig *rig = rig_sleepy(seed, 2560, 20000);
        uint64_t end_us;

        rig_send(rig, 50000, 0, 1, 60, 1);
        rig_finish(rig);
        end_us = find(rig, DELIVERED, 1, 0)->at_us + 544; /* of the acknowledgement */
        rig_send(rig, end_us + 20000 - 2560, 0, 1, 60, 2);
        rig_finish(rig);
        assert_in_range(find(rig, ON_AIR, 0, 1)->at_us, end_us + 17760, end_us + 20000);
        end_us = find(rig, DELIVERED, 1, 1)->at_us + 544;
        rig_send(rig, end_us + 20000 - 2560 + 16, 0, 1, 60, 3);
        rig_finish(rig);
        assert_in_range(find(rig, ON_AIR, 0, 2)->at_us, 200320, 202560);
        assert_int_equal(rig_counters(rig, 1).delivered.frames, 3);
        test_free(rig);
    }
}

static void what_a_sleeper_sends_keeps_it_on_for_the_acknowledgement_and_the_answer(void **state)
{
    struct rig *rig = rig_sleepy(3, 2560, 20000);
    uint64_t end_us;

    (void)state;
    rig_send(rig, 50000, 1, 0, 60, 1);
    rig_finish(rig);
    assert_in_range(find(rig, ON_AIR, 1, 0)->at_us, 50320, 52560); /* it does not wait */
    end_us = find(rig, DONE, 1, 0)->at_us;
    assert_int_equal(find(rig, DONE, 1, 0)->kind, MUP_MEDIUM_SENT);
    assert_int_equal(rig_counters(rig, 1).retries.frames, 0);
    rig_send(rig, end_us + 5000, 0, 1, 60, 2);
    rig_finish(rig);
    assert_in_range(find(rig, ON_AIR, 0, 1)->at_us, end_us + 5320, end_us + 7560);
    test_free(rig);
}

static void frames_for_others_overtake_one_whose_receiver_sleeps(void **state)
{
    struct rig *rig = rig_sleepy(3, 2560, 20000);
    unsigned at_1 = 0;
    unsigned at_2 = 0;

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        rig_send(rig, 20000, 0, 1, 60, (uint8_t)i);
        rig_send(rig, 20000, 0, 2, 60, (uint8_t)i);
    }
    rig_finish(rig);
    for (size_t i = 0; i < rig->count; i++) {
        const struct rig_event *event = &rig->event[i];
        if (event->what != DELIVERED)
            continue;
        assert_int_equal(event->psdu[2], event->node == 1 ? at_1 : at_2);
        assert_true((event->node == 1) == (event->at_us >= 100000));
        at_1 += event->node == 1;
        at_2 += event->node == 2;
    }
    assert_int_equal(at_1, 10);
    assert_int_equal(at_2, 10);
    test_free(rig);
}

static void a_frame_that_comes_while_the_sender_waits_goes_first(void **state)
{
    struct rig *rig = rig_sleepy(3, 2560, 0);

    (void)state;
    rig_send(rig, 20000, 0, 1, 60, 1);
    mup_medium_run(&rig->medium, 30000);
    assert_int_equal(rig->count, 0);
    assert_int_equal(mup_medium_wake_us(&rig->medium), 100000);
    rig_send(rig, 30000, 0, 2, 60, 2);
    rig_finish(rig);
    assert_in_range(find(rig, DELIVERED, 2, 0)->at_us, 32000, 36000);
    assert_in_range(find(rig, DELIVERED, 1, 0)->at_us, 100000, 106000);
    test_free(rig);
}

static void a_retry_waits_for_the_next_sample(void **state)
{
    struct rig *rig = rig_sleepy(3, 2560, 0);

    (void)state;
    rig->medium.config.frame_loss_ppm = MUP_MEDIUM_PPM;
    rig_send(rig, 50000, 0, 1, 60, 1);
    rig_finish(rig);
    for (unsigned i = 0; i < 4; i++)
        assert_in_range(find(rig, ON_AIR, 0, i)->at_us, 100000 * (i + 1) + 320,
                        100000 * (i + 1) + 2560);
    test_free(rig);
}

/* Retries that wait for a sample each still belong to one frame. */
static void the_filter_remembers_for_longer_when_retries_take_longer(void **state)
{
    struct rig *rig = rig_clean(3, 2);

    (void)state;
    mup_medium_set_sleep(&rig->medium, 0, 1, &(struct mup_medium_sleep){.period_us = 400000});
    rig->medium.config.ack_loss_ppm = MUP_MEDIUM_PPM;
    rig_send(rig, 50000, 0, 1, 60, 1);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 1).delivered.frames, 1);
    assert_int_equal(rig_counters(rig, 1).repeated, 3);
    test_free(rig);
}

static void a_sleeper_does_not_hear_what_begins_when_it_sleeps(void **state)
{
    unsigned missed = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct rig *rig = rig_sleepy(seed, 2560, 0);

        for (unsigned i = 0; i < 60; i++) /* somebody else's traffic delays the sender */
            rig_send(rig, 80000, 2, 3, 127, (uint8_t)i);
        for (unsigned i = 0; i < 4; i++)
            rig_send(rig, 80000, 0, 1, 60, (uint8_t)i);
        rig_finish(rig);
        for (size_t i = 0; i < rig->count; i++) {
            const struct rig_event *event = &rig->event[i];
            if (event->what == DELIVERED && event->node == 1)
                assert_in_range((event->at_us - 2112) % PERIOD_US, 0, 2560 + 544);
            missed +=
                event->what == ON_AIR && event->node == 0 && event->at_us % PERIOD_US > 2560 + 544;
        }
        test_free(rig);
    }
    assert_true(missed > 10);
}

static void a_broadcast_is_preceded_by_wake_up_frames_and_reaches_sleepers(void **state)
{
    struct rig *rig = rig_sleepy(3, 2560, 0);
    struct mup_medium_channel channel;
    uint8_t psdu[20];
    uint64_t begin_us;

    (void)state;
    mup_medium_set_sleep(&rig->medium, 0, 2, &(struct mup_medium_sleep){.period_us = 30000});
    rig_broadcast(psdu, sizeof psdu, 0, 1);
    assert_true(mup_medium_send(&rig->medium, 10000, 0, psdu, sizeof psdu));
    rig_finish(rig);
    begin_us = find(rig, ON_AIR, 0, 0)->at_us; /* of the frame itself */
    assert_in_range(begin_us, 110320, 112560);
    for (unsigned node = 1; node < 4; node++)
        assert_int_equal(find(rig, DELIVERED, node, 0)->at_us, begin_us + 832);
    mup_medium_count_channel(&rig->medium, 0, &channel);
    assert_int_equal(channel.busy_us, 100832);
    assert_int_equal(rig_counters(rig, 0).tx_us, 100832);
    assert_int_equal(rig_counters(rig, 0).broadcast.bytes, 20);
    test_free(rig);
}

/* A broadcast and a frame that begin together: the first wake-up frame is lost, and the frame. */
static unsigned overlap(uint64_t seed, unsigned to_all, unsigned to_one)
{
    struct rig *rig = rig_sleepy(seed, 2560, 0);
    struct mup_medium_channel channel;
    uint8_t psdu[20];

    rig_broadcast(psdu, sizeof psdu, to_all, 1);
    assert_true(mup_medium_send(&rig->medium, 0, to_all, psdu, sizeof psdu));
    rig_send(rig, 0, to_one, 0, 60, 1);
    mup_medium_run(&rig->medium, 104000); /* a period and 832, before any retry */
    mup_medium_count_channel(&rig->medium, 0, &channel);
    if (channel.collisions > 0) {
        assert_int_equal(channel.collisions, 1);
        assert_int_equal(rig_counters(rig, 0).delivered.bytes, 20);
        assert_int_equal(rig_counters(rig, 1).delivered.bytes, 20);
        assert_int_equal(rig_counters(rig, to_one).delivered.bytes, 20);
    }
    test_free(rig);
    return channel.collisions > 0;
}

static void what_overlaps_wake_up_frames_is_destroyed_and_does_not_destroy(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++)
        seen += overlap(seed, 2, 3) + overlap(seed, 3, 2);
    assert_true(seen > 10);
}

static uint64_t on_us(struct rig *rig, uint64_t now_us, unsigned node)
{
    struct mup_medium_counters counters;

    mup_medium_count(&rig->medium, now_us, node, &counters);
    return counters.rx_us;
}

static void a_sleeper_without_traffic_is_on_in_its_samples_alone(void **state)
{
    struct rig *rig = rig_sleepy(3, 5000, 20000);

    (void)state;
    /* 20 ms from the beginning, as after traffic; then 5 of each 100 ms */
    assert_int_equal(on_us(rig, 10000, 1), 10000);
    assert_int_equal(on_us(rig, 20000, 1), 20000);
    assert_int_equal(on_us(rig, 99000, 1), 20000);
    assert_int_equal(on_us(rig, 103000, 1), 23000);
    assert_int_equal(on_us(rig, 150000, 1), 25000);
    assert_int_equal(on_us(rig, 1050000, 1), 20000 + 10 * 5000);
    mup_medium_reset_counters(&rig->medium, 1050000);
    assert_int_equal(on_us(rig, 1101000, 1), 1000);
    assert_int_equal(on_us(rig, 1101000, 2), 51000); /* always on */
    mup_medium_set_sleep(&rig->medium, 1101000, 1, &(struct mup_medium_sleep){0});
    assert_int_equal(on_us(rig, 2101000, 1), 1001000);
    mup_medium_detach(&rig->medium, 2101000, 1);
    assert_int_equal(on_us(rig, 3000000, 1), 1001000);
    test_free(rig);
}

static void traffic_keeps_a_sleeper_on_from_backoff_to_lingering(void **state)
{
    struct rig *rig = rig_sleepy(3, 5000, 20000);
    struct mup_medium_counters counters;
    uint64_t done_us;

    (void)state;
    rig_send(rig, 50000, 1, 0, 60, 1); /* 20000 at the start, 50000 to done + 20000 */
    rig_finish(rig);
    done_us = find(rig, DONE, 1, 0)->at_us;
    mup_medium_count(&rig->medium, 99000, 1, &counters);
    assert_int_equal(counters.tx_us, 2112);
    assert_int_equal(counters.rx_us, 20000 + done_us - 50000 + 20000 - 2112);
    /* 5000 at 100000; then a frame from the router, at 200000: from there to the end of the
     * acknowledgement, and 20000 more */
    rig_send(rig, 150000, 0, 1, 60, 2);
    rig_finish(rig);
    done_us = find(rig, DONE, 0, 0)->at_us - 200000 + done_us - 50000;
    mup_medium_count(&rig->medium, 290000, 1, &counters);
    assert_int_equal(counters.tx_us, 2112 + 352);
    assert_in_range(counters.rx_us + 2112 + 352, done_us + 65000 - 2600, done_us + 65000);
    test_free(rig);
}

static void a_node_set_to_sleep_in_mid_frame_still_hears_its_acknowledgement(void **state)
{
    static const struct mup_medium_sleep sleep = {.period_us = PERIOD_US};
    struct rig *rig = rig_clean(3, 2);

    (void)state;
    rig_send(rig, 0, 1, 0, 127, 1);
    while (rig_count(rig, ON_AIR) == 0)
        mup_medium_run(&rig->medium, mup_medium_wake_us(&rig->medium));
    mup_medium_set_sleep(&rig->medium, 0, 1, &sleep);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 1).retries.frames, 0);
    assert_int_equal(find(rig, DONE, 1, 0)->kind, MUP_MEDIUM_SENT);
    test_free(rig);
}

static void a_receiver_that_was_put_to_sleep_meanwhile_is_waited_for(void **state)
{
    static const struct mup_medium_sleep sleep = {.period_us = PERIOD_US};
    struct rig *rig = rig_clean(3, 2);

    (void)state;
    rig_send(rig, 1000, 0, 1, 60, 1);
    mup_medium_set_sleep(&rig->medium, 500, 1, &sleep);
    rig_finish(rig);
    assert_in_range(find(rig, ON_AIR, 0, 0)->at_us, 100820, 103060); /* 500 + a period */
    test_free(rig);
}

/* Its own frame finds no channel while it owes or sends an acknowledgement. */
static void a_sleeper_that_gives_up_its_frame_still_acknowledges(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct rig *rig = rig_sleepy(seed, 2560, 0);
        uint64_t acks_us = 0;
        uint64_t from_us = 0;
        struct mup_medium_counters counters;

        for (unsigned i = 0; i < 12; i++) {
            rig_send(rig, 50000, 2, 1, 127, (uint8_t)i);
            rig_send(rig, 50000, 1, 3, 127, (uint8_t)i);
        }
        rig_finish(rig);
        for (size_t i = 0; i < rig->count; i++) {
            const struct rig_event *event = &rig->event[i];
            if (event->node != 1)
                continue;
            if (event->what == DELIVERED)
                from_us = event->at_us;
            if (event->what == ON_AIR && event->kind == MUP_MEDIUM_ACK)
                acks_us += 192 + 352;
            seen += event->what == DONE && event->kind == MUP_MEDIUM_NO_CHANNEL &&
                    event->at_us < from_us + 544;
        }
        mup_medium_count(&rig->medium, 0, 1, &counters);
        assert_true(counters.rx_us + counters.tx_us >= acks_us);
        test_free(rig);
    }
    assert_true(seen > 0);
}

static void a_broadcast_makes_its_receivers_linger(void **state)
{
    struct rig *rig = rig_sleepy(3, 2560, 20000);
    uint8_t psdu[20];
    uint64_t end_us;

    (void)state;
    rig_broadcast(psdu, sizeof psdu, 2, 1);
    assert_true(mup_medium_send(&rig->medium, 50000, 2, psdu, sizeof psdu));
    rig_finish(rig);
    end_us = find(rig, DELIVERED, 1, 0)->at_us;
    rig_send(rig, end_us + 15000, 0, 1, 60, 1);
    rig_finish(rig);
    assert_in_range(find(rig, ON_AIR, 0, 0)->at_us, end_us + 15320, end_us + 17560);
    test_free(rig);
}

static void a_period_that_is_all_sample_is_no_sleep(void **state)
{
    struct rig *rig = rig_clean(3, 2);

    (void)state;
    mup_medium_set_sleep(&rig->medium, 0, 1, &(struct mup_medium_sleep){.period_us = 2560});
    rig_send(rig, 1616, 0, 1, 60, 1);
    rig_finish(rig);
    assert_in_range(find(rig, ON_AIR, 0, 0)->at_us, 1936, 4176);
    assert_int_equal((find(rig, ON_AIR, 0, 0)->at_us - 1616) % 320, 0);
    assert_int_equal(on_us(rig, 100000, 1), 100000 - 352);
    test_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sender_waits_for_the_receiver_to_wake),
        cmocka_unit_test(a_sender_goes_ahead_while_enough_of_the_sample_is_left),
        cmocka_unit_test(a_receiver_lingers_after_a_frame_and_then_sleeps),
        cmocka_unit_test(what_a_sleeper_sends_keeps_it_on_for_the_acknowledgement_and_the_answer),
        cmocka_unit_test(frames_for_others_overtake_one_whose_receiver_sleeps),
        cmocka_unit_test(a_frame_that_comes_while_the_sender_waits_goes_first),
        cmocka_unit_test(a_retry_waits_for_the_next_sample),
        cmocka_unit_test(the_filter_remembers_for_longer_when_retries_take_longer),
        cmocka_unit_test(a_sleeper_does_not_hear_what_begins_when_it_sleeps),
        cmocka_unit_test(a_broadcast_is_preceded_by_wake_up_frames_and_reaches_sleepers),
        cmocka_unit_test(what_overlaps_wake_up_frames_is_destroyed_and_does_not_destroy),
        cmocka_unit_test(a_sleeper_without_traffic_is_on_in_its_samples_alone),
        cmocka_unit_test(traffic_keeps_a_sleeper_on_from_backoff_to_lingering),
        cmocka_unit_test(a_receiver_that_was_put_to_sleep_meanwhile_is_waited_for),
        cmocka_unit_test(a_sleeper_that_gives_up_its_frame_still_acknowledges),
        cmocka_unit_test(a_broadcast_makes_its_receivers_linger),
        cmocka_unit_test(a_period_that_is_all_sample_is_no_sleep),
        cmocka_unit_test(a_node_set_to_sleep_in_mid_frame_still_hears_its_acknowledgement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
