/*
 * The bridge as the update server sees it, over NETCONF like any other client: which devices there
 * are, and the three commands of an update.
 *
 *     edge = mup_edge_new(&loop, &settings);
 *     mup_edge_look(edge, on_look, arg);                          many at once share one <get>
 *     call = mup_edge_call(edge, &device, MUP_EDGE_TOKEN, none, on_answer, arg);
 *     mup_edge_cancel(call);                                      if it is not wanted any more
 *     mup_edge_free(edge);
 *
 * Each call has a session of its own, since a session answers strictly in order and one slow
 * device must not hold up the others. Callbacks come exactly once, on the loop's thread, never
 * from inside the call that made them, and not after a cancel or free.
 */
#ifndef MUP_SERVER_EDGE_H
#define MUP_SERVER_EDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "runtime/loop.h"
#include "server/directory.h"
#include "server/fault.h"
#include "server/update.h"

#define MUP_EDGE_TIMEOUT_MS      60000u /* of a call; the bridge's own deadline is shorter */
#define MUP_EDGE_LOOK_TIMEOUT_MS 15000u

enum mup_edge_command {
    MUP_EDGE_TOKEN,
    MUP_EDGE_MANIFEST, /* takes the signed extended manifest */
    MUP_EDGE_VERIFY,
    MUP_EDGE_COMMAND_COUNT,
};

struct mup_edge_settings {
    const char *socket_path;
    const char *user;
    uint32_t timeout_ms; /* 0: MUP_EDGE_TIMEOUT_MS */
    /* RPC names by command, as the devices' descriptions call the functions; NULL: the defaults
     * getDeviceToken, sendExtendedManifest, verifyFirmware. */
    const char *rpc_names[MUP_EDGE_COMMAND_COUNT];
    const char *manifest_input; /* name of the manifest's leaf; NULL: manifest */
};

struct mup_edge;
struct mup_edge_call;

/* fault is NULL and directory valid during the call, or the other way round. */
typedef void mup_edge_on_look(void *arg, const struct mup_fault *fault,
                              const struct mup_directory *directory);

/* How a command ended. answer is NULL when the device did not answer: then again, reason and
 * message are as mup_update_on_failure() takes them. */
typedef void mup_edge_on_answer(void *arg, const struct mup_update_answer *answer, bool again,
                                const char *reason, const char *message);

struct mup_edge *mup_edge_new(struct mup_loop *loop, const struct mup_edge_settings *settings);
void mup_edge_free(struct mup_edge *edge); /* NULL is allowed */

void mup_edge_look(struct mup_edge *edge, mup_edge_on_look *on_look, void *arg);

/* Forget what `arg` waits for. */
void mup_edge_forget_look(struct mup_edge *edge, const void *arg);

/* NULL: no memory; there will be no callback. */
struct mup_edge_call *mup_edge_call(struct mup_edge *edge,
                                    const struct mup_directory_device *device,
                                    enum mup_edge_command command, struct mup_bytes argument,
                                    mup_edge_on_answer *on_answer, void *arg);
void mup_edge_cancel(struct mup_edge_call *call);

#endif
