/*
 * The NETCONF client: a connection, a hello, and calls that are answered in the order in which
 * they were made. The memory of a client ends in the closing callback of its pipe, so that a
 * callback may free the client that called it.
 */
#include "runtime/netconf_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "runtime/log.h"
#include "runtime/netconf_framing.h"
#include "runtime/text.h"
#include "runtime/xml.h"

#define NETCONF_NAMESPACE  "urn:ietf:params:xml:ns:netconf:base:1.0"
#define CALL_ELEMENTS_MAX  16384u
#define REPLY_ELEMENTS_MAX 1048576u
#define ERROR_TAG_SIZE     64u
#define ERROR_MESSAGE_SIZE 1024u

enum client_state { CLIENT_CONNECTING, CLIENT_HELLO, CLIENT_OPEN, CLIENT_ENDED };

struct call {
    struct call *next;
    struct mup_netconf_client *client;
    struct mup_timer *timer;
    mup_netconf_on_reply *on_reply;
    void *arg;
    unsigned long id;
    char *xml; /* NULL once it is sent */
};

struct mup_netconf_client {
    struct mup_loop *loop;
    uv_pipe_t pipe;
    uv_connect_t connect;
    struct mup_timer *hello_timer;
    enum client_state state;
    bool freed;  /* the owner is done with it */
    bool closed; /* libuv is done with it */
    void (*on_state)(void *arg, bool open);
    void (*on_notification)(void *arg, const char *xml, size_t size); /* may be NULL */
    void *arg;
    char *user;
    struct mup_netconf_framing framing;
    struct call *calls;
    struct call **calls_end;
    size_t call_count;
    unsigned long last_id;
};

static void free_call(struct call *call)
{
    mup_timer_free(call->timer);
    free(call->xml);
    free(call);
}

static struct call *take_call(struct mup_netconf_client *client)
{
    struct call *call = client->calls;

    client->calls = call->next;
    if (!client->calls) {
        client->calls_end = &client->calls;
    }
    client->call_count--;
    return call;
}

static void free_client(struct mup_netconf_client *client)
{
    mup_netconf_framing_free(&client->framing);
    free(client->user);
    free(client);
}

static void pipe_closed(uv_handle_t *handle)
{
    struct mup_netconf_client *client = handle->data;

    client->closed = true;
    if (client->freed) {
        free_client(client);
    }
}

static void close_pipe(struct mup_netconf_client *client)
{
    client->state = CLIENT_ENDED;
    mup_timer_free(client->hello_timer);
    client->hello_timer = NULL;
    uv_close((uv_handle_t *)&client->pipe, pipe_closed);
}

/* End the session: all calls are lost, but `late` (NULL: none) was out of time. */
static void end_for(struct mup_netconf_client *client, const struct call *late, const char *why)
{
    if (client->state == CLIENT_ENDED) {
        return;
    }
    mup_log(MUP_LOG_DEBUG, "netconf-client", mup_log_event("session ended"),
            mup_log_text("user", client->user), mup_log_text("reason", why));
    close_pipe(client);
    while (client->calls) { /* a callback that frees the client empties the list */
        struct call *call = take_call(client);
        struct mup_netconf_reply reply = {.outcome =
                                              call == late ? MUP_NETCONF_TIMEOUT : MUP_NETCONF_LOST,
                                          .xml = "",
                                          .error_tag = "",
                                          .error_app_tag = "",
                                          .error_message = why};
        call->on_reply(call->arg, &reply);
        free_call(call);
    }
    if (!client->freed) {
        client->on_state(client->arg, false);
    }
}

static void end(struct mup_netconf_client *client, const char *why)
{
    end_for(client, NULL, why);
}

/* ---- output ---- */

struct output {
    uv_write_t uv;
    struct mup_netconf_client *client;
    char *bytes;
};

static void written(uv_write_t *uv, int status)
{
    struct output *output = uv->data;
    struct mup_netconf_client *client = output->client;

    free(output->bytes);
    free(output);
    if (status < 0) {
        end(client, uv_strerror(status));
    }
}

