/*
 * Commands: RPCs of devices that nobody waits for. `submit` keeps one in the store and names it;
 * what the device says is kept and told to the user who submitted it (module myno-devices).
 *
 * A command outlives its session, the bridge and what the broker remembers: until it has ended, by
 * an answer or at its time, each start of the bridge issues it again with its old correlation data.
 * The device knows those of the last eight requests since it started, and no more than
 * MUP_EXCHANGES_SENT_MAX are ever with it, so that it carries out each at most once.
 *
 * C1  A submit is answered, and the device asked, after COMMIT.
 * C2  An end is told after COMMIT, and there is one only.
 */
#ifndef MUP_BRIDGE_COMMANDS_H
#define MUP_BRIDGE_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "bridge/devices/exchange.h"
#include "bridge/devices/registry.h"
#include "bridge/devices/request.h"
#include "bridge/netconf/netconf.h"
#include "store/bridge_commands.h"

#define MUP_COMMANDS_MAX      16384u   /* with those that have ended */
#define MUP_COMMAND_KEPT_MS   3600000u /* after its end */
#define MUP_COMMAND_TEXT_SIZE 37u      /* of its id, with NUL */

struct mup_commands;

struct mup_commands_settings {
    struct mup_loop *loop;
    struct mup_exchanges *exchanges;
    struct mup_netconf *netconf;
    struct mup_bridge_store *store;
    const struct mup_registry *registry;
    struct mup_allowed_topics allowed_topics;
    /* A device gave a declared answer. May be NULL. */
    void (*on_answer)(void *arg, struct mup_device *device, const struct mup_rpc *rpc,
                      const struct mup_declared_state *state);
    void *arg;
};

/* NULL: no memory. What the settings point to must live as long. */
struct mup_commands *mup_commands_new(const struct mup_commands_settings *settings);

/* Take up what the last run left, after the registry has. */
MUP_MUST_CHECK
enum mup_status mup_commands_restore(struct mup_commands *commands);

/* Forget them all, without an end: they are in the store. Before the exchanges are freed. */
void mup_commands_free(struct mup_commands *commands);

/* The RPCs submit and withdraw of myno-devices; false: it is another one. */
bool mup_commands_begin(struct mup_commands *commands, struct mup_netconf_request *request,
                        const char *user, const char *rpc, const struct lyd_node *input);

/* The session of a submit is gone. The command stays. */
void mup_commands_cancel(struct mup_commands *commands, const struct mup_netconf_request *request);

/* End what is under way for this device, which is out of service, as failed. */
void mup_commands_end_all(struct mup_commands *commands, const struct mup_device *device);

/* Forget those whose end is long ago. Now and then. */
void mup_commands_sweep(struct mup_commands *commands);

/* Add the list of commands of `user`, NULL: of all, behind *tree. Only reads. */
MUP_MUST_CHECK
enum mup_status mup_commands_list(const struct mup_commands *commands, const char *user,
                                  const struct ly_ctx *schemas, struct lyd_node **tree);

size_t mup_commands_count(const struct mup_commands *commands);

#endif
