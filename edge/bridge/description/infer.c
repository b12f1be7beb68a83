/* The rules of infer.h, applied over and over until nothing new follows. */
#include "bridge/description/infer.h"

#include <string.h>

#include "bridge/description/plan.h"
#include "bridge/description/vocabulary.h"

/* From this class or property follows that one. */
struct step {
    uint32_t from, to;
};

/* All things of the class have `value` of the property, or themselves. */
struct restriction {
    uint32_t node, property, value;
    bool self;
};

struct chain {
    uint32_t result;
    uint32_t links[MUP_INFER_CHAIN_MAX];
    unsigned count;
};

struct rules {
    struct step classes[MUP_INFER_RULES_MAX];
    struct step properties[MUP_INFER_RULES_MAX];
    struct step inverses[MUP_INFER_RULES_MAX]; /* both ways stand here */
    struct restriction restrictions[MUP_INFER_RULES_MAX];
    struct chain chains[MUP_INFER_RULES_MAX];
    unsigned class_count, property_count, inverse_count, restriction_count, chain_count;
    uint32_t type; /* rdf:type */
};

struct inference {
    struct mup_triples *triples;
    struct rules *rules;
    struct mup_index index; /* of what there was when the round began */
    unsigned steps;
};

static enum mup_status beyond(struct mup_triples *triples, const char *limit)
{
    triples->limit = limit;
    return MUP_ERR_RANGE;
}

/* The predicates that rules are written with; UINT32_MAX where the graph does not have one. */
struct words {
    uint32_t sub_class, sub_property, inverse, chain, on_property, has_value, has_self, first, rest,
        nil;
};

static uint32_t word(const struct mup_triples *triples, const char *iri)
{
    struct mup_term term = {.kind = MUP_TERM_IRI, .text = iri};
    uint32_t id;
    return mup_triples_find(triples, &id, &term) ? id : UINT32_MAX;
}

static struct words find_words(const struct mup_triples *triples)
{
    return (struct words){
        .sub_class = word(triples, MUP_NS_RDFS "subClassOf"),
        .sub_property = word(triples, MUP_NS_RDFS "subPropertyOf"),
        .inverse = word(triples, MUP_NS_OWL "inverseOf"),
        .chain = word(triples, MUP_NS_OWL "propertyChainAxiom"),
        .on_property = word(triples, MUP_NS_OWL "onProperty"),
        .has_value = word(triples, MUP_NS_OWL "hasValue"),
        .has_self = word(triples, MUP_NS_OWL "hasSelf"),
        .first = word(triples, MUP_NS_RDF "first"),
        .rest = word(triples, MUP_NS_RDF "rest"),
        .nil = word(triples, MUP_NS_RDF "nil"),
    };
}

static bool has_rules(const struct words *words)
{
    return words->sub_class != UINT32_MAX || words->sub_property != UINT32_MAX ||
           words->inverse != UINT32_MAX || words->chain != UINT32_MAX;
}

/* The object of the first such triple; false when there is none. */
static bool object_of(const struct inference *work, uint32_t subject, uint32_t predicate,
                      uint32_t *out)
{
    struct mup_index_range range = mup_index_objects(&work->index, predicate, subject);
    if (predicate == UINT32_MAX || range.from == range.to)
        return false;
    *out = work->triples->items[range.order[range.from]].object;
    return true;
}

static enum mup_status add_step(struct mup_triples *triples, struct step *steps, unsigned *count,
                                uint32_t from, uint32_t to)
{
    if (*count == MUP_INFER_RULES_MAX)
        return beyond(triples, "more than 256 rules of one kind (rdfs:subClassOf and others)");
    steps[(*count)++] = (struct step){from, to};
    return MUP_OK;
}

static bool is_true(const struct mup_term *term)
{
    return term->kind == MUP_TERM_LITERAL &&
           (strcmp(term->text, "true") == 0 || strcmp(term->text, "1") == 0);
}

