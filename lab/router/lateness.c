/* A histogram with a bin for each microsecond: see lateness.h. */
#include "lateness.h"

void mup_lateness_add(struct mup_lateness *lateness, uint64_t late_us)
{
    lateness->count++;
    lateness->sum_us += late_us;
    if (late_us > lateness->max_us)
        lateness->max_us = late_us;
    if (late_us < MUP_LATENESS_EXACT_US)
        lateness->bins[late_us]++;
}

double mup_lateness_mean_us(const struct mup_lateness *lateness)
{
    return lateness->count == 0 ? 0 : (double)lateness->sum_us / (double)lateness->count;
}

uint64_t mup_lateness_percentile_us(const struct mup_lateness *lateness, unsigned percent)
{
    uint64_t wanted = (lateness->count * percent + 99) / 100;
    uint64_t found = 0;

    if (lateness->count == 0)
        return 0;
    for (unsigned us = 0; us < MUP_LATENESS_EXACT_US; us++) {
        found += lateness->bins[us];
        if (found >= wanted && found > 0)
            return us;
    }
    return lateness->max_us;
}
