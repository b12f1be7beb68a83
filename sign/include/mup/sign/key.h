/*
 * Keys: who signs, and whom to believe.
 *
 * A private key is only ever used through struct mup_signer, so that it can be a file (here) or
 * live in a hardware security module behind the same three fields. Private key files are PEM
 * (PKCS #8), made with mode 0600 and refused when others can read them; they are never printed.
 */
#ifndef MUP_SIGN_KEY_H
#define MUP_SIGN_KEY_H

#include <stdint.h>

#include "mup/cose.h"
#include "mup/sign/error.h"
#include "mup/status.h"

#define MUP_HASH_SIZE 32u

/*
 * Somebody who can sign. `sign` makes the raw signature r || s of a SHA-256 hash; it returns
 * MUP_OK, or MUP_ERR_KEY when the key cannot be used (a token that was pulled out). `close`
 * releases `context` and wipes what it held.
 */
struct mup_signer {
    uint8_t public_key[MUP_PUBLIC_KEY_SIZE];
    uint8_t kid[MUP_KID_SIZE];
    enum mup_status (*sign)(void *context, uint8_t signature[MUP_SIGNATURE_SIZE],
                            const uint8_t hash[MUP_HASH_SIZE]);
    void (*close)(void *context);
    void *context;
};

/*
 * Open the private key in a PEM file.
 *
 * MUP_ERR_KEY     cannot be read, is not a P-256 key, or others than its owner may read it.
 *
 * On MUP_OK the caller closes it with mup_signer_close. On error *out is untouched.
 */
MUP_MUST_CHECK
enum mup_status mup_signer_open_file(struct mup_signer *out, const char *path,
                                     struct mup_error *error);

/* Release a signer; safe to call twice. */
void mup_signer_close(struct mup_signer *signer);

/*
 * Make a new P-256 key pair: PATH.key (mode 0600, PKCS #8 PEM) and PATH.pub (PEM).
 * An existing file is never overwritten; on error neither file is left behind.
 */
MUP_MUST_CHECK
enum mup_status mup_key_generate(const char *path, struct mup_error *error);

/* Read a P-256 public key from a PEM file as raw x || y. On error public_key is untouched. */
MUP_MUST_CHECK
enum mup_status mup_public_key_read(uint8_t public_key[MUP_PUBLIC_KEY_SIZE], const char *path,
                                    struct mup_error *error);

/* The key id: the first 8 bytes of SHA-256 over the raw public key (docs/SPEC.md section 1). */
void mup_key_id(uint8_t kid[MUP_KID_SIZE], const uint8_t public_key[MUP_PUBLIC_KEY_SIZE]);

#endif
