/*
 * Notifications (RFC 5277): who has subscribed, and telling them.
 *
 * An event is only queued where it happens and told on the loop's next turn. Telling can end the
 * session of somebody who does not read, and where it happens somebody may hold that session.
 * There is one stream, NETCONF, without replay; a subscription has no end but its session's, and
 * the session goes on answering requests (:interleave).
 */
#include "bridge/netconf/netconf_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/log.h"

#define STREAM "NETCONF"

static void free_event(struct event *event)
{
    lyd_free_all(event->tree);
    free(event);
}

/* ---- telling ---- */

static void add_time(struct mup_text *text, uint64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char date[32];

    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    mup_text_format(text, "<eventTime>%s.%03uZ</eventTime>", date, (unsigned)(wall_ms % 1000));
}

static void print_event(struct mup_text *text, const struct event *event)
{
    char *xml = NULL;

    mup_text_add(text, "<notification xmlns=\"" MUP_NOTIFICATION_NAMESPACE "\">");
    add_time(text, event->wall_ms);
    if (lyd_print_mem(&xml, event->tree, LYD_XML, LYD_PRINT_SHRINK) != LY_SUCCESS || !xml) {
        text->failed = true;
    } else {
        mup_text_add(text, xml);
    }
    free(xml);
    mup_text_add(text, "</notification>");
}

static bool passes(const struct session *session, const struct event *event)
{
    struct filter filter = {.subtree = (const struct lyd_node_opaq *)session->filter};
    struct mup_text selected = {0};

    if (!session->filter) {
        return true;
    }
    (void)filter_print(&selected, event->tree, &filter, LYD_PRINT_WD_EXPLICIT);
    bool any = selected.size > 0;
    mup_text_free(&selected);
    return any;
}

static bool may_hear(const struct session *session, const struct event *event)
{
    struct mup_netconf *server = session->server;
    struct access access;

    server_access(server, &access, session->user);
    if (access_may_hear(&access, event->tree->schema)) {
        return true;
    }
    server->running.denied_notifications++;
    return false;
}

static bool hears(const struct session *session, const struct event *event)
{
    return session->state == SESSION_OPEN && session->subscribed &&
           event->number >= session->subscribed_from &&
           (event->user[0] == '\0' || strcmp(event->user, session->user) == 0) &&
           passes(session, event) && may_hear(session, event);
}

static void tell(struct mup_netconf *server, const struct event *event)
{
    struct mup_text text = {0};
    struct session *next;

    for (struct session *session = server->sessions; session; session = next) {
        next = session->next;
        if (!hears(session, event)) {
            continue;
        }
        if (text.size == 0) {
            print_event(&text, event);
        }
        if (text.failed) {
            mup_log(MUP_LOG_ERROR, "netconf", mup_log_event("a notification was lost: no memory"));
            break;
        }
        server->notifications++;
        session_notify(session, text.bytes, text.size); /* may end this session, and no other */
    }
    mup_text_free(&text);
}

static void tell_all(void *arg)
{
    struct mup_netconf *server = arg;

    /* What happens because of it is queued behind and told as well. */
    while (server->events) {
        struct event *event = server->events;
        server->events = event->next;
        if (!server->events) {
            server->events_end = &server->events;
        }
        server->event_count--;
        tell(server, event);
        free_event(event);
    }
}

bool mup_netconf_is_heard(const struct mup_netconf *server)
{
    return server->subscriber_count > 0;
}

static enum mup_status queue_for(struct mup_netconf *server, const char *user,
                                 struct lyd_node *tree)
{
    struct event *event = server->event_count < EVENTS_MAX ? calloc(1, sizeof *event) : NULL;

    if (!event) {
        mup_log(MUP_LOG_WARNING, "netconf", mup_log_event("a notification was lost"),
                mup_log_text("name", tree->schema->name));
        lyd_free_all(tree);
        return MUP_ERR_SPACE;
    }
    *event =
        (struct event){.number = server->next_event++, .wall_ms = mup_loop_wall_ms(), .tree = tree};
    snprintf(event->user, sizeof event->user, "%s", user);
    *server->events_end = event;
    server->events_end = &event->next;
    server->event_count++;
    mup_timer_start(server->telling, 0);
    return MUP_OK;
}

enum mup_status subscribe_queue(struct mup_netconf *server, struct lyd_node *tree)
{
    return queue_for(server, "", tree);
}

enum mup_status mup_netconf_notify(struct mup_netconf *server, struct lyd_node *tree)
{
    return mup_netconf_notify_user(server, "", tree);
}