/* Takes `bytes`. False: the session has to end. */
static bool send_bytes(struct mup_netconf_client *client, char *bytes, size_t size)
{
    struct output *output = bytes ? calloc(1, sizeof *output) : NULL;

    if (!output) {
        free(bytes);
        return false;
    }
    *output = (struct output){.client = client, .bytes = bytes};
    output->uv.data = output;
    uv_buf_t buffer = uv_buf_init(bytes, (unsigned)size);
    if (uv_write(&output->uv, (uv_stream_t *)&client->pipe, &buffer, 1, written) != 0) {
        free(bytes);
        free(output);
        return false;
    }
    return true;
}

static bool send_call(struct mup_netconf_client *client, struct call *call)
{
    struct mup_text text = {0};
    char *framed = NULL;
    size_t size = 0;

    mup_text_format(&text, "<rpc xmlns=\"" NETCONF_NAMESPACE "\" message-id=\"%lu\">", call->id);
    mup_text_add(&text, call->xml);
    mup_text_add(&text, "</rpc>");
    free(call->xml);
    call->xml = NULL;
    if (!text.failed) {
        framed = mup_netconf_frame(client->framing.mode, text.bytes, text.size, &size);
    }
    mup_text_free(&text);
    return send_bytes(client, framed, size);
}

static bool send_hello(struct mup_netconf_client *client)
{
    struct mup_text text = {0};

    mup_text_format(&text,
                    "as %s\n<hello xmlns=\"" NETCONF_NAMESPACE "\"><capabilities>"
                    "<capability>urn:ietf:params:netconf:base:1.1</capability>"
                    "</capabilities></hello>]]>]]>",
                    client->user);
    size_t size = text.size;
    return send_bytes(client, mup_text_take(&text), size);
}

/* ---- input ---- */

/* The decoded text of the first element of this local name. */
static enum mup_status first_text(const char *xml, size_t xml_size, const char *name, char *text,
                                  size_t size)
{
    struct mup_xml reader;
    struct mup_xml_span found = {"", 0};
    bool inside = false;

    mup_xml_init(&reader, xml, xml_size);
    while (mup_xml_next(&reader) == MUP_OK && reader.event != MUP_XML_DONE) {
        if (inside && reader.event == MUP_XML_START) {
            return MUP_ERR_FORMAT;
        }
        if (inside && reader.event == MUP_XML_END) {
            return mup_xml_decode(text, size, found);
        }
        if (inside && reader.event == MUP_XML_TEXT) {
            if (reader.cdata || found.size > 0) { /* our server writes one plain run */
                return MUP_ERR_FORMAT;
            }
            found = reader.text;
        }
        inside |= reader.event == MUP_XML_START && mup_xml_is(reader.local, name);
    }
    return MUP_ERR_FORMAT;
}

enum mup_status mup_netconf_reply_text(const struct mup_netconf_reply *reply, const char *name,
                                       char *text, size_t size)
{
    return first_text(reply->xml, reply->xml_size, name, text, size);
}

static void text_or_empty(const char *xml, size_t xml_size, const char *name, char *text,
                          size_t size)
{
    if (first_text(xml, xml_size, name, text, size)) {
        text[0] = '\0';
    }
}

/* Whether this is the <rpc-reply> to the call, and whether it is an error. */
static bool read_reply(const char *xml, size_t size, unsigned long id, bool *is_error)
{
    struct mup_xml reader;
    struct mup_xml_span value;
    char wanted[24];

    snprintf(wanted, sizeof wanted, "%lu", id);
    mup_xml_init(&reader, xml, size);
    if (mup_xml_check(xml, size, REPLY_ELEMENTS_MAX) || mup_xml_next(&reader) ||
        !mup_xml_is(reader.local, "rpc-reply") ||
        !mup_xml_attribute(&reader, "message-id", &value) || !mup_xml_is(value, wanted)) {
        return false;
    }
    *is_error = false;
    while (mup_xml_next(&reader) == MUP_OK && reader.event != MUP_XML_DONE) {
        *is_error |= reader.event == MUP_XML_START && reader.depth == 2 &&
                     mup_xml_is(reader.local, "rpc-error");
    }
    return true;
}

