/* Slices and acknowledgements (SPEC sections 15 and 16), with everything that can be wrong. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "mup/slot.h"

#define IMAGE_SIZE 8000u
#define STRIDE     (WORLD_BLOCK_SIZE + MUP_DIGEST_SIZE)

static int setup(void **state)
{
    struct world *world = world_make();

    world_connect(world);
    world_release(world, 2, IMAGE_SIZE, WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

static uint32_t next(const struct world *world)
{
    return mup_pipeline_next(&world->agent.pipeline);
}

/* A good slice at an offset, under the current transfer and attempt. */
static void slice(struct world *world, uint32_t offset, uint32_t size)
{
    world_slice(world, world->agent.transfer, world->agent.attempt, offset, world->payload + offset,
                size);
}

static size_t acks(const struct world *world)
{
    return broker_count(&world->broker, "mup/ack/");
}

static void raw(struct world *world, const void *bytes, size_t size)
{
    broker_publish(&world->broker, "mup/firmware/" WORLD_NAME, bytes, size, 0, false, NULL, NULL,
                   0);
    world_pump(world);
}

/* ---- Slices -------------------------------------------------------------------------------- */

static void it_subscribes_before_it_answers_and_unsubscribes_when_complete(void **state)
{
    struct world *world = *state;

    assert_true(broker_is_subscribed(&world->broker, "mup/firmware/" WORLD_NAME));
    assert_int_equal(world->broker.unsubscription_count, 0);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    assert_int_equal(world->broker.unsubscription_count, 1);
    assert_string_equal(world->broker.unsubscriptions[0], "mup/firmware/" WORLD_NAME);
    assert_int_equal(world_last_ack(world).next, world->manifest.payload_size);
    assert_int_equal(world_last_ack(world).limit, world->manifest.payload_size);
}

static void slices_need_not_be_aligned_to_anything(void **state)
{
    static const uint32_t sizes[] = {1, 2, 3, 23, 24, 255, 256, 257, 511, 1000, 1023, 1024};
    struct world *world = *state;
    uint32_t payload_size = world->manifest.payload_size;

    for (uint32_t i = 0; next(world) < payload_size; i++) {
        uint32_t size = sizes[i % (sizeof sizes / sizeof sizes[0])];
        uint32_t left = payload_size - next(world);

        slice(world, next(world), size < left ? size : left);
    }
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
}

static void a_repeated_slice_changes_nothing(void **state)
{
    struct world *world = *state;

    slice(world, 0, 700);
    slice(world, 0, 700);
    assert_int_equal(next(world), 700);
    assert_int_equal(world->agent.attempt, 0);
    slice(world, 600, 100); /* ends at next */
    assert_int_equal(next(world), 700);
    assert_int_equal(world->agent.attempt, 0);
}

/* What a broker repeats after the link was lost in the middle of a slice. */
static void of_a_slice_that_begins_before_next_the_new_part_is_taken(void **state)
{
    struct world *world = *state;

    slice(world, 0, 700);
    for (size_t piece = 1; next(world) < 2300; piece = 2 * piece + 1) {
        uint32_t at = next(world);

        world->piece_size = piece;
        slice(world, at - 300, 500);
        assert_int_equal(next(world), at + 200);
        slice(world, at + 200 - 1, 2); /* a single byte is new */
        assert_int_equal(next(world), at + 201);
    }
    assert_int_equal(world->agent.attempt, 0);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
}

static void a_slice_that_begins_before_next_may_not_reach_beyond_the_payload(void **state)
{
    struct world *world = *state;
    uint32_t payload_size = world->manifest.payload_size;
    uint8_t bytes[WORLD_SLICE] = {0};

    while (payload_size - next(world) > 100)
        slice(world, next(world),
              payload_size - next(world) - 100 < 900 ? payload_size - next(world) - 100 : 900);
    memcpy(bytes, world->payload + payload_size - 300, 300);
    world_slice(world, world->agent.transfer, 0, payload_size - 300, bytes, 301);
    assert_int_equal(payload_size - next(world), 100);
    world_slice(world, world->agent.transfer, 0, payload_size - 300, bytes, 300);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_COMPLETE);
}

