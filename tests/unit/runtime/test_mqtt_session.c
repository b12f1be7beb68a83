/*
 * The daemons' MQTT session against a real mosquitto, and against a broker of a few bytes where a
 * real one cannot be made to misbehave. What goes over the wire is looked at by libmosquitto as an
 * independent peer. Everything waits for events, with one generous deadline.
 */
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
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cmocka_all.h"
#include "support/loop_end.h"

#include "process.h"
#include "runtime/log.h"
#include "runtime/loop.h"
#include "runtime/mqtt_session.h"
#include "testbed.h"

#define DEADLINE_MS  30000u
#define HELD_MAX     8u
#define KEEP_ALIVE_S 5 /* the least that libmosquitto takes */

static struct mup_process_set processes;
static struct mup_process *broker;
static struct mup_loop loop;
static char folder[] = "/tmp/mup-session-XXXXXX";
static uint16_t keep_alive_s = KEEP_ALIVE_S;
static uint32_t connect_timeout_ms;
static struct mup_mqtt_session *live[4];
static int open_port;   /* anybody, anything */
static int closed_port; /* with a password and an access list */

/* ---- time and turns ---- */

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000u;
}

static void turn(void)
{
    struct pollfd polled = {.fd = uv_backend_fd(&loop.uv), .events = POLLIN};

    (void)uv_run(&loop.uv, UV_RUN_NOWAIT);
    (void)poll(&polled, 1, 5);
    (void)uv_run(&loop.uv, UV_RUN_NOWAIT);
}

