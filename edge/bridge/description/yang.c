/* Prints a capability as a YANG 1.0 module (yang.h, RFC 6020). */
#include "bridge/description/yang.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STEP              2  /* spaces of indentation */
#define SHARED_STATES_MIN 8u /* states that stand in a typedef when several RPCs have them */

/* The characters of a code point that YANG text may have (RFC 6020 section 6.1 and XML 1.0 2.2). */
static bool is_yang_char(uint32_t c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    return c != 0x7f && !(c >= 0x80 && c < 0xa0) && !(c >= 0xd800 && c < 0xe000) &&
           !(c >= 0xfdd0 && c < 0xfdf0) && (c & 0xfffe) != 0xfffe && c <= 0x10ffff;
}

/* Decode one code point of valid UTF-8; returns its size in bytes. */
static size_t decode(uint32_t *out, const char *text)
{
    unsigned char lead = (unsigned char)text[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t c = size == 1 ? lead : lead & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) { /* not from our readers: keep in bounds */
            *out = 0xd800;
            return i;
        }
        c = c << 6 | ((unsigned char)text[i] & 0x3fu);
    }
    *out = c;
    return size;
}

/* A double-quoted YANG string (RFC 6020 section 6.1.3) on one line. */
static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
    while (*text) {
        uint32_t c;
        size_t size = decode(&c, text);
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", (char)c);
        else if (c == '\n')
            fputs("\\n", out);
        else if (c == '\t')
            fputs("\\t", out);
        else if (c == '\r' || !is_yang_char(c))
            fputc('?', out);
        else
            fwrite(text, 1, size, out);
        text += size;
    }
    fputc('"', out);
}

static void put_indent(FILE *out, int depth)
{
    fprintf(out, "%*s", depth * STEP, "");
}

/* `keyword "text";`, or nothing for an empty text. */
static void put_statement(FILE *out, int depth, const char *keyword, const char *text)
{
    if (!text[0])
        return;
    put_indent(out, depth);
    fprintf(out, "%s ", keyword);
    put_string(out, text);
    fputs(";\n", out);
}

static void put_decimal(FILE *out, int64_t value)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    fprintf(out, "%s%" PRIu64 ".%0*" PRIu64, value < 0 ? "-" : "", size / 1000000,
            (int)MUP_DECIMAL_DIGITS, size % 1000000);
}

static void put_bound(FILE *out, const struct mup_input *input, bool has, int64_t value,
                      const char *otherwise)
{
    if (!has)
        fputs(otherwise, out);
    else if (input->type == MUP_INPUT_DECIMAL)
        put_decimal(out, value);
    else
        fprintf(out, "%" PRId64, value);
}

static void put_range(FILE *out, int depth, const struct mup_input *input)
{
    put_indent(out, depth);
    fputs("range \"", out);
    if (input->has_min && input->has_max && input->min == input->max) {
        put_bound(out, input, true, input->min, "");
    } else {
        put_bound(out, input, input->has_min, input->min, "min");
        fputs("..", out);
        put_bound(out, input, input->has_max, input->max, "max");
    }
    fputs("\";\n", out);
}

static void put_int_type(FILE *out, int depth, const struct mup_input *input)
{
    bool small =
        input->has_min && input->has_max && input->min >= INT32_MIN && input->max <= INT32_MAX;
    bool whole = small ? input->min == INT32_MIN && input->max == INT32_MAX
                       : !input->has_min && !input->has_max;
    put_indent(out, depth);
    fprintf(out, "type %s%s\n", small ? "int32" : "int64", whole ? ";" : " {");
    if (whole)
        return;
    put_range(out, depth + 1, input);
    put_indent(out, depth);
    fputs("}\n", out);
}

static void put_decimal_type(FILE *out, int depth, const struct mup_input *input)
{
    put_indent(out, depth);
    fputs("type decimal64 {\n", out);
    put_indent(out, depth + 1);
    fprintf(out, "fraction-digits %u;\n", MUP_DECIMAL_DIGITS);
    if (input->has_min || input->has_max)
        put_range(out, depth + 1, input);
    put_indent(out, depth);
    fputs("}\n", out);
}

static void put_enum_type(FILE *out, int depth, const struct mup_input *input)
{
    put_indent(out, depth);
    fputs("type enumeration {\n", out);
    for (size_t i = 0; i < input->enum_count; i++)
        put_statement(out, depth + 1, "enum", input->enum_values[i]);
    put_indent(out, depth);
    fputs("}\n", out);
}

static void put_length(FILE *out, int depth, const struct mup_input *input)
{
    put_indent(out, depth);
    fputs("length \"", out);
    if (input->has_min_size && input->has_max_size && input->min_size == input->max_size)
        fprintf(out, "%" PRIu32, input->min_size);
    else
        fprintf(out, "%" PRIu32 "..", input->has_min_size ? input->min_size : 0);
    if (!input->has_max_size)
        fputs("max", out);
    else if (!input->has_min_size || input->min_size != input->max_size)
        fprintf(out, "%" PRIu32, input->max_size);
    fputs("\";\n", out);
}

