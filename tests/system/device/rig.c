/* See rig.h. */
#include "testbed.h"
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/sha.h>

#include "mup/cbor.h"
#include "mup/transfer.h"

#define UUID_TEXT "5f0c1d2e-3a4b-4c5d-8e9f-a0b1c2d3e4f5"

static uint32_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

static const char *path_of(const struct rig *rig, const char *name)
{
    static char paths[16][128];
    static int turn;
    char *path = paths[turn++ % 16];

    snprintf(path, sizeof paths[0], "%s/%s", rig->folder, name);
    return path;
}

/* ---- Processes ------------------------------------------------------------------------------ */

static pid_t spawn(const char *const *arguments, int out_fd)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (out_fd >= 0)
        dup2(out_fd, 1);
    execvp(arguments[0], (char *const *)arguments);
    _exit(127);
}

static void end(pid_t *pid, int signal)
{
    if (*pid <= 0)
        return;
    kill(*pid, signal);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

static void run(const char *const *arguments)
{
    int status = -1;

    assert_int_equal(waitpid(spawn(arguments, -1), &status, 0) > 0, 1);
    assert_int_equal(status, 0);
}

/* ---- The broker ----------------------------------------------------------------------------- */

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static bool listens(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;

    close(fd);
    return good;
}

void rig_start_broker(struct rig *rig)
{
    const char *arguments[] = {"mosquitto", "-c", path_of(rig, "mosquitto.conf"), NULL};
    FILE *file = fopen(path_of(rig, "mosquitto.conf"), "w");
    uint32_t begin = now_ms();

    assert_non_null(file);
    fprintf(file,
            "listener %u 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            "persistence false\nlog_dest file %s\n",
            rig->port, path_of(rig, "mosquitto.log"));
    if (getuid() == 0)
        fprintf(file, "user root\n");
    fclose(file);
    rig->broker = spawn(arguments, -1);
    while (!listens(rig->port)) {
        assert_true(now_ms() - begin < RIG_DEADLINE_MS);
        poll(NULL, 0, 5);
    }
    if (rig->client_connected)
        mosquitto_reconnect(rig->client);
}

void rig_stop_broker(struct rig *rig)
{
    end(&rig->broker, SIGTERM);
}

/* ---- What comes ----------------------------------------------------------------------------- */

static void on_connect(struct mosquitto *client, void *context, int code, int flags,
                       const mosquitto_property *properties)
{
    (void)flags, (void)properties, (void)code;
    ((struct rig *)context)->client_connected = true;
    mosquitto_subscribe(client, NULL, "mup/#", 1);
    mosquitto_subscribe(client, NULL, "sensor/#", 0);
}

static void keep(uint8_t *to, size_t *to_size, size_t most, const struct mosquitto_message *message)
{
    if (message->payloadlen < 0 || (size_t)message->payloadlen > most)
        return;
    memcpy(to, message->payload, (size_t)message->payloadlen);
    *to_size = (size_t)message->payloadlen;
}

static void send_slices(struct rig *rig);

static void on_ack(struct rig *rig, const struct mosquitto_message *message)
{
    struct mup_ack ack;

    if (mup_ack_decode(&ack, message->payload, (size_t)message->payloadlen) != MUP_OK)
        return;
    if (ack.attempt != rig->attempt) {
        rig->attempt = ack.attempt;
        rig->sent = ack.next;
    }
    rig->ack = ack;
    rig->ack_came = true;
    if (rig->serves)
        send_slices(rig);
}

static void on_message(struct mosquitto *client, void *context,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    struct rig *rig = context;
    const char *topic = message->topic;

    (void)client;
    if (strncmp(topic, "mup/announce/", 13) == 0) {
        keep(rig->announcement, &rig->announcement_size, sizeof rig->announcement, message);
    } else if (strncmp(topic, "mup/ack/", 8) == 0) {
        on_ack(rig, message);
    } else if (strncmp(topic, "mup/report/", 11) == 0) {
        keep(rig->report, &rig->report_size, sizeof rig->report, message);
    } else if (strncmp(topic, "mup/presence/", 13) == 0 && message->payloadlen == 3) {
        rig->presence = ((const uint8_t *)message->payload)[2] == 0xf5;
    } else if (strncmp(topic, "sensor/", 7) == 0) {
        rig->telemetry_count++;
    } else if (strncmp(topic, "mup/response/", 13) == 0) {
        void *data = NULL;
        uint16_t size = 0;

        mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &data, &size, false);
        if (size == sizeof rig->correlation && memcmp(data, rig->correlation, size) == 0) {
            keep(rig->response, &rig->response_size, sizeof rig->response, message);
            rig->response_came = true;
        }
        free(data);
    }
}

