/* What the query plans need of the RDF library's state. */
#ifndef MUP_BRIDGE_RDF_INTERNAL_H
#define MUP_BRIDGE_RDF_INTERNAL_H

#include <rasqal.h>

#include "bridge/description/rdf.h"

/* The query engine's world. */
rasqal_world *mup_rdf_rasqal(struct mup_rdf *rdf);

#endif
