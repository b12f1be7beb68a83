/*
 * The transport contract over lwIP's raw interface: one connection, to the broker.
 *
 * What has come waits in a ring of the window's size until receive() takes it, and only then is the
 * window opened again: a device that is busy slows its sender down. In the ring a byte takes a
 * byte; in lwIP's buffers, one for each frame, it would take nearly two.
 *
 * WHEN TO SEND. The air is one for both directions: what we send while the sender goes on collides
 * with it, or finds the channel taken five times and is dropped, and then the sender waits for what
 * never comes. So while segments come that are full, which says that there are more, nothing is
 * sent before the sender has used up its window: then it is silent, and one frame acknowledges the
 * segments, opens the window again, and carries what else is to be sent.
 */
#include "firmware.h"

#include <string.h>

#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"

#define HOLD_MS        100u /* an acknowledgement waits for something to ride with, longest */
#define BURST_HOLD_MS  400u /* the same between full segments; RFC 5681 4.2 allows 500 */
#define REPEAT_MS      300u /* a sender that says nothing then has not heard the acknowledgement */
#define REPEATS_MAX    3u

#define TAKEN_SEGMENTS 2u /* after so many a stack that acknowledges each tells of its window */

enum state {
    LINK_CLOSED,
    LINK_CONNECTING,
    LINK_OPEN,
    LINK_ENDED, /* by the peer, or refused: close() makes it LINK_CLOSED */
};

static struct {
    struct tcp_pcb *pcb; /* NULL when lwIP has none for us */
    ip_addr_t broker;
    uint16_t port;
    uint16_t begin; /* of what is in the ring */
    uint16_t size;
    uint16_t taken;       /* bytes taken and not yet told to the sender */
    uint16_t segment;     /* bytes of a full one that comes */
    uint8_t send_segment; /* as in settings.h */
    bool ack_each;
    bool is_held;    /* an acknowledgement is, and `send` is to come */
    bool is_burst;   /* the newest segment was full */
    bool is_due;     /* the sender waits for us */
    uint8_t repeats; /* that are left; `repeat` is to come unless 0 */
    uint8_t state;
    uint8_t ring[TCP_WND];
} tcp;

/* ---- when to send ---------------------------------------------------------------------------- */

static void send_now(void *context);

static void repeat(void *context)
{
    (void)context;
    if (--tcp.repeats > 0)
        sys_timeout(REPEAT_MS << (REPEATS_MAX - tcp.repeats), repeat, NULL);
    tcp_ack_now(tcp.pcb);
    tcp_output(tcp.pcb);
}

static void stop_timers(void)
{
    if (tcp.is_held)
        sys_untimeout(send_now, NULL);
    tcp.is_held = false;
    if (tcp.repeats > 0)
        sys_untimeout(repeat, NULL);
    tcp.repeats = 0;
}

static void hold(struct tcp_pcb *pcb)
{
    stop_timers();
    tcp_clear_flags(pcb, TF_ACK_NOW | TF_ACK_DELAY);
    sys_timeout(tcp.is_burst ? BURST_HOLD_MS : HOLD_MS, send_now, NULL);
    tcp.is_held = true;
}

/* Tells the sender what was taken, with all that waits. */
static void send_now(void *context)
{
    uint16_t taken = tcp.taken;

    (void)context;
    stop_timers();
    tcp.is_burst = tcp.is_burst && tcp.is_due; /* or nothing comes any more */
    tcp.is_due = false;
    tcp.taken = 0;
    tcp_ack_now(tcp.pcb);
    tcp_recved(tcp.pcb, taken);
    tcp_output(tcp.pcb);
    if (tcp.is_burst) {
        tcp.repeats = REPEATS_MAX;
        sys_timeout(REPEAT_MS, repeat, NULL);
    }
}

/* Segments come, or will in a moment: what is to be sent waits for the next acknowledgement. */
static bool must_wait(void)
{
    return tcp.is_burst && !tcp.is_due && (tcp.is_held || tcp.repeats > 0);
}

/* All was taken, and the sender has nothing left that it may send. */
static bool is_sender_waiting(void)
{
    return tcp.pcb != NULL && tcp.size == 0 && tcp.taken > 0 && tcp.pcb->rcv_ann_wnd < tcp.segment;
}

/* ---- lwIP's calls ---------------------------------------------------------------------------- */

static err_t on_connected(void *context, struct tcp_pcb *pcb, err_t error)
{
    (void)context, (void)error;
    tcp.segment = pcb->mss;
    if (tcp.send_segment != 0)
        pcb->mss = tcp.send_segment;
    tcp.state = LINK_OPEN;
    return ERR_OK;
}

/* lwIP has freed the pcb already. */
static void on_error(void *context, err_t error)
{
    (void)context, (void)error;
    stop_timers();
    tcp.pcb = NULL;
    tcp.state = LINK_ENDED;
}

