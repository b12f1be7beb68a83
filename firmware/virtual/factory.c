/*
 * mup-device factory: what the production line does to a device. Image into the execution slot,
 * name, UUID and the vendor's public key into the state pages, boot journal.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "factory.h"
#include "mup/boot.h"
#include "mup/crypto.h"
#include "mup/identity.h"
#include "virtual.h"

static const char usage[] =
    "mup-device factory: make the flash of a new device\n"
    "\n"
    "  --flash FILE         to be made\n"
    "  --uuid UUID          who it is\n"
    "  --name NAME          its user name at the broker (default: the UUID)\n"
    "  --vendor-key FILE    the vendor's public key, PEM (P-256)\n"
    "  --image FILE         the image that it is born with (mup-device image)\n"
    "  --slot-size BYTES    largest image that it shall ever take (113664)\n"
    "  --force              replace FILE if it exists\n"
    "\n"
    "Example: mup-device factory --flash d.flash --vendor-key vendor.pub \\\n"
    "             --image one.img --uuid 5f0c1d2e-3a4b-4c5d-8e9f-a0b1c2d3e4f5\n";

struct factory {
    const char *flash_path;
    const char *key_path;
    const char *image_path;
    const char *uuid;
    const char *name;
    uint32_t image_size_max;
    bool force;
};

static bool fill(struct virtual_flash *flash, const struct mup_identity *identity,
                 const uint8_t *bytes, uint32_t size, uint32_t version)
{
    struct mup_boot_image image = {.version = version, .size = size};
    struct mup_boot boot;

    mup_sha256_of(image.digest, bytes, size);
    return mup_factory_program(&flash->port, flash->map.execution_at, bytes, size) &&
           mup_identity_save(&flash->map, identity) == MUP_OK &&
           mup_boot_provision(&boot, &flash->map, &image) == MUP_OK;
}

/* Made under another name first, so that no half of a flash is ever found under its own. */
static bool make_flash(const struct factory *factory, const struct mup_identity *identity,
                       const uint8_t *bytes, uint32_t size, uint32_t version)
{
    struct virtual_flash flash;
    uint32_t largest = factory->image_size_max > size ? factory->image_size_max : size;
    char path[4096];
    bool good;

    if (snprintf(path, sizeof path, "%s.factory", factory->flash_path) >= (int)sizeof path) {
        fprintf(stderr, "mup-device: the name of the flash file is too long\n");
        return false;
    }
    unlink(path);
    if (!virtual_flash_open(&flash, path, virtual_flash_size(largest)))
        return false;
    good = fill(&flash, identity, bytes, size, version);
    mup_posix_flash_close(&flash.file);
    if (good && !factory->force && access(factory->flash_path, F_OK) == 0) {
        fprintf(stderr, "mup-device: %s exists; --force replaces the device in it\n",
                factory->flash_path);
        good = false;
    } else if (good && rename(path, factory->flash_path) != 0) {
        fprintf(stderr, "mup-device: %s: %s\n", factory->flash_path, strerror(errno));
        good = false;
    } else if (!good) {
        fprintf(stderr, "mup-device: %s cannot be written\n", path);
    }
    if (!good)
        unlink(path);
    return good;
}

static int make(const struct factory *factory)
{
    struct mup_identity identity;
    struct virtual_image header;
    uint32_t size;
    uint8_t *bytes;
    bool good;

    if (!mup_factory_identity(&identity, "mup-device", factory->uuid, factory->name,
                              factory->key_path))
        return EXIT_FAILED;
    bytes = mup_factory_read("mup-device", factory->image_path, MUP_IMAGE_SIZE_MAX, &size);
    good = size > 0;
    if (good && size > VIRTUAL_IMAGE_SIZE_MAX) {
        fprintf(stderr, "mup-device: %s is larger than any slot: %lu bytes at most\n",
                factory->image_path, (unsigned long)VIRTUAL_IMAGE_SIZE_MAX);
        good = false;
    }
    if (good && !virtual_image_parse(&header, (const char *)bytes, size)) {
        fprintf(stderr, "mup-device: %s is not a virtual image; make one with mup-device image\n",
                factory->image_path);
        good = false;
    }
    good = good && make_flash(factory, &identity, bytes, size, header.version);
    free(bytes);
    return good ? 0 : EXIT_FAILED;
}

int virtual_factory(int argc, char **argv)
{
    static const struct option options[] = {{"flash", required_argument, NULL, 'f'},
                                            {"uuid", required_argument, NULL, 'u'},
                                            {"name", required_argument, NULL, 'n'},
                                            {"vendor-key", required_argument, NULL, 'k'},
                                            {"image", required_argument, NULL, 'i'},
                                            {"slot-size", required_argument, NULL, 's'},
                                            {"force", no_argument, NULL, 'F'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct factory factory = {0};
    int option;

    optind = 2;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            factory.flash_path = optarg;
            break;
        case 'u':
            factory.uuid = optarg;
            break;
        case 'n':
            factory.name = optarg;
            break;
        case 'k':
            factory.key_path = optarg;
            break;
        case 'i':
            factory.image_path = optarg;
            break;
        case 's':
            if (!virtual_number(&factory.image_size_max, "--slot-size", optarg, 1,
                                VIRTUAL_IMAGE_SIZE_MAX))
                return EXIT_USAGE;
            break;
        case 'F':
            factory.force = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            return EXIT_USAGE;
        }
    }
    if (factory.flash_path == NULL || factory.uuid == NULL || factory.key_path == NULL ||
        factory.image_path == NULL || optind != argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return make(&factory);
}
