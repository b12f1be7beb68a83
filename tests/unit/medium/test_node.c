/* Nodes that come and go, what is known of their addresses, and what callbacks may do. */
#include "rig.h"

static const uint8_t no_eui64[8] = {9, 9, 9, 9, 9, 9, 9, 9};

static void addresses_are_learnt_from_the_frames_that_a_node_sends(void **state)
{
    struct rig *rig = rig_clean(1, 1);
    uint8_t eui64[8];
    uint16_t address = 7;
    uint8_t psdu[40] = {0x61, 0x98, 1, 0xcd, 0xab, 0x34, 0x12, 0x78, 0x56};

    (void)state;
    mup_medium_attach(&rig->medium, 0, 1, NULL);
    mup_medium_attach(&rig->medium, 0, 2, NULL);
    memcpy(eui64, no_eui64, 8);
    assert_false(mup_medium_eui64(&rig->medium, 1, eui64));
    assert_false(mup_medium_short_address(&rig->medium, 1, &address));
    assert_memory_equal(eui64, no_eui64, 8);
    assert_int_equal(address, 7);
    rig_send(rig, 0, 0, 1, 40, 1); /* to an address that nobody has yet */
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 1).delivered.frames, 0);

    rig_send(rig, 0, 1, 0, 40, 1);
    assert_true(mup_medium_eui64(&rig->medium, 1, eui64));
    assert_memory_equal(eui64, ((uint8_t[]){1, 0, 0, 0, 0, 0, 0, 2}), 8);
    rig_finish(rig);
    rig_send(rig, 0, 0, 1, 40, 2);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 1).delivered.frames, 1);

    rig_seal(psdu, sizeof psdu); /* from 0x5678 */
    assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu));
    assert_true(mup_medium_short_address(&rig->medium, 1, &address));
    assert_int_equal(address, 0x5678);
    rig_finish(rig);
    memcpy(psdu + 5, (uint8_t[]){0x78, 0x56, 0xbc, 0x9a}, 4); /* 0x9abc to 0x5678 */
    rig_seal(psdu, sizeof psdu);
    assert_true(mup_medium_send(&rig->medium, 0, 2, psdu, sizeof psdu));
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 1).delivered.frames, 2);
    assert_int_equal(rig_counters(rig, 1).acks.frames, 2);
    assert_true(mup_medium_eui64(&rig->medium, 1, eui64)); /* still */
    test_free(rig);
}

static void a_frame_with_a_wrong_check_sequence_teaches_no_address_and_reaches_nobody(void **state)
{
    struct rig *rig = rig_clean(1, 1);
    uint8_t eui64[8];
    uint8_t psdu[40];

    (void)state;
    mup_medium_attach(&rig->medium, 0, 1, NULL);
    rig_data(psdu, sizeof psdu, 0, 1, 1);
    psdu[39] ^= 1;
    assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu));
    assert_false(mup_medium_eui64(&rig->medium, 1, eui64));
    rig_finish(rig);
    assert_int_equal(rig_count(rig, ON_AIR), 4); /* it asks for an acknowledgement, after all */
    assert_int_equal(rig_count(rig, DELIVERED), 0);
    assert_int_equal(rig_counters(rig, 0).acks.frames, 0);
    test_free(rig);
}

static void run_until_on_air(struct rig *rig)
{
    while (rig_count(rig, ON_AIR) == 0)
        mup_medium_run(&rig->medium, mup_medium_wake_us(&rig->medium));
}

static void a_sender_that_is_switched_off_leaves_half_a_frame(void **state)
{
    struct rig *rig = rig_clean(1, 3);
    struct mup_medium_channel channel;
    uint64_t begin_us;

    (void)state;
    rig_send(rig, 0, 1, 0, 127, 1);
    rig_send(rig, 0, 1, 0, 127, 2);
    run_until_on_air(rig);
    begin_us = rig->event[0].at_us;
    mup_medium_detach(&rig->medium, begin_us + 2000, 1);
    mup_medium_attach(&rig->medium, begin_us + 2000, 1, NULL);
    rig_finish(rig);
    assert_int_equal(rig->count, 1);
    mup_medium_count_channel(&rig->medium, 1000000, &channel);
    assert_int_equal(channel.busy_us, 2000);
    assert_int_equal(rig_counters(rig, 1).tx_us, 2000); /* the counters stay */
    assert_int_equal(rig_counters(rig, 1).data.frames, 1);
    /* and the channel is free again, 2000 us into the frame */
    rig_send(rig, begin_us + 2000, 2, 0, 127, 3);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 0).delivered.frames, 1);
    test_free(rig);
}

