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

static void add_numbered(unsigned number)
{
    char yang[200];

    snprintf(yang, sizeof yang,
             "module m%u { namespace \"urn:m%u\"; prefix m; rpc go { output { leaf out { type "
             "string; } } } }",
             number, number);
    assert_int_equal(mup_netconf_add_module(rig_server, yang, rig_error), MUP_OK);
}

static void hide_numbered(unsigned first, unsigned count)
{
    char name[16];

    for (unsigned i = first; i < first + count; i++) {
        snprintf(name, sizeof name, "m%u", i);
        mup_netconf_hide_module(rig_server, name);
    }
}

/* Turn until the live context is another. */
static void await_rebuild(const struct ly_ctx *before)
{
    uint64_t end = uv_hrtime() / 1000000u + RIG_WAIT_MS;

    while (mup_netconf_schemas(rig_server) == before) {
        assert_true(uv_hrtime() / 1000000u < end);
        rig_turn();
        usleep(1000);
    }
}

#define LABEL                                                                                      \
    RPC("<edit-config><target><running/></target><config><devices xmlns=\"urn:mup:myno-devices\">" \
        "<device><uuid>u1</uuid><label>hall</label></device></devices></config></edit-config>")

static void many_hidden_modules_are_given_up_and_nobody_notices(void **state)
{
    struct peer peer = peer_open();
    struct peer waiting = peer_open();
    struct peer late = peer_open();
    struct lyd_node *tree = NULL;
    (void)state;

    assert_has(peer_ask(&peer, LABEL), "<ok/>");
    assert_has(peer_ask(&peer, RPC("<create-subscription xmlns=\"urn:ietf:params:xml:ns:netconf:"
                                   "notification:1.0\"><filter><telemetry xmlns=\"urn:mup:"
                                   "myno-devices\"/></filter></create-subscription>")),
               "<ok/>");
    peer_send(&waiting, RPC(TOKEN("slow")));
    peer_send(&late, RPC(TOKEN("slower")));
    rig_wait_count(&rig_request_count, 2);
    for (unsigned round = 0; round < 3; round++) {
        const struct ly_ctx *before = mup_netconf_schemas(rig_server);
        for (unsigned i = 0; i < 70; i++) {
            add_numbered(100 * round + i);
        }
        hide_numbered(100 * round + 1, 69);
        await_rebuild(before);
        /* configuration, access rules, sessions and the visible modules are as before */
        const char *answer = peer_ask(&peer, RPC("<get/>"));
        assert_has(answer, "<label>hall</label>");
        assert_has(answer, "<name>everybody</name>");
        assert_has(answer, "<identifier>m0</identifier>");
        assert_has_not(answer, "<identifier>m1</identifier>");
        assert_has(peer_ask(&peer, RPC(TOKEN("fast"))), "<token");
    }
    /* those who waited are answered from the context of now */
    assert_int_equal(lyd_new_path(NULL, mup_netconf_schemas(rig_server),
                                  "/toy:getDeviceToken/token", "t<", LYD_NEW_PATH_OUTPUT, &tree),
                     LY_SUCCESS);
    assert_int_equal(mup_netconf_reply_tree(rig_requests[0], tree), MUP_OK);
    peer_expect(&waiting, "<token xmlns=\"urn:toy\">t&lt;</token></rpc-reply>");
    peer_free(&late); /* and those who went need no answer */
    rig_wait_count(&rig_cancelled, 1);
    tree = NULL;
    assert_int_equal(lyd_new_path(NULL, mup_netconf_schemas(rig_server),
                                  "/myno-devices:telemetry/uuid", "u1", 0, &tree),
                     LY_SUCCESS);
    assert_int_equal(mup_netconf_notify(rig_server, tree), MUP_OK);
    peer_expect(&peer, "</telemetry></notification>]]>]]>");
    /* what was given up can come again */
    add_numbered(5);
    assert_has(peer_ask(&peer, RPC("<get/>")), "<identifier>m5</identifier>");
    peer_free(&peer);
    peer_free(&waiting);
}

static void a_context_that_requests_hold_is_not_replaced_for_ever(void **state)
{
    struct peer peers[5];
    const struct ly_ctx *before;
    (void)state;

    for (unsigned round = 0; round < 5; round++) {
        peers[round] = peer_open();
        peer_send(&peers[round], RPC(TOKEN("slow")));
        rig_wait_count(&rig_request_count, round + 1);
        for (unsigned i = 0; i < 70; i++) {
            add_numbered(100 * round + i);
        }
        before = mup_netconf_schemas(rig_server);
        hide_numbered(100 * round, 70);
        if (round < 3) {
            await_rebuild(before);
        }
    }
    /* three old ones and the live one: the fourth change waits until an old one is free */
    for (int i = 0; i < 600; i++) {
        rig_turn();
        usleep(1000);
    }
    assert_ptr_equal(mup_netconf_schemas(rig_server), before);
    assert_int_equal(mup_netconf_reply_xml(rig_requests[1], "<token xmlns=\"urn:toy\">t</token>"),
                     MUP_OK);
    peer_expect(&peers[1], "<token");
    await_rebuild(before);
    for (unsigned round = 0; round < 5; round++) {
        peer_free(&peers[round]);
    }
}

