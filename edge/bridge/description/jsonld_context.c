/*
 * The context half of the JSON-LD reader: term definitions and the expansion of texts to IRIs
 * (JSON-LD 1.1 API, sections 4.1, 4.2 and 5.2), without anything that would have to be fetched.
 */
#include "bridge/description/jsonld_internal.h"

#include <ctype.h>
#include <raptor2.h>
#include <stdio.h>
#include <string.h>

/* A local context while its terms are being defined; terms may refer to each other in any order. */
struct building {
    struct mup_jsonld_context *context;
    json_t *local;
    json_t *defined; /* term -> true when done, false while under way */
    unsigned depth;  /* of terms that lead to terms */
};

static enum mup_status expand(struct mup_jsonld_reader *reader,
                              const struct mup_jsonld_context *context, struct building *building,
                              const char *text, enum mup_jsonld_expand how, const char **out);

static const char *const keywords[] = {
    "@base",    "@container", "@context",  "@default", "@direction", "@graph",
    "@id",      "@import",    "@included", "@index",   "@json",      "@language",
    "@list",    "@nest",      "@none",     "@prefix",  "@propagate", "@protected",
    "@reverse", "@set",       "@type",     "@value",   "@version",   "@vocab",
};

/* The keywords that a term may be another name of. */
static const char *const aliased[] = {"@id",   "@type", "@value", "@language",
                                      "@list", "@set",  "@graph"};

