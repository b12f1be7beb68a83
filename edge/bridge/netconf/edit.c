/* edit-config's operations on a copy of the configuration: see edit.h. */
#include "bridge/netconf/edit.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/netconf/netconf_internal.h"
#include "runtime/text.h"

static char *copy_of(const char *text)
{
    return text ? strdup(text) : NULL;
}

/* The first fault stays. Always false. */
static bool fail(struct edit *edit, enum mup_netconf_tag tag, const char *message)
{
    if (!edit->fault.message) {
        edit->fault.tag = tag;
        edit->fault.message = copy_of(message);
    }
    return false;
}

static bool fail_at(struct edit *edit, enum mup_netconf_tag tag, const struct lyd_node *node,
                    const char *message)
{
    path_to_node(&edit->fault.path, node);
    return fail(edit, tag, message);
}

bool edit_begin(struct edit *edit, const struct lyd_node *running)
{
    if (running && lyd_dup_siblings(running, NULL, LYD_DUP_RECURSIVE | LYD_DUP_WITH_FLAGS,
                                    &edit->tree) != LY_SUCCESS) {
        return fail(edit, MUP_NETCONF_TAG_RESOURCE_DENIED, "no memory");
    }
    return true;
}

static void clear_fault(struct edit_fault *fault)
{
    free(fault->message);
    free(fault->app_tag);
    free(fault->bad_element);
    free(fault->bad_attribute);
    free(fault->bad_namespace);
    path_free(&fault->path);
    *fault = (struct edit_fault){0};
}

void edit_free(struct edit *edit)
{
    lyd_free_all(edit->tree);
    lyd_free_all(edit->changes);
    clear_fault(&edit->fault);
}

/* ---- reading: names first, then values by libyang ---- */

static const char *namespace_of(const struct lyd_node_opaq *node)
{
    return node->name.module_ns ? node->name.module_ns : "";
}

static bool fail_element(struct edit *edit, enum mup_netconf_tag tag,
                         const struct lyd_node_opaq *node, const char *message)
{
    edit->fault.bad_element = copy_of(node->name.name);
    if (tag == MUP_NETCONF_TAG_UNKNOWN_NAMESPACE) {
        edit->fault.bad_namespace = copy_of(namespace_of(node));
    }
    return fail(edit, tag, message);
}

static bool fail_attribute(struct edit *edit, enum mup_netconf_tag tag,
                           const struct lyd_node_opaq *node, const char *attribute,
                           const char *message)
{
    edit->fault.bad_attribute = copy_of(attribute);
    edit->fault.bad_element = copy_of(node->name.name);
    return fail(edit, tag, message);
}

