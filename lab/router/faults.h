/*
 * What is wrong with the air, as text: the options of mup-router's command line, and the settings
 * of its control socket.
 *
 *     loss 10%              frames that a receiver does not hear, each by itself; also ack-loss
 *                           (of acknowledgements), corrupt, duplicate
 *     burst 12.5%,25%,90%   good to bad, bad to good, loss while bad; or off
 *     sleep 125,5,100       milliseconds: period, on in each, on after each frame; or off
 *     link off              nothing arrives; or on
 *     offers 3              so often at most goes a frame without a channel to its MAC again
 *     seed 7                of all chance
 */
#ifndef MUP_LAB_FAULTS_H
#define MUP_LAB_FAULTS_H

#include <stdbool.h>

#include "medium.h"

/*
 * The MAC of the standard gives a frame up when five assessments found the channel busy, and leaves
 * the rest to whoever is above (IEEE 802.15.4-2020, CHANNEL_ACCESS_FAILURE). On a channel that one
 * sender fills, that befalls one in six frames of the others; drivers such as OpenThread's or
 * Contiki's hand such a frame to the MAC again, as often as a MAC retries.
 */
#define MUP_FAULTS_OFFERS     3u
#define MUP_FAULTS_OFFERS_MAX 15u

struct mup_faults {
    struct mup_medium_config medium;
    struct mup_medium_sleep sleep; /* of the devices; the router is always on */
};

/* Nothing is wrong. */
void mup_faults_init(struct mup_faults *faults);

/* False, *why tells what is wrong with it, and nothing is changed: no such name, or no such value.
 * *why is static. */
bool mup_faults_set(struct mup_faults *faults, const char *name, const char *value,
                    const char **why);

#endif
