/* Manifests that a device refuses, and what they cost on the radio. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "air.h"

#include "mup/cbor.h"
#include "mup/manifest.h"
#include "mup/rpc.h"
#include "mup/sign/key.h"
#include "mup/sign/repository.h"
#include "mup/sign/sign1.h"
#include "mup/state.h"
#include "mup/token.h"

#define ANSWER_TIMEOUT_MS 60000
#define CORRELATION_SIZE  16u

/* ---- requests, published by somebody who has the broker in his hands ---- */

static bool ask(struct mup_air_lab *lab, struct mup_air_device *device, const char *prefix,
                struct mup_bytes request, struct mup_response *response)
{
    char topic[MUP_TOPIC_MAX + 1];
    char answers[MUP_TOPIC_MAX + 1];
    uint8_t correlation[CORRELATION_SIZE];
    struct mup_tap_message message;
    size_t mark = mup_tap_mark(lab->tap);

    snprintf(topic, sizeof topic, "%s%s", prefix, device->device.name);
    snprintf(answers, sizeof answers, "%s%s", MUP_TOPIC_RESPONSE, device->device.name);
    if (getrandom(correlation, sizeof correlation, 0) != (ssize_t)sizeof correlation ||
        !mup_tap_publish(lab->tap, topic, request.data, request.size, 1, answers, correlation,
                         sizeof correlation))
        return mup_air_fail(lab, "nothing can be published on %s", topic);
    if (!mup_tap_wait(lab->tap, &mark, answers, correlation, sizeof correlation, ANSWER_TIMEOUT_MS,
                      &message) ||
        mup_response_decode(response, message.payload, message.size) != MUP_OK)
        return mup_air_fail(lab, "no response on %s", answers);
    device->verified_us = message.at_us;
    return true;
}

static bool take_bytes(struct mup_bytes *out, struct mup_bytes value)
{
    struct mup_cbor_reader reader;

    mup_cbor_reader_init(&reader, value.data, value.size);
    *out = mup_cbor_read_bytes(&reader, 1, MUP_RESPONSE_MAX);
    return mup_cbor_reader_finish(&reader) == MUP_OK;
}

static bool get_token(struct mup_air_lab *lab, struct mup_air_device *device,
                      struct mup_token *token)
{
    static const char method[] = MUP_METHOD_GET_TOKEN;
    const struct mup_request parts = {.method = {(const uint8_t *)method, sizeof method - 1}};
    uint8_t bytes[MUP_REQUEST_MAX];
    struct mup_bytes request = {.data = bytes};
    struct mup_response response;
    struct mup_bytes value;

    return (mup_request_encode(bytes, sizeof bytes, &request.size, &parts) == MUP_OK &&
            ask(lab, device, MUP_TOPIC_TOKEN, request, &response) &&
            take_bytes(&value, response.value) &&
            mup_token_decode(token, value.data, value.size) == MUP_OK) ||
           mup_air_fail(lab, "no device token");
}

/* ---- a manifest as the update server signs it ---- */

static bool sign(struct mup_air_lab *lab, uint8_t *bytes, size_t *size,
                 const struct mup_extended_manifest *extended)
{
    uint8_t payload[MUP_EXTENDED_PAYLOAD_MAX];
    struct mup_bytes piece = {.data = payload};
    struct mup_signer signer;
    struct mup_error error;
    bool good;

    if (mup_signer_open_file(&signer, mup_testbed_path(&lab->bed, "server.key"), &error) != MUP_OK)
        return mup_air_fail(lab, "%s", error.text);
    good = mup_extended_manifest_encode(payload, sizeof payload, &piece.size, extended) == MUP_OK &&
           mup_sign1_make(bytes, MUP_EXTENDED_SIGNED_MAX, size, &signer, piece) == MUP_OK;
    mup_signer_close(&signer);
    return good || mup_air_fail(lab, "the manifest cannot be signed");
}

static bool read_inner(struct mup_air_lab *lab, uint32_t version, uint8_t **bytes, size_t *size)
{
    char name[128];
    struct mup_error error;

    snprintf(name, sizeof name, "releases/%s/%u/%s/manifest.cose", MUP_TESTBED_APP,
             (unsigned)version, MUP_TESTBED_MICROBIT);
    return mup_file_read(bytes, size, mup_testbed_path(&lab->bed, name), MUP_VENDOR_SIGNED_MAX,
                         &error) == MUP_OK ||
           mup_air_fail(lab, "%s", error.text);
}

