/* Two calls of one session: the module and what it imports. */
#include "server/forms/schemas.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/log.h"
#include "runtime/netconf_client.h"
#include "runtime/text.h"
#include "server/directory.h"
#include "server/forms/form.h"

struct waiter {
    struct waiter *next;
    mup_schemas_on_module *on_module;
    void *arg;
};

struct entry {
    struct entry *next; /* the one asked for last comes first */
    struct mup_schemas *schemas;
    char name[MUP_DIRECTORY_TEXT_SIZE];
    char *text; /* NULL: on its way */
    json_t *form;
    struct mup_netconf_client *client;
    struct mup_timer *settle; /* waiters are told from the loop, not from inside the client */
    struct mup_fault fault;
    struct waiter *waiters;
};

struct mup_schemas {
    struct mup_loop *loop;
    char *socket_path;
    char *user;
    const char *const *reserved;
    char *myno;
    struct entry *entries;
};

/* ---- the table ---- */

static void free_entry(struct entry *entry)
{
    struct entry **at = &entry->schemas->entries;

    while (*at != entry) {
        at = &(*at)->next;
    }
    *at = entry->next;
    while (entry->waiters) {
        struct waiter *waiter = entry->waiters;
        entry->waiters = waiter->next;
        free(waiter);
    }
    mup_netconf_client_free(entry->client);
    mup_timer_free(entry->settle);
    json_decref(entry->form);
    free(entry->text);
    free(entry);
}

/* The oldest that nobody waits for goes when there are too many. */
static void make_room(struct mup_schemas *schemas)
{
    struct entry *oldest = NULL;
    size_t count = 0;

    for (struct entry *entry = schemas->entries; entry; entry = entry->next) {
        count++;
        oldest = entry->text ? entry : oldest;
    }
    if (count >= MUP_SCHEMAS_KEPT_MAX && oldest) {
        free_entry(oldest);
    }
}

static struct entry *find(struct mup_schemas *schemas, const char *name)
{
    for (struct entry **at = &schemas->entries; *at; at = &(*at)->next) {
        struct entry *entry = *at;
        if (strcmp(entry->name, name) == 0) {
            *at = entry->next;
            entry->next = schemas->entries;
            schemas->entries = entry;
            return entry;
        }
    }
    return NULL;
}

/* ---- the end ---- */

static void tell(const struct entry *entry, mup_schemas_on_module *on_module, void *arg)
{
    struct mup_schema_text module = {entry->name, entry->text, entry->schemas->myno, entry->form};

    if (entry->fault.code != MUP_FAULT_NONE) {
        on_module(arg, &entry->fault, NULL);
    } else {
        on_module(arg, NULL, &module);
    }
}

static void settle(void *arg)
{
    struct entry *entry = arg;
    struct waiter *waiters = entry->waiters;

    mup_netconf_client_free(entry->client);
    entry->client = NULL;
    entry->waiters = NULL;
    while (waiters) {
        struct waiter *waiter = waiters;
        waiters = waiter->next;
        tell(entry, waiter->on_module, waiter->arg);
        free(waiter);
    }
    if (entry->fault.code != MUP_FAULT_NONE) {
        free_entry(entry); /* the next who asks tries again */
    }
}

__attribute__((format(printf, 3, 4))) static void
fail(struct entry *entry, enum mup_fault_code code, const char *format, ...)
{
    va_list values;

    if (entry->fault.code != MUP_FAULT_NONE) {
        return;
    }
    entry->fault.code = code;
    va_start(values, format);
    vsnprintf(entry->fault.message, sizeof entry->fault.message, format, values);
    va_end(values);
    mup_timer_start(entry->settle, 0);
}

/* ---- fetching ---- */

/* The text in the reply's <data>, malloc'ed; NULL: there is none, and the entry has failed. */
static char *take_text(struct entry *entry, const struct mup_netconf_reply *reply)
{
    char *text = NULL;

    if (reply->outcome == MUP_NETCONF_ERROR) {
        fail(entry, MUP_FAULT_MODULE_NOT_VALID, "the bridge does not give the module: %.150s",
             reply->error_message);
    } else if (reply->outcome != MUP_NETCONF_OK) {
        fail(entry, MUP_FAULT_BRIDGE_UNREACHABLE, "the bridge did not answer for the module");
    } else if (reply->xml_size > MUP_SCHEMAS_TEXT_SIZE_MAX ||
               !(text = malloc(reply->xml_size + 1))) {
        fail(entry, MUP_FAULT_MODULE_NOT_VALID, "the module has more than %u bytes",
             MUP_SCHEMAS_TEXT_SIZE_MAX);
    } else if (mup_netconf_reply_text(reply, "data", text, reply->xml_size + 1) != MUP_OK) {
        free(text);
        text = NULL;
        fail(entry, MUP_FAULT_MODULE_NOT_VALID, "the bridge's answer has no module");
    }
    return text;
}

