/* The daemon's loop: signals, a clean end, and timers whose memory outlives uv_close(). */
#include "runtime/loop.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct mup_timer {
    uv_timer_t uv;
    void (*on_time)(void *arg);
    void *arg;
};

static void on_signal(uv_signal_t *handle, int number)
{
    struct mup_loop *loop = handle->data;
    (void)number;

    if (loop->asked) {
        _exit(130);
    }
    loop->asked = true;
    if (loop->on_stop) {
        loop->on_stop(loop->arg);
    } else {
        mup_loop_stop(loop);
    }
}

static void watch_signal(struct mup_loop *loop, uv_signal_t *handle, int number)
{
    uv_signal_init(&loop->uv, handle);
    handle->data = loop;
    uv_signal_start(handle, on_signal, number);
    uv_unref((uv_handle_t *)handle);
}

/* A session is a descriptor, and 1024 of them is what most systems give at first. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit); /* without it there are fewer sessions */
    }
}

enum mup_status mup_loop_init(struct mup_loop *loop, void (*on_stop)(void *arg), void *arg)
{
    *loop = (struct mup_loop){.on_stop = on_stop, .arg = arg};
    if (uv_loop_init(&loop->uv) != 0) {
        return MUP_ERR_SPACE;
    }
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    watch_signal(loop, &loop->interrupt, SIGINT);
    watch_signal(loop, &loop->terminate, SIGTERM);
    return MUP_OK;
}

void mup_loop_run(struct mup_loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void mup_loop_stop(struct mup_loop *loop)
{
    uv_stop(&loop->uv);
}

static void see_open(uv_handle_t *handle, void *found)
{
    if (!uv_is_closing(handle)) {
        *(bool *)found = true;
    }
}

void mup_loop_close(struct mup_loop *loop)
{
    bool found = false;

    uv_close((uv_handle_t *)&loop->interrupt, NULL);
    uv_close((uv_handle_t *)&loop->terminate, NULL);
    uv_walk(&loop->uv, see_open, &found);
    if (found) {
        uv_print_all_handles(&loop->uv, stderr); /* whose owner would be waited for without end */
    } else {
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    }
    int left = uv_loop_close(&loop->uv);
    assert(left == 0);
    (void)left;
}

uint64_t mup_loop_now_ms(const struct mup_loop *loop)
{
    return uv_now(&loop->uv);
}

uint64_t mup_loop_wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void timer_fired(uv_timer_t *uv)
{
    struct mup_timer *timer = uv->data;

    timer->on_time(timer->arg);
}

static void timer_closed(uv_handle_t *uv)
{
    free(uv->data);
}

struct mup_timer *mup_timer_new(struct mup_loop *loop, void (*on_time)(void *arg), void *arg)
{
    struct mup_timer *timer = calloc(1, sizeof *timer);

    if (!timer) {
        return NULL;
    }
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    timer->on_time = on_time;
    timer->arg = arg;
    return timer;
}

void mup_timer_start(struct mup_timer *timer, uint64_t after_ms)
{
    uv_update_time(timer->uv.loop);
    uv_timer_start(&timer->uv, timer_fired, after_ms, 0);
}

void mup_timer_start_every(struct mup_timer *timer, uint64_t period_ms)
{
    uv_update_time(timer->uv.loop);
    uv_timer_start(&timer->uv, timer_fired, period_ms, period_ms);
}

void mup_timer_stop(struct mup_timer *timer)
{
    uv_timer_stop(&timer->uv);
}

bool mup_timer_is_running(const struct mup_timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->uv);
}

void mup_timer_free(struct mup_timer *timer)
{
    if (timer) {
        uv_close((uv_handle_t *)&timer->uv, timer_closed);
    }
}
