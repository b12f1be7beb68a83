/* Trial, confirmation, revert and what is reported of them (SPEC section 17, DESIGN D10). */
#include "world.h"

#include "mup/report.h"
#include "mup/trust.h"

/* A device on trial: version 2 has just booted, nothing is connected yet. */
static int setup(void **state)
{
    struct world *world = world_make();

    world_connect(world);
    world_release(world, 2, 3000, WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    assert_int_equal(world_transfer(world), MUP_STATE_OK);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
    assert_true(world_boot(world));
    assert_int_equal(world->booted.phase, MUP_BOOT_TRIAL);
    world->broker.message_count = 0;
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

static struct mup_report report(const struct world *world)
{
    const struct broker_message *message = broker_last(&world->broker, "mup/report/");
    struct mup_report found;

    assert_non_null(message);
    assert_int_equal(mup_report_decode(&found, message->payload, message->size), MUP_OK);
    assert_memory_equal(found.manifest, world->manifest_digest, MUP_DIGEST_SIZE);
    return found;
}

static void it_announces_itself_as_on_trial_and_then_as_confirmed(void **state)
{
    struct world *world = *state;
    struct mup_announcement first;
    struct mup_announcement last;
    const struct broker_message *message;

    world_connect(world);
    assert_string_equal(world->broker.messages[1].topic, "mup/announce/dev-1");
    assert_int_equal(mup_announcement_decode(&first, world->broker.messages[1].payload,
                                             world->broker.messages[1].size),
                     MUP_OK);
    assert_true(first.in_trial);
    assert_int_equal(first.version, 2);
    message = broker_last(&world->broker, "mup/announce/");
    assert_int_equal(mup_announcement_decode(&last, message->payload, message->size), MUP_OK);
    assert_false(last.in_trial);
}

static void it_is_not_confirmed_before_the_announcement_was_acknowledged(void **state)
{
    struct world *world = *state;

    world->broker.holds_pubacks = true;
    world_connect(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_TRIAL);
    world_pass(world, 30000);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_TRIAL);
    broker_acknowledge(&world->broker, broker_last(&world->broker, "mup/announce/")->packet_id);
    world_pump(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
}

static void it_is_not_confirmed_while_a_subscription_is_refused(void **state)
{
    struct world *world = *state;

    world->broker.refuses = "pump/";
    world_connect(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_TRIAL);
    world_disconnect(world);
    world->broker.refuses = NULL;
    world_connect(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
}

static void a_kept_session_does_not_make_up_for_a_subscription_that_was_refused(void **state)
{
    struct world *world = *state;

    world->broker.refuses = "pump/";
    world_connect(world);
    world_disconnect(world);
    world->broker.session_present = true;
    world_connect(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_TRIAL);
    world_disconnect(world);
    world->broker.refuses = NULL;
    world_connect(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
}

static void it_is_not_confirmed_by_an_announcement_that_the_broker_did_not_take(void **state)
{
    struct world *world = *state;

    world->broker.rejects = "mup/announce/";
    world_connect(world);
    world_pass(world, 3 * MUP_BOOTSTRAP_AGAIN_MS / 2);
    assert_int_equal(broker_count(&world->broker, "mup/announce/"), 2);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_TRIAL);
    world->broker.rejects = NULL;
    world_pass(world, MUP_BOOTSTRAP_AGAIN_MS);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
}

static void the_application_may_hold_the_confirmation_back(void **state)
{
    struct world *world = *state;

    world->holds_confirmation = true;
    world_connect(world);
    world_pass(world, 20000);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_TRIAL);
    world->holds_confirmation = false;
    world_pass(world, MUP_AGENT_RETRY_MS);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
    assert_int_equal(report(world).outcome, MUP_STATE_CONFIRMED);
}

static void a_confirmation_that_the_flash_did_not_take_is_tried_again(void **state)
{
    struct world *world = *state;

    for (uint32_t n = 1; n < 12; n++) {
        struct world *other = *state;

        if (mup_agent_phase(&other->agent) != MUP_AGENT_TRIAL)
            break;
        other->flash.fail_at = other->flash.call_count + n;
        world_connect(other);
        world_pass(other, 2 * MUP_AGENT_RETRY_MS);
        world_disconnect(other);
    }
    world_connect(world);
    assert_int_equal(mup_agent_phase(&world->agent), MUP_AGENT_IDLE);
    assert_true(world_boot(world));
    assert_int_equal(world->booted.running.version, 2);
}

static void three_boots_without_confirmation_end_in_a_revert_and_its_report(void **state)
{
    struct world *world = *state;

    assert_true(world_boot(world));
    assert_true(world_boot(world));
    assert_int_equal(world->booted.trial, 3);
    assert_true(world_boot(world));
    assert_int_equal(world->booted.phase, MUP_BOOT_REVERTED);
    world_connect(world);
    assert_int_equal(report(world).outcome, MUP_STATE_REVERTED);
    assert_int_equal(report(world).reason, MUP_REVERT_TRIALS_USED_UP);
    assert_int_equal(report(world).version, 1);
    assert_int_equal(report(world).trial_boots, 3);
}

static void a_trial_that_reaches_nobody_ends_at_its_deadline(void **state)
{
    struct world *world = *state;

    world->now_ms += MUP_AGENT_TRIAL_MS - 1;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), 0);
    world->now_ms += 1;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), MUP_AGENT_RESTART);
    assert_true(world_boot(world));
    assert_int_equal(world->booted.running.version, 1);
    world_connect(world);
    assert_int_equal(report(world).outcome, MUP_STATE_REVERTED);
    assert_int_equal(report(world).reason, MUP_REVERT_DEADLINE);
    assert_int_equal(report(world).trial_boots, 1);
}

