/* The rules that a description must keep, and the capability that is made of it. */
#include "bridge_support.h"

#include "bridge/description/extract.h"

/* The inputs of the one operation, one Turtle statement each. */
static struct mup_capability *parse_with(struct mup_problems *problems, const char *more)
{
    char text[8192];
    snprintf(text, sizeof text, "%s%s", ONE_RPC, more);
    return parse(problems, text);
}

static void refused_with(const char *more, const char *where, const char *reason)
{
    char text[8192];
    snprintf(text, sizeof text, "%s%s", ONE_RPC, more);
    parse_refused(text, where, reason);
}

static void the_smallest_function_is_an_rpc(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = parse(&problems, ONE_RPC);
    assert_int_equal(problems.error_count + problems.warning_count, 0);
    assert_string_equal(capability->uuid, "%s");
    assert_string_equal(capability->category, "kind");
    assert_string_equal(capability->description, "");
    assert_int_equal(capability->rpc_count, 1);
    const struct mup_rpc *rpc = mup_capability_rpc(capability, "f");
    assert_ptr_equal(rpc, &capability->rpcs[0]);
    assert_null(mup_capability_rpc(capability, "g"));
    assert_string_equal(rpc->topic, "go/%s");
    assert_string_equal(rpc->method, "GO");
    assert_int_equal(rpc->topic_fault, MUP_TOPIC_OK);
    assert_int_equal(rpc->input_count, 0);
    assert_int_equal(rpc->state_count, 1);
    assert_int_equal(rpc->states[0].code, 10);
    assert_int_equal(capability->telemetry_count, 0);
    mup_capability_free(capability);
}

static void a_document_without_a_device_is_refused(void **state)
{
    (void)state;
    parse_refused(PREFIXES "b:d o:hasThingProperty b:deviceUuid .\n", "",
                  "nothing in it is a Device");
    parse_refused("{}", "", "nothing in it is a Device");
}

static void two_devices_are_refused(void **state)
{
    (void)state;
    refused_with("b:e a o:Device .\n", "#e", "a second Device");
}

static void two_names_of_one_device_are_one_device(void **state)
{
    (void)state;
    struct mup_problems problems;
    mup_capability_free(parse_with(&problems, "b:e a o:Device ; owl:sameAs b:d .\n"));
}

static void a_missing_or_impossible_uuid_is_refused(void **state)
{
    (void)state;
    static const char kind[] = "b:deviceCategory o:hasValue \"kind\" .\n";
    static const struct {
        const char *uuid, *reason;
    } cases[] = {
        {"", "has no UUID"},
        {"b:deviceUuid o:hasValue \"a\", \"b\" .\n", "more than one UUID"},
        {"b:deviceUuid o:hasValue \"\" .\n", "1 to 64 bytes"},
        {"b:deviceUuid o:hasValue \"a/b\" .\n", "a slash"},
        {"b:deviceUuid o:hasValue \"a b\" .\n", "a space"},
        {"b:deviceUuid o:hasValue \"x-%s\" .\n", "must be %s"},
        {"b:deviceUuid o:hasValue \"0123456789012345678901234567890123456789012345678901234567890"
         "1234\" .\n",
         "1 to 64 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[4096];
        snprintf(text, sizeof text,
                 "%sb:d a o:Device ; o:hasThingProperty b:deviceUuid, b:deviceCategory .\n%s%s",
                 PREFIXES, kind, cases[i].uuid);
        parse_refused(text, "#d", cases[i].reason);
    }
}

static void a_missing_category_is_refused(void **state)
{
    (void)state;
    parse_refused(PREFIXES "b:d a o:Device ; o:hasThingProperty b:deviceUuid .\n"
                           "b:deviceUuid o:hasValue \"%s\" .\n",
                  "#d", "no category");
}

static void only_its_own_device_may_use_a_description_with_a_uuid(void **state)
{
    (void)state;
    static const char text[] =
        PREFIXES "b:d a o:Device ; o:hasThingProperty b:deviceUuid, b:deviceCategory .\n"
                 "b:deviceUuid o:hasValue \"one\" .\nb:deviceCategory o:hasValue \"kind\" .\n";
    struct mup_problems problems;
    struct mup_capability *capability = NULL;
    assert_int_equal(parse_bytes(&capability, &problems, text, sizeof text - 1, "two"),
                     MUP_ERR_STATE);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "", "comes from the device `two`"));
    assert_null(capability);
    assert_int_equal(parse_bytes(&capability, &problems, text, sizeof text - 1, "one"), MUP_OK);
    assert_true(mup_capability_admits(capability, "one"));
    assert_false(mup_capability_admits(capability, "two"));
    mup_capability_free(capability);
}

