/* The REST interface as bytes: what comes in, what goes out (edge/server/api.h). */
#include "server_support.h"

#include <jansson.h>

#include "mup/sign/sign1.h"
#include "server/api_internal.h"

#define TOKEN "0123456789abcdef"
#define AUTH  "Authorization: Bearer " TOKEN "\r\n"

struct rest {
    struct bench *bench;
    struct mup_edge *edge;
    struct mup_mqtt_session *mqtt;
    struct mup_updates *updates;
    struct mup_mirror *mirror;
    struct mup_point_reader *points;
    struct mup_schemas *schemas;
    struct mup_caller *caller;
    struct mup_api *api;
};

/* ---- a client ---- */

struct exchange {
    struct bench *bench;
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    const char *request;
    size_t size;
    size_t sent;
    size_t piece; /* bytes of one write */
    char answer[20000];
    size_t answer_size;
    const char *until; /* stop when the answer has this; NULL: at the end of the connection */
};

static void stop_exchange(uv_handle_t *handle)
{
    struct exchange *x = handle->data;

    mup_loop_stop(&x->bench->loop);
}

static void end_exchange(struct exchange *x)
{
    if (!uv_is_closing((uv_handle_t *)&x->tcp)) {
        uv_close((uv_handle_t *)&x->tcp, stop_exchange);
    }
}

static void send_piece(uv_write_t *write, int status)
{
    struct exchange *x = write->data;
    size_t left = x->size - x->sent;
    size_t size = left < x->piece ? left : x->piece;

    if (status != 0 || size == 0) {
        return;
    }
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)(x->request + x->sent), (unsigned)size);
    x->sent += size;
    uv_write(write, (uv_stream_t *)&x->tcp, &buffer, 1, send_piece);
}

static void on_alloc(uv_handle_t *handle, size_t wish, uv_buf_t *buffer)
{
    struct exchange *x = handle->data;

    (void)wish;
    *buffer =
        uv_buf_init(x->answer + x->answer_size, (unsigned)(sizeof x->answer - 1 - x->answer_size));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct exchange *x = stream->data;

    (void)buffer;
    if (size > 0) {
        x->answer_size += (size_t)size;
        x->answer[x->answer_size] = '\0';
    }
    if (size < 0 || (x->until && strstr(x->answer, x->until))) {
        end_exchange(x);
    }
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct exchange *x = connect->data;

    assert_int_equal(status, 0);
    uv_tcp_nodelay(&x->tcp, 1);
    uv_read_start((uv_stream_t *)&x->tcp, on_alloc, on_read);
    send_piece(&x->write, 0);
}

static struct exchange exchange; /* too large for the stack's taste */

/* Send the bytes, in pieces, and return the whole answer. */
static const char *talk(struct rest *rest, const char *request, size_t size, size_t piece,
                        const char *until)
{
    struct sockaddr_in address;
    struct exchange *x = &exchange;

    memset(x, 0, sizeof *x);
    x->bench = rest->bench;
    x->request = request;
    x->size = size;
    x->piece = piece;
    x->until = until;
    x->tcp.data = x->connect.data = x->write.data = x;
    uv_ip4_addr("127.0.0.1", mup_api_port(rest->api), &address);
    uv_tcp_init(&rest->bench->loop.uv, &x->tcp);
    x->tcp.data = x;
    assert_int_equal(
        uv_tcp_connect(&x->connect, &x->tcp, (const struct sockaddr *)&address, on_connected), 0);
    mup_loop_run(&rest->bench->loop);
    return x->answer;
}

/* One request with the token; returns the HTTP status, *json is the body or NULL. */
static int ask(struct rest *rest, const char *method, const char *path, const char *body,
               json_t **json)
{
    static char request[70000];
    int size = snprintf(request, sizeof request,
                        "%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" AUTH
                        "Content-Length: %zu\r\n\r\n%s",
                        method, path, strlen(body), body);
    const char *answer = talk(rest, request, (size_t)size, (size_t)size, NULL);
    const char *content = strstr(answer, "\r\n\r\n");
    int status = 0;

    assert_int_equal(sscanf(answer, "HTTP/1.1 %d", &status), 1);
    assert_non_null(content);
    *json = json_loads(content + 4, 0, NULL);
    return status;
}

static void assert_fault(struct rest *rest, const char *method, const char *path, const char *body,
                         int status, const char *code)
{
    json_t *json;
    int got = ask(rest, method, path, body, &json);
    json_t *error = json_object_get(json, "error");

    assert_int_equal(got, status);
    assert_non_null(json_string_value(json_object_get(error, "code")));
    assert_string_equal(json_string_value(json_object_get(error, "code")), code);
    assert_true(json_string_length(json_object_get(error, "message")) > 0);
    assert_true(json_string_length(json_object_get(error, "hint")) > 0);
    json_decref(json);
}

