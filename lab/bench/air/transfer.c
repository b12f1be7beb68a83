/* Updates by the update server, followed by what crosses the broker. */
#include <string.h>

#include "air.h"

#include "mup/rpc.h"
#include "mup/state.h"
#include "mup/transfer.h"

#define LOOK_MS 250

/* ---- what crosses the broker ---- */

static void take_ack(struct mup_air_lab *lab, struct mup_air_device *device,
                     const struct mup_tap_message *message)
{
    struct mup_ack ack;

    if (mup_ack_decode(&ack, message->payload, message->size) != MUP_OK)
        return;
    device->acks++;
    device->rewinds += ack.attempt != device->attempt;
    device->attempt = ack.attempt;
    device->next = ack.next;
    if (ack.next == lab->payload_size && device->accepted_us == 0)
        device->accepted_us = message->at_us;
}

static void take_response(struct mup_air_device *device, const struct mup_tap_message *message)
{
    struct mup_response response;

    if (mup_response_decode(&response, message->payload, message->size) != MUP_OK)
        return;
    device->state = response.state;
    if (device->verify_us != 0 && device->verified_us == 0)
        device->verified_us = message->at_us;
}

/* The topic without the device's name, which it ends with. */
static void take(struct mup_air_lab *lab, struct mup_air_device *device,
                 const struct mup_tap_message *message, size_t prefix_size)
{
    static const struct {
        const char *prefix;
        size_t first; /* where its first message's time stands */
    } firsts[] = {
        {MUP_TOPIC_TOKEN, offsetof(struct mup_air_device, token_us)},
        {MUP_TOPIC_FIRMWARE, offsetof(struct mup_air_device, slice_us)},
        {MUP_TOPIC_VERIFY, offsetof(struct mup_air_device, verify_us)},
    };

    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++)
        if (strncmp(message->topic, firsts[i].prefix, prefix_size) == 0) {
            int64_t *at = (int64_t *)(void *)((char *)device + firsts[i].first);

            if (*at == 0)
                *at = message->at_us;
            device->slices += i == 1;
            return;
        }
    if (strncmp(message->topic, MUP_TOPIC_ACK, prefix_size) == 0)
        take_ack(lab, device, message);
    else if (strncmp(message->topic, MUP_TOPIC_RESPONSE, prefix_size) == 0)
        take_response(device, message);
}

static void take_message(struct mup_air_lab *lab, const struct mup_tap_message *message)
{
    const char *name = strrchr(message->topic, '/');

    for (size_t i = 0; name != NULL && i < lab->device_count; i++)
        if (strcmp(name + 1, lab->devices[i].device.name) == 0)
            take(lab, &lab->devices[i], message, (size_t)(name + 1 - message->topic));
}

bool mup_air_follow(struct mup_air_lab *lab, bool (*done)(const struct mup_air_lab *lab),
                    int64_t deadline_us)
{
    struct mup_tap_message message;

    while (!done(lab)) {
        if (mup_air_now_us() > deadline_us ||
            (lab->bed.processes.stop != NULL && *lab->bed.processes.stop))
            return false;
        mup_process_pump(&lab->bed.processes, 0);
        if (mup_tap_next(lab->tap, &lab->mark, LOOK_MS, &message))
            take_message(lab, &message);
    }
    return true;
}

/* ---- updates ---- */

static json_t *post(struct mup_air_lab *lab, const char *path, json_t *body)
{
    json_t *reply = NULL;
    int code = mup_rest_call(&lab->rest, "POST", path, body, &reply);

    json_decref(body);
    if (code == 0)
        return reply;
    mup_air_fail(lab, "the update server refused %s", path);
    return NULL;
}

bool mup_air_deploy(struct mup_air_lab *lab, uint32_t version, bool force)
{
    json_t *release = post(lab, "/api/v1/releases",
                           json_pack("{s:s}", "url", mup_testbed_microbit_url(&lab->bed, version)));
    json_int_t id = json_integer_value(json_object_get(release, "id"));
    bool good = release != NULL;

    lab->payload_size = (uint32_t)json_integer_value(json_object_get(release, "payload_size"));
    json_decref(release);
    for (size_t i = 0; good && i < lab->device_count; i++) {
        json_t *update = post(lab, "/api/v1/updates",
                              json_pack("{s:s, s:I, s:b}", "device", lab->devices[i].device.uuid,
                                        "release", id, "force", force ? 1 : 0));
        good = update != NULL;
        json_decref(update);
    }
    return good;
}

static bool all_verified(const struct mup_air_lab *lab)
{
    for (size_t i = 0; i < lab->device_count; i++)
        if (lab->devices[i].verified_us == 0)
            return false;
    return true;
}

static bool one_has_begun(const struct mup_air_lab *lab)
{
    for (size_t i = 0; i < lab->device_count; i++)
        if (lab->devices[i].slice_us != 0)
            return true;
    return false;
}

static bool one_is_half_way(const struct mup_air_lab *lab)
{
    return lab->devices[0].next >= lab->payload_size / 2;
}

static bool never(const struct mup_air_lab *lab)
{
    (void)lab;
    return false;
}

/* In the middle of the transfer the link is gone for a time. */
static bool cut_link(struct mup_air_lab *lab, const struct mup_air_row *row, int64_t deadline_us)
{
    json_t *answer;

    if (!mup_air_follow(lab, one_is_half_way, deadline_us))
        return mup_air_fail(lab, "the transfer did not come half way");
    if ((answer = mup_air_command(lab, "set link=off")) == NULL)
        return false;
    json_decref(answer);
    (void)mup_air_follow(lab, never, mup_air_now_us() + (int64_t)row->cut_s * 1000000);
    if ((answer = mup_air_command(lab, "set link=on")) == NULL)
        return false;
    json_decref(answer);
    return true;
}

bool mup_air_update(struct mup_air_lab *lab, const struct mup_air_row *row)
{
    int64_t deadline_us = mup_air_now_us() + (int64_t)row->timeout_s * 1000000;
    uint32_t version = row->image_size == MUP_AIR_IMAGE_SIZE ? MUP_AIR_RELEASE : lab->released + 1;

    if (version > lab->released) {
        if (!mup_testbed_release_microbit_as(&lab->bed, version, row->image_size, "ok"))
            return mup_air_fail(lab, "the vendor released nothing");
        lab->released = version;
    }
    if (!mup_air_count(lab, row) || !mup_air_deploy(lab, version, false))
        return false;
    if (!mup_air_follow(lab, one_has_begun, deadline_us))
        return mup_air_fail(lab, "no slice was published");
    mup_air_hurry_devices(lab);
    if (row->cut_s != 0 && !cut_link(lab, row, deadline_us))
        return false;
    if (!mup_air_follow(lab, all_verified, deadline_us))
        return mup_air_fail(lab, "not verified in time: %u of %u bytes acknowledged",
                            (unsigned)lab->devices[0].next, (unsigned)lab->payload_size);
    for (size_t i = 0; i < lab->device_count; i++)
        if (lab->devices[i].state != MUP_STATE_OK)
            return mup_air_fail(lab, "%s answered verify with %u", lab->devices[i].process_name,
                                (unsigned)lab->devices[i].state);
    return true;
}
