/*
 * Requests and their answers (docs/SPEC.md section 12): one at a time, gathered in the request
 * buffer, dispatched, answered in the same buffer. The broker gets its PUBACK of a request after
 * our answer got one, so a lost connection repeats the request or the answer, never loses both.
 */
#include "agent_internal.h"

#include <string.h>

#include "mup/cbor.h"

static bool same_text(const struct mup_mqtt_bytes *bytes, const struct agent_topic_text *text)
{
    return bytes->size == text->size && memcmp(bytes->at, text->text, text->size) == 0;
}

static bool has_prefix(const struct mup_agent *agent, const struct mup_mqtt_bytes *topic,
                       const char *prefix)
{
    struct agent_topic_text text;

    mup_agent_topic(agent, &text, prefix);
    return same_text(topic, &text);
}

/* The route of a topic, which the client remembers for topic aliases; 0 if it is none of ours. */
static uint8_t route_of(const struct mup_agent *agent, const struct mup_mqtt_bytes *topic)
{
    static const char *const prefixes[] = {MUP_TOPIC_BOOTSTRAP, MUP_TOPIC_TOKEN, MUP_TOPIC_MANIFEST,
                                           MUP_TOPIC_VERIFY};

    if (has_prefix(agent, topic, MUP_TOPIC_FIRMWARE))
        return TOPIC_FIRMWARE + 1;
    for (uint8_t i = 0; i < TOPIC_APPLICATION; i++)
        if (has_prefix(agent, topic, prefixes[i]))
            return (uint8_t)(i + 1);
    for (uint8_t i = 0; i < agent->config->topic_count; i++)
        if (has_prefix(agent, topic, agent->config->topics[i]))
            return (uint8_t)(TOPIC_APPLICATION + i + 1);
    return 0;
}

/* ---- Correlation data -------------------------------------------------------------------- */

/* Which request has these correlation data: 0 the newest, 1 the one before; COUNT if none. */
static uint8_t age_of(const struct mup_agent *agent, const struct mup_mqtt_bytes *correlation)
{
    for (uint8_t age = 0; age < MUP_AGENT_CORRELATIONS; age++) {
        uint8_t at = (uint8_t)((agent->correlation_at + MUP_AGENT_CORRELATIONS - age) %
                               MUP_AGENT_CORRELATIONS);
        const struct mup_agent_correlation *known = &agent->correlations[at];

        if (known->size == correlation->size &&
            memcmp(known->bytes, correlation->at, known->size) == 0)
            return age;
    }
    return MUP_AGENT_CORRELATIONS;
}

/* It counts when the request is complete: one that was cut off is not a repeated one. */
static void keep_correlation(struct mup_agent *agent, const struct mup_mqtt_bytes *correlation)
{
    memcpy(agent->next_correlation.bytes, correlation->at, correlation->size);
    agent->next_correlation.size = (uint8_t)correlation->size;
}

static void count_correlation(struct mup_agent *agent)
{
    agent->correlation_at = (uint8_t)((agent->correlation_at + 1) % MUP_AGENT_CORRELATIONS);
    agent->correlations[agent->correlation_at] = agent->next_correlation;
}

/* ---- A message comes in ------------------------------------------------------------------ */

static void hold(struct mup_agent *agent, uint16_t packet_id)
{
    if (packet_id == 0)
        return;
    mup_mqtt_ack_later(agent->config->mqtt);
    agent->held_id = packet_id;
}

/* A request that was seen before: its answer again while it is remembered, and else nothing. */
static void repeated(struct mup_agent *agent, const struct mup_mqtt_event *event, uint8_t age)
{
    if (age != 0 || agent->response_size == 0)
        return;
    hold(agent, event->packet_id);
    if (agent->outgoing[OUT_RESPONSE].state == OUT_NONE)
        mup_agent_due(agent, OUT_RESPONSE);
}

static bool buffer_is_free(const struct mup_agent *agent)
{
    return agent->outgoing[OUT_RESPONSE].state == OUT_NONE;
}

static void request_begin(struct mup_agent *agent, const struct mup_mqtt_event *event)
{
    const struct mup_mqtt_message *message = &event->message;
    uint8_t age;

    if (!has_prefix(agent, &message->response_topic, MUP_TOPIC_RESPONSE) ||
        message->correlation.at == NULL || message->correlation.size == 0 ||
        message->correlation.size > MUP_CORRELATION_MAX)
        return;
    age = age_of(agent, &message->correlation);
    if (age < MUP_AGENT_CORRELATIONS) {
        repeated(agent, event, age);
        return;
    }
    if (!buffer_is_free(agent))
        return; /* against our Receive Maximum, or of QoS 0 */
    hold(agent, event->packet_id);
    keep_correlation(agent, &message->correlation);
    agent->response_size = 0;
    agent->receiving =
        message->payload_size <= MUP_REQUEST_MAX ? RECEIVING_REQUEST : RECEIVING_LONG;
}

