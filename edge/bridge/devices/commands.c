/* Commands, from submit to their end: see commands.h. How they are shown: commands_show.c. */
#include "bridge/devices/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/devices/commands_internal.h"
#include "runtime/log.h"

static struct command **bucket_of(struct mup_commands *commands, const uint8_t *id)
{
    return &commands->buckets[(id[0] | (unsigned)id[1] << 8) % COMMAND_BUCKETS];
}

struct mup_commands *mup_commands_new(const struct mup_commands_settings *settings)
{
    struct mup_commands *commands = calloc(1, sizeof *commands);

    if (commands == NULL)
        return NULL;
    commands->settings = *settings;
    commands->last = &commands->first;
    return commands;
}

/* ---- the table ---- */

static struct command *add(struct mup_commands *commands, const struct mup_stored_command *stored)
{
    struct command **bucket = bucket_of(commands, stored->id);
    struct command *command = calloc(1, sizeof *command);

    if (command == NULL)
        return NULL;
    command->commands = commands;
    memcpy(command->id, stored->id, sizeof command->id);
    snprintf(command->user, sizeof command->user, "%s", stored->user);
    snprintf(command->device_name, sizeof command->device_name, "%s", stored->device);
    snprintf(command->module, sizeof command->module, "%s", stored->module);
    snprintf(command->rpc_name, sizeof command->rpc_name, "%s", stored->rpc);
    command->submitted_ms = stored->submitted_ms;
    command->expires_ms = stored->expires_ms;
    command->next_in_bucket = *bucket;
    *bucket = command;
    *commands->last = command;
    commands->last = &command->next;
    commands->count++;
    return command;
}

static void free_command(struct command *command)
{
    if (command->description != NULL)
        command->description->users--;
    free(command->result);
    free(command);
}

static void remove_command(struct command **at)
{
    struct command *command = *at;
    struct mup_commands *commands = command->commands;
    struct command **in_bucket = bucket_of(commands, command->id);

    while (*in_bucket != command)
        in_bucket = &(*in_bucket)->next_in_bucket;
    *in_bucket = command->next_in_bucket;
    *at = command->next;
    if (commands->last == &command->next)
        commands->last = at;
    commands->count--;
    free_command(command);
}

static struct command *find(struct mup_commands *commands, const uint8_t *id)
{
    struct command *command = *bucket_of(commands, id);

    while (command != NULL && memcmp(command->id, id, sizeof command->id) != 0)
        command = command->next_in_bucket;
    return command;
}

static void drop(struct command *command)
{
    struct command **at = &command->commands->first;

    while (*at != command)
        at = &(*at)->next;
    remove_command(at);
}

void mup_commands_free(struct mup_commands *commands)
{
    if (commands == NULL)
        return;
    while (commands->first != NULL) {
        if (commands->first->exchange != NULL)
            mup_exchange_cancel(commands->first->exchange);
        remove_command(&commands->first);
    }
    free(commands);
}

size_t mup_commands_count(const struct mup_commands *commands)
{
    return commands->count;
}

/* Forget what has ended and was told, if it ended before this. The store is told the same. */
static void forget_before(struct mup_commands *commands, uint64_t before_ms)
{
    struct command **at = &commands->first;
    bool any = false;

    while (*at != NULL)
        if ((*at)->told && (*at)->result->ended_ms < before_ms) {
            remove_command(at);
            any = true;
        } else
            at = &(*at)->next;
    if (any &&
        mup_bridge_store_forget_commands(commands->settings.store, before_ms, NULL, NULL) != MUP_OK)
        mup_log(MUP_LOG_ERROR, "commands", mup_log_event("old commands not forgotten"));
}

void mup_commands_sweep(struct mup_commands *commands)
{
    uint64_t now_ms = mup_loop_wall_ms();

    if (now_ms > MUP_COMMAND_KEPT_MS)
        forget_before(commands, now_ms - MUP_COMMAND_KEPT_MS);
}

