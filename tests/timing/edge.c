/* What the stations at the edge say, in order. See edge.h. */
#include "edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "server/extend.h"

#include "mup/bootstrap.h"
#include "mup/cbor.h"
#include "mup/certificate.h"
#include "mup/report.h"
#include "mup/rpc.h"
#include "mup/sign/certify.h"
#include "mup/state.h"
#include "mup/topic.h"
#include "mup/transfer.h"

#define NAME        "timing"
#define APP_ID      "mup-demo"
#define HARDWARE    "microbit"
#define LINK_OFFSET 24576u
#define BLOCK_SIZE  1024u
#define SLICE_SIZE  1024u /* what the update server sends unless configured */
#define IMAGE_MAX   114688u

static void fail(struct edge *edge, const char *what, unsigned state)
{
    fprintf(stderr, "timing: %s: state %u\n", what, state);
    edge->stage = EDGE_FAILED;
}

/* ---- to the device ----------------------------------------------------------------------------
 */

static void request(struct edge *edge, const char *topic, const char *method, const void *item,
                    size_t item_size)
{
    struct mup_request request = {.method = {(const uint8_t *)method, strlen(method)},
                                  .argument_count = item != NULL,
                                  .arguments = {item, item_size}};
    uint8_t bytes[MUP_REQUEST_MAX + 64];
    char full[MUP_TOPIC_MAX + 1];
    size_t size;

    if (mup_request_encode(bytes, sizeof bytes, &size, &request) != MUP_OK)
        abort();
    edge->correlation++;
    snprintf(full, sizeof full, "%s" NAME, topic);
    broker_publish(edge->broker, full, bytes, size, 1, false, MUP_TOPIC_RESPONSE NAME,
                   &edge->correlation, 1);
    edge->owed = edge->broker->puback_count + 1;
}

/* The first time with the certificate of the update server's key. */
static void reply(struct edge *edge, const struct mup_announcement *announcement)
{
    struct mup_certificate certificate = {.epoch = 1, .label = "the update server"};
    struct mup_bootstrap_reply reply = {.state = MUP_STATE_OK};
    uint8_t signed_certificate[MUP_CERTIFICATE_SIGNED_MAX];
    uint8_t bytes[MUP_BOOTSTRAP_REPLY_MAX];
    struct mup_error error = {""};
    size_t size = 0;

    memcpy(reply.description_digest, announcement->description_digest, MUP_DIGEST_SIZE);
    memcpy(certificate.public_key, edge->server.public_key, MUP_PUBLIC_KEY_SIZE);
    if (announcement->server_epoch == 0) {
        if (mup_certify(signed_certificate, &size, &certificate, &edge->vendor, &error) != MUP_OK)
            abort();
        reply.certificate = (struct mup_bytes){signed_certificate, size};
    }
    if (mup_bootstrap_reply_encode(bytes, sizeof bytes, &size, &reply) != MUP_OK)
        abort();
    broker_publish(edge->broker, MUP_TOPIC_BOOTSTRAP NAME, bytes, size, 1, false, NULL, NULL, 0);
    edge->owed = edge->broker->puback_count + 1;
}

static void send_manifest(struct edge *edge)
{
    struct mup_bytes inner = {edge->release.signed_manifest, edge->release.signed_manifest_size};
    uint8_t extended[MUP_EXTENDED_SIGNED_MAX];
    uint8_t item[MUP_EXTENDED_SIGNED_MAX + 8];
    struct mup_cbor_writer writer;
    size_t size = 0;

    if (mup_extend(extended, &size, inner, &edge->token, &edge->server) != MUP_OK)
        abort();
    mup_cbor_writer_init(&writer, item, sizeof item);
    mup_cbor_write_bytes(&writer, extended, size);
    if (mup_cbor_writer_finish(&writer, &size) != MUP_OK)
        abort();
    request(edge, MUP_TOPIC_MANIFEST, MUP_METHOD_MANIFEST, item, size);
}

static void send_slices(struct edge *edge)
{
    struct mup_slice_header header;

    while (mup_sender_next(&edge->sender, &header)) {
        uint8_t bytes[MUP_SLICE_HEADER_MAX + SLICE_SIZE];
        size_t size = mup_slice_header_encode(bytes, &header);

        memcpy(bytes + size, edge->release.payload + header.offset, header.size);
        broker_publish(edge->broker, MUP_TOPIC_FIRMWARE NAME, bytes, size + header.size, 0, false,
                       NULL, NULL, 0);
        mup_sender_sent(&edge->sender, &header);
    }
    if (edge->sender.sent == edge->sender.payload_size)
        edge->stage = EDGE_LAST;
}

/* ---- from the device --------------------------------------------------------------------------
 */

static void on_announcement(struct edge *edge, const struct broker_message *message)
{
    struct mup_announcement announcement;

    if (mup_announcement_decode(&announcement, message->payload, message->size) != MUP_OK) {
        fail(edge, "the announcement cannot be read", 0);
        return;
    }
    reply(edge, &announcement);
    edge->is_announced = true;
    if (edge->stage == EDGE_RESTART && announcement.version == edge->release.manifest.new_version)
        edge->stage = EDGE_ANNOUNCED;
}

/* The byte string that is an answer's value. */
static struct mup_bytes value_of(const struct mup_response *response)
{
    struct mup_cbor_reader reader;

    mup_cbor_reader_init(&reader, response->value.data, response->value.size);
    return mup_cbor_read_bytes(&reader, 0, MUP_REQUEST_MAX);
}

