/* Flash in a file: NOR rules over a shared mapping. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mup/port/posix.h"

static int flash_read(void *context, uint32_t at, void *out, size_t size)
{
    const struct mup_posix_flash *flash = context;

    if (at > flash->size || size > flash->size - at)
        return -1;
    if (size > 0)
        memcpy(out, flash->bytes + at, size);
    return 0;
}

static int flash_program(void *context, uint32_t at, const uint32_t *words, size_t word_count)
{
    const struct mup_posix_flash *flash = context;

    if (at % MUP_PORT_FLASH_WORD_SIZE != 0 || at > flash->size ||
        word_count > (flash->size - at) / MUP_PORT_FLASH_WORD_SIZE)
        return -1;
    /* One store of a whole word, so that a kill leaves it old or new, as on the nRF51. */
    volatile uint32_t *to = (volatile uint32_t *)(void *)(flash->bytes + at);
    for (size_t i = 0; i < word_count; i++)
        to[i] &= words[i];
    return 0;
}

static int flash_erase(void *context, uint32_t page_at)
{
    const struct mup_posix_flash *flash = context;

    if (page_at % flash->page_size != 0 || page_at >= flash->size)
        return -1;
    memset(flash->bytes + page_at, 0xff, flash->page_size);
    return 0;
}

/* Fill a new file with ones under another name first: a kill leaves no flash of zeros behind. */
static int create_erased(const char *path, uint32_t size)
{
    char name[4096];
    uint8_t ones[4096];
    int fd;
    int result = -1;

    if (snprintf(name, sizeof name, "%s.new.%ld", path, (long)getpid()) >= (int)sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    memset(ones, 0xff, sizeof ones);
    for (uint32_t done = 0; done < size;) {
        size_t piece = size - done < sizeof ones ? size - done : sizeof ones;
        ssize_t written = write(fd, ones, piece);

        if (written <= 0)
            goto out;
        done += (uint32_t)written;
    }
    /* Not rename(): two processes that start together must end up with one file. */
    if (link(name, path) == 0 || errno == EEXIST)
        result = 0;
out:
    close(fd);
    unlink(name);
    return result;
}

static int open_or_create(const char *path, uint32_t size)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd >= 0 || errno != ENOENT)
        return fd;
    if (create_erased(path, size) != 0)
        return -1;
    return open(path, O_RDWR | O_CLOEXEC);
}

int mup_posix_flash_open(struct mup_posix_flash *flash, const char *path, uint32_t size,
                         uint32_t page_size)
{
    struct stat file;
    void *bytes;
    int saved;
    int fd;

    if (page_size == 0 || page_size % MUP_PORT_FLASH_WORD_SIZE != 0 || size == 0 ||
        size % page_size != 0) {
        errno = EINVAL;
        return -1;
    }
    fd = open_or_create(path, size);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &file) != 0)
        goto failed;
    if (file.st_size != (off_t)size) {
        errno = EINVAL;
        goto failed;
    }
    bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        goto failed;
    *flash = (struct mup_posix_flash){fd, bytes, size, page_size};
    return 0;

failed:
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

void mup_posix_flash_close(struct mup_posix_flash *flash)
{
    munmap(flash->bytes, flash->size);
    close(flash->fd);
    flash->bytes = NULL;
    flash->fd = -1;
}

struct mup_port_flash mup_posix_flash_port(struct mup_posix_flash *flash)
{
    return (struct mup_port_flash){
        .context = flash,
        .size = flash->size,
        .page_size = flash->page_size,
        .read = flash_read,
        .program = flash_program,
        .erase = flash_erase,
    };
}