static void a_command_without_a_topic_is_refused(void **state)
{
    (void)state;
    parse_refused(PREFIXES IDENTITY SERVICE COMMAND, "#c", "a command without a topic");
    parse_refused(PREFIXES IDENTITY SERVICE "b:f o:hasCommand b:c .\n", "#c", "without a topic");
    /* An operation that no service of the device has does not count. */
    parse_refused(PREFIXES IDENTITY "b:d o:hasService b:s ; o:hasFunctionality b:f .\n"
                                    "b:s o:exposesFunctionality b:f .\n" COMMAND
                                    "b:op b:mqttTopic \"go/%s\" .\n",
                  "#c", "without a topic");
}

static void an_operation_without_a_method_is_refused(void **state)
{
    (void)state;
    parse_refused(PREFIXES IDENTITY SERVICE "b:f o:hasCommand b:c .\nb:op o:exposesCommand b:c ; "
                                            "b:mqttTopic \"go/%s\" .\n",
                  "#op", "without mqttMethod");
}

static void of_two_operations_with_a_topic_the_first_is_used_with_a_warning(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability =
        parse_with(&problems, "b:s o:hasOperation b:op2, b:op0 .\nb:op2 o:exposesCommand b:c ; "
                              "b:mqttTopic \"second/%s\" ; b:mqttMethod \"SECOND\" .\n"
                              "b:op0 o:exposesCommand b:c .\n"); /* not over MQTT */
    assert_int_equal(capability->rpc_count, 1);
    assert_string_equal(capability->rpcs[0].topic, "go/%s");
    assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, "#c", "2 operations"));
    mup_capability_free(capability);
}

static void a_function_that_no_service_exposes_is_left_out_with_a_warning(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability =
        parse_with(&problems, "b:d o:hasFunctionality b:hidden .\nb:hidden o:hasCommand b:c .\n"
                              "b:x o:exposesFunctionality b:hidden .\n");
    assert_int_equal(capability->rpc_count, 1);
    assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, "#hidden", "no service"));
    mup_capability_free(capability);
}

static void a_topic_that_is_not_the_devices_own_marks_the_rpc(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        enum mup_topic_fault fault;
    } cases[] = {
        {"led", MUP_TOPIC_NOT_OWN},    {"led/x%s", MUP_TOPIC_NOT_OWN}, {"+/%s", MUP_TOPIC_WILDCARD},
        {"$SYS/%s", MUP_TOPIC_DOLLAR}, {"", MUP_TOPIC_TEXT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[4096];
        struct mup_problems problems;
        snprintf(text, sizeof text, "%sb:op b:mqttTopic \"%s\" .\n",
                 PREFIXES IDENTITY SERVICE COMMAND STATES, cases[i].topic);
        struct mup_capability *capability = parse(&problems, text);
        assert_int_equal(capability->rpcs[0].topic_fault, cases[i].fault);
        assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, "#f", "unusable topic"));
        mup_capability_free(capability);
    }
}

