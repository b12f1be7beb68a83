/* One session for each call. */
#include "server/forms/caller.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/netconf_client.h"

struct call {
    struct call *next;
    struct mup_caller *caller;
    struct mup_netconf_client *client;
    struct mup_timer *settle; /* the end is told from the loop, not from inside the client */
    mup_caller_on_called *on_called;
    void *arg;
    uint64_t begun_ms;
    struct mup_fault fault;
    uint32_t took_ms;
    char state[MUP_CALLER_STATE_MAX + 1];
    char *value;
};

struct mup_caller {
    struct mup_loop *loop;
    char *socket_path;
    uint32_t timeout_ms;
    struct call *calls;
    size_t count;
};

static void free_call(struct call *call)
{
    struct call **at = &call->caller->calls;

    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
    call->caller->count--;
    mup_netconf_client_free(call->client);
    mup_timer_free(call->settle);
    free(call->value);
    free(call);
}

static void settle(void *arg)
{
    struct call *call = arg;
    struct mup_caller_result result = {call->state, call->value ? call->value : "", call->took_ms};

    call->on_called(call->arg, call->fault.code == MUP_FAULT_NONE ? NULL : &call->fault, &result);
    free_call(call);
}

/* ---- what came back ---- */

static void take_value(struct call *call, const struct mup_netconf_reply *reply)
{
    size_t size = reply->xml_size < MUP_CALLER_VALUE_MAX ? reply->xml_size : MUP_CALLER_VALUE_MAX;

    call->value = calloc(1, size + 1);
    if (call->value && mup_netconf_reply_text(reply, "value", call->value, size + 1) != MUP_OK) {
        call->value[0] = '\0';
    }
}

static enum mup_fault_code fault_code(const struct mup_netconf_reply *reply)
{
    static const struct {
        const char *tag;
        enum mup_fault_code code;
    } codes[] = {
        {"unknown-device", MUP_FAULT_UNKNOWN_DEVICE},
        {"device-timeout", MUP_FAULT_DEVICE_TIMEOUT},
        {"device-quarantined", MUP_FAULT_DEVICE_OUT_OF_SERVICE},
        {"device-retired", MUP_FAULT_DEVICE_OUT_OF_SERVICE},
        {"undeclared-state", MUP_FAULT_ANSWER_NOT_VALID},
        {"access-denied", MUP_FAULT_ACCESS_DENIED},
        {"invalid-value", MUP_FAULT_INPUT_NOT_VALID},
        {"missing-element", MUP_FAULT_INPUT_NOT_VALID},
        {"bad-element", MUP_FAULT_INPUT_NOT_VALID},
        {"too-big", MUP_FAULT_INPUT_NOT_VALID},
        {"unknown-element", MUP_FAULT_UNKNOWN_RPC},
        {"unknown-namespace", MUP_FAULT_UNKNOWN_RPC},
        {"operation-not-supported", MUP_FAULT_UNKNOWN_RPC},
        {"resource-denied", MUP_FAULT_BUSY},
        {"in-use", MUP_FAULT_BUSY},
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(reply->error_app_tag, codes[i].tag) == 0) {
            return codes[i].code;
        }
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(reply->error_tag, codes[i].tag) == 0) {
            return codes[i].code;
        }
    }
    return MUP_FAULT_DEVICE_REFUSED;
}

static void take_error(struct call *call, const struct mup_netconf_reply *reply)
{
    if (strlen(reply->error_app_tag) <= MUP_CALLER_STATE_MAX) {
        memcpy(call->state, reply->error_app_tag, strlen(reply->error_app_tag) + 1);
        take_value(call, reply);
    }
    mup_fault_set(&call->fault, fault_code(reply), "%.220s",
                  reply->error_message[0] ? reply->error_message : reply->error_tag);
}

static void on_reply(void *arg, const struct mup_netconf_reply *reply)
{
    struct call *call = arg;

    call->took_ms = (uint32_t)(mup_loop_now_ms(call->caller->loop) - call->begun_ms);
    switch (reply->outcome) {
    case MUP_NETCONF_OK:
        take_value(call, reply);
        if (mup_netconf_reply_text(reply, "state", call->state, sizeof call->state) != MUP_OK) {
            mup_fault_set(&call->fault, MUP_FAULT_ANSWER_NOT_VALID,
                          "the bridge's answer has no state");
        }
        break;
    case MUP_NETCONF_ERROR:
        take_error(call, reply);
        break;
    case MUP_NETCONF_TIMEOUT:
        mup_fault_set(&call->fault, MUP_FAULT_DEVICE_TIMEOUT, "no answer in time");
        break;
    case MUP_NETCONF_LOST:
        mup_fault_set(&call->fault, MUP_FAULT_BRIDGE_UNREACHABLE,
                      "the session with the bridge was lost, or it does not take this user's name "
                      "from this server");
        break;
    }
    mup_timer_start(call->settle, 0);
}

static void on_state(void *arg, bool open)
{
    (void)arg;
    (void)open;
}

bool mup_caller_call(struct mup_caller *caller, const char *user, const char *rpc_xml,
                     mup_caller_on_called *on_called, void *arg)
{
    struct mup_netconf_client_settings settings = {.socket_path = caller->socket_path,
                                                   .user = user};
    struct call *call = caller->count < MUP_CALLER_CALLS_MAX ? calloc(1, sizeof *call) : NULL;

    if (!call || !(call->settle = mup_timer_new(caller->loop, settle, call))) {
        free(call);
        return false;
    }
    call->caller = caller;
    call->on_called = on_called;
    call->arg = arg;
    call->begun_ms = mup_loop_now_ms(caller->loop);
    call->next = caller->calls;
    caller->calls = call;
    caller->count++;
    call->client = mup_netconf_client_new(caller->loop, &settings, on_state, call);
    if (!call->client || mup_netconf_client_call(call->client, rpc_xml, caller->timeout_ms,
                                                 on_reply, call) != MUP_OK) {
        mup_fault_set(&call->fault, MUP_FAULT_BRIDGE_UNREACHABLE, "cannot reach the bridge");
        mup_timer_start(call->settle, 0);
    }
    return true;
}

struct mup_caller *mup_caller_new(struct mup_loop *loop, const struct mup_caller_settings *settings)
{
    struct mup_caller *caller = calloc(1, sizeof *caller);

    if (caller && !(caller->socket_path = strdup(settings->socket_path))) {
        free(caller);
        return NULL;
    }
    if (caller) {
        caller->loop = loop;
        caller->timeout_ms = settings->timeout_ms;
    }
    return caller;
}

void mup_caller_free(struct mup_caller *caller)
{
    if (!caller) {
        return;
    }
    while (caller->calls) {
        free_call(caller->calls);
    }
    free(caller->socket_path);
    free(caller);
}
