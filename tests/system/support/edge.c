/* A whole edge for a system test: see edge.h. */
#include "edge.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOG_END_SIZE 4000u
#define WORDS_MAX    8u
#define PUMP_MS      20

struct mup_testbed bed;
const char *system_manager_key = "operator_key";

static long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the edge ---- */

static void print_logs(void)
{
    for (size_t i = 0; i < bed.processes.count; i++) {
        const struct mup_process *process = &bed.processes.list[i];
        size_t size = process->size < LOG_END_SIZE ? process->size : LOG_END_SIZE;
        if (size > 0)
            fprintf(stderr, "---- %s\n%.*s\n", process->name, (int)size,
                    process->text + process->size - size);
    }
}

/* A header file for curl, so that the token is on no command line. */
static bool write_header(void)
{
    char token[128] = "";
    FILE *in = fopen(mup_testbed_path(&bed, "token"), "re");
    FILE *out = fopen(mup_testbed_path(&bed, "authorization"), "we");
    bool good = in != NULL && out != NULL && fgets(token, sizeof token, in) != NULL;

    token[strcspn(token, "\n")] = '\0';
    good = good && fprintf(out, "Authorization: Bearer %s\n", token) > 0;
    if (in != NULL)
        fclose(in);
    if (out != NULL && fclose(out) != 0)
        good = false;
    return good;
}

bool system_open(const char *server_settings, const char *bridge_settings)
{
    if (mup_testbed_init(&bed, MUP_BIN_DIR, MUP_SOURCE_DIR, NULL)) {
        bed.server_settings = server_settings;
        bed.bridge_settings = bridge_settings;
        if (mup_testbed_start_edge(&bed) && write_header() &&
            mup_testbed_release(&bed, 1, MUP_SYSTEM_IMAGE_SIZE, "ok"))
            return true;
    }
    mup_testbed_end(&bed);
    return false;
}

int system_close(void **state)
{
    (void)state;
    mup_testbed_end(&bed);
    return 0;
}

/* ---- devices and logs ---- */

void system_make_device(struct mup_testbed_device *device)
{
    assert_true(mup_testbed_make_device(&bed, device));
}

struct mup_process *system_start_device(const struct mup_testbed_device *device)
{
    struct mup_process *process = mup_testbed_start_device(&bed, device);

    assert_non_null(process);
    return process;
}

struct mup_process *system_join(const struct mup_testbed_device *device)
{
    struct mup_process *process = system_start_device(device);

    system_await(process, "\"event\":\"bootstrap\",\"state\":10,");
    return process;
}

struct mup_process *system_process(const char *name)
{
    for (size_t i = 0; i < bed.processes.count; i++)
        if (strcmp(bed.processes.list[i].name, name) == 0)
            return &bed.processes.list[i];
    fail_msg("no program %s was started", name);
    return NULL;
}

void system_await_line(struct mup_process *process, const char *needle, char *line, size_t size)
{
    if (mup_process_wait_line(&bed.processes, process, needle, MUP_SYSTEM_DEADLINE_MS, line, size))
        return;
    print_logs();
    fail_msg("%s did not say: %s", process->name, needle);
}

void system_await(struct mup_process *process, const char *needle)
{
    system_await_line(process, needle, NULL, 0);
}

unsigned system_count(struct mup_process *process, const char *needle)
{
    size_t needle_size = strlen(needle);
    unsigned count = 0;

    mup_process_pump(&bed.processes, 0);
    for (size_t at = 0; at < process->size;) {
        const char *line = process->text + at;
        const char *end = memchr(line, '\n', process->size - at);
        size_t size = end == NULL ? process->size - at : (size_t)(end - line);

        count += memmem(line, size, needle, needle_size) != NULL;
        at += size + 1;
    }
    return count;
}

/* ---- commands ---- */

static char *read_all(int fd)
{
    struct stat info;
    char *text = NULL;

    if (fstat(fd, &info) == 0)
        text = calloc(1, (size_t)info.st_size + 1);
    assert_non_null(text);
    assert_true(pread(fd, text, (size_t)info.st_size, 0) == info.st_size);
    close(fd);
    return text;
}

