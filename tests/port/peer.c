/* The echoing peer, over TCP and over a line. */
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mup/port/mps2.h"
#include "suite.h"

enum { TCP_LISTENER, LINE_LISTENER, TCP, LINE };

#define READ_SIZE (PEER_BUFFER_SIZE / 4) /* an answer is at most three times as long */

/* ---- opening --------------------------------------------------------------------------------- */

/* Bound to a free port of 127.0.0.1, whose number goes into the environment. */
static int bind_tcp(const char *variable)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int small = PEER_BUFFER_SIZE; /* a stream that is never full can not be tried */
    char port[8];

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return -1;
    snprintf(port, sizeof port, "%u", ntohs(address.sin_port));
    return setenv(variable, port, 1) == 0 ? fd : -1;
}

static int listen_on_line(const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/line", folder);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0)
        return -1;
    return fd;
}

bool peer_open(struct peer *peer, const char *folder)
{
    memset(peer, 0, sizeof *peer);
    peer->tcp.fd = -1;
    peer->line.fd = -1;
    peer->tcp_listener = bind_tcp("MUP_PORT_PEER");
    peer->nobody = bind_tcp("MUP_PORT_NOBODY");
    peer->line_listener = listen_on_line(folder);
    return peer->tcp_listener >= 0 && peer->nobody >= 0 && peer->line_listener >= 0 &&
           listen(peer->tcp_listener, 4) == 0;
}

/* ---- echo ------------------------------------------------------------------------------------ */

static void end(struct peer_echo *echo)
{
    if (echo->fd >= 0)
        close(echo->fd);
    echo->fd = -1;
    echo->begin = echo->end = 0;
    echo->hangs_up = false;
}

/* The newest connection counts: the device has given up the one before. */
static void take_connection(struct peer_echo *echo, int listener)
{
    end(echo);
    echo->fd = accept(listener, NULL, NULL);
}

static void put(struct peer_echo *echo, uint8_t byte)
{
    echo->bytes[echo->end++] = byte;
}

static void answer_tcp(struct peer_echo *echo, uint8_t byte)
{
    if (echo->hangs_up)
        return;
    put(echo, byte);
    echo->hangs_up = byte == PORT_SUITE_HANG_UP;
}

static void put_escape(struct peer_echo *echo, uint8_t code, uint8_t number)
{
    put(echo, MUP_MPS2_ESCAPE);
    put(echo, code);
    put(echo, number);
}

static void answer_line(struct peer *peer, uint8_t byte)
{
    if (!peer->line_is_open)
        return;
    put(&peer->line, byte);
    if (byte == MUP_MPS2_ESCAPE)
        put(&peer->line, MUP_MPS2_ESCAPE_DATA);
    if (byte == PORT_SUITE_HANG_UP) {
        put_escape(&peer->line, MUP_MPS2_ESCAPE_CLOSED, peer->line_number);
        peer->line_is_open = false;
    }
}

/* One byte of the line: data, or part of an escape. Any peer but 0 is refused. */
static void read_line_byte(struct peer *peer, uint8_t byte)
{
    uint8_t *escape = peer->escape;

    if (peer->escape_size == 0 && byte != MUP_MPS2_ESCAPE) {
        answer_line(peer, byte);
        return;
    }
    if (peer->escape_size < 3) {
        escape[peer->escape_size++] = byte;
        if (peer->escape_size == 2 && byte == MUP_MPS2_ESCAPE_DATA) {
            peer->escape_size = 0;
            answer_line(peer, MUP_MPS2_ESCAPE);
        } else if (peer->escape_size == 3 && escape[1] == MUP_MPS2_ESCAPE_CLOSED) {
            peer->escape_size = 0;
            peer->line_is_open = false;
        }
        return;
    }
    peer->escape_size = 0;
    peer->line_number = escape[2];
    peer->line_is_open = byte == 0;
    put_escape(&peer->line, byte == 0 ? MUP_MPS2_ESCAPE_OPENED : MUP_MPS2_ESCAPE_CLOSED, escape[2]);
}

static void read_echo(struct peer *peer, struct peer_echo *echo)
{
    uint8_t bytes[READ_SIZE];
    ssize_t got = recv(echo->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (got == 0 || (got < 0 && echo->hangs_up)) {
        end(echo);
        return;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (echo == &peer->line)
            read_line_byte(peer, bytes[i]);
        else
            answer_tcp(echo, bytes[i]);
    }
}

static void write_echo(struct peer_echo *echo)
{
    ssize_t sent = send(echo->fd, echo->bytes + echo->begin, echo->end - echo->begin,
                        MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0) {
        end(echo);
        return;
    }
    echo->begin += (size_t)sent;
    if (echo->begin < echo->end)
        return;
    echo->begin = echo->end = 0;
    if (echo->hangs_up)
        end(echo);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Nothing is read before all is sent, so that the device's stream becomes full. */
static struct pollfd wish(const struct peer_echo *echo)
{
    return (struct pollfd){.fd = echo->fd, .events = echo->begin < echo->end ? POLLOUT : POLLIN};
}

void peer_before_poll(const struct peer *peer, struct pollfd fds[PEER_FDS])
{
    fds[TCP_LISTENER] = (struct pollfd){.fd = peer->tcp_listener, .events = POLLIN};
    fds[LINE_LISTENER] = (struct pollfd){.fd = peer->line_listener, .events = POLLIN};
    fds[TCP] = wish(&peer->tcp);
    fds[LINE] = wish(&peer->line);
}

static void serve(struct peer *peer, struct peer_echo *echo, const struct pollfd *event)
{
    if (event->fd < 0 || event->revents == 0)
        return;
    if (echo->begin < echo->end)
        write_echo(echo);
    else
        read_echo(peer, echo);
}

void peer_after_poll(struct peer *peer, const struct pollfd fds[PEER_FDS])
{
    serve(peer, &peer->tcp, &fds[TCP]);
    serve(peer, &peer->line, &fds[LINE]);
    if (fds[TCP_LISTENER].revents != 0)
        take_connection(&peer->tcp, peer->tcp_listener);
    if (fds[LINE_LISTENER].revents != 0)
        take_connection(&peer->line, peer->line_listener);
}

void peer_close(struct peer *peer)
{
    end(&peer->tcp);
    end(&peer->line);
    close(peer->tcp_listener);
    close(peer->line_listener);
    close(peer->nobody);
}
