/* The inputs and states of one operation: types, ranges, values, codes (extract.h). */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/description/extract.h"
#include "bridge/description/vocabulary.h"
#include "bridge/description/yang_name.h"

#define DECIMAL_UNIT 1e6 /* 10^MUP_DECIMAL_DIGITS */

/* The data types of XML Schema and the limits that come with them. */
static const struct data_type {
    const char *name;
    enum mup_input_type type;
    bool has_min, has_max;
    int64_t min, max;
} data_types[] = {
    {"int", MUP_INPUT_INT, true, true, INT32_MIN, INT32_MAX},
    {"integer", MUP_INPUT_INT, false, false, 0, 0},
    {"long", MUP_INPUT_INT, false, false, 0, 0},
    {"short", MUP_INPUT_INT, true, true, INT16_MIN, INT16_MAX},
    {"byte", MUP_INPUT_INT, true, true, INT8_MIN, INT8_MAX},
    {"unsignedInt", MUP_INPUT_INT, true, true, 0, UINT32_MAX},
    {"unsignedShort", MUP_INPUT_INT, true, true, 0, UINT16_MAX},
    {"unsignedByte", MUP_INPUT_INT, true, true, 0, UINT8_MAX},
    {"unsignedLong", MUP_INPUT_INT, true, false, 0, 0},
    {"nonNegativeInteger", MUP_INPUT_INT, true, false, 0, 0},
    {"positiveInteger", MUP_INPUT_INT, true, false, 1, 0},
    {"decimal", MUP_INPUT_DECIMAL, false, false, 0, 0},
    {"double", MUP_INPUT_DECIMAL, false, false, 0, 0},
    {"float", MUP_INPUT_DECIMAL, false, false, 0, 0},
    {"boolean", MUP_INPUT_BOOL, false, false, 0, 0},
    {"string", MUP_INPUT_STRING, false, false, 0, 0},
    {"normalizedString", MUP_INPUT_STRING, false, false, 0, 0},
    {"token", MUP_INPUT_STRING, false, false, 0, 0},
    {"anyURI", MUP_INPUT_STRING, false, false, 0, 0},
    {"hexBinary", MUP_INPUT_BINARY, false, false, 0, 0},
    {"base64Binary", MUP_INPUT_BINARY, false, false, 0, 0},
};

static const struct data_type *find_type(const char *iri)
{
    size_t size = strlen(MUP_NS_XSD);
    if (strncmp(iri, MUP_NS_XSD, size) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof data_types / sizeof data_types[0]; i++) {
        if (strcmp(data_types[i].name, iri + size) == 0)
            return &data_types[i];
    }
    return NULL;
}

static bool parse_int(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return false;
    *out = value;
    return true;
}

static bool parse_decimal(const char *text, int64_t *out)
{
    char *end;
    double value = strtod(text, &end) * DECIMAL_UNIT;
    if (end == text || *end || !(fabs(value) <= 9e18))
        return false;
    *out = llround(value);
    return true;
}

static enum mup_status broken_bound(struct mup_extraction *extraction, const char *input,
                                    const char *text)
{
    mup_problems_error(extraction->problems, 0, input, "`%s` is not a bound for its data type",
                       text);
    return MUP_ERR_FORMAT;
}

/* One declared bound, which must lie within what the data type allows. */
static enum mup_status take_bound(struct mup_input *out, struct mup_extraction *extraction,
                                  const char *input, const char *text, bool is_min)
{
    int64_t value;
    bool parsed =
        out->type == MUP_INPUT_DECIMAL ? parse_decimal(text, &value) : parse_int(text, &value);
    if (!parsed || (out->has_min && value < out->min) || (out->has_max && value > out->max))
        return broken_bound(extraction, input, text);
    if (is_min) {
        out->min = value;
        out->has_min = true;
    } else {
        out->max = value;
        out->has_max = true;
    }
    return MUP_OK;
}

/* Both declared bounds are checked against the type's limits before either narrows them. */
static enum mup_status take_bounds(struct mup_input *out, struct mup_extraction *extraction,
                                   const char *input, const char *min, const char *max)
{
    if (out->type != MUP_INPUT_INT && out->type != MUP_INPUT_DECIMAL) {
        if (min || max)
            mup_problems_warning(extraction->problems, 0, input,
                                 "a range is left out: the data type has none");
        return MUP_OK;
    }
    struct mup_input low = *out, high = *out;
    enum mup_status status = MUP_OK;
    if (min)
        status = take_bound(&low, extraction, input, min, true);
    if (max && status == MUP_OK)
        status = take_bound(&high, extraction, input, max, false);
    if (status != MUP_OK)
        return status;
    if (low.has_min && high.has_max && low.min > high.max) {
        mup_problems_error(extraction->problems, 0, input,
                           "the smallest value %s is larger than the largest %s", min ? min : "",
                           max ? max : "");
        return MUP_ERR_FORMAT;
    }
    out->has_min = low.has_min;
    out->min = low.min;
    out->has_max = high.has_max;
    out->max = high.max;
    return MUP_OK;
}

