/* Turtle and RDF/XML, what is materialised, and the queries that are loaded. */
#include "bridge_support.h"

#include <sys/stat.h>
#include <unistd.h>

#include "bridge/description/turtle.h"
#include "bridge/description/materialise.h"
#include "bridge/description/questions.h"

#define O "http://www.onem2m.org/ontology/Base_Ontology/base_ontology#"
#define B "https://www.cs.uni-potsdam.de/bs/research/myno#"

static enum mup_status ntriples(char **out, struct mup_problems *problems, const char *text)
{
    char *copy = exact_copy(text, strlen(text));
    enum mup_status status = mup_description_ntriples(out, problems, describer, copy, strlen(text),
                                                      MUP_DESCRIPTION_AUTO);
    free(copy);
    return status;
}

static void expect_same(const char *text, const char *expected)
{
    struct mup_problems problems;
    char *read = NULL;
    enum mup_status status = ntriples(&read, &problems, text);
    show_problems(&problems);
    assert_int_equal(status, MUP_OK);
    assert_string_equal(read, expected);
    free(read);
}

static void turtle_and_ntriples_are_read(void **state)
{
    (void)state;
    expect_same("@prefix e: <http://example.org/> .\ne:s a e:t ; e:p \"\xc2\xb0"
                "C\"@de , 5 .\n",
                "<http://example.org/s> <http://example.org/p> "
                "\"5\"^^<http://www.w3.org/2001/XMLSchema#integer> .\n"
                "<http://example.org/s> <http://example.org/p> \"\xc2\xb0"
                "C\"@de .\n"
                "<http://example.org/s> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> "
                "<http://example.org/t> .\n");
    expect_same("<urn:s> <urn:p> \"x\" .\n", "<urn:s> <urn:p> \"x\" .\n");
    expect_same("[ <urn:p> \"x\" ] <urn:q> <urn:o> .\n",
                "_:b0 <urn:p> \"x\" .\n_:b0 <urn:q> <urn:o> .\n");
}

static void rdf_xml_is_read(void **state)
{
    (void)state;
    expect_same("<?xml version=\"1.0\"?>\n"
                "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" "
                "xmlns:e=\"http://example.org/\">"
                "<rdf:Description rdf:about=\"urn:s\"><e:p>x</e:p></rdf:Description></rdf:RDF>",
                "<urn:s> <http://example.org/p> \"x\" .\n");
}

static void syntax_errors_of_turtle_and_xml_name_the_line(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL;
    assert_int_equal(ntriples(&read, &problems, "<urn:s> <urn:p>\n\"x\" .\n<urn:s> <urn:p .\n"),
                     MUP_ERR_FORMAT);
    assert_int_equal(problems.items[0].line, 3);
    assert_int_equal(ntriples(&read, &problems, "<?xml version=\"1.0\"?>\n<a>\n<b></a>"),
                     MUP_ERR_FORMAT);
    assert_true(problems.items[0].line >= 2);
}

static void relative_iris_are_refused_in_turtle_too(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL;
    assert_int_equal(ntriples(&read, &problems, "<urn:s> <urn:p> <#o> .\n"), MUP_ERR_FORMAT);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "#o", "relative IRI"));
}

static void an_xml_entity_never_reads_a_file(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL;
    enum mup_status status = ntriples(
        &read, &problems,
        "<?xml version=\"1.0\"?>\n<!DOCTYPE d [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>\n"
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:e=\"urn:e:\">"
        "<rdf:Description rdf:about=\"urn:s\"><e:p>&f;</e:p></rdf:Description></rdf:RDF>");
    if (status == MUP_OK)
        assert_null(strstr(read, "root:"));
    free(read);
}