static void on_myno(void *arg, const struct mup_netconf_reply *reply)
{
    struct entry *entry = arg;
    char *text = take_text(entry, reply);

    if (text) {
        free(entry->schemas->myno);
        entry->schemas->myno = text;
    }
}

static void read_module(struct entry *entry, char *text)
{
    char error[MUP_SCHEMA_ERROR_SIZE];
    struct mup_schema *schema = mup_schema_open(entry->name, text, entry->schemas->myno, error);

    if (!schema) {
        mup_log(MUP_LOG_WARNING, "forms", mup_log_event("a module cannot be read"),
                mup_log_text("module", entry->name), mup_log_text("reason", error));
        fail(entry, MUP_FAULT_MODULE_NOT_VALID, "%s: %s", entry->name, error);
        free(text);
        return;
    }
    entry->form = mup_form_json(schema, entry->schemas->reserved);
    mup_schema_close(schema);
    if (entry->form) {
        entry->text = text;
        mup_timer_start(entry->settle, 0);
    } else {
        free(text);
        fail(entry, MUP_FAULT_BUSY, "no memory");
    }
}

static void on_text(void *arg, const struct mup_netconf_reply *reply)
{
    struct entry *entry = arg;
    char *text = take_text(entry, reply);

    if (text && entry->fault.code == MUP_FAULT_NONE) {
        read_module(entry, text);
    } else {
        free(text);
    }
}

static void on_state(void *arg, bool open)
{
    (void)arg;
    (void)open;
}

static bool call(struct entry *entry, const char *module, mup_netconf_on_reply *on_reply)
{
    struct mup_text xml = {0};

    mup_text_add(&xml, "<get-schema xmlns=\"urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring\">"
                       "<identifier>");
    mup_text_escape(&xml, module);
    mup_text_add(&xml, "</identifier></get-schema>");
    bool good =
        !xml.failed && mup_netconf_client_call(entry->client, xml.bytes, MUP_SCHEMAS_TIMEOUT_MS,
                                               on_reply, entry) == MUP_OK;
    mup_text_free(&xml);
    return good;
}

static void fetch(struct entry *entry)
{
    struct mup_schemas *schemas = entry->schemas;
    struct mup_netconf_client_settings settings = {.socket_path = schemas->socket_path,
                                                   .user = schemas->user};

    entry->client = mup_netconf_client_new(schemas->loop, &settings, on_state, entry);
    if (!entry->client || (!schemas->myno && !call(entry, "myno", on_myno)) ||
        !call(entry, entry->name, on_text)) {
        fail(entry, MUP_FAULT_BRIDGE_UNREACHABLE, "cannot reach the bridge at %.150s",
             schemas->socket_path);
    }
}

static struct entry *entry_new(struct mup_schemas *schemas, const char *name)
{
    struct entry *entry = calloc(1, sizeof *entry);

    if (!entry || !(entry->settle = mup_timer_new(schemas->loop, settle, entry))) {
        free(entry);
        return NULL;
    }
    entry->schemas = schemas;
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->next = schemas->entries;
    schemas->entries = entry;
    return entry;
}

void mup_schemas_get(struct mup_schemas *schemas, const char *module,
                     mup_schemas_on_module *on_module, void *arg)
{
    struct mup_fault fault = {MUP_FAULT_BUSY, "no memory"};
    struct entry *entry = find(schemas, module);

    if (entry && entry->text && !entry->client) {
        tell(entry, on_module, arg);
        return;
    }
    struct waiter *waiter = calloc(1, sizeof *waiter);
    bool is_new = !entry;
    if (is_new) {
        make_room(schemas);
        entry = waiter ? entry_new(schemas, module) : NULL;
    }
    if (!waiter || !entry) {
        free(waiter);
        on_module(arg, &fault, NULL);
        return;
    }
    *waiter = (struct waiter){entry->waiters, on_module, arg};
    entry->waiters = waiter;
    if (is_new) {
        fetch(entry);
    }
}

/* ---- begin and end ---- */

struct mup_schemas *mup_schemas_new(struct mup_loop *loop,
                                    const struct mup_schemas_settings *settings)
{
    struct mup_schemas *schemas = calloc(1, sizeof *schemas);

    if (!schemas) {
        return NULL;
    }
    schemas->loop = loop;
    schemas->reserved = settings->reserved;
    schemas->socket_path = strdup(settings->socket_path);
    schemas->user = strdup(settings->user);
    if (!schemas->socket_path || !schemas->user) {
        mup_schemas_free(schemas);
        return NULL;
    }
    return schemas;
}

void mup_schemas_free(struct mup_schemas *schemas)
{
    if (!schemas) {
        return;
    }
    while (schemas->entries) {
        free_entry(schemas->entries);
    }
    free(schemas->myno);
    free(schemas->socket_path);
    free(schemas->user);
    free(schemas);
}
