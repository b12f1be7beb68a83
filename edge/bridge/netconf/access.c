/* RFC 8341: see access.h. */
#include "bridge/netconf/access.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/netconf/path.h"

/*
 * Everything is denied but what a rule permits. Nobody is in a group yet: the administrators of
 * the configuration file put people there.
 */
const char access_first_rules[] =
    "<nacm xmlns=\"urn:ietf:params:xml:ns:yang:ietf-netconf-acm\""
    " xmlns:mynod=\"urn:mup:myno-devices\">"
    "<enable-nacm>true</enable-nacm><read-default>deny</read-default>"
    "<write-default>deny</write-default><exec-default>deny</exec-default>"
    "<enable-external-groups>false</enable-external-groups>"
    "<groups><group><name>read-only</name></group><group><name>operator</name></group>"
    "<group><name>administrator</name></group></groups>"
    "<rule-list><name>administrator</name><group>administrator</group>"
    "<rule><name>everything</name><action>permit</action></rule></rule-list>"
    "<rule-list><name>everybody</name><group>read-only</group><group>operator</group>"
    "<rule><name>no-access-rules</name><module-name>ietf-netconf-acm</module-name>"
    "<action>deny</action></rule>"
    "<rule><name>read</name><access-operations>read</access-operations><action>permit</action>"
    "</rule>"
    "<rule><name>get</name><module-name>ietf-netconf</module-name><rpc-name>get</rpc-name>"
    "<access-operations>exec</access-operations><action>permit</action></rule>"
    "<rule><name>get-config</name><module-name>ietf-netconf</module-name>"
    "<rpc-name>get-config</rpc-name><access-operations>exec</access-operations>"
    "<action>permit</action></rule>"
    "<rule><name>get-schema</name><module-name>ietf-netconf-monitoring</module-name>"
    "<rpc-name>get-schema</rpc-name><access-operations>exec</access-operations>"
    "<action>permit</action></rule>"
    "<rule><name>create-subscription</name><module-name>notifications</module-name>"
    "<rpc-name>create-subscription</rpc-name><access-operations>exec</access-operations>"
    "<action>permit</action></rule></rule-list>"
    "<rule-list><name>operator</name><group>operator</group>"
    "<rule><name>no-kill-session</name><module-name>ietf-netconf</module-name>"
    "<rpc-name>kill-session</rpc-name><access-operations>exec</access-operations>"
    "<action>deny</action></rule>"
    "<rule><name>no-retire</name><module-name>myno-devices</module-name>"
    "<rpc-name>retire</rpc-name><access-operations>exec</access-operations>"
    "<action>deny</action></rule>"
    "<rule><name>no-replace</name><module-name>myno-devices</module-name>"
    "<rpc-name>replace</rpc-name><access-operations>exec</access-operations>"
    "<action>deny</action></rule>"
    "<rule><name>call</name><access-operations>exec</access-operations><action>permit</action>"
    "</rule>"
    "<rule><name>label</name><path>/mynod:devices</path>"
    "<access-operations>create update delete</access-operations><action>permit</action></rule>"
    "</rule-list></nacm>";

/* ---- reading the policy ---- */

static const struct lyd_node *child_of(const struct lyd_node *parent, const char *name)
{
    const struct lyd_node *child;

    LY_LIST_FOR(lyd_child(parent), child)
    {
        if (child->schema && strcmp(child->schema->name, name) == 0) {
            return child;
        }
    }
    return NULL;
}

/* NULL: there is no such leaf. */
static const char *value_of(const struct lyd_node *parent, const char *name)
{
    const struct lyd_node *leaf = child_of(parent, name);

    return leaf ? lyd_get_value(leaf) : NULL;
}

static bool is_value(const struct lyd_node *parent, const char *name, const char *wanted)
{
    const char *value = value_of(parent, name);

    return value && strcmp(value, wanted) == 0;
}

/* NULL for the asterisk, which fits everything. */
static const char *unless_any(const char *value)
{
    return value && strcmp(value, "*") != 0 ? value : NULL;
}

static unsigned read_operations(const char *value)
{
    static const struct {
        const char *name;
        unsigned bit;
    } bits[] = {{"create", ACCESS_CREATE},
                {"read", ACCESS_READ},
                {"update", ACCESS_UPDATE},
                {"delete", ACCESS_DELETE},
                {"exec", ACCESS_EXEC}};
    unsigned operations = 0;

    if (!unless_any(value)) {
        return ~0u;
    }
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        operations |= strstr(value, bits[i].name) ? bits[i].bit : 0;
    }
    return operations;
}

