/* Tokens, cookies, and the answer to a name with a password. */
#include "server/web/door.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mup/sign/sign1.h"
#include "runtime/log.h"
#include "server/web/answer.h"
#include "server/web/limiter.h"
#include "server/web/password.h"

struct log_in {
    struct log_in *next;
    struct mup_http_request *request;
    char user[MUP_USER_NAME_MAX + 1];
    char peer[MUP_HTTP_PEER_SIZE];
};

struct mup_door {
    struct mup_loop *loop;
    bool is_secure;
    uint8_t token_hash[32];
    char token_user[MUP_USER_NAME_MAX + 1];
    struct mup_users *users; /* NULL: nobody can log in */
    struct mup_password_check *check;
    struct log_in *log_ins;
    struct mup_limiter limiter;
    struct mup_sessions sessions;
};

/* ---- who asks ---- */

/* The token is compared by its hash, so that the time taken says nothing about it. */
static bool has_token(const struct mup_door *door, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    uint8_t hash[32];

    if (strncmp(authorization, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    const char *token = authorization + sizeof scheme - 1;
    mup_sha256_host(hash, token, strlen(token));
    return sodium_memcmp(hash, door->token_hash, sizeof hash) == 0;
}

/* The session of the cookie and its user, who may have been taken away meanwhile. */
static struct mup_session *session_of(struct mup_door *door, const struct mup_http_request *request,
                                      char secret[MUP_SESSION_SECRET_SIZE],
                                      const struct mup_user **user)
{
    if (!door->users ||
        !mup_http_cookie(request, MUP_DOOR_COOKIE, secret, MUP_SESSION_SECRET_SIZE)) {
        return NULL;
    }
    struct mup_session *session = mup_sessions_find(&door->sessions, secret, mup_loop_wall_ms());
    if (!session) {
        return NULL;
    }
    mup_users_refresh(door->users);
    *user = mup_users_find(door->users, session->user);
    if (!*user) {
        mup_sessions_end(session);
        return NULL;
    }
    return session;
}

static bool is_json(const struct mup_http_request *request)
{
    static const char wanted[] = "application/json";
    const char *type = mup_http_header(request, "Content-Type");

    return type && strncmp(type, wanted, sizeof wanted - 1) == 0 &&
           (type[sizeof wanted - 1] == '\0' || type[sizeof wanted - 1] == ';');
}

/* What only a page of ours can have sent. */
static bool is_of_our_page(const struct mup_http_request *request, const struct mup_http_view *view,
                           const char *secret, struct mup_fault *fault)
{
    const char *csrf = mup_http_header(request, "X-CSRF-Token");

    if (strcmp(view->method, "GET") == 0) {
        return true;
    }
    if (!csrf || !mup_session_csrf_is(secret, csrf)) {
        mup_fault_set(fault, MUP_FAULT_CSRF, "%s",
                      csrf ? "X-CSRF-Token is not that of this session" : "no X-CSRF-Token");
        return false;
    }
    if (view->body_size > 0 && !is_json(request)) {
        mup_fault_set(fault, MUP_FAULT_CONTENT_TYPE, "the body is not said to be application/json");
        return false;
    }
    return true;
}

bool mup_door_ask(struct mup_door *door, const struct mup_http_request *request,
                  const struct mup_http_view *view, struct mup_person *person,
                  struct mup_fault *fault)
{
    const char *authorization = mup_http_header(request, "Authorization");
    const struct mup_user *user = NULL;
    char secret[MUP_SESSION_SECRET_SIZE] = "";

    memset(person, 0, sizeof *person);
    if (authorization) {
        if (!has_token(door, authorization)) {
            mup_fault_set(fault, MUP_FAULT_UNAUTHORIZED, "not the right token");
            return false;
        }
        memcpy(person->name, door->token_user, sizeof person->name);
        person->role = MUP_ROLE_ADMINISTRATOR;
        return true;
    }
    struct mup_session *session = session_of(door, request, secret, &user);
    if (!session) {
        mup_fault_set(fault, MUP_FAULT_UNAUTHORIZED, "%s",
                      mup_http_header(request, "Cookie") ? "the session has ended"
                                                         : "no session and no token");
        return false;
    }
    memcpy(person->name, user->name, sizeof person->name);
    person->role = user->role;
    person->session = session;
    memcpy(person->session_hash, session->hash, sizeof person->session_hash);
    return is_of_our_page(request, view, secret, fault);
}

bool mup_door_is_open_for(struct mup_door *door, const uint8_t session_hash[32])
{
    struct mup_session *session =
        mup_sessions_find_hash(&door->sessions, session_hash, mup_loop_wall_ms());

    if (!session) {
        return false;
    }
    mup_users_refresh(door->users);
    return mup_users_find(door->users, session->user) != NULL;
}

/* ---- the session ---- */

static json_t *session_json(const struct mup_session *session, const struct mup_user *user,
                            const char *secret)
{
    char csrf[MUP_SESSION_SECRET_SIZE];

    mup_session_csrf(csrf, secret);
    return json_pack("{s:s, s:s, s:s, s:I}", "user", user->name, "role", mup_role_name(user->role),
                     "csrf", csrf, "expires_ms", (json_int_t)mup_session_expires_ms(session));
}

static void set_cookie(const struct mup_door *door, struct mup_http_request *request,
                       const char *secret, unsigned life_s)
{
    char cookie[200];

    snprintf(cookie, sizeof cookie,
             MUP_DOOR_COOKIE "=%s; Path=/; Max-Age=%u; HttpOnly; SameSite=Strict%s", secret, life_s,
             door->is_secure ? "; Secure" : "");
    mup_http_add_header(request, "Set-Cookie", cookie);
    sodium_memzero(cookie, sizeof cookie);
}

void mup_door_tell(struct mup_door *door, struct mup_http_request *request)
{
    char secret[MUP_SESSION_SECRET_SIZE];
    const struct mup_user *user;
    const struct mup_session *session = session_of(door, request, secret, &user);

    if (session) {
        mup_answer_json(request, 200, session_json(session, user, secret));
    } else {
        mup_answer_refuse(request, MUP_FAULT_UNAUTHORIZED, "nobody is logged in");
    }
}

void mup_door_log_out(struct mup_door *door, struct mup_http_request *request)
{
    char secret[MUP_SESSION_SECRET_SIZE];
    const struct mup_user *user;
    struct mup_session *session = session_of(door, request, secret, &user);

    if (session) {
        mup_sessions_end(session);
    }
    set_cookie(door, request, "", 0);
    mup_http_reply(request, 204, "text/plain", strdup(""));
}

/* ---- logging in ---- */

static void key_of(char key[MUP_LIMITER_KEY_SIZE], const char *kind, const char *text)
{
    snprintf(key, MUP_LIMITER_KEY_SIZE, "%s %s", kind, text);
}

static void take_back(struct mup_door *door, const char *user, const char *peer)
{
    char key[MUP_LIMITER_KEY_SIZE];

    key_of(key, "user", user);
    mup_limiter_take_back(&door->limiter, key);
    key_of(key, "address", peer);
    mup_limiter_take_back(&door->limiter, key);
}

/* 0: try. Otherwise how many milliseconds later. */
static uint64_t wait_ms(struct mup_door *door, const char *user, const char *peer)
{
    uint64_t now = mup_loop_now_ms(door->loop);
    char key[MUP_LIMITER_KEY_SIZE];

    key_of(key, "address", peer);
    uint64_t of_address = mup_limiter_try(&door->limiter, key, now);
    if (of_address > 0) {
        return of_address;
    }
    key_of(key, "user", user);
    uint64_t of_user = mup_limiter_try(&door->limiter, key, now);
    if (of_user > 0) {
        key_of(key, "address", peer);
        mup_limiter_take_back(&door->limiter, key);
    }
    return of_user;
}

static void refuse_for_now(struct mup_http_request *request, uint64_t wait_for_ms)
{
    unsigned seconds = (unsigned)((wait_for_ms + 999) / 1000);
    char text[16];

    snprintf(text, sizeof text, "%u", seconds);
    mup_http_add_header(request, "Retry-After", text);
    mup_answer_refuse(request, MUP_FAULT_TOO_MANY_ATTEMPTS,
                      "too many attempts to log in failed; the next one may come in %u s", seconds);
}

static void let_in(struct mup_door *door, struct mup_http_request *request,
                   const struct mup_user *user)
{
    char secret[MUP_SESSION_SECRET_SIZE];
    uint64_t now = mup_loop_wall_ms();

    mup_sessions_begin(&door->sessions, secret, user->name, now);
    set_cookie(door, request, secret, MUP_SESSION_LIFE_MS / 1000);
    mup_answer_json(request, 200,
                    session_json(mup_sessions_find(&door->sessions, secret, now), user, secret));
    sodium_memzero(secret, sizeof secret);
}

static void on_checked(void *arg, void *tag, bool good)
{
    struct mup_door *door = arg;
    struct log_in *log_in = tag;
    struct log_in **at = &door->log_ins;

    while (*at != log_in) {
        at = &(*at)->next;
    }
    *at = log_in->next;
    mup_users_refresh(door->users);
    const struct mup_user *user = mup_users_find(door->users, log_in->user);
    if (good && user) {
        take_back(door, log_in->user, log_in->peer);
        mup_log(MUP_LOG_INFO, "door", mup_log_event("logged in"), mup_log_text("user", user->name),
                mup_log_text("address", log_in->peer));
        let_in(door, log_in->request, user);
    } else {
        mup_log(MUP_LOG_WARNING, "door", mup_log_event("log-in failed"),
                mup_log_text("user", log_in->user), mup_log_text("address", log_in->peer));
        mup_answer_refuse(log_in->request, MUP_FAULT_LOGIN_FAILED,
                          "the name or the password is wrong");
    }
    free(log_in);
}

/* Hand the password to who checks it; the answer comes in on_checked(). */
static void check(struct mup_door *door, struct mup_http_request *request, const char *name,
                  const char *password, const char *peer)
{
    const struct mup_user *user = mup_users_find(door->users, name);
    struct log_in *log_in = calloc(1, sizeof *log_in);

    if (log_in) {
        log_in->request = request;
        snprintf(log_in->user, sizeof log_in->user, "%s", name);
        snprintf(log_in->peer, sizeof log_in->peer, "%s", peer);
    }
    if (!log_in ||
        mup_password_check(door->check, user ? user->hash : NULL, password, log_in) != MUP_OK) {
        take_back(door, name, peer);
        free(log_in);
        mup_answer_refuse(request, MUP_FAULT_BUSY, "%u log-ins are in line",
                          MUP_PASSWORD_CHECKS_MAX);
        return;
    }
    log_in->next = door->log_ins;
    door->log_ins = log_in;
}

void mup_door_log_in(struct mup_door *door, struct mup_http_request *request,
                     const struct mup_http_view *view, const json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "user"));
    const char *password = json_string_value(json_object_get(body, "password"));

    if (!is_json(request)) {
        mup_answer_refuse(request, MUP_FAULT_CONTENT_TYPE,
                          "the body is not said to be application/json");
        return;
    }
    if (!name || !password || json_object_size(body) != 2) {
        mup_answer_refuse(request, MUP_FAULT_BAD_REQUEST,
                          "the body is not {\"user\": TEXT, \"password\": TEXT}");
        return;
    }
    if (!door->users || (mup_users_refresh(door->users), mup_users_count(door->users) == 0)) {
        mup_answer_refuse(request, MUP_FAULT_NO_USERS, "this server has no users");
        return;
    }
    if (!mup_user_name_is_valid(name) || strlen(password) > MUP_PASSWORD_SIZE_MAX) {
        name = "?"; /* nobody's: it takes the same time and fails */
        password = "?";
    }
    uint64_t wait_for_ms = wait_ms(door, name, view->peer);
    if (wait_for_ms > 0) {
        refuse_for_now(request, wait_for_ms);
    } else {
        check(door, request, name, password, view->peer);
    }
}

