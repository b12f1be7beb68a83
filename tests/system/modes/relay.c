/*
 * A link between one device and its broker that can be slow, and gone, and that counts the MQTT
 * packets that cross it:
 *
 *     mqtt-relay BROKER-PORT BYTES-A-SECOND
 *
 * It says "port=N", where it listens. SIGUSR1: the link is gone; nothing passes, nobody is told,
 * and nobody gets in. SIGUSR2: it is there again, and what was connected before is not. SIGHUP: say
 * what was counted, and count from 0 again. SIGTERM: end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_SIZE    192u
#define PIECE_SIZE   512u
#define ALIASES_MAX  16u
#define IN_FLIGHT    512u
#define BACKLOG_SIZE 65536u
#define UP_DELAY_US  20000u /* from the device to the broker */

/* One direction of the connection, packet by packet. */
struct scanner {
    uint8_t head[HEAD_SIZE]; /* of the packet under way, from its first byte */
    size_t head_size;
    uint32_t left; /* bytes of it still to come, once its length is known */
    bool has_length;
};

static struct counts {
    unsigned long slices;
    unsigned long slice_bytes; /* whole packets */
    unsigned long slices_qos1;
    unsigned long repeated; /* with DUP */
    unsigned long expiring; /* with a Message Expiry Interval */
    unsigned in_flight_most;
    unsigned long acks;
    unsigned long acks_by_alias;
} counts;

static struct {
    int listener;
    uint16_t port;
    uint16_t broker_port;
    int device;
    int broker;
    bool is_gone;
    struct scanner from_device;
    struct scanner from_broker;
    bool is_ack[ALIASES_MAX + 1];  /* what the device's aliases stand for */
    uint16_t in_flight[IN_FLIGHT]; /* packet ids of QoS 1 towards the device */
    unsigned in_flight_count;
    uint64_t rate;
    uint64_t credit_us;       /* time that the bytes let through so far have taken, at most now */
    uint8_t up[BACKLOG_SIZE]; /* for the broker, not sent before ... */
    size_t up_size;
    uint64_t up_at_us;
} relay = {.listener = -1, .device = -1, .broker = -1};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "mqtt-relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* ---- What crosses -------------------------------------------------------------------------- */

static size_t two(const uint8_t *bytes)
{
    return (size_t)bytes[0] << 8 | bytes[1];
}

static void leave_flight(size_t id)
{
    for (unsigned i = 0; i < relay.in_flight_count; i++)
        if (relay.in_flight[i] == id) {
            relay.in_flight[i] = relay.in_flight[--relay.in_flight_count];
            return;
        }
}

static void enter_flight(size_t id)
{
    leave_flight(id);
    must(relay.in_flight_count < IN_FLIGHT, "more under way than can be counted");
    relay.in_flight[relay.in_flight_count++] = (uint16_t)id;
    if (relay.in_flight_count > counts.in_flight_most)
        counts.in_flight_most = relay.in_flight_count;
}

/* The byte behind the fixed header. */
static size_t body_at(const struct scanner *packet)
{
    size_t at = 1;

    while (packet->head[at] & 0x80)
        at++;
    return at + 1;
}

static void on_packet_for_device(const struct scanner *packet, size_t size)
{
    size_t at = body_at(packet);
    unsigned qos = packet->head[0] >> 1 & 3;
    bool is_slice;
    size_t topic_size;

    if (packet->head[0] >> 4 != 3)
        return;
    topic_size = two(packet->head + at);
    at += 2;
    is_slice = topic_size > 13 && memcmp(packet->head + at, "mup/firmware/", 13) == 0;
    at += topic_size;
    if (qos == 1) {
        enter_flight(two(packet->head + at));
        at += 2;
    }
    if (!is_slice)
        return;
    counts.slices++;
    counts.slice_bytes += size;
    counts.slices_qos1 += qos == 1;
    counts.repeated += (packet->head[0] & 8) != 0;
    counts.expiring += packet->head[at] >= 5 && packet->head[at + 1] == 0x02;
}