static void put_sized_type(FILE *out, int depth, const char *name, const struct mup_input *input)
{
    bool sized = input->has_min_size || input->has_max_size;
    bool whole = !sized && !input->pattern[0];
    put_indent(out, depth);
    fprintf(out, "type %s%s\n", name, whole ? ";" : " {");
    if (whole)
        return;
    if (sized)
        put_length(out, depth + 1, input);
    put_statement(out, depth + 1, "pattern", input->pattern);
    put_indent(out, depth);
    fputs("}\n", out);
}

static void put_type(FILE *out, int depth, const struct mup_input *input)
{
    switch (input->type) {
    case MUP_INPUT_INT:
        put_int_type(out, depth, input);
        return;
    case MUP_INPUT_DECIMAL:
        put_decimal_type(out, depth, input);
        return;
    case MUP_INPUT_ENUM:
        put_enum_type(out, depth, input);
        return;
    case MUP_INPUT_BOOL:
        put_indent(out, depth);
        fputs("type boolean;\n", out);
        return;
    case MUP_INPUT_STRING:
        put_sized_type(out, depth, "string", input);
        return;
    case MUP_INPUT_BINARY:
        put_sized_type(out, depth, "binary", input);
        return;
    case MUP_INPUT_STRUCT:
        return; /* a container has no type */
    }
}

static void put_input(FILE *out, int depth, const struct mup_input *input);

/* An optional structure is there or not (presence), and when it is there it is whole. */
static void put_structure(FILE *out, int depth, const struct mup_input *input)
{
    put_indent(out, depth);
    fprintf(out, "container %s {\n", input->yang_name);
    if (!input->required)
        put_statement(out, depth + 1, "presence", "The value is given.");
    put_statement(out, depth + 1, "description", input->description);
    for (size_t i = 0; i < input->part_count; i++)
        put_input(out, depth + 1, &input->parts[i]);
    put_indent(out, depth);
    fputs("}\n", out);
}

/* The depth of structures is bounded by MUP_INPUT_DEPTH_MAX. */
static void put_input(FILE *out, int depth, const struct mup_input *input)
{
    if (input->type == MUP_INPUT_STRUCT) {
        put_structure(out, depth, input);
        return;
    }
    put_indent(out, depth);
    fprintf(out, "leaf %s {\n", input->yang_name);
    put_type(out, depth + 1, input);
    put_statement(out, depth + 1, "units", input->symbol[0] ? input->symbol : input->unit);
    if (input->required) {
        put_indent(out, depth + 1);
        fputs("mandatory true;\n", out);
    }
    put_statement(out, depth + 1, "description", input->description);
    put_statement(out, depth + 1, "myno:unit", input->unit);
    put_statement(out, depth + 1, "myno:symbol", input->symbol);
    put_indent(out, depth);
    fputs("}\n", out);
}

static void put_state(FILE *out, int depth, const struct mup_declared_state *state)
{
    put_indent(out, depth);
    fputs("enum ", out);
    put_string(out, state->name);
    fputs(" {\n", out);
    if (state->code != MUP_NO_STATE_CODE) {
        put_indent(out, depth + 1);
        fprintf(out, "value %" PRId32 ";\n", state->code);
    }
    put_statement(out, depth + 1, "description", state->description);
    put_indent(out, depth);
    fputs("}\n", out);
}

static void put_states(FILE *out, int depth, const struct mup_rpc *rpc)
{
    put_indent(out, depth);
    fputs("type enumeration {\n", out);
    for (size_t i = 0; i < rpc->state_count; i++)
        put_state(out, depth + 1, &rpc->states[i]);
    put_indent(out, depth);
    fputs("}\n", out);
}

static bool has_same_states(const struct mup_rpc *one, const struct mup_rpc *other)
{
    if (one->state_count != other->state_count)
        return false;
    for (size_t i = 0; i < one->state_count; i++)
        if (strcmp(one->states[i].name, other->states[i].name) != 0 ||
            strcmp(one->states[i].description, other->states[i].description) != 0)
            return false; /* the code is the name's */
    return true;
}

/* The RPC whose typedef has the states of `rpc`; NULL: they stand in `rpc` itself, because they are
 * few or nobody else's. The three RPCs of an update have 25 each: written once, they save a third
 * of what such a module takes in the bridge. */
static const struct mup_rpc *states_owner(const struct mup_capability *capability,
                                          const struct mup_rpc *rpc)
{
    const struct mup_rpc *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < capability->rpc_count; i++)
        if (has_same_states(&capability->rpcs[i], rpc)) {
            first = first ? first : &capability->rpcs[i];
            count++;
        }
    return count > 1 && rpc->state_count >= SHARED_STATES_MIN ? first : NULL;
}

