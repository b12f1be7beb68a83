/* The live libyang context. A module is first parsed in another context, because what the
 * live one has taken in it cannot give back. */
#include "bridge/netconf/schemas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "bridge/netconf/netconf_internal.h"

#define TRIAL_MODULES_MAX 32u /* that a trial context holds before it is made anew */

static const char *const debian_folders[] = {"/usr/share/yuma/modules/ietf",
                                             "/usr/share/yang/modules/libyang"};

static const char *netconf_features[] = {"writable-running", "rollback-on-error", "validate",
                                         "xpath", NULL};

/* In the order in which they import each other; with the revisions that libyuma-base ships, or
 * ours as text. */
static const struct {
    const char *name;
    const char *revision;
    const char **features;
    const char *text;
} base_modules[] = {
    {"ietf-netconf", "2011-06-01", netconf_features, NULL},
    {"ietf-netconf-monitoring", "2010-10-04", NULL, NULL},
    {"ietf-netconf-with-defaults", "2011-06-01", NULL, NULL},
    {"ietf-netconf-acm", "2018-02-14", NULL, NULL},
    {"ietf-netconf-notifications", "2012-02-06", NULL, NULL},
    {"notifications", "2008-07-14", NULL, schemas_notifications_yang},
    {"nc-notifications", "2008-07-14", NULL, schemas_nc_notifications_yang},
};

static bool load_base(struct ly_ctx *context, size_t index)
{
    if (base_modules[index].text) {
        return lys_parse_mem(context, base_modules[index].text, LYS_IN_YANG, NULL) == LY_SUCCESS;
    }
    return ly_ctx_load_module(context, base_modules[index].name, base_modules[index].revision,
                              base_modules[index].features) != NULL;
}

static struct ly_ctx *new_context(const struct schemas *schemas, uint16_t options)
{
    struct ly_ctx *context = NULL;

    if (ly_ctx_new(NULL, LY_CTX_DISABLE_SEARCHDIR_CWD | options, &context) != LY_SUCCESS) {
        return NULL;
    }
    for (size_t i = 0; i < schemas->folder_count; i++) {
        /* A folder that is not there shows when its modules are missed. */
        ly_ctx_set_searchdir(context, schemas->folders[i]);
    }
    return context;
}

static enum mup_status copy_folders(struct schemas *schemas, const char *const *folders,
                                    size_t count)
{
    if (!folders) {
        folders = debian_folders;
        count = sizeof debian_folders / sizeof debian_folders[0];
    }
    schemas->folders = calloc(count ? count : 1, sizeof *schemas->folders);
    if (!schemas->folders) {
        return MUP_ERR_SPACE;
    }
    for (; schemas->folder_count < count; schemas->folder_count++) {
        schemas->folders[schemas->folder_count] = strdup(folders[schemas->folder_count]);
        if (!schemas->folders[schemas->folder_count]) {
            return MUP_ERR_SPACE;
        }
    }
    return MUP_OK;
}

enum mup_status schemas_init(struct schemas *schemas, const char *const *folders, size_t count,
                             char *error)
{
    struct timespec now;

    *schemas = (struct schemas){0};
    ly_log_options(LY_LOSTORE_LAST); /* errors come to the client, not to stderr */
    clock_gettime(CLOCK_REALTIME, &now);
    schemas->started = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    if (copy_folders(schemas, folders, count) == MUP_OK) {
        schemas->context = new_context(schemas, 0);
        ly_ctx_new(NULL, LY_CTX_NO_YANGLIBRARY | LY_CTX_DISABLE_SEARCHDIRS, &schemas->plain);
    }
    if (!schemas->context || !schemas->plain) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE, "libyang could not start: no memory?");
        schemas_free(schemas);
        return MUP_ERR_SPACE;
    }
    for (size_t i = 0; i < sizeof base_modules / sizeof base_modules[0]; i++) {
        if (!load_base(schemas->context, i)) {
            snprintf(error, MUP_NETCONF_ERROR_SIZE,
                     "YANG module %s@%s not found: install the Debian package libyuma-base",
                     base_modules[i].name, base_modules[i].revision);
            schemas_free(schemas);
            return MUP_ERR_STATE;
        }
    }
    /* Of what a bridge begins with, this one is known as text: it may be added again. */
    char *name = NULL;
    enum mup_status status = schemas_add(schemas, mup_netconf_devices_yang, true, &name, error);
    free(name);
    if (status) {
        schemas_free(schemas);
    }
    return status;
}

static void drop_trial(struct schemas *schemas)
{
    ly_ctx_destroy(schemas->trial);
    schemas->trial = NULL;
    schemas->trial_count = 0;
}

