/*
 * A small set of RDF triples: what every reader of a description writes into, and what is
 * materialised before the queries run.
 *
 * Terms are interned, so that two triples speak of the same thing exactly when their ids are equal.
 * The sizes are bounded, because a compact IRI of ten bytes may expand to a thousand: a description
 * of 256 kB must not become a graph of a gigabyte.
 */
#ifndef MUP_BRIDGE_TRIPLES_H
#define MUP_BRIDGE_TRIPLES_H

#include <stdint.h>

#include "bridge/description/arena.h"
#include "bridge/description/capability.h"

#define MUP_IRI_SIZE_MAX     1024u    /* bytes of one IRI */
#define MUP_LITERAL_SIZE_MAX 8192u    /* bytes of one literal */
#define MUP_TERMS_SIZE_MAX   2097152u /* bytes of all terms together */

enum mup_term_kind {
    MUP_TERM_IRI,
    MUP_TERM_BLANK,
    MUP_TERM_LITERAL,
};

struct mup_term {
    enum mup_term_kind kind;
    const char *text;     /* the IRI, the label without `_:`, or the literal's value */
    const char *datatype; /* IRI of a typed literal; NULL for a plain one */
    const char *language; /* tag of a language-tagged literal, or NULL */
};

struct mup_triple {
    uint32_t subject; /* index into terms */
    uint32_t predicate;
    uint32_t object;
};

/* Read terms and triples; change them only by the functions below. */
struct mup_triples {
    struct mup_term *terms;
    uint32_t term_count;
    struct mup_triple *items; /* distinct, in order of arrival */
    uint32_t count;
    const char *limit; /* after MUP_ERR_RANGE: which limit, for the problems */
    /* private */
    uint32_t term_room, item_room;
    uint32_t *term_slots, *item_slots; /* open addressing, index + 1 */
    uint32_t term_slot_count, item_slot_count;
    uint64_t seed;
    size_t text_size;
    struct mup_arena arena;
};

void mup_triples_init(struct mup_triples *triples);
void mup_triples_free(struct mup_triples *triples);

/*
 * The id of a term, which is copied when it is new. datatype and language may be NULL.
 * MUP_ERR_RANGE: one of the limits above. MUP_ERR_SPACE: out of memory.
 */
MUP_MUST_CHECK
enum mup_status mup_triples_term(struct mup_triples *triples, uint32_t *id,
                                 const struct mup_term *term);

/* The id of a term that is there; false when it is not. */
bool mup_triples_find(const struct mup_triples *triples, uint32_t *id, const struct mup_term *term);

/* Add a triple of ids; one that is there already changes nothing. Errors as above. */
MUP_MUST_CHECK
enum mup_status mup_triples_add(struct mup_triples *triples, uint32_t subject, uint32_t predicate,
                                uint32_t object);

/*
 * Canonical N-Triples (W3C, 2014, section 4), sorted by their bytes, one line each. Control
 * characters of a literal stand as they are: not for a terminal. *out is freed by the caller with
 * free().
 */
MUP_MUST_CHECK
enum mup_status mup_triples_print(char **out, const struct mup_triples *triples);

/* True for an absolute IRI without characters that N-Triples forbids (RFC 3987 is wider). */
int mup_iri_is_absolute(const char *text);

/* True for UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
int mup_text_is_utf8(const char *text);

#endif
