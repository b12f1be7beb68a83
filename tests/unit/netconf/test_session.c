/* Sessions: names, hellos, framing, queue and end (RFC 6241 8.1, 4.5; RFC 6242 4). */
#include "netconf_rig.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define MALFORMED "<error-tag>malformed-message</error-tag>"

static void a_client_of_base_1_0_is_framed_by_the_mark(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, RPC(TOKEN("fast")));
    peer_expect(&peer, "<token xmlns=\"urn:toy\">t</token></rpc-reply>]]>]]>");
    peer_free(&peer);
}

static void both_sides_of_base_1_1_go_over_to_chunks(void **state)
{
    struct peer peer = peer_connect();
    (void)state;

    peer_send(&peer, "as alice\n" HELLO(
                         BASE_1_0 BASE_1_1,
                         "") "\n#20\n<rpc message-id=\"2\" \n#56\n"
                             "xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\"><get-con\n#37\n"
                             "fig><source><running/></source></get-\n#13\nconfig></rpc>\n##\n");
    peer_expect(&peer, "]]>]]>\n#");
    peer_expect(&peer, "\n<rpc-reply xmlns=\"" BASE_NS "\" message-id=\"2\"><data><nacm ");
    peer_expect(&peer, "</data></rpc-reply>\n##\n");
    peer_free(&peer);
}

static void the_hello_may_come_byte_by_byte(void **state)
{
    static const char hello[] = "as alice\n" HELLO(BASE_1_0, "");
    struct peer peer = peer_connect();
    (void)state;

    for (size_t i = 0; i < sizeof hello - 1; i++) {
        peer_send_bytes(&peer, hello + i, 1);
    }
    peer_send(&peer, RPC("<stop xmlns=\"urn:toy\"/>"));
    peer_expect(&peer, "<ok/>");
    peer_free(&peer);
}

static void a_hello_that_cannot_be_answered_ends_the_session(void **state)
{
    static const char *const hellos[] = {
        HELLO("", ""),
        HELLO("<capability>urn:ietf:params:netconf:base:2.0</capability>", ""),
        HELLO(BASE_1_0, "<session-id>4</session-id>"),
        "<rpc/>]]>]]>",
        "garbage]]>]]>",
        "]]>]]>",
        "<!DOCTYPE hello>" HELLO(BASE_1_0, ""),
    };
    (void)state;

    for (size_t i = 0; i < sizeof hellos / sizeof hellos[0]; i++) {
        struct peer peer = peer_connect();
        peer_send(&peer, "as alice\n");
        peer_expect(&peer, "</hello>]]>]]>");
        peer_send(&peer, hellos[i]);
        peer_expect_close(&peer);
        peer_free(&peer);
    }
    assert_int_equal(mup_netconf_session_count(rig_server), 0);
}

static void a_first_line_that_names_nobody_ends_the_session(void **state)
{
    static const char *const lines[] = {"alice\n",
                                        "as \n",
                                        "as a b\n",
                                        "as a\"b\n",
                                        "\n",
                                        "as alice\r\n",
                                        HELLO(BASE_1_0, "") "\n"};
    char line[300];
    (void)state;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct peer peer = peer_connect();
        peer_send(&peer, lines[i]);
        peer_expect_close(&peer);
        assert_int_equal(peer.size, 0);
        peer_free(&peer);
    }
    for (size_t size = MUP_NETCONF_USER_SIZE_MAX; size <= 256; size++) {
        struct peer peer = peer_connect();
        snprintf(line, sizeof line, "as %0*d\n", (int)size, 7);
        peer_send(&peer, line);
        if (size == MUP_NETCONF_USER_SIZE_MAX) {
            peer_expect(&peer, "</hello>]]>]]>");
        } else {
            peer_expect_close(&peer);
        }
        peer_free(&peer);
    }
}

