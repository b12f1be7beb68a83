/* The operations that the server answers itself. */
#include "bridge/netconf/netconf_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void refuse(struct mup_netconf_request *request, enum mup_netconf_tag tag,
                   const char *app_tag, const char *element, const char *message)
{
    reply_error(request, &(struct rpc_error){.type = ERROR_PROTOCOL,
                                             .tag = tag,
                                             .app_tag = app_tag,
                                             .bad_element = element,
                                             .message = message});
}

static const struct lyd_node_opaq *child_named(const struct lyd_node_opaq *parent, const char *name)
{
    const struct lyd_node *child;

    LY_LIST_FOR(parent->child, child)
    {
        const struct lyd_node_opaq *node = (const struct lyd_node_opaq *)child;
        if (strcmp(node->name.name, name) == 0) {
            return node;
        }
    }
    return NULL;
}

static const char *leaf_value(const struct lyd_node *tree, const char *name)
{
    const struct lyd_node *child;

    LY_LIST_FOR(lyd_child(tree), child)
    {
        if (strcmp(child->schema->name, name) == 0) {
            return lyd_get_value(child);
        }
    }
    return NULL;
}

/* ---- get, get-config ---- */

static void add_date(struct mup_text *text, const char *element, uint64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char date[32];

    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    mup_text_format(text, "<%s>%s</%s>", element, date, element);
}

static void add_session(struct mup_text *text, const struct session *session)
{
    mup_text_format(text,
                    "<session><session-id>%u</session-id><transport>netconf-ssh</transport>"
                    "<username>%s</username>",
                    session->id, session->user);
    add_date(text, "login-time", session->login_ms);
    mup_text_format(text,
                    "<in-rpcs>%u</in-rpcs><in-bad-rpcs>%u</in-bad-rpcs>"
                    "<out-rpc-errors>%u</out-rpc-errors>"
                    "<out-notifications>%u</out-notifications></session>",
                    session->rpcs, session->bad_rpcs, session->rpc_errors, session->notifications);
}

/* netconf-state of RFC 6022; NULL: no memory. */
static struct lyd_node *monitoring_tree(const struct mup_netconf *server)
{
    struct mup_text text = {0};
    struct lyd_node *tree = NULL;

    mup_text_add(&text, "<netconf-state xmlns=\"" MUP_MONITORING_NAMESPACE "\"><capabilities>");
    schemas_capabilities(&server->schemas, &text);
    mup_text_add(&text, "</capabilities><datastores><datastore><name>running</name></datastore>"
                        "</datastores><schemas>");
    schemas_list(&server->schemas, &text);
    mup_text_add(&text, "</schemas><sessions>");
    for (const struct session *each = server->sessions; each; each = each->next) {
        if (each->state == SESSION_OPEN) {
            add_session(&text, each);
        }
    }
    mup_text_add(&text, "</sessions><statistics>");
    add_date(&text, "netconf-start-time", server->started_ms);
    mup_text_format(&text,
                    "<in-sessions>%u</in-sessions><in-rpcs>%u</in-rpcs>"
                    "<in-bad-rpcs>%u</in-bad-rpcs><out-rpc-errors>%u</out-rpc-errors>"
                    "<out-notifications>%u</out-notifications></statistics></netconf-state>",
                    server->last_id, (unsigned)server->rpcs, (unsigned)server->bad_rpcs,
                    (unsigned)server->rpc_errors, (unsigned)server->notifications);
    if (!text.failed) {
        lyd_parse_data_mem(server->schemas.context, text.bytes, LYD_XML,
                           LYD_PARSE_ONLY | LYD_PARSE_STRICT, 0, &tree);
    }
    mup_text_free(&text);
    return tree;
}

static void add_own_state(struct mup_text *body, const struct mup_netconf *server,
                          const struct lyd_node_opaq *filter)
{
    struct lyd_node *tree;

    if (filter_wants(filter, "netconf-state", MUP_MONITORING_NAMESPACE)) {
        tree = monitoring_tree(server);
        body->failed |= !tree;
        filter_print(body, tree, filter);
        lyd_free_all(tree);
    }
    if (filter_wants(filter, "netconf", MUP_STREAMS_NAMESPACE)) {
        tree = subscribe_streams(server);
        body->failed |= !tree;
        filter_print(body, tree, filter);
        lyd_free_all(tree);
    }
    if (filter_wants(filter, "yang-library", MUP_LIBRARY_NAMESPACE) ||
        filter_wants(filter, "modules-state", MUP_LIBRARY_NAMESPACE)) {
        tree = schemas_library(&server->schemas);
        body->failed |= !tree;
        filter_print(body, tree, filter);
        lyd_free_all(tree);
    }
}

typedef enum mup_status fill_tree(void *context, const char *user, const struct ly_ctx *schemas,
                                  struct lyd_node **tree);

