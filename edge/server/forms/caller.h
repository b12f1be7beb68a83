/*
 * Calls of devices on behalf of a person: each in a NETCONF session of his own name, so that the
 * bridge's access rules decide and its log says who it was.
 *
 *     caller = mup_caller_new(&loop, &settings);
 *     mup_caller_call(caller, "operator", xml, on_called, arg);
 *     mup_caller_free(caller);             calls under way may or may not be carried out
 */
#ifndef MUP_SERVER_FORMS_CALLER_H
#define MUP_SERVER_FORMS_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/loop.h"
#include "server/fault.h"

#define MUP_CALLER_CALLS_MAX 256u
#define MUP_CALLER_STATE_MAX 64u
#define MUP_CALLER_VALUE_MAX 65536u /* base64 */

struct mup_caller;

struct mup_caller_settings {
    const char *socket_path;
    uint32_t timeout_ms; /* the bridge's own deadline is shorter */
};

/* What the bridge answered. Valid during the call. */
struct mup_caller_result {
    const char *state; /* the device's; with a fault the error's app-tag, which is the device's
                          state when it is one that its module declares: then the device refused */
    const char *value; /* base64; "": none */
    uint32_t took_ms;
};

/* Once, never from inside mup_caller_call(). fault is NULL when the device did it. */
typedef void mup_caller_on_called(void *arg, const struct mup_fault *fault,
                                  const struct mup_caller_result *result);

/* NULL: no memory. */
struct mup_caller *mup_caller_new(struct mup_loop *loop,
                                  const struct mup_caller_settings *settings);
void mup_caller_free(struct mup_caller *caller); /* NULL is allowed */

/* False: MUP_CALLER_CALLS_MAX are under way, or there is no memory; no callback will come. */
bool mup_caller_call(struct mup_caller *caller, const char *user, const char *rpc_xml,
                     mup_caller_on_called *on_called, void *arg);

#endif
