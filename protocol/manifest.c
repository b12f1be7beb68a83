/* The vendor manifest (docs/SPEC.md section 3) and the arithmetic of its blocks (section 6). */
#include <stdbool.h>

#include "layout.h"
#include "mup/manifest.h"

#define TYPE_VENDOR_MANIFEST 1
#define AT(member)           offsetof(struct mup_manifest, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_TYPE, MUP_REQUIRED, 0, 0, TYPE_VENDOR_MANIFEST},
    {2, MUP_FIELD_TEXT, MUP_REQUIRED, AT(app_id), 1, MUP_APP_ID_MAX},
    {3, MUP_FIELD_UINT, MUP_REQUIRED, AT(link_offset), 0, UINT32_MAX},
    {4, MUP_FIELD_FIXED, MUP_REQUIRED, AT(digest), 0, MUP_DIGEST_SIZE},
    {5, MUP_FIELD_UINT, MUP_REQUIRED, AT(image_size), 1, MUP_IMAGE_SIZE_MAX},
    {6, MUP_FIELD_UINT, MUP_REQUIRED, AT(new_version), 1, UINT32_MAX},
    {7, MUP_FIELD_UINT, MUP_REQUIRED, AT(old_version), 0, UINT32_MAX},
    {8, MUP_FIELD_TEXT, MUP_REQUIRED, AT(hardware_class), 1, MUP_HARDWARE_CLASS_MAX},
    {9, MUP_FIELD_UINT, MUP_REQUIRED, AT(block_size), MUP_BLOCK_SIZE_MIN, MUP_BLOCK_SIZE_MAX},
    {10, MUP_FIELD_FIXED, MUP_REQUIRED, AT(first_block_hash), 0, MUP_DIGEST_SIZE},
    {11, MUP_FIELD_UINT, MUP_REQUIRED, AT(payload_size), 0, UINT32_MAX},
    {12, MUP_FIELD_UINT, MUP_REQUIRED, AT(encoding), 0, UINT8_MAX},
};

/* Halving and rounding up at each step is division by a power of two, rounded up once: a
 * microcontroller without a divider need not link one. */
uint32_t mup_block_count(uint32_t image_size, uint32_t block_size)
{
    uint32_t count = image_size;

    for (; block_size > 1; block_size >>= 1)
        count = (count >> 1) + (count & 1);
    return count;
}

uint32_t mup_plain_payload_size(uint32_t image_size, uint32_t block_size)
{
    uint32_t count = mup_block_count(image_size, block_size);

    return count == 0 ? 0 : image_size + MUP_DIGEST_SIZE * (count - 1);
}

/* How the fields fit each other. */
static enum mup_status settle(void *message, uint32_t seen)
{
    const struct mup_manifest *manifest = message;
    uint32_t plain_size = mup_plain_payload_size(manifest->image_size, manifest->block_size);

    (void)seen;
    if ((manifest->block_size & (manifest->block_size - 1)) != 0 ||
        manifest->old_version >= manifest->new_version)
        return MUP_ERR_RANGE;
    if (manifest->encoding == MUP_ENCODING_PLAIN &&
        (manifest->old_version != 0 || manifest->payload_size != plain_size))
        return MUP_ERR_RANGE;
    return MUP_OK;
}

MUP_LAYOUT(layout, rows, struct mup_manifest, MUP_VENDOR_MANIFEST_MAX, settle);

enum mup_status mup_manifest_decode(struct mup_manifest *out, const uint8_t *bytes, size_t size)
{
    return mup_layout_decode(out, bytes, size, &layout);
}

enum mup_status mup_manifest_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                    const struct mup_manifest *manifest)
{
    return mup_layout_encode(bytes, capacity, size, manifest, &layout, MUP_ROWS_ALL);
}
