/* Attacks with manifests: an old one again, forged ones, and genuine ones in the wrong place. Each
 * is a real PUB-UPDATE-MANIFEST, and what counts is the state that the device answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack_internal.h"

#include "mup/cose.h"
#include "mup/sign/release.h"
#include "mup/sign/sign1.h"
#include "mup/state.h"

#define STOP_MS         5000
#define FORGED_IMAGE    5000u /* bytes of the attacker's own image */
#define VERSION_FORGED  4000000000u
#define OTHER_APP       "mup-other"
#define OTHER_HARDWARE  "other-board"
#define ALTERED_AT_LAST 70u /* from the end of a signed manifest: before its signature */

/* ---- What they have in common -------------------------------------------------------------- */

/* Publish a complete request and note what the device answers. */
static bool try_request(struct mup_attack_scene *scene, struct mup_attack_result *result,
                        struct mup_bytes request, const char *what)
{
    struct mup_attack_answer answer;

    if (!mup_attack_ask(scene, &scene->victim, MUP_TOPIC_MANIFEST, request, &answer))
        return false;
    mup_attack_note(scene, result, answer.state, answer.state != MUP_STATE_OK, what);
    return true;
}

/* An outer signature by `signer` over what `extended` says; then as above. */
static bool try_manifest(struct mup_attack_scene *scene, struct mup_attack_result *result,
                         const struct mup_signer *signer,
                         const struct mup_extended_manifest *extended, const char *what)
{
    uint8_t payload[MUP_EXTENDED_PAYLOAD_MAX];
    uint8_t bytes[MUP_EXTENDED_SIGNED_MAX];
    uint8_t request[MUP_REQUEST_MAX];
    struct mup_bytes piece = {.data = payload};
    struct mup_bytes envelope = {.data = bytes};
    struct mup_bytes message = {.data = request};

    if (mup_extended_manifest_encode(payload, sizeof payload, &piece.size, extended) != MUP_OK ||
        mup_sign1_make(bytes, sizeof bytes, &envelope.size, signer, piece) != MUP_OK ||
        !mup_attack_manifest_request(request, &message.size, envelope)) {
        fprintf(stderr, "demo: the attacker cannot make the message: %s\n", what);
        return false;
    }
    return try_request(scene, result, message, what);
}

/* What an update server would say to the victim now: its UUID, living nonce and version. */
static bool address_victim(struct mup_attack_scene *scene, struct mup_extended_manifest *extended,
                           struct mup_token *token)
{
    if (!mup_attack_get_token(scene, &scene->victim, token))
        return false;
    memcpy(extended->uuid, token->uuid, sizeof extended->uuid);
    memcpy(extended->nonce, token->nonce, sizeof extended->nonce);
    extended->version = token->version;
    return true;
}

/* A signer that claims another key id than its own. */
static struct mup_signer with_kid(const struct mup_signer *signer, const uint8_t kid[MUP_KID_SIZE])
{
    struct mup_signer made = *signer;

    memcpy(made.kid, kid, sizeof made.kid);
    return made;
}

/* The fields of the vendor's newest release, to be changed and signed by somebody. */
static bool read_fields(struct mup_attack_scene *scene, struct mup_manifest *fields)
{
    uint8_t *bytes;
    size_t size;
    struct mup_cose_sign1 envelope;
    bool good;

    if (!mup_attack_fetch_manifest(scene, scene->released, &bytes, &size))
        return false;
    good = mup_cose_sign1_decode(&envelope, bytes, size) == MUP_OK &&
           mup_manifest_decode(fields, envelope.payload.data, envelope.payload.size) == MUP_OK;
    free(bytes);
    return good;
}

/* A release of some bytes with these fields, signed by `signer`; only its manifest is of use. */
static bool make_inner(struct mup_release *release, const struct mup_manifest *fields,
                       const struct mup_signer *signer)
{
    uint8_t image[FORGED_IMAGE];
    struct mup_error error;

    memset(image, 0x5a, sizeof image);
    if (mup_release_make(release, fields, image, sizeof image, signer, &error) == MUP_OK)
        return true;
    fprintf(stderr, "demo: %s\n", error.text);
    return false;
}

/* ---- replayed-manifest --------------------------------------------------------------------- */

/* The request that carried the manifest of the update that just ended. */
static bool find_recorded(struct mup_attack_scene *scene, size_t mark, struct mup_bytes *request)
{
    struct mup_tap_message message;

    if (!mup_tap_wait(scene->tap, &mark, mup_attack_topic(&scene->victim, MUP_TOPIC_MANIFEST), NULL,
                      0, MUP_ATTACK_WAIT_MS, &message)) {
        mup_attack_complain(scene, "no manifest crossed the broker");
        return false;
    }
    *request = (struct mup_bytes){message.payload, message.size};
    mup_attack_tell(scene, "  The attacker has recorded it: %zu bytes, both signatures genuine.",
                    message.size);
    return true;
}

