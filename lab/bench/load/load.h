/*
 * bench-load: what the running bridge takes and gives under load. One file for each measurement;
 * each adds its keys to `result`.
 */
#ifndef MUP_BENCH_LOAD_H
#define MUP_BENCH_LOAD_H

#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>

#include "fleet.h"
#include "testbed.h"

struct mup_load {
    struct mup_testbed bed;
    struct mup_fleet *fleet;
    bool quick; /* a tenth to a hundredth: whether the bench itself works */
    json_t *result;
};

/* `full`, or in a quick run `quick`. */
size_t mup_load_size(const struct mup_load *load, size_t full, size_t quick);

/* The bridge's process. */
pid_t mup_load_bridge(const struct mup_load *load);

/* The XML that calls MUP_FLEET_RPC of a device; free it. */
char *mup_load_rpc(const struct mup_load *load, size_t device);

/* Each false after a message on stderr. */
bool mup_measure_modules(struct mup_load *load); /* needs an edge without devices */
bool mup_measure_memory(struct mup_load *load);  /* lets the devices join whom the rest needs */
bool mup_measure_overhead(struct mup_load *load);
bool mup_measure_rate(struct mup_load *load);
bool mup_measure_get(struct mup_load *load);

#endif
