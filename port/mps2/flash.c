/* The flash contract over RAM: what NOR flash can not do, this does not do either. */
#include <string.h>

#include "mup/port/mps2.h"
#include "registers.h"

static int mps2_read(void *context, uint32_t at, void *out, size_t size)
{
    (void)context;
    if (at > MUP_MPS2_FLASH_SIZE || size > MUP_MPS2_FLASH_SIZE - at)
        return -1;
    memcpy(out, (const void *)(uintptr_t)(FLASH_BEGIN + at), size);
    return 0;
}

static int mps2_program(void *context, uint32_t at, const uint32_t *words, size_t word_count)
{
    (void)context;
    if (at % MUP_PORT_FLASH_WORD_SIZE != 0 || at > MUP_MPS2_FLASH_SIZE ||
        word_count > (MUP_MPS2_FLASH_SIZE - at) / MUP_PORT_FLASH_WORD_SIZE)
        return -1;
    /* One store of a whole word: an emulator that is killed leaves it old or new. */
    for (size_t i = 0; i < word_count; i++, at += MUP_PORT_FLASH_WORD_SIZE)
        REGISTER(FLASH_BEGIN + at) = REGISTER(FLASH_BEGIN + at) & words[i];
    return 0;
}

static int mps2_erase(void *context, uint32_t page_at)
{
    (void)context;
    if (page_at % MUP_MPS2_FLASH_PAGE_SIZE != 0 || page_at >= MUP_MPS2_FLASH_SIZE)
        return -1;
    for (uint32_t at = page_at; at < page_at + MUP_MPS2_FLASH_PAGE_SIZE;
         at += MUP_PORT_FLASH_WORD_SIZE)
        REGISTER(FLASH_BEGIN + at) = MUP_PORT_FLASH_ERASED_WORD;
    return 0;
}

struct mup_port_flash mup_mps2_flash_port(void)
{
    return (struct mup_port_flash){
        .size = MUP_MPS2_FLASH_SIZE,
        .page_size = MUP_MPS2_FLASH_PAGE_SIZE,
        .read = mps2_read,
        .program = mps2_program,
        .erase = mps2_erase,
    };
}
