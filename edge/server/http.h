/*
 * An HTTP or HTTPS server on the daemon's loop (libmicrohttpd, no threads): a request comes in
 * whole, is answered now or later, or becomes a stream of server-sent events.
 *
 *     http = mup_http_new(&loop, &settings, &callbacks, arg, error);
 *     on_request(arg, request):  mup_http_reply(request, 200, "application/json", body);
 *                          or:   stream = mup_http_stream(request, owner); mup_http_stream_send();
 *     mup_http_free(http);       requests that were not answered get 503, streams end
 *
 * A body has at most MUP_HTTP_BODY_SIZE_MAX bytes; a larger one is answered 413 here. Every answer
 * carries the headers of web/policy.h.
 */
#ifndef MUP_SERVER_HTTP_H
#define MUP_SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"
#include "runtime/loop.h"

#define MUP_HTTP_BODY_SIZE_MAX   65536u
#define MUP_HTTP_CONNECTIONS_MAX 1280u  /* 1,000 of them may be streams (events.h) */
#define MUP_HTTP_MEMORY_SIZE     16384u /* of a connection: its request line and headers fit in it */
#define MUP_HTTP_HEADERS_MAX     4u     /* that an answer may have beside the usual ones */
#define MUP_HTTP_PEER_SIZE       64u
#define MUP_HTTP_IDLE_S          60u
#define MUP_HTTP_STREAM_SIZE_MAX                                    \
    (256u * 1024u) /* waiting for a slow reader; then it is cut off \
                    */
#define MUP_HTTP_STREAMS_SIZE_MAX (64u * 1024u * 1024u) /* the same for all of them together */
#define MUP_HTTP_ERROR_SIZE       256u

struct mup_http;
struct mup_http_request;
struct mup_http_stream;

/* What was asked. Lives until the request is answered. Texts are never NULL. */
struct mup_http_view {
    const char *method;
    const char *path; /* without the query, decoded */
    const char *body; /* NUL-terminated */
    size_t body_size;
    const char *peer; /* numeric address of who asks, without the port */
};

/* The `arg` of the server that the request came to. */
void *mup_http_owner(const struct mup_http_request *request);

/* The header, whatever its case, or the parameter of the query (decoded; the first of its name).
 * NULL: there is none. Lives until the request is answered. */
const char *mup_http_header(const struct mup_http_request *request, const char *name);
const char *mup_http_query(const struct mup_http_request *request, const char *name);

/* Each parameter of the query, until `visit` says false. `value` may be NULL. */
void mup_http_each_query(const struct mup_http_request *request,
                         bool (*visit)(void *arg, const char *name, const char *value), void *arg);

/* The value of a cookie, copied; false: there is none, or it does not fit. */
bool mup_http_cookie(const struct mup_http_request *request, const char *name, char *value,
                     size_t size);

struct mup_http_callbacks {
    /* Answer with mup_http_reply() or mup_http_stream(), exactly once, now or later. */
    void (*on_request)(void *arg, struct mup_http_request *request,
                       const struct mup_http_view *view);
    /* The reader of a stream has gone: the pointer is dead. May be NULL. */
    void (*on_stream_gone)(void *arg, struct mup_http_stream *stream);
    /* A body was too large: what to say, as malloc'ed JSON text. */
    char *(*too_large)(void *arg);
};

struct mup_http_settings {
    const char *address;     /* IPv4 or IPv6, numeric */
    uint16_t port;           /* 0: any free one */
    const char *certificate; /* PEM text; NULL: HTTP without TLS */
    const char *key;         /* PEM text */
};

/* NULL: `error` says why (the address, a port that is taken). */
struct mup_http *mup_http_new(struct mup_loop *loop, const struct mup_http_settings *settings,
                              const struct mup_http_callbacks *callbacks, void *arg,
                              char error[MUP_HTTP_ERROR_SIZE]);
void mup_http_free(struct mup_http *http); /* NULL is allowed */

uint16_t mup_http_port(const struct mup_http *http);
bool mup_http_is_secure(const struct mup_http *http); /* it speaks TLS */

/* A header of the answer to come, copied; before mup_http_reply() or mup_http_stream(). */
void mup_http_add_header(struct mup_http_request *request, const char *name, const char *value);

/* `body` is malloc'ed text and taken over; NULL (no memory) is answered 500. */
void mup_http_reply(struct mup_http_request *request, unsigned status, const char *content_type,
                    char *body);

/* The same with bytes that live as long as the program. The answer may be kept by who asked, and
 * has to be asked for again (ETag). */
void mup_http_reply_static(struct mup_http_request *request, unsigned status,
                           const char *content_type, const void *bytes, size_t size);

/* Answer with an endless stream (text/event-stream). NULL: no memory, answered 500. */
struct mup_http_stream *mup_http_stream(struct mup_http_request *request, void *owner);
void *mup_http_stream_owner(const struct mup_http_stream *stream);

/* Append to the stream. A reader that is too slow is cut off: on_stream_gone() follows. */
void mup_http_stream_send(struct mup_http_stream *stream, const char *text);

/* End the stream after what was sent; on_stream_gone() follows. */
void mup_http_stream_end(struct mup_http_stream *stream);

#endif
