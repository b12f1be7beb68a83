/* Operations, their errors (RFC 6241 appendix A) and the backend's answers. */
#include "netconf_rig.h"

#include <stdio.h>

#define DEVICES       "urn:mup:myno-devices"
#define FILTER(inner) RPC("<get><filter type=\"subtree\">" inner "</filter></get>")
#define GET_SCHEMA(inner)                                                                  \
    RPC("<get-schema xmlns=\"urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring\">" inner \
        "</get-schema>")

static void every_refusal_has_its_tag(void **state)
{
    static const struct {
        const char *rpc;
        const char *tag;
        const char *says;
    } cases[] = {
        {"<rpc xmlns=\"" BASE_NS "\"><get/></rpc>]]>]]>", "missing-attribute",
         "<bad-attribute>message-id</bad-attribute>"},
        {RPC(""), "missing-element", "<bad-element>rpc</bad-element>"},
        {RPC("<get/><get/>"), "bad-element", "<bad-element>get</bad-element>"},
        {RPC("<nothing/>"), "operation-not-supported", "<bad-element>nothing</bad-element>"},
        {RPC("<edit-config/>"), "missing-element", "<bad-element>target</bad-element>"},
        {RPC("<commit/>"), "operation-not-supported", "<bad-element>commit</bad-element>"},
        {RPC("<stop xmlns=\"urn:none\"/>"), "unknown-namespace",
         "<bad-namespace>urn:none</bad-namespace>"},
        {RPC("<get xmlns=\"\"/>"), "unknown-namespace", "message-id=\"1\"><rpc-error>"},
        {RPC("<get><filter><x:a/></filter></get>"), "unknown-namespace",
         "message-id=\"1\"><rpc-error>"},
        {RPC("<nothing xmlns=\"urn:toy\"/>"), "operation-not-supported", ""},
        {RPC("<getDeviceToken xmlns=\"urn:toy\"/>"), "missing-element",
         "<bad-element>uuid</bad-element>"},
        {RPC("<getDeviceToken xmlns=\"urn:toy\"><uuid>u</uuid><b/></getDeviceToken>"),
         "unknown-element", "<bad-element>b</bad-element>"},
        {RPC("<getDeviceToken xmlns=\"urn:toy\"><uuid>u</uuid><b xmlns=\"urn:b\"/>"
             "</getDeviceToken>"),
         "unknown-namespace", "<bad-namespace>urn:b</bad-namespace>"},
        {RPC("<getDeviceToken xmlns=\"urn:toy\"><uuid/></getDeviceToken>"), "invalid-value",
         "/toy:getDeviceToken/toy:uuid</error-path>"},
        {RPC("<getDeviceToken xmlns=\"urn:toy\"><uuid>123456789</uuid></getDeviceToken>"),
         "invalid-value", "<error-path xmlns:toy=\"urn:toy\">"},
        {RPC("<getDeviceToken xmlns=\"urn:toy\"><uuid>u</uuid><level>101</level>"
             "</getDeviceToken>"),
         "invalid-value", "/toy:getDeviceToken/toy:level</error-path>"},
        {RPC("<getDeviceToken xmlns=\"urn:toy\"><uuid>u</uuid><level>x</level>"
             "</getDeviceToken>"),
         "invalid-value", ""},
        {RPC("<getDeviceToken xmlns=\"urn:toy\"><uuid>u</uuid><uuid>v</uuid></getDeviceToken>"),
         "bad-element", ""},
        {RPC("<sendExtendedManifest xmlns=\"urn:toy\"/>"), "access-denied", ""},
        {RPC("<get-config/>"), "missing-element", "<bad-element>source</bad-element>"},
        {RPC("<get-config><source><candidate/></source></get-config>"), "unknown-element", ""},
        {RPC("<get><filter type=\"xpath\"/></get>"), "missing-attribute",
         "<bad-attribute>select</bad-attribute>"},
        {RPC("<get><filter type=\"xpath\" select=\"//n:a\"/></get>"), "invalid-value",
         "<bad-attribute>select</bad-attribute>"},
        {RPC("<get><filter type=\"xpath\" select=\"1 + 1\"/></get>"), "invalid-value",
         "<bad-attribute>select</bad-attribute>"},
        {RPC("<get><filter type=\"xpath\" select=\"//*[\"/></get>"), "invalid-value",
         "<bad-attribute>select</bad-attribute>"},
        {RPC("<get><filter type=\"regex\"/></get>"), "bad-attribute",
         "<bad-attribute>type</bad-attribute>"},
        {RPC("<get><with-defaults xmlns=\"urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults\""
             ">all</with-defaults></get>"),
         "invalid-value", "<bad-element>with-defaults</bad-element>"},
        {RPC("<get><nothing/></get>"), "unknown-element", ""},
        {RPC("<kill-session/>"), "missing-element", ""},
        {RPC("<kill-session><session-id>0</session-id></kill-session>"), "invalid-value", ""},
        {RPC("<kill-session><session-id>1</session-id></kill-session>"), "invalid-value",
         "use close-session"},
        {RPC("<kill-session><session-id>99</session-id></kill-session>"), "invalid-value", ""},
        {GET_SCHEMA("<identifier>none</identifier>"), "invalid-value", ""},
        {GET_SCHEMA("<identifier>toy</identifier><version>2000-01-01</version>"), "invalid-value",
         "<bad-element>version</bad-element>"},
        {GET_SCHEMA("<identifier>toy</identifier><format>yin</format>"), "invalid-value",
         "<bad-element>format</bad-element>"},
        {GET_SCHEMA(""), "missing-element", "<bad-element>identifier</bad-element>"},
    };
    struct peer peer = peer_open();
    char tag[80];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *answer = peer_ask(&peer, cases[i].rpc);
        snprintf(tag, sizeof tag, "<error-tag>%s</error-tag>", cases[i].tag);
        assert_has(answer, tag);
        assert_has(answer, cases[i].says);
        assert_has(answer, "<error-severity>error</error-severity>");
    }
    assert_int_equal(rig_begun, 0);
    peer_free(&peer);
}

