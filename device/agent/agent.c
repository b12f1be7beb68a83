/*
 * The agent's life: begin, events and time in, actions out. The duties stand in the other files;
 * the phases of an update change only here, by one table.
 */
#include "agent_internal.h"

#include <string.h>

#define BIT(phase) (uint8_t)(1u << (phase))

/* Phase by phase, which may follow. Nothing follows RESTARTING but the reset. */
static const uint8_t allowed[] = {
    [MUP_AGENT_IDLE] =
        BIT(MUP_AGENT_RECEIVING) | BIT(MUP_AGENT_COMPLETE) | BIT(MUP_AGENT_RESTARTING),
    [MUP_AGENT_TRIAL] = BIT(MUP_AGENT_IDLE) | BIT(MUP_AGENT_RESTARTING),
    [MUP_AGENT_RECEIVING] = BIT(MUP_AGENT_RECEIVING) | BIT(MUP_AGENT_COMPLETE) |
                            BIT(MUP_AGENT_FAILED) | BIT(MUP_AGENT_IDLE),
    [MUP_AGENT_COMPLETE] = BIT(MUP_AGENT_RECEIVING) | BIT(MUP_AGENT_COMPLETE) |
                           BIT(MUP_AGENT_FAILED) | BIT(MUP_AGENT_IDLE) | BIT(MUP_AGENT_RESTARTING),
    [MUP_AGENT_FAILED] = BIT(MUP_AGENT_RECEIVING) | BIT(MUP_AGENT_COMPLETE) | BIT(MUP_AGENT_FAILED),
    [MUP_AGENT_RESTARTING] = 0,
};

void mup_agent_enter(struct mup_agent *agent, enum mup_agent_phase phase)
{
    if ((allowed[agent->phase] & BIT(phase)) == 0)
        __builtin_trap(); /* a bug of ours, never the peer's doing */
    agent->phase = (uint8_t)phase;
    agent->phase_ms = agent->now_ms;
}

void mup_agent_notify(const struct mup_agent *agent, enum mup_agent_notice notice, uint32_t state,
                      uint32_t value)
{
    if (agent->config->notice != NULL)
        agent->config->notice(agent->config->context, notice, state, value);
}

uint32_t mup_agent_version(const struct mup_agent *agent)
{
    return mup_boot_running(agent->config->boot)->version;
}

bool mup_agent_elapsed(const struct mup_agent *agent, uint32_t since_ms, uint32_t wait_ms)
{
    return agent->now_ms - since_ms >= wait_ms;
}

static bool text_fits(const char *text, size_t most)
{
    size_t size = 0;

    if (text == NULL)
        return false;
    while (size <= most && text[size] != '\0')
        size++;
    return size > 0 && size <= most;
}

/* What no token says. The limits of the rest are those of the token, which is tried at init. */
static bool config_is_valid(const struct mup_agent_config *config)
{
    if (config->app_id == NULL || config->hardware_class == NULL || config->description_size < 1 ||
        config->description_size > MUP_DESCRIPTION_MAX ||
        config->topic_count > MUP_AGENT_TOPICS_MAX || config->slice_size_max > config->window_size)
        return false;
    for (size_t i = 0; i < config->topic_count; i++)
        if (!text_fits(config->topics[i], AGENT_PREFIX_MAX))
            return false;
    return true;
}

enum mup_status mup_agent_init(struct mup_agent *agent, const struct mup_agent_config *config,
                               uint32_t now_ms)
{
    enum mup_status status;

    if (!config_is_valid(config))
        return MUP_ERR_RANGE;
    memset(agent, 0, sizeof *agent);
    agent->config = config;
    agent->now_ms = now_ms;
    mup_backoff_init(&agent->backoff, MUP_AGENT_BACKOFF_MIN_MS, MUP_AGENT_BACKOFF_MAX_MS);
    agent->budget = MUP_AGENT_BUDGET_MAX;
    agent->budget_ms = now_ms;
    status = mup_agent_load_identity(agent);
    if (status == MUP_OK)
        status = mup_pipeline_init(&agent->pipeline, config->map, config->block);
    if (status != MUP_OK)
        return status;
    if (!mup_agent_token_is_valid(agent))
        return MUP_ERR_RANGE;
    mup_agent_trial_init(agent);
    return mup_bootstrap_init(&agent->bootstrap, config->description, config->description_size,
                              config->random);
}