static void a_gap_asks_once_to_go_back_however_many_slices_follow(void **state)
{
    struct world *world = *state;
    size_t before;

    slice(world, 0, 700);
    before = acks(world);
    world_slice(world, world->agent.transfer, 0, 800, world->payload + 800, 100);
    assert_int_equal(acks(world), before + 1);
    assert_int_equal(world_last_ack(world).attempt, 1);
    assert_int_equal(world_last_ack(world).next, 700);
    assert_int_equal(world_last_ack(world).state, MUP_STATE_OK);
    world_slice(world, world->agent.transfer, 0, 900, world->payload + 900, 100);
    world_slice(world, world->agent.transfer, 0, 1000, world->payload + 1000, 100);
    assert_int_equal(acks(world), before + 1);
    world_slice(world, world->agent.transfer, 1, 900, world->payload + 900, 100);
    assert_int_equal(acks(world), before + 2);
    assert_int_equal(world_last_ack(world).attempt, 2);
}

static void a_slice_of_an_old_attempt_that_starts_at_next_is_taken(void **state)
{
    struct world *world = *state;

    slice(world, 0, 700);
    slice(world, 800, 100);
    assert_int_equal(world->agent.attempt, 1);
    world_slice(world, world->agent.transfer, 0, 700, world->payload + 700, 100);
    assert_int_equal(next(world), 800);
}

static void a_forged_slice_costs_one_block_and_never_touches_flash(void **state)
{
    struct world *world = *state;
    uint8_t forged[1024];
    uint32_t operations;

    slice(world, 0, 1024);
    slice(world, 1024, 32); /* block 0 is complete and good */
    memcpy(forged, world->payload + STRIDE, sizeof forged);
    forged[1000] ^= 0x10;
    operations = world->flash.operation_count;
    world_slice(world, world->agent.transfer, 0, STRIDE, forged, sizeof forged);
    slice(world, STRIDE + 1024, 32);
    assert_int_equal(world->flash.operation_count, operations);
    assert_int_equal(next(world), STRIDE);
    assert_int_equal(world_last_ack(world).state, MUP_STATE_BLOCK_INVALID);
    assert_int_equal(world_last_ack(world).next, STRIDE);
    assert_int_equal(world_last_ack(world).attempt, 1);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
}

static void every_single_spoiled_byte_of_a_block_is_found(void **state)
{
    struct world *world = *state;

    for (uint32_t i = 0; i < STRIDE; i += 13) {
        uint8_t block[STRIDE];

        memcpy(block, world->payload, sizeof block);
        block[i] ^= (uint8_t)(1u << (i % 8));
        world_slice(world, world->agent.transfer, world->agent.attempt, 0, block, 600);
        world_slice(world, world->agent.transfer, world->agent.attempt, 600, block + 600,
                    STRIDE - 600);
        assert_int_equal(next(world), 0);
        assert_int_equal(world_last_ack(world).state, MUP_STATE_BLOCK_INVALID);
    }
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
}

static void a_slice_that_is_longer_or_shorter_than_it_says_is_ignored(void **state)
{
    struct world *world = *state;
    struct mup_slice_header header = {world->agent.transfer, 0, 0, 100};
    uint8_t bytes[200];
    size_t size = mup_slice_header_encode(bytes, &header);

    memcpy(bytes + size, world->payload, 101);
    raw(world, bytes, size + 99);
    raw(world, bytes, size + 101);
    for (size_t cut = 0; cut < size + 99; cut++)
        raw(world, bytes, cut);
    assert_int_equal(next(world), 0);
    raw(world, bytes, size + 100);
    assert_int_equal(next(world), 100);
}

