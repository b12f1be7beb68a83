/*
 * The walking half of the JSON-LD reader: nodes, values and lists become triples while the document
 * is walked once (JSON-LD 1.1 API, sections 5.1 and 8, joined). The depth of the walk is bounded.
 */
#include "bridge/description/jsonld.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bridge/description/jsonld_internal.h"
#include "bridge/description/vocabulary.h"

#define RDF MUP_NS_RDF

/* A property and what its term says about its values; `term` is empty inside @graph. */
struct property {
    uint32_t subject;
    uint32_t predicate;
    struct mup_jsonld_term term;
};

static enum mup_status read_node(struct mup_jsonld_reader *reader,
                                 const struct mup_jsonld_context *outer, json_t *object,
                                 unsigned depth, uint32_t *id);
static enum mup_status read_values(struct mup_jsonld_reader *reader,
                                   const struct mup_jsonld_context *context,
                                   const struct property *property, json_t *value, unsigned depth);

size_t mup_json_path_push(struct mup_json_path *path, const char *key)
{
    size_t before = path->length;
    size_t need = 1;
    for (const char *c = key; *c; c++)
        need += *c == '~' || *c == '/' ? 2 : 1;
    if (need >= MUP_JSON_PATH_SIZE - before)
        return before;
    char *to = path->text + before;
    *to++ = '/';
    for (; *key; key++) {
        if (*key == '~' || *key == '/') {
            *to++ = '~';
            *to++ = *key == '~' ? '0' : '1';
        } else {
            *to++ = *key;
        }
    }
    *to = '\0';
    path->length = (size_t)(to - path->text);
    return before;
}

size_t mup_json_path_push_index(struct mup_json_path *path, size_t index)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", index);
    return mup_json_path_push(path, text);
}

void mup_json_path_pop(struct mup_json_path *path, size_t length)
{
    path->length = length;
    path->text[length] = '\0';
}