/* The path of a rule matches all data if it is `/`. */
static bool has_too_many_steps(const char *path)
{
    size_t steps = 0;

    for (const char *at = path; *at; at++) {
        steps += *at == '/';
    }
    return steps > ACCESS_STEPS_MAX;
}

static enum mup_status read_rule(struct access_rule *rule, const struct lyd_node *node)
{
    const struct lyd_node *rpc = child_of(node, "rpc-name");
    const struct lyd_node *notification = child_of(node, "notification-name");
    const char *path = value_of(node, "path");

    *rule = (struct access_rule){.kind = rpc            ? ACCESS_RPC
                                         : notification ? ACCESS_NOTIFICATION
                                         : path         ? ACCESS_DATA
                                                        : ACCESS_ANYTHING,
                                 .module = unless_any(value_of(node, "module-name")),
                                 .operations = read_operations(value_of(node, "access-operations")),
                                 .permit = is_value(node, "action", "permit")};
    if (rpc || notification) {
        rule->name = unless_any(lyd_get_value(rpc ? rpc : notification));
    }
    if (path && strcmp(path, "/") != 0) {
        rule->path = path;
    }
    return path && has_too_many_steps(path) ? MUP_ERR_RANGE : MUP_OK;
}

static enum mup_status read_list(struct access_policy *policy, const struct lyd_node *node)
{
    const struct lyd_node *rule;

    if (policy->list_count == ACCESS_LISTS_MAX) {
        return MUP_ERR_RANGE;
    }
    struct access_list *list = &policy->lists[policy->list_count++];
    *list = (struct access_list){.node = node, .first = policy->rule_count};
    LY_LIST_FOR(lyd_child(node), rule)
    {
        if (strcmp(rule->schema->name, "rule") != 0) {
            continue;
        }
        if (policy->rule_count == ACCESS_RULES_MAX ||
            read_rule(&policy->rules[policy->rule_count], rule)) {
            return MUP_ERR_RANGE;
        }
        policy->rule_count++;
        list->count++;
    }
    return MUP_OK;
}

enum mup_status access_policy_read(struct access_policy *policy, const struct lyd_node *running)
{
    struct access_policy *fresh = calloc(1, sizeof *fresh);
    enum mup_status status = fresh ? MUP_OK : MUP_ERR_SPACE;
    const struct lyd_node *top;
    const struct lyd_node *node;

    if (!fresh) {
        return status;
    }
    fresh->enabled = true;
    LY_LIST_FOR(running, top)
    {
        if (strcmp(top->schema->module->name, "ietf-netconf-acm") == 0) {
            fresh->nacm = top;
        }
    }
    if (fresh->nacm) {
        fresh->enabled = !is_value(fresh->nacm, "enable-nacm", "false");
        /* RFC 8341's own defaults, which the first rules turn around. */
        fresh->read_default = !is_value(fresh->nacm, "read-default", "deny");
        fresh->write_default = is_value(fresh->nacm, "write-default", "permit");
        fresh->exec_default = !is_value(fresh->nacm, "exec-default", "deny");
        LY_LIST_FOR(lyd_child(fresh->nacm), node)
        {
            if (status == MUP_OK && strcmp(node->schema->name, "rule-list") == 0) {
                status = read_list(fresh, node);
            }
        }
    }
    if (status == MUP_OK) {
        *policy = *fresh;
    }
    free(fresh);
    return status;
}

/* ---- one user ---- */