void mup_agent_on_message(struct mup_agent *agent, const struct mup_mqtt_event *event)
{
    const struct mup_mqtt_message *message = &event->message;
    uint8_t route = message->route;

    agent->receiving = RECEIVING_NOTHING;
    agent->request_size = 0;
    if (route == MUP_MQTT_ROUTE_NONE) {
        route = route_of(agent, &message->topic);
        if (route != 0)
            mup_mqtt_route(agent->config->mqtt, route);
    }
    if (route == MUP_MQTT_ROUTE_NONE || route == MUP_MQTT_ROUTE_UNKNOWN || message->is_retained)
        return;
    agent->request_topic = (uint8_t)(route - 1);
    if (agent->request_topic == TOPIC_FIRMWARE) {
        agent->receiving = RECEIVING_SLICE;
        mup_agent_slice_begin(agent, message->payload_size);
    } else if (agent->request_topic == TOPIC_BOOTSTRAP) {
        if (message->payload_size <= MUP_BOOTSTRAP_REPLY_MAX && buffer_is_free(agent)) {
            agent->response_size = 0;
            agent->receiving = RECEIVING_BOOTSTRAP;
        }
    } else {
        request_begin(agent, event);
    }
}

void mup_agent_on_payload(struct mup_agent *agent, uint32_t now_ms,
                          const struct mup_mqtt_payload *payload)
{
    if (agent->receiving == RECEIVING_SLICE) {
        mup_agent_slice_bytes(agent, now_ms, payload->at, payload->size);
    } else if (agent->receiving == RECEIVING_REQUEST || agent->receiving == RECEIVING_BOOTSTRAP) {
        memcpy(agent->config->request + agent->request_size, payload->at, payload->size);
        agent->request_size = (uint16_t)(agent->request_size + payload->size);
    }
}

/* ---- Dispatch ---------------------------------------------------------------------------- */

/* An answer whose value is a byte string of ours. */
#define VALUE_HEAD_MAX 3u

struct agent_value {
    uint8_t bytes[VALUE_HEAD_MAX + MUP_TOKEN_MAX];
};

/* The CBOR head of a byte string goes directly before its bytes, which stand at VALUE_HEAD_MAX. */
static struct mup_bytes byte_string(struct agent_value *value, size_t size)
{
    struct mup_bytes item = {NULL, 0};
    uint8_t head[VALUE_HEAD_MAX];
    size_t head_size = size < 24 ? 1 : size < 256 ? 2 : 3;

    if (size == 0)
        return item;
    head[0] = (uint8_t)(0x40u | (head_size == 1 ? size : head_size == 2 ? 24u : 25u));
    head[head_size - 1] = (uint8_t)(head_size == 1 ? head[0] : size & 0xff);
    if (head_size == 3)
        head[1] = (uint8_t)(size >> 8);
    memcpy(value->bytes + VALUE_HEAD_MAX - head_size, head, head_size);
    item.data = value->bytes + VALUE_HEAD_MAX - head_size;
    item.size = head_size + size;
    return item;
}

static bool is_method(const struct mup_request *request, const char *method, size_t arguments)
{
    size_t size = 0;

    while (method[size] != '\0')
        size++;
    return request->method.size == size && memcmp(request->method.data, method, size) == 0 &&
           request->argument_count == arguments;
}

static uint32_t answer_token(struct mup_agent *agent, uint32_t now_ms,
                             const struct mup_request *request, struct agent_value *value,
                             size_t *value_size)
{
    if (!is_method(request, MUP_METHOD_GET_TOKEN, 0))
        return MUP_STATE_ERROR;
    *value_size =
        mup_agent_encode_token(agent, now_ms, value->bytes + VALUE_HEAD_MAX, MUP_TOKEN_MAX);
    if (*value_size == 0)
        return MUP_STATE_ERROR;
    mup_agent_notify(agent, MUP_AGENT_TOKEN, MUP_STATE_OK, 0);
    return MUP_STATE_OK;
}

