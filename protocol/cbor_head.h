/*
 * The head of a CBOR item, for the files of this folder that need it without the item's content:
 * a slice's header ends where its data begin, and a payload is hashed behind its head.
 */
#ifndef MUP_CBOR_HEAD_H
#define MUP_CBOR_HEAD_H

#include "mup/cbor.h"

/*
 * Read the head of an item of `type` and return its argument: an integer's value, a string's
 * length, an array's or map's count, a simple value's number. Another type, a form longer than it
 * need be, an indefinite length or an argument of 64 bits is MUP_ERR_FORMAT; an argument outside
 * least..most is MUP_ERR_RANGE. Returns 0 after an error.
 */
uint32_t mup_cbor_read_head(struct mup_cbor_reader *reader, enum mup_cbor_type type, uint32_t least,
                            uint32_t most);

/* The same in the other direction, in the shortest form. */
void mup_cbor_write_head(struct mup_cbor_writer *writer, enum mup_cbor_type type, uint32_t value);

/* What a string may consist of; the first is a byte string, the others are text strings. */
enum mup_cbor_charset {
    MUP_CBOR_RAW,   /* anything */
    MUP_CBOR_ASCII, /* 0x20 to 0x7e */
    MUP_CBOR_UTF8,  /* well formed, without NUL */
};

/* A string of least..most bytes of the character set; see mup_cbor_read_bytes, _text, _utf8. */
struct mup_bytes mup_cbor_read_string(struct mup_cbor_reader *reader, enum mup_cbor_charset charset,
                                      size_t least, size_t most);

/* mup_cbor_read_item with arrays and maps nested at most `depth` deep, MUP_CBOR_DEPTH_MAX or less.
 */
struct mup_bytes mup_cbor_read_nested(struct mup_cbor_reader *reader, size_t depth);

/* Keep the first error. */
void mup_cbor_reader_fail(struct mup_cbor_reader *reader, enum mup_status error);

#endif
