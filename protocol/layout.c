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

/* What a value of a kind is: on the wire, and in the struct. */
struct form {
    uint8_t type; /* enum mup_cbor_type */
    uint8_t charset;
    uint8_t size; /* of the member; NONE: there is none, ALL: as long as the string */
};

#define NONE 0u
#define ALL  UINT8_MAX

static const struct form forms[] = {
    [MUP_FIELD_TYPE] = {MUP_CBOR_UINT, MUP_CBOR_RAW, NONE},
    [MUP_FIELD_UINT] = {MUP_CBOR_UINT, MUP_CBOR_RAW, sizeof(uint32_t)},
    [MUP_FIELD_BOOL] = {MUP_CBOR_SIMPLE, MUP_CBOR_RAW, sizeof(bool)},
    [MUP_FIELD_ITEM] = {MUP_CBOR_ARRAY, MUP_CBOR_RAW, sizeof(struct mup_bytes)},
    [MUP_FIELD_FIXED] = {MUP_CBOR_BYTES, MUP_CBOR_RAW, ALL},
    [MUP_FIELD_TEXT] = {MUP_CBOR_TEXT, MUP_CBOR_ASCII, ALL},
    [MUP_FIELD_ASCII] = {MUP_CBOR_TEXT, MUP_CBOR_ASCII, sizeof(struct mup_bytes)},
    [MUP_FIELD_UTF8] = {MUP_CBOR_TEXT, MUP_CBOR_UTF8, sizeof(struct mup_bytes)},
    [MUP_FIELD_BYTES] = {MUP_CBOR_BYTES, MUP_CBOR_RAW, sizeof(struct mup_bytes)},
    [MUP_FIELD_IGNORED] = {MUP_CBOR_BYTES, MUP_CBOR_RAW, NONE},
};

/* Read one value and put it where the row says. */
static void read_value(struct mup_cbor_reader *reader, const struct mup_field *row, uint8_t *out)
{
    uint32_t kind = row->kind;
    const struct form *form = &forms[kind];
    union {
        uint32_t number;
        bool truth;
        struct mup_bytes piece;
    } value;
    const void *member = &value;
    size_t size = form->size;

    if (kind == MUP_FIELD_TYPE) {
        if (mup_cbor_read_uint(reader, UINT32_MAX) != row->most)
            mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
    } else if (kind == MUP_FIELD_UINT) {
        value.number = mup_cbor_read_head(reader, MUP_CBOR_UINT, row->least, row->most);
    } else if (kind == MUP_FIELD_BOOL) {
        value.truth = mup_cbor_read_bool(reader);
    } else if (kind == MUP_FIELD_ITEM) {
        value.piece = mup_cbor_read_nested(reader, row->most);
    } else {
        value.piece =
            mup_cbor_read_string(reader, (enum mup_cbor_charset)form->charset,
                                 kind == MUP_FIELD_FIXED ? row->most : row->least, row->most);
        if (size == ALL) {
            member = value.piece.data;
            size = value.piece.size;
        }
    }
    if (reader->error == MUP_OK && size != NONE)
        memcpy(out + row->at, member, size);
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

enum mup_status mup_layout_decode(void *out, const uint8_t *bytes, size_t size,
                                  const struct mup_layout *layout)
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
    uint32_t kind = row->kind;
    const struct form *form = &forms[kind];
    uint32_t number = row->most;
    struct mup_bytes piece = {value, 0};

    mup_cbor_write_uint(writer, row->key);
    if (kind == MUP_FIELD_BOOL) {
        mup_cbor_write_bool(writer, value[0] != 0);
        return;
    }
    if (kind == MUP_FIELD_UINT) {
        memcpy(&number, value, sizeof number);
    } else if (kind == MUP_FIELD_FIXED) {
        piece.size = number;
    } else if (kind == MUP_FIELD_TEXT) {
        while (piece.size <= row->most && value[piece.size] != 0)
            piece.size++;
        number = (uint32_t)piece.size;
    } else if (kind != MUP_FIELD_TYPE) {
        memcpy(&piece, value, sizeof piece);
        number = (uint32_t)piece.size;
    }
    if (kind != MUP_FIELD_ITEM)
        mup_cbor_write_head(writer, (enum mup_cbor_type)form->type, number);
    mup_cbor_write_raw(writer, piece.data, piece.size);
}

enum mup_status mup_layout_encode(uint8_t *bytes, size_t capacity, size_t *size, const void *in,
                                  const struct mup_layout *layout, uint32_t present)
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
    if (mup_layout_decode(NULL, bytes, writer.size, layout) != MUP_OK)
        return MUP_ERR_RANGE;
    *size = writer.size;
    return MUP_OK;
}
