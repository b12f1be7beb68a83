/*
 * mup-microbit factory: what the production line does to a device. The whole flash as one file:
 * bootloader, settings of the network, application, who it is, boot journal.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "factory.h"
#include "factory_options.h"
#include "image_info.h"
#include "mup/boot.h"
#include "mup/crypto.h"
#include "mup/port/posix.h"
#include "services.h"
#include "settings.h"
#include "tool.h"

#define FLASH_SIZE     262144u
#define PAGE_SIZE      1024u
#define IMAGE_SIZE_MAX (MUP_FLASH_SLOT_SIZE - PAGE_SIZE) /* the swap needs a page */
#define RAM_BEGIN      UINT32_C(0x20000000)
#define RAM_END        UINT32_C(0x20004000)
#define ELF_MAGIC      UINT32_C(0x464c457f) /* 7f "ELF", as a little-endian word */

/* What is to be written, all of it read and checked. */
struct device {
    struct mup_identity identity;
    struct microbit_settings settings;
    struct microbit_image_info info;
    uint8_t *boot;
    uint32_t boot_size;
    uint8_t *image;
    uint32_t image_size;
};

/* ---- settings -------------------------------------------------------------------------------- */

static bool read_password(char password[MICROBIT_PASSWORD_MAX], const char *path)
{
    FILE *file = fopen(path, "r");
    char line[MICROBIT_PASSWORD_MAX + 2] = "";

    if (file == NULL || fgets(line, sizeof line, file) == NULL) {
        fprintf(stderr, PROGRAM ": %s: %s\n", path, file == NULL ? strerror(errno) : "empty");
        if (file != NULL)
            fclose(file);
        return false;
    }
    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    if (strlen(line) >= MICROBIT_PASSWORD_MAX) {
        fprintf(stderr, PROGRAM ": the password in %s is longer than %u characters\n", path,
                MICROBIT_PASSWORD_MAX - 1);
        return false;
    }
    memcpy(password, line, strlen(line) + 1);
    return true;
}

/* Locally administered, unicast; for a board whose radio has no address of its own. */
static void make_eui64(uint8_t eui64[MICROBIT_EUI64_SIZE], const uint8_t uuid[MUP_UUID_SIZE])
{
    uint8_t digest[MUP_SHA256_SIZE];

    mup_sha256_of(digest, uuid, MUP_UUID_SIZE);
    memcpy(eui64, digest, MICROBIT_EUI64_SIZE);
    eui64[0] = (uint8_t)((eui64[0] & 0xfcu) | 2u);
}

