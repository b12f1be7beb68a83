/*
 * Both ends of a transfer and the broker between them, in each of the four modes: the device's
 * agent, the update server's decisions, and a session as MQTT 5 describes it (queue, Receive
 * Maximum, expiry, what is repeated after a reconnection). Time is a number: links are gone for a
 * minute, and nobody sleeps.
 */
#include "world.h"

#include "server/update.h"

#define FIRMWARE    "mup/firmware/" WORLD_NAME
#define IMAGE_SIZE  20000u
#define SLICE       500u
#define QUEUE_MAX   4096u
#define RATE_BYTES  15u /* a millisecond: what 802.15.4 carries */
#define DEADLINE_MS 7200000u

/* A slice on its way: in the broker's queue, or under way to the device. */
struct parcel {
    struct mup_slice_header header;
    int qos;
    uint16_t id; /* 0: not delivered yet */
    uint32_t sent_ms;
};

struct mode {
    const char *name;
    enum mup_flow flow;
    uint32_t window;
    uint16_t pause_ms;
    uint16_t receive_maximum;
};

static const struct mode modes[] = {
    {"stop-and-wait", MUP_FLOW_CREDIT, SLICE, 0, 0},
    {"credit", MUP_FLOW_CREDIT, 4096, 0, 0},
    {"QoS 1", MUP_FLOW_QOS1, MUP_WINDOW_MAX, 0, 4},
    {"QoS 1 with a small window", MUP_FLOW_QOS1, 4096, 0, 4},
    {"paced", MUP_FLOW_PACED, MUP_WINDOW_MAX, 40, 0},
    {"paced with a small window", MUP_FLOW_PACED, 4096, 40, 0},
};

#define MODE_COUNT (sizeof modes / sizeof modes[0])

static struct lab {
    const struct mode *mode;
    struct world *world;
    struct mup_update update;
    struct parcel queue[QUEUE_MAX];
    size_t queue_size;
    size_t queue_limit; /* further ones are thrown away, as by max_queued_messages */
    size_t puback_count;
    uint32_t rate; /* bytes each `period` ms */
    uint32_t period_ms;
    uint32_t credit;
    bool is_up;
    bool wants_token;
    /* what was measured */
    uint32_t acks;
    uint32_t delivered; /* bytes of slices */
    size_t queue_most;
    size_t under_way_most;
    uint32_t end_ms;
    uint16_t transfer;
    uint32_t payload_size;
} lab;

/* ---- The update server --------------------------------------------------------------------- */

static void act(unsigned actions);

static void send_slices(void)
{
    struct mup_slice_header header;

    while (mup_update_next_slice(&lab.update, &header, lab.world->now_ms)) {
        mup_update_slice_sent(&lab.update, &header, header.size + 9, lab.world->now_ms);
        if (lab.queue_size < lab.queue_limit)
            lab.queue[lab.queue_size++] =
                (struct parcel){header, mup_update_slice_qos(&lab.update), 0, lab.world->now_ms};
    }
}

static void answer(struct answer answer)
{
    struct mup_update_answer told = {
        .state = answer.state, .value = answer.value, .value_size = answer.value_size};

    act(mup_update_on_answer(&lab.update, &told, lab.world->now_ms));
}

static void send_manifest(void)
{
    static const struct forgery nothing;

    lab.world->token = lab.update.token;
    world_extend(lab.world, &nothing);
    answer(world_send_manifest(lab.world));
}

static void act(unsigned actions)
{
    static const struct mup_update_sight sight;

    if (actions & MUP_DO_FINISH)
        fail_msg("%s: %s", lab.mode->name, lab.update.message);
    if (actions & MUP_DO_LOOK_UP)
        act(mup_update_on_found(&lab.update, &sight, lab.world->now_ms));
    if (actions & MUP_DO_ASK_TOKEN)
        lab.wants_token = true; /* the bridge keeps it until the device is there */
    if (actions & MUP_DO_SEND_MANIFEST)
        send_manifest();
    if (actions & MUP_DO_SEND_SLICES)
        send_slices();
}

