/*
 * Who may do what: the rules of RFC 8341, read from the running configuration.
 *
 * A policy is made of /nacm once for each change of it and points into that tree. An access is what
 * of a policy is for one user; it is cheap to make and lives as long as the policy does.
 */
#ifndef MUP_BRIDGE_NETCONF_ACCESS_H
#define MUP_BRIDGE_NETCONF_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include <libyang/libyang.h>

#include "mup/status.h"

#define ACCESS_LISTS_MAX 64u  /* rule-lists */
#define ACCESS_RULES_MAX 256u /* rules of all lists together */
#define ACCESS_STEPS_MAX 16u  /* of a rule's path */

/* Bits of access-operations. */
enum access_operation {
    ACCESS_CREATE = 1,
    ACCESS_READ = 2,
    ACCESS_UPDATE = 4,
    ACCESS_DELETE = 8,
    ACCESS_EXEC = 16,
};

enum access_kind { ACCESS_ANYTHING, ACCESS_RPC, ACCESS_NOTIFICATION, ACCESS_DATA };

struct access_rule {
    enum access_kind kind;
    const char *module; /* NULL: any */
    const char *name;   /* of the RPC or notification; NULL: any */
    const char *path;   /* canonical, such as /a:b/c[k='v']; NULL: any */
    unsigned operations;
    bool permit;
};

struct access_list {
    const struct lyd_node *node; /* rule-list */
    size_t first;                /* in rules */
    size_t count;
};

struct access_policy {
    const struct lyd_node
        *nacm; /* NULL: there is none, and only recovery sessions may do a thing */
    bool enabled;
    bool read_default;
    bool write_default;
    bool exec_default;
    struct access_list lists[ACCESS_LISTS_MAX];
    size_t list_count;
    struct access_rule rules[ACCESS_RULES_MAX];
    size_t rule_count;
};

struct access {
    bool everything; /* recovery session (RFC 8341 2.2), or NACM is off */
    bool update_server;
    bool has_groups;
    const char *user;
    const struct access_policy *policy;
    const struct access_rule *rules[ACCESS_RULES_MAX];
    size_t rule_count;
};

/*
 * Read the policy of this configuration (its top-level nodes, with defaults). MUP_ERR_RANGE: more
 * lists, rules or steps of a path than the limits above; *policy is untouched.
 */
MUP_MUST_CHECK
enum mup_status access_policy_read(struct access_policy *policy, const struct lyd_node *running);

/* `recovery`: the user is one of the configuration file's administrators. */
void access_open(struct access *access, const struct access_policy *policy, const char *user,
                 bool recovery, bool update_server);

bool access_may_call(const struct access *access, const struct lysc_node *rpc);
bool access_may_hear(const struct access *access, const struct lysc_node *notification);

/* Whether this node alone may be read, created, updated or deleted. */
bool access_may_touch(const struct access *access, const struct lyd_node *node,
                      enum access_operation operation);

/* Take out of *tree (siblings included) what may not be read. */
void access_prune(const struct access *access, struct lyd_node **tree);

/* The rules that a bridge begins with, as XML. */
extern const char access_first_rules[];

#endif
