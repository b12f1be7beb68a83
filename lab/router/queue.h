/*
 * Frames that wait for the router's radio: a lane for each receiver, served in turns.
 *
 * The radio takes few frames at a time, so what waits waits here, where nobody is pushed aside: a
 * turn is a few datagrams, about what a device can take before it answers. With turns of one
 * datagram, segments of TCP come so far apart that a device acknowledges each of them. A lane has
 * room for a few of the longest datagrams. Ask mup_queue_has_room() before a datagram is taken
 * apart: refused as a whole it stays where it is, and TCP tries again; a datagram that lacks a
 * fragment would only cost airtime.
 *
 * TCP is to ask mup_queue_is_waiting() too and let one segment wait in a lane, not more: what it
 * sends later acknowledges what came meanwhile.
 *
 *     if (!mup_queue_has_room(&queue, key)) wait for mup_queue_take() to make some
 *     mup_queue_put(&queue, key, psdu, size, true)     the first frame of a datagram
 *     mup_queue_put(&queue, key, psdu, size, false)    its further ones
 *     mup_queue_take(&queue, psdu)                     when the radio can take one
 */
#ifndef MUP_LAB_QUEUE_H
#define MUP_LAB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define MUP_QUEUE_LANES       66u /* 64 devices by one address each, everybody, and one to spare */
#define MUP_QUEUE_LANE_FRAMES 64u
#define MUP_QUEUE_TURN        4u  /* datagrams */
#define MUP_QUEUE_DATAGRAM    16u /* frames of the longest: 1280 bytes, 80 at least in each */

/* A lane's key is the receiver's address as a number: an EUI-64, or a short address, of which
 * 0xffff is everybody. */

struct mup_queue_frame {
    uint8_t psdu[MUP_FRAME_SIZE_MAX];
    uint8_t size;
    bool is_first; /* of a datagram */
};

struct mup_queue_lane {
    uint64_t key;
    unsigned begin;
    unsigned count; /* 0: the lane is free for any key */
    unsigned whole; /* datagrams of which no frame has been taken */
    struct mup_queue_frame frames[MUP_QUEUE_LANE_FRAMES];
};

/* Plain; all zero is empty. */
struct mup_queue {
    unsigned turn;   /* the lane that is served */
    unsigned served; /* datagrams in this turn */
    unsigned count;  /* frames in all lanes */
    struct mup_queue_lane lanes[MUP_QUEUE_LANES];
};

/* Whether a whole datagram fits. */
bool mup_queue_has_room(const struct mup_queue *queue, uint64_t key);

/* Whether a datagram waits of which no frame has been taken yet. */
bool mup_queue_is_waiting(const struct mup_queue *queue, uint64_t key);

/* Whether any frame waits in a lane. */
bool mup_queue_has_any(const struct mup_queue *queue, uint64_t key);

/* False, and the frame is dropped, when the lane is full. */
bool mup_queue_put(struct mup_queue *queue, uint64_t key, const uint8_t *psdu, size_t size,
                   bool is_first);

/* The next frame; 0 when there is none, else its size. */
size_t mup_queue_take(struct mup_queue *queue, uint8_t psdu[MUP_FRAME_SIZE_MAX]);

/* Drop what is left of the datagram whose frame was taken last: one of its frames is lost for good,
 * so that the others are worth nothing. */
void mup_queue_drop_rest(struct mup_queue *queue);

#endif
