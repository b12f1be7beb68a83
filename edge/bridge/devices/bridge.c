/* Opening and closing the bridge, and what happens between: see bridge.h. */
#include "bridge/devices/bridge.h"
#include "bridge/devices/tell.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/description/yang.h"
#include "mup/rpc.h"
#include "mup/topic.h"
#include "runtime/log.h"

#define SWEEP_MS          10000u
#define PASSWORD_SIZE_MAX 256u
#define MYNO_SIZE_MAX     65536u
#define SESSION_EXPIRY_S  604800u
#define KEEP_ALIVE_S      30u
#define RUNNING           "running" /* the name of the configuration in the store */

static const char *const subscriptions[] = {
    MUP_TOPIC_ANNOUNCE "+",
    MUP_TOPIC_DESCRIPTION "+",
    MUP_TOPIC_PRESENCE "+",
    MUP_TOPIC_RESPONSE "+",
};

static bool fail(char error[MUP_BRIDGE_ERROR_SIZE], const char *what, const char *why)
{
    snprintf(error, MUP_BRIDGE_ERROR_SIZE, "%.200s: %.280s", what, why);
    return false;
}

/* At most `most` bytes of a small file; the size, or -1. */
static ssize_t read_small(const char *path, void *bytes, size_t most)
{
    ssize_t size;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    size = read(fd, bytes, most);
    close(fd);
    return size;
}

/* The certificate is passed on, not judged: devices judge it. We only read what stands in it. */
static bool load_certificate(struct mup_bridge *bridge, char error[MUP_BRIDGE_ERROR_SIZE])
{
    const char *path = bridge->settings->certificate;
    struct mup_cose_sign1 envelope;
    uint8_t digest[MUP_DIGEST_SIZE];
    ssize_t size;

    if (path == NULL)
        return true;
    size = read_small(path, bridge->certificate, sizeof bridge->certificate);
    if (size <= 0)
        return fail(error, path,
                    "cannot read the update server's certificate; make one with "
                    "mup certify");
    if (mup_cose_sign1_decode(&envelope, bridge->certificate, (size_t)size) != MUP_OK ||
        mup_certificate_decode(&bridge->certificate_fields, envelope.payload.data,
                               envelope.payload.size) != MUP_OK ||
        mup_description_digest(digest, bridge->certificate_fields.public_key,
                               MUP_PUBLIC_KEY_SIZE) != MUP_OK)
        return fail(error, path, "not a certificate as mup certify makes it");
    memcpy(bridge->certificate_kid, digest, MUP_KID_SIZE);
    bridge->certificate_size = (size_t)size;
    return true;
}

/* ---- taking up where the last run ended ---- */

/* Refused by another program, or with other queries, alignments or settings than now? */
static bool was_judged_otherwise(const struct mup_bridge *bridge,
                                 const struct mup_stored_description *stored)
{
    return stored->at_ms < mup_describer_changed_ms(bridge->describer) ||
           stored->at_ms < bridge->settings->changed_ms;
}

static void restore_description(void *arg, const struct mup_stored_description *stored)
{
    char reason[MUP_STORED_REASON_SIZE_MAX + 1];
    struct mup_bridge *bridge = arg;
    struct mup_known_description *known;
    struct mup_capability *capability = NULL;
    struct mup_problems problems = {0};

    snprintf(reason, sizeof reason, "%s", stored->reason == NULL ? "" : stored->reason);
    if (stored->accepted &&
        (mup_description_parse(&capability, &problems, bridge->describer, stored->text,
                               stored->size, MUP_DESCRIPTION_AUTO, NULL) != MUP_OK ||
         !mup_bridge_add_module(bridge, capability, reason))) {
        mup_log(MUP_LOG_ERROR, "bridge", mup_log_event("a kept description cannot be used again"),
                mup_log_text("why", reason));
        mup_capability_free(capability);
        return; /* not known then: the next device that announces it sends it again */
    }
    known = mup_registry_put_description(&bridge->registry, stored->digest, capability, reason);
    if (known == NULL) {
        if (capability != NULL)
            mup_netconf_hide_module(bridge->netconf, capability->module_name);
        mup_capability_free(capability);
        return;
    }
    known->judged_ms = stored->at_ms;
    known->kept = true;
    known->outdated = !stored->accepted && was_judged_otherwise(bridge, stored);
}

static void restore_device(void *arg, const struct mup_stored_device *stored)
{
    struct mup_bridge *bridge = arg;
    struct mup_device *device;
    struct mup_stored_device absent = *stored;

    absent.present = false; /* until it, or its retained presence, says otherwise */
    if (mup_registry_put_device(&bridge->registry, &device, &absent) != MUP_OK)
        mup_log(MUP_LOG_ERROR, "bridge", mup_log_event("a kept device finds no room"),
                mup_log_text("device", stored->name));
}

