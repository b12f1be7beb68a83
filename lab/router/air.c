/* The medium in real time: see air.h. */
#include "air.h"

#include <stdlib.h>

#include "clock.h"
#include "pcap.h"

#define ROUTER_FRAMES        1u
#define ROUTER_FRAMES_ASLEEP 32u

struct mup_air {
    struct mup_faults faults;
    struct mup_air_calls calls;
    FILE *capture;
    unsigned router_frames; /* in the medium */
    uint64_t event_us;      /* ideal time of what on_done() tells about; 0 outside */
    uint64_t reset_us;
    uint64_t report_us; /* of the latest report */
    bool is_known[MUP_MEDIUM_NODES_MAX];
    struct mup_lateness lateness;
    struct mup_medium medium;
};

/* ---- what the medium tells ---- */

static void on_deliver(void *context, unsigned node, uint64_t at_us, const uint8_t *psdu,
                       size_t size)
{
    struct mup_air *air = context;
    uint64_t now_us = mup_clock_us();

    mup_lateness_add(&air->lateness, now_us > at_us ? now_us - at_us : 0);
    air->calls.deliver(air->calls.context, node, psdu, size);
}

static void on_air(void *context, unsigned node, uint64_t begin_us, const uint8_t *psdu,
                   size_t size, enum mup_medium_kind kind)
{
    const struct mup_air *air = context;

    (void)node, (void)kind;
    if (air->capture != NULL)
        mup_pcap_write(air->capture, mup_clock_epoch_us(begin_us), psdu, size);
}

static void on_done(void *context, unsigned node, uint64_t at_us, enum mup_medium_outcome outcome)
{
    struct mup_air *air = context;

    if (node != MUP_MEDIUM_ROUTER)
        return;
    air->router_frames--;
    air->event_us = at_us;
    air->calls.done(air->calls.context, outcome == MUP_MEDIUM_SENT);
    air->event_us = 0;
}

/* ---- the router's side ---- */

struct mup_air *mup_air_open(const struct mup_faults *faults, FILE *capture)
{
    struct mup_air *air = calloc(1, sizeof *air);

    if (air == NULL) {
        perror("mup-router: --air");
        return NULL;
    }
    air->faults = *faults;
    air->capture = capture;
    air->reset_us = mup_clock_us();
    mup_medium_init(&air->medium, &air->faults.medium,
                    &(struct mup_medium_calls){
                        .context = air, .deliver = on_deliver, .on_air = on_air, .done = on_done});
    mup_medium_reset_counters(&air->medium, air->reset_us);
    return air;
}

void mup_air_close(struct mup_air *air)
{
    free(air);
}

void mup_air_set_calls(struct mup_air *air, const struct mup_air_calls *calls)
{
    air->calls = *calls;
}

void mup_air_attach_router(struct mup_air *air, const uint8_t eui64[MUP_MEDIUM_EUI64_SIZE],
                           uint16_t short_address)
{
    mup_medium_attach(&air->medium, mup_clock_us(), MUP_MEDIUM_ROUTER, eui64);
    mup_medium_set_short_address(&air->medium, MUP_MEDIUM_ROUTER, short_address);
    air->is_known[MUP_MEDIUM_ROUTER] = true;
}

void mup_air_attach(struct mup_air *air, unsigned node)
{
    uint64_t now_us = mup_clock_us();

    mup_medium_attach(&air->medium, now_us, node, NULL);
    mup_medium_set_sleep(&air->medium, now_us, node, &air->faults.sleep);
    air->is_known[node] = true;
}

void mup_air_detach(struct mup_air *air, unsigned node)
{
    mup_medium_detach(&air->medium, mup_clock_us(), node);
}

void mup_air_send(struct mup_air *air, unsigned node, const uint8_t *psdu, size_t size)
{
    uint64_t now_us = air->event_us > 0 ? air->event_us : mup_clock_us();

    if (mup_medium_send(&air->medium, now_us, node, psdu, size) && node == MUP_MEDIUM_ROUTER)
        air->router_frames++;
}

unsigned mup_air_room(const struct mup_air *air)
{
    return air->faults.sleep.period_us > 0 ? ROUTER_FRAMES_ASLEEP : ROUTER_FRAMES;
}

bool mup_air_has_room(const struct mup_air *air)
{
    return air->router_frames < mup_air_room(air);
}

void mup_air_run(struct mup_air *air)
{
    mup_medium_run(&air->medium, mup_clock_us());
}

uint64_t mup_air_wait_us(const struct mup_air *air, uint64_t most_us)
{
    uint64_t wake_us = mup_medium_wake_us(&air->medium);
    uint64_t now_us = mup_clock_us();

    if (wake_us <= now_us)
        return 0;
    return wake_us - now_us < most_us ? wake_us - now_us : most_us;
}

/* ---- the control socket's side ---- */

const struct mup_faults *mup_air_faults(const struct mup_air *air)
{
    return &air->faults;
}

void mup_air_set_faults(struct mup_air *air, const struct mup_faults *faults)
{
    uint64_t now_us = mup_clock_us();

    air->faults = *faults;
    mup_medium_set(&air->medium, &faults->medium);
    for (unsigned node = MUP_MEDIUM_ROUTER + 1; node < MUP_MEDIUM_NODES_MAX; node++)
        if (air->is_known[node])
            mup_medium_set_sleep(&air->medium, now_us, node, &faults->sleep);
}

void mup_air_reset(struct mup_air *air)
{
    air->reset_us = mup_clock_us();
    mup_medium_run(&air->medium, air->reset_us);
    air->lateness = (struct mup_lateness){.count = 0};
    mup_medium_reset_counters(&air->medium, air->reset_us);
}

void mup_air_count(struct mup_air *air, struct mup_air_report *report)
{
    uint64_t now_us = mup_clock_us();

    mup_medium_run(&air->medium, now_us);
    air->report_us = now_us;
    report->now_us = mup_clock_epoch_us(now_us);
    report->span_us = now_us - air->reset_us;
    mup_medium_count_channel(&air->medium, now_us, &report->channel);
}

const struct mup_lateness *mup_air_lateness(const struct mup_air *air)
{
    return &air->lateness;
}

bool mup_air_count_node(struct mup_air *air, unsigned node, struct mup_medium_counters *counters)
{
    if (node >= MUP_MEDIUM_NODES_MAX || !air->is_known[node])
        return false;
    mup_medium_count(&air->medium, air->report_us, node, counters);
    return true;
}

bool mup_air_eui64(const struct mup_air *air, unsigned node, uint8_t eui64[MUP_MEDIUM_EUI64_SIZE])
{
    return mup_medium_eui64(&air->medium, node, eui64);
}

bool mup_air_short_address(const struct mup_air *air, unsigned node, uint16_t *address)
{
    return mup_medium_short_address(&air->medium, node, address);
}