static void every_data_type_of_the_vocabulary_becomes_an_input(void **state)
{
    (void)state;
    static const struct {
        const char *statements;
        enum mup_input_type type;
        bool has_min, has_max;
        int64_t min, max;
    } cases[] = {
        {"b:i o:hasInput [ o:hasDataType xsd:int ]", MUP_INPUT_INT, true, true, INT32_MIN,
         INT32_MAX},
        {"b:i o:hasInput [ o:hasDataType xsd:integer ]", MUP_INPUT_INT, false, false, 0, 0},
        {"b:i o:hasInput [ o:hasDataType xsd:unsignedByte ]", MUP_INPUT_INT, true, true, 0, 255},
        {"b:i o:hasInput [ o:hasDataType xsd:nonNegativeInteger ]", MUP_INPUT_INT, true, false, 0,
         0},
        {"b:i o:hasInput [ o:hasDataType xsd:boolean ]", MUP_INPUT_BOOL, false, false, 0, 0},
        {"b:i o:hasInput [ o:hasDataType xsd:string ]", MUP_INPUT_STRING, false, false, 0, 0},
        {"b:i o:hasInput [ o:hasDataType xsd:hexBinary ]", MUP_INPUT_BINARY, false, false, 0, 0},
        {"b:i o:hasInput [ o:hasDataType xsd:double ]", MUP_INPUT_DECIMAL, false, false, 0, 0},
        {"b:i o:hasInput [ o:hasDataType xsd:int ; o:hasDataRestriction_minInclusive \"-20\" ; "
         "o:hasDataRestriction_maxInclusive \"100\" ]",
         MUP_INPUT_INT, true, true, -20, 100},
        {"b:i o:hasInput [ o:hasDataType xsd:decimal ; o:hasDataRestriction_minInclusive -0.5 ; "
         "o:hasDataRestriction_maxInclusive 1.25 ]",
         MUP_INPUT_DECIMAL, true, true, -500000, 1250000},
        {"b:i o:hasDataRestriction_minInclusive 3 ; o:hasDataRestriction_maxInclusive 4",
         MUP_INPUT_INT, true, true, 3, 4},
        {"b:i o:hasDataRestriction_maxInclusive \"2.5\"", MUP_INPUT_DECIMAL, false, true, 0,
         2500000},
        {"b:i o:hasDataRestriction_pattern \"red\", \"green\"", MUP_INPUT_ENUM, false, false, 0, 0},
        {"b:i a o:OperationInput", MUP_INPUT_STRING, false, false, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_problems problems;
        char more[1024];
        snprintf(more, sizeof more, "b:op o:hasInput b:i .\n%s .\n", cases[i].statements);
        struct mup_capability *capability = parse_with(&problems, more);
        const struct mup_rpc *rpc = &capability->rpcs[0];
        assert_int_equal(rpc->input_count, 1);
        const struct mup_input *input = &rpc->inputs[0];
        assert_string_equal(input->yang_name, "i");
        assert_true(input->required);
        assert_int_equal(input->type, cases[i].type);
        assert_int_equal(input->has_min, cases[i].has_min);
        assert_int_equal(input->has_max, cases[i].has_max);
        if (input->has_min)
            assert_true(input->min == cases[i].min);
        if (input->has_max)
            assert_true(input->max == cases[i].max);
        assert_int_equal(input->enum_count, cases[i].type == MUP_INPUT_ENUM ? 2 : 0);
        assert_int_equal(problems.error_count + problems.warning_count, 0);
        mup_capability_free(capability);
    }
}

static void a_data_type_that_is_not_known_is_text_with_a_warning(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = parse_with(
        &problems, "b:op o:hasInput b:i .\nb:i o:hasInput [ o:hasDataType <urn:colour> ] .\n");
    assert_int_equal(capability->rpcs[0].inputs[0].type, MUP_INPUT_STRING);
    assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, "#i", "<urn:colour>"));
    mup_capability_free(capability);
}

