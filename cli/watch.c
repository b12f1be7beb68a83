/* Server-sent events of one update: read, show, until the end. */
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "command.h"
#include "json.h"

#define EVENT_SIZE_MAX (256u * 1024u)
#define RECONNECTS_MAX 60
#define BAR_WIDTH      32

struct watcher {
    void (*show)(void *context, const json_t *update);
    void *context;
    json_t *last;
    char line[EVENT_SIZE_MAX];
    size_t size;
};

int mup_update_has_ended(const json_t *update)
{
    return json_is_string(json_object_get(update, "result"));
}

/* "data: {...}": the only line of an event that matters here. */
static void take_line(struct watcher *watcher)
{
    static const char prefix[] = "data: ";
    json_t *update;

    watcher->line[watcher->size] = '\0';
    if (strncmp(watcher->line, prefix, sizeof prefix - 1) != 0)
        return;
    update = json_loads(watcher->line + sizeof prefix - 1, 0, NULL);
    if (!json_is_object(update)) {
        json_decref(update);
        return;
    }
    json_decref(watcher->last);
    watcher->last = update;
    watcher->show(watcher->context, update);
}

static size_t take_bytes(char *bytes, size_t one, size_t count, void *context)
{
    struct watcher *watcher = context;

    for (size_t i = 0; i < one * count; i++) {
        if (bytes[i] == '\n') {
            take_line(watcher);
            watcher->size = 0;
        } else if (watcher->size + 1 < EVENT_SIZE_MAX) {
            watcher->line[watcher->size++] = bytes[i];
        }
        if (mup_update_has_ended(watcher->last))
            return 0; /* ends the transfer: there will be no more news */
    }
    return one * count;
}

int mup_watch(const struct mup_rest *rest, json_int_t id,
              void (*show)(void *context, const json_t *update), void *context, json_t **last)
{
    struct watcher *watcher = calloc(1, sizeof *watcher);
    char path[64];
    int code = MUP_EXIT_FAILED;

    if (watcher == NULL)
        return mup_fail("out of memory");
    watcher->show = show;
    watcher->context = context;
    snprintf(path, sizeof path, "/api/v1/updates/%lld/events", (long long)id);
    for (int i = 0; i < RECONNECTS_MAX && !mup_update_has_ended(watcher->last); i++) {
        if (i > 0)
            sleep(1); /* the server is away; it takes updates up again when it is back */
        watcher->size = 0;
        mup_rest_stream(rest, path, take_bytes, watcher);
    }
    if (mup_update_has_ended(watcher->last)) {
        *last = watcher->last;
        code = MUP_EXIT_DONE;
    } else {
        json_decref(watcher->last);
        mup_fail("the update server at %s went away; the update goes on when it is back, "
                 "see: mup updates %lld",
                 rest->server, (long long)id);
    }
    free(watcher);
    return code;
}

static void show_bar(const struct mup_show *show, const char *state, json_int_t at, json_int_t of)
{
    int filled = of > 0 ? (int)(at * BAR_WIDTH / of) : 0;

    if (!show->is_terminal)
        return;
    fprintf(stderr, "\r  %-9s [", state);
    for (int i = 0; i < BAR_WIDTH; i++)
        fputc(i < filled ? '#' : '.', stderr);
    fprintf(stderr, "] %lld of %lld bytes ", (long long)at, (long long)of);
}

void mup_show_update(void *context, const json_t *update)
{
    struct mup_show *show = context;
    const json_t *progress = json_object_get(update, "progress");
    const char *state = mup_json_clean(update, "state", "?");

    if (strcmp(state, "transfer") == 0 && json_is_object(progress))
        show_bar(show, state, mup_json_number(progress, "at", 0),
                 mup_json_number(progress, "of", 0));
    if (strcmp(state, show->state) == 0)
        return;
    if (show->is_terminal && strcmp(show->state, "transfer") == 0)
        fputc('\n', stderr);
    if (!mup_update_has_ended(update) && !(show->is_terminal && strcmp(state, "transfer") == 0))
        fprintf(stderr, "  %s%s\n", state,
                strcmp(state, "requested") == 0 && show->state[0] != '\0'
                    ? " again: the device did not answer any more"
                    : "");
    snprintf(show->state, sizeof show->state, "%s", state);
}

int mup_show_outcome(const json_t *update)
{
    const char *result = mup_json_clean(update, "result", "?");
    const char *reason = mup_json_clean(update, "reason", "");
    const char *message = mup_json_clean(update, "message", "");

    if (strcmp(result, "confirmed") == 0) {
        printf("confirmed: version %lld runs on %s\n", (long long)mup_json_number(update, "to", 0),
               mup_json_clean(json_object_get(update, "device"), "name", "the device"));
        return MUP_EXIT_DONE;
    }
    return mup_fail("%s%s%s%s%s", result, reason[0] == '\0' ? "" : ": ", reason,
                    message[0] == '\0' ? "" : "; ", message);
}
