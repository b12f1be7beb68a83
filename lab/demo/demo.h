/*
 * The demo: a vendor, an edge and a device, from a signed release to a confirmed version.
 */
#ifndef MUP_LAB_DEMO_H
#define MUP_LAB_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "board.h"
#include "evidence.h"
#include "rest.h"
#include "story.h"
#include "testbed.h"

#define MUP_DEMO_IMAGE_SIZE    87800u /* the paper's */
#define MUP_DEMO_FROM          1u
#define MUP_DEMO_TO            2u
#define MUP_DEMO_NEXT          3u /* with keep: signed and published, for whoever stays */
#define MUP_DEMO_NEXT_MICROBIT 6u

struct mup_demo_options {
    const char *bin;
    const char *source;
    bool json;
    bool keep;
    bool fast; /* a micro:bit that is not slowed down to its clock and its radio */
    const struct mup_board *board;
    uint32_t image_size;
    uint32_t window; /* bytes; 0: the device's default */
    uint32_t slice;  /* bytes; 0: the device's default */
    volatile const int *stop;
};

struct mup_demo {
    const struct mup_demo_options *options;
    FILE *out; /* the story for people; NULL with --json */
    struct mup_testbed bed;
    struct mup_testbed_device device;
    struct mup_process *process; /* the device's */
    struct mup_rest rest;
    char rest_url[64];
    char token_file[MUP_TESTBED_PATH_MAX + 16];
    struct mup_tap *tap;
    struct mup_story story;
    struct mup_evidence_release releases[2]; /* from and to */
    struct mup_evidence_flash before;
    struct mup_evidence_flash after;
    struct mup_evidence_radio radio; /* of a micro:bit, as stack_unused */
    uint32_t stack_unused;           /* bytes */
    char result[64];                 /* "confirmed", or the state that stopped it */
    uint32_t from;
    uint32_t to;
    uint32_t image_size; /* of the release that is deployed */
};

/* Run it all. True when the device confirmed the new version. */
bool mup_demo_run(struct mup_demo *demo, const struct mup_demo_options *options);

/* Where a release lies for the update server, and which one --keep leaves to deploy. */
const char *mup_demo_release_url(const struct mup_demo *demo, uint32_t version);
uint32_t mup_demo_next(const struct mup_demo *demo);

/* True for a micro:bit at its own clock, behind a radio on which time passes. */
bool mup_demo_is_paced(const struct mup_demo *demo);

/* What --json prints. */
json_t *mup_demo_json(const struct mup_demo *demo);

/* How to reach what --keep leaves running, for people or as JSON. */
void mup_demo_tell_endpoints(const struct mup_demo *demo, FILE *out);
json_t *mup_demo_endpoints(const struct mup_demo *demo);

/* End everything that was started. */
void mup_demo_end(struct mup_demo *demo);

#endif
