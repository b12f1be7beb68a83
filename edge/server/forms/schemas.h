/*
 * The devices' YANG modules, fetched from the bridge (get-schema, RFC 6022) when somebody asks for
 * one, and kept: a module's name says its content, so what is kept is never old.
 *
 *     schemas = mup_schemas_new(&loop, &settings);
 *     mup_schemas_get(schemas, "mup-lamp-0d40a3e10473b420", on_schema, arg);
 *     mup_schemas_free(schemas);             who waits is not called any more
 */
#ifndef MUP_SERVER_FORMS_SCHEMAS_H
#define MUP_SERVER_FORMS_SCHEMAS_H

#include <jansson.h>

#include "runtime/loop.h"
#include "server/fault.h"
#include "server/forms/schema.h"

#define MUP_SCHEMAS_KEPT_MAX      128u /* the one not asked for longest goes */
#define MUP_SCHEMAS_TIMEOUT_MS    15000u
#define MUP_SCHEMAS_TEXT_SIZE_MAX (1024u * 1024u)

struct mup_schemas;

struct mup_schemas_settings {
    const char *socket_path;
    const char *user;
    const char *const *reserved; /* RPCs of an update, ends with NULL; lives as long */
};

/* A module that was read. Valid during the call. */
struct mup_schema_text {
    const char *name;
    const char *text;
    const char *myno;   /* the module that it imports */
    const json_t *form; /* form.h */
};

/* Once. fault is NULL and module valid during the call, or the other way round. May come from
 * inside mup_schemas_get(), when the module is there already. */
typedef void mup_schemas_on_module(void *arg, const struct mup_fault *fault,
                                   const struct mup_schema_text *module);

/* NULL: no memory. */
struct mup_schemas *mup_schemas_new(struct mup_loop *loop,
                                    const struct mup_schemas_settings *settings);
void mup_schemas_free(struct mup_schemas *schemas); /* NULL is allowed */

void mup_schemas_get(struct mup_schemas *schemas, const char *module,
                     mup_schemas_on_module *on_module, void *arg);

#endif
