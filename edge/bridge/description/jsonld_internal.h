/* What the parts of the JSON-LD reader share: the active context, names and values, and where we
 * are. */
#ifndef MUP_BRIDGE_JSONLD_INTERNAL_H
#define MUP_BRIDGE_JSONLD_INTERNAL_H

#include <jansson.h>

#include "bridge/description/jsonld.h"

#define MUP_JSON_PATH_SIZE 1024u

/* A JSON pointer (RFC 6901) to the value being read; a part that finds no room is left out. */
struct mup_json_path {
    char text[MUP_JSON_PATH_SIZE];
    size_t length;
};

struct mup_jsonld_reader {
    struct mup_triples *triples;
    struct mup_problems *problems;
    struct mup_arena arena; /* strings that live as long as the reading */
    struct mup_json_path path;
    json_t *labels; /* blank node label of the document -> number of ours */
    uint32_t blank_count;
};

/* The active context. Nested ones point to the one around them; `terms` holds only what is new. */
struct mup_jsonld_context {
    const struct mup_jsonld_context *outer; /* NULL after `@context: null` */
    json_t *terms;                          /* term -> definition, or JSON null: not to be used */
    const char *vocab;                      /* NULL: none */
    const char *base;
    const char *language;
};

/* A term's definition as its uses need it. Strings live as long as the context. */
struct mup_jsonld_term {
    const char *iri;  /* an IRI or a keyword; NULL: mapped to nothing */
    const char *type; /* "@id", "@vocab", an IRI, or NULL */
    const char *language;
    bool has_language; /* also with language NULL: this term has none */
    bool list;
    bool prefix; /* may stand before the colon of a compact IRI */
};

/* Return to the length that push returned. */
size_t mup_json_path_push(struct mup_json_path *path, const char *key);
size_t mup_json_path_push_index(struct mup_json_path *path, size_t index);
void mup_json_path_pop(struct mup_json_path *path, size_t length);

/* Report an error at the current path; returns MUP_ERR_FORMAT. */
enum mup_status mup_jsonld_refuse(struct mup_jsonld_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* True and *out filled when the context or one around it defines the term. */
bool mup_jsonld_find_term(struct mup_jsonld_term *out, const struct mup_jsonld_context *context,
                          const char *name);

/* True for a keyword of JSON-LD 1.1, whether understood here or not. */
bool mup_jsonld_is_keyword(const char *text);
/* True for what looks like a keyword: `@` and letters. */
bool mup_jsonld_like_keyword(const char *text);

/* How a text becomes an IRI. */
enum mup_jsonld_expand {
    MUP_EXPAND_VOCAB,         /* keys: terms and @vocab */
    MUP_EXPAND_VOCAB_OR_BASE, /* @type: terms, @vocab, then @base */
    MUP_EXPAND_BASE,          /* @id: @base */
};

/*
 * Expand `text`: *out is a keyword, an absolute IRI or `_:label`, or NULL when nothing gives it a
 * meaning (MUP_EXPAND_VOCAB only). A relative IRI without a base is refused.
 */
MUP_MUST_CHECK
enum mup_status mup_jsonld_expand(struct mup_jsonld_reader *reader,
                                  const struct mup_jsonld_context *context, const char *text,
                                  enum mup_jsonld_expand how, const char **out);

/* Make *out the context that `local` (the value of @context) leaves inside `outer`. Release it. */
MUP_MUST_CHECK
enum mup_status mup_jsonld_context_open(struct mup_jsonld_context *out,
                                        struct mup_jsonld_reader *reader,
                                        const struct mup_jsonld_context *outer, json_t *local);
void mup_jsonld_context_close(struct mup_jsonld_context *context);

/* The keys of an object that are keywords or their aliases; NULL: absent. */
struct mup_jsonld_keys {
    json_t *id, *type, *value, *language, *list, *set, *graph;
    bool other; /* any property */
};

/* `status` as it is; a limit of triples.h is reported at the current path. */
MUP_MUST_CHECK
enum mup_status mup_jsonld_told(struct mup_jsonld_reader *reader, enum mup_status status);

/* The id of a term. */
MUP_MUST_CHECK
enum mup_status mup_jsonld_intern(struct mup_jsonld_reader *reader, enum mup_term_kind kind,
                                  const char *text, const char *datatype, const char *language,
                                  uint32_t *id);

/* A blank node that nothing else names. */
MUP_MUST_CHECK
enum mup_status mup_jsonld_new_blank(struct mup_jsonld_reader *reader, uint32_t *id);

/* The node of an expanded IRI or `_:label`. */
MUP_MUST_CHECK
enum mup_status mup_jsonld_name(struct mup_jsonld_reader *reader, const char *iri, uint32_t *id);

/* The node of a text that is still to be expanded. */
MUP_MUST_CHECK
enum mup_status mup_jsonld_name_from(struct mup_jsonld_reader *reader,
                                     const struct mup_jsonld_context *context, const char *text,
                                     enum mup_jsonld_expand how, uint32_t *id);

/* A scalar in the place of a property's value, coerced by the term. */
MUP_MUST_CHECK
enum mup_status mup_jsonld_scalar(struct mup_jsonld_reader *reader,
                                  const struct mup_jsonld_context *context,
                                  const struct mup_jsonld_term *term, json_t *value, uint32_t *id);

/* An object with @value, which is not null. */
MUP_MUST_CHECK
enum mup_status mup_jsonld_literal(struct mup_jsonld_reader *reader,
                                   const struct mup_jsonld_context *context,
                                   const struct mup_jsonld_keys *keys, uint32_t *id);

#endif
