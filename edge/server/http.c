/* libmicrohttpd in external epoll mode: its epoll descriptor is polled by the loop, a connection
 * that waits for its answer is suspended, and nothing has a thread. */
#include "server/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/web/policy.h"

#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct mup_http_stream {
    struct mup_http_request *request;
    void *owner;
    char *waiting;
    size_t size;
    size_t capacity;
    bool ended;
    bool cut;
};

struct mup_http_request {
    struct mup_http_request *next;
    struct mup_http *http;
    struct MHD_Connection *connection;
    char *method;
    char *path;
    char *body;
    char peer[MUP_HTTP_PEER_SIZE];
    struct header {
        char *name;
        char *value;
    } headers[MUP_HTTP_HEADERS_MAX];
    size_t header_count;
    size_t body_size;
    bool too_large;
    bool asked;     /* on_request() was called */
    bool suspended; /* waiting for the answer, or for bytes of the stream */
    unsigned status;
    struct MHD_Response *response;
    struct mup_http_stream *stream;
};

struct mup_http {
    struct mup_loop *loop;
    struct mup_http_callbacks callbacks;
    void *arg;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    struct mup_timer *timer; /* when libmicrohttpd wants to be called */
    struct mup_http_request *requests;
    uint16_t port;
    bool is_secure;
    bool closing;
    size_t waiting; /* bytes, of all streams */
};

/* ---- the loop ---- */

static void run(struct mup_http *http)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    MHD_run(http->daemon);
    if (MHD_get_timeout(http->daemon, &timeout_ms) == MHD_YES) {
        mup_timer_start(http->timer, timeout_ms);
    } else {
        mup_timer_stop(http->timer);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static void on_time(void *arg)
{
    run(arg);
}

static void wake(struct mup_http_request *request)
{
    if (request->suspended) {
        request->suspended = false;
        MHD_resume_connection(request->connection);
        mup_timer_start(request->http->timer, 0);
    }
}

static void suspend(struct mup_http_request *request)
{
    request->suspended = true;
    MHD_suspend_connection(request->connection);
}

/* ---- requests ---- */

static void name_peer(struct mup_http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;

    if (address && address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
                  request->peer, sizeof request->peer);
    } else if (address && address->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
                  request->peer, sizeof request->peer);
    }
}

void *mup_http_owner(const struct mup_http_request *request)
{
    return request->http->arg;
}

const char *mup_http_header(const struct mup_http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *mup_http_query(const struct mup_http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct visit {
    bool (*visit)(void *arg, const char *name, const char *value);
    void *arg;
};

static enum MHD_Result visit_value(void *arg, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    const struct visit *visit = arg;

    (void)kind;
    return visit->visit(visit->arg, name, value) ? MHD_YES : MHD_NO;
}

void mup_http_each_query(const struct mup_http_request *request,
                         bool (*visit)(void *arg, const char *name, const char *value), void *arg)
{
    struct visit values = {visit, arg};

    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, visit_value, &values);
}

bool mup_http_cookie(const struct mup_http_request *request, const char *name, char *value,
                     size_t size)
{
    const char *found = MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, name);

    if (!found || strlen(found) >= size) {
        return false;
    }
    memcpy(value, found, strlen(found) + 1);
    return true;
}

static void free_headers(struct mup_http_request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        free(request->headers[i].name);
        free(request->headers[i].value);
    }
    request->header_count = 0;
}

void mup_http_add_header(struct mup_http_request *request, const char *name, const char *value)
{
    assert(request->header_count < MUP_HTTP_HEADERS_MAX);
    struct header header = {strdup(name), strdup(value)};
    if (!header.name || !header.value) {
        abort(); /* not a hundred bytes left: whoever supervises us starts us again */
    }
    request->headers[request->header_count++] = header;
}

static struct mup_http_request *request_new(struct mup_http *http,
                                            struct MHD_Connection *connection, const char *path,
                                            const char *method)
{
    struct mup_http_request *request = calloc(1, sizeof *request);

    if (!request) {
        return NULL;
    }
    request->http = http;
    request->connection = connection;
    request->method = strdup(method);
    request->path = strdup(path);
    request->body = calloc(1, 1);
    name_peer(request);
    request->next = http->requests;
    http->requests = request;
    return request;
}

static void request_free(struct mup_http_request *request)
{
    struct mup_http_request **at = &request->http->requests;

    while (*at != request) {
        at = &(*at)->next;
    }
    *at = request->next;
    free(request->method);
    free(request->path);
    free(request->body);
    free_headers(request);
    free(request);
}

static void take_body(struct mup_http_request *request, const char *bytes, size_t size)
{
    if (request->too_large || size > MUP_HTTP_BODY_SIZE_MAX - request->body_size) {
        request->too_large = true;
        return;
    }
    char *larger = realloc(request->body, request->body_size + size + 1);
    if (!larger) {
        request->too_large = true;
        return;
    }
    request->body = larger;
    memcpy(request->body + request->body_size, bytes, size);
    request->body_size += size;
    request->body[request->body_size] = '\0';
}

