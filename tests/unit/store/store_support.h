/* A folder of its own for each test, and a loop that runs until a write was answered. */
#ifndef MUP_TEST_STORE_SUPPORT_H
#define MUP_TEST_STORE_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/log.h"
#include "runtime/loop.h"
#include "store/store.h"
#include "support/cmocka_all.h"
#include "support/loop_end.h"

#define DEADLINE_MS 60000u

struct bench {
    char folder[64];
    char path[128];
    struct mup_loop loop;
    struct mup_timer *deadline;
    unsigned expected;      /* answers to wait for */
    enum mup_status status; /* of the last answer */
    char error[MUP_STORE_ERROR_SIZE];
};

static void too_late(void *arg)
{
    (void)arg;
    fprintf(stderr, "no answer from the store within %u ms\n", DEADLINE_MS);
    abort();
}

static inline void bench_open_loop(struct bench *bench)
{
    assert_int_equal(mup_loop_init(&bench->loop, NULL, NULL), MUP_OK);
    bench->deadline = mup_timer_new(&bench->loop, too_late, NULL);
    mup_timer_start(bench->deadline, DEADLINE_MS);
}

static inline void bench_close_loop(struct bench *bench)
{
    mup_timer_free(bench->deadline);
    mup_loop_close(&bench->loop);
}

static inline int bench_setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);

    mup_log_set_level(MUP_LOG_ERROR);
    snprintf(bench->folder, sizeof bench->folder, "/tmp/mup-store-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof bench->path, "%s/store", bench->folder);
    bench_open_loop(bench);
    *state = bench;
    return 0;
}

static inline int bench_teardown(void **state)
{
    struct bench *bench = *state;
    char command[160];
    bool is_closed;

    mup_timer_free(bench->deadline);
    is_closed = loop_end(&bench->loop);
    snprintf(command, sizeof command, "rm -rf '%s'", bench->folder);
    assert_int_equal(system(command), 0);
    if (!is_closed) {
        return -1; /* a store of a test that failed lives on */
    }
    free(bench);
    return 0;
}

/* The on_done of all tests; the bench is its argument. */
static inline void answered(void *arg, enum mup_status status, const char *error)
{
    struct bench *bench = arg;

    bench->status = status;
    snprintf(bench->error, sizeof bench->error, "%s", error);
    if (--bench->expected == 0) {
        mup_loop_stop(&bench->loop);
    }
}

/* Run the loop until `count` answers have come; the status of the last. */
static inline enum mup_status wait_for(struct bench *bench, unsigned count)
{
    bench->expected = count;
    mup_loop_run(&bench->loop);
    return bench->status;
}

#define run_bench_tests(tests)                                          \
    do {                                                                \
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests)[0]; i++) { \
            (tests)[i].setup_func = bench_setup;                        \
            (tests)[i].teardown_func = bench_teardown;                  \
        }                                                               \
    } while (0)

#endif
