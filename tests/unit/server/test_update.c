/* One update's decisions: events in, actions out (edge/server/update.h). */
#include "update_support.h"

/* ---- the straight way ---- */

static void an_update_goes_from_request_to_confirmed(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_token token = sample_token();
    struct mup_ack last = ack(0, PAYLOAD);

    assert_int_equal(begin(&u), MUP_DO_SAVE | MUP_DO_LOOK_UP);
    assert_int_equal(found(&u, 1010), MUP_DO_SAVE | MUP_DO_ASK_TOKEN);
    assert_int_equal(answer_token(&u, &token, 1030), MUP_DO_SAVE | MUP_DO_SEND_MANIFEST);
    assert_int_equal(u.from_version, 1);
    assert_false(u.made_manifest);
    assert_int_equal(answer_ack(&u, MUP_STATE_OK, 0, 1070), MUP_DO_SAVE | MUP_DO_SEND_SLICES);
    send_all(&u);
    assert_int_equal(mup_update_on_ack(&u, &last, 11, 1150), MUP_DO_SAVE | MUP_DO_VERIFY);
    assert_int_equal(answer(&u, MUP_STATE_OK, NULL, 0, 1310), MUP_DO_SAVE | MUP_DO_LOOK_UP);
    assert_int_equal(report(&u, MUP_STATE_CONFIRMED, 0, 1630), MUP_DO_FINISH);
    assert_int_equal(u.state, MUP_UPDATE_CONFIRMED);
    assert_string_equal(u.reason, "");
    static const uint64_t took[] = {10, 20, 40, 80, 160, 320};
    for (size_t i = 0; i < MUP_UPDATE_STEP_COUNT; i++) {
        assert_int_equal(u.steps[i].took_ms, took[i]);
    }
    assert_int_equal(u.steps[MUP_UPDATE_TOKEN].bytes_out, 20);
    assert_int_equal(u.steps[MUP_UPDATE_TRANSFER].bytes_in, 11);
    assert_int_equal(u.steps[MUP_UPDATE_TRIAL].bytes_in, 60);
}

static void the_end_comes_once(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_token token = sample_token();
    struct mup_ack a = ack(0, 0);

    bring_to(&u, MUP_UPDATE_TRIAL);
    assert_int_equal(report(&u, MUP_STATE_CONFIRMED, 0, 2000), MUP_DO_FINISH);
    assert_int_equal(report(&u, MUP_STATE_CONFIRMED, 0, 2001), 0);
    assert_int_equal(report(&u, MUP_STATE_REVERTED, 1, 2002), 0);
    assert_int_equal(found(&u, 2003), 0);
    assert_int_equal(answer_token(&u, &token, 2004), 0);
    assert_int_equal(mup_update_on_ack(&u, &a, 10, 2005), 0);
    assert_int_equal(mup_update_on_back(&u, 2006), 0);
    assert_int_equal(mup_update_on_failure(&u, false, "x", "y", 2007), 0);
    assert_int_equal(mup_update_on_time(&u, UINT64_MAX - 1), 0);
    assert_true(mup_update_wake_ms(&u) == UINT64_MAX);
    assert_int_equal(u.state, MUP_UPDATE_CONFIRMED);
}

static void a_revert_names_the_devices_reason(void **state)
{
    (void)state;
    struct mup_update u;

    bring_to(&u, MUP_UPDATE_TRIAL);
    assert_int_equal(report(&u, MUP_STATE_REVERTED, MUP_REVERT_TRIALS_USED_UP, 2000),
                     MUP_DO_FINISH);
    assert_int_equal(u.state, MUP_UPDATE_REVERTED);
    assert_string_equal(u.reason, "trials-used-up");
}

/* ---- checks before sending ---- */

