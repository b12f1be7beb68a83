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
    SCENARIO_UPDATE,     /* stage, request, swap, trial, confirm, report */
    SCENARIO_REVERT,     /* stage, request, swap, trials used up, swap back, report */
    SCENARIO_RETRY,      /* ... given up, swapped back, tried again, confirm */
    SCENARIO_KEY_CHANGE, /* a certificate is taken: another key of the update server */
    SCENARIO_COUNT,
};

/* Words of image data are alike, because the page they are in is erased again whatever happens to
 * one. So they alone are thinned, by page_ends and data_stride; erasures and the words of records
 * and journals are always cut, unless first_stride or second_stride say otherwise. Every stride is
 * drawn by the seed: one in so many, 1 = all. */
struct plan {
    uint32_t slot_pages;
    uint32_t old_size;
    uint32_t new_size;
    bool clean;            /* nothing torn or weak */
    bool one_kind;         /* one kind of cut for each word of image data, drawn, instead of all */
    bool pairs;            /* a second cut in what follows: recovery, and the update to its end */
    bool second_one_kind;  /* one kind, drawn, for each second cut */
    bool page_ends;        /* of a page of image data, and of a call, first, middle and last word */
    uint32_t data_stride;  /* of the words of image data */
    uint32_t first_stride; /* of all first cuts */
    uint32_t second_stride; /* of all second cuts */
    uint32_t seed;
    uint32_t shard; /* judges only each shard_count-th operation, from this one on */
    uint32_t shard_count;
};

struct result {
    uint64_t operation_count; /* of the scenarios, uncut */
    uint64_t cut_count;
    uint64_t pair_count;
    uint64_t recalled_count; /* of those, how many came to a state that was judged before */
    uint64_t torn_count; /* cuts and pairs, of those, that left something torn, half-erased, weak */
    uint64_t verdict_count[VERDICT_COUNT];
};

const char *scenario_name(enum scenario scenario);

/* Adds to *result. Prints the first failures to stderr. False if the scenario itself failed. The
 * same recall will do for all scenarios with the same images. */
bool campaign_run(struct result *result, const struct plan *plan, enum scenario scenario,
                  const struct world_images *images, struct recall *recall);

#endif
