/* One update's state machine. Transitions go through enter(), ends through end(). */
#include "server/update.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mup/state.h"

static const char *const state_names[] = {
    [MUP_UPDATE_REQUESTED] = "requested", [MUP_UPDATE_TOKEN] = "token",
    [MUP_UPDATE_MANIFEST] = "manifest",   [MUP_UPDATE_TRANSFER] = "transfer",
    [MUP_UPDATE_VERIFY] = "verify",       [MUP_UPDATE_TRIAL] = "trial",
    [MUP_UPDATE_CONFIRMED] = "confirmed", [MUP_UPDATE_FAILED] = "failed",
    [MUP_UPDATE_REVERTED] = "reverted",
};

#define STATE_COUNT (sizeof state_names / sizeof state_names[0])

static const struct {
    const char *name;
    uint32_t number;
} step_names[MUP_UPDATE_STEP_COUNT] = {
    [MUP_UPDATE_REQUESTED] = {"description", 0}, [MUP_UPDATE_TOKEN] = {"token", 1},
    [MUP_UPDATE_MANIFEST] = {"manifest", 3},     [MUP_UPDATE_TRANSFER] = {"transfer", 5},
    [MUP_UPDATE_VERIFY] = {"verify", 6},         [MUP_UPDATE_TRIAL] = {"confirm", 7},
};

/* The command that each state waits for. */
static const unsigned commands[MUP_UPDATE_STEP_COUNT] = {
    [MUP_UPDATE_REQUESTED] = MUP_DO_LOOK_UP,      [MUP_UPDATE_TOKEN] = MUP_DO_ASK_TOKEN,
    [MUP_UPDATE_MANIFEST] = MUP_DO_SEND_MANIFEST, [MUP_UPDATE_TRANSFER] = 0,
    [MUP_UPDATE_VERIFY] = MUP_DO_VERIFY,          [MUP_UPDATE_TRIAL] = MUP_DO_LOOK_UP,
};

const char *mup_update_state_name(enum mup_update_state state)
{
    return state_names[state];
}

bool mup_update_state_from_name(enum mup_update_state *state, const char *name)
{
    for (size_t i = 0; i < STATE_COUNT; i++) {
        if (strcmp(state_names[i], name) == 0) {
            *state = (enum mup_update_state)i;
            return true;
        }
    }
    return false;
}

const char *mup_update_step_name(size_t step)
{
    return step_names[step].name;
}

uint32_t mup_update_step_number(size_t step)
{
    return step_names[step].number;
}

void mup_update_limits_default(struct mup_update_limits *limits)
{
    *limits = (struct mup_update_limits){
        .look_up_ms = MUP_UPDATE_LOOK_UP_MS,
        .token_ms = MUP_UPDATE_TOKEN_MS,
        .manifest_ms = MUP_UPDATE_MANIFEST_MS,
        .verify_ms = MUP_UPDATE_VERIFY_MS,
        .quiet_ms = MUP_UPDATE_QUIET_MS,
        .back_ms = MUP_UPDATE_BACK_MS,
        .stall_ms = MUP_UPDATE_STALL_MS,
        .trial_ms = MUP_UPDATE_TRIAL_MS,
        .poll_ms = MUP_UPDATE_POLL_MS,
        .again_ms = MUP_UPDATE_AGAIN_MS,
    };
}

bool mup_update_has_ended(const struct mup_update *update)
{
    return update->state >= MUP_UPDATE_CONFIRMED;
}

/* ---- moving ---- */

static void leave_step(struct mup_update *update, uint64_t now)
{
    if (!mup_update_has_ended(update)) {
        struct mup_update_step *step = &update->steps[update->state];
        if (step->entered_ms != 0) {
            step->took_ms += now - step->entered_ms;
            step->entered_ms = 0;
        }
    }
}

