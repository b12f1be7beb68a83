/* Paths, bodies, and who may ask. Each handler answers at once or passes the request on as the
 * argument of a callback that does. */
#include "server/api_visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/metrics.h"
#include "server/web/page.h"

static const char pointer[] =
    "mup-server: the update server of MUP.\n"
    "\n"
    "POST   /api/v1/session           {\"user\": TEXT, \"password\": TEXT}\n"
    "GET    /api/v1/session\n"
    "DELETE /api/v1/session\n"
    "GET    /api/v1/devices           ?search= category= version= state= update= sort= offset= "
    "limit=\n"
    "GET    /api/v1/fleet\n"
    "GET    /api/v1/devices/DEVICE\n"
    "GET    /api/v1/devices/DEVICE/module\n"
    "POST   /api/v1/devices/DEVICE/rpcs/RPC  {\"input\": {...}}\n"
    "GET    /api/v1/devices/DEVICE/updates\n"
    "GET    /api/v1/releases\n"
    "POST   /api/v1/releases          {\"url\": \"https://HOST/APP/VERSION/HARDWARE\"}\n"
    "GET    /api/v1/releases/ID\n"
    "GET    /api/v1/updates\n"
    "POST   /api/v1/updates           {\"device\": \"UUID or name\", \"release\": ID}\n"
    "GET    /api/v1/updates/check     ?device= release= ask=\n"
    "GET    /api/v1/updates/ID\n"
    "GET    /api/v1/updates/ID/events\n"
    "GET    /api/v1/events            ?kinds= device=\n"
    "GET    /api/v1/openapi.json      all of this for programs\n"
    "GET    /metrics\n"
    "\n"
    "Send \"Authorization: Bearer TOKEN\", or log in. The command mup does all this for you.\n";

/* ---- paths of this file ---- */

static void get_pointer(struct mup_api *api, const struct mup_ask *ask)
{
    (void)api;
    mup_http_reply(ask->request, 200, "text/plain; charset=utf-8", strdup(pointer));
}

static void log_in(struct mup_api *api, const struct mup_ask *ask)
{
    mup_door_log_in(api->door, ask->request, ask->view, ask->body);
}

static void get_session(struct mup_api *api, const struct mup_ask *ask)
{
    mup_door_tell(api->door, ask->request);
}

static void log_out(struct mup_api *api, const struct mup_ask *ask)
{
    mup_door_log_out(api->door, ask->request);
    mup_events_look_after(api->events);
}

static void get_metrics(struct mup_api *api, const struct mup_ask *ask)
{
    mup_http_reply(ask->request, 200, "text/plain; version=0.0.4",
                   mup_metrics_text(api->parts.updates, api->parts.releases, api->parts.mqtt));
}

/* "update,device": bits. False: one of them is none. */
static bool read_kinds(unsigned *kinds, const char *text, char wrong[32])
{
    *kinds = 0;
    while (*text) {
        enum mup_event_kind kind;
        size_t size = strcspn(text, ",");
        snprintf(wrong, 32, "%.*s", (int)(size < 31 ? size : 31), text);
        if (!mup_event_kind_from_name(&kind, wrong)) {
            return false;
        }
        *kinds |= 1u << kind;
        text += text[size] == ',' ? size + 1 : size;
    }
    return true;
}

static void get_events(struct mup_api *api, const struct mup_ask *ask)
{
    const char *kinds = mup_http_query(ask->request, "kinds");
    const char *last_id = mup_http_header(ask->request, "Last-Event-ID");
    struct mup_events_wish wish = {
        .kinds = ~0u,
        .uuid = mup_http_query(ask->request, "device"),
        .last_id = last_id ? last_id : mup_http_query(ask->request, "last-event-id"),
        .session_hash = ask->person->session ? ask->person->session_hash : NULL,
    };
    char wrong[32] = "";

    if (kinds && !read_kinds(&wish.kinds, kinds, wrong)) {
        mup_answer_refuse(ask->request, MUP_FAULT_BAD_REQUEST, "kinds: there is no event \"%s\"",
                          wrong);
        return;
    }
    json_t *ready = mup_api_ready_json(api);
    if (!mup_events_listen(api->events, ask->request, &wish, "ready", ready)) {
        mup_answer_refuse(ask->request, MUP_FAULT_BUSY, "%u listen to events already",
                          MUP_EVENTS_LISTENERS_MAX);
    }
    json_decref(ready);
}

