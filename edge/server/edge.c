/* NETCONF calls to the bridge: what goes into the XML, what comes out of it. */
#include "server/edge.h"

#include <ctype.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mup/cbor.h"
#include "mup/manifest.h"
#include "mup/rpc.h"
#include "mup/state.h"
#include "runtime/log.h"
#include "runtime/netconf_client.h"

#define RPC_SIZE   2048u
#define VALUE_SIZE (MUP_RESPONSE_MAX + 16u)
#define TEXT_SIZE  (2u * MUP_RESPONSE_MAX)

/* The message that the bridge makes of a command; its size is what the bench reports. */
static const char *const methods[MUP_EDGE_COMMAND_COUNT] = {
    [MUP_EDGE_TOKEN] = MUP_METHOD_GET_TOKEN,
    [MUP_EDGE_MANIFEST] = MUP_METHOD_MANIFEST,
    [MUP_EDGE_VERIFY] = MUP_METHOD_VERIFY,
};

struct looker {
    struct looker *next;
    mup_edge_on_look *on_look;
    void *arg;
};

struct mup_edge_call {
    struct mup_edge_call *next;
    struct mup_edge *edge;
    struct mup_netconf_client *client;
    struct mup_timer *settle; /* the end is told from the loop, not from inside the client */
    mup_edge_on_answer *on_answer;
    void *arg;
    uint32_t bytes_out;
    bool answered;
    bool again;
    struct mup_update_answer answer;
    uint8_t value[VALUE_SIZE];
    char reason[33];
    char message[MUP_UPDATE_MESSAGE_SIZE];
};

struct mup_edge {
    struct mup_loop *loop;
    char *socket_path;
    char *user;
    char *rpc_names[MUP_EDGE_COMMAND_COUNT];
    char *manifest_input;
    uint32_t timeout_ms;
    struct mup_edge_call *calls;
    struct looker *lookers;
    struct mup_netconf_client *look_client;
    struct mup_timer *look_settle;
    struct mup_directory directory;
    struct mup_fault look_fault;
};

static void ignore_state(void *arg, bool open)
{
    (void)arg;
    (void)open;
}

static struct mup_netconf_client *connect_client(struct mup_edge *edge, void *arg)
{
    struct mup_netconf_client_settings settings = {.socket_path = edge->socket_path,
                                                   .user = edge->user};

    return mup_netconf_client_new(edge->loop, &settings, ignore_state, arg);
}

/* ---- looking ---- */

static void tell_lookers(void *arg)
{
    struct mup_edge *edge = arg;
    struct looker *lookers = edge->lookers;
    const struct mup_fault copied = edge->look_fault;
    const struct mup_fault *fault = copied.code == MUP_FAULT_NONE ? NULL : &copied;

    if (edge->look_client) {
        mup_netconf_client_free(edge->look_client);
        edge->look_client = NULL;
    }
    edge->lookers = NULL;
    struct mup_directory directory = edge->directory;
    edge->directory = (struct mup_directory){NULL, 0};
    while (lookers) {
        struct looker *looker = lookers;
        lookers = looker->next;
        if (looker->on_look) {
            looker->on_look(looker->arg, fault, fault ? NULL : &directory);
        }
        free(looker);
    }
    mup_directory_free(&directory);
}

static void on_look_reply(void *arg, const struct mup_netconf_reply *reply)
{
    struct mup_edge *edge = arg;

    if (reply->outcome == MUP_NETCONF_OK) {
        enum mup_status status = mup_directory_parse(&edge->directory, reply->xml, reply->xml_size);
        if (status != MUP_OK) {
            mup_fault_set(&edge->look_fault, MUP_FAULT_BRIDGE_UNREACHABLE,
                          "the bridge's list of devices cannot be read (%s)",
                          mup_status_name(status));
        }
    } else if (reply->outcome == MUP_NETCONF_ERROR) {
        mup_fault_set(&edge->look_fault, MUP_FAULT_BRIDGE_UNREACHABLE,
                      "the bridge refused to list its devices: %.160s", reply->error_message);
    } else {
        mup_fault_set(&edge->look_fault, MUP_FAULT_BRIDGE_UNREACHABLE,
                      "no answer from the bridge at %.160s", edge->socket_path);
    }
    mup_timer_start(edge->look_settle, 0);
}

