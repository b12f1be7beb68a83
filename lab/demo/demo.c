/* The scenes of the demo, one after the other. */
#include "demo.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "watch.h"

#define BOOTSTRAP_TIMEOUT_MS 60000
#define UPDATE_TIMEOUT_MS    600000
#define LOOK_MS              500 /* how long the broker may be silent before the server is asked */

static const char picture[] =
    "\n"
    "  vendor            edge                                     device\n"
    "  release --HTTP--> update server --NETCONF--> bridge        (virtual)\n"
    "                          |                      |              |\n"
    "                          +------- MQTT ------ mosquitto -------+\n"
    "\n";

static const char radio_picture[] =
    "\n"
    "  vendor            edge                                     device: micro:bit (QEMU)\n"
    "  release --HTTP--> update server --NETCONF--> bridge        Cortex-M0, 16 kB of RAM\n"
    "                          |                      |              |\n"
    "                          +------- MQTT ------ mosquitto ------ 6LoWPAN, IEEE 802.15.4\n"
    "\n";

__attribute__((format(printf, 2, 3))) static void say(const struct mup_demo *demo,
                                                      const char *format, ...)
{
    va_list list;

    if (demo->out == NULL)
        return;
    va_start(list, format);
    vfprintf(demo->out, format, list);
    va_end(list);
    fflush(demo->out);
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool must_stop(const struct mup_demo *demo)
{
    return demo->options->stop != NULL && *demo->options->stop;
}

static bool release(struct mup_demo *demo, uint32_t version)
{
    return demo->options->board->release(&demo->bed, version, demo->options->image_size, "ok");
}

const char *mup_demo_release_url(const struct mup_demo *demo, uint32_t version)
{
    return demo->options->board->release_url(&demo->bed, version);
}

static bool is_microbit(const struct mup_demo *demo)
{
    return demo->options->board == &mup_board_microbit;
}

/* The version that --keep leaves to deploy; the micro:bit's third good image has number 6. */
uint32_t mup_demo_next(const struct mup_demo *demo)
{
    return is_microbit(demo) ? MUP_DEMO_NEXT_MICROBIT : MUP_DEMO_NEXT;
}

static bool vendor_scene(struct mup_demo *demo)
{
    say(demo,
        "The vendor makes a key pair, certifies the update server's key, and signs %s "
        "releases%s.\n",
        demo->options->keep ? "three" : "two",
        is_microbit(demo) ? " of firmware for a Cortex-M0 with 16 kB of RAM" : "");
    return release(demo, MUP_DEMO_FROM) && release(demo, MUP_DEMO_TO) &&
           (!demo->options->keep || release(demo, mup_demo_next(demo)));
}

static bool edge_scene(struct mup_demo *demo)
{
    struct mup_testbed *bed = &demo->bed;

    say(demo, "The edge starts:");
    if (!mup_testbed_start_edge(bed))
        return false;
    say(demo, " mosquitto on port %d, sshd on %d, bridge, update server on %d.\n", bed->broker_port,
        bed->ssh_port, bed->rest_port);
    if (!demo->options->board->start_radio(bed))
        return false;
    if (is_microbit(demo))
        say(demo, "A border router listens to the radio; what it hears is kept in %s.\n",
            mup_testbed_path(bed, "radio.pcap"));
    snprintf(demo->rest_url, sizeof demo->rest_url, "http://127.0.0.1:%d", bed->rest_port);
    snprintf(demo->token_file, sizeof demo->token_file, "%s", mup_testbed_path(bed, "token"));
    demo->rest = (struct mup_rest){demo->rest_url, demo->token_file};
    demo->tap = mup_tap_open(bed->broker_port, "eavesdropper",
                             mup_testbed_password(bed, "eavesdropper"), "#");
    return demo->tap != NULL;
}

static bool device_has_ended(struct mup_demo *demo)
{
    return !mup_process_is_running(demo->process);
}

/* Feed the story until `done` says so. False at the deadline, at a stop, or when asked by REST. */
static bool follow(struct mup_demo *demo, size_t *mark, const bool *done, int timeout_ms,
                   bool (*has_ended)(struct mup_demo *demo))
{
    int64_t deadline = now_us() + (int64_t)timeout_ms * 1000;
    struct mup_tap_message message;

    while (!*done && now_us() < deadline && !must_stop(demo)) {
        mup_process_pump(&demo->bed.processes, 0);
        if (mup_tap_next(demo->tap, mark, LOOK_MS, &message))
            mup_story_take(&demo->story, &message);
        else if (has_ended(demo))
            break;
    }
    return *done;
}

static bool device_scene(struct mup_demo *demo, size_t *mark)
{
    struct mup_testbed *bed = &demo->bed;

    demo->device = (struct mup_testbed_device){.process = "device",
                                               .version = MUP_DEMO_FROM,
                                               .window = demo->options->window,
                                               .slice = demo->options->slice};
    if (demo->options->image_size > 100000)
        demo->device.slot_size = demo->options->image_size;
    if (!demo->options->board->make(bed, &demo->device))
        return false;
    demo->from = MUP_DEMO_FROM;
    say(demo, "A device leaves the factory: UUID %s, version %u, the vendor's key.%s",
        demo->device.uuid, MUP_DEMO_FROM, is_microbit(demo) ? radio_picture : picture);
    mup_story_begin(&demo->story, demo->out, demo->device.name, now_us());
    demo->process = demo->options->board->start(bed, &demo->device);
    if (demo->process == NULL)
        return false;
    if (follow(demo, mark, &demo->story.steps[0].done, BOOTSTRAP_TIMEOUT_MS, device_has_ended))
        return true;
    if (!must_stop(demo))
        fprintf(stderr, "demo: the device %s; see %s and mup-bridge.log beside it\n",
                device_has_ended(demo) ? "has ended" : "was not taken in",
                mup_testbed_path(bed, "log/device.log"));
    return false;
}

static json_t *post(struct mup_demo *demo, const char *path, json_t *body)
{
    json_t *reply = NULL;

    if (mup_rest_call(&demo->rest, "POST", path, body, &reply) != 0)
        reply = NULL;
    json_decref(body);
    return reply;
}

/* The update as the server tells it now; NULL when it cannot be asked. */
static json_t *look(struct mup_demo *demo)
{
    json_t *reply = NULL;

    if (mup_rest_call(&demo->rest, "GET", "/api/v1/updates/1", NULL, &reply) != 0)
        return NULL;
    return reply;
}

static bool has_ended(struct mup_demo *demo)
{
    json_t *update = look(demo);
    bool ended = update == NULL || mup_update_has_ended(update);

    json_decref(update);
    return ended;
}

static void ignore(void *context, const json_t *update)
{
    (void)context;
    (void)update;
}

static void take_result(struct mup_demo *demo, json_int_t id)
{
    json_t *last = NULL;

    snprintf(demo->result, sizeof demo->result, "unknown");
    if (mup_watch(&demo->rest, id, ignore, NULL, &last) != 0)
        return;
    if (strcmp(mup_json_text(last, "result", ""), "confirmed") == 0)
        snprintf(demo->result, sizeof demo->result, "confirmed");
    else
        snprintf(demo->result, sizeof demo->result, "%s",
                 mup_json_text(last, "reason", mup_json_text(last, "result", "unknown")));
    demo->to = (uint32_t)mup_json_number(last, "to", 0);
    json_decref(last);
}

static bool update_scene(struct mup_demo *demo, size_t *mark)
{
    json_t *release = post(demo, "/api/v1/releases",
                           json_pack("{s:s}", "url", mup_demo_release_url(demo, MUP_DEMO_TO)));
    json_t *update;

    if (release == NULL)
        return false;
    demo->story.payload_size = (uint32_t)mup_json_number(release, "payload_size", 0);
    demo->image_size = (uint32_t)mup_json_number(release, "image_size", 0);
    demo->story.last_us = now_us();
    update = post(demo, "/api/v1/updates",
                  json_pack("{s:s, s:I}", "device", demo->device.uuid, "release",
                            mup_json_number(release, "id", 0)));
    json_decref(release);
    if (update == NULL)
        return false;
    (void)follow(demo, mark, &demo->story.steps[7].done, UPDATE_TIMEOUT_MS, has_ended);
    if (!must_stop(demo))
        take_result(demo, mup_json_number(update, "id", 0));
    json_decref(update);
    return strcmp(demo->result, "confirmed") == 0;
}

bool mup_demo_run(struct mup_demo *demo, const struct mup_demo_options *options)
{
    int64_t begun_us = now_us();
    size_t mark = 0;

    memset(demo, 0, sizeof *demo);
    demo->options = options;
    demo->out = options->json ? NULL : stdout;
    snprintf(demo->result, sizeof demo->result, "not-started");
    if (!mup_testbed_init(&demo->bed, options->bin, options->source, options->stop) ||
        !vendor_scene(demo) || !edge_scene(demo) || !device_scene(demo, &mark) ||
        !update_scene(demo, &mark)) {
        if (must_stop(demo))
            snprintf(demo->result, sizeof demo->result, "interrupted");
        else
            say(demo, "\nThe update was not confirmed: %s\n", demo->result);
        return false;
    }
    say(demo, "\nThe device has confirmed version %u. It took %.1f s in all.\n", (unsigned)demo->to,
        (double)(now_us() - begun_us) / 1e6);
    return true;
}

json_t *mup_demo_json(const struct mup_demo *demo)
{
    json_t *made = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "result", demo->result, "board",
                             demo->options->board->name, "device", demo->device.uuid, "from",
                             (json_int_t)demo->from, "to", (json_int_t)demo->to, "image_size",
                             (json_int_t)demo->image_size, "steps", mup_story_json(&demo->story));

    if (demo->options->keep)
        json_object_set_new(made, "endpoints", mup_demo_endpoints(demo));
    return made;
}

