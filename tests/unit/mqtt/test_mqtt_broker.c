/*
 * The client against a real mosquitto over TCP, with libmosquitto as the independent other end.
 * The broker runs on a free port of 127.0.0.1 with its files in a temporary folder; both end with
 * the test. Everything waits for events, with one generous deadline.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/cmocka_all.h"
#include "testbed.h"

#include "mup/mqtt.h"

#define DEADLINE_MS   60000u
#define MESSAGE_SIZE  307200u /* 300 kB, far more than all buffers together */
#define INPUT_SIZE    256u
#define RECEIVED_MAX  16u
#define PASSWORD_PORT 1 /* index of the listener that wants a password */

static pid_t broker_pid;
static uint16_t ports[2];
static char folder[] = "/tmp/mup-mqtt-XXXXXX";

static uint32_t now_ms(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (uint32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

static uint8_t pattern(uint32_t at)
{
    return (uint8_t)(at * 7u + (at >> 8) * 13u);
}

/* ---- The broker ------------------------------------------------------------------------ */

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {0};

    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int tcp_connect(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static const char *path_of(const char *name)
{
    static char path[sizeof folder + 32];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_config(void)
{
    FILE *file = fopen(path_of("mosquitto.conf"), "w");

    assert_non_null(file);
    fprintf(file,
            "per_listener_settings true\n"
            "listener %u 127.0.0.1\nallow_anonymous true\n"
            "listener %u 127.0.0.1\nallow_anonymous false\n"
            "set_tcp_nodelay true\nlog_dest file %s/log\n",
            ports[0], ports[1], folder);
    if (getuid() == 0)
        fprintf(file, "user root\n");
    assert_int_equal(fclose(file), 0);
}

static bool broker_listens(void)
{
    uint32_t start_ms = now_ms();

    while (now_ms() - start_ms < DEADLINE_MS) {
        int fd = tcp_connect(ports[PASSWORD_PORT]);

        if (fd >= 0) {
            close(fd);
            return true;
        }
        if (waitpid(broker_pid, NULL, WNOHANG) != 0)
            return false; /* it died: most likely somebody took the port */
        (void)poll(NULL, 0, 20);
    }
    return false;
}

static void start_broker(void)
{
    const char *config = path_of("mosquitto.conf");
    pid_t parent = getpid();

    ports[0] = (uint16_t)mup_testbed_free_port();
    ports[1] = (uint16_t)mup_testbed_free_port();
    write_config();
    broker_pid = fork();
    assert_true(broker_pid >= 0);
    if (broker_pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* ends with the test, also if that crashes */
        if (getppid() != parent)
            _exit(126);
        (void)freopen("/dev/null", "w", stderr);
        execlp("mosquitto", "mosquitto", "-c", config, (char *)NULL);
        execl("/usr/sbin/mosquitto", "mosquitto", "-c", config, (char *)NULL);
        _exit(127);
    }
}

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mosquitto_lib_init(), MOSQ_ERR_SUCCESS);
    for (int attempt = 0; attempt < 5; attempt++) {
        start_broker();
        if (broker_listens())
            return 0;
        (void)kill(broker_pid, SIGKILL);
        (void)waitpid(broker_pid, NULL, 0);
    }
    return -1;
}

static int teardown(void **state)
{
    (void)state;
    (void)kill(broker_pid, SIGTERM);
    (void)waitpid(broker_pid, NULL, 0);
    (void)unlink(path_of("mosquitto.conf"));
    (void)unlink(path_of("log"));
    (void)rmdir(folder);
    (void)mosquitto_lib_cleanup();
    return 0;
}

/* ---- The other end --------------------------------------------------------------------- */

struct peer {
    struct mosquitto *mosq;
    bool is_connected;
    bool is_subscribed;
    int published; /* PUBACKs */
    int received;
    size_t size; /* of the last message */
    bool is_pattern;
    char payload[32];
    uint8_t correlation[16];
    uint16_t correlation_size;
};

static void peer_on_connect(struct mosquitto *mosq, void *context, int reason, int flags,
                            const mosquitto_property *properties)
{
    struct peer *peer = context;

    (void)mosq, (void)flags, (void)properties;
    peer->is_connected = reason == 0;
}

static void peer_on_subscribe(struct mosquitto *mosq, void *context, int id, int count,
                              const int *granted, const mosquitto_property *properties)
{
    struct peer *peer = context;

    (void)mosq, (void)id, (void)count, (void)granted, (void)properties;
    peer->is_subscribed = true;
}

static void peer_on_publish(struct mosquitto *mosq, void *context, int id, int reason,
                            const mosquitto_property *properties)
{
    struct peer *peer = context;

    (void)mosq, (void)id, (void)properties;
    assert_true(reason < 0x80);
    peer->published++;
}

static void peer_on_message(struct mosquitto *mosq, void *context,
                            const struct mosquitto_message *message,
                            const mosquitto_property *properties)
{
    struct peer *peer = context;
    const uint8_t *bytes = message->payload;
    void *correlation = NULL;

    (void)mosq;
    peer->received++;
    peer->size = (size_t)message->payloadlen;
    peer->is_pattern = true;
    for (uint32_t i = 0; i < peer->size; i++)
        peer->is_pattern = peer->is_pattern && bytes[i] == pattern(i);
    (void)snprintf(peer->payload, sizeof peer->payload, "%.*s",
                   peer->size > 31 ? 31 : (int)peer->size,
                   bytes == NULL ? "" : (const char *)bytes);
    peer->correlation_size = 0;
    if (mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation,
                                       &peer->correlation_size, false) != NULL) {
        assert_true(peer->correlation_size <= sizeof peer->correlation);
        memcpy(peer->correlation, correlation, peer->correlation_size);
    }
    free(correlation);
}

/* ---- The client over a socket ---------------------------------------------------------- */

struct link {
    int fd;
    struct mup_mqtt mqtt;
    uint8_t out[256];
    uint8_t head[64];
    bool is_connected; /* since the last link_open() */
    bool session_present;
    bool is_closed;
    enum mup_mqtt_cause cause;
    uint8_t subscribed_reason;
    int subscribed;
    int published;
    int pings; /* PINGREQs that left */

    /* messages */
    bool acks_later;
    bool answers; /* to the response topic, at the end */
    bool answers_by_alias;
    int messages;
    int dups;
    uint32_t payload_size;
    bool is_pattern;
    uint8_t last_byte[RECEIVED_MAX]; /* of each message */
    struct mup_mqtt_message message;
};

static void link_init(struct link *link)
{
    memset(link, 0, sizeof *link);
    link->fd = -1;
    assert_int_equal(
        mup_mqtt_init(&link->mqtt, link->out, sizeof link->out, link->head, sizeof link->head),
        MUP_OK);
}

static void link_lose(struct link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    mup_mqtt_lost(&link->mqtt);
}

static void link_open(struct link *link, uint16_t port, const struct mup_mqtt_options *options)
{
    link_lose(link);
    link->fd = tcp_connect(port);
    assert_true(link->fd >= 0);
    link->is_connected = false;
    link->is_closed = false;
    assert_int_equal(mup_mqtt_connect(&link->mqtt, now_ms(), options), MUP_OK);
}

static void link_answer(struct link *link)
{
    struct mup_mqtt_publish answer = {0};

    answer.topic = link->message.response_topic;
    answer.correlation = link->message.correlation;
    answer.payload = "answer";
    answer.payload_size = 6;
    answer.alias = link->answers_by_alias ? 1 : 0;
    assert_int_equal(mup_mqtt_publish(&link->mqtt, NULL, &answer), MUP_OK);
}

static void link_payload(struct link *link, const struct mup_mqtt_payload *payload)
{
    assert_int_equal(payload->offset, link->payload_size);
    for (uint32_t i = 0; i < payload->size; i++)
        link->is_pattern = link->is_pattern && payload->at[i] == pattern(payload->offset + i);
    link->payload_size += (uint32_t)payload->size;
    link->last_byte[(unsigned)link->messages % RECEIVED_MAX] = payload->at[payload->size - 1];
}

static void link_event(struct link *link, const struct mup_mqtt_event *event)
{
    switch (event->kind) {
    case MUP_MQTT_CONNECTED:
        link->is_connected = true;
        link->session_present = event->connected.session_present;
        break;
    case MUP_MQTT_MESSAGE:
        link->message = event->message;
        link->payload_size = 0;
        link->is_pattern = true;
        link->dups += event->message.is_dup;
        if (link->acks_later)
            mup_mqtt_ack_later(&link->mqtt);
        break;
    case MUP_MQTT_PAYLOAD:
        link_payload(link, &event->payload);
        break;
    case MUP_MQTT_MESSAGE_END:
        assert_int_equal(link->payload_size, link->message.payload_size);
        link->messages++;
        if (link->answers)
            link_answer(link);
        break;
    case MUP_MQTT_PUBLISHED:
        assert_true(event->reason < 0x80);
        link->published++;
        break;
    case MUP_MQTT_SUBSCRIBED:
        link->subscribed++;
        link->subscribed_reason = event->reason;
        break;
    case MUP_MQTT_CLOSED:
        link->is_closed = true;
        link->cause = event->cause;
        break;
    case MUP_MQTT_DROPPED:
    case MUP_MQTT_UNSUBSCRIBED:
        break;
    }
}

static void link_send(struct link *link)
{
    const uint8_t *bytes;
    size_t size = mup_mqtt_output(&link->mqtt, &bytes);
    ssize_t sent;

    if (size == 0 || link->fd < 0)
        return;
    link->pings += size == 2 && bytes[0] == 0xc0;
    sent = send(link->fd, bytes, size, MSG_NOSIGNAL);
    if (sent > 0)
        mup_mqtt_sent(&link->mqtt, now_ms(), (size_t)sent);
}

static void link_receive(struct link *link)
{
    uint8_t input[INPUT_SIZE];
    ssize_t got = recv(link->fd, input, sizeof input, 0);
    size_t at = 0;
    struct mup_mqtt_event event;
    enum mup_status status;
    size_t used;

    if (got <= 0)
        return;
    for (;;) {
        status = mup_mqtt_input(&link->mqtt, now_ms(), input + at, (size_t)got - at, &used, &event);
        at += used;
        if (status == MUP_OK)
            link_event(link, &event);
        else if (status == MUP_ERR_BUSY)
            link_send(link);
        else
            break;
    }
}

/* One turn of the loop for both ends; either may be NULL. */
static void turn(struct link *link, struct peer *peer)
{
    const uint8_t *bytes;
    struct mup_mqtt_event event;
    struct pollfd polled[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};

    if (link != NULL && link->fd >= 0) {
        link_send(link);
        polled[0].fd = link->fd;
        if (mup_mqtt_output(&link->mqtt, &bytes) != 0)
            polled[0].events |= POLLOUT;
    }
    if (peer != NULL) {
        polled[1].fd = mosquitto_socket(peer->mosq);
        if (mosquitto_want_write(peer->mosq))
            polled[1].events |= POLLOUT;
    }
    (void)poll(polled, 2, 100);
    if (peer != NULL) {
        (void)mosquitto_loop_read(peer->mosq, 1);
        (void)mosquitto_loop_write(peer->mosq, 1);
        (void)mosquitto_loop_misc(peer->mosq);
    }
    if (link != NULL && link->fd >= 0) {
        link_receive(link);
        if (mup_mqtt_tick(&link->mqtt, now_ms(), &event) == MUP_OK)
            link_event(link, &event);
    }
}

#define UNTIL(link, peer, condition)                        \
    do {                                                    \
        uint32_t until_start_ms = now_ms();                 \
        while (!(condition)) {                              \
            if (now_ms() - until_start_ms > DEADLINE_MS)    \
                fail_msg("never happened: %s", #condition); \
            turn(link, peer);                               \
        }                                                   \
    } while (0)

static void peer_open(struct peer *peer, const char *topic)
{
    memset(peer, 0, sizeof *peer);
    peer->mosq = mosquitto_new(NULL, true, peer);
    assert_non_null(peer->mosq);
    assert_int_equal(mosquitto_int_option(peer->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5),
                     MOSQ_ERR_SUCCESS);
    mosquitto_connect_v5_callback_set(peer->mosq, peer_on_connect);
    mosquitto_subscribe_v5_callback_set(peer->mosq, peer_on_subscribe);
    mosquitto_publish_v5_callback_set(peer->mosq, peer_on_publish);
    mosquitto_message_v5_callback_set(peer->mosq, peer_on_message);
    assert_int_equal(mosquitto_connect(peer->mosq, "127.0.0.1", ports[0], 600), MOSQ_ERR_SUCCESS);
    UNTIL(NULL, peer, peer->is_connected);
    if (topic == NULL)
        return;
    assert_int_equal(mosquitto_subscribe(peer->mosq, NULL, topic, 1), MOSQ_ERR_SUCCESS);
    UNTIL(NULL, peer, peer->is_subscribed);
}

static void peer_publish(struct peer *peer, const char *topic, const void *bytes, size_t size,
                         int qos, const mosquitto_property *properties)
{
    assert_int_equal(
        mosquitto_publish_v5(peer->mosq, NULL, topic, (int)size, bytes, qos, false, properties),
        MOSQ_ERR_SUCCESS);
}

static void peer_close(struct peer *peer)
{
    (void)mosquitto_disconnect(peer->mosq);
    mosquitto_destroy(peer->mosq);
}

static void link_subscribe(struct link *link, const char *topic, uint8_t qos)
{
    struct mup_mqtt_filter filter = {mup_mqtt_text(topic), qos, false};
    int before = link->subscribed;

    assert_int_equal(mup_mqtt_subscribe(&link->mqtt, &filter, 1), MUP_OK);
    UNTIL(link, NULL, link->subscribed > before);
    assert_int_equal(link->subscribed_reason, qos);
}

static struct mup_mqtt_options options_of(const char *client_id)
{
    struct mup_mqtt_options options = {0};

    options.client_id = mup_mqtt_text(client_id);
    options.session_expiry_s = 600;
    options.topic_alias_maximum = 4;
    options.receive_maximum = 2;
    options.keep_alive_s = 30;
    return options;
}

/* ---- Tests ----------------------------------------------------------------------------- */

static uint8_t *large_message(void)
{
    uint8_t *bytes = malloc(MESSAGE_SIZE);

    assert_non_null(bytes);
    for (uint32_t i = 0; i < MESSAGE_SIZE; i++)
        bytes[i] = pattern(i);
    return bytes;
}

static void a_message_far_larger_than_all_buffers_streams_in(void **state)
{
    struct mup_mqtt_options options = options_of("large-in");
    uint8_t *bytes = large_message();
    struct link link;
    struct peer peer;

    (void)state;
    link_init(&link);
    link_open(&link, ports[0], &options);
    UNTIL(&link, NULL, link.is_connected);
    assert_false(link.session_present);
    link_subscribe(&link, "large/in", 1);
    peer_open(&peer, NULL);
    for (int qos = 0; qos < 2; qos++) {
        peer_publish(&peer, "large/in", bytes, MESSAGE_SIZE, qos, NULL);
        UNTIL(&link, &peer, link.messages == qos + 1);
        assert_int_equal(link.payload_size, MESSAGE_SIZE);
        assert_true(link.is_pattern);
        assert_int_equal(link.message.qos, qos);
    }
    assert_false(link.is_closed);
    peer_close(&peer);
    link_lose(&link);
    free(bytes);
}

static void a_message_far_larger_than_all_buffers_streams_out(void **state)
{
    struct mup_mqtt_options options = options_of("large-out");
    struct mup_mqtt_publish message = {0};
    const uint8_t *out;
    uint16_t id;
    struct link link;
    struct peer peer;

    (void)state;
    peer_open(&peer, "large/out");
    link_init(&link);
    link_open(&link, ports[0], &options);
    UNTIL(&link, NULL, link.is_connected);
    message.topic = mup_mqtt_text("large/out");
    message.payload_size = MESSAGE_SIZE;
    for (uint8_t qos = 0; qos < 2; qos++) {
        uint32_t done = 0;
        uint8_t piece[100];

        message.qos = qos;
        assert_int_equal(mup_mqtt_publish(&link.mqtt, &id, &message), MUP_OK);
        while (done < MESSAGE_SIZE) {
            for (uint32_t i = 0; i < sizeof piece; i++)
                piece[i] = pattern(done + i);
            done += (uint32_t)mup_mqtt_publish_more(&link.mqtt, piece, sizeof piece);
            if (mup_mqtt_output(&link.mqtt, &out) < sizeof link.out)
                continue;
            link_send(&link);
            if (mup_mqtt_output(&link.mqtt, &out) == sizeof link.out)
                turn(&link, &peer); /* the socket is full */
        }
        UNTIL(&link, &peer, peer.received == qos + 1 && link.published == qos);
        assert_int_equal(peer.size, MESSAGE_SIZE);
        assert_true(peer.is_pattern);
    }
    peer_close(&peer);
    link_lose(&link);
}

static void a_request_is_answered_at_its_response_topic(void **state)
{
    static const uint8_t correlation[] = {0x00, 0xff, 0x00, 0x17, 0x2b};
    struct mup_mqtt_options options = options_of("answers");
    mosquitto_property *properties = NULL;
    struct link link;
    struct peer peer;

    (void)state;
    peer_open(&peer, "answers/here");
    link_init(&link);
    link.answers = true;
    link_open(&link, ports[0], &options);
    UNTIL(&link, NULL, link.is_connected);
    link_subscribe(&link, "requests", 1);
    assert_int_equal(
        mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC, "answers/here"),
        MOSQ_ERR_SUCCESS);
    assert_int_equal(mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA,
                                                   correlation, sizeof correlation),
                     MOSQ_ERR_SUCCESS);
    assert_int_equal(
        mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, "by", "the way"),
        MOSQ_ERR_SUCCESS);
    for (int i = 1; i <= 3; i++) { /* first by topic, then setting the alias, then by alias */
        peer_publish(&peer, "requests", "do", 2, 1, properties);
        UNTIL(&link, &peer, peer.received == i);
        assert_string_equal(peer.payload, "answer");
        assert_int_equal(peer.correlation_size, sizeof correlation);
        assert_memory_equal(peer.correlation, correlation, sizeof correlation);
        link.answers_by_alias = true;
    }
    UNTIL(&link, &peer, peer.published == 3);
    mosquitto_property_free_all(&properties);
    peer_close(&peer);
    link_lose(&link);
}

