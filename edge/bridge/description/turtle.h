/* What is looked for in a Turtle document before the RDF library sees it. */
#ifndef MUP_BRIDGE_TURTLE_H
#define MUP_BRIDGE_TURTLE_H

#include <stddef.h>

/*
 * The line, from 1, of the first brace outside of texts, IRIs and comments; 0 when there is none.
 * Turtle has no braces there (they are TriG's), and raptor 2.0.15 reads address 0 when one stands
 * behind an empty IRI: `<>{`.
 */
unsigned mup_turtle_brace_line(const char *bytes, size_t size);

#endif