static bool is_operation(const char *text)
{
    static const char *const names[] = {"merge", "replace", "create", "delete", "remove"};

    for (size_t i = 0; text && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static const struct lyd_attr *operation_attribute(const struct lyd_node_opaq *node)
{
    const struct lyd_attr *attribute;

    LY_LIST_FOR(node->attr, attribute)
    {
        const char *ns = attribute->name.module_ns;
        if (ns && strcmp(ns, MUP_NETCONF_NAMESPACE) == 0 &&
            strcmp(attribute->name.name, "operation") == 0) {
            return attribute;
        }
    }
    return NULL;
}

static bool is_delete(const struct lyd_node_opaq *node)
{
    const struct lyd_attr *operation = operation_attribute(node);

    return operation &&
           (strcmp(operation->value, "delete") == 0 || strcmp(operation->value, "remove") == 0);
}

/* Attributes of NETCONF and of YANG are meant for us; one that we do not know changes what is
 * meant. */
static bool check_attributes(struct edit *edit, const struct lyd_node_opaq *node)
{
    const struct lyd_attr *attribute;

    LY_LIST_FOR(node->attr, attribute)
    {
        const char *ns = attribute->name.module_ns ? attribute->name.module_ns : "";
        const char *name = attribute->name.name;
        if (strcmp(ns, MUP_NETCONF_NAMESPACE) == 0 && strcmp(name, "operation") == 0) {
            if (!is_operation(attribute->value)) {
                return fail_attribute(edit, MUP_NETCONF_TAG_BAD_ATTRIBUTE, node, name,
                                      "an operation is merge, replace, create, delete or remove");
            }
        } else if (strcmp(ns, MUP_YANG_NAMESPACE) != 0 ||
                   (strcmp(name, "insert") != 0 && strcmp(name, "key") != 0 &&
                    strcmp(name, "value") != 0)) {
            return fail_attribute(edit, MUP_NETCONF_TAG_UNKNOWN_ATTRIBUTE, node, name,
                                  "this attribute means nothing here");
        }
    }
    return true;
}

static bool check_names(struct edit *edit, const struct lyd_node_opaq *node,
                        const struct lysc_node *parent);

static bool check_children(struct edit *edit, const struct lyd_node_opaq *element,
                           const struct lysc_node *schema)
{
    const struct lyd_node *child;

    /* No deeper than MUP_XML_DEPTH_MAX: the message was checked. */
    LY_LIST_FOR(element->child, child)
    {
        if (!check_names(edit, (const struct lyd_node_opaq *)child, schema)) {
            return false;
        }
    }
    return true;
}

static bool check_names(struct edit *edit, const struct lyd_node_opaq *node,
                        const struct lysc_node *parent)
{
    const struct lys_module *module = schemas_by_namespace(edit->schemas, namespace_of(node));

    if (!module) {
        return fail_element(edit, MUP_NETCONF_TAG_UNKNOWN_NAMESPACE, node,
                            "no module with this namespace is here");
    }
    const struct lysc_node *schema = lys_find_child(parent, module, node->name.name, 0, 0, 0);
    if (!schema || (schema->nodetype & (LYS_RPC | LYS_NOTIF))) {
        return fail_element(edit, MUP_NETCONF_TAG_UNKNOWN_ELEMENT, node,
                            "the schema has no such element here");
    }
    if (schema->flags & LYS_CONFIG_R) {
        return fail_element(edit, MUP_NETCONF_TAG_UNKNOWN_ELEMENT, node,
                            "this is state, which cannot be configured");
    }
    size_t length = edit->fault.path.text.size;
    path_add(&edit->fault.path, module, schema->name);
    if (!check_attributes(edit, node)) {
        return false;
    }
    if ((schema->nodetype & (LYS_LEAF | LYS_LEAFLIST)) && node->child) {
        return fail_element(edit, MUP_NETCONF_TAG_BAD_ELEMENT, node, "a leaf holds no elements");
    }
    edit->has_bare_delete |= schema->nodetype == LYS_LEAF && is_delete(node);
    if ((schema->nodetype & (LYS_CONTAINER | LYS_LIST)) && !check_children(edit, node, schema)) {
        return false;
    }
    /* This one is in order: the path of a fault does not lead here. */
    if (edit->fault.path.text.bytes) {
        edit->fault.path.text.size = length;
        edit->fault.path.text.bytes[length] = '\0';
    }
    return true;
}

static bool fail_by_libyang(struct edit *edit)
{
    const struct ly_err_item *item = ly_err_last(edit->schemas->context);

    path_free(&edit->fault.path);
    if (!item || !path_from_libyang(&edit->fault.path, edit->schemas->context, item->path)) {
        path_free(&edit->fault.path);
    }
    edit->fault.app_tag = item ? copy_of(item->apptag) : NULL;
    return fail(edit, reply_tag_of(item),
                item && item->msg ? item->msg : "the configuration does not fit its schema");
}

static bool parse(struct edit *edit, const char *xml, uint32_t strictness)
{
    lyd_free_all(edit->changes);
    edit->changes = NULL;
    ly_err_clean((struct ly_ctx *)edit->schemas->context, NULL);
    return lyd_parse_data_mem(edit->schemas->context, xml, LYD_XML,
                              LYD_PARSE_ONLY | LYD_PARSE_NO_STATE | strictness, 0,
                              &edit->changes) == LY_SUCCESS;
}

/* NULL: there is none. */
static const struct lysc_node *schema_of(const struct edit *edit, const struct lysc_node *parent,
                                         const struct lyd_node_opaq *node)
{
    const struct lys_module *module = schemas_by_namespace(edit->schemas, namespace_of(node));

    return module ? lys_find_child(parent, module, node->name.name, 0, 0, 0) : NULL;
}

/* A leaf that is deleted needs no value. An entry needs its keys or its value: else any entry could
 * be meant. */
static bool check_bare(struct edit *edit, const struct lysc_node *parent,
                       const struct lyd_node_opaq *node)
{
    const struct lysc_node *schema = schema_of(edit, parent, node);

    if (!is_delete(node)) {
        return false;
    }
    if (schema && schema->nodetype == LYS_LIST) {
        return fail_element(edit, MUP_NETCONF_TAG_MISSING_ELEMENT, node,
                            "the keys of the entry that is to be deleted are missing or wrong");
    }
    return (schema && schema->nodetype == LYS_LEAF) ||
           fail_element(edit, MUP_NETCONF_TAG_INVALID_VALUE, node,
                        "the value that is to be deleted is missing or wrong");
}

/* Whether all that libyang could not read are leaves that are to be deleted. Recursive over what
 * was checked to be no deeper than its schema. */
static bool has_only_deletes(struct edit *edit, const struct lysc_node *parent,
                             const struct lyd_node *changes)
{
    const struct lyd_node *node;

    LY_LIST_FOR(changes, node)
    {
        if (!node->schema ? !check_bare(edit, parent, (const struct lyd_node_opaq *)node)
                          : !has_only_deletes(edit, node->schema, lyd_child(node))) {
            return false;
        }
    }
    return true;
}

bool edit_read(struct edit *edit, const struct lyd_node_opaq *config)
{
    struct mup_text xml = {0};
    const struct lyd_node *child;

    if (!check_children(edit, config, NULL)) {
        return false;
    }
    mup_text_add(&xml, "");
    LY_LIST_FOR(config->child, child)
    {
        char *text = NULL;
        xml.failed |= lyd_print_mem(&text, child, LYD_XML, LYD_PRINT_SHRINK) != LY_SUCCESS;
        mup_text_add(&xml, text ? text : "");
        free(text);
    }
    if (xml.failed) {
        mup_text_free(&xml);
        return fail(edit, MUP_NETCONF_TAG_RESOURCE_DENIED, "no memory");
    }
    bool good = xml.size == 0 || parse(edit, xml.bytes, LYD_PARSE_STRICT) ||
                (edit->has_bare_delete && parse(edit, xml.bytes, LYD_PARSE_OPAQ) &&
                 has_only_deletes(edit, NULL, edit->changes));
    if (!good && !edit->fault.message) {
        (void)parse(edit, xml.bytes, LYD_PARSE_STRICT);
        good = fail_by_libyang(edit);
    }
    mup_text_free(&xml);
    return good;
}

/* ---- applying ---- */

static const char *meta_of(const struct lyd_node *node, const char *module, const char *name)
{
    const struct lyd_meta *meta;

    LY_LIST_FOR(node->meta, meta)
    {
        if (strcmp(meta->annotation->module->name, module) == 0 && strcmp(meta->name, name) == 0) {
            return lyd_get_meta_value(meta);
        }
    }
    return NULL;
}

static enum edit_operation operation_of(const struct lyd_node *node, enum edit_operation inherited)
{
    static const char *const names[] = {[EDIT_MERGE] = "merge",
                                        [EDIT_REPLACE] = "replace",
                                        [EDIT_CREATE] = "create",
                                        [EDIT_DELETE] = "delete",
                                        [EDIT_REMOVE] = "remove"};
    const char *text = meta_of(node, "ietf-netconf", "operation");

    for (size_t i = 0; text && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], text) == 0) {
            return (enum edit_operation)i;
        }
    }
    return inherited;
}

