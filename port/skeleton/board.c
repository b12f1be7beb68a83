/* What the examples of docs/PORTING.md want besides the contracts. */
#include "board.h"

/* Yours: the device's description (docs/ONTOLOGY.md), a file that the build turns into bytes. */
const uint8_t board_description[] = "{}";
const uint32_t board_description_size = sizeof board_description - 1;

void board_sleep(uint32_t ms)
{
    (void)ms;
    /* Until then, or until something has come or can be sent. */
}

void board_jump(uint32_t at)
{
    (void)at;
    /* On a Cortex-M: the vector table to `at` (VTOR, where there is one), the stack pointer from
     * its first word, and on to its second. */
    for (;;) {
    }
}
