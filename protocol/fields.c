/*
 * Walk a table of fields in both directions. Strict: keys ascend, unknown keys and missing ones
 * are refused, and each value is held against the row's limits.
 */
#include <stdbool.h>
#include <string.h>

#include "cbor_head.h"
#include "fields.h"

/* Read one value and, if `out` is not NULL, put it where the row says. */
static void read_value(struct mup_cbor_reader *reader, const struct mup_field *field, uint8_t *out)
{
    uint32_t number = 0;
    bool truth = false;
    struct mup_bytes piece = {NULL, 0};
    const void *value = &piece;
    size_t size = sizeof piece;

    switch ((enum mup_field_kind)(field->kind & MUP_FIELD_KIND_MASK)) {
    case MUP_FIELD_TYPE:
        if (mup_cbor_read_uint(reader, UINT32_MAX) != field->least)
            mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
        return;
    case MUP_FIELD_UINT:
        number = mup_cbor_read_head(reader, MUP_CBOR_UINT, field->least, field->most);
        value = &number;
        size = sizeof number;
        break;
    case MUP_FIELD_BOOL:
        truth = mup_cbor_read_bool(reader);
        value = &truth;
        size = sizeof truth;
        break;
    case MUP_FIELD_FIXED:
        piece = mup_cbor_read_bytes(reader, field->most, field->most);
        value = piece.data;
        size = piece.size;
        break;
    case MUP_FIELD_TEXT:
        piece = mup_cbor_read_text(reader, field->least, field->most);
        value = piece.data;
        size = piece.size;
        break;
    case MUP_FIELD_ASCII:
        piece = mup_cbor_read_text(reader, field->least, field->most);
        break;
    case MUP_FIELD_UTF8:
        piece = mup_cbor_read_utf8(reader, field->least, field->most);
        break;
    case MUP_FIELD_BYTES:
        piece = mup_cbor_read_bytes(reader, field->least, field->most);
        break;
    case MUP_FIELD_ITEM:
        piece = mup_cbor_read_item(reader);
        break;
    case MUP_FIELD_IGNORED:
        (void)mup_cbor_read_bytes(reader, field->least, field->most);
        return;
    }
    if (out != NULL && reader->error == MUP_OK)
        memcpy(out + field->at, value, size);
}

enum mup_status mup_fields_decode(struct mup_fields fields, void *out, uint32_t *seen,
                                  const uint8_t *bytes, size_t size)
{
    struct mup_cbor_reader reader;
    uint32_t previous = 0;
    uint32_t key = 0;

    *seen = 0;
    mup_cbor_reader_init(&reader, bytes, size);
    size_t pairs = mup_cbor_read_head(&reader, MUP_CBOR_MAP, 0, UINT32_MAX);
    for (size_t i = 0; i < fields.count; i++) {
        const struct mup_field *field = &fields.field[i];

        if (key == 0 && pairs > 0) {
            key = mup_cbor_read_key(&reader, &previous);
            pairs--;
        }
        if (key == field->key) {
            read_value(&reader, field, out);
            *seen |= MUP_KEY(key);
            key = 0;
        } else if ((field->kind & MUP_FIELD_OPTIONAL) == 0) {
            mup_cbor_reader_fail(&reader, MUP_ERR_FORMAT);
        }
    }
    if (key != 0 || pairs > 0) /* a key that no row has */
        mup_cbor_reader_fail(&reader, MUP_ERR_FORMAT);
    return mup_cbor_reader_finish(&reader);
}

static void write_value(struct mup_cbor_writer *writer, const struct mup_field *field,
                        const uint8_t *value)
{
    struct mup_bytes piece;
    uint32_t number = field->least;
    size_t length = 0;

    switch ((enum mup_field_kind)(field->kind & MUP_FIELD_KIND_MASK)) {
    case MUP_FIELD_UINT:
        memcpy(&number, value, sizeof number);
        mup_cbor_write_uint(writer, number);
        break;
    case MUP_FIELD_TYPE:
        mup_cbor_write_uint(writer, number);
        break;
    case MUP_FIELD_BOOL:
        mup_cbor_write_bool(writer, value[0] != 0);
        break;
    case MUP_FIELD_FIXED:
        mup_cbor_write_bytes(writer, value, field->most);
        break;
    case MUP_FIELD_TEXT:
        while (length <= field->most && value[length] != 0)
            length++;
        mup_cbor_write_text(writer, (const char *)value, length);
        break;
    case MUP_FIELD_ASCII:
    case MUP_FIELD_UTF8:
        memcpy(&piece, value, sizeof piece);
        mup_cbor_write_text(writer, (const char *)piece.data, piece.size);
        break;
    case MUP_FIELD_BYTES:
        memcpy(&piece, value, sizeof piece);
        mup_cbor_write_bytes(writer, piece.data, piece.size);
        break;
    case MUP_FIELD_ITEM:
        memcpy(&piece, value, sizeof piece);
        mup_cbor_write_raw(writer, piece.data, piece.size);
        break;
    case MUP_FIELD_IGNORED:
        break;
    }
}

static bool is_written(const struct mup_field *field, uint32_t present)
{
    return (present & MUP_KEY(field->key)) != 0 &&
           (field->kind & MUP_FIELD_KIND_MASK) != MUP_FIELD_IGNORED;
}

enum mup_status mup_fields_encode(struct mup_fields fields, const void *in, uint32_t present,
                                  uint8_t *bytes, size_t capacity, size_t *size)
{
    struct mup_cbor_writer writer;
    size_t pairs = 0;

    mup_cbor_writer_init(&writer, bytes, capacity);
    for (size_t i = 0; i < fields.count; i++)
        pairs += is_written(&fields.field[i], present);
    mup_cbor_write_map(&writer, pairs);
    for (size_t i = 0; i < fields.count; i++) {
        const struct mup_field *field = &fields.field[i];

        if (!is_written(field, present))
            continue;
        mup_cbor_write_uint(&writer, field->key);
        write_value(&writer, field, (const uint8_t *)in + field->at);
    }
    if (writer.error != MUP_OK)
        return writer.error;
    uint32_t seen = 0;
    if (mup_fields_decode(fields, NULL, &seen, bytes, writer.size) != MUP_OK)
        return MUP_ERR_RANGE;
    *size = writer.size;
    return MUP_OK;
}
