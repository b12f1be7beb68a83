/* Modules that come and go while sessions are open, and the server's start. */
#include "netconf_rig.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHER(extra) "module other { namespace \"urn:other\"; prefix o; " extra " rpc go; }"

static enum mup_status add(const char *yang)
{
    return mup_netconf_add_module(rig_server, yang, rig_error);
}

static void open_sessions_call_a_new_module_and_new_ones_see_it_in_hello(void **state)
{
    struct peer old = peer_open();
    struct peer young;
    (void)state;

    assert_null(strstr(old.bytes, "urn:other"));
    assert_int_equal(add(OTHER("revision 2026-01-02;")), MUP_OK);
    peer_send(&old, RPC("<get-schema xmlns=\"urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring\">"
                        "<identifier>other</identifier></get-schema>"));
    peer_expect(&old, "module other {");
    young = peer_connect();
    peer_send(&young, "as alice\n");
    peer_expect(&young, "<capability>urn:other?module=other&amp;revision=2026-01-02</capability>");
    peer_free(&old);
    peer_free(&young);
}

static void modules_of_yang_1_1_stand_in_the_library_only(void **state)
{
    struct peer peer;
    (void)state;

    assert_int_equal(add(OTHER("yang-version 1.1;")), MUP_OK);
    peer = peer_open();
    assert_null(strstr(peer.bytes, "urn:other"));
    peer_send(&peer, RPC("<get><filter><yang-library/></filter></get>"));
    peer_expect(&peer, "<name>other</name>");
    peer_free(&peer);
}

static void a_module_in_use_keeps_answering_while_another_is_added(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    peer_send(&peer, RPC(TOKEN("slow")));
    rig_wait_count(&rig_request_count, 1);
    assert_int_equal(add(OTHER("import toy { prefix t; }")), MUP_ERR_STATE);
    assert_non_null(strstr(rig_error, "imports toy, which has nodes of its own"));
    assert_int_equal(add("module types { namespace \"urn:types\"; prefix ty;"
                         " typedef name { type string; } extension mark; }"),
                     MUP_OK);
    assert_int_equal(add(OTHER("import types { prefix ty; }")), MUP_OK);
    assert_int_equal(add("module third { namespace \"urn:third\"; prefix th;"
                         " import types { prefix ty; } import ietf-yang-types { prefix y; }"
                         " rpc go { input { leaf l { type ty:name; } } } }"),
                     MUP_OK);
    assert_int_equal(mup_netconf_reply_xml(rig_requests[0], "<token xmlns=\"urn:toy\">s</token>"),
                     MUP_OK);
    peer_expect(&peer, ">s</token>");
    peer_free(&peer);
}

static void adding_again_is_fine_and_changing_is_not(void **state)
{
    (void)state;
    assert_int_equal(add(rig_toy), MUP_OK);
    assert_int_equal(add("module toy { namespace \"urn:toy\"; prefix toy; rpc go; }"),
                     MUP_ERR_STATE);
    assert_int_equal(add("module toy2 { namespace \"urn:toy\"; prefix toy; }"), MUP_ERR_STATE);
    assert_int_equal(add("module ietf-netconf { namespace \"urn:n\"; prefix n; }"), MUP_ERR_STATE);
}

static void what_is_not_good_yang_is_refused_with_a_reason(void **state)
{
    static const char *const bad[] = {
        "",
        "nonsense",
        "module a { namespace \"urn:a\"; prefix a; ",
        "module a { namespace \"urn:a\"; prefix a; leaf l { type hexBinary; } }",
        "module a { namespace \"urn:a\"; prefix a; rpc r { default 1; } }",
        "module a { namespace \"urn:a\"; prefix a; import nowhere { prefix n; } }",
        "submodule a { belongs-to toy { prefix t; } }",
    };
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rig_error[0] = '\0';
        assert_int_equal(add(bad[i]), MUP_ERR_FORMAT);
        assert_true(strlen(rig_error) > 0);
    }
    assert_int_equal(add(OTHER("")), MUP_OK);
}

static void augments_and_deviations_are_refused(void **state)
{
    (void)state;
    assert_int_equal(add(OTHER("import toy { prefix t; } augment \"/t:getDeviceToken/t:input\" {"
                               " leaf more { type string; } }")),
                     MUP_ERR_STATE);
    assert_int_equal(add(OTHER("import toy { prefix t; } deviation "
                               "\"/t:getDeviceToken/t:input/t:uuid\" { deviate not-supported; }")),
                     MUP_ERR_STATE);
    assert_int_equal(add(OTHER("")), MUP_OK);
}

static void a_hidden_module_is_gone_until_it_is_added_again(void **state)
{
    struct peer peer = peer_open();
    (void)state;

    mup_netconf_hide_module(rig_server, "toy");
    peer_send(&peer, RPC("<stop xmlns=\"urn:toy\"/>"));
    peer_expect(&peer, "<error-tag>unknown-namespace</error-tag>");
    peer_send(&peer, RPC("<get/>"));
    peer_expect(&peer, "yang-library");
    peer_expect(&peer, "]]>]]>");
    assert_null(strstr(peer.bytes + 2000, "<name>toy</name>"));
    assert_null(strstr(peer.bytes + 2000, "<identifier>toy</identifier>"));
    peer_free(&peer);
    peer = peer_open();
    assert_null(strstr(peer.bytes, "urn:toy"));
    assert_int_equal(add(rig_toy), MUP_OK);
    peer_send(&peer, RPC("<stop xmlns=\"urn:toy\"/>"));
    peer_expect(&peer, "<ok/>");
    peer_free(&peer);
}

static void the_server_says_why_it_cannot_start(void **state)
{
    static const struct mup_netconf_backend backend = {0};
    static const char *const nowhere[] = {"/nowhere"};
    struct mup_netconf_settings settings = rig_settings;
    char path[200];
    (void)state;

    assert_null(mup_netconf_new(&rig_loop, &settings, &backend, rig_error));
    assert_non_null(strstr(rig_error, "another bridge is listening"));
    snprintf(path, sizeof path, "%s.file", rig_socket);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    settings.socket_path = path;
    assert_null(mup_netconf_new(&rig_loop, &settings, &backend, rig_error));
    assert_non_null(strstr(rig_error, "exists and is not a socket"));
    unlink(path);
    settings.socket_path = "/nowhere/socket";
    assert_null(mup_netconf_new(&rig_loop, &settings, &backend, rig_error));
    assert_non_null(strstr(rig_error, "/nowhere/socket: cannot listen"));
    memset(path, 'x', 150);
    path[150] = '\0';
    settings.socket_path = path;
    assert_null(mup_netconf_new(&rig_loop, &settings, &backend, rig_error));
    assert_non_null(strstr(rig_error, "longer than"));
    snprintf(path, sizeof path, "%s.2", rig_socket);
    settings.schema_folders = nowhere;
    settings.schema_folder_count = 1;
    assert_null(mup_netconf_new(&rig_loop, &settings, &backend, rig_error));
    assert_non_null(strstr(rig_error, "install the Debian package libyuma-base"));
    assert_int_equal(access(path, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_start, rig_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open_sessions_call_a_new_module_and_new_ones_see_it_in_hello),
        TEST(modules_of_yang_1_1_stand_in_the_library_only),
        TEST(a_module_in_use_keeps_answering_while_another_is_added),
        TEST(adding_again_is_fine_and_changing_is_not),
        TEST(what_is_not_good_yang_is_refused_with_a_reason),
        TEST(augments_and_deviations_are_refused),
        TEST(a_hidden_module_is_gone_until_it_is_added_again),
        TEST(the_server_says_why_it_cannot_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