/* What the device has said since. */
static void hear_acks(void)
{
    struct broker *broker = &lab.world->broker;

    for (size_t i = 0; i < broker->message_count; i++) {
        const struct broker_message *message = &broker->messages[i];
        struct mup_ack ack;

        if (strncmp(message->topic, "mup/ack/", 8) != 0)
            continue;
        lab.acks++;
        assert_int_equal(mup_ack_decode(&ack, message->payload, message->size), MUP_OK);
        act(mup_update_on_ack(&lab.update, &ack, message->size, lab.world->now_ms));
    }
    broker->message_count = 0;
}

/* ---- The broker ---------------------------------------------------------------------------- */

static void take_out(size_t i)
{
    memmove(lab.queue + i, lab.queue + i + 1, (--lab.queue_size - i) * sizeof lab.queue[0]);
}

static size_t under_way(void)
{
    size_t count = 0;

    for (size_t i = 0; i < lab.queue_size; i++)
        count += lab.queue[i].id != 0;
    return count;
}

static void hear_pubacks(void)
{
    const struct broker *broker = &lab.world->broker;

    for (; lab.puback_count < broker->puback_count; lab.puback_count++)
        for (size_t i = 0; i < lab.queue_size; i++)
            if (lab.queue[i].id == broker->pubacks[lab.puback_count % 256]) {
                take_out(i);
                break;
            }
}

static size_t encode(const struct parcel *parcel, uint8_t *bytes)
{
    size_t size = mup_slice_header_encode(bytes, &parcel->header);

    memcpy(bytes + size, lab.world->payload + parcel->header.offset, parcel->header.size);
    return size + parcel->header.size;
}

static void publish(struct parcel *parcel)
{
    struct broker *broker = &lab.world->broker;
    uint8_t bytes[MUP_SLICE_HEADER_MAX + SLICE];
    size_t size = encode(parcel, bytes);

    lab.delivered += parcel->header.size;
    if (parcel->id != 0)
        broker_publish_again(broker, parcel->id, FIRMWARE, bytes, size);
    else
        parcel->id =
            broker_publish(broker, FIRMWARE, bytes, size, parcel->qos, false, NULL, NULL, 0);
}

/* The next one that may go, if there is one; what has expired is gone. */
static struct parcel *next_parcel(void)
{
    while (lab.queue_size > under_way()) {
        struct parcel *parcel = &lab.queue[under_way()];

        if (parcel->qos == 1 &&
            lab.world->now_ms - parcel->sent_ms >= MUP_UPDATE_SLICE_EXPIRY_S * 1000) {
            take_out((size_t)(parcel - lab.queue));
            continue;
        }
        return parcel->qos == 0 || under_way() < lab.world->broker.receive_maximum ? parcel : NULL;
    }
    return NULL;
}

static void deliver(void)
{
    struct parcel *parcel;

    if (lab.world->now_ms % lab.period_ms == 0)
        lab.credit += lab.rate;
    while (lab.is_up && lab.world->is_connected && (parcel = next_parcel()) != NULL &&
           parcel->header.size <= lab.credit) {
        lab.credit -= parcel->header.size;
        publish(parcel);
        if (parcel->qos == 0)
            take_out((size_t)(parcel - lab.queue));
        else if (under_way() > lab.under_way_most)
            lab.under_way_most = under_way();
        world_pump(lab.world);
        hear_pubacks();
        hear_acks();
    }
    if (lab.credit > SLICE)
        lab.credit = SLICE;
}

/* ---- Time and links ------------------------------------------------------------------------ */

