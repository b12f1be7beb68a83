/* What the update server keeps, as tables and statements. */
#include "store/server_store.h"

#include <stdlib.h>
#include <string.h>

#include "store/store_internal.h"

/* The payload has a table of its own, so that listing releases does not walk over it. */
static const char *const migrations[] = {
    "CREATE TABLE migration (version INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE release ("
    "  id INTEGER PRIMARY KEY,"
    "  app TEXT NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  hardware TEXT NOT NULL,"
    "  image_size INTEGER NOT NULL,"
    "  payload_size INTEGER NOT NULL,"
    "  image_digest BLOB NOT NULL CHECK (length(image_digest) = 32),"
    "  manifest_digest BLOB NOT NULL CHECK (length(manifest_digest) = 32),"
    "  vendor_kid BLOB NOT NULL CHECK (length(vendor_kid) = 8),"
    "  manifest BLOB NOT NULL,"
    "  url TEXT NOT NULL,"
    "  fetched_ms INTEGER NOT NULL,"
    "  UNIQUE (app, version, hardware)) STRICT;"
    "CREATE TABLE payload ("
    "  release_id INTEGER PRIMARY KEY REFERENCES release (id),"
    "  bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE device_update ("
    "  id INTEGER PRIMARY KEY,"
    "  release_id INTEGER NOT NULL REFERENCES release (id),"
    "  uuid BLOB NOT NULL CHECK (length(uuid) = 16),"
    "  name TEXT NOT NULL,"
    "  state TEXT NOT NULL,"
    "  from_version INTEGER NOT NULL,"
    "  to_version INTEGER NOT NULL,"
    "  force INTEGER NOT NULL CHECK (force IN (0, 1)),"
    "  started_ms INTEGER NOT NULL,"
    "  finished_ms INTEGER NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  message TEXT NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX one_running_update ON device_update (uuid) WHERE finished_ms = 0;"
    "CREATE TABLE step ("
    "  update_id INTEGER NOT NULL REFERENCES device_update (id),"
    "  number INTEGER NOT NULL CHECK (number BETWEEN 0 AND 7),"
    "  name TEXT NOT NULL,"
    "  started_ms INTEGER NOT NULL,"
    "  took_ms INTEGER NOT NULL,"
    "  bytes_out INTEGER NOT NULL,"
    "  bytes_in INTEGER NOT NULL,"
    "  PRIMARY KEY (update_id, number)) STRICT;",

    /* The history of one device, without walking over everybody's. */
    "CREATE INDEX update_of_device ON device_update (uuid, id);",
};

static const struct mup_store_schema schema = {
    .daemon = "mup-server",
    .application_id = 0x4d555053, /* "MUPS" */
    .migrations = migrations,
    .count = sizeof migrations / sizeof migrations[0],
};

/* The engine is all that a store of the server is. */
static struct mup_store *engine(struct mup_server_store *store)
{
    return (struct mup_store *)store;
}

enum mup_status mup_server_store_open(struct mup_server_store **out, struct mup_loop *loop,
                                      const char *path, char error[MUP_STORE_ERROR_SIZE])
{
    struct mup_store *store;
    enum mup_status status = mup_store_open(&store, loop, path, &schema, error);

    if (status == MUP_OK) {
        *out = (struct mup_server_store *)store;
    }
    return status;
}

void mup_server_store_close(struct mup_server_store *store)
{
    mup_store_close(engine(store));
}

