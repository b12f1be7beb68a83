/*
 * Filters that are an XPath (RFC 6241 8.9): what it selects, with all below, and of what is above
 * only tags and keys. Runs in a child process: nothing bounds how long an XPath takes.
 */
#include "bridge/netconf/netconf_internal.h"

#include <stdlib.h>
#include <string.h>

/* Nodes in the order of their addresses, for looking up. */
struct nodes {
    const struct lyd_node **items;
    size_t count;
    size_t capacity;
};

static bool add(struct nodes *nodes, const struct lyd_node *node)
{
    if (nodes->count == nodes->capacity) {
        size_t capacity = nodes->capacity ? nodes->capacity * 2 : 64;
        const struct lyd_node **grown =
            realloc((void *)nodes->items, capacity * sizeof *nodes->items);
        if (!grown) {
            return false;
        }
        nodes->items = grown;
        nodes->capacity = capacity;
    }
    nodes->items[nodes->count++] = node;
    return true;
}

static int compare(const void *left, const void *right)
{
    const struct lyd_node *a = *(const struct lyd_node *const *)left;
    const struct lyd_node *b = *(const struct lyd_node *const *)right;

    return a < b ? -1 : a > b;
}

static void sort(struct nodes *nodes)
{
    if (nodes->count > 0) {
        qsort((void *)nodes->items, nodes->count, sizeof *nodes->items, compare);
    }
}

static bool has(const struct nodes *nodes, const struct lyd_node *node)
{
    return nodes->count > 0 && bsearch(&node, (const void *)nodes->items, nodes->count,
                                       sizeof *nodes->items, compare) != NULL;
}

struct selection {
    struct nodes whole; /* selected */
    struct nodes open;  /* above them, maybe several times */
    uint32_t options;
};

static bool read_set(struct selection *selection, const struct ly_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (!add(&selection->whole, set->dnodes[i])) {
            return false;
        }
        for (const struct lyd_node *above = lyd_parent(set->dnodes[i]); above;
             above = lyd_parent(above)) {
            if (!add(&selection->open, above)) {
                return false;
            }
        }
    }
    sort(&selection->whole);
    sort(&selection->open);
    return true;
}

/* Recursive over our own data: no deeper than its schema. */
static void print(struct mup_text *text, const struct lyd_node *tree,
                  const struct selection *selection)
{
    const struct lyd_node *node;

    LY_LIST_FOR(tree, node)
    {
        if (has(&selection->whole, node)) {
            filter_print_whole(text, node, selection->options);
        } else if (has(&selection->open, node)) {
            filter_print_open(text, node);
            print(text, lyd_child_no_keys(node), selection);
            filter_print_close(text, node);
        }
    }
}

enum data_result xpath_print(struct mup_text *text, const struct lyd_node *tree,
                             const struct lyd_attr *select, uint32_t options)
{
    struct selection selection = {.options = options};
    struct ly_set *set = NULL;

    if (!tree) {
        return DATA_OK;
    }
    /* Names without a prefix are in no namespace, and so nowhere (XPath 1.0 2.3); but yangcli and
     * people at a prompt write them: they may stand for a node of any module. */
    if (lyd_find_xpath4(NULL, tree, select->value, select->format, select->val_prefix_data, NULL,
                        &set) != LY_SUCCESS &&
        lyd_find_xpath4(NULL, tree, select->value, LY_VALUE_JSON, NULL, NULL, &set) != LY_SUCCESS) {
        return DATA_BAD_XPATH;
    }
    bool read = read_set(&selection, set);
    if (read) {
        print(text, tree, &selection);
    }
    ly_set_free(set, NULL);
    free((void *)selection.whole.items);
    free((void *)selection.open.items);
    return read ? DATA_OK : DATA_FAILED;
}