static void one_ms(void)
{
    struct world *world = lab.world;

    if (world->is_connected) {
        world_pass(world, 1);
        hear_pubacks();
        hear_acks();
    } else {
        world->now_ms++;
        (void)mup_agent_tick(&world->agent, world->now_ms);
    }
    if (mup_update_wake_ms(&lab.update) <= world->now_ms)
        act(mup_update_on_time(&lab.update, world->now_ms));
    if (lab.wants_token && world->is_connected && lab.is_up) {
        lab.wants_token = false;
        answer(world_token(world));
        hear_pubacks();
    }
    deliver();
    lab.queue_most = lab.queue_size > lab.queue_most ? lab.queue_size : lab.queue_most;
}

static uint32_t next(void)
{
    return mup_pipeline_next(&lab.world->agent.pipeline);
}

static void run_until(uint32_t wanted)
{
    uint32_t begin_ms = lab.world->now_ms;

    while (next() < wanted && mup_agent_phase(&lab.world->agent) != MUP_AGENT_COMPLETE) {
        if (lab.world->now_ms - begin_ms > DEADLINE_MS)
            fail_msg("%s: the device has %u of %u bytes after %u ms", lab.mode->name,
                     (unsigned)next(), (unsigned)wanted, DEADLINE_MS);
        one_ms();
    }
}

/* In the middle of a slice, if one is under way by QoS 1 or can be published. `after_ms` later the
 * device notices. */
static void cut(uint32_t after_ms)
{
    struct parcel *parcel = next_parcel();
    size_t used;

    if (parcel != NULL) {
        int qos = parcel->qos;

        publish(parcel);
        (void)mup_agent_input(&lab.world->agent, lab.world->now_ms, lab.world->broker.out, 200,
                              &used);
        if (qos == 0)
            take_out((size_t)(parcel - lab.queue));
    }
    lab.world->broker.out_size = 0;
    lab.is_up = false;
    lab.world->broker.is_gone = true;
    for (uint32_t ms = 0; ms < after_ms; ms++)
        one_ms();
    world_disconnect(lab.world);
}

/* The session of a device that is away keeps QoS 1 only. */
static void connect(void)
{
    for (size_t i = lab.queue_size; i > 0; i--)
        if (lab.queue[i - 1].qos == 0)
            take_out(i - 1);
    lab.is_up = true;
    lab.world->broker.is_gone = false;
    lab.world->broker.session_present = true;
    world_connect(lab.world);
    if (lab.world->broker.clean_start)
        lab.queue_size = 0;
    /* What was under way comes first, and again (MQTT-4.4.0-1). */
    for (size_t i = 0; i < under_way(); i++)
        publish(&lab.queue[i]);
    world_pump(lab.world);
    hear_pubacks();
    hear_acks();
}

static void begin(const struct mode *mode)
{
    struct mup_update_goal goal = {.slice_size = SLICE, .force = true};
    struct mup_update_limits limits;

    memset(&lab, 0, sizeof lab);
    lab.mode = mode;
    lab.queue_limit = QUEUE_MAX;
    lab.rate = RATE_BYTES;
    lab.period_ms = 1;
    lab.world = world_make();
    lab.world->config.flow = (uint8_t)mode->flow;
    lab.world->config.window_size = mode->window;
    lab.world->config.slice_size_max = SLICE;
    lab.world->config.pause_ms = mode->pause_ms;
    lab.world->config.receive_maximum = mode->receive_maximum;
    assert_true(world_boot(lab.world));
    world_release(lab.world, 2, IMAGE_SIZE, WORLD_BLOCK_SIZE);
    goal.manifest = lab.world->manifest;
    lab.payload_size = goal.manifest.payload_size;
    mup_update_limits_default(&limits);
    connect();
    act(mup_update_begin(&lab.update, &goal, &limits, false, lab.world->now_ms));
    while (lab.update.state != MUP_UPDATE_TRANSFER)
        one_ms();
    lab.acks = 0;
}

