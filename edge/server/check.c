/* One sentence for each thing that has to hold. */
#include "server/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mup/state.h"
#include "store/server_store.h"

#define MESSAGE_SIZE 240u

enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_UNKNOWN };

__attribute__((format(printf, 4, 5))) static void say(json_t *list, const char *name,
                                                      enum verdict verdict, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    json_t *message = json_string(text);
    json_array_append_new(
        list,
        json_pack("{s:s, s:o, s:o}", "name", name, "ok",
                  verdict == VERDICT_UNKNOWN ? json_null() : json_boolean(verdict == VERDICT_YES),
                  "message", message ? message : json_string("(not UTF-8)")));
}

static void say_ready(json_t *list, const struct mup_check *check)
{
    const struct mup_directory_device *d = check->device;

    if (strcmp(d->state, "ready") == 0 && mup_directory_is_online(d)) {
        say(list, "ready", VERDICT_YES, "it is connected and its description is known");
    } else if (d->module[0] == '\0') {
        say(list, "ready", VERDICT_NO, "its description is not known: it is %s", d->state);
    } else {
        say(list, "ready", VERDICT_NO, "it is %s", d->state);
    }
}

static void say_idle(json_t *list, const struct mup_check *check)
{
    if (check->running_id == 0) {
        say(list, "idle", VERDICT_YES, "no other update of it is under way");
    } else {
        say(list, "idle", VERDICT_NO, "update %" PRId64 " of it is under way", check->running_id);
    }
}

static void write_kid(char text[2 * MUP_KID_SIZE + 1], const uint8_t kid[MUP_KID_SIZE])
{
    for (size_t i = 0; i < MUP_KID_SIZE; i++) {
        snprintf(text + 2 * i, 3, "%02x", kid[i]);
    }
}

/* The signature itself was verified when the release came in. */
static void say_vendor(json_t *list, const struct mup_check *check)
{
    char signer[2 * MUP_KID_SIZE + 1];
    char wanted[2 * MUP_KID_SIZE + 1];

    write_kid(signer, check->goal->vendor_kid);
    if (!check->token) {
        say(list, "vendor", VERDICT_YES, "signed by the vendor %s, whom this server believes",
            signer);
        return;
    }
    write_kid(wanted, check->token->vendor_kid);
    if (strcmp(signer, wanted) == 0) {
        say(list, "vendor", VERDICT_YES, "signed by the vendor %s, whom the device believes",
            signer);
    } else {
        say(list, "vendor", VERDICT_NO, "signed by the vendor %s, but the device believes %s",
            signer, wanted);
    }
}

static void say_newer(json_t *list, const struct mup_check *check)
{
    uint32_t to = check->goal->manifest.new_version;
    uint32_t from = check->token ? check->token->version : check->device->version;

    if (!check->token && !check->device->has_version) {
        say(list, "newer", VERDICT_UNKNOWN, "what runs on it is not known yet");
    } else if (to > from) {
        say(list, "newer", VERDICT_YES, "version %u runs, this is version %u", (unsigned)from,
            (unsigned)to);
    } else {
        say(list, "newer", VERDICT_NO,
            "version %u runs, and this is version %u: a device never goes back", (unsigned)from,
            (unsigned)to);
    }
}

static void say_fits(json_t *list, const struct mup_check *check)
{
    const struct mup_manifest *m = &check->goal->manifest;
    const struct mup_token *t = check->token;

    if (!t) {
        say(list, "fits", VERDICT_UNKNOWN, "it is %s for %s; the device says whether that is it",
            m->app_id, m->hardware_class);
    } else if (strcmp(t->app_id, m->app_id) != 0) {
        say(list, "fits", VERDICT_NO, "it runs %s, the release is %s", t->app_id, m->app_id);
    } else if (strcmp(t->hardware_class, m->hardware_class) != 0) {
        say(list, "fits", VERDICT_NO, "it is %s, the release is for %s", t->hardware_class,
            m->hardware_class);
    } else if (m->old_version != 0 && m->old_version != t->version) {
        say(list, "fits", VERDICT_NO, "it goes on top of version %u only",
            (unsigned)m->old_version);
    } else if (m->link_offset != t->link_offset) {
        say(list, "fits", VERDICT_NO, "it runs images linked for 0x%x, this one is for 0x%x",
            (unsigned)t->link_offset, (unsigned)m->link_offset);
    } else if (m->image_size > t->slot_size) {
        say(list, "fits", VERDICT_NO, "it takes %u bytes, the image has %u", (unsigned)t->slot_size,
            (unsigned)m->image_size);
    } else if (m->block_size > t->block_size_max) {
        say(list, "fits", VERDICT_NO, "it takes blocks of %u bytes, the release has %u",
            (unsigned)t->block_size_max, (unsigned)m->block_size);
    } else {
        say(list, "fits", VERDICT_YES, "it is %s for %s, as the device, and has room there",
            m->app_id, m->hardware_class);
    }
}

/* What the device itself says, as a whole. */
static void say_device(json_t *list, const struct mup_check *check)
{
    uint32_t state = check->token ? mup_update_check(check->goal, check->token) : MUP_STATE_OK;

    if (!check->is_asked) {
        say(list, "device", VERDICT_UNKNOWN, "the device was not asked");
    } else if (!check->token) {
        say(list, "device", VERDICT_NO, "%s", check->refusal);
    } else if (state != MUP_STATE_OK) {
        say(list, "device", VERDICT_NO, "by its token it would answer %u_%s", (unsigned)state,
            mup_state_name(state));
    } else {
        say(list, "device", VERDICT_YES, "by its token it would take this release");
    }
}

json_t *mup_check_json(const struct mup_check *check, bool *may)
{
    json_t *list = json_array();
    const json_t *entry;
    size_t i;

    say_ready(list, check);
    say_idle(list, check);
    say_vendor(list, check);
    say_newer(list, check);
    say_fits(list, check);
    say_device(list, check);
    *may = true;
    json_array_foreach(list, i, entry)
    {
        *may = *may && !json_is_false(json_object_get(entry, "ok"));
    }
    return list;
}
