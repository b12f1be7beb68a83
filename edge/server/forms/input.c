/* From JSON into a libyang tree, leaf by leaf; libyang judges each value. */
#include "server/forms/input.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/forms/form.h"

#define NUMBER_SIZE 400u /* of a double with all its digits */

__attribute__((format(printf, 4, 5))) static enum mup_status
wrong(struct mup_input_error *error, const char *path, const char *name, const char *format, ...)
{
    va_list values;

    snprintf(error->field, sizeof error->field, "%s%s%s", path, path[0] && name[0] ? "/" : "",
             name);
    va_start(values, format);
    vsnprintf(error->message, sizeof error->message, format, values);
    va_end(values);
    return MUP_ERR_FORMAT;
}

/* The value as YANG writes it; NULL: it is of a kind that no leaf is. `number` is room for one. */
static const char *value_text(const json_t *value, const struct lysc_node *leaf,
                              char number[NUMBER_SIZE])
{
    if (json_is_string(value)) {
        /* A text with a NUL in it would be cut at it. */
        return strlen(json_string_value(value)) == json_string_length(value)
                   ? json_string_value(value)
                   : NULL;
    }
    if (json_is_boolean(value)) {
        return json_is_true(value) ? "true" : "false";
    }
    if (json_is_integer(value)) {
        snprintf(number, NUMBER_SIZE, "%lld", (long long)json_integer_value(value));
        return number;
    }
    if (json_is_real(value)) {
        unsigned digits = mup_form_fraction_digits(leaf);
        snprintf(number, NUMBER_SIZE, "%.*f", (int)(digits > 0 ? digits : 6),
                 json_real_value(value));
        return number;
    }
    return NULL;
}

/* libyang's sentence without its "Path:" part. */
static const char *reason(const struct ly_ctx *context)
{
    const char *message = ly_errmsg(context);

    return message ? message : "it is not valid";
}

static enum mup_status add_leaf(struct lyd_node *parent, const struct lysc_node *leaf,
                                const json_t *value, const char *path,
                                struct mup_input_error *error)
{
    char number[NUMBER_SIZE];
    const char *text = value_text(value, leaf, number);

    if (!text) {
        return wrong(error, path, leaf->name, "it is not a text, a number, true or false");
    }
    ly_err_clean(leaf->module->ctx, NULL);
    if (lyd_new_term(parent, leaf->module, leaf->name, text, 0, NULL) != LY_SUCCESS) {
        return wrong(error, path, leaf->name, "%.180s", reason(leaf->module->ctx));
    }
    return MUP_OK;
}

static const struct lysc_node *find_child(const struct lysc_node *first, const char *name)
{
    for (const struct lysc_node *node = first; node; node = node->next) {
        if (strcmp(node->name, name) == 0) {
            return node;
        }
    }
    return NULL;
}

static bool is_given(const json_t *input, const char *name)
{
    const json_t *value = json_object_get(input, name);

    return value && !json_is_null(value);
}

static enum mup_status add_all(struct lyd_node *parent, const struct lysc_node *first,
                               const json_t *input, const char *path, unsigned depth,
                               struct mup_input_error *error);

/* Depth is bounded by MUP_FORM_DEPTH_MAX. */
static enum mup_status add_structure(struct lyd_node *parent, const struct lysc_node *node,
                                     const json_t *value, const char *path, unsigned depth,
                                     struct mup_input_error *error)
{
    char below[MUP_INPUT_FIELD_SIZE];
    struct lyd_node *made = NULL;

    if (!json_is_object(value)) {
        return wrong(error, path, node->name, "it is not an object of its parts");
    }
    if (depth == MUP_FORM_DEPTH_MAX ||
        (size_t)snprintf(below, sizeof below, "%s%s%s", path, path[0] ? "/" : "", node->name) >=
            sizeof below) {
        return wrong(error, path, "", "it is too deep");
    }
    if (lyd_new_inner(parent, node->module, node->name, 0, &made) != LY_SUCCESS) {
        return MUP_ERR_SPACE;
    }
    return add_all(made, ((const struct lysc_node_container *)node)->child, value, below, depth + 1,
                   error);
}

/* What is mandatory and not there. A structure that is not optional has to be there when a part of
 * it has. */
static enum mup_status check_missing(const struct lysc_node *first, const json_t *input,
                                     const char *path, struct mup_input_error *error)
{
    for (const struct lysc_node *node = first; node; node = node->next) {
        bool is_wanted = (node->flags & LYS_MAND_TRUE) != 0 ||
                         (node->nodetype == LYS_CONTAINER && (node->flags & LYS_PRESENCE) == 0);
        if (is_wanted && !is_given(input, node->name) &&
            !(path[0] == '\0' && strcmp(node->name, "uuid") == 0)) {
            return wrong(error, path, node->name, "it is missing");
        }
    }
    return MUP_OK;
}

static enum mup_status add_all(struct lyd_node *parent, const struct lysc_node *first,
                               const json_t *input, const char *path, unsigned depth,
                               struct mup_input_error *error)
{
    const char *name;
    json_t *value;
    enum mup_status status = MUP_OK;

    json_object_foreach((json_t *)(uintptr_t)input, name, value)
    {
        const struct lysc_node *node = find_child(first, name);
        if (!node || (depth == 0 && strcmp(name, "uuid") == 0)) {
            return wrong(error, path, name, "there is no such input");
        }
        if (json_is_null(value)) {
            continue; /* left empty */
        }
        status = node->nodetype == LYS_CONTAINER
                     ? add_structure(parent, node, value, path, depth, error)
                     : add_leaf(parent, node, value, path, error);
        if (status != MUP_OK) {
            return status;
        }
    }
    return check_missing(first, input, path, error);
}

/* What concerns more than one value is left to libyang as a whole. */
static enum mup_status finish(char **xml, struct lyd_node *tree, struct ly_ctx *context,
                              struct mup_input_error *error)
{
    ly_err_clean(context, NULL);
    if (lyd_validate_op(tree, NULL, LYD_TYPE_RPC_YANG, NULL) != LY_SUCCESS) {
        return wrong(error, "", "", "%.180s", reason(context));
    }
    return lyd_print_mem(xml, tree, LYD_XML, LYD_PRINT_SHRINK) == LY_SUCCESS && *xml
               ? MUP_OK
               : MUP_ERR_SPACE;
}

enum mup_status mup_input_xml(char **xml, const struct lysc_node_action *rpc, const char *uuid,
                              const json_t *input, struct mup_input_error *error)
{
    struct lyd_node *tree = NULL;
    char *made = NULL;

    *error = (struct mup_input_error){"", ""};
    if (lyd_new_inner(NULL, rpc->module, rpc->name, 0, &tree) != LY_SUCCESS ||
        lyd_new_term(tree, rpc->module, "uuid", uuid, 0, NULL) != LY_SUCCESS) {
        lyd_free_all(tree);
        return MUP_ERR_SPACE;
    }
    enum mup_status status = add_all(tree, rpc->input.child, input, "", 0, error);
    if (status == MUP_OK) {
        status = finish(&made, tree, rpc->module->ctx, error);
    }
    lyd_free_all(tree);
    if (status == MUP_OK) {
        *xml = made;
    }
    return status;
}
