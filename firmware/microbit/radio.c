/*
 * The radio: frames over the UART, their check sequence, and lwIP's 6LoWPAN interface above them.
 *
 * lwIP 2.1.3 trusts what frames say about their own form, so each is looked at before it gets in.
 */
#include "firmware.h"

#include <string.h>

#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "mup/port/nrf51.h"
#include "netif/lowpan6.h"

#define FRAME_SIZE_MAX   127u
#define CHECK_SIZE       2u /* IEEE 802.15.4-2020, 7.2.11 */
#define CHECK_POLYNOMIAL 0x8408u
#define PATIENCE_MS      200u /* a frame that stops for so long was cut off by a reset */
#define REASSEMBLY_MS    1000u

/* Frame control field, 7.2.2 */
#define CONTROL_TYPE     0x0007u
#define CONTROL_DATA     0x0001u
#define CONTROL_SECURITY 0x0008u
#define CONTROL_SAME_PAN 0x0040u
#define CONTROL_TO(c)    ((c) >> 10 & 3u)
#define CONTROL_FROM(c)  ((c) >> 14 & 3u)
#define ADDRESS_SHORT    2u
#define ADDRESS_EXTENDED 3u
#define MAC_HEADER_SIZE  3u /* control and number; PAN and addresses follow */

/* Dispatch of RFC 4944 section 5 and RFC 6282 */
#define DISPATCH_IPV6 0x41u
#define IS_IPHC(d)    (((d)&0xe0u) == 0x60u)
#define IS_FIRST(d)   (((d)&0xf8u) == 0xc0u)
#define IS_NEXT(d)    (((d)&0xf8u) == 0xe0u)
#define FIRST_SIZE    4u
#define NEXT_SIZE     5u
#define IPHC_SIZE     2u

static struct {
    struct netif netif;
    uint8_t eui64[MICROBIT_EUI64_SIZE];
    uint32_t since_ms; /* when the last byte came */
    uint8_t wanted;    /* 0: a length comes next */
    uint8_t size;
    uint8_t frame[FRAME_SIZE_MAX];
} radio;

/* ---- the frame check sequence ---------------------------------------------------------------- */

static uint16_t check_more(uint16_t check, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned value = check ^ bytes[i];

        for (unsigned bit = 0; bit < 8; bit++)
            value = (value >> 1) ^ ((value & 1u) != 0 ? CHECK_POLYNOMIAL : 0);
        check = (uint16_t)value;
    }
    return check;
}

/* ---- out ------------------------------------------------------------------------------------- */

/* lwIP leaves room for the check sequence at the end of the frame. */
static err_t send_frame(struct netif *netif, struct pbuf *frame)
{
    uint16_t check;

    (void)netif;
    if (frame->next != NULL || frame->len < CHECK_SIZE || frame->len > FRAME_SIZE_MAX)
        return ERR_BUF;
    check = check_more(0, frame->payload, frame->len - CHECK_SIZE);
    mup_nrf51_uart_put((uint8_t)frame->len);
    for (unsigned i = 0; i < frame->len - CHECK_SIZE; i++)
        mup_nrf51_uart_put(((const uint8_t *)frame->payload)[i]);
    mup_nrf51_uart_put((uint8_t)check);
    mup_nrf51_uart_put((uint8_t)(check >> 8));
    return ERR_OK;
}

/* ---- in -------------------------------------------------------------------------------------- */

static unsigned address_size(unsigned mode)
{
    return mode == ADDRESS_EXTENDED ? 8 : 2;
}

