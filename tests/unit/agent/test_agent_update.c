/* An update from the announcement to the report, and what survives a reset (SPEC 8 to 17). */
#include "world.h"

#include <openssl/sha.h>

#include "mup/report.h"
#include "mup/slot.h"

static int setup(void **state)
{
    struct world *world = world_make();

    world_connect(world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

static void update(struct world *world, uint32_t version, uint32_t image_size)
{
    world_release(world, version, image_size, WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_COMPLETE);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
}

static void a_signed_release_runs_after_confirmation_and_is_reported(void **state)
{
    struct world *world = *state;
    struct mup_report report;
    const struct broker_message *message;
    uint8_t running[5000];

    update(world, 2, sizeof running);
    assert_int_equal(world->actions & MUP_AGENT_RESTART, MUP_AGENT_RESTART);
    /* The broker has the PUBACK of each request, or it would repeat VERIFY-UPDATE to the trial. */
    assert_int_equal(world->broker.puback_count, 3);
    assert_true(world_boot(world));
    assert_int_equal(world->booted.phase, MUP_BOOT_TRIAL);
    assert_int_equal(mup_slot_read(&world->map, MUP_SLOT_EXECUTION, 0, running, sizeof running),
                     MUP_OK);
    assert_memory_equal(running, world->image, sizeof running);

    world_connect(world);
    assert_int_equal(world->notice_count[MUP_AGENT_CONFIRMED], 1);
    message = broker_last(&world->broker, "mup/report/" WORLD_NAME);
    assert_non_null(message);
    assert_int_equal(mup_report_decode(&report, message->payload, message->size), MUP_OK);
    assert_int_equal(report.outcome, MUP_STATE_CONFIRMED);
    assert_int_equal(report.version, 2);
    assert_int_equal(report.reason, MUP_REVERT_NONE);
    assert_int_equal(report.trial_boots, 1);
    assert_memory_equal(report.manifest, world->manifest_digest, MUP_DIGEST_SIZE);
}

static void a_report_that_was_acknowledged_is_not_sent_again_after_a_reset(void **state)
{
    struct world *world = *state;

    update(world, 2, 3000);
    assert_true(world_boot(world));
    world_connect(world);
    assert_int_equal(broker_count(&world->broker, "mup/report/"), 1);
    assert_true(world_boot(world));
    world_connect(world);
    assert_int_equal(broker_count(&world->broker, "mup/report/"), 1);
}

static void a_report_without_puback_is_sent_on_each_connection(void **state)
{
    struct world *world = *state;

    update(world, 2, 3000);
    assert_true(world_boot(world));
    world_connect(world);
    world->broker.message_count = 0;
    assert_int_equal(world->notice_count[MUP_AGENT_REPORTED], 1);

    update(world, 3, 3000);
    assert_true(world_boot(world));
    world->broker.holds_pubacks = true;
    world_connect(world);
    /* No PUBACK of the announcement either: this is still a trial. */
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_TRIAL);
    world_disconnect(world);
    world->broker.holds_pubacks = false;
    world_connect(world);
    assert_int_equal(world->notice_count[MUP_AGENT_REPORTED], 2);
}

static void a_report_that_the_broker_did_not_take_is_sent_on_the_next_connection(void **state)
{
    struct world *world = *state;

    update(world, 2, 3000);
    assert_true(world_boot(world));
    world->broker.rejects = "mup/report/";
    world_connect(world);
    assert_int_equal(broker_count(&world->broker, "mup/report/"), 1);
    assert_int_equal(world->notice_count[MUP_AGENT_REPORTED], 0);
    world_disconnect(world);
    world->broker.rejects = NULL;
    world_connect(world);
    assert_int_equal(world->notice_count[MUP_AGENT_REPORTED], 1);
    world_disconnect(world);
    world_connect(world);
    assert_int_equal(broker_count(&world->broker, "mup/report/"), 2);
}

static void there_is_no_report_of_an_update_that_is_not_decided(void **state)
{
    struct world *world = *state;

    update(world, 2, 3000);
    assert_true(world_boot(world));
    world->broker.holds_topic = "mup/report/";
    world_connect(world);
    world_release(world, 3, 3000, WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    world->broker.holds_pubacks = true;
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
    world->broker.message_count = 0;
    world_disconnect(world);
    world_connect(world); /* while it waits to restart */
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_RESTARTING);
    assert_true(broker_count(&world->broker, "mup/presence/") > 0);
    assert_int_equal(broker_count(&world->broker, "mup/report/"), 0);
}

/* The swap turns the staging slot over: what a progress record says of it is not true any more. */
static void after_an_update_no_part_of_a_payload_is_kept(void **state)
{
    struct world *world = *state;

    update(world, 2, 9000);
    assert_true(world_boot(world));
    world_connect(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
    assert_int_equal(world_token(world).state, MUP_STATE_OK);
    assert_false(world->token.has_resume);
}

static void a_manifest_that_the_flash_does_not_take_leaves_the_older_one_whole_or_none(void **state)
{
    struct world *world = *state;
    const uint8_t *page =
        world->bytes + world->map.state_at + MUP_STATE_PAGE_SPARE * WORLD_PAGE_SIZE;
    struct forgery none = {0};
    uint32_t answer = MUP_STATE_FLASH_FAILURE;
    uint32_t failed_count = 0;
    uint8_t digest[MUP_DIGEST_SIZE];

    for (uint32_t n = 1; answer != MUP_STATE_OK; n += 13) {
        world->broker.message_count = 0;
        world_release(world, 2, 3000, WORLD_BLOCK_SIZE);
        assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
        assert_int_equal(world_token(world).state, MUP_STATE_OK);
        world_release(world, 3, 3000, WORLD_BLOCK_SIZE);
        world_extend(world, &none);
        world->flash.fail_at = world->flash.call_count + n;
        answer = world_send_manifest(world).state;
        world->flash.fail_at = 0;
        world->agent.budget = MUP_AGENT_BUDGET_MAX;
        assert_true(answer == MUP_STATE_OK || answer == MUP_STATE_FLASH_FAILURE);
        if (mup_agent_phase(&world->agent) == MUP_AGENT_FAILED) {
            failed_count++;
            continue;
        }
        assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_RECEIVING);
        SHA256(page, world->agent.vendor_size, digest);
        assert_memory_equal(digest, world->agent.pipeline.manifest_digest, sizeof digest);
    }
    assert_true(failed_count > 0);
}

static void images_of_every_length_around_a_block_arrive_whole(void **state)
{
    static const uint32_t sizes[] = {1,
                                     WORLD_BLOCK_SIZE - 1,
                                     WORLD_BLOCK_SIZE,
                                     WORLD_BLOCK_SIZE + 1,
                                     2 * WORLD_BLOCK_SIZE - 1,
                                     2 * WORLD_BLOCK_SIZE,
                                     2 * WORLD_BLOCK_SIZE + 1,
                                     WORLD_IMAGE_MAX};
    struct world *world = *state;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t digest[MUP_DIGEST_SIZE];

        update(world, 2 + (uint32_t)i, sizes[i]);
        assert_true(world_boot(world));
        world_connect(world);
        assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
        assert_int_equal(mup_slot_digest(&world->map, MUP_SLOT_EXECUTION, sizes[i], digest),
                         MUP_OK);
        assert_memory_equal(digest, world->manifest.digest, sizeof digest);
    }
}

