/* Many devices and sessions around one bridge: see rig.h. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <mqtt_protocol.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bridge/description/capability.h"
#include "mup/bootstrap.h"
#include "mup/cbor.h"
#include "mup/rpc.h"
#include "mup/state.h"

#define MQTT_USER    "eavesdropper"
#define TOGETHER     50u /* devices that announce themselves at the same time */
#define MESSAGE_END  "]]>]]>"
#define TEMPLATE_MAX 65535u
#define LOG_SIZE     6000u

uint64_t rig_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static struct mup_process *process_of(struct rig *rig, const char *name)
{
    for (size_t i = 0; i < rig->bed.processes.count; i++)
        if (strcmp(rig->bed.processes.list[i].name, name) == 0)
            return &rig->bed.processes.list[i];
    return NULL;
}

void rig_fail(struct rig *rig, const char *what)
{
    const struct mup_process *bridge = process_of(rig, "mup-bridge");
    size_t size = bridge == NULL ? 0 : bridge->size < LOG_SIZE ? bridge->size : LOG_SIZE;

    if (size > 0)
        fprintf(stderr, "%.*s\n", (int)size, bridge->text + bridge->size - size);
    fprintf(stderr, "%s\n", what);
    rig_close(rig);
    exit(1);
}

static void want(struct rig *rig, bool good, const char *what)
{
    if (!good)
        rig_fail(rig, what);
}

/* ---- devices ---- */

static struct rig_device *device_of(struct rig *rig, const char *topic)
{
    const char *name = strrchr(topic, '/');
    uint8_t uuid[MUP_UUID_SIZE];
    size_t index;

    if (name == NULL || mup_uuid_parse(uuid, name + 1, strlen(name + 1)) != MUP_OK)
        return NULL;
    index = (size_t)uuid[0] << 8 | uuid[1];
    return index < rig->device_count ? &rig->devices[index] : NULL;
}

static void publish(struct rig *rig, const char *prefix, const char *name, const void *bytes,
                    size_t size, const uint8_t *correlation)
{
    mosquitto_property *properties = NULL;
    char topic[80];

    (void)snprintf(topic, sizeof topic, "%s%s", prefix, name);
    if (correlation != NULL)
        (void)mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA, correlation,
                                            16);
    (void)mosquitto_publish_v5(rig->mosq, NULL, topic, (int)size, bytes, 1, false, properties);
    mosquitto_property_free_all(&properties);
}

void rig_respond(struct rig *rig, const struct rig_device *device, const uint8_t correlation[16])
{
    struct mup_response response = {.state = MUP_STATE_OK};
    uint8_t bytes[MUP_RESPONSE_MAX];
    size_t size;

    want(rig, mup_response_encode(bytes, sizeof bytes, &size, &response) == MUP_OK, "encode");
    publish(rig, MUP_TOPIC_RESPONSE, device->name, bytes, size, correlation);
}

/* As device/agent/request.c does it, but that it answers all that it remembers. */
static void carry_out(struct rig *rig, struct rig_device *device, const struct rig_request *request)
{
    size_t known =
        device->remembered_count < RIG_REMEMBERED ? device->remembered_count : RIG_REMEMBERED;

    for (size_t i = 0; i < known; i++)
        if (memcmp(device->remembered[i], request->correlation, 16) == 0) {
            rig_respond(rig, device, request->correlation);
            return;
        }
    memcpy(device->remembered[device->remembered_count++ % RIG_REMEMBERED], request->correlation,
           16);
    want(rig, device->done_count < RIG_DONE_MAX, "a device did too much");
    device->done[device->done_count++] = request->argument;
    rig_respond(rig, device, request->correlation);
}

void rig_wake(struct rig *rig, struct rig_device *device)
{
    device->asleep = false;
    for (size_t i = 0; i < device->held_count; i++)
        carry_out(rig, device, &device->held[i]);
    device->held_count = 0;
}