enum mup_status mup_jsonld_refuse(struct mup_jsonld_reader *reader, const char *format, ...)
{
    char text[MUP_PROBLEM_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mup_problems_error(reader->problems, 0, reader->path.length ? reader->path.text : "/", "%s",
                       text);
    return MUP_ERR_FORMAT;
}

static enum mup_status add(struct mup_jsonld_reader *reader, uint32_t subject, uint32_t predicate,
                           uint32_t object)
{
    return mup_jsonld_told(reader, mup_triples_add(reader->triples, subject, predicate, object));
}

static enum mup_status too_deep(struct mup_jsonld_reader *reader)
{
    mup_problems_error(reader->problems, 0, reader->path.text, "nested more than %u deep",
                       MUP_DESCRIPTION_DEPTH_MAX);
    return MUP_ERR_RANGE;
}

/* Remember the value of an understood keyword; refuse the others by name. */
static enum mup_status sort_keyword(struct mup_jsonld_reader *reader, struct mup_jsonld_keys *keys,
                                    const char *keyword, json_t *value)
{
    json_t **slot = NULL;
    if (strcmp(keyword, "@context") == 0)
        return MUP_OK;
    if (strcmp(keyword, "@id") == 0)
        slot = &keys->id;
    else if (strcmp(keyword, "@type") == 0)
        slot = &keys->type;
    else if (strcmp(keyword, "@value") == 0)
        slot = &keys->value;
    else if (strcmp(keyword, "@language") == 0)
        slot = &keys->language;
    else if (strcmp(keyword, "@list") == 0)
        slot = &keys->list;
    else if (strcmp(keyword, "@set") == 0)
        slot = &keys->set;
    else if (strcmp(keyword, "@graph") == 0)
        slot = &keys->graph;
    else
        return mup_jsonld_refuse(reader, "unsupported keyword %s", keyword);
    if (*slot)
        return mup_jsonld_refuse(reader, "%s stands here twice, once by another name", keyword);
    *slot = value;
    return MUP_OK;
}

static enum mup_status sort_keys(struct mup_jsonld_reader *reader,
                                 const struct mup_jsonld_context *context, json_t *object,
                                 struct mup_jsonld_keys *keys)
{
    const char *key;
    json_t *value;
    *keys = (struct mup_jsonld_keys){0};
    json_object_foreach(object, key, value)
    {
        const char *expanded = NULL;
        size_t length = mup_json_path_push(&reader->path, key);
        enum mup_status status =
            mup_jsonld_expand(reader, context, key, MUP_EXPAND_VOCAB, &expanded);
        if (status == MUP_OK && expanded && expanded[0] == '@')
            status = sort_keyword(reader, keys, expanded, value);
        else if (status == MUP_OK)
            keys->other = true;
        mup_json_path_pop(&reader->path, length);
        if (status != MUP_OK)
            return status;
    }
    return MUP_OK;
}

/* One value that is not an array: *present is false for null and for @value null. */
static enum mup_status read_item(struct mup_jsonld_reader *reader,
                                 const struct mup_jsonld_context *context,
                                 const struct mup_jsonld_term *term, json_t *value, unsigned depth,
                                 uint32_t *id, bool *present)
{
    *present = !json_is_null(value);
    if (!*present)
        return MUP_OK;
    if (!json_is_object(value))
        return mup_jsonld_scalar(reader, context, term, value, id);

    /* The object's own context may rename @value, so that it has to be opened to see the kind. */
    struct mup_jsonld_context own = {0};
    json_t *local = json_object_get(value, "@context");
    struct mup_jsonld_keys keys;
    enum mup_status status = MUP_OK;
    if (local) {
        size_t length = mup_json_path_push(&reader->path, "@context");
        status = mup_jsonld_context_open(&own, reader, context, local);
        mup_json_path_pop(&reader->path, length);
        if (status != MUP_OK)
            return status;
    }
    status = sort_keys(reader, local ? &own : context, value, &keys);
    if (status == MUP_OK && keys.value) {
        *present = !json_is_null(keys.value);
        if (*present)
            status = mup_jsonld_literal(reader, local ? &own : context, &keys, id);
    } else if (status == MUP_OK && (keys.list || keys.set)) {
        status = mup_jsonld_refuse(reader, "a list within a list is not supported");
    }
    if (local)
        mup_jsonld_context_close(&own);
    if (status == MUP_OK && !keys.value)
        status = read_node(reader, context, value, depth, id);
    return status;
}

/* rdf:first and rdf:rest; *head is rdf:nil for an empty list, and *filled false. */
static enum mup_status read_list(struct mup_jsonld_reader *reader,
                                 const struct mup_jsonld_context *context,
                                 const struct mup_jsonld_term *term, json_t *list, unsigned depth,
                                 uint32_t *head, bool *filled)
{
    uint32_t first, rest, nil;
    if (depth > MUP_DESCRIPTION_DEPTH_MAX)
        return too_deep(reader);
    enum mup_status status =
        mup_jsonld_intern(reader, MUP_TERM_IRI, RDF "first", NULL, NULL, &first);
    if (status == MUP_OK)
        status = mup_jsonld_intern(reader, MUP_TERM_IRI, RDF "rest", NULL, NULL, &rest);
    if (status == MUP_OK)
        status = mup_jsonld_intern(reader, MUP_TERM_IRI, RDF "nil", NULL, NULL, &nil);

    uint32_t last = 0;
    bool any = false;
    size_t count = json_is_array(list) ? json_array_size(list) : 1;
    for (size_t i = 0; i < count && status == MUP_OK; i++) {
        json_t *value = json_is_array(list) ? json_array_get(list, i) : list;
        uint32_t item = 0, cell = 0;
        bool present = false;
        size_t length = mup_json_path_push_index(&reader->path, i);
        if (json_is_array(value))
            status = mup_jsonld_refuse(reader, "a list within a list is not supported");
        else
            status = read_item(reader, context, term, value, depth + 1, &item, &present);
        if (status == MUP_OK && present) {
            status = mup_jsonld_new_blank(reader, &cell);
            if (status == MUP_OK && any)
                status = add(reader, last, rest, cell);
            if (status == MUP_OK)
                status = add(reader, cell, first, item);
            if (!any)
                *head = cell;
            last = cell;
            any = true;
        }
        mup_json_path_pop(&reader->path, length);
    }
    if (status != MUP_OK)
        return status;
    *filled = any;
    if (any)
        return add(reader, last, rest, nil);
    *head = nil;
    return MUP_OK;
}

/* The @list or @set of an object that is one; NULL when it is a node or a literal. */
static enum mup_status find_container(struct mup_jsonld_reader *reader,
                                      const struct mup_jsonld_context *context, json_t *object,
                                      json_t **list, json_t **set)
{
    struct mup_jsonld_keys keys;
    *list = *set = NULL;
    if (json_object_get(object, "@context"))
        return MUP_OK; /* a list or a set has no context of its own */
    enum mup_status status = sort_keys(reader, context, object, &keys);
    if (status != MUP_OK)
        return status;
    if (!keys.list && !keys.set)
        return MUP_OK;
    if (keys.other || keys.id || keys.type || keys.value || keys.graph || keys.language ||
        (keys.list && keys.set))
        return mup_jsonld_refuse(reader, "an object with @list or @set may have nothing else");
    *list = keys.list;
    *set = keys.set;
    return MUP_OK;
}

static enum mup_status read_array(struct mup_jsonld_reader *reader,
                                  const struct mup_jsonld_context *context,
                                  const struct property *property, json_t *array, unsigned depth)
{
    enum mup_status status = MUP_OK;
    for (size_t i = 0; i < json_array_size(array) && status == MUP_OK; i++) {
        size_t length = mup_json_path_push_index(&reader->path, i);
        status = read_values(reader, context, property, json_array_get(array, i), depth + 1);
        mup_json_path_pop(&reader->path, length);
    }
    return status;
}

/* All values of a property, whatever they are wrapped in. */
static enum mup_status read_values(struct mup_jsonld_reader *reader,
                                   const struct mup_jsonld_context *context,
                                   const struct property *property, json_t *value, unsigned depth)
{
    json_t *list = NULL, *set = NULL;
    enum mup_status status = MUP_OK;
    uint32_t object = 0;
    bool present = true;

    if (depth > MUP_DESCRIPTION_DEPTH_MAX)
        return too_deep(reader);
    if (json_is_object(value)) {
        status = find_container(reader, context, value, &list, &set);
        if (status != MUP_OK)
            return status;
    } else if (property->term.list && !json_is_null(value)) {
        list = value;
    }
    if (set) {
        struct property plain = *property;
        return read_values(reader, context, &plain, set, depth + 1);
    }
    if (!list && json_is_array(value))
        return read_array(reader, context, property, value, depth);

    bool single = !list && property->term.list && !json_is_null(value);
    if (single)
        list = value; /* one node or literal under a term with @container @list */
    if (list) {
        bool filled = false;
        status = read_list(reader, context, &property->term, list, depth, &object, &filled);
        present = filled || !single; /* a @value of null is no list (API 5.1.2, 13.9) */
    } else {
        status = read_item(reader, context, &property->term, value, depth + 1, &object, &present);
    }
    if (status == MUP_OK && present)
        status = add(reader, property->subject, property->predicate, object);
    return status;
}

static enum mup_status read_types(struct mup_jsonld_reader *reader,
                                  const struct mup_jsonld_context *context, uint32_t subject,
                                  json_t *types)
{
    uint32_t predicate = 0, type = 0;
    enum mup_status status =
        mup_jsonld_intern(reader, MUP_TERM_IRI, RDF "type", NULL, NULL, &predicate);
    size_t count = json_is_array(types) ? json_array_size(types) : 1;
    for (size_t i = 0; i < count && status == MUP_OK; i++) {
        const json_t *value = json_is_array(types) ? json_array_get(types, i) : types;
        if (!json_is_string(value))
            return mup_jsonld_refuse(reader, "@type must be a text or an array of texts");
        status = mup_jsonld_name_from(reader, context, json_string_value(value),
                                      MUP_EXPAND_VOCAB_OR_BASE, &type);
        if (status == MUP_OK)
            status = add(reader, subject, predicate, type);
    }
    return status;
}

static enum mup_status read_property(struct mup_jsonld_reader *reader,
                                     const struct mup_jsonld_context *context, uint32_t subject,
                                     const char *key, json_t *value, unsigned depth)
{
    const char *iri = NULL;
    struct property property = {.subject = subject};
    enum mup_status status = mup_jsonld_expand(reader, context, key, MUP_EXPAND_VOCAB, &iri);
    if (status != MUP_OK || (iri && iri[0] == '@'))
        return status;
    if (!iri) {
        if (!mup_jsonld_find_term(&property.term, context, key))
            mup_problems_warning(reader->problems, 0, reader->path.text,
                                 "left out: no context gives the key a meaning");
        return MUP_OK;
    }
    if (strncmp(iri, "_:", 2) == 0)
        return mup_jsonld_refuse(reader, "a blank node cannot be a property");
    if (!mup_jsonld_find_term(&property.term, context, key))
        property.term = (struct mup_jsonld_term){0};
    status = mup_jsonld_name(reader, iri, &property.predicate);
    if (status != MUP_OK)
        return status;
    return read_values(reader, context, &property, value, depth);
}

/* The name, types and properties of a node whose context is open. */
static enum mup_status read_node_body(struct mup_jsonld_reader *reader,
                                      const struct mup_jsonld_context *context, json_t *object,
                                      const struct mup_jsonld_keys *keys, unsigned depth,
                                      uint32_t *id)
{
    enum mup_status status;
    size_t length;
    if (keys->id) {
        length = mup_json_path_push(&reader->path, "@id");
        status = json_is_string(keys->id)
                     ? mup_jsonld_name_from(reader, context, json_string_value(keys->id),
                                            MUP_EXPAND_BASE, id)
                     : mup_jsonld_refuse(reader, "@id must be a text");
        mup_json_path_pop(&reader->path, length);
    } else {
        status = mup_jsonld_new_blank(reader, id);
    }
    if (status == MUP_OK && keys->type) {
        length = mup_json_path_push(&reader->path, "@type");
        status = read_types(reader, context, *id, keys->type);
        mup_json_path_pop(&reader->path, length);
    }
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (status != MUP_OK)
            break;
        length = mup_json_path_push(&reader->path, key);
        status = read_property(reader, context, *id, key, value, depth + 1);
        mup_json_path_pop(&reader->path, length);
    }
    return status;
}

