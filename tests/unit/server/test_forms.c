/* Forms made of YANG, and inputs held against it (edge/server/forms). */
#include <stdlib.h>
#include <string.h>

#include "server/forms/form.h"
#include "server/forms/input.h"
#include "support/cmocka_all.h"

static const char myno[] = "module myno { namespace \"urn:mup:myno\"; prefix myno;"
                           " extension telemetry { argument name; }"
                           " extension event { argument name; }"
                           " extension topic { argument template; }"
                           " extension unit { argument name; }"
                           " extension symbol { argument text; } }";

/* What the bridge's printer can write, and a text that is an attack. */
static const char lamp[] =
    "module lamp { namespace \"urn:lamp\"; prefix lamp; import myno { prefix m; }\n"
    "  description \"A <b>lamp</b>\";\n"
    "  typedef answer { type enumeration {\n"
    "    enum 10_OK { value 10; description \"done\"; } enum 22_INVALID_NONCE { value 22; }"
    " enum plain; } }\n"
    "  rpc shine { description \"Give light\"; m:topic \"lamp/%s\";\n"
    "    input {\n"
    "      leaf uuid { type string { length \"1..64\"; } mandatory true; }\n"
    "      container colour { description \"of the light\";\n"
    "        leaf red { type int32 { range \"0..255\"; } mandatory true; units \"steps\"; }\n"
    "        leaf green { type int32 { range \"0..255\"; } mandatory true; }\n"
    "        leaf blue { type int32 { range \"0..255\"; } mandatory true; } }\n"
    "      container fade { presence \"given\"; leaf seconds { type decimal64 { fraction-digits "
    "6;\n"
    "        range \"-1.5..100|200\"; } mandatory true; } }\n"
    "      leaf mode { type enumeration { enum calm { description \"slowly\"; } enum quick; } }\n"
    "      leaf on { type boolean; }\n"
    "      leaf word { type string { length \"2..4\"; pattern \"[a-z]+\"; } }\n"
    "      leaf bytes { type binary { length \"2\"; } }\n"
    "      leaf count { type int64; default \"7\"; }\n"
    "    }\n"
    "    output { leaf state { type answer; mandatory true; } leaf value { type binary; } } }\n"
    "  rpc getDeviceToken { input { leaf uuid { type string; mandatory true; } }\n"
    "    output { leaf state { type string; mandatory true; } } }\n"
    "  m:telemetry brightness { m:topic \"light/%s\"; m:unit \"lux\"; m:symbol \"lx\";"
    " description \"Light\"; }\n"
    "  m:event broken { m:topic \"broken/%s\"; }\n"
    "}\n";

static const char *const reserved[] = {"getDeviceToken", NULL};

struct fixture {
    struct mup_schema *schema;
    json_t *form;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char error[MUP_SCHEMA_ERROR_SIZE] = "";

    f->schema = mup_schema_open("lamp", lamp, myno, error);
    assert_string_equal(error, "");
    assert_non_null(f->schema);
    f->form = mup_form_json(f->schema, reserved);
    assert_non_null(f->form);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    json_decref(f->form);
    mup_schema_close(f->schema);
    free(f);
    return 0;
}

static const json_t *named(const json_t *list, const char *name)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "name")), name) == 0) {
            return entry;
        }
    }
    fail_msg("there is no %s", name);
    return NULL;
}

static const json_t *input_named(const struct fixture *f, const char *name)
{
    const json_t *rpc = named(json_object_get(f->form, "rpcs"), "shine");

    return named(json_object_get(rpc, "inputs"), name);
}

static void assert_json(const json_t *got, const char *key, const char *wanted)
{
    char *text = json_dumps(json_object_get(got, key), JSON_COMPACT | JSON_ENCODE_ANY);

    assert_non_null(text);
    assert_string_equal(text, wanted);
    free(text);
}

/* ---- forms ---- */

static void an_rpc_is_told_with_its_inputs_and_states(void **state)
{
    const struct fixture *f = *state;
    const json_t *rpc = named(json_object_get(f->form, "rpcs"), "shine");

    assert_json(f->form, "description", "\"A <b>lamp</b>\"");
    assert_json(rpc, "description", "\"Give light\"");
    assert_json(rpc, "reserved", "false");
    assert_json(named(json_object_get(f->form, "rpcs"), "getDeviceToken"), "reserved", "true");
    assert_int_equal(json_array_size(json_object_get(rpc, "inputs")), 7); /* without uuid */
    assert_json(rpc, "states",
                "[{\"name\":\"10_OK\",\"description\":\"done\",\"code\":10},"
                "{\"name\":\"22_INVALID_NONCE\",\"description\":\"invalid nonce\",\"code\":22},"
                "{\"name\":\"plain\",\"description\":\"plain\",\"code\":23}]");
    assert_int_equal(json_array_size(json_object_get(rpc, "outputs")), 1);
}

