/*
 * The update agent: everything a device says and does on MQTT, for an integrator to link.
 *
 * It announces the device, sends its description when asked, hands out device tokens, checks
 * manifests in the order that SPEC section 19 prescribes, takes slices in, answers the
 * application's own commands, asks the bootloader for a trial boot, confirms or gives up the trial,
 * and reports the outcome. docs/SPEC.md defines every byte; this page is about the calls.
 *
 * It does no I/O: bytes from the broker go in, bytes for the broker lie in the MQTT client, the
 * time is an argument, flash and randomness are ports. It owns no memory and has no pointer into
 * itself; everything may be static.
 *
 * ORDER OF CALLS
 *
 *   mup_boot_open(), mup_mqtt_init(), mup_agent_init()    once, after a reset
 *   mup_agent_connect()     each time that the transport is connected
 *   mup_agent_input()       bytes came
 *   mup_agent_tick()        mup_agent_wait_ms() went by, or output was sent
 *   mup_agent_lost()        the transport is gone; says when to connect again
 *
 * Each of input and tick returns what the main loop must do, a set of enum mup_agent_action.
 *
 * A MAIN LOOP
 *
 *   static struct mup_mqtt mqtt;   static uint8_t out[512], head[192];
 *   static struct mup_boot boot;   static uint8_t block[1024 + 32], request[MUP_REQUEST_MAX];
 *   static struct mup_agent agent;
 *   static const struct mup_agent_config config = {.boot = &boot, .mqtt = &mqtt, ...};
 *
 *   uint32_t retry_ms = 0, since_ms = now();
 *   bool open = false;
 *   for (;;) {
 *       unsigned actions = 0;
 *       if (!open && now() - since_ms >= retry_ms && transport.open(transport.context) > 0)
 *           open = mup_agent_connect(&agent, now()) == MUP_OK;
 *       if (open) {
 *           const uint8_t *bytes;
 *           size_t size = mup_mqtt_output(&mqtt, &bytes);
 *           int sent = size == 0 ? 0 : transport.send(transport.context, bytes, size);
 *           if (sent > 0)
 *               mup_mqtt_sent(&mqtt, now(), (size_t)sent);
 *           int got = transport.receive(transport.context, in + kept, sizeof in - kept);
 *           if (got > 0)
 *               kept += got;
 *           size_t used = 0;
 *           actions = mup_agent_input(&agent, now(), in, kept, &used);
 *           memmove(in, in + used, kept -= used);        what was not used comes again
 *           if (sent < 0 || got < 0)
 *               actions |= MUP_AGENT_CLOSE;
 *       }
 *       actions |= mup_agent_tick(&agent, now());
 *       if ((actions & (MUP_AGENT_CLOSE | MUP_AGENT_RESTART)) != 0 && open) {
 *           send what mup_mqtt_output() still has; transport.close(transport.context);
 *           open = false, kept = 0, since_ms = now(), retry_ms = mup_agent_lost(&agent, now());
 *       }
 *       if (actions & MUP_AGENT_RESTART)
 *           reset.now(reset.context);
 *       sleep for mup_agent_wait_ms(&agent, now()), or until bytes came or could be sent again
 *   }
 *
 * MEMORY. struct mup_agent, struct mup_boot, struct mup_mqtt with its two buffers, the block buffer
 * (largest block + 32) and the request buffer (512). The two buffers may not share memory: a
 * command may arrive between two slices, while half a block lies there.
 *
 * ONE REQUEST AT A TIME. The agent announces a Receive Maximum of 1 and acknowledges a request to
 * the broker only when the answer was acknowledged by it. So an answer is never lost: not for want
 * of room in the output (it waits), nor with the connection (it is sent again on the next one).
 * With a larger receive_maximum a request may come while another is being answered: there is no
 * place for it, and afterwards the agent says that it is present, upon which the bridge publishes
 * again what was not answered. PUBACKs must keep the order of their messages (MQTT-4.6.0-2), so a
 * request gets its own at once, and a power cut between it and the answer costs the answer.
 *
 * FLOW CONTROL. The device chooses, the token says it, nothing is configured at the server:
 *
 *   MUP_FLOW_CREDIT  acknowledgements grant credit; with window_size = slice_size_max this is the
 *                    paper's stop-and-wait, with more it is the default. 4 to 16 kB are enough.
 *   MUP_FLOW_QOS1    slices come with QoS 1, at most receive_maximum of them under way, and the
 *                    broker waits for our PUBACKs. Set window_size to MUP_WINDOW_MAX, because what
 *                    lies ahead waits at the broker, and receive_maximum to the slices that fit the
 *                    transport's receive window (4 to 16); mosquitto 2.0.11 keeps to 1 only, TCP
 *                    then holds it back. A slice is acknowledged when all of it has been taken in;
 *                    one that comes again after a reconnection goes on where the first was cut.
 *   MUP_FLOW_PACED   one slice of QoS 0 each pause_ms, whatever the device does. Set window_size to
 *                    MUP_WINDOW_MAX.
 *
 * In each of them the agent acknowledges at half of the window, at a gap, after a wrong block, when
 * the payload is complete, when nothing has come for a while, and at least every 30 s.
 *
 * TRIAL. An image on trial is confirmed when the broker has granted every subscription and has
 * acknowledged the announcement, that is when the image has proved that it can be reached by the
 * next update. The bridge's reply is not waited for: a bridge that is down must not roll a fleet
 * back. The application may hold the confirmation back (`may_confirm`) until it has tested itself.
 * A trial that is not confirmed after MUP_AGENT_TRIAL_MS is given up; a reverted image that itself
 * reaches no broker for as long gives the new one its trial again (boot.h).
 *
 * WHAT SURVIVES A POWER CUT. Keys, boot state, verified blocks up to the last progress record. Not
 * the nonce, the accepted manifest, or the budget: after a reset an update goes on with a fresh
 * token and a fresh manifest, from the kept part on.
 */
