/* How long a <get> of the whole inventory takes, and what it does to others' RPCs meanwhile. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "figures.h"
#include "load.h"
#include "manager.h"

#define RUNS   15u
#define OTHERS 10u

static const char get[] =
    "<rpc xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id=\"1\"><get><filter "
    "type=\"subtree\"><devices xmlns=\"urn:mup:myno-devices\"/></filter></get></rpc>";

/* Sessions that call RPCs, in a thread of their own, until `stop`. */
struct others {
    struct mup_manager sessions[OTHERS];
    char *requests[OTHERS];
    struct mup_samples samples;
    volatile int stop;
    bool good;
};

static void *run_others(void *arg)
{
    struct others *others = arg;

    others->good = mup_manager_load(others->sessions, others->requests, OTHERS, 0, &others->stop,
                                    &others->samples);
    return NULL;
}

static bool get_all(struct mup_load *load, struct mup_samples *took)
{
    size_t devices = mup_load_size(load, 10000, 100);
    struct mup_manager session;
    bool good = mup_manager_open(&session, &load->bed, false);

    for (unsigned i = 0; i < RUNS && good; i++) {
        double begun = mup_now_us();
        good = mup_manager_ask(&session, get);
        mup_samples_add(took, (mup_now_us() - begun) / 1e3);
        if (good && mup_manager_count(&session, "</device>") != devices) {
            fprintf(stderr, "bench-load: %zu of %zu devices in the reply to get\n",
                    mup_manager_count(&session, "</device>"), devices);
            good = false;
        }
    }
    json_object_set_new(load->result, "get_10000_bytes",
                        json_integer(good ? (json_int_t)session.size : 0));
    mup_manager_close(&session);
    return good;
}

static bool measure(struct mup_load *load, struct others *others)
{
    struct mup_samples took = {0};
    pthread_t thread;

    if (pthread_create(&thread, NULL, run_others, others) != 0)
        return false;
    bool good = get_all(load, &took);
    others->stop = 1;
    pthread_join(thread, NULL);
    json_object_set_new(load->result, "get_10000_ms",
                        json_real(mup_samples_percentile(&took, 0.5)));
    json_object_set_new(load->result, "get_10000_rpc_p99_ms",
                        json_real(mup_samples_percentile(&others->samples, 0.99) / 1e3));
    mup_samples_free(&took);
    return good && others->good;
}

/* The same without the others. */
static bool measure_alone(struct mup_load *load)
{
    struct mup_samples took = {0};
    bool good = get_all(load, &took);

    json_object_set_new(load->result, "get_10000_alone_ms",
                        json_real(mup_samples_percentile(&took, 0.5)));
    mup_samples_free(&took);
    return good;
}

bool mup_measure_get(struct mup_load *load)
{
    struct others *others = calloc(1, sizeof *others);
    size_t opened = 0;
    bool good = others != NULL && measure_alone(load);

    while (good && opened < OTHERS) {
        others->requests[opened] = mup_load_rpc(load, opened);
        good = mup_manager_open(&others->sessions[opened], &load->bed, false);
        opened++;
    }
    good = good && measure(load, others);
    for (size_t i = 0; i < opened; i++) {
        mup_manager_close(&others->sessions[i]);
        free(others->requests[i]);
    }
    if (others != NULL)
        mup_samples_free(&others->samples);
    free(others);
    return good;
}
