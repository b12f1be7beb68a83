/*
 * A NETCONF client over the bridge's Unix socket: one session, asynchronous, many calls.
 *
 *     client = mup_netconf_client_new(&loop, &settings, on_state, arg);
 *     mup_netconf_client_call(client, "<getDeviceToken xmlns=\"...\">...</getDeviceToken>",
 *                             10000, on_reply, arg);
 *     mup_netconf_client_free(client);
 *
 * Calls may be made before the session is up; they wait for the server's hello. The server
 * answers a session strictly in order (RFC 6241 4.5), so whoever wants concurrency opens one
 * session per device in flight; a session costs a socket and a few kB. There is no reconnect:
 * after a loss every call has been answered with MUP_NETCONF_LOST; free the client and make
 * another.
 */
#ifndef MUP_RUNTIME_NETCONF_CLIENT_H
#define MUP_RUNTIME_NETCONF_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"
#include "runtime/loop.h"

#define MUP_NETCONF_CALLS_MAX        64u
#define MUP_NETCONF_REPLY_SIZE_MAX   (16u * 1024u * 1024u)
#define MUP_NETCONF_HELLO_TIMEOUT_MS 10000u

struct mup_netconf_client;

enum mup_netconf_outcome {
    MUP_NETCONF_OK,      /* <ok/> or data: the RPC was carried out */
    MUP_NETCONF_ERROR,   /* <rpc-error>: it was not; tag and message say why */
    MUP_NETCONF_TIMEOUT, /* no reply in time: it may or may not have been carried out */
    MUP_NETCONF_LOST,    /* the session ended: likewise */
};

/* Valid only during the callback. Texts are never NULL, "" when absent. */
struct mup_netconf_reply {
    enum mup_netconf_outcome outcome;
    const char *xml; /* the whole <rpc-reply>, NUL-terminated */
    size_t xml_size;
    const char *error_tag;     /* RFC 6241 appendix A, such as "operation-failed" */
    const char *error_app_tag; /* of the bridge, such as "device-timeout" */
    const char *error_message; /* for a person */
};

typedef void mup_netconf_on_reply(void *arg, const struct mup_netconf_reply *reply);

struct mup_netconf_client_settings {
    const char *socket_path;
    const char *user; /* the name that the server knows us by */
    /* A notification (RFC 5277) of a session that has subscribed to them: the whole
     * <notification>, NUL-terminated, valid during the call. Not from inside another call; may
     * free the client. NULL: a notification ends the session, as what was not asked for. */
    void (*on_notification)(void *arg, const char *xml, size_t size);
};

/*
 * on_state(arg, true) after the hellos, (arg, false) after the session has ended, whatever the
 * reason; then free the client (from there, if you like). NULL: no memory or a bad path.
 */
struct mup_netconf_client *
mup_netconf_client_new(struct mup_loop *loop, const struct mup_netconf_client_settings *settings,
                       void (*on_state)(void *arg, bool open), void *arg);

/*
 * Call an RPC. `rpc_xml` is the operation element with its namespace; the envelope is ours. The
 * callback comes exactly once, never from inside this call. A timeout ends the session, since the
 * answers behind it could no longer be told apart from a server that is stuck.
 *
 * MUP_ERR_FORMAT  rpc_xml is not one well-formed element.
 * MUP_ERR_BUSY    MUP_NETCONF_CALLS_MAX calls are waiting.
 * MUP_ERR_STATE   the session has ended.
 * MUP_ERR_SPACE   no memory.
 */
MUP_MUST_CHECK
enum mup_status mup_netconf_client_call(struct mup_netconf_client *client, const char *rpc_xml,
                                        uint32_t timeout_ms, mup_netconf_on_reply *on_reply,
                                        void *arg);

/*
 * The text of the first element with this local name, entities decoded, NUL-terminated.
 *
 * MUP_ERR_FORMAT  there is none, or it has children.
 * MUP_ERR_SPACE   it does not fit into size bytes.
 */
MUP_MUST_CHECK
enum mup_status mup_netconf_reply_text(const struct mup_netconf_reply *reply, const char *name,
                                       char *text, size_t size);

/* Ends the session at once, without callbacks: a call under way may or may not be carried out. */
void mup_netconf_client_free(struct mup_netconf_client *client);

/* Append `text` to the NUL-terminated xml[0..size), with & < > " escaped. MUP_ERR_SPACE: no room,
 * MUP_ERR_FORMAT: a character that XML cannot carry; nothing was appended. */
MUP_MUST_CHECK
enum mup_status mup_netconf_append_escaped(char *xml, size_t size, const char *text);

#endif
