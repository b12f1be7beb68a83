/* The rig of the NETCONF tests. */
#include "netconf_rig.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/log.h"

struct mup_loop rig_loop;
struct mup_netconf *rig_server;
struct mup_netconf_settings rig_settings;
char rig_socket[64];
char rig_error[MUP_NETCONF_ERROR_SIZE];
struct mup_netconf_request *rig_requests[RIG_REQUESTS_MAX];
size_t rig_request_count;
size_t rig_begun;
size_t rig_cancelled;
const char *rig_forbidden;
const char *rig_made;
unsigned rig_made_count;

const char rig_toy[] =
    "module toy { namespace \"urn:toy\"; prefix toy; revision 2026-11-21;\n"
    "  rpc getDeviceToken {\n"
    "    input { leaf uuid { type string { length \"1..8\"; } mandatory true; }\n"
    "      leaf level { type uint8 { range \"0..100\"; } } }\n"
    "    output { leaf token { type string; mandatory true; } leaf count { type uint8; } } }\n"
    "  rpc sendExtendedManifest;\n"
    "  rpc stop;\n"
    "}\n";

char *rig_kept;
size_t rig_kept_count;
enum mup_status rig_keeps_with;
bool rig_keeps_later;
size_t rig_weight;

static mup_netconf_on_kept *keep_done;
static void *keep_arg;
static struct mup_timer *keep_timer;
static uid_t self;
static const char *const administrators[] = {"alice"};

static void begin_rpc(void *context, struct mup_netconf_request *request, const char *user,
                      const char *module, const char *rpc, const struct lyd_node *input)
{
    (void)context;
    (void)user;
    assert_string_equal(module, "toy");
    rig_begun++;
    if (strcmp(rpc, "getDeviceToken") != 0) {
        mup_netconf_reply_ok(request);
    } else if (strcmp(lyd_get_value(lyd_child(input)), "fast") == 0) {
        assert_int_equal(mup_netconf_reply_xml(request, "<token xmlns=\"urn:toy\">t</token>"),
                         MUP_OK);
    } else {
        assert_true(rig_request_count < RIG_REQUESTS_MAX);
        rig_requests[rig_request_count++] = request;
    }
}

static void cancel(void *context, struct mup_netconf_request *request)
{
    (void)context;
    (void)request;
    rig_cancelled++;
}

static bool may_call(void *context, const char *user, const char *module, const char *rpc)
{
    (void)context;
    (void)user;
    (void)module;
    return !rig_forbidden || strcmp(rig_forbidden, rpc) != 0;
}

static enum mup_status get(void *context, const char *user, const struct ly_ctx *schemas,
                           struct lyd_node **tree)
{
    static const char xml[] =
        "<devices xmlns=\"urn:mup:myno-devices\">"
        "<device><uuid>u1</uuid><name>Lamp</name><state>ready</state></device>"
        "<device><uuid>u2</uuid><name>Valve</name><state>offline</state>"
        "</device></devices>";
    (void)context;
    (void)user;
    return lyd_parse_data_mem(schemas, xml, LYD_XML, LYD_PARSE_ONLY | LYD_PARSE_STRICT, 0, tree) ==
                   LY_SUCCESS
               ? MUP_OK
               : MUP_ERR_FORMAT;
}

static size_t weight(void *context)
{
    (void)context;
    return rig_weight;
}

static void answer_keep(void *arg)
{
    (void)arg;
    mup_netconf_on_kept *on_done = keep_done;
    keep_done = NULL;
    on_done(keep_arg, rig_keeps_with, "the disk is full");
}

static enum mup_status keep_running(void *context, const char *xml, mup_netconf_on_kept *on_done,
                                    void *arg)
{
    (void)context;
    assert_null(keep_done);
    free(rig_kept);
    rig_kept = strdup(xml);
    rig_kept_count++;
    keep_done = on_done;
    keep_arg = arg;
    if (!rig_keeps_later) {
        mup_timer_start(keep_timer, 0);
    }
    return MUP_OK;
}

void rig_keep_now(void)
{
    assert_non_null(keep_done);
    answer_keep(NULL);
}

static char *module_text(void *context, const char *module)
{
    (void)context;
    rig_made_count++;
    return rig_made && strncmp(rig_made + strlen("module "), module, strlen(module)) == 0
               ? strdup(rig_made)
               : NULL;
}

int rig_start(void **state)
{
    static const struct mup_netconf_backend backend = {.get = get,
                                                       .weight = weight,
                                                       .keep_running = keep_running,
                                                       .may_call = may_call,
                                                       .begin_rpc = begin_rpc,
                                                       .cancel = cancel,
                                                       .module_text = module_text};
    (void)state;

    self = getuid();
    mup_log_set_level(MUP_LOG_ERROR);
    snprintf(rig_socket, sizeof rig_socket, "/tmp/mup-netconf-test-%ld.sock", (long)getpid());
    rig_request_count = 0;
    rig_begun = 0;
    rig_cancelled = 0;
    rig_forbidden = NULL;
    rig_made = NULL;
    rig_made_count = 0;
    rig_kept = NULL;
    rig_kept_count = 0;
    rig_keeps_with = MUP_OK;
    rig_keeps_later = false;
    rig_weight = 0;
    keep_done = NULL;
    rig_settings = (struct mup_netconf_settings){.socket_path = rig_socket,
                                                 .uids = &self,
                                                 .uid_count = 1,
                                                 .update_uids = &self,
                                                 .update_uid_count = 1,
                                                 .administrators = administrators,
                                                 .administrator_count = 1,
                                                 .get_cpu_s = 2};
    assert_int_equal(mup_loop_init(&rig_loop, NULL, NULL), MUP_OK);
    keep_timer = mup_timer_new(&rig_loop, answer_keep, NULL);
    assert_non_null(keep_timer);
    rig_server = mup_netconf_new(&rig_loop, &rig_settings, &backend, rig_error);
    assert_non_null(rig_server);
    assert_int_equal(mup_netconf_add_module(rig_server, mup_netconf_devices_yang, rig_error),
                     MUP_OK);
    assert_int_equal(mup_netconf_add_module(rig_server, rig_toy, rig_error), MUP_OK);
    return 0;
}

