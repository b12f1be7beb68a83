/* All messages behind one interface; a walker of CBOR that shares no line with the tested one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka_all.h"
#include "unit/protocol/messages.h"
#include "unit/protocol/spec.h"

#define CODEC_OF(member, function)                                                        \
    static enum mup_status decode_##member(union any_message *out, const uint8_t *bytes,  \
                                           size_t size)                                   \
    {                                                                                     \
        return mup_##function##_decode(&out->member, bytes, size);                        \
    }                                                                                     \
    static enum mup_status encode_##member(uint8_t *bytes, size_t capacity, size_t *size, \
                                           const union any_message *in)                   \
    {                                                                                     \
        return mup_##function##_encode(bytes, capacity, size, &in->member);               \
    }

CODEC_OF(manifest, manifest)
CODEC_OF(extended, extended_manifest)
CODEC_OF(certificate, certificate)
CODEC_OF(token, token)
CODEC_OF(announcement, announcement)
CODEC_OF(piece, piece)
CODEC_OF(reply, bootstrap_reply)
CODEC_OF(request, request)
CODEC_OF(response, response)
CODEC_OF(report, report)

static enum mup_status decode_presence(union any_message *out, const uint8_t *bytes, size_t size)
{
    return mup_presence_decode(&out->presence, bytes, size);
}

static enum mup_status encode_presence(uint8_t *bytes, size_t capacity, size_t *size,
                                       const union any_message *in)
{
    if (capacity < MUP_PRESENCE_SIZE)
        return MUP_ERR_SPACE;
    mup_presence_encode(bytes, in->presence);
    *size = MUP_PRESENCE_SIZE;
    return MUP_OK;
}

static enum mup_status decode_ack(union any_message *out, const uint8_t *bytes, size_t size)
{
    return mup_ack_decode(&out->ack, bytes, size);
}

static enum mup_status encode_ack(uint8_t *bytes, size_t capacity, size_t *size,
                                  const union any_message *in)
{
    uint8_t whole[MUP_ACK_MAX];
    enum mup_status status = mup_ack_encode(whole, size, &in->ack);

    if (status == MUP_OK && *size > capacity)
        return MUP_ERR_SPACE;
    if (status == MUP_OK)
        memcpy(bytes, whole, *size);
    return status;
}

static enum mup_status decode_cose(union any_message *out, const uint8_t *bytes, size_t size)
{
    return mup_cose_sign1_decode(&out->cose, bytes, size);
}

static enum mup_status encode_cose(uint8_t *bytes, size_t capacity, size_t *size,
                                   const union any_message *in)
{
    return mup_cose_sign1_encode(bytes, capacity, size, in->cose.kid, in->cose.payload,
                                 in->cose.signature);
}

const struct codec codecs[CODEC_COUNT] = {
    [CODEC_MANIFEST] = {"manifest", decode_manifest, encode_manifest},
    [CODEC_EXTENDED] = {"extended manifest", decode_extended, encode_extended},
    [CODEC_CERTIFICATE] = {"certificate", decode_certificate, encode_certificate},
    [CODEC_TOKEN] = {"token", decode_token, encode_token},
    [CODEC_ANNOUNCEMENT] = {"announcement", decode_announcement, encode_announcement},
    [CODEC_PIECE] = {"piece", decode_piece, encode_piece},
    [CODEC_REPLY] = {"bootstrap reply", decode_reply, encode_reply},
    [CODEC_PRESENCE] = {"presence", decode_presence, encode_presence},
    [CODEC_REQUEST] = {"request", decode_request, encode_request},
    [CODEC_RESPONSE] = {"response", decode_response, encode_response},
    [CODEC_ACK] = {"acknowledgement", decode_ack, encode_ack},
    [CODEC_REPORT] = {"report", decode_report, encode_report},
    [CODEC_COSE] = {"COSE_Sign1", decode_cose, encode_cose},
};

const struct known_vector known_vectors[KNOWN_VECTORS] = {
    {"Vendor manifest", CODEC_MANIFEST, true, false},
    {"Vendor manifest, signed", CODEC_COSE, false, false},
    {"Extended manifest", CODEC_EXTENDED, true, false},
    {"Extended manifest, signed", CODEC_COSE, false, false},
    {"Certificate", CODEC_CERTIFICATE, true, false},
    {"Certificate, signed", CODEC_COSE, false, false},
    {"Announcement", CODEC_ANNOUNCEMENT, true, false},
    {"Announcement without a key", CODEC_ANNOUNCEMENT, true, false},
    {"Description piece", CODEC_PIECE, true, false},
    {"Bootstrap reply", CODEC_REPLY, true, false},
    {"Bootstrap reply that asks for the description", CODEC_REPLY, true, false},
    {"Presence, online", CODEC_PRESENCE, true, false},
    {"Presence, offline", CODEC_PRESENCE, true, false},
    {"Request without arguments", CODEC_REQUEST, true, false},
    {"Request with arguments of every kind", CODEC_REQUEST, true, false},
    {"Device token", CODEC_TOKEN, true, false},
    {"Device token without a server and without a kept part", CODEC_TOKEN, true, false},
    {"Device token of a device that wants its slices by QoS 1", CODEC_TOKEN, true, false},
    {"Device token of a device that wants one slice each 273 ms", CODEC_TOKEN, true, false},
    {"Response with a value", CODEC_RESPONSE, true, false},
    {"Response of a state alone", CODEC_RESPONSE, true, false},
    {"Response with a text, a nested value and authentication", CODEC_RESPONSE, true, true},
    {"Acknowledgement", CODEC_ACK, false, false},
    {"Final report", CODEC_REPORT, true, false},
    {"Final report of a revert, with authentication", CODEC_REPORT, true, true},
};

enum mup_status decode_exactly(const struct codec *codec, union any_message *out,
                               const struct message *message, uint8_t **kept)
{
    union any_message before;
    /* malloc(0) may be NULL; one byte that nobody may read is as good under ASan. */
    uint8_t *block = malloc(message->size > 0 ? message->size : 1);

    assert_non_null(block);
    memcpy(block, message->bytes, message->size);
    memset(out, 0xa5, sizeof *out);
    memset(&before, 0xa5, sizeof before);
    enum mup_status status = codec->decode(out, block, message->size);
    if (status != MUP_OK)
        assert_memory_equal(out, &before, sizeof before);
    *kept = block;
    return status;
}

