/*
 * Is a description safe to read? Asked of a child process with a limit on its processor time and
 * memory, because a description is a stranger's text and its queries may take for ever.
 *
 * The child is this same program, started with MUP_JUDGE_ARGUMENT, the template on its stdin; it
 * exits with 0 (it can be used) or 1 (the reason stands on its stdout). When it is killed, the
 * reason is that reading takes too long. After a verdict of 0 the bridge reads the template itself,
 * so a template that took the child more than MUP_JUDGE_READ_MS of processor time is refused too.
 * The limits are against what takes long; against a fault in a reader the child is no wall.
 */
#ifndef MUP_BRIDGE_JUDGE_H
#define MUP_BRIDGE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/loop.h"

#define MUP_JUDGE_ARGUMENT    "--judge-description"
#define MUP_JUDGE_CPU_S       5u
#define MUP_JUDGE_READ_MS     1000u /* the bridge reads it too, on its loop, at each start */
#define MUP_JUDGE_MEMORY_SIZE (512u * 1024u * 1024u)
#define MUP_JUDGE_REASON_MAX  480u

/* The child: read stdin, judge, exit. Returns the process's exit code. */
int mup_judge_child(const char *queries_folder);

struct mup_judge;

/*
 * Start a child for the template bytes[0..size), which is copied. `verdict` is called once on the
 * loop's thread, and the judge is gone then: reason is NULL when the description can be used. NULL
 * when no child could be started; verdict is not called then.
 */
struct mup_judge *mup_judge_start(struct mup_loop *loop, const char *queries_folder,
                                  const uint8_t *bytes, size_t size,
                                  void (*verdict)(void *arg, const char *reason), void *arg);

/* End the child now; verdict is not called. The loop must run on to free it. */
void mup_judge_abort(struct mup_judge *judge);

#endif
