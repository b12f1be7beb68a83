/*
 * Properties that hold whatever is sent and whatever goes wrong, tried with random calls: any
 * bytes from any node, faults that change, nodes that come, go and sleep. Seeds are printed.
 */
#include "rig.h"

#include "random.h"

#define NODES   8u
#define CALLS   400u
#define SEEDS   60u
#define IDS_MAX 512u

struct world {
    struct rig *rig;
    uint64_t random;
    uint64_t now_us;
    uint32_t ids;           /* well-formed frames so far; each carries its own */
    unsigned resets[NODES]; /* a node that starts anew has forgotten what it got */
    bool may_double;
    bool may_damage;
};

static uint32_t below(struct world *world, uint32_t count)
{
    return mup_medium_random_below(&world->random, count);
}

static struct mup_medium_config any_config(struct world *world)
{
    struct mup_medium_config config = {.seed = mup_medium_random(&world->random)};

    if (below(world, 2) == 0)
        config.frame_loss_ppm = below(world, 500000);
    if (below(world, 2) == 0)
        config.ack_loss_ppm = below(world, 500000);
    if (below(world, 3) == 0)
        config.burst = (struct mup_medium_burst){below(world, 200000), below(world, MUP_MEDIUM_PPM),
                                                 below(world, MUP_MEDIUM_PPM + 1)};
    if (world->may_damage)
        config.corrupt_ppm = below(world, 300000);
    if (world->may_double)
        config.duplicate_ppm = below(world, 300000);
    config.is_cut = below(world, 20) == 0;
    config.queue_max = below(world, 20);
    return config;
}

/* A frame that can be told from all others: its number stands in its last bytes. */
static void send_good(struct world *world, unsigned from)
{
    uint8_t psdu[MUP_MEDIUM_PSDU_MAX];
    size_t size = 40 + below(world, 88);
    uint32_t id = world->ids++;

    if (below(world, 4) == 0)
        rig_broadcast(psdu, size, from, (uint8_t)id);
    else
        rig_data(psdu, size, below(world, NODES + 1), from, (uint8_t)id);
    memcpy(psdu + 30, &id, sizeof id);
    rig_seal(psdu, size);
    mup_medium_send(&world->rig->medium, world->now_us, from, psdu, size);
}

/* Any bytes, in a block of their size; most of them with a right check sequence. */
static void send_any(struct world *world, unsigned from)
{
    size_t size = below(world, 140);
    uint8_t *bytes = test_malloc(size == 0 ? 1 : size);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)below(world, 256);
    if (size > 0 && below(world, 2) == 0)
        bytes[0] = 0x61;
    if (size >= 3 && below(world, 4) > 0)
        rig_seal(bytes, size);
    mup_medium_send(&world->rig->medium, world->now_us, from, bytes, size);
    test_free(bytes);
}

/* When a transmission ends, as planned; break_off() may have ended it earlier. */
static uint64_t end_us(const struct rig_event *event)
{
    return event->broken_us != 0 ? event->broken_us : event->at_us + (6 + event->size) * 32;
}

/* A node falls silent. */
static void break_off(struct world *world, unsigned node)
{
    for (size_t i = 0; i < world->rig->count; i++) {
        struct rig_event *event = &world->rig->event[i];
        if (event->what == ON_AIR && event->node == node && end_us(event) > world->now_us)
            event->broken_us = world->now_us;
    }
}

static void call(struct world *world)
{
    struct mup_medium *medium = &world->rig->medium;
    unsigned node = below(world, NODES);
    struct mup_medium_config config;
    struct mup_medium_sleep sleep;

    switch (below(world, 40)) {
    case 0:
        config = any_config(world);
        mup_medium_set(medium, &config);
        break;
    case 1:
        break_off(world, node);
        mup_medium_detach(medium, world->now_us, node);
        break;
    case 2:
        break_off(world, node);
        world->resets[node]++;
        mup_medium_attach(medium, world->now_us, node,
                          (uint8_t[]){(uint8_t)node, 0, 0, 0, 0, 0, 0, 2});
        break;
    case 3:
        sleep = (struct mup_medium_sleep){16 * below(world, 5000), 16 * below(world, 400),
                                          16 * below(world, 2000)};
        if (below(world, 4) == 0)
            sleep.period_us = 0;
        mup_medium_set_sleep(medium, world->now_us, node, &sleep);
        break;
    case 4:
        mup_medium_reset_counters(medium, world->now_us);
        break;
    case 5:
    case 6:
    case 7:
        send_any(world, node);
        break;
    default:
        send_good(world, node);
    }
}

static void live(struct world *world)
{
    for (unsigned i = 0; i < CALLS; i++) {
        world->now_us += 16 * below(world, below(world, 8) == 0 ? 4000 : 300);
        mup_medium_run(&world->rig->medium, world->now_us);
        call(world);
    }
    rig_finish(world->rig);
}

/* True when something else was on the air at the same time. */
static bool is_overlapped(const struct rig *rig, const struct rig_event *frame)
{
    for (size_t i = 0; i < rig->count; i++) {
        const struct rig_event *other = &rig->event[i];
        if (other != frame && other->what == ON_AIR && other->at_us < end_us(frame) &&
            end_us(other) > frame->at_us)
            return true;
    }
    return false;
}

/* The transmission that a delivery comes of. */
static const struct rig_event *origin(const struct rig *rig, const struct rig_event *delivery)
{
    for (size_t i = 0; i < rig->count; i++) {
        const struct rig_event *frame = &rig->event[i];
        if (frame->what == ON_AIR && frame->kind != MUP_MEDIUM_ACK &&
            end_us(frame) == delivery->at_us && frame->size == delivery->size)
            return frame;
    }
    fail_msg("a frame was delivered that nobody sent");
    return NULL;
}

