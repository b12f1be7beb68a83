/* Devices over REST. */
#include "server/api_internal.h"

#include <string.h>

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
    json_t *list = json_array();

    if (fault) {
        json_decref(list);
        mup_answer_fault(arg, fault);
        return;
    }
    for (size_t i = 0; i < directory->count; i++) {
        json_array_append_new(list, device_json(&directory->devices[i]));
    }
    mup_answer_list(arg, "devices", list);
}

void mup_api_get_devices(struct mup_api *api, const struct mup_ask *ask)
{
    mup_edge_look(api->parts.edge, on_devices, ask->request);
}
