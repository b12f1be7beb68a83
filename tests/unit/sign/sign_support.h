/* A temporary folder and a vendor for the tests of sign/. */
#ifndef MUP_TEST_SIGN_SUPPORT_H
#define MUP_TEST_SIGN_SUPPORT_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cmocka_all.h"

#include "mup/sign/key.h"

static char test_folder[128];

static inline const char *test_path(const char *name)
{
    static char paths[8][256];
    static unsigned turn;
    char *path = paths[turn++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", test_folder, name);
    return path;
}

static inline int test_folder_make(void **state)
{
    (void)state;
    snprintf(test_folder, sizeof test_folder, "%s/mup-sign-%ld",
             getenv("TMPDIR") == NULL ? "/tmp" : getenv("TMPDIR"), (long)getpid());
    return mkdir(test_folder, 0700);
}

static inline int test_remove_entry(const char *path, const struct stat *info, int kind,
                                    struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline int test_folder_remove(void **state)
{
    (void)state;
    return nftw(test_folder, test_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* A new key pair NAME.key, NAME.pub in the folder, opened as a signer. */
static inline struct mup_signer test_signer(const char *name)
{
    struct mup_signer signer;
    struct mup_error error = {""};
    char key[64];

    if (mup_key_generate(test_path(name), &error) != MUP_OK)
        fail_msg("%s", error.text);
    snprintf(key, sizeof key, "%s.key", name);
    if (mup_signer_open_file(&signer, test_path(key), &error) != MUP_OK)
        fail_msg("%s", error.text);
    return signer;
}

static inline void test_write(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(test_path(name), "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

#endif
