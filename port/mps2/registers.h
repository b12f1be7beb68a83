/* Registers of the MPS2 board (AN385) and of the Cortex-M3 that the port uses, by name. */
#ifndef MUP_MPS2_REGISTERS_H
#define MUP_MPS2_REGISTERS_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* Armv7-M Architecture Reference Manual B3.2.6 */
#define SCB_AIRCR   REGISTER(0xe000ed0c)
#define AIRCR_RESET UINT32_C(0x05fa0004) /* VECTKEY, SYSRESETREQ */

/* CMSDK APB UART */
#define UART0            0x40004000u
#define UART1            0x40005000u
#define UART_DATA(uart)  REGISTER((uart) + 0x00)
#define UART_STATE(uart) REGISTER((uart) + 0x04)
#define UART_CTRL(uart)  REGISTER((uart) + 0x08)
#define UART_BAUD(uart)  REGISTER((uart) + 0x10)

#define UART_TX_FULL     1u  /* in STATE */
#define UART_RX_FULL     2u  /* in STATE */
#define UART_BOTH_WAYS   3u  /* in CTRL */
#define UART_BAUD_LEAST  16u /* 25 MHz / 16 */

/* AN385 table 3-17: FPGA system control and I/O */
#define FPGAIO_COUNTER  REGISTER(0x40028018)
#define FPGAIO_PRESCALE REGISTER(0x4002801c)

#define FPGAIO_KHZ      25000u

/* The part of the PSRAM that plays the flash: its last megabyte. */
#define FLASH_BEGIN UINT32_C(0x21f00000)

#endif