static bool restore(struct mup_bridge *bridge, char error[MUP_BRIDGE_ERROR_SIZE])
{
    if (mup_bridge_store_each_description(bridge->store, restore_description, bridge) != MUP_OK ||
        mup_bridge_store_each_device(bridge->store, restore_device, bridge) != MUP_OK)
        return fail(error, bridge->settings->store, "cannot be read to its end");
    if (mup_bridge_store_clear_presence(bridge->store, NULL, NULL) != MUP_OK)
        return fail(error, bridge->settings->store, "cannot be written");
    mup_log(MUP_LOG_INFO, "bridge", mup_log_event("restored"),
            mup_log_number("devices", (int64_t)bridge->registry.device_count),
            mup_log_number("descriptions", (int64_t)bridge->registry.description_count));
    return true;
}

/* ---- MQTT ---- */

static void on_message(void *arg, const struct mup_mqtt_message *message)
{
    mup_bridge_intake(arg, message);
}

static void on_connection(void *arg, bool connected)
{
    struct mup_bridge *bridge = arg;

    mup_log(MUP_LOG_INFO, "bridge", mup_log_event(connected ? "broker reached" : "broker lost"));
    if (connected)
        mup_exchanges_republish(bridge->exchanges);
}

static void on_published(void *arg, int id, int reason)
{
    struct mup_bridge *bridge = arg;

    (void)id, (void)reason;
    mup_exchanges_resume(bridge->exchanges);
}

static bool open_session(struct mup_bridge *bridge, char error[MUP_BRIDGE_ERROR_SIZE])
{
    static const struct mup_mqtt_callbacks callbacks = {
        .on_message = on_message, .on_state = on_connection, .on_published = on_published};
    const struct mup_bridge_settings *settings = bridge->settings;
    char password[PASSWORD_SIZE_MAX + 1] = "";
    struct mup_mqtt_settings mqtt = {.host = settings->mqtt_host,
                                     .port = (uint16_t)settings->mqtt_port,
                                     .client_id = settings->mqtt_user,
                                     .user = settings->mqtt_user,
                                     .ca_file = settings->mqtt_ca_file,
                                     .session_expiry_s = SESSION_EXPIRY_S,
                                     .keep_alive_s = KEEP_ALIVE_S};

    if (settings->mqtt_password_file != NULL) {
        ssize_t size = read_small(settings->mqtt_password_file, password, PASSWORD_SIZE_MAX);
        if (size <= 0)
            return fail(error, settings->mqtt_password_file, "cannot read the broker's password");
        password[strcspn(password, "\r\n")] = '\0';
        mqtt.password = password;
    }
    bridge->session = mup_mqtt_session_new(&bridge->loop, &mqtt, &callbacks, bridge);
    explicit_bzero(password, sizeof password);
    if (bridge->session == NULL)
        return fail(error, settings->mqtt_host, "these broker settings cannot be used");
    for (size_t i = 0; i < sizeof subscriptions / sizeof subscriptions[0]; i++)
        if (mup_mqtt_session_subscribe(bridge->session, subscriptions[i], 1) != MUP_OK)
            return fail(error, subscriptions[i], "cannot be subscribed to");
    mup_bridge_listen_to_all(bridge);
    return true;
}

/* ---- NETCONF ---- */

static void begin_rpc(void *context, struct mup_netconf_request *request, const char *user,
                      const char *module, const char *rpc, const struct lyd_node *input)
{
    struct mup_bridge *bridge = context;

    mup_log(MUP_LOG_INFO, "bridge", mup_log_event("rpc"), mup_log_text("user", user),
            mup_log_text("module", module), mup_log_text("rpc", rpc));
    if (strcmp(module, "myno-devices") != 0 ||
        (!mup_commands_begin(bridge->commands, request, user, rpc, input) &&
         !mup_bridge_change_standing(bridge, request, user, rpc, input)))
        mup_calls_begin(bridge->calls, request, module, rpc, input);
}

/* The RPC of a module that was made from a description; NULL for our static modules. */
static const struct mup_rpc *find_rpc(const struct mup_bridge *bridge, const char *module,
                                      const char *rpc)
{
    for (size_t i = 0; i < bridge->registry.description_count; i++) {
        const struct mup_capability *capability = bridge->registry.descriptions[i]->capability;
        if (capability != NULL && strcmp(capability->module_name, module) == 0)
            return mup_capability_rpc(capability, rpc);
    }
    return NULL;
}

/* Whatever a description calls them: what carries a manifest or ends a transfer is for the update
 * server alone. The device checks signatures all the same. */
