/* Walks the compiled module; the statements of `myno` stand in the parsed one. */
#include "server/forms/form.h"

#include <ctype.h>
#include <inttypes.h>
#include <libyang/plugins_exts.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MUP_DECIMAL_DIGITS_MAX 18u /* of decimal64, RFC 6020 section 9.3 */

static json_t *text_json(const char *text)
{
    json_t *made = json_string(text ? text : "");

    return made ? made : json_string("");
}

/* ---- types ---- */

/* 12345 with 2 digits is 123.45, and 100 is 1. */
static json_t *decimal_json(int64_t value, unsigned digits)
{
    char text[32]; /* from its end on: at most 19 digits, a point, a zero before it, a sign */
    char *at = text + sizeof text - 1;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    bool is_fraction_seen = false;

    *at = '\0';
    for (unsigned i = 0; i < digits && i < MUP_DECIMAL_DIGITS_MAX; i++, left /= 10) {
        is_fraction_seen |= left % 10 != 0;
        if (is_fraction_seen) {
            *--at = (char)('0' + left % 10);
        }
    }
    if (is_fraction_seen) {
        *--at = '.';
    }
    do {
        *--at = (char)('0' + left % 10);
    } while ((left /= 10) > 0);
    if (value < 0) {
        *--at = '-';
    }
    return json_string(at);
}

static json_t *bound_json(const struct lysc_type *type, int64_t as_signed, uint64_t as_unsigned)
{
    char text[24];

    if (type->basetype == LY_TYPE_DEC64) {
        return decimal_json(as_signed, ((const struct lysc_type_dec *)type)->fraction_digits);
    }
    if (type->basetype > LY_TYPE_DEC64) {
        snprintf(text, sizeof text, "%" PRId64, as_signed);
    } else {
        snprintf(text, sizeof text, "%" PRIu64, as_unsigned);
    }
    return json_string(text);
}

static json_t *range_json(const struct lysc_type *type, const struct lysc_range *range)
{
    json_t *list = json_array();
    LY_ARRAY_COUNT_TYPE i;

    for (i = 0; range && i < LY_ARRAY_COUNT(range->parts); i++) {
        const struct lysc_range_part *part = &range->parts[i];
        json_array_append_new(list, json_pack("{s:o, s:o}", "min",
                                              bound_json(type, part->min_64, part->min_u64), "max",
                                              bound_json(type, part->max_64, part->max_u64)));
    }
    return list;
}

static json_t *length_json(const struct lysc_range *length)
{
    json_t *list = json_array();
    LY_ARRAY_COUNT_TYPE i;

    for (i = 0; length && i < LY_ARRAY_COUNT(length->parts); i++) {
        uint64_t max = length->parts[i].max_u64;
        json_array_append_new(
            list, json_pack("{s:I, s:o}", "min", (json_int_t)length->parts[i].min_u64, "max",
                            max > INT64_MAX ? json_null() : json_integer((json_int_t)max)));
    }
    return list;
}

static json_t *patterns_json(const struct lysc_type_str *type)
{
    json_t *list = json_array();
    LY_ARRAY_COUNT_TYPE i;

    LY_ARRAY_FOR(type->patterns, i)
    {
        if (!type->patterns[i]->inverted) {
            json_array_append_new(list, text_json(type->patterns[i]->expr));
        }
    }
    return list;
}

static json_t *enums_json(const struct lysc_type_enum *type)
{
    json_t *list = json_array();
    LY_ARRAY_COUNT_TYPE i;

    LY_ARRAY_FOR(type->enums, i)
    {
        json_array_append_new(list, json_pack("{s:o, s:o}", "name", text_json(type->enums[i].name),
                                              "description", text_json(type->enums[i].dsc)));
    }
    return list;
}

