/*
 * What the update server keeps: releases with their payloads, updates, and the steps of each.
 *
 * How writing and reading work, and what the errors mean: store/store.h.
 *
 * An update is never told twice: its end is written once, and a second end is refused by the
 * store with MUP_ERR_STATE. A device has at most one update that has not ended.
 */
#ifndef MUP_STORE_SERVER_STORE_H
#define MUP_STORE_SERVER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/cose.h"
#include "mup/manifest.h"
#include "mup/topic.h"
#include "store/store.h"

#define MUP_STORED_URL_SIZE_MAX     1024u /* bytes, without NUL */
#define MUP_STORED_STATE_SIZE_MAX   32u   /* a state's name, without NUL */
#define MUP_STORED_MESSAGE_SIZE_MAX 240u  /* a reason in words, without NUL */
#define MUP_STORED_STEPS_MAX        8u    /* the paper's steps 0 to 7 */
#define MUP_STORED_PAYLOAD_SIZE_MAX (17u * 1024u * 1024u)

struct mup_server_store;

/* A release that was verified. (app, version, hardware) names it, id is its short name. */
struct mup_stored_release {
    int64_t id; /* from 1; chosen by the caller, who asks mup_server_store_last_ids() at start */
    char app_id[MUP_APP_ID_MAX + 1];
    char hardware_class[MUP_HARDWARE_CLASS_MAX + 1];
    uint32_t version;
    uint32_t image_size;
    uint32_t payload_size;
    uint8_t image_digest[MUP_DIGEST_SIZE];
    uint8_t manifest_digest[MUP_DIGEST_SIZE]; /* SHA-256 of the signed vendor manifest */
    uint8_t vendor_kid[MUP_KID_SIZE];
    uint8_t manifest[MUP_VENDOR_SIGNED_MAX]; /* the signed vendor manifest */
    size_t manifest_size;
    char url[MUP_STORED_URL_SIZE_MAX + 1]; /* where it was fetched */
    uint64_t fetched_ms;                   /* ms since 1970 */
};

struct mup_stored_update {
    int64_t id;         /* as for releases */
    int64_t release_id; /* must exist */
    uint8_t uuid[MUP_UUID_SIZE];
    char name[MUP_NAME_MAX + 1]; /* the device's MQTT user name */
    char state[MUP_STORED_STATE_SIZE_MAX + 1];
    uint32_t from_version; /* 0 until a token said it */
    uint32_t to_version;
    bool force;           /* the server's own checks before sending are left out */
    uint64_t started_ms;  /* ms since 1970 */
    uint64_t finished_ms; /* 0: it has not ended */
    char reason[MUP_STORED_STATE_SIZE_MAX + 1];    /* a name for programs; "" when confirmed */
    char message[MUP_STORED_MESSAGE_SIZE_MAX + 1]; /* for people */
};

struct mup_stored_step {
    int64_t update_id;
    uint32_t number; /* of the paper, 0..7 */
    char name[MUP_STORED_STATE_SIZE_MAX + 1];
    uint64_t started_ms; /* ms since 1970 */
    uint64_t took_ms;
    uint64_t bytes_out; /* payload bytes towards the device */
    uint64_t bytes_in;
};

MUP_MUST_CHECK
enum mup_status mup_server_store_open(struct mup_server_store **out, struct mup_loop *loop,
                                      const char *path, char error[MUP_STORE_ERROR_SIZE]);
void mup_server_store_close(struct mup_server_store *store); /* NULL is allowed */

/* The largest ids in use, 0 for none: the caller counts on from them. */
MUP_MUST_CHECK
enum mup_status mup_server_store_last_ids(struct mup_server_store *store, int64_t *release_id,
                                          int64_t *update_id);

/*
 * Keep a release with its payload of release->payload_size bytes; whole or not at all. Ends with
 * MUP_ERR_STATE when the id or the (app, version, hardware) is there already. `payload` is copied.
 */
MUP_MUST_CHECK
enum mup_status mup_server_store_put_release(struct mup_server_store *store,
                                             const struct mup_stored_release *release,
                                             const uint8_t *payload, mup_store_on_done *on_done,
                                             void *arg);

/* Begin an update: ends with MUP_ERR_STATE when its device has one that has not ended. */
MUP_MUST_CHECK
enum mup_status mup_server_store_begin_update(struct mup_server_store *store,
                                              const struct mup_stored_update *update,
                                              mup_store_on_done *on_done, void *arg);

/* Write state, from_version, reason and message of a running update. */
MUP_MUST_CHECK
enum mup_status mup_server_store_set_state(struct mup_server_store *store,
                                           const struct mup_stored_update *update,
                                           mup_store_on_done *on_done, void *arg);

/*
 * End an update: state, versions, reason, message, finished_ms, once. Ends with MUP_ERR_STATE when
 * it has ended already: then nothing may be told.
 */
MUP_MUST_CHECK
enum mup_status mup_server_store_finish_update(struct mup_server_store *store,
                                               const struct mup_stored_update *update,
                                               mup_store_on_done *on_done, void *arg);

/* Keep a step, or replace it: after a restart a step may be taken again. */
MUP_MUST_CHECK
enum mup_status mup_server_store_put_step(struct mup_server_store *store,
                                          const struct mup_stored_step *step,
                                          mup_store_on_done *on_done, void *arg);

/* Visit all, in the order of ids. The visitor must not call the store. */
MUP_MUST_CHECK
enum mup_status mup_server_store_each_release(struct mup_server_store *store,
                                              void (*visit)(void *arg,
                                                            const struct mup_stored_release *r),
                                              void *arg);

/* Visit updates with from_id <= id, at most `count`, newest first; unfinished only if asked. */
MUP_MUST_CHECK
enum mup_status mup_server_store_each_update(
    struct mup_server_store *store, int64_t from_id, size_t count, bool unfinished_only,
    void (*visit)(void *arg, const struct mup_stored_update *u), void *arg);

/* Visit the newest `count` updates of a device, newest first. */
MUP_MUST_CHECK
enum mup_status mup_server_store_each_update_of(
    struct mup_server_store *store, const uint8_t uuid[MUP_UUID_SIZE], size_t count,
    void (*visit)(void *arg, const struct mup_stored_update *u), void *arg);

/* One update. MUP_ERR_RANGE: there is none with this id. */
MUP_MUST_CHECK
enum mup_status mup_server_store_get_update(struct mup_server_store *store, int64_t id,
                                            struct mup_stored_update *out);

/* The steps of an update, ordered by number; *count of them. */
MUP_MUST_CHECK
enum mup_status mup_server_store_get_steps(struct mup_server_store *store, int64_t update_id,
                                           struct mup_stored_step steps[MUP_STORED_STEPS_MAX],
                                           size_t *count);

/*
 * A release's payload, freed by the caller with free(). MUP_ERR_RANGE: there is no such release.
 * It blocks while up to 17 MiB are read; the caller keeps it while updates of the release run.
 */
MUP_MUST_CHECK
enum mup_status mup_server_store_get_payload(struct mup_server_store *store, int64_t release_id,
                                             uint8_t **payload, size_t *size);

#endif
