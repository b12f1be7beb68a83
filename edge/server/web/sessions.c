/* The table of sessions. */
#include "server/web/sessions.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "mup/sign/sign1.h"

#define SECRET_BYTES 32u

static bool has_ended(const struct mup_session *session, uint64_t now_ms)
{
    return now_ms < session->begun_ms || now_ms - session->begun_ms >= MUP_SESSION_LIFE_MS ||
           (now_ms > session->used_ms && now_ms - session->used_ms >= MUP_SESSION_IDLE_MS);
}

void mup_sessions_end(struct mup_session *session)
{
    sodium_memzero(session, sizeof *session);
}

/* The place for one more of this user: a free one, or that of the session that has to go. */
static struct mup_session *place_for(struct mup_sessions *sessions, const char *user,
                                     uint64_t now_ms)
{
    struct mup_session *free_one = NULL;
    struct mup_session *idle = NULL; /* of all, the longest idle */
    struct mup_session *own = NULL;  /* of this user's */
    size_t own_count = 0;

    for (size_t i = 0; i < MUP_SESSIONS_MAX; i++) {
        struct mup_session *s = &sessions->sessions[i];
        if (s->is_used && has_ended(s, now_ms)) {
            mup_sessions_end(s);
        }
        if (!s->is_used) {
            free_one = s;
            continue;
        }
        idle = !idle || s->used_ms < idle->used_ms ? s : idle;
        if (strcmp(s->user, user) == 0) {
            own_count++;
            own = !own || s->used_ms < own->used_ms ? s : own;
        }
    }
    return own_count >= MUP_SESSIONS_OF_A_USER ? own : free_one ? free_one : idle;
}

void mup_sessions_begin(struct mup_sessions *sessions, char secret[MUP_SESSION_SECRET_SIZE],
                        const char *user, uint64_t now_ms)
{
    struct mup_session *session = place_for(sessions, user, now_ms);
    uint8_t bytes[SECRET_BYTES];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(secret, MUP_SESSION_SECRET_SIZE, bytes, sizeof bytes);
    sodium_memzero(bytes, sizeof bytes);
    *session = (struct mup_session){.is_used = true, .begun_ms = now_ms, .used_ms = now_ms};
    mup_sha256_host(session->hash, secret, strlen(secret));
    snprintf(session->user, sizeof session->user, "%s", user);
}

struct mup_session *mup_sessions_find_hash(struct mup_sessions *sessions, const uint8_t hash[32],
                                           uint64_t now_ms)
{
    for (size_t i = 0; i < MUP_SESSIONS_MAX; i++) {
        struct mup_session *s = &sessions->sessions[i];
        if (!s->is_used || sodium_memcmp(s->hash, hash, sizeof s->hash) != 0) {
            continue;
        }
        if (has_ended(s, now_ms)) {
            mup_sessions_end(s);
            return NULL;
        }
        s->used_ms = now_ms;
        return s;
    }
    return NULL;
}

struct mup_session *mup_sessions_find(struct mup_sessions *sessions, const char *secret,
                                      uint64_t now_ms)
{
    uint8_t hash[32];

    if (strlen(secret) != MUP_SESSION_SECRET_SIZE - 1) {
        return NULL;
    }
    mup_sha256_host(hash, secret, strlen(secret));
    return mup_sessions_find_hash(sessions, hash, now_ms);
}

uint64_t mup_session_expires_ms(const struct mup_session *session)
{
    return session->begun_ms + MUP_SESSION_LIFE_MS;
}

void mup_session_csrf(char csrf[MUP_SESSION_SECRET_SIZE], const char *secret)
{
    static const char purpose[] = "mup csrf ";
    char text[sizeof purpose + MUP_SESSION_SECRET_SIZE];
    uint8_t hash[32];

    int size = snprintf(text, sizeof text, "%s%s", purpose, secret);
    mup_sha256_host(hash, text, (size_t)size);
    sodium_bin2hex(csrf, MUP_SESSION_SECRET_SIZE, hash, sizeof hash);
}

bool mup_session_csrf_is(const char *secret, const char *csrf)
{
    char wanted[MUP_SESSION_SECRET_SIZE];

    mup_session_csrf(wanted, secret);
    return strlen(csrf) == sizeof wanted - 1 && sodium_memcmp(wanted, csrf, sizeof wanted - 1) == 0;
}
