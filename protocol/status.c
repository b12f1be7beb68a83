/* The names of the status codes, for logs and test output. */
#include "mup/status.h"

const char *mup_status_name(enum mup_status status)
{
    switch (status) {
    case MUP_OK:
        return "ok";
    case MUP_ERR_SHORT:
        return "short";
    case MUP_ERR_BUSY:
        return "busy";
    case MUP_ERR_FORMAT:
        return "format";
    case MUP_ERR_RANGE:
        return "range";
    case MUP_ERR_SIGNATURE:
        return "signature";
    case MUP_ERR_KEY:
        return "key";
    case MUP_ERR_STALE:
        return "stale";
    case MUP_ERR_DIGEST:
        return "digest";
    case MUP_ERR_STATE:
        return "state";
    case MUP_ERR_FLASH:
        return "flash";
    case MUP_ERR_RANDOM:
        return "random";
    case MUP_ERR_SPACE:
        return "space";
    }
    return "unknown";
}
