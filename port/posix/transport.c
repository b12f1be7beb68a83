/* TCP, non-blocking: tries each address that the name has, one after the other. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <fcntl.h>
#include <unistd.h>

#include "mup/port/posix.h"

#define CONNECTED 1
#define NOTHING   0
#define GONE      (-1)

static void tcp_close(void *context)
{
    struct mup_posix_tcp *tcp = context;

    if (tcp->fd >= 0)
        close(tcp->fd);
    if (tcp->addresses != NULL)
        freeaddrinfo(tcp->addresses);
    tcp->fd = -1;
    tcp->addresses = NULL;
    tcp->next = NULL;
    tcp->connected = false;
}

static int gone(struct mup_posix_tcp *tcp, int error)
{
    tcp_close(tcp);
    tcp->error = error;
    return GONE;
}

static int resolve(struct mup_posix_tcp *tcp)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;

    if (getaddrinfo(tcp->host, tcp->port, &hints, &found) != 0)
        return -1;
    tcp->addresses = found;
    tcp->next = found;
    return 0;
}

static int finish_connecting(struct mup_posix_tcp *tcp)
{
    freeaddrinfo(tcp->addresses);
    tcp->addresses = NULL;
    tcp->next = NULL;
    tcp->connected = true;
    return CONNECTED;
}

static int non_blocking_socket(const struct addrinfo *address)
{
    int one = 1;
    int fd = socket(address->ai_family, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Try the addresses that are left until one connects or is on its way. */
static int try_next(struct mup_posix_tcp *tcp, int error)
{
    while (tcp->next != NULL) {
        struct addrinfo *address = tcp->next;

        tcp->next = address->ai_next;
        if (tcp->fd >= 0)
            close(tcp->fd);
        tcp->fd = non_blocking_socket(address);
        if (tcp->fd < 0) {
            error = errno;
            continue;
        }
        if (connect(tcp->fd, address->ai_addr, address->ai_addrlen) == 0)
            return finish_connecting(tcp);
        if (errno == EINPROGRESS || errno == EINTR)
            return NOTHING;
        error = errno;
    }
    return gone(tcp, error);
}

static int tcp_open(void *context)
{
    struct mup_posix_tcp *tcp = context;
    struct pollfd poll_fd = {.fd = tcp->fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;

    if (tcp->connected)
        return CONNECTED;
    if (tcp->fd < 0) {
        tcp->error = 0;
        if (resolve(tcp) != 0)
            return gone(tcp, EADDRNOTAVAIL);
        return try_next(tcp, EADDRNOTAVAIL);
    }
    if (poll(&poll_fd, 1, 0) <= 0)
        return NOTHING;
    if (getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return gone(tcp, errno);
    return error == 0 ? finish_connecting(tcp) : try_next(tcp, error);
}

/* What a send or receive that moved nothing means. */
static int nothing_or_gone(struct mup_posix_tcp *tcp)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return NOTHING;
    tcp->error = errno;
    return GONE;
}

static int capped(size_t size)
{
    return size > 0x40000000u ? 0x40000000 : (int)size;
}

static int tcp_send(void *context, const uint8_t *bytes, size_t size)
{
    struct mup_posix_tcp *tcp = context;
    ssize_t sent;

    if (!tcp->connected)
        return GONE;
    sent = send(tcp->fd, bytes, (size_t)capped(size), MSG_NOSIGNAL);
    return sent > 0 ? (int)sent : nothing_or_gone(tcp);
}

static int tcp_receive(void *context, uint8_t *out, size_t size)
{
    struct mup_posix_tcp *tcp = context;
    ssize_t got;

    if (!tcp->connected)
        return GONE;
    got = recv(tcp->fd, out, (size_t)capped(size), 0);
    if (got > 0)
        return (int)got;
    if (got < 0)
        return nothing_or_gone(tcp);
    tcp->error = ECONNRESET; /* the peer closed; never 0 (transport.h) */
    return GONE;
}

void mup_posix_tcp_init(struct mup_posix_tcp *tcp, const char *host, const char *port)
{
    *tcp = (struct mup_posix_tcp){.host = host, .port = port, .fd = -1};
}

struct mup_port_transport mup_posix_tcp_port(struct mup_posix_tcp *tcp)
{
    return (struct mup_port_transport){
        .context = tcp,
        .open = tcp_open,
        .send = tcp_send,
        .receive = tcp_receive,
        .close = tcp_close,
    };
}

int mup_posix_tcp_fd(const struct mup_posix_tcp *tcp)
{
    return tcp->fd;
}

bool mup_posix_tcp_is_connecting(const struct mup_posix_tcp *tcp)
{
    return tcp->fd >= 0 && !tcp->connected;
}
