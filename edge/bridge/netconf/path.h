/* The error-path of an rpc-error: an XPath in which every step has a prefix, and the declarations
 * of those prefixes. */
#ifndef MUP_BRIDGE_NETCONF_PATH_H
#define MUP_BRIDGE_NETCONF_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include <libyang/libyang.h>

#include "runtime/text.h"

struct path {
    struct mup_text text;
    struct mup_text declarations; /* such as ` xmlns:a="urn:a"` */
};

void path_free(struct path *path);

/* The way to this node, with the keys of lists; without those of entries that cannot be named. */
void path_to_node(struct path *path, const struct lyd_node *node);

/* False: a key, or the value of a leaf-list, has quotes of both kinds. A path, in which nothing can
 * be escaped, then names all entries or none. */
bool path_can_name(const struct lyd_node *node);

/* One step more. */
void path_add(struct path *path, const struct lys_module *module, const char *name);

/* What libyang says about where an error is: a path within some other words, with a module's name
 * where it changes. False: there is none. */
bool path_from_libyang(struct path *path, const struct ly_ctx *context, const char *words);

/*
 * Whether each predicate `[name='value']` of `text` is true of the children of `node`; names may
 * have a prefix, which is not looked at, and a value may be $USER. `[.='value']` is about the node
 * itself.
 */
bool path_predicates_hold(const char *text, size_t size, const struct lyd_node *node,
                          const char *user);

#endif
