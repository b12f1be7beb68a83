/*
 * COSE_Sign1 in the one shape of docs/SPEC.md section 2. Signed bytes are handed on as they came;
 * nothing is encoded again to verify.
 */
#include <string.h>

#include "cbor_head.h"
#include "mup/cose.h"

#define TAG_COSE_SIGN1       18u
#define SIGN1_ELEMENTS       4u
#define PROTECTED_FIXED_SIZE 5u
#define PROTECTED_SIZE       (PROTECTED_FIXED_SIZE + MUP_KID_SIZE)

/*
 * What is signed, up to the key id's own bytes (RFC 9052 section 4.4): an array of four, of which
 * the first is a text and the second, from PROTECTED_AT on, the protected header {1: -7, 4: h'...'}
 * as a byte string. Written down, it is smaller than the calls that would write it.
 */
static const uint8_t sig_structure[] = {0x84, 0x6a, 'S', 'i',  'g',  'n',  'a',  't',  'u',
                                        'r',  'e',  '1', 0x4d, 0xa2, 0x01, 0x26, 0x04, 0x48};
#define PROTECTED_AT (sizeof sig_structure - PROTECTED_FIXED_SIZE)

enum mup_status mup_cose_sign1_decode(struct mup_cose_sign1 *out, const uint8_t *bytes, size_t size)
{
    struct mup_cbor_reader reader;

    mup_cbor_reader_init(&reader, bytes, size);
    mup_cbor_read_tag(&reader, TAG_COSE_SIGN1);
    size_t elements = mup_cbor_read_array(&reader, SIGN1_ELEMENTS);
    struct mup_bytes header = mup_cbor_read_bytes(&reader, PROTECTED_SIZE, PROTECTED_SIZE);
    (void)mup_cbor_read_map(&reader, 0);
    struct mup_bytes payload = mup_cbor_read_bytes(&reader, 1, MUP_COSE_PAYLOAD_MAX);
    struct mup_bytes signature =
        mup_cbor_read_bytes(&reader, MUP_SIGNATURE_SIZE, MUP_SIGNATURE_SIZE);
    enum mup_status status = mup_cbor_reader_finish(&reader);

    if (status != MUP_OK)
        return status;
    if (elements != SIGN1_ELEMENTS ||
        memcmp(header.data, sig_structure + PROTECTED_AT, PROTECTED_FIXED_SIZE) != 0)
        return MUP_ERR_FORMAT;
    memcpy(out->kid, header.data + PROTECTED_FIXED_SIZE, MUP_KID_SIZE);
    out->payload = payload;
    out->signature = signature.data;
    return MUP_OK;
}

size_t mup_cose_prefix(uint8_t prefix[MUP_COSE_PREFIX_MAX], const uint8_t kid[MUP_KID_SIZE],
                       size_t payload_size)
{
    struct mup_cbor_writer writer;

    mup_cbor_writer_init(&writer, prefix, MUP_COSE_PREFIX_MAX);
    mup_cbor_write_raw(&writer, sig_structure, sizeof sig_structure);
    mup_cbor_write_raw(&writer, kid, MUP_KID_SIZE);
    mup_cbor_write_bytes_head(&writer, 0); /* no external data */
    mup_cbor_write_bytes_head(&writer, payload_size);
    return writer.size;
}

static void write_protected(struct mup_cbor_writer *writer, const uint8_t kid[MUP_KID_SIZE])
{
    uint8_t header[PROTECTED_SIZE];

    memcpy(header, sig_structure + PROTECTED_AT, PROTECTED_FIXED_SIZE);
    memcpy(header + PROTECTED_FIXED_SIZE, kid, MUP_KID_SIZE);
    mup_cbor_write_bytes(writer, header, sizeof header);
}

enum mup_status mup_cose_sign1_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                      const uint8_t kid[MUP_KID_SIZE], struct mup_bytes payload,
                                      const uint8_t signature[MUP_SIGNATURE_SIZE])
{
    struct mup_cbor_writer writer;

    if (payload.size == 0 || payload.size > MUP_COSE_PAYLOAD_MAX)
        return MUP_ERR_RANGE;
    mup_cbor_writer_init(&writer, bytes, capacity);
    mup_cbor_write_tag(&writer, TAG_COSE_SIGN1);
    mup_cbor_write_array(&writer, SIGN1_ELEMENTS);
    write_protected(&writer, kid);
    mup_cbor_write_map(&writer, 0);
    mup_cbor_write_bytes(&writer, payload.data, payload.size);
    mup_cbor_write_bytes(&writer, signature, MUP_SIGNATURE_SIZE);
    return mup_cbor_writer_finish(&writer, size);
}
