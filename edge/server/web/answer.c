/* JSON out. */
#include "server/web/answer.h"

#include <stdarg.h>
#include <stdio.h>

void mup_answer_json(struct mup_http_request *request, unsigned status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    mup_http_reply(request, status, "application/json", text);
}

void mup_answer_list(struct mup_http_request *request, const char *name, json_t *list)
{
    if (list) {
        mup_answer_json(request, 200, json_pack("{s:o}", name, list));
    } else {
        mup_answer_refuse(request, MUP_FAULT_STORE, "the store cannot be read");
    }
}

json_t *mup_fault_json(const struct mup_fault *fault)
{
    json_t *message = json_string(fault->message);

    return json_pack("{s:{s:s, s:o, s:s}}", "error", "code", mup_fault_name(fault->code), "message",
                     message ? message : json_string("(not UTF-8)"), "hint",
                     mup_fault_hint(fault->code));
}

void mup_answer_fault(struct mup_http_request *request, const struct mup_fault *fault)
{
    mup_answer_json(request, mup_fault_http_status(fault->code), mup_fault_json(fault));
}

void mup_answer_refuse(struct mup_http_request *request, enum mup_fault_code code,
                       const char *format, ...)
{
    struct mup_fault fault = {.code = code};
    va_list values;

    va_start(values, format);
    vsnprintf(fault.message, sizeof fault.message, format, values);
    va_end(values);
    mup_answer_fault(request, &fault);
}
