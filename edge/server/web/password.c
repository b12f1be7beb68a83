/* Hashing in line, one at a time, on libuv's threads. */
#include "server/web/password.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(MUP_USER_HASH_SIZE == crypto_pwhash_STRBYTES, "users.h knows libsodium's size");

struct job {
    struct job *next;
    void *tag;
    bool has_user;
    bool good;
    char hash[MUP_USER_HASH_SIZE];
    char password[MUP_PASSWORD_SIZE_MAX + 1];
};

struct mup_password_check {
    struct mup_loop *loop;
    void (*on_checked)(void *arg, void *tag, bool good);
    void *arg;
    uv_work_t work;
    struct job *running;
    struct job *waiting; /* oldest first */
    unsigned count;      /* waiting and running */
    bool is_freed;
};

bool mup_password_init(void)
{
    return sodium_init() >= 0;
}

void mup_password_make(char password[MUP_PASSWORD_SIZE])
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789"; /* none like another */
    size_t at = 0;

    for (unsigned i = 0; i < 20; i++) {
        if (i > 0 && i % 4 == 0) {
            password[at++] = '-';
        }
        password[at++] = letters[randombytes_uniform(sizeof letters - 1)];
    }
    password[at] = '\0';
}

enum mup_status mup_password_hash(char hash[MUP_USER_HASH_SIZE], const char *password)
{
    return crypto_pwhash_str(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                             crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0
               ? MUP_OK
               : MUP_ERR_SPACE;
}

static void free_job(struct job *job)
{
    if (job) {
        sodium_memzero(job, sizeof *job);
        free(job);
    }
}

static void free_check(struct mup_password_check *check)
{
    while (check->waiting) {
        struct job *job = check->waiting;
        check->waiting = job->next;
        free_job(job);
    }
    free_job(check->running);
    free(check);
}

/* On a thread of libuv; touches nothing but its job. Without a user it hashes all the same, which
 * is what verifying costs. */
static void work(uv_work_t *uv)
{
    const struct mup_password_check *check = uv->data;
    struct job *job = check->running;

    if (job->has_user) {
        job->good = crypto_pwhash_str_verify(job->hash, job->password, strlen(job->password)) == 0;
    } else {
        job->good = mup_password_hash(job->hash, job->password) == MUP_OK && job->has_user;
    }
}

static void begin(struct mup_password_check *check);

static void worked(uv_work_t *uv, int status)
{
    struct mup_password_check *check = uv->data;
    struct job *job = check->running;

    if (check->is_freed) {
        free_check(check);
        return;
    }
    check->running = NULL;
    check->count--;
    begin(check);
    check->on_checked(check->arg, job->tag, status == 0 && job->good);
    free_job(job);
}

static void begin(struct mup_password_check *check)
{
    if (check->running || !check->waiting) {
        return;
    }
    check->running = check->waiting;
    check->waiting = check->running->next;
    check->work.data = check;
    uv_queue_work(&check->loop->uv, &check->work, work, worked);
}

struct mup_password_check *
mup_password_check_new(struct mup_loop *loop, void (*on_checked)(void *arg, void *tag, bool good),
                       void *arg)
{
    struct mup_password_check *check = calloc(1, sizeof *check);

    if (!check) {
        return NULL;
    }
    check->loop = loop;
    check->on_checked = on_checked;
    check->arg = arg;
    return check;
}

void mup_password_check_free(struct mup_password_check *check)
{
    if (!check) {
        return;
    }
    if (check->running) { /* a thread has it: its end frees it, when the loop is closed */
        check->is_freed = true;
    } else {
        free_check(check);
    }
}

enum mup_status mup_password_check(struct mup_password_check *check, const char *hash,
                                   const char *password, void *tag)
{
    struct job **end = &check->waiting;

    if (strlen(password) > MUP_PASSWORD_SIZE_MAX) {
        return MUP_ERR_RANGE;
    }
    struct job *job = check->count < MUP_PASSWORD_CHECKS_MAX ? calloc(1, sizeof *job) : NULL;
    if (!job) {
        return MUP_ERR_BUSY;
    }
    job->tag = tag;
    job->has_user = hash != NULL;
    snprintf(job->hash, sizeof job->hash, "%s", hash ? hash : "");
    snprintf(job->password, sizeof job->password, "%s", password);
    while (*end) {
        end = &(*end)->next;
    }
    *end = job;
    check->count++;
    begin(check);
    return MUP_OK;
}