static void impossible_ranges_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *type, *min, *max, *reason;
    } cases[] = {
        {"int", "5", "4", "smallest value 5 is larger than the largest 4"},
        {"int", "a", "4", "`a` is not a bound"},
        {"int", "1.5", "4", "`1.5` is not a bound"},
        {"int", "0", "2147483648", "`2147483648` is not a bound"},
        {"integer", "0", "9223372036854775808", "is not a bound"},
        {"unsignedByte", "-1", "4", "`-1` is not a bound"},
        {"decimal", "0", "1e20", "is not a bound"},
        {"decimal", "nan", "1", "is not a bound"},
        {"int", "", "4", "`` is not a bound"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char more[1024];
        snprintf(more, sizeof more,
                 "b:op o:hasInput b:i .\nb:i o:hasInput [ o:hasDataType xsd:%s ; "
                 "o:hasDataRestriction_minInclusive \"%s\" ; "
                 "o:hasDataRestriction_maxInclusive \"%s\" ] .\n",
                 cases[i].type, cases[i].min, cases[i].max);
        refused_with(more, "#i", cases[i].reason);
    }
}

static void inputs_stand_in_the_order_of_their_local_names(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = parse_with(
        &problems, "b:op o:hasInput <urn:z#input_2>, b:input_10, b:input_1, o:input_01 .\n");
    const struct mup_rpc *rpc = &capability->rpcs[0];
    static const char *const order[] = {"input_01", "input_1", "input_10", "input_2"};
    assert_int_equal(rpc->input_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(rpc->inputs[i].name, order[i]);
    mup_capability_free(capability);
}

static void the_target_is_no_input_and_an_input_called_uuid_is_another(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability =
        parse_with(&problems, "b:op o:hasInput b:uuidInput, b:uuid .\n"
                              "b:uuidInput o:hasInput b:deviceUuid .\nb:deviceUuid o:hasDataType "
                              "xsd:string .\n");
    const struct mup_rpc *rpc = &capability->rpcs[0];
    assert_int_equal(rpc->input_count, 1);
    assert_string_equal(rpc->inputs[0].name, "uuid");
    assert_string_equal(rpc->inputs[0].yang_name, "uuid-2");
    mup_capability_free(capability);
}

static void states_stand_by_code_and_then_by_text(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = parse_with(
        &problems, "b:st o:hasDataRestriction_pattern \"9_LATE\", \"WORSE\", \"BAD\", \"100_X\", "
                   "\"1_\", \"1234567890_NO\", \"77\" .\n");
    static const struct {
        const char *name;
        int32_t code;
    } order[] = {{"1_", 1},
                 {"9_LATE", 9},
                 {"10_OK", 10},
                 {"100_X", 100},
                 {"1234567890_NO", MUP_NO_STATE_CODE},
                 {"77", MUP_NO_STATE_CODE},
                 {"BAD", MUP_NO_STATE_CODE},
                 {"WORSE", MUP_NO_STATE_CODE}};
    const struct mup_rpc *rpc = &capability->rpcs[0];
    assert_int_equal(rpc->state_count, sizeof order / sizeof order[0]);
    for (size_t i = 0; i < rpc->state_count; i++) {
        assert_string_equal(rpc->states[i].name, order[i].name);
        assert_int_equal(rpc->states[i].code, order[i].code);
    }
    mup_capability_free(capability);
}

static void two_states_with_one_code_are_refused(void **state)
{
    (void)state;
    refused_with("b:st o:hasDataRestriction_pattern \"10_FINE\" .\n", "#op", "the same code");
    refused_with("b:st o:hasDataRestriction_pattern \" x\" .\n", "#op", "begins or ends");
    refused_with("b:op o:hasInput b:i .\nb:i o:hasDataRestriction_pattern \"\" .\n", "#i", "empty");
}

static void an_operation_without_states_is_told(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability =
        parse(&problems, PREFIXES IDENTITY SERVICE COMMAND "b:op b:mqttTopic \"go/%s\" .\n");
    assert_int_equal(capability->rpcs[0].state_count, 0);
    assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, "#op", "no states"));
    mup_capability_free(capability);
}