static uint32_t time_for(const struct mup_update *update, enum mup_update_state state)
{
    switch (state) {
    case MUP_UPDATE_REQUESTED:
        return update->limits.look_up_ms;
    case MUP_UPDATE_TOKEN:
        return update->limits.token_ms;
    case MUP_UPDATE_MANIFEST:
        return update->limits.manifest_ms;
    case MUP_UPDATE_VERIFY:
        return update->limits.verify_ms;
    case MUP_UPDATE_TRIAL:
        return update->limits.trial_ms;
    case MUP_UPDATE_TRANSFER:
    case MUP_UPDATE_CONFIRMED:
    case MUP_UPDATE_FAILED:
    case MUP_UPDATE_REVERTED:
        break;
    }
    return UINT32_MAX; /* transfer has the quiet and the stall times instead */
}

static unsigned command(struct mup_update *update)
{
    unsigned action = commands[update->state];

    update->retry_at_ms = 0;
    update->waiting = action != 0;
    return action;
}

/* Go to a state that takes time and begin its command. */
static unsigned enter(struct mup_update *update, enum mup_update_state state, uint64_t now)
{
    assert(state < MUP_UPDATE_CONFIRMED && !mup_update_has_ended(update));
    leave_step(update, now);
    update->state = state;
    update->steps[state].entered_ms = now;
    update->steps[state].was_entered = true;
    update->deadline_ms = now + time_for(update, state);
    update->retry_ms = MUP_UPDATE_RETRY_FIRST_MS;
    update->last_reason[0] = '\0';
    if (state == MUP_UPDATE_MANIFEST) {
        update->made_manifest = false;
    }
    if (state == MUP_UPDATE_VERIFY) {
        update->verify_sent = true;
    }
    return MUP_DO_SAVE | command(update);
}

__attribute__((format(printf, 5, 6))) static unsigned end(struct mup_update *update,
                                                          enum mup_update_state state, uint64_t now,
                                                          const char *reason, const char *format,
                                                          ...)
{
    va_list values;

    assert(state >= MUP_UPDATE_CONFIRMED && !mup_update_has_ended(update));
    leave_step(update, now);
    update->state = state;
    update->waiting = false;
    snprintf(update->reason, sizeof update->reason, "%s", reason);
    va_start(values, format);
    vsnprintf(update->message, sizeof update->message, format, values);
    va_end(values);
    return MUP_DO_FINISH;
}

static unsigned refused(struct mup_update *update, const char *what, uint32_t state, uint64_t now)
{
    return end(update, MUP_UPDATE_FAILED, now, mup_state_name(state),
               "the device answered %u_%s to %s", (unsigned)state, mup_state_name(state), what);
}

/*
 * Back to an earlier state, because `why`: at once, and after a pause that grows when it happens
 * again without headway. Time, not a count, is the bound: a device whose power flickers may need
 * many beginnings, and one that lies costs a signature every ten seconds until the time is over.
 */
static unsigned begin_again(struct mup_update *update, enum mup_update_state state,
                            const char *reason, const char *why, uint64_t now)
{
    uint32_t pause = update->agains == 0 ? 0 : MUP_UPDATE_RETRY_FIRST_MS;

    if (update->agains == 0) {
        update->again_since_ms = now;
    } else if (now - update->again_since_ms >= update->limits.again_ms) {
        return end(update, MUP_UPDATE_FAILED, now, reason,
                   "begun again %u times in %u s without a byte beyond %u: %s",
                   (unsigned)update->agains, (unsigned)((now - update->again_since_ms) / 1000),
                   (unsigned)update->payload_most, why);
    }
    for (uint32_t i = 1; i < update->agains && pause < MUP_UPDATE_RETRY_LAST_MS; i++) {
        pause *= 2;
    }
    pause = pause < MUP_UPDATE_RETRY_LAST_MS ? pause : MUP_UPDATE_RETRY_LAST_MS;
    update->agains++;
    update->again_at_ms = now;
    snprintf(update->message, sizeof update->message, "begun again (%u): %s",
             (unsigned)update->agains, why);
    unsigned actions = enter(update, state, now);
    if (pause == 0) {
        return actions;
    }
    update->waiting = false;
    update->retry_at_ms = now + pause;
    update->deadline_ms += pause;
    return MUP_DO_SAVE;
}

/* The device has lost the transfer, or we have lost the device: begin again. Not with the token but
 * with the look at the bridge, since the device may have come back with another description. */
static unsigned restart(struct mup_update *update, const char *why, uint64_t now)
{
    return begin_again(update, MUP_UPDATE_REQUESTED, "no-progress", why, now);
}

