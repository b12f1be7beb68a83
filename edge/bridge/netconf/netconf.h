/*
 * The bridge's NETCONF server: sessions, framing, schemas and replies. What an RPC does is the
 * backend's business.
 *
 * RFC 6241 (protocol), 6242 (framing), 6022 (get-schema), 8525 (yang-library). It listens on a
 * Unix socket; sshd in front starts the relay mup-netconf for each SSH session. One libuv loop, no
 * thread: an RPC to a device is begun, and answered when the device has answered. A session is
 * answered strictly in order, one RPC at a time; requests behind it wait (bounded). libyang parses,
 * validates and prints; before libyang sees a byte, the message was checked to be well formed, at
 * most MUP_XML_DEPTH_MAX deep and free of document types and entities.
 *
 *     server = mup_netconf_new(&loop, &settings, &backend, error);
 *     mup_netconf_add_module(server, yang_text, error);      any time, sessions stay
 *     ... backend.begin_rpc(context, request, ...) -> later mup_netconf_reply_...(request, ...)
 *     mup_netconf_free(server);
 *
 * Who is who: a peer's uid comes from the kernel (SO_PEERCRED); its first line, `as NAME`, is
 * believed only from a uid in the settings.
 */
#ifndef MUP_BRIDGE_NETCONF_H
#define MUP_BRIDGE_NETCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <libyang/libyang.h>

#include "mup/status.h"
#include "runtime/loop.h"

#define MUP_NETCONF_ERROR_SIZE       512u
#define MUP_NETCONF_USER_SIZE_MAX    64u /* A-Z a-z 0-9 . _ - @ */
#define MUP_NETCONF_MESSAGE_SIZE_MAX (1024u * 1024u)
#define MUP_NETCONF_QUEUE_COUNT_MAX                               \
    128u /* requests behind the one in work; then we stop reading \
          */
#define MUP_NETCONF_SESSIONS_MAX  4096u
#define MUP_NETCONF_HELLO_WAIT_MS 30000u
#define MUP_NETCONF_GET_CPU_S     5u

#define MUP_NETCONF_UPDATE_USER   "mup-server"

struct mup_netconf;

/* One RPC that the backend has begun and not yet answered. Answer it exactly once, from begin_rpc
 * or later; after that, and after cancel(), the pointer is dead. */
struct mup_netconf_request;

/* The answer of keep_running; `error` is for a person. */
typedef void mup_netconf_on_kept(void *arg, enum mup_status status, const char *error);

struct mup_netconf_backend {
    void *context;

    /*
     * All state, as a new tree in `schemas`, or NULL for none. The server takes it over, takes out
     * what `user` may not see, merges the running configuration, applies the filter, and adds
     * yang-library and netconf-state itself. On an error the client gets operation-failed.
     *
     * May be called in a child process that ends when it has answered: it must only read.
     */
    enum mup_status (*get)(void *context, const char *user, const struct ly_ctx *schemas,
                           struct lyd_node **tree);

    /* About how many list entries get() gives: many are collected in a child process. NULL: few. */
    size_t (*weight)(void *context);

    /*
     * Keep the running configuration, so that it survives kill -9; `xml` is valid during the call.
     * Calls on_done(arg, ...) once, later, on the loop's thread: with MUP_OK the change counts.
     * Anything but MUP_OK returned: on_done will not come. NULL: it lives as long as the server.
     */
    enum mup_status (*keep_running)(void *context, const char *xml, mup_netconf_on_kept *on_done,
                                    void *arg);

    /* Whether `user` may call this RPC, after the rules about restricted_rpcs and of the running
     * configuration (RFC 8341) have let it pass. NULL: yes. Asked before the input is looked at,
     * also for ietf-netconf's own operations. */
    bool (*may_call)(void *context, const char *user, const char *module, const char *rpc);

    /*
     * Begin an RPC of a module that was added. `input` is the validated RPC node with its input,
     * alive until the request is answered or cancelled. Must lead to exactly one
     * mup_netconf_reply_...(), unless cancel() comes first; keep a deadline, the server has none.
     */
    void (*begin_rpc)(void *context, struct mup_netconf_request *request, const char *user,
                      const char *module, const char *rpc, const struct lyd_node *input);

    /* The session died or was killed: forget the request and do not answer it. */
    void (*cancel)(void *context, struct mup_netconf_request *request);

