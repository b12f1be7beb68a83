/* The reset contract: everything but the flash begins anew. */
#include "mup/port/nrf51.h"

#include "registers.h"

static void nrf51_reset(void *context)
{
    (void)context;
    SCB_AIRCR = AIRCR_RESET;
    for (;;) {
    }
}

struct mup_port_reset mup_nrf51_reset_port(void)
{
    return (struct mup_port_reset){.now = nrf51_reset};
}
