/* The extended manifest (docs/SPEC.md section 4): what the update server adds for one device. */
#include "layout.h"
#include "mup/manifest.h"

#define TYPE_EXTENDED_MANIFEST 2
#define AT(member)             offsetof(struct mup_extended_manifest, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_TYPE, MUP_REQUIRED, 0, 0, TYPE_EXTENDED_MANIFEST},
    {2, MUP_FIELD_BYTES, MUP_REQUIRED, AT(inner), 1, MUP_VENDOR_SIGNED_MAX},
    {3, MUP_FIELD_FIXED, MUP_REQUIRED, AT(uuid), 0, MUP_UUID_SIZE},
    {4, MUP_FIELD_FIXED, MUP_REQUIRED, AT(nonce), 0, MUP_NONCE_SIZE},
    {5, MUP_FIELD_UINT, MUP_REQUIRED, AT(version), 0, UINT32_MAX},
};

MUP_LAYOUT(layout, rows, struct mup_extended_manifest, MUP_EXTENDED_PAYLOAD_MAX, NULL);

enum mup_status mup_extended_manifest_decode(struct mup_extended_manifest *out,
                                             const uint8_t *bytes, size_t size)
{
    return mup_layout_decode(out, bytes, size, &layout);
}

enum mup_status mup_extended_manifest_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                             const struct mup_extended_manifest *extended)
{
    return mup_layout_encode(bytes, capacity, size, extended, &layout, MUP_ROWS_ALL);
}
