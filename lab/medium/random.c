/* Chance from a seed (SplitMix64: Steele, Lea, Flood 2014): see random.h. */
#include "random.h"

#include "medium.h"

uint64_t mup_medium_random(uint64_t *state)
{
    uint64_t mixed;

    *state += 0x9e3779b97f4a7c15u;
    mixed = *state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

uint32_t mup_medium_random_below(uint64_t *state, uint32_t count)
{
    return (uint32_t)(((mup_medium_random(state) >> 32) * count) >> 32);
}

bool mup_medium_random_ppm(uint64_t *state, uint32_t ppm)
{
    return ppm != 0 && mup_medium_random_below(state, MUP_MEDIUM_PPM) < ppm;
}