static void functions_with_one_local_name_get_names_of_their_own(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability =
        parse_with(&problems, "b:d o:hasFunctionality o:f, <urn:x#f!> .\n"
                              "b:s o:exposesFunctionality o:f, <urn:x#f!> .\n"
                              "o:f o:hasCommand b:c .\n<urn:x#f!> o:hasCommand b:c .\n");
    assert_int_equal(capability->rpc_count, 3);
    assert_string_equal(capability->rpcs[0].yang_name, "f");
    assert_string_equal(capability->rpcs[1].yang_name, "f-2");
    assert_string_equal(capability->rpcs[2].name, "f!");
    assert_string_equal(capability->rpcs[2].yang_name, "f-");
    mup_capability_free(capability);
}

static void telemetry_has_topic_unit_and_symbol(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = parse(
        &problems, PREFIXES IDENTITY
        "b:d o:hasService b:s ; o:hasFunctionality b:t, b:idle .\n"
        "b:s o:exposesFunctionality b:t, b:idle ; o:hasSubService b:s2 .\n"
        "b:s2 o:exposesFunctionality b:t ; o:hasOutputDataPoint b:p .\n"
        "b:p b:mqttTopic \"sensor/%s\" ; om:hasUnit om:percent .\nom:percent om:symbol \"%%\" .\n"
        "b:t o:hasThingProperty [ a b:YangDescription ; o:hasValue \"100%% of \xc3\xbc\" ] .\n");
    assert_int_equal(capability->rpc_count, 0);
    assert_int_equal(capability->telemetry_count, 1);
    const struct mup_telemetry *telemetry = &capability->telemetry[0];
    assert_string_equal(telemetry->yang_name, "t");
    assert_string_equal(telemetry->topic, "sensor/%s");
    assert_string_equal(telemetry->unit, "percent");
    assert_string_equal(telemetry->symbol, "%");
    assert_string_equal(telemetry->description, "100% of \xc3\xbc");
    assert_int_equal(telemetry->topic_fault, MUP_TOPIC_OK);
    assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, "#idle", "neither"));
    mup_capability_free(capability);
}

static void a_data_point_without_a_topic_is_refused(void **state)
{
    (void)state;
    parse_refused(PREFIXES IDENTITY "b:d o:hasService b:s ; o:hasFunctionality b:t .\n"
                                    "b:s o:exposesFunctionality b:t ; o:hasOutputDataPoint b:p .\n",
                  "#p", "without mqttTopic");
}

/* _:b1 is no place that a person finds in a file. */
static void what_is_wrong_in_a_node_without_a_name_is_told_of_what_refers_to_it(void **state)
{
    (void)state;
    static const char rpc[] = PREFIXES IDENTITY
        "b:d o:hasService b:s ; o:hasFunctionality b:f .\n"
        "b:f o:hasCommand b:c .\nb:s o:exposesFunctionality b:f ; o:hasOperation [ "
        "o:exposesCommand b:c ; b:mqttTopic \"go/%s\" ";
    static const struct {
        const char *rest, *reason;
    } cases[] = {
        {"] .\n", "without mqttMethod"},
        {"; b:mqttMethod \"0123456789012345678901234567890123\" ] .\n", "more than 32 bytes"},
        {"; b:mqttMethod \"GO\" ; o:hasOperationState [ o:hasDataRestriction_pattern \"10_A\", "
         "\"10_B\" ] ] .\n",
         "the same code"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[2048];
        (void)snprintf(text, sizeof text, "%s%s", rpc, cases[i].rest);
        parse_refused(text, "#c", cases[i].reason);
    }
    parse_refused(PREFIXES IDENTITY
                  "b:d o:hasService b:s ; o:hasFunctionality b:t .\nb:s o:exposesFunctionality b:t "
                  "; o:hasOutputDataPoint [ om:hasUnit om:percent ] .\n",
                  "#t", "without mqttTopic");
}

static void a_range_or_size_of_an_enumeration_is_left_out_with_a_warning(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability =
        parse(&problems, ONE_RPC "b:op o:hasInput b:i .\nb:i o:hasDataRestriction_pattern \"on\", "
                                 "\"off\" ; o:hasDataRestriction_minInclusive 1 ; "
                                 "o:hasDataRestriction_maxLength 2 .\n");
    assert_int_equal(capability->rpcs[0].inputs[0].type, MUP_INPUT_ENUM);
    assert_int_equal(capability->rpcs[0].inputs[0].enum_count, 2);
    assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, "#i", "a range is left out"));
    assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, "#i", "a size is left out"));
    mup_capability_free(capability);
}

