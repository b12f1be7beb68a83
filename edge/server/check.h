/*
 * May this release go to this device? What speaks for and against it, for a person who has not
 * begun an update yet: from what is known, and for certain with the device's own token. The device
 * decides for itself later; this spares it the question.
 */
#ifndef MUP_SERVER_CHECK_H
#define MUP_SERVER_CHECK_H

#include <jansson.h>

#include "mup/token.h"
#include "server/directory.h"
#include "server/update.h"

struct mup_check {
    const struct mup_directory_device *device;
    const struct mup_stored_release *release;
    const struct mup_update_goal *goal;
    int64_t running_id;            /* of an update of this device; 0: none */
    bool is_asked;                 /* the device was asked for a token ... */
    const struct mup_token *token; /* ... and gave this one; NULL: it did not */
    const char *refusal;           /* why not, when it was asked and did not; else NULL */
};

/* A list of {"name", "ok", "message"}; *may is false when anything speaks against it. */
json_t *mup_check_json(const struct mup_check *check, bool *may);

#endif
