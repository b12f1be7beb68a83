/*
 * Say in plain triples what a description only implies, because the query engine has no inference
 * and no property paths.
 *
 * - The two names of the MYNO namespace become one.
 * - Things joined by owl:sameAs, owl:equivalentClass or owl:equivalentProperty become one node: the
 *   one from the vocabulary, or else an IRI before a blank node and the smaller text first. Copying
 *   the triples to every name instead would make each function of such a device appear twice.
 * - What follows by the rules of infer.h is added.
 * - Each subject of hasService gets `urn:mup:reaches` to its services and their sub-services.
 */
#ifndef MUP_BRIDGE_MATERIALISE_H
#define MUP_BRIDGE_MATERIALISE_H

#include "bridge/description/triples.h"

/* Fill the empty set *out. MUP_ERR_RANGE (see out->limit) or MUP_ERR_SPACE. */
MUP_MUST_CHECK
enum mup_status mup_materialise(struct mup_triples *out, const struct mup_triples *in);

#endif