/* An update whose image crashes, so that the device goes back to the version it ran before: of its
 * manifest everything still fits, except the nonce. */
static bool record_reverted(struct mup_attack_scene *scene, struct mup_bytes *request)
{
    uint32_t version = mup_attack_release(scene, MUP_ATTACK_IMAGE_SIZE, "crash");
    size_t mark = mup_tap_mark(scene->tap);
    json_int_t id = version == 0 ? 0 : mup_attack_begin_update(scene, &scene->victim, version);

    mup_attack_tell(scene,
                    "The vendor publishes version %u by mistake: it crashes. The device is\n"
                    "updated to it, and reverts.",
                    (unsigned)version);
    return id != 0 && mup_attack_end_update(scene, id, "reverted") &&
           find_recorded(scene, mark, request);
}

static bool restart_victim(struct mup_attack_scene *scene)
{
    mup_attack_tell(scene, "The device is switched off and on.");
    mup_process_stop(&scene->bed.processes, scene->victim.process, STOP_MS);
    return mup_attack_start_target(scene, &scene->victim);
}

bool mup_attack_replayed_manifest(struct mup_attack_scene *scene, struct mup_attack_result *result)
{
    size_t mark = mup_tap_mark(scene->tap);
    struct mup_bytes confirmed;
    struct mup_bytes reverted;
    struct mup_token token;

    mup_attack_tell(scene, "The device is updated by its update server.");
    if (!mup_attack_update(scene, &scene->victim, MUP_ATTACK_IMAGE_SIZE) ||
        !find_recorded(scene, mark, &confirmed) ||
        !try_request(scene, result, confirmed, "the manifest of a confirmed update, again") ||
        !record_reverted(scene, &reverted) ||
        !mup_attack_get_token(scene, &scene->victim, &token) ||
        !try_request(scene, result, reverted,
                     "that of a reverted update, again, while a new nonce lives") ||
        !restart_victim(scene) ||
        !try_request(scene, result, reverted, "the same after a restart, without a nonce") ||
        !mup_attack_get_token(scene, &scene->victim, &token))
        return false;
    return try_request(scene, result, reverted, "the same after a restart, with a new nonce");
}

/* ---- forged-outer -------------------------------------------------------------------------- */

bool mup_attack_forged_outer(struct mup_attack_scene *scene, struct mup_attack_result *result)
{
    struct mup_extended_manifest extended;
    struct mup_token token;
    struct mup_signer forger;
    uint8_t *inner = NULL;
    bool good;

    mup_attack_tell(scene, "The vendor publishes a version that nobody has asked for yet. The\n"
                           "attacker fetches it and asks the device for its token.");
    if (mup_attack_release(scene, MUP_ATTACK_IMAGE_SIZE, "ok") == 0 ||
        !mup_attack_fetch_manifest(scene, scene->released, &inner, &extended.inner.size))
        return false;
    extended.inner.data = inner;
    good = address_victim(scene, &extended, &token);
    if (good) {
        forger = with_kid(&scene->own, token.server_kid);
        good = try_manifest(scene, result, &forger, &extended,
                            "outer signature by the attacker's key, as the update server's") &&
               try_manifest(scene, result, &scene->own, &extended,
                            "outer signature by the attacker's key, under its own key id");
    }
    free(inner);
    return good;
}

/* ---- forged-inner -------------------------------------------------------------------------- */

static bool try_inner(struct mup_attack_scene *scene, struct mup_attack_result *result,
                      struct mup_extended_manifest *extended, struct mup_bytes inner,
                      const char *what)
{
    extended->inner = inner;
    return try_manifest(scene, result, &scene->stolen, extended, what);
}

/* The vendor's own manifest with one bit of it turned over. */
static bool try_altered(struct mup_attack_scene *scene, struct mup_attack_result *result,
                        struct mup_extended_manifest *extended)
{
    uint8_t *inner;
    size_t size;
    bool good;

    if (!mup_attack_fetch_manifest(scene, scene->released, &inner, &size))
        return false;
    inner[size - ALTERED_AT_LAST] ^= 1;
    good = try_inner(scene, result, extended, (struct mup_bytes){inner, size},
                     "the vendor's manifest and signature, one bit altered");
    free(inner);
    return good;
}

