/*
 * The reader: one place that knows what deterministic CBOR looks like (RFC 8949 sections 3 and
 * 4.2). Every other decoder of the project is built from these calls and has no length arithmetic
 * of its own.
 */
#include <string.h>

#include "cbor_head.h"

#define INITIAL_TYPE_SHIFT 5u
#define INITIAL_INFO_MASK  31u
#define INFO_IMMEDIATE_MAX 23u /* up to here the argument stands in the first byte */
#define INFO_4_BYTES       26u /* 24, 25, 26: one, two, four bytes follow */
#define SIMPLE_FALSE       20u
#define SIMPLE_TRUE        21u
#define SIMPLE_NULL        22u
#define KEY_MAX            23u
#define ASCII_FIRST        0x20u
#define ASCII_LAST         0x7eu

void mup_cbor_reader_init(struct mup_cbor_reader *reader, const uint8_t *bytes, size_t size)
{
    reader->at = bytes;
    reader->left = size;
    reader->error = MUP_OK;
}

void mup_cbor_reader_fail(struct mup_cbor_reader *reader, enum mup_status error)
{
    if (reader->error == MUP_OK)
        reader->error = error;
}

/* The next `size` bytes, or NULL and MUP_ERR_SHORT. */
static const uint8_t *take(struct mup_cbor_reader *reader, size_t size)
{
    const uint8_t *taken = reader->at;

    if (size > reader->left)
        mup_cbor_reader_fail(reader, MUP_ERR_SHORT);
    if (reader->error != MUP_OK)
        return NULL;
    reader->at += size;
    reader->left -= size;
    return taken;
}

enum mup_cbor_type mup_cbor_peek(struct mup_cbor_reader *reader)
{
    if (reader->left == 0)
        mup_cbor_reader_fail(reader, MUP_ERR_SHORT);
    if (reader->error != MUP_OK)
        return MUP_CBOR_SIMPLE;
    return (enum mup_cbor_type)(reader->at[0] >> INITIAL_TYPE_SHIFT);
}

/* The argument that follows a first byte with `info`; the shortest form or an error. */
static uint32_t read_argument(struct mup_cbor_reader *reader, uint32_t info)
{
    uint32_t value = 0;
    uint32_t least = INFO_IMMEDIATE_MAX + 1u; /* below it, a shorter form exists */

    if (info <= INFO_IMMEDIATE_MAX)
        return info;
    if (info > INFO_4_BYTES) {
        mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
        return 0;
    }
    size_t size = (size_t)1 << (info - (INFO_IMMEDIATE_MAX + 1u));
    const uint8_t *bytes = take(reader, size);
    if (bytes == NULL)
        return 0;
    if (size > 1)
        least = (uint32_t)1 << (4u * size); /* 2 bytes: above 8 bits; 4 bytes: above 16 */
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    if (value < least)
        mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
    return value;
}

uint32_t mup_cbor_read_head(struct mup_cbor_reader *reader, enum mup_cbor_type type, uint32_t least,
                            uint32_t most)
{
    const uint8_t *first = take(reader, 1);

    if (first == NULL)
        return 0;
    if (first[0] >> INITIAL_TYPE_SHIFT != (int)type) {
        mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
        return 0;
    }
    uint32_t value = read_argument(reader, first[0] & INITIAL_INFO_MASK);
    if (value < least || value > most)
        mup_cbor_reader_fail(reader, MUP_ERR_RANGE);
    return reader->error == MUP_OK ? value : 0;
}

uint32_t mup_cbor_read_uint(struct mup_cbor_reader *reader, uint32_t most)
{
    return mup_cbor_read_head(reader, MUP_CBOR_UINT, 0, most);
}

int32_t mup_cbor_read_int(struct mup_cbor_reader *reader)
{
    if (mup_cbor_peek(reader) != MUP_CBOR_NEGATIVE)
        return (int32_t)mup_cbor_read_uint(reader, INT32_MAX);
    int32_t complement = (int32_t)mup_cbor_read_head(reader, MUP_CBOR_NEGATIVE, 0, INT32_MAX);
    return reader->error == MUP_OK ? -1 - complement : 0;
}

struct mup_bytes mup_cbor_read_bytes(struct mup_cbor_reader *reader, size_t least, size_t most)
{
    return mup_cbor_read_string(reader, MUP_CBOR_RAW, least, most);
}

void mup_cbor_read_fixed(struct mup_cbor_reader *reader, uint8_t *out, size_t size)
{
    struct mup_bytes bytes = mup_cbor_read_bytes(reader, size, size);

    if (reader->error == MUP_OK)
        memcpy(out, bytes.data, size);
}

/*
 * How many bytes the character has that begins text[0..left); 0 if it is not well formed. A code
 * point below the least for its length is an overlong form (RFC 3629 section 3).
 */
static size_t utf8_size(const uint8_t *text, size_t left)
{
    uint32_t first = text[0];
    size_t following = (size_t)(first >= 0xc0) + (first >= 0xe0) + (first >= 0xf0);
    uint32_t point = first & (0x3fu >> following);

    if (following == 0)
        return first - 1u < 0x7fu; /* neither NUL nor a continuation */
    if (following >= left || first > 0xf4)
        return 0;
    for (size_t i = 1; i <= following; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3fu);
    }
    /* 1, 2, 3 bytes behind the first: from 2^7, 2^11, 2^16 on. */
    if (point >> (following == 1 ? 7 : 5 * following + 1) == 0)
        return 0;
    if (point > 0x10ffff || point >> 11 == 0xd800 >> 11) /* beyond the last, or a surrogate */
        return 0;
    return following + 1;
}

