/* Updates over REST: begin, list, watch. */
#include "server/api_internal.h"

#include <stdio.h>
#include <string.h>

static void on_started(void *arg, const struct mup_fault *fault, int64_t running_id,
                       const json_t *json)
{
    if (!fault) {
        mup_answer_json(arg, 202, json_deep_copy(json));
        return;
    }
    json_t *answer = mup_fault_json(fault);
    if (running_id != 0) {
        json_object_set_new(json_object_get(answer, "error"), "id", json_integer(running_id));
    }
    mup_answer_json(arg, mup_fault_http_status(fault->code), answer);
}

/* "release" is an id, or {"app", "version", "hardware"}. */
static const struct mup_stored_release *named_release(const struct mup_api *api, const json_t *name)
{
    const char *app = json_string_value(json_object_get(name, "app"));
    const char *hardware = json_string_value(json_object_get(name, "hardware"));
    const json_t *version = json_object_get(name, "version");

    if (json_is_integer(name)) {
        return mup_releases_by_id(api->parts.releases, json_integer_value(name));
    }
    if (!app || !hardware || !json_is_integer(version) || json_integer_value(version) < 0 ||
        json_integer_value(version) > UINT32_MAX) {
        return NULL;
    }
    return mup_releases_find(api->parts.releases, app, (uint32_t)json_integer_value(version),
                             hardware);
}

static bool has_only_known_keys(const json_t *body)
{
    size_t known = (json_object_get(body, "device") != NULL) +
                   (size_t)(json_object_get(body, "release") != NULL) +
                   (size_t)(json_object_get(body, "force") != NULL);

    return json_object_size(body) == known;
}

/* As the request named it, shortened if need be. */
static void refuse_release(struct mup_http_request *request, const json_t *name)
{
    const char *app = json_string_value(json_object_get(name, "app"));
    const char *hardware = json_string_value(json_object_get(name, "hardware"));

    if (app && hardware) {
        mup_answer_refuse(
            request, MUP_FAULT_UNKNOWN_RELEASE, "no release %.64s/%lld/%.64s is kept here", app,
            (long long)json_integer_value(json_object_get(name, "version")), hardware);
    } else if (json_is_integer(name)) {
        mup_answer_refuse(request, MUP_FAULT_UNKNOWN_RELEASE, "no release %lld is kept here",
                          (long long)json_integer_value(name));
    } else {
        mup_answer_refuse(request, MUP_FAULT_UNKNOWN_RELEASE, "no such release is kept here");
    }
}

void mup_api_post_update(struct mup_api *api, const struct mup_ask *ask)
{
    const json_t *body = ask->body;
    const json_t *force = json_object_get(body, "force");
    struct mup_updates_wish wish = {
        .device = json_string_value(json_object_get(body, "device")),
        .release = named_release(api, json_object_get(body, "release")),
        .force = json_is_true(force),
    };

    if (!wish.device || !json_object_get(body, "release") || (force && !json_is_boolean(force)) ||
        !has_only_known_keys(body)) {
        mup_answer_refuse(ask->request, MUP_FAULT_BAD_REQUEST,
                          "the body is not {\"device\": TEXT, \"release\": ID or {\"app\", "
                          "\"version\", \"hardware\"}}");
    } else if (!wish.release) {
        refuse_release(ask->request, json_object_get(body, "release"));
    } else {
        mup_updates_start(api->parts.updates, &wish, on_started, ask->request);
    }
}

void mup_api_get_updates(struct mup_api *api, const struct mup_ask *ask)
{
    mup_answer_list(ask->request, "updates",
                    mup_updates_list_json(api->parts.updates, MUP_API_UPDATES_SHOWN));
}

/* The update that the path names; NULL: there is none, and that has been answered. */
static json_t *named_update(struct mup_api *api, const struct mup_ask *ask, int64_t *id)
{
    *id = mup_route_id(ask->parts.texts[0]);
    json_t *json = *id == 0 ? NULL : mup_updates_json(api->parts.updates, *id);

    if (!json) {
        mup_answer_refuse(ask->request, MUP_FAULT_NOT_FOUND, "there is no update %.20s",
                          ask->parts.texts[0]);
    }
    return json;
}

void mup_api_get_update(struct mup_api *api, const struct mup_ask *ask)
{
    int64_t id;
    json_t *json = named_update(api, ask, &id);

    if (json) {
        mup_answer_json(ask->request, 200, json);
    }
}

void mup_api_get_update_events(struct mup_api *api, const struct mup_ask *ask)
{
    struct mup_events_wish wish = {.kinds = 1u << MUP_EVENT_UPDATE | 1u << MUP_EVENT_PROGRESS,
                                   .session_hash =
                                       ask->person->session ? ask->person->session_hash : NULL};
    json_t *json = named_update(api, ask, &wish.update_id);

    if (json && !mup_events_listen(api->events, ask->request, &wish, "update", json)) {
        mup_answer_refuse(ask->request, MUP_FAULT_BUSY, "%u listen to events already",
                          MUP_EVENTS_LISTENERS_MAX);
    }
    json_decref(json);
}
