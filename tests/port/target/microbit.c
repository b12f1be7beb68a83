/* The suite on the micro:bit's nRF51: text on the UART. Its transport is the application's, above
 * lwIP: microbit_radio.c. */
#include "mup/port/nrf51.h"
#include "microbit_vectors.h"
#include "suite.h"

#define PATIENCE 100000000u /* readings; the runner's deadline comes first */
#define WRAP_MS  100u

static struct mup_nrf51_clock clock_state;

void microbit_print(const char *text)
{
    while (*text != '\0')
        mup_nrf51_uart_put((uint8_t)*text++);
}

static void clock_near_wrap(void)
{
    clock_state.ms = UINT32_MAX - WRAP_MS;
}

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
        .print = microbit_print,
    };

    mup_nrf51_uart_init();
    port_suite_run(&suite);
    for (;;)
        __asm volatile("wfi");
}
