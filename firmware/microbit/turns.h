/*
 * The application's turns while the agent is busy: hashing a block or a whole image, writing it to
 * flash, and waiting for random numbers take longer than a product can wait.
 *
 * The agent does such work through functions that the firmware gives it: SHA-256, the flash and the
 * random numbers. Here these do it a part at a time and, when the last turn was MICROBIT_TURN_MS
 * ago, give one in between, on the same stack: the network and the product, never the agent, which
 * is in the middle of something. So what is called by lwIP must not come here.
 *
 * The check of a signature has no such parts; it runs as a task (task.h).
 */
#ifndef MUP_MICROBIT_TURNS_H
#define MUP_MICROBIT_TURNS_H

#include "mup/port/flash.h"
#include "mup/port/random.h"

#define MICROBIT_TURN_MS 4u

/* From now on there are turns; before, the network is not there yet. */
void microbit_turns_begin(void);

/* The application has just had its turn. */
void microbit_turn_ended(void);

/* A place where others may have a turn: gives one if it is time. */
void microbit_give_way(void);

/*
 * From now on an erasure and each written word take the longest times that the nRF51822's Product
 * Specification has for its NVMC, 22.3 ms and 46.3 us, in which the device does nothing else. For
 * QEMU, whose flash takes no time.
 */
void microbit_turns_take_flash_times(void);

/* Ports for the agent; the others' are the board's own. */
struct mup_port_flash microbit_flash_port(void);
struct mup_port_random microbit_random_port(void);

#endif
