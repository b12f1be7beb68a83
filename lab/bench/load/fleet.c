/* Many devices played by a few MQTT connections: see fleet.h. */
#include "fleet.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include "bridge/description/capability.h"
#include "bridge/description/yang.h"
#include "mup/bootstrap.h"
#include "mup/rpc.h"
#include "mup/state.h"

#define CONNECTIONS  10u
#define TEMPLATE_MAX 16384u
#define JOIN_S       120
#define CONNECT_S    30
#define USER         "fleet-%zu"
#define VARIED       "#setInterval" /* what differs from kind to kind, with the topic below */
#define TOPIC        "led/%s"
#define PIECES_MAX   (TEMPLATE_MAX / MUP_PIECE_DATA_MAX + 1)

const char mup_fleet_rules[] =
    "\nuser fleet-0\ntopic readwrite #\n\nuser fleet-1\ntopic readwrite #\n"
    "\nuser fleet-2\ntopic readwrite #\n\nuser fleet-3\ntopic readwrite #\n"
    "\nuser fleet-4\ntopic readwrite #\n\nuser fleet-5\ntopic readwrite #\n"
    "\nuser fleet-6\ntopic readwrite #\n\nuser fleet-7\ntopic readwrite #\n"
    "\nuser fleet-8\ntopic readwrite #\n\nuser fleet-9\ntopic readwrite #\n"
    "\nuser requester\ntopic readwrite #\n";

enum progress { UNKNOWN, ANNOUNCED, KNOWN };

struct device {
    char uuid[MUP_UUID_TEXT_SIZE];
    enum progress progress;
};

struct kind {
    char *text;
    size_t size;
    uint8_t digest[MUP_DIGEST_SIZE];
    char namespace[160];
};

struct connection {
    struct mup_fleet *fleet;
    struct mosquitto *client;
    size_t number;
    bool subscribed;
};

struct mup_fleet {
    struct connection connections[CONNECTIONS];
    struct kind *kinds;
    size_t kind_count;
    struct device *devices;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t known;   /* of the devices that join now */
    size_t waiting; /* announced and not known yet */
    size_t refused;
    uint8_t answer[16];
    size_t answer_size;
};

bool mup_fleet_users(struct mup_testbed *bed)
{
    char name[32];

    for (size_t i = 0; i < CONNECTIONS; i++) {
        snprintf(name, sizeof name, USER, i);
        if (!mup_testbed_add_user(bed, name))
            return false;
    }
    return mup_testbed_add_user(bed, "requester");
}

/* ---- kinds ---- */

static char *read_template(const struct mup_testbed *bed)
{
    char path[MUP_TESTBED_PATH_MAX + 64];
    char *text = calloc(1, TEMPLATE_MAX);
    FILE *file;

    snprintf(path, sizeof path, "%s/firmware/description/virtual.jsonld", bed->source);
    file = fopen(path, "re");
    if (file == NULL || text == NULL || fread(text, 1, TEMPLATE_MAX - 1, file) == 0) {
        fprintf(stderr, "bench-load: %s cannot be read\n", path);
        exit(1);
    }
    fclose(file);
    return text;
}

/* `text` with every `from` replaced; malloc'ed. */
static char *replaced(const char *text, const char *from, const char *to)
{
    char *out = calloc(1, 2 * TEMPLATE_MAX);
    size_t size = 0;
    const char *at;

    if (out == NULL)
        abort();
    while ((at = strstr(text, from)) != NULL) {
        memcpy(out + size, text, (size_t)(at - text));
        size += (size_t)(at - text);
        size += (size_t)snprintf(out + size, 2 * TEMPLATE_MAX - size, "%s", to);
        text = at + strlen(from);
    }
    snprintf(out + size, 2 * TEMPLATE_MAX - size, "%s", text);
    return out;
}

