/* Commands of the bridge's clients, as statements. */
#include "store/bridge_commands.h"

#include <stdlib.h>
#include <string.h>

#include "store/store_internal.h"

static struct mup_store *engine(struct mup_bridge_store *store)
{
    return (struct mup_store *)store;
}

static void *copy_of(const void *job, size_t size)
{
    void *copy = malloc(size);

    if (copy) {
        memcpy(copy, job, size);
    }
    return copy;
}

static int put_command(sqlite3 *db, void *arg)
{
    const struct mup_stored_command *c = arg;

    return mup_store_run(db, NULL,
                         "INSERT INTO command (id, correlation, user, device, module, rpc, topic,"
                         " bytes, submitted_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         "bbtttttbii", (const void *)c->id, sizeof c->id,
                         (const void *)c->correlation, sizeof c->correlation, c->user, c->device,
                         c->module, c->rpc, c->topic, (const void *)c->bytes, c->size,
                         (int64_t)c->submitted_ms, (int64_t)c->expires_ms);
}

enum mup_status mup_bridge_store_put_command(struct mup_bridge_store *store,
                                             const struct mup_stored_command *command,
                                             mup_store_on_done *on_done, void *arg)
{
    return mup_store_submit(engine(store), put_command, copy_of(command, sizeof *command), on_done,
                            arg);
}

struct end_job {
    uint8_t id[MUP_STORED_COMMAND_ID_SIZE];
    struct mup_stored_result result;
};

static int end_command(sqlite3 *db, void *arg)
{
    const struct end_job *job = arg;
    const struct mup_stored_result *r = &job->result;

    return mup_store_run_one(db,
                             "UPDATE command SET ended_ms = ?, outcome = ?, state = ?, value = ?,"
                             " app_tag = ?, message = ? WHERE id = ? AND ended_ms = 0",
                             "itttttb", (int64_t)r->ended_ms, r->outcome, r->state, r->value,
                             r->app_tag, r->message, (const void *)job->id, sizeof job->id);
}

enum mup_status mup_bridge_store_end_command(struct mup_bridge_store *store,
                                             const uint8_t id[MUP_STORED_COMMAND_ID_SIZE],
                                             const struct mup_stored_result *result,
                                             mup_store_on_done *on_done, void *arg)
{
    struct end_job *job = malloc(sizeof *job);

    if (job) {
        memcpy(job->id, id, sizeof job->id);
        job->result = *result;
    }
    return mup_store_submit(engine(store), end_command, job, on_done, arg);
}

static int forget_commands(sqlite3 *db, void *arg)
{
    const uint64_t *before_ms = arg;

    return mup_store_run(db, NULL, "DELETE FROM command WHERE ended_ms > 0 AND ended_ms < ?", "i",
                         (int64_t)*before_ms);
}

enum mup_status mup_bridge_store_forget_commands(struct mup_bridge_store *store, uint64_t before_ms,
                                                 mup_store_on_done *on_done, void *arg)
{
    return mup_store_submit(engine(store), forget_commands, copy_of(&before_ms, sizeof before_ms),
                            on_done, arg);
}

static bool read_bytes(sqlite3_stmt *row, int column, struct mup_stored_command *out)
{
    const void *bytes = sqlite3_column_blob(row, column);

    out->size = (size_t)sqlite3_column_bytes(row, column);
    if (out->size > sizeof out->bytes) {
        return false;
    }
    if (out->size > 0) {
        memcpy(out->bytes, bytes, out->size);
    }
    return true;
}

static bool read_result(sqlite3_stmt *row, int column, struct mup_stored_result *out)
{
    out->ended_ms = (uint64_t)sqlite3_column_int64(row, column);
    return mup_store_column_text(row, column + 1, out->outcome, sizeof out->outcome) &&
           mup_store_column_text(row, column + 2, out->state, sizeof out->state) &&
           mup_store_column_text(row, column + 3, out->value, sizeof out->value) &&
           mup_store_column_text(row, column + 4, out->app_tag, sizeof out->app_tag) &&
           mup_store_column_text(row, column + 5, out->message, sizeof out->message);
}

static bool read_command(sqlite3_stmt *row, struct mup_stored_command *out)
{
    memset(out, 0, sizeof *out);
    out->submitted_ms = (uint64_t)sqlite3_column_int64(row, 8);
    out->expires_ms = (uint64_t)sqlite3_column_int64(row, 9);
    return mup_store_column_fixed(row, 0, out->id, sizeof out->id) &&
           mup_store_column_fixed(row, 1, out->correlation, sizeof out->correlation) &&
           mup_store_column_text(row, 2, out->user, sizeof out->user) &&
           mup_store_column_text(row, 3, out->device, sizeof out->device) &&
           mup_store_column_text(row, 4, out->module, sizeof out->module) &&
           mup_store_column_text(row, 5, out->rpc, sizeof out->rpc) &&
           mup_store_column_text(row, 6, out->topic, sizeof out->topic) &&
           read_bytes(row, 7, out) && read_result(row, 10, &out->result);
}

enum mup_status
mup_bridge_store_each_command(struct mup_bridge_store *store,
                              void (*visit)(void *arg, const struct mup_stored_command *command),
                              void *arg)
{
    struct mup_stored_command command;
    sqlite3_stmt *row;
    int code =
        sqlite3_prepare_v2(mup_store_reader(engine(store)),
                           "SELECT id, correlation, user, device, module, rpc, topic, bytes,"
                           " submitted_ms, expires_ms, ended_ms, outcome, state, value, app_tag,"
                           " message FROM command ORDER BY number",
                           -1, &row, NULL);

    while (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        code = read_command(row, &command) ? SQLITE_OK : SQLITE_CORRUPT;
        if (code == SQLITE_OK) {
            visit(arg, &command);
        }
    }
    sqlite3_finalize(row);
    return code == SQLITE_DONE ? MUP_OK : mup_store_read_failed(engine(store), "commands", code);
}
