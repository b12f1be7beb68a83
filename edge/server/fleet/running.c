/* Sorted once, then searched. */
#include "server/fleet/running.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right)
{
    return strcmp(((const struct mup_running_entry *)left)->uuid,
                  ((const struct mup_running_entry *)right)->uuid);
}

static void collect(void *arg, const char *uuid, int64_t id)
{
    struct mup_running *running = arg;

    if (running->count < running->capacity) {
        struct mup_running_entry *entry = &running->entries[running->count++];
        snprintf(entry->uuid, sizeof entry->uuid, "%s", uuid);
        entry->id = id;
    }
}

void mup_running_make(struct mup_running *running, const struct mup_updates *updates)
{
    size_t capacity = mup_updates_running_count(updates);

    *running = (struct mup_running){.capacity = 0};
    if (capacity == 0 || !(running->entries = calloc(capacity, sizeof *running->entries))) {
        return;
    }
    running->capacity = capacity;
    mup_updates_each_running(updates, collect, running);
    qsort(running->entries, running->count, sizeof *running->entries, compare);
}

int64_t mup_running_find(const struct mup_running *running, const char *uuid)
{
    struct mup_running_entry key = {.id = 0};

    if (running->count == 0) {
        return 0;
    }
    snprintf(key.uuid, sizeof key.uuid, "%s", uuid);
    const struct mup_running_entry *found =
        bsearch(&key, running->entries, running->count, sizeof *running->entries, compare);
    return found ? found->id : 0;
}

void mup_running_free(struct mup_running *running)
{
    free(running->entries);
    *running = (struct mup_running){.capacity = 0};
}