/* What the value is in JSON, and what YANG calls it. */
static const char *type_words(LY_DATA_TYPE type, const char **yang)
{
    static const struct {
        LY_DATA_TYPE type;
        const char *word;
        const char *yang;
    } words[] = {
        {LY_TYPE_BINARY, "binary", "binary"},  {LY_TYPE_UINT8, "integer", "uint8"},
        {LY_TYPE_UINT16, "integer", "uint16"}, {LY_TYPE_UINT32, "integer", "uint32"},
        {LY_TYPE_UINT64, "integer", "uint64"}, {LY_TYPE_INT8, "integer", "int8"},
        {LY_TYPE_INT16, "integer", "int16"},   {LY_TYPE_INT32, "integer", "int32"},
        {LY_TYPE_INT64, "integer", "int64"},   {LY_TYPE_DEC64, "decimal", "decimal64"},
        {LY_TYPE_BOOL, "boolean", "boolean"},  {LY_TYPE_ENUM, "enumeration", "enumeration"},
        {LY_TYPE_STRING, "string", "string"},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].type == type) {
            *yang = words[i].yang;
            return words[i].word;
        }
    }
    *yang = "string"; /* of a module that a later bridge made: text is what YANG values are */
    return "string";
}

unsigned mup_form_fraction_digits(const struct lysc_node *leaf)
{
    const struct lysc_type *type = ((const struct lysc_node_leaf *)leaf)->type;

    return type->basetype == LY_TYPE_DEC64 ? ((const struct lysc_type_dec *)type)->fraction_digits
                                           : 0;
}

static void set_limits(json_t *input, const struct lysc_type *type)
{
    if (type->basetype == LY_TYPE_STRING) {
        const struct lysc_type_str *string = (const struct lysc_type_str *)type;
        json_object_set_new(input, "length", length_json(string->length));
        json_object_set_new(input, "pattern", patterns_json(string));
    } else if (type->basetype == LY_TYPE_BINARY) {
        json_object_set_new(input, "length",
                            length_json(((const struct lysc_type_bin *)type)->length));
    } else if (type->basetype == LY_TYPE_ENUM) {
        json_object_set_new(input, "enum", enums_json((const struct lysc_type_enum *)type));
    } else if (type->basetype == LY_TYPE_DEC64) {
        const struct lysc_type_dec *decimal = (const struct lysc_type_dec *)type;
        json_object_set_new(input, "fraction_digits", json_integer(decimal->fraction_digits));
        json_object_set_new(input, "range", range_json(type, decimal->range));
    } else if (type->basetype >= LY_TYPE_UINT8 && type->basetype <= LY_TYPE_UINT64) {
        json_object_set_new(input, "range",
                            range_json(type, ((const struct lysc_type_num *)type)->range));
    } else if (type->basetype >= LY_TYPE_INT8 && type->basetype <= LY_TYPE_INT64) {
        json_object_set_new(input, "range",
                            range_json(type, ((const struct lysc_type_num *)type)->range));
    }
}

/* ---- inputs and outputs ---- */

static json_t *empty_input(const struct lysc_node *node, const char *type, const char *yang)
{
    return json_pack("{s:o, s:o, s:s, s:s, s:b, s:n, s:s, s:[], s:[], s:n, s:[], s:[], s:[]}",
                     "name", text_json(node->name), "description", text_json(node->dsc), "type",
                     type, "yang_type", yang, "mandatory", (node->flags & LYS_MAND_TRUE) != 0,
                     "default", "units", "", "range", "length", "fraction_digits", "pattern",
                     "enum", "parts");
}

static json_t *leaf_json(const struct lysc_node *node)
{
    const struct lysc_node_leaf *leaf = (const struct lysc_node_leaf *)node;
    const char *yang;
    const char *word = type_words(leaf->type->basetype, &yang);
    json_t *input = empty_input(node, word, yang);

    json_object_set_new(input, "units", text_json(leaf->units));
    if (leaf->dflt) {
        json_object_set_new(input, "default",
                            text_json(lyd_value_get_canonical(node->module->ctx, leaf->dflt)));
    }
    set_limits(input, leaf->type);
    return input;
}

static json_t *parts_json(const struct lysc_node *first, const char *without, unsigned depth);

/* Depth is bounded by MUP_FORM_DEPTH_MAX. */
static json_t *node_json(const struct lysc_node *node, unsigned depth)
{
    if (node->nodetype == LYS_LEAF) {
        return leaf_json(node);
    }
    if (node->nodetype != LYS_CONTAINER || depth == MUP_FORM_DEPTH_MAX) {
        return NULL;
    }
    const struct lysc_node_container *container = (const struct lysc_node_container *)node;
    json_t *input = empty_input(node, "structure", "container");
    json_object_set_new(input, "mandatory", json_boolean((container->flags & LYS_PRESENCE) == 0));
    json_object_set_new(input, "parts", parts_json(container->child, NULL, depth + 1));
    return input;
}

