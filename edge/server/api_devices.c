/* Devices over REST. */
#include "server/api_visit.h"

#include <math.h>
#include <stdlib.h>
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

/* ---- one of them ---- */

/* A value that reads as a number can be drawn. */
static bool is_number(const char *text)
{
    char *rest;
    double number = strtod(text, &rest);

    return rest != text && *rest == '\0' && isfinite(number);
}

/* The points that the module declares, each with its last value. */
static void set_values(json_t *points, const json_t *values)
{
    json_t *point;
    size_t i;

    json_array_foreach(points, i, point)
    {
        const char *name = json_string_value(json_object_get(point, "name"));
        const json_t *last = json_object_get(values, name ? name : "");
        const char *value = json_string_value(json_object_get(last, "value"));
        if (value) {
            json_object_set_new(point, "type", json_string(is_number(value) ? "number" : "text"));
            json_object_set_new(point, "value", json_string(value));
            json_object_set(point, "at", json_object_get(last, "at"));
        }
    }
}

/* `form` may be NULL, then `error` says why there is none. Ends the visit. */
static void answer_details(struct mup_visit *visit, const json_t *form, const char *error)
{
    struct mup_running running;
    const struct mup_directory_device *device = &visit->device;
    json_t *details = form ? json_deep_copy(form)
                           : json_pack("{s:s, s:[], s:[], s:[]}", "description", "", "rpcs",
                                       "telemetry", "events");

    mup_running_make(&running, visit->api->parts.updates);
    json_t *shown = mup_fleet_device_json(device, mup_running_find(&running, device->uuid));
    mup_running_free(&running);
    set_values(json_object_get(details, "telemetry"), visit->values);
    json_object_update(details, shown);
    json_decref(shown);
    json_object_set_new(details, "namespace", json_string(device->xml_space));
    json_object_set_new(details, "first_seen", json_string(device->first_seen));
    json_object_set_new(details, "form_error", error ? json_string(error) : json_null());
    mup_answer_json(visit->request, 200, details);
    mup_visit_end(visit);
}

static void on_form(void *arg, const struct mup_fault *fault, const struct mup_schema_text *module)
{
    answer_details(arg, fault ? NULL : module->form, fault ? fault->message : NULL);
}

static void on_points(void *arg, const json_t *points)
{
    struct mup_visit *visit = arg;

    visit->values = json_incref((json_t *)(uintptr_t)points);
    if (visit->device.module[0] == '\0') {
        answer_details(visit, NULL, "its description is not known");
    } else {
        mup_schemas_get(visit->api->parts.schemas, visit->device.module, on_form, visit);
    }
}

void mup_api_get_device(struct mup_api *api, const struct mup_ask *ask)
{
    struct mup_visit *visit = mup_visit_begin(api, ask, ask->parts.texts[0]);
    struct mup_fault fault;

    if (visit && !mup_point_reader_ask(api->parts.points, visit->device.uuid, on_points, visit)) {
        mup_fault_set(&fault, MUP_FAULT_BUSY, "no memory");
        mup_visit_refuse(visit, &fault);
    }
}

static void on_module(void *arg, const struct mup_fault *fault,
                      const struct mup_schema_text *module)
{
    struct mup_visit *visit = arg;

    if (fault) {
        mup_visit_refuse(visit, fault);
    } else {
        mup_http_reply(visit->request, 200, "application/yang; charset=utf-8",
                       strdup(module->text));
        mup_visit_end(visit);
    }
}

void mup_api_get_module(struct mup_api *api, const struct mup_ask *ask)
{
    struct mup_visit *visit = mup_visit_begin(api, ask, ask->parts.texts[0]);
    struct mup_fault fault;

    if (visit && visit->device.module[0] == '\0') {
        mup_fault_set(&fault, MUP_FAULT_DEVICE_NOT_READY, "%s has no module: it is %s",
                      visit->device.name, visit->device.state);
        mup_visit_refuse(visit, &fault);
    } else if (visit) {
        mup_schemas_get(api->parts.schemas, visit->device.module, on_module, visit);
    }
}

void mup_api_get_device_updates(struct mup_api *api, const struct mup_ask *ask)
{
    struct mup_visit *visit = mup_visit_begin(api, ask, ask->parts.texts[0]);
    uint8_t uuid[MUP_UUID_SIZE];

    if (!visit) {
        return;
    }
    const char *text = visit->device.uuid;
    json_t *list = mup_uuid_parse(uuid, text, strlen(text)) == MUP_OK
                       ? mup_updates_of_json(api->parts.updates, uuid, MUP_API_UPDATES_SHOWN)
                       : json_array();
    mup_answer_list(visit->request, "updates", list);
    mup_visit_end(visit);
}
