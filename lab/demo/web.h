/*
 * ./dev demo --web: a whole edge with a fleet to try the web page on, until Ctrl-C.
 */
#ifndef MUP_LAB_DEMO_WEB_H
#define MUP_LAB_DEMO_WEB_H

#include <stdbool.h>

#define MUP_WEB_VIRTUAL_COUNT 5u

struct mup_web_options {
    const char *bin;
    const char *source;
    bool json;
    bool has_microbit; /* one of them beside the virtual devices */
    volatile const int *stop;
};

/* Start it all, print how to reach it, stay until *stop, end it all. Returns an exit code. */
int mup_demo_web(const struct mup_web_options *options);

#endif