/* ---- paths ---- */

/* Who need not be anybody. */
#define ROLE_NONE MUP_ROLE_COUNT

/* The first that fits counts. */
static const struct route {
    const char *method;
    const char *path;
    enum mup_role role; /* the least */
    mup_api_handler *handler;
} routes[] = {
    {"GET", "/api/v1", ROLE_NONE, get_pointer},
    {"POST", "/api/v1/session", ROLE_NONE, log_in},
    {"GET", "/api/v1/session", ROLE_NONE, get_session},
    {"DELETE", "/api/v1/session", MUP_ROLE_READ_ONLY, log_out},
    {"GET", "/api/v1/devices", MUP_ROLE_READ_ONLY, mup_api_get_devices},
    {"GET", "/api/v1/fleet", MUP_ROLE_READ_ONLY, mup_api_get_fleet},
    {"GET", "/api/v1/devices/*", MUP_ROLE_READ_ONLY, mup_api_get_device},
    {"GET", "/api/v1/devices/*/module", MUP_ROLE_READ_ONLY, mup_api_get_module},
    {"GET", "/api/v1/devices/*/updates", MUP_ROLE_READ_ONLY, mup_api_get_device_updates},
    {"POST", "/api/v1/devices/*/rpcs/*", MUP_ROLE_OPERATOR, mup_api_post_rpc},
    {"GET", "/api/v1/releases", MUP_ROLE_READ_ONLY, mup_api_get_releases},
    {"POST", "/api/v1/releases", MUP_ROLE_OPERATOR, mup_api_post_release},
    {"GET", "/api/v1/releases/*", MUP_ROLE_READ_ONLY, mup_api_get_release},
    {"GET", "/api/v1/updates", MUP_ROLE_READ_ONLY, mup_api_get_updates},
    {"POST", "/api/v1/updates", MUP_ROLE_OPERATOR, mup_api_post_update},
    {"GET", "/api/v1/updates/check", MUP_ROLE_READ_ONLY, mup_api_get_check},
    {"GET", "/api/v1/updates/*", MUP_ROLE_READ_ONLY, mup_api_get_update},
    {"GET", "/api/v1/updates/*/events", MUP_ROLE_READ_ONLY, mup_api_get_update_events},
    {"GET", "/api/v1/events", MUP_ROLE_READ_ONLY, get_events},
    {"GET", "/metrics", MUP_ROLE_READ_ONLY, get_metrics},
};

/* NULL: *is_path says whether another method fits. */
static const struct route *find_route(const struct mup_http_view *view,
                                      struct mup_route_parts *parts, bool *is_path)
{
    *is_path = false;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (mup_route_match(routes[i].path, view->path, parts)) {
            *is_path = true;
            if (strcmp(routes[i].method, view->method) == 0) {
                return &routes[i];
            }
        }
    }
    return NULL;
}

static void take_body(struct mup_api *api, struct mup_ask *ask, const struct route *route)
{
    json_error_t error;
    json_t *body =
        json_loadb(ask->view->body, ask->view->body_size, JSON_REJECT_DUPLICATES, &error);

    if (json_is_object(body)) {
        ask->body = body;
        route->handler(api, ask);
    } else {
        mup_answer_refuse(ask->request, MUP_FAULT_BAD_REQUEST,
                          "the body is not a JSON object: %.100s at byte %d",
                          body ? "another value" : error.text, body ? 0 : error.position);
    }
    json_decref(body);
}

