/*
 * Is a description safe to read? Asked of a child process with a limit on its processor time and
 * memory, because a description is a stranger's text and its queries may take for ever.
 *
 * A judge is a process that has loaded the queries and waits: this same program, started with
 * MUP_JUDGE_ARGUMENT at the first question. For each question it forks a child, which has the
 * limits and reads the template, so that no description leaves anything behind for the next one.
 * (A program started for each description took 17 ms of processor time, 11 of them to load
 * libraries; a fork takes less than one.) When the child is killed, the reason is that reading
 * takes too long. After the verdict that it can be used the bridge reads the template itself, so a
 * template that took the child more than MUP_JUDGE_READ_MS of processor time is refused too. The
 * limits are against what takes long; against a fault in a reader the child is no wall.
 */
#ifndef MUP_BRIDGE_JUDGE_H
#define MUP_BRIDGE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/loop.h"

#define MUP_JUDGE_ARGUMENT    "--judge-descriptions"
#define MUP_JUDGE_CPU_S       5u
#define MUP_JUDGE_READ_MS     1000u /* the bridge reads it too, on its loop, at each start */
#define MUP_JUDGE_MEMORY_SIZE (512u * 1024u * 1024u)
#define MUP_JUDGE_REASON_MAX  480u

/* The judge's process: answers questions on stdin until it ends. Returns the exit code. */
int mup_judge_child(const char *queries_folder);

struct mup_judge;

/* NULL: no memory. `queries_folder` may be NULL and must outlive the judge. */
struct mup_judge *mup_judge_new(struct mup_loop *loop, const char *queries_folder);

/*
 * Ask about the template bytes[0..size), which must stay until the verdict. One question at a time.
 * `verdict` is called once on the loop's thread; the judge may be asked again within it. reason is
 * NULL when the description can be used. False when no process could be started; verdict is not
 * called then.
 */
bool mup_judge_ask(struct mup_judge *judge, const uint8_t *bytes, size_t size,
                   void (*verdict)(void *arg, const char *reason), void *arg);

/* End the process now; a verdict that is due is not called. The loop must run on to the end of what
 * the judge had open. */
void mup_judge_free(struct mup_judge *judge);

#endif
