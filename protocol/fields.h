/*
 * A message as a table: the rows of a table in docs/SPEC.md, in the same order, each with the
 * place in the decoded struct. One walker reads and one writes all messages, so that a limit stands
 * once, the two directions cannot disagree, and a message costs a microcontroller 12 bytes a field.
 */
#ifndef MUP_FIELDS_H
#define MUP_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "mup/status.h"

/* What a field is on the wire, and in the struct. */
enum mup_field_kind {
    MUP_FIELD_TYPE,    /* the number `least`, nothing else; not in the struct */
    MUP_FIELD_UINT,    /* least..most; uint32_t */
    MUP_FIELD_BOOL,    /* bool */
    MUP_FIELD_FIXED,   /* byte string of `most` bytes; uint8_t[most] */
    MUP_FIELD_TEXT,    /* printable ASCII of least..most bytes; char[most + 1], ends with NUL */
    MUP_FIELD_ASCII,   /* the same as a piece; struct mup_bytes */
    MUP_FIELD_UTF8,    /* UTF-8 of least..most bytes; struct mup_bytes */
    MUP_FIELD_BYTES,   /* byte string of least..most bytes; struct mup_bytes */
    MUP_FIELD_ITEM,    /* any item, as raw bytes; struct mup_bytes */
    MUP_FIELD_IGNORED, /* byte string of least..most bytes; not in the struct, never written */
};

#define MUP_FIELD_OPTIONAL  0x80u /* added to a kind: the key may be missing */
#define MUP_FIELD_KIND_MASK 0x7fu

struct mup_field {
    uint8_t key; /* 1 to 23, ascending within a table */
    uint8_t kind;
    uint16_t at; /* of the value in the struct */
    uint32_t least;
    uint32_t most;
};

struct mup_fields {
    const struct mup_field *field;
    size_t count;
};

#define MUP_FIELDS(table) ((struct mup_fields){(table), sizeof(table) / sizeof((table)[0])})

/* The bit of a key in a set of keys. */
#define MUP_KEY(key) ((uint32_t)1 << (key))
#define MUP_KEYS_ALL UINT32_MAX

/*
 * Read bytes[0..size) as one map. `out` is the caller's scratch struct, zeroed before; it is
 * written while reading, so the caller commits it only after MUP_OK and its own checks. With out
 * NULL nothing is kept. *seen gets the set of the keys that were there.
 */
MUP_MUST_CHECK
enum mup_status mup_fields_decode(struct mup_fields fields, void *out, uint32_t *seen,
                                  const uint8_t *bytes, size_t size);

/*
 * Write the fields whose keys are in the set `present`, then read them back by the same table:
 * what the decoder would refuse is MUP_ERR_RANGE here and *size stays as it was.
 */
MUP_MUST_CHECK
enum mup_status mup_fields_encode(struct mup_fields fields, const void *in, uint32_t present,
                                  uint8_t *bytes, size_t capacity, size_t *size);

#endif