static void the_order_of_the_triples_changes_nothing(void **state)
{
    (void)state;
    static const char *const lines[] = {IDENTITY,
                                        SERVICE,
                                        COMMAND,
                                        STATES,
                                        "b:op b:mqttTopic \"go/%s\" .\n",
                                        "b:op o:hasInput b:i2, b:i1 .\n",
                                        "b:st o:hasDataRestriction_pattern \"12_B\", \"11_A\" .\n"};
    enum { COUNT = sizeof lines / sizeof lines[0] };
    char *first = NULL;
    for (size_t turn = 0; turn < COUNT; turn++) {
        struct mup_problems problems;
        char text[8192] = PREFIXES, *json = NULL;
        for (size_t i = 0; i < COUNT; i++)
            strcat(text, lines[(turn + i) % COUNT]);
        struct mup_capability *capability = parse(&problems, text);
        assert_int_equal(mup_capability_json(&json, capability, "d1"), MUP_OK);
        /* All but the digest, which is of the bytes. */
        char *rest = strstr(json, "\"rpcs\"");
        assert_non_null(rest);
        if (!first)
            first = strdup(rest);
        assert_string_equal(rest, first);
        free(json);
        mup_capability_free(capability);
    }
    free(first);
}

/* 60 operations share 60 inputs with `values` values each. */
static char *multiplying(int values)
{
    char *text = malloc(100000), *to = text;
    assert_non_null(text);
    to += sprintf(to, "%s%s", PREFIXES, IDENTITY);
    for (int f = 0; f < 60; f++) {
        to += sprintf(to,
                      "b:d o:hasFunctionality b:f%d ; o:hasService b:s .\n"
                      "b:s o:exposesFunctionality b:f%d ; o:hasOperation b:o%d .\n"
                      "b:f%d o:hasCommand b:c%d .\nb:o%d o:exposesCommand b:c%d ; b:mqttTopic "
                      "\"t/%%s\" ; b:mqttMethod \"M\" ; o:hasInput b:i0",
                      f, f, f, f, f, f, f);
        for (int i = 1; i < 16; i++)
            to += sprintf(to, ", b:i%d", i);
        to += sprintf(to, " .\n");
    }
    for (int i = 0; i < 16; i++) {
        to += sprintf(to, "b:i%d o:hasDataRestriction_pattern 0", i);
        for (int v = 1; v < values; v++)
            to += sprintf(to, ", %d", v);
        to += sprintf(to, " .\n");
    }
    assert_true(to - text < 100000);
    return text;
}

static void a_graph_that_would_multiply_is_refused(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = NULL;
    char *text = multiplying(10);
    assert_int_equal(parse_bytes(&capability, &problems, text, strlen(text), NULL), MUP_ERR_RANGE);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "", "more than 8192 inputs"));
    free(text);
    text = multiplying(80);
    assert_int_equal(parse_bytes(&capability, &problems, text, strlen(text), NULL), MUP_ERR_RANGE);
    assert_true(has_problem(&problems, MUP_SEVERITY_ERROR, "input-value", "20000 rows"));
    free(text);
}

