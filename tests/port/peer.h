/*
 * The peer of the suite's transport: what it gets it sends back, and PORT_SUITE_HANG_UP makes it
 * close. Over TCP and over the line of mup/port/mps2.h, one stream of each at a time.
 */
#ifndef PORT_PEER_H
#define PORT_PEER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_FDS         4
#define PEER_BUFFER_SIZE 8192

/* One connection, and what it has still to be sent. */
struct peer_echo {
    int fd; /* -1 = none */
    size_t begin;
    size_t end;
    bool hangs_up;
    uint8_t bytes[PEER_BUFFER_SIZE];
};

struct peer {
    int tcp_listener;
    int nobody; /* a bound socket that does not listen, so that nobody else gets the port */
    int line_listener;
    struct peer_echo tcp;
    struct peer_echo line;
    bool line_is_open;   /* the device has a stream on the line */
    uint8_t line_number; /* of that stream */
    uint8_t escape[3];   /* an escape that has begun */
    size_t escape_size;
};

/* Listen; put the environment variables. False with errno. */
bool peer_open(struct peer *peer, const char *folder);

void peer_before_poll(const struct peer *peer, struct pollfd fds[PEER_FDS]);
void peer_after_poll(struct peer *peer, const struct pollfd fds[PEER_FDS]);

void peer_close(struct peer *peer);

#endif