static void take_request(struct rig *rig, struct rig_device *device,
                         const struct mosquitto_message *message,
                         const mosquitto_property *properties)
{
    struct rig_request request = {.argument = 0};
    struct mup_cbor_reader reader;
    struct mup_request decoded;
    void *correlation = NULL;
    uint16_t size = 0;

    want(rig,
         mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation, &size,
                                        false) != NULL &&
             size == 16,
         "a request without correlation data of 16 bytes");
    memcpy(request.correlation, correlation, 16);
    free(correlation);
    want(rig, mup_request_decode(&decoded, message->payload, (size_t)message->payloadlen) == MUP_OK,
         "a request that cannot be read");
    if (decoded.argument_count > 0) {
        mup_cbor_reader_init(&reader, decoded.arguments.data, decoded.arguments.size);
        request.argument = (int64_t)mup_cbor_read_uint(&reader, UINT32_MAX);
    }
    memcpy(device->last, request.correlation, 16);
    device->delivered++;
    if (!device->asleep) {
        carry_out(rig, device, &request);
        return;
    }
    want(rig, device->held_count < RIG_HELD_MAX, "a device was asked too much");
    device->held[device->held_count++] = request;
}

static void send_description(struct rig *rig, const char *name)
{
    uint8_t bytes[MUP_PIECE_DATA_MAX + MUP_PIECE_OVERHEAD_MAX];
    struct mup_piece piece = {0};
    size_t size;

    memcpy(piece.digest_prefix, rig->digest, sizeof piece.digest_prefix);
    for (size_t at = 0; at < rig->description_size; at += piece.data.size, piece.number++) {
        size_t left = rig->description_size - at;
        piece.data.data = (const uint8_t *)rig->description + at;
        piece.data.size = left < MUP_PIECE_DATA_MAX ? left : MUP_PIECE_DATA_MAX;
        piece.last = piece.data.size == left;
        want(rig, mup_piece_encode(bytes, sizeof bytes, &size, &piece) == MUP_OK, "encode");
        publish(rig, MUP_TOPIC_DESCRIPTION, name, bytes, size, NULL);
    }
}

static void take_bootstrap(struct rig *rig, struct rig_device *device,
                           const struct mosquitto_message *message)
{
    struct mup_bootstrap_reply reply;

    want(rig,
         mup_bootstrap_reply_decode(&reply, message->payload, (size_t)message->payloadlen) ==
             MUP_OK,
         "a bootstrap reply that cannot be read");
    if (reply.state == MUP_STATE_SEND_DESCRIPTION)
        send_description(rig, device->name);
    else
        device->known = reply.state == MUP_STATE_OK;
    device->refused += reply.state == MUP_STATE_DEVICE_REFUSED;
}

static void on_message(struct mosquitto *mosq, void *context,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    struct rig *rig = context;
    struct rig_device *device = device_of(rig, message->topic);

    (void)mosq;
    if (device == NULL)
        return;
    if (strncmp(message->topic, MUP_TOPIC_BOOTSTRAP, strlen(MUP_TOPIC_BOOTSTRAP)) == 0)
        take_bootstrap(rig, device, message);
    else
        take_request(rig, device, message, properties);
}

static void on_subscribed(struct mosquitto *mosq, void *context, int id, int count,
                          const int *granted)
{
    struct rig *rig = context;

    (void)mosq, (void)id, (void)count, (void)granted;
    /* What a device says when it has connected. */
    for (size_t i = 0; i < rig->device_count; i++)
        if (rig->devices[i].known)
            publish(rig, MUP_TOPIC_PRESENCE, rig->devices[i].name, "\xa1\x01\xf5", 3, NULL);
    rig->subscribed = true;
}

