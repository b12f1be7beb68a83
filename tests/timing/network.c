/* lwIP over a radio in memory. See network.h. */
#include "network.h"

#include <stdlib.h>
#include <string.h>

#include "lwip/init.h"
#include "lwip/ip6_addr.h"
#include "lwip/netif.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "netif/lowpan6.h"

#include "frame.h"

#define PAN_ID     0xabcdu
#define EUI64_SIZE 8u
#define MQTT_PORT  1883u
#define OUT_SIZE   (1u << 18)
#define IN_SIZE    8192u

static struct {
    struct netif netif;
    struct mup_frame_reader reader;
    uint8_t out[OUT_SIZE];
    size_t out_size;
    struct broker *broker;
    struct tcp_pcb *device;
    uint8_t in[IN_SIZE]; /* bytes of MQTT packets that are not complete */
    size_t in_size;
    uint32_t now_ms;
    uint32_t random;
} network;

u32_t sys_now(void)
{
    return network.now_ms;
}

/* The same numbers in each run. */
uint32_t mup_router_random(void)
{
    network.random = network.random * 1664525u + 1013904223u;
    return network.random;
}

static err_t send_frame(struct netif *netif, struct pbuf *frame)
{
    uint8_t *out = network.out + network.out_size;
    uint16_t check;

    (void)netif;
    if (frame->tot_len > MUP_FRAME_SIZE_MAX || frame->tot_len < MUP_FRAME_FCS_SIZE ||
        network.out_size + 1 + frame->tot_len > OUT_SIZE)
        return ERR_IF;
    out[0] = (uint8_t)frame->tot_len;
    pbuf_copy_partial(frame, out + 1, frame->tot_len, 0);
    check = mup_frame_check(out + 1, frame->tot_len - MUP_FRAME_FCS_SIZE);
    out[frame->tot_len - 1] = (uint8_t)check;
    out[frame->tot_len] = (uint8_t)(check >> 8);
    network.out_size += 1u + frame->tot_len;
    return ERR_OK;
}

static void take_frame(const uint8_t *psdu, size_t size)
{
    struct pbuf *frame;

    if (!mup_frame_is_good(psdu, size))
        abort();
    size -= MUP_FRAME_FCS_SIZE;
    frame = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_POOL);
    if (frame == NULL || pbuf_take(frame, psdu, (u16_t)size) != ERR_OK)
        abort();
    if (network.netif.input(frame, &network.netif) != ERR_OK)
        pbuf_free(frame);
}

void network_take(const uint8_t *bytes, size_t size)
{
    size_t at = 0;

    while (at < size) {
        bool complete;

        at += mup_frame_take(&network.reader, bytes + at, size - at, &complete);
        if (complete)
            take_frame(network.reader.bytes, network.reader.size);
    }
}

/* ---- TCP --------------------------------------------------------------------------------------
 */

static void forget(void)
{
    network.device = NULL;
    network.in_size = 0;
    network.broker->out_size = 0;
}

static err_t on_received(void *context, struct tcp_pcb *pcb, struct pbuf *bytes, err_t error)
{
    size_t used;

    (void)context;
    if (bytes == NULL || error != ERR_OK) {
        if (pcb == network.device)
            forget();
        return tcp_close(pcb);
    }
    if (pcb == network.device && bytes->tot_len <= IN_SIZE - network.in_size) {
        pbuf_copy_partial(bytes, network.in + network.in_size, bytes->tot_len, 0);
        network.in_size += bytes->tot_len;
        used = broker_take(network.broker, network.in, network.in_size);
        network.in_size -= used;
        memmove(network.in, network.in + used, network.in_size);
    }
    tcp_recved(pcb, bytes->tot_len);
    pbuf_free(bytes);
    return ERR_OK;
}

static void on_error(void *context, err_t error)
{
    (void)error;
    if (context == network.device)
        forget();
}

/* A device that was reset connects again: what was there before is of no use. */
static err_t on_accepted(void *context, struct tcp_pcb *pcb, err_t error)
{
    (void)context;
    if (error != ERR_OK)
        return ERR_VAL;
    forget();
    network.device = pcb;
    tcp_nagle_disable(pcb);
    tcp_arg(pcb, pcb);
    tcp_recv(pcb, on_received);
    tcp_err(pcb, on_error);
    return ERR_OK;
}

void network_send(void)
{
    struct broker *broker = network.broker;
    size_t room = network.device == NULL ? 0 : tcp_sndbuf(network.device);
    size_t size = broker->out_size < room ? broker->out_size : room;

    if (size == 0 ||
        tcp_write(network.device, broker->out, (u16_t)size, TCP_WRITE_FLAG_COPY) != ERR_OK)
        return;
    broker->out_size -= size;
    memmove(broker->out, broker->out + size, broker->out_size);
    tcp_output(network.device);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static err_t init_netif(struct netif *netif)
{
    static const u8_t eui64[EUI64_SIZE] = {2, 0, 0, 0, 0, 0, 0, 1};

    lowpan6_if_init(netif);
    netif->linkoutput = send_frame;
    netif->hwaddr_len = EUI64_SIZE;
    memcpy(netif->hwaddr, eui64, sizeof eui64);
    netif->flags |= NETIF_FLAG_LINK_UP | NETIF_FLAG_UP;
    return ERR_OK;
}

static void add_netif(void)
{
    ip6_addr_t address;

    lowpan6_set_pan_id(PAN_ID);
    netif_add_noaddr(&network.netif, NULL, init_netif, lowpan6_input);
    IP6_ADDR(&address, PP_HTONL(0xfe800000), 0, 0, PP_HTONL(1));
    netif_ip6_addr_set(&network.netif, 0, &address);
    netif_ip6_addr_set_state(&network.netif, 0, IP6_ADDR_PREFERRED);
    netif_set_default(&network.netif);
    netif_set_up(&network.netif);
    netif_set_link_up(&network.netif);
}

bool network_open(struct broker *broker)
{
    struct tcp_pcb *listener;

    network.broker = broker;
    network.random = 1;
    lwip_init();
    add_netif();
    listener = tcp_new_ip_type(IPADDR_TYPE_V6);
    if (listener == NULL || tcp_bind(listener, IP6_ADDR_ANY, MQTT_PORT) != ERR_OK)
        return false;
    listener = tcp_listen(listener);
    if (listener == NULL)
        return false;
    tcp_accept(listener, on_accepted);
    return true;
}

void network_time(uint32_t now_ms)
{
    network.now_ms = now_ms;
    sys_check_timeouts();
}

size_t network_output(const uint8_t **bytes)
{
    *bytes = network.out;
    return network.out_size;
}

void network_sent(size_t size)
{
    network.out_size -= size;
    memmove(network.out, network.out + size, network.out_size);
}
