/*
 * The vectors of docs/SPEC.md section 22, read from the page itself: what is tested and what is
 * printed cannot differ.
 */
#ifndef MUP_TEST_PROTOCOL_SPEC_H
#define MUP_TEST_PROTOCOL_SPEC_H

#include <stddef.h>
#include <stdint.h>

#define SPEC_VECTOR_MAX 1024u

struct spec_vector {
    uint8_t bytes[SPEC_VECTOR_MAX];
    size_t size;
};

/* The vector under the heading "### NAME"; ends the program with a message when it is missing. */
struct spec_vector spec_vector(const char *name);

/* The page's whole text, for tests of its other tables; free() it. */
char *spec_text(void);

#endif
