/* TCP from the radio to a broker on this machine: see proxy.h. */
#include "proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lwip/tcp.h"

#include "radio.h"

#define UP_SIZE 16384u /* bytes from a device that the broker has not taken */

/* A device holds an acknowledgement back for 250 ms. And what the radio does not bring across is no
 * sign of congestion: an attempt now and then finds out soon when a link is there again. It is the
 * broker that gives a device up, when it has heard nothing from it for too long. */
#define RTO_LEAST_TICKS ((s16_t)(500 / TCP_SLOW_INTERVAL))
#define RTO_MOST_TICKS  ((s16_t)(4000 / TCP_SLOW_INTERVAL))
#define RETRIES_MOST    6u /* half of those after which lwIP drops a connection */

struct connection {
    struct mup_proxy *proxy;
    struct tcp_pcb *pcb; /* NULL: unused */
    int fd;
    uint8_t up[UP_SIZE];
    size_t up_size;
};

struct mup_proxy {
    const struct mup_radio *radio;
    struct tcp_pcb *listener;
    uint16_t broker_port;
    struct connection connections[MUP_PROXY_CONNECTIONS_MAX];
};

/* Forget a connection whose pcb is gone or has just been given back. */
static void forget(struct connection *connection)
{
    if (connection->fd >= 0)
        close(connection->fd);
    connection->pcb = NULL;
    connection->fd = -1;
    connection->up_size = 0;
}

