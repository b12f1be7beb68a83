/* A capability as JSON for machines and as an indented tree for people (capability.h). */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/description/capability.h"

static const char *type_name(enum mup_input_type type)
{
    switch (type) {
    case MUP_INPUT_INT:
        return "int";
    case MUP_INPUT_DECIMAL:
        return "decimal";
    case MUP_INPUT_BOOL:
        return "bool";
    case MUP_INPUT_STRING:
        return "string";
    case MUP_INPUT_ENUM:
        return "enum";
    case MUP_INPUT_BINARY:
        return "binary";
    case MUP_INPUT_STRUCT:
        return "struct";
    }
    return "string";
}

/* A topic as it is to be shown: filled where there is a name and room. */
static const char *shown_topic(char filled[MUP_TOPIC_SIZE_MAX + 1], const char *topic,
                               const char *name)
{
    if (name && mup_topic_fill(filled, MUP_TOPIC_SIZE_MAX + 1, topic, name) == MUP_OK)
        return filled;
    return topic;
}

static void print_bound(char *out, size_t size, enum mup_input_type type, int64_t value)
{
    if (type == MUP_INPUT_DECIMAL)
        snprintf(out, size, "%.6f", (double)value / 1e6);
    else
        snprintf(out, size, "%" PRId64, value);
}

static json_t *bound_json(enum mup_input_type type, int64_t value)
{
    return type == MUP_INPUT_DECIMAL ? json_real((double)value / 1e6) : json_integer(value);
}

static void add_text(json_t *object, const char *key, const char *text)
{
    if (text[0])
        json_object_set_new(object, key, json_string(text));
}

static void add_inputs(json_t *object, const char *key, const struct mup_input *inputs,
                       size_t count);

static json_t *input_json(const struct mup_input *input)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:b}", "name", input->yang_name, "type", type_name(input->type),
                  "description", input->description, "required", (int)input->required);
    if (input->has_min)
        json_object_set_new(object, "min", bound_json(input->type, input->min));
    if (input->has_max)
        json_object_set_new(object, "max", bound_json(input->type, input->max));
    if (input->has_min_size)
        json_object_set_new(object, "min-size", json_integer(input->min_size));
    if (input->has_max_size)
        json_object_set_new(object, "max-size", json_integer(input->max_size));
    add_text(object, "pattern", input->pattern);
    add_text(object, "unit", input->unit);
    add_text(object, "symbol", input->symbol);
    if (input->type == MUP_INPUT_ENUM) {
        json_t *values = json_array();
        for (size_t i = 0; i < input->enum_count; i++)
            json_array_append_new(values, json_string(input->enum_values[i]));
        json_object_set_new(object, "values", values);
    }
    if (input->type == MUP_INPUT_STRUCT)
        add_inputs(object, "parts", input->parts, input->part_count);
    return object;
}

/* Structures are MUP_INPUT_DEPTH_MAX deep at most, and so is this. */
static void add_inputs(json_t *object, const char *key, const struct mup_input *inputs,
                       size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, input_json(&inputs[i]));
    json_object_set_new(object, key, array);
}

static json_t *state_json(const struct mup_declared_state *state)
{
    json_t *object =
        json_pack("{s:s, s:s}", "name", state->name, "description", state->description);
    if (state->code != MUP_NO_STATE_CODE)
        json_object_set_new(object, "code", json_integer(state->code));
    return object;
}

/* The fault is a fact of the template, so it is judged again when the device has a name. */
static enum mup_topic_fault shown_fault(enum mup_topic_fault fault, const char *topic,
                                        const char *name)
{
    return name ? mup_topic_check(topic, name) : fault;
}

static json_t *rpc_json(const struct mup_rpc *rpc, const char *name)
{
    char filled[MUP_TOPIC_SIZE_MAX + 1];
    const char *topic = shown_topic(filled, rpc->topic, name);
    enum mup_topic_fault fault = shown_fault(rpc->topic_fault, topic, name);
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:b, s:[]}", "name", rpc->yang_name,
                               "description", rpc->description, "topic", topic, "method",
                               rpc->method, "usable", fault == MUP_TOPIC_OK, "states");
    if (fault != MUP_TOPIC_OK)
        json_object_set_new(object, "fault", json_string(mup_topic_fault_text(fault)));
    add_inputs(object, "inputs", rpc->inputs, rpc->input_count);
    for (size_t i = 0; i < rpc->state_count; i++)
        json_array_append_new(json_object_get(object, "states"), state_json(&rpc->states[i]));
    return object;
}

static json_t *telemetry_json(const struct mup_telemetry *telemetry, const char *name)
{
    char filled[MUP_TOPIC_SIZE_MAX + 1];
    const char *topic = shown_topic(filled, telemetry->topic, name);
    enum mup_topic_fault fault = shown_fault(telemetry->topic_fault, topic, name);
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "name", telemetry->yang_name, "description",
                  telemetry->description, "topic", topic, "unit", telemetry->unit, "symbol",
                  telemetry->symbol, "usable", fault == MUP_TOPIC_OK);
    if (fault != MUP_TOPIC_OK)
        json_object_set_new(object, "fault", json_string(mup_topic_fault_text(fault)));
    return object;
}

static void add_points(json_t *object, const char *key, const struct mup_telemetry *points,
                       size_t count, const char *name)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, telemetry_json(&points[i], name));
    json_object_set_new(object, key, array);
}

