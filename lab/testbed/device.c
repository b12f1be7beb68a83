/* Releases and virtual devices of the testbed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "testbed_internal.h"

bool mup_testbed_release(struct mup_testbed *bed, uint32_t version, uint32_t size,
                         const char *fault)
{
    char number[16];
    char bytes[16];
    char image[32];
    const char *image_argv[] = {mup_testbed_program(bed, "mup-device"),
                                "image",
                                "--version",
                                number,
                                "--size",
                                bytes,
                                "--out",
                                mup_testbed_path(bed, image),
                                "--fault",
                                fault,
                                NULL};
    const char *release_argv[] = {mup_testbed_program(bed, "mup"),
                                  "release",
                                  "create",
                                  "--key",
                                  mup_testbed_path(bed, "vendor.key"),
                                  "--image",
                                  NULL,
                                  "--app",
                                  MUP_TESTBED_APP,
                                  "--hardware",
                                  MUP_TESTBED_HARDWARE,
                                  "--version",
                                  number,
                                  "--link-offset",
                                  MUP_TESTBED_LINK_OFFSET,
                                  "--repository",
                                  mup_testbed_path(bed, "releases"),
                                  NULL};

    snprintf(number, sizeof number, "%u", (unsigned)version);
    snprintf(bytes, sizeof bytes, "%u", (unsigned)size);
    snprintf(image, sizeof image, "image-%u", (unsigned)version);
    image_argv[7] = release_argv[6] = mup_testbed_path(bed, image);
    if (strcmp(fault, "ok") == 0)
        image_argv[8] = NULL;
    return mup_testbed_run(bed, "image", image_argv) &&
           mup_testbed_run(bed, "release", release_argv);
}

const char *mup_testbed_release_url(const struct mup_testbed *bed, uint32_t version)
{
    static char url[128];

    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s/%u/%s", bed->repository_port, MUP_TESTBED_APP,
             (unsigned)version, MUP_TESTBED_HARDWARE);
    return url;
}

/* A random UUID of version 4 (RFC 9562 section 5.4). */
static bool random_uuid(char text[MUP_UUID_TEXT_SIZE])
{
    uint8_t uuid[MUP_UUID_SIZE];

    if (getrandom(uuid, sizeof uuid, 0) != (ssize_t)sizeof uuid)
        return false;
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
    mup_uuid_format(text, uuid);
    return true;
}

bool mup_testbed_name_device(struct mup_testbed_device *device)
{
    if (device->uuid[0] == '\0' && !random_uuid(device->uuid))
        return false;
    if (device->name[0] == '\0')
        snprintf(device->name, sizeof device->name, "%s", device->uuid);
    return true;
}

bool mup_testbed_make_device(struct mup_testbed *bed, struct mup_testbed_device *device)
{
    char flash[48];
    char image[32];
    const char *argv[] = {mup_testbed_program(bed, "mup-device"),
                          "factory",
                          "--flash",
                          NULL,
                          "--uuid",
                          device->uuid,
                          "--name",
                          device->name,
                          "--vendor-key",
                          mup_testbed_path(bed, "vendor.pub"),
                          "--image",
                          NULL,
                          NULL,
                          NULL,
                          NULL};
    char slot[16];

    if (!mup_testbed_name_device(device))
        return false;
    snprintf(flash, sizeof flash, "%s.flash", device->process);
    snprintf(image, sizeof image, "image-%u", (unsigned)device->version);
    argv[3] = mup_testbed_path(bed, flash);
    argv[11] = mup_testbed_path(bed, image);
    if (device->slot_size != 0) {
        snprintf(slot, sizeof slot, "%u", (unsigned)device->slot_size);
        argv[12] = "--slot-size";
        argv[13] = slot;
    }
    return mup_testbed_run(bed, "factory", argv) && mup_testbed_add_user(bed, device->name);
}

struct mup_process *mup_testbed_start_device(struct mup_testbed *bed,
                                             const struct mup_testbed_device *device)
{
    char broker[32];
    char flash[48];
    char password[MUP_NAME_MAX + 16];
    char description[MUP_TESTBED_PATH_MAX + 64];
    char window[16];
    char slice[16];
    const char *argv[32] = {mup_testbed_program(bed, "mup-device"),
                            "run",
                            "--flash",
                            NULL,
                            "--broker",
                            broker,
                            "--description",
                            description,
                            "--password-file",
                            NULL,
                            "--app-id",
                            MUP_TESTBED_APP,
                            "--hardware-class",
                            MUP_TESTBED_HARDWARE,
                            "--log",
                            "json"};
    size_t count = 16;

    snprintf(broker, sizeof broker, "127.0.0.1:%d", bed->broker_port);
    snprintf(flash, sizeof flash, "%s.flash", device->process);
    snprintf(password, sizeof password, "%s.password", device->name);
    snprintf(description, sizeof description, "%s/firmware/description/virtual.jsonld",
             bed->source);
    argv[3] = mup_testbed_path(bed, flash);
    argv[9] = mup_testbed_path(bed, password);
    if (device->window != 0) {
        snprintf(window, sizeof window, "%u", (unsigned)device->window);
        argv[count++] = "--window";
        argv[count++] = window;
    }
    if (device->slice != 0) {
        snprintf(slice, sizeof slice, "%u", (unsigned)device->slice);
        argv[count++] = "--slice";
        argv[count++] = slice;
    }
    mup_testbed_append(argv, count, device->arguments, 8);
    return mup_process_start(&bed->processes, device->process, argv);
}
