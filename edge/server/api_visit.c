/* All visits of an API are in its list, so that those that never end are freed with it. */
#include "server/api_visit.h"

#include <stdio.h>
#include <stdlib.h>

struct mup_visit *mup_visit_begin(struct mup_api *api, const struct mup_ask *ask, const char *name)
{
    const struct mup_directory_device *device = mup_mirror_find(api->parts.mirror, name);

    if (!mup_mirror_is_filled(api->parts.mirror)) {
        mup_answer_refuse(ask->request, MUP_FAULT_BRIDGE_UNREACHABLE,
                          "the bridge has not been reached since this server started");
        return NULL;
    }
    if (!device) {
        mup_answer_refuse(ask->request, MUP_FAULT_UNKNOWN_DEVICE, "no device is called %.100s",
                          name);
        return NULL;
    }
    struct mup_visit *visit = calloc(1, sizeof *visit);
    if (!visit) {
        mup_answer_refuse(ask->request, MUP_FAULT_BUSY, "no memory");
        return NULL;
    }
    visit->api = api;
    visit->request = ask->request;
    visit->device = *device;
    visit->body = json_incref((json_t *)(uintptr_t)ask->body);
    snprintf(visit->person, sizeof visit->person, "%s", ask->person->name);
    visit->next = api->visits;
    api->visits = visit;
    return visit;
}

void mup_visit_end(struct mup_visit *visit)
{
    struct mup_visit **at = &visit->api->visits;

    while (*at != visit) {
        at = &(*at)->next;
    }
    *at = visit->next;
    json_decref(visit->body);
    json_decref(visit->values);
    json_decref(visit->states);
    free(visit);
}

void mup_visit_refuse(struct mup_visit *visit, const struct mup_fault *fault)
{
    mup_answer_fault(visit->request, fault);
    mup_visit_end(visit);
}