static void end(void)
{
    run_until(lab.payload_size);
    while (lab.update.state == MUP_UPDATE_TRANSFER)
        one_ms(); /* its last acknowledgement */
    lab.end_ms = lab.world->now_ms;
    lab.transfer = lab.world->agent.transfer;
    assert_int_equal(lab.update.state, MUP_UPDATE_VERIFY);
    assert_int_equal(world_verify(lab.world).state, MUP_STATE_OK);
    world_free(lab.world);
}

/* ---- Tests --------------------------------------------------------------------------------- */

static void each_mode_carries_the_image_and_no_byte_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODE_COUNT; i++) {
        uint32_t begin_ms;
        uint32_t count;

        begin(&modes[i]);
        begin_ms = lab.world->now_ms;
        count = (lab.payload_size + SLICE - 1) / SLICE;
        end();
        assert_int_equal(lab.delivered, lab.payload_size);
        assert_int_equal(lab.update.sender.rewinds, 0);
        /* As fast as link or pace allow. */
        uint32_t least_ms = modes[i].pause_ms * count > lab.payload_size / RATE_BYTES
                                ? modes[i].pause_ms * count
                                : lab.payload_size / RATE_BYTES;
        assert_in_range(lab.end_ms - begin_ms, least_ms - 100, least_ms + 100);
    }
}

static void acknowledgements_are_as_many_as_the_window_asks_for(void **state)
{
    static const uint32_t most[MODE_COUNT] = {42, 11, 1, 11, 1, 11};

    (void)state;
    for (size_t i = 0; i < MODE_COUNT; i++) {
        begin(&modes[i]);
        end();
        assert_in_range(lab.acks, most[i] == 1 ? 1 : most[i] - 2, most[i]);
    }
}

static void the_broker_never_has_more_under_way_than_the_device_takes(void **state)
{
    (void)state;
    for (uint16_t most = 1; most <= 8; most++) {
        struct mode mode = modes[2];

        mode.receive_maximum = most;
        begin(&mode);
        lab.world->broker.holds_pubacks = false;
        end();
        assert_in_range(lab.under_way_most, 1, most);
        assert_true(lab.queue_most > 30); /* the rest lay at the broker */
    }
}

static void after_a_minute_without_a_link_the_transfer_goes_on_within_the_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODE_COUNT; i++) {
        const struct mode *mode = &modes[i];
        uint32_t kept;
        uint32_t back_ms;
        uint16_t transfer;

        begin(mode);
        run_until(7777);
        transfer = lab.world->agent.transfer;
        cut(45000); /* silently, and both keep-alives take that long */
        kept = next();
        assert_true(kept % (WORLD_BLOCK_SIZE + MUP_DIGEST_SIZE) != 0);
        for (uint32_t ms = 0; ms < 15000; ms++)
            one_ms();
        assert_int_equal(next(), kept);
        assert_int_not_equal(lab.update.state, MUP_UPDATE_TRANSFER); /* it is being looked for */
        lab.delivered = 0;
        back_ms = lab.world->now_ms;
        connect();
        assert_int_equal(lab.update.state, MUP_UPDATE_TRANSFER);
        end();
        assert_int_equal(lab.transfer, transfer); /* no new manifest was needed */
        /* Nothing that was kept comes again, but what a broker repeats of QoS 1. */
        assert_in_range(lab.delivered, lab.payload_size - kept,
                        lab.payload_size - kept + mode->receive_maximum * SLICE);
        assert_in_range(
            lab.end_ms - back_ms, 0,
            (lab.payload_size - kept) / (mode->pause_ms != 0 ? SLICE / 40 : RATE_BYTES) + 500);
    }
}

