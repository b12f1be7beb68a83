/* The mup command: finds the subcommand and gives it the rest of the line. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct subcommand {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *summary;
};

static const struct subcommand subcommands[] = {
    {"keygen", mup_keygen_main, "vendor, server: make a key pair"},
    {"certify", mup_certify_main, "vendor: sign an update server's key"},
    {"release", mup_release_main, "vendor: create, verify or show a release"},
    {"describe", mup_describe_main, "everybody: show what a device description says"},
    {"devices", mup_devices_main, "operator: list the devices at the edge"},
    {"broker", mup_broker_main, "operator: make a broker's configuration"},
    {"device", mup_device_main, "factory: add, list or revoke who may connect to the broker"},
    {"releases", mup_releases_main, "operator: list releases, or fetch one from a vendor"},
    {"deploy", mup_deploy_main, "operator: update a device to a release and watch it"},
    {"updates", mup_updates_main, "operator: list updates, or show one"},
};

#define SUBCOMMAND_COUNT (sizeof subcommands / sizeof subcommands[0])

static void print_help(FILE *out)
{
    fprintf(out, "usage: mup SUBCOMMAND [OPTION ...] [ARGUMENT ...]\n\n"
                 "Secure over-the-air updates for small MQTT devices.\n\n");
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", subcommands[i].name, subcommands[i].summary);
    fprintf(out, "\n'mup SUBCOMMAND --help' explains one, with an example.\n"
                 "Exit codes: 0 done, 1 tried and failed, 2 the command line cannot be used.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return MUP_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return MUP_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("mup %s\n", MUP_VERSION);
        return MUP_EXIT_DONE;
    }
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            int code = subcommands[i].main(argc - 1, argv + 1);
            if (fflush(stdout) != 0 && code == MUP_EXIT_DONE)
                return mup_fail("cannot write the output");
            return code;
        }
    fprintf(stderr, "mup: no subcommand '%s'; 'mup --help' lists them\n", argv[1]);
    return MUP_EXIT_USAGE;
}
