/*
 * What an operator thinks of a device: in service, in quarantine, retired, replaced by another.
 *
 * The change is kept first; with COMMIT it counts, its client is answered, subscribers are told,
 * and commands of a device that is out of service end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/devices/bridge.h"
#include "bridge/devices/tell.h"
#include "runtime/log.h"

struct mup_standing_change {
    struct mup_standing_change *next;
    struct mup_bridge *bridge;
    struct mup_netconf_request *request; /* NULL: its session is gone */
    char name[MUP_NAME_MAX + 1];
    enum mup_standing standing;
    char replaced_by[MUP_UUID_TEXT_SIZE];
};

static const struct {
    const char *rpc;
    enum mup_standing standing;
} changes[] = {
    {"quarantine", MUP_STANDING_QUARANTINED},
    {"release", MUP_STANDING_SERVICE},
    {"retire", MUP_STANDING_RETIRED},
    {"replace", MUP_STANDING_RETIRED},
};

void mup_bridge_forget_standing(struct mup_bridge *bridge,
                                const struct mup_netconf_request *request)
{
    for (struct mup_standing_change *at = bridge->standing_changes; at != NULL; at = at->next)
        if (at->request == request)
            at->request = NULL;
}

static void take_out(struct mup_standing_change *change)
{
    struct mup_standing_change **at = &change->bridge->standing_changes;

    while (*at != change)
        at = &(*at)->next;
    *at = change->next;
}

static void carry_out(const struct mup_standing_change *change, struct mup_device *device)
{
    struct mup_bridge *bridge = change->bridge;

    device->stored.standing = change->standing;
    memcpy(device->stored.replaced_by, change->replaced_by, sizeof device->stored.replaced_by);
    if (change->standing != MUP_STANDING_SERVICE)
        mup_commands_end_all(bridge->commands, device);
    mup_bridge_tell_device(bridge, device);
}

static void on_kept(void *arg, enum mup_status status, const char *error)
{
    struct mup_standing_change *change = arg;
    struct mup_device *device = mup_registry_by_name(&change->bridge->registry, change->name);

    take_out(change);
    if (status != MUP_OK)
        mup_log(MUP_LOG_ERROR, "devices", mup_log_event("standing not kept"),
                mup_log_text("device", change->name), mup_log_text("why", error));
    else if (device != NULL)
        carry_out(change, device);
    if (change->request != NULL && status == MUP_OK)
        mup_netconf_reply_ok(change->request);
    else if (change->request != NULL)
        mup_netconf_reply_error(change->request, MUP_NETCONF_TAG_OPERATION_FAILED, "not-kept",
                                "the change could not be kept; nothing was changed", NULL);
    free(change);
}

/* The device that this leaf names; NULL after an rpc-error. */
static const struct mup_device *device_of(const struct mup_bridge *bridge,
                                          struct mup_netconf_request *request,
                                          const struct lyd_node *input, const char *leaf)
{
    const struct mup_device *device = NULL;
    const struct lyd_node *child;

    LY_LIST_FOR(lyd_child(input), child)
    {
        if (strcmp(LYD_NAME(child), leaf) == 0)
            device = mup_registry_find(&bridge->registry, lyd_get_value(child));
    }
    if (device == NULL)
        mup_netconf_reply_error(request, MUP_NETCONF_TAG_INVALID_VALUE, "unknown-device",
                                "no device with this uuid or name has announced itself", leaf);
    return device;
}

static void change_standing(struct mup_bridge *bridge, struct mup_netconf_request *request,
                            const struct mup_device *device, enum mup_standing standing,
                            const struct mup_device *by)
{
    struct mup_standing_change *change = calloc(1, sizeof *change);

    if (change != NULL) {
        change->bridge = bridge;
        change->request = request;
        change->standing = standing;
        snprintf(change->name, sizeof change->name, "%s", device->stored.name);
        if (by != NULL)
            snprintf(change->replaced_by, sizeof change->replaced_by, "%s", by->uuid_text);
        change->next = bridge->standing_changes;
        bridge->standing_changes = change;
        if (mup_bridge_store_set_standing(bridge->store, change->name, standing,
                                          change->replaced_by, on_kept, change) == MUP_OK)
            return;
        take_out(change);
    }
    free(change);
    mup_netconf_reply_error(request, MUP_NETCONF_TAG_RESOURCE_DENIED, NULL, "no memory", NULL);
}

/* Only who may retire a device takes it back: else retiring would mean no more than quarantine. */
static bool may_change(const struct mup_bridge *bridge, const char *user,
                       const struct lyd_node *input, const struct mup_device *device)
{
    const struct lysc_node *retire =
        lys_find_child(NULL, input->schema->module, "retire", 0, LYS_RPC, 0);

    return device->stored.standing != MUP_STANDING_RETIRED ||
           mup_netconf_may_call(bridge->netconf, user, retire);
}

bool mup_bridge_change_standing(struct mup_bridge *bridge, struct mup_netconf_request *request,
                                const char *user, const char *rpc, const struct lyd_node *input)
{
    const struct mup_device *device;
    const struct mup_device *by = NULL;
    size_t i = 0;

    while (i < sizeof changes / sizeof changes[0] && strcmp(changes[i].rpc, rpc) != 0)
        i++;
    if (i == sizeof changes / sizeof changes[0])
        return false;
    device = device_of(bridge, request, input, "uuid");
    if (device == NULL)
        return true;
    if (!may_change(bridge, user, input, device)) {
        mup_netconf_reply_error(request, MUP_NETCONF_TAG_ACCESS_DENIED, "device-retired",
                                "this user may not call retire, so not undo it either", "uuid");
        return true;
    }
    if (strcmp(rpc, "replace") == 0 && (by = device_of(bridge, request, input, "by")) == NULL)
        return true;
    if (by == device) {
        mup_netconf_reply_error(request, MUP_NETCONF_TAG_INVALID_VALUE, "same-device",
                                "a device cannot replace itself", "by");
        return true;
    }
    mup_log(MUP_LOG_INFO, "devices", mup_log_event("standing"), mup_log_text("user", user),
            mup_log_text("device", device->stored.name), mup_log_text("to", rpc));
    change_standing(bridge, request, device, changes[i].standing, by);
    return true;
}
