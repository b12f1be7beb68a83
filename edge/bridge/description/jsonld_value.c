/*
 * Names and values of the JSON-LD reader: expanded IRIs and labels become nodes, and scalars and
 * objects with @value become literals (JSON-LD 1.1 API, sections 5.2 and 8.2).
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/description/jsonld_internal.h"
#include "bridge/description/vocabulary.h"

#define XSD               MUP_NS_XSD

#define LANGUAGE_SIZE_MAX 35u /* RFC 5646 section 4.4.1 recommends room for 35 */

/* Report what triples.h refused, at the current path. */
enum mup_status mup_jsonld_told(struct mup_jsonld_reader *reader, enum mup_status status)
{
    if (status == MUP_ERR_RANGE)
        mup_problems_error(reader->problems, 0, reader->path.text, "%s", reader->triples->limit);
    return status;
}

enum mup_status mup_jsonld_intern(struct mup_jsonld_reader *reader, enum mup_term_kind kind,
                                  const char *text, const char *datatype, const char *language,
                                  uint32_t *id)
{
    /* xsd:string is what a plain literal is (RDF 1.1 Concepts 3.3). */
    if (datatype && strcmp(datatype, XSD "string") == 0)
        datatype = NULL;
    struct mup_term term = {kind, text, datatype, language};
    return mup_jsonld_told(reader, mup_triples_term(reader->triples, id, &term));
}

enum mup_status mup_jsonld_new_blank(struct mup_jsonld_reader *reader, uint32_t *id)
{
    char label[24];
    snprintf(label, sizeof label, "b%u", reader->blank_count++);
    return mup_jsonld_intern(reader, MUP_TERM_BLANK, label, NULL, NULL, id);
}

/* Our label for the document's; two documents' labels are never the same node. */
static enum mup_status named_blank(struct mup_jsonld_reader *reader, const char *label,
                                   uint32_t *id)
{
    json_t *known = json_object_get(reader->labels, label);
    if (!known) {
        known = json_integer(reader->blank_count++);
        if (!known || json_object_set_new(reader->labels, label, known) != 0)
            return MUP_ERR_SPACE;
    }
    char ours[24];
    snprintf(ours, sizeof ours, "b%lld", (long long)json_integer_value(known));
    return mup_jsonld_intern(reader, MUP_TERM_BLANK, ours, NULL, NULL, id);
}

/* The node that an expanded IRI or `_:label` names. */
enum mup_status mup_jsonld_name(struct mup_jsonld_reader *reader, const char *iri, uint32_t *id)
{
    if (strncmp(iri, "_:", 2) == 0)
        return iri[2] ? named_blank(reader, iri, id)
                      : mup_jsonld_refuse(reader, "a blank node needs a label after `_:`");
    if (iri[0] == '@')
        return mup_jsonld_refuse(reader, "%s cannot be the name of a thing", iri);
    return mup_jsonld_intern(reader, MUP_TERM_IRI, iri, NULL, NULL, id);
}

enum mup_status mup_jsonld_name_from(struct mup_jsonld_reader *reader,
                                     const struct mup_jsonld_context *context, const char *text,
                                     enum mup_jsonld_expand how, uint32_t *id)
{
    const char *iri = NULL;
    enum mup_status status = mup_jsonld_expand(reader, context, text, how, &iri);
    if (status != MUP_OK)
        return status;
    if (!iri)
        return mup_jsonld_refuse(reader, "`%s` is mapped to nothing", text);
    return mup_jsonld_name(reader, iri, id);
}

static bool is_language(const char *tag)
{
    size_t part = 0;
    if (strlen(tag) > LANGUAGE_SIZE_MAX)
        return false;
    for (const char *c = tag; *c; c++) {
        if (*c == '-') {
            if (part == 0)
                return false;
            part = 0;
        } else if (!isalnum((unsigned char)*c) || ++part > 8) {
            return false;
        }
    }
    return part > 0 && isalpha((unsigned char)tag[0]);
}

/* The canonical form of xsd:double (XML Schema 1.1 part 2, F.1): 5.5E0. */
static void print_double(char *out, size_t size, double number)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.15E", number);
    char *exponent = strchr(digits, 'E');
    char *end = exponent - 1;
    while (*end == '0' && end > digits + 1 && isdigit((unsigned char)end[-1]))
        end--;
    int power = (int)strtol(exponent + 1, NULL, 10);
    *(end + 1) = '\0';
    for (char *c = digits; *c; c++) {
        if (*c == ',') /* a locale's decimal sign */
            *c = '.';
    }
    snprintf(out, size, "%sE%d", digits, power);
}

