/* An update as JSON: the same shape for REST answers and events. */
#ifndef MUP_SERVER_UPDATE_JSON_H
#define MUP_SERVER_UPDATE_JSON_H

#include <jansson.h>

#include "store/server_store.h"

/* release may be NULL. New reference; NULL: no memory. */
json_t *mup_update_json(const struct mup_stored_update *update,
                        const struct mup_stored_release *release,
                        const struct mup_stored_step *steps, size_t step_count);

/* How far the transfer is, under "progress". */
void mup_update_json_progress(json_t *update, uint64_t at, uint64_t of);

json_t *mup_release_json(const struct mup_stored_release *release);

#endif