static void it_works_when_every_byte_from_the_broker_comes_alone(void **state)
{
    struct world *world = *state;

    world->piece_size = 1;
    update(world, 2, 3 * WORLD_BLOCK_SIZE + 77);
    assert_true(world_boot(world));
    world_connect(world);
    assert_int_equal(world->notice_count[MUP_AGENT_CONFIRMED], 1);
}

static void the_restart_waits_for_the_answers_puback_but_not_for_ever(void **state)
{
    struct world *world = *state;

    world_release(world, 2, 2000, WORLD_BLOCK_SIZE);
    world_offer(world, NULL);
    world_transfer(world);
    world->broker.holds_pubacks = true;
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
    assert_int_equal(world->actions & MUP_AGENT_RESTART, 0);
    world_pass(world, MUP_AGENT_RESTART_MS - 1);
    assert_int_equal(world->actions & MUP_AGENT_RESTART, 0);
    world_pass(world, 2);
    assert_int_equal(world->actions & MUP_AGENT_RESTART, MUP_AGENT_RESTART);
    assert_true(world->broker.disconnected);
    assert_int_equal(world->broker.disconnect_reason, MUP_MQTT_REASON_DISCONNECT_WITH_WILL);
}

static void verify_again_before_the_restart_is_answered_with_ok(void **state)
{
    struct world *world = *state;

    world_release(world, 2, 2000, WORLD_BLOCK_SIZE);
    world_offer(world, NULL);
    world_transfer(world);
    world->broker.holds_pubacks = true;
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
    world->broker.holds_pubacks = false;
    broker_acknowledge(&world->broker, broker_last(&world->broker, "mup/response/")->packet_id);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_RESTARTING);
}

