/* Make a release out of an image, and check one that somebody else made. */
#include "mup/sign/release.h"

#include <stdlib.h>
#include <string.h>

#include "mup/sign/sign1.h"

/* The data bytes of block `index`: a full block, except the last. */
static size_t block_data_size(uint32_t image_size, uint32_t block_size, uint32_t index)
{
    uint32_t start = index * block_size;

    return image_size - start < block_size ? image_size - start : block_size;
}

/*
 * Chain the blocks. The hash of block i + 1 stands behind the data of block i, so the chain is
 * made from its end; first_hash is what the manifest carries.
 */
static void chain_blocks(uint8_t *payload, uint8_t first_hash[MUP_DIGEST_SIZE],
                         const uint8_t *image, const struct mup_manifest *manifest)
{
    uint32_t count = mup_block_count(manifest->image_size, manifest->block_size);
    size_t stride = manifest->block_size + MUP_DIGEST_SIZE;
    uint8_t next_hash[MUP_DIGEST_SIZE];

    for (uint32_t i = count; i-- > 0;) {
        size_t size = block_data_size(manifest->image_size, manifest->block_size, i);
        uint8_t *block = payload + i * stride;

        memcpy(block, image + (size_t)i * manifest->block_size, size);
        if (i + 1 < count) {
            memcpy(block + size, next_hash, sizeof next_hash);
            size += sizeof next_hash;
        }
        mup_sha256_host(next_hash, block, size);
    }
    memcpy(first_hash, next_hash, MUP_DIGEST_SIZE);
}

/* Say which field of the caller's is outside its limits. */
static const char *bad_field(const struct mup_manifest *fields, size_t image_size)
{
    if (image_size == 0 || image_size > MUP_IMAGE_SIZE_MAX)
        return "the image must have 1 to 16777216 bytes";
    if (fields->app_id[0] == '\0')
        return "the application id must have 1 to 32 printable ASCII characters";
    if (fields->hardware_class[0] == '\0')
        return "the hardware class must have 1 to 32 printable ASCII characters";
    if (fields->new_version == 0)
        return "the version must be 1 or more";
    if (fields->old_version != 0)
        return "a plain release is a full image: its old version must be 0";
    if (fields->block_size < MUP_BLOCK_SIZE_MIN || fields->block_size > MUP_BLOCK_SIZE_MAX ||
        (fields->block_size & (fields->block_size - 1)) != 0)
        return "the block size must be a power of two from 256 to 4096";
    return NULL;
}

static enum mup_status sign_manifest(struct mup_release *release, const struct mup_signer *vendor,
                                     struct mup_error *error)
{
    uint8_t payload[MUP_VENDOR_MANIFEST_MAX];
    struct mup_bytes piece = {.data = payload};
    enum mup_status status =
        mup_manifest_encode(payload, sizeof payload, &piece.size, &release->manifest);

    if (status != MUP_OK) {
        mup_error_set(error, "a field of the manifest is outside its limits; application id and "
                             "hardware class are 1 to 32 printable ASCII characters");
        return MUP_ERR_RANGE;
    }
    status = mup_sign1_make(release->signed_manifest, sizeof release->signed_manifest,
                            &release->signed_manifest_size, vendor, piece);
    if (status != MUP_OK)
        mup_error_set(error, "the vendor's key could not sign: %s", mup_status_name(status));
    return status;
}

enum mup_status mup_release_make(struct mup_release *out, const struct mup_manifest *fields,
                                 const uint8_t *image, size_t image_size,
                                 const struct mup_signer *vendor, struct mup_error *error)
{
    struct mup_release release = {.manifest = *fields};
    const char *bad = bad_field(fields, image_size);
    enum mup_status status;

    if (bad != NULL) {
        mup_error_set(error, "%s", bad);
        return MUP_ERR_RANGE;
    }
    release.manifest.image_size = (uint32_t)image_size;
    release.manifest.payload_size =
        mup_plain_payload_size((uint32_t)image_size, fields->block_size);
    release.manifest.encoding = MUP_ENCODING_PLAIN;
    mup_sha256_host(release.manifest.digest, image, image_size);
    release.payload_size = release.manifest.payload_size;
    release.payload = malloc(release.payload_size);
    if (release.payload == NULL) {
        mup_error_set(error, "no memory for a payload of %zu bytes", release.payload_size);
        return MUP_ERR_SPACE;
    }
    chain_blocks(release.payload, release.manifest.first_block_hash, image, &release.manifest);
    status = sign_manifest(&release, vendor, error);
    if (status != MUP_OK) {
        free(release.payload);
        return status;
    }
    *out = release;
    return MUP_OK;
}

void mup_release_free(struct mup_release *release)
{
    free(release->payload);
    release->payload = NULL;
    release->payload_size = 0;
}