static void garbage_on_the_firmware_topic_is_ignored(void **state)
{
    struct world *world = *state;
    uint8_t bytes[40];

    for (unsigned first = 0; first < 256; first++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(first + 37 * i);
        raw(world, bytes, sizeof bytes);
    }
    assert_int_equal(next(world), 0);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
}

static void a_slice_beyond_the_payload_or_above_the_limit_of_the_token_is_ignored(void **state)
{
    struct world *world = *state;
    uint8_t bytes[WORLD_SLICE + 1] = {0};

    memcpy(bytes, world->payload, sizeof bytes);
    slice(world, 0, WORLD_SLICE + 1);
    assert_int_equal(next(world), 0);
    while (world->manifest.payload_size - next(world) > 100) {
        uint32_t left = world->manifest.payload_size - next(world) - 100;

        slice(world, next(world), left < 1000 ? left : 1000);
    }
    world_slice(world, world->agent.transfer, 0, next(world), bytes, 101);
    assert_int_equal(world->manifest.payload_size - next(world), 100);
    slice(world, next(world), 100);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_COMPLETE);
}

static void a_retained_slice_is_ignored(void **state)
{
    struct world *world = *state;
    struct mup_slice_header header = {world->agent.transfer, 0, 0, 100};
    uint8_t bytes[200];
    size_t size = mup_slice_header_encode(bytes, &header);

    memcpy(bytes + size, world->payload, 100);
    broker_publish(&world->broker, "mup/firmware/" WORLD_NAME, bytes, size + 100, 0, true, NULL,
                   NULL, 0);
    world_pump(world);
    assert_int_equal(next(world), 0);
}

static void slices_of_an_unknown_transfer_are_answered_with_11_once_a_second(void **state)
{
    struct world *world = *state;
    uint16_t other = (uint16_t)(world->agent.transfer + 1);

    world_pass(world, 5000);
    world_slice(world, other, 0, 0, world->payload, 100);
    assert_int_equal(world_last_ack(world).transfer, other);
    assert_int_equal(world_last_ack(world).state, MUP_STATE_NOOP);
    world->broker.message_count = 0;
    world_slice(world, other, 0, 0, world->payload, 100);
    assert_int_equal(acks(world), 0);
    assert_int_equal(next(world), 0);
    world->now_ms += 1000;
    world_slice(world, other, 0, 0, world->payload, 100);
    assert_int_not_equal(acks(world), 0);
}