static void the_server_refuses_what_the_device_would_and_sends_nothing(void **state)
{
    (void)state;
    static const struct {
        uint32_t want;
        const char *name;
        const char *says;
    } cases[] = {
        {MUP_STATE_NO_SERVER_KEY, "no-server-key", "37_no-server-key"},
        {MUP_STATE_UNKNOWN_KEY, "unknown-key", "31_unknown-key"},
        {MUP_STATE_WRONG_DEVICE, "wrong-device", "29_wrong-device"},
        {MUP_STATE_UNKNOWN_KEY, "unknown-key", "31_unknown-key"},
        {MUP_STATE_WRONG_APP_ID, "wrong-app-id", ": it runs "},
        {MUP_STATE_WRONG_HARDWARE_CLASS, "wrong-hardware-class", ": it is "},
        {MUP_STATE_INVALID_VERSION, "invalid-version", ": it runs version 2,"},
        {MUP_STATE_INVALID_VERSION, "invalid-version", ": it runs version 3,"},
        {MUP_STATE_WRONG_LINK_OFFSET, "wrong-link-offset", "linked for 0x"},
        {MUP_STATE_IMAGE_TOO_BIG, "image-too-big", "takes 2935 bytes"},
        {MUP_STATE_BLOCK_SIZE_UNSUPPORTED, "block-size-unsupported", "blocks of 512 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_token tokens[sizeof cases / sizeof cases[0]];
        struct mup_update u;
        for (size_t j = 0; j < sizeof cases / sizeof cases[0]; j++) {
            tokens[j] = sample_token();
        }
        tokens[0].has_server_kid = false;
        tokens[1].server_kid[7] ^= 1;
        tokens[2].uuid[15] ^= 1;
        tokens[3].vendor_kid[7] ^= 1;
        tokens[4].app_id[3] = 'q';
        tokens[5].hardware_class[4] = '2';
        tokens[6].version = 2;
        tokens[7].version = 3;
        tokens[8].link_offset++;
        tokens[9].slot_size = 2935;
        tokens[10].block_size_max = 512;
        bring_to(&u, MUP_UPDATE_TOKEN);
        assert_int_equal(answer_token(&u, &tokens[i], 1100), MUP_DO_FINISH);
        assert_int_equal(u.state, MUP_UPDATE_FAILED);
        assert_string_equal(u.reason, cases[i].name);
        assert_non_null(strstr(u.message, cases[i].says));
        struct mup_update_goal goal = sample_goal();
        assert_int_equal(mup_update_check(&goal, &tokens[i]), cases[i].want);
    }
}

static void a_delta_is_for_its_old_version_and_only_plain_payloads_are_sent(void **state)
{
    (void)state;
    struct mup_update_goal goal = sample_goal();
    struct mup_token token = sample_token();

    assert_int_equal(mup_update_check(&goal, &token), MUP_STATE_OK);
    goal.manifest.new_version = 9;
    goal.manifest.old_version = 5;
    assert_int_equal(mup_update_check(&goal, &token), MUP_STATE_WRONG_OLD_VERSION);
    goal.manifest.old_version = 1;
    goal.manifest.encoding = 1;
    assert_int_equal(mup_update_check(&goal, &token), MUP_STATE_ENCODING_UNSUPPORTED);
}

static void force_leaves_the_refusal_to_the_device(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_token token = sample_token();

    bring_to(&u, MUP_UPDATE_TOKEN);
    u.goal.force = true;
    token.version = 7;
    assert_int_equal(answer_token(&u, &token, 1100), MUP_DO_SAVE | MUP_DO_SEND_MANIFEST);
    assert_int_equal(answer(&u, MUP_STATE_INVALID_NONCE, NULL, 0, 1200), MUP_DO_FINISH);
    assert_string_equal(u.reason, "invalid-nonce");
}

static void each_refusal_of_the_manifest_ends_with_its_name(void **state)
{
    (void)state;
    static const uint32_t states[] = {12, 20, 21, 23, 24, 25, 26, 27,
                                      29, 30, 31, 32, 34, 35, 36, 37};

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        struct mup_update u;
        bring_to(&u, MUP_UPDATE_MANIFEST);
        assert_int_equal(answer(&u, states[i], NULL, 0, 1100), MUP_DO_FINISH);
        assert_int_equal(u.state, MUP_UPDATE_FAILED);
        assert_string_equal(u.reason, mup_state_name(states[i]));
    }
}

/* From the answer that sent it back to the next command; returns when that is asked. */
static uint64_t await_command(struct mup_update *u, unsigned actions, unsigned command,
                              uint64_t now)
{
    if ((actions & command) != 0) {
        return now;
    }
    assert_int_equal(actions, MUP_DO_SAVE);
    uint64_t at = mup_update_wake_ms(u);
    assert_int_equal(mup_update_on_time(u, at - 1), 0);
    assert_int_equal(mup_update_on_time(u, at), command);
    return at;
}

