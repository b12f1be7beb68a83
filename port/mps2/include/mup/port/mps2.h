/*
 * The port contracts on Arm's MPS2 board with the image AN385: a Cortex-M3, as QEMU emulates it
 * (-M mps2-an385). It is here to show that a second processor needs nothing but a port.
 *
 * What each part takes of the board:
 *
 *   flash     none on the board. The last part of the PSRAM plays one, and the driver holds to the
 *             rules of NOR flash; QEMU keeps that memory in a file if it is told to (below).
 *   random    none on the board. mup_mps2_random_port() fails, as the contract wants it, so that
 *             firmware for this board issues no device token. Tests have a generator of their own.
 *   clock     the counter of the FPGA's I/O block, prescaled to milliseconds.
 *   transport UART1: a line on which streams are opened and closed (below).
 *   uart      UART0, for text.
 *   reset     SYSRESETREQ.
 *
 * Interrupts are not used. A UART of this board holds one byte; QEMU waits while it is full, but a
 * real line would lose bytes: there, fill a ring by interrupt, as port/nrf51 does.
 *
 *   qemu-system-arm -M mps2-an385,memory-backend=psram
 *       -object memory-backend-file,id=psram,mem-path=FILE,size=16M,share=on
 *
 * Source: Arm application note 385; CMSDK technical reference manual (UART).
 */
#ifndef MUP_PORT_MPS2_H
#define MUP_PORT_MPS2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/port/clock.h"
#include "mup/port/flash.h"
#include "mup/port/random.h"
#include "mup/port/reset.h"
#include "mup/port/transport.h"

#define MUP_MPS2_FLASH_SIZE      UINT32_C(1048576)
#define MUP_MPS2_FLASH_PAGE_SIZE UINT32_C(4096)

struct mup_port_flash mup_mps2_flash_port(void);

/* Always fails. */
struct mup_port_random mup_mps2_random_port(void);

struct mup_port_reset mup_mps2_reset_port(void);

/* Starts the counter at 0. */
struct mup_port_clock mup_mps2_clock_port(void);

/* Put the clock somewhere else; for tests of its wrap. */
void mup_mps2_clock_set(uint32_t ms);

/* ---- Text ---------------------------------------------------------------------------------- */

void mup_mps2_uart_init(void);

/* Send one byte on UART0; waits until it is taken. */
void mup_mps2_uart_put(uint8_t byte);

/* ---- Streams over UART1 -------------------------------------------------------------------- */

/*
 * The other end of the line opens streams for the device, as a modem does. A byte stands for
 * itself, except MUP_MPS2_ESCAPE, after which comes one of these:
 *
 *   DATA                     the byte MUP_MPS2_ESCAPE
 *   OPEN   number peer       device: connect me with that peer; a stream that is open ends
 *   OPENED number            host: done; what follows is the peer's
 *   CLOSED number            both: the stream is at its end, or did not come about
 *
 * The number is the device's and counts streams, so that an answer to an earlier one is known as
 * such: until OPENED with the right number the device drops all bytes.
 */
#define MUP_MPS2_ESCAPE        0xfeu
#define MUP_MPS2_ESCAPE_DATA   0u
#define MUP_MPS2_ESCAPE_OPEN   1u
#define MUP_MPS2_ESCAPE_OPENED 2u
#define MUP_MPS2_ESCAPE_CLOSED 3u

enum mup_mps2_stream_state {
    MUP_MPS2_STREAM_CLOSED,
    MUP_MPS2_STREAM_OPENING,
    MUP_MPS2_STREAM_OPEN,
    MUP_MPS2_STREAM_GONE, /* the other end closed it */
};

/* The longest that waits for room in the UART: an escaped byte's rest, OPEN, and CLOSED. */
#define MUP_MPS2_PENDING_MAX 8u

/* One line; caller-owned, private fields. Must not move while its contract is in use. */
struct mup_mps2_line {
    enum mup_mps2_stream_state state;
    uint8_t peer;
    uint8_t number; /* of the newest stream */
    uint8_t escape; /* 0 = no, MUP_MPS2_ESCAPE = a code comes, else that code's number comes */
    uint8_t pending_count;
    uint8_t pending[MUP_MPS2_PENDING_MAX]; /* to be sent before anything else */
};

/* Streams to the peer of that number. One line at a time. */
struct mup_port_transport mup_mps2_transport_port(struct mup_mps2_line *line, uint8_t peer);

#endif