static void the_attributes_of_the_request_come_back(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    assert_has(peer_ask(&peer,
                        "<rpc xmlns=\"" BASE_NS "\" message-id=\"a&lt;&quot;b\" xmlns:x=\"urn:x\""
                        " x:y=\"z\"><stop xmlns=\"urn:toy\"/></rpc>]]>]]>"),
               " message-id=\"a&lt;&quot;b\" xmlns:x=\"urn:x\" x:y=\"z\"><ok/>");
    peer_free(&peer);
}

static void get_gives_everything_without_a_filter(void **state)
{
    struct peer peer = peer_open();
    const char *answer;
    (void)state;

    answer = peer_ask(&peer, RPC("<get/>"));
    assert_has(answer, "<uuid>u1</uuid>");
    assert_has(answer, "<uuid>u2</uuid>");
    assert_has(answer, "<username>alice</username>");
    assert_has(answer, "<identifier>toy</identifier><version>2026-11-21</version>");
    assert_has(answer, "<yang-library xmlns=\"urn:ietf:params:xml:ns:yang:ietf-yang-library\">");
    peer_free(&peer);
}

static void subtree_filters_select_as_rfc_6241_says(void **state)
{
    static const struct {
        const char *rpc;
        const char *has[2];
        const char *has_not[3];
    } cases[] = {
        /* empty: nothing (6.4.2) */
        {FILTER(""), {"<data></data>", ""}, {"u1", "netconf-state", "yang-library"}},
        /* a selection node: the whole subtree */
        {FILTER("<devices xmlns=\"" DEVICES "\"/>"), {"u1", "Valve"}, {"netconf-state", "#", "#"}},
        /* no namespace: any (6.2.1) */
        {FILTER("<devices xmlns=\"\"/>"), {"u1", "u2"}, {"netconf-state", "#", "#"}},
        {FILTER("<devices xmlns=\"urn:other\"/>"), {"<data></data>", ""}, {"u1", "u2", "#"}},
        /* a content match alone: the whole entry */
        {FILTER("<devices xmlns=\"" DEVICES "\"><device><uuid>u2</uuid></device></devices>"),
         {"Valve", "offline"},
         {"u1", "Lamp", "#"}},
        {FILTER("<devices xmlns=\"" DEVICES "\"><device><name> Lamp </name></device></devices>"),
         {"u1", "ready"},
         {"u2", "Valve", "#"}},
        /* with a selection beside it: that, and the key */
        {FILTER("<devices xmlns=\"" DEVICES "\"><device><name>Lamp</name><state/></device>"
                "</devices>"),
         {"u1", "ready"},
         {"u2", "Valve", "offline"}},
        /* two entries of the same list are two questions */
        {FILTER("<devices xmlns=\"" DEVICES "\"><device><uuid>u1</uuid><name/></device>"
                "<device><uuid>u2</uuid><state/></device></devices>"),
         {"Lamp", "offline"},
         {"Valve", "ready", "#"}},
        /* all content matches must hold */
        {FILTER("<devices xmlns=\"" DEVICES "\"><device><uuid>u1</uuid><name>Valve</name>"
                "</device></devices>"),
         {"<data></data>", ""},
         {"u1", "u2", "#"}},
        /* what nothing has selects nothing, not even the list around it */
        {FILTER("<devices xmlns=\"" DEVICES "\"><device><category/></device></devices>"),
         {"<data></data>", ""},
         {"u1", "devices", "#"}},
        {FILTER("<devices xmlns=\"" DEVICES "\"><device><uuid/></device></devices>"),
         {">u1<", ">u2<"},
         {"Lamp", "Valve", "ready"}},
        /* attributes that the data does not have (6.2.2) */
        {FILTER("<devices xmlns=\"" DEVICES "\" a=\"b\"/>"),
         {"<data></data>", ""},
         {"u1", "u2", "#"}},
    };
    struct peer peer = peer_open();
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *answer = peer_ask(&peer, cases[i].rpc);
        assert_has(answer, cases[i].has[0]);
        assert_has(answer, cases[i].has[1]);
        for (size_t k = 0; k < 3; k++) {
            assert_has_not(answer, cases[i].has_not[k]);
        }
    }
    peer_free(&peer);
}

