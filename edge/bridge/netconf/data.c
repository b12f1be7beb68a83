/*
 * get and get-config (RFC 6241 7.1, 7.7; RFC 6243): state and configuration, what the user may see
 * of it, what the filter selects of that.
 *
 * A large answer, and one that an XPath selects, is made in a child process (query.c), which sees
 * everything as it was when it was forked. What is here only reads, so it does not know where it
 * runs.
 */
#include "bridge/netconf/netconf_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INLINE_WEIGHT_MAX 200u /* devices and modules; then the loop would stand still too long */

/* ---- the server's own state ---- */

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

static void add_lock(struct mup_text *text, const struct mup_netconf *server)
{
    if (server->running.locked_by != 0) {
        mup_text_format(text, "<locks><global-lock><locked-by-session>%u</locked-by-session>",
                        server->running.locked_by);
        add_date(text, "locked-time", server->running.locked_ms);
        mup_text_add(text, "</global-lock></locks>");
    }
}

/* netconf-state of RFC 6022; NULL: no memory. */
static struct lyd_node *monitoring_tree(const struct mup_netconf *server)
{
    struct mup_text text = {0};
    struct lyd_node *tree = NULL;

    mup_text_add(&text, "<netconf-state xmlns=\"" MUP_MONITORING_NAMESPACE "\"><capabilities>");
    schemas_capabilities(&server->schemas, &text);
    mup_text_add(&text, "</capabilities><datastores><datastore><name>running</name>");
    add_lock(&text, server);
    mup_text_add(&text, "</datastore></datastores><schemas>");
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

/* ---- collecting ---- */

static bool join(struct lyd_node **tree, struct lyd_node *more)
{
    if (!more) {
        return false;
    }
    if (*tree) {
        return lyd_insert_sibling(*tree, more, tree) == LY_SUCCESS;
    }
    *tree = more;
    return true;
}

static bool add_counters(struct lyd_node **tree, const struct mup_netconf *server)
{
    const struct running *running = &server->running;
    const struct {
        const char *path;
        uint32_t count;
    } counters[] = {
        {"/ietf-netconf-acm:nacm/denied-operations", running->denied_operations},
        {"/ietf-netconf-acm:nacm/denied-data-writes", running->denied_writes},
        {"/ietf-netconf-acm:nacm/denied-notifications", running->denied_notifications},
    };
    char number[16];

    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        struct lyd_node *made = NULL;
        snprintf(number, sizeof number, "%u", counters[i].count);
        if (lyd_new_path(*tree, server->schemas.context, counters[i].path, number,
                         LYD_NEW_PATH_UPDATE, *tree ? NULL : &made) != LY_SUCCESS) {
            return false;
        }
        *tree = *tree ? lyd_first_sibling(*tree) : made;
    }
    return true;
}

/* An XPath may speak of anything. */
static bool wants(const struct mup_netconf_request *request, const char *name, const char *ns)
{
    return request->filter.select || filter_wants(request->filter.subtree, name, ns);
}

static bool add_own_state(const struct mup_netconf_request *request, struct lyd_node **tree)
{
    const struct mup_netconf *server = request->session->server;

    return (!wants(request, "nacm", MUP_ACCESS_NAMESPACE) || add_counters(tree, server)) &&
           (!wants(request, "netconf-state", MUP_MONITORING_NAMESPACE) ||
            join(tree, monitoring_tree(server))) &&
           (!wants(request, "netconf", MUP_STREAMS_NAMESPACE) ||
            join(tree, subscribe_streams(server))) &&
           ((!wants(request, "yang-library", MUP_LIBRARY_NAMESPACE) &&
             !wants(request, "modules-state", MUP_LIBRARY_NAMESPACE)) ||
            join(tree, schemas_library(&server->schemas)));
}

static bool collect(const struct mup_netconf_request *request, struct lyd_node **tree)
{
    const struct mup_netconf *server = request->session->server;
    const struct mup_netconf_backend *backend = server->backend;
    bool with_state = strcmp(request->schema->name, "get") == 0;

    if (with_state && backend->get &&
        backend->get(backend->context, request->session->user, request->context, tree)) {
        return false;
    }
    if (server->running.tree &&
        lyd_merge_siblings(tree, server->running.tree, LYD_MERGE_DEFAULTS) != LY_SUCCESS) {
        return false;
    }
    return !with_state || add_own_state(request, tree);
}

