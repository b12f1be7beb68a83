/* The router's radio: see radio.h. */
#include "radio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lwip/ip6_addr.h"
#include "lwip/netif.h"
#include "netif/lowpan6.h"

#include "firmware/microbit/frame.h"
#include "frame.h"
#include "pcap.h"

#define EUI64_SIZE MICROBIT_EUI64_SIZE
#define OUT_SIZE   (256u * 1024u) /* bytes that wait for a device that does not read */

/* Frame control field, IEEE 802.15.4-2020 section 7.2.2. */
#define FCF_PAN_COMPRESSION  0x0040u
#define FCF_ADDRESS_SHORT    2u
#define FCF_ADDRESS_EXTENDED 3u
#define BROADCAST            0xffffu

struct device {
    int fd; /* -1: unused */
    bool has_eui64;
    uint8_t eui64[EUI64_SIZE]; /* as on the air: least significant byte first */
    uint16_t short_address;
    struct mup_frame_reader reader;
    uint8_t out[OUT_SIZE];
    size_t out_size;
};

struct mup_radio {
    struct netif netif;
    int listener;
    FILE *capture;
    struct device devices[MUP_RADIO_DEVICES_MAX];
};

static const struct microbit_address router = {.eui64 = {2, 0, 0, 0, 0, 0, 0, 1},
                                               .short_address = MUP_RADIO_SHORT};

/* Where the extended addresses of a frame stand, 0 when it has none, and what its short ones are,
 * MICROBIT_SHORT_NONE likewise. */
struct addresses {
    size_t destination;
    size_t source;
    uint16_t short_destination;
    uint16_t short_source;
};

static uint16_t short_at(const uint8_t *psdu, size_t size, size_t at)
{
    return at + 2 <= size ? (uint16_t)(psdu[at] | (unsigned)psdu[at + 1] << 8)
                          : MICROBIT_SHORT_NONE;
}

static struct addresses find_addresses(const uint8_t *psdu, size_t size)
{
    struct addresses found = {.destination = 0};
    unsigned control = psdu[0] | (unsigned)psdu[1] << 8;
    unsigned destination = control >> 10 & 3u;
    unsigned source = control >> 14 & 3u;
    size_t at = 3;

    if (destination != 0) {
        at += 2; /* PAN id */
        if (destination == FCF_ADDRESS_EXTENDED)
            found.destination = at;
        else
            found.short_destination = short_at(psdu, size, at);
        at += destination == FCF_ADDRESS_EXTENDED ? EUI64_SIZE : 2;
    }
    if (source != 0) {
        if ((control & FCF_PAN_COMPRESSION) == 0)
            at += 2;
        if (source == FCF_ADDRESS_EXTENDED)
            found.source = at;
        else
            found.short_source = short_at(psdu, size, at);
    }
    if (found.source + EUI64_SIZE > size || found.destination + EUI64_SIZE > size)
        return (struct addresses){.destination = 0};
    return found;
}

/* ---- to the devices ---- */

static void drop(struct device *device)
{
    close(device->fd);
    memset(device, 0, sizeof *device);
    device->fd = -1;
}

static void flush(struct device *device)
{
    ssize_t sent = send(device->fd, device->out, device->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        drop(device);
        return;
    }
    if (sent <= 0)
        return;
    memmove(device->out, device->out + sent, device->out_size - (size_t)sent);
    device->out_size -= (size_t)sent;
}

/* A frame for one device; lost, as on the air, when it does not listen for too long. */
static void give(struct device *device, const uint8_t *psdu, size_t size)
{
    if (device->out_size + 1 + size > OUT_SIZE)
        return;
    device->out[device->out_size++] = (uint8_t)size;
    memcpy(device->out + device->out_size, psdu, size);
    device->out_size += size;
    flush(device);
}

static bool is_for(const struct device *device, const uint8_t *psdu, const struct addresses *to)
{
    if (to->destination != 0)
        return device->has_eui64 && memcmp(device->eui64, psdu + to->destination, EUI64_SIZE) == 0;
    return to->short_destination == BROADCAST || (to->short_destination != MICROBIT_SHORT_NONE &&
                                                  to->short_destination == device->short_address);
}

/* lwIP sends a frame. Whatever it appends as frame check sequence is replaced by the right one. */
static err_t send_frame(struct netif *netif, struct pbuf *p)
{
    struct mup_radio *radio = netif->state;
    uint8_t psdu[MUP_FRAME_SIZE_MAX];
    struct addresses to;
    uint16_t check;

    if (p->tot_len > sizeof psdu || p->tot_len < MUP_FRAME_FCS_SIZE + 3)
        return ERR_IF;
    pbuf_copy_partial(p, psdu, p->tot_len, 0);
    check = mup_frame_check(psdu, p->tot_len - MUP_FRAME_FCS_SIZE);
    psdu[p->tot_len - 2] = (uint8_t)check;
    psdu[p->tot_len - 1] = (uint8_t)(check >> 8);
    if (radio->capture != NULL)
        mup_pcap_write(radio->capture, psdu, p->tot_len);
    to = find_addresses(psdu, p->tot_len);
    for (size_t i = 0; i < MUP_RADIO_DEVICES_MAX; i++) {
        struct device *device = &radio->devices[i];
        if (device->fd >= 0 && is_for(device, psdu, &to))
            give(device, psdu, p->tot_len);
    }
    return ERR_OK;
}