#define WAIT_FOR(condition)                        \
    do {                                           \
        uint64_t end_ms = now_ms() + DEADLINE_MS;  \
        while (!(condition)) {                     \
            if (now_ms() > end_ms)                 \
                fail_msg("never: %s", #condition); \
            turn();                                \
        }                                          \
    } while (false)

/* ---- the real broker ---- */

static const char *path_of(const char *name)
{
    static char paths[4][sizeof folder + 32];
    static unsigned at;

    at = (at + 1) % 4;
    (void)snprintf(paths[at], sizeof paths[at], "%s/%s", folder, name);
    return paths[at];
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_password(const char *password)
{
    const char *argv[] = {
        "/usr/bin/mosquitto_passwd", "-b", "-c", path_of("passwords"), "daemon", password, NULL};
    struct mup_process *tool = mup_process_start(&processes, "passwd", argv);

    assert_non_null(tool);
    while (mup_process_is_running(tool))
        mup_process_pump(&processes, 20);
    assert_int_equal(tool->exit_status, 0);
}

static void start_broker(void)
{
    const char *argv[] = {"/usr/sbin/mosquitto", "-c", path_of("conf"), NULL};

    broker = mup_process_start(&processes, "mosquitto", argv);
    assert_non_null(broker);
    assert_true(mup_process_wait_line(&processes, broker, " running", (int)DEADLINE_MS, NULL, 0));
}

static void restart_broker_empty(void)
{
    mup_process_kill(broker);
    start_broker(); /* it keeps nothing on disk */
}

static int setup(void **state)
{
    char text[1024];

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(processes.log_folder, sizeof processes.log_folder, "%s", folder);
    open_port = mup_testbed_free_port();
    closed_port = mup_testbed_free_port();
    (void)snprintf(text, sizeof text,
                   "per_listener_settings true\n%s"
                   "listener %d 127.0.0.1\nallow_anonymous true\nmax_packet_size 200000\n"
                   "listener %d 127.0.0.1\nallow_anonymous false\n"
                   "password_file %s/passwords\nacl_file %s/acl\n"
                   "persistence false\nset_tcp_nodelay true\nlog_dest stderr\n",
                   getuid() == 0 ? "user root\n" : "", open_port, closed_port, folder, folder);
    write_file("conf", text);
    write_file("acl", "user daemon\ntopic readwrite mine/#\n");
    write_password("right");
    mup_log_set_level(MUP_LOG_ERROR);
    assert_int_equal(mup_loop_init(&loop, NULL, NULL), MUP_OK);
    start_broker();
    return 0;
}

static int teardown(void **state)
{
    static const char *const files[] = {"conf", "acl", "passwords", "mosquitto.log", "passwd.log"};

    bool is_closed = loop_end(&loop);

    (void)state;
    mup_process_stop_all(&processes);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)unlink(path_of(files[i]));
    return rmdir(folder) == 0 && is_closed ? 0 : -1;
}

/* ---- the session that is tested ---- */

struct held {
    char topic[64];
    uint8_t payload[256];
    size_t payload_size;
    int qos;
    char response_topic[64];
    uint8_t correlation[MUP_MQTT_CORRELATION_SIZE_MAX];
    size_t correlation_size;
};

struct daemon {
    struct mup_mqtt_session *session;
    size_t lies; /* callbacks that contradict the session; nothing may be asserted inside of them,
                  * because libmosquitto holds locks meanwhile */
    size_t connects;
    size_t losses;
    size_t published;
    size_t refused;
    int last_id;
    int last_reason;
    size_t denied;
    char denied_filter[64];
    size_t received;
    struct held held[HELD_MAX]; /* the first of them */
};

static void on_message(void *arg, const struct mup_mqtt_message *message)
{
    struct daemon *daemon = arg;
    struct held *held = &daemon->held[daemon->received < HELD_MAX ? daemon->received : 0];

    daemon->received++;
    if (daemon->received > HELD_MAX)
        return;
    (void)snprintf(held->topic, sizeof held->topic, "%s", message->topic);
    held->qos = message->qos;
    held->payload_size = message->payload_size;
    if (message->payload_size <= sizeof held->payload && message->payload_size > 0)
        memcpy(held->payload, message->payload, message->payload_size);
    if (message->response_topic != NULL)
        (void)snprintf(held->response_topic, sizeof held->response_topic, "%s",
                       message->response_topic);
    held->correlation_size = message->correlation_size;
    if (message->correlation_size > 0 && message->correlation_size <= sizeof held->correlation)
        memcpy(held->correlation, message->correlation, message->correlation_size);
}

static void on_state(void *arg, bool connected)
{
    struct daemon *daemon = arg;

    if (mup_mqtt_session_is_connected(daemon->session) != connected)
        daemon->lies++;
    if (connected)
        daemon->connects++;
    else
        daemon->losses++;
}

static void on_published(void *arg, int id, int reason)
{
    struct daemon *daemon = arg;

    daemon->published++;
    daemon->refused += reason >= 0x80;
    daemon->last_id = id;
    daemon->last_reason = reason;
}

static void on_denied(void *arg, const char *filter, int reason)
{
    struct daemon *daemon = arg;

    daemon->denied++;
    daemon->last_reason = reason;
    (void)snprintf(daemon->denied_filter, sizeof daemon->denied_filter, "%s", filter);
}

static void make(struct daemon *daemon, int port, const char *password)
{
    static const struct mup_mqtt_callbacks callbacks = {on_message, on_state, on_published,
                                                        on_denied};
    struct mup_mqtt_settings settings = {.host = "127.0.0.1",
                                         .port = (uint16_t)port,
                                         .client_id = "daemon",
                                         .user = password == NULL ? NULL : "daemon",
                                         .password = password,
                                         .session_expiry_s = 3600,
                                         .keep_alive_s = keep_alive_s,
                                         .connect_timeout_ms = connect_timeout_ms};
    size_t i = 0;

    memset(daemon, 0, sizeof *daemon);
    while (live[i] != NULL)
        assert_true(++i < sizeof live / sizeof live[0]);
    live[i] = daemon->session = mup_mqtt_session_new(&loop, &settings, &callbacks, daemon);
    assert_non_null(daemon->session);
}

static void start(struct daemon *daemon, int port)
{
    make(daemon, port, NULL);
    mup_mqtt_session_start(daemon->session);
    WAIT_FOR(daemon->connects == 1);
}

static void end(struct daemon *daemon)
{
    size_t i = 0;

    while (live[i] != daemon->session)
        i++;
    live[i] = NULL;
    mup_mqtt_session_free(daemon->session);
    daemon->session = NULL;
    turn();
    assert_int_equal(daemon->lies, 0);
}

/* After each test: what one that failed has left behind. Its `struct daemon` is gone by then. */
static int clean_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof live / sizeof live[0]; i++) {
        mup_mqtt_session_free(live[i]);
        live[i] = NULL;
    }
    turn();
    keep_alive_s = KEEP_ALIVE_S;
    connect_timeout_ms = 0;
    if (mup_process_is_running(broker))
        kill(broker->pid, SIGCONT);
    else
        start_broker();
    return 0;
}

static enum mup_status publish(struct daemon *daemon, const char *topic, int qos)
{
    return mup_mqtt_session_publish(
        daemon->session,
        &(struct mup_mqtt_publish){.topic = topic, .payload = "x", .payload_size = 1, .qos = qos},
        NULL);
}

/* Until the broker has done what was sent before, subscriptions above all: it takes one after the
 * other. */
static void fence(struct daemon *daemon)
{
    size_t before = daemon->published;

    assert_int_equal(publish(daemon, "fence", 1), MUP_OK);
    WAIT_FOR(daemon->published == before + 1);
}

/* ---- libmosquitto as the other end ---- */

struct peer {
    struct mosquitto *mosq;
    bool subscribed;
    size_t received;
    struct held last;
    bool has_expiry;
    uint32_t expiry_s;
};

static void peer_on_connect(struct mosquitto *mosq, void *context, int reason)
{
    (void)context;
    if (reason == 0)
        (void)mosquitto_subscribe(mosq, NULL, "#", 1);
}

static void peer_on_subscribe(struct mosquitto *mosq, void *context, int id, int count,
                              const int *granted)
{
    struct peer *peer = context;

    (void)mosq, (void)id, (void)count, (void)granted;
    peer->subscribed = true;
}

