/*
 * Every refusal of SPEC section 19, in its order, and what a refusal leaves behind: nothing stored,
 * the nonce alive, the transfer under way untouched.
 */
#include "world.h"

#include "mup/certificate.h"

static int setup(void **state)
{
    struct world *world = world_make();

    world_connect(world);
    world_release(world, 2, 5000, WORLD_BLOCK_SIZE);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

/* Refused with this state; nothing was written, and the same token still works. */
static void refused(struct world *world, const struct forgery *forgery, uint32_t want)
{
    uint8_t nonce[MUP_NONCE_SIZE];
    uint32_t operations;

    assert_int_equal(world_token(world).state, MUP_STATE_OK);
    memcpy(nonce, world->token.nonce, sizeof nonce);
    world_extend(world, forgery);
    operations = world->flash.operation_count;
    assert_int_equal(world_send_manifest(world).state, want);
    assert_int_equal(world->flash.operation_count, operations);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
    assert_false(broker_is_subscribed(&world->broker, "mup/firmware/" WORLD_NAME));
    assert_int_equal(world_token(world).state, MUP_STATE_OK);
    assert_memory_equal(world->token.nonce, nonce, sizeof nonce);

    world_release(world, 2, 5000, WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
}

/* The same, for what the vendor signed but not for this device. */
static void refused_field(struct world *world, uint32_t want)
{
    struct forgery none = {0};

    refused(world, &none, want);
}

static void in_trial_is_36_before_anything_is_looked_at(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    world_transfer(world);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
    world->holds_confirmation = true;
    assert_true(world_boot(world));
    world_connect(world);
    world->extended_size = 1; /* not even a manifest */
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_IN_TRIAL);
}

static void an_image_that_waits_to_boot_is_26(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    world_transfer(world);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
    world->extended[0] ^= 1;
    assert_int_equal(world_send_manifest(world).state, 0); /* disconnected: about to restart */
    /* As if the bootloader had not run yet. */
    world->broker.out_size = 0;
    assert_int_equal(mup_boot_open(&world->boot, &world->map), MUP_OK);
    assert_int_equal(
        mup_mqtt_init(&world->mqtt, world->out, world->out_size, world->head, sizeof world->head),
        MUP_OK);
    assert_int_equal(mup_agent_init(&world->agent, &world->config, world->now_ms), MUP_OK);
    world_connect(world);
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_SLOT_IN_USE);
}

static void garbage_is_20_and_so_is_every_truncation(void **state)
{
    struct world *world = *state;
    struct forgery none = {0};
    size_t size;

    (void)world_token(world);
    world_extend(world, &none);
    size = world->extended_size;
    for (world->extended_size = 0; world->extended_size < size; world->extended_size++)
        assert_int_equal(world_send_manifest(world).state, MUP_STATE_MANIFEST_NOT_VALID);
    assert_int_equal(world->agent.budget, MUP_AGENT_BUDGET_MAX);
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_OK);
}

static void more_bytes_than_any_manifest_are_20(void **state)
{
    struct world *world = *state;
    struct forgery none = {0};

    (void)world_token(world);
    world_extend(world, &none);
    world->extended_size = MUP_EXTENDED_SIGNED_MAX + 1;
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_MANIFEST_NOT_VALID);
}

static void a_request_longer_than_any_is_answered_without_being_taken_in(void **state)
{
    struct world *world = *state;
    static const uint8_t bytes[MUP_REQUEST_MAX + 1];
    static const uint8_t not_valid[] = {0xa1, 0x01, 0x14}; /* {1: 20} */
    static const uint8_t error[] = {0xa1, 0x01, 0x0c};     /* {1: 12} */

    broker_publish(&world->broker, "mup/manifest/" WORLD_NAME, bytes, sizeof bytes, 1, false,
                   "mup/response/" WORLD_NAME, "x", 1);
    world_pump(world);
    assert_memory_equal(broker_last(&world->broker, "mup/response/")->payload, not_valid,
                        sizeof not_valid);
    broker_publish(&world->broker, "led/" WORLD_NAME, bytes, sizeof bytes, 1, false,
                   "mup/response/" WORLD_NAME, "y", 1);
    world_pump(world);
    assert_memory_equal(broker_last(&world->broker, "mup/response/")->payload, error, sizeof error);
    assert_int_equal(world_token(world).state, MUP_STATE_OK);
}