static void verify_without_a_manifest_is_38_and_before_the_last_block_39_with_an_ack(void **state)
{
    struct world *world = *state;
    struct answer answer;
    struct mup_ack ack;

    assert_int_equal(world_verify(world).state, MUP_STATE_NO_MANIFEST);
    world_release(world, 2, 5000, WORLD_BLOCK_SIZE);
    world_offer(world, NULL);
    world_slice(world, world->agent.transfer, 0, 0, world->payload, 500);
    answer = world_verify(world);
    assert_int_equal(answer.state, MUP_STATE_INCOMPLETE);
    assert_int_equal(mup_ack_decode(&ack, answer.value, answer.value_size), MUP_OK);
    assert_int_equal(ack.next, 500);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_RECEIVING);
}

static void an_image_that_rots_in_flash_is_28_and_must_be_sent_again(void **state)
{
    struct world *world = *state;

    world_release(world, 2, 5000, WORLD_BLOCK_SIZE);
    world_offer(world, NULL);
    world_transfer(world);
    world->bytes[world->map.staging_at + WORLD_PAGE_SIZE + 100] ^= 4;
    assert_int_equal(world_verify(world).state, MUP_STATE_IMAGE_INVALID);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
    assert_false(world_token(world).state != MUP_STATE_OK || world->token.has_resume);
    update(world, 2, 5000);
}

static void a_vendor_manifest_that_rots_in_flash_never_reaches_the_bootloader(void **state)
{
    struct world *world = *state;

    world_release(world, 2, 5000, WORLD_BLOCK_SIZE);
    world_offer(world, NULL);
    world_transfer(world);
    world->bytes[world->map.state_at + MUP_STATE_PAGE_SPARE * WORLD_PAGE_SIZE + 40] ^= 1;
    assert_int_equal(world_verify(world).state, MUP_STATE_FLASH_FAILURE);
    assert_true(world_boot(world));
    assert_int_equal(world->booted.running.version, 1);
}

static void after_a_reset_the_kept_part_is_in_the_token_and_the_transfer_goes_on_there(void **state)
{
    struct world *world = *state;
    struct mup_ack ack;
    struct answer answer;
    uint32_t at = 0;
    uint32_t stride = WORLD_BLOCK_SIZE + MUP_DIGEST_SIZE;

    world_release(world, 2, 10000, WORLD_BLOCK_SIZE);
    world_offer(world, NULL);
    while (at < 6 * stride) {
        world_slice(world, world->agent.transfer, 0, at, world->payload + at, 500);
        at += 500;
    }
    assert_true(world_boot(world));
    world_connect(world);
    assert_int_equal(world_verify(world).state, MUP_STATE_NO_MANIFEST);
    assert_int_equal(world_token(world).state, MUP_STATE_OK);
    assert_true(world->token.has_resume);
    assert_memory_equal(world->token.resume_manifest, world->manifest_digest, MUP_DIGEST_SIZE);
    assert_int_equal(world->token.resume_offset, 4 * stride);

    answer = world_offer(world, NULL);
    assert_int_equal(answer.state, MUP_STATE_OK);
    assert_int_equal(mup_ack_decode(&ack, answer.value, answer.value_size), MUP_OK);
    assert_int_equal(ack.next, 4 * stride);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
}

static void another_release_after_a_reset_drops_the_kept_part(void **state)
{
    struct world *world = *state;
    struct mup_ack ack;
    struct answer answer;

    world_release(world, 2, 10000, WORLD_BLOCK_SIZE);
    world_offer(world, NULL);
    for (uint32_t at = 0; at < 8000; at += 1000)
        world_slice(world, world->agent.transfer, 0, at, world->payload + at, 1000);
    assert_true(world_boot(world));
    world_connect(world);
    world_release(world, 3, 9000, 512);
    answer = world_offer(world, NULL);
    assert_int_equal(answer.state, MUP_STATE_OK);
    assert_int_equal(mup_ack_decode(&ack, answer.value, answer.value_size), MUP_OK);
    assert_int_equal(ack.next, 0);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
}