static void xml_entities_that_multiply_are_refused(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL, xml[4096], *to = xml;
    to += sprintf(to, "<?xml version=\"1.0\"?>\n<!DOCTYPE d [<!ENTITY a0 \"aaaaaaaaaaaaaaaa\">");
    for (int i = 1; i < 10; i++)
        to += sprintf(to, "<!ENTITY a%d \"&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;\">", i, i - 1,
                      i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    sprintf(to, "]>\n<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" "
                "xmlns:e=\"urn:e:\"><rdf:Description rdf:about=\"urn:s\"><e:p>&a9;</e:p>"
                "</rdf:Description></rdf:RDF>");
    assert_int_not_equal(ntriples(&read, &problems, xml), MUP_OK);
    assert_true(problems.error_count > 0);
}

/* The document with `text` in the place of %s. */
static void with_text(char out[512], const char *document, const char *text)
{
    const char *place = strstr(document, "%s");
    assert_non_null(place);
    assert_true(strlen(document) + strlen(text) < 512);
    memcpy(out, document, (size_t)(place - document));
    out[place - document] = '\0';
    strcat(out, text);
    strcat(out, place + 2);
}

static void bytes_that_are_not_utf8_are_refused_in_every_syntax(void **state)
{
    (void)state; /* RFC 3629 section 4: torn, overlong, surrogates, beyond U+10FFFF */
    static const char *const wrong[] = {
        "\xff",
        "\xc3",
        "\xebind",
        "\x80",
        "\xc0\xaf",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xe2\x82",
        "\xf0\x9f\x98",
    };
    static const char *const right[] = {"\xc2\x80",     "\xe0\xa0\x80",     "\xed\x9f\xbf",
                                        "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbd"};
    static const char *const documents[] = {
        "<urn:s> <urn:p> \"%s\" .\n", "<urn:s%s> <urn:p> \"x\" .\n",
        "{\"@id\":\"urn:s\",\"urn:p\":\"%s\"}",
        "<?xml version=\"1.0\"?><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" "
        "xmlns:e=\"urn:\"><rdf:Description rdf:about=\"urn:s\"><e:p>%s</e:p></rdf:Description>"
        "</rdf:RDF>"};
    for (size_t d = 0; d < sizeof documents / sizeof documents[0]; d++) {
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            struct mup_problems problems;
            char text[512], *read = NULL;
            with_text(text, documents[d], wrong[i]);
            assert_int_equal(ntriples(&read, &problems, text), MUP_ERR_FORMAT);
            assert_true(problems.error_count > 0);
        }
    }
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        struct mup_problems problems;
        char text[512], *read = NULL;
        with_text(text, documents[0], right[i]);
        assert_int_equal(ntriples(&read, &problems, text), MUP_OK);
        assert_non_null(strstr(read, right[i]));
        free(read);
    }
}

static void too_many_bytes_are_refused_before_they_are_read(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL;
    char *text = calloc(1, MUP_DESCRIPTION_SIZE_MAX + 2);
    assert_non_null(text);
    memset(text, ' ', MUP_DESCRIPTION_SIZE_MAX + 1);
    assert_int_equal(ntriples(&read, &problems, text), MUP_ERR_RANGE);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "", "262144"));
    assert_int_equal(ntriples(&read, &problems, ""), MUP_ERR_FORMAT);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "", "empty"));
    free(text);
}

/* Materialise the JSON-LD text and print it. */
static char *materialised(const char *json)
{
    struct mup_triples in, out;
    struct mup_problems problems = {0};
    char *text = NULL;
    mup_triples_init(&in);
    mup_triples_init(&out);
    assert_int_equal(mup_jsonld_read(&in, &problems, json, strlen(json)), MUP_OK);
    assert_int_equal(mup_materialise(&out, &in), MUP_OK);
    assert_int_equal(mup_triples_print(&text, &out), MUP_OK);
    mup_triples_free(&in);
    mup_triples_free(&out);
    return text;
}

static void expect_materialised(const char *json, const char *expected)
{
    char *text = materialised(json);
    assert_string_equal(text, expected);
    free(text);
}

static void the_old_namespace_becomes_the_new_one(void **state)
{
    (void)state;
    expect_materialised("{\"@id\":\"http://yang-netconf-mqtt#a\","
                        "\"http://yang-netconf-mqtt#mqttTopic\":\"http://yang-netconf-mqtt#\"}",
                        "<" B "a> <" B "mqttTopic> \"http://yang-netconf-mqtt#\" .\n");
}

static void things_that_are_the_same_become_one_with_the_vocabularys_name(void **state)
{
    (void)state;
    expect_materialised(
        "{" CONTEXT ",\"@graph\":[{\"@id\":\"urn:a\",\"owl:sameAs\":[{\"@id\":\"urn:z\"},"
        "{\"@id\":\"b:deviceUuid\"}],\"urn:p\":1},{\"@id\":\"_:x\",\"owl:sameAs\":{\"@id\":\"urn:"
        "z\"},"
        "\"urn:p\":2}]}",
        "<" B "deviceUuid> <urn:p> \"1\"^^<http://www.w3.org/2001/XMLSchema#integer> .\n"
        "<" B "deviceUuid> <urn:p> \"2\"^^<http://www.w3.org/2001/XMLSchema#integer> .\n");
}