static void a_receiver_that_is_switched_off_or_on_in_mid_frame_does_not_get_it(void **state)
{
    (void)state;
    for (int is_back = 0; is_back < 2; is_back++) {
        struct rig *rig = rig_clean(1, 3);
        uint8_t eui64[8] = {0, 0, 0, 0, 0, 0, 0, 2};
        uint64_t begin_us;

        rig_send(rig, 0, 1, 0, 127, 1);
        run_until_on_air(rig);
        begin_us = rig->event[0].at_us;
        mup_medium_detach(&rig->medium, begin_us + 2000, 0);
        if (is_back)
            mup_medium_attach(&rig->medium, begin_us + 2000, 0, eui64);
        mup_medium_run(&rig->medium, begin_us + 4800);
        assert_int_equal(rig->count, 1);
        rig_finish(rig);
        assert_int_equal(rig_counters(rig, 0).delivered.frames, is_back);
        assert_int_equal(rig_counters(rig, 1).retries.frames, is_back ? 1 : 3);
        test_free(rig);
    }
}

static void what_is_due_happens_before_a_node_is_switched_off(void **state)
{
    struct rig *rig = rig_clean(1, 2);

    (void)state;
    rig_send(rig, 0, 1, 0, 127, 1);
    mup_medium_detach(&rig->medium, 100000, 1);
    assert_int_equal(rig->count, 4);
    assert_in_range(rig->event[3].at_us, 5000, 8000);
    test_free(rig);
}

static void nobody_sends_from_where_no_node_is(void **state)
{
    struct rig *rig = rig_clean(1, 2);
    struct mup_medium_counters counters;
    uint8_t eui64[8];
    uint16_t address;
    uint8_t psdu[40];

    (void)state;
    rig_data(psdu, sizeof psdu, 0, 1, 1);
    assert_false(mup_medium_send(&rig->medium, 0, 2, psdu, sizeof psdu));
    assert_false(mup_medium_send(&rig->medium, 0, MUP_MEDIUM_NODES_MAX, psdu, sizeof psdu));
    assert_false(mup_medium_send(&rig->medium, 0, UINT32_MAX, psdu, sizeof psdu));
    mup_medium_attach(&rig->medium, 0, MUP_MEDIUM_NODES_MAX, NULL);
    mup_medium_detach(&rig->medium, 0, MUP_MEDIUM_NODES_MAX);
    mup_medium_set_sleep(&rig->medium, 0, MUP_MEDIUM_NODES_MAX, &(struct mup_medium_sleep){0});
    mup_medium_count(&rig->medium, 0, MUP_MEDIUM_NODES_MAX, &counters);
    assert_int_equal(counters.rx_us, 0);
    assert_false(mup_medium_eui64(&rig->medium, MUP_MEDIUM_NODES_MAX, eui64));
    assert_false(mup_medium_short_address(&rig->medium, MUP_MEDIUM_NODES_MAX, &address));
    assert_int_equal(mup_medium_wake_us(&rig->medium), MUP_MEDIUM_NEVER);
    assert_int_equal(rig_counters(rig, 2).dropped_queue, 0);
    test_free(rig);
}

static void a_size_that_no_frame_has_is_refused_and_counted(void **state)
{
    struct rig *rig = rig_clean(1, 2);

    (void)state;
    for (size_t size = 0; size < 140; size++) {
        uint8_t *exact = test_malloc(size == 0 ? 1 : size);
        memset(exact, 0xff, size);
        assert_int_equal(mup_medium_send(&rig->medium, 0, 1, exact, size),
                         size >= 3 && size <= 127);
        test_free(exact);
        rig_finish(rig);
    }
    assert_int_equal(rig_counters(rig, 1).dropped_queue, 15);
    assert_int_equal(rig_counters(rig, 1).broadcast.frames, 125); /* none has a destination */
    assert_int_equal(rig_count(rig, DELIVERED), 0);
    test_free(rig);
}

