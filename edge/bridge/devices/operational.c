/* The list of devices that <get> shows: module myno-devices. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bridge/devices/bridge.h"
#include "bridge/description/yang.h"
#include "bridge/devices/tell.h"
#include "runtime/log.h"
#include "runtime/text.h"

#define TEXT_SIZE_MAX MUP_STORED_REASON_SIZE_MAX /* bytes of a leaf; no other text is longer */

/* RFC 3339 in UTC, as ietf-yang-types wants date-and-time. */
static void format_time(char text[32], uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

/*
 * Categories and reasons have words of a stranger's description in them. libyang prints what XML
 * cannot carry as it is, and the whole list would be unreadable to every client for the sake of
 * one device; so would it be for a text without end.
 */
static LY_ERR add(struct lyd_node *entry, const char *name, const char *value)
{
    char cut[TEXT_SIZE_MAX + 1];
    struct mup_text clean = {0};
    LY_ERR bad = LY_EMEM;

    snprintf(cut, sizeof cut, "%s", value);
    mup_text_append(&clean, "", 0);
    mup_text_clean(&clean, cut);
    if (!clean.failed)
        bad = lyd_new_term(entry, NULL, name, clean.bytes, 0, NULL);
    mup_text_free(&clean);
    return bad;
}

static LY_ERR add_description(struct lyd_node *entry, const struct mup_device *device)
{
    const struct mup_known_description *description = device->description;
    LY_ERR bad;

    if (description == NULL)
        return LY_SUCCESS;
    if (description->capability == NULL)
        return add(entry, "reason", description->reason);
    bad = add(entry, "category", description->capability->category);
    if (bad == LY_SUCCESS)
        bad = add(entry, "module", description->capability->module_name);
    return bad == LY_SUCCESS ? add(entry, "namespace", description->capability->module_namespace)
                             : bad;
}

static LY_ERR add_reading(struct lyd_node *entry, const struct mup_telemetry *point,
                          const struct mup_reading *reading)
{
    struct lyd_node *item;
    char time[32];
    LY_ERR bad = lyd_new_list(entry, NULL, "telemetry", 0, &item, point->yang_name);

    format_time(time, reading->at_ms);
    if (bad == LY_SUCCESS)
        bad = add(item, "value", reading->value);
    if (bad == LY_SUCCESS && point->unit[0] != '\0')
        bad = add(item, "unit", point->unit);
    if (bad == LY_SUCCESS && point->symbol[0] != '\0')
        bad = add(item, "symbol", point->symbol);
    return bad == LY_SUCCESS ? add(item, "time", time) : bad;
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
    char time[32];
    LY_ERR bad = lyd_new_list(list, NULL, "device", 0, &entry, device->uuid_text);

    if (bad != LY_SUCCESS)
        return bad;
    snprintf(number, sizeof number, "%u", (unsigned)device->stored.version);
    format_time(time, device->stored.last_seen_ms);
    bad = add(entry, "name", device->stored.name);
    if (bad == LY_SUCCESS)
        bad = add_description(entry, device);
    if (bad == LY_SUCCESS)
        bad = add(entry, "firmware-version", number);
    if (bad == LY_SUCCESS)
        bad = add(entry, "on-trial", device->stored.on_trial ? "true" : "false");
    if (bad == LY_SUCCESS)
        bad = add(entry, "state", mup_device_state_name(device));
    if (bad == LY_SUCCESS)
        bad = add(entry, "reachable", device->stored.present ? "true" : "false");
    if (bad == LY_SUCCESS)
        bad = add(entry, "last-seen", time);
    format_time(time, device->stored.first_seen_ms);
    if (bad == LY_SUCCESS)
        bad = add(entry, "first-seen", time);
    if (bad == LY_SUCCESS && mup_update_state_name(device->update_state) != NULL)
        bad = add(entry, "update-state", mup_update_state_name(device->update_state));
    return bad == LY_SUCCESS ? add_telemetry(entry, device) : bad;
}

enum mup_status mup_bridge_get(void *context, const char *user, const struct ly_ctx *schemas,
                               struct lyd_node **tree)
{
    const struct mup_bridge *bridge = context;
    struct lyd_node *list = NULL;

    (void)user;
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
    *tree = list;
    return MUP_OK;
}