static void on_token(struct edge *edge, struct mup_bytes value)
{
    if (mup_token_decode(&edge->token, value.data, value.size) != MUP_OK) {
        fail(edge, "the token cannot be read", 0);
        return;
    }
    send_manifest(edge);
    edge->stage = EDGE_MANIFEST;
}

static void on_accepted(struct edge *edge, struct mup_bytes value)
{
    struct mup_ack ack;

    if (mup_ack_decode(&ack, value.data, value.size) != MUP_OK ||
        mup_sender_start(&edge->sender, edge->release.manifest.payload_size,
                         edge->token.window_size, SLICE_SIZE, &ack) != MUP_OK) {
        fail(edge, "the first acknowledgement cannot be used", 0);
        return;
    }
    edge->stage = EDGE_SLICES;
    send_slices(edge);
}

static void on_response(struct edge *edge, const struct broker_message *message)
{
    struct mup_response response;

    if (mup_response_decode(&response, message->payload, message->size) != MUP_OK ||
        response.state != MUP_STATE_OK)
        fail(edge, "a request was refused", response.state);
    else if (edge->stage == EDGE_TOKEN)
        on_token(edge, value_of(&response));
    else if (edge->stage == EDGE_MANIFEST)
        on_accepted(edge, value_of(&response));
    else if (edge->stage == EDGE_VERIFY)
        edge->stage = EDGE_RESTART;
}

static void on_ack(struct edge *edge, const struct broker_message *message)
{
    struct mup_ack ack;

    if ((edge->stage != EDGE_SLICES && edge->stage != EDGE_LAST) ||
        mup_ack_decode(&ack, message->payload, message->size) != MUP_OK)
        return;
    switch (mup_sender_take_ack(&edge->sender, &ack)) {
    case MUP_SENDER_IGNORED:
        break;
    case MUP_SENDER_MOVED:
        edge->stage = EDGE_SLICES;
        send_slices(edge);
        break;
    case MUP_SENDER_COMPLETE:
        request(edge, MUP_TOPIC_VERIFY, MUP_METHOD_VERIFY, NULL, 0);
        edge->stage = EDGE_VERIFY;
        break;
    case MUP_SENDER_FLASH:
    case MUP_SENDER_GONE:
        fail(edge, "the transfer has ended", ack.state);
        break;
    }
}

static void on_report(struct edge *edge, const struct broker_message *message)
{
    struct mup_report report;

    if (edge->stage == EDGE_ANNOUNCED &&
        mup_report_decode(&report, message->payload, message->size) == MUP_OK &&
        report.outcome == MUP_STATE_CONFIRMED)
        edge->stage = EDGE_CONFIRMED;
    else
        fail(edge, "the report does not say that the update is confirmed", 0);
}

static bool is_topic(const struct broker_message *message, const char *prefix)
{
    return strncmp(message->topic, prefix, strlen(prefix)) == 0;
}

static void on_message(struct edge *edge, const struct broker_message *message)
{
    if (is_topic(message, MUP_TOPIC_RESPONSE))
        on_response(edge, message);
    else if (is_topic(message, MUP_TOPIC_ACK))
        on_ack(edge, message);
    else if (is_topic(message, MUP_TOPIC_REPORT))
        on_report(edge, message);
}

/* The device's Receive Maximum is 1: nothing of QoS 1 is sent while it owes a PUBACK, so what leads
 * to a request waits for it. A device that announces itself has begun anew. */
void edge_step(struct edge *edge)
{
    while (edge->answered < edge->broker->message_count) {
        const struct broker_message *message = &edge->broker->messages[edge->answered];
        bool announces = is_topic(message, MUP_TOPIC_ANNOUNCE);

        if (!announces && edge->stage != EDGE_VERIFY && edge->broker->puback_count < edge->owed)
            return;
        edge->answered++;
        if (announces)
            on_announcement(edge, message);
        else
            on_message(edge, message);
    }
    if (edge->stage == EDGE_WAITS && edge->is_announced &&
        edge->broker->puback_count >= edge->owed) {
        request(edge, MUP_TOPIC_TOKEN, MUP_METHOD_GET_TOKEN, NULL, 0);
        edge->stage = EDGE_TOKEN;
    }
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static size_t read_image(uint8_t image[static IMAGE_MAX], const char *path)
{
    FILE *file = fopen(path, "rbe");
    size_t size = 0;

    if (file != NULL) {
        size = fread(image, 1, IMAGE_MAX, file);
        fclose(file);
    }
    return size;
}

bool edge_open(struct edge *edge, struct broker *broker, const char *image_path, uint32_t version,
               const char *key_path)
{
    static uint8_t image[IMAGE_MAX];
    struct mup_manifest fields = {.app_id = APP_ID,
                                  .hardware_class = HARDWARE,
                                  .link_offset = LINK_OFFSET,
                                  .new_version = version,
                                  .block_size = BLOCK_SIZE};
    struct mup_error error = {""};
    size_t size = read_image(image, image_path);

    *edge = (struct edge){.broker = broker};
    if (!timing_key(&edge->vendor, "vendor") || !timing_key(&edge->server, "update server") ||
        !timing_key_write(&edge->vendor, key_path))
        return false;
    if (mup_release_make(&edge->release, &fields, image, size, &edge->vendor, &error) == MUP_OK)
        return true;
    fprintf(stderr, "timing: %s: %s\n", image_path, error.text);
    return false;
}

void edge_close(struct edge *edge)
{
    mup_release_free(&edge->release);
    mup_signer_close(&edge->vendor);
    mup_signer_close(&edge->server);
}
