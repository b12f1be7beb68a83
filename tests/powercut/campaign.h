/*
 * Runs a scenario once and, before each flash operation in it, judges copies of the device that
 * lost power there; for pairs, also copies of those copies.
 */
#ifndef MUP_POWERCUT_CAMPAIGN_H
#define MUP_POWERCUT_CAMPAIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

enum scenario {
    SCENARIO_UPDATE, /* stage, request, swap, trial, confirm, report */
    SCENARIO_REVERT, /* stage, request, swap, trials used up, swap back, report */
    SCENARIO_RETRY,  /* ... given up, swapped back, tried again, confirm */
    SCENARIO_COUNT,
};

struct plan {
    uint32_t slot_pages;
    uint32_t old_size;
    uint32_t new_size;
    bool torn;       /* all kinds of cuts, not only clean ones */
    bool pairs;      /* a second cut at each operation of the recovery */
    bool deep;       /* judge by a further update, too */
    uint32_t stride; /* of the words of image data, judge each stride-th; journals: all */
};

struct result {
    uint64_t operation_count; /* of the scenarios, uncut */
    uint64_t cut_count;
    uint64_t pair_count;
    uint64_t verdict_count[VERDICT_COUNT];
};

/* Adds to *result. Prints the first failures to stderr. False if the scenario itself failed. */
bool campaign_run(struct result *result, const struct plan *plan, enum scenario scenario);

#endif
