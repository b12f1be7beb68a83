/* rogue-bootstrap: whoever answers a new device first would own it, if the answer alone counted. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack_internal.h"

#include "mup/bootstrap.h"
#include "mup/sign/certify.h"
#include "mup/sign/repository.h"
#include "mup/state.h"

#define STOP_MS     5000
#define KEY_AT_LAST 100u /* from the end of a signed certificate: within the key */
#define LATER_EPOCH 1000u

/* The attack in progress: the new device and what it announced. */
struct newcomer {
    struct mup_attack_target target;
    struct mup_process *bridge;
    struct mup_announcement announced;
};

/* ---- Who answers first --------------------------------------------------------------------- */

/* A broker can hold back what it likes; here the bridge is held instead, which comes to the same.
 */
static bool hold_bridge(struct mup_attack_scene *scene, struct newcomer *newcomer, bool hold)
{
    for (size_t i = 0; i < scene->bed.processes.count; i++)
        if (strcmp(scene->bed.processes.list[i].name, "mup-bridge") == 0)
            newcomer->bridge = &scene->bed.processes.list[i];
    return newcomer->bridge != NULL && newcomer->bridge->pid > 0 &&
           kill(newcomer->bridge->pid, hold ? SIGSTOP : SIGCONT) == 0;
}

static bool await_announcement(struct mup_attack_scene *scene, struct newcomer *newcomer)
{
    struct mup_tap_message message;

    return mup_attack_switch_on(scene, &newcomer->target) &&
           mup_attack_await(scene, &newcomer->target, MUP_TOPIC_ANNOUNCE, &message) &&
           mup_announcement_decode(&newcomer->announced, message.payload, message.size) == MUP_OK &&
           newcomer->announced.server_epoch == 0;
}

/* ---- Answers ------------------------------------------------------------------------------- */

/* Answer as the bridge would, with this certificate, and note what the device makes of it. */
static bool try_certificate(struct mup_attack_scene *scene, struct mup_attack_result *result,
                            struct newcomer *newcomer, struct mup_bytes certificate,
                            const char *what)
{
    struct mup_bootstrap_reply reply = {.state = MUP_STATE_OK, .certificate = certificate};
    uint8_t bytes[MUP_BOOTSTRAP_REPLY_MAX];
    size_t size;
    uint32_t state;

    memcpy(reply.description_digest, newcomer->announced.description_digest,
           sizeof reply.description_digest);
    if (mup_bootstrap_reply_encode(bytes, sizeof bytes, &size, &reply) != MUP_OK ||
        !mup_tap_publish(scene->tap, mup_attack_topic(&newcomer->target, MUP_TOPIC_BOOTSTRAP),
                         bytes, size, 1, NULL, NULL, 0))
        return false;
    state = mup_attack_await_certificate(scene, &newcomer->target);
    mup_attack_note(scene, result, state, state != MUP_STATE_OK, what);
    return state != MUP_ATTACK_NO_ANSWER;
}

/* A certificate for the attacker's key, signed with that key, which claims to be `kid`. */
static bool try_own(struct mup_attack_scene *scene, struct mup_attack_result *result,
                    struct newcomer *newcomer, uint32_t epoch, const uint8_t *kid, const char *what)
{
    struct mup_certificate fields = {.epoch = epoch, .label = "update-server"};
    struct mup_signer signer = scene->own;
    uint8_t bytes[MUP_CERTIFICATE_SIGNED_MAX];
    struct mup_bytes certificate = {.data = bytes};
    struct mup_error error;

    memcpy(fields.public_key, scene->own.public_key, sizeof fields.public_key);
    memcpy(signer.kid, kid, sizeof signer.kid);
    if (mup_certify(bytes, &certificate.size, &fields, &signer, &error) == MUP_OK)
        return try_certificate(scene, result, newcomer, certificate, what);
    fprintf(stderr, "demo: %s\n", error.text);
    return false;
}