static void take_reply(struct mup_netconf_client *client, const char *xml, size_t size)
{
    char tag[ERROR_TAG_SIZE] = "";
    char app_tag[ERROR_TAG_SIZE] = "";
    char message[ERROR_MESSAGE_SIZE] = "";
    bool is_error;

    if (!client->calls || client->calls->xml ||
        !read_reply(xml, size, client->calls->id, &is_error)) {
        end(client, "the server answered what was not asked");
        return;
    }
    if (is_error) {
        text_or_empty(xml, size, "error-tag", tag, sizeof tag);
        text_or_empty(xml, size, "error-app-tag", app_tag, sizeof app_tag);
        text_or_empty(xml, size, "error-message", message, sizeof message);
    }
    struct call *call = take_call(client);
    struct mup_netconf_reply reply = {.outcome = is_error ? MUP_NETCONF_ERROR : MUP_NETCONF_OK,
                                      .xml = xml,
                                      .xml_size = size,
                                      .error_tag = tag,
                                      .error_app_tag = app_tag,
                                      .error_message = message};
    call->on_reply(call->arg, &reply);
    free_call(call);
}

/* True when it was one, and was taken. */
static bool take_notification(struct mup_netconf_client *client, const char *xml, size_t size)
{
    struct mup_xml reader;

    mup_xml_init(&reader, xml, size);
    if (!client->on_notification || mup_xml_next(&reader) ||
        !mup_xml_is(reader.local, "notification")) {
        return false;
    }
    if (mup_xml_check(xml, size, REPLY_ELEMENTS_MAX)) {
        end(client, "the server's notification is not well-formed");
    } else {
        client->on_notification(client->arg, xml, size);
    }
    return true;
}

static bool is_hello(const char *xml, size_t size)
{
    struct mup_xml reader;
    bool chunked = false;

    mup_xml_init(&reader, xml, size);
    if (mup_xml_check(xml, size, REPLY_ELEMENTS_MAX) || mup_xml_next(&reader) ||
        !mup_xml_is(reader.local, "hello")) {
        return false;
    }
    while (mup_xml_next(&reader) == MUP_OK && reader.event != MUP_XML_DONE) {
        chunked |= reader.event == MUP_XML_TEXT &&
                   mup_xml_is(reader.text, "urn:ietf:params:netconf:base:1.1");
    }
    return chunked;
}

static void take_hello(struct mup_netconf_client *client, const char *xml, size_t size)
{
    if (!is_hello(xml, size)) {
        end(client, "the server's hello is not one of base:1.1");
        return;
    }
    client->framing.mode = MUP_NETCONF_CHUNKED;
    client->state = CLIENT_OPEN;
    mup_timer_stop(client->hello_timer);
    for (struct call *call = client->calls; call; call = call->next) {
        if (!send_call(client, call)) {
            end(client, "the call could not be sent");
            return;
        }
    }
    client->on_state(client->arg, true);
}

static void take_bytes(struct mup_netconf_client *client, const char *bytes, size_t size)
{
    size_t at = 0;

    while (at < size && client->state != CLIENT_ENDED) {
        size_t used = 0;
        enum mup_status status =
            mup_netconf_framing_feed(&client->framing, &used, bytes + at, size - at);
        at += used;
        if (status == MUP_ERR_SHORT) {
            return;
        }
        if (status) {
            end(client, "the server's framing is broken");
        } else if (client->state == CLIENT_HELLO) {
            take_hello(client, client->framing.message, client->framing.message_size);
        } else if (!take_notification(client, client->framing.message,
                                      client->framing.message_size)) {
            take_reply(client, client->framing.message, client->framing.message_size);
        }
    }
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    *buffer = uv_buf_init(malloc(suggested), (unsigned)suggested);
    if (!buffer->base) {
        buffer->len = 0;
    }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct mup_netconf_client *client = stream->data;

    if (size < 0) {
        end(client, size == UV_EOF ? "the server closed the session" : uv_strerror((int)size));
    } else if (size > 0) {
        take_bytes(client, buffer->base, (size_t)size);
    }
    free(buffer->base);
}

static void connected(uv_connect_t *connect, int status)
{
    struct mup_netconf_client *client = connect->data;

    if (client->state == CLIENT_ENDED) {
        return;
    }
    client->state = CLIENT_HELLO;
    if (status < 0) {
        end(client, uv_strerror(status));
    } else if (!send_hello(client) ||
               uv_read_start((uv_stream_t *)&client->pipe, allocate, on_read) != 0) {
        end(client, "the server is gone");
    }
}