static void equivalent_properties_and_classes_count_as_the_vocabularys(void **state)
{
    (void)state;
    expect_materialised(
        "{" CONTEXT ",\"@graph\":[{\"@id\":\"urn:Gadget\",\"owl:equivalentClass\":{\"@id\":"
        "\"o:Device\"}},{\"@id\":\"urn:does\",\"owl:equivalentProperty\":{\"@id\":"
        "\"o:hasFunctionality\"}},{\"@id\":\"urn:d\",\"@type\":\"urn:Gadget\",\"urn:does\":"
        "{\"@id\":\"urn:f\"}}]}",
        "<urn:d> <" O "hasFunctionality> <urn:f> .\n"
        "<urn:d> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <" O "Device> .\n");
}

static void every_sub_service_is_reached_and_a_circle_ends(void **state)
{
    (void)state;
    char *text = materialised(
        "{" CONTEXT ",\"@graph\":[{\"@id\":\"urn:d\",\"o:hasService\":{\"@id\":\"urn:1\"}},"
        "{\"@id\":\"urn:1\",\"o:hasSubService\":[{\"@id\":\"urn:2\"},{\"@id\":\"urn:3\"}]},"
        "{\"@id\":\"urn:3\",\"o:hasSubService\":[{\"@id\":\"urn:4\"},{\"@id\":\"urn:1\"}]},"
        "{\"@id\":\"urn:8\",\"o:hasSubService\":{\"@id\":\"urn:9\"}}]}");
    for (char n = '1'; n <= '4'; n++) {
        char line[64];
        snprintf(line, sizeof line, "<urn:d> <urn:mup:reaches> <urn:%c> .\n", n);
        assert_non_null(strstr(text, line));
    }
    assert_null(strstr(text, "<urn:mup:reaches> <urn:9>"));
    free(text);
}

static void copy_queries(const char *folder, const char *but, const char *with)
{
    for (unsigned i = 0; i < MUP_QUESTION_COUNT; i++) {
        const char *name = mup_question_name((enum mup_question)i);
        char from[512], to[512];
        size_t size = 0;
        snprintf(from, sizeof from, "%s/edge/bridge/description/queries/%s.rq", MUP_SOURCE_DIR,
                 name);
        snprintf(to, sizeof to, "%s/%s.rq", folder, name);
        char *query = read_whole_file(from, &size);
        assert_non_null(query);
        const char *text = strcmp(name, but) == 0 ? with : query;
        FILE *file = text ? fopen(to, "we") : NULL;
        if (file) {
            fputs(text, file);
            fclose(file);
        } else {
            unlink(to);
        }
        free(query);
    }
}

static void remove_queries(const char *folder)
{
    for (unsigned i = 0; i < MUP_QUESTION_COUNT; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s.rq", folder, mup_question_name((enum mup_question)i));
        unlink(path);
    }
    rmdir(folder);
}

static void a_query_that_is_missing_wrong_or_reaches_out_is_told_at_the_start(void **state)
{
    (void)state;
    static const struct {
        const char *query, *where, *text;
    } cases[] = {
        {NULL, "state.rq", "cannot be read"},
        {"", "state.rq", "empty"},
        {"SELECT ?a WHERE { ?a ?b", "state", ""},
        {"ASK { ?a ?b ?c }", "state", "not a SELECT"},
        {"SELECT ?a WHERE { ?a ?b ?c }", "state", "must select 2 columns, not 1"},
        {"SELECT ?a ?c FROM <file:///etc/passwd> WHERE { ?a ?b ?c }", "state", "FROM"},
        {"SELECT ?a ?c WHERE { GRAPH ?g { ?a ?b ?c } }", "state", "GRAPH"},
        {"SELECT ?a ?c WHERE { { ?a ?b ?c } UNION { GRAPH ?g { ?a ?b ?c } } }", "state", "GRAPH"},
        {"SELECT ?a ?c WHERE { SERVICE <http://127.0.0.1:9/> { ?a ?b ?c } }", "state", ""},
    };
    char folder[] = "/tmp/mup-queries-XXXXXX";
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_problems problems;
        struct mup_describer *own = NULL;
        copy_queries(folder, "state", cases[i].query);
        assert_int_equal(mup_describer_new(&own, &problems, folder), MUP_ERR_FORMAT);
        assert_null(own);
        assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, cases[i].where, cases[i].text));
    }
    remove_queries(folder);
}

