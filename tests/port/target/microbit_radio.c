/*
 * The transport's promises on the micro:bit, as its application keeps them: TCP over 6LoWPAN over
 * frames on the UART. The board has no second UART, so text goes to the emulator by semihosting
 * ("Semihosting for AArch32 and AArch64", SYS_WRITE0). The other contracts are microbit.c's.
 */
#include "firmware.h"
#include "lwip/init.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "mup/port/nrf51.h"
#include "microbit_vectors.h"
#include "suite.h"

#define PATIENCE    100000000u /* turns of idle(); the runner's deadline comes first */
#define FLOOD_SIZE  8192u
#define BROKER_PORT 1883u
#define NOBODY_PORT 1884u /* the router listens on no other than the first */

static struct mup_nrf51_clock clock_state;
static struct mup_port_clock clock_port;
static struct mup_port_random random_port;

static struct microbit_settings settings = {
    .address = {.eui64 = {0x02, 0, 0, 0, 0, 0, 0, 0x42}},
    .broker = {0xfe, 0x80, [15] = 1},
    .broker_port = BROKER_PORT,
    .pan_id = 0xabcd,
};
static struct microbit_settings nobody;

/* ---- what radio and TCP want of an application ----------------------------------------------- */

uint32_t microbit_now_ms(void)
{
    return clock_port.now_ms(clock_port.context);
}

u32_t sys_now(void)
{
    return microbit_now_ms();
}

uint32_t microbit_lwip_random(void)
{
    uint32_t value;

    if (random_port.fill(random_port.context, (uint8_t *)&value, sizeof value) != 0)
        microbit_panic();
    return value;
}

/* ---- the suite's host ------------------------------------------------------------------------ */

void microbit_print(const char *text)
{
    register uint32_t operation __asm("r0") = 4; /* SYS_WRITE0 */
    register const char *what __asm("r1") = text;

    __asm volatile("bkpt 0xab" : "+r"(operation) : "r"(what) : "memory");
}

static void serve_network(void)
{
    microbit_radio_poll();
    sys_check_timeouts();
    microbit_tcp_flush();
}

/* There is one connection; whom it leads to is decided when it is opened. */
static int open_to_nobody(void *context)
{
    (void)context;
    return microbit_tcp_port(&nobody).open(NULL);
}

int main(void)
{
    struct mup_port_transport transport;
    struct mup_port_transport alone;
    struct port_suite suite = {
        .transport = &transport,
        .transport_alone = &alone,
        .patience = PATIENCE,
        .idle = serve_network,
        .flood_size_max = FLOOD_SIZE,
        .print = microbit_print,
    };

    clock_port = mup_nrf51_clock_port(&clock_state);
    random_port = mup_nrf51_random_port();
    lwip_init();
    microbit_radio_init(&settings);
    transport = alone = microbit_tcp_port(&settings);
    nobody = settings;
    nobody.broker_port = NOBODY_PORT;
    alone.open = open_to_nobody;
    port_suite_run(&suite);
    for (;;)
        __asm volatile("wfi");
}
