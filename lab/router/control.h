/*
 * The control socket: one command a line, one line of JSON as its answer.
 *
 *     report                       all counters
 *     reset                        counters and lateness to zero
 *     set NAME=VALUE ...           faults of the air (faults.h), all of them or none
 */
#ifndef MUP_LAB_CONTROL_H
#define MUP_LAB_CONTROL_H

#include <poll.h>

#include "air.h"
#include "realtime.h"

#define MUP_CONTROL_CLIENTS_MAX 4u

struct mup_control;

/* Serve a Unix socket; keeps the pointers. NULL after a message on stderr. */
struct mup_control *mup_control_open(const char *socket_path, struct mup_air *air,
                                     const struct mup_realtime *realtime);
void mup_control_close(struct mup_control *control);

/* Fill in what to poll; returns how many entries (at most MUP_CONTROL_CLIENTS_MAX + 1). */
nfds_t mup_control_poll_set(const struct mup_control *control, struct pollfd *set);

/* Handle what poll() found in the same set. */
void mup_control_handle(struct mup_control *control, const struct pollfd *set, nfds_t count);

#endif
