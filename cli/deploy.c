/* mup deploy: update a device to a release, and watch until it is confirmed. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "rest.h"
#include "watch.h"

static const char help[] =
    "usage: mup deploy [OPTION ...] DEVICE RELEASE\n"
    "\n"
    "Update a device and watch until it has booted and confirmed the new version.\n"
    "\n"
    "  DEVICE    its UUID or name (mup devices)\n"
    "  RELEASE   a number or APP/VERSION/HARDWARE (mup releases), or the URL of a\n"
    "            release in a vendor's repository, which is fetched and checked first\n"
    "\n" MUP_REST_HELP "  --no-wait           only start it; mup updates shows how it goes\n"
    "  --force             do not check beforehand whether the device will take it:\n"
    "                      let it refuse\n"
    "  --json              print the update as one JSON object\n"
    "\n"
    "Exit code 0 means confirmed (or started, with --no-wait).\n"
    "\n"
    "example: mup deploy 5f0c1d2e-3a4b-4c5d-8e9f-a0b1c2d3e4f5 lamp/2/nrf51\n";

struct deploy_options {
    struct mup_rest rest;
    int json;
    int force;
    int no_wait;
};

static int read_options(struct deploy_options *out, int argc, char **argv)
{
    static const struct option options[] = {MUP_REST_OPTIONS,
                                            {"json", no_argument, NULL, 'j'},
                                            {"force", no_argument, NULL, 'f'},
                                            {"no-wait", no_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'S')
            out->rest.server = optarg;
        else if (option == 'T')
            out->rest.token_file = optarg;
        else if (option == 'j')
            out->json = 1;
        else if (option == 'f')
            out->force = 1;
        else if (option == 'n')
            out->no_wait = 1;
        else if (option == 'h') {
            fputs(help, stdout);
            return 1 + MUP_EXIT_DONE;
        } else
            return 1 + mup_usage("deploy", "that option cannot be used");
    }
    if (argc - optind != 2)
        return 1 + mup_usage("deploy", "DEVICE and RELEASE are wanted");
    mup_rest_init(&out->rest);
    return 0;
}

/* APP/VERSION/HARDWARE as the server wants it; NULL when the text is not that. */
static json_t *release_by_name(const char *text)
{
    char copy[128];
    char *version;
    char *hardware;
    uint32_t number;

    if (strlen(text) >= sizeof copy)
        return NULL;
    snprintf(copy, sizeof copy, "%s", text);
    version = strchr(copy, '/');
    hardware = version == NULL ? NULL : strchr(version + 1, '/');
    if (hardware == NULL)
        return NULL;
    *version++ = '\0';
    *hardware++ = '\0';
    if (copy[0] == '\0' || hardware[0] == '\0' || strchr(hardware, '/') != NULL ||
        mup_parse_number(&number, version, 1, UINT32_MAX) != 0)
        return NULL;
    return json_pack("{s:s, s:I, s:s}", "app", copy, "version", (json_int_t)number, "hardware",
                     hardware);
}

/* What the body's "release" is; fetches it first when it is a URL. NULL: the exit code is set. */
static json_t *find_release(const struct mup_rest *rest, const char *text, int *code)
{
    uint32_t number;
    json_t *release;

    if (mup_parse_number(&number, text, 1, UINT32_MAX) == 0)
        return json_integer(number);
    if (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0) {
        json_t *body = json_pack("{s:s}", "url", text);
        json_t *reply = NULL;
        *code = mup_rest_call(rest, "POST", "/api/v1/releases", body, &reply);
        json_decref(body);
        release = *code == MUP_EXIT_DONE ? json_integer(mup_json_number(reply, "id", 0)) : NULL;
        json_decref(reply);
        return release;
    }
    release = release_by_name(text);
    if (release == NULL)
        *code = mup_usage("deploy", "'%s' is no number, no APP/VERSION/HARDWARE and no URL", text);
    return release;
}

static int follow(const struct deploy_options *options, const json_t *started)
{
    struct mup_show show = {.is_terminal = isatty(STDERR_FILENO)};
    json_t *last = NULL;
    int code =
        mup_watch(&options->rest, mup_json_number(started, "id", 0), mup_show_update, &show, &last);

    if (code != MUP_EXIT_DONE)
        return code;
    if (options->json) {
        code = strcmp(mup_json_text(last, "result", ""), "confirmed") == 0 ? MUP_EXIT_DONE
                                                                           : MUP_EXIT_FAILED;
        mup_print_json(json_incref(last));
    } else {
        code = mup_show_outcome(last);
    }
    json_decref(last);
    return code;
}

int mup_deploy_main(int argc, char **argv)
{
    struct deploy_options options = {.json = 0};
    json_t *release;
    json_t *body;
    json_t *started = NULL;
    int code = read_options(&options, argc, argv);

    if (code != 0)
        return code - 1;
    release = find_release(&options.rest, argv[optind + 1], &code);
    if (release == NULL)
        return code;
    body = json_pack("{s:s, s:o}", "device", argv[optind], "release", release);
    if (options.force)
        json_object_set_new(body, "force", json_true());
    code = mup_rest_call(&options.rest, "POST", "/api/v1/updates", body, &started);
    json_decref(body);
    if (code != MUP_EXIT_DONE)
        return code;
    if (options.no_wait && options.json)
        mup_print_json(json_incref(started));
    else if (options.no_wait)
        printf("update %lld has begun; see: mup updates %lld\n",
               (long long)mup_json_number(started, "id", 0),
               (long long)mup_json_number(started, "id", 0));
    else
        code = follow(&options, started);
    json_decref(started);
    return code;
}
