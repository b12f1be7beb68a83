/* Inputs of an RPC from description to YANG: structures, optional ones, patterns, sizes, bounds,
 * units; and the states that it returns. */
#include "bridge_support.h"

#include <libyang/libyang.h>

#include "bridge/description/pattern.h"
#include "bridge/description/units.h"
#include "bridge/description/yang.h"
#include "bridge/description/yang_name.h"

static struct ly_ctx *context;

static int open_all(void **state)
{
    if (ly_ctx_new(MUP_SOURCE_DIR "/edge/bridge/yang",
                   LY_CTX_NO_YANGLIBRARY | LY_CTX_DISABLE_SEARCHDIR_CWD, &context) != LY_SUCCESS)
        return -1;
    return open_describer(state);
}

static int close_all(void **state)
{
    ly_ctx_destroy(context);
    return close_describer(state);
}

/* ONE_RPC with more about it; the caller frees. */
static struct mup_capability *parse_more(struct mup_problems *problems, const char *more)
{
    char text[16384];
    int size = snprintf(text, sizeof text, "%s%s", ONE_RPC, more);
    assert_true(size > 0 && (size_t)size < sizeof text);
    return parse(problems, text);
}

static void refused_more(const char *more, const char *where, const char *reason)
{
    char text[8192];
    snprintf(text, sizeof text, "%s%s", ONE_RPC, more);
    parse_refused(text, where, reason);
}

/* The module of a capability, which libyang must take. The caller frees the text. */
static char *load(const struct mup_capability *capability, const struct lys_module **module)
{
    char *yang = NULL;
    struct lys_module *loaded = NULL;
    assert_int_equal(mup_yang_module(&yang, capability), MUP_OK);
    if (lys_parse_mem(context, yang, LYS_IN_YANG, &loaded) != LY_SUCCESS) {
        print_message("%s\n%s\n", ly_errmsg(context), yang);
        fail();
    }
    if (module)
        *module = loaded;
    return yang;
}

/* Is <f><uuid>d</uuid>INPUT</f> valid for the module? */
static bool takes(const struct lys_module *module, const char *input)
{
    char xml[4096];
    struct ly_in *in = NULL;
    struct lyd_node *tree = NULL, *operation = NULL;
    snprintf(xml, sizeof xml, "<f xmlns=\"%s\"><uuid>d</uuid>%s</f>", module->ns, input);
    assert_int_equal(ly_in_new_memory(xml, &in), LY_SUCCESS);
    LY_ERR bad = lyd_parse_op(context, NULL, in, LYD_XML, LYD_TYPE_RPC_YANG, &tree, &operation);
    if (bad == LY_SUCCESS)
        bad = lyd_validate_op(tree, NULL, LYD_TYPE_RPC_YANG, NULL);
    lyd_free_all(tree);
    ly_in_free(in, 0);
    return bad == LY_SUCCESS;
}

#define RGB                                                                                 \
    "b:op o:hasInput b:rgb .\nb:rgb o:hasSubStructure b:red, b:green .\n"                   \
    "b:red o:hasDataRestriction_minInclusive 0 ; o:hasDataRestriction_maxInclusive 255 .\n" \
    "b:green o:hasDataRestriction_minInclusive 0 ; o:hasDataRestriction_maxInclusive 255 .\n"

