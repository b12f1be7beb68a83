/*
 * Loaded into qemu-system-arm (LD_PRELOAD): puts the emulated flash of the nRF51 into a file, so
 * that it survives the end of QEMU, kill -9 included, as real flash survives the loss of power.
 *
 * QEMU maps 256 kB of anonymous memory for the flash, at a fixed place inside a reservation; that
 * one mapping becomes a shared mapping of the file that MUP_QEMU_FLASH names, which must have
 * exactly that size. Debian's QEMU 7.2 is meant; one that maps otherwise runs without the file, and
 * the line on stderr, which the testbed waits for, does not appear.
 *
 * The RAM of 16 kB becomes the file that MUP_QEMU_RAM names, if there is such a variable: for who
 * measures, and writes to it while the processor stands still.
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
#define RAM_SIZE   0x4000u

typedef void *map_function(void *at, size_t size, int protection, int flags, int fd, off_t offset);

/* What becomes a file, once each. */
static struct memory {
    const char *variable;
    const char *name;
    size_t size;
    bool done;
} memories[] = {{"MUP_QEMU_FLASH", "flash", FLASH_SIZE, false},
                {"MUP_QEMU_RAM", "ram", RAM_SIZE, false}};

/* NULL: it is nothing that was asked for. */
static struct memory *memory_of(size_t size, int protection, int flags)
{
    if ((flags & MAP_FIXED) == 0 || (flags & MAP_ANONYMOUS) == 0 || (protection & PROT_WRITE) == 0)
        return NULL;
    for (size_t i = 0; i < sizeof memories / sizeof memories[0]; i++)
        if (memories[i].size == size && !memories[i].done && getenv(memories[i].variable) != NULL)
            return &memories[i];
    return NULL;
}

/* The file, when it has the size of the memory; -1 otherwise. */
static int open_memory(struct memory *memory)
{
    const char *path = getenv(memory->variable);
    int fd = open(path, O_RDWR | O_CLOEXEC);

    memory->done = true;
    if (fd >= 0 && lseek(fd, 0, SEEK_END) != (off_t)memory->size) {
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        fprintf(stderr, "mup-qemu: %s is no %s file of %zu kB\n", path, memory->name,
                memory->size / 1024);
    else
        fprintf(stderr, "mup-qemu: %s is %s\n", memory->name, path);
    return fd;
}

static void *map(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    static map_function *real;
    struct memory *memory;
    int file;

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "mmap64");
    memory = memory_of(size, protection, flags);
    if (memory == NULL || (file = open_memory(memory)) < 0)
        return real(at, size, protection, flags, fd, offset);
    at = real(at, size, protection, MAP_SHARED | MAP_FIXED, file, 0);
    close(file);
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
