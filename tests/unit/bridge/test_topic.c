/* Filling and judging topics, and looking up states: what the bridge does for each command. */
#include "bridge_support.h"

static void expect_filled(const char *topic, const char *name, const char *expected)
{
    size_t size = strlen(expected) + 1;
    char *out = malloc(size);
    assert_non_null(out);
    for (size_t small = 0; small < size; small++) {
        memset(out, 'x', size);
        assert_int_equal(mup_topic_fill(out, small, topic, name), MUP_ERR_SPACE);
        assert_int_equal(out[0], 'x');
    }
    assert_int_equal(mup_topic_fill(out, size, topic, name), MUP_OK);
    assert_string_equal(out, expected);
    free(out);
}

static void a_template_is_filled_and_a_short_buffer_is_left_alone(void **state)
{
    (void)state;
    expect_filled("led/%s", "d1", "led/d1");
    expect_filled("%s/%s", "name", "name/name");
    expect_filled("a%%b/%s", "x", "a%b/x");
    expect_filled("a%%s", "x", "a%s");
    expect_filled("100%", "x", "100%");
    expect_filled("%d", "x", "%d");
    expect_filled("", "x", "");
}

static void a_topic_must_have_the_name_as_a_whole_level(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        enum mup_topic_fault fault;
    } cases[] = {
        {"led/d1", MUP_TOPIC_OK},       {"d1", MUP_TOPIC_OK},
        {"d1/led", MUP_TOPIC_OK},       {"a/d1/b", MUP_TOPIC_OK},
        {"/d1", MUP_TOPIC_OK},          {"a//d1/", MUP_TOPIC_OK},
        {"led", MUP_TOPIC_NOT_OWN},     {"led/d12", MUP_TOPIC_NOT_OWN},
        {"led/xd1", MUP_TOPIC_NOT_OWN}, {"led/d1x/d", MUP_TOPIC_NOT_OWN},
        {"", MUP_TOPIC_TEXT},           {"a/\n/d1", MUP_TOPIC_TEXT},
        {"a/\x7f/d1", MUP_TOPIC_TEXT},  {"#/d1", MUP_TOPIC_WILDCARD},
        {"+/d1", MUP_TOPIC_WILDCARD},   {"a+b/d1", MUP_TOPIC_WILDCARD},
        {"$SYS/d1", MUP_TOPIC_DOLLAR},  {"a/$b/d1", MUP_TOPIC_DOLLAR},
        {"a$b/d1", MUP_TOPIC_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(mup_topic_check(cases[i].topic, "d1"), cases[i].fault);
}

static void a_name_with_a_slash_or_none_owns_no_topic(void **state)
{
    (void)state;
    assert_int_equal(mup_topic_check("a/b/c", "b/c"), MUP_TOPIC_NOT_OWN);
    assert_int_equal(mup_topic_check("a//c", ""), MUP_TOPIC_NOT_OWN);
}

static void the_longest_topic_is_counted_in_bytes(void **state)
{
    (void)state;
    char topic[MUP_TOPIC_SIZE_MAX + 2];
    memset(topic, 'a', sizeof topic);
    memcpy(topic, "d1/", 3);
    topic[MUP_TOPIC_SIZE_MAX] = '\0';
    assert_int_equal(mup_topic_check(topic, "d1"), MUP_TOPIC_OK);
    topic[MUP_TOPIC_SIZE_MAX] = 'a';
    topic[MUP_TOPIC_SIZE_MAX + 1] = '\0';
    assert_int_equal(mup_topic_check(topic, "d1"), MUP_TOPIC_TEXT);
}

static void every_fault_has_a_text(void **state)
{
    (void)state;
    for (int fault = MUP_TOPIC_OK; fault <= MUP_TOPIC_TEXT; fault++)
        assert_true(strlen(mup_topic_fault_text((enum mup_topic_fault)fault)) > 5);
}

static void states_are_found_by_code_and_by_text(void **state)
{
    (void)state;
    static const struct mup_declared_state states[] = {
        {"10_OK", 10, ""}, {"22_INVALID_NONCE", 22, ""}, {"ERROR", MUP_NO_STATE_CODE, ""}};
    const struct mup_rpc rpc = {.states = states, .state_count = 3};
    assert_ptr_equal(mup_rpc_state_by_code(&rpc, 22), &states[1]);
    assert_null(mup_rpc_state_by_code(&rpc, 11));
    assert_null(mup_rpc_state_by_code(&rpc, -1));
    assert_null(mup_rpc_state_by_code(&rpc, INT64_C(0x10000000a)));
    assert_ptr_equal(mup_rpc_state_by_text(&rpc, "ERROR"), &states[2]);
    assert_null(mup_rpc_state_by_text(&rpc, "error"));
}

static void the_digest_is_sha256_of_the_template(void **state)
{
    (void)state; /* FIPS 180-4, "abc" */
    static const uint8_t expected[MUP_DESCRIPTION_DIGEST_SIZE] = {
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
        0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
        0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    uint8_t digest[MUP_DESCRIPTION_DIGEST_SIZE];
    assert_int_equal(mup_description_digest(digest, "abc", 3), MUP_OK);
    assert_memory_equal(digest, expected, sizeof digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_template_is_filled_and_a_short_buffer_is_left_alone),
        cmocka_unit_test(a_topic_must_have_the_name_as_a_whole_level),
        cmocka_unit_test(a_name_with_a_slash_or_none_owns_no_topic),
        cmocka_unit_test(the_longest_topic_is_counted_in_bytes),
        cmocka_unit_test(every_fault_has_a_text),
        cmocka_unit_test(states_are_found_by_code_and_by_text),
        cmocka_unit_test(the_digest_is_sha256_of_the_template),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