/* With a storage that scans, this takes minutes, and the time limit of the tests ends it. */
static void ten_thousand_properties_of_one_thing_take_a_moment(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *text = malloc(200000), *to = text;
    assert_non_null(text);
    to += sprintf(to, "%sb:d o:hasThingProperty b:p0", ONE_RPC);
    for (int i = 1; i < 9900; i++)
        to += sprintf(to, ", b:p%d", i);
    to += sprintf(to, " .\n");
    mup_capability_free(parse(&problems, text));
    free(text);
}

static void our_own_description_is_what_it_should_be(void **state)
{
    (void)state;
    struct mup_problems problems;
    size_t size = 0;
    char *text = read_whole_file(MUP_SOURCE_DIR "/firmware/description/virtual.jsonld", &size);
    assert_non_null(text);
    assert_true(size < 6000);
    struct mup_capability *capability = parse(&problems, text);
    assert_int_equal(problems.error_count + problems.warning_count, 0);
    assert_string_equal(capability->category, "virtual-device");
    static const struct {
        const char *name, *topic, *method;
        size_t inputs, states;
    } rpcs[] = {
        {"getDeviceToken", "mup/token/%s", "GET-DEVICE-TOKEN", 0, 25},
        {"ledOff", "led/%s", "LED-OFF", 0, 3},
        {"ledOn", "led/%s", "LED-ON", 0, 3},
        {"sendExtendedManifest", "mup/manifest/%s", "PUB-UPDATE-MANIFEST", 1, 25},
        {"setInterval", "interval/%s", "SET-INTERVAL", 1, 3},
        {"verifyFirmware", "mup/verify/%s", "VERIFY-UPDATE", 0, 25},
    };
    assert_int_equal(capability->rpc_count, sizeof rpcs / sizeof rpcs[0]);
    for (size_t i = 0; i < capability->rpc_count; i++) {
        const struct mup_rpc *rpc = &capability->rpcs[i];
        assert_string_equal(rpc->yang_name, rpcs[i].name);
        assert_string_equal(rpc->topic, rpcs[i].topic);
        assert_string_equal(rpc->method, rpcs[i].method);
        assert_int_equal(rpc->input_count, rpcs[i].inputs);
        assert_int_equal(rpc->state_count, rpcs[i].states);
        assert_int_equal(rpc->topic_fault, MUP_TOPIC_OK);
        /* equal lists of states take their memory once */
        assert_ptr_equal(rpc->states, capability->rpcs[rpcs[i].states == 25 ? 0 : 1].states);
    }
    const struct mup_input *manifest = &capability->rpcs[3].inputs[0];
    assert_string_equal(manifest->yang_name, "manifest");
    assert_int_equal(manifest->type, MUP_INPUT_BINARY);
    const struct mup_input *seconds = &capability->rpcs[4].inputs[0];
    assert_true(seconds->min == 1 && seconds->max == 3600);
    assert_string_equal(mup_rpc_state_by_code(&capability->rpcs[0], 22)->name, "22_INVALID_NONCE");
    assert_string_equal(mup_rpc_state_by_code(&capability->rpcs[0], 40)->name, "40_FLASH_FAILURE");
    assert_int_equal(capability->telemetry_count, 1);
    assert_string_equal(capability->telemetry[0].topic, "sensor/temperature/%s");
    assert_string_equal(capability->telemetry[0].unit, "degreeCelsius");
    assert_string_equal(capability->telemetry[0].symbol, "\xc2\xb0"
                                                         "C");
    mup_capability_free(capability);
    free(text);
}

