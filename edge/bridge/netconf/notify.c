/* What the server itself has to tell: sessions and capabilities (RFC 6470), the yang-library
 * (RFC 8525). */
#include "bridge/netconf/netconf_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/netconf/path.h"
#include "runtime/log.h"

#define EDITS_MAX 100u /* that a netconf-config-change names; more are only counted as changed */

/* A notification from its XML, and off with it. The text is ours and fits the schema but for what
 * a type cannot know, such as whether an instance exists. */
static void notify(struct mup_netconf *server, struct mup_text *xml)
{
    struct lyd_node *tree = NULL;
    struct ly_in *in = NULL;

    if (!xml->failed && ly_in_new_memory(xml->bytes, &in) == LY_SUCCESS) {
        lyd_parse_op(server->schemas.context, NULL, in, LYD_XML, LYD_TYPE_NOTIF_YANG, &tree, NULL);
        ly_in_free(in, 0);
    }
    if (!tree) {
        mup_log(MUP_LOG_ERROR, "netconf", mup_log_event("a notification of ours was lost"),
                mup_log_text("reason", ly_errmsg(server->schemas.context)));
    } else {
        (void)subscribe_queue(server, tree);
    }
    mup_text_free(xml);
}

static void add_session(struct mup_text *xml, const struct session *session)
{
    mup_text_format(xml, "<username>%s</username><session-id>%u</session-id>", session->user,
                    session->id);
}

void notify_session_start(const struct session *session)
{
    struct mup_text xml = {0};

    if (mup_netconf_is_heard(session->server)) {
        mup_text_add(&xml, "<netconf-session-start xmlns=\"" MUP_BASE_EVENTS_NAMESPACE "\">");
        add_session(&xml, session);
        mup_text_add(&xml, "</netconf-session-start>");
        notify(session->server, &xml);
    }
}

void notify_session_end(const struct session *session)
{
    static const char *const reasons[] = {
        [SESSION_END_OTHER] = "other",
        [SESSION_END_CLOSED] = "closed",
        [SESSION_END_KILLED] = "killed",
        [SESSION_END_DROPPED] = "dropped",
    };
    struct mup_text xml = {0};

    if (mup_netconf_is_heard(session->server)) {
        mup_text_add(&xml, "<netconf-session-end xmlns=\"" MUP_BASE_EVENTS_NAMESPACE "\">");
        add_session(&xml, session);
        if (session->end == SESSION_END_KILLED) {
            mup_text_format(&xml, "<killed-by>%u</killed-by>", session->killed_by);
        }
        mup_text_format(&xml, "<termination-reason>%s</termination-reason></netconf-session-end>",
                        reasons[session->end]);
        notify(session->server, &xml);
    }
}

/* Clients that know YANG 1.0 look at capabilities, those that know the yang-library at that. */
void notify_module(struct mup_netconf *server, const struct lys_module *module, bool added)
{
    const char *element = added ? "added-capability" : "deleted-capability";
    struct mup_text xml = {0};

    if (!mup_netconf_is_heard(server)) {
        return;
    }
    mup_text_add(&xml, "<netconf-capability-change xmlns=\"" MUP_BASE_EVENTS_NAMESPACE
                       "\"><changed-by><server/></changed-by>");
    if (module->parsed->version < LYS_VERSION_1_1) {
        mup_text_format(&xml, "<%s>", element);
        schemas_module_capability(module, &xml);
        mup_text_format(&xml, "</%s>", element);
    }
    mup_text_add(&xml, "<modified-capability>");
    schemas_library_capability(&server->schemas, &xml);
    mup_text_add(&xml, "</modified-capability></netconf-capability-change>");
    notify(server, &xml);

    mup_text_format(&xml,
                    "<yang-library-update xmlns=\"" MUP_LIBRARY_NAMESPACE
                    "\"><content-id>%llx.%u</content-id></yang-library-update>",
                    (unsigned long long)server->schemas.started, server->schemas.generation);
    notify(server, &xml);
}

/* ---- the configuration ---- */

/* NULL: nothing happens to this node itself. */
static const char *edit_name(const struct lyd_node *node, const char *inherited)
{
    const struct lyd_meta *meta = lyd_find_meta(node->meta, NULL, "yang:operation");
    const char *text = meta ? lyd_get_meta_value(meta) : inherited;

    return strcmp(text, "replace") == 0 ? "merge" : strcmp(text, "none") == 0 ? NULL : text;
}

/* The node itself, or the nearest above it that an instance-identifier can name; NULL: none. */
static const struct lyd_node *target_of(const struct lyd_node *node)
{
    const struct lyd_node *target = node;

    for (const struct lyd_node *at = node; at; at = lyd_parent(at)) {
        if (!path_can_name(at)) {
            target = lyd_parent(at);
        }
    }
    return target;
}

/* One edit for each node at which something begins to differ. Recursive over our own data. */
static void add_edits(struct mup_text *xml, const struct lyd_node *diff, const char *inherited,
                      size_t *count)
{
    const struct lyd_node *node;

    LY_LIST_FOR(diff, node)
    {
        const char *name = edit_name(node, inherited);
        struct path path = {0};
        if (!name || lysc_is_np_cont(node->schema)) {
            add_edits(xml, lyd_child(node), name ? name : inherited, count);
            continue;
        }
        if (*count == EDITS_MAX) {
            return;
        }
        const struct lyd_node *target = target_of(node);
        if (!target) {
            continue;
        }
        ++*count;
        path_to_node(&path, target);
        mup_text_add(xml, "<edit><target");
        mup_text_add(xml, path.declarations.bytes ? path.declarations.bytes : "");
        mup_text_add(xml, ">");
        mup_text_escape(xml, path.text.bytes ? path.text.bytes : "");
        mup_text_format(xml, "</target><operation>%s</operation></edit>",
                        target == node ? name : "merge");
        xml->failed |= path.text.failed || path.declarations.failed;
        path_free(&path);
    }
}

void notify_config_change(struct mup_netconf *server, const char *user, uint32_t id,
                          const struct lyd_node *diff)
{
    struct mup_text xml = {0};
    size_t count = 0;

    if (!mup_netconf_is_heard(server) || !diff) {
        return;
    }
    mup_text_format(&xml,
                    "<netconf-config-change xmlns=\"" MUP_BASE_EVENTS_NAMESPACE "\"><changed-by>"
                    "<username>%s</username><session-id>%u</session-id></changed-by>"
                    "<datastore>running</datastore>",
                    user, id);
    add_edits(&xml, diff, "none", &count);
    mup_text_add(&xml, "</netconf-config-change>");
    notify(server, &xml);
}
