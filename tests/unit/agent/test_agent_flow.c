/* How slices come by the flow that the device has chosen, and topic aliases in both directions. */
#include "world.h"

#include <stdio.h>

#include "mup/certificate.h"

#define FIRMWARE "mup/firmware/" WORLD_NAME

/* A device with this flow whose window is larger than its image, booted and connected. */
static struct world *make(enum mup_flow flow, uint16_t pause_ms, uint16_t receive_maximum)
{
    struct world *world = world_make();

    world->config.flow = (uint8_t)flow;
    world->config.pause_ms = pause_ms;
    world->config.receive_maximum = receive_maximum;
    world->config.window_size = MUP_WINDOW_MAX;
    assert_true(world_boot(world));
    world_connect(world);
    world_release(world, 2, 8000, WORLD_BLOCK_SIZE);
    return world;
}

static struct world *begin_transfer(enum mup_flow flow, uint16_t pause_ms, uint16_t receive_maximum)
{
    struct world *world = make(flow, pause_ms, receive_maximum);

    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    world->broker.message_count = 0;
    return world;
}

static uint32_t next(const struct world *world)
{
    return mup_pipeline_next(&world->agent.pipeline);
}

static size_t acks(const struct world *world)
{
    return broker_count(&world->broker, "mup/ack/");
}

/* The bytes of a slice of the transfer under way. */
static size_t encode(const struct world *world, uint8_t bytes[MUP_SLICE_HEADER_MAX + WORLD_SLICE],
                     uint32_t offset, uint32_t size)
{
    struct mup_slice_header header = {world->agent.transfer, world->agent.attempt, offset, size};
    size_t header_size = mup_slice_header_encode(bytes, &header);

    memcpy(bytes + header_size, world->payload + offset, size);
    return header_size + size;
}

/* One slice by QoS 1; returns its packet id. */
static uint16_t publish_slice(struct world *world, uint32_t offset, uint32_t size)
{
    uint8_t bytes[MUP_SLICE_HEADER_MAX + WORLD_SLICE];
    size_t length = encode(world, bytes, offset, size);

    return broker_publish(&world->broker, FIRMWARE, bytes, length, 1, false, NULL, NULL, 0);
}

static void repeat_slice(struct world *world, uint16_t id, uint32_t offset, uint32_t size)
{
    uint8_t bytes[MUP_SLICE_HEADER_MAX + WORLD_SLICE];
    size_t length = encode(world, bytes, offset, size);

    broker_publish_again(&world->broker, id, FIRMWARE, bytes, length);
}

/* ---- What it says of itself ---------------------------------------------------------------- */

static void the_token_says_how_slices_shall_come(void **state)
{
    static const struct {
        enum mup_flow flow;
        uint16_t pause_ms;
    } cases[] = {{MUP_FLOW_CREDIT, 0}, {MUP_FLOW_QOS1, 0}, {MUP_FLOW_PACED, 20}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world *world = make(cases[i].flow, cases[i].pause_ms, 0);

        assert_int_equal(world_token(world).state, MUP_STATE_OK);
        assert_int_equal(world->token.flow, cases[i].flow);
        assert_int_equal(world->token.pause_ms, cases[i].pause_ms);
        world_free(world);
    }
}

static void a_flow_that_no_token_can_say_is_refused_at_the_beginning(void **state)
{
    static const struct {
        uint8_t flow;
        uint16_t pause_ms;
    } cases[] = {{MUP_FLOW_PACED + 1, 0}, {MUP_FLOW_PACED, 0}, {MUP_FLOW_PACED, 5001}};
    struct world *world = world_make();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world->config.flow = cases[i].flow;
        world->config.pause_ms = cases[i].pause_ms;
        assert_int_equal(mup_agent_init(&world->agent, &world->config, 0), MUP_ERR_RANGE);
    }
    world_free(world);
}

static void only_with_qos_1_the_firmware_topic_is_subscribed_with_qos_1(void **state)
{
    (void)state;
    for (int flow = MUP_FLOW_CREDIT; flow <= MUP_FLOW_PACED; flow++) {
        struct world *world =
            begin_transfer((enum mup_flow)flow, flow == MUP_FLOW_PACED ? 20 : 0, 0);
        size_t i = 0;

        while (strcmp(world->broker.subscriptions[i], FIRMWARE) != 0)
            assert_true(++i < world->broker.subscription_count);
        assert_int_equal(world->broker.subscription_qos[i], flow == MUP_FLOW_QOS1);
        assert_int_equal(world->broker.subscription_qos[0], 1); /* commands */
        world_free(world);
    }
}

