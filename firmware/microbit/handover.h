/*
 * What bootloader and application share in RAM: the first bytes, which both linker scripts leave
 * alone. A debugger or the lab finds them at 0x20000000.
 */
#ifndef MUP_MICROBIT_HANDOVER_H
#define MUP_MICROBIT_HANDOVER_H

#include <stdint.h>

struct microbit_handover {
    uint32_t vectors;           /* address of the running image's vector table; 0: none runs */
    volatile uint32_t unfed_s;  /* seconds since the watchdog was fed */
    uint32_t stack_unused;      /* bytes, of the application that asked for the newest reset */
    uint32_t task_stack_unused; /* the same of its task's stack (task.h) */
};

extern struct microbit_handover microbit_handover; /* placed by the linker scripts */

#endif