static void end(struct connection *connection)
{
    struct tcp_pcb *pcb = connection->pcb;

    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    if (tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
    forget(connection);
}

/* ---- device -> broker ---- */

static void push_up(struct connection *connection)
{
    ssize_t sent;

    if (connection->up_size == 0)
        return;
    sent = send(connection->fd, connection->up, connection->up_size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOTCONN) {
        end(connection);
        return;
    }
    if (sent <= 0)
        return;
    memmove(connection->up, connection->up + sent, connection->up_size - (size_t)sent);
    connection->up_size -= (size_t)sent;
    tcp_recved(connection->pcb, (u16_t)sent);
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct connection *connection = arg;

    (void)pcb;
    if (p == NULL || error != ERR_OK || p->tot_len > UP_SIZE - connection->up_size) {
        if (p != NULL)
            pbuf_free(p);
        end(connection);
        return ERR_OK;
    }
    pbuf_copy_partial(p, connection->up + connection->up_size, p->tot_len, 0);
    connection->up_size += p->tot_len;
    pbuf_free(p);
    push_up(connection);
    return ERR_OK;
}

/* ---- broker -> device ---- */

static size_t room_down(const struct connection *connection)
{
    bool is_crowded = tcp_sndqueuelen(connection->pcb) > TCP_SND_QUEUELEN - 32;

    return is_crowded ? 0 : tcp_sndbuf(connection->pcb);
}

static void pull_down(struct connection *connection)
{
    uint8_t bytes[TCP_SND_BUF];
    size_t room = room_down(connection);
    ssize_t got;

    if (room == 0)
        return;
    got = recv(connection->fd, bytes, room < sizeof bytes ? room : sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        end(connection);
        return;
    }
    if (tcp_write(connection->pcb, bytes, (u16_t)got, TCP_WRITE_FLAG_COPY) != ERR_OK) {
        end(connection); /* the bytes would be lost: the device connects again */
        return;
    }
    tcp_output(connection->pcb);
}

static void limit_timer(struct tcp_pcb *pcb)
{
    if (pcb->rto < RTO_LEAST_TICKS)
        pcb->rto = RTO_LEAST_TICKS;
    if (pcb->rto > RTO_MOST_TICKS)
        pcb->rto = RTO_MOST_TICKS;
    if (pcb->nrtx > RETRIES_MOST)
        pcb->nrtx = RETRIES_MOST;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t size)
{
    (void)size;
    limit_timer(pcb);
    pull_down(arg);
    return ERR_OK;
}

/* Each tick, after the timers have been looked at. What has not been on the air yet cannot have
 * been lost: its timer begins when it has left. */
static err_t on_tick(void *arg, struct tcp_pcb *pcb)
{
    const struct connection *connection = arg;

    limit_timer(pcb);
    if (pcb->rtime > 0 && mup_radio_is_waiting(connection->proxy->radio, ip_2_ip6(&pcb->remote_ip)))
        pcb->rtime = 0;
    return ERR_OK;
}

/* ---- making connections ---- */

static void on_error(void *arg, err_t error)
{
    (void)error;
    if (arg != NULL)
        forget(arg); /* lwIP has freed the pcb */
}

static int connect_broker(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

static err_t on_accepted(void *arg, struct tcp_pcb *pcb, err_t error)
{
    struct mup_proxy *proxy = arg;
    struct connection *connection = NULL;

    if (error != ERR_OK || pcb == NULL)
        return ERR_VAL;
    for (size_t i = 0; i < MUP_PROXY_CONNECTIONS_MAX && connection == NULL; i++)
        if (proxy->connections[i].pcb == NULL)
            connection = &proxy->connections[i];
    if (connection == NULL)
        return ERR_MEM;
    connection->fd = connect_broker(proxy->broker_port);
    if (connection->fd < 0)
        return ERR_CONN;
    connection->proxy = proxy;
    connection->pcb = pcb;
    tcp_nagle_disable(pcb);
    tcp_arg(pcb, connection);
    tcp_recv(pcb, on_received);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_poll(pcb, on_tick, 1);
    return ERR_OK;
}

struct mup_proxy *mup_proxy_open(uint16_t port, uint16_t broker_port, const struct mup_radio *radio)
{
    struct mup_proxy *proxy = calloc(1, sizeof *proxy);
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_V6);

    if (proxy == NULL || pcb == NULL || tcp_bind(pcb, IP6_ADDR_ANY, port) != ERR_OK) {
        fprintf(stderr, "mup-router: cannot listen on port %u of the radio\n", port);
        free(proxy);
        return NULL;
    }
    for (size_t i = 0; i < MUP_PROXY_CONNECTIONS_MAX; i++)
        proxy->connections[i].fd = -1;
    proxy->broker_port = broker_port;
    proxy->radio = radio;
    proxy->listener = tcp_listen(pcb);
    tcp_arg(proxy->listener, proxy);
    tcp_accept(proxy->listener, on_accepted);
    return proxy;
}

void mup_proxy_close(struct mup_proxy *proxy)
{
    for (size_t i = 0; i < MUP_PROXY_CONNECTIONS_MAX; i++)
        if (proxy->connections[i].pcb != NULL)
            end(&proxy->connections[i]);
    tcp_close(proxy->listener);
    free(proxy);
}

void mup_proxy_try_again(struct mup_proxy *proxy)
{
    for (size_t i = 0; i < MUP_PROXY_CONNECTIONS_MAX; i++)
        if (proxy->connections[i].pcb != NULL)
            tcp_output(proxy->connections[i].pcb);
}

nfds_t mup_proxy_poll_set(const struct mup_proxy *proxy, struct pollfd *set)
{
    nfds_t count = 0;

    for (size_t i = 0; i < MUP_PROXY_CONNECTIONS_MAX; i++) {
        const struct connection *connection = &proxy->connections[i];
        short events = POLLRDHUP;
        if (connection->pcb == NULL)
            continue;
        if (room_down(connection) > 0)
            events |= POLLIN;
        if (connection->up_size > 0)
            events |= POLLOUT;
        set[count++] = (struct pollfd){.fd = connection->fd, .events = events};
    }
    return count;
}

/* A broker that has gone is told of whatever was asked for. While the device takes nothing, that is
 * the end: the device would never be told, and poll() would come back at once for as long. */
void mup_proxy_handle(struct mup_proxy *proxy, const struct pollfd *set, nfds_t count)
{
    const short gone = POLLRDHUP | POLLHUP | POLLERR;

    for (nfds_t n = 0; n < count; n++) {
        if (set[n].revents == 0)
            continue;
        for (size_t i = 0; i < MUP_PROXY_CONNECTIONS_MAX; i++) {
            struct connection *connection = &proxy->connections[i];
            if (connection->pcb == NULL || connection->fd != set[n].fd)
                continue;
            if ((set[n].revents & POLLOUT) != 0)
                push_up(connection);
            if (connection->pcb != NULL && (set[n].revents & gone) != 0 &&
                room_down(connection) == 0)
                end(connection);
            else if (connection->pcb != NULL && set[n].revents != POLLOUT)
                pull_down(connection);
            break;
        }
    }
}