static void parts_that_hang_in_the_air_or_look_alike_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *more, *where, *text;
    } cases[] = {
        {"b:s o:exposesFunctionality b:other .\n", "#other", "no Device has it"},
        {"b:s o:hasOperation b:op2 .\nb:op2 o:exposesCommand b:c2 ; b:mqttTopic \"x/%s\" .\n",
         "#c2", "the command of no function"},
        {"b:d o:hasFunctionality b:g .\nb:s o:exposesFunctionality b:g ; o:hasOperation b:op2 .\n"
         "b:g o:hasCommand b:c2 .\nb:op2 o:exposesCommand b:c2 ; b:mqttTopic \"go/%s\" ; "
         "b:mqttMethod \"GO\" ; o:hasOperationState b:st .\n",
         "g", "cannot tell the two apart"},
        {"b:d o:hasFunctionality b:t, b:u .\nb:s o:exposesFunctionality b:t, b:u ; "
         "o:hasOutputDataPoint b:p .\nb:p b:mqttTopic \"p/%s\" .\n",
         "u", "is published on the topic of `t`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_problems problems;
        struct mup_capability *capability = parse_with(&problems, cases[i].more);
        assert_int_equal(problems.warning_count, 1);
        assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, cases[i].where, cases[i].text));
        mup_capability_free(capability);
    }
    struct mup_problems problems;
    struct mup_capability *capability = parse(&problems, PREFIXES IDENTITY);
    assert_true(has_problem(&problems, MUP_SEVERITY_WARNING, "", "the Device has no function"));
    mup_capability_free(capability);
    parse_refused(PREFIXES IDENTITY "b:d o:hasFunctionality b:f, b:g ; o:hasService b:s .\n"
                                    "b:f o:hasCommand b:c .\nb:s o:exposesFunctionality b:g .\n",
                  "#f", "none of the 2 functions can be used");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_function_is_an_rpc),
        cmocka_unit_test(a_document_without_a_device_is_refused),
        cmocka_unit_test(two_devices_are_refused),
        cmocka_unit_test(two_names_of_one_device_are_one_device),
        cmocka_unit_test(a_missing_or_impossible_uuid_is_refused),
        cmocka_unit_test(a_missing_category_is_refused),
        cmocka_unit_test(only_its_own_device_may_use_a_description_with_a_uuid),
        cmocka_unit_test(a_command_without_a_topic_is_refused),
        cmocka_unit_test(an_operation_without_a_method_is_refused),
        cmocka_unit_test(of_two_operations_with_a_topic_the_first_is_used_with_a_warning),
        cmocka_unit_test(a_function_that_no_service_exposes_is_left_out_with_a_warning),
        cmocka_unit_test(a_topic_that_is_not_the_devices_own_marks_the_rpc),
        cmocka_unit_test(every_data_type_of_the_vocabulary_becomes_an_input),
        cmocka_unit_test(a_data_type_that_is_not_known_is_text_with_a_warning),
        cmocka_unit_test(impossible_ranges_are_refused),
        cmocka_unit_test(inputs_stand_in_the_order_of_their_local_names),
        cmocka_unit_test(the_target_is_no_input_and_an_input_called_uuid_is_another),
        cmocka_unit_test(states_stand_by_code_and_then_by_text),
        cmocka_unit_test(two_states_with_one_code_are_refused),
        cmocka_unit_test(an_operation_without_states_is_told),
        cmocka_unit_test(functions_with_one_local_name_get_names_of_their_own),
        cmocka_unit_test(telemetry_has_topic_unit_and_symbol),
        cmocka_unit_test(a_data_point_without_a_topic_is_refused),
        cmocka_unit_test(what_is_wrong_in_a_node_without_a_name_is_told_of_what_refers_to_it),
        cmocka_unit_test(a_range_or_size_of_an_enumeration_is_left_out_with_a_warning),
        cmocka_unit_test(the_order_of_the_triples_changes_nothing),
        cmocka_unit_test(a_graph_that_would_multiply_is_refused),
        cmocka_unit_test(ten_thousand_properties_of_one_thing_take_a_moment),
        cmocka_unit_test(parts_that_hang_in_the_air_or_look_alike_are_told),
        cmocka_unit_test(our_own_description_is_what_it_should_be),
    };
    return cmocka_run_group_tests(tests, open_describer, close_describer);
}
