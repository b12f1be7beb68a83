/* The clock contract (mup/port/clock.h). */
#include "board.h"

static uint32_t board_clock_now_ms(void *context)
{
    (void)context;
    /* A counter that goes on while the processor sleeps. It has to use all 32 bits of milliseconds:
     * ticks that wrap and are then divided jump back. */
    return 0;
}

const struct mup_port_clock board_clock = {.now_ms = board_clock_now_ms};
