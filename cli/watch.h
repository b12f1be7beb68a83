/*
 * Follow an update to its end through the server's event stream.
 */
#ifndef MUP_CLI_WATCH_H
#define MUP_CLI_WATCH_H

#include <jansson.h>

#include "rest.h"

/*
 * Call `show` for each news of update `id`, the first at once, until it has ended; the stream is
 * opened again when the server goes away and comes back (for up to a minute). On 0 *last is the
 * final state (json_decref it); otherwise the exit code, and the error was printed.
 */
int mup_watch(const struct mup_rest *rest, json_int_t id,
              void (*show)(void *context, const json_t *update), void *context, json_t **last);

/* True when the update has come to its end: confirmed, failed or reverted. */
int mup_update_has_ended(const json_t *update);

/* One line, or a bar that moves on a terminal, for each news. `context` is a struct mup_show. */
struct mup_show {
    int is_terminal;
    char state[32]; /* the last one that was shown */
};
void mup_show_update(void *context, const json_t *update);

/* What became of it, in words; the exit code. */
int mup_show_outcome(const json_t *update);

#endif
