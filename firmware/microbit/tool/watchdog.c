/*
 * The watchdog of the emulated micro:bit (nRF51 reference manual, chapter 18), which QEMU 7.2 does
 * not have: a process beside QEMU that resets it by its monitor.
 *
 * QEMU writes each access to a register that it does not know to its log, so the firmware's own
 * writes to the WDT are seen here: nothing in the firmware is made for the lab. Like the WDT it
 * runs from START on, is fed by a reload request and stopped by nothing that the program does.
 * Unlike it, it counts whole seconds of this machine's clock, so it is up to two seconds late; a
 * QEMU that is stopped (by its monitor, a debugger, a signal) does not count.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define WDT_START  0x10000u /* offsets from 0x40000000 */
#define WDT_CRV    0x10504u
#define WDT_RR0    0x10600u
#define WDT_RELOAD 0x6e524635u
#define WDT_HZ     32768u

#define TICK_MS    1000
#define LINE_MAX_  256u
#define MONITOR    "{\"execute\":\"%s\"}\n"

struct watchdog {
    int log;
    int monitor;
    unsigned period_s;
    unsigned unfed_s;
    bool runs;
    bool asked; /* whether the device runs, and QEMU has not answered yet */
    long long asked_ms;
};

/* Takes whole lines out of what comes; the rest of one that is too long is a line of its own. */
struct lines {
    char text[LINE_MAX_];
    size_t size;
};

static long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void tell(const struct watchdog *watchdog, const char *command)
{
    char text[64];
    int size = snprintf(text, sizeof text, MONITOR, command);

    if (send(watchdog->monitor, text, (size_t)size, MSG_NOSIGNAL) != size)
        _exit(EXIT_FAILED); /* QEMU has ended */
}

/* A line of QEMU's log. */
static void on_access(struct watchdog *watchdog, const char *line)
{
    unsigned offset;
    unsigned value;

    if (sscanf(line, "nrf51_soc.io: unimplemented device write (size %*u, offset 0x%x, value 0x%x)",
               &offset, &value) != 2)
        return;
    if (offset == WDT_CRV && !watchdog->runs)
        watchdog->period_s = value / WDT_HZ + 1;
    if (offset == WDT_START && value == 1)
        watchdog->runs = true;
    if (offset == WDT_START || (offset == WDT_RR0 && value == WDT_RELOAD))
        watchdog->unfed_s = 0;
}

/* A line of QEMU's monitor: an answer, or an event. */
static void on_answer(struct watchdog *watchdog, const char *line)
{
    if (strstr(line, "\"event\": \"RESET\"") != NULL)
        watchdog->unfed_s = 0; /* the WDT outlives it, and the bootloader has time to feed */
    if (!watchdog->asked || strstr(line, "\"running\"") == NULL)
        return;
    watchdog->asked = false;
    /* Who answers late did not run either. */
    if (now_ms() - watchdog->asked_ms > TICK_MS || strstr(line, "\"running\": true") == NULL) {
        watchdog->unfed_s = 0;
        return;
    }
    if (watchdog->unfed_s <= watchdog->period_s)
        return; /* fed meanwhile */
    fprintf(stderr, PROGRAM ": watchdog: not fed for %u s, reset\n", watchdog->unfed_s);
    watchdog->runs = false;
    tell(watchdog, "system_reset");
}

static void on_tick(struct watchdog *watchdog)
{
    if (!watchdog->runs || ++watchdog->unfed_s <= watchdog->period_s || watchdog->asked)
        return;
    watchdog->asked = true;
    watchdog->asked_ms = now_ms();
    tell(watchdog, "query-status");
}

static void take(struct watchdog *watchdog, struct lines *lines, int fd,
                 void (*on_line)(struct watchdog *, const char *))
{
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof bytes);

    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
        _exit(0); /* QEMU has ended */
    for (ssize_t i = 0; i < got; i++) {
        lines->text[lines->size++] = bytes[i];
        if (bytes[i] != '\n' && lines->size < sizeof lines->text - 1)
            continue;
        lines->text[lines->size] = '\0';
        on_line(watchdog, lines->text);
        lines->size = 0;
    }
}

static void watch(struct watchdog *watchdog)
{
    struct lines log = {.size = 0};
    struct lines answers = {.size = 0};
    long long next_ms = now_ms() + TICK_MS;

    tell(watchdog, "qmp_capabilities");
    for (;;) {
        struct pollfd set[] = {{.fd = watchdog->log, .events = POLLIN},
                               {.fd = watchdog->monitor, .events = POLLIN}};
        long long left_ms = next_ms - now_ms();

        if (left_ms <= 0) {
            on_tick(watchdog);
            next_ms = now_ms() + TICK_MS;
        } else if (poll(set, 2, (int)left_ms) > 0) {
            if (set[0].revents != 0)
                take(watchdog, &log, watchdog->log, on_access);
            if (set[1].revents != 0)
                take(watchdog, &answers, watchdog->monitor, on_answer);
        }
    }
}

static bool make_ends(int log[2], int monitor[2])
{
    return pipe2(log, O_CLOEXEC) == 0 &&
           socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, monitor) == 0 &&
           fcntl(log[1], F_SETFD, 0) == 0 && fcntl(monitor[1], F_SETFD, 0) == 0;
}

bool microbit_watchdog(int *log_fd, int *monitor_fd, int flash_fd)
{
    int log[2];
    int monitor[2];
    pid_t qemu = getpid();
    pid_t child = make_ends(log, monitor) ? fork() : -1;

    if (child < 0) {
        fprintf(stderr, PROGRAM ": the watchdog cannot be started: %s\n", strerror(errno));
        return false;
    }
    if (child == 0) {
        struct watchdog watchdog = {.log = log[0], .monitor = monitor[0]};

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a power cut is its end, too */
        if (getppid() != qemu)
            _exit(EXIT_FAILED);
        close(log[1]);
        close(monitor[1]);
        close(flash_fd);
        watch(&watchdog);
    }
    *log_fd = log[1];
    *monitor_fd = monitor[1];
    return true;
}
