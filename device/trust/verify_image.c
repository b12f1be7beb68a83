/*
 * The bootloader's question before the first swap: did the vendor sign exactly this image?
 */
#include "mup/trust.h"

#include <string.h>

#include "mup/manifest.h"

/* The manifest says what the boot request says. */
static enum mup_status same_image(const struct mup_cose_sign1 *message,
                                  const struct mup_boot_image *image)
{
    struct mup_manifest manifest;
    enum mup_status status =
        mup_manifest_decode(&manifest, message->payload.data, message->payload.size);

    if (status != MUP_OK)
        return status;
    if (manifest.new_version != image->version || manifest.image_size != image->size ||
        memcmp(manifest.digest, image->digest, MUP_DIGEST_SIZE) != 0)
        return MUP_ERR_DIGEST;
    return MUP_OK;
}

enum mup_status mup_trust_verify_image(void *context, const struct mup_boot_image *image,
                                       const uint8_t *manifest, size_t manifest_size)
{
    struct mup_cose_sign1 message;
    enum mup_status status = mup_cose_sign1_decode(&message, manifest, manifest_size);

    if (status == MUP_OK)
        status = same_image(&message, image);
    if (status == MUP_OK)
        status = mup_trust_check(context, MUP_TRUST_VENDOR, &message);
    return status;
}
