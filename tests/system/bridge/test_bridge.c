/*
 * The bridge as a process, between NETCONF clients of edge/runtime and devices that the test
 * plays: what it believes of a device's answers, what it does when sessions, devices, the broker
 * or itself die, and which announcements it takes. Nothing sleeps: each wait has an event.
 */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/description/capability.h"
#include "mup/bootstrap.h"
#include "mup/certificate.h"
#include "mup/rpc.h"
#include "mup/state.h"
#include "mup/topic.h"
#include "runtime/loop.h"
#include "runtime/netconf_client.h"
#include "testbed.h"

#define VIRTUAL          MUP_SOURCE_DIR "/firmware/description/virtual.jsonld"
#define LAMP             MUP_SOURCE_DIR "/docs/ontology/lamp.jsonld"
#define DEADLINE_MS      30000u
#define REQUESTS_MAX     8u
#define CORRELATION_SIZE 16u

struct asked {
    uint8_t correlation[CORRELATION_SIZE];
    char response_topic[64];
    uint8_t bytes[MUP_REQUEST_MAX];
    size_t size;
};

struct device {
    struct mosquitto *mosq;
    char name[MUP_NAME_MAX + 1];
    uint8_t uuid[MUP_UUID_SIZE];
    bool subscribed;
    struct mup_bootstrap_reply reply; /* the last; its pieces are not kept */
    size_t certificate_size;
    size_t replies;
    struct asked asked[REQUESTS_MAX];
    size_t asked_count;
};

struct call {
    bool answered;
    enum mup_netconf_outcome outcome;
    char app_tag[64];
    char state[64];
};

static struct mup_testbed bed;
static struct mup_loop loop;
static struct mup_process *bridge;
static struct device one;
static struct device two;
static struct device owner; /* of a UUID that another announces first */
static struct device lamp;  /* that takes a colour */
static char *description;
static size_t description_size;
static uint8_t digest[MUP_DIGEST_SIZE];
static char module_namespace[128];

/* ---- waiting ---- */

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000u;
}

static void step_device(const struct device *device)
{
    if (device->mosq != NULL && mosquitto_loop(device->mosq, 0, 16) != MOSQ_ERR_SUCCESS)
        (void)mosquitto_reconnect(device->mosq);
}

static void turn(void)
{
    step_device(&one);
    step_device(&two);
    (void)uv_run(&loop.uv, UV_RUN_NOWAIT);
    mup_process_pump(&bed.processes, 5);
}

/* What the bridge said last, before the test fails. */
static void print_log(void)
{
    size_t size = bridge->size < 4000 ? bridge->size : 4000;

    fprintf(stderr, "%.*s", (int)size, bridge->text + bridge->size - size);
}

#define WAIT_FOR(condition)                        \
    do {                                           \
        uint64_t end_ms = now_ms() + DEADLINE_MS;  \
        while (!(condition)) {                     \
            if (now_ms() > end_ms) {               \
                print_log();                       \
                fail_msg("never: %s", #condition); \
            }                                      \
            turn();                                \
        }                                          \
    } while (false)

static bool bridge_says(const char *text)
{
    char line[MUP_PROCESS_LINE_MAX];

    while (mup_process_next_line(bridge, line, sizeof line))
        if (strstr(line, text) != NULL)
            return true;
    return false;
}

/* ---- a device ---- */

static void on_device_connect(struct mosquitto *mosq, void *context, int reason)
{
    const struct device *device = context;
    char filter[80];

    assert_int_equal(reason, 0);
    (void)snprintf(filter, sizeof filter, "lamp/shine/%s", device->name);
    assert_int_equal(mosquitto_subscribe(mosq, NULL, filter, 1), 0);
    (void)snprintf(filter, sizeof filter, "led/%s", device->name);
    assert_int_equal(mosquitto_subscribe(mosq, NULL, filter, 1), 0);
    (void)snprintf(filter, sizeof filter, "mup/bootstrap/%s", device->name);
    assert_int_equal(mosquitto_subscribe(mosq, NULL, filter, 1), 0);
}

static void on_device_subscribe(struct mosquitto *mosq, void *context, int id, int count,
                                const int *granted)
{
    struct device *device = context;

    (void)mosq, (void)id, (void)count, (void)granted;
    device->subscribed = true;
}

static void take_request(struct device *device, const struct mosquitto_message *message,
                         const mosquitto_property *properties)
{
    struct asked *asked = &device->asked[device->asked_count % REQUESTS_MAX];
    void *correlation = NULL;
    char *topic = NULL;
    uint16_t size = 0;

    assert_non_null(mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA,
                                                   &correlation, &size, false));
    assert_non_null(
        mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &topic, false));
    assert_int_equal(size, CORRELATION_SIZE);
    memcpy(asked->correlation, correlation, size);
    assert_in_range(message->payloadlen, 1, sizeof asked->bytes);
    asked->size = (size_t)message->payloadlen;
    memcpy(asked->bytes, message->payload, asked->size);
    (void)snprintf(asked->response_topic, sizeof asked->response_topic, "%s", topic);
    free(correlation);
    free(topic);
    device->asked_count++;
}