static bool is_among(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

bool mup_jsonld_is_keyword(const char *text)
{
    return text[0] == '@' && is_among(text, keywords, sizeof keywords / sizeof keywords[0]);
}

bool mup_jsonld_like_keyword(const char *text)
{
    if (text[0] != '@' || !text[1])
        return false;
    for (text++; *text; text++) {
        if (!isalpha((unsigned char)*text))
            return false;
    }
    return true;
}

bool mup_jsonld_find_term(struct mup_jsonld_term *out, const struct mup_jsonld_context *context,
                          const char *name)
{
    for (; context; context = context->outer) {
        json_t *found = context->terms ? json_object_get(context->terms, name) : NULL;
        if (!found)
            continue;
        *out = (struct mup_jsonld_term){0};
        out->iri = json_string_value(json_object_get(found, "iri"));
        out->type = json_string_value(json_object_get(found, "type"));
        out->has_language = json_object_get(found, "language") != NULL;
        out->language = json_string_value(json_object_get(found, "language"));
        out->list = json_is_true(json_object_get(found, "list"));
        out->prefix = json_is_true(json_object_get(found, "prefix"));
        return true;
    }
    return false;
}

static enum mup_status keep(struct mup_jsonld_reader *reader, const char *text, const char **out)
{
    const char *copy = mup_arena_copy(&reader->arena, text, strlen(text));
    if (!copy)
        return MUP_ERR_SPACE;
    *out = copy;
    return MUP_OK;
}

static enum mup_status join_iri(struct mup_jsonld_reader *reader, const char *head,
                                const char *tail, const char **out)
{
    if (strlen(head) + strlen(tail) > MUP_IRI_SIZE_MAX) {
        mup_problems_error(reader->problems, 0, reader->path.text, "an IRI is longer than %u bytes",
                           MUP_IRI_SIZE_MAX);
        return MUP_ERR_RANGE;
    }
    const char *joined = mup_arena_print(&reader->arena, "%s%s", head, tail);
    if (!joined)
        return MUP_ERR_SPACE;
    *out = joined;
    return MUP_OK;
}

/* RFC 3986 section 5.2, by the RDF library. */
static enum mup_status resolve(struct mup_jsonld_reader *reader, const char *base, const char *text,
                               const char **out)
{
    size_t size = strlen(base) + strlen(text) + 1;
    if (size > MUP_IRI_SIZE_MAX) {
        mup_problems_error(reader->problems, 0, reader->path.text, "an IRI is longer than %u bytes",
                           MUP_IRI_SIZE_MAX);
        return MUP_ERR_RANGE;
    }
    unsigned char resolved[2 * MUP_IRI_SIZE_MAX + 16];
    raptor_uri_resolve_uri_reference((const unsigned char *)base, (const unsigned char *)text,
                                     resolved, sizeof resolved);
    return keep(reader, (const char *)resolved, out);
}

static enum mup_status define(struct mup_jsonld_reader *reader, struct building *building,
                              const char *name);

/* Define `name` first when the local context being built has it. */
static enum mup_status define_if_local(struct mup_jsonld_reader *reader, struct building *building,
                                       const char *name)
{
    if (!building || !json_object_get(building->local, name) || name[0] == '@')
        return MUP_OK;
    if (json_is_true(json_object_get(building->defined, name)))
        return MUP_OK;
    return define(reader, building, name);
}

/* The part after the colon joined to the prefix's IRI, or *out untouched when it is no prefix. */
static enum mup_status expand_compact(struct mup_jsonld_reader *reader,
                                      const struct mup_jsonld_context *context,
                                      struct building *building, const char *text,
                                      const char *colon, const char **out)
{
    if (strncmp(text, "_:", 2) == 0 || strncmp(colon + 1, "//", 2) == 0)
        return keep(reader, text, out);
    const char *prefix = mup_arena_copy(&reader->arena, text, (size_t)(colon - text));
    if (!prefix)
        return MUP_ERR_SPACE;
    enum mup_status status = define_if_local(reader, building, prefix);
    if (status != MUP_OK)
        return status;
    struct mup_jsonld_term term;
    if (mup_jsonld_find_term(&term, context, prefix) && term.iri && term.prefix)
        return join_iri(reader, term.iri, colon + 1, out);
    return mup_iri_is_absolute(text) ? keep(reader, text, out) : MUP_OK;
}

static enum mup_status check_iri(struct mup_jsonld_reader *reader, const char *iri)
{
    if (strncmp(iri, "_:", 2) == 0 || mup_jsonld_is_keyword(iri) || mup_iri_is_absolute(iri))
        return MUP_OK;
    return mup_jsonld_refuse(reader, "`%s` is not an absolute IRI", iri);
}

static enum mup_status expand(struct mup_jsonld_reader *reader,
                              const struct mup_jsonld_context *context, struct building *building,
                              const char *text, enum mup_jsonld_expand how, const char **out)
{
    const char *iri = NULL;
    if (mup_jsonld_is_keyword(text))
        return keep(reader, text, out);
    if (mup_jsonld_like_keyword(text))
        return mup_jsonld_refuse(reader, "unknown keyword %s", text);

    enum mup_status status = define_if_local(reader, building, text);
    if (status != MUP_OK)
        return status;
    struct mup_jsonld_term term;
    if (mup_jsonld_find_term(&term, context, text)) {
        if (how != MUP_EXPAND_BASE || (term.iri && term.iri[0] == '@')) {
            *out = NULL;
            return term.iri ? keep(reader, term.iri, out) : MUP_OK;
        }
    }
    const char *colon = text[0] ? strchr(text + 1, ':') : NULL;
    if (colon) {
        status = expand_compact(reader, context, building, text, colon, &iri);
        if (status != MUP_OK)
            return status;
    }
    if (!iri && how != MUP_EXPAND_BASE && context->vocab && !colon) {
        status = join_iri(reader, context->vocab, text, &iri);
    } else if (!iri && how == MUP_EXPAND_VOCAB) {
        *out = NULL;
        return MUP_OK;
    } else if (!iri && context->base) {
        status = resolve(reader, context->base, text, &iri);
    } else if (!iri) {
        return mup_jsonld_refuse(reader, "`%s` is a relative IRI and there is no @base", text);
    }
    if (status == MUP_OK)
        status = check_iri(reader, iri);
    if (status == MUP_OK)
        *out = iri;
    return status;
}

enum mup_status mup_jsonld_expand(struct mup_jsonld_reader *reader,
                                  const struct mup_jsonld_context *context, const char *text,
                                  enum mup_jsonld_expand how, const char **out)
{
    return expand(reader, context, NULL, text, how, out);
}

static bool ends_like_prefix(const char *iri)
{
    size_t length = strlen(iri);
    return length > 0 && (strchr(":/?#[]@", iri[length - 1]) || strcmp(iri, "_:") == 0);
}

/* The IRI of a term whose definition does not give one: from its own text (API 4.2, steps 14-17).
 */
static enum mup_status implied_iri(struct mup_jsonld_reader *reader, struct building *building,
                                   const char *name, const char **out)
{
    const char *iri = NULL;
    const char *colon = name[0] ? strchr(name + 1, ':') : NULL;
    if (colon) {
        enum mup_status status =
            expand_compact(reader, building->context, building, name, colon, &iri);
        if (status != MUP_OK)
            return status;
        if (iri) {
            *out = iri;
            return MUP_OK;
        }
    }
    if (building->context->vocab)
        return join_iri(reader, building->context->vocab, name, out);
    return mup_jsonld_refuse(reader, "the term has no @id, and there is no @vocab");
}

/* The IRI that @id (or the short form) gives to a term. */
static enum mup_status stated_iri(struct mup_jsonld_reader *reader, struct building *building,
                                  const char *name, const char *id, const char **out)
{
    if (strcmp(id, name) == 0)
        return implied_iri(reader, building, name, out);
    const char *iri = NULL;
    enum mup_status status =
        expand(reader, building->context, building, id, MUP_EXPAND_VOCAB, &iri);
    if (status != MUP_OK)
        return status;
    if (!iri)
        return mup_jsonld_refuse(reader, "`%s` is neither an IRI nor a term", id);
    if (iri[0] == '@' && !is_among(iri, aliased, sizeof aliased / sizeof aliased[0]))
        return mup_jsonld_refuse(reader, "unsupported: another name for %s", iri);
    *out = iri;
    return MUP_OK;
}

static enum mup_status read_type(struct mup_jsonld_reader *reader, struct building *building,
                                 const json_t *value, json_t *definition)
{
    const char *type = NULL;
    if (!json_is_string(value))
        return mup_jsonld_refuse(reader, "@type of a term must be a text");
    enum mup_status status = expand(reader, building->context, building, json_string_value(value),
                                    MUP_EXPAND_VOCAB, &type);
    if (status != MUP_OK)
        return status;
    if (!type)
        return mup_jsonld_refuse(reader, "@type `%s` is not an IRI", json_string_value(value));
    if (type[0] == '@' && strcmp(type, "@id") != 0 && strcmp(type, "@vocab") != 0)
        return mup_jsonld_refuse(reader, "unsupported @type %s of a term", type);
    return json_object_set_new(definition, "type", json_string(type)) ? MUP_ERR_SPACE : MUP_OK;
}

static enum mup_status read_container(struct mup_jsonld_reader *reader, const json_t *value,
                                      json_t *definition)
{
    if (json_is_array(value) && json_array_size(value) == 1)
        value = json_array_get(value, 0);
    const char *container = json_string_value(value);
    if (!container || (strcmp(container, "@list") != 0 && strcmp(container, "@set") != 0))
        return mup_jsonld_refuse(reader, "unsupported @container %s: only @list and @set",
                                 container ? container : "(not one text)");
    bool list = strcmp(container, "@list") == 0;
    return json_object_set_new(definition, "list", json_boolean(list)) ? MUP_ERR_SPACE : MUP_OK;
}

/* Everything of an expanded term definition but its @id. */
static enum mup_status read_definition_key(struct mup_jsonld_reader *reader,
                                           struct building *building, const char *key,
                                           json_t *value, json_t *definition)
{
    if (strcmp(key, "@id") == 0) {
        if (json_is_string(value) || json_is_null(value))
            return MUP_OK;
        return mup_jsonld_refuse(reader, "@id of a term must be a text or null");
    }
    if (strcmp(key, "@type") == 0)
        return read_type(reader, building, value, definition);
    if (strcmp(key, "@container") == 0)
        return read_container(reader, value, definition);
    if (strcmp(key, "@prefix") == 0) {
        if (!json_is_boolean(value))
            return mup_jsonld_refuse(reader, "@prefix must be true or false");
        return json_object_set(definition, "prefix", value) ? MUP_ERR_SPACE : MUP_OK;
    }
    if (strcmp(key, "@language") == 0) {
        if (!json_is_string(value) && !json_is_null(value))
            return mup_jsonld_refuse(reader, "@language must be a text or null");
        return json_object_set(definition, "language", value) ? MUP_ERR_SPACE : MUP_OK;
    }
    return mup_jsonld_refuse(reader, "unsupported %s in a term definition", key);
}

static enum mup_status read_definition(struct mup_jsonld_reader *reader, struct building *building,
                                       const char *name, json_t *value, json_t *definition)
{
    bool simple = json_is_string(value);
    json_t *id = simple ? value : json_object_get(value, "@id");
    const char *iri = NULL;
    enum mup_status status = MUP_OK;

    if (!simple) {
        const char *key;
        json_t *part;
        json_object_foreach(value, key, part)
        {
            size_t length = mup_json_path_push(&reader->path, key);
            status = read_definition_key(reader, building, key, part, definition);
            mup_json_path_pop(&reader->path, length);
            if (status != MUP_OK)
                return status;
        }
    }
    status = id ? stated_iri(reader, building, name, json_string_value(id), &iri)
                : implied_iri(reader, building, name, &iri);
    if (status != MUP_OK)
        return status;
    if (simple && !strpbrk(name, ":/") && ends_like_prefix(iri) &&
        json_object_set_new(definition, "prefix", json_true()))
        return MUP_ERR_SPACE;
    return json_object_set_new(definition, "iri", json_string(iri)) ? MUP_ERR_SPACE : MUP_OK;
}

static enum mup_status define_value(struct mup_jsonld_reader *reader, struct building *building,
                                    const char *name, json_t *value)
{
    if (name[0] == '\0')
        return mup_jsonld_refuse(reader, "a term must not be empty");
    if (json_is_null(value) ||
        (json_is_object(value) && json_is_null(json_object_get(value, "@id"))))
        return json_object_set_new(building->context->terms, name, json_null()) ? MUP_ERR_SPACE
                                                                                : MUP_OK;
    if (!json_is_string(value) && !json_is_object(value))
        return mup_jsonld_refuse(reader, "a term definition must be a text, an object or null");

    json_t *definition = json_object();
    if (!definition)
        return MUP_ERR_SPACE;
    enum mup_status status = read_definition(reader, building, name, value, definition);
    if (status == MUP_OK && json_object_set(building->context->terms, name, definition) != 0)
        status = MUP_ERR_SPACE;
    json_decref(definition);
    return status;
}

static enum mup_status define(struct mup_jsonld_reader *reader, struct building *building,
                              const char *name)
{
    json_t *before = json_object_get(building->defined, name);
    if (json_is_true(before))
        return MUP_OK;
    if (before)
        return mup_jsonld_refuse(reader, "the term `%s` is defined by itself", name);
    if (building->depth == MUP_DESCRIPTION_DEPTH_MAX)
        return mup_jsonld_refuse(reader, "terms lead to terms more than %u deep",
                                 MUP_DESCRIPTION_DEPTH_MAX);
    if (json_object_set_new(building->defined, name, json_false()) != 0)
        return MUP_ERR_SPACE;

    building->depth++;
    size_t length = mup_json_path_push(&reader->path, name);
    enum mup_status status =
        define_value(reader, building, name, json_object_get(building->local, name));
    mup_json_path_pop(&reader->path, length);
    building->depth--;

    if (status == MUP_OK && json_object_set_new(building->defined, name, json_true()) != 0)
        status = MUP_ERR_SPACE;
    return status;
}

/* @base, @vocab and @language must be known before the terms that use them. */
static enum mup_status read_setting(struct mup_jsonld_reader *reader,
                                    struct mup_jsonld_context *context, const char *key,
                                    const json_t *value)
{
    const char *text = json_string_value(value);
    if (strcmp(key, "@version") == 0) {
        double version = json_number_value(value);
        if (version > 1.05 && version < 1.15)
            return MUP_OK;
        return mup_jsonld_refuse(reader, "@version must be 1.1");
    }
    if (strcmp(key, "@base") != 0 && strcmp(key, "@vocab") != 0 && strcmp(key, "@language") != 0)
        return mup_jsonld_refuse(reader, "unsupported %s in a context", key);
    if (!text && !json_is_null(value))
        return mup_jsonld_refuse(reader, "%s must be a text or null", key);

    if (strcmp(key, "@language") == 0) {
        context->language = NULL;
        return text ? keep(reader, text, &context->language) : MUP_OK;
    }
    if (strcmp(key, "@vocab") == 0) {
        context->vocab = NULL;
        if (!text)
            return MUP_OK;
        if (!mup_iri_is_absolute(text))
            return mup_jsonld_refuse(reader, "@vocab must be an absolute IRI");
        return keep(reader, text, &context->vocab);
    }
    const char *before = context->base;
    context->base = NULL;
    if (!text)
        return MUP_OK;
    if (mup_iri_is_absolute(text))
        return keep(reader, text, &context->base);
    if (!before)
        return mup_jsonld_refuse(reader, "@base must be an absolute IRI");
    return resolve(reader, before, text, &context->base);
}

static enum mup_status read_object(struct mup_jsonld_reader *reader,
                                   struct mup_jsonld_context *context, json_t *local)
{
    const char *key;
    json_t *value;
    enum mup_status status = MUP_OK;
    json_object_foreach(local, key, value)
    {
        if (key[0] != '@')
            continue;
        size_t length = mup_json_path_push(&reader->path, key);
        status = read_setting(reader, context, key, value);
        mup_json_path_pop(&reader->path, length);
        if (status != MUP_OK)
            return status;
    }
    struct building building = {.context = context, .local = local, .defined = json_object()};
    if (!building.defined)
        return MUP_ERR_SPACE;
    json_object_foreach(local, key, value)
    {
        if (key[0] != '@' && status == MUP_OK)
            status = define(reader, &building, key);
    }
    json_decref(building.defined);
    return status;
}

static enum mup_status read_one(struct mup_jsonld_reader *reader,
                                struct mup_jsonld_context *context, json_t *local)
{
    if (json_is_null(local)) {
        context->outer = NULL;
        context->vocab = context->base = context->language = NULL;
        json_object_clear(context->terms);
        return MUP_OK;
    }
    if (json_is_string(local))
        return mup_jsonld_refuse(
            reader, "the remote context <%s> is not loaded: write it into the document",
            json_string_value(local));
    if (!json_is_object(local))
        return mup_jsonld_refuse(reader, "a context must be an object, an array or null");
    return read_object(reader, context, local);
}

enum mup_status mup_jsonld_context_open(struct mup_jsonld_context *out,
                                        struct mup_jsonld_reader *reader,
                                        const struct mup_jsonld_context *outer, json_t *local)
{
    struct mup_jsonld_context context = {.outer = outer, .terms = json_object()};
    if (!context.terms)
        return MUP_ERR_SPACE;
    if (outer) {
        context.vocab = outer->vocab;
        context.base = outer->base;
        context.language = outer->language;
    }
    enum mup_status status = MUP_OK;
    if (json_is_array(local)) {
        for (size_t i = 0; i < json_array_size(local) && status == MUP_OK; i++) {
            size_t length = mup_json_path_push_index(&reader->path, i);
            status = read_one(reader, &context, json_array_get(local, i));
            mup_json_path_pop(&reader->path, length);
        }
    } else {
        status = read_one(reader, &context, local);
    }
    if (status != MUP_OK) {
        json_decref(context.terms);
        return status;
    }
    *out = context;
    return MUP_OK;
}

void mup_jsonld_context_close(struct mup_jsonld_context *context)
{
    json_decref(context->terms);
    context->terms = NULL;
}