static void its_receive_maximum_is_announced_and_1_unless_told(void **state)
{
    static const uint16_t told[] = {0, 1, 8, 65535};

    (void)state;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        struct world *world = make(MUP_FLOW_QOS1, 0, told[i]);

        assert_int_equal(world->broker.receive_maximum, told[i] == 0 ? 1 : told[i]);
        world_free(world);
    }
}

/* What waits in the session of a device that was reset is of a transfer that it no longer knows. */
static void only_after_a_reset_and_with_qos_1_the_old_session_is_thrown_away(void **state)
{
    (void)state;
    for (int flow = MUP_FLOW_CREDIT; flow <= MUP_FLOW_QOS1; flow++) {
        struct world *world = make((enum mup_flow)flow, 0, 0);

        assert_int_equal(world->broker.clean_start, flow == MUP_FLOW_QOS1);
        world_disconnect(world);
        world->broker.session_present = true;
        world_connect(world);
        assert_false(world->broker.clean_start);
        assert_true(world_boot(world));
        world_connect(world);
        assert_int_equal(world->broker.clean_start, flow == MUP_FLOW_QOS1);
        world_free(world);
    }
}

/* ---- QoS 1 --------------------------------------------------------------------------------- */

static void slices_of_qos_1_are_acknowledged_to_the_broker_in_their_order(void **state)
{
    struct world *world = begin_transfer(MUP_FLOW_QOS1, 0, 8);
    uint32_t size = world->manifest.payload_size;
    uint16_t first = 0;
    uint16_t count = 0;
    size_t before;

    (void)state;
    before = world->broker.puback_count;
    for (uint32_t at = 0; at < size; at += 1000, count++) {
        uint16_t id = publish_slice(world, at, size - at < 1000 ? size - at : 1000);

        first = count == 0 ? id : first;
    }
    world_pump(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_COMPLETE);
    assert_int_equal(world->broker.puback_count, before + count);
    for (uint16_t i = 0; i < count; i++)
        assert_int_equal(world->broker.pubacks[before + i], first + i);
    assert_int_equal(acks(world), 1); /* that it is complete, and nothing before */
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
    world_free(world);
}

static void a_slice_is_acknowledged_to_the_broker_when_all_of_it_is_there(void **state)
{
    struct world *world = begin_transfer(MUP_FLOW_QOS1, 0, 8);
    size_t before = world->broker.puback_count;
    size_t used;

    (void)state;
    publish_slice(world, 0, 1000);
    world->actions |= mup_agent_input(&world->agent, world->now_ms, world->broker.out,
                                      world->broker.out_size - 1, &used);
    world->broker.out_size -= used;
    memmove(world->broker.out, world->broker.out + used, world->broker.out_size);
    assert_int_equal(next(world), 999);
    assert_int_equal(world->broker.puback_count, before);
    world_pump(world);
    assert_int_equal(world->broker.puback_count, before + 1);
    world_free(world);
}

/* Cut at every byte: what had come is kept, what is repeated goes on there, and nobody is asked to
 * go back. */
static void a_slice_that_a_lost_link_has_cut_goes_on_when_the_broker_repeats_it(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 40; cut++) {
        struct world *world = begin_transfer(MUP_FLOW_QOS1, 0, 8);
        size_t used;
        uint16_t id;

        publish_slice(world, 0, 500);
        world_pump(world);
        id = publish_slice(world, 500, 15);
        publish_slice(world, 515, 600);
        (void)mup_agent_input(&world->agent, world->now_ms, world->broker.out, cut, &used);
        world_disconnect(world);
        world->broker.session_present = true;
        world->broker.message_count = 0;
        world_connect(world);
        assert_int_equal(acks(world), 1); /* that it is there again */
        assert_int_equal(world_last_ack(world).attempt, 0);
        assert_int_equal(world_last_ack(world).next, next(world));
        repeat_slice(world, id, 500, 15);
        repeat_slice(world, (uint16_t)(id + 1), 515, 600);
        world_pump(world);
        assert_int_equal(next(world), 1115);
        assert_int_equal(world->agent.attempt, 0);
        assert_int_equal(world->broker.pubacks[world->broker.puback_count - 2], id);
        assert_int_equal(world->broker.pubacks[world->broker.puback_count - 1], id + 1);
        assert_int_equal(world_transfer(world), MUP_STATE_OK);
        world_free(world);
    }
}

