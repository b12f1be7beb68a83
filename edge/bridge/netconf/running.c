/*
 * The running configuration (RFC 6241 5): labels of devices and the access rules.
 *
 * A change counts when the backend has kept it: until then others see what was before, and further
 * changes wait for it, so that what is in the store never is behind what a client was told.
 */
#include "bridge/netconf/netconf_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"

#define RUNNING_SIZE_MAX (8u * 1024u * 1024u) /* as XML */

static void answer(struct mup_netconf_request *request, enum mup_netconf_tag tag,
                   const char *message)
{
    reply_error(request,
                &(struct rpc_error){.type = ERROR_APPLICATION, .tag = tag, .message = message});
}

/* Done, though maybe not all of it. */
void running_answer(struct mup_netconf_request *request)
{
    struct mup_text errors = request->errors;

    request->errors = (struct mup_text){0};
    if (errors.size == 0 && !errors.failed) {
        mup_netconf_reply_ok(request);
        return;
    }
    request->session->rpc_errors++;
    request->server->rpc_errors++;
    reply_body(request, &errors);
}

/* ---- beginning and end ---- */

enum mup_status mup_netconf_load_running(struct mup_netconf *server, const char *xml,
                                         char error[MUP_NETCONF_ERROR_SIZE])
{
    struct running *running = &server->running;
    struct ly_ctx *context = server->schemas.context;
    struct lyd_node *tree = NULL;
    enum mup_status status = MUP_ERR_FORMAT;

    ly_err_clean(context, NULL);
    if (lyd_parse_data_mem(context, xml, LYD_XML, LYD_PARSE_STRICT | LYD_PARSE_NO_STATE,
                           LYD_VALIDATE_NO_STATE, &tree) == LY_SUCCESS) {
        status = access_policy_read(&running->policy, tree);
    }
    if (status) {
        const char *why = ly_errmsg(context);
        snprintf(error, MUP_NETCONF_ERROR_SIZE, "the running configuration cannot be used: %.300s",
                 why ? why : "too many access rules");
        lyd_free_all(tree);
        return status;
    }
    lyd_free_all(running->tree);
    running->tree = tree;
    return MUP_OK;
}

enum mup_status running_init(struct mup_netconf *server, char *error)
{
    return mup_netconf_load_running(server, access_first_rules, error);
}

void running_free(struct mup_netconf *server)
{
    lyd_free_all(server->running.tree);
    lyd_free_all(server->running.next);
    server->running.tree = server->running.next = NULL;
}

const struct lyd_node *mup_netconf_running(const struct mup_netconf *server)
{
    return server->running.tree;
}

/* ---- one change at a time ---- */

static void leave_queue(struct mup_netconf_request *request)
{
    struct mup_netconf_request **at = &request->session->server->running.waiting;

    while (*at && *at != request) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = request->next;
    }
}

bool running_take(struct mup_netconf_request *request)
{
    struct running *running = &request->session->server->running;
    uint32_t holder = running->locked_by;

    if (holder != 0 && holder != request->session->id) {
        reply_error(request, &(struct rpc_error){.type = ERROR_PROTOCOL,
                                                 .tag = MUP_NETCONF_TAG_IN_USE,
                                                 .session_id = holder,
                                                 .message = "another session holds the lock"});
        return false;
    }
    if (running->keeping) {
        struct mup_netconf_request **end = &running->waiting;
        while (*end) {
            end = &(*end)->next;
        }
        request->next = NULL;
        request->on_cancel = leave_queue;
        *end = request;
        return false;
    }
    return true;
}

/* Those who waited try again; each that begins a change makes the others wait again. */
static void run_waiting(struct running *running)
{
    struct mup_netconf_request *request;

    while (!running->keeping && (request = running->waiting)) {
        running->waiting = request->next;
        request->on_cancel = NULL;
        operation_find(request->module->name, request->schema->name)->run(request);
    }
}

static void forget_keeper(struct mup_netconf_request *request)
{
    request->session->server->running.keeper = NULL;
}

/* The new configuration counts from here. */
static void swap_in(struct mup_netconf *server)
{
    struct running *running = &server->running;
    struct lyd_node *diff = NULL;

    if (mup_netconf_is_heard(server)) {
        lyd_diff_siblings(running->tree, running->next, 0, &diff);
    }
    lyd_free_all(running->tree);
    running->tree = running->next;
    running->next = NULL;
    /* It was read once before it was kept: it fits. */
    if (access_policy_read(&running->policy, running->tree)) {
        running->policy = (struct access_policy){.enabled = true};
    }
    notify_config_change(server, running->keeper_user, running->keeper_id, diff);
    lyd_free_all(diff);
}

static void on_kept(void *arg, enum mup_status status, const char *error)
{
    struct mup_netconf *server = arg;
    struct running *running = &server->running;
    struct mup_netconf_request *request = running->keeper;

    running->keeping = false;
    running->keeper = NULL;
    if (request) {
        request->on_cancel = NULL;
    }
    if (status == MUP_OK) {
        mup_log(MUP_LOG_INFO, "netconf", mup_log_event("configuration changed"),
                mup_log_text("user", running->keeper_user),
                mup_log_number("session", running->keeper_id));
        swap_in(server);
        if (request) {
            running_answer(request);
        }
    } else {
        mup_log(MUP_LOG_ERROR, "netconf", mup_log_event("configuration not kept"),
                mup_log_text("why", error));
        lyd_free_all(running->next);
        running->next = NULL;
        if (request) {
            answer(request, MUP_NETCONF_TAG_OPERATION_FAILED,
                   "the change could not be written to disk; nothing has changed");
        }
    }
    run_waiting(running);
}

static void keep(struct mup_netconf_request *request, const char *xml)
{
    struct mup_netconf *server = request->session->server;
    const struct mup_netconf_backend *backend = server->backend;
    struct running *running = &server->running;

    running->keeping = true;
    running->keeper = request;
    running->keeper_id = request->session->id;
    memcpy(running->keeper_user, request->session->user, sizeof running->keeper_user);
    request->on_cancel = forget_keeper;
    if (!backend->keep_running) {
        on_kept(server, MUP_OK, "");
    } else if (backend->keep_running(backend->context, xml, on_kept, server) != MUP_OK) {
        on_kept(server, MUP_ERR_SPACE, "no room in the store's queue");
    }
}

void running_change(struct mup_netconf_request *request, struct lyd_node *tree)
{
    struct mup_netconf *server = request->session->server;
    struct access_policy *policy = malloc(sizeof *policy);
    char *xml = NULL;

    if (!policy || lyd_print_mem(&xml, tree, LYD_XML, LYD_PRINT_WITHSIBLINGS | LYD_PRINT_SHRINK) !=
                       LY_SUCCESS) {
        answer(request, MUP_NETCONF_TAG_RESOURCE_DENIED, "no memory");
    } else if (xml && strlen(xml) > RUNNING_SIZE_MAX) {
        answer(request, MUP_NETCONF_TAG_TOO_BIG, "the configuration would be larger than 8 MiB");
    } else if (access_policy_read(policy, tree)) {
        answer(request, MUP_NETCONF_TAG_TOO_BIG,
               "at most 64 rule-lists, 256 rules and 16 steps in a path");
    } else {
        server->running.next = tree;
        tree = NULL;
        keep(request, xml ? xml : "");
    }
    lyd_free_all(tree);
    free(policy);
    free(xml);
}

void running_unlock(struct session *session)
{
    struct running *running = &session->server->running;

    if (running->locked_by == session->id) {
        running->locked_by = 0;
    }
}