static void a_uid_that_is_not_listed_may_use_no_name(void **state)
{
    static const struct mup_netconf_backend backend = {0};
    struct mup_netconf *own = rig_server;
    char error[MUP_NETCONF_ERROR_SIZE];
    char path[80];
    uid_t other = getuid() + 1;
    uid_t self = getuid();
    (void)state;

    snprintf(path, sizeof path, "%s2", rig_socket);
    struct mup_netconf_settings settings = {.socket_path = path,
                                            .uids = &self,
                                            .uid_count = 1,
                                            .update_uids = &other,
                                            .update_uid_count = 1};
    rig_server = mup_netconf_new(&rig_loop, &settings, &backend, error);
    assert_non_null(rig_server);
    strcat(rig_socket, "2");
    struct peer peer = peer_connect();
    peer_send(&peer, "as mup-server\n");
    peer_expect_close(&peer);
    assert_int_equal(peer.size, 0);
    peer_free(&peer);
    peer = peer_connect();
    peer_send(&peer, "as alice\n");
    peer_expect(&peer, "</hello>]]>]]>");
    peer_free(&peer);
    mup_netconf_free(rig_server);
    rig_turn();
    rig_socket[strlen(rig_socket) - 1] = '\0';
    rig_server = own;
}

/* Long before the time that a session has for its first line, which it could use to hold a place.
 */
static void a_uid_that_may_use_no_name_is_sent_away_before_it_says_one(void **state)
{
    static const struct mup_netconf_backend backend = {0};
    struct mup_netconf *own = rig_server;
    char error[MUP_NETCONF_ERROR_SIZE];
    char path[80];
    uid_t other = getuid() + 1;
    uint64_t begin_ms = mup_loop_now_ms(&rig_loop);
    (void)state;

    snprintf(path, sizeof path, "%s2", rig_socket);
    struct mup_netconf_settings settings = {.socket_path = path,
                                            .uids = &other,
                                            .uid_count = 1,
                                            .update_uids = &other,
                                            .update_uid_count = 1};
    rig_server = mup_netconf_new(&rig_loop, &settings, &backend, error);
    assert_non_null(rig_server);
    strcat(rig_socket, "2");
    struct peer peer = peer_connect();
    peer_expect_close(&peer);
    assert_int_equal(peer.size, 0);
    assert_true(mup_loop_now_ms(&rig_loop) - begin_ms < MUP_NETCONF_HELLO_WAIT_MS / 2);
    peer_free(&peer);
    mup_netconf_free(rig_server);
    rig_turn();
    rig_socket[strlen(rig_socket) - 1] = '\0';
    rig_server = own;
}

static void a_broken_chunk_ends_its_session_and_no_other(void **state)
{
    struct peer witness = peer_open();
    struct peer peer = peer_connect();
    (void)state;

    peer_send(&peer, "as alice\n" HELLO(BASE_1_1, "") "\n#zzz\n");
    peer_expect(&peer, "</hello>]]>]]>");
    peer_expect_close(&peer);
    peer_free(&peer);
    peer_send(&witness, RPC(TOKEN("fast")));
    peer_expect(&witness, "<token");
    peer_free(&witness);
}

static void a_message_that_is_too_large_ends_the_session(void **state)
{
    struct peer peer = peer_open();
    char *text = malloc(MUP_NETCONF_MESSAGE_SIZE_MAX + 100);
    (void)state;

    assert_non_null(text);
    memset(text, 'x', MUP_NETCONF_MESSAGE_SIZE_MAX + 100);
    peer_send_bytes(&peer, text, MUP_NETCONF_MESSAGE_SIZE_MAX + 100);
    peer_expect_close(&peer);
    free(text);
    peer_free(&peer);
}

static struct peer open_chunked(void)
{
    struct peer peer = peer_connect();

    peer_send(&peer, "as alice\n" HELLO(BASE_1_1, ""));
    peer_expect(&peer, "</hello>]]>]]>");
    return peer;
}

static void send_chunk(struct peer *peer, const char *message)
{
    char header[32];

    snprintf(header, sizeof header, "\n#%zu\n", strlen(message));
    peer_send(peer, header);
    peer_send(peer, message);
    peer_send(peer, "\n##\n");
}

