/* The table of releases and the way in: fetch the manifest, verify it, fetch the payload, check
 * every byte of it, commit both. */
#include "server/releases.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mup/sign/release.h"
#include "mup/sign/repository.h"
#include "runtime/log.h"

struct entry {
    struct mup_stored_release stored;
    uint8_t *payload; /* while somebody holds it */
    size_t payload_size;
    size_t holders;
};

/* A release on its way in. */
struct adding {
    struct adding *next;
    struct mup_releases *releases;
    struct mup_stored_release stored;
    struct mup_manifest manifest;
    mup_releases_on_added *on_added;
    void *arg;
};

struct mup_releases {
    struct mup_loop *loop;
    struct mup_server_store *store;
    struct mup_fetcher *fetcher;
    uint8_t vendor_key[MUP_PUBLIC_KEY_SIZE];
    int64_t last_id;
    struct entry **entries;
    size_t count;
    struct adding *adding;
    size_t adding_count;
    struct mup_refused_release refused[MUP_RELEASES_REFUSED_MAX]; /* a ring */
    size_t refused_count;                                         /* ever */
};

/* ---- the table ---- */

static struct entry *find_entry(const struct mup_releases *releases, int64_t id)
{
    for (size_t i = 0; i < releases->count; i++) {
        if (releases->entries[i]->stored.id == id) {
            return releases->entries[i];
        }
    }
    return NULL;
}

static const struct mup_stored_release *insert(struct mup_releases *releases,
                                               const struct mup_stored_release *stored)
{
    struct entry *entry = calloc(1, sizeof *entry);
    struct entry **larger =
        realloc(releases->entries, (releases->count + 1) * sizeof *releases->entries);

    if (larger) {
        releases->entries = larger;
    }
    if (!entry || !larger) {
        free(entry);
        return NULL;
    }
    entry->stored = *stored;
    releases->entries[releases->count++] = entry;
    return &entry->stored;
}

size_t mup_releases_count(const struct mup_releases *releases)
{
    return releases->count;
}

const struct mup_stored_release *mup_releases_at(const struct mup_releases *releases, size_t at)
{
    return &releases->entries[at]->stored;
}

const struct mup_stored_release *mup_releases_by_id(const struct mup_releases *releases, int64_t id)
{
    const struct entry *entry = find_entry(releases, id);

    return entry ? &entry->stored : NULL;
}

const struct mup_stored_release *mup_releases_find(const struct mup_releases *releases,
                                                   const char *app_id, uint32_t version,
                                                   const char *hardware_class)
{
    for (size_t i = 0; i < releases->count; i++) {
        const struct mup_stored_release *r = &releases->entries[i]->stored;
        if (r->version == version && strcmp(r->app_id, app_id) == 0 &&
            strcmp(r->hardware_class, hardware_class) == 0) {
            return r;
        }
    }
    return NULL;
}

struct mup_bytes mup_releases_hold(struct mup_releases *releases, int64_t id)
{
    struct mup_bytes none = {NULL, 0};
    struct entry *entry = find_entry(releases, id);

    if (!entry) {
        return none;
    }
    if (!entry->payload && mup_server_store_get_payload(releases->store, id, &entry->payload,
                                                        &entry->payload_size) != MUP_OK) {
        entry->payload = NULL;
        return none;
    }
    entry->holders++;
    return (struct mup_bytes){entry->payload, entry->payload_size};
}

void mup_releases_drop(struct mup_releases *releases, int64_t id)
{
    struct entry *entry = find_entry(releases, id);

    assert(entry && entry->holders > 0);
    if (--entry->holders == 0) {
        free(entry->payload);
        entry->payload = NULL;
    }
}

bool mup_release_manifest(const struct mup_stored_release *release, struct mup_manifest *manifest)
{
    struct mup_cose_sign1 envelope;

    return mup_cose_sign1_decode(&envelope, release->manifest, release->manifest_size) == MUP_OK &&
           mup_manifest_decode(manifest, envelope.payload.data, envelope.payload.size) == MUP_OK;
}

