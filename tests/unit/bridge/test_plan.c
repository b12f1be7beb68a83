/*
 * Plans of queries against the query engine: both must find the same rows, in the descriptions that
 * there are and in small random graphs, or the query must have no plan.
 */
#include "bridge_support.h"

#include "bridge/description/materialise.h"
#include "bridge/description/questions.h"

#define QUERIES MUP_SOURCE_DIR "/edge/bridge/description/queries"

static struct mup_rdf *rdf;

static int open_rdf(void **state)
{
    (void)state;
    rdf = mup_rdf_new();
    return rdf ? 0 : -1;
}

static int close_rdf(void **state)
{
    (void)state;
    mup_rdf_free(rdf);
    return 0;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All rows, sorted, one a line. The caller frees. */
static char *sorted(const struct mup_rows *rows)
{
    char **lines = calloc(rows->count + 1, sizeof *lines);
    size_t size = 1;
    assert_non_null(lines);
    for (size_t i = 0; i < rows->count; i++) {
        const char *second = rows->columns > 1 ? rows->cells[i * rows->columns + 1] : "";
        const char *first = rows->cells[i * rows->columns];
        lines[i] = malloc(strlen(first) + strlen(second) + 3);
        assert_non_null(lines[i]);
        size += (size_t)sprintf(lines[i], "%s\t%s\n", first, second);
    }
    qsort(lines, rows->count, sizeof *lines, compare_lines);
    char *text = calloc(1, size), *to = text;
    assert_non_null(text);
    for (size_t i = 0; i < rows->count; i++) {
        to += sprintf(to, "%s", lines[i]);
        free(lines[i]);
    }
    free(lines);
    return text;
}

/* How many rows both find. */
static size_t same_rows(const struct mup_triples *triples, const char *query, const char *name)
{
    struct mup_arena arena = {0};
    struct mup_problems problems = {0};
    struct mup_rows ours = {0}, theirs = {0};
    struct mup_index index;
    const struct mup_plan *plan = mup_plan_make(&arena, rdf, query);
    if (!plan)
        print_message("no plan: %s\n", query);
    assert_non_null(plan);
    assert_int_equal(mup_index_make(&index, triples), MUP_OK);
    assert_int_equal(mup_plan_run(&ours, &arena, &problems, &index, plan, name), MUP_OK);
    struct mup_rdf_graph *graph = mup_rdf_graph_open(rdf, triples);
    assert_non_null(graph);
    assert_int_equal(mup_rdf_ask(&theirs, &arena, &problems, graph, query, name), MUP_OK);
    char *a = sorted(&ours), *b = sorted(&theirs);
    if (strcmp(a, b) != 0) {
        char *nt = NULL;
        assert_int_equal(mup_triples_print(&nt, triples), MUP_OK);
        print_message("%s\n%s\nours:\n%stheirs:\n%s", nt, query, a, b);
        free(nt);
    }
    assert_string_equal(a, b);
    size_t count = ours.count;
    free(a);
    free(b);
    mup_rdf_graph_close(graph);
    mup_index_free(&index);
    mup_arena_free(&arena);
    return count;
}

/* The file's triples as the questions see them; false when there is no such file. */
static bool read_triples(struct mup_triples *out, const char *path)
{
    struct mup_triples raw;
    struct mup_problems problems = {0};
    size_t size = 0;
    char *text = read_whole_file(path, &size);
    if (!text)
        return false;
    mup_triples_init(&raw);
    mup_triples_init(out);
    assert_int_equal(mup_jsonld_read(&raw, &problems, text, size), MUP_OK);
    assert_int_equal(mup_materialise(out, &raw), MUP_OK);
    mup_triples_free(&raw);
    free(text);
    return true;
}

static char *read_question(unsigned question)
{
    char path[512];
    size_t size;
    snprintf(path, sizeof path, QUERIES "/%s.rq", mup_question_name((enum mup_question)question));
    char *query = read_whole_file(path, &size);
    assert_non_null(query);
    return query;
}

static void every_question_of_the_bridge_has_a_plan(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MUP_QUESTION_COUNT; i++) {
        struct mup_arena arena = {0};
        char *query = read_question(i);
        if (!mup_plan_make(&arena, rdf, query))
            print_message("no plan: %s\n", query);
        assert_non_null(mup_plan_make(&arena, rdf, query));
        free(query);
        mup_arena_free(&arena);
    }
}

