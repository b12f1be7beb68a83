/*
 * Descriptions on their way from a device to a YANG module: pieces are gathered, the whole goes to
 * a judge, the verdict into registry and store (docs/SPEC.md section 9). Devices are told after
 * COMMIT. What strangers can use up is bounded: gathers, judges, judgements an hour, descriptions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/description/yang.h"
#include "bridge/devices/bridge.h"
#include "bridge/devices/tell.h"
#include "mup/bootstrap.h"
#include "mup/state.h"
#include "runtime/log.h"

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
        if (registry->by_name[i]->stored.present && registry->by_name[i]->description == known) {
            mup_bridge_reply(bridge, registry->by_name[i]);
            mup_bridge_tell_device(bridge, registry->by_name[i]);
        }
}

/* What could not be kept is not known: those who announce it are asked for it again. */
static void on_description_kept(void *arg, enum mup_status status, const char *error)
{
    struct pending_verdict *pending = arg;
    struct mup_known_description *known =
        mup_registry_description(&pending->bridge->registry, pending->digest);

    if (status == MUP_OK && known != NULL) {
        known->kept = true;
        if (known->capability != NULL)
            mup_bridge_listen(pending->bridge, known->capability);
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
                mup_netconf_add_made_module(bridge->netconf, yang, error) == MUP_OK;

    free(yang);
    if (!good)
        snprintf(reason, MUP_STORED_REASON_SIZE_MAX + 1, "no YANG module can be made of it: %.400s",
                 error);
    return good;
}

char *mup_bridge_module_text(void *context, const char *module)
{
    const struct mup_bridge *bridge = context;
    const struct mup_registry *registry = &bridge->registry;
    char *yang = NULL;

    for (size_t i = 0; i < registry->description_count; i++) {
        const struct mup_capability *capability = registry->descriptions[i]->capability;

        if (capability != NULL && strcmp(capability->module_name, module) == 0)
            return mup_yang_module(&yang, capability) == MUP_OK ? yang : NULL;
    }
    return NULL;
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
    judgement->gather = NULL;
    judge_waiting(bridge);
}

static bool is_under_judgement(const struct mup_bridge *bridge, const uint8_t *digest)
{
    for (size_t i = 0; i < MUP_BRIDGE_JUDGES_MAX; i++)
        if (bridge->judgements[i].gather != NULL &&
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
    mup_bridge_keep_device(bridge, device); /* behind the verdict in the store's queue */
    return true;
}

/* One description of a device at a time, or a device whose descriptions take long would keep all
 * the judges to itself. */
static bool may_be_judged(const void *arg, const struct mup_gather *gather)
{
    const struct mup_bridge *bridge = arg;

    for (size_t i = 0; i < MUP_BRIDGE_JUDGES_MAX; i++)
        if (bridge->judgements[i].gather != NULL &&
            strcmp(bridge->judgements[i].gather->name, gather->name) == 0)
            return false;
    return true;
}

static struct mup_judgement *free_judgement(struct mup_bridge *bridge)
{
    for (size_t i = 0; i < MUP_BRIDGE_JUDGES_MAX; i++)
        if (bridge->judgements[i].gather == NULL)
            return &bridge->judgements[i];
    return NULL;
}

/* Without memory or a process for it, the device will announce itself again. */
static void start_judgement(struct mup_bridge *bridge, struct mup_judgement *judgement,
                            struct mup_gather *gather)
{
    struct mup_device *device = mup_registry_by_name(&bridge->registry, gather->name);
    struct mup_gather *taken = malloc(sizeof *taken);

    judgement->bridge = bridge;
    if (judgement->judge == NULL)
        judgement->judge = mup_judge_new(&bridge->loop, bridge->settings->queries);
    if (taken != NULL && device != NULL && judgement->judge != NULL) {
        mup_registry_count_judgement(device, mup_loop_now_ms(&bridge->loop));
        *taken = *gather;
        gather->bytes = NULL;
        if (mup_judge_ask(judgement->judge, taken->bytes, taken->size, on_verdict, judgement))
            judgement->gather = taken;
        else
            free(taken->bytes);
    }
    if (judgement->gather == NULL)
        free(taken);
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
    mup_bridge_admit(bridge);
}

/* Whole, but not what was announced (SPEC section 9). Nothing is kept of it: whoever sends wrong
 * bytes must not spoil the digest for those who send the right ones. */
static void refuse_pieces(struct mup_bridge *bridge, const char *name)
{
    const struct mup_device *device = mup_registry_by_name(&bridge->registry, name);

    if (device != NULL)
        mup_bridge_refuse(bridge, name, MUP_STATE_DESCRIPTION_INVALID, device->stored.digest,
                          "the pieces together have not the digest that was announced");
}

void mup_bridge_take_piece(struct mup_bridge *bridge, const char *name, const uint8_t *bytes,
                           size_t size)
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
    mup_bridge_admit(bridge);
}
