/* The table of boards: see board.h. */
#include "board.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POSIX_IMAGE_SIZE_MAX    (1u << 20)
#define MICROBIT_IMAGE_SIZE_MAX 113664u /* a slot of 112 kB but for one page */

static bool no_radio(struct mup_testbed *bed)
{
    (void)bed;
    return true;
}

static const char *missing_nothing(const char *source)
{
    (void)source;
    return NULL;
}

static bool is_in_path(const char *program)
{
    const char *folders = getenv("PATH");
    char path[PATH_MAX];

    while (folders != NULL && *folders != '\0') {
        int size = (int)strcspn(folders, ":");

        snprintf(path, sizeof path, "%.*s/%s", size, folders, program);
        if (access(path, X_OK) == 0)
            return true;
        folders += size + (folders[size] == ':' ? 1 : 0);
    }
    return false;
}

static const char *missing_for_microbit(const char *source)
{
    struct mup_testbed bed = {.broker_port = 0};

    snprintf(bed.source, sizeof bed.source, "%s", source);
    if (!is_in_path("qemu-system-arm"))
        return "qemu-system-arm is not installed";
    return mup_testbed_microbit_is_built(&bed) ? NULL : "its firmware is not built";
}

const struct mup_board mup_board_posix = {
    .name = "posix",
    .hardware = MUP_TESTBED_HARDWARE,
    .image_size_max = POSIX_IMAGE_SIZE_MAX,
    .missing = missing_nothing,
    .start_radio = no_radio,
    .release = mup_testbed_release,
    .release_url = mup_testbed_release_url,
    .make = mup_testbed_make_device,
    .start = mup_testbed_start_device,
};

const struct mup_board mup_board_microbit = {
    .name = "microbit",
    .hardware = MUP_TESTBED_MICROBIT,
    .image_size_max = MICROBIT_IMAGE_SIZE_MAX,
    .missing = missing_for_microbit,
    .start_radio = mup_testbed_start_router,
    .release = mup_testbed_release_microbit_as,
    .release_url = mup_testbed_microbit_url,
    .make = mup_testbed_make_microbit,
    .start = mup_testbed_start_microbit,
};

const struct mup_board *mup_board_find(const char *name)
{
    if (strcmp(name, mup_board_posix.name) == 0)
        return &mup_board_posix;
    return strcmp(name, mup_board_microbit.name) == 0 ? &mup_board_microbit : NULL;
}
