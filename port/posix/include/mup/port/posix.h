/*
 * The five contracts over POSIX: flash in a file, monotonic clock, getrandom, TCP, re-execution.
 *
 * Each part has a state that the caller owns, a function that prepares it, and one that gives the
 * contract over it. The state must not move while the contract is in use.
 */
#ifndef MUP_PORT_POSIX_H
#define MUP_PORT_POSIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/port/clock.h"
#include "mup/port/flash.h"
#include "mup/port/random.h"
#include "mup/port/reset.h"
#include "mup/port/transport.h"

/* A flash in a file, mapped shared: what was programmed survives kill -9 of the process (not a
 * power cut of the computer). Fields are private. */
struct mup_posix_flash {
    int fd;
    uint8_t *bytes;
    uint32_t size;
    uint32_t page_size;
};

/*
 * Open the flash file, or make one that is erased. One process at a time.
 *
 * Returns 0, or -1 with errno: EINVAL the file has another size, or size is not whole pages;
 * EWOULDBLOCK another process has it open; else what the system says.
 */
int mup_posix_flash_open(struct mup_posix_flash *flash, const char *path, uint32_t size,
                         uint32_t page_size);

/* Unmap and unlock; the content stays. */
void mup_posix_flash_close(struct mup_posix_flash *flash);

struct mup_port_flash mup_posix_flash_port(struct mup_posix_flash *flash);

struct mup_port_clock mup_posix_clock_port(void);

struct mup_port_random mup_posix_random_port(void);

/* One TCP stream, non-blocking, without Nagle's delay. Fields are private. */
struct mup_posix_tcp {
    const char *host; /* name or address, IPv4 or IPv6; the caller's, must live as long */
    const char *port; /* number or service name; likewise */
    void *addresses;  /* all that host resolves to, while connecting */
    void *next;       /* the address to try after this one */
    int fd;           /* -1 = closed */
    bool connected;
    int error; /* errno of the last failure, 0 = none; EADDRNOTAVAIL = no such name */
};

/* Name the peer. Opens nothing. Resolving the name happens in open() and may block there for as
 * long as the resolver does; give an address where that matters. */
void mup_posix_tcp_init(struct mup_posix_tcp *tcp, const char *host, const char *port);

struct mup_port_transport mup_posix_tcp_port(struct mup_posix_tcp *tcp);

/* For poll(): the descriptor, or -1 while there is none; it may change with each open(). */
int mup_posix_tcp_fd(const struct mup_posix_tcp *tcp);

/* True while poll() should wait for POLLOUT, because the connection is being made. */
bool mup_posix_tcp_is_connecting(const struct mup_posix_tcp *tcp);

/* A reset that runs this program again with the same arguments, environment and process id.
 * Descriptors without FD_CLOEXEC stay open. */
struct mup_posix_reset {
    char **arguments; /* argv of main() */
};

struct mup_port_reset mup_posix_reset_port(struct mup_posix_reset *reset);

#endif
