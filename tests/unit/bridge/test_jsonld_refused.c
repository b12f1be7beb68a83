/* Each feature of JSON-LD that is refused, by name and place, and every limit of the reader. */
#include "bridge_support.h"

static void syntax_errors_name_the_line(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL;
    assert_int_equal(read_jsonld(&read, &problems, "{\n\"@id\":\n}"), MUP_ERR_FORMAT);
    assert_int_equal(problems.items[0].line, 3);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "", "not valid JSON"));
}

static void a_duplicate_key_is_refused_with_its_line(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL;
    assert_int_equal(read_jsonld(&read, &problems, "{\"@id\":\"urn:a\",\n\"@id\":\"urn:b\"}"),
                     MUP_ERR_FORMAT);
    assert_int_equal(problems.items[0].line, 2);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "", "duplicate"));
}

static void every_truncation_is_an_error_and_never_a_crash(void **state)
{
    (void)state;
    static const char json[] =
        "{\"@context\":{\"e\":\"http://example.org/"
        "\",\"l\":{\"@id\":\"e:l\",\"@container\":\"@list\"}},"
        "\"@graph\":[{\"@id\":\"e:s\",\"@type\":[\"e:t\"],\"l\":[1,2.5,{\"@value\":\"x\"}]}]}";
    for (size_t size = 0; size < sizeof json - 1; size++) {
        struct mup_triples triples;
        struct mup_problems problems = {0};
        char *copy = exact_copy(json, size);
        mup_triples_init(&triples);
        assert_int_equal(mup_jsonld_read(&triples, &problems, copy, size), MUP_ERR_FORMAT);
        assert_int_equal(problems.error_count, 1);
        mup_triples_free(&triples);
        free(copy);
    }
}

static void remote_contexts_are_refused_by_their_address(void **state)
{
    (void)state;
    expect_refused("{\"@context\":\"https://schema.org/\",\"name\":\"x\"}", "/@context",
                   "remote context <https://schema.org/>");
    expect_refused("{\"@context\":[{},\"https://schema.org/\"]}", "/@context/1", "remote context");
    expect_refused("{\"@id\":\"urn:s\",\"urn:p\":{\"@context\":\"x\",\"@id\":\"urn:o\"}}",
                   "/urn:p/@context", "remote context");
}

static void keywords_that_are_not_understood_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const refused[] = {"@reverse",   "@included", "@nest", "@index",
                                          "@direction", "@none",     "@json", "@container"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char json[128], text[64];
        snprintf(json, sizeof json, "{\"@id\":\"urn:s\",\"%s\":{}}", refused[i]);
        snprintf(text, sizeof text, "unsupported keyword %s", refused[i]);
        expect_refused(json, refused[i], text);
    }
    expect_refused("{\"@id\":\"urn:s\",\"@future\":1}", "/@future", "unknown keyword @future");
}

static void contexts_refuse_what_they_do_not_understand_by_name(void **state)
{
    (void)state;
    expect_refused("{\"@context\":{\"@import\":\"x\"}}", "/@context/@import",
                   "unsupported @import");
    expect_refused("{\"@context\":{\"@propagate\":true}}", "/@context", "unsupported @propagate");
    expect_refused("{\"@context\":{\"@protected\":true}}", "/@context", "unsupported @protected");
    expect_refused("{\"@context\":{\"@version\":1.0}}", "/@context/@version", "must be 1.1");
    expect_refused("{\"@context\":{\"@vocab\":\"rel\"}}", "/@context/@vocab", "absolute IRI");
    expect_refused("{\"@context\":{\"@vocab\":7}}", "/@context/@vocab", "text or null");
    expect_refused("{\"@context\":{\"@base\":\"rel\"}}", "/@context/@base", "absolute IRI");
    expect_refused("{\"@context\":{\"@type\":{\"@container\":\"@set\"}}}", "/@context/@type",
                   "unsupported @type");
    expect_refused("{\"@context\":5}", "/@context", "an object, an array or null");
}