static void on_device_message(struct mosquitto *mosq, void *context,
                              const struct mosquitto_message *message,
                              const mosquitto_property *properties)
{
    struct device *device = context;

    (void)mosq;
    if (strncmp(message->topic, MUP_TOPIC_BOOTSTRAP, strlen(MUP_TOPIC_BOOTSTRAP)) != 0) {
        take_request(device, message, properties);
        return;
    }
    assert_int_equal(
        mup_bootstrap_reply_decode(&device->reply, message->payload, (size_t)message->payloadlen),
        MUP_OK);
    device->certificate_size = device->reply.certificate.size;
    device->replies++;
}

static void open_device(struct device *device)
{
    device->mosq = mosquitto_new(device->name, false, device);
    assert_non_null(device->mosq);
    assert_int_equal(
        mosquitto_int_option(device->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5), 0);
    assert_int_equal(mosquitto_username_pw_set(device->mosq, device->name,
                                               mup_testbed_password(&bed, device->name)),
                     0);
    mosquitto_connect_callback_set(device->mosq, on_device_connect);
    mosquitto_subscribe_callback_set(device->mosq, on_device_subscribe);
    mosquitto_message_v5_callback_set(device->mosq, on_device_message);
    assert_int_equal(mosquitto_connect(device->mosq, "127.0.0.1", bed.broker_port, 60), 0);
    WAIT_FOR(device->subscribed);
}

static void device_publish(const struct device *device, const char *prefix, const void *bytes,
                           size_t size)
{
    char topic[80];

    (void)snprintf(topic, sizeof topic, "%s%s", prefix, device->name);
    assert_int_equal(mosquitto_publish(device->mosq, NULL, topic, (int)size, bytes, 1, false), 0);
}

static void announce(struct device *device, const uint8_t uuid[MUP_UUID_SIZE], uint32_t epoch,
                     const uint8_t *kid)
{
    struct mup_announcement announcement = {.description_size = (uint32_t)description_size,
                                            .version = 7,
                                            .server_epoch = epoch,
                                            .boot_id = {1, 2, 3, 4, 5, 6, 7, 8}};
    uint8_t bytes[MUP_ANNOUNCEMENT_MAX];
    size_t replies = device->replies;
    size_t size;

    memcpy(announcement.uuid, uuid, MUP_UUID_SIZE);
    memcpy(announcement.description_digest, digest, sizeof digest);
    if (kid != NULL)
        memcpy(announcement.server_kid, kid, MUP_KID_SIZE);
    assert_int_equal(mup_announcement_encode(bytes, sizeof bytes, &size, &announcement), MUP_OK);
    device_publish(device, MUP_TOPIC_ANNOUNCE, bytes, size);
    WAIT_FOR(device->replies == replies + 1);
}

