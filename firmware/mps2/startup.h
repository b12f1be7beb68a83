/* What every program for the MPS2 board needs before main(). */
#ifndef MPS2_STARTUP_H
#define MPS2_STARTUP_H

#include <stdint.h>

/* Of the linker script: the first word above RAM. */
extern uint32_t mps2_stack_top;

/* Entry: copies .data, clears .bss, calls main(). */
void mps2_reset(void);

/* The program's own: there was a fault, or main() returned. Must not return. */
void mps2_panic(void);

int main(void);

#endif
