/* Other ontologies: what follows by the rules of OWL, and the operator's alignments. */
#include "bridge_support.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/description/infer.h"
#include "bridge/description/materialise.h"
#include "bridge/description/rdf.h"

#define FOLDER MUP_SOURCE_DIR "/docs/ontology/"

#define RULES                                                        \
    "@prefix : <urn:x:> .\n"                                         \
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"      \
    "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n" \
    "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n"

static struct mup_rdf *rdf;

static int open_all(void **state)
{
    rdf = mup_rdf_new();
    return rdf ? open_describer(state) : -1;
}

static int close_all(void **state)
{
    mup_rdf_free(rdf);
    return close_describer(state);
}

/* What is materialised of a text in Turtle; *out is empty when that is refused. */
static enum mup_status materialise(struct mup_triples *out, const char *text)
{
    struct mup_triples raw;
    struct mup_problems problems = {0};
    mup_triples_init(&raw);
    mup_triples_init(out);
    enum mup_status status =
        mup_rdf_read(&raw, &problems, rdf, text, strlen(text), MUP_DESCRIPTION_TURTLE);
    show_problems(&problems);
    assert_int_equal(status, MUP_OK);
    status = mup_materialise(out, &raw);
    mup_triples_free(&raw);
    return status;
}

static void each_rule_adds_what_follows_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *text, *follows, *does_not;
    } cases[] = {
        {":B rdfs:subClassOf :A . :C rdfs:subClassOf :B . :x a :C .", "<urn:x:x> a <urn:x:A>",
         "<urn:x:A> a"},
        {":B rdfs:subClassOf :A . :x a :A .", "", "<urn:x:x> a <urn:x:B>"},
        {":q rdfs:subPropertyOf :p . :r rdfs:subPropertyOf :q . :x :r :y .",
         "<urn:x:x> <urn:x:p> <urn:x:y>", "<urn:x:y> <urn:x:p>"},
        {":q rdfs:subPropertyOf :p . :x :p :y .", "", "<urn:x:x> <urn:x:q>"},
        {":q owl:inverseOf :p . :x :q :y .", "<urn:x:y> <urn:x:p> <urn:x:x>",
         "<urn:x:x> <urn:x:p>"},
        {":q owl:inverseOf :p . :x :p :y .", "<urn:x:y> <urn:x:q> <urn:x:x>",
         "<urn:x:x> <urn:x:q>"},
        {":p owl:propertyChainAxiom ( :q :r ) . :x :q :y . :y :r :z .",
         "<urn:x:x> <urn:x:p> <urn:x:z>", "<urn:x:x> <urn:x:p> <urn:x:y>"},
        {":p owl:propertyChainAxiom ( :q :r ) . :x :q :y . :z :r :z .", "", "<urn:x:x> <urn:x:p>"},
        {":p owl:propertyChainAxiom ( :q ) . :x :q :y .", "<urn:x:x> <urn:x:p> <urn:x:y>", "zzz"},
        {":p owl:propertyChainAxiom ( :q :q :q :q ) . :a :q :b . :b :q :c . :c :q :d . :d :q :e .",
         "<urn:x:a> <urn:x:p> <urn:x:e>", "<urn:x:a> <urn:x:p> <urn:x:d>"},
        {":C rdfs:subClassOf [ owl:onProperty :p ; owl:hasValue :v ] . :x a :C .",
         "<urn:x:x> <urn:x:p> <urn:x:v>", "<urn:x:C> <urn:x:p>"},
        {":C rdfs:subClassOf [ owl:onProperty :p ; owl:hasSelf true ] . :x a :C .",
         "<urn:x:x> <urn:x:p> <urn:x:x>", "<urn:x:C> <urn:x:p>"},
        {":C rdfs:subClassOf [ owl:onProperty :p ; owl:hasSelf false ] . :x a :C .", "",
         "<urn:x:x> <urn:x:p>"},
        /* One rule on what another gives, in either order. */
        {":p owl:propertyChainAxiom ( :q :r ) . :s owl:inverseOf :r . :q2 rdfs:subPropertyOf :q . "
         ":x :q2 :y . :z :s :y .",
         "<urn:x:x> <urn:x:p> <urn:x:z>", "zzz"},
        {":D rdfs:subClassOf :C . :C rdfs:subClassOf [ owl:onProperty :q ; owl:hasValue :v ] . "
         ":p owl:propertyChainAxiom ( :q :q2 ) . :v :q2 \"text\" . :x a :D .",
         "<urn:x:x> <urn:x:p> \"text\"", "zzz"},
        /* A transitive relation, the long way round. */
        {":p owl:propertyChainAxiom ( :p :p ) . :a :p :b . :b :p :c . :c :p :d . :d :p :e . :e :p "
         ":f .",
         "<urn:x:a> <urn:x:p> <urn:x:f>", "<urn:x:f> <urn:x:p>"},
        /* An equivalent name first becomes one name. */
        {":q owl:equivalentProperty :p . :r rdfs:subPropertyOf :q . :x :r :y .",
         "<urn:x:x> <urn:x:p> <urn:x:y>", "<urn:x:q>"},
        /* A literal is no subject, a blank node no property. */
        {":q owl:inverseOf :p . :x :q \"text\" .", "", "\"text\" <urn:x:p>"},
        {":q rdfs:subPropertyOf [] . :x :q :y .", "", "<urn:x:x> _:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_triples triples;
        char text[1024], follows[256], *nt = NULL;
        snprintf(text, sizeof text, "%s%s\n", RULES, cases[i].text);
        assert_int_equal(materialise(&triples, text), MUP_OK);
        assert_int_equal(mup_triples_print(&nt, &triples), MUP_OK);
        const char *a = strstr(cases[i].follows, " a ");
        if (a)
            snprintf(follows, sizeof follows,
                     "%.*s <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> %s",
                     (int)(a - cases[i].follows), cases[i].follows, a + 3);
        else
            snprintf(follows, sizeof follows, "%s", cases[i].follows);
        if (!strstr(nt, follows) || strstr(nt, cases[i].does_not))
            print_message("%s\n%s", cases[i].text, nt);
        assert_non_null(strstr(nt, follows));
        assert_null(strstr(nt, cases[i].does_not));
        free(nt);
        mup_triples_free(&triples);
    }
}