static void peer_on_message(struct mosquitto *mosq, void *context,
                            const struct mosquitto_message *message,
                            const mosquitto_property *properties)
{
    struct peer *peer = context;
    struct held *last = &peer->last;
    char *response_topic = NULL;
    void *correlation = NULL;
    uint16_t size = 0;

    (void)mosq;
    memset(last, 0, sizeof *last);
    peer->has_expiry = mosquitto_property_read_int32(properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                                     &peer->expiry_s, false) != NULL;
    (void)snprintf(last->topic, sizeof last->topic, "%s", message->topic);
    last->qos = message->qos;
    last->payload_size = (size_t)message->payloadlen;
    if (last->payload_size > 0 && last->payload_size <= sizeof last->payload)
        memcpy(last->payload, message->payload, last->payload_size);
    (void)mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &response_topic,
                                         false);
    (void)mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation,
                                         &size, false);
    if (response_topic != NULL)
        (void)snprintf(last->response_topic, sizeof last->response_topic, "%s", response_topic);
    last->correlation_size = size;
    if (size > 0 && size <= sizeof last->correlation)
        memcpy(last->correlation, correlation, size);
    free(response_topic);
    free(correlation);
    peer->received++;
}

static bool peer_step(struct peer *peer)
{
    return mosquitto_loop(peer->mosq, 0, 1) == MOSQ_ERR_SUCCESS;
}

static void peer_open(struct peer *peer)
{
    memset(peer, 0, sizeof *peer);
    peer->mosq = mosquitto_new("peer", true, peer);
    assert_non_null(peer->mosq);
    assert_int_equal(mosquitto_int_option(peer->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5),
                     0);
    mosquitto_connect_callback_set(peer->mosq, peer_on_connect);
    mosquitto_subscribe_callback_set(peer->mosq, peer_on_subscribe);
    mosquitto_message_v5_callback_set(peer->mosq, peer_on_message);
    assert_int_equal(mosquitto_connect(peer->mosq, "127.0.0.1", open_port, 60), 0);
    WAIT_FOR(peer_step(peer) && peer->subscribed);
}

static void peer_close(struct peer *peer)
{
    (void)mosquitto_disconnect(peer->mosq);
    mosquitto_destroy(peer->mosq);
}

/* ---- a broker of a few bytes ---- */

struct fake {
    int listener;
    int port;
    int fd; /* -1: nobody is connected */
    size_t connects;
    uint64_t connected_ms[HELD_MAX];
    const uint8_t *answer; /* to the first bytes of each connection */
    size_t answer_size;
    uint8_t bytes[4096]; /* what came after those */
    size_t size;
    bool hang_up; /* after the answer */
};

static void fake_open(struct fake *fake, const uint8_t *answer, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    memset(fake, 0, sizeof *fake);
    fake->fd = -1;
    fake->answer = answer;
    fake->answer_size = size;
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fake->listener >= 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fake->listener, 16), 0);
    assert_int_equal(getsockname(fake->listener, (struct sockaddr *)&address, &length), 0);
    fake->port = ntohs(address.sin_port);
}

static void fake_send(const struct fake *fake, const uint8_t *bytes, size_t size)
{
    assert_int_equal(send(fake->fd, bytes, size, MSG_NOSIGNAL), size);
}

static void fake_hang_up(struct fake *fake)
{
    if (fake->fd >= 0)
        close(fake->fd);
    fake->fd = -1;
}

/* Accept, answer the CONNECT, keep what comes behind it. */
static bool fake_step(struct fake *fake)
{
    uint8_t bytes[4096];
    ssize_t size;
    int fd = accept4(fake->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        fake_hang_up(fake);
        fake->fd = fd;
        fake->size = 0;
    }
    if (fake->fd < 0 || (size = recv(fake->fd, bytes, sizeof bytes, 0)) <= 0)
        return true;
    if (bytes[0] == 0x10) { /* CONNECT, which comes in one piece */
        if (fake->connects < HELD_MAX)
            fake->connected_ms[fake->connects] = now_ms();
        fake->connects++;
        fake_send(fake, fake->answer, fake->answer_size);
        if (fake->hang_up)
            fake_hang_up(fake);
        return true;
    }
    assert_true(fake->size + (size_t)size <= sizeof fake->bytes);
    memcpy(fake->bytes + fake->size, bytes, (size_t)size);
    fake->size += (size_t)size;
    return true;
}

static void fake_close(struct fake *fake)
{
    fake_hang_up(fake);
    close(fake->listener);
}

static const uint8_t connack_ok[] = {0x20, 3, 0, 0x00, 0};

/* ---- messages ---- */

