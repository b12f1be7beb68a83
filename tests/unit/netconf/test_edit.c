/* Changing the running configuration (RFC 6241 7.2 to 7.6; RFC 7950 7 and 15), and what survives
 * what. */
#include "netconf_rig.h"

#include <stdio.h>

#define NC   " xmlns:nc=\"" BASE_NS "\""
#define DEVS "urn:mup:myno-devices"
#define ACM  "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"
#define EDIT_WITH(options, inner)                                                       \
    RPC("<edit-config><target><running/></target>" options "<config>" inner "</config>" \
        "</edit-config>")
#define EDIT(inner) EDIT_WITH("", inner)
#define NONE        "<default-operation>none</default-operation>"
#define REPLACE     "<default-operation>replace</default-operation>"
#define DEVICE(op, uuid, inner)                                                               \
    "<devices xmlns=\"" DEVS "\"" NC "><device" op "><uuid>" uuid "</uuid>" inner "</device>" \
    "</devices>"
#define LABEL(uuid, label) DEVICE("", uuid, "<label>" label "</label>")
#define OP(name)           " nc:operation=\"" name "\""
#define GROUP(op, name)                                                                         \
    "<nacm xmlns=\"" ACM "\"" NC "><groups><group" op "><name>" name "</name></group></groups>" \
    "</nacm>"
#define GET_DEVICES                                                                    \
    RPC("<get-config><source><running/></source><filter><devices xmlns=\"" DEVS "\"/>" \
        "</filter></get-config>")
#define GET_LISTS                                                                            \
    RPC("<get-config><source><running/></source><filter><nacm xmlns=\"" ACM "\"><rule-list>" \
        "<name/></rule-list></nacm></filter></get-config>")
#define OK "<ok/></rpc-reply>]]>]]>"

static void the_five_operations_do_what_they_say(void **state)
{
    static const struct {
        const char *rpc;
        const char *answer;
        const char *left; /* of the devices */
    } steps[] = {
        {EDIT(LABEL("u1", "hall")), OK, "<uuid>u1</uuid><label>hall</label>"},
        {EDIT(LABEL("u1", "kitchen")), OK, "<uuid>u1</uuid><label>kitchen</label>"},
        {EDIT(DEVICE(OP("create"), "u1", "")), "data-exists", "kitchen"},
        {EDIT(DEVICE("", "u1", "<label" OP("create") ">x</label>")), "data-exists", "kitchen"},
        {EDIT(DEVICE(OP("create"), "u2", "<label>yard</label>")), OK, "<label>yard</label>"},
        {EDIT(DEVICE(OP("replace"), "u2", "")), OK, "<device><uuid>u2</uuid></device>"},
        {EDIT(DEVICE(OP("delete"), "u3", "")), "data-missing", "kitchen"},
        {EDIT(DEVICE(OP("remove"), "u3", "")), OK, "kitchen"},
        {EDIT(DEVICE(OP("delete"), "u2", "")), OK, "</device></devices>"},
        {EDIT(DEVICE("", "u1", "<label" OP("delete") "/>")), OK,
         "<device><uuid>u1</uuid></device>"},
        {EDIT(DEVICE("", "u1", "<label" OP("delete") "/>")), "data-missing", "u1"},
        {EDIT(DEVICE("", "u1", "<label" OP("remove") "/>")), OK, "u1"},
        {EDIT_WITH(NONE, LABEL("u1", "x")), "data-missing", "u1"},
        {EDIT_WITH(NONE, DEVICE("", "u9", "<label" OP("merge") ">x</label>")), "data-missing",
         "u1"},
        {EDIT_WITH(NONE, DEVICE("", "u1", "<label" OP("merge") ">y</label>")), OK,
         "<label>y</label>"},
        {EDIT_WITH(NONE, DEVICE(OP("remove"), "u1", "")), OK, "<data></data>"},
        {EDIT(""), OK, "<data></data>"},
        /* a container without presence is always there and can be created again */
        {EDIT("<devices xmlns=\"" DEVS "\"" NC OP("create") "><device><uuid>u5</uuid></device>"
                                                            "</devices>"),
         OK, "u5"},
        {EDIT("<devices xmlns=\"" DEVS "\"" NC OP("create") "><device><uuid>u6</uuid></device>"
                                                            "</devices>"),
         OK, "u6"},
        {EDIT("<devices xmlns=\"" DEVS "\"" NC OP("delete") "/>"), OK, "<data></data>"},
    };
    struct peer peer = peer_open();
    (void)state;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_has(peer_ask(&peer, steps[i].rpc), steps[i].answer);
        assert_has(peer_ask(&peer, GET_DEVICES), steps[i].left);
    }
    peer_free(&peer);
}