/* ---- begin and end ---- */

static int rest_setup(void **state)
{
    struct rest *rest = calloc(1, sizeof *rest);
    static const struct mup_mqtt_callbacks nothing = {.on_message = NULL};
    struct mup_http_settings http = {.address = "127.0.0.1"};
    struct mup_door_settings door = {.token = TOKEN};
    struct mup_mqtt_settings mqtt = {
        .host = "127.0.0.1", .port = 1, .client_id = "t", .keep_alive_s = 30};
    struct mup_edge_settings edge = {.socket_path = "/nowhere/netconf.sock"};
    static const char *const reserved[] = {"getDeviceToken", NULL};
    struct mup_schemas_settings schemas = {"/nowhere/netconf.sock", "mup-server", reserved};
    struct mup_caller_settings caller = {"/nowhere/netconf.sock", 1000};
    struct mup_mirror_settings mirror = {"/nowhere/netconf.sock", "mup-server"};
    struct mup_updates_callbacks callbacks = {.on_event = NULL};
    struct mup_updates_settings settings = {.slice_size = 0};
    struct mup_fault fault;
    char error[MUP_HTTP_ERROR_SIZE];

    bench_setup((void **)&rest->bench);
    struct bench *bench = rest->bench;
    mup_update_limits_default(&settings.limits);
    rest->edge = mup_edge_new(&bench->loop, &edge);
    rest->mqtt = mup_mqtt_session_new(&bench->loop, &mqtt, &nothing, NULL);
    struct mup_updates_parts parts = {bench->store, bench->releases, rest->edge, rest->mqtt,
                                      &bench->stranger};
    rest->updates = mup_updates_new(&bench->loop, &parts, &settings, &callbacks, NULL, &fault);
    assert_non_null(rest->updates);
    rest->api = mup_api_new(&bench->loop, &http, &door, error);
    assert_non_null(rest->api);
    rest->mirror = mup_mirror_new(&bench->loop, &mirror, &mup_api_mirror_callbacks, rest->api);
    rest->points = mup_point_reader_new(&bench->loop, mirror.socket_path, mirror.user);
    rest->schemas = mup_schemas_new(&bench->loop, &schemas);
    rest->caller = mup_caller_new(&bench->loop, &caller);
    assert_true(rest->mirror && rest->points && rest->schemas && rest->caller);
    struct mup_api_parts api_parts = {bench->releases, rest->updates, rest->edge,    rest->mqtt,
                                      rest->mirror,    rest->points,  rest->schemas, rest->caller};
    mup_api_serve(rest->api, &api_parts);
    *state = rest;
    return 0;
}

static int rest_teardown(void **state)
{
    struct rest *rest = *state;

    mup_edge_free(rest->edge);
    mup_mirror_free(rest->mirror);
    mup_point_reader_free(rest->points);
    mup_schemas_free(rest->schemas);
    mup_caller_free(rest->caller);
    mup_mqtt_session_free(rest->mqtt);
    mup_updates_free(rest->updates);
    mup_api_free(rest->api);
    bench_teardown((void **)&rest->bench);
    free(rest);
    return 0;
}

/* ---- tests ---- */

static void the_pointer_is_open_and_everything_else_wants_the_token(void **state)
{
    struct rest *rest = *state;
    static const char *const paths[] = {"/api/v1/devices",   "/api/v1/releases", "/api/v1/updates",
                                        "/api/v1/updates/1", "/api/v1/events",   "/metrics",
                                        "/elsewhere"};
    static const char *const headers[] = {
        "", "Authorization: Bearer wrong\r\n", "Authorization: Basic " TOKEN "\r\n",
        "Authorization: Bearer " TOKEN "x\r\n", "Authorization: Bearer \r\n"};
    char request[300];

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        for (size_t h = 0; h < sizeof headers / sizeof headers[0]; h++) {
            int size = snprintf(request, sizeof request,
                                "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n",
                                paths[i], headers[h]);
            const char *answer = talk(rest, request, (size_t)size, 1000, NULL);
            assert_non_null(strstr(answer, "HTTP/1.1 401"));
            assert_non_null(strstr(answer, "WWW-Authenticate: Bearer"));
            assert_non_null(strstr(answer, "\"unauthorized\""));
        }
    }
    int size = snprintf(request, sizeof request,
                        "GET /api/v1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(talk(rest, request, (size_t)size, 1000, NULL), "HTTP/1.1 200"));
}