/* Of the frame types, versions and addressing modes, what the 6LoWPAN of this lab uses arrives. */
static void every_frame_control_is_read_as_the_standard_has_it(void **state)
{
    (void)state;
    for (unsigned control = 0; control < 0x10000; control++) {
        unsigned type = control & 7u;
        unsigned to = control >> 10 & 3u;
        unsigned from = control >> 14 & 3u;
        bool is_understood = (type == 1 || type == 3) && (control >> 12 & 3u) < 2;
        uint8_t psdu[30] = {(uint8_t)control, (uint8_t)(control >> 8), 1, 0xcd, 0xab};
        static struct mup_medium medium;
        struct mup_medium_counters counters;

        if ((control & 0x0318u) != 0)
            continue; /* bits that change nothing: security, frame pending, reserved */
        mup_medium_init(&medium, &(struct mup_medium_config){0}, &(struct mup_medium_calls){0});
        mup_medium_attach(&medium, 0, 0, (const uint8_t *)"\1\2\3\4\5\6\7\10");
        medium.node[0].short_address = (struct mup_medium_address){2, {1, 2}};
        mup_medium_attach(&medium, 0, 1, NULL);
        memcpy(psdu + 5, "\1\2\3\4\5\6\7\10", 8);
        rig_seal(psdu, sizeof psdu);
        assert_true(mup_medium_send(&medium, 0, 1, psdu, sizeof psdu));
        mup_medium_run(&medium, 1000000);
        mup_medium_count(&medium, 0, 0, &counters);
        is_understood = is_understood && (to == 2 || to == 3) && from != 1;
        assert_int_equal(counters.delivered.frames, is_understood);
        assert_int_equal(counters.acks.frames, is_understood && (control & 0x20u) != 0);
    }
}

/* A frame that ends within its addresses has none: exact-size blocks, so that a byte too far is
 * seen. */
static void a_frame_that_is_cut_off_in_its_addresses_reaches_nobody(void **state)
{
    struct rig *rig = rig_clean(1, 2);
    uint8_t whole[40];
    uint8_t eui64[8];

    (void)state;
    mup_medium_attach(&rig->medium, 0, 1, NULL);
    rig_data(whole, sizeof whole, 0, 1, 1);
    for (size_t size = 3; size <= 24; size++) {
        uint8_t *exact = test_malloc(size);
        memcpy(exact, whole, size);
        rig_seal(exact, size);
        rig->count = 0;
        assert_true(mup_medium_send(&rig->medium, 0, 1, exact, size));
        test_free(exact);
        assert_int_equal(mup_medium_eui64(&rig->medium, 1, eui64), size >= 23);
        rig_finish(rig);
        assert_int_equal(rig_count(rig, DELIVERED), size == 23 ? 1 : 0); /* 24: the same number */
        assert_int_equal(rig->event[0].kind, size >= 23 ? MUP_MEDIUM_DATA : MUP_MEDIUM_OTHER);
    }
    test_free(rig);
}

static void only_0xffff_is_everybody_and_nobody_acknowledges_it(void **state)
{
    static const uint8_t addresses[][2] = {{0xff, 0xff}, {0xff, 0xfe}, {0xfe, 0xff}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct rig *rig = rig_clean(1, 3);
        uint8_t psdu[40];

        rig_broadcast(psdu, sizeof psdu, 1, 1);
        psdu[0] |= 0x20; /* it asks for an acknowledgement */
        memcpy(psdu + 5, addresses[i], 2);
        rig_seal(psdu, sizeof psdu);
        assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu));
        rig_finish(rig);
        assert_int_equal(rig_count(rig, DELIVERED), i == 0 ? 2 : 0);
        assert_int_equal(rig_count(rig, ON_AIR), i == 0 ? 1 : 4);
        assert_int_equal(rig->event[0].kind, i == 0 ? MUP_MEDIUM_BROADCAST : MUP_MEDIUM_DATA);
        test_free(rig);
    }
}

/* ---- the duplicate filter ---- */

static void deliver_numbered(struct rig *rig, uint64_t now_us, unsigned from, uint8_t dsn,
                             unsigned expected)
{
    uint64_t before = rig_counters(rig, 0).delivered.frames;

    rig_send(rig, now_us, from, 0, 40, dsn);
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 0).delivered.frames - before, expected);
}