static void what_is_published_arrives_with_its_properties(void **state)
{
    static const uint8_t correlation[] = {0x00, 0x17, 0x00, 0x00, 0xfe, 0x00};
    struct mup_mqtt_publish message = {.topic = "to/peer",
                                       .payload = "a\0b",
                                       .payload_size = 3,
                                       .response_topic = "back/here",
                                       .correlation = correlation,
                                       .correlation_size = sizeof correlation,
                                       .expiry_s = 77};
    struct daemon daemon;
    struct peer peer;

    (void)state;
    start(&daemon, open_port);
    peer_open(&peer);
    for (message.qos = 0; message.qos <= 1; message.qos++) {
        size_t before = peer.received;
        int id = 0;

        assert_int_equal(mup_mqtt_session_publish(daemon.session, &message, &id), MUP_OK);
        WAIT_FOR(peer_step(&peer) && peer.received == before + 1);
        assert_string_equal(peer.last.topic, "to/peer");
        assert_int_equal(peer.last.qos, message.qos);
        assert_int_equal(peer.last.payload_size, 3);
        assert_memory_equal(peer.last.payload, "a\0b", 3);
        assert_string_equal(peer.last.response_topic, "back/here");
        assert_int_equal(peer.last.correlation_size, sizeof correlation);
        assert_memory_equal(peer.last.correlation, correlation, sizeof correlation);
        assert_true(peer.has_expiry);
        assert_in_range(peer.expiry_s, 60, 77);
        if (message.qos == 1) {
            WAIT_FOR(daemon.published == 1);
            assert_int_equal(daemon.last_id, id);
        }
    }
    message = (struct mup_mqtt_publish){.topic = "bare", .qos = 1};
    assert_int_equal(mup_mqtt_session_publish(daemon.session, &message, NULL), MUP_OK);
    WAIT_FOR(peer_step(&peer) && strcmp(peer.last.topic, "bare") == 0);
    assert_int_equal(peer.last.payload_size, 0);
    assert_string_equal(peer.last.response_topic, "");
    assert_int_equal(peer.last.correlation_size, 0);
    assert_false(peer.has_expiry);
    WAIT_FOR(daemon.published == 2); /* of QoS 0 nothing is ever said */
    peer_close(&peer);
    end(&daemon);
}

static void what_arrives_has_its_properties(void **state)
{
    static const uint8_t correlation[] = {0x00, 0x91, 0x00};
    mosquitto_property *properties = NULL;
    struct daemon daemon;
    struct peer peer;

    (void)state;
    make(&daemon, open_port, NULL);
    assert_int_equal(mup_mqtt_session_subscribe(daemon.session, "in/+", 1), MUP_OK);
    mup_mqtt_session_start(daemon.session);
    WAIT_FOR(daemon.connects == 1);
    fence(&daemon);
    peer_open(&peer);
    assert_int_equal(
        mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC, "answer/it"), 0);
    assert_int_equal(mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA,
                                                   correlation, sizeof correlation),
                     0);
    assert_int_equal(
        mosquitto_publish_v5(peer.mosq, NULL, "in/1", 4, "\0\1\2\3", 1, false, properties), 0);
    assert_int_equal(mosquitto_publish_v5(peer.mosq, NULL, "in/2", 0, NULL, 0, false, NULL), 0);
    mosquitto_property_free_all(&properties);
    WAIT_FOR(peer_step(&peer) && daemon.received == 2);
    assert_string_equal(daemon.held[0].topic, "in/1");
    assert_int_equal(daemon.held[0].qos, 1);
    assert_int_equal(daemon.held[0].payload_size, 4);
    assert_memory_equal(daemon.held[0].payload, "\0\1\2\3", 4);
    assert_string_equal(daemon.held[0].response_topic, "answer/it");
    assert_int_equal(daemon.held[0].correlation_size, sizeof correlation);
    assert_memory_equal(daemon.held[0].correlation, correlation, sizeof correlation);
    assert_string_equal(daemon.held[1].topic, "in/2");
    assert_int_equal(daemon.held[1].payload_size, 0);
    assert_string_equal(daemon.held[1].response_topic, "");
    assert_int_equal(daemon.held[1].correlation_size, 0);
    peer_close(&peer);
    end(&daemon);
}

