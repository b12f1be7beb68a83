/* The engine: who may open the file, what happens to it when the process dies. */
#include "store_support.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/bridge_store.h"
#include "store/server_store.h"

static void write_file(const char *path, const void *bytes, size_t size, long at)
{
    FILE *file = fopen(path, at < 0 ? "wb" : "r+b");

    assert_non_null(file);
    assert_int_equal(fseek(file, at < 0 ? 0 : at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void a_file_is_opened_by_one_daemon_at_a_time(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *first;
    struct mup_bridge_store *second = NULL;

    assert_int_equal(mup_bridge_store_open(&first, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_open(&second, &bench->loop, bench->path, bench->error),
                     MUP_ERR_STATE);
    assert_non_null(strstr(bench->error, "in use"));
    assert_null(second);
    mup_bridge_store_close(first);
    bench_close_loop(bench);
    bench_open_loop(bench);
    assert_int_equal(mup_bridge_store_open(&second, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    mup_bridge_store_close(second);
}

static void the_store_of_another_daemon_is_refused(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *bridge;
    struct mup_server_store *server;

    assert_int_equal(mup_bridge_store_open(&bridge, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    mup_bridge_store_close(bridge);
    bench_close_loop(bench);
    bench_open_loop(bench);
    assert_int_equal(mup_server_store_open(&server, &bench->loop, bench->path, bench->error),
                     MUP_ERR_STATE);
    assert_non_null(strstr(bench->error, "mup-server"));
}

static void a_newer_schema_is_refused(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    sqlite3 *db;

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    mup_bridge_store_close(store);
    bench_close_loop(bench);
    bench_open_loop(bench);
    assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "INSERT INTO migration VALUES (1000, 0)", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_ERR_STATE);
    assert_non_null(strstr(bench->error, "1000"));
}

static void a_file_that_is_no_store_is_refused_and_left_alone(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    char text[4096];
    struct stat about;

    memset(text, 'x', sizeof text);
    write_file(bench->path, text, sizeof text, -1);
    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_ERR_FORMAT);
    assert_non_null(strstr(bench->error, bench->path));
    assert_int_equal(stat(bench->path, &about), 0);
    assert_int_equal(about.st_size, sizeof text);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, "/nowhere/at/all", bench->error),
                     MUP_ERR_STATE);
    assert_non_null(strstr(bench->error, "/nowhere/at/all"));
}

static void put_many(struct bench *bench, unsigned count)
{
    struct mup_bridge_store *store;

    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    for (unsigned i = 0; i < count; i++) {
        struct mup_stored_device device = {.present = true};
        snprintf(device.name, sizeof device.name, "device-%u", i);
        memcpy(device.uuid, &i, sizeof i);
        assert_int_equal(mup_bridge_store_put_device(store, &device, answered, bench), MUP_OK);
    }
    assert_int_equal(wait_for(bench, count), MUP_OK);
    mup_bridge_store_close(store);
    bench_close_loop(bench);
    bench_open_loop(bench);
}

static void damage_at_every_page_is_found_at_open_or_reads_fail(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    uint8_t junk[1024];
    struct stat about;
    unsigned found = 0;

    put_many(bench, 200);
    assert_int_equal(stat(bench->path, &about), 0);
    memset(junk, 0x5a, sizeof junk);
    for (long at = 4096; at + (long)sizeof junk <= about.st_size; at += 4096) {
        char copy[140];
        char command[400];
        snprintf(copy, sizeof copy, "%s-copy", bench->path);
        snprintf(command, sizeof command, "cp '%s' '%s'", bench->path, copy);
        assert_int_equal(system(command), 0);
        write_file(copy, junk, sizeof junk, at);
        enum mup_status status = mup_bridge_store_open(&store, &bench->loop, copy, bench->error);
        if (status == MUP_OK) {
            mup_bridge_store_close(store);
        } else {
            assert_int_equal(status, MUP_ERR_FORMAT);
            assert_non_null(strstr(bench->error, "damaged"));
            found++;
        }
    }
    assert_true(found > 0);
}

static void a_lock_of_another_program_is_an_error_that_says_so(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    sqlite3 *db;

    put_many(bench, 1);
    assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(mup_bridge_store_clear_presence(store, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_ERR_BUSY);
    assert_non_null(strstr(bench->error, bench->path));
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(mup_bridge_store_clear_presence(store, answered, bench), MUP_OK);
    assert_int_equal(wait_for(bench, 1), MUP_OK);
    sqlite3_close(db);
    mup_bridge_store_close(store);
}

/* ---- kill -9 ---- */

struct child {
    struct bench *bench;
    struct mup_bridge_store *store;
    uint32_t next;
    int pipe;
};

static void put_next(struct child *child);

/* What was called done is told to the parent, as a number. */
static void child_done(void *arg, enum mup_status status, const char *error)
{
    struct child *child = arg;

    (void)error;
    if (status != MUP_OK || write(child->pipe, &child->next, sizeof child->next) < 0) {
        _exit(2);
    }
    child->next++;
    put_next(child);
}

static void put_next(struct child *child)
{
    struct mup_stored_device device = {.version = child->next};

    snprintf(device.name, sizeof device.name, "device-%u", (unsigned)child->next);
    memcpy(device.uuid, &child->next, sizeof child->next);
    if (mup_bridge_store_put_device(child->store, &device, child_done, child) != MUP_OK) {
        _exit(3);
    }
}

static void child_main(struct bench *bench, int pipe)
{
    struct child child = {.bench = bench, .pipe = pipe};
    struct mup_loop loop;

    if (mup_loop_init(&loop, NULL, NULL) != MUP_OK ||
        mup_bridge_store_open(&child.store, &loop, bench->path, bench->error) != MUP_OK) {
        _exit(1);
    }
    put_next(&child);
    mup_loop_run(&loop);
    _exit(4);
}

static void note_version(void *arg, const struct mup_stored_device *device)
{
    uint8_t *seen = arg;

    assert_true(device->version < 100000);
    seen[device->version] = 1;
}

static void kill_9_loses_nothing_that_was_called_done(void **state)
{
    struct bench *bench = *state;
    static uint8_t seen[100000];

    for (uint32_t round = 1; round <= 10; round++) {
        struct mup_bridge_store *store;
        uint32_t told = 0;
        uint32_t last = 0;
        int ends[2];
        char command[200];

        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            close(ends[0]);
            child_main(bench, ends[1]);
        }
        close(ends[1]);
        while (last < round * 7 && read(ends[0], &told, sizeof told) == sizeof told) {
            last = told;
        }
        assert_int_equal(last, round * 7);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        while (read(ends[0], &told, sizeof told) == sizeof told) {
            last = told; /* told before it died */
        }
        close(ends[0]);
        memset(seen, 0, sizeof seen);
        assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                         MUP_OK);
        assert_int_equal(mup_bridge_store_each_device(store, note_version, seen), MUP_OK);
        for (uint32_t i = 0; i <= last; i++) {
            assert_int_equal(seen[i], 1);
        }
        mup_bridge_store_close(store);
        bench_close_loop(bench);
        bench_open_loop(bench);
        snprintf(command, sizeof command, "rm -f %s*", bench->path);
        assert_int_equal(system(command), 0);
    }
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_opened_by_one_daemon_at_a_time),
        cmocka_unit_test(the_store_of_another_daemon_is_refused),
        cmocka_unit_test(a_newer_schema_is_refused),
        cmocka_unit_test(a_file_that_is_no_store_is_refused_and_left_alone),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test(damage_at_every_page_is_found_at_open_or_reads_fail),
        cmocka_unit_test(a_lock_of_another_program_is_an_error_that_says_so),
        cmocka_unit_test(kill_9_loses_nothing_that_was_called_done),
    };
    run_bench_tests(tests);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