static void what_the_broker_repeats_though_it_was_taken_changes_nothing(void **state)
{
    struct world *world = begin_transfer(MUP_FLOW_QOS1, 0, 8);
    uint16_t id = publish_slice(world, 0, 1000);

    (void)state;
    world_pump(world);
    world->broker.message_count = 0;
    repeat_slice(world, id, 0, 1000);
    world_pump(world);
    assert_int_equal(next(world), 1000);
    assert_int_equal(acks(world), 0);
    assert_int_equal(world->broker.pubacks[world->broker.puback_count - 1], id);
    world_free(world);
}

static void when_the_broker_has_forgotten_the_session_the_sender_goes_back(void **state)
{
    struct world *world = begin_transfer(MUP_FLOW_QOS1, 0, 8);

    (void)state;
    publish_slice(world, 0, 1000);
    world_pump(world);
    world_disconnect(world);
    world_connect(world); /* without its session */
    assert_int_equal(world_last_ack(world).attempt, 1);
    assert_int_equal(world_last_ack(world).next, 1000);
    world_free(world);
}

/* The broker threw away what lay in its queue, or it expired. */
static void what_the_broker_dropped_is_asked_for(void **state)
{
    struct world *world = begin_transfer(MUP_FLOW_QOS1, 0, 8);

    (void)state;
    publish_slice(world, 0, 1000);
    world_pump(world);
    world_disconnect(world);
    world->broker.session_present = true;
    world_connect(world);
    assert_int_equal(world_last_ack(world).attempt, 0);
    world_pass(world, 1000); /* nothing comes: it says it again ... */
    assert_int_equal(world_last_ack(world).attempt, 0);
    world_pass(world, 2000);
    assert_int_equal(world_last_ack(world).attempt, 0);
    world_pass(world, 4000); /* ... and asks */
    assert_int_equal(world_last_ack(world).attempt, 1);
    assert_int_equal(world_last_ack(world).next, 1000);
    publish_slice(world, 2000, 500); /* some was dropped, what follows was not */
    world_pump(world);
    assert_int_equal(world_last_ack(world).attempt, 2);
    world_free(world);
}

/* All bytes of the last slice are there, but its PUBACK finds no room, and the link is lost. */
static void a_link_lost_before_the_last_puback_does_not_lose_the_end(void **state)
{
    (void)state;
    for (int session = 0; session < 2; session++) {
        struct world *world = begin_transfer(MUP_FLOW_QOS1, 0, 65535);
        uint32_t size = world->manifest.payload_size;
        size_t used;
        uint16_t id;

        while (next(world) < size - 100)
            world_slice(world, world->agent.transfer, 0, next(world), world->payload + next(world),
                        size - 100 - next(world) < 1000 ? size - 100 - next(world) : 1000);
        for (size_t i = 0; i < WORLD_OUT_SIZE / 4; i++)
            publish_slice(world, 0, 1); /* each has a PUBACK of 4 bytes */
        id = publish_slice(world, size - 100, 100);
        (void)mup_agent_input(&world->agent, world->now_ms, world->broker.out,
                              world->broker.out_size, &used);
        assert_int_equal(next(world), size);
        assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_RECEIVING);
        world_disconnect(world);
        world->broker.session_present = session != 0;
        world_connect(world);
        assert_int_equal(world_last_ack(world).next, size);
        assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_COMPLETE);
        if (session != 0)
            repeat_slice(world, id, size - 100, 100);
        world_pump(world);
        assert_int_equal(world_verify(world).state, MUP_STATE_OK);
        world_free(world);
    }
}

static void half_a_window_is_acknowledged_with_qos_1_too(void **state)
{
    struct world *world = begin_transfer(MUP_FLOW_QOS1, 0, 8);

    (void)state;
    world->config.window_size = 4000;
    publish_slice(world, 0, 1000);
    publish_slice(world, 1000, 999);
    world_pump(world);
    assert_int_equal(acks(world), 0);
    publish_slice(world, 1999, 1);
    world_pump(world);
    assert_int_equal(acks(world), 1);
    assert_int_equal(world_last_ack(world).limit, 2000 + 4000);
    world_free(world);
}

/* ---- Requests when more than one may come ---------------------------------------------------- */