static void what_cannot_be_sent_is_refused_and_nothing_breaks(void **state)
{
    static uint8_t large[MUP_MQTT_PACKET_SIZE_MAX + 1];
    char long_topic[MUP_MQTT_TOPIC_SIZE_MAX + 2];
    const struct {
        struct mup_mqtt_publish message;
        enum mup_status wanted;
    } cases[] = {
        {{.topic = "", .qos = 1}, MUP_ERR_FORMAT},
        {{.topic = "a/+", .qos = 1}, MUP_ERR_FORMAT},
        {{.topic = "a/#", .qos = 0}, MUP_ERR_FORMAT},
        {{.topic = "a/\xff", .qos = 1}, MUP_ERR_FORMAT},
        {{.topic = long_topic, .qos = 1}, MUP_ERR_FORMAT},
        {{.topic = "a", .qos = 1, .response_topic = "b/+"}, MUP_ERR_FORMAT},
        {{.topic = "a", .qos = 1, .response_topic = "b/\xc3"}, MUP_ERR_FORMAT},
        {{.topic = "a", .payload = large, .payload_size = sizeof large}, MUP_ERR_RANGE},
        {{.topic = "a", .payload = large, .payload_size = 200000, .qos = 1}, MUP_ERR_RANGE},
        {{.topic = "a", .payload = large, .payload_size = 200000, .qos = 0}, MUP_ERR_RANGE},
        {{.topic = "a",
          .correlation = large,
          .correlation_size = MUP_MQTT_CORRELATION_SIZE_MAX + 1},
         MUP_ERR_RANGE},
    };
    struct daemon daemon;

    (void)state;
    memset(long_topic, 't', sizeof long_topic - 1);
    long_topic[sizeof long_topic - 1] = '\0';
    make(&daemon, open_port, NULL);
    assert_int_equal(publish(&daemon, "a", 0), MUP_ERR_BUSY); /* not connected */
    assert_int_equal(publish(&daemon, "a", 1), MUP_ERR_BUSY);
    mup_mqtt_session_start(daemon.session);
    WAIT_FOR(daemon.connects == 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int id = -1;
        assert_int_equal(mup_mqtt_session_publish(daemon.session, &cases[i].message, &id),
                         cases[i].wanted);
        assert_int_equal(id, -1);
    }
    long_topic[MUP_MQTT_TOPIC_SIZE_MAX] = '\0';
    assert_int_equal(publish(&daemon, long_topic, 1), MUP_OK);
    WAIT_FOR(daemon.published == 1);
    assert_int_equal(daemon.losses, 0);
    end(&daemon);
}

/* ---- subscriptions ---- */

static void subscriptions_are_made_again_at_a_broker_that_forgot_everything(void **state)
{
    struct daemon daemon;
    struct peer peer;

    (void)state;
    start(&daemon, open_port);
    assert_int_equal(mup_mqtt_session_subscribe(daemon.session, "kept", 1), MUP_OK);
    assert_int_equal(mup_mqtt_session_subscribe(daemon.session, "dropped", 1), MUP_OK);
    mup_mqtt_session_unsubscribe(daemon.session, "dropped");
    restart_broker_empty();
    WAIT_FOR(daemon.connects == 2);
    assert_int_equal(daemon.losses, 1);
    fence(&daemon);
    peer_open(&peer);
    assert_int_equal(mosquitto_publish(peer.mosq, NULL, "dropped", 1, "n", 1, false), 0);
    assert_int_equal(mosquitto_publish(peer.mosq, NULL, "kept", 1, "y", 1, false), 0);
    WAIT_FOR(peer_step(&peer) && daemon.received == 1);
    assert_string_equal(daemon.held[0].topic, "kept");
    peer_close(&peer);
    end(&daemon);
}

/* mosquitto's access list lets anybody subscribe and then delivers nothing; others deny it. */
static void a_subscription_that_is_denied_is_named(void **state)
{
    struct daemon daemon;
    struct fake fake;

    (void)state;
    fake_open(&fake, connack_ok, sizeof connack_ok);
    make(&daemon, fake.port, NULL);
    assert_int_equal(mup_mqtt_session_subscribe(daemon.session, "ours/+", 1), MUP_OK);
    assert_int_equal(mup_mqtt_session_subscribe(daemon.session, "theirs", 1), MUP_OK);
    assert_int_equal(mup_mqtt_session_subscribe(daemon.session, "ours/2", 1), MUP_OK);
    mup_mqtt_session_start(daemon.session);
    /* three SUBSCRIBE packets of 2 + 12 bytes: 0x82, size, id (2), no properties, filter, QoS */
    WAIT_FOR(fake_step(&fake) && fake.size == 3 * 14);
    for (size_t at = 0; at < fake.size; at += 14) {
        const uint8_t suback[] = {0x90,
                                  4,
                                  fake.bytes[at + 2],
                                  fake.bytes[at + 3],
                                  0,
                                  fake.bytes[at + 7] == 't' ? 0x87 : 0x01};
        assert_int_equal(fake.bytes[at], 0x82);
        fake_send(&fake, suback, sizeof suback);
    }
    WAIT_FOR(daemon.denied == 1);
    assert_string_equal(daemon.denied_filter, "theirs");
    assert_int_equal(daemon.last_reason, 0x87); /* not authorized */
    end(&daemon);
    fake_close(&fake);
}

static void a_message_that_the_broker_refuses_is_told(void **state)
{
    struct daemon daemon;

    (void)state;
    make(&daemon, closed_port, "right");
    mup_mqtt_session_start(daemon.session);
    WAIT_FOR(daemon.connects == 1);
    assert_int_equal(publish(&daemon, "theirs/now", 1), MUP_OK);
    WAIT_FOR(daemon.published == 1);
    assert_int_equal(daemon.last_reason, 0x87);
    assert_int_equal(daemon.losses, 0);
    end(&daemon);
}

