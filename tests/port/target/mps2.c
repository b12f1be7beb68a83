/* The suite on QEMU's mps2-an385: text on UART0, the peer on UART1. */
#include "mup/port/mps2.h"
#include "startup.h"
#include "suite.h"

#define PATIENCE   100000000u /* readings; the runner's deadline comes first */
#define FLOOD_SIZE 1048576u
#define WRAP_MS    100u

#define PEER       0u
#define NOBODY     1u /* a peer that the runner refuses */

static struct mup_mps2_line line;
static struct mup_mps2_line line_alone;

/* Xorshift: numbers that look random, for a board without a source. For this program only. */
static int fill(void *context, uint8_t *out, size_t size)
{
    uint32_t *state = context;

    for (size_t i = 0; i < size; i++) {
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        out[i] = (uint8_t)(*state >> 8);
    }
    return 0;
}

static void print(const char *text)
{
    while (*text != '\0')
        mup_mps2_uart_put((uint8_t)*text++);
}

static void clock_near_wrap(void)
{
    mup_mps2_clock_set(UINT32_MAX - WRAP_MS);
}

void mps2_panic(void)
{
    print("Bail out! a fault\n");
    for (;;) {
    }
}

int main(void)
{
    uint32_t seed = 1;
    struct mup_port_flash flash = mup_mps2_flash_port();
    struct mup_port_clock clock = mup_mps2_clock_port();
    struct mup_port_random random = {.context = &seed, .fill = fill};
    struct mup_port_random random_broken = mup_mps2_random_port();
    struct mup_port_transport transport = mup_mps2_transport_port(&line, PEER);
    struct mup_port_transport transport_alone = mup_mps2_transport_port(&line_alone, NOBODY);
    struct mup_port_reset reset = mup_mps2_reset_port();
    struct port_suite suite = {
        .flash = &flash,
        .clock = &clock,
        .random = &random,
        .random_broken = &random_broken,
        .transport = &transport,
        .transport_alone = &transport_alone,
        .reset = &reset,
        .flash_at = flash.size - PORT_SUITE_PAGES * flash.page_size,
        .clock_near_wrap = clock_near_wrap,
        .patience = PATIENCE,
        .flood_size_max = FLOOD_SIZE,
        .print = print,
    };

    mup_mps2_uart_init();
    port_suite_run(&suite);
    for (;;)
        __asm volatile("wfi");
}
