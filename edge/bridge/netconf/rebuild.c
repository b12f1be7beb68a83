/*
 * When hidden modules are given up: a live context cannot unload a module, so now and then another
 * takes its place that has only the visible ones. Sessions notice nothing. Requests that a device
 * has yet to answer keep the old one alive; what else points into it is made anew, or waited for.
 */
#include "bridge/netconf/netconf_internal.h"

#include <stdlib.h>

#include "runtime/log.h"

#define HIDDEN_MIN 64u  /* modules that are worth it: about 1.4 MB */
#define AGAIN_MS   200u /* when something is at work that cannot change contexts */

/* Requests that began in the live context and are not answered. */
static size_t count_users(const struct mup_netconf *server)
{
    size_t users = 0;

    for (const struct session *session = server->sessions; session; session = session->next) {
        users += session->request && session->request->context == server->schemas.context;
    }
    return users;
}

/* Whether nothing but requests that were begun points into the live context. */
static bool is_quiet(const struct mup_netconf *server)
{
    return !server->events && !server->running.keeping && !server->running.waiting &&
           !server->query_queue;
}

static bool print_running(const struct mup_netconf *server, char **xml)
{
    return lyd_print_mem(xml, server->running.tree, LYD_XML,
                         LYD_PRINT_WITHSIBLINGS | LYD_PRINT_SHRINK) == LY_SUCCESS;
}

/* The running configuration in the new context; on an error all is as it was. */
static enum mup_status move(struct mup_netconf *server, struct ly_ctx *fresh, char *error)
{
    struct ly_ctx *old = server->schemas.context;
    size_t users = count_users(server);
    char *xml = NULL;
    enum mup_status status = MUP_ERR_SPACE;

    if (print_running(server, &xml)) {
        server->schemas.context = fresh;
        status = mup_netconf_load_running(server, xml ? xml : "", error);
    }
    free(xml);
    if (status) {
        server->schemas.context = old;
        ly_ctx_destroy(fresh);
        return status;
    }
    mup_log(MUP_LOG_INFO, "netconf", mup_log_event("hidden modules given up"),
            mup_log_number("modules", (int64_t)server->schemas.hidden_count),
            mup_log_number("requests_in_old", (int64_t)users));
    schemas_replaced(&server->schemas, old, users);
    return MUP_OK;
}

static void rebuild(void *arg)
{
    struct mup_netconf *server = arg;
    char error[MUP_NETCONF_ERROR_SIZE] = "no memory";
    struct ly_ctx *fresh = NULL;

    if (is_quiet(server) &&
        (schemas_rebuild(&server->schemas, &fresh, error) || move(server, fresh, error))) {
        mup_log(MUP_LOG_WARNING, "netconf", mup_log_event("hidden modules are kept for now"),
                mup_log_text("why", error));
    }
    rebuild_consider(server); /* again, when it was not quiet or not possible */
}

void rebuild_consider(struct mup_netconf *server)
{
    const struct schemas *schemas = &server->schemas;

    if (schemas->hidden_count >= HIDDEN_MIN && 4 * schemas->hidden_count >= schemas->added_count &&
        !mup_timer_is_running(server->rebuilding)) {
        mup_timer_start(server->rebuilding, AGAIN_MS);
    }
}

bool rebuild_init(struct mup_netconf *server)
{
    server->rebuilding = mup_timer_new(server->loop, rebuild, server);
    return server->rebuilding != NULL;
}

void rebuild_free(struct mup_netconf *server)
{
    mup_timer_free(server->rebuilding);
    server->rebuilding = NULL;
}