/* A full table lets go of what ended first, not of what is under way. */
static bool make_room(struct mup_commands *commands)
{
    uint64_t oldest_ms = UINT64_MAX;

    if (commands->count < MUP_COMMANDS_MAX)
        return true;
    for (const struct command *at = commands->first; at != NULL; at = at->next)
        if (at->told && at->result->ended_ms < oldest_ms)
            oldest_ms = at->result->ended_ms;
    if (oldest_ms != UINT64_MAX)
        forget_before(commands, oldest_ms + 1);
    return commands->count < MUP_COMMANDS_MAX;
}

/* ---- the end ---- */

static void on_end_kept(void *arg, enum mup_status status, const char *error)
{
    struct command *command = arg;
    struct mup_netconf_request *request = command->request;

    if (status != MUP_OK)
        mup_log(MUP_LOG_ERROR, "commands",
                mup_log_event("the end of a command was not kept: after a restart it is issued "
                              "again"),
                mup_log_text("device", command->device_name), mup_log_text("why", error));
    command->told = true;
    command_tell(command);
    command->request = NULL;
    if (request != NULL)
        mup_netconf_reply_ok(request);
}

/* The texts of a result are cut where a character ends. */
static void copy_text(char *out, size_t size, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);

    if (length >= size)
        for (length = size - 1; length > 0 && (text[length] & 0xc0) == 0x80;)
            length--;
    if (length > 0)
        memcpy(out, text, length);
    out[length] = '\0';
}

static void end_command(struct command *command, const char *outcome, const char *app_tag,
                        const char *message, const struct mup_verdict *verdict)
{
    struct mup_stored_result *result = calloc(1, sizeof *result);

    command->exchange = NULL;
    if (result == NULL)
        return; /* pending in the store: the next start ends it */
    result->ended_ms = mup_loop_wall_ms();
    copy_text(result->outcome, sizeof result->outcome, outcome);
    copy_text(result->app_tag, sizeof result->app_tag, app_tag);
    copy_text(result->message, sizeof result->message, message);
    if (verdict != NULL && verdict->state != NULL)
        copy_text(result->state, sizeof result->state, verdict->state->name);
    if (verdict != NULL && verdict->has_value)
        copy_text(result->value, sizeof result->value, verdict->value);
    command->result = result;
    if (command->description != NULL)
        command->description->users--;
    command->description = NULL;
    mup_log(MUP_LOG_INFO, "commands", mup_log_event("command ended"),
            mup_log_text("device", command->device_name), mup_log_text("rpc", command->rpc_name),
            mup_log_text("outcome", outcome));
    if (mup_bridge_store_end_command(command->commands->settings.store, command->id, result,
                                     on_end_kept, command) != MUP_OK)
        on_end_kept(command, MUP_ERR_SPACE, "no memory");
}

static void end_by_answer(struct command *command, struct mup_bytes response)
{
    const struct mup_commands_settings *settings = &command->commands->settings;
    struct mup_verdict verdict;

    mup_verdict_make(&verdict, command->rpc, command->device, response);
    if (verdict.state != NULL && settings->on_answer != NULL)
        settings->on_answer(settings->arg, command->device, command->rpc, verdict.state);
    switch (verdict.kind) {
    case MUP_VERDICT_DONE:
        end_command(command, "done", NULL, NULL, &verdict);
        return;
    case MUP_VERDICT_REFUSED:
        end_command(command, "refused", verdict.state->name, verdict.message, &verdict);
        return;
    case MUP_VERDICT_INVALID:
        end_command(command, "failed", verdict.app_tag, verdict.message, NULL);
        return;
    }
}

static void end_by_time(struct command *command)
{
    char message[MUP_MESSAGE_SIZE];

    mup_timeout_message(message, command->device_name, command->rpc_name,
                        (command->expires_ms - command->submitted_ms) / 1000);
    end_command(command, "expired", "device-timeout", message, NULL);
}

/* Its device was taken out of service, maybe while the command was on its way into the store. */
static void end_by_standing(struct command *command)
{
    if (command->device->stored.standing == MUP_STANDING_RETIRED)
        end_command(command, "failed", "device-retired", "the device was taken out of service",
                    NULL);
    else
        end_command(command, "failed", "device-quarantined", "the device was put into quarantine",
                    NULL);
}

