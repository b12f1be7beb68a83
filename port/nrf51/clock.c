/* The clock contract over TIMER0, and sleep with an end (manual 18). */
#include "mup/port/nrf51.h"

#include "registers.h"

#define SLEEP_MAX_MS 3600000u

/* Of an empty loop, in less than a microsecond: six cycles each on a Cortex-M0 at 16 MHz. */
#define ROUNDS_PER_US 2u

/* 31,250 ticks a second: 4 ms are 125 ticks. */
#define TICKS 125u
#define MS    4u

static uint32_t read_timer(void)
{
    TIMER_CAPTURE(TIMER0, 1) = 1;
    return TIMER_CC(TIMER0, 1);
}

/* Looks at the timer now and then, with rounds between that take less than what is left: an
 * emulator that keeps to real time takes some ten microseconds for each look, and fell behind. */
void mup_nrf51_wait_us(uint32_t wait_us)
{
    uint32_t passed_us;

    TIMER_MODE(TIMER2) = 0;
    TIMER_BITMODE(TIMER2) = TIMER_BITMODE_16;
    TIMER_PRESCALER(TIMER2) = TIMER_PRESCALER_US;
    TIMER_CLEAR(TIMER2) = 1;
    TIMER_START(TIMER2) = 1;
    for (;;) {
        TIMER_CAPTURE(TIMER2, 0) = 1;
        passed_us = TIMER_CC(TIMER2, 0);
        if (passed_us >= wait_us)
            break;
        for (uint32_t i = (wait_us - passed_us) * ROUNDS_PER_US; i > 0; i--)
            __asm__ volatile("");
    }
    TIMER_STOP(TIMER2) = 1;
}

static uint32_t nrf51_now_ms(void *context)
{
    struct mup_nrf51_clock *clock = context;
    uint32_t ticks = read_timer();
    uint32_t passed = ticks - clock->ticks;

    clock->ticks = ticks;
    clock->ms += passed / TICKS * MS;
    clock->remainder += passed % TICKS * MS;
    clock->ms += clock->remainder / TICKS;
    clock->remainder %= TICKS;
    return clock->ms;
}

struct mup_port_clock mup_nrf51_clock_port(struct mup_nrf51_clock *clock)
{
    *clock = (struct mup_nrf51_clock){0};
    TIMER_MODE(TIMER0) = 0;
    TIMER_BITMODE(TIMER0) = TIMER_BITMODE_32;
    TIMER_PRESCALER(TIMER0) = TIMER_PRESCALER_MAX;
    TIMER_START(TIMER0) = 1;
    NVIC_IPR(MUP_NRF51_CLOCK_IRQ / 4) |= 0xc0u << MUP_NRF51_CLOCK_IRQ % 4 * 8;
    NVIC_ISER = UINT32_C(1) << MUP_NRF51_CLOCK_IRQ;
    return (struct mup_port_clock){.context = clock, .now_ms = nrf51_now_ms};
}

void mup_nrf51_clock_interrupt(void)
{
    TIMER_INTENCLR(TIMER0) = TIMER_COMPARE0;
    TIMER_COMPARED(TIMER0) = 0;
}

/* Returns false when it would be in the past before it is set. */
static bool set_alarm(uint32_t wait_ms)
{
    uint32_t ticks = (wait_ms > SLEEP_MAX_MS ? SLEEP_MAX_MS : wait_ms) * TICKS / MS;

    if (ticks < 2)
        return false;
    TIMER_COMPARED(TIMER0) = 0;
    TIMER_CC(TIMER0, 0) = read_timer() + ticks;
    TIMER_INTENSET(TIMER0) = TIMER_COMPARE0;
    return true;
}

void mup_nrf51_alarm(uint32_t wait_ms)
{
    (void)set_alarm(wait_ms == 0 ? 1 : wait_ms);
}

void mup_nrf51_sleep(uint32_t wait_ms, bool (*is_idle)(void))
{
    __asm volatile("cpsid i" ::: "memory");
    if (set_alarm(wait_ms)) {
        if (is_idle == NULL || is_idle())
            __asm volatile(
                "wfi" ::
                    : "memory"); /* ends when an interrupt is pending, held back or not */
        TIMER_INTENCLR(TIMER0) = TIMER_COMPARE0;
    }
    __asm volatile("cpsie i" ::: "memory");
}
