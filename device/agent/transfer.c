/*
 * The transfer (docs/SPEC.md sections 15 and 16): slices go from the network into the pipeline
 * without being gathered, acknowledgements grant credit and are repeated by a timer.
 */
#include "agent_internal.h"

#include <string.h>

#define NOOP_PAUSE_MS      1000u
#define FAILED_REPEATS_MAX 5u
#define UNCHANGED_REPEATS  2u /* of an acknowledgement, before the sender is asked to go back */

/* About an hour of the longest pause. Whoever has not asked to verify by then will not miss the
 * radio time of a device that runs on a battery; a new connection says it again. */
#define COMPLETE_REPEATS_MAX (MUP_AGENT_GIVE_UP_MS / MUP_AGENT_ACK_MAX_MS)
_Static_assert(COMPLETE_REPEATS_MAX < UINT8_MAX, "ack_repeats counts so far");

/* ---- Acknowledgements -------------------------------------------------------------------- */

size_t mup_agent_encode_ack(const struct mup_agent *agent, uint8_t bytes[MUP_ACK_MAX])
{
    uint32_t next = mup_pipeline_next(&agent->pipeline);
    uint32_t left = mup_agent_payload_size(agent);
    struct mup_ack ack = {.transfer = agent->transfer,
                          .attempt = agent->attempt,
                          .next = next,
                          .limit = next,
                          .state = agent->ack_state};
    size_t size = 0;

    left = left > next ? left - next : 0;
    ack.limit += left < agent->config->window_size ? left : agent->config->window_size;
    return written(mup_ack_encode(bytes, &size, &ack), &size);
}

size_t mup_agent_encode_noop(const struct mup_agent *agent, uint8_t bytes[MUP_ACK_MAX])
{
    struct mup_ack ack = {.transfer = agent->noop_transfer, .state = MUP_STATE_NOOP};
    size_t size = 0;

    return written(mup_ack_encode(bytes, &size, &ack), &size);
}

void mup_agent_ack_sent(struct mup_agent *agent)
{
    agent->ack_due = false;
    agent->ack_ms = agent->now_ms;
    agent->acked_ms = agent->now_ms;
    agent->acked_next = mup_pipeline_next(&agent->pipeline);
    mup_agent_notify(agent, MUP_AGENT_PROGRESS, agent->ack_state, agent->acked_next);
}

/* Something came: the next repetition is the first again. */
static void came(struct mup_agent *agent)
{
    agent->ack_ms = agent->now_ms;
    agent->ack_wait_ms = (uint32_t)agent->patience_ms + agent->config->pause_ms;
    agent->ack_repeats = 0;
}

static uint32_t longer(uint32_t wait_ms)
{
    return wait_ms < MUP_AGENT_ACK_MAX_MS / 2 ? 2 * wait_ms : MUP_AGENT_ACK_MAX_MS;
}

static void new_attempt(struct mup_agent *agent, uint32_t state)
{
    agent->attempt++;
    agent->ack_state = (uint8_t)state;
    agent->ack_due = true;
}

/* ---- The transfer as a whole ------------------------------------------------------------- */

/* Another id than before, so that late slices of an older transfer are not taken for ours. */
static bool choose_id(struct mup_agent *agent)
{
    const struct mup_port_random *random = agent->config->random;
    uint16_t id = 0;

    if (random->fill(random->context, (uint8_t *)&id, sizeof id) != 0)
        return false;
    agent->transfer = id == agent->transfer ? (uint16_t)(id + 1) : id;
    return true;
}

