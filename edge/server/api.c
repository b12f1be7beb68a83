/* Paths, the token, bodies, answers. Each handler answers at once or passes the request on as the
 * argument of a callback that does. */
#include "server/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mup/sign/sign1.h"
#include "runtime/log.h"
#include "server/metrics.h"
#include "server/update_json.h"

struct mup_api {
    struct mup_http *http;
    struct mup_api_parts parts;
    bool serves;
    uint8_t token_hash[32];
    struct mup_events events;
};

static const char pointer[] =
    "mup-server: the update server of MUP.\n"
    "\n"
    "GET  /api/v1/devices\n"
    "GET  /api/v1/releases\n"
    "POST /api/v1/releases          {\"url\": \"https://HOST/APP/VERSION/HARDWARE\"}\n"
    "GET  /api/v1/updates\n"
    "POST /api/v1/updates           {\"device\": \"UUID or name\", \"release\": ID}\n"
    "GET  /api/v1/updates/ID\n"
    "GET  /api/v1/updates/ID/events\n"
    "GET  /api/v1/events\n"
    "GET  /metrics\n"
    "\n"
    "Send \"Authorization: Bearer TOKEN\". The command mup does all this for you.\n";

/* ---- answers ---- */

/* Takes the reference. */
static void reply_json(struct mup_http_request *request, unsigned status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    mup_http_reply(request, status, "application/json", text);
}

static json_t *fault_json(const struct mup_fault *fault)
{
    json_t *message = json_string(fault->message);

    return json_pack("{s:{s:s, s:o, s:s}}", "error", "code", mup_fault_name(fault->code), "message",
                     message ? message : json_string("(not UTF-8)"), "hint",
                     mup_fault_hint(fault->code));
}

static void reply_fault(struct mup_http_request *request, const struct mup_fault *fault)
{
    reply_json(request, mup_fault_http_status(fault->code), fault_json(fault));
}

static void refuse(struct mup_http_request *request, enum mup_fault_code code, const char *message)
{
    struct mup_fault fault;

    mup_fault_set(&fault, code, "%s", message);
    reply_fault(request, &fault);
}

/* {"NAME": list}; a list that could not be made is the store's fault. */
static void reply_list(struct mup_http_request *request, const char *name, json_t *list)
{
    if (list) {
        reply_json(request, 200, json_pack("{s:o}", name, list));
    } else {
        refuse(request, MUP_FAULT_STORE, "the store cannot be read");
    }
}

/* ---- devices ---- */

static json_t *device_json(const struct mup_directory_device *d)
{
    /* Online is what the bridge calls ready: it has a description and is connected. */
    bool online = strcmp(d->state, "ready") == 0 || strcmp(d->state, "announced") == 0;

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:s}", "uuid", d->uuid, "name",
                     d->name, "category", d->category, "module", d->module, "state", d->state,
                     "reason", d->reason, "online", online, "version",
                     d->has_version ? json_integer(d->version) : json_null(), "on_trial",
                     d->has_on_trial ? json_boolean(d->on_trial) : json_null(), "last_seen",
                     d->last_seen);
}

static void on_devices(void *arg, const struct mup_fault *fault,
                       const struct mup_directory *directory)
{
    struct mup_http_request *request = arg;
    json_t *list = json_array();

    if (fault) {
        json_decref(list);
        reply_fault(request, fault);
        return;
    }
    for (size_t i = 0; i < directory->count; i++) {
        json_array_append_new(list, device_json(&directory->devices[i]));
    }
    reply_list(request, "devices", list);
}

static void get_devices(struct mup_api *api, struct mup_http_request *request)
{
    mup_edge_look(api->parts.edge, on_devices, request);
}

/* ---- releases ---- */

static void get_releases(struct mup_api *api, struct mup_http_request *request)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mup_releases_count(api->parts.releases); i++) {
        json_array_append_new(list, mup_release_json(mup_releases_at(api->parts.releases, i)));
    }
    reply_list(request, "releases", list);
}

static void on_added(void *arg, const struct mup_fault *fault,
                     const struct mup_stored_release *release)
{
    if (fault) {
        reply_fault(arg, fault);
    } else {
        reply_json(arg, 201, mup_release_json(release));
    }
}

static void post_release(struct mup_api *api, struct mup_http_request *request, const json_t *body)
{
    struct mup_fault fault;
    const char *url = json_string_value(json_object_get(body, "url"));

    if (!url || json_object_size(body) != 1) {
        refuse(request, MUP_FAULT_BAD_REQUEST, "the body is not {\"url\": TEXT}");
    } else if (mup_releases_add(api->parts.releases, url, on_added, request, &fault) !=
               MUP_FAULT_NONE) {
        reply_fault(request, &fault);
    }
}