enum mup_status mup_netconf_notify_user(struct mup_netconf *server, const char *user,
                                        struct lyd_node *tree)
{
    if (!tree || !tree->schema || tree->schema->nodetype != LYS_NOTIF) {
        lyd_free_all(tree);
        return MUP_ERR_FORMAT;
    }
    if (!mup_netconf_is_heard(server)) {
        lyd_free_all(tree);
        return MUP_OK;
    }
    if (lyd_validate_op(tree, NULL, LYD_TYPE_NOTIF_YANG, NULL) != LY_SUCCESS) {
        mup_log(MUP_LOG_ERROR, "netconf", mup_log_event("a notification does not fit its schema"),
                mup_log_text("name", tree->schema->name),
                mup_log_text("reason", ly_errmsg(server->schemas.context)));
        lyd_free_all(tree);
        return MUP_ERR_FORMAT;
    }
    return queue_for(server, user, tree);
}

/* ---- subscribing ---- */

static const struct lyd_node *input_leaf(const struct mup_netconf_request *request,
                                         const char *name)
{
    const struct lyd_node *child;

    LY_LIST_FOR(lyd_child(request->tree), child)
    {
        if (child->schema && strcmp(child->schema->name, name) == 0) {
            return child;
        }
    }
    return NULL;
}

/* False: it was refused. */
static bool may_subscribe(struct mup_netconf_request *request)
{
    const struct lyd_node *stream = input_leaf(request, "stream");

    if (request->session->subscribed) {
        reply_refuse(request, MUP_NETCONF_TAG_OPERATION_FAILED, NULL,
                     "this session has a subscription already; open another session");
    } else if (stream && strcmp(lyd_get_value(stream), STREAM) != 0) {
        reply_refuse(request, MUP_NETCONF_TAG_INVALID_VALUE, "stream",
                     "there is no such stream; the only one is NETCONF");
    } else if (input_leaf(request, "stopTime") && !input_leaf(request, "startTime")) {
        reply_refuse(request, MUP_NETCONF_TAG_MISSING_ELEMENT, "startTime",
                     "a stopTime needs a startTime (RFC 5277 2.1.1)");
    } else if (input_leaf(request, "startTime")) {
        reply_refuse(request, MUP_NETCONF_TAG_OPERATION_FAILED, "startTime",
                     "this stream keeps no notifications to replay");
    } else {
        return true;
    }
    return false;
}

/* An XPath can take for ever, and would be asked for each notification. */
static bool take_filter(struct mup_netconf_request *request, struct lyd_node **copy)
{
    *copy = NULL;
    if (request->filter.select) {
        reply_refuse(request, MUP_NETCONF_TAG_OPERATION_NOT_SUPPORTED, "filter",
                     "notifications are filtered by subtree only");
        return false;
    }
    if (request->filter.subtree && lyd_dup_single((const struct lyd_node *)request->filter.subtree,
                                                  NULL, LYD_DUP_RECURSIVE, copy) != LY_SUCCESS) {
        reply_refuse(request, MUP_NETCONF_TAG_RESOURCE_DENIED, NULL, "no memory");
        return false;
    }
    return true;
}

void subscribe_run(struct mup_netconf_request *request)
{
    struct session *session = request->session;
    struct lyd_node *filter;

    if (!may_subscribe(request) || !take_filter(request, &filter)) {
        return;
    }
    session->subscribed = true;
    session->subscribed_from = session->server->next_event;
    session->filter = filter;
    session->server->subscriber_count++;
    mup_netconf_reply_ok(request);
}

void subscribe_end(struct session *session)
{
    if (session->subscribed) {
        session->server->subscriber_count--;
        session->subscribed = false;
    }
    lyd_free_all(session->filter);
    session->filter = NULL;
}

struct lyd_node *subscribe_streams(const struct mup_netconf *server)
{
    static const char xml[] =
        "<netconf xmlns=\"" MUP_STREAMS_NAMESPACE "\"><streams><stream><name>" STREAM "</name>"
        "<description>Everything: devices, telemetry, events, updates, sessions, capabilities"
        "</description><replaySupport>false</replaySupport></stream></streams></netconf>";
    struct lyd_node *tree = NULL;

    lyd_parse_data_mem(server->schemas.context, xml, LYD_XML, LYD_PARSE_ONLY | LYD_PARSE_STRICT, 0,
                       &tree);
    return tree;
}

/* ---- beginning and end ---- */

bool subscribe_init(struct mup_netconf *server)
{
    server->events_end = &server->events;
    server->next_event = 1;
    server->telling = mup_timer_new(server->loop, tell_all, server);
    return server->telling != NULL;
}

void subscribe_free(struct mup_netconf *server)
{
    while (server->events) {
        struct event *event = server->events;
        server->events = event->next;
        free_event(event);
    }
    mup_timer_free(server->telling);
    server->telling = NULL;
}