static bool may_call(void *context, const char *user, const char *module, const char *rpc)
{
    const struct mup_rpc *declared = find_rpc(context, module, rpc);

    if (declared == NULL || strcmp(user, MUP_NETCONF_UPDATE_USER) == 0)
        return true;
    return strcmp(declared->method, MUP_METHOD_MANIFEST) != 0 &&
           strcmp(declared->method, MUP_METHOD_VERIFY) != 0;
}

static void cancel_rpc(void *context, struct mup_netconf_request *request)
{
    struct mup_bridge *bridge = context;

    if (mup_calls_cancel(bridge->calls, request))
        return;
    mup_commands_cancel(bridge->commands, request);
    mup_bridge_forget_standing(bridge, request);
}

/* The extension statements that every generated module imports; clients fetch it from us too. */
static bool add_myno(struct mup_bridge *bridge, char error[MUP_BRIDGE_ERROR_SIZE])
{
    static char text[MYNO_SIZE_MAX + 1];
    char why[MUP_NETCONF_ERROR_SIZE] = "cannot be read";
    char path[512];
    ssize_t size;

    snprintf(path, sizeof path, "%s/myno.yang", mup_yang_folder());
    size = read_small(path, text, MYNO_SIZE_MAX);
    if (size <= 0)
        return fail(error, path, "this YANG module of ours is missing; set MUP_YANG to its folder");
    text[size] = '\0';
    return mup_netconf_add_module(bridge->netconf, text, why) == MUP_OK || fail(error, path, why);
}

/* ---- the running configuration ---- */

static enum mup_status keep_running(void *context, const char *xml, mup_netconf_on_kept *on_done,
                                    void *arg)
{
    struct mup_bridge *bridge = context;

    return mup_bridge_store_put_configuration(bridge->store, RUNNING, xml, mup_loop_wall_ms(),
                                              on_done, arg);
}

static bool restore_running(struct mup_bridge *bridge, char error[MUP_BRIDGE_ERROR_SIZE])
{
    char why[MUP_NETCONF_ERROR_SIZE];
    char *xml = NULL;
    bool good;

    if (mup_bridge_store_configuration(bridge->store, RUNNING, &xml) != MUP_OK)
        return fail(error, bridge->settings->store, "its configuration cannot be read");
    good = xml == NULL || mup_netconf_load_running(bridge->netconf, xml, why) == MUP_OK;
    free(xml);
    return good || fail(error, bridge->settings->store, why);
}

static size_t weight(void *context)
{
    const struct mup_bridge *bridge = context;

    return bridge->registry.device_count + mup_commands_count(bridge->commands);
}

static bool open_netconf(struct mup_bridge *bridge, char error[MUP_BRIDGE_ERROR_SIZE])
{
    const struct mup_bridge_settings *settings = bridge->settings;
    char why[MUP_NETCONF_ERROR_SIZE];
    uid_t uid = settings->netconf_uid < 0 ? getuid() : (uid_t)settings->netconf_uid;
    struct mup_netconf_settings netconf = {.socket_path = settings->netconf_socket,
                                           .uids = &uid,
                                           .uid_count = 1,
                                           .update_uids = &uid,
                                           .update_uid_count = 1,
                                           .administrators =
                                               (const char *const *)settings->administrators.items,
                                           .administrator_count = settings->administrators.count};

    if (settings->administrators.count == 0)
        mup_log(MUP_LOG_WARNING, "bridge",
                mup_log_event("nobody is administrator: name one in the configuration file, "
                              "`administrator NAME`"));
    bridge->backend = (struct mup_netconf_backend){.context = bridge,
                                                   .get = mup_bridge_get,
                                                   .weight = weight,
                                                   .keep_running = keep_running,
                                                   .may_call = may_call,
                                                   .begin_rpc = begin_rpc,
                                                   .cancel = cancel_rpc,
                                                   .module_text = mup_bridge_module_text};
    bridge->netconf = mup_netconf_new(&bridge->loop, &netconf, &bridge->backend, error);
    if (bridge->netconf == NULL)
        return false;
    if (mup_netconf_add_module(bridge->netconf, mup_netconf_devices_yang, why) != MUP_OK)
        return fail(error, "myno-devices.yang", why);
    return add_myno(bridge, error) && restore_running(bridge, error);
}

static bool open_describer(struct mup_bridge *bridge, char error[MUP_BRIDGE_ERROR_SIZE])
{
    struct mup_problems problems = {0};
    char line[MUP_BRIDGE_ERROR_SIZE];

    if (mup_describer_new(&bridge->describer, &problems, bridge->settings->queries) == MUP_OK)
        return true;
    return fail(error, "the queries for descriptions",
                problems.count > 0 ? mup_problems_line(line, sizeof line, &problems, 0, NULL)
                                   : "cannot be loaded");
}

static void on_answer(void *arg, struct mup_device *device, const struct mup_rpc *rpc,
                      const struct mup_declared_state *state)
{
    mup_bridge_update_answer(arg, device, rpc, state);
}