static void take_away(struct edit *edit, struct lyd_node *node)
{
    if (edit->tree == node) {
        edit->tree = node->next;
    }
    lyd_free_tree(node);
}

static bool is_leaf(const struct lyd_node *node)
{
    return node->schema->nodetype & (LYS_LEAF | LYS_LEAFLIST);
}

static bool is_ordered_by_user(const struct lyd_node *node)
{
    return (node->schema->nodetype & (LYS_LIST | LYS_LEAFLIST)) &&
           (node->schema->flags & LYS_ORDBY_USER);
}

/* Containers without presence are always there (RFC 7950 7.5.1). */
static bool is_plain_container(const struct lyd_node *node)
{
    return node->schema->nodetype == LYS_CONTAINER && !(node->schema->flags & LYS_PRESENCE);
}

/* What of the configuration this change is about; NULL: nothing. A leaf that is there by default
 * only is not. */
static struct lyd_node *find_match(struct edit *edit, struct lyd_node *parent,
                                   const struct lyd_node *change)
{
    struct lyd_node *siblings = parent ? lyd_child(parent) : edit->tree;
    struct lyd_node *match = NULL;

    if (!siblings) {
        return NULL;
    }
    if (change->schema->nodetype & (LYS_LIST | LYS_LEAFLIST)) {
        lyd_find_sibling_first(siblings, change, &match);
    } else {
        lyd_find_sibling_val(siblings, change->schema, NULL, 0, &match);
    }
    if (match && is_leaf(match) && (match->flags & LYD_DEFAULT)) {
        take_away(edit, match);
        match = NULL;
    }
    return match;
}

