/* The suite on the micro:bit's nRF51: text on the UART. Its transport is the application's, above
 * lwIP: microbit_radio.c. */
#include "mup/port/nrf51.h"
#include "startup.h"
#include "suite.h"

#define PATIENCE 100000000u /* readings; the runner's deadline comes first */
#define WRAP_MS  100u

static struct mup_nrf51_clock clock_state;

static void print(const char *text)
{
    while (*text != '\0')
        mup_nrf51_uart_put((uint8_t)*text++);
}

static void clock_near_wrap(void)
{
    clock_state.ms = UINT32_MAX - WRAP_MS;
}

static void fault(void)
{
    print("Bail out! a fault\n");
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

int main(void)
{
    struct mup_port_flash flash = mup_nrf51_flash_port();
    struct mup_port_clock clock = mup_nrf51_clock_port(&clock_state);
    struct mup_port_random random = mup_nrf51_random_port();
    struct mup_port_reset reset = mup_nrf51_reset_port();
    struct port_suite suite = {
        .flash = &flash,
        .clock = &clock,
        .random = &random,
        .reset = &reset,
        .flash_at = flash.size - PORT_SUITE_PAGES * flash.page_size,
        .clock_near_wrap = clock_near_wrap,
        .patience = PATIENCE,
        .print = print,
    };

    mup_nrf51_uart_init();
    port_suite_run(&suite);
    for (;;)
        __asm volatile("wfi");
}
