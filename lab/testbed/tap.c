/* An MQTT client for whoever watches or attacks: see tap.h. */
#include "tap.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mosquitto.h>
#include <mqtt_protocol.h>

#define CONNECT_TIMEOUT_MS 20000
#define MESSAGES_MAX       200000u

struct mup_tap {
    struct mosquitto *client;
    const char *filter;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool subscribed;
    struct mup_tap_message *messages;
    size_t count;
    size_t capacity;
};

static void on_connect(struct mosquitto *client, void *arg, int reason, int flags,
                       const mosquitto_property *properties)
{
    struct mup_tap *tap = arg;

    (void)flags;
    (void)properties;
    if (reason == 0)
        mosquitto_subscribe(client, NULL, tap->filter, 0);
}

static void on_subscribe(struct mosquitto *client, void *arg, int id, int count, const int *reasons,
                         const mosquitto_property *properties)
{
    struct mup_tap *tap = arg;

    (void)client;
    (void)id;
    (void)properties;
    pthread_mutex_lock(&tap->lock);
    tap->subscribed = count > 0 && reasons[0] < 0x80;
    pthread_cond_broadcast(&tap->changed);
    pthread_mutex_unlock(&tap->lock);
}

/* Room for one more; false when there is none. The lock is held. */
static bool grow(struct mup_tap *tap)
{
    size_t capacity = tap->capacity == 0 ? 256 : 2 * tap->capacity;
    struct mup_tap_message *grown;

    if (tap->count < tap->capacity)
        return true;
    if (tap->count >= MESSAGES_MAX)
        return false;
    grown = realloc(tap->messages, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    tap->messages = grown;
    tap->capacity = capacity;
    return true;
}

static void on_message(struct mosquitto *client, void *arg,
                       const struct mosquitto_message *received,
                       const mosquitto_property *properties)
{
    struct mup_tap *tap = arg;
    struct mup_tap_message message = {.size = (size_t)received->payloadlen};
    uint8_t *payload = malloc(message.size + 1);
    void *correlation = NULL;
    uint16_t correlation_size = 0;
    struct timespec now;

    (void)client;
    clock_gettime(CLOCK_MONOTONIC, &now);
    message.at_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    if (payload == NULL)
        return;
    memcpy(payload, received->payload == NULL ? "" : received->payload, message.size);
    message.payload = payload;
    snprintf(message.topic, sizeof message.topic, "%s", received->topic);
    mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &correlation,
                                   &correlation_size, false);
    if (correlation != NULL && correlation_size <= MUP_TAP_CORRELATION_MAX) {
        memcpy(message.correlation, correlation, correlation_size);
        message.correlation_size = correlation_size;
    }
    free(correlation);
    pthread_mutex_lock(&tap->lock);
    if (grow(tap))
        tap->messages[tap->count++] = message;
    else
        free(payload);
    pthread_cond_broadcast(&tap->changed);
    pthread_mutex_unlock(&tap->lock);
}

