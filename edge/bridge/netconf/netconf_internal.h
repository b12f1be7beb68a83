/*
 * What the files of the NETCONF server share.
 *
 *   server.c      socket, who may connect, the public calls
 *   session.c     one peer: its name, hello, framing, queue and output
 *   rpc.c         one message: parse, check, dispatch
 *   operations.c  the table of operations; get-schema, close-session, kill-session
 *   data.c        get and get-config
 *   query.c       the same in a child process
 *   xpath.c       filters that are an XPath
 *   running.c     the running configuration: one change at a time, kept before it counts
 *   configure.c   edit-config, copy-config, validate, lock, unlock
 *   edit.c        what an edit-config makes of a configuration
 *   access.c      who may do what (RFC 8341)
 *   path.c        error paths
 *   subscribe.c   create-subscription and who hears what
 *   notify.c      what the server itself has to tell
 *   input.c       unknown and missing elements, before libyang sees the rest
 *   filter.c      which filter a call has; subtree filters
 *   reply.c       rpc-reply and rpc-error
 *   schemas.c     the modules
 *   rebuild.c     when hidden modules are given up
 */
#ifndef MUP_BRIDGE_NETCONF_INTERNAL_H
#define MUP_BRIDGE_NETCONF_INTERNAL_H

#include "bridge/netconf/access.h"
#include "bridge/netconf/netconf.h"
#include "bridge/netconf/schemas.h"
#include "runtime/netconf_framing.h"
#include "runtime/text.h"

#define FIRST_LINE_SIZE_MAX   128u
#define QUEUE_SIZE_MAX        (2u * MUP_NETCONF_MESSAGE_SIZE_MAX) /* bytes of waiting requests */
#define OUTPUT_SIZE_MAX       (8u * 1024u * 1024u) /* unsent replies; then requests wait */
#define ELEMENTS_MAX          16384u               /* of one request */
#define FILTER_ELEMENTS_MAX   256u
#define NOTIFIED_SIZE_MAX     (1024u * 1024u)       /* unsent notifications of a session */
#define NOTIFIED_SIZE_ALL_MAX (64u * 1024u * 1024u) /* and of all together */
#define EVENTS_MAX            4096u /* that wait for the loop's next turn; then we lose some */
#define CLOSE_WAIT_MS         5000u /* for the last reply to leave */
#define ENDED_CHECK_MS        500u  /* whether a peer that sends no more still listens */

enum session_state {
    SESSION_NAME,  /* waits for the first line */
    SESSION_HELLO, /* waits for the client's hello */
    SESSION_OPEN,
    SESSION_CLOSING,
};

/* The words of RFC 6470, as far as we use them; what nobody set is `other`. */
enum session_end {
    SESSION_END_OTHER,
    SESSION_END_CLOSED,
    SESSION_END_KILLED,
    SESSION_END_DROPPED,
};

struct message {
    struct message *next;
    size_t size;
    char text[];
};

struct session {
    struct session *next;
    struct session *previous;
    struct mup_netconf *server; /* NULL once it is closing and the server let it go */
    uv_pipe_t pipe;
    struct mup_timer *timer; /* hello, then whether an ended peer is there, then closing */
    enum session_state state;
    uint32_t id;
    uid_t uid;
    char user[MUP_NETCONF_USER_SIZE_MAX + 1];
    char first_line[FIRST_LINE_SIZE_MAX];
    size_t first_line_size;
    uint64_t login_ms;

    struct mup_netconf_framing framing;
    struct message *queue;
    struct message **queue_end;
    size_t queue_count;
    size_t queue_size;
    char *rest; /* read but not yet parsed, because the queue was full */
    size_t rest_size;
    bool reading;
    bool ended; /* the peer sends no more; it may still listen */
    bool pumping;
    size_t output_size;
    size_t notified_size; /* of it, notifications */

