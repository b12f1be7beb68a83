/* The TCP transport against real sockets on loopback: the three answers of transport.h. */
#include "support/cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mup/port/posix.h"

#define DEADLINE_MS 30000

struct listener {
    int fd;
    char port[8];
};

static void listen_on(struct listener *listener, int family)
{
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    socklen_t size = sizeof address;

    if (family == AF_INET)
        ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
    listener->fd = socket(family, SOCK_STREAM, 0);
    assert_true(listener->fd >= 0);
    assert_int_equal(
        bind(listener->fd, (struct sockaddr *)&address,
             family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)),
        0);
    assert_int_equal(listen(listener->fd, 1), 0);
    assert_int_equal(getsockname(listener->fd, (struct sockaddr *)&address, &size), 0);
    snprintf(listener->port, sizeof listener->port, "%u",
             ntohs(family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                     : ((struct sockaddr_in6 *)&address)->sin6_port));
}

static void wait_for(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};

    assert_int_equal(poll(&one, 1, DEADLINE_MS), 1);
}

/* Open until it is decided. */
static int open_at_last(struct mup_posix_tcp *tcp, const struct mup_port_transport *port)
{
    int answer = port->open(port->context);

    while (answer == 0) {
        assert_true(mup_posix_tcp_is_connecting(tcp));
        wait_for(mup_posix_tcp_fd(tcp), POLLOUT);
        answer = port->open(port->context);
    }
    return answer;
}

static void talk(int family, const char *host)
{
    struct listener listener;
    struct mup_posix_tcp tcp;
    struct mup_port_transport port;
    uint8_t bytes[16];
    int peer;

    listen_on(&listener, family);
    mup_posix_tcp_init(&tcp, host, listener.port);
    port = mup_posix_tcp_port(&tcp);
    assert_int_equal(mup_posix_tcp_fd(&tcp), -1);
    assert_int_equal(open_at_last(&tcp, &port), 1);
    assert_int_equal(port.open(port.context), 1);
    assert_false(mup_posix_tcp_is_connecting(&tcp));
    peer = accept(listener.fd, NULL, NULL);
    assert_true(peer >= 0);

    assert_int_equal(port.receive(port.context, bytes, sizeof bytes), 0); /* nothing yet */
    assert_int_equal(port.send(port.context, (const uint8_t *)"hello", 5), 5);
    wait_for(peer, POLLIN);
    assert_int_equal(read(peer, bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "hello", 5);
    assert_int_equal(write(peer, "bye", 3), 3);
    close(peer);
    wait_for(mup_posix_tcp_fd(&tcp), POLLIN);
    assert_int_equal(port.receive(port.context, bytes, 2), 2);
    assert_int_equal(port.receive(port.context, bytes + 2, 2), 1);
    assert_memory_equal(bytes, "bye", 3);
    wait_for(mup_posix_tcp_fd(&tcp), POLLIN);
    assert_true(port.receive(port.context, bytes, 2) < 0); /* closed is gone, never 0 */
    port.close(port.context);
    port.close(port.context);
    assert_true(port.receive(port.context, bytes, 2) < 0);
    assert_true(port.send(port.context, bytes, 2) < 0);

    assert_int_equal(open_at_last(&tcp, &port), 1); /* and once more */
    port.close(port.context);
    close(listener.fd);
}

static void speaks_both_ways_over_ipv4(void **state)
{
    (void)state;
    talk(AF_INET, "127.0.0.1");
}

static void speaks_both_ways_over_ipv6(void **state)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool here = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

    (void)state;
    if (fd >= 0)
        close(fd);
    if (!here)
        skip(); /* a machine without IPv6 */
    talk(AF_INET6, "::1");
}

/* "localhost" may resolve to ::1 first, where nobody listens: the next address is tried. */
/* Whether this machine knows `name` by an IPv4 address, perhaps behind others. */
static bool has_ipv4(const char *name)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    bool found = false;

    if (getaddrinfo(name, NULL, &wanted, &list) != 0)
        return false;
    for (const struct addrinfo *at = list; at != NULL && !found; at = at->ai_next)
        found = at->ai_family == AF_INET;
    freeaddrinfo(list);
    return found;
}

static void tries_every_address_of_a_name(void **state)
{
    (void)state;
    if (!has_ipv4("localhost")) {
        print_message("skipped: localhost has no IPv4 address here (see /etc/hosts)\n");
        skip();
    }
    talk(AF_INET, "localhost");
}

static void a_refused_connection_is_gone_and_says_why(void **state)
{
    struct listener listener;
    struct mup_posix_tcp tcp;
    struct mup_port_transport port;

    (void)state;
    listen_on(&listener, AF_INET);
    close(listener.fd);
    mup_posix_tcp_init(&tcp, "127.0.0.1", listener.port);
    port = mup_posix_tcp_port(&tcp);
    assert_true(open_at_last(&tcp, &port) < 0);
    assert_int_equal(tcp.error, ECONNREFUSED);
    assert_int_equal(mup_posix_tcp_fd(&tcp), -1);
    port.close(port.context);
}

static void an_impossible_name_is_gone(void **state)
{
    struct mup_posix_tcp tcp;
    struct mup_port_transport port;

    (void)state;
    mup_posix_tcp_init(&tcp, "127.0.0.1", "no-such-service");
    port = mup_posix_tcp_port(&tcp);
    assert_true(port.open(port.context) < 0);
    assert_int_equal(tcp.error, EADDRNOTAVAIL);
    port.close(port.context);
}

/* Nobody reads: sending stops with 0, and nobody blocks; then it goes on. */
static void a_full_buffer_answers_nothing_yet(void **state)
{
    static uint8_t block[65536];
    struct listener listener;
    struct mup_posix_tcp tcp;
    struct mup_port_transport port;
    size_t total = 0;
    int sent;
    int peer;

    (void)state;
    listen_on(&listener, AF_INET);
    mup_posix_tcp_init(&tcp, "127.0.0.1", listener.port);
    port = mup_posix_tcp_port(&tcp);
    assert_int_equal(open_at_last(&tcp, &port), 1);
    peer = accept(listener.fd, NULL, NULL);
    while ((sent = port.send(port.context, block, sizeof block)) > 0)
        total += (size_t)sent;
    assert_int_equal(sent, 0);
    while (total > 0) {
        ssize_t got = read(peer, block, sizeof block);

        assert_true(got > 0);
        total -= (size_t)got;
    }
    wait_for(mup_posix_tcp_fd(&tcp), POLLOUT);
    assert_true(port.send(port.context, block, 100) > 0);
    close(peer);
    port.close(port.context);
    close(listener.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_both_ways_over_ipv4),
        cmocka_unit_test(speaks_both_ways_over_ipv6),
        cmocka_unit_test(tries_every_address_of_a_name),
        cmocka_unit_test(a_refused_connection_is_gone_and_says_why),
        cmocka_unit_test(an_impossible_name_is_gone),
        cmocka_unit_test(a_full_buffer_answers_nothing_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