bool mup_releases_is_trusted(const struct mup_releases *releases,
                             const struct mup_stored_release *release)
{
    struct mup_manifest manifest;
    struct mup_error error;
    const struct mup_bytes bytes = {release->manifest, release->manifest_size};

    return mup_release_open(&manifest, bytes, releases->vendor_key, &error) == MUP_OK;
}

/* ---- the way in ---- */

static void adding_free(struct adding *adding)
{
    struct adding **at = &adding->releases->adding;

    while (*at != adding) {
        at = &(*at)->next;
    }
    *at = adding->next;
    adding->releases->adding_count--;
    free(adding);
}

static void remember(struct adding *adding, const struct mup_fault *fault)
{
    struct mup_releases *releases = adding->releases;
    struct mup_refused_release *refused =
        &releases->refused[releases->refused_count++ % MUP_RELEASES_REFUSED_MAX];

    snprintf(refused->url, sizeof refused->url, "%s", adding->stored.url);
    refused->fault = *fault;
    refused->at_ms = mup_loop_wall_ms();
}

const struct mup_refused_release *mup_releases_refused(const struct mup_releases *releases,
                                                       size_t at)
{
    size_t kept = releases->refused_count < MUP_RELEASES_REFUSED_MAX ? releases->refused_count
                                                                     : MUP_RELEASES_REFUSED_MAX;

    return at < kept
               ? &releases->refused[(releases->refused_count - 1 - at) % MUP_RELEASES_REFUSED_MAX]
               : NULL;
}

static void refuse(struct adding *adding, const struct mup_fault *fault)
{
    remember(adding, fault);
    mup_log(MUP_LOG_WARNING, "releases", mup_log_event("release refused"),
            mup_log_text("url", adding->stored.url),
            mup_log_text("code", mup_fault_name(fault->code)), mup_log_text("why", fault->message));
    adding->on_added(adding->arg, fault, NULL);
    adding_free(adding);
}

static void admit(struct adding *adding, const struct mup_stored_release *release)
{
    mup_log(MUP_LOG_INFO, "releases", mup_log_event("release kept"),
            mup_log_number("id", release->id), mup_log_text("app", release->app_id),
            mup_log_number("version", release->version),
            mup_log_text("hardware", release->hardware_class),
            mup_log_number("payload_size", release->payload_size));
    adding->on_added(adding->arg, NULL, release);
    adding_free(adding);
}

/* True when the release is here already, or its name is taken by another image: answered. */
static bool settled(struct adding *adding)
{
    const struct mup_stored_release *here =
        mup_releases_find(adding->releases, adding->manifest.app_id, adding->manifest.new_version,
                          adding->manifest.hardware_class);
    struct mup_fault fault;

    if (!here) {
        return false;
    }
    if (memcmp(here->manifest_digest, adding->stored.manifest_digest,
               sizeof here->manifest_digest) == 0) {
        admit(adding, here);
        return true;
    }
    mup_fault_set(&fault, MUP_FAULT_RELEASE_CONFLICT,
                  "%s version %u for %s is here already, with another manifest", here->app_id,
                  (unsigned)here->version, here->hardware_class);
    refuse(adding, &fault);
    return true;
}

static void on_committed(void *arg, enum mup_status status, const char *error)
{
    struct adding *adding = arg;
    struct mup_fault fault;

    if (status == MUP_ERR_STATE && settled(adding)) {
        return; /* the same release came in twice at once */
    }
    const struct mup_stored_release *release =
        status == MUP_OK ? insert(adding->releases, &adding->stored) : NULL;
    if (release) {
        admit(adding, release);
        return;
    }
    mup_fault_set(&fault, MUP_FAULT_STORE, "%.200s", status == MUP_OK ? "no memory" : error);
    refuse(adding, &fault);
}

static enum mup_fault_code payload_fault(enum mup_status status)
{
    return status == MUP_ERR_RANGE ? MUP_FAULT_RELEASE_WRONG_SIZE : MUP_FAULT_RELEASE_DIGEST;
}

