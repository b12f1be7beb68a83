/* Credit and position of one transfer. The rules S1 to S5 stand in the header. */
#include "server/sender.h"

#include <string.h>

#include "mup/state.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* S1 and S4: at most the window beyond next, and never beyond the payload. */
static uint32_t clamp(const struct mup_sender *sender, uint32_t next, uint32_t limit)
{
    uint32_t room = least(sender->window, sender->payload_size - next);

    return limit <= next ? next : next + least(limit - next, room);
}

enum mup_status mup_sender_start(struct mup_sender *sender, uint32_t payload_size, uint32_t window,
                                 uint32_t slice_size, const struct mup_ack *first)
{
    if (first->next > payload_size || window == 0 || slice_size == 0) {
        return MUP_ERR_RANGE;
    }
    *sender = (struct mup_sender){
        .transfer = first->transfer,
        .attempt = first->attempt,
        .payload_size = payload_size,
        .window = window,
        .slice_size = least(slice_size, window),
        .next = first->next,
        .sent = first->next,
        .sent_most = first->next,
        .next_most = first->next,
    };
    sender->limit = clamp(sender, first->next, first->limit);
    return MUP_OK;
}

bool mup_sender_is_complete(const struct mup_sender *sender)
{
    return sender->next == sender->payload_size;
}

bool mup_sender_is_spent(const struct mup_sender *sender)
{
    uint64_t once = (uint64_t)sender->payload_size + sender->window;

    return sender->bytes_sent > MUP_SENDER_REPEATS_MAX * once;
}

/* How many attempts `to` is ahead of `from`, modulo 65,536; more than half the circle is behind. */
static bool is_newer(uint32_t to, uint32_t from)
{
    uint32_t ahead = (to - from) & MUP_ATTEMPT_MAX;

    return ahead != 0 && ahead <= MUP_ATTEMPT_MAX / 2;
}

static enum mup_sender_event moved(struct mup_sender *sender)
{
    if (sender->next > sender->next_most) {
        sender->next_most = sender->next;
    }
    return mup_sender_is_complete(sender) ? MUP_SENDER_COMPLETE : MUP_SENDER_MOVED;
}

/* A newer attempt replaces position and credit; next may lie before the old one (state 41). */
static enum mup_sender_event go_back(struct mup_sender *sender, const struct mup_ack *ack)
{
    sender->attempt = ack->attempt;
    sender->next = ack->next;
    sender->sent = ack->next;
    sender->limit = clamp(sender, ack->next, ack->limit);
    sender->rewinds++;
    return moved(sender);
}

static enum mup_sender_event go_on(struct mup_sender *sender, const struct mup_ack *ack)
{
    uint32_t limit = clamp(sender, ack->next, ack->limit);

    if (ack->next <= sender->next && limit <= sender->limit) {
        return MUP_SENDER_IGNORED;
    }
    if (ack->next > sender->next) {
        sender->next = ack->next;
    }
    if (limit > sender->limit) {
        sender->limit = limit;
    }
    /* A slice of an older attempt may have filled the gap: what the device has is not sent again.
     */
    if (sender->sent < sender->next) {
        sender->sent = sender->next;
    }
    return moved(sender);
}

enum mup_sender_event mup_sender_take_ack(struct mup_sender *sender, const struct mup_ack *ack)
{
    if (ack->transfer != sender->transfer) {
        return MUP_SENDER_IGNORED;
    }
    if (ack->state == MUP_STATE_FLASH_FAILURE) {
        return MUP_SENDER_FLASH;
    }
    if (ack->state == MUP_STATE_NOOP) {
        return MUP_SENDER_GONE;
    }
    if (ack->next > sender->sent_most) {
        return MUP_SENDER_IGNORED; /* S2 */
    }
    if (is_newer(ack->attempt, sender->attempt)) {
        return go_back(sender, ack); /* S3 */
    }
    /* The end is the end under any attempt: a device that has all begins no new one, and one that
     * reconnected may have taken back an attempt that we know of (docs/SPEC.md section 15). */
    if (ack->attempt != sender->attempt && ack->next != sender->payload_size) {
        return MUP_SENDER_IGNORED;
    }
    return go_on(sender, ack);
}

bool mup_sender_next(const struct mup_sender *sender, struct mup_slice_header *header)
{
    uint32_t credit = sender->limit - sender->sent;
    uint32_t in_flight = sender->sent - sender->next;
    uint32_t size = least(sender->slice_size, credit);

    if (credit == 0) {
        return false;
    }
    /* Rather wait than cut a slice into crumbs, as long as enough is under way for the device to
     * acknowledge soon (it does at half a window), and unless this is the end. */
    if (size < sender->slice_size && in_flight >= sender->window / 2 && in_flight > 0 &&
        sender->sent + size < sender->payload_size) {
        return false;
    }
    *header = (struct mup_slice_header){
        .transfer = sender->transfer,
        .attempt = sender->attempt,
        .offset = sender->sent,
        .size = size,
    };
    return true;
}

void mup_sender_sent(struct mup_sender *sender, const struct mup_slice_header *header)
{
    sender->sent = header->offset + header->size;
    sender->bytes_sent += header->size;
    if (sender->sent > sender->sent_most) {
        sender->sent_most = sender->sent;
    }
}
