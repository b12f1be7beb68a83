/*
 * The other end of the device's radio, without any clock but the device's: the border router's
 * lwIP, and a broker's bytes above its TCP. One connection, from one device.
 */
#ifndef MUP_TIMING_NETWORK_H
#define MUP_TIMING_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker.h"

/* fe80::1 with a broker at port 1883. Once. */
bool network_open(struct broker *broker);

/* The time, in the device's milliseconds; never less than before. Timers are served. */
void network_time(uint32_t now_ms);

/* Bytes that the device's UART has sent. */
void network_take(const uint8_t *bytes, size_t size);

/* What the broker has for the device goes into frames. */
void network_send(void);

/* Bytes for the device's UART: look at them, then drop those that it took. */
size_t network_output(const uint8_t **bytes);
void network_sent(size_t size);

#endif
