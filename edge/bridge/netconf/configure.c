/* The operations that change the running configuration (RFC 6241 7.2 to 7.6, 8.2, 8.6). */
#include "bridge/netconf/netconf_internal.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/netconf/edit.h"
#include "runtime/log.h"

/* One of the words of this leaf of the call, the first when it is not there; NULL: it was refused.
 * These calls are not parsed by libyang as a whole: it would judge the <config> too, and tell less.
 */
static const char *word(struct mup_netconf_request *request, const char *name,
                        const char *const words[3])
{
    const struct lyd_node_opaq *leaf = opaq_child(request->call, name);

    for (size_t i = 0; leaf && i < 3; i++) {
        if (leaf->value && strcmp(leaf->value, words[i]) == 0) {
            return words[i];
        }
    }
    if (leaf) {
        reply_refuse(request, MUP_NETCONF_TAG_INVALID_VALUE, name, "this is none of its values");
        return NULL;
    }
    return words[0];
}

/* False: it was refused. */
static bool has_target(struct mup_netconf_request *request)
{
    if (!opaq_child(opaq_child(request->call, "target"), "running")) {
        reply_refuse(request, MUP_NETCONF_TAG_MISSING_ELEMENT, "target",
                     "name the datastore: <target><running/></target>");
        return false;
    }
    return true;
}

static struct rpc_error error_of(const struct edit_fault *fault)
{
    return (struct rpc_error){.type = ERROR_APPLICATION,
                              .tag = fault->tag,
                              .app_tag = fault->app_tag,
                              .path = fault->path.text.size > 0 ? fault->path.text.bytes : NULL,
                              .path_ns = fault->path.declarations.bytes,
                              .message = fault->message,
                              .bad_element = fault->bad_element,
                              .bad_attribute = fault->bad_attribute,
                              .bad_namespace = fault->bad_namespace};
}

static void refuse_edit(struct mup_netconf_request *request, const struct edit_fault *fault)
{
    struct rpc_error error = error_of(fault);

    reply_error(request, &error);
}

/* Of an edit that goes on: kept for the answer. */
static void note_error(void *arg, const struct edit_fault *fault)
{
    struct mup_netconf_request *request = arg;
    struct rpc_error error = error_of(fault);

    reply_add_error(&request->errors, &error);
}

/* ---- may this user change that? ---- */

static enum access_operation operation_of(const struct lyd_node *node)
{
    const struct lyd_meta *meta = lyd_find_meta(node->meta, NULL, "yang:operation");
    const char *text = meta ? lyd_get_meta_value(meta) : "none";

    return strcmp(text, "create") == 0   ? ACCESS_CREATE
           : strcmp(text, "delete") == 0 ? ACCESS_DELETE
           : strcmp(text, "none") == 0   ? ACCESS_READ /* nothing happens to it */
                                         : ACCESS_UPDATE;
}

/* The first node of the difference that the user may not change so; NULL: all is permitted. What
 * lies below a created or deleted node is created or deleted too. Recursive over our own data. */
static const struct lyd_node *find_denied(const struct access *access, const struct lyd_node *diff,
                                          enum access_operation inherited)
{
    const struct lyd_node *node;

    LY_LIST_FOR(diff, node)
    {
        enum access_operation operation = operation_of(node);
        if (inherited == ACCESS_CREATE || inherited == ACCESS_DELETE) {
            operation = inherited;
        }
        /* A container without presence is no data of its own. */
        bool counts = !(node->flags & LYD_DEFAULT) && !lysc_is_np_cont(node->schema);
        if (operation != ACCESS_READ && counts && !access_may_touch(access, node, operation)) {
            return node;
        }
        const struct lyd_node *below = find_denied(access, lyd_child(node), operation);
        if (below) {
            return below;
        }
    }
    return NULL;
}

/* False: it was refused. */
static bool may_change(struct mup_netconf_request *request, const struct lyd_node *tree)
{
    struct mup_netconf *server = request->session->server;
    struct lyd_node *diff = NULL;
    struct path path = {0};
    struct access access;

    if (lyd_diff_siblings(server->running.tree, tree, 0, &diff) != LY_SUCCESS) {
        reply_refuse(request, MUP_NETCONF_TAG_RESOURCE_DENIED, NULL, "no memory");
        return false;
    }
    server_access(server, &access, request->session->user);
    const struct lyd_node *denied =
        access.everything ? NULL : find_denied(&access, diff, ACCESS_READ);
    if (denied) {
        server->running.denied_writes++;
        path_to_node(&path, denied);
        reply_error(request, &(struct rpc_error){.type = ERROR_APPLICATION,
                                                 .tag = MUP_NETCONF_TAG_ACCESS_DENIED,
                                                 .path = path.text.bytes,
                                                 .path_ns = path.declarations.bytes,
                                                 .message = "this user may not change this"});
    }
    path_free(&path);
    lyd_free_all(diff);
    return !denied;
}