/* Is `node` a restriction? Then remember what it says. */
static enum mup_status read_restriction(struct inference *work, const struct words *words,
                                        uint32_t node)
{
    struct rules *rules = work->rules;
    struct restriction found = {.node = node};
    uint32_t self;
    if (!object_of(work, node, words->on_property, &found.property))
        return MUP_OK;
    if (object_of(work, node, words->has_self, &self))
        found.self = is_true(&work->triples->terms[self]);
    if (!found.self && !object_of(work, node, words->has_value, &found.value))
        return MUP_OK;
    if (rules->restriction_count == MUP_INFER_RULES_MAX)
        return beyond(work->triples, "more than 256 restrictions");
    rules->restrictions[rules->restriction_count++] = found;
    return MUP_OK;
}

/* A list that is broken or longer than a chain may be is an error: half a rule is another rule. */
static enum mup_status read_chain(struct inference *work, const struct words *words,
                                  uint32_t result, uint32_t list)
{
    struct rules *rules = work->rules;
    struct chain chain = {.result = result};
    while (list != words->nil) {
        if (chain.count == MUP_INFER_CHAIN_MAX ||
            !object_of(work, list, words->first, &chain.links[chain.count]) ||
            !object_of(work, list, words->rest, &list))
            return beyond(work->triples,
                          "an owl:propertyChainAxiom must be a list of at most 4 properties");
        chain.count++;
    }
    if (chain.count == 0)
        return MUP_OK;
    if (rules->chain_count == MUP_INFER_RULES_MAX)
        return beyond(work->triples, "more than 256 owl:propertyChainAxiom");
    rules->chains[rules->chain_count++] = chain;
    return MUP_OK;
}

static enum mup_status read_rule(struct inference *work, const struct words *words,
                                 struct mup_triple item)
{
    struct rules *rules = work->rules;
    struct mup_triples *triples = work->triples;
    enum mup_status status = MUP_OK;
    if (item.predicate == words->sub_class) {
        status = add_step(triples, rules->classes, &rules->class_count, item.subject, item.object);
        if (status == MUP_OK)
            status = read_restriction(work, words, item.object);
    } else if (item.predicate == words->sub_property) {
        status =
            add_step(triples, rules->properties, &rules->property_count, item.subject, item.object);
    } else if (item.predicate == words->inverse) {
        status =
            add_step(triples, rules->inverses, &rules->inverse_count, item.subject, item.object);
        if (status == MUP_OK)
            status = add_step(triples, rules->inverses, &rules->inverse_count, item.object,
                              item.subject);
    } else if (item.predicate == words->chain) {
        status = read_chain(work, words, item.subject, item.object);
    }
    return status;
}

/* Blank nodes and literals are no properties (RDF 1.1 Concepts 3.1). */
static enum mup_status add(struct mup_triples *triples, uint32_t subject, uint32_t predicate,
                           uint32_t object)
{
    if (triples->terms[subject].kind == MUP_TERM_LITERAL ||
        triples->terms[predicate].kind != MUP_TERM_IRI)
        return MUP_OK;
    return mup_triples_add(triples, subject, predicate, object);
}

static enum mup_status apply_to_type(struct inference *work, struct mup_triple item)
{
    const struct rules *rules = work->rules;
    enum mup_status status = MUP_OK;
    for (unsigned i = 0; i < rules->class_count && status == MUP_OK; i++) {
        if (rules->classes[i].from == item.object)
            status = add(work->triples, item.subject, rules->type, rules->classes[i].to);
    }
    for (unsigned i = 0; i < rules->restriction_count && status == MUP_OK; i++) {
        const struct restriction *has = &rules->restrictions[i];
        if (has->node == item.object)
            status = add(work->triples, item.subject, has->property,
                         has->self ? item.subject : has->value);
    }
    return status;
}