static void each_type_is_told_with_what_limits_it(void **state)
{
    const struct fixture *f = *state;
    const json_t *colour = input_named(f, "colour");
    const json_t *red = named(json_object_get(colour, "parts"), "red");
    const json_t *fade = input_named(f, "fade");
    const json_t *seconds = named(json_object_get(fade, "parts"), "seconds");

    assert_json(colour, "type", "\"structure\"");
    assert_json(colour, "mandatory", "true");
    assert_json(fade, "mandatory", "false");
    assert_json(red, "type", "\"integer\"");
    assert_json(red, "yang_type", "\"int32\"");
    assert_json(red, "units", "\"steps\"");
    assert_json(red, "range", "[{\"min\":\"0\",\"max\":\"255\"}]");
    assert_json(seconds, "type", "\"decimal\"");
    assert_json(seconds, "fraction_digits", "6");
    assert_json(seconds, "range",
                "[{\"min\":\"-1.5\",\"max\":\"100\"},{\"min\":\"200\",\"max\":\"200\"}]");
    assert_json(input_named(f, "mode"), "enum",
                "[{\"name\":\"calm\",\"description\":\"slowly\"},"
                "{\"name\":\"quick\",\"description\":\"\"}]");
    assert_json(input_named(f, "on"), "type", "\"boolean\"");
    assert_json(input_named(f, "word"), "length", "[{\"min\":2,\"max\":4}]");
    assert_json(input_named(f, "word"), "pattern", "[\"[a-z]+\"]");
    assert_json(input_named(f, "bytes"), "type", "\"binary\"");
    assert_json(input_named(f, "bytes"), "length", "[{\"min\":2,\"max\":2}]");
    assert_json(input_named(f, "count"), "default", "\"7\"");
    assert_json(input_named(f, "count"), "range", "[]");
}

static void telemetry_and_events_come_from_the_statements_of_myno(void **state)
{
    const struct fixture *f = *state;
    const json_t *brightness = named(json_object_get(f->form, "telemetry"), "brightness");

    assert_json(brightness, "units", "\"lux\"");
    assert_json(brightness, "symbol", "\"lx\"");
    assert_json(brightness, "topic", "\"light/%s\"");
    assert_json(brightness, "description", "\"Light\"");
    assert_json(named(json_object_get(f->form, "events"), "broken"), "topic", "\"broken/%s\"");
}

static void what_is_no_module_is_refused_with_the_reason(void **state)
{
    static const char *const texts[] = {
        "",
        "rubbish",
        "module lamp {",
        "module other { namespace \"urn:o\"; prefix o; }",
        "module lamp { namespace \"urn:lamp\"; prefix l; import elsewhere { prefix e; } }",
        "module lamp { namespace \"urn:lamp\"; prefix l; include elsewhere; }",
    };
    char error[MUP_SCHEMA_ERROR_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        error[0] = '\0';
        assert_null(mup_schema_open("lamp", texts[i], myno, error));
        assert_true(strlen(error) > 0);
    }
    assert_null(mup_schema_open("lamp", lamp, NULL, error)); /* without what it imports */
}

static void every_truncation_of_a_module_is_refused(void **state)
{
    char error[MUP_SCHEMA_ERROR_SIZE];

    (void)state;
    for (size_t size = 0; size < sizeof lamp - 3; size += 5) {
        char *cut = strndup(lamp, size);
        assert_null(mup_schema_open("lamp", cut, myno, error));
        free(cut);
    }
}

/* ---- inputs ---- */

static enum mup_status try_input(const struct fixture *f, const char *text, char **xml,
                                 struct mup_input_error *error)
{
    json_t *input = json_loads(text, 0, NULL);

    assert_non_null(input);
    *xml = NULL;
    enum mup_status status =
        mup_input_xml(xml, mup_schema_rpc(f->schema, "shine"), "lamp-1", input, error);
    json_decref(input);
    return status;
}

static void a_good_input_becomes_the_rpc(void **state)
{
    static const struct {
        const char *json;
        const char *xml;
    } cases[] = {
        {"{\"colour\":{\"red\":1,\"green\":2,\"blue\":3}}",
         "<shine xmlns=\"urn:lamp\"><uuid>lamp-1</uuid><colour><red>1</red><green>2</green>"
         "<blue>3</blue></colour></shine>"},
        {"{\"colour\":{\"red\":\"1\",\"green\":2,\"blue\":3},\"fade\":{\"seconds\":2.5},"
         "\"mode\":\"calm\",\"on\":true,\"word\":\"abc\",\"bytes\":\"AAE=\",\"count\":null}",
         "<shine xmlns=\"urn:lamp\"><uuid>lamp-1</uuid><colour><red>1</red><green>2</green>"
         "<blue>3</blue></colour><fade><seconds>2.5</seconds></fade><mode>calm</mode><on>true</on>"
         "<word>abc</word><bytes>AAE=</bytes></shine>"},
        {"{\"colour\":{\"red\":0,\"green\":255,\"blue\":0},\"fade\":{\"seconds\":\"-1.5\"}}",
         "<shine xmlns=\"urn:lamp\"><uuid>lamp-1</uuid><colour><red>0</red><green>255</green>"
         "<blue>0</blue></colour><fade><seconds>-1.5</seconds></fade></shine>"},
    };
    struct mup_input_error error;
    char *xml;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(try_input(*state, cases[i].json, &xml, &error), MUP_OK);
        assert_string_equal(xml, cases[i].xml);
        free(xml);
    }
}

