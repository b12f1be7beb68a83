/*
 * The whole way of a description, one step after the other: bytes to triples, triples materialised,
 * questions asked, capability built; and the queries that it is asked with.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/description/align.h"
#include "bridge/description/extract.h"
#include "bridge/description/materialise.h"
#include "bridge/description/yang_name.h"

#define QUERY_SIZE_MAX     16384u
#define CATEGORY_SLUG_MAX  32u
#define NAME_DIGEST_DIGITS 16u /* of the digest in a module's name: 64 bits */

struct mup_describer {
    struct mup_rdf *rdf;
    struct mup_queries queries;
    struct mup_arena plans;
    struct mup_alignments alignments;
    uint64_t changed_ms; /* of the queries and the program */
};

/* MUP_QUERIES, then the source tree that this was built from, then the installed folder. */
static const char *default_folder(void)
{
    const char *folder = getenv("MUP_QUERIES");
    struct stat facts;
    if (folder && folder[0])
        return folder;
    return stat(MUP_QUERIES_BUILT, &facts) == 0 ? MUP_QUERIES_BUILT : MUP_QUERIES_INSTALLED;
}

static void note_change(struct mup_describer *describer, const struct stat *facts)
{
    uint64_t changed_ms = mup_changed_ms(facts);
    if (changed_ms > describer->changed_ms)
        describer->changed_ms = changed_ms;
}

static enum mup_status read_query(char **out, struct mup_describer *describer,
                                  struct mup_problems *problems, const char *path)
{
    struct stat facts;
    FILE *file = fopen(path, "re");
    if (!file) {
        mup_problems_error(problems, 0, path, "cannot be read: %s", strerror(errno));
        return MUP_ERR_FORMAT;
    }
    if (fstat(fileno(file), &facts) == 0)
        note_change(describer, &facts);
    char *text = calloc(1, QUERY_SIZE_MAX + 1);
    size_t size = text ? fread(text, 1, QUERY_SIZE_MAX + 1, file) : 0;
    int failed = ferror(file);
    fclose(file);
    if (!text)
        return MUP_ERR_SPACE;
    if (failed || size == 0 || size > QUERY_SIZE_MAX || memchr(text, '\0', size)) {
        mup_problems_error(problems, 0, path, "is empty, larger than %u bytes, or not a text",
                           QUERY_SIZE_MAX);
        free(text);
        return MUP_ERR_FORMAT;
    }
    *out = text;
    return MUP_OK;
}

static enum mup_status load_queries(struct mup_describer *describer, struct mup_problems *problems,
                                    const char *folder)
{
    for (unsigned i = 0; i < MUP_QUESTION_COUNT; i++) {
        char path[4096];
        int size = snprintf(path, sizeof path, "%s/%s.rq", folder,
                            mup_question_name((enum mup_question)i));
        if (size < 0 || (size_t)size >= sizeof path) {
            mup_problems_error(problems, 0, folder, "the path is too long");
            return MUP_ERR_FORMAT;
        }
        enum mup_status status =
            read_query(&describer->queries.texts[i], describer, problems, path);
        if (status != MUP_OK)
            return status;
    }
    return MUP_OK;
}

/* Found out at the start, and not by the first device. */
static enum mup_status check_queries(struct mup_describer *describer, struct mup_problems *problems)
{
    enum mup_status status = MUP_OK;
    for (unsigned i = 0; i < MUP_QUESTION_COUNT && status == MUP_OK; i++) {
        enum mup_question question = (enum mup_question)i;
        status = mup_rdf_check_query(&describer->queries.plans[i], &describer->plans, problems,
                                     describer->rdf, describer->queries.texts[i],
                                     mup_question_name(question), mup_question_columns(question));
    }
    return status;
}

enum mup_status mup_describer_new(struct mup_describer **out, struct mup_problems *problems,
                                  const char *folder)
{
    struct mup_describer *describer = calloc(1, sizeof *describer);
    struct stat program;
    if (!describer)
        return MUP_ERR_SPACE;
    *problems = (struct mup_problems){0};
    if (stat("/proc/self/exe", &program) == 0)
        note_change(describer, &program);
    describer->rdf = mup_rdf_new();
    enum mup_status status = describer->rdf ? MUP_OK : MUP_ERR_SPACE;
    if (status == MUP_OK)
        status = load_queries(describer, problems, folder ? folder : default_folder());
    if (status == MUP_OK)
        status = check_queries(describer, problems);
    const char *alignments = getenv("MUP_ALIGNMENTS");
    if (status == MUP_OK && alignments && alignments[0])
        status = mup_alignments_read(&describer->alignments, problems, describer->rdf, alignments);
    if (status == MUP_OK)
        *out = describer;
    else
        mup_describer_free(describer);
    return status;
}

void mup_describer_free(struct mup_describer *describer)
{
    if (!describer)
        return;
    for (unsigned i = 0; i < MUP_QUESTION_COUNT; i++)
        free(describer->queries.texts[i]);
    mup_alignments_free(&describer->alignments);
    mup_arena_free(&describer->plans);
    mup_rdf_free(describer->rdf);
    free(describer);
}