static void put_typedefs(FILE *out, const struct mup_capability *capability)
{
    for (size_t i = 0; i < capability->rpc_count; i++) {
        const struct mup_rpc *rpc = &capability->rpcs[i];
        if (states_owner(capability, rpc) != rpc)
            continue;
        fprintf(out, "\n  typedef %s-state {\n", rpc->yang_name);
        put_states(out, 2, rpc);
        fputs("  }\n", out);
    }
}

static void put_output(FILE *out, const struct mup_capability *capability,
                       const struct mup_rpc *rpc)
{
    const struct mup_rpc *owner = states_owner(capability, rpc);
    fputs("    output {\n      leaf state {\n", out);
    if (rpc->state_count == 0)
        fputs("        type string;\n", out);
    else if (owner)
        fprintf(out, "        type %s-state;\n", owner->yang_name);
    else
        put_states(out, 4, rpc);
    fputs("        mandatory true;\n"
          "        description \"How the device ended the function.\";\n"
          "      }\n"
          "      leaf value {\n"
          "        type binary;\n"
          "        description \"What the device answered beside the state.\";\n"
          "      }\n"
          "    }\n",
          out);
}

static void put_rpc(FILE *out, const struct mup_capability *capability, const struct mup_rpc *rpc)
{
    fprintf(out, "\n  rpc %s {\n", rpc->yang_name);
    put_statement(out, 2, "description", rpc->description);
    put_statement(out, 2, "myno:topic", rpc->topic);
    put_statement(out, 2, "myno:method", rpc->method);
    fprintf(out,
            "    input {\n"
            "      leaf uuid {\n"
            "        type string {\n"
            "          length \"1..%u\";\n"
            "        }\n"
            "        mandatory true;\n"
            "        description \"The device that is meant.\";\n"
            "      }\n",
            MUP_UUID_SIZE_MAX);
    for (size_t i = 0; i < rpc->input_count; i++)
        put_input(out, 3, &rpc->inputs[i]);
    fputs("    }\n", out);
    put_output(out, capability, rpc);
    fputs("  }\n", out);
}

/* `statement` is an extension of the module myno. */
static void put_point(FILE *out, const char *statement, const struct mup_telemetry *telemetry)
{
    fprintf(out, "\n  myno:%s %s {\n", statement, telemetry->yang_name);
    put_statement(out, 2, "myno:topic", telemetry->topic);
    put_statement(out, 2, "myno:unit", telemetry->unit);
    put_statement(out, 2, "myno:symbol", telemetry->symbol);
    put_statement(out, 2, "description", telemetry->description);
    fputs("  }\n", out);
}

static void put_module(FILE *out, const struct mup_capability *capability)
{
    char hex[2 * MUP_DESCRIPTION_DIGEST_SIZE + 1];
    for (size_t i = 0; i < MUP_DESCRIPTION_DIGEST_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", capability->digest[i]);
    fprintf(out,
            "module %s {\n"
            "  namespace \"%s\";\n"
            "  prefix %s;\n"
            "\n"
            "  import myno {\n"
            "    prefix myno;\n"
            "  }\n\n",
            capability->module_name, capability->module_namespace, capability->module_name);
    put_statement(out, 1, "description", capability->description);
    fputs("\n  revision " MUP_YANG_REVISION " {\n"
          "    description \"As the bridge writes modules since then.\";\n"
          "  }\n",
          out);
    fprintf(out, "\n  myno:digest \"%s\";\n", hex);
    put_statement(out, 1, "myno:category", capability->category);
    put_typedefs(out, capability);
    for (size_t i = 0; i < capability->rpc_count; i++)
        put_rpc(out, capability, &capability->rpcs[i]);
    for (size_t i = 0; i < capability->telemetry_count; i++)
        put_point(out, "telemetry", &capability->telemetry[i]);
    for (size_t i = 0; i < capability->event_count; i++)
        put_point(out, "event", &capability->events[i]);
    fputs("}\n", out);
}

enum mup_status mup_yang_module(char **out, const struct mup_capability *capability)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return MUP_ERR_SPACE;
    put_module(stream, capability);
    int failed = ferror(stream);
    if (fclose(stream) != 0 || failed) {
        free(text);
        return MUP_ERR_SPACE;
    }
    *out = text;
    return MUP_OK;
}

const char *mup_yang_folder(void)
{
    const char *folder = getenv("MUP_YANG");
    struct stat facts;
    if (folder && folder[0])
        return folder;
    return stat(MUP_YANG_BUILT, &facts) == 0 ? MUP_YANG_BUILT : MUP_YANG_INSTALLED;
}
