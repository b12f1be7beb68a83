/* The device token (docs/SPEC.md section 13). */
#include "fields.h"
#include "mup/token.h"

#define KEY_SERVER_KID      13
#define KEY_RESUME_MANIFEST 14
#define KEY_RESUME_OFFSET   15
#define KEYS_RESUME         (MUP_KEY(KEY_RESUME_MANIFEST) | MUP_KEY(KEY_RESUME_OFFSET))
#define AT(member)          offsetof(struct mup_token, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_FIXED, AT(uuid), 0, MUP_UUID_SIZE},
    {2, MUP_FIELD_UINT, AT(version), 0, UINT32_MAX},
    {3, MUP_FIELD_FIXED, AT(nonce), 0, MUP_NONCE_SIZE},
    {4, MUP_FIELD_TEXT, AT(app_id), 1, MUP_APP_ID_MAX},
    {5, MUP_FIELD_TEXT, AT(hardware_class), 1, MUP_HARDWARE_CLASS_MAX},
    {6, MUP_FIELD_UINT, AT(link_offset), 0, UINT32_MAX},
    {7, MUP_FIELD_UINT, AT(slot_size), 1, MUP_IMAGE_SIZE_MAX},
    {8, MUP_FIELD_UINT, AT(block_size_max), MUP_BLOCK_SIZE_MIN, MUP_BLOCK_SIZE_MAX},
    {9, MUP_FIELD_UINT, AT(window_size), MUP_WINDOW_MIN, MUP_WINDOW_MAX},
    {10, MUP_FIELD_UINT, AT(slice_size_max), MUP_SLICE_DATA_MIN, MUP_SLICE_DATA_MAX},
    {11, MUP_FIELD_UINT, AT(lifetime_s), 1, MUP_TOKEN_LIFETIME_MAX_S},
    {12, MUP_FIELD_FIXED, AT(vendor_kid), 0, MUP_KID_SIZE},
    {KEY_SERVER_KID, MUP_FIELD_FIXED | MUP_FIELD_OPTIONAL, AT(server_kid), 0, MUP_KID_SIZE},
    {KEY_RESUME_MANIFEST, MUP_FIELD_FIXED | MUP_FIELD_OPTIONAL, AT(resume_manifest), 0,
     MUP_DIGEST_SIZE},
    {KEY_RESUME_OFFSET, MUP_FIELD_UINT | MUP_FIELD_OPTIONAL, AT(resume_offset), 0, UINT32_MAX},
};

enum mup_status mup_token_decode(struct mup_token *out, const uint8_t *bytes, size_t size)
{
    struct mup_token scratch = {0};
    uint32_t seen;
    enum mup_status status = mup_fields_decode(MUP_FIELDS(rows), &scratch, &seen, bytes, size);

    if (status != MUP_OK)
        return status;
    scratch.has_server_kid = (seen & MUP_KEY(KEY_SERVER_KID)) != 0;
    scratch.has_resume = (seen & KEYS_RESUME) != 0;
    if (scratch.has_resume && (seen & KEYS_RESUME) != KEYS_RESUME)
        return MUP_ERR_FORMAT; /* one of the two without the other */
    *out = scratch;
    return MUP_OK;
}

enum mup_status mup_token_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                 const struct mup_token *token)
{
    uint32_t present = MUP_KEYS_ALL;

    if (!token->has_server_kid)
        present &= ~MUP_KEY(KEY_SERVER_KID);
    if (!token->has_resume)
        present &= ~KEYS_RESUME;
    return mup_fields_encode(MUP_FIELDS(rows), token, present, bytes, capacity, size);
}