static void rules_that_are_broken_or_endless_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *limit;
    } cases[] = {
        {":p owl:propertyChainAxiom ( :q :q :q :q :q ) . :x :q :y .", "at most 4"},
        {":p owl:propertyChainAxiom :q . :x :q :y .", "must be a list"},
        {":p owl:propertyChainAxiom [ rdf:first :q ] . :x :q :y .", "must be a list"},
        {":p owl:propertyChainAxiom _:l . _:l rdf:first :q ; rdf:rest _:l .", "at most 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_triples triples;
        char text[1024];
        snprintf(text, sizeof text, "%s%s\n", RULES, cases[i].text);
        assert_int_equal(materialise(&triples, text), MUP_ERR_RANGE);
        assert_non_null(strstr(triples.limit, cases[i].limit));
        mup_triples_free(&triples);
    }
}

/* Chains over a dense graph: the number of paths is what explodes, not the triples. */
static void a_graph_with_too_many_paths_is_refused(void **state)
{
    (void)state;
    struct mup_triples triples;
    char *text = malloc(300000), *to = text;
    assert_non_null(text);
    to += sprintf(to, "%s:p owl:propertyChainAxiom ( :q :q :q :q ) .\n", RULES);
    for (int i = 0; i < 60; i++)
        for (int j = 0; j < 60; j++)
            to += sprintf(to, ":n%d :q :n%d .\n", i, j);
    assert_int_equal(materialise(&triples, text), MUP_ERR_RANGE);
    assert_non_null(strstr(triples.limit, "too many steps"));
    mup_triples_free(&triples);
    free(text);
}

static void too_many_rules_are_refused(void **state)
{
    (void)state;
    static const char *const words[] = {"rdfs:subClassOf", "rdfs:subPropertyOf", "owl:inverseOf"};
    for (size_t w = 0; w < 3; w++) {
        struct mup_triples triples;
        char *text = malloc(100000), *to = text;
        assert_non_null(text);
        to += sprintf(to, "%s", RULES);
        for (int i = 0; i < 257; i++)
            to += sprintf(to, ":a%d %s :b%d .\n", i, words[w], i);
        assert_int_equal(materialise(&triples, text), MUP_ERR_RANGE);
        assert_non_null(strstr(triples.limit, "256 rules"));
        mup_triples_free(&triples);
        free(text);
    }
}

static struct mup_capability *parse_with(struct mup_describer *own, struct mup_problems *problems,
                                         const char *path)
{
    struct mup_capability *capability = NULL;
    size_t size = 0;
    char *text = read_whole_file(path, &size);
    assert_non_null(text);
    enum mup_status status =
        mup_description_parse(&capability, problems, own, text, size, MUP_DESCRIPTION_AUTO, NULL);
    show_problems(problems);
    assert_int_equal(status, MUP_OK);
    free(text);
    return capability;
}

