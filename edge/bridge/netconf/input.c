/* Unknown and missing elements of a request's input, told with the tags and names of RFC 6241
 * appendix A. Values are libyang's to judge. */
#include "bridge/netconf/netconf_internal.h"

#include <string.h>

static const char *namespace_of(const struct lyd_node_opaq *node)
{
    return node->name.module_ns ? node->name.module_ns : "";
}

static bool refuse(struct mup_netconf_request *request, enum mup_netconf_tag tag,
                   const char *element, const char *ns, const char *message)
{
    struct mup_text path = {0};
    struct mup_text path_ns = {0};

    mup_text_format(&path, "/%s:%s", request->module->name, request->schema->name);
    mup_text_format(&path_ns, " xmlns:%s=\"", request->module->name);
    mup_text_escape(&path_ns, request->module->ns);
    mup_text_add(&path_ns, "\"");
    reply_error(request, &(struct rpc_error){.type = ERROR_APPLICATION,
                                             .tag = tag,
                                             .path = path.bytes,
                                             .path_ns = path_ns.bytes,
                                             .message = message,
                                             .bad_element = element,
                                             .bad_namespace = ns});
    mup_text_free(&path);
    mup_text_free(&path_ns);
    return false;
}

static const struct lyd_node_opaq *child_named(const struct lyd_node_opaq *parent,
                                               const struct lysc_node *schema)
{
    const struct lyd_node *child;

    LY_LIST_FOR(parent->child, child)
    {
        const struct lyd_node_opaq *node = (const struct lyd_node_opaq *)child;
        if (strcmp(node->name.name, schema->name) == 0 &&
            strcmp(namespace_of(node), schema->module->ns) == 0) {
            return node;
        }
    }
    return NULL;
}

const struct lyd_node_opaq *opaq_child(const struct lyd_node_opaq *parent, const char *name)
{
    const struct lyd_node *child;

    LY_LIST_FOR(parent ? parent->child : NULL, child)
    {
        const struct lyd_node_opaq *node = (const struct lyd_node_opaq *)child;
        if (strcmp(node->name.name, name) == 0) {
            return node;
        }
    }
    return NULL;
}

static bool is_in_case(const struct lysc_node *schema)
{
    return schema->parent && (schema->parent->nodetype & (LYS_CASE | LYS_CHOICE));
}

/* Leaves only: a container is mandatory through what it holds, a case only if it is chosen. */
static bool check_missing(struct mup_netconf_request *request, const struct lyd_node_opaq *element,
                          const struct lysc_node *schema)
{
    const struct lysc_node *child = NULL;

    while ((child = lys_getnext(child, schema, NULL, 0))) {
        bool needed = (child->flags & LYS_MAND_TRUE) && (child->nodetype & LYS_LEAF);
        if (needed && !is_in_case(child) && !child_named(element, child)) {
            return refuse(request, MUP_NETCONF_TAG_MISSING_ELEMENT, child->name, NULL,
                          "a mandatory element is missing");
        }
    }
    return true;
}

static bool check_element(struct mup_netconf_request *request, const struct lyd_node_opaq *element,
                          const struct lysc_node *schema);

static bool check_child(struct mup_netconf_request *request, const struct lyd_node_opaq *node,
                        const struct lysc_node *parent)
{
    const struct lys_module *module =
        schemas_by_namespace(&request->session->server->schemas, namespace_of(node));

    if (!module) {
        return refuse(request, MUP_NETCONF_TAG_UNKNOWN_NAMESPACE, node->name.name,
                      namespace_of(node), "no module with this namespace is here");
    }
    const struct lysc_node *schema = lys_find_child(parent, module, node->name.name, 0, 0, 0);
    if (!schema) {
        bool elsewhere = lys_find_child(parent, parent->module, node->name.name, 0, 0, 0) != NULL;
        return refuse(request, MUP_NETCONF_TAG_UNKNOWN_ELEMENT, node->name.name, NULL,
                      elsewhere ? "the schema has this element in the namespace of the one around "
                                  "it, not in the one that it is in here"
                                : "the schema has no such element here");
    }
    return !(schema->nodetype & (LYS_CONTAINER | LYS_LIST)) || check_element(request, node, schema);
}

/* Recursive over schema nodes that hold others: no deeper than the module is. */
static bool check_element(struct mup_netconf_request *request, const struct lyd_node_opaq *element,
                          const struct lysc_node *schema)
{
    const struct lyd_node *child;

    LY_LIST_FOR(element->child, child)
    {
        if (!check_child(request, (const struct lyd_node_opaq *)child, schema)) {
            return false;
        }
    }
    return check_missing(request, element, schema);
}

bool input_check(struct mup_netconf_request *request)
{
    return check_element(request, request->call, request->schema);
}
