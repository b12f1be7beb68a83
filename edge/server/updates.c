/* The table of running updates, their beginning and their end. What a running one does stands in
 * runner.c. */
#include "server/updates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mup/report.h"
#include "mup/sign/release.h"
#include "runtime/log.h"
#include "server/runner.h"
#include "server/update_json.h"

struct mup_updates {
    struct mup_runner_context context;
    int64_t last_id;
    size_t running_count;
    struct starting *starting;
    void (*on_event)(void *arg, const char *kind, int64_t update_id, const json_t *update);
    void *arg;
};

/* A wish on its way to a running update: find the device, write the update. */
struct starting {
    struct starting *next;
    struct mup_updates *updates;
    char device[MUP_UUID_TEXT_SIZE];
    const struct mup_stored_release *release;
    bool force;
    struct mup_stored_update stored;
    bool is_written; /* on its way into the store: its device is taken */
    mup_updates_on_started *on_started;
    void *arg;
};

/* ---- the table ---- */

static struct mup_runner *find_runner(const struct mup_updates *updates, int64_t id)
{
    for (struct mup_runner *r = updates->context.runners; r; r = r->next) {
        if (r->stored.id == id) {
            return r;
        }
    }
    return NULL;
}

/* The id of the update that has this device, or 0. */
static int64_t taken_by(const struct mup_updates *updates, const uint8_t uuid[MUP_UUID_SIZE])
{
    for (const struct mup_runner *r = updates->context.runners; r; r = r->next) {
        if (memcmp(r->stored.uuid, uuid, MUP_UUID_SIZE) == 0) {
            return r->stored.id;
        }
    }
    for (const struct starting *s = updates->starting; s; s = s->next) {
        if (s->is_written && memcmp(s->stored.uuid, uuid, MUP_UUID_SIZE) == 0) {
            return s->stored.id;
        }
    }
    return 0;
}

bool mup_updates_goal(const struct mup_updates *updates, const struct mup_stored_release *release,
                      const uint8_t uuid[MUP_UUID_SIZE], struct mup_update_goal *goal)
{
    const struct mup_signer *signer = updates->context.parts.signer;

    memset(goal, 0, sizeof *goal);
    memcpy(goal->uuid, uuid, sizeof goal->uuid);
    memcpy(goal->manifest_digest, release->manifest_digest, sizeof goal->manifest_digest);
    memcpy(goal->vendor_kid, release->vendor_kid, sizeof goal->vendor_kid);
    memcpy(goal->server_kid, signer->kid, sizeof goal->server_kid);
    goal->slice_size = updates->context.settings.slice_size;
    return mup_release_manifest(release, &goal->manifest);
}

size_t mup_updates_running_count(const struct mup_updates *updates)
{
    size_t count = 0;

    for (const struct mup_runner *r = updates->context.runners; r; r = r->next) {
        count++;
    }
    return count;
}

void mup_updates_each_running(const struct mup_updates *updates,
                              void (*visit)(void *arg, const char *uuid, int64_t id), void *arg)
{
    char uuid[MUP_UUID_TEXT_SIZE];

    for (const struct mup_runner *r = updates->context.runners; r; r = r->next) {
        if (!r->has_ended) {
            mup_uuid_format(uuid, r->stored.uuid);
            visit(arg, uuid, r->stored.id);
        }
    }
}

const struct mup_updates_counters *mup_updates_counters(const struct mup_updates *updates)
{
    return &updates->context.counters;
}

/* ---- starting ---- */

static void starting_free(struct starting *starting)
{
    struct starting **at = &starting->updates->starting;

    while (*at != starting) {
        at = &(*at)->next;
    }
    *at = starting->next;
    free(starting);
}

static void refuse(struct starting *starting, const struct mup_fault *fault, int64_t running_id)
{
    starting->on_started(starting->arg, fault, running_id, NULL);
    starting_free(starting);
}

