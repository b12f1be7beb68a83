/* The certificate of an update server's key (docs/SPEC.md section 5). */
#include "layout.h"
#include "mup/certificate.h"

#define TYPE_CERTIFICATE 3
#define AT(member)       offsetof(struct mup_certificate, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_TYPE, MUP_REQUIRED, 0, 0, TYPE_CERTIFICATE},
    {2, MUP_FIELD_UINT, MUP_REQUIRED, AT(epoch), 1, UINT32_MAX},
    {3, MUP_FIELD_FIXED, MUP_REQUIRED, AT(public_key), 0, MUP_PUBLIC_KEY_SIZE},
    {4, MUP_FIELD_TEXT, MUP_REQUIRED, AT(label), 1, MUP_CERTIFICATE_LABEL_MAX},
};

MUP_LAYOUT(layout, rows, struct mup_certificate, MUP_CERTIFICATE_MAX, NULL);

enum mup_status mup_certificate_decode(struct mup_certificate *out, const uint8_t *bytes,
                                       size_t size)
{
    return mup_layout_decode(out, bytes, size, &layout);
}

enum mup_status mup_certificate_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                       const struct mup_certificate *certificate)
{
    return mup_layout_encode(bytes, capacity, size, certificate, &layout, MUP_ROWS_ALL);
}