static void a_replacement_of_everything_leaves_only_what_is_given(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    assert_has(peer_ask(&peer, EDIT(LABEL("u1", "hall"))), OK);
    assert_has(peer_ask(&peer, EDIT_WITH(REPLACE, LABEL("u2", "yard"))), OK);
    assert_has_not(peer_ask(&peer, GET_DEVICES), "u1");
    assert_has(peer_ask(&peer, GET_DEVICES), "yard");
    assert_has_not(peer_ask(&peer, GET_LISTS), "everybody");
    assert_has(peer_ask(&peer, RPC("<copy-config><target><running/></target><source><config>" LABEL(
                                   "u3", "roof") "</config></source></copy-config>")),
               OK);
    assert_has_not(peer_ask(&peer, GET_DEVICES), "u2");
    assert_has(peer_ask(&peer, GET_DEVICES), "roof");
    peer_free(&peer);
}

static void a_refused_edit_changes_nothing_and_says_where(void **state)
{
    static const struct {
        const char *rpc;
        const char *tag;
        const char *says;
    } cases[] = {
        {EDIT(LABEL("u1", "")), "invalid-value",
         "/myno-devices:devices/myno-devices:device[myno-devices:uuid='u1']/myno-devices:label"
         "</error-path>"},
        {EDIT(LABEL("u1", "good") DEVICE(OP("delete"), "u7", "")), "data-missing",
         "<error-path xmlns:myno-devices=\"urn:mup:myno-devices\">/myno-devices:devices/"
         "myno-devices:device[myno-devices:uuid='u7']</error-path>"},
        {EDIT("<devices xmlns=\"" DEVS "\"><device><label>x</label></device></devices>"),
         "missing-element", ""},
        {EDIT(DEVICE("", "u1", "<colour>red</colour>")), "unknown-element",
         "<bad-element>colour</bad-element>"},
        {EDIT(DEVICE("", "u1", "<name>n</name>")), "unknown-element", "this is state"},
        {EDIT(DEVICE("", "u1", "<label><b/></label>")), "bad-element", "label"},
        {EDIT("<stop xmlns=\"urn:toy\"/>"), "unknown-element", "stop"},
        {EDIT("<a xmlns=\"urn:none\"/>"), "unknown-namespace",
         "<bad-namespace>urn:none</bad-namespace>"},
        {EDIT(DEVICE(OP("destroy"), "u1", "")), "bad-attribute",
         "<bad-attribute>operation</bad-attribute>"},
        {EDIT(DEVICE(" speed=\"1\"", "u1", "")), "unknown-attribute",
         "<bad-attribute>speed</bad-attribute>"},
        {EDIT("<nacm xmlns=\"" ACM "\"><rule-list><name>l</name><rule><name>r</name></rule>"
              "</rule-list></nacm>"),
         "missing-element", "action"},
        {EDIT("<nacm xmlns=\"" ACM "\"><rule-list><name>l</name><rule><name>r</name>"
              "<path>count(//*)</path><action>deny</action></rule></rule-list></nacm>"),
         "invalid-value", "ietf-netconf-acm:path</error-path>"},
        {EDIT("<nacm xmlns=\"" ACM "\"><denied-operations>0</denied-operations></nacm>"),
         "unknown-element", "denied-operations"},
        {RPC("<edit-config><target><running/></target></edit-config>"), "missing-element",
         "<bad-element>config</bad-element>"},
        {RPC("<edit-config><target/><config/></edit-config>"), "missing-element",
         "<bad-element>target</bad-element>"},
        {RPC("<copy-config><source><running/></source></copy-config>"), "missing-element",
         "<bad-element>target</bad-element>"},
        {RPC("<edit-config><target><candidate/></target><config/></edit-config>"),
         "unknown-element", "candidate"},
        {EDIT_WITH("<default-operation>maybe</default-operation>", ""), "invalid-value",
         "<bad-element>default-operation</bad-element>"},
        {EDIT_WITH("<error-option>maybe</error-option>", ""), "invalid-value",
         "<bad-element>error-option</bad-element>"},
        {RPC("<copy-config><target><running/></target><source><running/></source></copy-config>"),
         "invalid-value", "source"},
        {RPC("<delete-config><target><running/></target></delete-config>"), "unknown-element",
         "running"},
        {RPC("<delete-config><target/></delete-config>"), "operation-not-supported", "target"},
        {RPC("<validate><source><config>" LABEL("u1", "") "</config></source></validate>"),
         "invalid-value", "label"},
        {RPC("<unlock><target><running/></target></unlock>"), "operation-failed", ""},
    };
    struct peer peer = peer_open();
    char tag[80];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *answer = peer_ask(&peer, cases[i].rpc);
        snprintf(tag, sizeof tag, "<error-tag>%s</error-tag>", cases[i].tag);
        assert_has(answer, tag);
        assert_has(answer, cases[i].says);
    }
    assert_int_equal(rig_kept_count, 0);
    assert_has(peer_ask(&peer, GET_DEVICES), "<data></data>");
    peer_free(&peer);
}

