/*
 * All updates of this server: begin them, carry out what their state machines decide, keep what
 * happens, tell it.
 *
 *     updates = mup_updates_new(&loop, &parts, &settings, &callbacks, arg);
 *     mup_updates_resume(updates);                    those that had not ended at the last stop
 *     mup_updates_start(updates, &wish, on_started, arg);
 *     mup_updates_on_message(updates, message);       mup/ack/+, mup/report/+, mup/presence/+
 *     mup_updates_go_on(updates);                     the broker is there, or took a message: go on
 *                                                     with slices that were held up
 *     mup_updates_free(updates);                      running ones are taken up at the next start
 *
 * A transition is told after its COMMIT. The end of an update is written once; a second end is
 * refused by the store and then told to nobody.
 */
#ifndef MUP_SERVER_UPDATES_H
#define MUP_SERVER_UPDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "mup/sign/key.h"
#include "runtime/mqtt_session.h"
#include "server/edge.h"
#include "server/releases.h"
#include "server/update.h"
#include "store/server_store.h"

#define MUP_UPDATES_RUNNING_MAX    4096u
#define MUP_UPDATES_PROGRESS_MS    200u  /* at most one progress event of an update in this time */
#define MUP_UPDATES_STORE_AGAIN_MS 5000u /* when the end of an update could not be written */
#define MUP_UPDATES_SLICE_SIZE     MUP_SLICE_DATA_MAX /* devices say what they take */

struct mup_updates;

/* What the updates work with; all outlive the updates. */
struct mup_updates_parts {
    struct mup_server_store *store;
    struct mup_releases *releases;
    struct mup_edge *edge;
    struct mup_mqtt_session *mqtt;
    const struct mup_signer *signer;
};

struct mup_updates_settings {
    struct mup_update_limits limits;
    uint32_t slice_size; /* 0: MUP_UPDATES_SLICE_SIZE */
};

struct mup_updates_callbacks {
    /* Something of an update is to be told: `kind` is "update" (a transition, committed) or
     * "progress". The JSON is the caller's only during the call. May be NULL. */
    void (*on_event)(void *arg, const char *kind, int64_t update_id, const json_t *update);
};

/* Counted since the start, for metrics. */
struct mup_updates_counters {
    uint64_t started;
    uint64_t confirmed;
    uint64_t failed;
    uint64_t reverted;
    uint64_t slices;
    uint64_t slice_bytes;
    uint64_t rewinds;
};

struct mup_updates_wish {
    const char *device; /* UUID or name */
    const struct mup_stored_release *release;
    bool force;
};

/* Once, not from inside mup_updates_start(). On success fault is NULL and *json the new update
 * (borrowed); when the device has a running update, fault is MUP_FAULT_UPDATE_RUNNING and
 * running_id its id. */
typedef void mup_updates_on_started(void *arg, const struct mup_fault *fault, int64_t running_id,
                                    const json_t *json);

/* NULL: *fault says why. */
struct mup_updates *mup_updates_new(struct mup_loop *loop, const struct mup_updates_parts *parts,
                                    const struct mup_updates_settings *settings,
                                    const struct mup_updates_callbacks *callbacks, void *arg,
                                    struct mup_fault *fault);

/* Close the store, the edge and the MQTT session first: none may call back any more. */
void mup_updates_free(struct mup_updates *updates);

MUP_MUST_CHECK
enum mup_status mup_updates_resume(struct mup_updates *updates);

void mup_updates_start(struct mup_updates *updates, const struct mup_updates_wish *wish,
                       mup_updates_on_started *on_started, void *arg);

void mup_updates_on_message(struct mup_updates *updates, const struct mup_mqtt_message *message);
void mup_updates_go_on(struct mup_updates *updates);

/* What an update of this device with this release would have to reach, as a token is held against
 * it (mup_update_check()). False: the store is damaged. */
bool mup_updates_goal(const struct mup_updates *updates, const struct mup_stored_release *release,
                      const uint8_t uuid[MUP_UUID_SIZE], struct mup_update_goal *goal);

size_t mup_updates_running_count(const struct mup_updates *updates);
/* The updates that have not ended, by the UUID of their device. */
void mup_updates_each_running(const struct mup_updates *updates,
                              void (*visit)(void *arg, const char *uuid, int64_t id), void *arg);

const struct mup_updates_counters *mup_updates_counters(const struct mup_updates *updates);

/* One update, running or ended, as JSON (a new reference); NULL: there is none with this id. */
json_t *mup_updates_json(struct mup_updates *updates, int64_t id);

/* The newest `count`, as a JSON array (a new reference); NULL: the store cannot be read. */
json_t *mup_updates_list_json(struct mup_updates *updates, size_t count);

/* The same for one device. */
json_t *mup_updates_of_json(struct mup_updates *updates, const uint8_t uuid[MUP_UUID_SIZE],
                            size_t count);

#endif
