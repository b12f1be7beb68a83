/* Each feature of JSON-LD that is understood (edge/bridge/description/jsonld.h), with its triples
 * typed by hand. */
#include "bridge_support.h"

#define EX   "http://example.org/"
#define RDF  "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define XSD  "http://www.w3.org/2001/XMLSchema#"
#define S    "<http://example.org/s> "
#define P    "<http://example.org/p> "
#define O    "<http://example.org/o> "
#define TYPE "<" RDF "type> "

static void absolute_iris_need_no_context(void **state)
{
    (void)state;
    expect_triples("{\"@id\":\"http://example.org/s\",\"http://example.org/p\":\"v\"}",
                   S P "\"v\" .\n");
}

static void a_prefix_expands_keys_types_and_ids(void **state)
{
    (void)state;
    expect_triples(
        "{\"@context\":{\"e\":\"http://example.org/\"},\"@id\":\"e:s\",\"@type\":\"e:o\","
        "\"e:p\":{\"@id\":\"e:o\"}}",
        S P O ".\n" S TYPE O ".\n");
}

static void a_suffix_may_have_colons_and_a_prefix_a_hyphen(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"om-2\":\"http://example.org/\"},\"@id\":\"om-2:rdf:_1\","
                   "\"om-2:p\":\"v\"}",
                   "<http://example.org/rdf:_1> " P "\"v\" .\n");
}

static void a_prefix_that_is_not_defined_makes_an_absolute_iri(void **state)
{
    (void)state;
    expect_triples("{\"@id\":\"urn:s\",\"urn:p\":\"v\"}", "<urn:s> <urn:p> \"v\" .\n");
}

static void only_an_iri_that_ends_like_one_is_a_prefix(void **state)
{
    (void)state; /* JSON-LD 1.1 API 4.2.2 step 14.2.5 */
    expect_triples("{\"@context\":{\"e\":\"http://example.org/x\"},\"@id\":\"urn:s\",\"e:p\":1}",
                   "<urn:s> <e:p> \"1\"^^<" XSD "integer> .\n");
    expect_triples("{\"@context\":{\"e\":{\"@id\":\"http://example.org/x\",\"@prefix\":true}},"
                   "\"@id\":\"urn:s\",\"e:p\":\"v\"}",
                   "<urn:s> <http://example.org/xp> \"v\" .\n");
}

static void a_term_is_a_whole_name(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"p\":\"http://example.org/p\"},\"@id\":\"urn:s\",\"p\":\"v\"}",
                   "<urn:s> " P "\"v\" .\n");
}

static void terms_may_be_defined_by_later_terms(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"p\":\"e:p\",\"e\":\"http://example.org/\"},\"@id\":\"urn:s\","
                   "\"p\":\"v\"}",
                   "<urn:s> " P "\"v\" .\n");
}

static void a_term_with_type_id_takes_texts_as_iris(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"p\":{\"@id\":\"http://example.org/p\",\"@type\":\"@id\"}},"
                   "\"@id\":\"urn:s\",\"p\":[\"http://example.org/o\",5]}",
                   "<urn:s> " P "\"5\"^^<" XSD "integer> .\n"
                   "<urn:s> " P O ".\n");
}

static void a_term_with_type_vocab_takes_texts_as_terms(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"p\":{\"@id\":\"http://example.org/p\",\"@type\":\"@vocab\"},"
                   "\"thing\":\"http://example.org/o\"},\"@id\":\"urn:s\",\"p\":\"thing\"}",
                   "<urn:s> " P O ".\n");
}

static void a_term_with_a_data_type_types_its_values(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"x\":\"" XSD "\",\"p\":{\"@id\":\"http://example.org/p\","
                   "\"@type\":\"x:int\"}},\"@id\":\"urn:s\",\"p\":[\"7\",8]}",
                   "<urn:s> " P "\"7\"^^<" XSD "int> .\n"
                   "<urn:s> " P "\"8\"^^<" XSD "int> .\n");
}

static void the_implied_iri_of_a_term_comes_from_vocab(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"@vocab\":\"http://example.org/\",\"p\":{\"@type\":\"@id\"}},"
                   "\"@id\":\"urn:s\",\"p\":\"urn:o\"}",
                   "<urn:s> " P "<urn:o> .\n");
}

