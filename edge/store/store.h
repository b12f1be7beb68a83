/*
 * What a daemon must not forget: one SQLite file, one writer thread, answers after COMMIT.
 *
 * This folder holds the only SQL of the project. bridge_store.h and server_store.h say what each
 * daemon keeps; this header says how keeping works, the same for both.
 *
 *     mup_bridge_store_open(&store, &loop, path, error);       once, at start
 *     mup_bridge_store_each_device(store, on_device, daemon);  reads: at once, what is committed
 *     mup_bridge_store_put_device(store, &device, on_done, daemon);
 *     ... on_done(daemon, MUP_OK, "") on the loop's thread: now the world may be told ...
 *     mup_bridge_store_close(store);                           before mup_loop_close()
 *
 * Writes are queued and carried out by the writer thread in the order of the calls; all that are
 * waiting share one transaction (group commit). One that fails is undone alone and does not take
 * the others with it; a COMMIT that fails fails them all. After kill -9 or loss of power the file
 * holds every write that was called done and none by halves (WAL, synchronous FULL).
 *
 * Reads run on a connection of their own and block for as long as they take: use them at start and
 * for requests of a person, not per message. They see what is committed, not what is queued.
 *
 * Each daemon has a file of its own and holds PATH.lock while it runs, so that it cannot be
 * started twice on one file. An older file is migrated at open, a newer one is refused.
 */
#ifndef MUP_STORE_H
#define MUP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"
#include "runtime/loop.h"

#define MUP_STORE_ERROR_SIZE      512u
#define MUP_STORE_GROUP_COUNT_MAX 512u /* writes in one transaction */
#define MUP_STORE_QUEUE_COUNT_MAX 65536u
#define MUP_STORE_BUSY_MS         5000u /* how long to wait for another program's lock */

/*
 * What became of a write, called exactly once, on the loop's thread, never from inside the call
 * that made it. `error` is for a person: what failed, in which file; "" when committed.
 *
 * MUP_OK          committed: it survives kill -9 and loss of power.
 * MUP_ERR_STATE   refused: it contradicts what is kept (a second running update of a device, a
 *                 second end of an update, a thing that does not exist).
 * MUP_ERR_BUSY    another program held the file locked for MUP_STORE_BUSY_MS: may be tried again.
 * MUP_ERR_SPACE   no disk space or memory.
 * MUP_ERR_FLASH   the disk did not do what it was told, or the file is damaged.
 */
typedef void mup_store_on_done(void *arg, enum mup_status status, const char *error);

/*
 * The open functions and the reads return:
 *
 * MUP_ERR_STATE   locked by a running daemon, made by a newer version, of another daemon, or the
 *                 path cannot be opened.
 * MUP_ERR_FORMAT  not an SQLite file, or a damaged one.
 * MUP_ERR_BUSY, MUP_ERR_SPACE, MUP_ERR_FLASH as above.
 *
 * The put functions return MUP_OK when the write is queued (on_done will come) or MUP_ERR_SPACE
 * (it will not): no memory, or MUP_STORE_QUEUE_COUNT_MAX are waiting. They copy what they are
 * given. on_done may be NULL: then a failure is only logged.
 *
 * The close functions finish what is queued, then close; callbacks that are due no longer come.
 */

#endif
