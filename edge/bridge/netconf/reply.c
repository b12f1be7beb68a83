/* Replies and errors, built as text; and the answers of netconf.h. */
#include "bridge/netconf/netconf_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"
#include "runtime/xml.h"

/* Elements of an answer: a backend's list of 10,000 devices fits. */
#define ANSWER_ELEMENTS_MAX 262144u

static const char *const type_names[] = {"transport", "rpc", "protocol", "application"};

const char *reply_tag_name(enum mup_netconf_tag tag)
{
    switch (tag) {
    case MUP_NETCONF_TAG_IN_USE:
        return "in-use";
    case MUP_NETCONF_TAG_INVALID_VALUE:
        return "invalid-value";
    case MUP_NETCONF_TAG_TOO_BIG:
        return "too-big";
    case MUP_NETCONF_TAG_MISSING_ATTRIBUTE:
        return "missing-attribute";
    case MUP_NETCONF_TAG_BAD_ATTRIBUTE:
        return "bad-attribute";
    case MUP_NETCONF_TAG_UNKNOWN_ATTRIBUTE:
        return "unknown-attribute";
    case MUP_NETCONF_TAG_MISSING_ELEMENT:
        return "missing-element";
    case MUP_NETCONF_TAG_BAD_ELEMENT:
        return "bad-element";
    case MUP_NETCONF_TAG_UNKNOWN_ELEMENT:
        return "unknown-element";
    case MUP_NETCONF_TAG_UNKNOWN_NAMESPACE:
        return "unknown-namespace";
    case MUP_NETCONF_TAG_ACCESS_DENIED:
        return "access-denied";
    case MUP_NETCONF_TAG_LOCK_DENIED:
        return "lock-denied";
    case MUP_NETCONF_TAG_RESOURCE_DENIED:
        return "resource-denied";
    case MUP_NETCONF_TAG_DATA_EXISTS:
        return "data-exists";
    case MUP_NETCONF_TAG_DATA_MISSING:
        return "data-missing";
    case MUP_NETCONF_TAG_OPERATION_NOT_SUPPORTED:
        return "operation-not-supported";
    case MUP_NETCONF_TAG_OPERATION_FAILED:
        return "operation-failed";
    case MUP_NETCONF_TAG_MALFORMED_MESSAGE:
        return "malformed-message";
    }
    return "operation-failed";
}

static void add_element(struct mup_text *text, const char *name, const char *value)
{
    if (value) {
        mup_text_format(text, "<%s>", name);
        mup_text_escape(text, value);
        mup_text_format(text, "</%s>", name);
    }
}

/* In the order of RFC 6241's schema: clients validate it. */
void reply_add_error(struct mup_text *text, const struct rpc_error *error)
{
    mup_text_format(text,
                    "<rpc-error><error-type>%s</error-type><error-tag>%s</error-tag>"
                    "<error-severity>error</error-severity>",
                    type_names[error->type], reply_tag_name(error->tag));
    add_element(text, "error-app-tag", error->app_tag);
    if (error->path) {
        mup_text_format(text, "<error-path%s>", error->path_ns ? error->path_ns : "");
        mup_text_escape(text, error->path);
        mup_text_add(text, "</error-path>");
    }
    if (error->message) {
        mup_text_add(text, "<error-message xml:lang=\"en\">");
        mup_text_escape(text, error->message);
        mup_text_add(text, "</error-message>");
    }
    if (error->bad_element || error->bad_attribute || error->bad_namespace || error->value ||
        error->session_id) {
        mup_text_add(text, "<error-info>");
        if (error->session_id) {
            mup_text_format(text, "<session-id>%u</session-id>", error->session_id);
        }
        add_element(text, "bad-attribute", error->bad_attribute);
        add_element(text, "bad-element", error->bad_element);
        add_element(text, "bad-namespace", error->bad_namespace);
        if (error->value) {
            mup_text_add(text, "<value xmlns=\"");
            mup_text_escape(text, error->value_ns);
            mup_text_add(text, "\">");
            mup_text_escape(text, error->value);
            mup_text_add(text, "</value>");
        }
        mup_text_add(text, "</error-info>");
    }
    mup_text_add(text, "</rpc-error>");
}