static void send_description(struct device *device)
{
    size_t replies = device->replies;
    struct mup_piece piece = {0};
    uint8_t bytes[MUP_PIECE_DATA_MAX + MUP_PIECE_OVERHEAD_MAX];

    memcpy(piece.digest_prefix, digest, sizeof piece.digest_prefix);
    for (size_t at = 0; at < description_size; at += piece.data.size, piece.number++) {
        size_t left = description_size - at;
        size_t size;
        piece.data.data = (const uint8_t *)description + at;
        piece.data.size = left < MUP_PIECE_DATA_MAX ? left : MUP_PIECE_DATA_MAX;
        piece.last = piece.data.size == left;
        assert_int_equal(mup_piece_encode(bytes, sizeof bytes, &size, &piece), MUP_OK);
        device_publish(device, MUP_TOPIC_DESCRIPTION, bytes, size);
    }
    WAIT_FOR(device->replies == replies + 1);
}

/* Bytes on `device`'s response topic with this correlation data. */
static void respond_raw(const struct device *device, const uint8_t *correlation,
                        size_t correlation_size, const void *bytes, size_t size)
{
    mosquitto_property *properties = NULL;
    char topic[80];

    (void)snprintf(topic, sizeof topic, "mup/response/%s", device->name);
    if (correlation != NULL)
        assert_int_equal(mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA,
                                                       correlation, (uint16_t)correlation_size),
                         0);
    assert_int_equal(
        mosquitto_publish_v5(device->mosq, NULL, topic, (int)size, bytes, 1, false, properties), 0);
    mosquitto_property_free_all(&properties);
}

static void respond(const struct device *device, const uint8_t *correlation, uint32_t state)
{
    struct mup_response response = {.state = state};
    uint8_t bytes[MUP_RESPONSE_MAX];
    size_t size;

    assert_int_equal(mup_response_encode(bytes, sizeof bytes, &size, &response), MUP_OK);
    respond_raw(device, correlation, CORRELATION_SIZE, bytes, size);
}

static const struct asked *last_asked(const struct device *device)
{
    return &device->asked[(device->asked_count - 1) % REQUESTS_MAX];
}

/* ---- a NETCONF client ---- */

static void on_session(void *arg, bool open)
{
    (void)arg, (void)open;
}

static void on_reply(void *arg, const struct mup_netconf_reply *reply)
{
    struct call *call = arg;

    call->answered = true;
    call->outcome = reply->outcome;
    (void)snprintf(call->app_tag, sizeof call->app_tag, "%s", reply->error_app_tag);
    if (mup_netconf_reply_text(reply, "state", call->state, sizeof call->state) != MUP_OK)
        call->state[0] = '\0';
}

static struct mup_netconf_client *open_client(void)
{
    struct mup_netconf_client_settings settings = {
        .socket_path = mup_testbed_path(&bed, "netconf.sock"), .user = "operator"};
    struct mup_netconf_client *client = mup_netconf_client_new(&loop, &settings, on_session, NULL);

    assert_non_null(client);
    return client;
}

/* Begin an RPC with these inputs. */
static void begin(struct mup_netconf_client *client, struct call *call, const struct device *device,
                  const char *rpc, const char *inputs)
{
    char xml[512];

    memset(call, 0, sizeof *call);
    (void)snprintf(xml, sizeof xml, "<%s xmlns=\"%s\"><uuid>%s</uuid>%s</%s>", rpc,
                   module_namespace, device->name, inputs, rpc);
    assert_int_equal(mup_netconf_client_call(client, xml, DEADLINE_MS, on_reply, call), MUP_OK);
}

/* The same, and wait until the device is asked. */
static void ask_for(struct mup_netconf_client *client, struct call *call,
                    const struct device *device, const char *rpc, const char *inputs)
{
    size_t asked_count = device->asked_count;

    begin(client, call, device, rpc, inputs);
    WAIT_FOR(device->asked_count == asked_count + 1 || call->answered);
    if (call->answered) {
        print_log();
        fail_msg("answered too soon: outcome %d, %s", call->outcome, call->app_tag);
    }
}

