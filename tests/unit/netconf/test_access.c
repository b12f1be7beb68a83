/* Who may do what (RFC 8341): the groups that a bridge begins with, and rules of one's own. */
#include "netconf_rig.h"

#include <stdio.h>

#include "bridge/netconf/access.h"

#define DEVS "urn:mup:myno-devices"
#define ACM  "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"
#define EDIT(inner) \
    RPC("<edit-config><target><running/></target><config>" inner "</config></edit-config>")
#define NACM(inner)         EDIT("<nacm xmlns=\"" ACM "\" xmlns:d=\"" DEVS "\">" inner "</nacm>")
#define MEMBER(group, user) "<group><name>" group "</name><user-name>" user "</user-name></group>"
#define LABEL(uuid, label)                                                                   \
    EDIT("<devices xmlns=\"" DEVS "\"><device><uuid>" uuid "</uuid><label>" label "</label>" \
         "</device></devices>")
#define OK          "<ok/></rpc-reply>"
#define DENIED      "<error-tag>access-denied</error-tag>"
#define GET_DEVICES RPC("<get><filter><devices xmlns=\"" DEVS "\"/></filter></get>")
#define SUBSCRIBE \
    RPC("<create-subscription xmlns=\"urn:ietf:params:xml:ns:netconf:notification:1.0\"/>")

static void configure(const char *rpc)
{
    struct peer alice = peer_open();

    assert_has(peer_ask(&alice, rpc), OK);
    peer_free(&alice);
}

static void add_people(void)
{
    configure(NACM("<groups>" MEMBER("read-only", "rita") MEMBER("operator", "otto")
                       MEMBER("administrator", "anna") "</groups>"));
}

/* What every group gets for every operation. */
static void each_group_may_do_what_is_written_for_it(void **state)
{
    enum { NOBODY, READ_ONLY, OPERATOR, ADMINISTRATOR, RECOVERY, UPDATE_SERVER, USERS };
    static const char *const users[USERS] = {"nora", "rita", "otto", "anna", "alice", "mup-server"};
    static const struct {
        const char *rpc;
        const char *works;   /* in the answer when it is permitted */
        const char *may;     /* one letter a user: y, n */
        const char *refused; /* in the answer when not; NULL: access-denied */
    } cases[] = {
        {RPC("<get/>"), "<data>", "nyyyyy", NULL},
        {GET_DEVICES, "<uuid>u1</uuid>", "nyyyyy", NULL},
        {RPC("<get-config><source><running/></source></get-config>"), "<data>", "nyyyyy", NULL},
        {RPC("<get-config><source><running/></source></get-config>"), "<rule-list>", "nnnyyn", ""},
        {RPC("<get-schema xmlns=\"urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring\">"
             "<identifier>toy</identifier></get-schema>"),
         "module toy", "nyyyyy", NULL},
        {RPC(TOKEN("fast")), "<token", "nnyyyy", NULL},
        {RPC("<sendExtendedManifest xmlns=\"urn:toy\"/>"), OK, "nnnnny", NULL},
        {LABEL("u1", "x"), OK, "nnyyyn", NULL},
        {EDIT("<devices xmlns=\"" DEVS "\" xmlns:n=\"" BASE_NS "\" n:operation=\"remove\"/>"), OK,
         "nnyyyn", NULL},
        {NACM("<groups>" MEMBER("read-only", "nemo") "</groups>"), OK, "nnnyyn", NULL},
        {RPC("<validate><source><running/></source></validate>"), OK, "nnyyyn", NULL},
        {RPC("<lock><target><running/></target></lock>"), OK, "nnyyyn", NULL},
        {RPC("<kill-session><session-id>9999</session-id></kill-session>"), "no such session",
         "nnnyyn", NULL},
        {SUBSCRIBE, OK, "nyyyyy", NULL},
        {RPC("<close-session/>"), OK, "yyyyyy", NULL},
    };
    (void)state;

    add_people();
    for (size_t user = 0; user < USERS; user++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct peer peer = peer_open_as(users[user]);
            const char *answer = peer_ask(&peer, cases[i].rpc);
            if (cases[i].may[user] == 'y') {
                assert_has(answer, cases[i].works);
                assert_has_not(answer, DENIED);
            } else {
                assert_has_not(answer, cases[i].works);
                assert_has(answer, cases[i].refused ? cases[i].refused : DENIED);
            }
            peer_free(&peer);
        }
    }
}

