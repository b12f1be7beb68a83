/* The randomness contract (mup/port/random.h). */
#include "board.h"

#define FAILED (-1)

static int board_random_fill(void *context, uint8_t *out, size_t size)
{
    (void)context;
    (void)out;
    (void)size;
    /* The hardware's source, or a generator that was seeded from one. A board without either
     * leaves this as it is: it takes no updates rather than replayed ones. */
    return FAILED;
}

const struct mup_port_random board_random = {.fill = board_random_fill};
