/* What the query plans need of the RDF library's state. */
#ifndef MUP_BRIDGE_RDF_INTERNAL_H
#define MUP_BRIDGE_RDF_INTERNAL_H

#include <rasqal.h>

#include "bridge/description/rdf.h"

/* The plan of a prepared query, in the arena; NULL when it has none. */
const struct mup_plan *mup_plan_of(struct mup_arena *arena, rasqal_query *query);

/* The query engine's world. */
rasqal_world *mup_rdf_rasqal(struct mup_rdf *rdf);

#endif
