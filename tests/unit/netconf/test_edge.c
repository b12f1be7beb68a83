/* What the update server makes of the bridge's answers, over a real session. */
#include "netconf_rig.h"

#include <stdio.h>

#include "server/edge.h"

struct seen {
    size_t count;
    bool answered;
    bool again;
    uint32_t state;
    uint8_t value[64];
    size_t value_size;
    char reason[33];
};

static void on_answer(void *arg, const struct mup_update_answer *answer, bool again,
                      const char *reason, const char *message)
{
    struct seen *seen = arg;

    (void)message;
    seen->count++;
    seen->answered = answer != NULL;
    seen->again = again;
    snprintf(seen->reason, sizeof seen->reason, "%s", reason);
    if (answer != NULL) {
        assert_in_range(answer->value_size, 0, sizeof seen->value);
        seen->state = answer->state;
        seen->value_size = answer->value_size;
        memcpy(seen->value, answer->value, answer->value_size);
    }
}

/* A call whose refusal is answered with this value (NULL: none). */
static struct seen refuse_with(const char *app_tag, const char *value)
{
    static const struct mup_directory_device device = {.uuid = "u1", .xml_space = "urn:toy"};
    const struct mup_edge_settings settings = {.socket_path = rig_socket, .user = "mup-server"};
    struct mup_edge *edge = mup_edge_new(&rig_loop, &settings);
    struct seen seen = {0};
    size_t wanted = rig_request_count + 1;

    assert_non_null(edge);
    assert_non_null(mup_edge_call(edge, &device, MUP_EDGE_TOKEN, (struct mup_bytes){NULL, 0},
                                  on_answer, &seen));
    rig_wait_count(&rig_request_count, wanted);
    mup_netconf_reply_refusal(rig_requests[wanted - 1], app_tag, "the device refused", value);
    rig_wait_count(&seen.count, 1);
    mup_edge_free(edge);
    return seen;
}

static void a_refusal_brings_the_value_that_the_device_sent(void **state)
{
    struct seen seen = refuse_with("39_INCOMPLETE", "pAEBAhQ=");

    (void)state;
    assert_true(seen.answered);
    assert_int_equal(seen.state, 39);
    assert_int_equal(seen.value_size, 5);
    assert_memory_equal(seen.value, "\xa4\x01\x01\x02\x14", 5);
}

static void a_refusal_without_a_value_is_the_state_alone(void **state)
{
    struct seen seen = refuse_with("38_NO_MANIFEST", NULL);

    (void)state;
    assert_true(seen.answered);
    assert_int_equal(seen.state, 38);
    assert_int_equal(seen.value_size, 0);
}

static void a_refusal_with_a_value_that_is_no_base64_is_no_answer(void **state)
{
    struct seen seen = refuse_with("39_INCOMPLETE", "*");

    (void)state;
    assert_false(seen.answered);
    assert_false(seen.again);
    assert_string_equal(seen.reason, "answer-not-valid");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_start, rig_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_refusal_brings_the_value_that_the_device_sent),
        TEST(a_refusal_without_a_value_is_the_state_alone),
        TEST(a_refusal_with_a_value_that_is_no_base64_is_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