/* The genuine certificate, which is no secret, with another key in it. */
static bool try_exchanged(struct mup_attack_scene *scene, struct mup_attack_result *result,
                          struct newcomer *newcomer)
{
    uint8_t *bytes;
    size_t size;
    struct mup_error error;
    bool good;

    if (mup_file_read(&bytes, &size, mup_testbed_path(&scene->bed, "server.cert"),
                      MUP_CERTIFICATE_SIGNED_MAX, &error) != MUP_OK) {
        fprintf(stderr, "demo: %s\n", error.text);
        return false;
    }
    bytes[size - KEY_AT_LAST] ^= 1;
    good = try_certificate(scene, result, newcomer, (struct mup_bytes){bytes, size},
                           "the genuine certificate with another key in it");
    free(bytes);
    return good;
}

/* ---- The attack ---------------------------------------------------------------------------- */

static bool answer_first(struct mup_attack_scene *scene, struct mup_attack_result *result,
                         struct newcomer *newcomer)
{
    return await_announcement(scene, newcomer) &&
           try_own(scene, result, newcomer, 1, scene->own.kid,
                   "first answer: a certificate signed by the attacker, under his key id") &&
           try_own(scene, result, newcomer, 1, scene->vendor.kid,
                   "the same under the vendor's key id") &&
           try_exchanged(scene, result, newcomer);
}

/* Whom does the device trust in the end? It says so in its token. */
static bool check_trust(struct mup_attack_scene *scene, struct mup_attack_result *result,
                        const struct newcomer *newcomer)
{
    struct mup_token token;
    bool good;

    if (!mup_attack_get_token(scene, &newcomer->target, &token))
        return false;
    good = token.has_server_kid && memcmp(token.server_kid, scene->stolen.kid, MUP_KID_SIZE) == 0;
    mup_attack_tell(scene, "The device trusts the key of %s.",
                    good ? "its update server" : "somebody else");
    if (!good)
        mup_attack_note(scene, result, MUP_STATE_OK, false, "the device trusts a wrong key");
    snprintf(result->detail, sizeof result->detail,
             "the device %s its update server's key once the bridge answered",
             good ? "took" : "did not take");
    return true;
}

static bool answer_later(struct mup_attack_scene *scene, struct mup_attack_result *result,
                         struct newcomer *newcomer)
{
    mup_attack_tell(scene, "The bridge answers, with the certificate that the vendor signed.");
    if (mup_attack_await_certificate(scene, &newcomer->target) != MUP_STATE_OK) {
        mup_attack_complain(scene, "the device did not take the genuine certificate");
        return false;
    }
    return try_own(scene, result, newcomer, LATER_EPOCH, scene->vendor.kid,
                   "later: a newer certificate, signed by the attacker, as the vendor's") &&
           check_trust(scene, result, newcomer);
}

bool mup_attack_rogue_bootstrap(struct mup_attack_scene *scene, struct mup_attack_result *result)
{
    struct newcomer newcomer = {.bridge = NULL};
    bool good;

    mup_attack_tell(scene, "A device fresh from the factory announces itself. The attacker holds\n"
                           "the announcement back from the bridge and answers himself.");
    if (!mup_attack_make_target(scene, &newcomer.target, "newcomer") ||
        !hold_bridge(scene, &newcomer, true))
        return false;
    good = answer_first(scene, result, &newcomer);
    good = hold_bridge(scene, &newcomer, false) && good && answer_later(scene, result, &newcomer);
    if (good) {
        result->was_harmed = !mup_attack_update(scene, &newcomer.target, MUP_ATTACK_IMAGE_SIZE);
        mup_attack_tell(scene, "The new device %s by its update server.",
                        result->was_harmed ? "cannot be updated" : "is updated");
    }
    if (newcomer.target.process != NULL)
        mup_process_stop(&scene->bed.processes, newcomer.target.process, STOP_MS);
    return good;
}
