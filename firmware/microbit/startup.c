/* From reset to main(), the same for bootloader and application. */
#include "startup.h"

extern uint32_t microbit_data_source;
extern uint32_t microbit_data_begin;
extern uint32_t microbit_data_end;
extern uint32_t microbit_bss_begin;
extern uint32_t microbit_bss_end;
extern uint32_t microbit_stack_limit;

static void fill(uint32_t *begin, const uint32_t *end, uint32_t word)
{
    for (volatile uint32_t *at = begin; at < end; at++)
        *at = word;
}

void microbit_reset(void)
{
    uint32_t *source = &microbit_data_source;
    uint32_t *here;

    __asm volatile("mov %0, sp" : "=r"(here));
    fill(&microbit_stack_limit, here - 8, MICROBIT_STACK_UNUSED);
    fill(&microbit_bss_begin, &microbit_bss_end, 0);
    for (volatile uint32_t *at = &microbit_data_begin; at < &microbit_data_end; at++)
        *at = *source++;
    main();
    microbit_panic();
}

uint32_t microbit_stack_unused(void)
{
    const volatile uint32_t *at = &microbit_stack_limit;

    while (at < &microbit_stack_top && *at == MICROBIT_STACK_UNUSED)
        at++;
    return (uint32_t)((uintptr_t)at - (uintptr_t)&microbit_stack_limit);
}

void microbit_panic(void)
{
    struct mup_port_reset reset = mup_nrf51_reset_port();

    reset.now(reset.context);
}