/* "LED-ON" on led/dev-1 */
static void command(struct world *world, const char *correlation)
{
    static const uint8_t bytes[] = {0xa1, 0x01, 0x66, 'L', 'E', 'D', '-', 'O', 'N'};

    broker_publish(&world->broker, "led/" WORLD_NAME, bytes, sizeof bytes, 1, false,
                   "mup/response/" WORLD_NAME, correlation, 3);
}

static void a_request_for_which_there_is_no_room_is_asked_for_again(void **state)
{
    struct world *world = begin_transfer(MUP_FLOW_QOS1, 0, 8);
    const struct broker_message *response;
    uint32_t before = world->command_count;

    (void)state;
    world->broker.holds_topic = "mup/response/";
    command(world, "one");
    command(world, "two");
    world_pump(world);
    assert_int_equal(world->command_count, before + 1);
    assert_int_equal(broker_count(&world->broker, "mup/presence/"), 0);
    response = broker_last(&world->broker, "mup/response/");
    assert_memory_equal(response->correlation, "one", 3);
    world->broker.holds_topic = NULL;
    broker_acknowledge(&world->broker, response->packet_id);
    world_pump(world);
    /* The bridge hears that it is there, and publishes again what has no answer. */
    assert_int_equal(broker_count(&world->broker, "mup/presence/"), 1);
    assert_int_equal(broker_count(&world->broker, "mup/announce/"), 1);
    assert_int_equal(acks(world), 1); /* and the update server is told that nothing was lost */
    assert_int_equal(world_last_ack(world).attempt, 0);
    command(world, "two");
    world_pump(world);
    assert_int_equal(world->command_count, before + 2);
    assert_memory_equal(broker_last(&world->broker, "mup/response/")->correlation, "two", 3);
    assert_int_equal(broker_count(&world->broker, "mup/presence/"), 1);
    world_free(world);
}

static void a_bridges_reply_for_which_there_is_no_room_is_asked_for_again(void **state)
{
    struct world *world = make(MUP_FLOW_QOS1, 0, 8);
    uint8_t certificate[MUP_CERTIFICATE_SIGNED_MAX];
    size_t size = world_certificate(certificate, sizeof certificate, &vendor, &stranger, 2);
    uint16_t id;

    (void)state;
    world->broker.holds_topic = "mup/response/";
    command(world, "one");
    world_pump(world);
    id = broker_last(&world->broker, "mup/response/")->packet_id;
    world_bootstrap(world, MUP_STATE_OK, certificate, size);
    assert_int_equal(world->notice_count[MUP_AGENT_BOOTSTRAP], 0);
    world->broker.holds_topic = NULL;
    broker_acknowledge(&world->broker, id);
    world->broker.message_count = 0;
    world_pump(world);
    assert_int_equal(broker_count(&world->broker, "mup/announce/"), 1);
    world_bootstrap(world, MUP_STATE_OK, certificate, size);
    assert_int_equal(world->notice_value[MUP_AGENT_CERTIFICATE], 2);
    world_free(world);
}

/* PUBACKs have the order of their messages (MQTT-4.6.0-2), so a request's may not wait. */
static void a_request_among_slices_is_acknowledged_in_its_turn(void **state)
{
    struct world *world = begin_transfer(MUP_FLOW_QOS1, 0, 8);
    uint16_t first = publish_slice(world, 0, 1000);
    size_t before = world->broker.puback_count;

    (void)state;
    world->broker.holds_topic = "mup/response/";
    command(world, "one");
    publish_slice(world, 1000, 1000);
    world_pump(world);
    assert_int_equal(world->broker.puback_count, before + 3);
    for (uint16_t i = 0; i < 3; i++)
        assert_int_equal(world->broker.pubacks[before + i], first + i);
    world_free(world);
}

/* ---- Paced --------------------------------------------------------------------------------- */

static void between_paced_slices_nothing_is_acknowledged(void **state)
{
    struct world *world = begin_transfer(MUP_FLOW_PACED, 2500, 0);

    (void)state;
    for (uint32_t at = 0; at < 5000; at += 1000) {
        world_slice(world, world->agent.transfer, 0, at, world->payload + at, 1000);
        world_pass(world, 2500);
    }
    assert_int_equal(acks(world), 0);
    world_pass(world, 1000); /* the next one is missing for a second */
    assert_int_equal(acks(world), 1);
    assert_int_equal(world_last_ack(world).attempt, 0);
    assert_int_equal(world_last_ack(world).next, 5000);
    world_pass(world, 7000);
    assert_int_equal(world_last_ack(world).attempt, 0);
    world_pass(world, 14000);
    assert_int_equal(world_last_ack(world).attempt, 1);
    world_free(world);
}

