/* Reset of whoever hangs: the WDT, and a timer for where there is none (manual 18 and 20). */
#include "mup/port/nrf51.h"

#include "registers.h"

void mup_nrf51_watchdog_start(volatile uint32_t *unfed_s)
{
    *unfed_s = 0;
    WDT_CONFIG = WDT_RUN_WHILE_ASLEEP;
    WDT_CRV = MUP_NRF51_WATCHDOG_S * WDT_HZ - 1;
    WDT_START = 1;
    TIMER_MODE(TIMER1) = 0;
    TIMER_BITMODE(TIMER1) = TIMER_BITMODE_16;
    TIMER_PRESCALER(TIMER1) = TIMER_PRESCALER_MAX;
    TIMER_CC(TIMER1, 0) = TIMER_HZ;
    TIMER_SHORTS(TIMER1) = TIMER_COMPARE0_CLEAR;
    TIMER_INTENSET(TIMER1) = TIMER_COMPARE0;
    TIMER_START(TIMER1) = 1;
    NVIC_ISER = UINT32_C(1) << MUP_NRF51_WATCHDOG_IRQ;
}

void mup_nrf51_watchdog_feed(volatile uint32_t *unfed_s)
{
    *unfed_s = 0;
    WDT_RR0 = WDT_RELOAD;
}

void mup_nrf51_watchdog_interrupt(volatile uint32_t *unfed_s)
{
    TIMER_COMPARED(TIMER1) = 0;
    if (++*unfed_s >= MUP_NRF51_WATCHDOG_S)
        SCB_AIRCR = AIRCR_RESET;
}
