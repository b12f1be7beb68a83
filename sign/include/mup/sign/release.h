/*
 * A release: an image made into a payload of chained blocks, and the vendor manifest over it
 * (docs/SPEC.md sections 3 and 6). The vendor makes it; everybody else opens and checks it.
 */
#ifndef MUP_SIGN_RELEASE_H
#define MUP_SIGN_RELEASE_H

#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "mup/manifest.h"
#include "mup/sign/error.h"
#include "mup/sign/key.h"
#include "mup/status.h"

#define MUP_PAYLOAD_MAX (MUP_IMAGE_SIZE_MAX + MUP_IMAGE_SIZE_MAX / 8u)

/* Malloced memory; release with mup_release_free. */
struct mup_release {
    uint8_t *payload;
    size_t payload_size;
    uint8_t signed_manifest[MUP_VENDOR_SIGNED_MAX];
    size_t signed_manifest_size;
    struct mup_manifest manifest;
};

/*
 * Make a release of image[0..image_size). Of `fields` the caller fills app_id, hardware_class,
 * link_offset, new_version, old_version and block_size; sizes, digests and encoding are computed.
 * MUP_ERR_RANGE names the field that is outside its limits. On error *out is untouched.
 */
MUP_MUST_CHECK
enum mup_status mup_release_make(struct mup_release *out, const struct mup_manifest *fields,
                                 const uint8_t *image, size_t image_size,
                                 const struct mup_signer *vendor, struct mup_error *error);

void mup_release_free(struct mup_release *release);

/*
 * Check a signed vendor manifest and decode it.
 *
 * MUP_ERR_FORMAT / MUP_ERR_RANGE   not a vendor manifest.
 * MUP_ERR_KEY / MUP_ERR_SIGNATURE  not signed by `vendor_key`.
 *
 * `error` says which and what to do. On error *out is untouched.
 */
MUP_MUST_CHECK
enum mup_status mup_release_open(struct mup_manifest *out, struct mup_bytes signed_manifest,
                                 const uint8_t vendor_key[MUP_PUBLIC_KEY_SIZE],
                                 struct mup_error *error);

/*
 * Check that a payload is the one that a (verified) manifest describes: its size, the hash of
 * every block, the digest of the image. MUP_ERR_RANGE for the size, MUP_ERR_DIGEST for the rest;
 * `error` names the block.
 */
MUP_MUST_CHECK
enum mup_status mup_release_check_payload(const struct mup_manifest *manifest,
                                          struct mup_bytes payload, struct mup_error *error);

/* SHA-256 of the signed vendor manifest: the name of an update in transfers and reports. */
void mup_manifest_digest(uint8_t digest[MUP_DIGEST_SIZE], struct mup_bytes signed_manifest);

#endif
