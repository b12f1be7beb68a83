/* One piece of a description (docs/SPEC.md section 9). */
#include "fields.h"
#include "mup/bootstrap.h"

#define AT(member) offsetof(struct mup_piece, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_FIXED, AT(digest_prefix), 0, MUP_DIGEST_PREFIX_SIZE},
    {2, MUP_FIELD_UINT, AT(number), 0, MUP_PIECE_NUMBER_MAX},
    {3, MUP_FIELD_BOOL, AT(last), 0, 0},
    {4, MUP_FIELD_BYTES, AT(data), 1, MUP_PIECE_DATA_MAX},
};

enum mup_status mup_piece_decode(struct mup_piece *out, const uint8_t *bytes, size_t size)
{
    struct mup_piece scratch = {0};
    uint32_t seen;
    enum mup_status status = mup_fields_decode(MUP_FIELDS(rows), &scratch, &seen, bytes, size);

    if (status == MUP_OK)
        *out = scratch;
    return status;
}

enum mup_status mup_piece_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                 const struct mup_piece *piece)
{
    return mup_fields_encode(MUP_FIELDS(rows), piece, MUP_KEYS_ALL, bytes, capacity, size);
}
