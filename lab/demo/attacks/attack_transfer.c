/* What can go wrong while the payload crosses: forged slices, and a power cut. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "attack_internal.h"

#include "mup/state.h"

#define GARBAGE_SIZE   128u /* bytes of data in a forged slice: what the device takes at most */
#define GARBAGE_SLICES 12u  /* at once: more than a block of 1,024 bytes and its hash */
#define FORGERIES_MAX  600u /* slices, until the attacker gives up */
#define UPDATES_MAX    10u  /* genuine ones, until one is slow enough to be met in its middle */
#define ACK_TIMEOUT_MS 60000

/* ---- forged-slice -------------------------------------------------------------------------- */

struct forgery {
    struct mup_ack ack;  /* the device's latest word */
    unsigned slices;     /* forged so far */
    bool was_dropped;    /* a block of them was */
    uint32_t dropped_at; /* where the device wants to go on after that */
};

/* A block and more of garbage, from where the device wants to go on. */
static bool forge_slices(struct mup_attack_scene *scene, struct forgery *forgery)
{
    uint8_t bytes[MUP_SLICE_HEADER_MAX + GARBAGE_SIZE];
    const char *topic = mup_attack_topic(&scene->victim, MUP_TOPIC_FIRMWARE);
    bool good = true;

    for (unsigned i = 0; i < GARBAGE_SLICES && good; i++) {
        struct mup_slice_header header = {.transfer = forgery->ack.transfer,
                                          .attempt = forgery->ack.attempt,
                                          .offset = forgery->ack.next + i * GARBAGE_SIZE,
                                          .size = GARBAGE_SIZE};
        size_t header_size = mup_slice_header_encode(bytes, &header);

        memset(bytes + header_size, 0xee, GARBAGE_SIZE);
        good =
            mup_tap_publish(scene->tap, topic, bytes, header_size + GARBAGE_SIZE, 0, NULL, NULL, 0);
        forgery->slices++;
    }
    return good;
}

/* The device's next acknowledgement of this transfer; false when it says no more. */
static bool await_ack(struct mup_attack_scene *scene, size_t *mark, struct forgery *forgery)
{
    const char *topic = mup_attack_topic(&scene->victim, MUP_TOPIC_ACK);
    struct mup_tap_message message;
    struct mup_ack ack;

    while (mup_tap_wait(scene->tap, mark, topic, NULL, 0, ACK_TIMEOUT_MS, &message))
        if (mup_ack_decode(&ack, message.payload, message.size) == MUP_OK &&
            ack.transfer == forgery->ack.transfer) {
            forgery->ack = ack;
            return true;
        }
    return false;
}

/*
 * Forge until the device says that it has dropped a block. A broker can hold back what it likes;
 * here the update server is held instead, which comes to the same. What was under way still
 * arrives; then the device repeats its acknowledgement, and forged slices are the first to come.
 */
static bool forge_until_dropped(struct mup_attack_scene *scene, struct forgery *forgery)
{
    size_t mark = mup_tap_mark(scene->tap);
    bool good = kill(scene->server->pid, SIGSTOP) == 0;

    while (good && !forgery->was_dropped && forgery->slices < FORGERIES_MAX) {
        if (!await_ack(scene, &mark, forgery))
            break;
        if (forgery->ack.state == MUP_STATE_BLOCK_INVALID) {
            forgery->was_dropped = true;
            forgery->dropped_at = forgery->ack.next;
        } else {
            good = forge_slices(scene, forgery);
        }
    }
    return kill(scene->server->pid, SIGCONT) == 0 && good;
}

/* Forge within one genuine update; false when the scene does not work. */
static bool forge_in_update(struct mup_attack_scene *scene, struct forgery *forgery,
                            bool *confirmed)
{
    uint32_t version = mup_attack_release(scene, MUP_ATTACK_LONG_IMAGE, "ok");
    json_int_t id = version == 0 ? 0 : mup_attack_begin_update(scene, &scene->victim, version);

    if (id == 0 || !mup_attack_await_transfer(scene, &scene->victim, &forgery->ack) ||
        !forge_until_dropped(scene, forgery))
        return false;
    *confirmed = mup_attack_end_update(scene, id, "confirmed");
    return true;
}

