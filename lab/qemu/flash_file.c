/*
 * Loaded into qemu-system-arm (LD_PRELOAD): puts the emulated flash of the nRF51 into a file, so
 * that it survives the end of QEMU, kill -9 included, as real flash survives the loss of power.
 *
 * QEMU maps 256 kB of anonymous memory for the flash, at a fixed place inside a reservation; that
 * one mapping becomes a shared mapping of the file that MUP_QEMU_FLASH names, which must have
 * exactly that size. Debian's QEMU 7.2 is meant; one that maps otherwise runs without the file, and
 * the line on stderr, which the testbed waits for, does not appear.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FLASH_SIZE 0x40000u

typedef void *map_function(void *at, size_t size, int protection, int flags, int fd, off_t offset);

static bool is_flash(size_t size, int protection, int flags)
{
    static bool done;

    if (done || size != FLASH_SIZE || (flags & MAP_FIXED) == 0 || (flags & MAP_ANONYMOUS) == 0 ||
        (protection & PROT_WRITE) == 0)
        return false;
    done = true;
    return true;
}

/* The file, when it has the size of the flash; -1 otherwise. */
static int open_flash(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd >= 0 && lseek(fd, 0, SEEK_END) != (off_t)FLASH_SIZE) {
        close(fd);
        fd = -1;
    }
    fprintf(stderr,
            fd < 0 ? "mup-qemu: %s is no flash file of 256 kB\n" : "mup-qemu: flash is %s\n", path);
    return fd;
}

static void *map(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    static map_function *real;
    const char *path = getenv("MUP_QEMU_FLASH");
    int flash;

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "mmap64");
    if (path == NULL || !is_flash(size, protection, flags) || (flash = open_flash(path)) < 0)
        return real(at, size, protection, flags, fd, offset);
    at = real(at, size, protection, MAP_SHARED | MAP_FIXED, flash, 0);
    close(flash);
    return at;
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return map(at, size, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
    return map(at, size, protection, flags, fd, offset);
}