static void lists_that_a_person_orders_are_ordered_as_told(void **state)
{
#define LIST(attributes, name)                                                       \
    EDIT("<nacm xmlns=\"" ACM "\" xmlns:a=\"" ACM                                    \
         "\" xmlns:y=\"urn:ietf:params:xml:ns:yang:1\"" NC "><rule-list " attributes \
         "><name>" name "</name></rule-list></nacm>")
#define KEY(where, name) "y:insert=\"" where "\" y:key=\"[a:name='" name "']\""
    static const struct {
        const char *rpc;
        const char *order;
    } steps[] = {
        {LIST("y:insert=\"first\"", "one"), "one administrator everybody operator "},
        {LIST("y:insert=\"last\"", "two"), "one administrator everybody operator two "},
        {LIST(KEY("after", "administrator"), "three"),
         "one administrator three everybody operator two "},
        {LIST(KEY("before", "one"), "two"), "two one administrator three everybody operator "},
        {LIST("nc:operation=\"replace\"", "three"),
         "two one administrator three everybody operator "},
        {LIST(KEY("before", "nobody"), "four"), NULL},
        {LIST("", "five"), "two one administrator three everybody operator five "},
        {LIST("nc:operation=\"delete\"", "two"),
         "one administrator three everybody operator five "},
    };
    struct peer peer = peer_open();
    char order[200];
    (void)state;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const char *answer = peer_ask(&peer, steps[i].rpc);
        if (!steps[i].order) {
            assert_has(answer, "<error-tag>bad-attribute</error-tag>");
            assert_has(answer, "<error-app-tag>missing-instance</error-app-tag>");
            continue;
        }
        assert_has(answer, OK);
        order[0] = '\0';
        for (const char *at = peer_ask(&peer, GET_LISTS); (at = strstr(at, "<name>"));) {
            at += 6;
            strncat(order, at, strcspn(at, "<"));
            strcat(order, " ");
        }
        assert_string_equal(order, steps[i].order);
    }
    peer_free(&peer);
}

static void a_choice_holds_one_case(void **state)
{
#define RULE(inner)                                                                    \
    EDIT("<nacm xmlns=\"" ACM "\"><rule-list><name>l</name><rule><name>r</name>" inner \
         "</rule></rule-list></nacm>")
    struct peer peer = peer_open();
    const char *answer;
    (void)state;

    assert_has(peer_ask(&peer, RULE("<rpc-name>get</rpc-name><action>deny</action>")), OK);
    assert_has(peer_ask(&peer, RULE("<notification-name>event</notification-name>")), OK);
    answer = peer_ask(&peer, RPC("<get-config><source><running/></source></get-config>"));
    assert_has(answer, "<name>r</name><notification-name>event</notification-name>");
    peer_free(&peer);
}

#define GO_ON "<error-option>continue-on-error</error-option>"

static void an_edit_that_goes_on_does_what_it_can_and_tells_the_rest(void **state)
{
    struct peer peer = peer_open();
    const char *answer;
    (void)state;

    answer = peer_ask(
        &peer, EDIT_WITH(GO_ON, "<devices xmlns=\"" DEVS "\"" NC "><device nc:operation=\"delete\">"
                                "<uuid>u8</uuid></device><device><uuid>u1</uuid><label>hall"
                                "</label></device><device nc:operation=\"create\"><uuid>u1</uuid>"
                                "</device><device><uuid>u2</uuid><label>yard</label></device>"
                                "</devices>"));
    assert_has(answer, "<error-tag>data-missing</error-tag>");
    assert_has(answer, "'u8']</error-path>");
    assert_has(answer, "</rpc-error><rpc-error>");
    assert_has(answer, "<error-tag>data-exists</error-tag>");
    assert_has_not(answer, "<ok/>");
    assert_int_equal(rig_kept_count, 1);
    assert_has(peer_ask(&peer, GET_DEVICES), "hall");
    assert_has(peer_ask(&peer, GET_DEVICES), "yard");
    /* what is not valid as a whole does not count at all */
    answer = peer_ask(&peer, EDIT_WITH(GO_ON, "<nacm xmlns=\"" ACM "\"><rule-list><name>l</name>"
                                              "<rule><name>r</name></rule></rule-list></nacm>"));
    assert_has(answer, "missing-element");
    assert_int_equal(rig_kept_count, 1);
    assert_has(peer_ask(&peer, EDIT_WITH(GO_ON, LABEL("u3", "roof"))), OK);
    peer_free(&peer);
}