/* Without a data type, bounds say that it is a number, and whole bounds that it is an integer. */
static enum mup_input_type type_of_bounds(const char *min, const char *max)
{
    int64_t ignored;
    bool whole = (!min || parse_int(min, &ignored)) && (!max || parse_int(max, &ignored));
    return whole ? MUP_INPUT_INT : MUP_INPUT_DECIMAL;
}

static enum mup_status take_values(struct mup_input *out, struct mup_extraction *extraction,
                                   const char *input, const struct mup_pair *pairs, size_t count)
{
    enum mup_status status =
        mup_extract_count(extraction, input, count, MUP_INPUT_VALUES_MAX, "values");
    if (status != MUP_OK)
        return status;
    const char **values = mup_arena_take(extraction->arena, count * sizeof *values);
    if (!values)
        return MUP_ERR_SPACE;
    for (size_t i = 0; i < count; i++) {
        const char *value = pairs[i].value;
        size_t size = strlen(value);
        if (size == 0 || strchr(" \t\r\n", value[0]) || strchr(" \t\r\n", value[size - 1])) {
            mup_problems_error(extraction->problems, 0, input,
                               "the value `%s` is empty, or begins or ends with a space", value);
            return MUP_ERR_FORMAT;
        }
        values[i] = mup_extract_text(extraction, value);
        if (!values[i])
            return MUP_ERR_SPACE;
    }
    out->type = MUP_INPUT_ENUM;
    out->enum_values = values;
    out->enum_count = count;
    return MUP_OK;
}

static enum mup_status extract_type(struct mup_input *out, struct mup_extraction *extraction,
                                    const char *input)
{
    const char *iri = mup_extract_one(extraction, MUP_ASK_INPUT_TYPE, input, "data types");
    const char *min = mup_extract_one(extraction, MUP_ASK_INPUT_MIN, input, "smallest values");
    const char *max = mup_extract_one(extraction, MUP_ASK_INPUT_MAX, input, "largest values");
    size_t value_count;
    const struct mup_pair *values =
        mup_answer_of(&extraction->answers->to[MUP_ASK_INPUT_VALUE], input, &value_count);

    if (!iri && value_count > 0)
        return take_values(out, extraction, input, values, value_count);
    if (!iri) {
        out->type = min || max ? type_of_bounds(min, max) : MUP_INPUT_STRING;
        return take_bounds(out, extraction, input, min, max);
    }
    const struct data_type *type = find_type(iri);
    if (!type)
        mup_problems_warning(extraction->problems, 0, input,
                             "the data type <%s> is not known and read as text", iri);
    out->type = type ? type->type : MUP_INPUT_STRING;
    if (type && type->has_min) {
        out->has_min = true;
        out->min = type->min;
    }
    if (type && type->has_max) {
        out->has_max = true;
        out->max = type->max;
    }
    return take_bounds(out, extraction, input, min, max);
}

/* An input, or with `whole` the part of it that `iri` names. */
static enum mup_status extract_input(struct mup_input *out, struct mup_extraction *extraction,
                                     struct mup_yang_scope *names, const char *iri,
                                     const char *whole)
{
    const char *name = mup_iri_local_name(iri);
    out->required = true;
    out->name = whole ? mup_arena_print(extraction->arena, "%s-%s", mup_iri_local_name(whole), name)
                      : mup_arena_copy(extraction->arena, name, strlen(name));
    if (!out->name)
        return MUP_ERR_SPACE;
    out->yang_name = mup_yang_name_unique(names, extraction->arena, out->name);
    const char *text = mup_extract_one(extraction, MUP_ASK_INPUT_TEXT, iri, "descriptions");
    if (!text && whole)
        text = mup_extract_one(extraction, MUP_ASK_INPUT_TEXT, whole, "descriptions");
    out->description = mup_extract_text(extraction, text);
    if (!out->yang_name || !out->description)
        return MUP_ERR_SPACE;
    return extract_type(out, extraction, iri);
}

static bool is_target(const struct mup_extraction *extraction, const char *input)
{
    size_t count;
    mup_answer_of(&extraction->answers->to[MUP_ASK_INPUT_TARGET], input, &count);
    return count > 0;
}

/* Room for the inputs of an operation, each with its parts. */
static size_t count_inputs(const struct mup_extraction *extraction, const struct mup_pair *pairs,
                           size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        size_t parts;
        mup_answer_of(&extraction->answers->to[MUP_ASK_INPUT_PART], pairs[i].value, &parts);
        total += parts > 0 ? parts : 1;
    }
    return total;
}

