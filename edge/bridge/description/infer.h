/*
 * What a description or an alignment implies by the rules of OWL, added as triples: the part of
 * OWL 2 that maps one vocabulary to another.
 *
 * - rdfs:subClassOf and rdfs:subPropertyOf;
 * - owl:inverseOf;
 * - owl:propertyChainAxiom: of properties in a row follows one;
 * - rdfs:subClassOf a restriction with owl:onProperty and owl:hasValue (all its things have this
 *   value) or owl:hasSelf true (all its things stand in this relation to themselves).
 *
 * Equivalences are not among them: materialise.h makes one node of equivalent ones before.
 */
#ifndef MUP_BRIDGE_INFER_H
#define MUP_BRIDGE_INFER_H

#include "bridge/description/triples.h"

#define MUP_INFER_RULES_MAX  256u     /* rules of each kind */
#define MUP_INFER_CHAIN_MAX  4u       /* properties of a chain */
#define MUP_INFER_ROUNDS_MAX 32u      /* of all rules over all triples */
#define MUP_INFER_STEPS_MAX  2000000u /* triples that chains pass */

/*
 * Add to the set what follows from it. MUP_ERR_RANGE: a limit (see triples->limit). MUP_ERR_SPACE:
 * out of memory.
 */
MUP_MUST_CHECK
enum mup_status mup_infer(struct mup_triples *triples);

#endif
