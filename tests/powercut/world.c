/* A device of flash alone, and the judge of what a power cut left of it. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mup/progress.h"
#include "mup/slot.h"
#include "mup/trust.h"
#include "signer.h"

#define MANIFEST_SIZE 301u /* not a multiple of 4 */
#define CHUNK_SIZE    252u /* what a block may be like: not a part of the page */

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL)
        abort();
    return memory;
}

static void image_make(struct world_images *images, uint32_t version, uint32_t size)
{
    uint32_t mixed = version * 2654435761u;

    images->bytes[version] = allocate(size);
    for (uint32_t i = 0; i < size; i++) {
        mixed = mixed * 1664525u + 1013904223u;
        images->bytes[version][i] = (uint8_t)(mixed >> 24);
    }
    images->image[version].version = version;
    images->image[version].size = size;
    mup_sha256_of(images->image[version].digest, images->bytes[version], size);
}

static void certificate_make(struct world_images *images, uint32_t epoch,
                             const struct signer *vendor)
{
    struct world_certificate *made = &images->certificate[epoch];
    struct mup_certificate certificate = {.epoch = epoch, .label = "the update server"};
    uint8_t payload[MUP_CERTIFICATE_MAX];
    size_t size = 0;
    struct signer server;

    signer_make(&server);
    memcpy(made->public_key, server.public_key, sizeof made->public_key);
    memcpy(certificate.public_key, server.public_key, sizeof certificate.public_key);
    if (mup_certificate_encode(payload, sizeof payload, &size, &certificate) != MUP_OK)
        abort();
    made->size = signer_sign(vendor, made->bytes, sizeof made->bytes, payload, size, NULL);
    signer_free(&server);
}

/* The identity record with the key of an epoch. */
static struct mup_identity identity_of(const struct world_images *images, uint32_t epoch)
{
    struct mup_identity identity = images->identity;
    uint8_t digest[MUP_SHA256_SIZE];

    memcpy(identity.server.public_key, images->certificate[epoch].public_key,
           sizeof identity.server.public_key);
    mup_sha256_of(digest, identity.server.public_key, sizeof identity.server.public_key);
    memcpy(identity.server.key_id, digest, sizeof identity.server.key_id);
    identity.server_epoch = epoch;
    return identity;
}

static void keys_make(struct world_images *images)
{
    struct mup_identity *identity = &images->identity;
    struct signer vendor;

    signer_make(&vendor);
    for (uint32_t epoch = EPOCH_OLD; epoch < EPOCH_COUNT; epoch++)
        certificate_make(images, epoch, &vendor);
    for (uint8_t i = 0; i < MUP_UUID_SIZE; i++)
        identity->uuid[i] = (uint8_t)(i + 1);
    memcpy(identity->name, "powercut", 8);
    memcpy(identity->vendor.public_key, vendor.public_key, sizeof identity->vendor.public_key);
    memcpy(identity->vendor.key_id, vendor.kid, sizeof identity->vendor.key_id);
    signer_free(&vendor);
    *identity = identity_of(images, EPOCH_OLD);
}

void world_images_make(struct world_images *images, uint32_t slot_pages, uint32_t old_size,
                       uint32_t new_size)
{
    memset(images, 0, sizeof *images);
    images->slot_pages = slot_pages;
    image_make(images, VERSION_OLD, old_size);
    image_make(images, VERSION_NEW, new_size);
    image_make(images, VERSION_NEXT, 700);
    keys_make(images);
}

void world_images_free(struct world_images *images)
{
    for (uint32_t version = 0; version < VERSION_COUNT; version++)
        free(images->bytes[version]);
}

/* The vendor manifest of a version, as far as this world needs one. */
static void manifest_make(uint8_t manifest[MANIFEST_SIZE], uint32_t version)
{
    for (uint32_t i = 0; i < MANIFEST_SIZE; i++)
        manifest[i] = (uint8_t)(version * 31u + i);
}

