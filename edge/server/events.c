/* The listeners, and a ring of the last events. */
#include "server/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mup/topic.h"

#define ID_SIZE 40u

struct listener {
    struct listener *next;
    struct mup_http_stream *stream;
    unsigned kinds;
    int64_t update_id;
    char uuid[MUP_UUID_TEXT_SIZE]; /* "": all */
    bool has_session;
    uint8_t session_hash[32];
};

struct kept {
    char *text; /* as it is sent */
    enum mup_event_kind kind;
    int64_t update_id;
    char uuid[MUP_UUID_TEXT_SIZE];
};

struct mup_events {
    struct mup_door *door;
    struct mup_timer *period;
    struct listener *listeners;
    size_t count;
    uint64_t run;   /* tells this run's ids from those of another */
    uint64_t last;  /* number of the last event */
    uint64_t first; /* of the oldest that is kept; last + 1: none is */
    size_t kept_size;
    struct kept ring[MUP_EVENTS_KEPT_MAX]; /* event N at N % MUP_EVENTS_KEPT_MAX */
};

static const char *const names[MUP_EVENT_KIND_COUNT] = {
    [MUP_EVENT_UPDATE] = "update",
    [MUP_EVENT_PROGRESS] = "progress",
    [MUP_EVENT_DEVICE] = "device",
    [MUP_EVENT_TELEMETRY] = "telemetry",
    [MUP_EVENT_NOTIFICATION] = "notification",
    [MUP_EVENT_RELEASE] = "release",
    [MUP_EVENT_REFUSED] = "refused",
    [MUP_EVENT_BRIDGE] = "bridge",
};

bool mup_event_kind_from_name(enum mup_event_kind *kind, const char *name)
{
    for (int i = 0; i < MUP_EVENT_KIND_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *kind = (enum mup_event_kind)i;
            return true;
        }
    }
    return false;
}

static void write_id(char id[ID_SIZE], const struct mup_events *events)
{
    snprintf(id, ID_SIZE, "%" PRIx64 "-%" PRIu64, events->run, events->last);
}

/* "id: ID\nevent: NAME\ndata: JSON\n\n"; jansson writes no line ends when it is compact. */
static char *format_event(const struct mup_events *events, const char *name, const json_t *json)
{
    char id[ID_SIZE];
    char *data = json_dumps(json, JSON_COMPACT);
    size_t size = data ? strlen(data) + strlen(name) + ID_SIZE + 32 : 0;
    char *text = data ? malloc(size) : NULL;

    write_id(id, events);
    if (text) {
        snprintf(text, size, "id: %s\nevent: %s\ndata: %s\n\n", id, name, data);
    }
    free(data);
    return text;
}

/* ---- what is kept ---- */

static struct kept *kept_at(struct mup_events *events, uint64_t number)
{
    return &events->ring[number % MUP_EVENTS_KEPT_MAX];
}

static void drop_oldest(struct mup_events *events)
{
    struct kept *oldest = kept_at(events, events->first++);

    events->kept_size -= strlen(oldest->text) + 1;
    free(oldest->text);
    memset(oldest, 0, sizeof *oldest);
}

static void keep(struct mup_events *events, char *text, enum mup_event_kind kind,
                 const struct mup_event_subject *subject)
{
    size_t size = strlen(text) + 1;

    while (events->first < events->last && (events->last - events->first >= MUP_EVENTS_KEPT_MAX ||
                                            events->kept_size + size > MUP_EVENTS_KEPT_SIZE_MAX)) {
        drop_oldest(events);
    }
    struct kept *kept = kept_at(events, events->last);
    kept->text = text;
    kept->kind = kind;
    kept->update_id = subject->update_id;
    snprintf(kept->uuid, sizeof kept->uuid, "%s", subject->uuid ? subject->uuid : "");
    events->kept_size += size;
}

/* ---- telling ---- */

static bool wishes(const struct listener *listener, enum mup_event_kind kind, int64_t update_id,
                   const char *uuid)
{
    bool is_of_device = kind == MUP_EVENT_TELEMETRY || kind == MUP_EVENT_NOTIFICATION;

    return (listener->kinds & 1u << kind) != 0 &&
           (listener->update_id == 0 || listener->update_id == update_id) &&
           (!is_of_device || listener->uuid[0] == '\0' || strcmp(listener->uuid, uuid) == 0);
}

void mup_events_tell(struct mup_events *events, enum mup_event_kind kind,
                     const struct mup_event_subject *subject, const json_t *json)
{
    events->last++;
    char *text = format_event(events, names[kind], json);
    if (!text) { /* nobody can be told: whoever comes back has to load everything again */
        while (events->first < events->last) {
            drop_oldest(events);
        }
        events->first = events->last + 1;
        return;
    }
    keep(events, text, kind, subject);
    for (struct listener *l = events->listeners; l; l = l->next) {
        if (wishes(l, kind, subject->update_id, subject->uuid ? subject->uuid : "")) {
            mup_http_stream_send(l->stream, text);
        }
    }
}