    bool subscribed;
    uint64_t subscribed_from; /* the first event that it hears */
    struct lyd_node *filter;  /* of its subscription; NULL: it hears everything */
    enum session_end end;
    uint32_t killed_by;

    struct mup_netconf_request *request; /* in work */
    uint32_t rpcs;
    uint32_t bad_rpcs;
    uint32_t rpc_errors;
    uint32_t notifications;
};

/* Something that happened, until all who want to hear it have been told. */
struct event {
    struct event *next;
    uint64_t number;
    uint64_t wall_ms;
    struct lyd_node *tree;                    /* the notification */
    char user[MUP_NETCONF_USER_SIZE_MAX + 1]; /* who alone hears it; "": everybody */
};

/* The running configuration, and one change of it at a time. */
struct running {
    struct lyd_node *tree; /* valid, with defaults */
    struct access_policy policy;
    uint32_t locked_by; /* a session's id; 0: nobody */
    uint64_t locked_ms;

    /* A change that is on its way into the store; the session may be gone meanwhile. */
    bool keeping;
    struct lyd_node *next;
    struct mup_netconf_request *keeper;
    char keeper_user[MUP_NETCONF_USER_SIZE_MAX + 1];
    uint32_t keeper_id;
    struct mup_netconf_request *waiting; /* other changes, the oldest first */

    uint32_t denied_operations;
    uint32_t denied_writes;
    uint32_t denied_notifications;
};

struct mup_netconf {
    struct mup_loop *loop;
    const struct mup_netconf_backend *backend;
    char *socket_path;
    uid_t *uids;
    size_t uid_count;
    uid_t *update_uids;
    size_t update_uid_count;
    char **restricted;
    size_t restricted_count;
    size_t sessions_max;
    unsigned get_cpu_s;
    char **administrators;
    size_t administrator_count;
    struct schemas schemas;
    struct running running;
    uv_pipe_t listener;
    struct session *sessions;
    size_t session_count;
    uint32_t last_id;
    uint64_t started_ms;
    uint64_t rpcs;
    uint64_t bad_rpcs;
    uint64_t rpc_errors;
    uint64_t notifications;

    size_t subscriber_count;
    size_t notified_size;
    struct event *events;
    struct event **events_end;
    size_t event_count;
    uint64_t next_event;
    struct mup_timer *telling; /* runs when there are events */

    struct mup_timer *rebuilding; /* runs when hidden modules hold much memory */

    struct query *queries;                   /* child processes at work */
    struct mup_netconf_request *query_queue; /* those who wait for one */
};

/* Of a call; both NULL: everything passes. */
struct filter {
    const struct lyd_node_opaq *subtree;
    const struct lyd_attr *select; /* an XPath, with the prefixes that it uses */
};

struct mup_netconf_request {
    struct mup_netconf *server;
    struct session *session;    /* NULL: it is being answered, or its session is gone */
    char *attributes;           /* of <rpc>, to be echoed (RFC 6241 4.2) */
    struct lyd_node *envelope;  /* the message as an opaque tree */
    struct lyd_node_opaq *call; /* the operation element in it */
    const struct lys_module *module;
    const struct lysc_node *schema; /* the RPC */
    const struct ly_ctx *context;
    struct lyd_node *tree;  /* typed input, NULL for get and get-config */
    struct filter filter;   /* of the operations that have one */
    struct mup_text errors; /* of an edit that goes on: <rpc-error>s, with which it is answered */
    bool begun;             /* the backend has it */
    /* Its session is gone; called before it is freed. NULL: nobody but the session knows it. */
    void (*on_cancel)(struct mup_netconf_request *request);
    struct mup_netconf_request *next; /* in running.waiting */
    void *work;                       /* what on_cancel needs */
};

