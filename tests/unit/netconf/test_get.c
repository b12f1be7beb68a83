/* get and get-config by XPath and in child processes (RFC 6241 8.9). */
#include "netconf_rig.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#define DEVS "urn:mup:myno-devices"
#define XPATH(select) \
    RPC("<get><filter type=\"xpath\" xmlns:d=\"" DEVS "\" select=\"" select "\"/></get>")
/* Takes for ever: each step multiplies the nodes. */
#define ENDLESS XPATH("//*[//*[//*[//*[//*[//*[count(//*) &gt; 1]]]]]]")

static void an_xpath_selects_nodes_with_what_is_above_and_below(void **state)
{
    static const struct {
        const char *rpc;
        const char *has[2];
        const char *has_not[2];
    } cases[] = {
        {XPATH("/d:devices/d:device[d:name='Lamp']"),
         {"<uuid>u1</uuid><name>Lamp</name>", "ready"},
         {"u2", "netconf-state"}},
        {XPATH("/d:devices/d:device/d:state"),
         {"<uuid>u1</uuid><state", "<uuid>u2</uuid><state"},
         {"Lamp", "Valve"}},
        {XPATH("//d:name[. = 'Valve']/.. | //d:name[. = 'Valve']"),
         {"Valve", "offline"},
         {"u1", "Lamp"}},
        {XPATH("/devices/device[uuid='u2']/name"), {"<uuid>u2</uuid>", "Valve"}, {"u1", "state"}},
        {XPATH("//name[. = 'Lamp']"), {"<uuid>u1</uuid>", "Lamp"}, {"u2", "Valve"}},
        {XPATH("/d:nothing"), {"<data></data>", ""}, {"u1", "u2"}},
        {XPATH("/*[local-name() = 'devices']"), {"u1", "u2"}, {"netconf-state", "#"}},
        {RPC("<get xmlns:nc=\"" BASE_NS "\"><filter nc:type=\"xpath\" xmlns:d=\"" DEVS "\" "
             "nc:select=\"//d:name\"/></get>"),
         {"Lamp", "Valve"},
         {"state", "#"}},
        {RPC("<get-config><source><running/></source><filter type=\"xpath\" xmlns:a=\"urn:ietf:"
             "params:xml:ns:yang:ietf-netconf-acm\" select=\"//a:group[a:name='operator']\"/>"
             "</get-config>"),
         {"<nacm xmlns=\"urn:ietf:params:xml:ns:yang:ietf-netconf-acm\"><groups><group>"
          "<name>operator</name>",
          ""},
         {"read-only", "rule"}},
    };
    struct peer peer = peer_open();
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *answer = peer_ask(&peer, cases[i].rpc);
        assert_has(answer, cases[i].has[0]);
        assert_has(answer, cases[i].has[1]);
        assert_has_not(answer, cases[i].has_not[0]);
        assert_has_not(answer, cases[i].has_not[1]);
    }
    peer_free(&peer);
}

static void a_large_get_comes_from_a_child_and_is_the_same(void **state)
{
    struct peer peer = peer_open();
    char *near;
    (void)state;

    near =
        strdup(peer_ask(&peer, RPC("<get><filter><devices xmlns=\"" DEVS "\"/></filter></get>")));
    rig_weight = 100000;
    assert_string_equal(
        peer_ask(&peer, RPC("<get><filter><devices xmlns=\"" DEVS "\"/></filter></get>")), near);
    assert_has(peer_ask(&peer, RPC("<get/>")), "</yang-library>");
    assert_has(peer_ask(&peer, RPC("<get/>")), "</data></rpc-reply>");
    free(near);
    peer_free(&peer);
}

/* How many children this process has. */
static size_t count_children(void)
{
    char path[64];
    size_t count = 0;
    int c;

    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while ((c = fgetc(file)) != EOF) {
        count += c == ' ';
    }
    fclose(file);
    return count;
}

static void an_endless_xpath_ends_with_an_error_and_holds_nobody_up(void **state)
{
    struct peer peer = peer_open();
    struct peer other = peer_open();
    (void)state;

    peer_send(&peer, ENDLESS);
    for (int i = 0; i < 3; i++) {
        assert_has(peer_ask(&other, RPC(TOKEN("fast"))), "<token");
    }
    assert_int_equal(count_children(), 1);
    peer_expect(&peer, "<error-tag>resource-denied</error-tag>");
    peer_expect(&peer, "]]>]]>");
    assert_int_equal(count_children(), 0);
    assert_has(peer_ask(&peer, RPC("<get/>")), "u1");
    peer_free(&peer);
    peer_free(&other);
}

static void the_child_ends_with_its_session(void **state)
{
    struct peer peer = peer_open();
    struct peer other = peer_open();
    (void)state;

    peer_send(&peer, ENDLESS);
    while (count_children() == 0) {
        rig_turn();
    }
    assert_has(peer_ask(&other, RPC("<kill-session><session-id>1</session-id></kill-session>")),
               "<ok/>");
    assert_int_equal(count_children(), 0);
    peer_free(&peer);
    peer_free(&other);
}

static void a_user_gets_two_children_and_all_together_four(void **state)
{
    static const char *const users[] = {"alice",      "alice",      "alice",
                                        "mup-server", "mup-server", "mup-server"};
    struct peer peers[6];
    struct peer last;
    (void)state;

    for (size_t i = 0; i < 6; i++) {
        peers[i] = peer_open_as(users[i]);
        peer_send(&peers[i], ENDLESS);
        for (int turn = 0; turn < 5; turn++) {
            rig_turn();
        }
        assert_true(i != 2 || count_children() <= 2); /* the third of one user waits */
    }
    while (count_children() < 4) {
        rig_turn();
    }
    assert_int_equal(count_children(), 4);
    /* Those who wait leave without a trace, and the place of one who leaves is taken. */
    last = peer_open();
    assert_has(peer_ask(&last, RPC("<kill-session><session-id>3</session-id></kill-session>")),
               "<ok/>");
    assert_int_equal(count_children(), 4);
    peer_free(&peers[3]);
    while (mup_netconf_session_count(rig_server) > 5) {
        rig_turn();
    }
    assert_int_equal(count_children(), 4);
    for (size_t i = 0; i < 6; i++) {
        if (i != 3) {
            peer_free(&peers[i]);
        }
    }
    while (mup_netconf_session_count(rig_server) > 1) {
        rig_turn();
    }
    assert_int_equal(count_children(), 0);
    peer_free(&last);
}

static void a_server_that_stops_takes_its_children_along(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, ENDLESS);
    while (count_children() == 0) {
        rig_turn();
    }
    rig_stop(NULL);
    assert_int_equal(count_children(), 0);
    peer_free(&peer);
    rig_start(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_start, rig_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_xpath_selects_nodes_with_what_is_above_and_below),
        TEST(a_large_get_comes_from_a_child_and_is_the_same),
        TEST(an_endless_xpath_ends_with_an_error_and_holds_nobody_up),
        TEST(the_child_ends_with_its_session),
        TEST(a_user_gets_two_children_and_all_together_four),
        TEST(a_server_that_stops_takes_its_children_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
