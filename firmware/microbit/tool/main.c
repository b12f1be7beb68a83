/* mup-microbit: the production line of the micro:bit, and the micro:bit itself, in QEMU. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const char usage[] = "mup-microbit: a BBC micro:bit that takes signed updates\n"
                            "\n"
                            "  mup-microbit factory ...   make the flash image of a new device\n"
                            "  mup-microbit run ...       run it in QEMU\n"
                            "\n"
                            "Each has --help.\n";

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "factory") == 0)
        return microbit_factory(argc, argv);
    if (strcmp(argv[1], "run") == 0)
        return microbit_run(argc, argv);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    fprintf(stderr, PROGRAM ": there is no subcommand '%s'; try " PROGRAM " --help\n", argv[1]);
    return EXIT_USAGE;
}