/* More of the payload than ever: whatever went wrong before is forgiven. What the device had, lost
 * and fetched again is not headway, or a liar could go on for ever. */
static void note_headway(struct mup_update *update)
{
    if (update->sender.next_most > update->payload_most) {
        update->payload_most = update->sender.next_most;
        update->agains = 0;
        update->message[0] = '\0';
    }
}

unsigned mup_update_begin(struct mup_update *update, const struct mup_update_goal *goal,
                          const struct mup_update_limits *limits, bool resumed, uint64_t now)
{
    struct mup_update fresh = {.goal = *goal, .limits = *limits, .resumed = resumed};

    if (resumed) {
        assert(!mup_update_has_ended(update));
        fresh.from_version = update->from_version;
        fresh.verify_sent = update->state == MUP_UPDATE_VERIFY || update->state == MUP_UPDATE_TRIAL;
        memcpy(fresh.steps, update->steps, sizeof fresh.steps);
    }
    enum mup_update_state from = resumed ? update->state : MUP_UPDATE_REQUESTED;
    *update = fresh;
    return enter(update, from == MUP_UPDATE_TRIAL ? MUP_UPDATE_TRIAL : MUP_UPDATE_REQUESTED, now);
}

/* ---- look up ---- */

unsigned mup_update_on_found(struct mup_update *update, const struct mup_update_sight *sight,
                             uint64_t now)
{
    if (update->state == MUP_UPDATE_REQUESTED) {
        return enter(update, MUP_UPDATE_TOKEN, now);
    }
    if (update->state != MUP_UPDATE_TRIAL) {
        return 0;
    }
    if (sight->has_version && sight->confirmed &&
        sight->version == update->goal.manifest.new_version) {
        return end(update, MUP_UPDATE_CONFIRMED, now, "", "version %u runs and is confirmed",
                   (unsigned)sight->version);
    }
    update->waiting = false;
    update->retry_at_ms = now + update->limits.poll_ms;
    return 0;
}

/* ---- token ---- */

uint32_t mup_update_check(const struct mup_update_goal *goal, const struct mup_token *token)
{
    const struct mup_manifest *m = &goal->manifest;

    if (!token->has_server_kid) {
        return MUP_STATE_NO_SERVER_KEY;
    }
    if (memcmp(token->server_kid, goal->server_kid, MUP_KID_SIZE) != 0) {
        return MUP_STATE_UNKNOWN_KEY;
    }
    if (memcmp(token->uuid, goal->uuid, MUP_UUID_SIZE) != 0) {
        return MUP_STATE_WRONG_DEVICE;
    }
    if (memcmp(token->vendor_kid, goal->vendor_kid, MUP_KID_SIZE) != 0) {
        return MUP_STATE_UNKNOWN_KEY;
    }
    if (strcmp(token->app_id, m->app_id) != 0) {
        return MUP_STATE_WRONG_APP_ID;
    }
    if (strcmp(token->hardware_class, m->hardware_class) != 0) {
        return MUP_STATE_WRONG_HARDWARE_CLASS;
    }
    if (m->new_version <= token->version) {
        return MUP_STATE_INVALID_VERSION;
    }
    if (m->old_version != 0 && m->old_version != token->version) {
        return MUP_STATE_WRONG_OLD_VERSION;
    }
    if (m->encoding != MUP_ENCODING_PLAIN) {
        return MUP_STATE_ENCODING_UNSUPPORTED;
    }
    if (m->link_offset != token->link_offset) {
        return MUP_STATE_WRONG_LINK_OFFSET;
    }
    if (m->image_size > token->slot_size) {
        return MUP_STATE_IMAGE_TOO_BIG;
    }
    return m->block_size > token->block_size_max ? MUP_STATE_BLOCK_SIZE_UNSUPPORTED : MUP_STATE_OK;
}

/* The new image runs already, and it was this update that brought it. */
static bool runs_ours(const struct mup_update *update, const struct mup_token *token)
{
    uint32_t to = update->goal.manifest.new_version;

    return token->version == to &&
           (update->verify_sent ||
            (update->resumed && update->from_version != 0 && update->from_version != to));
}