static void what_may_not_be_read_is_left_out_without_a_word(void **state)
{
    struct peer rita;
    const char *answer;
    (void)state;

    add_people();
    rita = peer_open_as("rita");
    answer = peer_ask(&rita, RPC("<get/>"));
    assert_has(answer, "<devices");
    assert_has(answer, "<yang-library");
    assert_has_not(answer, "nacm xmlns");
    assert_has_not(answer, "rule-list");
    answer = peer_ask(&rita, RPC("<get><filter><nacm xmlns=\"" ACM "\"/></filter></get>"));
    assert_has(answer, "<data></data>");
    answer = peer_ask(&rita, RPC("<get><filter type=\"xpath\" xmlns:a=\"" ACM
                                 "\" select=\"//a:user-name\"/></get>"));
    assert_has(answer, "<data></data>");
    peer_free(&rita);
}

/* A filter must not tell what it may not show: a content match on a hidden leaf matches nothing. */
static void a_filter_does_not_find_what_may_not_be_read(void **state)
{
    struct peer rita;
    (void)state;

    add_people();
    configure(NACM("<rule-list xmlns:y=\"urn:ietf:params:xml:ns:yang:1\" "
                   "y:insert=\"first\"><name>x</name><group>read-only</group><rule>"
                   "<name>no-names</name><path>/d:devices/d:device/d:name</path>"
                   "<access-operations>read</access-operations><action>deny</action></rule>"
                   "</rule-list>"));
    rita = peer_open_as("rita");
    assert_has(peer_ask(&rita, GET_DEVICES), "<uuid>u1</uuid>");
    assert_has_not(peer_ask(&rita, GET_DEVICES), "Lamp");
    assert_has(peer_ask(&rita, RPC("<get><filter><devices xmlns=\"" DEVS "\"><device>"
                                   "<name>Lamp</name></device></devices></filter></get>")),
               "<data></data>");
    assert_has(peer_ask(&rita, RPC("<get><filter type=\"xpath\" xmlns:d=\"" DEVS "\" select=\""
                                   "/d:devices/d:device[d:name='Lamp']\"/></get>")),
               "<data></data>");
    peer_free(&rita);
}

static void a_path_with_keys_is_about_that_entry_alone(void **state)
{
    struct peer peer;
    const char *answer;
    (void)state;

    configure(NACM("<groups>" MEMBER(
        "guests",
        "gus") "</groups>"
               "<rule-list><name>guests</name><group>guests</group>"
               "<rule><name>get</name><rpc-name>get</rpc-name><action>permit</action></rule>"
               "<rule><name>edit</name><rpc-name>edit-config</rpc-name>"
               "<action>permit</action></rule>"
               "<rule><name>not-two</name><path>/d:devices/d:device[d:uuid='u2']</path>"
               "<action>deny</action></rule>"
               "<rule><name>label</name><path>/d:devices/d:device[d:uuid='u1']/d:label</path>"
               "<action>permit</action></rule>"
               "<rule><name>read</name><path>/d:devices</path>"
               "<access-operations>read</access-operations><action>permit</action></rule>"
               "</rule-list>"));
    configure(LABEL("u1", "hall"));
    peer = peer_open_as("gus");
    answer = peer_ask(&peer, RPC("<get/>"));
    assert_has(answer, "<uuid>u1</uuid>");
    assert_has_not(answer, "u2");
    assert_has_not(answer, "yang-library");
    assert_has(peer_ask(&peer, LABEL("u1", "mine")), OK);
    answer = peer_ask(&peer, LABEL("u3", "mine"));
    assert_has(answer, DENIED);
    assert_has(answer, "/myno-devices:devices/myno-devices:device[myno-devices:uuid='u3']");
    assert_has(peer_ask(&peer, RPC(TOKEN("fast"))), DENIED);
    peer_free(&peer);
}

static void rules_are_asked_in_order_and_the_first_decides(void **state)
{
#define CALL_RULE(name, action)                                                        \
    "<rule><name>" name "</name><module-name>toy</module-name><access-operations>exec" \
    "</access-operations><action>" action "</action></rule>"
    struct peer peer;
    (void)state;

    configure(NACM("<groups>" MEMBER("g", "gus") "</groups><rule-list><name>g</name>"
                                                 "<group>g</group>" CALL_RULE("a", "deny")
                                                     CALL_RULE("b", "permit") "</rule-list>"));
    peer = peer_open_as("gus");
    assert_has(peer_ask(&peer, RPC(TOKEN("fast"))), DENIED);
    configure(NACM("<rule-list xmlns:y=\"urn:ietf:params:xml:ns:yang:1\" xmlns:a=\"" ACM
                   "\"><name>g</name><rule y:insert=\"before\" "
                   "y:key=\"[a:name='a']\"><name>b</name></rule></rule-list>"));
    /* a live session: the rules count from the next request on */
    assert_has(peer_ask(&peer, RPC(TOKEN("fast"))), "<token");
    peer_free(&peer);
}