static void a_term_may_name_itself(void **state)
{
    (void)state;
    expect_triples(
        "{\"@context\":{\"@vocab\":\"http://example.org/\",\"p\":{\"@id\":\"p\",\"@type\":"
        "\"@id\"},\"urn:q\":{\"@id\":\"urn:q\",\"@type\":\"@id\"}},\"@id\":\"urn:s\","
        "\"p\":\"urn:o\",\"urn:q\":\"urn:o\"}",
        "<urn:s> " P "<urn:o> .\n<urn:s> <urn:q> <urn:o> .\n");
}

static void vocab_expands_keys_and_types(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"@vocab\":\"http://example.org/\"},\"@id\":\"urn:s\","
                   "\"@type\":\"o\",\"p\":\"v\"}",
                   "<urn:s> " P "\"v\" .\n<urn:s> " TYPE O ".\n");
}

static void base_resolves_ids_but_not_keys(void **state)
{
    (void)state; /* RFC 3986 section 5.4 */
    expect_triples("{\"@context\":{\"@base\":\"http://a/b/c/d;p?q\",\"@vocab\":\"urn:v:\"},"
                   "\"@id\":\"#s\",\"p\":[{\"@id\":\"../g\"},{\"@id\":\"\"},{\"@id\":\"//g\"}]}",
                   "<http://a/b/c/d;p?q#s> <urn:v:p> <http://a/b/c/d;p?q> .\n"
                   "<http://a/b/c/d;p?q#s> <urn:v:p> <http://a/b/g> .\n"
                   "<http://a/b/c/d;p?q#s> <urn:v:p> <http://g> .\n");
}

static void the_default_language_tags_plain_texts_only(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"@language\":\"DE\",\"p\":\"http://example.org/p\","
                   "\"q\":{\"@id\":\"http://example.org/q\",\"@language\":null},"
                   "\"r\":{\"@id\":\"http://example.org/r\",\"@language\":\"en-GB\"}},"
                   "\"@id\":\"urn:s\",\"p\":[\"an\",true,{\"@value\":\"aus\"}],\"q\":\"on\","
                   "\"r\":\"off\"}",
                   "<urn:s> " P "\"an\"@de .\n"
                   "<urn:s> " P "\"aus\" .\n"
                   "<urn:s> " P "\"true\"^^<" XSD "boolean> .\n"
                   "<urn:s> <http://example.org/q> \"on\" .\n"
                   "<urn:s> <http://example.org/r> \"off\"@en-gb .\n");
}

static void a_value_object_states_type_or_language(void **state)
{
    (void)state;
    expect_triples("{\"@id\":\"urn:s\",\"urn:p\":[{\"@value\":\"a\"},"
                   "{\"@value\":\"b\",\"@language\":\"en\"},"
                   "{\"@value\":\"c\",\"@type\":\"urn:t\"},"
                   "{\"@value\":\"d\",\"@type\":\"" XSD "string\"},{\"@value\":null}]}",
                   "<urn:s> <urn:p> \"a\" .\n"
                   "<urn:s> <urn:p> \"b\"@en .\n"
                   "<urn:s> <urn:p> \"c\"^^<urn:t> .\n"
                   "<urn:s> <urn:p> \"d\" .\n");
}

static void numbers_become_integers_and_doubles(void **state)
{
    (void)state; /* canonical forms of XML Schema 1.1 part 2 */
    expect_triples("{\"@context\":{\"d\":{\"@id\":\"urn:d\",\"@type\":\"" XSD
                   "double\"}},\"@id\":\"urn:s\","
                   "\"urn:p\":[0,-12,5.5,2.0,1e21,-0.001,100.25],\"d\":10}",
                   "<urn:s> <urn:d> \"1.0E1\"^^<" XSD "double> .\n"
                   "<urn:s> <urn:p> \"-1.0E-3\"^^<" XSD "double> .\n"
                   "<urn:s> <urn:p> \"-12\"^^<" XSD "integer> .\n"
                   "<urn:s> <urn:p> \"0\"^^<" XSD "integer> .\n"
                   "<urn:s> <urn:p> \"1.0025E2\"^^<" XSD "double> .\n"
                   "<urn:s> <urn:p> \"1.0E21\"^^<" XSD "double> .\n"
                   "<urn:s> <urn:p> \"2\"^^<" XSD "integer> .\n"
                   "<urn:s> <urn:p> \"5.5E0\"^^<" XSD "double> .\n");
}

