/*
 * How often somebody may fail to log in: MUP_LIMITER_FAILURES in MUP_LIMITER_PERIOD_MS for each
 * user's name and for each address.
 *
 * An attempt counts from its beginning, so that many at once count, too; success takes it back.
 * Whoever fills the table with names makes it forget the oldest; the limit of his address remains.
 */
#ifndef MUP_SERVER_WEB_LIMITER_H
#define MUP_SERVER_WEB_LIMITER_H

#include <stddef.h>
#include <stdint.h>

#define MUP_LIMITER_FAILURES  5u
#define MUP_LIMITER_PERIOD_MS 60000u
#define MUP_LIMITER_KEYS_MAX  512u
#define MUP_LIMITER_KEY_SIZE  80u /* longer keys count as one with those that begin alike */

struct mup_limiter_entry {
    char key[MUP_LIMITER_KEY_SIZE]; /* "" : free */
    uint64_t at_ms[MUP_LIMITER_FAILURES];
    size_t count;
    uint64_t used_ms;
};

/* `{0}` is empty. */
struct mup_limiter {
    struct mup_limiter_entry entries[MUP_LIMITER_KEYS_MAX];
};

/* How long to wait before the next attempt; 0: none, and this one counts from now on. */
uint64_t mup_limiter_try(struct mup_limiter *limiter, const char *key, uint64_t now_ms);

/* The last attempt of this key was a good one: it does not count. */
void mup_limiter_take_back(struct mup_limiter *limiter, const char *key);

#endif