static void slices_of_a_transfer_that_was_given_up_are_answered_with_11(void **state)
{
    struct world *world = *state;

    slice(world, 0, 1000);
    world->now_ms += MUP_AGENT_GIVE_UP_MS;
    world_disconnect(world);
    world_pass(world, 1);
    world_connect(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
    world->broker.message_count = 0;
    slice(world, 1000, 1000);
    assert_int_equal(world_last_ack(world).state, MUP_STATE_NOOP);
    assert_int_equal(next(world), 1000);
}

static void after_a_reset_old_slices_are_answered_with_11(void **state)
{
    struct world *world = *state;
    uint16_t transfer = world->agent.transfer;

    world->now_ms += 10000;
    assert_true(world_boot(world));
    world_connect(world);
    world_slice(world, transfer, 0, 0, world->payload, 100);
    assert_int_equal(world_last_ack(world).transfer, transfer);
    assert_int_equal(world_last_ack(world).state, MUP_STATE_NOOP);
}

/* ---- Acknowledgements ---------------------------------------------------------------------- */

static void half_a_window_is_acknowledged_and_less_is_not(void **state)
{
    struct world *world = *state;
    size_t before = acks(world);

    slice(world, 0, 1000);
    assert_int_equal(acks(world), before);
    slice(world, 1000, 23);
    assert_int_equal(acks(world), before);
    slice(world, 1023, 1);
    assert_int_equal(acks(world), before + 1);
    assert_int_equal(world_last_ack(world).next, 1024);
    assert_int_equal(world_last_ack(world).limit, 1024 + WORLD_WINDOW);
}

static void the_limit_never_goes_beyond_the_payload(void **state)
{
    struct world *world = *state;
    uint32_t payload_size = world->manifest.payload_size;

    while (mup_agent_phase(&world->agent) == MUP_AGENT_RECEIVING) {
        uint32_t left = payload_size - next(world);
        struct mup_ack ack;

        slice(world, next(world), left < 900 ? left : 900);
        if (!world_ack(world, &ack))
            continue;
        assert_true(ack.limit <= payload_size);
        assert_true(ack.limit - ack.next <= WORLD_WINDOW);
    }
}

static void silence_repeats_the_acknowledgement_unchanged_then_with_new_attempts(void **state)
{
    static const uint32_t waits_ms[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    struct world *world = *state;
    size_t before;

    slice(world, 0, 500);
    before = acks(world);
    for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
        world_pass(world, waits_ms[i] - 1);
        assert_int_equal(acks(world), before + i);
        world_pass(world, 1);
        assert_int_equal(acks(world), before + i + 1);
        assert_int_equal(world_last_ack(world).next, 500);
        assert_int_equal(world_last_ack(world).attempt, i < 2 ? 0 : i - 1);
    }
    slice(world, 500, 500);
    before = acks(world);
    world_pass(world, 1000);
    assert_int_equal(acks(world), before + 1);
}

static void the_timer_works_when_the_clock_wraps(void **state)
{
    struct world *world = *state;
    size_t before;

    world_disconnect(world);
    world->now_ms = UINT32_MAX - 400;
    assert_true(world_boot(world));
    world_connect(world);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    before = acks(world);
    world_pass(world, 999);
    assert_int_equal(acks(world), before);
    world_pass(world, 1);
    assert_int_equal(acks(world), before + 1);
}

static void the_last_acknowledgement_is_repeated_without_a_new_attempt(void **state)
{
    struct world *world = *state;
    struct mup_ack ack;
    size_t before;

    world_transfer(world);
    ack = world_last_ack(world);
    before = acks(world);
    world_pass(world, 10000);
    assert_true(acks(world) > before + 1);
    assert_int_equal(world_last_ack(world).attempt, ack.attempt);
    assert_int_equal(world_last_ack(world).next, world->manifest.payload_size);
}

static void the_last_acknowledgement_is_not_repeated_for_ever(void **state)
{
    struct world *world = *state;

    world_transfer(world);
    world->broker.message_count = 0;
    world_pass(world, 30 * 60000);
    assert_in_range(acks(world), 50, 70);
    world_pass(world, 40 * 60000);
    world->broker.message_count = 0;
    world_pass(world, 60 * 60000);
    assert_int_equal(acks(world), 0);
    world_disconnect(world);
    world_connect(world); /* whoever missed it hears it again */
    assert_int_equal(world_last_ack(world).next, world->manifest.payload_size);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
}

static void a_transfer_in_which_nothing_comes_is_given_up_and_its_part_kept(void **state)
{
    struct world *world = *state;

    slice(world, 0, 1000);
    world->now_ms += MUP_AGENT_GIVE_UP_MS / 2;
    world_pass(world, 1);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_RECEIVING);
    world->now_ms += MUP_AGENT_GIVE_UP_MS / 2;
    world_pass(world, 1);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
    assert_int_equal(world->broker.unsubscription_count, 1);
    world_pump(world);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    assert_int_equal(world->token.resume_offset, 1000);
    assert_int_equal(next(world), 1000);
}

static void a_transfer_may_take_days_as_long_as_something_comes(void **state)
{
    struct world *world = *state;

    for (uint32_t at = 0; at < 3000; at += 500) {
        slice(world, at, 500);
        world->now_ms += MUP_AGENT_GIVE_UP_MS - 1;
        world_pass(world, 0);
        world->actions |= mup_agent_tick(&world->agent, world->now_ms);
    }
    if (!world->is_connected)
        world_connect(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_RECEIVING);
    assert_int_equal(next(world), 3000);
}

