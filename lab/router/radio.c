/* The router's radio: see radio.h. */
#include "radio.h"

#include <stdlib.h>
#include <string.h>

#include "lwip/ip6.h"
#include "lwip/ip6_addr.h"
#include "lwip/netif.h"
#include "netif/lowpan6.h"

#include "address.h"
#include "air.h"
#include "clock.h"
#include "firmware/microbit/frame.h"
#include "frame.h"
#include "pcap.h"
#include "queue.h"

#define EUI64_SIZE MICROBIT_EUI64_SIZE

/* A frame that the MAC gave up after its retries is sent so often again, as a frame of its own: a
 * datagram without one of its fragments would be lost, and TCP would wait for its timer. */
#define AGAIN_MAX     3u
#define NUMBER_OFFSET 2u    /* of the sequence number, IEEE 802.15.4-2020 section 7.2.3 */
#define NUMBER_AGAIN  0x80u /* far from those that lwIP counts up to next */

struct mup_radio {
    struct netif netif;
    struct mup_devices *devices;
    FILE *capture;

    /* without a medium: who is where */
    struct {
        bool has_eui64;
        uint64_t eui64;
        uint16_t short_address; /* MICROBIT_SHORT_NONE: not known */
    } known[MUP_RADIO_DEVICES_MAX];

    /* with one */
    struct mup_air *air;
    struct mup_queue queue;
    uint64_t lane; /* that lwIP is sending a datagram to */
    bool is_first; /* fragment of it comes next */
    bool has_refused;
    uint8_t sent[MUP_FRAME_SIZE_MAX]; /* the frame that the medium has */
    size_t sent_size;
    unsigned again; /* so often it was sent again */
};

static const struct microbit_address router = {.eui64 = {2, 0, 0, 0, 0, 0, 0, 1},
                                               .short_address = MUP_RADIO_SHORT};

/* ---- from the router ------------------------------------------------------------------------- */

static bool is_for(const struct mup_radio *radio, unsigned device, const struct mup_addresses *to)
{
    if (to->destination_size == EUI64_SIZE)
        return radio->known[device].has_eui64 && radio->known[device].eui64 == to->destination;
    return to->destination_size == 2 && (to->destination == MUP_ADDRESS_EVERYBODY ||
                                         radio->known[device].short_address == to->destination);
}

static void give_at_once(struct mup_radio *radio, const uint8_t *psdu, size_t size)
{
    struct mup_addresses to;

    if (radio->capture != NULL)
        mup_pcap_write(radio->capture, mup_clock_epoch_us(mup_clock_us()), psdu, size);
    for (unsigned i = 0; i < MUP_RADIO_DEVICES_MAX && mup_addresses_read(&to, psdu, size); i++)
        if (is_for(radio, i, &to))
            mup_devices_give(radio->devices, i, psdu, size);
}

static void seal(uint8_t *psdu, size_t size)
{
    uint16_t check = mup_frame_check(psdu, size - MUP_FRAME_FCS_SIZE);

    psdu[size - 2] = (uint8_t)check;
    psdu[size - 1] = (uint8_t)(check >> 8);
}

/* The medium gets what its radio takes; the rest waits in order. */
static void pump(struct mup_radio *radio)
{
    while (mup_air_has_room(radio->air) &&
           (radio->sent_size = mup_queue_take(&radio->queue, radio->sent)) > 0) {
        radio->again = 0;
        mup_air_send(radio->air, MUP_MEDIUM_ROUTER, radio->sent, radio->sent_size);
    }
}

/* Among many frames in the medium it is not known which one this is about. */
static void on_done(void *context, bool has_arrived)
{
    struct mup_radio *radio = context;

    if (!has_arrived && mup_air_room(radio->air) == 1) {
        if (radio->again++ < AGAIN_MAX) {
            radio->sent[NUMBER_OFFSET] ^= NUMBER_AGAIN;
            seal(radio->sent, radio->sent_size);
            mup_air_send(radio->air, MUP_MEDIUM_ROUTER, radio->sent, radio->sent_size);
            return;
        }
        mup_queue_drop_rest(&radio->queue);
    }
    pump(radio);
}

