/*
 * The broker as the devices see it: TCP connections to fe80::1 end here and go on to a broker on
 * this machine, byte for byte. So the lab needs no privileges, no TUN device and no network
 * namespace; what it changes is that TCP's end is the router, not the broker (docs/LAB.md).
 */
#ifndef MUP_LAB_PROXY_H
#define MUP_LAB_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include <poll.h>

#define MUP_PROXY_CONNECTIONS_MAX 64u

struct mup_proxy;
struct mup_radio;

/* Take connections to `port` of the router and pass them on to 127.0.0.1:broker_port. Keeps the
 * radio, and asks it what still waits there. */
struct mup_proxy *mup_proxy_open(uint16_t port, uint16_t broker_port,
                                 const struct mup_radio *radio);
void mup_proxy_close(struct mup_proxy *proxy);

/* Send what the radio has refused before (mup_radio_has_refused()). */
void mup_proxy_try_again(struct mup_proxy *proxy);

/* As mup_radio_poll_set and mup_radio_handle. */
nfds_t mup_proxy_poll_set(const struct mup_proxy *proxy, struct pollfd *set);
void mup_proxy_handle(struct mup_proxy *proxy, const struct pollfd *set, nfds_t count);

#endif