static void term_definitions_refuse_what_they_do_not_understand_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *definition, *text;
    } cases[] = {
        {"{\"@id\":\"urn:t\",\"@context\":{}}", "unsupported @context"},
        {"{\"@id\":\"urn:t\",\"@reverse\":\"urn:r\"}", "unsupported @reverse"},
        {"{\"@id\":\"urn:t\",\"@nest\":\"x\"}", "unsupported @nest"},
        {"{\"@id\":\"urn:t\",\"@index\":\"x\"}", "unsupported @index"},
        {"{\"@id\":\"urn:t\",\"@protected\":true}", "unsupported @protected"},
        {"{\"@id\":\"urn:t\",\"other\":1}", "unsupported other"},
        {"{\"@id\":\"urn:t\",\"@container\":\"@language\"}", "unsupported @container @language"},
        {"{\"@id\":\"urn:t\",\"@container\":[\"@list\",\"@set\"]}", "unsupported @container"},
        {"{\"@id\":\"urn:t\",\"@type\":\"@json\"}", "unsupported @type @json"},
        {"{\"@id\":\"urn:t\",\"@type\":\"@none\"}", "unsupported @type @none"},
        {"{\"@id\":\"urn:t\",\"@type\":3}", "@type of a term"},
        {"{\"@id\":\"urn:t\",\"@type\":\"rel\"}", "not an IRI"},
        {"{\"@id\":\"urn:t\",\"@prefix\":1}", "@prefix must be"},
        {"{\"@id\":\"urn:t\",\"@language\":1}", "@language must be"},
        {"{\"@id\":4}", "@id of a term"},
        {"{\"@id\":\"nothing\"}", "neither an IRI nor a term"},
        {"{\"@id\":\"@context\"}", "another name for @context"},
        {"{}", "no @id"},
        {"7", "a text, an object or null"},
        {"\"@future\"", "unknown keyword @future"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[256];
        snprintf(json, sizeof json, "{\"@context\":{\"t\":%s}}", cases[i].definition);
        expect_refused(json, "/@context/t", cases[i].text);
    }
    expect_refused("{\"@context\":{\"\":\"urn:t\"}}", "/@context", "must not be empty");
}

static void terms_that_define_each_other_are_refused(void **state)
{
    (void)state;
    expect_refused("{\"@context\":{\"a\":\"b:x\",\"b\":\"a:y\"}}", "/@context/a",
                   "defined by itself");
    expect_refused("{\"@context\":{\"a\":\"a:x\"}}", "/@context/a", "defined by itself");
}

static void relative_iris_without_a_base_are_refused(void **state)
{
    (void)state;
    expect_refused("{\"@id\":\"#s\",\"urn:p\":1}", "/@id", "relative IRI");
    expect_refused("{\"@id\":\"urn:s\",\"@type\":\"T\"}", "/@type", "relative IRI");
    expect_refused("{\"@id\":\"urn:s\",\"urn:p\":{\"@id\":\"o\"}}", "/urn:p/@id", "relative IRI");
}

static void iris_with_forbidden_bytes_are_refused(void **state)
{
    (void)state;
    expect_refused("{\"@id\":\"urn:a b\",\"urn:p\":1}", "/@id", "");
    expect_refused("{\"@id\":\"urn:a>\\n<urn:x> <urn:y> <urn:z\",\"urn:p\":1}", "/@id", "");
    expect_refused("{\"@id\":\"urn:s\",\"urn:p\":{\"@id\":\"urn:{x}\"}}", "/urn:p/@id", "");
}

static void named_graphs_are_refused(void **state)
{
    (void)state;
    expect_refused("{\"@id\":\"urn:g\",\"@graph\":[]}", "/", "named graph");
    expect_refused("{\"urn:p\":\"x\",\"@graph\":[]}", "/", "named graph");
    expect_refused("{\"@id\":\"urn:s\",\"urn:p\":{\"@graph\":[]}}", "/urn:p", "named graph");
}

static void lists_of_lists_are_refused(void **state)
{
    (void)state;
    expect_refused("{\"urn:p\":{\"@list\":[[\"x\"]]}}", "/urn:p/0", "list within a list");
    expect_refused("{\"urn:p\":{\"@list\":[{\"@list\":[]}]}}", "/urn:p/0", "list within a list");
}

