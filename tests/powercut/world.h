/*
 * A device of flash alone: images, an application that updates itself, a bootloader, and a judge.
 *
 * Every call stops at the first error, as a device without power would; power_on() and
 * world_recover() are then what happens next.
 */
#ifndef MUP_POWERCUT_WORLD_H
#define MUP_POWERCUT_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "mup/boot.h"
#include "mup/certificate.h"
#include "mup/identity.h"
#include "mup/port/hostile.h"
#include "recall.h"

#define WORLD_PAGE_SIZE 1024u
#define VERSION_OLD     1u /* in the execution slot at the beginning */
#define VERSION_NEW     2u /* the update */
#define VERSION_NEXT    3u /* the update after that; a small image, and NEW again if it was lost */
#define VERSION_COUNT   4u

/* Epochs of the update server's key. */
#define EPOCH_OLD   1u /* in the identity record at the beginning */
#define EPOCH_NEW   2u /* the key change */
#define EPOCH_NEXT  3u /* the key change after that */
#define EPOCH_COUNT 4u

/* A certificate that introduces a key of the update server. */
struct world_certificate {
    uint8_t public_key[MUP_PUBLIC_KEY_SIZE];
    uint8_t bytes[MUP_CERTIFICATE_SIGNED_MAX];
    size_t size;
};

/* What the images and the keys are; shared by all worlds of a run. */
struct world_images {
    uint32_t slot_pages;
    uint8_t *bytes[VERSION_COUNT];
    struct mup_boot_image image[VERSION_COUNT];
    struct mup_identity identity; /* as provisioned, with the key of EPOCH_OLD */
    struct world_certificate certificate[EPOCH_COUNT];
};

struct world {
    const struct world_images *images;
    struct mup_hostile_flash flash;
    struct mup_port_flash port;
    struct mup_flash_map map;
    struct mup_boot boot;
    struct mup_boot_state state;
    struct recall *recall; /* of the judges; not NULL before one is called */
    uint32_t looks_left;
    bool trusts; /* a further key needs no signature */
};

/* What the judge found. */
enum verdict {
    VERDICT_GOOD,
    VERDICT_BRICKED,      /* the boot core did not name an image to run */
    VERDICT_WRONG_IMAGE,  /* the execution slot is not the whole image that was named */
    VERDICT_INCONSISTENT, /* state, floor or progress record contradict what is in flash */
    VERDICT_STUCK,        /* a further update or key change did not succeed */
    VERDICT_NO_KEY,       /* there is no identity record */
    VERDICT_WRONG_KEY,    /* it is a mixture, or its key was never certified for its epoch */
    VERDICT_EPOCH_BACK,   /* an older epoch than was seen before, or one that is taken again */
    VERDICT_COUNT,
};

void world_images_make(struct world_images *images, uint32_t slot_pages, uint32_t old_size,
                       uint32_t new_size);
void world_images_free(struct world_images *images);

/* A provisioned device that runs VERSION_OLD; its operations are counted from here. */
void world_make(struct world *world, const struct world_images *images);
void world_free(struct world *world);

/* Turn `to` into what `from` would be after a cut in the operation it is about to do. The seed
 * decides which bits are torn or weak. */
void world_copy_cut(struct world *to, struct world *from, enum mup_hostile_cut cut, uint32_t seed);

/* The application: download a version, from where the progress record says, and request it. */
enum mup_status world_update(struct world *world, uint32_t version);

/* Reset: the boot core runs until it names an image. */
enum mup_status world_reset(struct world *world);

/* The application confirms, or gives up. */
enum mup_status world_confirm(struct world *world);
enum mup_status world_give_up(struct world *world);
enum mup_status world_retry(struct world *world);
enum mup_status world_report(struct world *world);

/* The application takes the update server's certificate of an epoch, signature check and all. */
enum mup_status world_take_key(struct world *world, uint32_t epoch);

/* What happens after a cut when there is no other: reset, then the update or key change is driven
 * to its end. */
enum verdict world_go_on(struct world *world, bool key_change);

/* Boot after a cut, twice, judge what runs, and take a further update to its end. *recalled tells
 * whether the device came to be in a state in which one was judged before. */
enum verdict world_judge(struct world *world, bool *recalled);

/* The same after a cut in a key change: the old or the new key, whole, and never back again; then
 * the next key is taken; `trusts`: without a look at the signature, which takes a millisecond. */
enum verdict world_judge_key(struct world *world, bool *recalled, bool trusts);

const char *verdict_name(enum verdict verdict);

#endif