/* ---- session.c ---- */
void session_accept(struct mup_netconf *server, uv_stream_t *listener);
/* Send a message; false: no memory, the session is closing. Takes the text. */
bool session_send(struct session *session, struct mup_text *text);
/* Send a notification, or end the session of somebody who does not read. */
void session_notify(struct session *session, const char *text, size_t size);
/* The request in work is answered: go on with the next. */
void session_answered(struct session *session);
/* End it: cancel what is in work; flush: let what was sent leave first. */
void session_close(struct session *session, bool flush, const char *why);

/* ---- server.c ---- */
/* Whether this uid may use any name at all. */
bool server_knows(const struct mup_netconf *server, uid_t uid);
bool server_may_be(const struct mup_netconf *server, uid_t uid, const char *user);
bool server_may_call(const struct mup_netconf *server, const char *user,
                     const struct lysc_node *rpc);
/* What the user may do by the running configuration; valid until that changes. */
void server_access(const struct mup_netconf *server, struct access *access, const char *user);
struct session *server_find(const struct mup_netconf *server, uint32_t id);

/* ---- rebuild.c ---- */
bool rebuild_init(struct mup_netconf *server);
void rebuild_free(struct mup_netconf *server);
/* A module was hidden: it may be time to give memory back. */
void rebuild_consider(struct mup_netconf *server);

/* ---- rpc.c ---- */
void rpc_handle(struct session *session, const char *message, size_t size);
void request_free(struct mup_netconf_request *request);

/* ---- data.c ---- */
enum data_result {
    DATA_OK,
    DATA_FAILED,
    DATA_BAD_XPATH,
    DATA_TOO_MUCH,  /* of processor time or memory */
    DATA_TOO_LARGE, /* the answer */
};
void data_get(struct mup_netconf_request *request);
void data_get_config(struct mup_netconf_request *request);
/* The <data> of a get or get-config. Only reads: it runs in a child process too. */
enum data_result data_print(const struct mup_netconf_request *request, struct mup_text *body);
/* Answer with what data_print made; the body is taken over. */
void data_answer(struct mup_netconf_request *request, enum data_result result,
                 struct mup_text *body);

/* ---- operations.c ---- */
/* An RPC that the server answers itself, from request->call or, if typed, request->tree. */
struct operation {
    const char *module;
    const char *rpc;
    bool typed;
    bool filtered; /* it has a filter of RFC 6241 section 6 */
    void (*run)(struct mup_netconf_request *request);
};
/* NULL: not one of the server's own. */
const struct operation *operation_find(const char *module, const char *rpc);

/* ---- subscribe.c ---- */
bool subscribe_init(struct mup_netconf *server);
void subscribe_free(struct mup_netconf *server);
void subscribe_run(struct mup_netconf_request *request);
void subscribe_end(struct session *session);
/* Tell this to who wants to hear it, on the loop's next turn; the tree is taken over. */
enum mup_status subscribe_queue(struct mup_netconf *server, struct lyd_node *tree);
/* The streams, as data of nc-notifications; NULL: no memory. */
struct lyd_node *subscribe_streams(const struct mup_netconf *server);

/* ---- query.c ---- */
/* Have data_print done by a child process, and answer. */
void query_start(struct mup_netconf_request *request);

/* ---- running.c ---- */
enum mup_status running_init(struct mup_netconf *server, char *error);
void running_free(struct mup_netconf *server);
/* Whether the request may change the configuration now. False: it was answered, or it waits and
 * its operation runs again. */
bool running_take(struct mup_netconf_request *request);
/* Let this be the running configuration, once it is kept; answers the request. Takes the tree. */
void running_change(struct mup_netconf_request *request, struct lyd_node *tree);
/* Answer a change that was made, or would be: ok, or the errors of what was passed over. */
void running_answer(struct mup_netconf_request *request);
/* The session holds no lock any more. */
void running_unlock(struct session *session);

/* ---- configure.c ---- */
void configure_edit(struct mup_netconf_request *request);
void configure_copy(struct mup_netconf_request *request);
void configure_delete(struct mup_netconf_request *request);
void configure_validate(struct mup_netconf_request *request);
void configure_lock(struct mup_netconf_request *request);
void configure_unlock(struct mup_netconf_request *request);

