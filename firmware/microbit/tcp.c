/*
 * The transport contract over lwIP's raw interface: one connection, to the broker.
 *
 * What has come waits in a ring of the window's size until receive() takes it, and only then is the
 * window opened again: a device that is busy slows its sender down. In the ring a byte takes a
 * byte; in lwIP's buffers, one for each frame, it would take nearly two.
 *
 * lwIP would acknowledge each second segment when it comes and tell of the window once more when
 * the segments have been taken. Here one acknowledgement does both: it goes when two segments have
 * been taken. A window of three lets the sender go on meanwhile.
 */
#include "firmware.h"

#include <string.h>

#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"

#define ACK_SEGMENTS 2u
#define HOLD_MS      100u /* an acknowledgement is held back, longest; senders wait 200 ms */

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
    uint16_t taken; /* bytes taken and not yet told to the sender */
    bool ack_each;
    bool is_held; /* an acknowledgement is */
    uint8_t state;
    uint8_t ring[TCP_WND];
} tcp;

/* ---- acknowledgements ------------------------------------------------------------------------ */

static void acknowledge(void *context)
{
    (void)context;
    tcp.is_held = false;
    tcp_ack_now(tcp.pcb);
    tcp_output(tcp.pcb);
}

/* An acknowledgement went, or there is none to give any more. */
static void let_go(void)
{
    if (tcp.is_held)
        sys_untimeout(acknowledge, NULL);
    tcp.is_held = false;
}

static void hold(struct tcp_pcb *pcb)
{
    tcp_clear_flags(pcb, TF_ACK_NOW | TF_ACK_DELAY);
    if (!tcp.is_held)
        sys_timeout(HOLD_MS, acknowledge, NULL);
    tcp.is_held = true;
}

/* ---- lwIP's calls ---------------------------------------------------------------------------- */

static err_t on_connected(void *context, struct tcp_pcb *pcb, err_t error)
{
    (void)context, (void)pcb, (void)error;
    tcp.state = LINK_OPEN;
    return ERR_OK;
}

/* lwIP has freed the pcb already. */
static void on_error(void *context, err_t error)
{
    (void)context, (void)error;
    let_go();
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
    pbuf_free(bytes);
    if (tcp.ack_each)
        tcp_ack_now(pcb);
    else
        hold(pcb);
    return ERR_OK;
}

/* ---- the contract ---------------------------------------------------------------------------- */

static void transport_close(void *context)
{
    (void)context;
    let_go();
    tcp.begin = tcp.size = tcp.taken = 0;
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
    if (size > tcp_sndbuf(tcp.pcb))
        size = tcp_sndbuf(tcp.pcb);
    if (size == 0)
        return 0;
    error = tcp_write(tcp.pcb, bytes, (u16_t)size, TCP_WRITE_FLAG_COPY);
    if (error == ERR_MEM)
        return 0;
    if (error != ERR_OK)
        return -1;
    tcp_output(tcp.pcb);
    let_go();
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
    if (tcp.pcb != NULL && tcp.taken >= ACK_SEGMENTS * tcp.pcb->mss) {
        let_go();
        tcp_recved(tcp.pcb, tcp.taken); /* which acknowledges */
        tcp.taken = 0;
    }
    return part;
}

struct mup_port_transport microbit_tcp_port(const struct microbit_settings *settings)
{
    memcpy(ip_2_ip6(&tcp.broker)->addr, settings->broker, sizeof settings->broker);
    tcp.port = settings->broker_port;
    tcp.ack_each = settings->ack_each_segment;
    return (struct mup_port_transport){
        .open = transport_open,
        .send = transport_send,
        .receive = transport_receive,
        .close = transport_close,
    };
}
