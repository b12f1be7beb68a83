/* The engine of the stores: open, lock, check and migrate the file; queue writes; carry them out
 * on one thread, many to a transaction; answer on the loop's thread after COMMIT. */
#include "store/store_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/log.h"

struct write {
    struct write *next;
    mup_store_operation *operation;
    void *job;
    mup_store_on_done *on_done;
    void *arg;
    enum mup_status status;
    char error[MUP_STORE_ERROR_SIZE];
};

struct queue {
    struct write *first;
    struct write **last;
    size_t count;
};

struct mup_store {
    char *path;
    int lock;
    sqlite3 *reader; /* loop's thread only */
    sqlite3 *writer; /* writer thread only, once it runs */
    uv_async_t committed;
    pthread_t thread;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t more;
    struct queue waiting;
    struct queue done;
    bool closing;
};

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
    queue->count = 0;
}

static void queue_push(struct queue *queue, struct write *write)
{
    write->next = NULL;
    *queue->last = write;
    queue->last = &write->next;
    queue->count++;
}

static struct write *queue_pop(struct queue *queue)
{
    struct write *write = queue->first;

    if (write) {
        queue->first = write->next;
        queue->count--;
        if (!queue->first) {
            queue->last = &queue->first;
        }
    }
    return write;
}

static void write_free(struct write *write)
{
    free(write->job);
    free(write);
}

enum mup_status mup_store_status(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return MUP_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return MUP_ERR_BUSY;
    case SQLITE_CONSTRAINT:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
        return MUP_ERR_STATE;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
        return MUP_ERR_SPACE;
    default:
        return MUP_ERR_FLASH;
    }
}

/* ---- statements ---- */

static int bind_all(sqlite3_stmt *statement, const char *format, va_list values)
{
    int code = SQLITE_OK;

    for (int at = 1; *format && code == SQLITE_OK; format++, at++) {
        const void *bytes;
        switch (*format) {
        case 'i':
            code = sqlite3_bind_int64(statement, at, va_arg(values, int64_t));
            break;
        case 't':
            code =
                sqlite3_bind_text(statement, at, va_arg(values, const char *), -1, SQLITE_STATIC);
            break;
        default:
            assert(*format == 'b');
            bytes = va_arg(values, const void *);
            code = sqlite3_bind_blob64(statement, at, bytes, va_arg(values, size_t), SQLITE_STATIC);
            break;
        }
    }
    return code;
}

