/* The devices and descriptions in memory: arrays of pointers kept in order, binary search. */
#include "bridge/devices/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int compare_entry(const void *entry, const void *key);

/* Index of the first entry that is not below `key`. */
static size_t lower_bound(void *const *entries, size_t count, compare_entry *compare,
                          const void *key)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (compare(entries[middle], key) < 0)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

static int compare_name(const void *entry, const void *key)
{
    return strcmp(((const struct mup_device *)entry)->stored.name, key);
}

static int compare_uuid(const void *entry, const void *key)
{
    return memcmp(((const struct mup_device *)entry)->stored.uuid, key, MUP_UUID_SIZE);
}

static int compare_digest(const void *entry, const void *key)
{
    return memcmp(((const struct mup_known_description *)entry)->digest, key, MUP_DIGEST_SIZE);
}

static void *find(void *const *entries, size_t count, compare_entry *compare, const void *key)
{
    size_t at = lower_bound(entries, count, compare, key);

    return at < count && compare(entries[at], key) == 0 ? entries[at] : NULL;
}

static void insert(void **entries, size_t count, compare_entry *compare, const void *key,
                   void *entry)
{
    size_t at = lower_bound(entries, count, compare, key);

    memmove(entries + at + 1, entries + at, (count - at) * sizeof entries[0]);
    entries[at] = entry;
}

void mup_registry_free(struct mup_registry *registry)
{
    for (size_t i = 0; i < registry->device_count; i++)
        free(registry->by_name[i]);
    for (size_t i = 0; i < registry->description_count; i++) {
        mup_capability_free(registry->descriptions[i]->capability);
        free(registry->descriptions[i]);
    }
    free(registry->by_name);
    free(registry->by_uuid);
    free(registry->descriptions);
    memset(registry, 0, sizeof *registry);
}

struct mup_device *mup_registry_by_name(const struct mup_registry *registry, const char *name)
{
    return find((void **)registry->by_name, registry->device_count, compare_name, name);
}

struct mup_device *mup_registry_by_uuid(const struct mup_registry *registry,
                                        const uint8_t uuid[MUP_UUID_SIZE])
{
    return find((void **)registry->by_uuid, registry->device_count, compare_uuid, uuid);
}

struct mup_device *mup_registry_find(const struct mup_registry *registry, const char *text)
{
    uint8_t uuid[MUP_UUID_SIZE];
    struct mup_device *device = NULL;

    if (mup_uuid_parse(uuid, text, strlen(text)) == MUP_OK)
        device = mup_registry_by_uuid(registry, uuid);
    return device != NULL ? device : mup_registry_by_name(registry, text);
}

/* Room for one device more in both arrays. */
static bool grow_devices(struct mup_registry *registry)
{
    size_t capacity = registry->device_capacity == 0 ? 64 : 2 * registry->device_capacity;
    struct mup_device **by_name;
    struct mup_device **by_uuid;

    if (registry->device_count < registry->device_capacity)
        return true;
    by_name = realloc(registry->by_name, capacity * sizeof(struct mup_device *));
    if (by_name == NULL)
        return false;
    registry->by_name = by_name;
    by_uuid = realloc(registry->by_uuid, capacity * sizeof(struct mup_device *));
    if (by_uuid == NULL)
        return false;
    registry->by_uuid = by_uuid;
    registry->device_capacity = capacity;
    return true;
}

static enum mup_status add_device(struct mup_registry *registry, struct mup_device **out,
                                  const struct mup_stored_device *stored)
{
    struct mup_device *device;

    if (registry->device_count == MUP_DEVICES_MAX || !grow_devices(registry))
        return MUP_ERR_SPACE;
    device = calloc(1, sizeof *device);
    if (device == NULL)
        return MUP_ERR_SPACE;
    device->stored = *stored;
    mup_uuid_format(device->uuid_text, stored->uuid);
    device->description = mup_registry_description(registry, stored->digest);
    insert((void **)registry->by_name, registry->device_count, compare_name, stored->name, device);
    insert((void **)registry->by_uuid, registry->device_count, compare_uuid, stored->uuid, device);
    registry->device_count++;
    *out = device;
    return MUP_OK;
}

enum mup_status mup_registry_put_device(struct mup_registry *registry, struct mup_device **out,
                                        const struct mup_stored_device *stored)
{
    struct mup_device *device = mup_registry_by_name(registry, stored->name);
    const struct mup_device *twin = mup_registry_by_uuid(registry, stored->uuid);

    if (device != twin)
        return MUP_ERR_STATE;
    if (device == NULL)
        return add_device(registry, out, stored);
    device->stored = *stored;
    device->description = mup_registry_description(registry, stored->digest);
    *out = device;
    return MUP_OK;
}

struct mup_known_description *mup_registry_description(const struct mup_registry *registry,
                                                       const uint8_t digest[MUP_DIGEST_SIZE])
{
    return find((void **)registry->descriptions, registry->description_count, compare_digest,
                digest);
}

static bool grow_descriptions(struct mup_registry *registry)
{
    size_t capacity = registry->description_capacity == 0 ? 16 : 2 * registry->description_capacity;
    struct mup_known_description **grown;

    if (registry->description_count < registry->description_capacity)
        return true;
    grown = realloc(registry->descriptions, capacity * sizeof(struct mup_known_description *));
    if (grown == NULL)
        return false;
    registry->descriptions = grown;
    registry->description_capacity = capacity;
    return true;
}

static void link_devices(struct mup_registry *registry, struct mup_known_description *description)
{
    for (size_t i = 0; i < registry->device_count; i++)
        if (memcmp(registry->by_name[i]->stored.digest, description->digest, MUP_DIGEST_SIZE) == 0)
            registry->by_name[i]->description = description;
}

struct mup_known_description *mup_registry_put_description(struct mup_registry *registry,
                                                           const uint8_t digest[MUP_DIGEST_SIZE],
                                                           struct mup_capability *capability,
                                                           const char *reason)
{
    struct mup_known_description *description = mup_registry_description(registry, digest);

    if (description != NULL) {
        mup_capability_free(capability);
        return description;
    }
    if (registry->description_count == MUP_DESCRIPTIONS_MAX || !grow_descriptions(registry))
        return NULL;
    description = calloc(1, sizeof *description);
    if (description == NULL)
        return NULL;
    memcpy(description->digest, digest, MUP_DIGEST_SIZE);
    description->capability = capability;
    if (reason != NULL)
        snprintf(description->reason, sizeof description->reason, "%s", reason);
    insert((void **)registry->descriptions, registry->description_count, compare_digest, digest,
           description);
    registry->description_count++;
    link_devices(registry, description);
    return description;
}
