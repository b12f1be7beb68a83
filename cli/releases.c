/* mup releases: what the update server keeps, and fetching more from a vendor. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>

#include "json.h"
#include "rest.h"

static const char help[] =
    "usage: mup releases [OPTION ...] [URL]\n"
    "\n"
    "List the releases that the update server keeps; with a URL, fetch that release\n"
    "first. It is kept only when the vendor's signature, every block and the digest\n"
    "hold.\n"
    "\n" MUP_REST_HELP "  --json              print the server's answer as it is\n"
    "\n"
    "example: mup releases https://vendor.example/releases/lamp/2/nrf51\n";

static void print_releases(const json_t *releases)
{
    size_t index;
    json_t *release;

    if (json_array_size(releases) == 0) {
        printf("no releases yet: fetch one with mup releases URL\n");
        return;
    }
    printf("%7s  %-40s  %10s  %s\n", "RELEASE", "APP/VERSION/HARDWARE", "IMAGE", "DIGEST");
    json_array_foreach(releases, index, release)
    {
        char name[128];
        snprintf(name, sizeof name, "%s/%lld/%s", mup_json_clean(release, "app", "?"),
                 (long long)mup_json_number(release, "version", 0),
                 mup_json_clean(release, "hardware", "?"));
        printf("%7lld  %-40s  %10lld  %.16s...\n", (long long)mup_json_number(release, "id", 0),
               name, (long long)mup_json_number(release, "image_size", 0),
               mup_json_clean(release, "digest", "?"));
    }
}

/* Fetch a release; the reply stands in a list of one, as the list of all would. */
static int fetch(const struct mup_rest *rest, const char *url, json_t **reply)
{
    json_t *body = json_pack("{s:s}", "url", url);
    json_t *release = NULL;
    int code = mup_rest_call(rest, "POST", "/api/v1/releases", body, &release);

    json_decref(body);
    if (code == MUP_EXIT_DONE)
        *reply = json_pack("{s:[o]}", "releases", release);
    return code;
}

int mup_releases_main(int argc, char **argv)
{
    struct mup_rest rest = {NULL, NULL};
    json_t *reply = NULL;
    int json = 0;
    int code;

    code = mup_rest_read_options(&rest, &json, "releases", help, argc, argv);
    if (code != 0)
        return code - 1;
    if (argc - optind > 1)
        return mup_usage("releases", "at most one URL is wanted");
    code = optind < argc ? fetch(&rest, argv[optind], &reply)
                         : mup_rest_call(&rest, "GET", "/api/v1/releases", NULL, &reply);
    if (code != MUP_EXIT_DONE)
        return code;
    if (json)
        mup_print_json(json_incref(reply));
    else
        print_releases(json_object_get(reply, "releases"));
    json_decref(reply);
    return MUP_EXIT_DONE;
}
