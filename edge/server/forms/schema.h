/*
 * A device's YANG module in libyang: what a form is made from, and what an input is held against.
 *
 *     schema = mup_schema_open(name, text, myno_text, error);
 *     rpc = mup_schema_rpc(schema, "setInterval");
 *     mup_schema_close(schema);
 *
 * The text is of the bridge, which made it from what a device says of itself: it is read without
 * trust, and imports nothing but `myno`.
 */
#ifndef MUP_SERVER_FORMS_SCHEMA_H
#define MUP_SERVER_FORMS_SCHEMA_H

#include <stddef.h>

#include <libyang/libyang.h>

#define MUP_SCHEMA_ERROR_SIZE 200u

struct mup_schema {
    struct ly_ctx *context;
    const struct lys_module *module;
    const char *myno; /* borrowed while the module is read */
};

/* NULL: `error` says why. */
struct mup_schema *mup_schema_open(const char *name, const char *text, const char *myno,
                                   char error[MUP_SCHEMA_ERROR_SIZE]);
void mup_schema_close(struct mup_schema *schema); /* NULL is allowed */

/* NULL: there is none of this name. */
const struct lysc_node_action *mup_schema_rpc(const struct mup_schema *schema, const char *name);

#endif
