/* The list of listeners. */
#include "server/events.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mup_events_listener {
    struct mup_events_listener *next;
    struct mup_http_stream *stream;
    int64_t update_id;
};

/* "event: KIND\ndata: JSON\n\n"; jansson writes no line ends when it is compact. */
static char *format_event(const char *kind, const json_t *json)
{
    char *data = json_dumps(json, JSON_COMPACT);
    size_t size = data ? strlen(data) + strlen(kind) + sizeof "event: \ndata: \n\n" : 0;
    char *text = data ? malloc(size) : NULL;

    if (text) {
        snprintf(text, size, "event: %s\ndata: %s\n\n", kind, data);
    }
    free(data);
    return text;
}

bool mup_events_listen(struct mup_events *events, struct mup_http_request *request,
                       int64_t update_id, const json_t *first)
{
    struct mup_events_listener *listener =
        events->count < MUP_EVENTS_LISTENERS_MAX ? calloc(1, sizeof *listener) : NULL;

    if (!listener) {
        return false;
    }
    listener->stream = mup_http_stream(request, listener);
    if (!listener->stream) {
        free(listener);
        return true; /* answered 500 */
    }
    listener->update_id = update_id;
    listener->next = events->listeners;
    events->listeners = listener;
    events->count++;
    char *text = first ? format_event("update", first) : NULL;
    mup_http_stream_send(listener->stream, text ? text : ": listening\n\n");
    free(text);
    return true;
}

void mup_events_tell(struct mup_events *events, const char *kind, int64_t update_id,
                     const json_t *json)
{
    char *text = NULL;

    for (struct mup_events_listener *l = events->listeners; l; l = l->next) {
        if (l->update_id != 0 && l->update_id != update_id) {
            continue;
        }
        if (!text && !(text = format_event(kind, json))) {
            return;
        }
        mup_http_stream_send(l->stream, text);
    }
    free(text);
}

void mup_events_gone(struct mup_events *events, struct mup_http_stream *stream)
{
    struct mup_events_listener **at = &events->listeners;

    while (*at && (*at)->stream != stream) {
        at = &(*at)->next;
    }
    if (*at) {
        struct mup_events_listener *gone = *at;
        *at = gone->next;
        events->count--;
        free(gone);
    }
}
