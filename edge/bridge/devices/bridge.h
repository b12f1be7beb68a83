/*
 * The bridge between NETCONF and MQTT (paper section 3, Figure 1): what holds its parts together.
 *
 * MQTT brings announcements, descriptions, presence and responses; NETCONF brings RPCs. The
 * registry is the memory, the store its copy on disk: at start the registry is filled from the
 * store, afterwards every change goes into the store first and the device is told after COMMIT.
 */
#ifndef MUP_BRIDGE_BRIDGE_H
#define MUP_BRIDGE_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/description/capability.h"
#include "bridge/devices/calls.h"
#include "bridge/devices/commands.h"
#include "bridge/devices/exchange.h"
#include "bridge/devices/gather.h"
#include "bridge/devices/judge.h"
#include "bridge/devices/registry.h"
#include "bridge/netconf/netconf.h"
#include "mup/certificate.h"
#include "mup/state.h"
#include "runtime/config.h"
#include "runtime/loop.h"
#include "runtime/mqtt_session.h"
#include "store/bridge_store.h"

#define MUP_BRIDGE_ERROR_SIZE 512u
#define MUP_BRIDGE_JUDGES_MAX 4u /* descriptions that are judged at the same time */

/* As the configuration file names them (docs/man/mup-bridge.1). */
struct mup_bridge_settings {
    char *mqtt_host;
    int64_t mqtt_port;
    char *mqtt_user;
    char *mqtt_password_file;
    char *mqtt_ca_file;
    char *netconf_socket;
    int64_t netconf_uid; /* whose relay is believed; -1: our own uid */
    char *store;
    char *certificate; /* signed certificate of the update server's key; may be missing */
    char *queries;
    char *alignments;    /* file or folder of RDF; main() puts it into the environment */
    uint64_t changed_ms; /* when the configuration file last changed, since 1970 */
    int64_t rpc_timeout_s;
    struct mup_config_list allow_topics;
    struct mup_config_list administrators; /* NETCONF users who may do everything */
};

struct mup_bridge;
struct mup_standing_change;

/* A description under judgement. */
struct mup_judgement {
    struct mup_bridge *bridge;
    struct mup_judge *judge;   /* NULL until the first */
    struct mup_gather *gather; /* NULL: none is judged */
};

struct mup_bridge {
    struct mup_loop loop;
    const struct mup_bridge_settings *settings;
    struct mup_registry registry;
    struct mup_gathers gathers;
    struct mup_judgement judgements[MUP_BRIDGE_JUDGES_MAX];
    struct mup_describer *describer;
    struct mup_bridge_store *store;
    struct mup_mqtt_session *session;
    struct mup_netconf *netconf;
    struct mup_netconf_backend backend;
    struct mup_exchanges *exchanges;
    struct mup_calls *calls;
    struct mup_commands *commands;
    struct mup_standing_change *standing_changes; /* on their way into the store */
    struct mup_timer *sweep;
    struct mup_device *line_first; /* line.c's; NULL: nobody stands in line */
    struct mup_device *line_last;
    uint8_t certificate[MUP_CERTIFICATE_SIGNED_MAX];
    size_t certificate_size;
    struct mup_certificate certificate_fields; /* for its epoch and key id, not verified by us */
    uint8_t certificate_kid[MUP_KID_SIZE];
};

/* Open everything and take up where the last run ended. On false `error` says what to do. */
bool mup_bridge_open(struct mup_bridge *bridge, const struct mup_bridge_settings *settings,
                     char error[MUP_BRIDGE_ERROR_SIZE]);

/* Until a signal; then close everything. */
void mup_bridge_run(struct mup_bridge *bridge);
void mup_bridge_close(struct mup_bridge *bridge);

/* ---- what the files of this folder do for each other ---- */

/* A message from a device, on one of the topics that the bridge subscribes to (intake.c). */
void mup_bridge_intake(struct mup_bridge *bridge, const struct mup_mqtt_message *message);

/* Answer an announcement with what is known of its description; nothing while that is on its way
 * into the store, which ends with an answer to all who wait (intake.c). */
void mup_bridge_reply(struct mup_bridge *bridge, const struct mup_device *device);

/* Answer with a refusal, and log it (intake.c). */
void mup_bridge_refuse(struct mup_bridge *bridge, const char *name, enum mup_state state,
                       const uint8_t digest[MUP_DIGEST_SIZE], const char *why);

/* Keep the device in the store; it is answered after COMMIT (intake.c). */
void mup_bridge_keep_device(struct mup_bridge *bridge, const struct mup_device *device);

/* Take in the description of a device that announced one of `size` bytes. False: others are on
 * their way; it stands in line, and is kept and answered when it is its turn (line.c). */
bool mup_bridge_expect(struct mup_bridge *bridge, struct mup_device *device, uint32_t size);

/* A description may have made room: let in who stands in line (line.c). */
void mup_bridge_admit(struct mup_bridge *bridge);

/* A piece of a description (descriptions.c). */
void mup_bridge_take_piece(struct mup_bridge *bridge, const char *name, const uint8_t *bytes,
                           size_t size);

/* Add the module of a description to NETCONF; false, with a reason, when libyang refuses it. */
bool mup_bridge_add_module(struct mup_bridge *bridge, const struct mup_capability *capability,
                           char reason[MUP_STORED_REASON_SIZE_MAX + 1]);

/* The text of such a module made again, as mup_netconf_backend has it; `context` is the bridge. */
char *mup_bridge_module_text(void *context, const char *module);

/* Listen to what devices of this kind publish by themselves, or of every kind that is known
 * (telemetry.c). */
void mup_bridge_listen(struct mup_bridge *bridge, const struct mup_capability *capability);
void mup_bridge_listen_to_all(struct mup_bridge *bridge);

/* A message that is none of the bootstrap's or of a call's (telemetry.c). */
void mup_bridge_take_telemetry(struct mup_bridge *bridge, const struct mup_mqtt_message *message);

/* The RPCs quarantine, release, retire and replace of myno-devices; false: it is another one.
 * mup_bridge_forget_standing: their session is gone (standing.c). */
bool mup_bridge_change_standing(struct mup_bridge *bridge, struct mup_netconf_request *request,
                                const char *user, const char *rpc, const struct lyd_node *input);
void mup_bridge_forget_standing(struct mup_bridge *bridge,
                                const struct mup_netconf_request *request);

/* The list of devices for <get> (operational.c). */
enum mup_status mup_bridge_get(void *context, const char *user, const struct ly_ctx *schemas,
                               struct lyd_node **tree);

#endif