static void a_test_only_edit_is_only_tested(void **state)
{
#define TEST_ONLY "<test-option>test-only</test-option>"
    struct peer peer = peer_open();
    (void)state;

    assert_has(peer_ask(&peer, EDIT_WITH(TEST_ONLY, LABEL("u1", "hall"))), OK);
    assert_has(peer_ask(&peer, EDIT_WITH(TEST_ONLY, LABEL("u1", ""))), "invalid-value");
    assert_has(peer_ask(&peer, RPC("<validate><source><running/></source></validate>")), OK);
    assert_has(peer_ask(&peer, RPC("<validate><source><config>" LABEL(
                                   "u1", "x") "</config></source></validate>")),
               OK);
    assert_int_equal(rig_kept_count, 0);
    assert_has(peer_ask(&peer, GET_DEVICES), "<data></data>");
    peer_free(&peer);
}

static void a_lock_keeps_others_out_until_its_session_ends(void **state)
{
#define LOCK   RPC("<lock><target><running/></target></lock>")
#define UNLOCK RPC("<unlock><target><running/></target></unlock>")
    struct peer holder = peer_open();
    struct peer other = peer_open();
    (void)state;

    assert_has(peer_ask(&holder, LOCK), OK);
    assert_has(peer_ask(&holder, LOCK), "<error-tag>lock-denied</error-tag>");
    assert_has(peer_ask(&other, LOCK), "<error-info><session-id>1</session-id></error-info>");
    assert_has(peer_ask(&other, EDIT(LABEL("u1", "x"))), "<error-tag>in-use</error-tag>");
    assert_has(peer_ask(&other, UNLOCK), "<error-tag>operation-failed</error-tag>");
    assert_has(peer_ask(&holder, EDIT(LABEL("u1", "mine"))), OK);
    assert_has(peer_ask(&other, GET_DEVICES), "mine");
    assert_has(peer_ask(&other, RPC("<get><filter><netconf-state xmlns=\"urn:ietf:params:xml:ns:"
                                    "yang:ietf-netconf-monitoring\"><datastores/></netconf-state>"
                                    "</filter></get>")),
               "<locked-by-session>1</locked-by-session>");
    assert_has(peer_ask(&holder, UNLOCK), OK);
    assert_has(peer_ask(&holder, LOCK), OK);
    peer_send(&holder, RPC("<close-session/>"));
    peer_expect_close(&holder);
    assert_has(peer_ask(&other, EDIT(LABEL("u1", "yours"))), OK);
    peer_free(&holder);
    peer_free(&other);
}

static void a_change_counts_when_it_is_kept(void **state)
{
    struct peer peer = peer_open();
    struct peer other = peer_open();
    struct peer third = peer_open();
    (void)state;

    rig_keeps_later = true;
    peer_send(&peer, EDIT(LABEL("u1", "hall")));
    rig_wait_count(&rig_kept_count, 1);
    assert_has(rig_kept, "<uuid>u1</uuid><label>hall</label>");
    assert_has(rig_kept, "<name>everybody</name>");
    assert_has(peer_ask(&other, GET_DEVICES), "<data></data>");
    peer_send(&other, EDIT(LABEL("u2", "yard")));
    peer_send(&third, EDIT(LABEL("u3", "roof")));
    for (int i = 0; i < 10; i++) {
        rig_turn();
    }
    assert_int_equal(rig_kept_count, 1); /* they wait for the first */
    rig_keep_now();
    peer_expect(&peer, OK);
    assert_int_equal(rig_kept_count, 2);
    assert_has(rig_kept, "hall");
    assert_has(rig_kept, "yard");
    rig_keeps_with = MUP_ERR_SPACE;
    rig_keep_now();
    peer_expect(&other, "<error-tag>operation-failed</error-tag>");
    rig_keeps_with = MUP_OK;
    rig_keep_now();
    peer_expect(&third, OK);
    assert_has_not(rig_kept, "yard");
    assert_has(peer_ask(&peer, GET_DEVICES), "roof");
    peer_free(&peer);
    peer_free(&other);
    peer_free(&third);
}