static bool encode_request(uint8_t request[MUP_REQUEST_MAX], size_t *size,
                           struct mup_bytes extended)
{
    static const char method[] = MUP_METHOD_MANIFEST;
    uint8_t argument[MUP_REQUEST_MAX];
    struct mup_cbor_writer writer;
    struct mup_request parts = {.method = {(const uint8_t *)method, sizeof method - 1},
                                .argument_count = 1,
                                .arguments = {.data = argument}};

    mup_cbor_writer_init(&writer, argument, sizeof argument);
    mup_cbor_write_bytes(&writer, extended.data, extended.size);
    return mup_cbor_writer_finish(&writer, &parts.arguments.size) == MUP_OK &&
           mup_request_encode(request, MUP_REQUEST_MAX, size, &parts) == MUP_OK;
}

/* The request that the update server would send for this token. */
static bool make_request(struct mup_air_lab *lab, uint32_t version, const struct mup_token *token,
                         uint8_t request[MUP_REQUEST_MAX], size_t *size)
{
    struct mup_extended_manifest extended = {.version = token->version};
    uint8_t bytes[MUP_EXTENDED_SIGNED_MAX];
    struct mup_bytes envelope = {.data = bytes};
    uint8_t *inner = NULL;
    bool good;

    if (!read_inner(lab, version, &inner, &extended.inner.size))
        return false;
    extended.inner.data = inner;
    memcpy(extended.uuid, token->uuid, sizeof extended.uuid);
    memcpy(extended.nonce, token->nonce, sizeof extended.nonce);
    good =
        sign(lab, bytes, &envelope.size, &extended) &&
        (encode_request(request, size, envelope) || mup_air_fail(lab, "the manifest is too long"));
    free(inner);
    return good;
}

/* ---- what is measured ---- */

/* A token, then a manifest; the device refuses it. */
static bool be_refused(struct mup_air_lab *lab, struct mup_bytes request, uint32_t state)
{
    struct mup_air_device *device = &lab->devices[0];
    struct mup_response response;
    struct mup_token token;

    device->token_us = mup_air_now_us();
    if (!get_token(lab, device, &token) ||
        !ask(lab, device, MUP_TOPIC_MANIFEST, request, &response))
        return false;
    device->state = response.state;
    return response.state == state ||
           mup_air_fail(lab, "the device answered %u to a manifest that it must refuse with %u",
                        (unsigned)response.state, (unsigned)state);
}

/* A manifest with both signatures, for a token of the device's life before this one. */
bool mup_air_replay(struct mup_air_lab *lab, const struct mup_air_row *row)
{
    struct mup_token token;
    uint8_t bytes[MUP_REQUEST_MAX];
    struct mup_bytes request = {.data = bytes};

    return get_token(lab, &lab->devices[0], &token) &&
           make_request(lab, MUP_AIR_RELEASE, &token, bytes, &request.size) &&
           mup_air_restart(lab, &lab->devices[0]) && mup_air_count(lab, row) &&
           be_refused(lab, request, MUP_STATE_INVALID_NONCE);
}

static bool is_refused(const struct mup_air_lab *lab)
{
    return lab->devices[0].state != 0 && lab->devices[0].state != MUP_STATE_OK;
}

/* The update server itself offers an older version, because somebody forces it to. */
bool mup_air_downgrade(struct mup_air_lab *lab, const struct mup_air_row *row)
{
    struct mup_air_device *device = &lab->devices[0];

    if (!mup_air_count(lab, row) || !mup_air_deploy(lab, MUP_AIR_OLDER, true))
        return false;
    if (!mup_air_follow(lab, is_refused, mup_air_now_us() + (int64_t)row->timeout_s * 1000000))
        return mup_air_fail(lab, "the device did not refuse an older version");
    device->verified_us = mup_air_now_us();
    return device->state == MUP_STATE_INVALID_VERSION ||
           mup_air_fail(lab, "the device answered %u to an older version", (unsigned)device->state);
}