static void a_manifest_that_is_no_byte_string_is_20(void **state)
{
    struct world *world = *state;

    assert_int_equal(
        world_request(world, MUP_TOPIC_MANIFEST, MUP_METHOD_MANIFEST, "\x18\x2a", 2).state,
        MUP_STATE_MANIFEST_NOT_VALID);
}

static void without_a_server_key_it_is_37(void **state)
{
    struct world *world = *state;
    struct mup_identity identity;

    assert_int_equal(mup_identity_load(&identity, &world->map), MUP_OK);
    identity.server_epoch = 0;
    assert_int_equal(mup_identity_save(&world->map, &identity), MUP_OK);
    assert_true(world_boot(world));
    world_connect(world);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_NO_SERVER_KEY);
    assert_false(world->token.has_server_kid);
}

static void an_outer_key_id_that_is_not_the_servers_is_31(void **state)
{
    struct forgery forgery = {.outer = &stranger};

    refused(*state, &forgery, MUP_STATE_UNKNOWN_KEY);
}

static void another_nonce_is_22(void **state)
{
    struct forgery forgery = {.other_nonce = true};

    refused(*state, &forgery, MUP_STATE_INVALID_NONCE);
}

static void without_a_token_every_nonce_is_22_also_that_of_zeros(void **state)
{
    struct world *world = *state;
    struct forgery none = {0};

    memcpy(world->token.uuid, world->agent.bootstrap.self.uuid, MUP_UUID_SIZE);
    world->token.version = 1;
    world_extend(world, &none);
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_INVALID_NONCE);
}

static void another_uuid_is_29(void **state)
{
    struct forgery forgery = {.other_uuid = true};

    refused(*state, &forgery, MUP_STATE_WRONG_DEVICE);
}

static void a_token_version_that_does_not_run_is_33(void **state)
{
    struct forgery forgery = {.other_version = true};

    refused(*state, &forgery, MUP_STATE_WRONG_OLD_VERSION);
}

static void an_inner_envelope_that_is_none_is_20_without_a_signature_check(void **state)
{
    struct world *world = *state;
    struct forgery forgery = {.inner_garbage = true};

    (void)world_token(world);
    world_extend(world, &forgery);
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_MANIFEST_NOT_VALID);
    assert_int_equal(world->agent.budget, MUP_AGENT_BUDGET_MAX);
}

static void an_inner_key_id_that_is_not_the_vendors_is_31(void **state)
{
    struct forgery forgery = {.inner = &stranger};

    refused(*state, &forgery, MUP_STATE_UNKNOWN_KEY);
}

static void an_outer_signature_that_does_not_hold_is_23(void **state)
{
    struct forgery forgery = {.outer_spoiled = true};

    refused(*state, &forgery, MUP_STATE_OUTER_SIGNATURE_INVALID);
}

static void the_servers_key_id_does_not_help_a_strangers_signature(void **state)
{
    struct forgery forgery = {.outer = &stranger, .outer_kid = server.kid};

    refused(*state, &forgery, MUP_STATE_OUTER_SIGNATURE_INVALID);
}

static void the_vendors_key_does_not_sign_for_the_update_server(void **state)
{
    struct forgery forgery = {.outer = &vendor, .outer_kid = server.kid};

    refused(*state, &forgery, MUP_STATE_OUTER_SIGNATURE_INVALID);
}