static void ask(struct mup_http_request *request)
{
    struct mup_http *http = request->http;
    struct mup_http_view view = {request->method, request->path, request->body, request->body_size,
                                 request->peer};

    request->asked = true;
    if (request->too_large) {
        mup_http_reply(request, 413, "application/json", http->callbacks.too_large(http->arg));
    } else if (http->closing || !view.method || !view.path || !view.body) {
        mup_http_reply(request, 503, "text/plain", strdup("going down\n"));
    } else {
        http->callbacks.on_request(http->arg, request, &view);
    }
}

static enum MHD_Result queue_answer(struct mup_http_request *request)
{
    struct MHD_Response *response = request->response;

    request->response = NULL;
    enum MHD_Result result = MHD_queue_response(request->connection, request->status, response);
    MHD_destroy_response(response);
    return result;
}

/* libmicrohttpd calls this once with the headers, then with pieces of the body, then without
 * any, and again after each resume. */
static enum MHD_Result on_access(void *arg, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_size, void **context)
{
    struct mup_http_request *request = *context;

    (void)version;
    if (!request) {
        *context = request_new(arg, connection, url, method);
        return *context ? MHD_YES : MHD_NO;
    }
    if (*upload_size > 0) {
        take_body(request, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (!request->asked) {
        ask(request);
    }
    if (request->response) {
        return queue_answer(request);
    }
    suspend(request);
    return MHD_YES;
}

/* Tell the stream's owner that its reader has gone, once. */
static void stream_part(struct mup_http_stream *stream)
{
    struct mup_http_request *request = stream->request;

    if (!request) {
        return;
    }
    stream->request = NULL;
    request->stream = NULL;
    request->http->waiting -= stream->size;
    if (request->http->callbacks.on_stream_gone) {
        request->http->callbacks.on_stream_gone(request->http->arg, stream);
    }
}

/* libmicrohttpd may free the response, and with it the stream, before this or after it. */
static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct mup_http_request *request = *context;

    (void)arg;
    (void)connection;
    (void)code;
    if (request) {
        *context = NULL;
        if (request->stream) {
            stream_part(request->stream);
        }
        request_free(request);
    }
}

static void answer(struct mup_http_request *request, unsigned status, const char *content_type,
                   struct MHD_Response *response)
{
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    for (const struct mup_policy_header *h = mup_policy_headers; h->name; h++) {
        MHD_add_response_header(response, h->name, h->value);
    }
    for (size_t i = 0; i < request->header_count; i++) {
        MHD_add_response_header(response, request->headers[i].name, request->headers[i].value);
    }
    free_headers(request);
    if (status == 401) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    }
    request->status = status;
    request->response = response;
    wake(request);
}

void mup_http_reply(struct mup_http_request *request, unsigned status, const char *content_type,
                    char *body)
{
    static char no_memory[] = "no memory\n";
    struct MHD_Response *response =
        body ? MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE)
             : MHD_create_response_from_buffer(sizeof no_memory - 1, no_memory,
                                               MHD_RESPMEM_PERSISTENT);

    if (!response) {
        abort(); /* not a hundred bytes left: whoever supervises us starts us again */
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    answer(request, body ? status : 500, body ? content_type : "text/plain", response);
}

void mup_http_reply_static(struct mup_http_request *request, unsigned status,
                           const char *content_type, const void *bytes, size_t size)
{
    /* libmicrohttpd takes a pointer to what may change; it does not change it. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT);

    if (!response) {
        abort(); /* as above */
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    answer(request, status, content_type, response);
}

/* ---- streams ---- */

static ssize_t read_stream(void *arg, uint64_t at, char *bytes, size_t most)
{
    struct mup_http_stream *stream = arg;

    (void)at;
    if (stream->cut || (stream->ended && stream->size == 0)) {
        return stream->cut ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (stream->size == 0) {
        suspend(stream->request);
        return 0;
    }
    size_t size = stream->size < most ? stream->size : most;
    memcpy(bytes, stream->waiting, size);
    stream->size -= size;
    stream->request->http->waiting -= size;
    memmove(stream->waiting, stream->waiting + size, stream->size);
    return (ssize_t)size;
}

static void stream_free(void *arg)
{
    struct mup_http_stream *stream = arg;

    stream_part(stream);
    free(stream->waiting);
    free(stream);
}

struct mup_http_stream *mup_http_stream(struct mup_http_request *request, void *owner)
{
    struct mup_http_stream *stream = calloc(1, sizeof *stream);
    struct MHD_Response *response =
        stream ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, stream,
                                                   stream_free)
               : NULL;

    if (!response) {
        free(stream);
        mup_http_reply(request, 500, "text/plain", NULL);
        return NULL;
    }
    stream->request = request;
    stream->owner = owner;
    request->stream = stream;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    answer(request, 200, "text/event-stream", response);
    return stream;
}