static int run(sqlite3 *db, int *changes, const char *sql, const char *format, va_list values)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (code != SQLITE_OK) {
        return code;
    }
    code = bind_all(statement, format, values);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_DONE && changes) {
        *changes = sqlite3_changes(db);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int mup_store_run(sqlite3 *db, int *changes, const char *sql, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    int code = run(db, changes, sql, format, values);
    va_end(values);
    return code;
}

int mup_store_run_one(sqlite3 *db, const char *sql, const char *format, ...)
{
    va_list values;
    int changes = 0;

    va_start(values, format);
    int code = run(db, &changes, sql, format, values);
    va_end(values);
    return code == SQLITE_OK && changes == 0 ? SQLITE_CONSTRAINT : code;
}

bool mup_store_column_text(sqlite3_stmt *statement, int column, char *text, size_t size)
{
    const unsigned char *from = sqlite3_column_text(statement, column);
    size_t length = (size_t)sqlite3_column_bytes(statement, column);

    if (!from || length >= size) {
        return false;
    }
    memcpy(text, from, length + 1);
    return true;
}

bool mup_store_column_fixed(sqlite3_stmt *statement, int column, uint8_t *bytes, size_t size)
{
    const void *from = sqlite3_column_blob(statement, column);

    if (!from || (size_t)sqlite3_column_bytes(statement, column) != size) {
        return false;
    }
    memcpy(bytes, from, size);
    return true;
}

/* ---- the writer thread ---- */

/* MUP_ERR_STATE for a constraint needs no file name; everything else does. */
static void write_failed(struct mup_store *store, struct write *write, int code)
{
    write->status = mup_store_status(code);
    if ((code & 0xff) == SQLITE_CONSTRAINT) {
        snprintf(write->error, sizeof write->error, "contradicts what is kept in %.300s: %s",
                 store->path, sqlite3_errmsg(store->writer));
    } else {
        snprintf(write->error, sizeof write->error, "cannot write %.300s: %s", store->path,
                 sqlite3_errstr(code));
    }
}

static int undo(struct mup_store *store)
{
    int code = sqlite3_exec(store->writer, "ROLLBACK TO one", NULL, NULL, NULL);

    return code == SQLITE_OK ? sqlite3_exec(store->writer, "RELEASE one", NULL, NULL, NULL) : code;
}

/* One write in its savepoint. Returns false when the whole transaction is gone (disk full and
 * I/O errors make SQLite roll back by itself). */
static bool carry_out(struct mup_store *store, struct write *write, int *code)
{
    *code = sqlite3_exec(store->writer, "SAVEPOINT one", NULL, NULL, NULL);
    if (*code == SQLITE_OK) {
        *code = write->operation(store->writer, write->job);
        if (*code == SQLITE_DONE) {
            *code = SQLITE_OK;
        }
        if (*code == SQLITE_OK) {
            *code = sqlite3_exec(store->writer, "RELEASE one", NULL, NULL, NULL);
        } else if ((*code & 0xff) == SQLITE_CONSTRAINT) {
            write_failed(store, write, *code);
            *code = undo(store);
        }
    }
    return *code == SQLITE_OK && sqlite3_get_autocommit(store->writer) == 0;
}

/* All of `group` in one transaction. A refused write is undone alone; trouble fails them all. */
static void carry_out_group(struct mup_store *store, struct queue *group)
{
    int code = sqlite3_exec(store->writer, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    bool whole = code == SQLITE_OK;

    for (struct write *write = group->first; write && whole; write = write->next) {
        write->status = MUP_OK;
        whole = carry_out(store, write, &code);
    }
    if (whole) {
        code = sqlite3_exec(store->writer, "COMMIT", NULL, NULL, NULL);
        whole = code == SQLITE_OK;
    }
    if (whole) {
        return;
    }
    if (sqlite3_get_autocommit(store->writer) == 0) {
        sqlite3_exec(store->writer, "ROLLBACK", NULL, NULL, NULL);
    }
    for (struct write *write = group->first; write; write = write->next) {
        write_failed(store, write, code == SQLITE_OK ? SQLITE_IOERR : code);
    }
}

static void take_group(struct mup_store *store, struct queue *group)
{
    queue_init(group);
    while (group->count < MUP_STORE_GROUP_COUNT_MAX && store->waiting.first) {
        queue_push(group, queue_pop(&store->waiting));
    }
}

static void *writer_main(void *arg)
{
    struct mup_store *store = arg;
    struct queue group;

    pthread_mutex_lock(&store->mutex);
    for (;;) {
        while (!store->waiting.first && !store->closing) {
            pthread_cond_wait(&store->more, &store->mutex);
        }
        take_group(store, &group);
        if (!group.first) {
            break;
        }
        pthread_mutex_unlock(&store->mutex);
        carry_out_group(store, &group);
        pthread_mutex_lock(&store->mutex);
        while (group.first) {
            queue_push(&store->done, queue_pop(&group));
        }
        uv_async_send(&store->committed);
    }
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}

static void log_failure(const struct write *write)
{
    if (write->status != MUP_OK && write->status != MUP_ERR_STATE) {
        mup_log(MUP_LOG_ERROR, "store", mup_log_event("write failed"),
                mup_log_text("why", write->error));
    } else if (write->status != MUP_OK && !write->on_done) {
        mup_log(MUP_LOG_WARNING, "store", mup_log_event("write refused"),
                mup_log_text("why", write->error));
    }
}

/* On the loop's thread. A callback may submit more, but not close the store. */
static void tell(uv_async_t *async)
{
    struct mup_store *store = async->data;
    struct queue done;

    pthread_mutex_lock(&store->mutex);
    queue_init(&done);
    while (store->done.first) {
        queue_push(&done, queue_pop(&store->done));
    }
    pthread_mutex_unlock(&store->mutex);
    for (struct write *write; (write = queue_pop(&done)) != NULL;) {
        log_failure(write);
        if (write->on_done) {
            write->on_done(write->arg, write->status, write->error);
        }
        write_free(write);
    }
}

enum mup_status mup_store_submit(struct mup_store *store, mup_store_operation *operation, void *job,
                                 mup_store_on_done *on_done, void *arg)
{
    struct write *write = job ? calloc(1, sizeof *write) : NULL;

    if (!write) {
        free(job);
        return MUP_ERR_SPACE;
    }
    write->operation = operation;
    write->job = job;
    write->on_done = on_done;
    write->arg = arg;
    pthread_mutex_lock(&store->mutex);
    bool room = store->waiting.count < MUP_STORE_QUEUE_COUNT_MAX;
    if (room) {
        queue_push(&store->waiting, write);
        pthread_cond_signal(&store->more);
    }
    pthread_mutex_unlock(&store->mutex);
    if (!room) {
        write_free(write);
        return MUP_ERR_SPACE;
    }
    return MUP_OK;
}

sqlite3 *mup_store_reader(struct mup_store *store)
{
    return store->reader;
}

enum mup_status mup_store_read_failed(struct mup_store *store, const char *what, int code)
{
    mup_log(MUP_LOG_ERROR, "store", mup_log_event("read failed"), mup_log_text("what", what),
            mup_log_text("file", store->path), mup_log_text("why", sqlite3_errstr(code)));
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB
               ? MUP_ERR_FORMAT
               : mup_store_status(code);
}

/* ---- opening ---- */

#define fail(error, status, ...) (snprintf((error), MUP_STORE_ERROR_SIZE, __VA_ARGS__), (status))

static enum mup_status lock_file(struct mup_store *store, char *error)
{
    char path[MUP_STORE_PATH_SIZE_MAX + sizeof ".lock"];

    snprintf(path, sizeof path, "%s.lock", store->path);
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock < 0) {
        return fail(error, MUP_ERR_STATE, "cannot create %.380s: %s", path, strerror(errno));
    }
    if (flock(store->lock, LOCK_EX | LOCK_NB) != 0) {
        return fail(error, MUP_ERR_STATE,
                    "%.380s is in use by a running daemon: stop it, or name another file",
                    store->path);
    }
    return MUP_OK;
}

static enum mup_status open_failed(struct mup_store *store, sqlite3 *db, int code, char *error)
{
    const char *why = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);

    switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return fail(error, MUP_ERR_FORMAT,
                    "%.300s is damaged or not a store (%s): restore a copy or move it away",
                    store->path, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return fail(error, MUP_ERR_BUSY, "%.300s is locked by another program: end it",
                    store->path);
    case SQLITE_FULL:
        return fail(error, MUP_ERR_SPACE, "no disk space for %.300s", store->path);
    default:
        return fail(error, mup_store_status(code), "cannot open %.300s: %s", store->path, why);
    }
}

