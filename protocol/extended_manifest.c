/* The extended manifest (docs/SPEC.md section 4): what the update server adds for one device. */
#include "fields.h"
#include "mup/manifest.h"

#define TYPE_EXTENDED_MANIFEST 2
#define AT(member)             offsetof(struct mup_extended_manifest, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_TYPE, 0, TYPE_EXTENDED_MANIFEST, 0},
    {2, MUP_FIELD_BYTES, AT(inner), 1, MUP_VENDOR_SIGNED_MAX},
    {3, MUP_FIELD_FIXED, AT(uuid), 0, MUP_UUID_SIZE},
    {4, MUP_FIELD_FIXED, AT(nonce), 0, MUP_NONCE_SIZE},
    {5, MUP_FIELD_UINT, AT(version), 0, UINT32_MAX},
};

enum mup_status mup_extended_manifest_decode(struct mup_extended_manifest *out,
                                             const uint8_t *bytes, size_t size)
{
    struct mup_extended_manifest scratch = {0};
    uint32_t seen;
    enum mup_status status = mup_fields_decode(MUP_FIELDS(rows), &scratch, &seen, bytes, size);

    if (status == MUP_OK)
        *out = scratch;
    return status;
}

enum mup_status mup_extended_manifest_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                             const struct mup_extended_manifest *extended)
{
    return mup_fields_encode(MUP_FIELDS(rows), extended, MUP_KEYS_ALL, bytes, capacity, size);
}
