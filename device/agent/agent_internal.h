/*
 * What the files of the agent share; not for others. Each function is about one message or one
 * duty, works on the one context, and queues what is to be sent as "due": mup_agent_flush() in
 * link.c is the only place that publishes.
 */
#ifndef MUP_AGENT_INTERNAL_H
#define MUP_AGENT_INTERNAL_H

#include "mup/agent.h"
#include "mup/report.h"

enum agent_link {
    LINK_DOWN = 0,
    LINK_CONNECTING,  /* CONNECT is queued */
    LINK_SUBSCRIBING, /* the broker took us */
    LINK_UP,          /* every subscription was answered */
};

/* Messages of QoS 1 of our own, in the order in which they get their turn. */
enum agent_out {
    OUT_RESPONSE,
    OUT_PRESENCE,
    OUT_ANNOUNCE,
    OUT_REPORT,
    OUT_PIECE,
};

enum agent_out_state {
    OUT_NONE = 0,
    OUT_DUE,  /* to be published as soon as there is room */
    OUT_SENT, /* waits for its PUBACK */
};

/* Topics that are subscribed to; those of the application follow. Also the routes, plus 1. */
enum agent_topic {
    TOPIC_FIRMWARE, /* during a transfer only */
    TOPIC_BOOTSTRAP,
    TOPIC_TOKEN,
    TOPIC_MANIFEST,
    TOPIC_VERIFY,
    TOPIC_APPLICATION,
};

enum agent_receiving {
    RECEIVING_NOTHING = 0, /* a message that is ignored */
    RECEIVING_REQUEST,     /* into the request buffer */
    RECEIVING_LONG,        /* a request that is larger than any may be */
    RECEIVING_BOOTSTRAP,   /* into the request buffer */
    RECEIVING_SLICE,
};

enum agent_slice {
    SLICE_HEADER = 0, /* its header is coming in */
    SLICE_DATA,       /* its data go into the pipeline */
    SLICE_SKIP,       /* the rest is of no use */
};

/* Twice as long as a topic's prefix may be, so that no prefix overruns it. */
#define AGENT_PREFIX_MAX (MUP_TOPIC_MAX - MUP_NAME_MAX)

/* How much an encoder wrote into a buffer: one that fails leaves the size as it was, at 0. */
static inline size_t written(enum mup_status status, const size_t *size)
{
    (void)status;
    return *size;
}

/* agent.c */
void mup_agent_enter(struct mup_agent *agent, enum mup_agent_phase phase);
void mup_agent_notify(const struct mup_agent *agent, enum mup_agent_notice notice, uint32_t state,
                      uint32_t value);
/* When the main loop must come back, put together by each who has something to wait for. */
struct agent_wait {
    uint32_t now_ms;
    uint32_t ms;
};
void mup_agent_sooner(struct agent_wait *wait, uint32_t since_ms, uint32_t total_ms);

uint32_t mup_agent_version(const struct mup_agent *agent); /* of the image that runs */
bool mup_agent_elapsed(const struct mup_agent *agent, uint32_t since_ms, uint32_t wait_ms);

/* link.c */
const char *mup_agent_prefix(const struct mup_agent *agent, uint32_t index);
uint32_t mup_agent_topic_count(const struct mup_agent *agent);
void mup_agent_topic(const struct mup_agent *agent, struct mup_mqtt_bytes *topic,
                     char text[MUP_TOPIC_MAX], const char *prefix);
void mup_agent_due(struct mup_agent *agent, enum agent_out out);
void mup_agent_flush(struct mup_agent *agent);
void mup_agent_present(struct mup_agent *agent);
void mup_agent_on_connected(struct mup_agent *agent, const struct mup_mqtt_event *event);
void mup_agent_on_subscribed(struct mup_agent *agent, const struct mup_mqtt_event *event);
void mup_agent_on_published(struct mup_agent *agent, const struct mup_mqtt_event *event);
void mup_agent_link_lost(struct mup_agent *agent);
void mup_agent_link_tick(struct mup_agent *agent);
void mup_agent_link_wait(const struct mup_agent *agent, struct agent_wait *wait);

/* bootstrap.c */
enum mup_status mup_agent_load_identity(struct mup_agent *agent);
void mup_agent_on_bootstrap(struct mup_agent *agent, size_t size);
size_t mup_agent_encode_announcement(struct mup_agent *agent, uint8_t *bytes, size_t capacity);
void mup_agent_piece_sent(struct mup_agent *agent);

/* request.c */
void mup_agent_on_dropped(const struct mup_agent *agent, const struct mup_mqtt_event *event);
void mup_agent_on_message(struct mup_agent *agent, const struct mup_mqtt_event *event);
void mup_agent_on_payload(struct mup_agent *agent, const struct mup_mqtt_event *event);
void mup_agent_on_message_end(struct mup_agent *agent);
void mup_agent_response_sent(struct mup_agent *agent);
void mup_agent_answer_error(struct mup_agent *agent); /* instead of what was to be answered */

/* token.c */
bool mup_agent_token_is_valid(const struct mup_agent *agent); /* with the config's limits */
size_t mup_agent_encode_token(struct mup_agent *agent, uint8_t *bytes, size_t capacity);
void mup_agent_age(struct mup_agent *agent, uint32_t now_ms);

/* manifest.c: both return the state of the answer */
uint32_t mup_agent_take_manifest(struct mup_agent *agent, struct mup_bytes extended);
uint32_t mup_agent_verify_update(struct mup_agent *agent);

/* transfer.c */
uint32_t mup_agent_open_transfer(struct mup_agent *agent, const struct mup_manifest *manifest,
                                 const uint8_t manifest_digest[MUP_DIGEST_SIZE]);
void mup_agent_slice_begin(struct mup_agent *agent, uint32_t message_size);
void mup_agent_slice_bytes(struct mup_agent *agent, const uint8_t *bytes, size_t size);
void mup_agent_slice_end(struct mup_agent *agent);
void mup_agent_transfer_tick(struct mup_agent *agent);
void mup_agent_transfer_resumed(struct mup_agent *agent, bool kept); /* the broker's session */
void mup_agent_transfer_wait(const struct mup_agent *agent, struct agent_wait *wait);
size_t mup_agent_encode_ack(const struct mup_agent *agent, uint8_t bytes[MUP_ACK_MAX]);
size_t mup_agent_encode_noop(const struct mup_agent *agent, uint8_t bytes[MUP_ACK_MAX]);
void mup_agent_ack_sent(struct mup_agent *agent);

/* trial.c */
void mup_agent_trial_init(struct mup_agent *agent);
void mup_agent_trial_tick(struct mup_agent *agent);
void mup_agent_trial_wait(const struct mup_agent *agent, struct agent_wait *wait);
size_t mup_agent_encode_report(const struct mup_agent *agent, uint8_t *bytes, size_t capacity);
void mup_agent_report_if_owed(struct mup_agent *agent);
void mup_agent_report_sent(struct mup_agent *agent);

#endif
