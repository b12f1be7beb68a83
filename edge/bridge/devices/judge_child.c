/* The process that judges descriptions, each in a child of its own: see judge.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bridge/description/capability.h"
#include "bridge/description/yang.h"
#include "bridge/devices/judge_internal.h"
#include "mup/bootstrap.h"

/* What libraries of the bridge opened without close-on-exec, its connection to the broker above
 * all, is not for a process that reads a stranger's text. */
static void close_inherited(void)
{
    close_range(STDERR_FILENO + 1, ~0u, 0);
}

/* ---- the child that reads one ---- */

static void limit_child(void)
{
    struct rlimit processor = {MUP_JUDGE_CPU_S, MUP_JUDGE_CPU_S};
    struct rlimit files = {0, 0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
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
            return JUDGE_REFUSED;
        }
    fputs("the description cannot be read", stdout);
    return JUDGE_REFUSED;
}

/* The bridge will read it again on its loop, where nobody else is served meanwhile. */
static bool took_long(void)
{
    return clock() > (clock_t)MUP_JUDGE_READ_MS * (CLOCKS_PER_SEC / 1000);
}

static int say_slow(void)
{
    printf("reading this description takes too long, more than %u ms", MUP_JUDGE_READ_MS);
    return JUDGE_REFUSED;
}

static int read_one(struct mup_describer *describer, const uint8_t *bytes, size_t size)
{
    struct mup_problems problems = {0};
    struct mup_capability *capability = NULL;
    char *yang = NULL;
    int code = JUDGE_USABLE;

    if (mup_description_parse(&capability, &problems, describer, bytes, size, MUP_DESCRIPTION_AUTO,
                              NULL) != MUP_OK ||
        mup_yang_module(&yang, capability) != MUP_OK)
        code = say(&problems);
    else if (took_long())
        code = say_slow();
    free(yang);
    mup_capability_free(capability);
    return code;
}

/* Does not return. Its stdin would be the next question. Libraries' handlers at exit would take
 * longer than the reading. */
static void become_reader(struct mup_describer *describer, const uint8_t *bytes, size_t size,
                          int out)
{
    int code;

    limit_child();
    dup2(out, STDOUT_FILENO);
    close(STDIN_FILENO);
    close_inherited();
    code = read_one(describer, bytes, size);
    fflush(stdout);
    quick_exit(code);
}

/* ---- the process that waits ---- */

/* All of it; false at the end of what there is. */
static bool read_all(int fd, void *bytes, size_t size)
{
    char *at = bytes;

    while (size > 0) {
        ssize_t got = read(fd, at, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t done = write(fd, at, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        size -= (size_t)done;
    }
    return true;
}

/* Wait for the child, and take what it says until then; what does not fit is let go. */
static void hear(struct judge_answer *answer, pid_t child, int in)
{
    size_t size = 0;
    int status = 0;
    char spill[256];
    ssize_t got;

    do {
        bool full = size == sizeof answer->reason;
        got = read(in, full ? spill : answer->reason + size,
                   full ? sizeof spill : sizeof answer->reason - size);
        if (got > 0 && !full)
            size += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    answer->verdict = JUDGE_KILLED;
    if (WIFEXITED(status))
        answer->verdict = WEXITSTATUS(status) == JUDGE_USABLE ? JUDGE_USABLE : JUDGE_REFUSED;
}

static bool judge_one(struct mup_describer *describer, const uint8_t *bytes, size_t size)
{
    struct judge_answer answer = {.verdict = JUDGE_REFUSED};
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    child = fork();
    if (child == 0)
        become_reader(describer, bytes, size, ends[1]);
    close(ends[1]);
    if (child > 0)
        hear(&answer, child, ends[0]);
    close(ends[0]);
    return child > 0 && write_all(STDOUT_FILENO, &answer, sizeof answer);
}

/* Libraries initialise themselves at their first use, and symbols are bound: here once, instead of
 * in each child again, where it took longer than the reading. */
static void warm_up(struct mup_describer *describer)
{
    static const char own[] =
        "{\"@context\":{\"b\":\"http://www.onem2m.org/ontology/Base_Ontology/"
        "base_ontology#\",\"@base\":"
        "\"urn:mup:judge\"},\"@id\":\"#device\",\"@type\":\"b:Device\",\"b:hasThingProperty\":["
        "{\"@id\":\"#deviceUuid\",\"@type\":\"b:ThingProperty\",\"b:hasValue\":\"%s\"},"
        "{\"@id\":\"#deviceCategory\",\"@type\":\"b:ThingProperty\",\"b:hasValue\":\"none\"}]}";
    struct mup_problems problems = {0};
    struct mup_capability *capability = NULL;
    char *yang = NULL;

    /* What becomes of it does not matter. */
    if (mup_description_parse(&capability, &problems, describer, own, sizeof own - 1,
                              MUP_DESCRIPTION_AUTO, NULL) == MUP_OK &&
        mup_yang_module(&yang, capability) == MUP_OK)
        free(yang);
    mup_capability_free(capability);
}

int mup_judge_child(const char *queries_folder)
{
    static uint8_t bytes[MUP_DESCRIPTION_MAX];
    struct judge_question question;
    struct mup_problems problems = {0};
    struct mup_describer *describer = NULL;
    bool good;

    close_inherited();
    good = mup_describer_new(&describer, &problems, queries_folder) == MUP_OK;
    if (good)
        warm_up(describer);
    while (good && read_all(STDIN_FILENO, &question, sizeof question))
        good = question.size <= sizeof bytes && read_all(STDIN_FILENO, bytes, question.size) &&
               judge_one(describer, bytes, question.size);
    mup_describer_free(describer);
    return good ? 0 : 1;
}
