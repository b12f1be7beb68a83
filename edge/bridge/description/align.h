/*
 * Alignments: triples of the operator that are true of every description, so that devices described
 * in another ontology are understood. Used through mup_describer_align().
 */
#ifndef MUP_BRIDGE_ALIGN_H
#define MUP_BRIDGE_ALIGN_H

#include <sys/stat.h>

#include "bridge/description/rdf.h"

/* A zeroed struct is empty. */
struct mup_alignments {
    struct mup_triples files[MUP_ALIGNMENTS_MAX];
    unsigned count;
    uint8_t digest[MUP_DESCRIPTION_DIGEST_SIZE]; /* of all of them, in their order */
    uint64_t changed_ms;                         /* the newest of them, since 1970 */
};

/* Read a file, or all files of a folder; see mup_describer_align(). */
MUP_MUST_CHECK
enum mup_status mup_alignments_read(struct mup_alignments *alignments,
                                    struct mup_problems *problems, struct mup_rdf *rdf,
                                    const char *path);
/* When a file or folder last changed in any way, or was put there: milliseconds since 1970. */
uint64_t mup_changed_ms(const struct stat *facts);

void mup_alignments_free(struct mup_alignments *alignments);

/* Add them to a description's triples; their blank nodes stay apart from its own. */
MUP_MUST_CHECK
enum mup_status mup_alignments_add_to(struct mup_triples *triples, struct mup_problems *problems,
                                      const struct mup_alignments *alignments);

#endif