/* What the device has and what the release is for, where a number or a name tells why. */
static void tell_difference(char *text, size_t size, uint32_t state, const struct mup_manifest *m,
                            const struct mup_token *token)
{
    text[0] = '\0';
    if (state == MUP_STATE_WRONG_APP_ID) {
        snprintf(text, size, ": it runs %s, the release is %s", token->app_id, m->app_id);
    } else if (state == MUP_STATE_WRONG_HARDWARE_CLASS) {
        snprintf(text, size, ": it is %s, the release is for %s", token->hardware_class,
                 m->hardware_class);
    } else if (state == MUP_STATE_INVALID_VERSION) {
        snprintf(text, size, ": it runs version %u, the release is version %u",
                 (unsigned)token->version, (unsigned)m->new_version);
    } else if (state == MUP_STATE_WRONG_LINK_OFFSET) {
        snprintf(text, size, ": it runs images linked for 0x%x, the release is linked for 0x%x",
                 (unsigned)token->link_offset, (unsigned)m->link_offset);
    } else if (state == MUP_STATE_IMAGE_TOO_BIG) {
        snprintf(text, size, ": it takes %u bytes, the image has %u", (unsigned)token->slot_size,
                 (unsigned)m->image_size);
    } else if (state == MUP_STATE_BLOCK_SIZE_UNSUPPORTED) {
        snprintf(text, size, ": it takes blocks of %u bytes, the release has %u",
                 (unsigned)token->block_size_max, (unsigned)m->block_size);
    }
}

static unsigned take_token(struct mup_update *update, const struct mup_update_answer *answer,
                           uint64_t now)
{
    struct mup_token token;

    if (answer->state != MUP_STATE_OK) {
        return refused(update, "the request for a token", answer->state, now);
    }
    if (mup_token_decode(&token, answer->value, answer->value_size) != MUP_OK) {
        return end(update, MUP_UPDATE_FAILED, now, "token-not-valid",
                   "the device's token of %zu bytes is not one", answer->value_size);
    }
    update->token = token;
    if (runs_ours(update, &token)) {
        return enter(update, MUP_UPDATE_TRIAL, now);
    }
    if (update->from_version == 0) {
        update->from_version = token.version;
    }
    uint32_t state = update->goal.force ? MUP_STATE_OK : mup_update_check(&update->goal, &token);
    if (state != MUP_STATE_OK) {
        char difference[128];

        tell_difference(difference, sizeof difference, state, &update->goal.manifest, &token);
        return end(update, MUP_UPDATE_FAILED, now, mup_state_name(state),
                   "nothing was sent: by its token the device would answer %u_%s%s",
                   (unsigned)state, mup_state_name(state), difference);
    }
    return enter(update, MUP_UPDATE_MANIFEST, now);
}

/* ---- manifest and transfer ---- */

/* Slices are wanted, or all of them are there. */
static unsigned go_on_with_transfer(struct mup_update *update, uint64_t now)
{
    unsigned actions = enter(update, MUP_UPDATE_TRANSFER, now);

    update->went_away = false;
    update->is_held = false;
    update->slice_at_ms = now;
    update->quiet_at_ms = now + update->limits.quiet_ms;
    update->stall_at_ms = now + update->limits.stall_ms;
    if (mup_sender_is_complete(&update->sender)) {
        return actions | enter(update, MUP_UPDATE_VERIFY, now);
    }
    return actions | MUP_DO_SEND_SLICES;
}

/* Begin or go on with the slices where the device's acknowledgement says. */
static unsigned open_transfer(struct mup_update *update, const struct mup_update_answer *answer,
                              uint64_t now)
{
    struct mup_ack ack;
    uint32_t slice_size = update->goal.slice_size < update->token.slice_size_max
                              ? update->goal.slice_size
                              : update->token.slice_size_max;

    if (mup_ack_decode(&ack, answer->value, answer->value_size) != MUP_OK ||
        mup_sender_start(&update->sender, update->goal.manifest.payload_size,
                         update->token.window_size, slice_size, &ack) != MUP_OK) {
        return end(update, MUP_UPDATE_FAILED, now, "answer-not-valid",
                   "the device accepted, but its acknowledgement of %zu bytes is not one",
                   answer->value_size);
    }
    note_headway(update);
    return go_on_with_transfer(update, now);
}

