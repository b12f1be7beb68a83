/* What has been on the air, as JSON: docs/man/mup-router.1 describes it. */
#ifndef MUP_LAB_REPORT_H
#define MUP_LAB_REPORT_H

#include <jansson.h>

#include "air.h"
#include "realtime.h"

/* All counters; the caller's to give back. */
json_t *mup_report(struct mup_air *air, const struct mup_realtime *realtime);

/* The settings in force, likewise. */
json_t *mup_report_faults(const struct mup_faults *faults);

#endif
