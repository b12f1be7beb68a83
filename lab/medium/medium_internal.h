/* What the files of the medium share: see medium.h for what it is. */
#ifndef MUP_LAB_MEDIUM_INTERNAL_H
#define MUP_LAB_MEDIUM_INTERNAL_H

#include "medium.h"

/* ---- address.c ---- */

/* What the medium wants to know of a frame. */
struct mup_medium_facts {
    enum mup_medium_kind kind; /* DATA, BROADCAST or OTHER */
    bool wants_ack;            /* only DATA does */
    uint8_t dsn;
    struct mup_medium_address destination;
    struct mup_medium_address source;
};

struct mup_medium_facts mup_medium_read(const uint8_t *psdu, size_t size);

bool mup_medium_address_equal(const struct mup_medium_address *a,
                              const struct mup_medium_address *b);

/* True for a node that has this address. */
bool mup_medium_is_addressed(const struct mup_medium_node *node,
                             const struct mup_medium_address *destination);

/* ---- csma.c: how a node sends what waits in it ---- */

/* The node's MAC may have something new to do, from at_us on. */
void mup_medium_mac_look(struct mup_medium *medium, struct mup_medium_node *node, uint64_t at_us);

/* Its timer is due. */
void mup_medium_mac_step(struct mup_medium *medium, struct mup_medium_node *node);

/* Its frame has left the air. */
void mup_medium_mac_sent(struct mup_medium *medium, struct mup_medium_node *node);

/* It hears an acknowledgement. */
void mup_medium_mac_take_ack(struct mup_medium *medium, struct mup_medium_node *node);
bool mup_medium_mac_waits_for(const struct mup_medium_node *node, uint8_t dsn);

/* The frame that the MAC is busy with. */
const struct mup_medium_frame *mup_medium_mac_frame(const struct mup_medium_node *node);

/* ---- air.c: transmissions ---- */

void mup_medium_air_begin(struct mup_medium *medium, struct mup_medium_node *node,
                          enum mup_medium_kind kind, const uint8_t *psdu, size_t size);
void mup_medium_air_end(struct mup_medium *medium, struct mup_medium_node *node);

/* The node falls silent in mid-frame. */
void mup_medium_air_break(struct mup_medium *medium, struct mup_medium_node *node);

/* True when a channel assessment of this node, from node->cca_us until now, finds the channel
 * busy. */
bool mup_medium_air_is_busy(const struct mup_medium *medium, const struct mup_medium_node *node);

/* ---- receive.c: what a node makes of a frame that reaches it ---- */

/* A frame of `from` has ended, undestroyed. */
void mup_medium_receive(struct mup_medium *medium, const struct mup_medium_node *from,
                        const uint8_t *psdu, size_t size);

/* ---- fault.c ---- */

enum mup_medium_heard {
    MUP_MEDIUM_LOST,
    MUP_MEDIUM_DAMAGED,
    MUP_MEDIUM_WHOLE,
};

enum mup_medium_heard mup_medium_hear_frame(struct mup_medium *medium,
                                            struct mup_medium_node *node);
bool mup_medium_hear_ack(struct mup_medium *medium, struct mup_medium_node *node);
void mup_medium_damage(struct mup_medium *medium, uint8_t *psdu, size_t size);

/* ---- sleep.c ---- */

bool mup_medium_is_awake(const struct mup_medium_node *node, uint64_t at_us);

/* The earliest time from at_us on at which a sender of this frame may begin its first backoff. */
uint64_t mup_medium_ready_us(const struct mup_medium *medium, const struct mup_medium_frame *frame,
                             uint64_t at_us);

/* How long wake-up frames precede a broadcast. */
uint32_t mup_medium_wake_up_us(const struct mup_medium *medium);

/* The node stays on while it is busy with a frame of its own, from the first to the second. */
void mup_medium_stay_on(struct mup_medium *medium, struct mup_medium_node *node);
void mup_medium_let_sleep(struct mup_medium *medium, struct mup_medium_node *node);

/* It stays on until its time to linger, from from_us, is over. */
void mup_medium_linger(struct mup_medium *medium, struct mup_medium_node *node, uint64_t from_us);

/* Bring on_us up to now. */
void mup_medium_account(struct mup_medium_node *node, uint64_t now_us);

/* ---- filter.c ---- */

/* True when this sender's latest frame had the same number, a short time ago; remembers this one.
 */
bool mup_medium_is_repeated(struct mup_medium *medium, struct mup_medium_node *node,
                            const struct mup_medium_address *source, uint8_t dsn);

static inline unsigned mup_medium_index(const struct mup_medium *medium,
                                        const struct mup_medium_node *node)
{
    return (unsigned)(node - medium->node);
}

#endif
