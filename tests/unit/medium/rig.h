/*
 * A medium whose events are written down, and frames for it.
 *
 * Node n has the EUI-64 02:00:00:00:00:00:00:nn and, once it has sent a frame with it, the short
 * address 0x01nn.
 */
#ifndef MUP_TEST_MEDIUM_RIG_H
#define MUP_TEST_MEDIUM_RIG_H

#include "support/cmocka_all.h"

#include <string.h>

#include "frame.h"
#include "medium.h"

#define RIG_EVENTS_MAX 5000u

enum rig_what { DELIVERED, ON_AIR, DONE };

struct rig_event {
    enum rig_what what;
    unsigned node;
    uint64_t at_us;
    uint64_t broken_us; /* for the test to fill in: it ended early */
    int kind;           /* of ON_AIR, or the outcome of DONE */
    size_t size;
    uint8_t psdu[MUP_MEDIUM_PSDU_MAX];
};

struct rig {
    struct mup_medium medium;
    size_t count;
    struct rig_event event[RIG_EVENTS_MAX];
};

static struct rig_event *rig_add(void *context, enum rig_what what, unsigned node, uint64_t at_us)
{
    struct rig *rig = context;

    assert_true(rig->count < RIG_EVENTS_MAX);
    rig->event[rig->count] = (struct rig_event){.what = what, .node = node, .at_us = at_us};
    return &rig->event[rig->count++];
}

static void rig_deliver(void *context, unsigned node, uint64_t at_us, const uint8_t *psdu,
                        size_t size)
{
    struct rig_event *event = rig_add(context, DELIVERED, node, at_us);

    event->size = size;
    memcpy(event->psdu, psdu, size);
}

static void rig_on_air(void *context, unsigned node, uint64_t begin_us, const uint8_t *psdu,
                       size_t size, enum mup_medium_kind kind)
{
    struct rig_event *event = rig_add(context, ON_AIR, node, begin_us);

    event->kind = (int)kind;
    event->size = size;
    memcpy(event->psdu, psdu, size);
}

static void rig_done(void *context, unsigned node, uint64_t at_us, enum mup_medium_outcome outcome)
{
    rig_add(context, DONE, node, at_us)->kind = (int)outcome;
}

/* `nodes` nodes on a channel with these faults. To be freed with test_free(). */
static inline struct rig *rig_new(const struct mup_medium_config *config, unsigned nodes)
{
    struct rig *rig = test_malloc(sizeof *rig);
    struct mup_medium_calls calls = {rig, rig_deliver, rig_on_air, rig_done};

    rig->count = 0;
    mup_medium_init(&rig->medium, config, &calls);
    for (unsigned i = 0; i < nodes; i++) {
        uint8_t eui64[8] = {(uint8_t)i, 0, 0, 0, 0, 0, 0, 2};
        mup_medium_attach(&rig->medium, 0, i, eui64);
    }
    return rig;
}

static inline struct rig *rig_clean(uint64_t seed, unsigned nodes)
{
    return rig_new(&(struct mup_medium_config){.seed = seed}, nodes);
}

static inline void rig_seal(uint8_t *psdu, size_t size)
{
    uint16_t check = mup_frame_check(psdu, size - 2);

    psdu[size - 2] = (uint8_t)check;
    psdu[size - 1] = (uint8_t)(check >> 8);
}

/* A data frame between EUI-64s, of 23 to 127 bytes, which wants an acknowledgement. */
static inline void rig_data(uint8_t *psdu, size_t size, unsigned to, unsigned from, uint8_t dsn)
{
    assert_true(size >= 23 && size <= MUP_MEDIUM_PSDU_MAX);
    memset(psdu, 0x5a, size);
    memcpy(psdu, (uint8_t[]){0x61, 0xdc, dsn, 0xcd, 0xab}, 5); /* PAN compressed, version 1 */
    memcpy(psdu + 5, (uint8_t[]){(uint8_t)to, 0, 0, 0, 0, 0, 0, 2}, 8);
    memcpy(psdu + 13, (uint8_t[]){(uint8_t)from, 0, 0, 0, 0, 0, 0, 2}, 8);
    rig_seal(psdu, size);
}

/* A frame to all, of 17 to 127 bytes. */
static inline void rig_broadcast(uint8_t *psdu, size_t size, unsigned from, uint8_t dsn)
{
    assert_true(size >= 17 && size <= MUP_MEDIUM_PSDU_MAX);
    memset(psdu, 0xa5, size);
    memcpy(psdu, (uint8_t[]){0x41, 0xd8, dsn, 0xcd, 0xab, 0xff, 0xff}, 7);
    memcpy(psdu + 7, (uint8_t[]){(uint8_t)from, 0, 0, 0, 0, 0, 0, 2}, 8);
    rig_seal(psdu, size);
}

/* Node `from` sends one now. */
static inline void rig_send(struct rig *rig, uint64_t now_us, unsigned from, unsigned to,
                            size_t size, uint8_t dsn)
{
    uint8_t psdu[MUP_MEDIUM_PSDU_MAX];

    rig_data(psdu, size, to, from, dsn);
    assert_true(mup_medium_send(&rig->medium, now_us, from, psdu, size));
}

/* Everything that is under way, to its end. */
static inline void rig_finish(struct rig *rig)
{
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t at_us = mup_medium_wake_us(&rig->medium);
        if (at_us == MUP_MEDIUM_NEVER)
            return;
        mup_medium_run(&rig->medium, at_us);
    }
    fail_msg("the medium does not come to rest");
}

static inline size_t rig_count(const struct rig *rig, enum rig_what what)
{
    size_t count = 0;

    for (size_t i = 0; i < rig->count; i++)
        count += rig->event[i].what == what;
    return count;
}

static inline struct mup_medium_counters rig_counters(struct rig *rig, unsigned node)
{
    struct mup_medium_counters counters;

    mup_medium_count(&rig->medium, 0, node, &counters);
    return counters;
}

static inline void rig_expect(const struct rig *rig, size_t at, enum rig_what what, unsigned node,
                              uint64_t at_us, int kind)
{
    assert_true(at < rig->count);
    assert_int_equal(rig->event[at].what, what);
    assert_int_equal(rig->event[at].node, node);
    assert_int_equal(rig->event[at].at_us, at_us);
    assert_int_equal(rig->event[at].kind, kind);
}

#endif
