/* Chunked memory that is released all at once (arena.h). */
#include "bridge/description/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a capability takes, and the bridge keeps for each kind of device, is a few kilobytes. */
#define CHUNK_SIZE ((size_t)2048)

struct mup_arena_chunk {
    struct mup_arena_chunk *older;
    size_t used; /* from the front, aligned */
    size_t end;  /* of what is free; behind it are texts */
    max_align_t bytes[];
};

static struct mup_arena_chunk *chunk_with_room(struct mup_arena *arena, size_t size)
{
    struct mup_arena_chunk *chunk = arena->newest;
    if (chunk && size <= chunk->end - chunk->used)
        return chunk;
    size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    chunk = calloc(1, sizeof *chunk + room);
    if (!chunk)
        return NULL;
    chunk->end = room;
    chunk->older = arena->newest;
    arena->newest = chunk;
    return chunk;
}

void *mup_arena_take(struct mup_arena *arena, size_t size)
{
    size_t unit = sizeof(max_align_t);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + unit) / unit * unit;
    struct mup_arena_chunk *chunk = chunk_with_room(arena, size);
    if (!chunk)
        return NULL;
    void *taken = (char *)chunk->bytes + chunk->used;
    chunk->used += size;
    return taken;
}

/* Texts need no alignment, and there are many short ones. */
static char *take_text(struct mup_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    struct mup_arena_chunk *chunk = chunk_with_room(arena, size);
    if (!chunk)
        return NULL;
    chunk->end -= size;
    return (char *)chunk->bytes + chunk->end;
}

char *mup_arena_copy(struct mup_arena *arena, const char *text, size_t size)
{
    char *copy = take_text(arena, size + 1);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

char *mup_arena_print(struct mup_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = size < 0 ? NULL : take_text(arena, (size_t)size + 1);
    if (!text)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return text;
}

void mup_arena_free(struct mup_arena *arena)
{
    while (arena->newest) {
        struct mup_arena_chunk *older = arena->newest->older;
        free(arena->newest);
        arena->newest = older;
    }
}
