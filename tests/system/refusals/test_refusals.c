/*
 * What must not be done: bad releases, devices that are not there, updates that do not fit, and
 * garbage at the REST interface. Each is a clear error that names the thing; nothing of it stays.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge.h"

#define BIG_VERSION  9u
#define BIG_IMAGE    (200u * 1024u)
#define REPLY_SIZE   8192u
#define STRANGE_PORT "1" /* tcpmux: nobody listens */

static struct mup_testbed_device device = {
    .process = "device", .version = 5, .window = 64, .slice = 16};

static int open_edge(void **state)
{
    (void)state;
    /* Short enough to wait for; a device on this machine answers within milliseconds. */
    if (!system_open("token-timeout-ms 6000\nquiet-timeout-ms 4000\nlook-up-timeout-ms 6000\n"
                     "rpc-timeout-ms 5000\n",
                     "rpc-timeout-s 2\n"))
        return -1;
    for (uint32_t version = 4; version <= 6; version++)
        if (!mup_testbed_release(&bed, version, 3 * MUP_SYSTEM_IMAGE_SIZE, "ok"))
            return -1;
    return mup_testbed_release(&bed, BIG_VERSION, BIG_IMAGE, "ok") &&
                   mup_testbed_make_device(&bed, &device)
               ? 0
               : -1;
}

/* ---- releases ---- */

static char *release_file(const char *folder, const char *file)
{
    static char path[2 * MUP_TESTBED_PATH_MAX];

    snprintf(path, sizeof path, "%s/releases/%s/%s", bed.folder, folder, file);
    return path;
}

/* A copy of a good release under another path of the repository, to be damaged. */
static void copy_release(const char *to)
{
    char from[2 * MUP_TESTBED_PATH_MAX];
    char target[2 * MUP_TESTBED_PATH_MAX];

    snprintf(from, sizeof from, "%s", release_file(MUP_TESTBED_APP "/4", MUP_TESTBED_HARDWARE));
    snprintf(target, sizeof target, "%s/releases/%s", bed.folder, to);
    assert_true(
        mup_testbed_run(&bed, "copy", (const char *[]){"/usr/bin/cp", "-r", from, target, NULL}));
}