static void an_inner_signature_that_does_not_hold_is_24(void **state)
{
    struct forgery forgery = {.inner_spoiled = true};

    refused(*state, &forgery, MUP_STATE_INNER_SIGNATURE_INVALID);
}

static void the_update_server_cannot_sign_for_the_vendor(void **state)
{
    struct forgery forgery = {.inner = &server, .inner_kid = vendor.kid};

    refused(*state, &forgery, MUP_STATE_INNER_SIGNATURE_INVALID);
}

static void a_certificate_of_the_vendor_is_no_manifest_20(void **state)
{
    struct forgery forgery = {.inner_is_certificate = true};

    refused(*state, &forgery, MUP_STATE_MANIFEST_NOT_VALID);
}

static void another_application_is_21(void **state)
{
    struct world *world = *state;

    memcpy(world->manifest.app_id, "apq", 4);
    refused_field(world, MUP_STATE_WRONG_APP_ID);
}

static void a_longer_application_id_with_ours_in_front_is_21(void **state)
{
    struct world *world = *state;

    memcpy(world->manifest.app_id, "app2", 5);
    refused_field(world, MUP_STATE_WRONG_APP_ID);
}

static void another_hardware_class_is_30(void **state)
{
    struct world *world = *state;

    memcpy(world->manifest.hardware_class, "boar", 5);
    refused_field(world, MUP_STATE_WRONG_HARDWARE_CLASS);
}

static void the_running_version_is_25(void **state)
{
    struct world *world = *state;

    world->manifest.new_version = 1;
    refused_field(world, MUP_STATE_INVALID_VERSION);
}

static void a_version_below_the_floor_is_25_even_if_it_is_above_the_running_one(void **state)
{
    struct world *world = *state;
    struct mup_boot_image image = {.version = 7, .size = 0};
    struct mup_boot_state boot;

    assert_int_equal(mup_boot_provision(&world->boot, &world->map, &image), MUP_OK);
    assert_true(world_boot(world));
    /* A journal in which the floor is above the running image: a hand-made one. */
    world->boot.body.confirmed.version = 3;
    mup_boot_state(&world->boot, &boot);
    assert_int_equal(boot.running.version, 3);
    assert_int_equal(boot.version_floor, 7);
    world_connect(world);
    world_release(world, 5, 5000, WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_INVALID_VERSION);
    world_release(world, 8, 5000, WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
}

static void an_encoding_that_it_cannot_undo_is_42_or_20(void **state)
{
    struct world *world = *state;

    world->manifest.encoding = 9;
    refused_field(world, MUP_STATE_ENCODING_UNSUPPORTED);
}

static void a_delta_for_another_version_is_33(void **state)
{
    struct world *world = *state;

    world_release(world, 9, 5000, WORLD_BLOCK_SIZE);
    world->manifest.encoding = 9;
    world->manifest.old_version = 4;
    refused_field(world, MUP_STATE_WRONG_OLD_VERSION);
}

static void another_link_offset_is_32(void **state)
{
    struct world *world = *state;

    world->manifest.link_offset++;
    refused_field(world, MUP_STATE_WRONG_LINK_OFFSET);
}

static void an_image_larger_than_the_slot_is_27(void **state)
{
    struct world *world = *state;

    world_release(world, 2, WORLD_IMAGE_MAX + 1, WORLD_BLOCK_SIZE);
    refused_field(world, MUP_STATE_IMAGE_TOO_BIG);
}

static void a_block_larger_than_the_buffer_is_34(void **state)
{
    struct world *world = *state;

    world_release(world, 2, 5000, 2 * WORLD_BLOCK_SIZE);
    refused_field(world, MUP_STATE_BLOCK_SIZE_UNSUPPORTED);
}

/* ---- The order ----------------------------------------------------------------------------- */

/* Everything is wrong at once; putting the first thing right shows the next, in SPEC's order. */
static void what_is_wrong_first_in_the_order_is_what_is_answered(void **state)
{
    struct world *world = *state;
    struct forgery forgery = {.outer = &stranger,
                              .other_nonce = true,
                              .other_uuid = true,
                              .other_version = true,
                              .inner = &stranger};

    world_release(world, 2, WORLD_IMAGE_MAX + 1, 2 * WORLD_BLOCK_SIZE);
    memcpy(world->manifest.app_id, "apq", 4);
    memcpy(world->manifest.hardware_class, "tower", 6);
    world->manifest.new_version = 1;
    world->manifest.link_offset = 1;
    world->manifest.encoding = 9;

    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_UNKNOWN_KEY);
    forgery.outer_kid = server.kid;
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_INVALID_NONCE);
    forgery.other_nonce = false;
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_WRONG_DEVICE);
    forgery.other_uuid = false;
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_WRONG_OLD_VERSION);
    forgery.other_version = false;
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_UNKNOWN_KEY);
    forgery.inner_kid = vendor.kid;
    assert_int_equal(world->agent.budget, MUP_AGENT_BUDGET_MAX);
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_OUTER_SIGNATURE_INVALID);
    assert_int_equal(world->agent.budget, MUP_AGENT_BUDGET_MAX - 1);
    forgery.outer = &server;
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_INNER_SIGNATURE_INVALID);
    forgery.inner = NULL;
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_WRONG_APP_ID);
    memcpy(world->manifest.app_id, "app", 4);
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_WRONG_HARDWARE_CLASS);
    memcpy(world->manifest.hardware_class, "board", 6);
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_INVALID_VERSION);
    world->manifest.new_version = 9;
    world->manifest.old_version = 4;
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_WRONG_OLD_VERSION);
    world->manifest.old_version = 0;
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_ENCODING_UNSUPPORTED);
    world->manifest.encoding = 0;
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_WRONG_LINK_OFFSET);
    world->manifest.link_offset = 0x6000;
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_IMAGE_TOO_BIG);
    world_release(world, 9, 5000, 2 * WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_BLOCK_SIZE_UNSUPPORTED);
    world_release(world, 9, 5000, WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_OK);
}

