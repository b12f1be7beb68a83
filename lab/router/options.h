/* The command line of mup-router. */
#ifndef MUP_LAB_OPTIONS_H
#define MUP_LAB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "faults.h"

#define MUP_OPTIONS_GO_ON (-1)

struct mup_options {
    const char *radio_path;
    const char *capture_path; /* NULL: none */
    const char *control_path; /* NULL: none; only with has_air */
    uint16_t broker_port;
    bool has_air;
    struct mup_faults faults;
};

/* MUP_OPTIONS_GO_ON, or what to exit with; then what is to be said has been said. */
int mup_options_read(struct mup_options *options, int argc, char **argv);

#endif
