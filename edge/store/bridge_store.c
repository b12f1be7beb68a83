/* What the bridge keeps, as tables and statements. */
#include "store/bridge_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_internal.h"

static const char *const migrations[] = {
    "CREATE TABLE migration (version INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE description ("
    "  digest BLOB PRIMARY KEY CHECK (length(digest) = 32),"
    "  text BLOB NOT NULL,"
    "  accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),"
    "  reason TEXT NOT NULL,"
    "  at_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE device ("
    "  name TEXT PRIMARY KEY,"
    "  uuid BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),"
    "  digest BLOB NOT NULL CHECK (length(digest) = 32),"
    "  version INTEGER NOT NULL,"
    "  on_trial INTEGER NOT NULL CHECK (on_trial IN (0, 1)),"
    "  epoch INTEGER NOT NULL,"
    "  kid BLOB NOT NULL CHECK (length(kid) = 8),"
    "  boot_id BLOB NOT NULL CHECK (length(boot_id) = 8),"
    "  present INTEGER NOT NULL CHECK (present IN (0, 1)),"
    "  first_seen_ms INTEGER NOT NULL,"
    "  last_seen_ms INTEGER NOT NULL,"
    "  label TEXT NOT NULL) STRICT;",
    "CREATE TABLE configuration ("
    "  name TEXT PRIMARY KEY,"
    "  text TEXT NOT NULL,"
    "  at_ms INTEGER NOT NULL) STRICT;",
    "CREATE TABLE command ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
    "  correlation BLOB NOT NULL CHECK (length(correlation) = 16),"
    "  user TEXT NOT NULL,"
    "  device TEXT NOT NULL,"
    "  module TEXT NOT NULL,"
    "  rpc TEXT NOT NULL,"
    "  topic TEXT NOT NULL,"
    "  bytes BLOB NOT NULL,"
    "  submitted_ms INTEGER NOT NULL,"
    "  expires_ms INTEGER NOT NULL,"
    "  ended_ms INTEGER NOT NULL DEFAULT 0,"
    "  outcome TEXT NOT NULL DEFAULT '',"
    "  state TEXT NOT NULL DEFAULT '',"
    "  value TEXT NOT NULL DEFAULT '',"
    "  app_tag TEXT NOT NULL DEFAULT '',"
    "  message TEXT NOT NULL DEFAULT '') STRICT;"
    "CREATE INDEX command_ended ON command (ended_ms);",
    "ALTER TABLE device ADD COLUMN standing INTEGER NOT NULL DEFAULT 0"
    "  CHECK (standing IN (0, 1, 2));"
    "ALTER TABLE device ADD COLUMN replaced_by TEXT NOT NULL DEFAULT '';",
};

static const struct mup_store_schema schema = {
    .daemon = "mup-bridge",
    .application_id = 0x4d555042, /* "MUPB" */
    .migrations = migrations,
    .count = sizeof migrations / sizeof migrations[0],
};

/* The engine is all that a store of the bridge is. */
static struct mup_store *engine(struct mup_bridge_store *store)
{
    return (struct mup_store *)store;
}

enum mup_status mup_bridge_store_open(struct mup_bridge_store **out, struct mup_loop *loop,
                                      const char *path, char error[MUP_STORE_ERROR_SIZE])
{
    struct mup_store *store;
    enum mup_status status = mup_store_open(&store, loop, path, &schema, error);

    if (status == MUP_OK) {
        *out = (struct mup_bridge_store *)store;
    }
    return status;
}

void mup_bridge_store_close(struct mup_bridge_store *store)
{
    mup_store_close(engine(store));
}

/* ---- descriptions ---- */

struct description_job {
    struct mup_stored_description description;
    char reason[MUP_STORED_REASON_SIZE_MAX + 1];
    uint8_t text[];
};

static int put_description(sqlite3 *db, void *arg)
{
    const struct description_job *job = arg;
    const struct mup_stored_description *d = &job->description;

    return mup_store_run(db, NULL,
                         "INSERT INTO description (digest, text, accepted, reason, at_ms)"
                         " VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET"
                         " text = excluded.text, accepted = excluded.accepted,"
                         " reason = excluded.reason, at_ms = excluded.at_ms",
                         "bbiti", (const void *)d->digest, sizeof d->digest,
                         (const void *)job->text, d->size, (int64_t)d->accepted, job->reason,
                         (int64_t)d->at_ms);
}

