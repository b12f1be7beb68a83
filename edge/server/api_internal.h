/* What the files of the REST interface share: api.c has the paths, the others what they do. */
#ifndef MUP_SERVER_API_INTERNAL_H
#define MUP_SERVER_API_INTERNAL_H

#include "server/api.h"
#include "server/web/answer.h"
#include "server/web/door.h"
#include "server/web/route.h"

struct mup_api {
    struct mup_loop *loop;
    struct mup_http *http;
    struct mup_door *door;
    struct mup_api_parts parts;
    bool serves;
    struct mup_events *events;
    struct mup_visit *visits; /* under way */
};

/* One request on its way to who answers it. All but `request` ends with the call. */
struct mup_ask {
    struct mup_http_request *request;
    const struct mup_http_view *view;
    struct mup_route_parts parts;
    const json_t *body; /* an object; NULL with GET */
    const struct mup_person *person;
};

typedef void mup_api_handler(struct mup_api *api, const struct mup_ask *ask);

/* What each stream of events begins with. */
json_t *mup_api_ready_json(const struct mup_api *api);

/* api_devices.c */
mup_api_handler mup_api_get_devices;
mup_api_handler mup_api_get_fleet;
mup_api_handler mup_api_get_device;
mup_api_handler mup_api_get_module;
mup_api_handler mup_api_get_device_updates;

/* api_rpcs.c */
mup_api_handler mup_api_post_rpc;

/* api_releases.c */
mup_api_handler mup_api_get_releases;
mup_api_handler mup_api_get_release;
mup_api_handler mup_api_post_release;

/* api_check.c */
mup_api_handler mup_api_get_check;

/* api_updates.c */
mup_api_handler mup_api_get_updates;
mup_api_handler mup_api_post_update;
mup_api_handler mup_api_get_update;
mup_api_handler mup_api_get_update_events;

#endif