static void ask(struct mup_netconf_client *client, struct call *call, const struct device *device)
{
    ask_for(client, call, device, "ledOn", "");
}

static void assert_ok(struct call *call)
{
    WAIT_FOR(call->answered);
    assert_int_equal(call->outcome, MUP_NETCONF_OK);
    assert_string_equal(call->state, "10_OK");
}

static void assert_refused(struct call *call, const char *app_tag)
{
    WAIT_FOR(call->answered);
    assert_int_equal(call->outcome, MUP_NETCONF_ERROR);
    assert_string_equal(call->app_tag, app_tag);
}

/* ---- the edge ---- */

static void name_device(struct device *device, uint8_t seed)
{
    memset(device, 0, sizeof *device);
    for (size_t i = 0; i < MUP_UUID_SIZE; i++)
        device->uuid[i] = (uint8_t)(seed + i);
    mup_uuid_format(device->name, device->uuid);
}

static void start_bridge(void)
{
    assert_true(mup_testbed_start_bridge(&bed));
    for (size_t i = 0; i < bed.processes.count; i++)
        if (strcmp(bed.processes.list[i].name, "mup-bridge") == 0)
            bridge = &bed.processes.list[i];
    assert_non_null(bridge);
}

static void read_description(const char *path)
{
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    if (description == NULL)
        description = malloc(MUP_DESCRIPTION_MAX);
    assert_non_null(description);
    description_size = fread(description, 1, MUP_DESCRIPTION_MAX, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(mup_description_digest(digest, (const uint8_t *)description, description_size),
                     MUP_OK);
}

static int open_edge(void **state)
{
    (void)state;
    if (mup_loop_init(&loop, NULL, NULL) != MUP_OK ||
        !mup_testbed_init(&bed, MUP_BIN_DIR, MUP_SOURCE_DIR, NULL))
        return -1;
    bed.bridge_settings = "rpc-timeout-s 8\n";
    (void)mosquitto_lib_init();
    read_description(VIRTUAL);
    name_device(&one, 0x10);
    name_device(&two, 0x30);
    name_device(&owner, 0x50);
    name_device(&lamp, 0x70);
    if (!mup_testbed_add_user(&bed, one.name) || !mup_testbed_add_user(&bed, two.name) ||
        !mup_testbed_add_user(&bed, owner.name) || !mup_testbed_add_user(&bed, lamp.name) ||
        !mup_testbed_add_user(&bed, "handle") || !mup_testbed_start_broker(&bed))
        return -1;
    start_bridge();
    open_device(&one);
    open_device(&two);
    return 0;
}

static int close_edge(void **state)
{
    (void)state;
    mosquitto_destroy(one.mosq);
    mosquitto_destroy(two.mosq);
    one.mosq = two.mosq = NULL;
    mup_testbed_end(&bed);
    (void)uv_run(&loop.uv, UV_RUN_NOWAIT);
    mup_loop_close(&loop);
    (void)mosquitto_lib_cleanup();
    free(description);
    return 0;
}

static void on_inventory(void *arg, const struct mup_netconf_reply *reply)
{
    bool *answered = arg;

    *answered = true;
    assert_int_equal(
        mup_netconf_reply_text(reply, "namespace", module_namespace, sizeof module_namespace),
        MUP_OK);
}

static void read_namespace(void)
{
    struct mup_netconf_client *client = open_client();
    bool answered = false;

    assert_int_equal(
        mup_netconf_client_call(client,
                                "<get xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\"><filter>"
                                "<devices xmlns=\"urn:mup:myno-devices\"/></filter></get>",
                                DEADLINE_MS, on_inventory, &answered),
        MUP_OK);
    WAIT_FOR(answered);
    mup_netconf_client_free(client);
}

/* ---- announcements ---- */

static void devices_of_one_kind_send_their_description_once(void **state)
{
    (void)state;
    announce(&one, one.uuid, 0, NULL);
    assert_int_equal(one.reply.state, MUP_STATE_SEND_DESCRIPTION);
    send_description(&one);
    assert_int_equal(one.reply.state, MUP_STATE_OK);
    announce(&two, two.uuid, 0, NULL);
    assert_int_equal(two.reply.state, MUP_STATE_OK);
    read_namespace();
}

static void the_certificate_is_left_out_when_the_device_holds_it(void **state)
{
    uint8_t bytes[MUP_CERTIFICATE_SIGNED_MAX];
    uint8_t kid[MUP_DIGEST_SIZE];
    struct mup_certificate fields;
    struct mup_cose_sign1 envelope;
    FILE *file = fopen(mup_testbed_path(&bed, "server.cert"), "r");
    size_t size;

    (void)state;
    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    assert_int_equal(mup_cose_sign1_decode(&envelope, bytes, size), MUP_OK);
    assert_int_equal(mup_certificate_decode(&fields, envelope.payload.data, envelope.payload.size),
                     MUP_OK);
    assert_int_equal(mup_description_digest(kid, fields.public_key, sizeof fields.public_key),
                     MUP_OK);
    announce(&one, one.uuid, 0, NULL);
    assert_int_equal(one.certificate_size, size);
    announce(&one, one.uuid, fields.epoch, kid);
    assert_int_equal(one.certificate_size, 0);
    announce(&one, one.uuid, fields.epoch + 1, kid);
    assert_int_equal(one.certificate_size, size);
    kid[MUP_KID_SIZE - 1] ^= 1;
    announce(&one, one.uuid, fields.epoch, kid);
    assert_int_equal(one.certificate_size, size);
}

static void announcements_that_contradict_are_refused(void **state)
{
    static struct device handle = {.name = "handle"};
    struct device kept = two;

    (void)state;
    announce(&one, two.uuid, 0, NULL); /* the name is another UUID */
    assert_int_equal(one.reply.state, MUP_STATE_DEVICE_REFUSED);
    two = handle; /* so that it has its turns */
    open_device(&two);
    announce(&two, one.uuid, 0, NULL); /* a UUID that has a name already */
    assert_int_equal(two.reply.state, MUP_STATE_DEVICE_REFUSED);
    mosquitto_destroy(two.mosq);
    two = kept;
    announce(&one, one.uuid, 0, NULL);
    assert_int_equal(one.reply.state, MUP_STATE_OK);
}

/* ---- answers ---- */

static void only_the_asked_device_with_the_right_correlation_is_believed(void **state)
{
    struct mup_netconf_client *client = open_client();
    uint8_t wrong[CORRELATION_SIZE + 1];
    struct call call;

    (void)state;
    ask(client, &call, &one);
    memcpy(wrong, last_asked(&one)->correlation, CORRELATION_SIZE);
    wrong[CORRELATION_SIZE] = 0;
    respond_raw(&one, NULL, 0, "\xa1\x01\x0a", 3);
    respond_raw(&one, wrong, CORRELATION_SIZE - 1, "\xa1\x01\x0a", 3);
    respond_raw(&one, wrong, CORRELATION_SIZE + 1, "\xa1\x01\x0a", 3);
    respond(&two, wrong, MUP_STATE_NOOP); /* another device that knows it */
    wrong[CORRELATION_SIZE - 1] ^= 0x80;
    respond(&one, wrong, MUP_STATE_NOOP);
    respond(&one, last_asked(&one)->correlation, MUP_STATE_OK);
    assert_ok(&call); /* NOOP would have been another state */
    /* used up: it answers nothing that is asked later */
    wrong[CORRELATION_SIZE - 1] ^= 0x80;
    ask(client, &call, &one);
    assert_memory_not_equal(last_asked(&one)->correlation, wrong, CORRELATION_SIZE);
    respond(&one, wrong, MUP_STATE_NOOP);
    respond(&one, last_asked(&one)->correlation, MUP_STATE_OK);
    assert_ok(&call);
    mup_netconf_client_free(client);
}

static void answers_that_do_not_fit_are_errors(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *app_tag;
    } bad[] = {
        {"", 0, "answer-invalid"},
        {"\xff\xff", 2, "answer-invalid"},
        {"\xa1\x01\x0a\x00", 4, "answer-invalid"}, /* a byte too many */
        {"hello", 5, "answer-invalid"},
    };
    struct mup_netconf_client *client = open_client();
    struct call call;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ask(client, &call, &one);
        respond_raw(&one, last_asked(&one)->correlation, CORRELATION_SIZE, bad[i].bytes,
                    bad[i].size);
        assert_refused(&call, bad[i].app_tag);
    }
    ask(client, &call, &one);
    respond(&one, last_asked(&one)->correlation, MUP_STATE_IN_TRIAL); /* not one of ledOn's */
    assert_refused(&call, "undeclared-state");
    ask(client, &call, &one);
    respond(&one, last_asked(&one)->correlation, MUP_STATE_ERROR);
    assert_refused(&call, "12_ERROR");
    mup_netconf_client_free(client);
}