static void answer_data(struct mup_netconf_request *request, fill_tree *fill, bool with_state)
{
    struct mup_netconf *server = request->session->server;
    struct lyd_node *tree = NULL;
    struct mup_text body = {0};

    if (request->filter.select) {
        refuse(request, MUP_NETCONF_TAG_OPERATION_NOT_SUPPORTED, NULL, "filter",
               "only filters of type subtree are served");
        return;
    }
    const struct lyd_node_opaq *filter = request->filter.subtree;
    if (fill && fill(server->backend->context, request->session->user, request->context, &tree)) {
        refuse(request, MUP_NETCONF_TAG_OPERATION_FAILED, NULL, NULL,
               "the bridge could not collect its data");
        return;
    }
    mup_text_add(&body, "<data>");
    filter_print(&body, tree, filter);
    lyd_free_all(tree);
    if (with_state) {
        add_own_state(&body, server, filter);
    }
    mup_text_add(&body, "</data>");
    reply_body(request, &body);
}

static void run_get(struct mup_netconf_request *request)
{
    answer_data(request, request->session->server->backend->get, true);
}

static void run_get_config(struct mup_netconf_request *request)
{
    const struct lyd_node_opaq *source = child_named(request->call, "source");

    /* The features candidate, startup and url are off: the schema has nothing but running. */
    if (!source || !source->child) {
        refuse(request, MUP_NETCONF_TAG_MISSING_ELEMENT, NULL, "source",
               "name the datastore: <source><running/></source>");
        return;
    }
    answer_data(request, request->session->server->backend->get_config, false);
}

/* ---- get-schema ---- */

static const char *text_of(const struct lyd_node_opaq *call, const char *name)
{
    const struct lyd_node_opaq *node = child_named(call, name);

    return !node ? NULL : node->value ? node->value : "";
}

/* The format is an identityref, but ncclient sends it without the namespace that it needs. */
static bool is_yang(const char *format)
{
    const char *colon = strchr(format, ':');

    return strcmp(colon ? colon + 1 : format, "yang") == 0;
}

static void run_get_schema(struct mup_netconf_request *request)
{
    const char *name = text_of(request->call, "identifier");
    const char *version = text_of(request->call, "version");
    const char *format = text_of(request->call, "format");
    struct mup_text body = {0};
    char *yang = NULL;

    if (format && !is_yang(format)) {
        refuse(request, MUP_NETCONF_TAG_INVALID_VALUE, NULL, "format",
               "schemas are served in the format yang only");
        return;
    }
    switch (schemas_text(&request->session->server->schemas, &yang, name, version)) {
    case MUP_OK:
        break;
    case MUP_ERR_STATE:
        refuse(request, MUP_NETCONF_TAG_OPERATION_FAILED, "data-not-unique", "version",
               "there are several revisions of this schema: name the version");
        return;
    case MUP_ERR_FORMAT:
        refuse(request, MUP_NETCONF_TAG_INVALID_VALUE, NULL, version ? "version" : "identifier",
               "there is no such schema");
        return;
    default:
        refuse(request, MUP_NETCONF_TAG_RESOURCE_DENIED, NULL, NULL, "no memory");
        return;
    }
    mup_text_add(&body, "<data xmlns=\"" MUP_MONITORING_NAMESPACE "\">");
    mup_text_escape(&body, yang);
    mup_text_add(&body, "</data>");
    free(yang);
    reply_body(request, &body);
}

/* ---- sessions ---- */

static void run_close_session(struct mup_netconf_request *request)
{
    struct session *session = request->session;

    session->end = SESSION_END_CLOSED;
    mup_netconf_reply_ok(request);
    session_close(session, true, "the client closed it");
}

static void run_kill_session(struct mup_netconf_request *request)
{
    struct session *session = request->session;
    uint32_t id = (uint32_t)strtoul(leaf_value(request->tree, "session-id"), NULL, 10);
    struct session *victim = server_find(session->server, id);

    if (!victim || victim == session || victim->state != SESSION_OPEN) {
        refuse(request, MUP_NETCONF_TAG_INVALID_VALUE, NULL, "session-id",
               victim == session ? "a session cannot kill itself: use close-session"
                                 : "there is no such session");
        return;
    }
    if (strcmp(victim->user, MUP_NETCONF_UPDATE_USER) == 0 &&
        strcmp(session->user, MUP_NETCONF_UPDATE_USER) != 0) {
        refuse(request, MUP_NETCONF_TAG_ACCESS_DENIED, NULL, "session-id",
               "sessions of the update server end with their updates");
        return;
    }
    victim->end = SESSION_END_KILLED;
    victim->killed_by = session->id;
    session_close(victim, false, "killed by another session");
    mup_netconf_reply_ok(request);
}

static const struct operation operations[] = {
    {"ietf-netconf", "get", false, true, run_get},
    {"ietf-netconf", "get-config", false, true, run_get_config},
    {"ietf-netconf", "close-session", true, false, run_close_session},
    {"ietf-netconf", "kill-session", true, false, run_kill_session},
    {"ietf-netconf-monitoring", "get-schema", false, false, run_get_schema},
    {"notifications", "create-subscription", true, true, subscribe_run},
};

const struct operation *operation_find(const char *module, const char *rpc)
{
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(operations[i].module, module) == 0 && strcmp(operations[i].rpc, rpc) == 0) {
            return &operations[i];
        }
    }
    return NULL;
}