static void on_exchange_end(void *arg, struct mup_bytes response)
{
    if (response.data == NULL)
        end_by_time(arg);
    else
        end_by_answer(arg, response);
}

/* ---- the beginning ---- */

/* Have the device asked. False: too many requests wait for it. */
static bool begin_exchange(struct command *command, const struct mup_stored_command *stored)
{
    uint64_t now_ms = mup_loop_wall_ms();
    struct mup_exchange_request request = {
        .device = command->device,
        .is_command = true,
        .topic = stored->topic,
        .bytes = stored->bytes,
        .size = stored->size,
        .correlation = stored->correlation,
    };

    /* A clock that was set back must not make it live longer than it was meant to. */
    request.timeout_ms = stored->expires_ms > now_ms ? stored->expires_ms - now_ms : 0;
    if (request.timeout_ms > stored->expires_ms - stored->submitted_ms)
        request.timeout_ms = stored->expires_ms - stored->submitted_ms;
    command->exchange = mup_exchange_begin(command->commands->settings.exchanges, &request,
                                           on_exchange_end, command);
    return command->exchange != NULL;
}

/* A submit on its way into the store. */
struct submission {
    struct command *command;
    struct mup_stored_command stored;
};

static void refuse(struct mup_netconf_request *request, enum mup_netconf_tag tag,
                   const char *app_tag, const char *message, const char *path)
{
    if (request != NULL)
        mup_netconf_reply_error(request, tag, app_tag, message, path);
}

static void on_submission_kept(void *arg, enum mup_status status, const char *error)
{
    struct submission *submission = arg;
    struct command *command = submission->command;
    struct mup_netconf_request *request = command->request;

    command->request = NULL;
    if (status != MUP_OK) {
        mup_log(MUP_LOG_ERROR, "commands", mup_log_event("command not kept"),
                mup_log_text("device", command->device_name), mup_log_text("why", error));
        drop(command);
        refuse(request, MUP_NETCONF_TAG_OPERATION_FAILED, "not-kept",
               "the command could not be kept; it was not carried out", NULL);
    } else {
        command->kept = true;
        /* The answer first: the device's can come before it, but its notification cannot. */
        if (request != NULL)
            command_answer(command, request);
        if (command->device->stored.standing != MUP_STANDING_SERVICE)
            end_by_standing(command);
        else if (!begin_exchange(command, &submission->stored))
            end_command(command, "failed", "too-many-calls",
                        "too many requests wait for this device; it was not asked", NULL);
    }
    free(submission);
}

static void fill(struct mup_stored_command *stored, const char *user, const char *module,
                 const struct mup_device_request *made, uint32_t timeout_s)
{
    memset(stored, 0, sizeof *stored);
    snprintf(stored->user, sizeof stored->user, "%s", user);
    snprintf(stored->device, sizeof stored->device, "%s", made->device->stored.name);
    snprintf(stored->module, sizeof stored->module, "%s", module);
    snprintf(stored->rpc, sizeof stored->rpc, "%s", made->rpc->yang_name);
    snprintf(stored->topic, sizeof stored->topic, "%s", made->topic);
    memcpy(stored->bytes, made->bytes, made->size);
    stored->size = made->size;
    stored->submitted_ms = mup_loop_wall_ms();
    stored->expires_ms = stored->submitted_ms + (uint64_t)timeout_s * 1000;
}

/* Into the table and the store; false: no memory, and nothing is left of it. */
static bool keep(struct mup_commands *commands, struct mup_netconf_request *request,
                 const struct mup_device_request *made, struct submission *submission)
{
    struct command *command = add(commands, &submission->stored);

    if (command == NULL)
        return false;
    command->request = request;
    command->device = made->device;
    command->description = made->description;
    command->description->users++;
    command->rpc = made->rpc;
    submission->command = command;
    if (mup_bridge_store_put_command(commands->settings.store, &submission->stored,
                                     on_submission_kept, submission) == MUP_OK)
        return true;
    drop(command);
    return false;
}

