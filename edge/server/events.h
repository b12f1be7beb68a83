/*
 * Who listens: streams of server-sent events, each with what it wishes to hear; and the last
 * events, so that a reader who was away for a while misses nothing.
 *
 *     events = mup_events_new(&loop, door);
 *     mup_events_listen(events, request, &wish, "ready", ready);
 *     mup_events_tell(events, MUP_EVENT_DEVICE, &about, json);
 *     mup_events_gone(events, stream);                          from mup_http's on_stream_gone()
 *     mup_events_free(events);                                  after the HTTP server
 *
 * Each event has an id, RUN-NUMBER. Who comes back names the last one that he has; if the events
 * behind it are not kept any more, or it is of an earlier run, the stream begins with `reset`.
 * Streams of a session end with it; an open stream keeps it from being idle.
 */
#ifndef MUP_SERVER_EVENTS_H
#define MUP_SERVER_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "server/http.h"
#include "server/web/door.h"

#define MUP_EVENTS_LISTENERS_MAX 1000u
#define MUP_EVENTS_KEPT_MAX      4096u
#define MUP_EVENTS_KEPT_SIZE_MAX (2u * 1024u * 1024u)
#define MUP_EVENTS_PERIOD_MS     15000u /* a sign of life; a dead reader is noticed by it */

enum mup_event_kind {
    MUP_EVENT_UPDATE,
    MUP_EVENT_PROGRESS,
    MUP_EVENT_DEVICE,
    MUP_EVENT_TELEMETRY,
    MUP_EVENT_NOTIFICATION,
    MUP_EVENT_RELEASE,
    MUP_EVENT_REFUSED,
    MUP_EVENT_BRIDGE,
    MUP_EVENT_KIND_COUNT,
};

/* Whom an event is about. */
struct mup_event_subject {
    int64_t update_id; /* 0: no update */
    const char *uuid;  /* NULL: no device */
};

/* What a listener wishes to hear. */
struct mup_events_wish {
    unsigned kinds;              /* bits 1 << kind */
    int64_t update_id;           /* 0: all updates */
    const char *uuid;            /* telemetry and notifications of this device only; NULL: of all */
    const char *last_id;         /* the last event that it has; NULL: none */
    const uint8_t *session_hash; /* NULL: not of a session */
};

struct mup_events;

/* NULL: no memory. */
struct mup_events *mup_events_new(struct mup_loop *loop, struct mup_door *door);
void mup_events_free(struct mup_events *events); /* NULL is allowed */

/* False: no such kind. */
bool mup_event_kind_from_name(enum mup_event_kind *kind, const char *name);

/* Answer the request with a stream. `first`, if not NULL, is sent at once as an event `first_name`.
 * False: too many listen; the request was not answered. */
bool mup_events_listen(struct mup_events *events, struct mup_http_request *request,
                       const struct mup_events_wish *wish, const char *first_name,
                       const json_t *first);

void mup_events_tell(struct mup_events *events, enum mup_event_kind kind,
                     const struct mup_event_subject *subject, const json_t *json);

/* Now, not at the next period: end the streams of sessions that have ended, notice readers that
 * have gone. */
void mup_events_look_after(struct mup_events *events);

size_t mup_events_count(const struct mup_events *events);

void mup_events_gone(struct mup_events *events, struct mup_http_stream *stream);

#endif
