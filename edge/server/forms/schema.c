/* A context of its own for each module: a module cannot leave a context again. */
#include "server/forms/schema.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing is looked for in files: `myno` is given, and there is no other import. */
static LY_ERR import_module(const char *name, const char *revision, const char *submodule,
                            const char *submodule_revision, void *arg, LYS_INFORMAT *format,
                            const char **text, ly_module_imp_data_free_clb *free_text)
{
    const struct mup_schema *schema = arg;

    (void)revision;
    (void)submodule_revision;
    if (submodule || strcmp(name, "myno") != 0 || !schema->myno) {
        return LY_ENOTFOUND;
    }
    *format = LYS_IN_YANG;
    *text = schema->myno;
    *free_text = NULL;
    return LY_SUCCESS;
}

static bool read_module(struct mup_schema *schema, const char *name, const char *text,
                        char error[MUP_SCHEMA_ERROR_SIZE])
{
    struct lys_module *module = NULL;

    if (ly_ctx_new(NULL, LY_CTX_NO_YANGLIBRARY | LY_CTX_DISABLE_SEARCHDIRS, &schema->context) !=
        LY_SUCCESS) {
        snprintf(error, MUP_SCHEMA_ERROR_SIZE, "no memory");
        return false;
    }
    ly_ctx_set_module_imp_clb(schema->context, import_module, schema);
    if (lys_parse_mem(schema->context, text, LYS_IN_YANG, &module) != LY_SUCCESS || !module) {
        const char *message = ly_errmsg(schema->context);
        snprintf(error, MUP_SCHEMA_ERROR_SIZE, "%.180s", message ? message : "it is not YANG");
        return false;
    }
    if (strcmp(module->name, name) != 0) {
        snprintf(error, MUP_SCHEMA_ERROR_SIZE, "it calls itself %.100s", module->name);
        return false;
    }
    schema->module = module;
    return true;
}

struct mup_schema *mup_schema_open(const char *name, const char *text, const char *myno,
                                   char error[MUP_SCHEMA_ERROR_SIZE])
{
    struct mup_schema *schema = calloc(1, sizeof *schema);

    if (!schema) {
        snprintf(error, MUP_SCHEMA_ERROR_SIZE, "no memory");
        return NULL;
    }
    ly_log_options(LY_LOSTORE_LAST); /* errors are ours to tell, not to print */
    schema->myno = myno;
    if (!read_module(schema, name, text, error)) {
        mup_schema_close(schema);
        return NULL;
    }
    schema->myno = NULL;
    return schema;
}

void mup_schema_close(struct mup_schema *schema)
{
    if (schema) {
        ly_ctx_destroy(schema->context);
        free(schema);
    }
}

const struct lysc_node_action *mup_schema_rpc(const struct mup_schema *schema, const char *name)
{
    const struct lysc_node *rpcs =
        schema->module->compiled ? (const struct lysc_node *)schema->module->compiled->rpcs : NULL;

    for (const struct lysc_node *rpc = rpcs; rpc; rpc = rpc->next) {
        if (strcmp(rpc->name, name) == 0) {
            return (const struct lysc_node_action *)rpc;
        }
    }
    return NULL;
}
