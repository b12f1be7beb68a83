/*
 * The devices that the bridge knows and the descriptions that they share.
 *
 * A device is found by its MQTT name or by its UUID; a description by the digest of its template.
 * Devices live as long as the registry: one that goes away is only marked absent, one that loses
 * its UUID to the owner is no longer found, so pointers to them may be kept. A description lives
 * until mup_registry_drop_description; whoever keeps a pointer to it or into its capability counts
 * itself in `users`. Nothing here does I/O.
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
#define MUP_REFUSED_MAX      512u /* refused descriptions, before those of nobody make room */

/* A device may give so many descriptions to judge in so much time. */
#define MUP_JUDGEMENTS_MAX       8u
#define MUP_JUDGEMENTS_PERIOD_MS 3600000u

/* A description that was judged. */
struct mup_known_description {
    uint8_t digest[MUP_DIGEST_SIZE];
    struct mup_capability *capability; /* NULL: it was refused */
    uint64_t judged_ms;                /* since 1970 */
    bool kept;                         /* it is in the store: devices may be told */
    bool outdated;                     /* refused by rules that are others now: to be judged anew */
    unsigned users;                    /* calls under way that need it */
    size_t device_count;               /* devices that announced it last */
    char reason[];                     /* why it was refused; else empty */
};

/* What subscribers were told last. */
struct mup_device_told {
    const char *state; /* NULL: nothing yet */
    uint32_t version;
    bool on_trial;
};

/* How far the update of a device has come, as its answers and announcements say. */
enum mup_update_state {
    MUP_UPDATE_UNSEEN,
    MUP_UPDATE_TOKEN_GIVEN,
    MUP_UPDATE_TRANSFERRING,
    MUP_UPDATE_VERIFIED,
    MUP_UPDATE_TRIAL,
    MUP_UPDATE_CONFIRMED,
    MUP_UPDATE_REVERTED,
    MUP_UPDATE_REFUSED,
};

#define MUP_READING_SIZE_MAX 256u /* bytes of a published value that are kept */

/* The last value of one point of telemetry. */
struct mup_reading {
    char *value; /* NULL: none yet */
    uint64_t at_ms;
};

/* Those of a device, in the order of its capability's telemetry. */
struct mup_readings {
    uint8_t digest[MUP_DIGEST_SIZE]; /* of the description that has these points */
    size_t count;
    struct mup_reading items[];
};

struct mup_device {
    struct mup_stored_device stored;
    char uuid_text[MUP_UUID_TEXT_SIZE];
    struct mup_known_description *description; /* NULL: not known yet */
    bool unseated;                             /* the owner of its UUID came: not found any more */
    uint8_t boot_before[MUP_STORED_BOOT_ID_SIZE]; /* the boot before this one; zero: not seen */
    unsigned judgement_count;                     /* since judgements_ms */
    uint64_t judgements_ms;
    struct mup_device_told told;
    enum mup_update_state update_state;
    struct mup_readings *readings; /* NULL: it published nothing yet */
    /* exchange.c's: what it was asked and is to be asked, the oldest first */
    struct mup_exchange *exchanges;
    struct mup_device *next_starved;
    bool starved;
    /* line.c's: it waits until its description can be taken in */
    struct mup_device *next_in_line;
    uint32_t waiting_size; /* of the description; 0: it does not wait */
    bool in_line;
};

struct mup_registry {
    struct mup_device **by_name; /* sorted */
    struct mup_device **by_uuid; /* sorted */
    size_t device_count;
    size_t device_capacity;
    struct mup_device **unseated; /* each UUID has at most one: its owner came once */
    size_t unseated_count;
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

/* Whether the device's name is its UUID in text form, lower case as SPEC section 7 has it: the
 * broker let nobody else take this name, so it owns the UUID. */
bool mup_registry_owns_uuid(const struct mup_stored_device *stored);

/*
 * The device of another name that must give its UUID up to `stored`, which owns it; NULL: nobody.
 * mup_registry_put_device of `stored` then takes it out of the registry.
 */
struct mup_device *mup_registry_squatter(const struct mup_registry *registry,
                                         const struct mup_stored_device *stored);

/*
 * Take in a device, or the news of one that is known by this name; standing and replaced_by are
 * kept. The owner of a UUID takes it from whoever has it.
 *
 * MUP_ERR_STATE  another name has this UUID, or this name had another UUID: one of them lies.
 * MUP_ERR_SPACE  MUP_DEVICES_MAX reached, or no memory.
 */
MUP_MUST_CHECK
enum mup_status mup_registry_put_device(struct mup_registry *registry, struct mup_device **out,
                                        const struct mup_stored_device *stored);

/* The reading at `index` of the telemetry of its description, which must have a capability; NULL:
 * no memory. What it published under another description is forgotten. */
struct mup_reading *mup_registry_reading(struct mup_device *device, size_t index);

struct mup_known_description *mup_registry_description(const struct mup_registry *registry,
                                                       const uint8_t digest[MUP_DIGEST_SIZE]);

/* Whether a device may give one more description to judge now. */
bool mup_registry_may_be_judged(const struct mup_device *device, uint64_t now_ms);
void mup_registry_count_judgement(struct mup_device *device, uint64_t now_ms);

/*
 * Take in a judged description and link every device that announced it. The capability, when not
 * NULL, becomes the registry's; when `reason` is not NULL it is copied, cut to its limit. A digest
 * that is known already keeps its old entry. NULL: no room; the capability stays the caller's.
 */
struct mup_known_description *mup_registry_put_description(struct mup_registry *registry,
                                                           const uint8_t digest[MUP_DIGEST_SIZE],
                                                           struct mup_capability *capability,
                                                           const char *reason);

/*
 * The description that should go before one more is taken in: the oldest of those that no device
 * announces, no call needs and that are kept in the store; a refused one before an accepted one.
 * NULL: there is room (less than MUP_DESCRIPTIONS_MAX, of which less than MUP_REFUSED_MAX are
 * refused), or nothing may go.
 */
struct mup_known_description *mup_registry_surplus(const struct mup_registry *registry);

/* Forget a description, which has no users, and free it; devices that announced it have none then.
 */
void mup_registry_drop_description(struct mup_registry *registry,
                                   struct mup_known_description *description);

#endif
