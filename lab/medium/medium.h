/*
 * A radio channel on which time passes: IEEE 802.15.4 at 2.4 GHz (O-QPSK, 250 kbit/s), between up
 * to 65 nodes that all hear one another.
 *
 * What is modelled, and from which clause each number is, is in docs/LAB.md, "What the medium
 * models": the time that a frame is on the air, unslotted CSMA-CA, turnaround, acknowledgements
 * and retries of the MAC, interframe spacing, half duplex, collisions; on request lost, damaged and
 * doubled frames, and receivers that sleep.
 *
 * There is no clock and no I/O in here. Time is an argument, in microseconds of any clock that
 * never goes back, and everything that happens happens at a time that the model computes (its
 * ideal time), however late mup_medium_run() is called. The same calls with the same seed give the
 * same events. Order of calls:
 *
 *     mup_medium_init(), then mup_medium_attach() for each node;
 *     mup_medium_send() when a node hands a frame to its radio, and
 *     mup_medium_run() when mup_medium_wake_us() has come, again and again.
 *
 * What happens is told through struct mup_medium_calls, from inside mup_medium_run(), in the order
 * of its ideal times. Those functions may call anything here but mup_medium_init();
 * mup_medium_run() does nothing when called from there.
 *
 * The struct is large (about 1.2 MB): make it static or take it from the heap. It has no pointers
 * into itself, and nothing here allocates. Bytes that a node sends may be any: what is no frame of
 * the standard is on the air for as long as its size says, and reaches nobody.
 */
#ifndef MUP_LAB_MEDIUM_H
#define MUP_LAB_MEDIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUP_MEDIUM_NODES_MAX     65u  /* a router and 64 devices */
#define MUP_MEDIUM_ROUTER        0u   /* by convention; the model treats all nodes alike */
#define MUP_MEDIUM_PSDU_MIN      3u   /* less cannot carry a frame control and a check sequence */
#define MUP_MEDIUM_PSDU_MAX      127u /* aMaxPhyPacketSize */
#define MUP_MEDIUM_EUI64_SIZE    8u
#define MUP_MEDIUM_QUEUE_MAX     128u /* frames that may wait in one node */
#define MUP_MEDIUM_QUEUE_DEFAULT 64u
#define MUP_MEDIUM_SOURCES_MAX   80u /* senders that a node's duplicate filter remembers */
#define MUP_MEDIUM_NEVER         UINT64_MAX
#define MUP_MEDIUM_PPM           1000000u /* a probability of one */

/* Bursts of loss (Gilbert and Elliott): each receiver is in a good or a bad state, and each frame
 * or acknowledgement that it should hear is one step. Probabilities in parts of a million. */
struct mup_medium_burst {
    uint32_t to_bad_ppm;  /* a step from good to bad; 0: no bursts */
    uint32_t to_good_ppm; /* a step from bad to good; its inverse is the mean length of a burst */
    uint32_t loss_ppm;    /* a frame is lost, in the bad state */
};

/* All zero: a clean channel, seed 0, queues of MUP_MEDIUM_QUEUE_DEFAULT frames. */
struct mup_medium_config {
    uint64_t seed;
    uint32_t frame_loss_ppm; /* a receiver does not hear a frame; for each receiver by itself */
    uint32_t ack_loss_ppm;   /* the sender does not hear an acknowledgement */
    uint32_t corrupt_ppm;    /* delivered with one wrong bit, and not acknowledged */
    uint32_t duplicate_ppm;  /* delivered twice, at the same time */
    struct mup_medium_burst burst;
    bool is_cut;        /* nothing arrives at anybody; radios still sense what is on the air */
    uint32_t queue_max; /* 1 to MUP_MEDIUM_QUEUE_MAX; 0: the default */
    /* How often whoever is above a MAC hands it a frame again at once for which it found no
     * channel; the standard leaves that to it. 0: the frame is given up. */
    uint32_t offers_max;
};

/*
 * Coordinated sampled listening (CSL): the receiver is on for awake_us at the beginning of each
 * period, and for linger_us after each frame that it sent or got. Who sends to it knows when, and
 * waits; a broadcast is preceded by wake-up frames for the longest period of all nodes.
 */
struct mup_medium_sleep {
    uint32_t period_us; /* 0, or not longer than awake_us: always on */
    uint32_t awake_us;  /* at least MUP_MEDIUM_AWAKE_MIN_US; raised to it */
    uint32_t linger_us;
};

/* So long may a frame's first backoff, its CCA and its turnaround take: 7 * 320 + 128 + 192. */
#define MUP_MEDIUM_AWAKE_MIN_US 2560u

enum mup_medium_kind {
    MUP_MEDIUM_DATA,      /* to one address, for the first time */
    MUP_MEDIUM_RETRY,     /* the same again */
    MUP_MEDIUM_BROADCAST, /* to short address 0xffff */
    MUP_MEDIUM_ACK,
    MUP_MEDIUM_OTHER, /* not a frame with a destination: counted with the broadcasts */
};

