/* Open addressing, at most half full. */
#include "server/fleet/index.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64u

/* FNV-1a. The texts are names of devices that may enter; a flood of alike ones costs time, and
 * whoever may enter so many has other ways. */
static size_t hash(const char *text)
{
    uint64_t value = 0xcbf29ce484222325u;

    for (; *text; text++) {
        value = (value ^ (unsigned char)*text) * 0x100000001b3u;
    }
    return (size_t)(value ^ value >> 32);
}

static void place(struct mup_index *index, uint32_t number, const char *text)
{
    size_t at = hash(text) & (index->slot_count - 1);

    while (index->slots[at] != 0) {
        at = (at + 1) & (index->slot_count - 1);
    }
    index->slots[at] = number + 1;
}

static bool grow(struct mup_index *index, mup_index_text_of *text_of, const void *arg)
{
    struct mup_index larger = {.slot_count =
                                   index->slot_count ? 2 * index->slot_count : SLOTS_FIRST,
                               .count = index->count};

    larger.slots = calloc(larger.slot_count, sizeof *larger.slots);
    if (!larger.slots) {
        return false;
    }
    for (size_t i = 0; i < index->slot_count; i++) {
        if (index->slots[i] != 0) {
            place(&larger, index->slots[i] - 1, text_of(arg, index->slots[i] - 1));
        }
    }
    free(index->slots);
    *index = larger;
    return true;
}

bool mup_index_add(struct mup_index *index, uint32_t number, mup_index_text_of *text_of,
                   const void *arg)
{
    if (2 * (index->count + 1) > index->slot_count && !grow(index, text_of, arg)) {
        return false;
    }
    place(index, number, text_of(arg, number));
    index->count++;
    return true;
}

uint32_t mup_index_find(const struct mup_index *index, const char *text, mup_index_text_of *text_of,
                        const void *arg)
{
    if (index->slot_count == 0) {
        return MUP_INDEX_NONE;
    }
    for (size_t at = hash(text) & (index->slot_count - 1); index->slots[at] != 0;
         at = (at + 1) & (index->slot_count - 1)) {
        if (strcmp(text_of(arg, index->slots[at] - 1), text) == 0) {
            return index->slots[at] - 1;
        }
    }
    return MUP_INDEX_NONE;
}

void mup_index_free(struct mup_index *index)
{
    free(index->slots);
    *index = (struct mup_index){NULL, 0, 0};
}