/* A file without a name, for what a command says. */
static int open_output(void)
{
    int fd = open(bed.folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

void system_run(struct system_command *out, const char *const argv[])
{
    long long deadline = now_ms() + 2 * MUP_SYSTEM_DEADLINE_MS;
    int said = open_output();
    int complained = open_output();
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
        dup2(said, STDOUT_FILENO);
        dup2(complained, STDERR_FILENO);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    /* The stations must not block on what they say meanwhile. */
    while (waitpid(pid, &status, WNOHANG) == 0) {
        mup_process_pump(&bed.processes, PUMP_MS);
        if (now_ms() > deadline)
            kill(pid, SIGKILL);
    }
    out->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    out->out = read_all(said);
    out->err = read_all(complained);
}

void system_command_free(struct system_command *command)
{
    free(command->out);
    free(command->err);
}

void system_mup(struct system_command *out, const char *const words[])
{
    char server[64];
    const char *argv[WORDS_MAX + 6] = {MUP_BIN_DIR "/mup", words[0]};
    size_t count = 2;

    snprintf(server, sizeof server, "http://127.0.0.1:%d", bed.rest_port);
    argv[count++] = "--server";
    argv[count++] = server;
    argv[count++] = "--token-file";
    argv[count++] = mup_testbed_path(&bed, "token");
    for (size_t i = 1; i < WORDS_MAX && words[i] != NULL; i++)
        argv[count++] = words[i];
    argv[count] = NULL;
    system_run(out, argv);
}

static json_t *take_json(struct system_command *command, const char *what, int code)
{
    json_t *json = json_loads(command->out, 0, NULL);

    if (command->code != code || (code == 0 && json == NULL)) {
        print_logs();
        fail_msg("%s ended with %d and said:\n%s%s", what, command->code, command->out,
                 command->err);
    }
    system_command_free(command);
    return json;
}

json_t *system_mup_json(const char *const words[], int code)
{
    struct system_command command;

    system_mup(&command, words);
    return take_json(&command, words[0], code);
}

long long system_deploy(const char *device, uint32_t version)
{
    json_t *started =
        system_mup_json((const char *[]){"deploy", "--no-wait", "--json", device,
                                         mup_testbed_release_url(&bed, version), NULL},
                        0);
    long long id = system_number(started, "id");

    json_decref(started);
    return id;
}

/* ---- updates ---- */

/* The data of the newest "data: {...}" line with an ended update, or NULL. */
static json_t *ended_in(const char *line)
{
    const char *data = strstr(line, "data: ");

    return data == NULL ? NULL : json_loads(data + 6, 0, NULL);
}

json_t *system_await_end(long long update)
{
    char url[96];
    char line[MUP_PROCESS_LINE_MAX];
    const char *const argv[] = {"/usr/bin/curl",       "-sN", "--header", NULL, "--retry", "20",
                                "--retry-connrefused", url,   NULL};
    char header[MUP_TESTBED_PATH_MAX + 32];
    const char *filled[sizeof argv / sizeof argv[0]];
    struct mup_process *stream;
    json_t *ended;

    memcpy(filled, argv, sizeof argv);
    snprintf(header, sizeof header, "@%s", mup_testbed_path(&bed, "authorization"));
    filled[3] = header;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/api/v1/updates/%lld/events", bed.rest_port,
             update);
    stream = mup_process_start(&bed.processes, "events", filled);
    assert_non_null(stream);
    system_await_line(stream, "\"result\":\"", line, sizeof line);
    mup_process_kill(stream);
    ended = ended_in(line);
    assert_non_null(ended);
    return ended;
}

json_t *system_update(long long update)
{
    char id[32];

    snprintf(id, sizeof id, "%lld", update);
    return system_mup_json((const char *[]){"updates", "--json", id, NULL}, 0);
}

void system_assert_ended(json_t *update, const char *result, const char *reason)
{
    const char *why = json_string_value(json_object_get(update, "reason"));

    if (strcmp(system_text(update, "result"), result) != 0 ||
        (reason != NULL && (why == NULL || strcmp(why, reason) != 0))) {
        print_logs();
        fail_msg("not %s (%s): %s", result, reason == NULL ? "" : reason,
                 json_dumps(update, JSON_COMPACT));
    }
    json_decref(update);
}

/* ---- JSON ---- */

const char *system_text(const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);

    if (!json_is_string(member))
        fail_msg("no text %s in %s", key, json_dumps(object, JSON_COMPACT));
    return json_string_value(member);
}

json_int_t system_number(const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);

    if (!json_is_integer(member))
        fail_msg("no number %s in %s", key, json_dumps(object, JSON_COMPACT));
    return json_integer_value(member);
}

json_t *system_device_member(const char *uuid, const char *key)
{
    static json_t *devices;
    size_t index;
    json_t *device;

    json_decref(devices);
    devices = system_mup_json((const char *[]){"devices", "--json", NULL}, 0);
    json_array_foreach(json_object_get(devices, "devices"), index, device)
    {
        if (strcmp(system_text(device, "uuid"), uuid) == 0)
            return json_object_get(device, key);
    }
    return NULL;
}

/* ---- NETCONF ---- */

json_t *system_netconf(const char *const words[])
{
    struct system_command command;
    char port[16];
    const char *argv[WORDS_MAX + 6] = {"/usr/bin/python3",
                                       MUP_SOURCE_DIR "/tests/system/support/netconf.py", port};
    size_t count = 3;

    snprintf(port, sizeof port, "%d", bed.ssh_port);
    argv[count++] = mup_testbed_path(&bed, system_manager_key);
    for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++)
        argv[count++] = words[i];
    argv[count] = NULL;
    system_run(&command, argv);
    return take_json(&command, words[0], 0);
}

void system_assert_rpc(const char *device, const char *rpc, const char *input, const char *tag,
                       const char *app_tag_or_state)
{
    json_t *reply = system_netconf((const char *[]){"rpc", device, rpc, input, NULL});
    const char *got_tag = json_string_value(json_object_get(reply, "tag"));
    const char *got = json_string_value(json_object_get(reply, got_tag ? "app_tag" : "state"));

    if ((tag == NULL) != (got_tag == NULL) || (tag != NULL && strcmp(tag, got_tag) != 0) ||
        (app_tag_or_state != NULL && (got == NULL || strcmp(app_tag_or_state, got) != 0))) {
        print_logs();
        fail_msg("%s of %s: not %s %s but %s", rpc, device, tag == NULL ? "ok" : tag,
                 app_tag_or_state == NULL ? "" : app_tag_or_state, json_dumps(reply, JSON_COMPACT));
    }
    json_decref(reply);
}
