/* The vendor's word that a key is an update server's. */
#include "mup/sign/certify.h"

#include "mup/sign/sign1.h"

enum mup_status mup_certify(uint8_t bytes[MUP_CERTIFICATE_SIGNED_MAX], size_t *size,
                            const struct mup_certificate *certificate,
                            const struct mup_signer *vendor, struct mup_error *error)
{
    uint8_t payload[MUP_CERTIFICATE_MAX];
    struct mup_bytes piece = {.data = payload};
    enum mup_status status =
        mup_certificate_encode(payload, sizeof payload, &piece.size, certificate);

    if (status != MUP_OK) {
        mup_error_set(error,
                      "the certificate wants an epoch of 1 or more and a label of 1 to %u "
                      "printable ASCII characters",
                      MUP_CERTIFICATE_LABEL_MAX);
        return MUP_ERR_RANGE;
    }
    status = mup_sign1_make(bytes, MUP_CERTIFICATE_SIGNED_MAX, size, vendor, piece);
    if (status != MUP_OK)
        mup_error_set(error, "the vendor's key could not sign: %s", mup_status_name(status));
    return status;
}

enum mup_status mup_certificate_open(struct mup_certificate *out, struct mup_bytes bytes,
                                     const uint8_t vendor_key[MUP_PUBLIC_KEY_SIZE],
                                     struct mup_error *error)
{
    struct mup_bytes payload;
    enum mup_status status = mup_sign1_open(&payload, bytes.data, bytes.size, vendor_key);

    if (status != MUP_OK) {
        mup_error_set(
            error, "%s",
            status == MUP_ERR_KEY ? "the certificate is signed with another key than this vendor's"
            : status == MUP_ERR_SIGNATURE
                ? "the certificate's signature is not good: it was changed after it was made"
                : "not a certificate as mup certify makes it");
        return status;
    }
    status = mup_certificate_decode(out, payload.data, payload.size);
    if (status != MUP_OK)
        mup_error_set(error, "the vendor signed something else than a certificate: %s",
                      mup_status_name(status));
    return status == MUP_ERR_SHORT ? MUP_ERR_FORMAT : status;
}
