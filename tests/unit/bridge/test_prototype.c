/*
 * The faults of the prototype's bridge that a description can cause, one test each, where all 18 of
 * them are tested, and the five descriptions of the prototype, which lie beside the project where
 * somebody has put them.
 */
#include "bridge_support.h"

#include <libyang/libyang.h>

#include "bridge/description/yang.h"

#define DESCRIPTIONS MUP_SOURCE_DIR "/../shared/descriptions/"

/* 4.1.1, 4.1.2: two devices of one kind got one another's commands, or one of them was lost. */
static void two_devices_of_one_kind_share_the_module_but_not_the_topic(void **state)
{
    (void)state;
    struct mup_problems problems;
    char one[64], two[64];
    struct mup_capability *capability = parse(&problems, ONE_RPC);
    assert_true(mup_capability_admits(capability, "one") &&
                mup_capability_admits(capability, "two"));
    const struct mup_rpc *rpc = mup_capability_rpc(capability, "f");
    assert_int_equal(mup_topic_fill(one, sizeof one, rpc->topic, "one"), MUP_OK);
    assert_int_equal(mup_topic_fill(two, sizeof two, rpc->topic, "two"), MUP_OK);
    assert_string_equal(one, "go/one");
    assert_string_equal(two, "go/two");
    mup_capability_free(capability);
}

/* 4.1.3: registering again appended a second copy. */
static void the_same_description_again_is_the_same_capability(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *a = NULL, *b = NULL;
    struct mup_capability *first = parse(&problems, ONE_RPC);
    struct mup_capability *second = parse(&problems, ONE_RPC);
    assert_memory_equal(first->digest, second->digest, sizeof first->digest);
    assert_int_equal(mup_capability_json(&a, first, NULL), MUP_OK);
    assert_int_equal(mup_capability_json(&b, second, NULL), MUP_OK);
    assert_string_equal(a, b);
    free(a);
    free(b);
    mup_capability_free(first);
    mup_capability_free(second);
}

/* 4.1.5: after one bad description no other was read any more. */
static void a_bad_description_leaves_nothing_behind_for_the_next(void **state)
{
    (void)state;
    struct mup_problems problems;
    for (int i = 0; i < 3; i++) {
        parse_refused("{\"@id\":", "", "JSON");
        parse_refused("<urn:a> <urn:b> .\n", "", "");
        parse_refused("<?xml version=\"1.0\"?><a>", "", "");
        mup_capability_free(parse(&problems, ONE_RPC));
        assert_int_equal(problems.error_count, 0);
    }
}

/* 4.1.6: the UUID in the envelope was not compared with the one in the description. */
static void a_description_of_another_device_is_refused(void **state)
{
    (void)state;
    static const char text[] =
        PREFIXES "b:d a o:Device ; o:hasThingProperty b:deviceUuid, b:deviceCategory .\n"
                 "b:deviceUuid o:hasValue \"victim\" .\nb:deviceCategory o:hasValue \"kind\" .\n";
    struct mup_problems problems;
    struct mup_capability *capability = NULL;
    assert_int_equal(parse_bytes(&capability, &problems, text, sizeof text - 1, "attacker"),
                     MUP_ERR_STATE);
}

/* 4.1.8: answers were not held against the declared states. */
static void an_answer_that_was_never_declared_is_recognised(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = parse(&problems, ONE_RPC);
    assert_non_null(mup_rpc_state_by_code(&capability->rpcs[0], 10));
    assert_null(mup_rpc_state_by_code(&capability->rpcs[0], 12));
    assert_null(mup_rpc_state_by_text(&capability->rpcs[0], "OK"));
    mup_capability_free(capability);
}

/* 4.1.9: `led` has no UUID, so that two devices acted at once. */
static void a_topic_that_two_devices_would_hear_is_marked(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability =
        parse(&problems, PREFIXES IDENTITY SERVICE COMMAND STATES "b:op b:mqttTopic \"led\" .\n");
    assert_int_equal(capability->rpcs[0].topic_fault, MUP_TOPIC_NOT_OWN);
    mup_capability_free(capability);
}

