/* Devices over REST. */
#include "server/api_internal.h"

#include <string.h>

#include "server/fleet/fleet.h"
#include "server/fleet/running.h"

/* ---- all of them ---- */

static void on_devices(void *arg, const struct mup_fault *fault,
                       const struct mup_directory *directory)
{
    struct mup_http_request *request = arg;
    const struct mup_api *api = mup_http_owner(request);
    struct mup_running running;

    if (fault) {
        mup_answer_fault(request, fault);
        return;
    }
    json_t *list = json_array();
    mup_running_make(&running, api->parts.updates);
    for (size_t i = 0; i < directory->count; i++) {
        const struct mup_directory_device *device = &directory->devices[i];
        json_array_append_new(
            list, mup_fleet_device_json(device, mup_running_find(&running, device->uuid)));
    }
    mup_running_free(&running);
    mup_answer_json(request, 200,
                    json_pack("{s:o, s:I, s:I, s:i}", "devices", list, "total",
                              (json_int_t)directory->count, "matching",
                              (json_int_t)directory->count, "offset", 0));
}

/* False: there is nothing to show yet, and that has been answered. */
static bool is_filled(const struct mup_api *api, struct mup_http_request *request)
{
    if (mup_mirror_is_filled(api->parts.mirror)) {
        return true;
    }
    mup_answer_refuse(request, MUP_FAULT_BRIDGE_UNREACHABLE,
                      "the bridge has not been reached since this server started");
    return false;
}

void mup_api_get_devices(struct mup_api *api, const struct mup_ask *ask)
{
    struct mup_fleet_query query;
    struct mup_fault fault;
    bool is_asked;

    if (!mup_fleet_read_query(&query, &is_asked, ask->request, &fault)) {
        mup_answer_fault(ask->request, &fault);
    } else if (!is_asked) {
        mup_edge_look(api->parts.edge, on_devices, ask->request);
    } else if (is_filled(api, ask->request)) {
        mup_answer_json(ask->request, 200,
                        mup_fleet_page_json(api->parts.mirror, api->parts.updates, &query));
    }
}

void mup_api_get_fleet(struct mup_api *api, const struct mup_ask *ask)
{
    if (is_filled(api, ask->request)) {
        mup_answer_json(ask->request, 200,
                        mup_fleet_counts_json(api->parts.mirror, api->parts.updates));
    }
}