/* Another name of one function, and another topic of two: another set of capabilities. */
static void make_kind(struct kind *kind, const char *template, struct mup_describer *describer,
                      size_t number)
{
    struct mup_problems problems;
    struct mup_capability *capability = NULL;
    char name[64];
    char topic[64];

    snprintf(name, sizeof name, VARIED "%04zu", number);
    snprintf(topic, sizeof topic, "k%zu/led/%%s", number % CONNECTIONS);
    char *named = replaced(template, VARIED, name);
    kind->text = replaced(named, TOPIC, topic);
    kind->size = strlen(kind->text);
    free(named);
    if (mup_description_digest(kind->digest, kind->text, kind->size) != MUP_OK ||
        mup_description_parse(&capability, &problems, describer, kind->text, kind->size,
                              MUP_DESCRIPTION_AUTO, NULL) != MUP_OK) {
        fprintf(stderr, "bench-load: the description of kind %zu is refused\n", number);
        exit(1);
    }
    snprintf(kind->namespace, sizeof kind->namespace, "%s", capability->module_namespace);
    mup_capability_free(capability);
}

static void make_kinds(struct mup_fleet *fleet, const struct mup_testbed *bed)
{
    struct mup_problems problems;
    struct mup_describer *describer = NULL;
    char *template = read_template(bed);

    fleet->kinds = calloc(fleet->kind_count, sizeof *fleet->kinds);
    if (fleet->kinds == NULL || mup_describer_new(&describer, &problems, NULL) != MUP_OK) {
        fprintf(stderr, "bench-load: no queries\n");
        exit(1);
    }
    for (size_t i = 0; i < fleet->kind_count; i++)
        make_kind(&fleet->kinds[i], template, describer, i);
    mup_describer_free(describer);
    free(template);
}

static void make_devices(struct mup_fleet *fleet)
{
    fleet->devices = calloc(MUP_FLEET_DEVICES_MAX, sizeof *fleet->devices);
    if (fleet->devices == NULL)
        abort();
    for (size_t i = 0; i < MUP_FLEET_DEVICES_MAX; i++)
        snprintf(fleet->devices[i].uuid, sizeof fleet->devices[i].uuid,
                 "%08zx-0000-4000-8000-0000000be9c4", i);
}

/* ---- what comes ---- */

static void publish(const struct connection *connection, const char *topic, const void *bytes,
                    size_t size, const mosquitto_property *properties)
{
    if (mosquitto_publish_v5(connection->client, NULL, topic, (int)size, bytes, 1, false,
                             properties) != MOSQ_ERR_SUCCESS)
        fprintf(stderr, "bench-load: a device cannot publish on %s\n", topic);
}

static void send_description(struct connection *connection, size_t device)
{
    const struct kind *kind = &connection->fleet->kinds[device % connection->fleet->kind_count];
    char topic[sizeof MUP_TOPIC_DESCRIPTION + MUP_UUID_TEXT_SIZE];
    uint8_t bytes[MUP_PIECE_DATA_MAX + MUP_PIECE_OVERHEAD_MAX];

    snprintf(topic, sizeof topic, MUP_TOPIC_DESCRIPTION "%s",
             connection->fleet->devices[device].uuid);
    for (size_t at = 0; at < kind->size; at += MUP_PIECE_DATA_MAX) {
        size_t left = kind->size - at;
        size_t size = 0;
        struct mup_piece piece = {.number = (uint32_t)(at / MUP_PIECE_DATA_MAX),
                                  .last = left <= MUP_PIECE_DATA_MAX,
                                  .data = {(const uint8_t *)kind->text + at,
                                           left < MUP_PIECE_DATA_MAX ? left : MUP_PIECE_DATA_MAX}};
        memcpy(piece.digest_prefix, kind->digest, sizeof piece.digest_prefix);
        if (mup_piece_encode(bytes, sizeof bytes, &size, &piece) == MUP_OK)
            publish(connection, topic, bytes, size, NULL);
    }
}

static void take_reply(struct connection *connection, const char *name,
                       const struct mosquitto_message *message)
{
    struct mup_fleet *fleet = connection->fleet;
    struct mup_bootstrap_reply reply;
    size_t device = strtoul(name, NULL, 16);

    if (device >= MUP_FLEET_DEVICES_MAX || strcmp(fleet->devices[device].uuid, name) != 0 ||
        mup_bootstrap_reply_decode(&reply, message->payload, (size_t)message->payloadlen) != MUP_OK)
        return;
    if (reply.state == (uint32_t)MUP_STATE_SEND_DESCRIPTION) {
        send_description(connection, device);
        return;
    }
    pthread_mutex_lock(&fleet->lock);
    if (reply.state != (uint32_t)MUP_STATE_OK)
        fleet->refused++;
    else if (fleet->devices[device].progress == ANNOUNCED) {
        fleet->devices[device].progress = KNOWN;
        fleet->known++;
        fleet->waiting--;
    }
    pthread_cond_broadcast(&fleet->changed);
    pthread_mutex_unlock(&fleet->lock);
}