static void on_connected(struct mosquitto *mosq, void *context, int reason)
{
    char *filters[] = {(char *)"led/+", (char *)"interval/+", (char *)MUP_TOPIC_BOOTSTRAP "+"};

    (void)context;
    /* QoS 0: the broker's limit of waiting messages is for one device, not for a thousand. */
    if (reason == 0)
        (void)mosquitto_subscribe_multiple(mosq, NULL, 3, filters, 0, 0, NULL);
}

static bool connect_devices(struct rig *rig)
{
    rig->mosq = mosquitto_new(MQTT_USER, true, rig);
    if (rig->mosq == NULL ||
        mosquitto_int_option(rig->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5) != 0 ||
        mosquitto_username_pw_set(rig->mosq, MQTT_USER,
                                  mup_testbed_password(&rig->bed, MQTT_USER)) != 0)
        return false;
    mosquitto_connect_callback_set(rig->mosq, on_connected);
    mosquitto_subscribe_callback_set(rig->mosq, on_subscribed);
    mosquitto_message_v5_callback_set(rig->mosq, on_message);
    return mosquitto_connect(rig->mosq, "127.0.0.1", rig->bed.broker_port, 60) == 0;
}

void rig_announce(struct rig *rig, const struct rig_device *device, const char *name, uint8_t boot)
{
    struct mup_announcement announcement = {
        .description_size = (uint32_t)rig->description_size, .version = 7, .boot_id = {boot}};
    uint8_t bytes[MUP_ANNOUNCEMENT_MAX];
    size_t size;

    memcpy(announcement.uuid, device->uuid, MUP_UUID_SIZE);
    memcpy(announcement.description_digest, rig->digest, sizeof rig->digest);
    want(rig, mup_announcement_encode(bytes, sizeof bytes, &size, &announcement) == MUP_OK,
         "encode");
    publish(rig, MUP_TOPIC_ANNOUNCE, name, bytes, size, NULL);
}

static bool all_known(const struct rig *rig, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!rig->devices[i].known)
            return false;
    return true;
}

static void announce_all(struct rig *rig)
{
    size_t count = 1; /* the first sends the description */

    for (size_t at = 0; at < rig->device_count; at += count) {
        count = at == 0 ? 1 : TOGETHER;
        if (count > rig->device_count - at)
            count = rig->device_count - at;
        for (size_t i = at; i < at + count; i++)
            rig_announce(rig, &rig->devices[i], rig->devices[i].name, 0);
        RIG_WAIT(rig, all_known(rig, at + count));
    }
}

/* ---- sessions ---- */

static void read_session(struct rig_session *session)
{
    char bytes[4096];
    ssize_t size;
    char *text;

    while (session->fd >= 0 && (size = read(session->fd, bytes, sizeof bytes)) != 0) {
        if (size < 0)
            return;
        text = realloc(session->text, session->size + (size_t)size + 1);
        if (text == NULL)
            abort();
        memcpy(text + session->size, bytes, (size_t)size);
        session->size += (size_t)size;
        text[session->size] = '\0';
        session->text = text;
    }
    session->ended = session->fd >= 0;
}

struct rig_session *rig_connect(struct rig *rig, size_t index, const char *user)
{
    static const char hello[] =
        "<hello xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\"><capabilities><capability>"
        "urn:ietf:params:netconf:base:1.0</capability></capabilities></hello>" MESSAGE_END;
    struct rig_session *session = &rig->sessions[index];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[512];

    want(rig, index < rig->session_count && session->fd < 0, "no room for another session");
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s",
                   mup_testbed_path(&rig->bed, "netconf.sock"));
    session->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    session->ended = false;
    want(rig,
         session->fd >= 0 &&
             connect(session->fd, (const struct sockaddr *)&address, sizeof address) == 0,
         "the bridge takes no session");
    (void)fcntl(session->fd, F_SETFL, O_NONBLOCK);
    (void)snprintf(text, sizeof text, "as %s\n%s", user, hello);
    want(rig, write(session->fd, text, strlen(text)) == (ssize_t)strlen(text), "write");
    return session;
}

