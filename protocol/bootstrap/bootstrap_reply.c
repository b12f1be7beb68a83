/* The bridge's answer to an announcement (docs/SPEC.md section 10). */
#include <stdbool.h>

#include "protocol/layout.h"
#include "mup/bootstrap.h"
#include "mup/certificate.h"
#include "mup/state.h"

#define ROW_CERTIFICATE 2
#define ROW_DETAIL      3
#define AT(member)      offsetof(struct mup_bootstrap_reply, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_UINT, MUP_REQUIRED, AT(state), MUP_STATE_OK, MUP_STATE_DEVICE_REFUSED},
    {2, MUP_FIELD_FIXED, MUP_REQUIRED, AT(description_digest), 0, MUP_DIGEST_SIZE},
    {3, MUP_FIELD_BYTES, MUP_OPTIONAL, AT(certificate), 1, MUP_CERTIFICATE_SIGNED_MAX},
    {4, MUP_FIELD_UTF8, MUP_OPTIONAL, AT(detail), 1, MUP_BOOTSTRAP_DETAIL_MAX},
};

/* One of the four states, and a certificate only beside the first. */
static enum mup_status settle(void *message, uint32_t seen)
{
    const struct mup_bootstrap_reply *reply = message;

    (void)seen;
    if (reply->state == MUP_STATE_OK)
        return MUP_OK;
    if (reply->state < MUP_STATE_SEND_DESCRIPTION || reply->certificate.size != 0)
        return MUP_ERR_RANGE;
    return MUP_OK;
}

MUP_LAYOUT(layout, rows, struct mup_bootstrap_reply, MUP_BOOTSTRAP_REPLY_MAX, settle);

enum mup_status mup_bootstrap_reply_decode(struct mup_bootstrap_reply *out, const uint8_t *bytes,
                                           size_t size)
{
    return mup_layout_decode(out, bytes, size, &layout);
}

enum mup_status mup_bootstrap_reply_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                           const struct mup_bootstrap_reply *reply)
{
    uint32_t present = MUP_ROWS_ALL;

    if (reply->certificate.size == 0)
        present &= ~MUP_ROW(ROW_CERTIFICATE);
    if (reply->detail.size == 0)
        present &= ~MUP_ROW(ROW_DETAIL);
    return mup_layout_encode(bytes, capacity, size, reply, &layout, present);
}
