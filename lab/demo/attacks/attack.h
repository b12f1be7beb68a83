/*
 * The demo's attacks and faults: each with real messages on a real broker, against a real device.
 *
 * The attacker owns the broker: sees everything, records it, publishes anything at any time. For
 * forged-inner, downgrade, wrong-device and wrong-app the edge is broken into as well, and the
 * attacker signs with the update server's own private key. The vendor's key is never the
 * attacker's. power-cut is no attack but a fault: kill -9 of the device in mid-transfer.
 *
 * What is told of each is what the device answered, published or acknowledged, never what it should
 * have; an attack that gets through is told as such. Afterwards a genuine update must be confirmed.
 */
#ifndef MUP_LAB_ATTACK_H
#define MUP_LAB_ATTACK_H

#include <stdbool.h>
#include <stddef.h>

#include "board.h"

/* The names of the attacks, in the order in which "all" mounts them; static storage. */
const char *const *mup_attack_names(size_t *count);

/*
 * Put up a testbed (testbed.h), mount one attack or "all" of them, tell, and end everything again.
 *
 * `board` is the kind of device. `bin_folder` has the built programs, `source_folder` the source
 * tree. When *stop becomes not 0 (Ctrl-C; `stop` may be NULL) it ends early and tells only of
 * attacks that ran to their end: with `json` and without any such, an empty list. For one attack
 * stdout gets an account of it, for "all" a table; with `json` stdout gets exactly one JSON value,
 * an object or a list of objects with name, state, stopped, still_works, and more for who wants to
 * know:
 *
 *     {"name": "downgrade", "state": "invalid-version", "stopped": true, "still_works": true,
 *      "where": ..., "detail": ..., "milliseconds": ...,
 *      "attempts": [{"what": ..., "state": ..., "stopped": true}, ...]}
 *
 * Returns an exit code: 0, every attempt of every attack was stopped and the device still works;
 * 1, not so, or it could not be found out (the reason is on stderr); 2, no attack has that name
 * (the names are on stderr, stdout stays empty).
 */
int mup_demo_attack(const char *name, const struct mup_board *board, bool json,
                    const char *bin_folder, const char *source_folder, volatile const int *stop);

#endif