static void calls_to_one_device_are_told_apart_and_late_answers_dropped(void **state)
{
    struct mup_netconf_client *first = open_client();
    struct mup_netconf_client *second = open_client();
    struct asked asked;
    struct call late;
    struct call call;

    (void)state;
    ask(first, &late, &one);
    asked = *last_asked(&one);
    ask(second, &call, &one);
    respond(&one, last_asked(&one)->correlation, MUP_STATE_OK); /* the second comes first */
    assert_ok(&call);
    assert_false(late.answered);
    assert_refused(&late, "device-timeout");
    respond(&one, asked.correlation, MUP_STATE_OK);
    ask(first, &call, &one);
    respond(&one, last_asked(&one)->correlation, MUP_STATE_OK);
    assert_ok(&call);
    mup_netconf_client_free(first);
    mup_netconf_client_free(second);
}

static void the_death_of_a_session_forgets_its_call(void **state)
{
    struct mup_netconf_client *client = open_client();
    struct mup_netconf_client *other = open_client();
    struct call dead;
    struct call call;

    (void)state;
    ask(client, &dead, &one);
    mup_netconf_client_free(client);
    WAIT_FOR(bridge_says("session ended"));
    respond(&one, last_asked(&one)->correlation, MUP_STATE_OK);
    ask(other, &call, &one);
    respond(&one, last_asked(&one)->correlation, MUP_STATE_OK);
    assert_ok(&call);
    assert_false(dead.answered);
    mup_netconf_client_free(other);
}

