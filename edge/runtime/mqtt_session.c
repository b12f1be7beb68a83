/*
 * The MQTT 5 session over libmosquitto: see mqtt_session.h.
 *
 * libmosquitto's own loop is not used (it stalls past file descriptor 1024). Its socket is polled
 * by libuv and a timer calls mosquitto_loop_misc(), which sends keep-alives and notices silence.
 */
#include "runtime/mqtt_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include "runtime/log.h"

#define MISC_PERIOD_MS  1000u
#define RECEIVE_MAXIMUM 1000u
#define FIRST_REFUSAL   0x80   /* of the reason codes, MQTT 5, 2.4 */
#define IDS             65536u /* packet identifiers are 16 bits */

struct subscription {
    char *filter;
    int qos;
    int id; /* of the SUBSCRIBE packet that was sent last */
};

struct mup_mqtt_session {
    struct mup_loop *loop;
    struct mup_mqtt_callbacks callbacks;
    void *arg;
    struct mosquitto *client;
    char *host;
    uint16_t port;
    uint16_t keep_alive_s;
    uint32_t session_expiry_s;
    uint32_t connect_timeout_ms;
    bool started;
    bool connected;  /* CONNACK has come */
    bool connecting; /* a socket is open, CONNACK has not come */
    uint32_t backoff_ms;
    uint32_t outstanding;             /* QoS 1 publishes without PUBACK: the bits that are set in */
    uint8_t outstanding_ids[IDS / 8]; /* one bit for each packet identifier */
    uv_poll_t *poll;                  /* NULL: no socket is watched */
    struct mup_timer *misc;
    struct mup_timer *retry;
    struct mup_timer *give_up; /* connecting takes too long */
    struct subscription subscriptions[MUP_MQTT_SUBSCRIPTIONS_MAX];
    size_t subscription_count;
};

static void lose(struct mup_mqtt_session *session, const char *why);
static void watch(struct mup_mqtt_session *session);

/* ---- the socket ---- */

static void free_poll(uv_handle_t *handle)
{
    free(handle);
}

static void unwatch(struct mup_mqtt_session *session)
{
    if (session->poll == NULL)
        return;
    uv_poll_stop(session->poll);
    uv_close((uv_handle_t *)session->poll, free_poll);
    session->poll = NULL;
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct mup_mqtt_session *session = poll->data;
    int bad = status < 0 ? MOSQ_ERR_CONN_LOST : MOSQ_ERR_SUCCESS;

    if (bad == MOSQ_ERR_SUCCESS && (events & UV_READABLE) != 0)
        bad = mosquitto_loop_read(session->client, 1);
    if (bad == MOSQ_ERR_SUCCESS && (events & UV_WRITABLE) != 0)
        bad = mosquitto_loop_write(session->client, 1);
    if (bad != MOSQ_ERR_SUCCESS)
        lose(session, mosquitto_strerror(bad));
    else if (mosquitto_socket(session->client) < 0)
        lose(session, "the broker said goodbye"); /* a DISCONNECT is no error to libmosquitto */
    else
        watch(session);
}

/* Watch what libmosquitto wants now: always what comes, and room to write when it has something. */
static void watch(struct mup_mqtt_session *session)
{
    int fd = mosquitto_socket(session->client);
    int events = UV_READABLE;

    if (fd < 0) {
        unwatch(session);
        return;
    }
    if (session->poll == NULL) {
        session->poll = calloc(1, sizeof *session->poll);
        if (session->poll == NULL || uv_poll_init(&session->loop->uv, session->poll, fd) != 0) {
            free(session->poll);
            session->poll = NULL;
            return;
        }
        session->poll->data = session;
    }
    if (mosquitto_want_write(session->client))
        events |= UV_WRITABLE;
    uv_poll_start(session->poll, events, on_socket);
}

/* ---- connecting, losing, trying again ---- */

/* Half of the wait is fixed, half is chance, so that clients of a broker that was down spread. */
static uint64_t next_backoff(struct mup_mqtt_session *session)
{
    uint32_t wait = session->backoff_ms;
    uint32_t chance = 0;

    if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != (ssize_t)sizeof chance)
        chance = 0;
    session->backoff_ms = wait * 2 < MUP_MQTT_BACKOFF_MAX_MS ? wait * 2 : MUP_MQTT_BACKOFF_MAX_MS;
    return wait / 2 + chance % (wait / 2 + 1);
}

