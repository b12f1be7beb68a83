/* Start programs, read what they say, end them: see process.h. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STOP_ALL_TIMEOUT_MS 3000
#define POLL_SLICE_MS       100 /* how late a Ctrl-C or an ended child may be noticed */

static long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct mup_process *slot_for(struct mup_process_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->list[i].name, name) == 0)
            return &set->list[i];
    if (set->count == MUP_PROCESSES_MAX)
        return NULL;
    struct mup_process *process = &set->list[set->count++];
    memset(process, 0, sizeof *process);
    process->out = -1;
    snprintf(process->name, sizeof process->name, "%s", name);
    return process;
}

/* In the child: its own process group, dead with the parent, stdin from nowhere. */
static void become(int out, pid_t parent, const char *const argv[])
{
    int null = open("/dev/null", O_RDONLY);

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(argv[0], (char *const *)(unsigned long)argv);
    fprintf(stderr, "%s: cannot be started: %s\n", argv[0], strerror(errno));
    _exit(127);
}

struct mup_process *mup_process_start(struct mup_process_set *set, const char *name,
                                      const char *const argv[])
{
    struct mup_process *process = slot_for(set, name);
    char path[320];
    pid_t parent = getpid();
    int ends[2];

    if (process == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        fprintf(stderr, "testbed: cannot start %s\n", name);
        return NULL;
    }
    if (process->out >= 0)
        close(process->out);
    process->seen = process->size; /* what it said in an earlier life is no answer to a wait */
    if (process->log == NULL) {
        snprintf(path, sizeof path, "%s/%s.log", set->log_folder, name);
        process->log = fopen(path, "ae");
    }
    process->pid = fork();
    if (process->pid == 0)
        become(ends[1], parent, argv);
    close(ends[1]);
    process->out = ends[0];
    fcntl(process->out, F_SETFL, O_NONBLOCK);
    if (process->pid < 0) {
        process->pid = 0;
        fprintf(stderr, "testbed: cannot fork for %s\n", name);
        return NULL;
    }
    setpgid(process->pid, process->pid);
    return process;
}

/* Forget the older half, up to the end of a line, looked at or not. */
static void forget_half(struct mup_process *process)
{
    size_t half = process->size / 2;
    const char *end = memchr(process->text + half, '\n', process->size - half);
    size_t gone = end == NULL ? half : (size_t)(end - process->text) + 1;

    process->size -= gone;
    memmove(process->text, process->text + gone, process->size);
    process->seen = process->seen > gone ? process->seen - gone : 0;
}

static void keep(struct mup_process *process, const char *bytes, size_t size)
{
    if (process->size + size > MUP_PROCESS_KEEP_MAX)
        forget_half(process);
    if (process->size + size > process->capacity) {
        size_t wanted = 2 * (process->size + size);
        size_t capacity = wanted < MUP_PROCESS_KEEP_MAX ? wanted : MUP_PROCESS_KEEP_MAX;
        char *grown = realloc(process->text, capacity);
        if (grown == NULL)
            return;
        process->text = grown;
        process->capacity = capacity;
    }
    memcpy(process->text + process->size, bytes, size);
    process->size += size;
    if (process->log != NULL) {
        fwrite(bytes, 1, size, process->log);
        fflush(process->log);
    }
}

static void read_available(struct mup_process *process)
{
    char bytes[4096];

    while (process->out >= 0) {
        ssize_t got = read(process->out, bytes, sizeof bytes);
        if (got > 0) {
            keep(process, bytes, (size_t)got);
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0 || errno != EAGAIN) {
            close(process->out);
            process->out = -1;
        }
        return;
    }
}

void mup_process_pump(struct mup_process_set *set, int timeout_ms)
{
    struct pollfd polled[MUP_PROCESSES_MAX];
    size_t which[MUP_PROCESSES_MAX];
    nfds_t count = 0;

    for (size_t i = 0; i < set->count; i++)
        if (set->list[i].out >= 0) {
            which[count] = i;
            polled[count++] = (struct pollfd){.fd = set->list[i].out, .events = POLLIN};
        }
    if (poll(polled, count, timeout_ms) <= 0)
        return;
    for (nfds_t i = 0; i < count; i++)
        if (polled[i].revents != 0)
            read_available(&set->list[which[i]]);
}

bool mup_process_next_line(struct mup_process *process, char *line, size_t line_size)
{
    const char *start = process->text + process->seen;
    const char *end;
    size_t size;

    if (process->seen == process->size)
        return false;
    end = memchr(start, '\n', process->size - process->seen);
    if (end == NULL)
        return false;
    size = (size_t)(end - start);
    process->seen += size + 1;
    if (size >= line_size)
        size = line_size - 1;
    memcpy(line, start, size);
    line[size] = '\0';
    return true;
}

bool mup_process_is_running(struct mup_process *process)
{
    if (process->pid == 0)
        return false;
    if (waitpid(process->pid, &process->exit_status, WNOHANG) != process->pid)
        return true;
    process->pid = 0;
    return false;
}

bool mup_process_wait_line(struct mup_process_set *set, struct mup_process *process,
                           const char *needle, int timeout_ms, char *line, size_t line_size)
{
    long long deadline = now_ms() + timeout_ms;
    char found[MUP_PROCESS_LINE_MAX];

    for (;;) {
        bool running = mup_process_is_running(process);
        long long left = deadline - now_ms();

        read_available(process);
        while (mup_process_next_line(process, found, sizeof found))
            if (strstr(found, needle) != NULL) {
                if (line != NULL)
                    snprintf(line, line_size, "%s", found);
                return true;
            }
        if (!running || left <= 0 || (set->stop != NULL && *set->stop))
            return false;
        mup_process_pump(set, left < POLL_SLICE_MS ? (int)left : POLL_SLICE_MS);
    }
}

static void signal_group(const struct mup_process *process, int number)
{
    if (process->pid > 0 && kill(-process->pid, number) != 0)
        kill(process->pid, number);
}

void mup_process_kill(struct mup_process *process)
{
    if (process->pid == 0)
        return;
    signal_group(process, SIGKILL);
    while (waitpid(process->pid, &process->exit_status, 0) < 0 && errno == EINTR)
        continue;
    process->pid = 0;
    read_available(process);
}

void mup_process_stop(struct mup_process_set *set, struct mup_process *process, int timeout_ms)
{
    long long deadline = now_ms() + timeout_ms;

    if (!mup_process_is_running(process))
        return;
    signal_group(process, SIGTERM);
    while (now_ms() < deadline) {
        /* The pipe closes when the program ends, so this wait ends with it. */
        mup_process_pump(set, 20);
        if (!mup_process_is_running(process))
            return;
    }
    mup_process_kill(process);
}

void mup_process_stop_all(struct mup_process_set *set)
{
    for (size_t i = set->count; i-- > 0;) {
        struct mup_process *process = &set->list[i];
        mup_process_stop(set, process, STOP_ALL_TIMEOUT_MS);
        if (process->out >= 0)
            close(process->out);
        if (process->log != NULL)
            fclose(process->log);
        free(process->text);
    }
    set->count = 0;
}
