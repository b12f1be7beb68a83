/* A device of flash and boot core for unit tests: images, a verifier that can say no, resets. */
#ifndef MUP_TEST_BOOT_DEVICE_H
#define MUP_TEST_BOOT_DEVICE_H

#include "mup/boot.h"
#include "mup/slot.h"
#include "support/flash_memory.h"

#define OLD_SIZE      4000u
#define NEW_SIZE      2500u
#define MANIFEST_SIZE 297u

struct boot_device {
    struct flash_memory *memory;
    struct mup_boot boot;
    struct mup_boot_state state;
    enum mup_status answer; /* what the verifier says */
    uint32_t verify_count;
    struct mup_boot_image asked; /* what it was asked about */
};

/* Byte i of the image of a version; no two versions agree in many places. */
static inline uint8_t image_byte(uint32_t version, uint32_t i)
{
    return (uint8_t)(version * 89 + i * 7 + i / 256);
}

static inline void fill_image(uint8_t *bytes, uint32_t version, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = image_byte(version, i);
}

static inline struct mup_boot_image image_of(uint32_t version, uint32_t size)
{
    struct mup_boot_image image = {.version = version, .size = size};
    uint8_t *bytes = malloc(size);

    fill_image(bytes, version, size);
    mup_sha256_of(image.digest, bytes, size);
    free(bytes);
    return image;
}

static inline enum mup_status device_verify(void *context, const struct mup_boot_image *image,
                                            const uint8_t *manifest, size_t manifest_size)
{
    struct boot_device *device = context;

    device->verify_count++;
    device->asked = *image;
    if (manifest_size != MANIFEST_SIZE)
        return MUP_ERR_FORMAT;
    for (uint32_t i = 0; i < MANIFEST_SIZE; i++) {
        if (manifest[i] != image_byte(77, i))
            return MUP_ERR_FORMAT;
    }
    return device->answer;
}

/* Open and start, as the bootloader does. */
static inline enum mup_status device_reset(struct boot_device *device)
{
    uint32_t *buffer = malloc(MUP_BOOT_MANIFEST_SIZE_MAX); /* exact: ASan watches its ends */
    struct mup_boot_verifier verifier = {device_verify, device, (uint8_t *)buffer};
    enum mup_status status = mup_boot_open(&device->boot, &device->memory->map);

    if (status == MUP_OK)
        status = mup_boot_start(&device->boot, &device->state, &verifier);
    free(buffer);
    return status;
}

static inline struct boot_device *boot_device_new(void)
{
    struct boot_device *device = calloc(1, sizeof *device);
    struct mup_boot_image old = image_of(1, OLD_SIZE);

    device->memory = flash_memory_new();
    fill_image(device->memory->flash.bytes, 1, OLD_SIZE);
    memset(device->memory->flash.programmed, 1, OLD_SIZE / 4);
    if (mup_boot_provision(&device->boot, &device->memory->map, &old) != MUP_OK)
        abort();
    return device;
}

static inline void boot_device_free(struct boot_device *device)
{
    flash_memory_free(device->memory);
    free(device);
}

static inline enum mup_status device_stage(struct boot_device *device, uint32_t version,
                                           uint32_t size)
{
    struct mup_slot_writer writer;
    uint8_t *bytes = malloc(size);
    enum mup_status status = mup_slot_begin(&writer, &device->memory->map, size);

    fill_image(bytes, version, size);
    if (status == MUP_OK)
        status = mup_slot_write(&writer, bytes, size);
    free(bytes);
    return status;
}

static inline enum mup_status device_request(struct boot_device *device, uint32_t version,
                                             uint32_t size)
{
    struct mup_boot_image image = image_of(version, size);
    uint8_t *manifest = malloc(MANIFEST_SIZE);
    enum mup_status status;

    fill_image(manifest, 77, MANIFEST_SIZE);
    status = mup_boot_request(&device->boot, &image, manifest, MANIFEST_SIZE);
    free(manifest);
    return status;
}

static inline bool device_holds(const struct boot_device *device, uint32_t version, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        if (device->memory->flash.bytes[i] != image_byte(version, i))
            return false;
    }
    return true;
}

#endif
