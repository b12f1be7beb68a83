/* The certificate of an update server's key (docs/SPEC.md section 5). */
#include "fields.h"
#include "mup/certificate.h"

#define TYPE_CERTIFICATE 3
#define AT(member)       offsetof(struct mup_certificate, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_TYPE, 0, TYPE_CERTIFICATE, 0},
    {2, MUP_FIELD_UINT, AT(epoch), 1, UINT32_MAX},
    {3, MUP_FIELD_FIXED, AT(public_key), 0, MUP_PUBLIC_KEY_SIZE},
    {4, MUP_FIELD_TEXT, AT(label), 1, MUP_CERTIFICATE_LABEL_MAX},
};

enum mup_status mup_certificate_decode(struct mup_certificate *out, const uint8_t *bytes,
                                       size_t size)
{
    struct mup_certificate scratch = {0};
    uint32_t seen;
    enum mup_status status = mup_fields_decode(MUP_FIELDS(rows), &scratch, &seen, bytes, size);

    if (status == MUP_OK)
        *out = scratch;
    return status;
}

enum mup_status mup_certificate_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                       const struct mup_certificate *certificate)
{
    return mup_fields_encode(MUP_FIELDS(rows), certificate, MUP_KEYS_ALL, bytes, capacity, size);
}