static void a_filter_of_too_many_elements_is_too_big(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, "<rpc xmlns=\"" BASE_NS "\" message-id=\"1\"><get><filter>");
    for (int i = 0; i < 256; i++) {
        peer_send(&peer, "<a/>");
    }
    assert_has(peer_ask(&peer, "</filter></get></rpc>]]>]]>"), "<error-tag>too-big</error-tag>");
    peer_free(&peer);
}

static void get_schema_gives_the_text_that_was_added(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    assert_has(peer_ask(&peer, GET_SCHEMA("<identifier>toy</identifier>")),
               "module toy { namespace &quot;urn:toy&quot;; prefix toy; revision 2026-11-21;\n");
    assert_has(
        peer_ask(&peer,
                 GET_SCHEMA("<identifier>ietf-netconf</identifier><version>2011-06-01</version>"
                            "<format>yang</format>")),
        "module ietf-netconf {");
    peer_free(&peer);
}

static void only_the_update_server_calls_restricted_rpcs_and_keeps_its_sessions(void **state)
{
    struct peer server = peer_connect();
    struct peer alice;
    (void)state;

    peer_send(&server, "as mup-server\n" HELLO(BASE_1_0, ""));
    peer_expect(&server, "<session-id>1</session-id></hello>]]>]]>");
    assert_has(peer_ask(&server, RPC("<sendExtendedManifest xmlns=\"urn:toy\"/>")), "<ok/>");
    alice = peer_open();
    assert_has(peer_ask(&alice, RPC("<kill-session><session-id>1</session-id></kill-session>")),
               "<error-tag>access-denied</error-tag>");
    assert_has(peer_ask(&server, RPC("<stop xmlns=\"urn:toy\"/>")), "<ok/>");
    peer_free(&server);
    peer_free(&alice);
}

static void the_backend_may_refuse_a_user_anything_but_to_leave(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    rig_forbidden = "stop";
    assert_has(peer_ask(&peer, RPC("<stop xmlns=\"urn:toy\"/>")), "access-denied");
    rig_forbidden = "get";
    assert_has(peer_ask(&peer, RPC("<get/>")), "access-denied");
    rig_forbidden = "close-session";
    assert_has(peer_ask(&peer, RPC("<close-session/>")), "<ok/>");
    peer_free(&peer);
}

/* Send an RPC that waits, and give its request. */
static struct mup_netconf_request *begin(struct peer *peer)
{
    size_t index = rig_request_count;

    peer_send(peer, RPC(TOKEN("slow")));
    rig_wait_count(&rig_request_count, index + 1);
    return rig_requests[index];
}

