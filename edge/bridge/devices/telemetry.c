/*
 * What devices publish by themselves, as their descriptions declare it: the last value of each is
 * kept for <get>, and every one is told to subscribers.
 *
 * Only topics whose last level is the device's name are listened to: for them the broker's access
 * list (packaging/mosquitto) lets nobody but the device publish. Values are text for people; what
 * else a device publishes under such a topic is shown with its odd bytes replaced.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/devices/bridge.h"
#include "bridge/devices/tell.h"
#include "runtime/log.h"

/* The filter that fits the topics of all devices with this template; false: none of ours does. */
static bool filter_of(char *filter, size_t size, const char *template)
{
    char star[MUP_TOPIC_SIZE_MAX + 1];
    size_t length;

    /* A name that no device can have stands for all of them. */
    if (mup_topic_fill(star, sizeof star, template, "+") != MUP_OK)
        return false;
    length = strlen(star);
    if (length < 3 || length >= size || strcmp(star + length - 2, "/+") != 0)
        return false;
    for (const char *at = strchr(star, '+'); at != NULL; at = strchr(at + 1, '+'))
        if ((at > star && at[-1] != '/') || (at[1] != '\0' && at[1] != '/'))
            return false; /* the name is a part of a level */
    memcpy(filter, star, length + 1);
    return true;
}

static void listen_to(struct mup_bridge *bridge, const struct mup_telemetry *points, size_t count)
{
    char filter[MUP_TOPIC_SIZE_MAX + 1];

    for (size_t i = 0; i < count; i++)
        if (!filter_of(filter, sizeof filter, points[i].topic) ||
            points[i].topic_fault != MUP_TOPIC_OK ||
            mup_mqtt_session_subscribe(bridge->session, filter, 0) != MUP_OK)
            mup_log(MUP_LOG_WARNING, "telemetry", mup_log_event("not listened to"),
                    mup_log_text("point", points[i].name), mup_log_text("topic", points[i].topic));
}

void mup_bridge_listen(struct mup_bridge *bridge, const struct mup_capability *capability)
{
    if (bridge->session == NULL)
        return; /* at the start: mup_bridge_listen_to_all will do it */
    listen_to(bridge, capability->telemetry, capability->telemetry_count);
    listen_to(bridge, capability->events, capability->event_count);
}

void mup_bridge_listen_to_all(struct mup_bridge *bridge)
{
    for (size_t i = 0; i < bridge->registry.description_count; i++)
        if (bridge->registry.descriptions[i]->capability != NULL)
            mup_bridge_listen(bridge, bridge->registry.descriptions[i]->capability);
}

/* The point that publishes on this topic for the device; NULL: none. */
static const struct mup_telemetry *find_point(const struct mup_telemetry *points, size_t count,
                                              const char *topic, const char *name)
{
    char filled[MUP_TOPIC_SIZE_MAX + 1];

    for (size_t i = 0; i < count; i++)
        if (mup_topic_fill(filled, sizeof filled, points[i].topic, name) == MUP_OK &&
            strcmp(filled, topic) == 0)
            return &points[i];
    return NULL;
}

static void keep(struct mup_device *device, size_t index, const char *value)
{
    struct mup_reading *reading = mup_registry_reading(device, index);
    char *copy = reading == NULL ? NULL : strdup(value);

    if (copy == NULL)
        return; /* the next value may find memory */
    free(reading->value);
    reading->value = copy;
    reading->at_ms = mup_loop_wall_ms();
}

void mup_bridge_take_telemetry(struct mup_bridge *bridge, const struct mup_mqtt_message *message)
{
    const char *slash = strrchr(message->topic, '/');
    struct mup_device *device =
        slash == NULL ? NULL : mup_registry_by_name(&bridge->registry, slash + 1);
    const struct mup_capability *capability;
    const struct mup_telemetry *point;
    char value[MUP_READING_SIZE_MAX + 1];

    if (device == NULL || device->stored.standing != MUP_STANDING_SERVICE ||
        device->description == NULL || device->description->capability == NULL)
        return;
    capability = device->description->capability;
    snprintf(value, sizeof value, "%.*s",
             (int)(message->payload_size < sizeof value ? message->payload_size : sizeof value),
             message->payload == NULL ? "" : (const char *)message->payload);
    point = find_point(capability->telemetry, capability->telemetry_count, message->topic,
                       device->stored.name);
    if (point != NULL) {
        keep(device, (size_t)(point - capability->telemetry), value);
        mup_bridge_tell_point(bridge, device, point, false, value);
        return;
    }
    point = find_point(capability->events, capability->event_count, message->topic,
                       device->stored.name);
    if (point != NULL)
        mup_bridge_tell_point(bridge, device, point, true, value);
}