static bool is_member(const struct lyd_node *group, const char *user)
{
    const struct lyd_node *leaf;

    LY_LIST_FOR(lyd_child(group), leaf)
    {
        if (strcmp(leaf->schema->name, "user-name") == 0 &&
            strcmp(lyd_get_value(leaf), user) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_in_group(const struct access_policy *policy, const char *name, const char *user)
{
    const struct lyd_node *groups = child_of(policy->nacm, "groups");
    const struct lyd_node *group;

    LY_LIST_FOR(lyd_child(groups), group)
    {
        if ((!name || is_value(group, "name", name)) && is_member(group, user)) {
            return true;
        }
    }
    return false;
}

static bool list_is_for(const struct access_policy *policy, const struct access_list *list,
                        const char *user)
{
    const struct lyd_node *leaf;

    LY_LIST_FOR(lyd_child(list->node), leaf)
    {
        if (strcmp(leaf->schema->name, "group") == 0 &&
            (!unless_any(lyd_get_value(leaf)) || is_in_group(policy, lyd_get_value(leaf), user))) {
            return true;
        }
    }
    return false;
}

void access_open(struct access *access, const struct access_policy *policy, const char *user,
                 bool recovery, bool update_server)
{
    access->everything = recovery || !policy->enabled;
    access->update_server = update_server;
    access->has_groups = false;
    access->user = user;
    access->policy = policy;
    access->rule_count = 0;
    if (access->everything || !policy->nacm || !is_in_group(policy, NULL, user)) {
        return; /* RFC 8341 3.4.4 step 3: no groups, no rules */
    }
    access->has_groups = true;
    for (size_t i = 0; i < policy->list_count; i++) {
        const struct access_list *list = &policy->lists[i];
        for (size_t k = 0; list_is_for(policy, list, user) && k < list->count; k++) {
            access->rules[access->rule_count++] = &policy->rules[list->first + k];
        }
    }
}

/* ---- paths of rules ---- */

/* One `name` or `module:name` at *at, then its predicates; moves behind them. */
struct step {
    const char *name;
    size_t size;
    const char *predicates; /* up to the next `/` or the end */
    size_t predicates_size;
};

static bool next_step(const char **at, struct step *step)
{
    const char *from = *at;
    char quote = '\0';

    if (*from != '/') {
        return false;
    }
    from++;
    step->name = from;
    step->size = strcspn(from, "/[");
    from += step->size;
    const char *colon = memchr(step->name, ':', step->size);
    if (colon) {
        step->size -= (size_t)(colon + 1 - step->name);
        step->name = colon + 1;
    }
    step->predicates = from;
    for (; *from && (quote || *from != '/'); from++) {
        if (quote) {
            quote = *from == quote ? '\0' : quote;
        } else if (*from == '\'' || *from == '"') {
            quote = *from;
        }
    }
    step->predicates_size = (size_t)(from - step->predicates);
    *at = from;
    return true;
}

/* The nodes from the root to `node`; 0: it lies too deep for any rule's path. */
static size_t line_of(const struct lyd_node *node, const struct lyd_node **line)
{
    size_t depth = 0;

    for (const struct lyd_node *at = node; at; at = lyd_parent(at)) {
        depth++;
    }
    size_t kept = depth < ACCESS_STEPS_MAX ? depth : ACCESS_STEPS_MAX;
    for (; node; node = lyd_parent(node), depth--) {
        if (depth <= kept) {
            line[depth - 1] = node;
        }
    }
    return kept;
}

/* Whether `node` is what the path names, or lies below it. */
static bool path_covers(const char *path, const struct lyd_node *node, const char *user)
{
    const struct lyd_node *line[ACCESS_STEPS_MAX];
    size_t depth = line_of(node, line);
    struct step step;
    size_t i = 0;

    while (next_step(&path, &step)) {
        if (i == depth || strlen(line[i]->schema->name) != step.size ||
            memcmp(line[i]->schema->name, step.name, step.size) != 0 ||
            !path_predicates_hold(step.predicates, step.predicates_size, line[i], user)) {
            return false;
        }
        i++;
    }
    return i > 0;
}

/* Whether the path's first module is this node's. */
static bool path_is_in(const char *path, const struct lysc_node *node)
{
    const char *name = node->module->name;
    size_t size = strlen(name);

    return strncmp(path + 1, name, size) == 0 && path[1 + size] == ':';
}

/* ---- decisions ---- */

static bool fits_module(const struct access_rule *rule, const struct lysc_node *schema)
{
    return !rule->module || strcmp(rule->module, schema->module->name) == 0;
}

static bool is_marked(const struct lysc_node *schema, const char *extension)
{
    LY_ARRAY_COUNT_TYPE i;

    LY_ARRAY_FOR(schema->exts, i)
    {
        if (strcmp(schema->exts[i].def->name, extension) == 0 &&
            strcmp(schema->exts[i].def->module->name, "ietf-netconf-acm") == 0) {
            return true;
        }
    }
    return false;
}

/* The first rule that fits decides; NULL: none does. */
static const struct access_rule *find_named(const struct access *access, enum access_kind kind,
                                            const struct lysc_node *schema, unsigned operation)
{
    for (size_t i = 0; i < access->rule_count; i++) {
        const struct access_rule *rule = access->rules[i];
        if ((rule->operations & operation) && fits_module(rule, schema) &&
            (rule->kind == ACCESS_ANYTHING ||
             (rule->kind == kind && (!rule->name || strcmp(rule->name, schema->name) == 0)))) {
            return rule;
        }
    }
    return NULL;
}

static bool is_ietf(const struct lysc_node *schema)
{
    return strncmp(schema->module->name, "ietf-", 5) == 0;
}

/* Built in: the update server calls devices and reads; it configures nothing. */
static bool update_server_may_call(const struct lysc_node *rpc)
{
    return !is_ietf(rpc) || strcmp(rpc->name, "get") == 0 || strcmp(rpc->name, "get-schema") == 0 ||
           strcmp(rpc->name, "get-config") == 0;
}

bool access_may_call(const struct access *access, const struct lysc_node *rpc)
{
    if (access->everything || (access->update_server && update_server_may_call(rpc))) {
        return true;
    }
    const struct access_rule *rule = find_named(access, ACCESS_RPC, rpc, ACCESS_EXEC);
    if (rule) {
        return rule->permit;
    }
    /* RFC 8341 3.4.4 steps 8 to 10. */
    return access->policy->exec_default && !is_marked(rpc, "default-deny-all") &&
           !(strcmp(rpc->module->name, "ietf-netconf") == 0 &&
             (strcmp(rpc->name, "kill-session") == 0 || strcmp(rpc->name, "delete-config") == 0));
}

bool access_may_hear(const struct access *access, const struct lysc_node *notification)
{
    if (access->everything || access->update_server) {
        return true;
    }
    /* RFC 8341 3.4.6 step 2: these two end a replay or a subscription. */
    if (strcmp(notification->module->name, "nc-notifications") == 0) {
        return true;
    }
    const struct access_rule *rule =
        find_named(access, ACCESS_NOTIFICATION, notification, ACCESS_READ);
    if (rule) {
        return rule->permit;
    }
    return access->policy->read_default && !is_marked(notification, "default-deny-all");
}

/* The index of the first rule about this node; rule_count: none. */
static size_t find_data(const struct access *access, const struct lyd_node *node,
                        unsigned operation)
{
    size_t i = 0;

    for (; i < access->rule_count; i++) {
        const struct access_rule *rule = access->rules[i];
        if ((rule->operations & operation) && fits_module(rule, node->schema) &&
            (rule->kind == ACCESS_ANYTHING ||
             (rule->kind == ACCESS_DATA &&
              (!rule->path || path_covers(rule->path, node, access->user))))) {
            break;
        }
    }
    return i;
}

static bool default_for(const struct access *access, const struct lysc_node *schema,
                        enum access_operation operation)
{
    if (is_marked(schema, "default-deny-all") ||
        (operation != ACCESS_READ && is_marked(schema, "default-deny-write"))) {
        return false;
    }
    return operation == ACCESS_READ ? access->policy->read_default : access->policy->write_default;
}

bool access_may_touch(const struct access *access, const struct lyd_node *node,
                      enum access_operation operation)
{
    if (access->everything) {
        return true;
    }
    if (access->update_server) {
        return operation == ACCESS_READ && !is_marked(node->schema, "default-deny-all");
    }
    size_t at = find_data(access, node, operation);
    return at < access->rule_count ? access->rules[at]->permit
                                   : default_for(access, node->schema, operation);
}

/* Whether a rule before `decided` may say otherwise about something below `node`. */
static bool may_differ_below(const struct access *access, const struct lyd_node *node,
                             size_t decided)
{
    for (size_t i = 0; i < decided; i++) {
        const struct access_rule *rule = access->rules[i];
        if ((rule->operations & ACCESS_READ) && rule->path &&
            (path_is_in(rule->path, node->schema) || lyd_parent(node))) {
            return true;
        }
    }
    return decided == access->rule_count;
}

/* Recursive over our own data: no deeper than its schema. */
static void prune(const struct access *access, struct lyd_node **tree)
{
    struct lyd_node *next;

    for (struct lyd_node *node = *tree; node; node = next) {
        next = node->next;
        size_t decided = find_data(access, node, ACCESS_READ);
        bool may = decided < access->rule_count ? access->rules[decided]->permit
                                                : default_for(access, node->schema, ACCESS_READ);
        if (!may && !lysc_is_key(node->schema)) {
            if (node == *tree) {
                *tree = next;
            }
            lyd_free_tree(node);
        } else if (lyd_child(node) && may_differ_below(access, node, decided)) {
            struct lyd_node *child = lyd_child(node);
            prune(access, &child);
        }
    }
}

void access_prune(const struct access *access, struct lyd_node **tree)
{
    struct lyd_node *next;

    if (access->everything) {
        return;
    }
    if (!access->update_server) {
        prune(access, tree);
        return;
    }
    for (struct lyd_node *node = *tree; node; node = next) {
        next = node->next;
        if (!access_may_touch(access, node, ACCESS_READ)) {
            if (node == *tree) {
                *tree = next;
            }
            lyd_free_tree(node);
        }
    }
}