static void messages_that_are_no_rpc_are_malformed_and_the_session_lives(void **state)
{
    static const char *const messages[] = {
        "x",
        "<rpc",
        "<rpc xmlns=\"" BASE_NS "\" message-id=\"1\"><get></rpc>",
        "<!DOCTYPE rpc [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><rpc>&b;</rpc>",
        "<rpc message-id=\"1\"><get/></rpc>",
        "<hello xmlns=\"" BASE_NS "\"/>",
        "<devices xmlns=\"urn:mup:myno-devices\"/>",
    };
    struct peer peer = open_chunked();
    (void)state;

    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        send_chunk(&peer, messages[i]);
        peer_expect(&peer, MALFORMED);
        peer_expect(&peer, "\n##\n");
    }
    char *deep = calloc(1, 600000);
    assert_non_null(deep);
    for (size_t i = 0; i < 199999; i++) {
        memcpy(deep + 3 * i, "<a>", 3);
    }
    send_chunk(&peer, deep);
    free(deep);
    peer_expect(&peer, MALFORMED);
    send_chunk(&peer, "<rpc xmlns=\"" BASE_NS "\" message-id=\"1\">" TOKEN("fast") "</rpc>");
    peer_expect(&peer, "<token");
    peer_free(&peer);
}

static void every_truncation_of_an_rpc_is_malformed(void **state)
{
    static const char rpc[] = "<rpc xmlns=\"" BASE_NS "\" message-id=\"1\">" TOKEN("fast") "</rpc>";
    struct peer peer = open_chunked();
    char part[sizeof rpc];
    (void)state;

    for (size_t size = 1; size < sizeof rpc - 1; size++) {
        memcpy(part, rpc, size);
        part[size] = '\0';
        send_chunk(&peer, part);
        peer_expect(&peer, MALFORMED);
    }
    peer_free(&peer);
}

static void to_base_1_0_a_malformed_message_is_the_end(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, "<rpc>]]>]]>");
    peer_expect_close(&peer);
    assert_null(strstr(peer.bytes, "malformed"));
    peer_free(&peer);
}

static void pipelined_requests_are_answered_in_their_order(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, RPC_ID("11", TOKEN("slow")) RPC_ID("12", TOKEN("fast"))
                         RPC_ID("13", "<stop xmlns=\"urn:toy\"/>"));
    rig_wait_count(&rig_request_count, 1);
    rig_turn();
    assert_int_equal(rig_begun, 1);
    assert_int_equal(mup_netconf_reply_xml(rig_requests[0], "<token xmlns=\"urn:toy\">s</token>"),
                     MUP_OK);
    peer_expect(&peer, "message-id=\"11\"><token xmlns=\"urn:toy\">s<");
    peer_expect(&peer, "message-id=\"12\"><token xmlns=\"urn:toy\">t<");
    peer_expect(&peer, "message-id=\"13\"><ok/>");
    peer_free(&peer);
}

static void sessions_do_not_wait_for_each_other(void **state)
{
    struct peer slow = peer_open();
    struct peer fast = peer_open();
    (void)state;

    peer_send(&slow, RPC(TOKEN("slow")));
    rig_wait_count(&rig_request_count, 1);
    peer_send(&fast, RPC(TOKEN("fast")));
    peer_expect(&fast, "<token");
    mup_netconf_reply_ok(rig_requests[0]);
    peer_expect(&slow, "<ok/>");
    peer_free(&slow);
    peer_free(&fast);
}

/* In one piece: a pipe holds fewer small writes. */
static void send_many(struct peer *peer, const char *text, size_t count)
{
    size_t size = strlen(text);
    char *all = malloc(count * size);

    assert_non_null(all);
    for (size_t i = 0; i < count; i++) {
        memcpy(all + i * size, text, size);
    }
    peer_send_bytes(peer, all, count * size);
    free(all);
}

static void more_requests_than_the_queue_holds_wait_in_the_pipe(void **state)
{
    struct peer peer = peer_open();
    const size_t count = 4 * MUP_NETCONF_QUEUE_COUNT_MAX;
    (void)state;

    peer_send(&peer, RPC(TOKEN("slow")));
    rig_wait_count(&rig_request_count, 1);
    send_many(&peer, RPC(TOKEN("fast")), count);
    for (int i = 0; i < 10; i++) {
        rig_turn();
    }
    assert_int_equal(rig_begun, 1);
    mup_netconf_reply_ok(rig_requests[0]);
    peer_expect(&peer, "<ok/>");
    for (size_t i = 0; i < count; i++) {
        peer_expect(&peer, "<token");
    }
    assert_int_equal(rig_begun, count + 1);
    peer_free(&peer);
}

