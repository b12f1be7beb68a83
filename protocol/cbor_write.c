/*
 * The writer: the one encoding of each item (RFC 8949 section 4.2). It has the shortest heads by
 * construction; the order of keys is the caller's.
 */
#include <string.h>

#include "cbor_head.h"

#define INITIAL_TYPE_SHIFT 5u
#define INFO_1_BYTE        24u
#define SIMPLE_FALSE       20u
#define SIMPLE_NULL        22u
#define HEAD_MAX           5u

void mup_cbor_writer_init(struct mup_cbor_writer *writer, uint8_t *bytes, size_t capacity)
{
    writer->start = bytes;
    writer->capacity = capacity;
    writer->size = 0;
    writer->error = MUP_OK;
}

void mup_cbor_write_raw(struct mup_cbor_writer *writer, const void *bytes, size_t size)
{
    if (size > writer->capacity - writer->size)
        writer->error = MUP_ERR_SPACE;
    if (writer->error != MUP_OK || size == 0)
        return;
    memcpy(writer->start + writer->size, bytes, size);
    writer->size += size;
}

void mup_cbor_write_head(struct mup_cbor_writer *writer, enum mup_cbor_type type, uint32_t value)
{
    uint8_t head[HEAD_MAX];
    uint32_t info = value;
    size_t following = 0;

    if (value >= INFO_1_BYTE) {
        uint32_t power = value <= UINT8_MAX ? 0u : value <= UINT16_MAX ? 1u : 2u;
        info = INFO_1_BYTE + power;
        following = (size_t)1 << power;
    }
    head[0] = (uint8_t)((uint32_t)type << INITIAL_TYPE_SHIFT | info);
    for (size_t i = following; i > 0; i--) {
        head[i] = (uint8_t)value;
        value >>= 8;
    }
    mup_cbor_write_raw(writer, head, 1 + following);
}

void mup_cbor_write_uint(struct mup_cbor_writer *writer, uint32_t value)
{
    mup_cbor_write_head(writer, MUP_CBOR_UINT, value);
}

void mup_cbor_write_int(struct mup_cbor_writer *writer, int32_t value)
{
    if (value < 0)
        mup_cbor_write_head(writer, MUP_CBOR_NEGATIVE, (uint32_t)(-1 - value));
    else
        mup_cbor_write_head(writer, MUP_CBOR_UINT, (uint32_t)value);
}

void mup_cbor_write_bytes_head(struct mup_cbor_writer *writer, size_t size)
{
    mup_cbor_write_head(writer, MUP_CBOR_BYTES, (uint32_t)size);
}

/* A head that says more than 32 bits cannot be written; no buffer of ours is that large. */
static void write_string(struct mup_cbor_writer *writer, enum mup_cbor_type type, const void *bytes,
                         size_t size)
{
    mup_cbor_write_head(writer, type, (uint32_t)size);
    mup_cbor_write_raw(writer, bytes, size);
}

void mup_cbor_write_bytes(struct mup_cbor_writer *writer, const void *bytes, size_t size)
{
    write_string(writer, MUP_CBOR_BYTES, bytes, size);
}

void mup_cbor_write_text(struct mup_cbor_writer *writer, const char *text, size_t size)
{
    write_string(writer, MUP_CBOR_TEXT, text, size);
}

void mup_cbor_write_bool(struct mup_cbor_writer *writer, bool value)
{
    mup_cbor_write_head(writer, MUP_CBOR_SIMPLE, SIMPLE_FALSE + (value ? 1u : 0u));
}

void mup_cbor_write_null(struct mup_cbor_writer *writer)
{
    mup_cbor_write_head(writer, MUP_CBOR_SIMPLE, SIMPLE_NULL);
}

void mup_cbor_write_array(struct mup_cbor_writer *writer, size_t count)
{
    mup_cbor_write_head(writer, MUP_CBOR_ARRAY, (uint32_t)count);
}

void mup_cbor_write_map(struct mup_cbor_writer *writer, size_t pairs)
{
    mup_cbor_write_head(writer, MUP_CBOR_MAP, (uint32_t)pairs);
}

void mup_cbor_write_tag(struct mup_cbor_writer *writer, uint32_t tag)
{
    mup_cbor_write_head(writer, MUP_CBOR_TAG, tag);
}

enum mup_status mup_cbor_writer_finish(const struct mup_cbor_writer *writer, size_t *size)
{
    if (writer->error == MUP_OK)
        *size = writer->size;
    return writer->error;
}