static struct timespec deadline_after(int timeout_ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += timeout_ms / 1000;
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static bool wait_subscribed(struct mup_tap *tap)
{
    struct timespec deadline = deadline_after(CONNECT_TIMEOUT_MS);
    bool subscribed;

    pthread_mutex_lock(&tap->lock);
    while (!tap->subscribed && pthread_cond_timedwait(&tap->changed, &tap->lock, &deadline) == 0)
        continue;
    subscribed = tap->subscribed;
    pthread_mutex_unlock(&tap->lock);
    return subscribed;
}

struct mup_tap *mup_tap_open(int port, const char *user, const char *password, const char *filter)
{
    struct mup_tap *tap = calloc(1, sizeof *tap);
    pthread_condattr_t monotonic;

    if (tap == NULL)
        return NULL;
    mosquitto_lib_init();
    tap->filter = filter;
    pthread_mutex_init(&tap->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&tap->changed, &monotonic);
    tap->client = mosquitto_new(NULL, true, tap);
    mosquitto_int_option(tap->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(tap->client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_username_pw_set(tap->client, user, password);
    mosquitto_connect_v5_callback_set(tap->client, on_connect);
    mosquitto_subscribe_v5_callback_set(tap->client, on_subscribe);
    mosquitto_message_v5_callback_set(tap->client, on_message);
    if (mosquitto_connect(tap->client, "127.0.0.1", port, 60) == MOSQ_ERR_SUCCESS &&
        mosquitto_loop_start(tap->client) == MOSQ_ERR_SUCCESS && wait_subscribed(tap))
        return tap;
    fprintf(stderr, "testbed: %s cannot subscribe to %s at the broker\n", user, filter);
    mup_tap_close(tap);
    return NULL;
}

void mup_tap_close(struct mup_tap *tap)
{
    if (tap == NULL)
        return;
    mosquitto_disconnect(tap->client);
    mosquitto_loop_stop(tap->client, true);
    mosquitto_destroy(tap->client);
    for (size_t i = 0; i < tap->count; i++)
        free((void *)(uintptr_t)tap->messages[i].payload);
    free(tap->messages);
    pthread_cond_destroy(&tap->changed);
    pthread_mutex_destroy(&tap->lock);
    free(tap);
}

size_t mup_tap_mark(struct mup_tap *tap)
{
    size_t count;

    pthread_mutex_lock(&tap->lock);
    count = tap->count;
    pthread_mutex_unlock(&tap->lock);
    return count;
}

bool mup_tap_next(struct mup_tap *tap, size_t *mark, int timeout_ms, struct mup_tap_message *out)
{
    struct timespec deadline = deadline_after(timeout_ms);
    bool found;

    pthread_mutex_lock(&tap->lock);
    while (*mark >= tap->count && pthread_cond_timedwait(&tap->changed, &tap->lock, &deadline) == 0)
        continue;
    found = *mark < tap->count;
    if (found)
        *out = tap->messages[(*mark)++];
    pthread_mutex_unlock(&tap->lock);
    return found;
}

static bool fits(const struct mup_tap_message *message, const char *topic,
                 const uint8_t *correlation, size_t correlation_size)
{
    return strcmp(message->topic, topic) == 0 &&
           (correlation == NULL ||
            (message->correlation_size == correlation_size &&
             memcmp(message->correlation, correlation, correlation_size) == 0));
}

bool mup_tap_wait(struct mup_tap *tap, size_t *mark, const char *topic, const uint8_t *correlation,
                  size_t correlation_size, int timeout_ms, struct mup_tap_message *out)
{
    struct timespec deadline = deadline_after(timeout_ms);
    bool found = false;
    int late = 0;

    pthread_mutex_lock(&tap->lock);
    while (!found && late == 0) {
        while (*mark < tap->count && !found) {
            found = fits(&tap->messages[*mark], topic, correlation, correlation_size);
            if (found)
                *out = tap->messages[*mark];
            (*mark)++;
        }
        if (!found)
            late = pthread_cond_timedwait(&tap->changed, &tap->lock, &deadline);
    }
    pthread_mutex_unlock(&tap->lock);
    return found;
}

bool mup_tap_publish(struct mup_tap *tap, const char *topic, const void *payload, size_t size,
                     int qos, const char *response_topic, const uint8_t *correlation,
                     size_t correlation_size)
{
    mosquitto_property *properties = NULL;
    int bad = MOSQ_ERR_SUCCESS;

    if (response_topic != NULL)
        bad = mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC, response_topic);
    if (bad == MOSQ_ERR_SUCCESS && correlation != NULL)
        bad = mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA, correlation,
                                            (uint16_t)correlation_size);
    if (bad == MOSQ_ERR_SUCCESS)
        bad = mosquitto_publish_v5(tap->client, NULL, topic, (int)size, payload, qos, false,
                                   properties);
    mosquitto_property_free_all(&properties);
    return bad == MOSQ_ERR_SUCCESS;
}