static void every_bit_of_a_manifest_counts(void **state)
{
    struct world *world = *state;
    struct forgery none = {0};

    (void)world_token(world);
    world_extend(world, &none);
    for (size_t i = 0; i < world->extended_size; i++) {
        world->agent.budget = MUP_AGENT_BUDGET_MAX;
        world->extended[i] ^= (uint8_t)(1u << (i % 8));
        assert_int_not_equal(world_send_manifest(world).state, MUP_STATE_OK);
        world->extended[i] ^= (uint8_t)(1u << (i % 8));
    }
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_OK);
}

/* ---- Nonce, repetition, budget ------------------------------------------------------------- */

static void a_byte_identical_copy_is_answered_with_the_current_acknowledgement(void **state)
{
    struct world *world = *state;
    struct answer answer;
    struct mup_ack ack;
    uint8_t budget;

    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    world_slice(world, world->agent.transfer, 0, 0, world->payload, 600);
    budget = world->agent.budget;
    answer = world_send_manifest(world);
    assert_int_equal(answer.state, MUP_STATE_OK);
    assert_int_equal(mup_ack_decode(&ack, answer.value, answer.value_size), MUP_OK);
    assert_int_equal(ack.transfer, world->agent.transfer);
    assert_int_equal(ack.next, 600);
    assert_int_equal(world->agent.budget, budget);
}

static void the_token_after_an_accepted_manifest_has_a_nonce_of_its_own(void **state)
{
    static const uint8_t zeros[MUP_NONCE_SIZE];
    struct world *world = *state;
    uint8_t nonce[MUP_NONCE_SIZE];

    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    memcpy(nonce, world->token.nonce, sizeof nonce);
    assert_int_equal(world_token(world).state, MUP_STATE_OK);
    assert_memory_not_equal(world->token.nonce, nonce, sizeof nonce);
    assert_memory_not_equal(world->token.nonce, zeros, sizeof zeros);
}

