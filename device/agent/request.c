/*
 * Requests and their answers (docs/SPEC.md section 12): one at a time, gathered in the request
 * buffer, dispatched, answered in the same buffer. The broker gets its PUBACK of a request after
 * our answer got one, so a lost connection repeats the request or the answer, never loses both.
 */
#include "agent_internal.h"

#include <string.h>

#include "mup/cbor.h"

static bool is_topic(const struct mup_agent *agent, const struct mup_mqtt_bytes *topic,
                     const char *prefix)
{
    struct mup_mqtt_bytes ours;
    char text[MUP_TOPIC_MAX];

    mup_agent_topic(agent, &ours, text, prefix);
    return topic->size == ours.size && memcmp(topic->at, text, ours.size) == 0;
}

/* The route of a topic, which the client remembers for topic aliases; 0 if it is none of ours. */
static uint32_t route_of(const struct mup_agent *agent, const struct mup_mqtt_bytes *topic)
{
    uint32_t count = mup_agent_topic_count(agent);

    for (uint32_t i = 0; i < count; i++)
        if (is_topic(agent, topic, mup_agent_prefix(agent, i)))
            return i + 1;
    return 0;
}

/* ---- Correlation data -------------------------------------------------------------------- */

/* Which request has these correlation data: 1 the newest, 2 the one before; 0 if none. */
static uint32_t age_of(const struct mup_agent *agent, const struct mup_mqtt_bytes *correlation)
{
    const struct mup_agent_correlation *known = &agent->correlations[MUP_AGENT_CORRELATIONS];

    for (; known > agent->correlations; known--)
        if (known->size == correlation->size &&
            memcmp(known->bytes, correlation->at, known->size) == 0)
            break;
    return (uint32_t)(known - agent->correlations);
}

/* In the first place, where age_of() does not look. It counts when the request is complete: one
 * that was cut off is not a repeated one. */
static void keep_correlation(struct mup_agent *agent, const struct mup_mqtt_bytes *correlation)
{
    struct mup_agent_correlation *coming = agent->correlations;

    memcpy(coming->bytes, correlation->at, correlation->size);
    coming->size = (uint8_t)correlation->size;
}

static void count_correlation(struct mup_agent *agent)
{
    memmove(agent->correlations + 1, agent->correlations,
            MUP_AGENT_CORRELATIONS * sizeof agent->correlations[0]);
}

/* ---- A message comes in ------------------------------------------------------------------ */

static void hold(struct mup_agent *agent, uint16_t packet_id)
{
    if (packet_id == 0 || agent->config->receive_maximum > 1)
        return;
    mup_mqtt_ack_later(agent->config->mqtt);
    agent->held_id = packet_id;
}

/* A request that was seen before: its answer again while it is remembered, and else nothing. */
static void repeated(struct mup_agent *agent, const struct mup_mqtt_event *event, uint32_t age)
{
    if (age != 1 || agent->response_size == 0)
        return;
    hold(agent, event->packet_id);
    if (agent->out_state[OUT_RESPONSE] == OUT_NONE)
        mup_agent_due(agent, OUT_RESPONSE);
}

/* There is one buffer. Without room the message is asked for again when there is. */
static bool has_room(struct mup_agent *agent)
{
    agent->missed = agent->missed || agent->out_state[OUT_RESPONSE] != OUT_NONE;
    return agent->out_state[OUT_RESPONSE] == OUT_NONE;
}

static void request_begin(struct mup_agent *agent, const struct mup_mqtt_event *event)
{
    const struct mup_mqtt_message *message = &event->message;
    uint32_t age;

    if (!is_topic(agent, &message->response_topic, MUP_TOPIC_RESPONSE) ||
        message->correlation.at == NULL || message->correlation.size == 0 ||
        message->correlation.size > MUP_CORRELATION_MAX)
        return;
    age = age_of(agent, &message->correlation);
    if (age != 0) {
        repeated(agent, event, age);
        return;
    }
    if (!has_room(agent))
        return;
    hold(agent, event->packet_id);
    keep_correlation(agent, &message->correlation);
    agent->response_size = 0;
    agent->receiving =
        message->payload_size <= MUP_REQUEST_MAX ? RECEIVING_REQUEST : RECEIVING_LONG;
}