static void value_objects_with_more_than_their_own_keys_are_refused(void **state)
{
    (void)state;
    expect_refused("{\"urn:p\":{\"@value\":\"x\",\"@id\":\"urn:x\"}}", "/urn:p", "@value");
    expect_refused("{\"urn:p\":{\"@value\":\"x\",\"urn:q\":1}}", "/urn:p", "@value");
    expect_refused("{\"urn:p\":{\"@value\":[]}}", "/urn:p", "@value must be");
    expect_refused("{\"urn:p\":{\"@value\":\"x\",\"@type\":\"urn:t\",\"@language\":\"en\"}}",
                   "/urn:p", "both");
    expect_refused("{\"urn:p\":{\"@value\":1,\"@language\":\"en\"}}", "/urn:p", "@language");
    expect_refused("{\"urn:p\":{\"@value\":\"x\",\"@language\":\"e n\"}}", "/urn:p",
                   "language tag");
    expect_refused("{\"urn:p\":{\"@value\":\"x\",\"@type\":[\"urn:t\"]}}", "/urn:p", "one text");
    expect_refused("{\"urn:p\":{\"@value\":\"{}\",\"@type\":\"@json\"}}", "/urn:p", "@json");
    expect_refused("{\"urn:p\":{\"@list\":[],\"@id\":\"urn:x\"}}", "/urn:p", "nothing else");
}

static void nodes_with_wrong_ids_types_or_keys_are_refused(void **state)
{
    (void)state;
    expect_refused("{\"@id\":5,\"urn:p\":1}", "/@id", "@id must be a text");
    expect_refused("{\"@id\":[\"urn:s\"],\"urn:p\":1}", "/@id", "@id must be a text");
    expect_refused("{\"@type\":7}", "/@type", "@type must be");
    expect_refused("{\"@type\":{\"@id\":\"urn:t\"}}", "/@type", "@type must be");
    expect_refused("{\"@id\":\"_:\",\"urn:p\":1}", "/@id", "needs a label");
    expect_refused("{\"_:p\":1}", "/_:p", "cannot be a property");
    expect_refused("{\"@context\":{\"id\":\"@id\"},\"@id\":\"urn:a\",\"id\":\"urn:b\"}", "/id",
                   "twice");
    expect_refused("{\"@value\":\"x\"}", "/", "do not name a thing");
    expect_refused("[5]", "/0", "an object is expected");
}

/* `depth` arrays around a text. */
static char *nested(size_t depth)
{
    static const char head[] = "{\"@id\":\"urn:s\",\"urn:p\":";
    char *json = malloc(sizeof head + 2 * depth + 8);
    assert_non_null(json);
    memcpy(json, head, sizeof head - 1);
    char *to = json + sizeof head - 1;
    memset(to, '[', depth);
    memcpy(to + depth, "\"x\"", 3);
    memset(to + depth + 3, ']', depth);
    memcpy(to + 2 * depth + 3, "}", 2);
    return json;
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL;
    char *json = nested(MUP_DESCRIPTION_DEPTH_MAX - 4);
    assert_int_equal(read_jsonld(&read, &problems, json), MUP_OK);
    free(read);
    free(json);
    json = nested(MUP_DESCRIPTION_DEPTH_MAX + 1);
    assert_int_equal(read_jsonld(&read, &problems, json), MUP_ERR_RANGE);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "/urn:p", "nested more than 64"));
    free(json);
    json = nested(100000);
    assert_int_not_equal(read_jsonld(&read, &problems, json), MUP_OK);
    free(json);
}

static void the_number_of_triples_is_bounded(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL;
    char *json = malloc(200000), *to = json;
    assert_non_null(json);
    to += sprintf(to, "{\"@id\":\"urn:s\",\"urn:p\":[0");
    for (unsigned i = 1; i < MUP_DESCRIPTION_TRIPLES_MAX; i++)
        to += sprintf(to, ",%u", i);
    memcpy(to, "]}", 3);
    assert_int_equal(read_jsonld(&read, &problems, json), MUP_OK);
    free(read);
    memcpy(to, ",-1]}", 6);
    assert_int_equal(read_jsonld(&read, &problems, json), MUP_ERR_RANGE);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "/urn:p", "10000 triples"));
    free(json);
}