static enum mup_status read_node(struct mup_jsonld_reader *reader,
                                 const struct mup_jsonld_context *outer, json_t *object,
                                 unsigned depth, uint32_t *id)
{
    if (depth > MUP_DESCRIPTION_DEPTH_MAX)
        return too_deep(reader);
    struct mup_jsonld_context own = {0};
    json_t *local = json_object_get(object, "@context");
    struct mup_jsonld_keys keys;
    enum mup_status status = MUP_OK;
    if (local) {
        size_t length = mup_json_path_push(&reader->path, "@context");
        status = mup_jsonld_context_open(&own, reader, outer, local);
        mup_json_path_pop(&reader->path, length);
        if (status != MUP_OK)
            return status;
    }
    const struct mup_jsonld_context *context = local ? &own : outer;
    status = sort_keys(reader, context, object, &keys);
    if (status == MUP_OK && (keys.value || keys.list || keys.set || keys.language))
        status = mup_jsonld_refuse(reader, "@value, @list, @set and @language do not name a thing");
    else if (status == MUP_OK && keys.graph)
        status = mup_jsonld_refuse(reader, "a named graph (@graph in a node) is not supported");
    if (status == MUP_OK)
        status = read_node_body(reader, context, object, &keys, depth, id);
    if (local)
        mup_jsonld_context_close(&own);
    return status;
}

