/* Reads a capture of the router: see frames.h. */
#include "frames.h"

#include <stdio.h>
#include <string.h>

#include "medium.h"

#define HEADER_SIZE 24u
#define EUI64_SIZE  8u

/* Frame control field, IEEE 802.15.4-2020 section 7.2.2. */
#define TYPE_DATA        1u
#define TYPE_ACK         2u
#define ADDRESS_SHORT    2u
#define ADDRESS_EXTENDED 3u

/* Of the router, as on the air: least significant byte first. */
static const uint8_t router_eui64[EUI64_SIZE] = {1, 0, 0, 0, 0, 0, 0, 2};
static const uint8_t router_short[2] = {1, 0};

struct record {
    uint32_t seconds;
    uint32_t microseconds;
    uint32_t size;
    uint32_t original_size;
};

struct frame {
    uint8_t psdu[MUP_MEDIUM_PSDU_MAX];
    size_t size;
    int64_t at_us;
    unsigned type;
    bool broadcast;
    bool from_router;
    const uint8_t *source; /* in psdu */
    size_t source_size;
};

/* The sizes of first transmissions in the window of the transfer, by direction. */
struct sizes {
    uint8_t in[MUP_FRAMES_MAX];
    uint8_t out[MUP_FRAMES_MAX];
    size_t in_count;
    size_t out_count;
};

static size_t address_size(unsigned mode)
{
    return mode == ADDRESS_EXTENDED ? EUI64_SIZE : mode == ADDRESS_SHORT ? 2 : 0;
}

static bool is_router(const struct frame *frame)
{
    return frame->source_size == EUI64_SIZE
               ? memcmp(frame->source, router_eui64, EUI64_SIZE) == 0
               : frame->source_size == 2 && memcmp(frame->source, router_short, 2) == 0;
}

static void find_addresses(struct frame *frame)
{
    unsigned control = frame->psdu[0] | (unsigned)frame->psdu[1] << 8;
    size_t to_size = address_size(control >> 10 & 3u);
    size_t at = 3;

    frame->type = control & 7u;
    frame->source_size = address_size(control >> 14 & 3u);
    if (to_size != 0) {
        at += 2;
        frame->broadcast = to_size == 2 && frame->psdu[at] == 0xff && frame->psdu[at + 1] == 0xff;
        at += to_size;
    }
    if (frame->source_size != 0 && (control & 0x40u) == 0)
        at += 2;
    frame->source = frame->psdu + at;
    if (at + frame->source_size > frame->size)
        frame->source_size = 0;
    frame->from_router = is_router(frame);
}

static bool read_frame(FILE *file, struct frame *frame)
{
    struct record record;

    if (fread(&record, sizeof record, 1, file) != 1 || record.size < MUP_MEDIUM_PSDU_MIN ||
        record.size > sizeof frame->psdu || fread(frame->psdu, 1, record.size, file) != record.size)
        return false;
    frame->size = record.size;
    frame->at_us = (int64_t)record.seconds * 1000000 + record.microseconds;
    frame->broadcast = false;
    find_addresses(frame);
    return true;
}

static void add(struct mup_frames_tally *tally, size_t size)
{
    tally->frames++;
    tally->bytes += (uint32_t)size;
}

static bool is_in(const struct mup_frames_window *window, int64_t at_us)
{
    return at_us >= window->from_us && at_us < window->to_us;
}

/* The same sequence number from the same sender, twice in a row from it: sent again by its MAC. The
 * few senders of a run are told apart by the last bytes of their addresses. */
static bool is_retry(const struct frame *frame)
{
    static struct {
        uint8_t source[EUI64_SIZE];
        size_t source_size;
        uint8_t number;
        size_t size;
    } seen[16], *one;
    size_t i;

    if (frame->source_size == 0) { /* a new capture */
        memset(seen, 0, sizeof seen);
        return false;
    }
    for (i = 0; i < 15 && seen[i].source_size != 0; i++)
        if (seen[i].source_size == frame->source_size &&
            memcmp(seen[i].source, frame->source, frame->source_size) == 0)
            break;
    one = &seen[i];
    if (one->source_size != 0 && one->number == frame->psdu[2] && one->size == frame->size)
        return true;
    memcpy(one->source, frame->source, frame->source_size);
    one->source_size = frame->source_size;
    one->number = frame->psdu[2];
    one->size = frame->size;
    return false;
}

static void note_size(struct sizes *sizes, const struct frame *frame)
{
    if (frame->from_router && sizes->in_count < MUP_FRAMES_MAX)
        sizes->in[sizes->in_count++] = (uint8_t)frame->size;
    else if (!frame->from_router && sizes->out_count < MUP_FRAMES_MAX)
        sizes->out[sizes->out_count++] = (uint8_t)frame->size;
}

/* An acknowledgement has no addresses: it comes from whom the frame before it went to. */
static void count(struct mup_frames *out, struct sizes *sizes, const struct frame *frame,
                  bool last_from_router, const struct mup_frames_window *all,
                  const struct mup_frames_window *transfer)
{
    bool acknowledges = frame->type == TYPE_ACK;
    struct mup_frames_way *way =
        (acknowledges ? !last_from_router : frame->from_router) ? &out->in : &out->out;
    bool again = !acknowledges && !frame->broadcast && is_retry(frame);

    if (is_in(transfer, frame->at_us)) {
        out->airtime_us += mup_medium_airtime_us(frame->size);
        if (!acknowledges && !frame->broadcast && !again)
            note_size(sizes, frame);
    }
    if (!is_in(all, frame->at_us))
        return;
    add(acknowledges       ? &way->acks
        : frame->broadcast ? &way->broadcast
        : again            ? &way->retries
                           : &way->first,
        frame->size);
}

bool mup_frames_read(struct mup_frames *out, const char *path, struct mup_frames_window all,
                     struct mup_frames_window transfer)
{
    static struct sizes sizes;
    FILE *file = fopen(path, "rbe");
    struct frame frame = {.source_size = 0};
    uint8_t header[HEADER_SIZE];
    bool last_from_router = false;

    memset(out, 0, sizeof *out);
    sizes.in_count = sizes.out_count = 0;
    if (file == NULL)
        return false;
    (void)is_retry(&frame);
    if (fread(header, 1, sizeof header, file) == sizeof header)
        while (read_frame(file, &frame)) {
            count(out, &sizes, &frame, last_from_router, &all, &transfer);
            if (frame.type == TYPE_DATA)
                last_from_router = frame.from_router;
        }
    fclose(file);
    out->limit_us = mup_medium_limit_us(sizes.in, sizes.in_count, sizes.out, sizes.out_count);
    return true;
}