/* Bytes of the MAC header if the frame is data from somebody to us or to all, else 0. */
static unsigned mac_header_size(const uint8_t *frame, unsigned size)
{
    unsigned control = size < MAC_HEADER_SIZE ? 0 : frame[0] | (unsigned)frame[1] << 8;
    unsigned to = CONTROL_TO(control);
    unsigned from = CONTROL_FROM(control);
    unsigned need = MAC_HEADER_SIZE + 2 + address_size(to) + address_size(from) +
                    ((control & CONTROL_SAME_PAN) != 0 ? 0 : 2);

    if ((control & CONTROL_TYPE) != CONTROL_DATA || (control & CONTROL_SECURITY) != 0 ||
        to < ADDRESS_SHORT || from < ADDRESS_SHORT || size <= need)
        return 0;
    for (unsigned i = 0; to == ADDRESS_EXTENDED && i < MICROBIT_EUI64_SIZE; i++)
        if (frame[MAC_HEADER_SIZE + 2 + i] != radio.eui64[MICROBIT_EUI64_SIZE - 1 - i])
            return 0;
    return need;
}

static bool is_datagram(const uint8_t *bytes, unsigned size)
{
    return size > IPHC_SIZE && (bytes[0] == DISPATCH_IPV6 || IS_IPHC(bytes[0]));
}

/* What lwIP takes for granted: a known dispatch, and bytes behind it. Above all a first fragment of
 * another dispatch would make it follow a pointer that was never set. */
static bool is_well_formed(const uint8_t *frame, unsigned size)
{
    unsigned header = mac_header_size(frame, size);

    if (header == 0)
        return false;
    frame += header;
    size -= header;
    if (IS_FIRST(frame[0]))
        return size > FIRST_SIZE && is_datagram(frame + FIRST_SIZE, size - FIRST_SIZE);
    if (IS_NEXT(frame[0]))
        return size > NEXT_SIZE;
    return is_datagram(frame, size);
}

static void take_frame(void)
{
    unsigned size = radio.size;
    struct pbuf *frame;

    /* the remainder over data and its own check sequence is 0 */
    if (size <= CHECK_SIZE || check_more(0, radio.frame, size) != 0 ||
        !is_well_formed(radio.frame, size - CHECK_SIZE))
        return;
    size -= CHECK_SIZE;
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
        radio.wanted = byte > FRAME_SIZE_MAX ? 0 : byte;
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
    for (; byte >= 0; byte = mup_nrf51_uart_get())
        take_byte((uint8_t)byte);
}

/* ---- the interface --------------------------------------------------------------------------- */

static err_t init_netif(struct netif *netif)
{
    lowpan6_if_init(netif);
    netif->linkoutput = send_frame;
    netif->hwaddr_len = MICROBIT_EUI64_SIZE;
    memcpy(netif->hwaddr, radio.eui64, MICROBIT_EUI64_SIZE);
    netif->flags |= NETIF_FLAG_LINK_UP | NETIF_FLAG_UP;
    return ERR_OK;
}

static void forget_fragments(void *context)
{
    (void)context;
    lowpan6_tmr();
    sys_timeout(REASSEMBLY_MS, forget_fragments, NULL);
}

/* fe80:: with the EUI-64, its universal bit flipped (RFC 4291 appendix A): then header compression
 * leaves the whole address out. lwIP's own function does not flip it. */
static void set_address(void)
{
    uint8_t id[MICROBIT_EUI64_SIZE];
    ip6_addr_t address = {.addr = {PP_HTONL(0xfe800000)}};

    memcpy(id, radio.eui64, sizeof id);
    id[0] ^= 2;
    memcpy(&address.addr[2], id, sizeof id);
    netif_ip6_addr_set(&radio.netif, 0, &address);
    netif_ip6_addr_set_state(&radio.netif, 0, IP6_ADDR_PREFERRED);
}

void microbit_radio_init(const struct microbit_settings *settings)
{
    memcpy(radio.eui64, settings->eui64, sizeof radio.eui64);
    mup_nrf51_uart_init();
    lowpan6_set_pan_id(settings->pan_id);
    netif_add_noaddr(&radio.netif, NULL, init_netif, lowpan6_input);
    set_address();
    netif_set_default(&radio.netif);
    netif_set_up(&radio.netif);
    netif_set_link_up(&radio.netif);
    sys_timeout(REASSEMBLY_MS, forget_fragments, NULL);
}