void rig_disconnect(struct rig_session *session)
{
    if (session->fd >= 0)
        (void)close(session->fd);
    free(session->text);
    *session = (struct rig_session){.fd = -1};
}

void rig_send(struct rig *rig, struct rig_session *session, const char *format, ...)
{
    char inner[1024];
    char text[1400];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(inner, sizeof inner, format, arguments);
    va_end(arguments);
    (void)snprintf(text, sizeof text,
                   "<rpc xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id=\"1\">%s"
                   "</rpc>" MESSAGE_END,
                   inner);
    want(rig, write(session->fd, text, strlen(text)) == (ssize_t)strlen(text), "write");
}

const char *rig_message(struct rig_session *session)
{
    static char *message;
    char *end = session->text == NULL ? NULL : strstr(session->text, MESSAGE_END);
    size_t size;

    free(message);
    message = NULL;
    if (end == NULL)
        return NULL;
    size = (size_t)(end - session->text);
    message = strndup(session->text, size);
    size += strlen(MESSAGE_END);
    memmove(session->text, session->text + size, session->size - size + 1);
    session->size -= size;
    return message;
}

const char *rig_expect(struct rig *rig, struct rig_session *session, const char *needle)
{
    const char *message = NULL;
    uint64_t end_ms = rig_now_ms() + RIG_DEADLINE_MS;

    while (rig_now_ms() < end_ms && !session->ended) {
        while ((message = rig_message(session)) != NULL)
            if (strstr(message, needle) != NULL)
                return message;
        rig_turn(rig);
    }
    fprintf(stderr, "waited for %s\n", needle);
    rig_fail(rig, session->ended ? "the session ended" : "the message never came");
    return NULL;
}

void rig_element(const char *message, const char *name, char *text, size_t size)
{
    char tag[64];
    const char *at;
    const char *end;

    (void)snprintf(tag, sizeof tag, "<%s", name);
    text[0] = '\0';
    for (at = strstr(message, tag); at != NULL; at = strstr(at + 1, tag)) {
        char after = at[strlen(tag)];
        const char *open = strchr(at, '>');
        if ((after != ' ' && after != '>') || open == NULL)
            continue;
        end = strchr(open, '<');
        if (end != NULL)
            (void)snprintf(text, size, "%.*s", (int)(end - open - 1), open + 1);
        return;
    }
}

/* ---- the whole ---- */

void rig_turn(struct rig *rig)
{
    if (rig->mosq != NULL && !rig->away) {
        int result = mosquitto_loop(rig->mosq, 0, 16);
        if (result != MOSQ_ERR_SUCCESS) {
            rig->subscribed = false;
            (void)mosquitto_reconnect(rig->mosq);
        }
    }
    for (size_t i = 0; i < rig->session_count; i++)
        if (rig->sessions[i].fd >= 0 && !rig->sessions[i].ended)
            read_session(&rig->sessions[i]);
    mup_process_pump(&rig->bed.processes, 2);
}

void rig_kill_bridge(struct rig *rig)
{
    mup_process_kill(process_of(rig, "mup-bridge"));
    for (size_t i = 0; i < rig->session_count; i++)
        rig_disconnect(&rig->sessions[i]);
}

void rig_start_bridge(struct rig *rig)
{
    want(rig, mup_testbed_start_bridge(&rig->bed), "the bridge does not start");
}

void rig_stop_bridge(struct rig *rig)
{
    want(rig, kill(process_of(rig, "mup-bridge")->pid, SIGSTOP) == 0, "SIGSTOP");
}

void rig_continue_bridge(struct rig *rig)
{
    want(rig, kill(process_of(rig, "mup-bridge")->pid, SIGCONT) == 0, "SIGCONT");
}

void rig_kill_broker(struct rig *rig)
{
    mup_process_kill(process_of(rig, "mosquitto"));
    (void)remove(mup_testbed_path(&rig->bed, "broker.db"));
    rig->subscribed = false;
}