static void a_squatter_that_was_asked_is_not_believed_once_the_owner_has_come(void **state)
{
    struct mup_netconf_client *client = open_client();
    struct device kept_one = one;
    struct device kept_two = two;
    struct call call;

    (void)state;
    one = owner;
    two = (struct device){.name = "handle"};
    open_device(&one);
    open_device(&two);
    announce(&two, one.uuid, 0, NULL);
    assert_int_equal(two.reply.state, MUP_STATE_OK);
    ask(client, &call, &two);
    announce(&one, one.uuid, 0, NULL);
    assert_int_equal(one.reply.state, MUP_STATE_OK);
    WAIT_FOR(two.replies == 2);
    assert_int_equal(two.reply.state, MUP_STATE_DEVICE_REFUSED);
    respond(&two, last_asked(&two)->correlation, MUP_STATE_OK);
    assert_refused(&call, "device-timeout");
    ask(client, &call, &one);
    respond(&one, last_asked(&one)->correlation, MUP_STATE_OK);
    assert_ok(&call);
    mosquitto_destroy(one.mosq);
    mosquitto_destroy(two.mosq);
    one = kept_one;
    two = kept_two;
    mup_netconf_client_free(client);
}

/* ---- a description of the manual, whose input has parts ---- */

/* As docs/ONTOLOGY.md says: it is named after the digest of the template. */
static void name_namespace(void)
{
    int at = snprintf(module_namespace, sizeof module_namespace, "urn:mup:capability:");

    for (size_t i = 0; i < sizeof digest; i++)
        at += snprintf(module_namespace + at, sizeof module_namespace - (size_t)at, "%02x",
                       digest[i]);
}