/* ---- One loop for the log and the wire ------------------------------------------------------ */

static void read_log(struct rig *rig)
{
    ssize_t got;

    if (rig->log_fd < 0)
        return;
    while (rig->log_size < sizeof rig->log - 1 &&
           (got = read(rig->log_fd, rig->log + rig->log_size,
                       sizeof rig->log - 1 - rig->log_size)) > 0)
        rig->log_size += (size_t)got;
    rig->log[rig->log_size] = '\0';
}

void rig_turn(struct rig *rig)
{
    if (mosquitto_loop(rig->client, 10, 100) != MOSQ_ERR_SUCCESS && rig->broker > 0)
        mosquitto_reconnect(rig->client);
    read_log(rig);
}

static void expired(struct rig *rig, const char *what)
{
    fprintf(stderr, "waited in vain for %s; the device said:\n%s\n", what, rig->log);
    fail();
}

void rig_until(struct rig *rig, const bool *flag, const char *what)
{
    uint32_t begin = now_ms();

    while (!*(const volatile bool *)flag) {
        if (now_ms() - begin >= RIG_DEADLINE_MS)
            expired(rig, what);
        rig_turn(rig);
    }
}

void rig_until_size(struct rig *rig, const size_t *size, const char *what)
{
    uint32_t begin = now_ms();

    while (*(const volatile size_t *)size == 0) {
        if (now_ms() - begin >= RIG_DEADLINE_MS)
            expired(rig, what);
        rig_turn(rig);
    }
}

void rig_publish(struct rig *rig, const char *topic, const void *bytes, size_t size)
{
    assert_int_equal(mosquitto_publish(rig->client, NULL, topic, (int)size, bytes, 1, false), 0);
}

