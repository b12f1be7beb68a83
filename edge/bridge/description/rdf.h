/*
 * The RDF library (librdf with raptor and rasqal) behind four calls: read Turtle or RDF/XML, make a
 * graph of triples that can be queried, ask it a SPARQL query, let it go.
 *
 * Nothing here opens a file or the network: no owl:imports, no XML entities, and the queries are
 * the project's own (mup_describer_new), never a user's.
 */
#ifndef MUP_BRIDGE_RDF_H
#define MUP_BRIDGE_RDF_H

#include "bridge/description/triples.h"

#define MUP_QUERY_ROWS_MAX 20000u /* a hostile graph must not multiply without end */
#define MUP_ANSWER_COLUMNS 2u     /* at most, of the project's own queries */

struct mup_plan; /* plan.h */
struct mup_rdf;
struct mup_rdf_graph;

/* The answer to a query; without rows it has no columns either. A cell is an IRI, a literal's text,
 * or `_:label`; "" when unbound. */
struct mup_rows {
    size_t count;
    size_t columns;
    const char **cells; /* row by row, in the arena given to mup_rdf_ask() */
};

/* NULL when the library does not start or memory is out. */
struct mup_rdf *mup_rdf_new(void);
void mup_rdf_free(struct mup_rdf *rdf);

/*
 * Add the triples of a Turtle or RDF/XML document. Relative IRIs are refused: a description has no
 * address that they could be relative to. Errors as for mup_jsonld_read().
 */
MUP_MUST_CHECK
enum mup_status mup_rdf_read(struct mup_triples *out, struct mup_problems *problems,
                             struct mup_rdf *rdf, const char *bytes, size_t size,
                             enum mup_description_format format);

/*
 * Add the triples of a document in any of the syntaxes; MUP_DESCRIPTION_AUTO goes by the first
 * bytes. MUP_ERR_RANGE also for more than MUP_DESCRIPTION_SIZE_MAX bytes.
 */
MUP_MUST_CHECK
enum mup_status mup_rdf_read_any(struct mup_triples *out, struct mup_problems *problems,
                                 struct mup_rdf *rdf, const char *bytes, size_t size,
                                 enum mup_description_format format);

/* Make a graph that can be queried; NULL when memory is out. Close it before freeing `rdf`. */
struct mup_rdf_graph *mup_rdf_graph_open(struct mup_rdf *rdf, const struct mup_triples *triples);
void mup_rdf_graph_close(struct mup_rdf_graph *graph);

/*
 * Hold a query against what it must be: a SELECT of `columns` columns that parses, and without
 * FROM, GRAPH and SERVICE, which would read other files and servers. MUP_ERR_FORMAT and *problems
 * otherwise. *plan is what plan.h makes of it, in the arena, or NULL.
 */
MUP_MUST_CHECK
enum mup_status mup_rdf_check_query(const struct mup_plan **plan, struct mup_arena *arena,
                                    struct mup_problems *problems, struct mup_rdf *rdf,
                                    const char *query, const char *name, unsigned columns);

/*
 * Run a SPARQL SELECT over the graph. `name` is for the problems.
 *
 * MUP_ERR_FORMAT  the query does not parse or is no SELECT.
 * MUP_ERR_RANGE   more than MUP_QUERY_ROWS_MAX rows.
 * MUP_ERR_SPACE   out of memory.
 */
MUP_MUST_CHECK
enum mup_status mup_rdf_ask(struct mup_rows *out, struct mup_arena *arena,
                            struct mup_problems *problems, struct mup_rdf_graph *graph,
                            const char *query, const char *name);

#endif