static void texts_are_escaped_as_ntriples_want_it(void **state)
{
    (void)state;
    expect_triples(
        "{\"@id\":\"urn:s\",\"urn:p\":\"a\\\"b\\\\c\\nd\\r\\te\\u0007\\u00b0C \\ud83d\\ude00\"}",
        "<urn:s> <urn:p> \"a\\\"b\\\\c\\nd\\r\te\007\xc2\xb0"
        "C \xf0\x9f\x98\x80\" .\n");
}

static void a_list_is_a_chain_in_order(void **state)
{
    (void)state;
    static const char chain[] = "<urn:s> <urn:p> _:b0 .\n"
                                "_:b0 <" RDF "first> \"x\" .\n"
                                "_:b0 <" RDF "rest> _:b1 .\n"
                                "_:b1 <" RDF "first> \"y\" .\n"
                                "_:b1 <" RDF "rest> <" RDF "nil> .\n";
    expect_triples("{\"@id\":\"urn:s\",\"urn:p\":{\"@list\":[\"x\",\"y\"]}}", chain);
    expect_triples("{\"@context\":{\"p\":{\"@id\":\"urn:p\",\"@container\":\"@list\"}},"
                   "\"@id\":\"urn:s\",\"p\":[\"x\",\"y\"]}",
                   chain);
    expect_triples("{\"@context\":{\"p\":{\"@id\":\"urn:p\",\"@container\":\"@list\"}},"
                   "\"@id\":\"urn:s\",\"p\":[\"x\",null,\"y\"]}",
                   chain);
}

static void minus_zero_is_the_integer_zero(void **state)
{
    (void)state;
    expect_triples("{\"@id\":\"urn:s\",\"urn:p\":-0.0}",
                   "<urn:s> <urn:p> \"0\"^^<" XSD "integer> .\n");
}

static void whatever_is_typed_as_a_string_is_a_plain_literal(void **state)
{
    (void)state; /* RDF 1.1 Concepts 3.3 */
    expect_triples(
        "{\"@context\":{\"p\":{\"@id\":\"urn:p\",\"@type\":\"" XSD
        "string\"}},\"@id\":\"urn:s\",\"p\":[\"x\",-5,1.5,true,{\"@value\":7,\"@type\":\"" XSD
        "string\"}]}",
        "<urn:s> <urn:p> \"-5\" .\n<urn:s> <urn:p> \"1.5E0\" .\n"
        "<urn:s> <urn:p> \"7\" .\n<urn:s> <urn:p> \"true\" .\n"
        "<urn:s> <urn:p> \"x\" .\n");
}

static void a_value_of_null_is_no_list(void **state)
{
    (void)state; /* API 5.1.2 step 13.9 comes before the list is made */
    expect_triples("{\"@context\":{\"p\":{\"@id\":\"urn:p\",\"@container\":\"@list\"}},"
                   "\"@id\":\"urn:s\",\"urn:q\":\"v\",\"p\":{\"@value\":null}}",
                   "<urn:s> <urn:q> \"v\" .\n");
    expect_triples("{\"@context\":{\"p\":{\"@id\":\"urn:p\",\"@container\":\"@list\"}},"
                   "\"@id\":\"urn:s\",\"p\":[{\"@value\":null}]}",
                   "<urn:s> <urn:p> <" RDF "nil> .\n");
}

static void a_list_of_one_node_or_of_nothing_is_a_list_too(void **state)
{
    (void)state;
    expect_triples("{\"@id\":\"urn:s\",\"urn:p\":{\"@list\":[]}}",
                   "<urn:s> <urn:p> <" RDF "nil> .\n");
    expect_triples("{\"@context\":{\"p\":{\"@id\":\"urn:p\",\"@container\":\"@list\"}},"
                   "\"@id\":\"urn:s\",\"p\":{\"@id\":\"urn:o\"}}",
                   "<urn:s> <urn:p> _:b0 .\n"
                   "_:b0 <" RDF "first> <urn:o> .\n"
                   "_:b0 <" RDF "rest> <" RDF "nil> .\n");
}

