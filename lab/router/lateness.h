/*
 * How late things happen: mean, percentile and greatest of durations in microseconds, in constant
 * memory. Durations below MUP_LATENESS_EXACT_US are counted exactly; a percentile that lies above
 * is given as the greatest.
 */
#ifndef MUP_LAB_LATENESS_H
#define MUP_LAB_LATENESS_H

#include <stdint.h>

#define MUP_LATENESS_EXACT_US 10000u

/* Plain; all zero is empty. */
struct mup_lateness {
    uint64_t count;
    uint64_t sum_us;
    uint64_t max_us;
    uint32_t bins[MUP_LATENESS_EXACT_US];
};

void mup_lateness_add(struct mup_lateness *lateness, uint64_t late_us);

/* 0 when nothing was added. */
double mup_lateness_mean_us(const struct mup_lateness *lateness);

/* The least duration that `percent` of all do not exceed; 0 when nothing was added. */
uint64_t mup_lateness_percentile_us(const struct mup_lateness *lateness, unsigned percent);

#endif
