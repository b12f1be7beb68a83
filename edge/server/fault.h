/*
 * Everything that a person can be told by the update server: one table of codes, each with the
 * HTTP status and the hint that goes with it. REST answers and reasons of failed updates use the
 * same codes; those that a device answers are the names of docs/SPEC.md section 18.
 */
#ifndef MUP_SERVER_FAULT_H
#define MUP_SERVER_FAULT_H

#define MUP_FAULT_MESSAGE_SIZE 240u

enum mup_fault_code {
    MUP_FAULT_NONE,

    MUP_FAULT_UNAUTHORIZED,
    MUP_FAULT_NOT_FOUND,
    MUP_FAULT_METHOD_NOT_ALLOWED,
    MUP_FAULT_BODY_TOO_LARGE,
    MUP_FAULT_BAD_REQUEST,
    MUP_FAULT_BUSY,
    MUP_FAULT_STORE,

    MUP_FAULT_LOGIN_FAILED,
    MUP_FAULT_NO_USERS,
    MUP_FAULT_TOO_MANY_ATTEMPTS,
    MUP_FAULT_CSRF,
    MUP_FAULT_CONTENT_TYPE,
    MUP_FAULT_NOT_PERMITTED,

    MUP_FAULT_URL_NOT_VALID,
    MUP_FAULT_RELEASE_UNREACHABLE,
    MUP_FAULT_RELEASE_INCOMPLETE,
    MUP_FAULT_RELEASE_TOO_BIG,
    MUP_FAULT_RELEASE_NOT_VALID,
    MUP_FAULT_RELEASE_WRONG_KEY,
    MUP_FAULT_RELEASE_SIGNATURE_INVALID,
    MUP_FAULT_RELEASE_WRONG_SIZE,
    MUP_FAULT_RELEASE_DIGEST,
    MUP_FAULT_RELEASE_CONFLICT,

    MUP_FAULT_UNKNOWN_RELEASE,
    MUP_FAULT_UNKNOWN_DEVICE,
    MUP_FAULT_DEVICE_NOT_READY,
    MUP_FAULT_UPDATE_RUNNING,
    MUP_FAULT_BRIDGE_UNREACHABLE,

    MUP_FAULT_ACCESS_DENIED,
    MUP_FAULT_UNKNOWN_RPC,
    MUP_FAULT_INPUT_NOT_VALID,
    MUP_FAULT_DEVICE_OUT_OF_SERVICE,
    MUP_FAULT_DEVICE_TIMEOUT,
    MUP_FAULT_DEVICE_REFUSED,
    MUP_FAULT_ANSWER_NOT_VALID,
    MUP_FAULT_MODULE_NOT_VALID,

    MUP_FAULT_COUNT, /* not a fault: how many there are */
};

struct mup_fault {
    enum mup_fault_code code;
    char message[MUP_FAULT_MESSAGE_SIZE]; /* what was wrong and where, one line */
};

/* Fill *fault; too long a message is cut. Does nothing for fault == NULL. */
__attribute__((format(printf, 3, 4))) void
mup_fault_set(struct mup_fault *fault, enum mup_fault_code code, const char *format, ...);

const char *mup_fault_name(enum mup_fault_code code); /* such as "unknown-device" */
const char *mup_fault_hint(enum mup_fault_code code); /* what to do about it */
unsigned mup_fault_http_status(enum mup_fault_code code);

#endif