/* A copy of the change alone (a list entry with its keys) in its place; NULL: no memory. */
static struct lyd_node *put(struct edit *edit, struct lyd_node *parent,
                            const struct lyd_node *change)
{
    struct lyd_node *made = NULL;

    if (lyd_dup_single(change, (struct lyd_node_inner *)parent, LYD_DUP_NO_META, &made) !=
        LY_SUCCESS) {
        fail(edit, MUP_NETCONF_TAG_RESOURCE_DENIED, "no memory");
        return NULL;
    }
    if (!parent && lyd_insert_sibling(edit->tree, made, &edit->tree) != LY_SUCCESS) {
        lyd_free_tree(made);
        fail(edit, MUP_NETCONF_TAG_RESOURCE_DENIED, "no memory");
        return NULL;
    }
    return made;
}

static bool is_beside(const struct lyd_node *node, const struct lyd_node *other)
{
    return other && other->schema == node->schema && other != node;
}

/* The entry that yang:key or yang:value names, or for first and last the one at the end. */
static struct lyd_node *find_neighbour(struct lyd_node *node, const char *where,
                                       const char *predicates)
{
    struct lyd_node *first = lyd_first_sibling(node);
    struct lyd_node *found = NULL;

    for (struct lyd_node *each = first; each; each = each->next) {
        if (!is_beside(node, each)) {
            continue;
        }
        if (strcmp(where, "first") == 0) {
            return each;
        }
        if (strcmp(where, "last") == 0 ||
            (predicates && path_predicates_hold(predicates, strlen(predicates), each, NULL))) {
            found = each;
        }
    }
    return found;
}

/* The attributes yang:insert, yang:key and yang:value (RFC 7950 7.7.9, 7.8.6). */
static bool place(struct edit *edit, struct lyd_node *node, const struct lyd_node *change)
{
    const char *where = meta_of(change, "yang", "insert");
    const char *key = meta_of(change, "yang", "key");
    const char *value = meta_of(change, "yang", "value");
    struct mup_text own = {0};

    if (!where || !is_ordered_by_user(node)) {
        return true;
    }
    bool relative = strcmp(where, "before") == 0 || strcmp(where, "after") == 0;
    if (value) {
        mup_text_format(&own, "[.='%s']", value);
    }
    struct lyd_node *neighbour = find_neighbour(node, where, key ? key : own.bytes);
    mup_text_free(&own);
    if (!neighbour) {
        if (relative) {
            edit->fault.app_tag = copy_of("missing-instance");
            edit->fault.bad_attribute = copy_of(key || !value ? "key" : "value");
            return fail_at(edit, MUP_NETCONF_TAG_BAD_ATTRIBUTE, node,
                           "there is no such entry to stand beside");
        }
        return true;
    }
    bool before = strcmp(where, "before") == 0 || strcmp(where, "first") == 0;
    LY_ERR result = before ? lyd_insert_before(neighbour, node) : lyd_insert_after(neighbour, node);
    if (!lyd_parent(node)) {
        edit->tree = lyd_first_sibling(edit->tree);
    }
    return result == LY_SUCCESS || fail(edit, MUP_NETCONF_TAG_OPERATION_FAILED, "cannot be placed");
}

static bool apply(struct edit *edit, struct lyd_node *parent, const struct lyd_node *change,
                  enum edit_operation inherited);

/* Whether the rest goes on without the change that was refused. */
static bool goes_on(struct edit *edit)
{
    if (!edit->pass_over || edit->fault.tag == MUP_NETCONF_TAG_RESOURCE_DENIED) {
        return false;
    }
    edit->pass_over(edit->arg, &edit->fault);
    clear_fault(&edit->fault);
    return true;
}

static bool apply_children(struct edit *edit, struct lyd_node *parent,
                           const struct lyd_node *change, enum edit_operation operation)
{
    const struct lyd_node *child;

    LY_LIST_FOR(lyd_child_no_keys(change), child)
    {
        if (!apply(edit, parent, child, operation) && !goes_on(edit)) {
            return false;
        }
    }
    return true;
}

static bool set_value(struct edit *edit, struct lyd_node *leaf, const struct lyd_node *change)
{
    LY_ERR result = lyd_change_term(leaf, lyd_get_value(change));

    return result == LY_SUCCESS || result == LY_EEXIST || result == LY_ENOT ||
           fail_at(edit, MUP_NETCONF_TAG_INVALID_VALUE, change, "the value cannot be set");
}

