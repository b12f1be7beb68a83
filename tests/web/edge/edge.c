/*
 * web-edge: an edge on this machine's loopback that somebody else directs, line by line.
 *
 * The browser tests and the page's bench are not C; this is how they have the testbed. It starts a
 * whole edge, says on a line of JSON how to reach it, then takes commands from its standard input
 * and answers each with a line of JSON. Everything ends with its input.
 *
 *     release VERSION SIZE FAULT              in the vendor's repository; {"url"}
 *     device PROCESS NAME VERSION [OPTION...] make and start a virtual device; {"uuid"}
 *     kill PROCESS | start PROCESS            of a device
 *     microbit NAME VERSION                   make and start an emulated one; {"uuid"}
 *     kill-server | start-server | kill-bridge | start-bridge
 *     fleet COUNT                             so many devices that are only played; {"count"}
 *     memory                                  of mup-server; {"kb"}
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "fleet.h"
#include "testbed.h"

#define LINE_MAX_SIZE 4096
#define WORDS_MAX     16
#define DEVICES_MAX   16
#define PUMP_MS       20
#define FLEET_KINDS   4
#define FLEET_WINDOW  256

struct director {
    struct mup_testbed bed;
    struct mup_fleet *fleet;
    struct mup_testbed_device devices[DEVICES_MAX];
    bool is_microbit[DEVICES_MAX];
    bool has_router;
    char *kept[DEVICES_MAX * WORDS_MAX]; /* names and options, which devices point to */
    size_t kept_count;
    size_t device_count;
    char words[WORDS_MAX][LINE_MAX_SIZE / 4];
    int count; /* of words */
};

static volatile int must_stop;

static void on_signal(int number)
{
    (void)number;
    must_stop = 1;
}

/* Takes the reference. */
static void answer(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    printf("%s\n", text ? text : "{\"failed\":true}");
    fflush(stdout);
    free(text);
    json_decref(json);
}

static const char *keep(struct director *director, const char *word)
{
    if (director->kept_count == sizeof director->kept / sizeof director->kept[0])
        return NULL;
    return director->kept[director->kept_count++] = strdup(word);
}

static struct mup_process *find_process(struct director *director, const char *name)
{
    struct mup_process_set *set = &director->bed.processes;

    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->list[i].name, name) == 0)
            return &set->list[i];
    return NULL;
}

/* ---- commands: each gives its answer, NULL when it failed ---- */

static json_t *do_release(struct director *director)
{
    uint32_t version = (uint32_t)strtoul(director->words[1], NULL, 10);
    uint32_t size = (uint32_t)strtoul(director->words[2], NULL, 10);

    if (strcmp(director->words[2], "microbit") == 0)
        return mup_testbed_release_microbit(&director->bed, version, director->words[3])
                   ? json_pack("{s:s}", "url", mup_testbed_microbit_url(&director->bed, version))
                   : NULL;
    return mup_testbed_release(&director->bed, version, size, director->words[3])
               ? json_pack("{s:s}", "url", mup_testbed_release_url(&director->bed, version))
               : NULL;
}

static struct mup_testbed_device *add_device(struct director *director, const char *process,
                                             const char *name, const char *version)
{
    struct mup_testbed_device *device = &director->devices[director->device_count];

    if (director->device_count == DEVICES_MAX)
        return NULL;
    device->process = keep(director, process);
    snprintf(device->name, sizeof device->name, "%s", name);
    device->version = (uint32_t)strtoul(version, NULL, 10);
    director->device_count++;
    return device;
}

static json_t *do_device(struct director *director)
{
    struct mup_testbed_device *device =
        add_device(director, director->words[1], director->words[2], director->words[3]);
    size_t options = 0;

    if (!device)
        return NULL;
    for (int i = 4; i < director->count && options < 7; i++) {
        if (strcmp(director->words[i], "--window") == 0 && i + 1 < director->count)
            device->window = (uint32_t)strtoul(director->words[++i], NULL, 10);
        else if (strcmp(director->words[i], "--slice") == 0 && i + 1 < director->count)
            device->slice = (uint32_t)strtoul(director->words[++i], NULL, 10);
        else
            device->arguments[options++] = keep(director, director->words[i]);
    }
    return mup_testbed_make_device(&director->bed, device) &&
                   mup_testbed_start_device(&director->bed, device)
               ? json_pack("{s:s}", "uuid", device->uuid)
               : NULL;
}

static json_t *do_microbit(struct director *director)
{
    struct mup_testbed_device *device =
        add_device(director, "microbit", director->words[1], director->words[2]);

    if (!device || (!director->has_router && !mup_testbed_start_router(&director->bed)))
        return NULL;
    director->has_router = true;
    director->is_microbit[director->device_count - 1] = true;
    return mup_testbed_make_microbit(&director->bed, device) &&
                   mup_testbed_start_microbit(&director->bed, device)
               ? json_pack("{s:s}", "uuid", device->uuid)
               : NULL;
}

static json_t *do_start(struct director *director)
{
    for (size_t i = 0; i < director->device_count; i++)
        if (strcmp(director->devices[i].process, director->words[1]) == 0)
            return (director->is_microbit[i]
                        ? mup_testbed_start_microbit(&director->bed, &director->devices[i])
                        : mup_testbed_start_device(&director->bed, &director->devices[i]))
                       ? json_object()
                       : NULL;
    return NULL;
}

static json_t *kill_process(struct director *director, const char *name)
{
    struct mup_process *process = find_process(director, name);

    if (!process)
        return NULL;
    mup_process_kill(process);
    return json_object();
}