static void keep(struct adding *adding, const uint8_t *payload)
{
    struct mup_stored_release *stored = &adding->stored;
    struct mup_fault fault;

    stored->id = ++adding->releases->last_id;
    stored->fetched_ms = mup_loop_wall_ms();
    if (mup_server_store_put_release(adding->releases->store, stored, payload, on_committed,
                                     adding) != MUP_OK) {
        mup_fault_set(&fault, MUP_FAULT_STORE, "no memory for the release");
        refuse(adding, &fault);
    }
}

static void on_payload(void *arg, const struct mup_fault *problem, const uint8_t *bytes,
                       size_t size)
{
    struct adding *adding = arg;
    struct mup_fault fault;
    struct mup_error error = {""};
    struct mup_bytes payload = {bytes, size};

    if (problem) {
        refuse(adding, problem);
        return;
    }
    enum mup_status status = mup_release_check_payload(&adding->manifest, payload, &error);
    if (status != MUP_OK) {
        mup_fault_set(&fault, payload_fault(status), "payload.bin: %.200s", error.text);
        refuse(adding, &fault);
        return;
    }
    if (!settled(adding)) {
        keep(adding, bytes);
    }
}

static enum mup_fault_code manifest_fault(enum mup_status status)
{
    switch (status) {
    case MUP_ERR_KEY:
        return MUP_FAULT_RELEASE_WRONG_KEY;
    case MUP_ERR_SIGNATURE:
        return MUP_FAULT_RELEASE_SIGNATURE_INVALID;
    default:
        return MUP_FAULT_RELEASE_NOT_VALID;
    }
}

/* Put what the verified manifest says into the record that will be kept. */
static void describe(struct adding *adding, struct mup_bytes signed_manifest)
{
    struct mup_stored_release *stored = &adding->stored;
    const struct mup_manifest *m = &adding->manifest;

    memcpy(stored->app_id, m->app_id, sizeof stored->app_id);
    memcpy(stored->hardware_class, m->hardware_class, sizeof stored->hardware_class);
    stored->version = m->new_version;
    stored->image_size = m->image_size;
    stored->payload_size = m->payload_size;
    memcpy(stored->image_digest, m->digest, sizeof stored->image_digest);
    mup_manifest_digest(stored->manifest_digest, signed_manifest);
    memcpy(stored->manifest, signed_manifest.data, signed_manifest.size);
    stored->manifest_size = signed_manifest.size;
    mup_key_id(stored->vendor_kid, adding->releases->vendor_key);
}

static void fetch_payload(struct adding *adding)
{
    char url[MUP_STORED_URL_SIZE_MAX + sizeof "/payload.bin"];
    struct mup_fault fault;

    snprintf(url, sizeof url, "%s/payload.bin", adding->stored.url);
    if (mup_fetch(adding->releases->fetcher, url, adding->manifest.payload_size, on_payload,
                  adding) != MUP_OK) {
        mup_fault_set(&fault, MUP_FAULT_BUSY, "cannot fetch %.150s now", url);
        refuse(adding, &fault);
    }
}

static void on_manifest(void *arg, const struct mup_fault *problem, const uint8_t *bytes,
                        size_t size)
{
    struct adding *adding = arg;
    struct mup_fault fault;
    struct mup_error error = {""};
    struct mup_bytes signed_manifest = {bytes, size};

    if (problem) {
        refuse(adding, problem);
        return;
    }
    enum mup_status status =
        mup_release_open(&adding->manifest, signed_manifest, adding->releases->vendor_key, &error);
    if (status == MUP_OK) {
        status = mup_repository_check_place(adding->stored.url, &adding->manifest, &error);
    }
    if (status != MUP_OK) {
        mup_fault_set(&fault, manifest_fault(status), "manifest.cose: %.200s", error.text);
        refuse(adding, &fault);
        return;
    }
    if (adding->manifest.payload_size > MUP_STORED_PAYLOAD_SIZE_MAX) {
        mup_fault_set(&fault, MUP_FAULT_RELEASE_TOO_BIG,
                      "manifest.cose: the payload has %u bytes, more than %u",
                      (unsigned)adding->manifest.payload_size, MUP_STORED_PAYLOAD_SIZE_MAX);
        refuse(adding, &fault);
        return;
    }
    describe(adding, signed_manifest);
    if (!settled(adding)) {
        fetch_payload(adding);
    }
}