static void lose(struct mup_mqtt_session *session, const char *why)
{
    bool was_connected = session->connected;

    unwatch(session);
    mup_timer_stop(session->misc);
    mup_timer_stop(session->give_up);
    session->connected = false;
    session->connecting = false;
    if (!mup_timer_is_running(session->retry)) {
        uint64_t wait_ms = next_backoff(session);
        mup_log(MUP_LOG_WARNING, "mqtt", mup_log_event("no connection"),
                mup_log_text("host", session->host), mup_log_number("port", session->port),
                mup_log_text("why", why), mup_log_number("again_in_ms", (int64_t)wait_ms));
        mup_timer_start(session->retry, wait_ms);
    }
    if (was_connected && session->callbacks.on_state != NULL)
        session->callbacks.on_state(session->arg, false);
}

static int connect_properties(mosquitto_property **list, uint32_t session_expiry_s)
{
    int bad =
        mosquitto_property_add_int32(list, MQTT_PROP_SESSION_EXPIRY_INTERVAL, session_expiry_s);

    if (bad == MOSQ_ERR_SUCCESS)
        bad = mosquitto_property_add_int32(list, MQTT_PROP_MAXIMUM_PACKET_SIZE,
                                           MUP_MQTT_PACKET_SIZE_MAX);
    if (bad == MOSQ_ERR_SUCCESS)
        bad = mosquitto_property_add_int16(list, MQTT_PROP_RECEIVE_MAXIMUM, RECEIVE_MAXIMUM);
    return bad;
}

static void on_retry(void *arg)
{
    struct mup_mqtt_session *session = arg;
    mosquitto_property *properties = NULL;
    int bad = connect_properties(&properties, session->session_expiry_s);

    if (bad == MOSQ_ERR_SUCCESS)
        bad = mosquitto_connect_bind_v5(session->client, session->host, session->port,
                                        session->keep_alive_s, NULL, properties);
    mosquitto_property_free_all(&properties);
    if (bad != MOSQ_ERR_SUCCESS) {
        lose(session, bad == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(bad));
        return;
    }
    session->connecting = true;
    mup_timer_start(session->give_up, session->connect_timeout_ms);
    mup_timer_start_every(session->misc, MISC_PERIOD_MS);
    watch(session);
}

static void on_give_up(void *arg)
{
    struct mup_mqtt_session *session = arg;

    mosquitto_disconnect_v5(session->client, 0, NULL);
    lose(session, "the broker does not answer");
}

static void on_misc(void *arg)
{
    struct mup_mqtt_session *session = arg;
    int bad = mosquitto_loop_misc(session->client);

    if (bad != MOSQ_ERR_SUCCESS)
        lose(session, mosquitto_strerror(bad));
    else
        watch(session);
}

/* ---- what libmosquitto says ---- */

/* True: it was set. libmosquitto tells of QoS 0 messages that have left just as of QoS 1 messages
 * that the broker has taken; only the latter are counted. */
static bool take_outstanding(struct mup_mqtt_session *session, int id)
{
    uint8_t *byte = &session->outstanding_ids[(unsigned)id % IDS / 8];
    uint8_t bit = (uint8_t)(1u << ((unsigned)id % 8));

    if ((*byte & bit) == 0)
        return false;
    *byte = (uint8_t)(*byte & ~bit);
    session->outstanding--;
    return true;
}

static void add_outstanding(struct mup_mqtt_session *session, int id)
{
    uint8_t *byte = &session->outstanding_ids[(unsigned)id % IDS / 8];
    uint8_t bit = (uint8_t)(1u << ((unsigned)id % 8));

    if ((*byte & bit) == 0)
        session->outstanding++;
    *byte = (uint8_t)(*byte | bit);
}

static void send_subscriptions(struct mup_mqtt_session *session)
{
    for (size_t i = 0; i < session->subscription_count; i++) {
        struct subscription *subscription = &session->subscriptions[i];
        int bad = mosquitto_subscribe_v5(session->client, &subscription->id, subscription->filter,
                                         subscription->qos, 0, NULL);
        if (bad != MOSQ_ERR_SUCCESS)
            mup_log(MUP_LOG_ERROR, "mqtt", mup_log_event("subscription not sent"),
                    mup_log_text("filter", subscription->filter),
                    mup_log_text("why", mosquitto_strerror(bad)));
    }
}

