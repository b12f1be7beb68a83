/* mup devices: who is at the edge. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>

#include "json.h"
#include "rest.h"
#include "standing.h"

static const char help[] =
    "usage: mup devices [--server URL] [--token-file FILE] [--json]\n"
    "       mup devices quarantine|release|retire|replace ...\n"
    "       (see mup devices retire --help)\n"
    "\n"
    "List the devices at the edge: name, category, version, presence, last seen.\n"
    "\n" MUP_REST_HELP "  --json              print the server's answer as it is\n"
    "\n"
    "example: mup devices --server http://127.0.0.1:8080 --token-file token\n";

static void print_devices(const json_t *devices)
{
    size_t index;
    json_t *device;

    if (json_array_size(devices) == 0) {
        printf("no devices yet: one appears within a minute of its reaching the broker\n");
        return;
    }
    printf("%-36s  %-16s  %7s  %-7s  %s\n", "DEVICE", "CATEGORY", "VERSION", "ONLINE", "LAST SEEN");
    json_array_foreach(devices, index, device)
    {
        const json_t *online = json_object_get(device, "online");
        printf("%-36s  %-16s  %7lld  %-7s  %s\n", mup_json_clean(device, "name", "?"),
               mup_json_clean(device, "category", "?"),
               (long long)mup_json_number(device, "version", 0),
               json_is_true(online) ? "yes" : "no", mup_json_clean(device, "last_seen", "?"));
    }
}

int mup_devices_main(int argc, char **argv)
{
    struct mup_rest rest = {NULL, NULL};
    json_t *reply;
    int json = 0;
    int code;

    if (argc > 1 && mup_standing_is_verb(argv[1]))
        return mup_standing_main(argc - 1, argv + 1);
    code = mup_rest_read_options(&rest, &json, "devices", help, argc, argv);
    if (code != 0)
        return code - 1;
    if (optind != argc)
        return mup_usage("devices", "'%s' is none of quarantine, release, retire and replace",
                         argv[optind]);
    code = mup_rest_call(&rest, "GET", "/api/v1/devices", NULL, &reply);
    if (code != MUP_EXIT_DONE)
        return code;
    if (json) {
        mup_print_json(reply);
        return MUP_EXIT_DONE;
    }
    print_devices(json_object_get(reply, "devices"));
    json_decref(reply);
    return MUP_EXIT_DONE;
}
