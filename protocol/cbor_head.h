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

/* Keep the first error. */
void mup_cbor_reader_fail(struct mup_cbor_reader *reader, enum mup_status error);

#endif
