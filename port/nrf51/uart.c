/* UART0: output by waiting, input by interrupt into a ring (manual 29). */
#include "mup/port/nrf51.h"

#include "registers.h"

/* One writer (the interrupt moves `end`), one reader (`begin`): no lock. One place stays empty. */
static struct {
    volatile uint8_t begin;
    volatile uint8_t end;
    bool sending;
    uint8_t bytes[MUP_NRF51_UART_RING_SIZE];
} uart;

_Static_assert(MUP_NRF51_UART_RING_SIZE == 256, "indices wrap as bytes do");

void mup_nrf51_uart_init(void)
{
    UART_PSELTXD = UART_PIN_TXD;
    UART_PSELRXD = UART_PIN_RXD;
    UART_BAUDRATE = UART_BAUD_1M;
    UART_ENABLE = UART_ENABLED;
    UART_STARTRX = 1;
    UART_STARTTX = 1;
    UART_INTENSET = UART_RXDRDY_BIT;
    NVIC_IPR(MUP_NRF51_UART_IRQ / 4) |= 0x40u << MUP_NRF51_UART_IRQ % 4 * 8;
    NVIC_ISER = UINT32_C(1) << MUP_NRF51_UART_IRQ;
}

void mup_nrf51_uart_put(uint8_t byte)
{
    while (uart.sending && UART_TXDRDY == 0) {
    }
    UART_TXDRDY = 0;
    uart.sending = true;
    UART_TXD = byte;
}

int mup_nrf51_uart_get(void)
{
    uint8_t begin = uart.begin;
    int byte;

    if (begin == uart.end)
        return -1;
    byte = uart.bytes[begin];
    uart.begin = (uint8_t)(begin + 1);
    UART_INTENSET = UART_RXDRDY_BIT; /* there is room again */
    return byte;
}

bool mup_nrf51_uart_is_idle(void)
{
    return uart.begin == uart.end;
}

void mup_nrf51_uart_interrupt(void)
{
    while (UART_RXDRDY != 0) {
        if ((uint8_t)(uart.end + 1) == uart.begin) {
            UART_INTENCLR = UART_RXDRDY_BIT;
            return;
        }
        UART_RXDRDY = 0;
        uart.bytes[uart.end] = (uint8_t)UART_RXD;
        uart.end = (uint8_t)(uart.end + 1);
    }
}