static struct mup_describer *new_describer(void)
{
    struct mup_problems problems;
    struct mup_describer *own = NULL;
    assert_int_equal(mup_describer_new(&own, &problems, NULL), MUP_OK);
    return own;
}

static void a_device_described_with_sosa_is_understood_by_adding_triples(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_describer *own = new_describer();
    assert_int_equal(mup_describer_align(own, &problems, FOLDER "sosa.ttl"), MUP_OK);
    assert_int_equal(problems.count, 0);
    struct mup_capability *capability = parse_with(own, &problems, FOLDER "soil.jsonld");
    assert_int_equal(problems.error_count + problems.warning_count, 0);
    assert_string_equal(capability->category, "soil-node");
    assert_string_equal(capability->description, "A probe and a valve in a field");
    assert_int_equal(capability->rpc_count, 1);
    const struct mup_rpc *rpc = &capability->rpcs[0];
    assert_string_equal(rpc->yang_name, "water");
    assert_string_equal(rpc->topic, "soil/valve/%s");
    assert_string_equal(rpc->method, "WATER");
    assert_int_equal(rpc->input_count, 1);
    assert_true(rpc->inputs[0].min == 1 && rpc->inputs[0].max == 600);
    assert_string_equal(rpc->inputs[0].symbol, "s");
    assert_string_equal(rpc->inputs[0].description, "How long");
    assert_int_equal(rpc->state_count, 2);
    assert_string_equal(rpc->states[1].name, "70_NO_WATER");
    assert_string_equal(rpc->states[1].description, "No water came");
    assert_int_equal(capability->telemetry_count, 1);
    assert_string_equal(capability->telemetry[0].topic, "soil/moisture/%s");
    assert_string_equal(capability->telemetry[0].symbol, "%");
    mup_capability_free(capability);
    mup_describer_free(own);
}

static void another_alignment_is_another_module(void **state)
{
    (void)state;
    struct mup_problems problems;
    char hex[3];
    const char *virtual = MUP_SOURCE_DIR "/firmware/description/virtual.jsonld";
    struct mup_capability *plain = parse_with(describer, &problems, virtual);
    snprintf(hex, sizeof hex, "%02x", plain->digest[0]);
    assert_ptr_equal(strstr(plain->module_namespace, "urn:mup:capability:"),
                     plain->module_namespace);
    assert_memory_equal(plain->module_namespace + 19, hex, 2);
    struct mup_describer *own = new_describer();
    assert_int_equal(mup_describer_align(own, &problems, FOLDER "sosa.ttl"), MUP_OK);
    struct mup_capability *aligned = parse_with(own, &problems, virtual);
    assert_memory_equal(plain->digest, aligned->digest, sizeof plain->digest);
    assert_string_not_equal(plain->module_name, aligned->module_name);
    assert_string_not_equal(plain->module_namespace, aligned->module_namespace);
    struct mup_capability *again = parse_with(own, &problems, virtual);
    assert_string_equal(again->module_namespace, aligned->module_namespace);
    mup_capability_free(plain);
    mup_capability_free(aligned);
    mup_capability_free(again);
    mup_describer_free(own);
}

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void remove_files(const char *folder, const char *const *names)
{
    for (; *names; names++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, *names);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void a_folder_is_read_file_by_file_and_blank_nodes_stay_apart(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_describer *own = new_describer();
    char folder[] = "/tmp/mup-align-XXXXXX";
    static const char *const names[] = {"1.ttl", "2.jsonld", ".hidden", NULL};
    assert_non_null(mkdtemp(folder));
    put_file(folder, "1.ttl",
             "_:x a <urn:Kind> .\n<urn:Kind> <http://www.w3.org/2000/01/rdf-schema#subClassOf> "
             "<http://www.onem2m.org/ontology/Base_Ontology/base_ontology#Device> .");
    put_file(folder, "2.jsonld", "{\"@id\":\"_:x\",\"@type\":\"urn:Other\"}");
    put_file(folder, ".hidden", "not RDF");
    assert_int_equal(mup_describer_align(own, &problems, folder), MUP_OK);
    /* The alignment's node is a Device now, and so there are two. */
    struct mup_capability *capability = NULL;
    assert_int_equal(mup_description_parse(&capability, &problems, own, ONE_RPC, strlen(ONE_RPC),
                                           MUP_DESCRIPTION_AUTO, NULL),
                     MUP_ERR_FORMAT);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "", "a second Device"));
    mup_describer_free(own);

    /* A node that every file calls _:x has one category in each of them, and not two. */
    own = new_describer();
    put_file(folder, "1.ttl",
             "_:x <https://www.cs.uni-potsdam.de/bs/research/myno#category> \"other\" .");
    assert_int_equal(mup_describer_align(own, &problems, folder), MUP_OK);
    static const char blank[] =
        PREFIXES "_:x a o:Device ; b:uuid \"%s\" ; b:category \"k\" ; b:description \"short\" .\n";
    assert_int_equal(mup_description_parse(&capability, &problems, own, blank, strlen(blank),
                                           MUP_DESCRIPTION_AUTO, NULL),
                     MUP_OK);
    assert_string_equal(capability->category, "k");
    assert_string_equal(capability->description, "short");
    mup_capability_free(capability);
    mup_describer_free(own);
    remove_files(folder, names);
}

