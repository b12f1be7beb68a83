/*
 * What the bridge keeps: descriptions by digest, and the devices that announced them.
 *
 * How writing and reading work, and what the errors mean: store/store.h.
 */
#ifndef MUP_STORE_BRIDGE_STORE_H
#define MUP_STORE_BRIDGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/cose.h"
#include "mup/manifest.h"
#include "mup/topic.h"
#include "store/store.h"

#define MUP_STORED_TEMPLATE_SIZE_MAX           65535u /* bytes of a description's template */
#define MUP_STORED_REASON_SIZE_MAX             480u   /* bytes, without NUL */
#define MUP_STORED_LABEL_SIZE_MAX              64u    /* bytes of UTF-8, without NUL */
#define MUP_STORED_BOOT_ID_SIZE                8u

#define MUP_STORED_CONFIGURATION_NAME_SIZE_MAX 32u /* bytes, without NUL */

struct mup_bridge_store;

/* A template that was gathered. Refused ones are kept too, so that a device that sends rubbish is
 * answered without reading the rubbish again. */
struct mup_stored_description {
    uint8_t digest[MUP_DIGEST_SIZE]; /* SHA-256 of the template */
    const uint8_t *text;             /* the template's bytes; valid during the call or callback */
    size_t size;                     /* 1..MUP_STORED_TEMPLATE_SIZE_MAX */
    bool accepted;
    const char *reason; /* why it was refused; NULL or "" when accepted */
    uint64_t at_ms;     /* when it was judged, ms since 1970 */
};

/* What an operator thinks of a device. */
enum mup_standing {
    MUP_STANDING_SERVICE,
    MUP_STANDING_QUARANTINED,
    MUP_STANDING_RETIRED,
};

/* Plain and caller-owned: copy it, keep it in a table. */
struct mup_stored_device {
    char name[MUP_NAME_MAX + 1];     /* MQTT user name: the key */
    uint8_t uuid[MUP_UUID_SIZE];     /* unique too */
    uint8_t digest[MUP_DIGEST_SIZE]; /* of its description's template */
    uint32_t version;                /* running version, as announced */
    bool on_trial;
    uint32_t epoch;            /* of the certificate it holds; 0: none, then kid is zero */
    uint8_t kid[MUP_KID_SIZE]; /* of the update server's key it holds */
    uint8_t boot_id[MUP_STORED_BOOT_ID_SIZE];
    bool present;
    uint64_t first_seen_ms; /* ms since 1970; a later put does not change it */
    uint64_t last_seen_ms;
    char label[MUP_STORED_LABEL_SIZE_MAX + 1]; /* an operator's word for it; a put keeps it */
    enum mup_standing standing;                /* a put keeps it, and the next */
    char replaced_by[MUP_UUID_TEXT_SIZE];      /* the device in its place; "": none */
};

MUP_MUST_CHECK
enum mup_status mup_bridge_store_open(struct mup_bridge_store **out, struct mup_loop *loop,
                                      const char *path, char error[MUP_STORE_ERROR_SIZE]);
void mup_bridge_store_close(struct mup_bridge_store *store); /* NULL is allowed */

/* Keep a description, or replace what was kept under its digest. */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_put_description(struct mup_bridge_store *store,
                                                 const struct mup_stored_description *description,
                                                 mup_store_on_done *on_done, void *arg);

/* Forget a description; MUP_ERR_STATE when it is not there. */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_remove_description(struct mup_bridge_store *store,
                                                    const uint8_t digest[MUP_DIGEST_SIZE],
                                                    mup_store_on_done *on_done, void *arg);

/*
 * Keep a device, or replace what was kept under its name, except label, standing, replaced_by and
 * first_seen_ms. When
 * another name has the same UUID the write ends with MUP_ERR_STATE: one of the two lies.
 */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_put_device(struct mup_bridge_store *store,
                                            const struct mup_stored_device *device,
                                            mup_store_on_done *on_done, void *arg);

/* The same for a device that owns its UUID: whoever else has it is removed in the same step. */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_put_owner(struct mup_bridge_store *store,
                                           const struct mup_stored_device *device,
                                           mup_store_on_done *on_done, void *arg);

/* These end with MUP_ERR_STATE when no device has this name. */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_set_presence(struct mup_bridge_store *store, const char *name,
                                              bool present, uint64_t last_seen_ms,
                                              mup_store_on_done *on_done, void *arg);
MUP_MUST_CHECK
enum mup_status mup_bridge_store_set_label(struct mup_bridge_store *store, const char *name,
                                           const char *label, mup_store_on_done *on_done,
                                           void *arg);
MUP_MUST_CHECK
enum mup_status mup_bridge_store_set_standing(struct mup_bridge_store *store, const char *name,
                                              enum mup_standing standing, const char *replaced_by,
                                              mup_store_on_done *on_done, void *arg);
MUP_MUST_CHECK
enum mup_status mup_bridge_store_remove_device(struct mup_bridge_store *store, const char *name,
                                               mup_store_on_done *on_done, void *arg);

/* Nobody is present until it says so: the first write after a start. */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_clear_presence(struct mup_bridge_store *store,
                                                mup_store_on_done *on_done, void *arg);

/* Visit all, ordered by digest or name. The visitor must not call the store. */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_each_description(
    struct mup_bridge_store *store,
    void (*visit)(void *arg, const struct mup_stored_description *description), void *arg);
MUP_MUST_CHECK
enum mup_status mup_bridge_store_each_device(struct mup_bridge_store *store,
                                             void (*visit)(void *arg,
                                                           const struct mup_stored_device *device),
                                             void *arg);

/*
 * A configuration that NETCONF clients edit, whole and under a name such as "running"; a put
 * replaces it. `text` is copied.
 */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_put_configuration(struct mup_bridge_store *store, const char *name,
                                                   const char *text, uint64_t at_ms,
                                                   mup_store_on_done *on_done, void *arg);

/* What was kept under this name: *text is the caller's to free(), NULL when nothing was. */
MUP_MUST_CHECK
enum mup_status mup_bridge_store_configuration(struct mup_bridge_store *store, const char *name,
                                               char **text);

#endif