static unsigned take_manifest_answer(struct mup_update *update,
                                     const struct mup_update_answer *answer, uint64_t now)
{
    bool stale =
        answer->state == MUP_STATE_INVALID_NONCE || answer->state == MUP_STATE_WRONG_OLD_VERSION;
    bool boots = answer->state == MUP_STATE_SLOT_IN_USE || answer->state == MUP_STATE_IN_TRIAL;

    if (answer->state == MUP_STATE_OK) {
        return open_transfer(update, answer, now);
    }
    if (boots && (update->verify_sent || update->resumed)) {
        return enter(update, MUP_UPDATE_TRIAL, now);
    }
    /* It restarted, or took long to answer: the nonce went by. */
    if (stale && !update->goal.force) {
        char why[96];

        snprintf(why, sizeof why, "the device answered %u_%s to the extended manifest",
                 (unsigned)answer->state, mup_state_name(answer->state));
        return begin_again(update, MUP_UPDATE_TOKEN, mup_state_name(answer->state), why, now);
    }
    return refused(update, "the extended manifest", answer->state, now);
}

/* Nothing was heard of the device, it was looked for, and now it speaks of the transfer that it
 * had: no token is needed, nor the check of two signatures. */
static unsigned come_back(struct mup_update *update, const struct mup_ack *ack, size_t size,
                          uint64_t now)
{
    bool has_it = ack->state == MUP_STATE_OK || ack->state == MUP_STATE_BLOCK_INVALID;

    if (!update->went_away || !has_it || ack->transfer != update->sender.transfer) {
        return 0;
    }
    update->steps[MUP_UPDATE_TRANSFER].bytes_in += size;
    (void)mup_sender_take_ack(&update->sender, ack);
    note_headway(update);
    return go_on_with_transfer(update, now);
}

unsigned mup_update_on_ack(struct mup_update *update, const struct mup_ack *ack, size_t size,
                           uint64_t now)
{
    uint32_t before = update->sender.next_most;

    if (update->state == MUP_UPDATE_REQUESTED || update->state == MUP_UPDATE_TOKEN) {
        return come_back(update, ack, size, now);
    }
    if (update->state != MUP_UPDATE_TRANSFER || ack->transfer != update->sender.transfer) {
        return 0;
    }
    update->steps[MUP_UPDATE_TRANSFER].bytes_in += size;
    update->quiet_at_ms = now + update->limits.quiet_ms;
    enum mup_sender_event event = mup_sender_take_ack(&update->sender, ack);
    if (update->sender.next_most > before) {
        update->stall_at_ms = now + update->limits.stall_ms;
    }
    note_headway(update);
    switch (event) {
    case MUP_SENDER_IGNORED:
        return 0;
    case MUP_SENDER_MOVED:
        if (mup_sender_is_spent(&update->sender)) {
            return end(update, MUP_UPDATE_FAILED, now, "too-much-repeated",
                       "the device asked for %llu bytes of a payload of %u",
                       (unsigned long long)update->sender.bytes_sent,
                       (unsigned)update->sender.payload_size);
        }
        return mup_update_go_on(update);
    case MUP_SENDER_COMPLETE:
        return enter(update, MUP_UPDATE_VERIFY, now);
    case MUP_SENDER_FLASH:
        return end(update, MUP_UPDATE_FAILED, now, mup_state_name(MUP_STATE_FLASH_FAILURE),
                   "the device's flash failed after %u of %u payload bytes",
                   (unsigned)update->sender.next, (unsigned)update->sender.payload_size);
    case MUP_SENDER_GONE:
        return restart(update, "the device has no transfer any more", now);
    }
    return 0;
}

/* ---- slices ---- */

bool mup_update_next_slice(const struct mup_update *update, struct mup_slice_header *header,
                           uint64_t now)
{
    return update->state == MUP_UPDATE_TRANSFER && !update->is_held && now >= update->slice_at_ms &&
           mup_sender_next(&update->sender, header);
}

int mup_update_slice_qos(const struct mup_update *update)
{
    return update->token.flow == MUP_FLOW_QOS1 ? 1 : 0;
}