static void a_set_is_only_its_members(void **state)
{
    (void)state;
    static const char both[] = "<urn:s> <urn:p> \"x\" .\n<urn:s> <urn:p> \"y\" .\n";
    expect_triples("{\"@id\":\"urn:s\",\"urn:p\":{\"@set\":[\"x\",\"y\"]}}", both);
    expect_triples("{\"@context\":{\"p\":{\"@id\":\"urn:p\",\"@container\":[\"@set\"]}},"
                   "\"@id\":\"urn:s\",\"p\":[\"x\",[\"y\"],\"x\"]}",
                   both);
}

static void a_graph_of_the_document_is_the_default_graph(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"e\":\"http://example.org/\"},\"@graph\":["
                   "{\"@id\":\"e:s\",\"e:p\":\"1\"},{\"@id\":\"e:o\",\"e:p\":\"2\"}]}",
                   O P "\"2\" .\n" S P "\"1\" .\n");
}

static void an_array_at_the_top_is_a_document(void **state)
{
    (void)state;
    expect_triples("[{\"@id\":\"urn:a\",\"urn:p\":\"1\"},[{\"@id\":\"urn:b\",\"urn:p\":\"2\"}],{}]",
                   "<urn:a> <urn:p> \"1\" .\n<urn:b> <urn:p> \"2\" .\n");
    expect_triples("[]", "");
    expect_triples("{}", "");
}

static void nodes_nest_and_one_node_may_be_told_in_pieces(void **state)
{
    (void)state;
    expect_triples("[{\"@id\":\"urn:a\",\"urn:p\":{\"@id\":\"urn:b\",\"urn:q\":{\"@id\":\"urn:c\","
                   "\"urn:r\":\"1\"}}},{\"@id\":\"urn:b\",\"urn:r\":\"2\"}]",
                   "<urn:a> <urn:p> <urn:b> .\n"
                   "<urn:b> <urn:q> <urn:c> .\n"
                   "<urn:b> <urn:r> \"2\" .\n"
                   "<urn:c> <urn:r> \"1\" .\n");
}

static void blank_nodes_get_labels_of_ours_and_keep_their_identity(void **state)
{
    (void)state;
    expect_triples(
        "[{\"@id\":\"_:x\",\"urn:p\":{\"urn:q\":\"1\"}},{\"@id\":\"_:x\",\"urn:q\":\"2\"}]",
        "_:b0 <urn:p> _:b1 .\n"
        "_:b0 <urn:q> \"2\" .\n"
        "_:b1 <urn:q> \"1\" .\n");
}

static void a_label_of_the_document_is_never_a_label_of_ours(void **state)
{
    (void)state;
    expect_triples("[{\"urn:p\":\"1\"},{\"@id\":\"_:b0\",\"urn:p\":\"2\"}]",
                   "_:b0 <urn:p> \"1\" .\n_:b1 <urn:p> \"2\" .\n");
}

static void keywords_may_have_other_names(void **state)
{
    (void)state;
    expect_triples(
        "{\"@context\":{\"id\":\"@id\",\"a\":\"@type\",\"v\":\"@value\",\"in\":\"@language\","
        "\"all\":\"@graph\"},\"all\":[{\"id\":\"urn:s\",\"a\":\"urn:t\","
        "\"urn:p\":{\"v\":\"x\",\"in\":\"en\"}}]}",
        "<urn:s> <" RDF "type> <urn:t> .\n<urn:s> <urn:p> \"x\"@en .\n");
}

static void a_nested_context_holds_for_its_node_only(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"p\":\"urn:outer\"},\"@id\":\"urn:a\",\"p\":[{\"@context\":"
                   "{\"p\":\"urn:inner\"},\"@id\":\"urn:b\",\"p\":\"1\"},\"2\"]}",
                   "<urn:a> <urn:outer> \"2\" .\n"
                   "<urn:a> <urn:outer> <urn:b> .\n"
                   "<urn:b> <urn:inner> \"1\" .\n");
}

static void contexts_in_an_array_add_up_and_null_forgets(void **state)
{
    (void)state;
    expect_triples("{\"@context\":[{\"p\":\"urn:p\",\"q\":\"urn:old\"},{\"q\":\"urn:q\"}],"
                   "\"@id\":\"urn:s\",\"p\":\"1\",\"q\":\"2\"}",
                   "<urn:s> <urn:p> \"1\" .\n<urn:s> <urn:q> \"2\" .\n");
    expect_triples("{\"@context\":{\"@language\":\"en\"},\"@id\":\"urn:s\",\"urn:p\":{\"@context\":"
                   "[null],\"@id\":\"urn:b\",\"urn:q\":\"plain\"}}",
                   "<urn:b> <urn:q> \"plain\" .\n<urn:s> <urn:p> <urn:b> .\n");
}