static void flip_byte(const char *path, long at)
{
    FILE *file = fopen(path, "r+be");
    int byte;

    assert_non_null(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    byte = fgetc(file);
    fseek(file, at, at < 0 ? SEEK_END : SEEK_SET);
    fputc(byte ^ 1, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_release_refused(const char *url, const char *message)
{
    struct system_command command;
    json_t *releases;

    system_mup(&command, (const char *[]){"releases", url, NULL});
    if (command.code != 1 || strstr(command.err, message) == NULL)
        fail_msg("%s: not %s but %d: %s%s", url, message, command.code, command.out, command.err);
    system_command_free(&command);
    releases = system_mup_json((const char *[]){"releases", "--json", NULL}, 0);
    assert_int_equal(json_array_size(json_object_get(releases, "releases")), 0);
    json_decref(releases);
}

static void assert_folder_refused(const char *folder, const char *message)
{
    char url[128];

    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", bed.repository_port, folder);
    assert_release_refused(url, message);
}

static void a_damaged_release_is_refused_by_name_and_not_kept(void **state)
{
    struct stat info;

    (void)state;
    copy_release("bad-payload");
    flip_byte(release_file("bad-payload", "payload.bin"), 30000);
    assert_folder_refused("bad-payload", "payload.bin: block 28 of 59 has not the hash");

    copy_release("bad-end");
    flip_byte(release_file("bad-end", "payload.bin"), -1);
    assert_folder_refused("bad-end", "payload.bin: block 58 of 59 has not the hash");

    copy_release("short-payload");
    assert_int_equal(stat(release_file("short-payload", "payload.bin"), &info), 0);
    assert_int_equal(truncate(release_file("short-payload", "payload.bin"), info.st_size - 1), 0);
    assert_folder_refused("short-payload", "payload.bin");

    copy_release("changed-manifest");
    flip_byte(release_file("changed-manifest", "manifest.cose"), 60);
    assert_folder_refused("changed-manifest", "signature");

    copy_release("short-manifest");
    assert_int_equal(truncate(release_file("short-manifest", "manifest.cose"), 100), 0);
    assert_folder_refused("short-manifest", "manifest.cose");

    copy_release("no-payload");
    assert_int_equal(unlink(release_file("no-payload", "payload.bin")), 0);
    assert_folder_refused("no-payload", "payload.bin: HTTP status 404");
}

static void a_release_of_another_vendor_is_refused(void **state)
{
    char image[MUP_TESTBED_PATH_MAX + 64];
    const char *const keygen[] = {MUP_BIN_DIR "/mup", "keygen", mup_testbed_path(&bed, "rogue"),
                                  NULL};
    const char *const release[] = {MUP_BIN_DIR "/mup",
                                   "release",
                                   "create",
                                   "--key",
                                   mup_testbed_path(&bed, "rogue.key"),
                                   "--image",
                                   image,
                                   "--app",
                                   "rogue",
                                   "--hardware",
                                   MUP_TESTBED_HARDWARE,
                                   "--version",
                                   "7",
                                   "--repository",
                                   mup_testbed_path(&bed, "releases"),
                                   NULL};

    (void)state;
    snprintf(image, sizeof image, "%s", mup_testbed_path(&bed, "image-4"));
    assert_true(mup_testbed_run(&bed, "keygen", keygen));
    assert_true(mup_testbed_run(&bed, "release", release));
    assert_folder_refused("rogue/7/" MUP_TESTBED_HARDWARE, "another key than this vendor's");
}

static void what_is_no_release_is_refused(void **state)
{
    (void)state;
    assert_folder_refused("nothing/here", "nothing/here/manifest.cose: HTTP status 404");
    assert_release_refused("http://127.0.0.1:" STRANGE_PORT "/r", "127.0.0.1:" STRANGE_PORT);
    assert_release_refused("file:///etc/passwd", "http");
    assert_release_refused("nonsense", "http");
}

/* ---- updates ---- */

static void assert_deploy_fails(const char *name, const char *release, const char *option,
                                const char *message)
{
    struct system_command command;

    system_mup(&command, (const char *[]){"deploy", name, release, option, NULL});
    if (command.code != 1 || strstr(command.err, message) == NULL)
        fail_msg("%s to %s: not %s but %d: %s%s", release, name, message, command.code, command.out,
                 command.err);
    system_command_free(&command);
}

static void an_unknown_device_or_release_is_named(void **state)
{
    (void)state;
    system_join(&device);
    assert_deploy_fails("nobody", mup_testbed_release_url(&bed, 6), NULL, "nobody");
    assert_deploy_fails(device.uuid, "99", NULL, "no release 99 is kept");
    assert_deploy_fails(device.uuid, "no-app/1/virtual", NULL,
                        "no release no-app/1/virtual is kept");
}

/* Refused by the server beforehand, and with --force by the device itself. */
static void assert_refused_twice(uint32_t version, const char *reason)
{
    char url[128];
    struct mup_process *process = system_process("device");
    char needle[64];

    snprintf(url, sizeof url, "%s", mup_testbed_release_url(&bed, version));
    assert_deploy_fails(device.uuid, url, NULL, reason);
    assert_int_equal(system_count(process, reason), 0);
    assert_deploy_fails(device.uuid, url, "--force", reason);
    snprintf(needle, sizeof needle, "\"name\":\"%s\"", reason);
    system_await(process, needle);
    assert_int_equal(json_integer_value(system_device_member(device.uuid, "version")), 5);
    system_assert_rpc(device.uuid, "ledOff", NULL, NULL, NULL);
}

static void an_image_that_is_larger_than_the_slot_is_refused_by_both(void **state)
{
    (void)state;
    assert_refused_twice(BIG_VERSION, "image-too-big");
}

static void a_downgrade_is_refused_by_both(void **state)
{
    (void)state;
    assert_refused_twice(4, "invalid-version");
}

static void a_second_update_of_a_device_is_refused_with_the_id_of_the_first(void **state)
{
    char id[64];
    long long first = system_deploy(device.uuid, 6);
    struct system_command command;

    (void)state;
    system_mup(&command,
               (const char *[]){"deploy", device.uuid, mup_testbed_release_url(&bed, 6), NULL});
    snprintf(id, sizeof id, "update %lld", first);
    assert_int_equal(command.code, 1);
    assert_non_null(strstr(command.err, "is being updated by"));
    assert_non_null(strstr(command.err, id));
    system_command_free(&command);
    system_assert_ended(system_await_end(first), "confirmed", NULL);
}

static void a_device_that_vanishes_is_a_failure_with_a_reason(void **state)
{
    static struct mup_testbed_device lost = {
        .process = "lost", .version = 5, .window = 64, .slice = 16};
    static struct mup_testbed_device silent = {.process = "silent", .version = 5};
    long long update;
    struct mup_process *process;

    (void)state;
    system_make_device(&lost);
    process = system_join(&lost);
    update = system_deploy(lost.uuid, 6);
    system_await(process, "\"event\":\"progress\"");
    mup_process_kill(process);
    system_assert_ended(system_await_end(update), "failed", "device-timeout");

    /* One that is gone before anything was asked of it. */
    system_make_device(&silent);
    mup_process_kill(system_join(&silent));
    update = system_deploy(silent.uuid, 6);
    system_assert_ended(system_await_end(update), "failed", "device-timeout");
    /* What is told once is told. */
    assert_int_equal(system_count(system_process("mup-server"), "reason=\"device-timeout\""), 2);
}

/* ---- REST ---- */

/* What the server answers to these bytes; static storage. */
static const char *exchange(const char *bytes, size_t size)
{
    static char reply[REPLY_SIZE];
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)bed.rest_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval deadline = {.tv_sec = MUP_SYSTEM_DEADLINE_MS / 1000};
    size_t got = 0;
    ssize_t more = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    for (size_t sent = 0; sent < size;) {
        ssize_t step = send(fd, bytes + sent, size - sent, MSG_NOSIGNAL);
        if (step <= 0)
            break; /* it has heard enough */
        sent += (size_t)step;
    }
    shutdown(fd, SHUT_WR);
    while (more > 0 && got + 1 < sizeof reply) {
        more = recv(fd, reply + got, sizeof reply - 1 - got, 0);
        got += more > 0 ? (size_t)more : 0;
    }
    reply[got] = '\0';
    close(fd);
    return reply;
}

static char token[128];

/* One request; the answer's status must be this, with an error of this code in it. */
static void assert_answer(const char *method, const char *path, const char *authorization,
                          const char *body, size_t body_size, int status, const char *code)
{
    size_t room = strlen(path) + body_size + 512;
    char *text = malloc(room);
    char wanted[32];
    const char *reply;
    int size;

    assert_non_null(text);
    size = snprintf(text, room,
                    "%s %s HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n%s%s%sContent-Length: "
                    "%zu\r\n\r\n",
                    method, path, authorization == NULL ? "" : "Authorization: ",
                    authorization == NULL ? "" : authorization, authorization == NULL ? "" : "\r\n",
                    body_size);
    memcpy(text + size, body, body_size);
    reply = exchange(text, (size_t)size + body_size);
    snprintf(wanted, sizeof wanted, "HTTP/1.1 %d ", status);
    if (strncmp(reply, wanted, strlen(wanted)) != 0 || strstr(reply, code) == NULL)
        fail_msg("%s %s: not %d %s but: %s", method, path, status, code, reply);
    free(text);
}

static void read_token(void)
{
    FILE *file = fopen(mup_testbed_path(&bed, "token"), "re");

    assert_non_null(file);
    snprintf(token, sizeof token, "Bearer ");
    assert_non_null(fgets(token + 7, sizeof token - 7, file));
    token[strcspn(token, "\n")] = '\0';
    fclose(file);
}

static void rest_answers_garbage_with_an_error_that_names_it(void **state)
{
    static const char *const bodies[] = {"",
                                         "{",
                                         "[]",
                                         "{\"device\":1}",
                                         "{\"device\":\"x\"}",
                                         "{\"device\":\"x\",\"release\":1,\"extra\":1}",
                                         "{\"device\":\"x\",\"device\":\"y\",\"release\":1}",
                                         "{\"device\":\"\xff\",\"release\":1}"};
    static char large[300000];
    char wrong[sizeof token + 1];

    (void)state;
    read_token();
    memset(large, 'x', sizeof large);
    snprintf(wrong, sizeof wrong, "%s0", token);
    assert_answer("GET", "/api/v1/devices", NULL, "", 0, 401, "\"unauthorized\"");
    assert_answer("GET", "/api/v1/devices", wrong, "", 0, 401, "\"unauthorized\"");
    assert_answer("GET", "/api/v1/devices", "Basic bXVw", "", 0, 401, "\"unauthorized\"");
    assert_answer("GET", "/metrics", NULL, "", 0, 401, "\"unauthorized\"");
    assert_answer("GET", "/api/v1/nothing", NULL, "", 0, 401, "\"unauthorized\"");
    assert_answer("GET", "/api/v1/nothing", token, "", 0, 404, "\"not-found\"");
    assert_answer("GET", "/../../etc/passwd", token, "", 0, 404, "\"not-found\"");
    assert_answer("GET", "/api/v1/updates/999999", token, "", 0, 404, "\"not-found\"");
    assert_answer("GET", "/api/v1/updates/99999999999999999999999", token, "", 0, 404,
                  "\"not-found\"");
    assert_answer("GET", "/api/v1/updates/-1", token, "", 0, 404, "\"not-found\"");
    assert_answer("DELETE", "/api/v1/updates", token, "", 0, 405, "\"method-not-allowed\"");
    assert_answer("POST", "/api/v1/devices", token, "{}", 2, 405, "\"method-not-allowed\"");
    assert_answer("POST", "/api/v1/releases", token, "{\"url\":7}", 9, 400, "\"bad-request\"");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_answer("POST", "/api/v1/updates", token, bodies[i], strlen(bodies[i]), 400,
                      "\"bad-request\"");
    assert_answer("POST", "/api/v1/releases", token, large, sizeof large, 413,
                  "\"body-too-large\"");
    exchange("\x16\x03\x01 not HTTP at all\r\n\r\n", 22);
    exchange("GET / HTTP/9.9\r\nContent-Length: -5\r\n\r\n", 39);
    exchange(large, sizeof large);
    assert_true(mup_process_is_running(system_process("mup-server")));
    assert_answer("GET", "/api/v1/devices", token, "", 0, 200, device.uuid);
    assert_answer("GET", "/", NULL, "", 0, 200, "Content-Security-Policy: default-src 'self'");
    assert_answer("GET", "/api/v1", NULL, "", 0, 200, "mup-server: the update server");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_release_is_refused_by_name_and_not_kept),
        cmocka_unit_test(a_release_of_another_vendor_is_refused),
        cmocka_unit_test(what_is_no_release_is_refused),
        cmocka_unit_test(an_unknown_device_or_release_is_named),
        cmocka_unit_test(an_image_that_is_larger_than_the_slot_is_refused_by_both),
        cmocka_unit_test(a_downgrade_is_refused_by_both),
        cmocka_unit_test(a_second_update_of_a_device_is_refused_with_the_id_of_the_first),
        cmocka_unit_test(a_device_that_vanishes_is_a_failure_with_a_reason),
        cmocka_unit_test(rest_answers_garbage_with_an_error_that_names_it),
    };

    return cmocka_run_group_tests(tests, open_edge, system_close);
}
