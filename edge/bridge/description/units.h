/* Symbols of common units, for descriptions that name a unit without saying how it is written. */
#ifndef MUP_BRIDGE_UNITS_H
#define MUP_BRIDGE_UNITS_H

/* The symbol of a unit of the ontology of units of measure (OM 2), by its IRI; "" when the table
 * does not have it or the IRI is of another ontology. */
const char *mup_unit_symbol(const char *iri);

#endif