/* What became of a frame that was sent. */
enum mup_medium_outcome {
    MUP_MEDIUM_SENT,       /* acknowledged, or it asked for no acknowledgement */
    MUP_MEDIUM_NO_ACK,     /* given up after macMaxFrameRetries */
    MUP_MEDIUM_NO_CHANNEL, /* CSMA-CA found the channel busy too often; never on the air */
};

/* Whom to tell; any may be NULL. Bytes are the medium's and gone after the call. */
struct mup_medium_calls {
    void *context;
    /* A frame arrived at a node, when its last bit did: the whole PSDU, check sequence included.
     * Frames with a wrong check sequence do not come here, but for those of corrupt_ppm. */
    void (*deliver)(void *context, unsigned node, uint64_t at_us, const uint8_t *psdu, size_t size);
    /* A frame's preamble begins. Everything, retries, acknowledgements and what will collide. */
    void (*on_air)(void *context, unsigned node, uint64_t begin_us, const uint8_t *psdu,
                   size_t size, enum mup_medium_kind kind);
    /* A node is through with the oldest of its frames to the same destination. */
    void (*done)(void *context, unsigned node, uint64_t at_us, enum mup_medium_outcome outcome);
};

struct mup_medium_tally {
    uint64_t frames;
    uint64_t bytes; /* of PSDUs: MAC header to check sequence */
};

struct mup_medium_counters {
    struct mup_medium_tally data;      /* sent to one address, first attempts alone */
    struct mup_medium_tally retries;   /* further attempts */
    struct mup_medium_tally broadcast; /* sent, with what has no destination */
    struct mup_medium_tally acks;      /* sent by its MAC */
    struct mup_medium_tally delivered; /* given to it, a frame delivered twice counts twice */
    uint64_t dropped_queue;            /* its queue was full, or no PSDU has this size */
    uint64_t dropped_channel;          /* MUP_MEDIUM_NO_CHANNEL */
    uint64_t dropped_no_ack;           /* MUP_MEDIUM_NO_ACK */
    uint64_t lost;                     /* frames and acknowledgements that faults kept from it */
    uint64_t repeated;                 /* kept from it by its duplicate filter */
    uint64_t tx_us;                    /* its transmitter was on */
    uint64_t rx_us;                    /* its receiver was on, with or without a signal */
};

struct mup_medium_channel {
    uint64_t busy_us;    /* something was on the air */
    uint64_t collisions; /* transmissions, acknowledgements included, that others destroyed */
};

/* ---- private, but for its size ---- */

struct mup_medium_frame {
    uint8_t size;
    uint8_t psdu[MUP_MEDIUM_PSDU_MAX];
};

struct mup_medium_address {
    uint8_t size; /* 0: none, 2, or 8; bytes as on the air, least significant first */
    uint8_t bytes[MUP_MEDIUM_EUI64_SIZE];
};

/* The latest frame of one sender, for the duplicate filter. */
struct mup_medium_source {
    struct mup_medium_address address;
    uint8_t dsn;
    uint64_t at_us;
};

/* One transmission; a node has at most one at a time. */
struct mup_medium_air {
    bool is_on;
    bool is_destroyed;
    enum mup_medium_kind kind;
    uint64_t begin_us;
    uint64_t frame_us; /* its frame begins, after wake-up frames */
    uint64_t end_us;
    uint64_t counted_us;                /* its time is in the counters up to here */
    bool reaches[MUP_MEDIUM_NODES_MAX]; /* who listened when it began */
};

struct mup_medium_node {
    bool is_attached;
    struct mup_medium_address eui64;
    struct mup_medium_address short_address;

    /* frames that wait; slot[order[0]] is the oldest */
    struct mup_medium_frame slot[MUP_MEDIUM_QUEUE_MAX];
    uint8_t order[MUP_MEDIUM_QUEUE_MAX];
    uint8_t count;
    uint8_t head; /* which of order[] the MAC is busy with */

    int state; /* of the MAC: csma.c */
    uint64_t timer_us;
    uint64_t spaced_us; /* interframe spacing ends */
    uint8_t backoffs;
    uint8_t exponent;
    uint8_t attempts;
    uint32_t offers; /* of the frame, because there was no channel */
    uint64_t cca_us; /* the channel assessment began */

    /* acknowledgement that this node owes */
    uint8_t ack[5];
    uint64_t ack_us; /* its begin; MUP_MEDIUM_NEVER: none */

    struct mup_medium_air air;
    uint64_t turned_us; /* it is back from sending to receiving */
    bool is_bad;        /* state of the burst model */
    struct mup_medium_source sources[MUP_MEDIUM_SOURCES_MAX];