static void begin_look(struct mup_edge *edge)
{
    edge->look_fault = (struct mup_fault){MUP_FAULT_NONE, ""};
    edge->look_client = connect_client(edge, edge);
    if (!edge->look_client ||
        mup_netconf_client_call(edge->look_client, mup_directory_rpc, MUP_EDGE_LOOK_TIMEOUT_MS,
                                on_look_reply, edge) != MUP_OK) {
        mup_fault_set(&edge->look_fault, MUP_FAULT_BRIDGE_UNREACHABLE,
                      "cannot reach the bridge at %.160s", edge->socket_path);
        mup_timer_start(edge->look_settle, 0);
    }
}

void mup_edge_look(struct mup_edge *edge, mup_edge_on_look *on_look, void *arg)
{
    struct looker *looker = calloc(1, sizeof *looker);

    if (!looker) {
        abort(); /* not a hundred bytes left: whoever supervises us starts us again */
    }
    bool first = edge->lookers == NULL;
    looker->on_look = on_look;
    looker->arg = arg;
    looker->next = edge->lookers;
    edge->lookers = looker;
    if (first) {
        begin_look(edge);
    }
}

void mup_edge_forget_look(struct mup_edge *edge, const void *arg)
{
    for (struct looker *looker = edge->lookers; looker; looker = looker->next) {
        if (looker->arg == arg) {
            looker->on_look = NULL;
        }
    }
}

/* ---- calling ---- */

static void call_free(struct mup_edge_call *call)
{
    struct mup_edge_call **at = &call->edge->calls;

    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
    if (call->client) {
        mup_netconf_client_free(call->client);
    }
    mup_timer_free(call->settle);
    free(call);
}

void mup_edge_cancel(struct mup_edge_call *call)
{
    call_free(call);
}

static void settle(void *arg)
{
    struct mup_edge_call *call = arg;
    struct mup_edge_call told = *call;

    told.answer.value = told.value;
    call_free(call);
    told.on_answer(told.arg, told.answered ? &told.answer : NULL, told.again, told.reason,
                   told.message);
}

static void no_answer(struct mup_edge_call *call, bool again, const char *reason,
                      const char *message)
{
    call->answered = false;
    call->again = again;
    snprintf(call->reason, sizeof call->reason, "%s", reason);
    snprintf(call->message, sizeof call->message, "%s", message);
    mup_timer_start(call->settle, 0);
}

/* Base64 with or without line ends. Returns the size, or -1. */
static int decode_base64(uint8_t *out, size_t capacity, char *text)
{
    size_t size = 0;
    size_t padding = 0;

    for (const char *c = text; *c; c++) {
        if (!isspace((unsigned char)*c)) {
            text[size++] = *c;
        }
    }
    while (padding < size && padding < 2 && text[size - 1 - padding] == '=') {
        padding++;
    }
    if (size / 4 * 3 > capacity || size > INT_MAX / 2) {
        return -1;
    }
    int decoded = EVP_DecodeBlock(out, (const unsigned char *)text, (int)size);
    return decoded < (int)padding ? -1 : decoded - (int)padding;
}

/* The value is the byte string's bytes; a bridge that passes the whole CBOR item on is understood
 * too, since neither a token nor an acknowledgement begins like a byte string. */
static void unwrap(struct mup_update_answer *answer)
{
    struct mup_cbor_reader reader;

    mup_cbor_reader_init(&reader, answer->value, answer->value_size);
    struct mup_bytes inner = mup_cbor_read_bytes(&reader, 0, MUP_RESPONSE_MAX);
    if (answer->value_size > 0 && mup_cbor_reader_finish(&reader) == MUP_OK) {
        answer->value = inner.data;
        answer->value_size = inner.size;
    }
}

/* How many bytes the device's response had, by docs/SPEC.md section 12. */
static uint32_t response_size(uint32_t state, size_t value_size)
{
    size_t head = value_size < 24 ? 1 : value_size < 256 ? 2 : 3;
    size_t size = 1 + 1 + (state < 24 ? 1u : 2u);

    return (uint32_t)(value_size == 0 ? size : size + 1 + head + value_size);
}

