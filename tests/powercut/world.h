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
#include "mup/port/hostile.h"

#define WORLD_PAGE_SIZE 1024u
#define VERSION_OLD     1u /* in the execution slot at the beginning */
#define VERSION_NEW     2u /* the update */
#define VERSION_NEXT    3u /* the update after that; a small image, and NEW again if it was lost */
#define VERSION_COUNT   4u

/* What the images are; shared by all worlds of a run. */
struct world_images {
    uint32_t slot_pages;
    uint8_t *bytes[VERSION_COUNT];
    struct mup_boot_image image[VERSION_COUNT];
};

struct world {
    const struct world_images *images;
    struct mup_hostile_flash flash;
    struct mup_port_flash port;
    struct mup_flash_map map;
    struct mup_boot boot;
    struct mup_boot_state state;
    uint32_t verify_count; /* signature checks that the bootloader asked for */
};

/* What the judge found. */
enum verdict {
    VERDICT_GOOD,
    VERDICT_BRICKED,      /* the boot core did not name an image to run */
    VERDICT_WRONG_IMAGE,  /* the execution slot is not the whole image that was named */
    VERDICT_INCONSISTENT, /* state, floor or progress record contradict what is in flash */
    VERDICT_STUCK,        /* a further update did not succeed */
    VERDICT_COUNT,
};

void world_images_make(struct world_images *images, uint32_t slot_pages, uint32_t old_size,
                       uint32_t new_size);
void world_images_free(struct world_images *images);

/* A provisioned device that runs VERSION_OLD; its operations are counted from here. */
void world_make(struct world *world, const struct world_images *images);
void world_free(struct world *world);

/* Turn `to` into what `from` would be after a cut in the operation it is about to do. */
void world_copy_cut(struct world *to, const struct world *from, enum mup_hostile_cut cut);

/* The application: download a version, from where the progress record says, and request it. */
enum mup_status world_update(struct world *world, uint32_t version);

/* Reset: the boot core runs until it names an image. */
enum mup_status world_reset(struct world *world);

/* The application confirms, or gives up. */
enum mup_status world_confirm(struct world *world);
enum mup_status world_give_up(struct world *world);
enum mup_status world_retry(struct world *world);
enum mup_status world_report(struct world *world);

/* Boot after a cut, twice, and judge what runs; `deep` also takes a further update to its end. */
enum verdict world_judge(struct world *world, bool deep);

const char *verdict_name(enum verdict verdict);

#endif