static void every_byte_of_the_tokens_hash_counts(void **state)
{
    struct rest *rest = *state;
    uint8_t right[32];
    uint8_t hash[32];
    char request[300];
    char token[32];

    mup_sha256_host(right, TOKEN, sizeof TOKEN - 1);
    for (unsigned at = 0; at < sizeof hash; at += 31) { /* alike in the first, in the last byte */
        unsigned i = 0;
        do {
            snprintf(token, sizeof token, "another-token-%u", i++);
            mup_sha256_host(hash, token, strlen(token));
        } while (hash[at] != right[at]);
        int size = snprintf(request, sizeof request,
                            "GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                            "Authorization: Bearer %s\r\n\r\n",
                            token);
        assert_non_null(strstr(talk(rest, request, (size_t)size, 1000, NULL), "HTTP/1.1 401"));
    }
}

static void paths_and_methods_that_are_not_there_are_named(void **state)
{
    struct rest *rest = *state;

    assert_fault(rest, "GET", "/api/v2", "", 404, "not-found");
    assert_fault(rest, "GET", "/api/v1/updates/7", "", 404, "not-found");
    assert_fault(rest, "GET", "/api/v1/updates/0", "", 404, "not-found");
    assert_fault(rest, "GET", "/api/v1/updates/-1", "", 404, "not-found");
    assert_fault(rest, "GET", "/api/v1/updates/7x", "", 404, "not-found");
    assert_fault(rest, "GET", "/api/v1/updates/99999999999999999999999", "", 404, "not-found");
    assert_fault(rest, "GET", "/api/v1/updates/7/events", "", 404, "not-found");
    assert_fault(rest, "DELETE", "/api/v1/updates", "", 405, "method-not-allowed");
    assert_fault(rest, "POST", "/api/v1/updates/1", "{}", 405, "method-not-allowed");
    assert_fault(rest, "POST", "/api/v1/devices", "{}", 405, "method-not-allowed");
}

static void a_body_that_is_not_what_was_asked_for_is_named(void **state)
{
    struct rest *rest = *state;
    static const char *const bodies[] = {
        "",
        "[]",
        "null",
        "{\"url\": 7}",
        "{\"url\": \"http://h/\", \"more\": 1}",
        "{\"url\": \"http://h/\", \"url\": \"http://h/\"}",
        "{\"device\": 1, \"release\": 1}",
        "\xff\xfe",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_fault(rest, "POST", "/api/v1/releases", bodies[i], 400, "bad-request");
        assert_fault(rest, "POST", "/api/v1/updates", bodies[i], 400, "bad-request");
    }
    assert_fault(rest, "POST", "/api/v1/releases", "{\"url\": \"ftp://h/\"}", 400, "url-not-valid");
    assert_fault(rest, "POST", "/api/v1/updates",
                 "{\"device\": \"x\", \"release\": 1, \"force\": 1}", 400, "bad-request");
    assert_fault(rest, "POST", "/api/v1/updates",
                 "{\"device\": \"x\", \"release\": 1, \"extra\": 1}", 400, "bad-request");
}

static void every_truncation_of_a_body_is_refused(void **state)
{
    struct rest *rest = *state;
    static const char whole[] = "{\"device\":\"lamp\",\"release\":{\"app\":\"a\",\"version\":2,"
                                "\"hardware\":\"h\"},\"force\":true}";

    assert_fault(rest, "POST", "/api/v1/updates", whole, 404, "unknown-release");
    for (size_t cut = 0; cut < sizeof whole - 1; cut++) {
        char body[sizeof whole];
        memcpy(body, whole, cut);
        body[cut] = '\0';
        assert_fault(rest, "POST", "/api/v1/updates", body, 400, "bad-request");
    }
}

static void a_body_may_have_64_kB_and_no_byte_more(void **state)
{
    struct rest *rest = *state;
    static char body[MUP_HTTP_BODY_SIZE_MAX + 2];

    memset(body, ' ', MUP_HTTP_BODY_SIZE_MAX);
    assert_fault(rest, "POST", "/api/v1/updates", body, 400, "bad-request");
    body[MUP_HTTP_BODY_SIZE_MAX] = ' ';
    assert_fault(rest, "POST", "/api/v1/updates", body, 413, "body-too-large");
}

static void releases_that_are_not_here_are_unknown(void **state)
{
    struct rest *rest = *state;
    static const char *const releases[] = {
        "1",
        "0",
        "-5",
        "{\"app\": \"a\", \"version\": 4294967296, \"hardware\": \"h\"}",
        "{\"app\": \"a\", \"version\": -1, \"hardware\": \"h\"}",
        "{}",
        "\"x\""};
    char body[200];

    for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++) {
        snprintf(body, sizeof body, "{\"device\": \"x\", \"release\": %s}", releases[i]);
        assert_fault(rest, "POST", "/api/v1/updates", body, 404, "unknown-release");
    }
}

