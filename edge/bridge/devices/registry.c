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

static void take_out(void **entries, size_t count, const void *entry)
{
    size_t at = 0;

    while (at < count && entries[at] != entry)
        at++;
    if (at < count)
        memmove(entries + at, entries + at + 1, (count - at - 1) * sizeof entries[0]);
}

static void free_readings(struct mup_device *device)
{
    if (device->readings == NULL)
        return;
    for (size_t i = 0; i < device->readings->count; i++)
        free(device->readings->items[i].value);
    free(device->readings);
    device->readings = NULL;
}

static void free_device(struct mup_device *device)
{
    free_readings(device);
    free(device);
}

struct mup_reading *mup_registry_reading(struct mup_device *device, size_t index)
{
    const struct mup_known_description *description = device->description;
    size_t count = description->capability->telemetry_count;

    if (device->readings != NULL &&
        memcmp(device->readings->digest, description->digest, MUP_DIGEST_SIZE) != 0)
        free_readings(device);
    if (device->readings == NULL) {
        device->readings =
            calloc(1, sizeof *device->readings + count * sizeof device->readings->items[0]);
        if (device->readings == NULL)
            return NULL;
        memcpy(device->readings->digest, description->digest, MUP_DIGEST_SIZE);
        device->readings->count = count;
    }
    return index < device->readings->count ? &device->readings->items[index] : NULL;
}

static void free_description(struct mup_known_description *description)
{
    mup_capability_free(description->capability);
    free(description);
}

void mup_registry_free(struct mup_registry *registry)
{
    for (size_t i = 0; i < registry->device_count; i++)
        free_device(registry->by_name[i]);
    for (size_t i = 0; i < registry->unseated_count; i++)
        free_device(registry->unseated[i]);
    for (size_t i = 0; i < registry->description_count; i++)
        free_description(registry->descriptions[i]);
    free(registry->unseated);
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

static void set_description(struct mup_device *device, struct mup_known_description *description)
{
    if (device->description != NULL)
        device->description->device_count--;
    device->description = description;
    if (description != NULL)
        description->device_count++;
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
    set_description(device, mup_registry_description(registry, stored->digest));
    insert((void **)registry->by_name, registry->device_count, compare_name, stored->name, device);
    insert((void **)registry->by_uuid, registry->device_count, compare_uuid, stored->uuid, device);
    registry->device_count++;
    *out = device;
    return MUP_OK;
}

bool mup_registry_owns_uuid(const struct mup_stored_device *stored)
{
    char text[MUP_UUID_TEXT_SIZE];

    mup_uuid_format(text, stored->uuid);
    return strcmp(text, stored->name) == 0;
}

struct mup_device *mup_registry_squatter(const struct mup_registry *registry,
                                         const struct mup_stored_device *stored)
{
    struct mup_device *twin = mup_registry_by_uuid(registry, stored->uuid);

    if (twin == NULL || strcmp(twin->stored.name, stored->name) == 0 ||
        !mup_registry_owns_uuid(stored))
        return NULL;
    return twin;
}

/* Out of both orders, but not freed: calls under way point to it. */
static bool unseat(struct mup_registry *registry, struct mup_device *device)
{
    struct mup_device **grown =
        realloc(registry->unseated, (registry->unseated_count + 1) * sizeof(struct mup_device *));

    if (grown == NULL)
        return false;
    registry->unseated = grown;
    registry->unseated[registry->unseated_count++] = device;
    take_out((void **)registry->by_name, registry->device_count, device);
    take_out((void **)registry->by_uuid, registry->device_count, device);
    registry->device_count--;
    device->unseated = true;
    set_description(device, NULL);
    return true;
}

enum mup_status mup_registry_put_device(struct mup_registry *registry, struct mup_device **out,
                                        const struct mup_stored_device *stored)
{
    struct mup_device *device = mup_registry_by_name(registry, stored->name);
    const struct mup_device *twin = mup_registry_by_uuid(registry, stored->uuid);
    struct mup_device *squatter = mup_registry_squatter(registry, stored);
    struct mup_stored_device keep;

    if (device != twin && (device != NULL || squatter == NULL))
        return MUP_ERR_STATE;
    if (squatter != NULL && !unseat(registry, squatter))
        return MUP_ERR_SPACE;
    if (device == NULL)
        return add_device(registry, out, stored);
    keep = device->stored;
    device->stored = *stored;
    device->stored.standing = keep.standing;
    memcpy(device->stored.replaced_by, keep.replaced_by, sizeof keep.replaced_by);
    set_description(device, mup_registry_description(registry, stored->digest));
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
            set_description(registry->by_name[i], description);
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
    size_t reason_size = reason != NULL ? strnlen(reason, MUP_STORED_REASON_SIZE_MAX) : 0;
    description = calloc(1, sizeof *description + reason_size + 1);
    if (description == NULL)
        return NULL;
    memcpy(description->digest, digest, MUP_DIGEST_SIZE);
    description->capability = capability;
    if (reason != NULL)
        memcpy(description->reason, reason, reason_size);
    insert((void **)registry->descriptions, registry->description_count, compare_digest, digest,
           description);
    registry->description_count++;
    link_devices(registry, description);
    return description;
}

/* ---- what strangers may use up ---- */

bool mup_registry_may_be_judged(const struct mup_device *device, uint64_t now_ms)
{
    return device->judgement_count < MUP_JUDGEMENTS_MAX ||
           now_ms - device->judgements_ms >= MUP_JUDGEMENTS_PERIOD_MS;
}

void mup_registry_count_judgement(struct mup_device *device, uint64_t now_ms)
{
    if (device->judgement_count == 0 ||
        now_ms - device->judgements_ms >= MUP_JUDGEMENTS_PERIOD_MS) {
        device->judgement_count = 0;
        device->judgements_ms = now_ms;
    }
    device->judgement_count++;
}

/* The oldest that may go and was refused or not; NULL: none. */
static struct mup_known_description *oldest(const struct mup_registry *registry, bool refused)
{
    struct mup_known_description *found = NULL;

    for (size_t i = 0; i < registry->description_count; i++) {
        struct mup_known_description *each = registry->descriptions[i];
        if ((each->capability == NULL) == refused && each->kept && each->users == 0 &&
            each->device_count == 0 && (found == NULL || each->judged_ms < found->judged_ms))
            found = each;
    }
    return found;
}

struct mup_known_description *mup_registry_surplus(const struct mup_registry *registry)
{
    struct mup_known_description *refused;
    size_t refused_count = 0;

    for (size_t i = 0; i < registry->description_count; i++)
        refused_count += registry->descriptions[i]->capability == NULL;
    if (registry->description_count < MUP_DESCRIPTIONS_MAX && refused_count < MUP_REFUSED_MAX)
        return NULL;
    refused = oldest(registry, true);
    if (refused != NULL || registry->description_count < MUP_DESCRIPTIONS_MAX)
        return refused;
    return oldest(registry, false);
}

void mup_registry_drop_description(struct mup_registry *registry,
                                   struct mup_known_description *description)
{
    for (size_t i = 0; i < registry->device_count && description->device_count > 0; i++)
        if (registry->by_name[i]->description == description)
            set_description(registry->by_name[i], NULL);
    take_out((void **)registry->descriptions, registry->description_count, description);
    registry->description_count--;
    free_description(description);
}