/* ---- updates ---- */

static void on_started(void *arg, const struct mup_fault *fault, int64_t running_id,
                       const json_t *json)
{
    if (!fault) {
        reply_json(arg, 202, json_deep_copy(json));
        return;
    }
    json_t *answer = fault_json(fault);
    if (running_id != 0) {
        json_object_set_new(json_object_get(answer, "error"), "id", json_integer(running_id));
    }
    reply_json(arg, mup_fault_http_status(fault->code), answer);
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
    struct mup_fault fault;
    const char *app = json_string_value(json_object_get(name, "app"));
    const char *hardware = json_string_value(json_object_get(name, "hardware"));

    if (app && hardware) {
        mup_fault_set(&fault, MUP_FAULT_UNKNOWN_RELEASE, "no release %.64s/%lld/%.64s is kept here",
                      app, (long long)json_integer_value(json_object_get(name, "version")),
                      hardware);
    } else if (json_is_integer(name)) {
        mup_fault_set(&fault, MUP_FAULT_UNKNOWN_RELEASE, "no release %lld is kept here",
                      (long long)json_integer_value(name));
    } else {
        mup_fault_set(&fault, MUP_FAULT_UNKNOWN_RELEASE, "no such release is kept here");
    }
    reply_fault(request, &fault);
}

static void post_update(struct mup_api *api, struct mup_http_request *request, const json_t *body)
{
    const json_t *force = json_object_get(body, "force");
    struct mup_updates_wish wish = {
        .device = json_string_value(json_object_get(body, "device")),
        .release = named_release(api, json_object_get(body, "release")),
        .force = json_is_true(force),
    };

    if (!wish.device || !json_object_get(body, "release") || (force && !json_is_boolean(force)) ||
        !has_only_known_keys(body)) {
        refuse(request, MUP_FAULT_BAD_REQUEST,
               "the body is not {\"device\": TEXT, \"release\": ID or {\"app\", \"version\", "
               "\"hardware\"}}");
    } else if (!wish.release) {
        refuse_release(request, json_object_get(body, "release"));
    } else {
        mup_updates_start(api->parts.updates, &wish, on_started, request);
    }
}

static void get_updates(struct mup_api *api, struct mup_http_request *request)
{
    reply_list(request, "updates",
               mup_updates_list_json(api->parts.updates, MUP_API_UPDATES_SHOWN));
}

static void get_update(struct mup_api *api, struct mup_http_request *request, int64_t id,
                       bool listen)
{
    json_t *json = mup_updates_json(api->parts.updates, id);

    if (!json) {
        char message[64];

        snprintf(message, sizeof message, "there is no update %lld", (long long)id);
        refuse(request, MUP_FAULT_NOT_FOUND, message);
    } else if (!listen) {
        reply_json(request, 200, json);
    } else {
        if (!mup_events_listen(&api->events, request, id, json)) {
            refuse(request, MUP_FAULT_BUSY, "too many listen to events");
        }
        json_decref(json);
    }
}

static void get_events(struct mup_api *api, struct mup_http_request *request)
{
    if (!mup_events_listen(&api->events, request, 0, NULL)) {
        refuse(request, MUP_FAULT_BUSY, "too many listen to events");
    }
}

static void get_metrics(struct mup_api *api, struct mup_http_request *request)
{
    mup_http_reply(request, 200, "text/plain; version=0.0.4",
                   mup_metrics_text(api->parts.updates, api->parts.releases, api->parts.mqtt));
}

/* ---- paths ---- */

static const struct route {
    const char *path;
    void (*get)(struct mup_api *api, struct mup_http_request *request);
    void (*post)(struct mup_api *api, struct mup_http_request *request, const json_t *body);
} routes[] = {
    {"/api/v1/devices", get_devices, NULL},
    {"/api/v1/releases", get_releases, post_release},
    {"/api/v1/updates", get_updates, post_update},
    {"/api/v1/events", get_events, NULL},
    {"/metrics", get_metrics, NULL},
};

