/*
 * One peer of the NETCONF server, from its first line to its end.
 *
 * Bytes become messages, messages wait in a queue, one at a time is in work. When the queue or the
 * unsent output is full we stop reading, so that a peer can only fill its own pipe. A peer that has
 * ended its stream but still listens (`ssh -s netconf < requests`) gets all its answers; one that
 * is gone has what is in work cancelled.
 */
#include "bridge/netconf/netconf_internal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/log.h"
#include "runtime/xml.h"

static void pump(struct session *session);
static void consume(struct session *session, const char *bytes, size_t size);

static void free_queue(struct session *session)
{
    while (session->queue) {
        struct message *message = session->queue;
        session->queue = message->next;
        free(message);
    }
    session->queue_end = &session->queue;
    session->queue_count = 0;
    session->queue_size = 0;
}

static void free_session(uv_handle_t *handle)
{
    struct session *session = handle->data;

    mup_netconf_framing_free(&session->framing);
    free_queue(session);
    free(session->rest);
    free(session);
}

static void close_now(struct session *session)
{
    if (!uv_is_closing((uv_handle_t *)&session->pipe)) {
        mup_timer_free(session->timer);
        session->timer = NULL;
        uv_close((uv_handle_t *)&session->pipe, free_session);
    }
}

static void unlink_session(struct session *session)
{
    struct mup_netconf *server = session->server;

    if (session->previous) {
        session->previous->next = session->next;
    } else {
        server->sessions = session->next;
    }
    if (session->next) {
        session->next->previous = session->previous;
    }
    server->session_count--;
    server->notified_size -= session->notified_size;
    session->server = NULL;
}

static void flushed(uv_shutdown_t *request, int status)
{
    struct session *session = request->data;
    (void)status;

    free(request);
    close_now(session);
}

static void cancel_work(struct session *session)
{
    struct mup_netconf_request *request = session->request;

    if (request && request->on_cancel) {
        request->on_cancel(request);
    }
    session->request = NULL;
    if (request) {
        request->session = NULL;
        if (request->begun) {
            session->server->backend->cancel(session->server->backend->context, request);
        }
        request_free(request);
    }
}

void session_close(struct session *session, bool flush, const char *why)
{
    if (session->state == SESSION_CLOSING) {
        return;
    }
    if (session->state == SESSION_OPEN) {
        notify_session_end(session);
    }
    mup_log(MUP_LOG_INFO, "netconf", mup_log_event("session ended"),
            mup_log_number("session", session->id), mup_log_text("user", session->user),
            mup_log_text("reason", why));
    session->state = SESSION_CLOSING;
    cancel_work(session);
    free_queue(session);
    subscribe_end(session);
    running_unlock(session);
    uv_read_stop((uv_stream_t *)&session->pipe);
    unlink_session(session);

    uv_shutdown_t *request = flush ? malloc(sizeof *request) : NULL;
    if (!request) {
        close_now(session);
        return;
    }
    request->data = session;
    if (uv_shutdown(request, (uv_stream_t *)&session->pipe, flushed) != 0) {
        free(request);
        close_now(session);
        return;
    }
    mup_timer_start(session->timer, CLOSE_WAIT_MS);
}

/* It was not the session's wish. */
static void drop(struct session *session, bool flush, const char *why)
{
    session->end = SESSION_END_DROPPED;
    session_close(session, flush, why);
}

/*
 * Is the other end closed altogether, rather than only done with sending? A socket that is no
 * longer read tells nobody, so it is asked.
 */
static bool is_peer_gone(const struct session *session)
{
    struct pollfd polled = {.events = 0};

    return uv_fileno((const uv_handle_t *)&session->pipe, &polled.fd) != 0 ||
           (poll(&polled, 1, 0) > 0 && (polled.revents & (POLLHUP | POLLERR)) != 0);
}

static void check_on_ended(struct session *session)
{
    if (is_peer_gone(session)) {
        drop(session, false, "the peer is gone");
    } else {
        mup_timer_start(session->timer, ENDED_CHECK_MS);
    }
}

static void out_of_time(void *arg)
{
    struct session *session = arg;

    if (session->state == SESSION_CLOSING) {
        close_now(session);
    } else if (session->ended) {
        check_on_ended(session);
    } else {
        session_close(session, false, "no hello in time");
    }
}

/* ---- output ---- */

struct output {
    uv_write_t uv;
    struct session *session;
    char *bytes;
    size_t size;
    bool notification;
};

static void count_output(struct session *session, const struct output *output, bool begins)
{
    size_t add = begins ? output->size : (size_t)0 - output->size;

    session->output_size += add;
    if (output->notification) {
        session->notified_size += add;
        if (session->server) {
            session->server->notified_size += add;
        }
    }
}

