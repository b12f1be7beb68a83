/*
 * Finds one of many texts by a hash table over numbers: the texts themselves stay where they are.
 *
 * The table knows the number of each text, and asks `text_of` for the text of a number.
 */
#ifndef MUP_SERVER_FLEET_INDEX_H
#define MUP_SERVER_FLEET_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUP_INDEX_NONE UINT32_MAX

/* `{0}` is empty. */
struct mup_index {
    uint32_t *slots; /* number + 1; 0: free */
    size_t slot_count;
    size_t count;
};

typedef const char *mup_index_text_of(const void *arg, uint32_t number);

/* The text must not be there yet. False: no memory. */
bool mup_index_add(struct mup_index *index, uint32_t number, mup_index_text_of *text_of,
                   const void *arg);

uint32_t mup_index_find(const struct mup_index *index, const char *text, mup_index_text_of *text_of,
                        const void *arg);

void mup_index_free(struct mup_index *index);

#endif