static void a_transfer_never_has_the_id_of_the_one_before(void **state)
{
    struct world *world = *state;
    struct forgery none = {0};
    uint8_t bytes[2];
    uint16_t predicted;

    (void)world_token(world);
    world_extend(world, &none);
    bytes[0] = world->random.next;
    bytes[1] = (uint8_t)(world->random.next + 1);
    memcpy(&predicted, bytes, sizeof predicted);
    world->agent.transfer = predicted;
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_OK);
    assert_int_equal(world->agent.transfer, (uint16_t)(predicted + 1));
}

static void an_accepted_manifest_is_spent_when_its_transfer_was_given_up(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    world->now_ms += MUP_AGENT_GIVE_UP_MS;
    world_disconnect(world);
    world_pass(world, 1);
    world_connect(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_INVALID_NONCE);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
}

static void an_accepted_manifest_is_spent_after_a_reset(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    assert_true(world_boot(world));
    world_connect(world);
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_INVALID_NONCE);
    assert_int_equal(world_token(world).state, MUP_STATE_OK);
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_INVALID_NONCE);
}

static void an_older_accepted_manifest_is_22_while_a_newer_one_runs(void **state)
{
    struct world *world = *state;
    uint8_t older[sizeof world->extended];
    size_t older_size;

    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    memcpy(older, world->extended, sizeof older);
    older_size = world->extended_size;
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    memcpy(world->extended, older, sizeof older);
    world->extended_size = older_size;
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_INVALID_NONCE);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_RECEIVING);
}

static void a_refused_manifest_does_not_disturb_the_transfer_under_way(void **state)
{
    struct world *world = *state;
    struct forgery forgery = {.outer_spoiled = true};

    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    world_slice(world, world->agent.transfer, 0, 0, world->payload, 600);
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_OUTER_SIGNATURE_INVALID);
    world_slice(world, world->agent.transfer, 0, 600, world->payload + 600, 600);
    assert_int_equal(mup_pipeline_next(&world->agent.pipeline), 1200);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
}

static void a_nonce_lives_as_long_as_the_token_says_and_no_longer(void **state)
{
    struct world *world = *state;
    struct forgery none = {0};
    uint8_t nonce[MUP_NONCE_SIZE];

    (void)world_token(world);
    memcpy(nonce, world->token.nonce, sizeof nonce);
    world_extend(world, &none);
    world_pass(world, 599999);
    (void)world_token(world);
    assert_memory_equal(nonce, world->token.nonce, sizeof nonce);
    world_pass(world, 1);
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_INVALID_NONCE);
    (void)world_token(world);
    assert_memory_not_equal(nonce, world->token.nonce, sizeof nonce);
}

static void a_nonce_is_dead_in_time_although_the_device_slept_through_its_end(void **state)
{
    struct world *world = *state;
    struct forgery none = {0};
    uint8_t nonce[MUP_NONCE_SIZE];

    (void)world_token(world);
    memcpy(nonce, world->token.nonce, sizeof nonce);
    world_extend(world, &none);
    world->now_ms += 600000; /* what wakes it is the manifest itself */
    assert_int_equal(world_send_manifest(world).state, MUP_STATE_INVALID_NONCE);

    (void)world_token(world);
    memcpy(nonce, world->token.nonce, sizeof nonce);
    world->now_ms += 600000; /* ... or the next request for a token */
    (void)world_token(world);
    assert_memory_not_equal(nonce, world->token.nonce, sizeof nonce);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
}

static void a_nonce_ends_in_time_when_the_clock_wraps(void **state)
{
    struct world *world = *state;
    struct forgery none = {0};

    world_disconnect(world);
    world->now_ms = UINT32_MAX - 300000;
    assert_true(world_boot(world));
    world_connect(world);
    (void)world_token(world);
    world_extend(world, &none);
    world_pass(world, 599000);
    assert_true(world->now_ms < 300000);
    assert_true(world->agent.nonce_lives);
    world_pass(world, 1001);
    assert_false(world->agent.nonce_lives);
}