#ifndef MUP_AGENT_H
#define MUP_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/backoff.h"
#include "mup/boot.h"
#include "mup/bootstrap_client.h"
#include "mup/flash_map.h"
#include "mup/manifest.h"
#include "mup/mqtt.h"
#include "mup/pipeline.h"
#include "mup/port/random.h"
#include "mup/rpc.h"
#include "mup/state.h"
#include "mup/status.h"
#include "mup/token.h"
#include "mup/topic.h"
#include "mup/transfer.h"

/* Good sizes of the MQTT client's buffers; `out` may not be smaller. */
#define MUP_AGENT_OUT_SIZE_MIN     448u
#define MUP_AGENT_HEAD_SIZE        192u

#define MUP_AGENT_TOPICS_MAX       16u /* command topics of the application */
#define MUP_AGENT_TELEMETRY_MAX    64u /* bytes of a sensor value */
#define MUP_AGENT_CORRELATIONS     8u  /* requests that are remembered */
#define MUP_AGENT_COPY_SIZE        16u /* of the digest by which an accepted manifest is known */
#define MUP_AGENT_BUDGET_MAX       16u /* signature checks at once, for manifests that fail */
#define MUP_AGENT_BUDGET_REFILL_MS 225000u
#define MUP_AGENT_ACK_FIRST_MS     1000u
#define MUP_AGENT_ACK_MAX_MS       30000u
#define MUP_AGENT_TRIAL_MS         3600000u
#define MUP_AGENT_GIVE_UP_MS       3600000u /* a transfer in which nothing comes for so long */
#define MUP_AGENT_SESSION_S        86400u   /* how long the broker keeps commands for us */
#define MUP_AGENT_RETRY_MS         1000u    /* after a failure of our own flash, and the like */
#define MUP_AGENT_PACKET_OVERHEAD  256u     /* topic and properties around a slice or request */
#define MUP_AGENT_SUBSCRIBE_MS     60000u   /* a broker that has not answered a SUBSCRIBE by then */
#define MUP_AGENT_RESTART_MS       5000u    /* wait this long for the last answer's PUBACK */
#define MUP_AGENT_BACKOFF_MIN_MS   1000u
#define MUP_AGENT_BACKOFF_MAX_MS   120000u

/* ---- What the application gives ---------------------------------------------------------- */

