/*
 * A whole device in memory, driven by events: hostile flash, real boot core, real MQTT client, the
 * agent, a small broker, and what vendor, update server and bridge would send. The clock is a
 * number; nothing sleeps.
 */
#ifndef TEST_AGENT_WORLD_H
#define TEST_AGENT_WORLD_H

#include "support/cmocka_all.h"

#include "broker.h"
#include "signer.h"

#include "mup/agent.h"
#include "mup/identity.h"
#include "mup/port/hostile.h"

#define WORLD_NAME        "dev-1"
#define WORLD_PAGE_SIZE   1024u
#define WORLD_SLOT_PAGES  24u
#define WORLD_FLASH_PAGES (2 * WORLD_SLOT_PAGES + MUP_STATE_PAGES)
#define WORLD_FLASH_SIZE  (WORLD_FLASH_PAGES * WORLD_PAGE_SIZE)
#define WORLD_BLOCK_SIZE  1024u
#define WORLD_WINDOW      2048u
#define WORLD_SLICE       1024u
#define WORLD_IMAGE_MAX   ((WORLD_SLOT_PAGES - 1) * WORLD_PAGE_SIZE)
#define WORLD_OUT_SIZE    1024u

struct world {
    uint8_t bytes[WORLD_FLASH_SIZE];
    uint8_t programmed[WORLD_FLASH_SIZE / 4];
    struct mup_hostile_flash flash;
    struct mup_port_flash flash_port;
    struct mup_flash_map map;
    struct mup_hostile_random random;
    struct mup_port_random random_port;

    struct mup_boot boot;
    struct mup_boot_state booted;
    struct mup_mqtt mqtt;
    struct mup_agent_config config;
    struct mup_agent agent;
    uint8_t out[WORLD_OUT_SIZE];
    uint8_t head[MUP_AGENT_HEAD_SIZE];
    uint8_t *block;
    uint8_t *request;
    uint8_t unused[256]; /* bytes from the broker that the agent did not use yet */
    size_t out_size;     /* how much of `out` the MQTT client gets */

    struct broker broker;
    size_t piece_size; /* bytes that the transport delivers at once; 0: all */
    bool is_connected;
    uint32_t now_ms;
    unsigned actions; /* all since the last look */
    uint16_t next_correlation;

    /* what the application is told and does */
    struct mup_bytes long_value; /* the answer's to every command, if there is one */
    uint32_t notice_count[MUP_AGENT_CLOSED + 1];
    uint32_t notice_state[MUP_AGENT_CLOSED + 1];
    uint32_t notice_value[MUP_AGENT_CLOSED + 1];
    uint32_t command_count;
    char method[MUP_METHOD_MAX + 1];
    bool holds_confirmation;

    /* an update, as the other stations see it */
    uint8_t image[WORLD_IMAGE_MAX];
    uint8_t payload[WORLD_IMAGE_MAX + 128 * MUP_DIGEST_SIZE];
    struct mup_manifest manifest;
    uint8_t inner[MUP_VENDOR_SIGNED_MAX]; /* signed once: no two ECDSA signatures are equal */
    size_t inner_size;
    uint8_t inner_payload[MUP_VENDOR_MANIFEST_MAX]; /* what was signed */
    size_t inner_payload_size;
    uint8_t manifest_digest[MUP_DIGEST_SIZE];
    struct mup_token token;
    uint8_t extended[MUP_EXTENDED_SIGNED_MAX + 64];
    size_t extended_size;
};

/* What one may want to be wrong in an extended manifest. All zero: nothing. */
struct forgery {
    const struct signer *outer; /* signs instead of the update server */
    const struct signer *inner;
    const uint8_t *outer_kid; /* named instead of the signer's */
    const uint8_t *inner_kid;
    bool other_nonce;
    bool other_uuid;
    bool other_version;
    bool outer_spoiled;        /* one bit of the outer signature */
    bool inner_spoiled;        /* one bit of the inner one, under a good outer one */
    bool inner_garbage;        /* what stands for the inner envelope is none */
    bool inner_is_certificate; /* a vendor's certificate stands for the vendor manifest */
};

struct answer {
    bool came;
    uint32_t state;
    char text[MUP_STATE_TEXT_MAX + 1];
    uint8_t value[MUP_TOKEN_MAX + 8]; /* the content, if it is a byte string */
    size_t value_size;
};

extern struct signer vendor;
extern struct signer server;
extern struct signer stranger;

/* Group setup and teardown: the keys. */
int world_keys(void **state);
int world_keys_end(void **state);

/* A provisioned device with version 1 that holds the server's key (epoch 1), booted. */
struct world *world_make(void);
void world_free(struct world *world);

/* A reset: boot core, new agent, no connection. False if nothing boots. */
bool world_boot(struct world *world);

/* Connect and let everything happen until all is quiet. */
void world_connect(struct world *world);
void world_disconnect(struct world *world);

/* Bytes to and fro until nothing is left to be said. */
void world_pump(struct world *world);

/* Time goes by, with ticks when the agent wants them. */
void world_pass(struct world *world, uint32_t ms);

struct answer world_decode_answer(const struct broker_message *message);

/* A request and its answer. `item` is one encoded argument, or NULL. */
struct answer world_request(struct world *world, const char *topic, const char *method,
                            const void *item, size_t item_size);

/* The parts of an update. */
struct answer world_token(struct world *world);
void world_release(struct world *world, uint32_t version, uint32_t image_size, uint32_t block_size);
/* The same of an image that stands in world->image already. */
void world_release_image(struct world *world, uint32_t version, uint32_t image_size,
                         uint32_t block_size);
void world_extend(struct world *world, const struct forgery *forgery);
struct answer world_send_manifest(struct world *world);
struct answer world_offer(struct world *world, const struct forgery *forgery);
struct answer world_verify(struct world *world);
void world_slice(struct world *world, uint32_t transfer, uint32_t attempt, uint32_t offset,
                 const uint8_t *data, uint32_t size);
/* All that the acknowledgements ask for; returns the state of the last one. */
uint32_t world_transfer(struct world *world);
bool world_ack(const struct world *world, struct mup_ack *ack);
struct mup_ack world_last_ack(const struct world *world);

/* The bridge's reply to the announcement. */
void world_bootstrap(struct world *world, uint32_t state, const uint8_t *certificate, size_t size);
size_t world_certificate(uint8_t *out, size_t capacity, const struct signer *by,
                         const struct signer *of, uint32_t epoch);

#endif
