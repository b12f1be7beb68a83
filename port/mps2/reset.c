/* The reset contract: the processor and its peripherals begin anew; the PSRAM is left as it is. */
#include "mup/port/mps2.h"
#include "registers.h"

static void mps2_reset(void *context)
{
    (void)context;
    __asm volatile("dsb" ::: "memory");
    SCB_AIRCR = AIRCR_RESET;
    for (;;) {
    }
}

struct mup_port_reset mup_mps2_reset_port(void)
{
    return (struct mup_port_reset){.now = mps2_reset};
}
