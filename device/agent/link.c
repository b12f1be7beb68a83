/*
 * The connection: subscriptions one after the other, own messages of QoS 1 until their PUBACK, and
 * flush(), the only place that publishes. What finds no room stays due and is tried again at the
 * next turn, so nothing is lost silently.
 */
#include "agent_internal.h"

#include <string.h>

/* Outbound topic aliases: for what is sent most. */
#define ALIAS_ACK      1u
#define ALIAS_RESPONSE 2u

static const char *const built_in[] = {
    [TOPIC_FIRMWARE] = MUP_TOPIC_FIRMWARE, [TOPIC_BOOTSTRAP] = MUP_TOPIC_BOOTSTRAP,
    [TOPIC_TOKEN] = MUP_TOPIC_TOKEN,       [TOPIC_MANIFEST] = MUP_TOPIC_MANIFEST,
    [TOPIC_VERIFY] = MUP_TOPIC_VERIFY,
};

static const char *const out_topic[MUP_AGENT_OUTGOING_COUNT] = {
    [OUT_RESPONSE] = MUP_TOPIC_RESPONSE, [OUT_PRESENCE] = MUP_TOPIC_PRESENCE,
    [OUT_ANNOUNCE] = MUP_TOPIC_ANNOUNCE, [OUT_REPORT] = MUP_TOPIC_REPORT,
    [OUT_PIECE] = MUP_TOPIC_DESCRIPTION,
};

const char *mup_agent_prefix(const struct mup_agent *agent, uint32_t index)
{
    return index < TOPIC_APPLICATION ? built_in[index]
                                     : agent->config->topics[index - TOPIC_APPLICATION];
}

uint32_t mup_agent_topic_count(const struct mup_agent *agent)
{
    return TOPIC_APPLICATION + (uint32_t)agent->config->topic_count;
}

/* A prefix and our name, in `text`. */
void mup_agent_topic(const struct mup_agent *agent, struct mup_mqtt_bytes *topic,
                     char text[MUP_TOPIC_MAX], const char *prefix)
{
    uint32_t size = 0;

    while (size < AGENT_PREFIX_MAX && prefix[size] != '\0') {
        text[size] = prefix[size];
        size++;
    }
    memcpy(text + size, agent->name, agent->name_size);
    topic->at = text;
    topic->size = (uint16_t)(size + agent->name_size);
}

void mup_agent_due(struct mup_agent *agent, enum agent_out out)
{
    /* Also when it is only due: after a lost link it still has the id of the last connection. */
    if (agent->out_id[out] != 0)
        mup_mqtt_forget(agent->config->mqtt, agent->out_id[out]);
    agent->out_id[out] = 0;
    agent->out_state[out] = OUT_DUE;
}

/* ---- Subscriptions ----------------------------------------------------------------------- */

/* One after the other: false while the broker owes the answer to the last one. */
static bool subscribe(struct mup_agent *agent, uint32_t index, uint8_t qos, bool on)
{
    char text[MUP_TOPIC_MAX];
    struct mup_mqtt_filter filter = {.qos = qos};
    struct mup_mqtt *mqtt = agent->config->mqtt;

    if (agent->awaiting)
        return false;
    mup_agent_topic(agent, &filter.topic, text, mup_agent_prefix(agent, index));
    agent->awaiting = (on ? mup_mqtt_subscribe(mqtt, &filter, 1)
                          : mup_mqtt_unsubscribe(mqtt, &filter, 1)) == MUP_OK;
    agent->subscribe_ms = agent->now_ms;
    return agent->awaiting;
}

static void flush_subscriptions(struct mup_agent *agent)
{
    if (agent->subscribed < mup_agent_topic_count(agent))
        (void)subscribe(agent, agent->subscribed, 1, true);
}

