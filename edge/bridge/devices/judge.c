/* Asking the process that judges descriptions: see judge.h. The process itself: judge_child.c. */
#include "bridge/devices/judge.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bridge/devices/judge_internal.h"

/* A process and what leads to it; lives until the last of the three handles is closed. */
struct worker {
    uv_process_t process;
    uv_pipe_t in;
    uv_pipe_t out;
    struct judge_answer answer;
    size_t answer_size; /* bytes of it that have come */
    unsigned open;
    struct mup_judge *judge; /* NULL: nobody waits for it any more */
};

/* One for each question: the answer may come before libuv says that the question was written. */
struct asking {
    uv_write_t write;
    struct judge_question question;
};

struct mup_judge {
    struct mup_loop *loop;
    const char *queries_folder;
    struct worker *worker;                          /* NULL: not running */
    void (*verdict)(void *arg, const char *reason); /* NULL: nothing was asked */
    void *arg;
    const uint8_t *bytes;
    size_t size;
    bool again; /* the second process is asked about these bytes */
};

static void on_closed(uv_handle_t *handle)
{
    struct worker *worker = handle->data;

    if (--worker->open == 0)
        free(worker);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

/* The process is waited for here, unless it has ended by itself: nobody would close its handle when
 * the loop has come to its end. */
static void drop_worker(struct worker *worker)
{
    if (worker->judge != NULL)
        worker->judge->worker = NULL;
    worker->judge = NULL;
    if (!uv_is_closing((uv_handle_t *)&worker->process)) {
        uv_process_kill(&worker->process, SIGKILL);
        waitpid(uv_process_get_pid(&worker->process), NULL, 0);
        close_handle((uv_handle_t *)&worker->process);
    }
    close_handle((uv_handle_t *)&worker->in);
    close_handle((uv_handle_t *)&worker->out);
}

static void say_verdict(struct mup_judge *judge, const char *reason)
{
    void (*verdict)(void *arg, const char *reason) = judge->verdict;

    judge->verdict = NULL;
    if (verdict != NULL)
        verdict(judge->arg, reason);
}

static bool ask(struct mup_judge *judge);

/* It ended by itself, or somebody killed it, perhaps before the question: ask another one, once. */
static void lose_worker(struct worker *worker)
{
    struct mup_judge *judge = worker->judge;

    if (judge == NULL)
        return;
    drop_worker(worker);
    if (judge->verdict == NULL)
        return;
    if (!judge->again) {
        judge->again = true;
        if (ask(judge))
            return;
    }
    say_verdict(judge, "the process that judges descriptions ended over this one");
}

static void on_exit_of_child(uv_process_t *process, int64_t exit_status, int term_signal)
{
    struct worker *worker = process->data;

    (void)exit_status;
    (void)term_signal;
    close_handle((uv_handle_t *)process);
    lose_worker(worker);
}

static void on_written(uv_write_t *write, int status)
{
    struct worker *worker = write->handle->data;

    free(write->data);
    if (status != 0 && status != UV_ECANCELED)
        lose_worker(worker);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct worker *worker = handle->data;

    (void)suggested;
    *room = uv_buf_init((char *)&worker->answer + worker->answer_size,
                        (unsigned)(sizeof worker->answer - worker->answer_size));
}

static void take_answer(struct worker *worker)
{
    struct mup_judge *judge = worker->judge;
    char reason[MUP_JUDGE_REASON_MAX + 1];

    memcpy(reason, worker->answer.reason, sizeof worker->answer.reason);
    reason[MUP_JUDGE_REASON_MAX] = '\0';
    worker->answer_size = 0;
    if (worker->answer.verdict == JUDGE_KILLED)
        snprintf(reason, sizeof reason, "reading this description takes more than %u s or %u MiB",
                 MUP_JUDGE_CPU_S, MUP_JUDGE_MEMORY_SIZE >> 20);
    else if (reason[0] == '\0')
        snprintf(reason, sizeof reason, "the description cannot be read");
    say_verdict(judge, worker->answer.verdict == JUDGE_USABLE ? NULL : reason);
}

static void on_said(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    struct worker *worker = stream->data;

    (void)room;
    if (size < 0) {
        lose_worker(worker);
        return;
    }
    worker->answer_size += (size_t)size;
    if (worker->answer_size == sizeof worker->answer)
        take_answer(worker);
}

static int spawn(struct worker *worker, struct mup_loop *loop, const char *queries_folder)
{
    char program[] = "/proc/self/exe";
    char argument[] = MUP_JUDGE_ARGUMENT;
    char folder[512];
    char *arguments[] = {program, argument, queries_folder == NULL ? NULL : folder, NULL};
    uv_stdio_container_t stdio[3];
    uv_process_options_t options = {.file = program,
                                    .args = arguments,
                                    .exit_cb = on_exit_of_child,
                                    .stdio_count = 3,
                                    .stdio = stdio};

    if (queries_folder != NULL)
        snprintf(folder, sizeof folder, "%s", queries_folder);
    stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
    stdio[0].data.stream = (uv_stream_t *)&worker->in;
    stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[1].data.stream = (uv_stream_t *)&worker->out;
    stdio[2].flags = UV_INHERIT_FD;
    stdio[2].data.fd = STDERR_FILENO;
    uv_pipe_init(&loop->uv, &worker->in, 0);
    uv_pipe_init(&loop->uv, &worker->out, 0);
    worker->in.data = worker->out.data = worker->process.data = worker;
    worker->open = 3;
    return uv_spawn(&loop->uv, &worker->process, &options);
}

static bool start_worker(struct mup_judge *judge)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (worker == NULL)
        return false;
    if (spawn(worker, judge->loop, judge->queries_folder) != 0) {
        close_handle((uv_handle_t *)&worker->process);
        close_handle((uv_handle_t *)&worker->in);
        close_handle((uv_handle_t *)&worker->out);
        return false;
    }
    worker->judge = judge;
    judge->worker = worker;
    uv_read_start((uv_stream_t *)&worker->out, give_room, on_said);
    return true;
}

struct mup_judge *mup_judge_new(struct mup_loop *loop, const char *queries_folder)
{
    struct mup_judge *judge = calloc(1, sizeof *judge);

    if (judge != NULL) {
        judge->loop = loop;
        judge->queries_folder = queries_folder;
    }
    return judge;
}

static bool ask(struct mup_judge *judge)
{
    struct asking *asking = malloc(sizeof *asking);
    uv_buf_t buffers[2];

    if (asking == NULL || (judge->worker == NULL && !start_worker(judge))) {
        free(asking);
        return false;
    }
    asking->write.data = asking;
    asking->question.size = (uint32_t)judge->size;
    buffers[0] = uv_buf_init((char *)&asking->question, sizeof asking->question);
    buffers[1] = uv_buf_init((char *)(uintptr_t)judge->bytes, (unsigned)judge->size);
    if (uv_write(&asking->write, (uv_stream_t *)&judge->worker->in, buffers, 2, on_written) == 0)
        return true;
    free(asking);
    drop_worker(judge->worker);
    return false;
}

bool mup_judge_ask(struct mup_judge *judge, const uint8_t *bytes, size_t size,
                   void (*verdict)(void *arg, const char *reason), void *arg)
{
    judge->bytes = bytes;
    judge->size = size;
    judge->again = false;
    if (!ask(judge))
        return false;
    judge->verdict = verdict;
    judge->arg = arg;
    return true;
}

void mup_judge_free(struct mup_judge *judge)
{
    if (judge == NULL)
        return;
    if (judge->worker != NULL)
        drop_worker(judge->worker);
    free(judge);
}
