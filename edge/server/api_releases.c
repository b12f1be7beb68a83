/* Releases over REST: fetch, list, tell in words. */
#include "server/api_internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "server/update_json.h"

/* ---- lists ---- */

static json_t *refused_json(const struct mup_refused_release *refused)
{
    json_t *url = json_string(refused->url);
    json_t *message = json_string(refused->fault.message);

    return json_pack("{s:o, s:s, s:o, s:s, s:I}", "url", url ? url : json_string(""), "code",
                     mup_fault_name(refused->fault.code), "message",
                     message ? message : json_string("(not UTF-8)"), "hint",
                     mup_fault_hint(refused->fault.code), "at_ms", (json_int_t)refused->at_ms);
}

void mup_api_get_releases(struct mup_api *api, const struct mup_ask *ask)
{
    json_t *list = json_array();
    json_t *refusals = json_array();
    const struct mup_refused_release *refused;

    for (size_t i = 0; i < mup_releases_count(api->parts.releases); i++) {
        json_array_append_new(list, mup_release_json(mup_releases_at(api->parts.releases, i)));
    }
    for (size_t i = 0; (refused = mup_releases_refused(api->parts.releases, i)) != NULL; i++) {
        json_array_append_new(refusals, refused_json(refused));
    }
    mup_answer_json(ask->request, 200,
                    json_pack("{s:o, s:o}", "releases", list, "refused", refusals));
}

/* ---- fetching ---- */

static void on_added(void *arg, const struct mup_fault *fault,
                     const struct mup_stored_release *release)
{
    struct mup_http_request *request = arg;
    struct mup_api *api = mup_http_owner(request);
    struct mup_event_subject none = {.uuid = NULL};
    json_t *json = fault ? refused_json(mup_releases_refused(api->parts.releases, 0))
                         : mup_release_json(release);

    if (json) {
        mup_events_tell(api->events, fault ? MUP_EVENT_REFUSED : MUP_EVENT_RELEASE, &none, json);
    }
    if (fault) {
        mup_answer_fault(request, fault);
        json_decref(json);
    } else {
        mup_answer_json(request, 201, json);
    }
}

void mup_api_post_release(struct mup_api *api, const struct mup_ask *ask)
{
    struct mup_fault fault;
    const char *url = json_string_value(json_object_get(ask->body, "url"));

    if (!url || json_object_size(ask->body) != 1) {
        mup_answer_refuse(ask->request, MUP_FAULT_BAD_REQUEST, "the body is not {\"url\": TEXT}");
    } else if (mup_releases_add(api->parts.releases, url, on_added, ask->request, &fault) !=
               MUP_FAULT_NONE) {
        mup_answer_fault(ask->request, &fault);
    }
}

/* ---- in words ---- */

__attribute__((format(printf, 4, 5))) static void
add_field(json_t *fields, const char *name, const char *description, const char *format, ...)
{
    char text[128];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    json_array_append_new(fields, json_pack("{s:s, s:s, s:s}", "name", name, "value", text,
                                            "description", description));
}

static void add_digest(json_t *fields, const char *name, const char *description,
                       const uint8_t digest[MUP_DIGEST_SIZE])
{
    char text[2 * MUP_DIGEST_SIZE + 1];

    for (size_t i = 0; i < MUP_DIGEST_SIZE; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    add_field(fields, name, description, "%s", text);
}

/* In the order in which a person asks. Names and classes are printable ASCII. */
static json_t *fields_json(const struct mup_manifest *m)
{
    json_t *fields = json_array();

    add_field(fields, "application", "it replaces only an application of this name", "%s",
              m->app_id);
    add_field(fields, "version", "devices take only what is newer than what runs", "%u",
              (unsigned)m->new_version);
    add_field(fields, "hardware", "the class of boards that it runs on", "%s", m->hardware_class);
    if (m->old_version != 0) {
        add_field(fields, "goes on top of version", "it is a difference to that version only", "%u",
                  (unsigned)m->old_version);
    }
    add_field(fields, "image", "bytes in the device's flash", "%u", (unsigned)m->image_size);
    add_field(fields, "payload", "bytes that go to the device, the hashes between blocks included",
              "%u", (unsigned)m->payload_size);
    add_field(fields, "blocks", "each is checked before it is written, bytes each", "%u of %u",
              (unsigned)mup_block_count(m->image_size, m->block_size), (unsigned)m->block_size);
    add_field(fields, "linked for", "the address that the image runs at", "0x%x",
              (unsigned)m->link_offset);
    add_field(fields, "encoding", "how the payload is packed", "%s",
              m->encoding == MUP_ENCODING_PLAIN ? "plain" : "unknown");
    add_digest(fields, "digest", "SHA-256 of the image", m->digest);
    add_digest(fields, "first block", "SHA-256 of the payload's first block, which names the next",
               m->first_block_hash);
    return fields;
}

void mup_api_get_release(struct mup_api *api, const struct mup_ask *ask)
{
    int64_t id = mup_route_id(ask->parts.texts[0]);
    const struct mup_stored_release *release = mup_releases_by_id(api->parts.releases, id);
    struct mup_manifest manifest;

    if (!release) {
        mup_answer_refuse(ask->request, MUP_FAULT_UNKNOWN_RELEASE, "no release %.20s is kept here",
                          ask->parts.texts[0]);
        return;
    }
    if (!mup_release_manifest(release, &manifest)) {
        mup_answer_refuse(ask->request, MUP_FAULT_STORE, "the kept release cannot be read");
        return;
    }
    json_t *json = mup_release_json(release);
    json_object_set_new(json, "fields", fields_json(&manifest));
    /* Only what the configured vendor signed ever came in. */
    json_object_set_new(json, "signer",
                        json_pack("{s:O, s:b}", "kid", json_object_get(json, "vendor_kid"),
                                  "trusted",
                                  mup_releases_is_trusted(api->parts.releases, release) ? 1 : 0));
    mup_answer_json(ask->request, 200, json);
}
