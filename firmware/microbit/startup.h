/* What happens before main(), and what every vector table of this board needs. */
#ifndef MUP_MICROBIT_STARTUP_H
#define MUP_MICROBIT_STARTUP_H

#include <stdint.h>

#include "mup/port/nrf51.h"

typedef void microbit_vector(void);

#define MICROBIT_EXCEPTIONS   16u /* stack pointer, reset, faults, SVC, SysTick: Armv6-M B1.5.3 */
#define MICROBIT_VECTORS      (MICROBIT_EXCEPTIONS + MUP_NRF51_IRQ_COUNT)
#define MICROBIT_STACK_UNUSED UINT32_C(0x5a5a5a5a) /* the stack is painted with it */

extern uint32_t microbit_stack_top;

/* Entry: fills .data, clears .bss, paints the stack, calls main(). */
void microbit_reset(void);

/* Bytes of the stack that were never used since the reset. */
uint32_t microbit_stack_unused(void);

/* There is no going on: reset. Also the handler of every fault. */
__attribute__((used)) void microbit_panic(void);

int main(void);

#endif