static void answers_that_do_not_fit_the_schema_become_errors(void **state)
{
    static const char *const answers[] = {
        "",
        "<count xmlns=\"urn:toy\">1</count>",
        "<token xmlns=\"urn:toy\">a</token><count xmlns=\"urn:toy\">256</count>",
        "<token xmlns=\"urn:toy\">a</token><other xmlns=\"urn:toy\"/>",
        "<token xmlns=\"urn:toy\">a</token></rpc-reply><rpc-reply>",
        "<token",
    };
    struct peer peer = peer_open();
    (void)state;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        assert_int_equal(mup_netconf_reply_xml(begin(&peer), answers[i]), MUP_ERR_FORMAT);
        peer_expect(&peer, "<error-tag>operation-failed</error-tag>");
        peer_expect(&peer, "<error-app-tag>bad-answer</error-app-tag>");
    }
    peer_free(&peer);
}

static void a_tree_is_an_answer_if_it_is_of_this_rpc(void **state)
{
    const struct ly_ctx *schemas = mup_netconf_schemas(rig_server);
    struct lyd_node *tree = NULL;
    struct peer peer = peer_open();
    (void)state;

    assert_int_equal(
        lyd_new_path(NULL, schemas, "/toy:getDeviceToken/token", "<&>", LYD_NEW_PATH_OUTPUT, &tree),
        LY_SUCCESS);
    assert_int_equal(mup_netconf_reply_tree(begin(&peer), tree), MUP_OK);
    peer_expect(&peer, "<token xmlns=\"urn:toy\">&lt;&amp;&gt;</token></rpc-reply>");
    tree = NULL;
    assert_int_equal(lyd_new_path(NULL, schemas, "/toy:stop", NULL, 0, &tree), LY_SUCCESS);
    assert_int_equal(mup_netconf_reply_tree(begin(&peer), tree), MUP_ERR_FORMAT);
    peer_expect(&peer, "bad-answer");
    assert_int_equal(mup_netconf_reply_tree(begin(&peer), NULL), MUP_ERR_FORMAT);
    peer_expect(&peer, "bad-answer");
    peer_free(&peer);
}

static void errors_of_the_backend_carry_all_they_have(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    mup_netconf_reply_error(begin(&peer), MUP_NETCONF_TAG_INVALID_VALUE, "unknown-device",
                            "no <device>\x01 \"u\"", "uuid");
    peer_expect(&peer, "<error-type>application</error-type><error-tag>invalid-value</error-tag>"
                       "<error-severity>error</error-severity>"
                       "<error-app-tag>unknown-device</error-app-tag>"
                       "<error-path xmlns:toy=\"urn:toy\">/toy:getDeviceToken/toy:uuid</error-path>"
                       "<error-message xml:lang=\"en\">no &lt;device&gt;? &quot;u&quot;"
                       "</error-message></rpc-error>");
    mup_netconf_reply_error(begin(&peer), MUP_NETCONF_TAG_IN_USE, NULL, NULL, NULL);
    peer_expect(&peer, "<error-tag>in-use</error-tag><error-severity>error</error-severity>"
                       "</rpc-error>");
    mup_netconf_reply_refusal(begin(&peer), "39_INCOMPLETE", "no", "pAEB");
    peer_expect(&peer,
                "<error-app-tag>39_INCOMPLETE</error-app-tag>"
                "<error-message xml:lang=\"en\">no</error-message>"
                "<error-info><value xmlns=\"urn:toy\">pAEB</value></error-info></rpc-error>");
    mup_netconf_reply_refusal(begin(&peer), "38_NO_MANIFEST", "no", NULL);
    peer_expect(&peer, "<error-message xml:lang=\"en\">no</error-message></rpc-error>");
    peer_free(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_start, rig_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_refusal_has_its_tag),
        TEST(the_attributes_of_the_request_come_back),
        TEST(get_gives_everything_without_a_filter),
        TEST(subtree_filters_select_as_rfc_6241_says),
        TEST(a_filter_of_too_many_elements_is_too_big),
        TEST(get_schema_gives_the_text_that_was_added),
        TEST(only_the_update_server_calls_restricted_rpcs_and_keeps_its_sessions),
        TEST(the_backend_may_refuse_a_user_anything_but_to_leave),
        TEST(answers_that_do_not_fit_the_schema_become_errors),
        TEST(a_tree_is_an_answer_if_it_is_of_this_rpc),
        TEST(errors_of_the_backend_carry_all_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