    struct mup_medium_sleep sleep;
    uint64_t sleep_origin_us;
    uint64_t on_until_us;
    uint64_t on_us; /* its radio was on, receiving or sending, until counted_us */
    uint64_t counted_us;
    struct mup_medium_counters counters;
};

struct mup_medium {
    struct mup_medium_config config;
    struct mup_medium_calls calls;
    uint64_t random;
    uint64_t now_us;
    bool is_running;
    uint64_t busy_since_us;
    uint64_t silent_since_us; /* end of the latest transmission of all */
    unsigned on_air_count;
    struct mup_medium_channel channel;
    struct mup_medium_node node[MUP_MEDIUM_NODES_MAX];
};

/* ---- calls ---- */

/* A silent channel without nodes, at time 0. `config` and `calls` are copied. */
void mup_medium_init(struct mup_medium *medium, const struct mup_medium_config *config,
                     const struct mup_medium_calls *calls);

/* Change faults and queues while everything runs; holds for what ends on the air from now on. A
 * seed other than the one in use starts the generator anew. */
void mup_medium_set(struct mup_medium *medium, const struct mup_medium_config *config);

/*
 * Switch a node's radio on (node < MUP_MEDIUM_NODES_MAX; a node that is attached already starts
 * anew, but for its counters). Its EUI-64 is given as on the air, least significant byte first, or
 * NULL; either way both its addresses are learnt, again and again, from the frames that it sends.
 */
void mup_medium_attach(struct mup_medium *medium, uint64_t now_us, unsigned node,
                       const uint8_t *eui64);

/* Give it a short address, as a network's coordinator would; it stays until it sends from another.
 */
void mup_medium_set_short_address(struct mup_medium *medium, unsigned node, uint16_t address);

/* Switch it off: what waits is gone without a word, what is on the air ends here, broken. As with
 * attaching, what is due by then happens first. */
void mup_medium_detach(struct mup_medium *medium, uint64_t now_us, unsigned node);

/* Let a node's receiver sleep, or (period 0) stay on again; attaching leaves it on. The first
 * period begins now, after what is due by then. */
void mup_medium_set_sleep(struct mup_medium *medium, uint64_t now_us, unsigned node,
                          const struct mup_medium_sleep *sleep);

/*
 * A node hands a frame to its radio at now_us; an earlier time than that of the latest event
 * counts as that. The bytes are copied. False, and counted in dropped_queue: the queue is full, or
 * size is not MUP_MEDIUM_PSDU_MIN to MUP_MEDIUM_PSDU_MAX. False, and not counted: no such node.
 *
 * The frame is sent as it is, with its sequence number and its check sequence. It is acknowledged
 * and retried if its acknowledgement request bit says so.
 */
bool mup_medium_send(struct mup_medium *medium, uint64_t now_us, unsigned node, const uint8_t *psdu,
                     size_t size);

/* Let everything happen that is due up to now_us, in order. */
void mup_medium_run(struct mup_medium *medium, uint64_t now_us);

/* When the next thing is due; MUP_MEDIUM_NEVER: nothing, until somebody sends. */
uint64_t mup_medium_wake_us(const struct mup_medium *medium);

/* The counters of a node, or of the channel, with times up to now_us (or to the latest event, if
 * that is later). */
void mup_medium_count(struct mup_medium *medium, uint64_t now_us, unsigned node,
                      struct mup_medium_counters *counters);
void mup_medium_count_channel(struct mup_medium *medium, uint64_t now_us,
                              struct mup_medium_channel *channel);

/* All counters to zero, times from now_us on. */
void mup_medium_reset_counters(struct mup_medium *medium, uint64_t now_us);

/* The addresses of a node, least significant byte first; false while it is not known. */
bool mup_medium_eui64(const struct mup_medium *medium, unsigned node,
                      uint8_t eui64[MUP_MEDIUM_EUI64_SIZE]);
bool mup_medium_short_address(const struct mup_medium *medium, unsigned node, uint16_t *address);

/* ---- limit.c: what the standard leaves at best ---- */

/* A PSDU's time on the air, synchronisation header and PHY header included. */
uint32_t mup_medium_airtime_us(size_t psdu_size);

/* The channel's time for one acknowledged frame: airtime, turnaround, acknowledgement. */
uint32_t mup_medium_exchange_us(size_t psdu_size);

/* The sender's time for one acknowledged frame, on a clean and otherwise silent channel: mean
 * backoff, CCA, turnaround, exchange, interframe spacing. */
uint32_t mup_medium_cycle_us(size_t psdu_size);

/*
 * The least time in which acknowledged frames of these PSDU sizes can pass between two nodes, on
 * a clean and otherwise silent channel with mean backoffs: a cycle for each frame of the direction
 * in which that takes longer, and an exchange alone for each of the other, whose sender can draw
 * its backoffs while the first one does.
 */
uint64_t mup_medium_limit_us(const uint8_t *there, size_t there_count, const uint8_t *back,
                             size_t back_count);

#endif