void schemas_free(struct schemas *schemas)
{
    for (size_t i = 0; i < SCHEMAS_RETIRED_MAX; i++) {
        ly_ctx_destroy(schemas->retired[i].context);
    }
    drop_trial(schemas);
    ly_ctx_destroy(schemas->context);
    ly_ctx_destroy(schemas->plain);
    for (size_t i = 0; i < schemas->added_count; i++) {
        free(schemas->added[i].name);
        free(schemas->added[i].yang);
    }
    free(schemas->added);
    for (size_t i = 0; i < schemas->folder_count; i++) {
        free(schemas->folders[i]);
    }
    free(schemas->folders);
    *schemas = (struct schemas){0};
}

static struct schema_text *find_added(const struct schemas *schemas, const char *name)
{
    for (size_t i = 0; i < schemas->added_count; i++) {
        if (strcmp(schemas->added[i].name, name) == 0) {
            return &schemas->added[i];
        }
    }
    return NULL;
}

static bool take_digest(uint8_t out[SCHEMAS_DIGEST_SIZE], const char *yang)
{
    return EVP_Digest(yang, strlen(yang), out, NULL, EVP_sha256(), NULL) == 1;
}

static bool is_text_of(const struct schema_text *added, const char *yang)
{
    uint8_t digest[SCHEMAS_DIGEST_SIZE];

    return take_digest(digest, yang) && memcmp(digest, added->digest, sizeof digest) == 0;
}

/* Malloc'ed; NULL: no memory, or what was made is another text than the one that was added. */
static char *copy_text(const struct schemas *schemas, const struct schema_text *added)
{
    if (added->yang) {
        return strdup(added->yang);
    }
    char *made = schemas->make(schemas->make_context, added->name);
    if (made && !is_text_of(added, made)) {
        free(made);
        made = NULL;
    }
    return made;
}

static void free_text_of_import(void *text, void *arg)
{
    (void)arg;
    free(text);
}

/* Lets the trial context import what was added before. */
static LY_ERR import_added(const char *name, const char *revision, const char *submodule,
                           const char *submodule_revision, void *arg, LYS_INFORMAT *format,
                           const char **text, void (**free_text)(void *, void *))
{
    const struct schema_text *found = submodule ? NULL : find_added(arg, name);
    (void)revision;
    (void)submodule_revision;

    if (!found) {
        return LY_ENOT;
    }
    *format = LYS_IN_YANG;
    *text = copy_text(arg, found);
    *free_text = free_text_of_import;
    return *text ? LY_SUCCESS : LY_EMEM;
}

/*
 * The live module that an import would move, NULL: none. libyang compiles a module again when
 * another imports it, which frees its nodes; requests in work point at them. Measured with 2.1.30:
 * importing a module that has typedefs and extensions only moves nothing, not even in the other
 * modules that import it.
 */
static const char *moved_by(const struct schemas *schemas, const struct lys_module *module)
{
    LY_ARRAY_COUNT_TYPE i;

    LY_ARRAY_FOR(module->parsed->imports, i)
    {
        const struct lys_module *live =
            ly_ctx_get_module_implemented(schemas->context, module->parsed->imports[i].name);
        const struct lysc_module *nodes = live ? live->compiled : NULL;
        if (nodes && (nodes->data || nodes->rpcs || nodes->notifs)) {
            return live->name;
        }
    }
    return NULL;
}

static enum mup_status fits_beside_others(const struct schemas *schemas,
                                          const struct lys_module *module, char *error)
{
    if (module->parsed->augments || module->parsed->deviations) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE,
                 "module %.100s augments or deviates another: put its nodes into its own tree",
                 module->name);
        return MUP_ERR_STATE;
    }
    const char *moved = moved_by(schemas, module);
    if (moved) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE,
                 "module %.100s imports %.100s, which has nodes of its own: import only modules of "
                 "typedefs and extensions",
                 module->name, moved);
        return MUP_ERR_STATE;
    }
    if (ly_ctx_get_module_latest(schemas->context, module->name) ||
        ly_ctx_get_module_latest_ns(schemas->context, module->ns)) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE,
                 "module %.100s: its name or namespace %.200s is taken by another module",
                 module->name, module->ns);
        return MUP_ERR_STATE;
    }
    return MUP_OK;
}

static void say_yang_error(const struct ly_ctx *context, char *error)
{
    const struct ly_err_item *item = ly_err_last(context);

    snprintf(error, MUP_NETCONF_ERROR_SIZE, "not valid YANG: %.300s%s%.100s",
             item && item->msg ? item->msg : "no reason given", item && item->path ? " " : "",
             item && item->path ? item->path : "");
}

