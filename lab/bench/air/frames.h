/* What a capture of the router holds: counted here by ourselves, to be held against its report. */
#ifndef MUP_BENCH_AIR_FRAMES_H
#define MUP_BENCH_AIR_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#define MUP_FRAMES_MAX 65536u /* of one direction in the window of the transfer */

struct mup_frames_tally {
    uint32_t frames;
    uint32_t bytes; /* of PSDUs */
};

struct mup_frames_way {
    struct mup_frames_tally first; /* to one address, sent for the first time */
    struct mup_frames_tally retries;
    struct mup_frames_tally broadcast;
    struct mup_frames_tally acks; /* of the MAC, that the sender of this direction sent */
};

struct mup_frames {
    struct mup_frames_way in;  /* from the router */
    struct mup_frames_way out; /* from devices */
    uint64_t airtime_us;       /* in the window of the transfer */
    uint64_t limit_us;         /* mup_medium_limit_us() of the frames in that window */
};

/* Microseconds since 1970, as in the capture; what begins at `to` is not in it any more. */
struct mup_frames_window {
    int64_t from_us;
    int64_t to_us;
};

/* Count what lies in `all`; airtime and limit of what lies in `transfer`. False: no such file. */
bool mup_frames_read(struct mup_frames *out, const char *path, struct mup_frames_window all,
                     struct mup_frames_window transfer);

#endif