enum mup_status mup_agent_connect(struct mup_agent *agent, uint32_t now_ms)
{
    const struct mup_agent_config *config = agent->config;
    uint32_t largest = config->slice_size_max + MUP_SLICE_HEADER_MAX;
    char presence[MUP_TOPIC_MAX];
    uint8_t offline[MUP_PRESENCE_SIZE];
    struct mup_mqtt_options options = {
        .client_id = {agent->name, agent->name_size},
        .user_name = {agent->name, agent->name_size},
        .session_expiry_s = MUP_AGENT_SESSION_S,
        .keep_alive_s = config->keep_alive_s,
        .receive_maximum = config->receive_maximum == 0 ? 1 : config->receive_maximum,
        .topic_alias_maximum = MUP_MQTT_ALIAS_COUNT,
        /* After a reset, slices that wait at the broker are of no use to anybody. */
        .clean_start = config->flow == MUP_FLOW_QOS1 && !agent->may_resume,
        .maximum_packet_size =
            (largest > MUP_REQUEST_MAX ? largest : MUP_REQUEST_MAX) + MUP_AGENT_PACKET_OVERHEAD,
    };
    enum mup_status status;

    mup_agent_topic(agent, &options.will.topic, presence, MUP_TOPIC_PRESENCE);
    mup_presence_encode(offline, false);
    options.will.payload.at = offline;
    options.will.payload.size = sizeof offline;
    options.will.qos = 1;
    options.will.retain = true;
    if (config->password != NULL)
        options.password = mup_mqtt_text(config->password);
    agent->now_ms = now_ms;
    mup_agent_link_lost(agent);
    status = mup_mqtt_connect(config->mqtt, now_ms, &options);
    if (status == MUP_OK)
        agent->link = LINK_CONNECTING;
    return status;
}

static void on_closed(struct mup_agent *agent, const struct mup_mqtt_event *event)
{
    mup_agent_notify(agent, MUP_AGENT_CLOSED, event->cause, event->reason);
    agent->actions |= MUP_AGENT_CLOSE;
    if (event->cause == MUP_MQTT_CAUSE_CREDENTIALS || event->cause == MUP_MQTT_CAUSE_TAKEN_OVER ||
        event->cause == MUP_MQTT_CAUSE_REFUSED)
        mup_backoff_saturate(&agent->backoff);
}

static void on_event(struct mup_agent *agent, const struct mup_mqtt_event *event)
{
    switch (event->kind) {
    case MUP_MQTT_CONNECTED:
        mup_agent_on_connected(agent, event);
        break;
    case MUP_MQTT_MESSAGE:
        mup_agent_on_message(agent, event);
        break;
    case MUP_MQTT_PAYLOAD:
        mup_agent_on_payload(agent, event);
        break;
    case MUP_MQTT_MESSAGE_END:
        mup_agent_on_message_end(agent);
        break;
    case MUP_MQTT_PUBLISHED:
        mup_agent_on_published(agent, event);
        break;
    case MUP_MQTT_SUBSCRIBED:
    case MUP_MQTT_UNSUBSCRIBED:
        mup_agent_on_subscribed(agent, event);
        break;
    case MUP_MQTT_CLOSED:
        on_closed(agent, event);
        break;
    case MUP_MQTT_DROPPED:
        mup_agent_on_dropped(agent, event);
        break;
    }
}

/* What is due, by time and for want of room until now. */
static unsigned turn(struct mup_agent *agent)
{
    unsigned actions;

    mup_agent_link_tick(agent);
    mup_agent_transfer_tick(agent);
    mup_agent_trial_tick(agent);
    mup_agent_flush(agent);
    actions = agent->actions;
    agent->actions = 0;
    return actions;
}

