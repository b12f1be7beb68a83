/*
 * Who may log in: a file of lines `NAME ROLE HASH`, mode 0600, read again when it has changed.
 *
 *     users = mup_users_new(path);
 *     user = mup_users_find(users, "operator");     reads the file first if it is another one now
 *     mup_users_put(path, "operator", MUP_ROLE_ADMINISTRATOR, hash, &error);    by the command line
 *
 * The hash is argon2id as text (web/password.h). A name is the one that the bridge knows the person
 * by, since calls of devices are made in it.
 */
#ifndef MUP_SERVER_WEB_USERS_H
#define MUP_SERVER_WEB_USERS_H

#include <stdbool.h>
#include <stddef.h>

#include "mup/sign/repository.h"
#include "mup/status.h"

#define MUP_USERS_MAX      256u
#define MUP_USER_NAME_MAX  32u
#define MUP_USER_HASH_SIZE 128u /* with NUL; libsodium's crypto_pwhash_STRBYTES */
#define MUP_USERS_FILE_MAX 65536u

#define MUP_USER_SERVER    "mup-server"

/* Each may do what those before it may. */
enum mup_role {
    MUP_ROLE_READ_ONLY,     /* look */
    MUP_ROLE_OPERATOR,      /* update, fetch, call */
    MUP_ROLE_ADMINISTRATOR, /* everything */
    MUP_ROLE_COUNT,
};

struct mup_user {
    char name[MUP_USER_NAME_MAX + 1];
    enum mup_role role;
    char hash[MUP_USER_HASH_SIZE];
};

struct mup_users;

/* `path` is copied; the file need not be there: then there are no users. NULL: no memory. */
struct mup_users *mup_users_new(const char *path);
void mup_users_free(struct mup_users *users); /* NULL is allowed */

/* Look whether the file has changed. What cannot be read is logged, and leaves no users. */
void mup_users_refresh(struct mup_users *users);

size_t mup_users_count(const struct mup_users *users);
const struct mup_user *mup_users_at(const struct mup_users *users, size_t at);

/* NULL: there is none. Valid until the next refresh. */
const struct mup_user *mup_users_find(const struct mup_users *users, const char *name);

const char *mup_role_name(enum mup_role role);
bool mup_role_from_name(enum mup_role *role, const char *name);

/* 1 to 32 of the letters, digits and . _ - @ that the bridge takes for a name; not MUP_USER_SERVER,
 * which may do there what no person may. */
bool mup_user_name_is_valid(const char *name);

/*
 * Add a user or change one, or take one away (hash NULL), in the file: whole or not at all.
 *
 * MUP_ERR_FORMAT  the file is not one of users; error->text names the line.
 * MUP_ERR_RANGE   MUP_USERS_MAX are there.
 * MUP_ERR_STATE   nobody of this name is there to be taken away.
 * Others as mup_file_read() and mup_file_write().
 */
MUP_MUST_CHECK
enum mup_status mup_users_put(const char *path, const char *name, enum mup_role role,
                              const char *hash, struct mup_error *error);

#endif