/* A command for the application. Points into the request buffer. */
struct mup_agent_call {
    uint8_t topic;           /* its index in config->topics */
    struct mup_bytes method; /* as the description declares it */
    size_t argument_count;
    struct mup_bytes arguments; /* that many CBOR items; read them with mup/cbor.h */
};

/* The application's answer. What it points to is the application's and not in `call`. */
struct mup_agent_answer {
    uint32_t state;              /* preset to MUP_STATE_ERROR; 0: the state is a text */
    struct mup_bytes state_text; /* as the description declares it; 1 to 64 bytes of UTF-8 */
    /* One encoded CBOR item, at most MUP_RESPONSE_MAX - 80, or empty. What does not fit into the
     * MQTT client's `out` together with about 100 bytes of topic and correlation data, or is more
     * than the broker takes, is answered with MUP_STATE_ERROR and without a value. */
    struct mup_bytes value;
};

/* What the agent tells the application, for logs and lamps. */
enum mup_agent_notice {
    MUP_AGENT_CONNECTED = 1, /* value: 1 if the broker kept the session */
    MUP_AGENT_ANNOUNCED,     /* the broker has the announcement */
    MUP_AGENT_BOOTSTRAP,     /* state: of the bridge's reply */
    MUP_AGENT_CERTIFICATE,   /* state: OK taken, NOOP held, UNKNOWN_KEY, ...; value: epoch held */
    MUP_AGENT_DESCRIBED,     /* the last piece of the description is with the broker */
    MUP_AGENT_TOKEN,         /* a token was handed out */
    MUP_AGENT_MANIFEST,      /* state: of the answer; value: payload bytes kept already */
    MUP_AGENT_PROGRESS,      /* state: of the acknowledgement; value: payload bytes so far */
    MUP_AGENT_VERIFIED,      /* state: of the answer; value: the new version */
    MUP_AGENT_COMMAND,       /* state: of the application's answer */
    MUP_AGENT_CONFIRMED,     /* value: the version that is kept */
    MUP_AGENT_GIVEN_UP,      /* a trial is over or given back; state: enum mup_boot_reason */
    MUP_AGENT_REPORTED,      /* the broker has the final report; state: its outcome */
    MUP_AGENT_CLOSED,        /* state: enum mup_mqtt_cause; value: MQTT reason */
};

/* What a device is and has. Constant while the agent runs; all of it is the caller's. */
struct mup_agent_config {
    struct mup_boot *boot;                /* opened; says which version runs */
    const struct mup_flash_map *map;      /* provisioned: name, UUID and vendor's key */
    struct mup_mqtt *mqtt;                /* initialised */
    const struct mup_port_random *random; /* no randomness, no token */
    uint8_t topic_count;                  /* at most MUP_AGENT_TOPICS_MAX */
    uint16_t keep_alive_s; /* after 1.5 of it without a sign of life the link is dead */

    const char *app_id;         /* 1 to 32 characters */
    const char *hardware_class; /* 1 to 32 characters */
    uint32_t link_offset;       /* memory address of the execution slot */
    const uint8_t *description; /* the template; may be in flash */
    uint32_t description_size;  /* 1 to MUP_DESCRIPTION_MAX */
    const char *password;       /* for the broker; NULL: none */
    const char *const *topics;  /* command topics without the name: "mup/led/" */

    uint8_t *block;            /* MUP_PIPELINE_BUFFER_SIZE(block_size_max) bytes */
    uint32_t block_size_max;   /* a power of two, MUP_BLOCK_SIZE_MIN to _MAX */
    uint8_t *request;          /* MUP_REQUEST_MAX bytes */
    uint32_t window_size;      /* most bytes in flight; not below slice_size_max */
    uint32_t slice_size_max;   /* largest slice; may be more than all of the RAM */
    uint32_t token_lifetime_s; /* 600 is SPEC's */
    uint32_t trial_ms;         /* a trial is given up after it; 0: MUP_AGENT_TRIAL_MS */

    /* How slices are to come: FLOW CONTROL above. All zero is the windowed credit. */
    uint8_t flow;             /* enum mup_flow, told in the token */
    bool no_alias;            /* write topics out; for comparison, an alias costs nothing */
    uint16_t pause_ms;        /* with MUP_FLOW_PACED: between two slices, 1 to MUP_PAUSE_MAX_MS */
    uint16_t receive_maximum; /* messages of QoS 1 that the broker may have under way; 0: 1 */

