/*
 * Walk a table of fields in both directions. Strict: keys ascend, unknown keys and missing ones
 * are refused, and each value is held against the row's limits.
 */
#include <stdbool.h>
#include <string.h>

#include "cbor_head.h"
#include "layout.h"

/* A place for any decoded message, aligned for its members. */
union scratch {
    uint8_t bytes[MUP_LAYOUT_STRUCT_MAX];
    struct mup_bytes piece;
    uint32_t number;
};

/* Read one value and put it where the row says. */
static void read_value(struct mup_cbor_reader *reader, const struct mup_field *row, uint8_t *out)
{
    enum mup_field_kind kind = (enum mup_field_kind)row->kind;
    enum mup_cbor_charset charset = MUP_CBOR_RAW;
    uint32_t number = 0;
    bool truth = false;
    struct mup_bytes piece = {NULL, 0};
    const void *value = &piece;
    size_t size = sizeof piece;

    switch (kind) {
    case MUP_FIELD_TYPE:
        if (mup_cbor_read_uint(reader, UINT32_MAX) != row->most)
            mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
        return;
    case MUP_FIELD_UINT:
        number = mup_cbor_read_head(reader, MUP_CBOR_UINT, row->least, row->most);
        value = &number;
        size = sizeof number;
        break;
    case MUP_FIELD_BOOL:
        truth = mup_cbor_read_bool(reader);
        value = &truth;
        size = sizeof truth;
        break;
    case MUP_FIELD_TEXT:
    case MUP_FIELD_ASCII:
        charset = MUP_CBOR_ASCII;
        break;
    case MUP_FIELD_UTF8:
        charset = MUP_CBOR_UTF8;
        break;
    case MUP_FIELD_ITEM:
        piece = mup_cbor_read_nested(reader, row->most);
        break;
    case MUP_FIELD_FIXED:
    case MUP_FIELD_BYTES:
    case MUP_FIELD_IGNORED:
        break;
    }
    if (kind >= MUP_FIELD_FIXED)
        piece = mup_cbor_read_string(reader, charset,
                                     kind == MUP_FIELD_FIXED ? row->most : row->least, row->most);
    if (kind == MUP_FIELD_TEXT || kind == MUP_FIELD_FIXED) {
        value = piece.data;
        size = piece.size;
    }
    if (reader->error == MUP_OK && kind != MUP_FIELD_IGNORED)
        memcpy(out + row->at, value, size);
}

/* Whether the value that comes next is for this row, if its key is. */
static bool takes(struct mup_cbor_reader *reader, const struct mup_field *row)
{
    return row->presence == MUP_REQUIRED || row->kind != MUP_FIELD_UINT ||
           mup_cbor_peek(reader) == MUP_CBOR_UINT;
}

static enum mup_status read_map(const struct mup_layout *layout, uint8_t *out, uint32_t *seen,
                                const uint8_t *bytes, size_t size)
{
    struct mup_cbor_reader reader;
    uint32_t previous = 0;
    uint32_t key = 0;

    mup_cbor_reader_init(&reader, bytes, size);
    size_t pairs = mup_cbor_read_head(&reader, MUP_CBOR_MAP, 0, UINT32_MAX);
    for (uint32_t i = 0; i < layout->count; i++) {
        const struct mup_field *row = &layout->rows[i];

        if (key == 0 && pairs > 0) {
            key = mup_cbor_read_key(&reader, &previous);
            pairs--;
        }
        if (key == row->key && takes(&reader, row)) {
            read_value(&reader, row, out);
            *seen |= MUP_ROW(i);
            key = 0;
        } else if (row->presence == MUP_REQUIRED) {
            mup_cbor_reader_fail(&reader, MUP_ERR_FORMAT);
        }
    }
    if (key != 0 || pairs > 0) /* a key that no row has */
        mup_cbor_reader_fail(&reader, MUP_ERR_FORMAT);
    return mup_cbor_reader_finish(&reader);
}

enum mup_status mup_layout_decode(const struct mup_layout *layout, void *out, const uint8_t *bytes,
                                  size_t size)
{
    union scratch scratch;
    uint32_t seen = 0;

    if (size > layout->size_max)
        return MUP_ERR_RANGE;
    memset(&scratch, 0, sizeof scratch);
    enum mup_status status = read_map(layout, scratch.bytes, &seen, bytes, size);
    if (status == MUP_OK && layout->settle != NULL)
        status = layout->settle(&scratch, seen);
    if (status == MUP_OK && out != NULL)
        memcpy(out, &scratch, layout->struct_size);
    return status;
}

/* A key and its value; strings are a head and bytes, numbers and truth values a head alone. */
static void write_pair(struct mup_cbor_writer *writer, const struct mup_field *row,
                       const uint8_t *value)
{
    enum mup_cbor_type type = MUP_CBOR_UINT;
    uint32_t number = row->most;
    struct mup_bytes piece = {value, 0};

    mup_cbor_write_uint(writer, row->key);
    switch ((enum mup_field_kind)row->kind) {
    case MUP_FIELD_TYPE:
        break;
    case MUP_FIELD_UINT:
        memcpy(&number, value, sizeof number);
        break;
    case MUP_FIELD_BOOL:
        mup_cbor_write_bool(writer, value[0] != 0);
        return;
    case MUP_FIELD_FIXED:
        type = MUP_CBOR_BYTES;
        piece.size = number;
        break;
    case MUP_FIELD_TEXT:
        type = MUP_CBOR_TEXT;
        while (piece.size <= row->most && value[piece.size] != 0)
            piece.size++;
        number = (uint32_t)piece.size;
        break;
    case MUP_FIELD_ASCII:
    case MUP_FIELD_UTF8:
    case MUP_FIELD_BYTES:
    case MUP_FIELD_ITEM:
    case MUP_FIELD_IGNORED:
        type = row->kind == MUP_FIELD_BYTES ? MUP_CBOR_BYTES : MUP_CBOR_TEXT;
        memcpy(&piece, value, sizeof piece);
        number = (uint32_t)piece.size;
        break;
    }
    if (row->kind != MUP_FIELD_ITEM)
        mup_cbor_write_head(writer, type, number);
    mup_cbor_write_raw(writer, piece.data, piece.size);
}

enum mup_status mup_layout_encode(const struct mup_layout *layout, const void *in, uint32_t present,
                                  uint8_t *bytes, size_t capacity, size_t *size)
{
    struct mup_cbor_writer writer;
    size_t pairs = 0;

    mup_cbor_writer_init(&writer, bytes, capacity);
    for (uint32_t i = 0; i < layout->count; i++)
        pairs += present >> i & 1u;
    mup_cbor_write_map(&writer, pairs);
    for (uint32_t i = 0; i < layout->count; i++) {
        const struct mup_field *row = &layout->rows[i];

        if ((present >> i & 1u) != 0)
            write_pair(&writer, row, (const uint8_t *)in + row->at);
    }
    if (writer.error != MUP_OK)
        return writer.error;
    if (mup_layout_decode(layout, NULL, bytes, writer.size) != MUP_OK)
        return MUP_ERR_RANGE;
    *size = writer.size;
    return MUP_OK;
}
