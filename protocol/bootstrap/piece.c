/* One piece of a description (docs/SPEC.md section 9). */
#include "protocol/layout.h"
#include "mup/bootstrap.h"

#define AT(member) offsetof(struct mup_piece, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_FIXED, MUP_REQUIRED, AT(digest_prefix), 0, MUP_DIGEST_PREFIX_SIZE},
    {2, MUP_FIELD_UINT, MUP_REQUIRED, AT(number), 0, MUP_PIECE_NUMBER_MAX},
    {3, MUP_FIELD_BOOL, MUP_REQUIRED, AT(last), 0, 0},
    {4, MUP_FIELD_BYTES, MUP_REQUIRED, AT(data), 1, MUP_PIECE_DATA_MAX},
};

MUP_LAYOUT(layout, rows, struct mup_piece, MUP_PIECE_OVERHEAD_MAX + MUP_PIECE_DATA_MAX, NULL);

enum mup_status mup_piece_decode(struct mup_piece *out, const uint8_t *bytes, size_t size)
{
    return mup_layout_decode(out, bytes, size, &layout);
}

enum mup_status mup_piece_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                 const struct mup_piece *piece)
{
    return mup_layout_encode(bytes, capacity, size, piece, &layout, MUP_ROWS_ALL);
}
