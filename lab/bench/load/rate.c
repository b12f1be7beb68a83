/* RPCs a second and how long the slowest hundredth takes, with many sessions that each have one
 * outstanding: over the socket and over SSH. */
#include <stdio.h>
#include <stdlib.h>

#include "figures.h"
#include "load.h"
#include "manager.h"

#define SECONDS 10.0

static void set(struct mup_load *load, const char *what, const char *name, double value)
{
    char key[64];

    snprintf(key, sizeof key, "%s_%s", what, name);
    json_object_set_new(load->result, key, json_real(value));
}

/* Session number i calls device number i. */
static bool run(struct mup_load *load, const char *name, struct mup_manager *sessions,
                char *const *requests, size_t count)
{
    struct mup_samples samples = {0};
    double bridge_us = mup_processor_us(mup_load_bridge(load));
    double begun = mup_now_us();
    bool good =
        mup_manager_load(sessions, requests, count, load->quick ? 0.5 : SECONDS, NULL, &samples);
    double took_s = (mup_now_us() - begun) / 1e6;

    if (good) {
        double rpcs = (double)samples.count;
        bridge_us = mup_processor_us(mup_load_bridge(load)) - bridge_us;
        set(load, "rpc_per_s", name, rpcs / took_s);
        set(load, "rpc_p50_ms", name, mup_samples_percentile(&samples, 0.5) / 1e3);
        set(load, "rpc_p99_ms", name, mup_samples_percentile(&samples, 0.99) / 1e3);
        set(load, "rpc_bridge_cpu_us", name, bridge_us / rpcs);
    }
    mup_samples_free(&samples);
    return good;
}

static bool measure(struct mup_load *load, const char *name, size_t count, bool over_ssh)
{
    struct mup_manager *sessions = calloc(count, sizeof *sessions);
    char **requests = calloc(count, sizeof *requests);
    double before_kb = mup_resident_kb(mup_load_bridge(load));
    size_t opened = 0;
    bool good = sessions != NULL && requests != NULL;

    while (good && opened < count) {
        requests[opened] = mup_load_rpc(load, opened);
        good = mup_manager_open(&sessions[opened], &load->bed, over_ssh);
        opened++;
    }
    if (good)
        set(load, "session_kb", name,
            (mup_resident_kb(mup_load_bridge(load)) - before_kb) / (double)count);
    good = good && run(load, name, sessions, requests, count);
    for (size_t i = 0; i < opened; i++) {
        mup_manager_close(&sessions[i]);
        free(requests[i]);
    }
    free(sessions);
    free(requests);
    return good;
}

bool mup_measure_rate(struct mup_load *load)
{
    return measure(load, "100", mup_load_size(load, 100, 10), false) &&
           measure(load, "1000", mup_load_size(load, 1000, 100), false) &&
           measure(load, "ssh_100", mup_load_size(load, 100, 2), true);
}