static void send_reply(struct session *session, const char *attributes, struct mup_text *body)
{
    struct mup_text text = {0};

    mup_text_format(&text, "<rpc-reply xmlns=\"" MUP_NETCONF_NAMESPACE "\"%s>", attributes);
    if (body->size > 0) {
        mup_text_append(&text, body->bytes, body->size);
    }
    mup_text_add(&text, "</rpc-reply>");
    text.failed |= body->failed;
    mup_text_free(body);
    session_send(session, &text);
}

void reply_body(struct mup_netconf_request *request, struct mup_text *body)
{
    struct session *session = request->session;

    /* If sending fails the session closes and cancels what is in work: this is not, any more. */
    session->request = NULL;
    request->session = NULL;
    send_reply(session, request->attributes, body);
    request_free(request);
    session_answered(session);
}

void reply_error(struct mup_netconf_request *request, const struct rpc_error *error)
{
    struct mup_text body = {0};
    struct session *session = request->session;

    session->rpc_errors++;
    session->server->rpc_errors++;
    mup_log(MUP_LOG_DEBUG, "netconf", mup_log_event("rpc-error"),
            mup_log_number("session", session->id), mup_log_text("tag", reply_tag_name(error->tag)),
            mup_log_text("message", error->message));
    reply_add_error(&body, error);
    reply_body(request, &body);
}

void reply_refuse(struct mup_netconf_request *request, enum mup_netconf_tag tag,
                  const char *element, const char *message)
{
    reply_error(request, &(struct rpc_error){.type = ERROR_PROTOCOL,
                                             .tag = tag,
                                             .bad_element = element,
                                             .message = message});
}

/* The message-id as it was sent, so that the client finds what was refused. */
static void copy_message_id(struct mup_text *attributes, const char *message, size_t size)
{
    struct mup_xml xml;
    struct mup_xml_span id;

    mup_text_add(attributes, "");
    mup_xml_init(&xml, message, size);
    if (mup_xml_next(&xml) == MUP_OK && mup_xml_attribute(&xml, "message-id", &id)) {
        const char *quote = memchr(id.bytes, '"', id.size) ? "'" : "\"";
        mup_text_format(attributes, " message-id=%s", quote);
        mup_text_append(attributes, id.bytes, id.size);
        mup_text_add(attributes, quote);
    }
}

void reply_bad_namespace(struct session *session, const char *message, size_t size)
{
    struct mup_text body = {0};
    struct mup_text attributes = {0};
    struct rpc_error error = {
        .type = ERROR_RPC,
        .tag = MUP_NETCONF_TAG_UNKNOWN_NAMESPACE,
        .bad_element = "rpc",
        .bad_namespace = "",
        .message = "an element is in no namespace, or has a prefix that is not declared; NETCONF's "
                   "own elements, such as config, are in " MUP_NETCONF_NAMESPACE};

    session->bad_rpcs++;
    session->server->bad_rpcs++;
    copy_message_id(&attributes, message, size);
    reply_add_error(&body, &error);
    body.failed |= attributes.failed;
    send_reply(session, attributes.bytes ? attributes.bytes : "", &body);
    mup_text_free(&attributes);
}

void reply_malformed(struct session *session, const char *message)
{
    struct mup_text body = {0};
    struct rpc_error error = {
        .type = ERROR_RPC, .tag = MUP_NETCONF_TAG_MALFORMED_MESSAGE, .message = message};

    session->bad_rpcs++;
    session->server->bad_rpcs++;
    /* RFC 6241 appendix A: the tag must not be sent to a peer of base:1.0. */
    if (session->framing.mode != MUP_NETCONF_CHUNKED) {
        session_close(session, true, message);
        return;
    }
    reply_add_error(&body, &error);
    send_reply(session, "", &body);
}

/*
 * libyang's `Schema location "/module:rpc/input/leaf", line 1` as a path of data with a prefix on
 * every step; false: it is none of those.
 */
static bool prefixed_path(struct mup_text *path, const char *module, const char *from)
{
    size_t size = strlen(module);

    from = strchr(from, '/');
    if (!from || strchr(from, '[')) {
        return false;
    }
    while (*from == '/') {
        from++;
        if (strncmp(from, "input/", 6) == 0) {
            from += 6;
        }
        if (strncmp(from, module, size) == 0 && from[size] == ':') {
            from += size + 1;
        }
        size_t step = strcspn(from, "/\"");
        size_t name = strcspn(from, "/:\"");
        if (step == 0 || name < step) { /* another module's node: leave the path out */
            return false;
        }
        mup_text_format(path, "/%s:", module);
        mup_text_append(path, from, step);
        from += step;
    }
    return !path->failed;
}