static void check_delivery(const struct world *world, const struct rig_event *delivery)
{
    const struct rig_event *frame = origin(world->rig, delivery);

    assert_false(is_overlapped(world->rig, frame));
    assert_int_not_equal(frame->node, delivery->node);
    assert_true(mup_frame_is_good(frame->psdu, frame->size));
    if (!world->may_damage)
        assert_memory_equal(frame->psdu, delivery->psdu, frame->size);
    assert_int_equal(delivery->at_us % 16, 0);
}

/* Once at most to each node, over all attempts, and once more after each of its resets. */
static void check_once(const struct world *world)
{
    static uint8_t times[NODES][IDS_MAX];

    assert_true(world->ids <= IDS_MAX);
    memset(times, 0, sizeof times);
    for (size_t i = 0; i < world->rig->count; i++) {
        const struct rig_event *event = &world->rig->event[i];
        uint32_t id;
        if (event->what != DELIVERED || event->size < 40 || event->psdu[29] == 0)
            continue;
        memcpy(&id, event->psdu + 30, sizeof id);
        if (id < world->ids && (event->psdu[28] == 0x5a || event->psdu[28] == 0xa5))
            assert_in_range(++times[event->node][id], 1, 1 + world->resets[event->node]);
    }
}

/* An acknowledgement begins 192 us after a frame's end, and at no other time. */
static void check_ack(const struct rig *rig, const struct rig_event *ack)
{
    for (size_t i = 0; i < rig->count; i++)
        if (rig->event[i].what == ON_AIR && end_us(&rig->event[i]) + 192 == ack->at_us &&
            rig->event[i].psdu[2] == ack->psdu[2])
            return;
    fail_msg("an acknowledgement of nothing");
}

/* Whoever sends has been silent, and nobody sends two things at once. */
static void check_half_duplex(const struct rig *rig, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (rig->event[i].what == ON_AIR && rig->event[i].node == rig->event[at].node)
            assert_true(end_us(&rig->event[i]) <= rig->event[at].at_us);
}

static void check(const struct world *world)
{
    const struct rig *rig = world->rig;

    for (size_t i = 0; i < rig->count; i++) {
        if (rig->event[i].what == DELIVERED)
            check_delivery(world, &rig->event[i]);
        if (rig->event[i].what == ON_AIR && rig->event[i].kind == MUP_MEDIUM_ACK)
            check_ack(rig, &rig->event[i]);
        if (rig->event[i].what == ON_AIR)
            check_half_duplex(rig, i);
    }
    if (!world->may_double && !world->may_damage)
        check_once(world);
}

static struct world world_new(uint64_t seed)
{
    struct world world = {.random = seed};
    struct mup_medium_config config;

    world.may_double = seed % 4 == 1;
    world.may_damage = seed % 4 == 2;
    config = any_config(&world);
    world.rig = rig_new(&config, NODES);
    return world;
}

static void nothing_arrives_twice_damaged_or_through_a_collision(void **state)
{
    uint64_t delivered = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world world = world_new(seed);

        print_message("seed %u\r", (unsigned)seed);
        live(&world);
        check(&world);
        delivered += rig_count(world.rig, DELIVERED);
        test_free(world.rig);
    }
    assert_true(delivered > SEEDS * 20);
}

/* Without nodes that come, go or sleep: what was counted is what was told. */
static void counters_agree_with_what_was_told(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world world = world_new(seed);
        struct mup_medium_channel channel;
        uint64_t told[NODES][6] = {{0}};
        uint64_t done = 0;

        print_message("seed %u\r", (unsigned)seed);
        for (unsigned i = 0; i < CALLS; i++) {
            world.now_us += 16 * below(&world, 300);
            mup_medium_run(&world.rig->medium, world.now_us);
            if (below(&world, 10) == 0)
                send_any(&world, below(&world, NODES));
            else
                send_good(&world, below(&world, NODES));
        }
        rig_finish(world.rig);
        check(&world);
        for (size_t i = 0; i < world.rig->count; i++) {
            const struct rig_event *event = &world.rig->event[i];
            if (event->what == ON_AIR) {
                told[event->node][event->kind == MUP_MEDIUM_OTHER ? MUP_MEDIUM_BROADCAST
                                                                  : event->kind] += event->size;
                told[event->node][5] += (6 + event->size) * 32;
            }
            if (event->what == DELIVERED)
                told[event->node][4] += event->size;
            done += event->what == DONE;
        }
        for (unsigned node = 0; node < NODES; node++) {
            struct mup_medium_counters counters = rig_counters(world.rig, node);
            assert_int_equal(counters.data.bytes, told[node][MUP_MEDIUM_DATA]);
            assert_int_equal(counters.retries.bytes, told[node][MUP_MEDIUM_RETRY]);
            assert_int_equal(counters.broadcast.bytes, told[node][MUP_MEDIUM_BROADCAST]);
            assert_int_equal(counters.acks.bytes, told[node][MUP_MEDIUM_ACK]);
            assert_int_equal(counters.delivered.bytes, told[node][4]);
            assert_int_equal(counters.tx_us, told[node][5]);
            assert_int_equal(counters.tx_us + counters.rx_us, world.rig->medium.now_us);
            done += counters.dropped_queue;
        }
        assert_int_equal(done, CALLS);
        mup_medium_count_channel(&world.rig->medium, 0, &channel);
        assert_true(channel.busy_us <= world.rig->medium.now_us);
        test_free(world.rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_arrives_twice_damaged_or_through_a_collision),
        cmocka_unit_test(counters_agree_with_what_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