/* What was tried and accepted before may stand in it: it is in the live context too. To make one
 * takes ten times as long as to try a module in it. */
static struct ly_ctx *ready_trial(struct schemas *schemas)
{
    if (schemas->trial_count >= TRIAL_MODULES_MAX) {
        drop_trial(schemas);
    }
    if (!schemas->trial) {
        schemas->trial = new_context(schemas, LY_CTX_NO_YANGLIBRARY);
        if (schemas->trial) {
            ly_ctx_set_module_imp_clb(schemas->trial, import_added, schemas);
        }
    }
    return schemas->trial;
}

/* NULL: not valid, or no memory. A module that is refused may be refused for what stands in the
 * context from before, itself above all: it is tried again in one where nothing stands. */
static struct lys_module *parse_in_trial(struct schemas *schemas, const char *yang)
{
    struct lys_module *module = NULL;
    bool used = schemas->trial_count > 0;
    struct ly_ctx *trial = ready_trial(schemas);

    if (!trial) {
        return NULL;
    }
    schemas->trial_count++;
    if (lys_parse_mem(trial, yang, LYS_IN_YANG, &module) == LY_SUCCESS && module) {
        return module;
    }
    if (!used) {
        return NULL;
    }
    drop_trial(schemas);
    return parse_in_trial(schemas, yang);
}

/* Parse in the trial context, where a refused module does not stay; *name is malloc'ed. */
static enum mup_status try_module(struct schemas *schemas, const char *yang, char **name,
                                  char *error)
{
    struct lys_module *module = parse_in_trial(schemas, yang);
    enum mup_status status = MUP_ERR_SPACE;

    snprintf(error, MUP_NETCONF_ERROR_SIZE, "no memory");
    if (!schemas->trial) {
        return status;
    }
    if (!module) {
        say_yang_error(schemas->trial, error);
        status = MUP_ERR_FORMAT;
    } else {
        status = MUP_OK;
        const struct schema_text *same = find_added(schemas, module->name);
        if (!same || !is_text_of(same, yang)) {
            status = fits_beside_others(schemas, module, error);
        }
        *name = status ? NULL : strdup(module->name);
        if (status == MUP_OK && !*name) {
            status = MUP_ERR_SPACE;
        }
    }
    if (status) {
        drop_trial(schemas);
    }
    return status;
}

static enum mup_status reserve_added(struct schemas *schemas)
{
    if (schemas->added_count < schemas->added_capacity) {
        return MUP_OK;
    }
    size_t capacity = schemas->added_capacity ? schemas->added_capacity * 2 : 16;
    struct schema_text *grown = realloc(schemas->added, capacity * sizeof *grown);
    if (!grown) {
        return MUP_ERR_SPACE;
    }
    schemas->added = grown;
    schemas->added_capacity = capacity;
    return MUP_OK;
}

static enum mup_status load_module(struct schemas *schemas, const char *yang, bool keep,
                                   const char *name, char *error)
{
    struct schema_text text = {.name = strdup(name), .yang = keep ? strdup(yang) : NULL};
    enum mup_status status = MUP_OK;

    if (!text.name || (keep && !text.yang) || !take_digest(text.digest, yang) ||
        reserve_added(schemas)) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE, "no memory");
        status = MUP_ERR_SPACE;
    } else if (lys_parse_mem(schemas->context, yang, LYS_IN_YANG, NULL) != LY_SUCCESS) {
        say_yang_error(schemas->context, error);
        status = MUP_ERR_FORMAT;
    }
    if (status) {
        free(text.name);
        free(text.yang);
        return status;
    }
    schemas->added[schemas->added_count++] = text;
    schemas->generation++;
    return MUP_OK;
}

enum mup_status schemas_add(struct schemas *schemas, const char *yang, bool keep, char **name,
                            char *error)
{
    enum mup_status status = try_module(schemas, yang, name, error);

    if (status) {
        return status;
    }
    struct schema_text *same = find_added(schemas, *name);
    if (!same) {
        return load_module(schemas, yang, keep, *name, error);
    }
    if (same->hidden) {
        same->hidden = false;
        schemas->hidden_count--;
        schemas->generation++;
    }
    return MUP_OK;
}

void schemas_hide(struct schemas *schemas, const char *name)
{
    struct schema_text *found = find_added(schemas, name);

    if (found && !found->hidden) {
        found->hidden = true;
        schemas->hidden_count++;
        schemas->generation++;
    }
}

