/*
 * YANG identifiers from whatever an ontology calls a thing (RFC 6020 section 6.2): letters, digits,
 * `_`, `-`, `.`, beginning with a letter or `_`, not with "xml" in any case, 64 bytes at most.
 */
#ifndef MUP_BRIDGE_YANG_NAME_H
#define MUP_BRIDGE_YANG_NAME_H

#include "bridge/description/arena.h"
#include "bridge/description/capability.h"

/* Room for an identifier with its NUL. */
#define MUP_YANG_NAME_ROOM (MUP_YANG_NAME_SIZE_MAX + 1u)

/* Names in use within one scope; a zeroed struct is an empty one. */
struct mup_yang_scope {
    const char **names; /* private */
    size_t count, room;
};

/* A legal identifier for `name`; every byte that is not allowed becomes `-`. */
void mup_yang_name_make(char out[MUP_YANG_NAME_ROOM], const char *name);

/*
 * A legal identifier that the scope does not have yet, "-2", "-3", ... appended where needed. In
 * the arena; NULL when out of memory.
 */
const char *mup_yang_name_unique(struct mup_yang_scope *scope, struct mup_arena *arena,
                                 const char *name);

#endif
