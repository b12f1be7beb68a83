/*
 * What anybody in reach of the radio can do to the micro:bit: frames for it or for all, whole
 * datagrams and fragments, at any time, through the filter of firmware/microbit/frame.h into lwIP
 * as it is there, which holds a connection to the broker.
 *
 * The input is a list of frames, each a byte with its size and a bit for all, a byte of time that
 * passes before and a bit for 16-bit addresses, and what stands behind the MAC header. lwIP's
 * memory lives on between inputs.
 */
#include <stdlib.h>
#include <string.h>

#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "netif/lowpan6.h"

#include "firmware/microbit/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
uint32_t microbit_lwip_random(void);
void microbit_panic(void);

#define FOR_ALL       0x80u
#define IS_SHORT      0x80u
#define TIME_UNIT_MS  8u
#define PAN_ID        0xabcdu
#define BROKER_PORT   1883u
#define REASSEMBLY_MS 1000u
#define FORGOTTEN_S   6u /* what lwIP waits for, longest */

static const struct microbit_address device = {.eui64 = {2, 1, 2, 3, 4, 5, 6, 7},
                                               .short_address = 0x0102};
static const struct microbit_address neighbour = {.eui64 = {2, 0, 0, 0, 0, 0, 0, 1},
                                                  .short_address = 0x0001};

static struct netif netif;
static struct tcp_pcb *pcb;
static uint32_t time_ms;

u32_t sys_now(void)
{
    return time_ms;
}

uint32_t microbit_lwip_random(void)
{
    return UINT32_C(0x12345678);
}

void microbit_panic(void)
{
    abort();
}

/* ---- what the firmware does ------------------------------------------------------------------ */

static err_t send_frame(struct netif *from, struct pbuf *frame)
{
    uint8_t bytes[MICROBIT_FRAME_SIZE_MAX];

    (void)from;
    if (frame->tot_len > sizeof bytes)
        abort();
    (void)pbuf_copy_partial(frame, bytes, frame->tot_len, 0);
    return ERR_OK;
}

static err_t init_netif(struct netif *from)
{
    (void)lowpan6_if_init(from);
    from->linkoutput = send_frame;
    from->hwaddr_len = sizeof device.eui64;
    memcpy(from->hwaddr, device.eui64, sizeof device.eui64);
    from->flags |= NETIF_FLAG_LINK_UP | NETIF_FLAG_UP;
    return ERR_OK;
}

static void forget_fragments(void *context)
{
    (void)context;
    lowpan6_tmr();
    sys_timeout(REASSEMBLY_MS, forget_fragments, NULL);
}

static void init(void)
{
    ip6_addr_t address = {.addr = {PP_HTONL(0xfe800000)}};

    lwip_init();
    (void)lowpan6_set_pan_id(PAN_ID);
    netif_add_noaddr(&netif, NULL, init_netif, lowpan6_input);
    memcpy(&address.addr[2], device.eui64, sizeof device.eui64);
    ((uint8_t *)&address.addr[2])[0] ^= 2;
    netif_ip6_addr_set(&netif, 0, &address);
    netif_ip6_addr_set_state(&netif, 0, IP6_ADDR_PREFERRED);
    netif_set_default(&netif);
    netif_set_up(&netif);
    netif_set_link_up(&netif);
    sys_timeout(REASSEMBLY_MS, forget_fragments, NULL);
}

static err_t on_received(void *context, struct tcp_pcb *from, struct pbuf *bytes, err_t error)
{
    (void)context, (void)error;
    if (bytes != NULL) {
        tcp_recved(from, bytes->tot_len);
        pbuf_free(bytes);
    }
    return ERR_OK;
}

static void on_error(void *context, err_t error)
{
    (void)context, (void)error;
    pcb = NULL;
}

static err_t on_connected(void *context, struct tcp_pcb *to, err_t error)
{
    (void)context, (void)to, (void)error;
    return ERR_OK;
}