uint32_t mup_agent_open_transfer(struct mup_agent *agent, const struct mup_manifest *manifest,
                                 const uint8_t manifest_digest[MUP_DIGEST_SIZE])
{
    if (!choose_id(agent))
        return MUP_STATE_ERROR;
    if (mup_pipeline_begin(&agent->pipeline, manifest, manifest_digest) != MUP_OK)
        return MUP_STATE_FLASH_FAILURE;
    mup_agent_enter(agent, mup_pipeline_is_complete(&agent->pipeline) ? MUP_AGENT_COMPLETE
                                                                      : MUP_AGENT_RECEIVING);
    agent->attempt = 0;
    agent->ack_state = MUP_STATE_OK;
    agent->ack_due = false; /* the first one is the value of the response */
    agent->acked_next = mup_pipeline_next(&agent->pipeline);
    agent->acked_ms = agent->now_ms;
    agent->slice = SLICE_SKIP;
    agent->patience_ms = MUP_AGENT_ACK_FIRST_MS;
    came(agent);
    return MUP_STATE_OK;
}

/* The connection is new: what was under way is lost, so the sender must go back. But slices of
 * QoS 1 wait in the session that the broker has kept, and are not to be sent twice: what was asked
 * for on the dead link, where nobody heard it, is taken back. */
void mup_agent_transfer_resumed(struct mup_agent *agent, bool kept)
{
    if (agent->phase == MUP_AGENT_RECEIVING) {
        if (!kept || agent->config->flow != MUP_FLOW_QOS1)
            new_attempt(agent, MUP_STATE_OK);
        else if (agent->ack_repeats > UNCHANGED_REPEATS)
            agent->attempt = (uint16_t)(agent->attempt + UNCHANGED_REPEATS - agent->ack_repeats);
    }
    came(agent);
    mup_agent_slice_end(agent); /* perhaps the link was lost just before that of the last one */
}

static bool is_acknowledging(const struct mup_agent *agent)
{
    static const uint8_t repeats_max[] = {
        [MUP_AGENT_RECEIVING] = UINT8_MAX,
        [MUP_AGENT_COMPLETE] = COMPLETE_REPEATS_MAX,
        [MUP_AGENT_FAILED] = FAILED_REPEATS_MAX,
        [MUP_AGENT_RESTARTING] = 0,
    };

    return agent->link == LINK_UP && agent->ack_repeats < repeats_max[agent->phase];
}

void mup_agent_transfer_tick(struct mup_agent *agent)
{
    if (agent->phase == MUP_AGENT_RECEIVING &&
        mup_agent_elapsed(agent, agent->phase_ms, MUP_AGENT_GIVE_UP_MS)) {
        mup_agent_enter(agent, MUP_AGENT_IDLE);
        return;
    }
    if (!is_acknowledging(agent) || agent->ack_due ||
        !mup_agent_elapsed(agent, agent->ack_ms, agent->ack_wait_ms))
        return;
    agent->ack_due = true;
    agent->ack_wait_ms = longer(agent->ack_wait_ms);
    /* Unchanged at first: perhaps only the acknowledgement was lost, and TCP on a bad radio may
     * need seconds to repeat what we wait for. It would then come twice. */
    if (agent->ack_repeats >= UNCHANGED_REPEATS && agent->phase == MUP_AGENT_RECEIVING)
        agent->attempt++;
    if (agent->ack_repeats < UINT8_MAX - 1) /* one that never ends does not count so far */
        agent->ack_repeats++;
}

void mup_agent_transfer_wait(const struct mup_agent *agent, struct agent_wait *wait)
{
    if (is_acknowledging(agent))
        mup_agent_sooner(wait, agent->ack_ms, agent->ack_wait_ms);
}

/* ---- Slices ------------------------------------------------------------------------------ */

void mup_agent_slice_begin(struct mup_agent *agent, uint32_t message_size)
{
    agent->slice = SLICE_HEADER;
    agent->header_size = 0;
    agent->message_size = message_size;
}

/* A sender that speaks of a transfer which is not ours is told so, once a second at most. */
static void unknown_transfer(struct mup_agent *agent, uint32_t transfer)
{
    if (!mup_agent_elapsed(agent, agent->noop_ms, NOOP_PAUSE_MS))
        return;
    agent->noop_ms = agent->now_ms;
    agent->noop_transfer = (uint16_t)transfer;
    agent->noop_due = true;
}

