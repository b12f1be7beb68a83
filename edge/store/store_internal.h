/*
 * The engine under both stores: the file, its lock, its schema, the writer thread.
 *
 * A write is an operation: a function that runs on the writer thread inside a savepoint, with an
 * argument that it owns. Only this folder includes this header.
 */
#ifndef MUP_STORE_INTERNAL_H
#define MUP_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/store.h"

#define MUP_STORE_PATH_SIZE_MAX 4000u

struct mup_store;

/* The schema of one daemon: migrations[i] takes version i to version i + 1. */
struct mup_store_schema {
    const char *daemon;     /* for messages: "mup-bridge" */
    int32_t application_id; /* PRAGMA application_id: whose file it is */
    const char *const *migrations;
    int count;
};

/* Returns an SQLite result code; anything but SQLITE_OK or SQLITE_DONE undoes the operation.
 * SQLITE_CONSTRAINT (any extended code) becomes MUP_ERR_STATE. */
typedef int mup_store_operation(sqlite3 *db, void *job);

MUP_MUST_CHECK
enum mup_status mup_store_open(struct mup_store **out, struct mup_loop *loop, const char *path,
                               const struct mup_store_schema *schema,
                               char error[MUP_STORE_ERROR_SIZE]);
void mup_store_close(struct mup_store *store);

/* Queue an operation. `job` is malloc'ed and freed by the store, also on error. */
MUP_MUST_CHECK
enum mup_status mup_store_submit(struct mup_store *store, mup_store_operation *operation, void *job,
                                 mup_store_on_done *on_done, void *arg);

/* The connection for reads on the loop's thread. */
sqlite3 *mup_store_reader(struct mup_store *store);

/* What an SQLite result code means to callers of this folder. */
enum mup_status mup_store_status(int code);

/* Log a failed read of `what` and return its status. */
enum mup_status mup_store_read_failed(struct mup_store *store, const char *what, int code);

/* ---- short hands for statements ---- */

/* Prepare, bind by `format`, run once. i: int64_t, t: const char *, b: const void *, size_t.
 * *changes (may be NULL) is the number of rows that it changed. */
int mup_store_run(sqlite3 *db, int *changes, const char *sql, const char *format, ...);

/* Like mup_store_run(), but SQLITE_CONSTRAINT when no row was changed. */

int mup_store_run_one(sqlite3 *db, const char *sql, const char *format, ...);

/* Copy a column into a text of `size` bytes; false when it does not fit. */
bool mup_store_column_text(sqlite3_stmt *statement, int column, char *text, size_t size);

/* Copy a column of exactly `size` bytes; false when it has another size. */
bool mup_store_column_fixed(sqlite3_stmt *statement, int column, uint8_t *bytes, size_t size);

#endif
