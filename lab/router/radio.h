/*
 * The router's radio: one 802.15.4 network interface of lwIP, and what is between it and the
 * devices: nothing, so that frames take no time and what the router sends goes to the device whose
 * EUI-64 or 16-bit address it is addressed to, a broadcast to all; or a medium (air.h), on which
 * frames take the time that they take and may be lost. A device's addresses are learnt from the
 * frames that it sends.
 */
#ifndef MUP_LAB_RADIO_H
#define MUP_LAB_RADIO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <poll.h>

#include "lwip/ip6_addr.h"

#include "devices.h"

#define MUP_RADIO_DEVICES_MAX MUP_DEVICES_MAX
#define MUP_RADIO_PAN_ID      0xabcdu
#define MUP_RADIO_SHORT       0x0001u

struct mup_air;
struct mup_radio;

/* Listen on a Unix socket; the router's EUI-64 is 02:00:00:00:00:00:00:01 and its 16-bit address
 * 0x0001, so it is fe80::1 and fe80::ff:fe00:1. `capture` and `air` may be NULL; the radio uses
 * the air, and owns neither. NULL with a message on stderr. */
struct mup_radio *mup_radio_open(const char *socket_path, FILE *capture, struct mup_air *air);
void mup_radio_close(struct mup_radio *radio);

/* Do what is due on the air. */
void mup_radio_run(struct mup_radio *radio);

/* Whether lwIP was refused a datagram since the last call because too much waits already: it is to
 * be told to try again. */
bool mup_radio_has_refused(struct mup_radio *radio);

/* Whether a datagram to this device still waits here, so that it is no use to wait for an answer.
 */
bool mup_radio_is_waiting(const struct mup_radio *radio, const ip6_addr_t *device);

/* Fill in what to poll; returns how many entries (at most MUP_RADIO_DEVICES_MAX + 1). */
nfds_t mup_radio_poll_set(const struct mup_radio *radio, struct pollfd *set);

/* Handle what poll() found in the same set. */
void mup_radio_handle(struct mup_radio *radio, const struct pollfd *set, nfds_t count);

#endif
