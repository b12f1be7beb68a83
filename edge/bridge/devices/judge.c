/* Judging descriptions in a child process: see judge.h. */
#include "bridge/devices/judge.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bridge/description/capability.h"
#include "bridge/description/yang.h"
#include "mup/bootstrap.h"

struct mup_judge {
    uv_process_t process;
    uv_pipe_t in;
    uv_pipe_t out;
    uv_write_t write;
    uint8_t *bytes;
    char reason[MUP_JUDGE_REASON_MAX + 1];
    size_t reason_size;
    int exit_code;
    unsigned open; /* handles that are not closed yet; the last one calls `verdict` */
    void (*verdict)(void *arg, const char *reason);
    void *arg;
};

/* What libraries of the bridge opened without close-on-exec, its connection to the broker above
 * all, is not for a process that reads a stranger's text. */
static void close_inherited(void)
{
    close_range(STDERR_FILENO + 1, ~0u, 0);
}

static void limit_child(void)
{
    struct rlimit processor = {MUP_JUDGE_CPU_S, MUP_JUDGE_CPU_S};
    struct rlimit files = {0, 0};

    setrlimit(RLIMIT_CPU, &processor);
    setrlimit(RLIMIT_FSIZE, &files);
    signal(SIGXFSZ, SIG_IGN); /* a warning to a stderr that is a file is no reason to die */
#if !defined(__SANITIZE_ADDRESS__)
    /* The address sanitizer reserves terabytes of addresses. */
    struct rlimit memory = {MUP_JUDGE_MEMORY_SIZE, MUP_JUDGE_MEMORY_SIZE};
    setrlimit(RLIMIT_AS, &memory);
#endif
}

static int say(const struct mup_problems *problems)
{
    char line[MUP_JUDGE_REASON_MAX];

    for (size_t i = 0; i < problems->count; i++)
        if (problems->items[i].severity == MUP_SEVERITY_ERROR) {
            fputs(mup_problems_line(line, sizeof line, problems, i, NULL), stdout);
            return 1;
        }
    fputs("the description cannot be read", stdout);
    return 1;
}

/* The bridge will read it again on its loop, where nobody else is served meanwhile. */
static bool took_long(void)
{
    return clock() > (clock_t)MUP_JUDGE_READ_MS * (CLOCKS_PER_SEC / 1000);
}

static int say_slow(void)
{
    printf("reading this description takes too long, more than %u ms", MUP_JUDGE_READ_MS);
    return 1;
}

int mup_judge_child(const char *queries_folder)
{
    static uint8_t bytes[MUP_DESCRIPTION_MAX + 1];
    struct mup_problems problems = {0};
    struct mup_describer *describer = NULL;
    struct mup_capability *capability = NULL;
    char *yang = NULL;
    int code = 0;
    size_t size;

    close_inherited();
    limit_child();
    size = fread(bytes, 1, sizeof bytes, stdin);
    if (mup_describer_new(&describer, &problems, queries_folder) != MUP_OK ||
        mup_description_parse(&capability, &problems, describer, bytes, size, MUP_DESCRIPTION_AUTO,
                              NULL) != MUP_OK ||
        mup_yang_module(&yang, capability) != MUP_OK)
        code = say(&problems);
    else if (took_long())
        code = say_slow();
    free(yang);
    mup_capability_free(capability);
    mup_describer_free(describer);
    return code;
}

/* The last handle is closed: say the verdict. */
static void on_closed(uv_handle_t *handle)
{
    struct mup_judge *judge = handle->data;

    if (--judge->open > 0)
        return;
    judge->reason[judge->reason_size] = '\0';
    if (judge->exit_code < 0)
        snprintf(judge->reason, sizeof judge->reason,
                 "reading this description takes more than %u s or %u MiB", MUP_JUDGE_CPU_S,
                 MUP_JUDGE_MEMORY_SIZE >> 20);
    else if (judge->exit_code > 0 && judge->reason_size == 0)
        snprintf(judge->reason, sizeof judge->reason, "the description cannot be read");
    judge->verdict(judge->arg, judge->exit_code == 0 ? NULL : judge->reason);
    free(judge->bytes);
    free(judge);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void on_exit_of_child(uv_process_t *process, int64_t exit_status, int term_signal)
{
    struct mup_judge *judge = process->data;

    judge->exit_code = term_signal != 0 ? -1 : (int)exit_status;
    close_handle((uv_handle_t *)process);
    close_handle((uv_handle_t *)&judge->in);
}

static void on_written(uv_write_t *write, int status)
{
    struct mup_judge *judge = write->data;

    (void)status;
    close_handle((uv_handle_t *)&judge->in);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct mup_judge *judge = handle->data;
    static char spill[256];
    size_t left = MUP_JUDGE_REASON_MAX - judge->reason_size;

    (void)suggested;
    *room = left > 0 ? uv_buf_init(judge->reason + judge->reason_size, (unsigned)left)
                     : uv_buf_init(spill, sizeof spill);
}

static void on_said(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    struct mup_judge *judge = stream->data;

    if (size < 0)
        close_handle((uv_handle_t *)stream);
    else if (room->base == judge->reason + judge->reason_size)
        judge->reason_size += (size_t)size;
}

static int spawn(struct mup_judge *judge, struct mup_loop *loop, const char *queries_folder)
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
    stdio[0].data.stream = (uv_stream_t *)&judge->in;
    stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[1].data.stream = (uv_stream_t *)&judge->out;
    stdio[2].flags = UV_INHERIT_FD;
    stdio[2].data.fd = STDERR_FILENO;
    uv_pipe_init(&loop->uv, &judge->in, 0);
    uv_pipe_init(&loop->uv, &judge->out, 0);
    judge->in.data = judge->out.data = judge->process.data = judge->write.data = judge;
    judge->open = 3;
    return uv_spawn(&loop->uv, &judge->process, &options);
}

static void no_verdict(void *arg, const char *reason)
{
    (void)arg;
    (void)reason;
}

struct mup_judge *mup_judge_start(struct mup_loop *loop, const char *queries_folder,
                                  const uint8_t *bytes, size_t size,
                                  void (*verdict)(void *arg, const char *reason), void *arg)
{
    struct mup_judge *judge = calloc(1, sizeof *judge);
    uv_buf_t buffer;

    if (judge == NULL)
        return NULL;
    judge->bytes = malloc(size);
    if (judge->bytes == NULL) {
        free(judge);
        return NULL;
    }
    memcpy(judge->bytes, bytes, size);
    judge->verdict = verdict;
    judge->arg = arg;
    if (spawn(judge, loop, queries_folder) != 0) {
        judge->verdict = no_verdict;
        close_handle((uv_handle_t *)&judge->process);
        close_handle((uv_handle_t *)&judge->in);
        close_handle((uv_handle_t *)&judge->out);
        return NULL;
    }
    uv_read_start((uv_stream_t *)&judge->out, give_room, on_said);
    buffer = uv_buf_init((char *)judge->bytes, (unsigned)size);
    if (uv_write(&judge->write, (uv_stream_t *)&judge->in, &buffer, 1, on_written) != 0)
        close_handle((uv_handle_t *)&judge->in);
    return judge;
}

void mup_judge_abort(struct mup_judge *judge)
{
    judge->verdict = no_verdict;
    uv_process_kill(&judge->process, SIGKILL);
}