/* There is room: lwIP takes no more than the window. */
static void put(const struct pbuf *bytes)
{
    uint16_t end = (uint16_t)((tcp.begin + tcp.size) % TCP_WND);
    uint16_t first = bytes->tot_len;

    if (first > TCP_WND - end)
        first = (uint16_t)(TCP_WND - end);
    (void)pbuf_copy_partial(bytes, tcp.ring + end, first, 0);
    (void)pbuf_copy_partial(bytes, tcp.ring, (u16_t)(bytes->tot_len - first), first);
    tcp.size = (uint16_t)(tcp.size + bytes->tot_len);
}

static err_t on_received(void *context, struct tcp_pcb *pcb, struct pbuf *bytes, err_t error)
{
    (void)context, (void)error;
    if (bytes == NULL) {
        tcp.state = LINK_ENDED; /* what came before is still taken */
        return ERR_OK;
    }
    put(bytes);
    tcp.is_burst = bytes->tot_len >= tcp.segment && !tcp.ack_each;
    pbuf_free(bytes);
    if (tcp.ack_each)
        tcp_ack_now(pcb); /* lwIP sends it when we return */
    else
        hold(pcb);
    return ERR_OK;
}

/* ---- the contract ---------------------------------------------------------------------------- */

static void transport_close(void *context)
{
    (void)context;
    stop_timers();
    tcp.begin = tcp.size = tcp.taken = 0;
    tcp.is_due = tcp.is_burst = false;
    if (tcp.pcb != NULL) {
        tcp_recv(tcp.pcb, NULL);
        tcp_err(tcp.pcb, NULL);
        if (tcp.state == LINK_CONNECTING || tcp_close(tcp.pcb) != ERR_OK)
            tcp_abort(tcp.pcb);
    }
    tcp.pcb = NULL;
    tcp.state = LINK_CLOSED;
}

static int begin(void)
{
    tcp.pcb = tcp_new_ip_type(IPADDR_TYPE_V6);
    if (tcp.pcb == NULL)
        return -1;
    tcp_nagle_disable(tcp.pcb); /* the agent's messages come in one piece */
    tcp_recv(tcp.pcb, on_received);
    tcp_err(tcp.pcb, on_error);
    tcp.state = LINK_CONNECTING;
    return tcp_connect(tcp.pcb, &tcp.broker, tcp.port, on_connected) == ERR_OK ? 0 : -1;
}

static int transport_open(void *context)
{
    (void)context;
    switch (tcp.state) {
    case LINK_CLOSED:
        return begin();
    case LINK_CONNECTING:
        return 0;
    case LINK_OPEN:
        return 1;
    case LINK_ENDED:
        break;
    }
    return -1;
}

static int transport_send(void *context, const uint8_t *bytes, size_t size)
{
    err_t error;

    (void)context;
    if (tcp.state != LINK_OPEN)
        return -1;
    if (must_wait())
        return 0;
    if (size > tcp_sndbuf(tcp.pcb))
        size = tcp_sndbuf(tcp.pcb);
    if (size == 0)
        return 0;
    error = tcp_write(tcp.pcb, bytes, (u16_t)size, TCP_WRITE_FLAG_COPY);
    if (error == ERR_MEM)
        return 0;
    if (error != ERR_OK)
        return -1;
    if (tcp.ack_each)
        tcp_output(tcp.pcb);
    else
        send_now(NULL);
    return (int)size;
}

static int transport_receive(void *context, uint8_t *out, size_t size)
{
    uint16_t part = (uint16_t)(TCP_WND - tcp.begin);

    (void)context;
    if (tcp.size == 0)
        return tcp.state == LINK_OPEN ? 0 : -1;
    if (part > tcp.size)
        part = tcp.size;
    if (part > size)
        part = (uint16_t)size;
    memcpy(out, tcp.ring + tcp.begin, part);
    tcp.begin = (uint16_t)((tcp.begin + part) % TCP_WND);
    tcp.size = (uint16_t)(tcp.size - part);
    tcp.taken = (uint16_t)(tcp.taken + part);
    tcp.is_due = tcp.is_due || is_sender_waiting();
    if (tcp.ack_each && tcp.pcb != NULL && tcp.taken >= TAKEN_SEGMENTS * tcp.segment) {
        tcp_recved(tcp.pcb, tcp.taken); /* which tells of the window */
        tcp.taken = 0;
    }
    return part;
}

void microbit_tcp_flush(void)
{
    if (tcp.is_due && tcp.pcb != NULL)
        send_now(NULL);
}

void microbit_tcp_hurry(void)
{
    tcp.is_burst = false;
}

struct mup_port_transport microbit_tcp_port(const struct microbit_settings *settings)
{
    memcpy(ip_2_ip6(&tcp.broker)->addr, settings->broker, sizeof settings->broker);
    tcp.port = settings->broker_port;
    tcp.send_segment = settings->send_segment;
    tcp.ack_each = settings->ack_each_segment;
    return (struct mup_port_transport){
        .open = transport_open,
        .send = transport_send,
        .receive = transport_receive,
        .close = transport_close,
    };
}
