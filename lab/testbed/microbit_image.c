/* Images of the micro:bit: those that its preset has built, others made from them, and releases of
 * both. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image_info.h"
#include "testbed_internal.h"

#define IMAGES_FOLDER  "build/microbit/bin"
#define IMAGE_SIZE_MAX 113664u /* a slot but for one page */

const char *mup_testbed_firmware(const struct mup_testbed *bed, const char *name)
{
    static char paths[4][MUP_TESTBED_PATH_MAX + 96];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof paths[0], "%s/" IMAGES_FOLDER "/%s", bed->source, name);
    return path;
}

const char *mup_testbed_application(const struct mup_testbed *bed, uint32_t version,
                                    const char *fault)
{
    char name[64];
    bool good = strcmp(fault, "ok") == 0;

    snprintf(name, sizeof name, "microbit-app-%u%s%s.bin", (unsigned)version, good ? "" : "-",
             good ? "" : fault);
    return mup_testbed_firmware(bed, name);
}

bool mup_testbed_microbit_is_built(const struct mup_testbed *bed)
{
    return access(mup_testbed_firmware(bed, "microbit-boot.bin"), R_OK) == 0 &&
           access(mup_testbed_application(bed, 1, "ok"), R_OK) == 0;
}

static bool release(struct mup_testbed *bed, uint32_t version, const char *image)
{
    char number[16];
    const char *argv[] = {mup_testbed_program(bed, "mup"),
                          "release",
                          "create",
                          "--key",
                          mup_testbed_path(bed, "vendor.key"),
                          "--image",
                          image,
                          "--app",
                          MUP_TESTBED_APP,
                          "--hardware",
                          MUP_TESTBED_MICROBIT,
                          "--version",
                          number,
                          "--link-offset",
                          MUP_TESTBED_LINK_OFFSET,
                          "--repository",
                          mup_testbed_path(bed, "releases"),
                          NULL};

    snprintf(number, sizeof number, "%u", (unsigned)version);
    return mup_testbed_run(bed, "release", argv);
}

bool mup_testbed_release_microbit(struct mup_testbed *bed, uint32_t version, const char *fault)
{
    return release(bed, version, mup_testbed_application(bed, version, fault));
}

/* ---- Images of other versions ---------------------------------------------------------------- */

static uint32_t fault_number(const char *fault)
{
    return strcmp(fault, "hang") == 0         ? MICROBIT_FAULT_HANG
           : strcmp(fault, "crash") == 0      ? MICROBIT_FAULT_CRASH
           : strcmp(fault, "no-connect") == 0 ? MICROBIT_FAULT_NO_CONNECT
           : strcmp(fault, "reset-loop") == 0 ? MICROBIT_FAULT_RESET_LOOP
                                              : MICROBIT_FAULT_NONE;
}

/* The bytes of an image that was built, and room for more behind them; 0 if it cannot be read. */
static size_t read_image(uint8_t bytes[IMAGE_SIZE_MAX], const char *path)
{
    FILE *file = fopen(path, "rbe");
    size_t size = file == NULL ? 0 : fread(bytes, 1, IMAGE_SIZE_MAX, file);

    if (file != NULL)
        fclose(file);
    if (size < MICROBIT_IMAGE_INFO_AT + sizeof(struct microbit_image_info))
        fprintf(stderr, "testbed: %s is not there or too short\n", path);
    return size;
}

/* Filler that is no byte of erased flash and in which no two words in a row are equal. */
static size_t fill(uint8_t bytes[IMAGE_SIZE_MAX], size_t from, size_t to)
{
    if (to > IMAGE_SIZE_MAX)
        to = IMAGE_SIZE_MAX;
    for (size_t i = from; i < to; i++)
        bytes[i] = (uint8_t)((i >> 2) * 167u & 0x7fu);
    return to > from ? to : from;
}

static bool write_image(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wbe");
    bool good = file != NULL && fwrite(bytes, 1, size, file) == size;

    if (file != NULL && fclose(file) != 0)
        good = false;
    if (!good)
        fprintf(stderr, "testbed: cannot write %s\n", path);
    return good;
}

bool mup_testbed_release_microbit_as(struct mup_testbed *bed, uint32_t version, uint32_t size,
                                     const char *fault)
{
    static uint8_t bytes[IMAGE_SIZE_MAX];
    const char *built = mup_testbed_application(bed, 1, "ok");
    struct microbit_image_info info;
    char name[32];
    size_t have;

    if (size == 0)
        return mup_testbed_release_microbit(bed, version, fault);
    have = read_image(bytes, built);
    if (have < MICROBIT_IMAGE_INFO_AT + sizeof info)
        return false;
    memcpy(&info, bytes + MICROBIT_IMAGE_INFO_AT, sizeof info);
    if (info.magic != MICROBIT_IMAGE_INFO_MAGIC) {
        fprintf(stderr, "testbed: %s is not an application of this board\n", built);
        return false;
    }
    info.version = version;
    info.fault = fault_number(fault);
    memcpy(bytes + MICROBIT_IMAGE_INFO_AT, &info, sizeof info);
    snprintf(name, sizeof name, "microbit-%u.bin", (unsigned)version);
    return write_image(mup_testbed_path(bed, name), bytes, fill(bytes, have, size)) &&
           release(bed, version, mup_testbed_path(bed, name));
}

/* ---- Where it lies --------------------------------------------------------------------------- */

const char *mup_testbed_microbit_url(const struct mup_testbed *bed, uint32_t version)
{
    static char url[128];

    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s/%u/" MUP_TESTBED_MICROBIT,
             bed->repository_port, MUP_TESTBED_APP, (unsigned)version);
    return url;
}
