/* The bridge's answer to an announcement (docs/SPEC.md section 10). */
#include <stdbool.h>

#include "fields.h"
#include "mup/bootstrap.h"
#include "mup/certificate.h"
#include "mup/state.h"

#define KEY_CERTIFICATE 3
#define KEY_DETAIL      4
#define AT(member)      offsetof(struct mup_bootstrap_reply, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_UINT, AT(state), MUP_STATE_OK, MUP_STATE_DEVICE_REFUSED},
    {2, MUP_FIELD_FIXED, AT(description_digest), 0, MUP_DIGEST_SIZE},
    {KEY_CERTIFICATE, MUP_FIELD_BYTES | MUP_FIELD_OPTIONAL, AT(certificate), 1,
     MUP_CERTIFICATE_SIGNED_MAX},
    {KEY_DETAIL, MUP_FIELD_UTF8 | MUP_FIELD_OPTIONAL, AT(detail), 1, MUP_BOOTSTRAP_DETAIL_MAX},
};

/* One of the four states, and a certificate only beside the first. */
static bool fits(const struct mup_bootstrap_reply *reply)
{
    return reply->state == MUP_STATE_OK ||
           (reply->state >= MUP_STATE_SEND_DESCRIPTION && reply->certificate.size == 0);
}

enum mup_status mup_bootstrap_reply_decode(struct mup_bootstrap_reply *out, const uint8_t *bytes,
                                           size_t size)
{
    struct mup_bootstrap_reply scratch = {0};
    uint32_t seen;
    enum mup_status status = mup_fields_decode(MUP_FIELDS(rows), &scratch, &seen, bytes, size);

    if (status != MUP_OK)
        return status;
    if (!fits(&scratch))
        return MUP_ERR_RANGE;
    *out = scratch;
    return MUP_OK;
}

enum mup_status mup_bootstrap_reply_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                           const struct mup_bootstrap_reply *reply)
{
    uint32_t present = MUP_KEYS_ALL;

    if (!fits(reply))
        return MUP_ERR_RANGE;
    if (reply->certificate.size == 0)
        present &= ~MUP_KEY(KEY_CERTIFICATE);
    if (reply->detail.size == 0)
        present &= ~MUP_KEY(KEY_DETAIL);
    return mup_fields_encode(MUP_FIELDS(rows), reply, present, bytes, capacity, size);
}