bool mup_attack_forged_inner(struct mup_attack_scene *scene, struct mup_attack_result *result)
{
    struct mup_extended_manifest extended;
    struct mup_token token;
    struct mup_manifest fields;
    struct mup_release release;
    struct mup_signer forger;
    bool good;

    if (!read_fields(scene, &fields) || !address_victim(scene, &extended, &token))
        return false;
    fields.new_version = VERSION_FORGED;
    forger = with_kid(&scene->own, token.vendor_kid);
    if (!make_inner(&release, &fields, &forger))
        return false;
    good = try_inner(scene, result, &extended,
                     (struct mup_bytes){release.signed_manifest, release.signed_manifest_size},
                     "the attacker's image, inner signature by his key, as the vendor's");
    mup_release_free(&release);
    if (!good || !make_inner(&release, &fields, &scene->own))
        return false;
    good = try_inner(scene, result, &extended,
                     (struct mup_bytes){release.signed_manifest, release.signed_manifest_size},
                     "the attacker's image, inner signature by his key, under its key id");
    mup_release_free(&release);
    return good && try_altered(scene, result, &extended);
}

/* ---- downgrade ----------------------------------------------------------------------------- */

static bool try_version(struct mup_attack_scene *scene, struct mup_attack_result *result,
                        struct mup_extended_manifest *extended, uint32_t version)
{
    char what[MUP_ATTACK_TEXT_SIZE];
    uint8_t *inner;
    size_t size;
    bool good;

    if (!mup_attack_fetch_manifest(scene, version, &inner, &size))
        return false;
    snprintf(what, sizeof what, "the vendor's version %u for a device that runs version %u",
             (unsigned)version, (unsigned)extended->version);
    good = try_inner(scene, result, extended, (struct mup_bytes){inner, size}, what);
    free(inner);
    return good;
}

bool mup_attack_downgrade(struct mup_attack_scene *scene, struct mup_attack_result *result)
{
    struct mup_extended_manifest extended;
    struct mup_token token;

    if (!mup_attack_get_token(scene, &scene->victim, &token))
        return false;
    if (token.version == scene->factory_version) {
        mup_attack_tell(scene, "The device is updated by its update server.");
        if (!mup_attack_update(scene, &scene->victim, MUP_ATTACK_IMAGE_SIZE))
            return false;
    }
    return address_victim(scene, &extended, &token) &&
           try_version(scene, result, &extended, scene->factory_version) &&
           try_version(scene, result, &extended, token.version);
}

/* ---- wrong-device -------------------------------------------------------------------------- */

bool mup_attack_wrong_device(struct mup_attack_scene *scene, struct mup_attack_result *result)
{
    struct mup_extended_manifest extended;
    struct mup_token token;
    uint8_t *inner;
    bool good;

    if (mup_attack_release(scene, MUP_ATTACK_IMAGE_SIZE, "ok") == 0 ||
        !address_victim(scene, &extended, &token) ||
        !mup_attack_fetch_manifest(scene, scene->released, &inner, &extended.inner.size))
        return false;
    extended.inner.data = inner;
    extended.uuid[MUP_UUID_SIZE - 1] ^= 1;
    good = try_manifest(scene, result, &scene->stolen, &extended,
                        "a new version, genuinely signed, for the device with another UUID");
    free(inner);
    return good;
}

/* ---- wrong-app ----------------------------------------------------------------------------- */

static bool try_product(struct mup_attack_scene *scene, struct mup_attack_result *result,
                        struct mup_extended_manifest *extended, const struct mup_manifest *fields,
                        const char *what)
{
    struct mup_release release;
    bool good;

    if (!make_inner(&release, fields, &scene->vendor))
        return false;
    good =
        try_inner(scene, result, extended,
                  (struct mup_bytes){release.signed_manifest, release.signed_manifest_size}, what);
    mup_release_free(&release);
    return good;
}

bool mup_attack_wrong_app(struct mup_attack_scene *scene, struct mup_attack_result *result)
{
    struct mup_extended_manifest extended;
    struct mup_token token;
    struct mup_manifest app;
    struct mup_manifest board;

    mup_attack_tell(scene, "The vendor signs software for other products of his as well.");
    if (!read_fields(scene, &app) || !address_victim(scene, &extended, &token))
        return false;
    app.new_version = token.version + 1;
    board = app;
    snprintf(app.app_id, sizeof app.app_id, "%s", OTHER_APP);
    snprintf(board.hardware_class, sizeof board.hardware_class, "%s", OTHER_HARDWARE);
    return try_product(scene, result, &extended, &app,
                       "the vendor's software for another application") &&
           try_product(scene, result, &extended, &board,
                       "the vendor's software for other hardware");
}