static void a_session_that_dies_leaves_its_change_and_takes_its_wait(void **state)
{
    struct peer peer = peer_open();
    struct peer waiting = peer_open();
    struct peer witness = peer_open();
    size_t gone = 0;
    (void)state;

    rig_keeps_later = true;
    peer_send(&peer, EDIT(LABEL("u1", "hall")));
    rig_wait_count(&rig_kept_count, 1);
    peer_send(&waiting, EDIT(LABEL("u2", "yard")));
    assert_has(peer_ask(&witness, RPC("<kill-session><session-id>1</session-id></kill-session>")),
               OK);
    assert_has(peer_ask(&witness, RPC("<kill-session><session-id>2</session-id></kill-session>")),
               OK);
    gone = mup_netconf_session_count(rig_server);
    assert_int_equal(gone, 1);
    rig_keep_now();
    assert_int_equal(rig_kept_count, 1);
    assert_has(peer_ask(&witness, GET_DEVICES), "hall");
    assert_has_not(peer_ask(&witness, GET_DEVICES), "yard");
    peer_free(&peer);
    peer_free(&waiting);
    peer_free(&witness);
}

static void a_kept_configuration_is_taken_up(void **state)
{
    struct peer peer = peer_open();
    char *kept;
    (void)state;

    assert_has(peer_ask(&peer, EDIT(LABEL("u1", "hall") GROUP("", "guests"))), OK);
    kept = strdup(rig_kept);
    peer_free(&peer);
    rig_stop(NULL);
    rig_start(NULL);
    assert_int_equal(mup_netconf_load_running(rig_server, kept, rig_error), MUP_OK);
    free(kept);
    assert_int_equal(mup_netconf_load_running(
                         rig_server, "<devices xmlns=\"" DEVS "\"><a/></devices>", rig_error),
                     MUP_ERR_FORMAT);
    assert_has(rig_error, "running configuration cannot be used");
    peer = peer_open();
    assert_has(peer_ask(&peer, GET_DEVICES), "hall");
    assert_has(peer_ask(&peer, RPC("<get-config><source><running/></source></get-config>")),
               "<name>guests</name>");
    peer_free(&peer);
}

static void subscribers_hear_what_changed_and_who_did_it(void **state)
{
    struct peer peer = peer_open();
    struct peer listener = peer_open();
    (void)state;

    assert_has(
        peer_ask(&listener, RPC("<create-subscription xmlns=\"urn:ietf:params:xml:ns:netconf:"
                                "notification:1.0\"/>")),
        OK);
    assert_has(peer_ask(&peer, EDIT(LABEL("u1", "hall"))), OK);
    peer_expect(&listener, "<netconf-config-change ");
    peer_expect(&listener, "<changed-by><username>alice</username><session-id>1</session-id>"
                           "</changed-by><datastore>running</datastore><edit><target");
    peer_expect(&listener, "'u1']</target><operation>create</operation></edit></netconf-config");
    assert_has(peer_ask(&peer, EDIT(LABEL("u1", "yard"))), OK);
    peer_expect(&listener, "label</target><operation>merge</operation></edit>");
    peer_free(&peer);
    peer_free(&listener);
}

static void get_shows_labels_beside_state(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    assert_has(peer_ask(&peer, EDIT(LABEL("u1", "hall") LABEL("u9", "later"))), OK);
    const char *answer =
        peer_ask(&peer, RPC("<get><filter><devices xmlns=\"" DEVS "\"/></filter></get>"));
    assert_has(answer, "<label>hall</label>");
    assert_has(answer, "<name>Lamp</name>");
    assert_has(answer, "<uuid>u9</uuid><label>later</label>");
    peer_free(&peer);
}