    /*
     * The text that mup_netconf_add_made_module() was given of a module that is not hidden, byte
     * for byte, malloc'ed: for get-schema, and when contexts are changed. NULL returned: no memory,
     * and it is asked again. NULL instead of a function: all texts are kept.
     */
    char *(*module_text)(void *context, const char *module);
};

struct mup_netconf_settings {
    const char *socket_path; /* at most 107 bytes; a dead socket there is replaced */
    const uid_t *uids;       /* peers whose `as NAME` is believed, for every name but the
                                update user's */
    size_t uid_count;
    const uid_t *update_uids; /* peers that may call themselves MUP_NETCONF_UPDATE_USER */
    size_t update_uid_count;
    /* RPC names, in any added module, that only MUP_NETCONF_UPDATE_USER may call. NULL: the
     * default, sendExtendedManifest and verifyFirmware. */
    const char *const *restricted_rpcs;
    size_t restricted_rpc_count;
    /* Where the base modules lie; NULL: Debian's libyang2 and libyuma-base. */
    const char *const *schema_folders;
    size_t schema_folder_count;
    size_t sessions_max; /* 0: MUP_NETCONF_SESSIONS_MAX */
    unsigned get_cpu_s;  /* processor time of a large get, or one by XPath; 0: the default */
    /* Users who may do everything but call restricted RPCs, whatever the running configuration
     * says: else nobody could begin, and one wrong rule could lock everybody out (the recovery
     * sessions of RFC 8341 2.2). */
    const char *const *administrators;
    size_t administrator_count;
};

/*
 * Load the base modules and listen. Settings are copied; `backend` must live as long as the server.
 * NULL: `error` says what is missing and what to do (a YANG file, a package, a path).
 */
struct mup_netconf *mup_netconf_new(struct mup_loop *loop,
                                    const struct mup_netconf_settings *settings,
                                    const struct mup_netconf_backend *backend,
                                    char error[MUP_NETCONF_ERROR_SIZE]);

/* Ends all sessions (requests are cancelled) and removes the socket. */
void mup_netconf_free(struct mup_netconf *server);

/*
 * Add a YANG module to the live context; sessions can call it at once, new ones see it in hello
 * (YANG 1.0 only, RFC 7950 5.6.4). The same text again is MUP_OK and does nothing.
 *
 * MUP_ERR_FORMAT  not valid YANG, or it imports what is not there: `error` has line and reason.
 * MUP_ERR_STATE   another text or revision with the same name or namespace is loaded already, or
 *                 the module augments, deviates or imports one that has nodes of its own (each
 *                 would move nodes that are in use; modules of typedefs and extensions may be
 *                 imported).
 * MUP_ERR_SPACE   no memory.
 */
MUP_MUST_CHECK
enum mup_status mup_netconf_add_module(struct mup_netconf *server, const char *yang_text,
                                       char error[MUP_NETCONF_ERROR_SIZE]);

/* The same, but the text is not kept, which takes as much memory as the text: module_text() of the
 * backend gives it whenever it is needed, from the next turn of the loop until the module is
 * hidden. */
MUP_MUST_CHECK
enum mup_status mup_netconf_add_made_module(struct mup_netconf *server, const char *yang_text,
                                            char error[MUP_NETCONF_ERROR_SIZE]);

/* Leave a module out of hello, yang-library and get-schema, and refuse its RPCs; adding the same
 * text again shows it again. libyang cannot unload a module from a live context: when many are
 * hidden, another context takes its place, a moment later. */
void mup_netconf_hide_module(struct mup_netconf *server, const char *name);

/*
 * Take up the running configuration as keep_running got it, after the modules that it needs were
 * added and before anybody connects. Without this call it is what a new bridge begins with: nobody
 * in a group, everything denied that no rule permits.
 *
 * MUP_ERR_FORMAT  it does not fit the modules: `error` says why; the one before stays.
 */
MUP_MUST_CHECK
enum mup_status mup_netconf_load_running(struct mup_netconf *server, const char *xml,
                                         char error[MUP_NETCONF_ERROR_SIZE]);

/* The top-level nodes of the running configuration, with defaults; valid until the loop goes on. */
const struct lyd_node *mup_netconf_running(const struct mup_netconf *server);

/* The live context, for building trees: at once, since another may take its place when the loop
 * goes on. An answer that was built in the one before is understood all the same. */
const struct ly_ctx *mup_netconf_schemas(const struct mup_netconf *server);

