/* From NETCONF to a device and back: see request.h. */
#include "bridge/devices/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mup/state.h"
#include "mup/topic.h"

/* Refusals are errors to NETCONF; ok and noop are answers. */
#define FIRST_REFUSAL ((int32_t)MUP_STATE_ERROR)

static bool fail(struct mup_fault *fault, enum mup_netconf_tag tag, const char *app_tag,
                 const char *path)
{
    fault->tag = tag;
    fault->app_tag = app_tag;
    fault->path = path;
    return false;
}

static bool is_allowed(const struct mup_allowed_topics *allowed, const char *topic)
{
    for (size_t i = 0; i < allowed->count; i++)
        if (strcmp(allowed->items[i], topic) == 0)
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

/* The device that is meant, when it has the module's functions. */
static bool find_device(struct mup_device_request *request, struct mup_fault *fault,
                        const struct mup_registry *registry, const char *module,
                        const struct lyd_node *input)
{
    const char *target = target_of(input);
    struct mup_device *device = mup_registry_find(registry, target);

    if (device != NULL && device->stored.standing != MUP_STANDING_SERVICE) {
        bool retired = device->stored.standing == MUP_STANDING_RETIRED;
        snprintf(fault->message, sizeof fault->message, "device %s is %s", device->stored.name,
                 retired ? "retired" : "in quarantine");
        return fail(fault, MUP_NETCONF_TAG_OPERATION_FAILED,
                    retired ? "device-retired" : "device-quarantined", "uuid");
    }
    if (device == NULL)
        snprintf(fault->message, sizeof fault->message,
                 "no device with the uuid or name '%.64s' has announced itself; "
                 "get lists those that have",
                 target);
    else if (device->description == NULL || !device->description->kept ||
             device->description->capability == NULL ||
             strcmp(device->description->capability->module_name, module) != 0)
        snprintf(fault->message, sizeof fault->message,
                 "device '%.64s' does not have the functions of %.80s", target, module);
    else {
        request->device = device;
        request->description = device->description;
        return true;
    }
    return fail(fault, MUP_NETCONF_TAG_INVALID_VALUE, "unknown-device", "uuid");
}

static bool make_topic(struct mup_device_request *request, struct mup_fault *fault,
                       const struct mup_allowed_topics *allowed)
{
    const char *name = request->device->stored.name;
    enum mup_topic_fault wrong = MUP_TOPIC_TEXT;

    if (mup_topic_fill(request->topic, sizeof request->topic, request->rpc->topic, name) == MUP_OK)
        wrong = mup_topic_check(request->topic, name);
    if (wrong == MUP_TOPIC_OK ||
        (wrong == MUP_TOPIC_NOT_OWN && is_allowed(allowed, request->topic)))
        return true;
    snprintf(fault->message, sizeof fault->message,
             "the device's description gives this function a topic that must not be used: %s",
             mup_topic_fault_text(wrong));
    return fail(fault, MUP_NETCONF_TAG_OPERATION_FAILED, "topic-not-allowed", NULL);
}

static bool make_bytes(struct mup_device_request *request, struct mup_fault *fault,
                       const struct lyd_node *input)
{
    const char *leaf = NULL;
    enum mup_status status =
        mup_arguments_encode(request->bytes, &request->size, &leaf, request->rpc, input);

    if (status == MUP_OK)
        return true;
    if (status == MUP_ERR_RANGE) {
        snprintf(fault->message, sizeof fault->message,
                 "this value does not fit into a request to a device");
        return fail(fault, MUP_NETCONF_TAG_INVALID_VALUE, "not-on-the-wire", leaf);
    }
    snprintf(fault->message, sizeof fault->message,
             "the inputs together are larger than a device takes (%u bytes)",
             (unsigned)MUP_REQUEST_MAX);
    return fail(fault, MUP_NETCONF_TAG_TOO_BIG, "request-too-big", NULL);
}

bool mup_device_request_make(struct mup_device_request *out, struct mup_fault *fault,
                             const struct mup_registry *registry,
                             const struct mup_allowed_topics *allowed, const char *module,
                             const char *rpc, const struct lyd_node *input)
{
    if (!find_device(out, fault, registry, module, input))
        return false;
    out->rpc = mup_capability_rpc(out->description->capability, rpc);
    if (out->rpc == NULL) {
        snprintf(fault->message, sizeof fault->message, "this module has no such function");
        return fail(fault, MUP_NETCONF_TAG_OPERATION_NOT_SUPPORTED, NULL, NULL);
    }
    return make_topic(out, fault, allowed) && make_bytes(out, fault, input);
}

/* ---- what the device says ---- */

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

static void invalid(struct mup_verdict *out, const char *app_tag, const char *message)
{
    out->kind = MUP_VERDICT_INVALID;
    out->app_tag = app_tag;
    snprintf(out->message, sizeof out->message, "%s", message);
}

/* A state that is a text is not repeated: it may hold what XML cannot. */
static void undeclared_message(char message[MUP_MESSAGE_SIZE], const char *device, const char *rpc,
                               uint32_t state)
{
    char number[16] = "";

    if (state != 0)
        snprintf(number, sizeof number, " %" PRIu32, state);
    snprintf(message, MUP_MESSAGE_SIZE,
             "device %s answered %s with a state%s that its description does not declare", device,
             rpc, number);
}

void mup_verdict_make(struct mup_verdict *out, const struct mup_rpc *rpc,
                      const struct mup_device *device, struct mup_bytes response)
{
    struct mup_response decoded;

    *out = (struct mup_verdict){.kind = MUP_VERDICT_DONE};
    if (mup_response_decode(&decoded, response.data, response.size) != MUP_OK) {
        invalid(out, "answer-invalid", "the device answered with bytes that are no response");
        return;
    }
    out->state = declared_state(rpc, &decoded);
    if (out->state == NULL) {
        out->kind = MUP_VERDICT_INVALID;
        out->app_tag = "undeclared-state";
        undeclared_message(out->message, device->stored.name, rpc->name, decoded.state);
        return;
    }
    out->value_bytes = decoded.value;
    out->has_value = decoded.value.size > 0;
    if (out->has_value)
        mup_value_text(out->value, decoded.value);
    if (out->state->code < FIRST_REFUSAL)
        return;
    out->kind = MUP_VERDICT_REFUSED;
    snprintf(out->message, sizeof out->message, "device %s refused: %s", device->stored.name,
             out->state->description[0] == '\0' ? out->state->name : out->state->description);
}

void mup_timeout_message(char message[MUP_MESSAGE_SIZE], const char *device, const char *rpc,
                         uint64_t timeout_s)
{
    snprintf(message, MUP_MESSAGE_SIZE,
             "device %s did not answer %s within %llu s; it may be asleep or out of reach", device,
             rpc, (unsigned long long)timeout_s);
}
