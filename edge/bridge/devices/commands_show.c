/* Commands as NETCONF sees them: the answer of submit, command-result, and the list in <get>. */
#include <stdio.h>
#include <string.h>

#include "bridge/devices/commands_internal.h"
#include "bridge/devices/leaf.h"
#include "runtime/log.h"

void command_answer(const struct command *command, struct mup_netconf_request *request)
{
    const struct ly_ctx *schemas = mup_netconf_schemas(command->commands->settings.netconf);
    char id[MUP_UUID_TEXT_SIZE];
    char expires[MUP_TIME_SIZE];
    struct lyd_node *tree = NULL;

    mup_uuid_format(id, command->id);
    mup_format_time(expires, command->expires_ms);
    if (lyd_new_path(NULL, schemas, "/myno-devices:submit/id", id, LYD_NEW_PATH_OUTPUT, &tree) ==
            LY_SUCCESS &&
        lyd_new_path(tree, schemas, "/myno-devices:submit/expires", expires, LYD_NEW_PATH_OUTPUT,
                     NULL) == LY_SUCCESS) {
        (void)mup_netconf_reply_tree(request, tree);
        return;
    }
    lyd_free_all(tree);
    mup_netconf_reply_error(request, MUP_NETCONF_TAG_RESOURCE_DENIED, NULL,
                            "no memory; the command was taken", NULL);
}

static const char *state_of(const struct command *command)
{
    if (command->result != NULL)
        return command->result->outcome;
    return command->exchange != NULL && mup_exchange_is_sent(command->exchange) ? "sent"
                                                                                : "waiting";
}

static LY_ERR add_if(struct lyd_node *entry, const char *name, const char *value)
{
    return value[0] == '\0' ? LY_SUCCESS : mup_leaf_add(entry, name, value);
}

/* The grouping command-parts. */
static LY_ERR add_parts(struct lyd_node *entry, const struct command *command)
{
    const struct mup_stored_result *result = command->result;
    const struct mup_device *device =
        mup_registry_by_name(command->commands->settings.registry, command->device_name);
    LY_ERR bad = device == NULL ? LY_SUCCESS : mup_leaf_add(entry, "uuid", device->uuid_text);

    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "name", command->device_name);
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "module", command->module);
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "rpc", command->rpc_name);
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "state", state_of(command));
    if (result == NULL)
        return bad;
    if (bad == LY_SUCCESS)
        bad = add_if(entry, "device-state", result->state);
    if (bad == LY_SUCCESS && result->value[0] != '\0') /* longer than other leaves */
        bad = lyd_new_term(entry, NULL, "value", result->value, 0, NULL);
    if (bad == LY_SUCCESS)
        bad = add_if(entry, "app-tag", result->app_tag);
    return bad == LY_SUCCESS ? add_if(entry, "message", result->message) : bad;
}

void command_tell(const struct command *command)
{
    struct mup_netconf *netconf = command->commands->settings.netconf;
    const struct ly_ctx *schemas = mup_netconf_schemas(netconf);
    struct lyd_node *tree = NULL;
    char id[MUP_UUID_TEXT_SIZE];

    if (!mup_netconf_is_heard(netconf))
        return;
    mup_uuid_format(id, command->id);
    if (lyd_new_path(NULL, schemas, "/myno-devices:command-result/id", id, 0, &tree) ==
            LY_SUCCESS &&
        add_parts(tree, command) == LY_SUCCESS) {
        (void)mup_netconf_notify_user(netconf, command->user, tree);
        return;
    }
    mup_log(MUP_LOG_ERROR, "commands", mup_log_event("a result cannot be told"),
            mup_log_text("why", ly_errmsg(schemas)));
    lyd_free_all(tree);
}

static LY_ERR add_time(struct lyd_node *entry, const char *name, uint64_t ms)
{
    char text[MUP_TIME_SIZE];

    mup_format_time(text, ms);
    return mup_leaf_add(entry, name, text);
}

static LY_ERR add_command(struct lyd_node *list, const struct command *command)
{
    struct lyd_node *entry;
    char id[MUP_UUID_TEXT_SIZE];
    LY_ERR bad;

    mup_uuid_format(id, command->id);
    bad = lyd_new_list(list, NULL, "command", 0, &entry, id);
    if (bad == LY_SUCCESS)
        bad = mup_leaf_add(entry, "user", command->user);
    if (bad == LY_SUCCESS)
        bad = add_parts(entry, command);
    if (bad == LY_SUCCESS)
        bad = add_time(entry, "submitted", command->submitted_ms);
    if (bad == LY_SUCCESS)
        bad = add_time(entry, "expires", command->expires_ms);
    if (bad == LY_SUCCESS && command->result != NULL)
        bad = add_time(entry, "ended", command->result->ended_ms);
    return bad;
}

enum mup_status mup_commands_list(const struct mup_commands *commands, const char *user,
                                  const struct ly_ctx *schemas, struct lyd_node **tree)
{
    struct lyd_node *list = NULL;
    LY_ERR bad = lyd_new_path(NULL, schemas, "/myno-devices:commands", NULL, 0, &list);

    for (const struct command *at = commands->first; at != NULL && bad == LY_SUCCESS; at = at->next)
        if (at->kept && (user == NULL || strcmp(user, at->user) == 0))
            bad = add_command(list, at);
    if (bad == LY_SUCCESS)
        bad = lyd_insert_sibling(*tree, list, tree);
    if (bad == LY_SUCCESS)
        return MUP_OK;
    lyd_free_all(list);
    return MUP_ERR_SPACE;
}
