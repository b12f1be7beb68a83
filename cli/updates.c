/* mup updates: what is under way and what became of the rest. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>

#include "json.h"
#include "rest.h"

static const char help[] =
    "usage: mup updates [OPTION ...] [ID]\n"
    "\n"
    "List the updates, newest first, or show one with its steps.\n"
    "\n" MUP_REST_HELP "  --json              print the server's answer as it is\n"
    "\n"
    "example: mup updates 3\n";

static void print_list(const json_t *updates)
{
    size_t index;
    json_t *update;

    if (json_array_size(updates) == 0) {
        printf("no updates yet: start one with mup deploy\n");
        return;
    }
    printf("%6s  %-36s  %9s  %-10s  %s\n", "UPDATE", "DEVICE", "VERSIONS", "STATE", "REASON");
    json_array_foreach(updates, index, update)
    {
        printf("%6lld  %-36s  %4lld>%-4lld  %-10s  %s\n",
               (long long)mup_json_number(update, "id", 0),
               mup_json_clean(json_object_get(update, "device"), "name", "?"),
               (long long)mup_json_number(update, "from", 0),
               (long long)mup_json_number(update, "to", 0), mup_json_clean(update, "state", "?"),
               mup_json_clean(update, "reason", ""));
    }
}

static void print_one(const json_t *update)
{
    size_t index;
    json_t *step;
    json_t *list = json_pack("[O]", (json_t *)(uintptr_t)update);
    const json_t *release = json_object_get(update, "release");

    print_list(list);
    json_decref(list);
    if (json_is_object(release))
        printf("release %s/%lld/%s\n", mup_json_clean(release, "app", "?"),
               (long long)mup_json_number(release, "version", 0),
               mup_json_clean(release, "hardware", "?"));
    if (mup_json_text(update, "message", "")[0] != '\0')
        printf("%s\n", mup_json_clean(update, "message", ""));
    printf("%-10s  %10s  %10s  %10s\n", "STEP", "MS", "TO DEVICE", "FROM IT");
    json_array_foreach(json_object_get(update, "steps"), index, step)
    {
        printf("%-10s  %10lld  %10lld  %10lld\n", mup_json_clean(step, "name", "?"),
               (long long)mup_json_number(step, "ms", 0),
               (long long)mup_json_number(step, "bytes_out", 0),
               (long long)mup_json_number(step, "bytes_in", 0));
    }
}

int mup_updates_main(int argc, char **argv)
{
    struct mup_rest rest = {NULL, NULL};
    char path[64] = "/api/v1/updates";
    uint32_t id = 0;
    json_t *reply;
    int json = 0;
    int code;

    code = mup_rest_read_options(&rest, &json, "updates", help, argc, argv);
    if (code != 0)
        return code - 1;
    if (argc - optind > 1 ||
        (optind < argc && mup_parse_number(&id, argv[optind], 1, UINT32_MAX) != 0))
        return mup_usage("updates", "at most one ID is wanted, a number");
    if (id != 0)
        snprintf(path, sizeof path, "/api/v1/updates/%u", (unsigned)id);
    code = mup_rest_call(&rest, "GET", path, NULL, &reply);
    if (code != MUP_EXIT_DONE)
        return code;
    if (json) {
        mup_print_json(reply);
        return MUP_EXIT_DONE;
    }
    if (id != 0)
        print_one(reply);
    else
        print_list(json_object_get(reply, "updates"));
    json_decref(reply);
    return MUP_EXIT_DONE;
}
