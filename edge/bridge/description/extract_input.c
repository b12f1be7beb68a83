/* The inputs of one operation: types, ranges, sizes, values, structures (extract.h). */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/description/extract.h"
#include "bridge/description/pattern.h"
#include "bridge/description/vocabulary.h"
#include "bridge/description/yang_name.h"
#include "mup/rpc.h"

#define DECIMAL_UNIT 1e6 /* 10^MUP_DECIMAL_DIGITS */

/* Which end a bound is at, and whether the value itself is allowed. */
enum bound {
    INCLUSIVE_MIN,
    EXCLUSIVE_MIN,
    INCLUSIVE_MAX,
    EXCLUSIVE_MAX,
};

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

/* What a description says about the values of an input; NULL: nothing. */
struct facets {
    const char *type;
    const char *min, *max;     /* inclusive */
    const char *above, *below; /* exclusive */
    const char *size, *min_size, *max_size;
    const struct mup_pair *values;
    size_t value_count;
};

static enum mup_status read_facets(struct facets *out, struct mup_extraction *extraction,
                                   const char *input)
{
    const struct {
        const char **to;
        enum mup_question question;
        const char *what;
    } wanted[] = {
        {&out->type, MUP_ASK_INPUT_TYPE, "data types"},
        {&out->min, MUP_ASK_INPUT_MIN, "smallest values"},
        {&out->max, MUP_ASK_INPUT_MAX, "largest values"},
        {&out->above, MUP_ASK_INPUT_ABOVE, "values that it must be above"},
        {&out->below, MUP_ASK_INPUT_BELOW, "values that it must be below"},
        {&out->size, MUP_ASK_INPUT_SIZE, "sizes"},
        {&out->min_size, MUP_ASK_INPUT_MIN_SIZE, "smallest sizes"},
        {&out->max_size, MUP_ASK_INPUT_MAX_SIZE, "largest sizes"},
    };
    enum mup_status status = MUP_OK;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0] && status == MUP_OK; i++)
        status =
            mup_extract_only(wanted[i].to, extraction, wanted[i].question, input, wanted[i].what);
    out->values =
        mup_answer_of(&extraction->answers->to[MUP_ASK_INPUT_VALUE], input, &out->value_count);
    return status;
}

/* One declared bound, which must lie within what the data type allows. The two ways to state a
 * side, with the value itself and without it, are the same `min` or `max` in the end. */
static enum mup_status take_bound(struct mup_input *out, struct mup_extraction *extraction,
                                  const char *input, const char *text, enum bound bound)
{
    int64_t value;
    bool parsed =
        out->type == MUP_INPUT_DECIMAL ? parse_decimal(text, &value) : parse_int(text, &value);
    bool is_min = bound == INCLUSIVE_MIN || bound == EXCLUSIVE_MIN;
    if (parsed && bound == EXCLUSIVE_MIN)
        parsed = !__builtin_add_overflow(value, 1, &value);
    else if (parsed && bound == EXCLUSIVE_MAX)
        parsed = !__builtin_sub_overflow(value, 1, &value);
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
                                   const char *input, const struct facets *facets)
{
    const char *lowest = facets->min ? facets->min : facets->above;
    const char *highest = facets->max ? facets->max : facets->below;
    if (out->type != MUP_INPUT_INT && out->type != MUP_INPUT_DECIMAL) {
        if (lowest || highest)
            mup_problems_warning(extraction->problems, 0, input,
                                 "a range is left out: the data type has none");
        return MUP_OK;
    }
    if ((facets->min && facets->above) || (facets->max && facets->below)) {
        mup_problems_error(extraction->problems, 0, input,
                           "an inclusive and an exclusive bound at the same end");
        return MUP_ERR_FORMAT;
    }
    struct mup_input low = *out, high = *out;
    enum mup_status status = MUP_OK;
    if (lowest)
        status = take_bound(&low, extraction, input, lowest,
                            facets->min ? INCLUSIVE_MIN : EXCLUSIVE_MIN);
    if (highest && status == MUP_OK)
        status = take_bound(&high, extraction, input, highest,
                            facets->max ? INCLUSIVE_MAX : EXCLUSIVE_MAX);
    if (status != MUP_OK)
        return status;
    if (low.has_min && high.has_max && low.min > high.max) {
        mup_problems_error(extraction->problems, 0, input,
                           "the smallest value %s is larger than the largest %s",
                           lowest ? lowest : "", highest ? highest : "");
        return MUP_ERR_FORMAT;
    }
    out->has_min = low.has_min;
    out->min = low.min;
    out->has_max = high.has_max;
    out->max = high.max;
    return MUP_OK;
}

static enum mup_status take_size(uint32_t *out, bool *has, struct mup_extraction *extraction,
                                 const char *input, const char *text)
{
    int64_t value;
    if (!text)
        return MUP_OK;
    if (!parse_int(text, &value) || value < 0 || value > UINT32_MAX) {
        mup_problems_error(extraction->problems, 0, input, "`%s` is not a size", text);
        return MUP_ERR_FORMAT;
    }
    *out = (uint32_t)value;
    *has = true;
    return MUP_OK;
}