/* What a person can do about a reason code of the broker's. */
static const char *advice(int reason)
{
    if (reason == MQTT_RC_BAD_USERNAME_OR_PASSWORD || reason == MQTT_RC_NOT_AUTHORIZED)
        return "see mqtt-user and mqtt-password-file, and the broker's password file";
    if (reason == MQTT_RC_SESSION_TAKEN_OVER)
        return "another client connects under our name; each needs an mqtt-user of its own";
    return "see the broker's log";
}

static void on_connect(struct mosquitto *client, void *arg, int reason, int flags,
                       const mosquitto_property *properties)
{
    struct mup_mqtt_session *session = arg;

    (void)client;
    (void)properties;
    if (reason != 0) {
        /* The broker closes next and lose() tries again; this line says what to mend. */
        mup_log(MUP_LOG_ERROR, "mqtt", mup_log_event("the broker refuses us"),
                mup_log_text("why", mosquitto_reason_string(reason)),
                mup_log_text("advice", advice(reason)));
        return;
    }
    mup_timer_stop(session->give_up);
    session->connecting = false;
    session->connected = true;
    session->backoff_ms = MUP_MQTT_BACKOFF_MIN_MS;
    mup_log(MUP_LOG_INFO, "mqtt", mup_log_event("connected"), mup_log_text("host", session->host),
            mup_log_number("port", session->port), mup_log_number("session_present", flags & 1));
    send_subscriptions(session);
    if (session->callbacks.on_state != NULL)
        session->callbacks.on_state(session->arg, true);
}

/* Each SUBSCRIBE carries one filter. */
static const char *filter_of(const struct mup_mqtt_session *session, int id)
{
    for (size_t i = 0; i < session->subscription_count; i++)
        if (session->subscriptions[i].id == id)
            return session->subscriptions[i].filter;
    return ""; /* unsubscribed since */
}

/* Told by the broker before it closes, when it says why (MQTT 5, 3.14.2.1); lose() follows. */
static void on_disconnect(struct mosquitto *client, void *arg, int reason,
                          const mosquitto_property *properties)
{
    (void)client;
    (void)arg;
    (void)properties;
    if (reason >= FIRST_REFUSAL)
        mup_log(MUP_LOG_ERROR, "mqtt", mup_log_event("the broker ends the connection"),
                mup_log_text("why", mosquitto_reason_string(reason)),
                mup_log_text("advice", advice(reason)));
}

static void on_subscribe(struct mosquitto *client, void *arg, int id, int count, const int *reasons,
                         const mosquitto_property *properties)
{
    struct mup_mqtt_session *session = arg;

    (void)client;
    (void)properties;
    for (int i = 0; i < count; i++) {
        if (reasons[i] < FIRST_REFUSAL)
            continue;
        mup_log(MUP_LOG_ERROR, "mqtt", mup_log_event("subscription denied"),
                mup_log_text("filter", filter_of(session, id)),
                mup_log_text("why", mosquitto_reason_string(reasons[i])));
        if (session->callbacks.on_denied != NULL)
            session->callbacks.on_denied(session->arg, filter_of(session, id), reasons[i]);
    }
}

static void on_publish(struct mosquitto *client, void *arg, int id, int reason,
                       const mosquitto_property *properties)
{
    struct mup_mqtt_session *session = arg;

    (void)client;
    (void)properties;
    if (take_outstanding(session, id) && session->callbacks.on_published != NULL)
        session->callbacks.on_published(session->arg, id, reason);
}

static void on_message(struct mosquitto *client, void *arg,
                       const struct mosquitto_message *received,
                       const mosquitto_property *properties)
{
    struct mup_mqtt_session *session = arg;
    struct mup_mqtt_message message = {.topic = received->topic,
                                       .payload = received->payload,
                                       .payload_size = (size_t)received->payloadlen,
                                       .qos = received->qos,
                                       .retain = received->retain};
    char *response_topic = NULL;
    void *correlation = NULL;
    uint16_t correlation_size = 0;

    (void)client;
    mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &response_topic, false);
    mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation,
                                   &correlation_size, false);
    message.response_topic = response_topic;
    message.correlation = correlation;
    message.correlation_size = correlation_size;
    session->callbacks.on_message(session->arg, &message);
    free(response_topic);
    free(correlation);
}

/* ---- making and freeing ---- */