static void plan_and_engine_find_the_same_in_every_description(void **state)
{
    (void)state;
    static const char *const paths[] = {
        MUP_SOURCE_DIR "/firmware/description/virtual.jsonld",
        MUP_SOURCE_DIR "/../shared/descriptions/MYNO-Update-v2.jsonld",
        MUP_SOURCE_DIR "/../shared/descriptions/brightness_led_smoke.owl",
        MUP_SOURCE_DIR "/../shared/descriptions/nrf52840dk-co2.owl",
        MUP_SOURCE_DIR "/../shared/descriptions/ontology_led+sensor.jsonld",
        MUP_SOURCE_DIR "/../shared/descriptions/prototype_units-events.owl",
    };
    size_t rows = 0;
    for (size_t f = 0; f < sizeof paths / sizeof paths[0]; f++) {
        struct mup_triples triples;
        if (!read_triples(&triples, paths[f]))
            continue;
        for (unsigned i = 0; i < MUP_QUESTION_COUNT; i++) {
            char *query = read_question(i);
            rows += same_rows(&triples, query, mup_question_name((enum mup_question)i));
            free(query);
        }
        mup_triples_free(&triples);
    }
    assert_true(rows > 50);
}

static const char *const tricky[] = {
    "SELECT ?a WHERE { ?a <urn:p0> ?a }",
    "SELECT ?a ?b WHERE { ?a <urn:p0> ?b . ?b <urn:p1> ?a }",
    "SELECT ?a ?b WHERE { ?a <urn:p0> ?x . ?x <urn:p0> ?b }",
    "SELECT ?a ?b WHERE { ?a <urn:p0> ?x . ?b <urn:p1> ?x }",
    "SELECT ?a ?b WHERE { ?a <urn:p0> ?c . ?b <urn:p1> ?d }",
    "SELECT ?a WHERE { ?a <urn:p0> <urn:n1> }",
    "SELECT ?a WHERE { <urn:n1> <urn:p1> ?a }",
    "SELECT ?a WHERE { <urn:n1> <urn:p1> <urn:n2> . ?a <urn:p0> <urn:n3> }",
    "SELECT ?a WHERE { ?a <urn:p0> \"text\" }",
    "SELECT ?a WHERE { ?a <urn:p0> <urn:not-there> }",
    "SELECT ?a WHERE { ?a <urn:not-there> ?b }",
    "SELECT ?a WHERE { ?a <urn:p0> ?b . ?b <urn:p0> ?c . ?c <urn:p0> ?a }",
    "SELECT ?a ?b WHERE { { ?a <urn:p0> ?b } UNION { ?b <urn:p1> ?a } }",
    "SELECT ?a ?b WHERE { { ?a <urn:p0> ?b } UNION { ?a <urn:p1> ?b } UNION { ?a <urn:p2> ?b } }",
    "SELECT ?a ?b WHERE { ?a <urn:p2> ?b . { ?a <urn:p0> ?x } UNION { ?a <urn:p1> ?x } }",
    ("SELECT ?a ?b WHERE { { ?a <urn:p0> ?x } UNION { ?a <urn:p1> ?x } "
     "{ ?x <urn:p0> ?b } UNION { ?x <urn:p2> ?b } }"),
    "SELECT ?b ?a WHERE { { ?a <urn:p0> ?x . ?x <urn:p1> ?b } UNION { ?a <urn:p2> ?b } }",
    "SELECT ?a ?a WHERE { ?a <urn:p0> ?b }",
    "SELECT ?a WHERE { ?a a <urn:n1> }",
    "SELECT ?a WHERE { { { ?a <urn:p0> ?b } } }",
};

