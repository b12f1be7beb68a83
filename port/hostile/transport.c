/* A stream in memory that comes in small pieces, stalls, and goes. */
#include <string.h>

#include "mup/port/hostile.h"

#define NOTHING 0
#define GONE    (-1)

/* Count a call. Returns 1 when it may go on, else what it answers. */
static int admit(struct mup_hostile_transport *transport)
{
    transport->call_count++;
    if (transport->call_count == transport->fail_at) {
        transport->is_open = false;
        return GONE;
    }
    return transport->stalls && transport->call_count % 2 == 1 ? NOTHING : 1;
}

static size_t piece(const struct mup_hostile_transport *transport, size_t size, size_t room)
{
    if (size > room)
        size = room;
    if (transport->piece_size_max != 0 && size > transport->piece_size_max)
        size = transport->piece_size_max;
    return size;
}

static int stream_open(void *context)
{
    struct mup_hostile_transport *transport = context;
    int answer = admit(transport);

    if (answer >= 0 && transport->is_open)
        return 1;
    if (answer > 0)
        transport->is_open = true;
    return answer;
}

static int stream_send(void *context, const uint8_t *bytes, size_t size)
{
    struct mup_hostile_transport *transport = context;
    int answer = admit(transport);
    size_t taken = piece(transport, size, transport->outgoing_capacity - transport->outgoing_size);

    if (answer <= 0)
        return answer;
    if (!transport->is_open)
        return GONE;
    if (taken == 0)
        return NOTHING;
    memcpy(transport->outgoing + transport->outgoing_size, bytes, taken);
    transport->outgoing_size += taken;
    return (int)taken;
}

static int stream_receive(void *context, uint8_t *out, size_t size)
{
    struct mup_hostile_transport *transport = context;
    int answer = admit(transport);
    size_t given = piece(transport, size, transport->incoming_size);

    if (answer <= 0)
        return answer;
    if (!transport->is_open)
        return GONE;
    if (given == 0)
        return transport->ends ? GONE : NOTHING;
    memcpy(out, transport->incoming, given);
    transport->incoming += given;
    transport->incoming_size -= given;
    return (int)given;
}

static void stream_close(void *context)
{
    struct mup_hostile_transport *transport = context;

    transport->is_open = false;
}

struct mup_port_transport mup_hostile_transport_port(struct mup_hostile_transport *transport)
{
    return (struct mup_port_transport){
        .context = transport,
        .open = stream_open,
        .send = stream_send,
        .receive = stream_receive,
        .close = stream_close,
    };
}
