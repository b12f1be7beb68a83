/* The vector table of the suite's programs: the port's two interrupts, and all else is a fault. */
#include "microbit_vectors.h"

#include "mup/port/nrf51.h"
#include "startup.h"

static void fault(void)
{
    microbit_print("Bail out! a fault\n");
    for (;;) {
    }
}

#define UART_VECTOR  (MICROBIT_EXCEPTIONS + MUP_NRF51_UART_IRQ)
#define CLOCK_VECTOR (MICROBIT_EXCEPTIONS + MUP_NRF51_CLOCK_IRQ)

__attribute__((section(".vectors"),
               used)) static microbit_vector *const vectors[MICROBIT_VECTORS] = {
    (microbit_vector *)&microbit_stack_top,
    microbit_reset,
    [2 ... UART_VECTOR - 1] = fault,
    [UART_VECTOR] = mup_nrf51_uart_interrupt,
    [UART_VECTOR + 1 ... CLOCK_VECTOR - 1] = fault,
    [CLOCK_VECTOR] = mup_nrf51_clock_interrupt,
    [CLOCK_VECTOR + 1 ... MICROBIT_VECTORS - 1] = fault,
};
