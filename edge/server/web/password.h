/*
 * Passwords: argon2id by libsodium, checked beside the loop.
 *
 *     mup_password_init();                                     once, before anything else here
 *     mup_password_make(password);                             a new one, for a person to keep
 *     mup_password_hash(hash, password);                       blocks for a tenth of a second
 *     check = mup_password_check_new(&loop, on_checked, arg);
 *     mup_password_check(check, hash or NULL, password, tag);  on_checked(arg, tag, good)
 *     mup_password_check_free(check);
 *
 * A check takes 64 MiB and a tenth of a second, so one runs at a time, on libuv's threads, and the
 * others wait in line. Without a hash (there is no such user) it takes the same time and fails.
 */
#ifndef MUP_SERVER_WEB_PASSWORD_H
#define MUP_SERVER_WEB_PASSWORD_H

#include <stdbool.h>

#include "mup/status.h"
#include "runtime/loop.h"
#include "server/web/users.h"

#define MUP_PASSWORD_SIZE       25u  /* of a made one, with NUL: 20 letters in 5 groups */
#define MUP_PASSWORD_SIZE_MAX   128u /* bytes of a given one */
#define MUP_PASSWORD_CHECKS_MAX 16u  /* in line */

/* False: the system gives no random numbers. */
bool mup_password_init(void);

/* 98 bits: letters and digits that are not taken for each other, such as
 * "k7mq-4xwn-p2rz-8hvd-c3jt". */
void mup_password_make(char password[MUP_PASSWORD_SIZE]);

/* MUP_ERR_SPACE: not 64 MiB left. */
MUP_MUST_CHECK
enum mup_status mup_password_hash(char hash[MUP_USER_HASH_SIZE], const char *password);

struct mup_password_check;

/* NULL: no memory. */
struct mup_password_check *
mup_password_check_new(struct mup_loop *loop, void (*on_checked)(void *arg, void *tag, bool good),
                       void *arg);

/* What waits or runs is not told any more. Waits for the one that runs. */
void mup_password_check_free(struct mup_password_check *check); /* NULL is allowed */

/* MUP_ERR_BUSY: MUP_PASSWORD_CHECKS_MAX are in line. MUP_ERR_RANGE: the password is too long. Both
 * texts are copied. */
MUP_MUST_CHECK
enum mup_status mup_password_check(struct mup_password_check *check, const char *hash,
                                   const char *password, void *tag);

#endif