/* RFC 6243; the basic mode is explicit. */
static uint32_t print_options(const struct mup_netconf_request *request)
{
    const struct lyd_node_opaq *mode = opaq_child(request->call, "with-defaults");
    const char *text = mode && mode->value ? mode->value : "explicit";

    return strcmp(text, "report-all") == 0          ? LYD_PRINT_WD_ALL
           : strcmp(text, "report-all-tagged") == 0 ? LYD_PRINT_WD_ALL_TAG
           : strcmp(text, "trim") == 0              ? LYD_PRINT_WD_TRIM
                                                    : LYD_PRINT_WD_EXPLICIT;
}

enum data_result data_print(const struct mup_netconf_request *request, struct mup_text *body)
{
    enum data_result result = DATA_OK;
    struct lyd_node *tree = NULL;
    struct access access;

    server_access(request->session->server, &access, request->session->user);
    mup_text_add(body, "<data>");
    if (!collect(request, &tree)) {
        result = DATA_FAILED;
    } else {
        access_prune(&access, &tree);
        result = filter_print(body, tree, &request->filter, print_options(request));
    }
    mup_text_add(body, "</data>");
    lyd_free_all(tree);
    return body->failed ? DATA_FAILED : result;
}

/* ---- answering ---- */

void data_answer(struct mup_netconf_request *request, enum data_result result,
                 struct mup_text *body)
{
    switch (result) {
    case DATA_OK:
        reply_body(request, body);
        return;
    case DATA_FAILED:
        reply_refuse(request, MUP_NETCONF_TAG_OPERATION_FAILED, NULL,
                     "the bridge could not collect its data");
        break;
    case DATA_BAD_XPATH:
        reply_error(request,
                    &(struct rpc_error){.type = ERROR_PROTOCOL,
                                        .tag = MUP_NETCONF_TAG_INVALID_VALUE,
                                        .bad_attribute = "select",
                                        .bad_element = "filter",
                                        .message = "not an XPath that selects nodes, or with a "
                                                   "prefix that is not declared"});
        break;
    case DATA_TOO_MUCH:
        reply_refuse(request, MUP_NETCONF_TAG_RESOURCE_DENIED, NULL,
                     "this takes too much processor time (5 s) or memory (512 MiB); ask for less");
        break;
    case DATA_TOO_LARGE:
        reply_refuse(request, MUP_NETCONF_TAG_TOO_BIG, NULL, "the answer is larger than 64 MiB");
        break;
    }
    mup_text_free(body);
}

static void answer(struct mup_netconf_request *request)
{
    const struct mup_netconf *server = request->session->server;
    const struct mup_netconf_backend *backend = server->backend;
    size_t weight =
        server->schemas.added_count + (backend->weight ? backend->weight(backend->context) : 0);
    struct mup_text body = {0};

    if (request->filter.select || weight > INLINE_WEIGHT_MAX) {
        query_start(request);
        return;
    }
    enum data_result result = data_print(request, &body);
    data_answer(request, result, &body);
}

/* False: it was refused. */
static bool check_defaults(struct mup_netconf_request *request)
{
    static const char *const modes[] = {"report-all", "report-all-tagged", "trim", "explicit"};
    const struct lyd_node_opaq *mode = opaq_child(request->call, "with-defaults");

    for (size_t i = 0; mode && i < sizeof modes / sizeof modes[0]; i++) {
        if (mode->value && strcmp(mode->value, modes[i]) == 0) {
            return true;
        }
    }
    if (mode) {
        reply_refuse(request, MUP_NETCONF_TAG_INVALID_VALUE, "with-defaults",
                     "report-all, report-all-tagged, trim or explicit");
    }
    return !mode;
}

void data_get(struct mup_netconf_request *request)
{
    if (check_defaults(request)) {
        answer(request);
    }
}

void data_get_config(struct mup_netconf_request *request)
{
    const struct lyd_node_opaq *source = opaq_child(request->call, "source");

    /* The features candidate, startup and url are off: the schema has nothing but running. */
    if (!source || !source->child) {
        reply_refuse(request, MUP_NETCONF_TAG_MISSING_ELEMENT, "source",
                     "name the datastore: <source><running/></source>");
    } else if (check_defaults(request)) {
        answer(request);
    }
}
