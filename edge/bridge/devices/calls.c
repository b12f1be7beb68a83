/* RPCs under way: see calls.h. */
#include "bridge/devices/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/devices/arguments.h"
#include "runtime/log.h"

#define BUCKETS 1024u

struct call {
    struct call *next; /* in its bucket */
    struct mup_calls *calls;
    struct mup_netconf_request *request;
    struct mup_exchange *exchange;
    struct mup_device *device;
    struct mup_known_description *description; /* counts us as a user while we are under way */
    const struct mup_rpc *rpc;
};

struct mup_calls {
    struct mup_calls_settings settings;
    struct call *buckets[BUCKETS]; /* by request */
};

static struct call **bucket_of(struct mup_calls *calls, const struct mup_netconf_request *request)
{
    return &calls->buckets[((uintptr_t)request >> 4) % BUCKETS];
}

struct mup_calls *mup_calls_new(const struct mup_calls_settings *settings)
{
    struct mup_calls *calls = calloc(1, sizeof *calls);

    if (calls != NULL)
        calls->settings = *settings;
    return calls;
}

/*
 * Always before its request is answered: the answer lets the session go on, and its next request,
 * which may be cancelled within, can have the address of this one.
 */
static void take_out(struct call *call)
{
    struct call **at = bucket_of(call->calls, call->request);

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
}

static void release(struct call *call)
{
    call->description->users--;
    free(call);
}

void mup_calls_free(struct mup_calls *calls)
{
    if (calls == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (calls->buckets[i] != NULL) {
            struct call *call = calls->buckets[i];
            mup_exchange_cancel(call->exchange);
            take_out(call);
            release(call);
        }
    free(calls);
}

bool mup_calls_cancel(struct mup_calls *calls, const struct mup_netconf_request *request)
{
    struct call *call = *bucket_of(calls, request);

    while (call != NULL && call->request != request)
        call = call->next;
    if (call == NULL)
        return false;
    mup_exchange_cancel(call->exchange);
    take_out(call);
    release(call);
    return true;
}

/* ---- the end ---- */

static void answer_timeout(const struct call *call)
{
    char message[MUP_MESSAGE_SIZE];

    mup_timeout_message(message, call->device->stored.name, call->rpc->yang_name,
                        call->calls->settings.timeout_s);
    mup_log(MUP_LOG_WARNING, "calls", mup_log_event("no answer"),
            mup_log_text("device", call->device->stored.name),
            mup_log_text("rpc", call->rpc->yang_name));
    mup_netconf_reply_error(call->request, MUP_NETCONF_TAG_OPERATION_FAILED, "device-timeout",
                            message, NULL);
}

static void answer_output(const struct call *call, const struct mup_verdict *verdict)
{
    struct lyd_node *tree = NULL;

    if (mup_output_make(&tree, mup_netconf_schemas(call->calls->settings.netconf),
                        call->description->capability->module_name, call->rpc->yang_name,
                        verdict->state->name, verdict->value_bytes) == MUP_OK)
        (void)mup_netconf_reply_tree(call->request, tree);
    else
        mup_netconf_reply_error(call->request, MUP_NETCONF_TAG_OPERATION_FAILED, "answer-invalid",
                                "the device's answer does not fit its description", NULL);
}

static void answer(const struct call *call, struct mup_bytes response)
{
    const struct mup_calls_settings *settings = &call->calls->settings;
    struct mup_verdict verdict;

    mup_verdict_make(&verdict, call->rpc, call->device, response);
    if (verdict.state != NULL && settings->on_answer != NULL)
        settings->on_answer(settings->arg, call->device, call->rpc, verdict.state);
    switch (verdict.kind) {
    case MUP_VERDICT_DONE:
        answer_output(call, &verdict);
        return;
    case MUP_VERDICT_REFUSED:
        mup_netconf_reply_refusal(call->request, verdict.state->name, verdict.message,
                                  verdict.has_value ? verdict.value : NULL);
        return;
    case MUP_VERDICT_INVALID:
        mup_netconf_reply_error(call->request, MUP_NETCONF_TAG_OPERATION_FAILED, verdict.app_tag,
                                verdict.message, NULL);
        return;
    }
}

static void on_end(void *arg, struct mup_bytes response)
{
    struct call *call = arg;

    take_out(call);
    if (response.data == NULL)
        answer_timeout(call);
    else
        answer(call, response);
    release(call);
}

/* ---- the beginning ---- */

/* False: there is no room for it. */
static bool begin(struct call *call, const struct mup_device_request *made)
{
    struct call **bucket = bucket_of(call->calls, call->request);
    uint8_t correlation[MUP_CORRELATION_SIZE];
    struct mup_exchange_request request = {
        .device = made->device,
        .topic = made->topic,
        .bytes = made->bytes,
        .size = made->size,
        .correlation = correlation,
        .timeout_ms = (uint64_t)call->calls->settings.timeout_s * 1000,
    };

    if (!mup_correlation_make(correlation))
        return false;
    call->device = made->device;
    call->description = made->description;
    call->rpc = made->rpc;
    call->exchange = mup_exchange_begin(call->calls->settings.exchanges, &request, on_end, call);
    if (call->exchange == NULL)
        return false;
    call->description->users++;
    call->next = *bucket;
    *bucket = call;
    return true;
}

void mup_calls_begin(struct mup_calls *calls, struct mup_netconf_request *request,
                     const char *module, const char *rpc, const struct lyd_node *input)
{
    struct mup_device_request made;
    struct mup_fault fault;
    struct call *call;

    if (!mup_device_request_make(&made, &fault, calls->settings.registry,
                                 &calls->settings.allowed_topics, module, rpc, input)) {
        mup_netconf_reply_error(request, fault.tag, fault.app_tag, fault.message, fault.path);
        return;
    }
    call = calloc(1, sizeof *call);
    if (call != NULL) {
        call->calls = calls;
        call->request = request;
    }
    if (call != NULL && begin(call, &made))
        return;
    free(call);
    mup_netconf_reply_error(request, MUP_NETCONF_TAG_RESOURCE_DENIED, "too-many-calls",
                            "too many calls are under way; try again later", NULL);
}
