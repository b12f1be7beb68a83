/*
 * Who listens: streams of server-sent events, each to all updates or to one.
 */
#ifndef MUP_SERVER_EVENTS_H
#define MUP_SERVER_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "server/http.h"

#define MUP_EVENTS_LISTENERS_MAX 128u

/* `{0}` has no listeners. */
struct mup_events {
    struct mup_events_listener *listeners;
    size_t count;
};

/* Answer the request with a stream; update_id 0 listens to all. `first`, if not NULL, is sent at
 * once as an event of kind "update". False: too many listen; the request was not answered. */
bool mup_events_listen(struct mup_events *events, struct mup_http_request *request,
                       int64_t update_id, const json_t *first);

void mup_events_tell(struct mup_events *events, const char *kind, int64_t update_id,
                     const json_t *json);

/* From mup_http's on_stream_gone(). */
void mup_events_gone(struct mup_events *events, struct mup_http_stream *stream);

#endif
