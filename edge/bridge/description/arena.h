/*
 * Memory that is released all at once: the strings and arrays of one description.
 *
 * A zeroed struct is an empty arena. Nothing is freed one by one, so there is no ownership to get
 * wrong between the parts of a capability.
 */
#ifndef MUP_BRIDGE_ARENA_H
#define MUP_BRIDGE_ARENA_H

#include <stddef.h>

struct mup_arena {
    struct mup_arena_chunk *newest; /* private */
};

/* Zeroed memory aligned for any type, or NULL when out of memory. A size of 0 gives a valid
 * pointer. */
void *mup_arena_take(struct mup_arena *arena, size_t size);

/* A copy of text[0..size) with a NUL behind it, or NULL when out of memory. */
char *mup_arena_copy(struct mup_arena *arena, const char *text, size_t size);

/* A NUL-terminated printf result, or NULL when out of memory. */
char *mup_arena_print(struct mup_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void mup_arena_free(struct mup_arena *arena);

#endif
