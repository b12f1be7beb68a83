/* The transport contract over UART1: streams that the other end of the line opens and closes. */
#include "mup/port/mps2.h"
#include "registers.h"

#define CONNECTED 1
#define NOTHING   0
#define GONE      (-1)

static bool can_put(void)
{
    return (UART_STATE(UART1) & UART_TX_FULL) == 0;
}

/* Send what waits. True when nothing does any more. */
static bool flush(struct mup_mps2_line *line)
{
    uint8_t sent = 0;

    while (sent < line->pending_count && can_put())
        UART_DATA(UART1) = line->pending[sent++];
    line->pending_count = (uint8_t)(line->pending_count - sent);
    for (uint8_t i = 0; i < line->pending_count; i++)
        line->pending[i] = line->pending[i + sent];
    return line->pending_count == 0;
}

static void put_later(struct mup_mps2_line *line, uint8_t byte)
{
    line->pending[line->pending_count++] = byte;
}

/* A code and its number have come. */
static void obey(struct mup_mps2_line *line, uint8_t code, uint8_t number)
{
    if (number != line->number)
        return; /* of a stream before this one */
    if (code == MUP_MPS2_ESCAPE_OPENED && line->state == MUP_MPS2_STREAM_OPENING)
        line->state = MUP_MPS2_STREAM_OPEN;
    else if (code == MUP_MPS2_ESCAPE_CLOSED && line->state != MUP_MPS2_STREAM_CLOSED)
        line->state = MUP_MPS2_STREAM_GONE;
}

/* Take one byte from the line. Returns the stream's byte, or -1 when it was none. */
static int take(struct mup_mps2_line *line, uint8_t byte)
{
    if (line->escape == MUP_MPS2_ESCAPE) {
        line->escape = byte == MUP_MPS2_ESCAPE_DATA ? 0 : byte;
        return byte == MUP_MPS2_ESCAPE_DATA ? (int)MUP_MPS2_ESCAPE : -1;
    }
    if (line->escape != 0) {
        obey(line, line->escape, byte);
        line->escape = 0;
        return -1;
    }
    if (byte == MUP_MPS2_ESCAPE) {
        line->escape = byte;
        return -1;
    }
    return byte;
}

/* The next byte of the open stream, or -1 when there is none now. */
static int next_byte(struct mup_mps2_line *line)
{
    while ((UART_STATE(UART1) & UART_RX_FULL) != 0) {
        int byte = take(line, (uint8_t)UART_DATA(UART1));

        if (byte >= 0 && line->state == MUP_MPS2_STREAM_OPEN)
            return byte;
        if (line->state == MUP_MPS2_STREAM_GONE)
            break;
    }
    return -1;
}

static int line_open(void *context)
{
    struct mup_mps2_line *line = context;

    if (line->state == MUP_MPS2_STREAM_OPEN)
        return CONNECTED;
    if (!flush(line))
        return NOTHING;
    if (line->state == MUP_MPS2_STREAM_CLOSED) {
        line->number++;
        put_later(line, MUP_MPS2_ESCAPE);
        put_later(line, MUP_MPS2_ESCAPE_OPEN);
        put_later(line, line->number);
        put_later(line, line->peer);
        line->state = MUP_MPS2_STREAM_OPENING;
        flush(line);
    }
    /* Not past OPENED: what follows it is for receive(). */
    while (line->state == MUP_MPS2_STREAM_OPENING && (UART_STATE(UART1) & UART_RX_FULL) != 0)
        take(line, (uint8_t)UART_DATA(UART1));
    if (line->state == MUP_MPS2_STREAM_GONE)
        return GONE;
    return line->state == MUP_MPS2_STREAM_OPEN ? CONNECTED : NOTHING;
}

static int line_send(void *context, const uint8_t *bytes, size_t size)
{
    struct mup_mps2_line *line = context;
    int taken = 0;

    if (line->state != MUP_MPS2_STREAM_OPEN)
        return GONE;
    while (flush(line) && (size_t)taken < size && taken < INT16_MAX && can_put()) {
        uint8_t byte = bytes[taken++];

        UART_DATA(UART1) = byte;
        if (byte == MUP_MPS2_ESCAPE)
            put_later(line, MUP_MPS2_ESCAPE_DATA);
    }
    return taken;
}

static int line_receive(void *context, uint8_t *out, size_t size)
{
    struct mup_mps2_line *line = context;
    int taken = 0;

    flush(line);
    while ((size_t)taken < size && taken < INT16_MAX) {
        int byte = next_byte(line);

        if (byte < 0)
            break;
        out[taken++] = (uint8_t)byte;
    }
    return taken == 0 && line->state != MUP_MPS2_STREAM_OPEN ? GONE : taken;
}

static void line_close(void *context)
{
    struct mup_mps2_line *line = context;

    if (line->state == MUP_MPS2_STREAM_OPEN || line->state == MUP_MPS2_STREAM_OPENING) {
        put_later(line, MUP_MPS2_ESCAPE);
        put_later(line, MUP_MPS2_ESCAPE_CLOSED);
        put_later(line, line->number);
    }
    line->state = MUP_MPS2_STREAM_CLOSED;
    flush(line);
}

struct mup_port_transport mup_mps2_transport_port(struct mup_mps2_line *line, uint8_t peer)
{
    *line = (struct mup_mps2_line){.peer = peer};
    UART_BAUD(UART1) = UART_BAUD_LEAST;
    UART_CTRL(UART1) = UART_BOTH_WAYS;
    return (struct mup_port_transport){
        .context = line,
        .open = line_open,
        .send = line_send,
        .receive = line_receive,
        .close = line_close,
    };
}