enum mup_status verdict(const struct codec *codec, const struct message *message)
{
    union any_message out;
    uint8_t *kept;
    enum mup_status status = decode_exactly(codec, &out, message, &kept);

    free(kept);
    return status;
}

/* Size of the head at `at`, its major type and its argument. */
static size_t head_at(const struct message *message, size_t at, uint32_t *major, uint64_t *argument)
{
    uint8_t first = message->bytes[at];
    size_t following = (first & 31) < 24 ? 0 : (size_t)1 << ((first & 31) - 24);

    *major = first >> 5;
    *argument = following == 0 ? first & 31u : 0;
    for (size_t i = 1; i <= following; i++)
        *argument = *argument << 8 | message->bytes[at + i];
    return 1 + following;
}

static size_t walk(const struct message *message, size_t at, size_t offsets[MESSAGE_MAX],
                   size_t *count)
{
    uint32_t major;
    uint64_t argument;
    size_t next = at + head_at(message, at, &major, &argument);
    uint64_t children = major == 4 ? argument : major == 5 ? 2 * argument : major == 6 ? 1 : 0;

    if (offsets != NULL)
        offsets[*count] = at;
    ++*count;
    if (major == 2 || major == 3)
        return next + (size_t)argument;
    for (uint64_t i = 0; i < children; i++)
        next = walk(message, next, offsets, count);
    return next;
}

size_t find_heads(const struct message *message, size_t offsets[MESSAGE_MAX])
{
    size_t count = 0;

    assert_int_equal(walk(message, 0, offsets, &count), message->size);
    return count;
}

size_t item_end(const struct message *message, size_t at)
{
    size_t count = 0;

    return walk(message, at, NULL, &count);
}

size_t find_pairs(const struct message *message, struct pair pairs[24])
{
    size_t count = message->bytes[0] & 31u;
    size_t at = 1;

    assert_int_equal(message->bytes[0] >> 5, 5);
    for (size_t i = 0; i < count; i++) {
        pairs[i].key = at;
        pairs[i].value = item_end(message, at);
        pairs[i].end = item_end(message, pairs[i].value);
        at = pairs[i].end;
    }
    return count;
}

struct message replaced(const struct message *message, size_t at, size_t end, const uint8_t *bytes,
                        size_t size)
{
    struct message changed = {.size = message->size - (end - at) + size};

    assert_true(changed.size <= MESSAGE_MAX);
    memcpy(changed.bytes, message->bytes, at);
    if (size > 0)
        memcpy(changed.bytes + at, bytes, size);
    memcpy(changed.bytes + at + size, message->bytes + end, message->size - end);
    return changed;
}

struct message from_hex(const char *hex)
{
    struct message message = {.size = 0};

    while (*hex != '\0') {
        char pair[3] = {hex[0], hex[1], '\0'};
        unsigned long times = 1;
        char *end;

        if (*hex == ' ') {
            hex++;
            continue;
        }
        uint8_t byte = (uint8_t)strtoul(pair, &end, 16);
        assert_ptr_equal(end, pair + 2);
        hex += 2;
        if (*hex == '*') {
            times = strtoul(hex + 1, &end, 10);
            hex = end;
        }
        assert_true(message.size + times <= MESSAGE_MAX);
        memset(message.bytes + message.size, byte, times);
        message.size += times;
    }
    return message;
}

struct message with_value(const struct message *message, uint8_t key, const char *hex)
{
    struct message value = from_hex(hex);
    struct pair pairs[24];
    size_t count = find_pairs(message, pairs);

    for (size_t i = 0; i < count; i++) {
        if (message->bytes[pairs[i].key] == key)
            return replaced(message, pairs[i].value, pairs[i].end, value.bytes, value.size);
    }
    fail_msg("no key %u", key);
    return value;
}

struct message from_spec(const char *name)
{
    struct spec_vector vector = spec_vector(name);
    struct message message = {.size = vector.size};

    memcpy(message.bytes, vector.bytes, vector.size);
    return message;
}
