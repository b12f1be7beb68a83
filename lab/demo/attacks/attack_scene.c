/* The scene of an attack: the testbed with a device in it, the vendor's releases, genuine updates,
 * and the attacker's connection and keys. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "attack_internal.h"

#include "mup/bootstrap.h"
#include "mup/state.h"

/* Small, so that a transfer takes long enough to be interfered with. */
#define WINDOW_SIZE 512u
#define SLICE_SIZE  128u
#define SLOT_SIZE   262144u
#define NEEDLE_SIZE 96u

void mup_attack_tell(const struct mup_attack_scene *scene, const char *format, ...)
{
    va_list list;

    if (!scene->narrates)
        return;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    fflush(stdout);
}

void mup_attack_complain(const struct mup_attack_scene *scene, const char *format, ...)
{
    va_list list;

    if (scene->bed.processes.stop != NULL && *scene->bed.processes.stop)
        return;
    fputs("demo: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

/* ---- Devices ----------------------------------------------------------------------------- */

bool mup_attack_make_target(struct mup_attack_scene *scene, struct mup_attack_target *target,
                            const char *process)
{
    *target = (struct mup_attack_target){.device = {.process = process,
                                                    .version = scene->factory_version,
                                                    .window = WINDOW_SIZE,
                                                    .slice = SLICE_SIZE,
                                                    .slot_size = SLOT_SIZE}};
    return scene->board->make(&scene->bed, &target->device);
}

bool mup_attack_switch_on(struct mup_attack_scene *scene, struct mup_attack_target *target)
{
    target->mark = mup_tap_mark(scene->tap);
    target->process = scene->board->start(&scene->bed, &target->device);
    return target->process != NULL;
}

/* The bridge's last word: it knows the device. */
bool mup_attack_start_target(struct mup_attack_scene *scene, struct mup_attack_target *target)
{
    struct mup_bootstrap_reply reply = {.state = MUP_STATE_ERROR};
    struct mup_tap_message message;

    if (!mup_attack_switch_on(scene, target))
        return false;
    while (reply.state != MUP_STATE_OK)
        if (!mup_attack_await(scene, target, MUP_TOPIC_BOOTSTRAP, &message) ||
            mup_bootstrap_reply_decode(&reply, message.payload, message.size) != MUP_OK)
            return false;
    return true;
}

/* ---- Releases and genuine updates ---------------------------------------------------------- */

uint32_t mup_attack_release(struct mup_attack_scene *scene, uint32_t image_size, const char *fault)
{
    if (image_size > scene->board->image_size_max)
        image_size = scene->board->image_size_max;
    if (!scene->board->release(&scene->bed, scene->released + 1, image_size, fault))
        return 0;
    return ++scene->released;
}

static json_int_t take_id(json_t *reply)
{
    json_int_t id = json_integer_value(json_object_get(reply, "id"));

    json_decref(reply);
    return id;
}

json_int_t mup_attack_begin_update(struct mup_attack_scene *scene, struct mup_attack_target *target,
                                   uint32_t version)
{
    json_t *body = json_pack("{s:s}", "url", scene->board->release_url(&scene->bed, version));
    json_t *reply = NULL;
    json_int_t id;
    int code = mup_rest_call(&scene->rest, "POST", "/api/v1/releases", body, &reply);

    target->mark = mup_tap_mark(scene->tap);
    json_decref(body);
    if (code != 0)
        return 0;
    scene->payload_size = (uint32_t)json_integer_value(json_object_get(reply, "payload_size"));
    id = take_id(reply);
    body = json_pack("{s:s, s:I}", "device", target->device.uuid, "release", id);
    code = mup_rest_call(&scene->rest, "POST", "/api/v1/updates", body, &reply);
    json_decref(body);
    return code == 0 ? take_id(reply) : 0;
}

bool mup_attack_end_update(struct mup_attack_scene *scene, json_int_t id, const char *result)
{
    char needle[NEEDLE_SIZE];
    char line[MUP_PROCESS_LINE_MAX];
    char wanted[NEEDLE_SIZE];

    snprintf(needle, sizeof needle, "event=\"update ended\" id=%lld ", (long long)id);
    snprintf(wanted, sizeof wanted, " result=\"%s\"", result);
    if (!mup_process_wait_line(&scene->bed.processes, scene->server, needle, MUP_ATTACK_WAIT_MS,
                               line, sizeof line)) {
        mup_attack_complain(scene, "the update server did not end update %lld", (long long)id);
        return false;
    }
    if (strstr(line, wanted) != NULL)
        return true;
    fprintf(stderr, "demo: an update did not end as%s: %s\n", wanted, line);
    return false;
}

bool mup_attack_update(struct mup_attack_scene *scene, struct mup_attack_target *target,
                       uint32_t image_size)
{
    uint32_t version = mup_attack_release(scene, image_size, "ok");
    json_int_t id = version == 0 ? 0 : mup_attack_begin_update(scene, target, version);
    struct mup_report report;

    /* The server's word is not enough: the device itself must run it. */
    return id != 0 && mup_attack_end_update(scene, id, "confirmed") &&
           mup_attack_await_report(scene, target, &report) && report.version == version &&
           report.outcome == MUP_STATE_CONFIRMED;
}

/* ---- Begin and end ------------------------------------------------------------------------- */

static bool open_signer(struct mup_attack_scene *scene, struct mup_signer *signer, const char *file)
{
    struct mup_error error;

    if (mup_signer_open_file(signer, mup_testbed_path(&scene->bed, file), &error) == MUP_OK)
        return true;
    fprintf(stderr, "demo: %s\n", error.text);
    return false;
}

static bool open_keys(struct mup_attack_scene *scene)
{
    struct mup_error error;

    if (mup_key_generate(mup_testbed_path(&scene->bed, "attacker"), &error) != MUP_OK) {
        fprintf(stderr, "demo: %s\n", error.text);
        return false;
    }
    return open_signer(scene, &scene->own, "attacker.key") &&
           open_signer(scene, &scene->stolen, "server.key") &&
           open_signer(scene, &scene->vendor, "vendor.key");
}

static bool find_server(struct mup_attack_scene *scene)
{
    for (size_t i = 0; i < scene->bed.processes.count; i++)
        if (strcmp(scene->bed.processes.list[i].name, "mup-server") == 0)
            scene->server = &scene->bed.processes.list[i];
    snprintf(scene->server_url, sizeof scene->server_url, "http://127.0.0.1:%d",
             scene->bed.rest_port);
    snprintf(scene->token_file, sizeof scene->token_file, "%s",
             mup_testbed_path(&scene->bed, "token"));
    scene->rest = (struct mup_rest){scene->server_url, scene->token_file};
    return scene->server != NULL;
}

bool mup_attack_scene_open(struct mup_attack_scene *scene, const struct mup_board *board,
                           const char *bin, const char *source, volatile const int *stop)
{
    struct mup_testbed *bed = &scene->bed;

    scene->board = board;
    if (!mup_testbed_init(bed, bin, source, stop) || !mup_testbed_start_edge(bed) ||
        !board->start_radio(bed) || !find_server(scene) || !open_keys(scene))
        return false;
    scene->factory_version = mup_attack_release(scene, MUP_ATTACK_IMAGE_SIZE, "ok");
    scene->tap = mup_tap_open(bed->broker_port, "eavesdropper",
                              mup_testbed_password(bed, "eavesdropper"), "#");
    return scene->factory_version != 0 && scene->tap != NULL &&
           mup_attack_make_target(scene, &scene->victim, "victim") &&
           mup_attack_start_target(scene, &scene->victim);
}

void mup_attack_scene_close(struct mup_attack_scene *scene)
{
    mup_tap_close(scene->tap);
    mup_signer_close(&scene->own);
    mup_signer_close(&scene->stolen);
    mup_signer_close(&scene->vendor);
    mup_testbed_end(&scene->bed);
}
