/*
 * Read and write deterministic CBOR (RFC 8949 section 4.2), the part that MUP uses.
 *
 * Integers of 32 bits, byte and text strings, arrays and maps of definite length, false, true,
 * null. Everything else, and every encoding that is longer than it need be, is a format error:
 * there is exactly one encoding of each message, so signed bytes cannot have twins.
 *
 * Reader and writer keep the first error ("sticky"): make all the calls, then look once. After an
 * error every read returns zero or an empty piece, and nothing is written.
 *
 * Byte layout of the messages: docs/SPEC.md.
 */
#ifndef MUP_CBOR_H
#define MUP_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "mup/status.h"

/* Major types as they stand in the three upper bits of an item's first byte. */
enum mup_cbor_type {
    MUP_CBOR_UINT = 0,
    MUP_CBOR_NEGATIVE = 1,
    MUP_CBOR_BYTES = 2,
    MUP_CBOR_TEXT = 3,
    MUP_CBOR_ARRAY = 4,
    MUP_CBOR_MAP = 5,
    MUP_CBOR_TAG = 6,
    MUP_CBOR_SIMPLE = 7,
};

/* Private fields, except that `error` may be read at any time. */
struct mup_cbor_reader {
    const uint8_t *at;
    size_t left;
    enum mup_status error;
};

/* Start reading bytes[0..size), which must outlive the reader and every piece taken from it. */
void mup_cbor_reader_init(struct mup_cbor_reader *reader, const uint8_t *bytes, size_t size);

/* The type of the next item; MUP_CBOR_SIMPLE after an error, which the end of input is (SHORT). */
enum mup_cbor_type mup_cbor_peek(struct mup_cbor_reader *reader);

/* An unsigned integer not above `most`; above it: MUP_ERR_RANGE. */
uint32_t mup_cbor_read_uint(struct mup_cbor_reader *reader, uint32_t most);

/* A signed integer from -2^31 to 2^31-1; outside it: MUP_ERR_RANGE. */
int32_t mup_cbor_read_int(struct mup_cbor_reader *reader);

/* A byte string of least..most bytes; another length: MUP_ERR_RANGE. */
struct mup_bytes mup_cbor_read_bytes(struct mup_cbor_reader *reader, size_t least, size_t most);

/* A byte string of exactly `size` bytes, copied to `out`; `out` is untouched on error. */
void mup_cbor_read_fixed(struct mup_cbor_reader *reader, uint8_t *out, size_t size);

/* A text string of least..most bytes, printable ASCII (0x20 to 0x7e); else MUP_ERR_FORMAT. */
struct mup_bytes mup_cbor_read_text(struct mup_cbor_reader *reader, size_t least, size_t most);

/* A text string of least..most bytes of well-formed UTF-8 without NUL; else MUP_ERR_FORMAT. */
struct mup_bytes mup_cbor_read_utf8(struct mup_cbor_reader *reader, size_t least, size_t most);

bool mup_cbor_read_bool(struct mup_cbor_reader *reader);

/* The head of an array or map of at most `most` items or pairs; returns how many follow. */
size_t mup_cbor_read_array(struct mup_cbor_reader *reader, size_t most);
size_t mup_cbor_read_map(struct mup_cbor_reader *reader, size_t most);

/* Exactly this tag number (below 24), or MUP_ERR_FORMAT. */
void mup_cbor_read_tag(struct mup_cbor_reader *reader, uint32_t tag);

/*
 * One item of any supported kind but a tag, at most MUP_CBOR_DEPTH_MAX arrays and maps deep, as the
 * raw bytes it occupies. For values that are passed on without being understood. Texts must be
 * UTF-8; keys are as mup_cbor_read_key wants them.
 */
#define MUP_CBOR_DEPTH_MAX 4u
struct mup_bytes mup_cbor_read_item(struct mup_cbor_reader *reader);

/*
 * The next key of a map whose keys are integers from 1 to 23 in ascending order (deterministic
 * order). `*previous` starts at 0 before the first key and is updated; a key that does not ascend
 * or is above 23 is a format error. Call it as many times as mup_cbor_read_map said.
 */
uint32_t mup_cbor_read_key(struct mup_cbor_reader *reader, uint32_t *previous);

/* The sticky error, or MUP_ERR_FORMAT when bytes are left over, or MUP_OK. */
MUP_MUST_CHECK
enum mup_status mup_cbor_reader_finish(const struct mup_cbor_reader *reader);

/* Private fields, except that `error` may be read at any time. */
struct mup_cbor_writer {
    uint8_t *start;
    size_t capacity;
    size_t size;
    enum mup_status error;
};

/* Write into bytes[0..capacity). What does not fit is MUP_ERR_SPACE, sticky. */
void mup_cbor_writer_init(struct mup_cbor_writer *writer, uint8_t *bytes, size_t capacity);

void mup_cbor_write_uint(struct mup_cbor_writer *writer, uint32_t value);
void mup_cbor_write_int(struct mup_cbor_writer *writer, int32_t value);
void mup_cbor_write_bytes(struct mup_cbor_writer *writer, const void *bytes, size_t size);

/* The head alone of a byte string, for one whose bytes stand elsewhere. */
void mup_cbor_write_bytes_head(struct mup_cbor_writer *writer, size_t size);

void mup_cbor_write_text(struct mup_cbor_writer *writer, const char *text, size_t size);
void mup_cbor_write_bool(struct mup_cbor_writer *writer, bool value);
void mup_cbor_write_null(struct mup_cbor_writer *writer);
void mup_cbor_write_array(struct mup_cbor_writer *writer, size_t count);
void mup_cbor_write_map(struct mup_cbor_writer *writer, size_t pairs);
void mup_cbor_write_tag(struct mup_cbor_writer *writer, uint32_t tag);

/* Bytes that are already CBOR, as they are. */
void mup_cbor_write_raw(struct mup_cbor_writer *writer, const void *bytes, size_t size);

/* The sticky error; on MUP_OK *size is what was written. */
MUP_MUST_CHECK
enum mup_status mup_cbor_writer_finish(const struct mup_cbor_writer *writer, size_t *size);

#endif