static json_t *do_kill(struct director *director)
{
    return kill_process(director, director->words[1]);
}

static json_t *do_kill_server(struct director *director)
{
    return kill_process(director, "mup-server");
}

static json_t *do_start_server(struct director *director)
{
    return mup_testbed_start_server(&director->bed) ? json_object() : NULL;
}

static json_t *do_kill_bridge(struct director *director)
{
    return kill_process(director, "mup-bridge");
}

static json_t *do_start_bridge(struct director *director)
{
    return mup_testbed_start_bridge(&director->bed) ? json_object() : NULL;
}

struct join {
    struct mup_fleet *fleet;
    size_t count;
    bool good;
    atomic_bool done;
};

static void *run_join(void *arg)
{
    struct join *join = arg;

    join->good = mup_fleet_join(join->fleet, 0, join->count, FLEET_WINDOW);
    join->done = true;
    return NULL;
}

/* In a thread: a daemon whose log nobody reads stands still. */
static json_t *do_fleet(struct director *director)
{
    struct join join = {.count = strtoul(director->words[1], NULL, 10)};
    pthread_t thread;

    if (!director->fleet)
        director->fleet = mup_fleet_open(&director->bed, FLEET_KINDS);
    join.fleet = director->fleet;
    if (!join.fleet || pthread_create(&thread, NULL, run_join, &join) != 0)
        return NULL;
    while (!join.done)
        mup_process_pump(&director->bed.processes, PUMP_MS);
    pthread_join(thread, NULL);
    return join.good ? json_pack("{s:I}", "count", (json_int_t)join.count) : NULL;
}

/* What it has in memory now, as Linux counts it. */
static json_t *do_memory(struct director *director)
{
    const struct mup_process *server = find_process(director, "mup-server");
    char path[64];
    char line[256];
    long kb = 0;

    snprintf(path, sizeof path, "/proc/%ld/status", server ? (long)server->pid : 0L);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld kB", &kb) == 1)
            break;
    if (file)
        fclose(file);
    return kb > 0 ? json_pack("{s:I}", "kb", (json_int_t)kb) : NULL;
}

static const struct {
    const char *name;
    int words; /* at least, with the name */
    json_t *(*run)(struct director *director);
} commands[] = {
    {"release", 4, do_release},
    {"device", 4, do_device},
    {"microbit", 3, do_microbit},
    {"kill", 2, do_kill},
    {"start", 2, do_start},
    {"kill-server", 1, do_kill_server},
    {"start-server", 1, do_start_server},
    {"kill-bridge", 1, do_kill_bridge},
    {"start-bridge", 1, do_start_bridge},
    {"fleet", 2, do_fleet},
    {"memory", 1, do_memory},
};

static void take_line(struct director *director, char *line)
{
    char *rest = NULL;

    director->count = 0;
    for (char *word = strtok_r(line, " \r\n", &rest); word && director->count < WORDS_MAX;
         word = strtok_r(NULL, " \r\n", &rest))
        snprintf(director->words[director->count++], sizeof director->words[0], "%s", word);
    for (size_t i = 0; director->count > 0 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, director->words[0]) == 0 &&
            director->count >= commands[i].words) {
            answer(commands[i].run(director));
            return;
        }
    answer(NULL);
}

/* ---- the edge, and its end ---- */

static bool start(struct director *director, const char *bin)
{
    struct mup_testbed *bed = &director->bed;

    if (!mup_testbed_init(bed, bin, MUP_SOURCE_DIR, &must_stop))
        return false;
    bed->broker_rules = mup_fleet_rules;
    if (!mup_fleet_users(bed) || !mup_testbed_start_edge(bed) || !mup_testbed_make_web_user(bed))
        return false;
    answer(json_pack("{s:i, s:i, s:i, s:s, s:s, s:s, s:s}", "port", bed->rest_port, "broker_port",
                     bed->broker_port, "repository_port", bed->repository_port, "user",
                     MUP_TESTBED_WEB_USER, "password", bed->web_password, "folder", bed->folder,
                     "eavesdropper", mup_testbed_password(bed, "eavesdropper")));
    return true;
}

/* Whole lines of standard input, while the programs' own output is read too. */
static void serve(struct director *director)
{
    static char text[LINE_MAX_SIZE];
    size_t size = 0;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    while (!must_stop) {
        mup_process_pump(&director->bed.processes, PUMP_MS);
        if (poll(&input, 1, 0) <= 0)
            continue;
        ssize_t got = read(STDIN_FILENO, text + size, sizeof text - 1 - size);
        if (got <= 0)
            return;
        size += (size_t)got;
        text[size] = '\0';
        for (char *end; (end = strchr(text, '\n')) != NULL;) {
            *end = '\0';
            take_line(director, text);
            size -= (size_t)(end + 1 - text);
            memmove(text, end + 1, size + 1);
        }
        if (size == sizeof text - 1)
            return;
    }
}

int main(int argc, char **argv)
{
    static struct director director;
    struct sigaction action = {.sa_handler = on_signal};

    if (argc != 2) {
        fprintf(stderr, "usage: web-edge FOLDER-OF-PROGRAMS\n");
        return 2;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    bool good = start(&director, argv[1]);
    if (good)
        serve(&director);
    mup_fleet_close(director.fleet);
    mup_testbed_end(&director.bed);
    for (size_t i = 0; i < director.kept_count; i++)
        free(director.kept[i]);
    return good ? 0 : 1;
}