static void at_least_every_thirty_seconds_it_acknowledges_what_comes(void **state)
{
    (void)state;
    for (int flow = MUP_FLOW_CREDIT; flow <= MUP_FLOW_PACED; flow++) {
        struct world *world =
            begin_transfer((enum mup_flow)flow, flow == MUP_FLOW_PACED ? 5000 : 0, 0);
        uint32_t at = 0;

        for (uint32_t ms = 0; ms < 30000; ms += 500, at += 10) {
            world_slice(world, world->agent.transfer, 0, at, world->payload + at, 10);
            world_pass(world, 500);
        }
        assert_int_equal(acks(world), 0);
        world_slice(world, world->agent.transfer, 0, at, world->payload + at, 10);
        assert_int_equal(acks(world), 1);
        assert_int_equal(world_last_ack(world).next, at + 10);
        assert_int_equal(world_last_ack(world).attempt, 0);
        world_slice(world, world->agent.transfer, 0, at + 10, world->payload + at + 10, 10);
        assert_int_equal(acks(world), 1);
        world_free(world);
    }
}

/* ---- Topic aliases ------------------------------------------------------------------------- */

static size_t count_by_alias(const struct world *world, const char *topic)
{
    size_t count = 0;

    for (size_t i = 0; i < world->broker.message_count; i++)
        count += world->broker.messages[i].by_alias &&
                 strncmp(world->broker.messages[i].topic, topic, strlen(topic)) == 0;
    return count;
}

/* A transfer with a window that makes for an acknowledgement a slice, and a link lost in it. */
static void acknowledge_by(bool no_alias, uint8_t broker_takes, bool expected)
{
    struct world *world = world_make();

    world->config.no_alias = no_alias;
    world->config.window_size = WORLD_SLICE;
    assert_true(world_boot(world));
    world->broker.takes_aliases = broker_takes;
    world_release(world, 2, 8000, WORLD_BLOCK_SIZE);
    for (int connection = 0; connection < 2; connection++) {
        world_connect(world);
        if (connection == 0)
            assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
        world->broker.message_count = 0;
        for (int i = 0; i < 3; i++)
            world_slice(world, world->agent.transfer, world->agent.attempt, next(world),
                        world->payload + next(world), WORLD_SLICE);
        assert_int_equal(acks(world), 3);
        /* The first one of a connection says what the alias stands for; on the second connection
         * that was the one that it began with. */
        assert_int_equal(count_by_alias(world, "mup/ack/"), expected ? 2 + (size_t)connection : 0);
        assert_int_equal(world_token(world).state, MUP_STATE_OK);
        assert_int_equal(world_token(world).state, MUP_STATE_OK);
        assert_int_equal(count_by_alias(world, "mup/response/"),
                         expected && broker_takes > 1 ? 2u - (size_t)connection : 0);
        world_disconnect(world);
    }
    world_free(world);
}

static void acknowledgements_and_answers_go_by_alias_unless_told_otherwise(void **state)
{
    (void)state;
    acknowledge_by(false, 10, true);
    acknowledge_by(true, 10, false);
}

static void a_broker_that_takes_no_aliases_or_few_gets_topics(void **state)
{
    (void)state;
    acknowledge_by(false, 0, false);
    acknowledge_by(false, 1, true); /* acknowledgements have the first */
}

