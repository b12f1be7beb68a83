/* Calls of devices over REST: the input is held against the module, the call goes to the bridge in
 * the person's name, the state is told in words. */
#include "server/api_visit.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "server/forms/caller.h"

#define VALUE_TEXT_MAX 4096u

/* What a state means; NULL: the RPC does not declare it. */
static const char *meaning_of(const json_t *states, const char *name)
{
    const json_t *state;
    size_t i;

    json_array_foreach(states, i, state)
    {
        const char *declared = json_string_value(json_object_get(state, "name"));
        if (declared && strcmp(declared, name) == 0) {
            return json_string_value(json_object_get(state, "description"));
        }
    }
    return NULL;
}

/* A value that is text is shown as text: UTF-8 without control characters. */
static json_t *value_text(const char *base64)
{
    unsigned char bytes[VALUE_TEXT_MAX + 4];
    size_t size = strlen(base64);
    size_t padding = 0;

    if (size == 0 || size % 4 != 0 || size / 4 * 3 > VALUE_TEXT_MAX) {
        return json_null();
    }
    while (padding < 2 && base64[size - 1 - padding] == '=') {
        padding++;
    }
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)size);
    if (decoded < (int)padding) {
        return json_null();
    }
    size_t text_size = (size_t)decoded - padding;
    for (size_t i = 0; i < text_size; i++) {
        if ((bytes[i] < 0x20 && !strchr("\t\n\r", bytes[i])) || bytes[i] == 0 || bytes[i] == 0x7f) {
            return json_null();
        }
    }
    json_t *text = json_stringn((const char *)bytes, text_size);
    return text ? text : json_null();
}

static void on_called(void *arg, const struct mup_fault *fault,
                      const struct mup_caller_result *result)
{
    struct mup_visit *visit = arg;
    const char *meaning = meaning_of(visit->states, result->state);

    if (fault && !meaning) {
        mup_visit_refuse(visit, fault);
        return;
    }
    json_t *value = result->value[0] ? json_string(result->value) : json_null();
    mup_answer_json(visit->request, 200,
                    json_pack("{s:b, s:s, s:s, s:o, s:o, s:I}", "ok", fault ? 0 : 1, "state",
                              result->state, "meaning", meaning ? meaning : "", "value",
                              value ? value : json_null(), "value_text", value_text(result->value),
                              "ms", (json_int_t)result->took_ms));
    mup_visit_end(visit);
}

static void refuse_input(struct mup_visit *visit, const struct mup_input_error *error)
{
    struct mup_fault fault;

    mup_fault_set(&fault, MUP_FAULT_INPUT_NOT_VALID, "%s%s%s", error->field,
                  error->field[0] ? ": " : "", error->message);
    json_t *answer = mup_fault_json(&fault);
    json_t *field = json_string(error->field);
    if (field && error->field[0]) {
        json_object_set(json_object_get(answer, "error"), "field", field);
    }
    json_decref(field);
    mup_answer_json(visit->request, mup_fault_http_status(fault.code), answer);
    mup_visit_end(visit);
}

static void call(struct mup_visit *visit, const struct lysc_node_action *rpc)
{
    struct mup_input_error error;
    struct mup_fault fault;
    char *xml = NULL;
    const json_t *input = json_object_get(visit->body, "input");
    enum mup_status status = mup_input_xml(&xml, rpc, visit->device.uuid, input, &error);

    if (status == MUP_ERR_FORMAT) {
        refuse_input(visit, &error);
    } else if (status != MUP_OK ||
               !mup_caller_call(visit->api->parts.caller, visit->person, xml, on_called, visit)) {
        mup_fault_set(&fault, MUP_FAULT_BUSY, "%u calls are under way", MUP_CALLER_CALLS_MAX);
        mup_visit_refuse(visit, &fault);
    }
    free(xml);
}

static json_t *declared_states(const json_t *form, const char *name)
{
    const json_t *rpc;
    size_t i;

    json_array_foreach(json_object_get(form, "rpcs"), i, rpc)
    {
        const char *other = json_string_value(json_object_get(rpc, "name"));
        if (other && strcmp(other, name) == 0) {
            return json_incref(json_object_get(rpc, "states"));
        }
    }
    return json_array();
}

static void on_module(void *arg, const struct mup_fault *fault,
                      const struct mup_schema_text *module)
{
    struct mup_visit *visit = arg;
    struct mup_fault own;
    char error[MUP_SCHEMA_ERROR_SIZE];

    if (fault) {
        mup_visit_refuse(visit, fault);
        return;
    }
    struct mup_schema *schema = mup_schema_open(module->name, module->text, module->myno, error);
    const struct lysc_node_action *rpc = schema ? mup_schema_rpc(schema, visit->rpc) : NULL;
    if (!schema) {
        mup_fault_set(&own, MUP_FAULT_MODULE_NOT_VALID, "%s", error);
        mup_visit_refuse(visit, &own);
    } else if (!rpc) {
        mup_fault_set(&own, MUP_FAULT_UNKNOWN_RPC, "%s has no RPC %.100s", visit->device.name,
                      visit->rpc);
        mup_visit_refuse(visit, &own);
    } else {
        visit->states = declared_states(module->form, visit->rpc);
        call(visit, rpc);
    }
    mup_schema_close(schema);
}

void mup_api_post_rpc(struct mup_api *api, const struct mup_ask *ask)
{
    struct mup_fault fault;

    if (!json_is_object(json_object_get(ask->body, "input")) || json_object_size(ask->body) != 1) {
        mup_answer_refuse(ask->request, MUP_FAULT_BAD_REQUEST,
                          "the body is not {\"input\": {...}}");
        return;
    }
    struct mup_visit *visit = mup_visit_begin(api, ask, ask->parts.texts[0]);
    if (!visit) {
        return;
    }
    memcpy(visit->rpc, ask->parts.texts[1], sizeof visit->rpc);
    if (visit->device.module[0] == '\0') {
        mup_fault_set(&fault, MUP_FAULT_DEVICE_NOT_READY, "%s cannot be called: it is %s",
                      visit->device.name, visit->device.state);
        mup_visit_refuse(visit, &fault);
    } else {
        mup_schemas_get(api->parts.schemas, visit->device.module, on_module, visit);
    }
}
