/* Randomness that a test knows beforehand, and that can run out. */
#include "mup/port/hostile.h"

static int fill(void *context, uint8_t *out, size_t size)
{
    struct mup_hostile_random *random = context;

    if (++random->call_count == random->fail_at)
        return -1;
    for (size_t i = 0; i < size; i++)
        out[i] = random->next++;
    return 0;
}

struct mup_port_random mup_hostile_random_port(struct mup_hostile_random *random)
{
    return (struct mup_port_random){.context = random, .fill = fill};
}