/* A small generator of our own, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static uint32_t random_term(struct mup_triples *triples, uint32_t *seed, bool object)
{
    char text[32];
    uint32_t id, pick = next_random(seed) % (object ? 8 : 6);
    struct mup_term term = {.kind = pick < 5 ? MUP_TERM_IRI : MUP_TERM_BLANK, .text = text};
    snprintf(text, sizeof text, pick < 5 ? "urn:n%u" : "b%u", pick);
    if (pick > 5) {
        term.kind = MUP_TERM_LITERAL;
        snprintf(text, sizeof text, "%s", pick == 6 ? "text" : "other");
    }
    assert_int_equal(mup_triples_term(triples, &id, &term), MUP_OK);
    return id;
}

static void random_triples(struct mup_triples *triples, uint32_t seed)
{
    static const char *const predicates[] = {"urn:p0", "urn:p1", "urn:p2",
                                             "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"};
    unsigned count = next_random(&seed) % 20;
    mup_triples_init(triples);
    for (unsigned i = 0; i < count; i++) {
        uint32_t predicate;
        struct mup_term term = {.kind = MUP_TERM_IRI, .text = predicates[next_random(&seed) % 4]};
        assert_int_equal(mup_triples_term(triples, &predicate, &term), MUP_OK);
        uint32_t subject = random_term(triples, &seed, false);
        assert_int_equal(
            mup_triples_add(triples, subject, predicate, random_term(triples, &seed, true)),
            MUP_OK);
    }
}

static void plan_and_engine_find_the_same_in_random_graphs(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct mup_triples triples;
        random_triples(&triples, seed);
        for (size_t i = 0; i < sizeof tricky / sizeof tricky[0]; i++)
            same_rows(&triples, tricky[i], "tricky");
        mup_triples_free(&triples);
    }
}

static void what_a_plan_cannot_say_has_none(void **state)
{
    (void)state;
    static const char *const others[] = {
        "SELECT ?a WHERE { ?a ?p ?b }",
        "SELECT ?a WHERE { ?a <urn:p> ?b . FILTER(?b > 3) }",
        "SELECT ?a ?b WHERE { ?a <urn:p> ?x . OPTIONAL { ?a <urn:q> ?b } }",
        "SELECT ?a ?b WHERE { { ?a <urn:p> ?b } UNION { ?a <urn:q> ?x } }",
        "SELECT ?a WHERE { ?a <urn:p> ?b } LIMIT 1",
        "SELECT ?a WHERE { ?a <urn:p> ?b } OFFSET 1",
        "SELECT ?a (STR(?b) AS ?c) WHERE { ?a <urn:p> ?b }",
        "SELECT ?a (COUNT(?b) AS ?c) WHERE { ?a <urn:p> ?b } GROUP BY ?a",
        "SELECT ?a WHERE { ?a <urn:p> 5 }",
        "SELECT ?a WHERE { ?a <urn:p> \"x\"@en }",
        "SELECT ?a WHERE { ?a <urn:p> \"x\"^^<urn:t> }",
        "SELECT ?a ?b ?c WHERE { ?a <urn:p> ?b . ?b <urn:q> ?c }",
        "SELECT ?a WHERE { { SELECT ?a WHERE { ?a <urn:p> ?b } LIMIT 1 } }",
        "SELECT ?a WHERE { ?a <urn:p> ?b MINUS { ?a <urn:q> ?b } }",
        "SELECT ?a WHERE { ?a <urn:p> ?b . BIND (1 AS ?c) }",
        "SELECT ?a WHERE { ?a <urn:p> ?b } VALUES ?a { <urn:x> }",
        "ASK { ?a <urn:p> ?b }",
        /* Nine branches, thirteen patterns, seventeen variables: more than there is room for. */
        ("SELECT ?a ?b WHERE { { ?a <urn:p> ?b } UNION { ?a <urn:q> ?b } UNION { ?a <urn:r> ?b } "
         "{ ?b <urn:p> ?c } UNION { ?b <urn:q> ?c } UNION { ?b <urn:r> ?c } }"),
        ("SELECT ?a WHERE { { ?a <urn:1> ?b } UNION { ?a <urn:2> ?b } UNION { ?a <urn:3> ?b } "
         "UNION "
         "{ ?a <urn:4> ?b } UNION { ?a <urn:5> ?b } UNION { ?a <urn:6> ?b } UNION { ?a <urn:7> ?b "
         "} "
         "UNION { ?a <urn:8> ?b } UNION { ?a <urn:9> ?b } }"),
        ("SELECT ?a WHERE { ?a <urn:1> ?b ; <urn:2> ?b ; <urn:3> ?b ; <urn:4> ?b ; <urn:5> ?b ; "
         "<urn:6> ?b ; <urn:7> ?b ; <urn:8> ?b ; <urn:9> ?b ; <urn:10> ?b ; <urn:11> ?b ; "
         "<urn:12> ?b ; <urn:13> ?b }"),
        ("SELECT ?a WHERE { ?a <urn:1> ?b ; <urn:2> ?b ; <urn:3> ?b ; <urn:4> ?b ; <urn:5> ?b ; "
         "<urn:6> ?b ; <urn:7> ?b . { ?a <urn:1> ?b ; <urn:2> ?b ; <urn:3> ?b ; <urn:4> ?b ; "
         "<urn:5> ?b ; <urn:6> ?b } UNION { ?b <urn:1> ?a } }"),
        ("SELECT ?a WHERE { ?a <urn:1> ?b . ?c <urn:1> ?d . ?e <urn:1> ?f . ?g <urn:1> ?h . "
         "?i <urn:1> ?j . ?k <urn:1> ?l . ?m <urn:1> ?n . ?o <urn:1> ?p . ?q <urn:1> ?a }"),
        "SELECT ?a WHERE { ?a <urn:p> ?b . FILTER NOT EXISTS { ?a <urn:q> ?b } }",
        "SELECT",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct mup_arena arena = {0};
        if (mup_plan_make(&arena, rdf, others[i]))
            print_message("has a plan: %s\n", others[i]);
        assert_null(mup_plan_make(&arena, rdf, others[i]));
        mup_arena_free(&arena);
    }
}