/* ---- edit-config, copy-config, validate ---- */

/* Make a configuration of `from` (NULL: of nothing) and the <config> element. False: refused. */
static bool make(struct mup_netconf_request *request, struct edit *edit,
                 const struct lyd_node *from, const struct lyd_node_opaq *config)
{
    edit->schemas = &request->session->server->schemas;
    if (edit_begin(edit, from) && edit_read(edit, config) && edit_apply(edit) &&
        edit_validate(edit)) {
        return true;
    }
    refuse_edit(request, &edit->fault);
    return false;
}

static void change(struct mup_netconf_request *request, struct edit *edit,
                   const struct lyd_node *from, const struct lyd_node_opaq *config, bool test_only)
{
    struct lyd_node *tree = NULL;

    if (make(request, edit, from, config) && may_change(request, edit->tree)) {
        tree = edit->tree;
        edit->tree = NULL;
        if (test_only) {
            lyd_free_all(tree);
            running_answer(request);
        } else {
            running_change(request, tree);
        }
    }
    edit_free(edit);
}

void configure_edit(struct mup_netconf_request *request)
{
    static const char *const operations[3] = {"merge", "replace", "none"};
    static const char *const tests[3] = {"test-then-set", "set", "test-only"};
    static const char *const errors[3] = {"stop-on-error", "rollback-on-error",
                                          "continue-on-error"};
    const struct lyd_node_opaq *config = opaq_child(request->call, "config");
    const char *operation;
    const char *test;
    const char *error;

    if (!has_target(request) || !(operation = word(request, "default-operation", operations)) ||
        !(test = word(request, "test-option", tests)) ||
        !(error = word(request, "error-option", errors))) {
        return;
    }
    if (!config) {
        reply_refuse(request, MUP_NETCONF_TAG_MISSING_ELEMENT, "config", "there is no <config>");
    } else if (running_take(request)) {
        struct edit edit = {.pass_over = error == errors[2] ? note_error : NULL,
                            .arg = request,
                            .default_operation = operation == operations[1]   ? EDIT_REPLACE
                                                 : operation == operations[2] ? EDIT_NONE
                                                                              : EDIT_MERGE};
        change(request, &edit, request->session->server->running.tree, config, test == tests[2]);
    }
}

void configure_copy(struct mup_netconf_request *request)
{
    const struct lyd_node_opaq *source = opaq_child(request->call, "source");
    const struct lyd_node_opaq *config = opaq_child(source, "config");
    struct edit edit = {.default_operation = EDIT_REPLACE};

    if (!has_target(request)) {
        return;
    }
    if (!config) {
        reply_refuse(
            request, MUP_NETCONF_TAG_INVALID_VALUE, "source",
            "source and target are the same datastore; a <config> may be copied into running");
    } else if (running_take(request)) {
        change(request, &edit, NULL, config, false);
    }
}

/* No URL, no startup: there is nothing that could be deleted. */
void configure_delete(struct mup_netconf_request *request)
{
    reply_refuse(request, MUP_NETCONF_TAG_OPERATION_NOT_SUPPORTED, "target",
                 "the only datastore is running, which cannot be deleted");
}

void configure_validate(struct mup_netconf_request *request)
{
    const struct lyd_node_opaq *source = opaq_child(request->call, "source");
    const struct lyd_node_opaq *config = opaq_child(source, "config");
    struct edit edit = {.default_operation = EDIT_REPLACE};

    /* What runs was validated before it did. */
    if (!config || make(request, &edit, NULL, config)) {
        mup_netconf_reply_ok(request);
    }
    edit_free(&edit);
}

/* ---- locks ---- */

void configure_lock(struct mup_netconf_request *request)
{
    struct running *running = &request->session->server->running;

    if (running->locked_by != 0) {
        reply_error(request, &(struct rpc_error){.type = ERROR_PROTOCOL,
                                                 .tag = MUP_NETCONF_TAG_LOCK_DENIED,
                                                 .session_id = running->locked_by,
                                                 .message = "the lock is held already"});
        return;
    }
    running->locked_by = request->session->id;
    running->locked_ms = mup_loop_wall_ms();
    mup_netconf_reply_ok(request);
}

void configure_unlock(struct mup_netconf_request *request)
{
    struct running *running = &request->session->server->running;

    if (running->locked_by != request->session->id) {
        reply_refuse(request, MUP_NETCONF_TAG_OPERATION_FAILED, NULL,
                     "this session does not hold the lock");
        return;
    }
    running->locked_by = 0;
    mup_netconf_reply_ok(request);
}