static enum mup_status verify(void *context, const struct mup_boot_image *image,
                              const uint8_t *manifest, size_t manifest_size)
{
    uint8_t expected[MANIFEST_SIZE];

    (void)context;
    manifest_make(expected, image->version);
    if (manifest_size != MANIFEST_SIZE || memcmp(manifest, expected, MANIFEST_SIZE) != 0)
        return MUP_ERR_SIGNATURE;
    return MUP_OK;
}

static void bind(struct world *world, const struct world_images *images)
{
    uint32_t slot_size = images->slot_pages * WORLD_PAGE_SIZE;
    uint32_t size = 2 * slot_size + MUP_STATE_PAGES * WORLD_PAGE_SIZE;

    memset(world, 0, sizeof *world);
    world->images = images;
    mup_hostile_flash_init(&world->flash, allocate(size), allocate(size / 4), size,
                           WORLD_PAGE_SIZE);
    world->port = mup_hostile_flash_port(&world->flash);
    world->map = (struct mup_flash_map){&world->port, 0, slot_size, slot_size, 2 * slot_size};
}

void world_make(struct world *world, const struct world_images *images)
{
    const struct mup_boot_image *old = &images->image[VERSION_OLD];

    bind(world, images);
    memcpy(world->flash.bytes, images->bytes[VERSION_OLD], old->size);
    memset(world->flash.programmed, 1, (old->size + 3) / 4);
    if (mup_boot_provision(&world->boot, &world->map, old) != MUP_OK ||
        mup_identity_save(&world->map, &images->identity) != MUP_OK || world_reset(world) != MUP_OK)
        abort();
    mup_hostile_flash_power_on(&world->flash);
}

void world_free(struct world *world)
{
    free(world->flash.bytes);
    free(world->flash.programmed);
}

void world_copy_cut(struct world *to, struct world *from, enum mup_hostile_cut cut, uint32_t seed)
{
    /* So that the copy need not look at each of its pages. */
    (void)mup_hostile_flash_fingerprint(&from->flash);
    to->flash.random = seed | 1; /* never 0 */
    mup_hostile_flash_copy_cut(&to->flash, &from->flash, cut);
}

/* Download from offset on, with a progress record at each second page. */
static enum mup_status download(struct world *world, struct mup_progress_log *log,
                                struct mup_progress *progress, uint32_t version)
{
    const struct mup_boot_image *image = &world->images->image[version];
    struct mup_slot_writer writer;
    enum mup_status status =
        mup_slot_resume(&writer, &world->map, image->size, progress->output_offset);

    while (status == MUP_OK && mup_slot_offset(&writer) < image->size) {
        uint32_t offset = mup_slot_offset(&writer);
        uint32_t to_page = WORLD_PAGE_SIZE - offset % WORLD_PAGE_SIZE;
        uint32_t size = to_page < CHUNK_SIZE ? to_page : CHUNK_SIZE;

        if (size > image->size - offset)
            size = image->size - offset;
        status = mup_slot_write(&writer, world->images->bytes[version] + offset, size);
        if (status == MUP_OK && mup_slot_offset(&writer) % (2 * WORLD_PAGE_SIZE) == 0) {
            progress->output_offset = mup_slot_offset(&writer);
            progress->payload_offset = progress->output_offset;
            status = mup_progress_append(log, progress);
        }
    }
    return status;
}

enum mup_status world_update(struct world *world, uint32_t version)
{
    const struct mup_boot_image *image = &world->images->image[version];
    uint8_t manifest[MANIFEST_SIZE];
    uint8_t digest[MUP_SHA256_SIZE];
    struct mup_progress_log log;
    struct mup_progress progress;
    bool found;
    enum mup_status status = mup_progress_open(&log, &progress, &found, &world->map);

