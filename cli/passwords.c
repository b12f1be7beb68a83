/* The broker's password file: see passwords.h. */
#include "passwords.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "command.h"

#define FILE_SIZE_MAX (64u * 1024u * 1024u)
#define SALT_SIZE     12u /* these four are mosquitto_passwd's */
#define HASH_SIZE     64u
#define ITERATIONS    101
#define LINE_SIZE     256u

static bool read_all(struct mup_passwords *passwords, int fd)
{
    struct stat status;
    ssize_t size;

    if (fstat(fd, &status) != 0 || status.st_size > (off_t)FILE_SIZE_MAX)
        return false;
    passwords->text = malloc((size_t)status.st_size + 2);
    if (passwords->text == NULL)
        return false;
    size = read(fd, passwords->text, (size_t)status.st_size);
    if (size != (ssize_t)status.st_size)
        return false;
    if (size > 0 && passwords->text[size - 1] != '\n')
        passwords->text[size++] = '\n'; /* somebody has edited it */
    passwords->text[size] = '\0';
    passwords->size = (size_t)size;
    return memchr(passwords->text, '\0', passwords->size) == NULL;
}

bool mup_passwords_open(struct mup_passwords *passwords, const char *folder, bool create)
{
    int fd;
    bool good;

    *passwords = (struct mup_passwords){.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (passwords->folder < 0 || flock(passwords->folder, LOCK_EX) != 0) {
        (void)mup_fail("%s: %s; mup broker makes such a folder", folder, strerror(errno));
        mup_passwords_close(passwords);
        return false;
    }
    (void)snprintf(passwords->path, sizeof passwords->path, "%s/" MUP_PASSWORDS_FILE, folder);
    fd = open(passwords->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && create) {
        passwords->text = calloc(1, 1);
        return passwords->text != NULL;
    }
    good = fd >= 0 && read_all(passwords, fd);
    if (!good)
        (void)mup_fail("%s cannot be read; mup broker makes it", passwords->path);
    if (fd >= 0)
        (void)close(fd);
    if (!good)
        mup_passwords_close(passwords);
    return good;
}

void mup_passwords_close(struct mup_passwords *passwords)
{
    if (passwords->folder >= 0)
        (void)close(passwords->folder);
    free(passwords->text);
    *passwords = (struct mup_passwords){.folder = -1};
}

/* The line of this name; NULL: there is none. */
static char *line_of(const struct mup_passwords *passwords, const char *name)
{
    size_t length = strlen(name);

    for (char *line = passwords->text; *line != '\0'; line = strchr(line, '\n') + 1)
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            return line;
    return NULL;
}

bool mup_passwords_have(const struct mup_passwords *passwords, const char *name)
{
    return line_of(passwords, name) != NULL;
}

void mup_passwords_each(const struct mup_passwords *passwords, void (*visit)(void *, const char *),
                        void *arg)
{
    char name[LINE_SIZE];

    for (const char *line = passwords->text; *line != '\0'; line = strchr(line, '\n') + 1) {
        size_t length = strcspn(line, ":\n");
        if (length == 0 || length >= sizeof name || line[length] != ':' || line[0] == '#')
            continue;
        memcpy(name, line, length);
        name[length] = '\0';
        visit(arg, name);
    }
}

bool mup_passwords_remove(struct mup_passwords *passwords, const char *name)
{
    char *line = line_of(passwords, name);
    const char *end;

    if (line == NULL)
        return false;
    end = strchr(line, '\n') + 1;
    memmove(line, end, passwords->size - (size_t)(end - passwords->text) + 1);
    passwords->size -= (size_t)(end - line);
    return true;
}

/* `name:$7$iterations$salt$hash`; 0: no randomness. */
static size_t make_line(char line[LINE_SIZE], const char *name, const char *password)
{
    uint8_t salt[SALT_SIZE];
    uint8_t hash[HASH_SIZE];
    char salt_text[SALT_SIZE * 2];
    char hash_text[HASH_SIZE * 2];

    if (getrandom(salt, sizeof salt, 0) != (ssize_t)sizeof salt ||
        PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, (int)sizeof salt, ITERATIONS,
                          EVP_sha512(), (int)sizeof hash, hash) != 1)
        return 0;
    EVP_EncodeBlock((unsigned char *)salt_text, salt, (int)sizeof salt);
    EVP_EncodeBlock((unsigned char *)hash_text, hash, (int)sizeof hash);
    return (size_t)snprintf(line, LINE_SIZE, "%s:$7$%d$%s$%s\n", name, ITERATIONS, salt_text,
                            hash_text);
}

bool mup_passwords_put(struct mup_passwords *passwords, const char *name,
                       char password[MUP_PASSWORD_SIZE])
{
    uint8_t bytes[(MUP_PASSWORD_SIZE - 1) / 2];
    char line[LINE_SIZE];
    size_t length = 0;
    char *text;

    if (getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes) {
        mup_hex(password, bytes, sizeof bytes);
        length = make_line(line, name, password);
    }
    if (length == 0 || length >= sizeof line)
        return false;
    text = realloc(passwords->text, passwords->size + length + 1);
    if (text == NULL)
        return false;
    passwords->text = text;
    (void)mup_passwords_remove(passwords, name);
    memcpy(passwords->text + passwords->size, line, length + 1);
    passwords->size += length;
    return true;
}

static bool write_copy(const struct mup_passwords *passwords, const char *path)
{
    struct stat old;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0;

    /* The broker reloads it as its own user. */
    if (good && stat(passwords->path, &old) == 0)
        good = fchown(fd, old.st_uid, old.st_gid) == 0 && fchmod(fd, old.st_mode & 0777) == 0;
    good = good && write(fd, passwords->text, passwords->size) == (ssize_t)passwords->size &&
           fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return good;
}

bool mup_passwords_write(const struct mup_passwords *passwords)
{
    char copy[MUP_BROKER_PATH_MAX + 8];
    int error;

    (void)snprintf(copy, sizeof copy, "%s.new", passwords->path);
    if (write_copy(passwords, copy) && rename(copy, passwords->path) == 0 &&
        fsync(passwords->folder) == 0)
        return true;
    error = errno;
    (void)unlink(copy);
    (void)mup_fail("%s cannot be written: %s", passwords->path, strerror(error));
    return false;
}
