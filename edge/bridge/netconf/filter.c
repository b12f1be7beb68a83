/*
 * Subtree filters (RFC 6241 6): print what of a data tree passes.
 *
 * A data node is printed whole if a filter node selects it or matches its content; otherwise its
 * children are tried against the children of all filter nodes that it agrees with. Nothing is
 * copied: what turns out to hold nothing is cut off the text again. The recursion follows the data,
 * which is ours, so a filter cannot deepen it.
 */
#include "bridge/netconf/netconf_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(const char *text)
{
    return !text || text[strspn(text, " \t\r\n")] == '\0';
}

static bool is_content_match(const struct lyd_node_opaq *filter)
{
    return !filter->child && !is_blank(filter->value);
}

/* A filter node without a namespace matches any (RFC 6241 6.2.1). */
static bool is_named(const struct lyd_node_opaq *filter, const char *name, const char *ns)
{
    const char *wanted = filter->name.module_ns;

    return strcmp(filter->name.name, name) == 0 &&
           (!wanted || !*wanted || strcmp(wanted, MUP_NETCONF_NAMESPACE) == 0 ||
            strcmp(wanted, ns) == 0);
}

static bool is_for(const struct lyd_node_opaq *filter, const struct lyd_node *data)
{
    /* Our data has no attributes, so that no attribute expression can match (6.2.2). */
    return !filter->attr && is_named(filter, data->schema->name, data->schema->module->ns);
}

static bool is_leaf(const struct lyd_node *data)
{
    return data->schema->nodetype & (LYS_LEAF | LYS_LEAFLIST);
}

static bool has_value(const struct lyd_node *data, const char *wanted)
{
    if (!is_leaf(data)) {
        return false;
    }
    const char *value = lyd_get_value(data);
    size_t first = strspn(wanted, " \t\r\n");
    size_t size = strlen(value);
    return strncmp(wanted + first, value, size) == 0 && is_blank(wanted + first + size);
}