void mup_update_slice_sent(struct mup_update *update, const struct mup_slice_header *header,
                           size_t size, uint64_t now)
{
    mup_sender_sent(&update->sender, header);
    update->steps[MUP_UPDATE_TRANSFER].bytes_out += size;
    /* From the instant that was due, so that the rate is the device's and not our timer's; but what
     * was missed by more than a pause is not made up for. */
    update->slice_at_ms += update->token.pause_ms;
    if (update->slice_at_ms <= now) {
        update->slice_at_ms = now + update->token.pause_ms;
    }
}

void mup_update_hold_slices(struct mup_update *update)
{
    update->is_held = true;
}

unsigned mup_update_go_on(struct mup_update *update)
{
    update->is_held = false;
    return update->state == MUP_UPDATE_TRANSFER ? MUP_DO_SEND_SLICES : 0;
}

/* When the pause is over, if it is what the next slice waits for. */
static uint64_t slice_due_ms(const struct mup_update *update)
{
    struct mup_slice_header header;

    return mup_update_next_slice(update, &header, UINT64_MAX) && update->token.pause_ms != 0
               ? update->slice_at_ms
               : UINT64_MAX;
}

/* ---- verify and trial ---- */

static unsigned take_verify_answer(struct mup_update *update,
                                   const struct mup_update_answer *answer, uint64_t now)
{
    switch (answer->state) {
    case MUP_STATE_OK:
    case MUP_STATE_SLOT_IN_USE: /* asked twice: it boots already */
    case MUP_STATE_IN_TRIAL:
        return enter(update, MUP_UPDATE_TRIAL, now);
    case MUP_STATE_INCOMPLETE:
        if (update->incompletes == MUP_UPDATE_INCOMPLETES_MAX) {
            return refused(update, "verify", answer->state, now);
        }
        update->incompletes++;
        return answer->value_size > 0 ? open_transfer(update, answer, now)
                                      : restart(update, "the device lost what it had", now);
    case MUP_STATE_NO_MANIFEST: /* it restarted in between: its token will say what runs */
        return restart(update, "the device restarted before it could verify", now);
    default:
        return refused(update, "verify", answer->state, now);
    }
}

unsigned mup_update_on_report(struct mup_update *update, const struct mup_report *report,
                              size_t size, uint64_t now)
{
    bool may_end = update->verify_sent || update->resumed;

    if (mup_update_has_ended(update) || !may_end ||
        memcmp(report->uuid, update->goal.uuid, MUP_UUID_SIZE) != 0 ||
        memcmp(report->manifest, update->goal.manifest_digest, MUP_DIGEST_SIZE) != 0) {
        return 0;
    }
    update->steps[MUP_UPDATE_TRIAL].bytes_in += size;
    if (report->outcome == MUP_STATE_CONFIRMED) {
        return end(update, MUP_UPDATE_CONFIRMED, now, "", "version %u runs and is confirmed",
                   (unsigned)report->version);
    }
    return end(update, MUP_UPDATE_REVERTED, now, mup_revert_reason_name(report->reason),
               "version %u runs again after %u trial boots", (unsigned)report->version,
               (unsigned)report->trial_boots);
}

unsigned mup_update_on_answer(struct mup_update *update, const struct mup_update_answer *answer,
                              uint64_t now)
{
    if (!update->waiting) {
        return 0;
    }
    update->waiting = false;
    update->steps[update->state].bytes_out += answer->bytes_out;
    update->steps[update->state].bytes_in += answer->bytes_in;
    switch (update->state) {
    case MUP_UPDATE_TOKEN:
        return take_token(update, answer, now);
    case MUP_UPDATE_MANIFEST:
        return take_manifest_answer(update, answer, now);
    case MUP_UPDATE_VERIFY:
        return take_verify_answer(update, answer, now);
    case MUP_UPDATE_REQUESTED:
    case MUP_UPDATE_TRANSFER:
    case MUP_UPDATE_TRIAL:
    case MUP_UPDATE_CONFIRMED:
    case MUP_UPDATE_FAILED:
    case MUP_UPDATE_REVERTED:
        break;
    }
    return 0;
}

/* ---- failures and time ---- */