/* A device that is reset between each token and its manifest. */
static void
a_stale_nonce_asks_for_another_token_with_growing_pauses_until_the_time_is_over(void **state)
{
    (void)state;
    static const uint64_t pauses[] = {0, 500, 1000, 2000, 4000, 8000, 10000, 10000, 10000};
    struct mup_update u;
    struct mup_token token = sample_token();
    uint64_t now = 1100;
    unsigned asked = 0;

    bring_to(&u, MUP_UPDATE_MANIFEST);
    for (;; asked++) {
        unsigned actions = answer(&u, MUP_STATE_INVALID_NONCE, NULL, 0, now);
        if (mup_update_has_ended(&u)) {
            break;
        }
        assert_true(now < 1100 + MUP_UPDATE_AGAIN_MS);
        uint64_t at = await_command(&u, actions, MUP_DO_ASK_TOKEN, now);
        assert_int_equal(at - now, asked < 9 ? pauses[asked] : MUP_UPDATE_RETRY_LAST_MS);
        assert_non_null(strstr(u.message, "begun again"));
        assert_non_null(strstr(u.message, "invalid-nonce to the extended manifest"));
        assert_string_equal(u.reason, "");
        u.made_manifest = true;
        assert_int_equal(answer_token(&u, &token, at), MUP_DO_SAVE | MUP_DO_SEND_MANIFEST);
        assert_false(u.made_manifest);
        now = at;
    }
    assert_in_range(asked, 100, 200);
    assert_true(now >= 1100 + MUP_UPDATE_AGAIN_MS);
    assert_int_equal(u.state, MUP_UPDATE_FAILED);
    assert_string_equal(u.reason, "invalid-nonce");
    assert_non_null(strstr(u.message, "without a byte beyond 0"));
    assert_non_null(strstr(u.message, "invalid-nonce to the extended manifest"));
}

static void a_device_whose_power_flickers_is_updated_in_the_end(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_token token = sample_token();
    uint64_t now = 1100;

    bring_to(&u, MUP_UPDATE_MANIFEST);
    for (unsigned i = 0; i < 50; i++) {
        unsigned actions = answer(&u, MUP_STATE_INVALID_NONCE, NULL, 0, now);
        now = await_command(&u, actions, MUP_DO_ASK_TOKEN, now);
        assert_int_equal(answer_token(&u, &token, now), MUP_DO_SAVE | MUP_DO_SEND_MANIFEST);
    }
    assert_int_equal(answer_ack(&u, MUP_STATE_OK, PAYLOAD, now), MUP_DO_SAVE | MUP_DO_VERIFY);
    assert_string_equal(u.message, "");
    answer(&u, MUP_STATE_OK, NULL, 0, now);
    assert_int_equal(report(&u, MUP_STATE_CONFIRMED, 0, now), MUP_DO_FINISH);
    assert_int_equal(u.state, MUP_UPDATE_CONFIRMED);
}

static void a_pause_does_not_eat_the_time_of_the_step(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_token token = sample_token();

    bring_to(&u, MUP_UPDATE_MANIFEST);
    u.limits.token_ms = 100;
    answer(&u, MUP_STATE_INVALID_NONCE, NULL, 0, 1100);
    answer_token(&u, &token, 1101);
    answer(&u, MUP_STATE_INVALID_NONCE, NULL, 0, 1102);
    assert_int_equal(mup_update_on_time(&u, 1602), MUP_DO_ASK_TOKEN);
    assert_int_equal(mup_update_on_time(&u, 1702), MUP_DO_FINISH);
    assert_string_equal(u.reason, "device-timeout");
}

static void coming_back_is_no_way_round_the_pauses(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_token token = sample_token();

    bring_to(&u, MUP_UPDATE_MANIFEST);
    for (unsigned i = 0; i < 8; i++) {
        uint64_t now = 1100 + 20000 * i;
        await_command(&u, answer(&u, MUP_STATE_INVALID_NONCE, NULL, 0, now), MUP_DO_ASK_TOKEN, now);
        answer_token(&u, &token, now + 15000);
    }
    assert_int_equal(answer(&u, MUP_STATE_INVALID_NONCE, NULL, 0, 200000), MUP_DO_SAVE);
    assert_int_equal(mup_update_wake_ms(&u), 200000 + MUP_UPDATE_RETRY_LAST_MS);
    mup_update_on_back(&u, 200010); /* it is here again: sooner, but not at once */
    assert_int_equal(mup_update_wake_ms(&u), 200000 + MUP_UPDATE_RETRY_FIRST_MS);
    assert_int_equal(mup_update_on_time(&u, 200010), 0);
    mup_update_on_back(&u, 200499);
    assert_int_equal(mup_update_wake_ms(&u), 200000 + MUP_UPDATE_RETRY_FIRST_MS);
}

