/*
 * What is wrong with the air, as text: the options of mup-router's command line, and the settings
 * of its control socket.
 *
 *     loss 10%              frames that a receiver does not hear, each by itself; also ack-loss
 *                           (of acknowledgements), corrupt, duplicate
 *     burst 12.5%,25%,90%   good to bad, bad to good, loss while bad; or off
 *     sleep 125,5,100       milliseconds: period, on in each, on after each frame; or off
 *     link off              nothing arrives; or on
 *     seed 7                of all chance
 */
#ifndef MUP_LAB_FAULTS_H
#define MUP_LAB_FAULTS_H

#include <stdbool.h>

#include "medium.h"

struct mup_faults {
    struct mup_medium_config medium;
    struct mup_medium_sleep sleep; /* of the devices; the router is always on */
};

/* False, *why tells what is wrong with it, and nothing is changed: no such name, or no such value.
 * *why is static. */
bool mup_faults_set(struct mup_faults *faults, const char *name, const char *value,
                    const char **why);

#endif
