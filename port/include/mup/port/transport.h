/*
 * The transport contract of a port: one reliable byte stream to the broker, such as TCP or TLS.
 *
 * No call blocks. The same three answers everywhere, so that "nothing yet" and "never again" can
 * not be confused:
 *
 *   > 0   it happened (open: connected; send, receive: that many bytes, at least one)
 *     0   nothing yet: call again later, with the same or other arguments
 *   < 0   the stream is gone (refused, reset, timed out, closed by the peer): call close(), and
 *         open() for another one
 *
 * In particular receive() never returns 0 because the peer has closed; that is negative.
 *
 * Order of calls: open() until it is not 0, then send() and receive() as wanted, then close().
 * Whom to connect to is the port's configuration. Time-outs are the caller's: it closes a stream
 * that opens for too long.
 */
#ifndef MUP_PORT_TRANSPORT_H
#define MUP_PORT_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

struct mup_port_transport {
    void *context; /* handed to every callback; the port's own */

    /* Begin or continue to connect. Calling it on an open stream is allowed and returns 1. */
    int (*open)(void *context);

    /* Hand over up to size bytes (size > 0). They are the port's once it has returned. */
    int (*send)(void *context, const uint8_t *bytes, size_t size);

    /* Take up to size bytes (size > 0) that have arrived. */
    int (*receive)(void *context, uint8_t *out, size_t size);

    /* End the stream, in whatever state it is. Cannot fail; twice is allowed. */
    void (*close)(void *context);
};

#endif
