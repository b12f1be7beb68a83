/* The announcement (docs/SPEC.md section 8): the first thing that a device says. */
#include "protocol/layout.h"
#include "mup/bootstrap.h"

#define ROW_SERVER_KID 7
#define AT(member)     offsetof(struct mup_announcement, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_TYPE, MUP_REQUIRED, 0, 0, MUP_PROTOCOL_VERSION},
    {2, MUP_FIELD_FIXED, MUP_REQUIRED, AT(uuid), 0, MUP_UUID_SIZE},
    {3, MUP_FIELD_FIXED, MUP_REQUIRED, AT(description_digest), 0, MUP_DIGEST_SIZE},
    {4, MUP_FIELD_UINT, MUP_REQUIRED, AT(description_size), 1, MUP_DESCRIPTION_MAX},
    {5, MUP_FIELD_UINT, MUP_REQUIRED, AT(version), 0, UINT32_MAX},
    {6, MUP_FIELD_BOOL, MUP_REQUIRED, AT(in_trial), 0, 0},
    {7, MUP_FIELD_UINT, MUP_REQUIRED, AT(server_epoch), 0, UINT32_MAX},
    {8, MUP_FIELD_FIXED, MUP_OPTIONAL, AT(server_kid), 0, MUP_KID_SIZE},
    {9, MUP_FIELD_FIXED, MUP_REQUIRED, AT(boot_id), 0, MUP_BOOT_ID_SIZE},
};

/* An epoch without a key, or a key without an epoch, is no announcement. */
static enum mup_status settle(void *message, uint32_t seen)
{
    const struct mup_announcement *announcement = message;
    bool has_kid = (seen & MUP_ROW(ROW_SERVER_KID)) != 0;

    return (announcement->server_epoch != 0) == has_kid ? MUP_OK : MUP_ERR_FORMAT;
}

MUP_LAYOUT(layout, rows, struct mup_announcement, MUP_ANNOUNCEMENT_MAX, settle);

enum mup_status mup_announcement_decode(struct mup_announcement *out, const uint8_t *bytes,
                                        size_t size)
{
    return mup_layout_decode(out, bytes, size, &layout);
}

enum mup_status mup_announcement_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                        const struct mup_announcement *announcement)
{
    uint32_t present = MUP_ROWS_ALL;

    if (announcement->server_epoch == 0)
        present &= ~MUP_ROW(ROW_SERVER_KID);
    return mup_layout_encode(bytes, capacity, size, announcement, &layout, present);
}