/* The folder's URL without trailing slashes, in the record. */
static bool take_url(struct mup_stored_release *stored, const char *url)
{
    size_t size = strlen(url);

    while (size > 0 && url[size - 1] == '/') {
        size--;
    }
    if (size == 0 || size > MUP_STORED_URL_SIZE_MAX - sizeof "/manifest.cose") {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)url[i] <= 0x20 || (unsigned char)url[i] >= 0x7f || url[i] == '?' ||
            url[i] == '#') {
            return false;
        }
    }
    memcpy(stored->url, url, size);
    stored->url[size] = '\0';
    return true;
}

static enum mup_fault_code cannot(struct mup_fault *fault, enum mup_fault_code code,
                                  const char *why)
{
    mup_fault_set(fault, code, "%s", why);
    return code;
}

enum mup_fault_code mup_releases_add(struct mup_releases *releases, const char *url,
                                     mup_releases_on_added *on_added, void *arg,
                                     struct mup_fault *fault)
{
    char manifest_url[MUP_STORED_URL_SIZE_MAX + sizeof "/manifest.cose"];
    struct adding *adding = calloc(1, sizeof *adding);

    if (!adding || releases->adding_count == MUP_RELEASES_ADDING_MAX ||
        releases->count >= MUP_RELEASES_MAX) {
        free(adding);
        return cannot(fault, MUP_FAULT_BUSY, "too many releases, or too many on their way in");
    }
    if (!take_url(&adding->stored, url)) {
        free(adding);
        return cannot(fault, MUP_FAULT_URL_NOT_VALID, "not the URL of a release's folder");
    }
    adding->releases = releases;
    adding->on_added = on_added;
    adding->arg = arg;
    snprintf(manifest_url, sizeof manifest_url, "%s/manifest.cose", adding->stored.url);
    enum mup_status status =
        mup_fetch(releases->fetcher, manifest_url, MUP_VENDOR_SIGNED_MAX, on_manifest, adding);
    if (status != MUP_OK) {
        free(adding);
        return status == MUP_ERR_FORMAT
                   ? cannot(fault, MUP_FAULT_URL_NOT_VALID, "only http and https URLs are fetched")
                   : cannot(fault, MUP_FAULT_BUSY, "too many fetches at once");
    }
    adding->next = releases->adding;
    releases->adding = adding;
    releases->adding_count++;
    return MUP_FAULT_NONE;
}

/* ---- begin and end ---- */

struct loading {
    struct mup_releases *releases;
    bool failed;
};

static void load(void *arg, const struct mup_stored_release *stored)
{
    struct loading *loading = arg;

    loading->failed = loading->failed || !insert(loading->releases, stored);
}

struct mup_releases *mup_releases_new(struct mup_loop *loop, struct mup_server_store *store,
                                      struct mup_fetcher *fetcher,
                                      const uint8_t vendor_key[MUP_PUBLIC_KEY_SIZE],
                                      struct mup_fault *fault)
{
    int64_t update_id;
    struct mup_releases *releases = calloc(1, sizeof *releases);
    struct loading loading = {releases, false};

    if (!releases) {
        mup_fault_set(fault, MUP_FAULT_BUSY, "no memory");
        return NULL;
    }
    releases->loop = loop;
    releases->store = store;
    releases->fetcher = fetcher;
    memcpy(releases->vendor_key, vendor_key, MUP_PUBLIC_KEY_SIZE);
    if (mup_server_store_last_ids(store, &releases->last_id, &update_id) != MUP_OK ||
        mup_server_store_each_release(store, load, &loading) != MUP_OK || loading.failed) {
        mup_fault_set(fault, MUP_FAULT_STORE, "cannot read the releases that are kept");
        mup_releases_free(releases);
        return NULL;
    }
    return releases;
}

void mup_releases_free(struct mup_releases *releases)
{
    if (!releases) {
        return;
    }
    while (releases->adding) {
        adding_free(releases->adding);
    }
    for (size_t i = 0; i < releases->count; i++) {
        free(releases->entries[i]->payload);
        free(releases->entries[i]);
    }
    free(releases->entries);
    free(releases);
}