/* The number of a state such as "22_INVALID_NONCE" or "22"; 0: it has none. */
static uint32_t state_number(const char *text)
{
    char *rest;
    unsigned long state = isdigit((unsigned char)text[0]) ? strtoul(text, &rest, 10) : 0;

    return state > 0 && state <= MUP_STATE_MAX && (*rest == '\0' || *rest == '_') ? (uint32_t)state
                                                                                  : 0;
}

/* The state, and the value that came with it if there is one; false: it is not base64. */
static bool take_answer(struct mup_edge_call *call, uint32_t state,
                        const struct mup_netconf_reply *reply)
{
    char text[TEXT_SIZE];

    call->answer = (struct mup_update_answer){.state = state, .value = call->value};
    if (mup_netconf_reply_text(reply, "value", text, sizeof text) == MUP_OK) {
        int size = decode_base64(call->value, sizeof call->value, text);
        if (size < 0) {
            return false;
        }
        call->answer.value_size = (size_t)size;
        unwrap(&call->answer);
        memmove(call->value, call->answer.value, call->answer.value_size);
    }
    call->answer.bytes_out = call->bytes_out;
    call->answer.bytes_in = response_size(state, call->answer.value_size);
    return true;
}

static bool read_answer(struct mup_edge_call *call, const struct mup_netconf_reply *reply)
{
    char text[TEXT_SIZE];

    if (mup_netconf_reply_text(reply, "state", text, sizeof text) != MUP_OK ||
        state_number(text) == 0) {
        return false;
    }
    return take_answer(call, state_number(text), reply);
}

/* Errors that the same call would meet again; everything else may pass. */
static bool is_final(const struct mup_netconf_reply *reply)
{
    static const char *const finals[] = {
        "unknown-device",    "device-refused",  "access-denied",          "invalid-value",
        "unknown-namespace", "unknown-element", "operation-not-supported"};

    for (size_t i = 0; i < sizeof finals / sizeof finals[0]; i++) {
        if (strcmp(reply->error_app_tag, finals[i]) == 0 ||
            (reply->error_app_tag[0] == '\0' && strcmp(reply->error_tag, finals[i]) == 0)) {
            return true;
        }
    }
    return false;
}

/* The bridge tells a device's refusal as an error whose app-tag is the declared state, with the
 * device's value in its error-info. */
static void on_error(struct mup_edge_call *call, const struct mup_netconf_reply *reply)
{
    uint32_t state = state_number(reply->error_app_tag);

    if (state == 0) {
        no_answer(call, !is_final(reply),
                  reply->error_app_tag[0] ? reply->error_app_tag : reply->error_tag,
                  reply->error_message);
        return;
    }
    call->answered = take_answer(call, state, reply);
    if (call->answered) {
        mup_timer_start(call->settle, 0);
    } else {
        no_answer(call, false, "answer-not-valid",
                  "the bridge's error has a value that is not base64");
    }
}

static void on_reply(void *arg, const struct mup_netconf_reply *reply)
{
    struct mup_edge_call *call = arg;

    switch (reply->outcome) {
    case MUP_NETCONF_OK:
        call->answered = read_answer(call, reply);
        if (call->answered) {
            mup_timer_start(call->settle, 0);
        } else {
            no_answer(call, false, "answer-not-valid",
                      "the bridge's reply has no state, or a value that is not base64");
        }
        break;
    case MUP_NETCONF_ERROR:
        on_error(call, reply);
        break;
    case MUP_NETCONF_TIMEOUT:
        no_answer(call, true, "bridge-timeout", "the bridge did not answer in time");
        break;
    case MUP_NETCONF_LOST:
        no_answer(call, true, "bridge-unreachable", "the session with the bridge was lost");
        break;
    }
}

static enum mup_status write_rpc(const struct mup_edge *edge, char *xml, size_t size,
                                 const struct mup_directory_device *device,
                                 enum mup_edge_command command, struct mup_bytes argument)
{
    unsigned char base64[4 * ((MUP_EXTENDED_SIGNED_MAX + 2) / 3) + 1];
    const char *name = edge->rpc_names[command];
    size_t used;