static void a_bridge_that_is_away_is_named(void **state)
{
    struct rest *rest = *state;

    assert_fault(rest, "GET", "/api/v1/devices", "", 503, "bridge-unreachable");
}

static void a_release_comes_in_and_its_update_waits_for_the_bridge(void **state)
{
    struct rest *rest = *state;
    struct mup_release release;
    json_t *json;
    char body[200];

    make_release(rest->bench, &release, 2, 1, &rest->bench->vendor);
    serve_release(rest->bench, &release);
    snprintf(body, sizeof body, "{\"url\": \"http://127.0.0.1:%d/r/\"}", rest->bench->port);
    assert_int_equal(ask(rest, "POST", "/api/v1/releases", body, &json), 201);
    assert_int_equal(json_integer_value(json_object_get(json, "id")), 1);
    assert_string_equal(json_string_value(json_object_get(json, "app")), "lamp");
    json_decref(json);
    assert_int_equal(ask(rest, "GET", "/api/v1/releases", "", &json), 200);
    assert_int_equal(json_array_size(json_object_get(json, "releases")), 1);
    json_decref(json);
    assert_fault(rest, "POST", "/api/v1/updates", "{\"device\": \"x\", \"release\": 1}", 503,
                 "bridge-unreachable");
    assert_int_equal(ask(rest, "GET", "/api/v1/updates", "", &json), 200);
    assert_int_equal(json_array_size(json_object_get(json, "updates")), 0);
    json_decref(json);
    snprintf(body, sizeof body, "{\"url\": \"http://127.0.0.1:%d/other\"}", rest->bench->port);
    assert_fault(rest, "POST", "/api/v1/releases", body, 502, "release-unreachable");
    mup_release_free(&release);
}

static void metrics_are_prometheus_text(void **state)
{
    struct rest *rest = *state;
    static const char request[] =
        "GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" AUTH "\r\n";
    const char *answer = talk(rest, request, sizeof request - 1, 1000, NULL);

    assert_non_null(strstr(answer, "HTTP/1.1 200"));
    assert_non_null(strstr(answer, "# TYPE mup_updates_running gauge\nmup_updates_running 0\n"));
    assert_non_null(strstr(answer, "mup_broker_connected 0\n"));
}

static void a_request_may_come_byte_by_byte(void **state)
{
    struct rest *rest = *state;
    static const char request[] =
        "POST /api/v1/updates HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" AUTH
        "Content-Length: 27\r\n\r\n"
        "{\"device\":\"x\",\"release\":12}";
    for (size_t piece = 1; piece < 8; piece++) {
        const char *answer = talk(rest, request, sizeof request - 1, piece, NULL);
        assert_non_null(strstr(answer, "HTTP/1.1 404"));
        assert_non_null(strstr(answer, "unknown-release"));
    }
}

static void rubbish_ends_in_an_error_or_a_closed_connection(void **state)
{
    struct rest *rest = *state;
    char request[400];

    srand(7);
    for (unsigned i = 0; i < 50; i++) {
        for (size_t b = 0; b < sizeof request - 4; b++) {
            request[b] = (char)rand();
        }
        memcpy(request + sizeof request - 4, "\r\n\r\n", 4);
        const char *answer = talk(rest, request, sizeof request, 100, "HTTP/1.1");
        assert_null(strstr(answer, "HTTP/1.1 200"));
    }
    assert_fault(rest, "GET", "/x", "", 404, "not-found");
}

static void listeners_hear_of_their_update_and_their_going_is_noticed(void **state)
{
    struct rest *rest = *state;
    static const char request[] = "GET /api/v1/events HTTP/1.1\r\nHost: h\r\n" AUTH "\r\n";

    for (unsigned i = 0; i < 2 * MUP_EVENTS_LISTENERS_MAX; i++) {
        const char *answer = talk(rest, request, sizeof request - 1, 1000, ": listening");
        assert_non_null(strstr(answer, "text/event-stream"));
        json_t *json = json_pack("{s:i}", "id", 5);
        mup_api_tell(rest->api, "update", 5, json); /* a reader that has gone is found out */
        json_decref(json);
    }
}

static void stop_soon(void *arg)
{
    mup_loop_stop(arg);
}