static void a_structured_input_is_a_container_of_its_parts(void **state)
{
    (void)state;
    struct mup_problems problems;
    const struct lys_module *module;
    struct mup_capability *capability = parse_more(&problems, RGB);
    const struct mup_rpc *rpc = &capability->rpcs[0];
    assert_int_equal(rpc->input_count, 1);
    assert_int_equal(rpc->inputs[0].type, MUP_INPUT_STRUCT);
    assert_string_equal(rpc->inputs[0].yang_name, "rgb");
    assert_int_equal(rpc->inputs[0].part_count, 2);
    assert_string_equal(rpc->inputs[0].parts[0].yang_name, "green");
    assert_string_equal(rpc->inputs[0].parts[1].yang_name, "red");
    assert_true(rpc->inputs[0].parts[1].type == MUP_INPUT_INT &&
                rpc->inputs[0].parts[1].max == 255);
    char *yang = load(capability, &module);
    assert_non_null(strstr(yang, "      container rgb {\n"
                                 "        leaf green {\n"
                                 "          type int32 {\n"
                                 "            range \"0..255\";\n"
                                 "          }\n"
                                 "          mandatory true;\n"
                                 "        }\n"));
    assert_true(takes(module, "<rgb><red>1</red><green>2</green></rgb>"));
    assert_false(takes(module, "<rgb><red>1</red></rgb>"));
    assert_false(takes(module, "<rgb><red>1</red><green>256</green></rgb>"));
    assert_false(takes(module, ""));
    free(yang);
    mup_capability_free(capability);
}

static void an_optional_input_may_be_left_out(void **state)
{
    (void)state;
    struct mup_problems problems;
    const struct lys_module *module;
    struct mup_capability *capability = parse_more(
        &problems, RGB "b:rgb b:isOptional true .\nb:op o:hasInput b:n .\n"
                       "b:n b:isOptional \"1\" ; o:hasInput [ o:hasDataType xsd:int ] .\n");
    assert_false(capability->rpcs[0].inputs[0].required);
    assert_false(capability->rpcs[0].inputs[1].required);
    assert_int_equal(problems.warning_count, 0);
    char *yang = load(capability, &module);
    assert_true(takes(module, ""));
    assert_true(takes(module, "<n>5</n><rgb><red>1</red><green>2</green></rgb>"));
    /* Part of a structure is no structure, even where the whole may be missing. */
    assert_false(takes(module, "<rgb><red>1</red></rgb>"));
    free(yang);
    mup_capability_free(capability);
    capability = parse_more(&problems, "b:op o:hasInput b:n .\nb:n b:isOptional false .\n");
    assert_true(capability->rpcs[0].inputs[0].required);
    mup_capability_free(capability);
    refused_more("b:op o:hasInput b:n .\nb:n b:isOptional \"perhaps\" .\n", "#n", "true or false");
    refused_more("b:op o:hasInput b:n .\nb:n b:isOptional true, false .\n", "#n", "optional");
}

static void structures_have_a_bounded_depth_and_size(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability =
        parse_more(&problems, "b:op o:hasInput b:i1 .\nb:i1 o:hasSubStructure b:i2 .\n"
                              "b:i2 o:hasSubStructure b:i3 .\nb:i3 o:hasSubStructure b:i4 .\n");
    assert_string_equal(capability->rpcs[0].inputs[0].parts[0].parts[0].parts[0].name, "i4");
    free(load(capability, NULL));
    mup_capability_free(capability);
    refused_more("b:op o:hasInput b:i1 .\nb:i1 o:hasSubStructure b:i2 .\n"
                 "b:i2 o:hasSubStructure b:i3 .\nb:i3 o:hasSubStructure b:i4 .\n"
                 "b:i4 o:hasSubStructure b:i5 .\n",
                 "#i4", "levels deep");
    refused_more("b:op o:hasInput b:i .\nb:i o:hasSubStructure b:i .\n", "#i", "levels deep");
}

static void a_request_takes_sixteen_inputs_parts_counted_and_no_more(void **state)
{
    (void)state;
    for (unsigned parts = 16; parts <= 17; parts++) {
        struct mup_problems problems;
        struct mup_capability *capability = NULL;
        char text[8192];
        int at = snprintf(text, sizeof text, "%sb:op o:hasInput b:first, b:s .\n", ONE_RPC);
        for (unsigned i = 1; i < parts; i++)
            at += snprintf(text + at, sizeof text - (size_t)at,
                           "b:s o:hasSubStructure b:part%u .\n", i);
        enum mup_status status = parse_bytes(&capability, &problems, text, strlen(text), NULL);
        assert_int_equal(status, parts == 16 ? MUP_OK : MUP_ERR_RANGE);
        if (status != MUP_OK)
            assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "#", "more than 16 inputs"));
        mup_capability_free(capability);
    }
}