static void the_latest_number_of_each_sender_is_filtered_for_a_short_while(void **state)
{
    struct rig *rig = rig_clean(1, 3);

    (void)state;
    deliver_numbered(rig, 0, 1, 7, 1);
    deliver_numbered(rig, 0, 1, 7, 0);
    deliver_numbered(rig, 0, 2, 7, 1); /* another sender's */
    deliver_numbered(rig, 0, 1, 8, 1);
    deliver_numbered(rig, 0, 1, 7, 1); /* not the latest any more */
    deliver_numbered(rig, 0, 1, 7, 0);
    assert_int_equal(rig_counters(rig, 0).repeated, 2);
    assert_int_equal(rig_counters(rig, 0).acks.frames, 6); /* repeated ones too */
    deliver_numbered(rig, 1000000, 1, 7, 1);               /* after a reset, say */
    test_free(rig);
}

/* From the end of the first attempt to that of the fourth at most, by the standard's numbers:
 * 3 * (864 + 36800 + 640 + 192 + 4256); each time that it is offered again 3 * (36800 + 640) more.
 */
static void the_filter_remembers_for_as_long_as_retries_may_take(void **state)
{
    static const uint64_t longest_us[] = {128256, 128256 + 112320, 128256 + 2 * 112320};

    (void)state;
    for (uint32_t offers = 0; offers < 3; offers++)
        for (uint64_t seed = 0; seed < 30; seed++) {
            struct rig *rig =
                rig_new(&(struct mup_medium_config){.seed = seed, .offers_max = offers}, 2);
            uint64_t between_us;

            deliver_numbered(rig, 0, 1, 7, 1);
            rig_send(rig, longest_us[offers], 1, 0, 40, 7);
            rig_finish(rig);
            between_us = rig->event[rig->count - 2].at_us - rig->event[2].at_us;
            assert_in_range(between_us, longest_us[offers] - 4000, longest_us[offers] + 4000);
            assert_int_equal(rig_counters(rig, 0).repeated, between_us <= longest_us[offers]);
            test_free(rig);
        }
}

static void more_senders_than_the_filter_has_room_for_push_out_the_oldest(void **state)
{
    struct rig *rig = rig_clean(1, 2);
    uint8_t psdu[40];

    (void)state;
    for (unsigned round = 0; round < 2; round++)
        for (unsigned sender = 0; sender < 250; sender++) {
            rig_data(psdu, sizeof psdu, 0, sender, 7);
            rig->count = 0;
            assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu));
            rig_finish(rig);
            assert_int_equal(rig_count(rig, DELIVERED), 1);
        }
    test_free(rig);
}

static void a_sender_that_is_pushed_out_was_the_oldest(void **state)
{
    struct rig *rig = rig_new(&(struct mup_medium_config){.offers_max = 15}, 2);
    uint8_t psdu[40];

    (void)state;
    for (unsigned sender = 0; sender <= 82; sender++) {
        rig_data(psdu, sizeof psdu, 0, sender % 81, 7); /* after 81 of them, 0 and 1 again */
        assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu));
        rig_finish(rig);
    }
    assert_int_equal(rig_counters(rig, 0).delivered.frames, 83); /* 0 pushed 1 out */
    rig_data(psdu, sizeof psdu, 0, 3, 7);
    assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu));
    rig_finish(rig);
    assert_int_equal(rig_counters(rig, 0).repeated, 1);
    test_free(rig);
}

static void frames_without_a_source_are_never_taken_for_repetitions(void **state)
{
    struct rig *rig = rig_clean(1, 2);
    uint8_t psdu[30] = {0x61, 0x1c, 7, 0xcd, 0xab, 0, 0, 0, 0, 0, 0, 0, 2};

    (void)state;
    rig_seal(psdu, sizeof psdu);
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(mup_medium_send(&rig->medium, 0, 1, psdu, sizeof psdu));
        rig_finish(rig);
        assert_int_equal(rig_counters(rig, 0).delivered.frames, i);
    }
    test_free(rig);
}

/* ---- callbacks ---- */

struct echo {
    struct mup_medium medium;
    unsigned left;
    unsigned delivered;
    bool detaches;
};

