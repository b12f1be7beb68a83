/* The clock contract: a counter in hardware, prescaled to milliseconds, 32 bits wide. */
#include "mup/port/mps2.h"
#include "registers.h"

static uint32_t mps2_now_ms(void *context)
{
    (void)context;
    return FPGAIO_COUNTER;
}

struct mup_port_clock mup_mps2_clock_port(void)
{
    FPGAIO_PRESCALE = FPGAIO_KHZ - 1;
    FPGAIO_COUNTER = 0;
    return (struct mup_port_clock){.now_ms = mps2_now_ms};
}

void mup_mps2_clock_set(uint32_t ms)
{
    FPGAIO_COUNTER = ms;
}
