/* Subscriptions and what is told to subscribers (RFC 5277, 6470, 8525). */
#include "netconf_rig.h"

#include <stdio.h>
#include <sys/socket.h>

#define EVENTS_NS      "urn:ietf:params:xml:ns:netconf:notification:1.0"
#define BASE_EVENTS_NS "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
#define DEVICES_NS     "urn:mup:myno-devices"
#define SUBSCRIBE(inner) \
    RPC("<create-subscription xmlns=\"" EVENTS_NS "\">" inner "</create-subscription>")
#define FILTERED(inner) SUBSCRIBE("<filter type=\"subtree\">" inner "</filter>")
#define NOTIFICATION    "<notification xmlns=\"" EVENTS_NS "\"><eventTime>"

static void expect_ok(struct peer *peer, const char *rpc)
{
    peer_send(peer, rpc);
    peer_expect(peer, "<ok/></rpc-reply>]]>]]>");
}

static struct peer subscriber(const char *rpc)
{
    struct peer peer = peer_open();

    expect_ok(&peer, rpc);
    return peer;
}

static enum mup_status tell(const char *uuid, const char *value)
{
    struct lyd_node *tree = NULL;
    const struct ly_ctx *schemas = mup_netconf_schemas(rig_server);

    assert_int_equal(lyd_new_path(NULL, schemas, "/myno-devices:telemetry/uuid", uuid, 0, &tree),
                     LY_SUCCESS);
    assert_int_equal(lyd_new_path(tree, NULL, "/myno-devices:telemetry/value", value, 0, NULL),
                     LY_SUCCESS);
    return mup_netconf_notify(rig_server, tree);
}

/* Everything that came up to here was asked for by us: no notification is among it. */
static void expect_silence(struct peer *peer)
{
    size_t from = peer->seen;

    expect_ok(peer, RPC("<stop xmlns=\"urn:toy\"/>"));
    assert_null(strstr(peer->bytes + from, "<notification"));
}

static void a_subscriber_hears_and_others_do_not(void **state)
{
    struct peer peer = subscriber(SUBSCRIBE(""));
    struct peer other = peer_open();
    (void)state;

    assert_int_equal(tell("u1", "21.5 <&>"), MUP_OK);
    peer_expect(&peer, "session-start");
    peer_expect(&peer, NOTIFICATION "20");
    peer_expect(&peer, "Z</eventTime><telemetry xmlns=\"" DEVICES_NS "\"><uuid>u1</uuid>"
                       "<value>21.5 &lt;&amp;&gt;</value></telemetry></notification>]]>]]>");
    expect_silence(&other);
    peer_free(&peer);
    peer_free(&other);
}

static void requests_are_answered_between_notifications(void **state)
{
    struct peer peer = subscriber(SUBSCRIBE(""));
    (void)state;

    assert_int_equal(tell("u1", "1"), MUP_OK);
    peer_expect(&peer, "<value>1</value>");
    peer_send(&peer, RPC_ID("7", TOKEN("fast")));
    peer_expect(&peer, "message-id=\"7\"><token");
    assert_int_equal(tell("u1", "2"), MUP_OK);
    peer_expect(&peer, "<value>2</value>");
    peer_free(&peer);
}

static void chunked_sessions_get_chunked_notifications(void **state)
{
    struct peer peer = peer_connect();
    static const char rpc[] = "<rpc xmlns=\"" BASE_NS "\" message-id=\"1\"><create-subscription"
                              " xmlns=\"" EVENTS_NS "\"/></rpc>";
    char text[512];
    (void)state;

    snprintf(text, sizeof text, "as alice\n" HELLO(BASE_1_1, "") "\n#%zu\n%s\n##\n", strlen(rpc),
             rpc);
    peer_send(&peer, text);
    peer_expect(&peer, "<ok/></rpc-reply>\n##\n");
    assert_int_equal(tell("u1", "1"), MUP_OK);
    peer_expect(&peer, "\n#");
    peer_expect(&peer, "\n" NOTIFICATION);
    peer_expect(&peer, "</notification>\n##\n");
    peer_free(&peer);
}

static void a_filter_selects_whole_notifications(void **state)
{
    struct peer one = subscriber(FILTERED("<telemetry xmlns=\"" DEVICES_NS "\"><uuid>u1</uuid>"
                                          "</telemetry>"));
    struct peer none = subscriber(FILTERED(""));
    struct peer kinds = subscriber(FILTERED("<telemetry xmlns=\"" DEVICES_NS "\"/>"
                                            "<event xmlns=\"" DEVICES_NS "\"/>"));
    (void)state;

    assert_int_equal(tell("u2", "two"), MUP_OK);
    assert_int_equal(tell("u1", "one"), MUP_OK);
    peer_expect(&kinds, "two");
    peer_expect(&kinds, "one");
    peer_expect(&one, NOTIFICATION);
    peer_expect(&one, "<uuid>u1</uuid><value>one</value></telemetry></notification>");
    assert_null(strstr(one.bytes, "two"));
    expect_silence(&none);
    peer_free(&one);
    peer_free(&none);
    peer_free(&kinds);
}