int rig_stop(void **state)
{
    (void)state;
    mup_netconf_free(rig_server);
    mup_timer_free(keep_timer);
    keep_timer = NULL;
    free(rig_kept);
    rig_kept = NULL;
    mup_loop_close(&rig_loop);
    assert_int_equal(access(rig_socket, F_OK), -1);
    return 0;
}

void rig_turn(void)
{
    uv_run(&rig_loop.uv, UV_RUN_NOWAIT);
}

/* Wait until libuv or the peer has something to do, at most 10 ms. */
static void rest(int fd)
{
    struct pollfd fds[2] = {{.fd = uv_backend_fd(&rig_loop.uv), .events = POLLIN},
                            {.fd = fd, .events = POLLIN}};

    poll(fds, 2, 10);
}

static uint64_t deadline(void)
{
    return uv_hrtime() / 1000000u + RIG_WAIT_MS;
}

static void check_deadline(uint64_t end, const char *what)
{
    if (uv_hrtime() / 1000000u > end) {
        fail_msg("nothing came while waiting for: %s", what);
    }
}

void rig_wait_count(const size_t *count, size_t wanted)
{
    uint64_t end = deadline();

    while (*count < wanted) {
        check_deadline(end, "a count");
        rig_turn();
        if (*count < wanted) {
            rest(-1);
        }
    }
    assert_int_equal(*count, wanted);
}

struct peer peer_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct peer peer = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                        .bytes = calloc(1, 1)};

    assert_true(peer.fd >= 0 && peer.bytes);
    strcpy(address.sun_path, rig_socket);
    assert_int_equal(connect(peer.fd, (struct sockaddr *)&address, sizeof address), 0);
    return peer;
}

static void take(struct peer *peer)
{
    char bytes[65536];
    ssize_t size = recv(peer->fd, bytes, sizeof bytes, 0);

    if (size == 0 || (size < 0 && errno != EAGAIN)) {
        peer->closed = true;
    } else if (size > 0) {
        peer->bytes = realloc(peer->bytes, peer->size + (size_t)size + 1);
        assert_non_null(peer->bytes);
        memcpy(peer->bytes + peer->size, bytes, (size_t)size);
        peer->size += (size_t)size;
        peer->bytes[peer->size] = '\0';
    }
}

void peer_send_bytes(struct peer *peer, const char *bytes, size_t size)
{
    uint64_t end = deadline();

    while (size > 0) {
        ssize_t sent = send(peer->fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            return; /* the server closed: what comes of it is the test's next question */
        }
        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
        }
        check_deadline(end, "room to send");
        rig_turn();
    }
}

void peer_send(struct peer *peer, const char *text)
{
    peer_send_bytes(peer, text, strlen(text));
}

void peer_expect(struct peer *peer, const char *text)
{
    uint64_t end = deadline();
    const char *found;

    while (!(found = strstr(peer->bytes + peer->seen, text))) {
        if (peer->closed) {
            fail_msg("closed before: %s\ngot: %s", text, peer->bytes + peer->seen);
        }
        if (uv_hrtime() / 1000000u > end) {
            fail_msg("waited for: %s\ngot: %s", text, peer->bytes + peer->seen);
        }
        rig_turn();
        take(peer);
        if (!strstr(peer->bytes + peer->seen, text)) {
            rest(peer->fd);
        }
    }
    peer->seen = (size_t)(found - peer->bytes) + strlen(text);
}

void peer_expect_close(struct peer *peer)
{
    uint64_t end = deadline();

    while (!peer->closed) {
        check_deadline(end, "the end of the session");
        rig_turn();
        take(peer);
    }
}

void peer_free(struct peer *peer)
{
    close(peer->fd);
    free(peer->bytes);
    rig_turn();
}

struct peer peer_open_as(const char *user)
{
    struct peer peer = peer_connect();

    peer_send(&peer, "as ");
    peer_send(&peer, user);
    peer_send(&peer, "\n" HELLO(BASE_1_0, ""));
    peer_expect(&peer, "</hello>]]>]]>");
    return peer;
}

struct peer peer_open(void)
{
    return peer_open_as("alice");
}

const char *peer_ask(struct peer *peer, const char *rpc)
{
    size_t start = peer->seen;

    peer_send(peer, rpc);
    peer_expect(peer, "]]>]]>");
    return peer->bytes + start;
}

void assert_has(const char *answer, const char *part)
{
    if (!strstr(answer, part)) {
        fail_msg("no %s in %s", part, answer);
    }
}

void assert_has_not(const char *answer, const char *part)
{
    if (strstr(answer, part)) {
        fail_msg("%s in %s", part, answer);
    }
}