static void a_long_prefix_does_not_multiply(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL;
    char *json = malloc(100000), *to = json;
    assert_non_null(json);
    to += sprintf(to, "{\"@context\":{\"e\":\"urn:");
    memset(to, 'x', MUP_IRI_SIZE_MAX - 24);
    to += MUP_IRI_SIZE_MAX - 24;
    to += sprintf(to, ":\"},\"@id\":\"urn:s\",\"urn:p\":[");
    for (int i = 0; i < 4000; i++)
        to += sprintf(to, "%s{\"@id\":\"e:%d\"}", i ? "," : "", i);
    memcpy(to, "]}", 3);
    assert_int_equal(read_jsonld(&read, &problems, json), MUP_ERR_RANGE);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "", "longer than 2 MB"));
    free(json);
}

static void iris_and_texts_have_a_longest_size(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL, *json = malloc(20000);
    assert_non_null(json);
    sprintf(json, "{\"@id\":\"urn:%0*d\",\"urn:p\":1}", (int)MUP_IRI_SIZE_MAX - 4, 7);
    assert_int_equal(read_jsonld(&read, &problems, json), MUP_OK);
    free(read);
    sprintf(json, "{\"@id\":\"urn:%0*d\",\"urn:p\":1}", (int)MUP_IRI_SIZE_MAX - 3, 7);
    assert_int_equal(read_jsonld(&read, &problems, json), MUP_ERR_RANGE);
    sprintf(json, "{\"@id\":\"urn:s\",\"urn:p\":\"%0*d\"}", (int)MUP_LITERAL_SIZE_MAX, 7);
    assert_int_equal(read_jsonld(&read, &problems, json), MUP_OK);
    free(read);
    sprintf(json, "{\"@id\":\"urn:s\",\"urn:p\":\"%0*d\"}", (int)MUP_LITERAL_SIZE_MAX + 1, 7);
    assert_int_equal(read_jsonld(&read, &problems, json), MUP_ERR_RANGE);
    free(json);
}

static void a_place_that_is_too_long_keeps_its_end(void **state)
{
    (void)state;
    struct mup_problems problems = {0};
    char where[600], line[1024];
    memset(where, 'a', sizeof where);
    memcpy(where + sizeof where - 5, "/end", 5);
    mup_problems_error(&problems, 7, where, "bad\n%s", "\x1b[31m");
    assert_true(strlen(problems.items[0].where) < MUP_PROBLEM_WHERE_SIZE);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "a/end", "bad??[31m"));
    mup_problems_line(line, sizeof line, &problems, 0, "x.jsonld");
    assert_ptr_equal(strstr(line, "x.jsonld:7: ..."), line);
}

static void the_first_error_is_never_lost_behind_warnings(void **state)
{
    (void)state;
    struct mup_problems problems = {0};
    for (unsigned i = 0; i < MUP_PROBLEMS_MAX + 5; i++)
        mup_problems_warning(&problems, 0, "/w", "warning %u", i);
    mup_problems_error(&problems, 0, "/e", "the error");
    assert_int_equal(problems.count, MUP_PROBLEMS_MAX);
    assert_int_equal(problems.warning_count, MUP_PROBLEMS_MAX + 5);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "/e", "the error"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax_errors_name_the_line),
        cmocka_unit_test(a_duplicate_key_is_refused_with_its_line),
        cmocka_unit_test(every_truncation_is_an_error_and_never_a_crash),
        cmocka_unit_test(remote_contexts_are_refused_by_their_address),
        cmocka_unit_test(keywords_that_are_not_understood_are_refused_by_name),
        cmocka_unit_test(contexts_refuse_what_they_do_not_understand_by_name),
        cmocka_unit_test(term_definitions_refuse_what_they_do_not_understand_by_name),
        cmocka_unit_test(terms_that_define_each_other_are_refused),
        cmocka_unit_test(relative_iris_without_a_base_are_refused),
        cmocka_unit_test(iris_with_forbidden_bytes_are_refused),
        cmocka_unit_test(named_graphs_are_refused),
        cmocka_unit_test(lists_of_lists_are_refused),
        cmocka_unit_test(value_objects_with_more_than_their_own_keys_are_refused),
        cmocka_unit_test(nodes_with_wrong_ids_types_or_keys_are_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(the_number_of_triples_is_bounded),
        cmocka_unit_test(a_long_prefix_does_not_multiply),
        cmocka_unit_test(iris_and_texts_have_a_longest_size),
        cmocka_unit_test(a_place_that_is_too_long_keeps_its_end),
        cmocka_unit_test(the_first_error_is_never_lost_behind_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