/* A request: "10_OK" to where it asks for, with the correlation data it came with. */
static void answer_request(struct connection *connection, const mosquitto_property *properties)
{
    mosquitto_property *own = NULL;
    char *topic = NULL;
    void *correlation = NULL;
    uint16_t size = 0;

    mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &topic, false);
    mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation, &size,
                                   false);
    if (topic != NULL && correlation != NULL &&
        mosquitto_property_add_binary(&own, MQTT_PROP_CORRELATION_DATA, correlation, size) ==
            MOSQ_ERR_SUCCESS)
        publish(connection, topic, connection->fleet->answer, connection->fleet->answer_size, own);
    mosquitto_property_free_all(&own);
    free(topic);
    free(correlation);
}

static void on_message(struct mosquitto *client, void *arg, const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    const size_t prefix = strlen(MUP_TOPIC_BOOTSTRAP);

    (void)client;
    if (strncmp(message->topic, MUP_TOPIC_BOOTSTRAP, prefix) == 0)
        take_reply(arg, message->topic + prefix, message);
    else
        answer_request(arg, properties);
}

/* ---- connecting ---- */

static void on_connect(struct mosquitto *client, void *arg, int reason, int flags,
                       const mosquitto_property *properties)
{
    const struct connection *connection = arg;
    char requests[32];
    char replies[] = MUP_TOPIC_BOOTSTRAP "+";
    char *filters[] = {requests, replies};

    (void)flags;
    (void)properties;
    snprintf(requests, sizeof requests, "k%zu/led/+", connection->number);
    if (reason == 0)
        mosquitto_subscribe_multiple(client, NULL, connection->number == 0 ? 2 : 1, filters, 1, 0,
                                     NULL);
}

static void on_subscribe(struct mosquitto *client, void *arg, int id, int count, const int *reasons,
                         const mosquitto_property *properties)
{
    struct connection *connection = arg;

    (void)client;
    (void)id;
    (void)properties;
    pthread_mutex_lock(&connection->fleet->lock);
    connection->subscribed = count > 0 && reasons[0] < 0x80;
    pthread_cond_broadcast(&connection->fleet->changed);
    pthread_mutex_unlock(&connection->fleet->lock);
}

static struct timespec deadline_after(int seconds)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += seconds;
    return at;
}

