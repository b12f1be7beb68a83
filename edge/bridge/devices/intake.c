/*
 * What devices say on their own: announcements, pieces of descriptions, presence (paper Figure 3;
 * docs/SPEC.md sections 8 to 11). A device is answered after the store has committed what it said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/devices/bridge.h"
#include "bridge/description/yang.h"
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

static void reply_to(struct mup_bridge *bridge, const struct mup_device *device)
{
    const struct mup_known_description *description = device->description;
    struct mup_bootstrap_reply reply = {.state = MUP_STATE_SEND_DESCRIPTION};

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

static void refuse_device(struct mup_bridge *bridge, const char *name,
                          const uint8_t digest[MUP_DIGEST_SIZE], const char *why)
{
    struct mup_bootstrap_reply reply = {.state = MUP_STATE_DEVICE_REFUSED,
                                        .detail = detail_of(why)};

    memcpy(reply.description_digest, digest, MUP_DIGEST_SIZE);
    mup_log(MUP_LOG_WARNING, "intake", mup_log_event("device refused"),
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
    const struct mup_device *device =
        mup_registry_by_name(&pending->bridge->registry, pending->name);

    if (status != MUP_OK)
        mup_log(MUP_LOG_ERROR, "intake", mup_log_event("device not kept"),
                mup_log_text("device", pending->name), mup_log_text("why", error));
    else if (device != NULL)
        reply_to(pending->bridge, device);
    free(pending);
}

/* Keep the device; it is answered after COMMIT. */
static void keep_device(struct mup_bridge *bridge, const struct mup_device *device)
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
    if (status == MUP_ERR_STATE)
        *why = "this UUID is known under another name, or this name with another UUID";
    else if (status != MUP_OK)
        *why = "this bridge has no room for another device";
    else if (squatter != NULL) {
        mup_log(MUP_LOG_WARNING, "intake", mup_log_event("a device takes its own UUID"),
                mup_log_text("device", stored->name), mup_log_text("from", squatter->stored.name));
        refuse_device(bridge, squatter->stored.name, squatter->stored.digest,
                      "the device whose name is this UUID has come");
    }
    return status == MUP_OK ? device : NULL;
}

static void on_announcement(struct mup_bridge *bridge, const char *name, const uint8_t *bytes,
                            size_t size)
{
    struct mup_announcement announcement;
    struct mup_stored_device stored;
    struct mup_device *device = NULL;
    const char *why;
    uint64_t now_ms = mup_loop_now_ms(&bridge->loop);
    enum mup_status status = mup_announcement_decode(&announcement, bytes, size);

    if (status != MUP_OK) {
        mup_log(MUP_LOG_WARNING, "intake", mup_log_event("announcement cannot be read"),
                mup_log_text("device", name), mup_log_text("why", mup_status_name(status)));
        return;
    }
    stored = stored_from(&announcement, name);
    why = contradiction(name, announcement.uuid);
    if (why == NULL)
        device = take_device(bridge, &stored, &why);
    if (device != NULL && device->description == NULL &&
        !mup_registry_may_be_judged(device, now_ms))
        why = "too many new descriptions from this device; announce it again in an hour";
    if (why != NULL) {
        refuse_device(bridge, name, announcement.description_digest, why);
        return;
    }
    mup_log(MUP_LOG_INFO, "intake", mup_log_event("announcement"), mup_log_text("device", name),
            mup_log_number("version", announcement.version),
            mup_log_number("in_trial", announcement.in_trial));
    if (device->description == NULL &&
        mup_gather_begin(&bridge->gathers, name, stored.digest, announcement.description_size,
                         now_ms) != MUP_OK)
        return; /* too many at once: it announces itself again in a minute */
    keep_device(bridge, device);
}

/* ---- descriptions ---- */

/* A verdict on its way into the store. */
struct pending_verdict {
    struct mup_bridge *bridge;
    uint8_t digest[MUP_DIGEST_SIZE];
};

