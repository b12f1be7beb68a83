/* The list of devices that <get> shows: module myno-devices. */
#include <stdio.h>
#include <string.h>

#include "bridge/devices/bridge.h"
#include "bridge/description/yang.h"
#include "bridge/devices/leaf.h"
#include "bridge/devices/tell.h"
#include "runtime/log.h"

static LY_ERR add_description(struct lyd_node *entry, const struct mup_device *device)
{
    const struct mup_known_description *description = device->description;
    LY_ERR bad;

    if (description == NULL)
        return LY_SUCCESS;
    if (description->capability == NULL)
        return mup_leaf_add(entry, "reason", description->reason);
    bad = mup_leaf_add(entry, "category", description->capability->category);
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "module", description->capability->module_name);
    return bad == LY_SUCCESS
               ? mup_leaf_add(entry, "namespace", description->capability->module_namespace)
               : bad;
}

static LY_ERR add_reading(struct lyd_node *entry, const struct mup_telemetry *point,
                          const struct mup_reading *reading)
{
    struct lyd_node *item;
    char time[MUP_TIME_SIZE];
    LY_ERR bad = lyd_new_list(entry, NULL, "telemetry", 0, &item, point->yang_name);

    mup_format_time(time, reading->at_ms);
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(item, "value", reading->value);
    if (bad == LY_SUCCESS && point->unit[0] != '\0')
        bad = mup_leaf_add(item, "unit", point->unit);
    if (bad == LY_SUCCESS && point->symbol[0] != '\0')
        bad = mup_leaf_add(item, "symbol", point->symbol);
    return bad == LY_SUCCESS ? mup_leaf_add(item, "time", time) : bad;
}

static LY_ERR add_telemetry(struct lyd_node *entry, const struct mup_device *device)
{
    const struct mup_known_description *description = device->description;
    LY_ERR bad = LY_SUCCESS;

    if (device->readings == NULL || description == NULL || description->capability == NULL ||
        memcmp(device->readings->digest, description->digest, MUP_DIGEST_SIZE) != 0)
        return LY_SUCCESS;
    for (size_t i = 0; i < device->readings->count && bad == LY_SUCCESS; i++)
        if (device->readings->items[i].value != NULL)
            bad = add_reading(entry, &description->capability->telemetry[i],
                              &device->readings->items[i]);
    return bad;
}

static LY_ERR add_device(struct lyd_node *list, const struct mup_device *device)
{
    struct lyd_node *entry;
    char number[16];
    char time[MUP_TIME_SIZE];
    LY_ERR bad = lyd_new_list(list, NULL, "device", 0, &entry, device->uuid_text);

    if (bad != LY_SUCCESS)
        return bad;
    snprintf(number, sizeof number, "%u", (unsigned)device->stored.version);
    mup_format_time(time, device->stored.last_seen_ms);
    bad = mup_leaf_add(entry, "name", device->stored.name);
    if (bad == LY_SUCCESS)
        bad = add_description(entry, device);
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "firmware-version", number);
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "on-trial", device->stored.on_trial ? "true" : "false");
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "state", mup_device_state_name(device));
    if (bad == LY_SUCCESS && device->stored.replaced_by[0] != '\0')
        bad = mup_leaf_add(entry, "replaced-by", device->stored.replaced_by);
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "reachable", device->stored.present ? "true" : "false");
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "last-seen", time);
    mup_format_time(time, device->stored.first_seen_ms);
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "first-seen", time);
    if (bad == LY_SUCCESS && mup_update_state_name(device->update_state) != NULL)
        bad = mup_leaf_add(entry, "update-state", mup_update_state_name(device->update_state));
    return bad == LY_SUCCESS ? add_telemetry(entry, device) : bad;
}

static bool is_administrator(const struct mup_bridge *bridge, const char *user)
{
    const struct mup_config_list *list = &bridge->settings->administrators;

    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], user) == 0)
            return true;
    return false;
}

enum mup_status mup_bridge_get(void *context, const char *user, const struct ly_ctx *schemas,
                               struct lyd_node **tree)
{
    const struct mup_bridge *bridge = context;
    struct lyd_node *list = NULL;

    if (lyd_new_path(NULL, schemas, "/myno-devices:devices", NULL, 0, &list) != LY_SUCCESS)
        return MUP_ERR_SPACE;
    for (size_t i = 0; i < bridge->registry.device_count; i++)
        if (add_device(list, bridge->registry.by_uuid[i]) != LY_SUCCESS) {
            mup_log(MUP_LOG_ERROR, "bridge", mup_log_event("a device does not fit the inventory"),
                    mup_log_text("device", bridge->registry.by_uuid[i]->stored.name),
                    mup_log_text("why", ly_errmsg(schemas)));
            lyd_free_all(list);
            return MUP_ERR_SPACE;
        }
    if (bridge->commands != NULL &&
        mup_commands_list(bridge->commands, is_administrator(bridge, user) ? NULL : user, schemas,
                          &list) != MUP_OK) {
        lyd_free_all(list);
        return MUP_ERR_SPACE;
    }
    *tree = list;
    return MUP_OK;
}