/* Let the server do what it has to, until so many listen. */
static void run_until_listeners(struct rest *rest, size_t count)
{
    struct mup_timer *timer = mup_timer_new(&rest->bench->loop, stop_soon, &rest->bench->loop);

    while (mup_events_count(rest->api->events) != count) { /* or the bench's deadline */
        mup_timer_start(timer, 1);
        mup_loop_run(&rest->bench->loop);
    }
    mup_timer_free(timer);
}

static void a_reader_who_is_too_slow_is_cut_off(void **state)
{
    struct rest *rest = *state;
    static const char request[] = "GET /api/v1/events HTTP/1.1\r\nHost: h\r\n" AUTH "\r\n";
    static char padding[1001];
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memset(padding, 'x', sizeof padding - 1);
    uv_ip4_addr("127.0.0.1", mup_api_port(rest->api), &address);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
    run_until_listeners(rest, 1);
    json_t *json = json_pack("{s:i, s:s}", "id", 5, "padding", padding);
    for (size_t sent = 0; sent < MUP_HTTP_STREAM_SIZE_MAX; sent += 1000) {
        mup_api_tell(rest->api, "update", 5, json);
    }
    json_decref(json);
    run_until_listeners(rest, 0);
    close(fd);
}

/* What is told while somebody is away is kept for him, in its order, up to the limits. */
static void a_reader_who_comes_back_hears_what_he_missed(void **state)
{
    struct rest *rest = *state;
    char request[300];
    char id[64];
    int size =
        snprintf(request, sizeof request, "GET /api/v1/events HTTP/1.1\r\nHost: h\r\n" AUTH "\r\n");
    const char *answer = talk(rest, request, (size_t)size, 1000, "\"bridge\"");

    assert_int_equal(sscanf(strstr(answer, "\nid: "), "\nid: %63s", id), 1);
    for (int i = 0; i < 3; i++) {
        json_t *json = json_pack("{s:i}", "number", 100 + i);
        mup_api_tell(rest->api, i == 1 ? "progress" : "update", 5, json);
        json_decref(json);
    }
    size = snprintf(request, sizeof request,
                    "GET /api/v1/events?kinds=update HTTP/1.1\r\nHost: h\r\n" AUTH
                    "Last-Event-ID: %s\r\n\r\n",
                    id);
    answer = talk(rest, request, (size_t)size, 1000, "102");
    assert_non_null(strstr(answer, "{\"number\":100}"));
    assert_null(strstr(answer, "{\"number\":101}"));
    assert_null(strstr(answer, "reset"));
    for (unsigned i = 0; i < MUP_EVENTS_KEPT_MAX; i++) {
        json_t *json = json_pack("{s:i}", "number", (int)i);
        mup_api_tell(rest->api, "update", 5, json);
        json_decref(json);
    }
    answer = talk(rest, request, (size_t)size, 1000, "event: reset");
    assert_null(strstr(answer, "{\"number\":102}"));
}

/* SO_REUSEPORT would let a second server in, and each of them would get half of the requests. */
static void a_port_that_is_taken_is_refused(void **state)
{
    struct rest *rest = *state;
    struct mup_http_settings http = {.address = "127.0.0.1", .port = mup_api_port(rest->api)};
    struct mup_door_settings door = {.token = TOKEN};
    char error[MUP_HTTP_ERROR_SIZE];

    assert_null(mup_api_new(&rest->bench->loop, &http, &door, error));
    assert_non_null(strstr(error, "cannot listen on 127.0.0.1 port "));
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pointer_is_open_and_everything_else_wants_the_token),
        cmocka_unit_test(every_byte_of_the_tokens_hash_counts),
        cmocka_unit_test(paths_and_methods_that_are_not_there_are_named),
        cmocka_unit_test(a_body_that_is_not_what_was_asked_for_is_named),
        cmocka_unit_test(every_truncation_of_a_body_is_refused),
        cmocka_unit_test(a_body_may_have_64_kB_and_no_byte_more),
        cmocka_unit_test(releases_that_are_not_here_are_unknown),
        cmocka_unit_test(a_bridge_that_is_away_is_named),
        cmocka_unit_test(a_release_comes_in_and_its_update_waits_for_the_bridge),
        cmocka_unit_test(metrics_are_prometheus_text),
        cmocka_unit_test(a_port_that_is_taken_is_refused),
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(rubbish_ends_in_an_error_or_a_closed_connection),
        cmocka_unit_test(a_reader_who_is_too_slow_is_cut_off),
        cmocka_unit_test(a_reader_who_comes_back_hears_what_he_missed),
        cmocka_unit_test(listeners_hear_of_their_update_and_their_going_is_noticed),
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        tests[i].setup_func = rest_setup;
        tests[i].teardown_func = rest_teardown;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