static void a_peer_that_only_sends_fills_its_pipe_and_not_our_memory(void **state)
{
    static const char rpc[] = RPC(TOKEN("fast"));
    struct peer peer = peer_open();
    size_t sent = 0;
    (void)state;

    peer_send(&peer, RPC(TOKEN("slow")));
    rig_wait_count(&rig_request_count, 1);
    for (int refused = 0; refused < 100 && sent < 4u << 20;) {
        ssize_t size = send(peer.fd, rpc + sent % (sizeof rpc - 1),
                            sizeof rpc - 1 - sent % (sizeof rpc - 1), MSG_NOSIGNAL);
        refused = size > 0 ? 0 : refused + 1;
        sent += size > 0 ? (size_t)size : 0;
        rig_turn();
    }
    assert_true(sent < 1u << 20);
    assert_int_equal(rig_begun, 1);
    peer_free(&peer);
}

static void the_death_of_a_session_cancels_what_is_in_work(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, RPC(TOKEN("slow")) RPC(TOKEN("slow")));
    rig_wait_count(&rig_request_count, 1);
    peer_free(&peer);
    rig_wait_count(&rig_cancelled, 1);
    assert_int_equal(rig_begun, 1);
    assert_int_equal(mup_netconf_session_count(rig_server), 0);
}

/* ssh -s netconf < requests: the pipe ends long before the answers are there. */
static void a_peer_that_ends_its_stream_gets_every_answer(void **state)
{
    const char *order[] = {"message-id=\"1\"", "message-id=\"2\"", "message-id=\"3\""};
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, RPC_ID("1", TOKEN("slow")) RPC_ID("2", TOKEN("fast"))
                         RPC_ID("3", TOKEN("slow")) "<rpc message-id=\"4\"");
    rig_wait_count(&rig_request_count, 1);
    assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
    for (int i = 0; i < 20; i++) {
        rig_turn();
    }
    assert_int_equal(mup_netconf_session_count(rig_server), 1);
    mup_netconf_reply_ok(rig_requests[0]);
    peer_expect(&peer, order[0]);
    peer_expect(&peer, order[1]);
    rig_wait_count(&rig_request_count, 2);
    mup_netconf_reply_ok(rig_requests[1]);
    peer_expect(&peer, order[2]);
    peer_expect_close(&peer);
    assert_null(strstr(peer.bytes, "message-id=\"4\""));
    assert_int_equal(rig_cancelled, 0);
    peer_free(&peer);
}

static void a_stream_that_ends_with_nothing_asked_ends_the_session(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
    peer_expect_close(&peer);
    assert_int_equal(mup_netconf_session_count(rig_server), 0);
    peer_free(&peer);
}

static void more_requests_than_the_queue_holds_are_answered_after_the_end(void **state)
{
    enum { count = 3 * MUP_NETCONF_QUEUE_COUNT_MAX };
    struct peer peer = peer_open();
    size_t answers = 0;
    (void)state;

    peer_send(&peer, RPC(TOKEN("slow")));
    send_many(&peer, RPC(TOKEN("fast")), count);
    assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
    rig_wait_count(&rig_request_count, 1);
    mup_netconf_reply_ok(rig_requests[0]);
    peer_expect_close(&peer);
    for (const char *at = peer.bytes; (at = strstr(at, "</rpc-reply>")); at++) {
        answers++;
    }
    assert_int_equal(answers, count + 1);
    peer_free(&peer);
}

static void a_peer_that_dies_after_its_stream_ended_cancels_what_is_in_work(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, RPC(TOKEN("slow")) RPC(TOKEN("slow")));
    rig_wait_count(&rig_request_count, 1);
    assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
    for (int i = 0; i < 20; i++) {
        rig_turn();
    }
    assert_int_equal(rig_cancelled, 0);
    peer_free(&peer);
    rig_wait_count(&rig_cancelled, 1);
    assert_int_equal(rig_begun, 1);
    assert_int_equal(mup_netconf_session_count(rig_server), 0);
}

