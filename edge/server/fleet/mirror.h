/*
 * All devices as the bridge last told of them: a copy that is kept up to date by the bridge's
 * notifications, so that a page of ten thousand devices does not ask the bridge for all of them.
 *
 *     mirror = mup_mirror_new(&loop, &settings, &callbacks, arg);
 *     ... on_bridge(arg, true): the copy is whole and live ...
 *     device = mup_mirror_find(mirror, "sensor-1");
 *     mup_mirror_free(mirror);
 *
 * It holds one NETCONF session, subscribes, then reads all devices; what changes in between comes
 * as a notification behind the answer. After a loss it connects again, reads all again, and tells
 * what is different. Meanwhile the copy is what was true when the bridge was lost.
 */
#ifndef MUP_SERVER_FLEET_MIRROR_H
#define MUP_SERVER_FLEET_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/loop.h"
#include "server/directory.h"

#define MUP_MIRROR_TIMEOUT_MS     30000u /* for an answer of the bridge */
#define MUP_MIRROR_RETRY_FIRST_MS 250u   /* after a loss; doubled ... */
#define MUP_MIRROR_RETRY_LAST_MS  5000u  /* ... up to here */
#define MUP_MIRROR_GATHER_MS      20u  /* devices that change together are asked for together ... */
#define MUP_MIRROR_ASK_MAX        128u /* ... so many at a time */
#define MUP_MIRROR_CHANGES_MAX    2048u /* more at once: all are read again */

struct mup_mirror;

struct mup_mirror_settings {
    const char *socket_path;
    const char *user;
};

/* Something that a device published. Valid during the call. */
struct mup_mirror_point {
    const struct mup_directory_device *device; /* NULL: not read yet */
    const char *uuid;
    const char *name;  /* the device's */
    const char *point; /* name of the value or event */
    const char *value;
    const char *unit;
    const char *symbol;
    bool is_event;
    uint64_t at_ms; /* ms since 1970 */
};

struct mup_mirror_callbacks {
    /* It is new, or something of it has changed. May be NULL, as the others. */
    void (*on_device)(void *arg, const struct mup_directory_device *device);
    void (*on_point)(void *arg, const struct mup_mirror_point *point);
    /* Whether the copy is live from now on. */
    void (*on_bridge)(void *arg, bool live);
};

/* NULL: no memory. */
struct mup_mirror *mup_mirror_new(struct mup_loop *loop, const struct mup_mirror_settings *settings,
                                  const struct mup_mirror_callbacks *callbacks, void *arg);
void mup_mirror_free(struct mup_mirror *mirror); /* NULL is allowed */

bool mup_mirror_is_live(const struct mup_mirror *mirror);

/* False until all devices were read once: there is nothing to show. */
bool mup_mirror_is_filled(const struct mup_mirror *mirror);

size_t mup_mirror_count(const struct mup_mirror *mirror);

/* Pointers are valid until the loop runs again. */
const struct mup_directory_device *mup_mirror_at(const struct mup_mirror *mirror, size_t at);

/* By UUID or name; NULL: none. */
const struct mup_directory_device *mup_mirror_find(const struct mup_mirror *mirror,
                                                   const char *text);

#endif
