/*
 * Runs the conformance suite somewhere, plays its peer, and judges its lines:
 *
 *     port-run --skips COUNT -- COMMAND...
 *
 * The command runs in an empty folder that is removed afterwards. It finds there a Unix socket
 * "line" (streams as mup/port/mps2.h describes them), and in its environment the TCP ports
 * MUP_PORT_PEER, where bytes come back, and MUP_PORT_NOBODY, where nobody listens. What it writes
 * to its standard output has to be the suite's lines: the plan once, each number once and in order,
 * nothing "not ok", as many skipped promises as were announced, and 300 ms of its clock within
 * reason. Exits with 77 (skipped) if the command's program is not there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

#define DEADLINE_MS   90000
#define SPAN_MS_LEAST 100 /* of the suite's 300; this process may be late in seeing either end */
#define SPAN_MS_MOST  20000
#define SKIPPED       77
#define NOT_STARTED   127

/* What the lines have said so far. */
struct report {
    unsigned long planned; /* 0 = not yet */
    unsigned long seen;
    unsigned long skipped;
    long clock_began_ms;
    bool failed;
};

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void fail(struct report *report, const char *what)
{
    printf("port-run: %s\n", what);
    report->failed = true;
}

/* ---- the suite's lines ----------------------------------------------------------------------- */

static void read_result(struct report *report, const char *line)
{
    bool good = strncmp(line, "ok ", 3) == 0;
    unsigned long number = strtoul(line + (good ? 3 : 7), NULL, 10);

    if (report->planned == 0 || number != report->seen + 1 || number > report->planned)
        fail(report, "a result without its turn");
    report->seen++;
    if (!good)
        fail(report, "a promise is not kept");
    if (strstr(line, "# SKIP") != NULL)
        report->skipped++;
}

static void read_clock(struct report *report, bool begins)
{
    long span_ms = now_ms() - report->clock_began_ms;

    if (begins) {
        report->clock_began_ms = now_ms();
        return;
    }
    printf("port-run: what the clock calls 300 ms took %ld ms\n", span_ms);
    if (span_ms < SPAN_MS_LEAST || span_ms > SPAN_MS_MOST)
        fail(report, "the clock does not count milliseconds");
}

static void read_line(struct report *report, const char *line)
{
    printf("%s\n", line);
    if (strncmp(line, "1..", 3) == 0) {
        if (report->planned != 0)
            fail(report, "the suite began anew: the flash did not survive the reset");
        report->planned = strtoul(line + 3, NULL, 10);
    } else if (strncmp(line, "ok ", 3) == 0 || strncmp(line, "not ok ", 7) == 0) {
        read_result(report, line);
    } else if (strcmp(line, "# clock: begin") == 0) {
        read_clock(report, true);
    } else if (strcmp(line, "# clock: 300 ms later") == 0) {
        read_clock(report, false);
    } else if (strncmp(line, "Bail out!", 9) == 0) {
        fail(report, "the suite gave up");
    }
}

/* Split what came into lines. False at the end of the stream. */
static bool read_lines(struct report *report, int fd)
{
    static char text[1024];
    static size_t size;
    ssize_t got = read(fd, text + size, sizeof text - 1 - size);
    char *end;

    if (got <= 0)
        return got < 0 && errno == EINTR;
    size += (size_t)got;
    text[size] = '\0';
    while ((end = strchr(text, '\n')) != NULL) {
        *end = '\0';
        if (end > text && end[-1] == '\r')
            end[-1] = '\0';
        read_line(report, text);
        size -= (size_t)(end + 1 - text);
        memmove(text, end + 1, size + 1);
    }
    if (size == sizeof text - 1)
        size = 0; /* no line of the suite is so long */
    return true;
}

static bool is_done(const struct report *report)
{
    return report->planned != 0 && report->seen >= report->planned;
}

static void judge(struct report *report, unsigned long skips)
{
    char text[96];

    if (report->planned == 0)
        fail(report, "there is no plan");
    else if (!is_done(report))
        fail(report, "the suite ended early, or took too long");
    snprintf(text, sizeof text, "%lu promises were skipped, not %lu", report->skipped, skips);
    if (report->skipped != skips)
        fail(report, text);
}

/* ---- running --------------------------------------------------------------------------------- */

static pid_t start(char **command, const char *folder, int output)
{
    pid_t child = fork();
    int null;

    if (child != 0)
        return child;
    null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || chdir(folder) != 0)
        _exit(1);
    execvp(command[0], command);
    _exit(NOT_STARTED);
}

static void watch(struct report *report, struct peer *peer, int output)
{
    long end_ms = now_ms() + DEADLINE_MS;

    while (!is_done(report) && now_ms() < end_ms) {
        struct pollfd fds[PEER_FDS + 1];

        fds[PEER_FDS] = (struct pollfd){.fd = output, .events = POLLIN};
        peer_before_poll(peer, fds);
        if (poll(fds, PEER_FDS + 1, (int)(end_ms - now_ms())) < 0 && errno != EINTR)
            return;
        if (fds[PEER_FDS].revents != 0 && !read_lines(report, output))
            return;
        peer_after_poll(peer, fds);
    }
}

static void remove_folder(const char *folder)
{
    DIR *listing = opendir(folder);
    struct dirent *entry;

    while (listing != NULL && (entry = readdir(listing)) != NULL)
        unlinkat(dirfd(listing), entry->d_name, 0); /* refuses . and .. */
    if (listing != NULL)
        closedir(listing);
    rmdir(folder);
}

static int run(char **command, const char *folder, unsigned long skips)
{
    struct report report = {0};
    struct peer peer;
    int output[2];
    int status = 0;
    pid_t child;

    if (!peer_open(&peer, folder) || pipe(output) != 0) {
        perror("port-run");
        return 1;
    }
    child = start(command, folder, output[1]);
    close(output[1]);
    if (child > 0) {
        watch(&report, &peer, output[0]);
        kill(child, SIGKILL); /* an emulator goes on for ever */
        waitpid(child, &status, 0);
    }
    peer_close(&peer);
    close(output[0]);
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED) {
        printf("port-run: %s is not there; it is started in an empty folder: name it by its whole "
               "path\n",
               command[0]);
        return SKIPPED;
    }
    judge(&report, skips);
    return report.failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    const char *place = getenv("TMPDIR");
    char folder[64];
    int result;

    if (argc < 5 || strcmp(argv[1], "--skips") != 0 || strcmp(argv[3], "--") != 0) {
        fprintf(stderr, "usage: port-run --skips COUNT -- COMMAND...\n");
        return 2;
    }
    /* A socket's path has at most 107 bytes. */
    if (place == NULL || strlen(place) > 40)
        place = "/tmp";
    snprintf(folder, sizeof folder, "%s/mup-port-XXXXXX", place);
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    result = run(argv + 4, folder, strtoul(argv[2], NULL, 10));
    remove_folder(folder);
    return result;
}