static enum mup_status number_literal(struct mup_jsonld_reader *reader, const json_t *value,
                                      const char *type, uint32_t *id)
{
    char text[400];
    bool wants_double = type && strcmp(type, XSD "double") == 0;
    if (json_is_integer(value) && !wants_double) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
        type = type ? type : XSD "integer";
    } else if (!wants_double && fabs(json_number_value(value)) < 1e21 &&
               json_number_value(value) == trunc(json_number_value(value))) {
        snprintf(text, sizeof text, "%.0f", json_number_value(value) + 0.0); /* -0 is 0 */
        type = type ? type : XSD "integer";
    } else {
        print_double(text, sizeof text, json_number_value(value));
        type = type ? type : XSD "double";
    }
    return mup_jsonld_intern(reader, MUP_TERM_LITERAL, text, type, NULL, id);
}

/* A JSON scalar with the type that was stated for it, if any. */
static enum mup_status typed_literal(struct mup_jsonld_reader *reader, const json_t *value,
                                     const char *type, uint32_t *id)
{
    if (json_is_boolean(value))
        return mup_jsonld_intern(reader, MUP_TERM_LITERAL, json_is_true(value) ? "true" : "false",
                                 type ? type : XSD "boolean", NULL, id);
    if (json_is_number(value))
        return number_literal(reader, value, type, id);
    return mup_jsonld_intern(reader, MUP_TERM_LITERAL, json_string_value(value), type, NULL, id);
}

static enum mup_status language_literal(struct mup_jsonld_reader *reader, const char *text,
                                        const char *language, uint32_t *id)
{
    char lower[LANGUAGE_SIZE_MAX + 1];
    if (!is_language(language))
        return mup_jsonld_refuse(reader, "`%s` is not a language tag", language);
    size_t i = 0;
    for (; language[i]; i++)
        lower[i] = (char)tolower((unsigned char)language[i]);
    lower[i] = '\0';
    return mup_jsonld_intern(reader, MUP_TERM_LITERAL, text, NULL, lower, id);
}

/* A scalar in the place of a property's value: coerced by the term (API 5.2.2). */
enum mup_status mup_jsonld_scalar(struct mup_jsonld_reader *reader,
                                  const struct mup_jsonld_context *context,
                                  const struct mup_jsonld_term *term, json_t *value, uint32_t *id)
{
    const char *type = term->type;
    if (type && type[0] == '@') {
        if (json_is_string(value))
            return mup_jsonld_name_from(
                reader, context, json_string_value(value),
                strcmp(type, "@id") == 0 ? MUP_EXPAND_BASE : MUP_EXPAND_VOCAB_OR_BASE, id);
        type = NULL;
    }
    const char *language = term->has_language ? term->language : context->language;
    if (json_is_string(value) && !type && language)
        return language_literal(reader, json_string_value(value), language, id);
    return typed_literal(reader, value, type, id);
}

/* An object with @value. */
enum mup_status mup_jsonld_literal(struct mup_jsonld_reader *reader,
                                   const struct mup_jsonld_context *context,
                                   const struct mup_jsonld_keys *keys, uint32_t *id)
{
    if (keys->id || keys->list || keys->set || keys->graph || keys->other)
        return mup_jsonld_refuse(reader,
                                 "an object with @value may only have @type or @language too");
    if (json_is_object(keys->value) || json_is_array(keys->value))
        return mup_jsonld_refuse(reader, "@value must be a text, a number, true or false");
    if (keys->type && keys->language)
        return mup_jsonld_refuse(reader, "an object with @value has both @type and @language");
    if (keys->language) {
        if (!json_is_string(keys->value) || !json_is_string(keys->language))
            return mup_jsonld_refuse(reader, "@language needs a text, and @value a text with it");
        return language_literal(reader, json_string_value(keys->value),
                                json_string_value(keys->language), id);
    }
    if (!keys->type || json_is_null(keys->type))
        return typed_literal(reader, keys->value, NULL, id);

    const char *type = NULL;
    if (!json_is_string(keys->type))
        return mup_jsonld_refuse(reader, "@type beside @value must be one text");
    enum mup_status status = mup_jsonld_expand(reader, context, json_string_value(keys->type),
                                               MUP_EXPAND_VOCAB_OR_BASE, &type);
    if (status != MUP_OK)
        return status;
    if (!type || type[0] == '@' || type[0] == '_')
        return mup_jsonld_refuse(reader, "unsupported @type %s beside @value",
                                 json_string_value(keys->type));
    return typed_literal(reader, keys->value, type, id);
}
