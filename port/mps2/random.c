/* The randomness contract without a source: it says so, and nobody gets a guessable nonce. */
#include "mup/port/mps2.h"

static int mps2_fill(void *context, uint8_t *out, size_t size)
{
    (void)context;
    (void)out;
    (void)size;
    return -1;
}

struct mup_port_random mup_mps2_random_port(void)
{
    return (struct mup_port_random){.fill = mps2_fill};
}
