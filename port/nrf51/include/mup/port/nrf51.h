/*
 * The port contracts on a Nordic nRF51 with 256 kB of flash, such as the BBC micro:bit has it.
 *
 * What each part takes of the chip:
 *
 *   flash     NVMC. The CPU stands still while the flash works: 46 us a word, 22 ms a page.
 *   random    RNG, with the correction of its bias: about 0.7 ms a byte.
 *   clock     TIMER0 at 31,250 Hz, interrupt 8; goes on while the CPU sleeps.
 *   uart      UART0 at 1 Mbit/s, pins 24 (out) and 25 (in), interrupt 2.
 *   watchdog  TIMER1, interrupt 9, and the WDT where there is one (QEMU has none).
 *   reset     SYSRESETREQ.
 *
 * The firmware owns the vector table: its handlers call the mup_nrf51_*_interrupt() functions.
 *
 * Registers and timing: nRF51 Series Reference Manual 3.0; sections are named in the sources.
 */
#ifndef MUP_PORT_NRF51_H
#define MUP_PORT_NRF51_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/port/clock.h"
#include "mup/port/flash.h"
#include "mup/port/random.h"
#include "mup/port/reset.h"

#define MUP_NRF51_FLASH_SIZE      UINT32_C(262144)
#define MUP_NRF51_FLASH_PAGE_SIZE UINT32_C(1024)

/* Interrupt numbers, for the vector table. */
#define MUP_NRF51_UART_IRQ     2u
#define MUP_NRF51_CLOCK_IRQ    8u
#define MUP_NRF51_WATCHDOG_IRQ 9u
#define MUP_NRF51_IRQ_COUNT    32u

struct mup_port_flash mup_nrf51_flash_port(void);
struct mup_port_random mup_nrf51_random_port(void);
struct mup_port_reset mup_nrf51_reset_port(void);

/* ---- Clock --------------------------------------------------------------------------------- */

/* What the clock remembers between two readings; caller-owned, private fields. */
struct mup_nrf51_clock {
    uint32_t ticks;     /* of the timer, at the newest reading */
    uint32_t remainder; /* ticks that are no whole millisecond yet, in 1/125 ms * 4 */
    uint32_t ms;
};

/* Starts the timer. The clock must be read at least once a day, and never by an interrupt. */
struct mup_port_clock mup_nrf51_clock_port(struct mup_nrf51_clock *clock);

/*
 * Sleep until an interrupt is pending, or for wait_ms (at most an hour). `is_idle`, if not NULL, is
 * asked once interrupts are held back: when it says no, there is no sleep. So what an interrupt
 * brought after the caller looked is never slept over.
 */
void mup_nrf51_sleep(uint32_t wait_ms, bool (*is_idle)(void));

/* Do nothing for so long, at most 65 ms. Takes TIMER2. */
void mup_nrf51_wait_us(uint32_t wait_us);

/* Have MUP_NRF51_CLOCK_IRQ come once, in wait_ms; sleep() takes the alarm for itself. */
void mup_nrf51_alarm(uint32_t wait_ms);

/* To be called by the handler of MUP_NRF51_CLOCK_IRQ. */
void mup_nrf51_clock_interrupt(void);

/* ---- UART ---------------------------------------------------------------------------------- */

#define MUP_NRF51_UART_RING_SIZE 256u

/* Received bytes wait in a ring until they are fetched; when it is full, reception pauses and the
 * six bytes of the hardware's FIFO and then the sender's flow control (QEMU's socket) take over. */
void mup_nrf51_uart_init(void);

/* Send one byte; waits while the one before is under way. */
void mup_nrf51_uart_put(uint8_t byte);

/* The oldest received byte, or -1. */
int mup_nrf51_uart_get(void);

/* True when no byte waits. */
bool mup_nrf51_uart_is_idle(void);

/* To be called by the handler of MUP_NRF51_UART_IRQ. */
void mup_nrf51_uart_interrupt(void);

/* ---- Watchdog ------------------------------------------------------------------------------ */

/*
 * Whoever hangs is reset after MUP_NRF51_WATCHDOG_S seconds. Two mechanisms at once: the WDT, which
 * nothing stops, and an interrupt of TIMER1 once a second, because QEMU's nRF51 has no WDT. The
 * bootloader starts both and keeps the handler; `unfed_s` lies in memory that bootloader and
 * application agree upon.
 *
 * The WDT outlives a reset by software, so the bootloader feeds it, too: with each flash operation.
 */
#define MUP_NRF51_WATCHDOG_S 8u

void mup_nrf51_watchdog_start(volatile uint32_t *unfed_s);
void mup_nrf51_watchdog_feed(volatile uint32_t *unfed_s);

/* To be called by the handler of MUP_NRF51_WATCHDOG_IRQ: counts, and resets when it is time. */
void mup_nrf51_watchdog_interrupt(volatile uint32_t *unfed_s);

#endif
