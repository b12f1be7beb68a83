/*
 * Where things lie in a flash file: the default partition for 256 kB, and slots as large as the
 * file allows for others, so that a test can update megabytes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "virtual.h"

#define PAGE_SIZE       1024u
#define PAGE_SIZE_LARGE 4096u
#define SIZE_LARGE      (4u << 20) /* from here on pages are large: the boot journal counts pages */
#define SIZE_MAX_FILE   (64u << 20)

static uint32_t page_size_of(uint32_t size)
{
    return size >= SIZE_LARGE ? PAGE_SIZE_LARGE : PAGE_SIZE;
}

static uint32_t size_with(uint32_t image_size_max, uint32_t page_size)
{
    uint32_t slot = (image_size_max + page_size - 1) / page_size * page_size + page_size;

    if (slot < MUP_FLASH_SLOT_SIZE)
        slot = MUP_FLASH_SLOT_SIZE;
    return MUP_FLASH_BOOT_SIZE + 2 * slot + MUP_STATE_PAGES * page_size;
}

uint32_t virtual_flash_size(uint32_t image_size_max)
{
    uint32_t size = size_with(image_size_max, PAGE_SIZE);

    return page_size_of(size) == PAGE_SIZE ? size : size_with(image_size_max, PAGE_SIZE_LARGE);
}

/* The same partition for the same size of file. */
static void lay_out(struct virtual_flash *flash)
{
    uint32_t page_size = flash->port.page_size;
    uint32_t state_size = MUP_STATE_PAGES * page_size;
    uint32_t slots = flash->port.size - MUP_FLASH_BOOT_SIZE - state_size;

    flash->map.flash = &flash->port;
    flash->map.execution_at = MUP_FLASH_BOOT_SIZE;
    flash->map.slot_size = slots / 2 / page_size * page_size;
    flash->map.staging_at = flash->map.execution_at + flash->map.slot_size;
    flash->map.state_at = flash->port.size - state_size;
}

bool virtual_flash_open(struct virtual_flash *flash, const char *path, uint32_t size)
{
    struct stat info;

    memset(flash, 0, sizeof *flash);
    if (size == 0) {
        if (stat(path, &info) != 0) {
            fprintf(stderr, "mup-device: %s: %s; make it with mup-device factory\n", path,
                    strerror(errno));
            return false;
        }
        if (info.st_size < MUP_FLASH_BOOT_SIZE + MUP_STATE_PAGES * PAGE_SIZE + 4 * PAGE_SIZE ||
            info.st_size > SIZE_MAX_FILE || info.st_size % PAGE_SIZE != 0) {
            fprintf(stderr, "mup-device: %s is not a flash file\n", path);
            return false;
        }
        size = (uint32_t)info.st_size;
    }
    if (mup_posix_flash_open(&flash->file, path, size, page_size_of(size)) != 0) {
        fprintf(stderr, "mup-device: %s: %s\n", path,
                errno == EWOULDBLOCK ? "another device is running on it" : strerror(errno));
        return false;
    }
    flash->port = mup_posix_flash_port(&flash->file);
    lay_out(flash);
    if (mup_flash_map_check(&flash->map) == MUP_OK)
        return true;
    fprintf(stderr, "mup-device: %s is not a flash file\n", path);
    mup_posix_flash_close(&flash->file);
    return false;
}