json_t *mup_demo_endpoints(const struct mup_demo *demo)
{
    const struct mup_testbed *bed = &demo->bed;
    char broker[32];
    char ssh[2 * MUP_TESTBED_PATH_MAX];
    char stop[32];

    snprintf(broker, sizeof broker, "127.0.0.1:%d", bed->broker_port);
    snprintf(ssh, sizeof ssh,
             "ssh -p %d -i %s -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -s "
             "127.0.0.1 netconf",
             bed->ssh_port, mup_testbed_path(bed, "operator_key"));
    snprintf(stop, sizeof stop, "kill %ld", (long)getpid());
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "rest", demo->rest_url,
                     "token_file", demo->token_file, "broker", broker, "broker_user",
                     "eavesdropper", "broker_password", mup_testbed_password(bed, "eavesdropper"),
                     "netconf", ssh, "release", mup_demo_release_url(demo, mup_demo_next(demo)),
                     "folder", bed->folder, "stop", stop);
}

void mup_demo_tell_endpoints(const struct mup_demo *demo, FILE *out)
{
    json_t *endpoints = mup_demo_endpoints(demo);

    fprintf(out,
            "\nThe edge is left running:\n"
            "  REST      %s, token in %s\n"
            "            ./dev mup devices --server %s --token-file %s\n"
            "            ./dev mup deploy --server %s --token-file %s %s %s\n"
            "  broker    %s, user %s, password %s\n"
            "            mosquitto_sub -h 127.0.0.1 -p %d -u %s -P %s -t '#' -v\n"
            "  NETCONF   %s\n"
            "  files     %s\n"
            "  stop it   %s\n",
            demo->rest_url, demo->token_file, demo->rest_url, demo->token_file, demo->rest_url,
            demo->token_file, demo->device.uuid, mup_json_text(endpoints, "release", ""),
            mup_json_text(endpoints, "broker", ""), mup_json_text(endpoints, "broker_user", ""),
            mup_json_text(endpoints, "broker_password", ""), demo->bed.broker_port,
            mup_json_text(endpoints, "broker_user", ""),
            mup_json_text(endpoints, "broker_password", ""),
            mup_json_text(endpoints, "netconf", ""), demo->bed.folder,
            mup_json_text(endpoints, "stop", ""));
    json_decref(endpoints);
}

void mup_demo_end(struct mup_demo *demo)
{
    mup_tap_close(demo->tap);
    demo->tap = NULL;
    mup_testbed_end(&demo->bed);
}
