/* The YANG of a capability: exact for a small one, legal whatever a description says. */
#include "bridge_support.h"

#include <libyang/libyang.h>

#include "bridge/description/yang.h"
#include "bridge/description/yang_name.h"

static struct ly_ctx *context;

static int open_all(void **state)
{
    setenv("MUP_YANG", MUP_SOURCE_DIR "/edge/bridge/yang", 1);
    if (ly_ctx_new(mup_yang_folder(), LY_CTX_NO_YANGLIBRARY | LY_CTX_DISABLE_SEARCHDIR_CWD,
                   &context) != LY_SUCCESS)
        return -1;
    return open_describer(state);
}

static int close_all(void **state)
{
    ly_ctx_destroy(context);
    return close_describer(state);
}

/* The module of a description, which libyang must accept. */
static char *module_of(const char *text, const struct lys_module **module)
{
    struct mup_problems problems;
    char *yang = NULL;
    struct lys_module *loaded = NULL;
    struct mup_capability *capability = parse(&problems, text);
    assert_int_equal(mup_yang_module(&yang, capability), MUP_OK);
    if (lys_parse_mem(context, yang, LYS_IN_YANG, &loaded) != LY_SUCCESS) {
        print_message("%s\n%s\n", ly_errmsg(context), yang);
        fail();
    }
    assert_string_equal(loaded->name, capability->module_name);
    assert_string_equal(loaded->prefix, capability->module_name);
    assert_int_equal(loaded->parsed->version, 0); /* no statement: YANG 1.0 */
    if (module)
        *module = loaded;
    mup_capability_free(capability);
    return yang;
}

static void a_small_capability_has_this_module(void **state)
{
    (void)state;
    char *yang =
        module_of(ONE_RPC "b:op o:hasInput b:n .\nb:n o:hasInput [ o:hasDataType xsd:int ; "
                          "o:hasDataRestriction_minInclusive 1 ; "
                          "o:hasDataRestriction_maxInclusive 9 ] .\n",
                  NULL);
    /* Everything below the digest, which is of the text above. */
    static const char rest[] =
        "  myno:category \"kind\";\n"
        "\n"
        "  rpc f {\n"
        "    myno:topic \"go/%s\";\n"
        "    myno:method \"GO\";\n"
        "    input {\n"
        "      leaf uuid {\n"
        "        type string {\n"
        "          length \"1..64\";\n"
        "        }\n"
        "        mandatory true;\n"
        "        description \"The device that is meant.\";\n"
        "      }\n"
        "      leaf n {\n"
        "        type int32 {\n"
        "          range \"1..9\";\n"
        "        }\n"
        "        mandatory true;\n"
        "      }\n"
        "    }\n"
        "    output {\n"
        "      leaf state {\n"
        "        type enumeration {\n"
        "          enum \"10_OK\" {\n"
        "            value 10;\n"
        "          }\n"
        "        }\n"
        "        mandatory true;\n"
        "        description \"How the device ended the function.\";\n"
        "      }\n"
        "      leaf value {\n"
        "        type binary;\n"
        "        description \"What the device answered beside the state.\";\n"
        "      }\n"
        "    }\n"
        "  }\n"
        "}\n";
    assert_non_null(strstr(yang, rest));
    assert_ptr_equal(strstr(yang, "module mup-kind-"), yang);
    free(yang);
}

static void every_type_and_range_is_legal(void **state)
{
    (void)state;
    static const char *const inputs[] = {
        "o:hasDataType xsd:int",
        "o:hasDataType xsd:integer",
        "o:hasDataType xsd:nonNegativeInteger",
        "o:hasDataType xsd:unsignedInt",
        "o:hasDataType xsd:integer ; o:hasDataRestriction_minInclusive \"-9223372036854775808\" ; "
        "o:hasDataRestriction_maxInclusive \"9223372036854775807\"",
        "o:hasDataType xsd:int ; o:hasDataRestriction_minInclusive 7 ; "
        "o:hasDataRestriction_maxInclusive 7",
        "o:hasDataType xsd:decimal",
        "o:hasDataType xsd:decimal ; o:hasDataRestriction_minInclusive -0.25 ; "
        "o:hasDataRestriction_maxInclusive 0.000001",
        "o:hasDataType xsd:decimal ; o:hasDataRestriction_maxInclusive -12.5",
        "o:hasDataType xsd:boolean",
        "o:hasDataType xsd:hexBinary",
        "o:hasDataRestriction_pattern \"<\", \"==\", \"a \\\" b\", \"\\\\\", \"\xc3\xa4\"",
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        char text[4096];
        snprintf(text, sizeof text, "%sb:op o:hasInput b:i .\nb:i o:hasInput [ %s ] .\n", ONE_RPC,
                 inputs[i]);
        free(module_of(text, NULL));
    }
}