static void filters_are_checked_and_bounded(void **state)
{
    static const char *const bad[] = {"", "a/#/b", "a+", "#b", "a/\xff"};
    struct daemon daemon;
    char filter[32];

    (void)state;
    make(&daemon, open_port, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(mup_mqtt_session_subscribe(daemon.session, bad[i], 1), MUP_ERR_FORMAT);
    for (unsigned i = 0; i < MUP_MQTT_SUBSCRIPTIONS_MAX; i++) {
        (void)snprintf(filter, sizeof filter, "f/%u", i);
        assert_int_equal(mup_mqtt_session_subscribe(daemon.session, filter, 1), MUP_OK);
    }
    assert_int_equal(mup_mqtt_session_subscribe(daemon.session, "one/more", 1), MUP_ERR_SPACE);
    assert_int_equal(mup_mqtt_session_subscribe(daemon.session, "f/3", 0), MUP_OK);
    mup_mqtt_session_unsubscribe(daemon.session, "f/3");
    assert_int_equal(mup_mqtt_session_subscribe(daemon.session, "one/more", 1), MUP_OK);
    end(&daemon);
}

/* ---- what the broker has not taken ---- */

/* Publish with QoS 1 until no more is taken, and QoS 0 in between, which must not count. */
static size_t fill(struct daemon *daemon)
{
    size_t count = 0;

    while (publish(daemon, "fill", 1) == MUP_OK) {
        count++;
        if (count % 64 == 0)
            assert_int_equal(publish(daemon, "between", 0), MUP_OK);
    }
    return count;
}

static void only_so_many_messages_wait_for_the_broker(void **state)
{
    struct daemon daemon;

    (void)state;
    start(&daemon, open_port);
    kill(broker->pid, SIGSTOP);
    assert_int_equal(fill(&daemon), MUP_MQTT_OUTSTANDING_MAX);
    assert_int_equal(publish(&daemon, "fill", 1), MUP_ERR_BUSY);
    assert_int_equal(publish(&daemon, "free", 0), MUP_OK);
    kill(broker->pid, SIGCONT);
    WAIT_FOR(daemon.published == MUP_MQTT_OUTSTANDING_MAX);
    assert_int_equal(daemon.refused, 0);
    kill(broker->pid, SIGSTOP);
    assert_int_equal(fill(&daemon), MUP_MQTT_OUTSTANDING_MAX);
    kill(broker->pid, SIGCONT);
    WAIT_FOR(daemon.published == 2 * MUP_MQTT_OUTSTANDING_MAX);
    assert_int_equal(daemon.losses, 0);
    end(&daemon);
}

static void a_lost_connection_neither_loses_nor_recounts_what_waits(void **state)
{
    enum { before = 100 };
    struct daemon daemon;

    (void)state;
    start(&daemon, open_port);
    kill(broker->pid, SIGSTOP);
    for (int i = 0; i < before; i++)
        assert_int_equal(publish(&daemon, "fill", 1), MUP_OK);
    mup_process_kill(broker);
    /* Nobody has told us yet: taken, and sent with the next connection. */
    for (int i = 0; i < 3; i++)
        assert_int_equal(publish(&daemon, "fill", 1), MUP_OK);
    WAIT_FOR(daemon.losses == 1);
    assert_int_equal(publish(&daemon, "fill", 1), MUP_ERR_BUSY);
    start_broker();
    WAIT_FOR(daemon.published == before + 3);
    assert_int_equal(daemon.connects, 2);
    kill(broker->pid, SIGSTOP);
    assert_int_equal(fill(&daemon), MUP_MQTT_OUTSTANDING_MAX);
    kill(broker->pid, SIGCONT);
    WAIT_FOR(daemon.published == before + 3 + MUP_MQTT_OUTSTANDING_MAX);
    end(&daemon);
}

/* Firmware goes out with QoS 0: more messages than there are packet identifiers. */
static void identifiers_that_come_round_do_not_upset_the_count(void **state)
{
    struct daemon daemon;

    (void)state;
    start(&daemon, open_port);
    for (size_t i = 0; i < 70000; i++) {
        assert_int_equal(publish(&daemon, "slice", 0), MUP_OK);
        if (i % 100 == 0)
            (void)uv_run(&loop.uv, UV_RUN_NOWAIT);
    }
    assert_int_equal(publish(&daemon, "after", 1), MUP_OK);
    WAIT_FOR(daemon.published == 1);
    kill(broker->pid, SIGSTOP);
    assert_int_equal(fill(&daemon), MUP_MQTT_OUTSTANDING_MAX);
    kill(broker->pid, SIGCONT);
    WAIT_FOR(daemon.published == 1 + MUP_MQTT_OUTSTANDING_MAX);
    end(&daemon);
}

/* ---- refusals, losses, silence ---- */

static void a_refusal_is_tried_again_later_and_later(void **state)
{
    static const uint8_t refused[] = {0x20, 3, 0, 0x86, 0}; /* bad user name or password */
    struct daemon daemon;
    struct fake fake;

    (void)state;
    fake_open(&fake, refused, sizeof refused);
    make(&daemon, fake.port, NULL);
    mup_mqtt_session_start(daemon.session);
    WAIT_FOR(fake_step(&fake) && fake.connects == 4);
    for (size_t i = 1; i < 4; i++)
        assert_true(fake.connected_ms[i] - fake.connected_ms[i - 1] + 1 >=
                    (MUP_MQTT_BACKOFF_MIN_MS << (i - 1)) / 2);
    assert_int_equal(daemon.connects, 0);
    assert_int_equal(daemon.losses, 0);
    fake.answer = connack_ok; /* somebody has mended the password */
    WAIT_FOR(fake_step(&fake) && daemon.connects == 1);
    fake_hang_up(&fake);
    WAIT_FOR(daemon.losses == 1);
    WAIT_FOR(fake_step(&fake) && daemon.connects == 2);
    /* after a success the first wait is the shortest again */
    assert_true(fake.connected_ms[5] - fake.connected_ms[4] < 4000);
    end(&daemon);
    fake_close(&fake);
}

/* What the log says while the broker says this and closes, into `said`. */
static void log_of_broker_saying(char *said, size_t size, const uint8_t *connack,
                                 size_t connack_size, const uint8_t *more, size_t more_size)
{
    struct daemon daemon;
    struct fake fake;
    FILE *log = tmpfile();
    int own = dup(STDERR_FILENO);

    assert_non_null(log);
    assert_true(own >= 0);
    fake_open(&fake, connack, connack_size);
    make(&daemon, fake.port, NULL);
    assert_int_equal(mup_mqtt_session_subscribe(daemon.session, "a", 1), MUP_OK);
    assert_true(dup2(fileno(log), STDERR_FILENO) >= 0);
    mup_mqtt_session_start(daemon.session);
    if (more_size > 0) {
        WAIT_FOR(fake_step(&fake) && fake.size > 0);
        fake_send(&fake, more, more_size);
    }
    WAIT_FOR(fake_step(&fake) && fseek(log, 0, SEEK_END) == 0 && ftell(log) > 0);
    assert_true(dup2(own, STDERR_FILENO) >= 0);
    (void)close(own);
    rewind(log);
    said[fread(said, 1, size - 1, log)] = '\0';
    (void)fclose(log);
    end(&daemon);
    fake_close(&fake);
}

static void the_log_says_what_to_do_when_the_broker_throws_us_out(void **state)
{
    static const uint8_t refused[] = {0x20, 3, 0, 0x86, 0}; /* CONNACK: bad user or password */
    static const uint8_t taken_over[] = {0xe0, 2, 0x8e, 0}; /* DISCONNECT: session taken over */
    char said[1024];

    (void)state;
    log_of_broker_saying(said, sizeof said, refused, sizeof refused, NULL, 0);
    assert_non_null(strstr(said, "mqtt-password-file"));
    log_of_broker_saying(said, sizeof said, connack_ok, sizeof connack_ok, taken_over,
                         sizeof taken_over);
    assert_non_null(strstr(said, "another client connects under our name"));
}

static void a_wrong_password_is_no_connection_until_it_is_mended(void **state)
{
    struct daemon daemon;

    (void)state;
    make(&daemon, closed_port, "wrong");
    mup_mqtt_session_start(daemon.session);
    WAIT_FOR(mup_process_wait_line(&processes, broker, "not auth", 1, NULL, 0));
    assert_int_equal(daemon.connects, 0);
    write_password("wrong");
    kill(broker->pid, SIGHUP);
    WAIT_FOR(daemon.connects == 1);
    end(&daemon);
    write_password("right");
    kill(broker->pid, SIGHUP);
}

static void a_broker_that_says_goodbye_is_left_and_found_again(void **state)
{
    static const uint8_t goodbye[] = {0xe0, 1, 0x8b}; /* server shutting down */
    struct daemon daemon;
    struct fake fake;

    (void)state;
    fake_open(&fake, connack_ok, sizeof connack_ok);
    make(&daemon, fake.port, NULL);
    mup_mqtt_session_start(daemon.session);
    WAIT_FOR(fake_step(&fake) && daemon.connects == 1);
    fake_send(&fake, goodbye, sizeof goodbye);
    WAIT_FOR(daemon.losses == 1);
    assert_false(mup_mqtt_session_is_connected(daemon.session));
    WAIT_FOR(fake_step(&fake) && daemon.connects == 2);
    end(&daemon);
    fake_close(&fake);
}

static void bytes_that_are_no_mqtt_end_the_connection_and_no_more(void **state)
{
    static const uint8_t garbage[][5] = {{0xf0, 0, 0, 0, 0},             /* AUTH, not asked for */
                                         {0x00, 0, 0, 0, 0},             /* no packet type */
                                         {0x20, 3, 0, 0, 0},             /* a second CONNACK */
                                         {0x30, 0xff, 0xff, 0xff, 0xff}, /* a size without end */
                                         {0x30, 2, 0, 9, 'x'}};          /* a topic past the end */
    struct daemon daemon;
    struct fake fake;

    (void)state;
    fake_open(&fake, connack_ok, sizeof connack_ok);
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        make(&daemon, fake.port, NULL);
        mup_mqtt_session_start(daemon.session);
        WAIT_FOR(fake_step(&fake) && daemon.connects == 1);
        fake_send(&fake, garbage[i], sizeof garbage[i]);
        fake_hang_up(&fake);
        WAIT_FOR(daemon.losses == 1);
        WAIT_FOR(fake_step(&fake) && daemon.connects == 2);
        end(&daemon);
    }
    fake_close(&fake);
}