/* ---- from the devices ---- */

static void take_frame(struct mup_radio *radio, struct device *device)
{
    const uint8_t *psdu = device->reader.bytes;
    size_t size = device->reader.size;
    struct addresses from;
    struct pbuf *p;

    if (radio->capture != NULL)
        mup_pcap_write(radio->capture, psdu, size);
    /* what a device lets in, for the same reason: lwIP believes what frames say of themselves */
    if (!microbit_frame_is_good(psdu, size, &router))
        return;
    from = find_addresses(psdu, size);
    if (from.source != 0) {
        memcpy(device->eui64, psdu + from.source, EUI64_SIZE);
        device->has_eui64 = true;
    } else {
        device->short_address = from.short_source;
    }
    size -= MUP_FRAME_FCS_SIZE;
    p = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_POOL);
    if (p == NULL)
        return;
    pbuf_take(p, psdu, (u16_t)size);
    if (radio->netif.input(p, &radio->netif) != ERR_OK)
        pbuf_free(p);
}

static void read_device(struct mup_radio *radio, struct device *device)
{
    uint8_t bytes[4096];
    ssize_t got = recv(device->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    size_t at = 0;

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        drop(device);
        return;
    }
    while (got > 0 && at < (size_t)got) {
        bool complete;
        at += mup_frame_take(&device->reader, bytes + at, (size_t)got - at, &complete);
        if (complete)
            take_frame(radio, device);
    }
}

static void accept_device(struct mup_radio *radio)
{
    int fd = accept4(radio->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    for (size_t i = 0; i < MUP_RADIO_DEVICES_MAX; i++)
        if (radio->devices[i].fd < 0) {
            radio->devices[i].fd = fd;
            return;
        }
    close(fd);
}

nfds_t mup_radio_poll_set(const struct mup_radio *radio, struct pollfd *set)
{
    nfds_t count = 0;

    set[count++] = (struct pollfd){.fd = radio->listener, .events = POLLIN};
    for (size_t i = 0; i < MUP_RADIO_DEVICES_MAX; i++)
        if (radio->devices[i].fd >= 0)
            set[count++] = (struct pollfd){
                .fd = radio->devices[i].fd,
                .events = (short)(POLLIN | (radio->devices[i].out_size > 0 ? POLLOUT : 0))};
    return count;
}

void mup_radio_handle(struct mup_radio *radio, const struct pollfd *set, nfds_t count)
{
    for (nfds_t n = 0; n < count; n++) {
        if (set[n].revents == 0)
            continue;
        if (set[n].fd == radio->listener)
            accept_device(radio);
        for (size_t i = 0; i < MUP_RADIO_DEVICES_MAX; i++) {
            struct device *device = &radio->devices[i];
            if (device->fd != set[n].fd || device->fd < 0)
                continue;
            if ((set[n].revents & POLLOUT) != 0)
                flush(device);
            if (device->fd >= 0 && (set[n].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
                read_device(radio, device);
            break;
        }
    }
}

/* ---- the interface ---- */

static err_t init_netif(struct netif *netif)
{
    lowpan6_if_init(netif);
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

/* What a router that was killed left is removed. Whatever else has this name stays as it is: false,
 * and errno says why. */
static bool make_room(const struct sockaddr_un *address)
{
    struct stat facts;
    int probe;
    bool is_served;

    if (lstat(address->sun_path, &facts) != 0)
        return true;
    if (!S_ISSOCK(facts.st_mode)) {
        errno = EEXIST;
        return false;
    }
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    is_served =
        probe >= 0 && (connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 ||
                       errno == EAGAIN); /* its backlog is full */
    if (probe >= 0)
        close(probe);
    if (is_served) {
        errno = EADDRINUSE;
        return false;
    }
    unlink(address->sun_path);
    return true;
}

static const char *why_not(int error)
{
    if (error == EEXIST)
        return "a file of this name is there and is no socket; it is left alone";
    return error == EADDRINUSE ? "another router serves this socket" : strerror(error);
}

static int listen_on(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    if (!make_room(&address))
        return -1;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, (int)MUP_RADIO_DEVICES_MAX) != 0)
        return -1;
    return fd;
}

struct mup_radio *mup_radio_open(const char *socket_path, FILE *capture)
{
    struct mup_radio *radio = calloc(1, sizeof *radio);

    if (radio == NULL)
        return NULL;
    radio->capture = capture;
    for (size_t i = 0; i < MUP_RADIO_DEVICES_MAX; i++)
        radio->devices[i].fd = -1;
    radio->listener = listen_on(socket_path);
    if (radio->listener < 0) {
        fprintf(stderr, "mup-router: --radio %s: %s\n", socket_path, why_not(errno));
        free(radio);
        return NULL;
    }
    add_netif(radio);
    return radio;
}

void mup_radio_close(struct mup_radio *radio)
{
    for (size_t i = 0; i < MUP_RADIO_DEVICES_MAX; i++)
        if (radio->devices[i].fd >= 0)
            drop(&radio->devices[i]);
    close(radio->listener);
    netif_remove(&radio->netif);
    free(radio);
}