    manifest_make(manifest, version);
    mup_sha256_of(digest, manifest, sizeof manifest);
    if (status == MUP_OK && (!found || memcmp(progress.manifest_digest, digest, sizeof digest))) {
        memset(&progress, 0, sizeof progress);
        memcpy(progress.manifest_digest, digest, sizeof digest);
        status = mup_progress_clear(&log);
    } else if (status == MUP_OK) {
        status = mup_progress_settle(&log, &progress);
    }
    if (status == MUP_OK)
        status = download(world, &log, &progress, version);
    if (status == MUP_OK)
        status = mup_slot_digest(&world->map, MUP_SLOT_STAGING, image->size, digest);
    if (status == MUP_OK && memcmp(digest, image->digest, sizeof digest) != 0)
        status = MUP_ERR_DIGEST;
    if (status == MUP_OK)
        status = mup_progress_clear(&log);
    if (status == MUP_OK)
        status = mup_boot_request(&world->boot, image, manifest, sizeof manifest);
    return status;
}

enum mup_status world_reset(struct world *world)
{
    uint32_t buffer[MUP_BOOT_MANIFEST_SIZE_MAX / 4];
    struct mup_boot_verifier verifier = {verify, world, (uint8_t *)buffer};
    enum mup_status status = mup_boot_open(&world->boot, &world->map);

    if (status == MUP_OK)
        status = mup_boot_start(&world->boot, &world->state, &verifier);
    /* The application opens the journal for itself. */
    if (status == MUP_OK)
        status = mup_boot_open(&world->boot, &world->map);
    return status;
}

enum mup_status world_confirm(struct world *world)
{
    return mup_boot_confirm(&world->boot);
}

enum mup_status world_give_up(struct world *world)
{
    return mup_boot_revert(&world->boot, MUP_BOOT_REASON_DEADLINE);
}

enum mup_status world_retry(struct world *world)
{
    return mup_boot_retry_trial(&world->boot);
}

enum mup_status world_report(struct world *world)
{
    return mup_boot_reported(&world->boot);
}

enum mup_status world_take_key(struct world *world, uint32_t epoch)
{
    const struct world_certificate *certificate = &world->images->certificate[epoch];
    uint8_t budget = 1;

    return mup_trust_take_certificate(&world->map, &budget, certificate->bytes, certificate->size);
}

/* What the device would do with a certificate, short of checking its signature: MUP_ERR_BUSY if it
 * would take it. */
static enum mup_status would_take_key(struct world *world, uint32_t epoch)
{
    const struct world_certificate *certificate = &world->images->certificate[epoch];
    uint8_t budget = 0;

    return mup_trust_take_certificate(&world->map, &budget, certificate->bytes, certificate->size);
}

static bool runs_whole_image(const struct world *world)
{
    uint32_t version = world->state.running.version;
    const struct mup_boot_image *image;

    if (version == 0 || version >= VERSION_COUNT)
        return false;
    image = &world->images->image[version];
    return world->state.running.size == image->size &&
           memcmp(world->flash.bytes + world->map.execution_at, world->images->bytes[version],
                  image->size) == 0;
}

/* What must hold whenever an image runs. */
static bool is_consistent(const struct world *world)
{
    const struct mup_boot_state *state = &world->state;
    bool settled = state->phase == MUP_BOOT_IDLE || state->phase == MUP_BOOT_CONFIRMED ||
                   state->phase == MUP_BOOT_REVERTED || state->phase == MUP_BOOT_REJECTED;

    if (world->flash.violation_count != 0 || (!settled && state->phase != MUP_BOOT_TRIAL))
        return false;
    if (state->takes_manifest != settled || state->phase == MUP_BOOT_REJECTED)
        return false;
    /* B5: the floor is the confirmed image's version. */
    return settled ? state->version_floor == state->running.version
                   : state->version_floor < state->running.version;
}

/* A progress record must tell the truth: what it counts is in flash (while it counts). */
static bool progress_is_true(struct world *world)
{
    struct mup_progress_log log;
    struct mup_progress progress;
    bool found;
    uint32_t staged_at = world->map.staging_at + WORLD_PAGE_SIZE;

    if (mup_progress_open(&log, &progress, &found, &world->map) != MUP_OK)
        return false;
    return !found || memcmp(world->flash.bytes + staged_at, world->images->bytes[VERSION_NEW],
                            progress.output_offset) == 0;
}

