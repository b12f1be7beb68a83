/* The randomness contract over the RNG, thermal noise with its bias corrected (manual 23). */
#include "mup/port/nrf51.h"

#include <string.h>

#include "registers.h"

/* A byte takes 0.7 ms. An emulator may run a few hundred instructions in a microsecond. */
#define POLLS_MAX (UINT32_C(1) << 24)

static int next_byte(uint8_t *out)
{
    for (uint32_t polls = 0; RNG_READY == 0; polls++) {
        if (polls == POLLS_MAX)
            return -1;
    }
    RNG_READY = 0;
    *out = (uint8_t)RNG_VALUE;
    return 0;
}

static int nrf51_fill(void *context, uint8_t *out, size_t size)
{
    int result = 0;

    (void)context;
    RNG_CONFIG = RNG_BIAS_CORRECTION;
    RNG_READY = 0;
    RNG_START = 1;
    for (size_t i = 0; i < size && result == 0; i++)
        result = next_byte(&out[i]);
    RNG_STOP = 1;
    if (result != 0)
        memset(out, 0, size);
    return result;
}

struct mup_port_random mup_nrf51_random_port(void)
{
    return (struct mup_port_random){.fill = nrf51_fill};
}