static void no_hello(void *arg)
{
    end(arg, "no hello in time");
}

/* ---- the public calls ---- */

struct mup_netconf_client *
mup_netconf_client_new(struct mup_loop *loop, const struct mup_netconf_client_settings *settings,
                       void (*on_state)(void *arg, bool open), void *arg)
{
    struct sockaddr_un address;
    struct mup_netconf_client *client;

    if (strlen(settings->socket_path) >= sizeof address.sun_path) {
        return NULL;
    }
    client = calloc(1, sizeof *client);
    char *user = strdup(settings->user);
    struct mup_timer *timer = mup_timer_new(loop, no_hello, client);
    if (!client || !user || !timer) {
        mup_timer_free(timer);
        free(user);
        free(client);
        return NULL;
    }
    client->loop = loop;
    client->user = user;
    client->hello_timer = timer;
    client->on_state = on_state;
    client->on_notification = settings->on_notification;
    client->arg = arg;
    client->calls_end = &client->calls;
    mup_netconf_framing_init(&client->framing, MUP_NETCONF_REPLY_SIZE_MAX);
    uv_pipe_init(&loop->uv, &client->pipe, 0);
    client->pipe.data = client;
    client->connect.data = client;
    uv_pipe_connect(&client->connect, &client->pipe, settings->socket_path, connected);
    mup_timer_start(timer, MUP_NETCONF_HELLO_TIMEOUT_MS);
    return client;
}

/* The server answers in order, so a call that waits too long holds up all behind it. */
static void call_out_of_time(void *arg)
{
    struct call *late = arg;

    end_for(late->client, late, "no answer in time");
}

enum mup_status mup_netconf_client_call(struct mup_netconf_client *client, const char *rpc_xml,
                                        uint32_t timeout_ms, mup_netconf_on_reply *on_reply,
                                        void *arg)
{
    if (client->state == CLIENT_ENDED) {
        return MUP_ERR_STATE;
    }
    if (client->call_count == MUP_NETCONF_CALLS_MAX) {
        return MUP_ERR_BUSY;
    }
    if (mup_xml_check(rpc_xml, strlen(rpc_xml), CALL_ELEMENTS_MAX) || rpc_xml[0] != '<' ||
        rpc_xml[1] == '?') {
        return MUP_ERR_FORMAT;
    }
    struct call *call = calloc(1, sizeof *call);
    if (!call) {
        return MUP_ERR_SPACE;
    }
    *call = (struct call){.client = client,
                          .on_reply = on_reply,
                          .arg = arg,
                          .id = client->last_id + 1,
                          .xml = strdup(rpc_xml),
                          .timer = mup_timer_new(client->loop, call_out_of_time, call)};
    if (!call->xml || !call->timer || (client->state == CLIENT_OPEN && !send_call(client, call))) {
        free_call(call);
        return MUP_ERR_SPACE;
    }
    client->last_id++;
    *client->calls_end = call;
    client->calls_end = &call->next;
    client->call_count++;
    mup_timer_start(call->timer, timeout_ms);
    return MUP_OK;
}

void mup_netconf_client_free(struct mup_netconf_client *client)
{
    if (!client) {
        return;
    }
    client->freed = true;
    while (client->calls) {
        free_call(take_call(client));
    }
    if (client->closed) {
        free_client(client);
    } else if (client->state != CLIENT_ENDED) {
        close_pipe(client);
    }
}

enum mup_status mup_netconf_append_escaped(char *xml, size_t size, const char *words)
{
    struct mup_text text = {0};
    size_t start = strlen(xml);
    enum mup_status status = MUP_OK;

    for (const char *at = words; *at; at++) {
        if ((unsigned char)*at < 0x20 && !strchr("\t\n\r", *at)) {
            return MUP_ERR_FORMAT;
        }
    }
    mup_text_escape(&text, words);
    if (text.failed || text.size >= size - start) {
        status = MUP_ERR_SPACE;
    } else if (text.size > 0) {
        memcpy(xml + start, text.bytes, text.size + 1);
    }
    mup_text_free(&text);
    return status;
}