/* ---- giving back the memory of hidden modules ---- */

static bool load_added(const struct schemas *schemas, const struct schema_text *added,
                       struct ly_ctx *context, char *error)
{
    char *yang = copy_text(schemas, added);

    if (!yang) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE, "the text of %.100s cannot be made again",
                 added->name);
        return false;
    }
    bool good = lys_parse_mem(context, yang, LYS_IN_YANG, NULL) == LY_SUCCESS;
    free(yang);
    if (!good) {
        say_yang_error(context, error);
    }
    return good;
}

static bool load_all(const struct schemas *schemas, struct ly_ctx *context, char *error)
{
    for (size_t i = 0; i < sizeof base_modules / sizeof base_modules[0]; i++) {
        if (!load_base(context, i)) {
            say_yang_error(context, error);
            return false;
        }
    }
    for (size_t i = 0; i < schemas->added_count; i++) {
        if (!schemas->added[i].hidden && !load_added(schemas, &schemas->added[i], context, error)) {
            return false;
        }
    }
    return true;
}

static void forget_hidden(struct schemas *schemas)
{
    size_t kept = 0;

    for (size_t i = 0; i < schemas->added_count; i++) {
        if (schemas->added[i].hidden) {
            free(schemas->added[i].name);
            free(schemas->added[i].yang);
        } else {
            schemas->added[kept++] = schemas->added[i];
        }
    }
    schemas->added_count = kept;
    schemas->hidden_count = 0;
}

static size_t free_place(const struct schemas *schemas)
{
    size_t i = 0;

    while (i < SCHEMAS_RETIRED_MAX && schemas->retired[i].context) {
        i++;
    }
    return i;
}

enum mup_status schemas_rebuild(const struct schemas *schemas, struct ly_ctx **out, char *error)
{
    if (free_place(schemas) == SCHEMAS_RETIRED_MAX) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE, "requests are at work in too many old contexts");
        return MUP_ERR_BUSY;
    }
    struct ly_ctx *fresh = new_context(schemas, 0);
    if (!fresh) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE, "no memory");
        return MUP_ERR_SPACE;
    }
    if (!load_all(schemas, fresh, error)) {
        ly_ctx_destroy(fresh);
        return MUP_ERR_FORMAT;
    }
    *out = fresh;
    return MUP_OK;
}

void schemas_replaced(struct schemas *schemas, struct ly_ctx *old, size_t users)
{
    size_t place = free_place(schemas);

    forget_hidden(schemas);
    if (users == 0) {
        ly_ctx_destroy(old);
    } else {
        schemas->retired[place].context = old;
        schemas->retired[place].users = users;
    }
}

void schemas_release(struct schemas *schemas, const struct ly_ctx *context)
{
    for (size_t i = 0; i < SCHEMAS_RETIRED_MAX; i++) {
        if (schemas->retired[i].context == context && --schemas->retired[i].users == 0) {
            ly_ctx_destroy(schemas->retired[i].context);
            schemas->retired[i].context = NULL;
        }
    }
}

bool schemas_is_hidden(const struct schemas *schemas, const char *name)
{
    const struct schema_text *found = find_added(schemas, name);

    return found && found->hidden;
}

const struct lys_module *schemas_by_namespace(const struct schemas *schemas, const char *name)
{
    const struct lys_module *module = ly_ctx_get_module_implemented_ns(schemas->context, name);

    return module && !schemas_is_hidden(schemas, module->name) ? module : NULL;
}

/* The next module that clients may see. */
static const struct lys_module *next_visible(const struct schemas *schemas, uint32_t *index)
{
    const struct lys_module *module;

    do {
        module = ly_ctx_get_module_iter(schemas->context, index);
    } while (module && schemas_is_hidden(schemas, module->name));
    return module;
}

#define WITH_DEFAULTS                                                          \
    "urn:ietf:params:netconf:capability:with-defaults:1.0?basic-mode=explicit" \
    "&amp;also-supported=report-all,report-all-tagged,trim"

/* As they stand in XML. */
static const char *const protocol_capabilities[] = {
    "urn:ietf:params:netconf:base:1.0",
    "urn:ietf:params:netconf:base:1.1",
    "urn:ietf:params:netconf:capability:writable-running:1.0",
    "urn:ietf:params:netconf:capability:rollback-on-error:1.0",
    "urn:ietf:params:netconf:capability:validate:1.1",
    "urn:ietf:params:netconf:capability:xpath:1.0",
    WITH_DEFAULTS,
    "urn:ietf:params:netconf:capability:notification:1.0",
    "urn:ietf:params:netconf:capability:interleave:1.0",
};