static void rules_for_everybody_are_for_those_in_a_group(void **state)
{
    struct peer peer;
    (void)state;

    configure(NACM(
        "<groups>" MEMBER("g", "gus") "</groups><rule-list><name>all</name>"
                                      "<group>*</group>" CALL_RULE("a", "permit") "</rule-list>"));
    peer = peer_open_as("gus");
    assert_has(peer_ask(&peer, RPC(TOKEN("fast"))), "<token");
    peer_free(&peer);
    peer = peer_open_as("nora");
    assert_has(peer_ask(&peer, RPC(TOKEN("fast"))), DENIED);
    peer_free(&peer);
}

static void without_access_control_only_the_built_in_rules_are_left(void **state)
{
    struct peer peer;
    (void)state;

    configure(NACM("<enable-nacm>false</enable-nacm>"));
    peer = peer_open_as("nora");
    assert_has(peer_ask(&peer, RPC(TOKEN("fast"))), "<token");
    assert_has(peer_ask(&peer, LABEL("u1", "x")), OK);
    assert_has(peer_ask(&peer, RPC("<sendExtendedManifest xmlns=\"urn:toy\"/>")), DENIED);
    peer_free(&peer);
}

static void an_administrator_of_the_file_cannot_be_locked_out(void **state)
{
    struct peer alice = peer_open();
    struct peer anna;
    (void)state;

    add_people();
    anna = peer_open_as("anna");
    assert_has(peer_ask(&anna, NACM("<rule-list xmlns:y=\"urn:ietf:params:xml:ns:yang:1\" "
                                    "y:insert=\"first\"><name>0</name>"
                                    "<group>*</group><rule><name>0</name><action>deny</action>"
                                    "</rule></rule-list>")),
               OK);
    assert_has(peer_ask(&anna, RPC("<get/>")), DENIED);
    assert_has(peer_ask(&alice, RPC("<get/>")), "<rule-list>");
    assert_has(peer_ask(&alice, EDIT("<nacm xmlns=\"" ACM "\"><rule-list xmlns:n=\"" BASE_NS "\" "
                                     "n:operation=\"delete\"><name>0</name></rule-list></nacm>")),
               OK);
    assert_has(peer_ask(&anna, RPC("<get/>")), "<rule-list>");
    peer_free(&alice);
    peer_free(&anna);
}

static void notifications_are_for_those_who_may_read_them(void **state)
{
    const struct ly_ctx *schemas = mup_netconf_schemas(rig_server);
    struct lyd_node *tree = NULL;
    struct peer rita;
    struct peer otto;
    struct peer alice = peer_open();
    (void)state;

    add_people();
    configure(NACM("<rule-list xmlns:y=\"urn:ietf:params:xml:ns:yang:1\" "
                   "y:insert=\"first\"><name>x</name><group>read-only</group><rule>"
                   "<name>t</name><notification-name>telemetry</notification-name>"
                   "<access-operations>read</access-operations><action>deny</action></rule>"
                   "</rule-list>"));
    rita = peer_open_as("rita");
    otto = peer_open_as("otto");
    assert_has(peer_ask(&rita, SUBSCRIBE), OK);
    assert_has(peer_ask(&otto, SUBSCRIBE), OK);
    assert_int_equal(lyd_new_path(NULL, schemas, "/myno-devices:telemetry/uuid", "u1", 0, &tree),
                     LY_SUCCESS);
    assert_int_equal(mup_netconf_notify(rig_server, tree), MUP_OK);
    peer_expect(&otto, "<telemetry");
    assert_has_not(peer_ask(&rita, RPC("<get/>")), "<telemetry xmlns");
    assert_has(peer_ask(&alice, RPC("<get/>")), "<denied-notifications>1</denied-notifications>");
    peer_free(&rita);
    peer_free(&otto);
    peer_free(&alice);
}

static void what_was_denied_is_counted(void **state)
{
    struct peer nora = peer_open_as("nora");
    struct peer otto;
    struct peer alice = peer_open();
    const char *answer;
    (void)state;

    add_people();
    otto = peer_open_as("otto");
    assert_has(peer_ask(&nora, RPC("<get/>")), DENIED);
    assert_has(peer_ask(&nora, RPC("<get/>")), DENIED);
    assert_has(peer_ask(&otto, NACM("<enable-nacm>false</enable-nacm>")), DENIED);
    answer = peer_ask(&alice, RPC("<get><filter><nacm xmlns=\"" ACM "\"/></filter></get>"));
    assert_has(answer, "<denied-operations>2</denied-operations>");
    assert_has(answer, "<denied-data-writes>1</denied-data-writes>");
    peer_free(&nora);
    peer_free(&otto);
    peer_free(&alice);
}