/* Read the identity: whole, of an epoch that was certified, and not below *epoch, which it sets. */
static enum verdict judge_identity(struct world *world, uint32_t *epoch)
{
    struct mup_identity identity;
    struct mup_identity expected;

    if (mup_identity_load(&identity, &world->map) != MUP_OK)
        return VERDICT_NO_KEY;
    if (identity.server_epoch < EPOCH_OLD || identity.server_epoch >= EPOCH_COUNT)
        return VERDICT_WRONG_KEY;
    expected = identity_of(world->images, identity.server_epoch);
    if (memcmp(&identity, &expected, sizeof identity) != 0)
        return VERDICT_WRONG_KEY;
    if (identity.server_epoch < *epoch)
        return VERDICT_EPOCH_BACK;
    *epoch = identity.server_epoch;
    return world->flash.violation_count == 0 ? VERDICT_GOOD : VERDICT_INCONSISTENT;
}

static enum verdict boot_and_judge(struct world *world)
{
    if (world_reset(world) != MUP_OK)
        return VERDICT_BRICKED;
    if (!runs_whole_image(world))
        return VERDICT_WRONG_IMAGE;
    return is_consistent(world) ? VERDICT_GOOD : VERDICT_INCONSISTENT;
}

/* Finish what is open, then bring the device to a version that it does not have. */
static enum verdict update_further(struct world *world)
{
    uint32_t version;

    if (world->state.phase == MUP_BOOT_TRIAL && world_confirm(world) != MUP_OK)
        return VERDICT_STUCK;
    mup_boot_state(&world->boot, &world->state);
    version = world->state.running.version == VERSION_OLD ? VERSION_NEW : VERSION_NEXT;
    if (world_update(world, version) != MUP_OK)
        return VERDICT_STUCK;
    if (world_reset(world) != MUP_OK || world->state.running.version != version ||
        !runs_whole_image(world) || world_confirm(world) != MUP_OK)
        return VERDICT_STUCK;
    return boot_and_judge(world);
}

/* Finish the update to VERSION_NEW, whatever of it is done. */
static enum verdict go_on_updating(struct world *world)
{
    if (world_reset(world) != MUP_OK)
        return VERDICT_BRICKED;
    if (world->state.running.version == VERSION_OLD && world->state.phase == MUP_BOOT_IDLE &&
        (world_update(world, VERSION_NEW) != MUP_OK || world_reset(world) != MUP_OK))
        return VERDICT_STUCK;
    if (world->state.phase == MUP_BOOT_TRIAL && world_confirm(world) != MUP_OK)
        return VERDICT_STUCK;
    return VERDICT_GOOD;
}

static enum verdict go_on_changing_the_key(struct world *world)
{
    struct mup_identity identity;
    enum mup_status status;

    if (world_reset(world) != MUP_OK)
        return VERDICT_BRICKED;
    if (mup_identity_load(&identity, &world->map) != MUP_OK)
        return VERDICT_NO_KEY;
    status = world_take_key(world, EPOCH_NEW);
    return status == MUP_OK || status == MUP_ERR_STATE ? VERDICT_GOOD : VERDICT_STUCK;
}

enum verdict world_go_on(struct world *world, bool key_change)
{
    return key_change ? go_on_changing_the_key(world) : go_on_updating(world);
}

/* The rules of certificates, as they must be at an epoch. */
static bool follows_the_rules(struct world *world, uint32_t epoch)
{
    for (uint32_t other = EPOCH_OLD; other < EPOCH_COUNT; other++) {
        enum mup_status expected = other < epoch    ? MUP_ERR_STALE
                                   : other == epoch ? MUP_ERR_STATE
                                                    : MUP_ERR_BUSY;

        if (would_take_key(world, other) != expected)
            return false;
    }
    return true;
}

static enum verdict change_key_further(struct world *world)
{
    struct mup_identity next = identity_of(world->images, EPOCH_NEXT);
    uint32_t epoch = EPOCH_NEXT;
    enum mup_status status =
        world->trusts ? mup_identity_save(&world->map, &next) : world_take_key(world, EPOCH_NEXT);