static void connect_broker(void)
{
    ip6_addr_t broker = {.addr = {PP_HTONL(0xfe800000), 0, 0, PP_HTONL(1)}};

    pcb = tcp_new_ip_type(IPADDR_TYPE_V6);
    if (pcb == NULL)
        abort();
    tcp_recv(pcb, on_received);
    tcp_err(pcb, on_error);
    if (tcp_connect(pcb, &broker, BROKER_PORT, on_connected) != ERR_OK)
        tcp_abort(pcb);
}

/* ---- what is on the air ---------------------------------------------------------------------- */

static size_t put_reversed(uint8_t *out, const uint8_t eui64[MICROBIT_EUI64_SIZE])
{
    for (size_t i = 0; i < MICROBIT_EUI64_SIZE; i++)
        out[i] = eui64[MICROBIT_EUI64_SIZE - 1 - i];
    return MICROBIT_EUI64_SIZE;
}

static size_t put_short(uint8_t *out, uint16_t address)
{
    out[0] = (uint8_t)address;
    out[1] = (uint8_t)(address >> 8);
    return sizeof address;
}

/* Puts a MAC header before and a good check sequence behind; returns the size of all. */
static size_t make_frame(uint8_t frame[MICROBIT_FRAME_SIZE_MAX], const uint8_t *bytes, size_t size,
                         bool for_all, bool is_short)
{
    const uint8_t head[] = {
        0x41, (uint8_t)((for_all || is_short ? 0x08 : 0x0c) | (is_short ? 0x80 : 0xc0)), 7,
        PAN_ID & 0xffu, PAN_ID >> 8};
    size_t at = sizeof head;
    uint16_t check;

    memcpy(frame, head, sizeof head);
    if (for_all || is_short)
        at += put_short(frame + at, for_all ? 0xffff : device.short_address);
    else
        at += put_reversed(frame + at, device.eui64);
    at += is_short ? put_short(frame + at, neighbour.short_address)
                   : put_reversed(frame + at, neighbour.eui64);
    if (size > MICROBIT_FRAME_SIZE_MAX - MICROBIT_FRAME_CHECK_SIZE - at)
        size = MICROBIT_FRAME_SIZE_MAX - MICROBIT_FRAME_CHECK_SIZE - at;
    memcpy(frame + at, bytes, size);
    at += size;
    check = microbit_frame_check(frame, at);
    frame[at] = (uint8_t)check;
    frame[at + 1] = (uint8_t)(check >> 8);
    return at + MICROBIT_FRAME_CHECK_SIZE;
}

/* As radio.c takes it. */
static void take_frame(const uint8_t *frame, size_t size)
{
    struct pbuf *taken;

    if (!microbit_frame_is_good(frame, size, &device))
        return;
    size -= MICROBIT_FRAME_CHECK_SIZE;
    taken = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_POOL);
    if (taken == NULL)
        abort();
    if (pbuf_take(taken, frame, (u16_t)size) != ERR_OK || netif.input(taken, &netif) != ERR_OK)
        pbuf_free(taken);
}

static void pass(uint32_t ms)
{
    time_ms += ms;
    sys_check_timeouts();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;

    if (!is_ready)
        init();
    is_ready = true;
    if (pcb == NULL)
        connect_broker();
    while (size >= 2) {
        size_t part = data[0] & ~FOR_ALL;
        bool for_all = (data[0] & FOR_ALL) != 0;
        bool is_short = (data[1] & IS_SHORT) != 0;
        uint8_t frame[MICROBIT_FRAME_SIZE_MAX];

        pass((data[1] & ~IS_SHORT) * TIME_UNIT_MS);
        data += 2;
        size -= 2;
        if (part > size)
            part = size;
        take_frame(frame, make_frame(frame, data, part, for_all, is_short));
        data += part;
        size -= part;
    }
    for (unsigned s = 0; s < FORGOTTEN_S; s++)
        pass(1000);
    return 0;
}
