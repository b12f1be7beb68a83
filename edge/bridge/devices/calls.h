/*
 * RPCs under way: each is one request on MQTT and one answer to NETCONF, at the latest at its
 * deadline (docs/SPEC.md section 12; MQTT 5 section 4.10).
 *
 * An answer is believed only on the response topic of the device that was asked, with correlation
 * data that nobody can guess, and once. When the broker was away, every call that still has time
 * is published again with its old correlation data; the device does it once.
 */
#ifndef MUP_BRIDGE_CALLS_H
#define MUP_BRIDGE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/devices/registry.h"
#include "bridge/netconf/netconf.h"
#include "runtime/loop.h"
#include "runtime/mqtt_session.h"

#define MUP_CALLS_MAX          16384u
#define MUP_CALL_TIMEOUT_S_MIN 1
#define MUP_CALL_TIMEOUT_S_MAX 86400

struct mup_calls;

struct mup_calls_settings {
    struct mup_loop *loop;
    struct mup_mqtt_session *session;
    struct mup_netconf *netconf;
    const struct mup_registry *registry;
    /* A device gave a declared answer. May be NULL. */
    void (*on_answer)(void *arg, const struct mup_device *device, const struct mup_rpc *rpc,
                      const struct mup_declared_state *state);
    void *arg;
    uint32_t timeout_s;
    const char *const *allowed_topics; /* topics without the device's name that may be used */
    size_t allowed_topic_count;
};

/* NULL: no memory. What the settings point to must live as long; allowed_topics too. */
struct mup_calls *mup_calls_new(const struct mup_calls_settings *settings);

/* Forget all calls without answering them; after the NETCONF server has gone. */
void mup_calls_free(struct mup_calls *calls);

/* The backend's begin_rpc: answers at once with an rpc-error, or later with what the device says.
 */
void mup_calls_begin(struct mup_calls *calls, struct mup_netconf_request *request,
                     const char *module, const char *rpc, const struct lyd_node *input);

/* The backend's cancel: the session is gone. */
void mup_calls_cancel(struct mup_calls *calls, const struct mup_netconf_request *request);

/* A message on mup/response/NAME. */
void mup_calls_response(struct mup_calls *calls, const char *name,
                        const struct mup_mqtt_message *message);

/* The broker is back: publish again what still has time. */
void mup_calls_republish(struct mup_calls *calls);

#endif