enum mup_status mup_release_open(struct mup_manifest *out, struct mup_bytes signed_manifest,
                                 const uint8_t vendor_key[MUP_PUBLIC_KEY_SIZE],
                                 struct mup_error *error)
{
    struct mup_bytes payload;
    enum mup_status status = MUP_ERR_RANGE;

    if (signed_manifest.size <= MUP_VENDOR_SIGNED_MAX)
        status = mup_sign1_open(&payload, signed_manifest.data, signed_manifest.size, vendor_key);
    if (status == MUP_ERR_KEY)
        mup_error_set(error, "the manifest is signed with another key than this vendor's");
    else if (status == MUP_ERR_SIGNATURE)
        mup_error_set(error, "the vendor's signature does not fit the manifest: it was changed "
                             "after it was signed");
    else if (status != MUP_OK)
        mup_error_set(error, "this is no signed vendor manifest: %s", mup_status_name(status));
    if (status != MUP_OK)
        return status;
    status = mup_manifest_decode(out, payload.data, payload.size);
    if (status != MUP_OK)
        mup_error_set(error, "the vendor signed something else than a manifest: %s",
                      mup_status_name(status));
    return status == MUP_ERR_SHORT ? MUP_ERR_FORMAT : status;
}

/* Walk the chain; returns the number of the first block that is wrong, or the count. */
static uint32_t first_wrong_block(const struct mup_manifest *manifest, const uint8_t *payload)
{
    uint32_t count = mup_block_count(manifest->image_size, manifest->block_size);
    size_t stride = manifest->block_size + MUP_DIGEST_SIZE;
    uint8_t expected[MUP_DIGEST_SIZE];
    uint8_t found[MUP_DIGEST_SIZE];

    memcpy(expected, manifest->first_block_hash, sizeof expected);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *block = payload + i * stride;
        size_t data = block_data_size(manifest->image_size, manifest->block_size, i);
        size_t size = i + 1 < count ? data + MUP_DIGEST_SIZE : data;

        mup_sha256_host(found, block, size);
        if (memcmp(found, expected, sizeof found) != 0)
            return i;
        memcpy(expected, block + data, i + 1 < count ? sizeof expected : 0);
    }
    return count;
}

/* SHA-256 of the image that the payload carries, through a copy without the hashes. */
static enum mup_status image_digest(uint8_t digest[MUP_DIGEST_SIZE],
                                    const struct mup_manifest *manifest, const uint8_t *payload)
{
    uint32_t count = mup_block_count(manifest->image_size, manifest->block_size);
    size_t stride = manifest->block_size + MUP_DIGEST_SIZE;
    uint8_t *image = malloc(manifest->image_size);

    if (image == NULL)
        return MUP_ERR_SPACE;
    for (uint32_t i = 0; i < count; i++)
        memcpy(image + (size_t)i * manifest->block_size, payload + i * stride,
               block_data_size(manifest->image_size, manifest->block_size, i));
    mup_sha256_host(digest, image, manifest->image_size);
    free(image);
    return MUP_OK;
}

enum mup_status mup_release_check_payload(const struct mup_manifest *manifest,
                                          struct mup_bytes payload, struct mup_error *error)
{
    uint32_t count = mup_block_count(manifest->image_size, manifest->block_size);
    uint8_t digest[MUP_DIGEST_SIZE];
    uint32_t wrong;

    if (payload.size != manifest->payload_size) {
        mup_error_set(error, "the payload has %zu bytes, the manifest promises %u: fetch it again",
                      payload.size, (unsigned)manifest->payload_size);
        return MUP_ERR_RANGE;
    }
    wrong = first_wrong_block(manifest, payload.data);
    if (wrong != count) {
        mup_error_set(error,
                      "block %u of %u has not the hash that the vendor signed: the payload "
                      "is damaged or not the vendor's; fetch it again",
                      (unsigned)wrong, (unsigned)count);
        return MUP_ERR_DIGEST;
    }
    if (image_digest(digest, manifest, payload.data) != MUP_OK) {
        mup_error_set(error, "no memory for an image of %u bytes", (unsigned)manifest->image_size);
        return MUP_ERR_SPACE;
    }
    if (memcmp(digest, manifest->digest, sizeof digest) != 0) {
        mup_error_set(error, "the blocks fit the manifest but the image has not its digest: the "
                             "vendor's release tool made a mistake");
        return MUP_ERR_DIGEST;
    }
    return MUP_OK;
}

void mup_manifest_digest(uint8_t digest[MUP_DIGEST_SIZE], struct mup_bytes signed_manifest)
{
    mup_sha256_host(digest, signed_manifest.data, signed_manifest.size);
}