#define COLOUR "\"colour\":{\"red\":1,\"green\":2,\"blue\":3}"

static void each_wrong_input_is_named_by_its_field(void **state)
{
    static const struct {
        const char *json;
        const char *field;
    } cases[] = {
        {"{}", "colour"},
        {"{\"colour\":null}", "colour"},
        {"{\"colour\":7}", "colour"},
        {"{\"colour\":{}}", "colour/red"},
        {"{\"colour\":{\"red\":1,\"green\":2}}", "colour/blue"},
        {"{\"colour\":{\"red\":256,\"green\":2,\"blue\":3}}", "colour/red"},
        {"{\"colour\":{\"red\":-1,\"green\":2,\"blue\":3}}", "colour/red"},
        {"{\"colour\":{\"red\":1.5,\"green\":2,\"blue\":3}}", "colour/red"},
        {"{\"colour\":{\"red\":{},\"green\":2,\"blue\":3}}", "colour/red"},
        {"{\"colour\":{\"red\":1,\"green\":2,\"blue\":3,\"alpha\":4}}", "colour/alpha"},
        {"{" COLOUR ",\"fade\":{}}", "fade/seconds"},
        {"{" COLOUR ",\"fade\":{\"seconds\":150}}", "fade/seconds"},
        {"{" COLOUR ",\"fade\":{\"seconds\":1e30}}", "fade/seconds"},
        {"{" COLOUR ",\"mode\":\"wild\"}", "mode"},
        {"{" COLOUR ",\"mode\":\"\"}", "mode"},
        {"{" COLOUR ",\"on\":\"yes\"}", "on"},
        {"{" COLOUR ",\"word\":\"a\"}", "word"},
        {"{" COLOUR ",\"word\":\"abcde\"}", "word"},
        {"{" COLOUR ",\"word\":\"AB\"}", "word"},
        {"{" COLOUR ",\"bytes\":\"AA==\"}", "bytes"},
        {"{" COLOUR ",\"bytes\":\"!\"}", "bytes"},
        {"{" COLOUR ",\"uuid\":\"another\"}", "uuid"},
        {"{" COLOUR ",\"other\":1}", "other"},
        {"{" COLOUR ",\"count\":[1]}", "count"},
    };
    struct mup_input_error error;
    char *xml;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(try_input(*state, cases[i].json, &xml, &error), MUP_ERR_FORMAT);
        assert_null(xml);
        assert_string_equal(error.field, cases[i].field);
        assert_true(strlen(error.message) > 0);
    }
}

static void a_text_is_escaped_and_never_cut_at_a_nul(void **state)
{
    const struct fixture *f = *state;
    struct mup_input_error error;
    char *xml = NULL;
    json_t *input = json_pack("{s:{s:i, s:i, s:i}, s:s%}", "colour", "red", 1, "green", 2, "blue",
                              3, "word", "ab\0c", (size_t)4);
    const struct lysc_node_action *rpc = mup_schema_rpc(f->schema, "shine");

    if (input) { /* jansson may refuse the NUL itself */
        assert_int_equal(mup_input_xml(&xml, rpc, "lamp-1", input, &error), MUP_ERR_FORMAT);
        json_decref(input);
    }
    input = json_pack("{s:{s:i, s:i, s:i}}", "colour", "red", 1, "green", 2, "blue", 3);
    assert_int_equal(mup_input_xml(&xml, rpc, "<&>", input, &error), MUP_OK);
    assert_non_null(strstr(xml, "<uuid>&lt;&amp;&gt;</uuid>"));
    free(xml);
    json_decref(input);
}

static void another_rpc_is_not_there(void **state)
{
    const struct fixture *f = *state;

    assert_null(mup_schema_rpc(f->schema, "shin"));
    assert_null(mup_schema_rpc(f->schema, "shines"));
    assert_null(mup_schema_rpc(f->schema, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_rpc_is_told_with_its_inputs_and_states, setup, teardown),
        cmocka_unit_test_setup_teardown(each_type_is_told_with_what_limits_it, setup, teardown),
        cmocka_unit_test_setup_teardown(telemetry_and_events_come_from_the_statements_of_myno,
                                        setup, teardown),
        cmocka_unit_test(what_is_no_module_is_refused_with_the_reason),
        cmocka_unit_test(every_truncation_of_a_module_is_refused),
        cmocka_unit_test_setup_teardown(a_good_input_becomes_the_rpc, setup, teardown),
        cmocka_unit_test_setup_teardown(each_wrong_input_is_named_by_its_field, setup, teardown),
        cmocka_unit_test_setup_teardown(a_text_is_escaped_and_never_cut_at_a_nul, setup, teardown),
        cmocka_unit_test_setup_teardown(another_rpc_is_not_there, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
