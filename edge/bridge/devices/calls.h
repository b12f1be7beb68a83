/*
 * RPCs under way: each is one exchange with a device and one answer to the NETCONF session that
 * waits for it. They end with their session; what shall outlive it is a command (commands.h).
 */
#ifndef MUP_BRIDGE_CALLS_H
#define MUP_BRIDGE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/devices/exchange.h"
#include "bridge/devices/registry.h"
#include "bridge/devices/request.h"
#include "bridge/netconf/netconf.h"

#define MUP_CALL_TIMEOUT_S_MIN 1
#define MUP_CALL_TIMEOUT_S_MAX 86400

struct mup_calls;

struct mup_calls_settings {
    struct mup_exchanges *exchanges;
    struct mup_netconf *netconf;
    const struct mup_registry *registry;
    /* A device gave a declared answer. May be NULL. */
    void (*on_answer)(void *arg, struct mup_device *device, const struct mup_rpc *rpc,
                      const struct mup_declared_state *state);
    void *arg;
    uint32_t timeout_s;
    struct mup_allowed_topics allowed_topics;
};

/* NULL: no memory. What the settings point to must live as long. */
struct mup_calls *mup_calls_new(const struct mup_calls_settings *settings);

/* Forget all calls without answering them; after the NETCONF server has gone. */
void mup_calls_free(struct mup_calls *calls);

/* The backend's begin_rpc: answers at once with an rpc-error, or later with what the device says.
 */
void mup_calls_begin(struct mup_calls *calls, struct mup_netconf_request *request,
                     const char *module, const char *rpc, const struct lyd_node *input);

/* The backend's cancel: the session is gone. False: it is not one of ours. */
bool mup_calls_cancel(struct mup_calls *calls, const struct mup_netconf_request *request);

#endif