/* 4.1.12: ranges, values and types were not checked; here they reach the module. */
static void ranges_values_and_types_reach_the_module(void **state)
{
    (void)state;
    struct mup_problems problems;
    char *yang = NULL;
    struct mup_capability *capability =
        parse(&problems, ONE_RPC "b:op o:hasInput b:a, b:e, b:h .\n"
                                 "b:a o:hasInput [ o:hasDataType xsd:int ; "
                                 "o:hasDataRestriction_minInclusive \"-20\" ; "
                                 "o:hasDataRestriction_maxInclusive \"100\" ] .\n"
                                 "b:e o:hasDataRestriction_pattern \"READ\" .\n"
                                 "b:h o:hasInput [ o:hasDataType xsd:hexBinary ] .\n");
    assert_int_equal(mup_yang_module(&yang, capability), MUP_OK);
    assert_non_null(strstr(yang, "range \"-20..100\";"));
    assert_non_null(strstr(yang, "enum \"READ\";"));
    assert_non_null(strstr(yang, "type binary;"));
    free(yang);
    mup_capability_free(capability);
}

/* 4.1.13: the target stood in the command and not in the operation, and calls failed. */
static void the_target_is_taken_whether_the_operation_lists_it_or_not(void **state)
{
    (void)state;
    struct mup_problems problems;
    static const char *const lists[] = {"", "b:c o:hasInput b:u .\nb:u o:hasInput b:deviceUuid .\n",
                                        "b:op o:hasInput b:u .\nb:u o:hasInput b:deviceUuid .\n"};
    for (size_t i = 0; i < 3; i++) {
        char text[4096], *yang = NULL;
        snprintf(text, sizeof text, "%s%s", ONE_RPC, lists[i]);
        struct mup_capability *capability = parse(&problems, text);
        assert_int_equal(capability->rpcs[0].input_count, 0);
        assert_int_equal(mup_yang_module(&yang, capability), MUP_OK);
        assert_non_null(strstr(yang, "leaf uuid {"));
        free(yang);
        mup_capability_free(capability);
    }
}