/* ---- begin and end ---- */

static bool open_users(struct mup_door *door, const char *path, char error[MUP_DOOR_ERROR_SIZE])
{
    door->users = mup_users_new(path);
    door->check = door->users ? mup_password_check_new(door->loop, on_checked, door) : NULL;
    if (!door->check) {
        snprintf(error, MUP_DOOR_ERROR_SIZE, "no memory");
        return false;
    }
    mup_users_refresh(door->users);
    return true;
}

struct mup_door *mup_door_new(struct mup_loop *loop, const struct mup_door_settings *settings,
                              char error[MUP_DOOR_ERROR_SIZE])
{
    struct mup_door *door = mup_password_init() ? calloc(1, sizeof *door) : NULL;

    if (!door) {
        snprintf(error, MUP_DOOR_ERROR_SIZE, "no memory, or no random numbers");
        return NULL;
    }
    door->loop = loop;
    door->is_secure = settings->is_secure;
    mup_sha256_host(door->token_hash, settings->token, strlen(settings->token));
    snprintf(door->token_user, sizeof door->token_user, "%s",
             settings->token_user ? settings->token_user : "operator");
    if (settings->users_file && !open_users(door, settings->users_file, error)) {
        mup_door_free(door);
        return NULL;
    }
    return door;
}

void mup_door_free(struct mup_door *door)
{
    if (!door) {
        return;
    }
    mup_password_check_free(door->check);
    while (door->log_ins) {
        struct log_in *log_in = door->log_ins;
        door->log_ins = log_in->next;
        free(log_in);
    }
    mup_users_free(door->users);
    sodium_memzero(&door->sessions, sizeof door->sessions);
    free(door);
}
