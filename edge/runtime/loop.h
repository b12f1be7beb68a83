/*
 * The one event loop of a daemon: libuv, with a clean stop and timers that can be freed at once.
 *
 *     struct mup_loop loop;
 *     mup_loop_init(&loop, on_stop, daemon);   SIGINT, SIGTERM -> on_stop, once
 *     ... open sockets, MQTT, NETCONF on &loop.uv ...
 *     mup_loop_run(&loop);                     until mup_loop_stop()
 *     ... free everything that was opened ...
 *     mup_loop_close(&loop);                   runs the closing callbacks of what was freed
 *
 * Everything runs on the thread that calls mup_loop_run(); a callback must not block. From
 * mup_loop_init() on SIGPIPE is ignored and the process may open as many files as its hard limit
 * allows.
 */
#ifndef MUP_RUNTIME_LOOP_H
#define MUP_RUNTIME_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "mup/status.h"

struct mup_loop {
    uv_loop_t uv;

    /* private */
    uv_signal_t interrupt;
    uv_signal_t terminate;
    void (*on_stop)(void *arg);
    void *arg;
    bool asked;
};

/*
 * on_stop is called once, on the loop's thread, at the first SIGINT or SIGTERM; it ends what is
 * under way and calls mup_loop_stop(). NULL: the loop is stopped at once. A second signal ends
 * the process with status 130. MUP_ERR_SPACE: no file descriptors or memory left.
 */
MUP_MUST_CHECK
enum mup_status mup_loop_init(struct mup_loop *loop, void (*on_stop)(void *arg), void *arg);

/* Returns after mup_loop_stop(). */
void mup_loop_run(struct mup_loop *loop);

void mup_loop_stop(struct mup_loop *loop);

/* Free everything else first. What was left open is printed and fails an assertion; it is not
 * waited for, so a daemon without assertions ends all the same. */
void mup_loop_close(struct mup_loop *loop);

/* Milliseconds of a clock that never goes back and does not count from any date. */
uint64_t mup_loop_now_ms(const struct mup_loop *loop);

/* Milliseconds since 1970 UTC, for records that people read; may jump. */
uint64_t mup_loop_wall_ms(void);

/* A timer. mup_timer_free() may be called from its own callback; after it the callback is never
 * called again. Starting a running timer moves it. NULL: no memory. */
struct mup_timer;
struct mup_timer *mup_timer_new(struct mup_loop *loop, void (*on_time)(void *arg), void *arg);
void mup_timer_start(struct mup_timer *timer, uint64_t after_ms);
void mup_timer_start_every(struct mup_timer *timer, uint64_t period_ms);
void mup_timer_stop(struct mup_timer *timer);
bool mup_timer_is_running(const struct mup_timer *timer);
void mup_timer_free(struct mup_timer *timer); /* NULL is allowed */

#endif
