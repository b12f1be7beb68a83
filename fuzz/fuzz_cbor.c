/*
 * Every decoder of protocol/: the first byte selects one, the rest is the message. Beyond not
 * crashing, what is taken must be written again byte for byte, because there is only one encoding
 * of each message; key 15 of responses and reports is the exception, it is read and not written.
 */
#include <stdlib.h>
#include <string.h>

#include "mup/bootstrap.h"
#include "mup/certificate.h"
#include "mup/cose.h"
#include "mup/manifest.h"
#include "mup/report.h"
#include "mup/rpc.h"
#include "mup/token.h"
#include "mup/topic.h"
#include "mup/transfer.h"

#define WRITTEN_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t input_size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static void require_same(const uint8_t *bytes, size_t size, const uint8_t *again, size_t again_size)
{
    require(size == again_size && memcmp(bytes, again, size) == 0);
}

/* Decode; if taken, encode and compare. `exact` says that nothing may be lost on the way. */
#define ROUND_TRIP(type, function, exact)                                                 \
    do {                                                                                  \
        struct type message;                                                              \
        if (function##_decode(&message, bytes, size) != MUP_OK)                           \
            break;                                                                        \
        require(function##_encode(again, sizeof again, &again_size, &message) == MUP_OK); \
        if ((exact) || again_size == size)                                                \
            require_same(bytes, size, again, again_size);                                 \
        else                                                                              \
            require(again_size < size);                                                   \
    } while (0)

static void round_trip_presence(const uint8_t *bytes, size_t size)
{
    uint8_t again[MUP_PRESENCE_SIZE];
    bool online;

    if (mup_presence_decode(&online, bytes, size) != MUP_OK)
        return;
    mup_presence_encode(again, online);
    require_same(bytes, size, again, sizeof again);
}

static void round_trip_slice(const uint8_t *bytes, size_t size)
{
    struct mup_slice_header header;
    size_t header_size;
    uint8_t again[MUP_SLICE_HEADER_MAX];

    if (mup_slice_header_decode(&header, &header_size, bytes, size) != MUP_OK)
        return;
    require(header_size <= size && header_size <= MUP_SLICE_HEADER_MAX);
    require_same(bytes, header_size, again, mup_slice_header_encode(again, &header));
}

static void round_trip_ack(const uint8_t *bytes, size_t size)
{
    struct mup_ack ack;
    uint8_t again[MUP_ACK_MAX];
    size_t again_size = 0;

    if (mup_ack_decode(&ack, bytes, size) != MUP_OK)
        return;
    require(mup_ack_encode(again, &again_size, &ack) == MUP_OK);
    require_same(bytes, size, again, again_size);
}

static void round_trip_cose(const uint8_t *bytes, size_t size)
{
    struct mup_cose_sign1 sign1;
    uint8_t again[MUP_COSE_PAYLOAD_MAX + MUP_COSE_OVERHEAD_MAX];
    size_t again_size = 0;

    if (mup_cose_sign1_decode(&sign1, bytes, size) != MUP_OK)
        return;
    require(mup_cose_sign1_encode(again, sizeof again, &again_size, sign1.kid, sign1.payload,
                                  sign1.signature) == MUP_OK);
    require_same(bytes, size, again, again_size);
}

static void round_trip_uuid(const uint8_t *bytes, size_t size)
{
    uint8_t uuid[MUP_UUID_SIZE];
    uint8_t again[MUP_UUID_SIZE];
    char text[MUP_UUID_TEXT_SIZE];

    (void)mup_name_is_valid((const char *)bytes, size);
    if (mup_uuid_parse(uuid, (const char *)bytes, size) != MUP_OK)
        return;
    mup_uuid_format(text, uuid);
    require(mup_uuid_parse(again, text, sizeof text - 1) == MUP_OK);
    require_same(uuid, sizeof uuid, again, sizeof again);
}

/* The raw items of a value may be read one by one, as those who receive them do. */
static void walk_items(const uint8_t *bytes, size_t size)
{
    struct mup_cbor_reader reader;

    mup_cbor_reader_init(&reader, bytes, size);
    while (reader.left > 0 && reader.error == MUP_OK) {
        struct mup_bytes item = mup_cbor_read_item(&reader);
        require(reader.error != MUP_OK || item.size > 0);
    }
}

static void round_trip(uint8_t selector, const uint8_t *bytes, size_t size)
{
    uint8_t again[WRITTEN_MAX];
    size_t again_size = 0;

    switch (selector) {
    case 0:
        ROUND_TRIP(mup_manifest, mup_manifest, true);
        break;
    case 1:
        ROUND_TRIP(mup_extended_manifest, mup_extended_manifest, true);
        break;
    case 2:
        ROUND_TRIP(mup_certificate, mup_certificate, true);
        break;
    case 3:
        ROUND_TRIP(mup_token, mup_token, true);
        break;
    case 4:
        ROUND_TRIP(mup_announcement, mup_announcement, true);
        break;
    case 5:
        ROUND_TRIP(mup_piece, mup_piece, true);
        break;
    case 6:
        ROUND_TRIP(mup_bootstrap_reply, mup_bootstrap_reply, true);
        break;
    case 7:
        round_trip_presence(bytes, size);
        break;
    case 8:
        ROUND_TRIP(mup_request, mup_request, true);
        break;
    case 9:
        ROUND_TRIP(mup_response, mup_response, false);
        break;
    case 10:
        round_trip_slice(bytes, size);
        break;
    case 11:
        round_trip_ack(bytes, size);
        break;
    case 12:
        ROUND_TRIP(mup_report, mup_report, false);
        break;
    case 13:
        round_trip_cose(bytes, size);
        break;
    case 14:
        round_trip_uuid(bytes, size);
        break;
    default:
        walk_items(bytes, size);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t input_size)
{
    if (input_size == 0)
        return 0;
    /* A block of exactly this size, so that one byte too many is seen. */
    size_t size = input_size - 1;
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL)
        return 0;
    memcpy(exact, input + 1, size);
    round_trip(input[0], exact, size);
    free(exact);
    return 0;
}