bool mup_attack_forged_slice(struct mup_attack_scene *scene, struct mup_attack_result *result)
{
    struct forgery forgery = {.slices = 0};
    char what[MUP_ATTACK_TEXT_SIZE];
    bool confirmed = true;

    mup_attack_tell(scene, "A genuine update begins. The attacker reads transfer, attempt and\n"
                           "offset from the device's answers, holds the genuine slices back for a\n"
                           "moment and sends garbage in their place.");
    /* On a busy machine a transfer may be over before the attacker has read of its beginning; then
     * not one garbled byte was taken, and he waits for the next update. */
    for (unsigned i = 0; i < UPDATES_MAX && !forgery.was_dropped && confirmed; i++) {
        forgery.slices = 0;
        if (!forge_in_update(scene, &forgery, &confirmed))
            return false;
    }
    snprintf(what, sizeof what, "%u forged slices within a genuine transfer", forgery.slices);
    mup_attack_note(scene, result,
                    forgery.was_dropped ? MUP_STATE_BLOCK_INVALID : forgery.ack.state,
                    forgery.was_dropped && confirmed, what);
    snprintf(result->detail, sizeof result->detail, "%u forged slices: %s, the update was %s",
             forgery.slices, forgery.was_dropped ? "a block dropped" : "no block dropped",
             confirmed ? "confirmed" : "not confirmed");
    if (forgery.was_dropped)
        mup_attack_tell(scene, "  The device dropped the block and asked again from byte %u on.",
                        (unsigned)forgery.dropped_at);
    mup_attack_tell(scene, "The update was %s.",
                    confirmed ? "confirmed all the same" : "not confirmed");
    return true;
}

/* ---- power-cut ----------------------------------------------------------------------------- */

/* Cut the power once more than half of the payload has come. */
static bool cut_past_half(struct mup_attack_scene *scene, uint32_t *at)
{
    struct mup_tap_message message;
    struct mup_ack ack = {.next = 0};

    while (ack.next <= scene->payload_size / 2)
        if (!mup_attack_await(scene, &scene->victim, MUP_TOPIC_ACK, &message) ||
            mup_ack_decode(&ack, message.payload, message.size) != MUP_OK)
            return false;
    mup_process_kill(scene->victim.process);
    *at = ack.next;
    mup_attack_tell(scene, "The power is cut (kill -9) after %u of %u bytes, and comes back.",
                    (unsigned)*at, (unsigned)scene->payload_size);
    return *at < scene->payload_size;
}

/* Start it again; where does the transfer go on, and what becomes of it? */
static bool start_again(struct mup_attack_scene *scene, uint32_t *kept, uint32_t *state)
{
    struct mup_report report;
    struct mup_ack ack;

    if (!mup_attack_switch_on(scene, &scene->victim) ||
        !mup_attack_await_transfer(scene, &scene->victim, &ack))
        return false;
    *kept = ack.next;
    mup_attack_tell(scene, "The transfer goes on at byte %u.", (unsigned)*kept);
    if (!mup_attack_await_report(scene, &scene->victim, &report))
        return false;
    *state = report.outcome;
    return true;
}

bool mup_attack_power_cut(struct mup_attack_scene *scene, struct mup_attack_result *result)
{
    char what[MUP_ATTACK_TEXT_SIZE];
    uint32_t version = mup_attack_release(scene, MUP_ATTACK_LONG_IMAGE, "ok");
    json_int_t id = version == 0 ? 0 : mup_attack_begin_update(scene, &scene->victim, version);
    uint32_t size = scene->payload_size;
    uint32_t at;
    uint32_t kept;
    uint32_t state;
    bool confirmed;

    mup_attack_tell(scene, "A genuine update begins.");
    if (id == 0 || !cut_past_half(scene, &at) || !start_again(scene, &kept, &state))
        return false;
    confirmed = mup_attack_end_update(scene, id, "confirmed") && state == MUP_STATE_CONFIRMED;
    snprintf(what, sizeof what, "kill -9 after %u of %u bytes", (unsigned)at, (unsigned)size);
    mup_attack_note(scene, result, state, confirmed && kept > 0, what);
    snprintf(result->where, sizeof result->where, "went on at byte %u", (unsigned)kept);
    snprintf(result->detail, sizeof result->detail, "cut after %u of %u bytes, went on at %u, %s",
             (unsigned)at, (unsigned)size, (unsigned)kept,
             confirmed ? "confirmed" : "not confirmed");
    return true;
}