static void take_route(struct mup_api *api, struct mup_ask *ask, const struct route *route)
{
    if (route->role != ROLE_NONE && ask->person->role < route->role) {
        mup_answer_refuse(ask->request, MUP_FAULT_NOT_PERMITTED, "the role %s may not do this",
                          mup_role_name(ask->person->role));
    } else if (strcmp(route->method, "POST") == 0) {
        take_body(api, ask, route);
    } else {
        route->handler(api, ask);
    }
}

/* Who is nobody is told so before anything else, whatever he asks for. */
static void on_request(void *arg, struct mup_http_request *request,
                       const struct mup_http_view *view)
{
    struct mup_api *api = arg;
    struct mup_person person = {.name = ""};
    struct mup_ask ask = {.request = request, .view = view, .person = &person};
    struct mup_fault fault;
    bool is_path;

    if (mup_page_answer(request, view)) {
        return;
    }
    const struct route *route = find_route(view, &ask.parts, &is_path);
    if (!(route && route->role == ROLE_NONE) &&
        !mup_door_ask(api->door, request, view, &person, &fault)) {
        mup_answer_fault(request, &fault);
    } else if (!route && is_path) {
        mup_answer_refuse(request, MUP_FAULT_METHOD_NOT_ALLOWED,
                          "this path does not take this method");
    } else if (!route) {
        mup_answer_refuse(request, MUP_FAULT_NOT_FOUND, "there is nothing at this path");
    } else if (!api->serves) {
        mup_answer_refuse(request, MUP_FAULT_BUSY, "the server is starting");
    } else {
        take_route(api, &ask, route);
    }
}

static void on_stream_gone(void *arg, struct mup_http_stream *stream)
{
    struct mup_api *api = arg;

    mup_events_gone(api->events, stream);
}

static char *too_large(void *arg)
{
    struct mup_fault fault;

    (void)arg;
    mup_fault_set(&fault, MUP_FAULT_BODY_TOO_LARGE, "the body has more than %u bytes",
                  MUP_HTTP_BODY_SIZE_MAX);
    json_t *json = mup_fault_json(&fault);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

json_t *mup_api_ready_json(const struct mup_api *api)
{
    return json_pack("{s:s, s:b}", "server", "mup-server " MUP_VERSION, "bridge",
                     mup_mirror_is_live(api->parts.mirror) ? 1 : 0);
}

/* ---- begin and end ---- */

static bool open_parts(struct mup_api *api, const struct mup_http_settings *settings,
                       const struct mup_door_settings *door, char error[MUP_HTTP_ERROR_SIZE])
{
    static const struct mup_http_callbacks callbacks = {
        .on_request = on_request, .on_stream_gone = on_stream_gone, .too_large = too_large};

    api->door = mup_door_new(api->loop, door, error);
    if (!api->door) {
        return false;
    }
    api->events = mup_events_new(api->loop, api->door);
    if (!api->events) {
        snprintf(error, MUP_HTTP_ERROR_SIZE, "no memory");
        return false;
    }
    api->http = mup_http_new(api->loop, settings, &callbacks, api, error);
    return api->http != NULL;
}

struct mup_api *mup_api_new(struct mup_loop *loop, const struct mup_http_settings *settings,
                            const struct mup_door_settings *door, char error[MUP_HTTP_ERROR_SIZE])
{
    struct mup_api *api = calloc(1, sizeof *api);

    if (!api) {
        snprintf(error, MUP_HTTP_ERROR_SIZE, "no memory");
        return NULL;
    }
    api->loop = loop;
    if (!open_parts(api, settings, door, error)) {
        mup_api_free(api);
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
        mup_events_free(api->events);
        mup_door_free(api->door);
        while (api->visits) {
            mup_visit_end(api->visits);
        }
        free(api);
    }
}
