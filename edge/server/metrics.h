/* Counters in Prometheus' text format. */
#ifndef MUP_SERVER_METRICS_H
#define MUP_SERVER_METRICS_H

#include "server/releases.h"
#include "server/updates.h"

/* malloc'ed text; NULL: no memory. mqtt may be NULL. */
char *mup_metrics_text(const struct mup_updates *updates, const struct mup_releases *releases,
                       const struct mup_mqtt_session *mqtt);

#endif