/* The firmware topic follows the phase (paper 4.2). True when nothing is left to be queued. */
static bool flush_firmware(struct mup_agent *agent)
{
    bool wanted = agent->phase == MUP_AGENT_RECEIVING;

    if (wanted == agent->firmware)
        return true;
    if (!subscribe(agent, TOPIC_FIRMWARE, agent->config->flow == MUP_FLOW_QOS1, wanted))
        return false;
    agent->firmware = wanted;
    return true;
}

/* Without the answer nothing goes on, and a broker that answers pings would never be left. */
void mup_agent_link_tick(struct mup_agent *agent)
{
    if (!agent->awaiting || !mup_agent_elapsed(agent, agent->subscribe_ms, MUP_AGENT_SUBSCRIBE_MS))
        return;
    mup_agent_notify(agent, MUP_AGENT_CLOSED, MUP_MQTT_CAUSE_SILENT, 0);
    agent->actions |= MUP_AGENT_CLOSE;
}

void mup_agent_link_wait(const struct mup_agent *agent, struct agent_wait *wait)
{
    if (agent->awaiting)
        mup_agent_sooner(wait, agent->subscribe_ms, MUP_AGENT_SUBSCRIBE_MS);
    if (agent->link == LINK_UP && !agent->bootstrap.replied)
        mup_agent_sooner(wait, agent->bootstrap.said_ms, MUP_BOOTSTRAP_AGAIN_MS);
}

/* The bridge answers with what it wants of us: its reply, and requests that have no answer. */
void mup_agent_present(struct mup_agent *agent)
{
    mup_agent_due(agent, OUT_PRESENCE);
    mup_agent_due(agent, OUT_ANNOUNCE);
    if (agent->phase == MUP_AGENT_RECEIVING || agent->phase == MUP_AGENT_COMPLETE)
        agent->ack_due = true;
}

static void all_subscribed(struct mup_agent *agent, bool kept)
{
    agent->link = LINK_UP;
    agent->may_resume = !agent->refused; /* what was refused is asked for again */
    mup_agent_present(agent);
    mup_agent_report_if_owed(agent);
    mup_agent_transfer_resumed(agent, kept);
}

void mup_agent_on_subscribed(struct mup_agent *agent, const struct mup_mqtt_event *event)
{
    bool refused = event->reason >= MUP_MQTT_REASON_UNSPECIFIED;

    agent->awaiting = false;
    if (agent->link != LINK_SUBSCRIBING)
        return; /* The slices'. Refused counts as granted: asking again at once would not help, no
                 * slice comes, and the transfer is given up. */
    if (refused && agent->subscribed < TOPIC_APPLICATION) {
        /* A device that cannot be reached is of no use: again, but rarely. */
        mup_agent_notify(agent, MUP_AGENT_CLOSED, MUP_MQTT_CAUSE_REFUSED, event->reason);
        mup_backoff_saturate(&agent->backoff);
        agent->actions |= MUP_AGENT_CLOSE;
        return;
    }
    agent->refused = agent->refused || refused;
    agent->subscribed++;
    if (agent->subscribed >= mup_agent_topic_count(agent))
        all_subscribed(agent, false);
}

/* ---- Connection -------------------------------------------------------------------------- */

void mup_agent_on_connected(struct mup_agent *agent, const struct mup_mqtt_event *event)
{
    const struct mup_mqtt_connected *connected = &event->connected;
    struct mup_mqtt *mqtt = agent->config->mqtt;

    mup_agent_notify(agent, MUP_AGENT_CONNECTED, 0, connected->session_present);
    mup_bootstrap_said(&agent->bootstrap, agent->now_ms);
    agent->link = LINK_SUBSCRIBING;
    agent->subscribed = TOPIC_BOOTSTRAP;
    agent->refused = false;
    /* The broker may know a subscription to slices that we have forgotten: end it if not wanted. */
    agent->firmware = connected->session_present && agent->phase != MUP_AGENT_RECEIVING;
    for (size_t i = 0; i < MUP_AGENT_OUTGOING_COUNT; i++) {
        if (i == OUT_PIECE && agent->out_state[i] != OUT_NONE) {
            /* The bridge asks again if it still wants the description. */
            mup_mqtt_forget(mqtt, agent->out_id[i]);
            agent->out_state[i] = OUT_NONE;
        }
        if (!connected->session_present || agent->out_state[i] == OUT_NONE)
            agent->out_id[i] = 0;
    }
    if (connected->session_present && agent->may_resume) {
        agent->subscribed = (uint8_t)mup_agent_topic_count(agent);
        all_subscribed(agent, true);
    }
}