#define SCHEMA_OTHER                                                                 \
    RPC("<get-schema xmlns=\"urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring\">" \
        "<identifier>other</identifier></get-schema>")

static void a_text_that_is_not_kept_is_made_when_it_is_needed(void **state)
{
    static const char text[] = OTHER("revision 2026-01-02;");
    struct peer peer = peer_open();
    (void)state;

    assert_int_equal(mup_netconf_add_made_module(rig_server, text, rig_error), MUP_OK);
    assert_int_equal(rig_made_count, 0);
    rig_made = text;
    assert_has(peer_ask(&peer, SCHEMA_OTHER), "revision 2026-01-02;");
    assert_int_equal(rig_made_count, 1);
    /* never another text than the one that the live context has */
    rig_made = OTHER("revision 2026-01-03;");
    assert_has(peer_ask(&peer, SCHEMA_OTHER), "<error-tag>resource-denied</error-tag>");
    rig_made = NULL;
    assert_has(peer_ask(&peer, SCHEMA_OTHER), "<error-tag>resource-denied</error-tag>");
    /* the same text is known as such without being made */
    rig_made_count = 0;
    assert_int_equal(mup_netconf_add_made_module(rig_server, text, rig_error), MUP_OK);
    assert_int_equal(add(OTHER("revision 2026-01-03;")), MUP_ERR_STATE);
    mup_netconf_hide_module(rig_server, "other");
    assert_has(peer_ask(&peer, SCHEMA_OTHER), "there is no such schema");
    assert_int_equal(add(OTHER("revision 2026-01-03;")), MUP_ERR_STATE);
    assert_int_equal(mup_netconf_add_made_module(rig_server, text, rig_error), MUP_OK);
    assert_int_equal(rig_made_count, 0);
    rig_made = text;
    assert_has(peer_ask(&peer, SCHEMA_OTHER), "revision 2026-01-02;");
    peer_free(&peer);
}

static void a_text_that_is_not_kept_is_imported(void **state)
{
    static const char types[] = "module types { namespace \"urn:types\"; prefix y; typedef word { "
                                "type string; } }";
    (void)state;

    assert_int_equal(mup_netconf_add_made_module(rig_server, types, rig_error), MUP_OK);
    assert_int_equal(add("module bad {"), MUP_ERR_FORMAT); /* and nothing that was tried stands */
    assert_int_equal(add(OTHER("import types { prefix y; }")), MUP_ERR_FORMAT);
    rig_made = types;
    assert_int_equal(add(OTHER("import types { prefix y; }")), MUP_OK);
}

static void contexts_change_with_texts_that_are_not_kept(void **state)
{
    static const char text[] = OTHER("revision 2026-01-02;");
    const struct ly_ctx *before = mup_netconf_schemas(rig_server);
    struct peer peer = peer_open();
    (void)state;

    assert_int_equal(mup_netconf_add_made_module(rig_server, text, rig_error), MUP_OK);
    for (unsigned i = 0; i < 70; i++) {
        add_numbered(i);
    }
    hide_numbered(0, 70);
    /* it cannot be made: the context stays, and it is tried again */
    uint64_t end = uv_hrtime() / 1000000u + RIG_WAIT_MS;
    while (rig_made_count < 2) {
        assert_true(uv_hrtime() / 1000000u < end);
        rig_turn();
        usleep(1000);
    }
    assert_ptr_equal(mup_netconf_schemas(rig_server), before);
    rig_made = text;
    await_rebuild(before);
    assert_has(peer_ask(&peer, SCHEMA_OTHER), "revision 2026-01-02;");
    assert_has(peer_ask(&peer, RPC("<get/>")), "<identifier>other</identifier>");
    peer_free(&peer);
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
        TEST(a_text_that_is_not_kept_is_made_when_it_is_needed),
        TEST(a_text_that_is_not_kept_is_imported),
        TEST(contexts_change_with_texts_that_are_not_kept),
        TEST(many_hidden_modules_are_given_up_and_nobody_notices),
        TEST(a_context_that_requests_hold_is_not_replaced_for_ever),
        TEST(the_server_says_why_it_cannot_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
