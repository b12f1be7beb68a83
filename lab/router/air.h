/*
 * The air between the router and its devices: the medium (lab/medium/medium.h) in real time.
 *
 * Frames are handed over when they are complete, with the time of now; what the medium computes
 * from there on happens at its own times, and mup_air_run() makes it true as soon after as this
 * process gets to it. How late that is, is counted. Nodes: 0 is the router, device n is n + 1.
 */
#ifndef MUP_LAB_AIR_H
#define MUP_LAB_AIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "faults.h"
#include "lateness.h"

struct mup_air_calls {
    void *context;
    /* A frame has arrived at a node. */
    void (*deliver)(void *context, unsigned node, const uint8_t *psdu, size_t size);
    /* The router's MAC is through with one of its frames, which was acknowledged (or wanted no
     * acknowledgement) or not. The next may be handed over from in here, and is on time then. */
    void (*done)(void *context, bool has_arrived);
};

struct mup_air;

/* `capture` may be NULL and stays the caller's: everything that is on the air goes there. NULL
 * after a message on stderr. */
struct mup_air *mup_air_open(const struct mup_faults *faults, FILE *capture);

/* The router's radio goes on, with these addresses; the EUI-64 is least significant byte first. */
void mup_air_attach_router(struct mup_air *air, const uint8_t eui64[MUP_MEDIUM_EUI64_SIZE],
                           uint16_t short_address);
void mup_air_close(struct mup_air *air);

/* Before anything is sent. */
void mup_air_set_calls(struct mup_air *air, const struct mup_air_calls *calls);

/* A device's radio goes on or off; its addresses are learnt. */
void mup_air_attach(struct mup_air *air, unsigned node);
void mup_air_detach(struct mup_air *air, unsigned node);

/* What is lost when the node's queue is full is counted. */
void mup_air_send(struct mup_air *air, unsigned node, const uint8_t *psdu, size_t size);

/* How many frames the router's radio takes at a time: one, so that what waits elsewhere can still
 * be put in order. When devices sleep, frames to different ones wait for different moments, and the
 * medium chooses among many. */
unsigned mup_air_room(const struct mup_air *air);

/* Whether it takes another one now. */
bool mup_air_has_room(const struct mup_air *air);

/* Do all that is due by now. */
void mup_air_run(struct mup_air *air);

/* Microseconds from now until mup_air_run() has something to do, or until `most_us`. */
uint64_t mup_air_wait_us(const struct mup_air *air, uint64_t most_us);

/* ---- for the control socket ---- */

const struct mup_faults *mup_air_faults(const struct mup_air *air);
void mup_air_set_faults(struct mup_air *air, const struct mup_faults *faults);

/* Counters and lateness to zero. */
void mup_air_reset(struct mup_air *air);

/* One moment: mup_air_count() fixes it, and counts of nodes that are asked for next are of it. */
struct mup_air_report {
    uint64_t now_us;  /* since 1970 */
    uint64_t span_us; /* since the counters were zero */
    struct mup_medium_channel channel;
};
void mup_air_count(struct mup_air *air, struct mup_air_report *report);
const struct mup_lateness *mup_air_lateness(const struct mup_air *air);

/* False: there is no such node and never was. */
bool mup_air_count_node(struct mup_air *air, unsigned node, struct mup_medium_counters *counters);
bool mup_air_eui64(const struct mup_air *air, unsigned node, uint8_t eui64[MUP_MEDIUM_EUI64_SIZE]);
bool mup_air_short_address(const struct mup_air *air, unsigned node, uint16_t *address);

#endif