unsigned mup_update_on_failure(struct mup_update *update, bool again, const char *reason,
                               const char *message, uint64_t now)
{
    if (!update->waiting) {
        return 0;
    }
    update->waiting = false;
    if (!again && update->state != MUP_UPDATE_TRIAL) {
        return end(update, MUP_UPDATE_FAILED, now, reason, "%s", message);
    }
    snprintf(update->last_reason, sizeof update->last_reason, "%s", reason);
    snprintf(update->last_message, sizeof update->last_message, "%s", message);
    update->retry_at_ms = now + update->retry_ms;
    update->retry_ms = update->retry_ms < MUP_UPDATE_RETRY_LAST_MS / 2 ? update->retry_ms * 2
                                                                       : MUP_UPDATE_RETRY_LAST_MS;
    return 0;
}

unsigned mup_update_on_not_found(struct mup_update *update, const char *reason, const char *message,
                                 uint64_t now)
{
    bool is_looked_for = update->state == MUP_UPDATE_REQUESTED || update->state == MUP_UPDATE_TRIAL;

    return is_looked_for ? mup_update_on_failure(update, true, reason, message, now) : 0;
}

unsigned mup_update_on_back(struct mup_update *update, uint64_t now)
{
    uint64_t soon = now + update->limits.back_ms;
    /* Coming back must not be a way round the pauses. */
    uint64_t ask = update->agains > 1 ? update->again_at_ms + MUP_UPDATE_RETRY_FIRST_MS : now;

    ask = ask > now ? ask : now;
    if (update->state == MUP_UPDATE_TRANSFER && update->quiet_at_ms > soon) {
        update->quiet_at_ms = soon;
    } else if (update->retry_at_ms > ask) {
        update->retry_at_ms = ask; /* it was not there; now it is */
    }
    return 0;
}

static unsigned deadline_passed(struct mup_update *update, uint64_t now)
{
    const char *step = step_names[update->state].name;
    uint32_t seconds = time_for(update, update->state) / 1000;

    if (update->state == MUP_UPDATE_TRIAL) {
        return end(update, MUP_UPDATE_FAILED, now, "no-report",
                   "the device did not report within %u s after it was told to boot the image",
                   (unsigned)seconds);
    }
    if (update->last_reason[0] != '\0') {
        return end(update, MUP_UPDATE_FAILED, now, update->last_reason,
                   "step %s gave up after %u s: %.160s", step, (unsigned)seconds,
                   update->last_message);
    }
    return end(update, MUP_UPDATE_FAILED, now, "device-timeout", "step %s: no answer within %u s",
               step, (unsigned)seconds);
}

unsigned mup_update_on_time(struct mup_update *update, uint64_t now)
{
    if (mup_update_has_ended(update)) {
        return 0;
    }
    if (update->state == MUP_UPDATE_TRANSFER) {
        if (now >= update->stall_at_ms) {
            return end(update, MUP_UPDATE_FAILED, now, "no-progress",
                       "the device answers, but took no byte beyond %u of %u for %u s",
                       (unsigned)update->sender.next_most, (unsigned)update->sender.payload_size,
                       (unsigned)(update->limits.stall_ms / 1000));
        }
        if (now >= update->quiet_at_ms) {
            unsigned actions = restart(update, "no acknowledgement came", now);
            update->went_away = !mup_update_has_ended(update);
            return actions;
        }
        return now >= slice_due_ms(update) ? MUP_DO_SEND_SLICES : 0;
    }
    if (now >= update->deadline_ms) {
        return deadline_passed(update, now);
    }
    if (update->retry_at_ms != 0 && now >= update->retry_at_ms) {
        return command(update);
    }
    return 0;
}

uint64_t mup_update_wake_ms(const struct mup_update *update)
{
    uint64_t wake = update->deadline_ms;

    if (mup_update_has_ended(update)) {
        return UINT64_MAX;
    }
    if (update->state == MUP_UPDATE_TRANSFER) {
        wake = slice_due_ms(update);
        wake = wake < update->quiet_at_ms ? wake : update->quiet_at_ms;
        return wake < update->stall_at_ms ? wake : update->stall_at_ms;
    }
    if (update->retry_at_ms != 0 && update->retry_at_ms < wake) {
        wake = update->retry_at_ms;
    }
    return wake;
}