static bool parse_eui64(uint8_t eui64[MICROBIT_EUI64_SIZE], const char *text)
{
    if (strlen(text) != 2 * MICROBIT_EUI64_SIZE ||
        strspn(text, "0123456789abcdefABCDEF") != 2 * MICROBIT_EUI64_SIZE) {
        fprintf(stderr, PROGRAM ": --eui64 wants 16 hex digits, not '%s'\n", text);
        return false;
    }
    for (size_t i = 0; i < MICROBIT_EUI64_SIZE; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};

        eui64[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return true;
}

static bool make_settings(struct microbit_settings *settings,
                          const struct microbit_factory_options *options,
                          const uint8_t uuid[MUP_UUID_SIZE])
{
    memset(settings, 0, sizeof *settings);
    settings->broker_port = (uint16_t)options->broker_port;
    settings->pan_id = (uint16_t)options->pan_id;
    settings->trial_s = (uint32_t)options->trial_s;
    settings->address.short_address = (uint16_t)options->short_address;
    settings->window_size = (uint32_t)options->window_size;
    settings->slice_size_max = (uint32_t)options->slice_size;
    settings->flow = (uint8_t)options->flow;
    settings->pause_ms = (uint16_t)options->pause_ms;
    settings->receive_maximum = (uint16_t)options->receive_maximum;
    settings->no_alias = options->no_alias;
    settings->ack_each_segment = options->ack_each_segment;
    settings->send_segment = (uint8_t)options->send_segment;
    settings->flash_times = options->flash_times;
    if (inet_pton(AF_INET6, options->broker, settings->broker) != 1) {
        fprintf(stderr, PROGRAM ": --broker wants an IPv6 address, not '%s'\n", options->broker);
        return false;
    }
    if (options->password_path != NULL &&
        !read_password(settings->password, options->password_path))
        return false;
    if (options->eui64 != NULL)
        return parse_eui64(settings->address.eui64, options->eui64);
    make_eui64(settings->address.eui64, uuid);
    return true;
}

/* ---- images ---------------------------------------------------------------------------------- */

static bool complain(const char *path, const char *what)
{
    fprintf(stderr, PROGRAM ": %s %s\n", path, what);
    return false;
}

static uint32_t word_at(const uint8_t *bytes, uint32_t size, uint32_t at)
{
    uint32_t word = 0;

    if (at + sizeof word <= size)
        memcpy(&word, bytes + at, sizeof word); /* both ends are little-endian */
    return word;
}

/* A program that a linker made is larger than the flash image of it, so that comes first. */
static bool fits(const char *path, const uint8_t *bytes, uint32_t size, uint32_t size_max,
                 const char *where)
{
    if (word_at(bytes, size, 0) == ELF_MAGIC)
        return complain(path, "is an ELF file; what goes into flash is the .bin beside it");
    if (size <= size_max)
        return true;
    fprintf(stderr, PROGRAM ": %s has more than the %u bytes that fit into %s\n", path,
            (unsigned)size_max, where);
    return false;
}

/* Stack pointer and entry of a Cortex-M: is it linked for this RAM, and for this place in flash? */
static bool is_linked_for(const uint8_t *bytes, uint32_t size, uint32_t at)
{
    uint32_t stack = word_at(bytes, size, 0);
    uint32_t entry = word_at(bytes, size, 4);

    return stack > RAM_BEGIN && stack <= RAM_END && entry % 2 == 1 && entry > at &&
           entry < at + size;
}

static bool check_boot(const struct device *device, const char *path)
{
    if (!fits(path, device->boot, device->boot_size, MICROBIT_SETTINGS_AT,
              "the bootloader's area; --boot wants microbit-boot.bin"))
        return false;
    if (!is_linked_for(device->boot, device->boot_size, 0) ||
        word_at(device->boot, device->boot_size, MICROBIT_SERVICES_AT) != MICROBIT_SERVICES_MAGIC)
        return complain(path, "is not a bootloader of this board; --boot wants microbit-boot.bin "
                              "(./dev build microbit)");
    return true;
}

static bool check_image(struct device *device, const char *path)
{
    if (!fits(path, device->image, device->image_size, IMAGE_SIZE_MAX, "the application's slot"))
        return false;
    if (device->image_size >= MICROBIT_IMAGE_INFO_AT + sizeof device->info)
        memcpy(&device->info, device->image + MICROBIT_IMAGE_INFO_AT, sizeof device->info);
    if (device->info.magic != MICROBIT_IMAGE_INFO_MAGIC || device->info.version == 0)
        return complain(path, "is not an application of this board; --image wants a .bin, such as "
                              "microbit-app-1.bin (./dev build microbit)");
    if (!is_linked_for(device->image, device->image_size, MUP_FLASH_BOOT_SIZE))
        return complain(path, "is not linked for the execution slot of this board "
                              "(firmware/microbit/linker/application.ld)");
    return true;
}

static bool read_images(struct device *device, const struct microbit_factory_options *options)
{
    device->boot =
        mup_factory_read(PROGRAM, options->boot_path, MICROBIT_SETTINGS_AT, &device->boot_size);
    device->image =
        mup_factory_read(PROGRAM, options->image_path, IMAGE_SIZE_MAX, &device->image_size);
    return device->boot_size != 0 && device->image_size != 0 &&
           check_boot(device, options->boot_path) && check_image(device, options->image_path);
}

/* ---- the flash ------------------------------------------------------------------------------- */

static bool fill(const struct mup_port_flash *flash, const struct device *device)
{
    struct mup_flash_map map;
    struct mup_boot boot;
    struct mup_boot_image image = {.version = device->info.version, .size = device->image_size};

    mup_sha256_of(image.digest, device->image, device->image_size);
    return mup_flash_map_default(&map, flash) == MUP_OK &&
           mup_factory_program(flash, 0, device->boot, device->boot_size) &&
           microbit_settings_save(&map, &device->settings) == MUP_OK &&
           mup_factory_program(flash, map.execution_at, device->image, device->image_size) &&
           mup_identity_save(&map, &device->identity) == MUP_OK &&
           mup_boot_provision(&boot, &map, &image) == MUP_OK;
}

static bool cannot_write(const char *path)
{
    fprintf(stderr, PROGRAM ": %s cannot be written: %s\n", path, strerror(errno));
    return false;
}

/* Made under another name first, so that no half of a flash is ever found under its own. */
static bool write_flash(const char *path, const struct device *device)
{
    struct mup_posix_flash file;
    struct mup_port_flash flash;
    char half[4096];
    bool good;

    if (snprintf(half, sizeof half, "%s.factory.%ld", path, (long)getpid()) >= (int)sizeof half) {
        errno = ENAMETOOLONG;
        return cannot_write(path);
    }
    if (mup_posix_flash_open(&file, half, FLASH_SIZE, PAGE_SIZE) != 0)
        return cannot_write(path);
    flash = mup_posix_flash_port(&file);
    good = fill(&flash, device);
    mup_posix_flash_close(&file);
    if (!good)
        complain(path, "cannot be made: the flash did not take it");
    else if (rename(half, path) != 0)
        good = cannot_write(path);
    if (!good)
        unlink(half);
    return good;
}

/* Whether nothing, or a device that does not run and may be replaced, is in its place. */
static bool is_free(const struct microbit_factory_options *options)
{
    const char *path = options->flash_path;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat file;
    bool good = false;

    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0)
        return cannot_write(path);
    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
        complain(path, "is not a file; --flash wants the name of one to be made");
    else if (!options->force)
        complain(path, "exists; --force replaces the device in it");
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        complain(path, "is in use by a device that runs; end that first");
    else
        good = true;
    close(fd);
    return good;
}

