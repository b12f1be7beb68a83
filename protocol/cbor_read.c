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

/* A string of one of the two kinds, not looked into. */
static struct mup_bytes read_string(struct mup_cbor_reader *reader, enum mup_cbor_type type,
                                    size_t least, size_t most)
{
    struct mup_bytes string = {NULL, 0};
    uint32_t size = mup_cbor_read_head(reader, type, (uint32_t)least, (uint32_t)most);

    string.data = take(reader, size);
    if (string.data != NULL)
        string.size = size;
    return string;
}

struct mup_bytes mup_cbor_read_bytes(struct mup_cbor_reader *reader, size_t least, size_t most)
{
    return read_string(reader, MUP_CBOR_BYTES, least, most);
}

void mup_cbor_read_fixed(struct mup_cbor_reader *reader, uint8_t *out, size_t size)
{
    struct mup_bytes bytes = mup_cbor_read_bytes(reader, size, size);

    if (reader->error == MUP_OK)
        memcpy(out, bytes.data, size);
}

/* How many bytes the character has that begins text[0..left); 0 if it is not well formed. */
static size_t utf8_size(const uint8_t *text, size_t left)
{
    /* Unicode 15, table 3-7: only the second byte's range depends on the first byte. */
    uint8_t first = text[0];
    uint8_t least = 0x80;
    uint8_t most = 0xbf;
    size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (first < 0x80)
        return first != 0;
    if (first < 0xc2 || first > 0xf4 || size > left)
        return 0;
    if (first == 0xe0)
        least = 0xa0; /* below: an overlong form */
    if (first == 0xf0)
        least = 0x90;
    if (first == 0xed)
        most = 0x9f; /* above: a surrogate */
    if (first == 0xf4)
        most = 0x8f; /* above: beyond U+10FFFF */
    for (size_t i = 1; i < size; i++) {
        if (text[i] < least || text[i] > most)
            return 0;
        least = 0x80;
        most = 0xbf;
    }
    return size;
}

struct mup_bytes mup_cbor_read_utf8(struct mup_cbor_reader *reader, size_t least, size_t most)
{
    struct mup_bytes text = read_string(reader, MUP_CBOR_TEXT, least, most);
    size_t size = 0;

    for (size_t at = 0; at < text.size; at += size) {
        size = utf8_size(text.data + at, text.size - at);
        if (size == 0) {
            mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
            return (struct mup_bytes){NULL, 0};
        }
    }
    return text;
}

struct mup_bytes mup_cbor_read_text(struct mup_cbor_reader *reader, size_t least, size_t most)
{
    struct mup_bytes text = read_string(reader, MUP_CBOR_TEXT, least, most);

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < ASCII_FIRST || text.data[i] > ASCII_LAST) {
            mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
            return (struct mup_bytes){NULL, 0};
        }
    }
    return text;
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
    size_t left; /* elements or pairs still to come */
    bool is_map;
    uint32_t previous; /* key, in a map */
};

/* Read what stands before the elements of a container, or a whole item of another kind. */
static bool read_opening(struct mup_cbor_reader *reader, struct level *level)
{
    enum mup_cbor_type type = mup_cbor_peek(reader);

    switch (type) {
    case MUP_CBOR_ARRAY:
    case MUP_CBOR_MAP:
        level->is_map = type == MUP_CBOR_MAP;
        level->previous = 0;
        level->left = mup_cbor_read_head(reader, type, 0, UINT32_MAX);
        return true;
    case MUP_CBOR_BYTES:
        (void)mup_cbor_read_bytes(reader, 0, UINT32_MAX);
        break;
    case MUP_CBOR_TEXT:
        (void)mup_cbor_read_utf8(reader, 0, UINT32_MAX);
        break;
    case MUP_CBOR_UINT:
        (void)mup_cbor_read_uint(reader, UINT32_MAX);
        break;
    case MUP_CBOR_NEGATIVE:
        (void)mup_cbor_read_int(reader);
        break;
    case MUP_CBOR_SIMPLE:
        (void)read_simple(reader, SIMPLE_NULL);
        break;
    case MUP_CBOR_TAG:
        mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
        break;
    }
    return false;
}

struct mup_bytes mup_cbor_read_item(struct mup_cbor_reader *reader)
{
    const uint8_t *start = reader->at;
    struct level levels[MUP_CBOR_DEPTH_MAX];
    struct level opened = {0, false, 0};
    size_t depth = 0;

    /* Each turn takes at least one byte, so the input bounds the loop. */
    do {
        if (depth > 0 && levels[depth - 1].is_map)
            (void)mup_cbor_read_key(reader, &levels[depth - 1].previous);
        if (depth > 0)
            levels[depth - 1].left--;
        if (read_opening(reader, &opened)) {
            if (depth == MUP_CBOR_DEPTH_MAX)
                mup_cbor_reader_fail(reader, MUP_ERR_FORMAT);
            else
                levels[depth++] = opened;
        }
        while (depth > 0 && levels[depth - 1].left == 0)
            depth--;
    } while (depth > 0 && reader->error == MUP_OK);
    if (reader->error != MUP_OK)
        return (struct mup_bytes){NULL, 0};
    return (struct mup_bytes){start, (size_t)(reader->at - start)};
}

enum mup_status mup_cbor_reader_finish(const struct mup_cbor_reader *reader)
{
    if (reader->error == MUP_OK && reader->left != 0)
        return MUP_ERR_FORMAT;
    return reader->error;
}