static void silence_is_noticed_while_connecting_and_while_connected(void **state)
{
    uint64_t began_ms = now_ms();
    struct daemon never;
    struct daemon stopped;
    struct fake fake;

    (void)state;
    fake_open(&fake, connack_ok, 0); /* takes the CONNECT and says nothing */
    start(&stopped, open_port);
    keep_alive_s = 60; /* libmosquitto's own patience, which must not be what ends it */
    connect_timeout_ms = 3000;
    make(&never, fake.port, NULL);
    mup_mqtt_session_start(never.session);
    WAIT_FOR(fake_step(&fake) && fake.connects == 1);
    kill(broker->pid, SIGSTOP);
    WAIT_FOR(fake_step(&fake) && stopped.losses == 1);
    assert_in_range(now_ms() - began_ms, 5000, 5000 + DEADLINE_MS); /* the keep-alive */
    WAIT_FOR(fake_step(&fake) && fake.connects >= 2);
    assert_true(fake.connected_ms[1] - fake.connected_ms[0] + 1 >= connect_timeout_ms);
    assert_int_equal(never.connects + never.losses, 0);
    kill(broker->pid, SIGCONT);
    WAIT_FOR(stopped.connects == 2);
    end(&never);
    end(&stopped);
    fake_close(&fake);
}

