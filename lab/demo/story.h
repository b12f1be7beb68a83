/*
 * The paper's steps 0 to 7 as they really cross the broker: who said what to whom, when, how many
 * bytes. Fed with every message that the testbed's tap sees; tells each step when it is complete.
 */
#ifndef MUP_LAB_STORY_H
#define MUP_LAB_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "tap.h"

#define MUP_STORY_STEPS 8u

struct mup_story_step {
    bool begun;
    bool done;
    int64_t begun_us;
    int64_t done_us;
    uint64_t to_device; /* payload bytes of MQTT messages */
    uint64_t from_device;
    uint32_t messages;
};

struct mup_story {
    FILE *out;        /* where it is told; NULL: nowhere */
    bool is_terminal; /* a progress bar that moves */
    const char *name; /* the device's */
    uint32_t payload_size;
    struct mup_story_step steps[MUP_STORY_STEPS];
    int64_t last_us;    /* when the last step ended */
    unsigned expecting; /* whose response comes next: step 2, 4 or 6; 0: none */
    unsigned percent;   /* last shown */
};

void mup_story_begin(struct mup_story *story, FILE *out, const char *name, int64_t now_us);

/* One message; tells a step when this completes it. */
void mup_story_take(struct mup_story *story, const struct mup_tap_message *message);

/* [{"step", "name", "milliseconds", "bytes_to_device", "bytes_from_device"}, ...] */
json_t *mup_story_json(const struct mup_story *story);

#endif