static void the_deadline_holds_when_the_clock_wraps(void **state)
{
    struct world *world = *state;

    world->now_ms = UINT32_MAX - MUP_AGENT_TRIAL_MS / 2;
    assert_true(world_boot(world));
    world->now_ms += MUP_AGENT_TRIAL_MS - 1;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), 0);
    world->now_ms += 1;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), MUP_AGENT_RESTART);
}

static void an_image_that_finds_itself_wanting_goes_back_at_once(void **state)
{
    struct world *world = *state;

    assert_int_equal(mup_agent_give_up(&world->agent, world->now_ms), MUP_OK);
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), MUP_AGENT_RESTART);
    assert_true(world_boot(world));
    assert_int_equal(world->booted.running.version, 1);
    world_connect(world);
    assert_int_equal(report(world).reason, MUP_REVERT_REQUESTED);
    assert_int_equal(report(world).trial_boots, 1);
    assert_int_equal(mup_agent_give_up(&world->agent, world->now_ms), MUP_ERR_STATE);
}

static void an_old_image_that_reaches_nobody_either_gives_the_new_one_its_trial_again(void **state)
{
    struct world *world = *state;

    world->now_ms += MUP_AGENT_TRIAL_MS;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), MUP_AGENT_RESTART);
    assert_true(world_boot(world));
    assert_int_equal(world->booted.phase, MUP_BOOT_REVERTED);
    world->now_ms += MUP_AGENT_TRIAL_MS - 1;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), 0);
    world->now_ms += 1;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), MUP_AGENT_RESTART);
    assert_true(world_boot(world));
    assert_int_equal(world->booted.phase, MUP_BOOT_TRIAL);
    assert_int_equal(world->booted.running.version, 2);
    assert_true(world_boot(world)); /* once more */
    world_connect(world);
    assert_int_equal(report(world).outcome, MUP_STATE_CONFIRMED);
    assert_int_equal(report(world).trial_boots, 3);
}

static void an_old_image_that_reached_the_broker_stays(void **state)
{
    struct world *world = *state;

    world->now_ms += MUP_AGENT_TRIAL_MS;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), MUP_AGENT_RESTART);
    assert_true(world_boot(world));
    world_connect(world);
    world_disconnect(world);
    world->now_ms += 3 * MUP_AGENT_TRIAL_MS;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), 0);
    world->now_ms += 3 * MUP_AGENT_TRIAL_MS;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), 0);
}

static void an_old_image_that_was_heard_but_could_not_report_stays_too(void **state)
{
    struct world *world = *state;

    world->now_ms += MUP_AGENT_TRIAL_MS;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), MUP_AGENT_RESTART);
    assert_true(world_boot(world));
    world->broker.holds_topic = "mup/report/";
    world_connect(world);
    world->now_ms += MUP_AGENT_TRIAL_MS - 1;
    (void)mup_agent_tick(&world->agent, world->now_ms);
    world_disconnect(world);
    world->now_ms += MUP_AGENT_TRIAL_MS - 1;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), 0);
    world->now_ms += 1;
    assert_int_equal(mup_agent_tick(&world->agent, world->now_ms), MUP_AGENT_RESTART);
}

