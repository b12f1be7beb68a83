/* A hostile flash over heap memory of exact size, and the small map that unit tests use. */
#ifndef MUP_TEST_FLASH_MEMORY_H
#define MUP_TEST_FLASH_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include "mup/flash_map.h"
#include "mup/port/hostile.h"

#define TEST_PAGE_SIZE  1024u
#define TEST_SLOT_PAGES 5u
#define TEST_SLOT_SIZE  (TEST_SLOT_PAGES * TEST_PAGE_SIZE)

struct flash_memory {
    struct mup_hostile_flash flash;
    struct mup_port_flash port;
    struct mup_flash_map map;
};

static inline struct flash_memory *flash_memory_new(void)
{
    struct flash_memory *memory = malloc(sizeof *memory);
    uint32_t size = 2 * TEST_SLOT_SIZE + MUP_STATE_PAGES * TEST_PAGE_SIZE;

    mup_hostile_flash_init(&memory->flash, malloc(size), malloc(size / 4), size, TEST_PAGE_SIZE);
    memory->port = mup_hostile_flash_port(&memory->flash);
    memory->map = (struct mup_flash_map){
        .flash = &memory->port,
        .execution_at = 0,
        .staging_at = TEST_SLOT_SIZE,
        .slot_size = TEST_SLOT_SIZE,
        .state_at = 2 * TEST_SLOT_SIZE,
    };
    return memory;
}

static inline void flash_memory_free(struct flash_memory *memory)
{
    free(memory->flash.bytes);
    free(memory->flash.programmed);
    free(memory);
}

#endif
