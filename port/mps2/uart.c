/* UART0, for text. */
#include "mup/port/mps2.h"
#include "registers.h"

void mup_mps2_uart_init(void)
{
    UART_BAUD(UART0) = UART_BAUD_LEAST;
    UART_CTRL(UART0) = UART_BOTH_WAYS;
}

void mup_mps2_uart_put(uint8_t byte)
{
    while ((UART_STATE(UART0) & UART_TX_FULL) != 0) {
    }
    UART_DATA(UART0) = byte;
}