/* Its module cannot be unloaded, only hidden. */
static void forget_description(struct mup_bridge *bridge, struct mup_known_description *known)
{
    if (known->capability != NULL)
        mup_netconf_hide_module(bridge->netconf, known->capability->module_name);
    mup_registry_drop_description(&bridge->registry, known);
}

/* What no device announces any more goes, from store and memory, where room is short. */
static void make_room(struct mup_bridge *bridge)
{
    struct mup_known_description *known;

    while ((known = mup_registry_surplus(&bridge->registry)) != NULL) {
        mup_log(MUP_LOG_INFO, "intake", mup_log_event("description forgotten, no device has it"),
                mup_log_text("module",
                             known->capability != NULL ? known->capability->module_name : NULL));
        if (mup_bridge_store_remove_description(bridge->store, known->digest, NULL, NULL) != MUP_OK)
            return;
        forget_description(bridge, known);
    }
}

/* Every device of this kind that is there was told to send it, and waits for this word. */
static void answer_all(struct mup_bridge *bridge, const struct mup_known_description *known)
{
    const struct mup_registry *registry = &bridge->registry;

    for (size_t i = 0; i < registry->device_count; i++)
        if (registry->by_name[i]->stored.present && registry->by_name[i]->description == known)
            reply_to(bridge, registry->by_name[i]);
}

/* What could not be kept is not known: those who announce it are asked for it again. */
static void on_description_kept(void *arg, enum mup_status status, const char *error)
{
    struct pending_verdict *pending = arg;
    struct mup_known_description *known =
        mup_registry_description(&pending->bridge->registry, pending->digest);

    if (status == MUP_OK && known != NULL) {
        known->kept = true;
        answer_all(pending->bridge, known);
    } else {
        mup_log(MUP_LOG_ERROR, "intake", mup_log_event("description not kept"),
                mup_log_text("why", error));
        if (known != NULL)
            forget_description(pending->bridge, known);
    }
    free(pending);
}

static void log_verdict(const struct mup_gather *gather, const struct mup_capability *capability,
                        const char *reason)
{
    mup_log(capability != NULL ? MUP_LOG_INFO : MUP_LOG_WARNING, "intake",
            mup_log_event(capability != NULL ? "description accepted" : "description refused"),
            mup_log_text("device", gather->name),
            mup_log_text("module", capability != NULL ? capability->module_name : NULL),
            mup_log_text("why", reason));
}

/* A verdict for which there is no place; the devices announce themselves again. */
static void let_verdict_go(struct mup_bridge *bridge, const struct mup_gather *gather,
                           struct mup_capability *capability)
{
    mup_log(MUP_LOG_ERROR, "intake", mup_log_event("no room for another description"),
            mup_log_text("device", gather->name));
    if (capability != NULL)
        mup_netconf_hide_module(bridge->netconf, capability->module_name);
    mup_capability_free(capability);
}

/* Put the verdict into registry and store; those who wait for it are answered after COMMIT. */
static void keep_description(struct mup_bridge *bridge, const struct mup_gather *gather,
                             struct mup_capability *capability, const char *reason)
{
    struct mup_stored_description stored = {.text = gather->bytes,
                                            .size = gather->size,
                                            .accepted = capability != NULL,
                                            .reason = reason,
                                            .at_ms = mup_loop_wall_ms()};
    struct pending_verdict *pending = malloc(sizeof *pending);
    struct mup_known_description *known = NULL;

    log_verdict(gather, capability, reason);
    make_room(bridge);
    if (pending != NULL)
        known = mup_registry_put_description(&bridge->registry, gather->digest, capability, reason);
    if (known == NULL) {
        let_verdict_go(bridge, gather, capability);
        free(pending);
        return;
    }
    memcpy(stored.digest, gather->digest, sizeof stored.digest);
    known->judged_ms = stored.at_ms;
    pending->bridge = bridge;
    memcpy(pending->digest, gather->digest, sizeof pending->digest);
    if (mup_bridge_store_put_description(bridge->store, &stored, on_description_kept, pending) !=
        MUP_OK) {
        forget_description(bridge, known);
        free(pending);
    }
}

