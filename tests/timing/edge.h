/*
 * Bridge, vendor and update server as the device hears them: an update from the announcement to
 * the report, one step at a time. The extended manifest and the sender of slices are the update
 * server's own.
 */
#ifndef MUP_TIMING_EDGE_H
#define MUP_TIMING_EDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "broker.h"
#include "server/sender.h"

#include "mup/sign/key.h"
#include "mup/sign/release.h"
#include "mup/token.h"

enum edge_stage {
    EDGE_WAITS,     /* for the device to announce itself */
    EDGE_TOKEN,     /* asked for */
    EDGE_MANIFEST,  /* sent */
    EDGE_SLICES,    /* under way */
    EDGE_LAST,      /* every slice was sent */
    EDGE_VERIFY,    /* asked for */
    EDGE_RESTART,   /* promised */
    EDGE_ANNOUNCED, /* by the new image */
    EDGE_CONFIRMED, /* the end */
    EDGE_FAILED,
};

struct edge {
    struct broker *broker;
    enum edge_stage stage;
    struct mup_signer vendor;
    struct mup_signer server;
    struct mup_release release;
    struct mup_token token;
    struct mup_sender sender;
    size_t answered; /* messages of the device that were looked at */
    size_t owed;     /* PUBACKs in all that there will be when none is owed */
    bool is_announced;
    uint8_t correlation;
};

/* Make keys, and a release of the image in the file; the vendor's public key goes to a file, too.
 */
bool edge_open(struct edge *edge, struct broker *broker, const char *image_path, uint32_t version,
               const char *key_path);
void edge_close(struct edge *edge);

/* Answer what has come. */
void edge_step(struct edge *edge);

#endif
