/* Reads alignment files and copies their triples to those of a description (align.h). */
#include "bridge/description/align.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 4096u

static enum mup_status unreadable(struct mup_problems *problems, const char *path)
{
    mup_problems_error(problems, 0, path, "cannot be read: %s", strerror(errno));
    return MUP_ERR_FORMAT;
}

/* The digest so far and that of the next file make the next one. */
static enum mup_status extend_digest(struct mup_alignments *alignments, const char *bytes,
                                     size_t size)
{
    uint8_t digests[2 * MUP_DESCRIPTION_DIGEST_SIZE];
    memcpy(digests, alignments->digest, MUP_DESCRIPTION_DIGEST_SIZE);
    enum mup_status status =
        mup_description_digest(digests + MUP_DESCRIPTION_DIGEST_SIZE, bytes, size);
    return status == MUP_OK ? mup_description_digest(alignments->digest, digests, sizeof digests)
                            : status;
}

/* Problems of a document name a line or a path in it: say of which. */
static void name_file(struct mup_problems *problems, const char *path)
{
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < problems->count; i++) {
        struct mup_problem *problem = &problems->items[i];
        char where[2 * MUP_PROBLEM_WHERE_SIZE];
        snprintf(where, sizeof where, "%.100s%s%s", slash ? slash + 1 : path,
                 problem->where[0] ? ": " : "", problem->where);
        snprintf(problem->where, sizeof problem->where, "%.*s", (int)sizeof problem->where - 1,
                 where);
    }
}

static enum mup_status read_stream(struct mup_alignments *alignments, struct mup_problems *problems,
                                   struct mup_rdf *rdf, const char *path, FILE *file)
{
    char *bytes = malloc(MUP_DESCRIPTION_SIZE_MAX + 1);
    if (!bytes)
        return MUP_ERR_SPACE;
    size_t size = fread(bytes, 1, MUP_DESCRIPTION_SIZE_MAX + 1, file);
    enum mup_status status = ferror(file) ? unreadable(problems, path) : MUP_OK;
    struct mup_triples *triples = &alignments->files[alignments->count];
    mup_triples_init(triples);
    if (status == MUP_OK) {
        status = mup_rdf_read_any(triples, problems, rdf, bytes, size, MUP_DESCRIPTION_AUTO);
        name_file(problems, path);
    }
    if (status == MUP_OK)
        status = extend_digest(alignments, bytes, size);
    if (status == MUP_OK)
        alignments->count++;
    else
        mup_triples_free(triples);
    free(bytes);
    return status;
}

static void note_change(struct mup_alignments *alignments, const struct stat *facts)
{
    uint64_t changed_ms = mup_changed_ms(facts);
    if (changed_ms > alignments->changed_ms)
        alignments->changed_ms = changed_ms;
}

static enum mup_status read_file(struct mup_alignments *alignments, struct mup_problems *problems,
                                 struct mup_rdf *rdf, const char *path)
{
    if (alignments->count == MUP_ALIGNMENTS_MAX) {
        mup_problems_error(problems, 0, path, "more than %u alignments", MUP_ALIGNMENTS_MAX);
        return MUP_ERR_RANGE;
    }
    struct stat facts;
    FILE *file = fopen(path, "re");
    if (!file)
        return unreadable(problems, path);
    if (fstat(fileno(file), &facts) == 0)
        note_change(alignments, &facts);
    enum mup_status status = read_stream(alignments, problems, rdf, path, file);
    fclose(file);
    return status;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static enum mup_status read_folder(struct mup_alignments *alignments, struct mup_problems *problems,
                                   struct mup_rdf *rdf, const char *path)
{
    struct dirent **entries;
    enum mup_status status = MUP_OK;
    int count = scandir(path, &entries, is_shown, alphasort);
    if (count < 0)
        return unreadable(problems, path);
    for (int i = 0; i < count; i++) {
        char file[PATH_SIZE];
        int size = snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (status == MUP_OK && size > 0 && (size_t)size < sizeof file)
            status = read_file(alignments, problems, rdf, file);
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* Of a change of the contents, the name or the owner: a file that is copied with its old time of
 * modification is new here all the same. */
uint64_t mup_changed_ms(const struct stat *facts)
{
    return (uint64_t)facts->st_ctim.tv_sec * 1000u + (uint64_t)facts->st_ctim.tv_nsec / 1000000u;
}

enum mup_status mup_alignments_read(struct mup_alignments *alignments,
                                    struct mup_problems *problems, struct mup_rdf *rdf,
                                    const char *path)
{
    struct stat facts;
    if (stat(path, &facts) != 0)
        return unreadable(problems, path);
    note_change(alignments, &facts); /* of a folder: a file came or went */
    return S_ISDIR(facts.st_mode) ? read_folder(alignments, problems, rdf, path)
                                  : read_file(alignments, problems, rdf, path);
}

void mup_alignments_free(struct mup_alignments *alignments)
{
    for (unsigned i = 0; i < alignments->count; i++)
        mup_triples_free(&alignments->files[i]);
    alignments->count = 0;
}

/* Two documents' blank nodes are never the same, so those of a file get its number. */
static enum mup_status copy_terms(struct mup_triples *to, uint32_t *ids,
                                  const struct mup_triples *from, unsigned number)
{
    enum mup_status status = MUP_OK;
    for (uint32_t i = 0; i < from->term_count && status == MUP_OK; i++) {
        struct mup_term term = from->terms[i];
        char label[MUP_IRI_SIZE_MAX + 16];
        if (term.kind == MUP_TERM_BLANK) {
            snprintf(label, sizeof label, "a%u.%s", number, term.text);
            term.text = label;
        }
        status = mup_triples_term(to, &ids[i], &term);
    }
    return status;
}

static enum mup_status copy_file(struct mup_triples *to, const struct mup_triples *from,
                                 unsigned number)
{
    uint32_t *ids = calloc((size_t)from->term_count + 1, sizeof *ids);
    if (!ids)
        return MUP_ERR_SPACE;
    enum mup_status status = copy_terms(to, ids, from, number);
    for (uint32_t i = 0; i < from->count && status == MUP_OK; i++) {
        const struct mup_triple *item = &from->items[i];
        status = mup_triples_add(to, ids[item->subject], ids[item->predicate], ids[item->object]);
    }
    free(ids);
    return status;
}

enum mup_status mup_alignments_add_to(struct mup_triples *triples, struct mup_problems *problems,
                                      const struct mup_alignments *alignments)
{
    enum mup_status status = MUP_OK;
    for (unsigned i = 0; i < alignments->count && status == MUP_OK; i++)
        status = copy_file(triples, &alignments->files[i], i);
    if (status == MUP_ERR_RANGE)
        mup_problems_error(problems, 0, NULL, "with the alignments: %s", triples->limit);
    return status;
}