/* Cut a text to its limit, not within a UTF-8 character. */
static void copy_cut(char *out, size_t size, const char *text)
{
    size_t length = text ? strlen(text) : 0;

    if (length >= size) {
        length = size - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    if (length > 0) {
        memcpy(out, text, length);
    }
    out[length] = '\0';
}

enum mup_status mup_bridge_store_put_description(struct mup_bridge_store *store,
                                                 const struct mup_stored_description *description,
                                                 mup_store_on_done *on_done, void *arg)
{
    assert(description->size <= MUP_STORED_TEMPLATE_SIZE_MAX);
    struct description_job *job = calloc(1, sizeof *job + description->size);
    if (job) {
        job->description = *description;
        if (description->size > 0) {
            memcpy(job->text, description->text, description->size);
        }
        copy_cut(job->reason, sizeof job->reason, description->reason);
    }
    return mup_store_submit(engine(store), put_description, job, on_done, arg);
}

static int remove_description(sqlite3 *db, void *arg)
{
    const uint8_t *digest = arg;

    return mup_store_run_one(db, "DELETE FROM description WHERE digest = ?", "b",
                             (const void *)digest, (size_t)MUP_DIGEST_SIZE);
}

enum mup_status mup_bridge_store_remove_description(struct mup_bridge_store *store,
                                                    const uint8_t digest[MUP_DIGEST_SIZE],
                                                    mup_store_on_done *on_done, void *arg)
{
    uint8_t *job = malloc(MUP_DIGEST_SIZE);

    if (job) {
        memcpy(job, digest, MUP_DIGEST_SIZE);
    }
    return mup_store_submit(engine(store), remove_description, job, on_done, arg);
}

static bool read_description(sqlite3_stmt *row, struct mup_stored_description *out)
{
    *out = (struct mup_stored_description){
        .text = sqlite3_column_blob(row, 1),
        .size = (size_t)sqlite3_column_bytes(row, 1),
        .accepted = sqlite3_column_int(row, 2) != 0,
        .reason = (const char *)sqlite3_column_text(row, 3),
        .at_ms = (uint64_t)sqlite3_column_int64(row, 4),
    };
    return mup_store_column_fixed(row, 0, out->digest, sizeof out->digest) && out->reason;
}

enum mup_status mup_bridge_store_each_description(
    struct mup_bridge_store *store,
    void (*visit)(void *arg, const struct mup_stored_description *description), void *arg)
{
    struct mup_stored_description description;
    sqlite3_stmt *row;
    int code = sqlite3_prepare_v2(mup_store_reader(engine(store)),
                                  "SELECT digest, text, accepted, reason, at_ms"
                                  " FROM description ORDER BY digest",
                                  -1, &row, NULL);

    while (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        code = read_description(row, &description) ? SQLITE_OK : SQLITE_CORRUPT;
        if (code == SQLITE_OK) {
            visit(arg, &description);
        }
    }
    sqlite3_finalize(row);
    return code == SQLITE_DONE ? MUP_OK
                               : mup_store_read_failed(engine(store), "descriptions", code);
}

/* ---- devices ---- */

static int put_device(sqlite3 *db, void *arg)
{
    const struct mup_stored_device *d = arg;

    return mup_store_run(
        db, NULL,
        "INSERT INTO device (name, uuid, digest, version, on_trial, epoch, kid, boot_id, present,"
        " first_seen_ms, last_seen_ms, label) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET uuid = excluded.uuid, digest = excluded.digest,"
        " version = excluded.version, on_trial = excluded.on_trial, epoch = excluded.epoch,"
        " kid = excluded.kid, boot_id = excluded.boot_id, present = excluded.present,"
        " last_seen_ms = excluded.last_seen_ms",
        "tbbiiibbiiit", d->name, (const void *)d->uuid, sizeof d->uuid, (const void *)d->digest,
        sizeof d->digest, (int64_t)d->version, (int64_t)d->on_trial, (int64_t)d->epoch,
        (const void *)d->kid, sizeof d->kid, (const void *)d->boot_id, sizeof d->boot_id,
        (int64_t)d->present, (int64_t)d->first_seen_ms, (int64_t)d->last_seen_ms, d->label);
}

static int put_owner(sqlite3 *db, void *arg)
{
    const struct mup_stored_device *d = arg;
    int code = mup_store_run(db, NULL, "DELETE FROM device WHERE uuid = ? AND name <> ?", "bt",
                             (const void *)d->uuid, sizeof d->uuid, d->name);

    return code == SQLITE_OK || code == SQLITE_DONE ? put_device(db, arg) : code;
}

static int set_presence(sqlite3 *db, void *arg)
{
    const struct mup_stored_device *d = arg;

    return mup_store_run_one(db, "UPDATE device SET present = ?, last_seen_ms = ? WHERE name = ?",
                             "iit", (int64_t)d->present, (int64_t)d->last_seen_ms, d->name);
}

static int set_label(sqlite3 *db, void *arg)
{
    const struct mup_stored_device *d = arg;

    return mup_store_run_one(db, "UPDATE device SET label = ? WHERE name = ?", "tt", d->label,
                             d->name);
}

static int set_standing(sqlite3 *db, void *arg)
{
    const struct mup_stored_device *d = arg;

    return mup_store_run_one(db, "UPDATE device SET standing = ?, replaced_by = ? WHERE name = ?",
                             "itt", (int64_t)d->standing, d->replaced_by, d->name);
}

static int remove_device(sqlite3 *db, void *arg)
{
    const struct mup_stored_device *d = arg;

    return mup_store_run_one(db, "DELETE FROM device WHERE name = ?", "t", d->name);
}

static int clear_presence(sqlite3 *db, void *arg)
{
    (void)arg;
    return mup_store_run(db, NULL, "UPDATE device SET present = 0", "");
}

static struct mup_stored_device *device_job(const char *name)
{
    struct mup_stored_device *job = calloc(1, sizeof *job);

    if (job) {
        copy_cut(job->name, sizeof job->name, name);
    }
    return job;
}

static enum mup_status submit_device(struct mup_bridge_store *store, mup_store_operation *operation,
                                     const struct mup_stored_device *device,
                                     mup_store_on_done *on_done, void *arg)
{
    struct mup_stored_device *job = malloc(sizeof *job);

    if (job) {
        *job = *device;
    }
    return mup_store_submit(engine(store), operation, job, on_done, arg);
}

enum mup_status mup_bridge_store_put_device(struct mup_bridge_store *store,
                                            const struct mup_stored_device *device,
                                            mup_store_on_done *on_done, void *arg)
{
    return submit_device(store, put_device, device, on_done, arg);
}

enum mup_status mup_bridge_store_put_owner(struct mup_bridge_store *store,
                                           const struct mup_stored_device *device,
                                           mup_store_on_done *on_done, void *arg)
{
    return submit_device(store, put_owner, device, on_done, arg);
}

enum mup_status mup_bridge_store_set_presence(struct mup_bridge_store *store, const char *name,
                                              bool present, uint64_t last_seen_ms,
                                              mup_store_on_done *on_done, void *arg)
{
    struct mup_stored_device *job = device_job(name);

    if (job) {
        job->present = present;
        job->last_seen_ms = last_seen_ms;
    }
    return mup_store_submit(engine(store), set_presence, job, on_done, arg);
}

enum mup_status mup_bridge_store_set_label(struct mup_bridge_store *store, const char *name,
                                           const char *label, mup_store_on_done *on_done, void *arg)
{
    struct mup_stored_device *job = device_job(name);

    if (job) {
        copy_cut(job->label, sizeof job->label, label);
    }
    return mup_store_submit(engine(store), set_label, job, on_done, arg);
}

enum mup_status mup_bridge_store_set_standing(struct mup_bridge_store *store, const char *name,
                                              enum mup_standing standing, const char *replaced_by,
                                              mup_store_on_done *on_done, void *arg)
{
    struct mup_stored_device *job = device_job(name);

    if (job) {
        job->standing = standing;
        copy_cut(job->replaced_by, sizeof job->replaced_by, replaced_by);
    }
    return mup_store_submit(engine(store), set_standing, job, on_done, arg);
}

enum mup_status mup_bridge_store_remove_device(struct mup_bridge_store *store, const char *name,
                                               mup_store_on_done *on_done, void *arg)
{
    return mup_store_submit(engine(store), remove_device, device_job(name), on_done, arg);
}

enum mup_status mup_bridge_store_clear_presence(struct mup_bridge_store *store,
                                                mup_store_on_done *on_done, void *arg)
{
    return mup_store_submit(engine(store), clear_presence, device_job(""), on_done, arg);
}

static bool read_device(sqlite3_stmt *row, struct mup_stored_device *out)
{
    *out = (struct mup_stored_device){
        .version = (uint32_t)sqlite3_column_int64(row, 3),
        .on_trial = sqlite3_column_int(row, 4) != 0,
        .epoch = (uint32_t)sqlite3_column_int64(row, 5),
        .present = sqlite3_column_int(row, 8) != 0,
        .first_seen_ms = (uint64_t)sqlite3_column_int64(row, 9),
        .last_seen_ms = (uint64_t)sqlite3_column_int64(row, 10),
        .standing = (enum mup_standing)sqlite3_column_int(row, 12),
    };
    return mup_store_column_text(row, 0, out->name, sizeof out->name) &&
           mup_store_column_fixed(row, 1, out->uuid, sizeof out->uuid) &&
           mup_store_column_fixed(row, 2, out->digest, sizeof out->digest) &&
           mup_store_column_fixed(row, 6, out->kid, sizeof out->kid) &&
           mup_store_column_fixed(row, 7, out->boot_id, sizeof out->boot_id) &&
           mup_store_column_text(row, 11, out->label, sizeof out->label) &&
           mup_store_column_text(row, 13, out->replaced_by, sizeof out->replaced_by);
}

enum mup_status mup_bridge_store_each_device(struct mup_bridge_store *store,
                                             void (*visit)(void *arg,
                                                           const struct mup_stored_device *device),
                                             void *arg)
{
    struct mup_stored_device device;
    sqlite3_stmt *row;
    int code = sqlite3_prepare_v2(
        mup_store_reader(engine(store)),
        "SELECT name, uuid, digest, version, on_trial, epoch, kid, boot_id, present,"
        " first_seen_ms, last_seen_ms, label, standing, replaced_by FROM device ORDER BY name",
        -1, &row, NULL);

    while (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        code = read_device(row, &device) ? SQLITE_OK : SQLITE_CORRUPT;
        if (code == SQLITE_OK) {
            visit(arg, &device);
        }
    }
    sqlite3_finalize(row);
    return code == SQLITE_DONE ? MUP_OK : mup_store_read_failed(engine(store), "devices", code);
}

/* ---- configuration ---- */

struct configuration_job {
    char name[MUP_STORED_CONFIGURATION_NAME_SIZE_MAX + 1];
    uint64_t at_ms;
    char text[];
};

static int put_configuration(sqlite3 *db, void *arg)
{
    const struct configuration_job *job = arg;

    return mup_store_run(db, NULL,
                         "INSERT INTO configuration (name, text, at_ms) VALUES (?, ?, ?)"
                         " ON CONFLICT (name) DO UPDATE SET text = excluded.text,"
                         " at_ms = excluded.at_ms",
                         "tti", job->name, job->text, (int64_t)job->at_ms);
}

enum mup_status mup_bridge_store_put_configuration(struct mup_bridge_store *store, const char *name,
                                                   const char *text, uint64_t at_ms,
                                                   mup_store_on_done *on_done, void *arg)
{
    size_t size = strlen(text) + 1;
    struct configuration_job *job = calloc(1, sizeof *job + size);

    assert(strlen(name) <= MUP_STORED_CONFIGURATION_NAME_SIZE_MAX);
    if (job) {
        copy_cut(job->name, sizeof job->name, name);
        job->at_ms = at_ms;
        memcpy(job->text, text, size);
    }
    return mup_store_submit(engine(store), put_configuration, job, on_done, arg);
}

enum mup_status mup_bridge_store_configuration(struct mup_bridge_store *store, const char *name,
                                               char **text)
{
    sqlite3_stmt *row;
    char *found = NULL;
    int code = sqlite3_prepare_v2(mup_store_reader(engine(store)),
                                  "SELECT text FROM configuration WHERE name = ?", -1, &row, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
    }
    if (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        const char *kept = (const char *)sqlite3_column_text(row, 0);
        found = kept ? strdup(kept) : NULL;
        code = found ? SQLITE_DONE : SQLITE_NOMEM;
    }
    sqlite3_finalize(row);
    if (code != SQLITE_DONE) {
        return mup_store_read_failed(engine(store), "configuration", code);
    }
    *text = found;
    return MUP_OK;
}