/* The token is compared by its hash, so that the time taken says nothing about it. */
static bool may_ask(const struct mup_api *api, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    uint8_t hash[32];
    uint8_t difference = 0;

    if (strncmp(authorization, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    const char *token = authorization + sizeof scheme - 1;
    mup_sha256_host(hash, token, strlen(token));
    for (size_t i = 0; i < sizeof hash; i++) {
        difference |= (uint8_t)(hash[i] ^ api->token_hash[i]);
    }
    return difference == 0;
}

static void post(struct mup_api *api, struct mup_http_request *request,
                 const struct mup_http_view *view, const struct route *route)
{
    json_error_t error;
    char message[MUP_FAULT_MESSAGE_SIZE];
    json_t *body = json_loadb(view->body, view->body_size, JSON_REJECT_DUPLICATES, &error);

    if (json_is_object(body)) {
        route->post(api, request, body);
    } else {
        snprintf(message, sizeof message, "the body is not a JSON object: %.100s at byte %d",
                 body ? "another value" : error.text, body ? 0 : error.position);
        refuse(request, MUP_FAULT_BAD_REQUEST, message);
    }
    json_decref(body);
}

static void take_route(struct mup_api *api, struct mup_http_request *request,
                       const struct mup_http_view *view, const struct route *route)
{
    if (strcmp(view->method, "GET") == 0 && route->get) {
        route->get(api, request);
    } else if (strcmp(view->method, "POST") == 0 && route->post) {
        post(api, request, view, route);
    } else {
        refuse(request, MUP_FAULT_METHOD_NOT_ALLOWED, "this path does not take this method");
    }
}

/* /api/v1/updates/ID and /api/v1/updates/ID/events. False: neither. */
static bool take_update_path(struct mup_api *api, struct mup_http_request *request,
                             const struct mup_http_view *view)
{
    static const char prefix[] = "/api/v1/updates/";
    char *rest;

    if (strncmp(view->path, prefix, sizeof prefix - 1) != 0) {
        return false;
    }
    const char *digits = view->path + sizeof prefix - 1;
    if (digits[0] < '1' || digits[0] > '9' || strlen(digits) > 32) {
        return false;
    }
    long long id = strtoll(digits, &rest, 10);
    bool listen = strcmp(rest, "/events") == 0;
    if (*rest != '\0' && !listen) {
        return false;
    }
    if (strcmp(view->method, "GET") == 0) {
        get_update(api, request, id, listen);
    } else {
        refuse(request, MUP_FAULT_METHOD_NOT_ALLOWED, "this path does not take this method");
    }
    return true;
}

static void on_request(void *arg, struct mup_http_request *request,
                       const struct mup_http_view *view)
{
    struct mup_api *api = arg;

    if (strcmp(view->path, "/") == 0 && strcmp(view->method, "GET") == 0) {
        mup_http_reply(request, 200, "text/plain", strdup(pointer));
        return;
    }
    if (!may_ask(api, view->authorization)) {
        refuse(request, MUP_FAULT_UNAUTHORIZED, "no token, or not the right one");
        return;
    }
    if (!api->serves) {
        refuse(request, MUP_FAULT_BUSY, "the server is starting");
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(routes[i].path, view->path) == 0) {
            take_route(api, request, view, &routes[i]);
            return;
        }
    }
    if (!take_update_path(api, request, view)) {
        refuse(request, MUP_FAULT_NOT_FOUND, "there is nothing at this path");
    }
}

static void on_stream_gone(void *arg, struct mup_http_stream *stream)
{
    struct mup_api *api = arg;

    mup_events_gone(&api->events, stream);
}

static char *too_large(void *arg)
{
    struct mup_fault fault;

    (void)arg;
    mup_fault_set(&fault, MUP_FAULT_BODY_TOO_LARGE, "the body has more than %u bytes",
                  MUP_HTTP_BODY_SIZE_MAX);
    json_t *json = fault_json(&fault);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

void mup_api_tell(void *arg, const char *kind, int64_t update_id, const json_t *update)
{
    struct mup_api *api = arg;

    mup_events_tell(&api->events, kind, update_id, update);
}

/* ---- begin and end ---- */

struct mup_api *mup_api_new(struct mup_loop *loop, const struct mup_http_settings *settings,
                            const char *token, char error[MUP_HTTP_ERROR_SIZE])
{
    static const struct mup_http_callbacks callbacks = {
        .on_request = on_request, .on_stream_gone = on_stream_gone, .too_large = too_large};
    struct mup_api *api = calloc(1, sizeof *api);

    if (!api) {
        snprintf(error, MUP_HTTP_ERROR_SIZE, "no memory");
        return NULL;
    }
    mup_sha256_host(api->token_hash, token, strlen(token));
    api->http = mup_http_new(loop, settings, &callbacks, api, error);
    if (!api->http) {
        free(api);
        return NULL;
    }
    return api;
}

void mup_api_serve(struct mup_api *api, const struct mup_api_parts *parts)
{
    api->parts = *parts;
    api->serves = true;
}

uint16_t mup_api_port(const struct mup_api *api)
{
    return mup_http_port(api->http);
}

void mup_api_free(struct mup_api *api)
{
    if (api) {
        api->serves = false;
        mup_http_free(api->http);
        free(api);
    }
}
