/*
 * mup-device image: make a virtual image; and read the header of one.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "virtual.h"

#define MAGIC      "mup-virtual-image 1\n"
#define HEADER_MAX 96

static const char usage[] =
    "mup-device image: make an image that a virtual device can run\n"
    "\n"
    "  --version N    1 or more\n"
    "  --size BYTES   of the whole image\n"
    "  --out FILE     where to\n"
    "  --fault NAME   what this image will do wrong: hang, crash, no-connect,\n"
    "                 reset-loop, or garbage, which is nothing that can run\n"
    "\n"
    "Its release is linked for the execution slot:\n"
    "mup release create --link-offset 24576.\n"
    "\n"
    "Example: mup-device image --version 2 --size 87800 --out two.img\n";

static const char *const fault_names[] = {
    [FAULT_NONE] = "none",
    [FAULT_HANG] = "hang",
    [FAULT_CRASH] = "crash",
    [FAULT_NO_CONNECT] = "no-connect",
    [FAULT_RESET_LOOP] = "reset-loop",
    [FAULT_GARBAGE] = "garbage",
};

#define FAULT_COUNT (sizeof fault_names / sizeof fault_names[0])

static bool find_fault(enum virtual_fault *out, const char *name, size_t size)
{
    for (size_t i = 0; i < FAULT_COUNT; i++)
        if (strlen(fault_names[i]) == size && memcmp(fault_names[i], name, size) == 0) {
            *out = (enum virtual_fault)i;
            return true;
        }
    return false;
}

/* One line of the header, without its end. */
static bool parse_line(struct virtual_image *out, const char *line, size_t size)
{
    static const char version[] = "version=";
    static const char fault[] = "fault=";

    if (size >= sizeof fault && memcmp(line, fault, sizeof fault - 1) == 0)
        return find_fault(&out->fault, line + sizeof fault - 1, size - (sizeof fault - 1));
    if (size < sizeof version || size > sizeof version + 9 ||
        memcmp(line, version, sizeof version - 1) != 0)
        return false;
    out->version = 0;
    for (size_t i = sizeof version - 1; i < size; i++) {
        if (line[i] < '0' || line[i] > '9')
            return false;
        out->version = out->version * 10 + (uint32_t)(line[i] - '0');
    }
    return out->version > 0;
}

bool virtual_image_parse(struct virtual_image *out, const char *bytes, size_t size)
{
    struct virtual_image image = {0, FAULT_NONE};
    size_t at = sizeof MAGIC - 1;

    if (size < at || memcmp(bytes, MAGIC, at) != 0)
        return false;
    for (;;) {
        const char *end = at < size ? memchr(bytes + at, '\n', size - at) : NULL;

        if (end == NULL)
            return false;
        if (end == bytes + at)
            break;
        if (!parse_line(&image, bytes + at, (size_t)(end - (bytes + at))))
            return false;
        at = (size_t)(end - bytes) + 1;
    }
    if (image.version == 0)
        return false;
    *out = image;
    return true;
}

/* A header, unless it shall be garbage, and filler that no two versions share (xorshift64*, seeded
 * with the version). */
static int write_image(FILE *file, uint32_t version, enum virtual_fault fault, uint32_t size)
{
    char header[HEADER_MAX];
    uint64_t state = 0x9e3779b97f4a7c15u ^ ((uint64_t)version << 20) ^ (uint64_t)fault;
    int length =
        fault == FAULT_GARBAGE ? 0
        : fault == FAULT_NONE
            ? snprintf(header, sizeof header, MAGIC "version=%lu\n\n", (unsigned long)version)
            : snprintf(header, sizeof header, MAGIC "version=%lu\nfault=%s\n\n",
                       (unsigned long)version, fault_names[fault]);

    if ((uint32_t)length > size)
        return -1;
    fwrite(header, 1, (size_t)length, file);
    for (uint32_t i = (uint32_t)length; i < size; i++) {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        putc((int)((state * 0x2545f4914f6cdd1du) >> 56), file);
    }
    return ferror(file) ? -1 : 0;
}

int virtual_image(int argc, char **argv)
{
    static const struct option options[] = {
        {"version", required_argument, NULL, 'v'}, {"size", required_argument, NULL, 's'},
        {"out", required_argument, NULL, 'o'},     {"fault", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    uint32_t version = 0;
    uint32_t size = 0;
    const char *path = NULL;
    enum virtual_fault fault = FAULT_NONE;
    FILE *file;
    int option;

    optind = 2;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'v':
            if (!virtual_number(&version, "--version", optarg, 1, 999999999))
                return EXIT_USAGE;
            break;
        case 's':
            if (!virtual_number(&size, "--size", optarg, HEADER_MAX, MUP_IMAGE_SIZE_MAX))
                return EXIT_USAGE;
            break;
        case 'o':
            path = optarg;
            break;
        case 'f':
            if (!find_fault(&fault, optarg, strlen(optarg))) {
                fprintf(stderr,
                        "mup-device: there is no fault '%s'; there are hang, crash, "
                        "no-connect, reset-loop, garbage\n",
                        optarg);
                return EXIT_USAGE;
            }
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            return EXIT_USAGE;
        }
    }
    if (version == 0 || size == 0 || path == NULL || optind != argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    file = fopen(path, "wb");
    if (file == NULL || write_image(file, version, fault, size) != 0 || fclose(file) != 0) {
        fprintf(stderr, "mup-device: %s: %s\n", path, strerror(errno));
        return EXIT_FAILED;
    }
    return 0;
}