static uint32_t answer_manifest(struct mup_agent *agent, uint32_t now_ms,
                                const struct mup_request *request, struct agent_value *value,
                                size_t *value_size)
{
    struct mup_cbor_reader reader;
    struct mup_bytes extended;
    uint32_t state = MUP_STATE_MANIFEST_NOT_VALID;

    if (!is_method(request, MUP_METHOD_MANIFEST, 1))
        return MUP_STATE_ERROR;
    mup_cbor_reader_init(&reader, request->arguments.data, request->arguments.size);
    extended = mup_cbor_read_bytes(&reader, 0, MUP_REQUEST_MAX);
    if (mup_cbor_reader_finish(&reader) == MUP_OK)
        state = mup_agent_take_manifest(agent, now_ms, extended);
    if (state == MUP_STATE_OK)
        *value_size = mup_agent_encode_ack(agent, value->bytes + VALUE_HEAD_MAX);
    mup_agent_notify(agent, MUP_AGENT_MANIFEST, state, mup_pipeline_next(&agent->pipeline));
    return state;
}

static uint32_t answer_verify(struct mup_agent *agent, uint32_t now_ms,
                              const struct mup_request *request, struct agent_value *value,
                              size_t *value_size)
{
    uint32_t state;

    if (!is_method(request, MUP_METHOD_VERIFY, 0))
        return MUP_STATE_ERROR;
    state = mup_agent_verify_update(agent, now_ms);
    if (state == MUP_STATE_INCOMPLETE)
        *value_size = mup_agent_encode_ack(agent, value->bytes + VALUE_HEAD_MAX);
    return state;
}

static void answer_application(struct mup_agent *agent, const struct mup_request *request,
                               struct mup_response *response)
{
    const struct mup_agent_config *config = agent->config;
    struct mup_agent_answer answer = {.state = MUP_STATE_ERROR};
    struct mup_agent_call call = {.topic = (uint8_t)(agent->request_topic - TOPIC_APPLICATION),
                                  .method = request->method,
                                  .argument_count = request->argument_count,
                                  .arguments = request->arguments};

    if (config->command != NULL)
        config->command(config->context, &answer, &call);
    response->state = answer.state;
    response->state_text = answer.state_text;
    response->value = answer.value;
    mup_agent_notify(agent, MUP_AGENT_COMMAND, answer.state, call.topic);
}

/* Writes the answer over the request, which nobody needs any more. */
static void respond(struct mup_agent *agent, const struct mup_response *response)
{
    struct mup_response error = {.state = MUP_STATE_ERROR};
    size_t size = 0;

    if (mup_response_encode(agent->config->request, MUP_RESPONSE_MAX, &size, response) != MUP_OK &&
        mup_response_encode(agent->config->request, MUP_RESPONSE_MAX, &size, &error) != MUP_OK)
        return;
    agent->response_size = (uint16_t)size;
    mup_agent_due(agent, OUT_RESPONSE);
}

static void dispatch(struct mup_agent *agent, uint32_t now_ms)
{
    struct mup_request request;
    struct mup_response response = {.state = MUP_STATE_ERROR};
    struct agent_value value;
    size_t value_size = 0;

    if (mup_request_decode(&request, agent->config->request, agent->request_size) == MUP_OK) {
        if (agent->request_topic == TOPIC_TOKEN)
            response.state = answer_token(agent, now_ms, &request, &value, &value_size);
        else if (agent->request_topic == TOPIC_MANIFEST)
            response.state = answer_manifest(agent, now_ms, &request, &value, &value_size);
        else if (agent->request_topic == TOPIC_VERIFY)
            response.state = answer_verify(agent, now_ms, &request, &value, &value_size);
        else
            answer_application(agent, &request, &response);
    }
    if (value_size > 0)
        response.value = byte_string(&value, value_size);
    respond(agent, &response);
}

void mup_agent_on_message_end(struct mup_agent *agent, uint32_t now_ms)
{
    uint8_t receiving = agent->receiving;

    agent->receiving = RECEIVING_NOTHING;
    if (receiving == RECEIVING_SLICE) {
        mup_agent_slice_end(agent, now_ms);
    } else if (receiving == RECEIVING_BOOTSTRAP) {
        mup_agent_on_bootstrap(agent, now_ms, agent->request_size);
    } else if (receiving == RECEIVING_REQUEST) {
        count_correlation(agent);
        dispatch(agent, now_ms);
    } else if (receiving == RECEIVING_LONG) {
        struct mup_response response = {.state = agent->request_topic == TOPIC_MANIFEST
                                                     ? MUP_STATE_MANIFEST_NOT_VALID
                                                     : MUP_STATE_ERROR};

        count_correlation(agent);
        respond(agent, &response);
    }
}

void mup_agent_response_sent(struct mup_agent *agent)
{
    if (agent->held_id != 0)
        agent->release_due = true;
    if (agent->phase == MUP_AGENT_RESTARTING)
        agent->restart_wait = false;
}
