/* Connection, announcement, description, requests: SPEC sections 7 to 12, and what gets lost. */
#include "world.h"

#include "mup/bootstrap.h"

static int setup(void **state)
{
    *state = world_make();
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

/* ---- On connecting ------------------------------------------------------------------------- */

static void it_subscribes_then_says_that_it_is_there_then_announces_itself(void **state)
{
    static const char *const topics[] = {"mup/bootstrap/dev-1", "mup/token/dev-1",
                                         "mup/manifest/dev-1",  "mup/verify/dev-1",
                                         "led/dev-1",           "pump/dev-1"};
    static const uint8_t online[] = {0xa1, 0x01, 0xf5};
    struct world *world = *state;
    struct mup_announcement announcement;

    world_connect(world);
    assert_int_equal(world->broker.subscription_count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(world->broker.subscriptions[i], topics[i]);
    assert_int_equal(world->broker.message_count, 2);
    assert_string_equal(world->broker.messages[0].topic, "mup/presence/dev-1");
    assert_true(world->broker.messages[0].retain);
    assert_int_equal(world->broker.messages[0].size, sizeof online);
    assert_memory_equal(world->broker.messages[0].payload, online, sizeof online);
    assert_string_equal(world->broker.messages[1].topic, "mup/announce/dev-1");
    assert_false(world->broker.messages[1].retain);
    assert_int_equal(mup_announcement_decode(&announcement, world->broker.messages[1].payload,
                                             world->broker.messages[1].size),
                     MUP_OK);
    assert_int_equal(announcement.version, 1);
    assert_false(announcement.in_trial);
    assert_int_equal(announcement.server_epoch, 1);
    assert_memory_equal(announcement.server_kid, server.kid, MUP_KID_SIZE);
    assert_int_equal(announcement.description_size, world->config.description_size);
}

static void a_boot_has_an_id_that_a_reconnection_keeps(void **state)
{
    struct world *world = *state;
    uint8_t id[MUP_BOOT_ID_SIZE];

    memcpy(id, world->agent.bootstrap.self.boot_id, sizeof id);
    world_connect(world);
    world_disconnect(world);
    world_connect(world);
    assert_memory_equal(id, world->agent.bootstrap.self.boot_id, sizeof id);
    assert_true(world_boot(world));
    assert_memory_not_equal(id, world->agent.bootstrap.self.boot_id, sizeof id);
}

static void it_announces_again_every_minute_until_the_bridge_replies(void **state)
{
    struct world *world = *state;

    world_connect(world);
    assert_int_equal(broker_count(&world->broker, "mup/announce/"), 1);
    world_pass(world, MUP_BOOTSTRAP_AGAIN_MS - 1);
    assert_int_equal(broker_count(&world->broker, "mup/announce/"), 1);
    world_pass(world, 1);
    assert_int_equal(broker_count(&world->broker, "mup/announce/"), 2);
    world_pass(world, MUP_BOOTSTRAP_AGAIN_MS);
    assert_int_equal(broker_count(&world->broker, "mup/announce/"), 3);
    world_bootstrap(world, MUP_STATE_OK, NULL, 0);
    world_pass(world, 10 * MUP_BOOTSTRAP_AGAIN_MS);
    assert_int_equal(broker_count(&world->broker, "mup/announce/"), 3);
}

static void
a_session_that_was_kept_needs_no_subscriptions_but_that_of_another_boot_does(void **state)
{
    struct world *world = *state;

    world_connect(world);
    world_disconnect(world);
    world->broker.session_present = true;
    world->broker.subscription_count = 0;
    world_connect(world);
    assert_int_equal(world->broker.subscription_count, 0);
    assert_int_equal(broker_count(&world->broker, "mup/announce/"), 2);
    assert_true(world_boot(world));
    world_connect(world);
    assert_int_equal(world->broker.subscription_count, 6);
}

static void a_refused_subscription_ends_the_connection_and_is_tried_again_rarely(void **state)
{
    struct world *world = *state;
    uint32_t most_ms = 0;

    world->broker.refuses = "mup/manifest/";
    for (int i = 0; i < 20; i++) {
        uint32_t wait_ms;

        world->actions = 0;
        world_connect(world);
        assert_false(world->is_connected);
        wait_ms = mup_agent_lost(&world->agent, world->now_ms);
        most_ms = wait_ms > most_ms ? wait_ms : most_ms;
    }
    assert_int_equal(broker_count(&world->broker, "mup/announce/"), 0);
    assert_in_range(most_ms, 10000, MUP_AGENT_BACKOFF_MAX_MS);
}

static void a_topic_of_the_application_that_is_refused_does_not_keep_it_from_updates(void **state)
{
    struct world *world = *state;

    world->broker.refuses = "pump/";
    world_connect(world);
    assert_true(world->is_connected);
    assert_int_equal(world_token(world).state, MUP_STATE_OK);
}

static void links_that_are_lost_before_the_puback_do_not_make_it_mute(void **state)
{
    struct world *world = *state;

    world->broker.session_present = true;
    world->broker.holds_pubacks = true;
    for (int i = 0; i < 10; i++) {
        world_connect(world);
        world_disconnect(world);
    }
    world->broker.holds_pubacks = false;
    world_connect(world);
    assert_int_equal(world->notice_count[MUP_AGENT_ANNOUNCED], 1);
    assert_int_equal(world_token(world).state, MUP_STATE_OK);
}

static void the_wait_before_a_reconnection_grows_to_two_minutes_and_shrinks_again(void **state)
{
    struct world *world = *state;
    uint32_t most_ms = 0;

    for (int i = 0; i < 40; i++) {
        uint32_t wait_ms = mup_agent_lost(&world->agent, world->now_ms);

        assert_in_range(wait_ms, MUP_AGENT_BACKOFF_MIN_MS, MUP_AGENT_BACKOFF_MAX_MS);
        most_ms = wait_ms > most_ms ? wait_ms : most_ms;
    }
    assert_in_range(most_ms, 30000, MUP_AGENT_BACKOFF_MAX_MS);
    world_connect(world);
    assert_in_range(mup_agent_lost(&world->agent, world->now_ms), MUP_AGENT_BACKOFF_MIN_MS,
                    2 * MUP_AGENT_BACKOFF_MIN_MS);
}

static void a_silent_broker_is_left(void **state)
{
    struct world *world = *state;

    world_connect(world);
    /* Nobody reads and nobody answers. */
    for (uint32_t s = 0; s < 200 && (world->actions & MUP_AGENT_CLOSE) == 0; s++) {
        const uint8_t *bytes;
        size_t size = mup_mqtt_output(&world->mqtt, &bytes);

        mup_mqtt_sent(&world->mqtt, world->now_ms, size);
        world->now_ms += 1000;
        world->actions |= mup_agent_tick(&world->agent, world->now_ms);
    }
    assert_int_equal(world->actions & MUP_AGENT_CLOSE, MUP_AGENT_CLOSE);
    assert_int_equal(world->notice_state[MUP_AGENT_CLOSED], MUP_MQTT_CAUSE_SILENT);
}

/* ---- Description --------------------------------------------------------------------------- */

static void a_broker_that_pings_but_does_not_answer_a_subscription_is_left(void **state)
{
    struct world *world = *state;

    world->broker.ignores_subscriptions = true;
    world_connect(world);
    world_pass(world, MUP_AGENT_SUBSCRIBE_MS - 1);
    assert_true(world->is_connected);
    world_pass(world, 1);
    assert_false(world->is_connected);
    world->broker.ignores_subscriptions = false;
    world->actions = 0;
    world_connect(world);
    assert_int_equal(world->notice_count[MUP_AGENT_ANNOUNCED], 1);
    world_pass(world, 2 * MUP_AGENT_SUBSCRIBE_MS);
    assert_true(world->is_connected);

    /* Nothing else is said while the answer for the slices' topic is awaited. */
    world_release(world, 2, 3000, WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    world->broker.ignores_subscriptions = true;
    assert_int_equal(world_transfer(world), MUP_STATE_OK); /* now it unsubscribes */
    world_pass(world, MUP_AGENT_SUBSCRIBE_MS);
    assert_false(world->is_connected);
}

static void the_description_goes_out_in_pieces_only_when_it_is_asked_for(void **state)
{
    struct world *world = *state;
    uint8_t joined[1024];
    size_t size = 0;
    size_t pieces = 0;

    world_connect(world);
    assert_int_equal(broker_count(&world->broker, "mup/description/"), 0);
    world_bootstrap(world, MUP_STATE_SEND_DESCRIPTION, NULL, 0);
    for (size_t i = 0; i < world->broker.message_count; i++) {
        const struct broker_message *message = &world->broker.messages[i];
        struct mup_piece piece;

        if (strncmp(message->topic, "mup/description/", 16) != 0)
            continue;
        assert_int_equal(mup_piece_decode(&piece, message->payload, message->size), MUP_OK);
        assert_int_equal(piece.number, pieces);
        assert_memory_equal(piece.digest_prefix, world->agent.bootstrap.self.description_digest, 8);
        memcpy(joined + size, piece.data.data, piece.data.size);
        size += piece.data.size;
        pieces++;
        assert_int_equal(piece.last, size == world->config.description_size);
    }
    assert_int_equal(size, world->config.description_size);
    assert_memory_equal(joined, world->config.description, size);
    assert_int_equal(world->notice_count[MUP_AGENT_DESCRIBED], 1);
}

static void a_piece_waits_for_the_puback_of_the_one_before(void **state)
{
    struct world *world = *state;

    world_connect(world);
    world->broker.holds_pubacks = true;
    world_bootstrap(world, MUP_STATE_SEND_DESCRIPTION, NULL, 0);
    assert_int_equal(broker_count(&world->broker, "mup/description/"), 1);
    world_pass(world, 10000);
    assert_int_equal(broker_count(&world->broker, "mup/description/"), 1);
    broker_acknowledge(&world->broker, broker_last(&world->broker, "mup/description/")->packet_id);
    world_pump(world);
    assert_int_equal(broker_count(&world->broker, "mup/description/"), 2);
}

static void after_a_lost_link_the_description_waits_to_be_asked_for_again(void **state)
{
    struct world *world = *state;

    world_connect(world);
    world->broker.holds_pubacks = true;
    world_bootstrap(world, MUP_STATE_SEND_DESCRIPTION, NULL, 0);
    world_disconnect(world);
    world->broker.holds_pubacks = false;
    world->broker.session_present = true;
    world->broker.message_count = 0;
    world_connect(world);
    assert_int_equal(broker_count(&world->broker, "mup/description/"), 0);
    world_bootstrap(world, MUP_STATE_SEND_DESCRIPTION, NULL, 0);
    assert_int_equal(broker_count(&world->broker, "mup/description/"), 2);
}

/* ---- Requests ------------------------------------------------------------------------------ */

static void a_command_of_the_application_is_answered_with_what_it_says(void **state)
{
    struct world *world = *state;
    static const uint8_t with_value[] = {0xa2, 0x01, 0x0a, 0x02, 0x18, 0x2a};
    static const uint8_t with_text[] = {0xa1, 0x01, 0x63, 'd', 'r', 'y'};

    world_connect(world);
    assert_int_equal(world_request(world, "led/", "ON", NULL, 0).state, MUP_STATE_OK);
    assert_string_equal(world->method, "ON");
    assert_memory_equal(broker_last(&world->broker, "mup/response/")->payload, with_value,
                        sizeof with_value);
    assert_string_equal(world_request(world, "pump/", "RUN", NULL, 0).text, "dry");
    assert_memory_equal(broker_last(&world->broker, "mup/response/")->payload, with_text,
                        sizeof with_text);
}

/* Of every length of value, as a byte string with a head of three bytes. */
static void an_answer_that_does_not_fit_into_the_output_is_12(void **state)
{
    struct world *world = *state;
    static const uint8_t error[] = {0xa1, 0x01, 0x0c};
    uint8_t value[MUP_RESPONSE_MAX - 80] = {0x59, 0x01};
    bool fits = true;

    world->out_size = MUP_AGENT_OUT_SIZE_MIN;
    assert_true(world_boot(world));
    world_connect(world);
    for (size_t size = 256; size <= sizeof value - 3; size++) {
        const struct broker_message *answer;

        value[2] = (uint8_t)size;
        world->long_value = (struct mup_bytes){value, 3 + size};
        (void)world_request(world, "led/", "ON", NULL, 0);
        answer = broker_last(&world->broker, "mup/response/");
        if (answer->size != sizeof error) {
            assert_true(fits); /* once too long, always too long */
            assert_int_equal(answer->size, 4 + 3 + size);
            continue;
        }
        fits = false;
        assert_memory_equal(answer->payload, error, sizeof error);
    }
    assert_false(fits);
    world->long_value.size = 0;
    assert_int_equal(world_request(world, "led/", "ON", NULL, 0).state, MUP_STATE_OK);
}

static void unknown_methods_and_wrong_arguments_are_12(void **state)
{
    struct world *world = *state;

    world_connect(world);
    assert_int_equal(world_request(world, MUP_TOPIC_TOKEN, "GET-DEVICE-TOKEN2", NULL, 0).state,
                     MUP_STATE_ERROR);
    assert_int_equal(world_request(world, MUP_TOPIC_TOKEN, MUP_METHOD_VERIFY, NULL, 0).state,
                     MUP_STATE_ERROR);
    assert_int_equal(world_request(world, MUP_TOPIC_TOKEN, MUP_METHOD_GET_TOKEN, "\x01", 1).state,
                     MUP_STATE_ERROR);
    assert_int_equal(world_request(world, MUP_TOPIC_MANIFEST, MUP_METHOD_MANIFEST, NULL, 0).state,
                     MUP_STATE_ERROR);
    assert_int_equal(world_request(world, MUP_TOPIC_VERIFY, MUP_METHOD_VERIFY, "\x01", 1).state,
                     MUP_STATE_ERROR);
}

static void send_raw(struct world *world, const char *response_topic, const void *correlation,
                     size_t correlation_size, bool retain)
{
    static const uint8_t on[] = {0xa1, 0x01, 0x62, 'O', 'N'};

    broker_publish(&world->broker, "led/dev-1", on, sizeof on, 1, retain, response_topic,
                   correlation, correlation_size);
    world_pump(world);
}

static void it_answers_only_to_its_own_response_topic_and_with_correlation_data(void **state)
{
    struct world *world = *state;

    world_connect(world);
    send_raw(world, NULL, "1", 1, false);
    send_raw(world, "mup/response/dev-2", "2", 1, false);
    send_raw(world, "mup/response/dev-11", "3", 1, false);
    send_raw(world, "mup/response/dev-1", NULL, 0, false);
    send_raw(world, "mup/response/dev-1", "", 0, false);
    send_raw(world, "mup/response/dev-1", "01234567890123456", 17, false);
    send_raw(world, "mup/response/dev-1", "4", 1, true); /* retained */
    assert_int_equal(world->command_count, 0);
    assert_int_equal(broker_count(&world->broker, "mup/response/"), 0);
    assert_int_equal(world->broker.puback_count, 7); /* or the broker would send nothing more */
    send_raw(world, "mup/response/dev-1", "0123456789012345", 16, false);
    assert_int_equal(world->command_count, 1);
    for (char c = 'a'; c < 'a' + 8; c++) /* no place in the ring is empty any more */
        send_raw(world, "mup/response/dev-1", &c, 1, false);
    send_raw(world, "mup/response/dev-1", NULL, 0, false);
    send_raw(world, "mup/response/dev-1", "", 0, false);
    assert_int_equal(world->command_count, 9);
}

/* Bytes of the broker's own, behind what it has to say already. */
static void broker_says(struct world *world, const void *bytes, size_t size)
{
    memcpy(world->broker.out + world->broker.out_size, bytes, size);
    world->broker.out_size += size;
}

static void a_message_that_is_dropped_does_not_spoil_the_alias_that_it_sets(void **state)
{
    /* "led/dev-1", alias 1, correlation data of 200 bytes: more than fits */
    static const uint8_t dropped[] = {0x30, 0xdb, 0x01, 0x00, 0x09, 'l', 'e',  'd',
                                      '/',  'd',  'e',  'v',  '-',  '1', 0xce, 0x01,
                                      0x23, 0x00, 0x01, 0x09, 0x00, 0xc8};
    static const uint8_t by_alias[] = {0x30, 0x24, 0x00, 0x00, 0x1c, 0x23, 0x00, 0x01, 0x08, 0x00,
                                       0x12, 'm',  'u',  'p',  '/',  'r',  'e',  's',  'p',  'o',
                                       'n',  's',  'e',  '/',  'd',  'e',  'v',  '-',  '1',  0x09,
                                       0x00, 0x01, '1',  0xa1, 0x01, 0x62, 'O',  'N'};
    struct world *world = *state;
    uint8_t correlation[200];

    memset(correlation, 'c', sizeof correlation);
    world_connect(world);
    broker_says(world, dropped, sizeof dropped);
    broker_says(world, correlation, sizeof correlation);
    world_pump(world);
    assert_int_equal(world->command_count, 0);
    broker_says(world, by_alias, sizeof by_alias);
    world_pump(world);
    assert_true(world->is_connected);
    assert_int_equal(world->command_count, 1);
}

static void a_repeated_request_is_answered_again_and_not_done_again(void **state)
{
    struct world *world = *state;

    world_connect(world);
    send_raw(world, "mup/response/dev-1", "abc", 3, false);
    send_raw(world, "mup/response/dev-1", "abc", 3, false);
    assert_int_equal(world->command_count, 1);
    assert_int_equal(broker_count(&world->broker, "mup/response/"), 2);
    assert_memory_equal(world->broker.messages[world->broker.message_count - 1].payload,
                        world->broker.messages[world->broker.message_count - 2].payload, 6);
}

static void a_repeated_request_whose_answer_is_forgotten_is_not_answered(void **state)
{
    struct world *world = *state;

    world_connect(world);
    send_raw(world, "mup/response/dev-1", "abc", 3, false);
    world_bootstrap(world, MUP_STATE_OK, NULL, 0); /* it lies where the answer was */
    send_raw(world, "mup/response/dev-1", "abc", 3, false);
    assert_int_equal(world->command_count, 1);
    assert_int_equal(broker_count(&world->broker, "mup/response/"), 1);
    assert_int_equal(world->broker.puback_count, 3);
}

static void the_last_eight_requests_are_remembered_and_the_ninth_is_not(void **state)
{
    struct world *world = *state;
    size_t answers;

    world_connect(world);
    for (char c = 'a'; c < 'a' + 8; c++)
        send_raw(world, "mup/response/dev-1", &c, 1, false);
    answers = broker_count(&world->broker, "mup/response/");
    assert_int_equal(answers, 8);
    send_raw(world, "mup/response/dev-1", "a", 1, false);
    assert_int_equal(world->command_count, 8);
    assert_int_equal(broker_count(&world->broker, "mup/response/"), 8); /* its answer is gone */
    send_raw(world, "mup/response/dev-1", "i", 1, false);
    send_raw(world, "mup/response/dev-1", "a", 1, false);
    assert_int_equal(world->command_count, 10);
}

static void a_request_is_acknowledged_after_its_answer_was(void **state)
{
    struct world *world = *state;

    world_connect(world);
    world->broker.holds_pubacks = true;
    send_raw(world, "mup/response/dev-1", "abc", 3, false);
    assert_int_equal(broker_count(&world->broker, "mup/response/"), 1);
    assert_int_equal(world->broker.puback_count, 0);
    broker_acknowledge(&world->broker, broker_last(&world->broker, "mup/response/")->packet_id);
    world_pump(world);
    assert_int_equal(world->broker.puback_count, 1);
}

static void an_answer_without_puback_is_sent_again_with_its_id_on_the_same_session(void **state)
{
    struct world *world = *state;
    uint16_t id;

    world_connect(world);
    world->broker.holds_pubacks = true;
    send_raw(world, "mup/response/dev-1", "abc", 3, false);
    id = broker_last(&world->broker, "mup/response/")->packet_id;
    world_disconnect(world);
    world->broker.holds_pubacks = false;
    world->broker.session_present = true;
    world_connect(world);
    assert_int_equal(broker_count(&world->broker, "mup/response/"), 2);
    assert_int_equal(broker_last(&world->broker, "mup/response/")->packet_id, id);
    assert_true(broker_last(&world->broker, "mup/response/")->dup);
    assert_memory_equal(broker_last(&world->broker, "mup/response/")->correlation, "abc", 3);
    assert_int_equal(world->command_count, 1);
    /* The broker has had no PUBACK of the request and repeats it. */
    send_raw(world, "mup/response/dev-1", "abc", 3, false);
    assert_int_equal(world->command_count, 1);
    assert_int_equal(broker_count(&world->broker, "mup/response/"), 3);
}

static void an_answer_without_puback_is_sent_as_new_on_a_new_session(void **state)
{
    struct world *world = *state;

    world_connect(world);
    world->broker.holds_pubacks = true;
    send_raw(world, "mup/response/dev-1", "abc", 3, false);
    world_disconnect(world);
    world->broker.holds_pubacks = false;
    world_connect(world);
    assert_int_equal(broker_count(&world->broker, "mup/response/"), 2);
    assert_false(broker_last(&world->broker, "mup/response/")->dup);
    assert_int_equal(world->command_count, 1);
}

static void a_request_that_was_cut_off_is_done_when_it_comes_again(void **state)
{
    static const uint8_t on[] = {0xa1, 0x01, 0x62, 'O', 'N'};
    struct world *world = *state;

    world_connect(world);
    for (size_t cut = 1;; cut++) {
        char correlation = (char)cut;
        uint32_t before = world->command_count;
        size_t used;

        broker_publish(&world->broker, "led/dev-1", on, sizeof on, 1, false, "mup/response/dev-1",
                       &correlation, 1);
        if (cut >= world->broker.out_size)
            break;
        (void)mup_agent_input(&world->agent, world->now_ms, world->broker.out, cut, &used);
        world_disconnect(world);
        world->broker.session_present = true;
        world_connect(world);
        send_raw(world, "mup/response/dev-1", &correlation, 1, false);
        assert_int_equal(world->command_count, before + 1);
    }
}

static void a_request_of_qos_0_while_an_answer_waits_does_not_spoil_the_answer(void **state)
{
    static const uint8_t other[] = {0xa1, 0x01, 0x63, 'O', 'F', 'F'};
    static const uint8_t answer[] = {0xa2, 0x01, 0x0a, 0x02, 0x18, 0x2a};
    struct world *world = *state;

    world_connect(world);
    world->broker.holds_pubacks = true;
    send_raw(world, "mup/response/dev-1", "abc", 3, false);
    broker_publish(&world->broker, "led/dev-1", other, sizeof other, 0, false, "mup/response/dev-1",
                   "xyz", 3);
    broker_publish(&world->broker, "mup/bootstrap/dev-1", other, sizeof other, 0, false, NULL, NULL,
                   0);
    world_pump(world);
    assert_int_equal(world->command_count, 1);
    world_disconnect(world);
    world->broker.holds_pubacks = false;
    world_connect(world);
    assert_memory_equal(broker_last(&world->broker, "mup/response/")->payload, answer,
                        sizeof answer);
    assert_memory_equal(broker_last(&world->broker, "mup/response/")->correlation, "abc", 3);
}

static void garbage_in_place_of_a_request_is_12_at_every_length(void **state)
{
    struct world *world = *state;
    uint8_t bytes[MUP_REQUEST_MAX];

    world_connect(world);
    memset(bytes, 0xa1, sizeof bytes);
    for (uint16_t size = 0; size <= sizeof bytes; size++) {
        static const uint8_t error[] = {0xa1, 0x01, 0x0c};

        world->broker.message_count = 0;
        broker_publish(&world->broker, "led/dev-1", bytes, size, 1, false, "mup/response/dev-1",
                       &size, sizeof size);
        world_pump(world);
        assert_int_equal(broker_count(&world->broker, "mup/response/"), 1);
        assert_memory_equal(broker_last(&world->broker, "mup/response/")->payload, error, 3);
    }
    assert_int_equal(world->command_count, 0);
}

/* ---- No room ------------------------------------------------------------------------------- */

/* The transport takes one byte a turn: everything is late, nothing is lost. */
static void with_a_trickle_of_output_everything_still_arrives(void **state)
{
    struct world *world = *state;
    const uint8_t *bytes;
    uint8_t sent[4096];
    size_t sent_size = 0;
    bool asked = false;

    world->broker.session_present = false;
    assert_int_equal(mup_agent_connect(&world->agent, world->now_ms), MUP_OK);
    world->is_connected = true;
    for (int turn = 0; turn < 20000; turn++) {
        size_t used;

        if (mup_mqtt_output(&world->mqtt, &bytes) > 0) {
            sent[sent_size++] = bytes[0];
            mup_mqtt_sent(&world->mqtt, world->now_ms, 1);
            used = broker_take(&world->broker, sent, sent_size);
            memmove(sent, sent + used, sent_size -= used);
        }
        if (!asked && broker_count(&world->broker, "mup/announce/") > 0) {
            static const uint8_t token[] = {0xa1, 0x01, 0x70, 'G', 'E', 'T', '-', 'D', 'E', 'V',
                                            'I',  'C',  'E',  '-', 'T', 'O', 'K', 'E', 'N'};

            asked = true;
            world->is_connected = false; /* only queue it, this loop is the pump */
            world_bootstrap(world, MUP_STATE_SEND_DESCRIPTION, NULL, 0);
            broker_publish(&world->broker, "mup/token/dev-1", token, sizeof token, 1, false,
                           "mup/response/dev-1", "t", 1);
        }
        if (world->broker.out_size > 0) {
            (void)mup_agent_input(&world->agent, world->now_ms, world->broker.out, 1, &used);
            memmove(world->broker.out, world->broker.out + used, world->broker.out_size -= used);
        }
        (void)mup_agent_tick(&world->agent, world->now_ms);
    }
    assert_int_equal(broker_count(&world->broker, "mup/presence/"), 1);
    assert_int_equal(broker_count(&world->broker, "mup/response/"), 1);
    assert_int_equal(broker_count(&world->broker, "mup/description/"), 2);
}

/* An output buffer that fills up at each point in turn: an update succeeds with all of them. */
static void an_update_succeeds_with_every_size_of_output_buffer(void **state)
{
    struct world *world = *state;

    for (size_t size = MUP_AGENT_OUT_SIZE_MIN; size < 700; size += 9) {
        struct world *other = world_make();

        other->out_size = size;
        assert_true(world_boot(other));
        world_connect(other);
        world_release(other, 2, 3000, WORLD_BLOCK_SIZE);
        world_bootstrap(other, MUP_STATE_SEND_DESCRIPTION, NULL, 0);
        assert_int_equal(world_offer(other, NULL).state, MUP_STATE_OK);
        assert_int_equal(world_transfer(other), MUP_STATE_OK);
        assert_int_equal(world_verify(other).state, MUP_STATE_OK);
        world_free(other);
    }
    (void)world;
}

/* ---- Telemetry ----------------------------------------------------------------------------- */

static void a_sensor_value_is_published_on_the_devices_own_topic(void **state)
{
    struct world *world = *state;
    uint8_t long_value[MUP_AGENT_TELEMETRY_MAX + 1] = {0};

    assert_int_equal(mup_agent_publish(&world->agent, "sensor/", "21.5", 4), MUP_ERR_STATE);
    world_connect(world);
    assert_int_equal(mup_agent_publish(&world->agent, "sensor/", "21.5", 4), MUP_OK);
    world_pump(world);
    assert_memory_equal(broker_last(&world->broker, "sensor/dev-1")->payload, "21.5", 4);
    assert_int_equal(mup_agent_publish(&world->agent, "sensor/", long_value, sizeof long_value),
                     MUP_ERR_RANGE);
}

static void a_config_outside_its_limits_is_refused_field_by_field(void **state)
{
    struct world *world = *state;
    struct mup_agent_config good = world->config;
    struct mup_agent agent;

#define REFUSED(field, bad)    \
    world->config = good;      \
    world->config.field = bad; \
    assert_int_equal(mup_agent_init(&agent, &world->config, 0), MUP_ERR_RANGE)
    REFUSED(app_id, "");
    REFUSED(app_id, NULL);
    REFUSED(app_id, "012345678901234567890123456789012");
    REFUSED(hardware_class, "");
    REFUSED(description_size, 0);
    REFUSED(description_size, MUP_DESCRIPTION_MAX + 1);
    REFUSED(topic_count, MUP_AGENT_TOPICS_MAX + 1);
    REFUSED(block_size_max, MUP_BLOCK_SIZE_MIN - 1);
    REFUSED(block_size_max, MUP_BLOCK_SIZE_MAX + 1);
    REFUSED(window_size, MUP_WINDOW_MIN - 1);
    REFUSED(window_size, MUP_WINDOW_MAX + 1);
    REFUSED(slice_size_max, MUP_SLICE_DATA_MIN - 1);
    REFUSED(slice_size_max, WORLD_WINDOW + 1);
    REFUSED(token_lifetime_s, 0);
    REFUSED(token_lifetime_s, MUP_TOKEN_LIFETIME_MAX_S + 1);
    world->config = good;
    assert_int_equal(mup_agent_init(&agent, &world->config, 0), MUP_OK);
    world->random.fail_at = world->random.call_count + 1;
    assert_int_equal(mup_agent_init(&agent, &world->config, 0), MUP_ERR_RANDOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(it_subscribes_then_says_that_it_is_there_then_announces_itself),
        TEST(a_boot_has_an_id_that_a_reconnection_keeps),
        TEST(it_announces_again_every_minute_until_the_bridge_replies),
        TEST(a_session_that_was_kept_needs_no_subscriptions_but_that_of_another_boot_does),
        TEST(a_refused_subscription_ends_the_connection_and_is_tried_again_rarely),
        TEST(a_topic_of_the_application_that_is_refused_does_not_keep_it_from_updates),
        TEST(links_that_are_lost_before_the_puback_do_not_make_it_mute),
        TEST(the_wait_before_a_reconnection_grows_to_two_minutes_and_shrinks_again),
        TEST(a_silent_broker_is_left),
        TEST(a_broker_that_pings_but_does_not_answer_a_subscription_is_left),
        TEST(the_description_goes_out_in_pieces_only_when_it_is_asked_for),
        TEST(a_piece_waits_for_the_puback_of_the_one_before),
        TEST(after_a_lost_link_the_description_waits_to_be_asked_for_again),
        TEST(a_command_of_the_application_is_answered_with_what_it_says),
        TEST(an_answer_that_does_not_fit_into_the_output_is_12),
        TEST(unknown_methods_and_wrong_arguments_are_12),
        TEST(it_answers_only_to_its_own_response_topic_and_with_correlation_data),
        TEST(a_message_that_is_dropped_does_not_spoil_the_alias_that_it_sets),
        TEST(a_repeated_request_is_answered_again_and_not_done_again),
        TEST(a_repeated_request_whose_answer_is_forgotten_is_not_answered),
        TEST(the_last_eight_requests_are_remembered_and_the_ninth_is_not),
        TEST(a_request_is_acknowledged_after_its_answer_was),
        TEST(an_answer_without_puback_is_sent_again_with_its_id_on_the_same_session),
        TEST(an_answer_without_puback_is_sent_as_new_on_a_new_session),
        TEST(a_request_that_was_cut_off_is_done_when_it_comes_again),
        TEST(a_request_of_qos_0_while_an_answer_waits_does_not_spoil_the_answer),
        TEST(garbage_in_place_of_a_request_is_12_at_every_length),
        TEST(with_a_trickle_of_output_everything_still_arrives),
        TEST(an_update_succeeds_with_every_size_of_output_buffer),
        TEST(a_sensor_value_is_published_on_the_devices_own_topic),
        TEST(a_config_outside_its_limits_is_refused_field_by_field),
    };
    return cmocka_run_group_tests(tests, world_keys, world_keys_end);
}
