/*
 * The parts of the micro:bit's application: radio, TCP, what the product does, and the main loop
 * around the update agent.
 */
#ifndef MUP_MICROBIT_FIRMWARE_H
#define MUP_MICROBIT_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/agent.h"
#include "mup/port/transport.h"

#include "image_info.h"
#include "settings.h"

extern const volatile struct microbit_image_info microbit_image_info;

/* ---- main.c -------------------------------------------------------------------------------- */

uint32_t microbit_now_ms(void);

/* A turn of everything but the agent, for while the agent is busy: turns.h, task.h. */
void microbit_meanwhile(void);

/* ---- radio.c: IEEE 802.15.4 frames over the UART, 6LoWPAN above them ------------------------- */

/* `settings` is kept. Frames are a byte of length, 3 to 127, and that many bytes of PSDU, the frame
 * check sequence included. On a board with a radio of its own this file is its driver. */
void microbit_radio_init(const struct microbit_settings *settings);

/* Take in what the UART has. */
void microbit_radio_poll(void);

/* ---- tcp.c: the transport contract over lwIP ------------------------------------------------- */

struct mup_port_transport microbit_tcp_port(const struct microbit_settings *settings);

/* Acknowledge if the sender waits for it: to be called after receive() and what followed from it,
 * so that the acknowledgement can ride with that. */
void microbit_tcp_flush(void);

/* The next send() does not wait for the end of a burst: the connection is about to be closed. */
void microbit_tcp_hurry(void);

/* ---- application.c: lamp and thermometer ----------------------------------------------------- */

#define MICROBIT_TOPIC_COUNT 2u
extern const char *const microbit_topics[MICROBIT_TOPIC_COUNT];

void microbit_application_init(uint32_t seed);
void microbit_application_command(struct mup_agent_answer *answer,
                                  const struct mup_agent_call *call);
/* Takes in what the agent tells; what is of interest to others is published at the next tick. */
void microbit_application_notice(enum mup_agent_notice notice, uint32_t state);
/* Blinks, measures, publishes when it is time; returns in how many ms it is time again. Without an
 * agent (NULL: it is busy) the value waits. */
uint32_t microbit_application_tick(struct mup_agent *agent);

/* ---- description.S --------------------------------------------------------------------------- */

extern const uint8_t microbit_description[];
extern const uint8_t microbit_description_end[];

#endif