static void names_are_unique_among_neighbours_only(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = parse_more(
        &problems, "b:op o:hasInput b:a, b:b .\nb:a o:hasSubStructure b:uuid, o:x, b:x .\n"
                   "b:b o:hasSubStructure b:x .\n");
    const struct mup_input *inputs = capability->rpcs[0].inputs;
    assert_string_equal(inputs[0].parts[0].yang_name, "uuid");
    assert_string_equal(inputs[0].parts[1].yang_name, "x");
    assert_string_equal(inputs[0].parts[2].yang_name, "x-2");
    assert_string_equal(inputs[1].parts[0].yang_name, "x");
    free(load(capability, NULL));
    mup_capability_free(capability);
}

static void a_pattern_of_a_text_reaches_the_module(void **state)
{
    (void)state;
    struct mup_problems problems;
    const struct lys_module *module;
    struct mup_capability *capability =
        parse_more(&problems, "b:op o:hasInput b:t .\nb:t o:hasInput [ o:hasDataType xsd:string ; "
                              "o:hasDataRestriction_pattern \"[A-F]{2}\\\\d+\", \"off\" ; "
                              "o:hasDataRestriction_maxLength 8 ] .\n");
    assert_int_equal(problems.warning_count, 0);
    assert_string_equal(capability->rpcs[0].inputs[0].pattern, "([A-F]{2}\\d+)|(off)");
    char *yang = load(capability, &module);
    assert_non_null(strstr(yang, "          pattern \"([A-F]{2}\\\\d+)|(off)\";\n"));
    assert_true(takes(module, "<t>AB1</t>"));
    assert_true(takes(module, "<t>off</t>"));
    assert_false(takes(module, "<t>offAB1</t>"));
    assert_false(takes(module, "<t>AB1234567</t>"));
    assert_false(takes(module, "<t>GB1</t>"));
    free(yang);
    mup_capability_free(capability);
}

static void patterns_that_are_none_or_a_trap_are_left_out_with_a_warning(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "(",      ")",     "a)",      "[",           "[]",
        "[^]",    "[a",    "[z-a]",   "[a-\\\\d]",   "*a",
        "a**",    "a{",    "a{2",     "a{2,1}",      "a{,2}",
        "a{256}", "\\\\",  "\\\\q",   "\\\\p{Xx}",   "\\\\p{L",
        "\\\\i",  "(?=a)", "[a-[b]]", "[a-b-c]",     "a]",
        "}",      "(?i)a", "\\\\1",   "(a{99}){99}", "((((((((((((((((((a))))))))))))))))))",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct mup_problems problems;
        char more[512];
        snprintf(more, sizeof more,
                 "b:op o:hasInput b:t .\nb:t o:hasInput [ o:hasDataType xsd:string ; "
                 "o:hasDataRestriction_pattern \"%s\" ] .\n",
                 bad[i]);
        struct mup_capability *capability = parse_more(&problems, more);
        if (problems.warning_count != 1)
            print_message("taken: %s\n", bad[i]);
        assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, "#t", "is left out: "));
        assert_string_equal(capability->rpcs[0].inputs[0].pattern, "");
        mup_capability_free(capability);
    }
}