static void written(uv_write_t *uv, int status)
{
    struct output *output = uv->data;
    struct session *session = output->session;

    count_output(session, output, false);
    free(output->bytes);
    free(output);
    if (session->state == SESSION_CLOSING) {
        return;
    }
    if (status < 0) {
        drop(session, false, "the peer does not read any more");
    } else if (session->state == SESSION_OPEN) {
        pump(session);
    }
}

static bool send_bytes(struct session *session, char *bytes, size_t size, bool notification)
{
    struct output *output = bytes ? calloc(1, sizeof *output) : NULL;

    if (!output) {
        free(bytes);
        session_close(session, false, "no memory");
        return false;
    }
    *output = (struct output){
        .session = session, .bytes = bytes, .size = size, .notification = notification};
    output->uv.data = output;
    uv_buf_t buffer = uv_buf_init(bytes, (unsigned)size);
    count_output(session, output, true);
    if (uv_write(&output->uv, (uv_stream_t *)&session->pipe, &buffer, 1, written) != 0) {
        count_output(session, output, false);
        free(bytes);
        free(output);
        drop(session, false, "the peer is gone");
        return false;
    }
    return true;
}

bool session_send(struct session *session, struct mup_text *text)
{
    char *framed = NULL;
    size_t size = 0;

    if (!text->failed) {
        framed = mup_netconf_frame(session->framing.mode, text->bytes, text->size, &size);
    }
    mup_text_free(text);
    return send_bytes(session, framed, size, false);
}

void session_notify(struct session *session, const char *text, size_t size)
{
    size_t framed_size = 0;

    /* What is unsent costs our memory for the sake of somebody who does not read. */
    if (session->notified_size + size > NOTIFIED_SIZE_MAX ||
        session->server->notified_size + size > NOTIFIED_SIZE_ALL_MAX) {
        mup_log(MUP_LOG_WARNING, "netconf", mup_log_event("a subscriber does not read"),
                mup_log_number("session", session->id), mup_log_text("user", session->user),
                mup_log_number("unsent", (int64_t)session->notified_size));
        drop(session, false, "it does not read its notifications");
        return;
    }
    char *framed = mup_netconf_frame(session->framing.mode, text, size, &framed_size);
    session->notifications++;
    (void)send_bytes(session, framed, framed_size, true);
}

/* ---- hello ---- */

static void send_hello(struct session *session)
{
    struct mup_text text = {0};

    mup_text_add(&text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
                        "<hello xmlns=\"" MUP_NETCONF_NAMESPACE "\"><capabilities>");
    schemas_capabilities(&session->server->schemas, &text);
    mup_text_format(&text, "</capabilities><session-id>%u</session-id></hello>", session->id);
    session_send(session, &text);
}

struct peer_hello {
    bool base_1_0;
    bool base_1_1;
    bool session_id;
};

/* A capability may be followed by parameters that we do not know. */
static bool is_capability(struct mup_xml_span text, const char *uri)
{
    while (text.size > 0 && strchr(" \t\r\n", text.bytes[0])) {
        text.bytes++;
        text.size--;
    }
    while (text.size > 0 && strchr(" \t\r\n", text.bytes[text.size - 1])) {
        text.size--;
    }
    const char *question = memchr(text.bytes, '?', text.size);
    if (question) {
        text.size = (size_t)(question - text.bytes);
    }
    return mup_xml_is(text, uri);
}

static bool read_hello(struct peer_hello *hello, const char *message, size_t size)
{
    struct mup_xml xml;
    bool in_capability = false;

    mup_xml_init(&xml, message, size);
    while (mup_xml_next(&xml) == MUP_OK) {
        if (xml.event == MUP_XML_DONE) {
            return true;
        }
        if (xml.event == MUP_XML_START) {
            if (xml.depth == 1 && !mup_xml_is(xml.local, "hello")) {
                return false;
            }
            in_capability = xml.depth == 3 && mup_xml_is(xml.local, "capability");
            hello->session_id |= xml.depth == 2 && mup_xml_is(xml.local, "session-id");
        }
        if (xml.event == MUP_XML_TEXT && in_capability) {
            hello->base_1_0 |= is_capability(xml.text, "urn:ietf:params:netconf:base:1.0");
            hello->base_1_1 |= is_capability(xml.text, "urn:ietf:params:netconf:base:1.1");
        }
    }
    return false;
}