static enum mup_status read_top(struct mup_jsonld_reader *reader,
                                const struct mup_jsonld_context *context, json_t *value,
                                unsigned depth);

static enum mup_status read_top_array(struct mup_jsonld_reader *reader,
                                      const struct mup_jsonld_context *context, json_t *array,
                                      unsigned depth)
{
    enum mup_status status = MUP_OK;
    for (size_t i = 0; i < json_array_size(array) && status == MUP_OK; i++) {
        size_t length = mup_json_path_push_index(&reader->path, i);
        status = read_top(reader, context, json_array_get(array, i), depth + 1);
        mup_json_path_pop(&reader->path, length);
    }
    return status;
}

/* An object at the top is a node, or only a context around a @graph. */
static enum mup_status read_top_object(struct mup_jsonld_reader *reader,
                                       const struct mup_jsonld_context *outer, json_t *object,
                                       unsigned depth)
{
    struct mup_jsonld_context own = {0};
    json_t *local = json_object_get(object, "@context");
    struct mup_jsonld_keys keys;
    uint32_t id;
    enum mup_status status = MUP_OK;
    if (local) {
        size_t length = mup_json_path_push(&reader->path, "@context");
        status = mup_jsonld_context_open(&own, reader, outer, local);
        mup_json_path_pop(&reader->path, length);
        if (status != MUP_OK)
            return status;
    }
    const struct mup_jsonld_context *context = local ? &own : outer;
    status = sort_keys(reader, context, object, &keys);
    if (status == MUP_OK && keys.graph && !keys.id && !keys.type && !keys.other) {
        size_t length = mup_json_path_push(&reader->path, "@graph");
        status = read_top(reader, context, keys.graph, depth + 1);
        mup_json_path_pop(&reader->path, length);
    } else if (status == MUP_OK && (keys.id || keys.type || keys.other || keys.value || keys.list ||
                                    keys.set || keys.language)) {
        status = read_node(reader, outer, object, depth, &id);
    }
    if (local)
        mup_jsonld_context_close(&own);
    return status;
}

static enum mup_status read_top(struct mup_jsonld_reader *reader,
                                const struct mup_jsonld_context *context, json_t *value,
                                unsigned depth)
{
    if (depth > MUP_DESCRIPTION_DEPTH_MAX)
        return too_deep(reader);
    if (json_is_array(value))
        return read_top_array(reader, context, value, depth);
    if (json_is_object(value))
        return read_top_object(reader, context, value, depth);
    return mup_jsonld_refuse(reader, "an object is expected here");
}

enum mup_status mup_jsonld_read(struct mup_triples *out, struct mup_problems *problems,
                                const char *bytes, size_t size)
{
    json_error_t error;
    json_t *document = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
    if (!document) {
        mup_problems_error(problems, error.line > 0 ? (unsigned)error.line : 0, NULL,
                           "not valid JSON: %s", error.text);
        return MUP_ERR_FORMAT;
    }
    struct mup_jsonld_reader reader = {
        .triples = out, .problems = problems, .labels = json_object()};
    const struct mup_jsonld_context initial = {0};
    enum mup_status status =
        reader.labels ? read_top(&reader, &initial, document, 0) : MUP_ERR_SPACE;
    json_decref(reader.labels);
    json_decref(document);
    mup_arena_free(&reader.arena);
    return status;
}