void mup_agent_link_lost(struct mup_agent *agent)
{
    agent->link = LINK_DOWN;
    agent->awaiting = false;
    mup_bootstrap_link_lost(&agent->bootstrap);
    agent->announced = false;
    agent->release_due = false;
    agent->held_id = 0;
    agent->receiving = RECEIVING_NOTHING;
    for (size_t i = 0; i < MUP_AGENT_OUTGOING_COUNT; i++)
        if (agent->out_state[i] == OUT_SENT)
            agent->out_state[i] = OUT_DUE;
}

/* ---- Own messages ------------------------------------------------------------------------ */

/* The scratch holds the largest of what is not encoded elsewhere. */
#define SCRATCH_SIZE MUP_BOOTSTRAP_MESSAGE_MAX
_Static_assert(SCRATCH_SIZE >= MUP_ANNOUNCEMENT_MAX && SCRATCH_SIZE >= MUP_REPORT_MAX,
               "one scratch for all");

static uint8_t alias(const struct mup_agent *agent, uint8_t number)
{
    return agent->config->no_alias ? 0 : number;
}

static void encode(struct mup_agent *agent, enum agent_out out, struct mup_mqtt_publish *message,
                   uint8_t scratch[SCRATCH_SIZE])
{
    size_t size = 0;

    message->payload = scratch;
    switch (out) {
    case OUT_RESPONSE:
        message->payload = agent->config->request;
        size = agent->response_size;
        message->correlation.at = agent->correlations[1].bytes;
        message->correlation.size = agent->correlations[1].size;
        message->alias = alias(agent, ALIAS_RESPONSE);
        break;
    case OUT_PRESENCE:
        mup_presence_encode(scratch, true);
        size = MUP_PRESENCE_SIZE;
        message->retain = true;
        break;
    case OUT_ANNOUNCE:
        size = mup_agent_encode_announcement(agent, scratch, SCRATCH_SIZE);
        break;
    case OUT_REPORT:
        size = mup_agent_encode_report(agent, scratch, SCRATCH_SIZE);
        break;
    case OUT_PIECE:
        size = mup_bootstrap_encode_piece(&agent->bootstrap, scratch, SCRATCH_SIZE,
                                          agent->config->description);
        break;
    }
    message->payload_size = (uint32_t)size;
}

static void done(struct mup_agent *agent, enum agent_out out, bool taken)
{
    agent->out_state[out] = OUT_NONE;
    agent->out_id[out] = 0;
    switch (out) {
    case OUT_RESPONSE:
        mup_agent_response_sent(agent);
        break;
    case OUT_ANNOUNCE:
        mup_bootstrap_said(&agent->bootstrap, agent->now_ms);
        agent->announced = taken;
        if (taken) {
            mup_backoff_reset(&agent->backoff);
            mup_agent_notify(agent, MUP_AGENT_ANNOUNCED, 0, 0);
        }
        break;
    case OUT_REPORT:
        if (taken)
            mup_agent_report_sent(agent);
        break;
    case OUT_PIECE:
        if (taken)
            mup_agent_piece_sent(agent);
        break;
    case OUT_PRESENCE:
        break;
    }
}

