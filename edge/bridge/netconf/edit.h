/*
 * Changing a configuration as edit-config says (RFC 6241 7.2, RFC 7950 7.x).
 *
 *     struct edit edit = {.context = context, .default_operation = EDIT_MERGE};
 *     edit_begin(&edit, running);                 works on a copy
 *     edit_read(&edit, config)                    the <config> element, checked and parsed
 *     edit_apply(&edit)
 *     edit_validate(&edit)
 *     ... edit.tree is the new configuration, with defaults ...
 *     edit_free(&edit);
 *
 * A function that returns false has left why in edit.fault.
 */
#ifndef MUP_BRIDGE_NETCONF_EDIT_H
#define MUP_BRIDGE_NETCONF_EDIT_H

#include <stdbool.h>

#include "bridge/netconf/netconf.h"
#include "bridge/netconf/path.h"
#include "bridge/netconf/schemas.h"

enum edit_operation {
    EDIT_MERGE,
    EDIT_REPLACE,
    EDIT_CREATE,
    EDIT_DELETE,
    EDIT_REMOVE,
    EDIT_NONE,
};

/* Why an edit is refused, as rpc-error says it. */
struct edit_fault {
    enum mup_netconf_tag tag;
    char *message; /* NULL: no fault */
    char *app_tag; /* this and the next may be NULL */
    char *bad_element;
    char *bad_attribute;
    char *bad_namespace;
    struct path path;
};

struct edit {
    const struct schemas *schemas;
    enum edit_operation default_operation;
    struct lyd_node *tree; /* the configuration that is made */
    /* continue-on-error: a change that cannot be made is told by this and passed over. NULL: it
     * ends the edit. */
    void (*pass_over)(void *arg, const struct edit_fault *fault);
    void *arg;

    /* private */
    struct lyd_node *changes;
    bool has_bare_delete; /* a leaf is deleted without saying its value */
    struct edit_fault fault;
};

/* Begin with a copy of `running`, or with nothing (NULL). */
bool edit_begin(struct edit *edit, const struct lyd_node *running);
bool edit_read(struct edit *edit, const struct lyd_node_opaq *config);
bool edit_apply(struct edit *edit);
bool edit_validate(struct edit *edit);
void edit_free(struct edit *edit);

#endif