void rig_start_broker(struct rig *rig)
{
    want(rig, mup_testbed_start_broker(&rig->bed), "the broker does not start");
    RIG_WAIT(rig, rig->subscribed || rig->away);
}

static bool bridge_says(struct rig *rig, const char *needle)
{
    char line[MUP_PROCESS_LINE_MAX];

    while (mup_process_next_line(process_of(rig, "mup-bridge"), line, sizeof line))
        if (needle[0] != '\0' && strstr(line, needle) != NULL)
            return true;
    return needle[0] == '\0';
}

void rig_expect_bridge(struct rig *rig, const char *needle)
{
    RIG_WAIT(rig, bridge_says(rig, needle));
}

static void name_devices(struct rig *rig)
{
    for (size_t i = 0; i < rig->device_count; i++) {
        rig->devices[i].uuid[0] = (uint8_t)(i >> 8);
        rig->devices[i].uuid[1] = (uint8_t)i;
        rig->devices[i].uuid[15] = 0x77;
        mup_uuid_format(rig->devices[i].name, rig->devices[i].uuid);
    }
}

static bool read_description(struct rig *rig)
{
    FILE *file = fopen(MUP_SOURCE_DIR "/firmware/description/virtual.jsonld", "r");

    rig->description = malloc(TEMPLATE_MAX);
    if (file == NULL || rig->description == NULL)
        return false;
    rig->description_size = fread(rig->description, 1, TEMPLATE_MAX, file);
    (void)fclose(file);
    return mup_description_digest(rig->digest, (const uint8_t *)rig->description,
                                  rig->description_size) == MUP_OK;
}

static void read_namespace(struct rig *rig)
{
    const char *message;

    rig_connect(rig, 0, "operator");
    rig_send(rig, &rig->sessions[0],
             "<get><filter><devices xmlns=\"urn:mup:myno-devices\"><device><uuid>%s</uuid>"
             "</device></devices></filter></get>",
             rig->devices[0].name);
    message = rig_expect(rig, &rig->sessions[0], "<rpc-reply");
    rig_element(message, "namespace", rig->ns, sizeof rig->ns);
    want(rig, rig->ns[0] != '\0', "the device has no module");
    rig_disconnect(&rig->sessions[0]);
}

bool rig_open(struct rig *rig, size_t device_count, size_t session_count,
              const char *bridge_settings)
{
    struct rlimit files;

    memset(rig, 0, sizeof *rig);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    rig->device_count = device_count;
    rig->session_count = session_count;
    rig->devices = calloc(device_count, sizeof *rig->devices);
    rig->sessions = calloc(session_count, sizeof *rig->sessions);
    (void)mosquitto_lib_init();
    if (rig->devices == NULL || rig->sessions == NULL ||
        !mup_testbed_init(&rig->bed, MUP_BIN_DIR, MUP_SOURCE_DIR, NULL))
        return false;
    for (size_t i = 0; i < session_count; i++)
        rig->sessions[i].fd = -1;
    rig->bed.bridge_settings = bridge_settings;
    name_devices(rig);
    if (!read_description(rig) || !mup_testbed_start_broker(&rig->bed) ||
        !mup_testbed_start_bridge(&rig->bed) || !connect_devices(rig))
        return false;
    RIG_WAIT(rig, rig->subscribed);
    announce_all(rig);
    read_namespace(rig);
    return true;
}

void rig_close(struct rig *rig)
{
    if (rig->mosq != NULL)
        mosquitto_destroy(rig->mosq);
    rig->mosq = NULL;
    for (size_t i = 0; i < rig->session_count; i++)
        rig_disconnect(&rig->sessions[i]);
    mup_testbed_end(&rig->bed);
    free(rig->sessions);
    free(rig->devices);
    free(rig->description);
    (void)mosquitto_lib_cleanup();
}
