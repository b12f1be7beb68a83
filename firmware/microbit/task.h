/*
 * One long computation that does not hold the device up: the check of a signature takes 2.7 s at
 * 16 MHz, and meanwhile frames come in, TCP wants acknowledgements and lamps blink.
 *
 * The computation runs on a stack of its own, and the main stack gets the processor back at each
 * alarm of the clock. There is one task at a time, and no scheduler besides.
 */
#ifndef MUP_MICROBIT_TASK_H
#define MUP_MICROBIT_TASK_H

#include <stdint.h>

/* What p256_verify takes on a Cortex-M0, with the frames of two exceptions: 3,744 were measured. */
#define MICROBIT_TASK_STACK_SIZE 3840u

/* How long the task computes before the main stack has its turn. */
#define MICROBIT_TASK_TURN_MS 4u

/*
 * Run work(context) on the task's stack until it returns. Between its turns `meanwhile` is called
 * on the stack of the caller, which must not be the task's; it must return soon.
 */
void microbit_task_run(void (*work)(void *context), void *context, void (*meanwhile)(void));

/* To be called by the alarm's interrupt: the task's turn is over. */
void microbit_task_alarm(void);

/* Handler of PendSV: goes from one stack to the other. */
void microbit_task_switch(void);

/* Bytes of the task's stack that were never used since the reset. */
uint32_t microbit_task_stack_unused(void);

#endif
