/*
 * The radio: frames over the UART, and lwIP's 6LoWPAN interface above them.
 */
#include "firmware.h"

#include <string.h>

#include "frame.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "mup/port/nrf51.h"
#include "netif/lowpan6.h"

#define PATIENCE_MS   200u /* a frame that stops for so long was cut off by a reset */
#define REASSEMBLY_MS 1000u
#define POLL_MAX      256u /* bytes that are taken at once, however many come */
#define SHORT_MTU     560u /* five frames of 104 bytes, and the header that is compressed */

static struct {
    struct netif netif;
    const struct microbit_address *address;
    uint32_t since_ms; /* when the last byte came */
    uint8_t wanted;    /* 0: a length comes next */
    uint8_t size;
    uint8_t frame[MICROBIT_FRAME_SIZE_MAX];
} radio;

/* ---- out ------------------------------------------------------------------------------------- */

/* lwIP leaves room for the check sequence at the end of the frame. */
static err_t send_frame(struct netif *netif, struct pbuf *frame)
{
    uint16_t check;

    (void)netif;
    if (frame->next != NULL || frame->len < MICROBIT_FRAME_CHECK_SIZE ||
        frame->len > MICROBIT_FRAME_SIZE_MAX)
        return ERR_BUF;
    check = microbit_frame_check(frame->payload, (size_t)(frame->len - MICROBIT_FRAME_CHECK_SIZE));
    mup_nrf51_uart_put((uint8_t)frame->len);
    for (unsigned i = 0; i < frame->len - MICROBIT_FRAME_CHECK_SIZE; i++)
        mup_nrf51_uart_put(((const uint8_t *)frame->payload)[i]);
    mup_nrf51_uart_put((uint8_t)check);
    mup_nrf51_uart_put((uint8_t)(check >> 8));
    return ERR_OK;
}

/* ---- in -------------------------------------------------------------------------------------- */

static void take_frame(void)
{
    unsigned size = radio.size;
    struct pbuf *frame;

    if (!microbit_frame_is_good(radio.frame, size, radio.address))
        return;
    size -= MICROBIT_FRAME_CHECK_SIZE;
    frame = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_POOL);
    if (frame == NULL)
        return; /* lost, as on the air: TCP sends it again */
    if (pbuf_take(frame, radio.frame, (u16_t)size) != ERR_OK ||
        radio.netif.input(frame, &radio.netif) != ERR_OK)
        pbuf_free(frame);
}

static void take_byte(uint8_t byte)
{
    if (radio.wanted == 0) {
        radio.wanted = byte > MICROBIT_FRAME_SIZE_MAX ? 0 : byte;
        radio.size = 0;
        return;
    }
    radio.frame[radio.size++] = byte;
    if (radio.size < radio.wanted)
        return;
    take_frame();
    radio.wanted = 0;
}

void microbit_radio_poll(void)
{
    int byte = mup_nrf51_uart_get();
    uint32_t now_ms = microbit_now_ms();

    if (byte >= 0 && now_ms - radio.since_ms > PATIENCE_MS)
        radio.wanted = 0;
    if (byte >= 0)
        radio.since_ms = now_ms;
    for (unsigned taken = 1; byte >= 0; taken++) {
        take_byte((uint8_t)byte);
        byte = taken < POLL_MAX ? mup_nrf51_uart_get() : -1;
    }
}

/* ---- the interface --------------------------------------------------------------------------- */

static err_t init_netif(struct netif *netif)
{
    lowpan6_if_init(netif);
    netif->linkoutput = send_frame;
    netif->hwaddr_len = MICROBIT_EUI64_SIZE;
    memcpy(netif->hwaddr, radio.address->eui64, MICROBIT_EUI64_SIZE);
    netif->flags |= NETIF_FLAG_LINK_UP | NETIF_FLAG_UP;
    return ERR_OK;
}

static void forget_fragments(void *context)
{
    (void)context;
    lowpan6_tmr();
    sys_timeout(REASSEMBLY_MS, forget_fragments, NULL);
}

/* fe80:: with the EUI-64, its universal bit flipped (RFC 4291 appendix A), or fe80::ff:fe00:0 with
 * the 16-bit address (RFC 4944 section 6): then header compression leaves the whole address out.
 * lwIP's own function does not flip the bit, and by the second form lwIP knows when to use the
 * 16-bit address. */
static void set_address(void)
{
    uint16_t short_address = radio.address->short_address;
    ip6_addr_t address = {.addr = {PP_HTONL(0xfe800000)}};

    if (short_address == MICROBIT_SHORT_NONE) {
        memcpy(&address.addr[2], radio.address->eui64, MICROBIT_EUI64_SIZE);
        address.addr[2] ^= PP_HTONL(0x02000000);
    } else {
        radio.netif.mtu = SHORT_MTU; /* so that TCP offers a segment that fills its frames */
        (void)lowpan6_set_short_addr((u8_t)(short_address >> 8), (u8_t)short_address);
        address.addr[2] = PP_HTONL(0x000000ff);
        address.addr[3] = lwip_htonl(0xfe000000 | short_address);
    }
    netif_ip6_addr_set(&radio.netif, 0, &address);
    netif_ip6_addr_set_state(&radio.netif, 0, IP6_ADDR_PREFERRED);
}

void microbit_radio_init(const struct microbit_settings *settings)
{
    radio.address = &settings->address;
    mup_nrf51_uart_init();
    lowpan6_set_pan_id(settings->pan_id);
    netif_add_noaddr(&radio.netif, NULL, init_netif, lowpan6_input);
    set_address();
    netif_set_default(&radio.netif);
    netif_set_up(&radio.netif);
    netif_set_link_up(&radio.netif);
    sys_timeout(REASSEMBLY_MS, forget_fragments, NULL);
}
