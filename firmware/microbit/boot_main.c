/*
 * The bootloader of the micro:bit: finish or begin what the boot journal asks for, then start the
 * image in the execution slot.
 *
 * A Cortex-M0 has its vector table at address 0 for good. So this table forwards every exception
 * to the table of the running image, except the watchdog's, which stays here: an image cannot put
 * it off.
 */
#include "mup/boot.h"
#include "mup/port/nrf51.h"
#include "mup/trust.h"

#include "handover.h"
#include "services.h"
#include "startup.h"

#define RAM_BEGIN       UINT32_C(0x20000000)
#define RAM_END         UINT32_C(0x20004000)

#define WATCHDOG_VECTOR (MICROBIT_EXCEPTIONS + MUP_NRF51_WATCHDOG_IRQ)

static struct mup_port_flash flash;
static struct mup_flash_map map;
static struct mup_boot boot;
static uint32_t manifest[MUP_BOOT_MANIFEST_SIZE_MAX / 4];

void microbit_forward(void);

/* Jump through the running image's table at the number of the active exception. Nothing but r0 to
 * r3 may be used: the hardware has saved those, and lr says how to return. */
__attribute__((naked)) void microbit_forward(void)
{
    __asm volatile("ldr r0, =microbit_handover \n"
                   "ldr r0, [r0]               \n"
                   "cmp r0, #0                 \n"
                   "beq 1f                     \n"
                   "mrs r1, ipsr               \n"
                   "lsls r1, r1, #26           \n" /* the number is six bits wide */
                   "lsrs r1, r1, #24           \n"
                   "ldr r0, [r0, r1]           \n"
                   "bx r0                      \n"
                   "1: ldr r0, =microbit_panic \n"
                   "bx r0                      \n"
                   ".ltorg                     \n");
}

static void watchdog(void)
{
    mup_nrf51_watchdog_interrupt(&microbit_handover.unfed_s);
}

__attribute__((section(".vectors"),
               used)) static microbit_vector *const vectors[MICROBIT_VECTORS] = {
    (microbit_vector *)&microbit_stack_top,
    microbit_reset,
    [2 ... WATCHDOG_VECTOR - 1] = microbit_forward,
    [WATCHDOG_VECTOR] = watchdog,
    [WATCHDOG_VECTOR + 1 ... MICROBIT_VECTORS - 1] = microbit_forward,
};

__attribute__((section(".services"), used)) static const struct microbit_services services = {
    .magic = MICROBIT_SERVICES_MAGIC,
    .size = sizeof services,
    .sha256_init = mup_sha256_init,
    .sha256_update = mup_sha256_update,
    .sha256_finish = mup_sha256_finish,
    .p256_verify = mup_p256_verify,
};

_Static_assert(sizeof vectors == MICROBIT_SERVICES_AT, "applications look for the services here");

/* The stack pointer and the entry of an image. Never returns. */
__attribute__((naked, noreturn)) static void start(uint32_t at)
{
    (void)at;
    __asm volatile("ldr r1, [r0]     \n"
                   "ldr r2, [r0, #4] \n"
                   "msr msp, r1      \n"
                   "bx r2            \n");
}

/* Whether anything that could be an image stands there. */
static bool is_image(uint32_t at)
{
    const volatile uint32_t *words = (const volatile uint32_t *)(uintptr_t)at;

    return words[0] > RAM_BEGIN && words[0] <= RAM_END && words[1] > at &&
           words[1] < at + map.slot_size && words[1] % 2 == 1;
}

int main(void)
{
    struct mup_boot_verifier verifier = {mup_trust_verify_image, &map, (uint8_t *)manifest};
    struct mup_boot_state state;
    enum mup_status status;

    microbit_handover.vectors = 0;
    flash = mup_nrf51_flash_port();
    if (mup_flash_map_default(&map, &flash) != MUP_OK)
        microbit_panic();
    status = mup_boot_open(&boot, &map);
    if (status == MUP_OK)
        status = mup_boot_start(&boot, &state, &verifier);
    if (status != MUP_OK && status != MUP_ERR_FORMAT)
        microbit_panic();
    while (!is_image(map.execution_at))
        __asm volatile("wfi"); /* empty: wait for the programmer */
    microbit_handover.vectors = map.execution_at;
    mup_nrf51_watchdog_start(&microbit_handover.unfed_s);
    start(map.execution_at);
}
