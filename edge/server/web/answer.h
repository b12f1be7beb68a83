/* Answers in JSON, and refusals, the same for every path. */
#ifndef MUP_SERVER_WEB_ANSWER_H
#define MUP_SERVER_WEB_ANSWER_H

#include <jansson.h>

#include "server/fault.h"
#include "server/http.h"

/* Takes the reference; NULL (no memory) is answered 500. */
void mup_answer_json(struct mup_http_request *request, unsigned status, json_t *json);

/* {"NAME": list}; takes the list. NULL: it could not be made, which is the store's fault. */
void mup_answer_list(struct mup_http_request *request, const char *name, json_t *list);

void mup_answer_fault(struct mup_http_request *request, const struct mup_fault *fault);

__attribute__((format(printf, 3, 4))) void mup_answer_refuse(struct mup_http_request *request,
                                                             enum mup_fault_code code,
                                                             const char *format, ...);

/* {"error": {"code", "message", "hint"}}; new reference. */
json_t *mup_fault_json(const struct mup_fault *fault);

#endif
