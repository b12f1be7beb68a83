/* One message of a client: checked, taken apart, and given to whoever answers it. */
#include "bridge/netconf/netconf_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/xml.h"

void request_free(struct mup_netconf_request *request)
{
    if (request->session) {
        request->session->request = NULL;
    }
    lyd_free_all(request->tree);
    lyd_free_all(request->envelope);
    mup_text_free(&request->errors);
    schemas_release(&request->server->schemas, request->context);
    free(request->attributes);
    free(request);
}

/* The attributes of <rpc>, as text with their namespaces (RFC 6241 4.2). */
static char *copy_attributes(const struct lyd_node_opaq *rpc)
{
    struct mup_text text = {0};
    const struct lyd_attr *attribute;

    mup_text_add(&text, "");
    LY_LIST_FOR(rpc->attr, attribute)
    {
        const char *prefix = attribute->name.prefix;
        if (prefix && attribute->name.module_ns && strcmp(prefix, "xml") != 0) {
            mup_text_format(&text, " xmlns:%s=\"", prefix);
            mup_text_escape(&text, attribute->name.module_ns);
            mup_text_add(&text, "\"");
        }
        mup_text_format(&text, " %s%s%s=\"", prefix ? prefix : "", prefix ? ":" : "",
                        attribute->name.name);
        mup_text_escape(&text, attribute->value ? attribute->value : "");
        mup_text_add(&text, "\"");
    }
    return mup_text_take(&text);
}

static bool has_message_id(const struct lyd_node_opaq *rpc)
{
    const struct lyd_attr *attribute;

    LY_LIST_FOR(rpc->attr, attribute)
    {
        if (!attribute->name.prefix && strcmp(attribute->name.name, "message-id") == 0) {
            return true;
        }
    }
    return false;
}

static const char *namespace_of(const struct lyd_node_opaq *node)
{
    return node->name.module_ns ? node->name.module_ns : "";
}

/* No deeper than MUP_XML_DEPTH_MAX: the message was checked. */
static bool is_opaque(const struct lyd_node *tree)
{
    const struct lyd_node *each;

    LY_LIST_FOR(tree, each)
    {
        if (each->schema || !is_opaque(((const struct lyd_node_opaq *)each)->child)) {
            return false;
        }
    }
    return true;
}

/* Whether the root is NETCONF's <rpc>, whatever it holds. */
static bool is_rpc(const char *message, size_t size)
{
    struct mup_xml xml;
    struct mup_xml_span ns;
    char attribute[MUP_XML_NAME_SIZE_MAX + 8] = "xmlns";

    mup_xml_init(&xml, message, size);
    if (mup_xml_next(&xml) != MUP_OK || xml.event != MUP_XML_START ||
        !mup_xml_is(xml.local, "rpc")) {
        return false;
    }
    if (xml.local.size < xml.name.size) {
        snprintf(attribute, sizeof attribute, "xmlns:%.*s",
                 (int)(xml.name.size - xml.local.size - 1), xml.name.bytes);
    }
    return mup_xml_attribute(&xml, attribute, &ns) && mup_xml_is(ns, MUP_NETCONF_NAMESPACE);
}

/* The message as an opaque tree whose root is <rpc>; NULL: it is none, and the client was told. */
static struct lyd_node *parse_envelope(struct session *session, const char *message, size_t size)
{
    struct lyd_node *tree = NULL;

    switch (mup_xml_check(message, size, ELEMENTS_MAX)) {
    case MUP_OK:
        break;
    case MUP_ERR_RANGE:
        reply_malformed(session, "too many elements, or nested too deeply");
        return NULL;
    default:
        reply_malformed(session, "not well-formed XML, or it has a document type");
        return NULL;
    }
    LY_ERR result = lyd_parse_data_mem(session->server->schemas.plain, message, LYD_XML,
                                       LYD_PARSE_ONLY | LYD_PARSE_OPAQ, 0, &tree);
    const struct lyd_node_opaq *root = (const struct lyd_node_opaq *)tree;
    if (result != LY_SUCCESS && is_rpc(message, size)) {
        lyd_free_all(tree);
        reply_bad_namespace(session, message, size);
        return NULL;
    }
    if (result != LY_SUCCESS || !tree || !is_opaque(tree) || strcmp(root->name.name, "rpc") != 0 ||
        strcmp(namespace_of(root), MUP_NETCONF_NAMESPACE) != 0) {
        lyd_free_all(tree);
        reply_malformed(session, "not an <rpc> of " MUP_NETCONF_NAMESPACE);
        return NULL;
    }
    return tree;
}

static struct mup_netconf_request *new_request(struct session *session, struct lyd_node *envelope)
{
    struct mup_netconf_request *request = calloc(1, sizeof *request);
    struct lyd_node_opaq *root = (struct lyd_node_opaq *)envelope;
    char *attributes = copy_attributes(root);