/* Which topic it is; the client is told, for when the topic comes by its alias next time. */
static uint32_t learn_route(const struct mup_agent *agent, const struct mup_mqtt_message *message)
{
    uint32_t route = message->route;

    if (route == MUP_MQTT_ROUTE_NONE) {
        route = route_of(agent, &message->topic);
        if (route != 0)
            mup_mqtt_route(agent->config->mqtt, (uint8_t)route);
    }
    return route;
}

/* Of no use itself, but it may be the one that says what an alias stands for. */
void mup_agent_on_dropped(const struct mup_agent *agent, const struct mup_mqtt_event *event)
{
    (void)learn_route(agent, &event->message);
}

void mup_agent_on_message(struct mup_agent *agent, const struct mup_mqtt_event *event)
{
    const struct mup_mqtt_message *message = &event->message;
    uint32_t route = learn_route(agent, message);

    agent->receiving = RECEIVING_NOTHING;
    agent->request_size = 0;
    if (route == MUP_MQTT_ROUTE_NONE || route == MUP_MQTT_ROUTE_UNKNOWN || message->is_retained)
        return;
    agent->request_topic = (uint8_t)(route - 1);
    if (agent->request_topic == TOPIC_FIRMWARE) {
        agent->receiving = RECEIVING_SLICE;
        mup_agent_slice_begin(agent, message->payload_size);
    } else if (agent->request_topic == TOPIC_BOOTSTRAP) {
        if (message->payload_size <= MUP_BOOTSTRAP_REPLY_MAX && has_room(agent)) {
            agent->response_size = 0;
            agent->receiving = RECEIVING_BOOTSTRAP;
        }
    } else {
        request_begin(agent, event);
    }
}

void mup_agent_on_payload(struct mup_agent *agent, const struct mup_mqtt_event *event)
{
    const struct mup_mqtt_payload *payload = &event->payload;

    if (agent->receiving == RECEIVING_SLICE) {
        mup_agent_slice_bytes(agent, payload->at, payload->size);
    } else if (agent->receiving == RECEIVING_REQUEST || agent->receiving == RECEIVING_BOOTSTRAP) {
        memcpy(agent->config->request + agent->request_size, payload->at, payload->size);
        agent->request_size = (uint16_t)(agent->request_size + payload->size);
    }
}

/* ---- Dispatch ---------------------------------------------------------------------------- */

static const struct mup_response error = {.state = MUP_STATE_ERROR};

/* Writes the answer over the request, which nobody needs any more. */
static void respond(struct mup_agent *agent, const struct mup_response *response)
{
    size_t size = 0;

    if (mup_response_encode(agent->config->request, MUP_RESPONSE_MAX, &size, response) != MUP_OK &&
        mup_response_encode(agent->config->request, MUP_RESPONSE_MAX, &size, &error) != MUP_OK)
        return;
    agent->response_size = (uint16_t)size;
    mup_agent_due(agent, OUT_RESPONSE);
}

/* An answer with a byte string, which stands at `room` + VALUE_HEAD_MAX: its CBOR head goes
 * directly before it. */
#define VALUE_HEAD_MAX 3u

static void respond_bytes(struct mup_agent *agent, uint32_t state, uint8_t *room, size_t size)
{
    uint8_t head[VALUE_HEAD_MAX];
    struct mup_cbor_writer writer;
    struct mup_response response = {.state = state};

    if (size > 0) {
        mup_cbor_writer_init(&writer, head, sizeof head);
        mup_cbor_write_bytes_head(&writer, size);
        room += VALUE_HEAD_MAX - writer.size;
        memcpy(room, head, writer.size);
        response.value.data = room;
        response.value.size = writer.size + size;
    }
    respond(agent, &response);
}

static bool is_method(const struct mup_request *request, const char *method, size_t arguments)
{
    size_t size = 0;

    while (method[size] != '\0')
        size++;
    return request->method.size == size && memcmp(request->method.data, method, size) == 0 &&
           request->argument_count == arguments;
}

/* In a frame of its own: 291 bytes that the check of a signature need not bear. */
__attribute__((noinline)) static void answer_token(struct mup_agent *agent)
{
    uint8_t room[VALUE_HEAD_MAX + MUP_TOKEN_MAX];
    size_t size = mup_agent_encode_token(agent, room + VALUE_HEAD_MAX, MUP_TOKEN_MAX);
    uint32_t state = size > 0 ? MUP_STATE_OK : MUP_STATE_ERROR;

    mup_agent_notify(agent, MUP_AGENT_TOKEN, state, 0);
    respond_bytes(agent, state, room, size);
}

