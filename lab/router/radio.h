/*
 * The router's radio: one 802.15.4 network interface of lwIP, and the Unix socket on which devices
 * (emulated microcontrollers) offer and take frames.
 *
 * What the router sends goes to the device whose EUI-64 or 16-bit address it is addressed to, a
 * broadcast to all. A device's addresses are learnt from the frames that it sends.
 */
#ifndef MUP_LAB_RADIO_H
#define MUP_LAB_RADIO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <poll.h>

#define MUP_RADIO_DEVICES_MAX 64u
#define MUP_RADIO_PAN_ID      0xabcdu
#define MUP_RADIO_SHORT       0x0001u

struct mup_radio;

/* Listen on a Unix socket; the router's EUI-64 is 02:00:00:00:00:00:00:01 and its 16-bit address
 * 0x0001, so it is fe80::1 and fe80::ff:fe00:1. `capture` may be NULL. NULL with a message on
 * stderr. */
struct mup_radio *mup_radio_open(const char *socket_path, FILE *capture);
void mup_radio_close(struct mup_radio *radio);

/* Fill in what to poll; returns how many entries (at most MUP_RADIO_DEVICES_MAX + 1). */
nfds_t mup_radio_poll_set(const struct mup_radio *radio, struct pollfd *set);

/* Handle what poll() found in the same set. */
void mup_radio_handle(struct mup_radio *radio, const struct pollfd *set, nfds_t count);

#endif