static const struct lyd_node *child_of(const struct lyd_node *input, const char *name)
{
    const struct lyd_node *child;

    LY_LIST_FOR(lyd_child(input), child)
    {
        if (strcmp(LYD_NAME(child), name) == 0)
            return child;
    }
    return NULL;
}

/* The RPC that stands in `call`, valid; NULL, with the reason, when there is none. */
static struct lyd_node *read_call(const struct mup_commands *commands, const struct lyd_node *input,
                                  char message[MUP_MESSAGE_SIZE])
{
    const struct ly_ctx *schemas = mup_netconf_schemas(commands->settings.netconf);
    struct lyd_node *tree = NULL;
    struct ly_in *in = NULL;
    char *xml = NULL;
    bool good;

    good = lyd_any_value_str(child_of(input, "call"), &xml) == LY_SUCCESS && xml != NULL &&
           ly_in_new_memory(xml, &in) == LY_SUCCESS;
    ly_err_clean((struct ly_ctx *)schemas, NULL);
    good = good &&
           lyd_parse_op(schemas, NULL, in, LYD_XML, LYD_TYPE_RPC_YANG, &tree, NULL) == LY_SUCCESS &&
           tree != NULL && tree->schema != NULL && tree->schema->nodetype == LYS_RPC &&
           tree->next == NULL && lyd_validate_op(tree, NULL, LYD_TYPE_RPC_YANG, NULL) == LY_SUCCESS;
    if (!good) {
        const char *why = ly_errmsg(schemas);
        snprintf(message, MUP_MESSAGE_SIZE, "call must hold one RPC of a device's module: %.300s",
                 why == NULL ? "it does not" : why);
        lyd_free_all(tree);
        tree = NULL;
    }
    ly_in_free(in, 0);
    free(xml);
    return tree;
}

static void submit_call(struct mup_commands *commands, struct mup_netconf_request *request,
                        const char *user, const struct lyd_node *call, uint32_t timeout_s)
{
    const struct mup_commands_settings *settings = &commands->settings;
    const char *module = call->schema->module->name;
    struct mup_device_request made;
    struct submission *submission;
    struct mup_fault fault;

    if (!mup_netconf_may_call(settings->netconf, user, call->schema)) {
        refuse(request, MUP_NETCONF_TAG_ACCESS_DENIED, NULL, "this user may not call this RPC",
               "call");
        return;
    }
    if (!mup_device_request_make(&made, &fault, settings->registry, &settings->allowed_topics,
                                 module, call->schema->name, call)) {
        refuse(request, fault.tag, fault.app_tag, fault.message, "call");
        return;
    }
    submission = calloc(1, sizeof *submission);
    if (submission != NULL) {
        fill(&submission->stored, user, module, &made, timeout_s);
        if (mup_exchanges_have_room(settings->exchanges, made.device) && make_room(commands) &&
            mup_correlation_make(submission->stored.correlation) &&
            mup_correlation_make(submission->stored.id) &&
            keep(commands, request, &made, submission))
            return;
    }
    free(submission);
    refuse(request, MUP_NETCONF_TAG_RESOURCE_DENIED, "too-many-calls",
           "too many commands are under way; try again later", NULL);
}

static void submit(struct mup_commands *commands, struct mup_netconf_request *request,
                   const char *user, const struct lyd_node *input)
{
    const struct lyd_node *timeout = child_of(input, "timeout-s");
    char message[MUP_MESSAGE_SIZE];
    struct lyd_node *call = read_call(commands, input, message);

    if (call == NULL) {
        refuse(request, MUP_NETCONF_TAG_INVALID_VALUE, "call-invalid", message, "call");
        return;
    }
    submit_call(commands, request, user, call, (uint32_t)strtoul(lyd_get_value(timeout), NULL, 10));
    lyd_free_all(call);
}