    /* Each may be NULL. */
    void (*command)(void *context, struct mup_agent_answer *answer,
                    const struct mup_agent_call *call);
    void (*notice)(void *context, enum mup_agent_notice notice, uint32_t state, uint32_t value);
    bool (*may_confirm)(void *context);
    void *context;
};

/* ---- The agent --------------------------------------------------------------------------- */

/* What the main loop must do now. */
enum mup_agent_action {
    MUP_AGENT_CLOSE = 1,   /* send the rest of the output, close the transport, mup_agent_lost() */
    MUP_AGENT_RESTART = 2, /* the same, then reset into the bootloader */
};

/* Where an update stands. */
enum mup_agent_phase {
    MUP_AGENT_IDLE = 0,   /* no transfer */
    MUP_AGENT_TRIAL,      /* this image is on trial: manifests are refused */
    MUP_AGENT_RECEIVING,  /* slices are wanted */
    MUP_AGENT_COMPLETE,   /* all blocks are there: verify */
    MUP_AGENT_FAILED,     /* the flash failed: a new manifest is wanted */
    MUP_AGENT_RESTARTING, /* the bootloader is asked; the restart follows */
};

struct mup_agent_correlation {
    uint8_t bytes[MUP_CORRELATION_MAX];
    uint8_t size;
};

#define MUP_AGENT_OUTGOING_COUNT 5u /* our messages of QoS 1 */

/*
 * Caller-owned; all fields are private. Bytes stand first, then halfwords, words and arrays: on a
 * Cortex-M0 an instruction reaches a byte in the first 32 bytes only, a word in the first 128, and
 * the address of what begins in the first 256.
 */
struct mup_agent {
    const struct mup_agent_config *config;

    /* the connection */
    uint8_t link;
    uint8_t subscribed; /* topic whose subscription is asked for, or comes next */
    uint8_t receiving;  /* what the message that is coming in is */
    bool firmware;      /* asked for the slices last, not for their end */
    uint8_t actions;
    uint8_t name_size;
    bool awaiting;  /* a SUBSCRIBE or UNSUBSCRIBE has no answer yet */
    bool refused;   /* a subscription of the application was refused */
    bool announced; /* the broker has acknowledged the announcement on this connection */

    /* our messages of QoS 1 that wait for their turn or for their PUBACK */
    uint8_t out_state[MUP_AGENT_OUTGOING_COUNT];

    /* requests */
    uint8_t request_topic;
    bool release_due; /* its PUBACK may go */

    /* the update */
    uint8_t phase; /* enum mup_agent_phase */
    uint8_t ack_repeats;
    uint8_t ack_state;
    bool ack_due;
    bool noop_due; /* slices of a transfer that we do not have */

    /* the slice that is coming in */
    uint8_t header_size;
    uint8_t slice;

    /* token and budget */
    bool nonce_lives;
    uint8_t budget;

    /* seldom */
    bool may_resume;   /* the broker's session has all of our subscriptions */
    bool restart_wait; /* an answer waits for its PUBACK before the restart */
    bool missed;       /* a message for which there was no room is to be asked for again */

    uint16_t out_id[MUP_AGENT_OUTGOING_COUNT]; /* 0: has none */
    uint16_t request_size;
    uint16_t response_size; /* in the request buffer; 0: none */
    uint16_t held_id;       /* request that has no PUBACK yet */
    uint16_t vendor_size;   /* signed vendor manifest, kept in flash */
    uint16_t transfer;
    uint16_t attempt;
    uint16_t noop_transfer;
    uint16_t patience_ms; /* until the first repetition of an acknowledgement */