static void on_packet_from_device(const struct scanner *packet)
{
    size_t at = body_at(packet);
    bool is_ack;
    size_t topic_size;
    size_t alias = 0;

    if (packet->head[0] >> 4 == 4)
        leave_flight(two(packet->head + at));
    if (packet->head[0] >> 4 != 3)
        return;
    topic_size = two(packet->head + at);
    at += 2;
    is_ack = topic_size > 8 && memcmp(packet->head + at, "mup/ack/", 8) == 0;
    at += topic_size + ((packet->head[0] & 6) != 0 ? 2 : 0);
    if (packet->head[at] >= 3 && packet->head[at + 1] == 0x23)
        alias = two(packet->head + at + 2);
    must(alias <= ALIASES_MAX, "a large alias");
    if (topic_size > 0)
        relay.is_ack[alias] = is_ack;
    else
        is_ack = relay.is_ack[alias];
    counts.acks += is_ack;
    counts.acks_by_alias += is_ack && topic_size == 0;
}

/* The length, if all of its bytes are there. */
static bool take_length(struct scanner *packet, uint32_t *length)
{
    unsigned shift = 0;

    *length = 0;
    for (size_t i = 1; i < packet->head_size; i++, shift += 7) {
        *length |= (uint32_t)(packet->head[i] & 0x7f) << shift;
        if ((packet->head[i] & 0x80) == 0)
            return true;
    }
    return false;
}

static void scan(struct scanner *packet, const uint8_t *bytes, size_t size, bool from_device)
{
    static uint32_t length_of[2];
    uint32_t *length = &length_of[from_device];

    for (size_t i = 0; i < size; i++) {
        if (packet->head_size < HEAD_SIZE)
            packet->head[packet->head_size++] = bytes[i];
        if (packet->has_length)
            packet->left--;
        else if (take_length(packet, length)) {
            packet->has_length = true;
            packet->left = *length;
        }
        if (!packet->has_length || packet->left > 0)
            continue;
        if (from_device)
            on_packet_from_device(packet);
        else
            on_packet_for_device(packet, *length + 2);
        memset(packet, 0, sizeof *packet);
    }
}

/* ---- Sockets ------------------------------------------------------------------------------- */

static struct sockaddr_in address(uint16_t port)
{
    struct sockaddr_in made = {.sin_family = AF_INET, .sin_port = htons(port)};

    made.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return made;
}

