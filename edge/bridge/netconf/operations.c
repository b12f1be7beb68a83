/* The table of the operations that the server answers itself, and those that stand nowhere else. */
#include "bridge/netconf/netconf_internal.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- get-schema ---- */

static const char *text_of(const struct lyd_node_opaq *call, const char *name)
{
    const struct lyd_node_opaq *node = opaq_child(call, name);

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
        reply_refuse(request, MUP_NETCONF_TAG_INVALID_VALUE, "format",
                     "schemas are served in the format yang only");
        return;
    }
    switch (schemas_text(&request->session->server->schemas, &yang, name, version)) {
    case MUP_OK:
        break;
    case MUP_ERR_STATE:
        reply_error(request,
                    &(struct rpc_error){.type = ERROR_PROTOCOL,
                                        .tag = MUP_NETCONF_TAG_OPERATION_FAILED,
                                        .app_tag = "data-not-unique",
                                        .bad_element = "version",
                                        .message = "there are several revisions of this schema: "
                                                   "name the version"});
        return;
    case MUP_ERR_FORMAT:
        reply_refuse(request, MUP_NETCONF_TAG_INVALID_VALUE, version ? "version" : "identifier",
                     "there is no such schema");
        return;
    default:
        reply_refuse(request, MUP_NETCONF_TAG_RESOURCE_DENIED, NULL, "no memory");
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
        reply_refuse(request, MUP_NETCONF_TAG_INVALID_VALUE, "session-id",
                     victim == session ? "a session cannot kill itself: use close-session"
                                       : "there is no such session");
        return;
    }
    if (strcmp(victim->user, MUP_NETCONF_UPDATE_USER) == 0 &&
        strcmp(session->user, MUP_NETCONF_UPDATE_USER) != 0) {
        reply_refuse(request, MUP_NETCONF_TAG_ACCESS_DENIED, "session-id",
                     "sessions of the update server end with their updates");
        return;
    }
    victim->end = SESSION_END_KILLED;
    victim->killed_by = session->id;
    session_close(victim, false, "killed by another session");
    mup_netconf_reply_ok(request);
}

static const struct operation operations[] = {
    {"ietf-netconf", "get", false, true, data_get},
    {"ietf-netconf", "get-config", false, true, data_get_config},
    {"ietf-netconf", "close-session", true, false, run_close_session},
    {"ietf-netconf", "kill-session", true, false, run_kill_session},
    {"ietf-netconf-monitoring", "get-schema", false, false, run_get_schema},
    {"ietf-netconf", "edit-config", false, false, configure_edit},
    {"ietf-netconf", "copy-config", false, false, configure_copy},
    {"ietf-netconf", "delete-config", false, false, configure_delete},
    {"ietf-netconf", "validate", false, false, configure_validate},
    {"ietf-netconf", "lock", true, false, configure_lock},
    {"ietf-netconf", "unlock", true, false, configure_unlock},
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