static void killing_a_session_cancels_what_is_in_work(void **state)
{
    struct peer victim = peer_open();
    struct peer killer = peer_open();
    (void)state;

    peer_send(&victim, RPC(TOKEN("slow")));
    rig_wait_count(&rig_request_count, 1);
    peer_send(&killer, RPC("<kill-session><session-id>1</session-id></kill-session>"));
    peer_expect(&killer, "<ok/>");
    assert_int_equal(rig_cancelled, 1);
    peer_expect_close(&victim);
    peer_free(&victim);
    peer_free(&killer);
}

static void stopping_the_server_cancels_what_is_in_work(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, RPC(TOKEN("slow")));
    rig_wait_count(&rig_request_count, 1);
    rig_stop(NULL);
    assert_int_equal(rig_cancelled, 1);
    close(peer.fd);
    free(peer.bytes);
    rig_start(NULL);
}

static void close_session_answers_and_ends_what_is_behind_it(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, RPC("<close-session/>") RPC(TOKEN("fast")));
    peer_expect(&peer, "<ok/></rpc-reply>]]>]]>");
    peer_expect_close(&peer);
    assert_int_equal(peer.seen, peer.size);
    assert_int_equal(rig_begun, 0);
    peer_free(&peer);
}

static void no_more_sessions_than_allowed(void **state)
{
    (void)state;
    rig_stop(NULL);
    static const struct mup_netconf_backend backend = {0};
    uid_t self = getuid();
    struct mup_netconf_settings settings = {
        .socket_path = rig_socket, .uids = &self, .uid_count = 1, .sessions_max = 1};
    assert_int_equal(mup_loop_init(&rig_loop, NULL, NULL), MUP_OK);
    rig_server = mup_netconf_new(&rig_loop, &settings, &backend, rig_error);
    assert_non_null(rig_server);
    struct peer first = peer_open();
    struct peer second = peer_connect();
    peer_expect_close(&second);
    peer_free(&second);
    peer_free(&first);
    while (mup_netconf_session_count(rig_server) > 0) {
        rig_turn();
    }
    first = peer_open();
    peer_free(&first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_start, rig_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_of_base_1_0_is_framed_by_the_mark),
        TEST(both_sides_of_base_1_1_go_over_to_chunks),
        TEST(the_hello_may_come_byte_by_byte),
        TEST(a_hello_that_cannot_be_answered_ends_the_session),
        TEST(a_first_line_that_names_nobody_ends_the_session),
        TEST(a_uid_that_is_not_listed_may_use_no_name),
        TEST(a_uid_that_may_use_no_name_is_sent_away_before_it_says_one),
        TEST(a_broken_chunk_ends_its_session_and_no_other),
        TEST(a_message_that_is_too_large_ends_the_session),
        TEST(messages_that_are_no_rpc_are_malformed_and_the_session_lives),
        TEST(every_truncation_of_an_rpc_is_malformed),
        TEST(to_base_1_0_a_malformed_message_is_the_end),
        TEST(pipelined_requests_are_answered_in_their_order),
        TEST(sessions_do_not_wait_for_each_other),
        TEST(more_requests_than_the_queue_holds_wait_in_the_pipe),
        TEST(a_peer_that_only_sends_fills_its_pipe_and_not_our_memory),
        TEST(the_death_of_a_session_cancels_what_is_in_work),
        TEST(a_peer_that_ends_its_stream_gets_every_answer),
        TEST(a_stream_that_ends_with_nothing_asked_ends_the_session),
        TEST(more_requests_than_the_queue_holds_are_answered_after_the_end),
        TEST(a_peer_that_dies_after_its_stream_ended_cancels_what_is_in_work),
        TEST(killing_a_session_cancels_what_is_in_work),
        TEST(stopping_the_server_cancels_what_is_in_work),
        TEST(close_session_answers_and_ends_what_is_behind_it),
        TEST(no_more_sessions_than_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