/* Make it be there, and what is below it. */
static bool merge(struct edit *edit, struct lyd_node *parent, struct lyd_node *match,
                  const struct lyd_node *change, enum edit_operation operation)
{
    struct lyd_node *node = match ? match : put(edit, parent, change);

    if (!node || !place(edit, node, change)) {
        return false;
    }
    if (change->schema->nodetype == LYS_LEAF && match) {
        return set_value(edit, node, change);
    }
    return is_leaf(change) || apply_children(edit, node, change, operation);
}

/* As merge, but what was there before is gone; its place in an order by the user is kept. */
static bool replace(struct edit *edit, struct lyd_node *parent, struct lyd_node *match,
                    const struct lyd_node *change)
{
    struct lyd_node *next = match ? match->next : NULL;

    if (!match || is_leaf(change)) {
        return merge(edit, parent, match, change, EDIT_REPLACE);
    }
    bool keeps_place = is_ordered_by_user(change) && is_beside(match, next);
    take_away(edit, match);
    struct lyd_node *made = put(edit, parent, change);
    if (!made || (keeps_place && lyd_insert_before(next, made) != LY_SUCCESS)) {
        return fail(edit, MUP_NETCONF_TAG_RESOURCE_DENIED, "no memory");
    }
    return place(edit, made, change) && apply_children(edit, made, change, EDIT_REPLACE);
}

/* A leaf that is to be deleted and whose value is none. */
static bool apply_bare(struct edit *edit, struct lyd_node *parent,
                       const struct lyd_node_opaq *change)
{
    const struct lysc_node *schema = schema_of(edit, parent ? parent->schema : NULL, change);
    struct lyd_node *match = NULL;

    if (schema && lyd_child(parent)) {
        lyd_find_sibling_val(lyd_child(parent), schema, NULL, 0, &match);
    }
    if (match && !(match->flags & LYD_DEFAULT)) {
        take_away(edit, match);
        return true;
    }
    if (strcmp(operation_attribute(change)->value, "remove") == 0) {
        return true;
    }
    if (parent) {
        path_to_node(&edit->fault.path, parent);
    }
    edit->fault.bad_element = copy_of(change->name.name);
    return fail(edit, MUP_NETCONF_TAG_DATA_MISSING, "there is nothing to delete");
}

/* Recursive over the change: no deeper than its schema. */
static bool apply(struct edit *edit, struct lyd_node *parent, const struct lyd_node *change,
                  enum edit_operation inherited)
{
    if (!change->schema) {
        return apply_bare(edit, parent, (const struct lyd_node_opaq *)change);
    }
    enum edit_operation operation = operation_of(change, inherited);
    struct lyd_node *match = find_match(edit, parent, change);

    switch (operation) {
    case EDIT_NONE:
        if (!match) {
            return fail_at(edit, MUP_NETCONF_TAG_DATA_MISSING, change, "there is no such data");
        }
        return apply_children(edit, match, change, operation);
    case EDIT_DELETE:
    case EDIT_REMOVE:
        if (match) {
            take_away(edit, match);
        } else if (operation == EDIT_DELETE) {
            return fail_at(edit, MUP_NETCONF_TAG_DATA_MISSING, change,
                           "there is nothing to delete");
        }
        return true;
    case EDIT_CREATE:
        if (match && !is_plain_container(match)) {
            return fail_at(edit, MUP_NETCONF_TAG_DATA_EXISTS, change, "this is there already");
        }
        return merge(edit, parent, match, change, operation);
    case EDIT_REPLACE:
        return replace(edit, parent, match, change);
    case EDIT_MERGE:
        return merge(edit, parent, match, change, operation);
    }
    return false;
}

bool edit_apply(struct edit *edit)
{
    const struct lyd_node *change;

    /* Then what is given is the whole configuration (RFC 6241 7.2). */
    if (edit->default_operation == EDIT_REPLACE) {
        lyd_free_all(edit->tree);
        edit->tree = NULL;
    }
    LY_LIST_FOR(edit->changes, change)
    {
        if (!apply(edit, NULL, change, edit->default_operation) && !goes_on(edit)) {
            return false;
        }
    }
    return true;
}

bool edit_validate(struct edit *edit)
{
    ly_err_clean((struct ly_ctx *)edit->schemas->context, NULL);
    return lyd_validate_all(&edit->tree, edit->schemas->context, LYD_VALIDATE_NO_STATE, NULL) ==
               LY_SUCCESS ||
           fail_by_libyang(edit);
}