static enum mup_status take_sizes(struct mup_input *out, struct mup_extraction *extraction,
                                  const char *input, const struct facets *facets)
{
    if (!facets->size && !facets->min_size && !facets->max_size)
        return MUP_OK;
    if (out->type != MUP_INPUT_STRING && out->type != MUP_INPUT_BINARY) {
        mup_problems_warning(extraction->problems, 0, input,
                             "a size is left out: the data type has none");
        return MUP_OK;
    }
    if (facets->size && (facets->min_size || facets->max_size)) {
        mup_problems_error(extraction->problems, 0, input,
                           "has a size, and a smallest or largest size too");
        return MUP_ERR_FORMAT;
    }
    enum mup_status status = take_size(&out->min_size, &out->has_min_size, extraction, input,
                                       facets->size ? facets->size : facets->min_size);
    if (status == MUP_OK)
        status = take_size(&out->max_size, &out->has_max_size, extraction, input,
                           facets->size ? facets->size : facets->max_size);
    if (status == MUP_OK && out->has_min_size && out->has_max_size &&
        out->min_size > out->max_size) {
        mup_problems_error(extraction->problems, 0, input,
                           "the smallest size %s is larger than the largest %s", facets->min_size,
                           facets->max_size);
        return MUP_ERR_FORMAT;
    }
    return status;
}

/* Without a data type, bounds say that it is a number, and whole bounds that it is an integer. */
static enum mup_input_type type_of_bounds(const struct facets *facets)
{
    const char *const bounds[] = {facets->min, facets->max, facets->above, facets->below};
    bool any = false, whole = true;
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        int64_t ignored;
        any = any || bounds[i];
        whole = whole && (!bounds[i] || parse_int(bounds[i], &ignored));
    }
    if (!any)
        return MUP_INPUT_STRING;
    return whole ? MUP_INPUT_INT : MUP_INPUT_DECIMAL;
}

/* One regular expression that matches what any of the stated ones does. */
static enum mup_status take_patterns(struct mup_input *out, struct mup_extraction *extraction,
                                     const char *input, const struct facets *facets)
{
    if (facets->value_count == 0)
        return MUP_OK;
    if (out->type != MUP_INPUT_STRING) {
        mup_problems_warning(extraction->problems, 0, input,
                             "patterns are left out: only a text has them");
        return MUP_OK;
    }
    const char *joined = "";
    for (size_t i = 0; i < facets->value_count; i++) {
        const char *pattern = mup_extract_text(extraction, facets->values[i].value);
        const char *fault = pattern ? mup_pattern_fault(pattern) : NULL;
        if (!pattern)
            return MUP_ERR_SPACE;
        if (fault) {
            mup_problems_warning(extraction->problems, 0, input, "the pattern `%s` is left out: %s",
                                 pattern, fault);
            return MUP_OK;
        }
        joined = facets->value_count == 1 ? pattern
                                          : mup_arena_print(extraction->arena, "%s%s(%s)", joined,
                                                            i ? "|" : "", pattern);
        if (!joined)
            return MUP_ERR_SPACE;
        if (strlen(joined) > MUP_PATTERN_SIZE_MAX) {
            mup_problems_warning(extraction->problems, 0, input,
                                 "patterns of more than %u bytes are left out",
                                 MUP_PATTERN_SIZE_MAX);
            return MUP_OK;
        }
    }
    out->pattern = joined;
    return MUP_OK;
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
    struct facets facets = {0};
    enum mup_status status = read_facets(&facets, extraction, input);
    if (status != MUP_OK)
        return status;
    if (!facets.type && facets.value_count > 0) {
        status = take_values(out, extraction, input, facets.values, facets.value_count);
        if (status == MUP_OK) /* an enumeration has neither: a warning */
            status = take_bounds(out, extraction, input, &facets);
        return status == MUP_OK ? take_sizes(out, extraction, input, &facets) : status;
    }

    const struct data_type *type = facets.type ? find_type(facets.type) : NULL;
    if (facets.type && !type)
        mup_problems_warning(extraction->problems, 0, input,
                             "the data type <%s> is not known and read as text", facets.type);
    out->type = type ? type->type : facets.type ? MUP_INPUT_STRING : type_of_bounds(&facets);
    if (type && type->has_min) {
        out->has_min = true;
        out->min = type->min;
    }
    if (type && type->has_max) {
        out->has_max = true;
        out->max = type->max;
    }
    status = take_bounds(out, extraction, input, &facets);
    if (status == MUP_OK)
        status = take_sizes(out, extraction, input, &facets);
    if (status == MUP_OK)
        status = take_patterns(out, extraction, input, &facets);
    return status;
}