static void on_begun(void *arg, enum mup_status status, const char *error)
{
    struct starting *starting = arg;
    struct mup_updates *updates = starting->updates;
    struct mup_fault fault = {MUP_FAULT_NONE, ""};

    struct mup_runner *runner =
        status == MUP_OK ? mup_runner_new(&updates->context, &starting->stored, starting->release)
                         : NULL;
    if (!runner) {
        mup_fault_set(&fault, MUP_FAULT_STORE, "%.200s", status == MUP_OK ? "no memory" : error);
        refuse(starting, &fault, 0);
        return;
    }
    updates->context.counters.started++;
    mup_log(MUP_LOG_INFO, "updates", mup_log_event("update begins"),
            mup_log_number("id", runner->stored.id), mup_log_text("device", runner->stored.name),
            mup_log_text("app", starting->release->app_id),
            mup_log_number("version", starting->release->version));
    json_t *json = mup_runner_json(runner);
    starting->on_started(starting->arg, NULL, 0, json);
    json_decref(json);
    starting_free(starting);
    mup_runner_begin(runner, false);
}

/* What stands in the way of an update of this device, or MUP_FAULT_NONE. */
static int64_t check_device(struct starting *starting, const struct mup_directory_device *device,
                            struct mup_fault *fault)
{
    if (!device) {
        mup_fault_set(fault, MUP_FAULT_UNKNOWN_DEVICE, "no device is called %s", starting->device);
        return 0;
    }
    if (mup_uuid_parse(starting->stored.uuid, device->uuid, strlen(device->uuid)) != MUP_OK) {
        mup_fault_set(fault, MUP_FAULT_DEVICE_NOT_READY, "the bridge has no UUID for %s",
                      device->name);
        return 0;
    }
    int64_t running = taken_by(starting->updates, starting->stored.uuid);
    if (running != 0) {
        mup_fault_set(fault, MUP_FAULT_UPDATE_RUNNING, "%s is being updated by update %lld",
                      device->name, (long long)running);
    } else if (device->xml_space[0] == '\0') {
        mup_fault_set(fault, MUP_FAULT_DEVICE_NOT_READY, "%s has no commands yet: %.100s %.80s",
                      device->name, device->state, device->reason);
    }
    return running;
}

static void on_look(void *arg, const struct mup_fault *problem,
                    const struct mup_directory *directory)
{
    struct starting *starting = arg;
    struct mup_updates *updates = starting->updates;
    struct mup_stored_update *stored = &starting->stored;
    struct mup_fault fault = {MUP_FAULT_NONE, ""};

    if (problem) {
        refuse(starting, problem, 0);
        return;
    }
    const struct mup_directory_device *device = mup_directory_find(directory, starting->device);
    int64_t running = check_device(starting, device, &fault);
    if (fault.code != MUP_FAULT_NONE) {
        refuse(starting, &fault, running);
        return;
    }
    stored->id = ++updates->last_id;
    stored->release_id = starting->release->id;
    snprintf(stored->name, sizeof stored->name, "%s", device->name);
    snprintf(stored->state, sizeof stored->state, "%s",
             mup_update_state_name(MUP_UPDATE_REQUESTED));
    stored->to_version = starting->release->version;
    stored->force = starting->force;
    stored->started_ms = mup_loop_wall_ms();
    starting->is_written = true;
    if (mup_server_store_begin_update(updates->context.parts.store, stored, on_begun, starting) !=
        MUP_OK) {
        mup_fault_set(&fault, MUP_FAULT_BUSY, "no memory for the update");
        refuse(starting, &fault, 0);
    }
}