bool mup_bridge_add_module(struct mup_bridge *bridge, const struct mup_capability *capability,
                           char reason[MUP_STORED_REASON_SIZE_MAX + 1])
{
    char error[MUP_NETCONF_ERROR_SIZE] = "out of memory";
    char *yang = NULL;
    bool good = mup_yang_module(&yang, capability) == MUP_OK &&
                mup_netconf_add_module(bridge->netconf, yang, error) == MUP_OK;

    free(yang);
    if (!good)
        snprintf(reason, MUP_STORED_REASON_SIZE_MAX + 1, "no YANG module can be made of it: %.400s",
                 error);
    return good;
}

/* The child had no objection: read it here, and give NETCONF its module. */
static void accept_description(struct mup_bridge *bridge, const struct mup_gather *gather)
{
    char reason[MUP_STORED_REASON_SIZE_MAX + 1] = "the description cannot be read";
    struct mup_capability *capability = NULL;
    struct mup_problems problems = {0};

    if (mup_description_parse(&capability, &problems, bridge->describer, gather->bytes,
                              gather->size, MUP_DESCRIPTION_AUTO, NULL) != MUP_OK) {
        keep_description(bridge, gather, NULL, reason);
        return;
    }
    if (mup_bridge_add_module(bridge, capability, reason)) {
        keep_description(bridge, gather, capability, NULL);
        return;
    }
    mup_capability_free(capability);
    keep_description(bridge, gather, NULL, reason);
}

static void judge_waiting(struct mup_bridge *bridge);

static void on_verdict(void *arg, const char *reason)
{
    struct mup_judgement *judgement = arg;
    struct mup_bridge *bridge = judgement->bridge;

    if (reason == NULL)
        accept_description(bridge, judgement->gather);
    else
        keep_description(bridge, judgement->gather, NULL, reason);
    free(judgement->gather->bytes);
    free(judgement->gather);
    *judgement = (struct mup_judgement){.bridge = bridge};
    judge_waiting(bridge);
}

static bool is_under_judgement(const struct mup_bridge *bridge, const uint8_t *digest)
{
    for (size_t i = 0; i < MUP_BRIDGE_JUDGES_MAX; i++)
        if (bridge->judgements[i].judge != NULL &&
            memcmp(bridge->judgements[i].gather->digest, digest, MUP_DIGEST_SIZE) == 0)
            return true;
    return false;
}

/* Devices of one kind come together: the first one's description is judged, and the verdict holds
 * for all. True when this one needs no judge. */
static bool needs_no_judge(struct mup_bridge *bridge, const struct mup_gather *gather)
{
    const struct mup_device *device = mup_registry_by_name(&bridge->registry, gather->name);

    if (device == NULL || memcmp(device->stored.digest, gather->digest, sizeof gather->digest) != 0)
        return true; /* it has announced another one since */
    if (is_under_judgement(bridge, gather->digest))
        return true; /* answered by on_description_kept */
    if (mup_registry_description(&bridge->registry, gather->digest) == NULL)
        return false;
    keep_device(bridge, device); /* behind the verdict in the store's queue */
    return true;
}

/* One description of a device at a time, or a device whose descriptions take long would keep all
 * the judges to itself. */
static bool may_be_judged(const void *arg, const struct mup_gather *gather)
{
    const struct mup_bridge *bridge = arg;

    for (size_t i = 0; i < MUP_BRIDGE_JUDGES_MAX; i++)
        if (bridge->judgements[i].judge != NULL &&
            strcmp(bridge->judgements[i].gather->name, gather->name) == 0)
            return false;
    return true;
}

static struct mup_judgement *free_judgement(struct mup_bridge *bridge)
{
    for (size_t i = 0; i < MUP_BRIDGE_JUDGES_MAX; i++)
        if (bridge->judgements[i].judge == NULL)
            return &bridge->judgements[i];
    return NULL;
}

