/* RPC <-> MQTT: see calls.h. */
#include "bridge/devices/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/devices/arguments.h"
#include "mup/rpc.h"
#include "mup/state.h"
#include "mup/topic.h"
#include "runtime/log.h"

#define CORRELATION_SIZE 16u
#define BUCKETS          1024u

/* Refusals are errors to NETCONF; ok and noop are answers. */
#define FIRST_REFUSAL ((int32_t)MUP_STATE_ERROR)

struct call {
    struct call *next; /* in its bucket */
    struct mup_calls *calls;
    struct mup_netconf_request *request;
    const struct mup_device *device;
    struct mup_known_description *description; /* counts us as a user while we are under way */
    const struct mup_capability *capability;
    const struct mup_rpc *rpc;
    struct mup_timer *deadline;
    uint64_t deadline_ms;
    char topic[MUP_TOPIC_SIZE_MAX + 1];
    uint8_t correlation[CORRELATION_SIZE];
    uint8_t bytes[MUP_REQUEST_MAX];
    size_t size;
};

struct mup_calls {
    struct mup_calls_settings settings;
    struct call *buckets[BUCKETS];
    size_t count;
};

static struct call **bucket_of(struct mup_calls *calls, const uint8_t *correlation)
{
    return &calls->buckets[(correlation[0] | (unsigned)correlation[1] << 8) % BUCKETS];
}

struct mup_calls *mup_calls_new(const struct mup_calls_settings *settings)
{
    struct mup_calls *calls = calloc(1, sizeof *calls);

    if (calls != NULL)
        calls->settings = *settings;
    return calls;
}

/*
 * Take a call out of its bucket. Always before its request is answered: the answer lets the session
 * go on, and its next request, which may be cancelled within, can have the address of this one.
 */
static void take_out(struct call *call)
{
    struct call **at = bucket_of(call->calls, call->correlation);

    while (*at != NULL && *at != call)
        at = &(*at)->next;
    if (*at == call) {
        *at = call->next;
        call->calls->count--;
    }
    mup_timer_stop(call->deadline);
}

static void release(struct call *call)
{
    call->description->users--;
    mup_timer_free(call->deadline);
    free(call);
}

static void forget(struct call *call)
{
    take_out(call);
    release(call);
}

void mup_calls_free(struct mup_calls *calls)
{
    if (calls == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (calls->buckets[i] != NULL)
            forget(calls->buckets[i]);
    free(calls);
}

static void on_deadline(void *arg)
{
    struct call *call = arg;
    struct mup_netconf_request *request = call->request;
    char message[160];

    snprintf(message, sizeof message,
             "device %s did not answer %s within %u s; it may be asleep or out of reach",
             call->device->stored.name, call->rpc->yang_name,
             (unsigned)call->calls->settings.timeout_s);
    mup_log(MUP_LOG_WARNING, "calls", mup_log_event("no answer"),
            mup_log_text("device", call->device->stored.name),
            mup_log_text("rpc", call->rpc->yang_name));
    forget(call);
    mup_netconf_reply_error(request, MUP_NETCONF_TAG_OPERATION_FAILED, "device-timeout", message,
                            NULL);
}

static bool publish(const struct call *call)
{
    const struct mup_calls_settings *settings = &call->calls->settings;
    char response_topic[sizeof MUP_TOPIC_RESPONSE + MUP_NAME_MAX];
    uint64_t now = mup_loop_now_ms(settings->loop);
    struct mup_mqtt_publish message = {
        .topic = call->topic,
        .payload = call->bytes,
        .payload_size = call->size,
        .qos = 1,
        .response_topic = response_topic,
        .correlation = call->correlation,
        .correlation_size = CORRELATION_SIZE,
    };

    if (now >= call->deadline_ms)
        return false;
    message.expiry_s = (uint32_t)((call->deadline_ms - now + 999) / 1000);
    snprintf(response_topic, sizeof response_topic, "%s%s", MUP_TOPIC_RESPONSE,
             call->device->stored.name);
    return mup_mqtt_session_publish(settings->session, &message, NULL) == MUP_OK;
}

void mup_calls_republish(struct mup_calls *calls)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct call *call = calls->buckets[i]; call != NULL; call = call->next)
            (void)publish(call);
}

static bool is_allowed(const struct mup_calls_settings *settings, const char *topic)
{
    for (size_t i = 0; i < settings->allowed_topic_count; i++)
        if (strcmp(settings->allowed_topics[i], topic) == 0)
            return true;
    return false;
}

