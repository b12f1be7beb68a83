/* The announcement (docs/SPEC.md section 8): the first thing that a device says. */
#include "fields.h"
#include "mup/bootstrap.h"

#define KEY_SERVER_KID 8
#define AT(member)     offsetof(struct mup_announcement, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_TYPE, 0, MUP_PROTOCOL_VERSION, 0},
    {2, MUP_FIELD_FIXED, AT(uuid), 0, MUP_UUID_SIZE},
    {3, MUP_FIELD_FIXED, AT(description_digest), 0, MUP_DIGEST_SIZE},
    {4, MUP_FIELD_UINT, AT(description_size), 1, MUP_DESCRIPTION_MAX},
    {5, MUP_FIELD_UINT, AT(version), 0, UINT32_MAX},
    {6, MUP_FIELD_BOOL, AT(in_trial), 0, 0},
    {7, MUP_FIELD_UINT, AT(server_epoch), 0, UINT32_MAX},
    {KEY_SERVER_KID, MUP_FIELD_FIXED | MUP_FIELD_OPTIONAL, AT(server_kid), 0, MUP_KID_SIZE},
    {9, MUP_FIELD_FIXED, AT(boot_id), 0, MUP_BOOT_ID_SIZE},
};

enum mup_status mup_announcement_decode(struct mup_announcement *out, const uint8_t *bytes,
                                        size_t size)
{
    struct mup_announcement scratch = {0};
    uint32_t seen;
    enum mup_status status = mup_fields_decode(MUP_FIELDS(rows), &scratch, &seen, bytes, size);

    if (status != MUP_OK)
        return status;
    if ((scratch.server_epoch != 0) != ((seen & MUP_KEY(KEY_SERVER_KID)) != 0))
        return MUP_ERR_FORMAT; /* an epoch without a key, or a key without an epoch */
    *out = scratch;
    return MUP_OK;
}

enum mup_status mup_announcement_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                        const struct mup_announcement *announcement)
{
    uint32_t present = MUP_KEYS_ALL;

    if (announcement->server_epoch == 0)
        present &= ~MUP_KEY(KEY_SERVER_KID);
    return mup_fields_encode(MUP_FIELDS(rows), announcement, present, bytes, capacity, size);
}
