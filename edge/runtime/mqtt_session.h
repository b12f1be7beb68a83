/*
 * One MQTT 5 session with the broker that outlives its connections.
 *
 * libmosquitto does the protocol; its socket is polled by the daemon's loop, so that every
 * callback runs on the loop's thread. The session is opened with Clean Start 0 and an expiry, so
 * QoS 1 messages wait at the broker while we are away (a session opened with Clean Start 1 does
 * not survive a restart of the broker). After a loss it reconnects by itself: first after
 * 250 ms, doubling to 30 s, each time spread by up to half. All subscriptions are sent again
 * after each connect, because the broker may have lost its store. Connecting blocks the loop for as
 * long as the TCP handshake takes (libmosquitto offers no other way to an outside loop), so the
 * broker belongs on this machine or its network; give an address or a name in /etc/hosts.
 *
 *     session = mup_mqtt_session_new(&loop, &settings, &callbacks, daemon);
 *     mup_mqtt_session_subscribe(session, "mup/announce/+", 1);   kept for each reconnect
 *     mup_mqtt_session_start(session);
 *     ... on_state(arg, true): re-drive what was under way; publish ...
 *     mup_mqtt_session_free(session);
 */
#ifndef MUP_RUNTIME_MQTT_SESSION_H
#define MUP_RUNTIME_MQTT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"
#include "runtime/loop.h"

#define MUP_MQTT_TOPIC_SIZE_MAX       512u
#define MUP_MQTT_CORRELATION_SIZE_MAX 64u
#define MUP_MQTT_SUBSCRIPTIONS_MAX    1024u
#define MUP_MQTT_OUTSTANDING_MAX      4096u    /* QoS 1 messages that the broker has not taken */
#define MUP_MQTT_PACKET_SIZE_MAX      1048576u /* announced to the broker: larger is not sent to us */
#define MUP_MQTT_BACKOFF_MIN_MS       250u
#define MUP_MQTT_BACKOFF_MAX_MS       30000u
#define MUP_MQTT_CONNECT_TIMEOUT_MS   15000u /* TCP, TLS and CONNACK together */

struct mup_mqtt_settings {
    const char *host;
    uint16_t port;
    const char *client_id; /* names the session at the broker: must not change */
    const char *user;      /* NULL: anonymous */
    const char *password;  /* NULL: none */
    const char *ca_file;   /* PEM; NULL: plain TCP. With it the host name is verified. */
    uint32_t session_expiry_s;
    uint16_t keep_alive_s;       /* at least 5 */
    uint32_t connect_timeout_ms; /* 0: MUP_MQTT_CONNECT_TIMEOUT_MS */
};

/* What arrived. Everything is valid only during the callback. */
struct mup_mqtt_message {
    const char *topic;
    const uint8_t *payload;
    size_t payload_size;
    int qos;
    bool retain;                /* sent because it was retained, not because it happened now */
    const char *response_topic; /* NULL: none */
    const uint8_t *correlation; /* NULL: none */
    size_t correlation_size;
};

/* What to send. Nothing is kept. */
struct mup_mqtt_publish {
    const char *topic;
    const void *payload;
    size_t payload_size;
    int qos; /* 0 or 1 */
    bool retain;
    const char *response_topic; /* NULL: none */
    const void *correlation;    /* NULL: none */
    size_t correlation_size;
    uint32_t expiry_s; /* the broker drops it after this; 0: never */
};

struct mup_mqtt_callbacks {
    void (*on_message)(void *arg, const struct mup_mqtt_message *message);
    /* true after each CONNACK, when the subscriptions are on their way; false after each loss.
     * What was published with QoS 1 and not yet acknowledged is sent again by itself. */
    void (*on_state)(void *arg, bool connected); /* may be NULL */
    /* The broker took (reason < 0x80) or refused the QoS 1 message with this id. May be NULL. */
    void (*on_published)(void *arg, int id, int reason);
    /* The broker denied a subscription (an ACL, usually). May be NULL; it is logged anyway. */
    void (*on_denied)(void *arg, const char *filter, int reason);
};

struct mup_mqtt_session;

/* NULL: no memory, or settings that libmosquitto refuses (logged). Does not connect yet. */
struct mup_mqtt_session *mup_mqtt_session_new(struct mup_loop *loop,
                                              const struct mup_mqtt_settings *settings,
                                              const struct mup_mqtt_callbacks *callbacks,
                                              void *arg);

void mup_mqtt_session_start(struct mup_mqtt_session *session);

bool mup_mqtt_session_is_connected(const struct mup_mqtt_session *session);

/*
 * Subscribe now, if connected, and after each connect. A filter that is subscribed already is
 * only updated. Retained messages arrive with every new connection.
 *
 * MUP_ERR_FORMAT  not a valid topic filter.
 * MUP_ERR_SPACE   MUP_MQTT_SUBSCRIPTIONS_MAX reached.
 */
MUP_MUST_CHECK
enum mup_status mup_mqtt_session_subscribe(struct mup_mqtt_session *session, const char *filter,
                                           int qos);
void mup_mqtt_session_unsubscribe(struct mup_mqtt_session *session, const char *filter);

/*
 * Send. *id, if id is not NULL, is what on_published() will say (QoS 1).
 *
 * MUP_ERR_BUSY    not connected, or MUP_MQTT_OUTSTANDING_MAX reached: try again after on_state()
 *                 or on_published(). Nothing was queued.
 * MUP_ERR_FORMAT  the topic is empty, too long, not UTF-8 or has a wildcard; or the response topic.
 * MUP_ERR_RANGE   payload or correlation data too large for us or for the broker.
 * MUP_ERR_SPACE   no memory.
 */
MUP_MUST_CHECK
enum mup_status mup_mqtt_session_publish(struct mup_mqtt_session *session,
                                         const struct mup_mqtt_publish *publish, int *id);

/* Says DISCONNECT (the session stays at the broker) and frees. Not from one of its callbacks. */
void mup_mqtt_session_free(struct mup_mqtt_session *session);

#endif
