/*
 * Answers that are made in a child process: of a get that is large, or whose filter is an XPath.
 * One XPath was measured to take 102 s.
 *
 * The child is a fork without exec: it has all data as they are now, copies nothing, and writes its
 * answer to a pipe: the body, the result as one byte, and a mark that it is whole. It has limits on
 * processor time and memory, no other file, and no handler of ours. It must not touch what another
 * thread may hold locked: it only reads, allocates (glibc's fork sees to that) and writes.
 */
#include "bridge/netconf/netconf_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/log.h"

#define QUERY_WALL_MS     60000u /* for a loaded machine */
#define QUERY_MEMORY_SIZE (512u * 1024u * 1024u)
#define QUERIES_MAX       4u /* at the same time */
#define QUERIES_USER_MAX  2u /* of one user */
#define ANSWER_SIZE_MAX   (64u * 1024u * 1024u)
#define WHOLE             '.'

struct query {
    struct query *next;
    struct mup_netconf *server;          /* NULL: it is closing */
    struct mup_netconf_request *request; /* NULL: its session is gone */
    char user[MUP_NETCONF_USER_SIZE_MAX + 1];
    uv_pipe_t pipe;
    struct mup_timer *deadline;
    pid_t child;
    struct mup_text answer;
};

/* ---- the child ---- */

static void limit_child(rlim_t cpu_s)
{
    struct rlimit processor = {cpu_s, cpu_s};
    struct rlimit files = {0, 0};
    struct rlimit core = {0, 0};

    setrlimit(RLIMIT_CPU, &processor);
    setrlimit(RLIMIT_FSIZE, &files);
    setrlimit(RLIMIT_CORE, &core);
#if !defined(__SANITIZE_ADDRESS__)
    /* The address sanitizer reserves terabytes of addresses. */
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm) {
        if (fscanf(statm, "%lu", &pages) == 1) {
            rlim_t size = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + QUERY_MEMORY_SIZE;
            setrlimit(RLIMIT_AS, &(struct rlimit){size, size});
        }
        fclose(statm);
    }
#endif
}

static void forget_signals(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++) {
        signal(number, number == SIGPIPE || number == SIGXFSZ ? SIG_IGN : SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, bytes, size);
        if (done <= 0) {
            _exit(1);
        }
        bytes += done;
        size -= (size_t)done;
    }
}

/* Does not return. */
static void run_child(const struct mup_netconf_request *request, int out)
{
    struct mup_text body = {0};

    forget_signals();
    if (out != STDERR_FILENO + 1) {
        dup2(out, STDERR_FILENO + 1);
        out = STDERR_FILENO + 1;
    }
    limit_child(request->session->server
                    ->get_cpu_s); /* before the files are gone: it opens one, and closes it */
    close_range((unsigned)out + 1, ~0u, 0);
    enum data_result result = data_print(request, &body);
    if (result == DATA_OK) {
        write_all(out, body.bytes, body.size);
    }
    char end[2] = {(char)('0' + (int)result), WHOLE};
    write_all(out, end, sizeof end);
    _exit(0);
}