/* RFC 7950 section 15 gives app-tags their tags. */
enum mup_netconf_tag reply_tag_of(const struct ly_err_item *item)
{
    static const struct {
        const char *app_tag;
        enum mup_netconf_tag tag;
    } tags[] = {
        {"data-not-unique", MUP_NETCONF_TAG_OPERATION_FAILED},
        {"too-many-elements", MUP_NETCONF_TAG_OPERATION_FAILED},
        {"too-few-elements", MUP_NETCONF_TAG_OPERATION_FAILED},
        {"must-violation", MUP_NETCONF_TAG_OPERATION_FAILED},
        {"instance-required", MUP_NETCONF_TAG_DATA_MISSING},
        {"missing-choice", MUP_NETCONF_TAG_DATA_MISSING},
    };
    const char *message = item && item->msg ? item->msg : "";

    for (size_t i = 0; item && item->apptag && i < sizeof tags / sizeof tags[0]; i++) {
        if (strcmp(item->apptag, tags[i].app_tag) == 0) {
            return tags[i].tag;
        }
    }
    if (strstr(message, "Mandatory node") || strstr(message, "missing its key") ||
        strstr(message, "Missing mandatory")) {
        return MUP_NETCONF_TAG_MISSING_ELEMENT;
    }
    return strstr(message, "uplicate") ? MUP_NETCONF_TAG_BAD_ELEMENT
                                       : MUP_NETCONF_TAG_INVALID_VALUE;
}

void reply_libyang(struct mup_netconf_request *request)
{
    const struct ly_err_item *item = ly_err_last(request->context);
    struct mup_text path = {0};
    struct mup_text path_ns = {0};
    char *message = strdup(item && item->msg ? item->msg : "the input does not fit the schema");
    char *app_tag = item && item->apptag ? strdup(item->apptag) : NULL;
    bool has_path = item && item->path && prefixed_path(&path, request->module->name, item->path);

    mup_text_format(&path_ns, " xmlns:%s=\"", request->module->name);
    mup_text_escape(&path_ns, request->module->ns);
    mup_text_add(&path_ns, "\"");
    reply_error(request, &(struct rpc_error){.type = ERROR_APPLICATION,
                                             .tag = reply_tag_of(item),
                                             .app_tag = app_tag,
                                             .path = has_path ? path.bytes : NULL,
                                             .path_ns = path_ns.bytes,
                                             .message = message});
    free(message);
    free(app_tag);
    mup_text_free(&path);
    mup_text_free(&path_ns);
}

/* ---- the backend's answers ---- */

void mup_netconf_reply_ok(struct mup_netconf_request *request)
{
    struct mup_text body = {0};

    mup_text_add(&body, "<ok/>");
    reply_body(request, &body);
}

static enum mup_status refuse_answer(struct mup_netconf_request *request, const char *why)
{
    mup_log(MUP_LOG_ERROR, "netconf", mup_log_event("an answer does not fit its schema"),
            mup_log_text("rpc", request->schema->name), mup_log_text("reason", why));
    reply_error(request,
                &(struct rpc_error){.type = ERROR_APPLICATION,
                                    .tag = MUP_NETCONF_TAG_OPERATION_FAILED,
                                    .app_tag = "bad-answer",
                                    .message = "the answer does not fit the schema of this RPC"});
    return MUP_ERR_FORMAT;
}

static enum mup_status refuse_by_libyang(struct mup_netconf_request *request)
{
    const struct ly_err_item *item = ly_err_last(request->context);

    return refuse_answer(request, item && item->msg ? item->msg : "no reason given");
}

/* Validate the output in `tree` and send it. */
static enum mup_status reply_output(struct mup_netconf_request *request, struct lyd_node *tree)
{
    struct mup_text body = {0};
    const struct lyd_node *child;

    if (lyd_validate_op(tree, NULL, LYD_TYPE_REPLY_YANG, NULL) != LY_SUCCESS) {
        return refuse_by_libyang(request);
    }
    LY_LIST_FOR(lyd_child(tree), child)
    {
        char *xml = NULL;
        if (!child->schema || !(child->schema->flags & LYS_IS_OUTPUT)) {
            continue;
        }
        if (lyd_print_mem(&xml, child, LYD_XML, LYD_PRINT_SHRINK) != LY_SUCCESS) {
            body.failed = true;
        } else if (xml) {
            mup_text_add(&body, xml);
        }
        free(xml);
    }
    if (body.size == 0 && !body.failed) {
        mup_text_add(&body, "<ok/>");
    }
    reply_body(request, &body);
    return MUP_OK;
}

