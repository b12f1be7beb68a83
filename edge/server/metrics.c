/* One line of help, one of type, one of value for each counter. */
#include "server/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#define METRICS_SIZE 4096u

struct metric {
    const char *name;
    const char *type;
    const char *help;
    uint64_t value;
};

char *mup_metrics_text(const struct mup_updates *updates, const struct mup_releases *releases,
                       const struct mup_mqtt_session *mqtt)
{
    const struct mup_updates_counters *c = mup_updates_counters(updates);
    const struct metric metrics[] = {
        {"mup_updates_started_total", "counter", "Updates begun.", c->started},
        {"mup_updates_confirmed_total", "counter", "Updates that were confirmed.", c->confirmed},
        {"mup_updates_failed_total", "counter", "Updates that failed.", c->failed},
        {"mup_updates_reverted_total", "counter", "Updates that were reverted.", c->reverted},
        {"mup_updates_running", "gauge", "Updates under way.", mup_updates_running_count(updates)},
        {"mup_slices_total", "counter", "Slices sent.", c->slices},
        {"mup_slice_bytes_total", "counter", "Payload bytes sent in slices.", c->slice_bytes},
        {"mup_rewinds_total", "counter", "Times that a transfer went back.", c->rewinds},
        {"mup_releases", "gauge", "Releases kept.", mup_releases_count(releases)},
        {"mup_broker_connected", "gauge", "1 while connected to the broker.",
         mqtt && mup_mqtt_session_is_connected(mqtt)},
    };
    char *text = malloc(METRICS_SIZE);
    size_t used = 0;

    for (size_t i = 0; text && i < sizeof metrics / sizeof metrics[0]; i++) {
        const struct metric *m = &metrics[i];
        used += (size_t)snprintf(text + used, METRICS_SIZE - used,
                                 "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", m->name, m->help, m->name,
                                 m->type, m->name, (unsigned long long)m->value);
    }
    return text;
}