/* Whether the bytes are of the character set. */
static bool is_of(enum mup_cbor_charset charset, const uint8_t *text, size_t left)
{
    size_t size = 1;

    for (; left > 0; left -= size, text += size) {
        if (charset == MUP_CBOR_UTF8)
            size = utf8_size(text, left);
        else if (text[0] < ASCII_FIRST || text[0] > ASCII_LAST)
            return false;
        if (size == 0)
            return false;
    }
    return true;
}

struct mup_bytes mup_cbor_read_string(struct mup_cbor_reader *reader, enum mup_cbor_charset charset,
                                      size_t least, size_t most)
{
    struct mup_bytes string = {NULL, 0};
    enum mup_cbor_type type = charset == MUP_CBOR_RAW ? MUP_CBOR_BYTES : MUP_CBOR_TEXT;
    uint32_t size = mup_cbor_read_head(reader, type, (uint32_t)least, (uint32_t)most);
    const uint8_t *data = take(reader, size);

    if (data == NULL)
        return string;
    if (charset != MUP_CBOR_RAW && !is_of(charset, data, size)) {
        mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
        return string;
    }
    string.data = data;
    string.size = size;
    return string;
}

struct mup_bytes mup_cbor_read_utf8(struct mup_cbor_reader *reader, size_t least, size_t most)
{
    return mup_cbor_read_string(reader, MUP_CBOR_UTF8, least, most);
}

struct mup_bytes mup_cbor_read_text(struct mup_cbor_reader *reader, size_t least, size_t most)
{
    return mup_cbor_read_string(reader, MUP_CBOR_ASCII, least, most);
}

/* false, true or null, by number. */
static uint32_t read_simple(struct mup_cbor_reader *reader, uint32_t last)
{
    uint32_t value = mup_cbor_read_head(reader, MUP_CBOR_SIMPLE, 0, UINT32_MAX);

    if (value < SIMPLE_FALSE || value > last)
        mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
    return value;
}

bool mup_cbor_read_bool(struct mup_cbor_reader *reader)
{
    return read_simple(reader, SIMPLE_TRUE) == SIMPLE_TRUE && reader->error == MUP_OK;
}

size_t mup_cbor_read_array(struct mup_cbor_reader *reader, size_t most)
{
    return mup_cbor_read_head(reader, MUP_CBOR_ARRAY, 0, (uint32_t)most);
}

size_t mup_cbor_read_map(struct mup_cbor_reader *reader, size_t most)
{
    return mup_cbor_read_head(reader, MUP_CBOR_MAP, 0, (uint32_t)most);
}

void mup_cbor_read_tag(struct mup_cbor_reader *reader, uint32_t tag)
{
    if (mup_cbor_read_head(reader, MUP_CBOR_TAG, 0, UINT32_MAX) != tag)
        mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
}

uint32_t mup_cbor_read_key(struct mup_cbor_reader *reader, uint32_t *previous)
{
    uint32_t key = mup_cbor_read_head(reader, MUP_CBOR_UINT, 0, UINT32_MAX);

    if (key <= *previous || key > KEY_MAX)
        mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
    if (reader->error != MUP_OK)
        return 0;
    *previous = key;
    return key;
}

/* An array or map that was begun and not finished. */
struct level {
    uint32_t left;     /* elements or pairs still to come */
    uint32_t previous; /* key, in a map */
    bool is_map;
};

/* Read an item that has no items within. */
static void read_leaf(struct mup_cbor_reader *reader, enum mup_cbor_type type)
{
    if (type == MUP_CBOR_BYTES || type == MUP_CBOR_TEXT)
        (void)mup_cbor_read_string(reader, type == MUP_CBOR_TEXT ? MUP_CBOR_UTF8 : MUP_CBOR_RAW, 0,
                                   UINT32_MAX);
    else if (type == MUP_CBOR_SIMPLE)
        (void)read_simple(reader, SIMPLE_NULL);
    else if (type == MUP_CBOR_TAG)
        mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
    else
        (void)mup_cbor_read_head(reader, type, 0, type == MUP_CBOR_UINT ? UINT32_MAX : INT32_MAX);
}

struct mup_bytes mup_cbor_read_nested(struct mup_cbor_reader *reader, size_t depth_max)
{
    struct mup_bytes item = {reader->at, 0};
    struct level levels[MUP_CBOR_DEPTH_MAX];
    struct level *top = levels; /* one above the innermost */

    /* Each turn takes at least one byte, so the input bounds the loop. */
    do {
        if (top > levels) {
            if (top[-1].is_map)
                (void)mup_cbor_read_key(reader, &top[-1].previous);
            top[-1].left--;
        }
        enum mup_cbor_type type = mup_cbor_peek(reader);
        if (type != MUP_CBOR_ARRAY && type != MUP_CBOR_MAP) {
            read_leaf(reader, type);
        } else if (top == levels + depth_max) {
            mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
        } else {
            uint32_t count = mup_cbor_read_head(reader, type, 0, UINT32_MAX);
            *top++ = (struct level){count, 0, type == MUP_CBOR_MAP};
        }
        while (top > levels && top[-1].left == 0)
            top--;
    } while (top > levels && reader->error == MUP_OK);
    item.size = (size_t)(reader->at - item.data);
    return reader->error == MUP_OK ? item : (struct mup_bytes){NULL, 0};
}

struct mup_bytes mup_cbor_read_item(struct mup_cbor_reader *reader)
{
    return mup_cbor_read_nested(reader, MUP_CBOR_DEPTH_MAX);
}

enum mup_status mup_cbor_reader_finish(const struct mup_cbor_reader *reader)
{
    if (reader->error == MUP_OK && reader->left != 0)
        return MUP_ERR_FORMAT;
    return reader->error;
}