/* 4.1.14: descriptions of states were paired by place; too many or too few of them raised. */
static void state_descriptions_pair_by_number_and_may_be_too_many_or_too_few(void **state)
{
    (void)state;
    static const struct {
        const char *texts, *expected;
        bool warns;
    } cases[] = {
        {"\"10 done\"", "done", false}, {"\"99 other\"", "", false},
        {"\"done\"", "done", false},    {"\"10 done\", \"11 nothing\"", "done", true},
        {"\"a\", \"b\"", "", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_problems problems;
        char text[4096];
        snprintf(text, sizeof text,
                 "%sb:st o:hasThingProperty b:sd .\nb:sd a b:YangDescription ; "
                 "o:hasDataRestriction_pattern %s .\n",
                 ONE_RPC, cases[i].texts);
        struct mup_capability *capability = parse(&problems, text);
        assert_string_equal(capability->rpcs[0].states[0].description, cases[i].expected);
        assert_int_equal(problems.warning_count > 0, cases[i].warns);
        mup_capability_free(capability);
    }
}

/* 4.1.16: an IRI without `#` raised. */
static void an_iri_without_a_hash_has_a_local_name_too(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability = parse(
        &problems, PREFIXES IDENTITY "b:d o:hasService b:s ; o:hasFunctionality <urn:x:go> .\n"
                                     "b:s o:exposesFunctionality <urn:x:go> ; o:hasOperation "
                                     "b:op .\n<urn:x:go> o:hasCommand b:c .\n"
                                     "b:op o:exposesCommand b:c ; b:mqttMethod \"GO\" ; "
                                     "b:mqttTopic \"go/%s\" .\n" STATES);
    assert_string_equal(capability->rpcs[0].yang_name, "go");
    mup_capability_free(capability);
}

/* 4.1.17: only one of the two namespaces was understood. */
static void both_namespaces_give_the_same_capability(void **state)
{
    (void)state;
    struct mup_problems problems;
    char old[4096] = ONE_RPC;
    char *at = strstr(old, "https://www.cs.uni-potsdam.de/bs/research/myno#");
    assert_non_null(at);
    static const char older[] = "http://yang-netconf-mqtt#";
    memmove(at + sizeof older - 1, at + 47, strlen(at + 47) + 1);
    memcpy(at, older, sizeof older - 1);
    struct mup_capability *capability = parse(&problems, old);
    assert_int_equal(problems.warning_count, 0);
    assert_int_equal(capability->rpc_count, 1);
    assert_string_equal(capability->rpcs[0].topic, "go/%s");
    mup_capability_free(capability);
}

/* 4.1.17: a command with two operations came out as two RPCs. */
static void a_command_with_two_operations_is_one_rpc(void **state)
{
    (void)state;
    struct mup_problems problems;
    struct mup_capability *capability =
        parse(&problems, ONE_RPC "b:s o:hasOperation b:op2 .\nb:op2 o:exposesCommand b:c ; "
                                 "b:mqttTopic \"x/%s\" ; b:mqttMethod \"X\" .\n");
    assert_int_equal(capability->rpc_count, 1);
    mup_capability_free(capability);
}

/* Every fault of the prototype's bridge and the tests that would see it again. */
static const struct {
    unsigned fault;
    const char *what, *file, *test;
} faults[] = {
#define HERE "tests/unit/bridge/test_prototype.c"
    {1, "commands went to the device that came last", HERE,
     "two_devices_of_one_kind_share_the_module_but_not_the_topic"},
    {1, "commands went to the device that came last", "tests/system/bridge/test_bridge.c",
     "only_the_asked_device_with_the_right_correlation_is_believed"},
    {2, "two kinds of one category had one module name", "tests/unit/bridge/test_yang.c",
     "two_kinds_of_one_category_have_two_modules"},
    {3, "registering again made a second copy", HERE,
     "the_same_description_again_is_the_same_capability"},
    {3, "registering again made a second copy", "tests/unit/bridge_devices/test_registry.c",
     "news_of_a_device_keep_its_place"},
    {3, "nothing was kept", "tests/system/bridge/test_bridge.c",
     "devices_and_descriptions_survive_a_killed_bridge"},
    {4, "a piece with a semicolon or half a character broke the description",
     "tests/unit/bridge_devices/test_gather.c", "pieces_of_every_size_join_to_the_whole"},
    {5, "after one bad description none was read any more", HERE,
     "a_bad_description_leaves_nothing_behind_for_the_next"},
    {5, "the device was not told", "tests/unit/bridge_devices/test_judge.c",
     "the_reason_of_a_refusal_comes_back"},
    {6, "pieces without end, order or owner", "tests/unit/bridge_devices/test_gather.c",
     "a_skipped_piece_drops_everything"},
    {6, "pieces without end, order or owner", "tests/unit/bridge_devices/test_gather.c",
     "the_number_of_descriptions_on_their_way_is_bounded"},
    {6, "the UUID of the envelope was not compared", HERE,
     "a_description_of_another_device_is_refused"},
    {7, "an answer of another form raised", "tests/system/bridge/test_bridge.c",
     "answers_that_do_not_fit_are_errors"},
    {8, "anybody could answer, also in advance", "tests/system/bridge/test_bridge.c",
     "only_the_asked_device_with_the_right_correlation_is_believed"},
    {8, "a late answer matched a new request", "tests/system/bridge/test_bridge.c",
     "calls_to_one_device_are_told_apart_and_late_answers_dropped"},
    {8, "answers were not held against the declared states", HERE,
     "an_answer_that_was_never_declared_is_recognised"},
    {9, "a topic without a UUID was heard by two devices", HERE,
     "a_topic_that_two_devices_would_hear_is_marked"},
    {10, "waiting for one device blocked the others", "tests/unit/netconf/test_session.c",
     "sessions_do_not_wait_for_each_other"},
    {11, "a comma in a binary or a text was a separator",
     "tests/unit/bridge_devices/test_arguments.c",
     "separators_of_the_prototype_are_bytes_like_others"},
    {12, "ranges, values and types were not checked", HERE,
     "ranges_values_and_types_reach_the_module"},
    {13, "a target that only the command listed made a call impossible", HERE,
     "the_target_is_taken_whether_the_operation_lists_it_or_not"},
    {14, "descriptions of states were paired by place", HERE,
     "state_descriptions_pair_by_number_and_may_be_too_many_or_too_few"},
    {15, "the YANG was not valid", HERE,
     "the_five_descriptions_of_the_prototype_load_and_give_valid_yang"},
    {15, "errors were replies of success", "tests/system/netconf/test_netconf.c",
     "a_device_that_refuses_is_an_error_with_its_state"},
    {15, "get ignored filters", "tests/unit/netconf/test_rpc.c",
     "subtree_filters_select_as_rfc_6241_says"},
    {15, "get-schema ignored its input", "tests/unit/netconf/test_rpc.c",
     "get_schema_gives_the_text_that_was_added"},
    {15, "modules were not in the hello", "tests/unit/netconf/test_modules.c",
     "open_sessions_call_a_new_module_and_new_ones_see_it_in_hello"},
    {15, "replies were in no namespace", "tests/unit/netconf/test_session.c",
     "a_client_of_base_1_0_is_framed_by_the_mark"},
    {16, "texts went unescaped into the module", "tests/unit/bridge/test_yang.c",
     "texts_that_would_break_a_module_do_not"},
    {16, "an IRI without a hash raised", HERE, "an_iri_without_a_hash_has_a_local_name_too"},
    {17, "structures were ignored", "tests/unit/bridge/test_input.c",
     "a_structured_input_is_a_container_of_its_parts"},
    {17, "one of the two namespaces was not understood", HERE,
     "both_namespaces_give_the_same_capability"},
    {17, "a command with two operations was two RPCs", HERE,
     "a_command_with_two_operations_is_one_rpc"},
    {18, "the broker let everybody in", "tests/unit/mqtt/test_mqtt_broker.c",
     "without_the_password_the_broker_refuses"},
    {18, "one NETCONF user could do everything", "tests/unit/netconf/test_access.c",
     "each_group_may_do_what_is_written_for_it"},
    {18, "the password stood in the code", "tests/unit/runtime/test_mqtt_session.c",
     "a_wrong_password_is_no_connection_until_it_is_mended"},
};

/* A test that is renamed or gone must not leave its fault without one. */
static void each_of_the_eighteen_faults_has_a_test_that_is_there(void **state)
{
    (void)state;
    bool tested[19] = {false};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char path[512], registered[256];
        size_t size = 0;
        snprintf(path, sizeof path, MUP_SOURCE_DIR "/%s", faults[i].file);
        snprintf(registered, sizeof registered, "(%s", faults[i].test);
        char *text = read_whole_file(path, &size);
        if (!text || !strstr(text, registered))
            print_message("fault %u (%s): no test %s in %s\n", faults[i].fault, faults[i].what,
                          faults[i].test, faults[i].file);
        assert_non_null(text);
        assert_non_null(strstr(text, registered));
        tested[faults[i].fault] = true;
        free(text);
    }
    for (unsigned fault = 1; fault <= 18; fault++)
        assert_true(tested[fault]);
}

