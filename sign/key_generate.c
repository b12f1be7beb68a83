/* Make a key pair: two files, the private one readable by its owner alone. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "mup/sign/key.h"
#include "mup/sign/repository.h"

/* A file that must not exist yet, with its mode from the first moment on. */
static FILE *create_new(const char *path, int mode, struct mup_error *error)
{
    FILE *file;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0) {
        if (errno == EEXIST)
            mup_error_set(error,
                          "%s is there already and keys are never overwritten; "
                          "choose another name or move it away",
                          path);
        else
            mup_error_set(error, "%s: cannot create: %s", path, strerror(errno));
        return NULL;
    }
    file = fdopen(fd, "w");
    if (file == NULL) {
        mup_error_set(error, "%s: cannot create: %s", path, strerror(errno));
        close(fd);
        unlink(path);
    }
    return file;
}

/* Close what was written; 1 only when every byte has reached the disk. */
static int finish(FILE *file, int written)
{
    int good = written && fflush(file) == 0 && fsync(fileno(file)) == 0;

    return fclose(file) == 0 && good;
}

static enum mup_status write_pair(const EVP_PKEY *key, const char *private_path,
                                  const char *public_path, struct mup_error *error)
{
    FILE *file = create_new(private_path, 0600, error);
    int good;

    if (file == NULL)
        return MUP_ERR_STATE;
    good = finish(file, PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    file = good ? create_new(public_path, 0644, error) : NULL;
    if (file == NULL) {
        if (!good)
            mup_error_set(error, "%s: cannot write: %s", private_path, strerror(errno));
        unlink(private_path);
        return MUP_ERR_STATE;
    }
    if (!finish(file, PEM_write_PUBKEY(file, key))) {
        mup_error_set(error, "%s: cannot write: %s", public_path, strerror(errno));
        unlink(private_path);
        unlink(public_path);
        return MUP_ERR_STATE;
    }
    return MUP_OK;
}

enum mup_status mup_key_generate(const char *path, struct mup_error *error)
{
    char private_path[MUP_PATH_MAX];
    char public_path[MUP_PATH_MAX];
    EVP_PKEY *key;
    enum mup_status status;

    if (strlen(path) + sizeof ".key" > sizeof private_path) {
        mup_error_set(error, "the name of the key is longer than %u characters", MUP_PATH_MAX);
        return MUP_ERR_RANGE;
    }
    snprintf(private_path, sizeof private_path, "%s.key", path);
    snprintf(public_path, sizeof public_path, "%s.pub", path);
    key = EVP_EC_gen("P-256");
    if (key == NULL) {
        mup_error_set(error, "OpenSSL could not make a key: is there randomness on this machine?");
        return MUP_ERR_RANDOM;
    }
    status = write_pair(key, private_path, public_path, error);
    EVP_PKEY_free(key);
    return status;
}
