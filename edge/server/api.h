/*
 * The REST interface: what a person or a program asks of the update server.
 *
 *     GET  /                            what there is, as text; without a token
 *     GET  /api/v1/devices              {"devices": [...]}: the bridge's list, at this moment
 *     GET  /api/v1/releases             {"releases": [...]}
 *     POST /api/v1/releases             {"url": FOLDER} -> 201, the release
 *     GET  /api/v1/updates              {"updates": [...]}, the newest MUP_API_UPDATES_SHOWN
 *     POST /api/v1/updates              {"device": UUID or name, "release": ID or {"app",
 *                                       "version", "hardware"}, "force": false} -> 202, the update
 *     GET  /api/v1/updates/ID           one update with its steps
 *     GET  /api/v1/updates/ID/events    server-sent events of it: "update" and "progress"
 *     GET  /api/v1/events               the same of all updates
 *     GET  /metrics                     Prometheus text
 *
 * Every path but / wants "Authorization: Bearer TOKEN". Errors are {"error": {"code", "message",
 * "hint"}}; the codes stand in fault.c. An update that is in the way comes with its "id".
 */
#ifndef MUP_SERVER_API_H
#define MUP_SERVER_API_H

#include <stdint.h>

#include "server/edge.h"
#include "server/events.h"
#include "server/fleet/mirror.h"
#include "server/fleet/points.h"
#include "server/forms/caller.h"
#include "server/forms/schemas.h"
#include "server/http.h"
#include "server/releases.h"
#include "server/updates.h"
#include "server/web/door.h"

#define MUP_API_UPDATES_SHOWN  100u
#define MUP_API_TOKEN_SIZE_MIN 16u
#define MUP_API_TOKEN_SIZE_MAX 256u

struct mup_api;

struct mup_api_parts {
    struct mup_releases *releases;
    struct mup_updates *updates;
    struct mup_edge *edge;
    struct mup_mqtt_session *mqtt; /* for metrics; may be NULL */
    struct mup_mirror *mirror;
    struct mup_point_reader *points;
    struct mup_schemas *schemas;
    struct mup_caller *caller;
};

/* Listen. NULL: `error` says why. Parts are given by mup_api_serve(); until then every request but
 * those for the page's files is answered 503. */
struct mup_api *mup_api_new(struct mup_loop *loop, const struct mup_http_settings *settings,
                            const struct mup_door_settings *door, char error[MUP_HTTP_ERROR_SIZE]);
void mup_api_serve(struct mup_api *api, const struct mup_api_parts *parts);

/* Free what calls back (fetcher, store, edge) before. */
void mup_api_free(struct mup_api *api);

uint16_t mup_api_port(const struct mup_api *api);

/* What the mirror tells: give it to mup_mirror_new(), with the API as its argument. */
extern const struct mup_mirror_callbacks mup_api_mirror_callbacks;

/* Tell the listeners; has the shape of mup_updates_callbacks' on_event. */
void mup_api_tell(void *api, const char *kind, int64_t update_id, const json_t *update);

#endif