int rig_exit_code(struct rig *rig)
{
    int status = 0;

    assert_int_equal(waitpid(rig->device, &status, 0), rig->device);
    rig->device = 0;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void rig_wait(struct rig *rig, const char *event, const char *text)
{
    uint32_t begin = now_ms();
    char want[64];

    snprintf(want, sizeof want, "\"event\":\"%s\"", event);
    for (;;) {
        char *line = rig->log + rig->log_seen;
        bool found;
        char *line_end = memchr(line, '\n', rig->log_size - rig->log_seen);

        if (line_end == NULL) {
            if (now_ms() - begin >= RIG_DEADLINE_MS)
                expired(rig, want);
            rig_turn(rig);
            continue;
        }
        rig->log_seen = (size_t)(line_end - rig->log) + 1;
        *line_end = '\0';
        found = strstr(line, want) != NULL && (text == NULL || strstr(line, text) != NULL);
        *line_end = '\n';
        if (found)
            return;
    }
}

/* ---- The device ----------------------------------------------------------------------------- */

void rig_factory(struct rig *rig)
{
    const char *image[] = {MUP_DEVICE, "image", "--version", "1",
                           "--size",   "20000", "--out",     path_of(rig, "one.img"),
                           NULL};
    const char *factory[] = {MUP_DEVICE,
                             "factory",
                             "--force",
                             "--flash",
                             path_of(rig, "d.flash"),
                             "--uuid",
                             UUID_TEXT,
                             "--name",
                             WORLD_NAME,
                             "--vendor-key",
                             path_of(rig, "vendor.pub"),
                             "--image",
                             path_of(rig, "one.img"),
                             NULL};
    FILE *file = fopen(path_of(rig, "vendor.pub"), "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_PUBKEY(file, vendor.key), 1);
    fclose(file);
    run(image);
    run(factory);
}

void rig_start_device(struct rig *rig)
{
    char broker[32];
    const char *arguments[40] = {MUP_DEVICE,
                                 "run",
                                 "--flash",
                                 path_of(rig, "d.flash"),
                                 "--broker",
                                 broker,
                                 "--description",
                                 path_of(rig, "description"),
                                 "--log",
                                 "json",
                                 "--app-id",
                                 "app",
                                 "--hardware-class",
                                 "board",
                                 "--interval",
                                 "1",
                                 "--block",
                                 "1024"};
    size_t count = 18;
    int ends[2];

    snprintf(broker, sizeof broker, "127.0.0.1:%u", rig->port);
    for (size_t i = 0; i < 8 && rig->extra[i] != NULL; i++)
        arguments[count++] = rig->extra[i];
    if (rig->log_fd >= 0)
        close(rig->log_fd);
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    rig->device = spawn(arguments, ends[1]);
    close(ends[1]);
    rig->log_fd = ends[0];
    fcntl(rig->log_fd, F_SETFL, O_NONBLOCK);
    rig->log_size = 0;
    rig->log_seen = 0;
}

void rig_signal_device(struct rig *rig, int signal)
{
    end(&rig->device, signal);
    read_log(rig);
}

/* ---- The rig -------------------------------------------------------------------------------- */

struct rig *rig_make(void)
{
    struct rig *rig = calloc(1, sizeof *rig);
    FILE *file;

    rig->log_fd = -1;
    rig->presence = -1;
    snprintf(rig->folder, sizeof rig->folder, "/tmp/mup-device-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    file = fopen(path_of(rig, "description"), "w");
    assert_non_null(file);
    for (int i = 0; i < 100; i++)
        fprintf(file, "line %d of a template for %%s\n", i);
    fclose(file);
    rig->office = calloc(1, sizeof *rig->office);
    rig->port = (uint16_t)mup_testbed_free_port();
    rig_start_broker(rig);
    mosquitto_lib_init();
    rig->client = mosquitto_new(NULL, true, rig);
    mosquitto_int_option(rig->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(rig->client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_v5_callback_set(rig->client, on_connect);
    mosquitto_message_v5_callback_set(rig->client, on_message);
    assert_int_equal(mosquitto_connect(rig->client, "127.0.0.1", rig->port, 60), 0);
    rig_until(rig, &rig->client_connected, "the test's own connection");
    rig_factory(rig);
    return rig;
}

void rig_free(struct rig *rig)
{
    static const char *const files[] = {"one.img",    "next.img",       "d.flash",
                                        "vendor.pub", "mosquitto.conf", "mosquitto.log",
                                        "description"};

    end(&rig->device, SIGKILL);
    end(&rig->broker, SIGKILL);
    mosquitto_destroy(rig->client);
    mosquitto_lib_cleanup();
    if (rig->log_fd >= 0)
        close(rig->log_fd);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(path_of(rig, files[i]));
    rmdir(rig->folder);
    free(rig->office);
    free(rig);
}

/* ---- An update ------------------------------------------------------------------------------ */

void rig_release(struct rig *rig, uint32_t version, uint32_t size, const char *fault)
{
    struct world *office = rig->office;
    char version_text[16];
    char size_text[16];
    const char *arguments[] = {MUP_DEVICE,
                               "image",
                               "--version",
                               version_text,
                               "--size",
                               size_text,
                               "--out",
                               path_of(rig, "next.img"),
                               fault != NULL ? "--fault" : NULL,
                               fault,
                               NULL};
    FILE *file;

    snprintf(version_text, sizeof version_text, "%u", version);
    snprintf(size_text, sizeof size_text, "%u", size);
    run(arguments);
    file = fopen(path_of(rig, "next.img"), "rb");
    assert_non_null(file);
    assert_int_equal(size <= sizeof office->image, 1);
    assert_int_equal(fread(office->image, 1, size, file), size);
    fclose(file);
    world_release_image(office, version, size, 1024);
    office->manifest.link_offset = MUP_FLASH_BOOT_SIZE;
}

struct answer rig_request(struct rig *rig, const char *topic, const char *method, const void *item,
                          size_t item_size)
{
    struct mup_request request = {.method = {(const uint8_t *)method, strlen(method)},
                                  .argument_count = item != NULL,
                                  .arguments = {item, item_size}};
    struct broker_message message = {.size = 0};
    mosquitto_property *properties = NULL;
    uint8_t bytes[MUP_REQUEST_MAX];
    char full[96];
    size_t size;

    assert_int_equal(mup_request_encode(bytes, sizeof bytes, &size, &request), MUP_OK);
    snprintf(full, sizeof full, "%s" WORLD_NAME, topic);
    for (size_t i = 0; i < sizeof rig->correlation; i++)
        rig->correlation[i] = (uint8_t)rand();
    mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC,
                                  "mup/response/" WORLD_NAME);
    mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA, rig->correlation,
                                  sizeof rig->correlation);
    rig->response_came = false;
    assert_int_equal(
        mosquitto_publish_v5(rig->client, NULL, full, (int)size, bytes, 1, false, properties), 0);
    mosquitto_property_free_all(&properties);
    rig_until(rig, &rig->response_came, "a response");
    memcpy(message.payload, rig->response, rig->response_size);
    message.size = rig->response_size;
    return world_decode_answer(&message);
}

uint32_t rig_offer(struct rig *rig)
{
    static const struct forgery nothing;
    struct world *office = rig->office;
    struct answer answer = rig_request(rig, MUP_TOPIC_TOKEN, MUP_METHOD_GET_TOKEN, NULL, 0);
    struct mup_cbor_writer writer;
    uint8_t item[MUP_REQUEST_MAX];
    size_t size;

    assert_int_equal(answer.state, MUP_STATE_OK);
    assert_int_equal(mup_token_decode(&office->token, answer.value, answer.value_size), MUP_OK);
    world_extend(office, &nothing);
    mup_cbor_writer_init(&writer, item, sizeof item);
    mup_cbor_write_bytes(&writer, office->extended, office->extended_size);
    assert_int_equal(mup_cbor_writer_finish(&writer, &size), MUP_OK);
    answer = rig_request(rig, MUP_TOPIC_MANIFEST, MUP_METHOD_MANIFEST, item, size);
    if (answer.state == MUP_STATE_OK) {
        assert_int_equal(mup_ack_decode(&rig->ack, answer.value, answer.value_size), MUP_OK);
        rig->sent = rig->ack.next;
        rig->attempt = rig->ack.attempt;
    }
    return answer.state;
}

static void send_slice(struct rig *rig, uint32_t size)
{
    struct mup_slice_header header = {rig->ack.transfer, rig->attempt, rig->sent, size};
    uint8_t bytes[MUP_SLICE_HEADER_MAX + 4096];
    size_t header_size = mup_slice_header_encode(bytes, &header);

    memcpy(bytes + header_size, rig->office->payload + rig->sent, size);
    rig->sent += size;
    rig->slice_count++;
    if (rig->loses && rig->slice_count % 7 == 0)
        return;
    if (rig->loses && rig->slice_count % 11 == 0)
        bytes[header_size + size / 2] ^= 1;
    mosquitto_publish(rig->client, NULL, "mup/firmware/" WORLD_NAME, (int)(header_size + size),
                      bytes, 0, false);
}

static void send_slices(struct rig *rig)
{
    uint32_t most = rig->sent_most != 0 ? rig->sent_most : UINT32_MAX;

    if (rig->sent < rig->ack.next)
        rig->sent = rig->ack.next;
    while (rig->sent < rig->ack.limit && rig->sent < most) {
        uint32_t left = rig->ack.limit - rig->sent;

        send_slice(rig, left < 1000 ? left : 1000);
    }
}

void rig_transfer(struct rig *rig)
{
    uint32_t payload_size = rig->office->manifest.payload_size;
    uint32_t begin = now_ms();

    rig->serves = true;
    send_slices(rig);
    while (rig->ack.next < payload_size && (rig->sent_most == 0 || rig->sent < rig->sent_most)) {
        if (now_ms() - begin >= RIG_DEADLINE_MS)
            expired(rig, "acknowledgements");
        rig_turn(rig);
    }
}

void rig_update(struct rig *rig)
{
    assert_int_equal(rig_offer(rig), MUP_STATE_OK);
    rig_transfer(rig);
    assert_int_equal(rig_request(rig, MUP_TOPIC_VERIFY, MUP_METHOD_VERIFY, NULL, 0).state,
                     MUP_STATE_OK);
}