static void forged_manifests_drain_the_budget_which_refills_with_time(void **state)
{
    struct world *world = *state;
    struct forgery forgery = {.outer_spoiled = true};

    for (uint32_t i = 0; i < MUP_AGENT_BUDGET_MAX; i++)
        assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_OUTER_SIGNATURE_INVALID);
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_BUDGET_EXHAUSTED);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_BUDGET_EXHAUSTED);
    world_pass(world, MUP_AGENT_BUDGET_REFILL_MS);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    assert_int_equal(world->agent.budget, 1); /* what is accepted costs nothing */
    world_pass(world, 40 * MUP_AGENT_BUDGET_REFILL_MS);
    assert_int_equal(world->agent.budget, MUP_AGENT_BUDGET_MAX);
}

static void without_randomness_there_is_no_token(void **state)
{
    struct world *world = *state;

    world->random.fail_at = world->random.call_count + 1;
    assert_int_equal(world_token(world).state, MUP_STATE_ERROR);
    assert_int_equal(world_token(world).state, MUP_STATE_OK);
}

static void a_token_says_what_the_device_can_take(void **state)
{
    struct world *world = *state;

    assert_int_equal(world_token(world).state, MUP_STATE_OK);
    assert_int_equal(world->token.version, 1);
    assert_string_equal(world->token.app_id, "app");
    assert_string_equal(world->token.hardware_class, "board");
    assert_int_equal(world->token.link_offset, 0x6000);
    assert_int_equal(world->token.slot_size, WORLD_IMAGE_MAX);
    assert_int_equal(world->token.block_size_max, WORLD_BLOCK_SIZE);
    assert_int_equal(world->token.window_size, WORLD_WINDOW);
    assert_int_equal(world->token.slice_size_max, WORLD_SLICE);
    assert_int_equal(world->token.lifetime_s, 600);
    assert_memory_equal(world->token.vendor_kid, vendor.kid, MUP_KID_SIZE);
    assert_true(world->token.has_server_kid);
    assert_memory_equal(world->token.server_kid, server.kid, MUP_KID_SIZE);
    assert_false(world->token.has_resume);
}

/* ---- Certificates (SPEC section 5) --------------------------------------------------------- */

static void offer_certificate(struct world *world, const struct signer *by, const struct signer *of,
                              uint32_t epoch, uint32_t want_state, uint32_t want_epoch)
{
    uint8_t certificate[MUP_CERTIFICATE_SIGNED_MAX];
    size_t size = world_certificate(certificate, sizeof certificate, by, of, epoch);

    world_bootstrap(world, MUP_STATE_OK, certificate, size);
    assert_int_equal(world->notice_state[MUP_AGENT_CERTIFICATE], want_state);
    assert_int_equal(world->agent.bootstrap.self.server_epoch, want_epoch);
}

static void a_newer_epoch_is_taken_and_survives_a_reset(void **state)
{
    struct world *world = *state;
    struct forgery forgery = {.outer = &stranger};

    offer_certificate(world, &vendor, &stranger, 2, MUP_STATE_OK, 2);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_UNKNOWN_KEY);
    assert_true(world_boot(world));
    world_connect(world);
    assert_int_equal(world->agent.bootstrap.self.server_epoch, 2);
    assert_int_equal(world_offer(world, &forgery).state, MUP_STATE_OK);
}

static void the_same_epoch_with_the_same_key_does_nothing(void **state)
{
    struct world *world = *state;
    uint32_t operations = world->flash.operation_count;

    offer_certificate(world, &vendor, &server, 1, MUP_STATE_NOOP, 1);
    assert_int_equal(world->flash.operation_count, operations);
    assert_int_equal(world->agent.budget, MUP_AGENT_BUDGET_MAX);
}