static void an_alignment_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_describer *own = new_describer();
    char folder[] = "/tmp/mup-align-XXXXXX";
    static const char *const names[] = {"bad.ttl", NULL};
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mup_describer_align(own, &problems, "/nowhere/at/all"), MUP_ERR_FORMAT);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "/nowhere/at/all", "cannot be read"));
    put_file(folder, "bad.ttl", "<urn:a> <urn:b> .\n");
    assert_int_equal(mup_describer_align(own, &problems, folder), MUP_ERR_FORMAT);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "bad.ttl", ""));
    /* And it can come from the environment, where the same is told. */
    struct mup_describer *other = NULL;
    setenv("MUP_ALIGNMENTS", folder, 1);
    assert_int_equal(mup_describer_new(&other, &problems, NULL), MUP_ERR_FORMAT);
    assert_null(other);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "bad.ttl", ""));
    put_file(folder, "bad.ttl", "<urn:a> <urn:b> <urn:c> .\n");
    assert_int_equal(mup_describer_new(&other, &problems, NULL), MUP_OK);
    unsetenv("MUP_ALIGNMENTS");
    for (unsigned i = 0; i < MUP_ALIGNMENTS_MAX - 1; i++)
        assert_int_equal(mup_describer_align(other, &problems, folder), MUP_OK);
    assert_int_equal(mup_describer_align(other, &problems, folder), MUP_ERR_RANGE);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "bad.ttl", "more than 16"));
    mup_describer_free(other);
    mup_describer_free(own);
    remove_files(folder, names);
}

static void a_change_of_an_alignment_or_its_folder_is_seen(void **state)
{
    (void)state;
    struct mup_problems problems;
    char folder[] = "/tmp/mup-align-XXXXXX";
    static const char *const names[] = {"1.ttl", NULL};
    uint64_t before = mup_describer_changed_ms(describer);
    assert_true(before > UINT64_C(1600000000000)); /* the program is younger than 2020 */
    assert_non_null(mkdtemp(folder));
    put_file(folder, "1.ttl", "<urn:a> <urn:b> <urn:c> .\n");
    struct mup_describer *own = new_describer();
    assert_true(mup_describer_changed_ms(own) == before);
    assert_int_equal(mup_describer_align(own, &problems, folder), MUP_OK);
    struct stat facts;
    char path[256];
    snprintf(path, sizeof path, "%s/1.ttl", folder);
    assert_int_equal(stat(path, &facts), 0);
    assert_true(mup_describer_changed_ms(own) / 1000 >= (uint64_t)facts.st_ctim.tv_sec);
    assert_true(mup_describer_changed_ms(own) >= before);
    mup_describer_free(own);
    remove_files(folder, names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_adds_what_follows_and_nothing_else),
        cmocka_unit_test(rules_that_are_broken_or_endless_are_refused),
        cmocka_unit_test(a_graph_with_too_many_paths_is_refused),
        cmocka_unit_test(too_many_rules_are_refused),
        cmocka_unit_test(a_device_described_with_sosa_is_understood_by_adding_triples),
        cmocka_unit_test(another_alignment_is_another_module),
        cmocka_unit_test(a_folder_is_read_file_by_file_and_blank_nodes_stay_apart),
        cmocka_unit_test(an_alignment_that_cannot_be_read_is_named),
        cmocka_unit_test(a_change_of_an_alignment_or_its_folder_is_seen),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