enum mup_status mup_extract_inputs(struct mup_rpc *out, struct mup_extraction *extraction,
                                   const char *operation)
{
    size_t count;
    const struct mup_pair *pairs =
        mup_answer_of(&extraction->answers->to[MUP_ASK_OPERATION_INPUT], operation, &count);
    enum mup_status status =
        mup_extract_count(extraction, operation, count_inputs(extraction, pairs, count),
                          MUP_RPC_INPUTS_MAX, "inputs");
    if (status != MUP_OK)
        return status;
    struct mup_input *inputs =
        mup_arena_take(extraction->arena, MUP_RPC_INPUTS_MAX * sizeof *inputs);
    struct mup_yang_scope names = {0};
    /* The leaf of the device is there before every input. */
    if (!inputs || !mup_yang_name_unique(&names, extraction->arena, "uuid"))
        return MUP_ERR_SPACE;
    out->inputs = inputs;
    for (size_t i = 0; i < count && status == MUP_OK; i++) {
        const char *input = pairs[i].value;
        size_t part_count;
        const struct mup_pair *parts =
            mup_answer_of(&extraction->answers->to[MUP_ASK_INPUT_PART], input, &part_count);
        if (is_target(extraction, input))
            continue;
        if (part_count == 0)
            status = extract_input(&inputs[out->input_count++], extraction, &names, input, NULL);
        for (size_t j = 0; j < part_count && status == MUP_OK; j++)
            status = extract_input(&inputs[out->input_count++], extraction, &names, parts[j].value,
                                   input);
    }
    return status;
}

/* The decimal number at the front, when `end_with` or a space follows it; or no code. */
static int32_t leading_code(const char *text, char end_with)
{
    int32_t code = 0;
    size_t digits = 0;
    while (text[digits] >= '0' && text[digits] <= '9' && digits < 9) {
        code = code * 10 + (text[digits] - '0');
        digits++;
    }
    return digits > 0 && text[digits] == end_with ? code : MUP_NO_STATE_CODE;
}

/*
 * The text that describes a state: the one with the same number in front, or, when neither has
 * numbers and there are as many texts as states, the one at the same place of the sorted list (the
 * vocabulary has no other way to pair them).
 */
static const char *describe_state(const struct mup_pair *states, size_t at, size_t state_count,
                                  const struct mup_pair *texts, size_t text_count)
{
    int32_t code = leading_code(states[at].value, '_');
    if (code != MUP_NO_STATE_CODE) {
        for (size_t i = 0; i < text_count; i++) {
            if (leading_code(texts[i].value, ' ') == code)
                return texts[i].value + strcspn(texts[i].value, " ") + 1;
        }
    }
    if (text_count == state_count && leading_code(texts[at].value, ' ') == MUP_NO_STATE_CODE)
        return texts[at].value;
    return "";
}

static int compare_states(const void *a, const void *b)
{
    const struct mup_declared_state *left = a, *right = b;
    bool left_coded = left->code != MUP_NO_STATE_CODE;
    bool right_coded = right->code != MUP_NO_STATE_CODE;
    if (left_coded != right_coded)
        return left_coded ? -1 : 1;
    if (left->code != right->code)
        return left->code < right->code ? -1 : 1;
    return strcmp(left->name, right->name);
}

static enum mup_status check_states(struct mup_extraction *extraction, const char *operation,
                                    const struct mup_declared_state *states, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (states[i].code != MUP_NO_STATE_CODE && states[i].code == states[i - 1].code) {
            mup_problems_error(extraction->problems, 0, operation,
                               "the states `%s` and `%s` have the same code", states[i - 1].name,
                               states[i].name);
            return MUP_ERR_FORMAT;
        }
    }
    return MUP_OK;
}

enum mup_status mup_extract_states(struct mup_rpc *out, struct mup_extraction *extraction,
                                   const char *operation)
{
    size_t count, text_count;
    const struct mup_pair *pairs =
        mup_answer_of(&extraction->answers->to[MUP_ASK_STATE], operation, &count);
    const struct mup_pair *texts =
        mup_answer_of(&extraction->answers->to[MUP_ASK_STATE_TEXT], operation, &text_count);
    if (count == 0) {
        mup_problems_warning(extraction->problems, 0, operation,
                             "declares no states: any answer of the device counts");
        return MUP_OK;
    }
    enum mup_status status =
        mup_extract_count(extraction, operation, count, MUP_RPC_STATES_MAX, "states");
    if (status != MUP_OK)
        return status;
    if (text_count > count)
        mup_problems_warning(extraction->problems, 0, operation,
                             "has more descriptions of states (%zu) than states (%zu)", text_count,
                             count);
    struct mup_declared_state *states = mup_arena_take(extraction->arena, count * sizeof *states);
    if (!states)
        return MUP_ERR_SPACE;
    for (size_t i = 0; i < count; i++) {
        const char *name = pairs[i].value;
        size_t size = strlen(name);
        if (size == 0 || strchr(" \t\r\n", name[0]) || strchr(" \t\r\n", name[size - 1])) {
            mup_problems_error(extraction->problems, 0, operation,
                               "the state `%s` is empty, or begins or ends with a space", name);
            return MUP_ERR_FORMAT;
        }
        states[i].name = mup_extract_text(extraction, name);
        states[i].code = leading_code(name, '_');
        states[i].description =
            mup_extract_text(extraction, describe_state(pairs, i, count, texts, text_count));
        if (!states[i].name || !states[i].description)
            return MUP_ERR_SPACE;
    }
    qsort(states, count, sizeof *states, compare_states);
    out->states = states;
    out->state_count = count;
    return check_states(extraction, operation, states, count);
}
