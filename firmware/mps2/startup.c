/* From reset to main() on a Cortex-M3. There are no interrupts: each exception is a fault. */
#include "startup.h"

#define EXCEPTIONS 16u /* stack pointer, reset, faults, SVC, SysTick: Armv7-M B1.5.2 */

typedef void vector(void);

extern uint32_t mps2_data_source;
extern uint32_t mps2_data_begin;
extern uint32_t mps2_data_end;
extern uint32_t mps2_bss_begin;
extern uint32_t mps2_bss_end;

__attribute__((section(".vectors"), used)) static vector *const vectors[EXCEPTIONS] = {
    (vector *)&mps2_stack_top,
    mps2_reset,
    [2 ... EXCEPTIONS - 1] = mps2_panic,
};

/* volatile: or the loops would become calls of the C library, whose data is not there yet. */
void mps2_reset(void)
{
    const uint32_t *source = &mps2_data_source;

    for (volatile uint32_t *at = &mps2_data_begin; at < &mps2_data_end; at++)
        *at = *source++;
    for (volatile uint32_t *at = &mps2_bss_begin; at < &mps2_bss_end; at++)
        *at = 0;
    main();
    mps2_panic();
}
