/* A request on its way through others: what has to be remembered until the last of them answers. */
#ifndef MUP_SERVER_API_VISIT_H
#define MUP_SERVER_API_VISIT_H

#include "server/api_internal.h"
#include "server/forms/input.h"

struct mup_visit {
    struct mup_visit *next;
    struct mup_api *api;
    struct mup_http_request *request;
    struct mup_directory_device device; /* as it was when somebody asked */
    char person[MUP_USER_NAME_MAX + 1];
    char rpc[MUP_ROUTE_PART_SIZE];
    json_t *body;   /* of the request; NULL: none */
    json_t *values; /* last values of the device */
    json_t *states; /* that the RPC declares */
    const struct mup_stored_release *release;
};

/* For the device that the path names in its first place. NULL: that has been answered. */
struct mup_visit *mup_visit_begin(struct mup_api *api, const struct mup_ask *ask,
                                  const char *device);
void mup_visit_end(struct mup_visit *visit);

/* Answer with the fault and end. */
void mup_visit_refuse(struct mup_visit *visit, const struct mup_fault *fault);

#endif
