/* The flash contract (mup/port/flash.h). */
#include "board.h"

#define FAILED (-1)

/* Yours: the part of the flash that MUP has, and what one erase covers. */
#define FLASH_SIZE      UINT32_C(262144)
#define FLASH_PAGE_SIZE UINT32_C(1024)

static int board_flash_read(void *context, uint32_t at, void *out, size_t size)
{
    (void)context;
    (void)out;
    if (at > FLASH_SIZE || size > FLASH_SIZE - at)
        return FAILED;
    /* memcpy from where the flash is mapped, or the driver's read. */
    return FAILED;
}

static int board_flash_program(void *context, uint32_t at, const uint32_t *words, size_t word_count)
{
    (void)context;
    (void)words;
    if (at % MUP_PORT_FLASH_WORD_SIZE != 0 || at > FLASH_SIZE ||
        word_count > (FLASH_SIZE - at) / MUP_PORT_FLASH_WORD_SIZE)
        return FAILED;
    /* One word after the other, upwards; wait for each, and look at the error flags. */
    return FAILED;
}

static int board_flash_erase(void *context, uint32_t page_at)
{
    (void)context;
    if (page_at % FLASH_PAGE_SIZE != 0 || page_at >= FLASH_SIZE)
        return FAILED;
    /* Erase, wait, and look at the error flags. Feed the watchdog: a swap takes many of these. */
    return FAILED;
}

const struct mup_port_flash board_flash = {
    .size = FLASH_SIZE,
    .page_size = FLASH_PAGE_SIZE,
    .read = board_flash_read,
    .program = board_flash_program,
    .erase = board_flash_erase,
};