/* An answer whose value, with this one state, is the current acknowledgement. */
static void answer_with_ack(struct mup_agent *agent, uint32_t state, uint32_t with)
{
    uint8_t room[VALUE_HEAD_MAX + MUP_ACK_MAX];

    respond_bytes(agent, state, room,
                  state == with ? mup_agent_encode_ack(agent, room + VALUE_HEAD_MAX) : 0);
}

static void answer_manifest(struct mup_agent *agent, const struct mup_request *request)
{
    struct mup_cbor_reader reader;
    struct mup_bytes extended;
    uint32_t state = MUP_STATE_MANIFEST_NOT_VALID;

    mup_cbor_reader_init(&reader, request->arguments.data, request->arguments.size);
    extended = mup_cbor_read_bytes(&reader, 0, MUP_REQUEST_MAX);
    if (mup_cbor_reader_finish(&reader) == MUP_OK)
        state = mup_agent_take_manifest(agent, extended);
    mup_agent_notify(agent, MUP_AGENT_MANIFEST, state, mup_pipeline_next(&agent->pipeline));
    answer_with_ack(agent, state, MUP_STATE_OK);
}

static void answer_application(struct mup_agent *agent, const struct mup_request *request)
{
    const struct mup_agent_config *config = agent->config;
    struct mup_agent_answer answer = {.state = MUP_STATE_ERROR};
    struct mup_agent_call call = {.topic = (uint8_t)(agent->request_topic - TOPIC_APPLICATION),
                                  .method = request->method,
                                  .argument_count = request->argument_count,
                                  .arguments = request->arguments};
    struct mup_response response;

    if (config->command != NULL)
        config->command(config->context, &answer, &call);
    response.state = answer.state;
    response.state_text = answer.state_text;
    response.value = answer.value;
    mup_agent_notify(agent, MUP_AGENT_COMMAND, answer.state, call.topic);
    respond(agent, &response);
}

void mup_agent_answer_error(struct mup_agent *agent)
{
    respond(agent, &error);
}

static void dispatch(struct mup_agent *agent)
{
    static const char *const methods[] = {
        [TOPIC_TOKEN - TOPIC_TOKEN] = MUP_METHOD_GET_TOKEN,
        [TOPIC_MANIFEST - TOPIC_TOKEN] = MUP_METHOD_MANIFEST,
        [TOPIC_VERIFY - TOPIC_TOKEN] = MUP_METHOD_VERIFY,
    };
    struct mup_request request;
    uint8_t topic = agent->request_topic;

    if (mup_request_decode(&request, agent->config->request, agent->request_size) != MUP_OK)
        mup_agent_answer_error(agent);
    else if (topic >= TOPIC_APPLICATION)
        answer_application(agent, &request);
    else if (!is_method(&request, methods[topic - TOPIC_TOKEN], topic == TOPIC_MANIFEST))
        mup_agent_answer_error(agent);
    else if (topic == TOPIC_TOKEN)
        answer_token(agent);
    else if (topic == TOPIC_MANIFEST)
        answer_manifest(agent, &request);
    else
        answer_with_ack(agent, mup_agent_verify_update(agent), MUP_STATE_INCOMPLETE);
}

/* A request that was too long to be kept. */
static void refuse_long(struct mup_agent *agent)
{
    respond_bytes(agent,
                  agent->request_topic == TOPIC_MANIFEST ? MUP_STATE_MANIFEST_NOT_VALID
                                                         : MUP_STATE_ERROR,
                  NULL, 0);
}

static void on_request(struct mup_agent *agent, bool is_long)
{
    count_correlation(agent);
    if (is_long)
        refuse_long(agent);
    else
        dispatch(agent);
}

void mup_agent_on_message_end(struct mup_agent *agent)
{
    uint8_t receiving = agent->receiving;

    agent->receiving = RECEIVING_NOTHING;
    if (receiving == RECEIVING_SLICE)
        mup_agent_slice_end(agent);
    else if (receiving == RECEIVING_BOOTSTRAP)
        mup_agent_on_bootstrap(agent, agent->request_size);
    else if (receiving != RECEIVING_NOTHING)
        on_request(agent, receiving == RECEIVING_LONG);
}

void mup_agent_response_sent(struct mup_agent *agent)
{
    if (agent->held_id != 0)
        agent->release_due = true;
    if (agent->missed) {
        agent->missed = false;
        mup_agent_present(agent);
    }
    if (agent->phase == MUP_AGENT_RESTARTING)
        agent->restart_wait = false;
}
