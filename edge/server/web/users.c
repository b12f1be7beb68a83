/* The file of users: read whole, checked, then taken. */
#include "server/web/users.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/log.h"
#include "runtime/text.h"

struct table {
    struct mup_user users[MUP_USERS_MAX];
    size_t count;
};

struct mup_users {
    char *path;
    struct table table;
    struct stat seen; /* of the file that was read; st_ino 0: none */
};

static const char *const role_names[MUP_ROLE_COUNT] = {
    [MUP_ROLE_READ_ONLY] = "read-only",
    [MUP_ROLE_OPERATOR] = "operator",
    [MUP_ROLE_ADMINISTRATOR] = "administrator",
};

const char *mup_role_name(enum mup_role role)
{
    return role_names[role];
}

bool mup_role_from_name(enum mup_role *role, const char *name)
{
    for (int i = 0; i < MUP_ROLE_COUNT; i++) {
        if (strcmp(role_names[i], name) == 0) {
            *role = (enum mup_role)i;
            return true;
        }
    }
    return false;
}

bool mup_user_name_is_valid(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-@";
    size_t size = strlen(name);

    return size > 0 && size <= MUP_USER_NAME_MAX && strspn(name, allowed) == size &&
           strcmp(name, MUP_USER_SERVER) != 0;
}

static struct mup_user *find_in(struct table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->users[i].name, name) == 0) {
            return &table->users[i];
        }
    }
    return NULL;
}

/* ---- reading ---- */

/* One line without its end, NUL-terminated. */
static const char *read_line(struct table *table, char *line)
{
    struct mup_user user = {.name = ""};
    char *rest;
    const char *name = strtok_r(line, " \t\r", &rest);
    const char *role = strtok_r(NULL, " \t\r", &rest);
    const char *hash = strtok_r(NULL, " \t\r", &rest);

    if (!name || name[0] == '#') {
        return NULL;
    }
    if (!hash || strtok_r(NULL, " \t\r", &rest)) {
        return "is not NAME ROLE HASH";
    }
    if (!mup_user_name_is_valid(name)) {
        return "has a name that is none";
    }
    if (!mup_role_from_name(&user.role, role)) {
        return "has a role that is none of read-only, operator, administrator";
    }
    if (strlen(hash) >= sizeof user.hash || strncmp(hash, "$argon2id$", 10) != 0) {
        return "has a hash that is not argon2id's";
    }
    if (find_in(table, name)) {
        return "has a name that was there already";
    }
    if (table->count == MUP_USERS_MAX) {
        return "is one user too many";
    }
    memcpy(user.name, name, strlen(name) + 1);
    memcpy(user.hash, hash, strlen(hash) + 1);
    table->users[table->count++] = user;
    return NULL;
}

static enum mup_status read_table(struct table *table, const char *path, char *text,
                                  struct mup_error *error)
{
    size_t number = 1;

    table->count = 0;
    for (char *line = text, *end; line; line = end, number++) {
        end = strchr(line, '\n');
        if (end) {
            *end++ = '\0';
        }
        const char *wrong = read_line(table, line);
        if (wrong) {
            mup_error_set(error, "%s: line %zu %s", path, number, wrong);
            return MUP_ERR_FORMAT;
        }
    }
    return MUP_OK;
}

/* A file that is not there has no users. */
static enum mup_status read_file(struct table *table, const char *path, struct mup_error *error)
{
    struct stat about;
    uint8_t *bytes;
    size_t size;

    table->count = 0;
    if (stat(path, &about) != 0) {
        return MUP_OK;
    }
    if ((about.st_mode & 077) != 0) {
        mup_error_set(error, "others may read %s: chmod 600 %s", path, path);
        return MUP_ERR_STATE;
    }
    enum mup_status status = mup_file_read(&bytes, &size, path, MUP_USERS_FILE_MAX, error);
    if (status != MUP_OK) {
        return status;
    }
    char *text = memchr(bytes, '\0', size) ? NULL : calloc(1, size + 1);
    if (text) {
        memcpy(text, bytes, size);
        status = read_table(table, path, text, error);
    } else {
        mup_error_set(error, "%s is not a text", path);
        status = MUP_ERR_FORMAT;
    }
    free(text);
    free(bytes);
    return status;
}

