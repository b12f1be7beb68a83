/*
 * mup-device, the virtual device: which subcommand.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "virtual.h"

static const char usage[] =
    "mup-device: a device that takes signed updates, as a process\n"
    "\n"
    "  mup-device factory ...   make its flash, as a production line would\n"
    "  mup-device image ...     make an image for it\n"
    "  mup-device run ...       run it\n"
    "\n"
    "Each has --help. An example:\n"
    "\n"
    "  mup-device image --version 1 --size 20000 --out one.img\n"
    "  mup-device factory --flash d.flash --vendor-key vendor.pub --image one.img \\\n"
    "      --uuid 5f0c1d2e-3a4b-4c5d-8e9f-a0b1c2d3e4f5\n"
    "  mup-device run --flash d.flash --broker 127.0.0.1:1883 \\\n"
    "      --description firmware/description/virtual.jsonld\n";

bool virtual_number(uint32_t *out, const char *option, const char *text, uint32_t least,
                    uint32_t most)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value < least ||
        value > most) {
        fprintf(stderr, "mup-device: %s wants a number from %lu to %lu, not '%s'\n", option,
                (unsigned long)least, (unsigned long)most, text);
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"run", virtual_run}, {"factory", virtual_factory}, {"image", virtual_image}};

    if (argc < 2) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc, argv);
    fprintf(stderr, "mup-device: there is no subcommand '%s'; try mup-device --help\n", argv[1]);
    return EXIT_USAGE;
}