void mup_updates_start(struct mup_updates *updates, const struct mup_updates_wish *wish,
                       mup_updates_on_started *on_started, void *arg)
{
    struct starting *starting = calloc(1, sizeof *starting);
    struct mup_fault fault = {MUP_FAULT_NONE, ""};

    if (!starting || mup_updates_running_count(updates) >= MUP_UPDATES_RUNNING_MAX) {
        mup_fault_set(&fault, MUP_FAULT_BUSY, "%u updates run already", MUP_UPDATES_RUNNING_MAX);
    } else if (strlen(wish->device) >= sizeof starting->device) {
        mup_fault_set(&fault, MUP_FAULT_UNKNOWN_DEVICE, "no device has so long a name");
    }
    if (fault.code != MUP_FAULT_NONE) {
        free(starting);
        on_started(arg, &fault, 0, NULL);
        return;
    }
    starting->updates = updates;
    snprintf(starting->device, sizeof starting->device, "%s", wish->device);
    starting->release = wish->release;
    starting->force = wish->force;
    starting->on_started = on_started;
    starting->arg = arg;
    starting->next = updates->starting;
    updates->starting = starting;
    mup_edge_look(updates->context.parts.edge, on_look, starting);
}

/* ---- taking up again ---- */

struct resuming {
    struct mup_updates *updates;
    struct mup_runner *first;
    bool failed;
};

static void take_up(void *arg, const struct mup_stored_update *stored)
{
    struct resuming *resuming = arg;
    struct mup_runner_context *context = &resuming->updates->context;
    const struct mup_stored_release *release =
        mup_releases_by_id(context->parts.releases, stored->release_id);

    resuming->failed = resuming->failed || !release || !mup_runner_new(context, stored, release);
}

enum mup_status mup_updates_resume(struct mup_updates *updates)
{
    struct resuming resuming = {updates, NULL, false};
    enum mup_status status = mup_server_store_each_update(
        updates->context.parts.store, 0, MUP_UPDATES_RUNNING_MAX, true, take_up, &resuming);

    if (status != MUP_OK || resuming.failed) {
        return status != MUP_OK ? status : MUP_ERR_SPACE;
    }
    for (struct mup_runner *r = updates->context.runners; r; r = r->next) {
        mup_log(MUP_LOG_INFO, "updates", mup_log_event("update taken up again"),
                mup_log_number("id", r->stored.id), mup_log_text("device", r->stored.name),
                mup_log_text("state", r->stored.state));
        mup_runner_begin(r, true);
    }
    return MUP_OK;
}

/* ---- messages of devices ---- */

/* The name at the end of a topic that begins with prefix; NULL: another topic. */
static const char *name_in(const char *topic, const char *prefix)
{
    size_t size = strlen(prefix);

    return strncmp(topic, prefix, size) == 0 ? topic + size : NULL;
}

static struct mup_runner *by_name(const struct mup_updates *updates, const char *name)
{
    for (struct mup_runner *r = updates->context.runners; r; r = r->next) {
        if (strcmp(r->stored.name, name) == 0) {
            return r;
        }
    }
    return NULL;
}

/* A device may publish only below its own name (the broker's access control), so that the topic
 * says who speaks. */
void mup_updates_on_message(struct mup_updates *updates, const struct mup_mqtt_message *message)
{
    const char *ack = name_in(message->topic, MUP_TOPIC_ACK);
    const char *report = name_in(message->topic, MUP_TOPIC_REPORT);
    const char *presence = name_in(message->topic, MUP_TOPIC_PRESENCE);
    const char *name = ack ? ack : report ? report : presence;
    struct mup_runner *runner = name ? by_name(updates, name) : NULL;

    if (!runner) {
        return;
    }
    if (ack && !message->retain) {
        mup_runner_on_ack(runner, message->payload, message->payload_size);
    } else if (report && !message->retain) {
        mup_runner_on_report(runner, message->payload, message->payload_size);
    } else if (presence) {
        mup_runner_on_presence(runner, message->payload, message->payload_size, message->retain);
    }
}

void mup_updates_go_on(struct mup_updates *updates)
{
    if (!updates->context.holds_slices) {
        return;
    }
    updates->context.holds_slices = false;
    for (struct mup_runner *r = updates->context.runners; r; r = r->next) {
        mup_runner_go_on(r);
    }
}

/* ---- JSON ---- */

