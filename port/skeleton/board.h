/*
 * A port to be filled in: copy this folder, put your board's name in the place of "board", and work
 * through the files in the order flash, clock, random, transport, reset. Until then each function
 * says that it failed, so nothing is lost by linking it, and tests/port says what is missing.
 *
 * The contracts are the headers; docs/PORTING.md is the way through.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#include "mup/port/clock.h"
#include "mup/port/flash.h"
#include "mup/port/random.h"
#include "mup/port/reset.h"
#include "mup/port/transport.h"

extern const struct mup_port_flash board_flash;
extern const struct mup_port_clock board_clock;
extern const struct mup_port_random board_random;
extern const struct mup_port_transport board_transport;
extern const struct mup_port_reset board_reset;

/* What the examples of docs/PORTING.md want besides the contracts (board.c). */
extern const uint8_t board_description[];
extern const uint32_t board_description_size;
void board_sleep(uint32_t ms);
void board_jump(uint32_t at);

#endif
