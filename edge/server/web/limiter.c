/* A small table, searched from end to end: logging in is rare, and costs far more. */
#include "server/web/limiter.h"

#include <stdio.h>
#include <string.h>

static struct mup_limiter_entry *find(struct mup_limiter *limiter, const char *key)
{
    char cut[MUP_LIMITER_KEY_SIZE];

    snprintf(cut, sizeof cut, "%s", key);
    for (size_t i = 0; i < MUP_LIMITER_KEYS_MAX; i++) {
        if (strcmp(limiter->entries[i].key, cut) == 0) {
            return &limiter->entries[i];
        }
    }
    return NULL;
}

/* A free entry, or the one that was not used for the longest time. */
static struct mup_limiter_entry *make(struct mup_limiter *limiter, const char *key)
{
    struct mup_limiter_entry *oldest = &limiter->entries[0];

    for (size_t i = 0; i < MUP_LIMITER_KEYS_MAX; i++) {
        struct mup_limiter_entry *entry = &limiter->entries[i];
        if (entry->key[0] == '\0') {
            oldest = entry;
            break;
        }
        oldest = entry->used_ms < oldest->used_ms ? entry : oldest;
    }
    memset(oldest, 0, sizeof *oldest);
    snprintf(oldest->key, sizeof oldest->key, "%s", key);
    return oldest;
}

/* Forget what is older than the period; what is left keeps its order. */
static void expire(struct mup_limiter_entry *entry, uint64_t now_ms)
{
    size_t left = 0;

    for (size_t i = 0; i < entry->count; i++) {
        if (now_ms - entry->at_ms[i] < MUP_LIMITER_PERIOD_MS) {
            entry->at_ms[left++] = entry->at_ms[i];
        }
    }
    entry->count = left;
}

uint64_t mup_limiter_try(struct mup_limiter *limiter, const char *key, uint64_t now_ms)
{
    struct mup_limiter_entry *entry = find(limiter, key);

    if (!entry) {
        entry = make(limiter, key);
    }
    expire(entry, now_ms);
    entry->used_ms = now_ms;
    if (entry->count == MUP_LIMITER_FAILURES) {
        return entry->at_ms[0] + MUP_LIMITER_PERIOD_MS - now_ms;
    }
    entry->at_ms[entry->count++] = now_ms;
    return 0;
}

void mup_limiter_take_back(struct mup_limiter *limiter, const char *key)
{
    struct mup_limiter_entry *entry = find(limiter, key);

    if (entry && entry->count > 0) {
        entry->count--;
    }
}
