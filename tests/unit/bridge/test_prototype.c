/*
 * The faults of the prototype's bridge that a description can cause, one test each, and the five
 * descriptions of the prototype, which lie beside the project where somebody has put them.
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
        cmocka_unit_test(the_five_descriptions_of_the_prototype_load_and_give_valid_yang),
    };
    return cmocka_run_group_tests(tests, open_describer, close_describer);
}
