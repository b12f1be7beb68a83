/*
 * What devices say on their own: announcements, presence and, in descriptions.c, descriptions
 * (paper Figure 3; docs/SPEC.md sections 8 to 11). A device is answered after the store has
 * committed what it said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/devices/bridge.h"
#include "bridge/devices/tell.h"
#include "mup/bootstrap.h"
#include "mup/state.h"
#include "runtime/log.h"

static void publish_reply(struct mup_bridge *bridge, const char *name,
                          const struct mup_bootstrap_reply *reply)
{
    uint8_t bytes[MUP_BOOTSTRAP_REPLY_MAX];
    char topic[sizeof MUP_TOPIC_BOOTSTRAP + MUP_NAME_MAX];
    struct mup_mqtt_publish message = {.topic = topic, .payload = bytes, .qos = 1, .expiry_s = 60};

    if (mup_bootstrap_reply_encode(bytes, sizeof bytes, &message.payload_size, reply) != MUP_OK)
        return;
    snprintf(topic, sizeof topic, "%s%s", MUP_TOPIC_BOOTSTRAP, name);
    /* A lost reply is no harm: the device announces itself again until it has one. */
    if (mup_mqtt_session_publish(bridge->session, &message, NULL) != MUP_OK)
        return;
    mup_log(MUP_LOG_INFO, "intake", mup_log_event("bootstrap reply"), mup_log_text("device", name),
            mup_log_text("state", mup_state_name(reply->state)),
            mup_log_number("certificate_size", (int64_t)reply->certificate.size));
}

/* The certificate, unless the device holds this key at this epoch already. */
static struct mup_bytes certificate_for(const struct mup_bridge *bridge,
                                        const struct mup_stored_device *device)
{
    if (bridge->certificate_size == 0 ||
        (device->epoch == bridge->certificate_fields.epoch &&
         memcmp(device->kid, bridge->certificate_kid, MUP_KID_SIZE) == 0))
        return (struct mup_bytes){NULL, 0};
    return (struct mup_bytes){bridge->certificate, bridge->certificate_size};
}

/* Words for a device's developer, cut to what a reply carries at a character's border. */
static struct mup_bytes detail_of(const char *text)
{
    struct mup_bytes detail = {(const uint8_t *)text, strlen(text)};

    if (detail.size > MUP_BOOTSTRAP_DETAIL_MAX) {
        detail.size = MUP_BOOTSTRAP_DETAIL_MAX;
        while (detail.size > 0 && (text[detail.size] & 0xc0) == 0x80)
            detail.size--;
    }
    return detail;
}

void mup_bridge_reply(struct mup_bridge *bridge, const struct mup_device *device)
{
    const struct mup_known_description *description = device->description;
    struct mup_bootstrap_reply reply = {.state = MUP_STATE_SEND_DESCRIPTION};

    if (device->stored.standing != MUP_STANDING_SERVICE)
        return; /* it was refused */
    if (device->waiting_size != 0)
        return; /* it stands in line */
    if (description != NULL && !description->kept)
        return; /* on_description_kept has the word */
    memcpy(reply.description_digest, device->stored.digest, MUP_DIGEST_SIZE);
    if (description != NULL && description->capability != NULL) {
        reply.state = MUP_STATE_OK;
        reply.certificate = certificate_for(bridge, &device->stored);
    } else if (description != NULL) {
        reply.state = MUP_STATE_DESCRIPTION_INVALID;
        reply.detail = detail_of(description->reason);
    }
    publish_reply(bridge, device->stored.name, &reply);
}

void mup_bridge_refuse(struct mup_bridge *bridge, const char *name, enum mup_state state,
                       const uint8_t digest[MUP_DIGEST_SIZE], const char *why)
{
    struct mup_bootstrap_reply reply = {.state = state, .detail = detail_of(why)};

    memcpy(reply.description_digest, digest, MUP_DIGEST_SIZE);
    mup_log(MUP_LOG_WARNING, "intake",
            mup_log_event(state == MUP_STATE_DEVICE_REFUSED ? "device refused" : "pieces refused"),
            mup_log_text("device", name), mup_log_text("why", why));
    publish_reply(bridge, name, &reply);
}

/* A store callback needs the bridge and the device's name, which may outlive the message. */
struct pending_reply {
    struct mup_bridge *bridge;
    char name[MUP_NAME_MAX + 1];
};