/* What the module is named after: the template, and the alignments that it was read with. */
static enum mup_status module_digest(uint8_t out[MUP_DESCRIPTION_DIGEST_SIZE],
                                     const struct mup_capability *capability,
                                     const struct mup_alignments *alignments)
{
    uint8_t digests[2 * MUP_DESCRIPTION_DIGEST_SIZE];
    memcpy(digests, capability->digest, MUP_DESCRIPTION_DIGEST_SIZE);
    memcpy(digests + MUP_DESCRIPTION_DIGEST_SIZE, alignments->digest, MUP_DESCRIPTION_DIGEST_SIZE);
    if (alignments->count > 0)
        return mup_description_digest(out, digests, sizeof digests);
    memcpy(out, capability->digest, MUP_DESCRIPTION_DIGEST_SIZE);
    return MUP_OK;
}

/* `mup-<category>-<digest>`: legal whatever the category is. */
static enum mup_status name_module(struct mup_capability *capability, struct mup_arena *arena,
                                   const struct mup_alignments *alignments)
{
    char slug[CATEGORY_SLUG_MAX + 1], hex[2 * MUP_DESCRIPTION_DIGEST_SIZE + 1];
    uint8_t digest[MUP_DESCRIPTION_DIGEST_SIZE];
    size_t size = 0;
    if (module_digest(digest, capability, alignments) != MUP_OK)
        return MUP_ERR_SPACE;
    for (const char *c = capability->category; *c && size < CATEGORY_SLUG_MAX; c++) {
        bool is_upper = *c >= 'A' && *c <= 'Z';
        if ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9'))
            slug[size++] = *c;
        else if (is_upper)
            slug[size++] = (char)(*c - 'A' + 'a');
        else if (size > 0 && slug[size - 1] != '-')
            slug[size++] = '-';
    }
    while (size > 0 && slug[size - 1] == '-')
        size--;
    slug[size] = '\0';
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    capability->module_name =
        mup_arena_print(arena, "mup-%s-%.*s", size ? slug : "device", (int)NAME_DIGEST_DIGITS, hex);
    capability->module_namespace = mup_arena_print(arena, "%s%s", MUP_YANG_NAMESPACE_PREFIX, hex);
    return capability->module_name && capability->module_namespace ? MUP_OK : MUP_ERR_SPACE;
}

static enum mup_status build(struct mup_capability *out, struct mup_arena *kept,
                             struct mup_problems *problems, struct mup_describer *describer,
                             const struct mup_triples *triples)
{
    struct mup_triples plain;
    struct mup_answers answers;
    struct mup_arena scratch = {0};
    mup_triples_init(&plain);
    enum mup_status status = mup_materialise(&plain, triples);
    if (status == MUP_ERR_RANGE)
        mup_problems_error(problems, 0, NULL, "%s", plain.limit);
    if (status == MUP_OK)
        status = mup_questions_ask(&answers, &scratch, problems, describer->rdf,
                                   &describer->queries, &plain);
    if (status == MUP_OK) {
        struct mup_extraction extraction = {
            .answers = &answers, .arena = kept, .problems = problems};
        status = mup_extract(out, &extraction);
    }
    if (status == MUP_OK)
        status = name_module(out, kept, &describer->alignments);
    mup_arena_free(&scratch);
    mup_triples_free(&plain);
    return status;
}

enum mup_status mup_description_parse(struct mup_capability **out, struct mup_problems *problems,
                                      struct mup_describer *describer, const void *bytes,
                                      size_t size, enum mup_description_format format,
                                      const char *uuid)
{
    struct mup_triples triples;
    struct mup_arena kept = {0};
    *problems = (struct mup_problems){0};
    struct mup_capability *capability = calloc(1, sizeof *capability);
    if (!capability)
        return MUP_ERR_SPACE;
    mup_triples_init(&triples);
    enum mup_status status =
        mup_rdf_read_any(&triples, problems, describer->rdf, bytes, size, format);
    if (status == MUP_OK)
        status = mup_alignments_add_to(&triples, problems, &describer->alignments);
    if (status == MUP_OK)
        status = mup_description_digest(capability->digest, bytes, size);
    if (status == MUP_OK)
        status = build(capability, &kept, problems, describer, &triples);
    if (status == MUP_OK && uuid && !mup_capability_admits(capability, uuid)) {
        mup_problems_error(problems, 0, NULL,
                           "declares the UUID `%s`, but comes from the device `%s`",
                           capability->uuid, uuid);
        status = MUP_ERR_STATE;
    }
    mup_triples_free(&triples);
    capability->memory = kept.newest;
    if (status == MUP_OK)
        *out = capability;
    else
        mup_capability_free(capability);
    return status;
}

enum mup_status mup_description_ntriples(char **out, struct mup_problems *problems,
                                         struct mup_describer *describer, const void *bytes,
                                         size_t size, enum mup_description_format format)
{
    struct mup_triples triples;
    *problems = (struct mup_problems){0};
    mup_triples_init(&triples);
    enum mup_status status =
        mup_rdf_read_any(&triples, problems, describer->rdf, bytes, size, format);
    if (status == MUP_OK)
        status = mup_triples_print(out, &triples);
    mup_triples_free(&triples);
    return status;
}

enum mup_status mup_describer_align(struct mup_describer *describer, struct mup_problems *problems,
                                    const char *path)
{
    *problems = (struct mup_problems){0};
    return mup_alignments_read(&describer->alignments, problems, describer->rdf, path);
}

uint64_t mup_describer_changed_ms(const struct mup_describer *describer)
{
    return describer->alignments.changed_ms > describer->changed_ms
               ? describer->alignments.changed_ms
               : describer->changed_ms;
}
