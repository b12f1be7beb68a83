/*
 * What stands in an <rpc> of an administrator, as the bridge's NETCONF server meets it: filters,
 * edits of the running configuration, subscriptions, and RPCs of a module. Every answer must be
 * well-formed XML, and a session that is not ended must still answer.
 *
 * XPath filters are left out: they are evaluated by libyang in a process of its own.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bridge/netconf/access.h"
#include "bridge/netconf/netconf.h"
#include "runtime/log.h"
#include "runtime/xml.h"

#define SIZE_MAX_OF_INPUT 4096u
#define ELEMENTS_MAX      262144u
#define TURNS_MAX         100000u
#define END               "]]>]]>"
#define BASE              "urn:ietf:params:xml:ns:netconf:base:1.0"

static struct mup_loop loop;
static struct mup_netconf *server;
static char path[64];

static const char toy[] =
    "module toy { namespace \"urn:toy\"; prefix toy;"
    "  rpc set { input { leaf name { type string { length \"1..8\"; } mandatory true; }"
    "    list part { key k; leaf k { type uint8; } container c { leaf d { type boolean; } } }"
    "    choice how { case a { leaf x { type int8; } } case b { leaf y { type binary; } } } }"
    "    output { leaf out { type string; } } } }";

static void begin_rpc(void *context, struct mup_netconf_request *request, const char *user,
                      const char *module, const char *rpc, const struct lyd_node *input)
{
    (void)context;
    (void)user;
    (void)module;
    (void)rpc;
    (void)input;
    (void)mup_netconf_reply_xml(request, "<out xmlns=\"urn:toy\">o</out>");
}

static void cancel(void *context, struct mup_netconf_request *request)
{
    (void)context;
    (void)request;
}

static enum mup_status get(void *context, const char *user, const struct ly_ctx *schemas,
                           struct lyd_node **tree)
{
    static const char xml[] = "<devices xmlns=\"urn:mup:myno-devices\"><device><uuid>u1</uuid>"
                              "<name>Lamp</name><state>ready</state><telemetry><name>t</name>"
                              "<value>1</value></telemetry></device></devices>";
    (void)context;
    (void)user;
    return lyd_parse_data_mem(schemas, xml, LYD_XML, LYD_PARSE_ONLY, 0, tree) == LY_SUCCESS
               ? MUP_OK
               : MUP_ERR_SPACE;
}

static void start(void)
{
    static const struct mup_netconf_backend backend = {
        .get = get, .begin_rpc = begin_rpc, .cancel = cancel};
    static const char *const administrators[] = {"alice"};
    char error[MUP_NETCONF_ERROR_SIZE];
    uid_t self = getuid();
    struct mup_netconf_settings settings = {.socket_path = path,
                                            .uids = &self,
                                            .uid_count = 1,
                                            .administrators = administrators,
                                            .administrator_count = 1};

    mup_log_set_level(MUP_LOG_ERROR);
    snprintf(path, sizeof path, "/tmp/mup-fuzz-netconf-%ld", (long)getpid());
    if (mup_loop_init(&loop, NULL, NULL) ||
        !(server = mup_netconf_new(&loop, &settings, &backend, error)) ||
        mup_netconf_add_module(server, toy, error)) {
        fprintf(stderr, "%s\n", error);
        abort();
    }
}

static int connect_peer(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        abort();
    }
    return fd;
}

/* The next message; its size, or -1: the session is closed. */
static ssize_t next_message(int fd, char **text)
{
    size_t size = 0;

    free(*text);
    *text = calloc(1, 1);
    for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
        char bytes[4096];
        uv_run(&loop.uv, UV_RUN_NOWAIT);
        ssize_t got = recv(fd, bytes, sizeof bytes, MSG_PEEK);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            return -1;
        }
        if (got < 0) {
            continue;
        }
        /* Only up to the end of a message. */
        *text = realloc(*text, size + (size_t)got + 1);
        memcpy(*text + size, bytes, (size_t)got);
        (*text)[size + (size_t)got] = '\0';
        char *end = strstr(*text + (size > 5 ? size - 5 : 0), END);
        size_t take = end ? (size_t)(end - *text) + strlen(END) - size : (size_t)got;
        if (recv(fd, bytes, take, 0) != (ssize_t)take) {
            abort();
        }
        size += take;
        if (end) {
            *end = '\0';
            return (ssize_t)(end - *text);
        }
    }
    abort(); /* no answer */
}

static void send_text(int fd, const char *text, size_t size)
{
    if (send(fd, text, size, MSG_NOSIGNAL) != (ssize_t)size) {
        abort();
    }
}

static void check_answer(const char *text, size_t size)
{
    if (mup_xml_check(text, size, ELEMENTS_MAX)) {
        fprintf(stderr, "not well-formed: %s\n", text);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char hello[] = "as alice\n<hello xmlns=\"" BASE "\"><capabilities><capability>"
                                "urn:ietf:params:netconf:base:1.0</capability></capabilities>"
                                "</hello>" END;
    static const char before[] = "<rpc xmlns=\"" BASE "\" message-id=\"1\">";
    static const char after[] = "</rpc>" END;
    static const char again[] = "<rpc xmlns=\"" BASE "\" message-id=\"2\"><set xmlns=\"urn:toy\">"
                                "<name>n</name></set></rpc>" END;
    char error[MUP_NETCONF_ERROR_SIZE];
    char *text = NULL;

    if (size > SIZE_MAX_OF_INPUT || memmem(bytes, size, "select", 6) ||
        memmem(bytes, size, END, strlen(END))) {
        return 0;
    }
    if (!server) {
        start();
    }
    int fd = connect_peer();
    send_text(fd, hello, sizeof hello - 1);
    if (next_message(fd, &text) < 0) {
        abort();
    }
    send_text(fd, before, sizeof before - 1);
    send_text(fd, (const char *)bytes, size);
    send_text(fd, after, sizeof after - 1);
    ssize_t answered = next_message(fd, &text);
    if (answered >= 0) {
        check_answer(text, (size_t)answered);
    }
    if (answered >= 0 && !memmem(bytes, size, "close-session", 13)) {
        send_text(fd, again, sizeof again - 1);
        /* Notifications may come first. */
        while ((answered = next_message(fd, &text)) >= 0 && !strstr(text, "message-id=\"2\"")) {
            check_answer(text, (size_t)answered);
        }
        if (answered < 0 || !strstr(text, "<out")) {
            abort();
        }
    }
    free(text);
    close(fd);
    for (unsigned turn = 0; mup_netconf_session_count(server) > 0 && turn < TURNS_MAX; turn++) {
        uv_run(&loop.uv, UV_RUN_NOWAIT);
    }
    if (mup_netconf_load_running(server, access_first_rules, error)) {
        abort();
    }
    return 0;
}
