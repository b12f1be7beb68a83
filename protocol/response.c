/* Responses (docs/SPEC.md section 12). A state is a number, or a text that the description has. */
#include "layout.h"
#include "mup/rpc.h"
#include "mup/state.h"

#define ROW_NUMBER 0
#define ROW_TEXT   1
#define ROW_VALUE  2
#define AT(member) offsetof(struct mup_response, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_UINT, MUP_OPTIONAL, AT(state), 1, MUP_STATE_MAX},
    {1, MUP_FIELD_UTF8, MUP_OPTIONAL, AT(state_text), 1, MUP_STATE_TEXT_MAX},
    {2, MUP_FIELD_ITEM, MUP_OPTIONAL, AT(value), 0, MUP_CBOR_DEPTH_MAX},
    {15, MUP_FIELD_IGNORED, MUP_OPTIONAL, 0, 0, MUP_AUTHENTICATION_MAX},
};

/* One of the two forms of a state is there; the rows let both be missing. */
static enum mup_status settle(void *message, uint32_t seen)
{
    (void)message;
    return (seen & (MUP_ROW(ROW_NUMBER) | MUP_ROW(ROW_TEXT))) != 0 ? MUP_OK : MUP_ERR_FORMAT;
}

MUP_LAYOUT(layout, rows, struct mup_response, MUP_RESPONSE_MAX, settle);

enum mup_status mup_response_decode(struct mup_response *out, const uint8_t *bytes, size_t size)
{
    return mup_layout_decode(out, bytes, size, &layout);
}

enum mup_status mup_response_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                    const struct mup_response *response)
{
    uint32_t present = 0;

    /* A number and a text together give two keys 1, which do not read back. */
    if (response->state != 0)
        present |= MUP_ROW(ROW_NUMBER);
    if (response->state_text.size != 0)
        present |= MUP_ROW(ROW_TEXT);
    if (response->value.size != 0)
        present |= MUP_ROW(ROW_VALUE);
    return mup_layout_encode(bytes, capacity, size, response, &layout, present);
}