static void take_hello(struct session *session, const char *message, size_t size)
{
    struct peer_hello hello = {0};

    if (!read_hello(&hello, message, size)) {
        session_close(session, true, "its hello is not one");
    } else if (hello.session_id) {
        session_close(session, true, "its hello has a session-id"); /* RFC 6241 8.1 */
    } else if (!hello.base_1_0 && !hello.base_1_1) {
        session_close(session, true, "it speaks neither base:1.0 nor base:1.1");
    } else {
        session->framing.mode = hello.base_1_1 ? MUP_NETCONF_CHUNKED : MUP_NETCONF_END_OF_MESSAGE;
        session->state = SESSION_OPEN;
        mup_timer_stop(session->timer);
        notify_session_start(session);
    }
}

/* ---- the first line ---- */

static bool is_user_name(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-@";
    size_t size = strlen(name);

    return size > 0 && size <= MUP_NETCONF_USER_SIZE_MAX && strspn(name, allowed) == size;
}

static void take_name(struct session *session)
{
    static const char prefix[] = "as ";
    const char *name = session->first_line + sizeof prefix - 1;

    if (strncmp(session->first_line, prefix, sizeof prefix - 1) != 0 || !is_user_name(name)) {
        session_close(session, false, "its first line names no user");
        return;
    }
    memcpy(session->user, name, strlen(name) + 1);
    if (!server_may_be(session->server, session->uid, name)) {
        mup_log(MUP_LOG_WARNING, "netconf", mup_log_event("refused: uid may not use this name"),
                mup_log_number("uid", session->uid), mup_log_text("user", name));
        session_close(session, false, "refused");
        return;
    }
    mup_log(MUP_LOG_INFO, "netconf", mup_log_event("session opened"),
            mup_log_number("session", session->id), mup_log_text("user", name));
    session->state = SESSION_HELLO;
    send_hello(session);
}

/* Returns the bytes that belong to the line. */
static size_t take_first_line(struct session *session, const char *bytes, size_t size)
{
    size_t at = 0;

    while (at < size) {
        char byte = bytes[at++];
        if (byte == '\n') {
            session->first_line[session->first_line_size] = '\0';
            take_name(session);
            return at;
        }
        if (session->first_line_size == FIRST_LINE_SIZE_MAX - 1 || byte == '\0') {
            session_close(session, false, "its first line names no user");
            return at;
        }
        session->first_line[session->first_line_size++] = byte;
    }
    return at;
}

/* ---- input ---- */

static bool is_full(const struct session *session)
{
    return session->queue_count >= MUP_NETCONF_QUEUE_COUNT_MAX ||
           session->queue_size >= QUEUE_SIZE_MAX;
}

static void enqueue(struct session *session)
{
    size_t size = session->framing.message_size;
    struct message *message = malloc(sizeof *message + size + 1);

    if (!message) {
        session_close(session, false, "no memory");
        return;
    }
    message->next = NULL;
    message->size = size;
    if (size > 0) {
        memcpy(message->text, session->framing.message, size);
    }
    message->text[size] = '\0';
    *session->queue_end = message;
    session->queue_end = &message->next;
    session->queue_count++;
    session->queue_size += size;
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    *buffer = uv_buf_init(malloc(suggested), (unsigned)suggested);
    if (!buffer->base) {
        buffer->len = 0;
    }
}

/* What was received is still answered; a message that was not received whole never will be. */
static void end_of_input(struct session *session)
{
    session->ended = true;
    session->reading = false;
    uv_read_stop((uv_stream_t *)&session->pipe);
    check_on_ended(session);
    if (session->state == SESSION_OPEN) {
        pump(session);
    }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct session *session = stream->data;

    if (size == UV_EOF && session->state == SESSION_OPEN) {
        end_of_input(session);
    } else if (size < 0) {
        drop(session, true, size == UV_EOF ? "the peer closed" : "the peer is gone");
    } else if (size > 0) {
        consume(session, buffer->base, (size_t)size);
    }
    free(buffer->base);
}

static void read_on(struct session *session)
{
    if (!session->reading) {
        session->reading = uv_read_start((uv_stream_t *)&session->pipe, allocate, on_read) == 0;
        if (!session->reading) {
            drop(session, false, "the peer is gone");
        }
    }
}

/* Put away what the full queue could not take, and let the pipe fill. */
static void keep_rest(struct session *session, const char *bytes, size_t size)
{
    uv_read_stop((uv_stream_t *)&session->pipe);
    session->reading = false;
    if (size == 0) {
        return;
    }
    session->rest = malloc(size);
    if (!session->rest) {
        session_close(session, false, "no memory");
        return;
    }
    memcpy(session->rest, bytes, size);
    session->rest_size = size;
}

static void end_of_framing(struct session *session, enum mup_status status)
{
    session_close(session, true,
                  status == MUP_ERR_RANGE   ? "its message is too large"
                  : status == MUP_ERR_SPACE ? "no memory"
                                            : "its framing is broken");
}