static int pragma_number(sqlite3 *db, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (code != SQLITE_OK) {
        return code;
    }
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *number = sqlite3_column_int64(statement, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return code;
}

/* SQLite finds damage only where it looks; look everywhere once, before anything relies on it. */
static int check_whole(sqlite3 *db)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);

    if (code != SQLITE_OK) {
        return code;
    }
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(statement, 0);
        code = text && strcmp((const char *)text, "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
    }
    sqlite3_finalize(statement);
    return code;
}

static int open_connection(const char *path, sqlite3 **db, bool reader)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(path, db, flags, NULL);

    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(*db, 1);
        sqlite3_busy_timeout(*db, (int)MUP_STORE_BUSY_MS);
        code = sqlite3_exec(*db,
                            reader ? "PRAGMA query_only = ON"
                                   : "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                     "PRAGMA foreign_keys = ON",
                            NULL, NULL, NULL);
    }
    return code;
}

static int migrate_one(sqlite3 *db, const struct mup_store_schema *schema, int version)
{
    char pragma[64];
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_exec(db, schema->migrations[version], NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = mup_store_run(db, NULL, "INSERT INTO migration (version, at_ms) VALUES (?, ?)", "ii",
                             (int64_t)version + 1, (int64_t)mup_loop_wall_ms());
    }
    if (code == SQLITE_OK) {
        snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d", (int)schema->application_id);
        code = sqlite3_exec(db, pragma, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK && sqlite3_get_autocommit(db) == 0) {
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}

/* The file belongs to this daemon and has no version that we do not know. */
static enum mup_status check_owner(struct mup_store *store, const struct mup_store_schema *schema,
                                   int64_t *version, char *error)
{
    int64_t owner = 0;
    int64_t tables = 0;
    int code = pragma_number(store->writer, "PRAGMA application_id", &owner);

    if (code == SQLITE_OK) {
        code = pragma_number(store->writer, "SELECT count(*) FROM sqlite_schema", &tables);
    }
    if (code != SQLITE_OK) {
        return open_failed(store, store->writer, code, error);
    }
    *version = 0;
    if (tables == 0) {
        return MUP_OK;
    }
    if (owner != schema->application_id) {
        return fail(error, MUP_ERR_STATE, "%.300s is not a store of %s: name another file",
                    store->path, schema->daemon);
    }
    code = pragma_number(store->writer, "SELECT max(version) FROM migration", version);
    if (code != SQLITE_OK) {
        return open_failed(store, store->writer, code, error);
    }
    if (*version > schema->count) {
        return fail(error, MUP_ERR_STATE,
                    "%.300s has schema version %lld, this %s knows up to %d: install the newer one",
                    store->path, (long long)*version, schema->daemon, schema->count);
    }
    return MUP_OK;
}

static enum mup_status migrate(struct mup_store *store, const struct mup_store_schema *schema,
                               char *error)
{
    int64_t version;
    enum mup_status status = check_owner(store, schema, &version, error);

    for (; status == MUP_OK && version < schema->count; version++) {
        int code = migrate_one(store->writer, schema, (int)version);
        if (code != SQLITE_OK) {
            status = open_failed(store, store->writer, code, error);
        }
    }
    return status;
}

static enum mup_status open_file(struct mup_store *store, const struct mup_store_schema *schema,
                                 char *error)
{
    int code = open_connection(store->path, &store->writer, false);

    if (code == SQLITE_OK) {
        code = check_whole(store->writer);
    }
    if (code != SQLITE_OK) {
        return open_failed(store, code == SQLITE_CORRUPT ? NULL : store->writer, code, error);
    }
    enum mup_status status = migrate(store, schema, error);
    if (status != MUP_OK) {
        return status;
    }
    code = open_connection(store->path, &store->reader, true);
    return code == SQLITE_OK ? MUP_OK : open_failed(store, store->reader, code, error);
}

static void release(struct mup_store *store)
{
    sqlite3_close(store->reader);
    sqlite3_close(store->writer);
    if (store->lock >= 0) {
        close(store->lock);
    }
    free(store->path);
    pthread_cond_destroy(&store->more);
    pthread_mutex_destroy(&store->mutex);
    free(store);
}

enum mup_status mup_store_open(struct mup_store **out, struct mup_loop *loop, const char *path,
                               const struct mup_store_schema *schema,
                               char error[MUP_STORE_ERROR_SIZE])
{
    struct mup_store *store = calloc(1, sizeof *store);

    if (!store) {
        return fail(error, MUP_ERR_SPACE, "no memory");
    }
    store->lock = -1;
    pthread_mutex_init(&store->mutex, NULL);
    pthread_cond_init(&store->more, NULL);
    queue_init(&store->waiting);
    queue_init(&store->done);
    store->path = strdup(path);
    enum mup_status status = store->path && strlen(path) <= MUP_STORE_PATH_SIZE_MAX
                                 ? MUP_OK
                                 : fail(error, MUP_ERR_STATE, "the store's path is too long");
    if (status == MUP_OK) {
        status = lock_file(store, error);
    }
    if (status == MUP_OK) {
        status = open_file(store, schema, error);
    }
    if (status != MUP_OK) {
        release(store);
        return status;
    }
    uv_async_init(&loop->uv, &store->committed, tell);
    store->committed.data = store;
    if (pthread_create(&store->thread, NULL, writer_main, store) != 0) {
        abort(); /* at start, out of threads: nothing to save */
    }
    *out = store;
    return MUP_OK;
}

static void async_closed(uv_handle_t *handle)
{
    release(handle->data);
}

void mup_store_close(struct mup_store *store)
{
    if (!store) {
        return;
    }
    pthread_mutex_lock(&store->mutex);
    store->closing = true;
    pthread_cond_signal(&store->more);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->thread, NULL);
    for (struct write *write; (write = queue_pop(&store->done)) != NULL;) {
        log_failure(write);
        write_free(write);
    }
    uv_close((uv_handle_t *)&store->committed, async_closed);
}
