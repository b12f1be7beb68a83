/* 1,000 devices of 1,000 kinds: how long until every kind has its module in a new session's hello,
 * what a module costs in memory, and how long one more takes then. */
#include <stdio.h>

#include "figures.h"
#include "load.h"
#include "manager.h"

#define MODULES    1000u
#define MORE       15u
#define WINDOW     MODULES /* all announce themselves at once */
#define CAPABILITY "urn:mup:capability:"

/* How many modules of capabilities a new session is told of. */
static bool count_in_hello(const struct mup_load *load, size_t *count)
{
    struct mup_manager session;

    if (!mup_manager_open(&session, &load->bed, false))
        return false;
    *count = mup_manager_count(&session, CAPABILITY);
    mup_manager_close(&session);
    return true;
}

/* The time of `count` further devices, from the first announcement to the hello. */
static bool join(struct mup_load *load, size_t first, size_t count, double *took_us)
{
    double begun = mup_now_us();
    size_t told = 0;

    if (!mup_fleet_join(load->fleet, first, count, WINDOW) || !count_in_hello(load, &told))
        return false;
    *took_us = mup_now_us() - begun;
    if (told != first + count)
        fprintf(stderr, "bench-load: %zu modules in the hello, not %zu\n", told, first + count);
    return told == first + count;
}

bool mup_measure_modules(struct mup_load *load)
{
    size_t count = mup_load_size(load, MODULES, 100);
    struct mup_samples more = {0};
    double before_kb;
    double after_kb;
    double bridge_us;
    double took_us;

    load->fleet = mup_fleet_open(&load->bed, count + MORE + 1);
    /* The first one brings what all others share. */
    if (load->fleet == NULL || !join(load, 0, 1, &took_us))
        return false;
    before_kb = mup_resident_kb(mup_load_bridge(load));
    bridge_us = mup_processor_us(mup_load_bridge(load));
    if (!join(load, 1, count, &took_us))
        return false;
    bridge_us = mup_processor_us(mup_load_bridge(load)) - bridge_us;
    after_kb = mup_resident_kb(mup_load_bridge(load));
    json_object_set_new(load->result, "modules_1000", json_integer((json_int_t)count));
    json_object_set_new(load->result, "modules_1000_ms", json_real(took_us / 1e3));
    json_object_set_new(load->result, "module_bridge_cpu_ms",
                        json_real(bridge_us / 1e3 / (double)count));
    json_object_set_new(load->result, "module_kb",
                        json_real((after_kb - before_kb) / (double)count));
    for (size_t i = 1 + count; i < 1 + count + MORE; i++) {
        if (!join(load, i, 1, &took_us))
            return false;
        mup_samples_add(&more, took_us / 1e3);
    }
    json_object_set_new(load->result, "module_more_ms",
                        json_real(mup_samples_percentile(&more, 0.5)));
    mup_samples_free(&more);
    return true;
}
