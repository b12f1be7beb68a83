/*
 * The reset contract of a port: start the device again, from the boot code on.
 */
#ifndef MUP_PORT_RESET_H
#define MUP_PORT_RESET_H

struct mup_port_reset {
    void *context; /* handed to the callback; the port's own */

    /* Reset now and never return. Flash is left as it is; RAM is lost. */
    void (*now)(void *context);
};

#endif