/* A complete header: is it what we want next? */
static void judge(struct mup_agent *agent, const struct mup_slice_header *slice, size_t header_size)
{
    uint32_t next = mup_pipeline_next(&agent->pipeline);

    agent->slice = SLICE_SKIP;
    if (header_size + slice->size != agent->message_size ||
        slice->size > agent->config->slice_size_max)
        return;
    if (slice->transfer != agent->transfer || agent->phase == MUP_AGENT_IDLE ||
        agent->phase == MUP_AGENT_TRIAL) {
        unknown_transfer(agent, slice->transfer);
        return;
    }
    if (agent->phase != MUP_AGENT_RECEIVING)
        return;
    if (slice->offset > next) {
        /* A gap. The rest of the window has the same attempt and so no second rewind. */
        if (slice->attempt == agent->attempt)
            new_attempt(agent, MUP_STATE_OK);
    } else if (next - slice->offset < slice->size &&
               slice->size <= agent->pipeline.payload_size - slice->offset) {
        /* It was only late, and is now on its way once more: wait longer from now on, or on a slow
         * link nothing but repetitions would be under way in the end. */
        if (agent->ack_repeats > UNCHANGED_REPEATS && slice->attempt != agent->attempt)
            agent->patience_ms = (uint16_t)longer(agent->patience_ms);
        /* Perhaps one that a lost connection has cut, repeated by the broker. */
        agent->message_size = next - slice->offset;
        agent->slice = SLICE_DATA;
    }
}

static void fed(struct mup_agent *agent, enum mup_status status)
{
    came(agent);
    if (status == MUP_OK) {
        agent->ack_state = MUP_STATE_OK;
        agent->phase_ms = agent->now_ms;
        return;
    }
    agent->slice = SLICE_SKIP;
    if (status == MUP_ERR_DIGEST) {
        new_attempt(agent, MUP_STATE_BLOCK_INVALID);
        return;
    }
    mup_agent_enter(agent, MUP_AGENT_FAILED);
    agent->ack_state = MUP_STATE_FLASH_FAILURE;
    agent->ack_due = true;
}

void mup_agent_slice_bytes(struct mup_agent *agent, const uint8_t *bytes, size_t size)
{
    agent->ack_ms = agent->now_ms; /* of no use or not: as long as something comes, wait */
    while (agent->slice == SLICE_HEADER && size > 0) {
        struct mup_slice_header slice;
        size_t header_size;
        enum mup_status status;

        agent->header[agent->header_size++] = *bytes++;
        size--;
        status = mup_slice_header_decode(&slice, &header_size, agent->header, agent->header_size);
        if (status == MUP_OK)
            judge(agent, &slice, header_size);
        else if (status != MUP_ERR_SHORT || agent->header_size == MUP_SLICE_HEADER_MAX)
            agent->slice = SLICE_SKIP;
    }
    if (agent->slice == SLICE_DATA) {
        uint32_t known = agent->message_size < size ? agent->message_size : (uint32_t)size;

        agent->message_size -= known;
        if (size > known)
            fed(agent, mup_pipeline_feed(&agent->pipeline, bytes + known, size - known));
    }
}

void mup_agent_slice_end(struct mup_agent *agent)
{
    uint32_t next = mup_pipeline_next(&agent->pipeline);

    if (agent->phase != MUP_AGENT_RECEIVING)
        return;
    if (mup_pipeline_is_complete(&agent->pipeline)) {
        mup_agent_enter(agent, MUP_AGENT_COMPLETE);
        agent->ack_due = true;
    } else if (next - agent->acked_next >= agent->config->window_size / 2 ||
               mup_agent_elapsed(agent, agent->acked_ms, MUP_AGENT_ACK_MAX_MS)) {
        agent->ack_due = true;
    }
}