static struct mup_allowed_topics allowed_topics(const struct mup_bridge_settings *settings)
{
    return (struct mup_allowed_topics){(const char *const *)settings->allow_topics.items,
                                       settings->allow_topics.count};
}

static bool open_calls(struct mup_bridge *bridge, char error[MUP_BRIDGE_ERROR_SIZE])
{
    struct mup_calls_settings calls = {
        .netconf = bridge->netconf,
        .registry = &bridge->registry,
        .on_answer = on_answer,
        .arg = bridge,
        .timeout_s = (uint32_t)bridge->settings->rpc_timeout_s,
        .allowed_topics = allowed_topics(bridge->settings),
    };

    bridge->exchanges = mup_exchanges_new(&bridge->loop, bridge->session, &bridge->registry);
    calls.exchanges = bridge->exchanges;
    if (bridge->exchanges != NULL)
        bridge->calls = mup_calls_new(&calls);
    return bridge->calls != NULL || fail(error, "the bridge", "out of memory");
}

static bool open_commands(struct mup_bridge *bridge, char error[MUP_BRIDGE_ERROR_SIZE])
{
    struct mup_commands_settings commands = {
        .loop = &bridge->loop,
        .exchanges = bridge->exchanges,
        .netconf = bridge->netconf,
        .store = bridge->store,
        .registry = &bridge->registry,
        .allowed_topics = allowed_topics(bridge->settings),
        .on_answer = on_answer,
        .arg = bridge,
    };

    bridge->commands = mup_commands_new(&commands);
    if (bridge->commands == NULL)
        return fail(error, "the bridge", "out of memory");
    return mup_commands_restore(bridge->commands) == MUP_OK ||
           fail(error, bridge->settings->store, "its commands cannot be read");
}

/* ---- the whole ---- */

static void on_sweep(void *arg)
{
    struct mup_bridge *bridge = arg;

    mup_gathers_expire(&bridge->gathers, mup_loop_now_ms(&bridge->loop));
    mup_bridge_admit(bridge);
    mup_commands_sweep(bridge->commands);
}

static void on_stop(void *arg)
{
    struct mup_bridge *bridge = arg;

    mup_log(MUP_LOG_INFO, "bridge", mup_log_event("stopping"));
    mup_loop_stop(&bridge->loop);
}

bool mup_bridge_open(struct mup_bridge *bridge, const struct mup_bridge_settings *settings,
                     char error[MUP_BRIDGE_ERROR_SIZE])
{
    memset(bridge, 0, sizeof *bridge);
    bridge->settings = settings;
    if (mup_loop_init(&bridge->loop, on_stop, bridge) != MUP_OK)
        return fail(error, "the event loop", "cannot be started");
    if (!load_certificate(bridge, error) || !open_describer(bridge, error))
        return false;
    if (mup_bridge_store_open(&bridge->store, &bridge->loop, settings->store, error) != MUP_OK)
        return false;
    if (!open_netconf(bridge, error) || !restore(bridge, error) || !open_session(bridge, error) ||
        !open_calls(bridge, error) || !open_commands(bridge, error))
        return false;
    bridge->sweep = mup_timer_new(&bridge->loop, on_sweep, bridge);
    if (bridge->sweep == NULL)
        return fail(error, "the bridge", "out of memory");
    mup_timer_start_every(bridge->sweep, SWEEP_MS);
    mup_mqtt_session_start(bridge->session);
    return true;
}

void mup_bridge_run(struct mup_bridge *bridge)
{
    mup_loop_run(&bridge->loop);
}

static void drop_judgements(struct mup_bridge *bridge)
{
    for (size_t i = 0; i < MUP_BRIDGE_JUDGES_MAX; i++) {
        struct mup_judgement *judgement = &bridge->judgements[i];
        mup_judge_free(judgement->judge);
        if (judgement->gather != NULL)
            free(judgement->gather->bytes);
        free(judgement->gather);
        *judgement = (struct mup_judgement){0};
    }
}

void mup_bridge_close(struct mup_bridge *bridge)
{
    drop_judgements(bridge);
    if (bridge->netconf != NULL)
        mup_netconf_free(bridge->netconf);
    mup_calls_free(bridge->calls);
    mup_commands_free(bridge->commands);
    mup_exchanges_free(bridge->exchanges);
    if (bridge->session != NULL)
        mup_mqtt_session_free(bridge->session);
    mup_timer_free(bridge->sweep);
    mup_bridge_store_close(bridge->store);
    mup_gathers_free(&bridge->gathers);
    mup_registry_free(&bridge->registry);
    if (bridge->describer != NULL)
        mup_describer_free(bridge->describer);
    mup_loop_close(&bridge->loop);
}
