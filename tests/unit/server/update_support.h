/* What happens to an update in the tests of its decisions: a goal, a token, answers, and the
 * straight way to each state. */
#ifndef MUP_TEST_UPDATE_SUPPORT_H
#define MUP_TEST_UPDATE_SUPPORT_H

#include "support/cmocka_all.h"

#include "mup/state.h"
#include "server/update.h"

#define PAYLOAD 3000u

static const uint8_t uuid[16] = {0x5f, 0x0c, 0x1d, 0x2e, 0x3a, 0x4b, 0x4c, 0x5d,
                                 0x8e, 0x9f, 0xa0, 0xb1, 0xc2, 0xd3, 0xe4, 0xf5};

static inline struct mup_update_goal sample_goal(void)
{
    struct mup_update_goal goal = {
        .manifest = {.app_id = "lamp",
                     .hardware_class = "nrf51",
                     .link_offset = 0x6000,
                     .image_size = 2936,
                     .payload_size = PAYLOAD,
                     .new_version = 2,
                     .block_size = 1024},
        .manifest_digest = {0xd1, 0xd2},
        .vendor_kid = {1, 2, 3, 4, 5, 6, 7, 8},
        .server_kid = {11, 12, 13, 14, 15, 16, 17, 18},
        .slice_size = 1024,
    };
    memcpy(goal.uuid, uuid, sizeof uuid);
    return goal;
}

static inline struct mup_token sample_token(void)
{
    struct mup_token token = {
        .version = 1,
        .nonce = {0x20, 0x21},
        .app_id = "lamp",
        .hardware_class = "nrf51",
        .link_offset = 0x6000,
        .slot_size = 100000,
        .block_size_max = 1024,
        .window_size = 4096,
        .slice_size_max = 1024,
        .lifetime_s = 600,
        .vendor_kid = {1, 2, 3, 4, 5, 6, 7, 8},
        .has_server_kid = true,
        .server_kid = {11, 12, 13, 14, 15, 16, 17, 18},
    };
    memcpy(token.uuid, uuid, sizeof uuid);
    return token;
}

/* ---- what happens ---- */

static inline unsigned begin(struct mup_update *u)
{
    struct mup_update_goal goal = sample_goal();
    struct mup_update_limits limits;

    mup_update_limits_default(&limits);
    return mup_update_begin(u, &goal, &limits, false, 1000);
}

static inline unsigned resume(struct mup_update *u, enum mup_update_state state, uint32_t from)
{
    struct mup_update_goal goal = sample_goal();
    struct mup_update_limits limits;

    memset(u, 0, sizeof *u);
    u->state = state;
    u->from_version = from;
    mup_update_limits_default(&limits);
    return mup_update_begin(u, &goal, &limits, true, 1000);
}

static inline unsigned found(struct mup_update *u, uint64_t now)
{
    struct mup_update_sight sight = {.has_version = true, .version = 1, .confirmed = true};

    return mup_update_on_found(u, &sight, now);
}

static inline unsigned answer(struct mup_update *u, uint32_t state, const uint8_t *value,
                              size_t size, uint64_t now)
{
    struct mup_update_answer a = {
        .state = state, .value = value, .value_size = size, .bytes_out = 20, .bytes_in = 30};

    return mup_update_on_answer(u, &a, now);
}

static inline unsigned answer_token(struct mup_update *u, const struct mup_token *token,
                                    uint64_t now)
{
    uint8_t bytes[MUP_TOKEN_MAX];
    size_t size;

    assert_int_equal(mup_token_encode(bytes, sizeof bytes, &size, token), MUP_OK);
    return answer(u, MUP_STATE_OK, bytes, size, now);
}

static inline struct mup_ack ack(uint32_t attempt, uint32_t next)
{
    return (struct mup_ack){
        .transfer = 9, .attempt = attempt, .next = next, .limit = PAYLOAD, .state = MUP_STATE_OK};
}

static inline unsigned answer_ack(struct mup_update *u, uint32_t state, uint32_t next, uint64_t now)
{
    uint8_t bytes[MUP_ACK_MAX];
    size_t size;
    struct mup_ack a = ack(0, next);

    assert_int_equal(mup_ack_encode(bytes, &size, &a), MUP_OK);
    return answer(u, state, bytes, size, now);
}

static inline unsigned report(struct mup_update *u, uint32_t outcome, uint32_t reason, uint64_t now)
{
    struct mup_report r = {.version = outcome == MUP_STATE_CONFIRMED ? 2 : 1,
                           .outcome = outcome,
                           .manifest = {0xd1, 0xd2},
                           .reason = reason,
                           .trial_boots = 1};

    memcpy(r.uuid, uuid, sizeof uuid);
    return mup_update_on_report(u, &r, 60, now);
}

static inline void send_all(struct mup_update *u)
{
    struct mup_slice_header header;

    while (mup_sender_next(&u->sender, &header)) {
        mup_sender_sent(&u->sender, &header);
    }
}

/* Bring an update to the state, by the straight way. */
static inline void bring_to(struct mup_update *u, enum mup_update_state state)
{
    struct mup_token token = sample_token();
    struct mup_ack last = ack(0, PAYLOAD);

    begin(u);
    if (state > MUP_UPDATE_REQUESTED) {
        found(u, 1001);
    }
    if (state > MUP_UPDATE_TOKEN) {
        answer_token(u, &token, 1002);
    }
    if (state > MUP_UPDATE_MANIFEST) {
        answer_ack(u, MUP_STATE_OK, 0, 1003);
    }
    if (state > MUP_UPDATE_TRANSFER) {
        send_all(u);
        mup_update_on_ack(u, &last, 10, 1004);
    }
    if (state > MUP_UPDATE_VERIFY) {
        answer(u, MUP_STATE_OK, NULL, 0, 1005);
    }
    assert_int_equal(u->state, state);
}

#endif