static void on_device_kept(void *arg, enum mup_status status, const char *error)
{
    struct pending_reply *pending = arg;
    struct mup_device *device = mup_registry_by_name(&pending->bridge->registry, pending->name);

    if (device != NULL && status == MUP_OK)
        mup_bridge_tell_device(pending->bridge, device);
    if (status != MUP_OK)
        mup_log(MUP_LOG_ERROR, "intake", mup_log_event("device not kept"),
                mup_log_text("device", pending->name), mup_log_text("why", error));
    else if (device != NULL)
        mup_bridge_reply(pending->bridge, device);
    free(pending);
}

/* Keep the device; it is answered after COMMIT. */
void mup_bridge_keep_device(struct mup_bridge *bridge, const struct mup_device *device)
{
    struct pending_reply *pending = malloc(sizeof *pending);
    enum mup_status status;

    if (pending == NULL)
        return;
    pending->bridge = bridge;
    snprintf(pending->name, sizeof pending->name, "%s", device->stored.name);
    if (mup_registry_owns_uuid(&device->stored))
        status =
            mup_bridge_store_put_owner(bridge->store, &device->stored, on_device_kept, pending);
    else
        status =
            mup_bridge_store_put_device(bridge->store, &device->stored, on_device_kept, pending);
    if (status != MUP_OK)
        free(pending);
}

/* The name and the UUID of an announcement must not contradict each other. */
static const char *contradiction(const char *name, const uint8_t uuid[MUP_UUID_SIZE])
{
    uint8_t named[MUP_UUID_SIZE];

    if (mup_uuid_parse(named, name, strlen(name)) == MUP_OK &&
        memcmp(named, uuid, MUP_UUID_SIZE) != 0)
        return "the announced UUID is not the one that the device's name is";
    return NULL;
}

static struct mup_stored_device stored_from(const struct mup_announcement *announcement,
                                            const char *name)
{
    struct mup_stored_device stored = {.version = announcement->version,
                                       .on_trial = announcement->in_trial,
                                       .epoch = announcement->server_epoch,
                                       .present = true};

    snprintf(stored.name, sizeof stored.name, "%s", name);
    memcpy(stored.uuid, announcement->uuid, sizeof stored.uuid);
    memcpy(stored.digest, announcement->description_digest, sizeof stored.digest);
    memcpy(stored.boot_id, announcement->boot_id, sizeof stored.boot_id);
    if (announcement->server_epoch != 0)
        memcpy(stored.kid, announcement->server_kid, sizeof stored.kid);
    stored.first_seen_ms = stored.last_seen_ms = mup_loop_wall_ms();
    return stored;
}

/* Take the device into the registry; NULL, with the reason, when it is not wanted. */
static struct mup_device *take_device(struct mup_bridge *bridge, struct mup_stored_device *stored,
                                      const char **why)
{
    const struct mup_device *known = mup_registry_by_name(&bridge->registry, stored->name);
    const struct mup_device *squatter = mup_registry_squatter(&bridge->registry, stored);
    struct mup_device *device = NULL;
    enum mup_status status;

    if (known != NULL)
        stored->first_seen_ms = known->stored.first_seen_ms;
    status = mup_registry_put_device(&bridge->registry, &device, stored);
    if (status == MUP_ERR_STATE) {
        const struct mup_device *twin = mup_registry_by_uuid(&bridge->registry, stored->uuid);
        *why = "this UUID is known under another name, or this name with another UUID";
        if (twin != NULL && twin != known)
            mup_bridge_tell_conflict(bridge, twin, stored->name,
                                     "another client announced its UUID");
    }
    if (status != MUP_OK && status != MUP_ERR_STATE)
        *why = "this bridge has no room for another device";
    if (status == MUP_OK && squatter != NULL) {
        mup_bridge_tell_conflict(bridge, device, squatter->stored.name,
                                 "it takes its own UUID from another client");
        mup_bridge_refuse(bridge, squatter->stored.name, MUP_STATE_DEVICE_REFUSED,
                          squatter->stored.digest, "the device whose name is this UUID has come");
    }
    return status == MUP_OK ? device : NULL;
}

/* A boot identity that comes back after another one: the broker lets one client of a name throw out
 * the other, and each announces itself when it is there again. */
static void watch_boots(struct mup_bridge *bridge, struct mup_device *device,
                        const struct mup_stored_device *before)
{
    if (memcmp(device->stored.boot_id, before->boot_id, sizeof before->boot_id) == 0)
        return;
    if (memcmp(device->stored.boot_id, device->boot_before, sizeof device->boot_before) == 0)
        mup_bridge_tell_conflict(bridge, device, NULL,
                                 "two clients with its name and password take turns");
    memcpy(device->boot_before, before->boot_id, sizeof device->boot_before);
}

static const char *refusal_of(const struct mup_device *device)
{
    switch (device->stored.standing) {
    case MUP_STANDING_SERVICE:
        return NULL;
    case MUP_STANDING_QUARANTINED:
        return "this device is in quarantine";
    case MUP_STANDING_RETIRED:
        return "this device is retired";
    }
    return NULL;
}