/* The five files: how many RPCs, how many of them can be used, telemetry, events, inputs. */
static const struct {
    const char *file, *category, *uuid;
    size_t rpcs, usable, telemetry, events, inputs;
} files[] = {
    {"MYNO-Update-v2.jsonld", "TestDevices", "TEST-DEVICE-MUP", 7, 4, 1, 0, 28},
    {"brightness_led_smoke.owl", "SETUP-2", "%s", 3, 0, 2, 0, 1},
    {"nrf52840dk-co2.owl", "NRF52840DK-1", "%s", 0, 0, 1, 0, 0},
    {"ontology_led+sensor.jsonld", "TestDevices", "TEST-DEVICE-SENSOR+LED", 2, 0, 1, 0, 0},
    {"prototype_units-events.owl", "BoardName", "%s", 8, 8, 6, 2, 14},
};

static void check_file(const struct mup_capability *capability, size_t at)
{
    size_t usable = 0, inputs = 0;
    for (size_t i = 0; i < capability->rpc_count; i++) {
        usable += capability->rpcs[i].topic_fault == MUP_TOPIC_OK;
        inputs += capability->rpcs[i].input_count;
        assert_int_equal(capability->rpcs[i].state_count, 3);
    }
    assert_string_equal(capability->category, files[at].category);
    assert_string_equal(capability->uuid, files[at].uuid);
    assert_int_equal(capability->rpc_count, files[at].rpcs);
    assert_int_equal(usable, files[at].usable);
    assert_int_equal(capability->telemetry_count, files[at].telemetry);
    assert_int_equal(capability->event_count, files[at].events);
    assert_int_equal(inputs, files[at].inputs);
}

