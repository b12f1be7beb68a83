/* A certificate of our own, for who has none: a fresh P-256 key that vouches for itself. */
#ifndef MUP_SERVER_WEB_CERTIFICATE_H
#define MUP_SERVER_WEB_CERTIFICATE_H

#include "mup/sign/error.h"
#include "mup/status.h"

#define MUP_CERTIFICATE_DAYS 825 /* browsers take none that lasts longer */

/*
 * Write both as PEM, the key first and for its owner only. It is good for localhost, 127.0.0.1,
 * ::1, this machine's name, and `address`. MUP_ERR_RANDOM, or what mup_file_write() says.
 */
MUP_MUST_CHECK
enum mup_status mup_web_certificate_make(const char *certificate_path, const char *key_path,
                                         const char *address, struct mup_error *error);

#endif
