/* A thread that notes how late it is: see watch.h. */
#include "watch.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define PERIOD_NS 2000000
#define SLACK_NS  1ul
#define STEP_US   100u  /* of a figure */
#define STEPS     1000u /* more is as much */
#define SECOND_NS 1000000000

static struct {
    pthread_mutex_t lock;
    uint32_t steps[STEPS]; /* how often it was so late */
    uint32_t count;
    uint32_t max_us;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note(uint32_t late_us)
{
    uint32_t step = late_us / STEP_US;

    pthread_mutex_lock(&watch.lock);
    watch.steps[step < STEPS ? step : STEPS - 1]++;
    watch.count++;
    if (late_us > watch.max_us)
        watch.max_us = late_us;
    pthread_mutex_unlock(&watch.lock);
}

static void *look_at_the_clock(void *context)
{
    struct timespec due;
    struct timespec now;

    (void)context;
    prctl(PR_SET_TIMERSLACK, SLACK_NS);
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (;;) {
        due = now;
        due.tv_nsec += PERIOD_NS;
        if (due.tv_nsec >= SECOND_NS) {
            due.tv_nsec -= SECOND_NS;
            due.tv_sec++;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
        note((uint32_t)((now.tv_sec - due.tv_sec) * 1000000 + (now.tv_nsec - due.tv_nsec) / 1000));
    }
    return NULL;
}

bool mup_watch_start(int priority)
{
    const struct sched_param like_a_device = {.sched_priority = priority};
    pthread_t thread;

    if (pthread_create(&thread, NULL, look_at_the_clock, NULL) != 0)
        return false;
    (void)pthread_setschedparam(thread, SCHED_FIFO, &like_a_device);
    return pthread_detach(thread) == 0;
}

void mup_watch_reset(void)
{
    pthread_mutex_lock(&watch.lock);
    memset(watch.steps, 0, sizeof watch.steps);
    watch.count = 0;
    watch.max_us = 0;
    pthread_mutex_unlock(&watch.lock);
}

struct mup_watch_figures mup_watch_figures(void)
{
    struct mup_watch_figures figures = {0, 0};
    uint32_t seen = 0;

    pthread_mutex_lock(&watch.lock);
    figures.max_us = watch.max_us;
    for (uint32_t step = 0; step < STEPS && seen * 100ull < watch.count * 99ull; step++) {
        seen += watch.steps[step];
        figures.p99_us = (step + 1) * STEP_US;
    }
    pthread_mutex_unlock(&watch.lock);
    return figures;
}