static void the_five_descriptions_of_the_prototype_load_and_give_valid_yang(void **state)
{
    (void)state;
    struct ly_ctx *context = NULL;
    assert_int_equal(ly_ctx_new(MUP_SOURCE_DIR "/edge/bridge/yang",
                                LY_CTX_NO_YANGLIBRARY | LY_CTX_DISABLE_SEARCHDIR_CWD, &context),
                     LY_SUCCESS);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[512], *yang = NULL;
        size_t size = 0;
        snprintf(path, sizeof path, "%s%s", DESCRIPTIONS, files[i].file);
        char *text = read_whole_file(path, &size);
        if (!text) {
            print_message("%s is not there: nothing to test\n", path);
            ly_ctx_destroy(context);
            skip();
            return;
        }
        struct mup_problems problems;
        struct mup_capability *capability = parse(&problems, text);
        check_file(capability, i);
        assert_int_equal(mup_yang_module(&yang, capability), MUP_OK);
        assert_int_equal(lys_parse_mem(context, yang, LYS_IN_YANG, NULL), LY_SUCCESS);
        free(yang);
        mup_capability_free(capability);
        free(text);
    }
    ly_ctx_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_devices_of_one_kind_share_the_module_but_not_the_topic),
        cmocka_unit_test(the_same_description_again_is_the_same_capability),
        cmocka_unit_test(a_bad_description_leaves_nothing_behind_for_the_next),
        cmocka_unit_test(a_description_of_another_device_is_refused),
        cmocka_unit_test(an_answer_that_was_never_declared_is_recognised),
        cmocka_unit_test(a_topic_that_two_devices_would_hear_is_marked),
        cmocka_unit_test(ranges_values_and_types_reach_the_module),
        cmocka_unit_test(the_target_is_taken_whether_the_operation_lists_it_or_not),
        cmocka_unit_test(state_descriptions_pair_by_number_and_may_be_too_many_or_too_few),
        cmocka_unit_test(an_iri_without_a_hash_has_a_local_name_too),
        cmocka_unit_test(both_namespaces_give_the_same_capability),
        cmocka_unit_test(a_command_with_two_operations_is_one_rpc),
        cmocka_unit_test(each_of_the_eighteen_faults_has_a_test_that_is_there),
        cmocka_unit_test(the_five_descriptions_of_the_prototype_load_and_give_valid_yang),
    };
    return cmocka_run_group_tests(tests, open_describer, close_describer);
}