static void start_listening(void)
{
    struct sockaddr_in at = address(relay.port);
    socklen_t size = sizeof at;
    int on = 1;

    relay.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(relay.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    must(bind(relay.listener, (struct sockaddr *)&at, sizeof at) == 0, "bind");
    must(listen(relay.listener, 4) == 0, "listen");
    must(getsockname(relay.listener, (struct sockaddr *)&at, &size) == 0, "getsockname");
    relay.port = ntohs(at.sin_port);
}

static void drop(void)
{
    if (relay.device >= 0)
        close(relay.device);
    if (relay.broker >= 0)
        close(relay.broker);
    relay.device = -1;
    relay.broker = -1;
    relay.up_size = 0;
    relay.in_flight_count = 0;
    memset(&relay.from_device, 0, sizeof relay.from_device);
    memset(&relay.from_broker, 0, sizeof relay.from_broker);
    memset(relay.is_ack, 0, sizeof relay.is_ack);
}

static void let_in(void)
{
    struct sockaddr_in at = address(relay.broker_port);
    int small = 4096;
    int on = 1;
    int device = accept(relay.listener, NULL, NULL);

    if (device < 0)
        return;
    drop();
    relay.device = device;
    relay.broker = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* Little room on the way, as on a radio: what is not through yet lies at the broker. */
    setsockopt(relay.broker, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    setsockopt(relay.device, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    setsockopt(relay.device, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(relay.broker, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(relay.broker, (struct sockaddr *)&at, sizeof at) != 0)
        drop(); /* the broker is not there: the device will try again */
}

static void to_device(void)
{
    uint8_t bytes[PIECE_SIZE];
    ssize_t size = read(relay.broker, bytes, sizeof bytes);

    if (size <= 0) {
        drop();
        return;
    }
    relay.credit_us += (uint64_t)size * 1000000u / relay.rate;
    scan(&relay.from_broker, bytes, (size_t)size, false);
    for (ssize_t done = 0; done < size;) {
        ssize_t part = send(relay.device, bytes + done, (size_t)(size - done), MSG_NOSIGNAL);

        if (part <= 0) {
            drop();
            return;
        }
        done += part;
    }
}

static void from_device(void)
{
    ssize_t size = read(relay.device, relay.up, sizeof relay.up);

    if (size <= 0) {
        drop();
        return;
    }
    relay.up_size = (size_t)size;
    relay.up_at_us = now_us() + UP_DELAY_US;
}

static void to_broker(void)
{
    scan(&relay.from_device, relay.up, relay.up_size, true);
    for (size_t done = 0; done < relay.up_size;) {
        ssize_t part = send(relay.broker, relay.up + done, relay.up_size - done, MSG_NOSIGNAL);

        if (part <= 0) {
            drop();
            return;
        }
        done += (size_t)part;
    }
    relay.up_size = 0;
}

/* ---- Signals and the loop ------------------------------------------------------------------- */

static void report(const char *when)
{
    printf("%s slices=%lu slice-bytes=%lu qos1=%lu repeated=%lu expiring=%lu in-flight-most=%u "
           "acks=%lu acks-by-alias=%lu\n",
           when, counts.slices, counts.slice_bytes, counts.slices_qos1, counts.repeated,
           counts.expiring, counts.in_flight_most, counts.acks, counts.acks_by_alias);
    fflush(stdout);
    memset(&counts, 0, sizeof counts);
}

static void on_signal(int number)
{
    if (number == SIGTERM) {
        drop();
        exit(0);
    }
    if (number == SIGUSR1 && !relay.is_gone) {
        close(relay.listener);
        relay.listener = -1;
        relay.is_gone = true;
        report("gone");
    } else if (number == SIGUSR2 && relay.is_gone) {
        drop();
        start_listening();
        relay.is_gone = false;
        report("back");
    } else if (number == SIGHUP) {
        report("counted");
    }
}

static int open_signals(void)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC);
    must(fd >= 0, "signalfd");
    return fd;
}

/* Milliseconds to the next instant that is waited for; -1: there is none. */
static int wait_ms(uint64_t now, bool is_open)
{
    uint64_t next = UINT64_MAX;

    if (relay.credit_us > now)
        next = relay.credit_us;
    if (is_open && relay.up_size > 0 && relay.up_at_us < next)
        next = relay.up_at_us > now ? relay.up_at_us : now;
    return next == UINT64_MAX ? -1 : (int)((next - now + 999u) / 1000u);
}

int main(int argc, char **argv)
{
    int signals = open_signals();

    must(argc == 3, "usage: mqtt-relay BROKER-PORT BYTES-A-SECOND");
    relay.broker_port = (uint16_t)atoi(argv[1]);
    relay.rate = (uint64_t)atoll(argv[2]);
    start_listening();
    printf("port=%u\n", relay.port);
    fflush(stdout);
    for (;;) {
        uint64_t now = now_us();
        bool may_go = relay.credit_us <= now;
        bool is_open = relay.device >= 0 && !relay.is_gone;
        struct pollfd fds[] = {
            {.fd = signals, .events = POLLIN},
            {.fd = relay.listener, .events = POLLIN},
            {.fd = is_open && relay.up_size == 0 ? relay.device : -1, .events = POLLIN},
            {.fd = is_open && may_go ? relay.broker : -1, .events = POLLIN},
        };
        struct signalfd_siginfo info;

        if (may_go)
            relay.credit_us = now;
        if (poll(fds, 4, wait_ms(now, is_open)) < 0)
            continue;
        if (fds[0].revents != 0 && read(signals, &info, sizeof info) == (ssize_t)sizeof info)
            on_signal((int)info.ssi_signo);
        else if (is_open && relay.up_size > 0 && relay.up_at_us <= now_us())
            to_broker();
        else if (fds[3].revents != 0)
            to_device();
        else if (fds[2].revents != 0)
            from_device();
        else if (fds[1].revents != 0)
            let_in();
    }
}
