/* Whole files in and out: bounded reads, writes that are there completely or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mup/sign/repository.h"

static enum mup_status fail(struct mup_error *error, const char *path, const char *what)
{
    mup_error_set(error, "%s: %s: %s", path, what, strerror(errno));
    return MUP_ERR_STATE;
}

static enum mup_status read_all(uint8_t *bytes, size_t size, int fd, const char *path,
                                struct mup_error *error)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = read(fd, bytes + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(error, path, "cannot read");
        if (got == 0) {
            mup_error_set(error, "%s: became shorter while it was read", path);
            return MUP_ERR_SHORT;
        }
        done += (size_t)got;
    }
    return MUP_OK;
}

enum mup_status mup_file_read(uint8_t **bytes, size_t *size, const char *path, size_t most,
                              struct mup_error *error)
{
    struct stat info;
    uint8_t *memory = NULL;
    enum mup_status status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fail(error, path, "cannot open");
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        mup_error_set(error, "%s: not a file", path);
        close(fd);
        return MUP_ERR_STATE;
    }
    if ((uintmax_t)info.st_size > most) {
        mup_error_set(error, "%s: %jd bytes, but at most %zu are taken", path,
                      (intmax_t)info.st_size, most);
        close(fd);
        return MUP_ERR_RANGE;
    }
    memory = malloc((size_t)info.st_size + 1);
    status =
        memory == NULL ? MUP_ERR_SPACE : read_all(memory, (size_t)info.st_size, fd, path, error);
    close(fd);
    if (status != MUP_OK) {
        free(memory);
        return status;
    }
    *bytes = memory;
    *size = (size_t)info.st_size;
    return MUP_OK;
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, bytes, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return 0;
        bytes += put;
        size -= (size_t)put;
    }
    return 1;
}

/* The name itself must survive a power cut too: sync the folder that holds it. */
static void sync_folder_of(const char *path)
{
    char copy[MUP_PATH_MAX + 8];
    int fd;

    snprintf(copy, sizeof copy, "%s", path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

enum mup_status mup_file_write(const char *path, const void *bytes, size_t size, unsigned mode,
                               struct mup_error *error)
{
    char beside[MUP_PATH_MAX + 32];
    int fd;
    int good;

    if (strlen(path) >= MUP_PATH_MAX) {
        mup_error_set(error, "a path is longer than %u characters", MUP_PATH_MAX);
        return MUP_ERR_RANGE;
    }
    snprintf(beside, sizeof beside, "%s.new.%ld", path, (long)getpid());
    /* A file that is there is a leftover of ours, or was put there to be written into. */
    unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(error, path, "cannot write beside it");
    good = write_all(fd, bytes, size) && fchmod(fd, (mode_t)mode) == 0 && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    if (!good || rename(beside, path) != 0) {
        enum mup_status status = fail(error, path, "cannot write");
        unlink(beside);
        return status;
    }
    sync_folder_of(path);
    return MUP_OK;
}