static void withdraw(struct mup_commands *commands, struct mup_netconf_request *request,
                     const char *user, const struct lyd_node *input)
{
    const char *text = lyd_get_value(child_of(input, "id"));
    uint8_t id[MUP_STORED_COMMAND_ID_SIZE];
    struct command *command = NULL;

    if (mup_uuid_parse(id, text, strlen(text)) == MUP_OK)
        command = find(commands, id);
    if (command == NULL || !command->kept || strcmp(command->user, user) != 0) {
        refuse(request, MUP_NETCONF_TAG_INVALID_VALUE, "unknown-command",
               "this user has submitted no such command, or it ended long ago", "id");
        return;
    }
    if (command->exchange == NULL) {
        refuse(request, MUP_NETCONF_TAG_OPERATION_FAILED, "command-ended",
               "the command has ended already", "id");
        return;
    }
    mup_exchange_cancel(command->exchange);
    command->request = request;
    end_command(command, "withdrawn", NULL, NULL, NULL);
}

void mup_commands_end_all(struct mup_commands *commands, const struct mup_device *device)
{
    for (struct command *at = commands->first; at != NULL; at = at->next)
        if (at->exchange != NULL && at->device == device) {
            mup_exchange_cancel(at->exchange);
            end_by_standing(at);
        }
}

bool mup_commands_begin(struct mup_commands *commands, struct mup_netconf_request *request,
                        const char *user, const char *rpc, const struct lyd_node *input)
{
    if (strcmp(rpc, "submit") == 0)
        submit(commands, request, user, input);
    else if (strcmp(rpc, "withdraw") == 0)
        withdraw(commands, request, user, input);
    else
        return false;
    return true;
}

void mup_commands_cancel(struct mup_commands *commands, const struct mup_netconf_request *request)
{
    for (struct command *at = commands->first; at != NULL; at = at->next)
        if (at->request == request)
            at->request = NULL;
}

/* ---- taking up where the last run ended ---- */

/* What its answer means stands in a description that may have gone meanwhile. */
static bool link_description(struct command *command)
{
    const struct mup_registry *registry = command->commands->settings.registry;

    command->device = mup_registry_by_name(registry, command->device_name);
    for (size_t i = 0; command->device != NULL && i < registry->description_count; i++) {
        struct mup_known_description *known = registry->descriptions[i];
        if (known->capability == NULL ||
            strcmp(known->capability->module_name, command->module) != 0)
            continue;
        command->rpc = mup_capability_rpc(known->capability, command->rpc_name);
        if (command->rpc == NULL)
            return false;
        command->description = known;
        known->users++;
        return true;
    }
    return false;
}

static void restore(void *arg, const struct mup_stored_command *stored)
{
    struct mup_commands *commands = arg;
    struct command *command = add(commands, stored);

    if (command == NULL)
        return;
    command->kept = true;
    if (stored->result.ended_ms != 0) {
        command->result = malloc(sizeof *command->result);
        if (command->result == NULL) {
            drop(command);
            return;
        }
        *command->result = stored->result;
        command->told = true;
    } else if (link_description(command) &&
               command->device->stored.standing == MUP_STANDING_SERVICE)
        (void)begin_exchange(command, stored);
}

enum mup_status mup_commands_restore(struct mup_commands *commands)
{
    enum mup_status status =
        mup_bridge_store_each_command(commands->settings.store, restore, commands);
    size_t pending = 0;

    if (status != MUP_OK)
        return status;
    for (struct command *at = commands->first; at != NULL; at = at->next)
        if (at->exchange != NULL)
            pending++;
        else if (at->result == NULL && at->device != NULL &&
                 at->device->stored.standing != MUP_STANDING_SERVICE)
            end_by_standing(at);
        else if (at->result == NULL)
            end_command(at, "failed", "unknown-device",
                        "after a restart of the bridge the device, or its function, was gone",
                        NULL);
    mup_log(MUP_LOG_INFO, "commands", mup_log_event("commands restored"),
            mup_log_number("count", (int64_t)commands->count),
            mup_log_number("pending", (int64_t)pending));
    return MUP_OK;
}
