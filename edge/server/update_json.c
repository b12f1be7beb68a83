/* What REST and events say about updates and releases. */
#include "server/update_json.h"

#include <stdio.h>
#include <string.h>

#include "mup/topic.h"
#include "server/update.h"

static json_t *hex(const uint8_t *bytes, size_t size)
{
    char text[2 * MUP_DIGEST_SIZE + 1];

    for (size_t i = 0; i < size; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    return json_stringn(text, 2 * size);
}

/* Texts come from devices, too: what is not UTF-8 becomes null. */
static json_t *text_or_null(const char *text)
{
    json_t *made = text[0] ? json_string(text) : NULL;

    return made ? made : json_null();
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *steps_json(const struct mup_stored_step *steps, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(
            list, json_pack("{s:i, s:s, s:o, s:o, s:o, s:o}", "number", (int)steps[i].number,
                            "name", steps[i].name, "started_ms", number(steps[i].started_ms), "ms",
                            number(steps[i].took_ms), "bytes_out", number(steps[i].bytes_out),
                            "bytes_in", number(steps[i].bytes_in)));
    }
    return list;
}

static bool has_ended(const struct mup_stored_update *update)
{
    enum mup_update_state state;

    return mup_update_state_from_name(&state, update->state) && state >= MUP_UPDATE_CONFIRMED;
}

json_t *mup_update_json(const struct mup_stored_update *update,
                        const struct mup_stored_release *release,
                        const struct mup_stored_step *steps, size_t step_count)
{
    char uuid[MUP_UUID_TEXT_SIZE];

    mup_uuid_format(uuid, update->uuid);
    json_t *made = json_pack(
        "{s:I, s:{s:s, s:s}, s:s, s:o, s:o, s:o, s:I, s:I, s:b, s:o, s:o, s:o}", "id",
        (json_int_t)update->id, "device", "uuid", uuid, "name", update->name, "state",
        update->state, "result", has_ended(update) ? json_string(update->state) : json_null(),
        "reason", text_or_null(update->reason), "message", text_or_null(update->message), "from",
        (json_int_t)update->from_version, "to", (json_int_t)update->to_version, "force",
        update->force ? 1 : 0, "started_ms", number(update->started_ms), "finished_ms",
        update->finished_ms ? number(update->finished_ms) : json_null(), "steps",
        steps_json(steps, step_count));
    if (made && release) {
        json_object_set_new(made, "release",
                            json_pack("{s:I, s:s, s:I, s:s}", "id", (json_int_t)release->id, "app",
                                      release->app_id, "version", (json_int_t)release->version,
                                      "hardware", release->hardware_class));
        json_object_set_new(made, "image_size", json_integer(release->image_size));
        json_object_set_new(made, "payload_size", json_integer(release->payload_size));
    }
    return made;
}

void mup_update_json_progress(json_t *update, uint64_t at, uint64_t of)
{
    json_object_set_new(update, "progress",
                        json_pack("{s:o, s:o}", "at", number(at), "of", number(of)));
}

json_t *mup_release_json(const struct mup_stored_release *release)
{
    return json_pack(
        "{s:I, s:s, s:I, s:s, s:I, s:I, s:o, s:o, s:o, s:s, s:o}", "id", (json_int_t)release->id,
        "app", release->app_id, "version", (json_int_t)release->version, "hardware",
        release->hardware_class, "image_size", (json_int_t)release->image_size, "payload_size",
        (json_int_t)release->payload_size, "digest", hex(release->image_digest, MUP_DIGEST_SIZE),
        "manifest_digest", hex(release->manifest_digest, MUP_DIGEST_SIZE), "vendor_kid",
        hex(release->vendor_kid, MUP_KID_SIZE), "url", release->url, "fetched_ms",
        number(release->fetched_ms));
}