    if (status != MUP_OK)
        return VERDICT_STUCK;
    mup_hostile_flash_power_on(&world->flash);
    return judge_identity(world, &epoch);
}

/* ---- judges, as recall.h wants them ---------------------------------------------------------- */

/* Erasures after each start at which a judge looks back. The page that was cut is erased in the
 * first one or two; from then on nothing is left of how it was cut. */
#define LOOKS_PER_START 4u

static void look_back(struct world *world)
{
    uint64_t number = mup_hostile_flash_fingerprint(&world->flash);

    number = mup_hostile_fingerprint(number, &world->boot, sizeof world->boot);
    recall_look(world->recall, mup_hostile_fingerprint(number, &world->state, sizeof world->state));
}

static void watch_erasures(void *context)
{
    struct world *world = context;

    if (world->looks_left == 0)
        return;
    world->looks_left--;
    look_back(world);
}

static void begin_start(struct world *world)
{
    memset(&world->boot, 0, sizeof world->boot);
    memset(&world->state, 0, sizeof world->state);
    world->looks_left = LOOKS_PER_START;
    look_back(world);
}

static void start_again(struct world *world)
{
    mup_hostile_flash_power_on(&world->flash);
    begin_start(world);
}

static uint32_t judge_update(void *subject)
{
    struct world *world = subject;
    uint32_t epoch = EPOCH_OLD;
    enum verdict verdict;

    begin_start(world);
    verdict = boot_and_judge(world);
    if (verdict == VERDICT_GOOD)
        verdict = judge_identity(world, &epoch);
    if (verdict == VERDICT_GOOD && !progress_is_true(world))
        verdict = VERDICT_INCONSISTENT;
    if (verdict == VERDICT_GOOD) {
        start_again(world);
        verdict = boot_and_judge(world);
    }
    return (uint32_t)(verdict == VERDICT_GOOD ? update_further(world) : verdict);
}

static uint32_t judge_key_change(void *subject)
{
    struct world *world = subject;
    uint32_t epoch = EPOCH_OLD;
    enum verdict verdict;

    begin_start(world);
    verdict = boot_and_judge(world);
    for (int boot = 0; boot < 2; boot++) {
        for (int load = 0; verdict == VERDICT_GOOD && load < 2; load++)
            verdict = judge_identity(world, &epoch);
        if (verdict == VERDICT_GOOD && epoch > EPOCH_NEW)
            verdict = VERDICT_WRONG_KEY;
        if (verdict == VERDICT_GOOD && !follows_the_rules(world, epoch))
            verdict = VERDICT_EPOCH_BACK;
        start_again(world);
    }
    return (uint32_t)(verdict == VERDICT_GOOD ? change_key_further(world) : verdict);
}

static enum verdict run_judge(struct world *world, bool *recalled, recall_judge_fn *judge)
{
    uint32_t verdict;

    _Static_assert(VERDICT_COUNT <= RECALL_VERDICT_MAX, "a verdict must fit");
    world->flash.watch = watch_erasures;
    world->flash.watch_context = world;
    world->flash.watches_erasures = true;
    verdict = recall_run(world->recall, recalled, judge, world);
    world->flash.watch = NULL;
    return (enum verdict)verdict;
}

enum verdict world_judge(struct world *world, bool *recalled)
{
    return run_judge(world, recalled, judge_update);
}

enum verdict world_judge_key(struct world *world, bool *recalled, bool trusts)
{
    world->trusts = trusts;
    return run_judge(world, recalled, judge_key_change);
}

const char *verdict_name(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_GOOD:
        return "good";
    case VERDICT_BRICKED:
        return "bricked";
    case VERDICT_WRONG_IMAGE:
        return "wrong_image";
    case VERDICT_INCONSISTENT:
        return "inconsistent";
    case VERDICT_STUCK:
        return "stuck";
    case VERDICT_NO_KEY:
        return "no_key";
    case VERDICT_WRONG_KEY:
        return "wrong_key";
    case VERDICT_EPOCH_BACK:
        return "epoch_back";
    case VERDICT_COUNT:
        break;
    }
    return "?";
}