static void attempts_wrap_after_65535(void **state)
{
    struct world *world = *state;

    slice(world, 0, 700);
    world->agent.attempt = 65535;
    world_slice(world, world->agent.transfer, 65535, 800, world->payload + 800, 100);
    assert_int_equal(world_last_ack(world).attempt, 0);
    slice(world, 700, 100);
    assert_int_equal(next(world), 800);
}

/* ---- A lost link --------------------------------------------------------------------------- */

static void a_link_lost_in_the_middle_of_a_slice_keeps_what_had_come(void **state)
{
    struct world *world = *state;
    struct mup_slice_header header = {world->agent.transfer, 0, 0, 1000};
    uint8_t bytes[1100];
    size_t size = mup_slice_header_encode(bytes, &header);
    size_t used;

    memcpy(bytes + size, world->payload, 1000);
    broker_publish(&world->broker, "mup/firmware/" WORLD_NAME, bytes, size + 1000, 0, false, NULL,
                   NULL, 0);
    (void)mup_agent_input(&world->agent, world->now_ms, world->broker.out, 500, &used);
    assert_int_equal(used, 500);
    assert_in_range(next(world), 400, 500);
    world_disconnect(world);
    world_connect(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_RECEIVING);
    assert_int_equal(world_last_ack(world).attempt, 1);
    assert_int_equal(world_last_ack(world).next, next(world));
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
}

static void after_a_reconnection_the_firmware_topic_is_subscribed_again(void **state)
{
    struct world *world = *state;

    for (int session = 0; session < 2; session++) {
        world_disconnect(world);
        world->broker.session_present = session != 0;
        world->broker.subscription_count = 0;
        memset(world->broker.subscriptions, 0, sizeof world->broker.subscriptions);
        world_connect(world);
        assert_true(broker_is_subscribed(&world->broker, "mup/firmware/" WORLD_NAME));
    }
}

/* ---- Trouble of our own -------------------------------------------------------------------- */

static void a_flash_that_fails_ends_the_transfer_with_40(void **state)
{
    struct world *world = *state;

    slice(world, 0, 1000);
    world->flash.fail_at = world->flash.call_count + 1;
    slice(world, 1000, 100);
    assert_int_equal(world_last_ack(world).state, MUP_STATE_FLASH_FAILURE);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_FAILED);
    assert_int_equal(world_verify(world).state, MUP_STATE_NO_MANIFEST);
    world->broker.message_count = 0;
    slice(world, next(world), 100); /* too late, and nothing to be said of */
    assert_int_equal(acks(world), 0);
    world_pass(world, 600000);
    assert_in_range(acks(world), 1, 6); /* said again, but not for ever */
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
}