/* Whatever moment the link is cut at, for whatever time, several times in a transfer. */
static void links_that_come_and_go_cost_no_more_than_what_was_under_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODE_COUNT; i++)
        for (uint32_t seed = 1; seed <= 12; seed++) {
            uint32_t cuts = 0;

            begin(&modes[i]);
            srand(seed);
            for (uint32_t at = 500; at < lab.payload_size;
                 at += 1 + (uint32_t)rand() % 5000, cuts++) {
                run_until(at);
                if (mup_agent_phase(&lab.world->agent) == MUP_AGENT_COMPLETE)
                    break;
                cut(rand() % 3 == 0 ? (uint32_t)rand() % 50000 : 0);
                for (uint32_t ms = (uint32_t)rand() % (rand() % 2 ? 1000 : 70000); ms > 0; ms--)
                    one_ms();
                connect();
            }
            end();
            assert_in_range(lab.delivered, 0,
                            lab.payload_size + cuts * (1 + modes[i].receive_maximum) * SLICE +
                                cuts * (modes[i].window < 5000 ? modes[i].window : 5000));
        }
}

/* A reset: the device knows nothing of the transfer, but what is in flash. */
static void a_device_that_is_reset_in_mid_transfer_goes_on_with_a_fresh_manifest(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODE_COUNT; i++) {
        uint32_t kept;
        uint16_t transfer;

        begin(&modes[i]);
        run_until(9000);
        transfer = lab.world->agent.transfer;
        cut(0);
        assert_true(world_boot(lab.world));
        kept = next();
        connect();
        lab.delivered = 0;
        end();
        assert_int_not_equal(lab.transfer, transfer);
        assert_in_range(lab.delivered, 0, lab.payload_size - kept + 2 * SLICE);
    }
}

static void what_a_broker_with_a_short_queue_throws_away_is_sent_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODE_COUNT; i++) {
        begin(&modes[i]);
        lab.queue_limit = 10;
        end();
        assert_in_range(lab.delivered, lab.payload_size, 2 * lab.payload_size);
    }
}

/* TCP on a bad radio: nothing is lost, but nothing comes for seconds. */
static void a_link_that_stalls_for_six_seconds_makes_no_byte_come_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODE_COUNT; i++) {
        begin(&modes[i]);
        for (uint32_t at = 1000; at < lab.payload_size; at += 1500) {
            run_until(at);
            lab.is_up = false;
            for (uint32_t ms = 0; ms < 6000; ms++)
                one_ms();
            lab.is_up = true;
        }
        end();
        assert_int_equal(lab.delivered, lab.payload_size);
    }
}

/* 50 bytes a second, ten seconds a slice: longer than the device waits before it asks for one
 * again. What it then gets twice keeps the link busy, and so it must not ask again for that. */
static void on_a_very_slow_link_nothing_collapses(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODE_COUNT; i++) {
        uint32_t begin_ms;

        begin(&modes[i]);
        lab.rate = 1;
        lab.period_ms = 20;
        begin_ms = lab.world->now_ms;
        end();
        assert_in_range(lab.delivered, lab.payload_size, lab.payload_size * 3 / 2);
        assert_in_range(lab.end_ms - begin_ms, lab.payload_size * 19, lab.payload_size * 30);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mode_carries_the_image_and_no_byte_twice),
        cmocka_unit_test(acknowledgements_are_as_many_as_the_window_asks_for),
        cmocka_unit_test(the_broker_never_has_more_under_way_than_the_device_takes),
        cmocka_unit_test(after_a_minute_without_a_link_the_transfer_goes_on_within_the_block),
        cmocka_unit_test(links_that_come_and_go_cost_no_more_than_what_was_under_way),
        cmocka_unit_test(a_device_that_is_reset_in_mid_transfer_goes_on_with_a_fresh_manifest),
        cmocka_unit_test(what_a_broker_with_a_short_queue_throws_away_is_sent_again),
        cmocka_unit_test(a_link_that_stalls_for_six_seconds_makes_no_byte_come_twice),
        cmocka_unit_test(on_a_very_slow_link_nothing_collapses),
    };
    return cmocka_run_group_tests(tests, world_keys, world_keys_end);
}