static void every_pattern_that_is_taken_compiles(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        "a",
        "a|b",
        "|",
        "a|",
        "(a|b)*c",
        "[a-z]",
        "[^a-z]",
        "[-a]",
        "[a-]",
        "a{2}",
        "a{2,}",
        "a{0,255}",
        "a{0}",
        "\\.",
        "\\p{L}",
        "\\P{Nd}+",
        "[\\d]",
        "[\\-\\]]",
        "^a$",
        "[$^]",
        "a.b",
        "\\s?",
        "(((a)))",
        "\xc3\xa4+",
        "[\xc3\xa4-\xc3\xbc]",
        "a\\|b",
        "()",
        "([0-9]+\\.)*[0-9]+",
        "[\\n\\r\\t]",
        "(\\p{Lu}{100}){9}",
        "#",
        "\"",
        "'",
        "a-b",
        "/",
        "[\\^a]",
        "&lt;",
        "~",
        "[\\\\]",
        "\\w+@\\w+",
        "[.]",
        "\\?\\*\\+\\(\\)\\{\\}\\[\\]\\^",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char yang[1024];
        if (mup_pattern_fault(good[i]))
            print_message("refused: %s: %s\n", good[i], mup_pattern_fault(good[i]));
        assert_null(mup_pattern_fault(good[i]));
        int at = snprintf(yang, sizeof yang,
                          "module p%zu { namespace \"urn:p%zu\"; prefix p; leaf l { type string { "
                          "pattern \"",
                          i, i);
        for (const char *c = good[i]; *c; c++)
            at += snprintf(yang + at, sizeof yang - (size_t)at, "%s%c",
                           *c == '"' || *c == '\\' ? "\\" : "", *c);
        snprintf(yang + at, sizeof yang - (size_t)at, "\"; } } }");
        if (lys_parse_mem(context, yang, LYS_IN_YANG, NULL) != LY_SUCCESS) {
            print_message("libyang refuses: %s: %s\n", good[i], ly_errmsg(context));
            fail();
        }
    }
}

