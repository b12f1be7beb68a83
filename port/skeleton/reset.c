/* The reset contract (mup/port/reset.h). */
#include "board.h"

static void board_reset_now(void *context)
{
    (void)context;
    /* On a Cortex-M: SYSRESETREQ. Whatever comes here must not return; a watchdog ends it. */
    for (;;) {
    }
}

const struct mup_port_reset board_reset = {.now = board_reset_now};