/* ---- the end ---- */

static void a_session_can_be_freed_in_every_state(void **state)
{
    static const uint8_t refused[] = {0x20, 3, 0, 0x87, 0};
    struct daemon daemon;
    struct fake fake;

    (void)state;
    make(&daemon, open_port, NULL); /* never started */
    end(&daemon);
    make(&daemon, open_port, NULL); /* started, not yet trying */
    mup_mqtt_session_start(daemon.session);
    end(&daemon);
    fake_open(&fake, connack_ok, 0); /* waits for the CONNACK */
    make(&daemon, fake.port, NULL);
    mup_mqtt_session_start(daemon.session);
    WAIT_FOR(fake_step(&fake) && fake.connects == 1);
    end(&daemon);
    fake.answer = refused; /* waits to try again */
    fake.answer_size = sizeof refused;
    make(&daemon, fake.port, NULL);
    mup_mqtt_session_start(daemon.session);
    WAIT_FOR(fake_step(&fake) && fake.connects == 2);
    turn();
    end(&daemon);
    fake_close(&fake);
    make(&daemon, fake.port, NULL); /* nobody listens */
    mup_mqtt_session_start(daemon.session);
    turn();
    turn();
    end(&daemon);
    start(&daemon, open_port); /* with messages under way */
    for (int i = 0; i < 100; i++)
        assert_int_equal(publish(&daemon, "under/way", 1), MUP_OK);
    end(&daemon);
    start(&daemon, open_port); /* after a loss */
    restart_broker_empty();
    WAIT_FOR(daemon.losses == 1);
    end(&daemon);
}

#define SESSION_TEST(name) cmocka_unit_test_teardown(name, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(what_is_published_arrives_with_its_properties),
        SESSION_TEST(what_arrives_has_its_properties),
        SESSION_TEST(what_cannot_be_sent_is_refused_and_nothing_breaks),
        SESSION_TEST(subscriptions_are_made_again_at_a_broker_that_forgot_everything),
        SESSION_TEST(a_subscription_that_is_denied_is_named),
        SESSION_TEST(a_message_that_the_broker_refuses_is_told),
        SESSION_TEST(filters_are_checked_and_bounded),
        SESSION_TEST(only_so_many_messages_wait_for_the_broker),
        SESSION_TEST(a_lost_connection_neither_loses_nor_recounts_what_waits),
        SESSION_TEST(identifiers_that_come_round_do_not_upset_the_count),
        SESSION_TEST(a_refusal_is_tried_again_later_and_later),
        SESSION_TEST(the_log_says_what_to_do_when_the_broker_throws_us_out),
        SESSION_TEST(a_wrong_password_is_no_connection_until_it_is_mended),
        SESSION_TEST(a_broker_that_says_goodbye_is_left_and_found_again),
        SESSION_TEST(bytes_that_are_no_mqtt_end_the_connection_and_no_more),
        SESSION_TEST(silence_is_noticed_while_connecting_and_while_connected),
        SESSION_TEST(a_session_can_be_freed_in_every_state),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
