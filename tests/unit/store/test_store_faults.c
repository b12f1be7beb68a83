/* The N-th write or sync of the disk fails, for every N: no crash, an error that is told, and
 * what was called done is there when the file is opened again. */
#include "store_support.h"

#include <sqlite3.h>

#include "store/bridge_store.h"

#define FAULTS_MAX 400
#define DEVICES    6u

/* ---- a disk that fails ---- */

struct faulty_file {
    sqlite3_file base;
    sqlite3_file *real; /* lives behind this struct */
};

static sqlite3_vfs faulty;
static sqlite3_vfs *real_vfs;
static int left; /* operations until one fails; below 0: none does */
static int what; /* with which error */
static bool has_failed;
static unsigned syncs; /* counted on the writer thread, read when it has answered */
static bool for_good;  /* all that follow fail, too: a full disk stays full */

static bool fails(void)
{
    if (left < 0) {
        return false;
    }
    if (left > 0) {
        left--;
        return false;
    }
    has_failed = true;
    left = for_good ? 0 : -1;
    return true;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct faulty_file *)file)->real;
}

static int f_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}

static int f_read(sqlite3_file *f, void *to, int size, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), to, size, at);
}

static int f_write(sqlite3_file *f, const void *from, int size, sqlite3_int64 at)
{
    return fails() ? what : real_of(f)->pMethods->xWrite(real_of(f), from, size, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return fails() ? what : real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int f_sync(sqlite3_file *f, int flags)
{
    syncs++;
    return fails() ? SQLITE_IOERR_FSYNC : real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int f_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}

static int f_lock(sqlite3_file *f, int how)
{
    return real_of(f)->pMethods->xLock(real_of(f), how);
}

static int f_unlock(sqlite3_file *f, int how)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), how);
}

static int f_reserved(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int f_device(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int f_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int f_shm_lock(sqlite3_file *f, int offset, int count, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, count, flags);
}

static void f_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int f_unmap(sqlite3_file *f, int remove)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_reserved,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_device,
    .xShmMap = f_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_barrier,
    .xShmUnmap = f_unmap,
};

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct faulty_file *f = (struct faulty_file *)file;

    (void)vfs;
    f->real = (sqlite3_file *)(f + 1);
    f->base.pMethods = NULL;
    int code = real_vfs->xOpen(real_vfs, name, f->real, flags, out);
    if (code == SQLITE_OK) {
        f->base.pMethods = &methods;
    }
    return code;
}

static void install_faulty_disk(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    faulty = *real_vfs;
    faulty.zName = "faulty";
    faulty.szOsFile = (int)sizeof(struct faulty_file) + real_vfs->szOsFile;
    faulty.xOpen = v_open;
    left = -1;
    assert_int_equal(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
}

/* ---- the tests ---- */

struct round {
    struct bench *bench;
    bool done[DEVICES];
    unsigned answers;
};

struct answer_to {
    struct round *round;
    unsigned device;
};

static void on_answer(void *arg, enum mup_status status, const char *error)
{
    struct answer_to *to = arg;

    assert_true(status == MUP_OK || strlen(error) > 0);
    assert_true(status == MUP_OK || status == MUP_ERR_FLASH || status == MUP_ERR_SPACE ||
                status == MUP_ERR_STATE || status == MUP_ERR_BUSY);
    to->round->done[to->device] = status == MUP_OK;
    if (++to->round->answers == DEVICES) {
        mup_loop_stop(&to->round->bench->loop);
    }
}

static void write_devices(struct round *round)
{
    struct mup_bridge_store *store;
    struct answer_to to[DEVICES];

    if (mup_bridge_store_open(&store, &round->bench->loop, round->bench->path,
                              round->bench->error) != MUP_OK) {
        assert_true(strlen(round->bench->error) > 0);
        return;
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        struct mup_stored_device device = {.version = i};
        to[i] = (struct answer_to){round, i};
        snprintf(device.name, sizeof device.name, "device-%u", i);
        device.uuid[0] = (uint8_t)i;
        assert_int_equal(mup_bridge_store_put_device(store, &device, on_answer, &to[i]), MUP_OK);
    }
    mup_loop_run(&round->bench->loop);
    mup_bridge_store_close(store);
}

static void note(void *arg, const struct mup_stored_device *device)
{
    bool *there = arg;

    assert_true(device->version < DEVICES);
    there[device->version] = true;
}

/* Returns false when the N-th operation was never reached: all were tried. */
static bool try_fault(struct bench *bench, int n, int error, bool stays)
{
    struct round round = {.bench = bench};
    struct mup_bridge_store *store;
    bool there[DEVICES] = {false};
    char command[200];

    left = n;
    what = error;
    for_good = stays;
    has_failed = false;
    write_devices(&round);
    left = -1;
    bench_close_loop(bench);
    bench_open_loop(bench);
    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    assert_int_equal(mup_bridge_store_each_device(store, note, there), MUP_OK);
    for (unsigned i = 0; i < DEVICES; i++) {
        assert_true(there[i] || !round.done[i]);
    }
    mup_bridge_store_close(store);
    bench_close_loop(bench);
    bench_open_loop(bench);
    snprintf(command, sizeof command, "rm -f %s*", bench->path);
    assert_int_equal(system(command), 0);
    return has_failed;
}

static void try_all(struct bench *bench, int error, bool stays)
{
    int n = 0;

    mup_log_set_level(MUP_LOG_ERROR + 1);
    while (n < FAULTS_MAX && try_fault(bench, n, error, stays)) {
        n++;
    }
    assert_true(n > 10 && n < FAULTS_MAX);
}

static void every_nth_disk_error_is_told_and_loses_nothing_done(void **state)
{
    try_all(*state, SQLITE_IOERR_WRITE, false);
}

static void a_disk_that_is_full_from_the_nth_write_on_is_told(void **state)
{
    try_all(*state, SQLITE_FULL, true);
}

static void a_write_is_on_the_disk_before_it_is_called_done(void **state)
{
    struct bench *bench = *state;
    struct mup_bridge_store *store;
    struct mup_stored_device device = {.name = "device"};

    left = -1;
    assert_int_equal(mup_bridge_store_open(&store, &bench->loop, bench->path, bench->error),
                     MUP_OK);
    for (device.version = 1; device.version <= 5; device.version++) {
        unsigned before = syncs;
        assert_int_equal(mup_bridge_store_put_device(store, &device, answered, bench), MUP_OK);
        assert_int_equal(wait_for(bench, 1), MUP_OK);
        assert_true(syncs > before);
    }
    mup_bridge_store_close(store);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_is_on_the_disk_before_it_is_called_done),
        cmocka_unit_test(every_nth_disk_error_is_told_and_loses_nothing_done),
        cmocka_unit_test(a_disk_that_is_full_from_the_nth_write_on_is_told),
    };
    install_faulty_disk();
    run_bench_tests(tests);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