static bool connect_one(struct mup_fleet *fleet, const struct mup_testbed *bed, size_t number)
{
    struct connection *connection = &fleet->connections[number];
    struct timespec deadline = deadline_after(CONNECT_S);
    char name[32];

    snprintf(name, sizeof name, USER, number);
    connection->fleet = fleet;
    connection->number = number;
    connection->client = mosquitto_new(NULL, true, connection);
    if (connection->client == NULL)
        return false;
    mosquitto_int_option(connection->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(connection->client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_username_pw_set(connection->client, name, mup_testbed_password(bed, name));
    mosquitto_connect_v5_callback_set(connection->client, on_connect);
    mosquitto_subscribe_v5_callback_set(connection->client, on_subscribe);
    mosquitto_message_v5_callback_set(connection->client, on_message);
    if (mosquitto_connect(connection->client, "127.0.0.1", bed->broker_port, 60) !=
            MOSQ_ERR_SUCCESS ||
        mosquitto_loop_start(connection->client) != MOSQ_ERR_SUCCESS)
        return false;
    pthread_mutex_lock(&fleet->lock);
    while (!connection->subscribed &&
           pthread_cond_timedwait(&fleet->changed, &fleet->lock, &deadline) == 0)
        continue;
    pthread_mutex_unlock(&fleet->lock);
    return connection->subscribed;
}

struct mup_fleet *mup_fleet_open(struct mup_testbed *bed, size_t kinds)
{
    struct mup_fleet *fleet = calloc(1, sizeof *fleet);
    const struct mup_response answer = {.state = (uint32_t)MUP_STATE_OK};
    pthread_condattr_t monotonic;

    if (fleet == NULL)
        return NULL;
    mosquitto_lib_init();
    pthread_mutex_init(&fleet->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&fleet->changed, &monotonic);
    fleet->kind_count = kinds;
    make_kinds(fleet, bed);
    make_devices(fleet);
    if (mup_response_encode(fleet->answer, sizeof fleet->answer, &fleet->answer_size, &answer) !=
        MUP_OK)
        abort();
    for (size_t i = 0; i < CONNECTIONS; i++)
        if (!connect_one(fleet, bed, i)) {
            fprintf(stderr, "bench-load: the devices cannot connect to the broker\n");
            mup_fleet_close(fleet);
            return NULL;
        }
    return fleet;
}

void mup_fleet_close(struct mup_fleet *fleet)
{
    if (fleet == NULL)
        return;
    for (size_t i = 0; i < CONNECTIONS; i++)
        if (fleet->connections[i].client != NULL) {
            mosquitto_disconnect(fleet->connections[i].client);
            mosquitto_loop_stop(fleet->connections[i].client, true);
            mosquitto_destroy(fleet->connections[i].client);
        }
    for (size_t i = 0; i < fleet->kind_count; i++)
        free(fleet->kinds[i].text);
    free(fleet->kinds);
    free(fleet->devices);
    pthread_cond_destroy(&fleet->changed);
    pthread_mutex_destroy(&fleet->lock);
    free(fleet);
}

/* ---- joining ---- */

static void announce(struct mup_fleet *fleet, size_t device)
{
    const struct kind *kind = &fleet->kinds[device % fleet->kind_count];
    struct mup_announcement announcement = {.description_size = (uint32_t)kind->size,
                                            .version = 1,
                                            .boot_id = {1, 2, 3, 4, 5, 6, 7, 8}};
    char topic[sizeof MUP_TOPIC_ANNOUNCE + MUP_UUID_TEXT_SIZE];
    uint8_t bytes[MUP_ANNOUNCEMENT_MAX];
    size_t size = 0;

    memcpy(announcement.description_digest, kind->digest, sizeof kind->digest);
    if (mup_uuid_parse(announcement.uuid, fleet->devices[device].uuid, MUP_UUID_TEXT_SIZE - 1) !=
            MUP_OK ||
        mup_announcement_encode(bytes, sizeof bytes, &size, &announcement) != MUP_OK)
        abort();
    snprintf(topic, sizeof topic, MUP_TOPIC_ANNOUNCE "%s", fleet->devices[device].uuid);
    publish(&fleet->connections[0], topic, bytes, size, NULL);
}

bool mup_fleet_join(struct mup_fleet *fleet, size_t first, size_t count, size_t window)
{
    struct timespec deadline = deadline_after(JOIN_S);
    size_t next = first;
    bool in_time = true;

    pthread_mutex_lock(&fleet->lock);
    fleet->known = fleet->waiting = fleet->refused = 0;
    while (in_time && fleet->refused == 0 && fleet->known < count) {
        if (next < first + count && fleet->waiting < window) {
            fleet->devices[next].progress = ANNOUNCED;
            fleet->waiting++;
            pthread_mutex_unlock(&fleet->lock);
            announce(fleet, next++);
            pthread_mutex_lock(&fleet->lock);
            continue;
        }
        in_time = pthread_cond_timedwait(&fleet->changed, &fleet->lock, &deadline) == 0;
    }
    bool good = fleet->known == count;
    if (!good)
        fprintf(stderr, "bench-load: of %zu devices %zu became known, %zu were refused\n", count,
                fleet->known, fleet->refused);
    pthread_mutex_unlock(&fleet->lock);
    return good;
}

const char *mup_fleet_uuid(const struct mup_fleet *fleet, size_t device)
{
    return fleet->devices[device].uuid;
}

const char *mup_fleet_namespace(const struct mup_fleet *fleet, size_t device)
{
    return fleet->kinds[device % fleet->kind_count].namespace;
}

void mup_fleet_topic(const struct mup_fleet *fleet, size_t device, char *topic, size_t size)
{
    snprintf(topic, size, "k%zu/led/%s", device % fleet->kind_count % CONNECTIONS,
             fleet->devices[device].uuid);
}
