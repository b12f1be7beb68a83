/*
 * Which IEEE 802.15.4 frames get in: undamaged data for this device or for all, of a form that
 * lwIP's 6LoWPAN can take.
 *
 * lwIP 2.1.3 believes what frames say about themselves. Above all a first fragment whose datagram
 * is of an unknown dispatch makes it follow a pointer that it never set; anybody in reach of the
 * radio could send one.
 */
#ifndef MUP_MICROBIT_FRAME_H
#define MUP_MICROBIT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

#define MICROBIT_FRAME_SIZE_MAX   127u /* aMaxPhyPacketSize */
#define MICROBIT_FRAME_CHECK_SIZE 2u

/* The frame check sequence (IEEE 802.15.4-2020, 7.2.11); low byte first on the air. */
uint16_t microbit_frame_check(const uint8_t *bytes, size_t size);

/* True when psdu[0..size), its check sequence included, may be handed to lwIP without its last two
 * bytes. */
bool microbit_frame_is_good(const uint8_t *psdu, size_t size, const struct microbit_address *own);

#endif