void *mup_http_stream_owner(const struct mup_http_stream *stream)
{
    return stream->owner;
}

/* What waits for a reader who is too slow is given up; the connection ends when he takes what is on
 * its way, or after MUP_HTTP_IDLE_S without a byte. */
static void cut_off(struct mup_http_stream *stream)
{
    stream->cut = true;
    stream->request->http->waiting -= stream->size;
    stream->size = 0;
    stream->capacity = 0;
    free(stream->waiting);
    stream->waiting = NULL;
}

void mup_http_stream_send(struct mup_http_stream *stream, const char *text)
{
    size_t size = strlen(text);

    if (stream->cut || stream->ended) {
        return;
    }
    if (size > MUP_HTTP_STREAM_SIZE_MAX - stream->size ||
        size > MUP_HTTP_STREAMS_SIZE_MAX - stream->request->http->waiting) {
        cut_off(stream);
    } else if (size > stream->capacity - stream->size) {
        char *larger = realloc(stream->waiting, stream->size + size);
        if (larger) {
            stream->waiting = larger;
            stream->capacity = stream->size + size;
        } else {
            cut_off(stream);
        }
    }
    if (!stream->cut) {
        memcpy(stream->waiting + stream->size, text, size);
        stream->size += size;
        stream->request->http->waiting += size;
    }
    wake(stream->request);
}

void mup_http_stream_end(struct mup_http_stream *stream)
{
    stream->ended = true;
    wake(stream->request);
}

/* ---- begin and end ---- */

static bool read_address(struct sockaddr_storage *out, const struct mup_http_settings *settings)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, settings->address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(settings->port);
        return true;
    }
    if (inet_pton(AF_INET6, settings->address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(settings->port);
        return true;
    }
    return false;
}

static bool start(struct mup_http *http, const struct sockaddr_storage *address,
                  const struct mup_http_settings *settings)
{
    /* clang-format off */
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)settings->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)settings->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    /* clang-format on */
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;

    flags |= address->ss_family == AF_INET6 ? MHD_USE_IPv6 : 0u;
    flags |= settings->certificate ? MHD_USE_TLS : 0u;
    http->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_access, http, MHD_OPTION_SOCK_ADDR,
        (const struct sockaddr *)address, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_CONNECTION_LIMIT, MUP_HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MUP_HTTP_MEMORY_SIZE, MHD_OPTION_CONNECTION_TIMEOUT, MUP_HTTP_IDLE_S,
        MHD_OPTION_ARRAY, settings->certificate ? tls : tls + 3, MHD_OPTION_END);
    return http->daemon != NULL;
}

struct mup_http *mup_http_new(struct mup_loop *loop, const struct mup_http_settings *settings,
                              const struct mup_http_callbacks *callbacks, void *arg,
                              char error[MUP_HTTP_ERROR_SIZE])
{
    struct sockaddr_storage address;
    struct mup_http *http = calloc(1, sizeof *http);

    if (!http || !read_address(&address, settings)) {
        snprintf(error, MUP_HTTP_ERROR_SIZE, "listen-address: \"%.60s\" is not a numeric address",
                 settings->address);
        free(http);
        return NULL;
    }
    http->loop = loop;
    http->callbacks = *callbacks;
    http->arg = arg;
    http->is_secure = settings->certificate != NULL;
    if (!start(http, &address, settings)) {
        snprintf(error, MUP_HTTP_ERROR_SIZE,
                 "cannot listen on %.60s port %u: is another program there%s?", settings->address,
                 settings->port,
                 http->is_secure ? ", or do tls-certificate and tls-key not go together" : "");
        free(http);
        return NULL;
    }
    http->port = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    http->timer = mup_timer_new(loop, on_time, http);
    uv_poll_init(&loop->uv, &http->poll,
                 MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
    http->poll.data = http;
    uv_poll_start(&http->poll, UV_READABLE, on_ready);
    return http;
}

uint16_t mup_http_port(const struct mup_http *http)
{
    return http->port;
}

bool mup_http_is_secure(const struct mup_http *http)
{
    return http->is_secure;
}

static void poll_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* libmicrohttpd wants nobody suspended when it stops. */
static void release_all(struct mup_http *http)
{
    for (struct mup_http_request *r = http->requests; r; r = r->next) {
        if (r->stream) {
            mup_http_stream_end(r->stream);
        } else if (r->asked && r->suspended) {
            mup_http_reply(r, 503, "text/plain", strdup("going down\n"));
        }
    }
}

void mup_http_free(struct mup_http *http)
{
    if (!http) {
        return;
    }
    http->closing = true;
    release_all(http);
    MHD_run(http->daemon);
    release_all(http);
    uv_poll_stop(&http->poll);
    MHD_stop_daemon(http->daemon);
    mup_timer_free(http->timer);
    uv_close((uv_handle_t *)&http->poll, poll_closed);
}