static void on_announcement(struct mup_bridge *bridge, const char *name, const uint8_t *bytes,
                            size_t size)
{
    struct mup_announcement announcement;
    struct mup_stored_device stored;
    struct mup_stored_device before = {0};
    struct mup_device *device = mup_registry_by_name(&bridge->registry, name);
    bool was_known = device != NULL;
    const char *why;
    uint64_t now_ms = mup_loop_now_ms(&bridge->loop);
    enum mup_status status = mup_announcement_decode(&announcement, bytes, size);

    if (status != MUP_OK) {
        mup_log(MUP_LOG_WARNING, "intake", mup_log_event("announcement cannot be read"),
                mup_log_text("device", name), mup_log_text("why", mup_status_name(status)));
        return;
    }
    if (was_known)
        before = device->stored;
    device = NULL;
    stored = stored_from(&announcement, name);
    why = contradiction(name, announcement.uuid);
    if (why == NULL)
        device = take_device(bridge, &stored, &why);
    if (device != NULL && device->description != NULL && device->description->outdated)
        mup_registry_drop_description(&bridge->registry, device->description);
    if (device != NULL && was_known)
        watch_boots(bridge, device, &before);
    if (device != NULL)
        why = refusal_of(device);
    if (why == NULL && device != NULL && device->description == NULL &&
        !mup_registry_may_be_judged(device, now_ms))
        why = "too many new descriptions from this device; announce it again in an hour";
    if (why != NULL) {
        mup_bridge_refuse(bridge, name, MUP_STATE_DEVICE_REFUSED, announcement.description_digest,
                          why);
        return;
    }
    mup_log(MUP_LOG_INFO, "intake", mup_log_event("announcement"), mup_log_text("device", name),
            mup_log_number("version", announcement.version),
            mup_log_number("in_trial", announcement.in_trial));
    if (was_known)
        mup_bridge_update_announced(bridge, device, &before);
    device->waiting_size = 0; /* this announcement counts */
    if (device->description == NULL &&
        !mup_bridge_expect(bridge, device, announcement.description_size))
        return;
    mup_bridge_keep_device(bridge, device);
}

/* ---- presence ---- */

static void on_presence(struct mup_bridge *bridge, const char *name,
                        const struct mup_mqtt_message *message)
{
    struct mup_device *device = mup_registry_by_name(&bridge->registry, name);
    bool online;

    if (device == NULL ||
        mup_presence_decode(&online, message->payload, message->payload_size) != MUP_OK)
        return;
    if (online && !message->retain)
        mup_exchanges_remind(bridge->exchanges, device);
    if (device->stored.present == online)
        return;
    device->stored.present = online;
    device->stored.last_seen_ms = mup_loop_wall_ms();
    mup_log(MUP_LOG_INFO, "intake", mup_log_event(online ? "device is there" : "device is gone"),
            mup_log_text("device", name));
    if (mup_bridge_store_set_presence(bridge->store, name, online, device->stored.last_seen_ms,
                                      NULL, NULL) != MUP_OK)
        mup_log(MUP_LOG_ERROR, "intake", mup_log_event("presence not kept"),
                mup_log_text("device", name));
    mup_bridge_tell_device(bridge, device);
}

/* ---- dispatch ---- */

/* The device's name when `topic` is prefix + name; NULL otherwise. */
static const char *name_after(const char *topic, const char *prefix)
{
    size_t size = strlen(prefix);
    const char *name = topic + size;

    if (strncmp(topic, prefix, size) != 0 || !mup_name_is_valid(name, strlen(name)))
        return NULL;
    return name;
}

void mup_bridge_intake(struct mup_bridge *bridge, const struct mup_mqtt_message *message)
{
    const char *name;

    if ((name = name_after(message->topic, MUP_TOPIC_RESPONSE)) != NULL)
        mup_exchanges_response(bridge->exchanges, name, message);
    else if ((name = name_after(message->topic, MUP_TOPIC_PRESENCE)) != NULL)
        on_presence(bridge, name, message);
    else if (message->retain)
        return; /* nothing else is ever retained: old news at best, a trap at worst */
    else if ((name = name_after(message->topic, MUP_TOPIC_ANNOUNCE)) != NULL)
        on_announcement(bridge, name, message->payload, message->payload_size);
    else if ((name = name_after(message->topic, MUP_TOPIC_DESCRIPTION)) != NULL)
        mup_bridge_take_piece(bridge, name, message->payload, message->payload_size);
    else
        mup_bridge_take_telemetry(bridge, message);
}