/* ---- notify.c ---- */
/* `diff` is of lyd_diff_siblings; `id` 0: the server did it itself. */
void notify_config_change(struct mup_netconf *server, const char *user, uint32_t id,
                          const struct lyd_node *diff);
void notify_session_start(const struct session *session);
void notify_session_end(const struct session *session);
/* A module came or went; call it after the change. */
void notify_module(struct mup_netconf *server, const struct lys_module *module, bool added);

/* ---- input.c ---- */
/* False: an rpc-error was sent and the request is gone. */
bool input_check(struct mup_netconf_request *request);
/* The first child of this name, whatever its namespace. NULL: there is none, or no parent. */
const struct lyd_node_opaq *opaq_child(const struct lyd_node_opaq *parent, const char *name);

/* ---- filter.c ---- */
/* Read the filter of the call into request->filter. False: it was refused. */
bool filter_take(struct mup_netconf_request *request);
/* Whether data in this top-level node can pass; `filter` NULL: everything passes. */
bool filter_wants(const struct lyd_node_opaq *filter, const char *name, const char *ns);
/* Append the XML of what passes of this tree and its siblings; `options` of libyang's printer. */
enum data_result filter_print(struct mup_text *text, const struct lyd_node *tree,
                              const struct filter *filter, uint32_t options);
/* A node with all below it; and, of one that is shown in part, tag and keys, and the end. */
void filter_print_whole(struct mup_text *text, const struct lyd_node *data, uint32_t options);
void filter_print_open(struct mup_text *text, const struct lyd_node *data);
void filter_print_close(struct mup_text *text, const struct lyd_node *data);
/* How many elements it has, itself included. */
size_t filter_size(const struct lyd_node_opaq *filter);

/* ---- xpath.c ---- */
/* Append the nodes that the XPath selects, with what is above and below them. */
enum data_result xpath_print(struct mup_text *text, const struct lyd_node *tree,
                             const struct lyd_attr *select, uint32_t options);

/* ---- reply.c ---- */
enum error_type { ERROR_TRANSPORT, ERROR_RPC, ERROR_PROTOCOL, ERROR_APPLICATION };

struct rpc_error {
    enum error_type type;
    enum mup_netconf_tag tag;
    const char *app_tag;
    const char *path;    /* XPath; its prefixes are bound by path_ns */
    const char *path_ns; /* such as ` xmlns:a="urn:a"`, escaped already; NULL: none */
    const char *message;
    const char *bad_element; /* error-info, each may be NULL */
    const char *bad_attribute;
    const char *bad_namespace;
    uint32_t session_id; /* who holds the lock; 0: nobody */
    const char *value;   /* error-info: <value> in the namespace `value_ns`; NULL: none */
    const char *value_ns;
};

const char *reply_tag_name(enum mup_netconf_tag tag);
/* The tag of an error of libyang (NULL: invalid-value). */
enum mup_netconf_tag reply_tag_of(const struct ly_err_item *item);
/* One <rpc-error>. */
void reply_add_error(struct mup_text *text, const struct rpc_error *error);
/* Answer and free the request. */
void reply_error(struct mup_netconf_request *request, const struct rpc_error *error);
/* The same for what the protocol forbids; `element` is the one to blame, or NULL. */
void reply_refuse(struct mup_netconf_request *request, enum mup_netconf_tag tag,
                  const char *element, const char *message);
/* `body` is what stands in <rpc-reply>; taken over. */
void reply_body(struct mup_netconf_request *request, struct mup_text *body);
/* An error about a request in which an element has no namespace. */
void reply_bad_namespace(struct session *session, const char *message, size_t size);
/* An error about a message that is no request. */
void reply_malformed(struct session *session, const char *message);
/* The error that libyang reported last, as RFC 6241 and 7950 15 name it. */
void reply_libyang(struct mup_netconf_request *request);

#endif
