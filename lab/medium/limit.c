/* What the standard leaves at best: see medium.h. */
#include "medium.h"
#include "standard.h"

uint32_t mup_medium_airtime_us(size_t psdu_size)
{
    return (uint32_t)(PHY_HEADER_SIZE + psdu_size) * OCTET_US;
}

uint32_t mup_medium_exchange_us(size_t psdu_size)
{
    return mup_medium_airtime_us(psdu_size) + TURNAROUND_US + mup_medium_airtime_us(ACK_SIZE);
}

uint32_t mup_medium_cycle_us(size_t psdu_size)
{
    uint32_t backoff_mean_us = ((1u << BACKOFF_EXPONENT) - 1u) * BACKOFF_US / 2u;
    uint32_t spacing_us = psdu_size <= SIFS_PSDU_MAX ? SIFS_US : LIFS_US;

    return backoff_mean_us + CCA_US + TURNAROUND_US + mup_medium_exchange_us(psdu_size) +
           spacing_us;
}

static uint64_t sum_us(uint32_t (*time_us)(size_t), const uint8_t *sizes, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += time_us(sizes[i]);
    return sum;
}

uint64_t mup_medium_limit_us(const uint8_t *there, size_t there_count, const uint8_t *back,
                             size_t back_count)
{
    uint64_t led_there = sum_us(mup_medium_cycle_us, there, there_count) +
                         sum_us(mup_medium_exchange_us, back, back_count);
    uint64_t led_back = sum_us(mup_medium_exchange_us, there, there_count) +
                        sum_us(mup_medium_cycle_us, back, back_count);

    return led_there > led_back ? led_there : led_back;
}
