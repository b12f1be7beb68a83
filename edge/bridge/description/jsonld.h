/*
 * Read JSON-LD 1.1 (W3C, 2020) into triples: the part of it that a device can be asked to write.
 *
 * Understood: contexts inside the document (an object, or an array of objects and null) at any
 * node; prefixes; terms as text or as an object with @id, @type (@id, @vocab or an IRI), @container
 * (@list,
 * @set), @language and @prefix; @vocab, @base, @language; keyword aliases; @id, @type, @value,
 * @list,
 * @set, @graph (of the whole document); nested nodes, blank nodes, native numbers and booleans.
 *
 * Everything else is refused by name: contexts elsewhere (nothing is ever fetched), named graphs,
 * @reverse, @included, @nest, @index, @json, @direction, @import, scoped contexts, lists of lists,
 * keywords of later versions, duplicate keys, and relative IRIs without @base.
 */
#ifndef MUP_BRIDGE_JSONLD_H
#define MUP_BRIDGE_JSONLD_H

#include "bridge/description/triples.h"

/*
 * Add the triples of the document bytes[0..size). A key that no context gives a meaning is left out
 * with a warning. Blank nodes are labelled b0, b1, ... in the order in which they are met.
 *
 * MUP_ERR_FORMAT  a rule is broken or a feature is not understood; *problems has line or JSON path.
 * MUP_ERR_RANGE   deeper than MUP_DESCRIPTION_DEPTH_MAX, or a limit of triples.h; *problems say.
 * MUP_ERR_SPACE   out of memory.
 *
 * On error *out holds an unspecified part of the document.
 */
MUP_MUST_CHECK
enum mup_status mup_jsonld_read(struct mup_triples *out, struct mup_problems *problems,
                                const char *bytes, size_t size);

#endif