/* lwIP sends a frame. Whatever it appends as frame check sequence is replaced by the right one. */
static err_t send_frame(struct netif *netif, struct pbuf *p)
{
    struct mup_radio *radio = netif->state;
    uint8_t psdu[MUP_FRAME_SIZE_MAX];

    if (p->tot_len > sizeof psdu || p->tot_len < MUP_FRAME_FCS_SIZE + 3)
        return ERR_IF;
    pbuf_copy_partial(p, psdu, p->tot_len, 0);
    seal(psdu, p->tot_len);
    if (radio->air == NULL) {
        give_at_once(radio, psdu, p->tot_len);
        return ERR_OK;
    }
    if (!mup_queue_put(&radio->queue, radio->lane, psdu, p->tot_len, radio->is_first))
        return ERR_MEM;
    radio->is_first = false;
    return ERR_OK;
}

/* Each IPv6 address has a lane. The last eight bytes tell them apart: there is one prefix. */
static uint64_t lane_of(const ip6_addr_t *address)
{
    return ip6_addr_ismulticast(address)
               ? MUP_ADDRESS_EVERYBODY
               : (uint64_t)lwip_ntohl(address->addr[2]) << 32 | lwip_ntohl(address->addr[3]);
}

/* What TCP can keep waits there, but for one segment. */
static bool is_refused(const struct mup_queue *queue, const struct pbuf *p, uint64_t lane)
{
    const struct ip6_hdr *header = p->payload;

    return !mup_queue_has_room(queue, lane) ||
           (IP6H_NEXTH(header) == IP6_NEXTH_TCP && mup_queue_is_waiting(queue, lane));
}

/* A datagram is taken whole, or refused: then TCP keeps it (mup_radio_has_refused).
 * lowpan6_output() may send a solicitation first, and so come here again. */
static err_t send_datagram(struct netif *netif, struct pbuf *p, const ip6_addr_t *address)
{
    struct mup_radio *radio = netif->state;
    uint64_t lane = radio->lane;
    bool is_first = radio->is_first;
    err_t error;

    radio->lane = lane_of(address);
    if (is_refused(&radio->queue, p, radio->lane)) {
        radio->lane = lane;
        radio->has_refused = true;
        return ERR_MEM;
    }
    radio->is_first = true;
    error = lowpan6_output(netif, p, address);
    radio->lane = lane;
    radio->is_first = is_first;
    if (radio->air != NULL)
        pump(radio);
    return error;
}

bool mup_radio_has_refused(struct mup_radio *radio)
{
    bool has_refused = radio->has_refused;

    radio->has_refused = false;
    return has_refused;
}

bool mup_radio_is_waiting(const struct mup_radio *radio, const ip6_addr_t *device)
{
    return mup_queue_has_any(&radio->queue, lane_of(device));
}

/* ---- to the router --------------------------------------------------------------------------- */

static void take_frame(struct mup_radio *radio, const uint8_t *psdu, size_t size)
{
    struct pbuf *p;

    /* what a device lets in, for the same reason: lwIP believes what frames say of themselves */
    if (!microbit_frame_is_good(psdu, size, &router))
        return;
    size -= MUP_FRAME_FCS_SIZE;
    p = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_POOL);
    if (p == NULL)
        return;
    pbuf_take(p, psdu, (u16_t)size);
    if (radio->netif.input(p, &radio->netif) != ERR_OK)
        pbuf_free(p);
}

static void learn(struct mup_radio *radio, unsigned device, const uint8_t *psdu, size_t size)
{
    struct mup_addresses from;

    if (!mup_frame_is_good(psdu, size) || !mup_addresses_read(&from, psdu, size))
        return;
    if (from.source_size == EUI64_SIZE) {
        radio->known[device].has_eui64 = true;
        radio->known[device].eui64 = from.source;
    } else if (from.source_size == 2) {
        radio->known[device].short_address = (uint16_t)from.source;
    }
}

/* The medium has a frame for somebody. */
static void on_deliver(void *context, unsigned node, const uint8_t *psdu, size_t size)
{
    struct mup_radio *radio = context;

    if (node == MUP_MEDIUM_ROUTER)
        take_frame(radio, psdu, size);
    else
        mup_devices_give(radio->devices, node - 1, psdu, size);
}

/* ---- the devices ----------------------------------------------------------------------------- */

static void on_came(void *context, unsigned device)
{
    struct mup_radio *radio = context;

    if (radio->air != NULL)
        mup_air_attach(radio->air, device + 1);
}

