/*
 * Programs that the testbed starts, and what they say.
 *
 * Each child's stdout and stderr go through a pipe to a log file and to whoever waits for a line,
 * so that nothing here ever sleeps: it waits for the event, with a deadline. A child dies with its
 * parent, whatever the parent dies of.
 */
#ifndef MUP_LAB_PROCESS_H
#define MUP_LAB_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define MUP_PROCESS_NAME_MAX 31u
#define MUP_PROCESSES_MAX    48u
#define MUP_PROCESS_LINE_MAX 4096u
#define MUP_PROCESS_KEEP_MAX (1u << 20) /* bytes of what one says; the log has it all */

struct mup_process {
    char name[MUP_PROCESS_NAME_MAX + 1];
    pid_t pid;       /* 0: not running */
    int out;         /* read end of its stdout and stderr; -1 when closed */
    int exit_status; /* as waitpid gave it, once it ended */
    FILE *log;

    /* private: the lines that were read last, at most MUP_PROCESS_KEEP_MAX bytes, and how far a
     * waiter has looked */
    char *text;
    size_t size;
    size_t capacity;
    size_t seen;
};

struct mup_process_set {
    struct mup_process list[MUP_PROCESSES_MAX];
    size_t count;
    char log_folder[256];
    volatile const int *stop; /* waits end when this becomes true (Ctrl-C); may be NULL */
};

/* Start argv[0] with arguments; a name that ran before is started again in its place. NULL, with a
 * message on stderr, when it cannot be started. */
struct mup_process *mup_process_start(struct mup_process_set *set, const char *name,
                                      const char *const argv[]);

/*
 * Wait until `process` says a line that contains `needle`, not looking at lines that an earlier
 * wait went past; the line goes to `line`. False at the deadline, at a stop, or when the
 * program has ended without saying it.
 */
bool mup_process_wait_line(struct mup_process_set *set, struct mup_process *process,
                           const char *needle, int timeout_ms, char *line, size_t line_size);

/* Read what the programs say for up to timeout_ms, or until one says something. */
void mup_process_pump(struct mup_process_set *set, int timeout_ms);

/* The next line that no wait has gone past; false when there is none yet. */
bool mup_process_next_line(struct mup_process *process, char *line, size_t line_size);

/* Ask it to end (SIGTERM), insist after timeout_ms (SIGKILL). */
void mup_process_stop(struct mup_process_set *set, struct mup_process *process, int timeout_ms);

/* kill -9, and wait until it is gone. */
void mup_process_kill(struct mup_process *process);

/* False once it has ended (and been waited for). */
bool mup_process_is_running(struct mup_process *process);

/* Stop all, the last started first, and release everything. */
void mup_process_stop_all(struct mup_process_set *set);

#endif
