/* A loop with a deadline, a folder, a web server that says exactly the bytes that a test gives it,
 * and a client that sends exactly the bytes that a test gives it; all on one loop. */
#ifndef MUP_TEST_SERVER_SUPPORT_H
#define MUP_TEST_SERVER_SUPPORT_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mup/sign/key.h"
#include "mup/sign/release.h"
#include "runtime/log.h"
#include "runtime/loop.h"
#include "server/releases.h"
#include "support/cmocka_all.h"

#define DEADLINE_MS 60000u
#define FILES_MAX   8u

struct web_file {
    char path[128];
    uint8_t *answer; /* head and body, as they go out */
    size_t size;
    bool endless; /* the body is repeated until the client has enough */
};

struct bench {
    char folder[64];
    char store_path[96];
    struct mup_loop loop;
    struct mup_timer *deadline;
    uv_tcp_t web;
    int port;
    struct web_file files[FILES_MAX];
    size_t file_count;
    struct mup_signer vendor;
    struct mup_signer stranger;
    struct mup_server_store *store;
    struct mup_fetcher *fetcher;
    struct mup_releases *releases;
};

static void too_late(void *arg)
{
    (void)arg;
    fprintf(stderr, "nothing happened within %u ms\n", DEADLINE_MS);
    abort();
}

/* ---- the web server ---- */

struct web_client {
    uv_tcp_t tcp;
    uv_write_t write;
    struct bench *bench;
    char request[2048];
    size_t size;
    const struct web_file *file;
};

static void web_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void web_close(struct web_client *client)
{
    if (!uv_is_closing((uv_handle_t *)&client->tcp)) {
        uv_close((uv_handle_t *)&client->tcp, web_closed);
    }
}

static void web_send(struct web_client *client);

static void web_sent(uv_write_t *write, int status)
{
    struct web_client *client = write->data;

    if (status == 0 && client->file->endless) {
        web_send(client);
    } else {
        web_close(client);
    }
}

static void web_send(struct web_client *client)
{
    uv_buf_t buffer = uv_buf_init((char *)client->file->answer, (unsigned)client->file->size);

    client->write.data = client;
    uv_write(&client->write, (uv_stream_t *)&client->tcp, &buffer, 1, web_sent);
}

static void web_alloc(uv_handle_t *handle, size_t wish, uv_buf_t *buffer)
{
    struct web_client *client = handle->data;

    (void)wish;
    *buffer = uv_buf_init(client->request + client->size,
                          (unsigned)(sizeof client->request - 1 - client->size));
}

static void web_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    static struct web_file missing = {
        .answer = (uint8_t *)(uintptr_t) "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
        .size = 40};
    struct web_client *client = stream->data;
    struct bench *bench = client->bench;
    char path[128];

    (void)buffer;
    if (size < 0) {
        web_close(client);
        return;
    }
    client->size += (size_t)size;
    client->request[client->size] = '\0';
    if (!strstr(client->request, "\r\n\r\n") || client->file) {
        return;
    }
    missing.size = strlen((const char *)missing.answer);
    client->file = &missing;
    if (sscanf(client->request, "GET %127s", path) == 1) {
        for (size_t i = 0; i < bench->file_count; i++) {
            if (strcmp(bench->files[i].path, path) == 0) {
                client->file = &bench->files[i];
            }
        }
    }
    web_send(client);
}

static void web_connected(uv_stream_t *server, int status)
{
    struct web_client *client = calloc(1, sizeof *client);

    assert_int_equal(status, 0);
    client->bench = server->data;
    uv_tcp_init(server->loop, &client->tcp);
    client->tcp.data = client;
    assert_int_equal(uv_accept(server, (uv_stream_t *)&client->tcp), 0);
    uv_read_start((uv_stream_t *)&client->tcp, web_alloc, web_read);
}

