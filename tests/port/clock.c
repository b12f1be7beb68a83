/*
 * The promises of clock.h. There is no second clock here to hold it against: around SPAN_MS the
 * suite prints two comments, and whoever reads the lines (run.c, or a person with a watch) knows
 * how long that took.
 */
#include "suite_internal.h"

#define READINGS 1000u
#define SPAN_MS  300u
#define STEP_MS  20u /* the coarsest step; a finer clock only means finer time-outs */
#define WRAP_MS  200u

static uint32_t now(const struct port_suite *suite)
{
    return suite->clock->now_ms(suite->clock->context);
}

static enum port_suite_result never_goes_backwards(struct port_suite *suite)
{
    uint32_t before = now(suite);

    for (uint32_t i = 0; i < READINGS; i++) {
        uint32_t next = now(suite);

        WANT(next - before < UINT32_C(1) << 31);
        before = next;
    }
    return PORT_SUITE_KEPT;
}

static enum port_suite_result goes_on(struct port_suite *suite)
{
    uint32_t begin = now(suite);
    uint32_t waits = 0;

    port_suite_say(suite, "clock: begin", "");
    for (; now(suite) - begin < SPAN_MS && waits < suite->patience; waits++)
        port_suite_idle(suite);
    WANT(now(suite) - begin >= SPAN_MS);
    port_suite_say(suite, "clock: 300 ms later", "");
    return PORT_SUITE_KEPT;
}

static enum port_suite_result is_fine_enough(struct port_suite *suite)
{
    uint32_t finest = UINT32_MAX;

    /* The finest of some, because anything may hold one of them up. */
    for (uint32_t steps = 0; steps < 8; steps++) {
        uint32_t begin = now(suite);
        uint32_t next = begin;

        for (uint32_t waits = 0; next == begin && waits < suite->patience; waits++) {
            port_suite_idle(suite);
            next = now(suite);
        }
        WANT(next != begin);
        if (next - begin < finest)
            finest = next - begin;
    }
    WANT(finest <= STEP_MS);
    return PORT_SUITE_KEPT;
}

static enum port_suite_result wraps_at_32_bits(struct port_suite *suite)
{
    uint32_t begin;
    uint32_t before;

    if (suite->clock_near_wrap == NULL)
        return PORT_SUITE_UNTRIED;
    suite->clock_near_wrap();
    begin = before = now(suite);
    WANT(begin >= UINT32_MAX - WRAP_MS);
    for (uint32_t waits = 0; before - begin < 2 * WRAP_MS && waits < suite->patience; waits++) {
        uint32_t next;

        port_suite_idle(suite);
        next = now(suite);
        WANT(next - before < UINT32_C(1) << 31);
        before = next;
    }
    WANT(before - begin >= 2 * WRAP_MS);
    WANT(before < begin);
    return PORT_SUITE_KEPT;
}

const struct port_suite_promise port_suite_clock[] = {
    {"it never runs backwards", never_goes_backwards},
    {"it goes on", goes_on},
    {"its steps are 20 ms or finer", is_fine_enough},
    {"it wraps at 32 bits and goes on from there", wraps_at_32_bits},
    {NULL, NULL},
};