static void the_same_epoch_with_another_key_is_refused(void **state)
{
    offer_certificate(*state, &vendor, &stranger, 1, MUP_STATE_INVALID_VERSION, 1);
}

static void an_older_epoch_is_refused(void **state)
{
    struct world *world = *state;

    offer_certificate(world, &vendor, &stranger, 5, MUP_STATE_OK, 5);
    offer_certificate(world, &vendor, &server, 4, MUP_STATE_INVALID_VERSION, 5);
    offer_certificate(world, &vendor, &stranger, 4, MUP_STATE_INVALID_VERSION, 5);
}

static void a_certificate_of_another_signer_is_refused(void **state)
{
    struct world *world = *state;

    offer_certificate(world, &server, &stranger, 9, MUP_STATE_UNKNOWN_KEY, 1);
    offer_certificate(world, &stranger, &stranger, 9, MUP_STATE_UNKNOWN_KEY, 1);
    assert_int_equal(world->agent.budget, MUP_AGENT_BUDGET_MAX); /* by the key id alone */
}

static void a_certificate_with_a_spoiled_signature_is_refused_and_drains_the_budget(void **state)
{
    struct world *world = *state;
    uint8_t certificate[MUP_CERTIFICATE_SIGNED_MAX];
    size_t size = world_certificate(certificate, sizeof certificate, &vendor, &stranger, 9);

    certificate[size - 1] ^= 1;
    for (uint32_t i = 0; i < MUP_AGENT_BUDGET_MAX; i++) {
        world_bootstrap(world, MUP_STATE_OK, certificate, size);
        assert_int_equal(world->notice_state[MUP_AGENT_CERTIFICATE],
                         MUP_STATE_OUTER_SIGNATURE_INVALID);
    }
    world_bootstrap(world, MUP_STATE_OK, certificate, size);
    assert_int_equal(world->notice_state[MUP_AGENT_CERTIFICATE], MUP_STATE_BUDGET_EXHAUSTED);
    assert_int_equal(world->agent.bootstrap.self.server_epoch, 1);
}

static void a_device_without_a_key_takes_the_first_that_its_vendor_signed(void **state)
{
    struct world *world = *state;
    struct mup_identity identity;

    assert_int_equal(mup_identity_load(&identity, &world->map), MUP_OK);
    identity.server_epoch = 0;
    assert_int_equal(mup_identity_save(&world->map, &identity), MUP_OK);
    assert_true(world_boot(world));
    world_connect(world);
    offer_certificate(world, &stranger, &stranger, 3, MUP_STATE_UNKNOWN_KEY, 0);
    offer_certificate(world, &vendor, &server, 3, MUP_STATE_OK, 3);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
}

/* It would lie in the request buffer, behind whose end the test library looks. */
static void a_reply_longer_than_any_is_not_taken_in(void **state)
{
    struct world *world = *state;
    uint8_t reply[MUP_REQUEST_MAX + 400];

    memset(reply, 0xa5, sizeof reply);
    for (size_t size = MUP_BOOTSTRAP_REPLY_MAX; size <= sizeof reply; size += 79) {
        broker_publish(&world->broker, "mup/bootstrap/" WORLD_NAME, reply, size, 1, false, NULL,
                       NULL, 0);
        world_pump(world);
    }
    assert_true(world->is_connected);
    assert_int_equal(world->notice_count[MUP_AGENT_BOOTSTRAP], 0);
    world_bootstrap(world, MUP_STATE_OK, NULL, 0);
    assert_int_equal(world->notice_count[MUP_AGENT_BOOTSTRAP], 1);
}

