/* The flash contract over the NVMC (reference manual 6.1). The map of addresses is the CPU's. */
#include "mup/port/nrf51.h"

#include <string.h>

#include "registers.h"

static void wait_until_ready(void)
{
    while (NVMC_READY == 0) {
    }
    WDT_RR0 = WDT_RELOAD; /* a swap takes seconds, and the watchdog survived the reset before it */
}

static void set_mode(uint32_t mode)
{
    NVMC_CONFIG = mode;
    wait_until_ready();
}

static int nrf51_read(void *context, uint32_t at, void *out, size_t size)
{
    (void)context;
    if (at > MUP_NRF51_FLASH_SIZE || size > MUP_NRF51_FLASH_SIZE - at)
        return -1;
    memcpy(out, (const void *)(uintptr_t)at, size);
    return 0;
}

static int nrf51_program(void *context, uint32_t at, const uint32_t *words, size_t word_count)
{
    (void)context;
    if (at % MUP_PORT_FLASH_WORD_SIZE != 0 || at > MUP_NRF51_FLASH_SIZE ||
        word_count > (MUP_NRF51_FLASH_SIZE - at) / MUP_PORT_FLASH_WORD_SIZE)
        return -1;
    set_mode(NVMC_WRITE);
    for (size_t i = 0; i < word_count; i++) {
        REGISTER(at + i * MUP_PORT_FLASH_WORD_SIZE) = words[i];
        wait_until_ready();
    }
    set_mode(NVMC_READ_ONLY);
    return 0;
}

static int nrf51_erase(void *context, uint32_t page_at)
{
    (void)context;
    if (page_at % MUP_NRF51_FLASH_PAGE_SIZE != 0 || page_at >= MUP_NRF51_FLASH_SIZE)
        return -1;
    set_mode(NVMC_ERASE);
    NVMC_ERASEPAGE = page_at;
    wait_until_ready();
    set_mode(NVMC_READ_ONLY);
    return 0;
}

struct mup_port_flash mup_nrf51_flash_port(void)
{
    return (struct mup_port_flash){
        .size = MUP_NRF51_FLASH_SIZE,
        .page_size = MUP_NRF51_FLASH_PAGE_SIZE,
        .read = nrf51_read,
        .program = nrf51_program,
        .erase = nrf51_erase,
    };
}
