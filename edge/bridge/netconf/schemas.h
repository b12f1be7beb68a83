/*
 * The YANG modules that the server knows: the live libyang context, what is hidden, and what the
 * protocol says about them (capabilities, yang-library, schema text). Internal to the server.
 */
#ifndef MUP_BRIDGE_NETCONF_SCHEMAS_H
#define MUP_BRIDGE_NETCONF_SCHEMAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libyang/libyang.h>

#include "mup/status.h"
#include "runtime/text.h"

#define MUP_NETCONF_NAMESPACE      "urn:ietf:params:xml:ns:netconf:base:1.0"
#define MUP_MONITORING_NAMESPACE   "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
#define MUP_LIBRARY_NAMESPACE      "urn:ietf:params:xml:ns:yang:ietf-yang-library"
#define MUP_NOTIFICATION_NAMESPACE "urn:ietf:params:xml:ns:netconf:notification:1.0"
#define MUP_YANG_NAMESPACE         "urn:ietf:params:xml:ns:yang:1"
#define MUP_ACCESS_NAMESPACE       "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"
#define MUP_STREAMS_NAMESPACE      "urn:ietf:params:xml:ns:netmod:notification"
#define MUP_BASE_EVENTS_NAMESPACE  "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"

/* Our static modules, as text (edge/bridge/yang). */
extern const char schemas_notifications_yang[];
extern const char schemas_nc_notifications_yang[];

#define SCHEMAS_DIGEST_SIZE 32u

struct schema_text {
    char *name;
    char *yang;                          /* NULL: make() gives it when it is needed */
    uint8_t digest[SCHEMAS_DIGEST_SIZE]; /* SHA-256 of it */
    bool hidden;
};

#define SCHEMAS_RETIRED_MAX 3u /* with the live one: at most four contexts */

struct schemas {
    struct ly_ctx *context;
    struct ly_ctx *plain; /* knows no module: in it every message parses as an opaque tree */
    struct ly_ctx *trial; /* in which modules are tried; NULL: made when one is */
    size_t trial_count;   /* modules that were tried in it */
    /* The text of an added, visible module as it was then, malloc'ed; NULL: no memory. */
    char *(*make)(void *context, const char *module);
    void *make_context;
    struct schema_text *added;
    size_t added_count;
    size_t added_capacity;
    char **folders;
    size_t folder_count;
    size_t hidden_count;
    /* Contexts that were replaced while requests were at work in them. */
    struct {
        struct ly_ctx *context;
        size_t users;
    } retired[SCHEMAS_RETIRED_MAX];
    uint64_t started; /* distinguishes content ids of one process from those of the next */
    unsigned generation;
};

/* `error` has MUP_NETCONF_ERROR_SIZE bytes in all of these. */
MUP_MUST_CHECK
enum mup_status schemas_init(struct schemas *schemas, const char *const *folders, size_t count,
                             char *error);
void schemas_free(struct schemas *schemas);
/* *name is the module's, malloc'ed; it may be written on an error too. `keep`: the text is kept,
 * else make() gives it. */
MUP_MUST_CHECK
enum mup_status schemas_add(struct schemas *schemas, const char *yang, bool keep, char **name,
                            char *error);
void schemas_hide(struct schemas *schemas, const char *name);
/*
 * Give back the memory of hidden modules, which libyang cannot unload: make a context of what is
 * visible. It is the caller's until schemas_replace().
 *
 * MUP_ERR_BUSY   too many old ones live still. MUP_ERR_SPACE, MUP_ERR_FORMAT: `error` says why.
 */
MUP_MUST_CHECK
enum mup_status schemas_rebuild(const struct schemas *schemas, struct ly_ctx **out, char *error);
/* The hidden modules are gone, and `old`, which was live until now, lives on for so many requests
 * that hold pointers into it. Everything else that points into it must be gone. */
void schemas_replaced(struct schemas *schemas, struct ly_ctx *old, size_t users);
/* A request of this context is over. */
void schemas_release(struct schemas *schemas, const struct ly_ctx *context);

bool schemas_is_hidden(const struct schemas *schemas, const char *name);

/* The implemented, visible module with this namespace; NULL: none. */
const struct lys_module *schemas_by_namespace(const struct schemas *schemas, const char *name);

/* The capability URI of a module, and that of the yang-library, escaped for XML. */
void schemas_module_capability(const struct lys_module *module, struct mup_text *text);
void schemas_library_capability(const struct schemas *schemas, struct mup_text *text);

/* <capability> elements of hello and of netconf-state. */
void schemas_capabilities(const struct schemas *schemas, struct mup_text *text);

/* <schema> elements of netconf-state (RFC 6022 2.1.3). */
void schemas_list(const struct schemas *schemas, struct mup_text *text);

/* yang-library data, hidden modules left out; NULL: no memory. */
struct lyd_node *schemas_library(const struct schemas *schemas);

/*
 * The text of a module for get-schema; version NULL: any. *yang is malloc'ed.
 * MUP_ERR_FORMAT: there is none. MUP_ERR_STATE: several revisions, say which. MUP_ERR_SPACE: no
 * memory, or make() did not give the text.
 */
MUP_MUST_CHECK
enum mup_status schemas_text(const struct schemas *schemas, char **yang, const char *name,
                             const char *version);

#endif
