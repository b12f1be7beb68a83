/* The fleet of ./dev demo --web: five virtual devices and one micro:bit, with a release for each
 * kind to update to, and one more in the vendor's repository to fetch. */
#include "web.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "board.h"
#include "command.h"
#include "json.h"
#include "rest.h"
#include "testbed.h"

#define IMAGE_SIZE      87800u /* the paper's */
#define FIRST           1u
#define SECOND          2u
#define THIRD           3u    /* for whoever fetches it */
#define DEVICE_WINDOW   1024u /* small, so that there is something to watch */
#define DEVICE_SLICE    512u
#define READY_TIMEOUT_S 120

struct web {
    const struct mup_web_options *options;
    struct mup_testbed bed;
    struct mup_rest rest;
    char url[64];
    char token_file[MUP_TESTBED_PATH_MAX + 16];
    struct mup_testbed_device devices[MUP_WEB_VIRTUAL_COUNT + 1];
    char processes[MUP_WEB_VIRTUAL_COUNT + 1][16];
};

static bool make_releases(struct web *web)
{
    struct mup_testbed *bed = &web->bed;

    for (uint32_t version = FIRST; version <= THIRD; version++)
        if (!mup_testbed_release(bed, version, IMAGE_SIZE, "ok"))
            return false;
    return !web->options->has_microbit || (mup_testbed_release_microbit(bed, FIRST, "ok") &&
                                           mup_testbed_release_microbit(bed, SECOND, "ok"));
}

static bool start_edge(struct web *web)
{
    struct mup_testbed *bed = &web->bed;

    bed->router_arguments[0] = "--air"; /* as slow as it is: an update can be watched */
    if (!mup_testbed_start_edge(bed) || !mup_testbed_make_web_user(bed) ||
        (web->options->has_microbit && !mup_testbed_start_router(bed)))
        return false;
    snprintf(web->url, sizeof web->url, "http://127.0.0.1:%d", bed->rest_port);
    snprintf(web->token_file, sizeof web->token_file, "%s", mup_testbed_path(bed, "token"));
    web->rest = (struct mup_rest){web->url, web->token_file};
    return true;
}

/* Names that tell the devices apart; the last virtual one runs the second version already. */
static bool start_devices(struct web *web)
{
    struct mup_testbed *bed = &web->bed;

    for (unsigned i = 0; i < MUP_WEB_VIRTUAL_COUNT; i++) {
        struct mup_testbed_device *device = &web->devices[i];
        snprintf(web->processes[i], sizeof web->processes[i], "device-%u", i + 1);
        device->process = web->processes[i];
        snprintf(device->name, sizeof device->name, "sensor-%u", i + 1);
        device->version = i + 1 < MUP_WEB_VIRTUAL_COUNT ? FIRST : SECOND;
        device->window = DEVICE_WINDOW;
        device->slice = DEVICE_SLICE;
        device->arguments[0] = "--interval";
        device->arguments[1] = "2";
        if (!mup_testbed_make_device(bed, device) || !mup_testbed_start_device(bed, device))
            return false;
    }
    if (!web->options->has_microbit)
        return true;
    struct mup_testbed_device *board = &web->devices[MUP_WEB_VIRTUAL_COUNT];
    board->run_arguments[0] = "--real-time";
    board->process = "microbit";
    snprintf(board->name, sizeof board->name, "microbit-1");
    board->version = FIRST;
    return mup_testbed_make_microbit(bed, board) && mup_testbed_start_microbit(bed, board);
}

/* The vendor's second version, so that the first visit finds something to update to. */
static bool fetch(struct web *web, const char *url)
{
    json_t *body = json_pack("{s:s}", "url", url);
    json_t *reply = NULL;
    bool good = mup_rest_call(&web->rest, "POST", "/api/v1/releases", body, &reply) == 0;

    json_decref(body);
    if (good)
        json_decref(reply);
    return good;
}

static size_t count_ready(struct web *web)
{
    json_t *reply = NULL;
    json_t *device;
    size_t index;
    size_t ready = 0;

    if (mup_rest_call(&web->rest, "GET", "/api/v1/devices", NULL, &reply) != 0)
        return 0;
    json_array_foreach(json_object_get(reply, "devices"), index, device) ready +=
        strcmp(mup_json_text(device, "state", ""), "ready") == 0;
    json_decref(reply);
    return ready;
}

static int64_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool await_devices(struct web *web)
{
    int64_t begun_s = now_s();
    size_t wanted = MUP_WEB_VIRTUAL_COUNT + (web->options->has_microbit ? 1 : 0);

    while (now_s() - begun_s < READY_TIMEOUT_S && !*web->options->stop) {
        if (count_ready(web) == wanted)
            return true;
        mup_process_pump(&web->bed.processes, 250);
    }
    if (!*web->options->stop)
        fprintf(stderr, "demo: not all devices were taken in; see %s\n",
                mup_testbed_path(&web->bed, "log"));
    return false;
}

static void tell(const struct web *web)
{
    if (web->options->json) {
        mup_print_json(json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:s}", "url", web->url, "user", MUP_TESTBED_WEB_USER,
            "password", web->bed.web_password, "token_file", web->token_file, "release",
            mup_testbed_release_url(&web->bed, THIRD), "folder", web->bed.folder));
    } else {
        printf("\n"
               "Open      %s\n"
               "User      %s\n"
               "Password  %s\n"
               "\n"
               "%u virtual devices%s. Release 2 is there to update to; the vendor has one\n"
               "more, to be fetched under Releases:\n"
               "          %s\n"
               "\n"
               "Everything ends with Ctrl-C.\n",
               web->url, MUP_TESTBED_WEB_USER, web->bed.web_password, MUP_WEB_VIRTUAL_COUNT,
               web->options->has_microbit ? " and one emulated micro:bit" : "",
               mup_testbed_release_url(&web->bed, THIRD));
    }
    fflush(stdout);
}

static bool begin(struct web *web)
{
    const struct mup_web_options *options = web->options;

    fprintf(stderr, "demo: starting a broker, the bridge, the update server and %u devices\n",
            MUP_WEB_VIRTUAL_COUNT + (options->has_microbit ? 1 : 0));
    return mup_testbed_init(&web->bed, options->bin, options->source, options->stop) &&
           make_releases(web) && start_edge(web) && start_devices(web) &&
           fetch(web, mup_testbed_release_url(&web->bed, SECOND)) &&
           (!options->has_microbit || fetch(web, mup_testbed_microbit_url(&web->bed, SECOND))) &&
           await_devices(web);
}

int mup_demo_web(const struct mup_web_options *options)
{
    static struct web web;
    bool good;

    memset(&web, 0, sizeof web);
    web.options = options;
    good = begin(&web);
    if (good)
        tell(&web);
    while (good && !*options->stop)
        mup_process_pump(&web.bed.processes, 1000);
    if (*options->stop)
        fprintf(stderr, "demo: stopped; everything that was started ends\n");
    mup_testbed_end(&web.bed);
    return good || *options->stop ? MUP_EXIT_DONE : MUP_EXIT_FAILED;
}