static void every_refused_subscription_has_its_tag(void **state)
{
    static const struct {
        const char *rpc;
        const char *tag;
        const char *says;
    } cases[] = {
        {SUBSCRIBE("<stream>nowhere</stream>"), "invalid-value",
         "<bad-element>stream</bad-element>"},
        {SUBSCRIBE("<stopTime>2030-01-01T00:00:00Z</stopTime>"), "missing-element",
         "<bad-element>startTime</bad-element>"},
        {SUBSCRIBE("<startTime>2026-01-01T00:00:00Z</startTime>"), "operation-failed",
         "<bad-element>startTime</bad-element>"},
        {SUBSCRIBE("<startTime>yesterday</startTime>"), "invalid-value",
         "/notifications:create-subscription/notifications:startTime</error-path>"},
        {SUBSCRIBE("<speed/>"), "unknown-element", "<bad-element>speed</bad-element>"},
        {SUBSCRIBE("<filter type=\"xpath\" select=\"//*\"/>"), "operation-not-supported",
         "<bad-element>filter</bad-element>"},
        /* As ncclient writes it. */
        {SUBSCRIBE("<b:filter xmlns:b=\"urn:ietf:params:xml:ns:netconf:base:1.0\"/>"),
         "unknown-element", "in the namespace of the one around it"},
        {SUBSCRIBE("<b:folder xmlns:b=\"urn:ietf:params:xml:ns:netconf:base:1.0\"/>"),
         "unknown-element", "the schema has no such element here"},
        {SUBSCRIBE("<filter type=\"regex\"/>"), "bad-attribute",
         "<bad-attribute>type</bad-attribute>"},
    };
    struct peer peer = peer_open();
    char tag[80];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        peer_send(&peer, cases[i].rpc);
        snprintf(tag, sizeof tag, "<error-tag>%s</error-tag>", cases[i].tag);
        peer_expect(&peer, tag);
        peer_expect(&peer, cases[i].says);
        peer_expect(&peer, "]]>]]>");
    }
    assert_false(mup_netconf_is_heard(rig_server));
    expect_ok(&peer, SUBSCRIBE("<stream>NETCONF</stream>"));
    assert_true(mup_netconf_is_heard(rig_server));
    peer_send(&peer, SUBSCRIBE(""));
    peer_expect(&peer, "<error-tag>operation-failed</error-tag>");
    peer_free(&peer);
}

static void what_is_no_notification_is_refused_and_reported(void **state)
{
    const struct ly_ctx *schemas = mup_netconf_schemas(rig_server);
    struct lyd_node *tree = NULL;
    struct peer peer = subscriber(SUBSCRIBE(""));
    (void)state;

    assert_int_equal(mup_netconf_notify(rig_server, NULL), MUP_ERR_FORMAT);
    assert_int_equal(lyd_new_path(NULL, schemas, "/toy:stop", NULL, 0, &tree), LY_SUCCESS);
    assert_int_equal(mup_netconf_notify(rig_server, tree), MUP_ERR_FORMAT);
    /* the uuid is mandatory */
    assert_int_equal(lyd_new_path(NULL, schemas, "/myno-devices:telemetry/value", "1", 0, &tree),
                     LY_SUCCESS);
    assert_int_equal(mup_netconf_notify(rig_server, tree), MUP_ERR_FORMAT);
    expect_silence(&peer);
    peer_free(&peer);
}

static void nobody_is_told_what_was_before_the_subscription(void **state)
{
    struct peer first = subscriber(SUBSCRIBE(""));
    struct peer late = peer_open();
    (void)state;

    struct peer victim = peer_open();
    char both[2048];

    /* In one piece, so that the session's end is not told yet when the subscription begins. */
    snprintf(both, sizeof both, "%s%s",
             RPC("<kill-session><session-id>3</session-id></kill-session>"), SUBSCRIBE(""));
    expect_ok(&late, both);
    peer_expect(&late, "<ok/></rpc-reply>]]>]]>");
    peer_expect(&first, "killed-by");
    peer_free(&victim);
    expect_silence(&late);
    peer_free(&first);
    peer_free(&late);
}