/* The child's id, -1: none. *in is what it writes. */
static pid_t start_child(const struct mup_netconf_request *request, int *in)
{
    sigset_t all;
    sigset_t before;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    /* A handler of ours that ran in the child would tell our own loop. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0) {
        run_child(request, ends[1]);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return -1;
    }
    *in = ends[0];
    return child;
}

/* ---- the parent ---- */

static void start_waiting(struct mup_netconf *server);

static void free_query(uv_handle_t *handle)
{
    struct query *query = handle->data;

    mup_text_free(&query->answer);
    free(query);
}

static void unlink_query(struct query *query)
{
    struct query **at = &query->server->queries;

    while (*at != query) {
        at = &(*at)->next;
    }
    *at = query->next;
    query->server = NULL;
}

/* The child is done, or is made to be: it holds nothing that would be lost. */
static void end_query(struct query *query)
{
    unlink_query(query);
    kill(query->child, SIGKILL);
    while (waitpid(query->child, NULL, 0) < 0 && errno == EINTR) {
    }
    mup_timer_free(query->deadline);
    uv_close((uv_handle_t *)&query->pipe, free_query);
}

static enum data_result take_result(struct mup_text *answer)
{
    size_t size = answer->size;

    if (answer->failed || size < 2 || answer->bytes[size - 1] != WHOLE) {
        return DATA_TOO_MUCH;
    }
    int result = answer->bytes[size - 2] - '0';
    answer->size = size - 2;
    answer->bytes[size - 2] = '\0';
    return result >= DATA_OK && result <= DATA_TOO_LARGE ? (enum data_result)result : DATA_TOO_MUCH;
}

static void finish(struct query *query, enum data_result result)
{
    struct mup_netconf *server = query->server;
    struct mup_netconf_request *request = query->request;
    struct mup_text body = query->answer;

    query->answer = (struct mup_text){0};
    if (result == DATA_TOO_MUCH) {
        mup_log(MUP_LOG_WARNING, "netconf", mup_log_event("a get took too much"),
                mup_log_text("user", query->user));
    }
    end_query(query);
    start_waiting(server);
    request->on_cancel = NULL;
    request->work = NULL;
    data_answer(request, result, &body);
}

static void on_deadline(void *arg)
{
    finish(arg, DATA_TOO_MUCH);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    *buffer = uv_buf_init(malloc(suggested), (unsigned)suggested);
    if (!buffer->base) {
        buffer->len = 0;
    }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct query *query = stream->data;

    if (size > 0) {
        mup_text_append(&query->answer, buffer->base, (size_t)size);
    }
    free(buffer->base);
    if (size < 0) {
        finish(query, take_result(&query->answer));
    } else if (query->answer.size > ANSWER_SIZE_MAX) {
        finish(query, DATA_TOO_LARGE);
    }
}

static void cancel(struct mup_netconf_request *request)
{
    struct query *query = request->work;
    struct mup_netconf *server = query->server;

    end_query(query);
    start_waiting(server);
}

/* False: no memory, no process. */
static bool begin(struct mup_netconf_request *request)
{
    struct mup_netconf *server = request->session->server;
    struct query *query = calloc(1, sizeof *query);
    int in = -1;

    if (!query) {
        return false;
    }
    query->deadline = mup_timer_new(server->loop, on_deadline, query);
    query->child = query->deadline ? start_child(request, &in) : -1;
    if (query->child < 0) {
        mup_timer_free(query->deadline);
        free(query);
        return false;
    }
    query->server = server;
    query->request = request;
    memcpy(query->user, request->session->user, sizeof query->user);
    query->next = server->queries;
    server->queries = query;
    request->work = query;
    request->on_cancel = cancel;
    uv_pipe_init(&server->loop->uv, &query->pipe, 0);
    query->pipe.data = query;
    mup_timer_start(query->deadline, QUERY_WALL_MS);
    if (uv_pipe_open(&query->pipe, in) != 0) {
        close(in);
        end_query(query);
        return false;
    }
    return uv_read_start((uv_stream_t *)&query->pipe, give_room, on_read) == 0 ||
           (end_query(query), false);
}

/* ---- who waits ---- */

static bool has_room(const struct mup_netconf *server, const char *user)
{
    size_t all = 0;
    size_t own = 0;

    for (const struct query *query = server->queries; query; query = query->next) {
        all++;
        own += strcmp(query->user, user) == 0;
    }
    return all < QUERIES_MAX && own < QUERIES_USER_MAX;
}

static void leave_queue(struct mup_netconf_request *request)
{
    struct mup_netconf_request **at = &request->session->server->query_queue;

    while (*at != request) {
        at = &(*at)->next;
    }
    *at = request->next;
}

static void start(struct mup_netconf_request *request)
{
    request->on_cancel = NULL;
    if (!begin(request)) {
        reply_error(request,
                    &(struct rpc_error){.type = ERROR_APPLICATION,
                                        .tag = MUP_NETCONF_TAG_RESOURCE_DENIED,
                                        .message = "no process for this answer; try again"});
    }
}

static void start_waiting(struct mup_netconf *server)
{
    struct mup_netconf_request **at = &server->query_queue;

    while (*at) {
        struct mup_netconf_request *request = *at;
        if (has_room(server, request->session->user)) {
            *at = request->next;
            start(request); /* may answer, and so change the queue */
            at = &server->query_queue;
        } else {
            at = &request->next;
        }
    }
}

void query_start(struct mup_netconf_request *request)
{
    struct mup_netconf *server = request->session->server;

    if (has_room(server, request->session->user)) {
        start(request);
        return;
    }
    struct mup_netconf_request **end = &server->query_queue;
    while (*end) {
        end = &(*end)->next;
    }
    request->next = NULL;
    request->on_cancel = leave_queue;
    *end = request;
}
