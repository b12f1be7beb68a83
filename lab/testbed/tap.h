/*
 * An MQTT client for whoever watches or attacks: everything that crosses the broker, and the power
 * to publish anything. It stands for somebody who has broken into the broker.
 *
 * libmosquitto runs in a thread of its own; the functions here wait for messages with a deadline.
 */
#ifndef MUP_LAB_TAP_H
#define MUP_LAB_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUP_TAP_TOPIC_MAX       128u
#define MUP_TAP_CORRELATION_MAX 32u

struct mup_tap;

/* One message; `payload` lives as long as the tap. */
struct mup_tap_message {
    char topic[MUP_TAP_TOPIC_MAX];
    const uint8_t *payload;
    size_t size;
    uint8_t correlation[MUP_TAP_CORRELATION_MAX];
    size_t correlation_size;
    int64_t at_us; /* when it came: microseconds of CLOCK_MONOTONIC */
};

/* Connect to 127.0.0.1:port and subscribe to `filter`; NULL with a message on stderr. */
struct mup_tap *mup_tap_open(int port, const char *user, const char *password, const char *filter);

/* Disconnect and forget every message. NULL is allowed. */
void mup_tap_close(struct mup_tap *tap);

/* What has come so far; give it to mup_tap_wait to look only at what comes after. */
size_t mup_tap_mark(struct mup_tap *tap);

/*
 * Wait for the first message from *mark on, on exactly this topic; with `correlation` not NULL only
 * one that carries it. *mark moves behind it. False at the deadline.
 */
bool mup_tap_wait(struct mup_tap *tap, size_t *mark, const char *topic, const uint8_t *correlation,
                  size_t correlation_size, int timeout_ms, struct mup_tap_message *out);

/* The same for any topic: the next message from *mark on. */
bool mup_tap_next(struct mup_tap *tap, size_t *mark, int timeout_ms, struct mup_tap_message *out);

/* Publish; response topic and correlation data may be NULL. */
bool mup_tap_publish(struct mup_tap *tap, const char *topic, const void *payload, size_t size,
                     int qos, const char *response_topic, const uint8_t *correlation,
                     size_t correlation_size);

#endif