static void a_session_goes_on_where_it_was_left(void **state)
{
    struct mup_mqtt_options options = options_of("resumes");
    struct link link;
    struct peer peer;

    (void)state;
    link_init(&link);
    link_open(&link, ports[0], &options);
    UNTIL(&link, NULL, link.is_connected);
    link_subscribe(&link, "resumes/in", 1);
    link_lose(&link);

    peer_open(&peer, NULL);
    for (uint8_t i = 1; i <= 5; i++)
        peer_publish(&peer, "resumes/in", &i, 1, 1, NULL);
    UNTIL(NULL, &peer, peer.published == 5);

    link_open(&link, ports[0], &options);
    UNTIL(&link, NULL, link.messages == 5); /* two at a time: Receive Maximum */
    assert_true(link.session_present);
    for (uint8_t i = 1; i <= 5; i++)
        assert_int_equal(link.last_byte[i - 1], i);

    options.clean_start = true;
    link_open(&link, ports[0], &options);
    UNTIL(&link, NULL, link.is_connected);
    assert_false(link.session_present);
    peer_close(&peer);
    link_lose(&link);
}

static void what_was_not_acknowledged_comes_again_as_a_repeat(void **state)
{
    struct mup_mqtt_options options = options_of("repeats");
    struct link link;
    struct peer peer;

    (void)state;
    link_init(&link);
    link.acks_later = true;
    link_open(&link, ports[0], &options);
    UNTIL(&link, NULL, link.is_connected);
    link_subscribe(&link, "repeats/in", 1);
    peer_open(&peer, NULL);
    peer_publish(&peer, "repeats/in", "x", 1, 1, NULL);
    UNTIL(&link, &peer, link.messages == 1);
    assert_int_equal(link.dups, 0);

    link.acks_later = false;
    link_open(&link, ports[0], &options);
    UNTIL(&link, NULL, link.messages == 2);
    assert_true(link.session_present);
    assert_int_equal(link.dups, 1);
    peer_close(&peer);
    link_lose(&link);
}