static void a_reply_for_another_description_is_ignored(void **state)
{
    struct world *world = *state;
    uint32_t before = world->notice_count[MUP_AGENT_BOOTSTRAP];

    world->agent.bootstrap.self.description_digest[31] ^= 1;
    world_bootstrap(world, MUP_STATE_DEVICE_REFUSED, NULL, 0);
    assert_int_equal(world->notice_count[MUP_AGENT_BOOTSTRAP], before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(in_trial_is_36_before_anything_is_looked_at),
        TEST(an_image_that_waits_to_boot_is_26),
        TEST(garbage_is_20_and_so_is_every_truncation),
        TEST(more_bytes_than_any_manifest_are_20),
        TEST(a_request_longer_than_any_is_answered_without_being_taken_in),
        TEST(a_manifest_that_is_no_byte_string_is_20),
        TEST(without_a_server_key_it_is_37),
        TEST(an_outer_key_id_that_is_not_the_servers_is_31),
        TEST(another_nonce_is_22),
        TEST(without_a_token_every_nonce_is_22_also_that_of_zeros),
        TEST(another_uuid_is_29),
        TEST(a_token_version_that_does_not_run_is_33),
        TEST(an_inner_envelope_that_is_none_is_20_without_a_signature_check),
        TEST(an_inner_key_id_that_is_not_the_vendors_is_31),
        TEST(an_outer_signature_that_does_not_hold_is_23),
        TEST(the_servers_key_id_does_not_help_a_strangers_signature),
        TEST(the_vendors_key_does_not_sign_for_the_update_server),
        TEST(an_inner_signature_that_does_not_hold_is_24),
        TEST(the_update_server_cannot_sign_for_the_vendor),
        TEST(a_certificate_of_the_vendor_is_no_manifest_20),
        TEST(another_application_is_21),
        TEST(a_longer_application_id_with_ours_in_front_is_21),
        TEST(another_hardware_class_is_30),
        TEST(the_running_version_is_25),
        TEST(a_version_below_the_floor_is_25_even_if_it_is_above_the_running_one),
        TEST(an_encoding_that_it_cannot_undo_is_42_or_20),
        TEST(a_delta_for_another_version_is_33),
        TEST(another_link_offset_is_32),
        TEST(an_image_larger_than_the_slot_is_27),
        TEST(a_block_larger_than_the_buffer_is_34),
        TEST(what_is_wrong_first_in_the_order_is_what_is_answered),
        TEST(every_bit_of_a_manifest_counts),
        TEST(a_byte_identical_copy_is_answered_with_the_current_acknowledgement),
        TEST(the_token_after_an_accepted_manifest_has_a_nonce_of_its_own),
        TEST(a_transfer_never_has_the_id_of_the_one_before),
        TEST(an_accepted_manifest_is_spent_when_its_transfer_was_given_up),
        TEST(an_accepted_manifest_is_spent_after_a_reset),
        TEST(an_older_accepted_manifest_is_22_while_a_newer_one_runs),
        TEST(a_refused_manifest_does_not_disturb_the_transfer_under_way),
        TEST(a_nonce_lives_as_long_as_the_token_says_and_no_longer),
        TEST(a_nonce_is_dead_in_time_although_the_device_slept_through_its_end),
        TEST(a_nonce_ends_in_time_when_the_clock_wraps),
        TEST(forged_manifests_drain_the_budget_which_refills_with_time),
        TEST(without_randomness_there_is_no_token),
        TEST(a_token_says_what_the_device_can_take),
        TEST(a_newer_epoch_is_taken_and_survives_a_reset),
        TEST(the_same_epoch_with_the_same_key_does_nothing),
        TEST(the_same_epoch_with_another_key_is_refused),
        TEST(an_older_epoch_is_refused),
        TEST(a_certificate_of_another_signer_is_refused),
        TEST(a_certificate_with_a_spoiled_signature_is_refused_and_drains_the_budget),
        TEST(a_device_without_a_key_takes_the_first_that_its_vendor_signed),
        TEST(a_reply_longer_than_any_is_not_taken_in),
        TEST(a_reply_for_another_description_is_ignored),
    };
    return cmocka_run_group_tests(tests, world_keys, world_keys_end);
}