static void tell(const struct microbit_factory_options *options, const struct device *device)
{
    printf("%s: a micro:bit with version %lu, bootloader %lu bytes, application %lu bytes.\n"
           "To run it in QEMU:\n"
           "    " PROGRAM " run --flash %s --radio SOCKET\n"
           "To put it on a board (openocd, CMSIS-DAP on USB), which erases all that it has:\n"
           "    openocd -f interface/cmsis-dap.cfg -f target/nrf51.cfg \\\n"
           "        -c \"init; reset halt; nrf51 mass_erase; program %s 0 verify; reset; exit\"\n"
           "The file holds the device's password: keep it as you keep keys.\n",
           options->flash_path, (unsigned long)device->info.version,
           (unsigned long)device->boot_size, (unsigned long)device->image_size, options->flash_path,
           options->flash_path);
}

static int make(const struct microbit_factory_options *options)
{
    struct device device = {0};
    bool good = mup_factory_identity(&device.identity, PROGRAM, options->uuid, options->name,
                                     options->key_path) &&
                make_settings(&device.settings, options, device.identity.uuid) &&
                read_images(&device, options);

    signal(SIGXFSZ, SIG_IGN); /* a limit of files is an error like a full disk */
    good = good && is_free(options) && write_flash(options->flash_path, &device);
    if (good)
        tell(options, &device);
    free(device.boot);
    free(device.image);
    return good ? 0 : EXIT_FAILED;
}

int microbit_factory(int argc, char **argv)
{
    struct microbit_factory_options options;
    int code = 0;

    return microbit_factory_options_take(&options, argc, argv, &code) ? make(&options) : code;
}
