/*
 * The namespaces that device descriptions are written in (docs/DESIGN.md, D12), and the one term
 * that is ours. The queries repeat them as PREFIX lines, so that they can be read alone.
 */
#ifndef MUP_BRIDGE_VOCABULARY_H
#define MUP_BRIDGE_VOCABULARY_H

#define MUP_NS_ONEM2M "http://www.onem2m.org/ontology/Base_Ontology/base_ontology#"
#define MUP_NS_UNITS  "http://www.ontology-of-units-of-measure.org/resource/om-2/"
#define MUP_NS_MYNO   "https://www.cs.uni-potsdam.de/bs/research/myno#"
#define MUP_NS_RDF    "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define MUP_NS_RDFS   "http://www.w3.org/2000/01/rdf-schema#"
#define MUP_NS_XSD    "http://www.w3.org/2001/XMLSchema#"
#define MUP_NS_OWL    "http://www.w3.org/2002/07/owl#"

/* An older name of MUP_NS_MYNO, still in use; read as if it were the newer one. */
#define MUP_NS_MYNO_OLD "http://yang-netconf-mqtt#"

/* From a device to every service in hasService / hasSubService*; only in the materialised graph. */
#define MUP_IRI_REACHES "urn:mup:reaches"

#endif
