/*
 * Questions about all devices: which ones match, in which order, a page of them; and how many there
 * are of each kind.
 */
#ifndef MUP_SERVER_FLEET_FLEET_H
#define MUP_SERVER_FLEET_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "server/fleet/mirror.h"
#include "server/http.h"
#include "server/updates.h"

#define MUP_FLEET_LIMIT      100u /* devices of a page, unless asked for another number */
#define MUP_FLEET_LIMIT_MAX  1000u
#define MUP_FLEET_SEARCH_MAX 128u /* bytes */

enum mup_fleet_order {
    MUP_FLEET_BY_NAME,
    MUP_FLEET_BY_LABEL,
    MUP_FLEET_BY_CATEGORY,
    MUP_FLEET_BY_VERSION,
    MUP_FLEET_BY_STATE,
    MUP_FLEET_BY_UPDATE,
    MUP_FLEET_BY_LAST_SEEN,
    MUP_FLEET_ORDER_COUNT,
};

/* Texts are borrowed; NULL: any. */
struct mup_fleet_query {
    const char *search;
    const char *category;
    const char *state;
    const char *update;
    bool has_version;
    bool is_unknown; /* with has_version: the version is not known */
    uint32_t version;
    enum mup_fleet_order order;
    bool is_backwards;
    size_t offset;
    size_t limit;
};

/* Read the query of a request. *is_asked: there was one. False: *fault says which parameter is
 * wrong. */
bool mup_fleet_read_query(struct mup_fleet_query *query, bool *is_asked,
                          const struct mup_http_request *request, struct mup_fault *fault);

/* {"devices", "total", "matching", "offset"}; NULL: no memory. */
json_t *mup_fleet_page_json(const struct mup_mirror *mirror, const struct mup_updates *updates,
                            const struct mup_fleet_query *query);

/* All of them counted. NULL: no memory. */
json_t *mup_fleet_counts_json(const struct mup_mirror *mirror, const struct mup_updates *updates);

/* One device; update_id 0: none runs here. NULL: no memory. */
json_t *mup_fleet_device_json(const struct mup_directory_device *device, int64_t update_id);

#endif
