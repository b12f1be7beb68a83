/*
 * The two framings of NETCONF over SSH (RFC 6242 4.2 and 4.3): bytes in, whole messages out.
 *
 * A session starts in MUP_NETCONF_END_OF_MESSAGE (`]]>]]>` behind each message) and goes over to
 * MUP_NETCONF_CHUNKED after both hellos if both sides said base:1.1. A message ends the call, so
 * that the mode can be changed before the next byte is read.
 */
#ifndef MUP_RUNTIME_NETCONF_FRAMING_H
#define MUP_RUNTIME_NETCONF_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"

enum mup_netconf_mode { MUP_NETCONF_END_OF_MESSAGE, MUP_NETCONF_CHUNKED };

struct mup_netconf_framing {
    enum mup_netconf_mode mode; /* change only after init or a whole message */
    char *message;              /* NUL-terminated; valid until the next call */
    size_t message_size;

    /* private */
    size_t capacity;
    size_t size_max;
    int state;
    uint64_t chunk_left;
    unsigned digits;
    bool complete;
};

/* Messages of more than size_max bytes are refused. */
void mup_netconf_framing_init(struct mup_netconf_framing *framing, size_t size_max);
void mup_netconf_framing_free(struct mup_netconf_framing *framing);

/*
 * Read bytes[0..size) up to the end of a message; *used says how many were read.
 *
 * MUP_OK          framing->message is whole; call again with the rest.
 * MUP_ERR_SHORT   all bytes are read, the message is not whole yet.
 * MUP_ERR_FORMAT  not a chunk header: close the session (RFC 6242 4.2), nothing can follow.
 * MUP_ERR_RANGE   the message is too large: likewise.
 * MUP_ERR_SPACE   no memory: likewise.
 */
MUP_MUST_CHECK
enum mup_status mup_netconf_framing_feed(struct mup_netconf_framing *framing, size_t *used,
                                         const void *bytes, size_t size);

/* The framed message, malloc'ed, of *framed_size bytes; NULL: no memory. */
char *mup_netconf_frame(enum mup_netconf_mode mode, const char *message, size_t size,
                        size_t *framed_size);

#endif
