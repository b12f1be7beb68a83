/* Lanes served in turns: see queue.h. */
#include "queue.h"

#include <string.h>

static unsigned find_lane(const struct mup_queue *queue, uint64_t key)
{
    unsigned empty = MUP_QUEUE_LANES;

    for (unsigned i = 0; i < MUP_QUEUE_LANES; i++) {
        if (queue->lanes[i].count > 0 && queue->lanes[i].key == key)
            return i;
        if (queue->lanes[i].count == 0 && empty == MUP_QUEUE_LANES)
            empty = i;
    }
    return empty;
}

bool mup_queue_has_room(const struct mup_queue *queue, uint64_t key)
{
    unsigned at = find_lane(queue, key);

    return at < MUP_QUEUE_LANES &&
           queue->lanes[at].count + MUP_QUEUE_DATAGRAM <= MUP_QUEUE_LANE_FRAMES;
}

bool mup_queue_is_waiting(const struct mup_queue *queue, uint64_t key)
{
    unsigned at = find_lane(queue, key);

    return at < MUP_QUEUE_LANES && queue->lanes[at].whole > 0;
}

bool mup_queue_has_any(const struct mup_queue *queue, uint64_t key)
{
    unsigned at = find_lane(queue, key);

    return at < MUP_QUEUE_LANES && queue->lanes[at].count > 0;
}

bool mup_queue_put(struct mup_queue *queue, uint64_t key, const uint8_t *psdu, size_t size,
                   bool is_first)
{
    unsigned at = find_lane(queue, key);
    struct mup_queue_lane *lane;
    struct mup_queue_frame *frame;

    if (at == MUP_QUEUE_LANES || size > MUP_FRAME_SIZE_MAX ||
        queue->lanes[at].count == MUP_QUEUE_LANE_FRAMES)
        return false;
    lane = &queue->lanes[at];
    lane->key = key;
    frame = &lane->frames[(lane->begin + lane->count) % MUP_QUEUE_LANE_FRAMES];
    memcpy(frame->psdu, psdu, size);
    frame->size = (uint8_t)size;
    frame->is_first = is_first;
    lane->whole += is_first;
    lane->count++;
    queue->count++;
    return true;
}

static void end_turn(struct mup_queue *queue)
{
    queue->turn = (queue->turn + 1) % MUP_QUEUE_LANES;
    queue->served = 0;
}

static bool is_over(const struct mup_queue *queue)
{
    const struct mup_queue_lane *lane = &queue->lanes[queue->turn];

    return lane->count == 0 ||
           (queue->served == MUP_QUEUE_TURN && lane->frames[lane->begin].is_first);
}

static void remove_frame(struct mup_queue *queue, struct mup_queue_lane *lane)
{
    lane->begin = (lane->begin + 1) % MUP_QUEUE_LANE_FRAMES;
    lane->count--;
    queue->count--;
}

size_t mup_queue_take(struct mup_queue *queue, uint8_t psdu[MUP_FRAME_SIZE_MAX])
{
    struct mup_queue_lane *lane;
    const struct mup_queue_frame *frame;

    if (queue->count == 0)
        return 0;
    while (is_over(queue))
        end_turn(queue);
    lane = &queue->lanes[queue->turn];
    frame = &lane->frames[lane->begin];
    memcpy(psdu, frame->psdu, frame->size);
    lane->whole -= frame->is_first;
    queue->served += frame->is_first;
    remove_frame(queue, lane);
    return frame->size;
}

void mup_queue_drop_rest(struct mup_queue *queue)
{
    struct mup_queue_lane *lane = &queue->lanes[queue->turn];

    while (lane->count > 0 && !lane->frames[lane->begin].is_first)
        remove_frame(queue, lane);
}