    if (!request || !attributes) {
        free(request);
        free(attributes);
        lyd_free_all(envelope);
        session_close(session, false, "no memory");
        return NULL;
    }
    request->session = session;
    request->server = session->server;
    request->context = session->server->schemas.context;
    request->envelope = envelope;
    request->attributes = attributes;
    request->call = (struct lyd_node_opaq *)root->child;
    session->request = request;
    return request;
}

/* False: an rpc-error was sent and the request is gone. */
static bool find_rpc(struct mup_netconf_request *request)
{
    struct lyd_node_opaq *root = (struct lyd_node_opaq *)request->envelope;
    struct rpc_error error = {.type = ERROR_RPC};

    if (!has_message_id(root)) {
        error.tag = MUP_NETCONF_TAG_MISSING_ATTRIBUTE;
        error.bad_attribute = "message-id";
        error.bad_element = "rpc";
        error.message = "<rpc> has no message-id";
    } else if (!request->call) {
        error.tag = MUP_NETCONF_TAG_MISSING_ELEMENT;
        error.bad_element = "rpc";
        error.message = "<rpc> is empty";
    } else if (request->call->next) {
        error.tag = MUP_NETCONF_TAG_BAD_ELEMENT;
        error.bad_element = ((struct lyd_node_opaq *)request->call->next)->name.name;
        error.message = "<rpc> holds more than one operation";
    } else {
        request->module =
            schemas_by_namespace(&request->session->server->schemas, namespace_of(request->call));
        error.type = ERROR_PROTOCOL;
        error.bad_element = request->call->name.name;
        if (!request->module) {
            error.tag = MUP_NETCONF_TAG_UNKNOWN_NAMESPACE;
            error.bad_namespace = namespace_of(request->call);
            error.message = "no module with this namespace is here";
        } else {
            request->schema =
                lys_find_child(NULL, request->module, request->call->name.name, 0, LYS_RPC, 0);
            error.tag = MUP_NETCONF_TAG_OPERATION_NOT_SUPPORTED;
            error.message = "the module has no such RPC";
        }
    }
    if (!request->schema) {
        reply_error(request, &error);
        return false;
    }
    return true;
}

static bool refuse(struct mup_netconf_request *request, enum mup_netconf_tag tag,
                   const char *message)
{
    reply_error(request,
                &(struct rpc_error){.type = ERROR_PROTOCOL, .tag = tag, .message = message});
    return false;
}

static bool is_allowed(struct mup_netconf_request *request, const struct operation *operation)
{
    struct mup_netconf *server = request->session->server;
    const char *name = request->module->name;

    if (!operation && strncmp(name, "ietf-", 5) == 0) {
        return refuse(request, MUP_NETCONF_TAG_OPERATION_NOT_SUPPORTED,
                      "this server does not implement this operation");
    }
    if (operation && strcmp(operation->rpc, "close-session") == 0) {
        return true;
    }
    if (!server_may_call(server, request->session->user, request->schema)) {
        server->running.denied_operations++;
        return refuse(request, MUP_NETCONF_TAG_ACCESS_DENIED, "this user may not call this RPC");
    }
    return true;
}

/* The operation again, this time against its schema. */
static bool parse_input(struct mup_netconf_request *request, const char *message)
{
    struct lyd_node *envelope = NULL;
    struct lyd_node *tree = NULL;
    struct ly_in *in = NULL;

    if (ly_in_new_memory(message, &in) != LY_SUCCESS) {
        return refuse(request, MUP_NETCONF_TAG_RESOURCE_DENIED, "no memory");
    }
    LY_ERR result =
        lyd_parse_op(request->context, NULL, in, LYD_XML, LYD_TYPE_RPC_NETCONF, &envelope, &tree);
    ly_in_free(in, 0);
    lyd_free_all(envelope);
    if (result == LY_SUCCESS) {
        result = lyd_validate_op(tree, NULL, LYD_TYPE_RPC_YANG, NULL);
    }
    if (result != LY_SUCCESS || !tree || tree->schema != request->schema) {
        lyd_free_all(tree);
        reply_libyang(request);
        return false;
    }
    request->tree = tree;
    return true;
}

void rpc_handle(struct session *session, const char *message, size_t size)
{
    const struct mup_netconf_backend *backend = session->server->backend;

    session->rpcs++;
    session->server->rpcs++;
    struct lyd_node *envelope = parse_envelope(session, message, size);
    if (!envelope) {
        return;
    }
    struct mup_netconf_request *request = new_request(session, envelope);
    if (!request || !find_rpc(request)) {
        return;
    }
    const struct operation *operation =
        operation_find(request->module->name, request->schema->name);
    if (!is_allowed(request, operation) || !input_check(request)) {
        return;
    }
    if (operation && operation->filtered && !filter_take(request)) {
        return;
    }
    if ((!operation || operation->typed) && !parse_input(request, message)) {
        return;
    }
    if (operation) {
        operation->run(request);
        return;
    }
    request->begun = true;
    backend->begin_rpc(backend->context, request, session->user, request->module->name,
                       request->schema->name, request->tree);
}
