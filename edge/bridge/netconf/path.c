/* Error paths and predicates: see path.h. */
#include "bridge/netconf/path.h"

#include <stdio.h>
#include <string.h>

void path_free(struct path *path)
{
    mup_text_free(&path->text);
    mup_text_free(&path->declarations);
}

static void declare(struct path *path, const struct lys_module *module)
{
    char declaration[300];

    snprintf(declaration, sizeof declaration, " xmlns:%.250s=\"", module->name);
    if (path->declarations.bytes && strstr(path->declarations.bytes, declaration)) {
        return;
    }
    mup_text_add(&path->declarations, declaration);
    mup_text_escape(&path->declarations, module->ns);
    mup_text_add(&path->declarations, "\"");
}

void path_add(struct path *path, const struct lys_module *module, const char *name)
{
    declare(path, module);
    mup_text_format(&path->text, "/%s:%s", module->name, name);
}

static bool has_both_quotes(const char *value)
{
    return strchr(value, '\'') && strchr(value, '"');
}

/* Behind what the predicate is about. */
static void add_value(struct path *path, const char *value)
{
    const char *quote = strchr(value, '\'') ? "\"" : "'";

    mup_text_format(&path->text, "=%s", quote);
    mup_text_add(&path->text, value);
    mup_text_format(&path->text, "%s]", quote);
}

static bool is_key_with_both_quotes(const struct lyd_node *node)
{
    return node->schema && lysc_is_key(node->schema) && has_both_quotes(lyd_get_value(node));
}

bool path_can_name(const struct lyd_node *node)
{
    const struct lyd_node *child;

    LY_LIST_FOR(lyd_child(node), child)
    {
        if (is_key_with_both_quotes(child)) {
            return false;
        }
    }
    return node->schema->nodetype != LYS_LEAFLIST || !has_both_quotes(lyd_get_value(node));
}

void path_to_node(struct path *path, const struct lyd_node *node)
{
    const struct lyd_node *child;

    /* Recursive over our own data, no deeper than its schema. */
    if (lyd_parent(node)) {
        path_to_node(path, lyd_parent(node));
    }
    path_add(path, node->schema->module, node->schema->name);
    if (!path_can_name(node)) {
        return;
    }
    LY_LIST_FOR(lyd_child(node), child)
    {
        if (child->schema && lysc_is_key(child->schema)) {
            mup_text_format(&path->text, "[%s:%s", child->schema->module->name,
                            child->schema->name);
            add_value(path, lyd_get_value(child));
        }
    }
    if (node->schema->nodetype == LYS_LEAFLIST) {
        mup_text_add(&path->text, "[.");
        add_value(path, lyd_get_value(node));
    }
}

/* Copy `[name='value']` with a prefix before the name; gives what is behind it. */
static const char *copy_predicate(struct path *path, const char *at, const char *end,
                                  const char *module)
{
    char quote = '\0';

    mup_text_add(&path->text, "[");
    at++;
    size_t name = strcspn(at, "=:]\"");
    if (at < end && *at != '.' && at[name] == '=') {
        mup_text_format(&path->text, "%s:", module);
    }
    for (; at < end; at++) {
        mup_text_append(&path->text, at, 1);
        if (quote) {
            quote = *at == quote ? '\0' : quote;
        } else if (*at == '\'' || *at == '"') {
            quote = *at;
        } else if (*at == ']') {
            return at + 1;
        }
    }
    return end;
}

bool path_from_libyang(struct path *path, const struct ly_ctx *context, const char *words)
{
    static const char location[] = "ata location \"";
    const char *at = words ? strstr(words, location) : NULL;
    const struct lys_module *module = NULL;

    if (!at) {
        return false;
    }
    at += sizeof location - 1;
    /* `", line number 1.` follows; a value with a quote within is not worth the trouble. */
    const char *end = at + strlen(at);
    const char *line = strstr(at, "\", line");
    end = line ? line : end;
    while (at < end && *at == '/') {
        char name[128];
        size_t size = strcspn(++at, "/[:\"");
        if (at[size] == ':') {
            snprintf(name, sizeof name, "%.*s", (int)size, at);
            module = ly_ctx_get_module_implemented(context, name);
            at += size + 1;
            size = strcspn(at, "/[:\"");
        }
        if (!module || size == 0 || size >= sizeof name || at + size > end) {
            return false;
        }
        snprintf(name, sizeof name, "%.*s", (int)size, at);
        path_add(path, module, name);
        at += size;
        while (at < end && *at == '[') {
            at = copy_predicate(path, at, end, module->name);
        }
    }
    return at == end && module && !path->text.failed && !path->declarations.failed;
}

/* ---- predicates ---- */

struct predicate {
    const char *name;
    size_t name_size;
    const char *value;
    size_t value_size;
};

/* The predicate at `at`; gives what is behind it, NULL: it is none. */
static const char *read_predicate(struct predicate *out, const char *at, const char *end,
                                  const char *user)
{
    const char *equals = memchr(at, '=', (size_t)(end - at));
    const char *close;

    if (*at != '[' || !equals || equals + 1 >= end) {
        return NULL;
    }
    out->name = at + 1;
    out->name_size = (size_t)(equals - out->name);
    const char *colon = memchr(out->name, ':', out->name_size);
    if (colon) {
        out->name_size -= (size_t)(colon + 1 - out->name);
        out->name = colon + 1;
    }
    at = equals + 1;
    if (*at == '\'' || *at == '"') {
        close = memchr(at + 1, *at, (size_t)(end - at - 1));
        out->value = at + 1;
        out->value_size = close ? (size_t)(close - out->value) : 0;
        close = close ? close + 1 : NULL;
    } else { /* $USER, the only variable that there is (RFC 8341) */
        close = memchr(at, ']', (size_t)(end - at));
        out->value = user;
        out->value_size = user ? strlen(user) : 0;
    }
    return close && close < end && *close == ']' ? close + 1 : NULL;
}

static bool is_value(const struct lyd_node *node, const struct predicate *predicate)
{
    const char *value = lyd_get_value(node);

    return value && strlen(value) == predicate->value_size &&
           memcmp(value, predicate->value, predicate->value_size) == 0;
}

static bool holds(const struct predicate *predicate, const struct lyd_node *node)
{
    const struct lyd_node *child;

    if (predicate->name_size == 1 && predicate->name[0] == '.') {
        return is_value(node, predicate);
    }
    LY_LIST_FOR(lyd_child(node), child)
    {
        const char *name = child->schema->name;
        if (strlen(name) == predicate->name_size &&
            memcmp(name, predicate->name, predicate->name_size) == 0 &&
            is_value(child, predicate)) {
            return true;
        }
    }
    return false;
}

bool path_predicates_hold(const char *text, size_t size, const struct lyd_node *node,
                          const char *user)
{
    const char *end = text + size;
    struct predicate predicate;

    while (text && text < end) {
        text = read_predicate(&predicate, text, end, user);
        if (!text || !predicate.value || !holds(&predicate, node)) {
            return false;
        }
    }
    return text != NULL;
}