    snprintf(xml, size, "<%s xmlns=\"", name);
    if (argument.size > MUP_EXTENDED_SIGNED_MAX ||
        mup_netconf_append_escaped(xml, size, device->xml_space) != MUP_OK) {
        return MUP_ERR_RANGE;
    }
    used = strlen(xml);
    snprintf(xml + used, size - used, "\"><uuid>");
    if (mup_netconf_append_escaped(xml, size, device->uuid) != MUP_OK) {
        return MUP_ERR_RANGE;
    }
    used = strlen(xml);
    snprintf(xml + used, size - used, "</uuid>");
    if (argument.size > 0) {
        EVP_EncodeBlock(base64, argument.data, (int)argument.size);
        used = strlen(xml);
        snprintf(xml + used, size - used, "<%s>%s</%s>", edge->manifest_input, (char *)base64,
                 edge->manifest_input);
    }
    used = strlen(xml);
    int last = snprintf(xml + used, size - used, "</%s>", name);
    return last > 0 && (size_t)last < size - used ? MUP_OK : MUP_ERR_SPACE;
}

/* How many bytes the bridge's request has, by docs/SPEC.md section 12. */
static uint32_t request_size(enum mup_edge_command command, size_t argument_size)
{
    size_t head = argument_size < 24 ? 1 : argument_size < 256 ? 2 : 3;
    size_t size = 1 + 1 + 1 + strlen(methods[command]); /* each has less than 24 bytes */

    return (uint32_t)(argument_size == 0 ? size : size + 1 + 1 + head + argument_size);
}

struct mup_edge_call *mup_edge_call(struct mup_edge *edge,
                                    const struct mup_directory_device *device,
                                    enum mup_edge_command command, struct mup_bytes argument,
                                    mup_edge_on_answer *on_answer, void *arg)
{
    char xml[RPC_SIZE];
    struct mup_edge_call *call = calloc(1, sizeof *call);

    if (!call || !(call->settle = mup_timer_new(edge->loop, settle, call))) {
        free(call);
        return NULL;
    }
    call->edge = edge;
    call->on_answer = on_answer;
    call->arg = arg;
    call->next = edge->calls;
    edge->calls = call;
    call->bytes_out = request_size(command, argument.size);
    call->client = connect_client(edge, call);
    if (write_rpc(edge, xml, sizeof xml, device, command, argument) != MUP_OK) {
        no_answer(call, false, "bad-request", "the command does not fit into an RPC");
    } else if (!call->client || mup_netconf_client_call(call->client, xml, edge->timeout_ms,
                                                        on_reply, call) != MUP_OK) {
        no_answer(call, true, "bridge-unreachable", "cannot reach the bridge");
    }
    return call;
}

/* ---- begin and end ---- */

static char *copy(const char *text, const char *otherwise)
{
    char *made = strdup(text ? text : otherwise);

    if (!made) {
        abort(); /* at start */
    }
    return made;
}

struct mup_edge *mup_edge_new(struct mup_loop *loop, const struct mup_edge_settings *settings)
{
    static const char *const names[MUP_EDGE_COMMAND_COUNT] = {
        [MUP_EDGE_TOKEN] = "getDeviceToken",
        [MUP_EDGE_MANIFEST] = "sendExtendedManifest",
        [MUP_EDGE_VERIFY] = "verifyFirmware",
    };
    struct mup_edge *edge = calloc(1, sizeof *edge);

    if (!edge || !(edge->look_settle = mup_timer_new(loop, tell_lookers, edge))) {
        free(edge);
        return NULL;
    }
    edge->loop = loop;
    edge->timeout_ms = settings->timeout_ms ? settings->timeout_ms : MUP_EDGE_TIMEOUT_MS;
    edge->socket_path = copy(settings->socket_path, "");
    edge->user = copy(settings->user, "mup-server");
    edge->manifest_input = copy(settings->manifest_input, "manifest");
    for (size_t i = 0; i < MUP_EDGE_COMMAND_COUNT; i++) {
        edge->rpc_names[i] = copy(settings->rpc_names[i], names[i]);
    }
    return edge;
}

void mup_edge_free(struct mup_edge *edge)
{
    if (!edge) {
        return;
    }
    while (edge->calls) {
        call_free(edge->calls);
    }
    for (struct looker *looker = edge->lookers; looker; looker = looker->next) {
        looker->on_look = NULL;
    }
    tell_lookers(edge);
    mup_timer_free(edge->look_settle);
    for (size_t i = 0; i < MUP_EDGE_COMMAND_COUNT; i++) {
        free(edge->rpc_names[i]);
    }
    free(edge->socket_path);
    free(edge->user);
    free(edge->manifest_input);
    free(edge);
}
