/* The scenes of the demo, one after the other. */
#include "demo.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "json.h"
#include "watch.h"

#define BOOTSTRAP_TIMEOUT_MS 60000
#define UPDATE_TIMEOUT_MS    600000
#define LOOK_MS              500 /* how long the broker may be silent before the server is asked */

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

bool mup_demo_is_paced(const struct mup_demo *demo)
{
    return is_microbit(demo) && !demo->options->fast;
}

/* The version that --keep leaves to deploy; the micro:bit's third good image has number 6. */
uint32_t mup_demo_next(const struct mup_demo *demo)
{
    return is_microbit(demo) ? MUP_DEMO_NEXT_MICROBIT : MUP_DEMO_NEXT;
}

static bool vendor_scene(struct mup_demo *demo)
{
    const struct mup_board *board = demo->options->board;

    if (!release(demo, MUP_DEMO_FROM) || !release(demo, MUP_DEMO_TO) ||
        (demo->options->keep && !release(demo, mup_demo_next(demo))) ||
        !mup_evidence_release(&demo->releases[0], &demo->bed, board, MUP_DEMO_FROM) ||
        !mup_evidence_release(&demo->releases[1], &demo->bed, board, MUP_DEMO_TO))
        return false;
    mup_account_vendor(demo);
    return true;
}

static bool edge_scene(struct mup_demo *demo)
{
    struct mup_testbed *bed = &demo->bed;

    if (mup_demo_is_paced(demo))
        bed->router_arguments[0] = "--air";
    if (!mup_testbed_start_edge(bed) || !demo->options->board->start_radio(bed))
        return false;
    mup_account_edge(demo);
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
    if (mup_demo_is_paced(demo))
        demo->device.run_arguments[0] = "--real-time";
    if (demo->options->image_size > 100000)
        demo->device.slot_size = demo->options->image_size;
    if (!demo->options->board->make(bed, &demo->device) ||
        !mup_evidence_flash(&demo->before, bed, &demo->device, demo->releases))
        return false;
    demo->from = MUP_DEMO_FROM;
    mup_account_device(demo);
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

/* The device's word is not enough: what is in its flash now? */
static bool end_scene(struct mup_demo *demo)
{
    const struct mup_testbed *bed = &demo->bed;

    if (!mup_evidence_flash(&demo->after, bed, &demo->device, demo->releases))
        return false;
    if (is_microbit(demo) && (!mup_evidence_stack(&demo->stack_unused, bed, &demo->device) ||
                              !mup_evidence_radio(&demo->radio, bed)))
        fprintf(stderr, "demo: RAM or radio of the micro:bit could not be looked at\n");
    mup_account_end(demo);
    if (demo->after.execution.version == demo->to)
        return true;
    snprintf(demo->result, sizeof demo->result, "wrong-image");
    return false;
}

bool mup_demo_run(struct mup_demo *demo, const struct mup_demo_options *options)
{
    int64_t begun_us = now_us();
    size_t mark = 0;

    memset(demo, 0, sizeof *demo);
    demo->options = options;
    demo->out = options->json ? NULL : stdout;
    snprintf(demo->result, sizeof demo->result, "not-started");
    mup_account_begin(demo);
    if (!mup_testbed_init(&demo->bed, options->bin, options->source, options->stop) ||
        !vendor_scene(demo) || !edge_scene(demo) || !device_scene(demo, &mark) ||
        !update_scene(demo, &mark) || !end_scene(demo)) {
        if (must_stop(demo))
            snprintf(demo->result, sizeof demo->result, "interrupted");
        else
            mup_account_say(demo, "\nThe update was not confirmed: %s\n", demo->result);
        return false;
    }
    mup_account_say(
        demo, "\nThe device has confirmed version %u. It took %.1f s in all.\n%s",
        (unsigned)demo->to, (double)(now_us() - begun_us) / 1e6,
        options->keep ? "" : "Everything that was started ends; --keep leaves it running.\n");
    return true;
}

static json_t *evidence_json(const struct mup_demo *demo)
{
    json_t *made = json_pack("{s:s, s:s, s:I}", "execution_before", demo->before.execution.digest,
                             "execution_after", demo->after.execution.digest, "staging_version",
                             (json_int_t)demo->after.staging.version);

    if (demo->stack_unused != 0)
        json_object_set_new(made, "ram_untouched", json_integer(demo->stack_unused));
    if (demo->radio.frames != 0) {
        json_object_set_new(made, "radio_frames", json_integer((json_int_t)demo->radio.frames));
        json_object_set_new(made, "radio_bytes", json_integer((json_int_t)demo->radio.size));
    }
    return made;
}

json_t *mup_demo_json(const struct mup_demo *demo)
{
    json_t *made = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "result", demo->result,
                             "board", demo->options->board->name, "device", demo->device.uuid,
                             "from", (json_int_t)demo->from, "to", (json_int_t)demo->to,
                             "image_size", (json_int_t)demo->image_size, "steps",
                             mup_story_json(&demo->story), "evidence", evidence_json(demo));

    if (demo->options->keep)
        json_object_set_new(made, "endpoints", mup_demo_endpoints(demo));
    return made;
}

void mup_demo_end(struct mup_demo *demo)
{
    mup_tap_close(demo->tap);
    demo->tap = NULL;
    mup_testbed_end(&demo->bed);
}
