/*
 * The transport contract over lwIP's raw interface: one connection, to the broker.
 *
 * What has come waits in lwIP's own buffers until receive() takes it, and only then is the window
 * opened again: a device that is busy slows its sender down and needs no memory for it.
 */
#include "firmware.h"

#include <string.h>

#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

#define HOLD_BACK TCP_MSS /* the window is opened again for so many bytes at once */

enum state {
    LINK_CLOSED,
    LINK_CONNECTING,
    LINK_OPEN,
    LINK_ENDED, /* by the peer, or refused: close() makes it LINK_CLOSED */
};

static struct {
    struct tcp_pcb *pcb; /* NULL when lwIP has none for us */
    struct pbuf *received;
    ip_addr_t broker;
    uint16_t port;
    uint16_t taken; /* bytes taken and not yet told to the sender */
    bool ack_each;
    enum state state;
} tcp;

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
    tcp.pcb = NULL;
    tcp.state = LINK_ENDED;
}

static err_t on_received(void *context, struct tcp_pcb *pcb, struct pbuf *bytes, err_t error)
{
    (void)context, (void)error;
    if (tcp.ack_each)
        tcp_ack_now(pcb);
    if (bytes == NULL)
        tcp.state = LINK_ENDED; /* what came before is still taken */
    else if (tcp.received == NULL)
        tcp.received = bytes;
    else
        pbuf_cat(tcp.received, bytes);
    return ERR_OK;
}

/* ---- the contract ---------------------------------------------------------------------------- */

static void transport_close(void *context)
{
    (void)context;
    if (tcp.received != NULL)
        pbuf_free(tcp.received);
    tcp.received = NULL;
    tcp.taken = 0;
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
    return (int)size;
}

static int transport_receive(void *context, uint8_t *out, size_t size)
{
    u16_t got;

    (void)context;
    if (tcp.received == NULL)
        return tcp.state == LINK_OPEN ? 0 : -1;
    got = pbuf_copy_partial(tcp.received, out, (u16_t)(size > UINT16_MAX ? UINT16_MAX : size), 0);
    tcp.received = pbuf_free_header(tcp.received, got);
    tcp.taken = (uint16_t)(tcp.taken + got);
    if (tcp.taken >= HOLD_BACK && tcp.pcb != NULL) {
        tcp_recved(tcp.pcb, tcp.taken);
        tcp.taken = 0;
    }
    return got;
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
