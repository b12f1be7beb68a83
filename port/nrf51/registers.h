/* Registers of the nRF51 and of the Cortex-M0 that the port uses, by name. */
#ifndef MUP_NRF51_REGISTERS_H
#define MUP_NRF51_REGISTERS_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* Armv6-M Architecture Reference Manual B3 */
#define NVIC_ISER   REGISTER(0xe000e100)
#define NVIC_ICER   REGISTER(0xe000e180)
#define NVIC_IPR(n) REGISTER(0xe000e400 + 4 * (n))
#define SCB_AIRCR   REGISTER(0xe000ed0c)

#define AIRCR_RESET UINT32_C(0x05fa0004) /* VECTKEY, SYSRESETREQ */

/* Reference manual 6.1: NVMC */
#define NVMC_READY     REGISTER(0x4001e400)
#define NVMC_CONFIG    REGISTER(0x4001e504)
#define NVMC_ERASEPAGE REGISTER(0x4001e508)

#define NVMC_READ_ONLY 0u
#define NVMC_WRITE     1u
#define NVMC_ERASE     2u

/* 18: TIMER */
#define TIMER0                  0x40008000u
#define TIMER1                  0x40009000u
#define TIMER2                  0x4000a000u
#define TIMER_START(timer)      REGISTER((timer) + 0x000)
#define TIMER_STOP(timer)       REGISTER((timer) + 0x004)
#define TIMER_CLEAR(timer)      REGISTER((timer) + 0x00c)
#define TIMER_CAPTURE(timer, n) REGISTER((timer) + 0x040 + 4 * (n))
#define TIMER_COMPARED(timer)   REGISTER((timer) + 0x140) /* of CC[0] */
#define TIMER_SHORTS(timer)     REGISTER((timer) + 0x200)
#define TIMER_INTENSET(timer)   REGISTER((timer) + 0x304)
#define TIMER_INTENCLR(timer)   REGISTER((timer) + 0x308)
#define TIMER_MODE(timer)       REGISTER((timer) + 0x504)
#define TIMER_BITMODE(timer)    REGISTER((timer) + 0x508)
#define TIMER_PRESCALER(timer)  REGISTER((timer) + 0x510)
#define TIMER_CC(timer, n)      REGISTER((timer) + 0x540 + 4 * (n))

#define TIMER_COMPARE0          UINT32_C(0x10000) /* in INTENSET and INTENCLR */
#define TIMER_COMPARE0_CLEAR    1u                /* in SHORTS */
#define TIMER_BITMODE_16        0u
#define TIMER_BITMODE_32        3u
#define TIMER_PRESCALER_US      4u /* 16 MHz / 2^4 */
#define TIMER_PRESCALER_MAX     9u /* 16 MHz / 2^9 */
#define TIMER_HZ                UINT32_C(31250)

/* 23: RNG */
#define RNG_START           REGISTER(0x4000d000)
#define RNG_STOP            REGISTER(0x4000d004)
#define RNG_READY           REGISTER(0x4000d100)
#define RNG_CONFIG          REGISTER(0x4000d504)
#define RNG_VALUE           REGISTER(0x4000d508)

#define RNG_BIAS_CORRECTION 1u

/* 29: UART */
#define UART_STARTRX    REGISTER(0x40002000)
#define UART_STARTTX    REGISTER(0x40002008)
#define UART_RXDRDY     REGISTER(0x40002108)
#define UART_TXDRDY     REGISTER(0x4000211c)
#define UART_INTENSET   REGISTER(0x40002304)
#define UART_INTENCLR   REGISTER(0x40002308)
#define UART_ENABLE     REGISTER(0x40002500)
#define UART_PSELTXD    REGISTER(0x4000250c)
#define UART_PSELRXD    REGISTER(0x40002514)
#define UART_RXD        REGISTER(0x40002518)
#define UART_TXD        REGISTER(0x4000251c)
#define UART_BAUDRATE   REGISTER(0x40002524)

#define UART_ENABLED    4u
#define UART_RXDRDY_BIT UINT32_C(4) /* in INTENSET and INTENCLR */
#define UART_BAUD_1M    UINT32_C(0x10000000)
#define UART_PIN_TXD    24u
#define UART_PIN_RXD    25u

/* 20: WDT */
#define WDT_START            REGISTER(0x40010000)
#define WDT_CRV              REGISTER(0x40010504)
#define WDT_CONFIG           REGISTER(0x4001050c)
#define WDT_RR0              REGISTER(0x40010600)

#define WDT_HZ               32768u
#define WDT_RUN_WHILE_ASLEEP 1u
#define WDT_RELOAD           UINT32_C(0x6e524635)

#endif