/* Bytes to messages, as far as the queue has room. */
static void consume(struct session *session, const char *bytes, size_t size)
{
    size_t at = 0;

    while (at < size && session->state != SESSION_CLOSING) {
        size_t used = 0;
        if (session->state == SESSION_NAME) {
            at += take_first_line(session, bytes + at, size - at);
            continue;
        }
        if (is_full(session)) {
            break;
        }
        enum mup_status status =
            mup_netconf_framing_feed(&session->framing, &used, bytes + at, size - at);
        at += used;
        if (status == MUP_OK && session->state == SESSION_HELLO) {
            take_hello(session, session->framing.message, session->framing.message_size);
        } else if (status == MUP_OK) {
            enqueue(session);
        } else if (status != MUP_ERR_SHORT) {
            end_of_framing(session, status);
        }
    }
    if (session->state != SESSION_CLOSING && is_full(session)) {
        keep_rest(session, bytes + at, size - at);
    }
    if (session->state == SESSION_OPEN) {
        pump(session);
    }
}

static struct message *dequeue(struct session *session)
{
    struct message *message = session->queue;

    session->queue = message->next;
    if (!session->queue) {
        session->queue_end = &session->queue;
    }
    session->queue_count--;
    session->queue_size -= message->size;
    return message;
}

/* There is room again: first what was put away, then the pipe. */
static void resume(struct session *session)
{
    while (session->state == SESSION_OPEN && !session->reading && !is_full(session)) {
        char *rest = session->rest;
        size_t size = session->rest_size;
        session->rest = NULL;
        session->rest_size = 0;
        if (rest) {
            consume(session, rest, size);
            free(rest);
        }
        if (session->rest || session->state != SESSION_OPEN || is_full(session)) {
            continue;
        }
        if (session->ended) {
            return;
        }
        read_on(session);
    }
}

/* The peer sends no more, everything that it sent is answered and the answers are out. */
static bool is_finished(const struct session *session)
{
    return session->state == SESSION_OPEN && session->ended && !session->request &&
           !session->queue && !session->rest && session->output_size == 0;
}

static bool can_work(const struct session *session)
{
    return session->state == SESSION_OPEN && !session->request && session->queue &&
           session->output_size < OUTPUT_SIZE_MAX;
}

/* Work off the queue until a request has to wait. Not recursive: an answer that comes at once
 * returns here. */
static void pump(struct session *session)
{
    if (session->pumping) {
        return;
    }
    session->pumping = true;
    do {
        while (can_work(session)) {
            struct message *message = dequeue(session);
            rpc_handle(session, message->text, message->size);
            free(message);
        }
        resume(session);
    } while (can_work(session));
    session->pumping = false;
    if (is_finished(session)) {
        drop(session, true, "the peer closed");
    }
}

void session_answered(struct session *session)
{
    if (session->state == SESSION_OPEN) {
        pump(session);
    }
}

/* ---- the beginning ---- */

static bool peer_uid(struct session *session)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    uv_os_fd_t fd;

    if (uv_fileno((const uv_handle_t *)&session->pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return false;
    }
    session->uid = peer.uid;
    return true;
}

static void link_session(struct mup_netconf *server, struct session *session)
{
    session->next = server->sessions;
    if (server->sessions) {
        server->sessions->previous = session;
    }
    server->sessions = session;
    server->session_count++;
    session->id = ++server->last_id;
}

void session_accept(struct mup_netconf *server, uv_stream_t *listener)
{
    struct session *session = calloc(1, sizeof *session);

    if (!session) {
        return; /* the connection stays in the backlog until there is memory */
    }
    session->server = server;
    session->queue_end = &session->queue;
    session->login_ms = mup_loop_wall_ms();
    mup_netconf_framing_init(&session->framing, MUP_NETCONF_MESSAGE_SIZE_MAX);
    uv_pipe_init(&server->loop->uv, &session->pipe, 0);
    session->pipe.data = session;
    link_session(server, session);
    session->timer = mup_timer_new(server->loop, out_of_time, session);
    if (!session->timer || uv_accept(listener, (uv_stream_t *)&session->pipe) != 0 ||
        !peer_uid(session)) {
        session_close(session, false, "it could not be accepted");
    } else if (!server_knows(server, session->uid)) {
        mup_log(MUP_LOG_WARNING, "netconf", mup_log_event("refused: uid may use no name"),
                mup_log_number("uid", session->uid));
        session_close(session, false, "refused");
    } else if (server->session_count > server->sessions_max) {
        session_close(session, false, "too many sessions");
    } else {
        mup_timer_start(session->timer, MUP_NETCONF_HELLO_WAIT_MS);
        read_on(session);
    }
}