static bool set_up_client(struct mup_mqtt_session *session,
                          const struct mup_mqtt_settings *settings)
{
    struct mosquitto *client = mosquitto_new(settings->client_id, false, session);

    session->client = client;
    if (client == NULL)
        return false;
    mosquitto_connect_v5_callback_set(client, on_connect);
    mosquitto_disconnect_v5_callback_set(client, on_disconnect);
    mosquitto_subscribe_v5_callback_set(client, on_subscribe);
    mosquitto_publish_v5_callback_set(client, on_publish);
    mosquitto_message_v5_callback_set(client, on_message);
    return mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5) ==
               MOSQ_ERR_SUCCESS &&
           mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1) == MOSQ_ERR_SUCCESS &&
           (settings->user == NULL ||
            mosquitto_username_pw_set(client, settings->user, settings->password) ==
                MOSQ_ERR_SUCCESS) &&
           (settings->ca_file == NULL || mosquitto_tls_set(client, settings->ca_file, NULL, NULL,
                                                           NULL, NULL) == MOSQ_ERR_SUCCESS);
}

struct mup_mqtt_session *mup_mqtt_session_new(struct mup_loop *loop,
                                              const struct mup_mqtt_settings *settings,
                                              const struct mup_mqtt_callbacks *callbacks, void *arg)
{
    struct mup_mqtt_session *session = calloc(1, sizeof *session);

    if (session == NULL)
        return NULL;
    mosquitto_lib_init();
    session->loop = loop;
    session->callbacks = *callbacks;
    session->arg = arg;
    session->port = settings->port;
    session->keep_alive_s = settings->keep_alive_s;
    session->session_expiry_s = settings->session_expiry_s;
    session->connect_timeout_ms = settings->connect_timeout_ms != 0 ? settings->connect_timeout_ms
                                                                    : MUP_MQTT_CONNECT_TIMEOUT_MS;
    session->backoff_ms = MUP_MQTT_BACKOFF_MIN_MS;
    session->host = strdup(settings->host);
    session->misc = mup_timer_new(loop, on_misc, session);
    session->retry = mup_timer_new(loop, on_retry, session);
    session->give_up = mup_timer_new(loop, on_give_up, session);
    if (session->host == NULL || session->misc == NULL || session->retry == NULL ||
        session->give_up == NULL || !set_up_client(session, settings)) {
        mup_log(MUP_LOG_ERROR, "mqtt", mup_log_event("these broker settings cannot be used"),
                mup_log_text("host", settings->host), mup_log_text("ca_file", settings->ca_file));
        mup_mqtt_session_free(session);
        return NULL;
    }
    return session;
}

void mup_mqtt_session_start(struct mup_mqtt_session *session)
{
    session->started = true;
    mup_timer_start(session->retry, 0);
}

bool mup_mqtt_session_is_connected(const struct mup_mqtt_session *session)
{
    return session->connected;
}

void mup_mqtt_session_free(struct mup_mqtt_session *session)
{
    if (session == NULL)
        return;
    if (session->connected) {
        mosquitto_disconnect_v5(session->client, 0, NULL);
        mosquitto_loop_write(session->client, 1);
    }
    unwatch(session);
    mup_timer_free(session->misc);
    mup_timer_free(session->retry);
    mup_timer_free(session->give_up);
    for (size_t i = 0; i < session->subscription_count; i++)
        free(session->subscriptions[i].filter);
    mosquitto_destroy(session->client);
    mosquitto_lib_cleanup();
    free(session->host);
    free(session);
}

/* ---- subscriptions and messages ---- */

enum mup_status mup_mqtt_session_subscribe(struct mup_mqtt_session *session, const char *filter,
                                           int qos)
{
    struct subscription *entry = NULL;

    if (filter[0] == '\0' || mosquitto_sub_topic_check(filter) != MOSQ_ERR_SUCCESS ||
        mosquitto_validate_utf8(filter, (int)strlen(filter)) != MOSQ_ERR_SUCCESS)
        return MUP_ERR_FORMAT;
    for (size_t i = 0; i < session->subscription_count && entry == NULL; i++)
        if (strcmp(session->subscriptions[i].filter, filter) == 0)
            entry = &session->subscriptions[i];
    if (entry == NULL) {
        if (session->subscription_count == MUP_MQTT_SUBSCRIPTIONS_MAX)
            return MUP_ERR_SPACE;
        entry = &session->subscriptions[session->subscription_count];
        entry->filter = strdup(filter);
        if (entry->filter == NULL)
            return MUP_ERR_SPACE;
        session->subscription_count++;
    }
    entry->qos = qos;
    if (session->connected) {
        mosquitto_subscribe_v5(session->client, &entry->id, filter, qos, 0, NULL);
        watch(session);
    }
    return MUP_OK;
}

