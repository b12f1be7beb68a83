/* The device token (docs/SPEC.md section 13). */
#include "layout.h"
#include "mup/token.h"

#define ROW_SERVER_KID      12
#define ROW_RESUME_MANIFEST 13
#define ROW_RESUME_OFFSET   14
#define ROW_FLOW            15
#define ROW_PAUSE           16
#define ROWS_RESUME         (MUP_ROW(ROW_RESUME_MANIFEST) | MUP_ROW(ROW_RESUME_OFFSET))
#define AT(member)          offsetof(struct mup_token, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_FIXED, MUP_REQUIRED, AT(uuid), 0, MUP_UUID_SIZE},
    {2, MUP_FIELD_UINT, MUP_REQUIRED, AT(version), 0, UINT32_MAX},
    {3, MUP_FIELD_FIXED, MUP_REQUIRED, AT(nonce), 0, MUP_NONCE_SIZE},
    {4, MUP_FIELD_TEXT, MUP_REQUIRED, AT(app_id), 1, MUP_APP_ID_MAX},
    {5, MUP_FIELD_TEXT, MUP_REQUIRED, AT(hardware_class), 1, MUP_HARDWARE_CLASS_MAX},
    {6, MUP_FIELD_UINT, MUP_REQUIRED, AT(link_offset), 0, UINT32_MAX},
    {7, MUP_FIELD_UINT, MUP_REQUIRED, AT(slot_size), 1, MUP_IMAGE_SIZE_MAX},
    {8, MUP_FIELD_UINT, MUP_REQUIRED, AT(block_size_max), MUP_BLOCK_SIZE_MIN, MUP_BLOCK_SIZE_MAX},
    {9, MUP_FIELD_UINT, MUP_REQUIRED, AT(window_size), MUP_WINDOW_MIN, MUP_WINDOW_MAX},
    {10, MUP_FIELD_UINT, MUP_REQUIRED, AT(slice_size_max), MUP_SLICE_DATA_MIN, MUP_SLICE_DATA_MAX},
    {11, MUP_FIELD_UINT, MUP_REQUIRED, AT(lifetime_s), 1, MUP_TOKEN_LIFETIME_MAX_S},
    {12, MUP_FIELD_FIXED, MUP_REQUIRED, AT(vendor_kid), 0, MUP_KID_SIZE},
    {13, MUP_FIELD_FIXED, MUP_OPTIONAL, AT(server_kid), 0, MUP_KID_SIZE},
    {14, MUP_FIELD_FIXED, MUP_OPTIONAL, AT(resume_manifest), 0, MUP_DIGEST_SIZE},
    {15, MUP_FIELD_UINT, MUP_OPTIONAL, AT(resume_offset), 0, UINT32_MAX},
    {16, MUP_FIELD_UINT, MUP_OPTIONAL, AT(flow), MUP_FLOW_QOS1, MUP_FLOW_PACED},
    {17, MUP_FIELD_UINT, MUP_OPTIONAL, AT(pause_ms), 1, MUP_PAUSE_MAX_MS},
};

static enum mup_status settle(void *message, uint32_t seen)
{
    struct mup_token *token = message;

    token->has_server_kid = (seen & MUP_ROW(ROW_SERVER_KID)) != 0;
    token->has_resume = (seen & ROWS_RESUME) != 0;
    if (token->has_resume && (seen & ROWS_RESUME) != ROWS_RESUME)
        return MUP_ERR_FORMAT; /* one of the two without the other */
    if ((token->flow == MUP_FLOW_PACED) != ((seen & MUP_ROW(ROW_PAUSE)) != 0))
        return MUP_ERR_FORMAT;
    return MUP_OK;
}

MUP_LAYOUT(layout, rows, struct mup_token, MUP_TOKEN_MAX, settle);

enum mup_status mup_token_decode(struct mup_token *out, const uint8_t *bytes, size_t size)
{
    return mup_layout_decode(out, bytes, size, &layout);
}

enum mup_status mup_token_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                 const struct mup_token *token)
{
    uint32_t present = MUP_ROWS_ALL;

    if (!token->has_server_kid)
        present &= ~MUP_ROW(ROW_SERVER_KID);
    if (!token->has_resume)
        present &= ~ROWS_RESUME;
    if (token->flow == MUP_FLOW_CREDIT)
        present &= ~MUP_ROW(ROW_FLOW);
    if (token->flow != MUP_FLOW_PACED)
        present &= ~MUP_ROW(ROW_PAUSE);
    return mup_layout_encode(bytes, capacity, size, token, &layout, present);
}
