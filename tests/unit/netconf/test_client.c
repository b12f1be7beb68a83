/* The NETCONF client against the server: each call is answered exactly once. */
#include "netconf_rig.h"

#include "runtime/netconf_client.h"

static struct mup_netconf_client *client;
static size_t opened;
static size_t ended;
static size_t answers;
static enum mup_netconf_outcome outcomes[8];
static char texts[8][64];
static bool free_in_callback;

static void on_state(void *arg, bool open)
{
    (void)arg;
    *(open ? &opened : &ended) += 1;
}

static void on_reply(void *arg, const struct mup_netconf_reply *reply)
{
    size_t index = (size_t)(uintptr_t)arg;

    assert_int_equal(index, answers); /* in order */
    outcomes[index] = reply->outcome;
    if (reply->outcome == MUP_NETCONF_OK) {
        if (mup_netconf_reply_text(reply, "token", texts[index], sizeof texts[index])) {
            strcpy(texts[index], "ok");
        }
    } else {
        strncpy(texts[index], reply->error_tag, sizeof texts[index] - 1);
    }
    answers++;
    if (free_in_callback) {
        mup_netconf_client_free(client);
        client = NULL;
    }
}

static int start(void **state)
{
    struct mup_netconf_client_settings settings = {.socket_path = rig_socket, .user = "alice"};

    rig_start(state);
    opened = ended = answers = 0;
    free_in_callback = false;
    memset(texts, 0, sizeof texts);
    client = mup_netconf_client_new(&rig_loop, &settings, on_state, NULL);
    assert_non_null(client);
    return 0;
}

static int stop(void **state)
{
    mup_netconf_client_free(client);
    return rig_stop(state);
}

static enum mup_status call(size_t index, const char *xml, uint32_t timeout_ms)
{
    return mup_netconf_client_call(client, xml, timeout_ms, on_reply, (void *)(uintptr_t)index);
}

static void calls_made_before_the_hello_are_answered_in_order(void **state)
{
    (void)state;
    assert_int_equal(call(0, TOKEN("fast"), RIG_WAIT_MS), MUP_OK);
    assert_int_equal(call(1, "<stop xmlns=\"urn:toy\"/>", RIG_WAIT_MS), MUP_OK);
    assert_int_equal(call(2, "<none xmlns=\"urn:toy\"/>", RIG_WAIT_MS), MUP_OK);
    assert_int_equal(answers, 0);
    rig_wait_count(&answers, 3);
    assert_int_equal(opened, 1);
    assert_string_equal(texts[0], "t");
    assert_string_equal(texts[1], "ok");
    assert_int_equal(outcomes[2], MUP_NETCONF_ERROR);
    assert_string_equal(texts[2], "operation-not-supported");
}

static void a_call_that_is_overdue_ends_the_session(void **state)
{
    (void)state;
    rig_wait_count(&opened, 1);
    assert_int_equal(call(0, TOKEN("slow"), 50), MUP_OK);
    assert_int_equal(call(1, TOKEN("fast"), RIG_WAIT_MS), MUP_OK);
    rig_wait_count(&ended, 1);
    assert_int_equal(answers, 2);
    assert_int_equal(outcomes[0], MUP_NETCONF_TIMEOUT);
    assert_int_equal(outcomes[1], MUP_NETCONF_LOST);
    rig_wait_count(&rig_cancelled, 1);
    assert_int_equal(call(2, TOKEN("fast"), 1), MUP_ERR_STATE);
}

static void a_server_that_goes_loses_all_calls(void **state)
{
    (void)state;
    assert_int_equal(call(0, TOKEN("slow"), RIG_WAIT_MS), MUP_OK);
    assert_int_equal(call(1, TOKEN("fast"), RIG_WAIT_MS), MUP_OK);
    rig_wait_count(&rig_request_count, 1);
    struct peer killer = peer_connect();
    peer_send(&killer, "as alice\n" HELLO(BASE_1_0, ""));
    peer_expect(&killer, "</hello>]]>]]>");
    peer_send(&killer, RPC("<kill-session><session-id>1</session-id></kill-session>"));
    rig_wait_count(&ended, 1);
    assert_int_equal(answers, 2);
    assert_int_equal(outcomes[0], MUP_NETCONF_LOST);
    assert_int_equal(outcomes[1], MUP_NETCONF_LOST);
    peer_free(&killer);
}

static void a_callback_may_free_the_client(void **state)
{
    (void)state;
    free_in_callback = true;
    assert_int_equal(call(0, TOKEN("fast"), RIG_WAIT_MS), MUP_OK);
    assert_int_equal(call(1, TOKEN("fast"), RIG_WAIT_MS), MUP_OK);
    rig_wait_count(&answers, 1);
    rig_turn();
    assert_int_equal(answers, 1);
    assert_int_equal(ended, 0);
}

static void freeing_a_client_cancels_its_call_without_an_answer(void **state)
{
    (void)state;
    assert_int_equal(call(0, TOKEN("slow"), RIG_WAIT_MS), MUP_OK);
    rig_wait_count(&rig_request_count, 1);
    mup_netconf_client_free(client);
    client = NULL;
    rig_wait_count(&rig_cancelled, 1);
    assert_int_equal(answers, 0);
}

static void a_server_that_is_not_there_is_a_lost_session(void **state)
{
    struct mup_netconf_client_settings settings = {.socket_path = "/nowhere", .user = "a"};
    (void)state;

    rig_wait_count(&opened, 1);
    mup_netconf_client_free(client);
    client = mup_netconf_client_new(&rig_loop, &settings, on_state, NULL);
    assert_non_null(client);
    assert_int_equal(call(0, TOKEN("fast"), RIG_WAIT_MS), MUP_OK);
    rig_wait_count(&ended, 1);
    assert_int_equal(answers, 1);
    assert_int_equal(outcomes[0], MUP_NETCONF_LOST);
}

static void what_is_not_one_element_is_not_sent(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "<a>",
                                      "<a/><b/>",
                                      "<a/></rpc><rpc>",
                                      "<?xml version=\"1.0\"?><a/>",
                                      "<!DOCTYPE a><a/>"};
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(call(0, bad[i], 1), MUP_ERR_FORMAT);
    }
    for (size_t i = 0; i < MUP_NETCONF_CALLS_MAX; i++) {
        assert_int_equal(call(i, TOKEN("slow"), RIG_WAIT_MS), MUP_OK);
    }
    assert_int_equal(call(0, TOKEN("slow"), 1), MUP_ERR_BUSY);
    mup_netconf_client_free(client);
    client = NULL;
}

static void text_is_appended_escaped_or_not_at_all(void **state)
{
    char xml[20] = "<a>";
    (void)state;

    assert_int_equal(mup_netconf_append_escaped(xml, 8, "<"), MUP_OK);
    assert_string_equal(xml, "<a>&lt;");
    assert_int_equal(mup_netconf_append_escaped(xml, 8, "x"), MUP_ERR_SPACE);
    assert_int_equal(mup_netconf_append_escaped(xml, sizeof xml, "\x01"), MUP_ERR_FORMAT);
    assert_string_equal(xml, "<a>&lt;");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_made_before_the_hello_are_answered_in_order),
        TEST(a_call_that_is_overdue_ends_the_session),
        TEST(a_server_that_goes_loses_all_calls),
        TEST(a_callback_may_free_the_client),
        TEST(freeing_a_client_cancels_its_call_without_an_answer),
        TEST(a_server_that_is_not_there_is_a_lost_session),
        TEST(what_is_not_one_element_is_not_sent),
        TEST(text_is_appended_escaped_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
