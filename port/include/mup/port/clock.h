/*
 * The clock contract of a port: milliseconds that never run backwards.
 *
 * The count wraps after 49.7 days; callers compare by subtraction (now - then), never by <, and
 * measure no span longer than 24 days. Its start is arbitrary, it need not be right about the time
 * of day, and it may be set back to anything by a reset.
 */
#ifndef MUP_PORT_CLOCK_H
#define MUP_PORT_CLOCK_H

#include <stdint.h>

struct mup_port_clock {
    void *context; /* handed to the callback; the port's own */

    /* Milliseconds since an arbitrary moment, modulo 2^32. Cannot fail; goes on in sleep modes. */
    uint32_t (*now_ms)(void *context);
};

#endif