void mup_mqtt_session_unsubscribe(struct mup_mqtt_session *session, const char *filter)
{
    for (size_t i = 0; i < session->subscription_count; i++) {
        if (strcmp(session->subscriptions[i].filter, filter) != 0)
            continue;
        if (session->connected) {
            mosquitto_unsubscribe(session->client, NULL, filter);
            watch(session);
        }
        free(session->subscriptions[i].filter);
        session->subscriptions[i] = session->subscriptions[--session->subscription_count];
        return;
    }
}

static int publish_properties(mosquitto_property **list, const struct mup_mqtt_publish *publish)
{
    int bad = MOSQ_ERR_SUCCESS;

    if (publish->response_topic != NULL)
        bad =
            mosquitto_property_add_string(list, MQTT_PROP_RESPONSE_TOPIC, publish->response_topic);
    if (bad == MOSQ_ERR_SUCCESS && publish->correlation != NULL)
        bad = mosquitto_property_add_binary(list, MQTT_PROP_CORRELATION_DATA, publish->correlation,
                                            (uint16_t)publish->correlation_size);
    if (bad == MOSQ_ERR_SUCCESS && publish->expiry_s != 0)
        bad = mosquitto_property_add_int32(list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                           publish->expiry_s);
    return bad;
}

static enum mup_status status_of(int bad)
{
    switch (bad) {
    case MOSQ_ERR_SUCCESS:
        return MUP_OK;
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8:
        return MUP_ERR_FORMAT;
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_OVERSIZE_PACKET:
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
    case MOSQ_ERR_RETAIN_NOT_SUPPORTED:
        return MUP_ERR_RANGE;
    case MOSQ_ERR_NOMEM:
        return MUP_ERR_SPACE;
    default:
        return MUP_ERR_BUSY;
    }
}

/* The connection broke in the middle of sending: libmosquitto keeps a QoS 1 message all the same
 * and sends it with the next connection. */
static bool is_kept(int bad)
{
    return bad == MOSQ_ERR_NO_CONN || bad == MOSQ_ERR_CONN_LOST || bad == MOSQ_ERR_ERRNO;
}

static enum mup_status check_publish(const struct mup_mqtt_session *session,
                                     const struct mup_mqtt_publish *publish)
{
    size_t topic_size = strlen(publish->topic);

    if (!session->connected ||
        (publish->qos > 0 && session->outstanding >= MUP_MQTT_OUTSTANDING_MAX))
        return MUP_ERR_BUSY;
    if (topic_size == 0 || topic_size > MUP_MQTT_TOPIC_SIZE_MAX ||
        mosquitto_pub_topic_check(publish->topic) != MOSQ_ERR_SUCCESS ||
        mosquitto_validate_utf8(publish->topic, (int)topic_size) != MOSQ_ERR_SUCCESS)
        return MUP_ERR_FORMAT;
    if (publish->response_topic != NULL &&
        mosquitto_pub_topic_check(publish->response_topic) != MOSQ_ERR_SUCCESS)
        return MUP_ERR_FORMAT; /* MQTT-3.3.2-14: the broker would end the connection */
    if (publish->payload_size > MUP_MQTT_PACKET_SIZE_MAX ||
        publish->correlation_size > MUP_MQTT_CORRELATION_SIZE_MAX)
        return MUP_ERR_RANGE;
    return MUP_OK;
}

enum mup_status mup_mqtt_session_publish(struct mup_mqtt_session *session,
                                         const struct mup_mqtt_publish *publish, int *id)
{
    mosquitto_property *properties = NULL;
    enum mup_status status = check_publish(session, publish);
    int message_id = 0;

    if (status != MUP_OK)
        return status;
    status = status_of(publish_properties(&properties, publish));
    if (status == MUP_OK) {
        int bad = mosquitto_publish_v5(session->client, &message_id, publish->topic,
                                       (int)publish->payload_size, publish->payload, publish->qos,
                                       publish->retain, properties);
        status = publish->qos > 0 && is_kept(bad) ? MUP_OK : status_of(bad);
    }
    mosquitto_property_free_all(&properties);
    if (status != MUP_OK)
        return status;
    if (publish->qos > 0)
        add_outstanding(session, message_id);
    if (id != NULL)
        *id = message_id;
    watch(session);
    return MUP_OK;
}
