/* One name per thing, what follows by rules (infer.h), and the closure of hasService/hasSubService*
 * (materialise.h). */
#include "bridge/description/materialise.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/description/infer.h"
#include "bridge/description/vocabulary.h"

struct work {
    struct mup_triples *out;
    const struct mup_triples *in;
    uint32_t *renamed; /* id in `in` -> id in `out` */
    uint32_t *parent;  /* union-find over ids of `out` */
    uint32_t term_count;
};

static const char *const equivalences[] = {
    MUP_NS_OWL "sameAs",
    MUP_NS_OWL "equivalentClass",
    MUP_NS_OWL "equivalentProperty",
};

/* Intern the terms of `in` into `out`, with the old namespace replaced. */
static enum mup_status rename_terms(struct work *work)
{
    for (uint32_t i = 0; i < work->in->term_count; i++) {
        struct mup_term term = work->in->terms[i];
        char longer[MUP_IRI_SIZE_MAX + sizeof MUP_NS_MYNO];
        size_t old = sizeof MUP_NS_MYNO_OLD - 1;
        if (term.kind == MUP_TERM_IRI && strncmp(term.text, MUP_NS_MYNO_OLD, old) == 0) {
            memcpy(longer, MUP_NS_MYNO, sizeof MUP_NS_MYNO - 1);
            memcpy(longer + sizeof MUP_NS_MYNO - 1, term.text + old, strlen(term.text + old) + 1);
            term.text = longer;
        }
        enum mup_status status = mup_triples_term(work->out, &work->renamed[i], &term);
        if (status != MUP_OK)
            return status;
    }
    return MUP_OK;
}

static uint32_t find(struct work *work, uint32_t id)
{
    while (work->parent[id] != id) {
        work->parent[id] = work->parent[work->parent[id]];
        id = work->parent[id];
    }
    return id;
}

static int rank(const struct mup_term *term)
{
    static const char *const vocabulary[] = {MUP_NS_ONEM2M, MUP_NS_MYNO, MUP_NS_UNITS, MUP_NS_RDF,
                                             MUP_NS_XSD};
    if (term->kind == MUP_TERM_BLANK)
        return 2;
    for (size_t i = 0; i < sizeof vocabulary / sizeof vocabulary[0]; i++) {
        if (strncmp(term->text, vocabulary[i], strlen(vocabulary[i])) == 0)
            return 0;
    }
    return 1;
}

/* True when `a` is the better name for a thing than `b`. */
static int is_better(const struct mup_term *a, const struct mup_term *b)
{
    if (rank(a) != rank(b))
        return rank(a) < rank(b);
    return strcmp(a->text, b->text) < 0;
}

static void unite(struct work *work, uint32_t a, uint32_t b)
{
    const struct mup_term *terms = work->out->terms;
    a = find(work, a);
    b = find(work, b);
    if (a == b || terms[a].kind == MUP_TERM_LITERAL || terms[b].kind == MUP_TERM_LITERAL)
        return;
    if (is_better(&terms[a], &terms[b]))
        work->parent[b] = a;
    else
        work->parent[a] = b;
}

static int is_equivalence(const struct mup_term *predicate)
{
    for (size_t i = 0; i < sizeof equivalences / sizeof equivalences[0]; i++) {
        if (strcmp(predicate->text, equivalences[i]) == 0)
            return 1;
    }
    return 0;
}

static void unite_all(struct work *work)
{
    for (uint32_t i = 0; i < work->in->count; i++) {
        const struct mup_triple *item = &work->in->items[i];
        if (is_equivalence(&work->in->terms[item->predicate]))
            unite(work, work->renamed[item->subject], work->renamed[item->object]);
    }
}

static enum mup_status copy_triples(struct work *work)
{
    for (uint32_t i = 0; i < work->in->count; i++) {
        const struct mup_triple *item = &work->in->items[i];
        if (is_equivalence(&work->in->terms[item->predicate]))
            continue;
        enum mup_status status = mup_triples_add(
            work->out, find(work, work->renamed[item->subject]),
            find(work, work->renamed[item->predicate]), find(work, work->renamed[item->object]));
        if (status != MUP_OK)
            return status;
    }
    return MUP_OK;
}

static enum mup_status iri_id(struct mup_triples *triples, const char *iri, uint32_t *id)
{
    struct mup_term term = {.kind = MUP_TERM_IRI, .text = iri};
    return mup_triples_term(triples, id, &term);
}

/*
 * Breadth first: the triples that are added are the queue, and the set refuses what is in it
 * already, so that a service that is its own sub-service ends the walk like any other.
 */
static enum mup_status add_reached(struct mup_triples *triples, uint32_t plain_count)
{
    uint32_t reaches, service, sub;
    enum mup_status status = iri_id(triples, MUP_IRI_REACHES, &reaches);
    if (status == MUP_OK)
        status = iri_id(triples, MUP_NS_ONEM2M "hasService", &service);
    if (status == MUP_OK)
        status = iri_id(triples, MUP_NS_ONEM2M "hasSubService", &sub);
    for (uint32_t i = 0; i < plain_count && status == MUP_OK; i++) {
        if (triples->items[i].predicate == service)
            status = mup_triples_add(triples, triples->items[i].subject, reaches,
                                     triples->items[i].object);
    }
    for (uint32_t i = plain_count; i < triples->count && status == MUP_OK; i++) {
        struct mup_triple reached = triples->items[i];
        for (uint32_t j = 0; j < plain_count && status == MUP_OK; j++) {
            if (triples->items[j].predicate == sub && triples->items[j].subject == reached.object)
                status =
                    mup_triples_add(triples, reached.subject, reaches, triples->items[j].object);
        }
    }
    return status;
}

enum mup_status mup_materialise(struct mup_triples *out, const struct mup_triples *in)
{
    struct work work = {.out = out, .in = in};
    enum mup_status status = MUP_ERR_SPACE;
    work.renamed = calloc((size_t)in->term_count + 1, sizeof *work.renamed);
    work.parent = calloc((size_t)in->term_count + 1, sizeof *work.parent);
    if (work.renamed && work.parent) {
        status = rename_terms(&work);
        for (uint32_t i = 0; i < out->term_count; i++)
            work.parent[i] = i;
        if (status == MUP_OK) {
            unite_all(&work);
            status = copy_triples(&work);
        }
        if (status == MUP_OK)
            status = mup_infer(out);
        if (status == MUP_OK)
            status = add_reached(out, out->count);
    }
    free(work.renamed);
    free(work.parent);
    return status;
}