/* n subjects and n objects of one predicate each: n * n rows, or steps without a row. */
static void a_query_that_multiplies_ends(void **state)
{
    (void)state;
    static const struct {
        const char *query, *reason;
    } cases[] = {
        {"SELECT ?a ?b WHERE { ?a <urn:p> ?x . ?b <urn:p> ?y }", "20000 rows"},
        {"SELECT ?a WHERE { ?a <urn:p> ?x . ?b <urn:p> ?y . ?c <urn:p> ?b }", "2000000 steps"},
    };
    struct mup_triples triples;
    struct mup_index index;
    mup_triples_init(&triples);
    for (unsigned i = 0; i < 3000; i++) {
        char text[32];
        uint32_t subject, predicate, object;
        struct mup_term term = {.kind = MUP_TERM_IRI, .text = text};
        snprintf(text, sizeof text, "urn:s%u", i);
        assert_int_equal(mup_triples_term(&triples, &subject, &term), MUP_OK);
        snprintf(text, sizeof text, "urn:o%u", i);
        assert_int_equal(mup_triples_term(&triples, &object, &term), MUP_OK);
        snprintf(text, sizeof text, "urn:p");
        assert_int_equal(mup_triples_term(&triples, &predicate, &term), MUP_OK);
        assert_int_equal(mup_triples_add(&triples, subject, predicate, object), MUP_OK);
    }
    assert_int_equal(mup_index_make(&index, &triples), MUP_OK);
    for (size_t i = 0; i < 2; i++) {
        struct mup_arena arena = {0};
        struct mup_problems problems = {0};
        struct mup_rows rows;
        const struct mup_plan *plan = mup_plan_make(&arena, rdf, cases[i].query);
        assert_non_null(plan);
        assert_int_equal(mup_plan_run(&rows, &arena, &problems, &index, plan, "many"),
                         MUP_ERR_RANGE);
        assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "many", cases[i].reason));
        mup_arena_free(&arena);
    }
    mup_index_free(&index);
    mup_triples_free(&triples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_of_the_bridge_has_a_plan),
        cmocka_unit_test(plan_and_engine_find_the_same_in_every_description),
        cmocka_unit_test(plan_and_engine_find_the_same_in_random_graphs),
        cmocka_unit_test(what_a_plan_cannot_say_has_none),
        cmocka_unit_test(a_query_that_multiplies_ends),
    };
    return cmocka_run_group_tests(tests, open_rdf, close_rdf);
}
