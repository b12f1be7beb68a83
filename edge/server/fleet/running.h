/* Which device is being updated now: a table made for one question, then freed. */
#ifndef MUP_SERVER_FLEET_RUNNING_H
#define MUP_SERVER_FLEET_RUNNING_H

#include <stddef.h>
#include <stdint.h>

#include "mup/topic.h"
#include "server/updates.h"

struct mup_running_entry {
    char uuid[MUP_UUID_TEXT_SIZE];
    int64_t id;
};

struct mup_running {
    struct mup_running_entry *entries; /* by UUID */
    size_t count;
    size_t capacity;
};

/* Without memory the table is empty. */
void mup_running_make(struct mup_running *running, const struct mup_updates *updates);
int64_t mup_running_find(const struct mup_running *running, const char *uuid); /* 0: none */
void mup_running_free(struct mup_running *running);

#endif