static int read_id(struct mup_server_store *store, const char *sql, int64_t *id)
{
    sqlite3_stmt *row;
    int code = sqlite3_prepare_v2(mup_store_reader(engine(store)), sql, -1, &row, NULL);

    if (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        *id = sqlite3_column_int64(row, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(row);
    return code;
}

enum mup_status mup_server_store_last_ids(struct mup_server_store *store, int64_t *release_id,
                                          int64_t *update_id)
{
    int64_t release = 0;
    int64_t update = 0;
    int code = read_id(store, "SELECT max(id) FROM release", &release);

    if (code == SQLITE_OK) {
        code = read_id(store, "SELECT max(id) FROM device_update", &update);
    }
    if (code != SQLITE_OK) {
        return mup_store_read_failed(engine(store), "ids", code);
    }
    *release_id = release;
    *update_id = update;
    return MUP_OK;
}

/* ---- releases ---- */

struct release_job {
    struct mup_stored_release release;
    uint8_t payload[];
};

static int put_release(sqlite3 *db, void *arg)
{
    const struct release_job *job = arg;
    const struct mup_stored_release *r = &job->release;
    int code = mup_store_run(
        db, NULL,
        "INSERT INTO release (id, app, version, hardware, image_size, payload_size, image_digest,"
        " manifest_digest, vendor_kid, manifest, url, fetched_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "ititiibbbbti", r->id, r->app_id, (int64_t)r->version, r->hardware_class,
        (int64_t)r->image_size, (int64_t)r->payload_size, (const void *)r->image_digest,
        sizeof r->image_digest, (const void *)r->manifest_digest, sizeof r->manifest_digest,
        (const void *)r->vendor_kid, sizeof r->vendor_kid, (const void *)r->manifest,
        r->manifest_size, r->url, (int64_t)r->fetched_ms);

    if (code != SQLITE_OK) {
        return code;
    }
    return mup_store_run(db, NULL, "INSERT INTO payload (release_id, bytes) VALUES (?, ?)", "ib",
                         r->id, (const void *)job->payload, (size_t)r->payload_size);
}

enum mup_status mup_server_store_put_release(struct mup_server_store *store,
                                             const struct mup_stored_release *release,
                                             const uint8_t *payload, mup_store_on_done *on_done,
                                             void *arg)
{
    struct release_job *job = malloc(sizeof *job + release->payload_size);

    if (job) {
        job->release = *release;
        memcpy(job->payload, payload, release->payload_size);
    }
    return mup_store_submit(engine(store), put_release, job, on_done, arg);
}

static bool read_release(sqlite3_stmt *row, struct mup_stored_release *out)
{
    *out = (struct mup_stored_release){
        .id = sqlite3_column_int64(row, 0),
        .version = (uint32_t)sqlite3_column_int64(row, 2),
        .image_size = (uint32_t)sqlite3_column_int64(row, 4),
        .payload_size = (uint32_t)sqlite3_column_int64(row, 5),
        .manifest_size = (size_t)sqlite3_column_bytes(row, 9),
        .fetched_ms = (uint64_t)sqlite3_column_int64(row, 11),
    };
    return mup_store_column_text(row, 1, out->app_id, sizeof out->app_id) &&
           mup_store_column_text(row, 3, out->hardware_class, sizeof out->hardware_class) &&
           mup_store_column_fixed(row, 6, out->image_digest, sizeof out->image_digest) &&
           mup_store_column_fixed(row, 7, out->manifest_digest, sizeof out->manifest_digest) &&
           mup_store_column_fixed(row, 8, out->vendor_kid, sizeof out->vendor_kid) &&
           out->manifest_size <= sizeof out->manifest &&
           mup_store_column_fixed(row, 9, out->manifest, out->manifest_size) &&
           mup_store_column_text(row, 10, out->url, sizeof out->url);
}

enum mup_status mup_server_store_each_release(struct mup_server_store *store,
                                              void (*visit)(void *arg,
                                                            const struct mup_stored_release *r),
                                              void *arg)
{
    struct mup_stored_release release;
    sqlite3_stmt *row;
    int code = sqlite3_prepare_v2(
        mup_store_reader(engine(store)),
        "SELECT id, app, version, hardware, image_size, payload_size, image_digest,"
        " manifest_digest, vendor_kid, manifest, url, fetched_ms FROM release ORDER BY id",
        -1, &row, NULL);

    while (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        code = read_release(row, &release) ? SQLITE_OK : SQLITE_CORRUPT;
        if (code == SQLITE_OK) {
            visit(arg, &release);
        }
    }
    sqlite3_finalize(row);
    return code == SQLITE_DONE ? MUP_OK : mup_store_read_failed(engine(store), "releases", code);
}

enum mup_status mup_server_store_get_payload(struct mup_server_store *store, int64_t release_id,
                                             uint8_t **payload, size_t *size)
{
    sqlite3_stmt *row;
    uint8_t *copy = NULL;
    size_t length = 0;
    int code = sqlite3_prepare_v2(mup_store_reader(engine(store)),
                                  "SELECT bytes FROM payload WHERE release_id = ?", -1, &row, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_int64(row, 1, release_id);
        code = sqlite3_step(row);
    }
    if (code == SQLITE_ROW) {
        const void *bytes = sqlite3_column_blob(row, 0);
        length = (size_t)sqlite3_column_bytes(row, 0);
        copy = bytes ? malloc(length) : NULL;
        if (copy) {
            memcpy(copy, bytes, length);
        }
        code = copy ? SQLITE_OK : SQLITE_NOMEM;
    }
    sqlite3_finalize(row);
    if (code == SQLITE_DONE) {
        return MUP_ERR_RANGE;
    }
    if (code != SQLITE_OK) {
        return mup_store_read_failed(engine(store), "a payload", code);
    }
    *payload = copy;
    *size = length;
    return MUP_OK;
}

/* ---- updates ---- */

static int begin_update(sqlite3 *db, void *arg)
{
    const struct mup_stored_update *u = arg;

    return mup_store_run(
        db, NULL,
        "INSERT INTO device_update (id, release_id, uuid, name, state, from_version, to_version,"
        " force, started_ms, finished_ms, reason, message)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "iibttiiiiitt", u->id, u->release_id, (const void *)u->uuid, sizeof u->uuid, u->name,
        u->state, (int64_t)u->from_version, (int64_t)u->to_version, (int64_t)u->force,
        (int64_t)u->started_ms, (int64_t)u->finished_ms, u->reason, u->message);
}

/* finished_ms is 0 for a running update: the same statement moves it on and ends it, and the
 * WHERE is what makes the end come once. */
static int write_update(sqlite3 *db, void *arg)
{
    const struct mup_stored_update *u = arg;

    return mup_store_run_one(db,
                             "UPDATE device_update SET state = ?, from_version = ?, reason = ?,"
                             " message = ?, finished_ms = ? WHERE id = ? AND finished_ms = 0",
                             "tittii", u->state, (int64_t)u->from_version, u->reason, u->message,
                             (int64_t)u->finished_ms, u->id);
}

static enum mup_status submit_update(struct mup_server_store *store, mup_store_operation *operation,
                                     const struct mup_stored_update *update,
                                     mup_store_on_done *on_done, void *arg)
{
    struct mup_stored_update *job = malloc(sizeof *job);

    if (job) {
        *job = *update;
    }
    return mup_store_submit(engine(store), operation, job, on_done, arg);
}

enum mup_status mup_server_store_begin_update(struct mup_server_store *store,
                                              const struct mup_stored_update *update,
                                              mup_store_on_done *on_done, void *arg)
{
    return submit_update(store, begin_update, update, on_done, arg);
}

enum mup_status mup_server_store_set_state(struct mup_server_store *store,
                                           const struct mup_stored_update *update,
                                           mup_store_on_done *on_done, void *arg)
{
    struct mup_stored_update running = *update;

    running.finished_ms = 0;
    return submit_update(store, write_update, &running, on_done, arg);
}

enum mup_status mup_server_store_finish_update(struct mup_server_store *store,
                                               const struct mup_stored_update *update,
                                               mup_store_on_done *on_done, void *arg)
{
    return submit_update(store, write_update, update, on_done, arg);
}

#define UPDATE_COLUMNS                                                                \
    "id, release_id, uuid, name, state, from_version, to_version, force, started_ms," \
    " finished_ms, reason, message"

static bool read_update(sqlite3_stmt *row, struct mup_stored_update *out)
{
    *out = (struct mup_stored_update){
        .id = sqlite3_column_int64(row, 0),
        .release_id = sqlite3_column_int64(row, 1),
        .from_version = (uint32_t)sqlite3_column_int64(row, 5),
        .to_version = (uint32_t)sqlite3_column_int64(row, 6),
        .force = sqlite3_column_int(row, 7) != 0,
        .started_ms = (uint64_t)sqlite3_column_int64(row, 8),
        .finished_ms = (uint64_t)sqlite3_column_int64(row, 9),
    };
    return mup_store_column_fixed(row, 2, out->uuid, sizeof out->uuid) &&
           mup_store_column_text(row, 3, out->name, sizeof out->name) &&
           mup_store_column_text(row, 4, out->state, sizeof out->state) &&
           mup_store_column_text(row, 10, out->reason, sizeof out->reason) &&
           mup_store_column_text(row, 11, out->message, sizeof out->message);
}

/* Every row of a prepared statement, if it was prepared. */
static enum mup_status visit_updates(struct mup_server_store *store, sqlite3_stmt *row, int code,
                                     void (*visit)(void *arg, const struct mup_stored_update *u),
                                     void *arg)
{
    struct mup_stored_update update;

    while (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        code = read_update(row, &update) ? SQLITE_OK : SQLITE_CORRUPT;
        if (code == SQLITE_OK) {
            visit(arg, &update);
        }
    }
    sqlite3_finalize(row);
    return code == SQLITE_DONE ? MUP_OK : mup_store_read_failed(engine(store), "updates", code);
}

enum mup_status mup_server_store_each_update_of(
    struct mup_server_store *store, const uint8_t uuid[MUP_UUID_SIZE], size_t count,
    void (*visit)(void *arg, const struct mup_stored_update *u), void *arg)
{
    sqlite3_stmt *row;
    int code = sqlite3_prepare_v2(mup_store_reader(engine(store)),
                                  "SELECT " UPDATE_COLUMNS " FROM device_update WHERE uuid = ?"
                                  " ORDER BY id DESC LIMIT ?",
                                  -1, &row, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_blob(row, 1, uuid, MUP_UUID_SIZE, SQLITE_STATIC);
        sqlite3_bind_int64(row, 2, (int64_t)count);
    }
    return visit_updates(store, row, code, visit, arg);
}

enum mup_status
mup_server_store_each_update(struct mup_server_store *store, int64_t from_id, size_t count,
                             bool unfinished_only,
                             void (*visit)(void *arg, const struct mup_stored_update *u), void *arg)
{
    sqlite3_stmt *row;
    int code = sqlite3_prepare_v2(mup_store_reader(engine(store)),
                                  "SELECT " UPDATE_COLUMNS " FROM device_update"
                                  " WHERE id >= ? AND (finished_ms = 0 OR ? = 0)"
                                  " ORDER BY id DESC LIMIT ?",
                                  -1, &row, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_int64(row, 1, from_id);
        sqlite3_bind_int(row, 2, unfinished_only);
        sqlite3_bind_int64(row, 3, count > INT64_MAX ? INT64_MAX : (int64_t)count);
    }
    return visit_updates(store, row, code, visit, arg);
}

enum mup_status mup_server_store_get_update(struct mup_server_store *store, int64_t id,
                                            struct mup_stored_update *out)
{
    struct mup_stored_update update;
    sqlite3_stmt *row;
    int code = sqlite3_prepare_v2(mup_store_reader(engine(store)),
                                  "SELECT " UPDATE_COLUMNS " FROM device_update WHERE id = ?", -1,
                                  &row, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_int64(row, 1, id);
        code = sqlite3_step(row);
    }
    if (code == SQLITE_ROW) {
        code = read_update(row, &update) ? SQLITE_OK : SQLITE_CORRUPT;
    }
    sqlite3_finalize(row);
    if (code == SQLITE_OK) {
        *out = update;
        return MUP_OK;
    }
    return code == SQLITE_DONE ? MUP_ERR_RANGE
                               : mup_store_read_failed(engine(store), "an update", code);
}

/* ---- steps ---- */

static int put_step(sqlite3 *db, void *arg)
{
    const struct mup_stored_step *s = arg;

    return mup_store_run(db, NULL,
                         "INSERT OR REPLACE INTO step (update_id, number, name, started_ms,"
                         " took_ms, bytes_out, bytes_in) VALUES (?, ?, ?, ?, ?, ?, ?)",
                         "iitiiii", s->update_id, (int64_t)s->number, s->name,
                         (int64_t)s->started_ms, (int64_t)s->took_ms, (int64_t)s->bytes_out,
                         (int64_t)s->bytes_in);
}

enum mup_status mup_server_store_put_step(struct mup_server_store *store,
                                          const struct mup_stored_step *step,
                                          mup_store_on_done *on_done, void *arg)
{
    struct mup_stored_step *job = malloc(sizeof *job);

    if (job) {
        *job = *step;
    }
    return mup_store_submit(engine(store), put_step, job, on_done, arg);
}

static bool read_step(sqlite3_stmt *row, struct mup_stored_step *out)
{
    *out = (struct mup_stored_step){
        .update_id = sqlite3_column_int64(row, 0),
        .number = (uint32_t)sqlite3_column_int64(row, 1),
        .started_ms = (uint64_t)sqlite3_column_int64(row, 3),
        .took_ms = (uint64_t)sqlite3_column_int64(row, 4),
        .bytes_out = (uint64_t)sqlite3_column_int64(row, 5),
        .bytes_in = (uint64_t)sqlite3_column_int64(row, 6),
    };
    return mup_store_column_text(row, 2, out->name, sizeof out->name);
}

enum mup_status mup_server_store_get_steps(struct mup_server_store *store, int64_t update_id,
                                           struct mup_stored_step steps[MUP_STORED_STEPS_MAX],
                                           size_t *count)
{
    size_t found = 0;
    sqlite3_stmt *row;
    int code = sqlite3_prepare_v2(mup_store_reader(engine(store)),
                                  "SELECT update_id, number, name, started_ms, took_ms, bytes_out,"
                                  " bytes_in FROM step WHERE update_id = ? ORDER BY number",
                                  -1, &row, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_int64(row, 1, update_id);
    }
    while (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        code = found < MUP_STORED_STEPS_MAX && read_step(row, &steps[found]) ? SQLITE_OK
                                                                             : SQLITE_CORRUPT;
        found++;
    }
    sqlite3_finalize(row);
    if (code != SQLITE_DONE) {
        return mup_store_read_failed(engine(store), "steps", code);
    }
    *count = found;
    return MUP_OK;
}