static void add_capability(struct mup_text *text, const char *uri)
{
    mup_text_format(text, "<capability>%s</capability>", uri);
}

void schemas_library_capability(const struct schemas *schemas, struct mup_text *text)
{
    mup_text_format(text,
                    "urn:ietf:params:netconf:capability:yang-library:1.1"
                    "?revision=2019-01-04&amp;content-id=%llx.%u",
                    (unsigned long long)schemas->started, schemas->generation);
}

void schemas_module_capability(const struct lys_module *module, struct mup_text *text)
{
    bool is_netconf = strcmp(module->name, base_modules[0].name) == 0;

    mup_text_escape(text, module->ns);
    mup_text_format(text, "?module=%s", module->name);
    if (module->revision) {
        mup_text_format(text, "&amp;revision=%s", module->revision);
    }
    for (size_t i = 0; is_netconf && netconf_features[i]; i++) {
        mup_text_format(text, "%s%s", i == 0 ? "&amp;features=" : ",", netconf_features[i]);
    }
}

void schemas_capabilities(const struct schemas *schemas, struct mup_text *text)
{
    const struct lys_module *module;
    uint32_t index = 0;

    for (size_t i = 0; i < sizeof protocol_capabilities / sizeof protocol_capabilities[0]; i++) {
        add_capability(text, protocol_capabilities[i]);
    }
    mup_text_add(text, "<capability>");
    schemas_library_capability(schemas, text);
    mup_text_add(text, "</capability>");
    while ((module = next_visible(schemas, &index))) {
        /* RFC 7950 5.6.4: modules of YANG 1.1 stand in yang-library only. */
        if (!module->implemented || module->parsed->version >= LYS_VERSION_1_1) {
            continue;
        }
        mup_text_add(text, "<capability>");
        schemas_module_capability(module, text);
        mup_text_add(text, "</capability>");
    }
}

void schemas_list(const struct schemas *schemas, struct mup_text *text)
{
    const struct lys_module *module;
    uint32_t index = 0;

    while ((module = next_visible(schemas, &index))) {
        mup_text_format(text,
                        "<schema><identifier>%s</identifier><version>%s</version>"
                        "<format>yang</format><namespace>",
                        module->name, module->revision ? module->revision : "");
        mup_text_escape(text, module->ns);
        mup_text_add(text, "</namespace><location>NETCONF</location></schema>");
    }
}

static void remove_from_library(struct lyd_node *library, const char *name)
{
    static const char *const paths[] = {"/ietf-yang-library:yang-library/module-set/module",
                                        "/ietf-yang-library:modules-state/module"};

    for (size_t i = 0; i < 2; i++) {
        char path[512];
        struct ly_set *found = NULL;
        snprintf(path, sizeof path, "%s[name='%.200s']", paths[i], name);
        if (lyd_find_xpath(library, path, &found) == LY_SUCCESS) {
            for (uint32_t k = 0; k < found->count; k++) {
                lyd_free_tree(found->dnodes[k]);
            }
        }
        ly_set_free(found, NULL);
    }
}

struct lyd_node *schemas_library(const struct schemas *schemas)
{
    struct lyd_node *library = NULL;

    if (ly_ctx_get_yanglib_data(schemas->context, &library, "%llx.%u",
                                (unsigned long long)schemas->started,
                                schemas->generation) != LY_SUCCESS) {
        return NULL;
    }
    for (size_t i = 0; i < schemas->added_count; i++) {
        if (schemas->added[i].hidden) {
            remove_from_library(library, schemas->added[i].name);
        }
    }
    return library;
}

enum mup_status schemas_text(const struct schemas *schemas, char **yang, const char *name,
                             const char *version)
{
    const struct lys_module *module;
    const struct lys_module *found = NULL;
    uint32_t index = 0;

    while ((module = next_visible(schemas, &index))) {
        const char *revision = module->revision ? module->revision : "";
        if (strcmp(module->name, name) != 0 || (version && strcmp(revision, version) != 0)) {
            continue;
        }
        if (found) {
            return MUP_ERR_STATE;
        }
        found = module;
    }
    if (!found) {
        return MUP_ERR_FORMAT;
    }
    const struct schema_text *added = find_added(schemas, name);
    if (added) {
        *yang = copy_text(schemas, added);
        return *yang ? MUP_OK : MUP_ERR_SPACE;
    }
    return lys_print_mem(yang, found, LYS_OUT_YANG, 0) == LY_SUCCESS ? MUP_OK : MUP_ERR_SPACE;
}