/* What follows from one triple alone. */
static enum mup_status apply(struct inference *work, struct mup_triple item)
{
    const struct rules *rules = work->rules;
    enum mup_status status = MUP_OK;
    if (item.predicate == rules->type)
        status = apply_to_type(work, item);
    for (unsigned i = 0; i < rules->property_count && status == MUP_OK; i++) {
        if (rules->properties[i].from == item.predicate)
            status = add(work->triples, item.subject, rules->properties[i].to, item.object);
    }
    for (unsigned i = 0; i < rules->inverse_count && status == MUP_OK; i++) {
        if (rules->inverses[i].from == item.predicate)
            status = add(work->triples, item.object, rules->inverses[i].to, item.subject);
    }
    return status;
}

/* From `at`, the end of the first `done` links of a chain that began at `from`. */
static enum mup_status follow(struct inference *work, const struct chain *chain, unsigned done,
                              uint32_t from, uint32_t at)
{
    if (done == chain->count)
        return add(work->triples, from, chain->result, at);
    enum mup_status status = MUP_OK;
    struct mup_index_range range = mup_index_objects(&work->index, chain->links[done], at);
    for (uint32_t i = range.from; i < range.to && status == MUP_OK; i++) {
        if (++work->steps > MUP_INFER_STEPS_MAX)
            return beyond(work->triples, "the rules of the ontology take too many steps");
        status = follow(work, chain, done + 1, from, work->triples->items[range.order[i]].object);
    }
    return status;
}

static enum mup_status apply_chains(struct inference *work)
{
    enum mup_status status = MUP_OK;
    for (unsigned i = 0; i < work->rules->chain_count; i++) {
        const struct chain *chain = &work->rules->chains[i];
        for (uint32_t j = 0; j < work->index.count && status == MUP_OK; j++) {
            struct mup_triple item = work->triples->items[j];
            if (item.predicate == chain->links[0])
                status = follow(work, chain, 1, item.subject, item.object);
        }
    }
    return status;
}

static enum mup_status round_of_rules(struct inference *work, uint32_t *applied)
{
    struct mup_triples *triples = work->triples;
    /* The set grows while it is read, so that rules follow from each other at once. */
    for (; *applied < triples->count; (*applied)++) {
        enum mup_status status = apply(work, triples->items[*applied]);
        if (status != MUP_OK)
            return status;
    }
    if (work->rules->chain_count == 0)
        return MUP_OK;
    enum mup_status status = mup_index_make(&work->index, triples);
    if (status == MUP_OK)
        status = apply_chains(work);
    mup_index_free(&work->index);
    return status;
}

static enum mup_status read_rules(struct inference *work, const struct words *words)
{
    struct mup_term type = {.kind = MUP_TERM_IRI, .text = MUP_NS_RDF "type"};
    uint32_t count = work->triples->count;
    enum mup_status status = mup_triples_term(work->triples, &work->rules->type, &type);
    if (status == MUP_OK)
        status = mup_index_make(&work->index, work->triples);
    for (uint32_t i = 0; i < count && status == MUP_OK; i++)
        status = read_rule(work, words, work->triples->items[i]);
    mup_index_free(&work->index);
    return status;
}

enum mup_status mup_infer(struct mup_triples *triples)
{
    struct words words = find_words(triples);
    struct mup_arena arena = {0};
    uint32_t applied = 0;
    if (!has_rules(&words))
        return MUP_OK;
    struct inference work = {.triples = triples,
                             .rules = mup_arena_take(&arena, sizeof *work.rules)};
    enum mup_status status = work.rules ? read_rules(&work, &words) : MUP_ERR_SPACE;
    for (unsigned i = 0; status == MUP_OK; i++) {
        status = i < MUP_INFER_ROUNDS_MAX
                     ? round_of_rules(&work, &applied)
                     : beyond(triples, "the rules of the ontology do not come to an end");
        if (applied == triples->count)
            break;
    }
    mup_arena_free(&arena);
    return status;
}
