/*
 * What a NETCONF client calls, as a request to a device: which device, on which topic, which bytes;
 * and what the device says to it, as an answer to the client. RPCs and commands share both.
 */
#ifndef MUP_BRIDGE_REQUEST_H
#define MUP_BRIDGE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libyang/libyang.h>

#include "bridge/devices/arguments.h"
#include "bridge/devices/registry.h"
#include "bridge/netconf/netconf.h"
#include "mup/rpc.h"

#define MUP_MESSAGE_SIZE 400u /* of a sentence for a person, with NUL */

struct mup_device_request {
    struct mup_device *device;
    struct mup_known_description *description;
    const struct mup_rpc *rpc; /* of that description */
    char topic[MUP_TOPIC_SIZE_MAX + 1];
    uint8_t bytes[MUP_REQUEST_MAX];
    size_t size;
};

/* An rpc-error to be. */
struct mup_fault {
    enum mup_netconf_tag tag;
    const char *app_tag; /* NULL: none */
    const char *path;    /* NULL: none */
    char message[MUP_MESSAGE_SIZE];
};

/* Topics without the device's name that the operator allows. */
struct mup_allowed_topics {
    const char *const *items;
    size_t count;
};

/* Make the request of `input`, a validated RPC node. False: *fault says why not. */
bool mup_device_request_make(struct mup_device_request *out, struct mup_fault *fault,
                             const struct mup_registry *registry,
                             const struct mup_allowed_topics *allowed, const char *module,
                             const char *rpc, const struct lyd_node *input);

enum mup_verdict_kind {
    MUP_VERDICT_DONE,    /* state, and value if there is one */
    MUP_VERDICT_REFUSED, /* the same; message says what the device said */
    MUP_VERDICT_INVALID, /* app_tag and message say why the answer cannot be used */
};

struct mup_verdict {
    enum mup_verdict_kind kind;
    const struct mup_declared_state *state; /* NULL: the answer was invalid */
    bool has_value;
    char value[MUP_VALUE_TEXT_SIZE]; /* base64 */
    struct mup_bytes value_bytes;    /* in the response */
    const char *app_tag;
    char message[MUP_MESSAGE_SIZE];
};

/* What the device's response says to this RPC. */
void mup_verdict_make(struct mup_verdict *out, const struct mup_rpc *rpc,
                      const struct mup_device *device, struct mup_bytes response);

/* What is said when it does not answer. */
void mup_timeout_message(char message[MUP_MESSAGE_SIZE], const char *device, const char *rpc,
                         uint64_t timeout_s);

#endif