static void on_went(void *context, unsigned device)
{
    struct mup_radio *radio = context;

    radio->known[device].has_eui64 = false;
    radio->known[device].short_address = MICROBIT_SHORT_NONE;
    if (radio->air != NULL)
        mup_air_detach(radio->air, device + 1);
}

static void on_sent(void *context, unsigned device, const uint8_t *psdu, size_t size)
{
    struct mup_radio *radio = context;

    if (radio->air != NULL) {
        mup_air_send(radio->air, device + 1, psdu, size);
        return;
    }
    if (radio->capture != NULL)
        mup_pcap_write(radio->capture, mup_clock_epoch_us(mup_clock_us()), psdu, size);
    learn(radio, device, psdu, size);
    take_frame(radio, psdu, size);
}

void mup_radio_run(struct mup_radio *radio)
{
    if (radio->air != NULL)
        mup_air_run(radio->air);
}

nfds_t mup_radio_poll_set(const struct mup_radio *radio, struct pollfd *set)
{
    return mup_devices_poll_set(radio->devices, set);
}

void mup_radio_handle(struct mup_radio *radio, const struct pollfd *set, nfds_t count)
{
    mup_devices_handle(radio->devices, set, count);
}

/* ---- the interface --------------------------------------------------------------------------- */

static err_t init_netif(struct netif *netif)
{
    lowpan6_if_init(netif);
    netif->output_ip6 = send_datagram;
    netif->linkoutput = send_frame;
    netif->hwaddr_len = EUI64_SIZE;
    memcpy(netif->hwaddr, router.eui64, sizeof router.eui64);
    netif->flags |= NETIF_FLAG_LINK_UP | NETIF_FLAG_UP;
    return ERR_OK;
}

static void add_address(struct mup_radio *radio, s8_t index, u32_t high, u32_t low)
{
    ip6_addr_t address;

    IP6_ADDR(&address, PP_HTONL(0xfe800000), 0, lwip_htonl(high), lwip_htonl(low));
    netif_ip6_addr_set(&radio->netif, index, &address);
    netif_ip6_addr_set_state(&radio->netif, index, IP6_ADDR_PREFERRED);
}

/* fe80:: with the EUI-64, its universal bit flipped (RFC 4291 appendix A), and with the 16-bit
 * address (RFC 4944 section 6): IPHC leaves both out. Who talks to the second is answered from the
 * 16-bit address, and at its own if it has one. */
static void add_netif(struct mup_radio *radio)
{
    lowpan6_set_pan_id(MUP_RADIO_PAN_ID);
    lowpan6_set_short_addr(MUP_RADIO_SHORT >> 8, MUP_RADIO_SHORT & 0xff);
    netif_add_noaddr(&radio->netif, radio, init_netif, lowpan6_input);
    add_address(radio, 0, 0, 1);
    add_address(radio, 1, 0xff, 0xfe000000 | MUP_RADIO_SHORT);
    netif_set_default(&radio->netif);
    netif_set_up(&radio->netif);
    netif_set_link_up(&radio->netif);
}

static void take_air(struct mup_radio *radio)
{
    uint8_t backwards[EUI64_SIZE];

    for (size_t i = 0; i < EUI64_SIZE; i++)
        backwards[i] = router.eui64[EUI64_SIZE - 1 - i];
    mup_air_set_calls(radio->air, &(struct mup_air_calls){
                                      .context = radio, .deliver = on_deliver, .done = on_done});
    mup_air_attach_router(radio->air, backwards, router.short_address);
}

struct mup_radio *mup_radio_open(const char *socket_path, FILE *capture, struct mup_air *air)
{
    struct mup_radio *radio = calloc(1, sizeof *radio);

    if (radio == NULL)
        return NULL;
    radio->capture = capture;
    radio->air = air;
    for (size_t i = 0; i < MUP_RADIO_DEVICES_MAX; i++)
        radio->known[i].short_address = MICROBIT_SHORT_NONE;
    if (air != NULL)
        take_air(radio);
    radio->devices = mup_devices_open(
        socket_path, &(struct mup_devices_calls){
                         .context = radio, .came = on_came, .went = on_went, .sent = on_sent});
    if (radio->devices == NULL) {
        free(radio);
        return NULL;
    }
    add_netif(radio);
    return radio;
}

void mup_radio_close(struct mup_radio *radio)
{
    mup_devices_close(radio->devices);
    netif_remove(&radio->netif);
    free(radio);
}
