/* Commands that end at once. */
#include "server/web/set_up.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mup/sign/repository.h"
#include "server/web/certificate.h"
#include "server/web/password.h"
#include "server/web/users.h"

#define TOKEN_BYTES 24u

static int fail(const char *text)
{
    fprintf(stderr, "mup-server: %s\n", text);
    return 1;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* A user with a new password, which is printed here and nowhere else. */
static int put_user(const struct mup_server_settings *s, const char *name, enum mup_role role)
{
    char password[MUP_PASSWORD_SIZE];
    char hash[MUP_USER_HASH_SIZE];
    struct mup_error error = {""};

    mup_password_make(password);
    if (mup_password_hash(hash, password) != MUP_OK) {
        return fail("a password takes 64 MiB of memory to hash, and they are not there");
    }
    if (mup_users_put(s->users_file, name, role, hash, &error) != MUP_OK) {
        return fail(error.text);
    }
    printf("user      %s (%s)\npassword  %s\n", name, mup_role_name(role), password);
    printf("          It is not kept anywhere: note it now. %s has its hash.\n", s->users_file);
    sodium_memzero(password, sizeof password);
    return 0;
}

static int make_token(const char *path)
{
    uint8_t bytes[TOKEN_BYTES];
    char token[2 * TOKEN_BYTES + 2];
    struct mup_error error = {""};

    if (is_there(path)) {
        printf("token     %s is there already\n", path);
        return 0;
    }
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(token, sizeof token, bytes, sizeof bytes);
    strcat(token, "\n");
    if (mup_file_write(path, token, strlen(token), 0600, &error) != MUP_OK) {
        return fail(error.text);
    }
    printf("token     %s, for the command mup\n", path);
    return 0;
}

static int make_certificate(const struct mup_server_settings *s)
{
    struct mup_error error = {""};

    if (!s->tls_certificate || !s->tls_key) {
        printf("TLS       none: tls-certificate and tls-key are not set, so the page is for this "
               "machine alone\n");
        return 0;
    }
    if (is_there(s->tls_certificate) && is_there(s->tls_key)) {
        printf("TLS       %s is there already\n", s->tls_certificate);
        return 0;
    }
    if (is_there(s->tls_certificate) || is_there(s->tls_key)) {
        return fail("one of tls-certificate and tls-key is there, the other is not: give both or "
                    "none");
    }
    if (mup_web_certificate_make(s->tls_certificate, s->tls_key, s->listen_address, &error) !=
        MUP_OK) {
        return fail(error.text);
    }
    printf("TLS       %s, made and signed by itself: browsers ask once whether to trust it\n",
           s->tls_certificate);
    return 0;
}

/* The user comes last: when anything fails before, no password has been told. */
static int set_up(const struct mup_server_settings *s, const char *name)
{
    struct mup_users *users = mup_users_new(s->users_file);

    if (!users) {
        return fail("no memory");
    }
    mup_users_refresh(users);
    bool is_new = mup_users_find(users, name) == NULL;
    mup_users_free(users);
    if (make_token(s->api_token_file) != 0 || make_certificate(s) != 0) {
        return 1;
    }
    if (!is_new) {
        printf("user      %s is there already; --new-password %s makes a new password\n", name,
               name);
        return 0;
    }
    int code = put_user(s, name, MUP_ROLE_ADMINISTRATOR);
    if (code == 0) {
        printf("bridge    its configuration needs a line \"administrator %s\", or its access rules "
               "a group with %s\n",
               name, name);
    }
    return code;
}

static int list_users(const struct mup_server_settings *s)
{
    struct mup_users *users = mup_users_new(s->users_file);

    if (!users) {
        return fail("no memory");
    }
    mup_users_refresh(users);
    for (size_t i = 0; i < mup_users_count(users); i++) {
        const struct mup_user *user = mup_users_at(users, i);
        printf("%-32s %s\n", user->name, mup_role_name(user->role));
    }
    mup_users_free(users);
    return 0;
}

static int remove_user(const struct mup_server_settings *s, const char *name)
{
    struct mup_error error = {""};

    if (mup_users_put(s->users_file, name, MUP_ROLE_READ_ONLY, NULL, &error) != MUP_OK) {
        return fail(error.text);
    }
    printf("%s is no user any more; his sessions have ended\n", name);
    return 0;
}

static int new_password(const struct mup_server_settings *s, const char *name)
{
    struct mup_users *users = mup_users_new(s->users_file);

    if (users) {
        mup_users_refresh(users);
    }
    const struct mup_user *user = users ? mup_users_find(users, name) : NULL;
    int code = user ? put_user(s, name, user->role)
                    : fail("there is no user of this name; --users lists them");
    mup_users_free(users);
    return code;
}

int mup_set_up(const struct mup_server_settings *s, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "operator";
    enum mup_role role;

    if (!mup_password_init()) {
        return fail("the system gives no random numbers");
    }
    if (!s->users_file) {
        return fail("users-file is not set: add \"users-file PATH\" to the configuration");
    }
    if (!mup_user_name_is_valid(name)) {
        return fail("a user's name has 1 to 32 of letters, digits and . _ - @, and is not "
                    "mup-server");
    }
    if (strcmp(argv[0], "--set-up") == 0 && argc <= 2) {
        return set_up(s, name);
    }
    if (strcmp(argv[0], "--users") == 0 && argc == 1) {
        return list_users(s);
    }
    if (strcmp(argv[0], "--remove-user") == 0 && argc == 2) {
        return remove_user(s, name);
    }
    if (strcmp(argv[0], "--new-password") == 0 && argc == 2) {
        return new_password(s, name);
    }
    if (strcmp(argv[0], "--add-user") == 0 && argc == 3) {
        return mup_role_from_name(&role, argv[2])
                   ? put_user(s, name, role)
                   : fail("a role is one of read-only, operator, administrator");
    }
    fprintf(stderr, "mup-server: that command cannot be used; see mup-server --help\n");
    return 2;
}