/* Any order, loss, repetition and damage of slices; any loss of acknowledgements. */
static void whatever_the_network_does_the_image_is_complete_and_equal(void **state)
{
    const char *given = getenv("MUP_SEED");
    unsigned first = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 1;
    unsigned last = given != NULL ? first : 60;

    (void)state;
    for (unsigned seed = first; seed <= last; seed++) {
        struct world *world = world_make();
        uint8_t digest[MUP_DIGEST_SIZE];
        uint32_t rounds = 0;

        srand(seed);
        world_connect(world);
        world_release(world, 2, 1 + (uint32_t)rand() % WORLD_IMAGE_MAX,
                      rand() % 2 ? WORLD_BLOCK_SIZE : 256u << rand() % 2);
        assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
        while (mup_agent_phase(&world->agent) == MUP_AGENT_RECEIVING) {
            uint32_t at = next(world);
            uint32_t left = world->manifest.payload_size - at;
            uint32_t size = 1 + (uint32_t)rand() % WORLD_SLICE;
            uint8_t bytes[WORLD_SLICE];
            int fate = rand() % 20;

            if (rounds++ > 20000) {
                print_message("MUP_SEED=%u does not end\n", seed);
                fail();
            }
            if (fate == 0) /* somewhere else */
                at = (uint32_t)rand() % world->manifest.payload_size;
            left = world->manifest.payload_size - at;
            size = size < left ? size : left;
            memcpy(bytes, world->payload + at, size);
            if (fate == 1)
                bytes[(uint32_t)rand() % size] ^= (uint8_t)(1 + rand() % 255);
            world->piece_size = rand() % 2 ? 0 : 1 + (size_t)rand() % 300;
            if (fate == 2)
                world_pass(world, 1 + (uint32_t)rand() % 5000);
            else if (fate == 3 && rand() % 4 == 0) {
                world_disconnect(world);
                world->broker.session_present = rand() % 2;
                world_connect(world);
            } else if (fate == 4 && rand() % 8 == 0) {
                if (!world_boot(world))
                    fail();
                world_connect(world);
                assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
            } else {
                world_slice(world, world->agent.transfer,
                            fate == 5 ? (uint32_t)rand() % 65536 : world->agent.attempt, at, bytes,
                            size);
            }
            world->broker.message_count = 0;
        }
        world->piece_size = 0;
        if (world_verify(world).state != MUP_STATE_OK) {
            print_message("MUP_SEED=%u ends in another image\n", seed);
            fail();
        }
        assert_int_equal(
            mup_slot_digest(&world->map, MUP_SLOT_STAGING, world->manifest.image_size, digest),
            MUP_OK);
        assert_memory_equal(digest, world->manifest.digest, sizeof digest);
        world_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(it_subscribes_before_it_answers_and_unsubscribes_when_complete),
        TEST(slices_need_not_be_aligned_to_anything),
        TEST(a_repeated_slice_changes_nothing),
        TEST(of_a_slice_that_begins_before_next_the_new_part_is_taken),
        TEST(a_slice_that_begins_before_next_may_not_reach_beyond_the_payload),
        TEST(a_gap_asks_once_to_go_back_however_many_slices_follow),
        TEST(a_slice_of_an_old_attempt_that_starts_at_next_is_taken),
        TEST(a_forged_slice_costs_one_block_and_never_touches_flash),
        TEST(every_single_spoiled_byte_of_a_block_is_found),
        TEST(a_slice_that_is_longer_or_shorter_than_it_says_is_ignored),
        TEST(garbage_on_the_firmware_topic_is_ignored),
        TEST(a_slice_beyond_the_payload_or_above_the_limit_of_the_token_is_ignored),
        TEST(a_retained_slice_is_ignored),
        TEST(slices_of_an_unknown_transfer_are_answered_with_11_once_a_second),
        TEST(slices_of_a_transfer_that_was_given_up_are_answered_with_11),
        TEST(after_a_reset_old_slices_are_answered_with_11),
        TEST(half_a_window_is_acknowledged_and_less_is_not),
        TEST(the_limit_never_goes_beyond_the_payload),
        TEST(silence_repeats_the_acknowledgement_unchanged_then_with_new_attempts),
        TEST(the_timer_works_when_the_clock_wraps),
        TEST(the_last_acknowledgement_is_repeated_without_a_new_attempt),
        TEST(the_last_acknowledgement_is_not_repeated_for_ever),
        TEST(a_transfer_in_which_nothing_comes_is_given_up_and_its_part_kept),
        TEST(a_transfer_may_take_days_as_long_as_something_comes),
        TEST(attempts_wrap_after_65535),
        TEST(a_link_lost_in_the_middle_of_a_slice_keeps_what_had_come),
        TEST(after_a_reconnection_the_firmware_topic_is_subscribed_again),
        TEST(a_flash_that_fails_ends_the_transfer_with_40),
        cmocka_unit_test(whatever_the_network_does_the_image_is_complete_and_equal),
    };
    return cmocka_run_group_tests(tests, world_keys, world_keys_end);
}