static void a_term_mapped_to_null_drops_its_key_without_a_word(void **state)
{
    (void)state;
    expect_triples("{\"@context\":{\"@vocab\":\"urn:v:\",\"note\":null},\"@id\":\"urn:s\","
                   "\"note\":\"x\",\"p\":\"y\"}",
                   "<urn:s> <urn:v:p> \"y\" .\n");
}

static void a_key_without_meaning_is_left_out_with_a_warning(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *read = NULL;
    assert_int_equal(
        read_jsonld(&read, &problems, "{\"@id\":\"urn:s\",\"note\":\"x\",\"urn:p\":1}"), MUP_OK);
    assert_string_equal(read, "<urn:s> <urn:p> \"1\"^^<" XSD "integer> .\n");
    assert_int_equal(problems.warning_count, 1);
    assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, "/note", "no context"));
    free(read);
}

static void line_ends_of_every_system_and_repeated_triples_are_fine(void **state)
{
    (void)state;
    expect_triples("{\r\n\"@id\":\"urn:s\",\r\"urn:p\":[\"x\",\n\"x\"]}\r\n",
                   "<urn:s> <urn:p> \"x\" .\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absolute_iris_need_no_context),
        cmocka_unit_test(a_prefix_expands_keys_types_and_ids),
        cmocka_unit_test(a_suffix_may_have_colons_and_a_prefix_a_hyphen),
        cmocka_unit_test(a_prefix_that_is_not_defined_makes_an_absolute_iri),
        cmocka_unit_test(only_an_iri_that_ends_like_one_is_a_prefix),
        cmocka_unit_test(a_term_is_a_whole_name),
        cmocka_unit_test(terms_may_be_defined_by_later_terms),
        cmocka_unit_test(a_term_with_type_id_takes_texts_as_iris),
        cmocka_unit_test(a_term_with_type_vocab_takes_texts_as_terms),
        cmocka_unit_test(a_term_with_a_data_type_types_its_values),
        cmocka_unit_test(the_implied_iri_of_a_term_comes_from_vocab),
        cmocka_unit_test(a_term_may_name_itself),
        cmocka_unit_test(vocab_expands_keys_and_types),
        cmocka_unit_test(base_resolves_ids_but_not_keys),
        cmocka_unit_test(the_default_language_tags_plain_texts_only),
        cmocka_unit_test(a_value_object_states_type_or_language),
        cmocka_unit_test(numbers_become_integers_and_doubles),
        cmocka_unit_test(texts_are_escaped_as_ntriples_want_it),
        cmocka_unit_test(a_list_is_a_chain_in_order),
        cmocka_unit_test(minus_zero_is_the_integer_zero),
        cmocka_unit_test(whatever_is_typed_as_a_string_is_a_plain_literal),
        cmocka_unit_test(a_value_of_null_is_no_list),
        cmocka_unit_test(a_list_of_one_node_or_of_nothing_is_a_list_too),
        cmocka_unit_test(a_set_is_only_its_members),
        cmocka_unit_test(a_graph_of_the_document_is_the_default_graph),
        cmocka_unit_test(an_array_at_the_top_is_a_document),
        cmocka_unit_test(nodes_nest_and_one_node_may_be_told_in_pieces),
        cmocka_unit_test(blank_nodes_get_labels_of_ours_and_keep_their_identity),
        cmocka_unit_test(a_label_of_the_document_is_never_a_label_of_ours),
        cmocka_unit_test(keywords_may_have_other_names),
        cmocka_unit_test(a_nested_context_holds_for_its_node_only),
        cmocka_unit_test(contexts_in_an_array_add_up_and_null_forgets),
        cmocka_unit_test(a_term_mapped_to_null_drops_its_key_without_a_word),
        cmocka_unit_test(a_key_without_meaning_is_left_out_with_a_warning),
        cmocka_unit_test(line_ends_of_every_system_and_repeated_triples_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