/* Whether this user may call this RPC, by everything that is asked when it comes as <rpc>: for one
 * that stands within another. */
bool mup_netconf_may_call(const struct mup_netconf *server, const char *user,
                          const struct lysc_node *rpc);

size_t mup_netconf_session_count(const struct mup_netconf *server);

/* The static module myno-devices, as text: the list that `get` fills (edge/bridge/yang). */
extern const char mup_netconf_devices_yang[];

/* ---- notifications ---- */

/* Whether anybody has subscribed: else it is not worth the trouble to build a notification. */
bool mup_netconf_is_heard(const struct mup_netconf *server);

/*
 * Tell subscribers. `tree` is a notification node in the live context with its children, as made by
 * lyd_new_path(NULL, schemas, "/myno-devices:telemetry/uuid", value, 0, &tree); it is taken over.
 * It is sent on the loop's next turn, so this may be called from anywhere. A subscriber with more
 * than 1 MiB of unsent notifications is dropped.
 *
 * MUP_ERR_FORMAT  not a notification, or it does not fit its schema: logged.
 * MUP_ERR_SPACE   no memory, or more than 4096 in one turn of the loop: this one is lost.
 */
enum mup_status mup_netconf_notify(struct mup_netconf *server, struct lyd_node *tree);

/* The same, told to this user's sessions alone. */
enum mup_status mup_netconf_notify_user(struct mup_netconf *server, const char *user,
                                        struct lyd_node *tree);

/* ---- answers ---- */

/* <ok/>: for an RPC without output. */
void mup_netconf_reply_ok(struct mup_netconf_request *request);

/*
 * The output. `tree` is an RPC node with output children, as made by
 * lyd_new_path(NULL, schemas, "/module:rpc/leaf", value, LYD_NEW_PATH_OUTPUT, &tree); it is taken
 * over and validated. If it does not fit the schema the client gets operation-failed and the
 * reason is logged: MUP_ERR_FORMAT, the request is answered all the same.
 */
enum mup_status mup_netconf_reply_tree(struct mup_netconf_request *request, struct lyd_node *tree);

/* The same from XML: the output elements with their namespace, such as
 * <token xmlns="urn:...">00ff</token>. */
enum mup_status mup_netconf_reply_xml(struct mup_netconf_request *request, const char *xml);

/* RFC 6241 appendix A. */
enum mup_netconf_tag {
    MUP_NETCONF_TAG_IN_USE,
    MUP_NETCONF_TAG_INVALID_VALUE,
    MUP_NETCONF_TAG_TOO_BIG,
    MUP_NETCONF_TAG_MISSING_ATTRIBUTE,
    MUP_NETCONF_TAG_BAD_ATTRIBUTE,
    MUP_NETCONF_TAG_UNKNOWN_ATTRIBUTE,
    MUP_NETCONF_TAG_MISSING_ELEMENT,
    MUP_NETCONF_TAG_BAD_ELEMENT,
    MUP_NETCONF_TAG_UNKNOWN_ELEMENT,
    MUP_NETCONF_TAG_UNKNOWN_NAMESPACE,
    MUP_NETCONF_TAG_ACCESS_DENIED,
    MUP_NETCONF_TAG_LOCK_DENIED,
    MUP_NETCONF_TAG_RESOURCE_DENIED,
    MUP_NETCONF_TAG_DATA_EXISTS,
    MUP_NETCONF_TAG_DATA_MISSING,
    MUP_NETCONF_TAG_OPERATION_NOT_SUPPORTED,
    MUP_NETCONF_TAG_OPERATION_FAILED,
    MUP_NETCONF_TAG_MALFORMED_MESSAGE,
};

/*
 * <rpc-error>, severity error, type application. app_tag (such as "unknown-device",
 * "device-timeout", "device-refused") and path (a leaf name of the input, such as "uuid") may be
 * NULL; message is English for a person and is escaped here.
 */
void mup_netconf_reply_error(struct mup_netconf_request *request, enum mup_netconf_tag tag,
                             const char *app_tag, const char *message, const char *path);

/*
 * The same, operation-failed, for a refusal that says more than its app_tag: `value` (NULL: nothing
 * more) stands in error-info as the element `value` of the RPC's module, as it would in its output.
 */
void mup_netconf_reply_refusal(struct mup_netconf_request *request, const char *app_tag,
                               const char *message, const char *value);

#endif