static void sessions_and_modules_are_told(void **state)
{
    struct peer peer = subscriber(SUBSCRIBE(""));
    struct peer other = peer_open();
    struct peer third = peer_open();
    (void)state;

    peer_expect(&peer, "<netconf-session-start xmlns=\"" BASE_EVENTS_NS "\"><username>alice"
                       "</username><session-id>2</session-id></netconf-session-start>");
    peer_send(&other, RPC("<close-session/>"));
    peer_expect_close(&other);
    peer_expect(&peer, "<netconf-session-end xmlns=\"" BASE_EVENTS_NS "\"><username>alice"
                       "</username><session-id>2</session-id>"
                       "<termination-reason>closed</termination-reason></netconf-session-end>");
    expect_ok(&peer, RPC("<kill-session><session-id>3</session-id></kill-session>"));
    peer_expect(&peer, "<session-id>3</session-id><killed-by>1</killed-by>"
                       "<termination-reason>killed</termination-reason>");
    peer_free(&other);
    peer_free(&third);
    third = peer_open();
    peer_expect(&peer, "<session-id>4</session-id></netconf-session-start>");
    peer_free(&third);
    peer_expect(&peer, "<session-id>4</session-id><termination-reason>dropped");

    assert_int_equal(
        mup_netconf_add_module(
            rig_server, "module new { namespace \"urn:new?a&b\"; prefix n; rpc go; }", rig_error),
        MUP_OK);
    peer_expect(&peer, "<netconf-capability-change xmlns=\"" BASE_EVENTS_NS
                       "\"><changed-by><server/></changed-by>"
                       "<added-capability>urn:new?a&amp;b?module=new</added-capability>"
                       "<modified-capability>urn:ietf:params:netconf:capability:yang-library:1.1");
    peer_expect(&peer, "<yang-library-update "
                       "xmlns=\"urn:ietf:params:xml:ns:yang:ietf-yang-library\"><content-id>");
    mup_netconf_hide_module(rig_server, "new");
    peer_expect(&peer, "<deleted-capability>urn:new?a&amp;b?module=new</deleted-capability>");
    peer_free(&peer);
}

static void a_subscriber_who_does_not_read_is_dropped_and_others_are_not(void **state)
{
    static char large[4096];
    struct peer deaf = subscriber(SUBSCRIBE(""));
    struct peer witness = subscriber(SUBSCRIBE(""));
    size_t told = 0;
    (void)state;

    memset(large, 'x', sizeof large - 1);
    /* What the kernel holds for the deaf one comes on top of our own limit. */
    while (mup_netconf_session_count(rig_server) == 2 && told < 4096) {
        assert_int_equal(tell("u1", large), MUP_OK);
        peer_expect(&witness, "</notification>");
        told++;
    }
    assert_int_equal(mup_netconf_session_count(rig_server), 1);
    assert_true(told > 200 && told < 4096);
    peer_expect(&witness, "<termination-reason>dropped</termination-reason>");
    peer_expect_close(&deaf);
    peer_free(&deaf);
    peer_free(&witness);
    rig_turn();
    assert_false(mup_netconf_is_heard(rig_server));
}

/* A large reply is what the client asked for: it does not count against a subscriber. */
static void a_large_reply_under_way_does_not_drop_a_subscriber(void **state)
{
    struct peer peer = subscriber(SUBSCRIBE(""));
    (void)state;

    for (int i = 0; i < 40; i++) {
        peer_send(&peer, RPC("<get/>"));
    }
    for (int i = 0; i < 200; i++) {
        rig_turn();
    }
    assert_int_equal(tell("u1", "still here"), MUP_OK);
    peer_expect(&peer, "still here");
    assert_int_equal(mup_netconf_session_count(rig_server), 1);
    peer_free(&peer);
}

/* It can end its subscription in no other way, and might be gone. */
static void a_subscriber_that_has_ended_its_input_is_let_go(void **state)
{
    struct peer peer = subscriber(SUBSCRIBE(""));
    (void)state;

    assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
    peer_expect_close(&peer);
    assert_false(mup_netconf_is_heard(rig_server));
    assert_int_equal(tell("u1", "to nobody"), MUP_OK);
    peer_free(&peer);
}

static void the_streams_can_be_read(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, RPC("<get><filter><netconf xmlns=\"urn:ietf:params:xml:ns:netmod:"
                         "notification\"><streams/></netconf></filter></get>"));
    peer_expect(&peer, "<data><netconf xmlns=\"urn:ietf:params:xml:ns:netmod:notification\">"
                       "<streams");
    peer_expect(&peer, "<stream><name>NETCONF</name>");
    peer_expect(&peer, "<replaySupport>false</replaySupport>");
    peer_expect(&peer, "</data></rpc-reply>]]>]]>");
    assert_null(strstr(peer.bytes, "u1"));
    peer_free(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_start, rig_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_subscriber_hears_and_others_do_not),
        TEST(requests_are_answered_between_notifications),
        TEST(chunked_sessions_get_chunked_notifications),
        TEST(a_filter_selects_whole_notifications),
        TEST(every_refused_subscription_has_its_tag),
        TEST(what_is_no_notification_is_refused_and_reported),
        TEST(nobody_is_told_what_was_before_the_subscription),
        TEST(sessions_and_modules_are_told),
        TEST(a_subscriber_who_does_not_read_is_dropped_and_others_are_not),
        TEST(a_large_reply_under_way_does_not_drop_a_subscriber),
        TEST(a_subscriber_that_has_ended_its_input_is_let_go),
        TEST(the_streams_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