    uint32_t now_ms;       /* of the call that is running */
    uint32_t subscribe_ms; /* of the newest SUBSCRIBE or UNSUBSCRIBE */
    uint32_t nonce_ms;
    uint32_t budget_ms;
    uint32_t phase_ms;    /* when the phase began, or the last progress in it */
    uint32_t acked_next;  /* next of the newest acknowledgement */
    uint32_t acked_ms;    /* when it was sent ... */
    uint32_t ack_ms;      /* ... or something came */
    uint32_t ack_wait_ms; /* until it is repeated */
    uint32_t noop_ms;
    uint32_t message_size; /* once it is a slice that is taken: bytes of it that we have */

    struct mup_backoff backoff;

    /* who we are; keys stay in flash */
    char name[MUP_NAME_MAX];
    uint8_t vendor_kid[MUP_KID_SIZE];
    struct mup_bootstrap bootstrap;

    uint8_t nonce[MUP_NONCE_SIZE];
    struct mup_pipeline pipeline;
    uint8_t extended_digest[MUP_AGENT_COPY_SIZE]; /* of the accepted extended manifest */
    uint8_t header[MUP_SLICE_HEADER_MAX];
    struct mup_agent_correlation
        correlations[MUP_AGENT_CORRELATIONS + 1]; /* coming in, newest, ... */
};

/*
 * Begin after a reset. Reads identity, boot state and progress record; computes the description's
 * digest. `config` and what it points to must outlive the agent.
 *
 * MUP_ERR_FORMAT  the device was never provisioned.
 * MUP_ERR_RANGE   a field of config is outside its limits: a mistake of the integrator.
 * MUP_ERR_RANDOM  no boot id can be made.
 * MUP_ERR_FLASH   the flash cannot be read.
 */
MUP_MUST_CHECK
enum mup_status mup_agent_init(struct mup_agent *agent, const struct mup_agent_config *config,
                               uint32_t now_ms);

/* The transport is connected: queues CONNECT. MUP_ERR_SPACE: the MQTT client's `out` is smaller
 * than MUP_AGENT_OUT_SIZE_MIN. */
MUP_MUST_CHECK
enum mup_status mup_agent_connect(struct mup_agent *agent, uint32_t now_ms);

/*
 * Bytes came from the broker. `*used` of them are done with; offer the others again, together with
 * those that follow, after output was sent. Bytes are left over only when there is no room for an
 * acknowledgement, and when the connection is to be closed. Returns actions.
 */
unsigned mup_agent_input(struct mup_agent *agent, uint32_t now_ms, const uint8_t *bytes,
                         size_t size, size_t *used);

/* Time went by, or output was sent and there is room again. Returns actions. */
unsigned mup_agent_tick(struct mup_agent *agent, uint32_t now_ms);

/*
 * One event of the MQTT client, for a main loop that drives the client itself; mup_agent_input()
 * and mup_agent_tick() do it otherwise. NULL: no event, only time. Returns actions.
 */
unsigned mup_agent_step(struct mup_agent *agent, uint32_t now_ms,
                        const struct mup_mqtt_event *event);

/* The transport is gone, or could not be connected. Returns after how many ms to try again:
 * exponential with full jitter; long after a refusal that will not go away soon. */
uint32_t mup_agent_lost(struct mup_agent *agent, uint32_t now_ms);

/* In how many ms mup_agent_tick() has something to do; MUP_MQTT_WAIT_FOREVER_MS if never. */
uint32_t mup_agent_wait_ms(const struct mup_agent *agent, uint32_t now_ms);

/*
 * Publish a sensor value, QoS 0, on `topic` + name. Returns MUP_ERR_BUSY when there is no room and
 * MUP_ERR_STATE when there is no connection: drop the value, the next one is fresher.
 */
MUP_MUST_CHECK
enum mup_status mup_agent_publish(struct mup_agent *agent, const char *topic, const void *value,
                                  size_t size);

/*
 * The application's self-test has failed on trial: give this image up. The next tick asks for the
 * restart. MUP_ERR_STATE: there is no trial. MUP_ERR_FLASH: not recorded; restart all the same.
 */
MUP_MUST_CHECK
enum mup_status mup_agent_give_up(struct mup_agent *agent, uint32_t now_ms);

enum mup_agent_phase mup_agent_phase(const struct mup_agent *agent);

/* The signed payload's size of the transfer under way; 0 if there is none. */
uint32_t mup_agent_payload_size(const struct mup_agent *agent);

#endif
