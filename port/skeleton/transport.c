/* The transport contract (mup/port/transport.h). */
#include "board.h"

#define GONE (-1)

static int board_transport_open(void *context)
{
    (void)context;
    /* Begin to connect to the broker, or look how far it is: 1, 0 or negative. */
    return GONE;
}

static int board_transport_send(void *context, const uint8_t *bytes, size_t size)
{
    (void)context;
    (void)bytes;
    (void)size;
    /* How many bytes the stack has taken; 0 when it has no room now. */
    return GONE;
}

static int board_transport_receive(void *context, uint8_t *out, size_t size)
{
    (void)context;
    (void)out;
    (void)size;
    /* How many bytes have come; 0 when there are none now; negative when the peer has closed,
     * where recv() of sockets says 0. */
    return GONE;
}

static void board_transport_close(void *context)
{
    (void)context;
    /* Free what open() took, in whatever state it is. */
}

const struct mup_port_transport board_transport = {
    .open = board_transport_open,
    .send = board_transport_send,
    .receive = board_transport_receive,
    .close = board_transport_close,
};
