/*
 * The commands that clients submitted to the bridge, and what became of them: a table of the
 * bridge's store (bridge_store.h).
 *
 * How writing and reading work, and what the errors mean: store/store.h. A command has one end: a
 * second one is refused with MUP_ERR_STATE.
 */
#ifndef MUP_STORE_BRIDGE_COMMANDS_H
#define MUP_STORE_BRIDGE_COMMANDS_H

#include <stdint.h>

#include "mup/rpc.h"
#include "store/bridge_store.h"

#define MUP_STORED_COMMAND_ID_SIZE 16u
#define MUP_STORED_USER_SIZE_MAX   64u  /* bytes, without NUL; the other texts, too */
#define MUP_STORED_NAME_SIZE_MAX   128u /* of modules and RPCs */
#define MUP_STORED_TOPIC_SIZE_MAX  256u
#define MUP_STORED_WORD_SIZE_MAX   128u /* outcome, state, tag */
#define MUP_STORED_VALUE_SIZE_MAX  700u
#define MUP_STORED_TEXT_SIZE_MAX   400u

/* How it ended. */
struct mup_stored_result {
    uint64_t ended_ms; /* ms since 1970; 0: it has not */
    char outcome[MUP_STORED_WORD_SIZE_MAX + 1];
    char state[MUP_STORED_WORD_SIZE_MAX + 1];  /* the device's; "": none */
    char value[MUP_STORED_VALUE_SIZE_MAX + 1]; /* base64; "": none */
    char app_tag[MUP_STORED_WORD_SIZE_MAX + 1];
    char message[MUP_STORED_TEXT_SIZE_MAX + 1];
};

struct mup_stored_command {
    uint8_t id[MUP_STORED_COMMAND_ID_SIZE];
    uint8_t correlation[MUP_CORRELATION_MAX];
    char user[MUP_STORED_USER_SIZE_MAX + 1];
    char device[MUP_NAME_MAX + 1];
    char module[MUP_STORED_NAME_SIZE_MAX + 1];
    char rpc[MUP_STORED_NAME_SIZE_MAX + 1];
    char topic[MUP_STORED_TOPIC_SIZE_MAX + 1];
    uint8_t bytes[MUP_REQUEST_MAX];
    size_t size;
    uint64_t submitted_ms; /* ms since 1970 */
    uint64_t expires_ms;
    struct mup_stored_result result;
};

/* Keep a command that has not ended. */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_put_command(struct mup_bridge_store *store,
                                             const struct mup_stored_command *command,
                                             mup_store_on_done *on_done, void *arg);

/* MUP_ERR_STATE: there is none that has not ended. */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_end_command(struct mup_bridge_store *store,
                                             const uint8_t id[MUP_STORED_COMMAND_ID_SIZE],
                                             const struct mup_stored_result *result,
                                             mup_store_on_done *on_done, void *arg);

/* Forget those that ended before this. */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_forget_commands(struct mup_bridge_store *store, uint64_t before_ms,
                                                 mup_store_on_done *on_done, void *arg);

/* Visit all in the order in which they were put. The visitor must not call the store. */
MUP_MUST_CHECK
enum mup_status
mup_bridge_store_each_command(struct mup_bridge_store *store,
                              void (*visit)(void *arg, const struct mup_stored_command *command),
                              void *arg);

#endif