static void echo(void *context, unsigned node, uint64_t at_us, const uint8_t *psdu, size_t size)
{
    struct echo *e = context;
    uint8_t answer[MUP_MEDIUM_PSDU_MAX];

    e->delivered++;
    mup_medium_run(&e->medium, at_us + 1000000); /* does nothing from here */
    assert_true(mup_medium_wake_us(&e->medium) <= at_us + 192 || psdu[7] == 0xff);
    if (e->detaches) {
        mup_medium_detach(&e->medium, at_us, 0);
        mup_medium_detach(&e->medium, at_us, 1);
        mup_medium_attach(&e->medium, at_us, 1, NULL);
    }
    if (e->left == 0)
        return;
    e->left--;
    rig_data(answer, size, 1 - node, node, (uint8_t)e->left);
    mup_medium_send(&e->medium, at_us, node, answer, size);
}

static struct echo *echo_new(uint32_t duplicate_ppm)
{
    struct echo *e = test_calloc(1, sizeof *e);

    mup_medium_init(&e->medium, &(struct mup_medium_config){.duplicate_ppm = duplicate_ppm},
                    &(struct mup_medium_calls){.context = e, .deliver = echo});
    for (uint8_t node = 0; node < 2; node++)
        mup_medium_attach(&e->medium, 0, node, (uint8_t[]){node, 0, 0, 0, 0, 0, 0, 2});
    return e;
}

static void a_node_may_answer_from_within_the_delivery(void **state)
{
    struct echo *e = echo_new(0);
    uint8_t psdu[127];

    (void)state;
    e->left = 50;
    rig_data(psdu, sizeof psdu, 0, 1, 99);
    assert_true(mup_medium_send(&e->medium, 0, 1, psdu, sizeof psdu));
    mup_medium_run(&e->medium, 10000000);
    assert_int_equal(e->delivered, 51);
    assert_int_equal(mup_medium_wake_us(&e->medium), MUP_MEDIUM_NEVER);
    test_free(e);
}

static void both_ends_may_be_switched_off_from_within_the_delivery(void **state)
{
    struct echo *e = echo_new(MUP_MEDIUM_PPM);
    uint8_t psdu[127];

    (void)state;
    e->detaches = true;
    rig_data(psdu, sizeof psdu, 0, 1, 99);
    assert_true(mup_medium_send(&e->medium, 0, 1, psdu, sizeof psdu));
    mup_medium_run(&e->medium, 10000000);
    assert_int_equal(e->delivered, 1);
    assert_int_equal(mup_medium_wake_us(&e->medium), MUP_MEDIUM_NEVER);
    rig_data(psdu, sizeof psdu, 5, 1, 98);
    assert_true(mup_medium_send(&e->medium, 0, 1, psdu, sizeof psdu));
    test_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_learnt_from_the_frames_that_a_node_sends),
        cmocka_unit_test(a_frame_with_a_wrong_check_sequence_teaches_no_address_and_reaches_nobody),
        cmocka_unit_test(a_sender_that_is_switched_off_leaves_half_a_frame),
        cmocka_unit_test(a_receiver_that_is_switched_off_or_on_in_mid_frame_does_not_get_it),
        cmocka_unit_test(what_is_due_happens_before_a_node_is_switched_off),
        cmocka_unit_test(nobody_sends_from_where_no_node_is),
        cmocka_unit_test(a_size_that_no_frame_has_is_refused_and_counted),
        cmocka_unit_test(every_frame_control_is_read_as_the_standard_has_it),
        cmocka_unit_test(a_frame_that_is_cut_off_in_its_addresses_reaches_nobody),
        cmocka_unit_test(only_0xffff_is_everybody_and_nobody_acknowledges_it),
        cmocka_unit_test(the_latest_number_of_each_sender_is_filtered_for_a_short_while),
        cmocka_unit_test(the_filter_remembers_for_as_long_as_retries_may_take),
        cmocka_unit_test(more_senders_than_the_filter_has_room_for_push_out_the_oldest),
        cmocka_unit_test(a_sender_that_is_pushed_out_was_the_oldest),
        cmocka_unit_test(frames_without_a_source_are_never_taken_for_repetitions),
        cmocka_unit_test(a_node_may_answer_from_within_the_delivery),
        cmocka_unit_test(both_ends_may_be_switched_off_from_within_the_delivery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
