/* What becomes of devices, told to NETCONF's subscribers (module myno-devices): they come and go,
 * and updates get on. */
#include <stdio.h>
#include <string.h>

#include "bridge/devices/leaf.h"
#include "bridge/devices/tell.h"
#include "mup/rpc.h"
#include "mup/state.h"
#include "runtime/log.h"

static void add(struct lyd_node *tree, const char *name, const char *value)
{
    if (tree != NULL && value != NULL)
        (void)mup_leaf_add(tree, name, value);
}

static void add_number(struct lyd_node *tree, const char *name, uint32_t number)
{
    char text[16];

    snprintf(text, sizeof text, "%u", (unsigned)number);
    add(tree, name, text);
}

/* A notification about this device; NULL when nobody listens. */
static struct lyd_node *begin(const struct mup_bridge *bridge, const struct mup_device *device,
                              const char *name)
{
    struct lyd_node *tree = NULL;
    const struct lys_module *module;

    if (bridge->netconf == NULL || !mup_netconf_is_heard(bridge->netconf))
        return NULL;
    module = ly_ctx_get_module_implemented(mup_netconf_schemas(bridge->netconf), "myno-devices");
    if (module == NULL || lyd_new_inner(NULL, module, name, 0, &tree) != LY_SUCCESS)
        return NULL;
    add(tree, "uuid", device->uuid_text);
    add(tree, "name", device->stored.name);
    return tree;
}

static void end(const struct mup_bridge *bridge, struct lyd_node *tree)
{
    if (tree != NULL)
        (void)mup_netconf_notify(bridge->netconf, tree); /* it logs what it cannot tell */
}

const char *mup_device_state_name(const struct mup_device *device)
{
    if (device->stored.standing != MUP_STANDING_SERVICE)
        return device->stored.standing == MUP_STANDING_RETIRED ? "retired" : "quarantined";
    if (!device->stored.present)
        return "offline";
    if (device->description == NULL)
        return "announced";
    return device->description->capability == NULL ? "refused" : "ready";
}

const char *mup_update_state_name(enum mup_update_state state)
{
    switch (state) {
    case MUP_UPDATE_UNSEEN:
        return NULL;
    case MUP_UPDATE_TOKEN_GIVEN:
        return "token-given";
    case MUP_UPDATE_TRANSFERRING:
        return "transferring";
    case MUP_UPDATE_VERIFIED:
        return "verified";
    case MUP_UPDATE_TRIAL:
        return "trial";
    case MUP_UPDATE_CONFIRMED:
        return "confirmed";
    case MUP_UPDATE_REVERTED:
        return "reverted";
    case MUP_UPDATE_REFUSED:
        return "refused";
    }
    return NULL;
}

void mup_bridge_tell_device(struct mup_bridge *bridge, struct mup_device *device)
{
    struct mup_device_told now = {.state = mup_device_state_name(device),
                                  .version = device->stored.version,
                                  .on_trial = device->stored.on_trial};
    struct lyd_node *tree;

    if (device->told.state != NULL && strcmp(device->told.state, now.state) == 0 &&
        device->told.version == now.version && device->told.on_trial == now.on_trial)
        return;
    device->told = now;
    tree = begin(bridge, device, "device-change");
    add(tree, "state", now.state);
    add(tree, "reachable", device->stored.present ? "true" : "false");
    if (tree != NULL)
        add_number(tree, "firmware-version", now.version);
    add(tree, "on-trial", now.on_trial ? "true" : "false");
    if (device->description != NULL && device->description->capability == NULL)
        add(tree, "reason", device->description->reason);
    end(bridge, tree);
}

void mup_bridge_tell_point(struct mup_bridge *bridge, const struct mup_device *device,
                           const struct mup_telemetry *point, bool is_event, const char *value)
{
    struct lyd_node *tree = begin(bridge, device, is_event ? "event" : "telemetry");

    add(tree, is_event ? "event" : "point", point->yang_name);
    add(tree, "value", value);
    if (!is_event && point->unit[0] != '\0')
        add(tree, "unit", point->unit);
    if (!is_event && point->symbol[0] != '\0')
        add(tree, "symbol", point->symbol);
    end(bridge, tree);
}

void mup_bridge_tell_conflict(struct mup_bridge *bridge, const struct mup_device *device,
                              const char *other_name, const char *reason)
{
    struct lyd_node *tree = begin(bridge, device, "identity-conflict");

    mup_log(MUP_LOG_WARNING, "devices", mup_log_event("two clients say that they are one device"),
            mup_log_text("device", device->stored.name), mup_log_text("other", other_name),
            mup_log_text("why", reason));
    add(tree, "other-name", other_name);
    add(tree, "reason", reason);
    end(bridge, tree);
}

/* ---- updates ---- */

void mup_bridge_tell_update(struct mup_bridge *bridge, struct mup_device *device,
                            enum mup_update_state state, const char *reason)
{
    struct lyd_node *tree;

    if (device->update_state == state && reason == NULL)
        return;
    device->update_state = state;
    tree = begin(bridge, device, "update-progress");
    add(tree, "update-state", mup_update_state_name(state));
    if (tree != NULL)
        add_number(tree, "firmware-version", device->stored.version);
    add(tree, "reason", reason);
    end(bridge, tree);
}

void mup_bridge_update_answer(struct mup_bridge *bridge, struct mup_device *device,
                              const struct mup_rpc *rpc, const struct mup_declared_state *state)
{
    bool refused = state->code >= (int32_t)MUP_STATE_ERROR;

    if (strcmp(rpc->method, MUP_METHOD_GET_TOKEN) == 0) {
        /* A token asked for again while an update is under way changes nothing. */
        if (!refused && device->update_state != MUP_UPDATE_TRANSFERRING)
            mup_bridge_tell_update(bridge, device, MUP_UPDATE_TOKEN_GIVEN, NULL);
        return;
    }
    bool is_manifest = strcmp(rpc->method, MUP_METHOD_MANIFEST) == 0;
    if (!is_manifest && strcmp(rpc->method, MUP_METHOD_VERIFY) != 0)
        return;
    if (state->code == (int32_t)MUP_STATE_INCOMPLETE)
        return; /* VERIFY-UPDATE asked too early; the transfer goes on */
    if (refused)
        mup_bridge_tell_update(bridge, device, MUP_UPDATE_REFUSED, state->name);
    else
        mup_bridge_tell_update(bridge, device,
                               is_manifest ? MUP_UPDATE_TRANSFERRING : MUP_UPDATE_VERIFIED, NULL);
}

void mup_bridge_update_announced(struct mup_bridge *bridge, struct mup_device *device,
                                 const struct mup_stored_device *before)
{
    const struct mup_stored_device *now = &device->stored;

    if (now->on_trial)
        mup_bridge_tell_update(bridge, device, MUP_UPDATE_TRIAL, NULL);
    else if (before->on_trial && now->version < before->version)
        mup_bridge_tell_update(bridge, device, MUP_UPDATE_REVERTED, NULL);
    else if (before->on_trial || now->version > before->version)
        mup_bridge_tell_update(bridge, device, MUP_UPDATE_CONFIRMED, NULL);
    else if (device->update_state == MUP_UPDATE_TRIAL)
        mup_bridge_tell_update(bridge, device, MUP_UPDATE_REVERTED, NULL);
}