static void sizes_of_texts_and_binaries_reach_the_module(void **state)
{
    (void)state;
    static const struct {
        const char *facets, *length;
    } cases[] = {
        {"o:hasDataType xsd:string ; o:hasDataRestriction_length 4", "length \"4\";"},
        {"o:hasDataType xsd:hexBinary ; o:hasDataRestriction_minLength 1 ; "
         "o:hasDataRestriction_maxLength 32",
         "length \"1..32\";"},
        {"o:hasDataType xsd:string ; o:hasDataRestriction_minLength 2", "length \"2..max\";"},
        {"o:hasDataType xsd:string ; o:hasDataRestriction_maxLength 0", "length \"0..0\";"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_problems problems;
        char more[512];
        snprintf(more, sizeof more, "b:op o:hasInput b:t .\nb:t o:hasInput [ %s ] .\n",
                 cases[i].facets);
        struct mup_capability *capability = parse_more(&problems, more);
        assert_int_equal(problems.warning_count, 0);
        char *yang = load(capability, NULL);
        assert_non_null(strstr(yang, cases[i].length));
        free(yang);
        mup_capability_free(capability);
    }
#define SIZED(FACETS) \
    "b:op o:hasInput b:t .\nb:t o:hasInput [ o:hasDataType xsd:string ; " FACETS " ] .\n"
    refused_more(SIZED("o:hasDataRestriction_minLength 5 ; o:hasDataRestriction_maxLength 4"), "#t",
                 "smallest size 5");
    refused_more(SIZED("o:hasDataRestriction_length -1"), "#t", "is not a size");
    refused_more(SIZED("o:hasDataRestriction_length 4294967296"), "#t", "is not a size");
    refused_more(SIZED("o:hasDataRestriction_length 4 ; o:hasDataRestriction_maxLength 5"), "#t",
                 "has a size, and");
}

static void exclusive_bounds_are_the_next_value_inside(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = parse_more(
        &problems, "b:op o:hasInput b:a, b:b .\n"
                   "b:a o:hasInput [ o:hasDataType xsd:int ; o:hasDataRestriction_minExclusive 0 ; "
                   "o:hasDataRestriction_maxExclusive 10 ] .\n"
                   "b:b o:hasDataRestriction_minExclusive \"-1.5\" .\n");
    const struct mup_input *inputs = capability->rpcs[0].inputs;
    assert_true(inputs[0].min == 1 && inputs[0].max == 9);
    assert_int_equal(inputs[1].type, MUP_INPUT_DECIMAL);
    assert_true(inputs[1].has_min && inputs[1].min == -1499999);
    free(load(capability, NULL));
    mup_capability_free(capability);
#define BOUNDED(TYPE, FACETS) \
    "b:op o:hasInput b:a .\nb:a o:hasInput [ o:hasDataType xsd:" TYPE " ; " FACETS " ] .\n"
    refused_more(BOUNDED("int", "o:hasDataRestriction_minExclusive 4 ; "
                                "o:hasDataRestriction_maxExclusive 5"),
                 "#a", "smallest value 4 is larger");
    refused_more(BOUNDED("long", "o:hasDataRestriction_minExclusive 9223372036854775807"), "#a",
                 "is not a bound");
    refused_more(BOUNDED("long", "o:hasDataRestriction_maxExclusive \"-9223372036854775808\""),
                 "#a", "is not a bound");
    refused_more(BOUNDED("int", "o:hasDataRestriction_minExclusive 0 ; "
                                "o:hasDataRestriction_minInclusive 0"),
                 "#a", "at the same end");
}

static void two_answers_where_one_is_meant_are_refused(void **state)
{
    (void)state;
    refused_more("b:op o:hasInput b:a .\nb:a o:hasInput [ o:hasDataType xsd:int, xsd:string ] .\n",
                 "#a", "has 2 data types");
    refused_more("b:op o:hasInput b:a .\nb:a o:hasDataRestriction_minInclusive 1, 2 .\n", "#a",
                 "has 2 smallest values");
    refused_more("b:op b:mqttTopic \"other/%s\" .\n", "#op", "has 2 topics");
    refused_more("b:op b:mqttMethod \"OTHER\" .\n", "#op", "has 2 methods");
    refused_more("b:deviceCategory o:hasValue \"other\" .\n", "#d", "has 2 categories");
    refused_more("b:st o:hasDataRestriction_pattern \"0123456789012345678901234567890123456789"
                 "0123456789012345678901234\" .\n",
                 "#op", "longer than 64 bytes");
}

static void units_have_a_symbol_where_one_is_known(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = parse_more(
        &problems, "b:op o:hasInput b:a, b:b, b:c, b:d .\nb:a om:hasUnit om:second-Time .\n"
                   "b:b o:hasInput [ o:hasDataType xsd:int ; om:hasUnit om:degreeCelsius ] .\n"
                   "b:c om:hasUnit om:volt .\nom:volt om:symbol \"Volt\" .\n"
                   "b:d om:hasUnit <http://example.org/units/furlong> .\n");
    const struct mup_input *inputs = capability->rpcs[0].inputs;
    assert_string_equal(inputs[0].unit, "second-Time");
    assert_string_equal(inputs[0].symbol, "s");
    assert_string_equal(inputs[1].symbol, "\xc2\xb0"
                                          "C");
    assert_string_equal(inputs[2].symbol, "Volt");
    assert_string_equal(inputs[3].unit, "furlong");
    assert_string_equal(inputs[3].symbol, "");
    char *yang = load(capability, NULL);
    assert_non_null(strstr(yang, "        units \"s\";\n"));
    assert_non_null(strstr(yang, "        myno:unit \"second-Time\";\n"
                                 "        myno:symbol \"s\";\n"));
    assert_non_null(strstr(yang, "        units \"furlong\";\n"));
    free(yang);
    mup_capability_free(capability);
    assert_string_equal(mup_unit_symbol("http://www.ontology-of-units-of-measure.org/resource/"
                                        "om-2/ampere"),
                        "A");
    assert_string_equal(mup_unit_symbol("http://www.ontology-of-units-of-measure.org/resource/"
                                        "om-2/wattPerSquareMetre"),
                        "W/m\xc2\xb2");
    assert_string_equal(mup_unit_symbol("http://example.org/ampere"), "");
}

static void a_state_of_its_own_node_has_its_own_description(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = parse_more(
        &problems, "b:op o:hasOperationState b:warm, b:hot .\n"
                   "b:warm o:hasDataRestriction_pattern \"WARM\" ; o:hasThingProperty b:wd .\n"
                   "b:wd a b:YangDescription ; o:hasValue \"it is warm\" .\n"
                   "b:hot o:hasDataRestriction_pattern \"41_HOT\" ; o:hasThingProperty b:hd .\n"
                   "b:hd a b:YangDescription ; o:hasValue \"it is hot\" .\n");
    const struct mup_rpc *rpc = &capability->rpcs[0];
    assert_int_equal(problems.warning_count, 0);
    assert_int_equal(rpc->state_count, 3);
    assert_string_equal(rpc->states[0].name, "10_OK");
    assert_string_equal(rpc->states[1].name, "41_HOT");
    assert_string_equal(rpc->states[1].description, "it is hot");
    assert_string_equal(rpc->states[2].description, "it is warm");
    char *yang = load(capability, NULL);
    assert_non_null(strstr(yang, "          enum \"WARM\" {\n"
                                 "            description \"it is warm\";\n"
                                 "          }\n"));
    free(yang);
    mup_capability_free(capability);
    refused_more(
        "b:op o:hasOperationState b:m, b:n .\nb:m o:hasDataRestriction_pattern \"WARM\" .\n"
        "b:n o:hasDataRestriction_pattern \"WARM\" .\n",
        "#op", "declares the state `WARM` twice");
    refused_more("b:op o:hasOperationState b:more .\nb:more o:hasDataRestriction_pattern \"OK\", "
                 "\"10_OK\" .\n",
                 "#op", "10_OK");
}

static void events_stand_apart_from_telemetry(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *json = NULL;
    struct mup_capability *capability = parse_more(
        &problems, "b:d o:hasFunctionality b:alarm, b:level .\nb:alarm a b:EventFunctionality .\n"
                   "b:s o:hasSubService b:s1, b:s2 .\n"
                   "b:s1 o:exposesFunctionality b:alarm ; o:hasOutputDataPoint b:p1 .\n"
                   "b:s2 o:exposesFunctionality b:level ; o:hasOutputDataPoint b:p2 .\n"
                   "b:p1 b:mqttTopic \"alarm/%s\" .\nb:p2 b:mqttTopic \"level/%s\" .\n");
    assert_int_equal(capability->event_count, 1);
    assert_int_equal(capability->telemetry_count, 1);
    assert_string_equal(capability->events[0].name, "alarm");
    assert_string_equal(capability->events[0].topic, "alarm/%s");
    assert_string_equal(capability->telemetry[0].name, "level");
    char *yang = load(capability, NULL);
    assert_non_null(strstr(yang, "  myno:event alarm {\n    myno:topic \"alarm/%s\";\n  }\n"));
    assert_non_null(strstr(yang, "  myno:telemetry level {\n"));
    assert_int_equal(mup_capability_json(&json, capability, NULL), MUP_OK);
    assert_non_null(strstr(json, "\"events\": [\n    {\n      \"name\": \"alarm\""));
    free(json);
    free(yang);
    mup_capability_free(capability);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_structured_input_is_a_container_of_its_parts),
        cmocka_unit_test(an_optional_input_may_be_left_out),
        cmocka_unit_test(structures_have_a_bounded_depth_and_size),
        cmocka_unit_test(a_request_takes_sixteen_inputs_parts_counted_and_no_more),
        cmocka_unit_test(names_are_unique_among_neighbours_only),
        cmocka_unit_test(a_pattern_of_a_text_reaches_the_module),
        cmocka_unit_test(patterns_that_are_none_or_a_trap_are_left_out_with_a_warning),
        cmocka_unit_test(every_pattern_that_is_taken_compiles),
        cmocka_unit_test(sizes_of_texts_and_binaries_reach_the_module),
        cmocka_unit_test(exclusive_bounds_are_the_next_value_inside),
        cmocka_unit_test(two_answers_where_one_is_meant_are_refused),
        cmocka_unit_test(units_have_a_symbol_where_one_is_known),
        cmocka_unit_test(a_state_of_its_own_node_has_its_own_description),
        cmocka_unit_test(events_stand_apart_from_telemetry),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
