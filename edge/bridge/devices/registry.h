/*
 * The devices that the bridge knows and the descriptions that they share.
 *
 * A device is found by its MQTT name or by its UUID; a description by the digest of its template.
 * Both live as long as the registry: a device that goes away is only marked absent, so pointers to
 * them may be kept. Nothing here does I/O.
 */
#ifndef MUP_BRIDGE_REGISTRY_H
#define MUP_BRIDGE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/description/capability.h"
#include "mup/topic.h"
#include "store/bridge_store.h"

#define MUP_DEVICES_MAX      100000u
#define MUP_DESCRIPTIONS_MAX 4096u

/* A description that was judged. */
struct mup_known_description {
    uint8_t digest[MUP_DIGEST_SIZE];
    struct mup_capability *capability;           /* NULL: it was refused */
    char reason[MUP_STORED_REASON_SIZE_MAX + 1]; /* why it was refused */
};

struct mup_device {
    struct mup_stored_device stored;
    char uuid_text[MUP_UUID_TEXT_SIZE];
    struct mup_known_description *description; /* NULL: not known yet */
};

struct mup_registry {
    struct mup_device **by_name; /* sorted */
    struct mup_device **by_uuid; /* sorted */
    size_t device_count;
    size_t device_capacity;
    struct mup_known_description **descriptions; /* sorted by digest */
    size_t description_count;
    size_t description_capacity;
};

/* `{0}` is an empty registry. Frees devices, descriptions and capabilities. */
void mup_registry_free(struct mup_registry *registry);

struct mup_device *mup_registry_by_name(const struct mup_registry *registry, const char *name);
struct mup_device *mup_registry_by_uuid(const struct mup_registry *registry,
                                        const uint8_t uuid[MUP_UUID_SIZE]);

/* The device that a person or an RPC calls `text`: a UUID in text form, or a name. */
struct mup_device *mup_registry_find(const struct mup_registry *registry, const char *text);

/*
 * Take in a device, or the news of one that is known by this name.
 *
 * MUP_ERR_STATE  another name has this UUID, or this name had another UUID: one of them lies.
 * MUP_ERR_SPACE  MUP_DEVICES_MAX reached, or no memory.
 */
MUP_MUST_CHECK
enum mup_status mup_registry_put_device(struct mup_registry *registry, struct mup_device **out,
                                        const struct mup_stored_device *stored);

struct mup_known_description *mup_registry_description(const struct mup_registry *registry,
                                                       const uint8_t digest[MUP_DIGEST_SIZE]);

/*
 * Take in a judged description and link every device that announced it. The capability, when not
 * NULL, becomes the registry's; when `reason` is not NULL it is copied, cut to its limit. A digest
 * that is known already keeps its old entry. NULL: no room; the capability stays the caller's.
 */
struct mup_known_description *mup_registry_put_description(struct mup_registry *registry,
                                                           const uint8_t digest[MUP_DIGEST_SIZE],
                                                           struct mup_capability *capability,
                                                           const char *reason);

#endif
