/*
 * What the demo tells people beside its steps: who takes part, and in the end what can be seen of
 * the device from outside. Nothing is told when demo->out is NULL.
 */
#ifndef MUP_LAB_ACCOUNT_H
#define MUP_LAB_ACCOUNT_H

#include "demo.h"

__attribute__((format(printf, 2, 3))) void mup_account_say(const struct mup_demo *demo,
                                                           const char *format, ...);

/* Who takes part: before anything starts, when the edge runs, when the device is made. */
void mup_account_begin(const struct mup_demo *demo);
void mup_account_vendor(const struct mup_demo *demo);
void mup_account_edge(const struct mup_demo *demo);
void mup_account_device(const struct mup_demo *demo);

/* What was found in flash, RAM and on the air after the update. */
void mup_account_end(const struct mup_demo *demo);

#endif