/* Without memory or a process for it, the device will announce itself again. */
static void start_judgement(struct mup_bridge *bridge, struct mup_judgement *judgement,
                            struct mup_gather *gather)
{
    struct mup_device *device = mup_registry_by_name(&bridge->registry, gather->name);

    judgement->bridge = bridge;
    judgement->gather = malloc(sizeof *judgement->gather);
    if (judgement->gather != NULL && device != NULL) {
        mup_registry_count_judgement(device, mup_loop_now_ms(&bridge->loop));
        *judgement->gather = *gather;
        gather->bytes = NULL;
        judgement->judge =
            mup_judge_start(&bridge->loop, bridge->settings->queries, judgement->gather->bytes,
                            judgement->gather->size, on_verdict, judgement);
        if (judgement->judge == NULL) {
            free(judgement->gather->bytes);
            free(judgement->gather);
        }
    }
    mup_gather_end(gather);
}

/* Give to the judges what is whole, the oldest first; the rest waits for the next verdict. */
static void judge_waiting(struct mup_bridge *bridge)
{
    struct mup_judgement *judgement;
    struct mup_gather *gather;

    while ((judgement = free_judgement(bridge)) != NULL &&
           (gather = mup_gathers_waiting(&bridge->gathers, may_be_judged, bridge)) != NULL) {
        if (needs_no_judge(bridge, gather))
            mup_gather_end(gather);
        else
            start_judgement(bridge, judgement, gather);
    }
}

/* Whole, but not what was announced (SPEC section 9). Nothing is kept of it: whoever sends wrong
 * bytes must not spoil the digest for those who send the right ones. */
static void refuse_pieces(struct mup_bridge *bridge, const char *name)
{
    const struct mup_device *device = mup_registry_by_name(&bridge->registry, name);
    struct mup_bootstrap_reply reply = {
        .state = MUP_STATE_DESCRIPTION_INVALID,
        .detail = detail_of("the pieces together have not the digest that was announced"),
    };

    if (device == NULL)
        return;
    memcpy(reply.description_digest, device->stored.digest, MUP_DIGEST_SIZE);
    publish_reply(bridge, name, &reply);
}

static void on_piece(struct mup_bridge *bridge, const char *name, const uint8_t *bytes, size_t size)
{
    struct mup_piece piece;
    struct mup_gather *whole = NULL;
    enum mup_status status = mup_piece_decode(&piece, bytes, size);

    if (status == MUP_OK)
        status =
            mup_gather_add(&bridge->gathers, &whole, name, &piece, mup_loop_now_ms(&bridge->loop));
    if (status == MUP_OK && needs_no_judge(bridge, whole))
        mup_gather_end(whole);
    else if (status == MUP_OK)
        judge_waiting(bridge);
    else if (status == MUP_ERR_DIGEST)
        refuse_pieces(bridge, name);
    if (status != MUP_OK && status != MUP_ERR_SHORT)
        mup_log(MUP_LOG_WARNING, "intake", mup_log_event("piece of a description dropped"),
                mup_log_text("device", name), mup_log_text("why", mup_status_name(status)));
}

/* ---- presence ---- */

static void on_presence(struct mup_bridge *bridge, const char *name, const uint8_t *bytes,
                        size_t size)
{
    struct mup_device *device = mup_registry_by_name(&bridge->registry, name);
    bool online;

    if (device == NULL || mup_presence_decode(&online, bytes, size) != MUP_OK)
        return;
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
        mup_calls_response(bridge->calls, name, message);
    else if ((name = name_after(message->topic, MUP_TOPIC_PRESENCE)) != NULL)
        on_presence(bridge, name, message->payload, message->payload_size);
    else if (message->retain)
        return; /* nothing else is ever retained: old news at best, a trap at worst */
    else if ((name = name_after(message->topic, MUP_TOPIC_ANNOUNCE)) != NULL)
        on_announcement(bridge, name, message->payload, message->payload_size);
    else if ((name = name_after(message->topic, MUP_TOPIC_DESCRIPTION)) != NULL)
        on_piece(bridge, name, message->payload, message->payload_size);
}
