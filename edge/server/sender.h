/*
 * Send a payload in slices under the receiver's credit (docs/SPEC.md sections 15 and 16), without
 * I/O: acknowledgements in, slice headers out.
 *
 *     mup_sender_start(&sender, payload_size, window, slice_size, &first_ack)
 *     loop:
 *       while (mup_sender_next(&sender, &header)) { publish header and data;
 *                                                   mup_sender_sent(&sender, &header); }
 *       on an acknowledgement: switch (mup_sender_take_ack(&sender, &ack)) ...
 *
 * The rules that a hostile or confused device cannot break:
 *   S1  never more than `window` bytes in flight, whatever a limit says;
 *   S2  a next beyond what was sent is ignored, with everything else in that acknowledgement;
 *   S3  the sender goes back once for each attempt, and only to one newer than its own (of an
 *       older one it hears that all is there, and no more);
 *   S4  no byte outside the payload is ever named;
 *   S5  bytes that go out again and again are counted: the caller gives up when is_spent says so.
 *
 * Stop-and-wait (paper 5.6) is what comes out of a window of one slice.
 */
#ifndef MUP_SERVER_SENDER_H
#define MUP_SERVER_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "mup/status.h"
#include "mup/transfer.h"

#define MUP_SENDER_REPEATS_MAX 16u /* the worst link of the lab needs less than two */

/* Caller-owned and plain; all fields are private, except that all may be read. */
struct mup_sender {
    uint32_t transfer;
    uint32_t attempt;
    uint32_t payload_size;
    uint32_t window;     /* S1 */
    uint32_t slice_size; /* data bytes of a slice, at most */
    uint32_t next;       /* acknowledged in this attempt */
    uint32_t limit;      /* granted in this attempt, clamped by S1 and S4 */
    uint32_t sent;       /* offset of the next slice */
    uint32_t sent_most;  /* highest offset ever sent up to, or taken over from a resumed start */
    uint32_t next_most;  /* highest next ever acknowledged: progress */
    uint32_t rewinds;    /* how often it went back */
    uint64_t bytes_sent; /* data bytes handed out, repetitions included */
};

enum mup_sender_event {
    MUP_SENDER_IGNORED,  /* of another transfer, late, or against the rules */
    MUP_SENDER_MOVED,    /* credit or position changed: there may be something to send */
    MUP_SENDER_COMPLETE, /* the device has the whole payload */
    MUP_SENDER_FLASH,    /* state 40: the device's flash failed, the transfer has ended */
    MUP_SENDER_GONE,     /* state 11: the device has no such transfer any more */
};

/*
 * Begin where the first acknowledgement says; nothing was sent yet, so its next is believed.
 *
 * MUP_ERR_RANGE  a next beyond the payload, or a window or slice size of 0.
 */
MUP_MUST_CHECK
enum mup_status mup_sender_start(struct mup_sender *sender, uint32_t payload_size, uint32_t window,
                                 uint32_t slice_size, const struct mup_ack *first);

enum mup_sender_event mup_sender_take_ack(struct mup_sender *sender, const struct mup_ack *ack);

/* The slice that may be sent now. False: wait for an acknowledgement. */
bool mup_sender_next(const struct mup_sender *sender, struct mup_slice_header *header);

/* It was handed to the network. */
void mup_sender_sent(struct mup_sender *sender, const struct mup_slice_header *header);

bool mup_sender_is_complete(const struct mup_sender *sender);

/* S5: more was sent than MUP_SENDER_REPEATS_MAX payloads and windows. An acknowledgement of twenty
 * bytes can ask for a window of 65,536 again, so a device that does so for ever must be stopped. */
bool mup_sender_is_spent(const struct mup_sender *sender);

#endif