static void a_message_above_our_packet_size_is_not_sent_to_us(void **state)
{
    struct mup_mqtt_options options = options_of("limits");
    char bytes[600];
    struct link link;
    struct peer peer;

    (void)state;
    memset(bytes, 'z', sizeof bytes);
    options.maximum_packet_size = 300;
    link_init(&link);
    link_open(&link, ports[0], &options);
    UNTIL(&link, NULL, link.is_connected);
    link_subscribe(&link, "limits/in", 1);
    peer_open(&peer, NULL);
    peer_publish(&peer, "limits/in", bytes, sizeof bytes, 1, NULL);
    peer_publish(&peer, "limits/in", bytes, 200, 1, NULL);
    UNTIL(&link, &peer, link.messages == 1);
    assert_int_equal(link.payload_size, 200);
    assert_false(link.is_closed);
    peer_close(&peer);
    link_lose(&link);
}

static void without_the_password_the_broker_refuses(void **state)
{
    struct mup_mqtt_options options = options_of("stranger");
    struct link link;

    (void)state;
    link_init(&link);
    options.user_name = mup_mqtt_text("nobody");
    options.password = mup_mqtt_text("nothing");
    link_open(&link, ports[PASSWORD_PORT], &options);
    UNTIL(&link, NULL, link.is_closed);
    assert_false(link.is_connected);
    assert_int_equal(link.cause, MUP_MQTT_CAUSE_CREDENTIALS);
    link_lose(&link);
}

static void pings_keep_an_idle_connection(void **state)
{
    struct mup_mqtt_options options = options_of("idle");
    struct link link;

    (void)state;
    options.keep_alive_s = 1; /* the broker closes after 1.5 s */
    options.response_timeout_ms = DEADLINE_MS;
    link_init(&link);
    link_open(&link, ports[0], &options);
    UNTIL(&link, NULL, link.pings == 3); /* the third is sent only if two were answered */
    assert_false(link.is_closed);
    link_subscribe(&link, "idle/in", 0);
    link_lose(&link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_far_larger_than_all_buffers_streams_in),
        cmocka_unit_test(a_message_far_larger_than_all_buffers_streams_out),
        cmocka_unit_test(a_request_is_answered_at_its_response_topic),
        cmocka_unit_test(a_session_goes_on_where_it_was_left),
        cmocka_unit_test(what_was_not_acknowledged_comes_again_as_a_repeat),
        cmocka_unit_test(a_message_above_our_packet_size_is_not_sent_to_us),
        cmocka_unit_test(without_the_password_the_broker_refuses),
        cmocka_unit_test(pings_keep_an_idle_connection),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
