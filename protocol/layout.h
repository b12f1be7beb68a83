/*
 * A message as a table: the rows of a table in docs/SPEC.md, in the same order, each with the
 * place in the decoded struct. One walker reads and one writes all messages, so that a limit stands
 * once, the two directions cannot disagree, and a message costs a microcontroller 8 bytes a field.
 */
#ifndef MUP_LAYOUT_H
#define MUP_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "mup/status.h"

/* What a field is on the wire, and in the struct. */
enum mup_field_kind {
    MUP_FIELD_TYPE, /* the number `most`, nothing else; not in the struct */
    MUP_FIELD_UINT, /* least..most; uint32_t */
    MUP_FIELD_BOOL, /* bool */
    MUP_FIELD_ITEM, /* any item, `most` arrays and maps deep, as raw bytes; struct mup_bytes */
    /* From here on, strings. */
    MUP_FIELD_FIXED,   /* byte string of `most` bytes; uint8_t[most] */
    MUP_FIELD_TEXT,    /* printable ASCII of least..most bytes; char[most + 1], ends with NUL */
    MUP_FIELD_ASCII,   /* the same as a piece; struct mup_bytes */
    MUP_FIELD_UTF8,    /* UTF-8 of least..most bytes; struct mup_bytes */
    MUP_FIELD_BYTES,   /* byte string of least..most bytes; struct mup_bytes */
    MUP_FIELD_IGNORED, /* byte string of least..most bytes; not in the struct */
};

/* An optional number that is another kind of item leaves its key to the next row. */
enum mup_field_presence { MUP_REQUIRED, MUP_OPTIONAL };

struct mup_field {
    uint32_t key : 5; /* 1 to 23, ascending within a table */
    uint32_t kind : 4;
    uint32_t presence : 1;
    uint32_t at : 9; /* of the value in the struct */
    uint32_t least : 13;
    uint32_t most;
};

/* A set of rows, by their index. */
#define MUP_ROW(index) ((uint32_t)1 << (index))
#define MUP_ROWS_ALL   UINT32_MAX

struct mup_layout {
    const struct mup_field *rows;
    /* What the rows cannot say: how the fields fit each other. May complete the message. NULL: all
     * is said. `seen` has the rows that were there. */
    enum mup_status (*settle)(void *message, uint32_t seen);
    uint16_t size_max;   /* of the whole message on the wire */
    uint8_t struct_size; /* of the decoded form */
    uint8_t count;
};

#define MUP_LAYOUT_STRUCT_MAX 252u

#define MUP_LAYOUT(name, table, type, size_max, settle)                                      \
    _Static_assert(sizeof(type) <= MUP_LAYOUT_STRUCT_MAX, "does not fit the scratch value"); \
    static const struct mup_layout name = {table, settle, size_max, sizeof(type),            \
                                           sizeof(table) / sizeof((table)[0])}

/*
 * Read bytes[0..size) as one map. *out is written only on success; what is not in the message is
 * zero there. With out NULL the message is only checked. The table comes last, so that the decoder
 * of a message hands its own parameters on where they are.
 */
MUP_MUST_CHECK
enum mup_status mup_layout_decode(void *out, const uint8_t *bytes, size_t size,
                                  const struct mup_layout *layout);

/*
 * Write those rows that are in the set `present`, then read them back: what the decoder would
 * refuse is MUP_ERR_RANGE here and *size stays as it was.
 */
MUP_MUST_CHECK
enum mup_status mup_layout_encode(uint8_t *bytes, size_t capacity, size_t *size, const void *in,
                                  const struct mup_layout *layout, uint32_t present);

#endif
