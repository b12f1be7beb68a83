/*
 * Queries prepared once: what a SPARQL query looks for, as patterns over interned triples.
 *
 * The query engine parses and plans a query anew for each graph and goes through its own copies of
 * all terms, which took 9 of the 12 ms of a large description. The bridge's questions are joins of
 * triple patterns and unions of such joins; those are read out of the prepared query once, and are
 * then answered from two sorted indexes. Any other query (FILTER, OPTIONAL, GROUP BY, a variable in
 * the place of a predicate, ...) has no plan and goes to the engine: both give the same rows.
 *
 *     mup_plan_make()            once per query
 *     mup_index_make()           once per graph, which must not change while the index lives
 *       mup_plan_run()           per query
 *     mup_index_free()
 */
#ifndef MUP_BRIDGE_PLAN_H
#define MUP_BRIDGE_PLAN_H

#include "bridge/description/rdf.h"

#define MUP_PLAN_STEPS_MAX    2000000u /* bindings tried by one query */
#define MUP_PLAN_PATTERNS_MAX 12u      /* of one join */
#define MUP_PLAN_BRANCHES_MAX 8u       /* of a union */
#define MUP_PLAN_NAMES_MAX    16u      /* variables of one query */

struct mup_plan;

/*
 * A plan for a query, in the arena. NULL when it has none, or is no query: use mup_rdf_ask(). For a
 * query that is to be held against the rules, mup_rdf_check_query() makes its plan by the way.
 */
const struct mup_plan *mup_plan_make(struct mup_arena *arena, struct mup_rdf *rdf,
                                     const char *query);

/* The triples by predicate and subject, and by predicate and object; points to the triples. Those
 * that are added later are not in it. */
struct mup_index {
    const struct mup_triples *triples;
    uint32_t count;       /* of triples when it was made */
    uint32_t *by_subject; /* private: triple numbers */
    uint32_t *by_object;
};

/* MUP_ERR_SPACE: out of memory. Release with mup_index_free(), which takes an empty one too. */
MUP_MUST_CHECK
enum mup_status mup_index_make(struct mup_index *out, const struct mup_triples *triples);
void mup_index_free(struct mup_index *index);

/* A part of an index: the triples items[order[from]] to items[order[to - 1]]. */
struct mup_index_range {
    const uint32_t *order;
    uint32_t from, to;
};

/* The triples with this predicate and subject. */
struct mup_index_range mup_index_objects(const struct mup_index *index, uint32_t predicate,
                                         uint32_t subject);

/* As mup_rdf_ask(); rows may come in another order. Cells point into the triples or the arena. */
MUP_MUST_CHECK
enum mup_status mup_plan_run(struct mup_rows *out, struct mup_arena *arena,
                             struct mup_problems *problems, const struct mup_index *index,
                             const struct mup_plan *plan, const char *name);

#endif