/* The leaf `uuid` of the input, which every generated RPC has. */
static const char *target_of(const struct lyd_node *input)
{
    const struct lyd_node *child;

    LY_LIST_FOR(lyd_child(input), child)
    {
        if (strcmp(LYD_NAME(child), "uuid") == 0)
            return lyd_get_value(child);
    }
    return "";
}

/* The device that is meant, when it has the module's functions; NULL after an rpc-error. */
static const struct mup_device *find_device(const struct mup_calls *calls,
                                            struct mup_netconf_request *request, const char *module,
                                            const struct lyd_node *input)
{
    const char *target = target_of(input);
    const struct mup_device *device = mup_registry_find(calls->settings.registry, target);
    char message[200];

    if (device == NULL)
        snprintf(message, sizeof message,
                 "no device with the uuid or name '%.64s' has announced itself; "
                 "get lists those that have",
                 target);
    else if (device->description == NULL || !device->description->kept ||
             device->description->capability == NULL ||
             strcmp(device->description->capability->module_name, module) != 0)
        snprintf(message, sizeof message, "device '%.64s' does not have the functions of %.80s",
                 target, module);
    else
        return device;
    mup_netconf_reply_error(request, MUP_NETCONF_TAG_INVALID_VALUE, "unknown-device", message,
                            "uuid");
    return NULL;
}

/* The topic of a call for this device; false after an rpc-error. */
static bool make_topic(struct call *call)
{
    const char *name = call->device->stored.name;
    enum mup_topic_fault fault = MUP_TOPIC_TEXT;
    char message[400];

    if (mup_topic_fill(call->topic, sizeof call->topic, call->rpc->topic, name) == MUP_OK)
        fault = mup_topic_check(call->topic, name);
    if (fault == MUP_TOPIC_OK ||
        (fault == MUP_TOPIC_NOT_OWN && is_allowed(&call->calls->settings, call->topic)))
        return true;
    snprintf(message, sizeof message,
             "the device's description gives this function a topic that must not be used: %s",
             mup_topic_fault_text(fault));
    mup_netconf_reply_error(call->request, MUP_NETCONF_TAG_OPERATION_FAILED, "topic-not-allowed",
                            message, NULL);
    return false;
}

/* The request's bytes and its correlation data; false after an rpc-error. */
static bool make_request(struct call *call, const struct lyd_node *input)
{
    const char *leaf = NULL;
    enum mup_status status =
        mup_arguments_encode(call->bytes, &call->size, &leaf, call->rpc, input);

    if (status == MUP_ERR_RANGE)
        mup_netconf_reply_error(call->request, MUP_NETCONF_TAG_INVALID_VALUE, "not-on-the-wire",
                                "this value does not fit into a request to a device", leaf);
    else if (status != MUP_OK)
        mup_netconf_reply_error(call->request, MUP_NETCONF_TAG_TOO_BIG, "request-too-big",
                                "the inputs together are larger than a device takes (512 bytes)",
                                NULL);
    if (status != MUP_OK)
        return false;
    if (getrandom(call->correlation, CORRELATION_SIZE, 0) == (ssize_t)CORRELATION_SIZE)
        return true;
    mup_netconf_reply_error(call->request, MUP_NETCONF_TAG_OPERATION_FAILED, "no-randomness",
                            "the bridge's machine has no randomness", NULL);
    return false;
}

static void start(struct call *call)
{
    struct mup_calls *calls = call->calls;
    struct call **bucket = bucket_of(calls, call->correlation);
    uint64_t timeout_ms = (uint64_t)calls->settings.timeout_s * 1000;

    call->description->users++;
    call->next = *bucket;
    *bucket = call;
    calls->count++;
    call->deadline_ms = mup_loop_now_ms(calls->settings.loop) + timeout_ms;
    mup_timer_start(call->deadline, timeout_ms);
    /* A broker that is away gets it when it is back: mup_calls_republish. */
    (void)publish(call);
}

