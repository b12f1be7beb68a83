/* bench-load: see load.h. */
#include "load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUMP_MS 50

/* What the stations log must be read, or they stand still. */
struct pump {
    struct mup_process_set *set;
    volatile int stop;
    pthread_t thread;
};

static void *run_pump(void *arg)
{
    struct pump *pump = arg;

    while (!pump->stop)
        mup_process_pump(pump->set, PUMP_MS);
    return NULL;
}

size_t mup_load_size(const struct mup_load *load, size_t full, size_t quick)
{
    return load->quick ? quick : full;
}

pid_t mup_load_bridge(const struct mup_load *load)
{
    for (size_t i = 0; i < load->bed.processes.count; i++)
        if (strcmp(load->bed.processes.list[i].name, "mup-bridge") == 0)
            return load->bed.processes.list[i].pid;
    return 0;
}

char *mup_load_rpc(const struct mup_load *load, size_t device)
{
    char xml[512];
    char *copy;

    snprintf(xml, sizeof xml,
             "<rpc xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id=\"1\">"
             "<" MUP_FLEET_RPC " xmlns=\"%s\"><uuid>%s</uuid></" MUP_FLEET_RPC "></rpc>",
             mup_fleet_namespace(load->fleet, device), mup_fleet_uuid(load->fleet, device));
    copy = strdup(xml);
    if (copy == NULL)
        abort();
    return copy;
}

/* Measurements one after the other at an edge of their own. */
static bool at_an_edge(struct mup_load *load, const char *bin,
                       bool (*const measurements[])(struct mup_load *load))
{
    struct pump pump = {.set = &load->bed.processes};
    bool good = mup_testbed_init(&load->bed, bin, MUP_SOURCE_DIR, NULL);

    load->bed.broker_rules = mup_fleet_rules;
    good = good && mup_fleet_users(&load->bed) && mup_testbed_start_broker(&load->bed) &&
           mup_testbed_start_bridge(&load->bed) && mup_testbed_start_sshd(&load->bed);
    if (good && pthread_create(&pump.thread, NULL, run_pump, &pump) == 0) {
        for (size_t i = 0; good && measurements[i] != NULL; i++)
            good = measurements[i](load);
        pump.stop = 1;
        pthread_join(pump.thread, NULL);
    }
    mup_fleet_close(load->fleet);
    load->fleet = NULL;
    mup_testbed_end(&load->bed);
    return good;
}

int main(int argc, char **argv)
{
    static struct mup_load load;
    static bool (*const modules[])(struct mup_load *) = {mup_measure_modules, NULL};
    static bool (*const devices[])(struct mup_load *) = {mup_measure_memory, mup_measure_overhead,
                                                         mup_measure_rate, mup_measure_get, NULL};
    bool with_modules = true;
    bool with_devices = true;

    for (int i = 2; i < argc; i++) {
        load.quick = load.quick || strcmp(argv[i], "--quick") == 0;
        with_devices = with_devices && strcmp(argv[i], "--modules") != 0;
        with_modules = with_modules && strcmp(argv[i], "--devices") != 0;
    }
    if (argc < 2) {
        fprintf(stderr, "usage: bench-load BIN_FOLDER [--quick] [--modules | --devices]\n");
        return 2;
    }
    load.result = json_object();
    if ((with_modules && !at_an_edge(&load, argv[1], modules)) ||
        (with_devices && !at_an_edge(&load, argv[1], devices))) {
        json_decref(load.result);
        return 1;
    }
    json_dumpf(load.result, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(load.result);
    return 0;
}