static json_t *stored_json(struct mup_updates *updates, const struct mup_stored_update *stored)
{
    struct mup_stored_step steps[MUP_STORED_STEPS_MAX];
    size_t count = 0;

    if (mup_server_store_get_steps(updates->context.parts.store, stored->id, steps, &count) !=
        MUP_OK) {
        return NULL;
    }
    return mup_update_json(stored,
                           mup_releases_by_id(updates->context.parts.releases, stored->release_id),
                           steps, count);
}

json_t *mup_updates_json(struct mup_updates *updates, int64_t id)
{
    struct mup_stored_update stored;
    struct mup_runner *runner = find_runner(updates, id);

    if (runner) {
        return mup_runner_json(runner);
    }
    return mup_server_store_get_update(updates->context.parts.store, id, &stored) == MUP_OK
               ? stored_json(updates, &stored)
               : NULL;
}

struct listing {
    struct mup_stored_update *updates;
    size_t count;
};

static void collect(void *arg, const struct mup_stored_update *stored)
{
    struct listing *listing = arg;

    listing->updates[listing->count++] = *stored;
}

/* NULL: the store could not be read. */
static json_t *listing_json(struct mup_updates *updates, const struct listing *listing,
                            enum mup_status status)
{
    if (status != MUP_OK) {
        return NULL;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < listing->count; i++) {
        struct mup_runner *runner = find_runner(updates, listing->updates[i].id);
        json_array_append_new(list, runner ? mup_runner_json(runner)
                                           : stored_json(updates, &listing->updates[i]));
    }
    return list;
}

json_t *mup_updates_list_json(struct mup_updates *updates, size_t count)
{
    struct listing listing = {calloc(count, sizeof *listing.updates), 0};
    enum mup_status status = listing.updates
                                 ? mup_server_store_each_update(updates->context.parts.store, 0,
                                                                count, false, collect, &listing)
                                 : MUP_ERR_SPACE;
    json_t *list = listing_json(updates, &listing, status);

    free(listing.updates);
    return list;
}

json_t *mup_updates_of_json(struct mup_updates *updates, const uint8_t uuid[MUP_UUID_SIZE],
                            size_t count)
{
    struct listing listing = {calloc(count, sizeof *listing.updates), 0};
    enum mup_status status = listing.updates
                                 ? mup_server_store_each_update_of(updates->context.parts.store,
                                                                   uuid, count, collect, &listing)
                                 : MUP_ERR_SPACE;
    json_t *list = listing_json(updates, &listing, status);

    free(listing.updates);
    return list;
}

/* ---- begin and end ---- */

static void pass_event(void *arg, const char *kind, int64_t id, const json_t *json)
{
    struct mup_updates *updates = arg;

    if (updates->on_event) {
        updates->on_event(updates->arg, kind, id, json);
    }
}

struct mup_updates *mup_updates_new(struct mup_loop *loop, const struct mup_updates_parts *parts,
                                    const struct mup_updates_settings *settings,
                                    const struct mup_updates_callbacks *callbacks, void *arg,
                                    struct mup_fault *fault)
{
    int64_t release_id;
    struct mup_updates *updates = calloc(1, sizeof *updates);

    if (!updates || mup_server_store_last_ids(parts->store, &release_id, &updates->last_id)) {
        mup_fault_set(fault, MUP_FAULT_STORE, "cannot read the updates that are kept");
        free(updates);
        return NULL;
    }
    updates->on_event = callbacks->on_event;
    updates->arg = arg;
    updates->context = (struct mup_runner_context){
        .loop = loop,
        .parts = *parts,
        .settings = *settings,
        .on_event = pass_event,
        .arg = updates,
    };
    if (updates->context.settings.slice_size == 0) {
        updates->context.settings.slice_size = MUP_UPDATES_SLICE_SIZE;
    }
    return updates;
}

void mup_updates_free(struct mup_updates *updates)
{
    if (!updates) {
        return;
    }
    while (updates->context.runners) {
        mup_runner_free(updates->context.runners);
    }
    while (updates->starting) {
        starting_free(updates->starting);
    }
    free(updates);
}
