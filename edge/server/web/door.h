/*
 * The door: who asks, and may he come in.
 *
 * A program shows the token (Authorization: Bearer); a browser the cookie of a session, and with
 * everything but GET the session's token in X-CSRF-Token, which a page of another site cannot know.
 * The door also answers what is asked of the session itself: log in, who am I, log out.
 *
 *     door = mup_door_new(&loop, &settings, error);
 *     if (mup_door_ask(door, request, view, &person, &fault)) ... person may do what his role may
 *     mup_door_log_in(door, request, view, body); mup_door_tell(door, request); mup_door_log_out();
 *     mup_door_free(door);
 */
#ifndef MUP_SERVER_WEB_DOOR_H
#define MUP_SERVER_WEB_DOOR_H

#include <stdbool.h>

#include <jansson.h>

#include "runtime/loop.h"
#include "server/fault.h"
#include "server/http.h"
#include "server/web/sessions.h"
#include "server/web/users.h"

#define MUP_DOOR_COOKIE     "mup_session"
#define MUP_DOOR_ERROR_SIZE 256u

struct mup_door_settings {
    const char *token;      /* of programs */
    const char *token_user; /* in whose name they call devices */
    const char *users_file; /* NULL: nobody can log in */
    bool is_secure;         /* the cookie goes over TLS only */
};

/* Who asks. */
struct mup_person {
    char name[MUP_USER_NAME_MAX + 1];
    enum mup_role role;
    const struct mup_session *session; /* NULL: a program */
    uint8_t session_hash[32];          /* of the session, when there is one */
};

struct mup_door;

/* NULL: `error` says why. */
struct mup_door *mup_door_new(struct mup_loop *loop, const struct mup_door_settings *settings,
                              char error[MUP_DOOR_ERROR_SIZE]);

/* Log-ins under way are not answered any more: free the door after the HTTP server. */
void mup_door_free(struct mup_door *door); /* NULL is allowed */

/* False: *fault says why not. */
bool mup_door_ask(struct mup_door *door, const struct mup_http_request *request,
                  const struct mup_http_view *view, struct mup_person *person,
                  struct mup_fault *fault);

/* Whether this session is still one, at this moment; its time of idleness begins again. */
bool mup_door_is_open_for(struct mup_door *door, const uint8_t session_hash[32]);

/* The paths of the session. Each answers the request. `body` may be anything. */
void mup_door_log_in(struct mup_door *door, struct mup_http_request *request,
                     const struct mup_http_view *view, const json_t *body);
void mup_door_tell(struct mup_door *door, struct mup_http_request *request);
void mup_door_log_out(struct mup_door *door, struct mup_http_request *request);

#endif