unsigned mup_agent_step(struct mup_agent *agent, uint32_t now_ms,
                        const struct mup_mqtt_event *event)
{
    mup_agent_age(agent, now_ms);
    if (event != NULL)
        on_event(agent, event);
    return turn(agent);
}

unsigned mup_agent_input(struct mup_agent *agent, uint32_t now_ms, const uint8_t *bytes,
                         size_t size, size_t *used)
{
    struct mup_mqtt_event event;
    size_t at = 0;

    mup_agent_age(agent, now_ms);
    while ((agent->actions & MUP_AGENT_CLOSE) == 0) {
        size_t part = 0;
        enum mup_status status =
            mup_mqtt_input(agent->config->mqtt, now_ms, bytes + at, size - at, &part, &event);

        at += part;
        if (status != MUP_OK)
            break;
        on_event(agent, &event);
    }
    *used = at;
    return turn(agent);
}

unsigned mup_agent_tick(struct mup_agent *agent, uint32_t now_ms)
{
    struct mup_mqtt_event event;

    mup_agent_age(agent, now_ms);
    if (agent->link != LINK_DOWN && mup_mqtt_tick(agent->config->mqtt, now_ms, &event) == MUP_OK)
        on_event(agent, &event);
    return turn(agent);
}

uint32_t mup_agent_lost(struct mup_agent *agent, uint32_t now_ms)
{
    const struct mup_port_random *random = agent->config->random;
    uint8_t bytes[4] = {0};
    uint32_t jitter = now_ms;

    mup_mqtt_lost(agent->config->mqtt);
    mup_agent_link_lost(agent);
    if (random->fill(random->context, bytes, sizeof bytes) == 0)
        memcpy(&jitter, bytes, sizeof jitter);
    return mup_backoff_next_ms(&agent->backoff, jitter);
}

void mup_agent_sooner(struct agent_wait *wait, uint32_t since_ms, uint32_t total_ms)
{
    uint32_t passed_ms = wait->now_ms - since_ms;
    uint32_t left_ms = passed_ms < total_ms ? total_ms - passed_ms : MUP_AGENT_RETRY_MS;

    if (wait->ms > left_ms)
        wait->ms = left_ms;
}

uint32_t mup_agent_wait_ms(const struct mup_agent *agent, uint32_t now_ms)
{
    struct agent_wait wait = {now_ms, MUP_MQTT_WAIT_FOREVER_MS};

    if (agent->link != LINK_DOWN)
        wait.ms = mup_mqtt_wait_ms(agent->config->mqtt, now_ms);
    mup_agent_trial_wait(agent, &wait);
    mup_agent_link_wait(agent, &wait);
    mup_agent_transfer_wait(agent, &wait);
    return wait.ms;
}

enum mup_status mup_agent_publish(struct mup_agent *agent, const char *topic, const void *value,
                                  size_t size)
{
    char text[MUP_TOPIC_MAX];
    struct mup_mqtt_publish message = {.payload = value, .payload_size = (uint32_t)size};

    if (agent->link != LINK_UP)
        return MUP_ERR_STATE;
    if (size > MUP_AGENT_TELEMETRY_MAX || !text_fits(topic, AGENT_PREFIX_MAX))
        return MUP_ERR_RANGE;
    mup_agent_topic(agent, &message.topic, text, topic);
    return mup_mqtt_publish(agent->config->mqtt, NULL, &message);
}

enum mup_agent_phase mup_agent_phase(const struct mup_agent *agent)
{
    return (enum mup_agent_phase)agent->phase;
}

uint32_t mup_agent_payload_size(const struct mup_agent *agent)
{
    return agent->phase == MUP_AGENT_RECEIVING || agent->phase == MUP_AGENT_COMPLETE
               ? agent->pipeline.payload_size
               : 0;
}