static void an_answer_that_is_no_token_or_acknowledgement_fails_at_every_length(void **state)
{
    (void)state;
    struct mup_token token = sample_token();
    uint8_t bytes[MUP_TOKEN_MAX];
    size_t size;

    assert_int_equal(mup_token_encode(bytes, sizeof bytes, &size, &token), MUP_OK);
    for (size_t cut = 0; cut < size; cut++) {
        struct mup_update u;
        uint8_t *exact = malloc(cut + 1);
        memcpy(exact, bytes, cut);
        bring_to(&u, MUP_UPDATE_TOKEN);
        assert_int_equal(answer(&u, MUP_STATE_OK, exact, cut, 1100), MUP_DO_FINISH);
        assert_string_equal(u.reason, "token-not-valid");
        bring_to(&u, MUP_UPDATE_MANIFEST);
        assert_int_equal(answer(&u, MUP_STATE_OK, exact, cut, 1100), MUP_DO_FINISH);
        assert_string_equal(u.reason, "answer-not-valid");
        free(exact);
    }
}

/* ---- time ---- */

static void each_step_gives_up_at_its_deadline(void **state)
{
    (void)state;
    static const struct {
        enum mup_update_state state;
        const char *reason;
    } cases[] = {
        {MUP_UPDATE_REQUESTED, "device-timeout"}, {MUP_UPDATE_TOKEN, "device-timeout"},
        {MUP_UPDATE_MANIFEST, "device-timeout"},  {MUP_UPDATE_VERIFY, "device-timeout"},
        {MUP_UPDATE_TRIAL, "no-report"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_update u;
        bring_to(&u, cases[i].state);
        uint64_t at = mup_update_wake_ms(&u);
        assert_int_equal(mup_update_on_time(&u, at - 1), 0);
        assert_int_equal(mup_update_on_time(&u, at), MUP_DO_FINISH);
        assert_int_equal(u.state, MUP_UPDATE_FAILED);
        assert_string_equal(u.reason, cases[i].reason);
    }
}

static void a_failure_is_tried_again_with_growing_pauses_and_names_itself_at_the_end(void **state)
{
    (void)state;
    struct mup_update u;
    uint64_t now = 1001;
    uint64_t pause = MUP_UPDATE_RETRY_FIRST_MS;
    unsigned tries = 0;

    bring_to(&u, MUP_UPDATE_TOKEN);
    for (;;) {
        assert_int_equal(mup_update_on_failure(&u, true, "device-timeout", "it sleeps", now), 0);
        uint64_t wake = mup_update_wake_ms(&u);
        if (wake != now + pause) {
            break;
        }
        now = wake;
        assert_int_equal(mup_update_on_time(&u, now), MUP_DO_ASK_TOKEN);
        pause = pause * 2 < MUP_UPDATE_RETRY_LAST_MS ? pause * 2 : MUP_UPDATE_RETRY_LAST_MS;
        tries++;
    }
    assert_true(tries > 10);
    assert_int_equal(mup_update_on_time(&u, 1001 + MUP_UPDATE_TOKEN_MS), MUP_DO_FINISH);
    assert_string_equal(u.reason, "device-timeout");
    assert_non_null(strstr(u.message, "it sleeps"));
}

static void a_failure_that_will_not_pass_ends_at_once(void **state)
{
    (void)state;
    struct mup_update u;

    bring_to(&u, MUP_UPDATE_TOKEN);
    assert_int_equal(mup_update_on_failure(&u, false, "unknown-device", "gone", 1100),
                     MUP_DO_FINISH);
    assert_string_equal(u.reason, "unknown-device");
    assert_string_equal(u.message, "gone");
}

static void a_device_that_comes_back_is_asked_at_once(void **state)
{
    (void)state;
    struct mup_update u;

    bring_to(&u, MUP_UPDATE_TOKEN);
    mup_update_on_failure(&u, true, "device-timeout", "it sleeps", 1100);
    mup_update_on_back(&u, 1200);
    assert_int_equal(mup_update_wake_ms(&u), 1200);
    assert_int_equal(mup_update_on_time(&u, 1200), MUP_DO_ASK_TOKEN);
}

/* ---- the transfer ---- */

static void a_quiet_device_is_looked_up_again_and_the_transfer_goes_on_where_it_says(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_token token = sample_token();
    struct mup_ack half = ack(0, 1024);

    bring_to(&u, MUP_UPDATE_TRANSFER);
    send_all(&u);
    mup_update_on_ack(&u, &half, 10, 2000);
    assert_int_equal(mup_update_wake_ms(&u), 2000 + MUP_UPDATE_QUIET_MS);
    assert_int_equal(mup_update_on_time(&u, 2000 + MUP_UPDATE_QUIET_MS),
                     MUP_DO_SAVE | MUP_DO_LOOK_UP);
    found(&u, 60000);
    assert_int_equal(answer_token(&u, &token, 60001), MUP_DO_SAVE | MUP_DO_SEND_MANIFEST);
    assert_false(u.made_manifest);
    assert_int_equal(answer_ack(&u, MUP_STATE_OK, 2112, 60002), MUP_DO_SAVE | MUP_DO_SEND_SLICES);
    assert_int_equal(u.sender.sent, 2112);
    assert_int_equal(u.from_version, 1);
}

static void a_device_that_lost_the_transfer_is_begun_again(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack gone = ack(0, 0);

    bring_to(&u, MUP_UPDATE_TRANSFER);
    gone.state = MUP_STATE_NOOP;
    assert_int_equal(mup_update_on_ack(&u, &gone, 10, 2000), MUP_DO_SAVE | MUP_DO_LOOK_UP);
}

static void coming_back_in_mid_transfer_shortens_the_quiet_time(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack half = ack(0, 0);

    bring_to(&u, MUP_UPDATE_TRANSFER);
    mup_update_on_back(&u, 2000);
    assert_int_equal(mup_update_wake_ms(&u), 2000 + MUP_UPDATE_BACK_MS);
    mup_update_on_ack(&u, &half, 10, 3000); /* it did not restart: it acknowledges */
    assert_int_equal(mup_update_wake_ms(&u), 3000 + MUP_UPDATE_QUIET_MS);
}

static void a_device_that_only_repeats_itself_is_given_up(void **state)
{
    (void)state;
    struct mup_update u;
    uint64_t now = 1003;
    uint32_t attempt = 0;

    bring_to(&u, MUP_UPDATE_TRANSFER);
    while (now < 1003 + MUP_UPDATE_STALL_MS) {
        struct mup_ack again = ack(++attempt, 0);
        mup_update_on_ack(&u, &again, 10, now);
        send_all(&u);
        now += 30000;
    }
    assert_int_equal(mup_update_on_time(&u, 1003 + MUP_UPDATE_STALL_MS), MUP_DO_FINISH);
    assert_string_equal(u.reason, "no-progress");
}

/* The device says that its transfer is gone; a new one begins and is at `next`. When it began, or
 * 0: the update has ended. */
static uint64_t lose_transfer(struct mup_update *u, uint32_t next, uint64_t now)
{
    struct mup_token token = sample_token();
    struct mup_ack gone = ack(0, 0);

    gone.state = MUP_STATE_NOOP;
    unsigned actions = mup_update_on_ack(u, &gone, 10, now);
    if (mup_update_has_ended(u)) {
        return 0;
    }
    now = await_command(u, actions, MUP_DO_LOOK_UP, now);
    found(u, now);
    answer_token(u, &token, now);
    assert_int_equal(answer_ack(u, MUP_STATE_OK, next, now), MUP_DO_SAVE | MUP_DO_SEND_SLICES);
    return now;
}

static void beginning_again_without_headway_ends(void **state)
{
    (void)state;
    struct mup_update u;
    uint64_t at = 2000;
    uint64_t last = 0;

    bring_to(&u, MUP_UPDATE_TRANSFER);
    while (at != 0) {
        last = at;
        at = lose_transfer(&u, 0, at);
    }
    assert_in_range(last, 2000 + MUP_UPDATE_AGAIN_MS,
                    2000 + MUP_UPDATE_AGAIN_MS + MUP_UPDATE_RETRY_LAST_MS);
    assert_string_equal(u.reason, "no-progress");
    assert_non_null(strstr(u.message, "the device has no transfer any more"));
}

/* It takes the same bytes each time and loses them. */
static void bytes_that_were_lost_and_taken_again_are_not_headway(void **state)
{
    (void)state;
    struct mup_update u;
    uint64_t at = 2000;

    bring_to(&u, MUP_UPDATE_TRANSFER);
    for (unsigned i = 0; i < 1000 && at != 0; i++) {
        struct mup_ack more = ack(0, 500);
        send_all(&u);
        mup_update_on_ack(&u, &more, 10, at);
        at = lose_transfer(&u, 0, at);
    }
    assert_int_equal(at, 0);
    assert_string_equal(u.reason, "no-progress");
    assert_non_null(strstr(u.message, "without a byte beyond 500"));
}

static void headway_lets_it_begin_again_as_often_as_before(void **state)
{
    (void)state;
    struct mup_update u;
    uint64_t at = 2000;

    bring_to(&u, MUP_UPDATE_TRANSFER);
    for (uint32_t i = 1; i <= 29; i++) {
        struct mup_ack more = ack(0, i * 100);
        send_all(&u);
        mup_update_on_ack(&u, &more, 10, at);
        assert_int_equal(lose_transfer(&u, i * 100, at), at); /* at once */
        at += MUP_UPDATE_AGAIN_MS;
    }
}

static void a_flash_failure_ends_the_update(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_ack bad = ack(0, 0);

    bring_to(&u, MUP_UPDATE_TRANSFER);
    bad.state = MUP_STATE_FLASH_FAILURE;
    assert_int_equal(mup_update_on_ack(&u, &bad, 10, 2000), MUP_DO_FINISH);
    assert_string_equal(u.reason, "flash-failure");
}

static void a_payload_that_is_there_already_is_verified_at_once(void **state)
{
    (void)state;
    struct mup_update u;

    bring_to(&u, MUP_UPDATE_MANIFEST);
    assert_int_equal(answer_ack(&u, MUP_STATE_OK, PAYLOAD, 2000), MUP_DO_SAVE | MUP_DO_VERIFY);
}

/* ---- verify ---- */

static void an_incomplete_verify_goes_on_with_the_transfer(void **state)
{
    (void)state;
    struct mup_update u;

    bring_to(&u, MUP_UPDATE_VERIFY);
    assert_int_equal(answer_ack(&u, MUP_STATE_INCOMPLETE, 2112, 2000),
                     MUP_DO_SAVE | MUP_DO_SEND_SLICES);
    assert_int_equal(u.state, MUP_UPDATE_TRANSFER);
    bring_to(&u, MUP_UPDATE_VERIFY);
    assert_int_equal(answer(&u, MUP_STATE_INCOMPLETE, NULL, 0, 2000), MUP_DO_SAVE | MUP_DO_LOOK_UP);
}

static void a_device_that_is_never_complete_is_given_up(void **state)
{
    (void)state;
    struct mup_update u;
    unsigned asked = 0;

    bring_to(&u, MUP_UPDATE_VERIFY);
    while (u.state == MUP_UPDATE_VERIFY && asked < 100) {
        /* Nothing is missing, it says, and yet it is incomplete. */
        asked++;
        answer_ack(&u, MUP_STATE_INCOMPLETE, u.goal.manifest.payload_size, 2000 + asked);
    }
    assert_int_equal(asked, MUP_UPDATE_INCOMPLETES_MAX + 1);
    assert_int_equal(u.state, MUP_UPDATE_FAILED);
    assert_string_equal(u.reason, "incomplete");
}

static void an_invalid_image_ends_the_update(void **state)
{
    (void)state;
    struct mup_update u;

    bring_to(&u, MUP_UPDATE_VERIFY);
    assert_int_equal(answer(&u, MUP_STATE_IMAGE_INVALID, NULL, 0, 2000), MUP_DO_FINISH);
    assert_string_equal(u.reason, "image-invalid");
}

static void a_verify_whose_answer_was_lost_is_found_out_by_the_token(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_token token = sample_token();

    bring_to(&u, MUP_UPDATE_VERIFY);
    mup_update_on_failure(&u, true, "device-timeout", "lost", 2000);
    assert_int_equal(mup_update_on_time(&u, 2500), MUP_DO_VERIFY);
    assert_int_equal(answer(&u, MUP_STATE_NO_MANIFEST, NULL, 0, 2600),
                     MUP_DO_SAVE | MUP_DO_LOOK_UP);
    found(&u, 2601);
    token.version = 2;
    assert_int_equal(answer_token(&u, &token, 2602), MUP_DO_SAVE | MUP_DO_LOOK_UP);
    assert_int_equal(u.state, MUP_UPDATE_TRIAL);
    assert_int_equal(u.from_version, 1);
}

static void an_image_that_boots_already_is_on_trial(void **state)
{
    (void)state;
    struct mup_update u;

    bring_to(&u, MUP_UPDATE_VERIFY);
    answer(&u, MUP_STATE_SLOT_IN_USE, NULL, 0, 2000);
    assert_int_equal(u.state, MUP_UPDATE_TRIAL);
}

/* ---- trial ---- */

static void the_bridge_may_confirm_when_the_report_was_lost(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_update_sight sight = {.has_version = true, .version = 2, .confirmed = false};

    bring_to(&u, MUP_UPDATE_TRIAL);
    assert_int_equal(mup_update_on_found(&u, &sight, 3000), 0);
    assert_int_equal(mup_update_wake_ms(&u), 3000 + MUP_UPDATE_POLL_MS);
    assert_int_equal(mup_update_on_time(&u, 3000 + MUP_UPDATE_POLL_MS), MUP_DO_LOOK_UP);
    sight.confirmed = true;
    assert_int_equal(mup_update_on_found(&u, &sight, 9000), MUP_DO_FINISH);
    assert_int_equal(u.state, MUP_UPDATE_CONFIRMED);
}

static void an_old_version_seen_during_a_trial_decides_nothing(void **state)
{
    (void)state;
    struct mup_update u;

    bring_to(&u, MUP_UPDATE_TRIAL);
    assert_int_equal(found(&u, 3000), 0);
    assert_int_equal(mup_update_on_failure(&u, false, "bridge-unreachable", "", 3001), 0);
    assert_int_equal(u.state, MUP_UPDATE_TRIAL);
}

static void reports_of_others_and_of_earlier_days_are_ignored(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_report r = {.version = 2, .outcome = MUP_STATE_CONFIRMED, .manifest = {0xd1, 0xd2}};

    memcpy(r.uuid, uuid, sizeof uuid);
    bring_to(&u, MUP_UPDATE_TRANSFER);
    assert_int_equal(mup_update_on_report(&u, &r, 60, 2000), 0); /* verify was never sent */
    bring_to(&u, MUP_UPDATE_TRIAL);
    r.manifest[31] = 1;
    assert_int_equal(mup_update_on_report(&u, &r, 60, 2000), 0);
    r.manifest[31] = 0;
    r.uuid[0] ^= 1;
    assert_int_equal(mup_update_on_report(&u, &r, 60, 2000), 0);
    assert_int_equal(u.state, MUP_UPDATE_TRIAL);
}

/* ---- after kill -9 of the server ---- */

static void every_unfinished_state_is_taken_up_again(void **state)
{
    (void)state;
    for (unsigned s = MUP_UPDATE_REQUESTED; s <= MUP_UPDATE_TRIAL; s++) {
        struct mup_update u;
        struct mup_token token = sample_token();
        assert_int_equal(resume(&u, (enum mup_update_state)s, s ? 1 : 0),
                         MUP_DO_SAVE | MUP_DO_LOOK_UP);
        if (s == MUP_UPDATE_TRIAL) {
            assert_int_equal(u.state, MUP_UPDATE_TRIAL);
            continue;
        }
        found(&u, 1100);
        assert_int_equal(answer_token(&u, &token, 1200), MUP_DO_SAVE | MUP_DO_SEND_MANIFEST);
        assert_int_equal(u.from_version, 1);
    }
}

static void steps_of_before_the_restart_are_counted_on(void **state)
{
    (void)state;
    struct mup_update u = {.state = MUP_UPDATE_TRANSFER, .from_version = 1};
    struct mup_update_goal goal = sample_goal();
    struct mup_update_limits limits;

    mup_update_limits_default(&limits);
    for (size_t i = 0; i < MUP_UPDATE_STEP_COUNT; i++) {
        u.steps[i] = (struct mup_update_step){
            .took_ms = 100 + i, .bytes_out = 7, .bytes_in = 8, .was_entered = true};
    }
    mup_update_begin(&u, &goal, &limits, true, 5000);
    found(&u, 5010);
    assert_int_equal(u.steps[MUP_UPDATE_REQUESTED].took_ms, 110);
    assert_int_equal(u.steps[MUP_UPDATE_TRANSFER].took_ms, 103);
    assert_int_equal(u.steps[MUP_UPDATE_TRANSFER].bytes_out, 7);
    assert_int_equal(u.steps[MUP_UPDATE_TOKEN].entered_ms, 5010);
}

static void a_device_that_runs_the_new_version_after_a_restart_is_on_trial_not_refused(void **state)
{
    (void)state;
    static const enum mup_update_state states[] = {MUP_UPDATE_TRANSFER, MUP_UPDATE_VERIFY};

    for (size_t i = 0; i < 2; i++) {
        struct mup_update u;
        struct mup_token token = sample_token();
        token.version = 2;
        resume(&u, states[i], 1);
        found(&u, 1100);
        answer_token(&u, &token, 1200);
        assert_int_equal(u.state, MUP_UPDATE_TRIAL);
    }
}

static void a_report_that_waited_at_the_broker_ends_an_update_that_was_taken_up(void **state)
{
    (void)state;
    struct mup_update u;

    resume(&u, MUP_UPDATE_VERIFY, 1);
    assert_int_equal(report(&u, MUP_STATE_CONFIRMED, 0, 1100), MUP_DO_FINISH);
    assert_int_equal(u.state, MUP_UPDATE_CONFIRMED);
}

static void a_device_in_trial_answers_a_taken_up_update_by_trial(void **state)
{
    (void)state;
    struct mup_update u;
    struct mup_token token = sample_token();

    resume(&u, MUP_UPDATE_TRANSFER, 1);
    found(&u, 1100);
    answer_token(&u, &token, 1200);
    answer(&u, MUP_STATE_SLOT_IN_USE, NULL, 0, 1300);
    assert_int_equal(u.state, MUP_UPDATE_TRIAL);
}

static void names_of_states_are_read_back(void **state)
{
    (void)state;
    for (unsigned s = MUP_UPDATE_REQUESTED; s <= MUP_UPDATE_REVERTED; s++) {
        enum mup_update_state back;
        assert_true(
            mup_update_state_from_name(&back, mup_update_state_name((enum mup_update_state)s)));
        assert_int_equal(back, s);
    }
    enum mup_update_state other;
    assert_false(mup_update_state_from_name(&other, "trail"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_goes_from_request_to_confirmed),
        cmocka_unit_test(the_end_comes_once),
        cmocka_unit_test(a_revert_names_the_devices_reason),
        cmocka_unit_test(the_server_refuses_what_the_device_would_and_sends_nothing),
        cmocka_unit_test(a_delta_is_for_its_old_version_and_only_plain_payloads_are_sent),
        cmocka_unit_test(force_leaves_the_refusal_to_the_device),
        cmocka_unit_test(each_refusal_of_the_manifest_ends_with_its_name),
        cmocka_unit_test(
            a_stale_nonce_asks_for_another_token_with_growing_pauses_until_the_time_is_over),
        cmocka_unit_test(a_device_whose_power_flickers_is_updated_in_the_end),
        cmocka_unit_test(a_pause_does_not_eat_the_time_of_the_step),
        cmocka_unit_test(coming_back_is_no_way_round_the_pauses),
        cmocka_unit_test(an_answer_that_is_no_token_or_acknowledgement_fails_at_every_length),
        cmocka_unit_test(each_step_gives_up_at_its_deadline),
        cmocka_unit_test(a_failure_is_tried_again_with_growing_pauses_and_names_itself_at_the_end),
        cmocka_unit_test(a_failure_that_will_not_pass_ends_at_once),
        cmocka_unit_test(a_device_that_comes_back_is_asked_at_once),
        cmocka_unit_test(a_quiet_device_is_looked_up_again_and_the_transfer_goes_on_where_it_says),
        cmocka_unit_test(a_device_that_lost_the_transfer_is_begun_again),
        cmocka_unit_test(coming_back_in_mid_transfer_shortens_the_quiet_time),
        cmocka_unit_test(a_device_that_only_repeats_itself_is_given_up),
        cmocka_unit_test(beginning_again_without_headway_ends),
        cmocka_unit_test(bytes_that_were_lost_and_taken_again_are_not_headway),
        cmocka_unit_test(headway_lets_it_begin_again_as_often_as_before),
        cmocka_unit_test(a_flash_failure_ends_the_update),
        cmocka_unit_test(a_payload_that_is_there_already_is_verified_at_once),
        cmocka_unit_test(an_incomplete_verify_goes_on_with_the_transfer),
        cmocka_unit_test(a_device_that_is_never_complete_is_given_up),
        cmocka_unit_test(an_invalid_image_ends_the_update),
        cmocka_unit_test(a_verify_whose_answer_was_lost_is_found_out_by_the_token),
        cmocka_unit_test(an_image_that_boots_already_is_on_trial),
        cmocka_unit_test(the_bridge_may_confirm_when_the_report_was_lost),
        cmocka_unit_test(an_old_version_seen_during_a_trial_decides_nothing),
        cmocka_unit_test(reports_of_others_and_of_earlier_days_are_ignored),
        cmocka_unit_test(every_unfinished_state_is_taken_up_again),
        cmocka_unit_test(steps_of_before_the_restart_are_counted_on),
        cmocka_unit_test(
            a_device_that_runs_the_new_version_after_a_restart_is_on_trial_not_refused),
        cmocka_unit_test(a_report_that_waited_at_the_broker_ends_an_update_that_was_taken_up),
        cmocka_unit_test(a_device_in_trial_answers_a_taken_up_update_by_trial),
        cmocka_unit_test(names_of_states_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