static void defaults_are_shown_as_asked(void **state)
{
#define WITH(mode)                                                                              \
    RPC("<get-config><source><running/></source><filter><nacm xmlns=\"" ACM "\"/></filter>"     \
        "<with-defaults xmlns=\"urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults\">" mode \
        "</with-defaults></get-config>")
    struct peer peer = peer_open();
    (void)state;

    assert_has(peer_ask(&peer, WITH("explicit")), "<enable-nacm>true</enable-nacm>");
    assert_has_not(peer_ask(&peer, WITH("explicit")), "<module-name>*</module-name>");
    assert_has(peer_ask(&peer, WITH("report-all")), "<module-name>*</module-name>");
    assert_has_not(peer_ask(&peer, WITH("trim")), "<enable-nacm>");
    assert_has(peer_ask(&peer, WITH("report-all-tagged")), "default=\"true\">*</module-name>");
    peer_free(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_start, rig_stop)

/* A path cannot be written with both quotes in a value: then the nearest node above is named. */
static void subscribers_hear_of_names_with_quotes(void **state)
{
#define MEMBER(name)                                                                            \
    EDIT("<nacm xmlns=\"" ACM "\"><groups><group><name>g</name><user-name>" name "</user-name>" \
         "</group></groups></nacm>")
    struct peer peer = peer_open();
    struct peer listener = peer_open();
    (void)state;

    assert_has(peer_ask(&peer, EDIT(GROUP("", "g"))), OK);
    assert_has(
        peer_ask(&listener, RPC("<create-subscription xmlns=\"urn:ietf:params:xml:ns:netconf:"
                                "notification:1.0\"/>")),
        OK);
    assert_has(peer_ask(&peer, MEMBER("o'neil")), OK);
    peer_expect(&listener, "user-name[.=\"o'neil\"]</target><operation>create</operation>");
    assert_has(peer_ask(&peer, MEMBER("o'&quot;neil")), OK);
    peer_expect(&listener, "group[nacm:name='g']</target>");
    peer_expect(&listener, "<operation>merge</operation>");
    assert_has(peer_ask(&peer, EDIT(GROUP("", "a'&quot;b"))), OK);
    peer_expect(&listener, "nacm:groups</target><operation>merge</operation>");
    peer_free(&peer);
    peer_free(&listener);
#undef MEMBER
}

/* Of a list entry without its key, and of an entry of a leaf-list without its value, nobody knows
 * which is meant, whatever else the edit deletes. */
static void a_delete_names_what_it_deletes(void **state)
{
#define BARE          "<enable-external-groups" OP("remove") "/>"
#define ACCESS(inner) EDIT("<nacm xmlns=\"" ACM "\"" NC ">" inner "</nacm>")
    struct peer peer = peer_open();
    (void)state;

    assert_has(peer_ask(&peer, EDIT(DEVICE("", "u1", "<label>hall</label>"))), OK);
    assert_has(peer_ask(&peer, ACCESS("<groups><group><name>g</name><user-name>eve</user-name>"
                                      "</group></groups>")),
               OK);
    assert_has(peer_ask(&peer, EDIT("<nacm xmlns=\"" ACM "\"" NC ">" BARE "</nacm>"
                                    "<devices xmlns=\"" DEVS "\"" NC
                                    "><device" OP("delete") "/>"
                                                            "</devices>")),
               "missing-element");
    assert_has(peer_ask(&peer, GET_DEVICES), "hall");
    assert_has(peer_ask(&peer, ACCESS(BARE "<rule-list" OP("remove") "/>")), "missing-element");
    assert_has(peer_ask(&peer, GET_LISTS), "<name>administrator</name>");
    assert_has(peer_ask(&peer, ACCESS(BARE "<groups><group><name>g</name><user-name" OP(
                                   "delete") "/></group></groups>")),
               "invalid-value");
    assert_has(peer_ask(&peer, RPC("<get-config><source><running/></source></get-config>")),
               "<user-name>eve</user-name>");
    peer_free(&peer);
#undef ACCESS
#undef BARE
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_five_operations_do_what_they_say),
        TEST(a_replacement_of_everything_leaves_only_what_is_given),
        TEST(a_refused_edit_changes_nothing_and_says_where),
        TEST(lists_that_a_person_orders_are_ordered_as_told),
        TEST(a_choice_holds_one_case),
        TEST(an_edit_that_goes_on_does_what_it_can_and_tells_the_rest),
        TEST(a_test_only_edit_is_only_tested),
        TEST(a_lock_keeps_others_out_until_its_session_ends),
        TEST(a_change_counts_when_it_is_kept),
        TEST(a_session_that_dies_leaves_its_change_and_takes_its_wait),
        TEST(a_kept_configuration_is_taken_up),
        TEST(subscribers_hear_what_changed_and_who_did_it),
        TEST(subscribers_hear_of_names_with_quotes),
        TEST(a_delete_names_what_it_deletes),
        TEST(get_shows_labels_beside_state),
        TEST(defaults_are_shown_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