struct mup_users *mup_users_new(const char *path)
{
    struct mup_users *users = calloc(1, sizeof *users);

    if (users && !(users->path = strdup(path))) {
        free(users);
        return NULL;
    }
    return users;
}

void mup_users_free(struct mup_users *users)
{
    if (users) {
        free(users->path);
        free(users);
    }
}

static bool is_same_file(const struct stat *one, const struct stat *other)
{
    return one->st_ino == other->st_ino && one->st_size == other->st_size &&
           one->st_mode == other->st_mode && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
           one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

void mup_users_refresh(struct mup_users *users)
{
    struct mup_error error = {""};
    struct stat about;

    memset(&about, 0, sizeof about);
    if (stat(users->path, &about) != 0) {
        about.st_ino = 0;
    }
    if (is_same_file(&about, &users->seen)) {
        return;
    }
    users->seen = about;
    if (read_file(&users->table, users->path, &error) != MUP_OK) {
        users->table.count = 0;
        mup_log(MUP_LOG_ERROR, "users", mup_log_event("nobody can log in"),
                mup_log_text("reason", error.text));
    }
}

size_t mup_users_count(const struct mup_users *users)
{
    return users->table.count;
}

const struct mup_user *mup_users_at(const struct mup_users *users, size_t at)
{
    return &users->table.users[at];
}

const struct mup_user *mup_users_find(const struct mup_users *users, const char *name)
{
    for (size_t i = 0; i < users->table.count; i++) {
        if (strcmp(users->table.users[i].name, name) == 0) {
            return &users->table.users[i];
        }
    }
    return NULL;
}

/* ---- writing ---- */

static enum mup_status write_file(const char *path, const struct table *table,
                                  struct mup_error *error)
{
    struct mup_text text = {0};
    enum mup_status status = MUP_ERR_SPACE;

    mup_text_add(&text, "# NAME ROLE HASH; written by mup-server\n");
    for (size_t i = 0; i < table->count; i++) {
        const struct mup_user *user = &table->users[i];
        mup_text_format(&text, "%s %s %s\n", user->name, mup_role_name(user->role), user->hash);
    }
    if (text.failed) {
        mup_error_set(error, "no memory");
    } else {
        status = mup_file_write(path, text.bytes, text.size, 0600, error);
    }
    mup_text_free(&text);
    return status;
}

/* Change the table; nothing is written yet. */
static enum mup_status put(struct table *table, const char *name, enum mup_role role,
                           const char *hash, struct mup_error *error)
{
    struct mup_user *user = find_in(table, name);

    if (!hash && !user) {
        mup_error_set(error, "there is no user %s", name);
        return MUP_ERR_STATE;
    }
    if (!hash) {
        *user = table->users[--table->count];
        return MUP_OK;
    }
    if (!user && table->count == MUP_USERS_MAX) {
        mup_error_set(error, "%u users are there, and there cannot be more", MUP_USERS_MAX);
        return MUP_ERR_RANGE;
    }
    user = user ? user : &table->users[table->count++];
    user->role = role;
    snprintf(user->name, sizeof user->name, "%s", name);
    snprintf(user->hash, sizeof user->hash, "%s", hash);
    return MUP_OK;
}

enum mup_status mup_users_put(const char *path, const char *name, enum mup_role role,
                              const char *hash, struct mup_error *error)
{
    struct table *table = calloc(1, sizeof *table);

    if (!table) {
        mup_error_set(error, "no memory");
        return MUP_ERR_SPACE;
    }
    enum mup_status status = read_file(table, path, error);
    if (status == MUP_OK) {
        status = put(table, name, role, hash, error);
    }
    if (status == MUP_OK) {
        status = write_file(path, table, error);
    }
    free(table);
    return status;
}