/* Whether every content match among the filter's children holds for the data's children. */
static bool content_agrees(const struct lyd_node_opaq *filter, const struct lyd_node *data)
{
    const struct lyd_node *each;
    const struct lyd_node *child;

    LY_LIST_FOR(filter->child, each)
    {
        const struct lyd_node_opaq *match = (const struct lyd_node_opaq *)each;
        bool found = false;
        if (!is_content_match(match)) {
            continue;
        }
        LY_LIST_FOR(lyd_child(data), child)
        {
            found |= is_for(match, child) && has_value(child, match->value);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool has_only_content_matches(const struct lyd_node_opaq *filter)
{
    const struct lyd_node *each;

    LY_LIST_FOR(filter->child, each)
    {
        if (!is_content_match((const struct lyd_node_opaq *)each)) {
            return false;
        }
    }
    return true;
}

/* Whether the filter node, which is for this data, takes it whole. */
static bool takes_whole(const struct lyd_node_opaq *filter, const struct lyd_node *data)
{
    if (is_content_match(filter)) {
        return has_value(data, filter->value);
    }
    if (!filter->child) {
        return true;
    }
    return !is_leaf(data) && has_only_content_matches(filter) && content_agrees(filter, data);
}

/* libyang gives every tree that it prints a namespace; below a node of the same it says nothing. */
static bool has_parents_namespace(const struct lyd_node *data)
{
    return lyd_parent(data) && lyd_parent(data)->schema &&
           lyd_parent(data)->schema->module == data->schema->module;
}

static void add_below(struct mup_text *text, const struct lyd_node *data, const char *xml)
{
    char start[512];
    int size = snprintf(start, sizeof start, "<%s xmlns=\"%s\"", data->schema->name,
                        data->schema->module->ns);

    if (has_parents_namespace(data) && size > 0 && (size_t)size < sizeof start &&
        strncmp(xml, start, (size_t)size) == 0) {
        mup_text_format(text, "<%s", data->schema->name);
        xml += size;
    }
    mup_text_add(text, xml);
}

void filter_print_whole(struct mup_text *text, const struct lyd_node *data, uint32_t options)
{
    char *xml = NULL;

    if (lyd_print_mem(&xml, data, LYD_XML, LYD_PRINT_SHRINK | options) != LY_SUCCESS) {
        text->failed = true;
    } else if (xml) {
        add_below(text, data, xml);
    }
    free(xml);
}

/* The filter nodes that may speak about one data node. */
struct filters {
    const struct lyd_node_opaq *nodes[FILTER_ELEMENTS_MAX];
    size_t count;
    uint32_t options; /* of libyang's printer */
};

static bool print_selected(struct mup_text *text, const struct lyd_node *data,
                           const struct filters *filters);

/* Without its namespace, which is that of the list. */
static void print_key(struct mup_text *text, const struct lyd_node *key)
{
    const struct lysc_node_leaf *leaf = (const struct lysc_node_leaf *)key->schema;

    if (leaf->type->basetype == LY_TYPE_IDENT || leaf->type->basetype == LY_TYPE_INST) {
        filter_print_whole(text, key, LYD_PRINT_WD_EXPLICIT); /* its value has prefixes */
        return;
    }
    mup_text_format(text, "<%s>", key->schema->name);
    mup_text_escape(text, lyd_get_value(key));
    mup_text_format(text, "</%s>", key->schema->name);
}

void filter_print_open(struct mup_text *text, const struct lyd_node *data)
{
    const struct lyd_node *child;

    mup_text_format(text, "<%s", data->schema->name);
    if (!has_parents_namespace(data)) {
        mup_text_add(text, " xmlns=\"");
        mup_text_escape(text, data->schema->module->ns);
        mup_text_add(text, "\"");
    }
    mup_text_add(text, ">");
    LY_LIST_FOR(lyd_child(data), child)
    {
        if (lysc_is_key(child->schema)) {
            print_key(text, child);
        }
    }
}

void filter_print_close(struct mup_text *text, const struct lyd_node *data)
{
    mup_text_format(text, "</%s>", data->schema->name);
}

/* The children of `data` that the children of `filters` select; false: none. */
static bool print_children(struct mup_text *text, const struct lyd_node *data,
                           const struct filters *filters)
{
    const struct lyd_node *child;
    struct mup_text unused = {0};
    bool any = false;

    LY_LIST_FOR(lyd_child(data), child)
    {
        bool key = lysc_is_key(child->schema);
        any |= print_selected(key ? &unused : text, child, filters);
    }
    mup_text_free(&unused);
    return any;
}

static bool print_selected(struct mup_text *text, const struct lyd_node *data,
                           const struct filters *filters)
{
    struct filters *below = NULL;
    size_t start = text->size;
    bool any = false;

    for (size_t i = 0; i < filters->count; i++) {
        const struct lyd_node_opaq *filter = filters->nodes[i];
        const struct lyd_node *each;
        if (!is_for(filter, data)) {
            continue;
        }
        if (takes_whole(filter, data)) {
            free(below);
            filter_print_whole(text, data, filters->options);
            return true;
        }
        if (!filter->child || is_leaf(data) || !content_agrees(filter, data)) {
            continue;
        }
        if (!below) {
            below = calloc(1, sizeof *below);
        }
        if (!below) {
            text->failed = true;
            return false;
        }
        LY_LIST_FOR(filter->child, each)
        {
            below->nodes[below->count++] = (const struct lyd_node_opaq *)each;
        }
    }
    if (below) {
        below->options = filters->options;
        filter_print_open(text, data);
        any = print_children(text, data, below);
        filter_print_close(text, data);
        free(below);
    }
    if (!any && !text->failed && text->bytes) {
        text->size = start;
        text->bytes[start] = '\0';
    }
    return any;
}

static void top_filters(struct filters *filters, const struct lyd_node_opaq *filter)
{
    const struct lyd_node *each;

    filters->count = 0;
    LY_LIST_FOR(filter->child, each)
    {
        filters->nodes[filters->count++] = (const struct lyd_node_opaq *)each;
    }
}

enum data_result filter_print(struct mup_text *text, const struct lyd_node *tree,
                              const struct filter *filter, uint32_t options)
{
    struct filters filters = {.options = options};
    const struct lyd_node *data;

    if (filter->select) {
        return xpath_print(text, tree, filter->select, options);
    }
    if (filter->subtree) {
        top_filters(&filters, filter->subtree);
    }
    LY_LIST_FOR(tree, data)
    {
        if (!filter->subtree) {
            filter_print_whole(text, data, options);
        } else if (data->schema) {
            print_selected(text, data, &filters);
        }
    }
    return DATA_OK;
}

bool filter_wants(const struct lyd_node_opaq *filter, const char *name, const char *ns)
{
    const struct lyd_node *each;

    if (!filter) {
        return true;
    }
    LY_LIST_FOR(filter->child, each)
    {
        if (is_named((const struct lyd_node_opaq *)each, name, ns)) {
            return true;
        }
    }
    return false;
}

size_t filter_size(const struct lyd_node_opaq *filter)
{
    const struct lyd_node *child;
    size_t count = 1;

    /* No deeper than MUP_XML_DEPTH_MAX: the message was checked. */
    LY_LIST_FOR(filter->child, child)
    {
        count += filter_size((const struct lyd_node_opaq *)child);
    }
    return count;
}

static bool refuse(struct mup_netconf_request *request, enum mup_netconf_tag tag,
                   const char *attribute, const char *message)
{
    reply_error(request, &(struct rpc_error){.type = ERROR_PROTOCOL,
                                             .tag = tag,
                                             .bad_attribute = attribute,
                                             .bad_element = "filter",
                                             .message = message});
    return false;
}

static const struct lyd_node_opaq *find_filter(const struct lyd_node_opaq *call)
{
    const struct lyd_node *child;

    LY_LIST_FOR(call->child, child)
    {
        const struct lyd_node_opaq *node = (const struct lyd_node_opaq *)child;
        if (strcmp(node->name.name, "filter") == 0) {
            return node;
        }
    }
    return NULL;
}

/* RFC 6241 writes the attributes without a namespace, its YANG module puts them into its own. */
static const struct lyd_attr *attribute_named(const struct lyd_node_opaq *node, const char *name)
{
    const struct lyd_attr *attribute;

    LY_LIST_FOR(node->attr, attribute)
    {
        const char *ns = attribute->name.module_ns;
        if (strcmp(attribute->name.name, name) == 0 &&
            (!attribute->name.prefix || (ns && strcmp(ns, MUP_NETCONF_NAMESPACE) == 0))) {
            return attribute;
        }
    }
    return NULL;
}

bool filter_take(struct mup_netconf_request *request)
{
    const struct lyd_node_opaq *found = find_filter(request->call);
    const struct lyd_attr *type = found ? attribute_named(found, "type") : NULL;

    if (type && strcmp(type->value, "xpath") == 0) {
        request->filter.select = attribute_named(found, "select");
        return request->filter.select ||
               refuse(request, MUP_NETCONF_TAG_MISSING_ATTRIBUTE, "select",
                      "a filter of type xpath needs the attribute select");
    }
    if (type && strcmp(type->value, "subtree") != 0) {
        return refuse(request, MUP_NETCONF_TAG_BAD_ATTRIBUTE, "type",
                      "a filter is of type subtree or xpath");
    }
    if (found && filter_size(found) > FILTER_ELEMENTS_MAX) {
        return refuse(request, MUP_NETCONF_TAG_TOO_BIG, NULL,
                      "the filter has more than 256 elements");
    }
    request->filter.subtree = found;
    return true;
}