static void the_bootloader_takes_only_the_image_that_the_vendor_signed(void **state)
{
    struct world *world = *state;
    struct mup_boot_image good = {.version = 2, .size = 3000};
    struct mup_boot_image bad;

    memcpy(good.digest, world->manifest.digest, sizeof good.digest);
#define VERIFIED(image) \
    mup_trust_verify_image(&world->map, &(image), world->inner, world->inner_size)
    assert_int_equal(VERIFIED(good), MUP_OK);
    bad = good;
    bad.version = 3;
    assert_int_equal(VERIFIED(bad), MUP_ERR_DIGEST);
    bad = good;
    bad.size = 2999;
    assert_int_equal(VERIFIED(bad), MUP_ERR_DIGEST);
    bad = good;
    bad.digest[31] ^= 1;
    assert_int_equal(VERIFIED(bad), MUP_ERR_DIGEST);
    world->inner[world->inner_size - 1] ^= 1;
    assert_int_equal(VERIFIED(good), MUP_ERR_SIGNATURE);
    world->inner[world->inner_size - 1] ^= 1;
    world->inner_size--;
    assert_int_not_equal(VERIFIED(good), MUP_OK);
}

static void an_image_that_rots_while_it_waits_is_rejected_and_reported(void **state)
{
    struct world *world = world_make();

    (void)state;
    world_connect(world);
    world_release(world, 2, 3000, WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_OK);
    world_transfer(world);
    assert_int_equal(world_verify(world).state, MUP_STATE_OK);
    world->bytes[world->map.staging_at + WORLD_PAGE_SIZE + 77] ^= 1;
    assert_true(world_boot(world));
    assert_int_equal(world->booted.phase, MUP_BOOT_REJECTED);
    world_connect(world);
    assert_int_equal(report(world).outcome, MUP_STATE_REVERTED);
    assert_int_equal(report(world).reason, MUP_REVERT_IMAGE_INVALID);
    world_free(world);
}

static void verify_during_a_trial_is_38(void **state)
{
    struct world *world = *state;

    world->holds_confirmation = true;
    world_connect(world);
    assert_int_equal(world_verify(world).state, MUP_STATE_NO_MANIFEST);
    assert_int_equal(world_token(world).state, MUP_STATE_OK);
}

static void the_version_floor_rises_with_the_confirmation_and_not_before(void **state)
{
    struct world *world = *state;

    assert_int_equal(world->booted.version_floor, 1);
    world_connect(world);
    assert_true(world_boot(world));
    assert_int_equal(world->booted.version_floor, 2);
    world_connect(world);
    world_release(world, 2, 3000, WORLD_BLOCK_SIZE);
    assert_int_equal(world_offer(world, NULL).state, MUP_STATE_INVALID_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(it_announces_itself_as_on_trial_and_then_as_confirmed),
        TEST(it_is_not_confirmed_before_the_announcement_was_acknowledged),
        TEST(it_is_not_confirmed_while_a_subscription_is_refused),
        TEST(a_kept_session_does_not_make_up_for_a_subscription_that_was_refused),
        TEST(it_is_not_confirmed_by_an_announcement_that_the_broker_did_not_take),
        TEST(the_application_may_hold_the_confirmation_back),
        TEST(a_confirmation_that_the_flash_did_not_take_is_tried_again),
        TEST(three_boots_without_confirmation_end_in_a_revert_and_its_report),
        TEST(a_trial_that_reaches_nobody_ends_at_its_deadline),
        TEST(the_deadline_holds_when_the_clock_wraps),
        TEST(an_image_that_finds_itself_wanting_goes_back_at_once),
        TEST(an_old_image_that_reaches_nobody_either_gives_the_new_one_its_trial_again),
        TEST(an_old_image_that_reached_the_broker_stays),
        TEST(an_old_image_that_was_heard_but_could_not_report_stays_too),
        TEST(the_bootloader_takes_only_the_image_that_the_vendor_signed),
        cmocka_unit_test(an_image_that_rots_while_it_waits_is_rejected_and_reported),
        TEST(verify_during_a_trial_is_38),
        TEST(the_version_floor_rises_with_the_confirmation_and_not_before),
    };
    return cmocka_run_group_tests(tests, world_keys, world_keys_end);
}