static void another_folder_of_queries_maps_another_ontology(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_describer *own = NULL;
    struct mup_capability *capability = NULL;
    static const char thing[] =
        "{" CONTEXT ",\"@id\":\"urn:d\",\"@type\":\"urn:Thing\",\"o:hasThingProperty\":["
        "{\"@id\":\"b:deviceUuid\",\"o:hasValue\":\"%s\"},"
        "{\"@id\":\"b:deviceCategory\",\"o:hasValue\":\"k\"}]}";
    /* The second has no plan, and goes to the query engine. */
    static const char *const queries[] = {
        "SELECT ?device WHERE { ?device a <urn:Thing> }",
        "SELECT ?device WHERE { ?device a ?kind . FILTER(?kind = <urn:Thing>) }",
    };
    for (size_t i = 0; i < 2; i++) {
        char folder[] = "/tmp/mup-queries-XXXXXX";
        assert_non_null(mkdtemp(folder));
        copy_queries(folder, "device", queries[i]);
        assert_int_equal(mup_describer_new(&own, &problems, folder), MUP_OK);
        /* The other questions still ask for a oneM2M Device, and so find no UUID. */
        assert_int_equal(mup_description_parse(&capability, &problems, own, thing, strlen(thing),
                                               MUP_DESCRIPTION_AUTO, NULL),
                         MUP_ERR_FORMAT);
        assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "urn:d", "UUID"));
        mup_describer_free(own);
        remove_queries(folder);
    }
}

/* `<>{` makes raptor 2.0.15 read address 0; found by the fuzzer. */
static void a_brace_is_refused_where_turtle_has_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line;
    } cases[] = {
        {"<>{", 1},
        {"<> {", 1},
        {"# {\n<>\n\t{", 3},
        {"<urn:a> <urn:b> \"x\" .\n<>{ }", 2},
        {"<urn:a> <urn:b> \"\"\"\n\"{\n\"\"\" .\n<>{", 4},
        {"<urn:a> <urn:b> \"\\\"\" . <>{", 1},
        {"<a b{", 1},
        {"<urn:a#b{", 0}, /* to the library this is no IRI either */
        {"'it<>{", 0},
        {"}", 1},
        {"<urn:a> <urn:b> \"{}\", '{', \"\"\"{\"{\"\"\", '''}''' . # {", 0},
        {"<urn:a#b> <urn:b> \"#\" .", 0},
        {"<urn:a> <urn:b> \"\\", 0},
        {"\"", 0},
        {"\"\"", 0},
        {"<", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = strlen(cases[i].text);
        char *text = exact_copy(cases[i].text, size);
        if (mup_turtle_brace_line(text, size) != cases[i].line)
            print_message("%s\n", cases[i].text);
        assert_int_equal(mup_turtle_brace_line(text, size), cases[i].line);
        free(text);
    }
    struct mup_problems problems;
    struct mup_capability *capability = NULL;
    static const char text[] = "<urn:a> <urn:b> <urn:c> .\n<>{";
    assert_int_equal(parse_bytes(&capability, &problems, text, sizeof text - 1, NULL),
                     MUP_ERR_FORMAT);
    assert_int_equal(problems.items[0].line, 2);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "", "a brace outside of a text"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turtle_and_ntriples_are_read),
        cmocka_unit_test(a_brace_is_refused_where_turtle_has_none),
        cmocka_unit_test(rdf_xml_is_read),
        cmocka_unit_test(syntax_errors_of_turtle_and_xml_name_the_line),
        cmocka_unit_test(relative_iris_are_refused_in_turtle_too),
        cmocka_unit_test(an_xml_entity_never_reads_a_file),
        cmocka_unit_test(xml_entities_that_multiply_are_refused),
        cmocka_unit_test(bytes_that_are_not_utf8_are_refused_in_every_syntax),
        cmocka_unit_test(too_many_bytes_are_refused_before_they_are_read),
        cmocka_unit_test(the_old_namespace_becomes_the_new_one),
        cmocka_unit_test(things_that_are_the_same_become_one_with_the_vocabularys_name),
        cmocka_unit_test(equivalent_properties_and_classes_count_as_the_vocabularys),
        cmocka_unit_test(every_sub_service_is_reached_and_a_circle_ends),
        cmocka_unit_test(a_query_that_is_missing_wrong_or_reaches_out_is_told_at_the_start),
        cmocka_unit_test(another_folder_of_queries_maps_another_ontology),
    };
    return cmocka_run_group_tests(tests, open_describer, close_describer);
}
