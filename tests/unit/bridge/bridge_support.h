/* What the tests of descriptions share: read a text from exact-size memory, expect what comes of
 * it. */
#ifndef MUP_TEST_BRIDGE_SUPPORT_H
#define MUP_TEST_BRIDGE_SUPPORT_H

#include "support/cmocka_all.h"

#include <stdio.h>

#include "bridge/description/capability.h"
#include "bridge/description/jsonld.h"

#define CONTEXT                                                                            \
    "\"@context\":{\"o\":\"http://www.onem2m.org/ontology/Base_Ontology/base_ontology#\"," \
    "\"b\":\"https://www.cs.uni-potsdam.de/bs/research/myno#\","                           \
    "\"om\":\"http://www.ontology-of-units-of-measure.org/resource/om-2/\","               \
    "\"xsd\":\"http://www.w3.org/2001/XMLSchema#\","                                       \
    "\"owl\":\"http://www.w3.org/2002/07/owl#\"}"

/* The beginning of a description in Turtle, and the device that most tests put their function on.
 */
#define PREFIXES                                                                   \
    "@prefix o: <http://www.onem2m.org/ontology/Base_Ontology/base_ontology#> .\n" \
    "@prefix b: <https://www.cs.uni-potsdam.de/bs/research/myno#> .\n"             \
    "@prefix om: <http://www.ontology-of-units-of-measure.org/resource/om-2/> .\n" \
    "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"                         \
    "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n"

#define IDENTITY                                                             \
    "b:d a o:Device ; o:hasThingProperty b:deviceUuid, b:deviceCategory .\n" \
    "b:deviceUuid o:hasValue \"%s\" .\nb:deviceCategory o:hasValue \"kind\" .\n"

#define SERVICE                                         \
    "b:d o:hasService b:s ; o:hasFunctionality b:f .\n" \
    "b:s o:exposesFunctionality b:f ; o:hasOperation b:op .\n"

#define COMMAND "b:f o:hasCommand b:c .\nb:op o:exposesCommand b:c ; b:mqttMethod \"GO\" .\n"

#define STATES  "b:op o:hasOperationState b:st .\nb:st o:hasDataRestriction_pattern \"10_OK\" .\n"

/* One function b:f with the command b:c and the operation b:op, without inputs. */
#define ONE_RPC PREFIXES IDENTITY SERVICE COMMAND STATES "b:op b:mqttTopic \"go/%s\" .\n"

/* Text in a heap block of its size, without the NUL, so that reading past the end is seen. */
static inline char *exact_copy(const char *text, size_t size)
{
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    if (size)
        memcpy(copy, text, size);
    return copy;
}

static inline void show_problems(const struct mup_problems *problems)
{
    char line[1024];
    for (size_t i = 0; i < problems->count; i++)
        print_message("%s\n", mup_problems_line(line, sizeof line, problems, i, "given"));
}

/* True when some problem has this severity, and these texts in its place and its text. */
static inline int has_problem(const struct mup_problems *problems, enum mup_severity severity,
                              const char *where, const char *text)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct mup_problem *item = &problems->items[i];
        if (item->severity == severity && strstr(item->where, where) && strstr(item->text, text))
            return 1;
    }
    show_problems(problems);
    return 0;
}

static inline enum mup_status read_jsonld(char **out, struct mup_problems *problems,
                                          const char *json)
{
    struct mup_triples triples;
    char *copy = exact_copy(json, strlen(json));
    *problems = (struct mup_problems){0};
    mup_triples_init(&triples);
    enum mup_status status = mup_jsonld_read(&triples, problems, copy, strlen(json));
    if (status == MUP_OK)
        status = mup_triples_print(out, &triples);
    mup_triples_free(&triples);
    free(copy);
    return status;
}

/* The document means these triples (sorted N-Triples), and nothing is complained about. */
static inline void expect_triples(const char *json, const char *ntriples)
{
    struct mup_problems problems;
    char *read = NULL;
    enum mup_status status = read_jsonld(&read, &problems, json);
    show_problems(&problems);
    assert_int_equal(status, MUP_OK);
    assert_string_equal(read, ntriples);
    assert_int_equal(problems.error_count + problems.warning_count, 0);
    free(read);
}

/* The document is refused at this place with this reason. */
static inline void expect_refused(const char *json, const char *where, const char *text)
{
    struct mup_problems problems;
    char *read = NULL;
    enum mup_status status = read_jsonld(&read, &problems, json);
    if (status == MUP_OK)
        print_message("taken: %s\n%s", json, read);
    assert_int_equal(status, MUP_ERR_FORMAT);
    assert_int_equal(problems.error_count, 1);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, where, text));
}

/* The queries are loaded once for a whole group of tests. */
static struct mup_describer *describer;

static inline int open_describer(void **state)
{
    struct mup_problems problems;
    (void)state;
    enum mup_status status = mup_describer_new(&describer, &problems, NULL);
    show_problems(&problems);
    return status == MUP_OK ? 0 : -1;
}

static inline int close_describer(void **state)
{
    (void)state;
    mup_describer_free(describer);
    return 0;
}

static inline enum mup_status parse_bytes(struct mup_capability **out,
                                          struct mup_problems *problems, const char *text,
                                          size_t size, const char *uuid)
{
    char *copy = exact_copy(text, size);
    enum mup_status status =
        mup_description_parse(out, problems, describer, copy, size, MUP_DESCRIPTION_AUTO, uuid);
    free(copy);
    return status;
}

/* A description that must be good. */
static inline struct mup_capability *parse(struct mup_problems *problems, const char *text)
{
    struct mup_capability *capability = NULL;
    enum mup_status status = parse_bytes(&capability, problems, text, strlen(text), NULL);
    if (status != MUP_OK)
        show_problems(problems);
    assert_int_equal(status, MUP_OK);
    assert_non_null(capability);
    return capability;
}

/* A description that must be refused with this reason; nothing is written. */
static inline void parse_refused(const char *text, const char *where, const char *reason)
{
    struct mup_problems problems;
    struct mup_capability *capability = NULL;
    enum mup_status status = parse_bytes(&capability, &problems, text, strlen(text), NULL);
    assert_null(capability);
    assert_int_equal(status, MUP_ERR_FORMAT);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, where, reason));
}

/* A whole file; NULL when there is none. The caller frees it. */
static inline char *read_whole_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    char *bytes = malloc(MUP_DESCRIPTION_SIZE_MAX + 1);
    assert_non_null(bytes);
    *size = fread(bytes, 1, MUP_DESCRIPTION_SIZE_MAX, file);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

#endif