void mup_calls_begin(struct mup_calls *calls, struct mup_netconf_request *request,
                     const char *module, const char *rpc, const struct lyd_node *input)
{
    const struct mup_device *device = find_device(calls, request, module, input);
    struct call *call;

    if (device == NULL)
        return;
    call = calls->count < MUP_CALLS_MAX ? calloc(1, sizeof *call) : NULL;
    if (call != NULL)
        call->deadline = mup_timer_new(calls->settings.loop, on_deadline, call);
    if (call == NULL || call->deadline == NULL) {
        free(call);
        mup_netconf_reply_error(request, MUP_NETCONF_TAG_RESOURCE_DENIED, "too-many-calls",
                                "too many calls are under way; try again later", NULL);
        return;
    }
    call->calls = calls;
    call->request = request;
    call->device = device;
    call->description = device->description;
    call->capability = call->description->capability;
    call->rpc = mup_capability_rpc(call->capability, rpc);
    if (call->rpc == NULL)
        mup_netconf_reply_error(request, MUP_NETCONF_TAG_OPERATION_NOT_SUPPORTED, NULL,
                                "this module has no such function", NULL);
    if (call->rpc != NULL && make_topic(call) && make_request(call, input)) {
        start(call);
        return;
    }
    mup_timer_free(call->deadline);
    free(call);
}

void mup_calls_cancel(struct mup_calls *calls, const struct mup_netconf_request *request)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct call *call = calls->buckets[i]; call != NULL; call = call->next)
            if (call->request == request) {
                forget(call);
                return;
            }
}

static struct call *find_call(struct mup_calls *calls, const char *name,
                              const struct mup_mqtt_message *message)
{
    struct call *call;

    if (message->correlation_size != CORRELATION_SIZE)
        return NULL;
    for (call = *bucket_of(calls, message->correlation); call != NULL; call = call->next)
        if (memcmp(call->correlation, message->correlation, CORRELATION_SIZE) == 0 &&
            strcmp(call->device->stored.name, name) == 0 && !call->device->unseated)
            return call;
    return NULL;
}

/* The declared state of a response, or NULL when the device says what it never declared. */
static const struct mup_declared_state *declared_state(const struct mup_rpc *rpc,
                                                       const struct mup_response *response)
{
    char text[MUP_STATE_TEXT_MAX + 1];

    if (response->state != 0)
        return mup_rpc_state_by_code(rpc, (int64_t)response->state);
    memcpy(text, response->state_text.data, response->state_text.size);
    text[response->state_text.size] = '\0';
    return mup_rpc_state_by_text(rpc, text);
}

static void answer_refusal(struct mup_netconf_request *request, const struct mup_device *device,
                           const struct mup_declared_state *state, struct mup_bytes value)
{
    char message[400];
    char base64[MUP_VALUE_TEXT_SIZE];

    snprintf(message, sizeof message, "device %s refused: %s", device->stored.name,
             state->description[0] == '\0' ? state->name : state->description);
    if (value.size > 0)
        mup_value_text(base64, value);
    mup_netconf_reply_refusal(request, state->name, message, value.size > 0 ? base64 : NULL);
}

static void answer(struct call *call, const struct mup_response *response)
{
    const struct mup_declared_state *state = declared_state(call->rpc, response);
    const struct mup_calls_settings *settings = &call->calls->settings;
    struct mup_netconf_request *request = call->request;
    struct lyd_node *tree = NULL;

    if (state != NULL && settings->on_answer != NULL)
        settings->on_answer(settings->arg, call->device, call->rpc, state);
    if (state == NULL)
        mup_netconf_reply_error(request, MUP_NETCONF_TAG_OPERATION_FAILED, "undeclared-state",
                                "the device answered with a state that its description does not "
                                "declare",
                                NULL);
    else if (state->code >= FIRST_REFUSAL)
        answer_refusal(request, call->device, state, response->value);
    else if (mup_output_make(&tree, mup_netconf_schemas(call->calls->settings.netconf),
                             call->capability->module_name, call->rpc->yang_name, state->name,
                             response->value) == MUP_OK)
        (void)mup_netconf_reply_tree(request, tree);
    else
        mup_netconf_reply_error(request, MUP_NETCONF_TAG_OPERATION_FAILED, "answer-invalid",
                                "the device's answer does not fit its description", NULL);
}

void mup_calls_response(struct mup_calls *calls, const char *name,
                        const struct mup_mqtt_message *message)
{
    struct mup_response response;
    struct call *call = find_call(calls, name, message);

    if (call == NULL) {
        mup_log(MUP_LOG_DEBUG, "calls", mup_log_event("answer to nothing that was asked"),
                mup_log_text("device", name));
        return;
    }
    take_out(call);
    if (mup_response_decode(&response, message->payload, message->payload_size) == MUP_OK)
        answer(call, &response);
    else
        mup_netconf_reply_error(call->request, MUP_NETCONF_TAG_OPERATION_FAILED, "answer-invalid",
                                "the device answered with bytes that are no response", NULL);
    release(call);
}