/* mosquitto 2.0 gives none, so that only a peer like this one shows that they work. */
static void an_update_succeeds_with_a_broker_that_publishes_by_alias(void **state)
{
    (void)state;
    for (size_t piece = 0; piece <= 7; piece++) {
        struct world *world = world_make();

        world->config.flow = piece % 2 == 0 ? MUP_FLOW_CREDIT : MUP_FLOW_QOS1;
        world->config.receive_maximum = 4;
        assert_true(world_boot(world));
        world->broker.gives_aliases = true;
        world->broker.takes_aliases = 10;
        world_release(world, 2, 8000, WORLD_BLOCK_SIZE);
        world_connect(world);
        assert_int_equal(world->broker.alias_maximum, MUP_MQTT_ALIAS_COUNT);
        world_bootstrap(world, MUP_STATE_OK, NULL, 0);
        assert_int_equal(world->notice_state[MUP_AGENT_BOOTSTRAP], MUP_STATE_OK);
        assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
        assert_int_equal(world->broker.aliased_count, 0); /* each topic once so far */
        world->piece_size = piece;
        while (next(world) < 4000)
            world_slice(world, world->agent.transfer, 0, next(world), world->payload + next(world),
                        500);
        assert_int_equal(world->broker.aliased_count, 7);
        world_disconnect(world); /* aliases end with it */
        world_connect(world);
        world->broker.message_count = 0;
        assert_int_equal(world_transfer(world), MUP_STATE_OK);
        assert_int_equal(world_token(world).state, MUP_STATE_OK);
        assert_int_equal(world_token(world).state, MUP_STATE_OK);
        assert_int_equal(world_verify(world).state, MUP_STATE_OK);
        assert_true(world->broker.aliased_count >= 11);
        world_free(world);
    }
}

/* A device has eight aliases and more topics: the rest come in full. */
static void topics_beyond_the_aliases_come_in_full(void **state)
{
    static const char *const more[] = {"a/", "b/", "c/", "d/", "e/", "f/"};
    static const uint8_t bytes[] = {0xa1, 0x01, 0x61, 'X'};
    struct world *world = world_make();

    (void)state;
    world->config.topics = more;
    world->config.topic_count = 6;
    assert_true(world_boot(world));
    world->broker.gives_aliases = true;
    world_release(world, 2, 8000, WORLD_BLOCK_SIZE);
    world_connect(world);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);       /* two */
    world_slice(world, world->agent.transfer, 0, 0, world->payload, 100); /* three */
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
            char topic[16];
            uint8_t correlation[2] = {0x80 | (uint8_t)round, (uint8_t)i};

            snprintf(topic, sizeof topic, "%s" WORLD_NAME, more[i]);
            broker_publish(&world->broker, topic, bytes, sizeof bytes, 1, false,
                           "mup/response/" WORLD_NAME, correlation, sizeof correlation);
            world_pump(world);
        }
    assert_int_equal(world->command_count, 12);
    assert_int_equal(world->broker.aliased_count, 5); /* the second round of five of them */
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_token_says_how_slices_shall_come),
        cmocka_unit_test(a_flow_that_no_token_can_say_is_refused_at_the_beginning),
        cmocka_unit_test(only_with_qos_1_the_firmware_topic_is_subscribed_with_qos_1),
        cmocka_unit_test(its_receive_maximum_is_announced_and_1_unless_told),
        cmocka_unit_test(only_after_a_reset_and_with_qos_1_the_old_session_is_thrown_away),
        cmocka_unit_test(slices_of_qos_1_are_acknowledged_to_the_broker_in_their_order),
        cmocka_unit_test(a_slice_is_acknowledged_to_the_broker_when_all_of_it_is_there),
        cmocka_unit_test(a_slice_that_a_lost_link_has_cut_goes_on_when_the_broker_repeats_it),
        cmocka_unit_test(what_the_broker_repeats_though_it_was_taken_changes_nothing),
        cmocka_unit_test(when_the_broker_has_forgotten_the_session_the_sender_goes_back),
        cmocka_unit_test(what_the_broker_dropped_is_asked_for),
        cmocka_unit_test(a_link_lost_before_the_last_puback_does_not_lose_the_end),
        cmocka_unit_test(half_a_window_is_acknowledged_with_qos_1_too),
        cmocka_unit_test(a_request_for_which_there_is_no_room_is_asked_for_again),
        cmocka_unit_test(a_bridges_reply_for_which_there_is_no_room_is_asked_for_again),
        cmocka_unit_test(a_request_among_slices_is_acknowledged_in_its_turn),
        cmocka_unit_test(between_paced_slices_nothing_is_acknowledged),
        cmocka_unit_test(at_least_every_thirty_seconds_it_acknowledges_what_comes),
        cmocka_unit_test(acknowledgements_and_answers_go_by_alias_unless_told_otherwise),
        cmocka_unit_test(a_broker_that_takes_no_aliases_or_few_gets_topics),
        cmocka_unit_test(an_update_succeeds_with_a_broker_that_publishes_by_alias),
        cmocka_unit_test(topics_beyond_the_aliases_come_in_full),
    };
    return cmocka_run_group_tests(tests, world_keys, world_keys_end);
}