static void a_new_manifest_of_the_same_release_goes_on_in_the_middle_of_a_block(void **state)
{
    struct world *world = *state;
    struct mup_ack ack;
    struct answer answer;
    uint16_t before;

    world_release(world, 2, 5000, WORLD_BLOCK_SIZE);
    world_offer(world, NULL);
    world_slice(world, world->agent.transfer, 0, 0, world->payload, 1000);
    world_slice(world, world->agent.transfer, 0, 1000, world->payload + 1000, 700);
    before = world->agent.transfer;
    answer = world_offer(world, NULL);
    assert_int_equal(answer.state, MUP_STATE_OK);
    assert_int_equal(mup_ack_decode(&ack, answer.value, answer.value_size), MUP_OK);
    assert_int_equal(ack.next, 1700);
    assert_int_not_equal(ack.transfer, before);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
}

/* DESIGN D7, systematically: any call of the flash may fail, once. Never a wrong image. */
static void the_flash_may_fail_at_any_call_and_the_update_still_succeeds_later(void **state)
{
    struct world *world = *state;
    uint32_t calls;

    world_release(world, 2, 3000, WORLD_BLOCK_SIZE);
    (void)world_token(world);
    calls = world->flash.call_count;
    world_offer(world, NULL);
    world_transfer(world);
    world_verify(world);
    calls = world->flash.call_count - calls;
    assert_in_range(calls, 10, 4000);
    for (uint32_t n = 1; n <= calls; n += n < 60 ? 1 : 17) {
        struct world *other = world_make();

        world_connect(other);
        world_release(other, 2, 3000, WORLD_BLOCK_SIZE);
        assert_int_equal(world_token(other).state, MUP_STATE_OK);
        other->flash.fail_at = other->flash.call_count + n;
        for (int tries = 0; tries < 3 && !(other->actions & MUP_AGENT_RESTART); tries++) {
            world_offer(other, NULL);
            world_transfer(other);
            world_verify(other);
        }
        if ((other->actions & MUP_AGENT_RESTART) == 0) {
            /* The journal's request failed half way: after a reset it stands or it does not. */
            assert_true(world_boot(other));
            if (other->booted.running.version == 1) {
                world_connect(other);
                update(other, 2, 3000);
            }
        }
        if (other->booted.phase != MUP_BOOT_TRIAL)
            assert_true(world_boot(other));
        assert_int_equal(other->booted.running.version, 2);
        world_free(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_signed_release_runs_after_confirmation_and_is_reported),
        TEST(a_report_that_was_acknowledged_is_not_sent_again_after_a_reset),
        TEST(a_report_without_puback_is_sent_on_each_connection),
        TEST(a_report_that_the_broker_did_not_take_is_sent_on_the_next_connection),
        TEST(there_is_no_report_of_an_update_that_is_not_decided),
        TEST(after_an_update_no_part_of_a_payload_is_kept),
        TEST(a_manifest_that_the_flash_does_not_take_leaves_the_older_one_whole_or_none),
        TEST(images_of_every_length_around_a_block_arrive_whole),
        TEST(it_works_when_every_byte_from_the_broker_comes_alone),
        TEST(the_restart_waits_for_the_answers_puback_but_not_for_ever),
        TEST(verify_again_before_the_restart_is_answered_with_ok),
        TEST(verify_without_a_manifest_is_38_and_before_the_last_block_39_with_an_ack),
        TEST(an_image_that_rots_in_flash_is_28_and_must_be_sent_again),
        TEST(a_vendor_manifest_that_rots_in_flash_never_reaches_the_bootloader),
        TEST(after_a_reset_the_kept_part_is_in_the_token_and_the_transfer_goes_on_there),
        TEST(another_release_after_a_reset_drops_the_kept_part),
        TEST(a_new_manifest_of_the_same_release_goes_on_in_the_middle_of_a_block),
        TEST(the_flash_may_fail_at_any_call_and_the_update_still_succeeds_later),
    };
    return cmocka_run_group_tests(tests, world_keys, world_keys_end);
}
