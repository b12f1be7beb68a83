/* What the files about commands share. */
#ifndef MUP_BRIDGE_COMMANDS_INTERNAL_H
#define MUP_BRIDGE_COMMANDS_INTERNAL_H

#include "bridge/devices/commands.h"

#define COMMAND_BUCKETS 4096u

struct command {
    struct command *next; /* the next younger one */
    struct command *next_in_bucket;
    struct mup_commands *commands;
    uint8_t id[MUP_STORED_COMMAND_ID_SIZE];
    char user[MUP_STORED_USER_SIZE_MAX + 1];
    char device_name[MUP_NAME_MAX + 1];
    char module[MUP_STORED_NAME_SIZE_MAX + 1];
    char rpc_name[MUP_STORED_NAME_SIZE_MAX + 1];
    uint64_t submitted_ms; /* since 1970, as the next */
    uint64_t expires_ms;
    bool kept;                           /* it is in the store */
    struct mup_netconf_request *request; /* a submit or withdraw that waits for the store */

    /* While it is under way. */
    struct mup_exchange *exchange;
    struct mup_device *device;
    struct mup_known_description *description; /* counts us as a user */
    const struct mup_rpc *rpc;

    struct mup_stored_result *result; /* NULL: it has not ended */
    bool told;                        /* its end is in the store */
};

struct mup_commands {
    struct mup_commands_settings settings;
    struct command *first; /* the oldest */
    struct command **last;
    struct command *buckets[COMMAND_BUCKETS]; /* by id */
    size_t count;
};

/* Answer its submit. */
void command_answer(const struct command *command, struct mup_netconf_request *request);

/* The notification command-result, to its submitter. */
void command_tell(const struct command *command);

#endif