static void assert_asked_with(const struct device *device, const char *bytes, size_t size)
{
    assert_int_equal(last_asked(device)->size, size);
    assert_memory_equal(last_asked(device)->bytes, bytes, size);
}

static void a_structured_input_comes_to_the_device_as_its_parts(void **state)
{
    static const char *const wrong[] = {
        "<mode>steady</mode>",
        "<colour><red>1</red><green>2</green></colour><mode>steady</mode>",
        "<colour><red>1</red><green>2</green><blue>256</blue></colour><mode>steady</mode>",
        "<colour><red>1</red><green>2</green><blue>3</blue><alpha>4</alpha></colour>"
        "<mode>steady</mode>",
        "<red>1</red><green>2</green><blue>3</blue><mode>steady</mode>",
        "<colour><red>1</red><green>2</green><blue>3</blue></colour><mode>dim</mode>",
    };
    struct mup_netconf_client *client = open_client();
    struct device kept = two;
    char kept_namespace[sizeof module_namespace];
    struct call call;

    (void)state;
    memcpy(kept_namespace, module_namespace, sizeof kept_namespace);
    read_description(LAMP);
    name_namespace();
    two = lamp; /* so that it has its turns */
    open_device(&two);
    announce(&two, two.uuid, 0, NULL);
    assert_int_equal(two.reply.state, MUP_STATE_SEND_DESCRIPTION);
    send_description(&two);
    assert_int_equal(two.reply.state, MUP_STATE_OK);

    /* SPEC section 12: parts and inputs in the order of their IRIs, null for the seconds. */
    ask_for(client, &call, &two, "shine",
            "<mode>steady</mode><colour><red>1</red><green>2</green><blue>255</blue></colour>");
    assert_asked_with(&two, "\xa2\x01\x65SHINE\x02\x85\x18\xff\x02\x01\x66steady\xf6", 22);
    respond(&two, last_asked(&two)->correlation, MUP_STATE_OK);
    assert_ok(&call);
    ask_for(client, &call, &two, "shine",
            "<colour><blue>0</blue><green>23</green><red>24</red></colour><mode>blinking</mode>"
            "<seconds>65535</seconds>");
    assert_asked_with(&two,
                      "\xa2\x01\x65SHINE\x02\x85\x00\x17\x18\x18\x68"
                      "blinking\x19\xff\xff",
                      26);
    respond(&two, last_asked(&two)->correlation, 70);
    assert_refused(&call, "70_TOO_WARM");

    size_t asked_count = two.asked_count;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        begin(client, &call, &two, "shine", wrong[i]);
        WAIT_FOR(call.answered);
        assert_int_equal(call.outcome, MUP_NETCONF_ERROR);
    }
    assert_int_equal(two.asked_count, asked_count);
    mosquitto_destroy(two.mosq);
    two = kept;
    read_description(VIRTUAL);
    memcpy(module_namespace, kept_namespace, sizeof kept_namespace);
    mup_netconf_client_free(client);
}

/* ---- losses ---- */

static struct mup_process *process_of(const char *name)
{
    for (size_t i = 0; i < bed.processes.count; i++)
        if (strcmp(bed.processes.list[i].name, name) == 0)
            return &bed.processes.list[i];
    return NULL;
}

