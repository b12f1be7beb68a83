/* The one table of what can be wrong. */
#include "server/fault.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    unsigned http_status;
    const char *hint;
} faults[MUP_FAULT_COUNT] = {
    [MUP_FAULT_NONE] = {"none", 200, ""},
    [MUP_FAULT_UNAUTHORIZED] = {"unauthorized", 401,
                                "log in; a program sends \"Authorization: Bearer TOKEN\" with the "
                                "token of the server's api-token-file"},
    [MUP_FAULT_NOT_FOUND] = {"not-found", 404, "see GET /api/v1 for the paths"},
    [MUP_FAULT_METHOD_NOT_ALLOWED] = {"method-not-allowed", 405, "see GET /api/v1 for the paths"},
    [MUP_FAULT_BODY_TOO_LARGE] = {"body-too-large", 413, "a request's body has at most 64 kB"},
    [MUP_FAULT_BAD_REQUEST] = {"bad-request", 400, "docs/REST.md says what this path takes"},
    [MUP_FAULT_BUSY] = {"busy", 503, "try again in a moment"},
    [MUP_FAULT_STORE] = {"store-failed", 500, "look into the server's log; check the disk"},
    [MUP_FAULT_LOGIN_FAILED] = {"login-failed", 401,
                                "check both; mup-server --new-password NAME makes a new one"},
    [MUP_FAULT_NO_USERS] = {"no-users", 503,
                            "set users-file, and run mup-server --config FILE --set-up"},
    [MUP_FAULT_TOO_MANY_ATTEMPTS] = {"too-many-attempts", 429, "wait, then check the password"},
    [MUP_FAULT_CSRF] = {"csrf", 403, "load the page again; GET /api/v1/session tells the token"},
    [MUP_FAULT_CONTENT_TYPE] = {"wrong-content-type", 415,
                                "send \"Content-Type: application/json\""},
    [MUP_FAULT_NOT_PERMITTED] = {"not-permitted", 403,
                                 "mup-server --add-user gives a user another role"},
    [MUP_FAULT_URL_NOT_VALID] = {"url-not-valid", 400,
                                 "give the http or https URL of a release's folder"},
    [MUP_FAULT_RELEASE_UNREACHABLE] = {"release-unreachable", 502,
                                       "check the URL and that its web server runs"},
    [MUP_FAULT_RELEASE_INCOMPLETE] = {"release-incomplete", 502,
                                      "the transfer ended early: try again"},
    [MUP_FAULT_RELEASE_TOO_BIG] = {"release-too-big", 422,
                                   "this is not a release, or not one of this version of MUP"},
    [MUP_FAULT_RELEASE_NOT_VALID] = {"release-not-valid", 422,
                                     "give the folder that holds manifest.cose and payload.bin"},
    [MUP_FAULT_RELEASE_WRONG_KEY] = {"release-wrong-key", 422,
                                     "it is signed by another vendor than vendor-key-file names"},
    [MUP_FAULT_RELEASE_SIGNATURE_INVALID] = {"release-signature-invalid", 422,
                                             "the manifest was changed after the vendor signed it"},
    [MUP_FAULT_RELEASE_WRONG_SIZE] = {"release-wrong-size", 422,
                                      "payload.bin is not the one that the vendor signed"},
    [MUP_FAULT_RELEASE_DIGEST] = {"release-digest-mismatch", 422,
                                  "payload.bin is not the one that the vendor signed"},
    [MUP_FAULT_RELEASE_CONFLICT] = {"release-conflict", 409,
                                    "a version means one image: publish a new version"},
    [MUP_FAULT_UNKNOWN_RELEASE] = {"unknown-release", 404,
                                   "fetch it first: POST /api/v1/releases {\"url\": ...}"},
    [MUP_FAULT_UNKNOWN_DEVICE] = {"unknown-device", 404, "see GET /api/v1/devices"},
    [MUP_FAULT_DEVICE_NOT_READY] = {"device-not-ready", 409,
                                    "the bridge has no usable description of it yet"},
    [MUP_FAULT_UPDATE_RUNNING] = {"update-running", 409,
                                  "wait for the update with the id of this answer"},
    [MUP_FAULT_BRIDGE_UNREACHABLE] =
        {"bridge-unreachable", 503, "check that mup-bridge runs and netconf-socket is its socket"},
    [MUP_FAULT_ACCESS_DENIED] = {"access-denied", 403,
                                 "the bridge's access rules do not let this user: put him into a "
                                 "group, or name him as administrator in its configuration"},
    [MUP_FAULT_UNKNOWN_RPC] = {"unknown-rpc", 404, "see GET /api/v1/devices/UUID for its RPCs"},
    [MUP_FAULT_INPUT_NOT_VALID] = {"input-not-valid", 422, "correct the field and send it again"},
    [MUP_FAULT_DEVICE_OUT_OF_SERVICE] = {"device-out-of-service", 409,
                                         "an administrator of the bridge can release it"},
    [MUP_FAULT_DEVICE_TIMEOUT] = {"device-timeout", 504,
                                  "it may sleep or be away; whether it did it is not known"},
    [MUP_FAULT_DEVICE_REFUSED] = {"device-refused", 409, "the message says why"},
    [MUP_FAULT_ANSWER_NOT_VALID] = {"answer-not-valid", 502,
                                    "the device does not do what its description says: tell its "
                                    "vendor"},
    [MUP_FAULT_MODULE_NOT_VALID] = {"module-not-valid", 502,
                                    "its YANG module cannot be read here; look into the log"},
};

void mup_fault_set(struct mup_fault *fault, enum mup_fault_code code, const char *format, ...)
{
    va_list values;

    if (!fault) {
        return;
    }
    fault->code = code;
    va_start(values, format);
    vsnprintf(fault->message, sizeof fault->message, format, values);
    va_end(values);
}

const char *mup_fault_name(enum mup_fault_code code)
{
    return faults[code].name;
}

const char *mup_fault_hint(enum mup_fault_code code)
{
    return faults[code].hint;
}

unsigned mup_fault_http_status(enum mup_fault_code code)
{
    return faults[code].http_status;
}
