/* What happens to devices, as events. */
#include "server/api_internal.h"

#include <string.h>

#include "server/fleet/fleet.h"
#include "server/fleet/running.h"

/* Takes the reference. */
static void tell(struct mup_api *api, enum mup_event_kind kind, const char *uuid, json_t *json)
{
    struct mup_event_subject subject = {.uuid = uuid};

    if (json) {
        mup_events_tell(api->events, kind, &subject, json);
    }
    json_decref(json);
}

static void tell_device(struct mup_api *api, const struct mup_directory_device *device,
                        int64_t update_id)
{
    tell(api, MUP_EVENT_DEVICE, device->uuid, mup_fleet_device_json(device, update_id));
}

/* A device whose update begins or ends is another one to look at. */
static void tell_device_of(struct mup_api *api, int64_t update_id, const json_t *update)
{
    const char *uuid =
        json_string_value(json_object_get(json_object_get(update, "device"), "uuid"));
    const char *state = json_string_value(json_object_get(update, "state"));
    bool has_ended = json_is_string(json_object_get(update, "result"));

    if (!api->serves || !uuid || !state || (!has_ended && strcmp(state, "requested") != 0)) {
        return;
    }
    const struct mup_directory_device *device = mup_mirror_find(api->parts.mirror, uuid);
    if (device) {
        tell_device(api, device, has_ended ? 0 : update_id);
    }
}

void mup_api_tell(void *arg, const char *kind, int64_t update_id, const json_t *update)
{
    struct mup_api *api = arg;
    enum mup_event_kind event;
    struct mup_event_subject subject = {.update_id = update_id};

    if (mup_event_kind_from_name(&event, kind)) {
        mup_events_tell(api->events, event, &subject, update);
    }
    if (strcmp(kind, "update") == 0) {
        tell_device_of(api, update_id, update);
    }
}

static void on_device(void *arg, const struct mup_directory_device *device)
{
    struct mup_api *api = arg;
    struct mup_running running;

    if (!api->serves) {
        return;
    }
    mup_running_make(&running, api->parts.updates);
    tell_device(api, device, mup_running_find(&running, device->uuid));
    mup_running_free(&running);
}

/* A value that is not UTF-8 is told as empty: it came from a device. */
static json_t *text(const char *bytes)
{
    json_t *made = json_string(bytes);

    return made ? made : json_string("");
}

static void on_point(void *arg, const struct mup_mirror_point *point)
{
    struct mup_api *api = arg;

    if (!api->serves) {
        return;
    }
    json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:I}", "uuid", text(point->uuid), "device",
                             text(point->name), "name", text(point->point), "value",
                             text(point->value), "at_ms", (json_int_t)point->at_ms);
    if (json && !point->is_event) {
        json_object_set_new(json, "units", text(point->unit));
        json_object_set_new(json, "symbol", text(point->symbol));
    }
    tell(api, point->is_event ? MUP_EVENT_NOTIFICATION : MUP_EVENT_TELEMETRY, point->uuid, json);
}

static void on_bridge(void *arg, bool live)
{
    struct mup_api *api = arg;

    if (api->serves) {
        tell(api, MUP_EVENT_BRIDGE, NULL, json_pack("{s:b}", "bridge", live ? 1 : 0));
    }
}

const struct mup_mirror_callbacks mup_api_mirror_callbacks = {
    .on_device = on_device, .on_point = on_point, .on_bridge = on_bridge};