static void a_broker_that_forgot_everything_is_asked_again_with_the_same_correlation(void **state)
{
    struct mup_netconf_client *client = open_client();
    uint8_t correlation[CORRELATION_SIZE];
    size_t asked_count;
    struct call call;

    (void)state;
    ask(client, &call, &one);
    memcpy(correlation, last_asked(&one)->correlation, CORRELATION_SIZE);
    asked_count = one.asked_count;
    mup_process_kill(process_of("mosquitto"));
    (void)remove(mup_testbed_path(&bed, "broker.db"));
    one.subscribed = two.subscribed = false;
    assert_true(mup_testbed_start_broker(&bed));
    WAIT_FOR(one.asked_count > asked_count || call.answered);
    assert_false(call.answered); /* a timeout: nobody asked again */
    assert_memory_equal(last_asked(&one)->correlation, correlation, CORRELATION_SIZE);
    respond(&one, correlation, MUP_STATE_OK);
    assert_ok(&call);
    WAIT_FOR(one.subscribed && two.subscribed);
    mup_netconf_client_free(client);
}

static void devices_and_descriptions_survive_a_killed_bridge(void **state)
{
    struct mup_netconf_client *client;
    struct call call;

    (void)state;
    mup_process_kill(bridge);
    start_bridge();
    client = open_client();
    ask(client, &call, &one); /* it has not announced itself again */
    respond(&one, last_asked(&one)->correlation, MUP_STATE_OK);
    assert_ok(&call);
    mup_netconf_client_free(client);
    announce(&two, two.uuid, 0, NULL);
    assert_int_equal(two.reply.state, MUP_STATE_OK); /* the description is known */
}

/* mup-netconf < requests: the answer of a device comes long after the end of the file. */
static void a_client_that_has_ended_its_input_gets_the_device_s_answer(void **state)
{
    char command[512];
    char text[1024];
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    size_t asked_count = one.asked_count;
    struct mup_process *client;
    FILE *file = fopen(mup_testbed_path(&bed, "requests"), "w");

    (void)state;
    assert_non_null(file);
    (void)snprintf(text, sizeof text,
                   "<hello xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\"><capabilities>"
                   "<capability>urn:ietf:params:netconf:base:1.0</capability></capabilities>"
                   "</hello>]]>]]>"
                   "<rpc xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id=\"first\">"
                   "<ledOn xmlns=\"%s\"><uuid>%s</uuid></ledOn></rpc>]]>]]>"
                   "<rpc xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id=\"second\">"
                   "<get/></rpc>]]>]]>",
                   module_namespace, one.name);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(command, sizeof command,
                   "%s/mup-netconf --as operator --socket %s < %s; echo; echo done", MUP_BIN_DIR,
                   mup_testbed_path(&bed, "netconf.sock"), mup_testbed_path(&bed, "requests"));
    client = mup_process_start(&bed.processes, "client", argv);
    assert_non_null(client);
    WAIT_FOR(one.asked_count == asked_count + 1);
    respond(&one, last_asked(&one)->correlation, MUP_STATE_OK);
    WAIT_FOR(!mup_process_is_running(client) && client->out < 0);
    assert_non_null(strstr(client->text, "message-id=\"first\""));
    assert_non_null(strstr(client->text, "10_OK"));
    assert_non_null(strstr(strstr(client->text, "10_OK"), "message-id=\"second\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_of_one_kind_send_their_description_once),
        cmocka_unit_test(the_certificate_is_left_out_when_the_device_holds_it),
        cmocka_unit_test(announcements_that_contradict_are_refused),
        cmocka_unit_test(only_the_asked_device_with_the_right_correlation_is_believed),
        cmocka_unit_test(answers_that_do_not_fit_are_errors),
        cmocka_unit_test(calls_to_one_device_are_told_apart_and_late_answers_dropped),
        cmocka_unit_test(a_squatter_that_was_asked_is_not_believed_once_the_owner_has_come),
        cmocka_unit_test(the_death_of_a_session_forgets_its_call),
        cmocka_unit_test(a_structured_input_comes_to_the_device_as_its_parts),
        cmocka_unit_test(a_client_that_has_ended_its_input_gets_the_device_s_answer),
        cmocka_unit_test(a_broker_that_forgot_everything_is_asked_again_with_the_same_correlation),
        cmocka_unit_test(devices_and_descriptions_survive_a_killed_bridge),
    };
    return cmocka_run_group_tests(tests, open_edge, close_edge);
}