/* RFC 8341's own defaults, and more: what is marked in the schema stays closed all the same. */
static void what_is_marked_is_denied_though_the_default_permits(void **state)
{
    struct peer nora;
    const char *answer;
    (void)state;

    configure(NACM("<read-default>permit</read-default><write-default>permit</write-default>"
                   "<exec-default>permit</exec-default>"));
    nora = peer_open_as("nora");
    answer = peer_ask(&nora, RPC("<get/>"));
    assert_has(answer, "Lamp");
    assert_has_not(answer, "rule-list");
    assert_has(peer_ask(&nora, LABEL("u1", "x")), OK);
    assert_has(peer_ask(&nora, NACM("<enable-nacm>false</enable-nacm>")), DENIED);
    assert_has(peer_ask(&nora, RPC("<kill-session><session-id>9</session-id></kill-session>")),
               DENIED);
    assert_has(peer_ask(&nora, RPC(TOKEN("fast"))), "<token");
    peer_free(&nora);
}

static void a_rule_about_a_leaf_counts_though_the_default_permits_what_is_above(void **state)
{
    struct peer gus;
    const char *answer;
    (void)state;

    configure(NACM(
        "<read-default>permit</read-default><exec-default>permit</exec-default>"
        "<write-default>permit</write-default>"
        "<groups>" MEMBER(
            "g",
            "gus") "</groups><rule-list><name>g</name>"
                   "<group>g</group><rule><name>n</name><path>/d:devices/d:device/d:name</path>"
                   "<action>deny</action></rule><rule><name>l</name>"
                   "<path>/d:devices/d:device/d:label</path><access-operations>create delete"
                   "</access-operations><action>deny</action></rule></rule-list>"));
    gus = peer_open_as("gus");
    answer = peer_ask(&gus, RPC("<get/>"));
    assert_has(answer, "<uuid>u1</uuid>");
    assert_has_not(answer, "Lamp");
    /* a label that comes, or goes, with its entry is created, or deleted, all the same */
    assert_has(peer_ask(&gus, LABEL("u1", "x")), DENIED);
    assert_has(peer_ask(&gus, EDIT("<devices xmlns=\"" DEVS "\"><device><uuid>u1</uuid></device>"
                                   "</devices>")),
               OK);
    configure(LABEL("u2", "yard"));
    assert_has(peer_ask(&gus, LABEL("u2", "roof")), OK); /* an update */
    assert_has(peer_ask(&gus, EDIT("<devices xmlns=\"" DEVS "\" xmlns:n=\"" BASE_NS "\">"
                                   "<device n:operation=\"delete\"><uuid>u2</uuid></device>"
                                   "</devices>")),
               DENIED);
    peer_free(&gus);
}

/* Merging what is there already changes nothing and needs no right. */
static void an_edit_without_effect_needs_no_right_to_write(void **state)
{
    struct peer otto;
    (void)state;

    add_people();
    otto = peer_open_as("otto");
    assert_has(peer_ask(&otto, NACM("<enable-nacm>true</enable-nacm>")), OK);
    peer_free(&otto);
}

static void more_rules_than_the_limit_are_refused(void **state)
{
    struct peer alice = peer_open();
    char rule[160];
    (void)state;

    peer_send(&alice, "<rpc xmlns=\"" BASE_NS "\" message-id=\"1\"><edit-config><target><running/>"
                      "</target><config><nacm xmlns=\"" ACM "\"><rule-list><name>l</name>");
    for (unsigned i = 0; i < ACCESS_RULES_MAX; i++) {
        snprintf(rule, sizeof rule, "<rule><name>%u</name><action>deny</action></rule>", i);
        peer_send(&alice, rule);
    }
    assert_has(peer_ask(&alice, "</rule-list></nacm></config></edit-config></rpc>]]>]]>"),
               "<error-tag>too-big</error-tag>");
    assert_has(peer_ask(&alice, RPC("<get/>")), "<name>everybody</name>");
    peer_free(&alice);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_start, rig_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_group_may_do_what_is_written_for_it),
        TEST(what_may_not_be_read_is_left_out_without_a_word),
        TEST(a_filter_does_not_find_what_may_not_be_read),
        TEST(a_path_with_keys_is_about_that_entry_alone),
        TEST(rules_are_asked_in_order_and_the_first_decides),
        TEST(rules_for_everybody_are_for_those_in_a_group),
        TEST(without_access_control_only_the_built_in_rules_are_left),
        TEST(an_administrator_of_the_file_cannot_be_locked_out),
        TEST(notifications_are_for_those_who_may_read_them),
        TEST(what_was_denied_is_counted),
        TEST(what_is_marked_is_denied_though_the_default_permits),
        TEST(a_rule_about_a_leaf_counts_though_the_default_permits_what_is_above),
        TEST(an_edit_without_effect_needs_no_right_to_write),
        TEST(more_rules_than_the_limit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