size_t mup_events_count(const struct mup_events *events)
{
    return events->count;
}

/* An id alone is no event, but a reader remembers it: kinds that he does not wish to hear do not
 * make him old. */
void mup_events_look_after(struct mup_events *events)
{
    char id[ID_SIZE];
    char text[ID_SIZE + 32];

    write_id(id, events);
    snprintf(text, sizeof text, ": still here\nid: %s\n\n", id);
    for (struct listener *l = events->listeners, *next; l; l = next) {
        next = l->next;
        if (l->has_session && !mup_door_is_open_for(events->door, l->session_hash)) {
            mup_http_stream_end(l->stream);
        } else {
            mup_http_stream_send(l->stream, text);
        }
    }
}

static void on_period(void *arg)
{
    mup_events_look_after(arg);
}

/* ---- listening ---- */

/* The number in an id of this run; false: it is none, or its successors are not kept any more. */
static bool read_id(const struct mup_events *events, const char *id, uint64_t *number)
{
    char *rest;
    uint64_t run = strtoull(id, &rest, 16);

    if (run != events->run || *rest != '-' || strlen(id) >= ID_SIZE) {
        return false;
    }
    *number = strtoull(rest + 1, &rest, 10);
    return *rest == '\0' && *number <= events->last && *number + 1 >= events->first;
}

static void send_event(const struct mup_events *events, struct listener *listener, const char *name,
                       const json_t *json)
{
    char *text = json ? format_event(events, name, json) : NULL;

    if (text) {
        mup_http_stream_send(listener->stream, text);
    }
    free(text);
}

/* What happened since, or that it is not known any more. */
static void catch_up(struct mup_events *events, struct listener *listener, const char *last_id)
{
    uint64_t number;

    if (!read_id(events, last_id, &number)) {
        json_t *reset = json_pack("{s:s}", "reason", "what happened since is not kept any more");
        send_event(events, listener, "reset", reset);
        json_decref(reset);
        return;
    }
    for (uint64_t at = number + 1; at <= events->last; at++) {
        const struct kept *kept = kept_at(events, at);
        if (wishes(listener, kept->kind, kept->update_id, kept->uuid)) {
            mup_http_stream_send(listener->stream, kept->text);
        }
    }
}

static struct listener *listener_new(const struct mup_events_wish *wish)
{
    struct listener *listener = calloc(1, sizeof *listener);

    if (listener) {
        listener->kinds = wish->kinds;
        listener->update_id = wish->update_id;
        snprintf(listener->uuid, sizeof listener->uuid, "%s", wish->uuid ? wish->uuid : "");
        listener->has_session = wish->session_hash != NULL;
        if (wish->session_hash) {
            memcpy(listener->session_hash, wish->session_hash, sizeof listener->session_hash);
        }
    }
    return listener;
}

bool mup_events_listen(struct mup_events *events, struct mup_http_request *request,
                       const struct mup_events_wish *wish, const char *first_name,
                       const json_t *first)
{
    if (events->count == MUP_EVENTS_LISTENERS_MAX) {
        mup_events_look_after(events); /* once those that have gone are noticed, others get in */
        return false;
    }
    struct listener *listener = listener_new(wish);
    if (!listener) {
        return false;
    }
    listener->stream = mup_http_stream(request, listener);
    if (!listener->stream) {
        free(listener);
        return true; /* answered 500 */
    }
    listener->next = events->listeners;
    events->listeners = listener;
    events->count++;
    mup_http_stream_send(listener->stream, ": listening\n\n");
    send_event(events, listener, first_name, first);
    if (wish->last_id) {
        catch_up(events, listener, wish->last_id);
    }
    return true;
}

void mup_events_gone(struct mup_events *events, struct mup_http_stream *stream)
{
    struct listener **at = &events->listeners;

    while (*at && (*at)->stream != stream) {
        at = &(*at)->next;
    }
    if (*at) {
        struct listener *gone = *at;
        *at = gone->next;
        events->count--;
        free(gone);
    }
}

/* ---- begin and end ---- */

struct mup_events *mup_events_new(struct mup_loop *loop, struct mup_door *door)
{
    struct mup_events *events = calloc(1, sizeof *events);

    if (!events || !(events->period = mup_timer_new(loop, on_period, events))) {
        free(events);
        return NULL;
    }
    events->door = door;
    events->run = mup_loop_wall_ms();
    events->first = 1;
    mup_timer_start_every(events->period, MUP_EVENTS_PERIOD_MS);
    return events;
}

void mup_events_free(struct mup_events *events)
{
    if (!events) {
        return;
    }
    while (events->listeners) {
        struct listener *listener = events->listeners;
        events->listeners = listener->next;
        free(listener);
    }
    for (size_t i = 0; i < MUP_EVENTS_KEPT_MAX; i++) {
        free(events->ring[i].text);
    }
    mup_timer_free(events->period);
    free(events);
}
