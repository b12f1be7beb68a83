/*
 * The least broker that a device can talk to, in memory: grants everything, acknowledges what it
 * is told to, keeps what was published, and delivers what the test publishes. It reads and writes
 * MQTT 5 bytes of its own, so that the client under the agent is the real one.
 */
#ifndef TEST_AGENT_BROKER_H
#define TEST_AGENT_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BROKER_MESSAGES_MAX 512u
#define BROKER_PAYLOAD_MAX  600u

struct broker_message {
    char topic[96];
    uint8_t payload[BROKER_PAYLOAD_MAX];
    size_t size;
    uint8_t correlation[16];
    size_t correlation_size;
    uint16_t packet_id; /* 0: QoS 0 */
    bool retain;
    bool dup;
    bool by_alias; /* the topic itself was not in the packet */
};

#define BROKER_ALIASES_MAX 16u

struct broker {
    /* what the test sets */
    bool session_present;
    const char *holds_topic;    /* it does not acknowledge topics that begin so; NULL: none */
    bool holds_pubacks;         /* does not acknowledge what the device publishes */
    const char *refuses;        /* a topic prefix whose subscription it refuses */
    const char *rejects;        /* a topic prefix whose messages it does not take (PUBACK 0x87) */
    bool is_gone;               /* what the device sends goes nowhere, and nobody tells it */
    bool ignores_subscriptions; /* answers neither SUBSCRIBE nor UNSUBSCRIBE */
    uint8_t takes_aliases;      /* Topic Alias Maximum of its CONNACK, at most BROKER_ALIASES_MAX */
    bool gives_aliases;         /* publishes by alias what it has published before */
    /* what the device did */
    bool connected;
    bool disconnected;
    uint8_t disconnect_reason;
    bool clean_start;         /* of the last CONNECT */
    uint16_t receive_maximum; /* announced there */
    uint16_t alias_maximum;
    struct broker_message messages[BROKER_MESSAGES_MAX];
    size_t message_count;
    char subscriptions[64][96];
    uint8_t subscription_qos[64];
    size_t subscription_count;
    char unsubscriptions[16][96];
    size_t unsubscription_count;
    uint16_t pubacks[256]; /* ids of requests that the device acknowledged */
    size_t puback_count;
    uint16_t next_id;
    char aliases_in[BROKER_ALIASES_MAX + 1][96];  /* of this connection, from the device */
    char aliases_out[BROKER_ALIASES_MAX + 1][96]; /* to it */
    size_t aliased_count;                         /* messages to it without a topic */
    /* bytes for the device */
    uint8_t out[1 << 17];
    size_t out_size;
};

/* The device sent whole packets or parts of them; `size` used is returned, rest comes again. */
size_t broker_take(struct broker *broker, const uint8_t *bytes, size_t size);

/* Queue a PUBLISH for the device. Returns its packet id, 0 for QoS 0. */
uint16_t broker_publish(struct broker *broker, const char *topic, const void *payload, size_t size,
                        int qos, bool retain, const char *response_topic, const void *correlation,
                        size_t correlation_size);

/* The same message of QoS 1 once more, with DUP, as after a reconnection. */
void broker_publish_again(struct broker *broker, uint16_t packet_id, const char *topic,
                          const void *payload, size_t size);

/* The PUBACK that was held back for a message. */
void broker_acknowledge(struct broker *broker, uint16_t packet_id);

/* The newest message on a topic that begins so; NULL if there is none. */
const struct broker_message *broker_last(const struct broker *broker, const char *topic);
size_t broker_count(const struct broker *broker, const char *topic);
bool broker_is_subscribed(const struct broker *broker, const char *topic);

#endif