/* True when the message is with the client, or given up because the broker can never take it. */
static bool publish(struct mup_agent *agent, enum agent_out out)
{
    struct mup_mqtt_publish message = {.qos = 1, .packet_id = agent->out_id[out]};
    char topic[MUP_TOPIC_MAX];
    uint8_t scratch[SCRATCH_SIZE];
    uint16_t packet_id = 0;
    enum mup_status status;

    mup_agent_topic(agent, &message.topic, topic, out_topic[out]);
    encode(agent, out, &message, scratch);
    status = mup_mqtt_publish(agent->config->mqtt, &packet_id, &message);
    if (status == MUP_ERR_STATE && message.packet_id != 0) {
        message.packet_id = 0; /* the client has forgotten the id: as a new message */
        status = mup_mqtt_publish(agent->config->mqtt, &packet_id, &message);
    }
    if (out == OUT_RESPONSE && (status == MUP_ERR_RANGE || status == MUP_ERR_SPACE)) {
        /* Longer than the client's buffer or the broker's limit: who asked must hear of it. */
        mup_agent_answer_error(agent);
        message.packet_id = 0;
        message.payload_size = agent->response_size;
        status = mup_mqtt_publish(agent->config->mqtt, &packet_id, &message);
    }
    if (status == MUP_OK) {
        agent->out_id[out] = packet_id;
        agent->out_state[out] = OUT_SENT;
        return true;
    }
    if (status != MUP_ERR_RANGE && status != MUP_ERR_SPACE)
        return false;
    done(agent, out, false);
    return true;
}

/* The PUBACK of a request whose answer is with the broker. */
static bool flush_release(struct mup_agent *agent)
{
    if (!agent->release_due)
        return true;
    if (mup_mqtt_ack(agent->config->mqtt, agent->held_id, MUP_MQTT_REASON_SUCCESS) == MUP_ERR_BUSY)
        return false;
    agent->release_due = false;
    agent->held_id = 0;
    return true;
}

/* Acknowledgements are of QoS 0 and short: they go before everything else. */
static bool flush_acks(struct mup_agent *agent)
{
    uint8_t bytes[MUP_ACK_MAX];
    char topic[MUP_TOPIC_MAX];
    struct mup_mqtt_publish message = {.payload = bytes, .alias = alias(agent, ALIAS_ACK)};

    while (agent->ack_due || agent->noop_due) {
        bool is_ack = agent->ack_due;

        mup_agent_topic(agent, &message.topic, topic, MUP_TOPIC_ACK);
        message.payload_size = (uint32_t)(is_ack ? mup_agent_encode_ack(agent, bytes)
                                                 : mup_agent_encode_noop(agent, bytes));
        if (mup_mqtt_publish(agent->config->mqtt, NULL, &message) != MUP_OK)
            return false;
        if (is_ack)
            mup_agent_ack_sent(agent);
        else
            agent->noop_due = false;
    }
    return true;
}

void mup_agent_flush(struct mup_agent *agent)
{
    if (agent->link == LINK_SUBSCRIBING)
        flush_subscriptions(agent);
    if (agent->link != LINK_UP)
        return;
    if (agent->out_state[OUT_ANNOUNCE] == OUT_NONE && agent->out_state[OUT_PIECE] == OUT_NONE &&
        mup_bootstrap_wait_ms(&agent->bootstrap, agent->now_ms) == 0)
        mup_agent_due(agent, OUT_ANNOUNCE);
    /* The subscription leaves before the answer that invites the slices. */
    if (!flush_release(agent) || !flush_firmware(agent) || !flush_acks(agent))
        return;
    for (size_t i = 0; i < MUP_AGENT_OUTGOING_COUNT; i++)
        if (agent->out_state[i] == OUT_DUE && !publish(agent, (enum agent_out)i))
            return;
}

void mup_agent_on_published(struct mup_agent *agent, const struct mup_mqtt_event *event)
{
    for (size_t i = 0; i < MUP_AGENT_OUTGOING_COUNT; i++)
        if (agent->out_state[i] == OUT_SENT && agent->out_id[i] == event->packet_id) {
            done(agent, (enum agent_out)i, event->reason < MUP_MQTT_REASON_UNSPECIFIED);
            return;
        }
}