static void web_open(struct bench *bench)
{
    struct sockaddr_in address;
    int size = sizeof address;

    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(&bench->loop.uv, &bench->web);
    bench->web.data = bench;
    assert_int_equal(uv_tcp_bind(&bench->web, (const struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&bench->web, 64, web_connected), 0);
    uv_tcp_getsockname(&bench->web, (struct sockaddr *)&address, &size);
    bench->port = ntohs(address.sin_port);
}

/* Serve exactly these bytes, status line included, at this path; replaces what was there. */
static void serve_raw(struct bench *bench, const char *path, const void *bytes, size_t size)
{
    struct web_file *file = NULL;

    for (size_t i = 0; i < bench->file_count; i++) {
        if (strcmp(bench->files[i].path, path) == 0) {
            file = &bench->files[i];
            free(file->answer);
        }
    }
    if (!file) {
        assert_true(bench->file_count < FILES_MAX);
        file = &bench->files[bench->file_count++];
    }
    memset(file, 0, sizeof *file);
    snprintf(file->path, sizeof file->path, "%s", path);
    file->answer = malloc(size);
    memcpy(file->answer, bytes, size);
    file->size = size;
}

/* Serve a file; `claimed` is what Content-Length says. */
static void serve_claiming(struct bench *bench, const char *path, const void *bytes, size_t size,
                           size_t claimed)
{
    uint8_t *answer = malloc(size + 128);
    int head =
        snprintf((char *)answer, 128, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", claimed);

    memcpy(answer + head, bytes, size);
    serve_raw(bench, path, answer, (size_t)head + size);
    free(answer);
}

static void serve(struct bench *bench, const char *path, const void *bytes, size_t size)
{
    serve_claiming(bench, path, bytes, size, size);
}

/* ---- releases ---- */

static void make_signer(struct bench *bench, struct mup_signer *signer, const char *name)
{
    char path[128];
    struct mup_error error;

    snprintf(path, sizeof path, "%s/%s", bench->folder, name);
    assert_int_equal(mup_key_generate(path, &error), MUP_OK);
    strcat(path, ".key");
    assert_int_equal(mup_signer_open_file(signer, path, &error), MUP_OK);
}

/* A release of 5,000 bytes in blocks of 1,024 (5 blocks, payload 5,128 bytes). */
static void make_release(struct bench *bench, struct mup_release *out, uint32_t version,
                         uint8_t filling, const struct mup_signer *signer)
{
    struct mup_manifest fields = {.app_id = "lamp",
                                  .hardware_class = "nrf51",
                                  .link_offset = 0x6000,
                                  .new_version = version,
                                  .block_size = 1024};
    uint8_t image[5000];
    struct mup_error error;

    (void)bench;
    for (size_t i = 0; i < sizeof image; i++) {
        image[i] = (uint8_t)(filling + i * 7);
    }
    assert_int_equal(mup_release_make(out, &fields, image, sizeof image, signer, &error), MUP_OK);
}

static void serve_release(struct bench *bench, const struct mup_release *release)
{
    serve(bench, "/r/manifest.cose", release->signed_manifest, release->signed_manifest_size);
    serve(bench, "/r/payload.bin", release->payload, release->payload_size);
}

/* ---- begin and end ---- */

static void open_parts(struct bench *bench)
{
    const struct mup_fetch_settings settings = {.timeout_s = 30};
    struct mup_fault fault;
    char error[MUP_STORE_ERROR_SIZE];

    assert_int_equal(mup_loop_init(&bench->loop, NULL, NULL), MUP_OK);
    bench->deadline = mup_timer_new(&bench->loop, too_late, NULL);
    mup_timer_start(bench->deadline, DEADLINE_MS);
    web_open(bench);
    assert_int_equal(mup_server_store_open(&bench->store, &bench->loop, bench->store_path, error),
                     MUP_OK);
    bench->fetcher = mup_fetcher_new(&bench->loop, &settings);
    assert_non_null(bench->fetcher);
    bench->releases = mup_releases_new(&bench->loop, bench->store, bench->fetcher,
                                       bench->vendor.public_key, &fault);
    assert_non_null(bench->releases);
}

static void close_parts(struct bench *bench)
{
    mup_fetcher_free(bench->fetcher);
    mup_server_store_close(bench->store);
    mup_releases_free(bench->releases);
    mup_timer_free(bench->deadline);
    uv_close((uv_handle_t *)&bench->web, NULL);
    mup_loop_close(&bench->loop);
}

static int bench_setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);

    mup_log_set_level(MUP_LOG_ERROR);
    snprintf(bench->folder, sizeof bench->folder, "/tmp/mup-server-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->store_path, sizeof bench->store_path, "%s/store", bench->folder);
    make_signer(bench, &bench->vendor, "vendor");
    make_signer(bench, &bench->stranger, "stranger");
    open_parts(bench);
    *state = bench;
    return 0;
}

static int bench_teardown(void **state)
{
    struct bench *bench = *state;
    char command[160];

    close_parts(bench);
    for (size_t i = 0; i < bench->file_count; i++) {
        free(bench->files[i].answer);
    }
    mup_signer_close(&bench->vendor);
    mup_signer_close(&bench->stranger);
    snprintf(command, sizeof command, "rm -rf '%s'", bench->folder);
    assert_int_equal(system(command), 0);
    free(bench);
    return 0;
}

#define run_bench_tests(tests)                                          \
    do {                                                                \
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests)[0]; i++) { \
            (tests)[i].setup_func = bench_setup;                        \
            (tests)[i].teardown_func = bench_teardown;                  \
        }                                                               \
    } while (0)

#endif