static enum mup_status extract_optional(struct mup_input *out, struct mup_extraction *extraction,
                                        const char *input)
{
    const char *text = NULL;
    enum mup_status status = mup_extract_only(&text, extraction, MUP_ASK_INPUT_OPTIONAL, input,
                                              "answers to whether it is optional");
    if (status != MUP_OK)
        return status;
    bool yes = text && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
    bool no = !text || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
    if (!yes && !no) {
        mup_problems_error(extraction->problems, 0, input, "isOptional is true or false, not `%s`",
                           text);
        return MUP_ERR_FORMAT;
    }
    out->required = !yes;
    return MUP_OK;
}

static enum mup_status extract_level(const struct mup_input **out, size_t *out_count,
                                     struct mup_extraction *extraction,
                                     struct mup_yang_scope *names, const char *where,
                                     const struct mup_pair *pairs, size_t count, unsigned depth);

/* Its parts where it has some, else its type. */
static enum mup_status extract_content(struct mup_input *out, struct mup_extraction *extraction,
                                       const char *iri, unsigned depth)
{
    size_t count;
    struct mup_yang_scope names = {0};
    const struct mup_pair *parts =
        mup_answer_of(&extraction->answers->to[MUP_ASK_INPUT_PART], iri, &count);
    if (count == 0)
        return extract_type(out, extraction, iri);
    if (depth == MUP_INPUT_DEPTH_MAX) {
        mup_problems_error(extraction->problems, 0, iri, "a structure more than %u levels deep",
                           MUP_INPUT_DEPTH_MAX);
        return MUP_ERR_FORMAT;
    }
    out->type = MUP_INPUT_STRUCT;
    return extract_level(&out->parts, &out->part_count, extraction, &names, iri, parts, count,
                         depth + 1);
}

static enum mup_status extract_input(struct mup_input *out, struct mup_extraction *extraction,
                                     struct mup_yang_scope *names, const char *iri, unsigned depth)
{
    const char *name = mup_iri_local_name(iri);
    out->pattern = "";
    out->name = mup_arena_copy(extraction->arena, name, strlen(name));
    if (!out->name)
        return MUP_ERR_SPACE;
    out->yang_name = mup_yang_name_unique(names, extraction->arena, out->name);
    out->description = mup_extract_text(
        extraction, mup_extract_one(extraction, MUP_ASK_INPUT_TEXT, iri, "descriptions"));
    if (!out->yang_name || !out->description)
        return MUP_ERR_SPACE;
    enum mup_status status = extract_optional(out, extraction, iri);
    if (status == MUP_OK)
        status = mup_extract_unit(&out->unit, &out->symbol, extraction, MUP_ASK_INPUT_UNIT, iri);
    if (status == MUP_OK)
        status = extract_content(out, extraction, iri, depth);
    return status;
}

static bool is_target(const struct mup_extraction *extraction, const char *input)
{
    size_t count;
    mup_answer_of(&extraction->answers->to[MUP_ASK_INPUT_TARGET], input, &count);
    return count > 0;
}

/* The inputs of an operation, or the parts of an input; without the one that names the device. */
static enum mup_status extract_level(const struct mup_input **out, size_t *out_count,
                                     struct mup_extraction *extraction,
                                     struct mup_yang_scope *names, const char *where,
                                     const struct mup_pair *pairs, size_t count, unsigned depth)
{
    enum mup_status status =
        mup_extract_count(extraction, where, count, MUP_RPC_INPUTS_MAX, "inputs");
    if (status != MUP_OK)
        return status;
    struct mup_input *inputs = mup_arena_take(extraction->arena, count * sizeof *inputs);
    size_t taken = 0;
    if (!inputs)
        return MUP_ERR_SPACE;
    for (size_t i = 0; i < count && status == MUP_OK; i++) {
        const char *iri = pairs[i].value;
        if (is_target(extraction, iri))
            continue;
        status = extract_input(&inputs[taken], extraction, names, iri, depth);
        if (status == MUP_OK && inputs[taken].type != MUP_INPUT_STRUCT &&
            ++extraction->inputs > MUP_ARGUMENTS_MAX) {
            mup_problems_error(extraction->problems, 0, iri,
                               "more than %u inputs, parts counted: a request takes no more",
                               MUP_ARGUMENTS_MAX);
            status = MUP_ERR_RANGE;
        }
        taken++;
    }
    *out = inputs;
    *out_count = taken;
    return status;
}

enum mup_status mup_extract_inputs(struct mup_rpc *out, struct mup_extraction *extraction,
                                   const char *operation)
{
    size_t count;
    struct mup_yang_scope names = {0};
    const struct mup_pair *pairs =
        mup_answer_of(&extraction->answers->to[MUP_ASK_OPERATION_INPUT], operation, &count);
    /* The leaf of the device is there before every input. */
    if (!mup_yang_name_unique(&names, extraction->arena, "uuid"))
        return MUP_ERR_SPACE;
    extraction->inputs = 0;
    return extract_level(&out->inputs, &out->input_count, extraction, &names, operation, pairs,
                         count, 1);
}