static void texts_that_would_break_a_module_do_not(void **state)
{
    (void)state;
    const struct lys_module *module = NULL;
    char *yang = module_of(
        PREFIXES
        "b:d a o:Device ; o:hasThingProperty b:deviceUuid, b:deviceCategory, b:deviceDesc .\n"
        "b:deviceUuid o:hasValue \"%s\" .\n"
        "b:deviceCategory o:hasValue \"My \\\"} rpc evil { \xc3\xa9\" .\n"
        "b:deviceDesc o:hasValue \"a\\\\\\\";\\n} module x {\\t\\u0001\\u0085\" .\n" SERVICE COMMAND
            STATES "b:op b:mqttTopic \"go/%s/{};\\\"\" .\n",
        &module);
    assert_string_equal(module->dsc, "a\\\";\n} module x {\t??");
    assert_non_null(strstr(module->name, "mup-my-rpc-evil-"));
    free(yang);
}

static void names_that_yang_forbids_are_made_legal(void **state)
{
    (void)state;
    static const struct {
        const char *name, *made;
    } cases[] = {
        {"funcLed_1On", "funcLed_1On"},
        {"1st", "_1st"},
        {"xmlThing", "_xmlThing"},
        {"XMLthing", "_XMLthing"},
        {"a b+c", "a-b-c"},
        {"\xc3\xa4pfel", "_-pfel"},
        {".a", "_.a"},
        {"-", "_-"},
        {"", "_"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char made[MUP_YANG_NAME_ROOM];
        mup_yang_name_make(made, cases[i].name);
        assert_string_equal(made, cases[i].made);
    }
}

static void long_names_are_cut_and_stay_unique(void **state)
{
    (void)state;
    struct mup_yang_scope scope = {0};
    struct mup_arena arena = {0};
    char name[100];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    const char *first = mup_yang_name_unique(&scope, &arena, name);
    const char *second = mup_yang_name_unique(&scope, &arena, name);
    assert_int_equal(strlen(first), MUP_YANG_NAME_SIZE_MAX);
    assert_int_equal(strlen(second), MUP_YANG_NAME_SIZE_MAX);
    assert_string_equal(second + MUP_YANG_NAME_SIZE_MAX - 3, "n-2");
    assert_string_equal(mup_yang_name_unique(&scope, &arena, "a"), "a");
    assert_string_equal(mup_yang_name_unique(&scope, &arena, "a"), "a-2");
    assert_string_equal(mup_yang_name_unique(&scope, &arena, "a-2"), "a-2-2");
    for (int i = 0; i < 40; i++)
        assert_non_null(mup_yang_name_unique(&scope, &arena, "a"));
    mup_arena_free(&arena);
}

static void iris_with_any_local_name_give_legal_modules(void **state)
{
    (void)state;
    char *yang =
        module_of(PREFIXES IDENTITY
                  "b:d o:hasService b:s ; o:hasFunctionality <urn:x#1+2>, <urn:x#xml>, "
                  "<urn:x:>, _:blank, <http://h/p/> .\n"
                  "b:s o:exposesFunctionality <urn:x#1+2>, <urn:x#xml>, <urn:x:>, _:blank, "
                  "<http://h/p/> ; o:hasOperation b:op .\n"
                  "<urn:x#1+2> o:hasCommand b:c .\n<urn:x#xml> o:hasCommand b:c .\n"
                  "<urn:x:> o:hasCommand b:c .\n_:blank o:hasCommand b:c .\n"
                  "<http://h/p/> o:hasCommand b:c .\n" STATES
                  "b:op o:exposesCommand b:c ; b:mqttMethod \"GO\" ; b:mqttTopic \"t/%s\" ; "
                  "o:hasInput <urn:x#\xc3\xbc>, <urn:x#state>, <urn:x#uuid> .\n",
                  NULL);
    free(yang);
}

static void two_kinds_of_one_category_have_two_modules(void **state)
{
    (void)state;
    const struct lys_module *a = NULL, *b = NULL;
    free(module_of(ONE_RPC "# one\n", &a));
    free(module_of(ONE_RPC "# two\n", &b));
    assert_string_not_equal(a->name, b->name);
    assert_string_not_equal(a->ns, b->ns);
    assert_string_not_equal(a->prefix, b->prefix);
}

static void one_template_gives_the_same_bytes_again(void **state)
{
    (void)state;
    char *first = module_of(ONE_RPC, NULL);
    char *second = module_of(ONE_RPC, NULL);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void telemetry_stands_in_extension_statements(void **state)
{
    (void)state;
    char *yang = module_of(PREFIXES IDENTITY "b:d o:hasService b:s ; o:hasFunctionality b:t .\n"
                                             "b:s o:exposesFunctionality b:t ; "
                                             "o:hasOutputDataPoint b:p .\n"
                                             "b:p b:mqttTopic \"v/%s\" ; om:hasUnit om:lux .\n"
                                             "om:lux om:symbol \"lx\" .\n",
                           NULL);
    assert_non_null(strstr(yang, "  myno:telemetry t {\n"
                                 "    myno:topic \"v/%s\";\n"
                                 "    myno:unit \"lux\";\n"
                                 "    myno:symbol \"lx\";\n"
                                 "  }\n"));
    free(yang);
}

static void input_and_output_of_a_call_are_validated_by_the_module(void **state)
{
    (void)state;
    const struct lys_module *module = NULL;
    char xml[1024];
    size_t size = 0;
    char *text = read_whole_file(MUP_SOURCE_DIR "/firmware/description/virtual.jsonld", &size);
    assert_non_null(text);
    free(module_of(text, &module));
    static const struct {
        const char *seconds;
        LY_ERR expected;
    } cases[] = {{"1", LY_SUCCESS},   {"3600", LY_SUCCESS}, {"0", LY_EVALID},
                 {"3601", LY_EVALID}, {"x", LY_EVALID},     {"", LY_EVALID}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ly_in *in = NULL;
        struct lyd_node *tree = NULL, *operation = NULL;
        snprintf(xml, sizeof xml,
                 "<setInterval xmlns=\"%s\"><uuid>d</uuid><seconds>%s</seconds></setInterval>",
                 module->ns, cases[i].seconds);
        assert_int_equal(ly_in_new_memory(xml, &in), LY_SUCCESS);
        assert_int_equal(
            lyd_parse_op(context, NULL, in, LYD_XML, LYD_TYPE_RPC_YANG, &tree, &operation),
            cases[i].expected);
        lyd_free_all(tree);
        ly_in_free(in, 0);
    }
    free(text);
}

/* How often `word` stands in `text`. */
static unsigned count_of(const char *text, const char *word)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        count++;
    return count;
}

static void many_states_of_several_functions_are_written_once(void **state)
{
    (void)state;
    size_t size = 0;
    char *text = read_whole_file(MUP_SOURCE_DIR "/firmware/description/microbit.jsonld", &size);
    assert_non_null(text);
    char *yang = module_of(text, NULL);
    assert_int_equal(count_of(yang, "  typedef "), 1);
    assert_non_null(strstr(yang, "  typedef getDeviceToken-state {\n"
                                 "    type enumeration {\n"
                                 "      enum \"10_OK\" {\n"
                                 "        value 10;\n"
                                 "      }\n"));
    assert_int_equal(count_of(yang, "enum \"22_INVALID_NONCE\""), 1);
    assert_int_equal(count_of(yang, "      leaf state {\n        type getDeviceToken-state;\n"), 3);
    /* Few states stand where they belong. */
    assert_true(count_of(yang, "      leaf state {\n        type enumeration {\n") > 0);
    free(yang);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_states_of_several_functions_are_written_once),
        cmocka_unit_test(a_small_capability_has_this_module),
        cmocka_unit_test(every_type_and_range_is_legal),
        cmocka_unit_test(texts_that_would_break_a_module_do_not),
        cmocka_unit_test(names_that_yang_forbids_are_made_legal),
        cmocka_unit_test(long_names_are_cut_and_stay_unique),
        cmocka_unit_test(iris_with_any_local_name_give_legal_modules),
        cmocka_unit_test(two_kinds_of_one_category_have_two_modules),
        cmocka_unit_test(one_template_gives_the_same_bytes_again),
        cmocka_unit_test(telemetry_stands_in_extension_statements),
        cmocka_unit_test(input_and_output_of_a_call_are_validated_by_the_module),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