enum mup_status mup_capability_json(char **out, const struct mup_capability *capability,
                                    const char *name)
{
    char hex[2 * MUP_DESCRIPTION_DIGEST_SIZE + 1];
    for (size_t i = 0; i < MUP_DESCRIPTION_DIGEST_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", capability->digest[i]);
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:[]}", "digest", hex, "uuid",
                               capability->uuid, "category", capability->category, "description",
                               capability->description, "module", capability->module_name,
                               "namespace", capability->module_namespace, "rpcs");
    for (size_t i = 0; i < capability->rpc_count; i++)
        json_array_append_new(json_object_get(object, "rpcs"),
                              rpc_json(&capability->rpcs[i], name));
    add_points(object, "telemetry", capability->telemetry, capability->telemetry_count, name);
    add_points(object, "events", capability->events, capability->event_count, name);
    char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
    json_decref(object);
    if (!text)
        return MUP_ERR_SPACE;
    *out = text;
    return MUP_OK;
}

static void put_unit(FILE *out, const char *unit, const char *symbol)
{
    if (unit[0])
        fprintf(out, ", unit %s%s%s%s", unit, symbol[0] ? " (" : "", symbol, symbol[0] ? ")" : "");
}

static void put_limits(FILE *out, const struct mup_input *input)
{
    char low[32] = "", high[32] = "";
    if (input->has_min)
        print_bound(low, sizeof low, input->type, input->min);
    if (input->has_max)
        print_bound(high, sizeof high, input->type, input->max);
    if (input->has_min || input->has_max)
        fprintf(out, " %s..%s", low, high);
    if (input->has_min_size || input->has_max_size) {
        snprintf(high, sizeof high, "%" PRIu32, input->max_size);
        fprintf(out, ", size %" PRIu32 "..%s", input->min_size, input->has_max_size ? high : "");
    }
    if (input->pattern[0])
        fprintf(out, ", pattern %s", input->pattern);
    for (size_t i = 0; i < input->enum_count; i++)
        fprintf(out, "%s%s", i ? " | " : " ", input->enum_values[i]);
}

static void put_inputs(FILE *out, const struct mup_input *inputs, size_t count, int indent)
{
    for (size_t i = 0; i < count; i++) {
        const struct mup_input *input = &inputs[i];
        fprintf(out, "%*s%s: %s", indent, "", input->yang_name, type_name(input->type));
        put_limits(out, input);
        put_unit(out, input->unit, input->symbol);
        fprintf(out, "%s%s%s\n", input->required ? "" : ", optional",
                input->description[0] ? "  - " : "", input->description);
        put_inputs(out, input->parts, input->part_count, indent + 2);
    }
}

static void put_rpc(FILE *out, const struct mup_rpc *rpc, const char *name)
{
    char filled[MUP_TOPIC_SIZE_MAX + 1];
    const char *topic = shown_topic(filled, rpc->topic, name);
    enum mup_topic_fault fault = shown_fault(rpc->topic_fault, topic, name);
    fprintf(out, "  rpc %s%s%s\n", rpc->yang_name, rpc->description[0] ? "  - " : "",
            rpc->description);
    fprintf(out, "      topic %s, method %s\n", topic, rpc->method);
    if (fault != MUP_TOPIC_OK)
        fprintf(out, "      unusable: %s\n", mup_topic_fault_text(fault));
    put_inputs(out, rpc->inputs, rpc->input_count, 6);
    if (rpc->state_count > 0) {
        fputs("      states", out);
        for (size_t i = 0; i < rpc->state_count; i++)
            fprintf(out, " %s", rpc->states[i].name);
        fputc('\n', out);
    }
}

static void put_telemetry(FILE *out, const char *kind, const struct mup_telemetry *telemetry,
                          const char *name)
{
    char filled[MUP_TOPIC_SIZE_MAX + 1];
    const char *topic = shown_topic(filled, telemetry->topic, name);
    enum mup_topic_fault fault = shown_fault(telemetry->topic_fault, topic, name);
    fprintf(out, "  %s %s%s%s\n", kind, telemetry->yang_name,
            telemetry->description[0] ? "  - " : "", telemetry->description);
    fprintf(out, "      topic %s", topic);
    put_unit(out, telemetry->unit, telemetry->symbol);
    fputc('\n', out);
    if (fault != MUP_TOPIC_OK)
        fprintf(out, "      unusable: %s\n", mup_topic_fault_text(fault));
}

static void drop_control_bytes(char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < 0x20 && c != '\n') || c == 0x7f)
            *text = '?';
    }
}

enum mup_status mup_capability_tree(char **out, const struct mup_capability *capability,
                                    const char *name)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return MUP_ERR_SPACE;
    fprintf(stream, "%s%s%s\n", capability->category, capability->description[0] ? "  - " : "",
            capability->description);
    fprintf(stream, "  uuid %s\n  module %s\n",
            name && strcmp(capability->uuid, "%s") == 0 ? name : capability->uuid,
            capability->module_name);
    for (size_t i = 0; i < capability->rpc_count; i++)
        put_rpc(stream, &capability->rpcs[i], name);
    for (size_t i = 0; i < capability->telemetry_count; i++)
        put_telemetry(stream, "telemetry", &capability->telemetry[i], name);
    for (size_t i = 0; i < capability->event_count; i++)
        put_telemetry(stream, "event", &capability->events[i], name);
    int failed = ferror(stream);
    if (fclose(stream) != 0 || failed) {
        free(text);
        return MUP_ERR_SPACE;
    }
    drop_control_bytes(text);
    *out = text;
    return MUP_OK;
}