/* The request began in a context that was replaced since: its answer has to go there. */
static enum mup_status reply_from_other_context(struct mup_netconf_request *request,
                                                const struct lyd_node *tree)
{
    struct mup_text xml = {0};
    const struct lyd_node *child;

    mup_text_add(&xml, "");
    LY_LIST_FOR(lyd_child(tree), child)
    {
        char *text = NULL;
        if (child->schema && (child->schema->flags & LYS_IS_OUTPUT)) {
            xml.failed |= lyd_print_mem(&text, child, LYD_XML, LYD_PRINT_SHRINK) != LY_SUCCESS;
            mup_text_add(&xml, text ? text : "");
        }
        free(text);
    }
    enum mup_status status = xml.failed ? refuse_answer(request, "no memory")
                                        : mup_netconf_reply_xml(request, xml.bytes);
    mup_text_free(&xml);
    return status;
}

static bool is_same_rpc(const struct lysc_node *one, const struct lysc_node *other)
{
    return strcmp(one->name, other->name) == 0 &&
           strcmp(one->module->name, other->module->name) == 0;
}

enum mup_status mup_netconf_reply_tree(struct mup_netconf_request *request, struct lyd_node *tree)
{
    if (tree && tree->schema && tree->schema->module->ctx != request->context &&
        is_same_rpc(tree->schema, request->schema)) {
        enum mup_status converted = reply_from_other_context(request, tree);
        lyd_free_all(tree);
        return converted;
    }
    enum mup_status status = tree && tree->schema == request->schema
                                 ? reply_output(request, tree)
                                 : refuse_answer(request, "it is not of this RPC");

    lyd_free_all(tree);
    return status;
}

enum mup_status mup_netconf_reply_xml(struct mup_netconf_request *request, const char *xml)
{
    struct mup_text text = {0};
    struct lyd_node *envelope = NULL;
    struct ly_in *in = NULL;

    mup_text_format(&text,
                    "<rpc-reply xmlns=\"" MUP_NETCONF_NAMESPACE "\" message-id=\"1\">%s"
                    "</rpc-reply>",
                    xml);
    if (text.failed || mup_xml_check(text.bytes, text.size, ANSWER_ELEMENTS_MAX) ||
        ly_in_new_memory(text.bytes, &in) != LY_SUCCESS) {
        mup_text_free(&text);
        return refuse_answer(request, "it is not well-formed XML");
    }
    /* The output takes the place of the input, else libyang takes the input for output. */
    lyd_free_siblings(lyd_child(request->tree));
    LY_ERR result = lyd_parse_op(request->context, request->tree, in, LYD_XML,
                                 LYD_TYPE_REPLY_NETCONF, &envelope, NULL);
    ly_in_free(in, 0);
    lyd_free_all(envelope);
    mup_text_free(&text);
    return result == LY_SUCCESS ? reply_output(request, request->tree) : refuse_by_libyang(request);
}

void mup_netconf_reply_error(struct mup_netconf_request *request, enum mup_netconf_tag tag,
                             const char *app_tag, const char *message, const char *path)
{
    struct mup_text full = {0};
    struct mup_text path_ns = {0};

    if (path) {
        mup_text_format(&full, "/%s:%s/%s:%s", request->module->name, request->schema->name,
                        request->module->name, path);
        mup_text_format(&path_ns, " xmlns:%s=\"", request->module->name);
        mup_text_escape(&path_ns, request->module->ns);
        mup_text_add(&path_ns, "\"");
    }
    reply_error(request, &(struct rpc_error){.type = ERROR_APPLICATION,
                                             .tag = tag,
                                             .app_tag = app_tag,
                                             .path = full.bytes,
                                             .path_ns = path_ns.bytes,
                                             .message = message});
    mup_text_free(&full);
    mup_text_free(&path_ns);
}

void mup_netconf_reply_refusal(struct mup_netconf_request *request, const char *app_tag,
                               const char *message, const char *value)
{
    reply_error(request, &(struct rpc_error){.type = ERROR_APPLICATION,
                                             .tag = MUP_NETCONF_TAG_OPERATION_FAILED,
                                             .app_tag = app_tag,
                                             .message = message,
                                             .value = value,
                                             .value_ns = request->module->ns});
}
