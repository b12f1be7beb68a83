/*
 * Who is logged in. A session is a secret of 32 random bytes in the browser's cookie; here is only
 * its SHA-256, so that whoever reads our memory's image or our store is not logged in by it.
 *
 *     mup_sessions_begin(sessions, secret, "operator", now);    secret goes into the cookie
 *     session = mup_sessions_find(sessions, cookie, now);       renews the time of idleness
 *     mup_session_csrf(csrf, cookie);                           what X-CSRF-Token has to be
 *
 * The CSRF token is made from the secret, which no other site's page can read.
 */
#ifndef MUP_SERVER_WEB_SESSIONS_H
#define MUP_SERVER_WEB_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"
#include "server/web/users.h"

#define MUP_SESSIONS_MAX        1024u
#define MUP_SESSIONS_OF_A_USER  32u /* one more ends the oldest */
#define MUP_SESSION_SECRET_SIZE 65u /* 32 bytes in hexadecimal, with NUL */
#define MUP_SESSION_LIFE_MS     (12u * 3600u * 1000u)
#define MUP_SESSION_IDLE_MS     (2u * 3600u * 1000u)

struct mup_session {
    bool is_used;
    uint8_t hash[32];
    char user[MUP_USER_NAME_MAX + 1];
    uint64_t begun_ms; /* ms since 1970 */
    uint64_t used_ms;
};

/* `{0}` is empty. */
struct mup_sessions {
    struct mup_session sessions[MUP_SESSIONS_MAX];
};

/* Log in. When all places are taken, the session that was idle longest ends. */
void mup_sessions_begin(struct mup_sessions *sessions, char secret[MUP_SESSION_SECRET_SIZE],
                        const char *user, uint64_t now_ms);

/* NULL: none with this secret, or it has ended. */
struct mup_session *mup_sessions_find(struct mup_sessions *sessions, const char *secret,
                                      uint64_t now_ms);

/* The same by the hash that a session has here. */
struct mup_session *mup_sessions_find_hash(struct mup_sessions *sessions, const uint8_t hash[32],
                                           uint64_t now_ms);

void mup_sessions_end(struct mup_session *session);

/* When it ends at the latest. */
uint64_t mup_session_expires_ms(const struct mup_session *session);

void mup_session_csrf(char csrf[MUP_SESSION_SECRET_SIZE], const char *secret);

/* Equal, in a time that says nothing about where they differ. */
bool mup_session_csrf_is(const char *secret, const char *csrf);

#endif