static json_t *parts_json(const struct lysc_node *first, const char *without, unsigned depth)
{
    json_t *list = json_array();

    for (const struct lysc_node *node = first; node; node = node->next) {
        json_t *part = without && strcmp(node->name, without) == 0 ? NULL : node_json(node, depth);
        if (part) {
            json_array_append_new(list, part);
        }
    }
    return list;
}

/* "22_INVALID_NONCE" is "invalid nonce" when the description does not say more. */
static json_t *state_words(const char *name, const char *description)
{
    char words[128];
    size_t size = 0;

    if (description && description[0]) {
        return text_json(description);
    }
    name += strspn(name, "0123456789");
    for (name += *name == '_'; *name && size < sizeof words - 1; name++) {
        words[size++] = (char)(*name == '_' ? ' ' : tolower((unsigned char)*name));
    }
    words[size] = '\0';
    return text_json(words);
}

static json_t *states_json(const struct lysc_node *first)
{
    json_t *list = json_array();
    LY_ARRAY_COUNT_TYPE i;

    for (const struct lysc_node *node = first; node; node = node->next) {
        const struct lysc_node_leaf *leaf = (const struct lysc_node_leaf *)node;
        if (node->nodetype != LYS_LEAF || strcmp(node->name, "state") != 0 ||
            leaf->type->basetype != LY_TYPE_ENUM) {
            continue;
        }
        const struct lysc_type_enum *type = (const struct lysc_type_enum *)leaf->type;
        LY_ARRAY_FOR(type->enums, i)
        {
            json_array_append_new(
                list, json_pack("{s:o, s:o, s:i}", "name", text_json(type->enums[i].name),
                                "description", state_words(type->enums[i].name, type->enums[i].dsc),
                                "code", (int)type->enums[i].value));
        }
    }
    return list;
}

static bool is_reserved(const char *name, const char *const *reserved)
{
    for (; *reserved; reserved++) {
        if (strcmp(name, *reserved) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *rpcs_json(const struct mup_schema *schema, const char *const *reserved)
{
    json_t *list = json_array();
    const struct lysc_node *first =
        schema->module->compiled ? (const struct lysc_node *)schema->module->compiled->rpcs : NULL;

    for (const struct lysc_node *node = first; node; node = node->next) {
        const struct lysc_node_action *rpc = (const struct lysc_node_action *)node;
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "name",
                                        text_json(node->name), "description", text_json(node->dsc),
                                        "inputs", parts_json(rpc->input.child, "uuid", 0),
                                        "outputs", parts_json(rpc->output.child, "state", 0),
                                        "states", states_json(rpc->output.child), "reserved",
                                        is_reserved(node->name, reserved) ? 1 : 0));
    }
    return list;
}

/* ---- telemetry and events ---- */

/* "myno:telemetry" -> "telemetry": the prefix is the module's own choice. */
static const char *without_prefix(const char *name)
{
    const char *colon = strchr(name, ':');

    return colon ? colon + 1 : name;
}

static json_t *statement_json(const struct lysp_stmt *first, const char *name)
{
    for (const struct lysp_stmt *statement = first; statement; statement = statement->next) {
        if (strcmp(without_prefix(statement->stmt), name) == 0) {
            return text_json(statement->arg);
        }
    }
    return json_string("");
}

static json_t *points_json(const struct mup_schema *schema, const char *kind)
{
    json_t *list = json_array();
    const struct lysp_ext_instance *statements = schema->module->parsed->exts;
    LY_ARRAY_COUNT_TYPE i;

    LY_ARRAY_FOR(statements, i)
    {
        const struct lysp_ext_instance *point = &statements[i];
        if (strcmp(without_prefix(point->name), kind) != 0 || !point->argument) {
            continue;
        }
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:n, s:n}", "name",
                                              text_json(point->argument), "description",
                                              statement_json(point->child, "description"), "units",
                                              statement_json(point->child, "unit"), "symbol",
                                              statement_json(point->child, "symbol"), "topic",
                                              statement_json(point->child, "topic"), "type",
                                              "unknown", "value", "at"));
    }
    return list;
}

json_t *mup_form_json(const struct mup_schema *schema, const char *const *reserved)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "description", text_json(schema->module->dsc), "rpcs",
                     rpcs_json(schema, reserved), "telemetry", points_json(schema, "telemetry"),
                     "events", points_json(schema, "event"));
}
