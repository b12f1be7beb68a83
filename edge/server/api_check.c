/* GET /updates/check: what is known, or with ask=true what the device's token says. */
#include <stdio.h>
#include <string.h>

#include "mup/state.h"
#include "server/api_visit.h"
#include "server/check.h"
#include "server/fleet/fleet.h"
#include "server/fleet/running.h"
#include "server/update_json.h"

/* Ends the visit. */
static void answer(struct mup_visit *visit, struct mup_check *check)
{
    struct mup_update_goal goal;
    struct mup_fault fault;
    struct mup_running running;
    uint8_t uuid[MUP_UUID_SIZE];
    bool may;

    if (mup_uuid_parse(uuid, visit->device.uuid, strlen(visit->device.uuid)) != MUP_OK ||
        !mup_updates_goal(visit->api->parts.updates, visit->release, uuid, &goal)) {
        mup_fault_set(&fault, MUP_FAULT_STORE, "the kept release cannot be read");
        mup_visit_refuse(visit, &fault);
        return;
    }
    mup_running_make(&running, visit->api->parts.updates);
    check->device = &visit->device;
    check->release = visit->release;
    check->goal = &goal;
    check->running_id = mup_running_find(&running, visit->device.uuid);
    mup_running_free(&running);
    json_t *checks = mup_check_json(check, &may);
    mup_answer_json(visit->request, 200,
                    json_pack("{s:b, s:b, s:o, s:o, s:o}", "may", may ? 1 : 0, "asked",
                              check->is_asked ? 1 : 0, "device",
                              mup_fleet_device_json(&visit->device, check->running_id), "release",
                              mup_release_json(visit->release), "checks", checks));
    mup_visit_end(visit);
}

static void on_token(void *arg, const struct mup_update_answer *told, bool again,
                     const char *reason, const char *message)
{
    struct mup_visit *visit = arg;
    struct mup_check check = {.is_asked = true};
    struct mup_token token;
    char refusal[200];

    (void)again;
    if (!told) {
        snprintf(refusal, sizeof refusal, "it did not answer: %.150s",
                 message && message[0] ? message : reason);
    } else if (told->state != MUP_STATE_OK) {
        snprintf(refusal, sizeof refusal, "it gives no token: %u_%s", (unsigned)told->state,
                 mup_state_name(told->state));
    } else if (mup_token_decode(&token, told->value, told->value_size) != MUP_OK) {
        snprintf(refusal, sizeof refusal, "what it gave is not a token");
    } else {
        check.token = &token;
    }
    check.refusal = refusal;
    answer(visit, &check);
}

static bool is_running(const struct mup_visit *visit)
{
    struct mup_running running;

    mup_running_make(&running, visit->api->parts.updates);
    bool found = mup_running_find(&running, visit->device.uuid) != 0;
    mup_running_free(&running);
    return found;
}

/* A device whose update runs is not disturbed, and one that is away is not waited for. */
static void ask_device(struct mup_visit *visit)
{
    const struct mup_bytes none = {NULL, 0};
    struct mup_check check = {.is_asked = false};

    if (is_running(visit) || strcmp(visit->device.state, "ready") != 0) {
        answer(visit, &check);
    } else if (!mup_edge_call(visit->api->parts.edge, &visit->device, MUP_EDGE_TOKEN, none,
                              on_token, visit)) {
        check.is_asked = true;
        check.refusal = "no memory to ask it";
        answer(visit, &check);
    }
}

void mup_api_get_check(struct mup_api *api, const struct mup_ask *ask)
{
    const char *device = mup_http_query(ask->request, "device");
    const char *id = mup_http_query(ask->request, "release");
    const char *certain = mup_http_query(ask->request, "ask");
    struct mup_check check = {.is_asked = false};

    if (!device || !id || mup_route_id(id) == 0 ||
        (certain && strcmp(certain, "true") != 0 && strcmp(certain, "false") != 0)) {
        mup_answer_refuse(ask->request, MUP_FAULT_BAD_REQUEST,
                          "the query is not device=NAME&release=ID, perhaps with ask=true");
        return;
    }
    const struct mup_stored_release *release =
        mup_releases_by_id(api->parts.releases, mup_route_id(id));
    if (!release) {
        mup_answer_refuse(ask->request, MUP_FAULT_UNKNOWN_RELEASE, "no release %.20s is kept here",
                          id);
        return;
    }
    struct mup_visit *visit = mup_visit_begin(api, ask, device);
    if (!visit) {
        return;
    }
    visit->release = release;
    if (certain && strcmp(certain, "true") == 0) {
        ask_device(visit);
    } else {
        answer(visit, &check);
    }
}
